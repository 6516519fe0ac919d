/* SPDX-License-Identifier: MIT */
#include "tests/sim/feed.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/clock.h"
#include "tests/sim/world.h"

#define EVENTS_MAX  20000
#define OBJECTS	    64
#define LIMIT_MOST  200
#define IDS_MOST    200

/* A part of CD/eventobjecttype; others are refused. */
static const char *const objects[] = {
	"Order",  "Shipment",	"Return",	     "StockChange", "Warehouse",
	"Customer", "Product", "BrickAndMortar", "PaymentHistoryEntry", NULL};

struct queue {
	struct feed_event list[EVENTS_MAX];
	size_t n;
	int64_t next; /* id */
};

static struct {
	pthread_mutex_t lock;
	struct queue queues[FEEDS];
	bool listened[OBJECTS];
	int64_t listens, unknown; /* setEventListeners; ids that nobody knows */
} f = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int object_of(const char *name)
{
	for (int i = 0; name && objects[i]; i++)
		if (!strcmp(objects[i], name))
			return i;
	return -1;
}

/* With the lock.  NULL: the queue is full. */
static struct feed_event *enqueue(enum feed feed, const char *object, const char *change,
				  int64_t reference, int64_t order)
{
	struct queue *q = &f.queues[feed];
	struct feed_event *ev;

	if (q->n == EVENTS_MAX)
		return NULL;
	ev = &q->list[q->n++];
	*ev = (struct feed_event){.id = ++q->next,
				  .reference = reference,
				  .order = order,
				  .created = clock_ms()};
	snprintf(ev->object, sizeof(ev->object), "%s", object);
	snprintf(ev->change, sizeof(ev->change), "%s", change);
	return ev;
}

void feed_note(const char *object, const char *change, int64_t reference,
	       int64_t order)
{
	int i = object_of(object);

	pthread_mutex_lock(&f.lock);
	if (i >= 0 && f.listened[i])
		(void)enqueue(FEED_GRAPHQL, object, change, reference, order);
	/* SOAP has no events of shipments: the order comes once more. */
	if (order)
		(void)enqueue(FEED_SOAP, "Order", "UPDATED", order, order);
	pthread_mutex_unlock(&f.lock);
}

void feed_add(const cJSON *spec)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(spec, "events");
	int64_t count = json_int(spec, "count", 1);
	const cJSON *v;

	pthread_mutex_lock(&f.lock);
	for (int64_t i = 0; i < count; i++)
		cJSON_ArrayForEach(v, list)
		{
			int64_t order = json_int(v, "order", 0);
			const char *object = json_text(v, "object", "Order");

			for (int k = 0; k < FEEDS; k++) {
				struct feed_event *ev = enqueue(
					(enum feed)k, object,
					json_text(v, "change", "UPDATED"),
					json_int(v, "reference", order), order);

				if (ev)
					ev->stuck = json_flag(v, "stuck", false);
			}
		}
	pthread_mutex_unlock(&f.lock);
}

void feed_reset(void)
{
	pthread_mutex_lock(&f.lock);
	for (int i = 0; i < FEEDS; i++)
		f.queues[i].n = 0; /* ids are never used twice */
	memset(f.listened, 0, sizeof(f.listened));
	f.listens = f.unknown = 0;
	pthread_mutex_unlock(&f.lock);
}

void feed_oldest(enum feed feed, const char *object, int64_t limit,
		 void (*fn)(void *arg, const struct feed_event *ev), void *arg)
{
	struct queue *q = &f.queues[feed];

	pthread_mutex_lock(&f.lock);
	for (size_t i = 0; i < q->n && limit > 0; i++) {
		struct feed_event *ev = &q->list[i];

		if (ev->confirmed || (object && strcmp(object, ev->object)))
			continue;
		ev->shown++;
		fn(arg, ev);
		limit--;
	}
	pthread_mutex_unlock(&f.lock);
}

bool feed_is_stuck(enum feed feed, int64_t id)
{
	struct queue *q = &f.queues[feed];
	bool ret = false;

	pthread_mutex_lock(&f.lock);
	for (size_t i = 0; i < q->n; i++)
		ret |= q->list[i].id == id && q->list[i].stuck;
	pthread_mutex_unlock(&f.lock);
	return ret;
}

bool feed_confirm(enum feed feed, int64_t id)
{
	struct queue *q = &f.queues[feed];
	bool ret = false;

	pthread_mutex_lock(&f.lock);
	for (size_t i = 0; i < q->n; i++)
		if (q->list[i].id == id) {
			ret = !q->list[i].confirmed;
			q->list[i].confirmed++;
			break;
		}
	f.unknown += !ret;
	pthread_mutex_unlock(&f.lock);
	return ret;
}

/* ---- GraphQL ---- */

static void add_event(void *arg, const struct feed_event *ev)
{
	cJSON *v = must(cJSON_CreateObject());
	char at[CLOCK_TEXT];

	cJSON_AddItemToArray(arg, v);
	json_add_int(v, "id", ev->id);
	cJSON_AddStringToObject(v, "objectType", ev->object);
	cJSON_AddStringToObject(v, "changeType", ev->change);
	json_add_int(v, "objectReference", ev->reference);
	cJSON_AddStringToObject(v, "createdAt", clock_iso(at, ev->created));
}

/* A scalar stands for a list of it. */
static cJSON *as_list(const cJSON *v)
{
	cJSON *list;

	if (!v || cJSON_IsArray(v))
		return v ? must(cJSON_Duplicate(v, 1))
			 : must(cJSON_CreateArray());
	list = must(cJSON_CreateArray());
	cJSON_AddItemToArray(list, must(cJSON_Duplicate(v, 1)));
	return list;
}

/* events(where, limit): of several types the oldest of all come first. */
struct wanted {
	const cJSON *types;
	cJSON *list;
	int64_t limit;
};

static void add_wanted(void *arg, const struct feed_event *ev)
{
	struct wanted *w = arg;
	bool is = cJSON_GetArraySize(w->types) == 0;
	const cJSON *v;

	cJSON_ArrayForEach(v, w->types)
		is = is || !strcmp(cJSON_GetStringValue(v)
					   ? cJSON_GetStringValue(v)
					   : "",
				   ev->object);
	if (is && cJSON_GetArraySize(w->list) < w->limit)
		add_event(w->list, ev);
}

static cJSON *events(const cJSON *args, const char **why)
{
	const cJSON *where = cJSON_GetObjectItemCaseSensitive(args, "where");
	cJSON *types = as_list(
		cJSON_GetObjectItemCaseSensitive(where, "objectType"));
	struct wanted w = {.types = types,
			   .list = must(cJSON_CreateArray()),
			   .limit = json_int(args, "limit", 20)};
	const cJSON *v;

	if (w.limit < 1 || w.limit > LIMIT_MOST)
		*why = "limit must be between 1 and 200.";
	cJSON_ArrayForEach(v, types)
		if (object_of(cJSON_GetStringValue(v)) < 0)
			*why = "Value does not exist in EventObjectType.";
	feed_oldest(FEED_GRAPHQL, NULL, EVENTS_MAX, add_wanted, &w);
	cJSON_Delete(types);
	return w.list;
}

static cJSON *listeners(void)
{
	cJSON *list = must(cJSON_CreateArray()), *v;

	pthread_mutex_lock(&f.lock);
	for (int i = 0; objects[i]; i++)
		if (f.listened[i]) {
			v = must(cJSON_CreateObject());
			cJSON_AddItemToArray(list, v);
			cJSON_AddStringToObject(v, "objectType", objects[i]);
			cJSON_AddStringToObject(v, "integrationName",
						"shipfrom");
		}
	pthread_mutex_unlock(&f.lock);
	return list;
}

static void put_number(char ret[32], int64_t order)
{
	snprintf(ret, 32, "%lld-1", (long long)order);
}

static void take_shipment(struct order *o, struct shipment *s, void *arg)
{
	(void)o;
	snprintf(arg, 32, "%s", s->number);
}

/* The order that an event of this object told of; 0: none did. */
static int64_t noted_order(const char *object, int64_t id)
{
	struct queue *q = &f.queues[FEED_GRAPHQL];
	int64_t ret = 0;

	pthread_mutex_lock(&f.lock);
	for (size_t i = 0; i < q->n; i++)
		if (q->list[i].reference == id &&
		    !strcmp(q->list[i].object, object))
			ret = q->list[i].order;
	pthread_mutex_unlock(&f.lock);
	return ret;
}

/* shipments(where:{id}), returns(where:{id}): those that there are.  A return is
 * of the first shipment of the order that an event named. */
static cJSON *named(bool returns, const cJSON *args, const char **why)
{
	const cJSON *where = cJSON_GetObjectItemCaseSensitive(args, "where");
	cJSON *ids = as_list(cJSON_GetObjectItemCaseSensitive(where, "id"));
	cJSON *list = must(cJSON_CreateArray()), *v, *s;
	const cJSON *id;

	if (where && (!cJSON_GetArraySize(ids) ||
		      cJSON_GetArraySize(ids) > IDS_MOST))
		*why = "id: 1 to 200 of them.";
	cJSON_ArrayForEach(id, ids)
	{
		int64_t n = (int64_t)id->valuedouble;
		char number[32] = "";
		int64_t order = noted_order(returns ? "Return" : "Shipment", n);

		if (returns ? order != 0
			    : !world_with_shipment(n, take_shipment, number) &&
				      order)
			put_number(number, order);
		if (!*number)
			continue;
		v = must(cJSON_CreateObject());
		cJSON_AddItemToArray(list, v);
		json_add_int(v, "id", n);
		s = returns ? cJSON_AddObjectToObject(v, "shipment") : v;
		cJSON_AddStringToObject(s, "number", number);
	}
	cJSON_Delete(ids);
	return list;
}

cJSON *feed_query(const char *name, const cJSON *args, const char **why)
{
	if (!strcmp(name, "events"))
		return events(args, why);
	if (!strcmp(name, "eventListeners"))
		return listeners();
	if (!strcmp(name, "shipments"))
		return named(false, args, why);
	if (!strcmp(name, "returns"))
		return named(true, args, why);
	return NULL;
}

static void remark(cJSON *v, const char *key, const char *message)
{
	cJSON *list = cJSON_AddArrayToObject(v, key), *c;

	if (!message)
		return;
	c = must(cJSON_CreateObject());
	cJSON_AddItemToArray(list, c);
	cJSON_AddStringToObject(c, "message", message);
	cJSON_AddArrayToObject(c, "path");
}

static cJSON *listen_to(const cJSON *input)
{
	cJSON *list = as_list(input), *v = must(cJSON_CreateObject());
	const char *wrong = NULL;
	const cJSON *c;

	pthread_mutex_lock(&f.lock);
	f.listens++;
	cJSON_ArrayForEach(c, list)
	{
		int i = object_of(json_text(c, "objectType", NULL));

		if (i < 0)
			wrong = "Unknown object type.";
		else
			f.listened[i] = true;
	}
	pthread_mutex_unlock(&f.lock);
	remark(v, "userErrors", wrong);
	remark(v, "userWarnings", NULL);
	cJSON_AddItemToObject(v, "eventListeners", listeners());
	cJSON_Delete(list);
	return v;
}

static cJSON *confirm(const cJSON *input)
{
	cJSON *ids = as_list(
		cJSON_GetObjectItemCaseSensitive(input, "eventsIds"));
	cJSON *v = must(cJSON_CreateObject());
	bool all = true, stuck = false;
	const cJSON *id;

	cJSON_ArrayForEach(id, ids)
		stuck |= feed_is_stuck(FEED_GRAPHQL, (int64_t)id->valuedouble);
	if (stuck) {
		remark(v, "userErrors", "An event cannot be confirmed.");
		remark(v, "userWarnings", NULL);
		cJSON_Delete(ids);
		return v;
	}
	cJSON_ArrayForEach(id, ids)
		all = feed_confirm(FEED_GRAPHQL, (int64_t)id->valuedouble) &&
		      all;
	remark(v, "userErrors", NULL);
	remark(v, "userWarnings",
	       all ? NULL : "Some events were confirmed already.");
	cJSON_Delete(ids);
	return v;
}

cJSON *feed_mutation(const char *name, const cJSON *args)
{
	const cJSON *input = cJSON_GetObjectItemCaseSensitive(args, "input");

	if (!strcmp(name, "setEventListeners"))
		return listen_to(input);
	if (!strcmp(name, "confirmEvents"))
		return confirm(input);
	return NULL;
}

/* ---- control ---- */

/* How far a feed is: the ids that wait are listed, at most 20. */
static cJSON *queue_state(const struct queue *q)
{
	cJSON *v = must(cJSON_CreateObject());
	cJSON *list = cJSON_AddArrayToObject(v, "oldest");
	int64_t waiting = 0, confirmed = 0, twice = 0, unseen = 0;

	for (size_t i = 0; i < q->n; i++) {
		const struct feed_event *ev = &q->list[i];

		waiting += !ev->confirmed;
		confirmed += ev->confirmed > 0;
		twice += ev->confirmed > 1;
		unseen += ev->confirmed && !ev->shown;
		if (!ev->confirmed && cJSON_GetArraySize(list) < 20)
			cJSON_AddItemToArray(list, cJSON_CreateNumber(
							   (double)ev->id));
	}
	json_add_int(v, "events", (int64_t)q->n);
	json_add_int(v, "waiting", waiting);
	json_add_int(v, "confirmed", confirmed);
	json_add_int(v, "twice", twice);
	json_add_int(v, "unseen", unseen);
	return v;
}

cJSON *feed_state(void)
{
	cJSON *v = must(cJSON_CreateObject());

	pthread_mutex_lock(&f.lock);
	json_add_int(v, "listens", f.listens);
	json_add_int(v, "unknown", f.unknown);
	cJSON_AddItemToObject(v, "graphql",
			      queue_state(&f.queues[FEED_GRAPHQL]));
	cJSON_AddItemToObject(v, "soap", queue_state(&f.queues[FEED_SOAP]));
	pthread_mutex_unlock(&f.lock);
	return v;
}
