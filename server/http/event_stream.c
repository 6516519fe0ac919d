/* SPDX-License-Identifier: MIT
 *
 * event_stream.c - responses without an end (http.h): what MHD calls for their
 * bytes, and the end of their connections.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "server/http/http_private.h"

#define STREAM_TCP_TIMEOUT 30000 /* ms that a client may leave sent bytes
				  * unacknowledged */

static void stream_resume(struct http_request *x)
{
	if (!x->stream->suspended)
		return;
	x->stream->suspended = false;
	x->conn->listener->ready = true;
	MHD_resume_connection(x->mhd);
}

void stream_cut(struct http_request *x)
{
	x->stream->over = true;
	shutdown(x->conn->fd, SHUT_RDWR);
	stream_resume(x);
}

ssize_t stream_read(void *cls, uint64_t pos, char *p, size_t max)
{
	struct http_request *x = cls;
	struct stream *s = x->stream;
	size_t n = send_queue_take(&s->queue, p, max);

	(void)pos;
	if (n)
		return (ssize_t)n;
	if (s->over || http_of(x)->stop_by != NEVER)
		return MHD_CONTENT_READER_END_OF_STREAM;
	/* The connection is suspended before the 0 is returned; otherwise MHD
	 * asks again at once. */
	s->suspended = true;
	MHD_suspend_connection(x->mhd);
	return 0;
}

/* MHD does not watch suspended connections, but the loop does (conn_watch()); if
 * the client has ended already, it is told again. */
void stream_begin(struct http_request *x)
{
	struct epoll_event ev = {.events = EPOLLRDHUP | EPOLLET,
				 .data.ptr = x->conn};
	unsigned ms = STREAM_TCP_TIMEOUT;
	struct http *h = http_of(x);

	x->stream->begun = true;
	LIST_INSERT_HEAD(&h->streams, x, link);
	conn_busy(x->conn);
	/* Without these options a dead client is noticed later, when beats are
	 * not acknowledged. */
	(void)setsockopt(x->conn->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms,
			 sizeof(ms));
	(void)epoll_ctl(h->epoll_fd, EPOLL_CTL_MOD, x->conn->fd, &ev);
	x->conn->deadline = NEVER;
}

void stream_free(struct http_request *x)
{
	if (x->stream->begun)
		LIST_REMOVE(x, link);
	send_queue_release(&x->stream->queue);
	free(x->stream);
	x->stream = NULL;
}

void stream_end_all(struct http *h)
{
	struct http_request *x;

	LIST_FOREACH(x, &h->streams, link) {
		x->stream->over = true;
		stream_resume(x);
	}
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Returns the id of the device that has the most streams; *ret_n: how many it
 * has; 0: there are no streams. */
static uint64_t busiest_device(const struct http *h, size_t *ret_n)
{
	size_t n = 0, cap = 0, same = 0;
	uint64_t *ids = NULL, ret = 0;
	const struct http_request *x;

	LIST_FOREACH(x, &h->streams, link) {
		if (n == cap) {
			cap = cap ? 2 * cap : 64;
			ids = xrealloc(ids, cap, sizeof(*ids));
		}
		ids[n++] = x->req.caller_id;
	}
	if (n)
		qsort(ids, n, sizeof(*ids), by_number);
	*ret_n = 0;
	for (size_t i = 0; i < n; i++) {
		same = i && ids[i] == ids[i - 1] ? same + 1 : 1;
		if (same > *ret_n) {
			*ret_n = same;
			ret = ids[i];
		}
	}
	free(ids);
	return ret;
}

void stream_evict(struct listener *d)
{
	struct http_request *oldest = NULL, *x;
	size_t n;
	uint64_t whose = busiest_device(d->http, &n);

	LIST_FOREACH(x, &d->http->streams, link)
		if (n && x->conn->listener == d && x->req.caller_id == whose)
			oldest = x; /* the newest is first */
	if (!oldest)
		return;
	COUNT(d->http, evicted);
	oldest->stream->over = true;
	conn_evict(oldest->conn);
	stream_resume(oldest);
}

bool respond_stream(struct request *req, struct response *res,
		    const char *type)
{
	struct http_request *x = http_request_of(req);

	res->status = 200;
	res->type = type;
	x->header_only = !strcmp(req->method, "HEAD");
	if (!x->header_only)
		x->stream = xcalloc(1, sizeof(struct stream));
	return x->stream;
}

ssize_t stream_none(void *cls, uint64_t pos, char *p, size_t max)
{
	(void)cls;
	(void)pos;
	(void)p;
	(void)max;
	return MHD_CONTENT_READER_END_OF_STREAM;
}

bool stream_send(struct request *req, struct chunk *c)
{
	struct http_request *x = http_request_of(req);

	if (x->stream->over)
		return false;
	if (!send_queue_add(&x->stream->queue, c)) {
		stream_cut(x);
		return false;
	}
	stream_resume(x);
	return true;
}

void stream_end(struct request *req)
{
	struct http_request *x = http_request_of(req);

	x->stream->over = true;
	stream_resume(x);
}
