/* SPDX-License-Identifier: MIT
 *
 * requests.c - GET /allocation-requests of the shop's own Order API (CONTRACT
 * 4): the requests to this shop's warehouses, as shipfrom knows them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/time.h"
#include "handlers/requests.h"
#include "server/face/face_private.h"

#define ORDERS_MAX 5000
#define PAGE	   100 /* requests of a page, as Centra's */
#define ENDED_FOR  ((int64_t)90 * 86400 * 1000) /* ms */

/* ---- the shop's orders ---- */

struct numbers {
	int64_t *list; /* owned */
	size_t n;
};

static bool take_number(void *arg, const struct listed *row)
{
	struct numbers *n = arg;

	n->list[n->n++] = row->number;
	return n->n < ORDERS_MAX;
}

static int by_number(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static enum rc list_numbers(struct store *s, const struct config_shop *shop,
			    bool ended, int64_t now, struct numbers *ret,
			    struct err *e)
{
	enum rc rc = OK;

	for (size_t i = 0; !rc && i < shop->warehouses.n; i++) {
		int64_t w = shop->warehouses.ids[i];

		for (int l = LIST_OPEN; l <= LIST_MINE && !rc; l++) {
			if (ret->n < ORDERS_MAX)
				rc = store_list(s, shop->centra, w,
						(enum list)l, NULL, take_number,
						ret, e);
			if (rc == RC_NOTFOUND)
				rc = OK;
		}
		if (!rc && ended && ret->n < ORDERS_MAX)
			rc = store_done_since(s, shop->centra, w,
					      now - ENDED_FOR, 0, take_number,
					      ret, e);
		if (rc == RC_NOTFOUND)
			rc = OK;
	}
	return rc;
}

enum rc face_each_order(struct store *s, const struct config_shop *shop,
			bool ended, int64_t now,
			bool (*fn)(void *arg, const struct order *o), void *arg,
			struct err *e)
{
	struct numbers n = {.list = xcalloc(ORDERS_MAX, sizeof(*n.list))};
	enum rc rc = list_numbers(s, shop, ended, now, &n, e);
	bool more = true;

	if (n.n)
		qsort(n.list, n.n, sizeof(*n.list), by_number);
	for (size_t i = 0; !rc && more && i < n.n; i++) {
		struct order o = {0};

		if (i && n.list[i] == n.list[i - 1])
			continue;
		rc = store_order(s, shop->centra, n.list[i], &o, e);
		if (!rc)
			more = fn(arg, &o);
		else if (rc == RC_NOTFOUND || rc == RC_INVALID)
			rc = OK; /* a damaged order is left out */
		order_release(&o);
	}
	free(n.list);
	return rc;
}

/* ---- one request ---- */

const struct alloc_request *face_request_of(const struct offer *f, int64_t id)
{
	for (size_t i = 0; f && i < f->n_requests; i++)
		if (id && f->requests[i].id == id)
			return &f->requests[i];
	return NULL;
}

struct search {
	const struct config_shop *shop;
	int64_t id, order, warehouse;
};

static bool search_order(void *arg, const struct order *o)
{
	struct search *s = arg;

	for (size_t i = 0; i < s->shop->warehouses.n; i++) {
		int64_t w = s->shop->warehouses.ids[i];

		if (!face_request_of(order_offer(o, w), s->id))
			continue;
		s->order = o->number;
		s->warehouse = w;
		return false;
	}
	return true;
}

enum rc face_request_find(struct store *s, const struct config_shop *shop,
			  int64_t now, int64_t id, int64_t *ret_order,
			  int64_t *ret_warehouse, struct err *e)
{
	struct search found = {.shop = shop, .id = id};
	enum rc rc = face_each_order(s, shop, true, now, search_order, &found,
				     e);

	*ret_order = found.order;
	*ret_warehouse = found.warehouse;
	return rc ? rc : found.order ? OK : fail(e, RC_NOTFOUND, "no such id");
}

/* ---- the list ---- */

struct listing {
	struct response *res;
	const struct config_shop *shop;
	const char *status; /* of the query, or NULL */
	int64_t order, warehouse, page; /* 0: any */
	int64_t found;
};

/* True if the comma list has the word. */
static bool has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = list; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (!strncmp(at, word, len) && (!at[len] || at[len] == ','))
			return true;
	}
	return false;
}

static bool is_wanted(const struct listing *l, enum request_status s)
{
	if (!l->status)
		return alloc_request_open(s);
	return !strcmp(l->status, "all") ||
	       has_word(l->status, request_status_name(s));
}

static void put_request(struct listing *l, const struct order *o,
			const struct offer *f, size_t at)
{
	const struct alloc_request *r = &f->requests[at];
	struct buf *b = &l->res->body;

	json_begin(b, NULL);
	json_put_int(b, "id", r->id);
	json_put(b, "status", request_status_name(request_status(f, at)));
	json_put_int(b, "warehouseId", f->warehouse);
	json_put(b, "warehouseName", l->shop->name);
	json_put_time(b, "expirationDate", r->expires, 0, false);
	json_begin(b, "order");
	json_put_int(b, "number", o->number);
	json_end(b);
	json_begin_list(b, "lines");
	for (size_t i = 0; i < r->n_lines; i++) {
		json_begin(b, NULL);
		json_put_int(b, "lineId", r->lines[i].line);
		json_put_int(b, "quantity", r->lines[i].quantity);
		json_end(b);
	}
	json_end_list(b);
	json_put_time(b, "createdAt", r->at ? r->at : TIME_NONE, 0, false);
	json_end(b);
}

static bool list_order(void *arg, const struct order *o)
{
	struct listing *l = arg;

	if (l->order && o->number != l->order)
		return true;
	for (size_t i = 0; i < l->shop->warehouses.n; i++) {
		int64_t w = l->shop->warehouses.ids[i];
		const struct offer *f = order_offer(o, w);

		if (!f || (l->warehouse && w != l->warehouse))
			continue;
		for (size_t k = 0; k < f->n_requests; k++) {
			if (!f->requests[k].id ||
			    !is_wanted(l, request_status(f, k)))
				continue;
			if (l->found++ / PAGE == l->page - 1)
				put_request(l, o, f, k);
		}
	}
	return l->found < l->page * PAGE;
}

static bool read_count(const struct request *req, const char *name,
		       int64_t *ret)
{
	const char *text = request_query(req, name);

	return !text || number_read(text, 1, INT32_MAX, ret);
}

void face_requests(struct request *req, struct response *res)
{
	struct listing l = {
		.res = res,
		.shop = caller_of(req)->shop,
		.status = request_query(req, "status"),
		.page = 1,
	};
	struct err e;
	enum rc rc;

	if (!read_count(req, "order", &l.order) ||
	    !read_count(req, "warehouse", &l.warehouse) ||
	    !read_count(req, "page", &l.page)) {
		face_no(res, "order, warehouse and page are numbers", 0, NULL);
		face_count(req, FACE_NO);
		return;
	}
	json_begin(&res->body, NULL);
	json_put(&res->body, "status", "ok");
	json_begin_list(&res->body, "allocation_requests");
	rc = face_each_order(shop_of(req)->store, l.shop, l.status, req->now,
			     list_order, &l, &e);
	json_end_list(&res->body);
	json_end(&res->body);
	if (rc)
		face_later(res, "orders cannot be read right now; try again");
	else
		respond_json(res, 200);
	face_count(req, rc ? FACE_LATER : FACE_OK);
}
