/* SPDX-License-Identifier: MIT
 *
 * sweep.c - makes due waiting tasks whose reason to wait is gone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/lmdb/due.h"
#include "store/model/record.h"
#include "store/lmdb/rows.h"

#define HURRY_BATCH 2000 /* tasks in one transaction */
#define NEWEST	    100	 /* the most tasks that are looked at together */

struct hurry_op {
	struct op op;
	const char *instance;
	int64_t now, beyond;
	uint64_t *ids; /* owned: the tasks that are made due together */
	size_t n;      /* out: how many were made due */
};

/* ms: no task is put off for longer, since missed_after is a day at most. */
#define LONGEST_WAIT ((int64_t)25 * 3600 * 1000)

/* True if the task's wait may end: it failed before; or a clock that was set
 * back has put it into the future, further than any task is put off. */
static bool may_hurry(const struct task *t, const struct hurry_op *h)
{
	return !strcmp(t->instance, h->instance) &&
	       (t->attempts || (t->created > h->now && t->due <= t->created) ||
		t->due > h->now + LONGEST_WAIT);
}

/* Finds the tasks of one bucket whose wait may end.  w: an open walk of
 * `due`. */
static enum rc put_off_in(struct walk *w, const struct bucket *b,
			  struct hurry_op *h, struct err *e)
{
	struct due_row row;
	struct task task;
	struct key k;
	size_t prefix = due_prefix(&k, b)->n;
	enum rc rc;

	walk_from(w, key_i64(&k, h->now + h->beyond + 1), 0);
	while (h->n < HURRY_BATCH) {
		rc = walk_next(w, e);
		if (rc)
			return rc == RC_NOTFOUND ? OK : rc;
		if (w->k.mv_size < prefix || memcmp(w->k.mv_data, k.b, prefix))
			break;
		if (!due_read(&w->k, &w->v, &row) ||
		    task_load(w->t, row.id, &task, NULL))
			continue;
		if (may_hurry(&task, h))
			h->ids[h->n++] = row.id;
		task_release(&task);
	}
	return OK;
}

/* Finds the ids of the instance's tasks whose wait may end. */
static enum rc put_off(struct txn *t, struct hurry_op *h, struct err *e)
{
	struct walk buckets = {0}, rows = {0};
	struct due_row head;
	struct key at;
	enum rc rc = walk_open(&buckets, t, T_DUE, NULL, 0, e);

	if (!rc)
		rc = walk_open(&rows, t, T_DUE, NULL, 0, e);
	for (uint8_t lane = 1; !rc && lane < LANES; lane++) {
		key_str(key_u8(key_start(&at), lane), h->instance);
		while (!rc && h->n < HURRY_BATCH) {
			rc = due_next_bucket(&buckets, &at, &head, e);
			if (rc || head.bucket.lane != lane ||
			    strcmp(head.bucket.instance, h->instance))
				break;
			rc = put_off_in(&rows, &head.bucket, h, e);
		}
		if (rc == RC_NOTFOUND)
			rc = OK;
	}
	walk_close(&buckets);
	walk_close(&rows);
	return rc;
}

static enum rc hurry_one(struct txn *t, uint64_t id, int64_t now,
			 struct err *e)
{
	struct task was, is;
	enum rc rc = task_load(t, id, &was, e);

	if (rc)
		return rc;
	is = was;
	is.due = now;
	if (!was.dead && was.due > now)
		rc = lmdb_put_task(&t->rows, &was, &is, e);
	task_release(&was);
	return rc;
}

static enum rc hurry(struct rows *r, struct op *op, struct err *e)
{
	struct txn *t = txn_of(r);
	struct hurry_op *h = (struct hurry_op *)op;
	enum rc rc;

	h->n = 0;
	rc = put_off(t, h, e);
	for (size_t i = 0; !rc && i < h->n; i++)
		rc = hurry_one(t, h->ids[i], h->now, e);
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
			rc = writer_do(s, &h.op, sizeof(h), NULL, e);
	} while (!rc && h.n == HURRY_BATCH);
	free(h.ids);
	return rc;
}

enum rc store_dated_after(struct store *s, int64_t now, bool *ret,
			  struct err *e)
{
	uint64_t last = 0;
	int64_t event;
	struct task task;
	struct txn t;
	enum rc rc = store_newest_time(s, &event, e);

	*ret = !rc && event > now;
	if (rc || *ret)
		return rc;
	rc = txn_read(&t, s, e);
	if (!rc)
		rc = txn_last(&t, "tasks", &last, e);
	/* Usually the newest task has ended: an earlier one tells as much. */
	for (int i = 0; !rc && i < NEWEST && last && !*ret; i++, last--) {
		if (task_load(&t, last, &task, e))
			continue;
		*ret = task.created > now;
		task_release(&task);
	}
	txn_abort(&t);
	return rc;
}
