/* SPDX-License-Identifier: MIT
 *
 * reconcile.c - see reconcile.h.
 */
#include "handlers/reconcile.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "centra/graphql.h"
#include "handlers/missed.h"
#include "handlers/offer.h"
#include "handlers/run.h"

#define TRY_AGAIN    30000 /* ms until the next reconciliation after one that
			    * was given up */
#define HELD_MOST    15000 /* ms: the longest wait for one call */
#define WAITING_PAGE 200   /* Centra's own most */
#define PAGES_MOST   100
#define READS_MOST   3	   /* readings of the whole list, at most */
#define AT_ONCE	     500 /* tasks that are added in one transaction, at most */

void round_release(struct round *r)
{
	free(r->read);
	*r = (struct round){.not_before = r->not_before};
}

/* ---- sets of numbers ---- */

struct numbers {
	int64_t *list; /* owned */
	size_t n, cap;
};

static void add_one(struct numbers *all, int64_t number)
{
	if (all->n == all->cap) {
		all->cap = all->cap ? 2 * all->cap : 64;
		all->list = xrealloc(all->list, all->cap, sizeof(*all->list));
	}
	all->list[all->n++] = number;
}

static bool add_number(void *arg, const struct listed *row)
{
	add_one(arg, row->number);
	return true;
}

static int by_number(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Sorts the numbers and removes repeated ones; returns how many are left. */
static size_t sort_unique(int64_t *list, size_t n)
{
	size_t kept = 0;

	if (!n)
		return 0;
	qsort(list, n, sizeof(*list), by_number);
	for (size_t i = 1; i < n; i++)
		if (list[i] != list[kept])
			list[++kept] = list[i];
	return kept + 1;
}

/* ---- which orders are looked at ---- */

bool reconcile_may_reopen(const struct zone *zone, const struct order *o,
			  int64_t now)
{
	bool may = false;
	struct order bare;

	order_copy(&bare, o);
	for (size_t i = 0; i < bare.n_offers; i++)
		missed_forget_looks(&bare.offers[i], INT64_MAX);
	offer_derive(zone, &bare);
	for (size_t i = 0; i < o->n_offers && !may; i++)
		may = missed_may_reopen(o, &o->offers[i], &bare.offers[i],
					now - RECONCILE_REOPENS);
	order_release(&bare);
	return may;
}

/* Of the numbers from index `from` on, keeps those whose order another look may
 * open again.  An order that cannot be read is left out. */
static enum rc keep_reopening(struct work *w, struct numbers *all, size_t from,
			      struct err *e)
{
	size_t kept = from;
	enum rc rc = OK;

	for (size_t i = from; i < all->n && !rc; i++) {
		struct order o = {0};

		rc = w->others->order(w, all->list[i], &o, e);
		if (!rc && reconcile_may_reopen(w->zone, &o, w->now))
			all->list[kept++] = all->list[i];
		if (rc == RC_NOTFOUND || rc == RC_INVALID)
			rc = OK;
		order_release(&o);
	}
	all->n = kept;
	return rc;
}

/* Collects the numbers of a warehouse's orders that are open, or accepted and
 * not shipped, or were ended by a look alone in the last days. */
static enum rc gather_of(struct work *w, int64_t warehouse,
			 struct numbers *all, struct err *e)
{
	const struct others *others = w->others;
	size_t from;
	enum rc rc = others->listed(w, warehouse, LIST_OPEN, add_number, all,
				    e);

	if (!rc)
		rc = others->listed(w, warehouse, LIST_MINE, add_number, all,
				    e);
	from = all->n;
	if (!rc)
		rc = others->done_since(w, warehouse,
					w->now - RECONCILE_REOPENS, add_number,
					all, e);
	return rc ? rc : keep_reopening(w, all, from, e);
}

static enum rc gather(struct work *w, struct numbers *all, struct err *e)
{
	enum rc rc = OK;

	for (size_t i = 0; i < w->n_warehouses && !rc; i++)
		rc = gather_of(w, w->warehouses[i], all, e);
	all->n = sort_unique(all->list, all->n);
	return rc;
}

/* ---- tasks for other orders ---- */

static struct task task_for(const struct work *w, const char *kind,
			    int64_t number, int64_t due)
{
	struct task t = {
		.number = number,
		.created = w->now,
		.due = due,
		.again = TIME_NONE,
		.lane = LANE_LAST,
	};

	(void)!copy_text(t.kind, sizeof(t.kind), kind);
	memcpy(t.instance, w->task->instance, sizeof(t.instance));
	return t;
}

/* Adds a task of the kind for each of the orders.  If there is one already, it
 * is due at the earlier of both times. */
static enum rc add_tasks(struct work *w, const char *kind,
			 const int64_t *numbers, size_t n, int64_t due,
			 struct err *e)
{
	size_t most = n < AT_ONCE ? n : AT_ONCE, some;
	struct task *tasks = xcalloc(most + 1, sizeof(*tasks));
	enum rc rc = OK;

	for (size_t done = 0; numbers && done < n && !rc; done += some) {
		some = n - done < most ? n - done : most;
		for (size_t i = 0; i < some; i++)
			tasks[i] = task_for(w, kind, numbers[done + i], due);
		rc = w->others->add(w, tasks, some, e);
	}
	free(tasks);
	return rc;
}

static enum rc ask_for_looks(struct work *w, struct err *e)
{
	struct round *r = w->round;
	struct numbers all = {0};
	enum rc rc = gather(w, &all, e);

	if (!rc)
		rc = add_tasks(w, TASK_FETCH_ORDER, all.list, all.n, w->now, e);
	r->looked = !rc;
	r->looks = rc ? 0 : all.n;
	free(all.list);
	return rc;
}

/* ---- what waits, and no shop knows of ---- */

/* Finds out whether an order is unknown here.  One that cannot be read counts
 * as unknown: its task is given up, which an operator sees. */
static enum rc is_unknown(struct work *w, int64_t number, bool *ret,
			  struct err *e)
{
	struct order o = {0};
	enum rc rc = w->others->order(w, number, &o, e);

	*ret = rc ? rc == RC_NOTFOUND || rc == RC_INVALID
		  : missed_create(&o, w->recover);
	order_release(&o);
	return *ret ? OK : rc;
}

static bool is_among(const struct round *r, int64_t number)
{
	return r->n_read && bsearch(&number, r->read, r->n_read,
				    sizeof(*r->read), by_number);
}

/* Keeps in `got` only the numbers that no earlier page has named. */
static void keep_new(struct round *r, struct centra_numbers *got)
{
	size_t n = 0;

	for (size_t i = 0; i < got->n; i++)
		if (!is_among(r, got->list[i]))
			got->list[n++] = got->list[i];
	got->n = n;
	if (!n)
		return;
	r->read = xrealloc(r->read, r->n_read + n, sizeof(*r->read));
	memcpy(r->read + r->n_read, got->list, n * sizeof(*r->read));
	r->n_read = sort_unique(r->read, r->n_read + n);
}

/* Has each order that is unknown here checked again, `missed_after` from now.
 * If it has such a task already, that is not put off. */
static enum rc suspect(struct work *w, struct centra_numbers *got,
		       struct err *e)
{
	struct round *r = w->round;
	bool unknown = false;
	size_t n = 0;
	enum rc rc = OK;

	for (size_t i = 0; i < got->n && !rc; i++) {
		rc = is_unknown(w, got->list[i], &unknown, e);
		if (!rc && unknown)
			got->list[n++] = got->list[i];
	}
	if (!rc)
		rc = add_tasks(w, TASK_MISSED, got->list, n,
			       w->now + w->missed_after, e);
	r->unknown += n;
	return rc;
}

/* Takes over a page that was read.  *ret_last: it was the last one. */
static enum rc take_page(struct work *w, struct centra_numbers *got,
			 bool *ret_last, struct err *e)
{
	struct round *r = w->round;

	r->page++;
	*ret_last = got->n + got->unread < WAITING_PAGE ||
		    r->page == PAGES_MOST;
	if (!r->reads)
		r->unread += got->unread;
	keep_new(r, got);
	r->news = r->news || got->n;
	r->waiting = r->n_read + r->unread;
	return suspect(w, got, e);
}

/* Goes on to the next reading after the last page.  An order that stops waiting
 * while the pages are read moves the orders behind it forward, and one of them
 * to a page that was read already.  So a list of several pages is read again
 * until it names no new order.  Returns true when all is read.  The next
 * reconciliation finds whatever is missed all the same. */
static bool list_is_read(struct round *r)
{
	bool done = r->page <= 1 || !r->news || r->reads + 1 == READS_MOST;

	r->reads++;
	r->page = 0;
	r->news = false;
	return done;
}

/* ---- the task ---- */

/* Ends this reconciliation; the next is due sweep_every later. */
static void end(struct work *w)
{
	w->round->not_before = 0;
	w->others->ended(w, w->round, NULL);
	round_release(w->round);
	if (w->task->sub != RECONCILE_BY_HAND && w->sweep_every)
		changes_task(&w->result.changes, TASK_RECONCILE, w->task->sub,
			     w->now + w->sweep_every);
}

static void give_up(struct work *w, const char *why)
{
	int64_t every = w->sweep_every;
	int64_t wait = every && every < TRY_AGAIN ? every : TRY_AGAIN;

	w->others->ended(w, w->round, why);
	w->round->not_before = w->steady + wait;
	round_release(w->round);
	run_retry(w, run_why(WHY_GIVEN_UP, 0), wait, "%s", why);
}

/* Gives up, since the list could not be read.  Asks for the looks first, which
 * may succeed all the same; but not while Centra is away, or asked us to
 * wait. */
static void list_failed(struct work *w, const struct call *call)
{
	struct err ignored;

	if (!call->retry_after)
		(void)!ask_for_looks(w, &ignored);
	give_up(w, call->why.text);
}

/* Has the task run again at `due`; tasks of its lane that are due earlier go
 * first. */
static void go_on(struct work *w, int64_t due)
{
	changes_task(&w->result.changes, TASK_RECONCILE, w->task->sub, due);
}

/* Once the list is read: adds the looks, and has the task run once more after
 * them, to end.  The looks go first, since they are due earlier in the same
 * lane, which runs one task at a time. */
static void after_the_list(struct work *w)
{
	struct err e;

	if (ask_for_looks(w, &e))
		give_up(w, e.text);
	else
		go_on(w, w->now + 1);
}

static void read_page(struct work *w)
{
	struct centra_numbers got = {0};
	const struct call *call = &got.call;
	bool last = false;
	struct err e;

	centra_conn_lane(w->centra, CENTRA_RECONCILE);
	graphql_waiting(w->centra, WAITING_PAGE, w->round->page + 1, &got);
	centra_conn_lane(w->centra, CENTRA_LIVE);
	run_called(w, CENTRA_GRAPHQL, "what waits", call);
	if (call->held && call->retry_after <= HELD_MOST)
		run_retry(w, run_why_call(call), run_wait(w, call), "%s",
			  call->why.text);
	else if (call->end != CALL_OK)
		list_failed(w, call);
	else if (take_page(w, &got, &last, &e))
		give_up(w, e.text);
	else if (last && list_is_read(w->round))
		after_the_list(w);
	else
		go_on(w, w->task->due);
	centra_numbers_release(&got);
}

void handle_reconcile(struct work *w, size_t n)
{
	struct round *r = w->round;

	(void)n; /* one */
	if (!w->centra || !r || !w->others)
		return;
	if (w->task->sub != RECONCILE_BY_HAND && !w->sweep_every) {
		round_release(r); /* the setting changed: reconciliation runs
				   * only by hand now */
		return;
	}
	if (w->steady < r->not_before) {
		run_retry(w, run_why(WHY_GIVEN_UP, 0),
			  r->not_before - w->steady, "%s",
			  w->task->reason ? w->task->reason
					  : "it was given up a moment ago");
		return;
	}
	if (!r->began)
		r->began = w->steady;
	if (r->looked)
		end(w);
	else
		read_page(w);
}
