/* SPDX-License-Identifier: MIT
 *
 * timers.c - the deadlines of connections, and of the requests on them that
 * were put aside.
 *
 * A binary heap by `timer_at`, which is never later than the connection's
 * deadline.  A deadline that moves to a later time, as it does at each step of
 * a request, changes nothing here: when the time comes, the connection is put
 * back with its deadline of then.  So a request costs a comparison or two, and
 * a pass of the loop costs nothing for connections whose time has not come.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "server/http/http_private.h"

/* The deadline of c: that of its request, if it was put aside. */
static int64_t deadline_of(const struct conn *c)
{
	const struct http_request *x = c->x;

	return x && x->where == ASIDE ? x->deadline : c->deadline;
}

/* Places are counted from 1, so that 0 is "not in the heap". */
static struct conn **place(struct timers *t, size_t at)
{
	return &t->heap[at - 1];
}

static void put(struct timers *t, size_t at, struct conn *c)
{
	*place(t, at) = c;
	c->timer_place = at;
}

static void move_up(struct timers *t, struct conn *c)
{
	size_t at = c->timer_place;

	for (; at > 1 && (*place(t, at / 2))->timer_at > c->timer_at; at /= 2)
		put(t, at, *place(t, at / 2));
	put(t, at, c);
}

static void move_down(struct timers *t, struct conn *c)
{
	size_t at = c->timer_place, child;

	for (; (child = 2 * at) <= t->n; at = child) {
		child += child < t->n && (*place(t, child + 1))->timer_at <
						 (*place(t, child))->timer_at;
		if ((*place(t, child))->timer_at >= c->timer_at)
			break;
		put(t, at, *place(t, child));
	}
	put(t, at, c);
}

void timers_by(struct timers *t, struct conn *c, int64_t at)
{
	if (at == NEVER || (c->timer_place && c->timer_at <= at))
		return;
	c->timer_at = at;
	if (!c->timer_place) {
		if (t->n == t->room) {
			t->room = t->room ? 2 * t->room : 64;
			t->heap = xrealloc(t->heap, t->room, sizeof(struct conn *));
		}
		put(t, ++t->n, c);
	}
	move_up(t, c);
}

void timers_drop(struct timers *t, struct conn *c)
{
	size_t at = c->timer_place;
	struct conn *last;

	if (!at)
		return;
	c->timer_place = 0;
	last = *place(t, t->n--);
	if (last == c)
		return;
	put(t, at, last);
	move_up(t, last);
	move_down(t, last);
}

int64_t timers_earliest(const struct timers *t)
{
	return t->n ? t->heap[0]->timer_at : NEVER;
}

struct conn *timers_take(struct timers *t, int64_t now)
{
	while (timers_earliest(t) <= now) {
		struct conn *c = t->heap[0];
		int64_t at = deadline_of(c);

		if (at <= c->timer_at) {
			timers_drop(t, c);
			return c;
		}
		if (at == NEVER) {
			timers_drop(t, c);
			continue;
		}
		c->timer_at = at;
		move_down(t, c);
	}
	return NULL;
}

void timers_release(struct timers *t)
{
	free(t->heap);
	*t = (struct timers){0};
}
