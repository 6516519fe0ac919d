/* SPDX-License-Identifier: MIT
 *
 * Centra can not be reached: webhooks are taken all the same, an accept is
 * kept and carried out once Centra is back, and nobody is told yes meanwhile.
 */
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/harness/shipfrom.h"
#include "tests/harness/wait.h"

#define NUMBER 77

static int setup(void **state)
{
	static const struct shipfrom_options o = {
		.server = "answer_wait = 1s\n"};

	*state = shipfrom_start(&o);
	return 0;
}

/* The create of NUMBER for all three shops, sent by ourselves. */
static void offer(struct shipfrom *s)
{
	char date[STAMP_ROOM], until[STAMP_ROOM], json[512];
	struct answer a;

	stamp(date, -1, 5);
	iso(until, 600);
	snprintf(json, sizeof(json),
		 "{\"events\":[{\"type\":\"check_first\",\"action\":"
		 "\"create\",\"date\":\"%s\",\"id\":%d,\"data\":"
		 "{\"warehouses\":[{\"warehouseId\":2,\"expirationAt\":\"%s\"},"
		 "{\"warehouseId\":3,\"expirationAt\":\"%s\"},"
		 "{\"warehouseId\":4,\"expirationAt\":\"%s\"}]}}]}",
		 date, NUMBER, until, until, until);
	a = webhook_send(s->hook, json, SPACE_PLUS);
	assert_int_equal(a.status, 200);
	assert_true(a.took < 1000);
	answer_release(&a);
	wait_state(s, AMSTERDAM, NUMBER, "pending", 5000);
}

static void accept_is_kept(struct shipfrom *s)
{
	struct answer a = shop_does(s, AMSTERDAM, NUMBER, "accept", "{}");

	assert_int_equal(a.status, 202);
	assert_string_equal(text_of(a.json, "state"), "accepting");
	assert_true(a.took < 5000);
	answer_release(&a);
}

/* The stand-in comes back and knows the order, too. */
static void centra_comes_back(struct shipfrom *s)
{
	sim_again(&s->sim);
	sim_tell(&s->sim, "/hooks", "{\"url\":\"%s\"}", s->hook);
	sim_tell(&s->sim, "/orders",
		 "{\"number\":%d,\"warehouses\":[2,3,4],\"expires_in\":600,"
		 "\"webhook\":false}",
		 NUMBER);
}

static void an_accept_is_kept_until_centra_is_back(void **state)
{
	struct shipfrom *s = *state;

	sim_stop(&s->sim);
	offer(s);
	accept_is_kept(s);
	wait_alone(s, AMSTERDAM, NUMBER, "accepting", 1000);
	centra_comes_back(s);
	wait_alone(s, AMSTERDAM, NUMBER, "accepted", 60000);
	assert_int_equal(sim_winner(&s->sim, NUMBER), 3);
	shipfrom_passed(s);
}

static void it_is_kept_over_a_restart_of_ours(void **state)
{
	struct shipfrom *s = *state;

	sim_stop(&s->sim);
	offer(s);
	accept_is_kept(s);
	shipfrom_kill_9(s);
	shipfrom_again(s);
	wait_alone(s, AMSTERDAM, NUMBER, "accepting", 5000);
	centra_comes_back(s);
	wait_alone(s, AMSTERDAM, NUMBER, "accepted", 60000);
	assert_int_equal(sim_winner(&s->sim, NUMBER), 3);
	shipfrom_passed(s);
}

static void a_centra_that_hangs_does_not_hold_webhooks_up(void **state)
{
	struct shipfrom *s = *state;

	kill(s->sim.process.pid, SIGSTOP);
	offer(s);
	accept_is_kept(s);
	for (int i = 0; i < 20; i++) {
		char json[256];
		struct answer a;

		snprintf(json, sizeof(json),
			 "{\"events\":[{\"type\":\"order\",\"action\":"
			 "\"update\",\"date\":\"2021-01-29 14:40:58.7\","
			 "\"id\":%d}]}",
			 i + 1000);
		a = webhook_send(s->hook, json, SPACE_PLUS);
		assert_int_equal(a.status, 200);
		assert_true(a.took < 1000);
		answer_release(&a);
	}
	kill(s->sim.process.pid, SIGCONT);
	shipfrom_passed(s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, shipfrom_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_accept_is_kept_until_centra_is_back),
		T(it_is_kept_over_a_restart_of_ours),
		T(a_centra_that_hangs_does_not_hold_webhooks_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
