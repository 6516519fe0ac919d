/* SPDX-License-Identifier: MIT */
#include "tests/sim/order_api.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/world.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *wanted; /* owned: the key */

void order_api_set_key(const char *key)
{
	pthread_mutex_lock(&lock);
	free(wanted);
	wanted = must(strdup(key));
	pthread_mutex_unlock(&lock);
}

void order_api_start(const char *key)
{
	order_api_set_key(key);
}

void order_api_stop(void)
{
	free(wanted);
	wanted = NULL;
}

static bool key_right(const char *key)
{
	bool right;

	pthread_mutex_lock(&lock);
	right = key && !strcmp(key, wanted);
	pthread_mutex_unlock(&lock);
	return right;
}

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

static void refuse(struct exchange *x, const char *msg)
{
	cJSON *v = must(cJSON_CreateObject());

	cJSON_AddStringToObject(v, "msg", msg);
	cJSON_AddStringToObject(v, "status", "no");
	exchange_json(x, 200, v);
}

/* The rules' answer to a request that no fault kept away. */
static void act(struct exchange *x, const cJSON *in, struct seen *s)
{
	cJSON *mistakes = must(cJSON_CreateObject()), *v;

	s->acted = true;
	check_field(mistakes, in, "orderNumber", false);
	check_field(mistakes, in, "warehouseId", false);
	check_field(mistakes, in, "accepted", true);
	if (mistakes->child) {
		v = must(cJSON_CreateObject());
		cJSON_AddStringToObject(v, "status", "no");
		cJSON_AddItemToObject(v, "msg", mistakes);
		exchange_json(x, 200, v);
		s->result = "field errors";
		return;
	}
	cJSON_Delete(mistakes);
	s->msg = world_answer(s->order, s->warehouse, s->accepted);
	s->result = s->msg ? "no" : "ok";
	if (s->msg)
		refuse(x, s->msg);
	else
		exchange_text(x, 200, "application/json",
			      "{\"status\":\"ok\"}");
}

static void check_first(struct exchange *x)
{
	cJSON *in = cJSON_Parse(x->body);
	struct seen s = {.api = API_ORDER, .what = "check-first"};
	struct fault f;

	s.order = json_int(in, "orderNumber", 0);
	s.warehouse = json_int(in, "warehouseId", 0);
	s.accepted = json_flag(in, "accepted", false);
	f = faults_next(API_ORDER, &s.order, 1, s.what);
	s.fault = f.kind ? fault_name(f.kind) : NULL;
	if (exchange_fault_before(x, &f)) {
		s.result = "not acted";
	} else if (!key_right(x->api_authorization)) {
		exchange_text(x, 401, "application/json",
			      "{\"status\":\"Unauthorized\"}");
		s.result = "unauthorized";
	} else {
		act(x, in, &s);
		exchange_fault_after(x, &f);
	}
	s.status = x->cut == CUT_ALL ? 0 : x->status;
	calls_add(&s);
	cJSON_Delete(in);
}

/* Orders on hold are not shown, as with the plugin's default. */
static void orders(struct exchange *x)
{
	cJSON *numbers = must(cJSON_CreateArray()), *v, *found;
	const cJSON *o;

	if (!key_right(x->api_authorization)) {
		exchange_text(x, 401, "application/json", "{}");
		cJSON_Delete(numbers);
		return;
	}
	cJSON_AddItemToArray(
		numbers,
		cJSON_CreateNumber(
			strtod(x->query_order ? x->query_order : "0", NULL)));
	found = world_orders(numbers, false, 20, 1);
	v = must(cJSON_CreateObject());
	cJSON_AddStringToObject(v, "status", "ok");
	cJSON_AddArrayToObject(v, "orders");
	cJSON_ArrayForEach(o, found)
	{
		cJSON *r;
		char number[24];

		if (json_flag(o, "isOnHold", false))
			continue;
		snprintf(number, sizeof(number), "%lld",
			 (long long)json_int(o, "number", 0));
		r = must(cJSON_CreateObject());
		cJSON_AddStringToObject(r, "orderId", number);
		cJSON_AddStringToObject(r, "selectionId",
					json_text(o, "id", ""));
		cJSON_AddStringToObject(r, "orderStatus",
					json_text(o, "status", ""));
		cJSON_AddItemToArray(
			cJSON_GetObjectItemCaseSensitive(v, "orders"), r);
	}
	exchange_json(x, 200, v);
	cJSON_Delete(found);
	cJSON_Delete(numbers);
}

void order_api_answer(struct exchange *x)
{
	if (!strcmp(x->path, "/check-first") && !strcmp(x->method, "POST"))
		check_first(x);
	else if (!strcmp(x->path, "/orders") && !strcmp(x->method, "GET"))
		orders(x);
	else
		exchange_text(x, 404, "text/html", "<h1>Not Found</h1>");
}
