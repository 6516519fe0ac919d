/* SPDX-License-Identifier: MIT
 *
 * A shop's own system is told to read its orders anew where webhooks alone cannot
 * have told it all.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/harness/tills.h"
#include "tests/harness/wait.h"

/* Tells the system of one more order; returns how many of the calls that it has
 * taken said that it is to read anew. */
static int told_anew(struct shipfrom *s)
{
	wait_told(till, order_offered(s, NULL), "create", TILL_SOON);
	return receiver_counts(till).anew;
}

static void restart(struct shipfrom *s)
{
	assert_int_equal(shipfrom_stop(s), 0);
	shipfrom_again(s);
}

static void the_first_call_says_it_and_no_other(void **state)
{
	struct shipfrom *s = *state;

	assert_int_equal(told_anew(s), 1);
	assert_int_equal(told_anew(s), 1);
	restart(s);
	assert_int_equal(told_anew(s), 1);
	shipfrom_passed(s);
}

static void a_call_that_was_not_taken_says_it_again(void **state)
{
	struct shipfrom *s = *state;
	int64_t number;

	receiver_does(till, RECEIVER_FAILS);
	number = order_offered(s, NULL);
	wait_calls(till, 0, 1, TILL_SOON);
	receiver_does(till, RECEIVER_TAKES);
	wait_told(till, number, "create", TILL_SOON);
	assert_int_equal(receiver_counts(till).anew, 1);
	shipfrom_passed(s);
}

/* What was told after the backup was made is not in it. */
static void the_first_call_after_a_restore_says_it(void **state)
{
	struct shipfrom *s = *state;
	char file[BACKUP_ROOM];

	assert_int_equal(told_anew(s), 1);
	shipfrom_back_up(s, file);
	assert_int_equal(shipfrom_stop(s), 0);
	shipfrom_go_back(s, file);
	assert_int_equal(told_anew(s), 2);
	assert_int_equal(told_anew(s), 2);
	shipfrom_passed(s);
}

/* Orders came to the shop, or left it, without an event of Centra's. */
static void the_first_call_says_it_when_warehouses_have_moved(void **state)
{
	struct shipfrom *s = *state;

	assert_int_equal(told_anew(s), 1);
	config_edit(s, "warehouses = 3\n", "warehouses = 3, 33\n");
	restart(s);
	assert_int_equal(told_anew(s), 2);
	assert_int_equal(told_anew(s), 2);
	shipfrom_passed(s);
}

static void the_first_call_to_another_address_says_it(void **state)
{
	struct shipfrom *s = *state;
	char other[400];

	assert_int_equal(told_anew(s), 1);
	snprintf(other, sizeof(other), "%s#new", receiver_url(till));
	config_edit(s, receiver_url(till), other);
	restart(s);
	assert_int_equal(told_anew(s), 2);
	shipfrom_passed(s);
}

static bool is_gone(void *arg)
{
	char *out = verb_prints(arg, "records --json receiver");
	bool is = strstr(out, "\\\"knows\\\":\\\"\\\"") ||
		  strstr(out, "\"knows\":\"\"");

	free(out);
	return is;
}

static void an_address_that_was_away_for_a_time_says_it(void **state)
{
	struct shipfrom *s = *state;
	char line[400];

	assert_int_equal(told_anew(s), 1);
	snprintf(line, sizeof(line), "notify_url = %s\n", receiver_url(till));
	config_edit(s, line, "");
	kill(s->process.pid, SIGHUP);
	if (!wait_until(is_gone, s, TILL_SOON))
		fail_msg("it is not known that the address is gone");
	config_edit(s, "notify_secret", "notify_url = %s\nnotify_secret");
	config_edit(s, "%s", receiver_url(till));
	restart(s);
	assert_int_equal(told_anew(s), 2);
	shipfrom_passed(s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, tills_setup, tills_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_first_call_says_it_and_no_other),
		T(a_call_that_was_not_taken_says_it_again),
		T(the_first_call_after_a_restore_says_it),
		T(the_first_call_says_it_when_warehouses_have_moved),
		T(the_first_call_to_another_address_says_it),
		T(an_address_that_was_away_for_a_time_says_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
