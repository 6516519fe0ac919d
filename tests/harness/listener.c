/* SPDX-License-Identifier: MIT */
#include "tests/harness/listener.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/harness/address.h"
#include "tests/harness/wait.h"

static void add(char **bytes, size_t *len, const char *p, size_t n)
{
	*bytes = realloc(*bytes, *len + n + 1);
	memcpy(*bytes + *len, p, n);
	*len += n;
	(*bytes)[*len] = '\0';
}

static void drop(char *bytes, size_t *len, size_t n)
{
	memmove(bytes, bytes + n, *len - n + 1);
	*len -= n;
}

/* ---- bytes ---- */

/* Reads what is there, or waits for it until `end`; false: nothing more. */
static bool read_some(struct listener *l, int64_t end)
{
	struct pollfd p = {.fd = l->fd, .events = POLLIN};
	int64_t left = end - now_mono();
	char bytes[4096];
	ssize_t n;

	if (l->ended || poll(&p, 1, left > 0 ? (int)left : 0) <= 0)
		return false;
	n = recv(l->fd, bytes, sizeof(bytes), 0);
	if (n <= 0) {
		l->ended = true;
		return false;
	}
	add(&l->in, &l->in_len, bytes, (size_t)n);
	return true;
}

/* Moves whole chunks from `in` to `text`. */
static void dechunk(struct listener *l)
{
	char *line;
	size_t n;

	while (l->in_len) {
		if (!l->chunked) {
			n = l->in_len;
		} else if (l->chunk > 0) {
			n = (size_t)l->chunk < l->in_len ? (size_t)l->chunk
							 : l->in_len;
			l->chunk -= (long)n;
		} else {
			line = l->in;
			if (l->chunk == 0 && l->in_len < 2)
				return;
			if (l->chunk == 0) /* the line end behind a chunk */
				line += 2;
			if (!strstr(line, "\r\n"))
				return;
			l->chunk = strtol(line, NULL, 16);
			l->ended |= !l->chunk;
			drop(l->in, &l->in_len,
			     (size_t)(strstr(line, "\r\n") + 2 - l->in));
			if (l->ended)
				return;
			continue;
		}
		add(&l->text, &l->text_len, l->in, n);
		drop(l->in, &l->in_len, n);
	}
}

/* ---- life ---- */

static bool dial(struct listener *l, const char *url)
{
	struct sockaddr_in to;

	address_of(url, &to);
	l->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return l->fd >= 0 &&
	       !connect(l->fd, (const struct sockaddr *)&to, sizeof(to));
}

bool listener_open(struct listener *l, const char *url, const char *path,
		   const char *headers)
{
	int64_t end = now_mono() + 5000;
	char request[2048];
	char *body;
	int n;

	*l = (struct listener){.fd = -1, .chunk = -1};
	if (!dial(l, url))
		return false;
	n = snprintf(request, sizeof(request),
		     "GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n", path, headers);
	if (send(l->fd, request, (size_t)n, MSG_NOSIGNAL) != n)
		return false;
	while (!l->in || !(body = strstr(l->in, "\r\n\r\n")))
		if (!read_some(l, end))
			return false;
	snprintf(l->head, sizeof(l->head), "%.*s", (int)(body - l->in),
		 l->in);
	l->status = (int)strtol(l->in + strlen("HTTP/1.1 "), NULL, 10);
	l->chunked = strcasestr(l->head, "transfer-encoding: chunked");
	drop(l->in, &l->in_len, (size_t)(body + 4 - l->in));
	return true;
}

void listener_close(struct listener *l)
{
	if (l->fd >= 0)
		close(l->fd);
	free(l->in);
	free(l->text);
	*l = (struct listener){.fd = -1};
}

/* ---- events ---- */

static void read_line(struct heard *h, const char *line, size_t len)
{
	char *data;

	if (!strncmp(line, "id: ", 4)) {
		h->id = strtoull(line + 4, NULL, 10);
		snprintf(h->id_text, sizeof(h->id_text), "%.*s",
			 (int)(len - 4), line + 4);
	} else if (!strncmp(line, "event: ", 7)) {
		snprintf(h->event, sizeof(h->event), "%.*s", (int)(len - 7),
			 line + 7);
	} else if (!strncmp(line, "data: ", 6)) {
		data = strndup(line + 6, len - 6);
		h->json = cJSON_Parse(data);
		free(data);
	}
}

/* Takes one event off the text; false: there is none whole. */
static bool take(struct listener *l, struct heard *ret)
{
	char *end = l->text ? strstr(l->text, "\n\n") : NULL;

	if (!end)
		return false;
	*ret = (struct heard){0};
	for (const char *line = l->text; line < end;) {
		size_t len = strcspn(line, "\n");

		read_line(ret, line, len);
		line += len + 1;
	}
	drop(l->text, &l->text_len, (size_t)(end + 2 - l->text));
	return true;
}

bool listener_next(struct listener *l, struct heard *ret, int ms)
{
	int64_t end = now_mono() + ms;

	for (;;) {
		dechunk(l);
		if (take(l, ret))
			return true;
		if (!read_some(l, end))
			return false;
	}
}

bool listener_hears(struct listener *l, const char *event, struct heard *ret,
		    int ms)
{
	int64_t end = now_mono() + ms;

	while (listener_next(l, ret, (int)(end - now_mono()))) {
		if (!strcmp(ret->event, event))
			return true;
		heard_release(ret);
	}
	return false;
}

bool listener_ends(struct listener *l, int ms)
{
	int64_t end = now_mono() + ms;

	do
		dechunk(l);
	while (!l->ended && read_some(l, end));
	return l->ended;
}

void heard_release(struct heard *h)
{
	cJSON_Delete(h->json);
	h->json = NULL;
}
