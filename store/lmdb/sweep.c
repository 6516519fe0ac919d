/* SPDX-License-Identifier: MIT
 *
 * sweep.c - what reconciliation asks of the store: numbers that outlive a
 * restart, and tasks in bulk.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/model/record.h"
#include "store/lmdb/rows.h"

#define HURRY_BATCH 2000 /* tasks in one transaction */

/* ---- tasks in bulk ---- */

struct bulk_op {
	struct op op;
	const struct task *tasks;
	size_t n;
};

static enum rc add_all(struct rows *r, struct op *op, struct err *e)
{
	struct txn *t = txn_of(r);
	struct bulk_op *b = (struct bulk_op *)op;
	enum rc rc = OK;

	for (size_t i = 0; !rc && i < b->n; i++)
		rc = task_add(t, &b->tasks[i], e);
	return rc;
}

enum rc store_tasks_add(struct store *s, const struct task *tasks, size_t n,
			struct err *e)
{
	struct bulk_op b = {.op.run = add_all, .tasks = tasks, .n = n};

	return n ? writer_do(s, &b.op, sizeof(b), NULL, e) : OK;
}

enum rc task_of_kind(struct txn *t, const struct task *of, const char *kind,
		     bool *ret, struct err *e)
{
	struct key_reader kr;
	struct walk w = {0};
	struct task task;
	struct key k;
	enum rc rc;

	*ret = false;
	key_i64(key_str(key_start(&k), of->instance), of->number);
	key_str(&k, kind);
	rc = walk_open(&w, t, T_TASK_NAMES, &k, k.n, e);
	while (!rc && !*ret) {
		rc = walk_next(&w, e);
		if (rc)
			break;
		kr = key_read(w.v.mv_data, w.v.mv_size);
		rc = task_load(t, key_get_u64(&kr), &task, e);
		if (rc)
			break;
		*ret = !task.dead;
		task_release(&task);
	}
	walk_close(&w);
	return rc == RC_NOTFOUND ? OK : rc;
}

struct hurry_op {
	struct op op;
	const char *instance;
	int64_t now;
	size_t n; /* out: how many were hurried */
};

/* Nothing is put off for longer (ms): missed_after is a day at most. */
#define LONGEST_WAIT ((int64_t)25 * 3600 * 1000)

/* It failed before; or it was to run at once, by a clock that went back; or it
 * was put off by one, further than anything is. */
static bool may_hurry(const struct task *t, const struct hurry_op *h)
{
	return !strcmp(t->instance, h->instance) &&
	       (t->attempts || (t->created > h->now && t->due <= t->created) ||
		t->due > h->now + LONGEST_WAIT);
}

/* The ids of tasks of the instance that wait and need not. */
static enum rc put_off(struct txn *t, const struct hurry_op *h, uint64_t *ids,
		       size_t *ret_n, struct err *e)
{
	struct key_reader kr;
	struct walk w = {0};
	struct task task;
	struct key k;
	enum rc rc;

	rc = walk_open(&w, t, T_DUE, key_i64(key_start(&k), h->now + 1), 0, e);
	while (!rc && *ret_n < HURRY_BATCH) {
		rc = walk_next(&w, e);
		if (rc)
			break;
		kr = key_read(w.k.mv_data, w.k.mv_size);
		key_get_i64(&kr);
		ids[*ret_n] = key_get_u64(&kr);
		if (task_load(t, ids[*ret_n], &task, NULL))
			continue;
		*ret_n += may_hurry(&task, h);
		task_release(&task);
	}
	walk_close(&w);
	return rc == RC_NOTFOUND ? OK : rc;
}

static enum rc hurry(struct rows *r, struct op *op, struct err *e)
{
	struct txn *t = txn_of(r);
	struct hurry_op *h = (struct hurry_op *)op;
	uint64_t *ids = xcalloc(HURRY_BATCH, sizeof(*ids));
	enum rc rc;

	h->n = 0;
	rc = put_off(t, h, ids, &h->n, e);
	for (size_t i = 0; !rc && i < h->n; i++)
		rc = task_hurry(t, ids[i], h->now, e);
	free(ids);
	return rc;
}

enum rc store_hurry(struct store *s, const char *instance, int64_t now,
		    struct err *e)
{
	struct hurry_op h = {
		.op.run = hurry, .instance = instance, .now = now};
	enum rc rc = check_instance(instance, e);

	do {
		if (!rc)
			rc = writer_do(s, &h.op, sizeof(h), NULL, e);
	} while (!rc && h.n == HURRY_BATCH);
	return rc;
}
