/* SPDX-License-Identifier: MIT
 *
 * loop.c - see http.h; the loop, and its start and stop.
 *
 * The loop watches, in one epoll: the epoll of each MHD daemon (one per
 * listening socket, run only by MHD_run() from here, since MHD's own loop
 * stalls when the ready events are a multiple of 128), clients that wait to be
 * accepted, an eventfd for http_call(), each connection for its client's end, and
 * closed connections whose client still writes.
 */
#include "server/http/http.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/random.h"
#include "base/time.h"
#include "server/http/http_private.h"

#define END_IDLE_MS	 10   /* ms between two searches for idle connections
			       * while the server stops */
#define OPERATOR_THREADS 2    /* two, so that /readyz is answered while /metrics
			       * is made */

static void run_calls(struct http *h)
{
	STAILQ_HEAD(, http_call) due = STAILQ_HEAD_INITIALIZER(due);
	struct http_call *c;

	pthread_mutex_lock(&h->lock);
	STAILQ_CONCAT(&due, &h->calls);
	pthread_mutex_unlock(&h->lock);
	while ((c = STAILQ_FIRST(&due))) {
		STAILQ_REMOVE_HEAD(&due, link);
		c->fn(c); /* which may free it */
	}
}

void http_call(struct http *h, struct http_call *c)
{
	const uint64_t one = 1;
	bool first;

	pthread_mutex_lock(&h->lock);
	first = STAILQ_EMPTY(&h->calls);
	STAILQ_INSERT_TAIL(&h->calls, c, link);
	pthread_mutex_unlock(&h->lock);
	/* The write fails only if the eventfd's counter is full; then the loop
	 * wakes anyway. */
	if (first && write(h->event_fd, &one, sizeof(one)) < 0)
		return;
}

static void run_timers(struct http *h, int64_t now)
{
	struct conn *c;

	if (now >= h->tick_due) {
		h->tick_due = now + h->o.hooks.tick_ms;
		h->o.hooks.tick(h->o.hooks.arg);
	}
	while ((c = timers_take(&h->timers, now))) {
		if (c->x && c->x->where == ASIDE)
			request_timed_out(c->x);
		else
			conn_end(c);
	}
	if (now < h->wake)
		return;
	h->wake = NEVER;
	lingering_timers(h, now);
}

static int loop_timeout(const struct http *h, int64_t now)
{
	int64_t at = h->tick_due < h->wake ? h->tick_due : h->wake;
	int64_t timer = timers_earliest(&h->timers);

	if (timer < at)
		at = timer;
	for (size_t i = 0; i < LISTENERS; i++) {
		if (h->listeners[i].ready)
			return 0;
		if (h->listeners[i].due < at)
			at = h->listeners[i].due;
	}
	if (h->stop_by != NEVER && at > now + 20)
		at = now + 20;
	return at <= now ? 0 : (int)(at - now);
}

static struct listener *arrivals_of(struct http *h, const void *what)
{
	for (size_t i = 0; i < LISTENERS; i++)
		if (what == &h->listeners[i].listen_fd)
			return &h->listeners[i];
	return NULL;
}

/* Handles an epoll event by what it is about: the queue of calls, MHD's epoll
 * of a listener, its listening socket, a lingering connection, or a connection
 * whose client has ended. */
static void loop_event(struct http *h, void *what)
{
	struct listener *waits = arrivals_of(h, what);
	uint64_t n;

	if (what == h) {
		if (read(h->event_fd, &n, sizeof(n)) < 0)
			return;
	} else if (what == &h->listeners[0] || what == &h->listeners[1]) {
		((struct listener *)what)->ready = true;
	} else if (waits) {
		waits->waiting = true;
	} else if (lingering_of(h, what)) {
		lingering_read(h, lingering_of(h, what));
	} else {
		conn_hangup(what);
	}
}

static void loop_pass(struct http *h)
{
	struct epoll_event events[64];
	int64_t now = time_mono();
	int n = epoll_wait(h->epoll_fd, events, 64, loop_timeout(h, now));

	for (int i = 0; i < n; i++)
		loop_event(h, events[i].data.ptr);
	h->now = now = time_mono();
	run_calls(h);
	run_timers(h, now);
	for (size_t i = 0; i < LISTENERS; i++) {
		if (h->listeners[i].ready || h->listeners[i].due <= now)
			listener_run(&h->listeners[i]);
		listener_end_half(&h->listeners[i]);
		listener_evict(&h->listeners[i], now);
	}
}

/* ---- stopping ---- */

static bool loop_ended(struct http *h)
{
	int64_t now;
	bool empty = true;

	if (h->stop_by == NEVER)
		return false;
	now = time_mono();
	for (size_t i = 0; i < LISTENERS; i++) {
		listener_quiesce(&h->listeners[i]);
		if (now >= h->end_idle_due)
			listener_end_idle(&h->listeners[i]);
		empty = empty && !h->listeners[i].n_conns;
	}
	if (now >= h->end_idle_due)
		h->end_idle_due = now + END_IDLE_MS;
	empty = empty && !lingering_any(h);
	return empty || now >= h->stop_by;
}

/* Runs http_call()s until no request is on a request thread. */
static void wait_for_threads(struct http *h)
{
	struct pollfd p = {.fd = h->event_fd, .events = POLLIN};
	uint64_t n;

	while (!LIST_EMPTY(&h->on_threads)) {
		if (poll(&p, 1, -1) == 1 && read(h->event_fd, &n, sizeof(n)) < 0)
			continue;
		run_calls(h);
	}
}

/* Gives the requests under way a last chance to be answered.  MHD cannot stop
 * while connections are suspended. */
static void loop_end(struct http *h)
{
	for (size_t i = 0; i < LISTENERS; i++)
		listener_quiesce(&h->listeners[i]);
	stream_end_all(h);
	threads_drop_waiting(h->threads);
	threads_drop_waiting(h->operators);
	request_call_all(h);
	wait_for_threads(h);
	for (size_t i = 0; i < LISTENERS; i++)
		listener_run(&h->listeners[i]);
	threads_drop_waiting(h->threads);
	threads_drop_waiting(h->operators);
	wait_for_threads(h);
	threads_stop(h->threads);
	threads_stop(h->operators);
	request_drop_all(h);
	for (size_t i = 0; i < LISTENERS; i++)
		listener_stop(&h->listeners[i]);
}

static void *loop(void *arg)
{
	struct http *h = arg;

	while (!loop_ended(h))
		loop_pass(h);
	loop_end(h);
	if (h->o.hooks.detach)
		h->o.hooks.detach(h->o.hooks.arg);
	return NULL;
}

/* A function that in_loop() runs. */
struct in_loop {
	struct http_call call;
	void (*fn)(void *arg);
	void *arg;
	sem_t done;
};

static void run_in_loop(struct http_call *c)
{
	struct in_loop *i = c->arg;

	i->fn(i->arg);
	sem_post(&i->done);
}

/* Runs fn(arg) in the loop thread and returns when it has.  Never from the loop
 * itself. */
static void in_loop(struct http *h, void (*fn)(void *arg), void *arg)
{
	struct in_loop i = {.fn = fn, .arg = arg};

	i.call = (struct http_call){.fn = run_in_loop, .arg = &i};
	sem_init(&i.done, 0, 0);
	http_call(h, &i.call);
	while (sem_wait(&i.done) && errno == EINTR)
		;
	sem_destroy(&i.done);
}

static void quiesce(void *http)
{
	struct http *h = http;

	listener_quiesce(&h->listeners[LISTEN_PUBLIC]);
}

void http_quiesce(struct http *h)
{
	if (h->running)
		in_loop(h, quiesce, h);
}

static void begin_stop(void *http)
{
	struct http *h = http;
	struct http_request *x;

	h->stop_by = time_mono() + h->limits.stop_wait;
	stream_end_all(h);
	LIST_FOREACH(x, &h->aside, link)
		if (x->req.may_stop) {
			x->deadline = time_mono();
			timers_by(&h->timers, x->conn, x->deadline);
		}
}

void http_stop(struct http *h)
{
	if (!h || !h->running)
		return;
	in_loop(h, begin_stop, h);
	pthread_join(h->thread, NULL);
	h->running = false;
}

/* ---- birth and death ---- */

static enum rc http_init(struct http *h, struct err *e)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = h};
	enum rc rc;

	h->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	h->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (h->epoll_fd < 0 || h->event_fd < 0 ||
	    epoll_ctl(h->epoll_fd, EPOLL_CTL_ADD, h->event_fd, &ev))
		return fail(e, RC_IO, "cannot make the loop's descriptors: %s",
			    strerror(errno));
	rc = listener_open(&h->listeners[LISTEN_PUBLIC], h, LISTEN_PUBLIC, e);
	if (!rc)
		rc = listener_open(&h->listeners[LISTEN_ADMIN], h, LISTEN_ADMIN, e);
	return rc;
}

/* ---- limits ---- */

static void networks_copy(struct networks *ret, const struct networks *from)
{
	*ret = (struct networks){0};
	if (!from || !from->n)
		return;
	ret->list = xmemdup(from->list, from->n * sizeof(*from->list));
	ret->n = from->n;
}

/* Allows only our own files to be loaded, and pictures of these origins too, and
 * no other site to embed the page. */
#define PAGE_POLICY                                                           \
	"default-src 'self'; %s%s%sobject-src 'none'; base-uri 'none'; "      \
	"frame-ancestors 'none'; form-action 'self'"

static char *page_policy(const char *pictures)
{
	bool any = pictures && *pictures;

	return xasprintf(PAGE_POLICY, any ? "img-src 'self' " : "",
			 any ? pictures : "", any ? "; " : "");
}

/* Takes over limits: at the start, while the loop does not run, or in the
 * loop. */
static void take_limits(struct http *h, const struct http_limits *l)
{
	networks_release(&h->proxies);
	networks_copy(&h->proxies, l->proxies);
	h->limits = *l;
	h->limits.proxies = &h->proxies;
	free(h->page_policy);
	h->page_policy = page_policy(l->pictures);
	h->limits.pictures = NULL;
}

struct new_limits {
	struct http_call call;
	struct http *http;
	struct http_limits limits;
	struct networks proxies; /* owned */
	char *pictures;		 /* owned */
};

static void on_new_limits(struct http_call *c)
{
	struct new_limits *n = c->arg;

	take_limits(n->http, &n->limits);
	networks_release(&n->proxies);
	free(n->pictures);
	free(n);
}

void http_set_limits(struct http *h, const struct http_limits *limits)
{
	struct new_limits *n = xcalloc(1, sizeof(*n));

	n->call = (struct http_call){.fn = on_new_limits, .arg = n};
	n->http = h;
	n->limits = *limits;
	networks_copy(&n->proxies, limits->proxies);
	n->limits.proxies = &n->proxies;
	n->limits.pictures = n->pictures = xstrdup(limits->pictures);
	http_call(h, &n->call);
}

/* Returns how many threads one caller may have: never all, if there are
 * several. */
static unsigned per_caller(const struct http_options *o)
{
	unsigned most = o->limits.running ? o->limits.running : CALLER_RUNNING;

	if (most >= o->request_threads)
		most = o->request_threads - 1;
	return most ? most : 1;
}

enum rc http_open(struct http **ret, const struct http_options *o,
		  struct err *e)
{
	struct http *h = xcalloc(1, sizeof(*h));
	enum rc rc;

	h->o = *o;
	take_limits(h, &o->limits);
	if (!o->hooks.tick)
		h->tick_due = NEVER;
	h->epoll_fd = h->event_fd = -1;
	STAILQ_INIT(&h->calls);
	for (size_t i = 0; i < LISTENERS; i++) {
		TAILQ_INIT(&h->listeners[i].idle);
		TAILQ_INIT(&h->listeners[i].busy);
	}
	h->wake = h->stop_by = NEVER;
	h->now = time_mono();
	h->id_prefix = random_number();
	h->callers = callers_open();
	h->threads = threads_open(h, o->request_threads, per_caller(o));
	h->operators = threads_open(h, OPERATOR_THREADS, 1);
	for (size_t i = 0; i < LISTENERS; i++)
		h->listeners[i].listen_fd = -1;
	for (size_t i = 0; i < LINGERING_MAX; i++)
		h->lingering[i].fd = -1;
	pthread_mutex_init(&h->lock, NULL);
	rc = http_routes_check(o->routes, e);
	if (!rc)
		rc = http_init(h, e);
	if (rc) {
		http_close(h);
		return rc;
	}
	*ret = h;
	return OK;
}

const char *http_address(const struct http *h)
{
	return h->listeners[LISTEN_PUBLIC].address;
}

const char *http_admin_address(const struct http *h)
{
	return h->listeners[LISTEN_ADMIN].address;
}

enum rc http_start(struct http *h, struct err *e)
{
	sigset_t all, before;
	enum rc rc;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = threads_start(h->threads, e);
	if (!rc)
		rc = threads_start(h->operators, e);
	error = rc ? 0 : pthread_create(&h->thread, NULL, loop, h);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc)
		return rc;
	if (error)
		return fail(e, RC_IO, "cannot start the loop: %s",
			    strerror(error));
	h->running = true;
	return OK;
}

void http_close(struct http *h)
{
	if (!h)
		return;
	http_stop(h);
	for (size_t i = 0; i < LISTENERS; i++)
		listener_close(&h->listeners[i]);
	run_calls(h); /* their requests have ended: these calls only free
		       * memory */
	lingering_end_all(h);
	if (h->event_fd >= 0)
		close(h->event_fd);
	if (h->epoll_fd >= 0)
		close(h->epoll_fd);
	pthread_mutex_destroy(&h->lock);
	networks_release(&h->proxies);
	free(h->page_policy);
	threads_close(h->threads);
	threads_close(h->operators);
	callers_close(h->callers);
	timers_release(&h->timers);
	request_spare_release(h);
	free(h);
}
