/* SPDX-License-Identifier: MIT
 *
 * torture.c - one scenario, over and over: start, a webhook, an offer, accept,
 * settle, SIGTERM.  Each time another call of the server to its disk or its
 * network fails, writes half, or is the moment of its death (faults/nth.c),
 * until none is left.  Then it is started once more, with nothing wrong, and
 * must know everything that was acknowledged, once, and no more than is true.
 *
 * TORTURE_EVERY=25 tries each 25th call only (the first being TORTURE_FIRST),
 * TORTURE_HOW=torn one of the ways only.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/harness/shipfrom.h"
#include "tests/harness/wait.h"

#define EVENT	     100001 /* the id of an event that is only recorded */
#define FIRST	     5000   /* the first order */
#define SHOP	     AMSTERDAM
#define POINTS_MAX   5000
#define KILLED	     (128 + SIGKILL)

/* What is known of one run of the scenario. */
struct run {
	struct shipfrom *s;
	const char *how;
	int at;
	bool recorded; /* the event was answered 200 */
	bool offered;  /* the shop saw the order */
	bool decided;  /* accept was answered 200 or 202 */
	bool told;     /* the shop was told accepted */
	int64_t number;
	bool bad;
};

static _Atomic uint64_t *count; /* of the server's calls: shared with it */
static char count_file[192], kept[192];
static unsigned runs;

static void wrong(struct run *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void wrong(struct run *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "call %d, %s: ", r->at, r->how);
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "\n");
	va_end(ap);
	if (!r->bad)
		process_tail(r->s->log, 30);
	r->bad = true;
}

/* ---- the server ---- */

/* The exit codes that the README names, and the death we sent. */
static bool documented(const struct run *r, int code)
{
	static const int codes[] = {0, 69, 73, 74, 75, 78};

	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
		if (codes[i] == code)
			return true;
	return code == KILLED && (!strcmp(r->how, "before") ||
				  !strcmp(r->how, "after") ||
				  !strcmp(r->how, "torn"));
}

/* False: it ended before it was ready. */
static bool start(struct run *r, bool spoilt)
{
	struct shipfrom *s = r->s;
	char preload[300], at[32], how[32], counts[256], program[256];
	const char *argv[] = {"env",	 preload, at,	      how,	 counts,
			      program, "serve", "--config", s->config, NULL};
	char url[128];

	snprintf(preload, sizeof(preload), "LD_PRELOAD=%s/tests/faults/nth.so",
		 build_dir());
	snprintf(at, sizeof(at), "NTH_AT=%d", spoilt ? r->at : 0);
	snprintf(how, sizeof(how), "NTH_HOW=%s", r->how);
	snprintf(counts, sizeof(counts), "NTH_COUNT=%s",
		 spoilt ? count_file : "/dev/null");
	snprintf(program, sizeof(program), "%s/shipfrom", build_dir());
	process_start(&s->process, spoilt ? argv : argv + 5, s->log, true);
	return process_says(&s->process, "ready ", url, sizeof(url), 20000);
}

/* Starts it as a supervisor does, if it has ended. */
static bool keep_up(struct run *r)
{
	int code;

	if (r->s->process.pid && !process_ended(&r->s->process, 0, &code))
		return true;
	if (r->s->process.pid == 0 && code >= 0 && !documented(r, code))
		wrong(r, "ended with %d, which no page explains", code);
	if (start(r, false))
		return true;
	wrong(r, "does not start again");
	return false;
}

/* It may be about to end: after a failed sync it leaves in its own time. */
static void settle_down(struct run *r)
{
	int code;

	if (r->s->process.pid &&
	    process_ended(&r->s->process, 200, &code) && !documented(r, code))
		wrong(r, "ended with %d, which no page explains", code);
}

static void stop(struct run *r)
{
	int code = process_end(&r->s->process, SIGTERM, 15000);

	if (code < 0)
		wrong(r, "does not end after SIGTERM");
	else if (!documented(r, code))
		wrong(r, "ended with %d, which no page explains", code);
}

/* ---- the scenario ---- */

static bool record(struct run *r)
{
	char json[256];
	struct answer a;

	snprintf(json, sizeof(json),
		 "{\"events\":[{\"type\":\"customer\",\"action\":\"update\","
		 "\"date\":\"2021-01-29 14:40:58.628033\",\"id\":%d}]}",
		 EVENT);
	a = webhook_send(r->s->hook, json, SPACE_PLUS);
	r->recorded |= a.status == 200;
	if (a.status >= 400 && a.status != 503)
		wrong(r, "a webhook was answered %ld", a.status);
	answer_release(&a);
	return r->recorded;
}

static bool sees_pending(void *arg)
{
	struct run *r = arg;
	char state[STATE_ROOM];

	r->offered = !strcmp(shop_sees(r->s, SHOP, r->number, state),
			     "pending");
	return r->offered || !process_alive(&r->s->process);
}

static bool accept_it(struct run *r)
{
	struct answer a = shop_does(r->s, SHOP, r->number, "accept", "{}");
	const char *state = text_of(a.json, "state");

	r->decided |= a.status == 200 || a.status == 202;
	if (a.status == 200 && !strcmp(state, "accepted"))
		r->told = true;
	else if (a.status >= 400 && a.status != 503)
		wrong(r, "accept was answered %ld %s", a.status, a.body);
	answer_release(&a);
	return r->decided;
}

/* Twice each: who gets no answer asks again, as Centra and people do. */
static void play(struct run *r)
{
	if (!start(r, true))
		settle_down(r);
	for (int i = 0; i < 2 && keep_up(r) && !record(r); i++)
		settle_down(r);
	/* Another each time: webhooks of the run before may still be under
	 * way. */
	r->number = FIRST + (int64_t)runs++;
	sim_tell(&r->s->sim, "/orders",
		 "{\"number\":%lld,\"warehouses\":[2,3,4],"
		 "\"expires_in\":600}",
		 (long long)r->number);
	for (int i = 0; i < 2 && keep_up(r) && !r->offered; i++) {
		wait_until(sees_pending, r, 2500);
		if (!r->offered)
			settle_down(r);
	}
	for (int i = 0; i < 2 && r->offered && keep_up(r) && !accept_it(r);
	     i++)
		settle_down(r);
	settle_down(r);
	if (r->s->process.pid)
		stop(r);
}

/* ---- afterwards ---- */

static bool is_settled(void *arg)
{
	struct run *r = arg;
	char state[STATE_ROOM];

	shop_sees(r->s, SHOP, r->number, state);
	return !strcmp(state, "accepted") || !process_alive(&r->s->process);
}

static void check_order(struct run *r)
{
	int64_t winner = sim_winner(&r->s->sim, r->number);
	char state[STATE_ROOM];
	int64_t ours = SHOP + 2;

	if (r->decided || winner == ours)
		wait_until(is_settled, r, 20000);
	winner = sim_winner(&r->s->sim, r->number);
	shop_sees(r->s, SHOP, r->number, state);
	if (r->told && winner != ours)
		wrong(r, "told accepted, but Centra gave it to %lld",
		      (long long)winner);
	if (!strcmp(state, "accepted") != (winner == ours))
		wrong(r, "the shop sees %s, Centra gave it to %lld", state,
		      (long long)winner);
	if (r->decided && winner != ours)
		wrong(r, "the accept was answered, and is lost: %s", state);
	if (r->offered && !strcmp(state, "404"))
		wrong(r, "an order that the shop saw is lost");
	if (sim_accepts(&r->s->sim, r->number) > 1)
		wrong(r, "two accepts were told ok");
	for (int i = 0; i < SHOPS; i++)
		if (i != SHOP &&
		    !strcmp(shop_sees(r->s, (enum shop)i, r->number, state),
			    "accepted"))
			wrong(r, "shop %d was told accepted too", i);
}

static int times_stored(const char *lines)
{
	char id[32];
	int n = 0;

	snprintf(id, sizeof(id), "\"id\":%d", EVENT);
	while ((lines = strstr(lines, id))) {
		lines++;
		n++;
	}
	return n;
}

/* A verb that must end well; what it printed is the caller's. */
static char *ask(struct run *r, const char *const *words)
{
	char *out = NULL;
	int code = shipfrom_run(r->s, &out, true, words);

	if (code)
		wrong(r, "`%s` ended with %d: %s", words[0], code, out);
	return out;
}

static void check_store(struct run *r)
{
	const char *events[] = {"events", "--json", "--since", "1", NULL};
	const char *verify[] = {"verify", NULL};
	const char *why[] = {"why", NULL, NULL};
	char number[32], *out = ask(r, events);
	int n = times_stored(out);

	if (n > 1 || n < r->recorded)
		wrong(r, "the event was %sanswered 200, and is there %d times",
		      r->recorded ? "" : "not ", n);
	free(out);
	free(ask(r, verify));
	if (!r->offered)
		return;
	snprintf(number, sizeof(number), "%lld", (long long)r->number);
	why[1] = number;
	out = ask(r, why);
	if (r->decided && (!strstr(out, "accept") || !strstr(out, "telling Centra yes")))
		wrong(r, "why does not tell of the answer: %s", out);
	free(out);
}

/* ---- one after the other ---- */

static void copy_store(const char *from, const char *to)
{
	const char *gone[] = {"rm", "-rf", to, NULL};
	const char *copy[] = {"cp", "-r", from, to, NULL};

	assert_int_equal(run_program(gone, NULL, true), 0);
	assert_int_equal(run_program(copy, NULL, true), 0);
}

static void begin_again(struct run *r)
{
	struct shipfrom *s = r->s;
	char store[192];

	process_end(&s->process, SIGKILL, 5000);
	snprintf(store, sizeof(store), "%s/store", s->dir);
	copy_store(kept, store);
	assert_int_equal(truncate(s->log, 0), 0);
	sim_tell(&s->sim, "/reset", "{}");
	sim_tell(&s->sim, "/hooks",
		 "{\"url\":\"%s\",\"retries\":3,\"retry_first\":100,"
		 "\"timeout\":2000}",
		 s->hook);
}

/* True: nothing went wrong. */
static bool torture(struct shipfrom *s, const char *how, int at)
{
	struct run r = {.s = s, .how = how, .at = at};

	begin_again(&r);
	play(&r);
	if (start(&r, false)) {
		check_order(&r);
		stop(&r);
		check_store(&r);
	} else {
		wrong(&r, "does not start again");
	}
	if (process_report(s->log))
		wrong(&r, "a sanitizer spoke: %s", process_report(s->log));
	return !r.bad;
}

static int number_in(const char *name, int otherwise)
{
	const char *text = getenv(name);
	int n = text ? (int)strtol(text, NULL, 10) : 0;

	return n > 0 ? n : otherwise;
}

/* All points of one way, until the scenario has no such call any more. */
static void each(struct shipfrom *s, const char *how, int *points,
		 int *failures)
{
	int every = number_in("TORTURE_EVERY", 1);
	const char *only = getenv("TORTURE_HOW");
	int before = *points, bad = *failures, at;

	if (only && *only && strcmp(only, how) != 0)
		return;
	for (at = number_in("TORTURE_FIRST", 1); at < POINTS_MAX;
	     at += every) {
		*failures += !torture(s, how, at);
		if (*count < (uint64_t)at)
			break; /* it was never made */
		*points += 1;
	}
	printf("%-7s %4d points, %d failures\n", how, *points - before,
	       *failures - bad);
	fflush(stdout);
	assert_true(at < POINTS_MAX);
}

static void share_count(struct shipfrom *s)
{
	void *p;
	int fd;

	snprintf(count_file, sizeof(count_file), "%s/count", s->dir);
	fd = open(count_file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 8), 0);
	p = mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(p != MAP_FAILED);
	close(fd);
	count = p;
}

static void run_all(void **state, const char *const *ways)
{
	static const struct shipfrom_options o = {
		.server = "answer_wait = 2s\n", .own_address = true};
	struct shipfrom *s = *state = shipfrom_start(&o);
	char store[192];
	int points = 0, failures = 0;

	assert_int_equal(shipfrom_stop(s), 0);
	snprintf(store, sizeof(store), "%s/store", s->dir);
	snprintf(kept, sizeof(kept), "%s/kept", s->dir);
	copy_store(store, kept);
	share_count(s);
	for (; *ways; ways++)
		each(s, *ways, &points, &failures);
	printf("%d points, %d failures\n", points, failures);
	munmap((void *)(uintptr_t)count, 8);
	assert_true(points > 0 || getenv("TORTURE_HOW"));
	assert_int_equal(failures, 0);
	shipfrom_passed(s);
}

static void each_call_that_fails_loses_nothing(void **state)
{
	static const char *const ways[] = {"EIO", "ENOSPC", "short", NULL};

	run_all(state, ways);
}

static void a_kill_at_each_write_loses_nothing(void **state)
{
	static const char *const ways[] = {"before", "after", "torn", NULL};

	run_all(state, ways);
}

#define T(f) cmocka_unit_test_teardown(f, shipfrom_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(each_call_that_fails_loses_nothing),
		T(a_kill_at_each_write_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
