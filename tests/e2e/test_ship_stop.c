/* SPDX-License-Identifier: MIT
 *
 * Shipping while calls are held, while timeouts change, and while the server
 * stops: no call is made twice, and none that was not to be made.
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

#include "tests/harness/orders.h"
#include "tests/harness/wait.h"

#define SHORT "answer_wait = 100ms\n"

/* Of the lines of `why --json`: each step was tried once. */
static void assert_no_second_try(const char *lines)
{
	char *copy = strdup(lines), *rest = copy, *line;

	while ((line = strsep(&rest, "\n"))) {
		cJSON *json = cJSON_Parse(line);
		const cJSON *n = cJSON_GetObjectItem(json, "n");

		if (!strcmp(text_of(json, "kind"), "step") &&
		    cJSON_GetNumberValue(n) != 1)
			fail_msg("it tells of calls that were not made:\n%s",
				 lines);
		cJSON_Delete(json);
	}
	free(copy);
}

/* `why` holds no line of a call that was held. */
static void a_call_that_the_budget_holds_is_not_told_as_one(void **state)
{
	struct shipfrom *s = shipfrom_with(
		SHORT, "graphql_requests = 1000\ngraphql_mutations = 4\n");
	int64_t numbers[2];
	char text[32], code[STATE_ROOM], *out = NULL;
	const char *why[] = {"why", text, "--json", NULL};

	*state = s;
	for (int i = 0; i < 2; i++)
		numbers[i] = order_accepted(s, TWO_LINES);
	for (int i = 0; i < 2; i++)
		order_ship(s, numbers[i], PARCEL, code);
	for (int i = 0; i < 2; i++) {
		wait_stage(s, numbers[i], "shipped", 60000);
		expect_shipped(s, numbers[i], 1, 3);
		snprintf(text, sizeof(text), "%lld", (long long)numbers[i]);
		assert_int_equal(shipfrom_run(s, &out, true, why), 0);
		assert_no_second_try(out);
		free(out);
	}
	assert_true(metric(s, "calls_held_total") > 0);
	shipfrom_passed(s);
}

/* The call that met the fault is over at Centra too. */
static bool was_spoilt(void *arg)
{
	return sim_spoilt(arg) == 1;
}

/* Has the server read another call_timeout. */
static void reload_timeout(struct shipfrom *s, const char *from, const char *to)
{
	char *text = NULL, *at;
	size_t room = 0;
	FILE *f = fopen(s->config, "r");

	assert_non_null(f);
	assert_true(getdelim(&text, &room, 0, f) > 0);
	fclose(f);
	at = strstr(text, from);
	assert_non_null(at);
	f = fopen(s->config, "w");
	assert_non_null(f);
	fprintf(f, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
	assert_int_equal(fclose(f), 0);
	free(text);
	kill(s->process.pid, SIGHUP);
}

/* Calls take as long as they did when the server started, so what is lost may
 * still be acted on for as long. */
static void
a_shorter_call_timeout_makes_no_call_twice_before_a_restart(void **state)
{
	struct shipfrom *s = shipfrom_with(SHORT, MANY "call_timeout = 2s\n");
	char code[STATE_ROOM];
	int64_t number;

	*state = s;
	number = order_accepted(s, TWO_LINES);
	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"graphql\",\"order\":%lld,"
		 "\"what\":\"createShipment\",\"kind\":\"slow\",\"ms\":3000,"
		 "\"when\":\"before\"}",
		 (long long)number);
	assert_int_equal(order_ship(s, number, PARCEL, code), 202);
	reload_timeout(s, "call_timeout = 2s", "call_timeout = 100ms");
	wait_stage(s, number, "shipped", 20000);
	assert_true(wait_until(was_spoilt, &s->sim, 5000));
	assert_int_equal(sim_calls_of(&s->sim, number, "createShipment"), 1);
	expect_shipped(s, number, 1, 3);
	shipfrom_passed(s);
}

/* Shipping is a row of calls, and each may take long. */
static void no_call_is_begun_once_the_server_stops(void **state)
{
	struct shipfrom *s = shipfrom_with(SHORT, MANY "call_timeout = 3s\n");
	char code[STATE_ROOM];
	int64_t number;

	*state = s;
	number = order_accepted(s, TWO_LINES);
	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"graphql\",\"order\":%lld,"
		 "\"what\":\"createShipment\",\"kind\":\"slow\",\"ms\":1500,"
		 "\"when\":\"before\"}",
		 (long long)number);
	assert_int_equal(order_ship(s, number, PARCEL, code), 202);
	assert_int_equal(shipfrom_stop(s), 0);
	assert_int_equal(sim_calls_of(&s->sim, number, "createShipment"), 1);
	assert_int_equal(sim_calls_of(&s->sim, number, "captureShipment"), 0);
	shipfrom_again(s);
	wait_stage(s, number, "shipped", 20000);
	expect_shipped(s, number, 1, 3);
	shipfrom_passed(s);
}

#define OWN(f) cmocka_unit_test_teardown(f, shipfrom_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OWN(a_call_that_the_budget_holds_is_not_told_as_one),
		OWN(no_call_is_begun_once_the_server_stops),
		OWN(a_shorter_call_timeout_makes_no_call_twice_before_a_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
