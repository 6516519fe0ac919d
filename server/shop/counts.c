/* SPDX-License-Identifier: MIT
 *
 * counts.c - see counts.h.
 *
 * A request may be answered before its write has ended: see pending.h.
 */
#include "server/shop/counts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/time.h"
#include "server/access/auth.h"
#include "server/access/json_body.h"
#include "server/config/staff_names.h"
#include "server/pending/pending.h"
#include "server/shop/action.h"
#include "server/shop/shop.h"
#include "server/shop/stocktake.h"

/* A PUT under way. */
struct put {
	struct pending pending; /* must be first */
	struct shop *room;
	struct config *config; /* held */
	const struct config_shop *shop;
	struct json *body; /* owned: the codes of the counts are in it */
	struct stocktake take;
	uint64_t device;
	char id[REQUEST_ID_MAX], trace[TRACE_ID_SIZE]; /* the request's */
};

static void put_free(struct pending *pending)
{
	struct put *p = (struct put *)pending;

	config_drop(p->config);
	stocktake_release(&p->take);
	json_free(p->body);
	free(p);
}

/* Counts and logs what is on disk.  A `settled` of struct pending. */
static void put_written(struct pending *pending)
{
	struct put *p = (struct put *)pending;
	size_t taken = stocktake_taken(&p->take, STOCK_TAKEN);

	if (pending->rc)
		return;
	COUNT_BY(p->room->counters, stock_counts_total, taken);
	log_line(LOG_INFO, "stock counted",
		 LOG_S("instance", p->take.instance),
		 LOG_S("shop", p->shop->id),
		 LOG_N("warehouse", p->take.warehouse),
		 LOG_N("items", (int64_t)p->take.n),
		 LOG_N("taken", (int64_t)taken),
		 LOG_N("older",
		       (int64_t)stocktake_taken(&p->take, STOCK_OLDER)),
		 LOG_N("device", (int64_t)p->device), LOG_REQUEST(p));
}

static struct put *put_new(struct request *req)
{
	const struct caller *c = caller_of(req);
	struct put *p = xcalloc(1, sizeof(*p));

	p->room = shop_of(req);
	p->config = config_hold(c->config);
	p->shop = c->shop;
	p->device = c->device.id;
	memcpy(p->id, req->id, sizeof(p->id));
	memcpy(p->trace, req->trace, sizeof(p->trace));
	(void)!copy_text(p->take.instance, sizeof(p->take.instance),
			 c->shop->centra);
	p->take.warehouse = c->shop->warehouses.ids[0];
	p->take.now = req->now;
	p->take.clock_sure = clock_confirmed(p->room->clock);
	pending_init(&p->pending, *p->room->http, put_written, put_free);
	pending_tie(&p->pending, req);
	return p;
}

/* ---- reading the body: each false has responded ---- */

static bool wrong_item(struct response *res, size_t i, const char *must)
{
	char field[32];

	snprintf(field, sizeof(field), "items[%zu]", i);
	respond_field(res, field, must);
	return false;
}

static bool read_item(struct response *res, const struct json *v, size_t i,
		      struct stock_count *ret)
{
	const char *ean = json_text(json_get(v, "ean"));
	const char *sku = json_text(json_get(v, "sku"));

	if (!json_is_object(v) || !ean == !sku)
		return wrong_item(res, i, "has either 'ean' or 'sku', a text, "
					  "and 'quantity'");
	ret->code = ean ? ean : sku;
	ret->by_sku = sku;
	if (!stock_code_ok(ret->code))
		return wrong_item(res, i, "has an 'ean' or 'sku' of 1 to 64 "
					  "characters");
	if (!json_whole(json_get(v, "quantity"), 0, STOCK_QUANTITY_MAX,
			&ret->quantity))
		return wrong_item(res, i, "has a 'quantity', a whole number "
					  "from 0 to 1000000: how many lie "
					  "there");
	return true;
}

static bool read_items(struct put *p, struct response *res)
{
	const struct json *list = json_get(p->body, "items"), *v;
	size_t n = json_is_list(list) ? json_length(list) : 0, i = 0, a, b;

	if (!n || n > STOCKTAKE_MAX) {
		respond_field(res, "items", "is a list of 1 to 1000 counts");
		return false;
	}
	stocktake_init(&p->take, n);
	json_each(v, list)
	{
		if (!read_item(res, v, i, &p->take.list[i]))
			return false;
		i++;
	}
	if (!stocktake_repeats(&p->take, &a, &b))
		return true;
	return wrong_item(res, a > b ? a : b,
			  "counts an item that is in the list already");
}

/* Reads when the items were counted: not in the future.  A clock of ours that is
 * known to be behind Centra's makes no till wrong.  The time is kept by our clock,
 * as those of movements are. */
static bool read_time(struct put *p, struct response *res)
{
	const struct json *v = json_get(p->body, "counted_at");
	int64_t at = p->take.now, ahead = 0;
	int offset;

	if (json_given(v) && !json_time(v, &at, &offset)) {
		respond_field(res, "counted_at",
			      "is a time such as 2026-11-30T17:45:00+01:00");
		return false;
	}
	(void)clock_ahead(p->room->clock, p->take.now, time_mono(), &ahead);
	if (at > p->take.now + STOCK_AHEAD + (ahead < 0 ? -ahead : 0)) {
		respond_problem(res, 400, "counted_in_future",
				"'counted_at' is later than now: look at the "
				"clock of the till");
		return false;
	}
	for (size_t i = 0; i < p->take.n; i++)
		p->take.list[i].counted_at = at < p->take.now ? at
							      : p->take.now;
	return true;
}

static bool read_confirm(struct put *p, struct response *res)
{
	size_t zeros = stocktake_zeros(&p->take);
	const struct json *confirm = json_get(p->body, "confirm");

	if (json_given(confirm) && !json_is_bool(confirm)) {
		respond_field(res, "confirm", "is true or false");
		return false;
	}
	if ((int64_t)zeros <= p->shop->stock_most_to_zero ||
	    json_is_true(confirm))
		return true;
	respond_problem(res, 409, "confirm_zero",
			"%zu items would be set to 0, and at most %lld may be "
			"without a confirmation: send it again with "
			"\"confirm\":true if that is right",
			zeros, (long long)p->shop->stock_most_to_zero);
	return false;
}

static bool read_staff(struct put *p, struct response *res)
{
	const struct json *v = json_get(p->body, "staff");
	const char *name = json_text(v);

	if (json_given(v) &&
	    (!name || (p->shop->staff && !staff_has(p->shop->staff, name)))) {
		respond_problem(res, 400, "staff_unknown",
				"'staff' says who counted: a name of the list "
				"that /api/v1/me gives");
		return false;
	}
	snprintf(p->take.by, sizeof(p->take.by), "%.*s%s%s", STAFF_SIZE,
		 name ? name : "", name && *name ? " on " : "",
		 caller_of(p->pending.req)->device.name);
	return true;
}

static bool read_body(struct put *p, struct response *res)
{
	p->body = json_body(p->pending.req);
	if (!p->body) {
		respond_problem(res, 400, "bad_request",
				"the body is not a JSON object");
		return false;
	}
	return read_for(p->body, caller_of(p->pending.req), res) &&
	       read_items(p, res) && read_time(p, res) &&
	       read_confirm(p, res) && read_staff(p, res);
}

/* ---- answering ---- */

static void respond_unstored(struct request *req, struct response *res,
			     enum rc rc, const char *why)
{
	log_limited(6, LOG_ERROR, "counts of stock cannot be kept",
		    LOG_S("rc", rc_name(rc)), LOG_S("error", why),
		    LOG_REQUEST(req));
	respond_problem(res, 503, "not_stored",
			"nothing can be kept right now; try again");
	res->retry_after = 1;
}

static void put_taken(struct buf *b, const struct stock_count *c,
		      enum stock_taken taken)
{
	json_begin(b, NULL);
	json_put(b, c->by_sku ? "sku" : "ean", c->code);
	json_put_int(b, "quantity", c->quantity);
	json_put(b, "result", taken == STOCK_OLDER ? "older" : "waiting");
	json_end(b);
}

/* Called when the counts are on disk, or write_wait has passed.  An
 * endpoint_fn. */
static void put_stored(struct request *req, struct response *res)
{
	const struct put *p = req->state;
	const struct stocktake *t = &p->take;
	struct buf *b = &res->body;

	if (!p->pending.ended || p->pending.rc) {
		respond_unstored(req, res,
				 p->pending.ended ? p->pending.rc : RC_AGAIN,
				 p->pending.ended ? p->pending.e.text
						  : "the writer takes too "
						    "long");
		return;
	}
	json_begin(b, NULL);
	json_put_int(b, "warehouse", t->warehouse);
	json_put_uint(b, "taken", stocktake_taken(t, STOCK_TAKEN));
	json_put_uint(b, "older", stocktake_taken(t, STOCK_OLDER));
	json_begin_list(b, "items");
	for (size_t i = 0; i < t->n; i++)
		put_taken(b, &t->list[i], t->taken[i]);
	json_end_list(b);
	json_end(b);
	respond_json(res, 202);
}

void stock_put(struct request *req, struct response *res)
{
	struct put *p = put_new(req);
	struct err e = {""};
	enum rc rc;

	if (!read_body(p, res))
		return;
	p->take.quiet = p->shop->stock_quiet_hours &&
			*p->shop->stock_quiet_hours && p->take.n > STOCK_BIG;
	request_later(req, put_stored,
		      time_mono() + p->config->server.write_wait);
	pending_begin(&p->pending);
	rc = stocktake_store(p->room->store, &p->take, &p->pending.done, &e);
	if (rc) {
		pending_refused(&p->pending, rc, &e);
		respond_unstored(req, res, rc, e.text);
	}
}

/* ---- what became of them ---- */

#define RESULTS_MOST 200
#define LOOKED_AT    5000 /* documents that one request reads, most */

struct page {
	struct buf *out;
	int64_t warehouse;
	const char *state; /* only these; NULL: all */
	char prefix[24];   /* of the keys of the warehouse */
	int64_t limit, n;
	unsigned looked;
	char next[DOC_KEY_SIZE]; /* where the next page begins; "": nowhere */
};

/* Reads the code from a key of the warehouse. */
static bool item_of(const struct doc *d, size_t prefix, int64_t warehouse,
		    struct stock_item *ret)
{
	bool by_sku = !strncmp(d->key + prefix, "sku/", 4);
	struct err e;

	return !stock_item_read(ret, d, warehouse, by_sku,
				d->key + prefix + 4, &e);
}

static bool put_result(void *arg, const struct doc *d)
{
	struct page *p = arg;
	size_t prefix = strlen(p->prefix);
	struct stock_item item;

	if (strncmp(d->key, p->prefix, prefix) != 0)
		return false;
	if (p->n == p->limit || ++p->looked > LOOKED_AT) {
		memcpy(p->next, d->key, sizeof(p->next));
		return false;
	}
	if (item_of(d, prefix, p->warehouse, &item) &&
	    (!p->state || !strcmp(p->state, stock_state_name(item.state)))) {
		stock_item_json(p->out, &item, false);
		p->n++;
	}
	stock_item_release(&item);
	return true;
}

static void list_results(struct request *req, struct response *res)
{
	const struct config_shop *shop = caller_of(req)->shop;
	const char *cursor = request_query(req, "cursor");
	const char *limit = request_query(req, "limit");
	struct page p = {
		.out = &res->body,
		.warehouse = shop->warehouses.ids[0],
		.state = request_query(req, "result"),
		.limit = 50,
	};
	enum stock_state state;
	struct err e;
	enum rc rc;

	snprintf(p.prefix, sizeof(p.prefix), "%" PRId64 "/", p.warehouse);
	if (limit && !number_read(limit, 1, RESULTS_MOST, &p.limit)) {
		respond_field(res, "limit", "is a number from 1 to 200");
		return;
	}
	if (p.state && !stock_state_read(p.state, &state)) {
		respond_field(res, "result", "is a result such as 'done'");
		return;
	}
	if (cursor && strncmp(cursor, p.prefix, strlen(p.prefix)) != 0) {
		respond_field(res, "cursor", "is one that a reply gave");
		return;
	}
	json_begin(p.out, NULL);
	json_begin_list(p.out, "items");
	rc = store_docs(shop_of(req)->store, STOCK_ITEM_KIND, shop->centra,
			cursor ? cursor : p.prefix, put_result, &p, &e);
	json_end_list(p.out);
	json_put(p.out, "cursor", *p.next ? p.next : NULL);
	json_end(p.out);
	if (rc && rc != RC_INVALID) /* what cannot be read is left out */
		respond_read(req, res, rc, e.text);
	else
		respond_json(res, 200);
}

static void one_result(struct request *req, struct response *res,
		       const char *code, bool by_sku)
{
	const struct config_shop *shop = caller_of(req)->shop;
	int64_t warehouse = shop->warehouses.ids[0];
	struct stock_item item = {0};
	char key[DOC_KEY_SIZE];
	struct doc d = {0};
	struct err e;
	enum rc rc = RC_NOTFOUND;

	if (stock_code_ok(code)) {
		stock_key(key, warehouse, by_sku, code);
		rc = store_doc(shop_of(req)->store, STOCK_ITEM_KIND,
			       shop->centra, key, &d, &e);
	}
	if (!rc)
		rc = stock_item_read(&item, &d, warehouse, by_sku, code, &e);
	if (!rc) {
		stock_item_json(&res->body, &item, true);
		respond_json(res, 200);
	} else if (rc == RC_NOTFOUND) {
		respond_problem(res, 404, "not_found",
				"no count of this item is known");
	} else {
		respond_read(req, res, rc, e.text);
	}
	stock_item_release(&item);
	doc_release(&d);
}

void stock_results(struct request *req, struct response *res)
{
	const char *ean = request_query(req, "ean");
	const char *sku = request_query(req, "sku");

	if (ean || sku)
		one_result(req, res, ean ? ean : sku, !ean);
	else
		list_results(req, res);
}
