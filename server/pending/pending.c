/* SPDX-License-Identifier: MIT
 *
 * pending.c - see pending.h.
 *
 * The holds need no lock: the request's function takes both before the store
 * has the write, and they end in the loop thread, or in that function if the
 * store does not take the write.
 */
#include "server/pending/pending.h"

static void drop(struct pending *p)
{
	if (!--p->holds)
		p->release(p);
}

/* In the loop thread, after written(). */
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

/* A store_done: in the writer thread. */
static void written(struct store_done *done, enum rc rc, const struct err *e)
{
	struct pending *p = done->arg;

	p->rc = rc;
	if (rc && e)
		p->e = *e;
	http_call(p->http, &p->call);
}

/* A state_free: the request has ended, answered or not. */
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
