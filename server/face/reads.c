/* SPDX-License-Identifier: MIT
 *
 * reads.c - GET /orders, GET /products and GET /stock of the shop's own Order API: what
 * Centra shows, by a lookup (server/lookup), with nothing of another shop in it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/number.h"
#include "centra/order_shipments.h"
#include "centra/products.h"
#include "handlers/offer.h"
#include "server/face/face_private.h"

#define FILTERS_MAX	8
#define WAREHOUSES_MOST 8 /* of a shop, whose stock is asked for */
#define VALUE_MAX   ((size_t)1 << 20)

struct face_lookup {
	struct lookup lookup; /* must be first */
	const char *path;     /* a constant */
	struct order_api_filter filters[FILTERS_MAX]; /* owned values */
	size_t n_filters;
	int64_t number; /* of GET /orders */
	struct json *found; /* owned; out */

	/* Of GET /stock: the shop's warehouses, and the figures of each. */
	int64_t warehouses[WAREHOUSES_MOST];
	size_t n_warehouses;
	struct centra_sizes stock[WAREHOUSES_MOST]; /* out */
};

static void ask(struct lookup *lookup, struct centra_conn *n, struct call *ret)
{
	struct face_lookup *l = (struct face_lookup *)lookup;

	order_api_read(n, l->path, l->filters, l->n_filters, ret, &l->found);
	/* The plugin does not allow the call: that does not pass by itself. */
	if (ret->status == 403 && ret->end != CALL_OK)
		ret->refused = true;
}

static void release(struct lookup *lookup)
{
	struct face_lookup *l = (struct face_lookup *)lookup;

	for (size_t i = 0; i < l->n_filters; i++)
		free((void *)(uintptr_t)l->filters[i].value);
	for (size_t i = 0; i < WAREHOUSES_MOST; i++)
		centra_sizes_release(&l->stock[i]);
	json_free(l->found);
	free(l);
}

static struct face_lookup *lookup_new(const char *path, const char *what)
{
	struct face_lookup *l = xcalloc(1, sizeof(*l));

	l->path = path;
	l->lookup = (struct lookup){
		.what = what,
		.api = CENTRA_ORDER_API,
		.ask = ask,
		.release = release,
	};
	return l;
}

static void add_filter(struct face_lookup *l, const char *name,
		       const char *value)
{
	l->filters[l->n_filters++] = (struct order_api_filter){
		name, xstrdup(value)};
}

/* Returns what the lookup has found; NULL: it has responded. */
static const struct face_lookup *found(struct request *req,
				       struct response *res)
{
	const struct face_lookup *l = req->state;
	int64_t retry = 1;
	enum lookup_end end = lookup_result(req, &retry);

	if (end == LOOKUP_OK && l->found)
		return l;
	face_later(res, code_words(lookup_code(end == LOOKUP_OK ? LOOKUP_AWAY
								: end)));
	res->retry_after = retry > 0 ? retry : 1;
	face_count(req, FACE_LATER);
	return NULL;
}

static void put_value(struct buf *out, const char *key, const struct json *v)
{
	struct buf b;

	buf_init(&b, VALUE_MAX);
	json_canonical(v, &b);
	json_put_raw(out, key, b.data && !buf_full(&b) ? b.data : "null");
	buf_release(&b);
}

/* ---- products ---- */

/* The catalogue is the same for all shops: Centra's reply is passed on. */
static void show_products(struct request *req, struct response *res)
{
	const struct face_lookup *l = found(req, res);

	if (!l)
		return;
	json_canonical(l->found, &res->body);
	respond_json(res, 200);
	face_count(req, json_is(json_get(l->found, "status"), "ok") ? FACE_OK
								    : FACE_NO);
}

void face_products(struct request *req, struct response *res)
{
	static const char *const names[] = {"ean",	   "sku",
					    "productId",   "variantId",
					    "stockItemId", "modified",
					    "limit",	   "page"};
	struct face_lookup *l = lookup_new("/products", "product");
	const char *value;

	(void)res;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		value = request_query(req, names[i]);
		if (value)
			add_filter(l, names[i], value);
	}
	lookup_begin(shop_of(req)->lookups, &l->lookup,
		     caller_of(req)->shop->centra, req, show_products);
}

/* ---- stock ---- */

/* Returns the code by which the row's size is looked for: its EAN, else its
 * whole SKU; owned.  NULL: it has neither. */
static char *code_of(const struct json *row, enum centra_code *ret_by)
{
	const char *ean = json_text(json_get(row, "ean"));
	const char *sku = json_text(json_get(row, "sku"));
	const char *variant = json_text(json_get(row, "variantSku"));
	const char *size = json_text(json_get(row, "sizeSku"));

	*ret_by = ean && *ean ? CODE_EAN : CODE_SKU;
	if (ean && *ean)
		return xstrdup(ean);
	return sku && *sku ? xasprintf("%s%s%s", sku, variant ? variant : "",
				       size ? size : "") : NULL;
}

/* Asks for the figures of what Centra lists, in each of the shop's warehouses.
 * Centra's own GET /stock has those of all warehouses of the plugin together. */
static void ask_stock(struct lookup *lookup, struct centra_conn *n,
		      struct call *ret)
{
	struct face_lookup *l = (struct face_lookup *)lookup;
	struct centra_wanted wanted[SIZES_MAX];
	char *codes[SIZES_MAX];
	const struct json *row;
	size_t n_wanted = 0;

	ask(lookup, n, ret);
	json_each(row, json_get(l->found, "products"))
	{
		if (n_wanted == SIZES_MAX)
			break;
		codes[n_wanted] = code_of(row, &wanted[n_wanted].by);
		/* Rows without a code keep their place. */
		if (!codes[n_wanted])
			codes[n_wanted] = xstrdup("-");
		wanted[n_wanted].code = codes[n_wanted];
		n_wanted++;
	}
	for (size_t i = 0; ret->end == CALL_OK && n_wanted &&
			   i < l->n_warehouses; i++) {
		graphql_sizes(n, wanted, n_wanted, l->warehouses[i],
			      &l->stock[i]);
		*ret = l->stock[i].call;
	}
	for (size_t i = 0; i < n_wanted; i++)
		free(codes[i]);
}

/* Adds up the figures of the i-th row over the shop's warehouses. */
static void put_figures(struct buf *out, const struct face_lookup *l, size_t at)
{
	int64_t physical = 0, allocated = 0, available = 0;

	for (size_t i = 0; i < l->n_warehouses; i++)
		for (size_t k = 0; k < l->stock[i].n; k++) {
			const struct centra_size *s = &l->stock[i].list[k];

			if (s->wanted != at || !s->stocked)
				continue;
			physical += s->physical;
			allocated += s->allocated;
			available += s->free;
		}
	json_put_int(out, "physicalStock", physical);
	json_put_int(out, "allocatedStock", allocated);
	json_put_int(out, "availableStock", available);
}

static void show_stock(struct request *req, struct response *res)
{
	static const char *const members[] = {
		"sku",		"productId", "variantSku",  "variantId",
		"sizeSku",	"brand",     "collection",  "product",
		"variant",	"size",	     "stockItemId", "ean",
		"upc",		"weight",    "weightUnit",  "countryOfOrigin",
		"harmCode",	"harmDescription", "active",
	};
	const struct face_lookup *l = found(req, res);
	const struct json *row;
	size_t at = 0;

	if (!l)
		return;
	json_begin(&res->body, NULL);
	json_put(&res->body, "status", "ok");
	json_begin_list(&res->body, "products");
	json_each(row, json_get(l->found, "products"))
	{
		if (at == SIZES_MAX)
			break;
		json_begin(&res->body, NULL);
		for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
			if (json_get(row, members[i]))
				put_value(&res->body, members[i],
					  json_get(row, members[i]));
		put_figures(&res->body, l, at++);
		json_end(&res->body);
	}
	json_end_list(&res->body);
	json_end(&res->body);
	respond_json(res, 200);
	face_count(req, FACE_OK);
}

void face_stock(struct request *req, struct response *res)
{
	static const char *const names[] = {"ean", "sku", "upc"};
	const struct config_shop *shop = caller_of(req)->shop;
	struct face_lookup *l = lookup_new("/products", "stock");
	char limit[24];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (request_query(req, names[i]))
			add_filter(l, names[i], request_query(req, names[i]));
	if (!l->n_filters) {
		release(&l->lookup);
		face_no(res, "one of ean, sku and upc is required", 0, NULL);
		face_count(req, FACE_NO);
		return;
	}
	snprintf(limit, sizeof(limit), "%d", SIZES_MAX);
	add_filter(l, "limit", limit);
	for (size_t i = 0; i < shop->warehouses.n && i < WAREHOUSES_MOST; i++)
		l->warehouses[l->n_warehouses++] = shop->warehouses.ids[i];
	l->lookup.ask = ask_stock;
	lookup_begin(shop_of(req)->lookups, &l->lookup, shop->centra, req,
		     show_stock);
}

/* ---- one order ---- */

/* An order while it is shown to a shop. */
struct showing {
	struct buf *out;
	const struct config_shop *shop;
	const struct order *o;
	bool people; /* names and addresses may be shown */
};

static bool is_shops(const struct showing *s, int64_t warehouse)
{
	for (size_t i = 0; i < s->shop->warehouses.n; i++)
		if (s->shop->warehouses.ids[i] == warehouse)
			return true;
	return false;
}

/* True if the shop is or was told that the order is its own. */
static bool may_see(struct showing *s)
{
	bool ret = false;

	for (size_t i = 0; i < s->o->n_offers; i++) {
		const struct offer *f = &s->o->offers[i];

		if (!is_shops(s, f->warehouse) || !f->was_accepted ||
		    (f->state != STATE_ACCEPTED &&
		     f->state != STATE_CANCELLED))
			continue;
		ret = true;
		for (size_t k = 0; k < f->n_shipments; k++)
			s->people |= ship_system_waits(s->o, f,
						       &f->shipments[k]);
	}
	return ret;
}

/* Returns how many units of the line are, or were, the shop's. */
static int64_t units_of(const struct showing *s, int64_t line)
{
	int64_t n = 0;

	for (size_t i = 0; i < s->o->n_offers; i++) {
		const struct offer *f = &s->o->offers[i];
		const struct ship_held *h = ship_held_of(f, line);

		if (is_shops(s, f->warehouse) && h)
			n += h->ours;
	}
	return n;
}

static void put_product(const struct showing *s, const struct json *p)
{
	const struct json *m;
	int64_t line = 0, n;

	(void)json_int(json_get(p, "lineId"), &line);
	n = units_of(s, line);
	if (!n)
		return;
	json_begin(s->out, NULL);
	json_each(m, p)
		if (strcmp(json_name(m), "qty") &&
		    strcmp(json_name(m), "warehouses") &&
		    strncmp(json_name(m), "total", 5))
			put_value(s->out, json_name(m), m);
	json_put_int(s->out, "qty", n);
	json_begin_list(s->out, "warehouses");
	json_begin(s->out, NULL);
	json_put(s->out, "name", s->shop->name);
	json_put_int(s->out, "itemQty", n);
	json_end(s->out);
	json_end_list(s->out);
	json_end(s->out);
}

static bool is_shops_shipment(const struct showing *s, const char *number)
{
	const struct shipment *found;

	if (!number)
		return false;
	found = ship_system_find(s->o, s->shop->warehouses.ids,
				 s->shop->warehouses.n, number, NULL);
	return found && !strcmp(found->came.number, number);
}

/* True for members that only say something of the whole order, which others
 * may share. */
static bool is_of_the_whole(const char *name)
{
	return !strncmp(name, "grandTotal", 10) || !strncmp(name, "total", 5) ||
	       !strcmp(name, "ipAddress") || !strncmp(name, "payment", 7) ||
	       !strcmp(name, "voucherValue") || !strcmp(name, "taxBreakdown");
}

/* Adds the member without its value, so that the row keeps Centra's shape: no
 * text, 0, false, null, an empty list, an object of such. */
static void put_blank(struct buf *out, const char *name, const struct json *v)
{
	const struct json *m;

	if (json_is_object(v)) {
		json_begin(out, name);
		json_each(m, v)
			put_blank(out, json_name(m), m);
		json_end(out);
	} else if (json_is_list(v)) {
		json_begin_list(out, name);
		json_end_list(out);
	} else if (json_is_bool(v)) {
		json_put_bool(out, name, false);
	} else if (json_is_null(v)) {
		json_put(out, name, NULL);
	} else if (json_text(v)) {
		json_put(out, name, "");
	} else {
		json_put_int(out, name, 0);
	}
}

static void put_order(const struct showing *s, const struct json *row)
{
	const struct json *m, *x;

	json_begin(s->out, NULL);
	json_each(m, row)
	{
		const char *name = json_name(m);

		if (!strcmp(name, "products")) {
			json_begin_list(s->out, name);
			json_each(x, m)
				put_product(s, x);
			json_end_list(s->out);
		} else if (!strcmp(name, "shipments")) {
			json_begin_list(s->out, name);
			json_each(x, m)
				if (is_shops_shipment(
					    s, json_text(json_get(
						       x, "shipmentId"))))
					put_value(s->out, NULL, x);
			json_end_list(s->out);
		} else if (is_of_the_whole(name)) {
			put_blank(s->out, name, m);
		} else if (!s->people && ship_is_personal(name)) {
			put_blank(s->out, name, m);
		} else {
			put_value(s->out, name, m);
		}
	}
	json_end(s->out);
}

static void show_rows(struct showing *s, const struct face_lookup *l)
{
	const struct json *row;
	int64_t number;

	json_begin(s->out, NULL);
	json_put(s->out, "status", "ok");
	json_begin_list(s->out, "orders");
	if (l && may_see(s))
		json_each(row, json_get(l->found, "orders"))
			if (json_int(json_get(row, "orderId"), &number) &&
			    number == l->number)
				put_order(s, row);
	json_end_list(s->out);
	json_end(s->out);
}

/* By the order as it is now, and not as it was when Centra was asked. */
static void show_order(struct request *req, struct response *res)
{
	const struct face_lookup *l = found(req, res);
	struct order o = {0};
	struct showing s = {
		.out = &res->body,
		.shop = caller_of(req)->shop,
		.o = &o,
	};
	struct err e;
	enum rc rc;

	if (!l)
		return;
	rc = store_order(shop_of(req)->store, s.shop->centra, l->number, &o,
			 &e);
	if (rc && rc != RC_NOTFOUND) {
		face_later(res, "orders cannot be read right now; try again");
		face_count(req, FACE_LATER);
	} else {
		show_rows(&s, l);
		respond_json(res, 200);
		face_count(req, FACE_OK);
	}
	order_release(&o);
}

void face_orders(struct request *req, struct response *res)
{
	const char *text = request_query(req, "order");
	struct showing s = {.out = &res->body,
			    .shop = caller_of(req)->shop};
	struct order o = {0};
	struct face_lookup *l;
	struct err e;
	int64_t number;
	enum rc rc;

	if (!text || !number_read(text, 1, INT64_MAX, &number)) {
		face_no(res, "order is the number of one order", 0, NULL);
		face_count(req, FACE_NO);
		return;
	}
	/* Of an order that is not the shop's, Centra is not asked. */
	rc = store_order(shop_of(req)->store, s.shop->centra, number, &o, &e);
	s.o = &o;
	if (rc == RC_NOTFOUND || (!rc && !may_see(&s))) {
		show_rows(&s, NULL);
		respond_json(res, 200);
		face_count(req, FACE_OK);
	} else if (rc) {
		face_later(res, "orders cannot be read right now; try again");
		face_count(req, FACE_LATER);
	} else {
		l = lookup_new("/orders", "order");
		l->number = number;
		add_filter(l, "order", text);
		lookup_begin(shop_of(req)->lookups, &l->lookup,
			     s.shop->centra, req, show_order);
	}
	order_release(&o);
}
