/* SPDX-License-Identifier: MIT
 *
 * send_queue.c - see send_queue.h.
 */
#include "server/http/send_queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct chunk *chunk_make(struct buf *b)
{
	struct chunk *c = xcalloc(1, sizeof(*c));

	c->holders = 1;
	c->bytes = buf_detach(b, &c->len);
	return c;
}

static struct chunk *chunk_hold(struct chunk *c)
{
	c->holders++;
	return c;
}

void chunk_drop(struct chunk *c)
{
	if (!c || --c->holders)
		return;
	free(c->bytes);
	free(c);
}

bool send_queue_add(struct send_queue *f, struct chunk *c)
{
	if (f->n == SEND_QUEUE_CHUNKS || (f->n && f->bytes + c->len > SEND_QUEUE_BYTES))
		return false;
	f->queue[(f->first + f->n++) % SEND_QUEUE_CHUNKS] = chunk_hold(c);
	f->bytes += c->len;
	return true;
}

static void drop_first(struct send_queue *f)
{
	chunk_drop(f->queue[f->first]);
	f->first = (f->first + 1) % SEND_QUEUE_CHUNKS;
	f->n--;
	f->sent = 0;
}

size_t send_queue_take(struct send_queue *f, char *p, size_t max)
{
	size_t took = 0;

	while (f->n && took < max) {
		const struct chunk *c = f->queue[f->first];
		size_t len = c->len - f->sent;

		if (len > max - took)
			len = max - took;
		memcpy(p + took, c->bytes + f->sent, len);
		took += len;
		f->sent += len;
		f->bytes -= len;
		if (f->sent == c->len)
			drop_first(f);
	}
	return took;
}

void send_queue_release(struct send_queue *f)
{
	while (f->n)
		drop_first(f);
	*f = (struct send_queue){0};
}
