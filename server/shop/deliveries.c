/* SPDX-License-Identifier: MIT
 *
 * deliveries.c - the deliveries that wait for a shop, and receiving one: see
 * deliveries.h.
 *
 * Lookups show what waits, by the shop's own plugin.  A receipt is a kind of
 * action (action.h): it is durable first; the task `receive` then tells Centra.
 */
#include "server/shop/deliveries.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/log.h"
#include "base/mem.h"
#include "centra/deliveries.h"
#include "handlers/receipts.h"
#include "server/access/auth.h"
#include "server/shop/action.h"
#include "server/shop/order_json.h"
#include "server/shop/orders.h"

#define UNITS_MAX 1000000
#define ACCOUNT_SIZE 128

static bool shop_receives(const struct config_shop *shop, struct response *res)
{
	if (shop->order_api_url)
		return true;
	respond_problem(res, 404, "not_found",
			"this shop has no Order API plugin of its own "
			"(`order_api_url`)");
	return false;
}

static bool delivery_named(const struct request *req, struct response *res,
			   int64_t *ret)
{
	if (order_number_read(req->param, ret))
		return true;
	respond_problem(res, 404, "not_found", "there is no such delivery");
	return false;
}

/* Reads what is kept of a delivery; *ret without a shop: nothing.  False: it has
 * responded. */
static bool read_receipt(struct request *req, struct response *res,
			 const struct config_shop *shop, int64_t delivery,
			 struct receipt *ret)
{
	char key[DOC_KEY_SIZE];
	struct doc d = {0};
	struct err e = {""};
	enum rc rc;

	*ret = (struct receipt){0};
	receipt_key(key, shop->warehouses.ids[0], delivery);
	rc = store_doc(shop_of(req)->store, RECEIPT_KIND, shop->centra, key, &d,
		       &e);
	if (!rc)
		rc = receipt_read(d.text, ret, &e);
	doc_release(&d);
	if (!rc || rc == RC_NOTFOUND)
		return true;
	respond_read(req, res, rc, e.text);
	return false;
}

/* ---- what waits ---- */

struct waiting {
	struct lookup lookup; /* must be first */
	int64_t id;	      /* of the delivery; 0: all */
	struct centra_deliveries found; /* owned */
};

static void ask(struct lookup *l, struct centra_conn *n, struct call *ret)
{
	struct waiting *w = (struct waiting *)l;

	if (w->id)
		order_api_delivery(n, w->id, &w->found);
	else
		order_api_deliveries(n, &w->found);
	*ret = w->found.call;
}

static void release(struct lookup *l)
{
	struct waiting *w = (struct waiting *)l;

	centra_deliveries_release(&w->found);
	free(w);
}

static void begin(struct request *req, int64_t id, endpoint_fn *next)
{
	const struct config_shop *shop = caller_of(req)->shop;
	struct waiting *w = xcalloc(1, sizeof(*w));
	char account[ACCOUNT_SIZE];

	w->id = id;
	w->lookup = (struct lookup){.what = "deliveries",
				    .api = CENTRA_ORDER_API,
				    .ask = ask,
				    .release = release};
	snprintf(account, sizeof(account), "shop/%s", shop->id);
	lookup_begin(shop_of(req)->lookups, &w->lookup, account, req, next);
}

static void put_delivery(struct buf *b, const struct centra_delivery *d)
{
	json_put_int(b, "id", d->id);
	json_put(b, "number", d->number);
	json_put(b, "order", d->order);
	json_put(b, "supplier", d->supplier);
	json_put(b, "expected", d->eta);
	json_put_int(b, "units", d->units);
}

static void put_items(struct buf *b, const struct centra_delivery *d)
{
	json_begin_list(b, "items");
	for (size_t i = 0; i < d->n_items; i++) {
		const struct centra_delivered *l = &d->items[i];

		json_begin(b, NULL);
		json_put(b, "ean", l->ean && *l->ean ? l->ean : NULL);
		json_put(b, "upc", l->upc && *l->upc ? l->upc : NULL);
		json_put(b, "sku", l->sku);
		json_put(b, "product", l->product);
		json_put(b, "variant", l->variant);
		json_put(b, "size", l->size);
		json_put_int(b, "quantity", l->quantity);
		json_end(b);
	}
	json_end_list(b);
}

/* What was received does not wait any more, even if Centra still lists it. */
static bool put_waiting(struct request *req, struct response *res,
			const struct centra_delivery *d)
{
	struct receipt r;

	if (!read_receipt(req, res, caller_of(req)->shop, d->id, &r))
		return false;
	if (!r.shop || r.state != RECEIPT_DONE) {
		json_begin(&res->body, NULL);
		put_delivery(&res->body, d);
		json_put_bool(&res->body, "receiving",
			      r.shop && r.state == RECEIPT_ASKED);
		json_end(&res->body);
	}
	receipt_release(&r);
	return true;
}

static void show_all(struct request *req, struct response *res)
{
	const struct waiting *w = req->state;

	if (!lookup_answered(req, res))
		return;
	json_begin(&res->body, NULL);
	json_begin_list(&res->body, "deliveries");
	for (size_t i = 0; i < w->found.n; i++)
		if (!put_waiting(req, res, &w->found.list[i]))
			return;
	json_end_list(&res->body);
	json_end(&res->body);
	respond_json(res, 200);
}

static void show_one(struct request *req, struct response *res)
{
	const struct waiting *w = req->state;

	if (!lookup_answered(req, res))
		return;
	if (!w->found.n) {
		respond_problem(res, 404, "not_found", "%s",
				code_words("gone"));
		return;
	}
	json_begin(&res->body, NULL);
	put_delivery(&res->body, &w->found.list[0]);
	put_items(&res->body, &w->found.list[0]);
	json_end(&res->body);
	respond_json(res, 200);
}

void staff_deliveries(struct request *req, struct response *res)
{
	if (shop_receives(caller_of(req)->shop, res))
		begin(req, 0, show_all);
}

void staff_delivery(struct request *req, struct response *res)
{
	int64_t id;

	if (shop_receives(caller_of(req)->shop, res) &&
	    delivery_named(req, res, &id))
		begin(req, id, show_one);
}

/* ---- receiving one ---- */

struct receive_action {
	struct receipt r; /* what is asked for; owns its items */
	char key[DOC_KEY_SIZE]; /* of the receipt's document */
	struct doc_name name; /* the document: the write borrows it */
};

/* An EAN is a member's name in what is sent to Centra. */
static bool is_code(const char *s)
{
	size_t n = s ? strlen(s) : 0;

	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) && !strchr("-._", s[i]))
			return false;
	return n && n <= RECEIPT_EAN_MAX;
}

static int by_ean(const void *a, const void *b)
{
	const struct receipt_item *x = a, *y = b;

	return strcmp(x->ean, y->ean);
}

static bool read_items(const struct action *p, struct response *res,
		       struct receipt *r)
{
	const struct json *list = json_get(p->body, "items"), *v;
	size_t n = json_length(list);

	if (!json_is_list(list) || n < 1 || n > RECEIPT_ITEMS_MAX) {
		respond_field(res, "items",
			      "is a list of 1 to 500 items that came");
		return false;
	}
	r->items = xcalloc(n, sizeof(*r->items));
	json_each(v, list)
	{
		const char *ean = json_text(json_get(v, "ean"));
		struct receipt_item *i = &r->items[r->n_items];

		if (!is_code(ean) ||
		    !json_whole(json_get(v, "quantity"), 1, UNITS_MAX,
				&i->quantity)) {
			respond_field(res, "items",
				      "has for each an ean and a quantity of "
				      "at least 1");
			return false;
		}
		i->ean = xstrdup(ean);
		r->n_items++;
	}
	qsort(r->items, r->n_items, sizeof(*r->items), by_ean);
	for (size_t i = 1; i < r->n_items; i++)
		if (!strcmp(r->items[i].ean, r->items[i - 1].ean)) {
			respond_field(res, "items", "names an ean twice");
			return false;
		}
	return true;
}

static bool receive_read(struct action *p, struct response *res)
{
	struct receive_action *mine = p->own;
	struct receipt *r = &mine->r;

	if (!shop_receives(p->shop, res) ||
	    !delivery_named(p->pending.req, res, &r->delivery))
		return false;
	r->warehouse = p->shop->warehouses.ids[0];
	r->state = RECEIPT_ASKED;
	r->shop = xstrdup(p->shop->id);
	r->by = xstrdup(p->by);
	r->device = p->device;
	r->at = p->now;
	return read_items(p, res, r);
}

static void receive_release(struct action *p)
{
	struct receive_action *mine = p->own;

	receipt_release(&mine->r);
}

/* A store_docs_fn. */
static enum rc decide(void *arg, const struct doc *docs, size_t n,
		      struct doc_writes *ret, struct err *e)
{
	struct action *p = arg;
	struct receive_action *mine = p->own;
	struct task task = {.kind = TASK_RECEIVE,
			    .number = -mine->r.warehouse,
			    .sub = mine->r.delivery,
			    .due = p->now};
	struct receipt had = {0};
	struct doc d = {0};
	enum rc rc = OK;
	const char *code;
	bool taken, same;

	*p->code = '\0';
	if (n && docs[0].rev)
		rc = receipt_read(docs[0].text, &had, e);
	if (rc)
		return rc;
	taken = had.shop &&
		(had.state != RECEIPT_REFUSED || receipt_unsure(&had));
	code = receipt_unsure(&had) ? RECEIPT_UNSURE : "received";
	same = taken && receipt_same(&had, &mine->r);
	receipt_release(&had);
	if (same)
		return RC_EXISTS;
	if (taken) {
		snprintf(p->code, sizeof(p->code), "%s", code);
		snprintf(p->once.code, sizeof(p->once.code), "%s", code);
		return fail(e, RC_CONFLICT, "it was received already");
	}
	rc = receipt_doc(&mine->r, p->instance, &d, e);
	if (!rc) {
		doc_writes_put(ret, &d);
		snprintf(task.instance, sizeof(task.instance), "%s",
			 p->instance);
		doc_writes_task(ret, &task);
	}
	doc_release(&d);
	return rc;
}

static enum rc receive_store(struct action *p, struct err *e)
{
	struct receive_action *mine = p->own;

	receipt_key(mine->key, mine->r.warehouse, mine->r.delivery);
	mine->name = (struct doc_name){RECEIPT_KIND, p->instance, mine->key};
	return store_docs_update(p->room->store, &mine->name, 1, decide, p,
				 p->keyed ? &p->once : NULL, p->now,
				 &p->pending.done, e);
}

static void receive_count(struct action *p)
{
	COUNT(p->room->counters, receipts_total);
}

static void put_receipt(struct buf *b, const struct receipt *r)
{
	json_begin(b, NULL);
	json_put_int(b, "id", r->delivery);
	json_put(b, "number", r->number);
	json_put(b, "state", receipt_states[r->state]);
	json_begin_list(b, "items");
	for (size_t i = 0; i < r->n_items; i++) {
		json_begin(b, NULL);
		json_put(b, "ean", r->items[i].ean);
		json_put_int(b, "quantity", r->items[i].quantity);
		json_end(b);
	}
	json_end_list(b);
	if (r->rest) {
		json_begin(b, "rest");
		json_put_int(b, "id", r->rest);
		json_put(b, "number", r->rest_number);
		json_put_int(b, "units", r->rest_units);
		json_end(b);
	} else {
		json_put_null(b, "rest");
	}
	json_end(b);
}

static bool receive_settle(struct action *p, struct response *res,
			   const struct order *o)
{
	const struct receive_action *mine = p->own;
	const char *code;
	struct receipt r;
	bool ended = true;

	(void)o;
	if (!read_receipt(p->pending.req, res, p->shop, mine->r.delivery, &r))
		return true;
	if (!r.shop) {
		respond_problem(res, 409, "answered",
				"this receipt is no longer kept");
	} else if (r.state == RECEIPT_ASKED && action_may_wait(p)) {
		ended = false;
	} else if (r.state != RECEIPT_REFUSED) {
		put_receipt(&res->body, &r);
		respond_json(res, r.state == RECEIPT_DONE ? 200 : 202);
	} else {
		code = r.code ? r.code : "refused";
		respond_problem(res, 409, code, "%s",
				r.error ? r.error : code_words(code));
	}
	receipt_release(&r);
	return ended;
}

void staff_receive(struct request *req, struct response *res)
{
	static const struct action_kind kind = {
		.own_size = sizeof(struct receive_action),
		.read = receive_read,
		.said = LOG_MSG("a shop receives a delivery"),
		.store = receive_store,
		.count = receive_count,
		.settle = receive_settle,
		.release = receive_release,
	};

	action_begin(req, res, &kind);
}
