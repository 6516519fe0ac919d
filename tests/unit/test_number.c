/* SPDX-License-Identifier: MIT
 *
 * test_number.c - numbers, durations, hexadecimal digits and ADDRESS:PORT, as
 * they are read from text.
 */
#include <string.h>

#include "base/endpoint.h"
#include "base/hex.h"
#include "base/number.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* ---- whole numbers ---- */

static void a_number_is_digits_alone(void **state)
{
	static const char *const bad[] = {"",	" 1", "1 ", "+1",
					  "-1", "1x", "x",  "1.0"};
	int64_t n = 7;

	(void)state;
	assert_true(number_read("0", 0, 9, &n));
	assert_int_equal(n, 0);
	assert_true(number_read("0042", 0, 99, &n));
	assert_int_equal(n, 42);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(number_read(bad[i], 0, 99, &n));
	assert_int_equal(n, 42);
}

static void a_number_is_within_its_bounds(void **state)
{
	int64_t n;

	(void)state;
	assert_false(number_read("0", 1, 9, &n));
	assert_true(number_read("9", 1, 9, &n));
	assert_false(number_read("10", 1, 9, &n));
}

static void a_number_of_64_bits_is_the_largest(void **state)
{
	int64_t n;

	(void)state;
	assert_true(number_read("9223372036854775807", 0, INT64_MAX, &n));
	assert_true(n == INT64_MAX);
	assert_false(number_read("9223372036854775808", 0, INT64_MAX, &n));
	assert_false(number_read("99999999999999999999", 0, INT64_MAX, &n));
}

static void a_number_may_begin_a_text(void **state)
{
	const char *text = "12-34", *same;
	int64_t n = 0;

	(void)state;
	assert_true(number_begin(&text, 99, &n));
	assert_int_equal(n, 12);
	assert_string_equal(text, "-34");
	same = text;
	assert_false(number_begin(&text, 99, &n));
	assert_ptr_equal(text, same);
}

/* ---- durations ---- */

static void a_duration_has_a_unit(void **state)
{
	int64_t ms = 0;

	(void)state;
	assert_int_equal(duration_read("7ms", 1, 1000, &ms), OK);
	assert_int_equal(ms, 7);
	assert_int_equal(duration_read("2d", 1, INT64_MAX, &ms), OK);
	assert_int_equal(ms, 2 * 86400000);
	assert_int_equal(duration_read("7", 1, 1000, &ms), RC_INVALID);
	assert_int_equal(duration_read("s", 1, 1000, &ms), RC_INVALID);
	assert_int_equal(duration_read("7 s", 1, 1000, &ms), RC_INVALID);
	assert_int_equal(duration_read("-7s", 1, 1000, &ms), RC_INVALID);
}

static void a_unit_may_be_too_small(void **state)
{
	int64_t ms;

	(void)state;
	assert_int_equal(duration_read("90s", 60000, INT64_MAX, &ms),
			 RC_INVALID);
	assert_int_equal(duration_read("1m", 60000, INT64_MAX, &ms), OK);
}

static void a_duration_may_be_too_long(void **state)
{
	int64_t ms;

	(void)state;
	assert_int_equal(duration_read("60s", 1, 60000, &ms), OK);
	assert_int_equal(duration_read("61s", 1, 60000, &ms), RC_FULL);
	assert_int_equal(
		duration_read("99999999999999999999d", 1, INT64_MAX, &ms),
		RC_FULL);
}

/* ---- hexadecimal digits ---- */

static void bytes_become_digits_and_come_back(void **state)
{
	static const unsigned char bytes[] = {0x00, 0x1f, 0xa0, 0xff};
	unsigned char back[sizeof(bytes)];
	char text[2 * sizeof(bytes) + 1];

	(void)state;
	hex_write(text, bytes, sizeof(bytes));
	assert_string_equal(text, "001fa0ff");
	assert_true(hex_read(back, text, sizeof(bytes)));
	assert_memory_equal(back, bytes, sizeof(bytes));
	assert_true(hex_read(back, "001FA0FF", sizeof(bytes)));
	assert_memory_equal(back, bytes, sizeof(bytes));
}

static void what_is_no_digit_is_refused(void **state)
{
	static const char none[] = "/:@G`g \xff";
	unsigned char byte;

	(void)state;
	for (const char *c = none; *c; c++)
		assert_int_equal(hex_digit(*c), -1);
	assert_int_equal(hex_byte("1"), -1);
	assert_int_equal(hex_byte(""), -1);
	assert_false(hex_read(&byte, "1", 1));
}

/* ---- ADDRESS:PORT ---- */

static void an_endpoint_is_an_address_and_a_port(void **state)
{
	union endpoint a;
	socklen_t len;

	(void)state;
	assert_true(endpoint_read("127.0.0.1:8080", &a, &len));
	assert_int_equal(a.any.sa_family, AF_INET);
	assert_int_equal(len, sizeof(a.v4));
	assert_int_equal(endpoint_port(&a), 8080);
	assert_true(endpoint_read("localhost:0", &a, &len));
	assert_int_equal(ntohl(a.v4.sin_addr.s_addr), INADDR_LOOPBACK);
	assert_true(endpoint_read("[::1]:65535", &a, &len));
	assert_int_equal(a.any.sa_family, AF_INET6);
	assert_int_equal(endpoint_port(&a), 65535);
}

static void what_is_no_endpoint_is_refused(void **state)
{
	static const char *const bad[] = {"",
					  ":80",
					  "127.0.0.1",
					  "127.0.0.1:",
					  "127.0.0.1:x",
					  "127.0.0.1:65536",
					  "127.0.0.1:000080",
					  "::1:80",
					  "[::1]",
					  "[127.0.0.1]:80",
					  "example.com:80",
					  "127.0.0.1:-1"};
	union endpoint a;
	socklen_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (endpoint_read(bad[i], &a, &len))
			fail_msg("'%s' was read", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_is_digits_alone),
		cmocka_unit_test(a_number_is_within_its_bounds),
		cmocka_unit_test(a_number_of_64_bits_is_the_largest),
		cmocka_unit_test(a_number_may_begin_a_text),
		cmocka_unit_test(a_duration_has_a_unit),
		cmocka_unit_test(a_unit_may_be_too_small),
		cmocka_unit_test(a_duration_may_be_too_long),
		cmocka_unit_test(bytes_become_digits_and_come_back),
		cmocka_unit_test(what_is_no_digit_is_refused),
		cmocka_unit_test(an_endpoint_is_an_address_and_a_port),
		cmocka_unit_test(what_is_no_endpoint_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
