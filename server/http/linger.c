/* SPDX-License-Identifier: MIT
 *
 * linger.c - connections that MHD has closed while their clients still write.
 */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/time.h"
#include "server/http/http_private.h"

#define LINGER_MAX ((size_t)16 << 20) /* bytes that are read before the client
				       * is cut off */
#define LINGER_MS  3000

void linger_start(struct http *h, int fd)
{
	struct epoll_event ev = {.events = EPOLLIN};

	for (size_t i = 0; i < CLOSING_MAX; i++) {
		struct closing *l = &h->closing[i];

		if (l->fd >= 0)
			continue;
		ev.data.ptr = l;
		if (epoll_ctl(h->epoll_fd, EPOLL_CTL_ADD, fd, &ev))
			break;
		shutdown(fd, SHUT_WR);
		*l = (struct closing){fd, time_mono() + LINGER_MS, LINGER_MAX};
		http_wake_by(h, l->until);
		return;
	}
	close(fd);
}

static void linger_end(struct closing *l)
{
	close(l->fd);
	l->fd = -1;
}

void linger_read(struct closing *l)
{
	static char waste[65536]; /* for the loop thread alone; its contents are
				   * never used */
	ssize_t n = 1;

	while (l->left && n > 0) {
		n = recv(l->fd, waste, sizeof(waste), MSG_DONTWAIT);
		if (n > 0)
			l->left -= (size_t)n < l->left ? (size_t)n : l->left;
	}
	if (!l->left || !n || (errno != EAGAIN && errno != EINTR))
		linger_end(l);
}

void linger_timers(struct http *h, int64_t now)
{
	for (size_t i = 0; i < CLOSING_MAX; i++) {
		if (h->closing[i].fd < 0)
			continue;
		if (h->closing[i].until <= now)
			linger_end(&h->closing[i]);
		else
			http_wake_by(h, h->closing[i].until);
	}
}

bool linger_is(const struct http *h, const void *what)
{
	uintptr_t p = (uintptr_t)what;

	return p >= (uintptr_t)h->closing &&
	       p < (uintptr_t)(h->closing + CLOSING_MAX);
}

void linger_end_all(struct http *h)
{
	for (size_t i = 0; i < CLOSING_MAX; i++)
		if (h->closing[i].fd >= 0)
			linger_end(&h->closing[i]);
}

bool linger_any(const struct http *h)
{
	for (size_t i = 0; i < CLOSING_MAX; i++)
		if (h->closing[i].fd >= 0)
			return true;
	return false;
}
