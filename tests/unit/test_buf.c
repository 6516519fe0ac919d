/* SPDX-License-Identifier: MIT
 *
 * test_buf.c - bytes that grow up to a maximum.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

/* cmocka has a fail() too: it comes after ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void it_grows_and_stays_terminated(void **state)
{
	struct buf b;
	int i;

	(void)state;
	buf_init(&b, 100000);
	for (i = 0; i < 1000; i++) {
		buf_fmt(&b, "%03d", i);
		buf_char(&b, ' ');
	}
	assert_int_equal(b.len, 4000);
	assert_int_equal(strlen(b.data), 4000);
	assert_memory_equal(b.data + 3992, "998 999 ", 8);
	assert_false(buf_full(&b));
	buf_release(&b);
}

static void exactly_the_maximum_fits(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 5);
	assert_int_equal(buf_add(&b, "12345", 5), OK);
	assert_false(buf_full(&b));
	assert_string_equal(b.data, "12345");
	buf_release(&b);
}

static void passing_the_maximum_adds_nothing_and_stays_full(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 5);
	assert_int_equal(buf_add(&b, "123", 3), OK);
	assert_int_equal(buf_add(&b, "456", 3), RC_FULL);
	assert_string_equal(b.data, "123");
	assert_int_equal(buf_add(&b, "4", 1), RC_FULL);
	assert_string_equal(b.data, "123");
	buf_fmt(&b, "%d", 4);
	assert_string_equal(b.data, "123");
	assert_true(buf_full(&b));
	buf_clear(&b);
	assert_false(buf_full(&b));
	assert_int_equal(buf_add(&b, "456", 3), OK);
	assert_string_equal(b.data, "456");
	buf_release(&b);
}

static void a_formatted_add_that_passes_the_maximum_adds_nothing(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 5);
	buf_fmt(&b, "%d", 123456);
	assert_true(buf_full(&b));
	assert_int_equal(b.len, 0);
	buf_release(&b);
}

static void a_zeroed_buf_takes_nothing_and_may_be_released(void **state)
{
	struct buf b = {0};

	(void)state;
	assert_int_equal(buf_add(&b, "x", 1), RC_FULL);
	buf_json(&b, "x");
	assert_int_equal(b.len, 0);
	buf_release(&b);
}

static void detaching_hands_over_the_bytes(void **state)
{
	struct buf b;
	size_t len;
	char *s;

	(void)state;
	buf_init(&b, 50);
	s = buf_detach(&b, &len);
	assert_string_equal(s, "");
	assert_int_equal(len, 0);
	free(s);
	assert_int_equal(buf_add(&b, "a\0b", 3), OK);
	s = buf_detach(&b, &len);
	assert_int_equal(len, 3);
	assert_memory_equal(s, "a\0b", 4);
	free(s);
	assert_null(b.data);
	buf_str(&b, "again");
	assert_string_equal(b.data, "again");
	buf_release(&b);
}

static void json_is(const char *in, const char *out)
{
	struct buf b;

	buf_init(&b, 1000);
	buf_json(&b, in);
	assert_string_equal(b.data, out);
	buf_release(&b);
}

static void json_strings_are_escaped(void **state)
{
	(void)state;
	json_is(NULL, "null");
	json_is("", "\"\"");
	json_is("a\"b\\c/", "\"a\\\"b\\\\c/\"");
	json_is("\b\t\n\v\f\r\x01\x1f\x7f",
		"\"\\b\\t\\n\\u000b\\f\\r\\u0001\\u001f\x7f\"");
	json_is("Malm\xc3\xb6 \xe2\x82\xac \xf0\x9f\x93\xa6",
		"\"Malm\xc3\xb6 \xe2\x82\xac \xf0\x9f\x93\xa6\"");
}

#define BAD "\xef\xbf\xbd"

static void bytes_that_are_not_utf8_become_the_replacement(void **state)
{
	(void)state;
	json_is("a\x80z", "\"a" BAD "z\"");
	json_is("a\xc3", "\"a" BAD "\"");
	json_is("\xc0\xaf", "\"" BAD BAD "\"");         /* too long a form */
	json_is("\xed\xa0\x80", "\"" BAD BAD BAD "\""); /* a surrogate */
	json_is("\xf4\x90\x80\x80", "\"" BAD BAD BAD BAD "\"");
	json_is("\xe2\x82", "\"" BAD BAD "\"");
	json_is("\xff", "\"" BAD "\"");
	json_is("\xe0\x9f\xbf", "\"" BAD BAD BAD "\"");
	json_is("\xf0\x8f\xbf\xbf", "\"" BAD BAD BAD BAD "\"");
	json_is("\xed\x9f\xbf", "\"\xed\x9f\xbf\"");
}

static void utf8_is_told_from_other_bytes(void **state)
{
	(void)state;
	assert_true(text_is_utf8(""));
	assert_true(text_is_utf8("Malm\xc3\xb6"));
	assert_false(text_is_utf8("Malm\xf6"));
	assert_false(text_is_utf8("Malm\xf6 C"));
	assert_false(text_is_utf8("\xe2\x82"));
}

static void half_a_json_string_is_never_added(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 8);
	buf_str(&b, "ab");
	buf_json(&b, "123456");
	assert_true(buf_full(&b));
	assert_string_equal(b.data, "ab");
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_grows_and_stays_terminated),
		cmocka_unit_test(exactly_the_maximum_fits),
		cmocka_unit_test(
			passing_the_maximum_adds_nothing_and_stays_full),
		cmocka_unit_test(
			a_formatted_add_that_passes_the_maximum_adds_nothing),
		cmocka_unit_test(
			a_zeroed_buf_takes_nothing_and_may_be_released),
		cmocka_unit_test(detaching_hands_over_the_bytes),
		cmocka_unit_test(json_strings_are_escaped),
		cmocka_unit_test(
			bytes_that_are_not_utf8_become_the_replacement),
		cmocka_unit_test(utf8_is_told_from_other_bytes),
		cmocka_unit_test(half_a_json_string_is_never_added),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
