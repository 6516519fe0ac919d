/* SPDX-License-Identifier: MIT
 *
 * Answers whose fate is unknown: replies lost, cut, replaced or late, and a
 * server killed between Centra's decision and its own.  Whatever happens, the
 * shop that won learns it and no other is ever told so.
 */
#include <pthread.h>
#include <signal.h>
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

static int setup(void **state)
{
	static const struct shipfrom_options o = {
		.server = "answer_wait = 300ms\n"};

	*state = shipfrom_start(&o);
	return 0;
}

static void fault(struct shipfrom *s, const char *kind, const char *when,
		  int64_t number)
{
	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"order\",\"kind\":\"%s\",\"when\":\"%s\","
		 "\"order\":%lld,\"ms\":3000}",
		 kind, when, (long long)number);
}

/* Presses accept: told either yes or not yet. */
static void press(struct shipfrom *s, enum shop shop, int64_t number)
{
	struct answer a = shop_does(s, shop, number, "accept", "{}");

	if (a.status != 200 && a.status != 202)
		fail_msg("accept was answered %ld %s", a.status, a.body);
	answer_release(&a);
}

/* The other shops press too, and must be told no. */
static void losers_are_refused(struct shipfrom *s, enum shop winner,
			       int64_t number)
{
	for (int i = 0; i < SHOPS; i++) {
		struct answer a;

		if (i == (int)winner)
			continue;
		a = shop_does(s, (enum shop)i, number, "accept", "{}");
		if (a.status == 200)
			fail_msg("a loser was told %s",
				 text_of(a.json, "state"));
		answer_release(&a);
	}
	wait_alone(s, winner, number, "accepted", 5000);
	assert_int_equal(sim_accepts(&s->sim, number), 1);
	assert_int_equal(sim_winner(&s->sim, number), (int)winner + 2);
}

/* The reply of an accept that won is spoilt in this way, with and without the
 * webhook that would tell. */
static void spoilt_after(struct shipfrom *s, const char *kind)
{
	for (int told = 0; told < 2; told++) {
		int64_t number = offered_to_all(s, 600);

		sim_tell(&s->sim, "/hooks", "{\"paused\":%s}",
			 told ? "false" : "true");
		fault(s, kind, "after", number);
		press(s, AMSTERDAM, number);
		wait_alone(s, AMSTERDAM, number, "accepted", 20000);
		losers_are_refused(s, AMSTERDAM, number);
		sim_tell(&s->sim, "/hooks", "{\"paused\":false}");
		sim_quiet(&s->sim);
		wait_state(s, BERLIN, number, "taken", 10000);
		wait_alone(s, AMSTERDAM, number, "accepted", 5000);
	}
}

/* The call never acted: it is made again, and lands. */
static void spoilt_before(struct shipfrom *s, const char *kind)
{
	int64_t number = offered_to_all(s, 600);

	fault(s, kind, "before", number);
	press(s, BERLIN, number);
	wait_alone(s, BERLIN, number, "accepted", 20000);
	assert_int_equal(sim_calls(&s->sim, number, true), 1);
	assert_true(sim_calls(&s->sim, number, false) >= 2);
	losers_are_refused(s, BERLIN, number);
}

/* ---- tests ---- */

static void a_reply_dropped_after_centra_acted_ends_accepted(void **state)
{
	spoilt_after(*state, "drop");
	shipfrom_passed(*state);
}

static void half_a_reply_ends_accepted(void **state)
{
	spoilt_after(*state, "half");
	shipfrom_passed(*state);
}

static void a_web_page_instead_of_a_reply_ends_accepted(void **state)
{
	spoilt_after(*state, "html");
	shipfrom_passed(*state);
}

static void a_500_after_centra_acted_ends_accepted(void **state)
{
	spoilt_after(*state, "500");
	shipfrom_passed(*state);
}

static void garbage_or_another_status_word_ends_accepted(void **state)
{
	spoilt_after(*state, "garbage");
	spoilt_after(*state, "maybe");
	shipfrom_passed(*state);
}

static void a_call_dropped_before_centra_acted_is_made_again(void **state)
{
	spoilt_before(*state, "drop");
	shipfrom_passed(*state);
}

static void a_500_or_a_page_before_centra_acted_is_tried_again(void **state)
{
	spoilt_before(*state, "500");
	spoilt_before(*state, "html");
	shipfrom_passed(*state);
}

static void a_refused_key_is_no_answer_and_the_call_is_made_again(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = offered_to_all(s, 600);
	char word[STATE_ROOM];

	fault(s, "401", "before", number);
	press(s, BERLIN, number);
	shop_sees(s, BERLIN, number, word);
	assert_true(!strcmp(word, "accepting") || !strcmp(word, "accepted"));
	wait_alone(s, BERLIN, number, "accepted", 60000);
	shipfrom_passed(s);
}

/* Puts another key of the Order API into the config, and says so. */
static void new_key(struct shipfrom *s, const char *was, const char *is)
{
	char text[8192] = "", *at;
	FILE *f = fopen(s->config, "r");

	assert_non_null(f);
	assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
	fclose(f);
	at = strstr(text, was);
	assert_non_null(at);
	f = fopen(s->config, "w");
	assert_non_null(f);
	fprintf(f, "%.*s%s%s", (int)(at - text), text, is, at + strlen(was));
	assert_int_equal(fclose(f), 0);
	kill(s->process.pid, SIGHUP);
}

static bool is_alarmed(struct shipfrom *s)
{
	char url[160];
	struct answer a;
	bool ret;

	snprintf(url, sizeof(url), "%s/metrics", s->admin);
	a = http_get(url, NULL);
	ret = strstr(a.body, "shipfrom_credentials_refused{instance=\"se\","
			     "api=\"order_api\"} 1\n");
	answer_release(&a);
	return ret;
}

struct called {
	struct shipfrom *s;
	int64_t number;
	int times;
};

static bool was_called(void *arg)
{
	struct called *c = arg;

	return sim_calls(&c->s->sim, c->number, false) >= c->times;
}

static void a_key_that_is_replaced_is_used_at_once(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = offered_to_all(s, 600), began;
	struct called c = {s, number, 4};

	sim_tell(&s->sim, "/settings", "{\"api_key\":\"the right one\"}");
	press(s, BERLIN, number);
	/* After so many the next is many seconds away. */
	assert_true(wait_until(was_called, &c, 30000));
	assert_true(is_alarmed(s));

	began = now_mono();
	c.times = sim_calls(&s->sim, number, false) + 1;
	new_key(s, "order-api-key\n", "a wrong one\n");
	assert_true(wait_until(was_called, &c, 3000));
	wait_alone(s, BERLIN, number, "accepting", 1000);
	assert_true(is_alarmed(s));

	new_key(s, "a wrong one\n", "the right one\n");
	wait_alone(s, BERLIN, number, "accepted", 3000);
	assert_true(now_mono() - began < 7000);
	assert_false(is_alarmed(s));
	losers_are_refused(s, BERLIN, number);
	shipfrom_passed(s);
}

static void told_to_wait_it_waits_and_then_lands(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = offered_to_all(s, 600), begun = now_mono();

	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"order\",\"kind\":\"429\",\"order\":%lld,"
		 "\"retry_after\":\"2\"}",
		 (long long)number);
	press(s, BERLIN, number);
	wait_alone(s, BERLIN, number, "accepted", 20000);
	assert_true(now_mono() - begun >= 1900);
	assert_int_equal(sim_calls(&s->sim, number, false), 2);
	shipfrom_passed(s);
}

static bool somebody_won(void *arg)
{
	int64_t *number = arg;

	return sim_winner((struct sim *)(uintptr_t)number[1], number[0]) > 0;
}

struct presser {
	struct shipfrom *s;
	int64_t number;
};

static void *press_and_forget(void *arg)
{
	struct presser *p = arg;
	struct answer a = shop_does(p->s, STOCKHOLM, p->number, "accept",
				    "{}");

	answer_release(&a);
	return NULL;
}

/* Killed while Centra, which has acted, still holds its reply back. */
static void killed_after(struct shipfrom *s, bool told)
{
	struct presser p = {s, offered_to_all(s, 600)};
	int64_t arg[2] = {p.number, (int64_t)(uintptr_t)&s->sim};
	pthread_t thread;

	sim_tell(&s->sim, "/hooks", "{\"paused\":true}");
	fault(s, "slow", "after", p.number);
	assert_int_equal(pthread_create(&thread, NULL, press_and_forget, &p),
			 0);
	assert_true(wait_until(somebody_won, arg, 5000));
	shipfrom_kill_9(s);
	pthread_join(thread, NULL);
	shipfrom_again(s);
	sim_tell(&s->sim, "/hooks", "{\"paused\":%s}",
		 told ? "false" : "true");
	wait_alone(s, STOCKHOLM, p.number, "accepted", 20000);
	losers_are_refused(s, STOCKHOLM, p.number);
	sim_tell(&s->sim, "/hooks", "{\"paused\":false}");
	sim_quiet(&s->sim);
	wait_state(s, AMSTERDAM, p.number, "taken", 10000);
	wait_alone(s, STOCKHOLM, p.number, "accepted", 5000);
}

static void killed_right_after_centra_acted_it_ends_accepted(void **state)
{
	killed_after(*state, true);
	killed_after(*state, false);
	shipfrom_passed(*state);
}

static void a_lost_call_that_another_shop_overtook_never_ends_accepted(
	void **state)
{
	struct shipfrom *s = *state;
	int64_t number = offered_to_all(s, 600);
	char path[64];

	sim_tell(&s->sim, "/hooks", "{\"paused\":true}");
	fault(s, "drop", "before", number);
	fault(s, "drop", "before", number);
	press(s, STOCKHOLM, number);
	snprintf(path, sizeof(path), "/orders/%lld/accept",
		 (long long)number);
	sim_tell(&s->sim, path, "{\"warehouse\":4}");
	sim_tell(&s->sim, "/hooks", "{\"paused\":false}");
	/* Berlin won, by whatever way: Berlin learns it and nobody else. */
	wait_alone(s, BERLIN, number, "accepted", 20000);
	wait_state(s, STOCKHOLM, number, "taken", 20000);
	assert_int_equal(sim_accepts(&s->sim, number), 1);
	shipfrom_passed(s);
}

static void graphql_down_a_lost_reply_waits_and_is_settled_later(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = offered_to_all(s, 600);

	sim_tell(&s->sim, "/hooks", "{\"paused\":true}");
	sim_tell(&s->sim, "/settings", "{\"token\":\"another\"}");
	fault(s, "drop", "after", number);
	press(s, STOCKHOLM, number);
	wait_alone(s, STOCKHOLM, number, "accepting", 2000);
	sim_tell(&s->sim, "/settings", "{\"token\":\"graphql-token\"}");
	sim_tell(&s->sim, "/hooks", "{\"paused\":false}");
	wait_alone(s, STOCKHOLM, number, "accepted", 20000);
	losers_are_refused(s, STOCKHOLM, number);
	shipfrom_passed(s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, shipfrom_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_reply_dropped_after_centra_acted_ends_accepted),
		T(half_a_reply_ends_accepted),
		T(a_web_page_instead_of_a_reply_ends_accepted),
		T(a_500_after_centra_acted_ends_accepted),
		T(garbage_or_another_status_word_ends_accepted),
		T(a_call_dropped_before_centra_acted_is_made_again),
		T(a_500_or_a_page_before_centra_acted_is_tried_again),
		T(a_refused_key_is_no_answer_and_the_call_is_made_again),
		T(a_key_that_is_replaced_is_used_at_once),
		T(told_to_wait_it_waits_and_then_lands),
		T(killed_right_after_centra_acted_it_ends_accepted),
		T(a_lost_call_that_another_shop_overtook_never_ends_accepted),
		T(graphql_down_a_lost_reply_waits_and_is_settled_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
