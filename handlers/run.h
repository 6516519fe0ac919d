/* SPDX-License-Identifier: MIT
 *
 * run.h - helpers of the handlers for the run that they are in (struct work).
 *
 * A handler says what is to change by adding to work.result.changes.
 * run_apply() applies that to its copy of the order too, so that the rest of
 * the run sees it.
 */
#ifndef HANDLERS_RUN_H
#define HANDLERS_RUN_H

#include "handlers/handlers.h"

#define RUN_SECOND 1000
#define RUN_MINUTE 60000

/* True for a warehouse of the instance's shops. */
bool run_is_ours(const struct work *w, int64_t warehouse);
/* Derives the order as it is for these shops. */
void run_derive(struct work *w);

/* Applies result.changes, from index `from` on, to the order, and derives. */
void run_apply(struct work *w, size_t from);

/* Ends the run with OUTCOME_RETRY, due `wait` ms from now; fmt is the
 * reason. */
void run_retry(struct work *w, int64_t wait, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Ends the run with OUTCOME_DEAD; fmt is the reason. */
void run_dead(struct work *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Numbers of reasons to try again (task.why): two runs that end for the same
 * reason have the same, whatever its words.  They are stored: add new ones at
 * the end.  The lower half says more, such as the HTTP status. */
enum run_why {
	WHY_NONE,
	WHY_CALL_NOT_DONE, /* a call failed; its HTTP status */
	WHY_CALL_UNKNOWN,
	WHY_NOT_SHOWN, /* Centra did not show all of the order; what not */
};
uint32_t run_why(enum run_why why, unsigned more);
/* Of a call that did not end in CALL_OK. */
uint32_t run_why_call(const struct call *call);
/* Keeps the number of the reason for which this run will end.  True if the last
 * run of this task ended for the same, so that the journal does not need it
 * again. */
bool run_said_before(struct work *w, uint32_t why);

/* Returns how many ms to wait after a try that failed (call says how; NULL: no
 * call was made).  After a call that was held back or refused, that is until
 * calls to its API may be made again. */
int64_t run_wait(const struct work *w, const struct call *call);
/* As run_wait(), for work that nobody waits for: it grows up to 5 minutes. */
int64_t run_wait_long(const struct work *w, const struct call *call);

/* How long until a look that showed nothing is repeated: work.look_again, and
 * then less and less often, up to an hour (or look_again, if that is
 * longer). */
int64_t run_wait_look(const struct work *w);
/* How long until the second of two looks, of which the first was just made. */
int64_t run_wait_second(const struct work *w);
/* work.look_again, or its default. */
int64_t run_look_again(const struct work *w);

/* Tells the worker of a call, raises the alarm when Centra refused our key,
 * and moves the run's clocks on by what the call took. */
void run_called(struct work *w, enum centra_api api, const char *what,
		const struct call *call);
void run_alarm(struct work *w, enum centra_api api, const char *why);

#endif
