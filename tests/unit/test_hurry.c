/* SPDX-License-Identifier: MIT
 *
 * test_hurry.c - what is asked of server/worker/hurry.c is done, though a step
 * fails.  The steps themselves are in tests/store/test_queue.c.
 *
 * This program has an fdatasync() of its own, which the store's library calls:
 * it fails as on a full disk when told to.
 */
#include "tests/unit/store_fixture.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#include "base/log.h"
#include "server/worker/worker_private.h"

#define LATER 100000 /* ms; a step that failed is tried again before that */

static atomic_bool disk_full;

int fdatasync(int fd)
{
	if (!atomic_load(&disk_full))
		return (int)syscall(SYS_fdatasync, fd);
	errno = ENOSPC;
	return -1;
}

/* Workers without threads, and their store. */
struct team {
	struct workers w;
	struct worker_parts parts;
	struct account account;
};

static void team_open(struct team *t, const char *dir)
{
	static char name[] = "se";

	*t = (struct team){.account.instance = name};
	t->parts.store = open_serve(dir);
	t->w.parts = &t->parts;
	t->w.accounts.list = &t->account;
	t->w.accounts.n = 1;
	pthread_mutex_init(&t->w.lock, NULL);
	hurries_open(&t->w);
	log_set_level(LOG_ERROR + 1); /* the trouble here is meant */
}

static void team_close(struct team *t)
{
	hurries_close(&t->w);
	pthread_mutex_destroy(&t->w.lock);
	store_close(t->parts.store);
}

/* By a clock that was two days ahead. */
static void add_task_of_the_future(struct store *s)
{
	struct task t = {.number = 1, .created = 1, .due = 200000000};

	snprintf(t.instance, sizeof(t.instance), "se");
	snprintf(t.kind, sizeof(t.kind), "kind");
	assert_ok(store_task_add(s, &t, &err));
}

static bool take_due(void *arg, const struct task *t)
{
	*(int64_t *)arg = t->due;
	return true;
}

static int64_t due_of(struct store *s)
{
	int64_t due = 0;

	assert_ok(store_tasks(s, false, 0, take_due, &due, &err));
	return due;
}

static void a_step_that_fails_is_tried_again_later(void **state)
{
	struct team t;
	int steps = 0;

	team_open(&t, *state);
	add_task_of_the_future(t.parts.store);
	hurry_ask(&t.w, 0, 1000, 0);
	atomic_store(&disk_full, true);
	while (hurry_step(&t.w, 0))
		assert_true(++steps < 10);
	atomic_store(&disk_full, false);
	assert_false(hurry_step(&t.w, 0)); /* not in a tight loop */
	assert_int_equal(due_of(t.parts.store), 200000000);
	while (hurry_step(&t.w, LATER))
		assert_true(++steps < 20);
	assert_int_equal(due_of(t.parts.store), 1000);
	assert_false(hurry_step(&t.w, 2 * LATER)); /* it has ended */
	team_close(&t);
}

static void what_is_asked_during_a_hurry_begins_anew(void **state)
{
	struct team t;
	int steps = 0;

	team_open(&t, *state);
	add_task_of_the_future(t.parts.store);
	hurry_ask(&t.w, 0, 2000, 0);
	assert_true(hurry_step(&t.w, 0));
	hurry_ask(&t.w, 0, 1000, 0); /* the clock went back once more */
	while (hurry_step(&t.w, 0))
		assert_true(++steps < 10);
	assert_int_equal(due_of(t.parts.store), 1000);
	team_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(a_step_that_fails_is_tried_again_later),
		IN_DIR(what_is_asked_during_a_hurry_begins_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
