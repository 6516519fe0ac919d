/* SPDX-License-Identifier: MIT
 *
 * shipment_row.c - a shipment in the shape of Centra's GET /shipments (CONTRACT
 * 5.7).
 *
 * Each member comes from what we know, else from what Centra's Order API showed,
 * else, of the delivery, from the order's address; else it is empty, as Centra
 * writes it.  No member and no name of another warehouse is passed on.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "base/time.h"
#include "server/face/face_private.h"

#define NO_DATE "0000-00-00 00:00:00"
#define VALUE_MAX SHIP_SHOWN_MAX

/* A row while it is written. */
struct writing {
	struct buf *out;
	const struct face_row *row;
	struct json *shown, *person; /* owned, or NULL */
};

static struct json *parse(const char *text)
{
	struct json *ret = NULL;
	struct err e;

	if (text)
		(void)!json_parse(text, strlen(text), JSON_STRICT, &ret, &e);
	return ret;
}

/* ---- members that we know ---- */

static void put_local(struct buf *b, const char *key,
		      const struct zone *zone, int64_t t)
{
	char iso[TIME_ISO_SIZE], text[20];

	if (!t) {
		json_put(b, key, NO_DATE);
		return;
	}
	time_iso(iso, t, zone_offset(zone, t), false);
	snprintf(text, sizeof(text), "%.10s %.8s", iso, iso + 11);
	json_put(b, key, text);
}

static bool is_paid(const struct writing *w)
{
	const struct ship_came *c = &w->row->s->came;
	int64_t paid = 0;

	(void)json_int(json_get(w->shown, "paid"), &paid);
	return paid || c->capture == CAPTURE_DONE ||
	       c->stage == SHIP_CAPTURED || c->stage == SHIP_SHIPPED;
}

/* Adds a member that we know better than Centra's row.  False: it is none. */
static bool put_own(struct writing *w, const char *name)
{
	const struct face_row *row = w->row;
	const struct ship_came *c = &row->s->came;
	char order[24];

	if (!strcmp(name, "orderId")) {
		snprintf(order, sizeof(order), "%" PRId64, row->o->number);
		json_put(w->out, name, order);
	} else if (!strcmp(name, "orderDate")) {
		char *date = face_order_date(row);

		json_put(w->out, name, *date ? date : NO_DATE);
		free(date);
	} else if (!strcmp(name, "shipmentId")) {
		json_put(w->out, name, c->number);
	} else if (!strcmp(name, "paid")) {
		json_put_int(w->out, name, is_paid(w));
	} else if (!strcmp(name, "shouldCapture")) {
		json_put_int(w->out, name, !is_paid(w));
	} else if (!strcmp(name, "hold")) {
		json_put_int(w->out, name, row->o->on_hold);
	} else if (!strcmp(name, "shipmentDate")) {
		put_local(w->out, name, row->zone, c->shipped_at);
	} else if (!strcmp(name, "trackingNumber") &&
		   c->stage == SHIP_SHIPPED) {
		json_put(w->out, name,
			 row->s->ask.tracking ? row->s->ask.tracking : "");
	} else {
		return false;
	}
	return true;
}

char *face_order_date(const struct face_row *row)
{
	struct json *shown = parse(row->s->shown);
	const char *date = json_text(json_get(shown, "orderDate"));
	const char *placed = json_text(json_get(row->details, "placed_at"));
	char *ret = NULL;

	if (date)
		ret = xstrdup(date);
	else if (placed && strlen(placed) >= 19)
		ret = xasprintf("%.10s %.8s", placed, placed + 11);
	json_free(shown);
	return ret ? ret : xstrdup("");
}

/* ---- the delivery, from the order's address ---- */

/* Returns one or two texts of the address, joined; the caller frees them. */
static char *delivery_text(const struct json *a, const char *one,
			  const char *two)
{
	char *x = json_words(json_get(a, one));
	char *y = two ? json_words(json_get(a, two)) : NULL;
	char *ret = xasprintf("%s%s%s", x ? x : "", x && y ? " " : "",
			      y ? y : "");

	free(x);
	free(y);
	return ret;
}

static bool put_delivery(struct writing *w, const char *name)
{
	static const struct {
		const char *name, *one, *two;
	} from[] = {
		{"deliveryName", "first_name", "last_name"},
		{"deliveryCompany", "company", NULL},
		{"deliveryEmail", "email", NULL},
		{"deliveryCell", "mobile", NULL},
		{"deliveryTele", "phone", NULL},
		{"deliveryAddress", "address1", NULL},
		{"deliveryCoaddress", "address2", NULL},
		{"deliveryZipcode", "zip", NULL},
		{"deliveryCity", "city", NULL},
		{"deliveryState", "state", NULL},
		{"deliveryCountry", "country_code", NULL},
	};
	const struct json *a = w->row->address;
	char *text = NULL;

	if (!w->row->people || !a)
		return false;
	for (size_t i = 0; !text && i < sizeof(from) / sizeof(*from); i++)
		if (!strcmp(name, from[i].name))
			text = delivery_text(a, from[i].one, from[i].two);
	if (!text)
		return false;
	json_put(w->out, name, text);
	free(text);
	return true;
}

/* ---- all other members ---- */

static void put_value(struct buf *out, const char *key, const struct json *v)
{
	struct buf b;

	buf_init(&b, VALUE_MAX);
	json_canonical(v, &b);
	json_put_raw(out, key, b.data && !buf_full(&b) ? b.data : "null");
	buf_release(&b);
}

/* The members, in Centra's order, with what stands where nothing is known. */
static const struct {
	const char *name, *none;
} members[] = {
	{"orderId", NULL},
	{"selectionId", "\"\""},
	{"orderDate", NULL},
	{"cancelDate", "\"" NO_DATE "\""},
	{"preferredDeliveryDate", "\"" NO_DATE "\""},
	{"estimatedDeliveryDate", "\"" NO_DATE "\""},
	{"orderStore", "\"\""},
	{"orderCurrency", "\"\""},
	{"shipmentId", NULL},
	{"customerId", "\"\""},
	{"accountId", "\"0\""},
	{"billingName", "\"\""},
	{"billingCompany", "\"\""},
	{"billingAddress", "\"\""},
	{"billingCoaddress", "\"\""},
	{"billingCity", "\"\""},
	{"billingState", "\"\""},
	{"billingZipcode", "\"\""},
	{"billingCountry", "\"\""},
	{"billingEmail", "\"\""},
	{"billingTele", "\"\""},
	{"billingVAT", "\"\""},
	{"deliveryName", "\"\""},
	{"deliveryCompany", "\"\""},
	{"deliveryEmail", "\"\""},
	{"deliveryCell", "\"\""},
	{"deliveryTele", "\"\""},
	{"deliveryAddress", "\"\""},
	{"deliveryCoaddress", "\"\""},
	{"deliveryZipcode", "\"\""},
	{"deliveryCity", "\"\""},
	{"deliveryState", "\"\""},
	{"deliveryCountry", "\"\""},
	{"poNumber", "\"\""},
	{"shippingList", "\"\""},
	{"shippingTerms", "null"},
	{"paymentTerms", "null"},
	{"proforma", "\"\""},
	{"deliveryNote", "\"\""},
	{"defaultCarrier", "\"\""},
	{"deliveryService", "\"\""},
	{"shipmentDate", NULL},
	{"trackingNumber", "\"\""},
	{"trackingUrl", "\"\""},
	{"returnSlipTracking", "\"\""},
	{"invoices", "[]"},
	{"suspect", "0"},
	{"hold", NULL},
	{"paid", NULL},
	{"shouldCapture", NULL},
	{"shippingValue", "0"},
	{"voucherValue", "0"},
	{"grandTotalValue", "0"},
	{"grandTotalTaxValue", "0"},
	{"taxAdded", "0"},
	{"taxDeducted", "0"},
	{"internalComment", "\"\""},
	{"otherComment", "\"\""},
	{"shipwallet_method", "\"\""},
	{"shipwallet_pickup", "\"\""},
	{"shipwallet_deliverytime", "\"\""},
	{"shipwallet_doorcode", "\"\""},
	{"shipwallet_courier_instructions", "\"\""},
	{"shipwallet_id", "\"\""},
	{"taxBreakdown", "[]"},
};

static void put_member(struct writing *w, const char *name, const char *none)
{
	const struct json *v;

	if (put_own(w, name))
		return;
	v = json_get(w->shown, name);
	if (!v && w->row->people)
		v = json_get(w->person, name);
	if (v)
		put_value(w->out, name, v);
	else if (!put_delivery(w, name))
		json_put_raw(w->out, name, none ? none : "null");
}

/* ---- products ---- */

static const struct json *product_shown(const struct writing *w, int64_t line)
{
	const struct json *p;
	int64_t id;

	json_each(p, json_get(w->shown, "products"))
		if (json_int(json_get(p, "lineId"), &id) && id == line)
			return p;
	return NULL;
}

static const struct json *line_known(const struct writing *w, int64_t line)
{
	const struct json *l;
	int64_t id;

	json_each(l, json_get(w->row->details, "lines"))
		if (json_int(json_get(l, "line_id"), &id) && id == line)
			return l;
	return NULL;
}

static void put_known(struct buf *out, const char *key, const struct json *l,
		      const char *name)
{
	char *text = json_words(json_get(l, name));

	json_put(out, key, text ? text : "");
	free(text);
}

/* Adds a product by what GraphQL showed of its line: the SKU is whole. */
static void put_line(struct buf *out, const struct json *l)
{
	put_known(out, "sku", l, "sku");
	json_put(out, "variantSku", "");
	json_put(out, "sizeSku", "");
	put_known(out, "name", l, "product");
	put_known(out, "variant", l, "variant");
	put_known(out, "size", l, "size");
	put_known(out, "ean", l, "ean");
	put_known(out, "upc", l, "upc");
}

static bool is_ours_to_say(const char *name)
{
	return !strcmp(name, "lineId") || !strcmp(name, "qty") ||
	       !strcmp(name, "warehouses");
}

/* Returns Centra's name of the warehouse, if its row names no other one. */
static char *warehouse_name(const struct writing *w, const struct json *shown)
{
	const struct json *list = json_get(shown, "warehouses");
	char *name = NULL;

	if (json_length(list) == 1)
		name = json_words(json_get(json_at(list, 0), "name"));
	return name ? name : xstrdup(w->row->shop->name);
}

static void put_product(struct writing *w, const struct ship_line *l)
{
	const struct json *shown = product_shown(w, l->line), *m;
	char *name = warehouse_name(w, shown), text[24];

	json_begin(w->out, NULL);
	snprintf(text, sizeof(text), "%" PRId64, l->line);
	json_put(w->out, "lineId", text);
	json_each(m, shown)
		if (!is_ours_to_say(json_name(m)))
			put_value(w->out, json_name(m), m);
	if (!shown)
		put_line(w->out, line_known(w, l->line));
	json_put_int(w->out, "qty", l->quantity);
	json_begin_list(w->out, "warehouses");
	json_begin(w->out, NULL);
	json_put(w->out, "name", name);
	snprintf(text, sizeof(text), "%" PRId64, l->quantity);
	json_put(w->out, "itemQty", text);
	json_end(w->out);
	json_end_list(w->out);
	json_end(w->out);
	free(name);
}

void face_shipment_json(struct buf *out, const char *key,
			const struct face_row *row)
{
	const struct ship_ask *a = &row->s->ask;
	struct writing w = {
		.out = out,
		.row = row,
		.shown = parse(row->s->shown),
		.person = row->people ? parse(row->s->person) : NULL,
	};

	json_begin(out, key);
	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
		put_member(&w, members[i].name, members[i].none);
	json_begin_list(out, "products");
	for (size_t i = 0; i < a->n_lines; i++)
		put_product(&w, &a->lines[i]);
	json_end_list(out);
	json_end(out);
	json_free(w.shown);
	json_free(w.person);
}
