/* SPDX-License-Identifier: MIT
 *
 * sweep.h - webhooks that were missed (OFFERS 7).
 *
 * A webhook was missed if a look shows a change that the webhook should have
 * told, and it has still not arrived `missed_after` later.  A look that shows
 * such a change adds the task `missed` (sweep_follow_up); the sweep adds it for
 * each order that waits for check-first and of which no offer is open here: its
 * create was lost, be it the first, that of an order offered anew, or that to a
 * further shop.
 */
#ifndef HANDLERS_SWEEP_H
#define HANDLERS_SWEEP_H

#include "handlers/handlers.h"

struct untold {
	int64_t warehouse; /* 0: the order */
	enum missed missed;
};

/* Lists the changes that looks alone have shown: states that would be different
 * without the looks made until `by`, that no event explains, and that are not
 * counted yet.  An offer that recovery put there is not expected to be rejected
 * or timed out by name.  Pure.  *ret is owned by the caller (free). */
size_t sweep_untold(const struct zone *zone, const struct order *o, int64_t by,
		    struct untold **ret);

/* True if a look alone has shown that the order is cancelled. */
bool sweep_untold_cancel(const struct order *o, int64_t by);

/* Call after a look's changes were applied to the run's order.  If the look was
 * the first to show a change, adds the task `missed`.  was_...: the order
 * before the look. */
void sweep_follow_up(struct work *w, bool was_cancelled, int64_t was_fetched);

/* How long (ms) the sweep goes on looking at what a look alone ended. */
#define SWEEP_REOPENS ((int64_t)48 * 3600 * 1000)

/* True when an offer of the order was ended, less than SWEEP_REOPENS ago, by a
 * look alone, or by a reject that Centra answered with `no`: another look may
 * open it again, or show that it is the warehouse's.  Of a derived order;
 * pure. */
bool sweep_may_reopen(const struct zone *zone, const struct order *o,
		      int64_t now);

/* True when the waiting order is one that a second look should be taken at: no
 * offer of it is open, none is accepted, and that was not counted yet.  With
 * `recover`, one of which no shop was asked is always such an order. */
bool sweep_unknown(const struct order *o, bool recover);

#endif
