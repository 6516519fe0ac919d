/* SPDX-License-Identifier: MIT
 *
 * Dead letters: what was refused or could not be read is not lost, and runs
 * once what was wrong is mended; and nothing is written for strangers.
 */
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/harness/shipfrom.h"
#include "tests/harness/wait.h"

static int setup(void **state)
{
	*state = shipfrom_start(NULL);
	return 0;
}

/* ---- the config, the log, the command line ---- */

/* Gives a setting another value, and has the server read it. */
static void set_and_reload(struct shipfrom *s, const char *name,
			   const char *value)
{
	char *was = NULL, *line, *rest;
	size_t room = 0, n = strlen(name);
	FILE *f = fopen(s->config, "r");

	assert_non_null(f);
	assert_true(getdelim(&was, &room, 0, f) > 0);
	fclose(f);
	f = fopen(s->config, "w");
	assert_non_null(f);
	for (line = strtok_r(was, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		if (!strncmp(line, name, n) && line[n] == ' ')
			fprintf(f, "%s = %s\n", name, value);
		else
			fprintf(f, "%s\n", line);
	assert_int_equal(fclose(f), 0);
	free(was);
	kill(s->process.pid, SIGHUP);
}

/* Runs a verb of words with spaces between; what it printed (owned). */
static char *run(struct shipfrom *s, int code, const char *line)
{
	char copy[200], *rest, *out = NULL;
	const char *words[12] = {0};
	int n = 0, status;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *w = strtok_r(copy, " ", &rest); w && n < 11;
	     w = strtok_r(NULL, " ", &rest))
		words[n++] = w;
	status = shipfrom_run(s, &out, false, words);
	if (status != code)
		fail_msg("%s: ended with %d, not %d: %s", line, status, code,
			 out);
	return out;
}

static void expect_run(struct shipfrom *s, int code, const char *line,
		       const char *prints)
{
	char *out = run(s, code, line);

	if (!strstr(out, prints))
		fail_msg("%s: prints %s", line, out);
	free(out);
}

/* Lines that a verb prints. */
static int lines(struct shipfrom *s, const char *line)
{
	char *out = run(s, 0, line);
	int n = 0;

	for (char *p = out; *p; p++)
		n += *p == '\n';
	free(out);
	return n;
}

struct wanted {
	struct shipfrom *s;
	const char *line;
	int lines;
};

static bool has_lines(void *arg)
{
	struct wanted *w = arg;

	return lines(w->s, w->line) == w->lines;
}

static void wait_lines(struct shipfrom *s, const char *line, int n)
{
	struct wanted w = {s, line, n};

	if (!wait_until(has_lines, &w, 5000))
		fail_msg("%s: %d lines, not %d", line, lines(s, line), n);
}

static int64_t metric(struct shipfrom *s, const char *name)
{
	char url[160];
	const char *at;
	struct answer a;
	int64_t n = -1;

	snprintf(url, sizeof(url), "%s/metrics", s->admin);
	a = http_get(url, NULL);
	for (at = a.body; (at = strstr(at, name)); at += strlen(name))
		if ((at == a.body || at[-1] == '\n') &&
		    at[strlen(name)] == ' ') {
			n = strtoll(at + strlen(name), NULL, 10);
			break;
		}
	answer_release(&a);
	return n;
}

/* ---- deliveries ---- */

/* An event of customer `id`, signed with a secret `age` seconds ago. */
static long send(struct shipfrom *s, const char *secret, int64_t age,
		 const char *json)
{
	char *body = webhook_body(json, SPACE_PLUS);
	char *header = webhook_header(secret, now_unix() - age, body);
	struct answer a = webhook_post(s->hook, header, body, strlen(body));
	long status = a.status;

	answer_release(&a);
	free(header);
	free(body);
	return status;
}

static const char *customer(int id)
{
	static char json[200];

	snprintf(json, sizeof(json),
		 "{\"events\":[{\"type\":\"customer\",\"action\":\"update\","
		 "\"date\":\"2021-01-29 14:40:58.6\",\"id\":%d}]}",
		 id);
	return json;
}

static void what_was_refused_runs_once_the_secret_is_mended(void **state)
{
	struct shipfrom *s = *state;
	int64_t commits, number;

	set_and_reload(s, "webhook_secret", "mistyped");
	wait_said(s, "config reloaded", 1);
	commits = metric(s, "shipfrom_store_commits_total");
	assert_int_equal(send(s, SECRET, 0, customer(1)), 401);
	assert_int_equal(send(s, SECRET, 0, customer(2)), 401);
	assert_int_equal(send(s, "stranger", 0, customer(3)), 401);
	number = sim_place(&s->sim, 600); /* Centra tries once */
	sim_quiet(&s->sim);
	/* Nothing of it has touched the disk. */
	assert_int_equal(metric(s, "shipfrom_store_commits_total"), commits);
	assert_int_equal(metric(s, "shipfrom_refused_kept") >= 4, 1);
	expect_run(s, 0, "quarantine list --refused", "127.0.0.1");
	expect_run(s, 0, "quarantine retry --refused", "0\n");
	assert_int_equal(lines(s, "events --json"), 0);

	set_and_reload(s, "webhook_secret", SECRET);
	wait_said(s, "refused deliveries verified after all", 1);
	wait_state(s, STOCKHOLM, number, "pending", 5000);
	expect_run(s, 0, "events --json", "\"id\":2");
	/* The stranger's stays where it was, and is not run. */
	assert_int_equal(metric(s, "shipfrom_refused_kept"), 1);
	expect_run(s, 0, "quarantine retry --refused", "0\n");
	assert_int_equal(metric(s, "shipfrom_webhooks_refused_recovered_total")
				 >= 3,
			 1);
	shipfrom_passed(s);
}

static void the_secret_of_one_that_is_recovered_is_counted(void **state)
{
	static const char by_previous[] =
		"shipfrom_webhooks_verified_total{instance=\"se\","
		"secret=\"previous\"}";
	struct shipfrom *s = *state;

	set_and_reload(s, "webhook_secret", "new");
	wait_said(s, "config reloaded", 1);
	assert_int_equal(send(s, SECRET, 0, customer(1)), 401);
	assert_int_equal(metric(s, by_previous), 0);
	set_and_reload(s, "webhook_secret",
		       "new\nprevious_webhook_secret = " SECRET);
	wait_said(s, "refused deliveries verified after all", 1);
	wait_lines(s, "events --json", 1);
	assert_int_equal(metric(s, by_previous), 1);
	assert_int_equal(
		metric(s, "shipfrom_webhooks_previous_secret_total"), 1);
	shipfrom_passed(s);
}

static void a_refused_one_keeps_the_time_it_came(void **state)
{
	struct shipfrom *s = *state;
	struct answer a;
	char url[160], received[64];
	char *out;

	set_and_reload(s, "webhook_secret", "mistyped");
	wait_said(s, "config reloaded", 1);
	assert_int_equal(send(s, SECRET, 0, customer(1)), 401);
	assert_int_equal(send(s, SECRET, 400, customer(2)), 401);
	snprintf(url, sizeof(url), "%s/refused", s->admin);
	a = http_get(url, NULL);
	assert_int_equal(a.status, 200);
	snprintf(received, sizeof(received), "\"received\":\"%s\"",
		 text_of(cJSON_GetArrayItem(cJSON_GetObjectItem(a.json,
								"refused"),
					    0),
			 "received"));
	answer_release(&a);
	set_and_reload(s, "webhook_secret", SECRET);
	wait_lines(s, "events --json", 1);
	out = run(s, 0, "events --json");
	if (!strstr(out, received))
		fail_msg("not %s: %s", received, out);
	free(out);
	/* One that was too old when it came is none to be run, but kept. */
	wait_lines(s, "quarantine --json", 1);
	expect_run(s, 0, "quarantine --json", "\"kind\":\"stale\"");
	shipfrom_passed(s);
}

static void a_stale_delivery_is_kept_once_and_can_be_run(void **state)
{
	struct shipfrom *s = *state;
	char *body = webhook_body(customer(1), SPACE_PLUS);
	char *header = webhook_header(SECRET, now_unix() - 400, body);

	for (int i = 0; i < 3; i++) {
		struct answer a = webhook_post(s->hook, header, body,
					       strlen(body));

		assert_int_equal(a.status, 401);
		assert_string_equal(text_of(a.json, "code"),
				    "signature_stale");
		answer_release(&a);
	}
	free(header);
	free(body);
	wait_lines(s, "quarantine --json", 1);
	wait_said(s, "look at this machine's clock", 1);
	assert_int_equal(send(s, SECRET, -400, customer(2)), 401);
	wait_lines(s, "quarantine --json", 2);
	assert_int_equal(lines(s, "events --json"), 0);
	expect_run(s, 0, "quarantine retry 1", "1: 1 new, 0 known");
	assert_int_equal(lines(s, "events --json"), 1);
	expect_run(s, 1, "quarantine retry 1", "");
	assert_int_equal(lines(s, "quarantine --json"), 1);
	/* Sent again in time, it is known. */
	assert_int_equal(send(s, SECRET, 0, customer(1)), 200);
	assert_int_equal(lines(s, "events --json"), 1);
	expect_run(s, 0, "quarantine retry --all --json",
		   "{\"seq\":2,\"new\":1,");
	assert_int_equal(lines(s, "events --json"), 2);
	shipfrom_passed(s);
}

static void a_retry_of_what_nobody_signed_is_refused(void **state)
{
	struct shipfrom *s = *state;

	assert_int_equal(send(s, SECRET, 400, customer(1)), 401);
	wait_lines(s, "quarantine --json", 1);
	set_and_reload(s, "webhook_secret", "another");
	wait_said(s, "config reloaded", 1);
	expect_run(s, 65, "quarantine retry 1", "");
	assert_int_equal(lines(s, "quarantine --json"), 1);
	assert_int_equal(lines(s, "events --json"), 0);
	shipfrom_passed(s);
}

static void another_version_of_the_plugin_is_kept_and_told_once(void **state)
{
	struct shipfrom *s = *state;
	struct answer a;

	for (int i = 0; i < 2; i++) {
		a = webhook_send(s->hook,
				 i ? "{\"products\":[\"53\"]}"
				   : "{\"products\":[\"52\"]}",
				 SPACE_PLUS);
		assert_int_equal(a.status, 200);
		assert_int_equal(number_of(a.json, "events"), 1);
		assert_int_equal(number_of(a.json, "new"), 0);
		assert_int_equal(number_of(a.json, "quarantined"), 1);
		answer_release(&a);
	}
	expect_run(s, 0, "quarantine --json", "\"kind\":\"version\"");
	assert_int_equal(lines(s, "quarantine --json"), 2);
	assert_int_equal(times_said(s->log, "sends another version"), 1);
	expect_run(s, 65, "quarantine retry 1", "");
	shipfrom_passed(s);
}

static void stored_events_can_be_applied_once_more(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = sim_place(&s->sim, 600);
	char line[64], count[16];

	wait_state(s, STOCKHOLM, number, "pending", 10000);
	sim_quiet(&s->sim);
	snprintf(count, sizeof(count), "%d\n", lines(s, "events --json"));
	assert_int_equal(send(s, SECRET, 0, customer(1)), 200);
	/* Nothing is done about customers. */
	expect_run(s, 0, "replay --since 1h", count);
	snprintf(line, sizeof(line), "why %lld", (long long)number);
	expect_run(s, 0, line, "is applied once more");
	expect_run(s, 0, "replay --since 2100-01-01T00:00:00Z", "0\n");
	wait_state(s, STOCKHOLM, number, "pending", 5000);
	expect_run(s, 0, "verify", "task_names");
	shipfrom_passed(s);
}

static void without_a_server_the_refused_cannot_be_asked_for(void **state)
{
	struct shipfrom *s = *state;

	assert_int_equal(shipfrom_stop(s), 0);
	expect_run(s, 69, "quarantine list --refused", "");
	shipfrom_again(s);
	shipfrom_passed(s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, shipfrom_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_was_refused_runs_once_the_secret_is_mended),
		T(the_secret_of_one_that_is_recovered_is_counted),
		T(a_refused_one_keeps_the_time_it_came),
		T(a_stale_delivery_is_kept_once_and_can_be_run),
		T(a_retry_of_what_nobody_signed_is_refused),
		T(another_version_of_the_plugin_is_kept_and_told_once),
		T(stored_events_can_be_applied_once_more),
		T(without_a_server_the_refused_cannot_be_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
