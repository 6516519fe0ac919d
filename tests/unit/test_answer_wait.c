/* SPDX-License-Identifier: MIT
 *
 * test_answer_wait.c - when the next try at telling Centra is made: in time for
 * the offer, and not before Centra may be called.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/unit/one_run.h"

#include <cmocka.h> /* last: it has a macro called fail */

static int make(void **state)
{
	(void)state;
	us_begin();
	opened(&us.held, W, at(10));
	answered(&us.held, W, VERB_ACCEPT, at(10));
	offer_derive(NULL, &us.held);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	us_end();
	return 0;
}

/* The offer expires this long from now. */
static void expires_in(int64_t ms)
{
	us.now = LATER - ms;
}

static void a_held_call_is_no_try_and_waits_for_its_gate(void **s)
{
	(void)s;
	stub_centra.hold = 40000;
	us.attempts = 20;
	for (int i = 0; i < 5; i++)
		run_answer();
	assert_int_equal(us.result.how, OUTCOME_RETRY);
	assert_int_equal(reply.posts, 0);
	assert_int_equal(us.tries, 0);
	assert_int_equal(us.alarms, 0);
	assert_int_equal(all_noted(), 0);
	assert_in_range(us.result.due - us.now, 40000, 41000);
}

static void a_held_call_does_not_use_up_the_last_try(void **s)
{
	(void)s;
	expires_in(-1000);
	stub_centra.hold = 1000;
	for (int i = 0; i < 5; i++)
		run_answer();
	assert_int_equal(us.late_tries, 0);
	assert_string_equal(state_of(W), "accepting");
	stub_centra.hold = 0;
	reply.say = SAYS_OK;
	run_answer();
	assert_int_equal(us.late_tries, 1);
	assert_string_equal(state_of(W), "accepted");
}

static void a_try_that_can_be_made_before_the_offer_expires_is(void **s)
{
	(void)s;
	reply.say = NOT_REACHED;
	for (unsigned n = 0; n < 200; n++) {
		us.attempts = 3 + n;
		expires_in(3000);
		run_answer();
		assert_int_equal(us.result.how, OUTCOME_RETRY);
		assert_true(us.result.due < LATER);
	}
}

static void tries_before_the_end_are_few(void **s)
{
	int tries = 0;

	(void)s;
	reply.say = NOT_REACHED;
	us.attempts = 50;
	expires_in(30000);
	while (us.now < LATER) {
		run_answer();
		us.now = us.result.due;
		us.attempts++;
		tries++;
	}
	assert_in_range(tries, 3, 20);
}

static void centras_own_wait_is_kept_even_past_the_end(void **s)
{
	(void)s;
	reply.say = TOO_MANY; /* 77 s */
	expires_in(3000);
	run_answer();
	assert_true(us.result.due >= us.now + 77000);
	expires_in(100000);
	run_answer();
	assert_true(us.result.due >= us.now + 77000);
	assert_true(us.result.due < LATER);
}

static void a_fetch_that_failed_is_made_again_whoever_asked_for_it(void **s)
{
	(void)s;
	reply.look = FAILS;
	us.attempts = 30;
	run_fetch();
	assert_int_equal(us.result.how, OUTCOME_RETRY);
	assert_true(us.result.due > us.now);
}

#define T(f) cmocka_unit_test_setup_teardown(f, make, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_held_call_is_no_try_and_waits_for_its_gate),
		T(a_held_call_does_not_use_up_the_last_try),
		T(a_try_that_can_be_made_before_the_offer_expires_is),
		T(tries_before_the_end_are_few),
		T(centras_own_wait_is_kept_even_past_the_end),
		T(a_fetch_that_failed_is_made_again_whoever_asked_for_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
