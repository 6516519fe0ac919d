/* SPDX-License-Identifier: MIT
 *
 * A 200 means: on disk.  Two tests, for one alone proves too little: what was
 * answered 200 outlives kill -9 (but the page cache would see to that even
 * without a sync), and a completed sync lies between each request and its 200
 * (which a server built without syncing must fail, or the test is worth
 * nothing).
 */
#include <pthread.h>
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

#define WEBHOOKS 1000
#define SENDERS  4
#define KILLS    12

/* ---- kill -9 ---- */

struct senders {
	struct shipfrom *s;
	atomic_int next; /* the webhook to be sent next */
	atomic_bool up;  /* someone listens */
	atomic_bool give_up;
	unsigned char answered[WEBHOOKS]; /* how many 200s it got */
};

static void event_json(char *ret, size_t size, int i)
{
	snprintf(ret, size,
		 "{\"events\":[{\"type\":\"customer\",\"action\":\"update\","
		 "\"date\":\"2021-01-29 14:40:58.628033\",\"id\":%d}]}",
		 100000 + i);
}

static void nap(int ms)
{
	struct timespec ts = {ms / 1000, ms % 1000 * 1000000L};

	nanosleep(&ts, NULL);
}

/* Sends each webhook until it got its 200, as Centra does with retries. */
static void *send_them(void *arg)
{
	struct senders *t = arg;
	char json[256];
	int i;

	while ((i = atomic_fetch_add(&t->next, 1)) < WEBHOOKS) {
		event_json(json, sizeof(json), i);
		while (!t->answered[i] && !t->give_up) {
			struct answer a = {0};

			if (t->up)
				a = webhook_send(t->s->hook, json,
						 i % 2 ? SPACE_PLUS
						       : SPACE_PERCENT);
			if (a.status == 200)
				t->answered[i]++;
			else
				nap(5);
			answer_release(&a);
		}
	}
	return NULL;
}

static bool all_begun(void *arg)
{
	struct senders *t = arg;

	return t->next >= WEBHOOKS;
}

/* How often each webhook is among the stored events. */
static void count_stored(struct shipfrom *s, int *times)
{
	const char *words[] = {"events", "--json", "--since", "1", NULL};
	char *out = NULL, *line, *rest;

	assert_int_equal(shipfrom_run(s, &out, false, words), 0);
	for (line = strtok_r(out, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		cJSON *v = cJSON_Parse(line);
		int64_t id = number_of(v, "id");

		if (!v || id < 100000 || id >= 100000 + WEBHOOKS)
			fail_msg("not an event of ours: %s", line);
		times[id - 100000]++;
		cJSON_Delete(v);
	}
	free(out);
}

static void what_was_answered_200_outlives_kill_9_and_is_there_once(
	void **state)
{
	struct shipfrom *s = *state = shipfrom_start(NULL);
	struct senders t = {.s = s};
	int *times = calloc(WEBHOOKS, sizeof(*times));
	pthread_t threads[SENDERS];
	unsigned random = 20210129;

	assert_non_null(times);
	t.up = true;
	for (int i = 0; i < SENDERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, send_them,
						&t),
				 0);
	for (int k = 0; k < KILLS; k++) {
		/* At any moment of the next tenth of all webhooks. */
		int mark = t.next;

		random = random * 1664525u + 1013904223u;
		mark += (int)((random >> 8) % (WEBHOOKS / 10));
		for (int w = 0; w < 2000 && t.next < mark &&
				t.next < WEBHOOKS; w++)
			nap(1);
		nap((int)(random >> 20) % 4);
		shipfrom_kill_9(s);
		t.up = false;
		shipfrom_again(s);
		t.up = true;
	}
	t.give_up = !wait_until(all_begun, &t, 60000);
	for (int i = 0; i < SENDERS; i++)
		pthread_join(threads[i], NULL);
	shipfrom_kill_9(s);
	count_stored(s, times);
	for (int i = 0; i < WEBHOOKS; i++)
		if (!t.answered[i] || times[i] != 1)
			fail_msg("webhook %d: answered %d times 200, stored %d "
				 "times",
				 i, t.answered[i], times[i]);
	free(times);
	shipfrom_again(s);
	shipfrom_passed(s);
}

/* ---- the order of sync and 200 ---- */

#define TRACED 40

/* What strace saw: webhooks answered 200, and those of them before whose 200 a
 * sync was begun and completed after the request came in. */
static void read_trace(const char *path, int *ret_answered, int *ret_synced)
{
	FILE *f = fopen(path, "r");
	bool asked = false, synced = false;
	char line[4096];

	assert_non_null(f);
	*ret_answered = *ret_synced = 0;
	while (fgets(line, sizeof(line), f)) {
		bool sync = strstr(line, "fdatasync") ||
			    strstr(line, "fsync") || strstr(line, "msync");

		if (strstr(line, "POST /webhooks")) {
			asked = true;
			synced = false;
		} else if (sync && strstr(line, ") = 0")) {
			synced = true;
		} else if (sync && strstr(line, ")     ") &&
			   strstr(line, "= 0")) {
			synced = true;
		} else if (asked && strstr(line, "HTTP/1.1 200")) {
			*ret_answered += 1;
			*ret_synced += synced;
			asked = false;
		}
	}
	fclose(f);
}

/* Sends TRACED webhooks, one after the other, to this binary under strace. */
static void trace(void **state, const char *binary, int *ret_answered,
		  int *ret_synced)
{
	static char file[128];
	const char *const under[] = {
		"strace", "-D", "-f", "-q", "-s", "48", "-o", file, "-e",
		"trace=fdatasync,fsync,msync,read,recvfrom,recvmsg,sendto,"
		"sendmsg,write,writev,sendfile",
		NULL};
	const struct shipfrom_options o = {.binary = binary, .under = under};
	struct shipfrom *s;
	char json[256];

	snprintf(file, sizeof(file), "/tmp/shipfrom-trace.%d", (int)getpid());
	*state = s = shipfrom_start(&o);
	for (int i = 0; i < TRACED; i++) {
		struct answer a;

		event_json(json, sizeof(json), i);
		a = webhook_send(s->hook, json, SPACE_PLUS);
		assert_int_equal(a.status, 200);
		answer_release(&a);
	}
	assert_int_equal(shipfrom_stop(s), 0);
	read_trace(file, ret_answered, ret_synced);
	unlink(file);
}

static void a_completed_sync_lies_between_each_request_and_its_200(
	void **state)
{
	int answered, synced;

	trace(state, NULL, &answered, &synced);
	assert_int_equal(answered, TRACED);
	assert_int_equal(synced, TRACED);
	shipfrom_passed(*state);
}

static void a_server_built_without_sync_is_found_out(void **state)
{
	int answered, synced;
	char binary[256];

	snprintf(binary, sizeof(binary), "%s/nosync/shipfrom", build_dir());
	if (access(binary, X_OK))
		fail_msg("%s is not built (make nosync)", binary);
	trace(state, binary, &answered, &synced);
	assert_int_equal(answered, TRACED);
	assert_true(synced < TRACED);
	shipfrom_passed(*state);
}

/* ---- the same for many at once ---- */

#define CROWD	   64
#define CROWD_EACH 40

struct crowd {
	struct shipfrom *s;
	int first; /* the number of its first webhook */
	int good;  /* how many were answered 200 */
};

static void *send_each(void *arg)
{
	struct crowd *c = arg;
	char json[256];

	for (int i = 0; i < CROWD_EACH; i++) {
		struct answer a;

		event_json(json, sizeof(json), c->first + i);
		a = webhook_send(c->s->hook, json, SPACE_PLUS);
		c->good += a.status == 200;
		answer_release(&a);
	}
	return NULL;
}

/* CROWD senders at once to this binary; how many of the answered webhooks a
 * sync and a meta page covered (tests/faults/covered.c). */
static void send_crowd(void **state, const char *binary, unsigned long *ret_answered,
		       unsigned long *ret_covered)
{
	static char preload[512], where[300], file[128];
	const char *const under[] = {"env", preload, where, NULL};
	const struct shipfrom_options o = {.binary = binary, .under = under};
	struct crowd crowd[CROWD];
	pthread_t threads[CROWD];
	struct shipfrom *s;
	FILE *f;

	snprintf(file, sizeof(file), "/tmp/shipfrom-covered.%d", (int)getpid());
	snprintf(where, sizeof(where), "COVERED=%s", file);
	snprintf(preload, sizeof(preload), "LD_PRELOAD=%s/tests/faults/covered.so",
		 build_dir());
	*state = s = shipfrom_start(&o);
	for (int i = 0; i < CROWD; i++) {
		crowd[i] = (struct crowd){.s = s, .first = i * CROWD_EACH};
		assert_int_equal(pthread_create(&threads[i], NULL, send_each,
						&crowd[i]), 0);
	}
	for (int i = 0; i < CROWD; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(crowd[i].good, CROWD_EACH);
	}
	f = fopen(file, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%lu %lu", ret_answered, ret_covered), 2);
	fclose(f);
	unlink(file);
}

static void a_sync_and_a_meta_page_cover_each_200_of_a_crowd(void **state)
{
	unsigned long answered, covered;

	send_crowd(state, NULL, &answered, &covered);
	assert_int_equal(answered, CROWD * CROWD_EACH);
	assert_int_equal(covered, answered);
	shipfrom_passed(*state);
}

static void a_crowd_finds_out_a_server_built_without_sync(void **state)
{
	unsigned long answered, covered;
	char binary[256];

	snprintf(binary, sizeof(binary), "%s/nosync/shipfrom", build_dir());
	send_crowd(state, binary, &answered, &covered);
	assert_int_equal(answered, CROWD * CROWD_EACH);
	assert_true(covered < answered);
	shipfrom_passed(*state);
}

#define T(f) cmocka_unit_test_teardown(f, shipfrom_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_was_answered_200_outlives_kill_9_and_is_there_once),
		T(a_completed_sync_lies_between_each_request_and_its_200),
		T(a_server_built_without_sync_is_found_out),
		T(a_sync_and_a_meta_page_cover_each_200_of_a_crowd),
		T(a_crowd_finds_out_a_server_built_without_sync),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
