/* SPDX-License-Identifier: MIT
 *
 * When an order's lock is to be looked after (handlers/lock.h).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include "handlers/lock.h"

#include <cmocka.h>

static bool locks(void *arg, const char *instance)
{
	(void)instance;
	return *(bool *)arg;
}

/* How many tasks follow when an order's offers go from one pair of lists to
 * another. */
static size_t follows(bool on, const enum list from[2], const enum list to[2],
		      bool cancelled)
{
	const struct follow_config c = {.arg = &on, .locks = locks};
	struct offer was[2] = {{.warehouse = 2, .list = from[0]},
			       {.warehouse = 3, .list = from[1]}};
	struct offer is[2] = {{.warehouse = 2, .list = to[0]},
			      {.warehouse = 3, .list = to[1]}};
	struct order before = {.instance = "se", .offers = was, .n_offers = 2};
	struct order after = {.instance = "se",
			      .offers = is,
			      .n_offers = 2,
			      .cancelled = cancelled};
	const struct followed f = {&before, &after, false, 1000};
	struct changes ret = {0};
	size_t n;

	lock_follow(&c, &f, &ret);
	n = ret.n;
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(ret.list[i].kind, CHANGE_TASK);
		assert_string_equal(ret.list[i].task.kind, TASK_LOCK_ORDER);
		assert_int_equal(ret.list[i].task.due, 1000);
	}
	changes_release(&ret);
	return n;
}

#define LISTS(a, b) ((const enum list[2]){LIST_##a, LIST_##b})

static void a_settled_accept_leads_to_a_lock(void **state)
{
	(void)state;
	assert_int_equal(
		follows(true, LISTS(OPEN, OPEN), LISTS(DONE, MINE), false), 1);
}

static void what_is_shipped_or_lost_leads_to_an_unlock(void **state)
{
	(void)state;
	assert_int_equal(
		follows(true, LISTS(DONE, MINE), LISTS(DONE, DONE), false), 1);
	assert_int_equal(
		follows(true, LISTS(DONE, MINE), LISTS(DONE, OPEN), false), 1);
	assert_int_equal(
		follows(true, LISTS(DONE, MINE), LISTS(DONE, MINE), true), 1);
}

static void other_changes_lead_to_nothing(void **state)
{
	(void)state;
	assert_int_equal(
		follows(true, LISTS(OPEN, OPEN), LISTS(OPEN, DONE), false), 0);
	assert_int_equal(
		follows(true, LISTS(DONE, MINE), LISTS(DONE, MINE), false), 0);
	assert_int_equal(
		follows(true, LISTS(MINE, DONE), LISTS(DONE, MINE), false), 0);
}

static void without_the_setting_nothing_is_locked(void **state)
{
	(void)state;
	assert_int_equal(
		follows(false, LISTS(OPEN, OPEN), LISTS(DONE, MINE), false), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_settled_accept_leads_to_a_lock),
		cmocka_unit_test(what_is_shipped_or_lost_leads_to_an_unlock),
		cmocka_unit_test(other_changes_lead_to_nothing),
		cmocka_unit_test(without_the_setting_nothing_is_locked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
