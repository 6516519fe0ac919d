/* SPDX-License-Identifier: MIT
 *
 * test_secrets.c - when a previous webhook secret may go, by a clock of ours.
 */
#include <string.h>

#include "server/webhook/secret_rotation.h"

/* cmocka has a fail() too: it comes after ours. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#define HOUR ((int64_t)3600000)
#define T0   ((int64_t)1700000000000)

static struct secret_watch rotating(void)
{
	struct secret_watch w = {0};

	secret_watch_set(&w, "new", "old");
	return w;
}

static void it_stays_until_the_new_one_has_signed(void **state)
{
	struct secret_watch w = rotating();

	(void)state;
	assert_false(secret_may_go(&w.use, T0 + 1000 * HOUR));
	secret_watch_signed(&w, 1, T0);
	assert_false(secret_may_go(&w.use, T0 + 1000 * HOUR));
	secret_watch_signed(&w, 0, T0 + 1000 * HOUR);
	assert_false(secret_may_go(&w.use, T0 + 1023 * HOUR));
	assert_true(secret_may_go(&w.use, T0 + 1024 * HOUR));
}

static void each_use_of_it_makes_it_stay_a_day_longer(void **state)
{
	struct secret_watch w = rotating();

	(void)state;
	secret_watch_signed(&w, 0, T0);
	assert_false(secret_may_go(&w.use, T0 + 24 * HOUR - 1));
	assert_true(secret_may_go(&w.use, T0 + 24 * HOUR));
	secret_watch_signed(&w, 1, T0 + 20 * HOUR);
	assert_false(secret_may_go(&w.use, T0 + 44 * HOUR - 1));
	assert_true(secret_may_go(&w.use, T0 + 44 * HOUR));
	/* The new one's later deliveries change nothing of that. */
	secret_watch_signed(&w, 0, T0 + 43 * HOUR);
	assert_true(secret_may_go(&w.use, T0 + 44 * HOUR));
}

static void without_a_previous_one_none_may_go(void **state)
{
	struct secret_watch w = {0};

	(void)state;
	secret_watch_set(&w, "new", NULL);
	secret_watch_signed(&w, 0, T0);
	assert_false(secret_may_go(&w.use, T0 + 100 * HOUR));
	assert_false(secret_watch_done(&w, T0 + 100 * HOUR));
}

static void it_is_told_once(void **state)
{
	struct secret_watch w = rotating();

	(void)state;
	secret_watch_signed(&w, 0, T0);
	assert_false(secret_watch_done(&w, T0 + 23 * HOUR));
	assert_true(secret_watch_done(&w, T0 + 24 * HOUR));
	assert_false(secret_watch_done(&w, T0 + 25 * HOUR));
	/* Used after all: it is not to go, and told again when it is. */
	secret_watch_signed(&w, 1, T0 + 26 * HOUR);
	assert_false(secret_watch_done(&w, T0 + 27 * HOUR));
	assert_true(secret_watch_done(&w, T0 + 50 * HOUR));
}

static void another_secret_begins_anew(void **state)
{
	struct secret_watch w = rotating();

	(void)state;
	secret_watch_signed(&w, 0, T0);
	secret_watch_signed(&w, 1, T0);
	secret_watch_set(&w, "newer", "new");
	assert_int_equal(w.use.current_first, 0);
	assert_int_equal(w.use.previous_last, 0);
	assert_false(secret_may_go(&w.use, T0 + 100 * HOUR));
	/* The same ones read again, as SIGHUP does, keep what is known. */
	secret_watch_signed(&w, 0, T0 + HOUR);
	secret_watch_set(&w, "newer", "new");
	assert_int_equal(w.use.current_first, T0 + HOUR);
	/* Without the previous one, the current one's life goes on. */
	secret_watch_set(&w, "newer", NULL);
	assert_int_equal(w.use.current_first, T0 + HOUR);
	assert_false(secret_may_go(&w.use, T0 + 100 * HOUR));
}

/* One that was removed too early and is set again was not looked for in
 * between: that it did not sign says nothing. */
static void one_that_comes_back_is_unused_from_then_on(void **state)
{
	struct secret_watch w = {0};

	(void)state;
	secret_watch_set(&w, "new", NULL);
	secret_watch_signed(&w, 0, T0);
	secret_watch_set(&w, "new", "old");
	assert_false(secret_may_go(&w.use, T0 + 100 * HOUR));
	secret_watch_signed(&w, 0, T0 + 100 * HOUR);
	assert_false(secret_may_go(&w.use, T0 + 123 * HOUR));
	assert_true(secret_may_go(&w.use, T0 + 124 * HOUR));
}

static void a_delivery_recorded_late_makes_none_seem_older(void **state)
{
	struct secret_watch w = rotating();

	(void)state;
	secret_watch_signed(&w, 0, T0);
	secret_watch_signed(&w, 1, T0 + 20 * HOUR);
	secret_watch_signed(&w, 1, T0 + HOUR);
	assert_false(secret_may_go(&w.use, T0 + 43 * HOUR));
}

static void it_is_kept_at_most_once_a_minute(void **state)
{
	struct secret_watch w = rotating();

	(void)state;
	assert_true(secret_watch_keep(&w, T0)); /* the secrets themselves */
	assert_false(secret_watch_keep(&w, T0 + 61000)); /* nothing new */
	secret_watch_signed(&w, 1, T0 + 1);
	assert_false(secret_watch_keep(&w, T0 + 59999));
	assert_true(secret_watch_keep(&w, T0 + 60000));
	secret_watch_signed(&w, 1, T0 + 60001);
	assert_false(secret_watch_keep(&w, T0 + 60002));
	/* A clock that was set back does not stop it. */
	assert_true(secret_watch_keep(&w, T0 - HOUR));
	/* The current one's later deliveries are no news. */
	secret_watch_signed(&w, 0, T0);
	assert_true(secret_watch_keep(&w, T0 + HOUR));
	secret_watch_signed(&w, 0, T0 + 2 * HOUR);
	assert_false(secret_watch_keep(&w, T0 + 3 * HOUR));
}

static void what_could_not_be_kept_is_kept_later(void **state)
{
	struct secret_watch w = rotating();

	(void)state;
	secret_watch_signed(&w, 1, T0);
	assert_true(secret_watch_keep(&w, T0));
	secret_watch_lost(&w);
	assert_false(secret_watch_keep(&w, T0 + 59999));
	assert_true(secret_watch_dirty(&w)); /* for a stop before that */
	assert_true(secret_watch_keep(&w, T0 + 60000));
	assert_false(secret_watch_keep(&w, T0 + HOUR));
	assert_false(secret_watch_dirty(&w));
}

static void what_is_kept_tells_secrets_apart_and_not_what_they_are(
	void **state)
{
	struct secret_watch w = rotating();
	static const unsigned char none[SECRET_PRINT];

	(void)state;
	assert_true(secret_use_is_of(&w.use, "new", "old"));
	assert_false(secret_use_is_of(&w.use, "old", "new"));
	assert_false(secret_use_is_of(&w.use, "new", NULL));
	assert_memory_not_equal(w.use.current, w.use.previous, SECRET_PRINT);
	assert_memory_not_equal(w.use.current, "new", 3);
	secret_watch_set(&w, "new", "");
	assert_memory_equal(w.use.previous, none, SECRET_PRINT);
	assert_true(secret_use_is_of(&w.use, "new", NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_stays_until_the_new_one_has_signed),
		cmocka_unit_test(each_use_of_it_makes_it_stay_a_day_longer),
		cmocka_unit_test(without_a_previous_one_none_may_go),
		cmocka_unit_test(it_is_told_once),
		cmocka_unit_test(another_secret_begins_anew),
		cmocka_unit_test(one_that_comes_back_is_unused_from_then_on),
		cmocka_unit_test(
			a_delivery_recorded_late_makes_none_seem_older),
		cmocka_unit_test(it_is_kept_at_most_once_a_minute),
		cmocka_unit_test(what_could_not_be_kept_is_kept_later),
		cmocka_unit_test(
			what_is_kept_tells_secrets_apart_and_not_what_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
