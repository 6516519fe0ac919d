/* SPDX-License-Identifier: MIT
 *
 * answer.h - a shop's decision about an offer (OFFERS 2), and the task that
 * tells Centra (OFFERS 3).
 */
#ifndef HANDLERS_ANSWER_H
#define HANDLERS_ANSWER_H

#include "handlers/handlers.h"
#include "store/model/order.h"

/* A press of accept or reject.  The first durable answer to an opening wins. */
struct decision {
	const int64_t *warehouses; /* the shop's warehouses, in config order */
	size_t n_warehouses;
	enum verb verb;
	const char *reason, *note; /* the reason and note of a reject; or
				    * NULL */
	uint64_t device;
	const char *device_name; /* for the journal */
	int64_t now;

	/* Out: the warehouse whose offer is answered, or is in the way; and,
	 * with RC_CONFLICT, the API's code: "answered" or a state's name. */
	int64_t warehouse;
	const char *conflict;
};

/* A store_update_fn; arg is a struct decision.  An accept answers the first
 * warehouse whose events contradict each other, else the first pending one,
 * else the first refused one; a reject answers all of them, unless one of the
 * shop's is won or being won.  Each gets a task `answer_offer`, due at once.
 *
 * RC_NOTFOUND   nothing was offered to these warehouses
 * RC_EXISTS     the same answer stands already: its result is the state
 * RC_CONFLICT   the opposite was answered, or the offer has ended
 */
enum rc answer_decide(void *arg, const struct order *o, struct changes *ret,
		      struct err *e);

/* The handler of `answer_offer`. */
void handle_answer_offer(struct work *w, size_t n);

#endif
