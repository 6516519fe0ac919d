/* SPDX-License-Identifier: MIT
 *
 * test_reconcile.c - which orders reconciliation has looked at, which it
 * suspects, and when it comes back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/time.h"
#include "handlers/reconcile.h"
#include "tests/unit/facts.h"
#include "tests/unit/stub_centra.h"

#include <cmocka.h> /* last: it has a macro called fail */

#define W	 3
#define V	 4
#define MINUTE	 60000
#define ADDED_MAX 2000

/* The world of one instance: what is held, what Centra lists, what came of it. */
static struct {
	const int64_t *open, *mine, *done; /* of W; each ends with 0 */
	struct order *known; /* borrowed; the one order that is held, or NULL */
	int64_t broken; /* an order whose row cannot be read; or 0 */
	bool full; /* nothing can be added */

	int64_t list[1000]; /* what waits, in Centra's order */
	size_t n_list;
	unsigned queries;
	enum centra_lane lane; /* of the last */
	struct call fails; /* if .why is not "": what queries end like */
	void (*on_query)(void);

	struct task added[ADDED_MAX];
	size_t n_added;
	unsigned ended, given_up;
	struct round last; /* of those, without its list */
} world;

static struct round held_round;
static struct task task;
static struct result result; /* of the last run */
static int64_t steady;

/* ---- in the worker's place ---- */

static bool of_list(const int64_t *list,
		    bool (*fn)(void *arg, const struct listed *row), void *arg)
{
	for (; list && *list; list++)
		if (!fn(arg, &(struct listed){.number = *list}))
			return false;
	return true;
}

static enum rc listed(const struct work *w, int64_t warehouse, enum list list,
		      bool (*fn)(void *arg, const struct listed *row),
		      void *arg, struct err *e)
{
	(void)w, (void)e;
	if (warehouse == W)
		of_list(list == LIST_OPEN ? world.open : world.mine, fn, arg);
	return OK;
}

static enum rc done_since(const struct work *w, int64_t warehouse,
			  int64_t since,
			  bool (*fn)(void *arg, const struct listed *row),
			  void *arg, struct err *e)
{
	(void)w, (void)e;
	assert_int_equal(since, NOW - RECONCILE_REOPENS);
	if (warehouse == W)
		of_list(world.done, fn, arg);
	return OK;
}

static enum rc order_of(const struct work *w, int64_t number,
			struct order *ret, struct err *e)
{
	(void)w;
	if (world.broken && world.broken == number) {
		snprintf(e->text, sizeof(e->text), "it cannot be read");
		return RC_INVALID;
	}
	if (!world.known || world.known->number != number)
		return RC_NOTFOUND;
	order_copy(ret, world.known);
	return OK;
}

static enum rc add(const struct work *w, const struct task *tasks, size_t n,
		   struct err *e)
{
	(void)w;
	if (world.full) {
		snprintf(e->text, sizeof(e->text), "no room");
		return RC_FULL;
	}
	assert_true(world.n_added + n <= ADDED_MAX);
	memcpy(&world.added[world.n_added], tasks, n * sizeof(*tasks));
	world.n_added += n;
	return OK;
}

static void ended(const struct work *w, const struct round *r, const char *why)
{
	(void)w;
	world.ended += !why;
	world.given_up += why != NULL;
	world.last = *r;
	world.last.read = NULL;
}

static void page_of_list(unsigned max, unsigned page, struct centra_numbers *ret)
{
	size_t from = (size_t)max * (page - 1);

	world.queries++;
	world.lane = stub_centra.lane;
	if (*world.fails.why.text) {
		ret->call = world.fails;
		return;
	}
	ret->list = xcalloc(max, sizeof(*ret->list));
	for (size_t i = from; i < world.n_list && i < from + max; i++)
		ret->list[ret->n++] = world.list[i];
	if (world.on_query)
		world.on_query();
}

/* ---- running ---- */

static int make(void **s)
{
	(void)s;
	memset(&world, 0, sizeof(world));
	stub_centra = (struct stub_centra){.waiting = page_of_list};
	task = (struct task){.kind = TASK_RECONCILE,
			     .instance = "se",
			     .due = NOW - 5,
			     .lane = LANE_LAST};
	steady = 1000;
	return 0;
}

static int unmake(void **s)
{
	(void)s;
	round_release(&held_round);
	held_round = (struct round){0};
	result_release(&result);
	result = (struct result){0};
	return 0;
}

static void run_every(int64_t every)
{
	static const int64_t warehouses[] = {W, V};
	const struct others others = {
		.listed = listed,
		.done_since = done_since,
		.order = order_of,
		.add = add,
		.ended = ended,
	};
	struct order none = {0};
	struct work w = {
		.task = &task,
		.order = &none,
		.now = NOW,
		.steady = steady,
		.centra = stub_conn,
		.warehouses = warehouses,
		.n_warehouses = 2,
		.missed_after = 2 * MINUTE,
		.sweep_every = every,
		.round = &held_round,
		.others = &others,
	};

	result_release(&result);
	handle_reconcile(&w, 1);
	result = w.result;
}

static void run(void)
{
	run_every(5 * MINUTE);
}

/* When the run puts its task back; 0: it does not. */
static int64_t comes_back(void)
{
	for (size_t i = 0; i < result.changes.n; i++)
		if (result.changes.list[i].kind == CHANGE_TASK)
			return result.changes.list[i].task.due;
	return 0;
}

static void run_to_the_end(void)
{
	for (int i = 0; i < 100 && !world.ended; i++)
		run();
	assert_int_equal(world.ended, 1);
}

static size_t added(const char *kind, int64_t number)
{
	size_t n = 0;

	for (size_t i = 0; i < world.n_added; i++)
		n += !strcmp(world.added[i].kind, kind) &&
		     (!number || world.added[i].number == number);
	return n;
}

static void list_waiting(int64_t first, size_t n)
{
	for (size_t i = 0; i < n; i++)
		world.list[world.n_list++] = first + (int64_t)i;
}

static const int64_t one_open[] = {19, 0}, two_mine[] = {20, 19, 0};

/* ---- looks ---- */

static void what_a_shop_could_act_on_is_looked_at_once_in_the_last_lane(
	void **s)
{
	(void)s;
	world.open = one_open;
	world.mine = two_mine;
	run_to_the_end();
	assert_int_equal(world.n_added, 2);
	assert_int_equal(world.last.looks, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct task *t = &world.added[i];

		assert_string_equal(t->kind, TASK_FETCH_ORDER);
		assert_string_equal(t->instance, "se");
		assert_int_equal(t->number, 19 + i);
		assert_int_equal(t->due, NOW);
		assert_int_equal(t->lane, LANE_LAST);
		assert_true(t->again == TIME_NONE);
	}
}

static void what_a_look_alone_ended_is_looked_at(void **s)
{
	struct order o;

	(void)s;
	order_init(&o, "se", 19);
	opened(&o, W, at(10));
	found(&o, W, FOUND_NOT_OURS, STATE_TAKEN);
	o.offers[0].finding.at = NOW;
	offer_derive(NULL, &o);
	world.known = &o;
	world.done = two_mine; /* of 20 nothing is known */
	run_to_the_end();
	assert_int_equal(added(TASK_FETCH_ORDER, 19), 1);
	assert_int_equal(world.n_added, 1);
	order_release(&o);
}

static void it_ends_behind_its_looks(void **s)
{
	(void)s;
	world.open = one_open;
	run();
	assert_int_equal(added(TASK_FETCH_ORDER, 19), 1);
	assert_int_equal(world.ended, 0);
	assert_true(comes_back() > world.added[0].due);
	run();
	assert_int_equal(world.ended, 1);
	assert_int_equal(world.queries, 1);
	assert_int_equal(world.n_added, 1);
}

/* ---- what waits ---- */

static void what_waits_and_is_unknown_is_suspected(void **s)
{
	struct order open;

	(void)s;
	order_init(&open, "se", 7);
	opened(&open, W, at(10));
	offer_derive(NULL, &open);
	world.known = &open;
	list_waiting(7, 2);
	run_to_the_end();
	assert_int_equal(world.n_added, 1);
	assert_string_equal(world.added[0].kind, TASK_MISSED);
	assert_int_equal(world.added[0].number, 8);
	assert_int_equal(world.added[0].due, NOW + 2 * MINUTE);
	assert_int_equal(world.last.waiting, 2);
	assert_int_equal(world.last.unknown, 1);
	assert_int_equal(world.lane, CENTRA_RECONCILE);
	assert_int_equal(stub_centra.lane, CENTRA_LIVE); /* again */
	order_release(&open);
}

/* The others of its lane that are due later stay behind it meanwhile. */
/* Their tasks end as dead, so that somebody looks into it. */
static void an_order_that_cannot_be_read_keeps_no_other_from_its_look(void **s)
{
	(void)s;
	world.broken = 19;
	world.open = two_mine;
	world.done = one_open; /* may open again: who can tell? */
	list_waiting(19, 2);
	run_to_the_end();
	assert_int_equal(world.given_up, 0);
	assert_int_equal(added(TASK_FETCH_ORDER, 20), 1);
	assert_int_equal(added(TASK_MISSED, 20), 1);
	assert_int_equal(added(TASK_MISSED, 19), 1);
}

static void it_reads_a_page_a_run(void **s)
{
	(void)s;
	list_waiting(1000, 450);
	for (unsigned page = 1; page <= 3; page++) {
		run();
		assert_int_equal(world.queries, page);
		assert_int_equal(result.how, OUTCOME_DONE);
		assert_int_equal(comes_back(), task.due);
	}
	assert_int_equal(added(TASK_MISSED, 0), 450);
}

static void three_leave_after_the_first_page(void)
{
	if (world.queries != 1)
		return;
	memmove(world.list, world.list + 3,
		(world.n_list - 3) * sizeof(*world.list));
	world.n_list -= 3;
}

static void an_order_that_slips_between_two_pages_is_found(void **s)
{
	(void)s;
	list_waiting(1000, 205);
	world.on_query = three_leave_after_the_first_page;
	run_to_the_end();
	assert_int_equal(added(TASK_MISSED, 0), 205);
	for (int64_t n = 1000; n < 1205; n++)
		assert_int_equal(added(TASK_MISSED, n), 1);
}

static void a_call_that_is_held_back_loses_no_page(void **s)
{
	(void)s;
	list_waiting(1000, 250);
	run();
	world.fails = (struct call){.end = CALL_NOT_DONE,
				    .held = true,
				    .retry_after = 4000,
				    .why = {"the budget is spent"}};
	run();
	assert_int_equal(result.how, OUTCOME_RETRY);
	assert_in_range(result.due, NOW + 4000, NOW + 5000);
	assert_int_equal(world.given_up, 0);
	world.fails = (struct call){0};
	run();
	assert_int_equal(added(TASK_MISSED, 0), 250);
	assert_int_equal(added(TASK_MISSED, 1000), 1);
}

/* ---- what fails ---- */

static void fail_once(void)
{
	world.fails = (struct call){.end = CALL_UNKNOWN, .why = {"garbage"}};
	run();
	world.fails = (struct call){0};
	assert_int_equal(world.given_up, 1);
	assert_int_equal(result.how, OUTCOME_RETRY);
}

static void a_list_that_fails_keeps_no_order_from_its_look(void **s)
{
	(void)s;
	world.open = one_open;
	fail_once();
	assert_int_equal(added(TASK_FETCH_ORDER, 19), 1);
	assert_int_equal(result.due, NOW + 30000);
	assert_string_equal(result.reason.text, "garbage");
	steady += 30000;
	run_to_the_end();
}

static void looks_for_which_there_is_no_room_are_asked_for_later(void **s)
{
	(void)s;
	world.open = one_open;
	world.full = true;
	run();
	assert_int_equal(world.given_up, 1);
	assert_string_equal(result.reason.text, "no room");
	world.full = false;
	steady += 30000;
	run_to_the_end();
	assert_int_equal(added(TASK_FETCH_ORDER, 19), 1);
}

/* Their tasks stay as they are while nothing can be asked. */
static void while_centra_is_away_no_looks_are_asked_for(void **s)
{
	(void)s;
	world.open = one_open;
	world.fails = (struct call){.end = CALL_UNKNOWN,
				    .why = {"no reply"},
				    .retry_after = 500};
	run();
	assert_int_equal(world.given_up, 1);
	assert_int_equal(world.n_added, 0);
}

static void what_was_given_up_is_not_tried_at_once(void **s)
{
	(void)s;
	fail_once();
	steady += 10000;
	run();
	assert_int_equal(world.queries, 1);
	assert_int_equal(result.how, OUTCOME_RETRY);
	assert_int_equal(result.due, NOW + 20000);
	steady += 20000;
	run();
	assert_int_equal(world.queries, 2);
}

/* ---- when ---- */

static void it_comes_back_after_sweep_every(void **s)
{
	(void)s;
	run_to_the_end();
	assert_int_equal(result.how, OUTCOME_DONE);
	assert_int_equal(comes_back(), NOW + 5 * MINUTE);
}

static void by_hand_it_runs_once_whatever_sweep_every_is(void **s)
{
	(void)s;
	task.sub = RECONCILE_BY_HAND;
	run_every(0);
	assert_int_equal(world.queries, 1);
	run_every(0);
	assert_int_equal(world.ended, 1);
	assert_int_equal(comes_back(), 0);
}

static void what_sweep_every_0_broke_off_begins_anew(void **s)
{
	(void)s;
	run(); /* the list is read */
	assert_true(held_round.looked);
	run_every(0);
	steady += 3600000;
	run();
	assert_int_equal(world.queries, 2);
}

static void with_sweep_every_0_the_clock_starts_none(void **s)
{
	(void)s;
	run_every(0);
	assert_int_equal(world.queries, 0);
	assert_int_equal(world.ended, 0);
	assert_int_equal(result.how, OUTCOME_DONE);
	assert_int_equal(comes_back(), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, make, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_a_shop_could_act_on_is_looked_at_once_in_the_last_lane),
		T(what_a_look_alone_ended_is_looked_at),
		T(it_ends_behind_its_looks),
		T(what_waits_and_is_unknown_is_suspected),
		T(an_order_that_cannot_be_read_keeps_no_other_from_its_look),
		T(it_reads_a_page_a_run),
		T(an_order_that_slips_between_two_pages_is_found),
		T(a_call_that_is_held_back_loses_no_page),
		T(a_list_that_fails_keeps_no_order_from_its_look),
		T(looks_for_which_there_is_no_room_are_asked_for_later),
		T(while_centra_is_away_no_looks_are_asked_for),
		T(what_was_given_up_is_not_tried_at_once),
		T(it_comes_back_after_sweep_every),
		T(by_hand_it_runs_once_whatever_sweep_every_is),
		T(what_sweep_every_0_broke_off_begins_anew),
		T(with_sweep_every_0_the_clock_starts_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
