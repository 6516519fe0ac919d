/* SPDX-License-Identifier: MIT
 *
 * ship_plan.c - decides the next step of a shipment; see ship.h.
 *
 * Centra's data decides, not our memory of our calls.  If what Centra shows may
 * have been done by us or by somebody else, nothing is done and the office is
 * asked.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "handlers/ship.h"

/* The facts about a shipment under way, by the order as it was fetched. */
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

static struct ship_stock stock_of(const struct view *v, int64_t line)
{
	const struct centra_line *l = line_of(v->co, line);

	return l ? ship_stock_of(l, v->f->warehouse) :
		   (struct ship_stock){.line = line};
}

static bool has_room(const struct view *v)
{
	for (size_t i = 0; i < v->s->ask.n_lines; i++)
		if (v->s->ask.lines[i].quantity >
		    ship_room(v->co, v->s->ask.lines[i].line))
			return false;
	return true;
}

/* True if each line that was asked for still has as many units for us to ship.
 * `gone`: or as many that were ours and are now allocated to nobody, since
 * those may be in a shipment. */
static bool is_allocated(const struct view *v, bool gone)
{
	for (size_t i = 0; i < v->s->ask.n_lines; i++) {
		const struct ship_line *want = &v->s->ask.lines[i];
		struct ship_stock have = stock_of(v, want->line);

		if (ship_left(v->f, &have) < want->quantity &&
		    !(gone && ship_vanished(v->f, &have) >= want->quantity))
			return false;
	}
	return v->s->ask.n_lines > 0;
}

/* True if some of a line may be another warehouse's: another one holds some of
 * it now, or has held some since the line was ours; or we never held all of
 * it. */
static bool is_shared(const struct view *v)
{
	for (size_t i = 0; i < v->s->ask.n_lines; i++) {
		int64_t line = v->s->ask.lines[i].line;
		const struct ship_held *h = ship_held_of(v->f, line);

		if (stock_of(v, line).others ||
		    (v->f->n_held &&
		     (!h || h->others || h->ours < h->quantity)))
			return true;
	}
	return false;
}

/* ---- which shipment is ours ---- */

static bool is_stockless(const struct view *v, int64_t line)
{
	const struct centra_line *l = line_of(v->co, line);

	return l && l->stockless;
}

/* Compares without lines that have no stock of their own: Centra may list those
 * in a shipment too. */
static bool same_lines(const struct view *v, const struct centra_shipment *c)
{
	const struct ship_ask *a = &v->s->ask;
	int64_t asked = 0, held = 0;

	for (size_t i = 0; i < a->n_lines; i++) {
		if (ship_units(c, a->lines[i].line) != a->lines[i].quantity)
			return false;
		asked += a->lines[i].quantity;
	}
	for (size_t i = 0; i < c->n_lines; i++)
		if (!is_stockless(v, c->lines[i].line))
			held += c->lines[i].quantity;
	return asked && asked == held;
}

/* True if the shipment may have been made by a createShipment of ours whose
 * reply was lost. */
static bool may_be_made_by_us(const struct view *v,
			      const struct centra_shipment *c)
{
	return v->s->unknown && v->s->step == STEP_CREATE &&
	       c->id > v->s->newest_seen;
}

/* True if units in shipments are counted among the allocations. */
static bool allocations_stay(const struct view *v)
{
	for (size_t i = 0; i < v->s->ask.n_lines; i++) {
		struct ship_stock l = stock_of(v, v->s->ask.lines[i].line);

		if (l.allocated <= ship_room(v->co, l.line))
			return false;
	}
	return true;
}

/* True if nothing of the lines was ever seen as ours: Centra, or somebody else,
 * may have put all of the order into a shipment before anybody looked. */
static bool was_never_seen(const struct view *v)
{
	for (size_t i = 0; i < v->s->ask.n_lines; i++)
		if (stock_of(v, v->s->ask.lines[i].line).ours)
			return false;
	return !v->f->n_held;
}

/* True if the shipment holds all of the order. */
static bool is_whole(const struct view *v, const struct centra_shipment *c)
{
	for (size_t i = 0; i < v->co->n_lines; i++) {
		const struct centra_line *l = &v->co->lines[i];

		if (!l->stockless && ship_units(c, l->id) != l->quantity)
			return false;
	}
	return true;
}

/* True if the shipment is ours, whoever made it: it has exactly what we would
 * ship, of lines that are ours alone.  If there is room for another shipment
 * beside it, the allocations must show that its pieces are ours too; and one
 * that was sent already is not the one that we are about to send. */
static bool is_ours(const struct view *v, const struct centra_shipment *c)
{
	if (is_shared(v) || (was_never_seen(v) && !is_whole(v, c)))
		return false;
	if (!has_room(v))
		return true;
	return !c->shipped && (may_be_made_by_us(v, c) || allocations_stay(v));
}

static struct centra_shipment *find(const struct view *v)
{
	struct centra_shipment *ret = NULL;

	for (size_t i = 0; i < v->co->n_shipments; i++) {
		struct centra_shipment *c = &v->co->shipments[i];

		if (v->s->came.id) {
			if (c->id == v->s->came.id)
				return c;
			continue;
		}
		if (ship_is_claimed(v->o, v->s, c->id) || !same_lines(v, c) ||
		    !is_ours(v, c))
			continue;
		/* Prefers the shipment that we made, then one that is not sent
		 * yet. */
		if (!ret || (!ret->shipped && may_be_made_by_us(v, c)) ||
		    (ret->shipped && !c->shipped))
			ret = c;
	}
	return ret;
}

/* Returns how many units of the line are in shipments that are not known to be
 * ours. */
static int64_t unclaimed(const struct view *v, int64_t line)
{
	int64_t n = 0;

	for (size_t i = 0; i < v->co->n_shipments; i++)
		if (!ship_is_claimed(v->o, v->s, v->co->shipments[i].id))
			n += ship_units(&v->co->shipments[i], line);
	return n;
}

/* True if the shipments hold more of a shared line than others can have of it:
 * so one of them is ours, and it is not this one. */
static bool holds_ours(const struct view *v, const struct centra_shipment *c)
{
	for (size_t i = 0; i < v->s->ask.n_lines; i++) {
		int64_t line = v->s->ask.lines[i].line;
		const struct ship_held *h = ship_held_of(v->f, line);

		if (h && ship_units(c, line) &&
		    unclaimed(v, line) > h->quantity - h->ours + h->others)
			return true;
	}
	return false;
}

/* Returns a shipment of lines that another warehouse shares, if it leaves no
 * room for ours, holds some of ours, or may have been made by a lost
 * createShipment of ours.  Nothing that Centra shows tells whose it is.  NULL:
 * there is none. */
static const struct centra_shipment *doubtful(const struct view *v)
{
	if (v->s->came.id || !is_shared(v))
		return NULL;
	for (size_t i = 0; i < v->co->n_shipments; i++) {
		const struct centra_shipment *c = &v->co->shipments[i];

		if (ship_is_claimed(v->o, v->s, c->id))
			continue;
		if (holds_ours(v, c) ||
		    (same_lines(v, c) &&
		     (may_be_made_by_us(v, c) || !has_room(v))))
			return c;
	}
	return NULL;
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
		stop(p, FAULT_IN_DOUBT, "%s", SHIP_DOUBTFUL);
	else
		return false;
	return true;
}

/* Sets the reason if no shipment can be made.  False: one can be made. */
static bool cannot_create(const struct view *v, struct ship_plan *p)
{
	const struct centra_shipment *in_the_way = NULL, *c = doubtful(v);

	for (size_t i = 0; i < v->co->n_shipments; i++)
		for (size_t k = 0; k < v->s->ask.n_lines; k++)
			if (ship_units(&v->co->shipments[i],
				       v->s->ask.lines[k].line))
				in_the_way = &v->co->shipments[i];
	if (c)
		stop(p, FAULT_REFUSED,
		     "Centra has shipment %s, which may be this shop's or "
		     "another warehouse's: ask the office",
		     c->number ? c->number : "?");
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
	if (stops(v, p))
		return;
	if (v->s->came.id) {
		p->what = PLAN_MISSED;
		return;
	}
	if (cannot_create(v, p))
		return;
	p->what = !strcmp(v->co->status, "PENDING") ? PLAN_CONFIRM
						    : PLAN_CREATE;
}

/* True if a capture whose reply was lost is under way, or is done and not for
 * another shipment. */
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
	/* Centra said that the payment is captured, and does not show it: we
	 * never capture again. */
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

/* True if the shipment was to be removed, and Centra was asked to or never had
 * it. */
static bool is_deleted(const struct shipment *s)
{
	return s->ask.goal == GOAL_DELETED &&
	       (!s->came.id || s->tries[STEP_DELETE]);
}

/* Returns how many units of the line the edit wants. */
static int64_t wanted(const struct shipment *s, int64_t line)
{
	for (size_t i = 0; i < s->n_edit; i++)
		if (s->edit[i].line == line)
			return s->edit[i].quantity;
	return 0;
}

/* True if the shipment has the units of the edit. */
static bool is_edited(const struct view *v, const struct centra_shipment *c)
{
	for (size_t i = 0; i < c->n_lines; i++)
		if (!is_stockless(v, c->lines[i].line) &&
		    ship_units(c, c->lines[i].line) !=
			    wanted(v->s, c->lines[i].line))
			return false;
	for (size_t i = 0; i < v->s->n_edit; i++)
		if (ship_units(c, v->s->edit[i].line) !=
		    v->s->edit[i].quantity)
			return false;
	return true;
}

/* Plans a short pick: Centra takes it only while nothing is paid (CONTRACT
 * 5.4). */
static void plan_edit(const struct view *v, struct ship_plan *p)
{
	if (is_edited(v, p->there)) {
		p->what = PLAN_EDITED;
	} else if (p->there->captured || p->there->paid ||
		   v->s->came.capture == CAPTURE_PENDING) {
		p->what = PLAN_NO_EDIT;
		snprintf(p->why.text, sizeof(p->why.text),
			 "shipment is %s and can not be updated",
			 p->there->captured ? "captured" : "paid");
	} else {
		p->what = PLAN_EDIT;
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
		if (is_deleted(v.s))
			ret->what = PLAN_DELETED;
		else
			plan_create(&v, ret);
		return;
	}
	if (ret->there->shipped) {
		ret->what = PLAN_SHIPPED;
		return;
	}
	if (v.s->ask.goal == GOAL_DELETED) {
		ret->what = PLAN_DELETE;
		return;
	}
	if (stops(&v, ret))
		return;
	if (!shipment_stands(v.s) && !is_allocated(&v, true))
		stop(ret, FAULT_NOT_OURS,
		     "shipment %s is not all of warehouse %" PRId64,
		     ret->there->number ? ret->there->number : "?",
		     warehouse);
	else if (v.s->n_edit)
		plan_edit(&v, ret);
	else if (v.s->ask.goal == GOAL_CREATED)
		ret->what = PLAN_READY;
	else if (ret->there->captured || ret->there->paid)
		ret->what = v.s->ask.goal == GOAL_CAPTURED ? PLAN_READY
							   : PLAN_COMPLETE;
	else
		plan_payment(&v, on_pending, ret);
	/* A shipment is set good-to-go just before its completion, so that no
	 * warehouse picks the parcel earlier. */
	if (ret->what == PLAN_COMPLETE && !ret->there->good_to_go)
		ret->what = PLAN_GOOD_TO_GO;
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
