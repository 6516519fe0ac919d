/* SPDX-License-Identifier: MIT
 *
 * Returns, whatever fails: a call or a reply that is lost at any step, or a
 * server that is killed, books nothing twice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/harness/returns.h"
#include "tests/harness/wait.h"

/* A reply, or the call itself, is lost at each call. */
static void with_fault(void **state, const char *how)
{
	static const char *const calls[] = {"orders", "createReturn"};
	struct shipfrom *s = returns_start(state, RETURN_SOON);
	int64_t n[2];
	static const char *const keys[] = {"one-key", "two-key"};
	struct wish w[2];

	for (int i = 0; i < 2; i++) {
		n[i] = goods_shipped(s, "{\"quantity\":2}");
		w[i] = (struct wish){.order = n[i],
				     .line = goods_line(s, n[i], 0),
				     .units = 1,
				     .key = keys[i]};
		return_fault(s, n[i], calls[i], how);
	}
	for (int i = 0; i < 2; i++)
		(void)return_asked(s, AMSTERDAM, &w[i]);
	for (int i = 0; i < 2; i++) {
		wait_return_booked(s, &w[i]);
		assert_int_equal(sim_returns(s, n[i]).n, 1);
		assert_int_equal(sim_returns(s, n[i]).units, 1);
	}
	assert_int_equal(sim_spoilt(&s->sim), 2); /* else nothing failed */
	shipfrom_passed(s);
}

static void a_reply_lost_at_any_call_books_it_once(void **state)
{
	with_fault(state, "\"kind\":\"drop\",\"when\":\"after\"");
}

static void a_call_lost_at_any_step_is_made_again(void **state)
{
	with_fault(state, "\"kind\":\"drop\",\"when\":\"before\"");
}

static void half_a_reply_books_it_once(void **state)
{
	with_fault(state, "\"kind\":\"half\"");
}

/* Centra acts after the call was given up. */
static void a_call_that_centra_acts_on_too_late_books_it_once(void **state)
{
	with_fault(state, "\"kind\":\"slow\",\"ms\":1500,\"when\":\"before\"");
}

/* Killed while the look or the call is under way: before Centra acts, and after
 * it has. */
static void killed(void **state, const char *what, const char *when)
{
	struct shipfrom *s = returns_start(state, MANY "call_timeout = 2s\n");
	int64_t n = goods_shipped(s, "{\"quantity\":2}");
	struct wish w = {.order = n, .line = goods_line(s, n, 0), .units = 1,
			 .key = "a-key"};
	char how[100];

	snprintf(how, sizeof(how), "\"kind\":\"slow\",\"ms\":1500,\"when\":\"%s\"",
		 when);
	return_fault(s, n, what, how);
	assert_int_equal(return_asked(s, AMSTERDAM, &w), 202);
	shipfrom_kill_9(s);
	shipfrom_again(s);
	wait_return_booked(s, &w);
	assert_int_equal(sim_returns(s, n).n, 1);
	assert_int_equal(sim_returns(s, n).units, 1);
	shipfrom_passed(s);
}

static void killed_during_the_look_it_is_booked_once(void **state)
{
	killed(state, "orders", "before");
}

static void killed_before_centra_acts_it_is_booked_once(void **state)
{
	killed(state, "createReturn", "before");
}

static void killed_after_centra_acted_it_is_booked_once(void **state)
{
	killed(state, "createReturn", "after");
}

/* Two shops take the same piece at once: there was one. */
static void of_two_shops_that_take_the_last_piece_one_is_booked(void **state)
{
	struct shipfrom *s = returns_start(state, RETURN_SOON);
	int64_t n = goods_shipped(s, "{\"quantity\":1}");
	struct wish w = {.order = n, .line = goods_line(s, n, 0), .units = 1,
			 .key = "a-key"};
	struct answer a;

	return_fault(s, n, "createReturn", "\"kind\":\"drop\",\"when\":\"after\"");
	(void)return_asked(s, AMSTERDAM, &w);
	(void)return_asked(s, BERLIN, &w);
	wait_return_booked(s, &w);
	for (int64_t end = now_mono() + RETURN_LONG;;) {
		a = give_back(s, BERLIN, &w);
		if (a.status == 409 || now_mono() > end)
			break;
		assert_true(a.status == 202 || a.status == 503);
		answer_release(&a);
	}
	assert_string_equal(text_of(a.json, "code"), "too_many");
	answer_release(&a);
	assert_int_equal(sim_returns(s, n).n, 1);
	shipfrom_passed(s);
}

/* The second of two calls never arrives: what the first one booked is not taken
 * for it. */
static void of_two_calls_the_second_is_made_again_if_it_was_lost(void **state)
{
	struct shipfrom *s = returns_start(state, RETURN_SOON);
	int64_t first, n = goods_shipped_twice(s, &first);
	struct wish w = {.order = n, .line = COAT, .units = 2,
			 .key = "two-coats"};

	sim_tell(&s->sim, "/faults",
		 "[{\"api\":\"graphql\",\"order\":%lld,"
		 "\"what\":\"createReturn\",\"kind\":\"slow\",\"ms\":1},"
		 "{\"api\":\"graphql\",\"order\":%lld,"
		 "\"what\":\"createReturn\",\"kind\":\"drop\","
		 "\"when\":\"before\"}]",
		 (long long)n, (long long)n);
	wait_return_booked(s, &w);
	assert_int_equal(sim_returns(s, n).n, 2);
	assert_int_equal(sim_returns(s, n).units, 2);
	shipfrom_passed(s);
}

#define OWN(f) cmocka_unit_test_teardown(f, shipfrom_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OWN(a_reply_lost_at_any_call_books_it_once),
		OWN(a_call_lost_at_any_step_is_made_again),
		OWN(half_a_reply_books_it_once),
		OWN(a_call_that_centra_acts_on_too_late_books_it_once),
		OWN(killed_during_the_look_it_is_booked_once),
		OWN(killed_before_centra_acts_it_is_booked_once),
		OWN(killed_after_centra_acted_it_is_booked_once),
		OWN(of_two_shops_that_take_the_last_piece_one_is_booked),
		OWN(of_two_calls_the_second_is_made_again_if_it_was_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
