/* SPDX-License-Identifier: MIT
 *
 * leases.c - see leases.h.
 *
 * A search goes from bucket to bucket (rows.h).  It does not read a bucket
 * whose API may not be called now.  In other buckets it passes tasks that are
 * leased or whose order is busy, up to the first task that may run.
 */
#include "store/rules/leases.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "store/rules/engine.h"

#define HIDDEN_FOR 1000 /* ms until a task whose end could not be written is
			 * leased again */
#define LOOK_AHEAD 512	/* rows of a bucket that are looked at, not counting
			 * leased ones */
#define NAMES_MOST 64	/* tasks of one order that are compared to find which
			 * goes first */

/* The lanes' turns in a round: half of them are the first lane's, a quarter the
 * second's. */
static const uint8_t turns[] = {
	LANE_ANSWERS, LANE_WAITED, LANE_ANSWERS, LANE_REST,   LANE_ANSWERS,
	LANE_WAITED,  LANE_ANSWERS, LANE_LAST,	 LANE_ANSWERS, LANE_WAITED,
	LANE_ANSWERS, LANE_REST,   LANE_ANSWERS, LANE_WAITED, LANE_ANSWERS,
};

static struct leases *leases_of(struct store *s)
{
	return &store_base_of(s)->leases;
}

/* ---- the tables of leases ---- */

static struct lease_slot *id_slot(struct leases *l, uint64_t id)
{
	return &l->by_id[id % LEASE_SLOTS];
}

static struct lease_slot *order_slot(struct leases *l, const char *instance,
				     int64_t number)
{
	uint64_t h = (uint64_t)number * 0x9e3779b97f4a7c15u;

	for (; *instance; instance++)
		h = (h ^ (unsigned char)*instance) * 0x100000001b3u;
	return &l->by_order[(h >> 32) % LEASE_SLOTS];
}

static struct lease *lease_of(struct leases *l, uint64_t id)
{
	struct lease *i;

	LIST_FOREACH(i, id_slot(l, id), in_ids)
	if (i->id == id)
		break;
	return i;
}

/* Returns the lease of a run or a transaction that keeps the order busy; NULL:
 * it is free. */
static struct lease *busy_with(struct leases *l, const char *instance,
			       int64_t number)
{
	struct lease *i;

	LIST_FOREACH(i, order_slot(l, instance, number), in_orders)
	if (i->number == number && !strcmp(i->instance, instance))
		break;
	return i;
}

static struct lease *lease_push(struct leases *l, const struct task *t)
{
	struct lease *new = xcalloc(1, sizeof(*new));

	*new = (struct lease){
		.id = t->id,
		.number = t->number,
		.running = true,
		.keeps = task_keeps_order(t),
		.group = t->group,
		.behind = t->lane > LANE_WAITED,
	};
	memcpy(new->instance, t->instance, sizeof(new->instance));
	LIST_INSERT_HEAD(id_slot(l, new->id), new, in_ids);
	if (new->keeps)
		LIST_INSERT_HEAD(order_slot(l, new->instance, new->number),
				 new, in_orders);
	return new;
}

/* ---- runs of each API ---- */

static struct side *side_of(struct leases *l, const char *instance,
			    unsigned group)
{
	for (size_t i = 0; i < l->n_sides; i++)
		if (l->sides[i].group == group &&
		    !strcmp(l->sides[i].instance, instance))
			return &l->sides[i];
	return NULL;
}

/* Counts the run of a lease among those that call its API. */
static void side_begin(struct leases *l, struct lease *of, bool trial)
{
	struct side *side = side_of(l, of->instance, of->group);

	if (!of->group)
		return;
	if (!side) {
		l->sides = xrealloc(l->sides, l->n_sides + 1,
				    sizeof(*l->sides));
		side = &l->sides[l->n_sides++];
		*side = (struct side){.group = of->group};
		memcpy(side->instance, of->instance, sizeof(side->instance));
	}
	of->stands = true;
	side->runs++;
	side->behind += of->behind;
	of->trial = trial;
	side->trials += trial;
}

static void side_end(struct leases *l, struct lease *of)
{
	struct side *side = side_of(l, of->instance, of->group);

	if (!of->stands || !side)
		return;
	of->stands = false;
	side->runs--;
	side->behind -= of->behind;
	side->trials -= of->trial;
}

/* True if as many runs as are allowed, or as many trials, call systems
 * outside. */
static bool outside_full(const struct leases *l, bool trial)
{
	unsigned runs = 0, trials = 0;

	for (size_t i = 0; i < l->n_sides; i++) {
		if (l->sides[i].group < GROUP_OUTSIDE)
			continue;
		runs += l->sides[i].runs;
		trials += l->sides[i].trials;
	}
	return runs >= GROUP_OUTSIDE_RUNS ||
	       (trial && trials >= GROUP_OUTSIDE_TRIALS);
}

/* True if no more runs may call the API: as many as are allowed for it, or for
 * the instance, are under way. */
static bool side_full(const struct leases *l, const char *instance,
		      unsigned group, bool trial)
{
	unsigned all = 0, same = 0;

	if (group >= GROUP_OUTSIDE)
		return outside_full(l, trial);
	if (!l->most)
		return false;
	for (size_t i = 0; i < l->n_sides; i++) {
		if (l->sides[i].group >= GROUP_OUTSIDE ||
		    strcmp(l->sides[i].instance, instance) != 0)
			continue;
		all += l->sides[i].runs;
		if (l->sides[i].group == group)
			same = l->sides[i].runs;
	}
	return all >= l->most || (same && same + 1 >= l->most);
}

void store_bound_runs(struct store *s, unsigned most)
{
	struct leases *l = leases_of(s);

	pthread_mutex_lock(&l->lock);
	l->most = most;
	pthread_mutex_unlock(&l->lock);
}

void store_gates(struct store *s, store_gate_fn *fn, void *arg)
{
	struct leases *l = leases_of(s);

	pthread_mutex_lock(&l->lock);
	l->gate = fn;
	l->gate_arg = arg;
	pthread_mutex_unlock(&l->lock);
}

/* ---- ending leases ---- */

/* Ends a run: frees its order, and its place among those that call its API. */
static void lease_stop(struct leases *l, struct lease *which)
{
	if (!which->running)
		return;
	if (which->keeps)
		LIST_REMOVE(which, in_orders);
	which->running = false;
	side_end(l, which);
}

static void lease_drop(struct leases *l, struct lease *which)
{
	lease_stop(l, which);
	LIST_REMOVE(which, in_ids);
	l->n_hidden -= which->hidden != 0;
#ifndef __clang_analyzer__ /* it does not see that LIST_REMOVE() changes the
			    * list's head */
	free(which);
#endif
}

void leases_end(struct store *s, const struct lease_ended *ended, size_t n,
		int64_t now)
{
	struct leases *l = leases_of(s);

	pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < n; i++) {
		struct lease *mine = lease_of(l, ended[i].id);

		if (!mine)
			continue;
		if (ended[i].written) {
			lease_drop(l, mine);
			continue;
		}
		lease_stop(l, mine);
		l->n_hidden += mine->hidden == 0;
		mine->hidden = now;
	}
	pthread_mutex_unlock(&l->lock);
}

/* Makes hidden tasks visible again whose time has come. */
static void unhide(struct leases *l, int64_t now)
{
	for (size_t slot = 0; l->n_hidden && slot < LEASE_SLOTS; slot++)
		for (struct lease *i = LIST_FIRST(&l->by_id[slot]), *next; i;
		     i = next) {
			next = LIST_NEXT(i, in_ids);
			if (!i->running &&
			    !clock_within(i->hidden, now, HIDDEN_FOR))
				lease_drop(l, i);
		}
}

void leases_init(struct leases *l)
{
	pthread_mutex_init(&l->lock, NULL);
}

void leases_free(struct leases *l)
{
	for (size_t slot = 0; slot < LEASE_SLOTS; slot++)
		while (!LIST_EMPTY(&l->by_id[slot]))
			lease_drop(l, LIST_FIRST(&l->by_id[slot]));
	free(l->sides);
	pthread_mutex_destroy(&l->lock);
}

/* ---- a transaction's turn ---- */

bool order_claim(struct leases *l, const char *instance, int64_t number)
{
	struct task task = {.number = number};
	struct lease *have;
	bool ours;

	if (!copy_text(task.instance, sizeof(task.instance), instance))
		return false;
	pthread_mutex_lock(&l->lock);
	have = busy_with(l, instance, number);
	ours = !have || !have->id; /* after the unlock a worker may free the
				    * lease */
	if (!have)
		lease_push(l, &task);
	pthread_mutex_unlock(&l->lock);
	return ours;
}

void order_claims_end(struct leases *l)
{
	pthread_mutex_lock(&l->lock);
	for (struct lease *i = LIST_FIRST(id_slot(l, 0)), *next; i; i = next) {
		next = LIST_NEXT(i, in_ids);
		if (!i->id)
			lease_drop(l, i);
	}
	pthread_mutex_unlock(&l->lock);
}

/* ---- may its API be called ---- */

/* Asks the gate about tasks of a lane that call an API. */
static void ask_gate(struct leases *l, const char *instance, unsigned group,
		     uint8_t lane, struct store_gate *ret)
{
	const struct side *side = side_of(l, instance, group);

	*ret = (struct store_gate){0};
	if (group && l->gate)
		l->gate(l->gate_arg, instance, group, (enum lane)lane,
			side ? side->runs : 0, ret);
}

/* False: no run of such a task may start now; *ret is what the gate says. */
static bool may_start(struct leases *l, const char *instance, unsigned group,
		      uint8_t lane, struct store_gate *ret)
{
	const struct side *side = side_of(l, instance, group);

	ask_gate(l, instance, group, lane, ret);
	if (!group)
		return true;
	return !ret->wait && !side_full(l, instance, group, ret->trial) &&
	       !(side && ret->trial && side->runs) &&
	       !(side && ret->alone && side->behind);
}

/* ---- taking tasks ---- */

/* One search for tasks to run.  The leases' lock is held. */
struct search {
	struct leases *l;
	struct queue *q;
	int64_t now;
	unsigned (*batch)(const char *kind);
	struct task *got; /* the caller's */
	size_t n, max;
	int64_t next; /* when something else will be due */
	struct due_row unread; /* the place of a task that cannot be read; the
				* search has leased it. id 0: none was met */
	unsigned looked; /* rows of the present bucket that were looked at */
};

static void search_next(struct search *s, int64_t when)
{
	if (s->next == TIME_NONE || when < s->next)
		s->next = when;
}

static bool goes_before(const struct task *a, uint8_t lane, int64_t due,
			uint64_t id)
{
	if (a->lane != lane)
		return a->lane < lane;
	return a->due != due ? a->due < due : a->id < id;
}

/* True if this task, which waits for the same order as `row`, must run before
 * it, and may run. */
static bool has_precedence(struct search *s, uint64_t id,
			   const struct due_row *row)
{
	const struct bucket *b = &row->bucket;
	struct store_gate gate;
	struct task task;
	bool ret;

	if (id == row->id || lease_of(s->l, id) ||
	    queue_task(s->q, id, &task, NULL))
		return false;
	ret = !task.dead && task.due <= s->now &&
	      goes_before(&task, b->lane, row->due, row->id) &&
	      may_start(s->l, task.instance, task.group, task.lane, &gate);
	task_release(&task);
	return ret;
}

static enum rc is_behind(struct search *s, const struct due_row *row,
			 bool *ret, struct err *e)
{
	uint64_t ids[NAMES_MOST];
	size_t n;
	enum rc rc = queue_of_order(s->q, row->bucket.instance, row->number,
				    ids, NAMES_MOST, &n, e);

	*ret = false;
	for (size_t i = 0; !rc && i < n && !*ret; i++)
		*ret = has_precedence(s, ids[i], row);
	return rc;
}

/* Leases a task that cannot be read, so that it is replaced when the search is
 * over.  A search replaces one such task at most. */
static void lease_unread(struct search *s, const struct due_row *row)
{
	struct task t = {.id = row->id, .number = row->number};

	if (s->unread.id)
		return;
	s->unread = *row;
	memcpy(t.instance, row->bucket.instance, sizeof(t.instance));
	memcpy(t.kind, row->bucket.kind, sizeof(t.kind));
	lease_push(s->l, &t);
}

/* Loads the task of a row if it may run.  RC_NOTFOUND: another run holds the
 * task or its order, or another task of the order goes first. */
static enum rc consider(struct search *s, const struct due_row *row,
			struct task *ret, struct err *e)
{
	const struct lease *held = lease_of(s->l, row->id);
	bool behind;
	enum rc rc;

	if (held) {
		if (!held->running)
			search_next(s, held->hidden + HIDDEN_FOR);
		return RC_NOTFOUND;
	}
	if (busy_with(s->l, row->bucket.instance, row->number))
		return RC_NOTFOUND;
	rc = is_behind(s, row, &behind, e);
	if (rc || behind)
		return rc ? rc : RC_NOTFOUND;
	rc = queue_task(s->q, row->id, ret, e);
	if (rc == RC_INVALID || rc == RC_NOTFOUND)
		lease_unread(s, row);
	return rc == RC_IO ? rc : rc ? RC_NOTFOUND : OK;
}

/* Finds the next task of the bucket that may run.  RC_NOTFOUND: there is none,
 * or it is too far behind others that may not. */
static enum rc next_task(struct search *s, struct due_row *row,
			 struct task *ret, struct err *e)
{
	enum rc rc;

	while (s->looked < LOOK_AHEAD) {
		rc = queue_next(s->q, row, e);
		if (rc)
			return rc;
		if (row->due > s->now) {
			search_next(s, row->due);
			return RC_NOTFOUND;
		}
		rc = consider(s, row, ret, e);
		if (rc != RC_NOTFOUND)
			return rc;
		s->looked += !lease_of(s->l, row->id);
	}
	return RC_NOTFOUND;
}

/* Takes tasks of a bucket, from the row `first` on. */
static enum rc take(struct search *s, const struct due_row *first, bool trial,
		    struct err *e)
{
	unsigned most = s->batch ? s->batch(first->bucket.kind) : 1;
	struct lease *mine;
	struct due_row row;
	enum rc rc = OK;

	if (!most || trial)
		most = 1;
	s->looked = 0;
	queue_from(s->q, &first->bucket, first->due, first->id);
	while (!rc && s->n < s->max && s->n < most) {
		rc = next_task(s, &row, &s->got[s->n], e);
		if (rc)
			break;
		mine = lease_push(s->l, &s->got[s->n]);
		if (!s->n++)
			side_begin(s->l, mine, trial);
	}
	return s->n || rc == RC_NOTFOUND ? OK : rc;
}

/* The best of the tasks that were found for an instance and lane. */
struct best {
	struct due_row row; /* id 0: none */
	bool trial;
};

/* Compares the bucket that begins with the row `head`: keeps it if its first
 * task that may run is due earlier. */
static enum rc look_into(struct search *s, const struct due_row *head,
			 struct best *best, struct err *e)
{
	const struct bucket *b = &head->bucket;
	struct store_gate gate;
	struct due_row row;
	struct task task;
	enum rc rc;

	if (!may_start(s->l, b->instance, b->group, b->lane, &gate)) {
		if (gate.wait && gate.wait != GATE_SHUT)
			search_next(s, head->due > s->now + gate.wait
					       ? head->due
					       : s->now + gate.wait);
		return OK;
	}
	s->looked = 0;
	queue_from(s->q, b, INT64_MIN, 0);
	rc = next_task(s, &row, &task, e);
	if (rc)
		return rc == RC_NOTFOUND ? OK : rc;
	task_release(&task);
	if (!best->row.id || row.due < best->row.due ||
	    (row.due == best->row.due && row.id < best->row.id))
		*best = (struct best){row, gate.trial};
	return OK;
}

/* Takes tasks of the first instance that has some, among the instances behind
 * `after` ("": all) and not behind `last` (NULL: all). */
static enum rc search_some(struct search *s, uint8_t lane, const char *after,
			   const char *last, struct err *e)
{
	struct queue_place at = {.lane = lane, .part = AT_LANE};
	struct best best = {0};
	struct due_row head;
	enum rc rc = OK;

	if (*after) {
		at.part = BEHIND_INSTANCE;
		memcpy(at.instance, after, sizeof(at.instance));
	}
	while (!rc) {
		rc = queue_bucket(s->q, &at, &head, e);
		if (rc || head.bucket.lane != lane ||
		    (last && strcmp(head.bucket.instance, last) > 0) ||
		    (best.row.id && strcmp(head.bucket.instance,
					   best.row.bucket.instance) != 0))
			break;
		rc = look_into(s, &head, &best, e);
	}
	if (rc == RC_NOTFOUND)
		rc = OK;
	if (!rc && best.row.id)
		rc = take(s, &best.row, best.trial, e);
	return rc;
}

/* Searches a lane.  Instances take turns: the search begins behind the one that
 * was served last. */
static enum rc search_lane(struct search *s, uint8_t lane, struct err *e)
{
	char *last = s->l->last[lane];
	enum rc rc = search_some(s, lane, last, NULL, e);

	if (!rc && !s->n && *last)
		rc = search_some(s, lane, "", last, e);
	if (s->n)
		memcpy(last, s->got[0].instance, sizeof(s->l->last[lane]));
	return rc;
}

static enum rc search_lanes(struct search *s, struct err *e)
{
	uint8_t first = turns[s->l->turn % sizeof(turns)];
	enum rc rc = search_lane(s, first, e);

	for (uint8_t lane = 1; lane < LANES && !rc && !s->n; lane++)
		if (lane != first)
			rc = search_lane(s, lane, e);
	s->l->turn += s->n > 0;
	return rc;
}

static enum rc search_run(struct search *s, struct store *store, struct err *e)
{
	struct rows *r;
	enum rc rc = rows_open(&r, store, e);

	if (!rc)
		rc = queue_open(&s->q, r, e);
	if (!rc)
		rc = search_lanes(s, e);
	queue_close(s->q);
	rows_close(r);
	if (!rc && !s->n)
		return fail(e, RC_NOTFOUND, "no task is due");
	return rc;
}

/* Replaces the unreadable task that a search has met.  If that fails, a search
 * meets it again a second later. */
static void remake_unread(struct store *s, const struct due_row *row,
			  int64_t now)
{
	enum rc rc = task_remake(s, row, now, NULL);

	leases_end(s, &(struct lease_ended){row->id, rc == OK}, 1, now);
}

enum rc store_lease(struct store *s, int64_t now,
		    unsigned (*batch)(const char *kind), struct task *ret,
		    size_t max, size_t *ret_n, int64_t *ret_next,
		    struct err *e)
{
	struct search search = {
		.l = leases_of(s),
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
	pthread_mutex_lock(&search.l->lock);
	unhide(search.l, now);
	rc = search_run(&search, s, e);
	pthread_mutex_unlock(&search.l->lock);
	if (search.unread.id)
		remake_unread(s, &search.unread, now);
	*ret_n = search.n;
	*ret_next = search.next;
	return rc;
}

/* ---- how late is it ---- */

enum rc oldest_due(struct rows *r, int64_t *ret, struct err *e)
{
	struct leases *l = leases_of(r->store);
	struct queue_place at = {.part = AT_LANE};
	struct store_gate gate;
	struct due_row head;
	struct queue *q;
	enum rc rc = queue_open(&q, r, e);

	*ret = TIME_NONE;
	pthread_mutex_lock(&l->lock);
	while (!rc) {
		const struct bucket *b = &head.bucket;

		rc = queue_bucket(q, &at, &head, e);
		if (rc)
			break;
		if (b->lane == LANE_LAST && b->group)
			continue; /* tasks by which reconciliation asks Centra
				   * are never late */
		ask_gate(l, b->instance, b->group, b->lane, &gate);
		if (!gate.parked && (*ret == TIME_NONE || head.due < *ret))
			*ret = head.due;
	}
	pthread_mutex_unlock(&l->lock);
	queue_close(q);
	return rc == RC_NOTFOUND ? OK : rc;
}
