/* SPDX-License-Identifier: MIT
 *
 * returns.c - see returns.h.
 */
#include "centra/returns.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "centra/graphql_private.h"
#include "centra/transport.h"

#define QUERY_MAX 4096
#define PATH_MAX_BYTES 200

/* ---- what of an order can be given back ---- */

static bool read_line(const struct json *v, struct centra_bought *l)
{
	const struct json *size = json_get(v, "productSize");

	if (!gql_read_id(v, &l->id) ||
	    !json_whole(json_get(v, "quantity"), 0, JSON_WHOLE_MAX,
			&l->quantity) ||
	    !json_whole(json_get(v, "returnedQuantity"), 0, JSON_WHOLE_MAX,
			&l->returned))
		return false;
	l->product = json_words(json_get(v, "productName"));
	l->variant = json_words(json_get(v, "productVariantName"));
	l->size = json_words(json_get(size, "description"));
	l->sku = json_words(json_get(size, "SKU"));
	l->ean = json_words(json_get(size, "EAN"));
	l->upc = json_words(json_get(size, "UPC"));
	return true;
}

static bool read_lines(const struct json *list, struct centra_sold *ret)
{
	const struct json *v;

	if (!json_is_list(list))
		return false;
	ret->lines = xcalloc(json_length(list) + 1, sizeof(*ret->lines));
	json_each(v, list)
		if (!read_line(v, &ret->lines[ret->n_lines++]))
			return false;
	return true;
}

static bool read_sent(const struct json *v, struct centra_sent *s)
{
	const struct json *list = json_get(v, "lines"), *l;
	const struct json *shipped = json_get(v, "isShipped");

	if (!gql_read_id(v, &s->id) || !json_is_bool(shipped) ||
	    !json_is_list(list))
		return false;
	s->shipped = json_is_true(shipped);
	s->lines = xcalloc(json_length(list) + 1, sizeof(*s->lines));
	json_each(l, list)
	{
		struct centra_sent_line *to = &s->lines[s->n_lines++];

		if (!gql_read_id(l, &to->id) ||
		    !gql_read_id(json_get(l, "orderLine"), &to->line) ||
		    !json_whole(json_get(l, "quantity"), 0, JSON_WHOLE_MAX,
				&to->quantity))
			return false;
	}
	return true;
}

static bool read_shipments(const struct json *list, struct centra_sold *ret)
{
	const struct json *v;

	if (!json_is_list(list))
		return false;
	ret->shipments =
		xcalloc(json_length(list) + 1, sizeof(*ret->shipments));
	json_each(v, list)
		if (!read_sent(v, &ret->shipments[ret->n_shipments++]))
			return false;
	return true;
}

/* Reads the order.  False: it has a wrong form, or Centra named it twice. */
static bool read_order(const struct json *orders, int64_t number,
		       struct centra_sold *ret)
{
	const struct json *o;
	int64_t n;

	if (!json_is_list(orders))
		return false;
	json_each(o, orders)
	{
		if (!json_int(json_get(o, "number"), &n))
			return false;
		if (n != number)
			continue;
		if (ret->found)
			return false;
		ret->found = true;
		if (!read_lines(json_get(o, "lines"), ret) ||
		    !read_shipments(json_get(o, "shipments"), ret))
			return false;
	}
	return true;
}

void graphql_sold(struct centra_conn *n, int64_t number,
		  struct centra_sold *ret)
{
	struct gql_reply r;
	struct buf body;

	*ret = (struct centra_sold){0};
	buf_init(&body, QUERY_MAX);
	gql_begin(&body,
		  "query B($n:[Int!]) { orders(where:{number:$n}, limit:2) { "
		  "number lines { id quantity returnedQuantity productName "
		  "productVariantName "
		  "productSize { SKU EAN UPC description } } "
		  "shipments { id isShipped "
		  "lines { id quantity orderLine { id } } } } }");
	json_begin(&body, "variables");
	json_begin_list(&body, "n");
	json_put_int(&body, NULL, number);
	json_end_list(&body);
	json_end(&body);
	json_end(&body);
	gql_ask(n, &body, false, &ret->call, &r);
	buf_release(&body);
	if (ret->call.end == CALL_OK &&
	    !read_order(json_get(r.data, "orders"), number, ret)) {
		struct call call = ret->call;

		centra_sold_release(ret); /* nothing of it counts */
		ret->call = call;
		ret->call.end = CALL_UNKNOWN;
		(void)!fail(&ret->call.why, RC_AGAIN,
			    "GraphQL: cannot read what was shipped");
	}
	gql_reply_end(&r);
}

static void line_release(struct centra_bought *l)
{
	free(l->product);
	free(l->variant);
	free(l->size);
	free(l->sku);
	free(l->ean);
	free(l->upc);
}

static void given_release(struct centra_sold *s)
{
	for (size_t i = 0; i < s->n_given; i++) {
		free(s->given[i].comment);
		free(s->given[i].lines);
	}
	free(s->given);
	s->given = NULL;
	s->n_given = 0;
	s->listed = false;
}

void centra_sold_release(struct centra_sold *s)
{
	for (size_t i = 0; i < s->n_lines; i++)
		line_release(&s->lines[i]);
	for (size_t i = 0; i < s->n_shipments; i++)
		free(s->shipments[i].lines);
	given_release(s);
	free(s->lines);
	free(s->shipments);
	*s = (struct centra_sold){0};
}

const struct centra_bought *centra_bought_of(const struct centra_sold *s,
					     int64_t line)
{
	for (size_t i = 0; i < s->n_lines; i++)
		if (s->lines[i].id == line)
			return &s->lines[i];
	return NULL;
}

int64_t centra_shipped_units(const struct centra_sold *s, int64_t line)
{
	int64_t n = 0;

	for (size_t i = 0; i < s->n_shipments; i++)
		for (size_t k = 0; s->shipments[i].shipped &&
				   k < s->shipments[i].n_lines;
		     k++)
			if (s->shipments[i].lines[k].line == line)
				n += s->shipments[i].lines[k].quantity;
	return n;
}

int64_t centra_given_units(const struct centra_given *g, int64_t line)
{
	int64_t n = 0;

	for (size_t i = 0; i < g->n_lines; i++)
		if (g->lines[i].line == line)
			n += g->lines[i].quantity;
	return n;
}

int64_t centra_returned_units(const struct centra_sold *s, int64_t line)
{
	const struct centra_bought *b = centra_bought_of(s, line);
	int64_t n = 0;

	for (size_t i = 0; i < s->n_given; i++)
		n += centra_given_units(&s->given[i], line);
	return b && b->returned > n ? b->returned : n;
}

/* ---- GET /returns ---- */

#define UNITS_MAX   1000000 /* of a line in a return */
#define RETURNS_MAX 100 /* rows of a page; an order with as many is not read */

static bool read_given(const struct json *v, int64_t number,
		       struct centra_given *ret)
{
	const struct json *products = json_get(v, "products"), *p;
	int64_t order;

	if (!json_int(json_get(v, "orderId"), &order) || order != number ||
	    !json_whole(json_get(v, "returnId"), 1, JSON_WHOLE_MAX,
			&ret->id) ||
	    !json_is_list(products))
		return false;
	if (!json_whole(json_get(v, "shipmentId"), 1, JSON_WHOLE_MAX,
			&ret->shipment))
		ret->shipment = 0;
	ret->completed = json_is_true(json_get(v, "completed"));
	ret->comment = json_words(json_get(v, "comment"));
	ret->lines = xcalloc(json_length(products) + 1, sizeof(*ret->lines));
	json_each(p, products)
	{
		struct centra_given_line *l = &ret->lines[ret->n_lines++];

		if (!json_int(json_get(p, "orderLineId"), &l->line) ||
		    !json_whole(json_get(p, "quantity"), 0, UNITS_MAX,
				&l->quantity))
			return false;
	}
	return true;
}

static bool read_returns(const struct json *rows, int64_t number,
			 struct centra_sold *io)
{
	const struct json *v;

	if (!json_is_list(rows) || json_length(rows) >= RETURNS_MAX)
		return false;
	io->given = xcalloc(json_length(rows) + 1, sizeof(*io->given));
	json_each(v, rows)
		if (!read_given(v, number, &io->given[io->n_given++]))
			return false;
	io->listed = true;
	return true;
}

void order_api_returned(struct centra_conn *n, int64_t number,
			struct centra_sold *io, struct call *ret,
			bool *ret_unticked)
{
	struct post p = {.api = CENTRA_ORDER_API,
			 .method = "GET",
			 .executed = order_api_unticked};
	struct json *v = NULL;
	struct buf path, reply;
	struct err e;

	buf_init(&path, PATH_MAX_BYTES);
	buf_fmt(&path, "/returns?order=%" PRId64 "&limit=%d", number,
		RETURNS_MAX);
	p.path = path.data;
	transport_post(n, &p, ret, &reply);
	*ret_unticked = ret->status == 403 && ret->end == CALL_UNKNOWN &&
			!ret->refused;
	if (ret->end == CALL_OK && !json_parse(reply.data, reply.len,
					       JSON_STRICT, &v, &e))
		*ret_unticked = json_is(json_get(v, "status"), "no");
	if (ret->end == CALL_OK && !*ret_unticked &&
	    (!json_is(json_get(v, "status"), "ok") ||
	     !read_returns(json_get(v, "returns"), number, io))) {
		given_release(io);
		ret->end = CALL_UNKNOWN;
		(void)!fail(&ret->why, RC_AGAIN,
			    "Order API: cannot read the order's returns");
	}
	json_free(v);
	buf_release(&reply);
	buf_release(&path);
}

/* ---- createReturn ---- */

static void put_id(struct buf *b, const char *key, int64_t id)
{
	json_begin(b, key);
	json_put_int(b, "id", id);
	json_end(b);
}

static void put_input(struct buf *b, const struct centra_return *r)
{
	json_begin(b, "input");
	put_id(b, "shipment", r->shipment);
	json_begin_list(b, "lines");
	for (size_t i = 0; i < r->n_lines; i++) {
		json_begin(b, NULL);
		put_id(b, "shipmentLine", r->lines[i].id);
		json_put_int(b, "quantity", r->lines[i].quantity);
		json_end(b);
	}
	json_end_list(b);
	json_begin(b, "returnStockActionPolicy");
	if (r->warehouse)
		put_id(b, "sendItemsToDifferentWarehouse", r->warehouse);
	else
		json_put_bool(b, "removeItemsFromStock", true);
	json_end(b);
	json_put(b, "comment", r->comment);
	json_end(b);
}

void graphql_create_return(struct centra_conn *n,
			   const struct centra_return *r, int64_t *ret_id,
			   struct centra_done *ret)
{
	const struct json *payload, *made;
	struct gql_reply reply;
	struct buf body;

	*ret = (struct centra_done){0};
	*ret_id = 0;
	gql_begin_mutation(&body,
			   "mutation B($input:ReturnCreateInput!) { "
			   "createReturn(input:$input) { "
			   "return { id lines { id } } " GQL_REMARKS "} }");
	put_input(&body, r);
	gql_end_mutation(&body);
	payload = gql_tell(n, "createReturn", &body, ret, &reply);
	made = json_get(payload, "return");
	if (payload && !ret->error &&
	    (!gql_read_id(made, ret_id) ||
	     json_length(json_get(made, "lines")) < r->n_lines)) {
		gql_doubtful(ret, "createReturn");
		*ret_id = 0;
	}
	gql_reply_end(&reply);
	buf_release(&body);
}
