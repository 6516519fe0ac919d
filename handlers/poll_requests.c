/* SPDX-License-Identifier: MIT
 *
 * poll_requests.c - the task `poll_requests`: reads the Order API's list of
 * allocation requests (OFFERS 5.4).
 *
 * Of order 0 it reads, every `poll_requests` (setting), what can still be
 * answered by the warehouses of the instance's shops, and asks for the list of
 * each order of which it shows anything new, or no longer shows what is open
 * here.  Of another order it reads all requests, whatever their status, many
 * orders in one call, and records what they show.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "centra/order_api.h"
#include "handlers/handlers.h"
#include "handlers/offer.h"
#include "handlers/reconcile.h"
#include "handlers/requests.h"
#include "handlers/run.h"

#define PAGES_MOST	200
#define WAREHOUSES_ONCE 200 /* of one call */
#define UNTICKED_WAIT	(15 * RUN_MINUTE)
#define GONE_ONCE	100 /* orders that are not listed, of one run */

/* ---- one order, or several ---- */

static void end_one(struct work *w, const struct centra_requests *got)
{
	if (got->call.end == CALL_OK)
		return;
	run_retry(w, run_why_call(&got->call),
		  got->not_allowed ? UNTICKED_WAIT
				   : run_wait_long(w, &got->call),
		  "%s", got->call.why.text);
}

/* Reads all requests of the orders of these runs. */
static void read_orders(struct work **w, size_t n)
{
	int64_t numbers[REQUESTS_AT_ONCE] = {0};
	struct requests_query q = {.orders = numbers, .n_orders = n,
				   .all = true};
	struct centra_requests got = {0};
	bool last = false;
	int64_t first = 0;

	for (size_t i = 0; i < n; i++)
		numbers[i] = w[i]->task->number;
	centra_conn_lane(w[0]->centra, CENTRA_FETCH);
	while (!last && q.page < PAGES_MOST) {
		q.page++;
		centra_requests_release(&got);
		order_api_requests(w[0]->centra, &q, &got);
		run_called(w[0], CENTRA_ORDER_API, "allocation-requests",
			   &got.call);
		last = got.call.end != CALL_OK ||
		       requests_last_page(&got, &first);
		for (size_t i = 0; i < n; i++)
			requests_record(w[i], &got);
	}
	centra_conn_lane(w[0]->centra, CENTRA_LIVE);
	for (size_t i = 0; i < n; i++)
		end_one(w[i], &got);
	centra_requests_release(&got);
}

/* ---- all of them ---- */

struct numbers {
	int64_t *list; /* owned */
	size_t n, cap;
};

static void add_number(struct numbers *to, int64_t number)
{
	if (to->n && to->list[to->n - 1] == number)
		return;
	if (to->n == to->cap) {
		to->cap = to->cap ? 2 * to->cap : 32;
		to->list = xrealloc(to->list, to->cap, sizeof(*to->list));
	}
	to->list[to->n++] = number;
}

/* What one reading of the list has shown. */
struct poll {
	struct work *w;
	int64_t (*seen)[3]; /* owned: order, warehouse and id of each entry */
	size_t n_seen, cap;
	struct numbers wanted; /* orders whose requests are to be read */
	struct numbers gone; /* orders with an open request that is not listed */
	enum rc rc;
	struct err e;
};

static void see(struct poll *p, const struct centra_request *r)
{
	if (p->n_seen == p->cap) {
		p->cap = p->cap ? 2 * p->cap : 128;
		p->seen = xrealloc(p->seen, p->cap, sizeof(*p->seen));
	}
	p->seen[p->n_seen][0] = r->number;
	p->seen[p->n_seen][1] = r->warehouse;
	p->seen[p->n_seen++][2] = r->id;
}

/* True if the entry shows more than the order holds. */
static bool is_news(const struct order *o, const struct centra_request *r)
{
	const struct offer *f = order_offer(o, r->warehouse);
	enum request_status s;

	if (!request_status_of(r->status, &s))
		return false;
	for (size_t i = 0; f && i < f->n_requests; i++)
		if (f->requests[i].id == r->id)
			return f->requests[i].status < s;
	return true;
}

static void take_entry(struct poll *p, const struct centra_request *r)
{
	struct order o = {0};
	enum rc rc = p->w->others->order(p->w, r->number, &o, &p->e);

	see(p, r);
	if (rc == RC_NOTFOUND || (!rc && is_news(&o, r)))
		add_number(&p->wanted, r->number);
	else if (rc && rc != RC_INVALID)
		p->rc = rc;
	order_release(&o);
}

static int by_entry(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;
	int ret = 0;

	for (int i = 0; i < 3 && !ret; i++)
		ret = (x[i] > y[i]) - (x[i] < y[i]);
	return ret;
}

struct open_offers {
	struct poll *poll;
	int64_t warehouse;
};

/* True if a request that is open here is not in the list, which has what can
 * still be answered. */
static bool one_is_gone(const struct poll *p, int64_t number,
			const struct offer *f)
{
	int64_t ids[REQUESTS_MAX];
	size_t n = requests_open(f, ids);

	for (size_t i = 0; i < n; i++) {
		int64_t entry[3] = {number, f->warehouse, ids[i]};

		if (!p->n_seen || !bsearch(entry, p->seen, p->n_seen,
					   sizeof(*p->seen), by_entry))
			return true;
	}
	return !f->n_requests;
}

static bool find_gone(void *arg, const struct listed *row)
{
	struct open_offers *in = arg;
	struct poll *p = in->poll;
	struct order o = {0};
	const struct offer *f;

	if (!p->w->others->order(p->w, row->number, &o, &p->e)) {
		f = order_offer(&o, in->warehouse);
		if (f && offer_kind(f) == KIND_ALLOCATION_REQUEST &&
		    one_is_gone(p, row->number, f))
			add_number(&p->gone, row->number);
	}
	order_release(&o);
	return true;
}

/* Has the requests of orders read that are open here and not listed; of many
 * orders another part each time, since Centra may never list them. */
static void want_gone(struct poll *p)
{
	const struct work *w = p->w;
	size_t n = p->gone.n < GONE_ONCE ? p->gone.n : GONE_ONCE;
	size_t from = (size_t)(w->now / w->poll_every) * GONE_ONCE;

	for (size_t i = 0; i < n; i++)
		add_number(&p->wanted,
			   p->gone.list[p->gone.n > n ? (from + i) % p->gone.n
						      : i]);
}

static void find_all_gone(struct poll *p)
{
	struct work *w = p->w;

	if (p->n_seen)
		qsort(p->seen, p->n_seen, sizeof(*p->seen), by_entry);
	for (size_t i = 0; i < w->n_warehouses && !p->rc; i++) {
		struct open_offers in = {p, w->warehouses[i]};

		p->rc = w->others->listed(w, w->warehouses[i], LIST_OPEN,
					  find_gone, &in, &p->e);
	}
	want_gone(p);
}

/* Adds the task that reads an order's requests, for each order that was found. */
static void ask_for_orders(struct poll *p)
{
	const struct work *w = p->w;
	struct task *tasks = xcalloc(p->wanted.n + 1, sizeof(*tasks));

	for (size_t i = 0; i < p->wanted.n; i++) {
		tasks[i] = (struct task){.number = p->wanted.list[i],
					 .created = w->now,
					 .due = w->now,
					 .again = TIME_NONE};
		(void)!copy_text(tasks[i].kind, sizeof(tasks[i].kind),
				 TASK_POLL_REQUESTS);
		memcpy(tasks[i].instance, w->task->instance,
		       sizeof(tasks[i].instance));
	}
	if (p->wanted.n && !p->rc)
		p->rc = w->others->add(w, tasks, p->wanted.n, &p->e);
	free(tasks);
}

/* Reads the list for some of the warehouses.  False: a call failed. */
static bool read_some(struct poll *p, const int64_t *warehouses, size_t n,
		      struct centra_requests *got)
{
	struct requests_query q = {.warehouses = warehouses,
				   .n_warehouses = n};
	bool last = false;
	int64_t first = 0;

	while (!last && q.page < PAGES_MOST) {
		q.page++;
		centra_requests_release(got);
		order_api_requests(p->w->centra, &q, got);
		run_called(p->w, CENTRA_ORDER_API, "allocation-requests",
			   &got->call);
		if (got->call.end != CALL_OK)
			return false;
		last = requests_last_page(got, &first);
		for (size_t i = 0; i < got->n && !p->rc; i++)
			take_entry(p, got->list[i]);
	}
	return true;
}

static bool read_all(struct poll *p, struct centra_requests *got)
{
	const struct work *w = p->w;
	bool ok = true;
	size_t n;

	for (size_t i = 0; i < w->n_warehouses && ok; i += n) {
		n = w->n_warehouses - i;
		if (n > WAREHOUSES_ONCE)
			n = WAREHOUSES_ONCE;
		ok = read_some(p, w->warehouses + i, n, got);
	}
	return ok;
}

/* Ends the run: the next is due `poll_every` later, or sooner after a
 * failure. */
static void end_poll(struct poll *p, bool ok, const struct centra_requests *got)
{
	struct work *w = p->w;
	const struct call *call = &got->call;
	int64_t wait;

	if (ok && !p->rc) {
		changes_task(&w->result.changes, TASK_POLL_REQUESTS, 0,
			     w->now + w->poll_every);
		return;
	}
	wait = got->not_allowed ? UNTICKED_WAIT
				: run_wait_long(w, ok ? NULL : call);
	if (!got->not_allowed && wait > w->poll_every)
		wait = call->retry_after > w->poll_every ? call->retry_after
							 : w->poll_every;
	run_retry(w, ok ? run_why(WHY_GIVEN_UP, 0) : run_why_call(call), wait,
		  "%s", ok ? p->e.text : call->why.text);
}

static void poll_all(struct work *w)
{
	struct centra_requests got = {0};
	struct poll p = {.w = w};
	bool ok;

	if (!w->poll_every || !w->centra || !w->others || !w->n_warehouses)
		return;
	centra_conn_lane(w->centra, CENTRA_RECONCILE);
	ok = read_all(&p, &got);
	centra_conn_lane(w->centra, CENTRA_LIVE);
	if (ok && !p.rc)
		find_all_gone(&p);
	ask_for_orders(&p);
	end_poll(&p, ok, &got);
	centra_requests_release(&got);
	free(p.seen);
	free(p.wanted.list);
	free(p.gone.list);
}

void handle_poll_requests(struct work *w, size_t n)
{
	struct work *some[REQUESTS_AT_ONCE];
	size_t n_some = 0;

	for (size_t i = 0; i < n; i++) {
		if (w[i].task->number <= 0)
			poll_all(&w[i]);
		else if (w[i].centra && n_some < REQUESTS_AT_ONCE)
			some[n_some++] = &w[i];
	}
	if (n_some)
		read_orders(some, n_some);
}
