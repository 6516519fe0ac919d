/* SPDX-License-Identifier: MIT
 *
 * leases.c - who runs which task, and whose turn is next.
 *
 * Leases are kept in memory alone: one cannot outlive its process, and taking
 * it costs no write.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/lmdb/store_private.h"

#define HIDDEN_FOR 1000 /* ms: a task whose end could not be written */
#define LOOK_AHEAD 512  /* rows looked at to fill a batch */

static struct lease *lease_of(struct leases *l, uint64_t id)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->list[i].id == id)
			return &l->list[i];
	return NULL;
}

/* The lease that keeps the order busy: a run's, or the writer's; or NULL. */
static struct lease *busy_with(const struct leases *l, const char *instance,
			       int64_t number)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->list[i].running && l->list[i].number == number &&
		    !strcmp(l->list[i].instance, instance))
			return &l->list[i];
	return NULL;
}

static bool order_busy(const struct leases *l, const struct task *t)
{
	return busy_with(l, t->instance, t->number);
}

static struct lease *lease_push(struct leases *l, const struct task *t)
{
	struct lease *new;

	if (l->n == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 32;
		l->list = xrealloc(l->list, l->cap, sizeof(*l->list));
	}
	new = &l->list[l->n++];
	*new = (struct lease){
		.id = t->id,
		.number = t->number,
		.running = true,
	};
	memcpy(new->instance, t->instance, sizeof(new->instance));
	return new;
}

static void lease_drop(struct leases *l, struct lease *which)
{
	*which = l->list[--l->n];
}

void store_bound_runs(struct store *s, unsigned (*group)(const char *kind),
		      unsigned most)
{
	pthread_mutex_lock(&s->leases.lock);
	s->leases.group = group;
	s->leases.most = most;
	pthread_mutex_unlock(&s->leases.lock);
}

static unsigned group_of(const struct leases *l, const struct task *t)
{
	return l->group ? l->group(t->kind) : 0;
}

/* As many runs as may wait for the task's side do.  Then a search walks past
 * all such tasks that are due: 10 ms for 20,000 of them. */
static bool group_full(const struct leases *l, const struct task *t)
{
	unsigned group = group_of(l, t), all = 0, same = 0;

	if (!group)
		return false;
	for (size_t i = 0; i < l->n; i++) {
		const struct lease *held = &l->list[i];

		if (!held->running || !held->group ||
		    strcmp(held->instance, t->instance))
			continue;
		all++;
		same += held->group == group;
	}
	return all >= l->most || (same && same + 1 >= l->most);
}

void lease_end(struct store *s, uint64_t id, bool written, int64_t now)
{
	struct leases *l = &s->leases;
	struct lease *mine;

	pthread_mutex_lock(&l->lock);
	mine = lease_of(l, id);
	if (mine && written)
		lease_drop(l, mine);
	if (mine && !written) {
		mine->running = false;
		mine->hidden = now + HIDDEN_FOR;
	}
	pthread_mutex_unlock(&l->lock);
}

/* ---- the writer's turn ---- */

bool order_claim(struct store *s, const char *instance, int64_t number)
{
	struct task task = {.number = number};
	struct leases *l = &s->leases;
	struct lease *have;

	if (!copy_text(task.instance, sizeof(task.instance), instance))
		return false;
	pthread_mutex_lock(&l->lock);
	have = busy_with(l, instance, number);
	if (!have)
		lease_push(l, &task);
	pthread_mutex_unlock(&l->lock);
	return !have || !have->id;
}

void order_claims_end(struct store *s)
{
	struct leases *l = &s->leases;

	pthread_mutex_lock(&l->lock);
	for (size_t i = l->n; i-- > 0;)
		if (!l->list[i].id)
			lease_drop(l, &l->list[i]);
	pthread_mutex_unlock(&l->lock);
}

/* ---- taking tasks ---- */

/* One search for tasks to run, under the leases' lock. */
struct search {
	struct store *store;
	int64_t now;
	unsigned (*batch)(const char *kind);
	struct task *got; /* the caller's */
	size_t n, max;
	int64_t next;        /* when something will be due */
	struct leases passed; /* orders whose turn is another task's */
	unsigned looked;
};

static void search_next(struct search *s, int64_t when)
{
	if (s->next == TIME_NONE || when < s->next)
		s->next = when;
}

/* Puts hidden tasks whose time has come back into sight; also when it is
 * further away than it ever was, since the clock went back. */
static void unhide(struct leases *l, int64_t now)
{
	for (size_t i = l->n; i-- > 0;)
		if (!l->list[i].running &&
		    (l->list[i].hidden <= now ||
		     l->list[i].hidden > now + HIDDEN_FOR))
			lease_drop(l, &l->list[i]);
}

/* Takes the task, or passes it over; then no later one of its order may be
 * taken either, unless it is passed over for what it calls.  True: *t is the
 * search's now. */
static bool search_consider(struct search *s, struct task *t)
{
	struct leases *held = &s->store->leases;
	struct lease *mine;
	unsigned most;

	if (order_busy(held, t) || order_busy(&s->passed, t))
		return false;
	if (s->n && (strcmp(t->kind, s->got[0].kind) ||
		     strcmp(t->instance, s->got[0].instance))) {
		lease_push(&s->passed, t);
		return false;
	}
	if (!s->n && group_full(held, t))
		return false; /* the order is free for its other tasks */
	if (!s->n) {
		most = s->batch ? s->batch(t->kind) : 1;
		if (most < s->max)
			s->max = most ? most : 1;
	}
	mine = lease_push(held, t);
	if (!s->n)
		mine->group = group_of(held, t);
	s->got[s->n++] = *t;
	return true;
}

/* Looks at one row of `due`.  RC_NOTFOUND: no later row matters. */
static enum rc search_row(struct search *s, struct txn *t, const struct walk *w,
			  struct err *e)
{
	struct key_reader kr = key_read(w->k.mv_data, w->k.mv_size);
	int64_t due = key_get_i64(&kr);
	uint64_t id = key_get_u64(&kr);
	const struct lease *held;
	struct task task;
	enum rc rc;

	if (due > s->now) {
		search_next(s, due);
		return RC_NOTFOUND;
	}
	held = lease_of(&s->store->leases, id);
	if (held) {
		if (!held->running)
			search_next(s, held->hidden);
		return OK;
	}
	rc = task_load(t, id, &task, e);
	if (rc == RC_IO)
		return rc;
	if (rc)
		return OK; /* cannot be read: it must not stop the others */
	if (!search_consider(s, &task))
		task_release(&task);
	if (s->n == s->max || (s->n && ++s->looked >= LOOK_AHEAD))
		return RC_NOTFOUND;
	return OK;
}

static enum rc search_run(struct search *s, struct err *e)
{
	struct walk w = {0};
	struct txn t;
	enum rc rc;

	rc = txn_read(&t, s->store, e);
	if (!rc)
		rc = walk_open(&w, &t, T_DUE, NULL, 0, e);
	while (!rc) {
		rc = walk_next(&w, e);
		if (!rc)
			rc = search_row(s, &t, &w, e);
	}
	walk_close(&w);
	txn_abort(&t);
	free(s->passed.list);
	if (s->n)
		return OK;
	if (rc == RC_NOTFOUND)
		return fail(e, rc, "no task is due");
	return rc;
}

enum rc store_lease(struct store *s, int64_t now,
		    unsigned (*batch)(const char *kind), struct task *ret,
		    size_t max, size_t *ret_n, int64_t *ret_next,
		    struct err *e)
{
	struct search search = {
		.store = s,
		.now = now,
		.batch = batch,
		.got = ret,
		.max = max,
		.next = TIME_NONE,
	};
	enum rc rc;

	*ret_n = 0;
	*ret_next = TIME_NONE;
	if (!max)
		return fail(e, RC_INVALID, "room for no task");
	pthread_mutex_lock(&s->leases.lock);
	unhide(&s->leases, now);
	rc = search_run(&search, e);
	pthread_mutex_unlock(&s->leases.lock);
	*ret_n = search.n;
	*ret_next = search.next;
	return rc;
}
