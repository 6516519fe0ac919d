/* SPDX-License-Identifier: MIT
 *
 * record.c - records deliveries: each event once, however often Centra sends
 * it, and applied in the same transaction.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/rules/engine.h"
#include "store/rules/rules.h"

struct record_op {
	struct op op;
	const struct delivery *d;
	struct recorded *ret; /* or NULL */
	size_t cost;	      /* the transaction's cost when this run began */
};

/* ---- applying what was recorded ---- */

/* Fills in the task that applies the event. */
static enum rc event_task(struct task *ret, const struct delivery *d,
			  const struct event *ev, struct err *e)
{
	*ret = (struct task){
		.number = ev->id,
		.sub = (int64_t)ev->seq,
		.created = d->received,
		.due = d->received,
		.again = TIME_NONE,
	};
	if (!copy_text(ret->kind, sizeof(ret->kind), ev->task) ||
	    !copy_text(ret->instance, sizeof(ret->instance), d->instance))
		return fail(e, RC_INVALID, "no task can be named '%s'",
			    ev->task);
	return OK;
}

/* Finds out whether an older event of the order is still to be applied.  If the
 * queue cannot be read, it is taken that one is: the task reports the
 * failure. */
static enum rc older_waits(struct rows *r, const struct task *task, bool *ret,
			   struct err *e)
{
	const char *const *kind = store_base_of(r->store)->event_kinds;
	enum rc rc = OK;

	*ret = false;
	for (; kind && *kind && !*ret && !rc; kind++)
		rc = row_task_of_kind(r, task, *kind, ret, e);
	if (rc != RC_INVALID)
		return rc;
	*ret = true;
	return OK;
}

/* Sets *ret: this transaction may apply an event of the order now. */
static enum rc may_apply(const struct record_op *o, struct rows *r,
			 const struct task *task, bool *ret, struct err *e)
{
	const struct store_base *s = store_base_of(r->store);
	bool waits = false;
	enum rc rc;

	*ret = false;
	if (!s->serve || !s->apply || r->cost - o->cost >= ROWS_COST)
		return OK;
	rc = older_waits(r, task, &waits, e);
	if (!rc && !waits)
		*ret = rows_claim(r, task->instance, task->number);
	return rc;
}

/* Applies an event to its order.  RC_INVALID: it cannot be applied. */
static enum rc apply(struct rows *r, const struct delivery *d,
		     const struct event *ev, struct err *e)
{
	int64_t now = d->now ? d->now : d->received;
	struct order before = {0}, after = {0};
	struct changes changes = {0};
	enum rc rc = row_order(r, d->instance, ev->id, &before, e);

	if (rc)
		return rc;
	rc = store_base_of(r->store)->apply(&before, ev, now, &changes, e);
	if (!rc)
		rc = order_change(r, &before, &changes, NULL, now, &after,
				  NULL, e);
	if (!rc) {
		order_release(&after);
		rc = rows_check(r, e);
	}
	changes_release(&changes);
	order_release(&before);
	return rc;
}

/* Gives a recorded event its effect: applies it, or adds a task that will. */
static enum rc follow_event(struct record_op *o, struct rows *r,
			    struct event *ev, struct err *e)
{
	const struct delivery *d = o->d;
	size_t puts = r->puts;
	struct task task;
	bool may = false;
	enum rc rc = event_task(&task, d, ev, e);

	if (!rc && !ev->fault)
		rc = may_apply(o, r, &task, &may, e);
	if (rc)
		return rc;
	if (may) {
		ev->end = EVENT_APPLIED;
		rc = apply(r, d, ev, e);
		if (rc != RC_INVALID)
			return rc;
		ev->fault = xstrdup(e->text);
		if (r->puts != puts) { /* half of its changes are put: run again
				        * without applying it */
			o->op.again = true;
			return rc;
		}
	}
	ev->end = ev->fault ? EVENT_DEAD : EVENT_QUEUED;
	return ev->fault ? task_add_dead(r, &task, ev->fault,
					 d->now ? d->now : d->received,
					 &ev->dead_task, e)
			 : task_add(r, &task, e);
}

/* ---- recording ---- */

/* Stores an event.  RC_EXISTS: we have it already. */
static enum rc add_event(struct record_op *o, struct rows *r, struct event *ev,
			 struct err *e)
{
	const struct delivery *d = o->d;
	enum rc rc;

	ev->seq = 0;
	ev->end = EVENT_STORED;
	rc = row_event_new(r, d->instance, ev, &ev->seq, e);
	if (rc)
		return rc;
	put_event(r, d->instance, d->received, ev);
	return ev->task ? follow_event(o, r, ev, e) : OK;
}

static enum rc add_events(struct record_op *o, struct rows *r,
			  struct recorded *got, struct err *e)
{
	const struct delivery *d = o->d;
	enum rc rc = OK;

	for (size_t i = 0; !rc && i < d->n_events; i++) {
		rc = add_event(o, r, &d->events[i], e);
		got->fresh += rc == OK;
		got->applied += !rc && d->events[i].end == EVENT_APPLIED;
		got->dead += !rc && d->events[i].end == EVENT_DEAD;
		got->duplicates += rc == RC_EXISTS;
		if (rc == RC_EXISTS)
			rc = OK;
	}
	return rc;
}

/* Returns what is to be kept of the delivery's i-th bad event; it borrows from
 * the delivery. */
static struct quarantined bad_of(const struct delivery *d, size_t i)
{
	struct quarantined q = d->bad[i];

	(void)!copy_text(q.instance, sizeof(q.instance), d->instance);
	q.received = d->received;
	return q;
}

/* ---- deliveries that come long after Centra sent them ---- */

#define LATE INT64_C(86400000) /* ms; no tolerance of a signature is longer */

/* True if the delivery was received long ago: it lay in quarantine, or was
 * refused until its secret was set. */
static bool is_late(const struct delivery *d)
{
	return d->retried || (d->now && d->now - d->received > LATE);
}

/* An order that is not known, and that changed at some time before the delivery
 * was sent, may have been removed since by its age.  The event would bring a
 * part of it back: an order that was shipped long ago as one to be shipped.
 * When a delivery was received says less: somebody may have sent an old one
 * again. */
static enum rc not_of_removed(struct rows *r, const struct delivery *d,
			      const struct event *ev, struct err *e)
{
	int64_t sent = d->sent ? d->sent : d->received;
	struct order o = {0};
	uint64_t latest = 0;
	enum rc rc = row_count(r, COUNT_REMOVED, &latest, e);

	/* `latest` is 0 while no order was removed.  Centra's clock and ours
	 * differ by a tolerance at most. */
	if (rc || !latest || sent - LATE > (int64_t)latest)
		return rc;
	rc = row_order(r, d->instance, ev->id, &o, e);
	if (!rc && !o.first_seen)
		rc = fail(e, RC_CONFLICT,
			  "order %lld is not known; it may have been removed "
			  "since this was sent (keep_orders), and is not made "
			  "anew",
			  (long long)ev->id);
	order_release(&o);
	return rc;
}

static enum rc none_of_removed(struct rows *r, const struct delivery *d,
			       struct err *e)
{
	enum rc rc = OK;

	for (size_t i = 0; !rc && i < d->n_events; i++)
		if (d->events[i].task)
			rc = not_of_removed(r, d, &d->events[i], e);
	return rc;
}

static void record_want(struct rows *r, struct op *op)
{
	const struct delivery *d = ((struct record_op *)op)->d;

	if (is_late(d))
		want_count(r, COUNT_REMOVED);

	if (d->retried)
		quarantine_remove_want(r, d->retried);
	for (size_t i = 0; i < d->n_events; i++) {
		want_event_new(r, d->instance, &d->events[i]);
		if (d->events[i].task)
			order_change_want(r, d->instance, d->events[i].id);
	}
	for (size_t i = 0; i < d->n_bad; i++) {
		struct quarantined bad = bad_of(d, i);

		quarantine_add_want(r, &bad);
	}
}

#ifdef STORE_BENCH_NO_STORE
/* Says of each event that it is new, and stores nothing: for the benchmark,
 * which shows how fast the path around the store is.  Never shipped. */
static enum rc acknowledge(struct record_op *o)
{
	for (size_t i = 0; i < o->d->n_events; i++)
		o->d->events[i].seq = 1;
	*o->ret = (struct recorded){
		.fresh = (unsigned)o->d->n_events,
		.quarantined = (unsigned)o->d->n_bad,
	};
	return OK;
}
#endif

static enum rc record(struct rows *r, struct op *op, struct err *e)
{
	struct record_op *o = (struct record_op *)op;
	const struct delivery *d = o->d;
	struct recorded got = {0};
	enum rc rc;

#ifdef STORE_BENCH_NO_STORE
	if (o->ret)
		return acknowledge(o);
#endif
	o->cost = r->cost;
	rc = is_late(d) ? none_of_removed(r, d, e) : OK;
	if (!rc)
		rc = d->retried ? quarantine_remove(r, d->retried, e)
				: rows_room(r, e);
	if (!rc)
		rc = add_events(o, r, &got, e);
	for (size_t i = 0; !rc && i < d->n_bad; i++) {
		struct quarantined bad = bad_of(d, i);

		rc = quarantine_add(r, &bad, e);
		got.quarantined += rc == OK;
		got.duplicates += rc == RC_EXISTS;
		if (rc == RC_EXISTS)
			rc = OK;
	}
	if (!rc && o->ret)
		*o->ret = got;
	return rc;
}

enum rc store_record(struct store *s, const struct delivery *d,
		     struct recorded *ret, struct store_done *done,
		     struct err *e)
{
	struct record_op o = {
		.op = {.want = record_want, .run = record},
		.d = d,
		.ret = ret,
	};
	enum rc rc = check_instance(d->instance, e);

	return rc ? rc : store_do(s, &o.op, sizeof(o), done, e);
}

/* ---- reading ---- */

static enum rc load_event(struct rows *r, uint64_t seq, struct event *ret,
			  struct err *e)
{
	enum rc rc = row_event(r, seq, ret, e);

	return rc == RC_NOTFOUND ? fail(e, rc, "there is no event %llu",
					(unsigned long long)seq)
				 : rc;
}

enum rc store_event(struct store *s, uint64_t seq, struct event *ret,
		    struct err *e)
{
	struct rows *r;
	enum rc rc = rows_open(&r, s, e);

	if (!rc) {
		want_event(r, seq);
		rc = rows_fetch(r, e);
	}
	if (!rc)
		rc = load_event(r, seq, ret, e);
	rows_close(r);
	return rc;
}

/* ---- once more ---- */

struct replay_op {
	struct op op;
	uint64_t seq;
	const char *kind;
	int64_t now;
};

static void replay_want(struct rows *r, struct op *op)
{
	want_event(r, ((struct replay_op *)op)->seq);
}

static enum rc replay(struct rows *r, struct op *op, struct err *e)
{
	const struct replay_op *o = (struct replay_op *)op;
	struct task task = {.again = TIME_NONE,
			    .sub = (int64_t)o->seq,
			    .lane = LANE_LAST};
	const struct entry again = {
		.at = o->now,
		.fact = FACT_REPLAYED,
		.n = (int64_t)o->seq,
	};
	struct event ev;
	enum rc rc;

	rc = load_event(r, o->seq, &ev, e);
	if (rc)
		return rc;
	task.number = ev.id;
	task.created = task.due = o->now;
	memcpy(task.instance, ev.instance, sizeof(task.instance));
	event_release(&ev);
	if (!copy_text(task.kind, sizeof(task.kind), o->kind))
		return fail(e, RC_INVALID, "no task can be named '%s'",
			    o->kind);
	/* The event had to be read first: it says which order the task is
	 * about. */
	task_add_want(r, &task);
	rc = rows_fetch(r, e);
	if (!rc)
		rc = task_add(r, &task, e);
	if (rc)
		return rc;
	put_entry(r, task.instance, task.number, &again);
	return OK;
}

enum rc store_replay(struct store *s, uint64_t seq, const char *kind,
		     int64_t now, struct err *e)
{
	struct replay_op o = {
		.op = {.want = replay_want, .run = replay},
		.seq = seq,
		.kind = kind,
		.now = now,
	};

	return store_do(s, &o.op, sizeof(o), NULL, e);
}

void store_replay_all(struct store *s, struct replay *list, size_t n,
		      int64_t now)
{
	struct replay_op *o = xcalloc(n, sizeof(*o));
	struct op **ops = xcalloc(n, sizeof(struct op *));

	for (size_t i = 0; i < n; i++) {
		o[i] = (struct replay_op){
			.op = {.want = replay_want, .run = replay},
			.seq = list[i].seq,
			.kind = list[i].kind,
			.now = now,
		};
		ops[i] = &o[i].op;
	}
	store_do_all(s, ops, n);
	for (size_t i = 0; i < n; i++) {
		list[i].rc = o[i].op.rc;
		list[i].e = o[i].op.err;
	}
	free(ops);
	free(o);
}
