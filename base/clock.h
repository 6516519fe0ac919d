/* SPDX-License-Identifier: MIT
 *
 * clock.h - whether the wall clock can be trusted.
 *
 * There are two clocks.  The wall clock (time_now) dates what is kept; it may
 * be wrong, and may be set.  The steady clock (time_mono) measures how long
 * something took; it is never set, and means nothing in another process.
 *
 * The wall clock is compared with the Date that Centra's replies carry
 * (RFC 9110, 6.6.1: the time at which the reply was made, in seconds).  From
 * then on the steady clock tells what the time must be.  What cannot be undone
 * (removing an address, forgetting an idempotency key, ending a session, using
 * up the one late try) waits until the wall clock is confirmed.
 *
 * Time:     arguments, ms: `wall` of time_now(), `mono` of time_mono().
 * Threads:  any thread, any call but init and release.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* ms.  The wall clock is confirmed if it differs from Centra's by no more than
 * this, which is also the default of webhook_tolerance. */
#define CLOCK_TOLERANCE 300000

/* ms.  Smaller steps of the wall clock against the steady clock are ignored. */
#define CLOCK_STEP 2000

enum clock_trust {
	CLOCK_UNCONFIRMED, /* no reply of Centra's has come yet */
	CLOCK_CONFIRMED,
	CLOCK_WRONG, /* off by more than CLOCK_TOLERANCE, or, before a reply,
		      * behind the newest time in the store by as much */
};

struct clock {
	pthread_mutex_t lock;
	int64_t began;  /* mono */
	int64_t offset; /* wall clock minus steady clock, as of
			 * clock_went_back()'s last call */
	int64_t newest; /* wall clock: the newest time in the store at the
			 * start */
	bool told;
	int64_t true_offset; /* Centra's Date minus the steady clock, as of its
			      * newest reply */
};

/* Call it before there are other threads.  `newest` is the newest time in the
 * store, or TIME_NONE. */
void clock_init(struct clock *c, int64_t newest, int64_t wall, int64_t mono);
void clock_release(struct clock *c);

/* Records the Date of a reply of Centra's that arrived at `mono`. */
void clock_told(struct clock *c, int64_t date, int64_t mono);

/* Returns how far the wall clock can be trusted at this moment. */
enum clock_trust clock_trust(struct clock *c, int64_t wall, int64_t mono);

/* True if clock_trust() is CLOCK_CONFIRMED at this moment: ask before an act
 * that cannot be undone. */
bool clock_confirmed(struct clock *c);

/* Sets *ret to how far the wall clock is ahead of Centra's, in ms; less than 0:
 * behind.  False: no reply of Centra's has come yet. */
bool clock_ahead(struct clock *c, int64_t wall, int64_t mono, int64_t *ret);

/* Returns clock_ahead() if the wall clock is wrong by more than
 * CLOCK_TOLERANCE, else 0, also before Centra's first reply. */
int64_t clock_wrong_by(struct clock *c, int64_t wall, int64_t mono);

/* Returns by how many ms the wall clock was set back since the last call; 0: it
 * was not, or by less than CLOCK_STEP.  A task that waits for a time by the
 * wall clock would wait that much longer. */
int64_t clock_went_back(struct clock *c, int64_t wall, int64_t mono);

/* True if the wall clock time `now` is less than `ms` after `then`.  If `then`
 * is in the future, the clock was ahead or was set back since: then it is
 * false, so that nobody waits for longer than `ms`. */
bool clock_within(int64_t then, int64_t now, int64_t ms);

/* Returns for how many ms this process has run.  What happened before its start
 * is at least that long ago. */
int64_t clock_running(struct clock *c, int64_t mono);

#endif
