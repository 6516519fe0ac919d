/* SPDX-License-Identifier: MIT */
#include "tests/sim/allocation.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/sim/clock.h"
#include "tests/sim/hooks.h"
#include "tests/sim/world.h"

#define PAGE 100 /* entries of a page */

enum status {
	TO_COME, /* of a later priority: Centra shows nothing of it */
	ALLOCATED,
	SENT,
	FAILED,
	TIMED_OUT,
	CONFIRMED,
	REJECTED,
	OUTDATED,
};

static const char *const words[] = {
	"",	     "allocated", "sent",     "failed",
	"timed-out", "confirmed", "rejected", "outdated",
};

struct request {
	int64_t id;
	int64_t warehouse, priority;
	enum status status;
	int64_t created, expires, expires_in; /* ms */
	bool webhook, lines[LINES_MAX];	      /* which lines, by their index */
	struct request *next;
};

static struct {
	bool tell_timed_out, tell_outdated;
	bool late_stock; /* what timed out still has its stock */
	bool lines_list; /* a webhook's lines are a list */
	int64_t zone_type;
	char webhook_id[16]; /* request, order, other */
	char refusal[200];   /* the text of each refused confirmation; "" */
	int64_t next_id;
} a;

/* ---- webhooks ---- */

static cJSON *line_json(const struct order *o, size_t i)
{
	cJSON *v = must(cJSON_CreateObject());

	json_add_int(v, "lineId", o->lines[i].id);
	json_add_int(v, "quantity", o->lines[i].quantity);
	json_add_int(v, "stockItemId", 10 + (int64_t)i);
	return v;
}

static void add_lines(const struct order *o, const struct request *r, cJSON *to,
		      bool list)
{
	cJSON *lines = list ? cJSON_AddArrayToObject(to, "lines")
			    : cJSON_AddObjectToObject(to, "lines");
	char key[24];

	for (size_t i = 0; i < o->n_lines; i++) {
		if (!r->lines[i])
			continue;
		snprintf(key, sizeof(key), "%lld", (long long)o->lines[i].id);
		if (list)
			cJSON_AddItemToArray(lines, line_json(o, i));
		else
			cJSON_AddItemToObject(lines, key, line_json(o, i));
	}
}

static void add_order(const struct order *o, cJSON *to)
{
	cJSON *v = cJSON_AddObjectToObject(to, "order");

	cJSON_AddStringToObject(v, "id", o->id);
	json_add_int(v, "number", o->number);
}

/* A DateTime as PHP serialises it, with one of its three kinds of zones. */
static void add_expiry(const struct request *r, cJSON *to)
{
	cJSON *v = cJSON_AddObjectToObject(to, "expirationDate");
	time_t s = (time_t)(r->expires / 1000);
	char text[64], zone[16];
	struct tm tm;

	localtime_r(&s, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S.384563", &tm);
	cJSON_AddStringToObject(v, "date", text);
	json_add_int(v, "timezone_type", a.zone_type);
	strftime(zone, sizeof(zone), a.zone_type == 2 ? "%Z" : "%z", &tm);
	if (a.zone_type == 1) { /* +0100 as +01:00 */
		memmove(zone + 4, zone + 3, 3);
		zone[3] = ':';
	}
	cJSON_AddStringToObject(v, "timezone",
				a.zone_type == 3 ? "Europe/Stockholm" : zone);
}

static int64_t id_told(const struct order *o, const struct request *r)
{
	if (!strcmp(a.webhook_id, "request"))
		return r->id;
	return !strcmp(a.webhook_id, "order") ? o->number
					      : 2131231241000 + r->id * 7;
}

static void tell(const struct order *o, const struct request *r,
		 const char *action)
{
	cJSON *data = must(cJSON_CreateObject());

	cJSON_AddStringToObject(data, "status", words[r->status]);
	json_add_int(data, "warehouseId", r->warehouse);
	add_expiry(r, data);
	add_order(o, data);
	add_lines(o, r, data, a.lines_list);
	hooks_event("allocation_request", action, id_told(o, r), data);
}

/* ---- the flow ---- */

static bool is_open(const struct request *r)
{
	return r->status >= ALLOCATED && r->status <= FAILED;
}

static bool may_be_confirmed(const struct request *r)
{
	return r->status >= ALLOCATED && r->status <= TIMED_OUT;
}

static void hold_lines(struct order *o, const struct request *r,
		       int64_t warehouse, bool waiting)
{
	for (size_t i = 0; i < o->n_lines; i++) {
		struct line *l = &o->lines[i];

		if (!r->lines[i] || !l->stock)
			continue;
		l->warehouse = warehouse;
		l->allocated = warehouse ? l->quantity : 0;
		l->waiting = warehouse && waiting;
	}
}

/* Releases the lines of a request that ended; those that share them hold them
 * still. */
static void release_lines(struct order *o, const struct request *r)
{
	hold_lines(o, r, 0, false);
	for (const struct request *x = o->requests; x; x = x->next)
		if (x != r && (is_open(x) || x->status == CONFIRMED))
			hold_lines(o, x, x->warehouse, x->status != CONFIRMED);
}

static void open_one(struct order *o, struct request *r)
{
	r->status = ALLOCATED;
	r->created = clock_ms();
	r->expires = (r->created + 999) / 1000 * 1000 + r->expires_in;
	hold_lines(o, r, r->warehouse, true);
	if (r->webhook)
		tell(o, r, "create");
	r->status = r->webhook ? SENT : FAILED;
}

static int64_t next_priority(const struct order *o)
{
	int64_t least = INT64_MAX;

	for (const struct request *r = o->requests; r; r = r->next)
		if (r->status == TO_COME && r->priority < least)
			least = r->priority;
	return least;
}

/* Asks the next priority when nothing of those before is open. */
static void go_on(struct order *o)
{
	int64_t next = next_priority(o);

	for (const struct request *r = o->requests; r; r = r->next)
		if (is_open(r) || r->status == CONFIRMED)
			return;
	for (struct request *r = o->requests; r; r = r->next)
		if (r->status == TO_COME && r->priority == next)
			open_one(o, r);
}

static void outdate(struct order *o, struct request *r)
{
	bool told = r->status != TO_COME;

	r->status = OUTDATED;
	if (told && a.tell_outdated)
		tell(o, r, "update");
}

static bool share_a_line(const struct request *x, const struct request *y)
{
	for (size_t i = 0; i < LINES_MAX; i++)
		if (x->lines[i] && y->lines[i])
			return true;
	return false;
}

void allocation_end(struct order *o)
{
	for (struct request *r = o->requests; r; r = r->next)
		if (r->status <= TIMED_OUT)
			outdate(o, r);
}

void allocation_expire(struct order *o, int64_t now)
{
	bool any = false;

	for (struct request *r = o->requests; r; r = r->next) {
		if (!is_open(r) || r->expires > now)
			continue;
		r->status = TIMED_OUT;
		release_lines(o, r);
		any = true;
		if (a.tell_timed_out)
			tell(o, r, "update");
	}
	if (any)
		go_on(o);
}

static void read_lines(const struct order *o, const cJSON *spec,
		       struct request *r)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(spec, "lines"), *v;

	for (size_t i = 0; i < o->n_lines; i++)
		r->lines[i] = !list && o->lines[i].stock;
	cJSON_ArrayForEach(v, list)
	{
		if (v->valueint >= 0 && (size_t)v->valueint < o->n_lines)
			r->lines[v->valueint] = true;
	}
}

void allocation_place(struct order *o, const cJSON *spec)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(spec, "requests");
	int64_t seconds = json_int(spec, "expires_in", 600);
	struct request **end = &o->requests;
	const cJSON *v;

	cJSON_ArrayForEach(v, list)
	{
		struct request *r = must(calloc(1, sizeof(*r)));

		while (*end)
			end = &(*end)->next;
		*end = r;
		r->id = a.next_id++;
		r->warehouse = json_int(v, "warehouse", 0);
		r->priority = json_int(v, "priority", 1);
		r->expires_in = json_int(v, "expires_in", seconds) * 1000;
		r->webhook = json_flag(v, "webhook",
				       json_flag(spec, "webhook", true));
		read_lines(o, v, r);
	}
	if (list)
		go_on(o);
}

struct asked {
	const cJSON *spec;
};

static void ask_more(struct order *o, void *arg)
{
	const struct asked *w = arg;
	struct request *last = o->requests;

	while (last && last->next)
		last = last->next;
	allocation_place(o, w->spec);
	for (last = last ? last->next : o->requests; last; last = last->next)
		if (last->status == TO_COME)
			open_one(o, last);
}

const char *allocation_ask(int64_t number, const cJSON *spec)
{
	struct asked w = {spec};

	return world_with(number, ask_more, &w) ? NULL : "no such order";
}

static void end_it(struct order *o, void *arg)
{
	(void)arg;
	allocation_end(o);
}

const char *allocation_outdate(int64_t number)
{
	return world_with(number, end_it, NULL) ? NULL : "no such order";
}

/* ---- answers ---- */

static bool holds_all(const struct order *o, const struct request *r)
{
	for (size_t i = 0; i < o->n_lines; i++)
		if (o->lines[i].stock && !r->lines[i])
			return false;
	return true;
}

static const char *confirm(struct order *o, struct request *r)
{
	if (*a.refusal)
		return a.refusal;
	if (r->status == TIMED_OUT && !a.late_stock)
		return "Warehouse doesn't have sufficient stock to allocate "
		       "the request.";
	r->status = CONFIRMED;
	o->winner = r->warehouse;
	o->accepts++;
	hold_lines(o, r, r->warehouse, false);
	for (struct request *other = o->requests; other; other = other->next)
		if (other != r && other->status <= TIMED_OUT &&
		    share_a_line(r, other))
			outdate(o, other);
	world_confirmed(o, holds_all(o, r));
	return NULL;
}

/* The rules' answer; NULL: done. */
static const char *answer(struct order *o, struct request *r, bool confirmed)
{
	static char words_of[80];

	if (!may_be_confirmed(r)) {
		snprintf(words_of, sizeof(words_of),
			 "You can't update allocation request, which is in "
			 "status %s.",
			 words[r->status]);
		return words_of;
	}
	if (confirmed)
		return confirm(o, r);
	r->status = REJECTED;
	release_lines(o, r);
	go_on(o);
	return NULL;
}

/* ---- the endpoints ---- */

struct put {
	int64_t id;
	const char *status;
	bool confirmed, found, act;
	int64_t order, warehouse;
	const char *msg;
};

static void find_or_act(struct order *o, void *arg)
{
	struct put *p = arg;

	for (struct request *r = o->requests; r && !p->found; r = r->next) {
		if (r->id != p->id || r->status == TO_COME)
			continue;
		p->found = true;
		p->order = o->number;
		p->warehouse = r->warehouse;
		if (p->act)
			p->msg = answer(o, r, p->confirmed);
	}
}

static void put_reply(struct exchange *x, const char *msg, bool field)
{
	cJSON *v = must(cJSON_CreateObject()), *list;

	cJSON_AddBoolToObject(v, "success", !msg);
	if (field) {
		list = cJSON_AddObjectToObject(v, "errorMessages");
		cJSON_AddStringToObject(list, "status", msg);
	} else {
		list = cJSON_AddArrayToObject(v, "errorMessages");
		if (msg)
			cJSON_AddItemToArray(list, cJSON_CreateString(msg));
	}
	exchange_json(x, 200, v);
}

int64_t allocation_order(int64_t id)
{
	struct put p = {.id = id};

	if (id)
		world_each(find_or_act, &p);
	return p.order;
}

void allocation_put(struct api_call *c)
{
	struct put p = {.id = json_int(c->in, "id", 0),
			.status = json_text(c->in, "status", ""),
			.act = true};
	bool known = !strcmp(p.status, "confirmed") ||
		     !strcmp(p.status, "rejected");

	p.confirmed = !strcmp(p.status, "confirmed");
	if (!known)
		p.msg = "invalid value, expected 'confirmed' or 'rejected'";
	else
		world_each(find_or_act, &p);
	if (known && !p.found)
		p.msg = "Allocation request not found";
	c->seen.warehouse = p.warehouse;
	c->seen.accepted = p.confirmed;
	c->seen.msg = p.msg;
	c->seen.result = p.msg ? "no" : "ok";
	put_reply(c->x, p.msg, !known);
}

/* ---- the list ---- */

struct list {
	const char *status, *order, *warehouse; /* or NULL */
	int64_t page, skip;
	cJSON *to;
};

static bool names(const char *list, const char *word)
{
	size_t n = strlen(word), len;

	for (; list && *list; list += len + (list[len] == ',')) {
		len = strcspn(list, ",");
		if (len == n && !strncmp(list, word, n))
			return true;
	}
	return false;
}

static bool names_number(const char *list, int64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)n);
	return !list || names(list, text);
}

static bool wanted(const struct list *l, const struct order *o,
		   const struct request *r)
{
	bool by_status = !l->status || !*l->status ? may_be_confirmed(r)
			 : !strcmp(l->status, "all")
				 ? r->status != TO_COME
				 : names(l->status, words[r->status]);

	return r->status != TO_COME && by_status &&
	       names_number(l->order, o->number) &&
	       names_number(l->warehouse, r->warehouse);
}

static void add_row(const struct order *o, const struct request *r, cJSON *to)
{
	cJSON *v = must(cJSON_CreateObject());
	char t[CLOCK_TEXT];

	cJSON_AddItemToArray(to, v);
	json_add_int(v, "id", r->id);
	cJSON_AddStringToObject(v, "status", words[r->status]);
	json_add_int(v, "warehouseId", r->warehouse);
	cJSON_AddStringToObject(v, "warehouseName", "Store");
	cJSON_AddStringToObject(v, "expirationDate", clock_iso(t, r->expires));
	add_order(o, v);
	add_lines(o, r, v, true);
	cJSON_AddStringToObject(v, "createdAt", clock_iso(t, r->created));
}

static void list_order(struct order *o, void *arg)
{
	struct list *l = arg;

	for (const struct request *r = o->requests; r; r = r->next)
		if (wanted(l, o, r) && l->skip-- <= 0 &&
		    cJSON_GetArraySize(l->to) < PAGE)
			add_row(o, r, l->to);
}

/* The first word of the list that is no status; false: all are. */
static bool unknown_status(const char *list)
{
	bool known = !list || !*list || !strcmp(list, "all");
	size_t len;
	char word[16];

	for (; !known && *list; list += len + (list[len] == ',')) {
		bool one = false;

		len = strcspn(list, ",");
		snprintf(word, sizeof(word), "%.*s", (int)len, list);
		for (size_t i = ALLOCATED; i <= OUTDATED; i++)
			one |= !strcmp(word, words[i]);
		if (!one)
			return true;
	}
	return false;
}

static void list_reply(struct exchange *x, struct list *l)
{
	cJSON *v = must(cJSON_CreateObject()), *e;

	if (unknown_status(l->status)) {
		cJSON_AddStringToObject(v, "status", "no");
		e = cJSON_AddObjectToObject(v, "errorMessages");
		cJSON_AddStringToObject(
			e, "status",
			"Expected \"status\" to be a single or a "
			"comma-separated list of request statuses, or \"all\"");
		exchange_json(x, 200, v);
		return;
	}
	cJSON_AddStringToObject(v, "status", "ok");
	l->to = cJSON_AddArrayToObject(v, "allocation_requests");
	l->skip = (l->page - 1) * PAGE;
	world_each(list_order, l);
	exchange_json(x, 200, v);
}

void allocation_list(struct api_call *c)
{
	struct exchange *x = c->x;
	struct list l = {.status = x->query(x, "status"),
			 .order = x->query(x, "order"),
			 .warehouse = x->query(x, "warehouse"),
			 .page = api_number(x, "page", 1, 1, INT64_MAX)};

	list_reply(x, &l);
}

/* ---- state and settings ---- */

void allocation_state(const struct order *o, cJSON *to)
{
	cJSON *list = cJSON_AddArrayToObject(to, "requests"), *v;

	for (const struct request *r = o->requests; r; r = r->next) {
		v = must(cJSON_CreateObject());
		cJSON_AddItemToArray(list, v);
		json_add_int(v, "id", r->id);
		json_add_int(v, "warehouse", r->warehouse);
		cJSON_AddStringToObject(v, "status", words[r->status]);
	}
}

void allocation_free(struct order *o)
{
	while (o->requests) {
		struct request *r = o->requests;

		o->requests = r->next;
		free(r);
	}
}

void allocation_settings(const cJSON *spec)
{
	a.tell_timed_out = json_flag(spec, "timed_out_webhooks",
				     a.tell_timed_out);
	a.tell_outdated = json_flag(spec, "outdated_webhooks",
				    a.tell_outdated);
	a.late_stock = json_flag(spec, "late_stock", a.late_stock);
	a.lines_list = json_flag(spec, "request_lines_list", a.lines_list);
	a.zone_type = json_int(spec, "timezone_type", a.zone_type);
	snprintf(a.webhook_id, sizeof(a.webhook_id), "%.15s",
		 json_text(spec, "request_webhook_id",
			   *a.webhook_id ? a.webhook_id : "other"));
	if (json_text(spec, "refuse_request", NULL))
		snprintf(a.refusal, sizeof(a.refusal), "%s",
			 json_text(spec, "refuse_request", ""));
}

void allocation_reset(void)
{
	memset(&a, 0, sizeof(a));
	a.tell_outdated = a.late_stock = true;
	a.zone_type = 3;
	a.next_id = 1141;
	snprintf(a.webhook_id, sizeof(a.webhook_id), "other");
}
