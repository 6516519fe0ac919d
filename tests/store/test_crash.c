/* SPDX-License-Identifier: MIT
 *
 * test_crash.c - kill -9 at any moment: every event whose record call
 * returned is there afterwards, exactly once, with its task.
 *
 * This shows that nothing acknowledged is kept in the process alone.  It does
 * not show that it is on the disk (the page cache outlives the process): that
 * the sync comes first is shown in unit/test_lmdb_writer.c.
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(nothing_acknowledged_is_lost_by_kill_9),
	};

	return RUN(tests);
}
