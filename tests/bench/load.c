/* SPDX-License-Identifier: MIT
 *
 * load.c - one thread, one epoll, one request under way on each connection.
 */
#include "tests/bench/load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/cpu.h"
#include "tests/bench/hook.h"
#include "tests/bench/server.h"

#define CONNECTIONS_MAX 1024
#define SAMPLES_MAX     2000000
#define FASTEST		60000 /* requests a second that are made ahead */
#define FIRST_NUMBER	10000000 /* of eight digits, so that each request has
				  * the same length */
#define RECEIVE_MAX	2048

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- requests ---- */

/* Returns its length. */
static size_t make_request(char out[HOOK_SIZE], enum load_kind kind,
			   long number)
{
	char json[HOOK_JSON];

	if (kind == LOAD_OFFER)
		snprintf(json, sizeof(json),
			 "{\"events\":[{\"type\":\"check_first\","
			 "\"action\":\"create\","
			 "\"date\":\"2026-01-11 16:21:00.552288\",\"id\":%ld,"
			 "\"data\":{\"warehouses\":[{\"warehouseId\":3,"
			 "\"expirationAt\":\"2036-01-12T16:21:00+01:00\"}]}}]}",
			 number);
	else
		snprintf(json, sizeof(json),
			 "{\"events\":[{\"type\":\"customer\","
			 "\"action\":\"update\","
			 "\"date\":\"2026-01-11 16:21:00.552288\","
			 "\"id\":%ld}]}",
			 number);
	return hook_request(out, "se", BENCH_SECRET, json, false);
}

int requests_make(struct requests *r, enum load_kind kind, long first,
		  size_t n)
{
	char text[HOOK_SIZE];

	requests_free(r);
	r->size = make_request(text, kind, first);
	r->bytes = malloc(n * r->size);
	if (!r->bytes)
		return -1;
	for (; r->n < n; r->n++) {
		size_t len = make_request(text, kind, first + (long)r->n);

		if (len != r->size) { /* a number of more digits */
			requests_free(r);
			return -1;
		}
		memcpy(r->bytes + r->n * r->size, text, len);
	}
	return 0;
}

void requests_free(struct requests *r)
{
	free(r->bytes);
	*r = (struct requests){0};
}

/* ---- replies ---- */

/* The length of the whole reply that begins at `text`; 0: not known yet; -1: it
 * has none. */
static long reply_length(const char *text, size_t *ret_head)
{
	const char *end = strstr(text, "\r\n\r\n"), *length;

	if (!end)
		return 0;
	length = strcasestr(text, "\r\nContent-Length:");
	if (!length || length > end)
		return -1;
	*ret_head = (size_t)(end + 4 - text);
	return (long)*ret_head + strtol(length + 17, NULL, 10);
}

bool reply_is_right(const char *reply, size_t len)
{
	static const char status[] = "HTTP/1.1 200 ";
	static const char body[] = "{\"events\":1,\"new\":1,\"duplicates\":0,"
				   "\"quarantined\":0}";
	const size_t n = sizeof(body) - 1;

	return len > n + sizeof(status) &&
	       !memcmp(reply, status, sizeof(status) - 1) &&
	       !memcmp(reply + len - n, body, n) &&
	       !memcmp(reply + len - n - 4, "\r\n\r\n", 4);
}

/* ---- a run ---- */

struct conn {
	int fd;
	double sent; /* when the request went out */
	size_t len;
	char reply[RECEIVE_MAX];
};

struct run {
	const struct load *load;
	const struct requests *requests;
	size_t next; /* request to be sent */
	int epoll;
	struct conn *conns;
	int waiting;	 /* connections that wait for a reply */
	double until;	 /* it ends then, or when all is answered */
	double from, to; /* of what is counted; from 0: not yet */
	double cpu, driver;
	float *samples; /* ms */
	size_t n_samples;
	struct load_result *result;
};

static double driver_cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double server_cpu(const struct run *r)
{
	return r->load->pid ? cpu_of(r->load->pid) : 0;
}

static void begin_counting(struct run *r)
{
	r->driver = driver_cpu();
	r->cpu = server_cpu(r);
	r->from = r->to = now();
	r->until = r->from + r->load->seconds;
}

/* Sends the next request, if there is one.  -1: the connection ended. */
static int send_next(struct run *r, struct conn *c, double t)
{
	const struct requests *q = r->requests;
	const char *text = q->bytes + r->next * q->size;

	if (r->next == q->n)
		return 0;
	c->len = 0;
	c->sent = t;
	r->next++;
	r->waiting++;
	r->result->sent++;
	return write(c->fd, text, q->size) == (ssize_t)q->size ? 0 : -1;
}

static void count(struct run *r, const struct conn *c, double t)
{
	if (!reply_is_right(c->reply, c->len)) {
		if (!r->result->refused++)
			fprintf(stderr, "bench: a wrong reply: %.*s\n",
				(int)c->len, c->reply);
		return;
	}
	if (!r->from)
		return;
	r->to = t;
	r->result->stored++;
	if (r->n_samples < SAMPLES_MAX)
		r->samples[r->n_samples++] = (float)((t - c->sent) * 1000);
}

/* 1: a whole reply is there; 0: not yet; -1: the connection ended. */
static int receive(struct conn *c)
{
	ssize_t n = read(c->fd, c->reply + c->len,
			 sizeof(c->reply) - 1 - c->len);
	size_t head;
	long whole;

	if (n <= 0)
		return n < 0 && errno == EAGAIN ? 0 : -1;
	c->len += (size_t)n;
	c->reply[c->len] = '\0';
	whole = reply_length(c->reply, &head);
	if (whole <= 0)
		return (int)whole;
	return (size_t)whole < c->len ? -1 : (size_t)whole == c->len;
}

static int open_all(struct run *r)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)r->load->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	for (int i = 0; i < r->load->connections; i++) {
		struct conn *c = &r->conns[i];
		struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};
		int one = 1;

		c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (c->fd < 0 ||
		    connect(c->fd, (struct sockaddr *)&to, sizeof(to)) != 0 ||
		    fcntl(c->fd, F_SETFL, O_NONBLOCK) != 0)
			return -1;
		setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if (epoll_ctl(r->epoll, EPOLL_CTL_ADD, c->fd, &ev) != 0 ||
		    send_next(r, c, now()) != 0)
			return -1;
	}
	return 0;
}

/* -1: the connection ended. */
static int turn(struct run *r, struct conn *c)
{
	int got = receive(c);
	double t;

	if (got <= 0)
		return got;
	r->waiting--;
	t = now();
	count(r, c, t);
	return send_next(r, c, t);
}

static int drive(struct run *r)
{
	const double counted_from = now() + r->load->warm;
	struct epoll_event ready[256];
	double t;

	r->until = counted_from + r->load->seconds;
	while ((t = now()) < r->until && r->waiting) {
		int n;

		if (!r->from && t >= counted_from)
			begin_counting(r);
		n = epoll_wait(r->epoll, ready, 256, 100);
		for (int i = 0; i < n; i++)
			if (turn(r, ready[i].data.ptr) != 0)
				return -1;
	}
	return 0;
}

static int ascending(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static void summarise(struct run *r)
{
	struct load_result *to = r->result;
	double cpu = server_cpu(r) - r->cpu, driver = driver_cpu() - r->driver;
	size_t n = r->n_samples;

	if (!to->stored || r->to <= r->from)
		return;
	to->seconds = r->to - r->from;
	to->per_second = (double)to->stored / to->seconds;
	to->cpu_us = cpu * 1e6 / (double)to->stored;
	to->driver_us = driver * 1e6 / (double)to->stored;
	qsort(r->samples, n, sizeof(*r->samples), ascending);
	to->p50 = r->samples[n / 2];
	to->p99 = r->samples[n * 99 / 100];
	to->worst = r->samples[n - 1];
}

/* Numbers that no run of this process has sent yet. */
static int make_own(const struct load *l, struct requests *ret)
{
	static long next = FIRST_NUMBER;
	const size_t n = (size_t)((l->warm + l->seconds) * FASTEST) + 1;

	next += (long)n;
	return requests_make(ret, l->kind, next - (long)n, n);
}

int load_run(const struct load *l, struct load_result *ret)
{
	struct run r = {.load = l, .result = ret, .epoll = -1};
	struct requests own = {0};
	int rc = -1;

	*ret = (struct load_result){0};
	if (l->connections < 1 || l->connections > CONNECTIONS_MAX)
		return -1;
	if (!l->requests && make_own(l, &own) != 0)
		return -1;
	r.requests = l->requests ? l->requests : &own;
	r.conns = calloc((size_t)l->connections, sizeof(*r.conns));
	r.samples = calloc(SAMPLES_MAX, sizeof(*r.samples));
	r.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (r.conns == NULL || r.samples == NULL || r.epoll < 0)
		goto out;
	if (open_all(&r) != 0 || drive(&r) != 0) {
		fprintf(stderr, "bench: a connection ended: %s\n",
			strerror(errno));
		goto out;
	}
	summarise(&r);
	rc = 0;
out:
	for (int i = 0; r.conns != NULL && i < l->connections; i++)
		if (r.conns[i].fd > 0)
			close(r.conns[i].fd);
	if (r.epoll >= 0)
		close(r.epoll);
	free(r.samples);
	free(r.conns);
	requests_free(&own);
	return rc;
}
