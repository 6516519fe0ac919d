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
#include "handlers/run.h"
#include "handlers/sweep.h"

/* ---- what it proves ---- */

static bool cancelled(const struct centra_order *co)
{
	return co->status && !strcmp(co->status, "CANCELLED");
}

/* Some of the line is firmly allocated to the warehouse. */
static bool allocated(const struct centra_line *l, int64_t warehouse)
{
	for (size_t i = 0; i < l->n_allocations; i++) {
		const struct centra_allocation *a = &l->allocations[i];

		if (a->warehouse == warehouse && a->quantity > 0 &&
		    !a->waiting)
			return true;
	}
	return false;
}

/* Every line that is not cancelled, and there is one, is allocated to it. */
static bool holds_all(const struct centra_order *co, int64_t warehouse)
{
	bool any = false;

	for (size_t i = 0; i < co->n_lines; i++) {
		if (co->lines[i].quantity <= 0)
			continue;
		if (!allocated(&co->lines[i], warehouse))
			return false;
		any = true;
	}
	return any;
}

/* Something is allocated to it, be it not for certain. */
static bool holds_some(const struct centra_order *co, int64_t warehouse)
{
	for (size_t i = 0; i < co->n_lines; i++) {
		const struct centra_line *l = &co->lines[i];

		for (size_t k = 0; k < l->n_allocations; k++)
			if (l->allocations[k].warehouse == warehouse &&
			    l->allocations[k].quantity > 0)
				return true;
	}
	return false;
}

/* A line is allocated to another warehouse that was asked too. */
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
			    allocated(l, other))
				return true;
		}
	}
	return false;
}

static enum found judge(const struct order *o, const struct offer *f,
			const struct centra_order *co)
{
	bool all = holds_all(co, f->warehouse);
	bool some = holds_some(co, f->warehouse);
	bool another = held_by_another(o, f, co);

	if (co->undecided || cancelled(co) || !co->n_lines)
		return FOUND_NOTHING; /* the status says it; or nothing does */
	if (all)
		/* Split between two that were asked: for neither to ship. */
		return another ? FOUND_NOTHING : FOUND_OURS;
	if (another)
		return FOUND_NOT_OURS;
	if (some)
		return FOUND_NOTHING;
	return co->waits ? FOUND_OPEN : FOUND_NOT_OURS;
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
	return STATE_REJECTED; /* somebody resumed the order in Centra */
}

struct finding look_judge(const struct order *o, const struct offer *f,
			  const struct centra_order *co, int64_t now)
{
	struct finding ret = {
		.what = judge(o, f, co),
		.knew = o->version,
		.at = now,
	};

	if (ret.what == FOUND_NOT_OURS)
		ret.ended = how_ended(o, f, co, now);
	return ret;
}

/* ---- recording it ---- */

/* That the order is open matters to who believed otherwise, and to a try whose
 * end is unknown.  To others it would only be a finding to grow old. */
static bool open_matters(const struct offer *f)
{
	return f->marks[MARK_ACCEPTED][0] ||
	       (f->answer.verb == VERB_ACCEPT &&
		(f->answer.settled == SETTLED_OK || f->answer.unknown));
}

static void note_finding(struct work *w, const struct offer *f,
			 const struct finding *g)
{
	struct changes *c = &w->result.changes;

	if (g->what == f->finding.what && g->ended == f->finding.ended)
		return; /* as the last look said */
	switch (g->what) {
	case FOUND_OURS:
		changes_note(c, f->warehouse, "look",
			     "a look: Centra has allocated every line to "
			     "warehouse %" PRId64,
			     f->warehouse);
		break;
	case FOUND_NOT_OURS:
		changes_note(c, f->warehouse, "look",
			     "a look: not for warehouse %" PRId64 " (%s)",
			     f->warehouse, offer_state_name(g->ended));
		break;
	case FOUND_OPEN:
		changes_note(c, f->warehouse, "look",
			     "a look: the order still waits for check-first "
			     "and nothing of it is allocated to warehouse "
			     "%" PRId64,
			     f->warehouse);
		break;
	case FOUND_NOTHING:
		break;
	}
}

static bool has_shipment(const struct offer *f)
{
	for (size_t i = 0; i < f->n_shipments; i++)
		if (shipment_stands(&f->shipments[i]))
			return true;
	return false;
}

static void find(struct work *w, const struct offer *f,
		 const struct centra_order *co)
{
	struct finding g = look_judge(w->order, f, co, w->now);
	struct changes *c = &w->result.changes;

	/* Once some of it is in a shipment of ours, what is no longer
	 * allocated proves nothing. */
	if ((f->shipped || has_shipment(f)) && g.what != FOUND_OURS)
		return;
	if (g.what == FOUND_NOTHING)
		return;
	if (g.what == FOUND_OPEN && !open_matters(f)) {
		if (f->finding.what == FOUND_NOTHING)
			return;
		g = (struct finding){.knew = g.knew, .at = g.at};
	}
	if (g.what == f->finding.what && g.ended == f->finding.ended &&
	    g.knew == f->finding.knew)
		return; /* held already */
	note_finding(w, f, &g);
	changes_add(c, CHANGE_FINDING, f->warehouse)->finding = g;
}

static void note_status(struct work *w, const struct centra_order *co,
			const char *status, const char *reason)
{
	const struct order *o = w->order;

	if (o->fetched_at && !strcmp(o->status, status) &&
	    !strcmp(o->hold_reason, reason) && o->on_hold == co->on_hold)
		return;
	changes_note(&w->result.changes, 0, "look",
		     "fetched from Centra: status %s%s%s%s",
		     status[0] ? status : "unknown",
		     co->on_hold ? ", on hold" : "", reason[0] ? ": " : "",
		     reason);
}

static void record_status(struct work *w, const struct centra_order *co)
{
	char status[STATUS_SIZE], reason[STATUS_SIZE];
	struct change *c;

	snprintf(status, sizeof(status), "%s", co->status ? co->status : "");
	snprintf(reason, sizeof(reason), "%s",
		 co->hold_reason ? co->hold_reason : "");
	note_status(w, co, status, reason);
	c = changes_add(&w->result.changes, CHANGE_FETCHED, 0);
	c->at = w->now;
	c->on_hold = co->on_hold;
	c->text = xstrdup(status);
	memcpy(c->hold_reason, reason, sizeof(reason));
	if (cancelled(co) && !w->order->cancelled) {
		changes_add(&w->result.changes, CHANGE_CANCELLED, 0);
		changes_note(&w->result.changes, 0, "look",
			     "a look: Centra has cancelled the order");
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
	/* Lines whose allocations Centra did not show are better than none, and
	 * worse than those of an earlier look. */
	if (!co->undecided || !w->order->has_details)
		changes_add(c, CHANGE_DETAILS, 0)->text = details_json(co);
	if (co->address)
		changes_add(c, CHANGE_ADDRESS, 0)->text =
			xstrdup(co->address);
	for (size_t i = 0; i < w->order->n_offers; i++)
		find(w, &w->order->offers[i], co);
	run_apply(w, from);
	sweep_follow_up(w, was_cancelled, was_fetched);
}

bool look(struct work *w, struct call *ret)
{
	struct centra_orders got = {0};
	bool found = false;

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
	centra_orders_release(&got);
	return found;
}
