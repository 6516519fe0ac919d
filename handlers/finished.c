/* SPDX-License-Identifier: MIT
 *
 * finished.c - see finished.h.
 */
#include "handlers/finished.h"

#include "handlers/problem.h"

/* True if a device of ours acted on the offer, or if the shop was told that the
 * order is its own. */
static bool was_touched(const struct offer *f)
{
	return f->answer.verb != VERB_NONE || f->n_shipments ||
	       f->problem.at || f->stopped;
}

static bool is_over(const struct order *o, const struct offer *f)
{
	const struct shipment *newest = offer_shipment(f);

	return f->list == LIST_DONE && !f->doubt && !f->answer.try_begun &&
	       !(newest && shipment_goes_on(newest)) &&
	       !offer_stop(o, &f->warehouse, 1);
}

bool order_finished(const struct order *o, offer_ours_fn *is_ours,
		    const void *arg)
{
	if (o->fetch_due)
		return false;
	for (size_t i = 0; i < o->n_offers; i++) {
		const struct offer *f = &o->offers[i];
		bool counts = !is_ours || is_ours(arg, f->warehouse) ||
			      was_touched(f);

		if (counts && !is_over(o, f))
			return false;
	}
	return true;
}
