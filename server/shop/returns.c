/* SPDX-License-Identifier: MIT
 *
 * returns.c - GET and POST /returns: see returns.h.
 *
 * A lookup shows what of an order can be given back: products, and nothing of
 * the customer, since the order may be another shop's.  POST is a kind of action
 * (action.h): the return is durable first; the task `return` then books it.
 */
#include "server/shop/returns.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/json_write.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "centra/returns.h"
#include "handlers/returns.h"
#include "server/access/auth.h"
#include "server/shop/action.h"
#include "server/shop/order_json.h"
#include "server/shop/orders.h"

#define KEY_BYTES (ONCE_HASH + 8) /* of a request's key and body, kept */

static const char *const reasons[] = {
	"too_small",	"too_large",	"not_as_expected", "damaged",
	"wrong_item", "changed_mind", "other",		   NULL,
};
#define REASONS                                                               \
	"has for each a line_id, a quantity of at least 1 and a reason: "     \
	"too_small, too_large, not_as_expected, damaged, wrong_item, "        \
	"changed_mind or other"

static bool shop_takes(const struct config_shop *shop, struct response *res)
{
	if (shop->returns)
		return true;
	respond_problem(res, 404, "not_found",
			"this shop takes no returns (`returns`)");
	return false;
}

static void key_of(char ret[24], int64_t number)
{
	snprintf(ret, 24, "%" PRId64, number);
}

/* Reads the returns of an order.  False: it has responded. */
static bool read_returns(struct request *req, struct response *res,
			 const char *instance, int64_t number,
			 struct returns *ret)
{
	struct doc d = {0};
	struct err e = {""};
	char key[24];
	enum rc rc;

	*ret = (struct returns){0};
	key_of(key, number);
	rc = store_doc(shop_of(req)->store, RETURN_KIND, instance, key, &d, &e);
	if (!rc)
		rc = returns_read(d.text, ret, &e);
	doc_release(&d);
	if (!rc || rc == RC_NOTFOUND)
		return true;
	respond_read(req, res, rc, e.text);
	return false;
}

static void put_return(struct buf *b, const char *name, int64_t order,
		       const struct goods_return *r)
{
	json_begin(b, name);
	json_put_int(b, "order", order);
	json_put_int(b, "id", r->id);
	json_put(b, "state", return_states[r->state]);
	json_put_bool(b, "restock", r->restock);
	json_put_time(b, "at", r->at, 0, false);
	json_begin_list(b, "lines");
	for (size_t i = 0; i < r->n_lines; i++) {
		json_begin(b, NULL);
		json_put_int(b, "line_id", r->lines[i].line);
		json_put_int(b, "quantity", r->lines[i].quantity);
		json_put(b, "reason", r->lines[i].reason);
		json_end(b);
	}
	json_end_list(b);
	json_end(b);
}

/* ---- what can be given back ---- */

struct returnable {
	struct lookup lookup; /* must be first */
	int64_t number;
	struct centra_sold sold; /* owned */
};

static void ask(struct lookup *l, struct centra_conn *n, struct call *ret)
{
	struct returnable *r = (struct returnable *)l;

	graphql_sold(n, r->number, &r->sold);
	*ret = r->sold.call;
}

static void release(struct lookup *l)
{
	struct returnable *r = (struct returnable *)l;

	centra_sold_release(&r->sold);
	free(r);
}

static void put_line(struct buf *b, const struct centra_bought *l,
		     int64_t shipped, int64_t pending)
{
	int64_t left = shipped - l->returned - pending;

	json_begin(b, NULL);
	json_put_int(b, "line_id", l->id);
	json_put(b, "product", l->product);
	json_put(b, "variant", l->variant);
	json_put(b, "size", l->size);
	json_put(b, "sku", l->sku);
	json_put(b, "ean", l->ean);
	json_put(b, "upc", l->upc);
	json_put_int(b, "shipped", shipped);
	json_put_int(b, "returned", l->returned);
	json_put_int(b, "returnable", left > 0 ? left : 0);
	json_end(b);
}

static void put_lines(struct buf *b, const struct centra_sold *sold,
		      const struct returns *all)
{
	json_begin_list(b, "lines");
	for (size_t i = 0; i < sold->n_lines; i++) {
		const struct centra_bought *l = &sold->lines[i];
		int64_t shipped = centra_shipped_units(sold, l->id);

		if (shipped)
			put_line(b, l, shipped, returns_pending(all, l->id));
	}
	json_end_list(b);
}

static void show(struct request *req, struct response *res)
{
	const struct returnable *r = req->state;
	const struct config_shop *shop = caller_of(req)->shop;
	struct buf *b = &res->body;
	struct returns all;

	if (!lookup_answered(req, res))
		return;
	if (!r->sold.found) {
		respond_problem(res, 404, "not_found",
				"Centra shows no order of this number");
		return;
	}
	if (!read_returns(req, res, shop->centra, r->number, &all))
		return;
	json_begin(b, NULL);
	json_put_int(b, "order", r->number);
	put_lines(b, &r->sold, &all);
	json_begin_list(b, "returns");
	for (size_t i = 0; i < all.n; i++)
		if (!strcmp(all.list[i].shop, shop->id))
			put_return(b, NULL, r->number, &all.list[i]);
	json_end_list(b);
	json_end(b);
	respond_json(res, 200);
	returns_release(&all);
}

void staff_returnable(struct request *req, struct response *res)
{
	const struct config_shop *shop = caller_of(req)->shop;
	const char *order = request_query(req, "order");
	struct returnable *r;
	int64_t number;

	if (!shop_takes(shop, res))
		return;
	if (!order || !order_number_read(order, &number)) {
		respond_field(res, "order", "is the number of an order");
		return;
	}
	r = xcalloc(1, sizeof(*r));
	r->number = number;
	r->lookup = (struct lookup){.what = "returnable",
				    .api = CENTRA_GRAPHQL,
				    .ask = ask,
				    .release = release};
	lookup_begin(shop_of(req)->lookups, &r->lookup, shop->centra, req,
		     show);
}

/* ---- a return ---- */

struct return_action {
	struct goods_return r; /* what is asked for; owns its lines */
	char *hex;	       /* owned: r.key */
	char key[24];	       /* of the order's document */
	struct doc_name name;  /* the document: the write borrows it */
	int64_t id;	       /* out: of the return; 0: seen before */
};

static bool read_line(const struct json *v, struct return_line *l)
{
	const char *reason = json_text(json_get(v, "reason"));

	if (!json_whole(json_get(v, "line_id"), 1, JSON_WHOLE_MAX, &l->line) ||
	    !json_whole(json_get(v, "quantity"), 1, JSON_WHOLE_MAX,
			&l->quantity) ||
	    !text_is_one_of(reason, reasons))
		return false;
	l->reason = xstrdup(reason);
	return true;
}

static int by_line(const void *a, const void *b)
{
	const struct return_line *x = a, *y = b;

	return (x->line > y->line) - (x->line < y->line);
}

static bool read_lines(struct action *p, struct response *res,
		       struct goods_return *r)
{
	const struct json *list = json_get(p->body, "lines"), *v;
	size_t n = json_length(list);

	if (!json_is_list(list) || n < 1 || n > RETURN_LINES_MAX) {
		respond_field(res, "lines",
			      "is a list of 1 to 30 lines that are given back");
		return false;
	}
	r->lines = xcalloc(n, sizeof(*r->lines));
	json_each(v, list)
	{
		if (!read_line(v, &r->lines[r->n_lines])) {
			respond_field(res, "lines", REASONS);
			return false;
		}
		r->n_lines++;
	}
	qsort(r->lines, r->n_lines, sizeof(*r->lines), by_line);
	for (size_t i = 1; i < r->n_lines; i++)
		if (r->lines[i].line == r->lines[i - 1].line) {
			respond_field(res, "lines", "names a line twice");
			return false;
		}
	return true;
}

/* What tells the request from others: "" without an Idempotency-Key. */
static char *key_text(const struct action *p)
{
	unsigned char bytes[KEY_BYTES];
	char *ret = xcalloc(2 * KEY_BYTES + 1, 1);

	if (!p->keyed)
		return ret;
	memcpy(bytes, p->once.key, ONCE_HASH);
	memcpy(bytes + ONCE_HASH, p->once.request, KEY_BYTES - ONCE_HASH);
	hex_write(ret, bytes, KEY_BYTES);
	return ret;
}

static bool return_read(struct action *p, struct response *res)
{
	struct return_action *mine = p->own;
	const struct json *restock = json_get(p->body, "restock");

	if (!shop_takes(p->shop, res))
		return false;
	if (!json_whole(json_get(p->body, "order"), 1, JSON_WHOLE_MAX,
			&p->number)) {
		respond_field(res, "order", "is the number of an order");
		return false;
	}
	if (!json_is_bool(restock)) {
		respond_field(res, "restock", "is true or false: whether the "
					      "goods can be sold again");
		return false;
	}
	mine->hex = key_text(p);
	mine->r.state = RETURN_ASKED;
	mine->r.shop = p->shop->id;
	mine->r.warehouse = p->shop->warehouses.ids[0];
	mine->r.restock = json_is_true(restock);
	mine->r.by = p->by;
	mine->r.device = p->device;
	mine->r.key = mine->hex;
	mine->r.at = p->now;
	return read_lines(p, res, &mine->r);
}

static void return_release(struct action *p)
{
	struct return_action *mine = p->own;

	for (size_t i = 0; i < mine->r.n_lines; i++)
		free(mine->r.lines[i].reason);
	free(mine->r.lines);
	free(mine->hex);
}

/* While a call is under way the document belongs to its run: what the run finds
 * must not be left out because another return came in between. */
static bool is_busy(const struct returns *all)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->list[i].state == RETURN_ASKED && all->list[i].trying)
			return true;
	return false;
}

/* Adds the return to those of the order. */
static enum rc add(struct action *p, struct returns *all,
		   struct doc_writes *ret, struct err *e)
{
	struct return_action *mine = p->own;
	const struct goods_return *had = returns_asked(all, &mine->r);
	struct task task = {.kind = TASK_RETURN, .number = p->number,
			    .due = p->now};
	struct doc d = {0};
	enum rc rc;

	if (had) {
		mine->id = had->id;
		return RC_EXISTS;
	}
	if (is_busy(all))
		return fail(e, RC_AGAIN, "another return of the order is being "
					 "booked");
	had = returns_add(all, &mine->r);
	if (!had)
		return fail(e, RC_AGAIN, "too many returns of the order wait");
	mine->id = had->id;
	rc = returns_doc(all, p->instance, p->number, p->now, &d, e);
	if (!rc) {
		doc_writes_put(ret, &d);
		snprintf(task.instance, sizeof(task.instance), "%s",
			 p->instance);
		doc_writes_task(ret, &task);
	}
	doc_release(&d);
	return rc;
}

/* A store_docs_fn. */
static enum rc decide(void *arg, const struct doc *docs, size_t n,
		      struct doc_writes *ret, struct err *e)
{
	struct action *p = arg;
	struct returns all;
	enum rc rc = returns_read(n ? docs[0].text : NULL, &all, e);

	if (rc)
		return rc;
	rc = add(p, &all, ret, e);
	returns_release(&all);
	return rc;
}

static enum rc return_store(struct action *p, struct err *e)
{
	struct return_action *mine = p->own;

	key_of(mine->key, p->number);
	mine->name = (struct doc_name){RETURN_KIND, p->instance, mine->key};
	return store_docs_update(p->room->store, &mine->name, 1, decide, p,
				 p->keyed ? &p->once : NULL, p->now,
				 &p->pending.done, e);
}

static void return_count(struct action *p)
{
	COUNT(p->room->counters, returns_total);
}

static void respond_ended(struct response *res, int64_t order,
			  const struct goods_return *r)
{
	const char *code = r->code ? r->code : "refused";
	const char *words = r->error ? r->error : code_words(code);
	struct buf b;

	respond_problem(res, 409, code, "%s", words ? words : code);
	buf_init(&b, DOC_TEXT_MAX);
	put_return(&b, NULL, order, r);
	respond_member(res, "return", b.data);
	buf_release(&b);
}

static bool return_settle(struct action *p, struct response *res,
			  const struct order *o)
{
	struct return_action *mine = p->own;
	const struct goods_return *r;
	struct returns all;
	bool ended = true;

	(void)o;
	if (!read_returns(p->pending.req, res, p->instance, p->number, &all))
		return true;
	r = mine->id ? returns_find(&all, mine->id)
		     : returns_asked(&all, &mine->r);
	if (!r) {
		respond_problem(res, 409, "answered",
				"this return was asked for before, and is no "
				"longer kept");
	} else if (r->state == RETURN_ASKED && action_may_wait(p)) {
		ended = false;
	} else if (r->state == RETURN_ASKED || r->state == RETURN_DONE) {
		put_return(&res->body, NULL, p->number, r);
		respond_json(res, r->state == RETURN_DONE ? 200 : 202);
	} else {
		respond_ended(res, p->number, r);
	}
	returns_release(&all);
	return ended;
}

void staff_return(struct request *req, struct response *res)
{
	static const struct action_kind kind = {
		.own_size = sizeof(struct return_action),
		.read = return_read,
		.said = LOG_MSG("a shop takes goods back"),
		.store = return_store,
		.count = return_count,
		.settle = return_settle,
		.release = return_release,
	};

	action_begin(req, res, &kind);
}
