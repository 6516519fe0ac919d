/* SPDX-License-Identifier: MIT
 *
 * test_handlers.c - the table of handlers, and how long they wait.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "centra/graphql.h"
#include "handlers/answer.h"
#include "handlers/backoff.h"
#include "handlers/handlers.h"

#include <cmocka.h> /* last: it has a macro called fail */

static void every_kind_of_task_has_a_handler(void **s)
{
	static const struct {
		const char *kind;
		handler_fn *run;
	} rows[] = {
		{TASK_CHECK_FIRST, handle_event},
		{TASK_ORDER, handle_event},
		{TASK_ANSWER_OFFER, handle_answer_offer},
		{TASK_FETCH_ORDER, handle_fetch_order},
		{TASK_MISSED, handle_missed},
		{TASK_SHIP_ORDER, handle_ship_order},
		{TASK_RECONCILE, handle_reconcile},
	};

	(void)s;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct handler *h = handler_find(rows[i].kind);

		assert_non_null(h);
		assert_ptr_equal(h->run, rows[i].run);
		assert_int_equal(handler_batch(rows[i].kind), h->batch);
		assert_true(strlen(h->kind) < TASK_KIND_SIZE);
		assert_true(h->batch >= 1);
	}
	/* One query asks for no more orders than it may. */
	assert_int_equal(handler_batch(TASK_FETCH_ORDER), ORDERS_QUERY_MAX);
	assert_int_equal(handler_batch(TASK_MISSED), ORDERS_QUERY_MAX);
	/* What tells Centra something is told one at a time. */
	assert_int_equal(handler_batch(TASK_ANSWER_OFFER), 1);
	assert_int_equal(handler_batch(TASK_SHIP_ORDER), 1);
	assert_null(handler_find("brew_coffee"));
	assert_int_equal(handler_batch("brew_coffee"), 1);
}

static struct task placed(const char *kind, int64_t sub, const struct order *o)
{
	struct task t = {.sub = sub};

	assert_true(copy_text(t.kind, sizeof(t.kind), kind));
	handler_place(&t, o);
	return t;
}

static void each_kind_has_its_lane_and_names_the_api_it_calls(void **s)
{
	static const struct {
		const char *kind;
		int64_t sub;
		enum lane lane;
		enum handler_calls calls;
	} rows[] = {
		{TASK_ANSWER_OFFER, 3, LANE_ANSWERS, CALLS_ORDER_API},
		{TASK_SHIP_ORDER, 3, LANE_ANSWERS, CALLS_GRAPHQL},
		{TASK_CHECK_FIRST, 9, LANE_ANSWERS, CALLS_NOBODY},
		{TASK_ORDER, 9, LANE_ANSWERS, CALLS_NOBODY},
		{TASK_MISSED, 0, LANE_LAST, CALLS_GRAPHQL},
		/* judges what is held: it is never parked */
		{TASK_MISSED, 1234, LANE_LAST, CALLS_NOBODY},
		{TASK_RECONCILE, 0, LANE_LAST, CALLS_GRAPHQL},
		{TASK_FETCH_ORDER, 0, LANE_REST, CALLS_GRAPHQL},
		{"brew_coffee", 0, LANE_REST, CALLS_NOBODY},
	};

	(void)s;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct task t = placed(rows[i].kind, rows[i].sub, NULL);

		assert_int_equal(t.lane, rows[i].lane);
		assert_int_equal(t.group, rows[i].calls);
	}
}

static void the_lane_of_a_fetch_says_who_waits_for_it(void **s)
{
	struct offer f = {.warehouse = 3, .list = LIST_OPEN};
	struct order o = {.offers = &f, .n_offers = 1};

	(void)s;
	assert_int_equal(placed(TASK_FETCH_ORDER, 0, &o).lane, LANE_WAITED);
	f.state = STATE_ACCEPTING; /* was the accept heard? */
	assert_int_equal(placed(TASK_FETCH_ORDER, 0, &o).lane, LANE_ANSWERS);
	f.state = STATE_ACCEPTED; /* where does it go? */
	f.list = LIST_MINE;
	assert_int_equal(placed(TASK_FETCH_ORDER, 0, &o).lane, LANE_ANSWERS);
	o.has_address = true;
	assert_int_equal(placed(TASK_FETCH_ORDER, 0, &o).lane, LANE_WAITED);
	f.list = LIST_DONE;
	assert_int_equal(placed(TASK_FETCH_ORDER, 0, &o).lane, LANE_REST);
	o.fetch_due = true; /* in doubt */
	assert_int_equal(placed(TASK_FETCH_ORDER, 0, &o).lane, LANE_WAITED);
}

static void a_lane_that_was_asked_for_stays(void **s)
{
	struct task t = {.kind = TASK_CHECK_FIRST, .lane = LANE_LAST};

	(void)s;
	handler_place(&t, NULL);
	assert_int_equal(t.lane, LANE_LAST);
}

static void events_of_orders_and_offers_make_tasks(void **s)
{
	(void)s;
	assert_string_equal(handler_of_event("check_first", "create"),
			    TASK_CHECK_FIRST);
	assert_string_equal(handler_of_event("check_first", "new-one"),
			    TASK_CHECK_FIRST);
	assert_string_equal(handler_of_event("order", "cancel"), TASK_ORDER);
	assert_string_equal(handler_of_event("order", "update"), TASK_ORDER);
	assert_null(handler_of_event("shipment", "create"));
	assert_string_equal(handler_of_event("allocation_request", "create"),
			    TASK_ALLOCATION_REQUEST);
	assert_null(handler_of_event("", ""));
}

static void the_first_wait_is_half_a_second(void **s)
{
	(void)s;
	for (uint64_t random = 0; random < 5000; random += 7) {
		assert_int_equal(backoff(0, 0, random), 500);
		assert_int_equal(backoff(1, 0, random), 500);
	}
}

static void later_waits_are_spread_and_bounded(void **s)
{
	(void)s;
	for (unsigned n = 2; n < 100; n++) {
		int64_t most = n < 6 ? (int64_t)500 << n : 30000, seen = 0;

		for (uint64_t i = 0; i < 2000; i++) {
			int64_t wait = backoff(n, 0, i * 7919);

			assert_true(wait >= 0 && wait <= most);
			if (wait > seen)
				seen = wait;
		}
		assert_true(seen > most * 9 / 10);
		assert_true(backoff(n, 0, UINT64_MAX) <= most);
	}
	assert_true(backoff(UINT32_MAX, 0, 12345) <= 30000);
}

static void what_centra_asks_for_is_the_least(void **s)
{
	(void)s;
	for (unsigned n = 0; n < 50; n++) {
		assert_true(backoff(n, 60000, n * 31) >= 60000);
		assert_true(backoff(n, -5, n * 31) >= 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_task_has_a_handler),
		cmocka_unit_test(
			each_kind_has_its_lane_and_names_the_api_it_calls),
		cmocka_unit_test(the_lane_of_a_fetch_says_who_waits_for_it),
		cmocka_unit_test(a_lane_that_was_asked_for_stays),
		cmocka_unit_test(events_of_orders_and_offers_make_tasks),
		cmocka_unit_test(the_first_wait_is_half_a_second),
		cmocka_unit_test(later_waits_are_spread_and_bounded),
		cmocka_unit_test(what_centra_asks_for_is_the_least),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
