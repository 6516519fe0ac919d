/* SPDX-License-Identifier: MIT
 *
 * screens.c - see screens.h.
 */
#include "server/live/screens.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "handlers/offer.h"
#include "server/app.h"
#include "server/access/auth.h"
#include "server/http/send_queue.h"
#include "server/live/changes.h"
#include "server/shop/order_json.h"

#define EVENT_MAX      ((size_t)32 << 20)
#define BATCH_MAX      10000 /* orders changed at once; of more all is read */
#define RESUME_CHANGES 5000  /* looked through for one screen that is back */
#define ORDERS_AT_ONCE 128 /* told one by one; of more all is read */
#define RETRY_MS       1000 /* at least, before a browser comes back */
#define RETRY_SPREAD   2000 /* lest all come back at once */
#define TOLD	       512  /* orders remembered of a shop */
#define UNWATCHED_MAX  10000
#define VIEW_SIZE      40   /* "-EPOCH-HASH", both of 16 hex digits */

/* A shop with screens. */
struct group {
	char shop[SHOP_SIZE];
	char view[VIEW_SIZE]; /* what its screens were told by: view_of() */
	struct screen *screens;
	unsigned listening; /* of those, with ?screen=1 */
	int64_t told[TOLD]; /* the last orders: only of those is `removed` said */
	unsigned n_told;    /* ever */
	struct group *next;
};

struct screen {
	struct request *req; /* borrowed: the screen ends with it */
	struct streams *streams;
	struct group *group;
	bool listening;
	int64_t beat_due;
	struct screen *prev, *next;
};

struct streams {
	struct app *app;
	struct group *groups;
	size_t n;
	struct changed *batch; /* owned */
	size_t n_batch, cap;
	bool lost; /* more changed than is told one by one */
	uint64_t revocations;
};

/* ---- views ---- */

/* FNV-1a. */
static uint64_t hash(uint64_t h, const void *p, size_t n)
{
	const unsigned char *byte = p;

	while (n--)
		h = (h ^ *byte++) * 0x100000001b3U;
	return h;
}

/* The second half of an event's id: the store's epoch, and which orders the
 * shop sees.  A change number tells where to go on only where both are equal. */
static void view_of(char ret[VIEW_SIZE], const struct store *store,
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

/* ---- events ---- */

static void event_begin(struct buf *b, const char *name, const struct group *g,
			uint64_t change)
{
	buf_init(b, EVENT_MAX);
	buf_fmt(b, "id: %" PRIu64 "%s\nevent: %s\ndata: ", change, g->view,
		name);
}

/* NULL: it does not fit. */
static struct chunk *event_end(struct buf *b)
{
	buf_str(b, "\n\n");
	if (!buf_full(b))
		return chunk_make(b);
	buf_release(b);
	return NULL;
}

static struct chunk *hello_event(const struct group *g, uint64_t seen,
				 bool resync)
{
	static unsigned spread;
	char iso[TIME_ISO_SIZE];
	struct buf b;

	spread = (spread + 611) % RETRY_SPREAD;
	event_begin(&b, "hello", g, seen);
	buf_fmt(&b, "{\"now\":\"%s\",\"resync\":%s}\nretry: %u",
		time_iso(iso, time_now(), 0, true), resync ? "true" : "false",
		RETRY_MS + spread);
	return event_end(&b);
}

/* The comment keeps proxies awake that look for one. */
static struct chunk *beat_event(const struct group *g, uint64_t seen)
{
	char iso[TIME_ISO_SIZE];
	struct buf b;

	event_begin(&b, "beat", g, seen);
	buf_fmt(&b, "{\"now\":\"%s\"}\n:", time_iso(iso, time_now(), 0, true));
	return event_end(&b);
}

static bool was_told(const struct group *g, int64_t number)
{
	for (unsigned i = 0; i < g->n_told && i < TOLD; i++)
		if (g->told[i] == number)
			return true;
	return false;
}

/* What a shop is told of an order; NULL: nothing.  An order that it was not told
 * of is none of its business, its number included. */
static struct chunk *order_event(struct streams *s, struct group *g,
				 const struct config_shop *shop,
				 const struct order *o, uint64_t id)
{
	struct err e = {""};
	struct buf b;
	enum rc rc;

	event_begin(&b, "order", g, id);
	rc = o->first_seen ? order_json(&b, s->app->store, shop, o, time_now(),
					false, &e) :
			     RC_NOTFOUND;
	if (!rc) {
		if (!was_told(g, o->number))
			g->told[g->n_told++ % TOLD] = o->number;
		return event_end(&b);
	}
	buf_release(&b);
	if (rc != RC_NOTFOUND)
		log_limited(6, LOG_ERROR, "screens cannot be told of an order",
			    LOG_N("order", o->number), LOG_S("error", e.text));
	if (!was_told(g, o->number))
		return NULL;
	event_begin(&b, "removed", g, id);
	buf_fmt(&b, "{\"number\":%" PRId64 "}", o->number);
	return event_end(&b);
}

/* Drops c. */
static void tell_group(struct group *g, struct chunk *c)
{
	for (struct screen *x = g->screens; c && x; x = x->next)
		if (!stream_send(x->req, c))
			COUNT(&x->streams->app->counters, streams_cut_total);
	chunk_drop(c);
}

/* ---- shops and their screens ---- */

static struct group *group_of(struct streams *s, const struct config_shop *shop)
{
	struct group *g = s->groups;

	while (g && strcmp(g->shop, shop->id) != 0)
		g = g->next;
	if (g)
		return g;
	g = xcalloc(1, sizeof(*g));
	snprintf(g->shop, sizeof(g->shop), "%s", shop->id);
	view_of(g->view, s->app->store, shop);
	g->next = s->groups;
	s->groups = g;
	return g;
}

static void group_drop(struct streams *s, struct group *g)
{
	struct group **at = &s->groups;

	while (*at != g)
		at = &(*at)->next;
	*at = g->next;
	free(g);
}

/* A state_free: the screen is gone. */
static void screen_free(void *state)
{
	struct screen *x = state;
	struct streams *s = x->streams;
	struct group *g = x->group;

	if (x->prev)
		x->prev->next = x->next;
	else
		g->screens = x->next;
	if (x->next)
		x->next->prev = x->prev;
	g->listening -= x->listening;
	s->n--;
	if (!g->screens)
		group_drop(s, g);
	free(x);
}

static struct screen *screen_new(struct streams *s, struct request *req)
{
	const char *listening = request_query(req, "screen");
	struct screen *x = xcalloc(1, sizeof(*x));

	x->req = req;
	x->streams = s;
	x->group = group_of(s, caller_of(req)->shop);
	x->listening = listening && !strcmp(listening, "1");
	x->group->listening += x->listening;
	x->beat_due = time_mono() + BEAT_MS;
	x->next = x->group->screens;
	if (x->next)
		x->next->prev = x;
	x->group->screens = x;
	s->n++;
	req->state = x;
	req->state_free = screen_free;
	return x;
}

/* ---- one that is back ---- */

struct resume {
	uint64_t from, to; /* told up to, and to be told up to */
	struct changed *list; /* owned */
	size_t n, cap;
	bool gap; /* not all of it is there, or it is too much */
};

static void list_add(struct changed **list, size_t *n, size_t *cap,
		     const struct changed *c)
{
	if (*n == *cap) {
		*cap = *cap ? 2 * *cap : 64;
		*list = xrealloc(*list, *cap, sizeof(**list));
	}
	(*list)[(*n)++] = *c;
}

/* A `fn` of store_changes(). */
static bool resume_note(void *arg, const struct changed *c)
{
	struct resume *r = arg;

	/* Numbers have no gaps but where old ones were dropped. */
	if (!r->n && c->change != r->from + 1)
		r->gap = true;
	if (r->n == RESUME_CHANGES)
		r->gap = true;
	if (r->gap || c->change > r->to)
		return false;
	list_add(&r->list, &r->n, &r->cap, c);
	return true;
}

/* By order, and the last change of each first. */
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

/* Leaves the last change of each order, in their order; how many. */
static size_t last_changes(struct changed *list, size_t n)
{
	size_t kept = 0;

	if (!n)
		return 0;
	qsort(list, n, sizeof(*list), by_order);
	for (size_t i = 0; i < n; i++)
		if (!kept || list[i].number != list[kept - 1].number ||
		    strcmp(list[i].instance, list[kept - 1].instance))
			list[kept++] = list[i];
	qsort(list, kept, sizeof(*list), by_change);
	return kept;
}

/* The order as it is now; one that is gone has first_seen 0. */
static enum rc load_order(struct streams *s, const struct changed *c,
			  struct order *ret)
{
	struct err e = {""};
	enum rc rc;

	order_init(ret, c->instance, c->number);
	rc = store_order(s->app->store, c->instance, c->number, ret, &e);
	if (rc == RC_NOTFOUND) {
		order_init(ret, c->instance, c->number);
		return OK;
	}
	if (rc)
		log_limited(6, LOG_ERROR, "screens cannot be told of an order",
			    LOG_N("order", c->number), LOG_S("error", e.text));
	return rc;
}

/* What the shop missed, as events; false: too much of it. */
static bool resume_events(struct screen *x, struct resume *r,
			  struct chunk **ret, size_t *ret_n)
{
	const struct config_shop *shop = caller_of(x->req)->shop;
	size_t n = last_changes(r->list, r->n), bytes = 0;

	*ret_n = 0;
	for (size_t i = 0; i < n; i++) {
		struct chunk *c = NULL;
		struct order o;

		if (strcmp(r->list[i].instance, shop->centra) != 0)
			continue;
		if (*ret_n == ORDERS_AT_ONCE || bytes > FEED_BYTES / 2)
			return false;
		if (load_order(x->streams, &r->list[i], &o))
			return false;
		c = order_event(x->streams, x->group, shop, &o,
				r->list[i].change);
		order_release(&o);
		if (!c)
			continue;
		bytes += c->len;
		ret[(*ret_n)++] = c;
	}
	return bytes <= FEED_BYTES / 2;
}

/* The change number of the last event that the client has read; false: it does
 * not tell, or read that in another store or view. */
static bool last_id(const struct request *req, uint64_t *ret)
{
	const char *text = request_header(req, "Last-Event-ID");
	char view[VIEW_SIZE];
	size_t len;

	if (!text)
		text = request_query(req, "last_event_id");
	len = text ? strspn(text, "0123456789") : 0;
	view_of(view, request_app(req)->store, caller_of(req)->shop);
	if (!len || len > 19 || strcmp(text + len, view) != 0)
		return false;
	*ret = strtoull(text, NULL, 10);
	return true;
}

/* Says hello, and what was missed since the last time if that is known. */
static void greet(struct screen *x, uint64_t seen)
{
	struct chunk *missed[ORDERS_AT_ONCE], *hello;
	struct resume r = {.to = seen};
	bool resumed = false;
	size_t n = 0;
	struct err e;

	if (last_id(x->req, &r.from) && r.from <= seen) {
		r.gap = store_changes(x->streams->app->store, r.from,
				      resume_note, &r, &e) != OK;
		resumed = !r.gap && (r.n || r.from == seen) &&
			  resume_events(x, &r, missed, &n);
	}
	hello = hello_event(x->group, seen, !resumed);
	if (hello)
		stream_send(x->req, hello);
	chunk_drop(hello);
	for (size_t i = 0; i < n; i++) {
		if (resumed)
			stream_send(x->req, missed[i]);
		chunk_drop(missed[i]);
	}
	free(r.list);
}

void staff_stream(struct request *req, struct response *res)
{
	struct live *l = request_app(req)->live;

	if (!respond_stream(req, res, "text/event-stream"))
		return;
	greet(screen_new(live_streams(l), req), live_seen(l));
}

/* ---- telling ---- */

void streams_note(struct streams *s, const struct changed *c)
{
	if (!s->n)
		return;
	if (s->n_batch == BATCH_MAX)
		s->lost = true;
	else
		list_add(&s->batch, &s->n_batch, &s->cap, c);
}

static void tell_order(struct streams *s, const struct config *config,
		       const struct changed *c)
{
	struct order o;

	if (load_order(s, c, &o))
		return;
	for (struct group *g = s->groups; g; g = g->next) {
		const struct config_shop *shop = config_shop(config, g->shop);

		if (shop && !strcmp(shop->centra, c->instance))
			tell_group(g, order_event(s, g, shop, &o, c->change));
	}
	order_release(&o);
}

void streams_tell(struct streams *s)
{
	struct config *config;
	size_t n = last_changes(s->batch, s->n_batch);

	if (!s->n_batch)
		return;
	s->lost |= n > ORDERS_AT_ONCE;
	config = config_now(s->app->config);
	if (s->lost)
		for (struct group *g = s->groups; g; g = g->next)
			tell_group(g, hello_event(g, s->batch[n - 1].change,
						  true));
	for (size_t i = 0; !s->lost && i < n; i++)
		tell_order(s, config, &s->batch[i]);
	s->n_batch = 0;
	s->lost = false;
	config_drop(config);
}

/* ---- now and then ---- */

static void beat(struct streams *s, uint64_t seen, int64_t now)
{
	for (struct group *g = s->groups; g; g = g->next) {
		struct chunk *c = NULL;

		for (struct screen *x = g->screens; x; x = x->next) {
			if (x->beat_due > now)
				continue;
			x->beat_due = now + BEAT_MS;
			if (!c)
				c = beat_event(g, seen);
			if (c && !stream_send(x->req, c))
				COUNT(&s->app->counters, streams_cut_total);
		}
		chunk_drop(c);
	}
}

static void end_revoked(struct streams *s)
{
	uint64_t revocations = store_revocations(s->app->store);

	if (revocations == s->revocations)
		return;
	s->revocations = revocations;
	for (struct group *g = s->groups; g; g = g->next)
		for (struct screen *x = g->screens; x; x = x->next)
			if (!auth_still(x->req))
				stream_end(x->req);
}

/* A shop that has other warehouses by now reads its lists again; one that is
 * gone may see nothing more. */
static void follow_config(struct streams *s, uint64_t seen)
{
	struct config *config = config_now(s->app->config);
	char view[VIEW_SIZE];

	for (struct group *g = s->groups; g; g = g->next) {
		const struct config_shop *is = config_shop(config, g->shop);

		for (struct screen *x = g->screens; x && !is; x = x->next)
			stream_end(x->req);
		if (!is)
			continue;
		view_of(view, s->app->store, is);
		if (!strcmp(view, g->view))
			continue;
		memcpy(g->view, view, sizeof(view));
		tell_group(g, hello_event(g, seen, true));
	}
	config_drop(config);
}

void streams_tick(struct streams *s, uint64_t seen, int64_t now)
{
	follow_config(s, seen);
	end_revoked(s);
	beat(s, seen, now);
}

/* ---- numbers ---- */

size_t streams_count(const struct streams *s)
{
	return s->n;
}

struct unwatched {
	int64_t *numbers; /* owned */
	size_t n;
};

/* A `fn` of store_list(). */
static bool note_open(void *arg, const struct listed *row)
{
	struct unwatched *u = arg;

	u->numbers[u->n++] = row->number;
	return u->n < UNWATCHED_MAX;
}

static size_t count_pending(const struct streams *s,
			    const struct config_shop *shop, int64_t warehouse,
			    struct unwatched *u)
{
	struct store *store = s->app->store;
	struct err e;
	size_t n = 0;

	u->n = 0;
	if (store_list(store, shop->centra, warehouse, LIST_OPEN, NULL,
		       note_open, u, &e))
		return 0;
	for (size_t i = 0; i < u->n; i++) {
		const struct offer *f;
		struct order o = {0};

		if (!store_order(store, shop->centra, u->numbers[i], &o, &e)) {
			f = order_offer(&o, warehouse);
			n += f && f->state == STATE_PENDING;
		}
		order_release(&o);
	}
	return n;
}

static bool watched(const struct streams *s, const char *shop)
{
	for (const struct group *g = s->groups; g; g = g->next)
		if (g->listening && !strcmp(g->shop, shop))
			return true;
	return false;
}

size_t streams_unwatched(const struct streams *s)
{
	struct config *config = config_now(s->app->config);
	struct unwatched u = {
		.numbers = xcalloc(UNWATCHED_MAX, sizeof(*u.numbers)),
	};
	size_t n = 0;

	for (size_t i = 0; i < config->n_shops; i++) {
		const struct config_shop *shop = &config->shops[i];

		if (watched(s, shop->id))
			continue;
		for (size_t w = 0;
		     w < shop->warehouses.n && n < UNWATCHED_MAX; w++)
			n += count_pending(s, shop, shop->warehouses.ids[w],
					   &u);
	}
	free(u.numbers);
	config_drop(config);
	return n;
}

/* ---- life ---- */

struct streams *streams_open(struct app *app)
{
	struct streams *s = xcalloc(1, sizeof(*s));

	s->app = app;
	s->revocations = store_revocations(app->store);
	return s;
}

void streams_close(struct streams *s)
{
	if (!s)
		return;
	free(s->batch);
	free(s);
}
