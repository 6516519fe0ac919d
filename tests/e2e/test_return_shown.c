/* SPDX-License-Identifier: MIT
 *
 * A return whose reply was lost: what Centra shows of the order and of its
 * returns tells whether it was booked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/harness/returns.h"
#include "tests/harness/wait.h"

/* The reply to createReturn is lost, with these settings of the stand-in; one
 * return is booked all the same. */
static void booked_once_with(void **state, const char *settings)
{
	struct shipfrom *s = returns_start(state, RETURN_SOON);
	int64_t n = goods_shipped(s, "{\"quantity\":2}");
	struct wish w = {.order = n, .line = goods_line(s, n, 0), .units = 1,
			 .key = "one-key"};

	sim_tell(&s->sim, "/settings", "%s", settings);
	return_fault(s, n, "createReturn", "\"kind\":\"drop\",\"when\":\"after\"");
	wait_return_booked(s, &w);
	assert_int_equal(sim_returns(s, n).units, 1);
	assert_int_equal(sim_calls_of(&s->sim, n, "createReturn"), 1);
	shipfrom_passed(s);
}

static void a_return_that_only_the_list_of_returns_shows_is_booked_once(
	void **state)
{
	booked_once_with(state, "{\"returned_hidden\":true}");
}

static void without_the_list_of_returns_the_order_tells(void **state)
{
	booked_once_with(state, "{\"unticked\":[\"returns\"]}");
}

/* Nothing shows whether the call was acted on: it is not made again. */
static void what_neither_the_order_nor_a_list_shows_is_not_booked_again(
	void **state)
{
	struct shipfrom *s = returns_start(state, RETURN_SOON);
	int64_t n = goods_shipped(s, "{\"quantity\":2}");
	struct wish w = {.order = n, .line = goods_line(s, n, 0), .units = 1,
			 .key = "one-key"};

	sim_tell(&s->sim, "/settings",
		 "{\"returned_hidden\":true,\"unticked\":[\"returns\"]}");
	return_fault(s, n, "createReturn", "\"kind\":\"drop\",\"when\":\"after\"");
	wait_return_unsure(s, &w);
	assert_true(wait_until(is_return_given_up, s, 5000));
	assert_int_equal(sim_returns(s, n).units, 1);
	assert_int_equal(sim_calls_of(&s->sim, n, "createReturn"), 1);
	shipfrom_passed(s);
}

/* An older return is completed while the call is lost: its units are not taken
 * for those of the call. */
static void an_older_return_that_is_completed_meanwhile_is_not_taken_for_ours(
	void **state)
{
	struct shipfrom *s = returns_start(state, RETURN_SOON);
	int64_t n = goods_shipped(s, "{\"quantity\":3}");
	struct wish old = {.order = n, .line = goods_line(s, n, 0), .units = 1,
			   .key = "old"}, w = old;

	w.key = "new";
	sim_tell(&s->sim, "/settings", "{\"returned_hidden\":true}");
	wait_return_booked(s, &old);
	return_fault(s, n, "createReturn", "\"kind\":\"drop\",\"when\":\"before\"");
	assert_int_equal(return_asked(s, AMSTERDAM, &w), 202);
	sim_tell(&s->sim, "/returns", "{\"order\":%lld,\"complete\":true}",
		 (long long)n);
	wait_return_booked(s, &w);
	assert_int_equal(sim_returns(s, n).units, 2);
	shipfrom_passed(s);
}

/* Our call is lost, and a person books as much with other words, after we have
 * booked a return if `had`. */
static int64_t booked_with_other_words(struct shipfrom *s, bool had,
				       struct wish *ret)
{
	int64_t n = goods_shipped(s, "{\"quantity\":3}");
	struct wish first = {.order = n, .line = goods_line(s, n, 0), .units = 1,
			     .key = "first"};

	*ret = first;
	ret->key = "one-key";
	sim_tell(&s->sim, "/settings",
		 "{\"return_comments\":true,\"returned_hidden\":true}");
	if (had)
		wait_return_booked(s, &first);
	return_fault(s, n, "createReturn", "\"kind\":\"drop\",\"when\":\"before\"");
	assert_int_equal(return_asked(s, AMSTERDAM, ret), 202);
	sim_tell(&s->sim, "/returns",
		 "{\"order\":%lld,\"quantity\":1,\"comment\":\"by AMS\"}",
		 (long long)n);
	return n;
}

/* Where Centra shows our comments, what a person books is theirs. */
static void a_comment_tells_our_return_from_another(void **state)
{
	struct shipfrom *s = returns_start(state, RETURN_SOON);
	struct wish w;
	int64_t n = booked_with_other_words(s, true, &w);

	wait_return_booked(s, &w);
	assert_int_equal(sim_returns(s, n).units, 3);
	shipfrom_passed(s);
}

static void where_no_comment_of_ours_was_seen_other_words_prove_nothing(
	void **state)
{
	struct shipfrom *s = returns_start(state, RETURN_SOON);
	struct wish w;
	int64_t n = booked_with_other_words(s, false, &w);

	wait_return_unsure(s, &w);
	assert_int_equal(sim_returns(s, n).units, 1);
	shipfrom_passed(s);
}

/* Both are booked: which one is ours is known. */
static void our_return_is_found_beside_another(void **state)
{
	struct shipfrom *s = returns_start(state, RETURN_SOON);
	int64_t n = goods_shipped(s, "{\"quantity\":3}");
	struct wish w = {.order = n, .line = goods_line(s, n, 0), .units = 2,
			 .key = "one-key"};

	sim_tell(&s->sim, "/settings", "{\"return_comments\":true}");
	return_fault(s, n, "createReturn", "\"kind\":\"drop\",\"when\":\"after\"");
	assert_int_equal(return_asked(s, AMSTERDAM, &w), 202);
	sim_tell(&s->sim, "/returns",
		 "{\"order\":%lld,\"quantity\":1,\"comment\":\"by AMS\"}",
		 (long long)n);
	wait_return_booked(s, &w);
	assert_int_equal(sim_returns(s, n).units, 3);
	assert_int_equal(sim_calls_of(&s->sim, n, "createReturn"), 1);
	shipfrom_passed(s);
}

/* The list was there before the call; while it is away nothing is decided. */
static void while_the_list_of_returns_is_away_nothing_is_booked_again(
	void **state)
{
	struct shipfrom *s = returns_start(state, RETURN_SOON);
	int64_t n = goods_shipped(s, "{\"quantity\":2}");
	struct wish w = {.order = n, .line = goods_line(s, n, 0), .units = 1,
			 .key = "one-key"};

	sim_tell(&s->sim, "/settings", "{\"returned_hidden\":true}");
	return_fault(s, n, "createReturn", "\"kind\":\"drop\",\"when\":\"after\"");
	sim_tell(&s->sim, "/faults",
		 "[{\"api\":\"order\",\"what\":\"returns\",\"kind\":\"slow\","
		 "\"ms\":1},"
		 "{\"api\":\"order\",\"what\":\"returns\",\"kind\":\"500\","
		 "\"count\":3}]");
	wait_return_booked(s, &w);
	assert_int_equal(sim_returns(s, n).units, 1);
	assert_int_equal(sim_calls_of(&s->sim, n, "createReturn"), 1);
	shipfrom_passed(s);
}

#define OWN(f) cmocka_unit_test_teardown(f, shipfrom_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OWN(a_return_that_only_the_list_of_returns_shows_is_booked_once),
		OWN(without_the_list_of_returns_the_order_tells),
		OWN(what_neither_the_order_nor_a_list_shows_is_not_booked_again),
		OWN(an_older_return_that_is_completed_meanwhile_is_not_taken_for_ours),
		OWN(a_comment_tells_our_return_from_another),
		OWN(where_no_comment_of_ours_was_seen_other_words_prove_nothing),
		OWN(our_return_is_found_beside_another),
		OWN(while_the_list_of_returns_is_away_nothing_is_booked_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
