/* SPDX-License-Identifier: MIT
 *
 * The power goes, again and again: what was answered 200 is there when it
 * comes back, although the disk forgot whatever it was not asked to keep
 * (tests/faults/powerloss.c).  A server that never asks is found out.
 *
 * POWERLOSS_RUNS says how often, 12 when it does not.
 */
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/harness/shipfrom.h"
#include "tests/harness/wait.h"

#define FIRST_ID 100000
#define SENT_MAX 200000
#define SENDERS	 4

/* What the senders share. */
struct storm {
	struct shipfrom *s;
	atomic_int next, acked;
	atomic_bool up, over;
	atomic_uchar told[SENT_MAX]; /* answered 200 */
};

static void nap(int ms)
{
	struct timespec ts = {ms / 1000, ms % 1000 * 1000000L};

	nanosleep(&ts, NULL);
}

static void *send_on(void *arg)
{
	struct storm *st = arg;
	char json[256];

	while (!st->over && st->next < SENT_MAX - SENDERS) {
		struct answer a;
		int i;

		if (!st->up) {
			nap(2);
			continue;
		}
		i = atomic_fetch_add(&st->next, 1);
		snprintf(json, sizeof(json),
			 "{\"events\":[{\"type\":\"customer\",\"action\":"
			 "\"update\",\"date\":\"2021-01-29 14:40:58.628033\","
			 "\"id\":%d}]}",
			 FIRST_ID + i);
		a = webhook_send(st->s->hook, json, SPACE_PLUS);
		st->told[i] = a.status == 200;
		st->acked += a.status == 200;
		answer_release(&a);
	}
	return NULL;
}

/* ---- the disk ---- */

static char disk[192]; /* what is really on it */

static char *with_preload(void)
{
	static char text[300];

	snprintf(text, sizeof(text), "%s%s/tests/faults/powerloss.so",
		 *build_dir() == '/' ? "" : "./", build_dir());
	return text;
}

static void copy_file(const char *from, const char *to)
{
	static char block[65536];
	FILE *in = fopen(from, "r"), *out = fopen(to, "w");
	size_t n;

	assert_non_null(in);
	assert_non_null(out);
	while ((n = fread(block, 1, sizeof(block), in)) > 0)
		assert_int_equal(fwrite(block, 1, n, out), n);
	fclose(in);
	assert_int_equal(fclose(out), 0);
}

/* kill -9 loses the memory; this, what was never on the disk. */
static void lose_power(struct shipfrom *s)
{
	char path[192];

	shipfrom_kill_9(s);
	snprintf(path, sizeof(path), "%s/store/lock.mdb", s->dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/store/data.mdb", s->dir);
	copy_file(disk, path);
}

/* A server whose disk forgets.  All that begins from here on, commands too,
 * writes through the library: they share the disk. */
static struct shipfrom *start(void **state, const char *binary)
{
	const struct shipfrom_options o = {.binary = binary};
	const char *asan = getenv("ASAN_OPTIONS");
	struct shipfrom *s;
	char path[192], text[600];

	s = *state = shipfrom_start(&o);
	assert_int_equal(shipfrom_stop(s), 0);
	snprintf(disk, sizeof(disk), "%s/disk", s->dir);
	snprintf(path, sizeof(path), "%s/store/data.mdb", s->dir);
	copy_file(path, disk);
	snprintf(text, sizeof(text), "%s:verify_asan_link_order=0",
		 asan ? asan : "");
	setenv("ASAN_OPTIONS", text, 1);
	setenv("POWERLOSS", disk, 1);
	setenv("LD_PRELOAD", with_preload(), 1);
	shipfrom_again(s);
	return s;
}

static int end(void **state)
{
	unsetenv("LD_PRELOAD");
	unsetenv("POWERLOSS");
	return shipfrom_end(state);
}

/* ---- what is left ---- */

static int count_lost(struct storm *st, int *ret_acked)
{
	const char *words[] = {"events", "--json", "--since", "1", NULL};
	unsigned char *here = calloc(SENT_MAX, 1);
	char *out = NULL, *line, *rest;
	int lost = 0;

	assert_non_null(here);
	*ret_acked = 0;
	assert_int_equal(shipfrom_run(st->s, &out, false, words), 0);
	for (line = strtok_r(out, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		cJSON *v = cJSON_Parse(line);
		int64_t id = number_of(v, "id");

		if (id >= FIRST_ID && id < FIRST_ID + SENT_MAX)
			here[id - FIRST_ID] = 1;
		cJSON_Delete(v);
	}
	free(out);
	for (int i = 0; i < SENT_MAX; i++) {
		*ret_acked += st->told[i];
		lost += st->told[i] && !here[i];
	}
	free(here);
	return lost;
}

static int runs(int standard)
{
	const char *n = getenv("POWERLOSS_RUNS");

	return n && *n ? (int)strtol(n, NULL, 10) : standard;
}

static struct storm *begin(struct shipfrom *s, pthread_t threads[SENDERS])
{
	struct storm *st = calloc(1, sizeof(*st));

	assert_non_null(st);
	st->s = s;
	st->up = true;
	for (int i = 0; i < SENDERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, send_on,
						st),
				 0);
	return st;
}

static void finish(struct storm *st, pthread_t threads[SENDERS])
{
	st->over = true;
	for (int i = 0; i < SENDERS; i++)
		pthread_join(threads[i], NULL);
}

struct acked {
	struct storm *st;
	int least;
};

static bool enough_acked(void *arg)
{
	struct acked *a = arg;

	return a->st->acked >= a->least;
}

/* The power goes at any moment after that, not before: a slow machine may need
 * a while to answer anything. */
static void wait_for_more(struct storm *st, int more)
{
	struct acked a = {st, st->acked + more};

	assert_true(wait_until(enough_acked, &a, 30000));
}

static void what_was_answered_200_outlives_the_loss_of_power(void **state)
{
	struct shipfrom *s = start(state, NULL);
	const char *verify[] = {"verify", NULL};
	pthread_t threads[SENDERS];
	struct storm *st = begin(s, threads);
	int n = runs(12), acked, lost;
	unsigned random = 20210129;
	char *out = NULL;

	for (int i = 0; i < n; i++) {
		random = random * 1664525u + 1013904223u;
		wait_for_more(st, 11);
		nap((int)(random >> 20) % 120);
		st->up = false;
		lose_power(s);
		shipfrom_again(s);
		st->up = true;
	}
	nap(50);
	st->up = false;
	lose_power(s);
	shipfrom_again(s);
	finish(st, threads);
	lost = count_lost(st, &acked);
	printf("%d losses of power: %d of %d that were answered 200 are "
	       "lost\n",
	       n + 1, lost, acked);
	assert_int_equal(lost, 0);
	assert_true(acked > 10 * n);
	if (shipfrom_run(s, &out, true, verify))
		fail_msg("the store is not whole: %s", out);
	free(out);
	free(st);
	shipfrom_passed(s);
}

/* Whether the server comes back with all that it had said, after one loss. */
static void a_server_built_without_sync_is_found_out(void **state)
{
	struct shipfrom *s;
	pthread_t threads[SENDERS];
	struct storm *st;
	const char *events[] = {"events", "--json", "--since", "1", NULL};
	char binary[256], whole[192], path[192], *out = NULL;
	int acked = 0, lost = 0, status = 0;

	snprintf(binary, sizeof(binary), "%s/nosync/shipfrom", build_dir());
	if (access(binary, X_OK))
		fail_msg("%s is not built (make nosync)", binary);
	s = start(state, binary);
	snprintf(whole, sizeof(whole), "%s/whole", s->dir);
	snprintf(path, sizeof(path), "%s/store/data.mdb", s->dir);
	copy_file(disk, whole);
	st = begin(s, threads);
	nap(300);
	st->up = false;
	lose_power(s);
	finish(st, threads);
	/* It may well leave a store that cannot be read at all. */
	status = shipfrom_run(s, &out, true, events);
	for (int i = 0; i < SENT_MAX; i++)
		acked += st->told[i];
	lost = status ? acked : count_lost(st, &acked);
	printf("without sync: %d of %d that were answered 200 are lost; "
	       "`events` ends with %d: %.*s\n",
	       lost, acked, status, status ? (int)strcspn(out, "\n") : 0, out);
	free(out);
	assert_true(acked > 10);
	assert_true(lost > 0);
	free(st);
	copy_file(whole, path);
	unlink(disk);
	copy_file(whole, disk);
	shipfrom_again(s);
	shipfrom_passed(s);
}

/* ---- a store of an older schema ---- */

#define SAMPLE	     "tests/data/stores/schema-1-full.mdb"
#define SAMPLE_TASKS 33

static void expect_whole_sample(struct shipfrom *s)
{
	const char *verify[] = {"verify", NULL};
	const char *tasks[] = {"tasks", "--json", NULL};
	char *out = NULL;
	int n = 0;

	if (shipfrom_run(s, &out, true, verify))
		fail_msg("the store is not whole: %s", out);
	free(out);
	assert_int_equal(shipfrom_run(s, &out, false, tasks), 0);
	for (const char *p = out; (p = strchr(p, '\n')); p++)
		n++;
	free(out);
	assert_int_equal(n, SAMPLE_TASKS);
}

/* Begins a command, which migrates the store that it opens, and loses power
 * after so many ms.  True: the command had not ended. */
static bool migration_cut_after(struct shipfrom *s, int ms)
{
	char program[256];
	const char *argv[] = {program, "tasks", "--config", s->config, NULL};
	int status;
	bool cut;

	snprintf(program, sizeof(program), "%s/shipfrom", build_dir());
	process_start(&s->process, argv, s->log, false);
	nap(ms); /* the moment of death: any will do */
	cut = !process_ended(&s->process, 0, &status);
	lose_power(s);
	return cut;
}

static void a_migration_that_loses_power_is_taken_again(void **state)
{
	struct shipfrom *s = start(state, NULL);
	char path[192];
	int cut = 0, whole = 0;

	assert_int_equal(shipfrom_stop(s), 0);
	snprintf(path, sizeof(path), "%s/store/data.mdb", s->dir);
	/* Later and later, until the command ends before its time. */
	for (int ms = 0; whole < 2 && ms < 2000; ms += 1 + ms / 8) {
		copy_file(SAMPLE, path);
		copy_file(SAMPLE, disk);
		if (migration_cut_after(s, ms))
			cut++;
		else
			whole++;
		expect_whole_sample(s);
	}
	printf("%d migrations were cut\n", cut);
	assert_true(cut > 0);
	assert_int_equal(whole, 2);
	shipfrom_passed(s);
}

#define T(f) cmocka_unit_test_teardown(f, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_was_answered_200_outlives_the_loss_of_power),
		T(a_server_built_without_sync_is_found_out),
		T(a_migration_that_loses_power_is_taken_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
