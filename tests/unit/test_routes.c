/* SPDX-License-Identifier: MIT
 *
 * test_routes.c - the table of routes: checked, searched, told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "server/routes.h"

/* Last: its fail() is not ours. */
#include <cmocka.h>

static void answer(struct request *req, struct response *res)
{
	(void)req;
	(void)res;
}

static const struct http_route fine = {
	"GET", "/a/*/b", LISTEN_PUBLIC, ROUTE_ANYONE, 0, 0, answer, NULL, "help"};

static enum rc check_with(struct http_route changed)
{
	const struct http_route table[] = {fine, changed, {0}};
	struct err e = {""};
	enum rc rc = http_routes_check(table, &e);

	assert_int_equal(!rc, !e.text[0]);
	return rc;
}

static void the_table_itself_is_accepted(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(http_routes_check(routes, &e), OK);
}

static void a_row_with_a_column_left_out_is_refused(void **state)
{
	struct http_route r = fine;

	(void)state;
	r.path = "/other";
	assert_int_equal(check_with(r), OK);
	r.flags = 0;
	assert_int_equal(check_with(r), RC_INVALID);
	r = fine;
	r.path = NULL;
	assert_int_equal(check_with(r), RC_INVALID);
	r = fine;
	r.path = "/other";
	r.fn = NULL;
	assert_int_equal(check_with(r), RC_INVALID);
	r.fn = answer;
	r.help = NULL;
	assert_int_equal(check_with(r), RC_INVALID);
	r.help = "help";
	r.method = "FETCH";
	assert_int_equal(check_with(r), RC_INVALID);
}

static void two_rows_alike_are_refused_but_not_on_two_listeners(void **state)
{
	struct http_route r = fine;

	(void)state;
	assert_int_equal(check_with(r), RC_INVALID);
	r.listener = LISTEN_ADMIN;
	assert_int_equal(check_with(r), OK);
}

static void a_star_must_be_a_whole_segment(void **state)
{
	struct http_route r = fine;

	(void)state;
	r.path = "/a*";
	assert_int_equal(check_with(r), RC_INVALID);
	r.path = "/*a";
	assert_int_equal(check_with(r), RC_INVALID);
	r.path = "/*/*b";
	assert_int_equal(check_with(r), RC_INVALID);
	r.path = "/*/*/*";
	assert_int_equal(check_with(r), RC_INVALID);
	r.path = "/*/*";
	assert_int_equal(check_with(r), OK);
}

static void two_stars_stand_for_two_segments_and_what_is_between(void **state)
{
	static const struct http_route table[] = {
		{"GET", "/a/*/c", LISTEN_PUBLIC, ROUTE_ANYONE | ROUTE_SLASH, 0,
		 0, answer, NULL, "help"},
		{"GET", "/a/*/b/*", LISTEN_PUBLIC, ROUTE_ANYONE | ROUTE_SLASH, 0,
		 0, answer, NULL, "help"},
		{0}};
	static const char *const others[] = {"/a/x/b", "/a/x/b/", "/a//b/y",
					     "/a/x/c/y", "/a/x/b/y/z",
					     "/a/x/b/y//"};
	const char *allow;
	char param[16];

	(void)state;
	assert_non_null(http_route_find(table, LISTEN_PUBLIC, "GET", "/a/x/b/y",
					param, sizeof(param), &allow));
	assert_string_equal(param, "x/b/y");
	assert_non_null(http_route_find(table, LISTEN_PUBLIC, "GET",
					"/a/x/b/y/", param, sizeof(param),
					&allow));
	assert_string_equal(param, "x/b/y");
	assert_non_null(http_route_find(table, LISTEN_PUBLIC, "GET", "/a/x/c/",
					param, sizeof(param), &allow));
	assert_string_equal(param, "x");
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		assert_null(http_route_find(table, LISTEN_PUBLIC, "GET",
					    others[i], param, sizeof(param),
					    &allow));
}

static const struct http_route *find(const char *method, const char *path,
				char param[16], const char **allow)
{
	return http_route_find(routes, LISTEN_PUBLIC, method, path, param, 16, allow);
}

static void a_path_is_found_with_what_the_star_stands_for(void **state)
{
	const char *allow;
	char param[16];
	const struct http_route *r;

	(void)state;
	r = find("POST", "/api/v1/orders/19/accept", param, &allow);
	assert_non_null(r);
	assert_string_equal(r->path, "/api/v1/orders/*/accept");
	assert_string_equal(param, "19");
	r = find("GET", "/healthz", param, &allow);
	assert_non_null(r);
	assert_string_equal(param, "");
}

static void head_finds_the_row_of_get(void **state)
{
	const char *allow;
	char param[16];

	(void)state;
	assert_non_null(find("HEAD", "/healthz", param, &allow));
	assert_null(find("HEAD", "/webhooks/centra/se", param, &allow));
	assert_string_equal(allow, "POST");
}

static void another_method_is_told_which_the_path_has(void **state)
{
	const char *allow;
	char param[16];

	(void)state;
	assert_null(find("PUT", "/api/v1/orders/19", param, &allow));
	assert_string_equal(allow, "GET, HEAD");
}

static void what_is_not_in_the_table_is_not_found(void **state)
{
	static const char *const paths[] = {
		"", "/healthz/", "/page/", "/page/a/b", "/api/v1/orders/", "/api/v1/orders/1/",
		"/api/v1/orders//accept", "/api/v1/orders/1/2/accept",
		"/metrics", "/webhooks/centra/", "/api/v1/orders/*/x",
		"/api/v1/orders/0123456789abcdef",
	};
	const char *allow;
	char param[16];

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		assert_null(find("GET", paths[i], param, &allow));
		assert_null(allow);
	}
	assert_non_null(http_route_find(routes, LISTEN_ADMIN, "GET", "/metrics", param, 16,
				    &allow));
}

static void the_table_is_told_as_text_and_as_json(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 65536);
	routes_describe(&out, false);
	assert_non_null(strstr(out.data, "/api/v1/orders/*/accept"));
	buf_clear(&out);
	routes_describe(&out, true);
	assert_non_null(strstr(
		out.data, "{\"method\":\"GET\",\"path\":\"/metrics\",\"auth\":"
			  "\"none\",\"listener\":\"admin\",\"body_max\":0,"));
	assert_non_null(strstr(out.data, "\"body_max\":\"webhook_max_body\""));
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_itself_is_accepted),
		cmocka_unit_test(a_row_with_a_column_left_out_is_refused),
		cmocka_unit_test(
			two_rows_alike_are_refused_but_not_on_two_listeners),
		cmocka_unit_test(a_star_must_be_a_whole_segment),
		cmocka_unit_test(two_stars_stand_for_two_segments_and_what_is_between),
		cmocka_unit_test(a_path_is_found_with_what_the_star_stands_for),
		cmocka_unit_test(head_finds_the_row_of_get),
		cmocka_unit_test(another_method_is_told_which_the_path_has),
		cmocka_unit_test(what_is_not_in_the_table_is_not_found),
		cmocka_unit_test(the_table_is_told_as_text_and_as_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
