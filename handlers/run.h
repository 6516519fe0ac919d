/* SPDX-License-Identifier: MIT
 *
 * run.h - helpers for handlers, about the present run (struct work).
 *
 * A handler adds its changes to work.result.changes. run_apply() also applies
 * them to the run's copy of the order, so that the rest of the run sees them.
 */
#ifndef HANDLERS_RUN_H
#define HANDLERS_RUN_H

#include "handlers/handlers.h"

#define RUN_SECOND 1000
#define RUN_MINUTE 60000

/* True if the warehouse belongs to a shop of the instance. */
bool run_is_ours(const struct work *w, int64_t warehouse);
/* Derives the states of the run's order, as they are for these shops. */
void run_derive(struct work *w);

/* Applies result.changes, from index `from` on, to the run's order, and derives
 * its states. */
void run_apply(struct work *w, size_t from);

/* Ends the run with OUTCOME_DEAD; fmt is the reason. */
void run_dead(struct work *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Numbers of reasons to try again (task.why).  Two runs that end for the same
 * reason have the same number, whatever its words.  They are stored: add new
 * ones at the end.  The lower half of the number says more, such as the HTTP
 * status. */
enum run_why {
	WHY_NONE,
	WHY_CALL_NOT_DONE, /* a call failed; with the HTTP status */
	WHY_CALL_UNKNOWN,
	WHY_NOT_SHOWN, /* Centra did not show all of the order; with the missing
		        * parts */
	WHY_CALL_HELD,	    /* a call was held back (centra/limits.h) */
	WHY_TRY_NOT_STORED, /* a try could not be made durable */
	WHY_NOT_CONFIGURED, /* the instance has no such API */
	WHY_SETTLING,	    /* Centra may still be about to act on a call */
	WHY_LOOK_NOTHING,   /* a look proved nothing */
	WHY_LOOK_OPEN,	    /* a look shows the order open */
	WHY_DISAGREE,	    /* Centra says one thing and shows another */
	WHY_ORDER_CHANGED,  /* the order changed before the call was made */
	WHY_PAYMENT,	    /* the payment is being confirmed */
	WHY_REFUSED,	    /* Centra refuses the step; which step */
	WHY_SHIPMENT_GONE,  /* a look does not show a shipment of ours */
	WHY_GIVEN_UP,	    /* a reconciliation was given up for now */
	WHY_NOT_TOLD,	    /* a shop's system did not take its webhooks; with the
			     * HTTP status */
	WHY_CLOCK_UNSURE,   /* Centra has not confirmed the clock yet */
};
uint32_t run_why(enum run_why why, unsigned more);
/* Returns the number for a call that did not end in CALL_OK, or was held
 * back. */
uint32_t run_why_call(const struct call *call);
/* True if the last run of this task ended for the reason of that number, so that
 * the journal need not repeat it. */
bool run_repeats(const struct work *w, uint32_t why);
/* Ends the run with OUTCOME_RETRY, due `wait` ms from now.  `why` is the number of
 * the reason (run_why()), fmt its words for people. */
void run_retry(struct work *w, uint32_t why, int64_t wait, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Returns how many ms to wait after a try that failed (call says how; NULL: no
 * call was made).  After a call that was held back or refused, it is the time
 * until the API may be called again. */
int64_t run_wait(const struct work *w, const struct call *call);
/* As run_wait(), for work that nobody waits for: the wait grows up to 5
 * minutes. */
int64_t run_wait_long(const struct work *w, const struct call *call);

/* Returns how many ms to wait before a look that showed nothing is repeated:
 * work.look_again at first, then more and more, up to an hour (or look_again,
 * if that is longer). */
int64_t run_wait_look(const struct work *w);
/* Returns how many ms to wait for the second of two looks, when the first was
 * just made. */
int64_t run_wait_second(const struct work *w);
/* Returns work.look_again, or its default. */
int64_t run_look_again(const struct work *w);

/* Reports a call to the worker, raises the alarm if Centra refused our key, and
 * moves the run's clocks forward by the duration of the call. */
void run_called(struct work *w, enum centra_api api, const char *what,
		const struct call *call);
void run_alarm(struct work *w, enum centra_api api, const char *why);

#endif
