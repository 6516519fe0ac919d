/* SPDX-License-Identifier: MIT
 *
 * test_limits.c - whether Centra may be called now.  The clock is the test's:
 * a day takes a moment.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "centra/limits.h"

#include <cmocka.h> /* last: it has a macro called fail */

#define SECOND 1000
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)

static struct limits *l;

static int make(void **state)
{
	(void)state;
	l = limits_new();
	limits_budget(l, &(struct centra_budget){.requests = 30,
						 .mutations = 10});
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	limits_free(l);
	return 0;
}

static const struct call fine = {.end = CALL_OK, .status = 200};
static const struct call unreached = {.end = CALL_NOT_DONE};
static const struct call cut = {.end = CALL_UNKNOWN};
static const struct call broken = {.end = CALL_UNKNOWN, .status = 500};
static const struct call refused = {
	.end = CALL_NOT_DONE, .status = 403, .refused = true};

static bool may(enum centra_api api, enum centra_lane lane, bool mutation,
		int64_t now, struct permit *ret, int64_t *ret_wait)
{
	struct call held = {0};
	bool yes;

	*ret = (struct permit){.api = api, .lane = lane, .mutation = mutation};
	yes = limits_take(l, ret, now, &held);
	*ret_wait = held.retry_after;
	if (!yes) {
		assert_true(held.held);
		assert_int_equal(held.end, CALL_NOT_DONE);
		assert_true(held.retry_after >= 1);
		assert_true(held.why.text[0]);
	}
	return yes;
}

/* One whole call that ends so; 0, or the wait of one that was held. */
static int64_t call_api(enum centra_api api, int64_t now, struct call how)
{
	struct permit p;
	int64_t wait;

	if (!may(api, CENTRA_LIVE, false, now, &p, &wait))
		return wait;
	limits_told(l, &p, now, &how);
	return 0;
}

static int64_t order_api(int64_t now, struct call how)
{
	return call_api(CENTRA_ORDER_API, now, how);
}

static struct centra_state state_of(enum centra_api api, int64_t now)
{
	struct centra_state s;

	limits_state(l, api, now, &s);
	return s;
}

static void kill_order_api(int64_t now)
{
	for (int i = 0; i < LIMITS_DEAD_AFTER; i++)
		assert_int_equal(order_api(now, unreached), 0);
}

/* ---- dead ---- */

static void a_few_failures_do_not_shut_the_gate(void **s)
{
	(void)s;
	for (int i = 0; i < 100; i++)
		assert_int_equal(
			order_api(i, i % LIMITS_DEAD_AFTER ? cut : fine), 0);
	assert_false(state_of(CENTRA_ORDER_API, 100).dead);
}

static void failures_in_a_row_shut_it_whatever_their_kind(void **s)
{
	static const struct call *const kinds[] = {&unreached, &cut, &broken};

	for (int k = 0; k < 3; k++) {
		for (int i = 0; i < LIMITS_DEAD_AFTER; i++)
			assert_int_equal(order_api(0, *kinds[k]), 0);
		assert_int_equal(order_api(0, fine), LIMITS_DEAD_FIRST);
		assert_true(state_of(CENTRA_ORDER_API, 0).dead);
		unmake(s);
		make(s);
	}
}

static void an_answer_of_any_sense_shows_that_it_lives(void **s)
{
	static const long statuses[] = {301, 400, 404, 422, 429};

	(void)s;
	for (int i = 0; i < 50; i++) {
		struct call c = {.end = CALL_UNKNOWN,
				 .status = statuses[i % 5]};

		assert_int_equal(order_api(i, c), 0);
	}
}

static void the_other_api_goes_on(void **s)
{
	(void)s;
	kill_order_api(0);
	assert_int_equal(call_api(CENTRA_GRAPHQL, 1, fine), 0);
	assert_false(state_of(CENTRA_GRAPHQL, 1).dead);
}

static void a_dead_centra_costs_one_call_at_a_time(void **s)
{
	struct permit p, other;
	int64_t wait;

	(void)s;
	kill_order_api(0);
	assert_false(may(CENTRA_ORDER_API, CENTRA_LIVE, false,
			 LIMITS_DEAD_FIRST - 1, &p, &wait));
	assert_int_equal(wait, 1);
	assert_true(may(CENTRA_ORDER_API, CENTRA_LIVE, false,
			LIMITS_DEAD_FIRST, &p, &wait));
	for (int i = 0; i < 100; i++)
		assert_false(may(CENTRA_ORDER_API, CENTRA_LIVE, false,
				 LIMITS_DEAD_FIRST + i * SECOND, &other,
				 &wait));
	limits_told(l, &p, 100 * SECOND, &(struct call){.end = CALL_OK});
	for (int i = 0; i < 100; i++)
		assert_int_equal(order_api(100 * SECOND, fine), 0);
}

/* One call of the Order API at `now`; what it has turned. */
static enum call_turn turned(int64_t now, struct call how)
{
	struct permit p;
	int64_t wait;

	if (!may(CENTRA_ORDER_API, CENTRA_LIVE, false, now, &p, &wait))
		fail_msg("a call is held for %lld ms", (long long)wait);
	limits_told(l, &p, now, &how);
	return how.turn;
}

static void going_and_coming_back_are_told_by_one_call_each(void **s)
{
	(void)s;
	for (int i = 1; i < LIMITS_DEAD_AFTER; i++)
		assert_int_equal(turned(0, broken), CALL_SAME);
	assert_int_equal(turned(0, broken), CALL_AWAY);
	assert_int_equal(turned(100 * SECOND, cut), CALL_SAME);
	assert_int_equal(turned(200 * SECOND, fine), CALL_BACK);
	assert_int_equal(turned(200 * SECOND, fine), CALL_SAME);
	assert_int_equal(turned(200 * SECOND, refused), CALL_AWAY);
	assert_int_equal(turned(900 * SECOND, fine), CALL_BACK);
}

static void a_trial_that_takes_long_is_asked_about_less_often(void **s)
{
	struct permit p, other;
	int64_t wait;

	(void)s;
	kill_order_api(0);
	assert_true(
		may(CENTRA_ORDER_API, CENTRA_LIVE, false, MINUTE, &p, &wait));
	assert_false(may(CENTRA_ORDER_API, CENTRA_LIVE, false, MINUTE, &other,
			 &wait));
	assert_int_equal(wait, SECOND);
	assert_false(may(CENTRA_ORDER_API, CENTRA_LIVE, false, MINUTE + SECOND,
			 &other, &wait));
	assert_int_equal(wait, 5 * SECOND);
}

static void a_trial_that_was_not_made_lets_another_be(void **s)
{
	struct permit p;
	int64_t wait;

	(void)s;
	kill_order_api(0);
	assert_true(may(CENTRA_ORDER_API, CENTRA_LIVE, false, MINUTE, &p,
			&wait));
	limits_give_back(l, &p);
	assert_true(may(CENTRA_ORDER_API, CENTRA_LIVE, false, MINUTE, &p,
			&wait));
}

static void who_began_before_it_was_shut_opens_it_but_prolongs_nothing(
	void **s)
{
	struct permit early[2];
	int64_t wait;

	(void)s;
	for (int i = 0; i < 2; i++)
		assert_true(may(CENTRA_ORDER_API, CENTRA_LIVE, false, 0,
				&early[i], &wait));
	kill_order_api(0);
	limits_told(l, &early[0], 400, &(struct call){.end = CALL_UNKNOWN});
	assert_int_equal(order_api(400, fine), LIMITS_DEAD_FIRST - 400);
	limits_told(l, &early[1], 401, &(struct call){.end = CALL_OK});
	assert_int_equal(order_api(401, fine), 0);
}

/* ---- a day ---- */

#define ORDERS 200

/* Orders whose decisions wait for Centra, each asking again when it was told
 * to; Centra is away until `back`.  Returns how many calls were made before
 * that, and when the last one had landed. */
static int64_t a_day_away(int64_t back, int64_t *ret_landed)
{
	int64_t due[ORDERS] = {0}, calls = 0;
	bool landed[ORDERS] = {false};
	int left = ORDERS;

	*ret_landed = 0;
	for (int64_t now = 0, next; left && now < back + HOUR; now = next) {
		next = INT64_MAX;
		for (int i = 0; i < ORDERS; i++)
			if (!landed[i] && due[i] < next)
				next = due[i];
		now = next > now ? next : now;
		for (int i = 0; i < ORDERS; i++) {
			struct permit p;
			struct call how = now < back ? unreached : fine;
			int64_t wait;

			if (landed[i] || due[i] > now)
				continue;
			if (!may(CENTRA_ORDER_API, CENTRA_LIVE, false, now,
				 &p, &wait)) {
				due[i] = now + wait;
				continue;
			}
			limits_told(l, &p, now, &how);
			calls += now < back;
			due[i] = now + (how.retry_after ? how.retry_after :
							  500);
			landed[i] = now >= back;
			left -= landed[i];
			*ret_landed = now;
		}
	}
	assert_int_equal(left, 0);
	return calls;
}

static void a_day_away_costs_a_call_each_half_minute_and_ends_in_one(void **s)
{
	int64_t landed, calls = a_day_away(24 * HOUR, &landed);

	(void)s;
	assert_in_range(calls, 24 * 60, 24 * 60 * 2 + 20);
	assert_true(landed - 24 * HOUR <= MINUTE);
}

/* ---- a refused key ---- */

static void a_refused_key_parks_at_once_and_is_tried_less_and_less(void **s)
{
	int64_t now = 0, made = 0, longest = 0;

	(void)s;
	while (now < 24 * HOUR) {
		int64_t wait = order_api(now, refused);

		made += !wait;
		longest = wait > longest ? wait : longest;
		now += wait ? wait : 1;
	}
	assert_true(state_of(CENTRA_ORDER_API, now).refused);
	assert_false(state_of(CENTRA_ORDER_API, now).dead);
	assert_true(longest <= LIMITS_KEY_MOST);
	assert_in_range(made, 24 * 12, 24 * 12 + 12);
}

static void a_new_key_is_tried_at_once(void **s)
{
	(void)s;
	for (int64_t now = 0; now < HOUR; now += SECOND)
		order_api(now, refused);
	assert_true(order_api(HOUR, fine) > 0);
	limits_new_key(l, CENTRA_GRAPHQL);
	assert_true(order_api(HOUR, fine) > 0);
	limits_new_key(l, CENTRA_ORDER_API);
	assert_false(state_of(CENTRA_ORDER_API, HOUR).refused);
	assert_int_equal(order_api(HOUR, fine), 0);
}

static void a_new_key_does_not_wake_the_dead(void **s)
{
	(void)s;
	kill_order_api(0);
	limits_new_key(l, CENTRA_ORDER_API);
	assert_true(order_api(1, fine) > 0);
}

static void a_key_that_works_again_lets_all_through(void **s)
{
	(void)s;
	assert_int_equal(order_api(0, refused), 0);
	assert_int_equal(order_api(1, fine), LIMITS_KEY_FIRST - 1);
	assert_int_equal(order_api(LIMITS_KEY_FIRST, fine), 0);
	assert_int_equal(order_api(LIMITS_KEY_FIRST, fine), 0);
	assert_false(state_of(CENTRA_ORDER_API, 2 * SECOND).refused);
}

static void who_is_refused_is_told_when_to_come_back(void **s)
{
	struct call how = refused;
	struct permit p;
	int64_t wait;

	(void)s;
	assert_true(may(CENTRA_ORDER_API, CENTRA_LIVE, false, 0, &p, &wait));
	limits_told(l, &p, 0, &how);
	assert_int_equal(how.retry_after, LIMITS_KEY_FIRST);
}

/* ---- paused ---- */

static void retry_after_holds_everybody_back_until_then(void **s)
{
	struct call asked = {
		.end = CALL_NOT_DONE, .status = 429, .retry_after = 7000};

	(void)s;
	assert_int_equal(order_api(0, asked), 0);
	assert_true(state_of(CENTRA_ORDER_API, 1).paused);
	assert_int_equal(order_api(1, fine), 6999);
	assert_int_equal(order_api(6999, fine), 1);
	assert_int_equal(call_api(CENTRA_GRAPHQL, 1, fine), 0);
	assert_int_equal(order_api(7000, fine), 0);
	assert_false(state_of(CENTRA_ORDER_API, 7000).paused);
}

/* ---- the budget ---- */

static void no_ten_seconds_hold_more_than_the_budget(void **s)
{
	int64_t *made = xcalloc(100000, sizeof(*made));
	size_t n = 0;

	(void)s;
	for (int64_t now = 0; now < 5 * MINUTE; now += 7)
		if (!call_api(CENTRA_GRAPHQL, now, fine))
			made[n++] = now;
	for (size_t i = 30; i < n; i++)
		assert_true(made[i] - made[i - 30] >= LIMITS_WINDOW);
	assert_in_range(n, 30 * 30 - 30, 30 * 30 + 30);
	free(made);
}

static void the_order_api_has_none(void **s)
{
	(void)s;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(order_api(0, fine), 0);
}

static void mutations_have_a_smaller_one(void **s)
{
	struct permit p;
	int64_t wait;

	(void)s;
	for (int i = 0; i < 10; i++) {
		assert_true(may(CENTRA_GRAPHQL, CENTRA_LIVE, true, 0, &p,
				&wait));
		limits_told(l, &p, 0, &(struct call){.end = CALL_OK});
	}
	assert_false(may(CENTRA_GRAPHQL, CENTRA_LIVE, true, 0, &p, &wait));
	assert_int_equal(wait, LIMITS_WINDOW);
	assert_int_equal(call_api(CENTRA_GRAPHQL, 0, fine), 0);
}

/* Counts of stock, returns and feeds change something too: a parcel never waits
 * for all of them. */
static void mutations_that_are_not_live_leave_half_to_shipping(void **s)
{
	const enum centra_lane lanes[] = {CENTRA_FETCH, CENTRA_RECONCILE};
	struct permit p;
	int64_t wait;

	(void)s;
	for (int i = 0; i < 5; i++) {
		assert_true(may(CENTRA_GRAPHQL, lanes[i % 2], true, 0, &p,
				&wait));
		limits_told(l, &p, 0, &(struct call){.end = CALL_OK});
	}
	for (int i = 0; i < 2; i++)
		assert_false(may(CENTRA_GRAPHQL, lanes[i], true, 0, &p, &wait));
	assert_true(may(CENTRA_GRAPHQL, CENTRA_LIVE, true, 0, &p, &wait));
}

static void reconciliation_leaves_half_to_live_work(void **s)
{
	struct permit p;
	int64_t wait;

	(void)s;
	for (int i = 0; i < 15; i++) {
		assert_true(may(CENTRA_GRAPHQL, CENTRA_RECONCILE, false, 0, &p,
				&wait));
		limits_told(l, &p, 0, &(struct call){.end = CALL_OK});
	}
	assert_false(may(CENTRA_GRAPHQL, CENTRA_RECONCILE, false, 0, &p, &wait));
	assert_int_equal(wait, LIMITS_WINDOW);
	for (int i = 0; i < 15; i++)
		assert_int_equal(call_api(CENTRA_GRAPHQL, 0, fine), 0);
	assert_true(call_api(CENTRA_GRAPHQL, 0, fine) > 0);
}

/* Live work takes each place as soon as it is free; reconciliation asks every
 * second.  Returns the calls of reconciliation. */
static unsigned reconciliation_beside_live(int64_t from, int64_t ms, unsigned *ret_live)
{
	unsigned calls = 0;
	struct permit p;
	int64_t wait;

	*ret_live = 0;
	for (int64_t now = from; now < from + ms; now += 100) {
		*ret_live += call_api(CENTRA_GRAPHQL, now, fine) == 0;
		if (now % SECOND ||
		    !may(CENTRA_GRAPHQL, CENTRA_RECONCILE, false, now, &p, &wait))
			continue;
		limits_told(l, &p, now, &(struct call){.end = CALL_OK});
		calls++;
	}
	return calls;
}

static void reconciliation_has_a_call_now_and_then_whatever_live_work_takes(void **s)
{
	unsigned live;

	(void)s;
	assert_in_range(reconciliation_beside_live(0, 10 * MINUTE, &live), 25, 60);
	assert_true(live >= 60 * 28); /* of 30 in each window */
}

/* Live work uses up the hour's budget in its first seconds. */
static void of_a_small_budget_it_has_little_but_not_nothing(void **s)
{
	unsigned live;

	(void)s;
	limits_budget(l, &(struct centra_budget){.requests = 30,
						 .requests_hour = 100});
	reconciliation_beside_live(0, HOUR, &live);
	assert_in_range(reconciliation_beside_live(HOUR, 10 * HOUR, &live), 9, 100);
	assert_true(live >= 10 * 90);
}

static void it_takes_no_place_from_live_work_when_it_does_not_wait(void **s)
{
	struct permit p;
	int64_t wait;
	unsigned live;

	(void)s;
	for (int i = 0; i < 30; i++)
		assert_int_equal(call_api(CENTRA_GRAPHQL, 0, fine), 0);
	for (int64_t now = 0; now < LIMITS_WINDOW; now += SECOND)
		assert_false(may(CENTRA_GRAPHQL, CENTRA_RECONCILE, false, now, &p,
				 &wait));
	/* Then it no longer asks. */
	live = 0;
	for (int64_t now = 3 * LIMITS_WINDOW; now < 4 * LIMITS_WINDOW;
	     now += 100)
		live += call_api(CENTRA_GRAPHQL, now, fine) == 0;
	assert_int_equal(live, 30);
}

/* Makes calls of the lane until one is held; returns how many, and its wait. */
static int calls_until_held(enum centra_lane lane, int64_t now,
			    int64_t *ret_wait)
{
	struct permit p;
	int n = 0;

	for (; may(CENTRA_GRAPHQL, lane, false, now, &p, ret_wait); n++)
		limits_told(l, &p, now, &(struct call){.end = CALL_OK});
	return n;
}

static void fetches_leave_a_fifth_to_what_shops_do(void **s)
{
	int64_t wait;

	(void)s;
	assert_int_equal(calls_until_held(CENTRA_FETCH, 0, &wait), 24);
	assert_int_equal(wait, LIMITS_WINDOW);
	assert_int_equal(calls_until_held(CENTRA_LIVE, 5000, &wait), 6);
	/* Those that shops made count for fetches too. */
	assert_int_equal(calls_until_held(CENTRA_FETCH, LIMITS_WINDOW, &wait),
			 18);
	assert_int_equal(wait, 5000);
	assert_int_equal(calls_until_held(CENTRA_LIVE, LIMITS_WINDOW, &wait),
			 6);
}

static void lookups_leave_two_thirds_to_fetches_and_shops(void **s)
{
	int64_t wait;

	(void)s;
	assert_int_equal(calls_until_held(CENTRA_LOOKUP, 0, &wait), 10);
	assert_int_equal(calls_until_held(CENTRA_FETCH, 0, &wait), 14);
	assert_int_equal(calls_until_held(CENTRA_LOOKUP, 0, &wait), 0);
	assert_int_equal(calls_until_held(CENTRA_LIVE, 0, &wait), 6);
}

/* What shops and fetches have used of an hour does not keep lookups away for
 * the rest of it. */
static void in_a_busy_hour_things_can_be_looked_up(void **s)
{
	struct permit p;
	int64_t wait;

	(void)s;
	limits_budget(l, &(struct centra_budget){.requests_hour = 100});
	for (int i = 0; i < 50; i++)
		assert_true(may(CENTRA_GRAPHQL, CENTRA_LIVE, false, 0, &p,
				&wait));
	assert_int_equal(calls_until_held(CENTRA_LOOKUP, 0, &wait), 30);
	assert_int_equal(calls_until_held(CENTRA_LIVE, 0, &wait), 20);
}

static void lookups_have_a_third_of_an_hour_at_most(void **s)
{
	int64_t wait;

	(void)s;
	limits_budget(l, &(struct centra_budget){.requests_hour = 100});
	assert_int_equal(calls_until_held(CENTRA_LOOKUP, 0, &wait), 34);
	assert_true(wait >= LIMITS_HOUR);
	assert_int_equal(calls_until_held(CENTRA_FETCH, 1, &wait), 46);
	assert_int_equal(calls_until_held(CENTRA_LIVE, 1, &wait), 20);
	assert_int_equal(calls_until_held(CENTRA_LOOKUP, LIMITS_HOUR, &wait),
			 14);
}

static void of_a_budget_of_few_calls_fetches_have_all(void **s)
{
	int64_t wait;

	(void)s;
	limits_budget(l, &(struct centra_budget){.requests = 4});
	assert_int_equal(calls_until_held(CENTRA_FETCH, 0, &wait), 4);
}

static void reconciliation_makes_one_call_at_a_time(void **s)
{
	struct permit p, second;
	int64_t wait;

	(void)s;
	assert_true(may(CENTRA_GRAPHQL, CENTRA_RECONCILE, false, 0, &p, &wait));
	assert_false(
		may(CENTRA_GRAPHQL, CENTRA_RECONCILE, false, 0, &second, &wait));
	assert_int_equal(call_api(CENTRA_GRAPHQL, 0, fine), 0);
	limits_told(l, &p, 1, &(struct call){.end = CALL_OK});
	assert_true(
		may(CENTRA_GRAPHQL, CENTRA_RECONCILE, false, 1, &second, &wait));
}

static void who_finds_it_spent_is_not_sent_to_the_same_moment(void **s)
{
	int64_t waits[3];

	(void)s;
	for (int i = 0; i < 30; i++)
		assert_int_equal(
			call_api(CENTRA_GRAPHQL, i * 100, fine), 0);
	for (int i = 0; i < 3; i++)
		waits[i] = call_api(CENTRA_GRAPHQL, 3000, fine);
	assert_int_equal(waits[0], LIMITS_WINDOW - 3000);
	assert_int_equal(waits[1], LIMITS_WINDOW - 2900);
	assert_int_equal(waits[2], LIMITS_WINDOW - 2800);
}

static void a_new_budget_remembers_what_was_spent(void **s)
{
	(void)s;
	for (int i = 0; i < 30; i++)
		assert_int_equal(call_api(CENTRA_GRAPHQL, 0, fine), 0);
	limits_budget(l, &(struct centra_budget){.requests = 20});
	assert_true(call_api(CENTRA_GRAPHQL, 1, fine) > 0);
	limits_budget(l, &(struct centra_budget){.requests = 31});
	assert_int_equal(call_api(CENTRA_GRAPHQL, 1, fine), 0);
	limits_budget(l, &(struct centra_budget){0});
	for (int i = 0; i < 1000; i++)
		assert_int_equal(call_api(CENTRA_GRAPHQL, 1, fine), 0);
}

/* ---- the budget of an hour ---- */

static void budget_of_an_hour(void)
{
	limits_budget(l, &(struct centra_budget){.requests = 30,
						 .mutations = 10,
						 .requests_hour = 300,
						 .mutations_hour = 50});
}

static void no_hour_holds_more_than_its_budget(void **s)
{
	int64_t *made = xcalloc(100000, sizeof(*made));
	size_t n = 0;

	(void)s;
	budget_of_an_hour();
	for (int64_t now = 0; now < 5 * (int64_t)HOUR; now += 500)
		if (!call_api(CENTRA_GRAPHQL, now, fine))
			made[n++] = now;
	for (size_t i = 300; i < n; i++)
		assert_true(made[i] - made[i - 300] >= HOUR);
	for (size_t i = 30; i < n; i++)
		assert_true(made[i] - made[i - 30] >= LIMITS_WINDOW);
	assert_in_range(n, 5 * 300, 5 * 300 + 30);
	free(made);
}

/* Calls of a lane, 5 s apart, until one is held; its wait in *ret. */
static int calls_of(enum centra_lane lane, bool mutation, int64_t *now,
		    int64_t *ret)
{
	struct permit p;
	int n = 0;

	for (; may(CENTRA_GRAPHQL, lane, mutation, *now, &p, ret); n++) {
		limits_told(l, &p, *now, &(struct call){.end = CALL_OK});
		*now += 5 * SECOND;
	}
	return n;
}

static void mutations_have_a_smaller_hour(void **s)
{
	int64_t now = 0, wait;

	(void)s;
	budget_of_an_hour();
	assert_int_equal(calls_of(CENTRA_LIVE, true, &now, &wait), 50);
	assert_int_equal(wait, HOUR - 50 * 5 * SECOND);
	assert_int_equal(call_api(CENTRA_GRAPHQL, now, fine), 0);
	now = HOUR;
	assert_int_equal(calls_of(CENTRA_LIVE, true, &now, &wait), 50);
}

static void reconciliation_leaves_half_of_the_hour_to_live_work(void **s)
{
	int64_t now = 0, wait;

	(void)s;
	budget_of_an_hour();
	assert_int_equal(calls_of(CENTRA_RECONCILE, false, &now, &wait), 150);
	assert_int_equal(wait, HOUR - 150 * 5 * SECOND);
	assert_int_equal(calls_of(CENTRA_LIVE, false, &now, &wait), 150);
}

static void the_longer_wait_of_two_budgets_is_told(void **s)
{
	(void)s;
	limits_budget(l, &(struct centra_budget){.requests = 30,
						 .requests_hour = 30});
	for (int i = 0; i < 30; i++)
		assert_int_equal(call_api(CENTRA_GRAPHQL, 0, fine), 0);
	assert_int_equal(call_api(CENTRA_GRAPHQL, 0, fine), HOUR);
	assert_int_equal(call_api(CENTRA_GRAPHQL, 20 * SECOND, fine),
			 HOUR - 20 * SECOND);
	assert_int_equal(call_api(CENTRA_GRAPHQL, HOUR, fine), 0);
}

static void the_order_api_has_no_hour(void **s)
{
	(void)s;
	budget_of_an_hour();
	for (int i = 0; i < 10000; i++)
		assert_int_equal(order_api(0, fine), 0);
}

static void a_permit_given_back_leaves_reconciliation_one_call_at_a_time(
	void **state)
{
	static const enum centra_lane lanes[] = {CENTRA_LIVE, CENTRA_RECONCILE};
	struct permit p, second;
	int64_t wait;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_true(may(CENTRA_GRAPHQL, lanes[i], false, 0, &p, &wait));
		limits_give_back(l, &p);
		assert_true(may(CENTRA_GRAPHQL, CENTRA_RECONCILE, false, 0, &p,
				&wait));
		assert_false(may(CENTRA_GRAPHQL, CENTRA_RECONCILE, false, 0,
				 &second, &wait));
		limits_told(l, &p, 0, &(struct call){.end = CALL_OK,
						     .status = 200});
	}
}

/* ---- asked beforehand ---- */

static struct centra_may ahead(enum centra_lane lane, unsigned calls,
			       int64_t now)
{
	struct centra_may ret;

	limits_may(l, CENTRA_GRAPHQL, lane, calls, now, &ret);
	return ret;
}

static void call_and_fail(const struct call *how, int64_t now)
{
	struct call c = *how;
	struct permit p;
	int64_t wait;

	assert_true(may(CENTRA_GRAPHQL, CENTRA_LIVE, false, now, &p, &wait));
	limits_told(l, &p, now, &c);
}

static void who_asks_beforehand_pays_nothing(void **state)
{
	struct permit p;
	int64_t wait;

	(void)state;
	for (int i = 0; i < 100; i++) {
		assert_int_equal(ahead(CENTRA_LIVE, 0, 0).wait, 0);
		assert_false(ahead(CENTRA_LIVE, 0, 0).parked);
	}
	for (int i = 0; i < 30; i++)
		assert_true(may(CENTRA_GRAPHQL, CENTRA_LIVE, false, 0, &p,
				&wait));
}

static void away_it_is_parked_until_one_may_find_out(void **state)
{
	struct permit p;
	int64_t wait;

	(void)state;
	for (int i = 0; i < LIMITS_DEAD_AFTER; i++)
		call_and_fail(&unreached, 0);
	assert_true(ahead(CENTRA_LIVE, 0, 0).parked);
	assert_int_equal(ahead(CENTRA_LIVE, 0, 0).wait, LIMITS_DEAD_FIRST);
	assert_int_equal(ahead(CENTRA_LIVE, 0, LIMITS_DEAD_FIRST).wait, 0);
	assert_true(ahead(CENTRA_LIVE, 0, LIMITS_DEAD_FIRST).trial);
	assert_true(ahead(CENTRA_LIVE, 0, LIMITS_DEAD_FIRST).parked);
	assert_true(may(CENTRA_GRAPHQL, CENTRA_LIVE, false, LIMITS_DEAD_FIRST,
			&p, &wait));
	assert_true(ahead(CENTRA_LIVE, 0, LIMITS_DEAD_FIRST).wait > 0);
	limits_told(l, &p, LIMITS_DEAD_FIRST,
		    &(struct call){.end = CALL_OK, .status = 200});
	assert_false(ahead(CENTRA_LIVE, 0, LIMITS_DEAD_FIRST).parked);
	assert_false(ahead(CENTRA_LIVE, 0, LIMITS_DEAD_FIRST).trial);
}

static void a_refused_key_and_a_retry_after_park_as_well(void **state)
{
	struct call slow = {.end = CALL_NOT_DONE, .status = 429,
			    .retry_after = 7000};

	(void)state;
	call_and_fail(&slow, 0);
	assert_true(ahead(CENTRA_LIVE, 0, 0).parked);
	assert_int_equal(ahead(CENTRA_LIVE, 0, 0).wait, 7000);
	assert_false(ahead(CENTRA_LIVE, 0, 7000).parked);
	call_and_fail(&refused, 7000);
	assert_true(ahead(CENTRA_LIVE, 0, 7000).parked);
	assert_int_equal(ahead(CENTRA_LIVE, 0, 7000).wait, LIMITS_KEY_FIRST);
}

static void a_spent_budget_keeps_back_and_does_not_park(void **state)
{
	(void)state;
	for (int i = 0; i < 29; i++)
		call_and_fail(&fine, i);
	assert_int_equal(ahead(CENTRA_LIVE, 0, 100).wait, 0);
	/* One run that is about to call leaves nothing for a second. */
	assert_true(ahead(CENTRA_LIVE, 1, 100).wait > 0);
	assert_true(ahead(CENTRA_RECONCILE, 0, 100).wait > 0);
	assert_false(ahead(CENTRA_RECONCILE, 0, 100).parked);
}

static void who_is_asked_for_tries_at_once(void **state)
{
	(void)state;
	call_and_fail(&refused, 0);
	assert_true(ahead(CENTRA_LIVE, 0, 10).wait > 0);
	limits_try_now(l, CENTRA_GRAPHQL, 10);
	assert_int_equal(ahead(CENTRA_LIVE, 0, 10).wait, 0);
	assert_true(ahead(CENTRA_LIVE, 0, 10).trial);
	call_and_fail(&refused, 10); /* in vain: the wait has doubled */
	assert_int_equal(ahead(CENTRA_LIVE, 0, 10).wait, 2 * LIMITS_KEY_FIRST);
}

#define T(f) cmocka_unit_test_setup_teardown(f, make, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_few_failures_do_not_shut_the_gate),
		T(failures_in_a_row_shut_it_whatever_their_kind),
		T(an_answer_of_any_sense_shows_that_it_lives),
		T(the_other_api_goes_on),
		T(a_dead_centra_costs_one_call_at_a_time),
		T(going_and_coming_back_are_told_by_one_call_each),
		T(a_trial_that_takes_long_is_asked_about_less_often),
		T(a_trial_that_was_not_made_lets_another_be),
		T(who_began_before_it_was_shut_opens_it_but_prolongs_nothing),
		T(a_day_away_costs_a_call_each_half_minute_and_ends_in_one),
		T(a_refused_key_parks_at_once_and_is_tried_less_and_less),
		T(a_new_key_is_tried_at_once),
		T(a_new_key_does_not_wake_the_dead),
		T(a_key_that_works_again_lets_all_through),
		T(who_is_refused_is_told_when_to_come_back),
		T(retry_after_holds_everybody_back_until_then),
		T(no_ten_seconds_hold_more_than_the_budget),
		T(the_order_api_has_none),
		T(mutations_have_a_smaller_one),
		T(mutations_that_are_not_live_leave_half_to_shipping),
		T(reconciliation_leaves_half_to_live_work),
		T(reconciliation_has_a_call_now_and_then_whatever_live_work_takes),
		T(of_a_small_budget_it_has_little_but_not_nothing),
		T(it_takes_no_place_from_live_work_when_it_does_not_wait),
		T(fetches_leave_a_fifth_to_what_shops_do),
		T(lookups_leave_two_thirds_to_fetches_and_shops),
		T(in_a_busy_hour_things_can_be_looked_up),
		T(lookups_have_a_third_of_an_hour_at_most),
		T(of_a_budget_of_few_calls_fetches_have_all),
		T(reconciliation_makes_one_call_at_a_time),
		T(who_finds_it_spent_is_not_sent_to_the_same_moment),
		T(a_new_budget_remembers_what_was_spent),
		T(no_hour_holds_more_than_its_budget),
		T(mutations_have_a_smaller_hour),
		T(reconciliation_leaves_half_of_the_hour_to_live_work),
		T(the_longer_wait_of_two_budgets_is_told),
		T(the_order_api_has_no_hour),
		T(a_permit_given_back_leaves_reconciliation_one_call_at_a_time),
		T(who_asks_beforehand_pays_nothing),
		T(away_it_is_parked_until_one_may_find_out),
		T(a_refused_key_and_a_retry_after_park_as_well),
		T(a_spent_budget_keeps_back_and_does_not_park),
		T(who_is_asked_for_tries_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
