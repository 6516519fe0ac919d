/* SPDX-License-Identifier: MIT
 *
 * test_form.c - the payload out of a posted form.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>

#include "centra/event.h"

#include <cmocka.h> /* last: it has a macro named as err.h's fail() */

static void expect_bytes(const char *body, size_t len, const char *want,
			 size_t want_len)
{
	char *copy = malloc(len ? len : 1), *got = NULL;
	size_t n = 0;
	struct err e;

	/* On the heap and without a NUL: a byte read too many is seen. */
	memcpy(copy, body, len);
	if (want) {
		assert_int_equal(form_payload(copy, len, &got, &n, &e), OK);
		assert_int_equal(n, want_len);
		assert_memory_equal(got, want, n + 1);
	} else {
		e.text[0] = '\0';
		assert_int_equal(form_payload(copy, len, &got, &n, &e),
				 RC_INVALID);
		assert_true(e.text[0]);
		assert_null(got);
	}
	free(got);
	free(copy);
}

static void expect(const char *body, const char *want)
{
	expect_bytes(body, strlen(body), want, want ? strlen(want) : 0);
}

static void plus_and_escape_are_both_a_space(void **state)
{
	(void)state;
	expect("payload=%7B%22x%22%3A%22a+b%22%7D", "{\"x\":\"a b\"}");
	expect("payload=%7B%22x%22%3A%22a%20b%22%7D", "{\"x\":\"a b\"}");
	expect("payload=a%2Bb", "a+b");
}

static void escapes_are_of_either_case(void **state)
{
	(void)state;
	expect("payload=%7b%22x%22%3a%22test%22%7d", "{\"x\":\"test\"}");
	expect("payload=%c3%A9", "\xc3\xa9");
}

static void what_need_not_be_escaped_stands_for_itself(void **state)
{
	(void)state;
	expect("payload={\"a\":1,\"b\"=2}", "{\"a\":1,\"b\"=2}");
	expect("payload=", "");
}

static void the_field_is_found_wherever_it_stands(void **state)
{
	(void)state;
	expect("a=1&payload=x&b=2", "x");
	expect("&&payload=x", "x");
	expect("payload=x&", "x");
	expect("%70ayload=x", "x");
	expect("%70%61%79%6c%6f%61%64=x", "x");
}

static void the_first_payload_counts(void **state)
{
	(void)state;
	expect("payload=1&payload=2", "1");
}

static void other_names_are_not_it(void **state)
{
	(void)state;
	expect("", NULL);
	expect("&", NULL);
	expect("payload", NULL);
	expect("=x", NULL);
	expect("Payload=x", NULL);
	expect("payloads=x", NULL);
	expect("payloa=x", NULL);
	expect("xpayload=x", NULL);
	expect("payload[]=x", NULL);
	expect("{\"payload=\":1}", NULL);
	expect("%70%61%79%6c%6f%61%64%64=x", NULL);
}

static void a_broken_escape_is_refused(void **state)
{
	(void)state;
	expect("payload=%", NULL);
	expect("payload=%4", NULL);
	expect("payload=%4&a=1", NULL);
	expect("payload=%zz", NULL);
	expect("payload=%4g", NULL);
	expect("payload=ok%", NULL);
}

static void a_broken_escape_elsewhere_does_no_harm(void **state)
{
	(void)state;
	expect("a=%zz&payload=x", "x");
	expect("%zz=1&payload=x", "x");
	expect("payload=x&a=%", "x");
}

static void a_nul_does_not_end_the_payload(void **state)
{
	(void)state;
	expect_bytes("payload=a%00b", 13, "a\0b", 3);
	expect_bytes("payload=a\0b", 11, "a\0b", 3);
	expect_bytes("pay\0load=ab", 11, NULL, 0);
	expect_bytes("payload\0=ab", 11, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plus_and_escape_are_both_a_space),
		cmocka_unit_test(escapes_are_of_either_case),
		cmocka_unit_test(what_need_not_be_escaped_stands_for_itself),
		cmocka_unit_test(the_field_is_found_wherever_it_stands),
		cmocka_unit_test(the_first_payload_counts),
		cmocka_unit_test(other_names_are_not_it),
		cmocka_unit_test(a_broken_escape_is_refused),
		cmocka_unit_test(a_broken_escape_elsewhere_does_no_harm),
		cmocka_unit_test(a_nul_does_not_end_the_payload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
