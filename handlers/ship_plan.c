/* SPDX-License-Identifier: MIT
 *
 * ship_plan.c - what is next on the way to shipped: see ship.h.
 *
 * What Centra shows decides, not what we remember of our calls.  Where it shows
 * something that cannot be told from our own doing or from another's, nothing
 * is done and a person is asked.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "handlers/ship.h"

/* Of a shipment under way, by the order as it was fetched. */
struct view {
	const struct order *o;
	const struct offer *f;
	const struct shipment *s;
	const struct centra_order *co;
};

/* ---- lines ---- */

static const struct centra_line *line_of(const struct centra_order *co,
					 int64_t id)
{
	for (size_t i = 0; i < co->n_lines; i++)
		if (co->lines[i].id == id)
			return &co->lines[i];
	return NULL;
}

static struct ship_stock stock_of(const struct centra_line *l,
				  int64_t warehouse)
{
	struct ship_stock ret = {.line = l->id, .quantity = l->quantity};

	for (size_t i = 0; i < l->n_allocations; i++) {
		const struct centra_allocation *a = &l->allocations[i];

		ret.allocated += a->quantity;
		if (a->warehouse == warehouse && !a->waiting)
			ret.ours += a->quantity;
	}
	return ret;
}

size_t ship_all_left(const struct offer *f, const struct centra_order *co,
		     struct ship_line **ret)
{
	size_t n = 0;

	*ret = xcalloc(co->n_lines + 1, sizeof(**ret));
	for (size_t i = 0; i < co->n_lines; i++) {
		struct ship_stock l = stock_of(&co->lines[i], f->warehouse);
		int64_t left = ship_left(f, &l);

		if (left)
			(*ret)[n++] = (struct ship_line){l.line, left};
	}
	return n;
}

static int64_t in_shipment(const struct centra_shipment *c, int64_t line)
{
	int64_t n = 0;

	for (size_t i = 0; i < c->n_lines; i++)
		if (c->lines[i].line == line)
			n += c->lines[i].quantity;
	return n;
}

/* Units of the line that no shipment holds. */
static int64_t room_for(const struct centra_order *co, int64_t line)
{
	const struct centra_line *l = line_of(co, line);
	int64_t n = l ? l->quantity : 0;

	for (size_t i = 0; i < co->n_shipments; i++)
		n -= in_shipment(&co->shipments[i], line);
	return n;
}

static bool has_room(const struct view *v)
{
	for (size_t i = 0; i < v->s->ask.n_lines; i++)
		if (v->s->ask.lines[i].quantity >
		    room_for(v->co, v->s->ask.lines[i].line))
			return false;
	return true;
}

/* All of it is firmly allocated to our warehouse, and not shipped; or, when
 * `gone`, nothing of it is allocated to anybody (as it may be once it is in a
 * shipment). */
static bool is_allocated(const struct view *v, bool gone)
{
	for (size_t i = 0; i < v->s->ask.n_lines; i++) {
		const struct ship_line *want = &v->s->ask.lines[i];
		const struct centra_line *l = line_of(v->co, want->line);
		struct ship_stock have;

		if (!l)
			return false;
		have = stock_of(l, v->f->warehouse);
		if (ship_left(v->f, &have) < want->quantity &&
		    !(gone && !have.allocated))
			return false;
	}
	return v->s->ask.n_lines > 0;
}

/* Some of it is shared with another warehouse. */
static bool is_split(const struct view *v)
{
	for (size_t i = 0; i < v->s->ask.n_lines; i++) {
		const struct centra_line *l =
			line_of(v->co, v->s->ask.lines[i].line);
		struct ship_stock have = {0};

		if (l)
			have = stock_of(l, v->f->warehouse);
		if (have.allocated > have.ours)
			return true;
	}
	return false;
}

/* ---- which shipment is ours ---- */

/* It is known to be another shipment than this one. */
static bool is_claimed(const struct view *v, int64_t id)
{
	for (size_t i = 0; i < v->o->n_offers; i++) {
		const struct offer *f = &v->o->offers[i];

		for (size_t k = 0; k < f->n_shipments; k++)
			if (&f->shipments[k] != v->s &&
			    f->shipments[k].came.id == id)
				return true;
	}
	return false;
}

static bool same_lines(const struct ship_ask *a,
		       const struct centra_shipment *c)
{
	int64_t asked = 0, held = 0;

	for (size_t i = 0; i < a->n_lines; i++) {
		if (in_shipment(c, a->lines[i].line) != a->lines[i].quantity)
			return false;
		asked += a->lines[i].quantity;
	}
	for (size_t i = 0; i < c->n_lines; i++)
		held += c->lines[i].quantity;
	return asked && asked == held;
}

static bool may_be_ours(const struct view *v, const struct centra_shipment *c)
{
	if (is_claimed(v, c->id) || !same_lines(&v->s->ask, c))
		return false;
	if (!has_room(v))
		return true;
	/* There is room for ours beside it: it may be somebody else's. */
	return !c->shipped && (v->s->tries[STEP_CREATE] || !is_split(v));
}

static struct centra_shipment *find(const struct view *v)
{
	struct centra_shipment *ret = NULL;

	for (size_t i = 0; i < v->co->n_shipments; i++) {
		struct centra_shipment *c = &v->co->shipments[i];

		if (v->s->came.id) {
			if (c->id == v->s->came.id)
				return c;
		} else if (may_be_ours(v, c) && (!ret || ret->shipped)) {
			ret = c;
		}
	}
	return ret;
}

/* ---- stopping ---- */

static void stop(struct ship_plan *p, enum ship_fault fault, const char *fmt,
		 ...) __attribute__((format(printf, 3, 4)));

static void stop(struct ship_plan *p, enum ship_fault fault, const char *fmt,
		 ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->why.text, sizeof(p->why.text), fmt, ap);
	va_end(ap);
	p->what = PLAN_STOP;
	p->fault = fault;
}

static bool stops(const struct view *v, struct ship_plan *p)
{
	const char *reason = v->co->hold_reason;

	if (v->o->cancelled || v->f->state == STATE_CANCELLED)
		stop(p, FAULT_CANCELLED, "the order is cancelled");
	else if (v->co->on_hold)
		stop(p, FAULT_ON_HOLD, "Centra holds the order%s%s",
		     reason ? ": " : "", reason ? reason : "");
	else if (v->f->state != STATE_ACCEPTED)
		stop(p, FAULT_NOT_OURS, "the order is no longer this shop's: "
					"%s",
		     offer_state_name(v->f->state));
	else if (v->f->doubt)
		stop(p, FAULT_IN_DOUBT,
		     "Centra does not show that the order is this shop's, as "
		     "it said: ask the office");
	else
		return false;
	return true;
}

/* Why none can be made, when none is there. */
static bool cannot_create(const struct view *v, struct ship_plan *p)
{
	const struct centra_shipment *in_the_way = NULL;

	for (size_t i = 0; i < v->co->n_shipments; i++)
		for (size_t k = 0; k < v->s->ask.n_lines; k++)
			if (in_shipment(&v->co->shipments[i],
					v->s->ask.lines[k].line))
				in_the_way = &v->co->shipments[i];
	if (v->s->came.id)
		stop(p, FAULT_REFUSED,
		     "shipment %s is no longer there in Centra",
		     v->s->came.number);
	else if (in_the_way && !has_room(v))
		stop(p, FAULT_REFUSED,
		     in_the_way->shipped
			     ? "Centra says that it is shipped in shipment %s"
			     : "Centra has it in shipment %s, with other lines "
			       "or quantities",
		     in_the_way->number ? in_the_way->number : "?");
	else if (!is_allocated(v, false))
		stop(p, FAULT_NOT_OURS,
		     "not all of it is allocated to warehouse %" PRId64,
		     v->f->warehouse);
	else
		return false;
	return true;
}

/* ---- the plan ---- */

static void plan_create(const struct view *v, struct ship_plan *p)
{
	if (stops(v, p) || cannot_create(v, p))
		return;
	p->what = !strcmp(v->co->status, "PENDING") ? PLAN_CONFIRM
						    : PLAN_CREATE;
}

/* A capture that we lost sight of is under way; or is done, and not of another
 * shipment. */
static bool pending_unseen(const struct view *v)
{
	if (!v->s->unknown || v->s->step != STEP_CAPTURE)
		return false;
	for (size_t i = 0; i < v->co->n_shipments; i++)
		if (v->co->shipments[i].captured)
			return v->co->payment == PAYMENT_PENDING;
	return v->co->payment == PAYMENT_PENDING ||
	       v->co->payment == PAYMENT_DONE;
}

static void plan_payment(const struct view *v, bool on_pending,
			 struct ship_plan *p)
{
	/* Told that it is captured, and shown that it is not: never again. */
	if (v->s->came.capture == CAPTURE_NONE && !pending_unseen(v)) {
		p->what = PLAN_CAPTURE;
	} else if (v->co->payment == PAYMENT_FAILED) {
		p->what = PLAN_UNPAID;
		snprintf(p->why.text, sizeof(p->why.text),
			 "the payment was refused");
	} else {
		p->what = on_pending ? PLAN_COMPLETE : PLAN_WAIT;
	}
}

void ship_plan(const struct order *o, int64_t warehouse,
	       const struct centra_order *co, bool on_pending,
	       struct ship_plan *ret)
{
	struct view v = {.o = o, .f = order_offer(o, warehouse), .co = co};

	*ret = (struct ship_plan){.what = PLAN_STOP};
	v.s = offer_shipment(v.f);
	ret->there = find(&v);
	if (!ret->there) {
		plan_create(&v, ret);
		return;
	}
	if (ret->there->shipped) {
		ret->what = PLAN_SHIPPED;
		return;
	}
	if (stops(&v, ret))
		return;
	if (!shipment_stands(v.s) && !is_allocated(&v, true))
		stop(ret, FAULT_NOT_OURS,
		     "shipment %s is not all of warehouse %" PRId64,
		     ret->there->number ? ret->there->number : "?",
		     warehouse);
	else if (!ret->there->good_to_go)
		stop(ret, FAULT_REFUSED,
		     "shipment %s is not good to go in Centra",
		     ret->there->number ? ret->there->number : "?");
	else if (ret->there->captured || ret->there->paid)
		ret->what = PLAN_COMPLETE;
	else
		plan_payment(&v, on_pending, ret);
}

#define POLL_FIRST 10000
#define POLL_MOST  900000

int64_t ship_poll(int64_t since, int64_t now)
{
	int64_t ret = (now - since) / 2;

	if (ret < POLL_FIRST)
		return POLL_FIRST;
	return ret > POLL_MOST ? POLL_MOST : ret;
}
