/* SPDX-License-Identifier: MIT
 *
 * ship_count.c - how many pieces are this shop's to ship: see ship.h.
 *
 * Centra does not say whether units that are in a shipment stay among the
 * allocations of their line, or leave them.  Both readings agree on one thing:
 * before our first shipment, what is allocated to us is ours.  So that is kept
 * (struct ship_held), and is the most that is ever shipped.  What our own
 * createShipment changed shows which reading is right (came.reading); until
 * then only what both readings allow is shipped.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "handlers/requests.h"
#include "handlers/run.h"
#include "handlers/ship.h"
#include "handlers/ship_system.h"

/* ---- one line ---- */

struct ship_stock ship_stock_of(const struct centra_line *l, int64_t warehouse)
{
	struct ship_stock ret = {
		.line = l->id,
		.quantity = l->quantity,
		.stockless = l->stockless,
	};

	for (size_t i = 0; i < l->n_allocations; i++) {
		const struct centra_allocation *a = &l->allocations[i];

		ret.allocated += a->quantity;
		if (a->warehouse != warehouse)
			ret.others += a->quantity;
		else if (!a->waiting)
			ret.ours += a->quantity;
	}
	return ret;
}

const struct ship_held *ship_held_of(const struct offer *f, int64_t line)
{
	for (size_t i = 0; i < f->n_held; i++)
		if (f->held[i].line == line)
			return &f->held[i];
	return NULL;
}

/* Returns how many units are in shipments of ours that were sent. */
static int64_t took(const struct offer *f, int64_t line)
{
	int64_t n = 0;

	for (size_t i = 0; i < f->n_shipments; i++) {
		const struct shipment *s = &f->shipments[i];

		if (s->came.stage != SHIP_SHIPPED)
			continue;
		for (size_t k = 0; k < s->ask.n_lines; k++)
			if (s->ask.lines[k].line == line)
				n += s->ask.lines[k].quantity;
	}
	return n;
}

/* Returns the most units that can be left, by what looks showed before our
 * first shipment. */
static int64_t most_left(const struct offer *f, const struct ship_stock *l)
{
	const struct ship_held *h = ship_held_of(f, l->line);
	int64_t gone = took(f, l->line), most = l->quantity - gone;

	if (f->n_held && (h ? h->ours : 0) - gone < most)
		most = (h ? h->ours : 0) - gone;
	return l->stockless || most < 0 ? 0 : most;
}

/* Returns the reading that our shipments showed; READING_UNKNOWN if they
 * contradict each other. */
static enum ship_reading reading_of(const struct offer *f)
{
	enum ship_reading ret = READING_UNKNOWN, one;

	for (size_t i = 0; i < f->n_shipments; i++) {
		one = f->shipments[i].came.reading;
		if (one == READING_UNKNOWN)
			continue;
		if (ret != READING_UNKNOWN && ret != one)
			return READING_UNKNOWN;
		ret = one;
	}
	return ret;
}

/* Returns the reading by which to count this line, of which `gone` units were
 * shipped.  If the allocations stayed as they were after a shipment of ours,
 * that is no proof: Centra settles late. */
static enum ship_reading line_reading(const struct offer *f,
				      const struct ship_stock *l, int64_t gone)
{
	/* more than there are: units cannot be in a shipment and allocated
	 * too */
	if (l->allocated + gone > l->quantity)
		return READING_STAY;
	if (l->allocated < gone || reading_of(f) == READING_LEAVE)
		return READING_LEAVE;
	return READING_UNKNOWN;
}

static int64_t within(int64_t n, int64_t most)
{
	return n < 0 ? 0 : n > most ? most : n;
}

int64_t ship_left(const struct offer *f, const struct ship_stock *l)
{
	int64_t gone = took(f, l->line);
	int64_t left = l->ours;

	if (gone && line_reading(f, l, gone) != READING_LEAVE)
		left -= gone;
	return within(left, most_left(f, l));
}

int64_t ship_unclear(const struct offer *f, const struct ship_stock *l)
{
	int64_t gone = took(f, l->line), most = most_left(f, l);

	if (!gone || line_reading(f, l, gone) != READING_UNKNOWN)
		return 0;
	return within(l->ours, most) - within(l->ours - gone, most);
}

/* ---- the order ---- */

static size_t all_left(const struct offer *f, const struct centra_order *co,
		       struct ship_line **ret)
{
	size_t n = 0;

	*ret = xcalloc(co->n_lines + 1, sizeof(**ret));
	for (size_t i = 0; i < co->n_lines && n < SHIP_LINES_MAX; i++) {
		struct ship_stock l = ship_stock_of(&co->lines[i],
						    f->warehouse);
		int64_t left = ship_left(f, &l);

		if (left)
			(*ret)[n++] = (struct ship_line){l.line, left};
	}
	return n;
}

int64_t ship_vanished(const struct offer *f, const struct ship_stock *l)
{
	return l->allocated ? 0 : most_left(f, l);
}

size_t ship_all_wanted(const struct offer *f, const struct centra_order *co,
		       struct ship_line **ret)
{
	size_t n = all_left(f, co, ret);

	for (size_t i = 0; !n && i < co->n_lines; i++)
		if (co->lines[i].n_allocations)
			return 0;
	if (n)
		return n;
	for (size_t i = 0; i < co->n_lines && n < SHIP_LINES_MAX; i++) {
		struct ship_stock l = ship_stock_of(&co->lines[i],
						    f->warehouse);
		int64_t units = ship_vanished(f, &l);

		if (units)
			(*ret)[n++] = (struct ship_line){l.line, units};
	}
	return n;
}

int64_t ship_units(const struct centra_shipment *c, int64_t line)
{
	int64_t n = 0;

	for (size_t i = 0; i < c->n_lines; i++)
		if (c->lines[i].line == line)
			n += c->lines[i].quantity;
	return n;
}

int64_t ship_room(const struct centra_order *co, int64_t line)
{
	int64_t n = 0;

	for (size_t i = 0; i < co->n_lines; i++)
		if (co->lines[i].id == line)
			n += co->lines[i].quantity;
	for (size_t i = 0; i < co->n_shipments; i++)
		n -= ship_units(&co->shipments[i], line);
	return n;
}

bool ship_is_claimed(const struct order *o, const struct shipment *but,
		     int64_t id)
{
	for (size_t i = 0; i < o->n_offers; i++) {
		const struct offer *f = &o->offers[i];

		for (size_t k = 0; k < f->n_shipments; k++)
			if (&f->shipments[k] != but &&
			    f->shipments[k].came.id == id)
				return true;
	}
	return false;
}

/* ---- what was held before our first shipment ---- */

static bool made_any(const struct offer *f)
{
	for (size_t i = 0; i < f->n_shipments; i++)
		if (f->shipments[i].came.id ||
		    f->shipments[i].tries[STEP_CREATE])
			return true;
	return false;
}

/* Copies the list of held lines, with room for all lines of the order. */
static struct ship_held *held_copy(const struct offer *f, size_t more)
{
	struct ship_held *ret = xcalloc(f->n_held + more, sizeof(*ret));

	if (f->n_held)
		memcpy(ret, f->held, f->n_held * sizeof(*ret));
	return ret;
}

/* Returns how many units of a line are ours by allocation requests that are
 * confirmed; 0: none, or Centra does not say. */
static int64_t confirmed_units(const struct offer *f, int64_t line)
{
	int64_t units = 0;

	if (offer_kind(f) == KIND_ALLOCATION_REQUEST)
		(void)requests_have_line(f, line, &units);
	return units;
}

/* Merges a line of a look into the list.  The look that shows more of the line
 * as ours is kept, since Centra allocates line by line.  Once a shipment of ours
 * was made, which may confuse the numbers, only those units are added that
 * Centra has confirmed to us by a request.  Units that appear elsewhere later
 * were taken from us. */
static void held_join(const struct offer *f, struct ship_held *list, size_t *n,
		      const struct ship_stock *l)
{
	bool made = made_any(f);
	int64_t ours = made ? confirmed_units(f, l->line) : l->ours;
	struct ship_held *h = list;

	if (made && ours > l->quantity)
		ours = l->quantity;
	while (h < list + *n && h->line != l->line)
		h++;
	if (h == list + *n) {
		if (l->ours > 0 && ours > 0 && !l->stockless)
			list[(*n)++] = (struct ship_held){l->line, ours,
							  l->quantity, 0};
		return;
	}
	if (made ? l->ours > 0 && ours > h->ours : ours >= h->ours) {
		h->ours = ours;
		h->quantity = l->quantity;
	}
	if (l->others > h->others)
		h->others = l->others;
}

static void hold(struct work *w, const struct offer *f,
		 const struct centra_order *co)
{
	struct ship_held *list;
	size_t n = f->n_held;
	struct change *c;

	if (f->state != STATE_ACCEPTED)
		return;
	list = held_copy(f, co->n_lines);
	for (size_t i = 0; i < co->n_lines; i++) {
		struct ship_stock l = ship_stock_of(&co->lines[i],
						    f->warehouse);

		held_join(f, list, &n, &l);
	}
	if (n == f->n_held &&
	    (!n || !memcmp(list, f->held, n * sizeof(*list)))) {
		free(list);
		return;
	}
	c = changes_add(&w->result.changes, CHANGE_SHIP_HELD, f->warehouse);
	c->held.list = list;
	c->held.n = n;
}

/* ---- nothing is left ---- */

/* True if a shipment that may be ours has not been sent yet. */
static bool one_waits(const struct order *o, const struct centra_order *co,
		      int64_t line)
{
	for (size_t i = 0; i < co->n_shipments; i++)
		if (!co->shipments[i].shipped &&
		    !ship_is_claimed(o, NULL, co->shipments[i].id) &&
		    ship_units(&co->shipments[i], line))
			return true;
	return false;
}

bool ship_rest(const struct order *o, const struct offer *f,
	       const struct centra_order *co)
{
	for (size_t i = 0; i < co->n_lines; i++) {
		struct ship_stock l = ship_stock_of(&co->lines[i],
						    f->warehouse);

		if (ship_left(f, &l) || ship_unclear(f, &l) ||
		    (ship_vanished(f, &l) && one_waits(o, co, l.line)))
			return true;
	}
	return false;
}

/* True if each unit of the order is in a shipment or cancelled. */
static bool is_all_sent(const struct centra_order *co)
{
	for (size_t i = 0; i < co->n_lines; i++)
		if (!co->lines[i].stockless &&
		    ship_room(co, co->lines[i].id) > 0)
			return false;
	return co->n_lines > 0;
}

static void close_offer(struct work *w, const struct offer *f,
			const struct centra_order *co)
{
	const struct shipment *s = offer_shipment(f);

	if (f->shipped || !s || f->shipments[0].came.stage != SHIP_SHIPPED ||
	    (s->came.stage != SHIP_SHIPPED &&
	     (shipment_stands(s) || s->tries[STEP_CREATE])) ||
	    !is_all_sent(co) || ship_rest(w->order, f, co))
		return;
	changes_add(&w->result.changes, CHANGE_SHIP_CLOSED, f->warehouse);
	changes_journal(&w->result.changes,
			&(struct entry){.warehouse = f->warehouse,
					.fact = FACT_NOTHING_LEFT});
}

/* ---- problems for the office ---- */

void ship_report_problem(struct work *w, const struct offer *f, const char *why)
{
	const struct problem *p = &f->problem;
	size_t from = w->result.changes.n;
	struct change *c;

	if (problem_open(p) ||
	    (p->at && p->note && !strcmp(p->note, why)))
		return;
	c = changes_add(&w->result.changes, CHANGE_PROBLEM, f->warehouse);
	c->problem.at = w->now;
	c->problem.reason = xstrdup("other");
	c->problem.note = xstrdup(why);
	c->problem.by = xstrdup("shipfrom");
	changes_journal(&w->result.changes,
			&(struct entry){.warehouse = f->warehouse,
					.fact = FACT_FOR_OFFICE,
					.text = why});
	run_apply(w, from);
}

static int64_t all_unclear(const struct offer *f,
			   const struct centra_order *co)
{
	int64_t n = 0;

	for (size_t i = 0; i < co->n_lines; i++) {
		struct ship_stock l = ship_stock_of(&co->lines[i],
						    f->warehouse);

		n += ship_unclear(f, &l);
	}
	return n;
}

void ship_report_unclear(struct work *w, const struct offer *f,
		       const struct centra_order *co)
{
	int64_t n = all_unclear(f, co);
	struct err why;

	if (!n)
		return;
	snprintf(why.text, sizeof(why.text),
		 "%" PRId64 " more of this order may be this shop's to ship, or "
		 "may not: Centra's allocations can be read in two ways",
		 n);
	ship_report_problem(w, f, why.text);
}

/* True if every shipment of ours that Centra has was sent. */
static bool is_settled(const struct offer *f)
{
	const struct shipment *s = offer_shipment(f);

	return f->state == STATE_ACCEPTED && !f->shipped &&
	       (!s || s->came.stage == SHIP_SHIPPED || !shipment_stands(s));
}

void ship_look(struct work *w, const struct centra_order *co)
{
	size_t from = w->result.changes.n;

	if (co->undecided)
		return;
	for (size_t i = 0; i < w->order->n_offers; i++) {
		hold(w, &w->order->offers[i], co);
		close_offer(w, &w->order->offers[i], co);
	}
	run_apply(w, from);
	for (size_t i = 0; i < w->order->n_offers; i++)
		if (is_settled(&w->order->offers[i]))
			ship_report_unclear(w, &w->order->offers[i], co);
	ship_for_systems(w, co);
}
