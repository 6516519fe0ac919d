/* SPDX-License-Identifier: MIT
 *
 * queue.c - all waiting tasks: makes due those whose reason to wait is gone,
 * counts them, and finds those with a date in the future.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/rules/engine.h"

#define AT_ONCE	  200	  /* tasks that one transaction makes due, at most */
#define LOOKED_AT 2000	  /* rows that one step looks at, at most */
#define FOUND_MAX 1000000 /* most tasks that are found before they are made
			   * due */
#define NEWEST	  100	  /* newest tasks that are looked at together, at most */

/* ---- tasks that need not wait any longer ----
 *
 * All such tasks are found first, and made due afterwards: a task that fails
 * again meanwhile, and is put off anew, is not met a second time.
 */

/* ms: no task is put off for longer than this; the longest is missed_after, a
 * day. */
#define LONGEST_WAIT ((int64_t)25 * 3600 * 1000)

/* True if the task's wait may end: it failed before; or a clock that was set
 * back has put it into the future, further than any task is put off. */
static bool may_hurry(const struct task *t, const struct hurry *h)
{
	return t->attempts || (t->created > h->now && t->due <= t->created) ||
	       t->due > h->now + LONGEST_WAIT;
}

/* Moves the place to the beginning of the instance's next bucket, or to the next
 * lane. */
static enum rc next_bucket(struct queue *q, struct hurry *h, struct err *e)
{
	struct queue_place at = {.part = AT_INSTANCE, .lane = h->at.lane};
	struct due_row head;
	enum rc rc;

	memcpy(at.instance, h->instance, sizeof(at.instance));
	if (*h->at.kind) {
		at.part = BEHIND_BUCKET;
		at.bucket = (struct bucket){.lane = h->at.lane,
					    .group = h->at.group};
		memcpy(at.bucket.instance, h->instance,
		       sizeof(at.bucket.instance));
		memcpy(at.bucket.kind, h->at.kind, sizeof(at.bucket.kind));
	}
	rc = queue_bucket(q, &at, &head, e);
	if (rc && rc != RC_NOTFOUND)
		return rc;
	if (rc || head.bucket.lane != h->at.lane ||
	    strcmp(head.bucket.instance, h->instance) != 0) {
		h->at = (struct hurry_place){.lane = h->at.lane + 1};
		return OK;
	}
	h->at.group = head.bucket.group;
	memcpy(h->at.kind, head.bucket.kind, sizeof(h->at.kind));
	h->at.due = h->now + h->beyond + 1;
	h->at.id = 0;
	return OK;
}

static void keep_found(struct hurry *h, uint64_t id)
{
	if (h->n == h->cap) {
		h->cap = h->cap ? 2 * h->cap : AT_ONCE;
		h->ids = xrealloc(h->ids, h->cap, sizeof(*h->ids));
	}
	h->ids[h->n++] = id;
}

/* Looks at tasks of the bucket at the place, until it ends (RC_NOTFOUND) or
 * enough was looked at. */
static enum rc look_into(struct queue *q, struct hurry *h, unsigned *looked,
			 struct err *e)
{
	struct bucket b = {.lane = h->at.lane, .group = h->at.group};
	struct due_row row;
	struct task task;
	enum rc rc = OK;

	memcpy(b.instance, h->instance, sizeof(b.instance));
	memcpy(b.kind, h->at.kind, sizeof(b.kind));
	queue_from(q, &b, h->at.due, h->at.id);
	while (*looked < LOOKED_AT && h->n < FOUND_MAX) {
		rc = queue_next(q, &row, e);
		if (rc)
			break;
		h->at.due = row.due;
		h->at.id = row.id + 1;
		++*looked;
		if (queue_task(q, row.id, &task, NULL))
			continue;
		if (may_hurry(&task, h))
			keep_found(h, row.id);
		task_release(&task);
	}
	return rc;
}

/* Goes on to find tasks whose wait may end. */
static enum rc find_some(struct store *s, struct hurry *h, struct err *e)
{
	struct queue *q = NULL;
	unsigned looked = 0;
	struct rows *r;
	enum rc rc = rows_open(&r, s, e);

	if (!rc)
		rc = queue_open(&q, r, e);
	if (!h->at.lane)
		h->at.lane = 1;
	while (!rc && looked < LOOKED_AT && h->n < FOUND_MAX &&
	       h->at.lane < LANES) {
		if (*h->at.kind)
			rc = look_into(q, h, &looked, e);
		if (!rc && *h->at.kind)
			break; /* enough was looked at */
		if (!rc || rc == RC_NOTFOUND)
			rc = next_bucket(q, h, e);
	}
	queue_close(q);
	rows_close(r);
	h->found = h->at.lane >= LANES || h->n == FOUND_MAX;
	return rc;
}

struct hurry_op {
	struct op op;
	const struct hurry *hurry;
	const uint64_t *ids;
	size_t n;
};

static void hurry_want(struct rows *r, struct op *op)
{
	const struct hurry_op *h = (const struct hurry_op *)op;

	for (size_t i = 0; i < h->n; i++)
		want_task(r, h->ids[i]);
}

/* Makes a task due, if it waits still and its wait may end still. */
static enum rc hurry_one(struct rows *r, uint64_t id, const struct hurry *h,
			 struct err *e)
{
	struct task was, is;
	enum rc rc = row_task(r, id, &was, e);

	if (rc)
		return rc == RC_IO ? rc : OK;
	is = was;
	is.due = h->now;
	if (!was.dead && was.due > h->now && may_hurry(&was, h))
		put_task(r, &was, &is);
	task_release(&was);
	return OK;
}

static enum rc hurry(struct rows *r, struct op *op, struct err *e)
{
	const struct hurry_op *h = (const struct hurry_op *)op;
	enum rc rc = OK;

	for (size_t i = 0; !rc && i < h->n; i++)
		rc = hurry_one(r, h->ids[i], h->hurry, e);
	return rc;
}

static enum rc hurry_some(struct store *s, struct hurry *h, struct err *e)
{
	size_t n = h->n < AT_ONCE ? h->n : AT_ONCE;
	struct hurry_op op = {
		.op = {.want = hurry_want, .run = hurry},
		.hurry = h,
		.ids = h->ids + h->n - n,
		.n = n,
	};
	enum rc rc = store_do(s, &op.op, sizeof(op), NULL, e);

	if (!rc)
		h->n -= n;
	return rc;
}

enum rc store_hurry(struct store *s, struct hurry *h, struct err *e)
{
	enum rc rc = check_instance(h->instance, e);

	if (rc)
		return rc;
	if (!h->found)
		return find_some(s, h, e);
	if (h->n)
		return hurry_some(s, h, e);
	if (h->at.lane >= LANES)
		return RC_NOTFOUND;
	h->found = false; /* go on to find: there were more than FOUND_MAX */
	return OK;
}

void hurry_release(struct hurry *h)
{
	free(h->ids);
	h->ids = NULL;
	h->n = h->cap = 0;
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
