/* SPDX-License-Identifier: MIT
 *
 * goods.c - see goods.h.
 *
 * An entry is one answer of Centra's: the picture of an EAN, or its count in a
 * warehouse (warehouse 0: the picture).  While it is asked for it keeps the
 * orders that are to be told.
 */
#include "server/lookup/goods.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/mem.h"
#include "base/names.h"
#include "base/time.h"

#define BUCKETS 4096
#define TOLD	4 /* orders that an entry tells; others see it when they are
		   * shown again */

enum known { ASKED, KNOWN, NOTHING };

struct key {
	char instance[INSTANCE_SIZE];
	char ean[GOODS_CODE_MAX + 1]; /* "": the entry says that Centra refuses all
				 * such questions */
	int64_t warehouse;
};

struct good_entry {
	struct key key;
	enum known known;
	int64_t until; /* steady clock, ms: when it is too old.  ASKED: never */
	char *picture; /* owned, or NULL */
	int64_t on_hand, counted_at;
	int64_t orders[TOLD];
	size_t n_orders;
	SLIST_ENTRY(good_entry) in_bucket;
	TAILQ_ENTRY(good_entry) in_age;
};

struct goods {
	struct goods_parts parts;
	pthread_mutex_t lock; /* of what follows */
	SLIST_HEAD(bucket, good_entry) buckets[BUCKETS];
	TAILQ_HEAD(, good_entry) oldest_first;
	size_t n;
};

/* ---- the entries ---- The lock is held. */

static size_t bucket_of(const struct key *k)
{
	uint64_t h = 1469598103934665603u ^ (uint64_t)k->warehouse;

	for (const char *p = k->instance; *p; p++)
		h = (h ^ (unsigned char)*p) * 1099511628211u;
	for (const char *p = k->ean; *p; p++)
		h = (h ^ (unsigned char)*p) * 1099511628211u;
	return (h ^ h >> 32) % BUCKETS;
}

static struct good_entry *find(struct goods *g, const struct key *k)
{
	struct good_entry *e;

	SLIST_FOREACH(e, &g->buckets[bucket_of(k)], in_bucket)
	{
		if (e->key.warehouse == k->warehouse &&
		    !strcmp(e->key.ean, k->ean) &&
		    !strcmp(e->key.instance, k->instance))
			return e;
	}
	return NULL;
}

static void free_entry(struct good_entry *e)
{
	free(e->picture);
	free(e);
}

static void forget(struct goods *g, struct good_entry *e)
{
	SLIST_REMOVE(&g->buckets[bucket_of(&e->key)], e, good_entry,
		     in_bucket);
	TAILQ_REMOVE(&g->oldest_first, e, in_age);
	g->n--;
	free_entry(e);
}

static struct good_entry *find_or_make(struct goods *g, const struct key *k)
{
	struct good_entry *e = find(g, k);

	if (e)
		return e;
	if (g->n == GOODS_MAX)
		forget(g, TAILQ_FIRST(&g->oldest_first));
	e = xcalloc(1, sizeof(*e));
	e->key = *k;
	e->known = NOTHING;
	SLIST_INSERT_HEAD(&g->buckets[bucket_of(k)], e, in_bucket);
	TAILQ_INSERT_TAIL(&g->oldest_first, e, in_age);
	g->n++;
	return e;
}

static void tell_later(struct good_entry *e, int64_t order)
{
	for (size_t i = 0; i < e->n_orders; i++)
		if (e->orders[i] == order)
			return;
	if (e->n_orders < TOLD)
		e->orders[e->n_orders++] = order;
}

/* ---- questions in the background ---- */

struct question {
	struct lookup lookup; /* must be first */
	struct goods *goods;
	char instance[INSTANCE_SIZE];
	int64_t warehouse; /* 0: pictures are asked for */
	char eans[GOODS_LINES][GOODS_CODE_MAX + 1];
	size_t n, answered;
	bool refused;
	struct {
		char *picture; /* owned, or NULL */
		bool counted;
		int64_t on_hand;
	} found[GOODS_LINES];
};

/* A missing permission, or a call that the plugin does not allow, is no refused
 * key: what is only shown raises no alarm. */
static void note_refusal(struct question *q, struct call *call)
{
	q->refused = call->refused;
	if (call->status == 200 || call->status == 403)
		call->refused = false;
}

/* Returns the picture that all these products have; NULL: there is none, or two
 * products with one EAN have different ones, and nobody knows which lies there. */
static const char *only_picture(const struct centra_products *p)
{
	const char *first = p->n ? p->list[0].picture : NULL;

	for (size_t i = 0; first && i < p->n; i++)
		if (!p->list[i].picture || strcmp(p->list[i].picture, first))
			return NULL;
	return first && strlen(first) <= PICTURE_MAX ? first : NULL;
}

static void ask_pictures(struct lookup *l, struct centra_conn *n,
			 struct call *ret)
{
	struct question *q = (struct question *)l;

	for (; q->answered < q->n; q->answered++) {
		struct centra_products p;
		const char *picture;

		order_api_products(n, false, q->eans[q->answered], &p);
		*ret = p.call;
		if (p.call.end != CALL_OK) {
			note_refusal(q, ret);
			break;
		}
		picture = only_picture(&p);
		if (picture)
			q->found[q->answered].picture = xstrdup(picture);
		centra_products_release(&p);
	}
}

static void ask_counts(struct lookup *l, struct centra_conn *n,
		       struct call *ret)
{
	struct question *q = (struct question *)l;
	struct centra_wanted wanted[GOODS_LINES];
	size_t found[GOODS_LINES] = {0};
	struct centra_sizes s;

	for (size_t i = 0; i < q->n; i++)
		wanted[i] = (struct centra_wanted){CODE_EAN, q->eans[i]};
	graphql_sizes(n, wanted, q->n, q->warehouse, &s);
	*ret = s.call;
	if (s.call.end != CALL_OK) {
		note_refusal(q, ret);
		return;
	}
	q->answered = q->n;
	for (size_t i = 0; i < s.n; i++) {
		size_t k = s.list[i].wanted;

		/* Two sizes with one EAN: nobody knows which lies there. */
		q->found[k].counted = s.list[i].stocked && !found[k]++;
		q->found[k].on_hand = s.list[i].physical;
	}
	centra_sizes_release(&s);
}

/* Puts an answer into its entry, and lists the orders to be told. */
static void take_answer(struct goods *g, struct question *q, size_t i,
			int64_t wall, int64_t mono, struct good_entry *ret_told)
{
	struct key k = {.warehouse = q->warehouse};
	bool answered = i < q->answered;
	struct good_entry *e;

	memcpy(k.instance, q->instance, sizeof(k.instance));
	memcpy(k.ean, q->eans[i], sizeof(k.ean));
	e = find_or_make(g, &k);
	free(e->picture);
	e->picture = q->found[i].picture;
	q->found[i].picture = NULL;
	e->on_hand = q->found[i].on_hand;
	e->counted_at = wall;
	e->known = e->picture || q->found[i].counted ? KNOWN : NOTHING;
	/* If the time was over amid them, the rest is asked for when the order
	 * is shown with the first. */
	e->until = mono + (!answered	    ? (q->answered ? 0 : FAILED_MS)
			   : q->warehouse   ? ON_HAND_MS
			   : e->picture	    ? PICTURE_MS
					    : NO_PICTURE_MS);
	for (size_t o = 0; e->known == KNOWN && o < e->n_orders; o++)
		tell_later(ret_told, e->orders[o]);
	e->n_orders = 0;
}

/* Remembers that Centra refuses all questions of this kind. */
static void take_refusal(struct goods *g, const struct question *q,
			 int64_t mono)
{
	struct key k = {.warehouse = q->warehouse != 0};

	memcpy(k.instance, q->instance, sizeof(k.instance));
	find_or_make(g, &k)->until = mono + REFUSED_MS;
}

/* Takes the answers over and tells the orders.  The function `release` of a
 * question. */
static void answered(struct lookup *l)
{
	struct question *q = (struct question *)l;
	struct goods *g = q->goods;
	int64_t wall = time_now(), mono = time_mono();
	struct good_entry told[GOODS_LINES] = {0};

	pthread_mutex_lock(&g->lock);
	for (size_t i = 0; i < q->n; i++)
		take_answer(g, q, i, wall, mono, &told[i]);
	if (q->refused)
		take_refusal(g, q, mono);
	pthread_mutex_unlock(&g->lock);
	for (size_t i = 0; i < q->n; i++)
		for (size_t o = 0; g->parts.news && o < told[i].n_orders; o++)
			g->parts.news(g->parts.arg, q->instance,
				      told[i].orders[o]);
	free(q);
}

/* Sends the question off; if it cannot be, its entries are asked for again at
 * the next look. */
static void send_off(struct goods *g, struct question *q)
{
	if (q->n) {
		q->lookup = (struct lookup){
			.what = q->warehouse ? "on_hand" : "picture",
			.api = q->warehouse ? CENTRA_GRAPHQL : CENTRA_ORDER_API,
			.ask = q->warehouse ? ask_counts : ask_pictures,
			.release = answered,
		};
		if (lookup_behind(g->parts.lookups, &q->lookup, q->instance))
			return;
		answered(&q->lookup);
		return;
	}
	free(q);
}

/* ---- what is known ---- */

static struct question *question(struct goods *g, const struct goods_at *at,
				 int64_t warehouse)
{
	struct question *q = xcalloc(1, sizeof(*q));

	q->goods = g;
	q->warehouse = warehouse;
	snprintf(q->instance, sizeof(q->instance), "%s", at->instance);
	return q;
}

/* True if Centra refused such a question not long ago. */
static bool is_refused(struct goods *g, const struct goods_at *at,
		       int64_t warehouse)
{
	struct key k = {.warehouse = warehouse != 0};
	const struct good_entry *e;

	snprintf(k.instance, sizeof(k.instance), "%s", at->instance);
	e = find(g, &k);
	return e && at->mono < e->until;
}

/* Returns the entry of a line if it is fresh; else adds the line to the
 * question. */
static const struct good_entry *look(struct goods *g, const struct goods_at *at,
				const char *ean, struct question *q, bool ask)
{
	struct key k = {.warehouse = q->warehouse};
	struct good_entry *e;

	snprintf(k.instance, sizeof(k.instance), "%s", at->instance);
	snprintf(k.ean, sizeof(k.ean), "%s", ean);
	e = find(g, &k);
	if (e && e->known != ASKED && at->mono < e->until)
		return e;
	if (!ask)
		return NULL;
	if (!e)
		e = find_or_make(g, &k);
	tell_later(e, at->order);
	if (e->known != ASKED) {
		e->known = ASKED;
		memcpy(q->eans[q->n++], k.ean, sizeof(k.ean));
	}
	return NULL;
}

/* Finds one kind of facts, pictures (warehouse 0) or counts, for all lines. */
static void find_all(struct goods *g, const struct goods_at *at,
		     int64_t warehouse, const char *const *eans, size_t n,
		     const char *from, struct good *ret)
{
	struct question *q = question(g, at, warehouse);
	bool ask;

	pthread_mutex_lock(&g->lock);
	ask = at->ask && !is_refused(g, at, warehouse);
	for (size_t i = 0; i < n; i++) {
		const struct good_entry *e = NULL;

		if (eans[i] && *eans[i] && strlen(eans[i]) <= GOODS_CODE_MAX)
			e = look(g, at, eans[i], q, ask);
		if (!e || e->known != KNOWN)
			continue;
		if (!warehouse && picture_allowed(e->picture, from))
			snprintf(ret[i].picture, sizeof(ret[i].picture), "%s",
				 e->picture);
		if (warehouse) {
			ret[i].counted = true;
			ret[i].on_hand = e->on_hand;
			ret[i].counted_at = e->counted_at;
		}
	}
	pthread_mutex_unlock(&g->lock);
	send_off(g, q);
}

void goods_find(struct goods *g, const struct goods_at *at,
		const char *const *eans, size_t n, struct good *ret)
{
	const struct config_instance *in;
	struct config *c;

	memset(ret, 0, n * sizeof(*ret));
	if (!g || !n)
		return;
	c = config_now(g->parts.config);
	in = config_instance(c, at->instance);
	if (in && in->pictures_from)
		find_all(g, at, 0, eans, n, in->pictures_from, ret);
	if (in && in->on_hand && at->warehouse > 0)
		find_all(g, at, at->warehouse, eans, n, NULL, ret);
	config_drop(c);
}

/* ---- life ---- */

struct goods *goods_open(const struct goods_parts *parts)
{
	struct goods *g = xcalloc(1, sizeof(*g));

	g->parts = *parts;
	pthread_mutex_init(&g->lock, NULL);
	for (size_t i = 0; i < BUCKETS; i++)
		SLIST_INIT(&g->buckets[i]);
	TAILQ_INIT(&g->oldest_first);
	return g;
}

void goods_close(struct goods *g)
{
	struct good_entry *e;

	if (!g)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		while ((e = SLIST_FIRST(&g->buckets[i]))) {
			SLIST_REMOVE_HEAD(&g->buckets[i], in_bucket);
			free_entry(e);
		}
	pthread_mutex_destroy(&g->lock);
	free(g);
}
