/* SPDX-License-Identifier: MIT
 *
 * ship_decide.c - the decision when a shop presses ship; see ship.h.
 */
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "handlers/offer.h"
#include "handlers/ship.h"

/* ---- what is left ---- */

static const struct ship_stock *stock_of(const struct ship_decision *d,
					 int64_t line)
{
	for (size_t i = 0; i < d->n_stock; i++)
		if (d->stock[i].line == line)
			return &d->stock[i];
	return NULL;
}

/* True if the lines are known from this offer's side. */
static bool knows(const struct ship_decision *d, const struct offer *f)
{
	return d->n_stock && d->stock_of == f->warehouse;
}

/* ---- comparing ---- */

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool same_lines(const struct ship_ask *a, const struct ship_ask *b)
{
	return a->n_lines == b->n_lines &&
	       (!a->n_lines || !memcmp(a->lines, b->lines,
				       a->n_lines * sizeof(*a->lines)));
}

static bool same_ask(const struct ship_ask *a, const struct ship_ask *b)
{
	return same_text(a->carrier, b->carrier) &&
	       same_text(a->service, b->service) &&
	       same_text(a->tracking, b->tracking) &&
	       a->packages == b->packages && a->all == b->all &&
	       (a->all || same_lines(a, b));
}

/* ---- deciding ---- */

const char *ship_fault_code(enum ship_fault f)
{
	switch (f) {
	case FAULT_CANCELLED:
		return "cancelled";
	case FAULT_ON_HOLD:
		return "on_hold";
	case FAULT_NOT_OURS:
		return "not_accepted";
	case FAULT_IN_DOUBT:
		return "in_doubt";
	default:
		return "ship_failed";
	}
}

static enum rc conflict(struct ship_decision *d, const char *code,
			struct err *e)
{
	d->conflict = code;
	return fail(e, RC_CONFLICT, "shipping: %s", code);
}

const struct shipment *ship_of_key(const struct offer *f,
				   const struct ship_key *k)
{
	for (size_t i = f->n_shipments; i > 0; i--)
		if (shipment_has_key(&f->shipments[i - 1], k))
			return &f->shipments[i - 1];
	return NULL;
}

/* Decides a request whose key is that of a shipment. */
static enum rc with_known(struct ship_decision *d, const struct shipment *s,
			  struct err *e)
{
	if (same_ask(&s->ask, &d->ask))
		return fail(e, RC_EXISTS, "it was asked for under this key");
	/* The shop may have asked for this parcel again with other words and
	 * another key. */
	if (s->n_keys > 1)
		return fail(e, RC_EXISTS, "it was asked for anew since");
	return conflict(d, "idempotency_mismatch", e);
}

/* Decides a request while a shipment is under way. */
static enum rc with_under_way(struct ship_decision *d, const struct offer *f,
			      const struct shipment *s, struct changes *ret,
			      struct err *e)
{
	if (d->ask.keyed || !same_ask(&s->ask, &d->ask))
		return conflict(d, "answered", e);
	/* A press while the payment is being confirmed makes the task look at
	 * once. */
	if (s->came.capture != CAPTURE_PENDING)
		return fail(e, RC_EXISTS, "it is under way");
	changes_task(ret, TASK_SHIP_ORDER, f->warehouse, d->ask.at);
	return OK;
}

static void journal_asked(const struct ship_decision *d, const struct offer *f,
			  struct changes *ret)
{
	const struct ship_ask *a = &d->ask;
	struct buf how;

	buf_init(&how, ORDER_TEXT_MAX);
	buf_fmt(&how, "%s%s%s%s%s", a->carrier ? a->carrier : "",
		a->service ? " " : "", a->service ? a->service : "",
		a->tracking ? ", " : "", a->tracking ? a->tracking : "");
	changes_journal(ret, &(struct entry){
				     .at = a->at,
				     .warehouse = f->warehouse,
				     .device = a->device,
				     .fact = FACT_SHIP_ASKED,
				     .result = a->all ? "all" : "part",
				     .by = a->by ? a->by : "a device",
				     .n = a->packages,
				     .text = how.data,
			     });
	buf_release(&how);
}

/* Decides a press where Centra has a shipment that waited for the shop's system,
 * before the shop's setting changed: the press ships it. */
static enum rc take_over(struct ship_decision *d, const struct offer *f,
			 const struct shipment *s, struct changes *ret,
			 struct err *e)
{
	struct ship_ask *ask;

	if (!d->ask.all && !same_lines(&s->ask, &d->ask))
		return conflict(d, "answered", e);
	ask = &changes_add(ret, CHANGE_SHIP_GOAL, f->warehouse)->goal;
	*ask = ship_ask_copy(&d->ask);
	ask->goal = GOAL_SHIPPED;
	journal_asked(d, f, ret);
	changes_task(ret, TASK_SHIP_ORDER, f->warehouse, d->ask.at);
	return OK;
}

/* Decides a request after earlier ones.  OK: the newest shipment may be asked
 * for again, or another added. */
static enum rc with_newest(struct ship_decision *d, const struct offer *f,
			   struct changes *ret, struct err *e)
{
	const struct shipment *s = offer_shipment(f), *known;
	enum rc rc;

	known = d->ask.keyed ? ship_of_key(f, &d->ask.key) : NULL;
	rc = known ? with_known(d, known, e) : OK;
	if (rc == RC_CONFLICT || (rc && known != s) ||
	    (rc && (s->came.stage == SHIP_SHIPPED || shipment_under_way(s))))
		return rc;
	if (!s)
		return OK;
	if (shipment_under_way(s) && !d->local &&
	    (s->ask.goal == GOAL_CREATED || s->ask.goal == GOAL_CAPTURED))
		return take_over(d, f, s, ret, e);
	if (shipment_under_way(s))
		return with_under_way(d, f, s, ret, e);
	if (s->came.stage == SHIP_SHIPPED)
		return !d->ask.keyed && same_ask(&s->ask, &d->ask) ?
			       fail(e, RC_EXISTS, "it is shipped") :
			       OK;
	if (shipment_stands(s) && !d->ask.all && !same_lines(&s->ask, &d->ask))
		return conflict(d, "answered", e);
	return OK;
}

/* Checks that the named lines are still there: another press may have come
 * between. */
static bool lines_left(const struct ship_decision *d, const struct offer *f)
{
	const struct ship_stock *l;

	for (size_t i = 0; i < d->ask.n_lines; i++) {
		l = stock_of(d, d->ask.lines[i].line);
		if (knows(d, f) &&
		    (!l || d->ask.lines[i].quantity > ship_left(f, l)))
			return false;
	}
	return true;
}

/* Takes all lines that are known to be left, if the press names none. */
static void add_all_left(const struct ship_decision *d, const struct offer *f,
			 struct ship_ask *ask)
{
	if (!ask->all || !knows(d, f))
		return;
	ask->lines = xcalloc(d->n_stock, sizeof(*ask->lines));
	for (size_t i = 0; i < d->n_stock && i < SHIP_LINES_MAX; i++) {
		int64_t left = ship_left(f, &d->stock[i]);

		if (left)
			ask->lines[ask->n_lines++] = (struct ship_line){
				d->stock[i].line, left};
	}
}

static bool rest_remains(const struct ship_decision *d, const struct offer *f,
			 const struct ship_ask *ask)
{
	if (!knows(d, f))
		return false;
	for (size_t i = 0; i < d->n_stock; i++) {
		int64_t left = ship_left(f, &d->stock[i]);

		for (size_t k = 0; k < ask->n_lines; k++)
			if (ask->lines[k].line == d->stock[i].line)
				left -= ask->lines[k].quantity;
		if (left > 0)
			return true;
	}
	return false;
}

/* Records the parcel as shipped, where another system ships. */
static void add_local(const struct ship_decision *d, const struct offer *f,
		      bool rest, struct changes *ret)
{
	struct change *c = changes_add(ret, CHANGE_SHIP_CAME, f->warehouse);

	c->came.stage = SHIP_SHIPPED;
	c->came.shipped_at = d->ask.at;
	c->came.rest = rest;
	changes_journal(ret, &(struct entry){.warehouse = f->warehouse,
					     .fact = FACT_SHIPPED_HERE});
}

static void add_ask(const struct ship_decision *d, const struct offer *f,
		    struct changes *ret)
{
	struct change *c = changes_add(ret, CHANGE_SHIP_ASKED, f->warehouse);
	bool rest;

	c->ask = ship_ask_copy(&d->ask);
	add_all_left(d, f, &c->ask);
	rest = rest_remains(d, f, &c->ask);
	journal_asked(d, f, ret);
	if (d->local)
		add_local(d, f, rest, ret);
	else
		changes_task(ret, TASK_SHIP_ORDER, f->warehouse, d->ask.at);
}

enum rc ship_decide(void *arg, const struct order *o, struct changes *ret,
		    struct err *e)
{
	struct ship_decision *d = arg;
	const struct offer *f = offer_of_shop(o, d->warehouses,
					      d->n_warehouses);
	enum rc rc;

	d->conflict = NULL;
	if (!f)
		return fail(e, RC_NOTFOUND,
			    "order '%lld' was not offered to this shop",
			    (long long)o->number);
	if (d->by_system)
		return conflict(d, "system_ships", e);
	rc = with_newest(d, f, ret, e);
	if (rc || ret->n)
		return rc;
	if (f->state == STATE_CANCELLED)
		return conflict(d, "cancelled", e);
	if (f->state != STATE_ACCEPTED)
		return conflict(d, "not_accepted", e);
	if (f->shipped || (f->n_shipments >= SHIPMENTS_MAX &&
			   offer_shipment(f)->came.stage == SHIP_SHIPPED))
		return conflict(d, "shipped", e);
	if (!lines_left(d, f))
		return conflict(d, "answered", e);
	/* In all other cases the task takes a fresh look first. */
	if (d->local && f->doubt)
		return conflict(d, "in_doubt", e);
	if (!d->local && !d->configured)
		return conflict(d, "not_configured", e);
	add_ask(d, f, ret);
	return OK;
}
