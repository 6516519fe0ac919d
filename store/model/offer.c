/* SPDX-License-Identifier: MIT
 *
 * offer.c - applies the changes that are about an offer.
 */
#include "store/model/offer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/model/apply.h"

const char *offer_state_name(enum offer_state s)
{
	static const char *const names[STATES] = {
		[STATE_PENDING] = "pending",
		[STATE_ACCEPTING] = "accepting",
		[STATE_REJECTING] = "rejecting",
		[STATE_REFUSED] = "refused",
		[STATE_ACCEPTED] = "accepted",
		[STATE_REJECTED] = "rejected",
		[STATE_TAKEN] = "taken",
		[STATE_TIMED_OUT] = "timed_out",
		[STATE_CANCELLED] = "cancelled",
	};

	return (unsigned)s < STATES ? names[s] : "unknown";
}

struct shipment *offer_shipment(const struct offer *f)
{
	return f->n_shipments ? &f->shipments[f->n_shipments - 1] : NULL;
}

/* ---- memory ---- */

static void shipments_copy(struct offer *f, const struct shipment *from)
{
	f->shipments = NULL;
	if (!f->n_shipments)
		return;
	f->shipments = xcalloc(f->n_shipments, sizeof(*f->shipments));
	for (size_t i = 0; i < f->n_shipments; i++)
		f->shipments[i] = shipment_copy(&from[i]);
}

void offer_own(struct offer *f)
{
	if (f->openings)
		f->openings = xmemdup(f->openings,
				      f->n_openings * sizeof(*f->openings));
	answer_own(&f->answer);
	problem_own(&f->problem);
	shipments_copy(f, f->shipments);
	if (f->held)
		f->held = xmemdup(f->held, f->n_held * sizeof(*f->held));
	if (!f->requests)
		return;
	f->requests = xmemdup(f->requests,
			      f->n_requests * sizeof(*f->requests));
	for (size_t i = 0; i < f->n_requests; i++)
		alloc_request_own(&f->requests[i]);
}

void offer_release(struct offer *f)
{
	free(f->openings);
	answer_release(&f->answer);
	problem_release(&f->problem);
	for (size_t i = 0; i < f->n_shipments; i++)
		shipment_release(&f->shipments[i]);
	free(f->shipments);
	free(f->held);
	for (size_t i = 0; i < f->n_requests; i++)
		alloc_request_release(&f->requests[i]);
	free(f->requests);
}

/* ---- openings ---- */

/* True if opening a counts before b: its date is less, or equal with a lesser
 * offset. */
static bool opening_less(const struct opening *a, const struct opening *b)
{
	int d = strcmp(a->date, b->date);

	return d < 0 || (d == 0 && a->offset_min < b->offset_min);
}

static int opening_order(const struct opening *a, const struct opening *b)
{
	int d = strcmp(a->date, b->date);

	if (d)
		return d;
	if (a->expires != b->expires)
		return a->expires > b->expires ? 1 : -1;
	return (a->kind > b->kind) - (a->kind < b->kind);
}

static void opening_remove(struct offer *f, size_t i)
{
	memmove(&f->openings[i], &f->openings[i + 1],
		(f->n_openings - i - 1) * sizeof(*f->openings));
	f->n_openings--;
}

/* True if a expires later than b.  No deadline is later than any deadline. */
static bool expires_later(int64_t a, int64_t b)
{
	return a != b && b != TIME_NONE && (a == TIME_NONE || a > b);
}

/* Returns the index of the opening that expires first. */
static size_t opening_earliest(const struct offer *f)
{
	size_t ret = 0;

	for (size_t i = 1; i < f->n_openings; i++)
		if (expires_later(f->openings[ret].expires,
				  f->openings[i].expires))
			ret = i;
	return ret;
}

static void opening_join(struct offer *f, const struct opening *in)
{
	size_t i;

	for (i = 0; i < f->n_openings; i++) {
		if (f->openings[i].expires != in->expires ||
		    f->openings[i].kind != in->kind)
			continue;
		if (!opening_less(in, &f->openings[i]))
			return;
		opening_remove(f, i);
		break;
	}
	if (f->n_openings >= OPENINGS_MAX) {
		i = opening_earliest(f);
		if (!expires_later(in->expires, f->openings[i].expires))
			return;
		opening_remove(f, i);
	}
	for (i = f->n_openings; i; i--)
		if (opening_order(&f->openings[i - 1], in) < 0)
			break;
	f->openings = xrealloc(f->openings, f->n_openings + 1,
			       sizeof(*f->openings));
	memmove(&f->openings[i + 1], &f->openings[i],
		(f->n_openings - i) * sizeof(*f->openings));
	f->openings[i] = *in;
	f->n_openings++;
}

static const struct opening *opening_until(const struct offer *f,
					   enum offer_kind kind,
					   int64_t expires)
{
	for (size_t i = 0; i < f->n_openings; i++)
		if (f->openings[i].expires == expires &&
		    f->openings[i].kind == kind)
			return &f->openings[i];
	return NULL;
}

/* Updates the opening that recovery made, if it now makes one with a newer
 * date. */
static void opening_renew(struct offer *f, const struct opening *in)
{
	const struct opening *old = opening_until(f, in->kind,
						  in->expires);

	if (old && strcmp(old->date, in->date) >= 0)
		return;
	if (old)
		opening_remove(f, (size_t)(old - f->openings));
	opening_join(f, in);
}

void apply_opening(struct order *o, const struct change *c)
{
	struct offer *f = order_offer_made(o, c->warehouse);

	if (!f)
		return;
	if (!opening_until(f, c->opening.kind, c->opening.expires)) {
		if (c->opening.kind == KIND_CHECK_FIRST)
			o->missed &= ~(1u << MISSED_CREATE);
		else
			f->missed &= ~(1u << MISSED_CREATE);
	}
	opening_join(f, &c->opening);
}

void apply_recovered(struct order *o, const struct change *c)
{
	struct offer *f = order_offer_made(o, c->warehouse);

	if (f)
		opening_renew(f, &c->recovered);
}

/* ---- marks and looks ---- */

static void mark_join(struct offer *f, enum mark mark, const char *date)
{
	if ((unsigned)mark < MARKS && strcmp(date, f->marks[mark]) > 0)
		snprintf(f->marks[mark], sizeof(f->marks[mark]), "%s", date);
}

void apply_mark(struct order *o, const struct change *c)
{
	struct offer *f = order_offer_made(o, c->warehouse);
	char was[STAMP_SIZE];

	if (!f)
		return;
	memcpy(was, f->marks[MARK_ACCEPTED], sizeof(was));
	mark_join(f, c->mark.what, c->mark.date);
	if (!strcmp(was, f->marks[MARK_ACCEPTED]))
		return;
	f->accepted_version = o->version;
	f->accepted_unheard = true;
}

void apply_finding(struct order *o, const struct change *c)
{
	struct offer *f = c->finding.what == FOUND_NOTHING
				  ? order_offer(o, c->warehouse)
				  : order_offer_made(o, c->warehouse);

	if (f)
		f->finding = c->finding;
}

void apply_sighting(struct order *o, const struct change *c)
{
	struct offer *f = order_offer(o, c->warehouse);

	if (f)
		f->sighting = c->sighting;
}

void apply_stopped(struct order *o, const struct change *c)
{
	struct offer *f = order_offer(o, c->warehouse);

	if (f)
		f->stopped = true;
}
