/* SPDX-License-Identifier: MIT
 *
 * look.c - see look.h.
 */
#include "handlers/look.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "handlers/details.h"
#include "handlers/offer.h"
#include "handlers/requests.h"
#include "handlers/run.h"
#include "handlers/ship.h"
#include "handlers/missed.h"

/* ---- what it shows ---- */

static bool cancelled(const struct centra_order *co)
{
	return !co->undecided && co->status &&
	       !strcmp(co->status, "CANCELLED");
}

/* Returns how many units of the line are allocated to the warehouse and not
 * awaiting confirmation. */
static int64_t allocated(const struct centra_line *l, int64_t warehouse)
{
	int64_t n = 0;

	for (size_t i = 0; i < l->n_allocations; i++) {
		const struct centra_allocation *a = &l->allocations[i];

		if (a->warehouse == warehouse && !a->waiting)
			n += a->quantity;
	}
	return n;
}

/* Returns how many units of the line are allocated to any warehouse, confirmed
 * or not. */
static int64_t allocated_at_all(const struct centra_line *l)
{
	int64_t n = 0;

	for (size_t i = 0; i < l->n_allocations; i++)
		n += l->allocations[i].quantity;
	return n;
}

static bool is_our_shipment(const struct offer *f,
			    const struct centra_shipment *s)
{
	for (size_t i = 0; i < f->n_shipments; i++)
		if (f->shipments[i].came.id == s->id)
			return true;
	return false;
}

/* Returns how many units of the line are in shipments that are known, by their
 * id, to be this offer's. */
static int64_t in_our_shipments(const struct offer *f,
				const struct centra_order *co, int64_t line)
{
	int64_t n = 0;

	for (size_t i = 0; i < co->n_shipments; i++) {
		const struct centra_shipment *s = &co->shipments[i];

		if (!is_our_shipment(f, s))
			continue;
		for (size_t k = 0; k < s->n_lines; k++)
			if (s->lines[k].line == line)
				n += s->lines[k].quantity;
	}
	return n;
}

/* True if all units of the line are allocated to the offer's warehouse, or are
 * in its shipments.  Units in a shipment may still be among the allocations, so
 * the two are added only if nobody else holds any of the line. */
static bool line_is_ours(const struct offer *f, const struct centra_order *co,
			 const struct centra_line *l)
{
	int64_t ours = allocated(l, f->warehouse);
	int64_t shipped = in_our_shipments(f, co, l->id);

	if (ours >= l->quantity || shipped >= l->quantity)
		return true;
	return ours == allocated_at_all(l) && ours + shipped >= l->quantity;
}

/* True if the line counts when it is asked whose the order is: it is not
 * cancelled, and has stock of its own. */
static bool counts(const struct centra_line *l)
{
	return l->quantity > 0 && !l->stockless;
}

/* True if at least one line counts, and each line that counts is the
 * offer's. */
static bool holds_all(const struct offer *f, const struct centra_order *co)
{
	bool any = false;

	for (size_t i = 0; i < co->n_lines; i++) {
		if (!counts(&co->lines[i]))
			continue;
		if (!line_is_ours(f, co, &co->lines[i]))
			return false;
		any = true;
	}
	return any;
}

/* True if something is allocated to the offer's warehouse, confirmed or not. */
static bool holds_some(const struct offer *f, const struct centra_order *co)
{
	for (size_t i = 0; i < co->n_lines; i++) {
		const struct centra_line *l = &co->lines[i];

		if (!counts(l))
			continue;
		if (in_our_shipments(f, co, l->id))
			return true;
		for (size_t k = 0; k < l->n_allocations; k++)
			if (l->allocations[k].warehouse == f->warehouse &&
			    l->allocations[k].quantity > 0)
				return true;
	}
	return false;
}

/* True if a line is allocated, and not awaiting confirmation, to another
 * warehouse that was offered. */
static bool held_by_another(const struct order *o, const struct offer *f,
			    const struct centra_order *co)
{
	for (size_t i = 0; i < co->n_lines; i++) {
		const struct centra_line *l = &co->lines[i];

		if (l->quantity <= 0)
			continue;
		for (size_t k = 0; k < l->n_allocations; k++) {
			int64_t other = l->allocations[k].warehouse;

			if (other != f->warehouse && order_offer(o, other) &&
			    allocated(l, other) > 0)
				return true;
		}
	}
	return false;
}

/* Judges a look by the table of look.h. */
static enum found judge(const struct order *o, const struct offer *f,
			const struct centra_order *co)
{
	bool ours, another;

	if (co->undecided || cancelled(co) || !co->n_lines)
		return FOUND_NOTHING; /* an order is cancelled by its status,
				       * not by a finding */
	ours = holds_all(f, co);
	another = held_by_another(o, f, co);
	if (ours + another + co->waits > 1)
		return FOUND_NOTHING;
	if (ours)
		return FOUND_OURS;
	if (another)
		return FOUND_NOT_OURS;
	if (co->waits)
		return FOUND_OPEN;
	return co->on_hold || holds_some(f, co) ? FOUND_NOTHING : FOUND_OVER;
}

static enum offer_state how_ended(const struct order *o,
				  const struct offer *f,
				  const struct centra_order *co, int64_t now)
{
	enum offer_state ret;

	if (offer_answered(f) && f->answer.verb == VERB_REJECT &&
	    f->answer.settled != SETTLED_NOT)
		return STATE_REJECTED;
	if (held_by_another(o, f, co))
		return STATE_TAKEN;
	if (offer_ended(o, f, &ret))
		return ret;
	if (offer_expired(f, now))
		return STATE_TIMED_OUT;
	return STATE_REJECTED; /* somebody has resumed the order in Centra */
}

struct finding look_judge(const struct order *o, const struct offer *f,
			  const struct centra_order *co, int64_t now)
{
	struct finding ret = {
		.what = judge(o, f, co),
		.knew = o->version,
		.at = now,
	};

	if (ret.what == FOUND_NOT_OURS || ret.what == FOUND_OVER)
		ret.ended = how_ended(o, f, co, now);
	return ret;
}

/* ---- recording it ---- */

/* True if FOUND_OPEN should be kept for the offer: we believed otherwise, or a
 * try ended unknown.  For other offers it would only be a finding that grows
 * old. */
static bool open_matters(const struct offer *f)
{
	return f->marks[MARK_ACCEPTED][0] ||
	       (f->answer.verb == VERB_ACCEPT &&
		(f->answer.settled == SETTLED_OK || f->answer.unknown));
}

static void journal_look(struct work *w, int64_t warehouse, enum fact fact,
			 const char *result, const char *to)
{
	changes_journal(&w->result.changes, &(struct entry){
						    .warehouse = warehouse,
						    .fact = fact,
						    .result = result,
						    .to = to,
					    });
}

static void journal_finding(struct work *w, const struct offer *f,
			    const struct finding *g)
{
	if (g->what == f->finding.what && g->ended == f->finding.ended &&
	    !f->doubt && !offer_is_over(f))
		return; /* nothing new: the last look showed the same */
	switch (g->what) {
	case FOUND_OURS:
		journal_look(w, f->warehouse, f->doubt ? FACT_DOUBT : FACT_FOUND,
			     f->doubt ? "ended" : "ours", NULL);
		break;
	case FOUND_NOT_OURS:
		journal_look(w, f->warehouse, FACT_FOUND, "not_ours",
			     offer_state_name(g->ended));
		break;
	case FOUND_OPEN:
		journal_look(w, f->warehouse, FACT_FOUND, "open", NULL);
		break;
	default:
		break;
	}
}

static void journal_sighting(struct work *w, const struct offer *f,
			     const struct sighting *r)
{
	if (f->list == LIST_MINE && r->blank && !f->doubt)
		journal_look(w, f->warehouse, FACT_DOUBT, "begun", NULL);
	else if (r->what == FOUND_OVER && r->sure > f->sighting.sure)
		journal_look(w, f->warehouse, FACT_FOUND, "over", NULL);
}

static bool same_sighting(const struct sighting *a, const struct sighting *b)
{
	return a->what == b->what && a->ended == b->ended &&
	       a->sure == b->sure && !strcmp(a->opened, b->opened) &&
	       a->knew == b->knew && a->at == b->at &&
	       a->steady == b->steady && a->boot == b->boot &&
	       a->blank == b->blank && a->blank_knew == b->blank_knew;
}

static void say_sighting(struct work *w, const struct offer *f,
			const struct sighting *r)
{
	if (same_sighting(r, &f->sighting))
		return;
	journal_sighting(w, f, r);
	changes_add(&w->result.changes, CHANGE_SIGHTING, f->warehouse)
		->sighting = *r;
}

static void say_finding(struct work *w, const struct offer *f,
			const struct finding *g)
{
	if (g->what == f->finding.what && g->ended == f->finding.ended &&
	    g->knew == f->finding.knew)
		return; /* held already */
	changes_add(&w->result.changes, CHANGE_FINDING, f->warehouse)
		->finding = *g;
}

/* Returns the offer's sighting after this look.  A look that agrees with the
 * sighting may make it sure; one that does not begins a new sighting. */
static struct sighting seen_again(const struct work *w, const struct offer *f,
				 const struct finding *g)
{
	const struct opening *p = offer_opened(f);
	struct sighting r = f->sighting;
	int64_t least = run_look_again(w), held = w->look_began - r.steady;

	if (r.what != g->what || strcmp(r.opened, p ? p->date : "") < 0 ||
	    r.knew < offer_won_version(f) ||
	    (r.what == FOUND_OPEN && r.knew != g->knew)) {
		r = (struct sighting){.what = g->what,
				     .knew = g->knew,
				     .at = g->at,
				     .steady = w->steady,
				     .boot = w->boot};
		snprintf(r.opened, sizeof(r.opened), "%s", p ? p->date : "");
	} else if (r.boot != w->boot) {
		r.boot = w->boot;
		r.steady = w->steady;
	} else if (held >= least * SIGHTING_LONG) {
		r.sure = 2;
	} else if (held >= least && !r.sure) {
		r.sure = 1;
	}
	if (!r.sure || r.sure > f->sighting.sure)
		r.ended = g->ended;
	return r;
}

/* True if a line is allocated to no warehouse, and an error in the reply hides
 * whether it has stock of its own (a gift card has none). */
static bool hides_kinds(const struct centra_order *co)
{
	for (size_t i = 0; i < co->n_lines; i++)
		if (co->missing & MISSING_WORDS && counts(&co->lines[i]) &&
		    !co->lines[i].n_allocations)
			return true;
	return false;
}

/* Notes that the look does not show whose the order is.  That matters to an
 * offer that Centra gave us, and to one that is still to be answered. */
static void find_nothing(struct work *w, const struct offer *f,
			 const struct centra_order *co,
			 const struct finding *g, bool break_off)
{
	struct sighting r = f->sighting;

	if (f->list == LIST_DONE)
		return;
	if (break_off && !r.sure)
		r = (struct sighting){.blank = r.blank,
				     .blank_knew = r.blank_knew};
	if (!r.blank || (f->list == LIST_MINE && !f->doubt)) {
		r.blank = true;
		r.blank_knew = g->knew;
		if (hides_kinds(co))
			journal_look(w, f->warehouse, FACT_SIZES_HIDDEN, NULL,
				     NULL);
	}
	say_sighting(w, f, &r);
}

/* True if each line that counts is allocated to some warehouse. */
static bool all_is_held(const struct centra_order *co)
{
	for (size_t i = 0; i < co->n_lines; i++)
		if (counts(&co->lines[i]) && !allocated_at_all(&co->lines[i]))
			return false;
	return true;
}

/* Handles a look which shows that no shop is asked any more.  One such look
 * proves nothing: Centra may be about to show who has the order.  If the order
 * may be ours (Centra may have taken our accept, or gave it to us once), units
 * that nobody holds may be in a shipment, and Centra does not say whose
 * shipment that is. */
static void find_over(struct work *w, const struct offer *f,
		      const struct centra_order *co, const struct finding *g)
{
	bool may_be_ours = offer_may_be_won(f) || offer_won_version(f);
	struct sighting r;

	if (f->list != LIST_OPEN || (may_be_ours && !all_is_held(co))) {
		find_nothing(w, f, co, g, f->sighting.what == FOUND_OPEN);
		return;
	}
	r = seen_again(w, f, g);
	r.blank = false;
	r.blank_knew = 0;
	say_sighting(w, f, &r);
}

/* Handles a look which shows that the order waits.  Against an accept that
 * nothing else contradicts, a second look has to show it too: the first may
 * have been a moment too early. */
static void find_open(struct work *w, const struct offer *f,
		      const struct finding *g)
{
	struct sighting r = {0};
	struct finding none = {.knew = g->knew, .at = g->at};

	if (f->list == LIST_MINE || offer_may_be_won(f)) {
		r = seen_again(w, f, g);
		r.blank = f->list == LIST_MINE && !r.sure;
		r.blank_knew = r.blank ? g->knew : 0;
		if (r.blank) {
			say_sighting(w, f, &r);
			return;
		}
	}
	if (open_matters(f) || f->finding.what != FOUND_NOTHING ||
	    offer_is_over(f))
		journal_finding(w, f, g);
	say_sighting(w, f, &r);
	if (open_matters(f))
		say_finding(w, f, g);
	else if (f->finding.what != FOUND_NOTHING)
		say_finding(w, f, &none);
}

/* True if some of the order is in a shipment of ours; then looks at the rest
 * take nothing back.  *ret_known: Centra's ids of all these shipments are
 * known, so a look counts the units in them. */
static bool has_shipment(const struct offer *f, bool *ret_known)
{
	bool has = f->shipped;

	*ret_known = !f->shipped;
	for (size_t i = 0; i < f->n_shipments; i++) {
		const struct shipment *s = &f->shipments[i];

		has |= shipment_stands(s) || s->came.stage == SHIP_SHIPPED;
		*ret_known &= s->came.id != 0;
	}
	return has;
}

static void find(struct work *w, const struct offer *f,
		 const struct centra_order *co)
{
	struct finding g = look_judge(w->order, f, co,
				      w->now - w->clock_ahead);
	bool known;

	/* Whose an allocation request is, the Order API's list says (OFFERS
	 * 5.2); stock that is allocated for one may not be ours yet. */
	if (offer_kind(f) == KIND_ALLOCATION_REQUEST)
		return;
	g.at = w->now;

	if (has_shipment(f, &known) && g.what != FOUND_OURS) {
		if (known && !(co->missing & MISSING_SHIPMENTS))
			find_nothing(w, f, co, &g, false);
		return;
	}
	switch (g.what) {
	case FOUND_OURS:
	case FOUND_NOT_OURS:
		journal_finding(w, f, &g);
		say_sighting(w, f, &(struct sighting){0});
		say_finding(w, f, &g);
		break;
	case FOUND_OPEN:
		find_open(w, f, &g);
		break;
	case FOUND_OVER:
		find_over(w, f, co, &g);
		break;
	default:
		find_nothing(w, f, co, &g, !co->undecided);
		break;
	}
}

static void journal_status(struct work *w, const struct centra_order *co,
			   const char *status, const char *reason)
{
	const struct order *o = w->order;

	if (o->fetched_at && !strcmp(o->status, status) &&
	    !strcmp(o->hold_reason, reason) && o->on_hold == co->on_hold)
		return;
	changes_journal(&w->result.changes,
			&(struct entry){
				.fact = FACT_FETCHED,
				.result = co->on_hold ? "on_hold" : NULL,
				.to = status[0] ? status : "unknown",
				.reason = reason[0] ? reason : NULL,
			});
}

static void record_status(struct work *w, const struct centra_order *co)
{
	char status[STATUS_SIZE], reason[STATUS_SIZE];
	struct change_fetched *c;

	snprintf(status, sizeof(status), "%s", co->status ? co->status : "");
	snprintf(reason, sizeof(reason), "%s",
		 co->hold_reason ? co->hold_reason : "");
	journal_status(w, co, status, reason);
	c = &changes_add(&w->result.changes, CHANGE_FETCHED, 0)->fetched;
	c->at = w->now;
	c->on_hold = co->on_hold;
	c->waits = co->waits;
	memcpy(c->status, status, sizeof(status));
	memcpy(c->hold_reason, reason, sizeof(reason));
	if (cancelled(co) && !w->order->cancelled) {
		changes_add(&w->result.changes, CHANGE_CANCELLED, 0);
		journal_look(w, 0, FACT_FOUND, "cancelled", NULL);
	}
}

bool look_spoiled(const struct call *call)
{
	return call->end == CALL_UNKNOWN && !call->refused &&
	       (call->status == 200 || call->status == 400 ||
		call->status == 500);
}

bool look_wants_address(const struct work *w)
{
	const struct order *o = w->order;

	for (size_t i = 0; i < o->n_offers; i++)
		if (o->offers[i].list == LIST_MINE &&
		    run_is_ours(w, o->offers[i].warehouse))
			return true;
	return false;
}

void look_record(struct work *w, const struct centra_order *co)
{
	struct changes *c = &w->result.changes;
	bool was_cancelled = w->order->cancelled;
	int64_t was_fetched = w->order->fetched_at;
	size_t from = c->n;

	if (!co->undecided)
		record_status(w, co);
	/* Lines without their allocations are kept only if no earlier look has
	 * shown better ones. */
	if (!co->undecided || !w->order->has_details)
		changes_add(c, CHANGE_DETAILS, 0)->details = details_json(co);
	if (co->address)
		changes_add(c, CHANGE_ADDRESS, 0)->address =
			xstrdup(co->address);
	for (size_t i = 0; i < w->order->n_offers; i++)
		find(w, &w->order->offers[i], co);
	run_apply(w, from);
	ship_look(w, co);
	missed_follow_up(w, was_cancelled, was_fetched);
}

void look_record_absent(struct work *w)
{
	const struct centra_order nothing = {
		.number = w->order->number,
		.undecided = true,
		.missing = MISSING_SHIPMENTS,
	};
	size_t from = w->result.changes.n;

	for (size_t i = 0; i < w->order->n_offers; i++)
		find(w, &w->order->offers[i], &nothing);
	run_apply(w, from);
}

bool look(struct work *w, struct call *ret)
{
	struct centra_orders got = {0};
	bool found = false;

	w->look_began = w->steady;
	graphql_orders(w->centra, &w->task->number, 1, look_wants_address(w),
		       &got);
	run_called(w, CENTRA_GRAPHQL, "orders", &got.call);
	*ret = got.call;
	if (got.call.end == CALL_OK)
		for (size_t i = 0; i < got.n && !found; i++) {
			if (got.list[i].number != w->task->number)
				continue;
			look_record(w, &got.list[i]);
			found = true;
		}
	if (got.call.end == CALL_OK && !found)
		look_record_absent(w);
	centra_orders_release(&got);
	return found;
}
