/* SPDX-License-Identifier: MIT
 *
 * test_buf.c - bytes that grow up to a maximum.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

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
		"\"\\b\\t\\n\\u000b\\f\\r\\u0001\\u001f\\u007f\"");
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

/* Valid JSON that is shown on a terminal as it is, or in a log. */
static void json_holds_nothing_that_a_terminal_acts_on(void **state)
{
	(void)state;
	json_is("\x1b[2J", "\"\\u001b[2J\"");
	json_is("a\xc2\x9b" "2J", "\"a\\u009b2J\"");
	json_is("a\xe2\x80\xae" "b", "\"a\\u202eb\"");
	json_is("\xe2\x81\xa6\xe2\x80\xa8\xd8\x9c",
		"\"\\u2066\\u2028\\u061c\"");
}

static void visible_is(const char *in, const char *want)
{
	struct buf b;

	buf_init(&b, 100);
	buf_visible(&b, in);
	assert_string_equal(b.data, want);
	buf_release(&b);
}

static void foreign_text_is_shown_as_text(void **state)
{
	(void)state;
	visible_is("Malm\xc3\xb6 \xe5\x9c\xa8 \xf0\x9f\x93\xa6 \"\\",
		   "Malm\xc3\xb6 \xe5\x9c\xa8 \xf0\x9f\x93\xa6 \"\\");
	visible_is("a\x1b[2Jb\nc\td\r\v", "a\\x1b[2Jb\\nc\\td\\r\\x0b");
	visible_is("\x7f\xc2\x9b", "\\x7f\\x9b");
	visible_is("a\xe2\x80\xae" "b\xe2\x81\xa9", "a\\u202eb\\u2069");
	visible_is("\xe2\x80\xa8", "\\u2028");
	visible_is("\xff\xc3z\xed\xa0\x80", "\\xff\\xc3z\\xed\\xa0\\x80");
}

static void trims_to(const char *in, const char *want)
{
	char text[40];

	snprintf(text, sizeof(text), "%s", in);
	text_trim(text);
	assert_string_equal(text, want);
}

static void a_text_is_one_of_some_words_or_none(void **state)
{
	static const char *const words[] = {"a", "bc", NULL};

	(void)state;
	assert_true(text_is_one_of("a", words));
	assert_true(text_is_one_of("bc", words));
	assert_false(text_is_one_of("b", words));
	assert_false(text_is_one_of("", words));
	assert_false(text_is_one_of(NULL, words));
	assert_false(text_is_one_of("a", words + 2));
}

static void a_cut_leaves_whole_characters(void **state)
{
	(void)state;
	trims_to("", "");
	trims_to("abc", "abc");
	trims_to("ab\xc3\xb6", "ab\xc3\xb6");
	trims_to("ab\xc3", "ab");
	trims_to("a\xe5\x9c", "a");
	trims_to("a\xe5\x9c\xa8", "a\xe5\x9c\xa8");
	trims_to("\xf0\x9f\x93\xa6", "\xf0\x9f\x93\xa6");
	trims_to("\xf0\x9f\x93", "");
}

static void an_error_that_is_cut_ends_with_a_whole_character(void **state)
{
	struct err e;
	char text[sizeof(e.text) + 40];

	(void)state;
	for (size_t at = sizeof(e.text) - 8; at < sizeof(e.text); at++) {
		memset(text, 'x', sizeof(text));
		memcpy(text + at, "\xe5\x9c\xa8", 4);
		(void)(fail)(&e, OK, "%s", text);
		assert_true(text_is_utf8(e.text));
	}
}

static void characters_are_counted_not_bytes(void **state)
{
	(void)state;
	assert_int_equal(text_length(""), 0);
	assert_int_equal(text_length("Malm\xc3\xb6"), 5);
	assert_int_equal(text_length("\xe5\x9c\xa8\xf0\x9f\x93\xa6"), 2);
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

static void numbers_are_written_as_printf_does(void **state)
{
	static const int64_t numbers[] = {0, 1, 9, 10, 99, 100, 123456789, -1,
					  -10, INT64_MAX, INT64_MIN};
	char want[32];
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		buf_clear(&b);
		buf_int(&b, numbers[i]);
		snprintf(want, sizeof(want), "%" PRId64, numbers[i]);
		assert_string_equal(b.data, want);
		buf_clear(&b);
		buf_uint(&b, (uint64_t)numbers[i]);
		snprintf(want, sizeof(want), "%" PRIu64, (uint64_t)numbers[i]);
		assert_string_equal(b.data, want);
	}
	buf_release(&b);
}

/* Room is left in what was allocated, but the buf is full for good. */
static void a_full_buf_takes_not_even_what_would_fit(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	buf_str(&b, "x");
	(void)!buf_add(&b, NULL, 1000);
	assert_true(buf_full(&b));
	assert_int_equal(buf_add(&b, "y", 1), RC_FULL);
	assert_string_equal(b.data, "x");
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
		cmocka_unit_test(json_holds_nothing_that_a_terminal_acts_on),
		cmocka_unit_test(foreign_text_is_shown_as_text),
		cmocka_unit_test(a_text_is_one_of_some_words_or_none),
		cmocka_unit_test(a_cut_leaves_whole_characters),
		cmocka_unit_test(
			an_error_that_is_cut_ends_with_a_whole_character),
		cmocka_unit_test(characters_are_counted_not_bytes),
		cmocka_unit_test(utf8_is_told_from_other_bytes),
		cmocka_unit_test(half_a_json_string_is_never_added),
		cmocka_unit_test(numbers_are_written_as_printf_does),
		cmocka_unit_test(a_full_buf_takes_not_even_what_would_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
