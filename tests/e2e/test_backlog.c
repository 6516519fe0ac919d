/* SPDX-License-Identifier: MIT
 *
 * test_backlog.c - thousands of fetches wait for GraphQL, which is away or not
 * configured: they cost nothing, and shops go on.
 *
 *	BACKLOG=100000 WATCH=60 LANDS=20000 build/tests/e2e/test_backlog
 *
 * runs it with so many fetches, watched for so many seconds, and with so many
 * orders that are all fetched in the end; the figures are printed.  The bounds are wide, for a busy machine.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/harness/shipfrom.h"
#include "tests/harness/wait.h"

#define BACKLOG	    3000
#define WATCH	    4 /* s */
#define LANDS	    300
#define A_DELIVERY  100
#define FIRST	    1000000
#define ACCEPTS	    20
#define BUDGET	    30 /* calls in 10 s: the default */
#define CPU_MOST    0.05
#define ACCEPT_MOST 1000 /* ms, of the slowest; a sync of a busy disk is slow */

static int of_env(const char *name, int otherwise)
{
	const char *value = getenv(name);

	return value ? (int)strtol(value, NULL, 10) : otherwise;
}

/* ---- figures ---- */

static double sample(struct shipfrom *s, const char *name)
{
	char url[256], line[96];
	struct answer a;
	const char *at;
	double ret = -1;

	snprintf(url, sizeof(url), "%s/metrics", s->admin);
	snprintf(line, sizeof(line), "\nshipfrom_%s ", name);
	a = http_get(url, NULL);
	at = a.body ? strstr(a.body, line) : NULL;
	if (at)
		ret = strtod(at + strlen(line), NULL);
	answer_release(&a);
	assert_true(ret >= 0);
	return ret;
}

/* Seconds that the server has used. */
static double cpu(const struct shipfrom *s)
{
	unsigned long user = 0, sys = 0;
	char path[64], line[1024] = "";
	const char *at;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)s->process.pid);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f));
	fclose(f);
	at = strrchr(line, ')');
	assert_int_equal(sscanf(at + 1,
				" %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u "
				"%lu %lu",
				&user, &sys),
			 2);
	return (double)(user + sys) / (double)sysconf(_SC_CLK_TCK);
}

static void pass(int seconds)
{
	struct timespec t = {.tv_sec = seconds};

	nanosleep(&t, NULL);
}

/* ---- the backlog ---- */

static void send_creates(struct shipfrom *s, int first, int n)
{
	char *json = NULL, date[STAMP_ROOM], until[STAMP_ROOM];
	struct answer a;
	size_t size;
	FILE *f = open_memstream(&json, &size);

	stamp(date, 0, 0);
	iso(until, 86400);
	fprintf(f, "{\"events\":[");
	for (int i = 0; i < n; i++)
		fprintf(f,
			"%s{\"type\":\"check_first\",\"action\":\"create\","
			"\"date\":\"%s\",\"id\":%d,\"data\":{\"warehouses\":[{"
			"\"warehouseId\":4,\"expirationAt\":\"%s\"}]}}",
			i ? "," : "", date, first + i, until);
	fprintf(f, "]}");
	fclose(f);
	a = webhook_send(s->hook, json, SPACE_PLUS);
	assert_int_equal(a.status, 200);
	answer_release(&a);
	free(json);
}

static const char *parked_line =
	"tasks_parked{instance=\"se\",api=\"graphql\"}";
static int backlog;

static bool all_are_parked(void *arg)
{
	return sample(arg, parked_line) >= backlog;
}

/* Orders that GraphQL is to be asked about, all of them parked. */
static void fill(struct shipfrom *s)
{
	backlog = of_env("BACKLOG", BACKLOG);
	for (int i = 0; i < backlog; i += A_DELIVERY)
		send_creates(s, FIRST + i, A_DELIVERY);
	if (!wait_until(all_are_parked, s, 120000))
		fail_msg("%.0f of %d are parked", sample(s, parked_line),
			 backlog);
}

/* What the backlog costs while nothing happens. */
static void watch(struct shipfrom *s)
{
	int seconds = of_env("WATCH", WATCH);
	double used, writes, retried;

	pass(2); /* let the last trials end */
	used = cpu(s);
	writes = sample(s, "store_writes_total");
	retried = sample(s, "tasks_retried_total");
	pass(seconds);
	used = (cpu(s) - used) / seconds;
	writes = (sample(s, "store_writes_total") - writes) / seconds;
	retried = (sample(s, "tasks_retried_total") - retried) / seconds;
	printf("%d wait: %.2f %% of a core, %.2f writes/s, %.2f retries/s\n",
	       backlog, 100 * used, writes, retried);
	assert_true(used < CPU_MOST);
	assert_true(writes < 1 + 2.0 / seconds); /* a trial may fall into it */
	assert_true(sample(s, "oldest_due_seconds") < 1);
}

/* ---- shops go on ---- */

static int by_size(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void accept_some(struct shipfrom *s)
{
	int took[ACCEPTS];

	for (int i = 0; i < ACCEPTS; i++) {
		int64_t number = sim_place(&s->sim, 600);
		struct answer a;

		wait_state(s, AMSTERDAM, number, "pending", 10000);
		a = shop_does(s, AMSTERDAM, number, "accept", "{}");
		assert_int_equal(a.status, 200);
		assert_string_equal(text_of(a.json, "state"), "accepted");
		took[i] = (int)a.took;
		answer_release(&a);
	}
	qsort(took, ACCEPTS, sizeof(*took), by_size);
	printf("accepts: p50 %d ms, the slowest %d ms\n", took[ACCEPTS / 2],
	       took[ACCEPTS - 1]);
	assert_true(took[ACCEPTS - 1] < ACCEPT_MOST);
}

/* ---- the tests ---- */

static void graphql_is_away(struct shipfrom *s)
{
	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"graphql\",\"kind\":\"drop\",\"percent\":100}");
}

static double ok_before;

static bool a_call_went_well(void *arg)
{
	return sample(arg, "calls_ok_total") > ok_before;
}

static void a_backlog_costs_nothing_and_goes_at_the_rate_of_the_budget(
	void **state)
{
	const struct shipfrom_options o = {.server = "workers = 8"};
	struct shipfrom *s = *state = shipfrom_start(&o);
	int64_t began;
	double calls;

	graphql_is_away(s);
	fill(s);
	watch(s);
	accept_some(s);

	ok_before = sample(s, "calls_ok_total");
	sim_tell(&s->sim, "/faults", "{\"clear\":true}");
	began = now_mono();
	assert_true(wait_until(a_call_went_well, s, 40000));
	printf("GraphQL is back: the first call after %lld ms\n",
	       (long long)(now_mono() - began));
	assert_true(now_mono() - began < 32000);
	calls = sample(s, "calls_ok_total");
	pass(10);
	calls = sample(s, "calls_ok_total") - calls;
	printf("%.0f calls in the 10 s that follow\n", calls);
	/* Of two windows of the budget, each of which may begin with all of it. */
	assert_true(calls >= BUDGET / 3 && calls <= 2 * BUDGET);
	shipfrom_passed(s);
}

static void without_graphql_it_waits_as_well(void **state)
{
	const struct shipfrom_options o = {.server = "workers = 8",
					   .no_graphql = true};
	struct shipfrom *s = *state = shipfrom_start(&o);

	fill(s);
	watch(s);
	accept_some(s);
	assert_true(sample(s, "tasks_retried_total") == 0);
	shipfrom_passed(s);
}

static bool nothing_waits(void *arg)
{
	return sample(arg, parked_line) == 0 &&
	       sample(arg, "tasks_waiting") == 0;
}

static void what_waited_is_all_fetched_as_soon_as_the_budget_allows(
	void **state)
{
	const struct shipfrom_options o = {
		.server = "workers = 8",
		.centra = "graphql_requests = 10000\n",
	};
	struct shipfrom *s = *state = shipfrom_start(&o);
	int64_t began, first;
	char word[STATE_ROOM];

	graphql_is_away(s);
	backlog = of_env("LANDS", LANDS);
	first = sim_place(&s->sim, 600);
	for (int i = 1; i < backlog; i++)
		sim_place(&s->sim, 600);
	assert_true(wait_until(all_are_parked, s, 120000));
	began = now_mono();
	sim_tell(&s->sim, "/faults", "{\"clear\":true}");
	assert_true(wait_until(nothing_waits, s, 180000));
	printf("%d landed in %lld ms\n", backlog,
	       (long long)(now_mono() - began));
	assert_string_equal(shop_sees(s, AMSTERDAM, first, word), "pending");
	shipfrom_passed(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
			a_backlog_costs_nothing_and_goes_at_the_rate_of_the_budget,
			shipfrom_end),
		cmocka_unit_test_teardown(without_graphql_it_waits_as_well,
					  shipfrom_end),
		cmocka_unit_test_teardown(
			what_waited_is_all_fetched_as_soon_as_the_budget_allows,
			shipfrom_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
