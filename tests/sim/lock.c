/* SPDX-License-Identifier: MIT */
#include "tests/sim/lock.h"

#include <pthread.h>
#include <string.h>

#include "tests/sim/feed.h"
#include "tests/sim/world.h"

#define ALL INT64_C(1000000)

static char refusal[200]; /* under refusal_lock */
static pthread_mutex_t refusal_lock = PTHREAD_MUTEX_INITIALIZER;

void lock_settings(const cJSON *spec)
{
	const char *refuse = json_text(spec, "refuse_lock", NULL);

	pthread_mutex_lock(&refusal_lock);
	if (refuse)
		snprintf(refusal, sizeof(refusal), "%s", refuse);
	pthread_mutex_unlock(&refusal_lock);
}

void lock_reset(void)
{
	pthread_mutex_lock(&refusal_lock);
	refusal[0] = '\0';
	pthread_mutex_unlock(&refusal_lock);
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

static void set(struct order *o, bool locked, bool person)
{
	o->locks += !person && locked;
	o->unlocks += !person && !locked;
	o->unlocked_a_persons |= !person && !locked && o->locked &&
				 o->locked_by_person;
	if (locked && !o->locked)
		o->locked_by_person = person;
	if (o->locked != locked)
		feed_note("Order", "UPDATED", o->number, o->number);
	o->locked = locked;
}

static void set_by_api(struct order *o, void *arg)
{
	set(o, *(const bool *)arg, false);
}

static void set_by_person(struct order *o, void *arg)
{
	set(o, *(const bool *)arg, true);
}

const char *lock_by_a_person(int64_t number, const cJSON *spec)
{
	bool locked = json_flag(spec, "locked", true);

	return world_with(number, set_by_person, &locked) ? NULL
							  : "no such order";
}

static void nothing(struct order *o, void *arg)
{
	(void)o, (void)arg;
}

/* All orders, or none: what Centra does when one is unknown is not known. */
static cJSON *lock_all(const cJSON *input, int64_t *ret_order)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(input, "orders");
	bool locked = json_flag(input, "isLocked", true), found = true;
	cJSON *v = must(cJSON_CreateObject());
	cJSON *orders = cJSON_AddArrayToObject(v, "orders"), *now;
	char words[200];
	const cJSON *o;

	*ret_order = json_int(list ? list->child : NULL, "number", 0);
	pthread_mutex_lock(&refusal_lock);
	snprintf(words, sizeof(words), "%s", refusal);
	pthread_mutex_unlock(&refusal_lock);
	cJSON_ArrayForEach(o, list)
		found = world_with(json_int(o, "number", 0), nothing, NULL) &&
			found;
	remark(v, "userErrors",
	       *words ? words : found ? NULL : "Order not found.");
	remark(v, "userWarnings", NULL);
	if (*words || !found)
		return v;
	cJSON_ArrayForEach(o, list)
	{
		(void)world_with(json_int(o, "number", 0), set_by_api, &locked);
		now = world_order_now(json_int(o, "number", 0));
		if (now->child)
			cJSON_AddItemToArray(orders, must(cJSON_Duplicate(
							     now->child, 1)));
		cJSON_Delete(now);
	}
	return v;
}

static void resume(struct order *o, void *arg)
{
	(void)arg;
	o->resumes++;
}

static cJSON *update(const cJSON *args, int64_t *ret_order)
{
	cJSON *v = must(cJSON_CreateObject());

	*ret_order = json_int(cJSON_GetObjectItemCaseSensitive(args, "order"),
			      "number", 0);
	(void)world_with(*ret_order, resume, NULL);
	remark(v, "userErrors", "The stand-in never resumes a hold.");
	remark(v, "userWarnings", NULL);
	return v;
}

cJSON *lock_mutation(const char *name, const cJSON *args, int64_t *ret_order)
{
	if (!strcmp(name, "setOrdersLock"))
		return lock_all(cJSON_GetObjectItemCaseSensitive(args, "input"),
				ret_order);
	if (!strcmp(name, "updateDirectToConsumerOrder"))
		return update(args, ret_order);
	return NULL;
}

cJSON *lock_orders(const cJSON *numbers, bool locked, int64_t limit,
		   int64_t page)
{
	cJSON *all = numbers ? world_orders(numbers, false, ALL, 1)
			     : world_orders_by_number(false, ALL, 1);
	int64_t skip = limit * (page - 1);
	cJSON *list = must(cJSON_CreateArray());
	const cJSON *o;

	cJSON_ArrayForEach(o, all)
		if (json_flag(o, "isLocked", false) == locked && skip-- <= 0 &&
		    cJSON_GetArraySize(list) < limit)
			cJSON_AddItemToArray(list,
					     must(cJSON_Duplicate(o, 1)));
	cJSON_Delete(all);
	return list;
}
