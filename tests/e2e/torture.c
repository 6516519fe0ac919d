/* SPDX-License-Identifier: MIT
 *
 * torture.c - one scenario, over and over.  Each time another call of the
 * server (or of a command) to its disk or its network fails, writes half, or is
 * the moment of its death (faults/nth.c), until none is left.  Then it is
 * started once more, with nothing wrong, and must know everything that was
 * acknowledged, once, and no more than is true.
 *
 * TORTURE_SCENARIO names one of those at the end of this file (torture.sh runs
 * them all).  TORTURE_EVERY=25 tries each 25th call only (the first being
 * TORTURE_FIRST), TORTURE_HOW=torn one of the ways only.
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
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/harness/shipfrom.h"
#include "tests/harness/wait.h"
#include "tests/harness/webhook.h"

#define EVENT 100001 /* the id of an event that is only recorded */
#define FIRST 5000   /* the first order */
#define SHOP AMSTERDAM
#define POINTS_MAX 5000
#define KILLED (128 + SIGKILL)
#define AGO    100 /* days */
#define ENDED  30  /* orders of that time that have ended: OLD, OLD + 1, ... */
#define OLD    880000
#define OPEN   (OLD + ENDED) /* one that has not */

/* What is known of one run of the scenario. */
struct run {
	struct shipfrom *s;
	const char *how;
	int at;
	bool recorded; /* the event was answered 200 */
	bool offered;  /* the shop saw the order */
	bool decided;  /* accept was answered 200 or 202 */
	bool told;     /* the shop was told accepted */
	bool done;     /* the command ended well */
	int64_t number;
	bool bad;
};

/* What is tortured. */
struct scenario {
	const char *name, *server, *centra; /* lines of the config, or NULL */
	bool no_store;			    /* there is none when it begins */
	const char *const *command;	    /* instead of the server; or NULL */
	void (*fill)(struct shipfrom *s); /* the store, once, with the server's
					   * clock AGO behind; or NULL */
	void (*before)(struct run *r); /* with nothing wrong yet; or NULL */
	void (*play)(struct run *r);   /* after a webhook was recorded */
	void (*check)(struct run *r);  /* once all is well again */
};

static const struct scenario *what;

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
	return code == KILLED &&
	       (!strcmp(r->how, "before") || !strcmp(r->how, "after") ||
		!strcmp(r->how, "torn"));
}

static void fault_words(const struct run *r, char preload[300], char at[32],
			char how[32], char counts[256])
{
	snprintf(preload, 300, "LD_PRELOAD=%s/tests/faults/nth.so",
		 build_dir());
	snprintf(at, 32, "NTH_AT=%d", r->at);
	snprintf(how, 32, "NTH_HOW=%s", r->how);
	snprintf(counts, 256, "NTH_COUNT=%s", count_file);
}

/* False: it ended before it was ready. */
static bool start(struct run *r, bool spoilt)
{
	struct shipfrom *s = r->s;
	char preload[300], at[32], how[32], counts[256], program[256];
	const char *argv[] = {"env",   preload, at,	    how,       counts,
			      program, "serve", "--config", s->config, NULL};
	char url[128];

	fault_words(r, preload, at, how, counts);
	snprintf(program, sizeof(program), "%s/shipfrom", build_dir());
	process_start(&s->process, spoilt ? argv : argv + 5, s->log, true);
	return process_says(&s->process, "ready ", url, sizeof(url), 20000);
}

/* Starts it as a supervisor does, if it has ended. */
static bool keep_up(struct run *r)
{
	int code = -1;

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

	if (r->s->process.pid && process_ended(&r->s->process, 200, &code) &&
	    !documented(r, code))
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

	r->offered =
		!strcmp(shop_sees(r->s, SHOP, r->number, state), "pending");
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

static void order_placed(struct run *r, const char *more)
{
	/* Another each time: webhooks of the run before may still be under
	 * way. */
	r->number = FIRST + (int64_t)runs++;
	sim_tell(&r->s->sim, "/orders", "{\"number\":%lld%s}",
		 (long long)r->number, more);
}

/* Twice each: who gets no answer asks again, as Centra and people do. */
static void sees_it(struct run *r)
{
	for (int i = 0; i < 2 && keep_up(r) && !r->offered; i++) {
		wait_until(sees_pending, r, 2500);
		if (!r->offered)
			settle_down(r);
	}
}

static void presses(struct run *r, bool (*press)(struct run *r))
{
	for (int i = 0; i < 2 && r->offered && keep_up(r) && !press(r); i++)
		settle_down(r);
}

static void play_accept(struct run *r)
{
	order_placed(r, ",\"warehouses\":[2,3,4],\"expires_in\":600");
	sees_it(r);
	presses(r, accept_it);
}

static bool reject_it(struct run *r)
{
	struct answer a = shop_does(r->s, SHOP, r->number, "reject",
				    "{\"reason\":\"damaged\"}");

	r->decided |= a.status == 200 || a.status == 202;
	if (a.status >= 400 && a.status != 503)
		wrong(r, "reject was answered %ld %s", a.status, a.body);
	answer_release(&a);
	return r->decided;
}

static void play_reject(struct run *r)
{
	order_placed(r, ",\"warehouses\":[2,3,4],\"expires_in\":600");
	sees_it(r);
	presses(r, reject_it);
}

static bool ship_it(struct run *r)
{
	struct answer a = shop_does(r->s, SHOP, r->number, "ship",
				    "{\"carrier\":\"PostNord\","
				    "\"tracking\":\"SE1\",\"packages\":1}");

	r->decided |= a.status == 200 || a.status == 202;
	if (a.status >= 400 && a.status != 503 && a.status != 409)
		wrong(r, "ship was answered %ld %s", a.status, a.body);
	answer_release(&a);
	return r->decided;
}

/* Won while nothing is wrong; then the server is started anew. */
static void before_ship(struct run *r)
{
	if (!start(r, false)) {
		wrong(r, "does not start");
		return;
	}
	order_placed(r, ",\"warehouses\":[2,3],\"expires_in\":600");
	sees_it(r);
	presses(r, accept_it);
	wait_state(r->s, SHOP, r->number, "accepted", 10000);
	process_end(&r->s->process, SIGKILL, 5000);
}

static void play_ship(struct run *r)
{
	r->decided = false;
	presses(r, ship_it);
}

/* Nobody is told of it: the sweep at the start has to find it. */
static void before_sweep(struct run *r)
{
	order_placed(r, ",\"warehouses\":[3],\"expires_in\":600,"
			"\"webhook\":false");
}

static void play(struct run *r)
{
	if (!start(r, true))
		settle_down(r);
	for (int i = 0; i < 2 && keep_up(r) && !record(r); i++)
		settle_down(r);
	if (what->play)
		what->play(r);
	settle_down(r);
	if (r->s->process.pid)
		stop(r);
}

/* ---- a command instead of the server ---- */

static void words_of(const struct run *r, const char *words[8])
{
	static char copy[192];
	int n = 0;

	snprintf(copy, sizeof(copy), "%s/copy", r->s->dir);
	for (; what->command[n]; n++)
		words[n] = strcmp(what->command[n], "COPY") ? what->command[n]
							    : copy;
	words[n] = NULL;
}

static void play_command(struct run *r)
{
	char preload[300], at[32], how[32], counts[256], program[256];
	const char *argv[20] = {"env", preload, at, how, counts, program};
	char copy[192], *out = NULL;
	int code;

	snprintf(copy, sizeof(copy), "%s/copy", r->s->dir);
	unlink(copy);
	fault_words(r, preload, at, how, counts);
	snprintf(program, sizeof(program), "%s/shipfrom", build_dir());
	words_of(r, argv + 6);
	for (int n = 6;; n++)
		if (!argv[n]) {
			argv[n] = "--config";
			argv[n + 1] = r->s->config;
			argv[n + 2] = NULL;
			break;
		}
	code = run_program(argv, &out, false);
	r->done = code == 0;
	if (code > 78 && code != KILLED)
		wrong(r, "`%s` ended with %d", argv[6], code);
	free(out);
}

/* ---- afterwards ---- */

static bool is_settled(void *arg)
{
	struct run *r = arg;
	char state[STATE_ROOM];

	shop_sees(r->s, SHOP, r->number, state);
	return !strcmp(state, "accepted") || !process_alive(&r->s->process);
}

static void check_accept(struct run *r)
{
	int64_t winner = sim_winner(&r->s->sim, r->number);
	char state[STATE_ROOM];
	int64_t ours = SHOP + 2;

	if (r->decided || winner == ours)
		wait_until(is_settled, r, 20000);
	/* In this order: a task may accept the order at Centra between the two. */
	shop_sees(r->s, SHOP, r->number, state);
	winner = sim_winner(&r->s->sim, r->number);
	if (winner == ours && strcmp(state, "accepted") != 0) {
		wait_until(is_settled, r, 20000);
		shop_sees(r->s, SHOP, r->number, state);
	}
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

static bool is_rejected(void *arg)
{
	struct run *r = arg;
	char state[STATE_ROOM];

	shop_sees(r->s, SHOP, r->number, state);
	return !strcmp(state, "rejected") || !process_alive(&r->s->process);
}

static void check_reject(struct run *r)
{
	char state[STATE_ROOM];

	if (r->decided && !wait_until(is_rejected, r, 20000))
		wrong(r, "the reject was answered, and is lost");
	if (r->decided && !sim_calls(&r->s->sim, r->number, true))
		wrong(r, "Centra was never told of the reject");
	if (sim_winner(&r->s->sim, r->number))
		wrong(r, "somebody has won what nobody accepted");
	for (int i = 0; i < SHOPS; i++)
		if (!strcmp(shop_sees(r->s, (enum shop)i, r->number, state),
			    "accepted"))
			wrong(r, "shop %d was told accepted", i);
	shop_sees(r->s, SHOP, r->number, state);
	if (r->offered && !strcmp(state, "404"))
		wrong(r, "an order that the shop saw is lost");
}

/* Pressed again until it is shipped: that must never do anything twice. */
static bool is_shipped(void *arg)
{
	struct run *r = arg;
	struct answer a = shop_does(r->s, SHOP, r->number, "ship",
				    "{\"carrier\":\"PostNord\","
				    "\"tracking\":\"SE1\",\"packages\":1}");
	bool yes = a.status == 200;

	answer_release(&a);
	return yes || !process_alive(&r->s->process);
}

static void check_ship(struct run *r)
{
	int made = 0, captures = 0, completions = 0, early = 0;
	char url[256];
	struct answer a;
	const cJSON *o, *c;

	if (!wait_until(is_shipped, r, 30000))
		wrong(r, "it cannot be shipped any more");
	snprintf(url, sizeof(url), "%s/control/state", r->s->sim.url);
	a = http_get(url, NULL);
	cJSON_ArrayForEach(o, cJSON_GetObjectItem(a.json, "orders"))
	{
		if (number_of(o, "number") != r->number)
			continue;
		cJSON_ArrayForEach(c, cJSON_GetObjectItem(o, "shipments"))
		{
			made++;
			captures += (int)number_of(c, "captures");
			completions += (int)number_of(c, "completions");
			early += cJSON_IsTrue(cJSON_GetObjectItem(c, "early"));
		}
	}
	answer_release(&a);
	if (made != 1 || captures != 1 || completions != 1 || early)
		wrong(r, "%d shipments, %d captures, %d completions, %d good "
			 "to go before they were paid",
		      made, captures, completions, early);
}

/* The value of a metric; -1: the server does not say. */
static int64_t metric(const struct shipfrom *s, const char *name)
{
	char url[256], line[96];
	struct answer a;
	const char *at;
	int64_t ret = -1;

	snprintf(url, sizeof(url), "%s/metrics", s->admin);
	snprintf(line, sizeof(line), "\n%s ", name);
	a = http_get(url, NULL);
	at = a.body ? strstr(a.body, line) : NULL;
	if (at)
		ret = strtoll(at + strlen(line), NULL, 10);
	answer_release(&a);
	return ret;
}

static int64_t creates_missed(struct run *r)
{
	return metric(r->s, "shipfrom_missed_webhooks_total{kind=\"create\"}");
}

static bool is_pending(void *arg)
{
	struct run *r = arg;
	char state[STATE_ROOM];

	shop_sees(r->s, SHOP, r->number, state);
	return !strcmp(state, "pending") || !process_alive(&r->s->process);
}

static void check_sweep(struct run *r)
{
	if (!wait_until(is_pending, r, 20000))
		wrong(r, "the sweep does not find the order");
	if (creates_missed(r) != 1)
		wrong(r, "the create is counted %lld times",
		      (long long)creates_missed(r));
}

/* ---- the removal of old data ---- */

static void send_old(struct shipfrom *s, const char *json)
{
	char *body = webhook_body(json, SPACE_PLUS);
	char *header = webhook_header(
		SECRET, (int64_t)time(NULL) - AGO * INT64_C(86400), body);
	struct answer a = webhook_post(s->hook, header, body, strlen(body));

	assert_int_equal(a.status, 200);
	answer_release(&a);
	free(header);
	free(body);
}

#define OLD_DATE "\"date\":\"2021-01-11 16:21:00.552288\""

static bool is_filled(void *arg)
{
	struct shipfrom *s = arg;

	return metric(s, "shipfrom_orders") == ENDED + 1 &&
	       metric(s, "shipfrom_quarantined") == 1;
}

/* AGO days ago orders ended, one was offered and did not end, and a body could
 * not be read. */
static void fill_with_old(struct shipfrom *s)
{
	char json[512];

	for (int number = OLD; number <= OPEN; number++) {
		snprintf(json, sizeof(json),
			 "{\"events\":[{\"type\":\"check_first\","
			 "\"action\":\"create\"," OLD_DATE ",\"id\":%d,"
			 "\"data\":{\"warehouses\":[{\"warehouseId\":3}]}}]}",
			 number);
		send_old(s, json);
		if (number == OPEN)
			break;
		snprintf(json, sizeof(json),
			 "{\"events\":[{\"type\":\"check_first\","
			 "\"action\":\"timeout\"," OLD_DATE ",\"id\":%d,"
			 "\"data\":{\"warehouseId\":3}}]}",
			 number);
		send_old(s, json);
	}
	send_old(s, "{\"events\":[5]}");
	assert_true(wait_until(is_filled, s, 10000));
}

static bool is_removed(void *arg)
{
	struct run *r = arg;

	return !process_alive(&r->s->process) ||
	       (metric(r->s, "shipfrom_orders") == 1 &&
		metric(r->s, "shipfrom_quarantined") == 0);
}

/* Twice: the next start goes on. */
static void play_retention(struct run *r)
{
	for (int i = 0; i < 2 && keep_up(r); i++) {
		wait_until(is_removed, r, 2500);
		settle_down(r);
	}
}

/* What has ended is gone, whole; what is open is there. */
static void check_retention(struct run *r)
{
	char state[STATE_ROOM];

	if (!wait_until(is_removed, r, 20000))
		wrong(r, "%lld orders and %lld entries of the quarantine stay",
		      (long long)metric(r->s, "shipfrom_orders"),
		      (long long)metric(r->s, "shipfrom_quarantined"));
	for (int number = OLD; number < OPEN; number++)
		if (strcmp(shop_sees(r->s, SHOP, number, state), "404") != 0)
			wrong(r, "order %d is still %s", number, state);
	if (!strcmp(shop_sees(r->s, SHOP, OPEN, state), "404"))
		wrong(r, "the open order is gone");
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
	const char *why[] = {"why", NULL, "--json", NULL};
	char number[32], *out = ask(r, events);
	int n = times_stored(out);

	if (n > 1 || n < r->recorded)
		wrong(r, "the event was %sanswered 200, and is there %d times",
		      r->recorded ? "" : "not ", n);
	free(out);
	free(ask(r, verify));
	if (!r->offered || what->check != check_accept)
		return;
	snprintf(number, sizeof(number), "%lld", (long long)r->number);
	why[1] = number;
	out = ask(r, why);
	if (r->decided &&
	    (!strstr(out, "\"kind\":\"answered\"") ||
	     !strstr(out, "\"kind\":\"try\"")))
		wrong(r, "why does not tell of the answer: %s", out);
	free(out);
}

static void remove_tree(const char *path)
{
	const char *gone[] = {"rm", "-rf", path, NULL};

	assert_int_equal(run_program(gone, NULL, true), 0);
}

/* A copy that was said to be made is whole, and no half one has its name. */
static void check_copy(struct run *r)
{
	char copy[192], store[192], data[256];
	const char *make[] = {"mkdir", "-m", "0700", store, NULL};
	const char *into[] = {"cp", copy, data, NULL};
	const char *readmit[] = {"device", "readmit", "--all", NULL};

	snprintf(copy, sizeof(copy), "%s/copy", r->s->dir);
	snprintf(store, sizeof(store), "%s/store", r->s->dir);
	snprintf(data, sizeof(data), "%s/data.mdb", store);
	if (access(copy, F_OK)) {
		if (r->done)
			wrong(r, "the copy was made, and is not there");
		return;
	}
	remove_tree(store);
	assert_int_equal(run_program(make, NULL, true), 0);
	assert_int_equal(run_program(into, NULL, true), 0);
	free(ask(r, readmit)); /* a restored store lets nobody in */
}

/* The old store or the new one: either has all that there was. */
static void check_compacted(struct run *r)
{
	const char *list[] = {"device", "list", NULL};
	char *out = ask(r, list), *at = out;
	int n = 0;

	while ((at = strstr(at, "active"))) {
		at++;
		n++;
	}
	if (n != SHOPS)
		wrong(r, "%d of %d devices are there", n, SHOPS);
	free(out);
}

static void check_devices(struct run *r)
{
	const char *list[] = {"device", "list", NULL};
	char *out = ask(r, list), *at = out;
	int n = 0;

	while ((at = strstr(at, "tortured"))) {
		at++;
		n++;
	}
	if (n > 1 || n < r->done)
		wrong(r, "the device was %sadded, and is there %d times",
		      r->done ? "" : "not ", n);
	free(out);
}

/* A store of an older version, in place of the one that was made. */
static void before_migrate(struct run *r)
{
	char store[192], sample[192];
	const char *make[] = {"mkdir", store, NULL};
	const char *copy[] = {"cp", "tests/data/stores/schema-1.mdb", sample,
			      NULL};

	snprintf(store, sizeof(store), "%s/store", r->s->dir);
	snprintf(sample, sizeof(sample), "%s/store/data.mdb", r->s->dir);
	remove_tree(store);
	assert_int_equal(run_program(make, NULL, true), 0);
	assert_int_equal(run_program(copy, NULL, true), 0);
}

#define SAMPLE_TASKS 13 /* in schema-1.mdb */

static void check_migrated(struct run *r)
{
	const char *list[] = {"tasks", "--json", NULL};
	char *out = ask(r, list), *at = out;
	int n = 0;

	for (; (at = strstr(at, "\"kind\":")); at++)
		n++;
	if (n != SAMPLE_TASKS)
		wrong(r, "%d of %d tasks are there", n, SAMPLE_TASKS);
	free(out);
}

/* ---- one after the other ---- */

static void copy_store(const char *from, const char *to)
{
	const char *copy[] = {"cp", "-r", from, to, NULL};

	remove_tree(to);
	assert_int_equal(run_program(copy, NULL, true), 0);
}

static void begin_again(struct run *r)
{
	struct shipfrom *s = r->s;
	char store[192];

	process_end(&s->process, SIGKILL, 5000);
	snprintf(store, sizeof(store), "%s/store", s->dir);
	if (what->no_store)
		remove_tree(store);
	else
		copy_store(kept, store);
	assert_int_equal(truncate(s->log, 0), 0);
	sim_tell(&s->sim, "/reset", "{}");
	sim_tell(&s->sim, "/hooks",
		 "{\"url\":\"%s\",\"retries\":3,\"retry_first\":100,"
		 "\"timeout\":2000}",
		 s->hook);
}

static void serve_and_check(struct run *r)
{
	if (!start(r, false)) {
		wrong(r, "does not start again");
		return;
	}
	if (what->check)
		what->check(r);
	stop(r);
	check_store(r);
}

/* True: nothing went wrong. */
static bool torture(struct shipfrom *s, const char *how, int at)
{
	struct run r = {.s = s, .how = how, .at = at};

	begin_again(&r);
	if (what->before)
		what->before(&r);
	if (what->command) {
		play_command(&r);
		what->check(&r);
		check_store(&r);
	} else {
		play(&r);
		serve_and_check(&r);
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
	for (at = number_in("TORTURE_FIRST", 1); at < POINTS_MAX; at += every) {
		*failures += !torture(s, how, at);
		if (*count < (uint64_t)at)
			break; /* it was never made */
		*points += 1;
	}
	printf("%-11s %-7s %4d points, %d failures\n", what->name, how,
	       *points - before, *failures - bad);
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

static const char *const backup[] = {"backup", "COPY", NULL};
static const char *const compact[] = {"compact", NULL};
static const char *const tasks[] = {"tasks", NULL};
static const char *const device_add[] = {
	"device", "add", "--shop", "berlin", "--name", "tortured", NULL};

#define SOON "answer_wait = 2s\n"
static const struct scenario scenarios[] = {
	{"accept", SOON, NULL, .play = play_accept, .check = check_accept},
	{"reject", SOON, NULL, .play = play_reject, .check = check_reject},
	{"ship", SOON,
	 "call_timeout = 1s\ngraphql_requests = 1000\n"
	 "graphql_mutations = 1000\n",
	 .before = before_ship, .play = play_ship, .check = check_ship},
	{"sweep", "sweep_every = 500ms\nmissed_after = 200ms\n",
	 "recover = offer\ngraphql_requests = 1000\n", .before = before_sweep,
	 .play = sees_it, .check = check_sweep},
	{"retention",
	 "sweep_every = 500ms\nkeep_events = 30d\nkeep_orders = 60d\n"
	 "keep_quarantine = 30d\n",
	 "graphql_requests = 1000\n", .fill = fill_with_old,
	 .play = play_retention, .check = check_retention},
	{"first-start", NULL, NULL, .no_store = true},
	{"backup", NULL, NULL, .command = backup, .check = check_copy},
	{"compact", NULL, NULL, .command = compact, .check = check_compacted},
	{"device-add", NULL, NULL, .command = device_add,
	 .check = check_devices},
	{"migrate", NULL, NULL, .before = before_migrate, .command = tasks,
	 .check = check_migrated},
};

static const struct scenario *scenario_named(const char *name)
{
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(*scenarios); i++)
		if (!name || !strcmp(scenarios[i].name, name))
			return &scenarios[i];
	fail_msg("no scenario has the name '%s'", name);
	return NULL;
}

/* Starts the server as it is to be filled. */
static struct shipfrom *start_first(void **state)
{
	static char preload[512], wallclock[256], asan[512], file[128];
	static const char *const under[] = {"env", preload, wallclock, asan,
					    NULL};
	const char *options = getenv("ASAN_OPTIONS");
	struct shipfrom_options o = {.server = what->server,
				     .centra = what->centra};
	const int64_t ahead = -AGO * INT64_C(86400000);
	char *build = realpath(build_dir(), NULL);
	struct shipfrom *s;
	int fd;

	snprintf(file, sizeof(file), "/tmp/shipfrom-clock.%d", (int)getpid());
	snprintf(preload, sizeof(preload),
		 "LD_PRELOAD=%s/tests/faults/wallclock.so", build);
	snprintf(wallclock, sizeof(wallclock), "WALLCLOCK=%s", file);
	snprintf(asan, sizeof(asan), "ASAN_OPTIONS=%s:verify_asan_link_order=0",
		 options ? options : "");
	free(build);
	if (!what->fill) {
		*state = shipfrom_start(&o);
		return *state;
	}
	fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, &ahead, sizeof(ahead)), sizeof(ahead));
	close(fd);
	o.under = under;
	s = *state = shipfrom_start(&o);
	unlink(file);
	what->fill(s);
	return s;
}

static void run_all(void **state, const char *const *ways)
{
	char store[192];
	int points = 0, failures = 0;
	struct shipfrom *s;

	what = scenario_named(getenv("TORTURE_SCENARIO"));
	s = start_first(state);
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
