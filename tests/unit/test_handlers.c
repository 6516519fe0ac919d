/* SPDX-License-Identifier: MIT
 *
 * test_handlers.c - the table of handlers, and how long they wait.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "centra/graphql.h"
#include "handlers/answer.h"
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
	assert_null(handler_of_event("allocation_request", "create"));
	assert_null(handler_of_event("", ""));
}

static void the_first_wait_is_half_a_second(void **s)
{
	(void)s;
	for (uint64_t random = 0; random < 5000; random += 7) {
		assert_int_equal(handler_backoff(0, 0, random), 500);
		assert_int_equal(handler_backoff(1, 0, random), 500);
	}
}

static void later_waits_are_spread_and_bounded(void **s)
{
	(void)s;
	for (unsigned n = 2; n < 100; n++) {
		int64_t most = n < 6 ? (int64_t)500 << n : 30000, seen = 0;

		for (uint64_t i = 0; i < 2000; i++) {
			int64_t wait = handler_backoff(n, 0, i * 7919);

			assert_true(wait >= 0 && wait <= most);
			if (wait > seen)
				seen = wait;
		}
		assert_true(seen > most * 9 / 10);
		assert_true(handler_backoff(n, 0, UINT64_MAX) <= most);
	}
	assert_true(handler_backoff(UINT32_MAX, 0, 12345) <= 30000);
}

static void what_centra_asks_for_is_the_least(void **s)
{
	(void)s;
	for (unsigned n = 0; n < 50; n++) {
		assert_true(handler_backoff(n, 60000, n * 31) >= 60000);
		assert_true(handler_backoff(n, -5, n * 31) >= 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_task_has_a_handler),
		cmocka_unit_test(events_of_orders_and_offers_make_tasks),
		cmocka_unit_test(the_first_wait_is_half_a_second),
		cmocka_unit_test(later_waits_are_spread_and_bounded),
		cmocka_unit_test(what_centra_asks_for_is_the_least),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
