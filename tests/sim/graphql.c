/* SPDX-License-Identifier: MIT */
#include "tests/sim/graphql.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/clock.h"
#include "tests/sim/feed.h"
#include "tests/sim/introspect.h"
#include "tests/sim/lock.h"
#include "tests/sim/product.h"
#include "tests/sim/return.h"
#include "tests/sim/schema.h"
#include "tests/sim/set_stock.h"
#include "tests/sim/shipment.h"
#include "tests/sim/world.h"

#define NUMBERS_MOST 200 /* in one query */

static struct {
	pthread_mutex_t lock;
	char *token;            /* owned */
	int64_t quota, window;  /* calls, ms */
	int64_t began, used;    /* of this window */
	cJSON *denied;          /* owned: permissions that it lacks, or NULL */
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

void graphql_set_denied(const cJSON *names)
{
	pthread_mutex_lock(&g.lock);
	cJSON_Delete(g.denied);
	g.denied = names ? must(cJSON_Duplicate(names, 1)) : NULL;
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
	graphql_set_denied(NULL);
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

/* True for sort:[NAME]; any other is refused. */
static bool sorted_by(const cJSON *args, const char *name, const char **why)
{
	const cJSON *sort = cJSON_GetObjectItemCaseSensitive(args, "sort");
	const char *given = cJSON_GetStringValue(
		cJSON_IsArray(sort) ? cJSON_GetArrayItem(sort, 0) : sort);

	if (given && strcmp(given, name))
		*why = "Value does not exist in the enum of sorts.";
	return given && !strcmp(given, name);
}

static int64_t limit_of(const cJSON *args, const char **why)
{
	int64_t limit = json_int(args, "limit", 20);

	if (limit < 1 || limit > 200)
		*why = "limit must be between 1 and 200.";
	return limit;
}

/* warehouses(sort, limit, page): of the list, which becomes ours, the page. */
static cJSON *page_of(cJSON *list, const cJSON *args, const char **why)
{
	int64_t limit = limit_of(args, why);
	int64_t skip = limit * (json_int(args, "page", 1) - 1);

	(void)sorted_by(args, "id_ASC", why); /* it is so anyway */
	for (; skip > 0; skip--)
		cJSON_DeleteItemFromArray(list, 0);
	while (cJSON_GetArraySize(list) > limit)
		cJSON_DeleteItemFromArray(list, (int)limit);
	return list;
}

/* orders(where, sort, limit, page).  A bare number stands for a list of it. */
static cJSON *orders(const cJSON *args, struct seen *s, const char **why)
{
	static const char known[] =
		" number isWaitingForCheckFirstAllocation id status isOnHold "
		"orderHoldReason isLocked ";
	const cJSON *where = cJSON_GetObjectItemCaseSensitive(args, "where");
	const cJSON *number = cJSON_GetObjectItemCaseSensitive(where, "number");
	int64_t limit = limit_of(args, why);
	bool sorted = sorted_by(args, "number_ASC", why), waiting;
	int64_t page;
	cJSON *numbers = NULL, *list;
	const cJSON *c;
	char word[72];

	cJSON_ArrayForEach(c, where)
	{
		snprintf(word, sizeof(word), " %s ", c->string);
		if (!strstr(known, word))
			*why = "Unknown field in OrderFilter.";
	}
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
	waiting = json_flag(where, "isWaitingForCheckFirstAllocation", false);
	page = json_int(args, "page", 1);
	if (*why)
		list = must(cJSON_CreateArray());
	else if (cJSON_HasObjectItem(where, "isLocked"))
		list = lock_orders(numbers, json_flag(where, "isLocked", true),
				   limit, page);
	else if (sorted && !numbers)
		list = world_orders_by_number(waiting, limit, page);
	else
		list = world_orders(numbers, waiting, limit, page);
	cJSON_Delete(numbers);
	return list;
}

static cJSON *mutate(const struct field *f, struct seen *s)
{
	cJSON *v = feed_mutation(f->name, f->args);

	if (!v)
		v = set_stock_mutation(f->name, f->args);
	if (!v)
		v = lock_mutation(f->name, f->args, &s->order);
	if (!v)
		v = return_mutation(f->name, f->args, &s->order);
	return v ? v : shipment_mutation(f->name, f->args, &s->order);
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
		v = mutate(f, s);
	else if (!strcmp(f->name, "orders"))
		v = orders(f->args, s, why);
	else if (!strcmp(f->name, "warehouses"))
		v = page_of(world_warehouses(), f->args, why);
	else if (!strcmp(f->name, "brickAndMortars"))
		v = world_shops();
	else if ((v = feed_query(f->name, f->args, why)) ||
		 (v = product_query(f, why)))
		;
	else if (!strcmp(f->name, "__typename"))
		v = must(cJSON_CreateString("Query"));
	else if (!strcmp(f->name, "__type"))
		v = introspect_type(json_text(f->args, "name", ""));
	else
		v = must(cJSON_CreateArray());
	return v;
}

static cJSON *extensions(void)
{
	cJSON *v = must(cJSON_CreateObject()), *a;
	char version[32];

	json_add_int(v, "complexity", 123);
	a = cJSON_AddArrayToObject(v, "permissionsUsed");
	cJSON_AddItemToArray(a, cJSON_CreateString("Order:read"));
	set_stock_version(version);
	if (*version)
		cJSON_AddStringToObject(v, "appVersion", version);
	return v;
}

/* ---- what a token may not see, and what goes wrong at a field ---- */

static bool is_denied(const char *permission)
{
	const cJSON *v;
	bool ret = false;

	pthread_mutex_lock(&g.lock);
	cJSON_ArrayForEach(v, g.denied)
		ret = ret || (permission &&
			      !strcmp(cJSON_GetStringValue(v), permission));
	pthread_mutex_unlock(&g.lock);
	return ret;
}

static void add_error(cJSON *list, const cJSON *path, const char *category,
		      const char *message)
{
	cJSON *e = must(cJSON_CreateObject()), *c;

	cJSON_AddItemToArray(list, e);
	cJSON_AddStringToObject(e, "message", message);
	c = cJSON_AddObjectToObject(e, "extensions");
	cJSON_AddStringToObject(c, "category", category);
	if (path)
		cJSON_AddItemToObject(e, "path",
				      must(cJSON_Duplicate(path, 1)));
}

static void pop(cJSON *path)
{
	cJSON_DeleteItemFromArray(path, cJSON_GetArraySize(path) - 1);
}

/* Where an error is met, and what is looked for. */
struct search {
	const char *field; /* whose fault it is; NULL: fields that are denied */
	cJSON *path, *errors;
};

static void search_fields(struct search *s, const struct field *f,
			  const char *type, cJSON *value);

/* What was asked for of a value, or of each in a list. */
static void search_value(struct search *s, const struct field *f,
			 const char *type, cJSON *v)
{
	cJSON *c;
	int i = 0;

	if (!cJSON_IsArray(v)) {
		if (cJSON_IsObject(v))
			search_fields(s, f, type, v);
		return;
	}
	cJSON_ArrayForEach(c, v)
	{
		cJSON_AddItemToArray(s->path, cJSON_CreateNumber(i++));
		search_value(s, f, type, c);
		pop(s->path);
	}
}

/* True: the error is at this field. */
static bool is_hit(const struct search *s, const char *type, const char *name)
{
	return s->field ? !strcmp(s->field, name)
			: is_denied(schema_permission(type, name));
}

static void blame(struct search *s, const char *type, const char *name)
{
	const char *permission = schema_permission(type, name);
	char text[200];

	if (s->field) {
		add_error(s->errors, s->path, "internal",
			  "Internal server error");
		return;
	}
	snprintf(text, sizeof(text),
		 "You need %s permission to access %s.", permission, name);
	add_error(s->errors, s->path, "authorization", text);
}

/* `value` is as it will be answered; a field that is hit becomes null. */
static void search_fields(struct search *s, const struct field *f,
			  const char *type, cJSON *value)
{
	for (; f; f = f->next) {
		if (!f->name) {
			search_fields(s, f->children, f->alias, value);
			continue;
		}
		cJSON_AddItemToArray(s->path, cJSON_CreateString(f->alias));
		if (is_hit(s, type, f->name)) {
			blame(s, type, f->name);
			cJSON_ReplaceItemInObjectCaseSensitive(
				value, f->alias, must(cJSON_CreateNull()));
		} else {
			search_value(s, f->children,
				     schema_child(type, f->name),
				     cJSON_GetObjectItemCaseSensitive(
					     value, f->alias));
		}
		pop(s->path);
	}
}

/* The errors met in the data, which is changed by them; empty: none. */
static cJSON *search_data(const struct field *top, const char *root,
			  cJSON *data, const char *field)
{
	struct search s = {.field = field,
			   .path = must(cJSON_CreateArray()),
			   .errors = must(cJSON_CreateArray())};

	search_fields(&s, top, root, data);
	cJSON_Delete(s.path);
	return s.errors;
}

static void errors(struct exchange *x, unsigned status, const char *message)
{
	cJSON *root = must(cJSON_CreateObject());

	add_error(cJSON_AddArrayToObject(root, "errors"), NULL, "graphql",
		  message);
	cJSON_AddItemToObject(root, "extensions", extensions());
	exchange_json(x, status, root);
}

/* A field at the top that the token may not call is not called. */
static cJSON *resolve_all(const struct field *top, bool mutation,
			  struct seen *s, const char **why)
{
	const char *root = mutation ? "Mutation" : "Query";
	cJSON *data = must(cJSON_CreateObject()), *full;

	for (const struct field *f = top; f; f = f->next) {
		full = NULL;
		if (!f->name || !is_denied(schema_permission(root, f->name))) {
			full = resolve(f, mutation, s, why);
			s->acted = true;
		}
		cJSON_AddItemToObject(data, f->alias,
				      schema_cut(f->children, full));
		cJSON_Delete(full);
	}
	return data;
}

/* Answers with the data, or without any if the token lacks a permission. */
static void answer(struct exchange *x, cJSON *data, cJSON *list, bool denied)
{
	cJSON *root = must(cJSON_CreateObject());

	if (cJSON_GetArraySize(list))
		cJSON_AddItemToObject(root, "errors", list);
	else
		cJSON_Delete(list);
	if (denied)
		cJSON_Delete(data);
	else
		cJSON_AddItemToObject(root, "data", data);
	cJSON_AddItemToObject(root, "extensions", extensions());
	exchange_json(x, 200, root);
}

static void execute(struct exchange *x, const struct field *top, bool mutation,
		    const struct fault *f, struct seen *s)
{
	const char *why = NULL, *root = mutation ? "Mutation" : "Query";
	cJSON *data = resolve_all(top, mutation, s, &why), *list;
	bool denied;

	if (why) {
		s->result = "errors";
		s->msg = why;
		errors(x, 400, why);
		cJSON_Delete(data);
		return;
	}
	list = search_data(top, root, data, NULL);
	denied = cJSON_GetArraySize(list) > 0;
	if (!denied && f->kind == FAULT_FIELD) {
		cJSON_Delete(list);
		list = search_data(top, root, data, f->field);
	}
	s->result = cJSON_GetArraySize(list) ? "errors" : "ok";
	answer(x, data, list, denied);
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
	const cJSON *of = cJSON_GetObjectItemCaseSensitive(input, "shipment");
	int64_t id = json_int(f->args, "id", json_int(of, "id", 0));
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
		execute(x, top, mutation, &f, &s);
		exchange_fault_after(x, &f);
	}
	s.status = x->cut == CUT_ALL ? 0 : x->status;
	calls_add(&s);
	gql_free(top);
	cJSON_Delete(in);
}
