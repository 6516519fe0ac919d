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

#include "tests/bench/hook.h"

#define CONNECTIONS_MAX 1024
#define SAMPLES_MAX     2000000

struct conn {
	int fd;
	double sent; /* when the request went out */
	size_t len;
	char reply[2048];
};

struct run {
	const struct load *load;
	int epoll;
	struct conn *conns;
	long next_number; /* of the order: each webhook is a new one */
	double counted_from, until;
	float *samples; /* ms */
	size_t n_samples;
	struct load_result *result;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void make_json(struct run *r, char json[HOOK_JSON])
{
	long n = r->next_number++;

	if (r->load->kind == LOAD_OFFER)
		snprintf(json, HOOK_JSON,
			 "{\"events\":[{\"type\":\"check_first\","
			 "\"action\":\"create\","
			 "\"date\":\"2026-01-11 16:21:00.552288\",\"id\":%ld,"
			 "\"data\":{\"warehouses\":[{\"warehouseId\":3,"
			 "\"expirationAt\":\"2036-01-12T16:21:00+01:00\"}]}}]}",
			 n);
	else
		snprintf(json, HOOK_JSON,
			 "{\"events\":[{\"type\":\"customer\","
			 "\"action\":\"update\","
			 "\"date\":\"2026-01-11 16:21:00.552288\","
			 "\"id\":%ld}]}",
			 n);
}

static int send_next(struct run *r, struct conn *c)
{
	char json[HOOK_JSON], request[HOOK_SIZE];
	size_t n;

	make_json(r, json);
	n = hook_request(request, "se", json, false);
	c->len = 0;
	c->sent = now();
	return write(c->fd, request, n) == (ssize_t)n ? 0 : -1;
}

static void count(struct run *r, const struct conn *c)
{
	double t = now();

	if (t < r->counted_from || t > r->until)
		return;
	if (memcmp(c->reply, "HTTP/1.1 200", 12) != 0) {
		r->result->refused++;
		return;
	}
	r->result->stored++;
	if (r->n_samples < SAMPLES_MAX)
		r->samples[r->n_samples++] = (float)((t - c->sent) * 1000);
}

/* 1: a whole reply is there; 0: not yet; -1: the connection ended. */
static int receive(struct conn *c)
{
	ssize_t n = read(c->fd, c->reply + c->len,
			 sizeof(c->reply) - 1 - c->len);
	const char *end, *length;

	if (n <= 0)
		return n < 0 && errno == EAGAIN ? 0 : -1;
	c->len += (size_t)n;
	c->reply[c->len] = '\0';
	end = strstr(c->reply, "\r\n\r\n");
	if (end == NULL)
		return 0;
	length = strcasestr(c->reply, "\r\nContent-Length:");
	if (length == NULL || length > end)
		return -1;
	return c->len >= (size_t)(end + 4 - c->reply) +
				 strtoul(length + 17, NULL, 10);
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
		    send_next(r, c) != 0)
			return -1;
	}
	return 0;
}

static int drive(struct run *r)
{
	struct epoll_event ready[64];

	while (now() < r->until) {
		int n = epoll_wait(r->epoll, ready, 64, 100);

		for (int i = 0; i < n; i++) {
			struct conn *c = ready[i].data.ptr;
			int got = receive(c);

			if (got < 0)
				return -1;
			if (got == 0)
				continue;
			count(r, c);
			if (send_next(r, c) != 0)
				return -1;
		}
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
	size_t n = r->n_samples;

	r->result->per_second = (double)r->result->stored / r->load->seconds;
	if (n == 0)
		return;
	qsort(r->samples, n, sizeof(*r->samples), ascending);
	r->result->p50 = r->samples[n / 2];
	r->result->p99 = r->samples[n * 99 / 100];
	r->result->worst = r->samples[n - 1];
}

int load_run(const struct load *l, struct load_result *ret)
{
	struct run r = {.load = l, .result = ret, .epoll = -1};
	int rc = -1;

	*ret = (struct load_result){0};
	if (l->connections < 1 || l->connections > CONNECTIONS_MAX)
		return -1;
	r.next_number = 1 + (long)l->kind * 100000000L;
	r.conns = calloc((size_t)l->connections, sizeof(*r.conns));
	r.samples = calloc(SAMPLES_MAX, sizeof(*r.samples));
	r.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (r.conns == NULL || r.samples == NULL || r.epoll < 0)
		goto out;
	r.counted_from = now() + l->warm;
	r.until = r.counted_from + l->seconds;
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
	return rc;
}
