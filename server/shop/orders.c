/* SPDX-License-Identifier: MIT
 *
 * orders.c - the endpoints that read: see orders.h.
 */
#include "server/shop/orders.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/number.h"
#include "handlers/offer.h"
#include "server/access/auth.h"
#include "server/shop/order_json.h"
#include "server/shop/action.h"
#include "server/shop/report.h"
#include "base/since.h"
#include "base/time.h"

#define LIMIT_DEFAULT 50
#define LIMIT_MAX     200
#define ROWS_MAX      2000 /* orders that are looked at for one page, at most;
			    * the page may then be short */

/* ---- one order ---- */

void staff_order(struct request *req, struct response *res)
{
	struct order o = {0};
	struct err e = {""};
	int64_t number;
	enum rc rc = RC_NOTFOUND;

	if (order_number_read(req->param, &number))
		rc = store_order(shop_of(req)->store,
				 caller_of(req)->shop->centra, number,
				 &o, &e);
	if (!rc)
		respond_order(req, res, &o, 200, true);
	else if (rc == RC_NOTFOUND)
		respond_not_found(res);
	else
		respond_read(req, res, rc, e.text);
	order_release(&o);
}

/* ---- the lists ---- */

static const char *const list_names[LISTS] = {
	[LIST_OPEN] = "open",
	[LIST_MINE] = "mine",
	[LIST_DONE] = "done",
};

static bool list_read(const char *s, size_t len, enum list *ret)
{
	for (int i = 0; i < LISTS; i++) {
		if (strlen(list_names[i]) != len ||
		    strncmp(s, list_names[i], len) != 0)
			continue;
		*ret = (enum list)i;
		return true;
	}
	return false;
}

void cursor_write(char ret[CURSOR_SIZE], const struct staff_cursor *c)
{
	if (c->expires == TIME_NONE)
		snprintf(ret, CURSOR_SIZE, "%s.none.%" PRId64,
			 list_names[c->list], c->number);
	else
		snprintf(ret, CURSOR_SIZE, "%s.%" PRId64 ".%" PRId64,
			 list_names[c->list], c->expires, c->number);
}

enum rc cursor_read(const char *text, struct staff_cursor *ret)
{
	size_t len = strcspn(text, ".");
	char again[CURSOR_SIZE];
	struct staff_cursor c;
	const char *dot, *at;
	bool minus;
	int64_t n;

	if (!text[len] || !list_read(text, len, &c.list))
		return RC_INVALID;
	text += len + 1;
	dot = strchr(text, '.');
	if (!dot || !order_number_read(dot + 1, &c.number))
		return RC_INVALID;
	minus = *text == '-';
	at = text + minus;
	c.expires = TIME_NONE;
	if (number_begin(&at, INT64_MAX, &n))
		c.expires = minus ? -n : n;
	/* A cursor of ours has one form only: any other text is refused. */
	cursor_write(again, &c);
	if (strcmp(again + len + 1, text) != 0)
		return RC_INVALID;
	*ret = c;
	return OK;
}

/* Rows of one warehouse that were read ahead. */
#define AHEAD 64
struct rows {
	int64_t warehouse;
	struct listed ahead[AHEAD];
	size_t n, at;
	bool more; /* the store may have more rows behind these */
};

/* A page of a shop's list while it is made. */
struct page {
	struct store *store;
	struct goods *goods;
	const struct config_shop *shop;
	int64_t now;
	struct response *res;
	int64_t since; /* for the list "done": only orders changed since then;
		        * or TIME_NONE */
	struct staff_cursor at; /* the place behind the last row that was looked
				 * at */
	size_t limit, n;	/* limit: orders that were asked for; n: orders
				 * written so far */
	size_t looked;		/* rows looked at */
	bool full; /* there is at least one more order behind this page */
	int64_t *unreadable; /* owned: the numbers of orders that were left
			      * out, since their rows are damaged */
	size_t n_unreadable;
	struct rows *rows;	/* owned: one for each warehouse of the shop */
	size_t n_rows;
	struct err e;
};

static bool take_row(void *arg, const struct listed *row)
{
	struct rows *r = arg;

	r->ahead[r->n++] = *row;
	return r->n < AHEAD;
}

static enum rc rows_read(struct page *p, struct rows *r, enum list list,
			 const struct listed *after)
{
	enum rc rc;

	r->n = r->at = 0;
	if (p->since == TIME_NONE)
		rc = store_list(p->store, p->shop->centra,
				r->warehouse, list, after, take_row, r, &p->e);
	else
		rc = store_done_since(p->store, p->shop->centra,
				      r->warehouse,
				      after ? after->expires : p->since,
				      after ? after->number : 0, take_row, r,
				      &p->e);
	r->more = r->n == AHEAD;
	return rc == RC_NOTFOUND ? OK : rc;
}

static int64_t deadline_key(int64_t expires)
{
	return expires == TIME_NONE ? INT64_MAX : expires;
}

static bool row_before(const struct listed *a, const struct listed *b)
{
	int64_t x = deadline_key(a->expires), y = deadline_key(b->expires);

	return x != y ? x < y : a->number < b->number;
}

/* Takes the earliest row of all the shop's warehouses.  *ret NULL: there are no
 * more. */
static enum rc next_row(struct page *p, enum list list,
			const struct listed **ret)
{
	struct rows *least = NULL;

	*ret = NULL;
	for (size_t i = 0; i < p->n_rows; i++) {
		struct rows *r = &p->rows[i];
		struct listed last;
		enum rc rc;

		if (r->at == r->n && r->more) {
			last = r->ahead[r->n - 1];
			rc = rows_read(p, r, list, &last);
			if (rc)
				return rc;
		}
		if (r->at < r->n &&
		    (!least ||
		     row_before(&r->ahead[r->at], &least->ahead[least->at])))
			least = r;
	}
	if (least)
		*ret = &least->ahead[least->at++];
	return OK;
}

/* Notes an order whose row is damaged.  It may have several rows in the lists,
 * and counts once. */
static void leave_out(struct page *p, int64_t number)
{
	for (size_t i = 0; i < p->n_unreadable; i++)
		if (p->unreadable[i] == number)
			return;
	log_limited(6, LOG_ERROR, "damaged order left out of a list",
		    LOG_S("instance", p->shop->centra), LOG_N("order", number),
		    LOG_S("shop", p->shop->id), LOG_S("error", p->e.text));
	p->unreadable = xrealloc(p->unreadable, p->n_unreadable + 1,
				 sizeof(*p->unreadable));
	p->unreadable[p->n_unreadable++] = number;
}

/* Writes the row's order, unless another row stands for it: an order that was
 * offered to two of the shop's warehouses has two rows, and the shop sees it by
 * one of them. */
static enum rc page_row(struct page *p, enum list list,
			const struct listed *row)
{
	const struct config_shop *shop = p->shop;
	struct order o = {0};
	const struct offer *f;
	enum rc rc;

	rc = store_order(p->store, shop->centra, row->number, &o, &p->e);
	if (rc == RC_INVALID) {
		leave_out(p, row->number);
		return OK;
	}
	if (rc)
		return rc == RC_NOTFOUND ? OK : rc;
	f = offer_of_shop(&o, shop->warehouses.ids, shop->warehouses.n);
	if (!f || f->warehouse != row->warehouse || f->list != list)
		goto out;
	if (p->n == p->limit) {
		p->full = true;
		goto out;
	}
	p->n++;
	rc = order_json(&p->res->body, p->store, p->goods, shop, &o, p->now, false,
			&p->e);
out:
	order_release(&o);
	return rc;
}

static enum rc page_list(struct page *p, enum list list,
			 const struct staff_cursor *behind)
{
	const struct listed *row;
	struct listed after = {0};
	enum rc rc;

	if (behind) {
		after.list = list;
		after.expires = behind->expires;
		after.number = behind->number;
	}
	for (size_t i = 0; i < p->n_rows; i++) {
		after.warehouse = p->rows[i].warehouse;
		rc = rows_read(p, &p->rows[i], list, behind ? &after : NULL);
		if (rc)
			return rc;
	}
	for (;;) {
		rc = next_row(p, list, &row);
		if (rc || !row)
			return rc;
		if (p->looked++ == ROWS_MAX) {
			p->full = true;
			return OK;
		}
		rc = page_row(p, list, row);
		if (rc || p->full)
			return rc;
		p->at = (struct staff_cursor){list, row->expires, row->number};
	}
}

struct wanted {
	enum list first, last;
	int64_t since; /* TIME_NONE: from the beginning */
	size_t limit;
	bool has_cursor;
	struct staff_cursor cursor;
};

/* Reads the argument `since`.  "today" begins at midnight in the shop's time
 * zone. */
static bool since_query(const struct request *req, int64_t *ret)
{
	const struct caller *c = caller_of(req);
	const struct config_instance *in =
		config_instance(c->config, c->shop->centra);

	return since_read(request_query(req, "since"), in ? in->zone : NULL,
			  req->now, ret);
}

/* Reads `since` if the request has it.  False: it is wrong; responds 400. */
static bool wanted_since(const struct request *req, struct response *res,
			 struct wanted *ret)
{
	ret->since = TIME_NONE;
	if (!request_query(req, "since"))
		return true;
	if (ret->first != LIST_DONE) {
		respond_field(res, "since", "goes with state=done");
		return false;
	}
	if (since_query(req, &ret->since))
		return true;
	respond_field(res, "since", SINCE_WANT);
	return false;
}

/* Reads the arguments of the request.  False: one is wrong; responds 400. */
static bool wanted_read(const struct request *req, struct response *res,
			struct wanted *ret)
{
	const char *state = request_query(req, "state");
	const char *limit = request_query(req, "limit");
	const char *cursor = request_query(req, "cursor");
	int64_t n = LIMIT_DEFAULT;

	*ret = (struct wanted){.first = LIST_OPEN, .last = LIST_DONE};
	if (state) {
		if (!list_read(state, strlen(state), &ret->first)) {
			respond_field(res, "state", "is open, mine or done");
			return false;
		}
		ret->last = ret->first;
	}
	if (!wanted_since(req, res, ret))
		return false;
	if (limit && !number_read(limit, 1, LIMIT_MAX, &n)) {
		respond_field(res, "limit", "is a number from 1 to 200");
		return false;
	}
	ret->limit = (size_t)n;
	if (!cursor)
		return true;
	ret->has_cursor = true;
	if (cursor_read(cursor, &ret->cursor) ||
	    ret->cursor.list < ret->first || ret->cursor.list > ret->last) {
		respond_field(res, "cursor",
			      "is not one that this list gave");
		return false;
	}
	ret->first = ret->cursor.list;
	return true;
}

static void page_end(struct page *p)
{
	char cursor[CURSOR_SIZE];

	cursor_write(cursor, &p->at);
	json_end_list(&p->res->body);
	json_put(&p->res->body, "cursor", p->full ? cursor : NULL);
	json_put_uint(&p->res->body, "unreadable", p->n_unreadable);
	json_end(&p->res->body);
	respond_json(p->res, 200);
}

void staff_orders(struct request *req, struct response *res)
{
	const struct config_shop *shop = caller_of(req)->shop;
	struct page p = {.store = shop_of(req)->store,
			 .goods = shop_of(req)->goods,
			 .shop = shop,
			 .now = req->now,
			 .res = res};
	struct wanted w;
	enum rc rc = OK;

	if (!wanted_read(req, res, &w))
		return;
	p.limit = w.limit;
	p.since = w.since;
	p.n_rows = shop->warehouses.n;
	p.rows = xcalloc(p.n_rows, sizeof(*p.rows));
	for (size_t i = 0; i < p.n_rows; i++)
		p.rows[i].warehouse = shop->warehouses.ids[i];
	json_begin(&res->body, NULL);
	json_begin_list(&res->body, "orders");
	for (int l = (int)w.first; !rc && !p.full && l <= (int)w.last; l++)
		rc = page_list(&p, (enum list)l,
			       w.has_cursor && (enum list)l == w.first ?
				       &w.cursor :
				       NULL);
	if (rc)
		respond_read(req, res, rc, p.e.text);
	else
		page_end(&p);
	free(p.unreadable);
	free(p.rows);
}

/* ---- how the shop is doing ---- */

#define REPORT_DAYS 31

/* A report of thousands of orders would keep a processor busy for many
 * milliseconds, so it is read in slices: a request thread reads this many orders
 * and then serves others; the report goes on after a pause, however often a
 * device asks. */
#define REPORT_PAUSE 5 /* ms */

static void report_free(void *state)
{
	report_release(state);
	free(state);
}

static void report_log_damaged(const struct report *r)
{
	if (r->unreadable)
		log_limited(6, LOG_ERROR, "damaged orders left out of a report",
			    LOG_S("instance", r->shop->centra),
			    LOG_N("order", r->first_unreadable),
			    LOG_S("shop", r->shop->id),
			    LOG_N("orders", r->unreadable));
}

/* Reads the next slice; responds after the last one.  An endpoint_fn. */
static void report_slice(struct request *req, struct response *res)
{
	struct report *r = req->state;
	struct err e = {""};
	bool more;
	enum rc rc = report_read(r, shop_of(req)->store, REPORT_SLICE, &more,
				 &e);

	if (rc) {
		respond_read(req, res, rc, e.text);
	} else if (more) {
		request_later(req, report_slice, time_mono() + REPORT_PAUSE);
	} else {
		report_log_damaged(r);
		report_json(&res->body, r);
		respond_json(res, 200);
	}
}

void staff_report(struct request *req, struct response *res)
{
	int64_t since;
	struct report *r;
	struct err e = {""};
	enum rc rc;

	if (!request_query(req, "since")) {
		since = req->now - 7 * INT64_C(86400000);
	} else if (!since_query(req, &since) ||
		   since < req->now - REPORT_DAYS * INT64_C(86400000)) {
		respond_field(res, "since",
			      SINCE_WANT ", at most 31 days ago");
		return;
	}
	r = xcalloc(1, sizeof(*r));
	req->state = r;
	req->state_free = report_free;
	rc = report_begin(r, shop_of(req)->store, caller_of(req)->shop, since,
			  req->now, &e);
	if (rc)
		respond_read(req, res, rc, e.text);
	else
		report_slice(req, res);
}
