/* SPDX-License-Identifier: MIT
 *
 * limits.h - whether an instance's Centra may be called now.
 *
 * For each API of an instance, over all threads:
 *
 *   dead      after LIMITS_DEAD_AFTER calls in a row without a usable reply,
 *             only trial calls are made, one at a time, after a wait that
 *             grows to 30 s.  The first that gets a reply ends this.  A call
 *             that was cut off early (call.cut) counts neither way.
 *   refused   after a 401 or 403, too, only trial calls are made, after a wait
 *             that grows to 5 minutes.  A new key ends this at once.
 *   paused    no call is made until the end of a Retry-After.
 *   budget    GraphQL's requests and mutations in any 10 s and in any hour
 *             (CONTRACT 6.3).  What was spent is not known after a restart:
 *             if Centra then says 429, that pauses all calls.
 *
 * Work of the live lane goes first.  Fetches that someone waits for leave it a
 * fifth of the budget.  Lookups are made while less than a third of the short
 * budget is used; of an hour's they have a third, and leave a fifth.
 * Reconciliation has at most half of the budget, and one call at a time.  If
 * live work uses up the budget, reconciliation still gets a call now and then:
 * of ten calls at most one, and one in 10 s.
 *
 * Time:     an argument; ms of any clock that does not go back.
 * Threads:  any thread, any call.
 * Private to centra/.
 */
#ifndef CENTRA_LIMITS_H
#define CENTRA_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "centra/centra.h"

#define LIMITS_WINDOW	  10000	  /* ms of the short budget's window */
#define LIMITS_HOUR	  3600000 /* ms of a long one */
#define LIMITS_DEAD_AFTER 5	 /* calls in a row */
#define LIMITS_DEAD_FIRST 500	 /* ms until the first trial call; doubled with
				  * each trial that fails */
#define LIMITS_DEAD_MOST  30000
#define LIMITS_KEY_FIRST  1000
#define LIMITS_KEY_MOST	  300000
#define LIMITS_BUDGET_MOST 100000 /* the largest budget, in calls */

struct limits;

/* limits_budget() sets or replaces the budgets of GraphQL. */
struct limits *limits_new(void);
void limits_free(struct limits *l); /* NULL is fine */
void limits_budget(struct limits *l, const struct centra_budget *b);

/* A call that asks to be made. */
struct permit {
	enum centra_api api;
	enum centra_lane lane;
	bool mutation;
	bool trial; /* out: the call is the one trial call under way */
};

/* True: the call may be made, and limits_told() or limits_give_back() must
 * follow.  False: *ret is what the call returns instead (held, CALL_NOT_DONE),
 * with the time to ask again. */
bool limits_take(struct limits *l, struct permit *p, int64_t now,
		 struct call *ret);
/* Reports how the call went.  Sets call->turn: exactly one call of all threads
 * opens the breaker, and one closes it.  If this one opened it, raises
 * call->retry_after to the time of the next trial. */
void limits_told(struct limits *l, const struct permit *p, int64_t now,
		 struct call *call);
/* Reports that the call was not made after all. */
void limits_give_back(struct limits *l, const struct permit *p);

/* The key was replaced: calls may be made at once. */
void limits_new_key(struct limits *l, enum centra_api api);

/* See centra_may() and centra_try_now(). */
void limits_may(struct limits *l, enum centra_api api, enum centra_lane lane,
		unsigned calls, int64_t now, struct centra_may *ret);
void limits_try_now(struct limits *l, enum centra_api api, int64_t now);

/* See centra_state(). */
void limits_state(struct limits *l, enum centra_api api, int64_t now,
		  struct centra_state *ret);

#endif
