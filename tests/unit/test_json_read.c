/* SPDX-License-Identifier: MIT
 *
 * test_json_read.c - JSON as the reader of base/ reads it.  What it does with a
 * payload of Centra is tested by test_event.c, and with Centra's replies by
 * test_graphql.c and test_order_api.c.
 */
#include "base/json_read.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* cmocka has a fail() too: it comes after ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#undef fail

/* Reads the document; NULL: it is refused. */
static struct json *read_by(enum json_rules rules, const char *text)
{
	struct json *ret = NULL;
	struct err e;

	if (json_parse(text, strlen(text), rules, &ret, &e))
		assert_null(ret);
	return ret;
}

static bool is_read(enum json_rules rules, const char *text)
{
	struct json *v = read_by(rules, text);

	json_free(v);
	return v != NULL;
}

static void a_value_that_is_absent_is_none_of_all(void **state)
{
	const struct json *v = NULL;
	int64_t n;

	(void)state;
	assert_false(json_is_object(v) || json_is_list(v) || json_is_bool(v) ||
		     json_is_true(v) || json_is_null(v) || json_given(v));
	assert_true(json_empty(v));
	assert_null(json_get(v, "a"));
	assert_null(json_at(v, 0));
	assert_null(json_name(v));
	assert_int_equal(json_length(v), 0);
	assert_int_equal(json_count(v, "a"), 0);
	json_each(v, NULL)
		assert_null(v);
	assert_null(json_text(v));
	assert_null(json_words(v));
	assert_false(json_int(v, &n) || json_whole(v, 0, 9, &n));
	assert_null(json_copy(v));
	json_free(NULL);
}

static void members_are_found_by_key_and_by_place(void **state)
{
	struct json *v = read_by(JSON_STRICT, "{\"a\":\"x\",\"b\":[5,null,"
					      "true],\"a\":\"y\",\"c\":{}}");
	const struct json *b = json_get(v, "b");

	(void)state;
	assert_string_equal(json_text(json_get(v, "a")), "x");
	assert_int_equal(json_count(v, "a"), 2);
	assert_null(json_get(v, "A"));
	assert_int_equal(json_length(v), 4);
	assert_string_equal(json_name(json_at(v, 3)), "c");
	assert_null(json_at(v, 4));
	assert_int_equal(json_length(b), 3);
	assert_true(json_is_null(json_at(b, 1)));
	assert_false(json_given(json_at(b, 1)));
	assert_true(json_is_bool(json_at(b, 2)));
	assert_true(json_is_true(json_at(b, 2)));
	assert_null(json_get(b, "a"));
	assert_true(json_empty(json_get(v, "c")));
	assert_false(json_empty(b));
	json_free(v);
}

static void only_a_whole_number_in_range_is_one(void **state)
{
	static const struct {
		const char *text;
		int64_t n; /* 0: it is none */
	} cases[] = {
		{"1", 1},	  {"99", 99},	   {"0", 0},
		{"100", 0},	  {"-1", 0},	   {"1.5", 0},
		{"2.0", 2},	  {"2e0", 2},	   {"0.2E+1", 2},
		{"990e-1", 99},	  {"1e400", 0},	   {"2.0000001", 0},
		{"\"2\"", 0},	  {"true", 0},	   {"null", 0},
		{"[2]", 0},	  {"{\"a\":2}", 0}, {"\"\\u0001n2\"", 0},
		{"99999999999999999999", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct json *v = read_by(JSON_STRICT, cases[i].text);
		int64_t n = 0;

		assert_non_null(v);
		assert_true(json_whole(v, 1, 99, &n) == (cases[i].n != 0));
		assert_int_equal(n, cases[i].n);
		json_free(v);
	}
}

/* A double has neither the second nor the third, and no reader of doubles has
 * what lies between. */
static void a_whole_number_is_exact(void **state)
{
	static const struct {
		const char *text;
		int64_t n;
	} cases[] = {
		{"9007199254740991", JSON_WHOLE_MAX},
		{"9007199254740993", JSON_WHOLE_MAX + 2},
		{"9223372036854775807", INT64_MAX},
		{"-9223372036854775808", INT64_MIN},
		{"9007199254740993.0", 0},
		{"9223372036854775808", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct json *v = read_by(JSON_STRICT, cases[i].text);
		int64_t n = 0;

		assert_non_null(v);
		assert_true(json_whole(v, INT64_MIN, INT64_MAX, &n) ==
			    (cases[i].n != 0));
		assert_true(n == cases[i].n);
		json_free(v);
	}
}

static void a_malformed_number_is_no_whole_number(void **state)
{
	static const char *const cases[] = {"01", "1.", "1-2", "1e", "-"};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct json *v = read_by(JSON_LENIENT, cases[i]);
		int64_t n;

		assert_non_null(v);
		assert_false(json_whole(v, INT64_MIN, INT64_MAX, &n));
		json_free(v);
		assert_false(is_read(JSON_STRICT, cases[i]));
		assert_false(is_read(JSON_EXACT, cases[i]));
	}
}

static void a_word_is_exactly_that_word(void **state)
{
	struct json *v = read_by(JSON_STRICT, "[\"ok\",\"OK\",\"ok\\u0000\","
					      "\"ok\xff\",1,null]");

	(void)state;
	assert_true(json_is(json_at(v, 0), "ok"));
	for (size_t i = 1; i < 7; i++)
		assert_false(json_is(json_at(v, i), "ok"));
	json_free(v);
}

static void a_text_of_which_nothing_can_be_read_is_none(void **state)
{
	struct json *v = read_by(JSON_STRICT,
				 "[\"\",\"\xf8\",\"\\u0000\\u0007\","
				 "\"\\ud83d\",\"\\ufffd\",1,null]");
	char *one;

	(void)state;
	assert_int_equal(json_length(v), 7);
	for (size_t i = 0; i < 7; i++)
		assert_null(json_words(json_at(v, i)));
	json_free(v);
	v = read_by(JSON_STRICT, "\"\xf8" "a\"");
	one = json_words(v);
	assert_string_equal(one, "a");
	free(one);
	json_free(v);
}

static void only_a_text_that_is_a_time_is_one(void **state)
{
	static const char text[] = "[\"2021-01-12T16:21:00+01:00\","
				   "\"2021-01-12T16:21:00\",1610464860,"
				   "\"2021-02-31T00:00:00Z\","
				   "\"2021-01-12T16:21:00Z\\u0000\",null]";
	struct json *v = read_by(JSON_STRICT, text);
	int64_t t = 7;
	int offset = 8;

	(void)state;
	for (size_t i = 1; i < 7; i++)
		assert_false(json_time(json_at(v, i), &t, &offset));
	assert_true(t == 7 && offset == 8);
	assert_true(json_time(json_at(v, 0), &t, &offset));
	assert_true(t == INT64_C(1610464860000) && offset == 60);
	json_free(v);
}

static void exact_rules_refuse_what_is_not_exactly_text(void **state)
{
	static const char *const odd[] = {
		"[\"a\\u0000\"]",     "[\"\\u0001\"]", "[\"\x01\"]",
		"[\"\\ud800\"]",      "[\"\\udc00\"]", "[\"\xff\"]",
		"[\"\xed\xa0\xbd\"]", "{\"\\u0000\":1}", "{\"a\xff\":1}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		assert_false(is_read(JSON_EXACT, odd[i]));
		assert_true(is_read(JSON_STRICT, odd[i]));
	}
}

static void exact_rules_refuse_a_nul_between_values(void **state)
{
	static const char text[] = "[1,\0002]";
	struct json *v = NULL;
	struct err e;

	(void)state;
	assert_int_equal(json_parse(text, sizeof(text) - 1, JSON_EXACT, &v, &e),
			 RC_INVALID);
	assert_int_equal(json_parse(text, sizeof(text) - 1, JSON_STRICT, &v, &e),
			 OK);
	json_free(v);
}

static void exact_rules_take_every_whole_text(void **state)
{
	static const struct {
		const char *json, *text;
	} cases[] = {
		{"\"\\ud83d\\udce6\"", "\U0001f4e6"},
		{"\"\U0001f4e6 \xef\xbf\xbd\"", "\U0001f4e6 \xef\xbf\xbd"},
		{"\"\\u001d\t\\n\\\\u0000\"", "\x1d\t\n\\u0000"},
		{"\"0n1\"", "0n1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct json *v = read_by(JSON_EXACT, cases[i].json);

		assert_string_equal(json_text(v), cases[i].text);
		json_free(v);
	}
}

static void a_document_fills_its_bytes(void **state)
{
	(void)state;
	assert_true(is_read(JSON_STRICT, " {} \n"));
	assert_false(is_read(JSON_STRICT, "{}{}"));
	assert_false(is_read(JSON_STRICT, "{},"));
	assert_false(is_read(JSON_STRICT, "{}\\"));
	assert_false(is_read(JSON_STRICT, ""));
	assert_false(is_read(JSON_STRICT, "{"));
}

static bool is_nested_read(int depth)
{
	char *text = xasprintf("%0*d%0*d", depth, 0, depth, 0);
	bool ret;

	memset(text, '[', (size_t)depth);
	memset(text + depth, ']', (size_t)depth);
	ret = is_read(JSON_EXACT, text);
	free(text);
	return ret;
}

static void a_document_has_at_most_32_levels(void **state)
{
	(void)state;
	assert_true(is_nested_read(JSON_DEPTH_MAX));
	assert_false(is_nested_read(JSON_DEPTH_MAX + 1));
}

static bool is_text(const struct json *v)
{
	return json_text(v) != NULL;
}

static void members_are_removed_from_a_copy_alone(void **state)
{
	struct json *v = read_by(JSON_STRICT, "{\"a\":{\"l\":[\"x\",1,\"y\","
					      "2,\"z\"]},\"b\":1.50}");
	struct json *copy = json_copy(v);
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	json_remove(json_part(json_part(copy, "a"), "l"), is_text);
	json_remove(json_part(copy, "none"), is_text);
	json_canonical(copy, &b);
	assert_string_equal(b.data, "{\"a\":{\"l\":[1,2]},\"b\":1.50}");
	buf_clear(&b);
	json_canonical(v, &b);
	assert_string_equal(b.data, "{\"a\":{\"l\":[\"x\",1,\"y\",2,\"z\"]},"
				    "\"b\":1.50}");
	buf_release(&b);
	json_free(copy);
	json_free(v);
}

/* Adds `members` members to an object, the last key first, each twice. */
static void add_members(struct buf *b, int members)
{
	buf_char(b, '{');
	for (int i = members; i--;)
		buf_fmt(b, "\"k%03d\":%d,\"k%03d\":\"no\"%s", i, i, i,
			i ? "," : "");
	buf_char(b, '}');
}

static void members_are_sorted_and_the_first_of_a_key_counts(void **state)
{
	static const int numbers[] = {0, 1, 2, 7, 8, 9, 100};
	struct buf text, made, want;
	struct json *v;

	(void)state;
	buf_init(&text, 100000);
	buf_init(&made, 100000);
	buf_init(&want, 100000);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		buf_clear(&text);
		buf_clear(&made);
		buf_clear(&want);
		add_members(&text, numbers[i]);
		buf_char(&want, '{');
		for (int k = 0; k < numbers[i]; k++)
			buf_fmt(&want, "%s\"k%03d\":%d", k ? "," : "", k, k);
		buf_char(&want, '}');
		v = read_by(JSON_STRICT, text.data);
		json_canonical(v, &made);
		assert_string_equal(made.data, want.data);
		json_free(v);
	}
	buf_release(&text);
	buf_release(&made);
	buf_release(&want);
}

/* The larger ones need several blocks of memory, and so do their copies, which
 * outlive them. */
static void documents_of_any_size_are_read_and_copied_whole(void **state)
{
	static const int lengths[] = {0, 1, 100, 10000, 100000};
	struct json *v, *copy;
	struct buf text, made;

	(void)state;
	buf_init(&text, 4000000);
	buf_init(&made, 4000000);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		buf_clear(&text);
		buf_clear(&made);
		buf_char(&text, '[');
		for (int k = 0; k < lengths[i]; k++)
			buf_fmt(&text, "%s[%d,\"a text of number %d\"]",
				k ? "," : "", k, k);
		buf_char(&text, ']');
		v = read_by(JSON_STRICT, text.data);
		assert_int_equal(json_length(v), lengths[i]);
		copy = json_copy(v);
		json_free(v);
		json_canonical(copy, &made);
		assert_string_equal(made.data, text.data);
		json_free(copy);
	}
	buf_release(&text);
	buf_release(&made);
}

/* Two documents of one thread do not share memory. */
static void a_document_is_whole_while_others_come_and_go(void **state)
{
	struct json *first = read_by(JSON_STRICT, "{\"a\":[1,\"x\"]}"), *next;

	(void)state;
	for (int i = 0; i < 100; i++) {
		next = read_by(JSON_STRICT, "{\"b\":[2,\"y\",{\"c\":null}]}");
		assert_false(is_read(JSON_STRICT, "{\"b\":[2,"));
		assert_string_equal(json_text(json_at(json_get(first, "a"), 1)),
				    "x");
		assert_string_equal(json_text(json_at(json_get(next, "b"), 1)),
				    "y");
		json_free(next);
	}
	json_free(first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_that_is_absent_is_none_of_all),
		cmocka_unit_test(members_are_found_by_key_and_by_place),
		cmocka_unit_test(only_a_whole_number_in_range_is_one),
		cmocka_unit_test(a_whole_number_is_exact),
		cmocka_unit_test(a_malformed_number_is_no_whole_number),
		cmocka_unit_test(a_word_is_exactly_that_word),
		cmocka_unit_test(a_text_of_which_nothing_can_be_read_is_none),
		cmocka_unit_test(only_a_text_that_is_a_time_is_one),
		cmocka_unit_test(exact_rules_refuse_what_is_not_exactly_text),
		cmocka_unit_test(exact_rules_refuse_a_nul_between_values),
		cmocka_unit_test(exact_rules_take_every_whole_text),
		cmocka_unit_test(a_document_fills_its_bytes),
		cmocka_unit_test(a_document_has_at_most_32_levels),
		cmocka_unit_test(members_are_removed_from_a_copy_alone),
		cmocka_unit_test(
			members_are_sorted_and_the_first_of_a_key_counts),
		cmocka_unit_test(
			documents_of_any_size_are_read_and_copied_whole),
		cmocka_unit_test(a_document_is_whole_while_others_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
