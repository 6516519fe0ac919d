/* SPDX-License-Identifier: MIT
 *
 * client.c - see client.h.
 */
#include "tests/bench/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

double bench_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int bench_dial(int port)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
		close(fd);
		return -1;
	}
	if (fd >= 0)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

/* ---- one connection ---- */

void client_init(struct client *c, int port)
{
	*c = (struct client){.port = port, .fd = -1};
}

static int send_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t k = send(fd, p, n, MSG_NOSIGNAL);

		if (k <= 0)
			return -1;
		p += k;
		n -= (size_t)k;
	}
	return 0;
}

/* Reads one response with a Content-Length.  NULL: there is none. */
static const char *receive(struct client *c)
{
	size_t len = 0, want = 0;

	for (;;) {
		const char *end, *length;
		ssize_t n;

		if (c->cap < len + 65536) {
			c->cap = 2 * c->cap + 65536;
			c->in = realloc(c->in, c->cap);
			if (c->in == NULL)
				abort();
		}
		n = recv(c->fd, c->in + len, c->cap - len - 1, 0);
		if (n <= 0)
			return NULL;
		len += (size_t)n;
		c->in[len] = '\0';
		end = strstr(c->in, "\r\n\r\n");
		if (want == 0 && end != NULL) {
			length = strcasestr(c->in, "\r\nContent-Length:");
			if (length == NULL || length > end)
				return NULL;
			want = (size_t)(end + 4 - c->in) +
			       strtoul(length + 17, NULL, 10);
		}
		if (want > 0 && len >= want)
			return end + 4;
	}
}

int client_ask(struct client *c, const char *method, const char *path,
	       const char *token, const char *json, const char **ret_body)
{
	const char *body = NULL;
	char text[4096];
	int n, status = 0;

	n = snprintf(text, sizeof(text),
		     "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s%s%s"
		     "Content-Type: application/json\r\n"
		     "Content-Length: %zu\r\n\r\n%s",
		     method, path, token ? "Authorization: Bearer " : "",
		     token ? token : "", token ? "\r\n" : "",
		     json ? strlen(json) : 0, json ? json : "");
	if (c->fd < 0)
		c->fd = bench_dial(c->port);
	if (c->fd >= 0 && n < (int)sizeof(text) &&
	    send_all(c->fd, text, (size_t)n) == 0)
		body = receive(c);
	if (body != NULL)
		status = (int)strtol(c->in + sizeof("HTTP/1.1 ") - 1, NULL, 10);
	else if (c->fd >= 0)
		client_close(c);
	if (ret_body != NULL)
		*ret_body = body ? body : "";
	return status;
}

void client_close(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	free(c->in);
	client_init(c, c->port);
}

/* ---- samples ---- */

void samples_add(struct samples *s, double ms)
{
	if (s->n == s->cap) {
		s->cap = s->cap ? 2 * s->cap : 4096;
		s->list = realloc(s->list, s->cap * sizeof(*s->list));
		if (s->list == NULL)
			abort();
	}
	s->list[s->n++] = ms;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double samples_at(struct samples *s, double percent)
{
	size_t at = (size_t)((double)s->n * percent / 100);

	if (s->n == 0)
		return 0;
	qsort(s->list, s->n, sizeof(*s->list), ascending);
	return s->list[at < s->n ? at : s->n - 1];
}

void samples_free(struct samples *s)
{
	free(s->list);
	*s = (struct samples){0};
}
