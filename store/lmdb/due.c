/* SPDX-License-Identifier: MIT
 *
 * due.c - see due.h.
 */
#include "store/lmdb/due.h"

#include <string.h>

#include "store/lmdb/store_private.h"

/* ---- keys ---- */

struct key *due_prefix(struct key *k, const struct bucket *b)
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

bool due_read(const MDB_val *k, const MDB_val *v, struct due_row *ret)
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

enum rc waiting_count(struct txn *t, const struct key *k, uint64_t *ret,
		      struct err *e)
{
	struct key_reader kr;
	MDB_val v;
	enum rc rc = txn_get(t, T_WAITING, k, &v, e);

	*ret = 0;
	if (rc)
		return rc == RC_NOTFOUND ? OK : rc;
	kr = key_read(v.mv_data, v.mv_size);
	*ret = key_get_u64(&kr);
	return OK;
}

static enum rc count(struct txn *t, const struct task *task, bool more,
		     struct err *e)
{
	struct key k, value;
	uint64_t n = 0;
	enum rc rc;

	if (!task->group)
		return OK;
	key_u8(key_str(key_start(&k), task->instance), task->group);
	rc = waiting_count(t, &k, &n, e);
	if (rc)
		return rc;
	n = more ? n + 1 : n ? n - 1 : 0;
	if (n)
		return txn_put(t, T_WAITING, &k,
			       key_u64(key_start(&value), n)->b, 8, e);
	rc = txn_del(t, T_WAITING, &k, e);
	return rc == RC_NOTFOUND ? OK : rc;
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

/* ---- from bucket to bucket ---- */

enum rc due_next_bucket(struct walk *w, struct key *at, struct due_row *ret,
			struct err *e)
{
	for (;;) {
		enum rc rc;

		walk_from(w, at, 0);
		rc = walk_next(w, e);
		if (rc)
			return rc;
		if (due_read(&w->k, &w->v, ret))
			break;
		/* A row that cannot be read must not stop the others. */
		key_start(at);
		if (w->k.mv_size >= KEY_MAX)
			return RC_NOTFOUND;
		key_u8(key_bytes(at, w->k.mv_data, w->k.mv_size), 0);
	}
	return key_after(due_prefix(at, &ret->bucket)) ? OK : RC_NOTFOUND;
}
