/* SPDX-License-Identifier: MIT
 *
 * Orders are locked in Centra while a shop works on them, and never for longer;
 * what somebody else has locked stays as it is; and a lock holds nothing up.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/harness/sweep.h"
#include "tests/harness/wait.h"

#define LOCKS "lock_orders = yes\n" MANY

static int setup(void **state)
{
	return sweeping_with(state, "answer_wait = 5s\nlook_again = 500ms\n",
			     LOCKS);
}

static int setup_off(void **state)
{
	return sweeping_with(state, "answer_wait = 5s\n", MANY);
}

static int setup_sweeping(void **state)
{
	return sweeping_with(state, "answer_wait = 5s\nsweep_every = 500ms\n",
			     LOCKS);
}

/* A member of the order in /control/state: a number, or 1 for true. */
static int64_t of_order(struct shipfrom *s, int64_t number, const char *member)
{
	char url[256];
	struct answer a;
	int64_t ret = -1;
	const cJSON *o, *v;

	snprintf(url, sizeof(url), "%s/control/state", s->sim.url);
	a = http_get(url, NULL);
	cJSON_ArrayForEach(o, cJSON_GetObjectItem(a.json, "orders"))
	{
		v = cJSON_GetObjectItem(o, member);
		if (number_of(o, "number") == number)
			ret = cJSON_IsBool(v) ? cJSON_IsTrue(v)
					      : number_of(o, member);
	}
	answer_release(&a);
	return ret;
}

struct wanted {
	struct shipfrom *s;
	int64_t number;
	const char *member;
	int64_t value;
};

static bool is_so(void *arg)
{
	struct wanted *w = arg;

	return of_order(w->s, w->number, w->member) == w->value;
}

static void wait_order(struct shipfrom *s, int64_t number, const char *member,
		       int64_t value)
{
	struct wanted w = {s, number, member, value};

	if (!wait_until(is_so, &w, 15000))
		fail_msg("%s of %lld is %lld, not %lld", member,
			 (long long)number,
			 (long long)of_order(s, number, member),
			 (long long)value);
}

static bool no_lock_waits(void *arg)
{
	const char *words[] = {"tasks", "--json", NULL};
	char *out = NULL;
	bool none;

	assert_int_equal(shipfrom_run(arg, &out, false, words), 0);
	none = !strstr(out, "\"lock_order\"");
	free(out);
	return none;
}

/* What was never done, and never may be. */
static void expect_modest(struct shipfrom *s, int64_t number)
{
	assert_int_equal(of_order(s, number, "resumes"), 0);
	assert_int_equal(of_order(s, number, "unlocked_a_persons"), 0);
}

static void ship(struct shipfrom *s, int64_t number)
{
	char code[STATE_ROOM];
	long status = order_ship(s, number, PARCEL, code);

	if (status != 200 && status != 202)
		fail_msg("ship: %ld %s", status, code);
	wait_stage(s, number, "shipped", 15000);
}

static void an_order_is_locked_from_the_accept_until_it_is_shipped(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_offered(s, NULL);

	assert_int_equal(of_order(s, number, "locked"), 0);
	number = order_accepted(s, NULL);
	wait_order(s, number, "locked", 1);
	ship(s, number);
	wait_order(s, number, "locked", 0);
	assert_true(wait_until(no_lock_waits, s, 10000));
	assert_int_equal(of_order(s, number, "locks"), 1);
	assert_int_equal(of_order(s, number, "unlocks"), 1);
	expect_modest(s, number);
	shipfrom_passed(s);
}

static void a_cancelled_order_is_unlocked(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_accepted(s, NULL);

	wait_order(s, number, "locked", 1);
	order_ended(s, number, "cancel");
	wait_order(s, number, "locked", 0);
	expect_modest(s, number);
	shipfrom_passed(s);
}

static bool is_past(void *arg)
{
	return now_mono() >= *(int64_t *)arg;
}

/* Centra is asked who has locked the order; before it answers, the order is
 * cancelled. */
static void a_cancel_just_before_the_lock_holds_nothing_up(void **state)
{
	struct shipfrom *s = *state;
	int64_t number, at;

	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"graphql\",\"what\":\"orders\","
		 "\"kind\":\"slow\",\"ms\":300,\"percent\":100}");
	for (int i = 0; i < 8; i++) {
		number = order_accepted(s, NULL);
		at = now_mono() + i * 100;
		(void)wait_until(is_past, &at, 2000);
		order_ended(s, number, "cancel");
		expect_modest(s, number);
	}
	assert_true(wait_until(no_lock_waits, s, 15000));
	for (int i = 0; i < 8; i++)
		wait_order(s, number - i, "locked", 0);
	shipfrom_passed(s);
}

/* It is offered to the shops again: it is nobody's. */
static void an_order_that_is_lost_is_unlocked(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_accepted(s, NULL);
	char path[64];

	wait_order(s, number, "locked", 1);
	snprintf(path, sizeof(path), "/orders/%lld/reoffer", (long long)number);
	sim_tell(&s->sim, path, "{\"expires_in\":900}");
	wait_order(s, number, "locked", 0);
	expect_modest(s, number);
	shipfrom_passed(s);
}

static void a_persons_lock_is_left_alone(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_offered(s, NULL);
	struct answer a;
	char path[64];

	snprintf(path, sizeof(path), "/orders/%lld/lock", (long long)number);
	sim_tell(&s->sim, path, "{\"locked\":true}");
	a = shop_does(s, AMSTERDAM, number, "accept", NULL);
	assert_int_equal(a.status, 200);
	answer_release(&a);
	wait_state(s, AMSTERDAM, number, "accepted", 10000);
	assert_true(wait_until(no_lock_waits, s, 10000));
	order_ended(s, number, "cancel");
	wait_state(s, AMSTERDAM, number, "cancelled", 10000);
	assert_true(wait_until(no_lock_waits, s, 10000));
	assert_int_equal(of_order(s, number, "locked"), 1);
	assert_int_equal(of_order(s, number, "locks"), 0);
	assert_int_equal(of_order(s, number, "unlocks"), 0);
	shipfrom_passed(s);
}

/* The sweep comes upon it again and again, and leaves it alone too. */
static void a_sweep_leaves_a_persons_lock_alone(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_placed(s, "\"warehouses\":[3]"), sweeps;
	struct answer a;
	char path[64];

	snprintf(path, sizeof(path), "/orders/%lld/lock", (long long)number);
	sim_tell(&s->sim, path, "{\"locked\":true}");
	wait_state(s, AMSTERDAM, number, "pending", 10000);
	a = shop_does(s, AMSTERDAM, number, "accept", NULL);
	assert_int_equal(a.status, 200);
	answer_release(&a);
	sweeps = metric(s, "sweeps_total");
	wait_metric(s, "sweeps_total", sweeps + 4, 20000);
	assert_int_equal(of_order(s, number, "locks"), 0);
	order_ended(s, number, "cancel");
	sweeps = metric(s, "sweeps_total");
	wait_metric(s, "sweeps_total", sweeps + 4, 20000);
	assert_int_equal(of_order(s, number, "locked"), 1);
	assert_int_equal(of_order(s, number, "unlocks"), 0);
	shipfrom_passed(s);
}

/* A person unlocks it: that is left alone as well. */
static void what_a_person_unlocks_is_not_locked_again(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_accepted(s, NULL), sweeps;
	char path[64];

	wait_order(s, number, "locked", 1);
	assert_true(wait_until(no_lock_waits, s, 10000));
	snprintf(path, sizeof(path), "/orders/%lld/lock", (long long)number);
	sim_tell(&s->sim, path, "{\"locked\":false}");
	sweeps = metric(s, "sweeps_total");
	wait_metric(s, "sweeps_total", sweeps + 4, 20000);
	assert_int_equal(of_order(s, number, "locked"), 0);
	assert_int_equal(of_order(s, number, "locks"), 1);
	shipfrom_passed(s);
}

static void a_lock_that_fails_holds_nothing_up(void **state)
{
	struct shipfrom *s = *state;
	int64_t number;

	sim_tell(&s->sim, "/settings", "{\"refuse_lock\":\"Not today.\"}");
	number = order_accepted(s, NULL);
	ship(s, number);
	assert_int_equal(of_order(s, number, "locks"), 0);
	number = order_accepted(s, NULL);
	sim_tell(&s->sim, "/settings", "{\"refuse_lock\":\"\"}");
	wait_order(s, number, "locked", 1);
	shipfrom_passed(s);
}

static bool is_forgotten(void *arg)
{
	const char *words[] = {"records", "--json", NULL};
	const struct wanted *w = arg;
	char *out = NULL;
	bool none;

	if (!sim_calls_of(&w->s->sim, w->number, "setOrdersLock"))
		return false;
	assert_int_equal(shipfrom_run(w->s, &out, false, words), 0);
	none = !strstr(out, "\"kind\":\"lock\"");
	free(out);
	return none;
}

/* Centra refuses our lock, and then a person sets one: that is not ours. */
static void a_lock_that_was_refused_is_not_taken_for_ours(void **state)
{
	struct shipfrom *s = *state;
	struct wanted w = {.s = s};
	char path[64];

	sim_tell(&s->sim, "/settings", "{\"refuse_lock\":\"Not today.\"}");
	w.number = order_accepted(s, NULL);
	assert_true(wait_until(is_forgotten, &w, 15000));
	snprintf(path, sizeof(path), "/orders/%lld/lock", (long long)w.number);
	sim_tell(&s->sim, path, "{\"locked\":true}");
	sim_tell(&s->sim, "/settings", "{\"refuse_lock\":\"\"}");
	order_ended(s, w.number, "cancel");
	wait_state(s, AMSTERDAM, w.number, "cancelled", 10000);
	assert_true(wait_until(no_lock_waits, s, 20000));
	assert_int_equal(of_order(s, w.number, "locked"), 1);
	expect_modest(s, w.number);
	shipfrom_passed(s);
}

static void a_token_that_may_not_lock_holds_nothing_up(void **state)
{
	struct shipfrom *s = *state;
	int64_t number;

	sim_tell(&s->sim, "/settings",
		 "{\"denied\":[\"Order.isLocked:write\"]}");
	number = order_accepted(s, NULL);
	wait_metric(s, "configuration_alarms_total", 1, 10000);
	ship(s, number);
	assert_int_equal(metric(s, "centra_dead{instance=\"se\","
				   "api=\"graphql\"}"), 0);
	assert_int_equal(of_order(s, number, "locks"), 0);
	shipfrom_passed(s);
}

/* The call hangs for longer than the shop needs. */
static void a_lock_that_hangs_holds_nothing_up(void **state)
{
	struct shipfrom *s = *state;
	int64_t number, began;

	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"graphql\",\"what\":\"setOrdersLock\","
		 "\"kind\":\"slow\",\"when\":\"after\",\"ms\":10000}");
	number = order_accepted(s, NULL);
	wait_order(s, number, "locked", 1); /* and its reply is not here */
	began = now_mono();
	ship(s, number);
	assert_true(now_mono() - began < 8000);
	wait_order(s, number, "unlocks", 1);
	assert_int_equal(of_order(s, number, "locked"), 0);
	shipfrom_passed(s);
}

static bool is_locked(void *arg)
{
	struct wanted *w = arg;

	return of_order(w->s, w->number, "locked") == 1;
}

/* Centra has locked it, and the reply is lost with the server. */
static void a_lock_whose_reply_is_lost_is_taken_back(void **state)
{
	struct shipfrom *s = *state;
	struct wanted w = {.s = s};
	int64_t number;

	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"graphql\",\"what\":\"setOrdersLock\","
		 "\"kind\":\"slow\",\"when\":\"after\",\"ms\":10000}");
	number = w.number = order_accepted(s, NULL);
	assert_true(wait_until(is_locked, &w, 10000));
	shipfrom_kill_9(s);
	shipfrom_again(s);
	order_ended(s, number, "cancel");
	wait_order(s, number, "locked", 0);
	expect_modest(s, number);
	shipfrom_passed(s);
}

static void without_the_setting_all_locks_are_taken_back(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_accepted(s, NULL);

	wait_order(s, number, "locked", 1);
	shipfrom_kill_9(s);
	config_edit(s, "lock_orders = yes", "lock_orders = no ");
	shipfrom_again(s);
	wait_order(s, number, "locked", 0);
	assert_int_equal(of_order(s, number, "unlocks"), 1);
	shipfrom_passed(s);
}

/* What shops had before the setting was made is locked by the sweep. */
static void orders_from_before_the_setting_are_locked(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = order_accepted(s, NULL);

	assert_int_equal(of_order(s, number, "locks"), 0);
	shipfrom_kill_9(s);
	config_edit(s, "graphql_requests = 1000\n", "lock_orders = yes      \n");
	shipfrom_again(s);
	wait_order(s, number, "locked", 1);
	shipfrom_passed(s);
}

static void several_orders_share_a_call(void **state)
{
	struct shipfrom *s = *state;
	int64_t numbers[6];
	int calls = 0;

	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"graphql\",\"what\":\"setOrdersLock\","
		 "\"kind\":\"slow\",\"ms\":4000}");
	for (int i = 0; i < 6; i++)
		numbers[i] = order_accepted(s, NULL);
	for (int i = 0; i < 6; i++)
		wait_order(s, numbers[i], "locked", 1);
	for (int i = 0; i < 6; i++)
		calls += sim_calls_of(&s->sim, numbers[i], "setOrdersLock");
	assert_in_range(calls, 1, 3);
	shipfrom_passed(s);
}

#define WITH(setup, test)                                                     \
	cmocka_unit_test_setup_teardown(test, setup, shipfrom_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(setup,
		     an_order_is_locked_from_the_accept_until_it_is_shipped),
		WITH(setup, a_cancelled_order_is_unlocked),
		WITH(setup, a_cancel_just_before_the_lock_holds_nothing_up),
		WITH(setup, an_order_that_is_lost_is_unlocked),
		WITH(setup, a_persons_lock_is_left_alone),
		WITH(setup_sweeping, a_sweep_leaves_a_persons_lock_alone),
		WITH(setup_sweeping, what_a_person_unlocks_is_not_locked_again),
		WITH(setup, a_lock_that_fails_holds_nothing_up),
		WITH(setup, a_lock_that_was_refused_is_not_taken_for_ours),
		WITH(setup, a_token_that_may_not_lock_holds_nothing_up),
		WITH(setup, a_lock_that_hangs_holds_nothing_up),
		WITH(setup, a_lock_whose_reply_is_lost_is_taken_back),
		WITH(setup, without_the_setting_all_locks_are_taken_back),
		WITH(setup_off, orders_from_before_the_setting_are_locked),
		WITH(setup, several_orders_share_a_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
