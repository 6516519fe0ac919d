/* SPDX-License-Identifier: MIT
 *
 * connection.c - one connection: when it last made progress, its deadline, and
 * its end.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "server/http/http_private.h"

void conn_deadline(struct conn *c, int64_t ms)
{
	struct http *h = c->listener->http;

	c->deadline = h->now + ms;
	timers_by(&h->timers, c, c->deadline);
}

static struct conns *conn_list(const struct conn *c)
{
	return c->busy ? &c->listener->busy : &c->listener->idle;
}

static void conn_link(struct conn *c, bool busy)
{
	c->busy = busy;
	c->since = c->listener->http->now;
	TAILQ_INSERT_HEAD(conn_list(c), c, link);
}

void conn_step(struct conn *c)
{
	TAILQ_REMOVE(conn_list(c), c, link);
	conn_link(c, c->evicted);
}

void conn_busy(struct conn *c)
{
	TAILQ_REMOVE(conn_list(c), c, link);
	conn_link(c, true);
}

static void client_name(struct MHD_Connection *mhd, char ret[CLIENT_SIZE])
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct networks none = {0};
	const void *address = NULL;
	char text[CLIENT_SIZE] = "";

	ret[0] = '\0';
	if (!info || !info->client_addr)
		return;
	if (info->client_addr->sa_family == AF_INET)
		address = &((const struct sockaddr_in *)(const void *)
				    info->client_addr)
				   ->sin_addr;
	else if (info->client_addr->sa_family == AF_INET6)
		address = &((const struct sockaddr_in6 *)(const void *)
				    info->client_addr)
				   ->sin6_addr;
	if (address)
		inet_ntop(info->client_addr->sa_family, address, text,
			  CLIENT_SIZE);
	networks_client(ret, &none, text, NULL, 0);
}

/* Has the loop called when the client ends its side: conn_hangup(). */
static void conn_watch(struct conn *c)
{
	struct epoll_event ev = {.events = EPOLLRDHUP | EPOLLET,
				 .data.ptr = c};

	(void)epoll_ctl(c->listener->http->epoll_fd, EPOLL_CTL_ADD, c->fd,
			&ev);
}

static void conn_not_half(struct conn *c)
{
	if (c->half)
		LIST_REMOVE(c, in_half);
	c->half = false;
}

void conn_hangup(struct conn *c)
{
	if (c->x && c->x->stream) {
		stream_cut(c->x);
	} else if (!c->half) {
		c->half = true;
		LIST_INSERT_HEAD(&c->listener->half, c, in_half);
	}
}

static struct conn *conn_open(struct listener *d, struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct conn *c = xcalloc(1, sizeof(*c));

	c->listener = d;
	c->fd = info ? info->connect_fd : -1;
	c->lingering_fd = -1;
	client_name(mhd, c->client);
	conn_link(c, false);
	d->n_conns++;
	conn_watch(c);
	conn_deadline(c, d->http->o.header_timeout);
	return c;
}

static void conn_close(struct conn *c)
{
	struct listener *d = c->listener;

	(void)epoll_ctl(d->http->epoll_fd, EPOLL_CTL_DEL, c->fd, NULL);
	conn_not_half(c);
	if (c->x)
		request_free(c->x);
	if (c->lingering_fd >= 0)
		lingering_start(d->http, c->lingering_fd);
	TAILQ_REMOVE(conn_list(c), c, link);
	timers_drop(&d->http->timers, c);
	d->n_conns--;
	d->n_evicted -= c->evicted;
	d->closed++;
	free(c);
}

void conn_end(struct conn *c)
{
	conn_not_half(c);
	c->deadline = NEVER;
	c->listener->ready = true;
	shutdown(c->fd, SHUT_RDWR);
}

void conn_evict(struct conn *c)
{
	c->evicted = true;
	c->listener->n_evicted++;
	conn_busy(c);
	conn_end(c);
}

void conn_notify(void *cls, struct MHD_Connection *mhd, void **socket_context,
		 enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		*socket_context = conn_open(cls, mhd);
	} else if (*socket_context) {
		conn_close(*socket_context);
		*socket_context = NULL;
	}
}
