/* SPDX-License-Identifier: MIT
 *
 * test_idempotency.c - a POST with an Idempotency-Key takes effect once, however
 * often it is sent and whatever happens to the server.
 */
#include <pthread.h>
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
	static const struct shipfrom_options o = {.server =
							  "answer_wait = 1s"};

	*state = shipfrom_start(&o);
	return 0;
}

/* One press with a key; any thread. */
static struct answer press(struct shipfrom *s, enum shop shop, int64_t number,
			   const char *verb, const char *key, const char *json)
{
	char url[256], bearer[128], header[512];
	const char *headers[] = {"Content-Type: application/json", bearer,
				 header, NULL};

	snprintf(url, sizeof(url), "%s/api/v1/orders/%lld/%s", s->url,
		 (long long)number, verb);
	snprintf(bearer, sizeof(bearer), "Authorization: Bearer %s",
		 s->tokens[shop]);
	snprintf(header, sizeof(header), "Idempotency-Key: %s", key);
	return http_send("POST", url, headers, json, strlen(json));
}

static long told(struct answer a, const char *member, const char *want)
{
	long status = a.status;

	if (want)
		assert_string_equal(text_of(a.json, member), want);
	answer_release(&a);
	return status;
}

static void the_same_key_again_tells_how_the_order_is_now(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = offered_to_all(s, 600);

	for (int i = 0; i < 3; i++)
		assert_int_equal(told(press(s, AMSTERDAM, number, "accept",
					    "k1", "{}"),
				      "state", "accepted"),
				 200);
	assert_int_equal(sim_calls(&s->sim, number, false), 1);
	shipfrom_passed(s);
}

static void a_key_used_for_something_else_is_422(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = offered_to_all(s, 600), other = offered_to_all(s, 600);

	assert_int_equal(told(press(s, AMSTERDAM, number, "accept", "k1",
				    "{}"),
			      NULL, NULL),
			 200);
	assert_int_equal(told(press(s, AMSTERDAM, other, "accept", "k1",
				    "{}"),
			      "code", "idempotency_mismatch"),
			 422);
	assert_int_equal(told(press(s, AMSTERDAM, number, "reject", "k1",
				    "{}"),
			      "code", "idempotency_mismatch"),
			 422);
	assert_int_equal(told(press(s, AMSTERDAM, number, "accept", "k1",
				    "{ }"),
			      "code", "idempotency_mismatch"),
			 422);
	assert_int_equal(sim_accepts(&s->sim, other), 0);
	/* Another shop's key is another key. */
	assert_int_equal(told(press(s, BERLIN, other, "accept", "k1", "{}"),
			      "state", "accepted"),
			 200);
	shipfrom_passed(s);
}

static void a_202_is_never_given_again(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = offered_to_all(s, 600);

	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"order\",\"kind\":\"500\",\"when\":\"before\","
		 "\"count\":1000}");
	assert_int_equal(told(press(s, AMSTERDAM, number, "accept", "k1",
				    "{}"),
			      "state", "accepting"),
			 202);
	sim_tell(&s->sim, "/faults", "{\"clear\":true}");
	wait_state(s, AMSTERDAM, number, "accepted", 30000);
	assert_int_equal(told(press(s, AMSTERDAM, number, "accept", "k1",
				    "{}"),
			      "state", "accepted"),
			 200);
	assert_int_equal(sim_accepts(&s->sim, number), 1);
	shipfrom_passed(s);
}

static void a_conflict_stays_one_though_the_offer_comes_back(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = offered_to_all(s, 600);
	char path[64];

	snprintf(path, sizeof(path), "/orders/%lld/expire",
		 (long long)number);
	sim_tell(&s->sim, path, "{}");
	wait_state(s, BERLIN, number, "timed_out", 5000);
	assert_int_equal(told(press(s, BERLIN, number, "accept", "late", "{}"),
			      "code", "timed_out"),
			 409);
	snprintf(path, sizeof(path), "/orders/%lld/reoffer",
		 (long long)number);
	sim_tell(&s->sim, path, "{\"warehouses\":[4],\"expires_in\":900}");
	wait_state(s, BERLIN, number, "pending", 5000);
	/* Nobody pressed again: the tablet only sent again what it had. */
	assert_int_equal(told(press(s, BERLIN, number, "accept", "late", "{}"),
			      "code", "timed_out"),
			 409);
	assert_int_equal(sim_accepts(&s->sim, number), 0);
	assert_int_equal(told(press(s, BERLIN, number, "accept", "anew", "{}"),
			      "state", "accepted"),
			 200);
	shipfrom_passed(s);
}

struct presser {
	struct shipfrom *s;
	int64_t number;
	pthread_t thread;
	long status;
};

static void *press_reject(void *arg)
{
	struct presser *p = arg;

	p->status = told(press(p->s, STOCKHOLM, p->number, "reject", "r",
			       "{\"reason\":\"damaged\"}"),
			 NULL, NULL);
	return NULL;
}

static void sent_many_times_at_once_it_is_done_once(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = offered_to_all(s, 600);
	struct presser p[6];

	for (int i = 0; i < 6; i++) {
		p[i] = (struct presser){.s = s, .number = number};
		assert_int_equal(pthread_create(&p[i].thread, NULL,
						press_reject, &p[i]),
				 0);
	}
	for (int i = 0; i < 6; i++)
		pthread_join(p[i].thread, NULL);
	for (int i = 0; i < 6; i++)
		assert_int_equal(p[i].status, 200);
	assert_int_equal(sim_calls(&s->sim, number, false), 1);
	shipfrom_passed(s);
}

static void a_key_outlives_the_server(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = offered_to_all(s, 600);

	assert_int_equal(told(press(s, AMSTERDAM, number, "accept", "k1",
				    "{}"),
			      NULL, NULL),
			 200);
	shipfrom_kill_9(s);
	shipfrom_again(s);
	assert_int_equal(told(press(s, AMSTERDAM, number, "accept", "k1",
				    "{}"),
			      "state", "accepted"),
			 200);
	assert_int_equal(told(press(s, AMSTERDAM, number, "reject", "k1",
				    "{}"),
			      NULL, NULL),
			 422);
	shipfrom_passed(s);
}

static void what_is_no_key_is_400(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = offered_to_all(s, 600);
	char longest[257];

	memset(longest, 'k', 256);
	longest[256] = '\0';
	assert_int_equal(told(press(s, AMSTERDAM, number, "accept", longest,
				    "{}"),
			      "field", "Idempotency-Key"),
			 400);
	assert_int_equal(told(press(s, AMSTERDAM, number, "accept", "a b",
				    "{}"),
			      "field", "Idempotency-Key"),
			 400);
	longest[255] = '\0';
	assert_int_equal(told(press(s, AMSTERDAM, number, "accept", longest,
				    "{}"),
			      NULL, NULL),
			 200);
	shipfrom_passed(s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, shipfrom_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_same_key_again_tells_how_the_order_is_now),
		T(a_key_used_for_something_else_is_422),
		T(a_202_is_never_given_again),
		T(a_conflict_stays_one_though_the_offer_comes_back),
		T(sent_many_times_at_once_it_is_done_once),
		T(a_key_outlives_the_server),
		T(what_is_no_key_is_400),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
