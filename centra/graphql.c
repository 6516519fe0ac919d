/* SPDX-License-Identifier: MIT
 *
 * graphql.c - see graphql.h.
 *
 * What is read here decides who ships, so it is believed whole or not at all:
 * one order, line or allocation that does not look as it should makes the call
 * CALL_UNKNOWN, never a shorter list.
 */
#include "centra/graphql.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"
#include "centra/graphql_private.h"
#include "centra/json.h"
#include "centra/transport.h"

/* The fields are CONTRACT 6.4 and 6.5; the names on the left of the readers
 * below must be asked for here. */
#define ORDER_FIELDS                                                          \
	"id number status isOnHold orderDate createdAt "                      \
	"...on DirectToConsumerOrder { orderHoldReason } "                    \
	"lines { __typename id quantity productName productVariantName "      \
	"productSize { SKU EAN UPC description } "                            \
	"allocations { id quantity isWaitingForConfirmation "                 \
	"warehouse { id name } } } "
#define CITY_FIELDS "shippingAddress { city country { code name } } "
#define ADDRESS_FIELDS                                                        \
	"shippingAddress { firstName lastName companyName attention "         \
	"address1 address2 zipCode city stateOrProvince cellPhoneNumber "     \
	"phoneNumber email country { code name } } "
#define SHIPMENTS_FIELDS "shipments { " SHIPMENT_FIELDS "} "
#define PAYMENT_FIELDS	 "paymentHistory { id status entryType } "
#define WAREHOUSES_QUERY                                                      \
	"query W { warehouses(limit:200) { id name status allocationPolicy "  \
	"brickAndMortar { id name } } }"

#define QUERY_MAX   8192
#define WAITING_MAX 200 /* Centra's own limit of a list */
#define HOLD_WAITS  "WAITING_FOR_CHECK_FIRST_ALLOCATION"

/* ---- one query ---- */

/* The reply holds errors: puts their words into the call. */
static void read_errors(const cJSON *errors, struct call *call)
{
	const cJSON *v;
	const char *text, *first = NULL;
	size_t n = 0;

	cJSON_ArrayForEach(v, errors)
	{
		text = json_text(json_get(json_get(v, "extensions"),
					  "category"));
		if (text && !strcmp(text, "authorization"))
			call->refused = true;
		text = json_text(json_get(v, "message"));
		if (!first)
			first = text;
		n++;
	}
	(void)!fail(&call->why, RC_AGAIN, "GraphQL: %s%s",
		    first ? first : "an error without a message",
		    n > 1 ? " (and more)" : "");
}

cJSON *graphql_ask(struct centra_conn *n, const struct buf *body, bool once,
		   struct call *call, const cJSON **ret_data)
{
	struct post p = {.api = CENTRA_GRAPHQL, .path = "",
			 .once = once, .mutation = once};
	const cJSON *errors;
	struct buf reply;
	cJSON *v = NULL;
	struct err e;

	p.body = body->data;
	p.len = body->len;
	transport_post(n, &p, call, &reply);
	if (!reply.len ||
	    json_parse(reply.data, reply.len, JSON_STRICT, &v, &e))
		v = NULL;
	errors = json_get(v, "errors");
	*ret_data = json_get(v, "data");
	if (!json_empty(errors)) { /* of any status: the words help */
		if (call->end == CALL_OK)
			call->end = CALL_UNKNOWN;
		read_errors(errors, call);
	} else if (call->end == CALL_OK && !cJSON_IsObject(*ret_data)) {
		call->end = CALL_UNKNOWN;
		(void)!fail(&call->why, RC_AGAIN,
			    "GraphQL: the reply has no data");
	}
	buf_release(&reply);
	if (call->end == CALL_OK)
		return v;
	cJSON_Delete(v);
	return NULL;
}

static cJSON *ask(struct centra_conn *n, const struct buf *body,
		  struct call *call, const cJSON **ret_data)
{
	return graphql_ask(n, body, false, call, ret_data);
}

static void unreadable(struct call *call, const char *what)
{
	call->end = CALL_UNKNOWN;
	(void)!fail(&call->why, RC_AGAIN, "GraphQL: cannot read the %s", what);
}

/* ---- lines ---- */

/* A word that must be exactly that: NULL when it is not. */
static char *word_of(const cJSON *v, const char *key)
{
	const char *s = json_text(json_get(v, key));

	return s && *s ? xstrdup(s) : NULL;
}

/* A text for people to read; NULL when nothing of it can be. */
static char *text_of(const cJSON *v, const char *key)
{
	char *s = json_words(json_get(v, key));

	if (s && *s)
		return s;
	free(s);
	return NULL;
}

static bool read_id(const cJSON *v, int64_t *ret)
{
	return json_int(json_get(v, "id"), ret) && *ret > 0;
}

static bool read_quantity(const cJSON *v, int64_t *ret)
{
	return json_int(json_get(v, "quantity"), ret) && *ret >= 0;
}

static bool read_allocations(const cJSON *list, struct centra_line *l)
{
	const cJSON *v, *waiting;
	struct centra_allocation *a;

	if (!cJSON_IsArray(list))
		return false;
	l->allocations = xcalloc(json_length(list), sizeof(*l->allocations));
	cJSON_ArrayForEach(v, list)
	{
		a = &l->allocations[l->n_allocations++];
		waiting = json_get(v, "isWaitingForConfirmation");
		if (!read_quantity(v, &a->quantity) ||
		    !cJSON_IsBool(waiting) ||
		    !read_id(json_get(v, "warehouse"), &a->warehouse))
			return false;
		a->waiting = cJSON_IsTrue(waiting);
	}
	return true;
}

static bool read_line(const cJSON *v, struct centra_line *l)
{
	const cJSON *size = json_get(v, "productSize");

	l->product = text_of(v, "productName");
	l->variant = text_of(v, "productVariantName");
	l->size = text_of(size, "description");
	l->sku = text_of(size, "SKU");
	l->ean = text_of(size, "EAN");
	l->upc = text_of(size, "UPC");
	return read_id(v, &l->id) && read_quantity(v, &l->quantity) &&
	       read_allocations(json_get(v, "allocations"), l);
}

static bool is_kind(const cJSON *line, const char *kind)
{
	const char *s = json_text(json_get(line, "__typename"));

	return s && !strcmp(s, kind);
}

/* See struct centra_line.  `item`: the order lists an item of a bundle. */
static bool is_stockless(const cJSON *v, const struct centra_line *l, bool item)
{
	if (l->n_allocations)
		return false;
	return cJSON_IsNull(json_get(v, "productSize")) ||
	       (item && is_kind(v, "BundleOrderLine"));
}

static bool read_lines(const cJSON *list, struct centra_order *o)
{
	bool item = false;
	size_t i = 0;
	const cJSON *v;

	if (!cJSON_IsArray(list))
		return false;
	o->lines = xcalloc(json_length(list), sizeof(*o->lines));
	cJSON_ArrayForEach(v, list)
	{
		if (!read_line(v, &o->lines[o->n_lines++]))
			return false;
		item = item || is_kind(v, "BundleItemOrderLine");
	}
	cJSON_ArrayForEach(v, list)
	{
		o->lines[i].stockless = is_stockless(v, &o->lines[i], item);
		i++;
	}
	return true;
}

/* ---- shipments ---- */

bool graphql_read_shipment(const cJSON *v, struct centra_shipment *s)
{
	const cJSON *flags[] = {json_get(v, "isGoodToGo"),
				json_get(v, "isShipped"), json_get(v, "isPaid"),
				json_get(v, "isCaptured")};
	const cJSON *lines = json_get(v, "lines"), *l;

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		if (!cJSON_IsBool(flags[i]))
			return false;
	if (!read_id(v, &s->id) || !cJSON_IsArray(lines))
		return false;
	s->good_to_go = cJSON_IsTrue(flags[0]);
	s->shipped = cJSON_IsTrue(flags[1]);
	s->paid = cJSON_IsTrue(flags[2]);
	s->captured = cJSON_IsTrue(flags[3]);
	s->number = text_of(v, "number");
	s->tracking = text_of(v, "trackingNumber");
	s->lines = xcalloc(json_length(lines), sizeof(*s->lines));
	cJSON_ArrayForEach(l, lines)
	{
		struct centra_shipment_line *to = &s->lines[s->n_lines++];

		if (!read_id(json_get(l, "orderLine"), &to->line) ||
		    !read_quantity(l, &to->quantity))
			return false;
	}
	return true;
}

void graphql_shipment_end(struct centra_shipment *s)
{
	free(s->number);
	free(s->tracking);
	free(s->lines);
	*s = (struct centra_shipment){0};
}

static bool read_shipments(const cJSON *list, struct centra_order *o)
{
	const cJSON *v;

	if (!cJSON_IsArray(list))
		return false;
	o->shipments = xcalloc(json_length(list), sizeof(*o->shipments));
	cJSON_ArrayForEach(v, list)
		if (!graphql_read_shipment(v, &o->shipments[o->n_shipments++]))
			return false;
	return true;
}

enum centra_payment graphql_read_payment(const cJSON *entry)
{
	const char *type = json_text(json_get(entry, "entryType"));
	const char *status = json_text(json_get(entry, "status"));

	if (!type || !status)
		return PAYMENT_NOTHING;
	if (!strcmp(type, "CAPTURE_FAILED"))
		return PAYMENT_FAILED;
	if (strcmp(type, "CAPTURE") && strcmp(type, "CAPTURE_REQUEST") &&
	    strcmp(type, "CAPTURE_PENDING"))
		return PAYMENT_NOTHING; /* CAPTURE_GIFT_CARD among them */
	if (!strcmp(status, "FAILED"))
		return PAYMENT_FAILED;
	if (!strcmp(type, "CAPTURE") && !strcmp(status, "SUCCESS"))
		return PAYMENT_DONE;
	return PAYMENT_PENDING;
}

/* The order in which Centra lists them is not said; ids grow. */
static enum centra_payment newest_payment(const cJSON *list)
{
	enum centra_payment ret = PAYMENT_NOTHING, p;
	int64_t newest = 0, id;
	const cJSON *v;

	cJSON_ArrayForEach(v, list)
	{
		p = graphql_read_payment(v);
		if (p == PAYMENT_NOTHING || !read_id(v, &id) || id < newest)
			continue;
		newest = id;
		ret = p;
	}
	return ret;
}

/* ---- orders ---- */

static void add_member(struct buf *b, const char *name, const cJSON *v,
		       const char *field)
{
	char *text = text_of(v, field);

	if (!text)
		return;
	if (b->len > 1)
		buf_char(b, ',');
	buf_json(b, name);
	buf_char(b, ':');
	buf_json(b, text);
	free(text);
}

/* {} when Centra has no address: asked for and settled. */
static char *address_json(const cJSON *v)
{
	static const struct {
		const char *name, *field;
	} members[] = {{"first_name", "firstName"},
		       {"last_name", "lastName"},
		       {"company", "companyName"},
		       {"attention", "attention"},
		       {"address1", "address1"},
		       {"address2", "address2"},
		       {"zip", "zipCode"},
		       {"city", "city"},
		       {"state", "stateOrProvince"},
		       {"phone", "phoneNumber"},
		       {"mobile", "cellPhoneNumber"},
		       {"email", "email"}};
	const cJSON *country = json_get(v, "country");
	struct buf b;

	buf_init(&b, REPLY_MAX);
	buf_char(&b, '{');
	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
		add_member(&b, members[i].name, v, members[i].field);
	add_member(&b, "country", country, "name");
	add_member(&b, "country_code", country, "code");
	buf_char(&b, '}');
	return buf_detach(&b, NULL);
}

static char *placed_at(const cJSON *v)
{
	static const char *const names[] = {"orderDate", "createdAt"};
	const char *s;
	int64_t t;
	int offset;

	for (size_t i = 0; i < 2; i++) {
		s = json_text(json_get(v, names[i]));
		if (s && !time_parse_iso(s, &t, &offset))
			return xstrdup(s);
	}
	return NULL;
}

static bool read_order(const cJSON *v, bool with_address,
		       struct centra_order *o)
{
	const cJSON *hold = json_get(v, "isOnHold");
	const cJSON *address = json_get(v, "shippingAddress");

	if (!json_int(json_get(v, "number"), &o->number) || o->number <= 0 ||
	    !cJSON_IsBool(hold))
		return false;
	o->id = word_of(v, "id");
	o->status = word_of(v, "status");
	o->hold_reason = text_of(v, "orderHoldReason");
	o->on_hold = cJSON_IsTrue(hold);
	o->waits = o->on_hold && o->hold_reason &&
		   !strcmp(o->hold_reason, HOLD_WAITS);
	o->placed_at = placed_at(v);
	o->city = text_of(address, "city");
	o->country = text_of(json_get(address, "country"), "name");
	if (!o->country)
		o->country = text_of(json_get(address, "country"), "code");
	if (with_address)
		o->address = address_json(address);
	return o->status && read_lines(json_get(v, "lines"), o);
}

static void order_end(struct centra_order *o)
{
	for (size_t i = 0; i < o->n_lines; i++) {
		struct centra_line *l = &o->lines[i];

		free(l->product);
		free(l->variant);
		free(l->size);
		free(l->sku);
		free(l->ean);
		free(l->upc);
		free(l->allocations);
	}
	free(o->lines);
	for (size_t i = 0; i < o->n_shipments; i++)
		graphql_shipment_end(&o->shipments[i]);
	free(o->shipments);
	free(o->id);
	free(o->status);
	free(o->hold_reason);
	free(o->placed_at);
	free(o->city);
	free(o->country);
	free(o->address);
	*o = (struct centra_order){0};
}

static bool is_asked(int64_t number, const int64_t *numbers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (numbers[i] == number)
			return true;
	return false;
}

static void read_orders(const cJSON *list, const int64_t *numbers, size_t n,
			bool with_address, struct centra_orders *ret)
{
	struct centra_order *o;
	const cJSON *v;

	ret->list = xcalloc(json_length(list), sizeof(*ret->list));
	cJSON_ArrayForEach(v, list)
	{
		o = &ret->list[ret->n++];
		if (read_order(v, with_address, o) &&
		    is_asked(o->number, numbers, n))
			continue;
		centra_orders_release(ret);
		unreadable(&ret->call, "orders");
		return;
	}
}

void graphql_orders(struct centra_conn *n, const int64_t *numbers,
		    size_t n_numbers, bool with_address,
		    struct centra_orders *ret)
{
	const cJSON *data = NULL;
	struct buf body;
	cJSON *v;

	*ret = (struct centra_orders){.call.end = CALL_NOT_DONE};
	if (!n_numbers || n_numbers > ORDERS_QUERY_MAX) {
		(void)!fail(&ret->call.why, RC_INVALID,
			    "a query for %zu orders", n_numbers);
		return;
	}
	buf_init(&body, QUERY_MAX);
	buf_fmt(&body,
		"{\"query\":\"query O($n:[Int!]) { orders(where:{number:$n}, "
		"limit:%zu) { %s%s} }\",\"variables\":{\"n\":[",
		n_numbers, ORDER_FIELDS,
		with_address ? ADDRESS_FIELDS : CITY_FIELDS);
	for (size_t i = 0; i < n_numbers; i++)
		buf_fmt(&body, "%s%lld", i ? "," : "", (long long)numbers[i]);
	buf_str(&body, "]}}");
	v = ask(n, &body, &ret->call, &data);
	buf_release(&body);
	if (!v)
		return;
	data = json_get(data, "orders");
	if (cJSON_IsArray(data))
		read_orders(data, numbers, n_numbers, with_address, ret);
	else
		unreadable(&ret->call, "orders");
	cJSON_Delete(v);
}

/* The same list again, for what only this query asks. */
static void read_shipping(const cJSON *list, struct centra_orders *ret)
{
	size_t i = 0;
	const cJSON *v;

	cJSON_ArrayForEach(v, list)
	{
		struct centra_order *o = &ret->list[i++];

		o->payment = newest_payment(json_get(v, "paymentHistory"));
		if (read_shipments(json_get(v, "shipments"), o))
			continue;
		centra_orders_release(ret);
		unreadable(&ret->call, "shipments");
		return;
	}
}

void graphql_order_shipments(struct centra_conn *n, int64_t number,
			     bool with_address, bool with_payment,
			     struct centra_orders *ret)
{
	const cJSON *data = NULL;
	struct buf body;
	cJSON *v;

	*ret = (struct centra_orders){0};
	buf_init(&body, QUERY_MAX);
	buf_fmt(&body,
		"{\"query\":\"query S($n:[Int!]) { orders(where:{number:$n}, "
		"limit:1) { %s%s%s%s} }\",\"variables\":{\"n\":[%lld]}}",
		ORDER_FIELDS, with_address ? ADDRESS_FIELDS : CITY_FIELDS,
		SHIPMENTS_FIELDS, with_payment ? PAYMENT_FIELDS : "",
		(long long)number);
	v = ask(n, &body, &ret->call, &data);
	buf_release(&body);
	if (!v)
		return;
	data = json_get(data, "orders");
	if (!cJSON_IsArray(data))
		unreadable(&ret->call, "orders");
	else
		read_orders(data, &number, 1, with_address, ret);
	if (ret->call.end == CALL_OK)
		read_shipping(data, ret);
	cJSON_Delete(v);
}

/* Keeps the call, which may still be asked how it ended. */
void centra_orders_release(struct centra_orders *o)
{
	for (size_t i = 0; i < o->n; i++)
		order_end(&o->list[i]);
	free(o->list);
	o->list = NULL;
	o->n = 0;
}

/* ---- what waits ---- */

void graphql_waiting(struct centra_conn *n, unsigned max, unsigned page,
		     struct centra_numbers *ret)
{
	const cJSON *data = NULL, *o;
	struct buf body;
	cJSON *v;

	*ret = (struct centra_numbers){0};
	buf_init(&body, QUERY_MAX);
	buf_fmt(&body,
		"{\"query\":\"query Open { "
		"orders(where:{isWaitingForCheckFirstAllocation:true}, "
		"limit:%u, page:%u) { number } }\"}",
		max < 1 ? 1 : max > WAITING_MAX ? WAITING_MAX : max,
		page < 1 ? 1 : page);
	v = ask(n, &body, &ret->call, &data);
	buf_release(&body);
	if (!v)
		return;
	data = json_get(data, "orders");
	if (!cJSON_IsArray(data)) {
		unreadable(&ret->call, "orders that wait");
		goto out;
	}
	ret->list = xcalloc(json_length(data), sizeof(*ret->list));
	cJSON_ArrayForEach(o, data)
	{
		if (json_int(json_get(o, "number"), &ret->list[ret->n]) &&
		    ret->list[ret->n] > 0)
			ret->n++;
		else
			ret->unread++;
	}
	if (ret->unread && !ret->n) {
		centra_numbers_release(ret);
		unreadable(&ret->call, "orders that wait");
	}
out:
	cJSON_Delete(v);
}

void centra_numbers_release(struct centra_numbers *r)
{
	free(r->list);
	r->list = NULL;
	r->n = 0;
}

/* ---- warehouses ---- */

static bool read_warehouse(const cJSON *v, struct centra_warehouse *w)
{
	w->name = text_of(v, "name");
	w->policy = word_of(v, "allocationPolicy");
	w->shop = text_of(json_get(v, "brickAndMortar"), "name");
	return read_id(v, &w->id);
}

void graphql_warehouses(struct centra_conn *n, struct centra_warehouses *ret)
{
	const cJSON *data = NULL, *w;
	struct buf body;
	cJSON *v;

	*ret = (struct centra_warehouses){0};
	buf_init(&body, QUERY_MAX);
	buf_str(&body, "{\"query\":\"" WAREHOUSES_QUERY "\"}");
	v = ask(n, &body, &ret->call, &data);
	buf_release(&body);
	if (!v)
		return;
	data = json_get(data, "warehouses");
	if (!cJSON_IsArray(data)) {
		unreadable(&ret->call, "warehouses");
		goto out;
	}
	ret->list = xcalloc(json_length(data), sizeof(*ret->list));
	cJSON_ArrayForEach(w, data)
	{
		if (read_warehouse(w, &ret->list[ret->n++]))
			continue;
		centra_warehouses_release(ret);
		unreadable(&ret->call, "warehouses");
		break;
	}
out:
	cJSON_Delete(v);
}

void centra_warehouses_release(struct centra_warehouses *w)
{
	for (size_t i = 0; i < w->n; i++) {
		free(w->list[i].name);
		free(w->list[i].policy);
		free(w->list[i].shop);
	}
	free(w->list);
	w->list = NULL;
	w->n = 0;
}
