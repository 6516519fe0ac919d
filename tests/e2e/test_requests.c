/* SPDX-License-Identifier: MIT
 *
 * Allocation requests ("Direct, then confirm"): two shops that hold the same
 * lines, replies and webhooks that are lost, time that runs out, and both kinds
 * of offers in one order.
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

#define POLL "poll_requests = 200ms\n"
#define SOON "missed_after = 300ms\nanswer_wait = 500ms\nlook_again = 500ms\n"
#define ANOTHER_PARCEL "{\"carrier\":\"PostNord\",\"tracking\":\"SE456\"}"
#define BOTH "{\"warehouse\":2},{\"warehouse\":3}"

static struct shipfrom *start(void **state, const char *centra)
{
	struct shipfrom *s = shipfrom_with(SOON, centra);

	*state = s;
	return s;
}

/* An order with these requests; `more`: further members, each with a comma
 * before it. */
static int64_t place(struct shipfrom *s, const char *requests, const char *more)
{
	struct answer a = sim_do(&s->sim, "/orders", "{\"requests\":[%s]%s}",
				 requests, more);
	int64_t number = number_of(a.json, "number");

	answer_release(&a);
	return number;
}

static int64_t asked_of_both(struct shipfrom *s)
{
	int64_t n = place(s, BOTH, "");

	wait_state(s, STOCKHOLM, n, "pending", 5000);
	wait_state(s, AMSTERDAM, n, "pending", 5000);
	return n;
}

static void press(struct shipfrom *s, enum shop shop, int64_t n,
		  const char *verb)
{
	struct answer a = shop_does(s, shop, n, verb, "{}");

	if (a.status != 200 && a.status != 202)
		fail_msg("%s: %ld %s", verb, a.status, a.body);
	answer_release(&a);
}

/* Calls about an order: how many of this name Centra has seen and acted on. */
static int calls(struct shipfrom *s, int64_t n, const char *what, bool acted)
{
	char url[200];
	struct answer a;
	const cJSON *c;
	int ret = 0;

	snprintf(url, sizeof(url), "%s/control/calls?order=%lld", s->sim.url,
		 (long long)n);
	a = http_get(url, NULL);
	cJSON_ArrayForEach(c, cJSON_GetObjectItem(a.json, "calls"))
		ret += !strcmp(text_of(c, "what"), what) &&
		       (!acted || cJSON_IsTrue(cJSON_GetObjectItem(c, "acted")));
	answer_release(&a);
	return ret;
}

static bool flag_of(struct shipfrom *s, int64_t n, const char *name)
{
	struct answer a = order_get(s, n);
	bool ret = cJSON_IsTrue(cJSON_GetObjectItem(a.json, name));

	answer_release(&a);
	return ret;
}

static void the_first_confirm_wins_and_the_other_shop_has_lost(void **state)
{
	struct shipfrom *s = start(state, MANY);
	int64_t n = asked_of_both(s);
	struct answer a = order_get(s, n);

	assert_string_equal(text_of(a.json, "kind"), "allocation_request");
	answer_release(&a);
	press(s, AMSTERDAM, n, "accept");
	wait_alone(s, AMSTERDAM, n, "accepted", 5000);
	wait_state(s, STOCKHOLM, n, "taken", 5000);
	assert_int_equal(sim_winner(&s->sim, n), 3);
	assert_int_equal(sim_accepts(&s->sim, n), 1);
	shipfrom_passed(s);
}

static void of_two_shops_at_once_one_gets_it(void **state)
{
	struct shipfrom *s = start(state, MANY);

	for (int i = 0; i < 6; i++) {
		int64_t n = asked_of_both(s);
		struct answer a = shop_does(s, STOCKHOLM, n, "accept", "{}");
		struct answer b = shop_does(s, AMSTERDAM, n, "accept", "{}");
		bool first = sim_winner(&s->sim, n) == 2;

		wait_state(s, first ? STOCKHOLM : AMSTERDAM, n, "accepted",
			   5000);
		wait_state(s, first ? AMSTERDAM : STOCKHOLM, n, "taken", 5000);
		assert_int_equal(sim_accepts(&s->sim, n), 1);
		answer_release(&a);
		answer_release(&b);
	}
	shipfrom_passed(s);
}

static void a_reply_lost_after_centra_acted_ends_accepted(void **state)
{
	struct shipfrom *s = start(state, MANY);
	int64_t n = asked_of_both(s);

	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"order\",\"kind\":\"drop\",\"when\":\"after\","
		 "\"what\":\"allocation-request\"}");
	press(s, AMSTERDAM, n, "accept");
	wait_alone(s, AMSTERDAM, n, "accepted", 8000);
	wait_state(s, STOCKHOLM, n, "taken", 5000);
	assert_int_equal(calls(s, n, "allocation-request", true), 1);
	shipfrom_passed(s);
}

static void a_reply_lost_before_centra_acted_is_sent_again(void **state)
{
	struct shipfrom *s = start(state, MANY);
	int64_t n = asked_of_both(s);

	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"order\",\"kind\":\"500\",\"count\":2,"
		 "\"what\":\"allocation-request\"}");
	press(s, AMSTERDAM, n, "accept");
	wait_alone(s, AMSTERDAM, n, "accepted", 8000);
	assert_int_equal(calls(s, n, "allocation-request", true), 1);
	assert_int_equal(calls(s, n, "allocation-request", false), 3);
	shipfrom_passed(s);
}

/* The list is behind by a moment: Centra says that the request is confirmed,
 * and the reply to the confirmation was lost. */
static void a_lost_reply_and_a_list_that_fails_are_not_taken_for_a_no(
	void **state)
{
	struct shipfrom *s = start(state, MANY);
	int64_t n = asked_of_both(s);

	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"order\",\"kind\":\"half\","
		 "\"what\":\"allocation-request\"}");
	press(s, AMSTERDAM, n, "accept");
	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"order\",\"kind\":\"html\",\"count\":2,"
		 "\"what\":\"allocation-requests\"}");
	wait_alone(s, AMSTERDAM, n, "accepted", 10000);
	assert_int_equal(calls(s, n, "allocation-request", true), 1);
	shipfrom_passed(s);
}

static void a_request_that_timed_out_can_still_be_accepted(void **state)
{
	struct shipfrom *s = start(state, MANY POLL);
	int64_t n = asked_of_both(s);

	assert_false(flag_of(s, n, "late"));
	sim_tell(&s->sim, "/settings", "{\"timed_out_webhooks\":true}");
	{
		char path[64];

		snprintf(path, sizeof(path), "/orders/%lld/expire",
			 (long long)n);
		sim_tell(&s->sim, path, "{}");
	}
	for (int i = 0; i < 500 && !flag_of(s, n, "late"); i++)
		sim_quiet(&s->sim);
	assert_true(flag_of(s, n, "late"));
	assert_true(flag_of(s, n, "expired"));
	wait_state(s, AMSTERDAM, n, "pending", 1000);
	press(s, AMSTERDAM, n, "accept");
	wait_alone(s, AMSTERDAM, n, "accepted", 5000);
	shipfrom_passed(s);
}

static void without_stock_a_late_accept_is_refused_in_centras_words(
	void **state)
{
	struct shipfrom *s = start(state, MANY);
	int64_t n = asked_of_both(s);
	char path[64];
	struct answer a;

	sim_tell(&s->sim, "/settings", "{\"late_stock\":false}");
	snprintf(path, sizeof(path), "/orders/%lld/expire", (long long)n);
	sim_tell(&s->sim, path, "{}");
	a = shop_does(s, AMSTERDAM, n, "accept", "{}");
	answer_release(&a);
	wait_state(s, AMSTERDAM, n, "refused", 5000);
	a = order_get(s, n);
	assert_non_null(strstr(text_of(a.json, "refusal"), "sufficient stock"));
	answer_release(&a);
	sim_tell(&s->sim, "/settings", "{\"late_stock\":true}");
	press(s, AMSTERDAM, n, "accept");
	wait_alone(s, AMSTERDAM, n, "accepted", 5000);
	shipfrom_passed(s);
}

static void a_flow_that_ends_without_a_winner_ends_as_timed_out(void **state)
{
	struct shipfrom *s = start(state, MANY);
	int64_t n = asked_of_both(s);
	char path[64];

	snprintf(path, sizeof(path), "/orders/%lld/outdate", (long long)n);
	sim_tell(&s->sim, path, "{}");
	wait_state(s, AMSTERDAM, n, "timed_out", 5000);
	wait_state(s, STOCKHOLM, n, "timed_out", 5000);
	shipfrom_passed(s);
}

static void a_reject_asks_the_next_priority(void **state)
{
	struct shipfrom *s = start(state, MANY);
	int64_t n = place(s,
			  "{\"warehouse\":3,\"priority\":1},"
			  "{\"warehouse\":2,\"priority\":2}",
			  "");
	char state_of[STATE_ROOM];

	wait_state(s, AMSTERDAM, n, "pending", 5000);
	assert_string_equal(shop_sees(s, STOCKHOLM, n, state_of), "404");
	press(s, AMSTERDAM, n, "reject");
	wait_state(s, AMSTERDAM, n, "rejected", 5000);
	wait_state(s, STOCKHOLM, n, "pending", 5000);
	press(s, STOCKHOLM, n, "accept");
	wait_alone(s, STOCKHOLM, n, "accepted", 5000);
	shipfrom_passed(s);
}

static void polling_alone_brings_and_ends_requests(void **state)
{
	struct shipfrom *s = start(state, MANY POLL);
	int64_t n;

	sim_tell(&s->sim, "/hooks", "{\"off\":true}");
	n = asked_of_both(s);
	press(s, AMSTERDAM, n, "accept");
	wait_alone(s, AMSTERDAM, n, "accepted", 5000);
	wait_state(s, STOCKHOLM, n, "taken", 5000);
	wait_metric(s, "missed_webhooks_total{kind=\"create\"}", 2,
		    5000);
	journal_has(s, n, "missed", "create");
	shipfrom_passed(s);
}

static void a_webhook_that_came_is_not_missed(void **state)
{
	struct shipfrom *s = start(state, MANY POLL);
	int64_t n = asked_of_both(s), other;

	sim_quiet(&s->sim);
	press(s, AMSTERDAM, n, "accept");
	wait_alone(s, AMSTERDAM, n, "accepted", 5000);
	/* A further one, so that the list was read long after the first. */
	sim_tell(&s->sim, "/hooks", "{\"off\":true}");
	other = place(s, "{\"warehouse\":3}", "");
	wait_state(s, AMSTERDAM, other, "pending", 5000);
	wait_metric(s, "missed_webhooks_total{kind=\"create\"}", 1,
		    5000);
	assert_int_equal(
		metric(s, "missed_webhooks_total{kind=\"create\"}"),
		1);
	shipfrom_passed(s);
}

static void each_form_of_a_webhook_is_one_request_with_its_entry(void **state)
{
	static const char *const forms[] = {
		"\"timezone_type\":1,\"request_webhook_id\":\"order\"",
		"\"timezone_type\":2,\"request_lines_list\":true",
		"\"timezone_type\":3,\"request_webhook_id\":\"request\"",
	};
	struct shipfrom *s = start(state, MANY);

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		int64_t n;

		sim_tell(&s->sim, "/settings", "{%s}", forms[i]);
		n = asked_of_both(s);
		press(s, AMSTERDAM, n, "accept");
		wait_alone(s, AMSTERDAM, n, "accepted", 5000);
		wait_state(s, STOCKHOLM, n, "taken", 5000);
		assert_int_equal(calls(s, n, "allocation-request", true), 1);
	}
	shipfrom_passed(s);
}

static int lines_shown(struct shipfrom *s, int64_t n)
{
	struct answer a = order_get(s, n);
	int ret = cJSON_GetArraySize(cJSON_GetObjectItem(a.json, "lines"));

	if (!cJSON_IsTrue(cJSON_GetObjectItem(a.json, "lines_known")))
		ret = -1;
	answer_release(&a);
	return ret;
}

struct shown {
	struct shipfrom *s;
	int64_t number;
	int lines;
};

static bool shows(void *arg)
{
	const struct shown *w = arg;

	return lines_shown(w->s, w->number) == w->lines;
}

static void a_shop_sees_and_answers_all_requests_to_it_and_no_other_lines(
	void **state)
{
	struct shipfrom *s = start(state, MANY);
	int64_t n = place(s,
			  "{\"warehouse\":3,\"lines\":[0]},"
			  "{\"warehouse\":3,\"lines\":[2]},"
			  "{\"warehouse\":2,\"lines\":[1]}",
			  ",\"lines\":[{\"quantity\":1},{\"quantity\":2},"
			  "{\"quantity\":3}]");
	struct shown two = {s, n, 2};

	wait_state(s, AMSTERDAM, n, "pending", 5000);
	if (!wait_until(shows, &two, 5000))
		fail_msg("%d lines are shown", lines_shown(s, n));
	press(s, AMSTERDAM, n, "accept");
	wait_state(s, AMSTERDAM, n, "accepted", 5000);
	assert_int_equal(calls(s, n, "allocation-request", true), 2);
	wait_state(s, STOCKHOLM, n, "pending", 1000);
	press(s, STOCKHOLM, n, "accept");
	wait_state(s, STOCKHOLM, n, "accepted", 5000);
	wait_state(s, AMSTERDAM, n, "accepted", 1000);
	assert_int_equal(lines_shown(s, n), 2);
	shipfrom_passed(s);
}

static void a_further_request_after_the_accept_is_a_question_of_its_own(
	void **state)
{
	struct shipfrom *s = start(state, MANY);
	int64_t n = place(s, "{\"warehouse\":3,\"lines\":[0]}",
			  ",\"lines\":[{\"quantity\":1},{\"quantity\":1}]");
	char path[64];

	wait_state(s, AMSTERDAM, n, "pending", 5000);
	press(s, AMSTERDAM, n, "accept");
	wait_state(s, AMSTERDAM, n, "accepted", 5000);
	snprintf(path, sizeof(path), "/orders/%lld/requests", (long long)n);
	sim_tell(&s->sim, path,
		 "{\"requests\":[{\"warehouse\":3,\"lines\":[1]}],"
		 "\"expires_in\":900}");
	wait_state(s, AMSTERDAM, n, "pending", 5000);
	assert_false(flag_of(s, n, "stop"));
	assert_int_equal(calls(s, n, "allocation-request", true), 1);
	press(s, AMSTERDAM, n, "reject");
	wait_state(s, AMSTERDAM, n, "accepted", 5000);
	assert_int_equal(lines_shown(s, n), 1);
	shipfrom_passed(s);
}

static void both_kinds_in_one_order_end_with_one_winner(void **state)
{
	struct shipfrom *s = start(state, MANY POLL);
	int64_t n = place(s, "{\"warehouse\":3}", ",\"warehouses\":[2]");

	/* By the request. */
	wait_state(s, AMSTERDAM, n, "pending", 5000);
	wait_state(s, STOCKHOLM, n, "pending", 5000);
	press(s, AMSTERDAM, n, "accept");
	wait_alone(s, AMSTERDAM, n, "accepted", 5000);
	sim_quiet(&s->sim);
	{
		char seen[STATE_ROOM];

		for (int i = 0; i < 200; i++)
			if (strcmp(shop_sees(s, STOCKHOLM, n, seen), "pending"))
				break;
		assert_string_not_equal(shop_sees(s, STOCKHOLM, n, seen),
					"accepted");
	}
	assert_int_equal(sim_accepts(&s->sim, n), 1);

	/* By check-first. */
	n = place(s, "{\"warehouse\":3}", ",\"warehouses\":[2]");
	wait_state(s, AMSTERDAM, n, "pending", 5000);
	wait_state(s, STOCKHOLM, n, "pending", 5000);
	press(s, STOCKHOLM, n, "accept");
	wait_alone(s, STOCKHOLM, n, "accepted", 5000);
	wait_state(s, AMSTERDAM, n, "taken", 5000);
	assert_int_equal(sim_accepts(&s->sim, n), 1);
	shipfrom_passed(s);
}

static void what_was_confirmed_is_shipped(void **state)
{
	struct shipfrom *s = start(state, MANY);
	int64_t n = place(s, "{\"warehouse\":3}",
			  ",\"lines\":[{\"quantity\":2},{\"quantity\":1}]");
	struct order_of o = {.s = s, .number = n};
	char code[STATE_ROOM];

	wait_state(s, AMSTERDAM, n, "pending", 5000);
	press(s, AMSTERDAM, n, "accept");
	wait_state(s, AMSTERDAM, n, "accepted", 5000);
	assert_true(wait_until(order_has_address, &o, 5000));
	(void)order_ship(s, n, PARCEL, code);
	wait_stage(s, n, "shipped", 8000);
	expect_shipped(s, n, 1, 3);
	shipfrom_passed(s);
}

static void ask_more(struct shipfrom *s, int64_t n, const char *requests)
{
	char path[64];

	snprintf(path, sizeof(path), "/orders/%lld/requests", (long long)n);
	sim_tell(&s->sim, path, "{\"requests\":[%s],\"expires_in\":900}",
		 requests);
}

/* An order whose first line was asked of Amsterdam, confirmed and sent. */
static int64_t a_line_is_sent(struct shipfrom *s)
{
	int64_t n = place(s, "{\"warehouse\":3,\"lines\":[0]}",
			  ",\"lines\":[{\"quantity\":2},{\"quantity\":1}]");
	struct order_of o = {.s = s, .number = n};
	char code[STATE_ROOM];

	wait_state(s, AMSTERDAM, n, "pending", 5000);
	press(s, AMSTERDAM, n, "accept");
	wait_state(s, AMSTERDAM, n, "accepted", 5000);
	assert_true(wait_until(order_has_address, &o, 5000));
	(void)order_ship(s, n, PARCEL, code);
	wait_stage(s, n, "shipped", 8000);
	return n;
}

static void what_is_confirmed_after_a_parcel_is_sent_too(void **state)
{
	struct shipfrom *s = start(state, MANY POLL);
	int64_t n = a_line_is_sent(s);
	struct shown one = {s, n, 1};
	char code[STATE_ROOM];

	ask_more(s, n, "{\"warehouse\":3,\"lines\":[1]}");
	wait_state(s, AMSTERDAM, n, "pending", 5000);
	press(s, AMSTERDAM, n, "accept");
	wait_state(s, AMSTERDAM, n, "accepted", 5000);
	if (!wait_until(shows, &one, 5000))
		fail_msg("%d lines are shown", lines_shown(s, n));
	assert_false(flag_of(s, n, "shipped"));
	(void)order_ship(s, n, ANOTHER_PARCEL, code);
	for (int i = 0; i < 500 && !flag_of(s, n, "shipped"); i++)
		sim_quiet(&s->sim);
	assert_true(flag_of(s, n, "shipped"));
	expect_shipped(s, n, 2, 3);
	shipfrom_passed(s);
}

/* What was sent is done again once Centra asks for nothing more. */
static void a_further_request_that_is_lost_leaves_what_was_sent_done(
	void **state)
{
	struct shipfrom *s = start(state, MANY POLL);
	int64_t n = a_line_is_sent(s);

	assert_true(flag_of(s, n, "shipped"));
	ask_more(s, n,
		 "{\"warehouse\":3,\"lines\":[1]},"
		 "{\"warehouse\":2,\"lines\":[1]}");
	wait_state(s, AMSTERDAM, n, "pending", 5000);
	assert_false(flag_of(s, n, "shipped"));
	wait_state(s, STOCKHOLM, n, "pending", 5000);
	press(s, STOCKHOLM, n, "accept");
	wait_state(s, STOCKHOLM, n, "accepted", 5000);
	wait_state(s, AMSTERDAM, n, "accepted", 5000);
	assert_true(flag_of(s, n, "shipped"));
	shipfrom_passed(s);
}

static void a_cancelled_order_ends_its_request(void **state)
{
	struct shipfrom *s = start(state, MANY);
	int64_t n = asked_of_both(s);
	char path[64];

	press(s, AMSTERDAM, n, "accept");
	wait_state(s, AMSTERDAM, n, "accepted", 5000);
	snprintf(path, sizeof(path), "/orders/%lld/cancel", (long long)n);
	sim_tell(&s->sim, path, "{}");
	wait_state(s, AMSTERDAM, n, "cancelled", 5000);
	assert_true(flag_of(s, n, "stop"));
	shipfrom_passed(s);
}

/* A brand that uses check-first alone has not ticked the endpoints. */
static void endpoints_that_are_not_ticked_hold_back_no_other_call(void **state)
{
	struct shipfrom *s = start(state, MANY POLL);
	struct answer a;
	int64_t n;

	sim_tell(&s->sim, "/settings",
		 "{\"unticked\":[\"allocation-request\","
		 "\"allocation-requests\"]}");
	n = asked_of_both(s);
	a = shop_does(s, AMSTERDAM, n, "accept", "{}");
	assert_int_equal(a.status, 202);
	answer_release(&a);
	wait_metric(s, "configuration_alarms_total", 1, 5000);
	n = order_accepted(s, NULL); /* check-first */
	assert_int_equal(sim_winner(&s->sim, n), 3);
	shipfrom_passed(s);
}

static void killed_after_the_call_it_ends_right(void **state)
{
	struct shipfrom *s = start(state, MANY);
	int64_t n = asked_of_both(s);
	struct answer a;

	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"order\",\"kind\":\"slow\",\"when\":\"after\","
		 "\"ms\":3000,\"what\":\"allocation-request\"}");
	a = shop_does(s, AMSTERDAM, n, "accept", "{}");
	assert_int_equal(a.status, 202);
	answer_release(&a);
	for (int i = 0; i < 200 && sim_winner(&s->sim, n) != 3; i++)
		;
	assert_int_equal(sim_winner(&s->sim, n), 3);
	shipfrom_kill_9(s);
	shipfrom_again(s);
	wait_alone(s, AMSTERDAM, n, "accepted", 8000);
	wait_state(s, STOCKHOLM, n, "taken", 5000);
	assert_int_equal(sim_accepts(&s->sim, n), 1);
	shipfrom_passed(s);
}

#define T(name) cmocka_unit_test_teardown(name, shipfrom_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_first_confirm_wins_and_the_other_shop_has_lost),
		T(of_two_shops_at_once_one_gets_it),
		T(a_reply_lost_after_centra_acted_ends_accepted),
		T(a_reply_lost_before_centra_acted_is_sent_again),
		T(a_lost_reply_and_a_list_that_fails_are_not_taken_for_a_no),
		T(a_request_that_timed_out_can_still_be_accepted),
		T(without_stock_a_late_accept_is_refused_in_centras_words),
		T(a_flow_that_ends_without_a_winner_ends_as_timed_out),
		T(a_reject_asks_the_next_priority),
		T(polling_alone_brings_and_ends_requests),
		T(a_webhook_that_came_is_not_missed),
		T(each_form_of_a_webhook_is_one_request_with_its_entry),
		T(a_shop_sees_and_answers_all_requests_to_it_and_no_other_lines),
		T(a_further_request_after_the_accept_is_a_question_of_its_own),
		T(both_kinds_in_one_order_end_with_one_winner),
		T(what_was_confirmed_is_shipped),
		T(what_is_confirmed_after_a_parcel_is_sent_too),
		T(a_further_request_that_is_lost_leaves_what_was_sent_done),
		T(a_cancelled_order_ends_its_request),
		T(endpoints_that_are_not_ticked_hold_back_no_other_call),
		T(killed_after_the_call_it_ends_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
