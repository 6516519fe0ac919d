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

/* To be embedded in the struct of what waits in the queue. */
struct fair_item {
	TAILQ_ENTRY(fair_item) link;
	struct fair_caller *caller; /* NULL: the item neither waits nor is in
				     * work */
};

/* Opens a queue that has at most `running` items of each caller in work at
 * once. */
struct fair_queue *fair_open(unsigned running);
void fair_close(struct fair_queue *q); /* the queue must be empty; NULL is
				        * fine */

/* Adds an item behind those that the caller has waiting.  False: `waiting` or
 * more of the caller's items wait already; nothing was added. */
bool fair_add(struct fair_queue *q, uint64_t key, struct fair_item *i,
	      size_t waiting);
/* Adds an item before those that the caller has waiting: for an item that was
 * in work before and goes on. */
void fair_add_first(struct fair_queue *q, uint64_t key, struct fair_item *i);
/* Takes the next caller's first item into work, until fair_done(); NULL: no
 * item may be taken. */
struct fair_item *fair_take(struct fair_queue *q);
void fair_done(struct fair_queue *q, struct fair_item *i);
/* Removes any waiting item and returns it, so that it can be thrown away; NULL:
 * no item waits. */
struct fair_item *fair_drop(struct fair_queue *q);

/* Returns how many items wait, of all callers. */
size_t fair_waiting(const struct fair_queue *q);

/* Counts an action of the caller at `now` (time_mono).  False: the caller has
 * had `most` actions in the last `window` ms, and this one is not counted;
 * *ret_wait is then how long (ms) until it may have another.  most: 1 or more;
 * it may differ from call to call.  The queue keeps 8 to 16 bytes for each
 * action until the window is over. */
bool fair_action(struct fair_queue *q, uint64_t key, unsigned most,
		 int64_t window, int64_t now, int64_t *ret_wait);

#endif
