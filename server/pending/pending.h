/* SPDX-License-Identifier: MIT
 *
 * pending.h - a write that a request hands to the store and waits for.
 *
 * The write may outlive its request: the client gets a 503 after a while, or
 * goes, and the writer still holds the write.  So both hold a struct pending,
 * the head of the room's own struct, and the last of them frees it.
 *
 *	pending_init(&x->pending, http, settled, release);
 *	pending_tie(&x->pending, req);          (where a request waits)
 *	request_later(req, next, deadline);
 *	pending_begin(&x->pending);
 *	rc = store_...(..., &x->pending.done, &e);
 *	if (rc)
 *		pending_refused(&x->pending, rc, &e);  and respond with 503
 *
 * `next` finds the room's struct in req->state, and whether and how the write
 * has ended in `ended` and `rc`.
 *
 * Threads:  settled() and release() run in the loop thread; in
 *           pending_refused() in its caller's.  The rest is for the thread that
 *           runs the request's function.
 */
#ifndef SERVER_PENDING_PENDING_H
#define SERVER_PENDING_PENDING_H

#include <stdatomic.h>
#include <stdbool.h>

#include "server/http/http.h"
#include "store/store.h"

struct pending {
	struct store_done done; /* pass this to the store's call */
	struct request *req; /* borrowed; NULL: no request waits (any more) */
	atomic_bool ended; /* the result is known, and settled() was called */
	enum rc rc;        /* the result, once `ended` is set */
	struct err e;

	/* pending.c's own. */
	struct http *http;
	struct http_call call;
	void (*settled)(struct pending *p);
	void (*release)(struct pending *p);
	unsigned holds;
};

/* Prepares p.  `settled` (or NULL) acts on the result, once, whether or not a
 * request still waits; `release` frees the room's struct. */
void pending_init(struct pending *p, struct http *http,
		  void (*settled)(struct pending *p),
		  void (*release)(struct pending *p));
/* Makes p the state of the request, which holds p until the request ends and is
 * resumed once the result is known. */
void pending_tie(struct pending *p, struct request *req);
/* Takes the writer's hold of p.  Call it just before the write is given to the
 * store. */
void pending_begin(struct pending *p);
/* Call it if the store did not take the write: settles p with this result, and
 * drops the writer's hold. p may be freed by that, unless a request is tied to
 * it. */
void pending_refused(struct pending *p, enum rc rc, const struct err *e);

#endif
