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

/* A wall clock that is off by no more is confirmed; as much as the usual
 * tolerance of a webhook's signature. */
#define CLOCK_TOLERANCE 300000

/* A step of the wall clock against the steady one by less is none. */
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
	int64_t offset; /* of wall to mono, when last looked at */
	int64_t newest; /* wall: of what the store had at the start */
	bool told;
	int64_t true_offset; /* of Centra's Date to mono */
};

/* `newest` is the newest time in the store, or TIME_NONE. */
void clock_init(struct clock *c, int64_t newest, int64_t wall, int64_t mono);
void clock_release(struct clock *c);

/* A reply that has just come, at `mono`, carries this Date. */
void clock_told(struct clock *c, int64_t date, int64_t mono);

enum clock_trust clock_trust(struct clock *c, int64_t wall, int64_t mono);

/* The same now, for who only asks whether to do what cannot be undone. */
bool clock_confirmed(struct clock *c);

/* How far the wall clock is ahead of Centra's, in ms; less than 0: behind.
 * False: Centra has not told. */
bool clock_ahead(struct clock *c, int64_t wall, int64_t mono, int64_t *ret);

/* The same where it matters: 0 if Centra has not told, or if the wall clock is
 * confirmed. */
int64_t clock_wrong_by(struct clock *c, int64_t wall, int64_t mono);

/* How far the wall clock went back since this was last called, in ms; 0: it did
 * not, or by less than CLOCK_STEP.  What waits for a time by the wall clock
 * would wait that much longer. */
int64_t clock_went_back(struct clock *c, int64_t wall, int64_t mono);

/* How long this process has run at most, in ms: what happened before it began
 * is at least as old. */
int64_t clock_running(struct clock *c, int64_t mono);

#endif
