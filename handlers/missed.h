/* SPDX-License-Identifier: MIT
 *
 * missed.h - webhooks that were missed (OFFERS 7).
 *
 * A webhook was missed if a look shows a change that the webhook should have
 * told, and it has still not arrived `missed_after` later.  A look that shows
 * such a change adds the task `missed` (missed_follow_up); reconciliation adds
 * it for each order that waits for check-first and of which no offer is open
 * here: its create was lost, be it the first, that of an order offered anew, or
 * that to a further shop.
 */
#ifndef HANDLERS_MISSED_H
#define HANDLERS_MISSED_H

#include "handlers/handlers.h"

struct untold {
	int64_t warehouse; /* 0: the order */
	enum missed missed;
};

/* Lists the changes that looks alone have shown: states that would be different
 * without the looks made until `by`, that no event explains, and that are not
 * counted yet.  If recovery made an offer, no rejected or timeout of it is
 * listed: Centra may never have asked that warehouse.  Pure.  *ret is owned by
 * the caller (free). */
size_t missed_untold(const struct zone *zone, const struct order *o, int64_t by,
		    struct untold **ret);

/* True if looks alone, made until `by`, have shown that the order is
 * cancelled. */
bool missed_cancel(const struct order *o, int64_t by);

/* Call after a look's changes were applied to the run's order.  If the look was
 * the first to show a change, adds the task `missed`.  was_...: the order
 * before the look. */
void missed_follow_up(struct work *w, bool was_cancelled, int64_t was_fetched);

/* Removes from an offer what looks made until `by` have shown.  Pure. */
void missed_forget_looks(struct offer *f, int64_t by);

/* True if the offer was ended, later than `since`, by a look alone, or by a
 * reject that Centra answered with `no`.  `bare`: the offer without what looks
 * have shown.  Both must be derived.  Pure. */
bool missed_may_reopen(const struct order *o, const struct offer *f,
		       const struct offer *bare, int64_t since);

/* True if a second look should be taken at an order that Centra lists as
 * waiting: no offer of it is open, none is accepted, and its missed create was
 * not counted yet.  With `recover`, also if no shop was asked so far. */
bool missed_create(const struct order *o, bool recover);

#endif
