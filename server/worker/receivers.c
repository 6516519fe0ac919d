/* SPDX-License-Identifier: MIT
 *
 * receivers.c - the shops' own systems, which webhooks are sent to ([shop]
 * notify_url), and which of them may be called now.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "handlers/outgoing.h"
#include "server/worker/worker_private.h"

/* ---- open, reload, close ---- */

void receivers_open(struct receivers *all)
{
	*all = (struct receivers){0};
	pthread_mutex_init(&all->lock, NULL);
}

void receivers_close(struct receivers *all)
{
	for (size_t i = 0; i < all->n; i++) {
		subscriber_close(all->list[i]->to);
		free(all->list[i]->shop);
		free(all->list[i]->instance);
		free(all->list[i]);
	}
	free(all->list);
	pthread_mutex_destroy(&all->lock);
}

/* Finds a shop's system, or makes one.  The lock is held. */
static struct receiver_of *find_or_add(struct receivers *all,
				       const struct config_shop *shop)
{
	struct receiver_of *new;

	for (size_t i = 0; i < all->n; i++)
		if (!strcmp(all->list[i]->shop, shop->id) &&
		    !strcmp(all->list[i]->instance, shop->centra))
			return all->list[i];
	all->list = xrealloc(all->list, all->n + 1, sizeof(*all->list));
	new = all->list[all->n++] = xcalloc(1, sizeof(*new));
	new->shop = xstrdup(shop->id);
	new->instance = xstrdup(shop->centra);
	new->sub = notify_sub(shop->id);
	new->to = subscriber_open();
	return new;
}

void receivers_reload(struct receivers *all, const struct config *c)
{
	pthread_mutex_lock(&all->lock);
	for (size_t i = 0; i < all->n; i++)
		all->list[i]->set = false;
	for (size_t i = 0; i < c->n_shops; i++)
		if (c->shops[i].notify_url)
			find_or_add(all, &c->shops[i])->set = true;
	pthread_mutex_unlock(&all->lock);
	receivers_try_now(all);
}

void receivers_try_now(struct receivers *all)
{
	pthread_mutex_lock(&all->lock);
	for (size_t i = 0; i < all->n; i++)
		subscriber_try_now(all->list[i]->to);
	pthread_mutex_unlock(&all->lock);
}

/* ---- a run ---- */

static void log_turn(const struct work *w, const struct subscriber_reply *reply)
{
	if (reply->turn == CALL_AWAY)
		log_line(LOG_WARN, "a shop's system is away",
			 LOG_S("instance", w->task->instance),
			 LOG_S("shop", w->notify->shop),
			 LOG_N("status", reply->status),
			 LOG_S("why", reply->why.text));
	else if (reply->turn == CALL_BACK)
		log_line(LOG_INFO, "a shop's system is back",
			 LOG_S("instance", w->task->instance),
			 LOG_S("shop", w->notify->shop));
}

static void report(const struct work *w, const struct notify_report *r)
{
	struct counters *counters = workers_of(w)->parts->counters;
	bool failed = r->reply && !r->reply->held &&
		      r->reply->end != SUBSCRIBER_TOOK;

	COUNT_BY(counters, outgoing_sent_total, r->sent);
	COUNT_BY(counters, outgoing_given_up_total, r->given_up);
	if (failed)
		COUNT(counters, outgoing_failed_total);
	if (r->reply)
		log_turn(w, r->reply);
	if (r->given_up)
		log_limited(LOG_A_MINUTE, LOG_ERROR,
			    "webhooks to a shop's system given up",
			    LOG_S("instance", w->task->instance),
			    LOG_S("shop", w->notify->shop),
			    LOG_N("order", w->task->number),
			    LOG_N("webhooks", (int64_t)r->given_up));
}

/* Returns the system of a shop, with the present address and secrets; NULL: the
 * shop has none. */
static struct subscriber *subscriber_of(struct receivers *all,
					const struct config *c,
					const struct config_shop *shop)
{
	const struct subscriber_options o = {
		.url = shop->notify_url,
		.secret = shop->notify_secret,
		.previous = shop->previous_notify_secret,
		.may_http = c->server.notify_http,
		.may_private = c->server.notify_private,
	};
	struct subscriber *ret;

	if (!shop->notify_url)
		return NULL;
	pthread_mutex_lock(&all->lock);
	ret = find_or_add(all, shop)->to;
	pthread_mutex_unlock(&all->lock);
	subscriber_set(ret, &o);
	return ret;
}

/* Adds bytes to a hash (FNV-1a). */
static uint64_t mix(uint64_t h, const void *data, size_t len)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 0x100000001b3u;
	return h;
}

/* Returns a hash of where the shop's webhooks go, and of what they are about. */
static uint64_t settings_of(const struct config_shop *shop)
{
	uint64_t h = 0xcbf29ce484222325u;

	if (shop->notify_url)
		h = mix(h, shop->notify_url, strlen(shop->notify_url));
	return mix(h, shop->warehouses.ids,
		   shop->warehouses.n * sizeof(*shop->warehouses.ids));
}

/* A shop that is not in the config, by what is kept for its system. */
struct gone {
	const struct work *w;
	char name[DOC_LIST_SIZE]; /* as outgoing_shop() writes it; "": none */
};

static bool is_it(void *arg, const struct doc_count *c)
{
	struct gone *g = arg;
	const char *end = strrchr(c->list, '/');

	if (!end || strcmp(c->instance, g->w->task->instance) != 0)
		return true;
	snprintf(g->name, sizeof(g->name), "%.*s", (int)(end - c->list),
		 c->list);
	if (outgoing_sub(g->name) == g->w->task->sub)
		return false;
	*g->name = '\0';
	return true;
}

/* Finds the name of a shop that is gone: its webhooks are still given up, and
 * found by a redrive. */
static void find_gone(struct thread *t, const struct work *w)
{
	struct gone g = {.w = w};
	struct err e;

	if (!store_doc_counts(t->workers->parts->store, KIND_OUTGOING, is_it,
			      &g, &e) &&
	    *g.name && copy_text(t->shop, sizeof(t->shop), g.name))
		t->notify.shop = t->shop;
}

void receivers_give(struct thread *t, const struct config *c, struct work *w)
{
	t->notify = (struct notify_hands){.report = report};
	for (size_t i = 0; i < c->n_shops; i++) {
		const struct config_shop *shop = &c->shops[i];

		if (notify_sub(shop->id) != w->task->sub ||
		    strcmp(shop->centra, w->task->instance) != 0)
			continue;
		if (copy_text(t->shop, sizeof(t->shop), shop->id))
			t->notify.shop = t->shop;
		t->notify.to = subscriber_of(&t->workers->receivers, c, shop);
		t->notify.settings = settings_of(shop);
	}
	if (!t->notify.shop)
		find_gone(t, w);
	w->notify = &t->notify;
}

/* ---- the gate ---- */

void receivers_gate(struct receivers *all, const char *instance, unsigned group,
		    struct store_gate *ret)
{
	int64_t least = -1, wait, mono = time_mono();
	bool away = false;

	pthread_mutex_lock(&all->lock);
	for (size_t i = 0; i < all->n; i++) {
		const struct receiver_of *r = all->list[i];

		if (!r->set || notify_group(r->sub) != group ||
		    strcmp(r->instance, instance) != 0)
			continue;
		wait = subscriber_wait(r->to, mono);
		least = least < 0 || wait < least ? wait : least;
		away |= subscriber_is_away(r->to);
	}
	pthread_mutex_unlock(&all->lock);
	/* Where no system is set, the run says so. */
	*ret = (struct store_gate){
		.wait = least > 0 ? least : 0,
		.parked = least > 0,
		.trial = away,
		.alone = true,
	};
}

/* ---- for who shows them ---- */

bool workers_receiver(struct workers *w, size_t i, struct receiver_state *ret)
{
	struct receivers *all = &w->receivers;
	const struct receiver_of *r;
	bool found;

	pthread_mutex_lock(&all->lock);
	found = i < all->n;
	if (found) {
		r = all->list[i];
		*ret = (struct receiver_state){
			.instance = r->instance,
			.shop = r->shop,
			.set = r->set,
			.away = subscriber_is_away(r->to),
		};
	}
	pthread_mutex_unlock(&all->lock);
	return found;
}
