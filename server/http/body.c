/* SPDX-License-Identifier: MIT
 *
 * body.c - how many bytes of bodies there are in memory, and which connections
 * are ended when there are too many (`buffered_max`).
 */
#include "server/http/http_private.h"

#define BODY_KEPT 4096 /* most bytes of memory that a request leaves to the next
			* one for its body */

size_t body_buffered_max(const struct http *h)
{
	return h->limits.buffered_max > h->limits.large_body ?
		       h->limits.buffered_max : h->limits.large_body;
}

void http_buffered(struct http *h, int64_t bytes)
{
	atomic_fetch_add(&h->o.counters->buffered, (size_t)bytes);
}

void body_charge(struct http_request *x)
{
	struct http *h = http_of(x);

	http_buffered(h, (int64_t)x->body.len - (int64_t)x->charged);
	if (!x->complete)
		h->reading += x->body.len - x->charged;
	x->charged = x->body.len;
}

void body_begin(struct http_request *x, uint64_t length, size_t max)
{
	struct buf *b = &x->body;

	if (b->cap && b->cap - 1 > max)
		buf_release(b);
	buf_clear(b);
	b->max = max;
	if (length && length < BODY_KEPT)
		(void)!buf_grow(b, (size_t)length); /* it fits */
}

void body_free(struct http_request *x)
{
	buf_release(&x->body);
	body_charge(x);
}

void body_ended(struct http_request *x)
{
	if (x->body.cap > BODY_KEPT)
		buf_release(&x->body);
	buf_clear(&x->body);
	body_charge(x);
}

void body_completed(struct http_request *x)
{
	if (!x->complete)
		http_of(x)->reading -= x->charged;
	x->complete = true;
}

/* Ends the connection whose body has been arriving for longest, other than that
 * of `mine`.  False: no other body is arriving. */
static bool body_evict(struct http *h, const struct http_request *mine)
{
	struct conn *c;

	TAILQ_FOREACH_REVERSE(c, &h->listeners[LISTEN_PUBLIC].idle, conns, link)
	{
		struct http_request *x = c->x;

		if (!x || x == mine || x->complete || !x->charged || c->evicted)
			continue;
		COUNT(h, bodies_evicted);
		body_free(x);
		conn_evict(c);
		return true;
	}
	return false;
}

bool body_room(struct http_request *x, size_t len)
{
	struct http *h = http_of(x);
	size_t max = body_buffered_max(h);

	while (h->o.counters->buffered + len > max)
		if (!body_evict(h, x))
			return false;
	return true;
}

void body_no_room(struct http_request *x)
{
	COUNT(http_of(x), bodies_refused);
	respond_problem(&x->res, 503, "not_stored",
			"too much is waiting right now; send it again");
	x->res.retry_after = 1;
}
