/* SPDX-License-Identifier: MIT */
#include "tests/sim/faults.h"

#include <pthread.h>
#include <string.h>

#include "tests/sim/clock.h"

#define RULES     64
#define CALLS_MAX 20000

struct rule {
	enum api api;
	struct fault fault;
	int64_t count;   /* calls left; -1 = no limit */
	int64_t percent; /* of the calls that match */
	int64_t order;   /* 0 = any */
	char what[48];   /* "createShipment", ...; "" = any */
	bool used;       /* this row of the table */
};

static const char *const names[] = {
	"none", "drop",	   "500",   "html",  "half", "slow",
	"401",	"403",	   "429",   "garbage", "maybe", "status",
	"gzip", "odd",	   "field",
};

static struct {
	pthread_mutex_t lock;
	unsigned seed, random;
	struct rule rules[RULES];
	cJSON *calls; /* owned */
	int64_t n_calls, seq;
} f = {.lock = PTHREAD_MUTEX_INITIALIZER};

const char *fault_name(enum fault_kind k)
{
	return names[k];
}

static enum fault_kind kind(const char *name)
{
	for (int k = FAULT_DROP; k <= FAULT_FIELD; k++)
		if (!strcmp(names[k], name))
			return (enum fault_kind)k;
	return FAULT_NONE;
}

static const char *const apis[] = {"order", "graphql", "soap"};

static enum api api_of(const char *name)
{
	for (int i = API_GRAPHQL; i <= API_SOAP; i++)
		if (!strcmp(apis[i], name))
			return (enum api)i;
	return API_ORDER;
}

const char *faults_add(const cJSON *spec)
{
	struct rule r = {.used = true};
	const char *why = "too many faults";

	r.api = api_of(json_text(spec, "api", "order"));
	r.fault.kind = kind(json_text(spec, "kind", ""));
	if (r.fault.kind == FAULT_NONE)
		return "unknown kind";
	r.fault.after = !strcmp(json_text(spec, "when", "before"), "after") ||
			r.fault.kind == FAULT_HALF ||
			r.fault.kind >= FAULT_GZIP;
	r.fault.ms = json_int(spec, "ms", 1000);
	r.fault.status = json_int(spec, "status", 502);
	snprintf(r.fault.retry_after, sizeof(r.fault.retry_after), "%s",
		 json_text(spec, "retry_after", ""));
	snprintf(r.fault.field, sizeof(r.fault.field), "%s",
		 json_text(spec, "field", "shippingAddress"));
	r.percent = json_int(spec, "percent", 100);
	r.order = json_int(spec, "order", 0);
	snprintf(r.what, sizeof(r.what), "%s", json_text(spec, "what", ""));
	r.count = json_int(spec, "count",
			   cJSON_HasObjectItem(spec, "percent") ? -1 : 1);
	pthread_mutex_lock(&f.lock);
	for (int i = 0; i < RULES && why; i++)
		if (!f.rules[i].used) {
			f.rules[i] = r;
			why = NULL;
		}
	pthread_mutex_unlock(&f.lock);
	return why;
}

static bool is_among(int64_t order, const int64_t *orders, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (orders[i] == order)
			return true;
	return false;
}

struct fault faults_next(enum api api, const int64_t *orders, size_t n,
			 const char *what)
{
	struct fault ret = {0};

	pthread_mutex_lock(&f.lock);
	for (int i = 0; i < RULES && !ret.kind; i++) {
		struct rule *r = &f.rules[i];

		if (!r->used || r->api != api ||
		    (r->order && !is_among(r->order, orders, n)) ||
		    (*r->what && strcmp(r->what, what)))
			continue;
		f.random = f.random * 1664525u + 1013904223u;
		if ((f.random >> 8) % 100 >= (unsigned)r->percent)
			continue;
		ret = r->fault;
		if (r->count > 0 && --r->count == 0)
			r->used = false;
	}
	pthread_mutex_unlock(&f.lock);
	return ret;
}

void calls_add(const struct seen *s)
{
	cJSON *v = must(cJSON_CreateObject());
	char at[CLOCK_TEXT];

	cJSON_AddStringToObject(v, "api", apis[s->api]);
	cJSON_AddStringToObject(v, "what", s->what);
	cJSON_AddStringToObject(v, "at", clock_stamp(at));
	json_add_int(v, "at_ms", clock_ms());
	json_add_int(v, "order", s->order);
	json_add_int(v, "warehouse", s->warehouse);
	cJSON_AddBoolToObject(v, "accepted", s->accepted);
	cJSON_AddBoolToObject(v, "acted", s->acted);
	cJSON_AddStringToObject(v, "result", s->result ? s->result : "");
	if (s->msg)
		cJSON_AddStringToObject(v, "msg", s->msg);
	json_add_int(v, "status", s->status);
	if (s->fault)
		cJSON_AddStringToObject(v, "fault", s->fault);
	pthread_mutex_lock(&f.lock);
	json_add_int(v, "seq", ++f.seq);
	cJSON_AddItemToArray(f.calls, v);
	if (++f.n_calls > CALLS_MAX) {
		cJSON_DeleteItemFromArray(f.calls, 0);
		f.n_calls--;
	}
	pthread_mutex_unlock(&f.lock);
}

cJSON *calls_list(int64_t order)
{
	cJSON *list = must(cJSON_CreateArray());
	const cJSON *v;

	pthread_mutex_lock(&f.lock);
	cJSON_ArrayForEach(v, f.calls)
		if (!order || json_int(v, "order", 0) == order)
			cJSON_AddItemToArray(list,
					     must(cJSON_Duplicate(v, 1)));
	pthread_mutex_unlock(&f.lock);
	return list;
}

void faults_clear(void)
{
	pthread_mutex_lock(&f.lock);
	memset(f.rules, 0, sizeof(f.rules));
	f.random = f.seed;
	pthread_mutex_unlock(&f.lock);
}

void faults_reset(void)
{
	faults_clear();
	pthread_mutex_lock(&f.lock);
	cJSON_Delete(f.calls);
	f.calls = must(cJSON_CreateArray());
	f.n_calls = 0;
	pthread_mutex_unlock(&f.lock);
}

void faults_init(unsigned seed)
{
	f.seed = seed;
	faults_reset();
}
