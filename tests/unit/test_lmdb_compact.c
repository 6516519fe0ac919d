/* SPDX-License-Identifier: MIT
 *
 * test_lmdb_compact.c - the store's file is rewritten without what was removed from
 * it, whole or not at all.
 */
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/unit/store_fixture.h"

#define STREET "Kvarngatan-eleven-and-a-half"
#define ORDERS 200

static const char *in(const char *dir, const char *name)
{
	static char paths[4][256];
	static unsigned next;
	char *ret = paths[next++ % 4];

	snprintf(ret, sizeof(paths[0]), "%s/%s", dir, name);
	return ret;
}

/* The file's bytes hold the text. */
static bool holds(const char *file, const char *text)
{
	FILE *f = fopen(file, "r");
	size_t n = strlen(text), len;
	struct stat st;
	char *bytes;
	bool found = false;

	assert_non_null(f);
	assert_int_equal(fstat(fileno(f), &st), 0);
	bytes = xcalloc((size_t)st.st_size, 1);
	len = fread(bytes, 1, (size_t)st.st_size, f);
	fclose(f);
	for (size_t i = 0; i + n <= len && !found; i++)
		found = !memcmp(bytes + i, text, n);
	free(bytes);
	return found;
}

/* A store whose orders all had an address, of which none is left. */
static void fill_and_forget(const char *dir)
{
	struct store *s = open_serve(dir);
	struct changes c = {0};
	char text[128];
	size_t n;

	for (int i = 1; i <= ORDERS; i++) {
		snprintf(text, sizeof(text), "{\"street\":\"" STREET "\","
					     "\"n\":%d}", i);
		changes_add(&c, CHANGE_ADDRESS, 0)->address = xstrdup(text);
		changes_add(&c, CHANGE_DETAILS, 0)->details =
			xstrdup("{\"city\":\"Lund\"}");
		change_order(s, i, 1000, &c);
	}
	assert_ok(forget_addresses(s, 1001, 5000, &n));
	assert_int_equal(n, ORDERS);
	store_close(s);
}

static void expect_all(struct store *s)
{
	char *details, *address;

	for (int i = 1; i <= ORDERS; i++) {
		assert_ok(store_details(s, "se", i, &details, &address, &err));
		assert_string_equal(details, "{\"city\":\"Lund\"}");
		assert_string_equal(address, "{}");
		free(details);
		free(address);
	}
}

static void what_was_removed_is_gone_from_the_file(void **state)
{
	const char *data = in(*state, "data.mdb");
	struct store_compacted c;
	struct store *s;
	uint64_t epoch;

	fill_and_forget(*state);
	s = open_serve(*state);
	epoch = store_epoch(s);
	store_close(s);
	assert_true(holds(data, STREET));
	assert_ok(store_compact(url_of(*state), &c, &err));
	assert_false(holds(data, STREET));
	assert_true(c.after < c.before);
	assert_int_not_equal(access(in(*state, "data.mdb.compact"), F_OK), 0);
	s = open_serve(*state);
	expect_all(s);
	/* It is the same store: streams go on, and nobody is signed out. */
	assert_true(store_epoch(s) == epoch);
	assert_int_equal(store_origin(s), STORE_SAME);
	assert_ok(record_one(s, 7, "{}", NULL, &(struct recorded){0}));
	store_close(s);
}

/* A process that has the store open until `go` is closed; it says so on
 * `ready`. */
static pid_t hold_open(const char *dir, bool serve, int ready[2], int go[2])
{
	struct store_options o = {.url = url_of(dir), .serve = serve};
	struct store *s;
	char byte = 0;
	pid_t child;

	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(go), 0);
	child = fork();
	if (child)
		return child;
	close(go[1]);
	if (store_open(&s, &o, &err) || write(ready[1], "x", 1) != 1)
		_exit(1);
	(void)!read(go[0], &byte, 1);
	store_close(s);
	_exit(0);
}

static void a_store_that_is_in_use_is_left_alone(void **state)
{
	struct store_compacted c;
	int ready[2], go[2], status;
	char byte;

	fill_and_forget(*state);
	for (int serve = 0; serve < 2; serve++) {
		pid_t child = hold_open(*state, serve, ready, go);

		close(ready[1]);
		assert_int_equal(read(ready[0], &byte, 1), 1);
		assert_int_equal(store_compact(url_of(*state), &c, &err), RC_EXISTS);
		assert_true(holds(in(*state, "data.mdb"), STREET));
		close(go[0]);
		close(go[1]);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
		close(ready[0]);
	}
	assert_ok(store_compact(url_of(*state), &c, &err));
}

static void the_mode_stays(void **state)
{
	struct store_compacted c;
	struct stat st;

	fill_and_forget(*state);
	assert_int_equal(chmod(in(*state, "data.mdb"), 0640), 0);
	assert_ok(store_compact(url_of(*state), &c, &err));
	assert_int_equal(stat(in(*state, "data.mdb"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
}

static void without_room_nothing_changes(void **state)
{
	struct rlimit was, low;
	struct store_compacted c;
	struct store *s;

	fill_and_forget(*state);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	low = was;
	low.rlim_cur = 16384;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
	assert_int_equal(store_compact(url_of(*state), &c, &err), RC_FULL);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_not_equal(access(in(*state, "data.mdb.compact"), F_OK), 0);
	s = open_serve(*state);
	expect_all(s);
	store_close(s);
}

/* Killed at any moment: one file or the other, and the store is whole. */
static void a_killed_compaction_leaves_one_whole_store(void **state)
{
	struct store_compacted c;
	struct store *s;

	fill_and_forget(*state);
	for (int us = 0; us < 6000; us += 200) {
		pid_t child = fork();

		if (!child)
			_exit(store_compact(url_of(*state), &c, &err) != OK);
		usleep((useconds_t)us);
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, NULL, 0), child);
		s = open_serve(*state);
		expect_all(s);
		store_close(s);
		/* What it left holds what the store did: it is gone. */
		assert_int_not_equal(
			access(in(*state, "data.mdb.compact"), F_OK), 0);
	}
}

static void where_there_is_no_store_none_is_made(void **state)
{
	struct store_compacted c;

	assert_int_not_equal(store_compact(url_of(*state), &c, &err), OK);
	assert_int_not_equal(access(in(*state, "data.mdb"), F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(what_was_removed_is_gone_from_the_file),
		IN_DIR(a_store_that_is_in_use_is_left_alone),
		IN_DIR(the_mode_stays),
		IN_DIR(without_room_nothing_changes),
		IN_DIR(a_killed_compaction_leaves_one_whole_store),
		IN_DIR(where_there_is_no_store_none_is_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
