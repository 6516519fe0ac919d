/* SPDX-License-Identifier: MIT
 *
 * suite.h - tests of store.h, which are run for each engine.
 *
 * They include store/store.h and store/model/ alone: what they say holds for
 * every engine.  The state of a test is the URL of a place where no store is
 * yet; opening it a second time finds what the first left.
 */
#ifndef TESTS_STORE_SUITE_H
#define TESTS_STORE_SUITE_H

#include "tests/store/words.h"

#include <unistd.h>

/* Setup and teardown: a place for a store, and its end. */
int fresh_place(void **state);
int remove_place(void **state);

#define FRESH(f) cmocka_unit_test_setup_teardown(f, fresh_place, remove_place)

/* Runs n tests for each engine of the table in suite.c; main() returns it. */
int run_for_each_engine(const struct CMUnitTest *tests, size_t n);

#define RUN(tests) run_for_each_engine(tests, sizeof(tests) / sizeof(*(tests)))

UNUSED static struct store *open_serve(const char *url)
{
	struct store_options o = {
		.url = url,
		.max_bytes = (size_t)256 << 20,
		.serve = true,
	};

	return open_with(&o);
}

#endif
