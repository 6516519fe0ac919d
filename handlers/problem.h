/* SPDX-License-Identifier: MIT
 *
 * problem.h - what a shop says about an order after its answer: that it cannot
 * ship it after all, that it can again, and that it has stopped shipping an
 * order that was taken back.
 */
#ifndef HANDLERS_PROBLEM_H
#define HANDLERS_PROBLEM_H

#include <stdbool.h>

#include "base/err.h"
#include "store/model/changes.h"

struct statement {
	const int64_t *warehouses; /* the shop's warehouses, in config order */
	size_t n_warehouses;
	uint64_t device;
	const char *by;		   /* the name of the person or device, for the
				    * journal and the screens */
	const char *reason, *note; /* the reason and note of a problem; note may
				    * be NULL */
	int64_t now;
	bool by_system; /* the shop's own system ships: once a problem is
			 * solved, a look makes the next shipment */

	const char *conflict; /* out: with RC_CONFLICT, the API's code */
};

/* True while the shop was told that the order is its own, that is no longer so,
 * it has not shipped it, and nobody has confirmed the stop. */
bool offer_stop(const struct order *o, const int64_t *warehouses, size_t n);

/* Store_update_fns; arg is a struct statement.
 *
 * problem_decide   reports the problem: the order is accepted and not shipped,
 *                  and the shop cannot ship it.  RC_EXISTS: its open problem
 *                  has the same reason and note.  RC_CONFLICT: "shipped", or
 *                  the state that it is in.
 * solved_decide    reports that the open problem is solved.  RC_EXISTS: it was
 *                  solved before.  RC_CONFLICT: "shipped", the state that it is
 *                  in, or "no_problem": there never was one.
 * stopped_decide   confirms that the shop has stopped shipping.  RC_EXISTS:
 *                  there is none, or it was confirmed before.
 * RC_NOTFOUND of each: never offered to these warehouses. */
enum rc problem_decide(void *arg, const struct order *o, struct changes *ret,
		       struct err *e);
enum rc solved_decide(void *arg, const struct order *o, struct changes *ret,
		      struct err *e);
enum rc stopped_decide(void *arg, const struct order *o, struct changes *ret,
		       struct err *e);

#endif
