/* SPDX-License-Identifier: MIT
 *
 * test_json_write.c - JSON as the writer of base/ writes it.
 */
#include "base/json_write.h"
#include "base/time.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static struct buf b;

static int begin(void **state)
{
	(void)state;
	buf_init(&b, 1000);
	return 0;
}

static int end(void **state)
{
	(void)state;
	buf_release(&b);
	return 0;
}

static void members_are_separated_by_commas(void **state)
{
	(void)state;
	json_begin(&b, NULL);
	json_put(&b, "a", "x");
	json_put_int(&b, "b", -1);
	json_put_bool(&b, "c", false);
	json_put_null(&b, "d");
	json_end(&b);
	assert_string_equal(b.data, "{\"a\":\"x\",\"b\":-1,\"c\":false,"
				    "\"d\":null}");
}

static void elements_are_separated_by_commas(void **state)
{
	(void)state;
	json_begin_list(&b, NULL);
	json_put(&b, NULL, "x");
	json_put_uint(&b, NULL, UINT64_MAX);
	json_begin(&b, NULL);
	json_end(&b);
	json_begin_list(&b, NULL);
	json_end_list(&b);
	json_put_bool(&b, NULL, true);
	json_end_list(&b);
	assert_string_equal(b.data,
			    "[\"x\",18446744073709551615,{},[],true]");
}

static void a_member_may_hold_an_object_or_a_list(void **state)
{
	(void)state;
	json_begin(&b, NULL);
	json_begin(&b, "o");
	json_put_int(&b, "n", 1);
	json_end(&b);
	json_begin_list(&b, "l");
	json_put_int(&b, NULL, 2);
	json_put_int(&b, NULL, 3);
	json_end_list(&b);
	json_end(&b);
	assert_string_equal(b.data, "{\"o\":{\"n\":1},\"l\":[2,3]}");
}

static void a_text_that_ends_like_a_bracket_is_followed_by_a_comma(void **state)
{
	(void)state;
	json_begin_list(&b, NULL);
	json_put(&b, NULL, "[");
	json_put(&b, NULL, "{");
	json_put(&b, NULL, "x: ");
	json_end_list(&b);
	assert_string_equal(b.data, "[\"[\",\"{\",\"x: \"]");
}

static void texts_are_escaped_and_none_is_null(void **state)
{
	(void)state;
	json_begin(&b, NULL);
	json_put(&b, "a", "\"\\\n");
	json_put(&b, "b", NULL);
	json_end(&b);
	assert_string_equal(b.data, "{\"a\":\"\\\"\\\\\\n\",\"b\":null}");
}

static void a_raw_value_is_copied(void **state)
{
	(void)state;
	json_begin(&b, NULL);
	json_put_raw(&b, "a", "{\"x\": 1}");
	json_put_raw(&b, "b", "[ ]");
	json_end(&b);
	assert_string_equal(b.data, "{\"a\":{\"x\": 1},\"b\":[ ]}");
}

static void a_time_has_its_offset_and_none_is_null(void **state)
{
	(void)state;
	json_begin(&b, NULL);
	json_put_time(&b, "a", 0, 60, false);
	json_put_time(&b, "b", 1, 0, true);
	json_put_time(&b, "c", TIME_NONE, 0, true);
	json_end(&b);
	assert_string_equal(b.data, "{\"a\":\"1970-01-01T01:00:00+01:00\","
				    "\"b\":\"1970-01-01T00:00:00.001Z\","
				    "\"c\":null}");
}

static void a_document_may_follow_a_line(void **state)
{
	(void)state;
	buf_str(&b, "data: ");
	json_begin(&b, NULL);
	json_end(&b);
	buf_char(&b, '\n');
	json_begin(&b, NULL);
	json_end(&b);
	assert_string_equal(b.data, "data: {}\n{}");
}

static void what_does_not_fit_makes_the_buf_full(void **state)
{
	(void)state;
	b.max = 8;
	json_begin(&b, NULL);
	json_put(&b, "key", "value");
	json_end(&b);
	assert_true(buf_full(&b));
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(members_are_separated_by_commas),
		TEST(elements_are_separated_by_commas),
		TEST(a_member_may_hold_an_object_or_a_list),
		TEST(a_text_that_ends_like_a_bracket_is_followed_by_a_comma),
		TEST(texts_are_escaped_and_none_is_null),
		TEST(a_raw_value_is_copied),
		TEST(a_time_has_its_offset_and_none_is_null),
		TEST(a_document_may_follow_a_line),
		TEST(what_does_not_fit_makes_the_buf_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
