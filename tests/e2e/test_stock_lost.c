/* SPDX-License-Identifier: MIT
 *
 * Counts of a shop's shelf: whatever call or reply is lost, the newest of each item
 * is what Centra has in the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/harness/counts.h"
#include "tests/harness/orders.h"
#include "tests/harness/wait.h"

#define SOON  MANY "call_timeout = 1s\n"
/* 1 once a call was begun. */
#define BEGUN "documents{kind=\"stock_run\",ended=\"no\"}"

struct ended {
	struct shipfrom *s;
	int calls;
};

static bool have_ended(void *arg)
{
	const struct ended *x = arg;

	return sim_calls_of(&x->s->sim, 0, "setStock") >= x->calls;
}

static bool is_past(void *arg)
{
	return now_mono() >= *(const int64_t *)arg;
}

/* Fails unless 8 is what Centra has in the end, also after `late` (now_mono()),
 * when it has acted on each lost call. */
static void expect_the_newer(struct shipfrom *s, int64_t late)
{
	wait_counted(s, "1001", "done", 20000);
	(void)wait_until(is_past, &late, 10000);
	assert_int_equal(centra_stock(s, "1001").physical, 8);
	assert_int_equal(centra_stock(s, "1001").lowered, 0);
}

/* Counts an item again while the outcome of its first count is unknown. */
static void with_fault(void **state, const char *spec)
{
	struct shipfrom *s = shipfrom_with(NULL, SOON);
	int64_t began;

	*state = s;
	size_known(s, "1001", "");
	stock_fault(s, spec);
	began = now_mono();
	count_item(s, "1001", 7, 20);
	wait_metric(s, BEGUN, 1, 5000);
	count_item(s, "1001", 8, 10);
	expect_the_newer(s, began + 2500);
	shipfrom_passed(s);
}

static void a_lost_reply_does_no_harm(void **state)
{
	with_fault(state, "\"kind\":\"drop\",\"when\":\"after\"");
}

static void a_lost_call_is_made_again(void **state)
{
	with_fault(state, "\"kind\":\"drop\",\"when\":\"before\"");
}

/* The newer count waits until Centra can no longer act on the older one. */
static void a_call_that_centra_acts_on_late_sets_nothing_on_top(void **state)
{
	with_fault(state, "\"kind\":\"slow\",\"ms\":1500,\"when\":\"before\"");
}

static void
killed_in_a_call_that_acts_late_it_sets_nothing_older_on_top(void **state)
{
	struct shipfrom *s = shipfrom_with(NULL, MANY "call_timeout = 2s\n");
	int64_t began;

	*state = s;
	size_known(s, "1001", "");
	stock_fault(s, "\"kind\":\"slow\",\"ms\":1800,\"when\":\"before\"");
	began = now_mono();
	count_item(s, "1001", 7, 20);
	wait_metric(s, BEGUN, 1, 5000);
	/* The stand-in tells of a call when it has ended: the time in which the
	 * call leaves. */
	(void)wait_until(have_ended, &(struct ended){s, 1}, 300);
	shipfrom_kill_9(s);
	shipfrom_again(s);
	count_item(s, "1001", 8, 10);
	expect_the_newer(s, began + 2800);
	shipfrom_passed(s);
}

/* One count whose calls always end in an error of the server's does not keep
 * the others. */
static void a_count_that_never_gets_through_keeps_no_other(void **state)
{
	struct shipfrom *s = shipfrom_with(NULL, SOON);

	*state = s;
	size_known(s, "1001", "");
	size_known(s, "1002", "");
	stock_fault(s, "\"kind\":\"500\"");
	count_item(s, "1001", 7, 20);
	wait_until(is_counted, &(struct counted){s, "1001", "never"}, 300);
	count_item(s, "1002", 8, 10);
	wait_counted(s, "1002", "done", 20000);
	assert_int_equal(centra_stock(s, "1002").physical, 8);
	shipfrom_passed(s);
}

/* ---- a restored store ---- */

/* What was counted and sent after the backup is not in it: a count that waits
 * there may be older. */
static void a_count_that_waits_in_a_backup_is_not_sent(void **state)
{
	struct shipfrom *s = shipfrom_with(NULL, SOON);
	char file[BACKUP_ROOM];

	*state = s;
	size_known(s, "1001", "");
	size_known(s, "1002", "");
	count_item(s, "1002", 3, 30);
	wait_counted(s, "1002", "done", 5000);
	stock_fault(s, "\"kind\":\"drop\",\"when\":\"before\",\"percent\":100");
	count_item(s, "1001", 7, 20);
	wait_metric(s, BEGUN, 1, 5000);
	shipfrom_back_up(s, file);
	sim_tell(&s->sim, "/faults", "{\"clear\":true}");
	count_item(s, "1001", 8, 10);
	wait_counted(s, "1001", "done", 20000);
	assert_int_equal(shipfrom_stop(s), 0);
	shipfrom_go_back(s, file);
	wait_counted(s, "1001", "too_old", 20000);
	wait_counted(s, "1002", "done", 5000);
	assert_int_equal(centra_stock(s, "1001").physical, 8);
	assert_int_equal(centra_stock(s, "1001").sets, 1);
	/* Nor is one that comes later and was taken before the restore. */
	count_item(s, "1002", 2, 20);
	wait_counted(s, "1002", "too_old", 5000);
	assert_int_equal(centra_stock(s, "1002").sets, 1);
	count_item(s, "1001", 9, -1);
	wait_counted(s, "1001", "done", 20000);
	assert_int_equal(centra_stock(s, "1001").physical, 9);
	shipfrom_passed(s);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_teardown(f, shipfrom_end)
	const struct CMUnitTest tests[] = {
		CASE(a_lost_reply_does_no_harm),
		CASE(a_lost_call_is_made_again),
		CASE(a_call_that_centra_acts_on_late_sets_nothing_on_top),
		CASE(killed_in_a_call_that_acts_late_it_sets_nothing_older_on_top),
		CASE(a_count_that_never_gets_through_keeps_no_other),
		CASE(a_count_that_waits_in_a_backup_is_not_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
