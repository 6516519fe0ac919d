/* SPDX-License-Identifier: MIT
 *
 * retention.h - removes what is kept for a time only (docs/retention.md): the
 * settings `keep_...`, and sessions (`session_age`).
 *
 * A run goes through all kinds of rows, in small transactions with a pause after
 * each, so that webhooks do not wait for it.  The next run begins an hour after
 * the last one began.
 *
 * Threads: one at a time.
 */
#ifndef SERVER_WORKER_RETENTION_H
#define SERVER_WORKER_RETENTION_H

#include <stdbool.h>
#include <stdint.h>

#include "store/store.h"

struct worker_parts;

struct retention {
	bool running;
	int64_t began;	    /* the run: steady clock, ms */
	struct removal now; /* what the run is at */
	uint64_t removed[AGED_KINDS]; /* rows, in this run */
	struct err unread; /* why a row could not be read; "": all could be */
	/* The journals of orders that changed before this are removed (wall
	 * clock, ms); not kept over a restart. */
	int64_t journals_until;
};

/* Does the next part of a run, or begins one: one transaction, for which it
 * waits.  `mono`: the steady clock, ms.  Returns after how many ms it is to be
 * called again.  What it removes is gone: call it only while the clock is
 * confirmed. */
int64_t retention_step(struct retention *r, const struct worker_parts *parts,
		       int64_t mono);

/* Returns how long removal pauses after a transaction that took `took` ms: nine
 * times as long, so that removal has a tenth of the writer's time also on a slow
 * disk; at least 5 ms, at most a minute. */
static inline int64_t retention_pause(int64_t took)
{
	const int64_t least = 5, most = 60000;

	return took * 9 < least ? least : took * 9 > most ? most : took * 9;
}

#endif
