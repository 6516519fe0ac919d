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
#include "server/live/live_private.h"

#define POLL	  250	/* ms between looks for changes of other processes */
#define BATCH_MAX 10000 /* changes read at once; of more, lists are read again */

/* ---- the room's thread ---- */

/* Marks who waits for one of these orders, or everybody. */
static void mark_waiters(struct live *c, const struct change_list *l)
{
	bool any = false;

	pthread_mutex_lock(&c->lock);
	for (struct waiter *w = c->waiters; w; w = w->next) {
		w->told |= l->gap;
		for (size_t i = 0; i < l->n && !w->told; i++)
			w->told = w->number == l->list[i].number &&
				  !strcmp(w->instance, l->list[i].instance);
		any |= w->told;
	}
	if (any && !c->called) {
		c->called = true;
		http_call(c->parts.http, &c->call);
	}
	pthread_mutex_unlock(&c->lock);
}

/* Changes of this process are signalled; those of another one are not. */
static void notify_foreign(struct live *c, uint64_t newest)
{
	bool foreign;

	pthread_mutex_lock(&c->lock);
	foreign = newest > c->own;
	if (foreign)
		c->own = newest;
	pthread_mutex_unlock(&c->lock);
	if (foreign && c->parts.foreign)
		c->parts.foreign(c->parts.foreign_arg);
}

static void follow(struct live *c, const struct config *config)
{
	uint64_t newest = store_newest_change(c->parts.store);
	struct change_list l = {.after = c->seen,
				.to = newest,
				.most = BATCH_MAX};
	struct err e;

	if (newest == c->seen)
		return;
	notify_foreign(c, newest);
	if (change_list_read(&l, c->parts.store, &e)) {
		/* Tried again with the next poll; who waits has a deadline. */
		log_limited(6, LOG_ERROR, "changes cannot be read",
			    LOG_S("error", e.text));
		change_list_release(&l);
		return;
	}
	change_list_last(&l);
	pthread_mutex_lock(&c->lock);
	c->seen = newest;
	if (l.gap) {
		pending_free(c->pending);
		c->pending = NULL;
	}
	pthread_mutex_unlock(&c->lock);
	mark_waiters(c, &l);
	screens_changed(c, config, &l);
	change_list_release(&l);
}

/* Which shops have which warehouses, as a number. */
static uint64_t shops_of(const struct live *c, const struct config *config)
{
	uint64_t h = 1;

	for (size_t i = 0; i < config->n_shops; i++) {
		char id[VIEW_SIZE];

		view_id(id, c->parts.store, &config->shops[i]);
		for (const char *p = config->shops[i].id; *p; p++)
			h = h * 31 + (unsigned char)*p;
		for (const char *p = id; *p; p++)
			h = h * 31 + (unsigned char)*p;
	}
	return h;
}

/* At the start, after a gap, and when a reload changed the shops. */
static void count_pending(struct live *c, const struct config *config)
{
	uint64_t shops = shops_of(c, config);
	struct pending *fresh = NULL, *old;
	struct err e;

	if (c->pending && shops == c->shops)
		return;
	if (pending_read(&fresh, c->parts.store, config, &e)) {
		log_limited(6, LOG_ERROR, "pending offers cannot be counted",
			    LOG_S("error", e.text));
		return;
	}
	c->shops = shops;
	pthread_mutex_lock(&c->lock);
	old = c->pending;
	c->pending = fresh;
	pthread_mutex_unlock(&c->lock);
	pending_free(old);
}

/* Waits for a signal or the next poll; false: the room stops. */
static bool wait_for_work(struct live *c, bool at_once)
{
	struct timespec until;
	bool go_on;
	int error = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += POLL * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	pthread_mutex_lock(&c->lock);
	while (!at_once && !c->signalled && !c->stopping && !error)
		error = pthread_cond_timedwait(&c->wake, &c->lock, &until);
	c->signalled = false;
	go_on = !c->stopping;
	pthread_mutex_unlock(&c->lock);
	return go_on;
}

static void *run(void *arg)
{
	struct live *c = arg;
	bool more = true;

	while (wait_for_work(c, more)) {
		struct config *config = config_now(c->parts.config);

		screens_sweep(c);
		follow(c, config);
		screens_watch(c, config);
		more = screens_greet(c, config);
		count_pending(c, config);
		config_drop(config);
	}
	return NULL;
}

/* ---- the loop ---- */

/* Takes the waiters that were told off the list. */
static struct waiter *take_told(struct live *c)
{
	struct waiter *told = NULL, **at = &c->waiters;

	while (*at) {
		struct waiter *w = *at;

		if (!w->told) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		w->next = told;
		told = w;
	}
	return told;
}

/* The call of changes->call. */
static void deliver(struct http_call *call)
{
	struct live *c = call->arg;
	struct waiter *told, *next;

	pthread_mutex_lock(&c->lock);
	c->called = false;
	told = take_told(c);
	screens_send(c, c->outbox);
	c->outbox = NULL;
	c->outbox_end = &c->outbox;
	pthread_mutex_unlock(&c->lock);
	for (; told; told = next) {
		next = told->next;
		request_resume(told->req); /* it may wait anew at once */
		free(told);
	}
}

/* ---- life ---- */

static enum rc start_thread(struct live *c, struct err *e)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&c->thread, NULL, run, c);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error)
		return fail(e, RC_IO, "no thread for the screens: %s",
			    strerror(error));
	c->running = true;
	return OK;
}

enum rc live_open(struct live **ret, const struct live_parts *parts,
		     struct err *e)
{
	struct live *c = xcalloc(1, sizeof(*c));
	pthread_condattr_t steady;
	enum rc rc;

	c->parts = *parts;
	c->call = (struct http_call){.fn = deliver, .arg = c};
	c->outbox_end = &c->outbox;
	c->seen = c->own = store_newest_change(parts->store);
	c->revocations = store_revocations(parts->store);
	pthread_mutex_init(&c->lock, NULL);
	pthread_condattr_init(&steady);
	pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
	pthread_cond_init(&c->wake, &steady);
	pthread_condattr_destroy(&steady);
	rc = start_thread(c, e);
	if (rc) {
		live_close(c);
		return rc;
	}
	*ret = c;
	return OK;
}

void live_stop(struct live *c)
{
	if (!c || !c->running)
		return;
	pthread_mutex_lock(&c->lock);
	c->stopping = true;
	pthread_cond_signal(&c->wake);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->thread, NULL);
	c->running = false;
}

void live_close(struct live *c)
{
	if (!c)
		return;
	live_stop(c);
	for (struct waiter *w = c->waiters, *next; w; w = next) {
		next = w->next;
		free(w);
	}
	screens_close(c);
	pending_free(c->pending);
	pthread_cond_destroy(&c->wake);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

/* ---- other threads ---- */

void live_signal(void *changes, uint64_t newest)
{
	struct live *c = changes;

	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	if (newest > c->own)
		c->own = newest;
	c->signalled = true;
	pthread_cond_signal(&c->wake);
	pthread_mutex_unlock(&c->lock);
}

void live_wait(struct live *c, struct request *req, const char *instance,
		  int64_t number)
{
	struct waiter *w;

	pthread_mutex_lock(&c->lock);
	for (w = c->waiters; w && w->req != req; w = w->next)
		;
	if (!w) {
		w = xcalloc(1, sizeof(*w));
		w->req = req;
		w->next = c->waiters;
		c->waiters = w;
	}
	w->told = false;
	w->number = number;
	if (!copy_text(w->instance, sizeof(w->instance), instance))
		w->number = 0; /* no order has it: the deadline remains */
	pthread_mutex_unlock(&c->lock);
}

void live_forget(struct live *c, const struct request *req)
{
	struct waiter **at = &c->waiters;

	pthread_mutex_lock(&c->lock);
	while (*at) {
		struct waiter *w = *at;

		if (w->req == req) {
			*at = w->next;
			free(w);
		} else {
			at = &w->next;
		}
	}
	pthread_mutex_unlock(&c->lock);
}
