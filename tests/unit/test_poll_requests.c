/* SPDX-License-Identifier: MIT
 *
 * test_poll_requests.c - reading the list of allocation requests (OFFERS 5.4):
 * which orders are asked for, how far the list is read, and when it is read
 * again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "handlers/reconcile.h"
#include "handlers/requests.h"
#include "tests/unit/facts.h"
#include "tests/unit/stub_centra.h"

#include <cmocka.h> /* last: it has a macro called fail */

#define W     3
#define EVERY 45000

static struct {
	int entries;		 /* of all pages */
	const char *status;
	int calls, orders_asked; /* calls; orders in the last one */
	bool fails, unticked, named_all;
	size_t warehouses;
	/* What is held: order 1 with a request of id 1 in this status. */
	bool holds;
	enum request_status held;
	bool listed_open;
	int open; /* further orders, from 1000 on, with an open request each that
		   * the list lacks */
	bool second; /* order 1 has another open request, of id 2 */
	bool same_page; /* every page is the first */
	int64_t now;
	int64_t added[400];
	size_t n_added;
} us;

static void requests(const struct requests_query *q,
		     struct centra_requests *ret)
{
	int from = us.same_page ? 0 : ((int)q->page - 1) * REQUESTS_PAGE;

	us.calls++;
	us.orders_asked = (int)q->n_orders;
	us.named_all = q->all;
	us.warehouses = q->n_warehouses;
	assert_int_equal(stub_centra.lane,
			 q->n_orders ? CENTRA_FETCH : CENTRA_RECONCILE);
	ret->call = (struct call){.end = CALL_OK, .status = 200};
	if (us.fails || us.unticked) {
		ret->call.end = us.fails ? CALL_UNKNOWN : CALL_NOT_DONE;
		ret->not_allowed = us.unticked;
		return;
	}
	for (int i = from; i < us.entries && i < from + REQUESTS_PAGE; i++)
		stub_request(ret, i + 1, i + 1, W, us.status, LATER, 1);
}

static enum rc order_of(const struct work *w, int64_t number, struct order *ret,
			struct err *e)
{
	struct change c = {.kind = CHANGE_OPENING, .warehouse = W};

	(void)w;
	if ((number != 1 || !us.holds) && number < 1000)
		return (fail)(e, RC_NOTFOUND, "none");
	order_init(ret, "se", number);
	c.opening = (struct opening){.expires = LATER,
				     .kind = KIND_ALLOCATION_REQUEST};
	order_apply(ret, &c);
	c = (struct change){.kind = CHANGE_REQUEST, .warehouse = W};
	c.request = (struct alloc_request){.id = 1, .status = us.held,
					   .expires = LATER};
	order_apply(ret, &c);
	if (us.second) {
		c.request.id = 2;
		c.request.expires = LATER + 60000;
		order_apply(ret, &c);
	}
	offer_derive(NULL, ret);
	return OK;
}

static enum rc listed(const struct work *w, int64_t warehouse, enum list list,
		      bool (*fn)(void *arg, const struct listed *row),
		      void *arg, struct err *e)
{
	struct listed row = {.number = 1};

	(void)w;
	(void)e;
	assert_int_equal(list, LIST_OPEN);
	if (us.listed_open && warehouse == W)
		fn(arg, &row);
	for (int i = 0; i < us.open && warehouse == W; i++) {
		row.number = 1000 + i;
		fn(arg, &row);
	}
	return OK;
}

static enum rc add(const struct work *w, const struct task *tasks, size_t n,
		   struct err *e)
{
	(void)w;
	(void)e;
	for (size_t i = 0; i < n; i++) {
		assert_string_equal(tasks[i].kind, TASK_POLL_REQUESTS);
		us.added[us.n_added++ % 400] = tasks[i].number;
	}
	return OK;
}

static struct result poll(int64_t every, size_t n_warehouses)
{
	static int64_t warehouses[500];
	const struct others others = {
		.listed = listed, .order = order_of, .add = add};
	struct task task = {.kind = TASK_POLL_REQUESTS, .instance = "se"};
	struct order none = {0};
	struct work w = {
		.task = &task,
		.order = &none,
		.now = us.now ? us.now : NOW,
		.centra = stub_conn,
		.warehouses = warehouses,
		.n_warehouses = n_warehouses,
		.poll_every = every,
		.others = &others,
	};

	for (int i = 0; i < 500; i++)
		warehouses[i] = W + i;
	us.calls = 0;
	us.n_added = 0;
	handle_poll_requests(&w, 1);
	return w.result;
}

/* When the task comes back; 0: it does not. */
static int64_t comes_back(const struct result *r)
{
	if (r->how == OUTCOME_RETRY)
		return r->due;
	for (size_t i = 0; i < r->changes.n; i++)
		if (r->changes.list[i].kind == CHANGE_TASK)
			return r->changes.list[i].task.due;
	return 0;
}

static int begin_test(void **s)
{
	(void)s;
	memset(&us, 0, sizeof(us));
	us.status = "sent";
	stub_centra = (struct stub_centra){.requests = requests};
	return 0;
}

static void pages_are_read_until_one_is_not_full(void **s)
{
	static const struct {
		int entries, calls;
	} rows[] = {{0, 1}, {99, 1}, {100, 2}, {250, 3}};

	(void)s;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct result r;

		us.entries = rows[i].entries;
		r = poll(EVERY, 1);
		assert_int_equal(us.calls, rows[i].calls);
		assert_int_equal(us.n_added, rows[i].entries);
		assert_false(us.named_all);
		result_release(&r);
	}
}

static void many_warehouses_are_asked_about_in_parts(void **s)
{
	struct result r = poll(EVERY, 450);

	(void)s;
	assert_int_equal(us.calls, 3);
	assert_int_equal(us.warehouses, 50);
	result_release(&r);
}

static void what_is_held_is_no_news(void **s)
{
	struct result r;

	(void)s;
	us.entries = 1;
	us.holds = true;
	us.held = REQUEST_SENT;
	r = poll(EVERY, 1);
	assert_int_equal(us.n_added, 0);
	result_release(&r);
	us.status = "timed-out";
	r = poll(EVERY, 1);
	assert_int_equal(us.n_added, 1);
	result_release(&r);
	us.status = "a-new-word";
	r = poll(EVERY, 1);
	assert_int_equal(us.n_added, 0);
	result_release(&r);
}

static void what_is_open_here_and_not_listed_is_read(void **s)
{
	struct result r;

	(void)s;
	us.holds = us.listed_open = true;
	us.held = REQUEST_SENT;
	r = poll(EVERY, 2);
	assert_int_equal(us.n_added, 1);
	assert_int_equal(us.added[0], 1);
	result_release(&r);
	us.fails = true; /* a list that was not read proves nothing */
	r = poll(EVERY, 2);
	assert_int_equal(us.n_added, 0);
	result_release(&r);
}

/* The list has another request of the order to the same warehouse. */
static void one_request_of_two_that_is_not_listed_is_read(void **s)
{
	struct result r;

	(void)s;
	us.holds = us.listed_open = true;
	us.held = REQUEST_SENT;
	us.entries = 1;
	r = poll(EVERY, 1);
	assert_int_equal(us.n_added, 0);
	result_release(&r);
	us.second = true;
	r = poll(EVERY, 1);
	assert_int_equal(us.n_added, 1);
	result_release(&r);
}

/* However many there are, each poll reads some of them, and in time all. */
static void of_many_that_are_not_listed_some_are_read_in_turn(void **s)
{
	bool read[350] = {false};
	int polls = 0, all = 0;
	struct result r;

	(void)s;
	us.open = 350;
	us.held = REQUEST_SENT;
	for (; all < us.open && polls < 10; polls++) {
		us.now = NOW + polls * EVERY;
		r = poll(EVERY, 1);
		assert_in_range(us.n_added, 1, 100);
		for (size_t i = 0; i < us.n_added; i++) {
			all += !read[us.added[i] - 1000];
			read[us.added[i] - 1000] = true;
		}
		result_release(&r);
	}
	assert_int_equal(all, us.open);
	assert_in_range(polls, 4, 5);
}

static void a_list_whose_pages_are_all_the_same_is_read_once(void **s)
{
	struct result r;

	(void)s;
	us.entries = 100;
	us.same_page = true;
	r = poll(EVERY, 1);
	assert_int_equal(us.calls, 2);
	result_release(&r);
}

static void it_comes_back_in_time_and_sooner_than_that_after_a_failure(
	void **s)
{
	struct result r = poll(EVERY, 1);

	(void)s;
	assert_true(comes_back(&r) == NOW + EVERY);
	result_release(&r);
	us.fails = true;
	r = poll(EVERY, 1);
	assert_in_range(comes_back(&r), NOW + 1, NOW + EVERY);
	result_release(&r);
	us.fails = false;
	us.unticked = true;
	r = poll(EVERY, 1);
	assert_true(comes_back(&r) == NOW + 15 * 60000);
	result_release(&r);
}

static void with_0_it_does_not_come_back(void **s)
{
	struct result r = poll(0, 1);

	(void)s;
	assert_int_equal(us.calls, 0);
	assert_true(comes_back(&r) == 0);
	result_release(&r);
}

static void the_requests_of_many_orders_are_one_call(void **s)
{
	struct order orders[REQUESTS_AT_ONCE];
	struct task tasks[REQUESTS_AT_ONCE];
	struct work w[REQUESTS_AT_ONCE] = {0};

	(void)s;
	us.entries = 150;
	for (int i = 0; i < REQUESTS_AT_ONCE; i++) {
		tasks[i] = (struct task){.number = i + 1};
		order_init(&orders[i], "se", i + 1);
		w[i] = (struct work){.task = &tasks[i],
				     .order = &orders[i],
				     .now = NOW,
				     .missed_after = 1000,
				     .centra = stub_conn};
	}
	handle_poll_requests(w, REQUESTS_AT_ONCE);
	assert_int_equal(us.calls, 2); /* two pages */
	assert_int_equal(us.orders_asked, REQUESTS_AT_ONCE);
	assert_true(us.named_all);
	for (int i = 0; i < REQUESTS_AT_ONCE; i++) {
		bool missed = false;

		assert_int_equal(orders[i].n_offers, 1);
		assert_int_equal(orders[i].offers[0].requests[0].id, i + 1);
		for (size_t k = 0; k < w[i].result.changes.n; k++)
			missed |= w[i].result.changes.list[k].kind ==
				  CHANGE_TASK;
		assert_true(missed); /* no webhook told of it so far */
		result_release(&w[i].result);
		order_release(&orders[i]);
	}
}

#define T(name) cmocka_unit_test_setup(name, begin_test)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(pages_are_read_until_one_is_not_full),
		T(many_warehouses_are_asked_about_in_parts),
		T(what_is_held_is_no_news),
		T(what_is_open_here_and_not_listed_is_read),
		T(one_request_of_two_that_is_not_listed_is_read),
		T(of_many_that_are_not_listed_some_are_read_in_turn),
		T(a_list_whose_pages_are_all_the_same_is_read_once),
		T(it_comes_back_in_time_and_sooner_than_that_after_a_failure),
		T(with_0_it_does_not_come_back),
		T(the_requests_of_many_orders_are_one_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
