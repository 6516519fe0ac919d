/* SPDX-License-Identifier: MIT */
#include "tests/sim/stock.h"

#include <stdlib.h>
#include <string.h>

#include "tests/sim/world.h"

static struct {
	struct item *newest; /* owned */
	int64_t next_id;
} st = {.next_id = 101};

static char *copy(const char *s)
{
	return s ? must(strdup(s)) : NULL;
}

static bool same(const char *a, const char *b)
{
	return a && b && *a && !strcmp(a, b);
}

struct item *stock_newest(void)
{
	return st.newest;
}

struct item *stock_find(const char *code)
{
	for (struct item *it = st.newest; it; it = it->next)
		if (same(it->ean, code) || same(it->upc, code) ||
		    same(it->sku, code))
			return it;
	return NULL;
}

static struct item *add_item(const char *sku, const char *ean, const char *upc)
{
	struct item *it = must(calloc(1, sizeof(*it)));

	it->id = st.next_id++;
	it->sku = copy(sku ? sku : "");
	it->ean = copy(ean);
	it->upc = copy(upc);
	it->next = st.newest;
	st.newest = it;
	return it;
}

/* An EAN is one size; lines without have their SKU. */
const struct item *stock_of_line(const struct line *l)
{
	struct item *it = stock_find(l->ean && *l->ean ? l->ean : l->sku);

	if (it)
		return it;
	it = add_item(l->sku, l->ean, l->upc);
	it->product = copy(l->product);
	it->variant = copy(l->variant);
	it->size = copy(l->size);
	it->price = l->price;
	it->bundle = !l->stock;
	return it;
}

static size_t place(const struct item *it, int64_t warehouse)
{
	size_t i = 0;

	while (i < it->n_places && it->places[i].warehouse != warehouse)
		i++;
	return i;
}

int64_t stock_physical(const struct item *it, int64_t warehouse)
{
	size_t i = place(it, warehouse);
	int64_t there = i < it->n_places ? it->places[i].physical : STOCK_FIRST;
	int64_t held = stock_allocated(it, warehouse);

	return there < held ? held : there;
}

static int64_t shipped_units(const struct order *o, int64_t line)
{
	int64_t n = 0;

	for (size_t i = 0; i < o->n_shipments; i++)
		for (size_t k = 0; o->shipments[i].shipped &&
				   k < o->shipments[i].n_lines; k++)
			if (o->shipments[i].lines[k].line == line)
				n += o->shipments[i].lines[k].quantity;
	return n;
}

int64_t stock_allocated(const struct item *it, int64_t warehouse)
{
	int64_t n = it->held;

	for (const struct order *o = world_newest(); o; o = o->before)
		for (size_t i = 0; i < o->n_lines; i++) {
			const struct line *l = &o->lines[i];
			int64_t left;

			if (l->item != it || l->warehouse != warehouse)
				continue;
			left = l->allocated - shipped_units(o, l->id);
			n += left > 0 ? left : 0;
		}
	return n;
}

/* The item is the stand-in's own, whoever lends it. */
static struct item *own(const struct item *it)
{
	struct item *mine = st.newest;

	while (mine != it)
		mine = mine->next;
	return mine;
}

static size_t place_made(struct item *it, int64_t warehouse)
{
	size_t i = place(it, warehouse);

	if (i == STOCK_PLACES)
		abort();
	if (i == it->n_places) {
		it->places[i].warehouse = warehouse;
		it->places[i].physical = STOCK_FIRST;
		it->n_places++;
	}
	return i;
}

int64_t stock_put(const struct item *it, int64_t warehouse, int64_t quantity)
{
	struct item *mine = own(it);
	int64_t held = stock_allocated(it, warehouse);
	size_t i = place_made(mine, warehouse);

	if (mine->places[i].sets && quantity < mine->places[i].physical)
		mine->places[i].lowered++;
	mine->places[i].physical = quantity < held ? held : quantity;
	mine->places[i].sets++;
	return mine->places[i].physical;
}

void stock_leaves(const struct line *l, int64_t quantity)
{
	struct item *it;
	size_t i;

	if (!l->item || !l->warehouse)
		return;
	it = own(l->item);
	i = place_made(it, l->warehouse);
	it->places[i].physical = it->places[i].physical > quantity
					 ? it->places[i].physical - quantity
					 : 0;
}

void stock_reset(void)
{
	while (st.newest) {
		struct item *it = st.newest;

		st.newest = it->next;
		free(it->product);
		free(it->variant);
		free(it->size);
		free(it->sku);
		free(it->ean);
		free(it->upc);
		free(it);
	}
	st.next_id = 101;
}

/* ---- reading by the Order API ---- */

/* A code as sku + variantSku + sizeSku, which make the whole when they are
 * joined: "RTT-OWH-S" is "RTT", "-OWH" and "-S". */
void stock_add_sku(cJSON *v, const char *code)
{
	const char *a = strchr(code, '-'), *b = a ? strchr(a + 1, '-') : NULL;
	char text[80];

	snprintf(text, sizeof(text), "%.*s",
		 (int)(a ? a - code : (ptrdiff_t)strlen(code)), code);
	cJSON_AddStringToObject(v, "sku", text);
	snprintf(text, sizeof(text), "%.*s",
		 (int)(!a ? 0 : b ? b - a : (ptrdiff_t)strlen(a)), a ? a : "");
	cJSON_AddStringToObject(v, "variantSku", text);
	cJSON_AddStringToObject(v, "sizeSku", b ? b : "");
}

static void add(cJSON *v, const char *key, const char *s)
{
	cJSON_AddStringToObject(v, key, s ? s : "");
}

/* What /stock and /products share of a size. */
static cJSON *item_row(const struct item *it)
{
	cJSON *v = must(cJSON_CreateObject());

	stock_add_sku(v, it->sku);
	json_add_int(v, "productId", it->id + 1000);
	json_add_int(v, "variantId", it->id + 2000);
	add(v, "brand", "B1");
	add(v, "collection", "C1");
	add(v, "product", it->product);
	add(v, "variant", it->variant);
	add(v, "size", it->size);
	json_add_int(v, "stockItemId", it->id);
	add(v, "ean", it->ean);
	add(v, "upc", it->upc);
	cJSON_AddNumberToObject(v, "weight", 0.5);
	add(v, "weightUnit", "kg");
	add(v, "countryOfOrigin", "PT");
	add(v, "harmCode", "6206300090");
	add(v, "harmDescription", "");
	json_add_int(v, "active", 1);
	return v;
}

/* Every warehouse of the plugin. */
static void add_levels(cJSON *v, const struct item *it, int64_t only)
{
	int64_t physical = 0, allocated = 0;

	for (size_t i = 0; i < world_n_warehouses(); i++) {
		int64_t id = world_warehouse_id(i);

		if (only && only != id)
			continue;
		physical += it->bundle ? 0 : stock_physical(it, id);
		allocated += it->bundle ? 0 : stock_allocated(it, id);
	}
	json_add_int(v, "physicalStock", physical);
	json_add_int(v, "allocatedStock", allocated);
	json_add_int(v, "availableStock", physical - allocated);
}

static void add_product(cJSON *v, const struct item *it)
{
	cJSON *a, *c;
	char text[120];

	add(v, "folder", "F1 / F2");
	add(v, "name", it->product);
	add(v, "description", "");
	add(v, "shortDescription", "");
	add(v, "comment", "");
	add(v, "store", "Retail");
	a = cJSON_AddArrayToObject(v, "categories");
	cJSON_AddItemToArray(a, cJSON_CreateString("Jackets"));
	a = cJSON_AddArrayToObject(v, "images");
	snprintf(text, sizeof(text),
		 "https://brand.centracdn.net/client/dynamic/images/%lld_x.jpg",
		 (long long)it->id);
	cJSON_AddItemToArray(a, cJSON_CreateString(text));
	a = cJSON_AddArrayToObject(v, "prices");
	c = must(cJSON_CreateObject());
	cJSON_AddItemToArray(a, c);
	add(c, "id", "36");
	snprintf(text, sizeof(text), "%.2f", it->price);
	add(c, "price", text);
	add(c, "pricelist", "EUR Europe");
	add(c, "currency", "EUR");
	cJSON_AddArrayToObject(c, "campaigns");
}

static bool is_id(const char *wanted, int64_t id)
{
	return strtoll(wanted, NULL, 10) == id;
}

static bool matches(const struct exchange *x, const struct item *it)
{
	const char *sku = x->query(x, "sku"), *ean = x->query(x, "ean");
	const char *upc = x->query(x, "upc");
	const char *product = x->query(x, "productId");
	const char *variant = x->query(x, "variantId");
	const char *stock = x->query(x, "stockItemId");
	size_t n = strcspn(it->sku, "-");

	return (!sku || (strlen(sku) == n && !strncmp(sku, it->sku, n))) &&
	       (!ean || same(it->ean, ean)) && (!upc || same(it->upc, upc)) &&
	       (!product || is_id(product, it->id + 1000)) &&
	       (!variant || is_id(variant, it->id + 2000)) &&
	       (!stock || is_id(stock, it->id));
}

/* Argument of the walks below. */
struct asked {
	struct api_call *c;
	cJSON *reply;
	bool levels;
};

/* One page of the sizes that match, oldest first; "next" when there are
 * more. */
static void read_items(void *arg)
{
	struct asked *a = arg;
	const struct exchange *x = a->c->x;
	int64_t limit = api_number(x, "limit", 1000, 1, 1000);
	int64_t page = api_number(x, "page", 1, 1, 1 << 30), n = 0, of = 0;
	cJSON *list = cJSON_AddArrayToObject(a->reply, "products"), *v;
	bool physical = !same(x->query(x, "exclude"), "physicalStock");
	char next[80];

	for (int64_t id = 101; id < st.next_id; id++) {
		const struct item *it = st.newest;

		while (it && it->id != id)
			it = it->next;
		if (!it || !matches(x, it) || n++ < limit * (page - 1))
			continue;
		if (of++ >= limit)
			break;
		v = item_row(it);
		cJSON_AddItemToArray(list, v);
		if (a->levels)
			add_levels(v, it, a->c->warehouse);
		else
			add_product(v, it);
		if (!physical)
			cJSON_DeleteItemFromObject(v, "physicalStock");
	}
	if (of <= limit)
		return;
	snprintf(next, sizeof(next), "?limit=%lld&page=%lld", (long long)limit,
		 (long long)page + 1);
	cJSON_AddStringToObject(a->reply, "next", next);
}

static void read_call(struct api_call *c, bool levels)
{
	struct asked a = {.c = c, .reply = api_ok(), .levels = levels};

	world_locked(read_items, &a);
	exchange_json(c->x, 200, a.reply);
}

void stock_get_call(struct api_call *c)
{
	read_call(c, true);
}

void products_get_call(struct api_call *c)
{
	read_call(c, false);
}

/* ---- setting by the Order API ---- */

/* The absolute physical count of the plugin's Primary warehouse; what is right
 * is set though other rows are wrong. */
static void set_items(void *arg)
{
	struct asked *a = arg;
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(a->c->in,
							     "products");
	cJSON *unknown = must(cJSON_CreateArray());
	cJSON *bundles = must(cJSON_CreateArray()), *errors;
	const cJSON *v;

	cJSON_ArrayForEach(v, list)
	{
		const char *code = json_text(v, "product", "");
		const struct item *it = stock_find(code);

		if (!it)
			cJSON_AddItemToArray(unknown, cJSON_CreateString(code));
		else if (it->bundle)
			cJSON_AddItemToArray(bundles, cJSON_CreateString(code));
		else
			stock_put(it, a->c->warehouse ? a->c->warehouse : 1,
				  json_int(v, "quantity", 0));
	}
	if (unknown->child || bundles->child) {
		cJSON_Delete(a->reply);
		a->reply = api_no(a->c,
				  "Some of the products were not updated");
		errors = cJSON_AddObjectToObject(a->reply, "errors");
		if (unknown->child)
			cJSON_AddItemToObject(errors, "productsNotFound",
					      cJSON_Duplicate(unknown, 1));
		if (bundles->child)
			cJSON_AddItemToObject(errors, "productsAreBundles",
					      cJSON_Duplicate(bundles, 1));
	}
	cJSON_Delete(unknown);
	cJSON_Delete(bundles);
}

void stock_post_call(struct api_call *c)
{
	struct asked a = {.c = c, .reply = api_ok()};

	world_locked(set_items, &a);
	exchange_json(c->x, 200, a.reply);
}

/* ---- control ---- */

static void replace(char **field, const cJSON *spec, const char *key)
{
	const char *s = json_text(spec, key, NULL);

	if (!s)
		return;
	free(*field);
	*field = copy(s);
}

static const char *control_one(const cJSON *spec)
{
	const char *ean = json_text(spec, "ean", NULL);
	const char *sku = json_text(spec, "sku", NULL);
	struct item *it = stock_find(ean ? ean : sku ? sku : "");

	if (!ean && !sku)
		return "an ean or a sku is wanted";
	if (!it || json_flag(spec, "another", false))
		it = add_item(sku ? sku : ean, ean, NULL);
	replace(&it->upc, spec, "upc");
	replace(&it->product, spec, "product");
	replace(&it->variant, spec, "variant");
	replace(&it->size, spec, "size");
	it->bundle = json_flag(spec, "bundle", it->bundle);
	it->held = json_int(spec, "held", it->held);
	if (cJSON_HasObjectItem(spec, "quantity")) {
		size_t i = place_made(it, json_int(spec, "warehouse", 1));

		it->places[i].physical = json_int(spec, "quantity", 0);
	}
	return NULL;
}

struct controlled {
	const cJSON *spec;
	const char *why;
};

static void control(void *arg)
{
	struct controlled *k = arg;
	const cJSON *v;

	if (!cJSON_IsArray(k->spec)) {
		k->why = control_one(k->spec);
		return;
	}
	cJSON_ArrayForEach(v, k->spec)
		k->why = k->why ? k->why : control_one(v);
}

const char *stock_control(const cJSON *spec)
{
	struct controlled k = {.spec = spec};

	world_locked(control, &k);
	return k.why;
}

static void state(void *arg)
{
	cJSON *list = arg, *v, *a, *p;

	for (const struct item *it = st.newest; it; it = it->next) {
		v = must(cJSON_CreateObject());
		cJSON_AddItemToArray(list, v);
		json_add_int(v, "id", it->id);
		add(v, "sku", it->sku);
		add(v, "ean", it->ean);
		add(v, "upc", it->upc);
		cJSON_AddBoolToObject(v, "bundle", it->bundle);
		json_add_int(v, "twice", it->twice);
		a = cJSON_AddArrayToObject(v, "places");
		for (size_t i = 0; i < it->n_places; i++) {
			p = must(cJSON_CreateObject());
			cJSON_AddItemToArray(a, p);
			json_add_int(p, "warehouse", it->places[i].warehouse);
			json_add_int(p, "physical", it->places[i].physical);
			json_add_int(p, "allocated",
				     stock_allocated(it,
						     it->places[i].warehouse));
			json_add_int(p, "sets", it->places[i].sets);
			json_add_int(p, "lowered", it->places[i].lowered);
		}
	}
}

cJSON *stock_state(void)
{
	cJSON *v = must(cJSON_CreateObject());

	world_locked(state, cJSON_AddArrayToObject(v, "items"));
	return v;
}
