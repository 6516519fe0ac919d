/* SPDX-License-Identifier: MIT
 *
 * test_clock.c - the wall clock is confirmed by what Centra says, and by that
 * alone.
 */
#include "base/clock.h"
#include "base/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define DAY  INT64_C(86400000)
#define WALL INT64_C(1768212000000)
#define MONO 5000

static struct clock clk;

static int start(void **state)
{
	(void)state;
	clock_init(&clk, TIME_NONE, WALL, MONO);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	clock_release(&clk);
	return 0;
}

static enum clock_trust trust(int64_t wall, int64_t mono)
{
	return clock_trust(&clk, wall, mono);
}

static void a_clock_that_nobody_compared_is_not_confirmed(void **state)
{
	int64_t ahead;

	(void)state;
	assert_int_equal(trust(WALL, MONO), CLOCK_UNCONFIRMED);
	assert_false(clock_ahead(&clk, WALL, MONO, &ahead));
	assert_int_equal(trust(WALL + 100 * DAY, MONO + 100 * DAY),
			 CLOCK_UNCONFIRMED);
}

static void a_date_confirms_a_clock_that_agrees(void **state)
{
	int64_t ahead;

	(void)state;
	clock_told(&clk, WALL - 700, MONO);
	assert_int_equal(trust(WALL, MONO), CLOCK_CONFIRMED);
	assert_true(clock_ahead(&clk, WALL + 5000, MONO + 4000, &ahead));
	assert_int_equal(ahead, 1700);
	assert_int_equal(trust(WALL + DAY, MONO + DAY), CLOCK_CONFIRMED);
}

static void a_clock_that_is_off_by_more_than_the_tolerance_is_wrong(
	void **state)
{
	(void)state;
	clock_told(&clk, WALL, MONO);
	assert_int_equal(trust(WALL + CLOCK_TOLERANCE, MONO), CLOCK_CONFIRMED);
	assert_int_equal(trust(WALL + CLOCK_TOLERANCE + 1, MONO), CLOCK_WRONG);
	assert_int_equal(trust(WALL - CLOCK_TOLERANCE, MONO), CLOCK_CONFIRMED);
	assert_int_equal(trust(WALL - CLOCK_TOLERANCE - 1, MONO), CLOCK_WRONG);
}

static void a_clock_that_is_set_is_wrong_until_it_agrees_again(void **state)
{
	(void)state;
	clock_told(&clk, WALL, MONO);
	assert_int_equal(trust(WALL + 100 * DAY, MONO + 10), CLOCK_WRONG);
	assert_int_equal(trust(WALL + 20, MONO + 20), CLOCK_CONFIRMED);
	/* The clock was right, and the machine slept: Centra's next word
	 * tells. */
	assert_int_equal(trust(WALL + DAY, MONO + 30), CLOCK_WRONG);
	clock_told(&clk, WALL + DAY, MONO + 40);
	assert_int_equal(trust(WALL + DAY + 10, MONO + 50), CLOCK_CONFIRMED);
}

static void by_how_much_a_clock_is_wrong_is_known_once_it_was_compared(
	void **state)
{
	(void)state;
	assert_int_equal(clock_wrong_by(&clk, WALL + DAY, MONO), 0);
	clock_told(&clk, WALL, MONO);
	assert_int_equal(clock_wrong_by(&clk, WALL + 7 + CLOCK_TOLERANCE,
					MONO + 7), 0);
	assert_int_equal(clock_wrong_by(&clk, WALL + DAY, MONO), DAY);
	assert_int_equal(clock_wrong_by(&clk, WALL - DAY, MONO), -DAY);
}

static void a_clock_behind_the_store_is_wrong_unless_centra_agrees(
	void **state)
{
	struct clock behind;

	(void)state;
	clock_init(&behind, WALL + DAY, WALL, MONO);
	assert_int_equal(clock_trust(&behind, WALL, MONO), CLOCK_WRONG);
	assert_int_equal(clock_trust(&behind, WALL + DAY, MONO),
			 CLOCK_UNCONFIRMED);
	/* The store was written by a clock that was ahead. */
	clock_told(&behind, WALL, MONO);
	assert_int_equal(clock_trust(&behind, WALL, MONO), CLOCK_CONFIRMED);
	clock_release(&behind);
}

static void a_step_back_is_told_once_and_others_are_not(void **state)
{
	(void)state;
	assert_int_equal(clock_went_back(&clk, WALL + 10, MONO + 10), 0);
	assert_int_equal(clock_went_back(&clk, WALL - DAY + 20, MONO + 20),
			 DAY);
	assert_int_equal(clock_went_back(&clk, WALL - DAY + 30, MONO + 30), 0);
	assert_int_equal(clock_went_back(&clk, WALL + DAY, MONO + 40), 0);
	assert_int_equal(clock_went_back(&clk, WALL + DAY - CLOCK_STEP + 1,
					 MONO + 40),
			 0);
}

static void running_is_measured_by_the_steady_clock(void **state)
{
	(void)state;
	assert_int_equal(clock_running(&clk, MONO + 7), 7);
}

static void
a_wait_by_the_wall_clock_ends_also_when_that_is_set_back(void **state)
{
	(void)state;
	assert_true(clock_within(WALL, WALL, 10));
	assert_true(clock_within(WALL, WALL + 9, 10));
	assert_false(clock_within(WALL, WALL + 10, 10));
	assert_false(clock_within(WALL, WALL - 1, 10));
}

#define T(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_clock_that_nobody_compared_is_not_confirmed),
		T(a_date_confirms_a_clock_that_agrees),
		T(a_clock_that_is_off_by_more_than_the_tolerance_is_wrong),
		T(a_clock_that_is_set_is_wrong_until_it_agrees_again),
		T(by_how_much_a_clock_is_wrong_is_known_once_it_was_compared),
		T(a_clock_behind_the_store_is_wrong_unless_centra_agrees),
		T(a_step_back_is_told_once_and_others_are_not),
		T(running_is_measured_by_the_steady_clock),
		T(a_wait_by_the_wall_clock_ends_also_when_that_is_set_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
