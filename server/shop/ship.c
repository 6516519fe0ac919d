/* SPDX-License-Identifier: MIT
 *
 * ship.c - POST /orders/{number}/ship: a kind of action (action.h).
 *
 * A task ships the order (handlers/ship.h).  The request waits for it for a
 * little while, and does not wait for a payment that takes days to be
 * confirmed.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "handlers/offer.h"
#include "handlers/ship.h"
#include "server/shop/action.h"
#include "server/shop/shipment_json.h"
#include "server/shop/orders.h"

#define CARRIER_MAX  64
#define SERVICE_MAX  64
#define TRACKING_MAX 128
#define PACKAGES_MAX 99

struct ship_action {
	struct ship_decision d;
	struct ship_line *lines;  /* owned: the lines that the body names */
	struct ship_stock *stock; /* owned */
	bool on_pending;
};

/* ---- reading the body ---- False: it has responded 400. */

/* Reads a text; an empty one counts as absent. */
static bool read_text(const struct action *p, struct response *res,
		      const char *name, size_t max, char **ret)
{
	const char *text;

	if (!action_text(p, res, name, max, &text))
		return false;
	*ret = text && *text ? (char *)(uintptr_t)text : NULL;
	return true;
}

static bool read_parcel(const struct action *p, struct response *res,
			struct ship_ask *a)
{
	const struct json *n = json_get(p->body, "packages");

	if (!read_text(p, res, "carrier", CARRIER_MAX, &a->carrier) ||
	    !read_text(p, res, "service", SERVICE_MAX, &a->service) ||
	    !read_text(p, res, "tracking", TRACKING_MAX, &a->tracking))
		return false;
	if (!a->carrier) {
		respond_field(res, "carrier", "is a text of 1 to 64 characters");
		return false;
	}
	a->packages = 1;
	if (!json_given(n) || json_whole(n, 1, PACKAGES_MAX, &a->packages))
		return true;
	respond_field(res, "packages", "is a number from 1 to 99");
	return false;
}

static int by_line(const void *a, const void *b)
{
	const struct ship_line *x = a, *y = b;

	return (x->line > y->line) - (x->line < y->line);
}

/* Reads the lines, sorts them and merges repeated ones, so that equal requests
 * compare equal. */
static bool read_lines(const struct action *p, struct response *res,
		       struct ship_action *s)
{
	const struct json *list = json_get(p->body, "lines"), *l;
	struct ship_ask *a = &s->d.ask;
	size_t n = json_length(list);

	a->all = !json_given(list);
	if (a->all)
		return true;
	if (!json_is_list(list) || n < 1 || n > SHIP_LINES_MAX) {
		respond_field(res, "lines", "is a list of what is shipped");
		return false;
	}
	a->lines = s->lines = xcalloc(n, sizeof(*s->lines));
	json_each(l, list)
	{
		struct ship_line *to = &s->lines[a->n_lines++];

		if (json_whole(json_get(l, "line_id"), 1, JSON_WHOLE_MAX,
			       &to->line) &&
		    json_whole(json_get(l, "quantity"), 1, JSON_WHOLE_MAX,
			       &to->quantity))
			continue;
		respond_field(res, "lines",
			      "has for each a line_id and a quantity of at "
			      "least 1");
		return false;
	}
	qsort(s->lines, a->n_lines, sizeof(*s->lines), by_line);
	for (size_t i = 1; i < a->n_lines; i++)
		if (s->lines[i].line == s->lines[i - 1].line) {
			respond_field(res, "lines", "names a line twice");
			return false;
		}
	return true;
}

/* ---- what is known of the order ---- */

/* True if the request may be about a shipment that exists already: the decision
 * then compares the two. */
static bool may_be_known(const struct ship_action *s, const struct offer *f)
{
	const struct shipment *newest = offer_shipment(f);

	if (s->d.ask.keyed && ship_of_key(f, &s->d.ask.key))
		return true;
	return newest && (shipment_under_way(newest) ||
			  (!s->d.ask.keyed &&
			   newest->came.stage == SHIP_SHIPPED));
}

/* True if the named lines are the shop's and have that many units left. */
static bool lines_are_left(const struct ship_action *s, const struct offer *f)
{
	const struct ship_ask *a = &s->d.ask;

	if (a->all || f->state != STATE_ACCEPTED || f->shipped ||
	    may_be_known(s, f))
		return true;
	for (size_t i = 0; i < a->n_lines; i++) {
		int64_t left = 0;

		for (size_t k = 0; k < s->d.n_stock; k++)
			if (s->stock[k].line == a->lines[i].line)
				left = ship_left(f, &s->stock[k]);
		if (a->lines[i].quantity <= left)
			continue;
		return false;
	}
	return true;
}

/* Checks the named lines.  False: it has responded; with 409 `changed` if the
 * page showed an older version of the order, since then the request made no
 * mistake. */
static bool check_lines(const struct action *p, struct response *res,
			const struct ship_action *s, const struct order *o,
			const struct offer *f, bool stale)
{
	if (lines_are_left(s, f))
		return true;
	if (stale)
		respond_conflict(p->pending.req, res, o, 409, "changed",
				 conflict_detail("changed"));
	else
		respond_field(res, "lines",
			      s->d.n_stock ? "names more than this shop has "
					     "left to ship" :
					     "cannot be told yet: the order's "
					     "lines are not known");
	return false;
}

static bool read_order(const struct action *p, struct response *res,
		       struct ship_action *s)
{
	char *details = NULL, *address = NULL;
	struct order o = {0};
	const struct offer *f;
	struct json *known = NULL;
	struct err e = {""};
	bool ok = true;
	enum rc rc;

	rc = store_order(p->room->store, p->instance, p->number, &o, &e);
	if (!rc)
		rc = store_details(p->room->store, p->instance, p->number,
				   &details, &address, &e);
	if (rc == RC_NOTFOUND)
		goto out; /* the decision will find that too, and respond */
	if (rc) {
		respond_read(p->pending.req, res, rc, e.text);
		ok = false;
		goto out;
	}
	f = offer_of_shop(&o, s->d.warehouses, s->d.n_warehouses);
	if (!f)
		goto out;
	known = stored_read(details);
	s->d.stock_of = f->warehouse;
	s->d.n_stock = stock_read(known, f, &s->stock);
	s->d.stock = s->stock;
	ok = check_lines(p, res, s, &o, f,
			 action_is_stale(p, &o, details, address));
out:
	json_free(known);
	free(details);
	free(address);
	order_release(&o);
	return ok;
}

static bool ship_read(struct action *p, struct response *res)
{
	const struct config_instance *in = config_instance(p->config,
							   p->instance);
	struct ship_action *s = p->own;
	const char *ships;

	s->d.warehouses = p->shop->warehouses.ids;
	s->d.n_warehouses = p->shop->warehouses.n;
	s->d.ask.at = p->now;
	s->d.ask.device = p->device;
	s->d.ask.by = p->by;
	s->d.ask.keyed = p->keyed;
	s->d.ask.key.device = p->device;
	memcpy(s->d.ask.key.hash, p->once.key, sizeof(s->d.ask.key.hash));
	ships = config_ships_with(p->config, p->shop);
	s->d.local = in && !strcmp(ships, "none");
	s->d.by_system = !strcmp(ships, "order_api");
	s->d.configured = in && in->graphql_url;
	s->on_pending = in && in->ship_on_pending_capture;
	return read_parcel(p, res, &s->d.ask) && read_lines(p, res, s) &&
	       read_order(p, res, s);
}

static void ship_release(struct action *p)
{
	struct ship_action *s = p->own;

	free(s->lines);
	free(s->stock);
}

/* ---- deciding and answering ---- */

static enum rc decide(void *arg, const struct order *o, struct changes *ret,
		      struct err *e)
{
	struct ship_action *s = arg;

	return ship_decide(&s->d, o, ret, e);
}

static const char *ship_code(const struct action *p)
{
	const struct ship_action *s = p->own;
	const char *code = s->d.conflict ? s->d.conflict : "answered";

	/* Says that the lines which the page showed have changed. */
	return p->stale && !strcmp(code, "answered") ? "changed" : code;
}

static void ship_count(struct action *p)
{
	COUNT(p->room->counters, shipments_total);
}

/* Returns the shop's offer that is being shipped. */
static const struct offer *offer_shipped(const struct ship_action *s,
					 const struct order *o)
{
	const struct offer *f = offer_of_shop(o, s->d.warehouses,
					      s->d.n_warehouses);

	if (f && f->n_shipments)
		return f;
	for (size_t i = 0; i < s->d.n_warehouses; i++) {
		const struct offer *g = order_offer(o, s->d.warehouses[i]);

		if (g && g->n_shipments)
			return g;
	}
	return f;
}

static void respond_failed(struct action *p, struct response *res,
			   const struct order *o, const struct shipment *s)
{
	const char *words = s->came.error ? s->came.error : "";
	char *detail;

	if (s->came.stage == SHIP_CAPTURE_FAILED) {
		detail = xasprintf("do not hand the parcel over, it is not "
				   "paid: %s",
				   words);
		respond_conflict(p->pending.req, res, o, 402, "capture_failed",
				 detail);
		free(detail);
		return;
	}
	respond_conflict(p->pending.req, res, o, 409,
			 ship_fault_code(s->came.fault), words);
}

/* Returns the shipment that the request is about; NULL: there is none. */
static const struct shipment *asked_for(const struct ship_action *s,
					const struct offer *f)
{
	const struct shipment *of_key;

	of_key = s->d.ask.keyed ? ship_of_key(f, &s->d.ask.key) : NULL;
	return of_key ? of_key : offer_shipment(f);
}

static bool ship_settle(struct action *p, struct response *res,
			const struct order *o)
{
	const struct ship_action *mine = p->own;
	const struct offer *f = offer_shipped(mine, o);
	const struct shipment *s = f ? asked_for(mine, f) : NULL;
	bool unpaid;

	if (!f) {
		respond_not_found(res);
		return true;
	}
	if (!s || s->came.stage == SHIP_SHIPPED) {
		respond_order(p->pending.req, res, o, s ? 200 : 202, false);
		return true;
	}
	if (!shipment_under_way(s)) {
		respond_failed(p, res, o, s);
		return true;
	}
	unpaid = s->came.capture == CAPTURE_PENDING && !mine->on_pending;
	if (!unpaid && action_may_wait(p))
		return false;
	respond_order(p->pending.req, res, o, 202, false);
	return true;
}

void staff_ship(struct request *req, struct response *res)
{
	static const struct action_kind kind = {
		.own_size = sizeof(struct ship_action),
		.versioned = true,
		.read = ship_read,
		.said = LOG_MSG("a shop ships"),
		.decide = decide,
		.code = ship_code,
		.count = ship_count,
		.settle = ship_settle,
		.release = ship_release,
	};

	action_begin(req, res, &kind);
}
