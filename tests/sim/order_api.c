/* SPDX-License-Identifier: MIT */
#include "tests/sim/order_api.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/allocation.h"
#include "tests/sim/return.h"
#include "tests/sim/stock.h"
#include "tests/sim/supplier.h"
#include "tests/sim/wms.h"
#include "tests/sim/world.h"

#define PLUGINS 64

struct plugin {
	char *name, *key; /* owned */
	int64_t warehouse;
};

static struct {
	pthread_mutex_t lock;
	struct plugin plugins[PLUGINS];
	size_t n;
	cJSON *unticked; /* owned, or NULL */
} api = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- plugins ---- */

static void add_plugin(const char *name, const char *key, int64_t warehouse)
{
	struct plugin *p = &api.plugins[api.n];

	if (api.n == PLUGINS)
		return;
	p->name = must(strdup(name));
	p->key = must(strdup(key));
	p->warehouse = warehouse;
	api.n++;
}

static void drop_plugins(size_t left)
{
	for (; api.n > left; api.n--) {
		free(api.plugins[api.n - 1].name);
		free(api.plugins[api.n - 1].key);
	}
}

void order_api_set_key(const char *key)
{
	pthread_mutex_lock(&api.lock);
	free(api.plugins[0].key);
	api.plugins[0].key = must(strdup(key));
	pthread_mutex_unlock(&api.lock);
}

void order_api_plugins(const cJSON *list)
{
	const cJSON *v;

	pthread_mutex_lock(&api.lock);
	drop_plugins(1);
	cJSON_ArrayForEach(v, list)
		add_plugin(json_text(v, "name", "shop"),
			   json_text(v, "key", "shop-key"),
			   json_int(v, "warehouse", 0));
	pthread_mutex_unlock(&api.lock);
}

void order_api_settings(const cJSON *spec)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(spec, "unticked");

	if (!list)
		return;
	pthread_mutex_lock(&api.lock);
	cJSON_Delete(api.unticked);
	api.unticked = must(cJSON_Duplicate(list, 1));
	pthread_mutex_unlock(&api.lock);
}

void order_api_start(const char *key)
{
	add_plugin("order-api", key, 0);
}

void order_api_reset(void)
{
	pthread_mutex_lock(&api.lock);
	drop_plugins(1);
	cJSON_Delete(api.unticked);
	api.unticked = NULL;
	pthread_mutex_unlock(&api.lock);
}

void order_api_stop(void)
{
	order_api_reset();
	drop_plugins(0);
}

/* What the plugin at the path says to this key: 200, 401, 404 when there is
 * none, or 403 for a call that is not ticked. */
static unsigned enter(const struct exchange *x, const char **ret_path,
		      const char *what, int64_t *ret_warehouse)
{
	const char *name = *x->path ? x->path + 1 : "";
	size_t n = strcspn(name, "/");
	unsigned status = 404;
	const cJSON *v;

	*ret_path = name + n;
	pthread_mutex_lock(&api.lock);
	for (size_t i = 0; i < api.n; i++) {
		const struct plugin *p = &api.plugins[i];

		if (strlen(p->name) != n || strncmp(p->name, name, n))
			continue;
		*ret_warehouse = p->warehouse;
		status = x->api_authorization &&
					 !strcmp(x->api_authorization, p->key)
				 ? 200
				 : 401;
	}
	cJSON_ArrayForEach(v, api.unticked)
		if (status == 200 && what && cJSON_IsString(v) &&
		    !strcmp(v->valuestring, what))
			status = 403;
	pthread_mutex_unlock(&api.lock);
	return status;
}

/* ---- for the calls ---- */

cJSON *api_ok(void)
{
	cJSON *v = must(cJSON_CreateObject());

	cJSON_AddStringToObject(v, "status", "ok");
	return v;
}

cJSON *api_no(struct api_call *c, const char *msg)
{
	cJSON *v = must(cJSON_CreateObject());

	cJSON_AddStringToObject(v, "msg", msg);
	cJSON_AddStringToObject(v, "status", "no");
	c->seen.result = "no";
	c->seen.msg = msg;
	return v;
}

int64_t api_number(const struct exchange *x, const char *name,
		   int64_t otherwise, int64_t least, int64_t most)
{
	const char *s = x->query(x, name);
	int64_t v = s && *s ? strtoll(s, NULL, 10) : otherwise;

	return v < least ? least : v > most ? most : v;
}

/* ---- check-first ---- */

/* Adds the field's mistake, if it has one. */
static void check_field(cJSON *mistakes, const cJSON *in, const char *name,
			bool flag)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(in, name);

	if (!v)
		cJSON_AddStringToObject(mistakes, name, "required");
	else if (flag ? !cJSON_IsBool(v) : !json_is_int(v))
		cJSON_AddStringToObject(mistakes, name, "invalid value");
}

static void check_first(struct api_call *c)
{
	cJSON *mistakes = must(cJSON_CreateObject()), *v;
	const char *no;

	check_field(mistakes, c->in, "orderNumber", false);
	check_field(mistakes, c->in, "warehouseId", false);
	check_field(mistakes, c->in, "accepted", true);
	if (mistakes->child) {
		v = must(cJSON_CreateObject());
		cJSON_AddStringToObject(v, "status", "no");
		cJSON_AddItemToObject(v, "msg", mistakes);
		exchange_json(c->x, 200, v);
		c->seen.result = "field errors";
		return;
	}
	cJSON_Delete(mistakes);
	no = world_answer(c->seen.order, c->seen.warehouse, c->seen.accepted);
	exchange_json(c->x, 200, no ? api_no(c, no) : api_ok());
}

/* ---- which is which ---- */

static const struct row {
	const char *method, *path; /* a path that ends in "/" has more behind */
	const char *what;          /* its name in /control/calls, and of faults */
	void (*act)(struct api_call *c);
} calls[] = {
	{"POST", "/check-first", "check-first", check_first},
	{"PUT", "/allocation-request", "allocation-request", allocation_put},
	{"GET", "/allocation-requests", "allocation-requests", allocation_list},
	{"GET", "/orders", "orders", wms_orders},
	{"GET", "/shipments", "shipments", wms_shipments},
	{"POST", "/shipments", "create", wms_create},
	{"PUT", "/shipments/", "update", wms_update},
	{"DELETE", "/shipments/", "delete", wms_delete},
	{"PUT", "/shipment", "complete", wms_complete},
	{"PUT", "/capture", "capture", wms_capture},
	{"GET", "/stock", "stock", stock_get_call},
	{"POST", "/stock", "set-stock", stock_post_call},
	{"GET", "/products", "products", products_get_call},
	{"GET", "/returns", "returns", return_list_call},
	{"GET", "/supplier-deliveries", "deliveries", supplier_list_call},
	{"GET", "/supplier-deliveries/", "delivery", supplier_one_call},
	{"POST", "/supplier-deliveries/", "receive", supplier_accept_call},
};

/* The row of a path; the guides print some with a slash at the end. */
static const struct row *row_of(const char *method, const char *path,
				const char **ret_rest)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		size_t n = strlen(calls[i].path);
		bool more = calls[i].path[n - 1] == '/';

		if (strcmp(calls[i].method, method) ||
		    strncmp(calls[i].path, path, n))
			continue;
		*ret_rest = path + n;
		if (more ? (*path && path[n] && !strchr(path + n, '/'))
			 : (!path[n] || !strcmp(path + n, "/")))
			return &calls[i];
	}
	return NULL;
}

static int64_t number_in(const cJSON *in, const char *key)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(in, key);

	return cJSON_IsString(v) ? strtoll(v->valuestring, NULL, 10)
				 : json_int(in, key, 0);
}

/* The order that a call is about, so that faults can name it. */
static int64_t order_of(const struct api_call *c)
{
	int64_t n = number_in(c->in, "orderNumber");

	n = n ? n : number_in(c->in, "order");
	n = n ? n : number_in(c->in, "shipment");
	n = n ? n : strtoll(c->rest, NULL, 10);
	n = n ? n : allocation_order(json_int(c->in, "id", 0));
	return n ? n : api_number(c->x, "order", 0, 0, INT64_MAX);
}

static void run(const struct row *row, struct api_call *c, unsigned status)
{
	struct exchange *x = c->x;
	struct fault f;

	c->seen.api = API_ORDER;
	c->seen.what = row->what;
	c->seen.order = order_of(c);
	c->seen.warehouse = json_int(c->in, "warehouseId", c->warehouse);
	c->seen.accepted = json_flag(c->in, "accepted", false);
	f = faults_next(API_ORDER, &c->seen.order, 1, row->what);
	c->seen.fault = f.kind ? fault_name(f.kind) : NULL;
	if (exchange_fault_before(x, &f)) {
		c->seen.result = "not acted";
	} else if (status == 401) {
		exchange_text(x, 401, "application/json",
			      "{\"status\":\"Unauthorized\"}");
		c->seen.result = "unauthorized";
	} else if (status == 403) {
		exchange_text(x, 403, "application/json",
			      "{\"status\":\"Not Allowed\"}");
		c->seen.result = "not allowed";
	} else {
		c->seen.acted = true;
		c->seen.result = "ok";
		row->act(c);
		exchange_fault_after(x, &f);
	}
	c->seen.status = x->cut == CUT_ALL ? 0 : x->status;
	calls_add(&c->seen);
}

void order_api_answer(struct exchange *x)
{
	cJSON *in = cJSON_Parse(x->body);
	struct api_call c = {.x = x, .in = in, .rest = ""};
	const struct row *row;
	const char *path;
	unsigned status;

	(void)enter(x, &path, NULL, &c.warehouse);
	row = row_of(x->method, path, &c.rest);
	status = enter(x, &path, row ? row->what : NULL, &c.warehouse);
	if (row && status != 404)
		run(row, &c, status);
	else
		exchange_text(x, 404, "text/html", "<h1>Not Found</h1>");
	cJSON_Delete(in);
}
