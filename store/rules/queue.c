/* SPDX-License-Identifier: MIT
 *
 * queue.c - all waiting tasks: makes due those whose reason to wait is gone,
 * counts them, and finds those with a date in the future.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/rules/engine.h"

#define HURRY_BATCH 2000 /* tasks that one transaction makes due, at most */
#define NEWEST	    100	 /* newest tasks that are looked at together, at most */

/* ---- tasks that need not wait any longer ---- */

struct hurry_op {
	struct op op;
	const char *instance;
	int64_t now, beyond;
	uint64_t *ids; /* owned: ids of the tasks that are to be made due */
	size_t n;      /* out: how many tasks were made due */
};

/* ms: no task is put off for longer than this; the longest is missed_after, a
 * day. */
#define LONGEST_WAIT ((int64_t)25 * 3600 * 1000)

/* True if the task's wait may end: it failed before; or a clock that was set
 * back has put it into the future, further than any task is put off. */
static bool may_hurry(const struct task *t, const struct hurry_op *h)
{
	return !strcmp(t->instance, h->instance) &&
	       (t->attempts || (t->created > h->now && t->due <= t->created) ||
		t->due > h->now + LONGEST_WAIT);
}

/* Finds the tasks of one bucket whose wait may end. */
static enum rc put_off_in(struct queue *q, const struct bucket *b,
			  struct hurry_op *h, struct err *e)
{
	struct due_row row;
	struct task task;
	enum rc rc;

	queue_from(q, b, h->now + h->beyond + 1, 0);
	while (h->n < HURRY_BATCH) {
		rc = queue_next(q, &row, e);
		if (rc)
			return rc == RC_NOTFOUND ? OK : rc;
		if (queue_task(q, row.id, &task, NULL))
			continue;
		if (may_hurry(&task, h))
			h->ids[h->n++] = row.id;
		task_release(&task);
	}
	return OK;
}

static enum rc put_off_in_lane(struct queue *q, uint8_t lane,
			       struct hurry_op *h, struct err *e)
{
	struct queue_place at = {.part = AT_INSTANCE, .lane = lane};
	struct due_row head;
	enum rc rc = OK;

	if (!copy_text(at.instance, sizeof(at.instance), h->instance))
		return OK;
	while (!rc && h->n < HURRY_BATCH) {
		rc = queue_bucket(q, &at, &head, e);
		if (rc || head.bucket.lane != lane ||
		    strcmp(head.bucket.instance, h->instance) != 0)
			break;
		rc = put_off_in(q, &head.bucket, h, e);
	}
	return rc == RC_NOTFOUND ? OK : rc;
}

/* Finds the ids of the instance's tasks whose wait may end. */
static enum rc put_off(struct rows *r, struct hurry_op *h, struct err *e)
{
	struct queue *q;
	enum rc rc = queue_open(&q, r, e);

	for (uint8_t lane = 1; !rc && lane < LANES; lane++)
		rc = put_off_in_lane(q, lane, h, e);
	queue_close(q);
	return rc;
}

static enum rc hurry_one(struct rows *r, uint64_t id, int64_t now,
			 struct err *e)
{
	struct task was, is;
	enum rc rc = row_task(r, id, &was, e);

	if (rc)
		return rc;
	is = was;
	is.due = now;
	if (!was.dead && was.due > now)
		put_task(r, &was, &is);
	task_release(&was);
	return OK;
}

static enum rc hurry(struct rows *r, struct op *op, struct err *e)
{
	struct hurry_op *h = (struct hurry_op *)op;
	enum rc rc;

	h->n = 0;
	rc = put_off(r, h, e);
	for (size_t i = 0; !rc && i < h->n; i++)
		want_task(r, h->ids[i]);
	if (!rc)
		rc = rows_fetch(r, e);
	for (size_t i = 0; !rc && i < h->n; i++)
		rc = hurry_one(r, h->ids[i], h->now, e);
	return rc;
}

enum rc store_hurry(struct store *s, const char *instance, int64_t now,
		    int64_t beyond, struct err *e)
{
	struct hurry_op h = {.op.run = hurry,
			     .instance = instance,
			     .now = now,
			     .beyond = beyond};
	enum rc rc = check_instance(instance, e);

	h.ids = xcalloc(HURRY_BATCH, sizeof(*h.ids));
	do {
		if (!rc)
			rc = store_do(s, &h.op, sizeof(h), NULL, e);
	} while (!rc && h.n == HURRY_BATCH);
	free(h.ids);
	return rc;
}

/* ---- a clock that went back ---- */

/* Looks at several, since the newest tasks have usually ended.  *ret: one of
 * them is dated after `now`. */
static enum rc task_after(struct rows *r, int64_t now, bool *ret,
			  struct err *e)
{
	struct task *newest = xcalloc(NEWEST, sizeof(*newest));
	size_t n = 0;
	enum rc rc = rows_newest_tasks(r, newest, NEWEST, &n, e);

	for (size_t i = 0; i < n; i++) {
		*ret |= newest[i].created > now;
		task_release(&newest[i]);
	}
	free(newest);
	return rc;
}

enum rc store_dated_after(struct store *s, int64_t now, bool *ret,
			  struct err *e)
{
	struct rows *r;
	int64_t event;
	enum rc rc = store_newest_time(s, &event, e);

	*ret = !rc && event > now;
	if (rc || *ret)
		return rc;
	rc = rows_open(&r, s, e);
	if (!rc)
		rc = task_after(r, now, ret, e);
	rows_close(r);
	return rc;
}

/* ---- how many wait ---- */

enum rc store_waiting(struct store *s,
		      void (*fn)(void *arg, const char *instance,
				 unsigned group, uint64_t tasks),
		      void *arg, struct err *e)
{
	struct rows *r;
	enum rc rc = rows_open(&r, s, e);

	if (!rc)
		rc = rows_waiting(r, fn, arg, e);
	rows_close(r);
	return rc;
}
