/* SPDX-License-Identifier: MIT
 *
 * Webhooks that never come: each kind is found by the sweep, counted once by
 * its kind, and told by `why`.
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

static int setup_much(void **state)
{
	return sweeping_with(state, "missed_after = 400ms\n",
		     "graphql_requests = 1000\n");
}

static int setup_offer(void **state)
{
	return sweeping_with(state,
		     "answer_wait = 5s\nmissed_after = 500ms\n"
		     "look_again = 500ms\n",
		     "recover = offer\n");
}

static int setup_often(void **state)
{
	return sweeping_with(state, "sweep_every = 300ms\nmissed_after = 300ms\n",
		     NULL);
}

/* A second instance, where nobody is at home. */
static int setup_two(void **state)
{
	return sweeping_with(state, "sweep_every = 0\n",
		     "\n[centra no]\nwebhook_secret = test456\n"
		     "order_api_url = http://127.0.0.1:1/api\n"
		     "order_api_key = key\n"
		     "graphql_url = http://127.0.0.1:1/graphql\n"
		     "graphql_token = token\n");
}

/* ---- each kind ---- */

static void a_lost_create_is_found_by_the_second_look(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_placed(s, "\"warehouses\":[3],\"webhook\":false");
	char word[STATE_ROOM];

	sim_quiet(&s->sim);
	sweep(s);
	EXPECT_MISSED(s, 0, 0, 0, 0, 0);
	wait_missed(s, "create", 1);
	journal_has(s, number, "missed", "create");
	/* Reported only: no shop is asked, and nothing is counted twice. */
	assert_string_equal(shop_sees(s, AMSTERDAM, number, word), "404");
	sweep(s);
	wait_judged(s);
	EXPECT_MISSED(s, 1, 0, 0, 0, 0);
	shipfrom_passed(s);
}

static bool first_page_is_read(void *arg)
{
	struct shipfrom *s = arg;

	return sim_spoilt(&s->sim) == 1;
}

/* Three that stop waiting between two pages move three others from the second
 * page to the first, which was read before. */
static void an_order_that_slips_between_two_pages_is_found(void **state)
{
	struct shipfrom *s = *state;
	int64_t first;

	sweep(s);
	lose_webhooks(s);
	first = order_placed(s, "\"warehouses\":[3],\"webhook\":false,\"count\":205");
	sim_tell(&s->sim, "/faults",
		 "[{\"api\":\"graphql\",\"what\":\"orders\",\"kind\":\"gzip\"},"
		 "{\"api\":\"graphql\",\"what\":\"orders\",\"kind\":\"slow\","
		 "\"ms\":2000}]");
	ask_for_sweep(s);
	assert_true(wait_until(first_page_is_read, s, 10000));
	for (int i = 0; i < 3; i++)
		order_ended(s, first + i, "resume");
	wait_metric(s, "missed_webhooks_total{kind=\"create\"}", 202, 20000);
	shipfrom_passed(s);
}

static void what_is_suspected_and_counted_outlives_a_crash(void **state)
{
	struct shipfrom *s = *state;

	order_placed(s, "\"warehouses\":[3],\"webhook\":false");
	sweep(s);
	shipfrom_kill_9(s);
	shipfrom_again(s);
	wait_missed(s, "create", 1);
	shipfrom_kill_9(s);
	shipfrom_again(s);
	assert_int_equal(missed(s, "create"), 1);
	shipfrom_passed(s);
}

static void a_lost_accepted_is_found(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = sim_place(&s->sim, 600);

	for (int i = 0; i < SHOPS; i++)
		wait_state(s, (enum shop)i, number, "pending", 5000);
	lose_webhooks(s);
	order_ended(s, number, "accept");
	sweep(s);
	wait_alone(s, AMSTERDAM, number, "accepted", 5000);
	wait_state(s, BERLIN, number, "taken", 5000);
	wait_missed(s, "accepted", 1);
	wait_judged(s);
	EXPECT_MISSED(s, 0, 1, 0, 0, 0);
	journal_has(s, number, "missed", "accepted");
	shipfrom_passed(s);
}

static void a_lost_rejected_is_found(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_offered_for(s, 600);

	lose_webhooks(s);
	order_ended(s, number, "reject");
	sweep(s);
	wait_state(s, AMSTERDAM, number, "rejected", 5000);
	wait_missed(s, "rejected", 1);
	EXPECT_MISSED(s, 0, 0, 1, 0, 0);
	journal_has(s, number, "missed", "rejected");
	shipfrom_passed(s);
}

static bool is_expired(void *arg)
{
	const struct order_of *o = arg;
	struct answer a = order_get(o->s, o->number);
	bool yes = cJSON_IsTrue(cJSON_GetObjectItem(a.json, "expired"));

	answer_release(&a);
	return yes;
}

static void a_lost_timeout_is_found(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_offered_for(s, 2);
	struct order_of o = {s, number, NULL};

	lose_webhooks(s);
	assert_true(wait_until(is_expired, &o, 10000));
	order_ended(s, number, "expire");
	sweep(s);
	wait_state(s, AMSTERDAM, number, "timed_out", 5000);
	wait_missed(s, "timeout", 1);
	EXPECT_MISSED(s, 0, 0, 0, 1, 0);
	journal_has(s, number, "missed", "timeout");
	shipfrom_passed(s);
}

static void a_lost_cancel_is_found(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_offered_for(s, 600);

	lose_webhooks(s);
	order_ended(s, number, "cancel");
	sweep(s);
	wait_state(s, AMSTERDAM, number, "cancelled", 5000);
	wait_missed(s, "cancel", 1);
	EXPECT_MISSED(s, 0, 0, 0, 0, 1);
	journal_has(s, number, "missed", "cancel");
	shipfrom_passed(s);
}

/* ---- recover = offer ---- */

static void a_missed_create_is_put_before_the_shops_that_centra_would_ask(
	void **state)
{
	struct shipfrom *s = *state;
	char word[STATE_ROOM], path[64];
	struct answer a;
	int64_t number;

	sim_tell(&s->sim, "/warehouses",
		 "[{\"id\":1,\"name\":\"Central\",\"policy\":\"DIRECT\"},"
		 "{\"id\":2,\"name\":\"A\",\"policy\":\"CHECK_FIRST\"},"
		 "{\"id\":3,\"name\":\"B\",\"policy\":\"CHECK_FIRST\"},"
		 "{\"id\":4,\"name\":\"C\",\"policy\":\"DIRECT\"}]");
	number = order_placed(s, "\"warehouses\":[2,3],\"webhook\":false");
	sim_quiet(&s->sim);
	sweep(s);
	wait_missed(s, "create", 1);
	wait_state(s, STOCKHOLM, number, "pending", 5000);
	wait_state(s, AMSTERDAM, number, "pending", 5000);
	assert_string_equal(shop_sees(s, BERLIN, number, word), "404");
	snprintf(path, sizeof(path), "/api/v1/orders/%lld",
		 (long long)number);
	a = shop_get(s, AMSTERDAM, path);
	assert_true(cJSON_IsNull(cJSON_GetObjectItem(a.json, "expires_at")));
	answer_release(&a);
	a = shop_does(s, AMSTERDAM, number, "accept", "{}");
	answer_release(&a);
	wait_alone(s, AMSTERDAM, number, "accepted", 5000);
	wait_state(s, STOCKHOLM, number, "taken", 5000);
	assert_int_equal(sim_winner(&s->sim, number), 3);
	journal_has(s, number, "recovered", NULL);
	EXPECT_MISSED(s, 1, 0, 0, 0, 0);
	shipfrom_passed(s);
}

/* It is looked at again at each sweep: with `offer` it may be asked tomorrow. */
static void an_order_that_no_shop_would_be_asked_for_is_told_of_once(
	void **state)
{
	struct shipfrom *s = *state;
	const char *words[] = {"why", "7001", NULL};
	char *before = NULL, *after = NULL;

	sim_tell(&s->sim, "/warehouses",
		 "[{\"id\":1,\"name\":\"Central\",\"policy\":\"DIRECT\"},"
		 "{\"id\":9,\"name\":\"Else\",\"policy\":\"CHECK_FIRST\"}]");
	order_placed(s, "\"number\":7001,\"warehouses\":[9],\"webhook\":false");
	sim_quiet(&s->sim);
	sweep(s);
	wait_missed(s, "create", 1);
	wait_judged(s);
	assert_int_equal(shipfrom_run(s, &before, false, words), 0);
	sweep(s);
	wait_judged(s);
	assert_int_equal(shipfrom_run(s, &after, false, words), 0);
	assert_string_equal(after, before);
	free(before);
	free(after);
	shipfrom_passed(s);
}

/* ---- by itself ---- */

static void it_sweeps_at_the_start_and_again_and_again(void **state)
{
	struct shipfrom *s = *state;

	wait_metric(s, "sweeps_total", 3, 10000);
	order_placed(s, "\"warehouses\":[3],\"webhook\":false");
	wait_missed(s, "create", 1);
	/* Away and back: it goes on. */
	sim_stop(&s->sim);
	wait_metric(s, "sweeps_failed_total", 1, 20000);
	sim_again(&s->sim);
	wait_metric(s, "sweeps_total", metric(s, "sweeps_total") + 2, 60000);
	shipfrom_passed(s);
}

static void an_instance_that_is_away_does_not_hold_up_the_others(void **state)
{
	struct shipfrom *s = *state;

	sweep(s);
	wait_metric(s, "sweeps_failed_total", 1, 5000);
	sweep(s);
	/* The one that is away is not called again for that. */
	assert_int_equal(metric(s, "sweeps_failed_total"), 1);
	shipfrom_passed(s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, sweeping, shipfrom_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_lost_create_is_found_by_the_second_look),
		cmocka_unit_test_setup_teardown(
			an_order_that_slips_between_two_pages_is_found,
			setup_much, shipfrom_end),
		T(what_is_suspected_and_counted_outlives_a_crash),
		T(a_lost_accepted_is_found),
		T(a_lost_rejected_is_found),
		T(a_lost_timeout_is_found),
		T(a_lost_cancel_is_found),
		cmocka_unit_test_setup_teardown(
			a_missed_create_is_put_before_the_shops_that_centra_would_ask,
			setup_offer, shipfrom_end),
		cmocka_unit_test_setup_teardown(
			an_order_that_no_shop_would_be_asked_for_is_told_of_once,
			setup_offer, shipfrom_end),
		cmocka_unit_test_setup_teardown(
			it_sweeps_at_the_start_and_again_and_again,
			setup_often, shipfrom_end),
		cmocka_unit_test_setup_teardown(
			an_instance_that_is_away_does_not_hold_up_the_others,
			setup_two, shipfrom_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
