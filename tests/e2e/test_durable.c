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

static const char *nosync_binary(void)
{
	static char binary[256];

	snprintf(binary, sizeof(binary), "%s/nosync/shipfrom", build_dir());
	if (access(binary, X_OK))
		fail_msg("%s is not built (make nosync)", binary);
	return binary;
}

static void a_server_built_without_sync_is_found_out(void **state)
{
	int answered, synced;

	trace(state, nosync_binary(), &answered, &synced);
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

/* What left the server, and how much of it the disk covers
 * (tests/faults/covered.c). */
struct covered {
	unsigned long webhooks, webhooks_covered;
	unsigned long accepts, accepts_covered;
	unsigned long calls, calls_covered;
};

static char covered_file[128];

/* Starts this binary, watched. */
static struct shipfrom *start_covered(const char *binary, const char *server)
{
	static struct under_fault fault;
	static char where[300];
	const char *const under[] = {"env", fault.preload, where, fault.asan,
				     NULL};
	const struct shipfrom_options o = {
		.binary = binary, .server = server, .under = under};

	snprintf(covered_file, sizeof(covered_file),
		 "/tmp/shipfrom-covered.%d", (int)getpid());
	snprintf(where, sizeof(where), "COVERED=%s", covered_file);
	under_fault(&fault, "covered", "");
	return shipfrom_start(&o);
}

/* Stops the server, so that nothing is written meanwhile, and reads the file. */
static void read_covered(struct shipfrom *s, struct covered *ret)
{
	FILE *f;

	assert_int_equal(shipfrom_stop(s), 0);
	f = fopen(covered_file, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%lu %lu %lu %lu %lu %lu", &ret->webhooks,
				&ret->webhooks_covered, &ret->accepts,
				&ret->accepts_covered, &ret->calls,
				&ret->calls_covered),
			 6);
	fclose(f);
	unlink(covered_file);
}

/* CROWD senders at once to this binary; how many of the answered webhooks a
 * sync and a meta page covered. */
static void send_crowd(void **state, const char *binary, unsigned long *ret_answered,
		       unsigned long *ret_covered)
{
	struct crowd crowd[CROWD];
	pthread_t threads[CROWD];
	struct covered got;
	struct shipfrom *s;

	*state = s = start_covered(binary, NULL);
	for (int i = 0; i < CROWD; i++) {
		crowd[i] = (struct crowd){.s = s, .first = i * CROWD_EACH};
		assert_int_equal(pthread_create(&threads[i], NULL, send_each,
						&crowd[i]), 0);
	}
	for (int i = 0; i < CROWD; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(crowd[i].good, CROWD_EACH);
	}
	read_covered(s, &got);
	*ret_answered = got.webhooks;
	*ret_covered = got.webhooks_covered;
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

	send_crowd(state, nosync_binary(), &answered, &covered);
	assert_int_equal(answered, CROWD * CROWD_EACH);
	assert_true(covered < answered);
	shipfrom_passed(*state);
}

/* ---- the same for accepts ---- */

#define PRESSERS   8
#define PRESS_EACH 6

struct presser {
	struct shipfrom *s;
	int64_t orders[PRESS_EACH];
	int won, later; /* how many were answered 200 and 202 */
};

/* Another shop for each presser in turn, so that all are at work at once. */
static enum shop shop_of_presser(const struct presser *p, const struct presser *all)
{
	return (enum shop)((p - all) % SHOPS);
}

static struct presser pressers[PRESSERS];

static void *press_each(void *arg)
{
	struct presser *p = arg;

	for (int i = 0; i < PRESS_EACH; i++) {
		struct answer a = shop_does(p->s, shop_of_presser(p, pressers),
					    p->orders[i], "accept", "{}");

		p->won += a.status == 200;
		p->later += a.status == 202;
		answer_release(&a);
	}
	return NULL;
}

static void place_for(struct presser *p)
{
	for (int i = 0; i < PRESS_EACH; i++)
		p->orders[i] = sim_place(&p->s->sim, 600);
	for (int i = 0; i < PRESS_EACH; i++)
		wait_state(p->s, shop_of_presser(p, pressers), p->orders[i],
			   "pending", 10000);
}

/* Accepts orders, PRESSERS at once or one after the other, at this binary;
 * returns how many of the accepts were answered 202.  With answer_wait 0 these
 * are all but those whose order Centra has given meanwhile. */
static int accept_all(void **state, const char *binary, bool at_once,
		      const char *answer_wait, struct covered *ret)
{
	char server[64];
	int later = 0;
	pthread_t threads[PRESSERS];
	struct shipfrom *s;

	snprintf(server, sizeof(server),
		 "device_presses = 1000\nanswer_wait = %s", answer_wait);
	*state = s = start_covered(binary, server);
	for (int i = 0; i < PRESSERS; i++) {
		pressers[i] = (struct presser){.s = s};
		place_for(&pressers[i]);
	}
	sim_quiet(&s->sim);
	for (int i = 0; i < PRESSERS; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, press_each,
						&pressers[i]),
				 0);
		if (!at_once)
			pthread_join(threads[i], NULL);
	}
	for (int i = 0; i < PRESSERS; i++) {
		if (at_once)
			pthread_join(threads[i], NULL);
		assert_int_equal(pressers[i].won + pressers[i].later,
				 PRESS_EACH);
		later += pressers[i].later;
	}
	for (int i = 0; i < PRESSERS; i++)
		for (int k = 0; k < PRESS_EACH; k++)
			wait_state(s, shop_of_presser(&pressers[i], pressers),
				   pressers[i].orders[k], "accepted", 10000);
	read_covered(s, ret);
	return later;
}

static void a_commit_covers_each_200_of_an_accept(void **state)
{
	struct covered got;

	assert_int_equal(accept_all(state, NULL, true, "30s", &got), 0);
	assert_int_equal(got.accepts, PRESSERS * PRESS_EACH);
	assert_int_equal(got.accepts_covered, got.accepts);
	shipfrom_passed(*state);
}

static void a_commit_covers_each_202_of_an_accept(void **state)
{
	struct covered got;

	assert_true(accept_all(state, NULL, true, "0", &got) > 0);
	assert_int_equal(got.accepts, PRESSERS * PRESS_EACH);
	assert_int_equal(got.accepts_covered, got.accepts);
	shipfrom_passed(*state);
}

/* One after the other, so that there are few commits but those of the accept
 * itself. */
static void the_decision_and_the_try_are_on_disk_before_each_call(void **state)
{
	struct covered got;

	(void)accept_all(state, NULL, false, "30s", &got);
	assert_int_equal(got.calls, PRESSERS * PRESS_EACH);
	assert_int_equal(got.calls_covered, got.calls);
	shipfrom_passed(*state);
}

static void accepts_find_out_a_server_built_without_sync(void **state)
{
	struct covered got;

	(void)accept_all(state, nosync_binary(), true, "0", &got);
	assert_int_equal(got.accepts, PRESSERS * PRESS_EACH);
	assert_true(got.accepts_covered < got.accepts);
	assert_true(got.calls_covered < got.calls);
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
		T(a_commit_covers_each_200_of_an_accept),
		T(a_commit_covers_each_202_of_an_accept),
		T(the_decision_and_the_try_are_on_disk_before_each_call),
		T(accepts_find_out_a_server_built_without_sync),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
