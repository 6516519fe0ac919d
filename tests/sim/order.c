/* SPDX-License-Identifier: MIT */
#include "tests/sim/order.h"

#include <stdlib.h>
#include <string.h>

#include "tests/sim/allocation.h"
#include "tests/sim/clock.h"
#include "tests/sim/return.h"

/* clang-format off */
static const struct {
	const char *product, *variant, *sku;
	double price;
	const char *sizes[4];
} goods[] = {
	{"Merino Crew Sweater", "Oatmeal", "MCS-OAT", 1299, {"S", "M", "L", "XL"}},
	{"Wide Leg Trousers", "Ink Blue", "WLT-INK", 1599, {"36", "38", "40", "42"}},
	{"Rib Tank Top", "Off White", "RTT-OWH", 349, {"XS", "S", "M", "L"}},
	{"Trench Coat", "Sand", "TRC-SND", 3999, {"34", "36", "38", "40"}},
	{"Selvedge Jeans", "Raw Indigo", "SLV-RAW", 1899, {"30/32", "31/32", "32/32", "33/34"}},
	{"Leather Chelsea Boots", "Svart", "LCB-SVT", 2799, {"38", "39", "41", "43"}},
	{"Silk Scarf", "Midsommar Blå", "SSC-BLA", 799, {"One size", "One size", "One size", "One size"}},
	{"Linen Shirt", "Äpple Green", "LSH-GRN", 999, {"S", "M", "L", "XXL"}},
	{"Puffer Vest", "Midnight", "PUV-MID", 1799, {"S", "M", "L", "XL"}},
	{"Canvas Tote", "Ecru", "CTO-ECR", 299, {"One size", "One size", "One size", "One size"}},
};
static const struct {
	const char *first, *last, *street, *zip, *city, *code, *country, *cell;
} people[] = {
	{"Astrid", "Öberg", "Götgatan 31", "116 21", "Stockholm", "SE", "Sweden", "+46701740605"},
	{"Daan", "de Vries", "Prinsengracht 263", "1016 GV", "Amsterdam", "NL", "Netherlands", "+31612345678"},
	{"Lena", "Großmann", "Torstraße 140", "10119", "Berlin", "DE", "Germany", "+4915112345678"},
	{"Élodie", "O'Brien", "Rue de l'Épée 7", "75005", "Paris", "FR", "France", "+33612345678"},
	{"Mikkel", "Søndergaard", "Ryesgade 12, 3. tv", "2200", "København N", "DK", "Denmark", "+4520123456"},
};
/* clang-format on */
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* A small generator of its own, so that a seed gives the same orders. */
static unsigned next(unsigned *x)
{
	*x = *x * 1664525u + 1013904223u;
	return *x >> 8;
}

static char *copy(const char *s)
{
	return s ? must(strdup(s)) : NULL;
}

/* What a line can be: "kind" of a control request. */
static const struct kind {
	const char *name, *type;
	bool stock, sized;
} kinds[] = {
	{"product", "ProductOrderLine", true, true},
	{"bundle", "BundleOrderLine", false, true}, /* the parent */
	{"bundle_item", "BundleItemOrderLine", true, true},
	{"gift_card", "ProductOrderLine", false, false},
};

static const struct kind *kind_of(const char *name)
{
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	return &kinds[0];
}

static void set_line(struct line *l, int64_t id, const cJSON *spec,
		     unsigned *seed)
{
	unsigned g = next(seed) % COUNT(goods), s = next(seed) % 4;
	const struct kind *kind = kind_of(json_text(spec, "kind", "product"));
	char sku[64], ean[16], digits[14];
	int sum = 0;

	snprintf(sku, sizeof(sku), "%s-%s", goods[g].sku, goods[g].sizes[s]);
	snprintf(digits, sizeof(digits), "73%04u%06u", g * 10 + s,
		 next(seed) % 1000000);
	for (int i = 0; i < 12; i++)
		sum += (digits[i] - '0') * (i % 2 ? 3 : 1);
	snprintf(ean, sizeof(ean), "%.12s%d", digits, (10 - sum % 10) % 10);

	l->id = json_int(spec, "id", id);
	l->quantity = json_int(spec, "quantity", next(seed) % 5 ? 1 : 2);
	l->type = kind->type;
	l->stock = kind->stock;
	l->sized = kind->sized;
	l->product = copy(json_text(spec, "product", goods[g].product));
	l->variant = copy(json_text(spec, "variant", goods[g].variant));
	l->size = copy(json_text(spec, "size", goods[g].sizes[s]));
	l->sku = copy(json_text(spec, "sku", sku));
	l->ean = copy(json_text(spec, "ean", ean));
	l->upc = copy(json_text(spec, "upc", NULL));
	l->price = goods[g].price;
}

static cJSON *some_address(unsigned *seed)
{
	unsigned i = next(seed) % COUNT(people);
	cJSON *a = must(cJSON_CreateObject()), *c;
	char email[64];

	snprintf(email, sizeof(email), "customer%u@example.com",
		 next(seed) % 10000);
	cJSON_AddStringToObject(a, "firstName", people[i].first);
	cJSON_AddStringToObject(a, "lastName", people[i].last);
	cJSON_AddNullToObject(a, "companyName");
	cJSON_AddNullToObject(a, "attention");
	cJSON_AddStringToObject(a, "address1", people[i].street);
	cJSON_AddNullToObject(a, "address2");
	cJSON_AddStringToObject(a, "zipCode", people[i].zip);
	cJSON_AddStringToObject(a, "city", people[i].city);
	cJSON_AddNullToObject(a, "stateOrProvince");
	cJSON_AddStringToObject(a, "cellPhoneNumber", people[i].cell);
	cJSON_AddNullToObject(a, "phoneNumber");
	cJSON_AddStringToObject(a, "email", email);
	c = cJSON_AddObjectToObject(a, "country");
	cJSON_AddStringToObject(c, "code", people[i].code);
	cJSON_AddStringToObject(c, "name", people[i].country);
	return a;
}

/* What the checkout's delivery widget stored: "shipwallet" of the request; a
 * null there is an order without. */
static cJSON *some_shipwallet(const cJSON *spec, int64_t number)
{
	const cJSON *given = cJSON_GetObjectItemCaseSensitive(spec,
							      "shipwallet");
	cJSON *v;
	char id[40];

	if (cJSON_IsNull(given))
		return NULL;
	if (given)
		return must(cJSON_Duplicate(given, 1));
	v = must(cJSON_CreateObject());
	snprintf(id, sizeof(id), "%032llx", (unsigned long long)number);
	cJSON_AddStringToObject(v, "shipwallet_method", "pnl-mpc");
	cJSON_AddStringToObject(v, "shipwallet_pickup", "12345");
	cJSON_AddStringToObject(v, "shipwallet_deliverytime", "");
	cJSON_AddStringToObject(v, "shipwallet_doorcode", "");
	cJSON_AddStringToObject(v, "shipwallet_courier_instructions", "");
	cJSON_AddStringToObject(v, "shipwallet_id", id);
	return v;
}

struct order *order_new(const cJSON *spec, int64_t number, unsigned seed)
{
	struct order *o = must(calloc(1, sizeof(*o)));
	const cJSON *lines = cJSON_GetObjectItemCaseSensitive(spec, "lines");
	const cJSON *address =
		cJSON_GetObjectItemCaseSensitive(spec, "shippingAddress");
	const cJSON *l;

	seed ^= (unsigned)number * 2654435761u;
	o->number = number;
	for (int i = 0; i < 4; i++)
		snprintf(o->id + i * 8, 9, "%08x",
			 next(&seed) << 24 ^ next(&seed));
	o->placed = clock_ms();
	o->status = "PENDING";
	o->address = cJSON_IsObject(address) ? must(cJSON_Duplicate(address, 1))
					     : some_address(&seed);
	if (json_text(spec, "city", NULL))
		cJSON_ReplaceItemInObjectCaseSensitive(
			o->address, "city",
			cJSON_CreateString(json_text(spec, "city", "")));
	o->shipwallet = some_shipwallet(spec, number);
	cJSON_ArrayForEach(l, lines)
	{
		if (o->n_lines < LINES_MAX)
			set_line(&o->lines[o->n_lines], number * 10 +
				 (int64_t)o->n_lines, l, &seed);
		o->n_lines += o->n_lines < LINES_MAX;
	}
	if (!cJSON_IsArray(lines))
		for (unsigned n = 1 + next(&seed) % 3; n > 0; n--, o->n_lines++)
			set_line(&o->lines[o->n_lines], number * 10 +
				 (int64_t)o->n_lines, NULL, &seed);
	return o;
}

void shipment_free(struct shipment *s)
{
	free(s->carrier);
	free(s->service);
	free(s->tracking);
	cJSON_Delete(s->serials);
}

struct shipment *order_shipment(struct order *o, const char *number)
{
	for (size_t i = 0; i < o->n_shipments; i++)
		if (!strcmp(o->shipments[i].number, number))
			return &o->shipments[i];
	return NULL;
}

void order_free(struct order *o)
{
	if (!o)
		return;
	for (size_t i = 0; i < o->n_lines; i++) {
		struct line *l = &o->lines[i];

		free(l->product);
		free(l->variant);
		free(l->size);
		free(l->sku);
		free(l->ean);
		free(l->upc);
	}
	for (size_t i = 0; i < o->n_shipments; i++)
		shipment_free(&o->shipments[i]);
	allocation_free(o);
	cJSON_Delete(o->address);
	cJSON_Delete(o->shipwallet);
	cJSON_Delete(o->seen);
	free(o);
}

bool order_waits(const struct order *o)
{
	return o->hold_reason && !strcmp(o->hold_reason, HOLD_CHECK_FIRST);
}

static bool held_for_another_reason(const struct order *o)
{
	return o->other_hold && clock_ms() < o->other_until;
}

bool order_on_hold(const struct order *o)
{
	return o->hold_reason || held_for_another_reason(o);
}

/* Of several reasons one is shown, or none. */
static const char *reason_shown(const struct order *o)
{
	if (o->reason_hidden)
		return NULL;
	return held_for_another_reason(o) ? o->other_hold : o->hold_reason;
}

struct ask *order_ask(struct order *o, int64_t warehouse)
{
	for (size_t i = 0; i < o->n_asks; i++)
		if (o->asks[i].warehouse == warehouse)
			return &o->asks[i];
	return NULL;
}

void order_allocate(struct order *o, int64_t warehouse)
{
	for (size_t i = 0; i < o->n_lines; i++) {
		struct line *l = &o->lines[i];

		l->warehouse = l->stock ? warehouse : 0;
		l->allocated = l->warehouse ? l->quantity : 0;
		l->waiting = false;
	}
}

void order_settle(struct order *o)
{
	for (size_t i = 0; i < o->n_shipments; i++) {
		struct shipment *s = &o->shipments[i];

		if (!s->capture_pending || !s->capture_due ||
		    s->capture_due > clock_ms())
			continue;
		s->capture_pending = false;
		s->captured = s->paid = !s->capture_fails;
	}
}

/* ---- as JSON ---- */

static void add_text(cJSON *o, const char *key, const char *s)
{
	if (s)
		cJSON_AddStringToObject(o, key, s);
	else
		cJSON_AddNullToObject(o, key);
}

static void add_time(cJSON *o, const char *key, int64_t ms)
{
	char t[CLOCK_TEXT];

	add_text(o, key, ms ? clock_iso(t, ms) : NULL);
}

static cJSON *size_graphql(const struct line *l)
{
	cJSON *v;

	if (!l->sized)
		return must(cJSON_CreateNull());
	v = must(cJSON_CreateObject());
	cJSON_AddStringToObject(v, "SKU", l->sku);
	add_text(v, "EAN", l->ean);
	add_text(v, "UPC", l->upc);
	cJSON_AddStringToObject(v, "description", l->size);
	cJSON_AddStringToObject(v, "sizeNumber", l->size);
	return v;
}

int64_t order_in_shipments(const struct order *o, int64_t line)
{
	int64_t n = 0;

	for (size_t i = 0; i < o->n_shipments; i++)
		for (size_t k = 0; k < o->shipments[i].n_lines; k++)
			if (o->shipments[i].lines[k].line == line)
				n += o->shipments[i].lines[k].quantity;
	return n;
}

static cJSON *allocations_graphql(const struct order *o, const struct line *l,
				  bool leave, warehouse_name_fn *name)
{
	bool late = l->warehouse && o->moved_from && clock_ms() < o->moved_shown;
	int64_t where = late ? o->moved_from : l->warehouse;
	int64_t units = l->allocated - (leave ? order_in_shipments(o, l->id) : 0);
	cJSON *a = must(cJSON_CreateArray()), *c;

	if (!where || units <= 0)
		return a;
	c = must(cJSON_CreateObject());
	cJSON_AddItemToArray(a, c);
	json_add_int(c, "id", l->id * 10 + where);
	json_add_int(c, "quantity", units);
	cJSON_AddBoolToObject(c, "isWaitingForConfirmation", l->waiting);
	c = cJSON_AddObjectToObject(c, "warehouse");
	json_add_int(c, "id", where);
	cJSON_AddStringToObject(c, "name", name(where));
	return a;
}

static cJSON *line_graphql(const struct order *o, const struct line *l,
			   bool leave, warehouse_name_fn *name)
{
	cJSON *v = must(cJSON_CreateObject()), *c;

	cJSON_AddStringToObject(v, "__typename", l->type);
	json_add_int(v, "id", l->id);
	json_add_int(v, "quantity", l->quantity);
	cJSON_AddStringToObject(v, "productName", l->product);
	cJSON_AddStringToObject(v, "productVariantName", l->variant);
	cJSON_AddStringToObject(v, "productNumber", l->sku);
	cJSON_AddStringToObject(v, "size", l->size);
	cJSON_AddStringToObject(v, "comment", "");
	json_add_int(v, "cancelledQuantity", 0);
	json_add_int(v, "returnedQuantity", return_units(o, l->id));
	c = cJSON_AddObjectToObject(v, "product");
	cJSON_AddStringToObject(c, "name", l->product);
	cJSON_AddItemToObject(v, "productSize", size_graphql(l));
	cJSON_AddItemToObject(v, "allocations",
			      allocations_graphql(o, l, leave, name));
	return v;
}

static cJSON *shipment_graphql(const struct shipment *s)
{
	cJSON *v = must(cJSON_CreateObject()), *c, *a, *ol;

	json_add_int(v, "id", s->id);
	cJSON_AddStringToObject(v, "number", s->number);
	add_time(v, "createdAt", s->created);
	cJSON_AddBoolToObject(v, "isGoodToGo", s->good_to_go);
	cJSON_AddBoolToObject(v, "isShipped", s->shipped);
	cJSON_AddBoolToObject(v, "isPaid", s->paid);
	cJSON_AddBoolToObject(v, "isCaptured", s->captured);
	cJSON_AddBoolToObject(v, "isOnHold", false);
	cJSON_AddBoolToObject(v, "isPrinted", false);
	add_text(v, "trackingNumber", s->tracking);
	json_add_int(v, "numberOfPackages", s->packages);
	add_time(v, "shippedAt", s->shipped_at);
	c = cJSON_AddObjectToObject(v, "carrierInformation");
	add_text(c, "carrierName", s->carrier);
	add_text(c, "serviceName", s->service);
	a = cJSON_AddArrayToObject(v, "lines");
	for (size_t i = 0; i < s->n_lines; i++) {
		c = must(cJSON_CreateObject());
		cJSON_AddItemToArray(a, c);
		json_add_int(c, "id", return_line_id(s, i));
		json_add_int(c, "quantity", s->lines[i].quantity);
		ol = cJSON_AddObjectToObject(c, "orderLine");
		json_add_int(ol, "id", s->lines[i].line);
	}
	return v;
}

/* Each shipment's newest capture. */
static cJSON *payments_graphql(const struct order *o)
{
	cJSON *a = must(cJSON_CreateArray()), *v;

	for (size_t i = 0; i < o->n_shipments; i++) {
		const struct shipment *s = &o->shipments[i];

		if (!s->payment)
			continue;
		v = must(cJSON_CreateObject());
		cJSON_AddItemToArray(a, v);
		json_add_int(v, "id", s->payment);
		cJSON_AddStringToObject(v, "status",
					s->capture_pending ? "PENDING"
					: s->captured	   ? "SUCCESS"
							   : "FAILED");
		cJSON_AddStringToObject(v, "entryType",
					s->capture_pending ? "CAPTURE_REQUEST"
							   : "CAPTURE");
	}
	return a;
}

cJSON *order_graphql(const struct order *o, bool leave,
		     warehouse_name_fn *name)
{
	cJSON *v = must(cJSON_CreateObject()), *a;

	cJSON_AddStringToObject(v, "__typename", "DirectToConsumerOrder");
	cJSON_AddStringToObject(v, "id", o->id);
	json_add_int(v, "number", o->number);
	cJSON_AddStringToObject(v, "status", o->status);
	cJSON_AddBoolToObject(v, "isOnHold", order_on_hold(o));
	add_text(v, "orderHoldReason", reason_shown(o));
	cJSON_AddBoolToObject(v, "isLocked", o->locked);
	add_time(v, "createdAt", o->placed);
	add_time(v, "orderDate", o->placed);
	add_time(v, "updatedAt", o->placed);
	cJSON_AddItemToObject(v, "shippingAddress",
			      must(cJSON_Duplicate(o->address, 1)));
	a = cJSON_AddObjectToObject(v, "customer");
	json_add_int(a, "id", o->number + 500);
	cJSON_AddStringToObject(a, "email",
				json_text(o->address, "email", ""));
	a = cJSON_AddArrayToObject(v, "lines");
	for (size_t i = 0; i < o->n_lines; i++)
		cJSON_AddItemToArray(
			a, line_graphql(o, &o->lines[i], leave, name));
	a = cJSON_AddArrayToObject(v, "shipments");
	for (size_t i = 0; i < o->n_shipments; i++)
		cJSON_AddItemToArray(a, shipment_graphql(&o->shipments[i]));
	cJSON_AddItemToObject(v, "paymentHistory", payments_graphql(o));
	return v;
}

cJSON *order_state(const struct order *o)
{
	static const char *const states[] = {"asked", "accepted", "rejected",
					     "timed_out"};
	cJSON *v = must(cJSON_CreateObject()), *a, *c;

	json_add_int(v, "number", o->number);
	cJSON_AddStringToObject(v, "status", o->status);
	add_text(v, "hold", o->hold_reason);
	json_add_int(v, "winner", o->winner);
	json_add_int(v, "accepts", o->accepts);
	cJSON_AddBoolToObject(v, "locked", o->locked);
	json_add_int(v, "locks", o->locks);
	json_add_int(v, "unlocks", o->unlocks);
	json_add_int(v, "resumes", o->resumes);
	cJSON_AddBoolToObject(v, "unlocked_a_persons", o->unlocked_a_persons);
	a = cJSON_AddArrayToObject(v, "asks");
	for (size_t i = 0; i < o->n_asks; i++) {
		c = must(cJSON_CreateObject());
		cJSON_AddItemToArray(a, c);
		json_add_int(c, "warehouse", o->asks[i].warehouse);
		cJSON_AddStringToObject(c, "state", states[o->asks[i].state]);
		add_time(c, "expires", o->asks[i].expires);
	}
	allocation_state(o, v);
	a = cJSON_AddArrayToObject(v, "lines");
	for (size_t i = 0; i < o->n_lines; i++) {
		c = must(cJSON_CreateObject());
		cJSON_AddItemToArray(a, c);
		json_add_int(c, "id", o->lines[i].id);
		json_add_int(c, "quantity", o->lines[i].quantity);
		json_add_int(c, "warehouse", o->lines[i].warehouse);
		json_add_int(c, "allocated", o->lines[i].allocated);
		cJSON_AddBoolToObject(c, "waiting", o->lines[i].waiting);
	}
	a = cJSON_AddArrayToObject(v, "shipments");
	for (size_t i = 0; i < o->n_shipments; i++) {
		c = shipment_graphql(&o->shipments[i]);
		cJSON_AddItemToArray(a, c);
		json_add_int(c, "captures", o->shipments[i].captures);
		json_add_int(c, "completions", o->shipments[i].completions);
		cJSON_AddBoolToObject(c, "early", o->shipments[i].early);
		json_add_int(c, "updates", o->shipments[i].updates);
		if (o->shipments[i].serials)
			cJSON_AddItemToObject(
				c, "serials",
				must(cJSON_Duplicate(o->shipments[i].serials,
						     1)));
		cJSON_AddBoolToObject(c, "pending",
				      o->shipments[i].capture_pending);
	}
	return v;
}
