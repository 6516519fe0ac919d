/* SPDX-License-Identifier: MIT
 *
 * products.c - see products.h.
 *
 * Both questions are lookups (server/lookup/lookup.h): Centra is asked by a
 * thread of that room, and the request waits without keeping one.
 */
#include "server/shop/products.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "base/text.h"
#include "centra/products.h"
#include "server/access/auth.h"
#include "server/lookup/lookup.h"
#include "server/shop/action.h"
#include "server/lookup/picture.h"
#include "server/shop/shop.h"

#define WAREHOUSES_MOST 8 /* of a shop, whose stock is asked for */

struct question {
	struct lookup lookup; /* must be first */
	bool by_sku;
	char code[GOODS_CODE_MAX * UTF8_MOST + 1];
	int64_t warehouses[WAREHOUSES_MOST];
	size_t n;

	/* What was found. */
	struct centra_products products;
	struct centra_sizes stock[WAREHOUSES_MOST]; /* for each warehouse */
	int64_t at; /* when it was asked, ms */
};

static void release(struct lookup *l)
{
	struct question *q = (struct question *)l;

	centra_products_release(&q->products);
	for (size_t i = 0; i < WAREHOUSES_MOST; i++)
		centra_sizes_release(&q->stock[i]);
	free(q);
}

/* ---- the question ---- */

static bool is_code(const char *s)
{
	for (const char *p = s; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
	return *s && text_is_utf8(s) && text_length(s) <= GOODS_CODE_MAX;
}

/* Reads ?ean= or ?sku=.  NULL: it is wrong; responds 400. */
static struct question *question(const struct request *req,
				 struct response *res)
{
	const char *ean = request_query(req, "ean");
	const char *sku = request_query(req, "sku");
	const char *field = ean ? "ean" : "sku", *code = ean ? ean : sku;
	struct question *q;

	if (!ean == !sku) {
		respond_field(res, "ean", "or 'sku' is needed, and not both");
		return NULL;
	}
	if (!is_code(code)) {
		respond_field(res, field,
			      "is a code of 1 to 64 characters");
		return NULL;
	}
	q = xcalloc(1, sizeof(*q));
	q->by_sku = sku;
	memcpy(q->code, code, strlen(code) + 1);
	q->lookup.release = release;
	return q;
}

/* ---- what is this? ---- */

/* Finds the size by GraphQL, which knows UPCs, and SKUs as they are printed.
 * False: it is not found, or cannot be asked for. */
static bool find_size(struct question *q, struct centra_conn *n,
		      struct centra_sizes *ret)
{
	const struct centra_wanted wanted = {
		.by = q->by_sku ? CODE_SKU : CODE_UPC, .code = q->code};

	graphql_sizes(n, &wanted, 1, 0, ret);
	return ret->call.end == CALL_OK && ret->n;
}

/* Takes over what GraphQL tells of sizes that the Order API does not list. */
static void only_sizes(struct question *q, struct centra_sizes *found)
{
	free(q->products.list);
	q->products.list = xcalloc(found->n, sizeof(*q->products.list));
	q->products.n = found->n;
	for (size_t i = 0; i < found->n; i++) {
		struct centra_size *s = &found->list[i];

		q->products.list[i] = (struct centra_product){
			.size = s->size, .sku = s->sku, .ean = s->ean,
			.upc = s->upc, .active = true};
		s->size = s->sku = s->ean = s->upc = NULL;
	}
}

/* Looks for the one size that was found in the Order API, which tells more of it.
 * Of several sizes with one code all are told, since nobody knows which it is. */
static void find_more(struct question *q, struct centra_conn *n,
		      struct centra_sizes *found, struct call *ret)
{
	const char *ean = found->n == 1 ? found->list[0].ean : NULL;

	if (ean) {
		centra_products_release(&q->products);
		order_api_products(n, false, ean, &q->products);
		*ret = q->products.call;
	}
	if (ret->end == CALL_OK && !q->products.n)
		only_sizes(q, found);
}

/* The function `ask` of GET /api/v1/products. */
static void ask_product(struct lookup *l, struct centra_conn *n,
			struct call *ret)
{
	struct question *q = (struct question *)l;
	struct centra_sizes sizes = {.n = 0};

	order_api_products(n, q->by_sku, q->code, &q->products);
	*ret = q->products.call;
	if (ret->end == CALL_OK && !q->products.n && find_size(q, n, &sizes))
		find_more(q, n, &sizes, ret);
	centra_sizes_release(&sizes);
}

static void product_json(struct buf *b, const struct centra_product *p,
			 const char *from)
{
	json_begin(b, NULL);
	json_put(b, "name", p->name ? p->name : p->product);
	json_put(b, "product", p->product);
	json_put(b, "variant", p->variant);
	json_put(b, "size", p->size);
	json_put(b, "sku", p->sku);
	json_put(b, "ean", p->ean);
	json_put(b, "upc", p->upc);
	json_put(b, "picture",
		 picture_allowed(p->picture, from) ? p->picture : NULL);
	json_put_bool(b, "active", p->active);
	json_end(b);
}

static void show_products(struct request *req, struct response *res)
{
	const struct question *q = req->state;
	const struct caller *c = caller_of(req);
	const struct config_instance *in =
		config_instance(c->config, c->shop->centra);

	if (!lookup_answered(req, res))
		return;
	json_begin(&res->body, NULL);
	json_begin_list(&res->body, "products");
	for (size_t i = 0; i < q->products.n; i++)
		product_json(&res->body, &q->products.list[i],
			     in ? in->pictures_from : NULL);
	json_end_list(&res->body);
	json_end(&res->body);
	respond_json(res, 200);
}

void staff_products(struct request *req, struct response *res)
{
	struct question *q = question(req, res);

	if (!q)
		return;
	q->lookup.what = "product";
	q->lookup.api = CENTRA_ORDER_API;
	q->lookup.ask = ask_product;
	lookup_begin(shop_of(req)->lookups, &q->lookup,
		     caller_of(req)->shop->centra, req, show_products);
}

/* ---- how many are there? ---- */

/* The function `ask` of GET /api/v1/stock. */
static void ask_stock(struct lookup *l, struct centra_conn *n,
		      struct call *ret)
{
	struct question *q = (struct question *)l;
	const struct centra_wanted wanted[] = {
		{q->by_sku ? CODE_SKU : CODE_EAN, q->code},
		{CODE_UPC, q->code},
	};

	for (size_t i = 0; i < q->n; i++) {
		graphql_sizes(n, wanted, q->by_sku ? 1 : 2, q->warehouses[i],
			      &q->stock[i]);
		*ret = q->stock[i].call;
		if (ret->end != CALL_OK)
			return;
	}
}

static void count_json(struct buf *b, const char *key, bool known, int64_t n)
{
	if (known)
		json_put_int(b, key, n);
	else
		json_put_null(b, key);
}

static void stock_json(struct buf *b, const struct centra_size *s,
		       int64_t warehouse)
{
	json_begin(b, NULL);
	json_put_int(b, "warehouse", warehouse);
	json_put(b, "size", s->size);
	json_put(b, "sku", s->sku);
	json_put(b, "ean", s->ean);
	json_put(b, "upc", s->upc);
	count_json(b, "physical", s->stocked, s->physical);
	count_json(b, "allocated", s->stocked, s->allocated);
	count_json(b, "free", s->stocked, s->free);
	json_end(b);
}

/* True if the same size stands before the i-th: it was found by its EAN and by
 * its UPC. */
static bool is_twin(const struct centra_sizes *s, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (s->list[k].id == s->list[i].id)
			return true;
	return false;
}

static void show_stock(struct request *req, struct response *res)
{
	const struct question *q = req->state;

	if (!lookup_answered(req, res))
		return;
	json_begin(&res->body, NULL);
	json_begin_list(&res->body, "items");
	for (size_t i = 0; i < q->n; i++)
		for (size_t k = 0; k < q->stock[i].n; k++)
			if (!is_twin(&q->stock[i], k))
				stock_json(&res->body, &q->stock[i].list[k],
					   q->warehouses[i]);
	json_end_list(&res->body);
	json_put_time(&res->body, "at", q->at, 0, true);
	json_end(&res->body);
	respond_json(res, 200);
}

void staff_stock(struct request *req, struct response *res)
{
	const struct config_shop *shop = caller_of(req)->shop;
	struct question *q = question(req, res);

	if (!q)
		return;
	q->at = req->now;
	for (; q->n < shop->warehouses.n && q->n < WAREHOUSES_MOST; q->n++)
		q->warehouses[q->n] = shop->warehouses.ids[q->n];
	q->lookup.what = "stock";
	q->lookup.api = CENTRA_GRAPHQL;
	q->lookup.ask = ask_stock;
	lookup_begin(shop_of(req)->lookups, &q->lookup, shop->centra, req,
		     show_stock);
}
