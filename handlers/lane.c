/* SPDX-License-Identifier: MIT
 *
 * lane.c - see lane.h.
 */
#include "handlers/lane.h"

#include "handlers/offer.h"

bool fetch_shows_nothing(const struct order *o)
{
	for (size_t i = 0; i < o->n_offers; i++)
		if (offer_shown_nothing(&o->offers[i]))
			return true;
	return false;
}

bool fetch_is_waited_for(const struct order *o)
{
	for (size_t i = 0; i < o->n_offers; i++)
		if (o->offers[i].list != LIST_DONE)
			return true;
	return o->fetch_due;
}

/* True if a shop may wait for the next look: what Centra says contradicts
 * itself, or the shop has not been shown yet what it is to answer, or where it
 * is to send the order. */
static bool lacks_a_look(const struct order *o, const struct offer *f)
{
	return f->state == STATE_ACCEPTING ||
	       (f->list == LIST_OPEN && !o->has_details) ||
	       (f->list == LIST_MINE && !o->has_address);
}

bool fetch_is_live(const struct order *o)
{
	if (!fetch_is_waited_for(o))
		return false;
	for (size_t i = 0; i < o->n_offers; i++)
		if (lacks_a_look(o, &o->offers[i]))
			return true;
	return !fetch_shows_nothing(o);
}

/* True if a shop has acted and cannot go on before the next look, which has to
 * show whether its accept arrived, or where its parcel goes. */
static bool keeps_a_shop(const struct order *o)
{
	if (fetch_shows_nothing(o))
		return false;
	for (size_t i = 0; i < o->n_offers; i++)
		if (o->offers[i].state == STATE_ACCEPTING ||
		    (o->offers[i].list == LIST_MINE && !o->has_address))
			return true;
	return false;
}

enum lane fetch_lane(const struct order *o)
{
	if (!fetch_is_live(o))
		return LANE_REST;
	return keeps_a_shop(o) ? LANE_ANSWERS : LANE_WAITED;
}
