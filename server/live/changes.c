/* SPDX-License-Identifier: MIT
 *
 * changes.c - see changes.h.
 */
#include "server/live/changes.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "server/live/live_private.h"

#define POLL 250 /* ms between checks for changes made by other processes */
#define BATCH_MAX 10000 /* changes that are read at once */
#define COUNT_AT_ONCE 1000 /* orders that are read for the count of pending
			    * offers before the thread looks for changes
			    * again */

/* ---- the room's thread ---- */

/* Marks the requests that wait for one of the changed orders; after a gap in
 * the changes, all that wait. */
static void mark_waiters(struct live *live, const struct change_list *l)
{
	struct waiter *w;
	bool any = false;

	pthread_mutex_lock(&live->lock);
	LIST_FOREACH(w, &live->waiters, link)
	{
		w->told |= l->gap;
		for (size_t i = 0; i < l->n && !w->told; i++)
			w->told = w->number == l->list[i].number &&
				  !strcmp(w->instance, l->list[i].instance);
		any |= w->told;
	}
	if (any && !live->called) {
		live->called = true;
		http_call(live->parts.http, &live->call);
	}
	pthread_mutex_unlock(&live->lock);
}

/* Reads the changes after `after` up to `to`.  False: they cannot be read now,
 * which is logged; the next poll tries again. */
static bool read_changes(struct live *live, uint64_t after, uint64_t to,
			 struct change_list *ret)
{
	struct err e;

	*ret = (struct change_list){
		.after = after, .to = to, .most = BATCH_MAX};
	if (!change_list_read(ret, live->parts.store, &e))
		return true;
	log_limited(6, LOG_ERROR, "changes cannot be read",
		    LOG_S("error", e.text));
	change_list_release(ret);
	return false;
}

/* Resumes requests that wait for what has changed up to `newest`: at once,
 * whenever the next round is.  A request that begins to wait later reads the
 * order after that, and so with these changes. */
static void resume_waiters(struct live *live, uint64_t newest)
{
	struct change_list l;
	bool none;

	pthread_mutex_lock(&live->lock);
	none = LIST_EMPTY(&live->waiters);
	pthread_mutex_unlock(&live->lock);
	if (!none && newest != live->marked) {
		/* Requests that wait have a deadline. */
		if (!read_changes(live, live->marked, newest, &l))
			return;
		mark_waiters(live, &l);
		change_list_release(&l);
	}
	live->marked = newest;
}

/* Calls the hook `foreign` after changes made by another process.
 * (live_signal() tells of those of this process.) */
static void notify_foreign(struct live *live, uint64_t newest)
{
	bool foreign;

	pthread_mutex_lock(&live->lock);
	foreign = newest > live->own;
	if (foreign)
		live->own = newest;
	pthread_mutex_unlock(&live->lock);
	if (foreign && live->parts.foreign)
		live->parts.foreign(live->parts.foreign_arg);
}

/* Adds the changes after `after` up to `to` to the round.  False: they cannot be
 * read now. */
static bool follow_some(struct live *live, uint64_t after, uint64_t to)
{
	struct change_list l;

	if (!read_changes(live, after, to, &l))
		return false;
	change_list_last(&l);
	if (l.gap)
		screens_recount(live);
	screens_changed(live, &l);
	change_list_release(&l);
	return true;
}

/* Adds the touched orders to the round, with the number of the newest change
 * that the round tells of: a screen that has read them has read all before. */
static void follow_touched(struct live *live, uint64_t seen)
{
	struct changed list[TOUCHED];
	struct change_list l = {.list = list, .after = seen, .to = seen};

	pthread_mutex_lock(&live->lock);
	l.n = live->n_touched;
	memcpy(list, live->touched, l.n * sizeof(*list));
	live->n_touched = 0;
	pthread_mutex_unlock(&live->lock);
	for (size_t i = 0; i < l.n; i++)
		list[i].change = seen;
	if (l.n)
		screens_changed(live, &l);
}

static bool any_touched(struct live *live)
{
	bool ret;

	pthread_mutex_lock(&live->lock);
	ret = live->n_touched;
	pthread_mutex_unlock(&live->lock);
	return ret;
}

void live_follow(struct live *live, const struct config *config,
		 uint64_t newest)
{
	uint64_t seen = live->seen, to;

	if (newest == seen && !any_touched(live))
		return;
	live->round_due = time_mono() + ROUND_MS;
	screens_round_begin(live, config);
	for (; seen != newest; seen = to) {
		to = newest;
		if (newest > seen && newest - seen > BATCH_MAX)
			to = seen + BATCH_MAX;
		if (!follow_some(live, seen, to))
			break;
	}
	follow_touched(live, seen);
	screens_round_end(live, seen);
}

/* Returns a hash of which shops have which warehouses. */
static uint64_t shops_of(const struct live *live, const struct config *config)
{
	uint64_t h = 1;

	for (size_t i = 0; i < config->n_shops; i++) {
		char id[VIEW_SIZE];

		view_id(id, live->parts.store, &config->shops[i]);
		for (const char *p = config->shops[i].id; *p; p++)
			h = h * 31 + (unsigned char)*p;
		for (const char *p = id; *p; p++)
			h = h * 31 + (unsigned char)*p;
	}
	return h;
}

/* Begins to count the pending offers: at the start, after a gap in the changes,
 * and when a reload changed the shops.  Returns the count that is to go on;
 * NULL: there is one. */
static struct tally *count_begin(struct live *live, const struct config *config)
{
	uint64_t shops = shops_of(live, config);

	if (live->tally && shops == live->shops)
		return NULL;
	if (live->counting && shops == live->shops)
		return live->counting;
	screens_recount(live);
	live->shops = shops;
	pthread_mutex_lock(&live->lock);
	live->counting = tally_open(config);
	pthread_mutex_unlock(&live->lock);
	return live->counting;
}

bool live_count(struct live *live, const struct config *config)
{
	struct tally *part = count_begin(live, config);
	bool done = false;
	struct err e;

	if (!part)
		return false;
	if (tally_count_on(part, live->parts.store, COUNT_AT_ONCE, &done, &e)) {
		log_limited(6, LOG_ERROR, "pending offers cannot be counted",
			    LOG_S("error", e.text));
		screens_recount(live);
		return false;
	}
	if (!done)
		return true;
	pthread_mutex_lock(&live->lock);
	live->tally = part;
	live->counting = NULL;
	pthread_mutex_unlock(&live->lock);
	return false;
}

/* True if a round is due. */
static bool round_due(struct live *live)
{
	bool joined;

	pthread_mutex_lock(&live->lock);
	joined = live->joined;
	live->joined = false;
	pthread_mutex_unlock(&live->lock);
	return joined || time_mono() >= live->round_due;
}

int64_t live_next_look(const struct live *live, uint64_t newest, int64_t now)
{
	if (now < live->round_due || newest != live->seen)
		return live->round_due;
	return now + POLL;
}

/* Waits for a signal, the next round or the next poll; `newest` is the newest
 * change that was looked at.  False: the room stops. */
static bool wait_for_work(struct live *live, uint64_t newest, bool at_once)
{
	int64_t now = time_mono(), until = live_next_look(live, newest, now);
	const struct timespec t = {.tv_sec = until / 1000,
				   .tv_nsec = until % 1000 * 1000000L};
	bool go_on;
	int error = 0;

	pthread_mutex_lock(&live->lock);
	live->gathering = now < live->round_due;
	while (!at_once && !live->signalled && !live->stopping && !error)
		error = pthread_cond_timedwait(&live->wake, &live->lock, &t);
	live->signalled = live->gathering = false;
	go_on = !live->stopping;
	pthread_mutex_unlock(&live->lock);
	return go_on;
}

static void *run(void *arg)
{
	struct live *live = arg;
	uint64_t newest = live->seen;
	bool more = true;

	while (wait_for_work(live, newest, more)) {
		/* The order matters: a screen that was signed out before a
		 * change, or whose shop a reload took away, must not be shown
		 * the change. */
		bool due = round_due(live);
		struct config *config = config_now(live->parts.config);

		newest = store_newest_change(live->parts.store);
		screens_purge(live);
		screens_watch(live, config);
		notify_foreign(live, newest);
		resume_waiters(live, newest);
		if (due)
			live_follow(live, config, newest);
		more = screens_greet(live, config);
		more |= live_count(live, config);
		config_drop(config);
	}
	return NULL;
}

/* ---- the loop ---- */

/* Takes the waiters whose order has changed out of live->waiters, into *ret. */
static void take_told(struct live *live, struct waiters *ret)
{
	struct waiter *w, *next;

	for (w = LIST_FIRST(&live->waiters); w; w = next) {
		next = LIST_NEXT(w, link);
		if (!w->told)
			continue;
		LIST_REMOVE(w, link);
		LIST_INSERT_HEAD(ret, w, link);
	}
}

/* Runs in the loop: sends what is in the outbox and resumes the requests whose
 * order has changed.  The function of live->call. */
static void deliver(struct http_call *call)
{
	struct live *live = call->arg;
	struct waiters told = LIST_HEAD_INITIALIZER(told);
	struct waiter *w;

	pthread_mutex_lock(&live->lock);
	live->called = false;
	take_told(live, &told);
	screens_send(live);
	pthread_mutex_unlock(&live->lock);
	while ((w = LIST_FIRST(&told))) {
		LIST_REMOVE(w, link);
		request_resume(w->req); /* the request's function may wait for
					 * another change */
		free(w);
	}
}

/* ---- life ---- */

static enum rc start_thread(struct live *live, struct err *e)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&live->thread, NULL, run, live);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error)
		return fail(e, RC_IO, "no thread for the screens: %s",
			    strerror(error));
	live->running = true;
	return OK;
}

enum rc live_open(struct live **ret, const struct live_parts *parts,
		  struct err *e)
{
	struct live *live = xcalloc(1, sizeof(*live));
	pthread_condattr_t steady;
	enum rc rc;

	live->parts = *parts;
	live->call = (struct http_call){.fn = deliver, .arg = live};
	STAILQ_INIT(&live->outbox);
	live->seen = live->own = live->marked = store_newest_change(parts->store);
	live->revocations = store_revocations(parts->store);
	pthread_mutex_init(&live->lock, NULL);
	pthread_condattr_init(&steady);
	pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
	pthread_cond_init(&live->wake, &steady);
	pthread_condattr_destroy(&steady);
	rc = start_thread(live, e);
	if (rc) {
		live_close(live);
		return rc;
	}
	*ret = live;
	return OK;
}

void live_stop(struct live *live)
{
	if (!live || !live->running)
		return;
	pthread_mutex_lock(&live->lock);
	live->stopping = true;
	pthread_cond_signal(&live->wake);
	pthread_mutex_unlock(&live->lock);
	pthread_join(live->thread, NULL);
	live->running = false;
}

void live_close(struct live *live)
{
	struct waiter *w;

	if (!live)
		return;
	live_stop(live);
	while ((w = LIST_FIRST(&live->waiters))) {
		LIST_REMOVE(w, link);
		free(w);
	}
	screens_close(live);
	screens_recount(live);
	pthread_cond_destroy(&live->wake);
	pthread_mutex_destroy(&live->lock);
	free(live);
}

/* ---- other threads ---- */

void live_signal(void *changes, uint64_t newest)
{
	struct live *live = changes;

	if (!live)
		return;
	pthread_mutex_lock(&live->lock);
	if (newest > live->own)
		live->own = newest;
	if (!live->gathering || !LIST_EMPTY(&live->waiters)) {
		live->signalled = true;
		pthread_cond_signal(&live->wake);
	}
	pthread_mutex_unlock(&live->lock);
}

void live_touch(struct live *live, const char *instance, int64_t number)
{
	struct changed c = {.number = number};
	bool known;

	if (!live || !copy_text(c.instance, sizeof(c.instance), instance))
		return;
	pthread_mutex_lock(&live->lock);
	known = live->n_touched == TOUCHED;
	for (size_t i = 0; i < live->n_touched && !known; i++)
		known = live->touched[i].number == number &&
			!strcmp(live->touched[i].instance, instance);
	if (!known)
		live->touched[live->n_touched++] = c;
	live->signalled = true;
	pthread_cond_signal(&live->wake);
	pthread_mutex_unlock(&live->lock);
}

void live_wait(struct live *live, struct request *req, const char *instance,
	       int64_t number)
{
	struct waiter *w;

	pthread_mutex_lock(&live->lock);
	LIST_FOREACH(w, &live->waiters, link)
	if (w->req == req)
		break;
	if (!w) {
		w = xcalloc(1, sizeof(*w));
		w->req = req;
		LIST_INSERT_HEAD(&live->waiters, w, link);
	}
	w->told = false;
	w->number = number;
	if (!copy_text(w->instance, sizeof(w->instance), instance))
		w->number = 0; /* matches no order: the request waits for its
			        * deadline */
	pthread_mutex_unlock(&live->lock);
}

void live_forget(struct live *live, const struct request *req)
{
	struct waiter *w, *next;

	pthread_mutex_lock(&live->lock);
	for (w = LIST_FIRST(&live->waiters); w; w = next) {
		next = LIST_NEXT(w, link);
		if (w->req != req)
			continue;
		LIST_REMOVE(w, link);
		free(w);
	}
	pthread_mutex_unlock(&live->lock);
}
