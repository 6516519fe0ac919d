/* SPDX-License-Identifier: MIT
 *
 * test_crash.c - kill -9 at any moment: every event whose record call
 * returned is there afterwards, exactly once, with its task.
 *
 * This shows that nothing acknowledged is kept in the process alone.  It does
 * not show that it is on the disk (the page cache outlives the process): that
 * the sync comes first is shown in unit/test_lmdb_writer.c.
 *
 * In the same way, kill -9 at any moment of a removal by age leaves a store
 * that is whole, and what is not old enough.
 */
#include "tests/store/suite.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#define ROUNDS  15
#define THREADS 4
#define IDS_MAX 200000

/* ---- the child: records and says so ---- */

struct recorder {
	struct store *store;
	int acks;
	int64_t id, step;
};

static void *record_for_ever(void *arg)
{
	struct recorder *r = arg;

	for (;; r->id += r->step) {
		if (record_one(r->store, r->id, "a", "check_first", NULL))
			_exit(1);
		if (write(r->acks, &r->id, sizeof(r->id)) != sizeof(r->id))
			_exit(2);
	}
}

static _Noreturn void child(const char *url, int acks, int64_t first)
{
	struct recorder r[THREADS];
	struct store_options o = {
		.url = url,
		.max_bytes = (size_t)256 << 20,
		.serve = true,
	};
	struct store *s;
	pthread_t t;

	alarm(60); /* should the parent die */
	if (store_open(&s, &o, NULL))
		_exit(3);
	for (int i = 0; i < THREADS; i++) {
		r[i] = (struct recorder){s, acks, first + i, THREADS};
		if (i && pthread_create(&t, NULL, record_for_ever, &r[i]))
			_exit(4);
	}
	record_for_ever(&r[0]);
	_exit(5);
}

/* ---- the parent ---- */

/* Reads acknowledgements for some ms, kills, reads the rest. */
static int64_t collect_and_kill(pid_t pid, int acks, int ms,
				unsigned char *acked)
{
	struct timespec t = {.tv_nsec = ms * 1000000L};
	int64_t id, most = 0;
	int status;

	/* Not before the first: the store has opened. */
	assert_int_equal(read(acks, &id, sizeof(id)), sizeof(id));
	assert_true(id > 0 && id < IDS_MAX);
	acked[id] = 1;
	most = id;
	nanosleep(&t, NULL); /* the moment of death: any will do */
	kill(pid, SIGKILL);
	while (read(acks, &id, sizeof(id)) == sizeof(id)) {
		assert_true(id > 0 && id < IDS_MAX);
		acked[id] = 1;
		if (id > most)
			most = id;
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	return most;
}

static bool count_event(void *arg, const struct event *ev)
{
	unsigned char *times = arg;

	times[ev->id]++;
	return true;
}

static bool count_task(void *arg, const struct task *t)
{
	unsigned char *times = arg;

	times[t->number]++;
	return true;
}

static void check_all(const char *url, const unsigned char *acked)
{
	unsigned char *events = xcalloc(IDS_MAX, 1);
	unsigned char *tasks = xcalloc(IDS_MAX, 1);
	struct store *s = open_serve(url);

	assert_ok(store_events(s, 0, count_event, events, &err));
	assert_ok(store_tasks(s, false, 0, count_task, tasks, &err));
	for (int id = 0; id < IDS_MAX; id++) {
		assert_true(events[id] <= 1);
		assert_true(events[id] == tasks[id]);
		assert_true(events[id] >= acked[id]);
	}
	store_close(s);
	free(events);
	free(tasks);
}

static void nothing_acknowledged_is_lost_by_kill_9(void **state)
{
	unsigned char *acked = xcalloc(IDS_MAX, 1);
	int64_t next = 1;
	int acks[2];
	pid_t pid;

	for (int round = 0; round < ROUNDS; round++) {
		assert_int_equal(pipe(acks), 0);
		pid = fork();
		if (!pid) {
			close(acks[0]);
			child(*state, acks[1], next);
		}
		close(acks[1]);
		/* Some of the last ones come again: duplicates by now. */
		next = collect_and_kill(pid, acks[0], 1 + 7 * round % 40,
					acked) -
		       2;
		next = next < 1 ? 1 : next;
		close(acks[0]);
		check_all(*state, acked);
	}
	free(acked);
}

/* ---- removals ---- */

#define OLD   400 /* orders */
#define YOUNG 20

static bool is_any(void *arg, const struct order *o)
{
	(void)arg;
	return o->first_seen;
}

/* Orders that have ended, each with an event, a journal and a change. */
static void fill(const char *url)
{
	struct store_options o = {.url = url,
				  .max_bytes = (size_t)256 << 20,
				  .serve = true,
				  .derive = derive_simply};
	struct store *s = open_with(&o);

	for (int64_t i = 1; i <= OLD + YOUNG; i++) {
		struct changes c = {0};
		char data[24];

		snprintf(data, sizeof(data), "%lld", (long long)i);
		assert_ok(record_one(s, i, data, NULL, NULL));
		opening(&c, 3, "2021-01-12 15:51:00.000000", 5000);
		mark(&c, 3, MARK_ACCEPTED, "2021-01-12 15:52:00.000000");
		changes_add(&c, CHANGE_ADDRESS, 0)->address = xstrdup("{}");
		changes_add(&c, CHANGE_SHIP_ASKED, 3);
		changes_add(&c, CHANGE_SHIP_CAME, 3)->came.stage = SHIP_SHIPPED;
		change_order(s, i, i <= OLD ? 1000 : 9000, &c);
	}
	store_close(s);
}

static bool tell_removal(struct store *s, int acks, enum aged what)
{
	struct removal r = {.what = what, .before = 5000, .now = 9500,
			    .finished = is_any};
	int64_t id = 1;

	do {
		if (store_remove_some(s, &r, NULL) ||
		    write(acks, &id, sizeof(id)) != sizeof(id))
			return false;
	} while (r.more);
	return true;
}

static _Noreturn void removing_child(const char *url, int acks)
{
	struct store_options o = {.url = url,
				  .max_bytes = (size_t)256 << 20,
				  .serve = true,
				  .derive = derive_simply};
	struct store *s;
	bool ok = true;

	alarm(60);
	if (store_open(&s, &o, NULL))
		_exit(3);
	for (int what = 0; ok && what < AGED_KINDS; what++)
		ok = tell_removal(s, acks, (enum aged)what);
	pause();
	_exit(5);
}

static void check_removed(const char *url)
{
	struct store *s = open_serve(url);
	struct order o;

	assert_whole(s);
	for (int64_t i = OLD + 1; i <= OLD + YOUNG; i++) {
		assert_ok(store_order(s, "se", i, &o, &err));
		order_release(&o);
	}
	store_close(s);
}

static void a_store_that_is_killed_while_it_removes_is_whole(void **state)
{
	unsigned char *acked = xcalloc(IDS_MAX, 1);
	int acks[2];
	pid_t pid;

	fill(*state);
	for (int round = 0; round < ROUNDS; round++) {
		assert_int_equal(pipe(acks), 0);
		pid = fork();
		if (!pid) {
			close(acks[0]);
			removing_child(*state, acks[1]);
		}
		close(acks[1]);
		collect_and_kill(pid, acks[0], round % 4, acked);
		close(acks[0]);
		check_removed(*state);
	}
	free(acked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(a_store_that_is_killed_while_it_removes_is_whole),
		FRESH(nothing_acknowledged_is_lost_by_kill_9),
	};

	return RUN(tests);
}
