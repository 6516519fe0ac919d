/* SPDX-License-Identifier: MIT
 *
 * test_quarantine.c - deliveries that could not be recorded as events: kept
 * once, as far as there is room, until they are retried or dropped.
 */
#include "tests/store/suite.h"

static bool take_quarantined(void *arg, const struct quarantined *q)
{
	uint64_t *seqs = arg;

	while (*seqs)
		seqs++;
	*seqs = q->seq;
	return true;
}

/* A delivery that nobody can read may come again and again, from Centra or from
 * who has caught it. */
static void what_cannot_be_read_is_kept_once(void **state)
{
	char bytes[] = "x";
	struct quarantined bad = {.reason = "not JSON", .digest = {7},
				  .bytes = bytes, .len = 1};
	struct delivery d = {.instance = "se", .received = 77, .bad = &bad,
			     .n_bad = 1};
	struct store *s = open_serve(*state);
	uint64_t seqs[4] = {0};
	struct recorded got;

	assert_ok(store_record(s, &d, &got, NULL, &err));
	assert_true(got.quarantined == 1 && !got.duplicates);
	assert_ok(store_record(s, &d, &got, NULL, &err));
	assert_true(!got.quarantined && got.duplicates == 1);
	assert_int_equal(stats_of(s).quarantined, 1);
	assert_ok(store_quarantine(s, 0, take_quarantined, seqs, &err));
	assert_ok(store_quarantine_drop(s, seqs[0], &err));
	assert_ok(store_record(s, &d, &got, NULL, &err));
	assert_true(got.quarantined == 1 && !got.duplicates);
	store_close(s);
}

static void what_cannot_be_read_is_kept_until_dropped(void **state)
{
	char bytes[] = "{\0}", header[] = "t=1,v1=x";
	struct quarantined bad[2] = {
		{.reason = "not JSON", .bytes = bytes, .len = 3},
		{.reason = "version", .bytes = bytes, .len = 1,
		 .header = header},
	};
	struct delivery d = {
		.instance = "se",
		.received = 77,
		.bad = bad,
		.n_bad = 2,
	};
	struct store *s = open_serve(*state);
	uint64_t seqs[4] = {0};
	struct quarantined q;
	struct recorded got;

	assert_ok(store_record(s, &d, &got, NULL, &err));
	assert_true(!got.fresh && !got.duplicates && got.quarantined == 2);
	assert_ok(store_quarantine(s, 0, take_quarantined, seqs, &err));
	assert_true(seqs[0] && seqs[1] > seqs[0] && !seqs[2]);
	assert_ok(store_quarantine_get(s, seqs[0], &q, &err));
	assert_int_equal(q.len, 3);
	assert_memory_equal(q.bytes, "{\0}", 3);
	assert_string_equal(q.instance, "se");
	assert_int_equal(q.received, 77);
	assert_null(q.header);
	quarantined_release(&q);
	assert_ok(store_quarantine_get(s, seqs[1], &q, &err));
	assert_string_equal(q.header, "t=1,v1=x");
	quarantined_release(&q);
	assert_ok(store_quarantine_drop(s, seqs[0], &err));
	assert_int_equal(store_quarantine_drop(s, seqs[0], &err), RC_NOTFOUND);
	assert_int_equal(store_quarantine_get(s, seqs[0], &q, &err),
			 RC_NOTFOUND);
	assert_int_equal(stats_of(s).quarantined, 1);
	store_close(s);
}

/* ---- as far as there is room ---- */

static struct store *open_big(const char *url)
{
	struct store_options o = {
		.url = url,
		.max_bytes = (size_t)512 << 20,
		.serve = true,
	};

	return open_with(&o);
}

static bool count_one(void *arg, const struct quarantined *q)
{
	uint64_t *first_and_n = arg;

	if (!first_and_n[1]++)
		first_and_n[0] = q->seq;
	return true;
}

static void the_same_again_is_kept_once(void **state)
{
	struct store *s = open_big(*state);
	struct recorded got = {0};

	assert_ok(quarantine_one(s, QUARANTINED_STALE, 7, 10, &got));
	assert_int_equal(got.quarantined, 1);
	assert_ok(quarantine_one(s, QUARANTINED_STALE, 7, 10, &got));
	assert_int_equal(got.quarantined, 0);
	assert_int_equal(got.duplicates, 1);
	assert_ok(quarantine_one(s, QUARANTINED_VERSION, 7, 10, &got));
	assert_int_equal(got.quarantined, 1);
	assert_int_equal(stats_of(s).quarantined, 2);
	/* Thrown away, it is as if it had never been. */
	assert_ok(store_quarantine_drop(s, 1, &err));
	assert_ok(quarantine_one(s, QUARANTINED_STALE, 7, 10, &got));
	assert_int_equal(got.quarantined, 1);
	store_close(s);
}

static void of_too_many_the_oldest_go(void **state)
{
	uint64_t first_and_n[2] = {0};
	struct store *s = open_big(*state);

	assert_ok(quarantine_one(s, QUARANTINED_UNREAD, 0, 10, NULL));
	for (unsigned i = 0; i < QUARANTINE_MOST + 5; i++)
		assert_ok(quarantine_one(s, QUARANTINED_STALE, i, 10, NULL));
	assert_ok(store_quarantine(s, 2, count_one, first_and_n, &err));
	assert_int_equal(first_and_n[1], QUARANTINE_MOST);
	assert_int_equal(first_and_n[0], 7); /* 2..6 have gone */
	/* What has no bound is still there. */
	assert_int_equal(stats_of(s).quarantined, QUARANTINE_MOST + 1);
	assert_whole(s);
	store_close(s);
}

static void of_too_much_the_oldest_go(void **state)
{
	uint64_t first_and_n[2] = {0};
	struct store *s = open_big(*state);
	size_t big = QUARANTINE_MOST_BYTES / 4;

	for (unsigned i = 0; i < 6; i++)
		assert_ok(quarantine_one(s, QUARANTINED_VERSION, i, big,
					 NULL));
	assert_ok(store_quarantine(s, 0, count_one, first_and_n, &err));
	assert_int_equal(first_and_n[1], 4);
	assert_int_equal(first_and_n[0], 3);
	store_close(s);
}

static void what_is_retried_is_recorded_and_leaves_quarantine_at_once(
	void **state)
{
	struct store *s = open_big(*state);
	struct event ev = event_of(19, "{}", "check_first");
	struct recorded got = {0};
	struct delivery d = {
		.instance = "se",
		.received = 1234,
		.events = &ev,
		.n_events = 1,
		.retried = 1,
	};

	assert_ok(quarantine_one(s, QUARANTINED_STALE, 7, 10, NULL));
	assert_ok(store_record(s, &d, &got, NULL, &err));
	assert_int_equal(got.fresh, 1);
	assert_int_equal(stats_of(s).quarantined, 0);
	/* Another who retried it too comes too late: nothing happens twice. */
	ev.id = 20;
	assert_int_equal(store_record(s, &d, &got, NULL, &err), RC_NOTFOUND);
	assert_int_equal(stats_of(s).events, 1);
	assert_whole(s);
	event_release(&ev);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(what_cannot_be_read_is_kept_once),
		FRESH(what_cannot_be_read_is_kept_until_dropped),
		FRESH(the_same_again_is_kept_once),
		FRESH(of_too_many_the_oldest_go),
		FRESH(of_too_much_the_oldest_go),
		FRESH(
			what_is_retried_is_recorded_and_leaves_quarantine_at_once),
	};

	return RUN(tests);
}
