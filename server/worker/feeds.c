/* SPDX-License-Identifier: MIT
 *
 * feeds.c - see feeds.h.
 */
#include "server/worker/feeds.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "server/worker/worker_private.h"

#define FAILED_A_MINUTE 20 /* lines in the log */

static const char *const kinds[FEEDS] = {[FEED_GRAPHQL] = TASK_FEED_GRAPHQL,
					 [FEED_SOAP] = TASK_FEED_SOAP};

/* ---- keeping what the events mean ---- */

struct keeping {
	const struct task *tasks;
	size_t n_tasks;
	const struct doc *docs;
	size_t n_docs;
};

static enum rc write_all(void *arg, const struct doc *docs, size_t n,
			 struct doc_writes *ret, struct err *e)
{
	const struct keeping *k = arg;

	(void)docs, (void)n, (void)e;
	for (size_t i = 0; i < k->n_docs; i++)
		doc_writes_put(ret, &k->docs[i]);
	for (size_t i = 0; i < k->n_tasks; i++)
		doc_writes_task(ret, &k->tasks[i]);
	return OK;
}

static enum rc keep(const struct work *w, const struct task *tasks,
		    size_t n_tasks, const struct doc *docs, size_t n_docs,
		    struct err *e)
{
	struct keeping k = {tasks, n_tasks, docs, n_docs};

	if (!n_tasks && !n_docs)
		return OK;
	return store_docs_update(workers_of(w)->parts->store, NULL, 0,
				 write_all, &k, NULL, time_now(), NULL, e);
}

/* ---- what a run did ---- */

static void log_failure(const struct work *w, const struct feed_report *r)
{
	log_limited(FAILED_A_MINUTE, LOG_WARN, "a feed could not be read",
		    LOG_S("instance", w->task->instance),
		    LOG_S("feed", feed_name(r->feed)),
		    LOG_S("why", r->why));
}

static void report(const struct work *w, const struct feed_report *r)
{
	struct counters *counters = workers_of(w)->parts->counters;

	if (r->why) {
		COUNT(counters, feed_failures_total);
		log_failure(w, r);
		return;
	}
	COUNT_BY(counters, feed_events_total, r->confirmed);
	COUNT_BY(counters, feed_looks_total, r->looks);
	COUNT_BY(counters, feed_unresolved_total, r->unresolved);
	log_line(r->unread ? LOG_WARN : LOG_DEBUG, "feed read",
		 LOG_S("instance", w->task->instance),
		 LOG_S("feed", feed_name(r->feed)),
		 LOG_N("events", (int64_t)r->confirmed),
		 LOG_N("looks", (int64_t)r->looks),
		 LOG_N("unknown", (int64_t)r->suspects),
		 LOG_N("unresolved", (int64_t)r->unresolved),
		 LOG_N("others", (int64_t)r->others),
		 LOG_N("unread", (int64_t)r->unread));
}

bool feeds_on(const struct config_instance *in, enum feed feed)
{
	return in->graphql_url && in->queue_is_ours &&
	       in->sources & (feed == FEED_SOAP ? SOURCE_SOAP : SOURCE_GRAPHQL);
}

void feeds_hands(const struct config_instance *in,
		 struct feed_progress *progress, struct feed_hands *ret)
{
	*ret = (struct feed_hands){
		.every = in->poll_feeds,
		.progress = progress,
		.keep = keep,
		.report = report,
	};
	for (int f = 0; f < FEEDS; f++)
		ret->on[f] = feeds_on(in, (enum feed)f);
}

/* ---- their tasks ---- */

static struct task task_of(const char *instance, enum feed feed)
{
	struct task t = {.again = TIME_NONE};

	(void)!copy_text(t.kind, sizeof(t.kind), kinds[feed]);
	(void)!copy_text(t.instance, sizeof(t.instance), instance);
	return t;
}

static void ask(const struct worker_parts *parts, const char *instance,
		enum feed feed)
{
	struct task t = task_of(instance, feed);
	struct err e;

	t.created = t.due = time_now();
	if (store_task_add(parts->store, &t, &e))
		log_line(LOG_WARN, "no feed can be asked for",
			 LOG_S("instance", instance), LOG_S("error", e.text));
}

static void drop(const struct worker_parts *parts, const char *instance,
		 enum feed feed)
{
	struct task t = task_of(instance, feed);
	struct err e;
	enum rc rc = store_task_drop(parts->store, &t, &e);

	if (rc && rc != RC_NOTFOUND)
		log_line(LOG_WARN, "no feed can be asked for",
			 LOG_S("instance", instance), LOG_S("error", e.text));
}

void feeds_ask(const struct worker_parts *parts, const struct workers *w)
{
	struct config *c = config_now(parts->config);
	const struct config_instance *in;
	const struct account *a;

	for (size_t i = 0; (a = workers_account(w, i)) && !a->of_shop; i++) {
		in = config_instance(c, a->instance);
		for (int f = 0; f < FEEDS; f++) {
			if (in && feeds_on(in, (enum feed)f))
				ask(parts, a->instance, (enum feed)f);
			else
				drop(parts, a->instance, (enum feed)f);
		}
	}
	config_drop(c);
}

const struct feed_progress *workers_feed(const struct workers *w, size_t i,
					 enum feed feed)
{
	return i < w->accounts.n ? &w->accounts.feeds[i][feed] : NULL;
}
