/* SPDX-License-Identifier: MIT
 *
 * deliveries.c - see deliveries.h.
 */
#include "centra/deliveries.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/number.h"
#include "centra/transport.h"

#define BODY_MAX ((size_t)64 << 10)
#define PATH_SIZE 64

/* A whole number, as a number or as digits in a text: Centra writes ids both
 * ways. */
static bool read_whole(const struct json *v, int64_t least, int64_t *ret)
{
	const char *text = json_text(v);

	return text ? number_read(text, least, JSON_WHOLE_MAX, ret)
		    : json_whole(v, least, JSON_WHOLE_MAX, ret);
}

/* Returns the document of a reply with one `status` of "ok" or "no"; NULL: the
 * reply is something else, and the call is CALL_UNKNOWN.  The caller frees
 * it. */
static struct json *read_reply(const struct buf *reply, const char *what,
			       struct call *call, bool *ret_ok, char **ret_msg)
{
	struct json *v = NULL;
	const struct json *status;
	struct err e;

	*ret_ok = false;
	if (call->end != CALL_OK)
		return NULL;
	if (json_parse(reply->data ? reply->data : "", reply->len, JSON_STRICT,
		       &v, &e))
		v = NULL;
	status = json_get(v, "status");
	if (json_count(v, "status") == 1 &&
	    (json_is(status, "ok") || json_is(status, "no"))) {
		*ret_ok = json_is(status, "ok");
		if (!*ret_ok)
			*ret_msg = json_words(json_get(v, "msg"));
		return v;
	}
	json_free(v);
	call->end = CALL_UNKNOWN;
	(void)!fail(&call->why, RC_AGAIN,
		    "the reply to %s is not one of ok or no", what);
	return NULL;
}

static void delivery_release(struct centra_delivery *d)
{
	for (size_t i = 0; i < d->n_items; i++) {
		free(d->items[i].ean);
		free(d->items[i].upc);
		free(d->items[i].sku);
		free(d->items[i].product);
		free(d->items[i].variant);
		free(d->items[i].size);
	}
	free(d->items);
	free(d->number);
	free(d->order);
	free(d->supplier);
	free(d->eta);
}

/* Of a reply that cannot be read whole, nothing is handed out. */
static void unreadable(struct centra_deliveries *d)
{
	for (size_t i = 0; i < d->n; i++)
		delivery_release(&d->list[i]);
	d->n = 0;
	d->call.end = CALL_UNKNOWN;
	(void)!fail(&d->call.why, RC_AGAIN, "a delivery cannot be read");
}

/* ---- reading ---- */

static bool read_head(const struct json *v, struct centra_delivery *d)
{
	if (!read_whole(json_get(v, "id"), 1, &d->id))
		return false;
	d->number = json_words(json_get(v, "deliveryId"));
	d->order = json_words(json_get(v, "orderId"));
	d->supplier = json_words(json_get(v, "supplierName"));
	d->eta = json_words(json_get(v, "ETA"));
	return d->number &&
	       read_whole(json_get(v, "productsQty"), 0, &d->units);
}

/* The code on the goods: the parts of Centra's SKU, joined. */
static char *shelf_code(const struct json *v)
{
	static const char *const parts[] = {"sku", "variantSku", "sizeSku"};
	struct buf b;

	buf_init(&b, 1000);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		char *words = json_words(json_get(v, parts[i]));

		(void)!buf_add(&b, words ? words : "", words ? strlen(words) : 0);
		free(words);
	}
	if (b.len && !buf_full(&b))
		return buf_detach(&b, NULL);
	buf_release(&b);
	return NULL;
}

static bool read_item(const struct json *v, struct centra_delivered *i)
{
	i->ean = json_words(json_get(v, "ean"));
	i->upc = json_words(json_get(v, "upc"));
	i->sku = shelf_code(v);
	i->product = json_words(json_get(v, "product"));
	i->variant = json_words(json_get(v, "variant"));
	i->size = json_words(json_get(v, "size"));
	return read_whole(json_get(v, "quantity"), 0, &i->quantity);
}

static bool read_items(const struct json *list, struct centra_delivery *d)
{
	const struct json *v;

	if (!json_is_list(list))
		return false;
	d->items = xcalloc(json_length(list) + 1, sizeof(*d->items));
	json_each(v, list)
		if (!read_item(v, &d->items[d->n_items++]))
			return false;
	return true;
}

static void get(struct centra_conn *n, const char *path, struct call *ret,
		struct buf *reply)
{
	const struct post p = {
		.api = CENTRA_ORDER_API, .method = "GET", .path = path, .body = ""};

	transport_post(n, &p, ret, reply);
}

void order_api_deliveries(struct centra_conn *n, struct centra_deliveries *ret)
{
	const struct json *list, *d;
	struct buf reply;
	struct json *v;
	bool ok, fine;

	*ret = (struct centra_deliveries){0};
	get(n, "/supplier-deliveries", &ret->call, &reply);
	v = read_reply(&reply, "the list of deliveries", &ret->call, &ok,
		       &ret->msg);
	list = json_get(v, "deliveries");
	fine = ok && json_is_list(list);
	ret->list = xcalloc(json_length(list) + 1, sizeof(*ret->list));
	if (fine)
		json_each(d, list)
			fine = read_head(d, &ret->list[ret->n++]) && fine;
	if (v && !fine)
		unreadable(ret);
	json_free(v);
	buf_release(&reply);
}

void order_api_delivery(struct centra_conn *n, int64_t id,
			struct centra_deliveries *ret)
{
	char path[PATH_SIZE];
	const struct json *d;
	struct buf reply;
	struct json *v;
	bool ok;

	*ret = (struct centra_deliveries){0};
	snprintf(path, sizeof(path), "/supplier-deliveries/%" PRId64, id);
	get(n, path, &ret->call, &reply);
	v = read_reply(&reply, "a delivery", &ret->call, &ok, &ret->msg);
	d = json_get(v, "delivery");
	ret->list = xcalloc(1, sizeof(*ret->list));
	if (ok) {
		ret->n = 1;
		if (!read_head(d, &ret->list[0]) || ret->list[0].id != id ||
		    !read_items(json_get(d, "products"), &ret->list[0]))
			unreadable(ret);
	}
	json_free(v);
	buf_release(&reply);
}

void centra_deliveries_release(struct centra_deliveries *d)
{
	for (size_t i = 0; i < d->n; i++)
		delivery_release(&d->list[i]);
	free(d->list);
	free(d->msg);
	*d = (struct centra_deliveries){0};
}

/* ---- receiving ---- */

static void put_body(struct buf *b, const struct centra_received_item *items,
		     size_t n)
{
	buf_init(b, BODY_MAX);
	json_begin(b, NULL);
	json_begin(b, "products");
	for (size_t i = 0; i < n; i++)
		json_put_int(b, items[i].ean, items[i].quantity);
	json_end(b);
	json_put_bool(b, "insertStock", true);
	json_end(b);
}

static void read_rest(const struct json *v, struct centra_received *ret)
{
	const struct json *rest = json_get(v, "additionalDelivery");

	if (!json_is_object(rest))
		return;
	(void)!read_whole(json_get(rest, "id"), 1, &ret->rest);
	(void)!read_whole(json_get(rest, "productsQty"), 0, &ret->rest_units);
	ret->rest_number = json_words(json_get(rest, "deliveryId"));
}

void order_api_receive(struct centra_conn *n, int64_t id,
		       const struct centra_received_item *items,
		       size_t n_items, struct centra_received *ret)
{
	struct post p = {.api = CENTRA_ORDER_API, .once = true};
	char path[PATH_SIZE];
	struct buf body, reply;
	struct json *v;

	*ret = (struct centra_received){0};
	snprintf(path, sizeof(path), "/supplier-deliveries/%" PRId64, id);
	put_body(&body, items, n_items);
	if (buf_full(&body)) {
		ret->call.end = CALL_NOT_DONE;
		(void)!fail(&ret->call.why, RC_FULL,
			    "too many items for one request");
		buf_release(&body);
		return;
	}
	p.path = path;
	p.body = body.data;
	p.len = body.len;
	transport_post(n, &p, &ret->call, &reply);
	v = read_reply(&reply, "the receipt of a delivery", &ret->call,
		       &ret->ok, &ret->msg);
	if (ret->ok)
		read_rest(v, ret);
	json_free(v);
	buf_release(&reply);
	buf_release(&body);
}

void centra_received_release(struct centra_received *r)
{
	free(r->msg);
	free(r->rest_number);
	*r = (struct centra_received){0};
}
