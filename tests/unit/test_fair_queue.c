/* SPDX-License-Identifier: MIT
 *
 * test_fair_queue.c - callers take turns, whatever each of them brings.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "server/http/fair_queue.h"

#include <cmocka.h>

#define A 1
#define B 1025 /* of the same bucket */
#define C 3

static void what_one_caller_brings_is_taken_in_its_order(void **state)
{
	struct fair_queue *q = fair_open(4);
	struct fair_item i[3] = {0};

	(void)state;
	for (int n = 0; n < 3; n++)
		assert_true(fair_add(q, A, &i[n], 32));
	assert_int_equal(fair_waiting(q), 3);
	for (int n = 0; n < 3; n++)
		assert_ptr_equal(fair_take(q), &i[n]);
	assert_null(fair_take(q));
	for (int n = 0; n < 3; n++)
		fair_done(q, &i[n]);
	fair_close(q);
}

static void callers_take_turns_however_much_each_brings(void **state)
{
	struct fair_queue *q = fair_open(10);
	struct fair_item a[6] = {0}, b[2] = {0}, c = {0};

	(void)state;
	for (int n = 0; n < 6; n++)
		assert_true(fair_add(q, A, &a[n], 32));
	for (int n = 0; n < 2; n++)
		assert_true(fair_add(q, B, &b[n], 32));
	assert_true(fair_add(q, C, &c, 32));
	assert_ptr_equal(fair_take(q), &a[0]);
	assert_ptr_equal(fair_take(q), &b[0]);
	assert_ptr_equal(fair_take(q), &c);
	assert_ptr_equal(fair_take(q), &a[1]);
	assert_ptr_equal(fair_take(q), &b[1]);
	for (int n = 2; n < 6; n++)
		assert_ptr_equal(fair_take(q), &a[n]);
	for (int n = 0; n < 6; n++)
		fair_done(q, &a[n]);
	for (int n = 0; n < 2; n++)
		fair_done(q, &b[n]);
	fair_done(q, &c);
	fair_close(q);
}

static void of_one_caller_so_many_are_in_work_and_no_more(void **state)
{
	struct fair_queue *q = fair_open(2);
	struct fair_item a[4] = {0}, b = {0};

	(void)state;
	for (int n = 0; n < 4; n++)
		assert_true(fair_add(q, A, &a[n], 32));
	assert_ptr_equal(fair_take(q), &a[0]);
	assert_ptr_equal(fair_take(q), &a[1]);
	assert_null(fair_take(q));
	assert_true(fair_add(q, B, &b, 32));
	assert_ptr_equal(fair_take(q), &b);
	fair_done(q, &a[1]);
	assert_ptr_equal(fair_take(q), &a[2]);
	assert_null(fair_take(q));
	fair_done(q, &a[0]);
	fair_done(q, &a[2]);
	assert_ptr_equal(fair_take(q), &a[3]);
	fair_done(q, &a[3]);
	fair_done(q, &b);
	fair_close(q);
}

static void past_its_bound_a_caller_is_refused_and_no_other(void **state)
{
	struct fair_queue *q = fair_open(1);
	struct fair_item a[3] = {0}, b = {0}, again = {0};

	(void)state;
	assert_true(fair_add(q, A, &a[0], 2));
	assert_true(fair_add(q, A, &a[1], 2));
	assert_false(fair_add(q, A, &a[2], 2));
	assert_true(fair_add(q, B, &b, 2));
	fair_add_first(q, A, &again); /* it goes on: never refused */
	assert_int_equal(fair_waiting(q), 4);
	assert_ptr_equal(fair_take(q), &again);
	fair_done(q, &again);
	assert_false(fair_add(q, C, &a[2], 0));
	while (fair_drop(q))
		;
	assert_int_equal(fair_waiting(q), 0);
	fair_close(q);
}

static void what_goes_on_comes_before_what_has_not_begun(void **state)
{
	struct fair_queue *q = fair_open(4);
	struct fair_item a[2] = {0}, again = {0};

	(void)state;
	assert_true(fair_add(q, A, &a[0], 32));
	assert_true(fair_add(q, A, &a[1], 32));
	fair_add_first(q, A, &again);
	assert_ptr_equal(fair_take(q), &again);
	assert_ptr_equal(fair_take(q), &a[0]);
	fair_done(q, &again);
	fair_done(q, &a[0]);
	assert_ptr_equal(fair_drop(q), &a[1]);
	assert_null(fair_drop(q));
	fair_close(q);
}

static void the_rate_of_actions_is_each_callers_own(void **state)
{
	struct fair_queue *q = fair_open(4);
	int64_t wait = 0;

	(void)state;
	for (int n = 0; n < 3; n++)
		assert_true(fair_action(q, A, 3, 10000, 1000 + n, &wait));
	assert_false(fair_action(q, A, 3, 10000, 2000, &wait));
	assert_int_equal(wait, 9000); /* until the first is 10 s ago */
	assert_true(fair_action(q, B, 3, 10000, 2000, &wait));
	assert_false(fair_action(q, A, 3, 10000, 10999, &wait));
	assert_true(fair_action(q, A, 3, 10000, 11000, &wait));
	assert_false(fair_action(q, A, 3, 10000, 11000, &wait));
	assert_int_equal(wait, 1);
	fair_close(q);
}

static void the_rate_may_be_high_and_may_change(void **state)
{
	struct fair_queue *q = fair_open(4);
	int64_t wait = 0;

	(void)state;
	for (int n = 0; n < 500; n++)
		assert_true(fair_action(q, A, 500, 10000, n, &wait));
	assert_false(fair_action(q, A, 500, 10000, 500, &wait));
	assert_int_equal(wait, 9500);
	assert_true(fair_action(q, A, 501, 10000, 500, &wait));
	assert_false(fair_action(q, A, 3, 10000, 501, &wait));
	/* The three newest decide. */
	assert_int_equal(wait, 498 + 10000 - 501);
	assert_true(fair_action(q, A, 3, 10000, 10498, &wait));
	for (int n = 0; n < 498; n++)
		assert_true(fair_action(q, A, 501, 10000, 10500, &wait));
	assert_true(fair_action(q, A, 501, 10000, 10500, &wait));
	fair_close(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_one_caller_brings_is_taken_in_its_order),
		cmocka_unit_test(callers_take_turns_however_much_each_brings),
		cmocka_unit_test(of_one_caller_so_many_are_in_work_and_no_more),
		cmocka_unit_test(
			past_its_bound_a_caller_is_refused_and_no_other),
		cmocka_unit_test(what_goes_on_comes_before_what_has_not_begun),
		cmocka_unit_test(the_rate_of_actions_is_each_callers_own),
		cmocka_unit_test(the_rate_may_be_high_and_may_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
