/* SPDX-License-Identifier: MIT
 *
 * test_ready.c - readiness, as it turns, in the log: once each way, with why.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/time.h"
#include "server/admin/health.h"
#include "server/live/changes.h"
#include "store/rules/engine.h"
#include "tests/unit/fixture.h"

/* cmocka has a fail() too: it comes after ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static int start(void **state)
{
	*state = fixture_start("write_wait = 1s");
	return 0;
}

static int stop(void **state)
{
	struct fixture *f = *state;

	if (f->holdup) /* of a test that failed */
		release_writer(f);
	fixture_stop(f);
	return 0;
}

/* What health_watch() logs until it has logged something, or 10 s. */
static char *watched(struct fixture *f)
{
	FILE *file = tmpfile();
	int kept = dup(STDERR_FILENO);
	char *text = xcalloc(1, 10000);
	int64_t until = time_mono() + 10000;
	ssize_t n = 0;

	assert_non_null(file);
	dup2(fileno(file), STDERR_FILENO);
	while (!n && time_mono() < until) {
		health_watch(&f->app.admin);
		n = pread(fileno(file), text, 9999, 0);
		usleep(1000);
	}
	health_watch(&f->app.admin); /* no more than once */
	n = pread(fileno(file), text, 9999, 0);
	dup2(kept, STDERR_FILENO);
	close(kept);
	fclose(file);
	assert_true(n >= 0);
	return text;
}

static void is_one_line(char *text, const char *what)
{
	if (!strstr(text, what) || strchr(text, '\n') != strrchr(text, '\n'))
		fail_msg("want one line with %s, got: %s", what, text);
	free(text);
}

static void a_writer_that_hangs_is_told_and_so_is_its_return(void **state)
{
	struct fixture *f = *state;

	hold_writer(f);
	is_one_line(watched(f), "\"level\":\"warn\",\"msg\":\"not ready\","
				"\"why\":\"store failing\"");
	release_writer(f);
	is_one_line(watched(f), "\"level\":\"info\",\"msg\":\"ready again\","
				"\"after\":\"store failing\"");
}

static void draining_is_no_warning(void **state)
{
	struct fixture *f = *state;

	f->app.draining = true;
	is_one_line(watched(f), "\"level\":\"info\",\"msg\":\"not ready\","
				"\"why\":\"draining\"");
}

static void a_server_that_stays_ready_says_nothing(void **state)
{
	struct fixture *f = *state;
	const char *why;

	for (int i = 0; i < 100; i++)
		health_watch(&f->app.admin);
	assert_true(health_ready(&f->app.admin, f->started, &why));
	assert_null(f->app.admin.not_ready);
}

static enum rc little_room(struct store *s, struct store_room *ret,
			   struct err *e)
{
	(void)s, (void)e;
	*ret = (struct store_room){.left = 1, .all = (uint64_t)1 << 40};
	return OK;
}

/* Runs with the store's engine, but for its ability to say what room is left.
 * The thread that follows the store has ended by then. */
static bool ready_with(struct fixture *f, struct engine *other)
{
	struct store_base *base = store_base_of(f->app.store);
	const struct engine *own = base->engine;
	const char *why;
	bool ret;

	live_stop(f->app.live);
	base->engine = other;
	ret = health_ready(&f->app.admin, f->started, &why);
	base->engine = own;
	assert_true(ret || !strcmp(why, "disk nearly full"));
	return ret;
}

static void the_store_is_asked_how_much_room_is_left(void **state)
{
	struct fixture *f = *state;
	struct engine other = *store_base_of(f->app.store)->engine;

	other.room = little_room;
	assert_false(ready_with(f, &other));
}

static void a_store_that_cannot_say_how_much_room_is_left_is_ready(void **state)
{
	struct fixture *f = *state;
	struct engine other = *store_base_of(f->app.store)->engine;

	other.room = NULL;
	assert_true(ready_with(f, &other));
}

#define T(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_writer_that_hangs_is_told_and_so_is_its_return),
		T(draining_is_no_warning),
		T(a_server_that_stays_ready_says_nothing),
		T(the_store_is_asked_how_much_room_is_left),
		T(a_store_that_cannot_say_how_much_room_is_left_is_ready),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
