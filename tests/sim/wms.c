/* SPDX-License-Identifier: MIT */
#include "tests/sim/wms.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/sim/clock.h"
#include "tests/sim/feed.h"
#include "tests/sim/hooks.h"
#include "tests/sim/shipment.h"
#include "tests/sim/wms_json.h"
#include "tests/sim/world.h"

static atomic_bool in_progress_all = true; /* those that are good to go too */
static atomic_bool hold_orders;		   /* orders on hold are shown */
static atomic_bool pending_says_ok;	   /* a capture that is under way */

void wms_settings(const cJSON *spec)
{
	in_progress_all = json_flag(spec, "in_progress_all", in_progress_all);
	hold_orders = json_flag(spec, "hold_orders", hold_orders);
	pending_says_ok = json_flag(spec, "pending_says_ok", pending_says_ok);
}

void wms_reset(void)
{
	in_progress_all = true;
	hold_orders = pending_says_ok = false;
}

/* ---- which are asked for ---- */

/* "2026-02-04" or "2026-02-04 15:16:13" of Centra's zone, in ms. */
static int64_t time_asked(const struct exchange *x, const char *name,
			  int64_t otherwise)
{
	const char *s = x->query(x, name);
	struct tm tm = {.tm_isdst = -1};

	if (!s || (!strptime(s, "%Y-%m-%d %H:%M:%S", &tm) &&
		   !strptime(s, "%Y-%m-%d", &tm)))
		return otherwise;
	return (int64_t)mktime(&tm) * 1000;
}

/* What a list is asked for, and what it has so far. */
struct list {
	struct api_call *c;
	cJSON *rows;
	const char *status;
	int64_t order, newer, older, skip, left;
	const char *customer;
};

static struct list list_of(struct api_call *c, int64_t limit, int64_t most)
{
	const struct exchange *x = c->x;

	return (struct list){
		.c = c,
		.rows = must(cJSON_CreateArray()),
		.status = x->query(x, "status"),
		.order = api_number(x, "order", 0, 0, INT64_MAX),
		.newer = time_asked(x, "newer_than", INT64_MIN),
		.older = time_asked(x, "older_than", INT64_MAX),
		.skip = api_number(x, "offset", 0, 0, INT64_MAX),
		.left = api_number(x, "limit", limit, 1, most),
		.customer = x->query(x, "customer_id"),
	};
}

static bool is_cancelled(const struct order *o)
{
	return !strcmp(o->status, "CANCELLED");
}

static bool is_shown(const struct list *l, const struct order *o)
{
	return (!l->order || l->order == o->number) &&
	       (hold_orders || !order_on_hold(o));
}

static bool take_row(struct list *l, int64_t at)
{
	if (at < l->newer || at > l->older || l->left <= 0 || l->skip-- > 0)
		return false;
	l->left--;
	return true;
}

static int by_number(const void *a, const void *b)
{
	const struct order *x = *(struct order *const *)a;
	const struct order *y = *(struct order *const *)b;

	return (x->number > y->number) - (x->number < y->number);
}

/* Calls fn with each order, the oldest first. */
static void each_order(struct list *l,
		       void (*fn)(struct list *l, struct order *o))
{
	struct order **all = NULL, *o;
	size_t n = 0;

	for (o = world_newest(); o; o = o->before)
		n++;
	all = must(calloc(n + 1, sizeof(*all)));
	n = 0;
	for (o = world_newest(); o; o = o->before)
		if (is_shown(l, o))
			all[n++] = o;
	qsort(all, n, sizeof(*all), by_number);
	for (size_t i = 0; i < n; i++) {
		order_settle(all[i]);
		fn(l, all[i]);
	}
	free(all);
}

/* ---- GET /orders ---- */

static void add_order(struct list *l, struct order *o)
{
	if (l->customer &&
	    strtoll(l->customer, NULL, 10) != o->number + 500)
		return;
	if (take_row(l, o->placed))
		cJSON_AddItemToArray(l->rows, wms_order_json(o));
}

static void read_orders(void *arg)
{
	each_order(arg, add_order);
}

void wms_orders(struct api_call *c)
{
	struct list l = list_of(c, 20, INT64_MAX);
	cJSON *v = api_ok();

	world_locked(read_orders, &l);
	cJSON_AddItemToObject(v, "orders", l.rows);
	exchange_json(c->x, 200, v);
}

/* ---- GET /shipments ---- */

static bool has_status(const struct list *l, const struct shipment *s)
{
	if (!l->status || !strcmp(l->status, "goodtogo"))
		return s->good_to_go && !s->shipped;
	if (!strcmp(l->status, "inprogress"))
		return !s->shipped && (in_progress_all || !s->good_to_go);
	return s->shipped;
}

/* What was cancelled is nothing to pick: it is in none of the lists. */
static void add_shipments(struct list *l, struct order *o)
{
	for (size_t i = 0; i < o->n_shipments; i++) {
		const struct shipment *s = &o->shipments[i];

		if (has_status(l, s) && (s->shipped || !is_cancelled(o)) &&
		    take_row(l, s->created))
			cJSON_AddItemToArray(l->rows, wms_shipment_json(o, s));
	}
}

static void read_shipments(void *arg)
{
	each_order(arg, add_shipments);
}

static bool is_status(const char *s)
{
	return !s || !strcmp(s, "goodtogo") || !strcmp(s, "inprogress") ||
	       !strcmp(s, "completed");
}

void wms_shipments(struct api_call *c)
{
	const char *status = c->x->query(c->x, "status");
	bool all = !status || !strcmp(status, "goodtogo");
	struct list l = list_of(c, all ? INT64_MAX : 20, all ? INT64_MAX : 100);
	cJSON *v;

	if (!is_status(status)) {
		cJSON_Delete(l.rows);
		exchange_json(c->x, 200, api_no(c, "invalid status"));
		return;
	}
	v = api_ok();
	world_locked(read_shipments, &l);
	cJSON_AddItemToObject(v, "shipments", l.rows);
	exchange_json(c->x, 200, v);
}

/* ---- changes of a shipment ---- */

/* A change under way, and what it is answered with. */
struct change {
	struct api_call *c;
	const char *number; /* of the shipment */
	cJSON *reply;
	void (*act)(struct change *k, struct order *o, struct shipment *s);
};

static bool flag(const cJSON *in, const char *key, bool otherwise)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(in, key);

	return cJSON_IsNumber(v) ? v->valuedouble != 0
	       : cJSON_IsString(v) ? !strcmp(v->valuestring, "1") ||
					     !strcmp(v->valuestring, "true")
				   : json_flag(in, key, otherwise);
}

static void refuse(struct change *k, const char *msg)
{
	k->reply = api_no(k->c, msg);
	cJSON_AddStringToObject(k->reply, "shipment", k->number);
}

/* {"status":"ok","order":1001,"shipment":"1001-1"} */
static void agree(struct change *k, const struct order *o)
{
	k->reply = api_ok();
	json_add_int(k->reply, "order", o->number);
	cJSON_AddStringToObject(k->reply, "shipment", k->number);
}

static void no_money(struct change *k, const struct order *o)
{
	k->reply = api_no(k->c, "capture failed");
	json_add_int(k->reply, "order", o->number);
	cJSON_AddStringToObject(k->reply, "shipment", k->number);
}

static void with_shipment(void *arg)
{
	struct change *k = arg;
	struct order *o = world_find(strtoll(k->number, NULL, 10));
	struct shipment *s = o ? order_shipment(o, k->number) : NULL;

	if (!s || is_cancelled(o)) {
		refuse(k, "shipment does not exist");
		return;
	}
	order_settle(o);
	k->act(k, o, s);
}

static void change(struct api_call *c, const char *number,
		   void (*act)(struct change *k, struct order *o,
			       struct shipment *s))
{
	struct change k = {.c = c, .number = number, .act = act};

	world_locked(with_shipment, &k);
	exchange_json(c->x, 200, k.reply);
}

static void changed(const struct order *o, const struct shipment *s,
		    const char *action)
{
	feed_note("Shipment", strcmp(action, "delete") ? "UPDATED" : "DELETED",
		  s->id, o->number);
	hooks_event("order", "update", o->number, NULL);
	hooks_event("shipment", action, s->id, NULL);
}

static void go(const struct order *o, struct shipment *s, bool good)
{
	bool was = s->good_to_go;

	s->good_to_go = good;
	shipment_note_early(s);
	if (good && !was)
		changed(o, s, "good_to_go");
}

/* ---- PUT /shipments/1001-1 ---- */

/* NULL: it may be edited. */
static const char *closed(const struct shipment *s)
{
	return s->shipped    ? "shipment is sent and can not be updated"
	       : s->captured ? "shipment is captured and can not be updated"
	       : s->paid     ? "shipment is paid and can not be updated"
			     : NULL;
}

static const cJSON *quantity_in(const cJSON *v)
{
	return cJSON_IsObject(v) ? cJSON_GetObjectItemCaseSensitive(v, "qty")
				 : v;
}

static int64_t whole(const cJSON *v)
{
	const char *s = cJSON_GetStringValue(v);

	return s	      ? strtoll(s, NULL, 10)
	       : json_is_int(v) ? (int64_t)v->valuedouble
				: -1;
}

static size_t line_in(const struct shipment *s, int64_t line)
{
	size_t i = 0;

	while (i < s->n_lines && s->lines[i].line != line)
		i++;
	return i;
}

static const struct line *line_of(const struct order *o, int64_t id)
{
	for (size_t i = 0; i < o->n_lines; i++)
		if (o->lines[i].id == id)
			return &o->lines[i];
	return NULL;
}

/* What is wrong with one row of "products"; NULL: nothing. */
static const char *wrong_row(const struct order *o, const struct shipment *s,
			     const cJSON *v)
{
	int64_t id = strtoll(v->string, NULL, 10);
	int64_t n = whole(quantity_in(v));
	size_t i = line_in(s, id);
	const struct line *l = line_of(o, id);

	if (i == s->n_lines || !l)
		return "line does not exist in the shipment";
	if (n < 0 || n > s->lines[i].quantity + shipment_line_left(o, l))
		return "invalid quantity";
	return NULL;
}

static void set_row(struct shipment *s, const cJSON *v)
{
	size_t i = line_in(s, strtoll(v->string, NULL, 10));
	const char *serial = json_text(v, "serialNumber", NULL);

	s->lines[i].quantity = whole(quantity_in(v));
	if (!serial)
		return;
	if (!s->serials)
		s->serials = must(cJSON_CreateObject());
	cJSON_DeleteItemFromObjectCaseSensitive(s->serials, v->string);
	cJSON_AddStringToObject(s->serials, v->string, serial);
}

static void drop_empty_lines(struct shipment *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_lines; i++)
		if (s->lines[i].quantity > 0)
			s->lines[n++] = s->lines[i];
	s->n_lines = n;
}

static void update(struct change *k, struct order *o, struct shipment *s)
{
	const cJSON *rows = cJSON_GetObjectItemCaseSensitive(k->c->in,
							     "products");
	const char *why = closed(s);
	const cJSON *v;

	cJSON_ArrayForEach(v, rows)
		why = why ? why : wrong_row(o, s, v);
	if (why) {
		refuse(k, why);
		return;
	}
	cJSON_ArrayForEach(v, rows)
		set_row(s, v);
	drop_empty_lines(s);
	s->updates += rows != NULL;
	if (rows)
		changed(o, s, "update");
	go(o, s, flag(k->c->in, "gtg", s->good_to_go));
	k->reply = api_ok();
	cJSON_AddItemToObject(k->reply, "shipment", wms_shipment_json(o, s));
}

void wms_update(struct api_call *c)
{
	change(c, c->rest, update);
}

/* ---- DELETE /shipments/1001-1 ---- */

static void delete_it(struct change *k, struct order *o, struct shipment *s)
{
	size_t i = (size_t)(s - o->shipments);

	if (s->captured || s->shipped) {
		refuse(k, "shipment has invoices or creditnotes and could "
			  "not be deleted.");
		return;
	}
	agree(k, o);
	cJSON_AddStringToObject(k->reply, "msg", "shipment removed");
	changed(o, s, "delete");
	shipment_free(s);
	for (o->n_shipments--; i < o->n_shipments; i++)
		o->shipments[i] = o->shipments[i + 1];
	memset(&o->shipments[o->n_shipments], 0, sizeof(*s));
	if (!o->n_shipments)
		o->status = "CONFIRMED";
}

void wms_delete(struct api_call *c)
{
	change(c, c->rest, delete_it);
}

/* ---- PUT /capture ---- */

/* False: it is not paid, and the answer is given. */
static bool captured(struct change *k, struct order *o, struct shipment *s)
{
	const char *payment = "PENDING";

	if (s->captured || s->paid)
		return true;
	if (!s->capture_pending && !shipment_take_money(s, &payment)) {
		no_money(k, o);
		return false;
	}
	if (s->capture_pending && !pending_says_ok) {
		no_money(k, o);
		return false;
	}
	feed_note("Shipment", "UPDATED", s->id, o->number);
	return true;
}

static void capture(struct change *k, struct order *o, struct shipment *s)
{
	if (captured(k, o, s))
		agree(k, o);
}

void wms_capture(struct api_call *c)
{
	change(c, json_text(c->in, "shipment", ""), capture);
}

/* ---- PUT /shipment ---- */

static void take_info(struct shipment *s, const cJSON *in)
{
	shipment_text(&s->carrier, in, "carrier");
	shipment_text(&s->service, in, "service");
	shipment_text(&s->tracking, in, "tracking");
	s->packages = json_int(in, "packages", s->packages);
}

/* Paid, good to go and told shipped: then it is complete. */
static void complete_if_ready(struct order *o, struct shipment *s)
{
	if (!s->shipped && s->told_shipped && s->good_to_go &&
	    (s->paid || s->captured))
		shipment_done(o, s);
}

static void complete(struct change *k, struct order *o, struct shipment *s)
{
	const cJSON *in = k->c->in;

	if (s->shipped) {
		refuse(k, "shipment is sent and can not be updated");
		return;
	}
	if (flag(in, "capture", true) && !captured(k, o, s))
		return;
	take_info(s, in);
	s->told_shipped = flag(in, "shipped", s->told_shipped);
	go(o, s, flag(in, "gtg", s->good_to_go));
	complete_if_ready(o, s);
	agree(k, o);
}

void wms_complete(struct api_call *c)
{
	change(c, json_text(c->in, "shipment", ""), complete);
}

/* ---- POST /shipments ---- */

/* The input of a createShipment for the same lines. */
static cJSON *input_of(const cJSON *in)
{
	cJSON *v = must(cJSON_CreateObject()), *a, *c;
	const cJSON *rows = cJSON_GetObjectItemCaseSensitive(in, "products");
	const cJSON *row;

	cJSON_AddBoolToObject(v, "isGoodToGo", flag(in, "gtg", false));
	cJSON_AddBoolToObject(v, "capture", flag(in, "capture", true));
	a = cJSON_AddArrayToObject(v, "lines");
	cJSON_ArrayForEach(row, rows)
	{
		c = must(cJSON_CreateObject());
		cJSON_AddItemToArray(a, c);
		json_add_int(c, "quantity", whole(quantity_in(row)));
		json_add_int(cJSON_AddObjectToObject(c, "orderLine"), "id",
			     strtoll(row->string, NULL, 10));
	}
	return v;
}

static void refuse_order(struct change *k, const char *msg)
{
	char number[24];

	snprintf(number, sizeof(number), "%lld",
		 (long long)k->c->seen.order);
	k->reply = api_no(k->c, msg);
	cJSON_AddStringToObject(k->reply, "order", number);
}

/* With a capture that fails nothing is made (of GraphQL the reverse is so). */
static void create(void *arg)
{
	struct change *k = arg;
	const cJSON *in = k->c->in;
	struct order *o = world_find(k->c->seen.order);
	struct shipment *s = NULL;
	cJSON *input = input_of(in);
	const char *why = NULL;

	if (!o || (order_on_hold(o) && !hold_orders))
		why = "order does not exist";
	else if (flag(in, "capture", true) && shipment_capture_fails())
		why = "can not capture order";
	else
		why = shipment_create(o, input, &s);
	if (why) {
		refuse_order(k, why);
		goto out;
	}
	if (flag(in, "shipped", false)) {
		take_info(s, in);
		s->told_shipped = true;
	}
	complete_if_ready(o, s);
	k->number = s->number;
	agree(k, o);
out:
	cJSON_Delete(input);
}

void wms_create(struct api_call *c)
{
	struct change k = {.c = c, .number = ""};

	world_locked(create, &k);
	exchange_json(c->x, 200, k.reply);
}
