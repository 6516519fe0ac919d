/* SPDX-License-Identifier: MIT
 *
 * Outgoing webhooks reach a receiver that fails, and are sent by a server that is
 * killed, at least once and in order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "tests/harness/tills.h"
#include "tests/harness/wait.h"

/* ---- a receiver that fails ---- */

/* It is called again until it takes the webhook. */
static void is_retried(void **state, enum receiver_way way)
{
	struct shipfrom *s = *state;
	struct receiver *elsewhere = receiver_start(TILL_KNOWS);
	int64_t number;

	receiver_does(till, way);
	if (way == RECEIVER_REDIRECTS)
		receiver_redirects(till, receiver_url(elsewhere));
	number = order_offered(s, NULL);
	wait_calls(till, 2, 0, TILL_SOON);
	accept_order(s, AMSTERDAM, number);
	receiver_does(till, RECEIVER_TAKES);
	wait_told(till, number, "create accepted", TILL_SOON);
	assert_int_equal(receiver_counts(elsewhere).connections, 0);
	receiver_stop(elsewhere);
	assert_sound(till);
	shipfrom_passed(s);
}

static void one_that_answers_500_is_tried_again(void **state)
{
	is_retried(state, RECEIVER_FAILS);
}

static void one_that_hangs_is_tried_again(void **state)
{
	is_retried(state, RECEIVER_HANGS);
}

static void one_that_closes_is_tried_again(void **state)
{
	is_retried(state, RECEIVER_CLOSES);
}

static void one_that_redirects_is_tried_again_and_not_followed(void **state)
{
	is_retried(state, RECEIVER_REDIRECTS);
}

static void what_was_taken_without_an_answer_is_sent_again(void **state)
{
	struct shipfrom *s = *state;
	int64_t number;

	receiver_does(till, RECEIVER_LOSES);
	number = order_offered(s, NULL);
	wait_calls(till, 0, 2, TILL_SOON);
	receiver_does(till, RECEIVER_TAKES);
	accept_order(s, AMSTERDAM, number);
	wait_told(till, number, "create accepted", TILL_SOON);
	shipfrom_passed(s);
}

/* ---- kills ---- */

/* The server is killed while its POST waits for an answer, which it then never
 * reads. */
static void killed_while_it_sends(struct shipfrom *s, enum receiver_way way)
{
	int64_t number;

	receiver_does(till, way);
	number = order_offered(s, NULL);
	wait_calls(till, 0, 1, TILL_SOON);
	shipfrom_kill_9(s);
	receiver_does(till, RECEIVER_TAKES);
	shipfrom_again(s);
	accept_order(s, AMSTERDAM, number);
	wait_told(till, number, "create accepted", TILL_SOON);
}

static void killed_at_each_end_of_a_post_it_sends_all(void **state)
{
	struct shipfrom *s = *state;

	killed_while_it_sends(s, RECEIVER_HANGS);
	killed_while_it_sends(s, RECEIVER_LOSES);
	killed_while_it_sends(s, RECEIVER_FAILS);
	assert_sound(till);
	shipfrom_passed(s);
}

#define KILLS	 10
#define PER_KILL 3

static bool is_accepted(void *arg)
{
	struct order_of *o = arg;
	char state[STATE_ROOM];
	struct answer a;

	shop_sees(o->s, AMSTERDAM, o->number, state);
	if (!strcmp(state, "accepted"))
		return true;
	a = shop_does(o->s, AMSTERDAM, o->number, "accept", "{}");
	answer_release(&a);
	return false;
}

/* Orders come and are accepted while the server is killed again and again, each
 * time a little later in its work; the receiver fails now and then. */
static void kills_under_load_lose_nothing_and_keep_the_order(void **state)
{
	static const enum receiver_way ways[] = {
		RECEIVER_TAKES, RECEIVER_LOSES, RECEIVER_TAKES, RECEIVER_FAILS};
	struct shipfrom *s = *state;
	int64_t numbers[KILLS * PER_KILL];
	struct answer a;
	int n = 0;

	sim_tell(&s->sim, "/hooks", "{\"retries\":3,\"retry_first\":300}");
	for (int i = 0; i < KILLS; i++) {
		receiver_does(till, ways[i % 4]);
		for (int k = 0; k < PER_KILL; k++) {
			a = sim_do(&s->sim, "/orders",
				   "{\"warehouses\":[3],\"expires_in\":600}");
			numbers[n++] = number_of(a.json, "number");
			answer_release(&a);
		}
		wait_state(s, AMSTERDAM, numbers[n - 1], "pending", 10000);
		a = shop_does(s, AMSTERDAM, numbers[n - 1], "accept", "{}");
		answer_release(&a);
		/* The moment of the kill differs, and nothing is waited for. */
		nanosleep(&(struct timespec){.tv_nsec = i * 9000000L}, NULL);
		shipfrom_kill_9(s);
		shipfrom_again(s);
	}
	receiver_does(till, RECEIVER_TAKES);
	for (int i = 0; i < n; i++) {
		struct order_of o = {s, numbers[i], NULL};

		if (!wait_until(is_accepted, &o, 20000))
			fail_msg("order %lld is not accepted",
				 (long long)o.number);
	}
	for (int i = 0; i < n; i++)
		wait_told(till, numbers[i], "create accepted", TILL_SOON);
	assert_sound(till);
	shipfrom_passed(s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, tills_setup, tills_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(one_that_answers_500_is_tried_again),
		T(one_that_hangs_is_tried_again),
		T(one_that_closes_is_tried_again),
		T(one_that_redirects_is_tried_again_and_not_followed),
		T(what_was_taken_without_an_answer_is_sent_again),
		T(killed_at_each_end_of_a_post_it_sends_all),
		T(kills_under_load_lose_nothing_and_keep_the_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
