/* SPDX-License-Identifier: MIT
 *
 * reconcile.c - see reconcile.h.
 */
#include "server/worker/reconcile.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "server/worker/worker.h"

#define UNREAD_A_MINUTE 20 /* lines in the log */

static const struct worker_parts *parts_of(const struct work *w)
{
	return w->others->arg;
}

/* ---- struct others ---- */

static enum rc listed(const struct work *w, int64_t warehouse, enum list list,
		      bool (*fn)(void *arg, const struct listed *row),
		      void *arg, struct err *e)
{
	return store_list(parts_of(w)->store, w->task->instance, warehouse,
			  list, NULL, fn, arg, e);
}

static enum rc done_since(const struct work *w, int64_t warehouse,
			  int64_t since,
			  bool (*fn)(void *arg, const struct listed *row),
			  void *arg, struct err *e)
{
	return store_done_since(parts_of(w)->store, w->task->instance,
				warehouse, since, 0, fn, arg, e);
}

static enum rc order_of(const struct work *w, int64_t number,
			struct order *ret, struct err *e)
{
	return store_order(parts_of(w)->store, w->task->instance, number, ret,
			   e);
}

static enum rc add(const struct work *w, const struct task *tasks, size_t n,
		   struct err *e)
{
	return store_tasks_add(parts_of(w)->store, tasks, n, e);
}

static void ended(const struct work *w, const struct round *r, const char *why)
{
	struct counters *counters = parts_of(w)->counters;

	if (why)
		COUNT(counters, sweeps_failed_total);
	else
		COUNT(counters, sweeps_total);
	if (r->unread)
		log_limited(UNREAD_A_MINUTE, LOG_WARN,
			    "orders that wait have no number that can be read",
			    LOG_S("instance", w->task->instance),
			    LOG_N("orders", (int64_t)r->unread));
	log_line(why ? LOG_WARN : LOG_INFO,
		 why ? LOG_MSG("sweep given up for now") : LOG_MSG("sweep done"),
		 LOG_S("instance", w->task->instance),
		 LOG_N("waiting", (int64_t)r->waiting),
		 LOG_N("unknown", (int64_t)r->unknown),
		 LOG_N("looks", (int64_t)r->looks),
		 LOG_N("unread", (int64_t)r->unread),
		 LOG_N("latency_ms", w->steady - r->began),
		 LOG_S("error", why));
}

struct others reconcile_others(const struct worker_parts *parts)
{
	return (struct others){
		.arg = (void *)(uintptr_t)parts,
		.listed = listed,
		.done_since = done_since,
		.order = order_of,
		.add = add,
		.ended = ended,
	};
}

/* ---- its tasks ---- */

static struct task task_of(const char *instance, const char *kind, int64_t sub)
{
	struct task t = {.sub = sub, .again = TIME_NONE};

	(void)!copy_text(t.kind, sizeof(t.kind), kind);
	(void)!copy_text(t.instance, sizeof(t.instance), instance);
	return t;
}

static void ask(const struct worker_parts *parts, const char *instance,
		const char *kind, int64_t due)
{
	struct task t = task_of(instance, kind, 0);
	struct err e;

	t.created = time_now();
	t.due = due;
	if (store_task_add(parts->store, &t, &e))
		log_line(LOG_WARN, "no sweep can be asked for",
			 LOG_S("instance", instance), LOG_S("error", e.text));
}

static bool can_be_asked(const struct config *c, const char *instance)
{
	const struct config_instance *in = config_instance(c, instance);

	return in && in->graphql_url;
}

void reconcile_in(const struct worker_parts *parts, const struct workers *w,
		  int64_t wait)
{
	struct config *c = config_now(parts->config);
	const struct account *a;

	for (size_t i = 0; (a = workers_account(w, i)) && !a->of_shop; i++) {
		const struct config_instance *in =
			config_instance(c, a->instance);

		if (c->server.sweep_every && can_be_asked(c, a->instance))
			ask(parts, a->instance, TASK_RECONCILE,
			    time_now() + wait);
		if (in && in->poll_requests)
			ask(parts, a->instance, TASK_POLL_REQUESTS, time_now());
	}
	config_drop(c);
}

/* The names of the instances that have tasks which call Centra. */
struct instances {
	char (*list)[INSTANCE_SIZE]; /* owned */
	size_t n;
};

static void keep_instance(void *arg, const char *instance, unsigned group,
			  uint64_t tasks)
{
	struct instances *all = arg;

	(void)group;
	if (!tasks)
		return;
	all->list = xrealloc(all->list, all->n + 1, sizeof(*all->list));
	if (copy_text(all->list[all->n], INSTANCE_SIZE, instance))
		all->n++;
}

static void drop(const struct worker_parts *parts, const char *instance,
		 const char *kind, int64_t sub)
{
	struct task t = task_of(instance, kind, sub);
	struct err e;
	enum rc rc = store_task_drop(parts->store, &t, &e);

	if (rc && rc != RC_NOTFOUND)
		log_line(LOG_WARN, "no sweep can be taken back",
			 LOG_S("instance", instance), LOG_S("error", e.text));
}

void reconcile_at_start(const struct worker_parts *parts, const struct workers *w)
{
	struct config *c = config_now(parts->config);
	struct instances all = {0};
	struct err e;

	if (store_waiting(parts->store, keep_instance, &all, &e))
		log_line(LOG_WARN, "no sweep can be taken back",
			 LOG_S("instance", NULL), LOG_S("error", e.text));
	for (size_t i = 0; i < all.n; i++) {
		if (!config_instance(c, all.list[i]))
			drop(parts, all.list[i], TASK_POLL_REQUESTS, 0);
		if (can_be_asked(c, all.list[i]))
			continue;
		drop(parts, all.list[i], TASK_RECONCILE, 0);
		drop(parts, all.list[i], TASK_RECONCILE, RECONCILE_BY_HAND);
	}
	free(all.list);
	config_drop(c);
	reconcile_in(parts, w, 0);
}
