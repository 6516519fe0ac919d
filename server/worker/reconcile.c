/* SPDX-License-Identifier: MIT
 *
 * reconcile.c - see reconcile.h.
 *
 * A sweep keeps no state: whatever it suspects becomes a task, with the time at
 * which it was first seen, so a restart forgets nothing.  It sends one query
 * after the other in the sweep's lane, and waits while live work needs the
 * budget.
 */
#include "server/worker/reconcile.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "centra/graphql.h"
#include "handlers/look.h"
#include "handlers/sweep.h"
#include "server/worker/worker.h"

#define TICK	     500    /* ms between checks of the clock and the store */
#define TRY_AGAIN    30000  /* ms until the next sweep after one that was given
			     * up */
#define HELD_MOST    15000  /* ms: the longest that a sweep waits for one
			     * call */
#define PATIENCE     300000 /* ms that its calls may be held back in all */
#define WAITING_PAGE 200    /* Centra's own most */
#define PAGES_MOST   100
#define READS_MOST   3	    /* the most times that the list of waiting orders is
			     * read */
#define SPARE	     64
#define UNREAD_A_MINUTE 20 /* lines in the log */
#define FORGET_EVERY ((int64_t)3600 * 1000)

/* When an instance is swept next.  Each has its own time, so that an instance
 * that is away does not hold up the others.  Steady clock; 0: at once. */
struct turn {
	int64_t next;
	int64_t not_before; /* no sweep begins before this; set when one was
			     * given up */
	uint64_t done;	    /* the last sweep asked for by hand that is done */
	int64_t behind;	    /* the order after which the next sweep begins to
			     * look */
};

struct sweep {
	const struct workplace *place;
	const struct workers *workers;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool started, stopping;
	struct turn *turns; /* owned; one for each account */
	uint64_t boot;
	int64_t forget; /* time_mono: when old addresses are looked for again */
};

/* One sweep of one instance. */
struct pass {
	struct sweep *sweep;
	const struct config *config;
	const struct config_instance *in;
	const struct account *account;
	struct turn *turn;
	struct centra_conn *conn; /* owned */
	struct task task;	  /* none: it names the instance in the log */
	int64_t held;
	int64_t look_began; /* the newest query for orders, steady clock */
	unsigned spare; /* how many further queries may be spent to find an
			 * order that spoils a reply */
	size_t looked, waiting, unknown;
	size_t unread; /* orders that Centra cannot show to us */
	int64_t left;  /* the first order that was not looked at; 0: there is
			* none */
};

/* ---- waiting ---- */

/* False: it is time to stop. */
static bool nap(struct sweep *s, int64_t ms)
{
	struct timespec until;
	bool stopping;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&s->lock);
	while (!s->stopping)
		if (pthread_cond_timedwait(&s->changed, &s->lock, &until))
			break;
	stopping = s->stopping;
	pthread_mutex_unlock(&s->lock);
	return !stopping && !*s->place->failed;
}

/* After a call: waits, and returns true if the call should be made again. */
static bool held(struct pass *p, const char *what, const struct call *call)
{
	call_told(p->sweep->place, &p->task, CENTRA_GRAPHQL, what, call);
	if (!call->held || call->retry_after > HELD_MOST ||
	    p->held > PATIENCE)
		return false;
	p->held += call->retry_after;
	return nap(p->sweep, call->retry_after);
}

/* ---- the numbers of what shops could act on ---- */

struct numbers {
	int64_t *list; /* owned */
	size_t n, cap;
};

static void add_one(struct numbers *all, int64_t number)
{
	if (all->n == all->cap) {
		all->cap = all->cap ? 2 * all->cap : 64;
		all->list = xrealloc(all->list, all->cap, sizeof(*all->list));
	}
	all->list[all->n++] = number;
}

static bool add_number(void *arg, const struct listed *row)
{
	add_one(arg, row->number);
	return true;
}

static int by_number(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void sort_unique(struct numbers *all)
{
	size_t kept = 0;

	if (!all->n)
		return;
	qsort(all->list, all->n, sizeof(*all->list), by_number);
	for (size_t i = 1; i < all->n; i++)
		if (all->list[i] != all->list[kept])
			all->list[++kept] = all->list[i];
	all->n = kept + 1;
}

/* Keeps, of the numbers from index `from` on, those whose order another look
 * may open again. */
static enum rc keep_reopening(struct pass *p, struct numbers *all, size_t from,
			      struct err *e)
{
	int64_t now = time_now();
	size_t kept = from;
	enum rc rc = OK;

	for (size_t i = from; i < all->n && !rc; i++) {
		struct order o = {0};

		rc = store_order(p->sweep->place->store, p->in->id, all->list[i],
				 &o, e);
		if (!rc && sweep_may_reopen(p->account->zone, &o, now))
			all->list[kept++] = all->list[i];
		if (rc == RC_NOTFOUND)
			rc = OK;
		order_release(&o);
	}
	all->n = kept;
	return rc;
}

/* Finds the orders of a warehouse that a look alone ended in the last days. */
static enum rc gather_ended(struct pass *p, int64_t warehouse,
			    struct numbers *all, struct err *e)
{
	size_t from = all->n;
	enum rc rc = store_done_since(p->sweep->place->store, p->in->id,
				      warehouse, time_now() - SWEEP_REOPENS, 0,
				      add_number, all, e);

	return rc ? rc : keep_reopening(p, all, from, e);
}

/* Finds the orders to look at: open, or accepted and not shipped, for a shop of
 * the instance; or ended by a look alone. */
static enum rc gather(struct pass *p, struct numbers *all, struct err *e)
{
	static const enum list lists[] = {LIST_OPEN, LIST_MINE};
	enum rc rc = OK;

	for (size_t i = 0; i < p->config->n_shops; i++) {
		const struct config_shop *shop = &p->config->shops[i];

		if (strcmp(shop->centra, p->in->id) != 0)
			continue;
		for (size_t k = 0; k < 2 * shop->warehouses.n && !rc; k++)
			rc = store_list(p->sweep->place->store, p->in->id,
					shop->warehouses.ids[k / 2],
					lists[k % 2], NULL, add_number, all,
					e);
		for (size_t k = 0; k < shop->warehouses.n && !rc; k++)
			rc = gather_ended(p, shop->warehouses.ids[k], all, e);
	}
	sort_unique(all);
	return rc;
}

/* ---- looking at them ---- */

struct recording {
	const struct changes *changes;
	uint64_t version; /* the version that the order had when the query
			   * began */
	int64_t updated;
};

/* Any change counts, not only Centra's events: once a shop has shipped it, a
 * reading from before or after shows something else. */
static enum rc record(void *arg, const struct order *o, struct changes *ret,
		      struct err *e)
{
	const struct recording *r = arg;

	if (o->version != r->version || o->updated != r->updated)
		return fail(e, RC_CONFLICT, "it changed during the query");
	changes_add_copies(ret, r->changes);
	return OK;
}

/* co NULL: the reply did not contain the order. */
static enum rc look_at(struct pass *p, struct order *o,
		       const struct centra_order *co, struct err *e)
{
	const struct workplace *place = p->sweep->place;
	struct task task = p->task;
	struct work w = {
		.task = &task,
		.order = o,
		.now = time_now(),
		.steady = time_mono(),
		.look_began = p->look_began,
		.boot = p->sweep->boot,
		.clock_ahead = clock_wrong_by(place->clock, time_now(),
					      time_mono()),
		.zone = p->account->zone,
		.look_again = p->config->server.look_again,
		.missed_after = p->config->server.missed_after,
	};
	struct recording r = {&w.result.changes, o->version, o->updated};
	enum rc rc;

	task.number = o->number;
	if (co)
		look_record(&w, co);
	else
		look_record_absent(&w);
	rc = store_update(place->store, o->instance, o->number, record, &r,
			  w.now, NULL, NULL, e);
	result_release(&w.result);
	p->looked++;
	COUNT(place->counters, sweep_looks_total);
	return rc == RC_CONFLICT ? OK : rc;
}

static enum rc look_at_all(struct pass *p, struct order *orders, size_t n,
			   const struct centra_orders *got, struct err *e)
{
	enum rc rc = OK;

	for (size_t i = 0; i < n && !rc; i++) {
		const struct centra_order *co = NULL;

		for (size_t k = 0; k < got->n && !co; k++)
			if (got->list[k].number == orders[i].number)
				co = &got->list[k];
		rc = look_at(p, &orders[i], co, e);
	}
	return rc;
}

static enum rc look_at_batch(struct pass *p, const int64_t *numbers, size_t n,
			     struct err *e);

/* Handles a query without a usable reply.  One order may spoil the reply for
 * those that are asked for with it, every time: so the others are looked at
 * without it. */
static enum rc look_apart(struct pass *p, const int64_t *numbers, size_t n,
			  const struct call *call, struct err *e)
{
	enum rc rc;

	if (!look_spoiled(call))
		return fail(e, RC_AGAIN, "%s", call->why.text);
	if (n > 1 && p->spare < 2) {
		if (!p->left)
			p->left = numbers[0];
		return OK;
	}
	if (n == 1) {
		p->unread++;
		log_limited(UNREAD_A_MINUTE, LOG_WARN,
			    "the sweep cannot look at an order",
			    LOG_S("instance", p->in->id),
			    LOG_N("order", numbers[0]),
			    LOG_S("error", call->why.text));
		return OK;
	}
	p->spare -= 2;
	rc = look_at_batch(p, numbers, n / 2, e);
	return rc ? rc : look_at_batch(p, numbers + n / 2, n - n / 2, e);
}

/* The orders are read before the query begins, so that later changes are not
 * judged by it. */
static enum rc look_at_batch(struct pass *p, const int64_t *numbers, size_t n,
			     struct err *e)
{
	struct order orders[ORDERS_QUERY_MAX];
	struct centra_orders got = {0};
	size_t n_orders = 0;
	enum rc rc = OK;

	for (size_t i = 0; i < n && !rc; i++) {
		rc = store_order(p->sweep->place->store, p->in->id, numbers[i],
				 &orders[n_orders], e);
		n_orders += !rc;
		if (rc == RC_NOTFOUND)
			rc = OK;
	}
	if (rc || !n_orders)
		goto out;
	do {
		centra_orders_release(&got);
		p->look_began = time_mono();
		graphql_orders(p->conn, numbers, n, false, &got);
	} while (held(p, "sweep: orders", &got.call));
	rc = got.call.end == CALL_OK ? look_at_all(p, orders, n_orders, &got, e)
				     : look_apart(p, numbers, n, &got.call, e);
out:
	for (size_t i = 0; i < n_orders; i++)
		order_release(&orders[i]);
	centra_orders_release(&got);
	return rc;
}

/* Where in the list the look begins: after the order at which the sweep before
 * was given up, or it might never reach the rest. */
static size_t beginning(const struct numbers *all, int64_t behind)
{
	size_t i = 0;

	while (i < all->n && all->list[i] <= behind)
		i++;
	return i < all->n ? i : 0;
}

static enum rc look_at_open(struct pass *p, struct err *e)
{
	struct numbers all = {0};
	enum rc rc = gather(p, &all, e);
	size_t at = beginning(&all, p->turn->behind), n;

	for (size_t left = all.n; left && !rc; left -= n) {
		n = all.n - at < left ? all.n - at : left;
		if (n > ORDERS_QUERY_MAX)
			n = ORDERS_QUERY_MAX;
		rc = look_at_batch(p, &all.list[at], n, e);
		p->turn->behind = all.list[at + n - 1];
		at = (at + n) % all.n;
	}
	free(all.list);
	if (!rc && p->left) {
		/* The next sweep has as many further queries, and begins
		 * here. */
		p->turn->behind = p->left - 1;
		rc = fail(e, RC_AGAIN, "Centra cannot show many of the orders");
	}
	return rc;
}

/* ---- what waits, and no shop knows of ---- */

static enum rc is_unknown(struct pass *p, int64_t number, bool *ret,
			  struct err *e)
{
	struct order o = {0};
	enum rc rc = store_order(p->sweep->place->store, p->in->id, number, &o,
				 e);

	*ret = rc == RC_NOTFOUND ||
	       (!rc &&
		sweep_unknown(&o, strcmp(p->in->recover, "offer") == 0));
	order_release(&o);
	return rc == RC_NOTFOUND ? OK : rc;
}

/* Each order is looked at once more, `missed_after` after it was first seen:
 * adding a task that exists does not put it off. */
static enum rc suspect(struct pass *p, const struct centra_numbers *got,
		       struct err *e)
{
	struct task *tasks = xcalloc(got->n, sizeof(*tasks));
	int64_t now = time_now();
	bool unknown = false;
	size_t n = 0;
	enum rc rc = OK;

	for (size_t i = 0; i < got->n && !rc; i++) {
		rc = is_unknown(p, got->list[i], &unknown, e);
		if (rc || !unknown)
			continue;
		tasks[n] = p->task;
		tasks[n].number = got->list[i];
		tasks[n].created = now;
		tasks[n++].due = now + p->config->server.missed_after;
	}
	if (!rc)
		rc = store_tasks_add(p->sweep->place->store, tasks, n, e);
	p->waiting += got->n + got->unread;
	p->unknown += n;
	p->unread += got->unread;
	if (got->unread)
		log_limited(UNREAD_A_MINUTE, LOG_WARN,
			    "orders that wait have no number that can be read",
			    LOG_S("instance", p->in->id),
			    LOG_N("orders", (int64_t)got->unread));
	free(tasks);
	return rc;
}

static bool is_among(const struct numbers *all, int64_t number)
{
	return all->n && bsearch(&number, all->list, all->n,
				 sizeof(*all->list), by_number);
}

/* Keeps in `got` the numbers that were not read before. */
static void keep_new(struct numbers *read, struct centra_numbers *got)
{
	size_t n = 0;

	for (size_t i = 0; i < got->n; i++)
		if (!is_among(read, got->list[i]))
			got->list[n++] = got->list[i];
	got->n = n;
	for (size_t i = 0; i < n; i++)
		add_one(read, got->list[i]);
	sort_unique(read);
}

/* Reads the whole list, page by page.  *ret_pages: how many it had; *ret_new:
 * whether it named an order that is not in `read`, to which it is added.
 * `again`: rows that cannot be read were counted before. */
static enum rc read_waiting(struct pass *p, bool again, struct numbers *read,
			    unsigned *ret_pages, bool *ret_new, struct err *e)
{
	struct centra_numbers got = {0};
	bool more = true;
	enum rc rc = OK;

	*ret_pages = 0;
	*ret_new = false;
	while (*ret_pages < PAGES_MOST && more && !rc) {
		++*ret_pages;
		do {
			centra_numbers_release(&got);
			graphql_waiting(p->conn, WAITING_PAGE, *ret_pages,
					&got);
		} while (held(p, "sweep: what waits", &got.call));
		if (got.call.end != CALL_OK) {
			rc = fail(e, RC_AGAIN, "%s", got.call.why.text);
			break;
		}
		more = got.n + got.unread == WAITING_PAGE;
		if (again)
			got.unread = 0;
		keep_new(read, &got);
		*ret_new = *ret_new || got.n;
		rc = suspect(p, &got, e);
	}
	centra_numbers_release(&got);
	return rc;
}

/* An order that stops waiting while the pages are read moves the orders behind
 * it forward, and one of them to a page that was read already.  So a list of
 * several pages is read again until it names no new order.  The next sweep
 * finds whatever is missed all the same. */
static enum rc look_for_unknown(struct pass *p, struct err *e)
{
	struct numbers read = {0};
	unsigned pages = 0;
	bool news = true;
	enum rc rc = OK;

	for (int i = 0; i < READS_MOST && news && !rc; i++) {
		rc = read_waiting(p, i > 0, &read, &pages, &news, e);
		if (pages <= 1)
			break;
	}
	free(read.list);
	return rc;
}

/* ---- a sweep ---- */

static enum rc sweep_instance(struct pass *p)
{
	const struct workplace *place = p->sweep->place;
	int64_t began = time_mono();
	struct err e = {""}, ignored;
	enum rc rc, open;

	p->spare = SPARE;
	p->conn = centra_conn_open(p->account->centra);
	centra_conn_lane(p->conn, CENTRA_SWEEP);
	(void)!copy_text(p->task.instance, sizeof(p->task.instance),
			 p->in->id);
	(void)!copy_text(p->task.kind, sizeof(p->task.kind), TASK_MISSED);
	p->task.again = TIME_NONE;
	rc = look_for_unknown(p, &e);
	/* This may work though the other query did not; if Centra is away both
	 * are held back. */
	open = look_at_open(p, rc ? &ignored : &e);
	if (!rc || open == RC_IO)
		rc = open;
	centra_conn_close(p->conn);
	if (rc)
		COUNT(place->counters, sweeps_failed_total);
	else
		COUNT(place->counters, sweeps_total);
	log_line(rc ? LOG_WARN : LOG_INFO,
		 rc ? LOG_MSG("sweep given up for now") : LOG_MSG("sweep done"),
		 LOG_S("instance", p->in->id),
		 LOG_N("waiting", (int64_t)p->waiting),
		 LOG_N("unknown", (int64_t)p->unknown),
		 LOG_N("looked", (int64_t)p->looked),
		 LOG_N("unread", (int64_t)p->unread),
		 LOG_N("latency_ms", time_mono() - began),
		 LOG_S("error", rc ? e.text : NULL));
	return rc;
}

static void forget_addresses(struct sweep *s, int64_t keep)
{
	int64_t now = time_now();
	struct err e;
	size_t n = 0;
	enum rc rc;

	rc = store_forget_addresses(s->place->store, now - keep, now, &n, &e);
	if (rc)
		log_line(LOG_WARN, "old addresses cannot be removed",
			 LOG_S("why", e.text));
	else if (n)
		log_line(LOG_INFO, "old addresses removed",
			 LOG_N("orders", (int64_t)n));
}

static void end_sessions(struct sweep *s, int64_t age)
{
	int64_t now = time_now();
	struct err e;
	size_t n = 0;
	enum rc rc = store_sessions_end(s->place->store, now - age, now, &n, &e);

	if (rc)
		log_line(LOG_WARN, "old sessions cannot be ended",
			 LOG_S("why", e.text));
	else if (n)
		log_line(LOG_INFO, "old sessions ended",
			 LOG_N("sessions", (int64_t)n));
}

/* Removes old addresses once an hour, and as soon as the clock is confirmed;
 * never by a wrong clock. */
static void forget(struct sweep *s, const struct config *c)
{
	if (time_mono() < s->forget || !clock_confirmed(s->place->clock))
		return;
	s->forget = time_mono() + FORGET_EVERY;
	if (c->server.keep_addresses)
		forget_addresses(s, c->server.keep_addresses);
	if (c->server.session_age)
		end_sessions(s, c->server.session_age);
}

static bool is_due(const struct turn *t, int64_t every, uint64_t asked)
{
	int64_t now = time_mono();

	return now >= t->not_before &&
	       (t->done < asked || (every && now >= t->next));
}

static void take_turn(struct sweep *s, struct turn *t, const struct config *c,
		      const struct config_instance *in,
		      const struct account *account, uint64_t asked)
{
	int64_t every = c->server.sweep_every;
	struct pass p = {
		.sweep = s,
		.config = c,
		.in = in,
		.account = account,
		.turn = t,
	};

	if (sweep_instance(&p)) {
		t->not_before = time_mono() +
				(every && every < TRY_AGAIN ? every :
							      TRY_AGAIN);
	} else {
		t->next = time_mono() + every;
		t->done = asked;
	}
}

/* Sweeps the instances whose time has come.  True: all sweeps asked for by hand
 * are done.  An instance that is new in the config has no account until a
 * restart. */
static bool sweep_all(struct sweep *s, const struct config *c, uint64_t asked,
		      uint64_t done)
{
	const struct account *a;
	bool all = true;

	for (size_t i = 0; (a = workers_account(s->workers, i)); i++) {
		const struct config_instance *in =
			config_instance(c, a->instance);
		struct turn *t = &s->turns[i];

		if (!in || !in->graphql_url)
			continue;
		if (t->done < done)
			t->done = done;
		if (is_due(t, c->server.sweep_every, asked)) {
			if (!nap(s, 0))
				return false;
			take_turn(s, t, c, in, a, asked);
		}
		all = all && t->done >= asked;
	}
	return all;
}

static void tick(struct sweep *s)
{
	struct config *c = config_now(s->place->config);
	uint64_t asked = 0, done = 0;
	struct err e;

	forget(s, c);
	if (store_sweep_asked(s->place->store, &asked, &done, &e))
		asked = done;
	if (sweep_all(s, c, asked, done) && asked != done)
		(void)!store_sweep_done(s->place->store, asked, &e);
	config_drop(c);
}

static void *run(void *arg)
{
	struct sweep *s = arg;

	do
		tick(s);
	while (nap(s, TICK));
	return NULL;
}

/* ---- birth and death ---- */

enum rc sweep_start(struct sweep **ret, const struct workplace *place,
		    const struct workers *workers, struct err *e)
{
	struct sweep *s = xcalloc(1, sizeof(*s));
	pthread_condattr_t attr;
	size_t n = 0;
	int failed;

	s->place = place;
	s->workers = workers;
	s->boot = time_boot();
	while (workers_account(workers, n))
		n++;
	s->turns = xcalloc(n, sizeof(*s->turns));
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->changed, &attr);
	pthread_condattr_destroy(&attr);
	failed = pthread_create(&s->thread, NULL, run, s);
	if (failed) {
		sweep_stop(s);
		return fail(e, RC_AGAIN, "cannot start the sweep: %s",
			    strerror(failed));
	}
	s->started = true;
	*ret = s;
	return OK;
}

void sweep_stop(struct sweep *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	if (s->started)
		pthread_join(s->thread, NULL);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	free(s->turns);
	free(s);
}
