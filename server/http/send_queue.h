/* SPDX-License-Identifier: MIT
 *
 * send_queue.h - what waits to be sent on a stream: shared pieces of text in a
 * queue with a bound.
 *
 * Threads: one, the loop.
 */
#ifndef SERVER_HTTP_SEND_QUEUE_H
#define SERVER_HTTP_SEND_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* A text that several streams send: made once, freed by its last holder. */
struct chunk {
	unsigned holders;
	size_t len;
	char *bytes; /* owned */
};

/* Makes a chunk of the buf's bytes, which leaves the buf empty.  The caller
 * holds the chunk. */
struct chunk *chunk_make(struct buf *b);
void chunk_drop(struct chunk *c); /* NULL is fine */

#define SEND_QUEUE_CHUNKS 256
#define SEND_QUEUE_BYTES  ((size_t)1 << 20) /* bytes in a queue; a single chunk
					     * may be larger */

struct send_queue {
	struct chunk *queue[SEND_QUEUE_CHUNKS]; /* held */
	unsigned first, n;
	size_t sent;  /* of the first */
	size_t bytes; /* not yet sent */
};

/* Adds a chunk, which the queue holds until it was sent.  False: there is no
 * room; nothing was added. */
bool send_queue_add(struct send_queue *f, struct chunk *c);
/* Moves up to max bytes from the queue to p; returns how many. */
size_t send_queue_take(struct send_queue *f, char *p, size_t max);
/* May be called on a zeroed one. */
void send_queue_release(struct send_queue *f);

#endif
