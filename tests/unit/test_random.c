/* SPDX-License-Identifier: MIT
 *
 * test_random.c - random bytes from the kernel (base/random.h).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"

#define LEN ((size_t)1 << 20) /* more than the kernel gives at once */

static void each_part_of_a_large_buffer_is_filled(void **state)
{
	static unsigned char bytes[LEN], none[64];

	(void)state;
	assert_true(random_bytes(bytes, LEN));
	for (size_t i = 0; i < LEN; i += sizeof(none))
		assert_memory_not_equal(bytes + i, none, sizeof(none));
}

static void two_numbers_differ(void **state)
{
	(void)state;
	assert_true(random_number() != random_number());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_part_of_a_large_buffer_is_filled),
		cmocka_unit_test(two_numbers_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
