/* SPDX-License-Identifier: MIT
 *
 * tasks.c - rows of tasks.  A waiting task has a row in `due`, a dead task a
 * row in `dead`; none has both.
 */
#include <string.h>

#include "base/mem.h"
#include "store/lmdb/due.h"
#include "store/lmdb/rows.h"
#include "store/model/codec.h"
#include "store/model/record.h"

/* ---- rows ---- */

static struct key *name_key(struct key *k, const struct task *t)
{
	key_i64(key_str(key_start(k), t->instance), t->number);
	return key_i64(key_str(k, t->kind), t->sub);
}

static struct key *id_key(struct key *k, uint64_t id)
{
	return key_u64(key_start(k), id);
}

enum rc task_load(struct txn *t, uint64_t id, struct task *ret, struct err *e)
{
	struct key k;
	MDB_val v;
	enum rc rc = txn_get(t, T_TASKS, id_key(&k, id), &v, e);

	return rc ? rc : get_task(ret, id, v.mv_data, v.mv_size, e);
}

/* True if this transaction has found that the order has no task. */
static bool has_no_tasks(const struct txn *t, const struct key *order)
{
	return t->no_tasks.n && t->no_tasks.n <= order->n &&
	       !memcmp(t->no_tasks.b, order->b, t->no_tasks.n);
}

/* Reads the row of a task's name.  RC_NOTFOUND: there is no such task. */
static enum rc get_name(struct txn *t, const struct task *name, MDB_val *ret,
			struct err *e)
{
	struct key k;

	name_key(&k, name);
	return has_no_tasks(t, &k) ? RC_NOTFOUND
				   : txn_get(t, T_TASK_NAMES, &k, ret, e);
}

static enum rc find(struct txn *t, const struct task *name, struct task *ret,
		    struct err *e)
{
	struct key_reader kr;
	MDB_val v;
	uint64_t id;
	enum rc rc = get_name(t, name, &v, e);

	if (rc)
		return rc;
	kr = key_read(v.mv_data, v.mv_size);
	id = key_get_u64(&kr);
	rc = task_load(t, id, ret, e);
	if (rc)
		ret->id = id;
	return rc;
}

enum rc task_save(struct txn *t, const struct task *task, struct err *e)
{
	struct buf *b = txn_scratch(t);
	struct key k;

	encode_task(b, task);
	t->touched = true;
	return txn_put_buf(t, T_TASKS, id_key(&k, task->id), b, e);
}

/* Removes a task's row from `due` or `dead`. */
static enum rc unlist(struct txn *t, const struct task *task, struct err *e)
{
	struct key k;
	enum rc rc;

	if (!task->dead)
		return due_del(t, task, e);
	rc = txn_del(t, T_DEAD, id_key(&k, task->id), e);
	return rc == RC_NOTFOUND ? OK : rc;
}

static enum rc list(struct txn *t, const struct task *task, struct err *e)
{
	struct key k;

	return task->dead ? txn_put(t, T_DEAD, id_key(&k, task->id), NULL, 0, e)
			  : due_put(t, task, e);
}

/* Stores *is in place of *was: both are forms of one task. */
static enum rc replace(struct txn *t, const struct task *was,
		       const struct task *is, struct err *e)
{
	enum rc rc = task_save(t, is, e);

	if (!rc && !was->dead && !is->dead)
		return due_move(t, was, is, e);
	if (!rc)
		rc = unlist(t, was, e);
	return rc ? rc : list(t, is, e);
}

/* ---- for the rules ---- */

enum rc lmdb_task(struct rows *r, uint64_t id, struct task *ret, struct err *e)
{
	return task_load(txn_of(r), id, ret, e);
}

enum rc lmdb_task_named(struct rows *r, const struct task *name,
			struct task *ret, struct err *e)
{
	return find(txn_of(r), name, ret, e);
}

enum rc lmdb_task_exists(struct rows *r, const struct task *name, bool *ret,
			 struct err *e)
{
	MDB_val v;
	enum rc rc = get_name(txn_of(r), name, &v, e);

	*ret = rc == OK;
	return rc == RC_NOTFOUND ? OK : rc;
}

struct name_search {
	uint64_t id;
	struct task *ret;
	bool found;
};

static enum rc look_for_id(void *arg, const struct walk *w, bool *more,
			   struct err *e)
{
	struct name_search *s = arg;
	struct key_reader kr = key_read(w->k.mv_data, w->k.mv_size);
	struct key_reader vr = key_read(w->v.mv_data, w->v.mv_size);

	(void)e;
	if (key_get_u64(&vr) != s->id || vr.bad)
		return OK;
	key_get_str(&kr, s->ret->instance, sizeof(s->ret->instance));
	s->ret->number = key_get_i64(&kr);
	key_get_str(&kr, s->ret->kind, sizeof(s->ret->kind));
	s->ret->sub = key_get_i64(&kr);
	s->found = !kr.bad && !kr.left;
	*more = !s->found;
	return OK;
}

enum rc lmdb_task_name(struct rows *r, const struct task *of, uint64_t id,
		       struct task *ret, struct err *e)
{
	struct name_search s = {.id = id, .ret = ret};
	struct key k;
	enum rc rc;

	key_i64(key_str(key_start(&k), of->instance), of->number);
	rc = each(txn_of(r), T_TASK_NAMES, &k, k.n, look_for_id, &s, e);
	return rc ? rc : s.found ? OK : RC_NOTFOUND;
}

/* Has the transaction remember that an order has no task, if that is so: then
 * nothing more is read for it. */
static enum rc note_no_tasks(struct txn *t, const struct key *order,
			     struct err *e)
{
	struct walk w = {0};
	enum rc rc = walk_open(&w, t, T_TASK_NAMES, order, order->n, e);

	if (!rc)
		rc = walk_next(&w, e);
	walk_close(&w);
	if (rc == RC_NOTFOUND)
		t->no_tasks = *order;
	return rc == RC_NOTFOUND ? OK : rc;
}

enum rc lmdb_has_task(struct rows *r, const char *instance, int64_t number,
		      bool *ret, struct err *e)
{
	struct walk w = {0};
	struct key k;
	enum rc rc;

	key_i64(key_str(key_start(&k), instance), number);
	rc = walk_open(&w, txn_of(r), T_TASK_NAMES, &k, k.n, e);
	if (!rc)
		rc = walk_next(&w, e);
	walk_close(&w);
	*ret = rc == OK;
	return rc == RC_NOTFOUND ? OK : rc;
}

struct kind_search {
	struct txn *t;
	bool found;
};

/* Sets *ret: a task that cannot be read, `rc`, waits or runs. */
static enum rc unread_waits(struct txn *t, uint64_t id, enum rc rc, bool *ret,
			    struct err *e)
{
	struct key k;
	MDB_val v;

	if (rc == RC_INVALID)
		rc = txn_get(t, T_DEAD, id_key(&k, id), &v, e);
	else if (rc == RC_NOTFOUND)
		return OK;
	*ret = rc == RC_NOTFOUND;
	return *ret ? OK : rc;
}

static enum rc look_for_live(void *arg, const struct walk *w, bool *more,
			     struct err *e)
{
	struct kind_search *s = arg;
	struct key_reader kr = key_read(w->v.mv_data, w->v.mv_size);
	uint64_t id = key_get_u64(&kr);
	struct task task;
	enum rc rc = task_load(s->t, id, &task, e);

	if (rc) {
		rc = unread_waits(s->t, id, rc, &s->found, e);
	} else {
		s->found = !task.dead;
		task_release(&task);
	}
	*more = !s->found;
	return rc;
}

enum rc lmdb_task_of_kind(struct rows *r, const struct task *of,
			  const char *kind, bool *ret, struct err *e)
{
	struct kind_search s = {.t = txn_of(r)};
	struct key k;
	enum rc rc = OK;

	order_key(&k, of->instance, of->number);
	if (!has_no_tasks(s.t, &k))
		rc = note_no_tasks(s.t, &k, e);
	if (!rc && !has_no_tasks(s.t, &k)) {
		key_str(&k, kind);
		rc = each(s.t, T_TASK_NAMES, &k, k.n, look_for_live, &s, e);
	}
	*ret = s.found;
	return rc;
}

enum rc lmdb_new_task(struct rows *r, struct task *task, struct err *e)
{
	struct txn *t = txn_of(r);
	struct key k, id;
	enum rc rc = txn_next(t, "tasks", &task->id, e);

	if (rc)
		return rc;
	t->no_tasks.n = 0;
	id_key(&id, task->id);
	rc = txn_put(t, T_TASK_NAMES, name_key(&k, task), id.b, id.n, e);
	if (!rc)
		rc = task_save(t, task, e);
	return rc ? rc : list(t, task, e);
}

enum rc lmdb_put_task(struct rows *r, const struct task *was,
		      const struct task *is, struct err *e)
{
	return replace(txn_of(r), was, is, e);
}

enum rc lmdb_del_task(struct rows *r, const struct task *task, struct err *e)
{
	struct txn *t = txn_of(r);
	struct key k;
	enum rc rc = unlist(t, task, e);

	if (!rc)
		rc = txn_del(t, T_TASK_NAMES, name_key(&k, task), e);
	if (!rc)
		rc = txn_del(t, T_TASKS, id_key(&k, task->id), e);
	t->touched = true;
	return rc;
}

enum rc lmdb_del_unread_task(struct rows *r, uint64_t id, struct err *e)
{
	static const enum table tables[] = {T_TASKS, T_DEAD};
	struct txn *t = txn_of(r);
	enum rc rc = OK;
	struct key k;

	for (size_t i = 0; !rc && i < sizeof(tables) / sizeof(*tables); i++) {
		rc = txn_del(t, tables[i], id_key(&k, id), e);
		if (rc == RC_NOTFOUND)
			rc = OK;
	}
	return rc;
}

enum rc lmdb_del_due(struct rows *r, const struct due_row *row, struct err *e)
{
	struct task t = {
		.lane = row->bucket.lane,
		.group = row->bucket.group,
		.due = row->due,
		.id = row->id,
	};

	memcpy(t.instance, row->bucket.instance, sizeof(t.instance));
	memcpy(t.kind, row->bucket.kind, sizeof(t.kind));
	return due_del(txn_of(r), &t, e);
}

enum rc lmdb_newest_tasks(struct rows *r, struct task *ret, size_t max,
			  size_t *ret_n, struct err *e)
{
	struct txn *t = txn_of(r);
	uint64_t last = 0;
	enum rc rc = txn_last(t, "tasks", &last, e);

	*ret_n = 0;
	for (size_t i = 0; !rc && i < max && last; i++, last--)
		*ret_n += !task_load(t, last, &ret[*ret_n], NULL);
	return rc;
}
