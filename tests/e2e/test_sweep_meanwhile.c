/* SPDX-License-Identifier: MIT
 *
 * What is no missed webhook: what comes late, what Centra does not show, and what
 * happens while a sweep is under way.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/harness/sweep.h"
#include "tests/harness/wait.h"

#define NUMBER 7001

static int setup_patient(void **state)
{
	return sweeping_with(state, "missed_after = 1500ms\n", NULL);
}

/* What is to be seen is not how long the budget takes. */
static int setup_often_and_much(void **state)
{
	return sweeping_with(state, "sweep_every = 300ms\nmissed_after = 300ms\n",
		     "graphql_requests = 1000\n");
}

static void webhooks_that_come_late_are_not_counted(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_offered_for(s, 600), gone = order_offered_for(s, 600);

	sim_tell(&s->sim, "/hooks", "{\"paused\":true}");
	order_ended(s, number, "accept");
	order_ended(s, gone, "cancel");
	sweep(s);
	wait_state(s, AMSTERDAM, number, "accepted", 5000);
	wait_state(s, AMSTERDAM, gone, "cancelled", 5000);
	sim_tell(&s->sim, "/hooks", "{\"paused\":false}");
	sim_quiet(&s->sim);
	wait_judged(s);
	EXPECT_MISSED(s, 0, 0, 0, 0, 0);
	shipfrom_passed(s);
}

static void what_centra_does_not_show_stays_as_it_is(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_offered_for(s, 600);
	char word[STATE_ROOM];

	sim_tell(&s->sim, "/reset", "{}");
	sweep(s);
	wait_judged(s);
	assert_string_equal(shop_sees(s, AMSTERDAM, number, word), "pending");
	EXPECT_MISSED(s, 0, 0, 0, 0, 0);
	shipfrom_passed(s);
}

static void
an_order_that_centra_cannot_show_does_not_hide_the_others(void **state)
{
	struct shipfrom *s = *state;
	int64_t broken = order_offered_for(s, 600), number = order_offered_for(s, 600);

	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"graphql\",\"kind\":\"garbage\",\"when\":"
		 "\"after\",\"percent\":100,\"order\":%lld}",
		 (long long)broken);
	lose_webhooks(s);
	order_ended(s, number, "cancel");
	sweep(s);
	wait_state(s, AMSTERDAM, number, "cancelled", 1000);
	wait_state(s, AMSTERDAM, broken, "pending", 1000);
	wait_missed(s, "cancel", 1);
	shipfrom_passed(s);
}

/* More than one query's worth, and the first query fails at each sweep. */
static void what_is_behind_a_query_that_fails_is_reached(void **state)
{
	struct shipfrom *s = *state;
	int64_t first = order_offered_for(s, 600), last = first;

	for (int i = 0; i < 25; i++)
		last = order_offered_for(s, 600);
	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"graphql\",\"kind\":\"status\",\"status\":502,"
		 "\"percent\":100,\"order\":%lld}",
		 (long long)first);
	lose_webhooks(s);
	order_ended(s, last, "cancel");
	wait_state(s, AMSTERDAM, last, "cancelled", 10000);
	shipfrom_passed(s);
}

/* Of 50 orders that are asked for in two queries 28 spoil every reply that they
 * are in: the queries to spare are used up before all are found. */
static void what_one_sweep_has_left_the_next_looks_at_first(void **state)
{
	struct shipfrom *s = *state;
	int64_t numbers[50];

	for (int i = 0; i < 50; i++) {
		numbers[i] = order_placed(s, "\"warehouses\":[3],\"expires_in\":600");
		if (i % 10 == 9)
			wait_state(s, AMSTERDAM, numbers[i], "pending", 5000);
	}
	sim_quiet(&s->sim);
	lose_webhooks(s);
	for (int i = 0; i < 50; i++)
		if (i < 25 || i == 30 || i == 36 || i == 42)
			sim_tell(&s->sim, "/faults",
				 "{\"api\":\"graphql\",\"kind\":\"garbage\","
				 "\"when\":\"after\",\"percent\":100,"
				 "\"order\":%lld}",
				 (long long)numbers[i]);
	for (int i = 43; i < 50; i++)
		order_ended(s, numbers[i], "cancel");
	for (int i = 43; i < 50; i++)
		wait_state(s, AMSTERDAM, numbers[i], "cancelled", 15000);
	shipfrom_passed(s);
}

/* What waits cannot be told: the orders that are known are looked at. */
static void one_question_that_fails_does_not_end_the_sweep(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_offered_for(s, 600);

	lose_webhooks(s);
	order_ended(s, number, "cancel");
	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"graphql\",\"kind\":\"garbage\",\"when\":"
		 "\"after\"}");
	ask_for_sweep(s);
	wait_state(s, AMSTERDAM, number, "cancelled", 5000);
	wait_metric(s, "sweeps_failed_total", 1, 5000);
	shipfrom_passed(s);
}

static bool is_past(void *arg)
{
	return now_mono() >= *(int64_t *)arg;
}

/* The reply to the first query is late, and the create comes before it. */
static void a_create_during_a_sweep_is_neither_closed_nor_counted(void **state)
{
	struct shipfrom *s = *state;
	int64_t done = metric(s, "sweeps_total");

	order_placed(s, "\"number\":7001,\"warehouses\":[3],\"webhook\":false");
	sim_quiet(&s->sim);
	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"graphql\",\"kind\":\"slow\",\"when\":\"after\","
		 "\"ms\":1500}");
	ask_for_sweep(s);
	order_create(s, NUMBER);
	wait_state(s, AMSTERDAM, NUMBER, "pending", 5000);
	wait_metric(s, "sweeps_total", done + 1, 10000);
	wait_judged(s);
	wait_state(s, AMSTERDAM, NUMBER, "pending", 1000);
	EXPECT_MISSED(s, 0, 0, 0, 0, 0);
	shipfrom_passed(s);
}

/* So is that to the second look, and the create is durable but not yet applied
 * when it ends. */
static void a_create_during_the_second_look_is_not_counted(void **state)
{
	struct shipfrom *s = *state;
	int64_t then;

	order_placed(s, "\"number\":7001,\"warehouses\":[3],\"webhook\":false");
	sim_quiet(&s->sim);
	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"graphql\",\"kind\":\"slow\",\"when\":\"after\","
		 "\"ms\":2500,\"order\":7001}");
	sweep(s);
	then = now_mono() + 1200; /* it began after 400 ms */
	assert_true(wait_until(is_past, &then, 5000));
	order_create(s, NUMBER);
	EXPECT_MISSED(s, 0, 0, 0, 0, 0);
	wait_judged(s);
	wait_state(s, AMSTERDAM, NUMBER, "pending", 5000);
	EXPECT_MISSED(s, 0, 0, 0, 0, 0);
	shipfrom_passed(s);
}

/* The sweep has read the order before it is shipped, and Centra answers it
 * after: nothing is allocated to the shop any more. */
static void what_is_shipped_during_a_sweep_is_not_judged_by_it(void **state)
{
	struct shipfrom *s = *state;
	int64_t done = metric(s, "sweeps_total"), number = order_offered_for(s, 600);
	int64_t then;
	struct order_of o = {s, number, NULL};
	char path[64], fault[160];
	struct answer a;

	order_ended(s, number, "accept");
	wait_state(s, AMSTERDAM, number, "accepted", 5000);
	assert_true(wait_until(order_has_address, &o, 5000));
	wait_judged(s);
	snprintf(fault, sizeof(fault),
		 "{\"api\":\"graphql\",\"kind\":\"slow\",\"when\":"
		 "\"before\",\"ms\":4000,\"order\":%lld}",
		 (long long)number);
	sim_tell(&s->sim, "/faults", "%s", fault);
	ask_for_sweep(s);
	then = now_mono() + 1500; /* it looks for that twice a second */
	assert_true(wait_until(is_past, &then, 5000));
	a = shop_does(s, AMSTERDAM, number, "ship",
		      "{\"carrier\":\"PostNord\",\"service\":\"MyPack\","
		      "\"tracking\":\"SE1\",\"packages\":1}");
	assert_true(a.status == 200 || a.status == 202);
	answer_release(&a);
	wait_stage(s, number, "shipped", 2000);
	assert_int_equal(metric(s, "sweeps_total"), done);
	snprintf(path, sizeof(path), "/orders/%lld/allocate",
		 (long long)number);
	sim_tell(&s->sim, path, "{\"allocated\":0,\"hold\":\"\"}");
	wait_metric(s, "sweeps_total", done + 1, 10000);
	wait_state(s, AMSTERDAM, number, "accepted", 1000);
	EXPECT_MISSED(s, 0, 0, 0, 0, 0);
	shipfrom_passed(s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, sweeping, shipfrom_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			webhooks_that_come_late_are_not_counted, setup_patient,
			shipfrom_end),
		T(what_centra_does_not_show_stays_as_it_is),
		T(an_order_that_centra_cannot_show_does_not_hide_the_others),
		cmocka_unit_test_setup_teardown(
			what_is_behind_a_query_that_fails_is_reached,
			setup_often_and_much, shipfrom_end),
		cmocka_unit_test_setup_teardown(
			what_one_sweep_has_left_the_next_looks_at_first,
			setup_often_and_much, shipfrom_end),
		T(one_question_that_fails_does_not_end_the_sweep),
		T(a_create_during_a_sweep_is_neither_closed_nor_counted),
		T(a_create_during_the_second_look_is_not_counted),
		T(what_is_shipped_during_a_sweep_is_not_judged_by_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
