/* SPDX-License-Identifier: MIT
 *
 * test_log.c - what the log says, so that somebody who reads it can tell who did
 * what to which order, by which request; and what it never says.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/harness/browser.h"
#include "tests/harness/orders.h"
#include "tests/harness/wait.h"

#define TRACE  "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00-" TRACE "-00f067aa0ba902b7-01"

static int setup(void **state)
{
	*state = shipfrom_start(NULL);
	return 0;
}

/* ---- reading the log ---- */

static char *text_of_file(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = calloc(1, 1 << 20);

	assert_non_null(f);
	assert_true(fread(text, 1, (1 << 20) - 1, f) > 0);
	fclose(f);
	return text;
}

/* The last line of the text with that message, or NULL; the caller's. */
static cJSON *line_of(char *text, const char *msg)
{
	cJSON *last = NULL;
	char *line;

	while ((line = strsep(&text, "\n"))) {
		cJSON *json = cJSON_Parse(line);

		if (!strcmp(text_of(json, "msg"), msg)) {
			cJSON_Delete(last);
			last = json;
		} else {
			cJSON_Delete(json);
		}
	}
	return last;
}

struct wanted {
	struct shipfrom *s;
	const char *msg;
	cJSON *line;
};

static bool is_logged(void *arg)
{
	struct wanted *w = arg;
	char *text = text_of_file(w->s->log);

	w->line = line_of(text, w->msg);
	free(text);
	return w->line;
}

/* The last such line, once there is one. */
static cJSON *logged(struct shipfrom *s, const char *msg)
{
	struct wanted w = {.s = s, .msg = msg};

	if (!wait_until(is_logged, &w, 10000))
		fail_msg("the log never says '%s'", msg);
	return w.line;
}

static int count_of(struct shipfrom *s, const char *msg)
{
	char *text = text_of_file(s->log), *rest = text, *line;
	int n = 0;

	while ((line = strsep(&rest, "\n"))) {
		cJSON *json = cJSON_Parse(line);

		n += !strcmp(text_of(json, "msg"), msg);
		cJSON_Delete(json);
	}
	free(text);
	return n;
}

/* ---- acting ---- */

/* As a till of the shop whose requests have names. */
static struct answer till(struct shipfrom *s, enum shop shop, int64_t number,
			  const char *verb, const char *json)
{
	char url[256], bearer[128];
	const char *headers[] = {bearer, "X-Request-Id: till-7.request:19",
				 "traceparent: " PARENT,
				 "Content-Type: application/json", NULL};

	snprintf(url, sizeof(url), "%s/api/v1/orders/%lld/%s", s->url,
		 (long long)number, verb);
	snprintf(bearer, sizeof(bearer), "Authorization: Bearer %s",
		 s->tokens[shop]);
	return http_send("POST", url, headers, json, strlen(json));
}

/* The line of a press, and that it says who, what and by which request. */
static void says_who(struct shipfrom *s, const char *msg, const char *shop,
		     int64_t number)
{
	cJSON *line = logged(s, msg);

	assert_string_equal(text_of(line, "level"), "info");
	assert_string_equal(text_of(line, "instance"), "se");
	assert_string_equal(text_of(line, "shop"), shop);
	assert_int_equal(number_of(line, "order"), number);
	assert_true(number_of(line, "device") > 0);
	assert_string_equal(text_of(line, "request"), "till-7.request:19");
	assert_string_equal(text_of(line, "trace"), TRACE);
	cJSON_Delete(line);
}

static void pressed(struct answer a, long status)
{
	assert_int_equal(a.status, status);
	answer_release(&a);
}

/* ---- the tests ---- */

static void an_accept_a_problem_and_a_ship_are_logged(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = offered_to_all(s, 600);
	struct answer a;

	pressed(till(s, BERLIN, number, "accept", "{}"), 200);
	says_who(s, "a shop accepts", "berlin", number);
	pressed(till(s, BERLIN, number, "problem", "{\"reason\":\"lost\"}"),
		200);
	says_who(s, "a shop has a problem", "berlin", number);
	pressed(till(s, BERLIN, number, "solved", "{}"), 200);
	says_who(s, "a shop has solved its problem", "berlin", number);
	a = till(s, BERLIN, number, "ship",
		 "{\"carrier\":\"PostNord\",\"tracking\":\"1\"}");
	answer_release(&a);
	says_who(s, "a shop ships", "berlin", number);
	shipfrom_passed(s);
}

static void a_reject_and_a_stop_are_logged(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = offered_to_all(s, 600), other = offered_to_all(s, 600);
	char path[64];

	pressed(till(s, AMSTERDAM, number, "reject",
		     "{\"reason\":\"damaged\",\"note\":\"a stain\"}"),
		200);
	says_who(s, "a shop rejects", "amsterdam", number);
	pressed(till(s, BERLIN, other, "accept", "{}"), 200);
	snprintf(path, sizeof(path), "/orders/%lld/cancel", (long long)other);
	sim_tell(&s->sim, path, "{}");
	wait_state(s, BERLIN, other, "cancelled", 5000);
	pressed(till(s, BERLIN, other, "stopped", "{}"), 200);
	says_who(s, "a shop has stopped", "berlin", other);
	shipfrom_passed(s);
}

static void a_press_that_decides_nothing_new_is_not_logged_again(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = offered_to_all(s, 600);

	for (int i = 0; i < 3; i++)
		pressed(till(s, BERLIN, number, "accept", "{}"), 200);
	assert_int_equal(count_of(s, "a shop accepts"), 1);
	shipfrom_passed(s);
}

static void signing_in_and_out_is_logged(void **state)
{
	struct shipfrom *s = *state;
	struct browser b;
	cJSON *line;

	browser_link(&b, s, "amsterdam");
	assert_int_equal(browser_signs_in(&b), 200);
	line = logged(s, "device signed in");
	assert_string_equal(text_of(line, "shop"), "amsterdam");
	assert_int_equal(number_of(line, "device"),
			 strtol(b.device, NULL, 10));
	assert_true(*text_of(line, "request"));
	cJSON_Delete(line);
	pressed(browser_does(&b, "DELETE", "/api/v1/session", NULL), 204);
	line = logged(s, "device signed out");
	assert_int_equal(number_of(line, "device"),
			 strtol(b.device, NULL, 10));
	cJSON_Delete(line);
	shipfrom_passed(s);
}

/* A verb's stderr, as the system's log keeps it. */
static cJSON *verb_logs(struct shipfrom *s, const char *const *words,
			const char *msg)
{
	char *out = NULL;
	cJSON *line;

	assert_int_equal(shipfrom_run(s, &out, true, words), 0);
	line = line_of(out, msg);
	if (!line)
		fail_msg("%s does not log '%s'", words[0], msg);
	assert_string_equal(text_of(line, "level"), "info");
	assert_true(number_of(line, "uid") >= 0);
	free(out);
	return line;
}

static void each_change_of_the_command_line_is_logged(void **state)
{
	static const char *const add[] = {"device", "add", "--shop", "berlin",
					  "--name", "Anna's till", NULL};
	static const char *const sweep[] = {"sweep", NULL};
	static const char *const redrive[] = {"redrive", "--all", NULL};
	static const char *const replay[] = {"replay", "--since", "1h", NULL};
	struct shipfrom *s = *state;
	cJSON *line = verb_logs(s, add, "device added");
	const char *removes[] = {"device", "remove", "", NULL};
	char id[24];

	assert_string_equal(text_of(line, "shop"), "berlin");
	snprintf(id, sizeof(id), "%lld",
		 (long long)number_of(line, "device"));
	assert_null(cJSON_GetObjectItem(line, "name"));
	cJSON_Delete(line);
	removes[2] = id;
	line = verb_logs(s, removes, "device removed");
	assert_string_equal(text_of(line, "shop"), "berlin");
	cJSON_Delete(line);
	cJSON_Delete(verb_logs(s, sweep, "sweep asked for"));
	cJSON_Delete(verb_logs(s, redrive, "tasks redriven"));
	cJSON_Delete(verb_logs(s, replay, "events replayed"));
	shipfrom_passed(s);
}

static void a_centra_that_goes_and_comes_is_logged_once_each(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = offered_to_all(s, 600), other = offered_to_all(s, 600);
	struct answer a;
	cJSON *line;

	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"order\",\"kind\":\"500\",\"when\":\"before\","
		 "\"count\":1000}");
	a = till(s, BERLIN, number, "accept", "{}");
	answer_release(&a);
	line = logged(s, "centra is away");
	assert_string_equal(text_of(line, "level"), "warn");
	assert_string_equal(text_of(line, "instance"), "se");
	assert_string_equal(text_of(line, "api"), "order_api");
	cJSON_Delete(line);
	sim_tell(&s->sim, "/faults", "{\"clear\":true}");
	a = till(s, BERLIN, other, "accept", "{}"); /* the next trial */
	answer_release(&a);
	line = logged(s, "centra is back");
	assert_string_equal(text_of(line, "level"), "info");
	assert_string_equal(text_of(line, "api"), "order_api");
	cJSON_Delete(line);
	wait_state(s, BERLIN, other, "accepted", 10000);
	assert_int_equal(count_of(s, "centra is away"), 1);
	assert_int_equal(count_of(s, "centra is back"), 1);
	shipfrom_passed(s);
}

static void a_server_that_drains_says_that_it_is_not_ready(void **state)
{
	struct shipfrom *s = *state;
	cJSON *line;

	assert_int_equal(shipfrom_stop(s), 0);
	line = logged(s, "not ready");
	assert_string_equal(text_of(line, "why"), "draining");
	cJSON_Delete(line);
	shipfrom_passed(s);
}

static void the_log_holds_no_secret_and_no_customer(void **state)
{
	static const char note[] = "{\"reason\":\"lost\",\"note\":"
				   "\"a note of ours\",\"staff\":\"Annabella\"}";
	struct shipfrom *s = *state;
	int64_t number = offered_to_all(s, 600);
	struct browser b;
	char path[64], *log;
	struct answer a;

	browser_link(&b, s, "berlin");
	assert_int_equal(browser_signs_in(&b), 200);
	pressed(till(s, BERLIN, number, "accept", "{}"), 200);
	pressed(till(s, BERLIN, number, "problem", note), 200);
	snprintf(path, sizeof(path), "/api/v1/orders/%lld",
		 (long long)number);
	sim_quiet(&s->sim);
	a = shop_get(s, BERLIN, path);
	log = text_of_file(s->log);
	assert_null(strstr(log, s->tokens[BERLIN]));
	assert_null(strstr(log, b.code));
	assert_null(strstr(log, strchr(b.cookie, '=') + 1));
	assert_null(strstr(log, "Annabella"));
	assert_null(strstr(log, "a note of ours"));
	for (const cJSON *to = cJSON_GetObjectItem(a.json, "ship_to")->child;
	     to; to = to->next)
		if (strcmp(to->string, "country_code") &&
		    strlen(to->valuestring) > 3)
			assert_null(strstr(log, to->valuestring));
	free(log);
	answer_release(&a);
	shipfrom_passed(s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, shipfrom_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_accept_a_problem_and_a_ship_are_logged),
		T(a_reject_and_a_stop_are_logged),
		T(a_press_that_decides_nothing_new_is_not_logged_again),
		T(signing_in_and_out_is_logged),
		T(each_change_of_the_command_line_is_logged),
		T(a_centra_that_goes_and_comes_is_logged_once_each),
		T(a_server_that_drains_says_that_it_is_not_ready),
		T(the_log_holds_no_secret_and_no_customer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
