/* SPDX-License-Identifier: MIT
 *
 * Shipping what was accepted: one shipment, one capture, one completion.  Also
 * parcels, and what comes between.
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

#define UNITS(n) ORDER_LINES("{\"quantity\":" #n "}")

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

static int lines_shown(struct shipfrom *s, int64_t number)
{
	struct answer a = order_get(s, number);
	int n = 0;
	const cJSON *l;

	cJSON_ArrayForEach(l, cJSON_GetObjectItem(a.json, "lines")) n +=
		(int)number_of(l, "quantity");
	answer_release(&a);
	return n;
}

/* ---- as it should be ---- */

/* Fails the test unless the first line of `why --json`, the order as it stands,
 * has a shipment at that stage, with its payment so. */
static void why_shows(struct shipfrom *s, int64_t number, const char *stage,
		      const char *capture)
{
	char word[32], *out = NULL;
	const char *words[] = {"why", word, "--json", NULL};
	const cJSON *offers, *shipment;
	cJSON *order;

	snprintf(word, sizeof(word), "%lld", (long long)number);
	assert_int_equal(shipfrom_run(s, &out, false, words), 0);
	out[strcspn(out, "\n")] = '\0';
	order = cJSON_Parse(out);
	offers = cJSON_GetObjectItem(order, "offers");
	shipment = cJSON_GetObjectItem(cJSON_GetArrayItem(offers, 1),
				       "shipments");
	shipment = cJSON_GetArrayItem(shipment, 0);
	if (strcmp(text_of(shipment, "stage"), stage) ||
	    strcmp(text_of(shipment, "capture"), capture))
		fail_msg("%s", out);
	cJSON_Delete(order);
	free(out);
}

static void what_is_shipped_is_made_captured_and_completed_once(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_accepted(s, TWO_LINES);
	struct answer a = ship(s, number, PARCEL);
	char code[STATE_ROOM];
	const cJSON *one;

	assert_int_equal(a.status, 200);
	one = cJSON_GetObjectItem(a.json, "shipment");
	assert_string_equal(text_of(one, "stage"), "shipped");
	assert_string_equal(text_of(one, "capture"), "done");
	assert_string_equal(text_of(one, "tracking"), "SE123");
	assert_true(*text_of(one, "shipped_at") != '\0');
	assert_int_equal(number_of(one, "packages"), 2);
	assert_int_equal(
		cJSON_GetArraySize(cJSON_GetObjectItem(a.json, "lines")), 0);
	answer_release(&a);
	expect_shipped(s, number, 1, 3);
	assert_string_equal(sim_shipped(&s->sim, number).carrier, "PostNord");
	assert_string_equal(sim_shipped(&s->sim, number).tracking, "SE123");

	assert_int_equal(order_ship(s, number, PARCEL, code), 200);
	assert_int_equal(order_ship(s, number, "{\"carrier\":\"DHL\"}", code),
			 409);
	assert_string_equal(code, "shipped");
	expect_shipped(s, number, 1, 3);
	journal_has(s, number, "step", "create");
	journal_has(s, number, "step_done", "capture");
	journal_has(s, number, "shipped", "all");
	why_shows(s, number, "shipped", "done");
	shipfrom_passed(s);
}

static void a_body_that_can_not_be_is_refused_with_its_field(void **state)
{
	static const struct {
		const char *body, *field;
	} rows[] = {
		{"{}", "carrier"},
		{"{\"carrier\":\"\"}", "carrier"},
		{"{\"carrier\":7}", "carrier"},
		{"{\"carrier\":\"A\",\"packages\":0}", "packages"},
		{"{\"carrier\":\"A\",\"packages\":100}", "packages"},
		{"{\"carrier\":\"A\",\"packages\":1.5}", "packages"},
		{"{\"carrier\":\"A\",\"tracking\":[]}", "tracking"},
		{"{\"carrier\":\"A\",\"lines\":[]}", "lines"},
		{"{\"carrier\":\"A\",\"lines\":[{\"line_id\":1,"
		 "\"quantity\":1}]}",
		 "lines"},
		{"{\"carrier\":\"A\",\"lines\":[{\"line_id\":1}]}", "lines"},
	};
	struct shipfrom *s = *state;
	int64_t number = order_accepted(s, TWO_LINES);
	char body[256], code[STATE_ROOM];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct answer a = ship(s, number, rows[i].body);

		if (a.status != 400 ||
		    strcmp(text_of(a.json, "field"), rows[i].field) != 0)
			fail_msg("%s: %ld %s", rows[i].body, a.status, a.body);
		answer_release(&a);
	}
	snprintf(body, sizeof(body),
		 "{\"carrier\":\"A\",\"lines\":[{\"line_id\":%lld,"
		 "\"quantity\":3}]}",
		 (long long)number * 10);
	assert_int_equal(order_ship(s, number, body, code), 400);
	assert_int_equal(sim_shipped(&s->sim, number).shipments, 0);
	shipfrom_passed(s);
}

static void only_what_is_accepted_can_be_shipped(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = sim_place(&s->sim, 600),
		ours = order_accepted(s, TWO_LINES);
	char path[64], code[STATE_ROOM];

	wait_state(s, AMSTERDAM, number, "pending", 5000);
	assert_int_equal(order_ship(s, number, PARCEL, code), 409);
	assert_string_equal(code, "not_accepted");
	assert_int_equal(order_ship(s, 999999, PARCEL, code), 404);
	snprintf(path, sizeof(path), "/orders/%lld/cancel", (long long)ours);
	sim_tell(&s->sim, path, "{}");
	wait_state(s, AMSTERDAM, ours, "cancelled", 5000);
	assert_int_equal(order_ship(s, ours, PARCEL, code), 409);
	assert_string_equal(code, "cancelled");
	assert_int_equal(sim_shipped(&s->sim, ours).shipments, 0);
	shipfrom_passed(s);
}

static void an_order_that_waits_to_be_confirmed_is_confirmed_first(void **state)
{
	struct shipfrom *s = *state;
	char code[STATE_ROOM];
	int64_t number;

	sim_tell(&s->sim, "/settings", "{\"autoconfirm\":false}");
	number = order_accepted(s, TWO_LINES);
	assert_int_equal(order_ship(s, number, PARCEL, code), 200);
	expect_shipped(s, number, 1, 3);
	journal_has(s, number, "step_done", "confirm");
	shipfrom_passed(s);
}

static void a_shipment_that_centra_made_is_used_and_no_second_made(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_accepted(s, TWO_LINES);
	char path[64], code[STATE_ROOM];

	snprintf(path, sizeof(path), "/orders/%lld/shipment",
		 (long long)number);
	sim_tell(&s->sim, path, "{}");
	assert_int_equal(order_ship(s, number, PARCEL, code), 200);
	expect_shipped(s, number, 1, 3);
	assert_string_equal(sim_shipped(&s->sim, number).tracking, "SE123");
	shipfrom_passed(s);
}

static void some_is_shipped_and_then_the_rest(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_accepted(s, TWO_LINES);
	char body[256], code[STATE_ROOM];
	struct answer a;

	assert_int_equal(lines_shown(s, number), 3);
	snprintf(body, sizeof(body),
		 "{\"carrier\":\"A\",\"tracking\":\"1\",\"lines\":"
		 "[{\"line_id\":%lld,\"quantity\":1}]}",
		 (long long)number * 10);
	assert_int_equal(order_ship(s, number, body, code), 200);
	assert_int_equal(sim_shipped(&s->sim, number).units, 1);
	assert_int_equal(lines_shown(s, number), 2);
	wait_state(s, AMSTERDAM, number, "accepted", 1000);
	/* The same press again is the same shipment. */
	assert_int_equal(order_ship(s, number, body, code), 200);
	assert_int_equal(sim_shipped(&s->sim, number).shipments, 1);

	a = ship(s, number, "{\"carrier\":\"A\",\"tracking\":\"2\"}");
	assert_int_equal(a.status, 200);
	assert_int_equal(
		cJSON_GetArraySize(cJSON_GetObjectItem(a.json, "shipments")),
		2);
	answer_release(&a);
	assert_int_equal(sim_shipped(&s->sim, number).shipments, 2);
	assert_int_equal(sim_shipped(&s->sim, number).captures, 2);
	assert_int_equal(sim_shipped(&s->sim, number).completions, 2);
	assert_int_equal(sim_shipped(&s->sim, number).units, 3);
	assert_int_equal(lines_shown(s, number), 0);
	assert_int_equal(order_ship(s, number, PARCEL, code), 409);
	assert_string_equal(code, "shipped");
	shipfrom_passed(s);
}

/* ---- parcels ---- */

/* Ships with an Idempotency-Key; the status. */
static long ships_with_key(struct shipfrom *s, int64_t number, const char *key,
			   const char *parcel)
{
	char url[256], bearer[128], header[64];
	const char *headers[] = {"Content-Type: application/json", bearer,
				 header, NULL};
	struct answer a;
	long status;

	snprintf(url, sizeof(url), "%s/api/v1/orders/%lld/ship", s->url,
		 (long long)number);
	snprintf(bearer, sizeof(bearer), "Authorization: Bearer %s",
		 s->tokens[AMSTERDAM]);
	snprintf(header, sizeof(header), "Idempotency-Key: %s", key);
	a = http_send("POST", url, headers, parcel, strlen(parcel));
	status = a.status;
	answer_release(&a);
	return status;
}

/* One unit of the first line. */
static const char *one_of(int64_t number, char ret[128])
{
	snprintf(ret, 128,
		 "{\"carrier\":\"A\",\"lines\":[{\"line_id\":%lld,"
		 "\"quantity\":1}]}",
		 (long long)number * 10);
	return ret;
}

/* Three equal parcels with a key each, in a Centra as it is set. */
static void three_equal_parcels(struct shipfrom *s, const char *const keys[4])
{
	int64_t number = order_accepted(s, UNITS(3));
	char parcel[128];

	one_of(number, parcel);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(ships_with_key(s, number, keys[i], parcel),
				 200);
		expect_shipped(s, number, i + 1, i + 1);
		assert_int_equal(lines_shown(s, number), 2 - i);
	}
	shipfrom_kill_9(s);
	shipfrom_again(s);
	for (int i = 0; i < 3; i++) /* each is known for what it was */
		assert_int_equal(ships_with_key(s, number, keys[i], parcel),
				 200);
	assert_int_equal(ships_with_key(s, number, keys[3], parcel), 409);
	expect_shipped(s, number, 3, 3);
}

static void three_equal_parcels_with_three_keys_are_three(void **state)
{
	static const char *const keys[] = {"1", "2", "3", "4"};
	static const char *const more[] = {"5", "6", "7", "8"};
	struct shipfrom *s = *state;

	three_equal_parcels(s, keys);
	sim_tell(&s->sim, "/settings", "{\"allocations_leave\":true}");
	three_equal_parcels(s, more);
	shipfrom_passed(s);
}

/* Of two, what is left can only be told by what our own shipment did. */
static void two_equal_parcels_are_two_where_allocations_leave(void **state)
{
	struct shipfrom *s = *state;
	char parcel[128];
	int64_t number;

	sim_tell(&s->sim, "/settings", "{\"allocations_leave\":true}");
	number = order_accepted(s, UNITS(2));
	one_of(number, parcel);
	assert_int_equal(ships_with_key(s, number, "a", parcel), 200);
	assert_int_equal(lines_shown(s, number), 1);
	assert_int_equal(ships_with_key(s, number, "b", parcel), 200);
	expect_shipped(s, number, 2, 2);
	shipfrom_passed(s);
}

/* A unit was taken from us when one was shipped, and Centra shows no more than
 * it would show if it had not been. */
static void what_the_readings_disagree_on_is_told_and_not_shipped(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_accepted(s, UNITS(2));
	char path[64], parcel[128];
	struct answer a;

	one_of(number, parcel);
	snprintf(path, sizeof(path), "/orders/%lld/allocate",
		 (long long)number);
	assert_int_equal(ships_with_key(s, number, "a", parcel), 200);
	sim_tell(&s->sim, path, "{\"allocated\":1}");
	assert_int_equal(ships_with_key(s, number, "b", parcel), 409);
	expect_shipped(s, number, 1, 1);
	a = order_get(s, number);
	assert_int_equal(number_of(a.json, "unclear"), 1);
	assert_int_equal(
		cJSON_GetArraySize(cJSON_GetObjectItem(a.json, "lines")), 0);
	assert_string_equal(
		text_of(cJSON_GetObjectItem(a.json, "problem"), "by"),
		"shipfrom");
	answer_release(&a);
	journal_has(s, number, "for_office", NULL);
	shipfrom_passed(s);
}

/* A bundle and a gift card beside the goods: shipped whole, and done. */
static void lines_without_stock_are_not_shipped_and_not_missed(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_accepted(s, BUNDLE);
	struct answer a = ship(s, number, PARCEL);

	assert_int_equal(a.status, 200);
	assert_true(cJSON_IsTrue(cJSON_GetObjectItem(a.json, "shipped")));
	answer_release(&a);
	expect_shipped(s, number, 1, 3);
	shipfrom_passed(s);
}

/* Between our look and our call Centra makes the shipment itself. */
static void where_somebody_was_first_a_look_finds_it(void **state)
{
	struct shipfrom *s = shipfrom_with("answer_wait = 100ms", MANY);
	char path[64], code[STATE_ROOM];
	int64_t number;

	*state = s;
	number = order_accepted(s, TWO_LINES);
	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"graphql\",\"order\":%lld,\"kind\":\"slow\","
		 "\"what\":\"createShipment\",\"when\":\"before\","
		 "\"ms\":1500}",
		 (long long)number);
	assert_int_equal(order_ship(s, number, PARCEL, code), 202);
	snprintf(path, sizeof(path), "/orders/%lld/shipment",
		 (long long)number);
	sim_tell(&s->sim, path, "{\"good_to_go\":false}");
	wait_stage(s, number, "shipped", 10000);
	expect_shipped(s, number, 1, 3);
	journal_has(s, number, "step_refused", "create");
	shipfrom_passed(s);
}

/* ---- what comes between ---- */

static void a_cancel_while_it_is_shipped_stops_it(void **state)
{
	struct shipfrom *s = shipfrom_with("answer_wait = 300ms", MANY);
	char path[64], code[STATE_ROOM];
	int64_t number;

	*state = s;
	number = order_accepted(s, TWO_LINES);
	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"graphql\",\"kind\":\"slow\",\"ms\":1500,"
		 "\"when\":\"after\",\"what\":\"createShipment\"}");
	assert_int_equal(order_ship(s, number, PARCEL, code), 202);
	snprintf(path, sizeof(path), "/orders/%lld/cancel", (long long)number);
	sim_tell(&s->sim, path, "{}");
	wait_stage(s, number, "failed", 8000);
	assert_int_equal(order_ship(s, number, PARCEL, code), 409);
	assert_string_equal(code, "cancelled");
	assert_int_equal(sim_shipped(&s->sim, number).captures, 0);
	assert_int_equal(sim_shipped(&s->sim, number).completions, 0);
	shipfrom_passed(s);
}

static void what_centra_holds_is_not_shipped_until_it_is_let_go(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_accepted(s, TWO_LINES);
	char path[64], code[STATE_ROOM];

	snprintf(path, sizeof(path), "/orders/%lld/allocate",
		 (long long)number);
	sim_tell(&s->sim, path, "{\"hold\":\"WAITING_FOR_PAYMENT\"}");
	assert_int_equal(order_ship(s, number, PARCEL, code), 409);
	assert_string_equal(code, "on_hold");
	assert_int_equal(sim_shipped(&s->sim, number).shipments, 0);
	sim_tell(&s->sim, path, "{\"hold\":\"\"}");
	assert_int_equal(order_ship(s, number, PARCEL, code), 200);
	expect_shipped(s, number, 1, 3);
	shipfrom_passed(s);
}

static void what_was_allocated_elsewhere_since_is_not_shipped(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_accepted(s, TWO_LINES);
	char path[64], code[STATE_ROOM];

	snprintf(path, sizeof(path), "/orders/%lld/allocate",
		 (long long)number);
	sim_tell(&s->sim, path, "{\"warehouse\":2}");
	assert_int_equal(order_ship(s, number, PARCEL, code), 409);
	assert_string_equal(code, "not_accepted");
	assert_int_equal(sim_shipped(&s->sim, number).shipments, 0);
	shipfrom_passed(s);
}

static void where_another_system_ships_it_is_only_written_down(void **state)
{
	struct shipfrom *s = shipfrom_with(NULL, MANY "ship_with = none\n");
	char code[STATE_ROOM];
	int64_t number;

	*state = s;
	number = order_accepted(s, TWO_LINES);
	assert_int_equal(order_ship(s, number, PARCEL, code), 200);
	assert_int_equal(sim_shipped(&s->sim, number).shipments, 0);
	assert_int_equal(lines_shown(s, number), 0);
	wait_stage(s, number, "shipped", 1000);
	journal_has(s, number, "shipped_here", NULL);
	shipfrom_passed(s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, shipfrom_end)
#define OWN(f) cmocka_unit_test_teardown(f, shipfrom_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_is_shipped_is_made_captured_and_completed_once),
		T(a_body_that_can_not_be_is_refused_with_its_field),
		T(only_what_is_accepted_can_be_shipped),
		T(an_order_that_waits_to_be_confirmed_is_confirmed_first),
		T(a_shipment_that_centra_made_is_used_and_no_second_made),
		T(some_is_shipped_and_then_the_rest),
		T(three_equal_parcels_with_three_keys_are_three),
		T(two_equal_parcels_are_two_where_allocations_leave),
		T(what_the_readings_disagree_on_is_told_and_not_shipped),
		T(lines_without_stock_are_not_shipped_and_not_missed),
		OWN(where_somebody_was_first_a_look_finds_it),
		OWN(a_cancel_while_it_is_shipped_stops_it),
		T(what_centra_holds_is_not_shipped_until_it_is_let_go),
		T(what_was_allocated_elsewhere_since_is_not_shipped),
		OWN(where_another_system_ships_it_is_only_written_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
