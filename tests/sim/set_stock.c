/* SPDX-License-Identifier: MIT */
#include "tests/sim/set_stock.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "tests/sim/stock.h"
#include "tests/sim/world.h"

#define VERSION "v3.18.4"

static struct {
	pthread_mutex_t lock;
	bool clamp, no_paths;
	char version[32];
	int64_t changes; /* made so far */
} s = {.lock = PTHREAD_MUTEX_INITIALIZER, .version = VERSION};

void set_stock_settings(const cJSON *spec)
{
	const char *below = json_text(spec, "stock_below", NULL);
	const char *version = json_text(spec, "app_version", NULL);

	pthread_mutex_lock(&s.lock);
	if (below)
		s.clamp = !strcmp(below, "clamp");
	if (version)
		snprintf(s.version, sizeof(s.version), "%s", version);
	s.no_paths = !json_flag(spec, "stock_paths", !s.no_paths);
	pthread_mutex_unlock(&s.lock);
}

void set_stock_reset(void)
{
	pthread_mutex_lock(&s.lock);
	s.clamp = s.no_paths = false;
	snprintf(s.version, sizeof(s.version), VERSION);
	pthread_mutex_unlock(&s.lock);
}

void set_stock_version(char ret[32])
{
	pthread_mutex_lock(&s.lock);
	memcpy(ret, s.version, sizeof(s.version));
	pthread_mutex_unlock(&s.lock);
}

/* True: the server has the fault of versions below v1.59.10. */
static bool is_old(const char *version)
{
	unsigned a = 0, b = 0, c = 0;

	if (sscanf(version, "v%u.%u.%u", &a, &b, &c) != 3)
		return false;
	return a < 1 || (a == 1 && (b < 59 || (b == 59 && c < 10)));
}

/* One call. */
struct setting {
	const cJSON *input;
	int64_t warehouse;
	bool clamp, paths, old;
	uint64_t call; /* the number of this call */
	cJSON *errors;
};

static const char *code_of(const cJSON *size)
{
	static const char *const by[] = {"EAN", "SKU", "UPC", "any"};
	const cJSON *name = cJSON_GetObjectItemCaseSensitive(size,
							     "productSize");

	for (size_t i = 0; i < sizeof(by) / sizeof(*by); i++)
		if (json_text(name, by[i], NULL))
			return json_text(name, by[i], "");
	return "";
}

static void refuse(struct setting *g, int i, const char *message)
{
	cJSON *e = must(cJSON_CreateObject()), *path;
	char at[16];

	cJSON_AddItemToArray(g->errors, e);
	cJSON_AddStringToObject(e, "message", message);
	path = cJSON_AddArrayToObject(e, "path");
	if (!g->paths)
		return;
	snprintf(at, sizeof(at), "%d", i);
	cJSON_AddItemToArray(path, cJSON_CreateString("input"));
	cJSON_AddItemToArray(path, cJSON_CreateString("productSizes"));
	cJSON_AddItemToArray(path, cJSON_CreateString(at));
}

/* True if an earlier entry of the call is of the same size, by whichever code. */
static bool is_twice(const struct setting *g, struct item *it)
{
	bool ret = it->call == g->call;

	it->call = g->call;
	return ret;
}

/* What Centra does is not known: a caller must not come to it. */
static void refuse_twice(struct setting *g, struct item *it, int i)
{
	it->twice++;
	refuse(g, i, "The size is given twice.");
}

static void check_size(struct setting *g, const cJSON *size, int i)
{
	struct item *it = stock_find(code_of(size));
	int64_t quantity = json_int(size, "quantity", -1);

	if (!it)
		refuse(g, i, "Product size not found.");
	else if (is_twice(g, it))
		refuse_twice(g, it, i);
	else if (it->bundle)
		refuse(g, i, "Stock of a bundle cannot be set.");
	else if (quantity < 0)
		refuse(g, i, "The quantity must not be negative.");
	else if (!g->clamp && quantity < stock_allocated(it, g->warehouse))
		refuse(g, i, "Stock cannot be less than what is allocated.");
}

static bool is_warehouse(int64_t id)
{
	for (size_t i = 0; i < world_n_warehouses(); i++)
		if (world_warehouse_id(i) == id)
			return true;
	return false;
}

static void set(void *arg)
{
	struct setting *g = arg;
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(g->input,
							     "productSizes");
	const cJSON *size;
	static uint64_t calls; /* of the world's lock */
	int i = 0;

	g->call = ++calls;
	if (!is_warehouse(g->warehouse))
		refuse(g, 0, "Warehouse not found.");
	cJSON_ArrayForEach(size, list)
		check_size(g, size, i++);
	if (g->errors->child)
		return;
	cJSON_ArrayForEach(size, list)
	{
		stock_put(stock_find(code_of(size)), g->warehouse,
			  json_int(size, "quantity", 0));
		if (g->old)
			break;
	}
}

cJSON *set_stock_mutation(const char *name, const cJSON *args)
{
	struct setting g = {
		.input = cJSON_GetObjectItemCaseSensitive(args, "input")};
	cJSON *v, *changes, *c;
	const char *type = json_text(g.input, "stockQuantityType", "");

	if (strcmp(name, "setStock"))
		return NULL;
	g.warehouse = json_int(cJSON_GetObjectItemCaseSensitive(g.input,
								"warehouse"),
			       "id", 0);
	v = must(cJSON_CreateObject());
	changes = cJSON_AddArrayToObject(v, "stockChanges");
	g.errors = cJSON_AddArrayToObject(v, "userErrors");
	cJSON_AddArrayToObject(v, "userWarnings");
	pthread_mutex_lock(&s.lock);
	g.clamp = s.clamp;
	g.paths = !s.no_paths;
	g.old = is_old(s.version);
	pthread_mutex_unlock(&s.lock);
	if (strcmp(type, "PHYSICAL") || !json_text(g.input, "description", NULL))
		refuse(&g, 0, "The stand-in knows PHYSICAL with a description.");
	else
		world_locked(set, &g);
	if (g.errors->child)
		return v;
	c = must(cJSON_CreateObject());
	cJSON_AddItemToArray(changes, c);
	pthread_mutex_lock(&s.lock);
	json_add_int(c, "id", 4284 + s.changes++);
	pthread_mutex_unlock(&s.lock);
	return v;
}
