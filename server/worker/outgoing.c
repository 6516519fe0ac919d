/* SPDX-License-Identifier: MIT
 *
 * outgoing.c - bounds the webhooks that wait for each shop's own system, so that
 * one that is away for weeks fills nothing: in number, and by age.  The oldest
 * go; how many, the system is told with the next that it takes
 * (NOTIFY_DROPPED).  And remembers which system no longer has an address, since
 * it is told nothing meanwhile (NOTIFY_ANEW).
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "handlers/outgoing.h"
#include "server/worker/worker_private.h"

#define EVERY	10000 /* ms from one look at the lists to the next */
#define AT_ONCE 200   /* webhooks that one transaction removes */
#define LISTS	8192  /* most lists that are looked at */

/* ---- the lists ---- */

/* The lists of webhooks that are not done. */
struct lists {
	struct doc_count *list; /* owned */
	size_t n;
};

static bool is_dead(const char *list)
{
	const char *end = strrchr(list, '/');

	return end && !strcmp(end, "/dead");
}

static bool is_waiting(const char *list)
{
	const char *end = strrchr(list, '/');

	return end && !strcmp(end, "/waiting");
}

static bool add_list(void *arg, const struct doc_count *c)
{
	struct lists *l = arg;

	if (!is_dead(c->list) && !is_waiting(c->list))
		return true;
	l->list = xrealloc(l->list, l->n + 1, sizeof(*l->list));
	l->list[l->n++] = *c;
	return l->n < LISTS;
}

/* Returns how many webhooks wait for the same system besides. */
static uint64_t in_the_other(const struct lists *l, const struct doc_count *c)
{
	size_t len = (size_t)(strrchr(c->list, '/') - c->list) + 1;

	for (size_t i = 0; i < l->n; i++)
		if (&l->list[i] != c &&
		    !strcmp(l->list[i].instance, c->instance) &&
		    !strncmp(l->list[i].list, c->list, len))
			return l->list[i].docs;
	return 0;
}

/* Returns how many of the list are too many.  Those that are given up go before
 * those that wait. */
static uint64_t too_many(const struct lists *l, const struct doc_count *c)
{
	uint64_t all = is_dead(c->list) ? c->docs + in_the_other(l, c)
					: c->docs;
	uint64_t over = all > OUTGOING_MOST ? all - OUTGOING_MOST : 0;

	return over < c->docs ? over : c->docs;
}

/* ---- which go ---- */

struct going {
	const struct doc_count *list;
	char shop[DOC_LIST_SIZE]; /* as outgoing_shop() writes it */
	int64_t now;
	uint64_t most;	 /* of those that are too many */
	int64_t before;	 /* those that are older go too; TIME_NONE: none */
	struct doc docs[AT_ONCE]; /* without their texts */
	size_t n;
};

static bool take(void *arg, const struct doc *d)
{
	struct going *g = arg;

	if (g->n == AT_ONCE || (g->n >= g->most && d->at >= g->before))
		return false;
	g->docs[g->n] = *d;
	g->docs[g->n++].text = NULL;
	return true;
}

/* Adds the task of a webhook's order.  If it was given up, it lives again, and
 * ends if nothing of the order is left. */
static void add_task(const struct going *g, const struct doc *d,
		     struct doc_writes *ret)
{
	struct task task = {.number = outgoing_number(d->key),
			    .sub = outgoing_sub(g->shop),
			    .due = g->now};

	memcpy(task.kind, TASK_NOTIFY, sizeof(TASK_NOTIFY));
	memcpy(task.instance, d->instance, sizeof(task.instance));
	doc_writes_task(ret, &task);
}

/* A store_docs_fn: removes them, and adds to what the system is to be told. */
static enum rc remove_them(void *arg, const struct doc *docs, size_t n,
			   struct doc_writes *ret, struct err *e)
{
	const struct going *g = arg;
	struct doc receiver = doc_copy(&docs[0]);
	struct notify_state state;

	(void)n, (void)e;
	notify_state_read(&receiver, &state);
	state.dropped += (int64_t)g->n;
	notify_state_write(&receiver, &state);
	doc_writes_put(ret, &receiver);
	doc_release(&receiver);
	for (size_t i = 0; i < g->n; i++) {
		doc_writes_delete(ret, &g->docs[i]);
		if (is_dead(g->list->list))
			add_task(g, &g->docs[i], ret);
	}
	return OK;
}

/* ---- systems without an address ---- */

/* The documents of systems that the config has no address for. */
struct addressless {
	const struct config *config;
	struct doc found; /* the first of them that is not marked yet; without
			   * its text; rev 0: none */
};

static bool has_address(const struct config *c, const struct doc *d)
{
	char name[OUTGOING_SHOP_SIZE];

	for (size_t i = 0; i < c->n_shops; i++) {
		outgoing_shop(name, c->shops[i].id);
		if (c->shops[i].notify_url && !strcmp(name, d->key) &&
		    !strcmp(c->shops[i].centra, d->instance))
			return true;
	}
	return false;
}

static bool find_addressless(void *arg, const struct doc *d)
{
	struct addressless *a = arg;
	struct notify_state state;

	notify_state_read(d, &state);
	if (!*state.knows || has_address(a->config, d))
		return true;
	a->found = *d;
	a->found.text = NULL;
	return false;
}

/* A store_docs_fn: has the system told to read anew if its address comes back. */
static enum rc knows_nothing(void *arg, const struct doc *docs, size_t n,
			     struct doc_writes *ret, struct err *e)
{
	struct doc d = doc_copy(&docs[0]);
	struct notify_state state;

	(void)arg, (void)n, (void)e;
	notify_state_read(&d, &state);
	*state.knows = '\0';
	notify_state_write(&d, &state);
	doc_writes_put(ret, &d);
	doc_release(&d);
	return OK;
}

/* Marks one system that no longer has an address.  *ret_found: there was one. */
static enum rc mark_addressless(const struct worker_parts *parts,
				bool *ret_found, struct err *e)
{
	struct config *c = config_now(parts->config);
	struct addressless a = {.config = c};
	enum rc rc = store_docs(parts->store, KIND_RECEIVER, NULL, NULL,
				find_addressless, &a, e);
	struct doc_name name = {KIND_RECEIVER, a.found.instance, a.found.key};

	config_drop(c);
	*ret_found = !rc && a.found.rev;
	if (*ret_found)
		rc = store_docs_update(parts->store, &name, 1, knows_nothing,
				       NULL, NULL, time_now(), NULL, e);
	return rc;
}

/* ---- a step ---- */

static enum rc remove_some(const struct worker_parts *parts, struct going *g,
			   struct err *e)
{
	struct doc_name name = {KIND_RECEIVER, g->list->instance,
				g->shop};
	enum rc rc = store_docs_listed(parts->store, KIND_OUTGOING,
				       g->list->instance, g->list->list, NULL,
				       take, g, e);

	if (rc || !g->n)
		return rc;
	memcpy(g->shop, g->list->list, sizeof(g->shop));
	*strrchr(g->shop, '/') = '\0';
	g->now = time_now();
	rc = store_docs_update(parts->store, &name, 1, remove_them, g, NULL,
			       g->now, NULL, e);
	if (rc)
		return rc;
	COUNT_BY(parts->counters, outgoing_dropped_total, g->n);
	log_limited(LOG_A_MINUTE, LOG_ERROR,
		    "webhooks to a shop's system dropped",
		    LOG_S("instance", g->list->instance), LOG_S("shop", g->shop),
		    LOG_N("webhooks", (int64_t)g->n));
	return OK;
}

/* Returns how long webhooks are kept that were not taken, ms; 0: for good, or the
 * clock is not to be relied on. */
static int64_t keep(const struct worker_parts *parts)
{
	struct config *c = config_now(parts->config);
	int64_t ret = c->server.keep_outgoing;

	config_drop(c);
	return clock_confirmed(parts->clock) ? ret : 0;
}

/* Returns the time before which webhooks of the list are too old; TIME_NONE: none
 * is.  Those that wait are never removed while they are still to be tried. */
static int64_t too_old(const struct doc_count *list, int64_t keep)
{
	const int64_t least = NOTIFY_FOR + INT64_C(24) * 3600 * 1000;

	if (!keep)
		return TIME_NONE;
	return time_now() -
	       (is_dead(list->list) || keep > least ? keep : least);
}

int64_t outgoing_step(const struct worker_parts *parts)
{
	struct lists l = {0};
	int64_t age = keep(parts), wait = EVERY, mono = time_mono();
	struct going *g = xcalloc(1, sizeof(*g));
	struct err e;
	bool found;
	enum rc rc = mark_addressless(parts, &found, &e);

	if (!rc && found)
		wait = 0;
	if (!rc)
		rc = store_doc_counts(parts->store, KIND_OUTGOING, add_list,
				      &l, &e);
	for (size_t i = 0; !rc && i < l.n && wait == EVERY; i++) {
		*g = (struct going){.list = &l.list[i],
				    .most = too_many(&l, &l.list[i]),
				    .before = too_old(&l.list[i], age)};
		rc = remove_some(parts, g, &e);
		if (g->n)
			wait = retention_pause(time_mono() - mono);
	}
	if (rc) {
		log_limited(LOG_A_MINUTE, LOG_WARN,
			    "webhooks to shops' systems cannot be bounded",
			    LOG_S("why", e.text));
		wait = EVERY;
	}
	free(l.list);
	free(g);
	return wait;
}
