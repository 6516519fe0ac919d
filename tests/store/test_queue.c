/* SPDX-License-Identifier: MIT
 *
 * test_queue.c - lanes, turns and parking: who goes first, that nobody
 * starves, and that tasks whose API cannot be called stay as they are.
 */
#include "tests/store/suite.h"

#include "base/time.h"

#define FEW	 3
#define MANY	 20000
#define SEARCHES 300

/* "c2l3x" is a kind that calls API 2 and waits in lane 3; "o2" calls the system
 * outside that has the number 2.  A fetch waits in LANE_WAITED while its order is
 * on the list of open offers. */
static void place(struct task *t, const struct order *o)
{
	bool open = false;

	if (t->kind[0] == 'c' && t->kind[2] == 'l') {
		t->group = (uint8_t)(t->kind[1] - '0');
		t->lane = (uint8_t)(t->lane ? t->lane : t->kind[3] - '0');
		return;
	}
	if (t->kind[0] == 'o') {
		t->group = (uint8_t)(GROUP_OUTSIDE + t->kind[1] - '0');
		t->lane = LANE_LAST;
		return;
	}
	for (size_t i = 0; o && i < o->n_offers; i++)
		open = open || o->offers[i].list == LIST_OPEN;
	t->group = 2;
	if (!t->lane)
		t->lane = open ? LANE_WAITED : LANE_REST;
}

static struct store *open_queue(const char *url)
{
	struct store_options o = {
		.url = url,
		.max_bytes = (size_t)256 << 20,
		.serve = true,
		.derive = derive_simply,
		.place = place,
		.fetch_kind = "fetch",
	};

	return open_with(&o);
}

static struct task task_of(const char *instance, const char *kind,
			   int64_t number, int64_t due)
{
	struct task t = {.number = number, .created = 1, .due = due};

	snprintf(t.instance, sizeof(t.instance), "%s", instance);
	snprintf(t.kind, sizeof(t.kind), "%s", kind);
	return t;
}

static void add(struct store *s, const char *instance, const char *kind,
		int64_t number, int64_t due)
{
	struct task t = task_of(instance, kind, number, due);

	assert_ok(store_task_add(s, &t, &err));
}

/* Orders first, first + 1, ...: one task of each. */
static void add_many(struct store *s, const char *instance, const char *kind,
		     int64_t first, size_t n)
{
	struct task *list = xcalloc(n, sizeof(*list));

	for (size_t i = 0; i < n; i++)
		list[i] = task_of(instance, kind, first + (int64_t)i, 10);
	assert_ok(store_tasks_add(s, list, n, &err));
	free(list);
}

static unsigned batch_of_three(const char *kind)
{
	(void)kind;
	return 3;
}

static enum rc lease(struct store *s, int64_t now, struct task *ret,
		     int64_t *next)
{
	size_t n;

	return store_lease(s, now, NULL, ret, 1, &n, next, &err);
}

static struct task lease_one(struct store *s, int64_t now)
{
	struct task t;
	int64_t next;

	assert_ok(lease(s, now, &t, &next));
	return t;
}

static void nothing_runs(struct store *s, int64_t now, int64_t next)
{
	struct task t;
	int64_t is;

	assert_int_equal(lease(s, now, &t, &is), RC_NOTFOUND);
	assert_true(is == next);
}

static void finish(struct store *s, struct task *t, enum outcome how,
		   int64_t due)
{
	struct result r = {.how = how, .due = due, .reason = {"no answer"}};

	assert_ok(store_finish(s, t, &r, 100, &err));
	task_release(t);
}

static void nothing_is_wrong(struct store *s)
{
	struct store_verified v = {.wrong = 0};

	/* RC_INVALID: this engine cannot verify itself. */
	if (store_verify(s, NULL, NULL, &v, &err) != RC_INVALID)
		assert_int_equal(v.wrong, 0);
}

/* ---- lanes ---- */

static void a_lower_lane_has_more_turns_and_none_starves(void **state)
{
	static const char *const kinds[] = {"c0l1", "c0l2", "c0l3", "c0l4"};
	struct store *s = open_queue(*state);
	unsigned taken[LANES] = {0};

	for (int64_t i = 0; i < 4; i++)
		add_many(s, "se", kinds[i], 1000 * i, 200);
	for (int i = 0; i < 150; i++) {
		struct task t = lease_one(s, 100);

		taken[t.lane]++;
		finish(s, &t, OUTCOME_DONE, 0);
	}
	for (int lane = LANE_ANSWERS; lane < LANE_LAST; lane++)
		assert_true(taken[lane] > taken[lane + 1]);
	assert_true(taken[LANE_LAST] >= 10);
	store_close(s);
}

static void a_lane_without_work_leaves_its_turns_to_the_others(void **state)
{
	struct store *s = open_queue(*state);

	add_many(s, "se", "c0l4", 1, 40);
	for (int i = 0; i < 40; i++) {
		struct task t = lease_one(s, 100);

		finish(s, &t, OUTCOME_DONE, 0);
	}
	nothing_runs(s, 100, TIME_NONE);
	store_close(s);
}

static void an_answer_does_not_wait_behind_older_fetches(void **state)
{
	struct store *s = open_queue(*state);
	bool seen = false;

	add_many(s, "se", "c2l2", 1, 1000);
	add(s, "se", "c1l1", 5000, 90);
	for (int i = 0; i < 2; i++) {
		struct task t = lease_one(s, 100);

		seen = seen || t.lane == LANE_ANSWERS;
		finish(s, &t, OUTCOME_DONE, 0);
	}
	assert_true(seen);
	store_close(s);
}

static void instances_take_turns_in_a_lane(void **state)
{
	static const char *const names[] = {"de", "no", "se"};
	struct store *s = open_queue(*state);
	unsigned taken[3] = {0};

	add_many(s, "se", "c0l2", 1, 500); /* the oldest, and the most */
	add_many(s, "de", "c0l2", 1, 20);
	add_many(s, "no", "c0l2", 1, 20);
	for (int i = 0; i < 30; i++) {
		struct task t = lease_one(s, 100);

		for (int k = 0; k < 3; k++)
			taken[k] += !strcmp(t.instance, names[k]);
		finish(s, &t, OUTCOME_DONE, 0);
	}
	for (int k = 0; k < 3; k++)
		assert_int_equal(taken[k], 10);
	store_close(s);
}

static void of_one_order_the_lower_lane_goes_first(void **state)
{
	struct store *s = open_queue(*state);
	struct task t;

	add(s, "se", "c0l3", 7, 10);
	add(s, "se", "c0l1", 7, 20);
	for (int i = 0; i < 20; i++) { /* whatever lane has the turn */
		t = lease_one(s, 100);
		assert_int_equal(t.lane, LANE_ANSWERS);
		finish(s, &t, OUTCOME_RETRY, 20);
	}
	nothing_is_wrong(s);
	store_close(s);
}

static void a_replay_goes_into_the_last_lane(void **state)
{
	struct store *s = open_queue(*state);
	struct task t;

	assert_ok(record_one(s, 19, "{}", NULL, NULL));
	assert_ok(store_replay(s, 1, "c0l1", 50, &err));
	t = lease_one(s, 100);
	assert_int_equal(t.lane, LANE_LAST);
	finish(s, &t, OUTCOME_DONE, 0);
	store_close(s);
}

static void a_task_asked_for_in_a_lower_lane_moves_there(void **state)
{
	struct store *s = open_queue(*state);
	struct task again = task_of("se", "c0l4", 7, 10), t;

	add(s, "se", "c0l4", 7, 10);
	again.lane = LANE_ANSWERS;
	assert_ok(store_task_add(s, &again, &err));
	t = lease_one(s, 100);
	assert_int_equal(t.lane, LANE_ANSWERS);
	finish(s, &t, OUTCOME_DONE, 0);
	nothing_runs(s, 100, TIME_NONE);
	nothing_is_wrong(s);
	store_close(s);
}

/* ---- the lane of a fetch ---- */

static void offer_order(struct store *s, int64_t now)
{
	struct changes c = {0};

	opening(&c, 3, "2021-01-12 15:51:00.000000", 5000);
	change_order(s, 19, now, &c);
}

static void accept_order(struct store *s, int64_t now)
{
	struct changes c = {0};

	mark(&c, 3, MARK_ACCEPTED, "2021-01-12 15:52:00.000000");
	change_order(s, 19, now, &c);
}

static void a_fetch_moves_when_somebody_waits_for_it_or_no_longer_does(
	void **state)
{
	struct store *s = open_queue(*state);
	struct task t;

	add(s, "se", "fetch", 19, 10);
	offer_order(s, 20);
	t = lease_one(s, 100);
	assert_int_equal(t.lane, LANE_WAITED);
	finish(s, &t, OUTCOME_RETRY, 50);
	accept_order(s, 60); /* off the list of open offers */
	t = lease_one(s, 100);
	assert_int_equal(t.lane, LANE_REST);
	nothing_is_wrong(s);
	task_release(&t);
	store_close(s);
}

static void a_fetch_whose_order_changes_while_it_runs_is_kept_once(void **state)
{
	struct store *s = open_queue(*state);
	struct result r = {.how = OUTCOME_RETRY, .due = 70};
	struct task t;

	add(s, "se", "fetch", 19, 10);
	t = lease_one(s, 100);
	offer_order(s, 60);
	nothing_is_wrong(s);
	mark(&r.changes, 3, MARK_ACCEPTED, "2021-01-12 15:52:00.000000");
	assert_ok(store_finish(s, &t, &r, 100, &err));
	task_release(&t);
	result_release(&r);
	nothing_is_wrong(s);
	assert_int_equal(stats_of(s).tasks_waiting, 1);
	t = lease_one(s, 100);
	assert_int_equal(t.lane, LANE_REST);
	task_release(&t);
	store_close(s);
}

/* ---- parking ---- */

/* What the gate says of each API. */
static struct store_gate gates[3];

static void gate(void *arg, const char *instance, unsigned group,
		 enum lane lane, unsigned runs, struct store_gate *ret)
{
	(void)arg, (void)instance, (void)lane, (void)runs;
	*ret = gates[group];
}

static void gates_are(struct store *s, struct store_gate of_2)
{
	gates[1] = (struct store_gate){0};
	gates[2] = of_2;
	store_gates(s, gate, NULL);
}

static void take_waiting(void *arg, const char *instance, unsigned group,
			 uint64_t tasks)
{
	uint64_t *ret = arg;

	assert_string_equal(instance, "se");
	ret[group] = tasks;
}

static void what_is_parked_stays_as_it_is(void **state)
{
	struct store *s = open_queue(*state);
	uint64_t writes, waiting[3] = {0};
	struct task t;

	add_many(s, "se", "c2l2", 1, 50);
	gates_are(s, (struct store_gate){.wait = GATE_SHUT, .parked = true});
	writes = stats_of(s).writes;
	for (int i = 0; i < 100; i++)
		nothing_runs(s, 1000 + i, TIME_NONE);
	assert_int_equal(stats_of(s).writes, writes);
	assert_true(stats_of(s).oldest_due == TIME_NONE);
	assert_int_equal(stats_of(s).tasks_waiting, 50);
	assert_ok(store_waiting(s, take_waiting, waiting, &err));
	assert_int_equal(waiting[2], 50);
	assert_int_equal(waiting[1], 0);

	gates_are(s, (struct store_gate){0});
	assert_int_equal(stats_of(s).oldest_due, 10);
	t = lease_one(s, 1000);
	assert_int_equal(t.attempts, 0);
	assert_int_equal(t.due, 10);
	finish(s, &t, OUTCOME_DONE, 0);
	assert_ok(store_waiting(s, take_waiting, waiting, &err));
	assert_int_equal(waiting[2], 49);
	nothing_is_wrong(s);
	store_close(s);
}

static void what_calls_another_api_or_none_runs_beside_it(void **state)
{
	struct store *s = open_queue(*state);
	struct task t[2];

	add_many(s, "se", "c2l1", 1, 50);
	add(s, "se", "c1l4", 1, 90); /* of an order with a parked task */
	add(s, "se", "c0l4", 2, 95);
	gates_are(s, (struct store_gate){.wait = GATE_SHUT, .parked = true});
	t[0] = lease_one(s, 100);
	assert_string_equal(t[0].kind, "c1l4");
	t[1] = lease_one(s, 100);
	assert_string_equal(t[1].kind, "c0l4");
	nothing_runs(s, 100, TIME_NONE);
	finish(s, &t[0], OUTCOME_DONE, 0);
	finish(s, &t[1], OUTCOME_DONE, 0);
	store_close(s);
}

static void who_asks_is_told_when_the_gate_opens(void **state)
{
	struct store *s = open_queue(*state);

	add(s, "se", "c2l2", 1, 10);
	gates_are(s, (struct store_gate){.wait = 400});
	nothing_runs(s, 1000, 1400);
	assert_int_equal(stats_of(s).oldest_due, 10); /* a budget parks not */
	add(s, "se", "c0l1", 2, 1200);
	nothing_runs(s, 1000, 1200);
	store_close(s);
}

static void a_trial_is_one_task_of_one_run(void **state)
{
	struct store *s = open_queue(*state);
	struct task t[3];
	int64_t next;
	size_t n;

	add_many(s, "se", "c2l2", 1, 50);
	gates_are(s, (struct store_gate){.trial = true, .parked = true});
	assert_ok(store_lease(s, 100, batch_of_three, t, 3, &n, &next, &err));
	assert_int_equal(n, 1);
	nothing_runs(s, 100, TIME_NONE);
	gates_are(s, (struct store_gate){0}); /* it went well */
	finish(s, &t[0], OUTCOME_DONE, 0);
	assert_ok(store_lease(s, 100, batch_of_three, t, 3, &n, &next, &err));
	assert_int_equal(n, 3);
	for (int i = 0; i < 3; i++)
		finish(s, &t[i], OUTCOME_DONE, 0);
	store_close(s);
}

static void one_run_at_a_time_of_what_nobody_waits_for(void **state)
{
	struct store *s = open_queue(*state);
	struct task behind, front;

	add(s, "se", "c2l4", 1, 10);
	add(s, "se", "c2l3", 2, 10);
	gates_are(s, (struct store_gate){.alone = true});
	behind = lease_one(s, 100);
	nothing_runs(s, 100, TIME_NONE);
	gates_are(s, (struct store_gate){0});
	front = lease_one(s, 100);
	finish(s, &front, OUTCOME_DONE, 0);
	finish(s, &behind, OUTCOME_DONE, 0);
	store_close(s);
}

/* ---- systems outside ---- */

/* "A trial" of the systems outside whose number is below this. */
static unsigned outside_away;

static void gate_of_outside(void *arg, const char *instance, unsigned group,
			    enum lane lane, unsigned runs,
			    struct store_gate *ret)
{
	(void)arg, (void)instance, (void)lane, (void)runs;
	*ret = (struct store_gate){
		.alone = group >= GROUP_OUTSIDE,
		.trial = group >= GROUP_OUTSIDE &&
			 group < GROUP_OUTSIDE + outside_away,
	};
}

static void add_for_outside(struct store *s, int64_t n)
{
	char kind[3] = "o0";

	for (int64_t i = 0; i < n; i++) {
		kind[1] = (char)('0' + i);
		add(s, "se", kind, 1 + i, 1 + i);
	}
}

static void calls_of_systems_outside_take_no_place_of_centras(void **state)
{
	struct store *s = open_queue(*state);
	struct task held[GROUP_OUTSIDE_RUNS], other[2];

	outside_away = 0;
	store_gates(s, gate_of_outside, NULL);
	store_bound_runs(s, FEW);
	add_for_outside(s, GROUP_OUTSIDE_RUNS + 2);
	for (size_t i = 0; i < GROUP_OUTSIDE_RUNS; i++)
		held[i] = lease_one(s, 100);
	nothing_runs(s, 100, TIME_NONE);
	assert_true(stats_of(s).oldest_due == TIME_NONE);

	add(s, "se", "c1l1", 1, 50); /* of an order that one of them tells of */
	add(s, "se", "c2l2", 2, 50);
	other[0] = lease_one(s, 100);
	other[1] = lease_one(s, 100);
	assert_string_equal(other[0].kind, "c1l1");
	assert_string_equal(other[1].kind, "c2l2");
	for (size_t i = 0; i < 2; i++)
		finish(s, &other[i], OUTCOME_DONE, 0);
	finish(s, &held[0], OUTCOME_DONE, 0);
	held[0] = lease_one(s, 100);
	nothing_runs(s, 100, TIME_NONE);
	for (size_t i = 0; i < GROUP_OUTSIDE_RUNS; i++)
		finish(s, &held[i], OUTCOME_DONE, 0);
	store_close(s);
}

static void systems_outside_that_are_away_leave_room_for_others(void **state)
{
	struct store *s = open_queue(*state);
	struct task held[GROUP_OUTSIDE_RUNS];

	outside_away = GROUP_OUTSIDE_TRIALS + 1;
	store_gates(s, gate_of_outside, NULL);
	store_bound_runs(s, FEW);
	add_for_outside(s, GROUP_OUTSIDE_RUNS + 1);
	for (size_t i = 0; i < GROUP_OUTSIDE_RUNS; i++)
		held[i] = lease_one(s, 100);
	/* The last of those that are away waits. */
	assert_string_equal(held[GROUP_OUTSIDE_TRIALS - 1].kind, "o1");
	assert_string_equal(held[GROUP_OUTSIDE_TRIALS].kind, "o3");
	assert_string_equal(held[GROUP_OUTSIDE_TRIALS + 1].kind, "o4");
	for (size_t i = 0; i < GROUP_OUTSIDE_RUNS; i++)
		finish(s, &held[i], OUTCOME_DONE, 0);
	held[0] = lease_one(s, 100);
	assert_string_equal(held[0].kind, "o2");
	finish(s, &held[0], OUTCOME_DONE, 0);
	store_close(s);
}

/* ---- the cost ---- */

static int64_t time_of_searches(struct store *s)
{
	int64_t began = time_mono();

	for (int i = 0; i < SEARCHES; i++)
		nothing_runs(s, 1000, TIME_NONE);
	return time_mono() - began;
}

/* A walk over all that waits took 10 ms for 20,000: these bounds are wide. */
static void a_search_costs_the_same_whatever_waits(void **state)
{
	struct store *s = open_queue(*state);
	struct task held[FEW];

	add_many(s, "se", "c2l2", 1, MANY);
	gates_are(s, (struct store_gate){.wait = GATE_SHUT, .parked = true});
	assert_true(time_of_searches(s) < 1000); /* parked */

	gates_are(s, (struct store_gate){0});
	store_bound_runs(s, FEW);
	for (int i = 0; i < FEW - 1; i++)
		held[i] = lease_one(s, 1000);
	assert_true(time_of_searches(s) < 1000); /* the API is busy */
	for (int i = 0; i < FEW - 1; i++)
		finish(s, &held[i], OUTCOME_DONE, 0);
	store_close(s);
}

static void a_busy_order_costs_no_walk(void **state)
{
	struct store *s = open_queue(*state);
	struct task *list = xcalloc(MANY, sizeof(*list)), t;

	for (int i = 0; i < MANY; i++) {
		list[i] = task_of("se", "c0l1", 19, 10);
		list[i].sub = i + 1;
	}
	assert_ok(store_tasks_add(s, list, MANY, &err));
	free(list);
	t = lease_one(s, 1000);
	assert_true(time_of_searches(s) < 1000);
	finish(s, &t, OUTCOME_DONE, 0);
	store_close(s);
}

/* ---- reconciliation ---- */

static void what_reconciliation_asks_keeps_nothing_from_its_order(void **state)
{
	struct store *s = open_queue(*state);
	struct task look, t;

	add(s, "se", "c2l4", 7, 10);
	look = lease_one(s, 100);
	add(s, "se", "c1l1", 7, 10);
	t = lease_one(s, 100);
	assert_string_equal(t.kind, "c1l1");
	finish(s, &t, OUTCOME_DONE, 0);
	finish(s, &look, OUTCOME_DONE, 0);
	nothing_runs(s, 100, TIME_NONE);
	nothing_is_wrong(s);
	store_close(s);
}

static void a_replay_keeps_its_order(void **state)
{
	struct store *s = open_queue(*state);
	struct task replay;

	add(s, "se", "c0l4", 7, 10);
	replay = lease_one(s, 100);
	add(s, "se", "c1l1", 7, 10);
	nothing_runs(s, 100, TIME_NONE);
	finish(s, &replay, OUTCOME_DONE, 0);
	store_close(s);
}

static struct order order_19(struct store *s)
{
	struct order o = {0};

	assert_ok(store_order(s, "se", 19, &o, &err));
	return o;
}

/* Leases until it is a task of the kind. */
static struct task lease_kind(struct store *s, int64_t now, const char *kind)
{
	struct task t = lease_one(s, now);

	while (strcmp(t.kind, kind) != 0) {
		finish(s, &t, OUTCOME_RETRY, now + 5000);
		t = lease_one(s, now);
	}
	return t;
}

static void
what_a_look_showed_counts_only_while_the_order_is_as_it_was(void **state)
{
	struct store *s = open_queue(*state);
	struct result r = {0};
	struct order o;
	struct task t;

	offer_order(s, 10);
	add(s, "se", "c2l4", 19, 10);
	o = order_19(s);
	r.only_if.set = true;
	r.only_if.version = o.version;
	r.only_if.updated = o.updated;
	order_release(&o);
	changes_add(&r.changes, CHANGE_CANCELLED, 0);
	t = lease_one(s, 100);
	accept_order(s, 60);
	assert_ok(store_finish(s, &t, &r, 100, &err));
	task_release(&t);
	o = order_19(s);
	assert_false(o.cancelled);
	r.only_if.version = o.version;
	r.only_if.updated = o.updated;
	order_release(&o);

	t = lease_kind(s, 1000, "c2l4"); /* it runs again */
	assert_ok(store_finish(s, &t, &r, 1000, &err));
	task_release(&t);
	o = order_19(s);
	assert_true(o.cancelled);
	order_release(&o);
	result_release(&r);
	store_close(s);
}

/* The lane of the order's fetch after a run in the last lane failed. */
static uint8_t lane_after(struct store *s, bool stays)
{
	struct task t = task_of("se", "fetch", 7, 10);
	struct result r = {
		.how = OUTCOME_RETRY, .due = 100, .stays = stays};
	uint8_t lane;

	t.lane = LANE_LAST;
	assert_ok(store_task_add(s, &t, &err));
	t = lease_one(s, 100);
	assert_int_equal(t.lane, LANE_LAST);
	assert_ok(store_finish(s, &t, &r, 100, &err));
	task_release(&t);
	t = lease_one(s, 100);
	lane = t.lane;
	finish(s, &t, OUTCOME_DONE, 0);
	return lane;
}

static void a_look_that_learnt_nothing_stays_in_the_last_lane(void **state)
{
	struct store *s = open_queue(*state);

	assert_int_equal(lane_after(s, true), LANE_LAST);
	assert_int_equal(lane_after(s, false), LANE_REST);
	store_close(s);
}

static void what_reconciliation_asks_is_never_late(void **state)
{
	struct store *s = open_queue(*state);

	add(s, "se", "c2l4", 7, 10);
	assert_true(stats_of(s).oldest_due == TIME_NONE);
	add(s, "se", "c0l4", 8, 20); /* a replay is */
	assert_int_equal(stats_of(s).oldest_due, 20);
	store_close(s);
}

/* ---- from outside ---- */

static void a_redrive_makes_a_task_that_waits_due(void **state)
{
	struct store *s = open_queue(*state);
	uint64_t woken, again;
	struct task t;

	add(s, "se", "c1l1", 1, 10);
	t = lease_one(s, 100);
	finish(s, &t, OUTCOME_RETRY, 9000);
	nothing_runs(s, 200, 9000);
	assert_ok(store_redrive(s, 1, 200, &err));
	assert_int_equal(store_redrive(s, 1, 200, &err), RC_CONFLICT);
	t = lease_one(s, 200);
	assert_int_equal(t.attempts, 1);
	task_release(&t);

	assert_ok(store_wakes(s, &woken, &err));
	assert_ok(store_wake(s, &err));
	assert_ok(store_wakes(s, &again, &err));
	assert_int_equal(again, woken + 1);
	store_close(s);
}

static void of_many_redrives_one_that_fails_fails_no_other(void **state)
{
	struct redrive list[] = {{.id = 1}, {.id = 77}, {.id = 2}, {.id = 3}};
	struct store *s = open_queue(*state);
	struct task t;

	for (int64_t i = 1; i <= 3; i++)
		add(s, "se", "c1l1", i, 10);
	for (int64_t i = 1; i <= 2; i++) {
		t = lease_one(s, 100);
		finish(s, &t, OUTCOME_RETRY, 9000);
	}
	store_redrive_all(s, list, 4, 200);
	assert_int_equal(list[0].rc, OK);
	assert_int_equal(list[1].rc, RC_NOTFOUND);
	assert_int_equal(list[2].rc, OK);
	assert_int_equal(list[3].rc, RC_CONFLICT);
	for (int64_t i = 1; i <= 3; i++) {
		t = lease_one(s, 200);
		finish(s, &t, OUTCOME_DONE, 0);
	}
	store_close(s);
}

static void a_task_that_is_dropped_is_gone_also_while_it_runs(void **state)
{
	struct store *s = open_queue(*state);
	struct task name = task_of("se", "c2l4", 7, 10), t;
	struct result r = {.how = OUTCOME_RETRY, .due = 50};

	assert_int_equal(store_task_drop(s, &name, &err), RC_NOTFOUND);
	assert_ok(store_task_add(s, &name, &err));
	t = lease_one(s, 100);
	assert_ok(store_task_drop(s, &name, &err));
	assert_int_equal(store_finish(s, &t, &r, 100, &err), RC_NOTFOUND);
	task_release(&t);
	assert_int_equal(stats_of(s).tasks_waiting, 0);
	nothing_is_wrong(s);
	store_close(s);
}

static void only_what_is_put_off_for_longer_is_hurried(void **state)
{
	struct store *s = open_queue(*state);
	uint64_t writes;
	struct task t;

	for (int64_t i = 1; i <= 2; i++) {
		add(s, "se", "c0l1", i, 10);
		t = lease_one(s, 100);
		finish(s, &t, OUTCOME_RETRY, i == 1 ? 30000 : 900000);
	}
	writes = stats_of(s).writes;
	hurry_all(s, "se", 200, 600000);
	t = lease_one(s, 200);
	assert_int_equal(t.number, 2);
	task_release(&t);
	nothing_runs(s, 200, 30000);
	assert_int_equal(stats_of(s).writes, writes + 1);
	store_close(s);
}

/* ---- a hurry ---- */

#define PUT_OFF	 700 /* tasks */
#define ONE_STEP 200 /* tasks that one transaction makes due, at most */

static unsigned batch_of_all(const char *kind)
{
	(void)kind;
	return PUT_OFF;
}

/* Runs and fails all that is due: it is put off until `due`.  Returns how many
 * ran. */
static size_t fail_all(struct store *s, int64_t now, int64_t due)
{
	struct task *t = xcalloc(PUT_OFF, sizeof(*t));
	int64_t next;
	size_t n = 0;
	enum rc rc = store_lease(s, now, batch_of_all, t, PUT_OFF, &n, &next,
				 &err);

	assert_true(!rc || rc == RC_NOTFOUND);
	for (size_t i = 0; i < n; i++)
		finish(s, &t[i], OUTCOME_RETRY, due);
	free(t);
	return n;
}

static bool count_due(void *arg, const struct task *t)
{
	*(size_t *)arg += t->due == 200;
	return true;
}

/* How many tasks are due at 200, when the hurries of these tests are. */
static size_t hurried(struct store *s)
{
	size_t n = 0;

	assert_ok(store_tasks(s, false, 0, count_due, &n, &err));
	return n;
}

static void a_step_of_a_hurry_makes_few_tasks_due(void **state)
{
	struct store *s = open_queue(*state);
	struct hurry h = {.instance = "se", .now = 200};
	size_t before = 0, after;
	uint64_t writes;
	enum rc rc;

	add_many(s, "se", "c0l1", 1, PUT_OFF);
	assert_int_equal(fail_all(s, 100, 90000), PUT_OFF);
	for (;;) {
		writes = stats_of(s).writes;
		rc = store_hurry(s, &h, &err);
		if (rc)
			break;
		after = hurried(s);
		assert_true(after - before <= ONE_STEP);
		assert_true(stats_of(s).writes - writes <= 1);
		before = after;
	}
	assert_int_equal(rc, RC_NOTFOUND);
	assert_int_equal(before, PUT_OFF);
	hurry_release(&h);
	store_close(s);
}

static void what_fails_again_during_a_hurry_keeps_its_new_wait(void **state)
{
	struct store *s = open_queue(*state);
	struct hurry h = {.instance = "se", .now = 200};
	int64_t due = 90000;
	size_t runs = 0;

	add_many(s, "se", "c0l1", 1, PUT_OFF);
	assert_int_equal(fail_all(s, 100, due), PUT_OFF);
	while (!store_hurry(s, &h, &err))
		runs += fail_all(s, 200, ++due);
	assert_int_equal(runs, PUT_OFF);
	assert_int_equal(hurried(s), 0);
	hurry_release(&h);
	store_close(s);
}

static void a_hurry_finds_every_lane_and_kind_of_its_instance(void **state)
{
	static const char *const kinds[] = {"c0l1", "c0l2", "c1l2", "c2l4"};
	struct store *s = open_queue(*state);

	for (int64_t i = 0; i < 4; i++) {
		add(s, "se", kinds[i], i + 1, 10);
		add(s, "de", kinds[i], i + 1, 10);
	}
	for (int i = 0; i < 8; i++)
		fail_all(s, 100, 90000);
	hurry_all(s, "se", 200, 0);
	assert_int_equal(hurried(s), 4);
	hurry_all(s, "de", 200, 0);
	assert_int_equal(hurried(s), 8);
	store_close(s);
}

static void a_store_that_is_dated_after_now_says_so(void **state)
{
	struct store *s = open_queue(*state);
	struct task t = task_of("se", "c0l1", 1, 10);
	bool after = true;

	t.created = 5000;
	assert_ok(store_task_add(s, &t, &err));
	assert_ok(store_dated_after(s, 5000, &after, &err));
	assert_false(after);
	assert_ok(store_dated_after(s, 4999, &after, &err));
	assert_true(after);
	assert_ok(record_one(s, 19, "{}", NULL, NULL)); /* received at 1000 */
	assert_ok(store_dated_after(s, 999, &after, &err));
	assert_true(after);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(a_lower_lane_has_more_turns_and_none_starves),
		FRESH(a_lane_without_work_leaves_its_turns_to_the_others),
		FRESH(an_answer_does_not_wait_behind_older_fetches),
		FRESH(instances_take_turns_in_a_lane),
		FRESH(of_one_order_the_lower_lane_goes_first),
		FRESH(a_replay_goes_into_the_last_lane),
		FRESH(a_task_asked_for_in_a_lower_lane_moves_there),
		FRESH(a_fetch_moves_when_somebody_waits_for_it_or_no_longer_does),
		FRESH(a_fetch_whose_order_changes_while_it_runs_is_kept_once),
		FRESH(what_is_parked_stays_as_it_is),
		FRESH(what_calls_another_api_or_none_runs_beside_it),
		FRESH(who_asks_is_told_when_the_gate_opens),
		FRESH(a_trial_is_one_task_of_one_run),
		FRESH(one_run_at_a_time_of_what_nobody_waits_for),
		FRESH(calls_of_systems_outside_take_no_place_of_centras),
		FRESH(systems_outside_that_are_away_leave_room_for_others),
		FRESH(a_search_costs_the_same_whatever_waits),
		FRESH(a_busy_order_costs_no_walk),
		FRESH(what_reconciliation_asks_keeps_nothing_from_its_order),
		FRESH(a_replay_keeps_its_order),
		FRESH(what_a_look_showed_counts_only_while_the_order_is_as_it_was),
		FRESH(a_look_that_learnt_nothing_stays_in_the_last_lane),
		FRESH(what_reconciliation_asks_is_never_late),
		FRESH(a_redrive_makes_a_task_that_waits_due),
		FRESH(of_many_redrives_one_that_fails_fails_no_other),
		FRESH(a_task_that_is_dropped_is_gone_also_while_it_runs),
		FRESH(only_what_is_put_off_for_longer_is_hurried),
		FRESH(a_step_of_a_hurry_makes_few_tasks_due),
		FRESH(what_fails_again_during_a_hurry_keeps_its_new_wait),
		FRESH(a_hurry_finds_every_lane_and_kind_of_its_instance),
		FRESH(a_store_that_is_dated_after_now_says_so),
	};

	return RUN(tests);
}
