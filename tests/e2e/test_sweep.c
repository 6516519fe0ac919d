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

#include "tests/harness/orders.h"
#include "tests/harness/wait.h"

#define NUMBER 7001

static int begin(void **state, const char *server, const char *centra)
{
	struct shipfrom_options o = {.server = server, .centra = centra};

	*state = shipfrom_start(&o);
	return 0;
}

static int setup(void **state)
{
	return begin(state,
		     "answer_wait = 300ms\nmissed_after = 400ms\n"
		     "look_again = 500ms\n",
		     NULL);
}

static int setup_much(void **state)
{
	return begin(state, "missed_after = 400ms\n",
		     "graphql_requests = 1000\n");
}

static int setup_patient(void **state)
{
	return begin(state, "missed_after = 1500ms\n", NULL);
}

static int setup_offer(void **state)
{
	return begin(state,
		     "answer_wait = 5s\nmissed_after = 500ms\n"
		     "look_again = 500ms\n",
		     "recover = offer\n");
}

static int setup_often(void **state)
{
	return begin(state, "sweep_every = 300ms\nmissed_after = 300ms\n",
		     NULL);
}

/* What is to be seen is not how long the budget takes. */
static int setup_often_and_much(void **state)
{
	return begin(state, "sweep_every = 300ms\nmissed_after = 300ms\n",
		     "graphql_requests = 1000\n");
}

/* A second instance, where nobody is at home. */
static int setup_two(void **state)
{
	return begin(state, "sweep_every = 0\n",
		     "\n[centra no]\nwebhook_secret = test456\n"
		     "order_api_url = http://127.0.0.1:1/api\n"
		     "order_api_key = key\n"
		     "graphql_url = http://127.0.0.1:1/graphql\n"
		     "graphql_token = token\n");
}

/* ---- what is shown ---- */

static int64_t missed(struct shipfrom *s, const char *kind)
{
	char name[80];

	snprintf(name, sizeof(name), "missed_webhooks_total{kind=\"%s\"}",
		 kind);
	return metric(s, name);
}

static void wait_missed(struct shipfrom *s, const char *kind, int64_t n)
{
	char name[80];

	snprintf(name, sizeof(name), "missed_webhooks_total{kind=\"%s\"}",
		 kind);
	wait_metric(s, name, n, 10000);
	assert_int_equal(metric(s, name), n);
}

/* All kinds in the order create, accepted, rejected, timeout, cancel. */
static void expect_missed(struct shipfrom *s, const int64_t expect[5])
{
	static const char *const kinds[] = {
		"create", "accepted", "rejected", "timeout", "cancel"};

	for (int i = 0; i < 5; i++)
		if (missed(s, kinds[i]) != expect[i])
			fail_msg("%s is counted %lld times, not %lld",
				 kinds[i], (long long)missed(s, kinds[i]),
				 (long long)expect[i]);
}

#define EXPECT_MISSED(s, ...)                                                 \
	expect_missed((s), (const int64_t[]){__VA_ARGS__})

static bool none_is_judged(void *arg)
{
	const char *words[] = {"tasks", "--json", NULL};
	char *out = NULL;
	bool none;

	assert_int_equal(shipfrom_run(arg, &out, false, words), 0);
	none = !strstr(out, "\"missed\"");
	free(out);
	return none;
}

static void wait_judged(struct shipfrom *s)
{
	assert_true(wait_until(none_is_judged, s, 15000));
}

/* Asks for a sweep, and waits until it is done. */
static void ask_for_sweep(struct shipfrom *s)
{
	const char *words[] = {"sweep", NULL};
	char *out = NULL;

	assert_int_equal(shipfrom_run(s, &out, true, words), 0);
	free(out);
}

static void sweep(struct shipfrom *s)
{
	int64_t done = metric(s, "sweeps_total");

	ask_for_sweep(s);
	wait_metric(s, "sweeps_total", done + 1, 10000);
}

/* ---- what is done ---- */

static int64_t placed(struct shipfrom *s, const char *more)
{
	struct answer a = sim_do(&s->sim, "/orders", "{%s}", more);
	int64_t number = number_of(a.json, "number");

	answer_release(&a);
	return number;
}

/* An order for Amsterdam alone, of which the shop knows. */
static int64_t offered(struct shipfrom *s, int expires_in)
{
	char more[80];

	snprintf(more, sizeof(more), "\"warehouses\":[3],\"expires_in\":%d",
		 expires_in);
	return order_offered(s, more);
}

static void does(struct shipfrom *s, int64_t number, const char *verb)
{
	char path[64];

	snprintf(path, sizeof(path), "/orders/%lld/%s", (long long)number,
		 verb);
	sim_tell(&s->sim, path, "{\"warehouse\":3}");
}

static void lose_webhooks(struct shipfrom *s)
{
	sim_tell(&s->sim, "/hooks", "{\"off\":true}");
}

static void send_create(struct shipfrom *s, int64_t number)
{
	char date[STAMP_ROOM], until[STAMP_ROOM], json[400];
	struct answer a;

	stamp(date, -1, 5);
	iso(until, 600);
	snprintf(json, sizeof(json),
		 "{\"events\":[{\"type\":\"check_first\",\"action\":"
		 "\"create\",\"date\":\"%s\",\"id\":%lld,\"data\":"
		 "{\"warehouses\":[{\"warehouseId\":3,\"expirationAt\":\"%s\"}"
		 "]}}]}",
		 date, (long long)number, until);
	a = webhook_send(s->hook, json, SPACE_PLUS);
	assert_int_equal(a.status, 200);
	answer_release(&a);
}

/* ---- each kind ---- */

static void a_lost_create_is_found_by_the_second_look(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = placed(s, "\"warehouses\":[3],\"webhook\":false");
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
	first = placed(s, "\"warehouses\":[3],\"webhook\":false,\"count\":205");
	sim_tell(&s->sim, "/faults",
		 "[{\"api\":\"graphql\",\"what\":\"orders\",\"kind\":\"gzip\"},"
		 "{\"api\":\"graphql\",\"what\":\"orders\",\"kind\":\"slow\","
		 "\"ms\":2000}]");
	ask_for_sweep(s);
	assert_true(wait_until(first_page_is_read, s, 10000));
	for (int i = 0; i < 3; i++)
		does(s, first + i, "resume");
	wait_metric(s, "missed_webhooks_total{kind=\"create\"}", 202, 20000);
	shipfrom_passed(s);
}

static void what_is_suspected_and_counted_outlives_a_crash(void **state)
{
	struct shipfrom *s = *state;

	placed(s, "\"warehouses\":[3],\"webhook\":false");
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
	does(s, number, "accept");
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
	int64_t number = offered(s, 600);

	lose_webhooks(s);
	does(s, number, "reject");
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
	int64_t number = offered(s, 2);
	struct order_of o = {s, number, NULL};

	lose_webhooks(s);
	assert_true(wait_until(is_expired, &o, 10000));
	does(s, number, "expire");
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
	int64_t number = offered(s, 600);

	lose_webhooks(s);
	does(s, number, "cancel");
	sweep(s);
	wait_state(s, AMSTERDAM, number, "cancelled", 5000);
	wait_missed(s, "cancel", 1);
	EXPECT_MISSED(s, 0, 0, 0, 0, 1);
	journal_has(s, number, "missed", "cancel");
	shipfrom_passed(s);
}

/* ---- what is no missed webhook ---- */

static void webhooks_that_come_late_are_not_counted(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = offered(s, 600), gone = offered(s, 600);

	sim_tell(&s->sim, "/hooks", "{\"paused\":true}");
	does(s, number, "accept");
	does(s, gone, "cancel");
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
	int64_t number = offered(s, 600);
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
	int64_t broken = offered(s, 600), number = offered(s, 600);

	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"graphql\",\"kind\":\"garbage\",\"when\":"
		 "\"after\",\"percent\":100,\"order\":%lld}",
		 (long long)broken);
	lose_webhooks(s);
	does(s, number, "cancel");
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
	int64_t first = offered(s, 600), last = first;

	for (int i = 0; i < 25; i++)
		last = offered(s, 600);
	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"graphql\",\"kind\":\"status\",\"status\":502,"
		 "\"percent\":100,\"order\":%lld}",
		 (long long)first);
	lose_webhooks(s);
	does(s, last, "cancel");
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
		numbers[i] = placed(s, "\"warehouses\":[3],\"expires_in\":600");
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
		does(s, numbers[i], "cancel");
	for (int i = 43; i < 50; i++)
		wait_state(s, AMSTERDAM, numbers[i], "cancelled", 15000);
	shipfrom_passed(s);
}

/* What waits cannot be told: the orders that are known are looked at. */
static void one_question_that_fails_does_not_end_the_sweep(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = offered(s, 600);

	lose_webhooks(s);
	does(s, number, "cancel");
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

	placed(s, "\"number\":7001,\"warehouses\":[3],\"webhook\":false");
	sim_quiet(&s->sim);
	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"graphql\",\"kind\":\"slow\",\"when\":\"after\","
		 "\"ms\":1500}");
	ask_for_sweep(s);
	send_create(s, NUMBER);
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

	placed(s, "\"number\":7001,\"warehouses\":[3],\"webhook\":false");
	sim_quiet(&s->sim);
	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"graphql\",\"kind\":\"slow\",\"when\":\"after\","
		 "\"ms\":2500,\"order\":7001}");
	sweep(s);
	then = now_mono() + 1200; /* it began after 400 ms */
	assert_true(wait_until(is_past, &then, 5000));
	send_create(s, NUMBER);
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
	int64_t done = metric(s, "sweeps_total"), number = offered(s, 600);
	int64_t then;
	struct order_of o = {s, number, NULL};
	char path[64], fault[160];
	struct answer a;

	does(s, number, "accept");
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
	number = placed(s, "\"warehouses\":[2,3],\"webhook\":false");
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
	placed(s, "\"number\":7001,\"warehouses\":[9],\"webhook\":false");
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
	placed(s, "\"warehouses\":[3],\"webhook\":false");
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

#define T(f) cmocka_unit_test_setup_teardown(f, setup, shipfrom_end)

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
