/* SPDX-License-Identifier: MIT */
#include "tests/sim/supplier.h"

#include <stdlib.h>
#include <string.h>

#include "tests/sim/clock.h"
#include "tests/sim/stock.h"
#include "tests/sim/world.h"

struct delivery {
	int64_t id, order, part; /* shown as "order-part" */
	int64_t warehouse;
	char *supplier; /* owned */
	cJSON *products; /* owned: as they were announced */
	cJSON *came;	 /* owned: EAN -> units, once it is received; or NULL */
	int accepts, asked; /* how often it was received, and tried to be */
	struct delivery *before;
};

/* Under the world's lock. */
static struct delivery *newest;
static char refusal[200];
static int64_t next_id = 364, next_order = 957;

static int64_t total(const struct delivery *d)
{
	int64_t n = 0;
	const cJSON *p;

	cJSON_ArrayForEach(p, d->products)
		n += json_int(p, "quantity", 0);
	return n;
}

static struct delivery *add(int64_t order, int64_t part, int64_t warehouse,
			    const char *supplier, cJSON *products)
{
	struct delivery *d = must(calloc(1, sizeof(*d)));

	d->id = next_id++;
	d->order = order;
	d->part = part;
	d->warehouse = warehouse;
	d->supplier = must(strdup(supplier));
	d->products = products;
	d->before = newest;
	newest = d;
	return d;
}

/* ---- control ---- */

struct control {
	const cJSON *in;
	cJSON *out;
};

static void announce(void *arg)
{
	struct control *c = arg;
	cJSON *ids = cJSON_AddArrayToObject(c->out, "ids");
	const cJSON *v, *p;

	cJSON_ArrayForEach(v, c->in)
	{
		p = cJSON_GetObjectItemCaseSensitive(v, "products");
		cJSON_AddItemToArray(
			ids,
			cJSON_CreateNumber((double)add(
				next_order++, 1, json_int(v, "warehouse", 1),
				json_text(v, "supplier", "Falca"),
				p ? must(cJSON_Duplicate(p, 1))
				  : must(cJSON_CreateArray()))->id));
	}
}

cJSON *supplier_control(const cJSON *in)
{
	struct control c = {.in = in, .out = must(cJSON_CreateObject())};

	cJSON_AddBoolToObject(c.out, "ok", cJSON_IsArray(in));
	world_locked(announce, &c);
	return c.out;
}

static void add_head(cJSON *v, const struct delivery *d)
{
	char text[48];

	snprintf(text, sizeof(text), "%lld", (long long)d->id);
	cJSON_AddStringToObject(v, "id", text);
	snprintf(text, sizeof(text), "%lld", (long long)d->order);
	cJSON_AddStringToObject(v, "orderId", text);
	snprintf(text, sizeof(text), "%lld-%lld", (long long)d->order,
		 (long long)d->part);
	cJSON_AddStringToObject(v, "deliveryId", text);
	cJSON_AddStringToObject(v, "supplierName", d->supplier);
	cJSON_AddStringToObject(v, "supplierCountry", "ES");
	cJSON_AddStringToObject(v, "created", "2019-01-28 01:15");
	cJSON_AddStringToObject(v, "ETD", "2019-03-31 15:15");
	cJSON_AddStringToObject(v, "ETA", "2019-04-05 20:15");
	cJSON_AddStringToObject(v, "message", "");
	json_add_int(v, "productsQty", total(d));
}

static void show(void *arg)
{
	cJSON *list = arg, *v;

	for (const struct delivery *d = newest; d; d = d->before) {
		v = must(cJSON_CreateObject());
		cJSON_InsertItemInArray(list, 0, v);
		add_head(v, d);
		json_add_int(v, "warehouse", d->warehouse);
		json_add_int(v, "accepts", d->accepts);
		json_add_int(v, "asked", d->asked);
		cJSON_AddItemToObject(v, "came",
				      d->came ? must(cJSON_Duplicate(d->came, 1))
					      : must(cJSON_CreateNull()));
	}
}

cJSON *supplier_state(void)
{
	cJSON *v = must(cJSON_CreateObject());

	world_locked(show, cJSON_AddArrayToObject(v, "deliveries"));
	return v;
}

static void set(void *arg)
{
	snprintf(refusal, sizeof(refusal), "%s",
		 json_text(arg, "refuse_delivery", refusal));
}

void supplier_settings(const cJSON *spec)
{
	world_locked(set, (void *)(uintptr_t)spec);
}

static void forget(void *arg)
{
	(void)arg;
	refusal[0] = '\0';
	while (newest) {
		struct delivery *d = newest;

		newest = d->before;
		free(d->supplier);
		cJSON_Delete(d->products);
		cJSON_Delete(d->came);
		free(d);
	}
}

void supplier_reset(void)
{
	world_locked(forget, NULL);
}

/* ---- the calls ---- */

struct asked {
	struct api_call *c;
	cJSON *reply; /* what the call answers */
};

static bool is_shown(const struct api_call *c, const struct delivery *d)
{
	return !d->came && (!c->warehouse || c->warehouse == d->warehouse);
}

/* By "364" or "957-1"; NULL: there is none that this plugin may see. */
static struct delivery *named(const struct api_call *c)
{
	char outward[48];

	for (struct delivery *d = newest; d; d = d->before) {
		snprintf(outward, sizeof(outward), "%lld-%lld",
			 (long long)d->order, (long long)d->part);
		if ((!c->warehouse || c->warehouse == d->warehouse) &&
		    (!strcmp(c->rest, outward) ||
		     strtoll(c->rest, NULL, 10) == d->id))
			return d;
	}
	return NULL;
}

static void list(void *arg)
{
	struct asked *a = arg;
	cJSON *all = cJSON_AddArrayToObject(a->reply, "deliveries"), *v;

	for (const struct delivery *d = newest; d; d = d->before) {
		if (!is_shown(a->c, d))
			continue;
		v = must(cJSON_CreateObject());
		cJSON_InsertItemInArray(all, 0, v);
		add_head(v, d);
	}
}

static void refuse(struct asked *a, const char *msg)
{
	cJSON_Delete(a->reply);
	a->reply = api_no(a->c, msg);
}

static void add_products(cJSON *to, const struct delivery *d)
{
	cJSON *all = cJSON_AddArrayToObject(to, "products"), *v;
	const cJSON *p;

	cJSON_ArrayForEach(p, d->products)
	{
		v = must(cJSON_CreateObject());
		cJSON_AddItemToArray(all, v);
		stock_add_sku(v, json_text(p, "sku", ""));
		cJSON_AddStringToObject(v, "product",
					json_text(p, "product", "A thing"));
		cJSON_AddStringToObject(v, "variant",
					json_text(p, "variant", "Black"));
		cJSON_AddStringToObject(v, "size", json_text(p, "size", "M"));
		cJSON_AddStringToObject(v, "ean", json_text(p, "ean", ""));
		cJSON_AddStringToObject(v, "upc", json_text(p, "upc", ""));
		json_add_int(v, "quantity", json_int(p, "quantity", 0));
		cJSON_AddStringToObject(v, "cost", "9.40");
		cJSON_AddStringToObject(v, "costCurrency", "USD");
	}
}

static void one(void *arg)
{
	struct asked *a = arg;
	const struct delivery *d = named(a->c);
	cJSON *v;

	if (!d || d->came) {
		refuse(a, "Delivery does not exist.");
		return;
	}
	v = cJSON_AddObjectToObject(a->reply, "delivery");
	add_head(v, d);
	add_products(v, d);
}

static const cJSON *announced(const struct delivery *d, const char *ean)
{
	const cJSON *p;

	cJSON_ArrayForEach(p, d->products)
		if (!strcmp(json_text(p, "ean", ""), ean))
			return p;
	return NULL;
}

/* What is missing, as products; NULL: nothing. */
static cJSON *missing(const struct delivery *d)
{
	cJSON *left = NULL, *v;
	const cJSON *p;

	cJSON_ArrayForEach(p, d->products)
	{
		int64_t n = json_int(p, "quantity", 0) -
			    json_int(d->came, json_text(p, "ean", ""), 0);

		if (n <= 0)
			continue;
		left = left ? left : must(cJSON_CreateArray());
		v = must(cJSON_Duplicate(p, 1));
		cJSON_DeleteItemFromObjectCaseSensitive(v, "quantity");
		json_add_int(v, "quantity", n);
		cJSON_AddItemToArray(left, v);
	}
	return left;
}

static void put_stock(const struct delivery *d)
{
	const cJSON *n;

	cJSON_ArrayForEach(n, d->came)
	{
		const struct item *it = stock_find(n->string);

		if (it)
			stock_put(it, d->warehouse,
				  stock_physical(it, d->warehouse) +
					  (int64_t)n->valuedouble);
	}
}

static void accept(void *arg)
{
	struct asked *a = arg;
	const cJSON *in = cJSON_GetObjectItemCaseSensitive(a->c->in, "products");
	struct delivery *d = named(a->c);
	const cJSON *n;
	cJSON *left;

	if (!d) {
		refuse(a, "Delivery does not exist.");
		return;
	}
	d->asked++;
	if (*refusal) {
		refuse(a, refusal);
		return;
	}
	if (d->came) {
		refuse(a, "Delivery is already accepted.");
		return;
	}
	cJSON_ArrayForEach(n, in)
		if (!announced(d, n->string) || !json_is_int(n)) {
			refuse(a, "Some of the products were not found.");
			return;
		}
	if (!in || !in->child) {
		refuse(a, "No products.");
		return;
	}
	d->accepts++;
	d->came = must(cJSON_Duplicate(in, 1));
	if (json_flag(a->c->in, "insertStock", false))
		put_stock(d);
	left = missing(d);
	if (left)
		add_head(cJSON_AddObjectToObject(a->reply,
						 "additionalDelivery"),
			 add(d->order, d->part + 1, d->warehouse, d->supplier,
			     left));
}

static void answer(struct api_call *c, void (*fn)(void *arg))
{
	struct asked a = {.c = c, .reply = api_ok()};

	world_locked(fn, &a);
	exchange_json(c->x, 200, a.reply);
}

void supplier_list_call(struct api_call *c)
{
	answer(c, list);
}

void supplier_one_call(struct api_call *c)
{
	answer(c, one);
}

void supplier_accept_call(struct api_call *c)
{
	answer(c, accept);
}
