/* SPDX-License-Identifier: MIT
 *
 * run.c - a run of leased tasks, by the thread that leased them: what the
 * handler is given is loaded, the handler runs, and its results are stored.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "handlers/backoff.h"
#include "server/worker/feeds.h"
#include "server/worker/worker_private.h"

/* ---- begin: a try at a call to Centra is made durable ---- */

struct begin_try {
	const struct changes *so_far; /* of the run */
	begin_fn *fn;
	void *arg;
};

static enum rc add_try(void *arg, const struct order *o, struct changes *ret,
		       struct err *e)
{
	const struct begin_try *b = arg;

	changes_add_copies(ret, b->so_far);
	return b->fn(b->arg, o, ret, e);
}

/* Makes durable that a try is about to begin: the function `begin` of struct
 * work. */
static enum rc begin(struct work *w, begin_fn *fn, void *arg, struct err *e)
{
	struct workers *workers = workers_of(w);
	struct begin_try b = {
		.so_far = &w->result.changes,
		.fn = fn,
		.arg = arg,
	};
	struct order as_it_is = {0};
	enum rc rc;

	/* A run may make many calls, and a stop must not wait for all of them:
	 * none begins after the stop began. */
	if (workers_stopping(workers))
		return fail(e, RC_AGAIN, "the server stops");
	rc = store_update(workers->parts->store, w->task->instance,
			  w->task->number, add_try, &b, time_now(), &as_it_is,
			  NULL, e);
	if (rc) {
		order_release(&as_it_is);
		return rc;
	}
	changes_release(&w->result.changes);
	order_release(w->order);
	*w->order = as_it_is;
	w->since_try = 0;
	tries_note(&workers->tries, w->task, time_mono());
	return OK;
}

/* ---- load: what a run is given ---- */

/* Gives a run its instance's connection and zone.  An instance that is no
 * longer in the config has neither. */
static void give_account(const struct thread *t, struct work *to)
{
	const struct accounts *all = &t->workers->accounts;
	const struct account *a = accounts_find(all, to->task->instance);
	size_t i = a ? (size_t)(a - all->list) : 0;

	if (!a)
		return;
	to->centra = t->conns[i];
	to->zone = a->zone;
	to->settle = a->settle;
	to->round = &all->rounds[i][to->task->sub == RECONCILE_BY_HAND];
}

/* Lists the warehouses of the instance's shops, and those whose shop's own
 * system ships. */
static void list_warehouses(struct thread *t, const struct config *c,
			    const char *instance)
{
	for (size_t i = 0; i < c->n_shops; i++) {
		const struct config_shop *shop = &c->shops[i];

		if (strcmp(shop->centra, instance) != 0)
			continue;
		t->warehouses = xrealloc(t->warehouses,
					 t->n_warehouses + shop->warehouses.n,
					 sizeof(*t->warehouses));
		for (size_t k = 0; k < shop->warehouses.n; k++)
			t->warehouses[t->n_warehouses++] =
				shop->warehouses.ids[k];
		if (strcmp(config_ships_with(c, shop), "order_api") != 0)
			continue;
		t->systems = xrealloc(t->systems,
				      t->n_systems + shop->warehouses.n,
				      sizeof(*t->systems));
		for (size_t k = 0; k < shop->warehouses.n; k++)
			t->systems[t->n_systems++] = shop->warehouses.ids[k];
	}
}

static void give_feeds(struct thread *t, const struct config_instance *in,
		       size_t n)
{
	const struct accounts *all = &t->workers->accounts;
	const struct account *a = in ? accounts_find(all, in->id) : NULL;

	if (!a)
		return;
	feeds_hands(in, all->feeds[a - all->list], &t->feeds);
	for (size_t i = 0; i < n; i++)
		t->works[i].feeds = &t->feeds;
}

/* Gives a run of a warehouse's task the quiet hours of its shop. */
static void give_hours(const struct config *c, struct work *w)
{
	const struct config_shop *shop =
		w->task->number < 0 ? config_shop_of(c, w->task->instance,
						     -w->task->number)
				    : NULL;

	if (shop)
		(void)hours_read(shop->stock_quiet_hours, &w->quiet);
}

/* Gives a run that calls the shop's own plugin the connection to it; none if
 * the shop has none. */
static void give_plugin(const struct thread *t, const struct config *c,
			struct work *to)
{
	const struct accounts *all = &t->workers->accounts;
	const struct config_shop *shop = config_shop_of(
		c, to->task->instance, -to->task->number);
	const struct account *a =
		accounts_of_shop(all, shop ? shop->id : NULL);

	to->centra = a ? t->conns[a - all->list] : NULL;
	to->settle = a ? a->settle : to->settle;
}

/* Gives the runs of one instance the present settings. */
static void give_settings(struct thread *t, size_t n)
{
	static const int64_t none[1];
	struct config *c = config_now(t->workers->parts->config);
	const struct config_instance *in =
		config_instance(c, t->works[0].task->instance);

	t->n_warehouses = t->n_systems = 0;
	if (in)
		list_warehouses(t, c, in->id);
	give_feeds(t, in, n);
	for (size_t i = 0; in && i < n; i++) {
		struct work *w = &t->works[i];

		w->look_again = c->server.look_again;
		w->missed_after = c->server.missed_after;
		w->answer_wait = c->server.answer_wait;
		w->sweep_every = c->server.sweep_every;
		w->poll_every = in->poll_requests;
		w->recover = strcmp(in->recover, "offer") == 0;
		w->lock_orders = in->lock_orders;
		w->ship_on_pending = in->ship_on_pending_capture;
		w->warehouses = t->warehouses ? t->warehouses : none;
		w->n_warehouses = t->n_warehouses;
		w->systems = t->systems;
		w->n_systems = t->n_systems;
		give_hours(c, w);
		if (w->task->group == CALLS_SHOP_API)
			give_plugin(t, c, w);
	}
	if (t->works[0].task->group >= GROUP_OUTSIDE)
		receivers_give(t, c, &t->works[0]);
	config_drop(c);
}

static bool applies_event(const char *kind)
{
	return strcmp(kind, TASK_CHECK_FIRST) == 0 ||
	       strcmp(kind, TASK_ALLOCATION_REQUEST) == 0 ||
	       strcmp(kind, TASK_ORDER) == 0;
}

/* Loads the order and the event of the i-th run. */
static enum rc load(struct thread *t, const struct task *task, size_t i,
		    struct err *e)
{
	struct store *store = t->workers->parts->store;
	struct clock *clock = t->workers->parts->clock;
	bool with_event = applies_event(task->kind);
	enum rc rc;

	t->orders[i] = (struct order){0};
	t->events[i] = (struct event){0};
	if (with_event) {
		rc = store_event(store, (uint64_t)task->sub, &t->events[i], e);
		if (rc == RC_NOTFOUND)
			return fail(e, rc, "event '%" PRId64 "' is gone",
				    task->sub);
		if (rc)
			return rc;
	}
	rc = store_order(store, task->instance, task->number, &t->orders[i], e);
	if (rc == RC_NOTFOUND)
		order_init(&t->orders[i], task->instance, task->number);
	else if (rc) {
		event_release(&t->events[i]);
		return rc;
	}
	t->works[i] = (struct work){
		.task = task,
		.event = with_event ? &t->events[i] : NULL,
		.order = &t->orders[i],
		.now = time_now(),
		.steady = time_mono(),
		.boot = t->workers->boot,
		.since_try = tries_since(&t->workers->tries, task, time_mono(),
					 clock_running(clock, time_mono())),
		.clock_unsure = !clock_confirmed(clock),
		.clock_ahead = clock_wrong_by(clock, time_now(), time_mono()),
		.renewed = store_renewed(store),
		.begin = begin,
		.worker = t,
		.called = calls_note,
		.alarm = calls_alarm,
		.others = &t->workers->others,
		.docs = &t->workers->docs,
	};
	t->works[i].result.only_if.set = !task_keeps_order(task);
	t->works[i].result.only_if.version = t->orders[i].version;
	t->works[i].result.only_if.updated = t->orders[i].updated;
	give_account(t, &t->works[i]);
	return OK;
}

/* ---- finish: results are stored, counted and logged ---- */

static void log_outcome(const struct task *t, const struct result *r,
			int64_t took)
{
	static const struct {
		enum log_level level;
		const char *msg;
	} of[] = {
		[OUTCOME_DONE] = {LOG_DEBUG, LOG_MSG("task done")},
		[OUTCOME_RETRY] = {LOG_INFO, LOG_MSG("task put off")},
		[OUTCOME_DEAD] = {LOG_ERROR, LOG_MSG("task given up")},
	};
	bool done = r->how == OUTCOME_DONE;
	/* A task that fails again for the same reason is logged only the first
	 * time. */
	bool again = r->how == OUTCOME_RETRY && r->why && r->why == t->why;

	log_line(again ? LOG_DEBUG : of[r->how].level, of[r->how].msg,
		 LOG_S("instance", t->instance), LOG_N("order", t->number),
		 LOG_S("kind", t->kind), LOG_N("task", (int64_t)t->id),
		 LOG_N("attempts", t->attempts + !done),
		 LOG_N("latency_ms", took),
		 LOG_S("why", done ? NULL : r->reason.text));
}

static void count_outcome(const struct worker_parts *parts, enum outcome how)
{
	switch (how) {
	case OUTCOME_DONE:
		COUNT(parts->counters, tasks_done_total);
		break;
	case OUTCOME_RETRY:
		COUNT(parts->counters, tasks_retried_total);
		break;
	case OUTCOME_DEAD:
		COUNT(parts->counters, tasks_dead_total);
		break;
	}
}

/* Counts a look that reconciliation asked for. */
static void count_look(const struct worker_parts *parts, const struct task *t,
		       enum outcome how)
{
	if (how == OUTCOME_DONE && t->lane == LANE_LAST &&
	    !strcmp(t->kind, TASK_FETCH_ORDER))
		COUNT(parts->counters, sweep_looks_total);
}

/* Counts a reading of the list of allocation requests. */
static void count_poll(const struct worker_parts *parts, const struct task *t,
		       enum outcome how)
{
	if (t->number > 0 || strcmp(t->kind, TASK_POLL_REQUESTS) != 0)
		return;
	if (how == OUTCOME_DONE)
		COUNT(parts->counters, requests_polls_total);
	else
		COUNT(parts->counters, requests_polls_failed_total);
}

/* Logs the webhooks that these changes, which are stored, say were missed. */
static void log_missed(const struct worker_parts *parts, const struct task *t,
		       const struct changes *c)
{
	struct order o = {0};
	struct err e;

	for (size_t i = 0; i < c->n; i++) {
		const struct change *m = &c->list[i];
		const struct offer *f;

		/* What the changes say may not have been stored: see
		 * result.unless. */
		if (m->kind != CHANGE_MISSED ||
		    store_order(parts->store, t->instance, t->number, &o, &e))
			continue;
		f = order_offer(&o, m->warehouse);
		if ((m->warehouse && f ? f->missed : o.missed) &
		    1u << m->missed)
			log_line(LOG_WARN, "missed webhook",
				 LOG_S("instance", t->instance),
				 LOG_N("order", t->number),
				 LOG_S("kind", missed_name(m->missed)));
		order_release(&o);
	}
}

/* Counts and logs a result.  False: the result was not stored. */
static bool note_result(const struct worker_parts *parts,
			const struct finish *f, int64_t began)
{
	const struct task *task = f->task;

	if (!f->rc) {
		count_outcome(parts, f->result->how);
		count_look(parts, task, f->result->how);
		count_poll(parts, task, f->result->how);
		log_outcome(task, f->result, time_mono() - began);
		log_missed(parts, task, &f->result->changes);
		return true;
	}
	log_limited(LOG_A_MINUTE, LOG_ERROR, "a task's result was not stored",
		    LOG_S("instance", task->instance),
		    LOG_N("order", task->number), LOG_S("kind", task->kind),
		    LOG_S("rc", rc_name(f->rc)), LOG_S("error", f->e.text));
	return false;
}

/* Stores the results.  If that fails the lease has ended all the same, and the
 * task runs again: a handler is safe to repeat. */
static void finish(struct thread *t, const struct task *const *tasks,
		   struct result *const *results, size_t n, int64_t began)
{
	const struct worker_parts *parts = t->workers->parts;
	struct finish list[BATCH_MAX];
	int64_t now = time_now();
	bool all = true;

	for (size_t i = 0; i < n; i++) {
		struct result *r = results[i];

		/* A retry that is due at once would make the thread spin. */
		if (r->how == OUTCOME_RETRY && r->due <= now)
			r->due = now + backoff(tasks[i]->attempts, 0,
						       random_number());
		list[i] = (struct finish){.task = tasks[i], .result = r};
	}
	store_finish_all(parts->store, list, n, now);
	for (size_t i = 0; i < n; i++)
		all = note_result(parts, &list[i], began) && all;
	if (!all && !*parts->failed)
		workers_pause(t->workers);
}

/* Ends a task whose order or event could not be loaded. */
static void finish_unrun(struct thread *t, const struct task *task, enum rc rc,
			 const struct err *why)
{
	struct result r = {.how = OUTCOME_RETRY, .reason = *why};

	if (rc == RC_NOTFOUND || rc == RC_INVALID)
		r.how = OUTCOME_DEAD;
	finish(t, &task, &(struct result *){&r}, 1, time_mono());
}

/* ---- a run ---- */

void run_tasks(struct thread *t, size_t n)
{
	const struct handler *h = handler_find(t->tasks[0].kind);
	const struct task *tasks[BATCH_MAX];
	struct result *results[BATCH_MAX];
	int64_t began = time_mono();
	size_t loaded = 0;
	struct err e;

	for (size_t i = 0; i < n; i++) {
		enum rc rc = OK;

		if (!h)
			rc = fail(&e, RC_INVALID, "no handler of kind '%s'",
				  t->tasks[i].kind);
		if (!rc)
			rc = load(t, &t->tasks[i], loaded, &e);
		if (rc)
			finish_unrun(t, &t->tasks[i], rc, &e);
		else
			loaded++;
	}
	if (loaded) {
		give_settings(t, loaded);
		h->run(t->works, loaded);
	}
	for (size_t i = 0; i < loaded; i++) {
		tasks[i] = t->works[i].task;
		results[i] = &t->works[i].result;
	}
	if (loaded)
		finish(t, tasks, results, loaded, began);
	for (size_t i = 0; i < loaded; i++) {
		result_release(&t->works[i].result);
		order_release(&t->orders[i]);
		event_release(&t->events[i]);
	}
	for (size_t i = 0; i < n; i++)
		task_release(&t->tasks[i]);
}
