/* SPDX-License-Identifier: MIT */
#include "tests/sim/world.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/allocation.h"
#include "tests/sim/clock.h"
#include "tests/sim/feed.h"
#include "tests/sim/hooks.h"
#include "tests/sim/reading.h"
#include "tests/sim/shipment.h"
#include "tests/sim/stock.h"

#define BUCKETS    4096
#define WAREHOUSES 64
#define DIRECT     1 /* where an order's stock is kept until a shop takes it */

struct warehouse {
	int64_t id;
	char *name, *policy, *shop; /* owned; shop may be NULL */
	bool inactive;
};

static struct {
	pthread_mutex_t lock;
	unsigned seed;
	int64_t offer_ms;
	int64_t next_number;
	struct order *buckets[BUCKETS]; /* owned */
	struct order *newest;
	size_t n_orders;
	struct warehouse warehouses[WAREHOUSES];
	size_t n_warehouses;
	bool autoconfirm, auto_rejected, late_accept, order_events;
} w = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- warehouses ---- */

static void add_warehouse(int64_t id, const char *name, const char *policy,
			  const char *shop)
{
	struct warehouse *h = &w.warehouses[w.n_warehouses];

	if (w.n_warehouses == WAREHOUSES)
		return;
	w.n_warehouses++;
	h->id = id;
	h->name = must(strdup(name));
	h->policy = must(strdup(policy));
	h->shop = shop ? must(strdup(shop)) : NULL;
	h->inactive = false;
}

static void drop_warehouses(void)
{
	for (size_t i = 0; i < w.n_warehouses; i++) {
		free(w.warehouses[i].name);
		free(w.warehouses[i].policy);
		free(w.warehouses[i].shop);
	}
	w.n_warehouses = 0;
}

static const struct warehouse *warehouse(int64_t id)
{
	for (size_t i = 0; i < w.n_warehouses; i++)
		if (w.warehouses[i].id == id)
			return &w.warehouses[i];
	return NULL;
}

static const char *warehouse_name(int64_t id)
{
	const struct warehouse *h = warehouse(id);

	return h ? h->name : "";
}

void world_set_warehouses(const cJSON *list)
{
	const cJSON *v;

	pthread_mutex_lock(&w.lock);
	drop_warehouses();
	cJSON_ArrayForEach(v, list)
	{
		add_warehouse(json_int(v, "id", 0), json_text(v, "name", ""),
			      json_text(v, "policy", "CHECK_FIRST"),
			      json_text(v, "shop", NULL));
		if (w.n_warehouses)
			w.warehouses[w.n_warehouses - 1].inactive =
				json_flag(v, "inactive", false);
	}
	pthread_mutex_unlock(&w.lock);
}

cJSON *world_warehouses(void)
{
	cJSON *list = must(cJSON_CreateArray()), *v, *b;

	pthread_mutex_lock(&w.lock);
	for (size_t i = 0; i < w.n_warehouses; i++) {
		const struct warehouse *h = &w.warehouses[i];

		v = must(cJSON_CreateObject());
		cJSON_AddItemToArray(list, v);
		json_add_int(v, "id", h->id);
		cJSON_AddStringToObject(v, "name", h->name);
		cJSON_AddStringToObject(v, "status",
					h->inactive ? "INACTIVE" : "ACTIVE");
		cJSON_AddStringToObject(v, "allocationPolicy", h->policy);
		if (!h->shop) {
			cJSON_AddNullToObject(v, "brickAndMortar");
			continue;
		}
		b = cJSON_AddObjectToObject(v, "brickAndMortar");
		json_add_int(b, "id", h->id + 100);
		cJSON_AddStringToObject(b, "name", h->shop);
	}
	pthread_mutex_unlock(&w.lock);
	return list;
}

cJSON *world_shops(void)
{
	cJSON *list = must(cJSON_CreateArray()), *v, *b;

	pthread_mutex_lock(&w.lock);
	for (size_t i = 0; i < w.n_warehouses; i++) {
		const struct warehouse *h = &w.warehouses[i];

		if (!h->shop)
			continue;
		v = must(cJSON_CreateObject());
		cJSON_AddItemToArray(list, v);
		json_add_int(v, "id", h->id + 100);
		cJSON_AddStringToObject(v, "name", h->shop);
		cJSON_AddStringToObject(v, "displayName", h->shop);
		cJSON_AddStringToObject(v, "status", "ACTIVE");
		cJSON_AddStringToObject(v, "address", "Main street 1");
		b = cJSON_AddObjectToObject(v, "warehouse");
		json_add_int(b, "id", h->id);
		cJSON_AddStringToObject(b, "name", h->name);
	}
	pthread_mutex_unlock(&w.lock);
	return list;
}

/* ---- orders ---- */

static struct order *find(int64_t number)
{
	struct order *o = w.buckets[(uint64_t)number % BUCKETS];

	while (o && o->number != number)
		o = o->next;
	return o;
}

static void told(const struct order *o, const char *action)
{
	feed_note("Order", strcmp(action, "insert") ? "UPDATED" : "CREATED",
		  o->number, o->number);
	if (w.order_events)
		hooks_event("order", action, o->number, NULL);
}

static void told_warehouse(const struct order *o, const char *action,
			   int64_t id)
{
	cJSON *data = must(cJSON_CreateObject());

	json_add_int(data, "warehouseId", id);
	hooks_event("check_first", action, o->number, data);
}

static void lift_hold(struct order *o)
{
	if (!order_waits(o))
		return;
	o->hold_reason = NULL;
	if (w.autoconfirm && !strcmp(o->status, "PENDING"))
		o->status = "CONFIRMED";
	told(o, "update");
}

/* Ends what is still asked and, when told to, says so. */
static void end_asks(struct order *o, enum ask_state how, const char *action)
{
	for (size_t i = 0; i < o->n_asks; i++) {
		if (o->asks[i].state != ASKED)
			continue;
		o->asks[i].state = how;
		if (action)
			told_warehouse(o, action, o->asks[i].warehouse);
	}
}

static bool any_asked(const struct order *o)
{
	for (size_t i = 0; i < o->n_asks; i++)
		if (o->asks[i].state == ASKED)
			return true;
	return false;
}

/* Asks the warehouses that the spec names (default: every CHECK_FIRST one),
 * again those that were asked before.  An entry is an id, or
 * {"id","expires_in"} in seconds. */
static void ask(struct order *o, const cJSON *spec)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(spec,
							     "warehouses");
	int64_t seconds = json_int(spec, "expires_in", w.offer_ms / 1000);
	cJSON *data = must(cJSON_CreateObject()), *all = NULL, *a, *v;
	const cJSON *it;
	char t[CLOCK_TEXT];

	if (!cJSON_IsArray(list)) {
		list = all = must(cJSON_CreateArray());
		for (size_t i = 0; i < w.n_warehouses; i++)
			if (!strcmp(w.warehouses[i].policy, "CHECK_FIRST"))
				cJSON_AddItemToArray(
					all, cJSON_CreateNumber(
						     (double)w.warehouses[i].id));
	}
	a = cJSON_AddArrayToObject(data, "warehouses");
	cJSON_ArrayForEach(it, list)
	{
		int64_t id = cJSON_IsObject(it) ? json_int(it, "id", 0)
						: (int64_t)it->valuedouble;
		struct ask *q = order_ask(o, id);

		if (!q && o->n_asks == ASKS_MAX)
			continue;
		if (!q)
			q = &o->asks[o->n_asks++];
		q->warehouse = id;
		q->state = ASKED;
		/* Whole seconds, as expirationAt has no fraction. */
		q->expires = (clock_ms() + 999) / 1000 * 1000 +
			     json_int(it, "expires_in", seconds) * 1000;
		v = must(cJSON_CreateObject());
		cJSON_AddItemToArray(a, v);
		json_add_int(v, "warehouseId", id);
		cJSON_AddStringToObject(v, "expirationAt",
					clock_iso(t, q->expires));
	}
	cJSON_Delete(all);
	o->hold_reason = HOLD_CHECK_FIRST;
	if (json_flag(spec, "webhook", true))
		hooks_event("check_first", "create", o->number, data);
	else
		cJSON_Delete(data);
}

int64_t world_place(const cJSON *spec, const char **why)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(spec,
							     "warehouses");
	struct order *o = NULL, **bucket;
	int64_t number = 0;

	pthread_mutex_lock(&w.lock);
	number = json_int(spec, "number", w.next_number);
	if (find(number)) {
		*why = "that number is taken";
		number = 0;
		goto out;
	}
	if (number >= w.next_number)
		w.next_number = number + 1;
	o = order_new(spec, number, w.seed);
	reading_placed(o);
	bucket = &w.buckets[(uint64_t)number % BUCKETS];
	o->next = *bucket;
	*bucket = o;
	o->before = w.newest;
	w.newest = o;
	w.n_orders++;
	for (size_t i = 0; i < o->n_lines; i++)
		if (o->lines[i].sized)
			o->lines[i].item = stock_of_line(&o->lines[i]);
	order_allocate(o, DIRECT);
	if (json_flag(spec, "webhook", true))
		told(o, "insert");
	else
		feed_note("Order", "CREATED", o->number, o->number);
	if (cJSON_IsArray(list) ? cJSON_GetArraySize(list) > 0
				: !cJSON_HasObjectItem(spec, "requests"))
		ask(o, spec);
	else if (w.autoconfirm)
		o->status = "CONFIRMED";
	allocation_place(o, spec);
out:
	pthread_mutex_unlock(&w.lock);
	return number;
}

/* ---- what happens to an order ---- */

const char *world_cancel(int64_t number)
{
	struct order *o;

	pthread_mutex_lock(&w.lock);
	o = find(number);
	if (o) {
		reading_changes(o, warehouse_name);
		o->status = "CANCELLED";
		o->hold_reason = NULL;
		order_allocate(o, 0);
		end_asks(o, ASK_REJECTED,
			 w.auto_rejected ? "rejected" : NULL);
		allocation_end(o);
		told(o, "cancel");
	}
	pthread_mutex_unlock(&w.lock);
	return o ? NULL : "no such order";
}

const char *world_resume(int64_t number)
{
	const char *why = NULL;
	struct order *o;

	pthread_mutex_lock(&w.lock);
	o = find(number);
	if (!o || !order_waits(o)) {
		why = o ? "it does not wait" : "no such order";
	} else {
		reading_changes(o, warehouse_name);
		end_asks(o, ASK_REJECTED, "rejected");
		lift_hold(o);
	}
	pthread_mutex_unlock(&w.lock);
	return why;
}

const char *world_reoffer(int64_t number, const cJSON *spec)
{
	const char *why = NULL;
	struct order *o;

	pthread_mutex_lock(&w.lock);
	o = find(number);
	if (!o || !strcmp(o->status, "CANCELLED") || o->n_shipments) {
		why = o ? "it is cancelled or shipped" : "no such order";
	} else {
		reading_changes(o, warehouse_name);
		o->winner = 0;
		o->status = "PENDING";
		order_allocate(o, DIRECT);
		feed_note("Order", "UPDATED", number, number);
		ask(o, spec);
	}
	pthread_mutex_unlock(&w.lock);
	return why;
}

const char *world_allocate(int64_t number, const cJSON *spec)
{
	const char *hold = json_text(spec, "hold", NULL);
	int64_t line = json_int(spec, "line", 0);
	struct order *o;

	pthread_mutex_lock(&w.lock);
	o = find(number);
	for (size_t i = 0; o && i < o->n_lines; i++) {
		struct line *l = &o->lines[i];

		if (line && l->id != line)
			continue;
		l->warehouse = json_int(spec, "warehouse", l->warehouse);
		l->quantity = json_int(spec, "quantity", l->quantity);
		l->allocated = json_int(spec, "allocated", l->quantity);
		l->waiting = json_flag(spec, "waiting", false);
	}
	if (o && hold)
		o->hold_reason = !strcmp(hold, HOLD_CHECK_FIRST)
					 ? HOLD_CHECK_FIRST
				 : *hold ? "WAITING_FOR_PAYMENT"
					 : NULL;
	pthread_mutex_unlock(&w.lock);
	return o ? NULL : "no such order";
}

static void expire(struct order *o, int64_t now)
{
	for (size_t i = 0; i < o->n_asks; i++) {
		struct ask *q = &o->asks[i];

		if (q->state != ASKED || q->expires > now)
			continue;
		q->state = ASK_TIMED_OUT;
		told_warehouse(o, "timeout", q->warehouse);
	}
	if (order_waits(o) && !any_asked(o)) {
		reading_changes(o, warehouse_name);
		lift_hold(o);
	}
}

const char *world_expire(int64_t number)
{
	struct order *o;

	pthread_mutex_lock(&w.lock);
	o = find(number);
	if (o) {
		expire(o, INT64_MAX);
		allocation_expire(o, INT64_MAX);
	}
	pthread_mutex_unlock(&w.lock);
	return o ? NULL : "no such order";
}

void world_tick(void)
{
	int64_t now = clock_ms();

	pthread_mutex_lock(&w.lock);
	for (struct order *o = w.newest; o; o = o->before) {
		if (order_waits(o))
			expire(o, now);
		if (o->requests)
			allocation_expire(o, now);
	}
	pthread_mutex_unlock(&w.lock);
}

unsigned world_waiting_count(void)
{
	unsigned n = 0;

	pthread_mutex_lock(&w.lock);
	for (struct order *o = w.newest; o; o = o->before)
		n += order_waits(o);
	pthread_mutex_unlock(&w.lock);
	return n;
}

/* ---- answers ---- */

static const char *accept_first(struct order *o, struct ask *q)
{
	reading_changes(o, warehouse_name);
	q->state = ASK_ACCEPTED;
	o->winner = q->warehouse;
	o->accepts++;
	order_allocate(o, q->warehouse);
	reading_moved(o, DIRECT);
	told_warehouse(o, "accepted", q->warehouse);
	end_asks(o, ASK_REJECTED, w.auto_rejected ? "rejected" : NULL);
	allocation_end(o);
	lift_hold(o);
	if (reading_ships_itself())
		shipment_by_centra(o);
	return NULL;
}

static const char *reject_one(struct order *o, struct ask *q)
{
	reading_changes(o, warehouse_name);
	q->state = ASK_REJECTED;
	told_warehouse(o, "rejected", q->warehouse);
	if (!any_asked(o))
		lift_hold(o);
	return NULL;
}

const char *world_answer(int64_t number, int64_t warehouse, bool accepted)
{
	struct order *o;
	struct ask *q;
	const char *no;

	pthread_mutex_lock(&w.lock);
	o = find(number);
	q = o ? order_ask(o, warehouse) : NULL;
	if (!o)
		no = "order does not exist";
	else if (!q || !strcmp(o->status, "CANCELLED"))
		no = "failed to allocate stock";
	else if (q->state == ASK_TIMED_OUT ||
		 (q->state == ASKED && !w.late_accept &&
		  q->expires <= clock_ms()))
		no = "check first request has expired";
	else if (q->state != ASKED)
		no = "order is not waiting for check first";
	else if (!order_waits(o))
		no = "failed to allocate stock";
	else if (accepted)
		no = accept_first(o, q);
	else
		no = reject_one(o, q);
	pthread_mutex_unlock(&w.lock);
	return no;
}

void world_confirmed(struct order *o, bool all)
{
	reading_changes(o, warehouse_name);
	if (!all)
		return;
	end_asks(o, ASK_REJECTED, w.auto_rejected ? "rejected" : NULL);
	lift_hold(o);
}

/* ---- reading ---- */

static void add_reading(cJSON *list, struct order *o)
{
	order_settle(o);
	cJSON_AddItemToArray(list, reading_take(o, warehouse_name));
}

static cJSON *by_number(const cJSON *numbers, bool waiting, int64_t limit)
{
	cJSON *list = must(cJSON_CreateArray());
	const cJSON *v;

	cJSON_ArrayForEach(v, numbers)
	{
		struct order *o = find((int64_t)v->valuedouble);

		if (!o || (waiting && !reading_waits(o)) || limit-- <= 0)
			continue;
		add_reading(list, o);
	}
	return list;
}

static cJSON *newest_first(bool waiting, int64_t limit, int64_t skip)
{
	cJSON *list = must(cJSON_CreateArray());

	for (struct order *o = w.newest; o && limit > 0; o = o->before) {
		if ((waiting && !reading_waits(o)) || skip-- > 0)
			continue;
		add_reading(list, o);
		limit--;
	}
	return list;
}

cJSON *world_order_now(int64_t number)
{
	cJSON *list = must(cJSON_CreateArray());
	struct order *o;

	pthread_mutex_lock(&w.lock);
	o = find(number);
	if (o)
		cJSON_AddItemToArray(list,
				     order_graphql(o, false, warehouse_name));
	pthread_mutex_unlock(&w.lock);
	return list;
}

static int compare_numbers(const void *a, const void *b)
{
	const struct order *x = *(struct order *const *)a;
	const struct order *y = *(struct order *const *)b;

	return (x->number > y->number) - (x->number < y->number);
}

cJSON *world_orders_by_number(bool waiting, int64_t limit, int64_t page)
{
	cJSON *list = must(cJSON_CreateArray());
	struct order **all;
	size_t n = 0;

	pthread_mutex_lock(&w.lock);
	all = must(calloc(w.n_orders + 1, sizeof(*all)));
	for (struct order *o = w.newest; o; o = o->before)
		if (!waiting || reading_waits(o))
			all[n++] = o;
	qsort(all, n, sizeof(*all), compare_numbers);
	for (size_t i = (size_t)((page - 1) * limit); i < n && limit-- > 0;
	     i++)
		add_reading(list, all[i]);
	pthread_mutex_unlock(&w.lock);
	free(all);
	return list;
}

cJSON *world_orders(const cJSON *numbers, bool waiting, int64_t limit,
		    int64_t page)
{
	cJSON *list;

	pthread_mutex_lock(&w.lock);
	list = numbers ? by_number(numbers, waiting, page > 1 ? 0 : limit)
		       : newest_first(waiting, limit, (page - 1) * limit);
	pthread_mutex_unlock(&w.lock);
	return list;
}

cJSON *world_state(void)
{
	cJSON *v = must(cJSON_CreateObject()), *a;

	pthread_mutex_lock(&w.lock);
	json_add_int(v, "count", (int64_t)w.n_orders);
	a = cJSON_AddArrayToObject(v, "orders");
	for (struct order *o = w.newest; o; o = o->before) {
		order_settle(o);
		cJSON_AddItemToArray(a, order_state(o));
	}
	pthread_mutex_unlock(&w.lock);
	return v;
}

void world_each(void (*fn)(struct order *o, void *arg), void *arg)
{
	struct order **all;
	size_t n = 0;

	pthread_mutex_lock(&w.lock);
	all = must(calloc(w.n_orders + 1, sizeof(*all)));
	for (struct order *o = w.newest; o; o = o->before)
		all[n++] = o;
	qsort(all, n, sizeof(*all), compare_numbers);
	for (size_t i = 0; i < n; i++)
		fn(all[i], arg);
	pthread_mutex_unlock(&w.lock);
	free(all);
}

bool world_with(int64_t number, void (*fn)(struct order *o, void *arg),
		void *arg)
{
	struct order *o;

	pthread_mutex_lock(&w.lock);
	o = find(number);
	if (o) {
		order_settle(o);
		fn(o, arg);
	}
	pthread_mutex_unlock(&w.lock);
	return o != NULL;
}

bool world_with_shipment(int64_t id,
			 void (*fn)(struct order *o, struct shipment *s,
				    void *arg),
			 void *arg)
{
	bool found = false;

	pthread_mutex_lock(&w.lock);
	for (struct order *o = w.newest; o && !found; o = o->before)
		for (size_t i = 0; i < o->n_shipments && !found; i++) {
			found = o->shipments[i].id == id;
			if (!found)
				continue;
			order_settle(o);
			fn(o, &o->shipments[i], arg);
		}
	pthread_mutex_unlock(&w.lock);
	return found;
}

void world_locked(void (*fn)(void *arg), void *arg)
{
	pthread_mutex_lock(&w.lock);
	fn(arg);
	pthread_mutex_unlock(&w.lock);
}

struct order *world_newest(void)
{
	return w.newest;
}

struct order *world_find(int64_t number)
{
	return find(number);
}

size_t world_n_warehouses(void)
{
	return w.n_warehouses;
}

int64_t world_warehouse_id(size_t i)
{
	return w.warehouses[i].id;
}

const char *world_warehouse_name(int64_t id)
{
	return warehouse_name(id);
}

/* ---- beginning and end ---- */

void world_settings(const cJSON *spec)
{
	pthread_mutex_lock(&w.lock);
	w.autoconfirm = json_flag(spec, "autoconfirm", w.autoconfirm);
	w.auto_rejected = json_flag(spec, "auto_rejected", w.auto_rejected);
	w.late_accept = json_flag(spec, "late_accept", w.late_accept);
	w.order_events = json_flag(spec, "order_events", w.order_events);
	w.offer_ms = json_int(spec, "offer_seconds", w.offer_ms / 1000) * 1000;
	allocation_settings(spec);
	reading_settings(spec);
	pthread_mutex_unlock(&w.lock);
}

void world_reset(void)
{
	pthread_mutex_lock(&w.lock);
	while (w.newest) {
		struct order *o = w.newest;

		w.newest = o->before;
		order_free(o);
	}
	memset(w.buckets, 0, sizeof(w.buckets));
	stock_reset();
	reading_reset(w.seed);
	allocation_reset();
	w.n_orders = 0;
	w.next_number = 1001;
	w.autoconfirm = w.auto_rejected = w.order_events = true;
	w.late_accept = false;
	drop_warehouses();
	add_warehouse(1, "Central", "DIRECT", NULL);
	add_warehouse(2, "Stockholm", "CHECK_FIRST", "Stockholm, Biblioteksgatan");
	add_warehouse(3, "Amsterdam", "CHECK_FIRST", "Amsterdam, Kalverstraat");
	add_warehouse(4, "Berlin", "CHECK_FIRST", "Berlin, Mitte");
	pthread_mutex_unlock(&w.lock);
}

void world_init(unsigned seed, int64_t offer_seconds)
{
	w.seed = seed;
	w.offer_ms = offer_seconds * 1000;
	world_reset();
}
