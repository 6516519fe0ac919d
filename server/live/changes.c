/* SPDX-License-Identifier: MIT
 *
 * changes.c - see changes.h.
 */
#include "server/live/changes.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "server/app.h"
#include "server/http/http.h"
#include "server/live/screens.h"
#include "server/worker/worker.h"

struct waiter {
	struct request *req; /* borrowed: forgotten before it ends */
	char instance[INSTANCE_SIZE];
	int64_t number;
	bool told; /* its order has changed */
	struct waiter *next;
};

struct live {
	struct app *app;

	/* Between the writer thread and the loop. */
	pthread_mutex_t lock;
	struct http *http; /* NULL: the loop does not run, or no more */
	bool called;	   /* `call` is on its way */
	struct http_call call;

	/* The loop's own. */
	uint64_t seen; /* no change up to this is news */
	struct waiter *waiters;
	struct streams *streams; /* owned */
};

/* A `fn` of store_changes(). */
static bool mark_waiters(void *arg, const struct changed *c)
{
	struct live *l = arg;

	streams_note(l->streams, c);

	for (struct waiter *w = l->waiters; w; w = w->next)
		if (w->number == c->number && !strcmp(w->instance, c->instance))
			w->told = true;
	l->seen = c->change;
	return true;
}

/* Requests are resumed after the store was read: one may wait anew at once. */
static void resume_told(struct live *l)
{
	struct waiter **at = &l->waiters;

	while (*at) {
		struct waiter *w = *at;

		if (!w->told) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		request_resume(w->req);
		free(w);
	}
}

static void follow(struct live *l)
{
	uint64_t newest = store_newest_change(l->app->store);
	struct err e;

	if (newest == l->seen)
		return;
	if (!l->waiters && !streams_count(l->streams)) {
		l->seen = newest;
		return;
	}
	/* Not read: again with the next tick; who waits has its deadline. */
	if (store_changes(l->app->store, l->seen, mark_waiters, l, &e))
		log_limited(6, LOG_ERROR, "changes cannot be read",
			    LOG_S("error", e.text));
	else if (newest > l->seen)
		l->seen = newest;
	streams_tell(l->streams);
	resume_told(l);
}

/* In the loop thread, after live_changed(). */
static void on_call(struct http_call *c)
{
	struct live *l = c->arg;
	bool running;

	pthread_mutex_lock(&l->lock);
	l->called = false;
	running = l->http != NULL;
	pthread_mutex_unlock(&l->lock);
	if (running)
		follow(l);
}

enum rc live_open(struct live **ret, struct app *app, struct err *e)
{
	struct live *l = xcalloc(1, sizeof(*l));

	(void)e;
	l->app = app;
	l->call = (struct http_call){.fn = on_call, .arg = l};
	l->seen = store_newest_change(app->store);
	l->streams = streams_open(app);
	pthread_mutex_init(&l->lock, NULL);
	*ret = l;
	return OK;
}

void live_close(struct live *l)
{
	if (!l)
		return;
	for (struct waiter *w = l->waiters, *next; w; w = next) {
		next = w->next;
		free(w);
	}
	streams_close(l->streams);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

void live_changed(void *live, uint64_t newest)
{
	struct live *l = live;

	(void)newest; /* the store says it again */
	if (!l)
		return;
	pthread_mutex_lock(&l->lock);
	if (l->http && !l->called) {
		l->called = true;
		http_call(l->http, &l->call);
	}
	pthread_mutex_unlock(&l->lock);
}

void live_tick(struct live *l)
{
	pthread_mutex_lock(&l->lock);
	l->http = l->app->http;
	pthread_mutex_unlock(&l->lock);
	streams_tick(l->streams, l->seen, time_mono());
	/* Our own writes have woken the workers already; a change that is news
	 * here was most likely made by the command line. */
	if (store_newest_change(l->app->store) == l->seen)
		return;
	if (l->app->workers)
		workers_wake(l->app->workers);
	follow(l);
}

void live_detach(struct live *l)
{
	pthread_mutex_lock(&l->lock);
	l->http = NULL;
	pthread_mutex_unlock(&l->lock);
}

void live_wait(struct live *l, struct request *req, const char *instance,
	       int64_t number)
{
	struct waiter *w = xcalloc(1, sizeof(*w));

	w->req = req;
	w->number = number;
	if (!copy_text(w->instance, sizeof(w->instance), instance))
		w->number = 0; /* no order has it: the deadline remains */
	w->next = l->waiters;
	l->waiters = w;
}

void live_forget(struct live *l, struct request *req)
{
	struct waiter **at = &l->waiters;

	while (*at) {
		struct waiter *w = *at;

		if (w->req == req) {
			*at = w->next;
			free(w);
		} else {
			at = &w->next;
		}
	}
}

struct streams *live_streams(struct live *l)
{
	return l->streams;
}

uint64_t live_seen(const struct live *l)
{
	return l->seen;
}
