/* SPDX-License-Identifier: MIT
 *
 * sweep.c - what reconciliation asks of the store: numbers that outlive a
 * restart, and tasks in bulk.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/lmdb/record.h"
#include "store/lmdb/store_private.h"

#define ASKED	    "sweep_asked" /* names of numbers in `meta` */
#define DONE	    "sweep_done"
#define IN_DOUBT    "orders_in_doubt"
#define HURRY_BATCH 2000 /* tasks in one transaction */

/* ---- webhooks that were missed ---- */

static const char *missed_counter(char ret[32], int kind)
{
	snprintf(ret, 32, "missed_%s", missed_name((enum missed)kind));
	return ret;
}

static enum rc count_bits(struct txn *t, unsigned was, unsigned is,
			  struct err *e)
{
	char name[32];
	uint64_t n;
	enum rc rc = OK;

	for (int kind = 0; !rc && kind < MISSED_KINDS; kind++)
		if (is & ~was & 1u << kind)
			rc = txn_next(t, missed_counter(name, kind), &n, e);
	return rc;
}

enum rc missed_count(struct txn *t, const struct order *before,
		     const struct order *after, struct err *e)
{
	const struct offer *was, *is;
	enum rc rc = count_bits(t, before->missed, after->missed, e);

	for (size_t i = 0; !rc && i < after->n_offers; i++) {
		is = &after->offers[i];
		was = order_offer(before, is->warehouse);
		rc = count_bits(t, was ? was->missed : 0, is->missed, e);
	}
	return rc;
}

/* ---- orders in doubt ---- */

static bool in_doubt(const struct order *o)
{
	for (size_t i = 0; i < o->n_offers; i++)
		if (o->offers[i].doubt)
			return true;
	return false;
}

enum rc doubt_count(struct txn *t, const struct order *before,
		    const struct order *after, struct err *e)
{
	bool was = in_doubt(before), is = in_doubt(after);
	uint64_t n = 0;
	enum rc rc;

	if (was == is)
		return OK;
	rc = txn_last(t, IN_DOUBT, &n, e);
	if (rc)
		return rc;
	return txn_set_last(t, IN_DOUBT, is ? n + 1 : n ? n - 1 : 0, e);
}

enum rc doubt_counted(struct txn *t, uint64_t *ret, struct err *e)
{
	return txn_last(t, IN_DOUBT, ret, e);
}

enum rc missed_counts(struct txn *t, uint64_t ret[MISSED_KINDS],
		      struct err *e)
{
	char name[32];
	enum rc rc = OK;

	for (int kind = 0; !rc && kind < MISSED_KINDS; kind++)
		rc = txn_last(t, missed_counter(name, kind), &ret[kind], e);
	return rc;
}

/* ---- sweeps asked for by hand ---- */

static enum rc ask(struct txn *t, struct op *op, struct err *e)
{
	uint64_t n;

	(void)op;
	return txn_next(t, ASKED, &n, e);
}

enum rc store_sweep_ask(struct store *s, struct err *e)
{
	struct op op = {.run = ask};

	return writer_do(s, &op, sizeof(op), NULL, e);
}

enum rc store_sweep_asked(struct store *s, uint64_t *ret_asked,
			  uint64_t *ret_done, struct err *e)
{
	struct txn t;
	enum rc rc = txn_read(&t, s, e);

	if (!rc)
		rc = txn_last(&t, ASKED, ret_asked, e);
	if (!rc)
		rc = txn_last(&t, DONE, ret_done, e);
	txn_abort(&t);
	return rc;
}

struct done_op {
	struct op op;
	uint64_t asked;
};

static enum rc set_done(struct txn *t, struct op *op, struct err *e)
{
	return txn_set_last(t, DONE, ((struct done_op *)op)->asked, e);
}

enum rc store_sweep_done(struct store *s, uint64_t asked, struct err *e)
{
	struct done_op d = {.op.run = set_done, .asked = asked};

	return writer_do(s, &d.op, sizeof(d), NULL, e);
}

/* ---- tasks in bulk ---- */

struct bulk_op {
	struct op op;
	const struct task *tasks;
	size_t n;
};

static enum rc add_all(struct txn *t, struct op *op, struct err *e)
{
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

static enum rc hurry(struct txn *t, struct op *op, struct err *e)
{
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
