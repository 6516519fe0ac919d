/* SPDX-License-Identifier: MIT
 *
 * order.c - see order.h.
 */
#include "store/model/order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/model/apply.h"

const char *missed_name(enum missed m)
{
	static const char *const names[MISSED_KINDS] = {
		[MISSED_CREATE] = "create",
		[MISSED_ACCEPTED] = "accepted",
		[MISSED_REJECTED] = "rejected",
		[MISSED_TIMEOUT] = "timeout",
		[MISSED_CANCEL] = "cancel",
	};

	return (unsigned)m < MISSED_KINDS ? names[m] : "unknown";
}

void order_init(struct order *o, const char *instance, int64_t number)
{
	*o = (struct order){.number = number};
	memcpy(o->instance, instance,
	       strnlen(instance, sizeof(o->instance) - 1));
}

void order_release(struct order *o)
{
	for (size_t i = 0; i < o->n_offers; i++)
		offer_release(&o->offers[i]);
	free(o->offers);
	o->offers = NULL;
	o->n_offers = 0;
}

void order_copy(struct order *ret, const struct order *o)
{
	*ret = *o;
	ret->offers = NULL;
	if (!o->n_offers)
		return;
	ret->offers = xmemdup(o->offers, o->n_offers * sizeof(*o->offers));
	for (size_t i = 0; i < o->n_offers; i++)
		offer_own(&ret->offers[i]);
}

/* ---- finding offers ---- */

/* Returns the index of the warehouse's offer, or where it would have to be
 * inserted. */
static size_t offer_place(const struct order *o, int64_t warehouse)
{
	size_t lo = 0, hi = o->n_offers, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (o->offers[mid].warehouse < warehouse)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct offer *order_offer(const struct order *o, int64_t warehouse)
{
	size_t i = offer_place(o, warehouse);

	if (i < o->n_offers && o->offers[i].warehouse == warehouse)
		return &o->offers[i];
	return NULL;
}

struct offer *order_offer_made(struct order *o, int64_t warehouse)
{
	size_t i = offer_place(o, warehouse);

	if (!warehouse)
		return NULL;
	if (i < o->n_offers && o->offers[i].warehouse == warehouse)
		return &o->offers[i];
	if (o->n_offers >= OFFERS_MAX)
		return NULL;
	o->offers = xrealloc(o->offers, o->n_offers + 1, sizeof(*o->offers));
	memmove(&o->offers[i + 1], &o->offers[i],
		(o->n_offers - i) * sizeof(*o->offers));
	o->n_offers++;
	o->offers[i] = (struct offer){
		.warehouse = warehouse,
		.expires = TIME_NONE,
	};
	return &o->offers[i];
}

/* ---- what is said of the order itself ---- */

void apply_heard(struct order *o, const struct change *c)
{
	(void)c;
	o->version++;
	for (size_t i = 0; i < o->n_offers; i++) {
		struct offer *f = &o->offers[i];

		if (f->accepted_unheard)
			f->accepted_version = o->version;
		f->accepted_unheard = false;
	}
}

void apply_cancelled(struct order *o, const struct change *c)
{
	(void)c;
	o->cancelled = true;
}

void apply_told(struct order *o, const struct change *c)
{
	if (c->told_at > o->told_at)
		o->told_at = c->told_at;
}

void apply_missed(struct order *o, const struct change *c)
{
	struct offer *f = order_offer(o, c->warehouse);

	if ((unsigned)c->missed >= MISSED_KINDS)
		return;
	if (!c->warehouse)
		o->missed |= 1u << c->missed;
	else if (f)
		f->missed |= 1u << c->missed;
}

/* ms.  A fetch that another one has overtaken is older by this at most.  One
 * that seems older still was dated by a clock that was ahead. */
#define OVERTAKEN ((int64_t)10 * 60 * 1000)

void apply_fetched(struct order *o, const struct change *c)
{
	const struct change_fetched *in = &c->fetched;

	if (!strcmp(in->status, "CANCELLED"))
		o->cancelled = true;
	if (in->at != o->fetched_at &&
	    clock_within(in->at, o->fetched_at, OVERTAKEN))
		return;
	o->fetched_at = in->at;
	o->on_hold = in->on_hold;
	if (!in->waits)
		o->missed &= ~(1u << MISSED_CREATE);
	memcpy(o->status, in->status, sizeof(o->status));
	memcpy(o->hold_reason, in->hold_reason, sizeof(o->hold_reason));
	text_trim(o->status);
	text_trim(o->hold_reason);
}

static void offer_forget_people(struct offer *f)
{
	for (size_t i = 0; i < f->n_shipments; i++) {
		free(f->shipments[i].person);
		f->shipments[i].person = NULL;
	}
}

void order_remember(struct order *o)
{
	for (size_t i = 0; i < o->n_offers; i++) {
		struct offer *f = &o->offers[i];

		if (f->state != STATE_ACCEPTED) {
			offer_forget_people(f);
			continue;
		}
		f->was_accepted = true;
		f->stopped = false;
	}
}

/* Applies a change that is no fact of the order, such as a journal entry: it is
 * stored elsewhere. */
void apply_nothing(struct order *o, const struct change *c)
{
	(void)o;
	(void)c;
}
