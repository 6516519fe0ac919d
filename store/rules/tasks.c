/* SPDX-License-Identifier: MIT
 *
 * tasks.c - adds tasks, and ends their runs. leases.c decides whose turn is
 * next.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/rules/engine.h"
#include "store/rules/rules.h"

#define FETCH_AGAIN 60000 /* ms that a fetch waits which settled nothing */
#define UNLESS_WAIT 200	  /* ms that a task waits for one that may change its
			   * result */

bool task_same_name(const struct task *a, const struct task *b)
{
	return a->number == b->number && a->sub == b->sub &&
	       !strcmp(a->kind, b->kind) && !strcmp(a->instance, b->instance);
}

enum rc task_place(struct rows *t, struct task *task, const struct order *o,
		   struct err *e)
{
	const struct store_base *s = store_base_of(t->store);
	struct order read = {0};
	enum rc rc = OK;

	task->group = 0;
	if (s->place && !o && !task->lane &&
	    !strcmp(task->kind, s->fetch_kind)) {
		rc = row_order(t, task->instance, task->number, &read, e);
		if (rc == RC_INVALID)
			rc = OK; /* the task's run reports the damage */
		o = &read;
	}
	if (!rc && s->place)
		s->place(task, o);
	if (!task->lane || task->lane >= LANES)
		task->lane = LANE_REST;
	order_release(&read);
	return rc;
}

void task_add_want(struct rows *r, const struct task *task)
{
	want_order(r, task->instance, task->number, WANT_TASKS);
}

/* Makes a task wait until `due`, or marks it dead; `task` is as it is
 * stored. */
static void put_back(struct rows *t, struct task *task, bool dead, int64_t due)
{
	struct task was = *task;

	task->dead = dead;
	task->due = due;
	put_task(t, &was, task);
}

/* ---- adding ---- */

/* Gives a new task its lane and adds it; *ret_id is its id when the transaction
 * commits, or earlier. */
static enum rc add_new(struct rows *t, struct task *task, uint64_t *ret_id,
		       struct err *e)
{
	enum rc rc;

	task->asked = 0;
	task->again = TIME_NONE;
	rc = task_place(t, task, NULL, e);
	if (!rc)
		put_new_task(t, task, ret_id);
	return rc;
}

static enum rc create(struct rows *t, const struct task *like, struct err *e)
{
	struct task task = *like;

	task.attempts = 0;
	task.dead = false;
	task.reason = NULL;
	task.why = 0;
	return add_new(t, &task, NULL, e);
}

/* Asks once more for a task that is not dead; it may be running.  A task that
 * reconciliation makes due before its wait is over does not count as one more
 * attempt: it would wait for longer after it. */
static enum rc ask_again(struct rows *t, struct task *have,
			 const struct task *asked, struct err *e)
{
	struct task was = *have, place = *asked;
	enum rc rc = task_place(t, &place, NULL, e);

	if (rc)
		return rc;
	if (place.lane == LANE_LAST && asked->due < have->due &&
	    have->attempts)
		have->attempts--;
	have->asked++;
	if (have->again == TIME_NONE || asked->due < have->again)
		have->again = asked->due;
	if (asked->due < have->due)
		have->due = asked->due;
	if (place.lane < have->lane)
		have->lane = place.lane;
	put_task(t, &was, have);
	return OK;
}

/* Reports that a task whose row cannot be read gets a new one. */
static void tell_remade(struct rows *t, const struct task *task, uint64_t was,
			const struct err *why)
{
	const struct store_base *s = store_base_of(t->store);

	if (s->remade)
		s->remade(s->remade_arg, task, was, why);
}

/* Adds a task in the place of one whose row cannot be read.  All that a run
 * needs is in the name; if the old one waits, its place in the queue leads to
 * nothing now, and store_lease() removes it. */
static enum rc replace_unread(struct rows *t, const struct task *task,
			      uint64_t was, struct err *e)
{
	tell_remade(t, task, was, e);
	del_unread_task(t, was);
	return create(t, task, e);
}

enum rc task_add(struct rows *t, const struct task *task, struct err *e)
{
	struct task have;
	enum rc rc;

	rc = row_task_named(t, task, &have, e);
	if (rc == RC_NOTFOUND)
		return create(t, task, e);
	if (rc == RC_INVALID && have.id)
		return replace_unread(t, task, have.id, e);
	if (rc)
		return rc;
	if (have.dead) {
		del_task(t, &have);
		rc = create(t, task, e);
	} else {
		rc = ask_again(t, &have, task, e);
	}
	task_release(&have);
	return rc;
}

enum rc task_move(struct rows *t, const struct task *to, struct err *e)
{
	struct task was, have;
	enum rc rc = row_task_named(t, to, &have, e);

	if (rc == RC_NOTFOUND || rc == RC_INVALID)
		return OK; /* if it is damaged: see task_remake() */
	if (rc)
		return rc;
	was = have;
	have.lane = to->lane;
	if (have.lane != was.lane)
		put_task(t, &was, &have);
	task_release(&have);
	return rc;
}

/* ---- a row that cannot be read ---- */

struct remake_op {
	struct op op;
	const struct due_row *row;
	int64_t now;
};

static void remake_want(struct rows *r, struct op *op)
{
	const struct due_row *row = ((struct remake_op *)op)->row;

	want_task(r, row->id);
	want_order(r, row->bucket.instance, row->number, WANT_TASKS);
}

/* Adds a task with the name of the unreadable one.  RC_NOTFOUND: no name leads to
 * the unreadable one any more, since a new task has taken its name meanwhile. */
static enum rc add_by_name(struct rows *r, const struct remake_op *o,
			   bool gone, struct err *e)
{
	const struct due_row *row = o->row;
	struct task of = {.number = row->number}, task;
	struct err why;
	enum rc rc;

	memcpy(of.instance, row->bucket.instance, sizeof(of.instance));
	rc = row_task_name(r, &of, row->id, &task, e);
	if (rc)
		return rc;
	task.created = o->now;
	task.due = row->due;
	task.lane = row->bucket.lane;
	if (gone) {
		(void)!fail(&why, RC_INVALID, "a stored task is gone");
		tell_remade(r, &task, row->id, &why);
	}
	return task_add(r, &task, e);
}

static enum rc remake(struct rows *r, struct op *op, struct err *e)
{
	const struct remake_op *o = (struct remake_op *)op;
	struct task task;
	enum rc rc = row_task(r, o->row->id, &task, e);

	if (!rc) {
		task_release(&task);
		return OK;
	}
	if (rc == RC_INVALID || rc == RC_NOTFOUND)
		rc = add_by_name(r, o, rc == RC_NOTFOUND, e);
	if (rc && rc != RC_NOTFOUND)
		return rc;
	if (rc)
		del_unread_task(r, o->row->id);
	del_due(r, o->row);
	return OK;
}

enum rc task_remake(struct store *s, const struct due_row *row, int64_t now,
		    struct err *e)
{
	struct remake_op o = {
		.op = {.want = remake_want, .run = remake},
		.row = row,
		.now = now,
	};

	return store_do(s, &o.op, sizeof(o), NULL, e);
}

/* ---- one task ---- */

struct add_op {
	struct op op;
	const struct task *task;
};

static void add_want(struct rows *r, struct op *op)
{
	task_add_want(r, ((struct add_op *)op)->task);
}

static enum rc add(struct rows *r, struct op *op, struct err *e)
{
	return task_add(r, ((struct add_op *)op)->task, e);
}

enum rc store_task_add(struct store *s, const struct task *t, struct err *e)
{
	struct task task = *t;
	struct add_op a = {
		.op = {.want = add_want, .run = add},
		.task = &task,
	};
	enum rc rc = check_instance(t->instance, e);

	if (rc)
		return rc;
	if (!*t->kind)
		return fail(e, RC_INVALID, "a task without a kind");
	if (!task.created)
		task.created = time_now();
	return store_do(s, &a.op, sizeof(a), NULL, e);
}

static enum rc drop(struct rows *r, struct op *op, struct err *e)
{
	struct task have;
	enum rc rc = row_task_named(r, ((struct add_op *)op)->task, &have, e);

	if (rc)
		return rc;
	del_task(r, &have);
	task_release(&have);
	return OK;
}

enum rc store_task_drop(struct store *s, const struct task *name,
			struct err *e)
{
	struct add_op a = {
		.op = {.want = add_want, .run = drop},
		.task = name,
	};

	return store_do(s, &a.op, sizeof(a), NULL, e);
}

/* ---- tasks in bulk ---- */

struct bulk_op {
	struct op op;
	const struct task *tasks;
	size_t n;
};

static void add_all_want(struct rows *r, struct op *op)
{
	const struct bulk_op *b = (struct bulk_op *)op;

	for (size_t i = 0; i < b->n; i++)
		task_add_want(r, &b->tasks[i]);
}

static enum rc add_all(struct rows *r, struct op *op, struct err *e)
{
	const struct bulk_op *b = (struct bulk_op *)op;
	enum rc rc = OK;

	for (size_t i = 0; !rc && i < b->n; i++)
		rc = task_add(r, &b->tasks[i], e);
	return rc;
}

enum rc store_tasks_add(struct store *s, const struct task *tasks, size_t n,
			struct err *e)
{
	struct bulk_op b = {
		.op = {.want = add_all_want, .run = add_all},
		.tasks = tasks,
		.n = n,
	};

	return n ? store_do(s, &b.op, sizeof(b), NULL, e) : OK;
}

/* ---- ending a run ---- */

struct finish_op {
	struct op op;
	const struct task *task;
	const struct result *r;
	int64_t now;
};

/* Sets the reason for which a task did not end in DONE, or clears it (r
 * NULL). */
static void set_reason(struct task *t, const struct result *r)
{
	free(t->reason);
	t->reason = r ? xstrdup(r->reason.text) : NULL;
	t->why = r ? r->why : 0;
}

static void note_given_up(struct rows *t, const struct task *task, int64_t now)
{
	const struct entry n = {
		.at = now,
		.fact = FACT_GIVEN_UP,
		.result = task->kind,
		.text = task->reason,
	};

	if (task->number > 0)
		put_entry(t, task->instance, task->number, &n);
}

enum rc task_add_dead(struct rows *t, const struct task *like, const char *why,
		      int64_t now, uint64_t *ret_id, struct err *e)
{
	struct task task = *like;
	enum rc rc;

	task.attempts = 1;
	task.dead = true;
	task.reason = xstrdup(why);
	rc = add_new(t, &task, ret_id, e);
	if (!rc)
		note_given_up(t, &task, now);
	task_release(&task);
	return rc;
}

/* Makes a task that has run wait until `due`, in the lane to which its order
 * now belongs.  `stays`: see result.stays. */
static enum rc wait_again(struct rows *t, const struct task *was,
			  struct task *task, const struct order *order,
			  bool stays, int64_t due, struct err *e)
{
	enum rc rc;

	if (!strcmp(task->kind, store_base_of(t->store)->fetch_kind) &&
	    !(stays && task->lane == LANE_LAST))
		task->lane = LANE_UNPLACED;
	rc = task_place(t, task, order, e);
	task->due = due;
	if (!rc)
		put_task(t, was, task);
	return rc;
}

/* Ends a run as its result says.  `again`: the time for which the task was
 * asked for once more while it ran, or TIME_NONE. */
static enum rc end_run(struct rows *t, struct task *task, const struct result *r,
		       const struct order *order, int64_t again, int64_t now,
		       struct err *e)
{
	bool asked = again != TIME_NONE;
	struct task was = *task;

	task->again = TIME_NONE;
	if (r->how == OUTCOME_DONE) {
		if (!asked && order->fetch_due && !task->sub &&
		    !strcmp(task->kind, store_base_of(t->store)->fetch_kind))
			again = now + FETCH_AGAIN;
		if (again == TIME_NONE) {
			del_task(t, &was);
			return OK;
		}
		task->attempts = 0;
		set_reason(task, NULL);
		return wait_again(t, &was, task, order, false, again, e);
	}
	task->attempts++;
	set_reason(task, r);
	if (r->how == OUTCOME_RETRY)
		return wait_again(t, &was, task, order, r->stays,
				  asked && again < r->due ? again : r->due, e);
	note_given_up(t, task, now);
	if (!asked) {
		put_back(t, task, true, task->due);
		return OK;
	}
	task->attempts = 0;
	return wait_again(t, &was, task, order, false, again, e);
}

/* RC_AGAIN if the result must not take effect: the order is no longer as the
 * run has read it, or tasks wait that could change the decision. */
static enum rc still_holds(struct rows *t, const struct task *task,
			   const struct order *order, const struct result *r,
			   struct err *e)
{
	bool waits = false;
	enum rc rc = OK;

	/* Any change counts, not only events: once a shop has shipped the
	 * order, looks from before and after show different things. */
	if (r->only_if.set && (r->only_if.version != order->version ||
			       r->only_if.updated != order->updated))
		return RC_AGAIN;

	for (const char *const *kind = r->unless; kind && *kind && !rc; kind++) {
		rc = row_task_of_kind(t, task, *kind, &waits, e);
		if (!rc && waits)
			return RC_AGAIN;
	}
	return rc;
}

static enum rc end_undecided(struct rows *t, struct task *task,
			     const struct order *order, int64_t now,
			     struct err *e)
{
	struct result r = {.how = OUTCOME_RETRY,
			   .due = now + UNLESS_WAIT,
			   .stays = true};

	(void)!fail(&r.reason, RC_AGAIN, "what came meanwhile goes first");
	return end_run(t, task, &r, order, TIME_NONE, now, e);
}

/* Ends a run whose order cannot be read: its result cannot take effect; *why
 * says why.  The task is kept until an operator has looked into it. */
static void end_unread(struct rows *t, struct task *task, const struct err *why,
		       int64_t now)
{
	const struct result r = {.how = OUTCOME_DEAD, .reason = *why};

	task->attempts++;
	task->again = TIME_NONE;
	set_reason(task, &r);
	note_given_up(t, task, now);
	put_back(t, task, true, task->due);
}

static void finish_want(struct rows *r, struct op *op)
{
	const struct task *task = ((struct finish_op *)op)->task;

	want_task(r, task->id);
	order_change_want(r, task->instance, task->number);
}

static enum rc finish(struct rows *t, struct op *op, struct err *e)
{
	struct finish_op *f = (struct finish_op *)op;
	struct order before = {0}, after = {0};
	int64_t again = TIME_NONE;
	struct task task;
	enum rc rc;

	rc = row_task(t, f->task->id, &task, e);
	if (rc == RC_NOTFOUND || (!rc && task.dead)) {
		if (!rc)
			task_release(&task);
		return fail(e, RC_NOTFOUND, "task %llu has ended already",
			    (unsigned long long)f->task->id);
	}
	if (rc)
		return rc;
	rc = row_order(t, task.instance, task.number, &before, e);
	if (rc == RC_INVALID) {
		end_unread(t, &task, e, f->now);
		rc = OK;
		goto out;
	}
	if (!rc)
		rc = still_holds(t, &task, &before, f->r, e);
	if (rc == RC_AGAIN) {
		rc = end_undecided(t, &task, &before, f->now, e);
		goto out;
	}
	if (!rc)
		rc = order_change(t, &before, &f->r->changes, &task, f->now,
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
		.op = {.want = finish_want, .run = finish},
		.task = t,
		.r = r,
		.now = now,
	};
	enum rc rc = store_do(s, &f.op, sizeof(f), NULL, e);

	leases_end(s,
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
			.op = {.want = finish_want, .run = finish},
			.task = list[i].task,
			.r = list[i].result,
			.now = now,
		};
		ops[i] = &f[i].op;
	}
	store_do_all(s, ops, n);
	for (size_t i = 0; i < n; i++) {
		list[i].rc = f[i].op.rc;
		list[i].e = f[i].op.err;
		ended[i] = (struct lease_ended){
			list[i].task->id,
			list[i].rc == OK || list[i].rc == RC_NOTFOUND,
		};
	}
	leases_end(s, ended, n, now);
	free(ended);
	free(ops);
	free(f);
}

/* ---- dead letters ---- */

struct redrive_op {
	struct op op;
	uint64_t id;
	int64_t now;
};

static void redrive_want(struct rows *r, struct op *op)
{
	want_task(r, ((struct redrive_op *)op)->id);
}

static enum rc redrive(struct rows *t, struct op *op, struct err *e)
{
	struct redrive_op *r = (struct redrive_op *)op;
	struct entry n = {.at = r->now, .fact = FACT_REDRIVEN};
	struct task task;
	enum rc rc;

	rc = row_task(t, r->id, &task, e);
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
	put_back(t, &task, false, r->now);
	n.result = task.kind;
	if (task.number > 0)
		put_entry(t, task.instance, task.number, &n);
out:
	task_release(&task);
	return rc;
}

enum rc store_redrive(struct store *s, uint64_t id, int64_t now, struct err *e)
{
	struct redrive_op r = {
		.op = {.want = redrive_want, .run = redrive},
		.id = id,
		.now = now,
	};

	return store_do(s, &r.op, sizeof(r), NULL, e);
}

void store_redrive_all(struct store *s, struct redrive *list, size_t n,
		       int64_t now)
{
	struct redrive_op *r = xcalloc(n, sizeof(*r));
	struct op **ops = xcalloc(n, sizeof(struct op *));

	for (size_t i = 0; i < n; i++) {
		r[i] = (struct redrive_op){
			.op = {.want = redrive_want, .run = redrive},
			.id = list[i].id,
			.now = now,
		};
		ops[i] = &r[i].op;
	}
	store_do_all(s, ops, n);
	for (size_t i = 0; i < n; i++) {
		list[i].rc = r[i].op.rc;
		list[i].e = r[i].op.err;
	}
	free(ops);
	free(r);
}

#define WOKEN "woken" /* a count */

static enum rc wake(struct rows *r, struct op *op, struct err *e)
{
	(void)op;
	(void)e;
	add_count(r, WOKEN, 1);
	return OK;
}

enum rc store_wake(struct store *s, struct err *e)
{
	struct op op = {.run = wake};

	return store_do(s, &op, sizeof(op), NULL, e);
}

enum rc store_wakes(struct store *s, uint64_t *ret, struct err *e)
{
	struct rows *r;
	enum rc rc = rows_open(&r, s, e);

	if (!rc) {
		want_count(r, WOKEN);
		rc = rows_fetch(r, e);
	}
	if (!rc)
		rc = row_count(r, WOKEN, ret, e);
	rows_close(r);
	return rc;
}
