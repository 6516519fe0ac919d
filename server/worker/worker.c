/* SPDX-License-Identifier: MIT
 *
 * worker.c - see worker.h and worker_private.h.
 *
 * The store decides which task is next, and never gives two threads tasks of
 * one order.  A wake goes to one thread; a thread that leased a task wakes the
 * next one before it runs the task, so that one new task does not wake all.
 */
#include "server/worker/worker.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "server/worker/feeds.h"
#include "server/worker/locks.h"
#include "server/worker/reconcile.h"
#include "server/worker/retention.h"
#include "server/worker/worker_private.h"

/* ms between checks of the queue: a command adds tasks without a signal. */
#define SLEEP_MAX 1000
/* ms that a thread waits after a write that failed for now. */
#define PAUSE 1000
/* ms: no failed task waits longer than this, unless look_again is longer. */
#define LONGEST_RETRY (65 * 60000)

/* ---- sleeping and waking ---- */

bool workers_stopping(struct workers *w)
{
	bool ret;

	pthread_mutex_lock(&w->lock);
	ret = w->stopping;
	pthread_mutex_unlock(&w->lock);
	return ret || *w->parts->failed;
}

static uint64_t wakes(struct workers *w)
{
	uint64_t ret;

	pthread_mutex_lock(&w->lock);
	ret = w->wakes;
	pthread_mutex_unlock(&w->lock);
	return ret;
}

void workers_wake(struct workers *w)
{
	pthread_mutex_lock(&w->lock);
	w->wakes++;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

/* Sleeps for ms, or until a wake that came after wake number `seen`, or until
 * the stop. */
static void sleep_for(struct workers *w, uint64_t seen, int64_t ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&w->lock);
	while (!w->stopping && w->wakes == seen)
		if (pthread_cond_timedwait(&w->changed, &w->lock, &until))
			break;
	pthread_mutex_unlock(&w->lock);
}

void workers_pause(struct workers *w)
{
	int64_t end = time_mono() + PAUSE, left = PAUSE;

	while (left > 0 && !workers_stopping(w)) {
		sleep_for(w, wakes(w), left);
		left = end - time_mono();
	}
}

/* ---- between tasks: the clock, redrives, old data ---- */

/* Has tasks made due after the start, since the clock may have been set back
 * while no server ran.  If the store shows no sign of that, only tasks that wait
 * longer than any retry are rewritten: usually none. */
static void hurry_at_start(struct workers *w)
{
	int64_t now = time_now();
	bool ahead = true;
	struct err e;

	if (store_dated_after(w->parts->store, now, &ahead, &e))
		ahead = true;
	for (size_t i = 0; i < w->accounts.n; i++)
		hurry_ask(w, i, now, ahead ? 0 : LONGEST_RETRY);
}

static int64_t sweep_every(struct workers *w)
{
	struct config *c = config_now(w->parts->config);
	int64_t ret = c->server.sweep_every;

	config_drop(c);
	return ret;
}

void workers_clock(struct workers *w, int64_t wall, int64_t mono)
{
	int64_t back = clock_went_back(w->parts->clock, wall, mono);

	if (!back)
		return;
	log_line(LOG_WARN, "the clock went back", LOG_N("ms", back));
	for (size_t i = 0; i < w->accounts.n; i++)
		hurry_ask(w, i, wall, 0);
	/* By the clock that went back the next reconciliation is due too
	 * late. */
	reconcile_in(w->parts, w, sweep_every(w));
	feeds_ask(w->parts, w);
	workers_wake(w);
}

/* Notices a redrive, by this process or another, and has each API that is held
 * back tried at once. */
static void notice_redrives(struct workers *w)
{
	uint64_t redrives;
	struct err e;
	bool more;

	if (store_wakes(w->parts->store, &redrives, &e))
		return;
	pthread_mutex_lock(&w->lock);
	more = redrives != w->redrives;
	w->redrives = redrives;
	pthread_mutex_unlock(&w->lock);
	if (!more)
		return;
	accounts_try_now(&w->accounts);
	receivers_try_now(&w->receivers);
	workers_wake(w);
}

/* Removes some of what is too old, if it is time for that: one thread at a time
 * does it, between two tasks.  Returns after how many ms this thread is to come
 * back for more. */
static int64_t run_retention(struct workers *w)
{
	int64_t mono = time_mono(), wait;
	bool mine;

	if (!clock_confirmed(w->parts->clock))
		return SLEEP_MAX;
	pthread_mutex_lock(&w->lock);
	mine = !w->retaining && mono >= w->retention_due;
	w->retaining |= mine;
	pthread_mutex_unlock(&w->lock);
	if (!mine)
		return SLEEP_MAX;
	wait = retention_step(&w->retention, w->parts, mono);
	pthread_mutex_lock(&w->lock);
	w->retaining = false;
	w->retention_due = time_mono() + wait;
	pthread_mutex_unlock(&w->lock);
	return wait;
}

/* Bounds the webhooks that wait for shops' systems, as run_retention() removes
 * old data. */
static int64_t run_bound(struct workers *w)
{
	int64_t mono = time_mono(), wait;
	bool mine;

	pthread_mutex_lock(&w->lock);
	mine = !w->bounding && mono >= w->outgoing_due;
	w->bounding |= mine;
	pthread_mutex_unlock(&w->lock);
	if (!mine)
		return SLEEP_MAX;
	wait = outgoing_step(w->parts);
	pthread_mutex_lock(&w->lock);
	w->bounding = false;
	w->outgoing_due = time_mono() + wait;
	pthread_mutex_unlock(&w->lock);
	return wait;
}

/* ---- a worker thread ---- */

/* Waits for a task, for `most` ms at most. */
static void wait_for_task(struct workers *w, uint64_t seen, int64_t next,
			  int64_t most)
{
	int64_t ms = most < SLEEP_MAX ? most : SLEEP_MAX;

	if (next != TIME_NONE && next - time_now() < ms)
		ms = next - time_now();
	if (ms > 0)
		sleep_for(w, seen, ms);
}

static void *thread_main(void *arg)
{
	struct thread *t = arg;
	struct workers *w = t->workers;

	while (!workers_stopping(w)) {
		uint64_t seen = wakes(w);
		int64_t next = TIME_NONE, again, bound;
		bool hurried;
		size_t n = 0;
		struct err e;
		enum rc rc;

		workers_clock(w, time_now(), time_mono());
		again = run_retention(w);
		bound = run_bound(w);
		again = bound < again ? bound : again;
		hurried = hurry_step(w, time_mono());
		rc = store_lease(w->parts->store, time_now(), handler_batch,
				 t->tasks, BATCH_MAX, &n, &next, &e);
		if (!rc) {
			workers_wake(w);
			run_tasks(t, n);
		} else if (rc == RC_NOTFOUND) {
			notice_redrives(w);
			if (!hurried)
				wait_for_task(w, seen, next, again);
		} else {
			log_limited(LOG_A_MINUTE, LOG_ERROR,
				    "no task can be read",
				    LOG_S("rc", rc_name(rc)),
				    LOG_S("error", e.text));
			workers_pause(w);
		}
	}
	return NULL;
}

/* ---- start, reload, stop: the main thread ---- */

static enum rc start_thread(struct workers *w, struct thread *t, struct err *e)
{
	int failed;

	t->workers = w;
	t->conns = xcalloc(w->accounts.n, sizeof(struct centra_conn *));
	for (size_t i = 0; i < w->accounts.n; i++)
		t->conns[i] = centra_conn_open(w->accounts.list[i].centra);
	failed = pthread_create(&t->id, NULL, thread_main, t);
	if (failed)
		return fail(e, RC_AGAIN, "cannot start a worker: %s",
			    strerror(failed));
	t->started = true;
	return OK;
}

/* Keeps one thread for tasks that call no API, and shares out the others among
 * the instances, so that a Centra that hangs cannot take the threads of
 * another.  An instance needs at least two: one for each API.  Calls of systems
 * outside have threads besides. */
static void bound_runs(struct workers *w)
{
	size_t n = w->accounts.n_instances;
	size_t most = n ? (w->n_threads - GROUP_OUTSIDE_RUNS - 1) / n : 0;

	store_bound_runs(w->parts->store,
			 most < CENTRA_APIS ? CENTRA_APIS : (unsigned)most);
	store_gates(w->parts->store, accounts_gate, w);
}

enum rc workers_start(struct workers **ret, const struct worker_parts *parts,
		      struct err *e)
{
	struct workers *w = xcalloc(1, sizeof(*w));
	struct config *c = config_now(parts->config);
	pthread_condattr_t attr;
	enum rc rc = OK;

	w->parts = parts;
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->changed, &attr);
	pthread_condattr_destroy(&attr);

	w->boot = time_boot();
	w->others = reconcile_others(parts);
	w->docs = worker_docs(parts);
	accounts_open(&w->accounts, c);
	receivers_open(&w->receivers);
	receivers_reload(&w->receivers, c);
	tries_init(&w->tries, w->accounts.settle);
	hurries_open(w);
	hurry_at_start(w);
	w->n_threads = (size_t)c->server.workers + GROUP_OUTSIDE_RUNS;
	w->threads = xcalloc(w->n_threads, sizeof(*w->threads));
	bound_runs(w);
	for (size_t i = 0; i < w->n_threads && !rc; i++)
		rc = start_thread(w, &w->threads[i], e);
	if (rc)
		goto out;
	*ret = w;
	w = NULL;
out:
	workers_stop(w);
	config_drop(c);
	return rc;
}

void workers_reload(struct workers *w)
{
	struct config *c = config_now(w->parts->config);

	for (size_t i = 0; i < w->accounts.n; i++)
		if (account_reload(&w->accounts.list[i], c))
			hurry_ask(w, i, time_now(), 0);
	receivers_reload(&w->receivers, c);
	pthread_mutex_lock(&w->lock);
	w->outgoing_due = 0;
	pthread_mutex_unlock(&w->lock);
	reconcile_in(w->parts, w, c->server.sweep_every);
	feeds_ask(w->parts, w);
	locks_ask(w->parts, w);
	config_drop(c);
	workers_wake(w);
}

static void stop_thread(struct thread *t)
{
	if (t->started)
		pthread_join(t->id, NULL);
	for (size_t i = 0; t->conns && i < t->workers->accounts.n; i++)
		centra_conn_close(t->conns[i]);
	free(t->conns);
	free(t->warehouses);
	free(t->systems);
}

void workers_stop(struct workers *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
	for (size_t i = 0; i < w->n_threads; i++)
		stop_thread(&w->threads[i]);
	store_gates(w->parts->store, NULL, NULL);
	hurries_close(w);
	accounts_close(&w->accounts);
	receivers_close(&w->receivers);
	tries_release(&w->tries);
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	free(w->threads);
	free(w);
}
