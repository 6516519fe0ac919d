/* SPDX-License-Identifier: MIT
 *
 * arrivals.c - see arrivals.h.
 */
#include "tests/bench/arrivals.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/client.h"

#define PATIENCE 5.0 /* s: Centra's own */

struct conn {
	int fd;
	size_t which; /* the webhook under way */
	bool busy;
	size_t len;
	char reply[2048];
	size_t text_len;
	char text[HOOK_SIZE]; /* that webhook's request */
};

struct run {
	const struct arrivals *of;
	struct arrival *list;
	size_t n, cap;
	int epoll;
	struct conn *conns[ARRIVALS_CONNECTIONS];
	struct conn *idle[ARRIVALS_CONNECTIONS]; /* the last was used last */
	size_t n_conns, n_idle, busy;
	uint64_t random;
};

static double gap(struct run *r)
{
	double u;

	r->random = r->random * 6364136223846793005U + 1442695040888963407U;
	u = ((double)(r->random >> 11) + 1) / 9007199254740993.0;
	return -log(u) / r->of->per_second;
}

static struct conn *connect_new(struct run *r)
{
	struct conn *c = calloc(1, sizeof(*c));
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};

	if (c == NULL || r->n_conns == ARRIVALS_CONNECTIONS ||
	    (c->fd = bench_dial(r->of->port)) < 0) {
		free(c);
		return NULL;
	}
	epoll_ctl(r->epoll, EPOLL_CTL_ADD, c->fd, &ev);
	return r->conns[r->n_conns++] = c;
}

static struct conn *take(struct run *r)
{
	return r->n_idle ? r->idle[--r->n_idle] : connect_new(r);
}

/* Sends the webhook of that row, whose request is in c->text. */
static void transmit(struct run *r, struct conn *c, size_t which)
{
	c->which = which;
	c->busy = true;
	c->len = 0;
	r->busy++;
	r->list[which].sent = bench_now();
	/* An error means that the server ended the connection; ended() sees
	 * that too. */
	(void)!send(c->fd, c->text, c->text_len, MSG_NOSIGNAL);
}

static int deliver(struct run *r, double due)
{
	struct conn *c = take(r);

	if (c == NULL)
		return -1;
	if (r->n == r->cap) {
		r->cap = r->cap ? 2 * r->cap : 65536;
		r->list = realloc(r->list, r->cap * sizeof(*r->list));
		if (r->list == NULL)
			abort();
	}
	r->list[r->n] = (struct arrival){.due = due};
	c->text_len = r->of->make(r->of->arg, r->n, c->text);
	transmit(r, c, r->n++);
	return 0;
}

/* The server ended the connection, as it does with those that were idle for
 * long: it is not used again.  A webhook that it has not answered is sent again
 * on another. */
static int ended(struct run *r, struct conn *c)
{
	size_t at = 0;
	struct conn *other;

	epoll_ctl(r->epoll, EPOLL_CTL_DEL, c->fd, NULL);
	if (c->busy) {
		c->busy = false;
		r->busy--;
		other = take(r);
		if (other == NULL)
			return -1;
		memcpy(other->text, c->text, c->text_len);
		other->text_len = c->text_len;
		transmit(r, other, c->which);
		return 0;
	}
	while (at < r->n_idle && r->idle[at] != c)
		at++;
	if (at < r->n_idle)
		memmove(&r->idle[at], &r->idle[at + 1],
			(--r->n_idle - at) * sizeof(struct conn *));
	return 0;
}

/* True: the response is whole. */
static bool receive(struct conn *c, bool *ret_ended)
{
	ssize_t n = recv(c->fd, c->reply + c->len,
			 sizeof(c->reply) - 1 - c->len, MSG_DONTWAIT);
	const char *end, *length;

	*ret_ended = !n || (n < 0 && errno != EAGAIN && errno != EINTR);
	if (n <= 0)
		return false;
	c->len += (size_t)n;
	c->reply[c->len] = '\0';
	end = strstr(c->reply, "\r\n\r\n");
	length = strcasestr(c->reply, "\r\nContent-Length:");
	return end != NULL && length != NULL && length < end &&
	       c->len >= (size_t)(end + 4 - c->reply) +
				 strtoul(length + 17, NULL, 10);
}

static int hear(struct run *r, struct conn *c)
{
	const struct arrivals *a = r->of;
	bool has_ended, whole = receive(c, &has_ended);
	double at;

	if (has_ended)
		return ended(r, c);
	if (!c->busy || !whole)
		return 0;
	at = bench_now();
	c->busy = false;
	r->busy--;
	r->idle[r->n_idle++] = c;
	if (strncmp(c->reply, "HTTP/1.1 200", 12) != 0)
		return 0;
	r->list[c->which].acked = at;
	if (a->acked != NULL)
		a->acked(a->arg, c->which, at);
	return 0;
}

/* Waits at most so many seconds. */
static int turn(struct run *r, double seconds)
{
	struct timespec t = {0};
	struct epoll_event ready[128];
	int n, rc = 0;

	if (seconds > 0) {
		t.tv_sec = (time_t)seconds;
		t.tv_nsec = (long)((seconds - (double)t.tv_sec) * 1e9);
	}
	n = epoll_pwait2(r->epoll, ready, 128, &t, NULL);
	for (int i = 0; rc == 0 && i < n; i++)
		rc = hear(r, ready[i].data.ptr);
	return rc;
}

static int drive(struct run *r)
{
	double due = bench_now(), until = due + r->of->seconds;
	int rc = 0;

	while (rc == 0 && due < until) {
		rc = turn(r, due - bench_now());
		while (rc == 0 && due < until && due <= bench_now()) {
			rc = deliver(r, due);
			due += gap(r);
		}
	}
	while (rc == 0 && r->busy > 0 && bench_now() < until + PATIENCE)
		rc = turn(r, 0.01);
	return rc;
}

int arrivals_run(const struct arrivals *a, struct arrival **ret, size_t *ret_n)
{
	struct run *r = calloc(1, sizeof(*r));
	int rc;

	if (r == NULL)
		abort();
	r->of = a;
	r->random = 20261130;
	r->epoll = epoll_create1(EPOLL_CLOEXEC);
	rc = drive(r);
	if (rc != 0)
		fprintf(stderr, "bench: a connection ended: %s\n",
			strerror(errno));
	for (size_t i = 0; i < r->n_conns; i++) {
		close(r->conns[i]->fd);
		free(r->conns[i]);
	}
	close(r->epoll);
	*ret = r->list;
	*ret_n = r->n;
	free(r);
	return rc;
}
