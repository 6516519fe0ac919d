/* SPDX-License-Identifier: MIT
 *
 * Shipping, whatever fails: a call or a reply that is lost at any step, or a
 * server that is killed, does nothing twice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/harness/orders.h"
#include "tests/harness/wait.h"

#define SHORT "answer_wait = 100ms\n"

static const char *const steps[] = {"confirmOrder", "createShipment",
				    "captureShipment", "updateShipment",
				    "completeShipment"};
#define STEPS 5
#define SOON MANY "call_timeout = 1s\n"

/* Orders that each meet the fault at another step. */
static void ship_with_faults(struct shipfrom *s, const char *fault,
			     const char *lines, int64_t numbers[STEPS])
{
	char code[STATE_ROOM];
	long status;

	sim_tell(&s->sim, "/settings", "{\"autoconfirm\":false}");
	for (int i = 0; i < STEPS; i++) {
		numbers[i] = order_accepted(s, lines);
		sim_tell(&s->sim, "/faults",
			 "{\"api\":\"graphql\",\"order\":%lld,\"what\":\"%s\","
			 "%s}",
			 (long long)numbers[i], steps[i], fault);
	}
	for (int i = 0; i < STEPS; i++) {
		status = order_ship(s, numbers[i], PARCEL, code);
		if (status != 202 && status != 200)
			fail_msg("%s: told %ld %s", steps[i], status, code);
	}
}

static void assert_all_once(struct shipfrom *s, const int64_t numbers[STEPS])
{
	for (int i = 0; i < STEPS; i++)
		wait_stage(s, numbers[i], "shipped", 20000);
	for (int i = 0; i < STEPS; i++)
		expect_shipped(s, numbers[i], 1, 3);
}

static void with_fault(void **state, const char *fault, const char *lines)
{
	struct shipfrom *s = shipfrom_with(SHORT, SOON);
	int64_t numbers[STEPS];

	*state = s;
	ship_with_faults(s, fault, lines, numbers);
	assert_all_once(s, numbers);
	assert_int_equal(sim_spoilt(&s->sim), STEPS); /* else nothing failed */
	shipfrom_passed(s);
}

static void a_reply_lost_at_any_step_does_nothing_twice(void **state)
{
	with_fault(state, "\"kind\":\"drop\",\"when\":\"after\"", TWO_LINES);
}

static void
with_lines_without_stock_a_lost_reply_does_nothing_twice(void **state)
{
	with_fault(state, "\"kind\":\"drop\",\"when\":\"after\"", BUNDLE);
}

static void a_call_lost_at_any_step_is_made_again(void **state)
{
	with_fault(state, "\"kind\":\"drop\",\"when\":\"before\"", TWO_LINES);
}

static void half_a_reply_at_any_step_does_nothing_twice(void **state)
{
	with_fault(state, "\"kind\":\"half\"", TWO_LINES);
}

/* Centra acts after we have given the call up. */
static void a_call_that_centra_acts_on_too_late_does_nothing_twice(void **state)
{
	with_fault(state, "\"kind\":\"slow\",\"ms\":1500,\"when\":\"before\"",
		   TWO_LINES);
}

static void killed_at_any_step_it_does_nothing_twice(void **state)
{
	struct shipfrom *s = shipfrom_with(SHORT, MANY "call_timeout = 2s\n");
	int64_t numbers[STEPS];

	*state = s;
	ship_with_faults(s, "\"kind\":\"slow\",\"ms\":1800,\"when\":\"before\"",
			 TWO_LINES, numbers);
	shipfrom_kill_9(s);
	shipfrom_again(s);
	assert_all_once(s, numbers);
	for (int i = 0; i < STEPS; i++)
		journal_has(s, numbers[i], "try_lost", NULL);
	shipfrom_passed(s);
}

#define OWN(f) cmocka_unit_test_teardown(f, shipfrom_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OWN(a_reply_lost_at_any_step_does_nothing_twice),
		OWN(with_lines_without_stock_a_lost_reply_does_nothing_twice),
		OWN(a_call_lost_at_any_step_is_made_again),
		OWN(half_a_reply_at_any_step_does_nothing_twice),
		OWN(a_call_that_centra_acts_on_too_late_does_nothing_twice),
		OWN(killed_at_any_step_it_does_nothing_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
