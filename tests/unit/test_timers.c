/* SPDX-License-Identifier: MIT
 *
 * test_timers.c - the deadlines of connections (server/http/timers.c), against
 * a plain array.
 */
#include <stdlib.h>

#include "server/http/http_private.h"

/* cmocka has a fail() too: it comes after ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define CONNS 200

static struct conn conns[CONNS];

static int setup(void **state)
{
	static struct timers t;

	for (size_t i = 0; i < CONNS; i++)
		conns[i] = (struct conn){.deadline = NEVER};
	t = (struct timers){0};
	*state = &t;
	return 0;
}

static int teardown(void **state)
{
	timers_release(*state);
	return 0;
}

static void set(struct timers *t, struct conn *c, int64_t deadline)
{
	c->deadline = deadline;
	timers_by(t, c, deadline);
}

static void the_earliest_deadline_comes_first(void **state)
{
	set(*state, &conns[0], 30);
	set(*state, &conns[1], 10);
	set(*state, &conns[2], 20);
	assert_int_equal(timers_earliest(*state), 10);
	assert_ptr_equal(timers_take(*state, 30), &conns[1]);
	assert_ptr_equal(timers_take(*state, 30), &conns[2]);
	assert_ptr_equal(timers_take(*state, 30), &conns[0]);
	assert_null(timers_take(*state, 30));
	assert_int_equal(timers_earliest(*state), NEVER);
}

static void nothing_is_taken_before_its_deadline(void **state)
{
	set(*state, &conns[0], 30);
	assert_null(timers_take(*state, 29));
	assert_ptr_equal(timers_take(*state, 30), &conns[0]);
}

static void a_deadline_that_moved_later_is_kept(void **state)
{
	set(*state, &conns[0], 10);
	set(*state, &conns[0], 50);
	assert_null(timers_take(*state, 49));
	assert_ptr_equal(timers_take(*state, 50), &conns[0]);
}

static void a_deadline_that_moved_earlier_is_kept(void **state)
{
	set(*state, &conns[0], 50);
	set(*state, &conns[0], 10);
	assert_ptr_equal(timers_take(*state, 10), &conns[0]);
	assert_null(timers_take(*state, 100));
}

/* Both were set earlier than they are now, in the other order. */
static void deadlines_that_moved_are_taken_in_their_order_of_now(void **state)
{
	set(*state, &conns[0], 10);
	set(*state, &conns[1], 11);
	set(*state, &conns[0], 40);
	set(*state, &conns[1], 30);
	assert_ptr_equal(timers_take(*state, 100), &conns[1]);
	assert_ptr_equal(timers_take(*state, 100), &conns[0]);
}

static void a_deadline_that_was_lifted_never_comes(void **state)
{
	set(*state, &conns[0], 10);
	set(*state, &conns[0], NEVER);
	assert_null(timers_take(*state, NEVER - 1));
	assert_int_equal(timers_earliest(*state), NEVER);
	set(*state, &conns[0], 20);
	assert_ptr_equal(timers_take(*state, 20), &conns[0]);
}

static void a_request_put_aside_has_its_own_deadline(void **state)
{
	struct http_request x = {.where = ASIDE, .deadline = 20};

	set(*state, &conns[0], 10);
	conns[0].x = &x;
	conns[0].deadline = NEVER;
	timers_by(*state, &conns[0], x.deadline);
	assert_null(timers_take(*state, 19));
	assert_ptr_equal(timers_take(*state, 20), &conns[0]);
}

static void a_connection_that_ended_is_not_looked_at(void **state)
{
	set(*state, &conns[0], 10);
	set(*state, &conns[1], 20);
	timers_drop(*state, &conns[0]);
	timers_drop(*state, &conns[0]);
	assert_ptr_equal(timers_take(*state, 100), &conns[1]);
	assert_null(timers_take(*state, 100));
}

/* Takes all whose deadline has passed; each must be the earliest. */
static void take_as_the_array_says(struct timers *t, int64_t now)
{
	struct conn *c;

	while ((c = timers_take(t, now))) {
		assert_true(c->deadline <= now);
		for (size_t i = 0; i < CONNS; i++)
			assert_true(conns[i].deadline >= c->deadline);
		c->deadline = NEVER;
	}
	for (size_t i = 0; i < CONNS; i++)
		assert_true(conns[i].deadline > now);
}

static void it_agrees_with_an_array_whatever_happens(void **state)
{
	unsigned seed = 1;

	for (int64_t now = 0; now < 20000; now++) {
		struct conn *c = &conns[rand_r(&seed) % CONNS];
		unsigned what = (unsigned)rand_r(&seed) % 10;

		if (what == 0) {
			timers_drop(*state, c);
			c->deadline = NEVER;
		} else if (what == 1) {
			set(*state, c, NEVER);
		} else {
			set(*state, c, now + 1 + rand_r(&seed) % 300);
		}
		take_as_the_array_says(*state, now);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_earliest_deadline_comes_first),
		TEST(nothing_is_taken_before_its_deadline),
		TEST(a_deadline_that_moved_later_is_kept),
		TEST(a_deadline_that_moved_earlier_is_kept),
		TEST(deadlines_that_moved_are_taken_in_their_order_of_now),
		TEST(a_deadline_that_was_lifted_never_comes),
		TEST(a_request_put_aside_has_its_own_deadline),
		TEST(a_connection_that_ended_is_not_looked_at),
		TEST(it_agrees_with_an_array_whatever_happens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
