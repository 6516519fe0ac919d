/* SPDX-License-Identifier: MIT
 *
 * test_base.c - errors and memory.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

/* cmocka has a fail() too: it comes after ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#undef fail

static void fail_leaves_the_sentence_and_returns_the_rc(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(fail(&e, RC_FULL, "no room for '%s' (%d)", "x", 7),
			 RC_FULL);
	assert_string_equal(e.text, "no room for 'x' (7)");
}

static void fail_without_an_err_only_returns_the_rc(void **state)
{
	(void)state;
	assert_int_equal(fail(NULL, RC_IO, "%d", 1), RC_IO);
}

static void a_sentence_may_be_made_from_the_one_before(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(fail(&e, RC_IO, "disk failed"), RC_IO);
	assert_int_equal(fail(&e, RC_IO, "store: %s", e.text), RC_IO);
	assert_string_equal(e.text, "store: disk failed");
}

static void a_long_sentence_is_cut_to_fit(void **state)
{
	char name[1000];
	struct err e;

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(fail(&e, RC_INVALID, "%s", name), RC_INVALID);
	assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
}

static void every_rc_has_its_own_name(void **state)
{
	int a, b;

	(void)state;
	for (a = OK; a <= RC_DAMAGED; a++) {
		assert_string_not_equal(rc_name(a), "unknown");
		for (b = OK; b < a; b++)
			assert_string_not_equal(rc_name(a), rc_name(b));
	}
	assert_string_equal(rc_name(RC_DAMAGED + 1), "unknown");
}

static void copies_end_with_a_nul(void **state)
{
	char *s = xmemdup("abc", 2);

	(void)state;
	assert_string_equal(s, "ab");
	free(s);
	s = xstrndup("abc", 2);
	assert_string_equal(s, "ab");
	free(s);
	s = xstrndup("abc", 9);
	assert_string_equal(s, "abc");
	free(s);
	s = xasprintf("%s-%d", "a", 5);
	assert_string_equal(s, "a-5");
	free(s);
	assert_null(xstrdup(NULL));
	assert_null(xstrndup(NULL, 3));
}

static void memory_of_no_bytes_is_still_memory(void **state)
{
	void *p = xcalloc(0, 8);

	(void)state;
	assert_non_null(p);
	p = xrealloc(p, 0, 8);
	assert_non_null(p);
	free(p);
}

static void a_text_that_does_not_fit_is_not_cut_but_refused(void **state)
{
	char dst[4] = "old";

	(void)state;
	assert_true(copy_text(dst, sizeof(dst), "abc"));
	assert_string_equal(dst, "abc");
	assert_false(copy_text(dst, sizeof(dst), "abcd"));
	assert_string_equal(dst, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fail_leaves_the_sentence_and_returns_the_rc),
		cmocka_unit_test(fail_without_an_err_only_returns_the_rc),
		cmocka_unit_test(a_sentence_may_be_made_from_the_one_before),
		cmocka_unit_test(a_long_sentence_is_cut_to_fit),
		cmocka_unit_test(every_rc_has_its_own_name),
		cmocka_unit_test(copies_end_with_a_nul),
		cmocka_unit_test(memory_of_no_bytes_is_still_memory),
		cmocka_unit_test(
			a_text_that_does_not_fit_is_not_cut_but_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
