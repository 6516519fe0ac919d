/* SPDX-License-Identifier: MIT
 *
 * canned.c - see canned.h.
 */
#include "tests/unit/canned.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

#define REQUEST_MAX 65536
#define PATIENCE    10000 /* ms; nothing here waits longer */

struct canned {
	const char *binary; /* of CANNED_BINARY */
	size_t binary_len;
	const char *_Atomic always; /* NULL: "500" */
	int listener;
	int wake[2]; /* closing [1] ends every wait */
	unsigned port;
	pthread_t thread;
	const struct canned_step *step;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t changed;
	unsigned requests, connections, closed;
	char last[REQUEST_MAX];
};

/* True when fd can be read; false when it is time to stop. */
static bool wait_for(struct canned *c, int fd)
{
	struct pollfd p[2] = {{.fd = fd, .events = POLLIN},
			      {.fd = c->wake[0], .events = POLLIN}};

	return poll(p, 2, PATIENCE) > 0 && !p[1].revents && p[0].revents;
}

static bool is_whole(const char *request, size_t len)
{
	const char *body = strstr(request, "\r\n\r\n");
	const char *l = strcasestr(request, "Content-Length:");

	if (!body)
		return false;
	body += 4;
	return len - (size_t)(body - request) >=
	       (l && l < body ? strtoul(l + 15, NULL, 10) : 0);
}

static bool read_request(struct canned *c, int fd)
{
	char *text = xcalloc(REQUEST_MAX, 1);
	size_t len = 0;
	ssize_t n;
	bool whole = false;

	while (!whole && len < REQUEST_MAX - 1 && wait_for(c, fd)) {
		n = read(fd, text + len, REQUEST_MAX - 1 - len);
		if (n <= 0)
			break;
		len += (size_t)n;
		whole = is_whole(text, len);
	}
	if (whole) {
		pthread_mutex_lock(&c->lock);
		c->requests++;
		memcpy(c->last, text, len + 1);
		pthread_mutex_unlock(&c->lock);
	}
	free(text);
	return whole;
}

static bool put_bytes(int fd, const char *s, size_t len)
{
	ssize_t n;

	for (; len; s += n, len -= (size_t)n) {
		n = send(fd, s, len, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
	}
	return true;
}

static bool put(int fd, const char *s)
{
	return put_bytes(fd, s, s ? strlen(s) : 0);
}

static void put_for_ever(struct canned *c, int fd)
{
	static char chunk[65536 + 16];
	struct pollfd stop = {.fd = c->wake[0], .events = POLLIN};

	memcpy(chunk, "10000\r\n", 7);
	memset(chunk + 7, 'x', 65536);
	memcpy(chunk + 7 + 65536, "\r\n", 3);
	put(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	while (poll(&stop, 1, 0) == 0 && put(fd, chunk))
		;
}

/* Plays one step on a connection; false: the connection is done. */
static bool play(struct canned *c, int fd)
{
	static const struct canned_step over = {
		CANNED_KEEP,
		"HTTP/1.1 500 Over\r\nContent-Length: 0\r\n\r\n"};
	const char *always = c->always;
	const struct canned_step *s = c->step, again = {CANNED_CLOSE, always};
	struct linger now = {.l_onoff = 1};
	char byte;
	bool ended = s->how == CANNED_END;

	if (ended)
		s = always ? &again : &over;
	if (s->how == CANNED_HANG_UP || s->how == CANNED_SHUT) {
		put(fd, s->bytes);
		c->step++;
		return false;
	}
	if (!read_request(c, fd))
		return false;
	if (!ended)
		c->step++;
	if (s->how == CANNED_ENDLESS) {
		put_for_ever(c, fd);
		return false;
	}
	if (s->how == CANNED_BINARY)
		put_bytes(fd, c->binary, c->binary_len);
	else
		put(fd, s->bytes);
	if (s->how == CANNED_RESET)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	if (s->how == CANNED_SILENT)
		while (wait_for(c, fd) && read(fd, &byte, 1) > 0)
			;
	return s->how == CANNED_KEEP;
}

static void *serve(void *arg)
{
	struct canned *c = arg;
	int fd;

	while (wait_for(c, c->listener)) {
		fd = accept(c->listener, NULL, NULL);
		if (fd < 0)
			break;
		pthread_mutex_lock(&c->lock);
		c->connections++;
		pthread_mutex_unlock(&c->lock);
		while (play(c, fd))
			;
		close(fd);
		pthread_mutex_lock(&c->lock);
		c->closed++;
		pthread_cond_broadcast(&c->changed);
		pthread_mutex_unlock(&c->lock);
	}
	return NULL;
}

static int listen_anywhere(unsigned *ret_port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) ||
	    listen(fd, 16) || getsockname(fd, (struct sockaddr *)&a, &len))
		abort();
	*ret_port = ntohs(a.sin_port);
	return fd;
}

struct canned *canned_start(const struct canned_step *script)
{
	struct canned *c = xcalloc(1, sizeof(*c));

	c->step = script;
	c->listener = listen_anywhere(&c->port);
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->changed, NULL);
	if (pipe(c->wake) || pthread_create(&c->thread, NULL, serve, c))
		abort();
	return c;
}

void canned_binary(struct canned *c, const char *bytes, size_t len)
{
	c->binary = bytes;
	c->binary_len = len;
}

void canned_always(struct canned *c, const char *bytes)
{
	c->always = bytes;
}

unsigned canned_port(const struct canned *c)
{
	return c->port;
}

unsigned canned_requests(struct canned *c)
{
	unsigned n;

	pthread_mutex_lock(&c->lock);
	n = c->requests;
	pthread_mutex_unlock(&c->lock);
	return n;
}

unsigned canned_connections(struct canned *c)
{
	unsigned n;

	pthread_mutex_lock(&c->lock);
	n = c->connections;
	pthread_mutex_unlock(&c->lock);
	return n;
}

void canned_wait_closed(struct canned *c, unsigned n)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE / 1000;
	pthread_mutex_lock(&c->lock);
	while (c->closed < n &&
	       !pthread_cond_timedwait(&c->changed, &c->lock, &until))
		;
	pthread_mutex_unlock(&c->lock);
}

const char *canned_last(struct canned *c)
{
	return c->last;
}

void canned_stop(struct canned *c)
{
	close(c->wake[1]);
	pthread_join(c->thread, NULL);
	close(c->wake[0]);
	close(c->listener);
	pthread_cond_destroy(&c->changed);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

unsigned canned_closed_port(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) ||
	    getsockname(fd, (struct sockaddr *)&a, &len))
		abort();
	return ntohs(a.sin_port);
}
