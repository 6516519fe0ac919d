/* SPDX-License-Identifier: MIT
 *
 * Shipping: what becomes of the payment.
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

static int setup(void **state)
{
	*state = shipfrom_with(NULL, MANY);
	return 0;
}

static struct answer ship(struct shipfrom *s, int64_t number,
			  const char *parcel)
{
	return shop_does(s, AMSTERDAM, number, "ship", parcel);
}

static void what_is_paid_and_refused_goes_on_until_centra_takes_it(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_accepted(s, TWO_LINES),
		other = order_accepted(s, TWO_LINES);
	char code[STATE_ROOM];
	struct answer a;

	sim_tell(&s->sim, "/settings",
		 "{\"refuse_complete\":\"The carrier is unknown.\"}");
	a = ship(s, number, PARCEL);
	assert_int_equal(a.status, 409);
	assert_string_equal(text_of(a.json, "code"), "ship_failed");
	assert_non_null(
		strstr(text_of(a.json, "detail"), "The carrier is unknown."));
	answer_release(&a);
	assert_int_equal(order_ship(s, other, PARCEL, code), 409);
	sim_tell(&s->sim, "/settings", "{\"refuse_complete\":\"\"}");
	/* Nobody presses again. */
	wait_stage(s, number, "shipped", 20000);
	expect_shipped(s, number, 1, 3);
	/* Or somebody does, in other words. */
	(void)order_ship(s, other, "{\"carrier\":\"DHL\"}", code);
	wait_stage(s, other, "shipped", 20000);
	expect_shipped(s, other, 1, 3);
	shipfrom_passed(s);
}

static void a_capture_without_an_entry_in_the_history_is_one(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_accepted(s, TWO_LINES);
	char code[STATE_ROOM];

	sim_tell(&s->sim, "/settings", "{\"capture_entry_null\":true}");
	assert_int_equal(order_ship(s, number, PARCEL, code), 200);
	expect_shipped(s, number, 1, 3);
	journal_has(s, number, "step_done", "capture");
	shipfrom_passed(s);
}

static void a_payment_that_fails_is_402_and_can_be_tried_again(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_accepted(s, TWO_LINES);
	char code[STATE_ROOM];
	struct answer a;

	sim_tell(&s->sim, "/settings", "{\"capture\":\"fail\"}");
	for (int i = 0; i < 2; i++) {
		a = ship(s, number, PARCEL);
		assert_int_equal(a.status, 402);
		assert_string_equal(text_of(a.json, "code"), "capture_failed");
		assert_non_null(strstr(text_of(a.json, "detail"),
				       "do not hand the parcel over"));
		answer_release(&a);
	}
	a = order_get(s, number);
	assert_string_equal(stage_of(&a), "capture_failed");
	assert_string_equal(text_of(a.json, "state"), "accepted");
	answer_release(&a);
	assert_int_equal(sim_shipped(&s->sim, number).completions, 0);
	sim_tell(&s->sim, "/settings", "{\"capture\":\"ok\"}");
	assert_int_equal(order_ship(s, number, PARCEL, code), 200);
	expect_shipped(s, number, 1, 3);
	shipfrom_passed(s);
}

static void
a_payment_that_is_being_confirmed_is_202_and_goes_on_by_itself(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_accepted(s, TWO_LINES),
		refused = order_accepted(s, TWO_LINES);
	struct answer a;

	sim_tell(&s->sim, "/settings",
		 "{\"capture\":\"pending\",\"capture_ms\":1000}");
	a = ship(s, number, PARCEL);
	assert_int_equal(a.status, 202);
	assert_string_equal(
		text_of(cJSON_GetObjectItem(a.json, "shipment"), "capture"),
		"pending");
	assert_true(a.took < 5000); /* nobody waits for a payment */
	answer_release(&a);
	sim_tell(&s->sim, "/settings", "{\"capture_fails\":true}");
	a = ship(s, refused, PARCEL);
	assert_int_equal(a.status, 202);
	answer_release(&a);
	assert_int_equal(sim_shipped(&s->sim, number).completions, 0);
	wait_stage(s, number, "shipped", 15000);
	wait_stage(s, refused, "capture_failed", 15000);
	expect_shipped(s, number, 1, 3);
	assert_int_equal(sim_shipped(&s->sim, refused).completions, 0);
	shipfrom_passed(s);
}

static void
what_is_being_confirmed_is_looked_at_when_pressed_again(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_accepted(s, TWO_LINES), began = now_mono();
	char code[STATE_ROOM];

	sim_tell(&s->sim, "/settings",
		 "{\"capture\":\"pending\",\"capture_ms\":1}");
	assert_int_equal(order_ship(s, number, PARCEL, code), 202);
	(void)order_ship(s, number, PARCEL, code);
	wait_stage(s, number, "shipped", 8000);
	assert_true(now_mono() - began < 9000); /* else it came by itself */
	expect_shipped(s, number, 1, 3);
	shipfrom_passed(s);
}

static void with_ship_on_pending_capture_it_goes_on_at_once(void **state)
{
	struct shipfrom *s = shipfrom_with("answer_wait = 2s", MANY
					   "ship_on_pending_capture = yes\n");
	char code[STATE_ROOM];
	int64_t number, refused;

	*state = s;
	number = order_accepted(s, TWO_LINES);
	refused = order_accepted(s, TWO_LINES);
	sim_tell(&s->sim, "/settings",
		 "{\"capture\":\"pending\",\"ship_unpaid\":true}");
	assert_int_equal(order_ship(s, number, PARCEL, code), 200);
	assert_int_equal(sim_shipped(&s->sim, number).completions, 1);
	/* Where Centra will not, it waits after all. */
	sim_tell(&s->sim, "/settings", "{\"ship_unpaid\":false}");
	assert_int_equal(order_ship(s, refused, PARCEL, code), 202);
	assert_int_equal(sim_shipped(&s->sim, refused).completions, 0);
	shipfrom_passed(s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, shipfrom_end)
#define OWN(f) cmocka_unit_test_teardown(f, shipfrom_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_is_paid_and_refused_goes_on_until_centra_takes_it),
		T(a_capture_without_an_entry_in_the_history_is_one),
		T(a_payment_that_fails_is_402_and_can_be_tried_again),
		T(a_payment_that_is_being_confirmed_is_202_and_goes_on_by_itself),
		T(what_is_being_confirmed_is_looked_at_when_pressed_again),
		OWN(with_ship_on_pending_capture_it_goes_on_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
