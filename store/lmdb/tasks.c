/* SPDX-License-Identifier: MIT
 *
 * tasks.c - the queue of durable work.
 *
 * A waiting task has a row in `due`, a dead one a row in `dead`, never both.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/model/codec.h"
#include "store/model/record.h"
#include "store/lmdb/rows.h"
#include "store/rules/rules.h"

#define FETCH_AGAIN 60000 /* ms: a fetch that settled nothing waits this */
#define UNLESS_WAIT 200	  /* ms: what may change a result goes first */

/* ---- rows ---- */

bool task_same_name(const struct task *a, const struct task *b)
{
	return a->number == b->number && a->sub == b->sub &&
	       !strcmp(a->kind, b->kind) && !strcmp(a->instance, b->instance);
}

static struct key *name_key(struct key *k, const struct task *t)
{
	key_i64(key_str(key_start(k), t->instance), t->number);
	return key_i64(key_str(k, t->kind), t->sub);
}

static struct key *due_key(struct key *k, const struct task *t)
{
	return key_u64(key_i64(key_start(k), t->due), t->id);
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

static enum rc find(struct txn *t, const struct task *name, struct task *ret,
		    struct err *e)
{
	struct key_reader kr;
	struct key k;
	MDB_val v;
	enum rc rc = txn_get(t, T_TASK_NAMES, name_key(&k, name), &v, e);

	if (rc)
		return rc;
	kr = key_read(v.mv_data, v.mv_size);
	return task_load(t, key_get_u64(&kr), ret, e);
}

static enum rc save(struct txn *t, const struct task *task, struct err *e)
{
	struct key k;
	struct buf b;
	enum rc rc;

	buf_init(&b, VALUE_MAX);
	encode_task(&b, task);
	rc = txn_put_buf(t, T_TASKS, id_key(&k, task->id), &b, e);
	buf_release(&b);
	t->touched = true;
	return rc;
}

/* Takes a task's row out of `due` or `dead`. */
static enum rc unlist(struct txn *t, const struct task *task, struct err *e)
{
	struct key k;
	enum rc rc;

	rc = task->dead ? txn_del(t, T_DEAD, id_key(&k, task->id), e)
			: txn_del(t, T_DUE, due_key(&k, task), e);
	return rc == RC_NOTFOUND ? OK : rc;
}

static enum rc list(struct txn *t, const struct task *task, struct err *e)
{
	struct key k;

	return task->dead ? txn_put(t, T_DEAD, id_key(&k, task->id), NULL, 0, e)
			  : txn_put(t, T_DUE, due_key(&k, task), NULL, 0, e);
}

/* Makes a task wait until `due`, or dead; `task` is as it is stored. */
static enum rc put_back(struct txn *t, struct task *task, bool dead,
			int64_t due, struct err *e)
{
	enum rc rc = unlist(t, task, e);

	task->dead = dead;
	task->due = due;
	if (!rc)
		rc = save(t, task, e);
	return rc ? rc : list(t, task, e);
}

static enum rc remove_task(struct txn *t, const struct task *task,
			   struct err *e)
{
	struct key k;
	enum rc rc;

	rc = unlist(t, task, e);
	if (!rc)
		rc = txn_del(t, T_TASK_NAMES, name_key(&k, task), e);
	if (!rc)
		rc = txn_del(t, T_TASKS, id_key(&k, task->id), e);
	t->touched = true;
	return rc;
}

/* ---- adding ---- */

/* Gives a new task its id and stores it. */
static enum rc store_new(struct txn *t, struct task *task, struct err *e)
{
	struct key k, id;
	enum rc rc;

	task->asked = 0;
	task->again = TIME_NONE;
	rc = txn_next(t, "tasks", &task->id, e);
	if (rc)
		return rc;
	id_key(&id, task->id);
	rc = txn_put(t, T_TASK_NAMES, name_key(&k, task), id.b, id.n, e);
	if (!rc)
		rc = save(t, task, e);
	return rc ? rc : list(t, task, e);
}

static enum rc create(struct txn *t, const struct task *like, struct err *e)
{
	struct task task = *like;

	task.attempts = 0;
	task.dead = false;
	task.reason = NULL;
	return store_new(t, &task, e);
}

/* Asks for a live task once more: it may be running. */
static enum rc ask_again(struct txn *t, struct task *have, int64_t due,
			 struct err *e)
{
	have->asked++;
	if (have->again == TIME_NONE || due < have->again)
		have->again = due;
	return put_back(t, have, false, due < have->due ? due : have->due, e);
}

enum rc task_add(struct txn *t, const struct task *task, struct err *e)
{
	struct task have;
	enum rc rc;

	rc = find(t, task, &have, e);
	if (rc == RC_NOTFOUND)
		return create(t, task, e);
	if (rc)
		return rc;
	if (have.dead) {
		rc = remove_task(t, &have, e);
		if (!rc)
			rc = create(t, task, e);
	} else {
		rc = ask_again(t, &have, task->due, e);
	}
	task_release(&have);
	return rc;
}

enum rc task_exists(struct txn *t, const struct task *name, bool *ret,
		    struct err *e)
{
	struct key k;
	MDB_val v;
	enum rc rc = txn_get(t, T_TASK_NAMES, name_key(&k, name), &v, e);

	*ret = rc == OK;
	return rc == RC_NOTFOUND ? OK : rc;
}

struct add_op {
	struct op op;
	const struct task *task;
};

static enum rc add(struct rows *r, struct op *op, struct err *e)
{
	return task_add(txn_of(r), ((struct add_op *)op)->task, e);
}

enum rc store_task_add(struct store *s, const struct task *t, struct err *e)
{
	struct task task = *t;
	struct add_op a = {.op.run = add, .task = &task};
	enum rc rc = check_instance(t->instance, e);

	if (rc)
		return rc;
	if (!*t->kind)
		return fail(e, RC_INVALID, "a task without a kind");
	if (!task.created)
		task.created = time_now();
	return writer_do(s, &a.op, sizeof(a), NULL, e);
}

/* ---- ending a run ---- */

struct finish_op {
	struct op op;
	const struct task *task;
	const struct result *r;
	int64_t now;
};

static void set_reason(struct task *t, const struct err *why)
{
	free(t->reason);
	t->reason = why ? xstrdup(why->text) : NULL;
}

static enum rc note_given_up(struct txn *t, const struct task *task,
			     int64_t now, struct err *e)
{
	char text[sizeof(task->kind) + sizeof(struct err) + 32];
	struct note n = {.at = now, .what = "task", .text = text};

	snprintf(text, sizeof(text), "%s was given up: %s", task->kind,
		 task->reason);
	return journal_add(t, task->instance, task->number, &n, e);
}

enum rc task_add_dead(struct txn *t, const struct task *like, const char *why,
		      int64_t now, uint64_t *ret_id, struct err *e)
{
	struct task task = *like;
	enum rc rc;

	task.attempts = 1;
	task.dead = true;
	task.reason = xstrdup(why);
	rc = store_new(t, &task, e);
	if (!rc)
		rc = note_given_up(t, &task, now, e);
	if (ret_id)
		*ret_id = task.id;
	task_release(&task);
	return rc;
}

/* Ends a run as its result says.  `again`: when the task was asked for once
 * more while it ran, or TIME_NONE. */
static enum rc end_run(struct txn *t, struct task *task, const struct result *r,
		       const struct order *order, int64_t again, int64_t now,
		       struct err *e)
{
	bool asked = again != TIME_NONE, dead;
	enum rc rc;

	task->again = TIME_NONE;
	if (r->how == OUTCOME_DONE) {
		if (!asked && order->fetch_due && !task->sub &&
		    !strcmp(task->kind, t->store->base.fetch_kind))
			again = now + FETCH_AGAIN;
		if (again == TIME_NONE)
			return remove_task(t, task, e);
		task->attempts = 0;
		set_reason(task, NULL);
		return put_back(t, task, false, again, e);
	}
	task->attempts++;
	set_reason(task, &r->reason);
	if (r->how == OUTCOME_RETRY)
		return put_back(t, task, false,
				asked && again < r->due ? again : r->due, e);
	rc = note_given_up(t, task, now, e);
	if (rc)
		return rc;
	dead = !asked;
	if (asked)
		task->attempts = 0;
	return put_back(t, task, dead, asked ? again : task->due, e);
}

/* Of a result that holds only unless others wait: RC_AGAIN when they do. */
static enum rc others_wait(struct txn *t, const struct task *task,
			   const struct result *r, struct err *e)
{
	bool waits = false;
	enum rc rc = OK;

	for (const char *const *kind = r->unless; kind && *kind && !rc; kind++) {
		rc = task_of_kind(t, task, *kind, &waits, e);
		if (!rc && waits)
			return RC_AGAIN;
	}
	return rc;
}

static enum rc end_undecided(struct txn *t, struct task *task,
			     const struct order *order, int64_t now,
			     struct err *e)
{
	struct result r = {.how = OUTCOME_RETRY, .due = now + UNLESS_WAIT};

	(void)!fail(&r.reason, RC_AGAIN, "what came meanwhile goes first");
	return end_run(t, task, &r, order, TIME_NONE, now, e);
}

static enum rc finish(struct rows *rows, struct op *op, struct err *e)
{
	struct txn *t = txn_of(rows);
	struct finish_op *f = (struct finish_op *)op;
	struct order before = {0}, after = {0};
	int64_t again = TIME_NONE;
	struct task task;
	enum rc rc;

	rc = task_load(t, f->task->id, &task, e);
	if (rc == RC_NOTFOUND || (!rc && task.dead)) {
		if (!rc)
			task_release(&task);
		return fail(e, RC_NOTFOUND, "task %llu has ended already",
			    (unsigned long long)f->task->id);
	}
	if (rc)
		return rc;
	order_change_want(rows, task.instance, task.number);
	rc = order_load(t, task.instance, task.number, &before, e);
	if (!rc)
		rc = others_wait(t, &task, f->r, e);
	if (rc == RC_AGAIN) {
		rc = end_undecided(t, &task, &before, f->now, e);
		goto out;
	}
	if (!rc)
		rc = order_change(rows, &before, &f->r->changes, &task, f->now,
				  &after, &again, e);
	if (rc)
		goto out;
	if (task.asked != f->task->asked &&
	    (again == TIME_NONE || task.again < again))
		again = task.again;
	rc = end_run(t, &task, f->r, &after, again, f->now, e);
	order_release(&after);
out:
	order_release(&before);
	task_release(&task);
	return rc;
}

enum rc store_finish(struct store *s, const struct task *t,
		     const struct result *r, int64_t now, struct err *e)
{
	struct finish_op f = {
		.op.run = finish,
		.task = t,
		.r = r,
		.now = now,
	};
	enum rc rc = writer_do(s, &f.op, sizeof(f), NULL, e);

	lease_end(s, t->id, rc == OK || rc == RC_NOTFOUND, now);
	return rc;
}

void store_finish_all(struct store *s, struct finish *list, size_t n,
		      int64_t now)
{
	struct finish_op *f = xcalloc(n, sizeof(*f));
	struct op **ops = xcalloc(n, sizeof(struct op *));

	for (size_t i = 0; i < n; i++) {
		f[i] = (struct finish_op){
			.op.run = finish,
			.task = list[i].task,
			.r = list[i].result,
			.now = now,
		};
		ops[i] = &f[i].op;
	}
	writer_do_all(s, ops, n);
	for (size_t i = 0; i < n; i++) {
		list[i].rc = f[i].op.rc;
		list[i].e = f[i].op.err;
		lease_end(s, list[i].task->id,
			  list[i].rc == OK || list[i].rc == RC_NOTFOUND, now);
	}
	free(ops);
	free(f);
}

/* ---- reading ---- */

enum rc store_tasks(struct store *s, bool dead, uint64_t from,
		    bool (*fn)(void *arg, const struct task *t), void *arg,
		    struct err *e)
{
	struct walk w = {0};
	struct key_reader kr;
	struct task task;
	struct key k;
	struct txn t;
	bool more = true;
	enum rc rc;

	rc = txn_read(&t, s, e);
	if (!rc)
		rc = walk_open(&w, &t, dead ? T_DEAD : T_TASKS,
			       id_key(&k, from), 0, e);
	while (!rc && more) {
		rc = walk_next(&w, e);
		if (rc)
			break;
		kr = key_read(w.k.mv_data, w.k.mv_size);
		rc = task_load(&t, key_get_u64(&kr), &task, e);
		if (rc)
			break;
		more = fn(arg, &task);
		task_release(&task);
	}
	walk_close(&w);
	txn_abort(&t);
	return rc == RC_NOTFOUND ? OK : rc;
}

/* ---- dead letters ---- */

struct redrive_op {
	struct op op;
	uint64_t id;
	int64_t now;
};

static enum rc redrive(struct rows *rows, struct op *op, struct err *e)
{
	struct txn *t = txn_of(rows);
	struct redrive_op *r = (struct redrive_op *)op;
	struct note n = {.at = r->now, .what = "task"};
	char text[TASK_KIND_SIZE + 32];
	struct task task;
	enum rc rc;

	rc = task_load(t, r->id, &task, e);
	if (rc == RC_NOTFOUND)
		return fail(e, rc, "there is no task %llu",
			    (unsigned long long)r->id);
	if (rc)
		return rc;
	if (!task.dead) {
		rc = fail(e, RC_CONFLICT, "task %llu is not dead",
			  (unsigned long long)r->id);
		goto out;
	}
	task.attempts = 0;
	rc = put_back(t, &task, false, r->now, e);
	if (rc)
		goto out;
	snprintf(text, sizeof(text), "%s is tried once more", task.kind);
	n.text = text;
	rc = journal_add(t, task.instance, task.number, &n, e);
out:
	task_release(&task);
	return rc;
}

enum rc store_redrive(struct store *s, uint64_t id, int64_t now, struct err *e)
{
	struct redrive_op r = {.op.run = redrive, .id = id, .now = now};

	return writer_do(s, &r.op, sizeof(r), NULL, e);
}

enum rc task_hurry(struct txn *t, uint64_t id, int64_t now, struct err *e)
{
	struct task task;
	enum rc rc = task_load(t, id, &task, e);

	if (rc)
		return rc;
	if (!task.dead && task.due > now)
		rc = put_back(t, &task, false, now, e);
	task_release(&task);
	return rc;
}
