/* SPDX-License-Identifier: MIT
 *
 * Outgoing webhooks whose receiver is away for days.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/harness/tills.h"
#include "tests/harness/wait.h"

#define HOUR INT64_C(3600000) /* ms */
#define DAY  (24 * HOUR)

/* ---- days ---- */

static char clock_file[128];

/* The wall clock of the server and of Centra is ahead of ours by so much. */
static void world_is_ahead(int64_t ms)
{
	int fd = open(clock_file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, &ms, sizeof(ms), 0), sizeof(ms));
	close(fd);
	receiver_clock(till, ms / 1000);
}

/* Splits "NAME=value" and sets it for the programs that are started. */
static void set_for_all(const char *setting)
{
	char name[64];

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(setting, "="),
		 setting);
	assert_int_equal(setenv(name, strchr(setting, '=') + 1, 1), 0);
}

/* All programs of the test have one wall clock, which it sets. */
static struct shipfrom *start_in_time(void **state,
				      struct shipfrom_options o)
{
	struct under_fault fault;

	till = receiver_start(TILL_KNOWS);
	snprintf(clock_file, sizeof(clock_file), "/tmp/shipfrom-days.%d",
		 (int)getpid());
	world_is_ahead(0);
	under_fault(&fault, "wallclock", "");
	set_for_all(fault.preload);
	set_for_all(fault.asan);
	setenv("WALLCLOCK", clock_file, 1);
	return tills_start(state, o);
}

static char *asan_before;

static int setup_days(void **state)
{
	const char *was = getenv("ASAN_OPTIONS");

	asan_before = was ? strdup(was) : NULL;
	return !start_in_time(state, (struct shipfrom_options){0});
}

static int end_days(void **state)
{
	unsetenv("LD_PRELOAD");
	unsetenv("WALLCLOCK");
	unsetenv("ASAN_OPTIONS");
	if (asan_before)
		setenv("ASAN_OPTIONS", asan_before, 1);
	free(asan_before);
	asan_before = NULL;
	unlink(clock_file);
	return tills_end(state);
}

#define ORDERS 8

static void away_for_a_day_it_gets_all_of_it_in_order(void **state)
{
	struct shipfrom *s = *state;
	int64_t numbers[ORDERS];

	receiver_does(till, RECEIVER_AWAY);
	for (int i = 0; i < ORDERS; i++) {
		numbers[i] = order_offered_for(s, 3600);
		if (i % 2)
			accept_order(s, AMSTERDAM, numbers[i]);
	}
	wait_calls(till, 1, 0, TILL_SOON);
	for (int quarter = 1; quarter <= 4; quarter++) {
		world_is_ahead(quarter * 6 * HOUR);
		if (quarter == 2)
			shipfrom_kill_9(s);
		if (quarter == 2)
			shipfrom_again(s);
		/* What nobody accepted has expired. */
		for (int i = 0; i < ORDERS; i += 2)
			wait_state(s, AMSTERDAM, numbers[i], "timed_out",
				   10000);
		wait_calls(till, 1, 0, TILL_SOON);
	}
	for (int i = 1; i < ORDERS; i += 4)
		order_control(s, numbers[i], "cancel", "{}");
	assert_int_equal(receiver_counts(till).taken, 0);
	receiver_does(till, RECEIVER_TAKES);
	for (int i = 0; i < ORDERS; i++)
		wait_told(till, numbers[i],
			  i % 2 ? i % 4 == 1 ? "create accepted rejected"
					     : "create accepted"
				: "create timeout",
			  TILL_SOON);
	assert_sound(till);
	shipfrom_passed(s);
}

/* After six days it is given up; what an operator asks for is sent then, and
 * still in order. */
static void given_up_after_days_it_is_sent_by_redrive(void **state)
{
	struct shipfrom *s = *state;
	int64_t number, after;
	char name[48], *out;

	receiver_does(till, RECEIVER_FAILS);
	number = order_offered_for(s, 600);
	wait_calls(till, 0, 1, TILL_SOON);
	world_is_ahead(6 * DAY);
	wait_state(s, AMSTERDAM, number, "timed_out", 10000);
	snprintf(name, sizeof(name), "\"order\":%lld", (long long)number);
	wait_printed(s, "tasks --dead --json", "\"notify\"", name, TILL_SOON);
	receiver_does(till, RECEIVER_TAKES);
	/* Others go on. */
	after = order_offered_for(s, 600);
	wait_told(till, after, "create", TILL_SOON);
	out = verb_prints(s, "redrive --kind notify");
	assert_string_not_equal(out, "0\n");
	free(out);
	wait_told(till, number, "create timeout", TILL_SOON);
	assert_sound(till);
	shipfrom_passed(s);
}

/* Two hours pass at each look, and Centra is called: it confirms the clock. */
static int64_t ahead;

static bool is_dead_letter(void *arg)
{
	struct shipfrom *s = arg;
	char *out;
	bool is;

	world_is_ahead(ahead += 2 * HOUR);
	sim_place(&s->sim, 600);
	out = verb_prints(arg, "tasks --dead --json");
	is = strstr(out, "\"notify\"");
	free(out);
	return is;
}

/* Its shop was renamed: nobody takes what waits, and the office sees it. */
static void what_waits_for_a_shop_that_is_gone_is_given_up_too(void **state)
{
	struct shipfrom *s = *state;
	int64_t number;

	receiver_does(till, RECEIVER_FAILS);
	number = order_offered_for(s, 600);
	wait_calls(till, 0, 1, TILL_SOON);
	assert_int_equal(shipfrom_stop(s), 0);
	config_edit(s, "[shop amsterdam]", "[shop haarlem]");
	ahead = 5 * DAY;
	world_is_ahead(ahead);
	shipfrom_again(s);
	if (!wait_until(is_dead_letter, s, TILL_SOON))
		fail_msg("nothing is dead");
	wait_printed(s, "records outgoing", "amsterdam/dead", NULL, TILL_SOON);
	/* The shop comes back. */
	receiver_does(till, RECEIVER_TAKES);
	assert_int_equal(shipfrom_stop(s), 0);
	config_edit(s, "[shop haarlem]", "[shop amsterdam]");
	shipfrom_again(s);
	free(verb_prints(s, "redrive --kind notify"));
	wait_event(till, "check_first", "create", number);
	assert_sound(till);
	shipfrom_passed(s);
}

#define BOUND 10000 /* webhooks that are kept for one receiver */
#define SURPLUS 500
#define AT_ONCE 100

/* Offers `n` orders to amsterdam that the stand-in does not have. */
static void offer_unknown(struct shipfrom *s, int64_t first, int n)
{
	char date[STAMP_ROOM], until[STAMP_ROOM], *json = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&json, &len);
	struct answer a;

	stamp(date, -1, 5);
	iso(until, 600);
	fputs("{\"events\":[", f);
	for (int i = 0; i < n; i++)
		fprintf(f,
			"%s{\"type\":\"check_first\",\"action\":\"create\","
			"\"date\":\"%s\",\"id\":%lld,\"data\":{\"warehouses\":"
			"[{\"warehouseId\":3,\"expirationAt\":\"%s\"}]}}",
			i ? "," : "", date, (long long)first + i, until);
	fputs("]}", f);
	fclose(f);
	a = webhook_send(s->hook, json, SPACE_PLUS);
	assert_int_equal(a.status, 200);
	answer_release(&a);
	free(json);
}

/* How many webhooks wait for receivers. */
static int64_t waiting(struct shipfrom *s)
{
	char *out = verb_prints(s, "records --json"), *line, *rest = out;
	int64_t n = 0;

	while ((line = strsep(&rest, "\n"))) {
		cJSON *v = cJSON_Parse(line);

		if (!strcmp(text_of(v, "kind"), "outgoing") &&
		    strstr(text_of(v, "list"), "waiting"))
			n += number_of(v, "records");
		cJSON_Delete(v);
	}
	free(out);
	return n;
}

/* What is kept and what was dropped is all that was to be told. */
static bool is_bounded(void *arg)
{
	int64_t n = waiting(arg);

	return n > 0 && n <= BOUND &&
	       metric(arg, "outgoing_dropped_total") + n == BOUND + SURPLUS;
}

/* It is told until it has taken a webhook. */
static bool is_told_of_the_loss(void *arg)
{
	struct received c = receiver_counts(till);

	(void)arg;
	return c.dropped == SURPLUS && c.plain > 0;
}

static void one_that_is_away_for_long_fills_nothing(void **state)
{
	struct shipfrom *s = *state;

	receiver_does(till, RECEIVER_AWAY);
	for (int i = 0; i < BOUND + SURPLUS; i += AT_ONCE)
		offer_unknown(s, 800000 + i, AT_ONCE);
	if (!wait_until(is_bounded, s, TILL_SOON))
		fail_msg("%lld webhooks wait", (long long)waiting(s));
	receiver_does(till, RECEIVER_TAKES);
	if (!wait_until(is_told_of_the_loss, NULL, TILL_SOON))
		fail_msg("it was told of %d dropped ones",
			 receiver_counts(till).dropped);
	shipfrom_passed(s);
}

#define DAYS(f) cmocka_unit_test_setup_teardown(f, setup_days, end_days)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DAYS(away_for_a_day_it_gets_all_of_it_in_order),
		DAYS(given_up_after_days_it_is_sent_by_redrive),
		DAYS(what_waits_for_a_shop_that_is_gone_is_given_up_too),
		DAYS(one_that_is_away_for_long_fills_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
