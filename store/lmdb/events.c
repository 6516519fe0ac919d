/* SPDX-License-Identifier: MIT
 *
 * events.c - deliveries: each event once, however often Centra sends it.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "store/model/codec.h"
#include "store/model/record.h"
#include "store/lmdb/room.h"
#include "store/lmdb/rows.h"
#include "store/rules/rules.h"

struct record_op {
	struct op op;
	const struct delivery *d;
	struct recorded *ret; /* or NULL */
	size_t cost;	      /* the transaction's, when this run began */
};

static struct key *seen_key(struct key *k, const char *instance,
			    const struct event *ev)
{
	key_str(key_start(k), instance);
	key_str(key_str(key_str(k, ev->type), ev->action), ev->date);
	return key_bytes(key_i64(k, ev->id), ev->digest, sizeof(ev->digest));
}

/* ---- applying what was recorded ---- */

/* The task that applies the event, or would. */
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

/* An older event of the order is still to be applied.  A queue that cannot be
 * read counts as one: the task says so then. */
static enum rc older_waits(struct txn *t, const struct task *task, bool *ret,
			   struct err *e)
{
	const char *const *kind = t->store->base.event_kinds;
	enum rc rc = OK;

	*ret = false;
	for (; kind && *kind && !*ret && !rc; kind++)
		rc = task_of_kind(t, task, *kind, ret, e);
	if (rc != RC_INVALID)
		return rc;
	*ret = true;
	return OK;
}

/* *ret: the transaction may apply an event of the order now. */
static enum rc may_apply(const struct record_op *r, struct txn *t,
			 const struct task *task, bool *ret, struct err *e)
{
	struct store *s = t->store;
	bool waits = false;
	enum rc rc;

	*ret = false;
	if (!s->serve || !s->base.apply || t->rows.cost - r->cost >= TXN_COST)
		return OK;
	rc = older_waits(t, task, &waits, e);
	if (!rc && !waits)
		*ret = order_claim(s, task->instance, task->number);
	return rc;
}

/* Applies an event to its order.  RC_INVALID: it cannot be applied. */
static enum rc apply(struct txn *t, const struct delivery *d,
		     const struct event *ev, struct err *e)
{
	int64_t now = d->now ? d->now : d->received;
	struct order before = {0}, after = {0};
	struct changes changes = {0};
	enum rc rc = order_load(t, d->instance, ev->id, &before, e);

	if (rc)
		return rc;
	rc = t->store->base.apply(&before, ev, now, &changes, e);
	if (!rc)
		rc = order_change(&t->rows, &before, &changes, NULL, now,
				  &after, NULL, e);
	if (!rc) {
		order_release(&after);
		rc = rows_check(&t->rows, e);
	}
	changes_release(&changes);
	order_release(&before);
	return rc;
}

/* Makes a recorded event true: applies it, or has a task do so. */
static enum rc follow_event(struct record_op *r, struct txn *t,
			    struct event *ev, struct err *e)
{
	const struct delivery *d = r->d;
	size_t puts = t->puts;
	struct task task;
	bool may = false;
	enum rc rc = event_task(&task, d, ev, e);

	if (!rc && !ev->fault)
		rc = may_apply(r, t, &task, &may, e);
	if (rc)
		return rc;
	if (may) {
		ev->end = EVENT_APPLIED;
		rc = apply(t, d, ev, e);
		if (rc != RC_INVALID)
			return rc;
		ev->fault = xstrdup(e->text);
		if (t->puts != puts) { /* half is written: once more, without */
			r->op.again = true;
			return rc;
		}
	}
	ev->end = ev->fault ? EVENT_DEAD : EVENT_QUEUED;
	return ev->fault ? task_add_dead(t, &task, ev->fault,
					 d->now ? d->now : d->received,
					 &ev->dead_task, e)
			 : task_add(t, &task, e);
}

/* ---- recording ---- */

/* Stores an event under *seq + 1, unless we have it. */
static enum rc add_event(struct record_op *r, struct txn *t, struct event *ev,
			 uint64_t *seq, struct buf *b, struct err *e)
{
	const struct delivery *d = r->d;
	struct key seen, k;
	MDB_val have;
	enum rc rc;

	ev->seq = 0;
	ev->end = EVENT_STORED;
	rc = txn_get(t, T_SEEN, seen_key(&seen, d->instance, ev), &have, e);
	if (!rc)
		return RC_EXISTS;
	if (rc != RC_NOTFOUND)
		return rc;
	buf_clear(b);
	encode_event(b, ev, d->instance, d->received);
	if (buf_full(b))
		return fail(e, RC_INVALID, "an event too large to keep");
	key_u64(key_start(&k), *seq + 1);
	rc = txn_put(t, T_SEEN, &seen, k.b, k.n, e);
	if (!rc)
		rc = txn_append(t, T_EVENTS, &k, b->data, b->len, e);
	if (rc)
		return rc;
	ev->seq = ++*seq;
	return ev->task ? follow_event(r, t, ev, e) : OK;
}

static enum rc add_events(struct record_op *r, struct txn *t,
			  struct recorded *got, struct err *e)
{
	const struct delivery *d = r->d;
	uint64_t seq = 0;
	struct buf b;
	enum rc rc;

	buf_init(&b, VALUE_MAX);
	rc = txn_last(t, "events", &seq, e);
	for (size_t i = 0; !rc && i < d->n_events; i++) {
		rc = add_event(r, t, &d->events[i], &seq, &b, e);
		got->fresh += rc == OK;
		got->applied += !rc && d->events[i].end == EVENT_APPLIED;
		got->dead += !rc && d->events[i].end == EVENT_DEAD;
		got->duplicates += rc == RC_EXISTS;
		if (rc == RC_EXISTS)
			rc = OK;
	}
	if (!rc && got->fresh)
		rc = txn_set_last(t, "events", seq, e);
	buf_release(&b);
	return rc;
}

/* What is to be kept of the delivery's i-th bad event: borrows from it. */
static struct quarantined bad_of(const struct delivery *d, size_t i)
{
	struct quarantined q = d->bad[i];

	(void)!copy_text(q.instance, sizeof(q.instance), d->instance);
	q.received = d->received;
	return q;
}

static void record_want(struct rows *rows, struct op *op)
{
	const struct delivery *d = ((struct record_op *)op)->d;

	if (d->retried)
		quarantine_remove_want(rows, d->retried);
	for (size_t i = 0; i < d->n_events; i++)
		if (d->events[i].task)
			order_change_want(rows, d->instance, d->events[i].id);
	for (size_t i = 0; i < d->n_bad; i++) {
		struct quarantined bad = bad_of(d, i);

		quarantine_add_want(rows, &bad);
	}
}

static enum rc record(struct rows *rows, struct op *op, struct err *e)
{
	struct txn *t = txn_of(rows);
	struct record_op *r = (struct record_op *)op;
	const struct delivery *d = r->d;
	struct recorded got = {0};
	enum rc rc;


	r->cost = rows->cost;
	rc = d->retried ? quarantine_remove(rows, d->retried, e)
			: room_for_delivery(t, e);
	if (!rc)
		rc = add_events(r, t, &got, e);
	for (size_t i = 0; !rc && i < d->n_bad; i++) {
		struct quarantined bad = bad_of(d, i);

		rc = quarantine_add(rows, &bad, e);
		got.quarantined += rc == OK;
		got.duplicates += rc == RC_EXISTS;
		if (rc == RC_EXISTS)
			rc = OK;
	}
	if (!rc && r->ret)
		*r->ret = got;
	return rc;
}

enum rc store_record(struct store *s, const struct delivery *d,
		     struct recorded *ret, struct store_done *done,
		     struct err *e)
{
	struct record_op r = {
		.op = {.want = record_want, .run = record},
		.d = d,
		.ret = ret,
	};
	enum rc rc = check_instance(d->instance, e);

	return rc ? rc : writer_do(s, &r.op, sizeof(r), done, e);
}

/* ---- reading ---- */

static enum rc load_event(struct txn *t, uint64_t seq, struct event *ret,
			  struct err *e)
{
	struct key k;
	MDB_val v;
	enum rc rc;

	rc = txn_get(t, T_EVENTS, key_u64(key_start(&k), seq), &v, e);
	if (rc == RC_NOTFOUND)
		return fail(e, rc, "there is no event %llu",
			    (unsigned long long)seq);
	return rc ? rc : get_event(ret, seq, v.mv_data, v.mv_size, e);
}

enum rc store_event(struct store *s, uint64_t seq, struct event *ret,
		    struct err *e)
{
	struct txn t;
	enum rc rc;

	rc = txn_read(&t, s, e);
	if (!rc)
		rc = load_event(&t, seq, ret, e);
	txn_abort(&t);
	return rc;
}

enum rc lmdb_newest_time(struct store *s, int64_t *ret, struct err *e)
{
	struct event ev = {0};
	uint64_t seq = 0;
	struct txn t;
	enum rc rc;

	*ret = TIME_NONE;
	rc = txn_read(&t, s, e);
	if (!rc)
		rc = txn_last(&t, "events", &seq, e);
	txn_abort(&t);
	if (!rc)
		rc = store_event(s, seq, &ev, e);
	if (!rc)
		*ret = ev.received;
	event_release(&ev);
	return rc == RC_NOTFOUND ? OK : rc;
}

/* ---- once more ---- */

struct replay_op {
	struct op op;
	uint64_t seq;
	const char *kind;
	int64_t now;
};

static enum rc replay(struct rows *rows, struct op *op, struct err *e)
{
	struct txn *t = txn_of(rows);
	struct replay_op *r = (struct replay_op *)op;
	struct task task = {.again = TIME_NONE,
			    .sub = (int64_t)r->seq,
			    .lane = LANE_SWEEP};
	struct note note = {.at = r->now, .what = "task"};
	char text[80];
	struct event ev;
	enum rc rc;

	rc = load_event(t, r->seq, &ev, e);
	if (rc)
		return rc;
	task.number = ev.id;
	task.created = task.due = r->now;
	memcpy(task.instance, ev.instance, sizeof(task.instance));
	event_release(&ev);
	if (!copy_text(task.kind, sizeof(task.kind), r->kind))
		return fail(e, RC_INVALID, "no task can be named '%s'",
			    r->kind);
	rc = task_add(t, &task, e);
	if (rc)
		return rc;
	snprintf(text, sizeof(text), "event %llu is applied once more",
		 (unsigned long long)r->seq);
	note.text = text;
	return journal_add(t, task.instance, task.number, &note, e);
}

enum rc store_replay(struct store *s, uint64_t seq, const char *kind,
		     int64_t now, struct err *e)
{
	struct replay_op r = {
		.op.run = replay,
		.seq = seq,
		.kind = kind,
		.now = now,
	};

	return writer_do(s, &r.op, sizeof(r), NULL, e);
}
