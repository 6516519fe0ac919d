/* SPDX-License-Identifier: MIT
 *
 * pending.c - see pending.h.
 *
 * The holds need no lock: the request's function takes both before it gives the
 * write to the store.  They are dropped in the loop thread, or in that function
 * if the store does not take the write.
 */
#include "server/pending/pending.h"

static void drop(struct pending *p)
{
	if (!--p->holds)
		p->release(p);
}

/* Settles the write in the loop thread. written() has it called. */
static void settle(struct http_call *call)
{
	struct pending *p = call->arg;

	if (p->settled)
		p->settled(p);
	p->ended = true;
	if (p->req)
		request_resume(p->req);
	drop(p);
}

/* Called in the writer thread when the write is done: hands the result to the
 * loop.  A store_done. */
static void written(struct store_done *done, enum rc rc, const struct err *e)
{
	struct pending *p = done->arg;

	p->rc = rc;
	if (rc && e)
		p->e = *e;
	http_call(p->http, &p->call);
}

/* Called when the request has ended, with or without a response.  A
 * state_free. */
static void request_gone(void *state)
{
	struct pending *p = state;

	p->req = NULL;
	drop(p);
}

void pending_init(struct pending *p, struct http *http,
		  void (*settled)(struct pending *p),
		  void (*release)(struct pending *p))
{
	*p = (struct pending){
		.done = {.fn = written, .arg = p},
		.call = {.fn = settle, .arg = p},
		.http = http,
		.settled = settled,
		.release = release,
	};
}

void pending_tie(struct pending *p, struct request *req)
{
	p->req = req;
	p->holds++;
	req->state = p;
	req->state_free = request_gone;
}

void pending_begin(struct pending *p)
{
	p->holds++;
}

void pending_refused(struct pending *p, enum rc rc, const struct err *e)
{
	p->rc = rc;
	p->e = *e;
	if (p->settled)
		p->settled(p);
	p->ended = true;
	drop(p);
}
