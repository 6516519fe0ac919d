/* SPDX-License-Identifier: MIT
 *
 * lock.c - see lock.h.
 */
#include "handlers/lock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "centra/feed.h"
#include "handlers/docs.h"
#include "handlers/reconcile.h"
#include "handlers/run.h"

#define TRIES 10 /* after so many refusals a lock is given up, until the sweep
		  * comes upon the order again */

/* True if the order is to be locked: a shop has it, and has not shipped it.
 * The order must be derived. */
static bool lock_wanted(const struct order *o)
{
	for (size_t i = 0; i < o->n_offers; i++)
		if (o->offers[i].list == LIST_MINE)
			return !o->cancelled;
	return false;
}

void lock_follow(const struct follow_config *c, const struct followed *f,
		 struct changes *ret)
{
	if (lock_wanted(f->before) != lock_wanted(f->after) &&
	    c->locks(c->arg, f->after->instance))
		changes_task(ret, TASK_LOCK_ORDER, 0, f->now);
}

/* ---- the document ---- */

enum held {
	HELD_NOT, /* there is none */
	HELD_MAYBE, /* a lock was about to be set */
	HELD_YES,
};

static void name_doc(const struct work *w, int64_t number, struct doc *ret)
{
	char key[DOC_KEY_SIZE];
	struct err e;

	snprintf(key, sizeof(key), "%" PRId64, number);
	(void)!doc_name(ret, KIND_LOCK, w->task->instance, key, &e);
}

/* Adds the document of an order to the changes. */
static void put_doc(const struct work *w, int64_t number, enum held held,
		    struct changes *ret)
{
	struct doc d;
	struct buf b;

	name_doc(w, number, &d);
	(void)!copy_text(d.list, sizeof(d.list), LOCK_HELD);
	d.at = number;
	buf_init(&b, DOC_TEXT_MAX);
	json_begin(&b, NULL);
	json_put_bool(&b, "locked", held == HELD_YES);
	json_put_time(&b, "since", w->now, 0, false);
	json_end(&b);
	d.text = buf_detach(&b, NULL);
	changes_doc(ret, &d, false);
	doc_release(&d);
}

static void drop_doc(struct work *w, int64_t number)
{
	struct doc d;

	name_doc(w, number, &d);
	changes_doc_delete(&w->result.changes, &d, false);
}

static enum held read_held(const struct doc *d)
{
	struct json *v = NULL;
	enum held ret = HELD_MAYBE;
	struct err e;

	if (!d->rev)
		return HELD_NOT;
	if (!json_parse(d->text, strlen(d->text), JSON_STRICT, &v, &e) &&
	    json_is_true(json_get(v, "locked")))
		ret = HELD_YES;
	json_free(v);
	return ret;
}

static enum rc held_of(const struct work *w, int64_t number, enum held *ret,
		       struct err *e)
{
	struct doc d = {0};
	char key[DOC_KEY_SIZE];
	enum rc rc;

	snprintf(key, sizeof(key), "%" PRId64, number);
	rc = w->docs->one(w, KIND_LOCK, key, &d, e);
	if (!rc)
		*ret = read_held(&d);
	doc_release(&d);
	return rc;
}

/* ---- one call for several orders ---- */

/* The runs of one call: all are to be locked, or all unlocked. */
struct group {
	struct work *list[LOCK_MOST];
	size_t n;
};

static size_t numbers_of(const struct group *g, int64_t *ret)
{
	for (size_t i = 0; i < g->n; i++)
		ret[i] = g->list[i]->task->number;
	return g->n;
}

static void retry_all(const struct group *g, const struct call *call)
{
	for (size_t i = 0; i < g->n; i++)
		run_retry(g->list[i], run_why_call(call),
			  run_wait_long(g->list[i], call), "%s",
			  call->why.text);
}

/* Centra refuses it: the order may be gone there, or the token may not lock. An
 * operator is told; nobody waits for it. */
static void refused(struct work *w, const char *why)
{
	if (w->task->attempts + 1 < TRIES)
		run_retry(w, run_why(WHY_REFUSED, 0), run_wait_long(w, NULL),
			  "%s", why);
	else
		run_alarm(w, CENTRA_GRAPHQL, why);
}

/* Lists in *ret which orders of the group are locked, by whomever.  False: Centra
 * does not say; the caller releases *ret all the same. */
static bool ask_locked(const struct group *g, struct centra_numbers *ret)
{
	int64_t numbers[LOCK_MOST];
	size_t n = numbers_of(g, numbers);

	graphql_locked_of(g->list[0]->centra, numbers, n, ret);
	run_called(g->list[0], CENTRA_GRAPHQL, "which are locked", &ret->call);
	return ret->call.end == CALL_OK;
}

static bool is_among(const struct centra_numbers *list, int64_t number)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->list[i] == number)
			return true;
	return false;
}

/* Centra did not do what we asked.  An order that is not locked has no lock of
 * ours: its document goes, or a lock that a person sets later would be taken for
 * ours. */
static void forget_free(const struct group *g)
{
	struct centra_numbers got;

	if (ask_locked(g, &got))
		for (size_t i = 0; i < g->n; i++)
			if (!is_among(&got, g->list[i]->task->number))
				drop_doc(g->list[i], g->list[i]->task->number);
	centra_numbers_release(&got);
}

/* Ends the runs of a call. */
static void settle(const struct group *g, bool lock, struct centra_done *done)
{
	for (size_t i = 0; i < g->n; i++) {
		struct work *w = g->list[i];

		if (done->call.end == CALL_OK && !done->error) {
			if (lock)
				put_doc(w, w->task->number, HELD_YES,
					&w->result.changes);
			else
				drop_doc(w, w->task->number);
		} else if (done->error || done->misread) {
			refused(w, done->error ? done->error
					       : done->call.why.text);
		} else {
			run_retry(w, run_why_call(&done->call),
				  run_wait_long(w, &done->call), "%s",
				  done->call.why.text);
		}
	}
}

static void set_lock(const struct group *g, bool lock)
{
	int64_t numbers[LOCK_MOST];
	struct centra_done done;
	size_t n = numbers_of(g, numbers);

	if (!g->n)
		return;
	graphql_set_lock(g->list[0]->centra, numbers, n, lock, &done);
	run_called(g->list[0], CENTRA_GRAPHQL,
		   lock ? "lock orders" : "unlock orders", &done.call);
	settle(g, lock, &done);
	if (lock && (done.error || done.misread ||
		     done.call.end == CALL_NOT_DONE))
		forget_free(g);
	centra_done_release(&done);
}

/* ---- locking ---- */

/* A begin_fn: the order may have changed since the run began. */
static enum rc about_to_lock(void *arg, const struct order *o,
			     struct changes *ret, struct err *e)
{
	const struct work *w = arg;

	if (!lock_wanted(o))
		return fail(e, RC_CONFLICT, "the order is not to be locked");
	put_doc(w, o->number, HELD_MAYBE, ret);
	return OK;
}

/* Keeps in the group the runs whose order nobody else has locked: what a person
 * locked is that person's.  False: Centra does not say. */
static bool leave_others(struct group *g)
{
	struct group free_ones = {.n = 0};
	struct centra_numbers got;
	bool ret = ask_locked(g, &got);

	if (!ret)
		retry_all(g, &got.call);
	for (size_t i = 0; ret && i < g->n; i++)
		if (!is_among(&got, g->list[i]->task->number))
			free_ones.list[free_ones.n++] = g->list[i];
	if (ret)
		*g = free_ones;
	centra_numbers_release(&got);
	return ret;
}

/* Makes durable that we are about to lock, and keeps the runs for which that
 * was done. */
static void begin_all(struct group *g)
{
	struct group begun = {.n = 0};
	struct err e;
	enum rc rc;

	for (size_t i = 0; i < g->n; i++) {
		struct work *w = g->list[i];

		rc = w->begin(w, about_to_lock, w, &e);
		if (!rc)
			begun.list[begun.n++] = w;
		else if (rc != RC_CONFLICT)
			run_retry(w, run_why(WHY_TRY_NOT_STORED, 0),
				  run_wait_long(w, NULL), "%s", e.text);
	}
	*g = begun;
}

static void lock_some(struct group *g)
{
	struct centra_conn *centra = g->n ? g->list[0]->centra : NULL;
	struct call held;

	if (!g->n || !leave_others(g) || !g->n)
		return;
	if (!centra_take_change(centra, &held)) {
		retry_all(g, &held);
		return;
	}
	begin_all(g); /* it may leave none */
	if (g->n)
		set_lock(g, true);
	else
		centra_give_back(centra, CENTRA_GRAPHQL);
}

/* ---- the task lock_order ---- */

/* What is to be done about an order. */
struct plan {
	struct group lock;   /* never locked by us */
	struct group relock; /* we were about to lock it */
	struct group unlock;
};

static void plan_one(struct work *w, struct plan *p)
{
	enum held held = HELD_NOT;
	bool want;
	struct err e;

	/* The result says what was done at Centra, whatever became of the order
	 * meanwhile: if it is to be unlocked now, the task was asked for
	 * again. */
	w->result.only_if.set = false;
	run_derive(w);
	want = w->lock_orders && lock_wanted(w->order);
	if (held_of(w, w->task->number, &held, &e))
		run_retry(w, run_why(WHY_TRY_NOT_STORED, 0),
			  run_wait_long(w, NULL), "%s", e.text);
	else if (want && held == HELD_NOT)
		p->lock.list[p->lock.n++] = w;
	else if (want && held == HELD_MAYBE)
		p->relock.list[p->relock.n++] = w;
	else if (!want && held != HELD_NOT)
		p->unlock.list[p->unlock.n++] = w;
}

static void run_plan(struct plan *p)
{
	lock_some(&p->lock);
	set_lock(&p->relock, true);
	set_lock(&p->unlock, false);
	*p = (struct plan){0};
}

/* Of several orders in a call one that Centra refuses spoils the others: an
 * order that was tried before gets a call of its own. */
void handle_lock_order(struct work *w, size_t n)
{
	struct plan *together = xcalloc(1, sizeof(*together));
	struct plan *alone = xcalloc(1, sizeof(*alone));

	for (size_t i = 0; i < n; i++) {
		if (!w[i].centra || !w[i].docs)
			continue;
		centra_conn_lane(w[i].centra, CENTRA_RECONCILE);
		plan_one(&w[i], w[i].task->attempts ? alone : together);
		run_plan(alone);
	}
	run_plan(together);
	if (n && w[0].centra)
		centra_conn_lane(w[0].centra, CENTRA_LIVE);
	free(together);
	free(alone);
}

/* ---- the task lock_sweep ----
 *
 * Its sub is the number of the order behind which to go on; 0: from the first.
 */

struct sweep {
	struct work *w;
	struct left {
		int64_t number;
		uint64_t rev; /* of the document */
	} held[LOCK_MOST]; /* orders of documents */
	size_t n_held;
	int64_t *mine; /* owned: orders that shops work on */
	size_t n_mine, cap;
};

static bool take_held(void *arg, const struct doc *d)
{
	struct sweep *s = arg;

	if (s->n_held == LOCK_MOST)
		return false;
	s->held[s->n_held++] = (struct left){d->at, d->rev};
	return true;
}

static bool take_mine(void *arg, const struct listed *row)
{
	struct sweep *s = arg;

	if (s->n_mine == s->cap) {
		s->cap = s->cap ? 2 * s->cap : 64;
		s->mine = xrealloc(s->mine, s->cap, sizeof(*s->mine));
	}
	s->mine[s->n_mine++] = row->number;
	return true;
}

static enum rc add_task(struct work *w, int64_t number, struct err *e)
{
	struct task t = {.number = number,
			 .created = w->now,
			 .due = w->now,
			 .again = TIME_NONE,
			 .lane = LANE_LAST};

	(void)!copy_text(t.kind, sizeof(t.kind), TASK_LOCK_ORDER);
	memcpy(t.instance, w->task->instance, sizeof(t.instance));
	return w->others->add(w, &t, 1, e);
}

/* Keeps those orders of documents that no shop works on. */
static enum rc keep_leftovers(struct sweep *s, struct err *e)
{
	size_t kept = 0;
	enum rc rc = OK;

	for (size_t i = 0; i < s->n_held && !rc; i++) {
		struct order o = {0};

		rc = s->w->others->order(s->w, s->held[i].number, &o, e);
		if (rc == RC_NOTFOUND || (!rc && (!s->w->lock_orders ||
						  !lock_wanted(&o))))
			s->held[kept++] = s->held[i];
		if (rc == RC_NOTFOUND || rc == RC_INVALID)
			rc = OK;
		order_release(&o);
	}
	s->n_held = kept;
	return rc;
}

/* Removes the document, unless it is another by now: the order may have been
 * accepted, and locked, anew. */
static void drop_left(struct work *w, const struct left *l)
{
	struct doc d;

	name_doc(w, l->number, &d);
	d.rev = l->rev;
	changes_doc_delete(&w->result.changes, &d, true);
}

/* Asks Centra which of the leftovers are locked still: these are unlocked; the
 * documents of the others go. */
static enum rc clear_leftovers(struct sweep *s, struct call *ret,
			       struct err *e)
{
	struct centra_numbers got = {0};
	int64_t numbers[LOCK_MOST];
	enum rc rc = OK;

	if (!s->n_held)
		return OK;
	for (size_t i = 0; i < s->n_held; i++)
		numbers[i] = s->held[i].number;
	graphql_locked_of(s->w->centra, numbers, s->n_held, &got);
	run_called(s->w, CENTRA_GRAPHQL, "which are locked", &got.call);
	*ret = got.call;
	for (size_t i = 0; got.call.end == CALL_OK && i < s->n_held && !rc;
	     i++) {
		if (is_among(&got, numbers[i]))
			rc = add_task(s->w, numbers[i], e);
		else
			drop_left(s->w, &s->held[i]);
	}
	centra_numbers_release(&got);
	return rc;
}

/* Has those orders that shops work on locked that have no document. */
static enum rc lock_what_is_mine(struct sweep *s, struct err *e)
{
	struct work *w = s->w;
	enum held held;
	enum rc rc = OK;

	for (size_t i = 0; i < w->n_warehouses && !rc; i++)
		rc = w->others->listed(w, w->warehouses[i], LIST_MINE,
				       take_mine, s, e);
	for (size_t i = 0; i < s->n_mine && !rc; i++) {
		held = HELD_NOT;
		rc = held_of(w, s->mine[i], &held, e);
		if (!rc && held == HELD_NOT)
			rc = add_task(w, s->mine[i], e);
	}
	return rc;
}

static void go_on(struct work *w, int64_t behind, bool more)
{
	if (more)
		changes_task(&w->result.changes, TASK_LOCK_SWEEP, behind,
			     w->now + 1);
	else if (w->sweep_every)
		changes_task(&w->result.changes, TASK_LOCK_SWEEP, 0,
			     w->now + w->sweep_every);
}

static void sweep_once(struct sweep *s)
{
	struct work *w = s->w;
	struct doc_place after = {.at = w->task->sub, .key = ""};
	struct call call = {.end = CALL_OK};
	int64_t last = 0;
	bool full;
	struct err e;
	enum rc rc;

	rc = w->docs->listed(w, KIND_LOCK, LOCK_HELD,
			     w->task->sub ? &after : NULL, take_held, s, &e);
	if (!rc && !w->lock_orders && !w->task->sub && !s->n_held)
		return; /* the setting is off, and nothing of ours is locked */
	full = s->n_held == LOCK_MOST;
	if (full)
		last = s->held[s->n_held - 1].number + 1;
	if (!rc)
		rc = keep_leftovers(s, &e);
	if (!rc)
		rc = clear_leftovers(s, &call, &e);
	if (!rc && call.end == CALL_OK && !full && w->lock_orders)
		rc = lock_what_is_mine(s, &e);
	if (rc)
		run_retry(w, run_why(WHY_TRY_NOT_STORED, 0),
			  run_wait_long(w, NULL), "%s", e.text);
	else if (call.end != CALL_OK)
		run_retry(w, run_why_call(&call), run_wait_long(w, &call),
			  "%s", call.why.text);
	else
		go_on(w, last, full);
}

void handle_lock_sweep(struct work *w, size_t n)
{
	struct sweep s = {.w = w};

	(void)n; /* one */
	if (!w->centra || !w->docs || !w->others)
		return;
	centra_conn_lane(w->centra, CENTRA_RECONCILE);
	sweep_once(&s);
	centra_conn_lane(w->centra, CENTRA_LIVE);
	free(s.mine);
}
