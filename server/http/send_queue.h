/* SPDX-License-Identifier: MIT
 *
 * send_queue.h - what waits to be sent on an endless answer: shared pieces of text in
 * a queue with a bound.
 *
 * Threads: one, the loop.
 */
#ifndef SERVER_HTTP_SEND_QUEUE_H
#define SERVER_HTTP_SEND_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* A text that many feeds send: made once, freed with its last holder. */
struct chunk {
	unsigned holders;
	size_t len;
	char *bytes; /* owned */
};

/* Takes what b holds; b is then empty.  The caller is its holder. */
struct chunk *chunk_make(struct buf *b);
struct chunk *chunk_hold(struct chunk *c);
void chunk_drop(struct chunk *c); /* NULL is fine */

#define SEND_QUEUE_CHUNKS 256
#define SEND_QUEUE_BYTES  ((size_t)1 << 20) /* unless it is a single chunk */

struct send_queue {
	struct chunk *queue[SEND_QUEUE_CHUNKS]; /* held */
	unsigned first, n;
	size_t sent;  /* of the first */
	size_t bytes; /* not yet sent */
};

/* Holds c until it was sent.  False: there is no room; nothing was added. */
bool send_queue_add(struct send_queue *f, struct chunk *c);
/* Moves up to max bytes to p; how many. */
size_t send_queue_take(struct send_queue *f, char *p, size_t max);
void send_queue_release(struct send_queue *f); /* fine on a zeroed one */

#endif
