/* SPDX-License-Identifier: MIT
 *
 * fair_queue.h - a queue in which callers take turns.
 *
 * Each caller, known by a key, has its own items in the order in which they
 * came, and a bound on how many are in work at once.  Callers that have an item
 * waiting, and fewer in work than the bound, are served round robin: how many
 * items one caller has makes no difference to another.
 *
 * Not locked: see request_threads.c.
 */
#ifndef SERVER_HTTP_FAIR_QUEUE_H
#define SERVER_HTTP_FAIR_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct fair_caller;
struct fair_queue;

/* A member of what waits. */
struct fair_item {
	TAILQ_ENTRY(fair_item) link;
	struct fair_caller *caller; /* NULL: neither waiting nor in work */
};

/* At most `running` items of a caller are in work at once. */
struct fair_queue *fair_open(unsigned running);
void fair_close(struct fair_queue *q); /* an empty one; NULL is fine */

/* Adds behind what the caller has waiting already.  False: those are
 * `waiting` or more; nothing was added. */
bool fair_add(struct fair_queue *q, uint64_t key, struct fair_item *i,
	      size_t waiting);
/* Adds before what the caller has waiting: one that was begun and goes on. */
void fair_add_first(struct fair_queue *q, uint64_t key, struct fair_item *i);
/* Takes the next in turn into work; NULL: there is none.  fair_done() ends it. */
struct fair_item *fair_take(struct fair_queue *q);
void fair_done(struct fair_queue *q, struct fair_item *i);
/* Takes out any that waits, to be thrown away; NULL: none does. */
struct fair_item *fair_drop(struct fair_queue *q);

/* How many wait, of all callers. */
size_t fair_waiting(const struct fair_queue *q);

/* Counts an action of the caller at `now` (time_mono).  False: it has had
 * `most` in the last `window` ms already; *ret_wait is then how long (ms) until
 * it may have another.  most: at most FAIR_ACTIONS. */
#define FAIR_ACTIONS 64
bool fair_action(struct fair_queue *q, uint64_t key, unsigned most,
		 int64_t window, int64_t now, int64_t *ret_wait);

#endif
