/* SPDX-License-Identifier: MIT
 *
 * lingering_close.c - connections that MHD has closed while their clients still
 * write.
 */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/time.h"
#include "server/http/http_private.h"

/* Bytes, and ms, after which a client that still writes is cut off. */
#define LINGERING_BYTES ((size_t)16 << 20)
#define LINGERING_MS	3000

void lingering_start(struct http *h, int fd)
{
	struct epoll_event ev = {.events = EPOLLIN};

	for (size_t i = 0; i < LINGERING_MAX; i++) {
		struct lingering *l = &h->lingering[i];

		if (l->fd >= 0)
			continue;
		ev.data.ptr = l;
		if (epoll_ctl(h->epoll_fd, EPOLL_CTL_ADD, fd, &ev))
			break;
		shutdown(fd, SHUT_WR);
		*l = (struct lingering){
			.fd = fd,
			.until = time_mono() + LINGERING_MS,
			.left = LINGERING_BYTES,
		};
		http_wake_by(h, l->until);
		return;
	}
	close(fd);
}

static void lingering_end(struct lingering *l)
{
	close(l->fd);
	l->fd = -1;
}

void lingering_read(struct http *h, struct lingering *l)
{
	ssize_t n = 1;

	if (l->fd < 0)
		return;
	while (l->left && n > 0) {
		n = recv(l->fd, h->waste, sizeof(h->waste), MSG_DONTWAIT);
		if (n > 0)
			l->left -= (size_t)n < l->left ? (size_t)n : l->left;
	}
	if (!l->left || !n || (errno != EAGAIN && errno != EINTR))
		lingering_end(l);
}

void lingering_timers(struct http *h, int64_t now)
{
	for (size_t i = 0; i < LINGERING_MAX; i++) {
		if (h->lingering[i].fd < 0)
			continue;
		if (h->lingering[i].until <= now)
			lingering_end(&h->lingering[i]);
		else
			http_wake_by(h, h->lingering[i].until);
	}
}

struct lingering *lingering_of(struct http *h, void *what)
{
	uintptr_t p = (uintptr_t)what;

	return p >= (uintptr_t)h->lingering &&
			       p < (uintptr_t)(h->lingering + LINGERING_MAX)
		       ? what
		       : NULL;
}

void lingering_end_all(struct http *h)
{
	for (size_t i = 0; i < LINGERING_MAX; i++)
		if (h->lingering[i].fd >= 0)
			lingering_end(&h->lingering[i]);
}

bool lingering_any(const struct http *h)
{
	for (size_t i = 0; i < LINGERING_MAX; i++)
		if (h->lingering[i].fd >= 0)
			return true;
	return false;
}
