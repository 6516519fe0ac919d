/* SPDX-License-Identifier: MIT
 *
 * sweep.h - webhooks that were missed (DESIGN 6, Reconciliation).
 *
 * A webhook was missed when Centra shows what it should have told, and it has
 * still not come `missed_after` later.  Whoever looks at an order asks for the
 * task `missed` then (sweep_follow_up); the sweep asks for it about each order
 * that waits for check-first and was never offered to us.
 */
#ifndef HANDLERS_SWEEP_H
#define HANDLERS_SWEEP_H

#include "handlers/handlers.h"

struct untold {
	int64_t warehouse; /* 0: the order */
	enum missed missed;
};

/* What a look alone has told us: states that would be others without findings
 * made by then (`by`), for which no event speaks, and which are not yet
 * counted.  An offer that recovery put there is not expected to be rejected or
 * timed out by name.  Pure.  *ret is owned by the caller (free). */
size_t sweep_untold(const struct zone *zone, const struct order *o, int64_t by,
		    struct untold **ret);

/* True when a look alone has told us that the order is cancelled. */
bool sweep_untold_cancel(const struct order *o, int64_t by);

/* After a look's changes are joined to the run's order: if it was the first to
 * tell something, asks for the second thought.  `was` is the order before. */
void sweep_follow_up(struct work *w, bool was_cancelled, int64_t was_fetched);

/* True when the waiting order is one that a second look should be taken at. */
bool sweep_unknown(const struct order *o, bool recover);

#endif
