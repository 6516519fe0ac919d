/* SPDX-License-Identifier: MIT
 *
 * graphql.c - reads orders from Centra; see graphql.h.
 *
 * What is read here decides who ships.  A value of the wrong form makes the
 * whole call CALL_UNKNOWN; it never just shortens a list.  A value that Centra
 * left out, with an error whose path names it, is missing for that order alone.
 */
#include "centra/graphql.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/text.h"
#include "centra/graphql_private.h"
#include "centra/transport.h"

/* The fields of the query (CONTRACT 6.4 to 6.7); whatever the readers below
 * look for must be asked for here.  The payment history could be filtered by
 * type, but only for CAPTURE and CAPTURE_REQUEST, which would hide the
 * failures: so all of it is asked for. */
#define LINE_FIELDS                                                           \
	"__typename id quantity productName productVariantName "              \
	"allocations { id quantity isWaitingForConfirmation "                 \
	"warehouse { id } } "
#define ORDER_FIELDS  "id number status isOnHold orderDate createdAt "
#define REASON_FIELDS "...on DirectToConsumerOrder { orderHoldReason } "
#define SIZE_FIELDS   "productSize { SKU EAN UPC description } "
#define CITY_FIELDS   "shippingAddress { city country { code name } } "
#define ADDRESS_FIELDS                                                        \
	"shippingAddress { firstName lastName companyName attention "         \
	"address1 address2 zipCode city stateOrProvince cellPhoneNumber "     \
	"phoneNumber email country { code name } } "
#define SHIPMENTS_FIELDS "shipments { " SHIPMENT_FIELDS "} "
#define PAYMENT_FIELDS	 "paymentHistory { id status entryType } "

#define QUERY_MAX 8192

/* ---- what is asked ---- */

/* Parts of the query that can be left out; the rest is useful without them. */
enum {
	PART_ADDRESS = 1 << 0,
	PART_REASON = 1 << 1,
	PART_SIZE = 1 << 2,
	PART_PAYMENT = 1 << 3,
	PART_SHIPMENTS = 1 << 4, /* shipments; queries with with_shipments
				  * cannot leave them out */
	PARTS_ALWAYS = PART_ADDRESS | PART_REASON | PART_SIZE,
};

static const struct {
	unsigned part;
	const char *field; /* what the part is called in the paths of errors */
	unsigned missing;
} parts[] = {
	{PART_ADDRESS, "shippingAddress", MISSING_ADDRESS},
	{PART_REASON, "orderHoldReason", MISSING_WORDS},
	{PART_SIZE, "productSize", MISSING_WORDS},
	{PART_PAYMENT, "paymentHistory", MISSING_PAYMENT},
	{PART_SHIPMENTS, "shipments", MISSING_SHIPMENTS},
};
#define PARTS (sizeof(parts) / sizeof(*parts))

struct question {
	const int64_t *numbers; /* borrowed */
	size_t n;
	bool with_address; /* ask for the whole address, not only city and
			    * country */
	bool with_shipments; /* ask for shipments; an order whose shipments fail
			      * is then undecided */
	unsigned parts; /* asked for */
	unsigned left_out; /* parts that Centra refused, so the query leaves
			    * them out */
};

void gql_begin(struct buf *body, const char *query, ...)
{
	char *text = NULL;
	va_list ap;

	json_begin(body, NULL);
	va_start(ap, query);
	text = xvasprintf(query, ap);
	va_end(ap);
	json_put(body, "query", text);
	free(text);
}

/* Asks for the orders, and in the same query which of them Centra lists as
 * waiting for check-first, so that both are readings of one moment.  The reason
 * of a hold does not tell that: an order is held for several reasons, and shows
 * one of them or none. */
static void write_question(const struct question *q, struct buf *b)
{
	bool address = q->parts & PART_ADDRESS;

	gql_begin(b,
		  "query O($n:[Int!]) { orders(where:{number:$n}, "
		  "sort:[number_ASC], limit:%zu) { " ORDER_FIELDS
		  "%slines { " LINE_FIELDS "%s} %s%s%s} "
		  "waiting: orders(where:{number:$n, "
		  "isWaitingForCheckFirstAllocation:true}, "
		  "sort:[number_ASC], limit:%zu) { number } }",
		  q->n, q->parts & PART_REASON ? REASON_FIELDS : "",
		  q->parts & PART_SIZE ? SIZE_FIELDS : "",
		  !address	    ? ""
		  : q->with_address ? ADDRESS_FIELDS
				    : CITY_FIELDS,
		  q->with_shipments || q->parts & PART_SHIPMENTS
			  ? SHIPMENTS_FIELDS
			  : "",
		  q->parts & PART_PAYMENT ? PAYMENT_FIELDS : "", q->n);
	json_begin(b, "variables");
	json_begin_list(b, "n");
	for (size_t i = 0; i < q->n; i++)
		json_put_int(b, NULL, q->numbers[i]);
	json_end_list(b);
	json_end(b);
	json_end(b);
}

/* ---- what errors cost ---- */

/* What is missing from one order because of errors in the reply. */
struct trouble {
	unsigned missing; /* bits of enum centra_missing */
	bool undecided;
	bool sizes; /* an error hides whether the line has a productSize */
};

/* Notes an error whose path is orders[i] or below it. */
static void add_trouble(const struct question *q, const struct json *error,
			struct trouble *t)
{
	static const char *const address[] = {"shippingAddress", NULL};
	static const char *const payment[] = {"paymentHistory", NULL};
	static const char *const words[] = {"orderHoldReason", "orderDate",
					    "createdAt", "id", NULL};
	static const char *const lines[] = {"lines", NULL};
	static const char *const line_words[] = {
		"productName", "productVariantName", "productSize", NULL};
	static const char *const shipments[] = {"shipments", NULL};
	static const char *const shipment_words[] = {
		"number", "trackingNumber", "shippedAt", NULL};
	const char *field = gql_path_name(error, 2);
	const char *below = gql_path_name(error, 4);

	if (text_is_one_of(field, address))
		t->missing |= MISSING_ADDRESS;
	else if (text_is_one_of(field, payment))
		t->missing |= MISSING_PAYMENT;
	else if (text_is_one_of(field, words) ||
		 (text_is_one_of(field, lines) &&
		  text_is_one_of(below, line_words)) ||
		 (text_is_one_of(field, shipments) &&
		  text_is_one_of(below, shipment_words)))
		t->missing |= MISSING_WORDS;
	else if (text_is_one_of(field, shipments) && !q->with_shipments)
		t->missing |= MISSING_SHIPMENTS;
	else
		t->undecided = true;
	t->sizes = t->sizes || (below && !strcmp(below, "productSize"));
}

/* Collects what the errors say about the order in row i of the reply. */
static struct trouble trouble_of(const struct question *q,
				 const struct json *errors, size_t i)
{
	struct trouble ret = {.sizes = q->left_out & PART_SIZE};
	const struct json *v;
	int row;

	for (size_t k = 0; k < PARTS; k++)
		if (q->left_out & parts[k].part)
			ret.missing |= parts[k].missing;
	json_each(v, errors)
	{
		row = gql_path_index(v, 1);
		if (strcmp(gql_path_name(v, 0), "orders") || row < 0)
			ret.undecided = true; /* of them all */
		else if ((size_t)row == i)
			add_trouble(q, v, &ret);
	}
	return ret;
}

/* True if the data beside the errors can be used: each error has a path. */
static bool is_partial(const struct gql_reply *r)
{
	const char *top;
	const struct json *v;

	if (!r->whole || !json_is_list(r->errors) ||
	    !json_is_list(json_get(r->data, "orders")))
		return false;
	json_each(v, r->errors)
	{
		top = gql_path_name(v, 0);
		if (!top || (strcmp(top, "orders") && strcmp(top, "waiting")))
			return false;
	}
	return true;
}

/* Returns the parts of the query that the path of the error names. */
static unsigned blamed_by(const struct json *error)
{
	const struct json *v;
	unsigned ret = 0;

	json_each(v, json_get(error, "path"))
		for (size_t i = 0; i < PARTS; i++)
			if (json_is(v, parts[i].field))
				ret |= parts[i].part;
	return ret;
}

/* If Centra returned no data, and each error is at a part that can be left out:
 * returns these parts.  Else 0. */
static unsigned blamed(const struct question *q, const struct gql_reply *r)
{
	unsigned ret = 0, one;
	const struct json *v;

	json_each(v, r->errors)
	{
		one = blamed_by(v) & q->parts;
		if (!one)
			return 0;
		ret |= one;
	}
	return ret;
}

/* Sends the query.  If only a part of it lacks a permission, sends it again
 * without that part. */
static void ask(struct centra_conn *n, struct question *q, struct call *call,
		struct gql_reply *ret)
{
	struct err refused = {""};
	int64_t latency = 0;
	struct buf body;
	unsigned less;

	for (;;) {
		buf_init(&body, QUERY_MAX);
		write_question(q, &body);
		gql_ask(n, &body, false, call, ret);
		buf_release(&body);
		latency += call->latency;
		less = is_partial(ret) ? 0 : blamed(q, ret);
		if (!less)
			break;
		if (call->refused)
			refused = call->why;
		q->parts &= ~less;
		q->left_out |= less;
		gql_reply_end(ret);
	}
	call->latency = latency;
	if (is_partial(ret))
		call->end = CALL_OK;
	if (call->end == CALL_OK && *refused.text) {
		call->refused = true; /* the missing permission is reported even
				       * so */
		call->why = refused;
	}
}

static void unreadable(struct call *call, const char *what)
{
	call->end = CALL_UNKNOWN;
	(void)!fail(&call->why, RC_AGAIN, "GraphQL: cannot read the %s", what);
}

/* ---- lines ---- */

char *gql_word(const struct json *v, const char *key)
{
	const char *s = json_text(json_get(v, key));

	return s && *s ? xstrdup(s) : NULL;
}

bool gql_read_id(const struct json *v, int64_t *ret)
{
	int64_t id;

	if (!json_int(json_get(v, "id"), &id) || id <= 0)
		return false;
	*ret = id;
	return true;
}

static bool read_quantity(const struct json *v, int64_t *ret)
{
	return json_int(json_get(v, "quantity"), ret) && *ret >= 0;
}

static bool read_allocations(const struct json *list, struct centra_line *l)
{
	const struct json *v, *waiting;
	struct centra_allocation *a;

	if (!json_is_list(list))
		return false;
	l->allocations = xcalloc(json_length(list), sizeof(*l->allocations));
	json_each(v, list)
	{
		a = &l->allocations[l->n_allocations++];
		waiting = json_get(v, "isWaitingForConfirmation");
		if (!read_quantity(v, &a->quantity) ||
		    !json_is_bool(waiting) ||
		    !gql_read_id(json_get(v, "warehouse"), &a->warehouse))
			return false;
		a->waiting = json_is_true(waiting);
	}
	return true;
}

static void forget_allocations(struct centra_line *l)
{
	free(l->allocations);
	l->allocations = NULL;
	l->n_allocations = 0;
}

static bool read_line(const struct json *v, bool undecided,
		      struct centra_line *l)
{
	const struct json *size = json_get(v, "productSize");

	l->product = json_words(json_get(v, "productName"));
	l->variant = json_words(json_get(v, "productVariantName"));
	l->size = json_words(json_get(size, "description"));
	l->sku = json_words(json_get(size, "SKU"));
	l->ean = json_words(json_get(size, "EAN"));
	l->upc = json_words(json_get(size, "UPC"));
	if (!gql_read_id(v, &l->id) || !read_quantity(v, &l->quantity))
		return false;
	if (read_allocations(json_get(v, "allocations"), l))
		return true;
	forget_allocations(l);
	return undecided;
}

static bool is_kind(const struct json *line, const char *kind)
{
	return json_is(json_get(line, "__typename"), kind);
}

/* True for a line without stock of its own: see struct centra_line.  `item`:
 * the order lists an item of a bundle. */
static bool is_stockless(const struct json *v, const struct centra_line *l,
			 bool item, const struct trouble *t)
{
	if (l->n_allocations || t->undecided)
		return false;
	return (!t->sizes && json_is_null(json_get(v, "productSize"))) ||
	       (item && is_kind(v, "BundleOrderLine"));
}

static void lines_end(struct centra_order *o)
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
	o->lines = NULL;
	o->n_lines = 0;
}

/* Reads all lines, or none.  False: one has a wrong form. */
static bool read_lines(const struct json *list, const struct trouble *t,
		       struct centra_order *o)
{
	bool item = false;
	size_t i = 0;
	const struct json *v;

	if (!json_is_list(list))
		return false;
	o->lines = xcalloc(json_length(list), sizeof(*o->lines));
	json_each(v, list)
	{
		if (!read_line(v, t->undecided, &o->lines[o->n_lines++])) {
			lines_end(o);
			return false;
		}
		item = item || is_kind(v, "BundleItemOrderLine");
	}
	json_each(v, list)
	{
		o->lines[i].stockless =
			is_stockless(v, &o->lines[i], item, t);
		i++;
	}
	return true;
}

/* ---- shipments ---- */

bool graphql_read_shipment(const struct json *v, struct centra_shipment *s)
{
	const struct json *flags[] = {json_get(v, "isGoodToGo"),
				json_get(v, "isShipped"), json_get(v, "isPaid"),
				json_get(v, "isCaptured")};
	const struct json *lines = json_get(v, "lines"), *l;

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		if (!json_is_bool(flags[i]))
			return false;
	if (!gql_read_id(v, &s->id) || !json_is_list(lines))
		return false;
	s->good_to_go = json_is_true(flags[0]);
	s->shipped = json_is_true(flags[1]);
	s->paid = json_is_true(flags[2]);
	s->captured = json_is_true(flags[3]);
	s->number = json_words(json_get(v, "number"));
	s->tracking = json_words(json_get(v, "trackingNumber"));
	s->lines = xcalloc(json_length(lines), sizeof(*s->lines));
	json_each(l, lines)
	{
		struct centra_shipment_line *to = &s->lines[s->n_lines++];

		if (!gql_read_id(json_get(l, "orderLine"), &to->line) ||
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

static void shipments_end(struct centra_order *o)
{
	for (size_t i = 0; i < o->n_shipments; i++)
		graphql_shipment_end(&o->shipments[i]);
	free(o->shipments);
	o->shipments = NULL;
	o->n_shipments = 0;
}

/* Reads all shipments, or none.  False: one has a wrong form. */
static bool read_shipments(const struct json *list, struct centra_order *o)
{
	const struct json *v;

	if (!json_is_list(list))
		return false;
	o->shipments = xcalloc(json_length(list), sizeof(*o->shipments));
	json_each(v, list)
		if (!graphql_read_shipment(v,
					   &o->shipments[o->n_shipments++])) {
			shipments_end(o);
			return false;
		}
	return true;
}

enum centra_payment graphql_read_payment(const struct json *entry)
{
	const char *type = json_text(json_get(entry, "entryType"));
	const char *status = json_text(json_get(entry, "status"));

	if (!type || !status)
		return PAYMENT_NOTHING;
	if (!strcmp(type, "CAPTURE_FAILED"))
		return PAYMENT_FAILED;
	if (strcmp(type, "CAPTURE") && strcmp(type, "CAPTURE_REQUEST") &&
	    strcmp(type, "CAPTURE_PENDING"))
		return PAYMENT_NOTHING; /* other types say nothing,
					 * CAPTURE_GIFT_CARD for example */
	if (!strcmp(status, "FAILED"))
		return PAYMENT_FAILED;
	if (!strcmp(type, "CAPTURE") && !strcmp(status, "SUCCESS"))
		return PAYMENT_DONE;
	return PAYMENT_PENDING;
}

/* Returns what the newest capture says.  Centra does not document the order of
 * the list, but ids grow. */
static enum centra_payment newest_payment(const struct json *list)
{
	enum centra_payment ret = PAYMENT_NOTHING, p;
	int64_t newest = 0, id;
	const struct json *v;

	json_each(v, list)
	{
		p = graphql_read_payment(v);
		if (p == PAYMENT_NOTHING || !gql_read_id(v, &id) || id < newest)
			continue;
		newest = id;
		ret = p;
	}
	return ret;
}

/* ---- orders ---- */

static void add_member(struct buf *b, const char *name, const struct json *v,
		       const char *field)
{
	char *text = json_words(json_get(v, field));

	if (text)
		json_put(b, name, text);
	free(text);
}

/* Returns the address as JSON; {} if Centra has none, so that it is not asked
 * for again. */
static char *address_json(const struct json *v)
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
	const struct json *country = json_get(v, "country");
	struct buf b;

	buf_init(&b, REPLY_MAX);
	json_begin(&b, NULL);
	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
		add_member(&b, members[i].name, v, members[i].field);
	add_member(&b, "country", country, "name");
	add_member(&b, "country_code", country, "code");
	json_end(&b);
	return buf_detach(&b, NULL);
}

static char *placed_at(const struct json *v)
{
	static const char *const names[] = {"orderDate", "createdAt"};
	int64_t t;
	int offset;

	for (size_t i = 0; i < 2; i++) {
		const struct json *field = json_get(v, names[i]);

		if (json_time(field, &t, &offset))
			return xstrdup(json_text(field));
	}
	return NULL;
}

/* Where it goes. */
static void read_address(const struct json *v, bool whole,
			 struct centra_order *o)
{
	if (o->missing & MISSING_ADDRESS)
		return;
	o->city = json_words(json_get(v, "city"));
	o->country = json_words(
		json_get(json_get(v, "country"), "name"));
	if (!o->country)
		o->country = json_words(
			json_get(json_get(v, "country"), "code"));
	if (whole)
		o->address = address_json(v);
}

/* Reads an order.  False: a field on which a conclusion rests has a wrong form
 * without an error that explains it, or the number cannot be read. */
static bool read_order(const struct json *v, const struct question *q,
		       const struct trouble *t, struct centra_order *o)
{
	const struct json *hold = json_get(v, "isOnHold");
	bool whole = json_is_bool(hold);

	if (!json_int(json_get(v, "number"), &o->number) || o->number <= 0)
		return false;
	o->undecided = t->undecided;
	o->missing = t->missing;
	o->id = gql_word(v, "id");
	o->status = gql_word(v, "status");
	o->hold_reason = json_words(json_get(v, "orderHoldReason"));
	o->on_hold = json_is_true(hold);
	o->placed_at = placed_at(v);
	o->payment = newest_payment(json_get(v, "paymentHistory"));
	read_address(json_get(v, "shippingAddress"), q->with_address, o);
	whole = o->status && whole;
	if (!o->status)
		o->status = xstrdup("");
	whole = read_lines(json_get(v, "lines"), t, o) && whole;
	if (q->with_shipments)
		whole = read_shipments(json_get(v, "shipments"), o) && whole;
	else if (t->missing & MISSING_SHIPMENTS ||
		 !read_shipments(json_get(v, "shipments"), o))
		o->missing |= MISSING_SHIPMENTS;
	return whole || o->undecided;
}

static void order_end(struct centra_order *o)
{
	lines_end(o);
	shipments_end(o);
	free(o->id);
	free(o->status);
	free(o->hold_reason);
	free(o->placed_at);
	free(o->city);
	free(o->country);
	free(o->address);
	*o = (struct centra_order){0};
}

static bool is_asked(const struct question *q, int64_t number)
{
	for (size_t i = 0; i < q->n; i++)
		if (q->numbers[i] == number)
			return true;
	return false;
}

static bool read_orders(const struct json *data, const struct json *errors,
			const struct question *q, struct centra_orders *ret)
{
	const struct json *list = json_get(data, "orders"), *v;
	struct centra_order *o;
	struct trouble t;
	size_t row = 0;

	if (!json_is_list(list))
		return false;
	ret->list = xcalloc(json_length(list), sizeof(*ret->list));
	json_each(v, list)
	{
		t = trouble_of(q, errors, row++);
		o = &ret->list[ret->n++];
		if (read_order(v, q, &t, o) && is_asked(q, o->number))
			continue;
		if (!t.undecided || o->number)
			return false;
		order_end(o); /* an error at the order's number: the order is
			       * left out */
		ret->n--;
	}
	return true;
}

/* Notes which of the orders wait for check-first.  Without that list all of
 * them are undecided. */
static bool read_waiting(const struct json *data, const struct json *errors,
			 const struct question *q, struct centra_orders *ret)
{
	const struct json *list = json_get(data, "waiting"), *v;
	int64_t number;

	if (!json_is_list(list) && errors)
		return true; /* trouble_of() has marked the orders as
			      * undecided */
	if (!json_is_list(list))
		return false;
	json_each(v, list)
	{
		if (!json_int(json_get(v, "number"), &number) ||
		    !is_asked(q, number)) {
			if (!errors)
				return false;
			continue;
		}
		for (size_t i = 0; i < ret->n; i++)
			ret->list[i].waits |= ret->list[i].number == number;
	}
	return true;
}

/* Marks orders that are named twice as undecided: at most one of the rows can
 * be right. */
static void doubt_twins(struct centra_orders *r)
{
	for (size_t i = 0; i < r->n; i++)
		for (size_t k = 0; k < i; k++)
			if (r->list[i].number == r->list[k].number)
				r->list[i].undecided =
					r->list[k].undecided = true;
}

static void fetch(struct centra_conn *n, struct question *q,
		  struct centra_orders *ret)
{
	struct gql_reply r;

	ask(n, q, &ret->call, &r);
	if (ret->call.end == CALL_OK) {
		if (read_orders(r.data, r.errors, q, ret) &&
		    read_waiting(r.data, r.errors, q, ret)) {
			doubt_twins(ret);
		} else {
			centra_orders_release(ret);
			unreadable(&ret->call, "orders");
		}
	}
	gql_reply_end(&r);
}

void graphql_orders(struct centra_conn *n, const int64_t *numbers,
		    size_t n_numbers, bool with_address,
		    struct centra_orders *ret)
{
	struct question q = {.numbers = numbers,
			     .n = n_numbers,
			     .with_address = with_address,
			     .parts = PARTS_ALWAYS | PART_SHIPMENTS};

	*ret = (struct centra_orders){.call.end = CALL_NOT_DONE};
	if (!n_numbers || n_numbers > ORDERS_QUERY_MAX)
		(void)!fail(&ret->call.why, RC_INVALID,
			    "a query for %zu orders", n_numbers);
	else
		fetch(n, &q, ret);
}

void graphql_order_shipments(struct centra_conn *n, int64_t number,
			     bool with_address, bool with_payment,
			     struct centra_orders *ret)
{
	struct question q = {
		.numbers = &number,
		.n = 1,
		.with_address = with_address,
		.with_shipments = true,
		.parts = PARTS_ALWAYS | (with_payment ? PART_PAYMENT : 0),
	};

	*ret = (struct centra_orders){0};
	fetch(n, &q, ret);
}

/* Frees the orders and keeps the call, which callers may still read. */
void centra_orders_release(struct centra_orders *o)
{
	for (size_t i = 0; i < o->n; i++)
		order_end(&o->list[i]);
	free(o->list);
	o->list = NULL;
	o->n = 0;
}
