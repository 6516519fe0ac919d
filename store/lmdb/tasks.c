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
#include "store/lmdb/due.h"
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

enum rc task_save(struct txn *t, const struct task *task, struct err *e)
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

enum rc task_place(struct txn *t, struct task *task, const struct order *o,
		   struct err *e)
{
	struct store *s = t->store;
	struct order read = {0};
	enum rc rc = OK;

	task->group = 0;
	if (s->base.place && !o && !task->lane && !strcmp(task->kind, s->base.fetch_kind)) {
		rc = order_load(t, task->instance, task->number, &read, e);
		o = &read;
	}
	if (!rc && s->base.place)
		s->base.place(task, o);
	if (!task->lane || task->lane >= LANES)
		task->lane = LANE_REST;
	order_release(&read);
	return rc;
}

/* Takes a task's row out of `due` or `dead`. */
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

/* Stores *is in the place of *was, the same task as it is stored. */
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

/* Makes a task wait until `due`, or dead; `task` is as it is stored. */
static enum rc put_back(struct txn *t, struct task *task, bool dead,
			int64_t due, struct err *e)
{
	struct task was = *task;

	task->dead = dead;
	task->due = due;
	return replace(t, &was, task, e);
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

/* Gives a new task its id and its place, and stores it. */
static enum rc store_new(struct txn *t, struct task *task, struct err *e)
{
	struct key k, id;
	enum rc rc;

	task->asked = 0;
	task->again = TIME_NONE;
	rc = task_place(t, task, NULL, e);
	if (!rc)
		rc = txn_next(t, "tasks", &task->id, e);
	if (rc)
		return rc;
	id_key(&id, task->id);
	rc = txn_put(t, T_TASK_NAMES, name_key(&k, task), id.b, id.n, e);
	if (!rc)
		rc = task_save(t, task, e);
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
static enum rc ask_again(struct txn *t, struct task *have,
			 const struct task *asked, struct err *e)
{
	struct task was = *have, place = *asked;
	enum rc rc = task_place(t, &place, NULL, e);

	if (rc)
		return rc;
	have->asked++;
	if (have->again == TIME_NONE || asked->due < have->again)
		have->again = asked->due;
	if (asked->due < have->due)
		have->due = asked->due;
	if (place.lane < have->lane)
		have->lane = place.lane;
	return replace(t, &was, have, e);
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
		rc = ask_again(t, &have, task, e);
	}
	task_release(&have);
	return rc;
}

enum rc task_move(struct txn *t, const struct task *to, struct err *e)
{
	struct task was, have;
	enum rc rc = find(t, to, &have, e);

	if (rc)
		return rc == RC_NOTFOUND ? OK : rc;
	was = have;
	have.lane = to->lane;
	if (have.lane != was.lane)
		rc = replace(t, &was, &have, e);
	task_release(&have);
	return rc;
}

/* ---- does it wait ---- */

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

/* Makes a task that has run wait until `due`, in the lane where its order now
 * puts it. */
static enum rc wait_again(struct txn *t, const struct task *was,
			  struct task *task, const struct order *order,
			  int64_t due, struct err *e)
{
	enum rc rc;

	if (!strcmp(task->kind, t->store->base.fetch_kind))
		task->lane = LANE_UNPLACED;
	rc = task_place(t, task, order, e);
	task->due = due;
	return rc ? rc : replace(t, was, task, e);
}

/* Ends a run as its result says.  `again`: when the task was asked for once
 * more while it ran, or TIME_NONE. */
static enum rc end_run(struct txn *t, struct task *task, const struct result *r,
		       const struct order *order, int64_t again, int64_t now,
		       struct err *e)
{
	bool asked = again != TIME_NONE;
	struct task was = *task;
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
		return wait_again(t, &was, task, order, again, e);
	}
	task->attempts++;
	set_reason(task, &r->reason);
	if (r->how == OUTCOME_RETRY)
		return wait_again(t, &was, task, order,
				  asked && again < r->due ? again : r->due, e);
	rc = note_given_up(t, task, now, e);
	if (rc)
		return rc;
	if (!asked)
		return put_back(t, task, true, task->due, e);
	task->attempts = 0;
	return wait_again(t, &was, task, order, again, e);
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

	lease_end(s,
		  &(struct lease_ended){t->id, rc == OK || rc == RC_NOTFOUND},
		  1, now);
	return rc;
}

void store_finish_all(struct store *s, struct finish *list, size_t n,
		      int64_t now)
{
	struct finish_op *f = xcalloc(n, sizeof(*f));
	struct op **ops = xcalloc(n, sizeof(struct op *));
	struct lease_ended *ended = xcalloc(n, sizeof(*ended));

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
		ended[i] = (struct lease_ended){
			list[i].task->id,
			list[i].rc == OK || list[i].rc == RC_NOTFOUND,
		};
	}
	lease_end(s, ended, n, now);
	free(ended);
	free(ops);
	free(f);
}

/* ---- reading ---- */

enum rc store_waiting(struct store *s,
		      void (*fn)(void *arg, const char *instance,
				 unsigned group, uint64_t tasks),
		      void *arg, struct err *e)
{
	char instance[INSTANCE_SIZE];
	struct walk w = {0};
	struct key_reader kr, vr;
	struct txn t;
	enum rc rc;

	rc = txn_read(&t, s, e);
	if (!rc)
		rc = walk_open(&w, &t, T_WAITING, NULL, 0, e);
	while (!rc) {
		rc = walk_next(&w, e);
		if (rc)
			break;
		kr = key_read(w.k.mv_data, w.k.mv_size);
		key_get_str(&kr, instance, sizeof(instance));
		vr = key_read(w.v.mv_data, w.v.mv_size);
		fn(arg, instance, key_get_u8(&kr), key_get_u64(&vr));
	}
	walk_close(&w);
	txn_abort(&t);
	return rc == RC_NOTFOUND ? OK : rc;
}

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
	if (!task.dead && task.due <= r->now) {
		rc = fail(e, RC_CONFLICT, "task %llu is due already",
			  (unsigned long long)r->id);
		goto out;
	}
	if (task.dead)
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

#define WOKEN "woken" /* name of a number in `meta` */

static enum rc wake(struct rows *r, struct op *op, struct err *e)
{
	uint64_t n;

	(void)op;
	return txn_next(txn_of(r), WOKEN, &n, e);
}

enum rc store_wake(struct store *s, struct err *e)
{
	struct op op = {.run = wake};

	return writer_do(s, &op, sizeof(op), NULL, e);
}

enum rc store_wakes(struct store *s, uint64_t *ret, struct err *e)
{
	struct txn t;
	enum rc rc = txn_read(&t, s, e);

	if (!rc)
		rc = txn_last(&t, WOKEN, ret, e);
	txn_abort(&t);
	return rc;
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
