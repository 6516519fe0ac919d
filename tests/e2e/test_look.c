/* SPDX-License-Identifier: MIT
 *
 * What looks at an order prove, and what they do not: a Centra that settles
 * late, holds orders for several reasons and makes shipments by itself ends no
 * offer wrongly, and takes nothing back that it gave.  And the lost create of
 * an order that is offered anew.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/harness/sweep.h"
#include "tests/harness/wait.h"

#define OFTEN "missed_after = 300ms\nlook_again = 500ms\nsweep_every = 0\n"

static int setup(void **state)
{
	return sweeping_with(state, OFTEN, MANY);
}

static int setup_patient(void **state)
{
	return sweeping_with(state, "sweep_every = 0\n", MANY);
}

static int setup_hasty(void **state)
{
	return sweeping_with(state, OFTEN "answer_wait = 50ms\n", MANY);
}

static int setup_offer(void **state)
{
	return sweeping_with(state, OFTEN, MANY "recover = offer\n");
}

/* ---- what is shown ---- */

#define MISSED_CREATES "missed_webhooks_total{kind=\"create\"}"

static bool in_doubt(struct shipfrom *s, int64_t number)
{
	struct answer a = order_get(s, number);
	const cJSON *v = cJSON_GetObjectItem(a.json, "doubt");
	bool yes = cJSON_IsTrue(v);

	assert_int_equal(a.status, 200);
	assert_true(cJSON_IsBool(v));
	answer_release(&a);
	return yes;
}

/* ---- what is done ---- */

static void centra_is(struct shipfrom *s, const char *settings)
{
	sim_tell(&s->sim, "/settings", "{%s}", settings);
}

static void centra_does(struct shipfrom *s, int64_t number, const char *verb,
			const char *json)
{
	char path[64];

	snprintf(path, sizeof(path), "/orders/%lld/%s", (long long)number,
		 verb);
	sim_tell(&s->sim, path, "%s", json);
}

static void find_webhooks(struct shipfrom *s)
{
	sim_tell(&s->sim, "/hooks", "{\"off\":false}");
}

static void expect_sees(struct shipfrom *s, int64_t number, const char *state)
{
	char word[STATE_ROOM];

	assert_string_equal(shop_sees(s, AMSTERDAM, number, word), state);
}

/* ---- a pending offer ---- */

/* Held for another reason too, which is the one that is shown, or none is. */
static void stays_pending(struct shipfrom *s, const char *settings)
{
	struct answer a;
	int64_t number;

	centra_is(s, settings);
	number = order_offered(s, NULL);
	for (int i = 0; i < 3; i++) {
		sweep(s);
		expect_sees(s, number, "pending");
	}
	a = shop_does(s, AMSTERDAM, number, "accept", "{}");
	assert_int_equal(a.status, 200);
	assert_string_equal(text_of(a.json, "state"), "accepted");
	answer_release(&a);
	shipfrom_passed(s);
}

static void an_order_held_for_fraud_too_stays_pending(void **state)
{
	stays_pending(*state, "\"other_hold\":100,\"other_hold_ms\":600000");
}

static void an_order_whose_reason_reads_null_stays_pending(void **state)
{
	stays_pending(*state, "\"null_reason\":100");
}

static void one_look_that_shows_nobody_asked_ends_nothing(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_offered(s, NULL);

	lose_webhooks(s);
	centra_does(s, number, "resume", "{}");
	sweep(s);
	sweep(s); /* less than a minute after the first */
	expect_sees(s, number, "pending");
	shipfrom_passed(s);
}

static void what_two_looks_ended_is_open_again_once_it_waits(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_offered(s, NULL);

	lose_webhooks(s);
	centra_does(s, number, "resume", "{}");
	sweep(s);
	wait_state(s, AMSTERDAM, number, "rejected", 10000);
	journal_has(s, number, "found", "over");
	/* The looks were wrong, or it is asked again: it waits. */
	centra_does(s, number, "reoffer", "{\"webhook\":false}");
	sweep(s);
	wait_state(s, AMSTERDAM, number, "pending", 5000);
	shipfrom_passed(s);
}

/* ---- doubt ---- */

static void stays_accepted(struct shipfrom *s, const char *wrong,
			   const char *right)
{
	int64_t number = order_accepted(s, NULL);
	char code[STATE_ROOM];

	assert_false(in_doubt(s, number));
	centra_is(s, wrong);
	sweep(s);
	expect_sees(s, number, "accepted");
	assert_true(in_doubt(s, number));
	metric_becomes(s, "orders_in_doubt", 1, 15000);
	journal_has(s, number, "doubt", "begun");
	assert_int_equal(order_ship(s, number, PARCEL, code), 409);
	assert_string_equal(code, "in_doubt");
	expect_sees(s, number, "accepted");
	centra_is(s, right);
	/* A press makes a fresh look. */
	assert_int_equal(order_ship(s, number, PARCEL, code), 200);
	assert_false(in_doubt(s, number));
	metric_becomes(s, "orders_in_doubt", 0, 15000);
	shipfrom_passed(s);
}

static void a_reply_without_allocations_takes_nothing_back(void **state)
{
	stays_accepted(*state, "\"empty_allocations\":100",
		       "\"empty_allocations\":0");
}

static void allocations_that_come_late_take_nothing_back(void **state)
{
	struct shipfrom *s = *state;
	struct answer a;
	int64_t number;

	centra_is(s, "\"late_allocations\":3000");
	for (int i = 0; i < 4; i++) {
		number = order_offered(s, NULL);
		a = shop_does(s, AMSTERDAM, number, "accept", "{}");
		assert_int_equal(a.status, 200);
		answer_release(&a);
		sweep(s);
		expect_sees(s, number, "accepted");
	}
	/* And by themselves the doubts are cleared. */
	metric_becomes(s, "orders_in_doubt", 0, 15000);
	shipfrom_passed(s);
}

static void a_shipment_that_centra_makes_takes_nothing_back(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_accepted(s, NULL);
	char code[STATE_ROOM];

	centra_is(s, "\"allocations_leave\":true");
	centra_does(s, number, "shipment", "{}");
	sweep(s);
	expect_sees(s, number, "accepted");
	assert_true(in_doubt(s, number));
	/* Whose it is, Centra does not say: it is not taken for ours. */
	assert_int_equal(order_ship(s, number, PARCEL, code), 409);
	assert_string_equal(code, "in_doubt");
	shipfrom_passed(s);
}

static void a_shipment_of_ours_leaves_no_doubt_either_way(void **state)
{
	struct shipfrom *s = *state;
	int64_t number;
	char code[STATE_ROOM];

	for (int leave = 0; leave < 2; leave++) {
		centra_is(s, leave ? "\"allocations_leave\":true"
				   : "\"allocations_leave\":false");
		number = order_accepted(s, NULL);
		assert_int_equal(order_ship(s, number, PARCEL, code), 200);
		sweep(s);
		expect_sees(s, number, "accepted");
		assert_false(in_doubt(s, number));
	}
	metric_becomes(s, "orders_in_doubt", 0, 15000);
	shipfrom_passed(s);
}

static bool in_doubt_is_told(void *arg)
{
	struct order_of *w = arg;
	char code[STATE_ROOM];

	return order_ship(w->s, w->number, PARCEL, code) == 409 &&
	       !strcmp(code, "in_doubt");
}

static void ship_in_doubt_is_202_while_it_looks_and_then_409(void **state)
{
	struct shipfrom *s = *state;
	struct order_of w = {.s = s, .number = order_accepted(s, NULL)};
	char code[STATE_ROOM];

	centra_is(s, "\"empty_allocations\":100");
	sweep(s);
	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"graphql\",\"kind\":\"slow\",\"ms\":1500,"
		 "\"order\":%lld}",
		 (long long)w.number);
	assert_int_equal(order_ship(s, w.number, PARCEL, code), 202);
	assert_true(wait_until(in_doubt_is_told, &w, 10000));
	shipfrom_passed(s);
}

static void doubt_outlives_a_crash_and_is_looked_into_again(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_accepted(s, NULL);

	centra_is(s, "\"empty_allocations\":100");
	sweep(s);
	assert_true(in_doubt(s, number));
	shipfrom_kill_9(s);
	shipfrom_again(s);
	assert_true(in_doubt(s, number));
	assert_int_equal(metric(s, "orders_in_doubt"), 1);
	centra_is(s, "\"empty_allocations\":0");
	/* No sweep is asked for: the look that is due clears it. */
	metric_becomes(s, "orders_in_doubt", 0, 15000);
	assert_false(in_doubt(s, number));
	shipfrom_passed(s);
}

/* ---- an order offered anew ---- */

static void timed_out(struct shipfrom *s, int64_t number)
{
	centra_does(s, number, "expire", "{}");
	wait_state(s, AMSTERDAM, number, "timed_out", 5000);
	sim_quiet(&s->sim);
}

static void the_lost_create_of_a_reoffer_is_found_and_counted(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_offered(s, NULL);

	timed_out(s, number);
	centra_does(s, number, "reoffer",
		    "{\"warehouses\":[3],\"webhook\":false}");
	sim_quiet(&s->sim);
	sweep(s);
	metric_becomes(s, MISSED_CREATES, 1, 15000);
	journal_has(s, number, "missed", "create");
	sweep(s);
	sweep(s);
	assert_int_equal(metric(s, MISSED_CREATES), 1);
	expect_sees(s, number, "timed_out"); /* recover = report */
	/* The next that is lost is another. */
	centra_does(s, number, "reoffer",
		    "{\"warehouses\":[3],\"expires_in\":700}");
	wait_state(s, AMSTERDAM, number, "pending", 5000);
	timed_out(s, number);
	centra_does(s, number, "reoffer",
		    "{\"warehouses\":[3],\"webhook\":false}");
	sweep(s);
	metric_becomes(s, MISSED_CREATES, 2, 15000);
	shipfrom_passed(s);
}

static void the_lost_create_of_a_reoffer_is_put_before_the_shops(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_offered(s, NULL);
	struct answer a;

	timed_out(s, number);
	centra_does(s, number, "reoffer",
		    "{\"warehouses\":[3],\"webhook\":false}");
	sweep(s);
	wait_state(s, AMSTERDAM, number, "pending", 10000);
	assert_int_equal(metric(s, MISSED_CREATES), 1);
	a = order_get(s, number);
	assert_true(cJSON_IsNull(cJSON_GetObjectItem(a.json, "expires_at")));
	answer_release(&a);
	a = shop_does(s, AMSTERDAM, number, "accept", "{}");
	assert_int_equal(a.status, 200);
	answer_release(&a);
	wait_alone(s, AMSTERDAM, number, "accepted", 5000);
	assert_int_equal(sim_winner(&s->sim, number), 3);
	shipfrom_passed(s);
}

static void the_lost_create_to_a_further_shop_is_put_before_it(void **state)
{
	struct shipfrom *s = *state;
	struct answer a = sim_do(&s->sim, "/orders", "{\"warehouses\":[2]}");
	int64_t number = number_of(a.json, "number");

	answer_release(&a);
	wait_state(s, STOCKHOLM, number, "pending", 5000);
	a = shop_does(s, STOCKHOLM, number, "reject", "{}");
	answer_release(&a);
	wait_state(s, STOCKHOLM, number, "rejected", 5000);
	sim_quiet(&s->sim);
	centra_does(s, number, "reoffer",
		    "{\"warehouses\":[3],\"webhook\":false}");
	sweep(s);
	wait_state(s, AMSTERDAM, number, "pending", 10000);
	assert_int_equal(metric(s, MISSED_CREATES), 1);
	find_webhooks(s);
	a = shop_does(s, AMSTERDAM, number, "accept", "{}");
	assert_int_equal(a.status, 200);
	answer_release(&a);
	shipfrom_passed(s);
}

int main(void)
{
#define TEST_AS(start, name)                                                  \
	cmocka_unit_test_setup_teardown(name, start, shipfrom_end)
#define TEST(name) TEST_AS(setup, name)
	const struct CMUnitTest tests[] = {
		TEST(an_order_held_for_fraud_too_stays_pending),
		TEST(an_order_whose_reason_reads_null_stays_pending),
		TEST_AS(setup_patient,
			one_look_that_shows_nobody_asked_ends_nothing),
		TEST(what_two_looks_ended_is_open_again_once_it_waits),
		TEST(a_reply_without_allocations_takes_nothing_back),
		TEST(allocations_that_come_late_take_nothing_back),
		TEST(a_shipment_that_centra_makes_takes_nothing_back),
		TEST(a_shipment_of_ours_leaves_no_doubt_either_way),
		TEST_AS(setup_hasty,
			ship_in_doubt_is_202_while_it_looks_and_then_409),
		TEST(doubt_outlives_a_crash_and_is_looked_into_again),
		TEST(the_lost_create_of_a_reoffer_is_found_and_counted),
		TEST_AS(setup_offer,
			the_lost_create_of_a_reoffer_is_put_before_the_shops),
		TEST_AS(setup_offer,
			the_lost_create_to_a_further_shop_is_put_before_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
