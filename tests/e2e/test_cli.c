/* SPDX-License-Identifier: MIT
 *
 * The command line: mistakes are named where they are, and what the server
 * knows can be read beside it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/harness/shipfrom.h"
#include "tests/harness/wait.h"

static int setup(void **state)
{
	*state = shipfrom_start(NULL);
	return 0;
}

/* Runs a verb that must succeed; its output (owned). */
static char *output(struct shipfrom *s, const char *a, const char *b,
		    const char *c, const char *d, const char *e)
{
	const char *words[] = {a, b, c, d, e, NULL};
	char *out = NULL;
	int status = shipfrom_run(s, &out, false, words);

	if (status)
		fail_msg("shipfrom %s %s: exit %d, %s", a, b ? b : "", status,
			 out);
	return out;
}

/* How many lines of JSON, all of which must be JSON. */
static int json_lines(char *text, const char *with)
{
	char *rest, *line;
	int n = 0;

	for (line = strtok_r(text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		cJSON *v = cJSON_Parse(line);

		if (!cJSON_IsObject(v))
			fail_msg("not a JSON object: %s", line);
		cJSON_Delete(v);
		n += strstr(line, with) != NULL;
	}
	free(text);
	return n;
}

static void check_names_every_mistake_with_its_line(void **state)
{
	static const char *const lines[] = {
		"[server]",
		"listen = 127.0.0.1:0",
		"store = lmdb:/tmp/shipfrom-never-made",
		"drain = soon",                    /* 4: not a duration */
		"colour = blue",                   /* 5: no such key */
		"[centra se]",
		"webhook_secret = test123",
		"order_api_url = http://127.0.0.1:1/api",
		"order_api_key = k",
		"webhook_secret = test124",        /* 10: repeated */
		"[shop amsterdam]",
		"centra = se",
		"name = Amsterdam",
		"warehouses = 3",
		"[shop berlin]",
		"centra = no",                     /* 16: no such instance */
		"name = Berlin",
		"warehouses = three",              /* 18: not a number */
	};
	static const int wrong[] = {4, 5, 10, 16, 18};
	char path[] = "/tmp/shipfrom-check.XXXXXX", program[256], place[64];
	const char *argv[] = {program, "check", "--config", path, NULL};
	int fd = mkstemp(path), missed = 0;
	FILE *f = fdopen(fd, "w");
	char *out = NULL;

	(void)state;
	assert_non_null(f);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		fprintf(f, "%s\n", lines[i]);
	fclose(f);
	snprintf(program, sizeof(program), "%s/shipfrom", build_dir());
	assert_int_equal(run_program(argv, &out, true), 78);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(place, sizeof(place), "%s:%d", path, wrong[i]);
		if (!strstr(out, place)) {
			fprintf(stderr, "line %d is not named\n", wrong[i]);
			missed++;
		}
	}
	if (missed)
		fail_msg("%d mistakes were not named:\n%s", missed, out);
	assert_null(strstr(out, "test124")); /* a secret is never printed */
	unlink(path);
	free(out);
}

static void serve_refuses_a_bad_config_with_78_and_a_busy_folder_with_75(
	void **state)
{
	struct shipfrom *s = *state;
	const char *words[] = {"serve", NULL};
	char *out = NULL;
	FILE *f;

	assert_int_equal(shipfrom_run(s, &out, true, words), 75);
	free(out);
	f = fopen(s->config, "a");
	assert_non_null(f);
	fprintf(f, "colour = blue\n");
	fclose(f);
	assert_int_equal(shipfrom_run(s, &out, true, words), 78);
	free(out);
	shipfrom_passed(s);
}

static void health_says_whether_the_server_serves(void **state)
{
	struct shipfrom *s = *state;
	const char *health[] = {"health", NULL};
	const char *ready[] = {"health", "--ready", NULL};
	char *out = NULL;

	assert_int_equal(shipfrom_run(s, &out, false, health), 0);
	assert_string_equal(out, "{\"ok\":true}\n");
	free(out);
	assert_int_equal(shipfrom_run(s, NULL, false, ready), 0);
	assert_int_equal(shipfrom_stop(s), 0);
	assert_int_equal(shipfrom_run(s, &out, true, health), 69);
	assert_non_null(strstr(out, "no server answers at"));
	free(out);
	shipfrom_again(s);
	shipfrom_passed(s);
}

static void why_tells_the_life_of_an_order(void **state)
{
	struct shipfrom *s = *state;
	int64_t number = sim_place(&s->sim, 600);
	char name[32], instance[40];
	struct answer a;
	char *out;

	wait_state(s, AMSTERDAM, number, "pending", 5000);
	a = shop_does(s, AMSTERDAM, number, "accept", "{}");
	assert_int_equal(a.status, 200);
	answer_release(&a);
	wait_state(s, BERLIN, number, "taken", 5000);
	snprintf(name, sizeof(name), "%lld", (long long)number);
	snprintf(instance, sizeof(instance), "se/%lld", (long long)number);
	out = output(s, "why", name, NULL, NULL, NULL);
	assert_non_null(strstr(out, name));
	assert_non_null(strstr(out, "taken"));
	assert_null(strstr(out, "example.com")); /* nobody's address */
	free(out);
	out = output(s, "why", instance, "--json", NULL, NULL);
	assert_non_null(strstr(out, "\"kind\":\"offered\""));
	assert_non_null(strstr(out, "\"kind\":\"answered\""));
	assert_null(strstr(out, "example.com"));
	free(out);
	shipfrom_passed(s);
}

static void events_orders_and_tasks_are_json_lines_beside_the_server(
	void **state)
{
	struct shipfrom *s = *state;
	int64_t number = sim_place(&s->sim, 600);
	char name[32];

	wait_state(s, AMSTERDAM, number, "pending", 5000);
	snprintf(name, sizeof(name), "%lld", (long long)number);
	assert_int_equal(json_lines(output(s, "events", "--json", NULL, NULL,
					   NULL),
				    name),
			 2); /* insert and create */
	assert_int_equal(json_lines(output(s, "orders", "--json", NULL, NULL,
					   NULL),
				    name),
			 1);
	json_lines(output(s, "tasks", "--json", NULL, NULL, NULL), name);
	assert_int_equal(json_lines(output(s, "tasks", "--dead", "--json",
					   NULL, NULL),
				    ""),
			 0);
	/* And with the server down. */
	assert_int_equal(shipfrom_stop(s), 0);
	assert_int_equal(json_lines(output(s, "events", "--json", NULL, NULL,
					   NULL),
				    name),
			 2);
	shipfrom_passed(s);
}

static bool signed_out(void *arg)
{
	struct shipfrom *s = arg;
	struct answer a = shop_get(s, BERLIN, "/api/v1/me");
	bool out = a.status == 401;

	answer_release(&a);
	return out;
}

static void a_removed_device_is_signed_out_at_once(void **state)
{
	struct shipfrom *s = *state;
	struct answer a = shop_get(s, BERLIN, "/api/v1/me");
	const cJSON *device, *id;
	char number[72], *out;

	assert_int_equal(a.status, 200);
	assert_string_equal(text_of(cJSON_GetObjectItem(a.json, "shop"), "id"),
			    "berlin");
	device = cJSON_GetObjectItem(a.json, "device");
	assert_string_equal(text_of(device, "name"), "till");
	id = cJSON_GetObjectItem(device, "id");
	if (cJSON_IsString(id))
		snprintf(number, sizeof(number), "%s", id->valuestring);
	else
		snprintf(number, sizeof(number), "%lld",
			 (long long)number_of(device, "id"));
	answer_release(&a);
	assert_int_equal(json_lines(output(s, "device", "list", "--json", NULL,
					   NULL),
				    "berlin"),
			 1);
	out = output(s, "device", "remove", number, NULL, NULL);
	free(out);
	assert_true(wait_until(signed_out, s, 3000));
	a = shop_get(s, AMSTERDAM, "/api/v1/me");
	assert_int_equal(a.status, 200);
	answer_release(&a);
	shipfrom_passed(s);
}

static void unknown_words_are_refused_with_64(void **state)
{
	char program[256], *out = NULL;
	const char *argv[] = {program, "dance", NULL};

	(void)state;
	snprintf(program, sizeof(program), "%s/shipfrom", build_dir());
	assert_int_equal(run_program(argv, &out, true), 64);
	assert_non_null(strstr(out, "dance"));
	free(out);
	argv[1] = "version";
	assert_int_equal(run_program(argv, &out, false), 0);
	assert_non_null(strstr(out, "shipfrom"));
	free(out);
}

/* Runs a verb by way of a shell, which first closes what is said. */
static int run_without(struct shipfrom *s, const char *closed,
		       const char *verb)
{
	char program[256], line[1024], *out = NULL;
	const char *argv[] = {"/bin/sh", "-c", line, NULL};
	int status;

	snprintf(program, sizeof(program), "%s/shipfrom", build_dir());
	snprintf(line, sizeof(line), "exec %s %s --config %s %s", program,
		 verb, s->config, closed);
	status = run_program(argv, &out, true);
	free(out);
	return status;
}

/* Who opens a file then gets the number of a stream: the text meant for a
 * person would be written over the data. */
static void closed_streams_never_become_the_store(void **state)
{
	static const char *const closed[] = {">&-", ">&- 2>&-",
					     "<&- >&- 2>&-"};
	struct shipfrom *s = *state;
	const char *verify[] = {"verify", NULL};
	char *out = NULL;

	for (size_t i = 0; i < sizeof(closed) / sizeof(closed[0]); i++) {
		assert_int_equal(run_without(s, closed[i], "events"), 74);
		assert_int_equal(run_without(s, closed[i], "redrive --all"),
				 74);
		assert_int_equal(run_without(s, closed[i], "serve"), 75);
	}
	assert_int_equal(shipfrom_stop(s), 0);
	if (shipfrom_run(s, &out, true, verify))
		fail_msg("the store was hurt: %s", out);
	free(out);
	shipfrom_again(s);
	shipfrom_passed(s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, shipfrom_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_names_every_mistake_with_its_line),
		T(serve_refuses_a_bad_config_with_78_and_a_busy_folder_with_75),
		T(health_says_whether_the_server_serves),
		T(why_tells_the_life_of_an_order),
		T(events_orders_and_tasks_are_json_lines_beside_the_server),
		T(a_removed_device_is_signed_out_at_once),
		T(closed_streams_never_become_the_store),
		cmocka_unit_test(unknown_words_are_refused_with_64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
