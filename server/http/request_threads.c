/* SPDX-License-Identifier: MIT
 *
 * request_threads.c - the threads that run functions of requests, callers in
 * turn (fair_queue.h).  A request comes from the loop, suspended, and goes back
 * to it by http_call(), whatever its function did.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "base/time.h"
#include "server/http/http_private.h"

/* Request threads run at this nice value, so that the loop, the writer and the
 * workers go first on machines with few cores. */
#define NICE 5

struct request_threads {
	struct http *http;
	pthread_mutex_t lock; /* protects the queue and `stopping` */
	pthread_cond_t work;
	struct fair_queue *queue; /* owned */
	bool stopping;
	pthread_t *threads; /* owned */
	unsigned n, started;
};

static struct http_request *of_item(struct fair_item *i)
{
	return (struct http_request *)((char *)i -
				       offsetof(struct http_request, item));
}

/* Waits for the next request whose turn it is; NULL: the threads stop.  It is
 * counted as running before it ceases to be counted as waiting. */
static struct http_request *take(struct request_threads *t)
{
	struct http_counters *counters = t->http->o.counters;
	struct fair_item *i = NULL;

	pthread_mutex_lock(&t->lock);
	while (!t->stopping && !(i = fair_take(t->queue)))
		pthread_cond_wait(&t->work, &t->lock);
	pthread_mutex_unlock(&t->lock);
	if (!i)
		return NULL;
	atomic_fetch_add(&counters->running, 1);
	atomic_fetch_sub(&counters->waiting, 1);
	return of_item(i);
}

static void *serve_requests(void *arg)
{
	struct request_threads *t = arg;
	struct http_counters *counters = t->http->o.counters;
	struct http_request *x;

	/* On Linux this affects the calling thread alone. */
	(void)setpriority(PRIO_PROCESS, 0, NICE);
	while ((x = take(t))) {
		request_on_thread(x);
		atomic_fetch_sub(&counters->running, 1);
		pthread_mutex_lock(&t->lock);
		fair_done(t->queue, &x->item);
		pthread_mutex_unlock(&t->lock);
		http_call(t->http, &x->call);
	}
	return NULL;
}

struct request_threads *threads_open(struct http *h, unsigned n,
				     unsigned per_caller)
{
	struct request_threads *t = xcalloc(1, sizeof(*t));

	t->http = h;
	t->n = n ? n : 1;
	t->threads = xcalloc(t->n, sizeof(*t->threads));
	t->queue = fair_open(per_caller);
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->work, NULL);
	return t;
}

enum rc threads_start(struct request_threads *t, struct err *e)
{
	for (; t->started < t->n; t->started++) {
		int error = pthread_create(&t->threads[t->started], NULL,
					   serve_requests, t);

		if (error)
			return fail(e, RC_IO,
				    "cannot start a request thread: %s",
				    strerror(error));
	}
	return OK;
}

bool threads_add(struct request_threads *t, struct http_request *x,
		 size_t waiting)
{
	bool added;

	/* The request is counted before a thread can take it, which counts it
	 * down again. */
	atomic_fetch_add(&t->http->o.counters->waiting, 1);
	pthread_mutex_lock(&t->lock);
	added = fair_add(t->queue, x->key, &x->item, waiting);
	if (added)
		pthread_cond_signal(&t->work);
	pthread_mutex_unlock(&t->lock);
	if (!added)
		atomic_fetch_sub(&t->http->o.counters->waiting, 1);
	return added;
}

void threads_add_first(struct request_threads *t, struct http_request *x)
{
	atomic_fetch_add(&t->http->o.counters->waiting, 1);
	pthread_mutex_lock(&t->lock);
	fair_add_first(t->queue, x->key, &x->item);
	pthread_cond_signal(&t->work);
	pthread_mutex_unlock(&t->lock);
}

bool threads_action(struct request_threads *t, const struct http_request *x,
		    unsigned most, int64_t *ret_wait)
{
	bool may;

	pthread_mutex_lock(&t->lock);
	may = fair_action(t->queue, x->key, most, ACTIONS_MS, time_mono(),
			  ret_wait);
	pthread_mutex_unlock(&t->lock);
	return may;
}

void threads_drop_waiting(struct request_threads *t)
{
	struct fair_item *i;

	do {
		pthread_mutex_lock(&t->lock);
		i = fair_drop(t->queue);
		pthread_mutex_unlock(&t->lock);
		if (!i)
			continue;
		atomic_fetch_sub(&t->http->o.counters->waiting, 1);
		request_not_run(of_item(i));
	} while (i);
}

void threads_stop(struct request_threads *t)
{
	pthread_mutex_lock(&t->lock);
	t->stopping = true;
	pthread_cond_broadcast(&t->work);
	pthread_mutex_unlock(&t->lock);
	while (t->started)
		pthread_join(t->threads[--t->started], NULL);
}

void threads_close(struct request_threads *t)
{
	if (!t)
		return;
	threads_stop(t);
	fair_close(t->queue);
	free(t->threads);
	pthread_cond_destroy(&t->work);
	pthread_mutex_destroy(&t->lock);
	free(t);
}
