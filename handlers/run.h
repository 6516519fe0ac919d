/* SPDX-License-Identifier: MIT
 *
 * run.h - what the handlers do with the run they are in (struct work).
 *
 * A handler says what is to change by adding to work.result.changes; here that
 * is also joined to its copy of the order, so that it sees what it said.
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

/* Joins result.changes from the `from`th on to the order and derives. */
void run_apply(struct work *w, size_t from);

/* The task shall run again `wait` ms from now; the rest says why. */
void run_retry(struct work *w, int64_t wait, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The task is given up. */
void run_dead(struct work *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* True when the last run of this task ended for the same reason: it needs no
 * line in the journal again. */
bool run_said_before(const struct work *w, const char *reason);

/* How long to wait after a try that failed so; NULL: it was no call.  A call
 * that was held, or refused, is made again when the gate lets it through. */
int64_t run_wait(const struct work *w, const struct call *call);
/* The same for what nobody waits for: grows to 5 minutes. */
int64_t run_wait_long(const struct work *w, const struct call *call);

/* How long until a look that showed nothing is repeated: work.look_again, and
 * then less and less often, up to an hour (or look_again, if that is longer). */
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
