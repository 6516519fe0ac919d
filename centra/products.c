/* SPDX-License-Identifier: MIT
 *
 * products.c - see products.h.
 */
#include "centra/products.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "centra/graphql_private.h"
#include "centra/transport.h"

#define PATH_MAX_BYTES 512
#define QUERY_MAX      16384
#define SAME_CODE      5 /* sizes with one code that are read, at most */

/* ---- the Order API ---- */

/* Adds a value of a query, percent-encoded (RFC 3986, 2.3). */
static void add_encoded(struct buf *b, const char *s)
{
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789-._~";

	for (; *s; s++) {
		if (strchr(plain, *s))
			buf_char(b, *s);
		else
			buf_fmt(b, "%%%02X", (unsigned char)*s);
	}
}

static bool is_yes(const struct json *v)
{
	int64_t n;

	return json_is_true(v) || (json_int(v, &n) && n == 1);
}

/* Returns the whole code of a size; NULL: it has none.  The caller frees it. */
static char *whole_sku(const struct json *row)
{
	static const char *const parts[] = {"sku", "variantSku", "sizeSku"};
	struct buf b;
	char *ret;

	buf_init(&b, 4 * GOODS_CODE_MAX);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		char *part = json_words(json_get(row, parts[i]));

		buf_str(&b, part ? part : "");
		free(part);
	}
	ret = b.len && !buf_full(&b) ? xstrndup(b.data, b.len) : NULL;
	buf_release(&b);
	return ret;
}

static void product_end(struct centra_product *p)
{
	free(p->name);
	free(p->product);
	free(p->variant);
	free(p->size);
	free(p->sku);
	free(p->ean);
	free(p->upc);
	free(p->picture);
	*p = (struct centra_product){0};
}

static struct centra_product read_product(const struct json *row)
{
	const char *picture =
		json_text(json_at(json_get(row, "images"), 0));

	return (struct centra_product){
		.name = json_words(json_get(row, "name")),
		.product = json_words(json_get(row, "product")),
		.variant = json_words(json_get(row, "variant")),
		.size = json_words(json_get(row, "size")),
		.sku = whole_sku(row),
		.ean = json_words(json_get(row, "ean")),
		.upc = json_words(json_get(row, "upc")),
		.picture = picture && *picture ? xstrdup(picture) : NULL,
		.active = is_yes(json_get(row, "active")),
	};
}

static bool is_same(const char *a, const char *b)
{
	return a && !strcmp(a, b);
}

/* Keeps the sizes whose whole code it is, if there are any. */
static void keep_exact(struct centra_products *p, bool by_sku, const char *code)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		n += is_same(by_sku ? p->list[i].sku : p->list[i].ean, code);
	if (!n && by_sku)
		return; /* the sizes of the product whose code it is */
	n = 0;
	for (size_t i = 0; i < p->n; i++) {
		struct centra_product *from = &p->list[i];

		if (!is_same(by_sku ? from->sku : from->ean, code))
			product_end(from);
		else
			p->list[n++] = *from;
	}
	p->n = n;
}

static bool read_products(const struct buf *reply, struct centra_products *ret)
{
	const struct json *rows, *row;
	struct json *document;
	struct err e;
	bool ok;

	if (json_parse(reply->data, reply->len, JSON_STRICT, &document, &e))
		return false;
	rows = json_get(document, "products");
	ok = json_is(json_get(document, "status"), "ok") && json_is_list(rows);
	ret->list = xcalloc(PRODUCTS_MAX, sizeof(*ret->list));
	json_each(row, ok ? rows : NULL)
	{
		if (ret->n < PRODUCTS_MAX && json_is_object(row))
			ret->list[ret->n++] = read_product(row);
	}
	json_free(document);
	return ok;
}

void order_api_products(struct centra_conn *n, bool by_sku, const char *code,
			struct centra_products *ret)
{
	struct post p = {.api = CENTRA_ORDER_API,
			 .method = "GET",
			 .executed = order_api_unticked};
	struct buf path, reply;

	*ret = (struct centra_products){0};
	buf_init(&path, PATH_MAX_BYTES);
	buf_fmt(&path, "/products?%s=", by_sku ? "sku" : "ean");
	add_encoded(&path, code);
	buf_fmt(&path, "&limit=%d", PRODUCTS_MAX);
	p.path = path.data;
	transport_post(n, &p, &ret->call, &reply);
	if (ret->call.end == CALL_OK && !read_products(&reply, ret)) {
		ret->call.end = CALL_UNKNOWN;
		(void)!fail(&ret->call.why, RC_AGAIN,
			    "Order API: cannot read the products");
	} else if (ret->call.status == 403 && !ret->call.refused) {
		ret->call.refused = true;
		(void)!fail(&ret->call.why, RC_DENIED,
			    "the Order API plugin does not allow GET "
			    "/products");
	}
	buf_release(&reply);
	buf_release(&path);
	if (ret->call.end == CALL_OK)
		keep_exact(ret, by_sku, code);
	else
		centra_products_release(ret);
}

void centra_products_release(struct centra_products *p)
{
	for (size_t i = 0; i < p->n; i++)
		product_end(&p->list[i]);
	free(p->list);
	p->list = NULL;
	p->n = 0;
}

/* ---- GraphQL ---- */

/* Asks for each size under a name of its own, s0, s1, ...: a filter takes one
 * code (CONTRACT 10). */
static void write_query(struct buf *b, const struct centra_wanted *wanted,
			size_t n, int64_t warehouse)
{
	static const char *const fields[] = {
		[CODE_EAN] = "EAN", [CODE_UPC] = "UPC", [CODE_SKU] = "SKU"};
	struct buf q;

	buf_init(&q, QUERY_MAX);
	buf_str(&q, "query Z(");
	if (warehouse)
		buf_str(&q, "$w:[Int!] ");
	for (size_t i = 0; i < n; i++)
		buf_fmt(&q, "$c%zu:String ", i);
	buf_str(&q, ") { ");
	for (size_t i = 0; i < n; i++)
		buf_fmt(&q,
			"s%zu: productSizes(where:{%s:{equals:$c%zu}}, "
			"limit:%d) { id SKU EAN UPC description %s} ",
			i, fields[wanted[i].by], i, SAME_CODE,
			warehouse ? "stock(where:{warehouseId:$w}, limit:1) { "
				    "physicalQuantity allocatedQuantity "
				    "freeToAllocateQuantity } "
				  : "");
	buf_char(&q, '}');
	gql_begin(b, "%s", q.data);
	buf_release(&q);
	json_begin(b, "variables");
	if (warehouse) {
		json_begin_list(b, "w");
		json_put_int(b, NULL, warehouse);
		json_end_list(b);
	}
	for (size_t i = 0; i < n; i++) {
		char name[24];

		snprintf(name, sizeof(name), "c%zu", i);
		json_put(b, name, wanted[i].code);
	}
	json_end(b);
	json_end(b);
}

/* Reads a row of stock.  False: it has a wrong form. */
static bool read_stock(const struct json *rows, struct centra_size *s)
{
	const struct json *row = json_at(rows, 0);

	if (!json_is_list(rows))
		return false;
	if (!row)
		return true;
	s->stocked = json_int(json_get(row, "physicalQuantity"), &s->physical) &&
		     json_int(json_get(row, "allocatedQuantity"),
			      &s->allocated) &&
		     json_int(json_get(row, "freeToAllocateQuantity"),
			      &s->free);
	return s->stocked;
}

/* Adds the sizes that were found by one code.  False: one has a wrong form. */
static bool read_rows(const struct json *rows, size_t wanted, bool with_stock,
		      struct centra_sizes *ret)
{
	size_t room = SAME_CODE;
	const struct json *row;

	if (!json_is_list(rows))
		return false;
	json_each(row, rows)
	{
		struct centra_size *s = &ret->list[ret->n];

		if (!room--)
			break;
		if (!gql_read_id(row, &s->id))
			return false;
		ret->n++;
		s->wanted = wanted;
		s->sku = json_words(json_get(row, "SKU"));
		s->ean = json_words(json_get(row, "EAN"));
		s->upc = json_words(json_get(row, "UPC"));
		s->size = json_words(json_get(row, "description"));
		if (with_stock && !read_stock(json_get(row, "stock"), s))
			return false;
	}
	return true;
}

static bool read_sizes(const struct json *data, size_t n, bool with_stock,
		       struct centra_sizes *ret)
{
	ret->list = xcalloc(n * SAME_CODE, sizeof(*ret->list));
	for (size_t i = 0; i < n; i++) {
		char name[24];

		snprintf(name, sizeof(name), "s%zu", i);
		if (!read_rows(json_get(data, name), i, with_stock, ret))
			return false;
	}
	return true;
}

void graphql_sizes(struct centra_conn *n, const struct centra_wanted *wanted,
		   size_t n_wanted, int64_t warehouse, struct centra_sizes *ret)
{
	struct gql_reply r;
	struct buf body;

	*ret = (struct centra_sizes){.call.end = CALL_NOT_DONE};
	if (!n_wanted || n_wanted > SIZES_MAX) {
		(void)!fail(&ret->call.why, RC_INVALID, "a query for %zu sizes",
			    n_wanted);
		return;
	}
	buf_init(&body, 2 * QUERY_MAX);
	write_query(&body, wanted, n_wanted, warehouse);
	gql_ask(n, &body, false, &ret->call, &r);
	buf_release(&body);
	ret->never = ret->call.end != CALL_OK &&
		     ((ret->call.refused && r.whole) ||
		      gql_judge(&r, &ret->call, "s0") != GQL_RAN);
	if (ret->call.end == CALL_OK &&
	    !read_sizes(r.data, n_wanted, warehouse, ret)) {
		ret->call.end = CALL_UNKNOWN;
		(void)!fail(&ret->call.why, RC_AGAIN,
			    "GraphQL: cannot read the sizes");
	}
	gql_reply_end(&r);
	if (ret->call.end != CALL_OK)
		centra_sizes_release(ret);
}

void centra_sizes_release(struct centra_sizes *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->list[i].sku);
		free(s->list[i].ean);
		free(s->list[i].upc);
		free(s->list[i].size);
	}
	free(s->list);
	s->list = NULL;
	s->n = 0;
}
