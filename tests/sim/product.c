/* SPDX-License-Identifier: MIT */
#include "tests/sim/product.h"

#include <stdlib.h>
#include <string.h>

#include "tests/sim/stock.h"
#include "tests/sim/world.h"

struct asked {
	const cJSON *where;
	int64_t limit, page;
	bool any_stock;	   /* "stock" was asked for */
	int64_t warehouse; /* of its filter; 0: every one */
	cJSON *list;
};

/* ---- filters ---- */

static bool is_known(const cJSON *where, const char *known)
{
	const cJSON *v;
	char word[72];

	cJSON_ArrayForEach(v, where)
	{
		snprintf(word, sizeof(word), " %s ", v->string);
		if (!strstr(known, word))
			return false;
	}
	return true;
}

/* A StringMatch has exactly one member; of them `equals` is used. */
static bool text_matches(const cJSON *where, const char *key, const char *text,
			 const char **why)
{
	const cJSON *match = cJSON_GetObjectItemCaseSensitive(where, key);

	if (!match)
		return true;
	if (!cJSON_IsObject(match) || cJSON_GetArraySize(match) != 1 ||
	    !is_known(match, " equals "))
		*why = "Exactly one input field should be provided.";
	return text && !strcmp(text, json_text(match, "equals", ""));
}

/* A bare number stands for a list of it. */
static bool id_matches(const cJSON *where, int64_t id)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(where, "id"), *v;

	if (!list)
		return true;
	if (!cJSON_IsArray(list))
		return (int64_t)list->valuedouble == id;
	cJSON_ArrayForEach(v, list)
	{
		if ((int64_t)v->valuedouble == id)
			return true;
	}
	return false;
}

static bool matches(const struct asked *a, const struct item *it,
		    const char **why)
{
	bool ean = text_matches(a->where, "EAN", it->ean, why);
	bool upc = text_matches(a->where, "UPC", it->upc, why);
	bool sku = text_matches(a->where, "SKU", it->sku, why);

	return ean && upc && sku && id_matches(a->where, it->id);
}

/* ---- values ---- */

static void add(cJSON *v, const char *key, const char *s)
{
	if (s && *s)
		cJSON_AddStringToObject(v, key, s);
	else
		cJSON_AddNullToObject(v, key);
}

static void add_stock(cJSON *v, const struct asked *a, const struct item *it)
{
	cJSON *list = cJSON_AddArrayToObject(v, "stock"), *row;

	for (size_t i = 0; i < world_n_warehouses() && !it->bundle; i++) {
		int64_t w = world_warehouse_id(i);
		int64_t physical = stock_physical(it, w);
		int64_t allocated = stock_allocated(it, w);

		if (a->warehouse && w != a->warehouse)
			continue;
		row = must(cJSON_CreateObject());
		cJSON_AddItemToArray(list, row);
		json_add_int(row, "physicalQuantity", physical);
		json_add_int(row, "allocatedQuantity", allocated);
		json_add_int(row, "freeToAllocateQuantity",
			     physical - allocated);
	}
}

static void add_size(const struct asked *a, const struct item *it)
{
	cJSON *v = must(cJSON_CreateObject());

	cJSON_AddItemToArray(a->list, v);
	json_add_int(v, "id", it->id);
	add(v, "SKU", it->sku);
	add(v, "EAN", it->ean);
	add(v, "UPC", it->upc);
	add(v, "description", it->size);
	add(v, "sizeNumber", NULL);
	if (a->any_stock)
		add_stock(v, a, it);
}

/* What is asked of the field `stock`: one warehouse at most. */
static void read_children(struct asked *a, const struct field *f,
			  const char **why)
{
	for (const struct field *c = f->children; c; c = c->next) {
		const cJSON *where, *id;

		if (!c->name || strcmp(c->name, "stock"))
			continue;
		a->any_stock = true;
		where = cJSON_GetObjectItemCaseSensitive(c->args, "where");
		if (!is_known(where, " warehouseId productSizeId "))
			*why = "Unknown field in StockFilter.";
		id = cJSON_GetObjectItemCaseSensitive(where, "warehouseId");
		id = cJSON_IsArray(id) ? cJSON_GetArrayItem(id, 0) : id;
		a->warehouse = id ? (int64_t)id->valuedouble : 0;
	}
}

struct walk {
	struct asked *a;
	const char **why;
};

static void read_items(void *arg)
{
	struct walk *w = arg;
	int64_t skip = w->a->limit * (w->a->page - 1), left = w->a->limit;

	for (const struct item *it = stock_newest(); it && left;
	     it = it->next) {
		if (!matches(w->a, it, w->why) || skip-- > 0)
			continue;
		add_size(w->a, it);
		left--;
	}
}

cJSON *product_query(const struct field *f, const char **why)
{
	struct asked a = {
		.where = cJSON_GetObjectItemCaseSensitive(f->args, "where"),
		.limit = json_int(f->args, "limit", 20),
		.page = json_int(f->args, "page", 1),
		.list = NULL,
	};
	struct walk w = {&a, why};

	if (strcmp(f->name, "productSizes"))
		return NULL;
	a.list = must(cJSON_CreateArray());
	if (a.limit < 1 || a.limit > 200)
		*why = "limit must be between 1 and 200.";
	if (!is_known(a.where, " id EAN UPC SKU isActive "))
		*why = "Unknown field in ProductSizeFilter.";
	read_children(&a, f, why);
	if (!*why)
		world_locked(read_items, &w);
	return a.list;
}
