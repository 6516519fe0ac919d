/* SPDX-License-Identifier: MIT
 *
 * test_retry_after.c - what Retry-After may say, and how long that is.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include "centra/centra.h"

#include <cmocka.h> /* last: it has a macro named as err.h's fail() */

#define NOW 1611931258500LL /* 2021-01-29T14:40:58.5Z */

#define expect(value, ms) assert_int_equal(centra_retry_after((value), NOW), ms)

static void few_digits_are_seconds(void **state)
{
	(void)state;
	expect("1", 1000);
	expect("7", 7000);
	expect("120", 120000);
	expect("3600", 3600000);
	expect("007", 7000);
}

static void ten_digits_are_a_point_in_time(void **state)
{
	(void)state;
	expect("1611931268", 9500);
	expect("1611931318", 59500);
}

static void thirteen_digits_are_milliseconds(void **state)
{
	(void)state;
	expect("1611931260000", 1500);
	expect("1611931318500", 60000);
}

static void an_http_date_of_any_of_its_three_forms_is_read(void **state)
{
	(void)state;
	expect("Fri, 29 Jan 2021 14:41:08 GMT", 9500);
	expect("Friday, 29-Jan-21 14:41:08 GMT", 9500);
	expect("Fri Jan 29 14:41:08 2021", 9500);
}

static void an_iso_time_is_read(void **state)
{
	(void)state;
	expect("2021-01-29T14:41:08Z", 9500);
	expect("2021-01-29T15:41:08+01:00", 9500);
	expect("2021-01-29T15:41:08.500+0100", 10000);
}

static void the_wait_is_from_a_second_to_an_hour(void **state)
{
	(void)state;
	expect("0", 1000);
	expect("3601", 3600000);
	expect("999999999", 3600000);
	expect("1000000000", 1000);
	expect("9999999999", 3600000);
	expect("0000000000000", 1000);
	expect("9999999999999", 3600000);
	expect("Sun, 06 Nov 1994 08:49:37 GMT", 1000);
	expect("Fri, 29 Jan 2038 14:41:08 GMT", 3600000);
	expect("1999-01-29T14:41:08Z", 1000);
	expect("2999-01-29T14:41:08Z", 3600000);
}

static void white_space_around_it_does_not_matter(void **state)
{
	(void)state;
	expect(" \t7 \r\n", 7000);
	expect(" Fri, 29 Jan 2021 14:41:08 GMT\r\n", 9500);
}

static void what_cannot_be_read_is_ten_seconds(void **state)
{
	(void)state;
	expect(NULL, 10000);
	expect("", 10000);
	expect("   ", 10000);
	expect("soon", 10000);
	expect("-5", 10000);
	expect("1.5e3x", 10000);
	expect("99999999999999", 10000);
	expect("99999999999999999999999999999999999999999", 10000);
	expect("7777777777777777777777777777777777777777777777777777777777"
	       "7777777777777777777777777777777777777777777777777777777777",
	       10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_digits_are_seconds),
		cmocka_unit_test(ten_digits_are_a_point_in_time),
		cmocka_unit_test(thirteen_digits_are_milliseconds),
		cmocka_unit_test(
			an_http_date_of_any_of_its_three_forms_is_read),
		cmocka_unit_test(an_iso_time_is_read),
		cmocka_unit_test(the_wait_is_from_a_second_to_an_hour),
		cmocka_unit_test(white_space_around_it_does_not_matter),
		cmocka_unit_test(what_cannot_be_read_is_ten_seconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
