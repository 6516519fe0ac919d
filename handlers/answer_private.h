/* SPDX-License-Identifier: MIT
 *
 * answer_private.h - what the two ways to tell Centra a shop's answer share:
 * answer.c (check-first) and answer_requests.c (allocation requests).  For these
 * two files.
 */
#ifndef HANDLERS_ANSWER_PRIVATE_H
#define HANDLERS_ANSWER_PRIVATE_H

#include "handlers/handlers.h"

/* Returns the offer that the task answers. */
struct offer *answer_offer(const struct work *w);
/* Adds a journal entry about the warehouse that answered. */
void answer_journal(struct work *w, const struct entry *e);

/* Reserves the call and makes durable that a try begins.  False: the run has
 * ended, and the call must not be made.  `what` names the call for the log. */
bool answer_begin_try(struct work *w, const char *what);
/* Records how the try ended; text: Centra's, for a no, or NULL. */
void answer_end_try(struct work *w, enum try_end how, const char *text);
/* Journals a call that ended without a usable reply, records it, and ends the
 * run so that it is tried again. */
void answer_told_nothing(struct work *w, const struct call *call);
/* Ends the run after a look that failed, so that it is repeated. */
void answer_retry_look(struct work *w, const struct call *call);
/* Ends the run after a look that settled nothing, so that it is repeated, less
 * and less often.  `why`: the number of the reason; `words`: for people. */
void answer_retry_rarely(struct work *w, uint32_t why, const char *words);

/* Settle the answer.  answer_settle_ok() also has the order fetched again after
 * an accept, now with the address. */
void answer_settle(struct work *w, enum settled how, const char *text);
void answer_settle_ok(struct work *w);

/* Tells Centra the answer to an offer that consists of allocation requests.  A
 * try that never ended has been recorded as unknown. */
void answer_requests(struct work *w);

#endif
