/* SPDX-License-Identifier: MIT
 *
 * record.c - see record.h.
 */
#include "server/webhook/record.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "server/pending/pending.h"
#include "server/webhook/delivery.h"
#include "server/webhook/receive_private.h"

struct recording {
	struct pending pending; /* first */
	struct receiver *receiver;
	struct delivery delivery; /* its `instance` points to the field below */
	char instance[INSTANCE_SIZE];
	struct recorded recorded;
	recorded_fn *fn; /* or NULL */
	void *arg;
	size_t bytes; /* of http_buffered() */
};

/* ---- what became of it ---- */

static void log_dead(const struct recording *r)
{
	for (size_t i = 0; r->recorded.dead && i < r->delivery.n_events; i++) {
		const struct event *ev = &r->delivery.events[i];

		if (ev->end == EVENT_DEAD)
			log_line(LOG_ERROR, "event given up",
				 LOG_S("instance", r->instance),
				 LOG_N("order", ev->id), LOG_S("kind", ev->task),
				 LOG_N("task", (int64_t)ev->dead_task),
				 LOG_S("why", ev->fault));
	}
}

static void log_recorded(const struct recording *r)
{
	log_line(LOG_DEBUG, "webhook stored", LOG_S("instance", r->instance),
		 LOG_N("new", r->recorded.fresh),
		 LOG_N("duplicates", r->recorded.duplicates),
		 LOG_N("quarantined", r->recorded.quarantined));
	log_dead(r);
	for (size_t i = 0; r->recorded.quarantined && i < r->delivery.n_bad;
	     i++)
		log_limited(LINES_A_MINUTE, LOG_WARN, "quarantined",
			    LOG_S("instance", r->instance),
			    LOG_S("why", r->delivery.bad[i].reason));
}

static void count_recorded(const struct recording *r)
{
	struct counters *c = r->receiver->its.counters;
	unsigned unknown = 0;

	for (size_t i = 0; i < r->delivery.n_events; i++)
		if (r->delivery.events[i].seq && !r->delivery.events[i].task)
			unknown++;
	COUNT_BY(c, events_total, r->recorded.fresh);
	COUNT_BY(c, events_duplicate_total, r->recorded.duplicates);
	COUNT_BY(c, events_quarantined_total, r->recorded.quarantined);
	COUNT_BY(c, events_unknown_total, unknown);
	COUNT_BY(c, events_applied_total, r->recorded.applied);
	COUNT_BY(c, tasks_dead_total, r->recorded.dead);
}

/* ---- handing it in ---- */

/* Counts and logs the result, whether or not a request still waits. */
static void settled(struct pending *p)
{
	struct recording *r = (struct recording *)p;

	if (!p->rc) {
		count_recorded(r);
		log_recorded(r);
	} else {
		log_limited(LINES_A_MINUTE, LOG_ERROR, "webhook not stored",
			    LOG_S("instance", r->instance),
			    LOG_S("rc", rc_name(p->rc)),
			    LOG_S("error", p->e.text));
	}
	if (r->fn)
		r->fn(r->arg, p->rc, &r->recorded);
}

static void recording_free(struct pending *p)
{
	struct recording *r = (struct recording *)p;

	http_buffered(*r->receiver->its.http, -(int64_t)r->bytes);
	delivery_release(&r->delivery);
	free(r);
}

static struct recording *recording_new(struct receiver *receiver,
				       const struct delivery *d)
{
	struct recording *r = xcalloc(1, sizeof(*r));

	pending_init(&r->pending, *receiver->its.http, settled, recording_free);
	r->receiver = receiver;
	r->delivery = *d;
	r->delivery.now = time_now();
	if (copy_text(r->instance, sizeof(r->instance), d->instance))
		r->delivery.instance = r->instance;
	r->bytes = delivery_bytes(d);
	http_buffered(*receiver->its.http, (int64_t)r->bytes);
	return r;
}

static enum rc hand_in(struct recording *r)
{
	struct err e = {""};
	enum rc rc;

	pending_begin(&r->pending);
	rc = store_record(r->receiver->its.store, &r->delivery, &r->recorded,
			  &r->pending.done, &e);
	if (rc) {
		r->fn = NULL;
		pending_refused(&r->pending, rc, &e);
	}
	return rc;
}

enum rc record(struct receiver *receiver, const struct delivery *d,
	       recorded_fn *fn, void *arg)
{
	struct recording *r = recording_new(receiver, d);

	r->fn = fn;
	r->arg = arg;
	return hand_in(r);
}

bool record_and_wait(struct receiver *receiver, struct request *req,
		     const struct delivery *d, endpoint_fn *next,
		     int64_t deadline)
{
	struct recording *r = recording_new(receiver, d);

	pending_tie(&r->pending, req);
	if (hand_in(r))
		return false;
	request_later(req, next, deadline);
	return true;
}

/* Returns a result only if every event was stored: the promise behind a 200.
 * The sum is checked so that a mistake elsewhere cannot acknowledge an event
 * that was not stored. */
const struct recorded *record_result(const struct request *req)
{
	const struct recording *r = req->state;
	const struct recorded *n = &r->recorded;

	if (!r->pending.ended || r->pending.rc ||
	    (size_t)n->fresh + n->duplicates + n->quarantined !=
		    r->delivery.n_events + r->delivery.n_bad)
		return NULL;
	return n;
}
