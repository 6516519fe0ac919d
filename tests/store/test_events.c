/* SPDX-License-Identifier: MIT
 *
 * test_events.c - each event once: repeats within a delivery, between
 * deliveries, between threads, and after a restart.
 */
#include "tests/store/suite.h"

#include <pthread.h>

static void an_event_seen_again_changes_nothing(void **state)
{
	struct store *s = open_serve(*state);
	struct recorded got;

	assert_ok(record_one(s, 19, "a", "check_first", &got));
	assert_true(got.fresh == 1 && !got.duplicates && !got.quarantined);
	assert_ok(record_one(s, 19, "a", "check_first", &got));
	assert_true(!got.fresh && got.duplicates == 1);
	assert_int_equal(stats_of(s).events, 1);
	assert_int_equal(stats_of(s).tasks_waiting, 1);
	store_close(s);
	s = open_serve(*state);
	assert_ok(record_one(s, 19, "a", "check_first", &got));
	assert_true(!got.fresh && got.duplicates == 1);
	assert_int_equal(stats_of(s).events, 1);
	store_close(s);
}

/* Each part of an event's name makes another event of it. */
static void events_that_differ_in_anything_are_two(void **state)
{
	struct store *s = open_serve(*state);
	struct delivery d = {.instance = "se", .received = 1};
	struct event evs[8];
	struct recorded got;

	for (int i = 0; i < 8; i++)
		evs[i] = event_of(19, "a", NULL);
	snprintf(evs[1].type, sizeof(evs[1].type), "order");
	snprintf(evs[2].action, sizeof(evs[2].action), "accepted");
	snprintf(evs[3].date, sizeof(evs[3].date),
		 "2021-01-12 15:51:00.000001");
	evs[4].id = 20;
	evs[5].digest[15] = 1;
	event_release(&evs[6]);
	evs[6] = event_of(19, NULL, NULL);
	d.events = evs;
	d.n_events = 8; /* the last is the first once more */
	assert_ok(store_record(s, &d, &got, NULL, &err));
	assert_true(got.fresh == 7 && got.duplicates == 1);
	assert_int_equal(evs[0].seq, 1);
	assert_int_equal(evs[6].seq, 7);
	assert_int_equal(evs[7].seq, 0);
	d.instance = "no";
	assert_ok(store_record(s, &d, &got, NULL, &err));
	assert_int_equal(got.fresh, 7);
	for (int i = 0; i < 8; i++)
		event_release(&evs[i]);
	store_close(s);
}

static bool take_event(void *arg, const struct event *ev)
{
	uint64_t *sum = arg;

	sum[0]++;
	sum[1] += (uint64_t)ev->id;
	return sum[0] < 3;
}

static void events_are_listed_and_read_by_number(void **state)
{
	struct store *s = open_serve(*state);
	uint64_t sum[2] = {0};
	struct event ev;

	for (int i = 1; i <= 5; i++)
		assert_ok(record_one(s, i, i % 2 ? "a" : NULL, NULL, NULL));
	assert_ok(store_events(s, 2, take_event, sum, &err));
	assert_true(sum[0] == 3 && sum[1] == 2 + 3 + 4);
	assert_ok(store_event(s, 2, &ev, &err));
	assert_true(ev.seq == 2 && ev.id == 2 && !ev.data && !ev.task);
	assert_string_equal(ev.instance, "se");
	assert_int_equal(ev.received, 1000);
	event_release(&ev);
	assert_int_equal(store_event(s, 6, &ev, &err), RC_NOTFOUND);
	store_close(s);
}

static void a_strange_instance_is_refused(void **state)
{
	struct store *s = open_serve(*state);
	struct delivery d = {.instance = ""};

	assert_int_equal(store_record(s, &d, NULL, NULL, &err), RC_INVALID);
	d.instance = "a-name-that-is-longer-than-32-bytes-is-none";
	assert_int_equal(store_record(s, &d, NULL, NULL, &err), RC_INVALID);
	store_close(s);
}

static void a_replayed_event_gets_a_task_again(void **state)
{
	struct store *s = open_serve(*state);

	assert_ok(record_one(s, 19, "a", NULL, NULL));
	assert_int_equal(stats_of(s).tasks_waiting, 0);
	assert_ok(store_replay(s, 1, "check_first", 2000, &err));
	assert_int_equal(stats_of(s).tasks_waiting, 1);
	assert_int_equal(stats_of(s).oldest_due, 2000);
	assert_ok(store_replay(s, 1, "check_first", 1500, &err));
	assert_int_equal(stats_of(s).tasks_waiting, 1);
	assert_int_equal(stats_of(s).oldest_due, 1500);
	assert_int_equal(store_replay(s, 2, "check_first", 2000, &err),
			 RC_NOTFOUND);
	store_close(s);
}

/* ---- many threads ---- */

#define THREADS 8
#define EVENTS  200

struct racer {
	pthread_t thread;
	struct store *store;
	unsigned fresh, failed;
};

/* Records the same events as all the others do. */
static void *race(void *arg)
{
	struct racer *r = arg;
	struct recorded got;

	for (int i = 1; i <= EVENTS; i++) {
		struct event ev = event_of(i, "a", "check_first");
		struct delivery d = {
			.instance = "se",
			.received = i,
			.events = &ev,
			.n_events = 1,
		};

		if (store_record(r->store, &d, &got, NULL, NULL))
			r->failed++;
		else
			r->fresh += got.fresh;
		event_release(&ev);
	}
	return NULL;
}

static void of_copies_arriving_at_once_exactly_one_wins(void **state)
{
	struct store *s = open_serve(*state);
	struct racer racers[THREADS] = {0};
	struct store_stats st;
	unsigned fresh = 0, failed = 0;

	for (int i = 0; i < THREADS; i++) {
		racers[i].store = s;
		assert_int_equal(pthread_create(&racers[i].thread, NULL, race,
						&racers[i]),
				 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(racers[i].thread, NULL);
		fresh += racers[i].fresh;
		failed += racers[i].failed;
	}
	st = stats_of(s);
	assert_int_equal(failed, 0);
	assert_int_equal(fresh, EVENTS);
	assert_int_equal(st.events, EVENTS);
	assert_int_equal(st.tasks_waiting, EVENTS);
	assert_int_equal(st.writes, THREADS * EVENTS);
	assert_true(st.commits <= EVENTS + 1);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(an_event_seen_again_changes_nothing),
		FRESH(events_that_differ_in_anything_are_two),
		FRESH(events_are_listed_and_read_by_number),
		FRESH(a_strange_instance_is_refused),
		FRESH(a_replayed_event_gets_a_task_again),
		FRESH(of_copies_arriving_at_once_exactly_one_wins),
	};

	return RUN(tests);
}
