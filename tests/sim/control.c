/* SPDX-License-Identifier: MIT */
#include "tests/sim/allocation.h"
#include "tests/sim/control.h"

#include <stdlib.h>
#include <string.h>

#include "tests/sim/feed.h"
#include "tests/sim/graphql.h"
#include "tests/sim/hooks.h"
#include "tests/sim/lock.h"
#include "tests/sim/order_api.h"
#include "tests/sim/return.h"
#include "tests/sim/schema.h"
#include "tests/sim/set_stock.h"
#include "tests/sim/shipment.h"
#include "tests/sim/soap.h"
#include "tests/sim/stock.h"
#include "tests/sim/supplier.h"
#include "tests/sim/wms.h"
#include "tests/sim/world.h"

/* {"ok":true}, or {"ok":false,"why":...} with 400. */
static void outcome(struct exchange *x, const char *why)
{
	cJSON *v = must(cJSON_CreateObject());

	cJSON_AddBoolToObject(v, "ok", !why);
	if (why)
		cJSON_AddStringToObject(v, "why", why);
	exchange_json(x, why ? 400 : 200, v);
}

static void place(struct exchange *x, const cJSON *in)
{
	const char *why = NULL;
	int64_t count = json_int(in, "count", 1), first = 0, number;
	cJSON *v;

	for (int64_t i = 0; i < count && !why; i++) {
		number = world_place(in, &why);
		if (!first)
			first = number;
	}
	if (why) {
		outcome(x, why);
		return;
	}
	v = must(cJSON_CreateObject());
	cJSON_AddBoolToObject(v, "ok", true);
	json_add_int(v, "number", first);
	exchange_json(x, 200, v);
}

/* /orders/N/VERB */
static void order_verb(struct exchange *x, const cJSON *in)
{
	char *verb;
	int64_t number = strtoll(x->path + strlen("/orders/"), &verb, 10);
	const char *why = "unknown verb";

	if (!strcmp(verb, "/cancel"))
		why = world_cancel(number);
	else if (!strcmp(verb, "/resume"))
		why = world_resume(number);
	else if (!strcmp(verb, "/reoffer"))
		why = world_reoffer(number, in);
	else if (!strcmp(verb, "/allocate"))
		why = world_allocate(number, in);
	else if (!strcmp(verb, "/lock"))
		why = lock_by_a_person(number, in);
	else if (!strcmp(verb, "/shipped"))
		why = return_ship_all(number);
	else if (!strcmp(verb, "/shipment"))
		why = shipment_make(number, in);
	else if (!strcmp(verb, "/requests"))
		why = allocation_ask(number, in);
	else if (!strcmp(verb, "/outdate"))
		why = allocation_outdate(number);
	else if (!strcmp(verb, "/expire"))
		why = world_expire(number);
	else if (!strcmp(verb, "/accept"))
		why = world_answer(number, json_int(in, "warehouse", 0), true);
	else if (!strcmp(verb, "/reject"))
		why = world_answer(number, json_int(in, "warehouse", 0), false);
	outcome(x, why);
}

static void settings(struct exchange *x, const cJSON *in)
{
	const char *key = json_text(in, "api_key", NULL);
	const char *token = json_text(in, "token", NULL);
	const cJSON *limit = cJSON_GetObjectItemCaseSensitive(in, "rate_limit");
	const cJSON *denied = cJSON_GetObjectItemCaseSensitive(in, "denied");
	const cJSON *hidden = cJSON_GetObjectItemCaseSensitive(in, "hidden");

	if (key)
		order_api_set_key(key);
	if (token)
		graphql_set_token(token);
	if (limit)
		graphql_set_limit(limit);
	if (denied)
		graphql_set_denied(denied);
	if (hidden)
		schema_hide(hidden);
	world_settings(in);
	order_api_settings(in);
	wms_settings(in);
	shipment_settings(in);
	soap_settings(in);
	lock_settings(in);
	set_stock_settings(in);
	return_settings(in);
	supplier_settings(in);
	outcome(x, NULL);
}

static void faults(struct exchange *x, const cJSON *in)
{
	const char *why = NULL;
	const cJSON *c;

	if (json_flag(in, "clear", false))
		faults_clear();
	else if (cJSON_IsArray(in))
		cJSON_ArrayForEach(c, in)
			why = why ? why : faults_add(c);
	else
		why = faults_add(in);
	outcome(x, why);
}

static void hooks(struct exchange *x, const cJSON *in)
{
	hooks_settings(in);
	outcome(x, NULL);
}

static void hooks_now(struct exchange *x, const cJSON *in)
{
	exchange_json(x, 200, hooks_send(in));
}

static void show_hooks(struct exchange *x, const cJSON *in)
{
	(void)in;
	exchange_json(x, 200, hooks_state());
}

static void state(struct exchange *x, const cJSON *in)
{
	(void)in;
	exchange_json(x, 200, world_state());
}

static void calls(struct exchange *x, const cJSON *in)
{
	cJSON *v = must(cJSON_CreateObject());

	(void)in;
	cJSON_AddItemToObject(
		v, "calls",
		calls_list(x->query_order ? strtoll(x->query_order, NULL, 10)
					  : 0));
	exchange_json(x, 200, v);
}

static void feed(struct exchange *x, const cJSON *in)
{
	feed_add(in);
	outcome(x, NULL);
}

static void show_feed(struct exchange *x, const cJSON *in)
{
	(void)in;
	exchange_json(x, 200, feed_state());
}

static void warehouses(struct exchange *x, const cJSON *in)
{
	world_set_warehouses(in);
	outcome(x, cJSON_IsArray(in) ? NULL : "a list is wanted");
}

static void plugins(struct exchange *x, const cJSON *in)
{
	order_api_plugins(in);
	outcome(x, cJSON_IsArray(in) ? NULL : "a list is wanted");
}

static void put_stock(struct exchange *x, const cJSON *in)
{
	outcome(x, stock_control(in));
}

static void show_stock(struct exchange *x, const cJSON *in)
{
	(void)in;
	exchange_json(x, 200, stock_state());
}

static void show_returns(struct exchange *x, const cJSON *in)
{
	(void)in;
	exchange_json(x, 200, return_state());
}

static void put_return(struct exchange *x, const cJSON *in)
{
	outcome(x, return_elsewhere(in));
}

static void put_deliveries(struct exchange *x, const cJSON *in)
{
	exchange_json(x, 200, supplier_control(in));
}

static void show_deliveries(struct exchange *x, const cJSON *in)
{
	(void)in;
	exchange_json(x, 200, supplier_state());
}

static void reset(struct exchange *x, const cJSON *in)
{
	world_reset();
	hooks_reset();
	faults_reset();
	shipment_reset();
	order_api_reset();
	wms_reset();
	feed_reset();
	soap_reset();
	lock_reset();
	set_stock_reset();
	return_reset();
	supplier_reset();
	graphql_set_limit(NULL);
	graphql_set_denied(NULL);
	schema_hide(NULL);
	(void)in;
	outcome(x, NULL);
}

static const struct {
	const char *method, *path;
	void (*answer)(struct exchange *x, const cJSON *in);
} rows[] = {
	{"POST", "/orders", place},
	{"POST", "/settings", settings},
	{"POST", "/warehouses", warehouses},
	{"POST", "/plugins", plugins},
	{"POST", "/stock", put_stock},
	{"GET", "/stock", show_stock},
	{"POST", "/faults", faults},
	{"GET", "/returns", show_returns},
	{"POST", "/returns", put_return},
	{"POST", "/deliveries", put_deliveries},
	{"GET", "/deliveries", show_deliveries},
	{"POST", "/hooks", hooks},
	{"GET", "/hooks", show_hooks},
	{"POST", "/hooks/send", hooks_now},
	{"POST", "/feed", feed},
	{"GET", "/feed", show_feed},
	{"GET", "/state", state},
	{"GET", "/calls", calls},
	{"POST", "/reset", reset},
};

void control_answer(struct exchange *x)
{
	cJSON *in = cJSON_Parse(x->body);

	if (*x->body && !in) {
		outcome(x, "the body is not JSON");
		return;
	}
	if (!strcmp(x->method, "POST") &&
	    !strncmp(x->path, "/orders/", strlen("/orders/")))
		order_verb(x, in);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!strcmp(rows[i].method, x->method) &&
		    !strcmp(rows[i].path, x->path))
			rows[i].answer(x, in);
	if (!x->reply)
		exchange_text(x, 404, "application/json", "{\"ok\":false}");
	cJSON_Delete(in);
}
