/* SPDX-License-Identifier: MIT
 *
 * fair_queue.c - see fair_queue.h.
 */
#include "server/http/fair_queue.h"

#include <stdlib.h>

#include "base/mem.h"

#define BUCKETS 1024

/* A caller.  It is kept while it has items, and then until its actions are
 * forgotten. */
struct fair_caller {
	LIST_ENTRY(fair_caller) same_bucket;
	TAILQ_ENTRY(fair_caller) turn; /* while `in_turn` */
	TAILQ_HEAD(, fair_item) waiting;
	uint64_t key;
	size_t n_waiting;
	unsigned running;
	bool in_turn;

	/* The times of the caller's last actions: a ring of `size` times; the
	 * oldest is at index `first`. */
	int64_t *actions;
	unsigned first, n, size;
	int64_t forget; /* time_mono: when the last of the actions is too old to
			 * count */
};

struct fair_queue {
	LIST_HEAD(, fair_caller) buckets[BUCKETS];
	TAILQ_HEAD(, fair_caller) turns; /* callers that have an item which may
					  * be taken now */
	size_t n_waiting;
	unsigned running; /* the most items of one caller in work at once */
};

struct fair_queue *fair_open(unsigned running)
{
	struct fair_queue *q = xcalloc(1, sizeof(*q));

	TAILQ_INIT(&q->turns);
	q->running = running;
	return q;
}

static void caller_drop(struct fair_caller *c)
{
	LIST_REMOVE(c, same_bucket);
#ifndef __clang_analyzer__ /* it does not see that LIST_REMOVE() changes the
			    * list's head */
	free(c->actions);
	free(c);
#endif
}

void fair_close(struct fair_queue *q)
{
	if (!q)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		while (!LIST_EMPTY(&q->buckets[i]))
			caller_drop(LIST_FIRST(&q->buckets[i]));
	free(q);
}

static bool has_items(const struct fair_caller *c)
{
	return c->n_waiting || c->running;
}

static struct fair_caller *caller_find(struct fair_queue *q, uint64_t key)
{
	struct fair_caller *c;

	LIST_FOREACH(c, &q->buckets[key % BUCKETS], same_bucket)
		if (c->key == key)
			return c;
	return NULL;
}

static struct fair_caller *caller_of(struct fair_queue *q, uint64_t key)
{
	struct fair_caller *c = caller_find(q, key);

	if (c)
		return c;
	c = xcalloc(1, sizeof(*c));
	c->key = key;
	TAILQ_INIT(&c->waiting);
	LIST_INSERT_HEAD(&q->buckets[key % BUCKETS], c, same_bucket);
	return c;
}

/* Puts the caller into the list of turns if it now has an item that may be
 * taken, else takes it out.  Frees a caller that has neither items nor recent
 * actions. */
static void caller_update(struct fair_queue *q, struct fair_caller *c)
{
	bool ready = c->n_waiting && c->running < q->running;

	if (ready && !c->in_turn)
		TAILQ_INSERT_TAIL(&q->turns, c, turn);
	if (!ready && c->in_turn)
		TAILQ_REMOVE(&q->turns, c, turn);
	c->in_turn = ready;
	if (!has_items(c) && !c->n)
		caller_drop(c);
}

static void item_in(struct fair_queue *q, struct fair_caller *c,
		    struct fair_item *i)
{
	i->caller = c;
	c->n_waiting++;
	q->n_waiting++;
	caller_update(q, c);
}

bool fair_add(struct fair_queue *q, uint64_t key, struct fair_item *i,
	      size_t waiting)
{
	struct fair_caller *c = caller_find(q, key);

	if (!waiting || (c && c->n_waiting >= waiting))
		return false;
	c = caller_of(q, key);
	TAILQ_INSERT_TAIL(&c->waiting, i, link);
	item_in(q, c, i);
	return true;
}

void fair_add_first(struct fair_queue *q, uint64_t key, struct fair_item *i)
{
	struct fair_caller *c = caller_of(q, key);

	TAILQ_INSERT_HEAD(&c->waiting, i, link);
	item_in(q, c, i);
}

static struct fair_item *item_out(struct fair_queue *q, struct fair_caller *c)
{
	struct fair_item *i = TAILQ_FIRST(&c->waiting);

	TAILQ_REMOVE(&c->waiting, i, link);
	c->n_waiting--;
	q->n_waiting--;
	return i;
}

struct fair_item *fair_take(struct fair_queue *q)
{
	struct fair_caller *c = TAILQ_FIRST(&q->turns);
	struct fair_item *i;

	if (!c)
		return NULL;
	i = item_out(q, c);
	c->running++;
	/* caller_update() puts the caller back, behind all others. */
	TAILQ_REMOVE(&q->turns, c, turn);
	c->in_turn = false;
	caller_update(q, c);
	return i;
}

void fair_done(struct fair_queue *q, struct fair_item *i)
{
	struct fair_caller *c = i->caller;

	i->caller = NULL;
	c->running--;
	caller_update(q, c);
}

struct fair_item *fair_drop(struct fair_queue *q)
{
	for (size_t b = 0; q->n_waiting && b < BUCKETS; b++) {
		struct fair_caller *c;

		LIST_FOREACH(c, &q->buckets[b], same_bucket) {
			struct fair_item *i;

			if (!c->n_waiting)
				continue;
			i = item_out(q, c);
			i->caller = NULL;
			caller_update(q, c);
			return i;
		}
	}
	return NULL;
}

size_t fair_waiting(const struct fair_queue *q)
{
	return q->n_waiting;
}

/* Frees the callers of a hash bucket whose actions are too old to count. */
static void forget_old(struct fair_queue *q, uint64_t key, int64_t now)
{
	struct fair_caller *c = LIST_FIRST(&q->buckets[key % BUCKETS]), *next;

	for (; c; c = next) {
		next = LIST_NEXT(c, same_bucket);
		if (c->n && c->forget <= now)
			c->n = 0;
		if (!c->n && !has_items(c))
			caller_drop(c);
	}
}

static int64_t *action_at(struct fair_caller *c, unsigned i)
{
	return &c->actions[(c->first + i) % c->size];
}

static void action_add(struct fair_caller *c, int64_t now)
{
	if (c->n == c->size) {
		unsigned size = c->size ? 2 * c->size : 8;
		int64_t *ring = xcalloc(size, sizeof(*ring));

		for (unsigned i = 0; i < c->n; i++)
			ring[i] = *action_at(c, i);
		free(c->actions);
		c->actions = ring;
		c->size = size;
		c->first = 0;
	}
	*action_at(c, c->n++) = now;
}

bool fair_action(struct fair_queue *q, uint64_t key, unsigned most,
		 int64_t window, int64_t now, int64_t *ret_wait)
{
	struct fair_caller *c;

	forget_old(q, key, now);
	c = caller_of(q, key);
	while (c->n && *action_at(c, 0) + window <= now) {
		c->first = (c->first + 1) % c->size;
		c->n--;
	}
	if (c->n >= most) { /* greater: a reload has lowered `most` */
		*ret_wait = *action_at(c, c->n - most) + window - now;
		return false;
	}
	action_add(c, now);
	c->forget = now + window;
	return true;
}
