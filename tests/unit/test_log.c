/* SPDX-License-Identifier: MIT
 *
 * test_log.c - log lines, read back from a file that stands in for stderr.
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

/* cmocka has a fail() too: it comes after ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static char got[20000]; /* what was logged last */
static FILE *file;
static int stderr_kept;

static void start(void)
{
	file = tmpfile();
	assert_non_null(file);
	stderr_kept = dup(STDERR_FILENO);
	dup2(fileno(file), STDERR_FILENO);
}

static void stop(void)
{
	ssize_t n;

	dup2(stderr_kept, STDERR_FILENO);
	close(stderr_kept);
	n = pread(fileno(file), got, sizeof(got) - 1, 0);
	assert_true(n >= 0);
	got[n] = '\0';
	fclose(file);
}

static size_t lines(void)
{
	const char *p = got;
	size_t n = 0;

	for (; (p = strchr(p, '\n')); p++)
		n++;
	return n;
}

static const char *text(const cJSON *json, const char *name)
{
	return cJSON_GetStringValue(cJSON_GetObjectItem(json, name));
}

static void a_line_is_one_json_object(void **state)
{
	const char *none = NULL;
	cJSON *json;

	(void)state;
	start();
	log_line(LOG_WARN, "order \"odd\"", LOG_S("instance", "se"),
		 LOG_N("order", 19), LOG_S("task", none),
		 LOG_S("why", "a\nb"));
	stop();
	assert_int_equal(lines(), 1);
	json = cJSON_Parse(got);
	assert_non_null(json);
	assert_string_equal(text(json, "level"), "warn");
	assert_string_equal(text(json, "msg"), "order \"odd\"");
	assert_string_equal(text(json, "instance"), "se");
	assert_string_equal(text(json, "why"), "a\nb");
	assert_int_equal(
		cJSON_GetNumberValue(cJSON_GetObjectItem(json, "order")), 19);
	assert_null(cJSON_GetObjectItem(json, "task"));
	assert_int_equal(strlen(text(json, "ts")), 24);
	cJSON_Delete(json);
}

static void lines_below_the_level_are_dropped(void **state)
{
	(void)state;
	start();
	log_line(LOG_DEBUG, "quiet");
	stop();
	assert_string_equal(got, "");
	log_set_level(LOG_DEBUG);
	start();
	log_line(LOG_DEBUG, "heard");
	stop();
	assert_non_null(strstr(got, "\"msg\":\"heard\"}\n"));
	log_set_level(LOG_INFO);
}

static int64_t counted(int64_t *n)
{
	return ++*n;
}

static void fields_of_a_line_that_is_dropped_are_not_evaluated(void **state)
{
	int64_t n = 0;

	(void)state;
	start();
	log_set_level(LOG_WARN);
	log_line(LOG_INFO, "dropped", LOG_N("n", counted(&n)));
	log_line(LOG_WARN, "kept", LOG_N("n", counted(&n)));
	log_set_level(LOG_INFO);
	stop();
	assert_int_equal(n, 1);
	assert_int_equal(lines(), 1);
}

static void a_line_that_is_too_long_is_still_json(void **state)
{
	static char huge[10000];
	cJSON *json;

	(void)state;
	memset(huge, 'x', sizeof(huge) - 1);
	start();
	log_line(LOG_ERROR, "big", LOG_S("huge", huge));
	stop();
	json = cJSON_Parse(got);
	assert_non_null(json);
	assert_string_equal(text(json, "msg"), "big");
	cJSON_Delete(json);
}

static void a_limited_place_says_how_many_it_held_back(void **state)
{
	struct log_limit l = {0};
	int i, allowed = 0;

	(void)state;
	for (i = 0; i < 10; i++)
		allowed += log_allows(&l, 3);
	/* A minute may have ended in between: then the count began again. */
	assert_true(allowed >= 3 && allowed <= 6);
	assert_int_equal(log_held(&l), 10 - allowed);
	assert_int_equal(log_held(&l), 0);
	l.window--; /* the minute has passed */
	assert_true(log_allows(&l, 3));
}

static void a_limited_line_is_logged_only_so_often(void **state)
{
	int i;

	(void)state;
	start();
	for (i = 0; i < 50; i++)
		log_limited(2, LOG_WARN, "again and again");
	stop();
	assert_true(lines() >= 2 && lines() <= 4);
	assert_non_null(strstr(got, "\"held_back\":0"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_one_json_object),
		cmocka_unit_test(lines_below_the_level_are_dropped),
		cmocka_unit_test(
			fields_of_a_line_that_is_dropped_are_not_evaluated),
		cmocka_unit_test(a_line_that_is_too_long_is_still_json),
		cmocka_unit_test(a_limited_place_says_how_many_it_held_back),
		cmocka_unit_test(a_limited_line_is_logged_only_so_often),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
