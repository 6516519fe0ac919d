/* SPDX-License-Identifier: MIT
 *
 * migrate.c - brings stores of older schemas to the present one.
 *
 * A step is taken in transactions of limited size, so that it needs little
 * room; each of them looks for what is left to be done, so if a process is
 * killed between two of them, the next process finishes the step.  The first
 * transaction raises the schema's number: from then on an older shipfrom
 * refuses the folder, which it would misread.
 *
 * To add a step: a function and a row at the end of `steps`.  A step after
 * which older versions cannot read some rows needs a new SCHEMA_VERSION.
 */
#include <string.h>

#include "store/model/codec.h"
#include "store/lmdb/folder.h"
#include "store/lmdb/due.h"
#include "store/lmdb/schema.h"
#include "store/lmdb/store_private.h"
#include "store/rules/rules.h"

#define ROWS 1000 /* in one transaction */

/* Does a part of a step, of about ROWS rows, and may be called again after a
 * crash.  *ret_more: another call is needed. */
typedef enum rc step_fn(struct txn *t, bool *ret_more, struct err *e);

/* ---- numbers ---- */

static enum rc get_number(struct txn *t, const char *name, uint32_t *ret,
			  struct err *e)
{
	struct reader r;
	struct key k;
	MDB_val v;
	enum rc rc = txn_get(t, T_META,
			     key_bytes(key_start(&k), name, strlen(name)), &v,
			     e);

	*ret = 0;
	if (rc)
		return rc == RC_NOTFOUND ? OK : rc;
	reader_init(&r, v.mv_data, v.mv_size);
	*ret = get_u32(&r);
	return OK;
}

static enum rc put_number(struct txn *t, const char *name, uint32_t value,
			  struct err *e)
{
	struct key k;
	struct buf b;
	enum rc rc;

	buf_init(&b, 16);
	put_u32(&b, value);
	rc = txn_put_buf(t, T_META,
			 key_bytes(key_start(&k), name, strlen(name)), &b, e);
	buf_release(&b);
	return rc;
}

/* ---- 1: `due` is kept in buckets ---- */

/* Bytes of an old row's key (i64 due, u64 id); the row had no value.  It sorts
 * behind all lanes: an i64 that is not negative begins with a byte of 0x80 or
 * more. */
#define OLD_ROW 16

/* Finds a task's place in the queue. */
static enum rc place(struct txn *t, struct task *task, struct err *e)
{
	want_order(&t->rows, task->instance, task->number, 0);
	return task_place(&t->rows, task, NULL, e);
}

static enum rc move_row(struct txn *t, const struct key *old, struct err *e)
{
	struct key_reader kr = key_read(old->b, old->n);
	struct task task;
	enum rc rc = RC_NOTFOUND;

	key_get_i64(&kr);
	if (old->n == OLD_ROW)
		rc = task_load(t, key_get_u64(&kr), &task, e);
	if (rc == RC_IO)
		return rc;
	if (rc)
		return txn_del(t, T_DUE, old, e); /* it led to no task */
	task.lane = LANE_UNPLACED;
	rc = txn_del(t, T_DUE, old, e);
	if (!rc)
		rc = place(t, &task, e);
	if (!rc)
		rc = task_save(t, &task, e);
	if (!rc)
		rc = due_put(t, &task, e);
	task_release(&task);
	return rc;
}

static enum rc queue_by_lane(struct txn *t, bool *ret_more, struct err *e)
{
	struct key from, old;
	struct walk w;
	size_t n = 0;
	enum rc rc;

	rc = walk_open(&w, t, T_DUE, key_u8(key_start(&from), LANES), 0, e);
	for (; !rc && n < ROWS; n++) {
		walk_from(&w, &from, 0);
		rc = walk_next(&w, e);
		if (rc)
			break;
		key_bytes(key_start(&old), w.k.mv_data, w.k.mv_size);
		rc = move_row(t, &old, e);
	}
	walk_close(&w);
	*ret_more = n == ROWS;
	return rc == RC_NOTFOUND ? OK : rc;
}

/* ---- 2: dead tasks have a lane too ---- */

/* Gives dead tasks a lane and an API: a task that is revived is queued by
 * these. */
static enum rc place_dead(struct txn *t, bool *ret_more, struct err *e)
{
	struct walk w;
	struct key_reader kr;
	struct task task;
	enum rc rc, placed = OK;

	*ret_more = false;
	rc = walk_open(&w, t, T_DEAD, NULL, 0, e);
	while (!rc && !placed) {
		rc = walk_next(&w, e);
		if (rc)
			break;
		kr = key_read(w.k.mv_data, w.k.mv_size);
		if (task_load(t, key_get_u64(&kr), &task, e))
			continue;
		if (!task.lane) {
			placed = place(t, &task, e);
			if (!placed)
				placed = task_save(t, &task, e);
		}
		task_release(&task);
	}
	walk_close(&w);
	return placed ? placed : rc == RC_NOTFOUND ? OK : rc;
}

/* ---- all of them ---- */

static const struct {
	const char *name;
	step_fn *fn;
} steps[] = {
	{"the queue by lane", queue_by_lane},
	{"the lanes of dead tasks", place_dead},
};

#define STEPS (sizeof(steps) / sizeof(*steps))

enum rc migrate_none(struct txn *t, struct err *e)
{
	enum rc rc = put_number(t, "schema", SCHEMA_VERSION, e);

	return rc ? rc : put_number(t, "steps", (uint32_t)STEPS, e);
}

/* Does the next part of what is left.  *ret_more: there is more. */
static enum rc take_part(struct txn *t, bool *ret_more, struct err *e)
{
	uint32_t taken = 0;
	bool more = false;
	enum rc rc = put_number(t, "schema", SCHEMA_VERSION, e);

	*ret_more = false;
	if (!rc)
		rc = get_number(t, "steps", &taken, e);
	if (rc || taken >= STEPS)
		return rc;
	rc = steps[taken].fn(t, &more, e);
	if (!rc && !more)
		rc = put_number(t, "steps", ++taken, e);
	*ret_more = taken < STEPS;
	return rc;
}

static enum rc take_all(struct store *s, struct err *e)
{
	bool more = true;
	enum rc rc = OK;

	while (more && !rc) {
		struct txn t;

		rc = txn_write(&t, s, e);
		if (!rc)
			rc = take_part(&t, &more, e);
		if (!rc)
			rc = txn_commit(&t, e);
		txn_abort(&t);
	}
	return rc;
}

static enum rc is_present(struct store *s, bool *ret, struct err *e)
{
	uint32_t schema = 0, taken = 0;
	struct txn t;
	enum rc rc = txn_read(&t, s, e);

	if (!rc)
		rc = get_number(&t, "schema", &schema, e);
	if (!rc)
		rc = get_number(&t, "steps", &taken, e);
	txn_abort(&t);
	*ret = schema == SCHEMA_VERSION && taken >= STEPS;
	return rc;
}

enum rc migrate(struct store *s, const char *dir, struct err *e)
{
	bool present = false, locked = s->lock_fd >= 0;
	enum rc rc = is_present(s, &present, e);

	if (rc || present)
		return rc;
	if (!locked) {
		rc = take_serve_lock(s, dir, e);
		if (rc == RC_EXISTS)
			return fail(e, rc,
				    "the store in '%s' is of an older version, "
				    "and a server uses it: restart the server "
				    "first",
				    dir);
	}
	if (!rc)
		rc = take_all(s, e);
	if (!locked)
		drop_serve_lock(s);
	return rc;
}
