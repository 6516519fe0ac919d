/* SPDX-License-Identifier: MIT
 *
 * test_metrics.c - /metrics and /readyz: every counter, honest answers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/admin/health.h"
#include "server/admin/metrics.h"
#include "tests/unit/fixture.h"

/* Last: its fail() is not ours. */
#include <cmocka.h>

static int start(void **state)
{
	*state = fixture_start("");
	return 0;
}

static int stop(void **state)
{
	fixture_stop(*state);
	return 0;
}

static char *metrics(struct fixture *f)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	metrics_write(&f->app.admin, &b);
	assert_false(buf_full(&b));
	return buf_detach(&b, NULL);
}

static bool has_line(const char *text, const char *line)
{
	size_t len = strlen(line);

	for (const char *at = text; (at = strstr(at, line)); at++)
		if ((at == text || at[-1] == '\n') && at[len] == '\n')
			return true;
	return false;
}

static void every_counter_of_the_list_is_shown(void **state)
{
	static const char *const names[] = {
#define METRIC(name, help) #name,
#define METRIC_HTTP(name, field, help) #name,
#include "server/metrics/metrics.def"
#undef METRIC
#undef METRIC_HTTP
	};
	struct fixture *f = *state;
	char *text = metrics(f);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *type = NULL;

		assert_true(asprintf(&type, "# TYPE shipfrom_%s counter",
				     names[i]) > 0);
		assert_true(has_line(text, type));
		free(type);
	}
	free(text);
}

static void a_counted_thing_shows(void **state)
{
	struct fixture *f = *state;
	char *text;

	COUNT_BY(&f->app.counters, webhooks_not_stored_total, 3);
	text = metrics(f);
	assert_true(has_line(text, "shipfrom_webhooks_not_stored_total 3"));
	free(text);
}

/* The form that Prometheus reads: HELP, TYPE, then samples of that name, each
 * name once. */
static void the_text_is_well_formed(void **state)
{
	struct fixture *f = *state;
	char *text = metrics(f), name[128] = "", seen[8192] = "", *next;
	unsigned families = 0;

	for (char *l = text; *l; l = next) {
		size_t len;

		next = strchr(l, '\n');
		assert_non_null(next); /* the last line ends, too */
		*next++ = '\0';
		if (!strncmp(l, "# HELP ", 7)) {
			const char *help = strchr(l + 7, ' ');

			assert_true(help && help[1]);
			len = (size_t)(help - l - 7);
			snprintf(name, sizeof(name), "%.*s", (int)len, l + 7);
			assert_int_equal(strncmp(name, "shipfrom_", 9), 0);
			strncat(name, "\n", 2);
			assert_null(strstr(seen, name));
			strncat(seen, name, sizeof(seen) - strlen(seen) - 1);
			name[len] = '\0';
			families++;
			continue;
		}
		len = strlen(name);
		if (!strncmp(l, "# TYPE ", 7)) {
			assert_int_equal(strncmp(l + 7, name, len), 0);
			assert_true(!strcmp(l + 7 + len, " counter") ||
				    !strcmp(l + 7 + len, " gauge"));
			assert_int_equal(!strcmp(l + 7 + len, " counter"),
					 !strcmp(name + len - 6, "_total"));
			continue;
		}
		assert_int_equal(strncmp(l, name, len), 0);
		assert_true(l[len] == ' ' || l[len] == '{');
	}
	assert_true(families > 30);
	free(text);
}

static void the_store_is_measured(void **state)
{
	struct fixture *f = *state;
	char *text;

	offered(f, 19, 3, "2021-01-11 16:21:00.000000", FAR);
	text = metrics(f);
	assert_true(has_line(text, "shipfrom_orders 1"));
	assert_true(has_line(text, "shipfrom_devices 3"));
	assert_true(has_line(text, "shipfrom_store_max_bytes 67108864"));
	assert_true(has_line(text, "shipfrom_ready 1"));
	assert_non_null(strstr(text, "\nshipfrom_build_info{version=\""));
	free(text);
}

static void metrics_are_served_to_the_admin_only(void **state)
{
	struct fixture *f = *state;
	const char *get = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
	struct reply r = ask(f, "GET", "/metrics", NULL, NULL);
	int fd;

	assert_int_equal(r.status, 404);
	reply_release(&r);
	fd = dial(f->admin_port);
	send_all(fd, get, strlen(get));
	r = read_reply(fd, false);
	assert_int_equal(r.status, 200);
	assert_string_equal(reply_header(&r, "Content-Type"),
			    "text/plain; version=0.0.4; charset=utf-8");
	assert_non_null(strstr(r.body, "shipfrom_requests_total 1\n"));
	reply_release(&r);
	close(fd);
}

static void expect_unready(struct fixture *f, const char *why)
{
	struct reply r = ask(f, "GET", "/readyz", NULL, NULL);
	char *want = NULL;

	assert_true(asprintf(&want, "{\"ready\":false,\"why\":\"%s\"}", why) >
		    0);
	assert_int_equal(r.status, 503);
	assert_string_equal(r.body, want);
	assert_string_equal(reply_header(&r, "Retry-After"), "1");
	free(want);
	reply_release(&r);
	/* Not ready is not dead. */
	r = ask(f, "GET", "/healthz", NULL, NULL);
	assert_int_equal(r.status, 200);
	reply_release(&r);
}

static void readiness_says_why_not(void **state)
{
	struct fixture *f = *state;
	struct reply r = ask(f, "GET", "/readyz", NULL, NULL);
	char *text;

	assert_int_equal(r.status, 200);
	assert_string_equal(r.body, "{\"ready\":true}");
	reply_release(&r);
	f->app.failed = true;
	expect_unready(f, "store failing");
	text = metrics(f);
	assert_true(has_line(text, "shipfrom_ready 0"));
	free(text);
	f->app.draining = true;
	expect_unready(f, "draining");
}

static void room_is_low_by_the_lesser_of_two_measures(void **state)
{
	const uint64_t mib = 1 << 20, gib = 1 << 30;

	(void)state;
	assert_true(health_room_low(64 * mib - 1, 4000 * gib));
	assert_false(health_room_low(64 * mib, 4000 * gib));
	assert_false(health_room_low(2 * mib, 64 * mib));
	assert_true(health_room_low(1 * mib, 64 * mib));
	assert_true(health_room_low(0, 64 * mib));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			every_counter_of_the_list_is_shown, start, stop),
		cmocka_unit_test_setup_teardown(a_counted_thing_shows, start,
						stop),
		cmocka_unit_test_setup_teardown(the_text_is_well_formed, start,
						stop),
		cmocka_unit_test_setup_teardown(the_store_is_measured, start,
						stop),
		cmocka_unit_test_setup_teardown(
			metrics_are_served_to_the_admin_only, start, stop),
		cmocka_unit_test_setup_teardown(readiness_says_why_not, start,
						stop),
		cmocka_unit_test(room_is_low_by_the_lesser_of_two_measures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
