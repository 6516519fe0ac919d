/* SPDX-License-Identifier: MIT
 *
 * shipping.c - applies the changes that are about an offer's shipments.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "store/model/apply.h"

static struct shipment *shipment_held(const struct order *o, int64_t warehouse)
{
	struct offer *f = order_offer(o, warehouse);

	return f ? offer_shipment(f) : NULL;
}

/* Returns a copy of at most SHIP_LINES_MAX lines; NULL if there are none. */
static struct ship_line *lines_bounded(const struct ship_line *list, size_t n,
				       size_t *ret_n)
{
	*ret_n = n < SHIP_LINES_MAX ? n : SHIP_LINES_MAX;
	return *ret_n ? xmemdup(list, *ret_n * sizeof(*list)) : NULL;
}

static struct ship_ask ask_bounded(const struct ship_ask *in)
{
	struct ship_ask ret = *in;

	ret.carrier = text_bounded(in->carrier, ORDER_TEXT_MAX);
	ret.service = text_bounded(in->service, ORDER_TEXT_MAX);
	ret.tracking = text_bounded(in->tracking, ORDER_TEXT_MAX);
	ret.by = text_bounded(in->by, ORDER_TEXT_MAX);
	ret.lines = lines_bounded(in->lines, in->n_lines, &ret.n_lines);
	return ret;
}

/* Adds the key of a request to the shipment's keys.  If they are too many, the
 * oldest is dropped. */
static void key_join(struct shipment *s, const struct ship_ask *in)
{
	if (!in->keyed || shipment_has_key(s, &in->key))
		return;
	if (s->n_keys == SHIP_KEYS_MAX)
		memmove(s->keys, s->keys + 1,
			--s->n_keys * sizeof(*s->keys));
	s->keys = xrealloc(s->keys, s->n_keys + 1, sizeof(*s->keys));
	s->keys[s->n_keys++] = in->key;
}

/* Asks for a failed shipment again; what Centra has of it is kept. */
static void ask_again(struct shipment *s, const struct ship_ask *in)
{
	struct ship_ask ask = ask_bounded(in);

	if (shipment_stands(s)) {
		free(ask.lines);
		ask.all = s->ask.all;
		ask.lines = s->ask.lines;
		ask.n_lines = s->ask.n_lines;
		s->ask.lines = NULL;
	}
	ship_ask_release(&s->ask);
	s->ask = ask;
	free(s->came.error);
	s->came.error = NULL;
	s->came.stage = s->came.id ? SHIP_CREATED : SHIP_ASKED;
	s->came.fault = FAULT_NONE;
	s->came.missing = false;
	if (s->came.capture == CAPTURE_FAILED)
		s->came.capture = CAPTURE_NONE;
}

void apply_ship_asked(struct order *o, const struct change *c)
{
	struct offer *f = order_offer(o, c->warehouse);
	struct shipment *s = f ? offer_shipment(f) : NULL;
	const struct ship_ask *in = &c->ask;

	if (!f || (s && shipment_under_way(s)))
		return;
	if (s && s->came.stage != SHIP_SHIPPED) {
		ask_again(s, in);
		key_join(s, in);
		return;
	}
	if (f->n_shipments >= SHIPMENTS_MAX)
		return;
	f->shipments = xrealloc(f->shipments, f->n_shipments + 1,
				sizeof(*f->shipments));
	f->shipments[f->n_shipments++] = (struct shipment){
		.ask = ask_bounded(in),
	};
	key_join(offer_shipment(f), in);
}

/* Takes over the parcel. */
static void take_parcel(struct ship_ask *a, const struct ship_ask *in)
{
	free(a->carrier);
	free(a->service);
	free(a->tracking);
	a->carrier = text_bounded(in->carrier, ORDER_TEXT_MAX);
	a->service = text_bounded(in->service, ORDER_TEXT_MAX);
	a->tracking = text_bounded(in->tracking, ORDER_TEXT_MAX);
	a->packages = in->packages;
	a->all = in->all;
}

/* Brings a shipment that failed back under way. */
static void revive(struct shipment *s)
{
	free(s->came.error);
	s->came.error = NULL;
	s->came.fault = FAULT_NONE;
	s->came.missing = false;
	if (s->came.capture == CAPTURE_FAILED)
		s->came.capture = CAPTURE_NONE;
	if (!shipment_under_way(s))
		s->came.stage = !s->came.id ? SHIP_ASKED
			: s->came.capture == CAPTURE_DONE ? SHIP_CAPTURED
							  : SHIP_CREATED;
}

void apply_ship_goal(struct order *o, const struct change *c)
{
	struct shipment *s = shipment_held(o, c->warehouse);
	const struct ship_ask *in = &c->goal;

	if (!s || s->came.stage == SHIP_SHIPPED)
		return;
	s->ask.goal = in->goal;
	s->ask.at = in->at;
	s->ask.device = in->device;
	free(s->ask.by);
	s->ask.by = text_bounded(in->by, ORDER_TEXT_MAX);
	if (in->goal == GOAL_SHIPPED)
		take_parcel(&s->ask, in);
	key_join(s, in);
	revive(s);
}

void apply_ship_edit(struct order *o, const struct change *c)
{
	struct shipment *s = shipment_held(o, c->warehouse);

	if (!s || s->came.stage == SHIP_SHIPPED)
		return;
	free(s->edit);
	s->edit = lines_bounded(c->edit.list, c->edit.n, &s->n_edit);
	if (!s->n_edit)
		return;
	/* What failed is not asked for again by the edit. */
	if (!shipment_under_way(s))
		s->ask.goal = GOAL_CREATED;
	revive(s);
}

void apply_ship_edited(struct order *o, const struct change *c)
{
	struct shipment *s = shipment_held(o, c->warehouse);

	if (!s || !s->n_edit)
		return;
	free(s->ask.lines);
	s->ask.lines = s->edit;
	s->ask.n_lines = s->n_edit;
	s->ask.all = false;
	s->edit = NULL;
	s->n_edit = 0;
}

/* Returns a copy of a JSON text; NULL if it is too long to be kept. */
static char *shown_bounded(const char *text)
{
	return text && strlen(text) <= SHIP_SHOWN_MAX ? xstrdup(text) : NULL;
}

void apply_ship_shown(struct order *o, const struct change *c)
{
	struct shipment *s = shipment_held(o, c->warehouse);

	if (!s)
		return;
	free(s->shown);
	free(s->person);
	s->shown = shown_bounded(c->shown.shown);
	s->person = s->came.stage == SHIP_SHIPPED ?
			    NULL : shown_bounded(c->shown.person);
}

void apply_ship_lines(struct order *o, const struct change *c)
{
	struct shipment *s = shipment_held(o, c->warehouse);

	if (!s || shipment_stands(s))
		return;
	free(s->ask.lines);
	s->ask.lines = lines_bounded(c->lines.list, c->lines.n,
				     &s->ask.n_lines);
}

static void create_begun(struct shipment *s, const struct change_ship_begun *in)
{
	s->newest_seen = in->newest_seen;
	free(s->before);
	s->before = lines_bounded(in->before.list, in->before.n, &s->n_before);
}

void apply_ship_begun(struct order *o, const struct change *c)
{
	struct shipment *s = shipment_held(o, c->warehouse);
	const struct change_ship_begun *in = &c->ship_begun;

	if (!s || (unsigned)in->step >= SHIP_STEPS)
		return;
	if (in->step == STEP_CREATE)
		create_begun(s, in);
	s->unknown = s->trying;
	s->trying = true;
	s->step = in->step;
	s->try_at = in->at ? in->at : 1;
	s->tries[in->step]++;
}

void apply_ship_ended(struct order *o, const struct change *c)
{
	struct shipment *s = shipment_held(o, c->warehouse);

	if (!s)
		return;
	s->trying = false;
	s->unknown = c->ship_ended == TRY_UNKNOWN;
}

static void forget_person(struct shipment *s)
{
	free(s->person);
	s->person = NULL;
}

/* Keeps the number of a shipment that the shop's system gave back, and nothing
 * else of what Centra had. */
static void give_back(struct shipment *s, const char *number)
{
	if (*number)
		memcpy(s->deleted, number, sizeof(s->deleted));
	forget_person(s);
	free(s->shown);
	s->shown = NULL;
	free(s->edit);
	s->edit = NULL;
	s->n_edit = 0;
}

void apply_ship_came(struct order *o, const struct change *c)
{
	struct shipment *s = shipment_held(o, c->warehouse);
	const struct ship_came *in = &c->came;
	struct offer *f = order_offer(o, c->warehouse);
	char number[SHIP_NUMBER_SIZE], *error;

	if (!s)
		return;
	memcpy(number, s->came.number, sizeof(number));
	error = text_bounded(in->error, ORDER_TEXT_MAX);
	free(s->came.error);
	s->came = *in;
	s->came.error = error;
	if (in->stage == SHIP_SHIPPED)
		forget_person(s);
	if (in->fault == FAULT_GIVEN_BACK)
		give_back(s, number);
	/* A request may have been confirmed after the look that saw no rest. */
	if (in->stage == SHIP_SHIPPED && !in->rest)
		f->shipped = alloc_requests_sent(f, false);
}

void apply_ship_held(struct order *o, const struct change *c)
{
	struct offer *f = order_offer(o, c->warehouse);
	size_t n = c->held.n < SHIP_LINES_MAX ? c->held.n : SHIP_LINES_MAX;

	if (!f)
		return;
	free(f->held);
	f->held = n ? xmemdup(c->held.list, n * sizeof(*f->held)) : NULL;
	f->n_held = n;
}

void apply_ship_closed(struct order *o, const struct change *c)
{
	struct offer *f = order_offer(o, c->warehouse);
	struct shipment *s = f ? offer_shipment(f) : NULL;

	if (!f)
		return;
	if (s && s->came.stage != SHIP_SHIPPED && !shipment_stands(s)) {
		shipment_release(s);
		f->n_shipments--;
	}
	for (size_t i = 0; i < f->n_shipments; i++)
		f->shipped |= f->shipments[i].came.stage == SHIP_SHIPPED;
	if (f->shipped)
		(void)alloc_requests_sent(f, true);
}
