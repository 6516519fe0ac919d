/* SPDX-License-Identifier: MIT
 *
 * screens.c - see screens.h.
 */
#include "tests/bench/screens.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/client.h"

#define SEEN_MAX  ((size_t)1 << 24)
#define LINE_MAX_ 8192 /* bytes of a line that are kept */
#define GREET_S	  20.0

/* Where a byte of a chunked body stands. */
enum where { HEAD, SIZE, DATA, AFTER };

struct screen {
	int fd, index;
	enum where where;
	size_t left; /* bytes of the chunk */
	size_t n;    /* of the line */
	bool greeted, order;
	char line[LINE_MAX_];
};

struct screens {
	pthread_t thread;
	int epoll, n;
	struct screen *list; /* owned */
	struct seen *seen;   /* owned */
	atomic_size_t n_seen, greeted, closed, resyncs;
	atomic_bool stop;
};

static void note_order(struct screens *s, const struct screen *x, double at)
{
	const char *number = strstr(x->line, "\"number\":"),
		   *state = strstr(x->line, "\"state\":\"");
	size_t i = s->n_seen;

	if (number == NULL || state == NULL || i == SEEN_MAX)
		return;
	s->seen[i] = (struct seen){
		.at = at,
		.number = strtoll(number + 9, NULL, 10),
		.screen = x->index,
		.state = state[9],
	};
	s->n_seen = i + 1;
}

static void take_line(struct screens *s, struct screen *x, double at)
{
	x->line[x->n] = '\0';
	x->n = 0;
	if (strncmp(x->line, "event: ", 7) == 0) {
		x->order = strcmp(x->line + 7, "order") == 0;
		if (strcmp(x->line + 7, "hello") != 0)
			return;
		if (x->greeted)
			s->resyncs++;
		else
			s->greeted++;
		x->greeted = true;
	} else if (x->order && strncmp(x->line, "data: ", 6) == 0) {
		note_order(s, x, at);
	}
}

static void take_data(struct screens *s, struct screen *x, char c, double at)
{
	if (c == '\n')
		take_line(s, x, at);
	else if (x->n < sizeof(x->line) - 1)
		x->line[x->n++] = c;
}

/* Reads the header, then sizes and bytes of chunks. */
static void take_byte(struct screens *s, struct screen *x, char c, double at)
{
	switch (x->where) {
	case HEAD:
		x->n = c == '\n' ? x->n + 1 : c == '\r' ? x->n : 0;
		if (x->n == 2) {
			x->n = 0;
			x->where = SIZE;
		}
		break;
	case SIZE:
		if (c == '\n')
			x->where = x->left ? DATA : AFTER;
		else if (c != '\r')
			x->left = x->left * 16 +
				  (size_t)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
		break;
	case DATA:
		take_data(s, x, c, at);
		if (--x->left == 0)
			x->where = AFTER;
		break;
	case AFTER:
		if (c == '\n')
			x->where = SIZE;
		break;
	}
}

static void hear(struct screens *s, struct screen *x)
{
	static char in[1 << 18];
	ssize_t n = recv(x->fd, in, sizeof(in), MSG_DONTWAIT);
	double at = bench_now();

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		s->closed++;
		close(x->fd);
		x->fd = -1;
		return;
	}
	for (ssize_t i = 0; i < n; i++)
		take_byte(s, x, in[i], at);
}

static void *listen_all(void *arg)
{
	struct screens *s = arg;
	struct epoll_event ready[256];

	while (!s->stop) {
		int n = epoll_wait(s->epoll, ready, 256, 50);

		for (int i = 0; i < n; i++)
			hear(s, ready[i].data.ptr);
	}
	return NULL;
}

static int connect_one(struct screens *s, int i, int port, const char *token)
{
	struct screen *x = &s->list[i];
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = x};
	char text[512];
	int n = snprintf(text, sizeof(text),
			 "GET /api/v1/stream?screen=1 HTTP/1.1\r\nHost: x\r\n"
			 "Authorization: Bearer %s\r\n\r\n",
			 token);

	x->index = i;
	x->fd = bench_dial(port);
	if (x->fd < 0 || send(x->fd, text, (size_t)n, MSG_NOSIGNAL) != n)
		return -1;
	return epoll_ctl(s->epoll, EPOLL_CTL_ADD, x->fd, &ev);
}

struct screens *screens_open(int port, char (*tokens)[64], int n_tokens, int n)
{
	struct screens *s = calloc(1, sizeof(*s));
	double until = bench_now() + GREET_S;
	int bad = 0;

	if (s == NULL)
		abort();
	s->n = n;
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	s->list = calloc((size_t)n + 1, sizeof(*s->list));
	s->seen = malloc(SEEN_MAX * sizeof(*s->seen));
	if (s->list == NULL || s->seen == NULL ||
	    pthread_create(&s->thread, NULL, listen_all, s) != 0)
		abort();
	for (int i = 0; i < n && !bad; i++)
		bad = connect_one(s, i, port, tokens[i % n_tokens]);
	while (!bad && s->greeted < (size_t)n && bench_now() < until)
		usleep(5000);
	if (s->greeted == (size_t)n)
		return s;
	fprintf(stderr, "bench: %zu of %d screens were greeted\n",
		(size_t)s->greeted, n);
	screens_stop(s, &(const struct seen *){NULL});
	screens_free(s);
	return NULL;
}

size_t screens_seen(const struct screens *s)
{
	return s->n_seen;
}

size_t screens_stop(struct screens *s, const struct seen **ret)
{
	s->stop = true;
	pthread_join(s->thread, NULL);
	*ret = s->seen;
	return s->n_seen;
}

void screens_trouble(const struct screens *s, size_t *ret_closed,
		     size_t *ret_resyncs)
{
	*ret_closed = s->closed;
	*ret_resyncs = s->resyncs;
}

void screens_free(struct screens *s)
{
	for (int i = 0; i < s->n; i++)
		if (s->list[i].fd > 0)
			close(s->list[i].fd);
	close(s->epoll);
	free(s->list);
	free(s->seen);
	free(s);
}
