/* SPDX-License-Identifier: MIT
 *
 * test_tasks.c - the queue: whose turn it is, how a run ends, and what
 * happens to tasks that are asked for again, fail, or cannot be ended.
 */
#include <pthread.h>

#include "tests/store/suite.h"

static void place(struct task *t, const struct order *o)
{
	(void)o;
	if (!strcmp(t->kind, "answer_offer"))
		t->group = 1;
	else
		t->group = strcmp(t->kind, "fetch_order") ? 0 : 2;
}

static struct store *open_queue(const char *url)
{
	struct store_options o = {
		.url = url,
		.max_bytes = (size_t)256 << 20,
		.serve = true,
		.derive = derive_simply,
		.place = place,
		.fetch_kind = "fetch_order",
	};

	return open_with(&o);
}

static void add(struct store *s, const char *kind, int64_t number, int64_t sub,
		int64_t due)
{
	struct task t = {
		.instance = "se",
		.number = number,
		.sub = sub,
		.created = 1,
		.due = due,
	};

	snprintf(t.kind, sizeof(t.kind), "%s", kind);
	assert_ok(store_task_add(s, &t, &err));
}

static unsigned batches(const char *kind)
{
	return strcmp(kind, "fetch_order") ? 1 : 3;
}

/* What a lease took, and when the next would be due. */
struct taken {
	struct task list[8];
	size_t n;
	int64_t next;
	enum rc rc;
};

static struct taken lease(struct store *s, int64_t now)
{
	struct taken t = {0};

	t.rc = store_lease(s, now, batches, t.list, 8, &t.n, &t.next, &err);
	return t;
}

/* Leases the one task that is due. */
static struct task lease_one(struct store *s, int64_t now)
{
	struct taken t = lease(s, now);

	assert_int_equal(t.rc, OK);
	assert_int_equal(t.n, 1);
	return t.list[0];
}

static void nothing_is_due(struct store *s, int64_t now, int64_t next)
{
	struct taken t = lease(s, now);

	assert_int_equal(t.rc, RC_NOTFOUND);
	assert_int_equal(t.n, 0);
	assert_true(t.next == next);
}

/* Ends a run; takes the task and the result with it. */
static void finish(struct store *s, struct task *t, struct result *r,
		   int64_t now)
{
	assert_ok(store_finish(s, t, r, now, &err));
	task_release(t);
	result_release(r);
}

static void done(struct store *s, struct task *t, int64_t now)
{
	struct result r = {.how = OUTCOME_DONE};

	finish(s, t, &r, now);
}

static void retry(struct store *s, struct task *t, int64_t now, int64_t due)
{
	struct result r = {.how = OUTCOME_RETRY, .due = due, .why = 503};

	snprintf(r.reason.text, sizeof(r.reason.text), "no answer");
	finish(s, t, &r, now);
}

static void die(struct store *s, struct task *t, int64_t now)
{
	struct result r = {.how = OUTCOME_DEAD};

	snprintf(r.reason.text, sizeof(r.reason.text), "hopeless");
	finish(s, t, &r, now);
}

/* ---- whose turn it is ---- */

static void the_earliest_due_task_is_taken_and_no_other(void **state)
{
	struct store *s = open_queue(*state);
	struct task t;

	nothing_is_due(s, 1000, TIME_NONE);
	add(s, "answer_offer", 1, 3, 200);
	add(s, "answer_offer", 2, 3, 100);
	add(s, "answer_offer", 3, 3, 300);
	nothing_is_due(s, 99, 100);
	t = lease_one(s, 250);
	assert_int_equal(t.number, 2);
	assert_string_equal(t.kind, "answer_offer");
	assert_true(t.sub == 3 && t.due == 100 && !t.attempts && !t.dead);
	done(s, &t, 250);
	t = lease_one(s, 250);
	assert_int_equal(t.number, 1);
	nothing_is_due(s, 250, 300);
	done(s, &t, 250);
	nothing_is_due(s, 250, 300);
	assert_int_equal(stats_of(s).tasks_waiting, 1);
	store_close(s);
}

static void tasks_of_one_order_run_one_at_a_time(void **state)
{
	struct store *s = open_queue(*state);
	struct task first, other;

	add(s, "answer_offer", 1, 3, 100);
	add(s, "answer_offer", 1, 4, 101);
	add(s, "answer_offer", 2, 3, 102);
	first = lease_one(s, 200);
	assert_int_equal(first.sub, 3);
	other = lease_one(s, 200);
	assert_int_equal(other.number, 2);
	nothing_is_due(s, 200, TIME_NONE);
	done(s, &first, 200);
	first = lease_one(s, 200);
	assert_int_equal(first.sub, 4);
	done(s, &first, 200);
	done(s, &other, 200);
	assert_int_equal(stats_of(s).tasks_waiting, 0);
	store_close(s);
}

static void a_task_that_waits_blocks_no_other_of_its_order(void **state)
{
	struct store *s = open_queue(*state);
	struct task t;

	add(s, "answer_offer", 1, 3, 100);
	t = lease_one(s, 100);
	retry(s, &t, 100, 5000);
	add(s, "check_first", 1, 9, 101);
	t = lease_one(s, 200);
	assert_string_equal(t.kind, "check_first");
	done(s, &t, 200);
	store_close(s);
}

static void a_batch_is_of_one_kind_and_of_different_orders(void **state)
{
	struct store *s = open_queue(*state);
	struct taken t;

	add(s, "fetch_order", 1, 0, 100);
	add(s, "answer_offer", 2, 3, 101); /* 2 is not fetched before this */
	add(s, "fetch_order", 2, 0, 102);
	add(s, "fetch_order", 3, 0, 103);
	add(s, "fetch_order", 4, 0, 104);
	add(s, "fetch_order", 5, 0, 105);
	t = lease(s, 200);
	assert_int_equal(t.n, 3);
	assert_true(t.list[0].number == 1 && t.list[1].number == 3 &&
		    t.list[2].number == 4);
	for (size_t i = 0; i < t.n; i++)
		done(s, &t.list[i], 200);
	t = lease(s, 200);
	assert_true(t.n == 1 && t.list[0].number == 2);
	assert_string_equal(t.list[0].kind, "answer_offer");
	done(s, &t.list[0], 200);
	t = lease(s, 200);
	assert_int_equal(t.n, 2);
	assert_true(t.list[0].number == 2 && t.list[1].number == 5);
	for (size_t i = 0; i < t.n; i++)
		task_release(&t.list[i]);
	store_close(s);
}

static void a_batch_stops_at_the_room_there_is(void **state)
{
	struct store *s = open_queue(*state);
	struct task got[2];
	int64_t next;
	size_t n;

	for (int i = 1; i <= 3; i++)
		add(s, "fetch_order", i, 0, 100);
	assert_ok(store_lease(s, 200, batches, got, 2, &n, &next, &err));
	assert_int_equal(n, 2);
	assert_int_equal(store_lease(s, 200, batches, got, 0, &n, &next, &err),
			 RC_INVALID);
	store_close(s);
}

static void add_at(struct store *s, const char *instance, const char *kind,
		   int64_t number, int64_t due)
{
	struct task t = {.number = number, .created = 1, .due = due};

	snprintf(t.instance, sizeof(t.instance), "%s", instance);
	snprintf(t.kind, sizeof(t.kind), "%s", kind);
	assert_ok(store_task_add(s, &t, &err));
}

/* Leases the one task that is left of those that may be: it is this. */
static struct task lease_this(struct store *s, const char *instance,
			      const char *kind, int64_t number)
{
	struct task t = lease_one(s, 1000);

	assert_string_equal(t.instance, instance);
	assert_string_equal(t.kind, kind);
	assert_int_equal(t.number, number);
	return t;
}

static void a_side_that_hangs_holds_up_nothing_else(void **state)
{
	struct store *s = open_queue(*state);
	struct task held[4];

	store_bound_runs(s, 3);
	for (int64_t i = 1; i <= 4; i++)
		add_at(s, "se", "answer_offer", i, i);
	held[0] = lease_this(s, "se", "answer_offer", 1);
	held[1] = lease_this(s, "se", "answer_offer", 2);
	nothing_is_due(s, 1000, TIME_NONE); /* two more wait */
	add_at(s, "se", "fetch_order", 5, 5);
	add_at(s, "se", "check_first", 3, 6); /* of an order that waits */
	add_at(s, "no", "answer_offer", 1, 7);
	held[3] = lease_this(s, "no", "answer_offer", 1); /* its turn */
	done(s, &held[3], 1000);
	held[2] = lease_this(s, "se", "fetch_order", 5);
	held[3] = lease_this(s, "se", "check_first", 3);
	done(s, &held[3], 1000);
	done(s, &held[0], 1000);
	held[0] = lease_this(s, "se", "answer_offer", 3);
	done(s, &held[0], 1000);
	done(s, &held[1], 1000);
	done(s, &held[2], 1000);
	store_close(s);
}

static void a_batch_is_one_of_the_runs_that_may_hang(void **state)
{
	struct store *s = open_queue(*state);
	struct taken a, b;

	store_bound_runs(s, 3);
	for (int64_t i = 1; i <= 7; i++)
		add_at(s, "se", "fetch_order", i, i);
	a = lease(s, 1000);
	b = lease(s, 1000);
	assert_int_equal(a.n, 3);
	assert_int_equal(b.n, 3);
	nothing_is_due(s, 1000, TIME_NONE);
	for (size_t i = 0; i < 3; i++)
		done(s, &a.list[i], 1000);
	a.list[0] = lease_this(s, "se", "fetch_order", 7);
	done(s, &a.list[0], 1000);
	for (size_t i = 0; i < 3; i++)
		done(s, &b.list[i], 1000);
	store_close(s);
}

static void leases_end_with_the_process(void **state)
{
	struct store *s = open_queue(*state);
	struct task t;

	add(s, "answer_offer", 1, 3, 100);
	t = lease_one(s, 200);
	task_release(&t);
	store_close(s);
	s = open_queue(*state);
	t = lease_one(s, 200);
	assert_int_equal(t.number, 1);
	done(s, &t, 200);
	store_close(s);
}

/* ---- how a run ends ---- */

static void a_retried_task_waits_and_knows_why(void **state)
{
	struct store *s = open_queue(*state);
	struct task t;

	add(s, "answer_offer", 1, 3, 100);
	t = lease_one(s, 200);
	retry(s, &t, 200, 700);
	nothing_is_due(s, 699, 700);
	t = lease_one(s, 700);
	assert_int_equal(t.attempts, 1);
	assert_string_equal(t.reason, "no answer");
	assert_int_equal(t.why, 503);
	done(s, &t, 700);
	assert_int_equal(stats_of(s).tasks_waiting, 0);
	store_close(s);
}

/* Else an order that several reconciliations ask for would wait for longer and
 * longer until it is looked at by itself. */
static void a_look_of_reconciliation_lengthens_no_wait(void **state)
{
	struct store *s = open_queue(*state);
	struct task look = {
		.instance = "se",
		.kind = "fetch_order",
		.number = 1,
		.created = 1,
		.due = 300,
		.lane = LANE_LAST,
	};
	struct task t;

	add(s, "fetch_order", 1, 0, 100);
	t = lease_one(s, 200);
	retry(s, &t, 200, 700);
	t = lease_one(s, 700);
	assert_int_equal(t.attempts, 1);
	retry(s, &t, 200, 700);
	assert_ok(store_task_add(s, &look, &err));
	t = lease_one(s, 300);
	assert_int_equal(t.attempts, 1);
	retry(s, &t, 300, 900);
	t = lease_one(s, 900);
	assert_int_equal(t.attempts, 2);
	done(s, &t, 900);
	store_close(s);
}

static bool take_id(void *arg, const struct task *t)
{
	uint64_t *id = arg;

	*id = t->id;
	return true;
}

static bool find_given_up(void *arg, const struct entry *e)
{
	bool *found = arg;

	*found |= e->fact == FACT_GIVEN_UP &&
		  !strcmp(e->result, "check_first") &&
		  !strcmp(e->text, "hopeless");
	return true;
}

static void a_dead_task_is_kept_and_redriven(void **state)
{
	struct store *s = open_queue(*state);
	bool noted = false;
	uint64_t id = 0;
	struct task t;

	add(s, "check_first", 1, 3, 100);
	t = lease_one(s, 200);
	die(s, &t, 200);
	nothing_is_due(s, 9000, TIME_NONE);
	assert_int_equal(stats_of(s).tasks_dead, 1);
	assert_int_equal(stats_of(s).tasks_waiting, 0);
	assert_ok(store_journal(s, "se", 1, find_given_up, &noted, &err));
	assert_true(noted);
	assert_ok(store_tasks(s, true, 0, take_id, &id, &err));
	assert_true(id);

	assert_int_equal(store_redrive(s, id + 1, 300, &err), RC_NOTFOUND);
	assert_ok(store_redrive(s, id, 300, &err));
	assert_int_equal(store_redrive(s, id, 300, &err), RC_CONFLICT);
	assert_int_equal(stats_of(s).tasks_dead, 0);
	t = lease_one(s, 300);
	assert_true(t.id == id && !t.attempts);
	assert_string_equal(t.reason, "hopeless");
	done(s, &t, 300);
	store_close(s);
}

static void a_new_task_takes_the_place_of_a_dead_one(void **state)
{
	struct store *s = open_queue(*state);
	uint64_t was;
	struct task t;

	add(s, "check_first", 1, 3, 100);
	t = lease_one(s, 200);
	was = t.id;
	die(s, &t, 200);
	add(s, "check_first", 1, 3, 400);
	assert_int_equal(stats_of(s).tasks_dead, 0);
	t = lease_one(s, 400);
	assert_true(t.id > was && !t.attempts && !t.reason);
	done(s, &t, 400);
	store_close(s);
}

static void a_result_is_made_true_with_its_changes_and_follow_ups(void **state)
{
	struct store *s = open_queue(*state);
	struct result r = {.how = OUTCOME_DONE};
	struct order o;
	struct task t;

	add(s, "check_first", 1, 3, 100);
	t = lease_one(s, 200);
	opening(&r.changes, 3, "2021", 5000);
	changes_task(&r.changes, "answer_offer", 3, 900);
	finish(s, &t, &r, 200);
	assert_ok(store_order(s, "se", 1, &o, &err));
	assert_int_equal(o.n_offers, 1);
	order_release(&o);
	nothing_is_due(s, 899, 900);
	t = lease_one(s, 900);
	assert_string_equal(t.kind, "answer_offer");
	done(s, &t, 900);
	store_close(s);
}

static void a_run_that_was_ended_already_changes_nothing(void **state)
{
	struct store *s = open_queue(*state);
	struct result r = {.how = OUTCOME_DONE};
	struct order o;
	struct task t;

	add(s, "check_first", 1, 3, 100);
	t = lease_one(s, 200);
	assert_ok(store_finish(s, &t, &r, 200, &err));
	opening(&r.changes, 3, "2021", 5000);
	assert_int_equal(store_finish(s, &t, &r, 200, &err), RC_NOTFOUND);
	result_release(&r);
	task_release(&t);
	assert_int_equal(store_order(s, "se", 1, &o, &err), RC_NOTFOUND);
	store_close(s);
}

static void an_end_that_cannot_be_written_frees_the_order(void **state)
{
	struct store *s = open_queue(*state);
	struct result r = {.how = OUTCOME_DONE};
	struct task t, other;

	add(s, "check_first", 1, 3, 100);
	add(s, "answer_offer", 1, 3, 150);
	t = lease_one(s, 200);
	opening(&r.changes, 3, "2021", 5000);
	changes_task(&r.changes, "a name too long for any task", 0, 1);
	assert_int_equal(store_finish(s, &t, &r, 200, &err), RC_INVALID);
	result_release(&r);
	task_release(&t);
	other = lease_one(s, 200); /* the order is free */
	assert_string_equal(other.kind, "answer_offer");
	done(s, &other, 200);
	nothing_is_due(s, 1199, 1200); /* no tight loop */
	t = lease_one(s, 1200);
	assert_string_equal(t.kind, "check_first");
	done(s, &t, 1200);
	store_close(s);
}

static void a_clock_that_goes_back_hides_no_task(void **state)
{
	struct store *s = open_queue(*state);
	struct result r = {.how = OUTCOME_DONE};
	struct task t;

	add(s, "check_first", 1, 3, 100);
	t = lease_one(s, 9000000);
	changes_task(&r.changes, "a name too long for any task", 0, 1);
	assert_int_equal(store_finish(s, &t, &r, 9000000, &err), RC_INVALID);
	result_release(&r);
	task_release(&t);
	t = lease_one(s, 200);
	done(s, &t, 200);
	store_close(s);
}

/* ---- asked for again ---- */

static void adding_a_waiting_task_keeps_the_earlier_time(void **state)
{
	struct store *s = open_queue(*state);
	struct task t;

	add(s, "fetch_order", 1, 0, 500);
	add(s, "fetch_order", 1, 0, 900);
	nothing_is_due(s, 1, 500);
	add(s, "fetch_order", 1, 0, 300);
	nothing_is_due(s, 1, 300);
	t = lease_one(s, 300);
	done(s, &t, 300);
	nothing_is_due(s, 9000, TIME_NONE); /* once, not three times */
	store_close(s);
}

static void a_task_added_while_it_runs_runs_once_more(void **state)
{
	struct store *s = open_queue(*state);
	struct task t;

	add(s, "fetch_order", 1, 0, 100);
	t = lease_one(s, 200);
	add(s, "fetch_order", 1, 0, 250);
	add(s, "fetch_order", 1, 0, 800);
	nothing_is_due(s, 900, TIME_NONE); /* it is running */
	done(s, &t, 210);
	nothing_is_due(s, 249, 250);
	t = lease_one(s, 250);
	done(s, &t, 250);
	nothing_is_due(s, 9000, TIME_NONE);

	add(s, "fetch_order", 1, 0, 1000);
	t = lease_one(s, 1000);
	add(s, "fetch_order", 1, 0, 1100);
	retry(s, &t, 1000, 9000);
	nothing_is_due(s, 1099, 1100);
	t = lease_one(s, 1100);
	add(s, "fetch_order", 1, 0, 1200);
	die(s, &t, 1100);
	assert_int_equal(stats_of(s).tasks_dead, 0);
	t = lease_one(s, 1200);
	assert_int_equal(t.attempts, 0);
	done(s, &t, 1200);
	assert_int_equal(stats_of(s).tasks_waiting, 0);
	store_close(s);
}

static void a_run_may_ask_for_itself(void **state)
{
	struct store *s = open_queue(*state);
	struct result r = {.how = OUTCOME_DONE};
	struct task t;

	add(s, "check_first", 1, 0, 100);
	t = lease_one(s, 200);
	changes_task(&r.changes, "check_first", 0, 700);
	finish(s, &t, &r, 200);
	nothing_is_due(s, 699, 700);
	t = lease_one(s, 700);
	done(s, &t, 700);
	nothing_is_due(s, 9000, TIME_NONE);
	store_close(s);
}

/* ---- the fetch that an order needs ---- */

static void accept_order(struct store *s, int64_t now, const char *date)
{
	struct changes c = {0};

	mark(&c, 3, MARK_ACCEPTED, date);
	change_order(s, 1, now, &c);
}

static void a_fetch_that_is_due_gets_a_task(void **state)
{
	struct store *s = open_queue(*state);
	struct result r = {.how = OUTCOME_DONE};
	struct task t;

	accept_order(s, 100, "2021-01-01");
	t = lease_one(s, 100);
	assert_string_equal(t.kind, "fetch_order");
	assert_true(t.number == 1 && !t.sub);
	changes_add(&r.changes, CHANGE_ADDRESS, 0)->address = xstrdup("{}");
	finish(s, &t, &r, 100);
	nothing_is_due(s, 900000, TIME_NONE);
	store_close(s);
}

static void a_fetch_that_settled_nothing_waits_a_minute(void **state)
{
	struct store *s = open_queue(*state);
	struct task t;

	accept_order(s, 100, "2021-01-01");
	t = lease_one(s, 100);
	done(s, &t, 200);
	nothing_is_due(s, 200, 60200);
	store_close(s);
}

static void only_news_makes_a_failing_fetch_run_earlier(void **state)
{
	struct store *s = open_queue(*state);
	struct result r = {.how = OUTCOME_RETRY, .due = 30000};
	struct changes c = {0};
	struct task t;

	accept_order(s, 100, "2021-01-01");
	t = lease_one(s, 100);
	opening(&r.changes, 3, "2021-01-01", 5000); /* its own change */
	finish(s, &t, &r, 200);
	nothing_is_due(s, 200, 30000);
	accept_order(s, 300, "2021-01-01"); /* nothing new */
	nothing_is_due(s, 300, 30000);
	changes_journal(&c, &(struct entry){.fact = FACT_TRY}); /* no news */
	change_order(s, 1, 300, &c);
	nothing_is_due(s, 300, 30000);
	accept_order(s, 400, "2021-01-02");
	t = lease_one(s, 400);
	assert_int_equal(t.attempts, 1);

	accept_order(s, 500, "2021-01-03"); /* while it runs */
	retry(s, &t, 600, 40000);
	t = lease_one(s, 600);
	die(s, &t, 700);
	nothing_is_due(s, 700, TIME_NONE);
	accept_order(s, 800, "2021-01-03"); /* nothing new */
	nothing_is_due(s, 800, TIME_NONE);
	accept_order(s, 900, "2021-01-04");
	t = lease_one(s, 900);
	assert_int_equal(t.attempts, 0);
	done(s, &t, 900);
	store_close(s);
}

/* One sync for all of them is what lets a batch keep up with Centra. */
static void a_batch_ends_in_one_commit_and_each_by_itself(void **state)
{
	struct store *s = open_queue(*state);
	struct result of[3] = {{.how = OUTCOME_DONE},
			       {.how = OUTCOME_DONE},
			       {.how = OUTCOME_RETRY, .due = 900}};
	struct finish list[3];
	struct taken got;
	uint64_t commits;

	for (int64_t n = 1; n <= 3; n++)
		add(s, "fetch_order", n, 0, 100 + n);
	got = lease(s, 200);
	assert_int_equal(got.n, 3);
	/* The second was ended already, by someone else. */
	assert_ok(store_finish(s, &got.list[1], &of[1], 200, &err));
	commits = stats_of(s).commits;
	for (size_t i = 0; i < 3; i++)
		list[i] = (struct finish){.task = &got.list[i],
					  .result = &of[i]};
	store_finish_all(s, list, 3, 300);
	assert_int_equal(list[0].rc, OK);
	assert_int_equal(list[1].rc, RC_NOTFOUND);
	assert_true(*list[1].e.text);
	assert_int_equal(list[2].rc, OK);
	assert_int_equal(stats_of(s).commits, commits + 1);
	assert_int_equal(stats_of(s).tasks_waiting, 1);
	nothing_is_due(s, 300, 900); /* no lease is left */
	for (size_t i = 0; i < 3; i++)
		task_release(&got.list[i]);
	store_close(s);
}

#define PRESSES 300

struct presser {
	struct store *s;
	pthread_t thread;
	int good;
};

/* Adds tasks that wait, as shops' presses do. */
static void *press_on(void *arg)
{
	struct presser *p = arg;
	struct task t = {.kind = "answer_offer", .instance = "se", .sub = 3,
			 .created = 1, .due = 1000000};
	struct err e;

	for (int i = 0; i < PRESSES; i++) {
		t.number = 1000 + i;
		p->good += !store_task_add(p->s, &t, &e);
	}
	return NULL;
}

static size_t finish_a_batch(struct store *s)
{
	struct taken got = lease(s, 100);
	struct result done = {.how = OUTCOME_DONE};
	struct finish list[8];

	for (size_t i = 0; i < got.n; i++)
		list[i] = (struct finish){.task = &got.list[i],
					  .result = &done};
	store_finish_all(s, list, got.n, 100);
	for (size_t i = 0; i < got.n; i++) {
		assert_int_equal(list[i].rc, OK);
		task_release(&got.list[i]);
	}
	return got.n;
}

/* The worker hands in whole batches while shops press: none of either is lost on
 * its way to the writer. */
static void batches_end_beside_presses_and_nothing_is_lost(void **state)
{
	struct store *s = open_queue(*state);
	struct presser p = {.s = s};

	for (int i = 0; i < PRESSES; i++)
		add(s, "fetch_order", 1 + i, 0, 10);
	assert_int_equal(pthread_create(&p.thread, NULL, press_on, &p), 0);
	for (size_t n = 0; n < PRESSES;)
		n += finish_a_batch(s);
	pthread_join(p.thread, NULL);
	assert_int_equal(p.good, PRESSES);
	assert_int_equal(stats_of(s).tasks_waiting, PRESSES);
	nothing_is_due(s, 100, 1000000);
	store_close(s);
	assert_whole(s = open_queue(*state));
	assert_int_equal(stats_of(s).tasks_waiting, PRESSES);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(the_earliest_due_task_is_taken_and_no_other),
		FRESH(tasks_of_one_order_run_one_at_a_time),
		FRESH(a_task_that_waits_blocks_no_other_of_its_order),
		FRESH(a_batch_is_of_one_kind_and_of_different_orders),
		FRESH(a_batch_stops_at_the_room_there_is),
		FRESH(a_batch_ends_in_one_commit_and_each_by_itself),
		FRESH(batches_end_beside_presses_and_nothing_is_lost),
		FRESH(a_side_that_hangs_holds_up_nothing_else),
		FRESH(a_batch_is_one_of_the_runs_that_may_hang),
		FRESH(leases_end_with_the_process),
		FRESH(a_retried_task_waits_and_knows_why),
		FRESH(a_look_of_reconciliation_lengthens_no_wait),
		FRESH(a_dead_task_is_kept_and_redriven),
		FRESH(a_new_task_takes_the_place_of_a_dead_one),
		FRESH(a_result_is_made_true_with_its_changes_and_follow_ups),
		FRESH(a_run_that_was_ended_already_changes_nothing),
		FRESH(an_end_that_cannot_be_written_frees_the_order),
		FRESH(a_clock_that_goes_back_hides_no_task),
		FRESH(adding_a_waiting_task_keeps_the_earlier_time),
		FRESH(a_task_added_while_it_runs_runs_once_more),
		FRESH(a_run_may_ask_for_itself),
		FRESH(a_fetch_that_is_due_gets_a_task),
		FRESH(a_fetch_that_settled_nothing_waits_a_minute),
		FRESH(only_news_makes_a_failing_fetch_run_earlier),
	};

	return RUN(tests);
}
