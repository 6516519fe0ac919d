/* SPDX-License-Identifier: MIT
 *
 * lookup.c - see lookup.h.
 *
 * Each instance has its own queue and threads, so that a Centra that hangs
 * costs the other instances nothing.
 */
#include "server/lookup/lookup.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"

#define RETRY_FIRST 5  /* s: what Retry-After says if nothing is known */
#define RETRY_MOST  60 /* s */
#define LEAST_TIME  50 /* ms: with less left, no call is made any more */

STAILQ_HEAD(waiting, lookup);

struct desk;

struct thread {
	struct desk *desk;
	pthread_t id;
	bool started;
	struct centra_conn *conn; /* owned */
};

/* The lookups of one instance. */
struct desk {
	struct lookups *room;
	struct lookup_account account;
	struct thread threads[LOOKUPS_AT_ONCE];
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t changed;
	struct waiting waited, behind; /* in the order they came */
	size_t n_waited, n_behind;
	bool behind_runs; /* a thread runs one of `behind` */
	bool stopping;
};

struct lookups {
	struct lookup_parts parts;
	struct desk *desks; /* owned */
	size_t n;
};

/* ---- how it ended ---- */

static int64_t retry_seconds(const struct call *c)
{
	int64_t s = (c->retry_after + 999) / 1000;

	if (s <= 0)
		return RETRY_FIRST;
	return s > RETRY_MOST ? RETRY_MOST : s;
}

static enum lookup_end held_by(const struct desk *d, enum centra_api api)
{
	struct centra_state s;

	centra_state(d->account.centra, api, &s);
	if (s.refused)
		return LOOKUP_REFUSED;
	return s.dead || s.paused ? LOOKUP_AWAY : LOOKUP_BUSY;
}

static enum lookup_end end_of(const struct desk *d, enum centra_api api,
			      const struct call *c)
{
	if (c->end == CALL_OK)
		return LOOKUP_OK;
	if (c->cut)
		return LOOKUP_SLOW;
	if (c->held)
		return held_by(d, api);
	return c->refused ? LOOKUP_REFUSED : LOOKUP_AWAY;
}

/* Hands a lookup back: to the loop if a request may wait for it. */
static void give_back(struct lookup *l)
{
	if (l->behind)
		l->release(l);
	else
		l->pending.done.fn(&l->pending.done, OK, NULL);
}

static void drop(struct pending *p)
{
	struct lookup *l = (struct lookup *)p;

	l->release(l);
}

/* ---- the threads ---- */

/* Makes the calls of a lookup, if it is not too late for them, and sets how it
 * ended. */
static void make_calls(struct thread *t, struct lookup *l)
{
	const struct desk *d = t->desk;
	const struct lookup_parts *parts = &d->room->parts;
	struct call call = {.end = CALL_NOT_DONE, .cut = true};
	struct centra_may may;

	if (l->behind)
		l->until = time_mono() + LOOKUP_MS;
	centra_may(d->account.centra, l->api, CENTRA_LOOKUP, 0, &may);
	if (may.wait == CENTRA_NEVER) {
		l->end = LOOKUP_NONE;
		return;
	}
	if (l->until - time_mono() >= LEAST_TIME) {
		centra_conn_lane(t->conn,
				 l->behind ? CENTRA_RECONCILE : CENTRA_LOOKUP);
		centra_conn_until(t->conn, l->until);
		l->ask(l, t->conn, &call);
		parts->called(parts->arg, d->account.instance, l->api, l->what,
			      &call);
	}
	l->end = end_of(d, l->api, &call);
	l->retry_after = retry_seconds(&call);
}

static void run(struct thread *t, struct lookup *l)
{
	make_calls(t, l);
	if (l->end != LOOKUP_OK && !l->behind)
		COUNT(t->desk->room->parts.counters, lookups_failed_total);
	give_back(l);
}

/* Takes the next lookup; NULL: none may run. */
static struct lookup *take(struct desk *d)
{
	struct lookup *l = STAILQ_FIRST(&d->waited);

	if (l) {
		STAILQ_REMOVE_HEAD(&d->waited, link);
		d->n_waited--;
		return l;
	}
	l = d->behind_runs ? NULL : STAILQ_FIRST(&d->behind);
	if (l) {
		STAILQ_REMOVE_HEAD(&d->behind, link);
		d->n_behind--;
		d->behind_runs = true;
	}
	return l;
}

static void *thread_main(void *arg)
{
	struct thread *t = arg;
	struct desk *d = t->desk;
	struct lookup *l;
	bool behind;

	pthread_mutex_lock(&d->lock);
	while (!d->stopping) {
		l = take(d);
		if (!l) {
			pthread_cond_wait(&d->changed, &d->lock);
			continue;
		}
		behind = l->behind;
		pthread_mutex_unlock(&d->lock);
		run(t, l);
		pthread_mutex_lock(&d->lock);
		if (behind)
			d->behind_runs = false;
	}
	pthread_mutex_unlock(&d->lock);
	return NULL;
}

/* ---- open and close ---- */

static enum rc start(struct desk *d, struct err *e)
{
	for (size_t i = 0; i < LOOKUPS_AT_ONCE; i++) {
		struct thread *t = &d->threads[i];
		int failed;

		t->desk = d;
		t->conn = centra_conn_open(d->account.centra);
		failed = pthread_create(&t->id, NULL, thread_main, t);
		if (failed)
			return fail(e, RC_AGAIN, "cannot start a thread: %s",
				    strerror(failed));
		t->started = true;
	}
	return OK;
}

static void desk_init(struct desk *d, struct lookups *room,
		      const struct lookup_account *a)
{
	*d = (struct desk){.room = room, .account = *a};
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->changed, NULL);
	STAILQ_INIT(&d->waited);
	STAILQ_INIT(&d->behind);
}

enum rc lookups_open(struct lookups **ret, const struct lookup_parts *parts,
		     struct err *e)
{
	struct lookups *all = xcalloc(1, sizeof(*all));
	struct lookup_account a;
	enum rc rc = OK;

	all->parts = *parts;
	while (parts->account(parts->arg, all->n, &a))
		all->n++;
	all->desks = xcalloc(all->n + 1, sizeof(*all->desks));
	for (size_t i = 0; i < all->n; i++) {
		if (!parts->account(parts->arg, i, &a))
			break;
		desk_init(&all->desks[i], all, &a);
	}
	for (size_t i = 0; i < all->n && !rc; i++)
		rc = start(&all->desks[i], e);
	*ret = all;
	return rc;
}

/* Ends what waits at a desk, unasked. */
static void send_away(struct waiting *list)
{
	struct lookup *l;

	while ((l = STAILQ_FIRST(list))) {
		STAILQ_REMOVE_HEAD(list, link);
		l->end = LOOKUP_AWAY;
		l->retry_after = RETRY_FIRST;
		give_back(l);
	}
}

void lookups_stop(struct lookups *all)
{
	for (size_t i = 0; all && i < all->n; i++) {
		struct desk *d = &all->desks[i];

		pthread_mutex_lock(&d->lock);
		d->stopping = true;
		pthread_cond_broadcast(&d->changed);
		pthread_mutex_unlock(&d->lock);
	}
	for (size_t i = 0; all && i < all->n; i++) {
		struct desk *d = &all->desks[i];

		for (size_t k = 0; k < LOOKUPS_AT_ONCE; k++) {
			if (d->threads[k].started)
				pthread_join(d->threads[k].id, NULL);
			centra_conn_close(d->threads[k].conn);
			d->threads[k] = (struct thread){0};
		}
		send_away(&d->waited);
		send_away(&d->behind);
		d->n_waited = d->n_behind = 0;
	}
}

void lookups_close(struct lookups *all)
{
	for (size_t i = 0; all && i < all->n; i++) {
		pthread_cond_destroy(&all->desks[i].changed);
		pthread_mutex_destroy(&all->desks[i].lock);
	}
	if (all)
		free(all->desks);
	free(all);
}

bool lookups_waiting(struct lookups *all, size_t i, struct lookups_waiting *ret)
{
	struct desk *d;

	if (i >= all->n)
		return false;
	d = &all->desks[i];
	pthread_mutex_lock(&d->lock);
	*ret = (struct lookups_waiting){
		.instance = d->account.instance,
		.waited = d->n_waited,
		.behind = d->n_behind,
	};
	pthread_mutex_unlock(&d->lock);
	return true;
}

/* ---- asking ---- */

static struct desk *desk_of(const struct lookups *all, const char *instance)
{
	for (size_t i = 0; all && i < all->n; i++)
		if (!strcmp(all->desks[i].account.instance, instance))
			return &all->desks[i];
	return NULL;
}

/* Puts a lookup into its queue.  False: the queue is full, or the room stops. */
static bool put(struct desk *d, struct lookup *l)
{
	size_t *n = l->behind ? &d->n_behind : &d->n_waited;
	size_t most = l->behind ? LOOKUPS_BEHIND : LOOKUPS_WAITING;
	bool ret;

	pthread_mutex_lock(&d->lock);
	ret = !d->stopping && *n < most;
	if (ret) {
		++*n;
		if (l->behind)
			STAILQ_INSERT_TAIL(&d->behind, l, link);
		else
			STAILQ_INSERT_TAIL(&d->waited, l, link);
		pthread_cond_signal(&d->changed);
	}
	pthread_mutex_unlock(&d->lock);
	return ret;
}

void lookup_begin(struct lookups *all, struct lookup *l, const char *instance,
		  struct request *req, endpoint_fn *next)
{
	struct desk *d = desk_of(all, instance);
	struct err e = {""};

	pending_init(&l->pending, all->parts.http, NULL, drop);
	pending_tie(&l->pending, req);
	l->behind = false;
	l->end = d ? LOOKUP_BUSY : LOOKUP_NONE;
	l->retry_after = RETRY_FIRST;
	l->until = time_mono() + LOOKUP_MS;
	req->may_stop = true;
	COUNT(all->parts.counters, lookups_total);
	if (d) {
		request_later(req, next, l->until);
		pending_begin(&l->pending);
		if (put(d, l))
			return;
		pending_refused(&l->pending, RC_AGAIN, &e);
	}
	COUNT(all->parts.counters, lookups_failed_total);
	l->pending.ended = true;
	request_later(req, next, time_mono()); /* at once */
}

enum lookup_end lookup_result(const struct request *req, int64_t *ret_retry)
{
	const struct lookup *l = req->state;
	bool ended = l->pending.ended;

	if (ret_retry)
		*ret_retry = ended ? l->retry_after : RETRY_FIRST;
	return ended ? l->end : LOOKUP_SLOW;
}

const char *lookup_code(enum lookup_end end)
{
	static const char *const codes[] = {
		[LOOKUP_SLOW] = "centra_slow",
		[LOOKUP_AWAY] = "centra_away",
		[LOOKUP_BUSY] = "centra_busy",
		[LOOKUP_REFUSED] = "centra_refused",
		[LOOKUP_NONE] = "not_configured",
	};

	return codes[end];
}

bool lookup_answered(struct request *req, struct response *res)
{
	enum lookup_end end = lookup_result(req, &res->retry_after);
	const char *code = lookup_code(end);

	if (end == LOOKUP_OK) {
		res->retry_after = 0;
		return true;
	}
	respond_problem(res, 503, code, "%s", code_words(code));
	return false;
}

bool lookup_behind(struct lookups *all, struct lookup *l, const char *instance)
{
	struct desk *d = desk_of(all, instance);

	l->behind = true;
	return d && put(d, l);
}
