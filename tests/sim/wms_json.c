/* SPDX-License-Identifier: MIT */
#include "tests/sim/wms_json.h"

#include <string.h>
#include <time.h>

#include "tests/sim/stock.h"
#include "tests/sim/world.h"

#define SHIPPING_PRICE 49

const char *wms_time(char ret[WMS_TIME], int64_t ms)
{
	time_t s = (time_t)(ms / 1000);
	struct tm tm;

	snprintf(ret, WMS_TIME, "0000-00-00 00:00:00");
	if (!ms)
		return ret;
	localtime_r(&s, &tm);
	strftime(ret, WMS_TIME, "%Y-%m-%d %H:%M:%S", &tm);
	return ret;
}

static void add(cJSON *v, const char *key, const char *s)
{
	cJSON_AddStringToObject(v, key, s ? s : "");
}

static void add_number(cJSON *v, const char *key, double n)
{
	cJSON_AddNumberToObject(v, key, n);
}

static void add_digits(cJSON *v, const char *key, int64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)n);
	add(v, key, text);
}

static void add_time(cJSON *v, const char *key, int64_t ms)
{
	char text[WMS_TIME];

	add(v, key, wms_time(text, ms));
}

/* ---- addresses ---- */

/* Where the parts of an address stand; NULL: that form has no such member. */
struct form {
	const char *name, *company, *email, *cell, *tele, *street, *coaddress,
		*zip, *city, *state, *country, *vat;
};

static void add_part(cJSON *v, const char *key, const char *s)
{
	if (key)
		add(v, key, s);
}

static void add_address(cJSON *v, const cJSON *a, const struct form *f)
{
	char name[160];

	snprintf(name, sizeof(name), "%s %s", json_text(a, "firstName", ""),
		 json_text(a, "lastName", ""));
	add_part(v, f->name, name);
	add_part(v, f->company, json_text(a, "companyName", ""));
	add_part(v, f->email, json_text(a, "email", ""));
	add_part(v, f->cell, json_text(a, "cellPhoneNumber", ""));
	add_part(v, f->tele, json_text(a, "phoneNumber", ""));
	add_part(v, f->street, json_text(a, "address1", ""));
	add_part(v, f->coaddress, json_text(a, "address2", ""));
	add_part(v, f->zip, json_text(a, "zipCode", ""));
	add_part(v, f->city, json_text(a, "city", ""));
	add_part(v, f->state, json_text(a, "stateOrProvince", ""));
	add_part(v, f->country,
		 json_text(cJSON_GetObjectItemCaseSensitive(a, "country"),
			   "code", ""));
	add_part(v, f->vat, "");
}

static const struct form nested = {
	"Name", "Company",   "Email",	"Cell", "Tele",	 "Address",
	"Coaddress", "Zipcode", "City", "State", "Country", NULL,
};
static const struct form nested_billing = {
	"Name", "Company",   "Email",	"Cell", "Tele",	 "Address",
	"Coaddress", "Zipcode", "City", "State", "Country", "VAT",
};
static const struct form billing = {
	"billingName",	   "billingCompany", "billingEmail",
	NULL,		   "billingTele",    "billingAddress",
	"billingCoaddress", "billingZipcode", "billingCity",
	"billingState",	   "billingCountry", "billingVAT",
};
static const struct form delivery = {
	"deliveryName",	    "deliveryCompany", "deliveryEmail",
	"deliveryCell",	    "deliveryTele",    "deliveryAddress",
	"deliveryCoaddress", "deliveryZipcode", "deliveryCity",
	"deliveryState",    "deliveryCountry", NULL,
};

/* ---- lines ---- */

static cJSON *line_json(const struct line *l, int64_t quantity)
{
	cJSON *v = must(cJSON_CreateObject());

	add_digits(v, "lineId", l->id);
	stock_add_sku(v, l->sized ? l->sku : "");
	add(v, "name", l->product);
	add(v, "variant", l->variant);
	add(v, "size", l->size);
	add(v, "ean", l->sized ? l->ean : "");
	add(v, "upc", l->sized ? l->upc : "");
	json_add_int(v, "qty", quantity);
	add_number(v, "originalPrice", l->price);
	add_number(v, "price", l->price);
	add_number(v, "weight", 0.5);
	add(v, "weightUnit", "kg");
	add(v, "countryOfOrigin", "PT");
	add(v, "harmCode", "6206300090");
	add(v, "comment", "");
	return v;
}

/* By name alone; the quantity is text in a shipment, and a number in an
 * order. */
static void add_warehouses(cJSON *v, const struct line *l, int64_t quantity,
			   bool text)
{
	cJSON *a = cJSON_AddArrayToObject(v, "warehouses"), *c;

	if (!l->warehouse || quantity <= 0)
		return;
	c = must(cJSON_CreateObject());
	cJSON_AddItemToArray(a, c);
	add(c, "name", world_warehouse_name(l->warehouse));
	if (text)
		add_digits(c, "itemQty", quantity);
	else
		json_add_int(c, "itemQty", quantity);
}

static const struct line *line_of(const struct order *o, int64_t id)
{
	for (size_t i = 0; i < o->n_lines; i++)
		if (o->lines[i].id == id)
			return &o->lines[i];
	return NULL;
}

/* ---- what both have ---- */

static void add_dates(cJSON *v, const struct order *o)
{
	add_time(v, "orderDate", o->placed);
	add_time(v, "cancelDate", 0);
	add_time(v, "preferredDeliveryDate", 0);
	add_time(v, "estimatedDeliveryDate", o->placed + 3 * 86400000LL);
	add(v, "orderStore", "retail");
	add(v, "orderCurrency", "SEK");
}

static void add_totals(cJSON *v, double goods)
{
	add_number(v, "shippingValue", SHIPPING_PRICE);
	add_number(v, "voucherValue", 0);
	add_number(v, "grandTotalValue", goods + SHIPPING_PRICE);
	add_number(v, "grandTotalTaxValue", (goods + SHIPPING_PRICE) / 5);
	add_number(v, "taxAdded", 0);
	add_number(v, "taxDeducted", 0);
}

static void add_terms(cJSON *v, const char *key, int64_t id)
{
	cJSON *c = cJSON_AddObjectToObject(v, key);

	json_add_int(c, "id", id);
	add(c, "name", "standard");
	add(c, "description", "");
}

static void add_url(cJSON *v, const char *key, const char *page,
		    const char *number)
{
	char text[120];

	snprintf(text, sizeof(text), "https://brand.centra.com/%s?shipment=%s",
		 page, number);
	add(v, key, text);
}

/* ---- an order ---- */

static cJSON *brief_shipment(const struct shipment *s)
{
	cJSON *v = must(cJSON_CreateObject());

	add(v, "shipmentId", s->number);
	add_time(v, "shippedDate", s->shipped ? s->shipped_at : 0);
	add(v, "carrier", s->carrier);
	add(v, "service", s->service);
	add(v, "trackingId", s->tracking);
	add(v, "trackingUrl", "");
	add(v, "returnSlipTracking", "");
	return v;
}

static void add_order_lines(cJSON *v, const struct order *o)
{
	cJSON *a = cJSON_AddArrayToObject(v, "products"), *c;

	for (size_t i = 0; i < o->n_lines; i++) {
		const struct line *l = &o->lines[i];

		c = line_json(l, l->quantity);
		cJSON_AddItemToArray(a, c);
		add(c, "brand", "B1");
		add(c, "otherComment", "");
		json_add_int(c, "taxPercent", 25);
		add_warehouses(c, l, l->allocated, false);
		cJSON_AddBoolToObject(c, "isBundle",
				      !strcmp(l->type, "BundleOrderLine"));
		add(c, "isPartOfBundle", "");
		cJSON_AddArrayToObject(c, "bundle");
		c = cJSON_AddObjectToObject(c, "localizedSize");
		add(c, "localizedSize", "");
		add(c, "localizationDefinitionName", "");
	}
}

static double value_of(const struct order *o)
{
	double n = 0;

	for (size_t i = 0; i < o->n_lines; i++)
		n += o->lines[i].price * (double)o->lines[i].quantity;
	return n;
}

static void add_order_notes(cJSON *v)
{
	cJSON *c;

	add(v, "poNumber", "");
	add(v, "shippingList", "standard");
	add(v, "internalComment", "");
	add(v, "otherComment", "");
	add(v, "ipAddress", "192.0.2.1");
	c = cJSON_AddObjectToObject(v, "payment");
	add(c, "Plugin", "dummy");
	add(c, "Type", "card");
	add(c, "Description", "");
	cJSON_AddNullToObject(v, "paymentReference");
	cJSON_AddNullToObject(v, "paymentMethod");
	add(v, "defaultCarrier", "");
}

cJSON *wms_order_json(const struct order *o)
{
	cJSON *v = must(cJSON_CreateObject()), *a;

	add_digits(v, "orderId", o->number);
	add(v, "selectionId", o->id);
	add(v, "orderStatus", o->status);
	add_dates(v, o);
	add_digits(v, "customerId", o->number + 500);
	add(v, "accountId", "0");
	add_address(cJSON_AddObjectToObject(v, "delivery"), o->address,
		    &nested);
	add_address(cJSON_AddObjectToObject(v, "billing"), o->address,
		    &nested_billing);
	add_order_notes(v);
	json_add_int(v, "suspect", 0);
	json_add_int(v, "internalOrder", 0);
	json_add_int(v, "hold", order_on_hold(o));
	json_add_int(v, "waitingForPayment", 0);
	add_totals(v, value_of(o));
	json_add_int(v, "totalItems", (int64_t)o->n_lines);
	json_add_int(v, "marketId", 1);
	json_add_int(v, "pricelistId", 1);
	a = cJSON_AddArrayToObject(v, "shipments");
	for (size_t i = 0; i < o->n_shipments; i++)
		cJSON_AddItemToArray(a, brief_shipment(&o->shipments[i]));
	add_order_lines(v, o);
	return v;
}

/* ---- a shipment ---- */

static void add_shipment_lines(cJSON *v, const struct order *o,
			       const struct shipment *s)
{
	cJSON *a = cJSON_AddArrayToObject(v, "products"), *c;

	for (size_t i = 0; i < s->n_lines; i++) {
		const struct line *l = line_of(o, s->lines[i].line);

		if (!l)
			continue;
		c = line_json(l, s->lines[i].quantity);
		cJSON_AddItemToArray(a, c);
		add_warehouses(c, l, s->lines[i].quantity, true);
	}
}

static double shipped_value(const struct order *o, const struct shipment *s)
{
	double n = 0;

	for (size_t i = 0; i < s->n_lines; i++) {
		const struct line *l = line_of(o, s->lines[i].line);

		n += l ? l->price * (double)s->lines[i].quantity : 0;
	}
	return n;
}

static void add_papers(cJSON *v, const struct shipment *s)
{
	add(v, "poNumber", "");
	add(v, "shippingList", "standard");
	add_terms(v, "shippingTerms", 5);
	add_terms(v, "paymentTerms", 10);
	add_url(v, "proforma", "proforma", s->number);
	add_url(v, "deliveryNote", "delnote", s->number);
	add(v, "defaultCarrier", s->carrier);
	add(v, "deliveryService", s->service);
	add_time(v, "shipmentDate", s->shipped ? s->shipped_at : 0);
	add(v, "trackingNumber", s->tracking);
	add(v, "trackingUrl", "");
	add(v, "returnSlipTracking", "");
	cJSON_AddArrayToObject(v, "invoices");
}

static void add_tax(cJSON *v, double total)
{
	cJSON *c = must(cJSON_CreateObject());

	cJSON_AddItemToArray(cJSON_AddArrayToObject(v, "taxBreakdown"), c);
	add(c, "description", "VAT");
	json_add_int(c, "taxPercent", 25);
	add_number(c, "value", total / 5);
}

cJSON *wms_shipment_json(const struct order *o, const struct shipment *s)
{
	cJSON *v = must(cJSON_CreateObject());
	double goods = shipped_value(o, s);
	const cJSON *w;

	add_digits(v, "orderId", o->number);
	add(v, "selectionId", o->id);
	add_dates(v, o);
	add(v, "shipmentId", s->number);
	add_digits(v, "customerId", o->number + 500);
	add(v, "accountId", "0");
	add_address(v, o->address, &billing);
	add_address(v, o->address, &delivery);
	add_papers(v, s);
	json_add_int(v, "suspect", 0);
	json_add_int(v, "hold", order_on_hold(o));
	json_add_int(v, "paid", s->paid || s->captured);
	json_add_int(v, "shouldCapture", !s->paid && !s->captured);
	add_totals(v, goods);
	add(v, "internalComment", "");
	add(v, "otherComment", "");
	cJSON_ArrayForEach(w, o->shipwallet)
		cJSON_AddItemToObject(v, w->string,
				      must(cJSON_Duplicate(w, 1)));
	add_tax(v, goods + SHIPPING_PRICE);
	add_shipment_lines(v, o, s);
	return v;
}
