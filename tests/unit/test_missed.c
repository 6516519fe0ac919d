/* SPDX-License-Identifier: MIT
 *
 * test_missed.c - the second look at an order that waits for check-first, and of
 * which we have never heard of an offer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/unit/one_run.h"

#include <cmocka.h> /* last: it has a macro called fail */

static int make(void **s)
{
	(void)s;
	us_begin();
	return 0;
}

static int unmake(void **s)
{
	(void)s;
	us_end();
	return 0;
}

static void run_missed(void)
{
	run_one(handle_missed, TASK_MISSED, 0, NULL, false);
}

static bool counted(void)
{
	return us.held.missed & 1u << MISSED_CREATE;
}

static void an_order_that_waits_still_was_missed(void **s)
{
	(void)s;
	centra_shows(0, true);
	run_missed();
	assert_int_equal(us.result.how, OUTCOME_DONE);
	assert_true(counted());
	assert_int_equal(reply.lane, CENTRA_RECONCILE);
	assert_int_equal(stub_centra.lane, CENTRA_LIVE); /* again */
}

static void an_order_that_waits_no_more_was_not_missed(void **s)
{
	(void)s;
	centra_shows(W, false);
	run_missed();
	assert_int_equal(us.result.how, OUTCOME_DONE);
	assert_false(counted());
}

static void an_order_that_the_reply_does_not_have_was_not_missed(void **s)
{
	(void)s;
	reply.look = HIDES;
	run_missed();
	assert_int_equal(us.result.how, OUTCOME_DONE);
	assert_false(counted());
	centra_shows(0, true);
	reply.another = true;
	run_missed();
	assert_false(counted());
}

static void an_order_whose_fields_came_with_errors_was_not_missed(void **s)
{
	(void)s;
	centra_shows(0, true);
	reply.undecided = true;
	run_missed();
	assert_int_equal(us.result.how, OUTCOME_DONE);
	assert_false(counted());
}

static void without_a_reply_it_is_looked_at_again_later(void **s)
{
	(void)s;
	reply.look = FAILS;
	run_missed();
	assert_int_equal(us.result.how, OUTCOME_RETRY);
	assert_true(us.result.due > us.now);
	assert_false(counted());
}

#define with(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with(an_order_that_waits_still_was_missed),
		with(an_order_that_waits_no_more_was_not_missed),
		with(an_order_that_the_reply_does_not_have_was_not_missed),
		with(an_order_whose_fields_came_with_errors_was_not_missed),
		with(without_a_reply_it_is_looked_at_again_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
