/* SPDX-License-Identifier: MIT */
#include "tests/sim/graphql.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/clock.h"
#include "tests/sim/schema.h"
#include "tests/sim/shipment.h"
#include "tests/sim/world.h"

#define NUMBERS_MOST 200 /* in one query */

static struct {
	pthread_mutex_t lock;
	char *token;            /* owned */
	int64_t quota, window;  /* calls, ms */
	int64_t began, used;    /* of this window */
} g = {.lock = PTHREAD_MUTEX_INITIALIZER};

void graphql_set_token(const char *token)
{
	pthread_mutex_lock(&g.lock);
	free(g.token);
	g.token = must(strdup(token));
	pthread_mutex_unlock(&g.lock);
}

void graphql_set_limit(const cJSON *spec)
{
	pthread_mutex_lock(&g.lock);
	g.quota = json_int(spec, "quota", 0);
	g.window = json_int(spec, "window_ms", 10000);
	g.used = 0;
	pthread_mutex_unlock(&g.lock);
}

void graphql_start(const char *token)
{
	graphql_set_token(token);
}

void graphql_stop(void)
{
	free(g.token);
	g.token = NULL;
}

static bool token_right(const char *authorization)
{
	bool right;

	pthread_mutex_lock(&g.lock);
	right = authorization && !strncmp(authorization, "Bearer ", 7) &&
		!strcmp(authorization + 7, g.token);
	pthread_mutex_unlock(&g.lock);
	return right;
}

/* True when this call is one too many; the answer says when to come again. */
static bool over_limit(struct exchange *x)
{
	int64_t now = clock_ms();
	bool over = false;

	pthread_mutex_lock(&g.lock);
	if (now - g.began >= g.window) {
		g.began = now;
		g.used = 0;
	}
	if (g.quota > 0 && ++g.used > g.quota) {
		over = true;
		snprintf(x->retry_after, sizeof(x->retry_after), "%lld",
			 (long long)((g.began + g.window) / 1000 + 1));
	}
	pthread_mutex_unlock(&g.lock);
	return over;
}

/* ---- queries ---- */

/* orders(where, limit, page).  A bare number stands for a list of it. */
static cJSON *orders(const cJSON *args, struct seen *s, const char **why)
{
	static const char known[] =
		" number isWaitingForCheckFirstAllocation id status isOnHold "
		"orderHoldReason ";
	const cJSON *where = cJSON_GetObjectItemCaseSensitive(args, "where");
	const cJSON *number = cJSON_GetObjectItemCaseSensitive(where, "number");
	int64_t limit = json_int(args, "limit", 20);
	cJSON *numbers = NULL, *list;
	const cJSON *c;
	char word[72];

	cJSON_ArrayForEach(c, where)
	{
		snprintf(word, sizeof(word), " %s ", c->string);
		if (!strstr(known, word))
			*why = "Unknown field in OrderFilter.";
	}
	if (limit < 1 || limit > 200)
		*why = "limit must be between 1 and 200.";
	if (cJSON_IsArray(number)) {
		numbers = must(cJSON_Duplicate(number, 1));
	} else if (number) {
		numbers = must(cJSON_CreateArray());
		cJSON_AddItemToArray(numbers, must(cJSON_Duplicate(number, 1)));
	}
	cJSON_ArrayForEach(c, numbers)
	{
		if (!json_is_int(c))
			*why = "Int cannot represent this value.";
		else if (!s->order)
			s->order = (int64_t)c->valuedouble;
	}
	list = *why ? must(cJSON_CreateArray())
		    : world_orders(numbers,
				   json_flag(where,
					     "isWaitingForCheckFirstAllocation",
					     false),
				   limit, json_int(args, "page", 1));
	cJSON_Delete(numbers);
	return list;
}

static cJSON *resolve(const struct field *f, bool mutation, struct seen *s,
		      const char **why)
{
	cJSON *v = NULL;

	if (!f->name) {
		*why = "an inline fragment cannot stand at the top";
		return NULL;
	}
	s->what = schema_child(mutation ? "Mutation" : "Query", f->name)
			  ? f->name
			  : "";
	if (mutation)
		v = shipment_mutation(f->name, f->args, &s->order);
	else if (!strcmp(f->name, "orders"))
		v = orders(f->args, s, why);
	else if (!strcmp(f->name, "warehouses"))
		v = world_warehouses();
	else if (!strcmp(f->name, "brickAndMortars"))
		v = world_shops();
	else
		v = must(cJSON_CreateArray());
	return v;
}

static cJSON *extensions(void)
{
	cJSON *v = must(cJSON_CreateObject()), *a;

	json_add_int(v, "complexity", 123);
	a = cJSON_AddArrayToObject(v, "permissionsUsed");
	cJSON_AddItemToArray(a, cJSON_CreateString("Order:read"));
	cJSON_AddStringToObject(v, "appVersion", "v3.18.4");
	return v;
}

static void errors(struct exchange *x, unsigned status, const char *message)
{
	cJSON *root = must(cJSON_CreateObject()), *a, *e, *c;

	a = cJSON_AddArrayToObject(root, "errors");
	e = must(cJSON_CreateObject());
	cJSON_AddItemToArray(a, e);
	cJSON_AddStringToObject(e, "message", message);
	c = cJSON_AddObjectToObject(e, "extensions");
	cJSON_AddStringToObject(c, "category", "graphql");
	cJSON_AddItemToObject(root, "extensions", extensions());
	exchange_json(x, status, root);
}

static void execute(struct exchange *x, const struct field *top, bool mutation,
		    struct seen *s)
{
	cJSON *root, *data = must(cJSON_CreateObject());
	const char *why = NULL;

	for (const struct field *f = top; f; f = f->next) {
		cJSON *full = resolve(f, mutation, s, &why);

		cJSON_AddItemToObject(data, f->alias,
				      schema_cut(f->children, full));
		cJSON_Delete(full);
	}
	s->acted = true;
	s->result = why ? "errors" : "ok";
	s->msg = why;
	if (why) {
		errors(x, 400, why);
		cJSON_Delete(data);
		return;
	}
	root = must(cJSON_CreateObject());
	cJSON_AddItemToObject(root, "data", data);
	cJSON_AddItemToObject(root, "extensions", extensions());
	exchange_json(x, 200, root);
}

static void take_number(struct order *o, struct shipment *s, void *arg)
{
	(void)s;
	*(int64_t *)arg = o->number;
}

static int64_t order_of_shipment(int64_t id)
{
	int64_t number = 0;

	(void)world_with_shipment(id, take_number, &number);
	return number;
}

/* The numbers in the arguments, or that of the shipment's order, so that faults
 * can name an order. */
static size_t orders_of(const struct field *f, int64_t ret[NUMBERS_MOST])
{
	const cJSON *where = cJSON_GetObjectItemCaseSensitive(f->args, "where");
	const cJSON *input = cJSON_GetObjectItemCaseSensitive(f->args, "input");
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(where, "number");
	int64_t id = json_int(f->args, "id", 0);
	size_t n = 0;

	if (cJSON_IsArray(v)) {
		for (v = v->child; v && n < NUMBERS_MOST; v = v->next)
			if (json_is_int(v))
				ret[n++] = (int64_t)v->valuedouble;
	} else if (json_is_int(v)) {
		ret[n++] = (int64_t)v->valuedouble;
	}
	if (n)
		return n;
	ret[0] = id ? order_of_shipment(id)
		    : json_int(cJSON_GetObjectItemCaseSensitive(input,
								"order"),
			       "number", 0);
	return 1;
}

void graphql_answer(struct exchange *x)
{
	cJSON *in = cJSON_Parse(x->body);
	const char *why = "no query", *query = json_text(in, "query", NULL);
	struct seen s = {.api = API_GRAPHQL, .what = "", .result = "not acted"};
	struct field *top = NULL;
	int64_t orders[NUMBERS_MOST] = {0};
	size_t n = 0;
	bool mutation = false;
	char text[200];
	struct fault f;

	if (query)
		top = gql_parse(query,
				cJSON_GetObjectItemCaseSensitive(in,
								 "variables"),
				&mutation, &why);
	if (top) {
		s.what = top->name ? top->name : "";
		n = orders_of(top, orders);
		s.order = orders[0];
		why = schema_check(top, mutation ? "Mutation" : "Query", text);
	}
	f = faults_next(API_GRAPHQL, orders, n, s.what);
	s.fault = f.kind ? fault_name(f.kind) : NULL;
	if (exchange_fault_before(x, &f)) {
		s.result = "not acted";
	} else if (!token_right(x->authorization)) {
		errors(x, 403, "Access denied: the token is invalid or expired.");
	} else if (over_limit(x)) {
		errors(x, 429, "Too many requests.");
	} else if (why) {
		errors(x, 400, why);
		s.msg = why;
	} else {
		execute(x, top, mutation, &s);
		exchange_fault_after(x, &f);
	}
	s.status = x->cut == CUT_ALL ? 0 : x->status;
	calls_add(&s);
	gql_free(top);
	cJSON_Delete(in);
}
