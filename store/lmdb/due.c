/* SPDX-License-Identifier: MIT
 *
 * due.c - see due.h.
 */
#include "store/lmdb/due.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/lmdb/rows.h"

/* ---- keys ---- */

/* Writes the first bytes of the keys of a bucket; returns k. */
static struct key *due_prefix(struct key *k, const struct bucket *b)
{
	key_str(key_u8(key_start(k), b->lane), b->instance);
	return key_str(key_u8(k, b->group), b->kind);
}

static struct key *due_key(struct key *k, const struct task *t)
{
	struct bucket b = {.lane = t->lane, .group = t->group};

	memcpy(b.instance, t->instance, sizeof(b.instance));
	memcpy(b.kind, t->kind, sizeof(b.kind));
	return key_u64(key_i64(due_prefix(k, &b), t->due), t->id);
}

/* False: these are not the bytes of such a row. */
static bool due_read(const MDB_val *k, const MDB_val *v, struct due_row *ret)
{
	struct key_reader kr = key_read(k->mv_data, k->mv_size);
	struct key_reader vr = key_read(v->mv_data, v->mv_size);

	ret->bucket.lane = key_get_u8(&kr);
	key_get_str(&kr, ret->bucket.instance, sizeof(ret->bucket.instance));
	ret->bucket.group = key_get_u8(&kr);
	key_get_str(&kr, ret->bucket.kind, sizeof(ret->bucket.kind));
	ret->due = key_get_i64(&kr);
	ret->id = key_get_u64(&kr);
	ret->number = key_get_i64(&vr);
	return !kr.bad && !kr.left && !vr.bad && !vr.left;
}

/* ---- how many ---- */

static enum rc count(struct txn *t, const struct task *task, bool more,
		     struct err *e)
{
	struct key k;
	uint64_t n = 0;
	enum rc rc;

	if (!task->group)
		return OK;
	key_u8(key_str(key_start(&k), task->instance), task->group);
	rc = txn_number(t, T_WAITING, &k, &n, e);
	if (rc && rc != RC_INVALID) /* a count that cannot be read begins
				     * anew */
		return rc;
	n = more ? n + 1 : n ? n - 1 : 0;
	return txn_set_number(t, T_WAITING, &k, n, e);
}

/* ---- rows ---- */

static enum rc put_row(struct txn *t, const struct task *task, struct err *e)
{
	struct key k, value;

	key_i64(key_start(&value), task->number);
	return txn_put(t, T_DUE, due_key(&k, task), value.b, value.n, e);
}

enum rc due_put(struct txn *t, const struct task *task, struct err *e)
{
	enum rc rc = put_row(t, task, e);

	return rc ? rc : count(t, task, true, e);
}

enum rc due_del(struct txn *t, const struct task *task, struct err *e)
{
	struct key k;
	enum rc rc = txn_del(t, T_DUE, due_key(&k, task), e);

	if (rc == RC_NOTFOUND)
		return OK;
	return rc ? rc : count(t, task, false, e);
}

enum rc due_move(struct txn *t, const struct task *was, const struct task *is,
		 struct err *e)
{
	struct key k;
	enum rc rc = txn_del(t, T_DUE, due_key(&k, was), e);

	if (rc == RC_NOTFOUND)
		return due_put(t, is, e);
	if (!rc)
		rc = put_row(t, is, e);
	if (rc || was->group == is->group)
		return rc;
	rc = count(t, was, false, e);
	return rc ? rc : count(t, is, true, e);
}

/* ---- for the rules: a reading of the queue ---- */

struct lmdb_queue {
	struct queue queue;
	struct walk buckets, rows, names;
};

static struct lmdb_queue *reading(struct queue *q)
{
	return (struct lmdb_queue *)q;
}

enum rc lmdb_queue_open(struct queue **ret, struct rows *r, struct err *e)
{
	struct lmdb_queue *q = xcalloc(1, sizeof(*q));
	struct txn *t = txn_of(r);
	enum rc rc = walk_open(&q->buckets, t, T_DUE, NULL, 0, e);

	if (!rc)
		rc = walk_open(&q->rows, t, T_DUE, NULL, 0, e);
	if (!rc)
		rc = walk_open(&q->names, t, T_TASK_NAMES, NULL, 0, e);
	q->queue.rows = r;
	*ret = &q->queue;
	return rc;
}

void lmdb_queue_close(struct queue *queue)
{
	struct lmdb_queue *q = reading(queue);

	walk_close(&q->buckets);
	walk_close(&q->rows);
	walk_close(&q->names);
	free(q);
}

/* Writes the least key at or behind a place.  False: there is none. */
static bool place_key(struct key *k, const struct queue_place *at)
{
	key_start(k);
	switch (at->part) {
	case AT_LANE:
		key_u8(k, at->lane);
		return true;
	case AT_INSTANCE:
		key_str(key_u8(k, at->lane), at->instance);
		return true;
	case BEHIND_INSTANCE:
		return key_after(key_str(key_u8(k, at->lane), at->instance));
	case BEHIND_BUCKET:
		break;
	}
	return key_after(due_prefix(k, &at->bucket));
}

enum rc lmdb_queue_bucket(struct queue *queue, struct queue_place *at,
			  struct due_row *ret, struct err *e)
{
	struct walk *w = &reading(queue)->buckets;
	struct key from;

	if (!place_key(&from, at))
		return RC_NOTFOUND;
	for (;;) {
		enum rc rc;

		walk_from(w, &from, 0);
		rc = walk_next(w, e);
		if (rc)
			return rc;
		if (due_read(&w->k, &w->v, ret))
			break;
		/* Skips a row that cannot be read, so that it does not hide the
		 * others. */
		key_start(&from);
		if (w->k.mv_size >= KEY_MAX)
			return RC_NOTFOUND;
		key_u8(key_bytes(&from, w->k.mv_data, w->k.mv_size), 0);
	}
	at->part = BEHIND_BUCKET;
	at->bucket = ret->bucket;
	return OK;
}

void lmdb_queue_from(struct queue *queue, const struct bucket *b, int64_t due,
		     uint64_t id)
{
	struct key k;
	size_t prefix = due_prefix(&k, b)->n;

	walk_from(&reading(queue)->rows, key_u64(key_i64(&k, due), id),
		  prefix);
}

enum rc lmdb_queue_next(struct queue *queue, struct due_row *ret,
			struct err *e)
{
	struct walk *w = &reading(queue)->rows;
	enum rc rc;

	do
		rc = walk_next(w, e);
	while (!rc && !due_read(&w->k, &w->v, ret));
	return rc;
}

enum rc lmdb_queue_of_order(struct queue *queue, const char *instance,
			    int64_t number, uint64_t *ret, size_t max,
			    size_t *ret_n, struct err *e)
{
	struct walk *w = &reading(queue)->names;
	struct key_reader kr;
	struct key k;
	enum rc rc = OK;

	*ret_n = 0;
	key_i64(key_str(key_start(&k), instance), number);
	walk_from(w, &k, k.n);
	while (*ret_n < max) {
		rc = walk_next(w, e);
		if (rc)
			break;
		kr = key_read(w->v.mv_data, w->v.mv_size);
		ret[(*ret_n)++] = key_get_u64(&kr);
	}
	return rc == RC_NOTFOUND ? OK : rc;
}

enum rc lmdb_queue_task(struct queue *queue, uint64_t id, struct task *ret,
			struct err *e)
{
	return task_load(txn_of(queue->rows), id, ret, e);
}

/* ---- for the rules: how many wait ---- */

struct waiting_walk {
	void (*fn)(void *arg, const char *instance, unsigned group,
		   uint64_t tasks);
	void *arg;
};

static enum rc give_waiting(void *arg, const struct walk *w, bool *more,
			    struct err *e)
{
	const struct waiting_walk *g = arg;
	struct key_reader kr = key_read(w->k.mv_data, w->k.mv_size);
	struct key_reader vr = key_read(w->v.mv_data, w->v.mv_size);
	char instance[INSTANCE_SIZE];
	unsigned group;

	(void)more;
	(void)e;
	key_get_str(&kr, instance, sizeof(instance));
	group = key_get_u8(&kr);
	g->fn(g->arg, instance, group, key_get_u64(&vr));
	return OK;
}

enum rc lmdb_waiting(struct rows *r,
		     void (*fn)(void *arg, const char *instance,
				unsigned group, uint64_t tasks),
		     void *arg, struct err *e)
{
	struct waiting_walk g = {fn, arg};

	return each(txn_of(r), T_WAITING, NULL, 0, give_waiting, &g, e);
}
