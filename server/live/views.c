/* SPDX-License-Identifier: MIT
 *
 * views.c - the texts of events (screens.h), made once for each shop.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "server/live/live_private.h"
#include "server/shop/order_json.h"

#define EVENT_MAX ((size_t)32 << 20)
#define MISSED_BYTES ((size_t)512 << 10) /* bytes of events that one screen may
					  * have missed */

/* ---- changes, as a list ---- */

/* Adds a change to a list.  A `fn` of store_changes(). */
static bool add_change(void *arg, const struct changed *c)
{
	struct change_list *l = arg;

	/* Change numbers have no gaps, but the store drops old changes. */
	if (c->change > l->to)
		return false;
	if ((!l->n && c->change != l->after + 1) || l->n == l->most) {
		l->gap = true;
		return false;
	}
	if (l->n == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 64;
		l->list = xrealloc(l->list, l->cap, sizeof(*l->list));
	}
	l->list[l->n++] = *c;
	return true;
}

enum rc change_list_read(struct change_list *l, struct store *store,
			 struct err *e)
{
	enum rc rc;

	if (l->after == l->to)
		return OK;
	rc = store_changes(store, l->after, add_change, l, e);
	l->gap |= !rc && !l->n;
	return rc;
}

/* Compares by order; among changes of one order the latest comes first. */
static int by_order(const void *a, const void *b)
{
	const struct changed *x = a, *y = b;
	int d = strcmp(x->instance, y->instance);

	if (d)
		return d;
	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return (x->change < y->change) - (x->change > y->change);
}

static int by_change(const void *a, const void *b)
{
	const struct changed *x = a, *y = b;

	return (x->change > y->change) - (x->change < y->change);
}

void change_list_last(struct change_list *l)
{
	struct changed *list = l->list;
	size_t kept = 0;

	if (!l->n)
		return;
	qsort(list, l->n, sizeof(*list), by_order);
	for (size_t i = 0; i < l->n; i++)
		if (!kept || list[i].number != list[kept - 1].number ||
		    strcmp(list[i].instance, list[kept - 1].instance))
			list[kept++] = list[i];
	qsort(list, kept, sizeof(*list), by_change);
	l->n = kept;
}

void change_list_release(struct change_list *l)
{
	free(l->list);
	*l = (struct change_list){0};
}

/* ---- views ---- */

/* FNV-1a. */
static uint64_t hash(uint64_t h, const void *p, size_t n)
{
	const unsigned char *byte = p;

	while (n--)
		h = (h ^ *byte++) * 0x100000001b3U;
	return h;
}

void view_id(char ret[VIEW_SIZE], const struct store *store,
	     const struct config_shop *shop)
{
	uint64_t h = hash(0xcbf29ce484222325U, shop->centra,
			  strlen(shop->centra) + 1);

	for (size_t i = 0; i < shop->warehouses.n; i++)
		h = hash(h, &shop->warehouses.ids[i],
			 sizeof(shop->warehouses.ids[i]));
	snprintf(ret, VIEW_SIZE, "-%016" PRIx64 "-%016" PRIx64,
		 store_epoch(store), h);
}

void view_release(struct view *v)
{
	for (size_t i = 0; i < ORDERS_AT_ONCE; i++)
		free(v->sent[i].text);
}

/* ---- events ---- */

static void event_begin(struct buf *b, const char *name, const struct view *v,
			uint64_t change)
{
	buf_init(b, EVENT_MAX);
	buf_fmt(b, "id: %" PRIu64 "%s\nevent: %s\ndata: ", change, v->id, name);
}

static struct chunk *event_end(struct buf *b)
{
	buf_str(b, "\n\n");
	if (!buf_full(b))
		return chunk_make(b);
	buf_release(b);
	return NULL;
}

struct chunk *view_hello(const struct view *v, uint64_t seen, bool resync,
			 unsigned retry)
{
	struct buf b;

	event_begin(&b, "hello", v, seen);
	json_begin(&b, NULL);
	json_put_time(&b, "now", time_now(), 0, true);
	json_put_bool(&b, "resync", resync);
	json_end(&b);
	buf_fmt(&b, "\nretry: %u", retry);
	return event_end(&b);
}

/* Starts with an SSE comment, which keeps proxies from closing an idle
 * stream. */
struct chunk *view_beat(const struct view *v, uint64_t seen)
{
	struct buf b;

	event_begin(&b, "beat", v, seen);
	json_begin(&b, NULL);
	json_put_time(&b, "now", time_now(), 0, true);
	json_end(&b);
	buf_str(&b, "\n:");
	return event_end(&b);
}

static bool was_told(const struct view *v, int64_t number)
{
	for (unsigned i = 0; i < v->n_told && i < TOLD; i++)
		if (v->told[i] == number)
			return true;
	return false;
}

static void remember(struct view *v, int64_t number, uint64_t change,
		     const struct buf *b)
{
	struct sent *at = NULL;

	for (size_t i = 0; i < ORDERS_AT_ONCE && !at; i++)
		if (v->sent[i].text && v->sent[i].number == number)
			at = &v->sent[i];
	if (!at)
		at = &v->sent[v->n_sent++ % ORDERS_AT_ONCE];
	free(at->text);
	*at = (struct sent){.number = number,
			    .change = change,
			    .text = xmemdup(b->data, b->len),
			    .len = b->len};
}

static struct chunk *sent_before(const struct view *v, const struct changed *c)
{
	struct buf b;

	for (size_t i = 0; i < ORDERS_AT_ONCE; i++) {
		const struct sent *s = &v->sent[i];

		if (!s->text || s->number != c->number ||
		    s->change != c->change)
			continue;
		buf_init(&b, EVENT_MAX);
		if (!buf_add(&b, s->text, s->len))
			return chunk_make(&b);
		buf_release(&b);
	}
	return NULL;
}

static struct chunk *removed(const struct view *v, int64_t number,
			     uint64_t change)
{
	struct buf b;

	if (!was_told(v, number))
		return NULL;
	event_begin(&b, "removed", v, change);
	json_begin(&b, NULL);
	json_put_int(&b, "number", number);
	json_end(&b);
	return event_end(&b);
}

struct chunk *view_order(struct live *live, struct view *v,
			 const struct config_shop *shop, const struct order *o,
			 uint64_t change)
{
	struct err e = {""};
	struct buf b;
	enum rc rc;

	/* Most orders are not this shop's. */
	if (!o->first_seen || !order_is_for_shop(o, shop))
		return removed(v, o->number, change);
	event_begin(&b, "order", v, change);
	rc = order_json(&b, live->parts.store, live->parts.goods, shop, o, time_now(), false, &e);
	if (rc) {
		buf_release(&b);
		if (rc != RC_NOTFOUND)
			log_limited(6, LOG_ERROR,
				    "screens cannot be told of an order",
				    LOG_N("order", o->number),
				    LOG_S("error", e.text));
		return removed(v, o->number, change);
	}
	if (!was_told(v, o->number))
		v->told[v->n_told++ % TOLD] = o->number;
	buf_str(&b, "\n\n");
	if (buf_full(&b)) {
		buf_release(&b);
		return NULL;
	}
	remember(v, o->number, change, &b);
	COUNT(live->parts.counters, stream_events_total);
	return chunk_make(&b);
}

enum rc view_load(struct store *store, const struct changed *c,
		  struct order *ret)
{
	struct err e = {""};
	enum rc rc;

	order_init(ret, c->instance, c->number);
	rc = store_order(store, c->instance, c->number, ret, &e);
	if (rc == RC_NOTFOUND) {
		order_init(ret, c->instance, c->number);
		return OK;
	}
	if (rc)
		log_limited(6, LOG_ERROR, "screens cannot be told of an order",
			    LOG_N("order", c->number), LOG_S("error", e.text));
	return rc;
}

/* Returns the event of one missed change: as it was sent before, or made now;
 * NULL if the order is damaged. */
static enum rc missed(struct live *live, struct view *v,
		      const struct config_shop *shop, const struct changed *c,
		      struct chunk **ret)
{
	struct order o;
	enum rc rc;

	*ret = sent_before(v, c);
	if (*ret)
		return OK;
	rc = view_load(live->parts.store, c, &o);
	if (rc)
		return rc == RC_INVALID ? OK : rc;
	*ret = view_order(live, v, shop, &o, c->change);
	order_release(&o);
	return OK;
}

bool view_missed(struct live *live, struct view *v,
		 const struct config_shop *shop, const struct change_list *list,
		 struct chunk **ret, size_t *ret_n)
{
	size_t bytes = 0;

	*ret_n = 0;
	for (size_t i = 0; i < list->n; i++) {
		struct chunk *c = NULL;

		if (strcmp(list->list[i].instance, shop->centra) != 0)
			continue;
		if (*ret_n == ORDERS_AT_ONCE || bytes > MISSED_BYTES ||
		    missed(live, v, shop, &list->list[i], &c))
			return false;
		if (!c)
			continue;
		bytes += c->len;
		ret[(*ret_n)++] = c;
	}
	return bytes <= MISSED_BYTES;
}
