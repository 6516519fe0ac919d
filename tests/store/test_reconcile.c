/* SPDX-License-Identifier: MIT
 *
 * test_reconcile.c - what reconciliation rests on: counts that outlive a
 * restart, results that give way to what came meanwhile, tasks hurried.
 */
#include "tests/store/suite.h"

#define AGAIN(s, url) (store_close(s), open_serve(url))

static struct task task_of(const char *kind, int64_t number, int64_t sub,
			   int64_t due)
{
	struct task t = {.instance = "se",
			 .number = number,
			 .sub = sub,
			 .created = 1,
			 .due = due};

	snprintf(t.kind, sizeof(t.kind), "%s", kind);
	return t;
}

static void add(struct store *s, const char *kind, int64_t number, int64_t sub,
		int64_t due)
{
	struct task t = task_of(kind, number, sub, due);

	assert_ok(store_task_add(s, &t, &err));
}

static struct task lease_one(struct store *s, int64_t now)
{
	struct task t;
	int64_t next;
	size_t n;

	assert_ok(store_lease(s, now, NULL, &t, 1, &n, &next, &err));
	assert_int_equal(n, 1);
	return t;
}

static int64_t next_due(struct store *s, int64_t now)
{
	struct task t;
	int64_t next;
	size_t n;

	assert_int_equal(
		store_lease(s, now, NULL, &t, 1, &n, &next, &err),
		RC_NOTFOUND);
	return next;
}

static void missed(struct changes *c, int64_t warehouse, enum missed kind)
{
	changes_add(c, CHANGE_MISSED, warehouse)->missed = kind;
}

static void offer_two(struct store *s)
{
	struct changes c = {0};

	opening(&c, 3, "2021-01-11 16:21:00.000000", 9000);
	opening(&c, 4, "2021-01-11 16:21:00.000000", 9000);
	change_order(s, 19, 1, &c);
}

static void a_missed_webhook_is_counted_once_for_ever(void **state)
{
	struct store *s = open_serve(*state);

	offer_two(s);
	for (int i = 0; i < 3; i++) {
		struct changes c = {0};

		missed(&c, 0, MISSED_ACCEPTED);
		missed(&c, 3, MISSED_REJECTED);
		missed(&c, 4, MISSED_REJECTED);
		missed(&c, 5, MISSED_TIMEOUT); /* never offered */
		change_order(s, 19, 2 + i, &c);
		s = AGAIN(s, *state);
	}
	assert_int_equal(stats_of(s).missed[MISSED_ACCEPTED], 1);
	assert_int_equal(stats_of(s).missed[MISSED_REJECTED], 2);
	assert_int_equal(stats_of(s).missed[MISSED_TIMEOUT], 0);
	assert_int_equal(stats_of(s).missed[MISSED_CREATE], 0);
	store_close(s);
}

static void when_an_order_was_last_told_of_is_kept(void **state)
{
	struct store *s = open_serve(*state);
	struct changes c = {0};
	struct order o;

	offer_two(s);
	changes_add(&c, CHANGE_TOLD, 0)->told_at = 700;
	changes_add(&c, CHANGE_TOLD, 0)->told_at = 500;
	change_order(s, 19, 2, &c);
	s = AGAIN(s, *state);
	assert_ok(store_order(s, "se", 19, &o, &err));
	assert_int_equal(o.told_at, 700);
	order_release(&o);
	store_close(s);
}

/* The change is heard before or behind the mark; read back, a look that began
 * before it knew less. */
static void the_version_of_an_accept_is_kept(void **state)
{
	struct store *s = open_serve(*state);

	offer_two(s);
	for (int first = 0; first < 2; first++) {
		struct changes c = {0};
		struct order o;

		if (first)
			changes_add(&c, CHANGE_HEARD, 0);
		mark(&c, first ? 3 : 4, MARK_ACCEPTED,
		     "2021-01-11 16:22:00.000000");
		if (!first)
			changes_add(&c, CHANGE_HEARD, 0);
		change_order(s, 19, 2, &c);
		changes_add(&c, CHANGE_HEARD, 0);
		change_order(s, 19, 3, &c);
		s = AGAIN(s, *state);
		assert_ok(store_order(s, "se", 19, &o, &err));
		assert_int_equal(order_offer(&o, first ? 3 : 4)
					 ->accepted_version,
				 first ? 3 : 1);
		order_release(&o);
	}
	store_close(s);
}

static const char *const may_tell[] = {"check_first", "order", NULL};

static void finish_missed(struct store *s, struct task *t, int64_t now)
{
	struct result r = {.how = OUTCOME_DONE, .unless = may_tell};

	missed(&r.changes, 0, MISSED_CREATE);
	assert_ok(store_finish(s, t, &r, now, &err));
	result_release(&r);
	task_release(t);
}

static void a_result_gives_way_to_what_waits_to_be_applied(void **state)
{
	struct store *s = open_serve(*state);
	struct task t;
	struct result done = {.how = OUTCOME_DONE};

	add(s, "missed", 19, 0, 10);
	add(s, "check_first", 20, 1, 5000); /* another order's */
	t = lease_one(s, 10);
	add(s, "check_first", 19, 2, 20);
	finish_missed(s, &t, 30);
	assert_int_equal(stats_of(s).missed[MISSED_CREATE], 0);
	/* It is tried again after the other. */
	t = lease_one(s, 30);
	assert_string_equal(t.kind, "check_first");
	assert_ok(store_finish(s, &t, &done, 31, &err));
	task_release(&t);
	t = lease_one(s, 1000);
	assert_string_equal(t.kind, "missed");
	finish_missed(s, &t, 1000);
	assert_int_equal(stats_of(s).missed[MISSED_CREATE], 1);
	store_close(s);
}

static void a_dead_task_can_tell_nothing_more(void **state)
{
	struct store *s = open_serve(*state);
	struct result dead = {.how = OUTCOME_DEAD, .reason.text = "unreadable"};
	struct task t;

	add(s, "order", 19, 2, 1);
	t = lease_one(s, 1);
	assert_ok(store_finish(s, &t, &dead, 2, &err));
	task_release(&t);
	add(s, "missed", 19, 0, 10);
	t = lease_one(s, 10);
	finish_missed(s, &t, 11);
	assert_int_equal(stats_of(s).missed[MISSED_CREATE], 1);
	store_close(s);
}

static void what_is_suspected_again_keeps_its_first_time(void **state)
{
	struct store *s = open_serve(*state);
	struct task list[] = {task_of("missed", 19, 0, 100),
			      task_of("missed", 20, 0, 100)};

	assert_ok(store_tasks_add(s, list, 0, &err));
	assert_int_equal(stats_of(s).tasks_waiting, 0);
	assert_ok(store_tasks_add(s, list, 2, &err));
	list[0].due = list[1].due = 900;
	s = AGAIN(s, *state);
	assert_ok(store_tasks_add(s, list, 2, &err));
	assert_int_equal(stats_of(s).tasks_waiting, 2);
	assert_int_equal(next_due(s, 50), 100);
	store_close(s);
}

static void fail_until(struct store *s, int64_t now, int64_t due)
{
	struct result r = {
		.how = OUTCOME_RETRY, .due = due, .reason.text = "refused"};
	struct task t = lease_one(s, now);

	assert_ok(store_finish(s, &t, &r, now, &err));
	task_release(&t);
}

static void what_failed_is_hurried_and_nothing_else(void **state)
{
	struct store *s = open_serve(*state);
	struct task other = task_of("fetch_order", 21, 0, 1), t;

	snprintf(other.instance, sizeof(other.instance), "de");
	add(s, "fetch_order", 19, 0, 1);
	fail_until(s, 1, 50000);
	assert_ok(store_task_add(s, &other, &err));
	fail_until(s, 2, 60000);
	add(s, "missed", 20, 0, 70000); /* its time has not come */
	assert_int_equal(next_due(s, 10), 50000);
	hurry_all(s, "se", 10, 0);
	t = lease_one(s, 10);
	assert_int_equal(t.number, 19);
	assert_int_equal(t.attempts, 1);
	assert_int_equal(next_due(s, 10), 60000);
	task_release(&t);
	store_close(s);
}

static void what_a_clock_put_into_the_future_is_hurried(void **state)
{
	struct store *s = open_serve(*state);
	struct task at_once = task_of("answer_offer", 19, 3, 50000),
		    later = task_of("missed", 20, 0, 70000), t;

	at_once.created = later.created = 50000;
	assert_ok(store_task_add(s, &at_once, &err));
	assert_ok(store_task_add(s, &later, &err));
	hurry_all(s, "se", 10, 0);
	t = lease_one(s, 10);
	assert_int_equal(t.number, 19);
	assert_int_equal(next_due(s, 10), 70000);
	task_release(&t);
	store_close(s);
}

static void what_is_put_off_further_than_anything_is_hurried(void **state)
{
	const int64_t day = 86400000;
	struct store *s = open_serve(*state);
	struct task far = task_of("fetch_order", 19, 0, 100 * day),
		    tomorrow = task_of("missed", 20, 0, day), t;

	far.created = tomorrow.created = 5;
	assert_ok(store_task_add(s, &far, &err));
	assert_ok(store_task_add(s, &tomorrow, &err));
	hurry_all(s, "se", 10, 0);
	t = lease_one(s, 10);
	assert_int_equal(t.number, 19);
	assert_int_equal(next_due(s, 10), day);
	task_release(&t);
	store_close(s);
}

static void thousands_are_hurried(void **state)
{
	struct store *s = open_serve(*state);
	enum { N = 2500 };
	struct task *list = xcalloc(N, sizeof(*list));

	for (int i = 0; i < N; i++)
		list[i] = task_of("fetch_order", i + 1, 0, 1);
	assert_ok(store_tasks_add(s, list, N, &err));
	for (int i = 0; i < N; i++)
		fail_until(s, 1, 50000);
	hurry_all(s, "se", 10, 0);
	assert_int_equal(stats_of(s).oldest_due, 10);
	for (int i = 0; i < N; i++)
		fail_until(s, 10, 90000);
	assert_int_equal(next_due(s, 10), 90000);
	free(list);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(a_missed_webhook_is_counted_once_for_ever),
		FRESH(when_an_order_was_last_told_of_is_kept),
		FRESH(the_version_of_an_accept_is_kept),
		FRESH(a_result_gives_way_to_what_waits_to_be_applied),
		FRESH(a_dead_task_can_tell_nothing_more),
		FRESH(what_is_suspected_again_keeps_its_first_time),
		FRESH(what_failed_is_hurried_and_nothing_else),
		FRESH(what_a_clock_put_into_the_future_is_hurried),
		FRESH(what_is_put_off_further_than_anything_is_hurried),
		FRESH(thousands_are_hurried),
	};

	return RUN(tests);
}
