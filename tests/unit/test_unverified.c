/* SPDX-License-Identifier: MIT
 *
 * test_unverified.c - what strangers send takes a bounded room in memory, and the
 * newest of it is what is kept.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "server/webhook/receive_private.h"

/* cmocka has a fail() too: it comes after ours. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#define ROOM 10000

static struct counters counters;
static struct receiver receiver = {.its.counters = &counters};

static void keep(struct unverified *r, size_t len, int64_t now)
{
	char *body = xcalloc(len + 1, 1);

	unverified_keep(r, "se", "192.0.2.1", "t=1,v1=ab", body, len, now);
	free(body);
}

static void the_room_is_bounded_and_the_oldest_go(void **state)
{
	struct unverified *r = unverified_open(&receiver, ROOM);
	size_t n, bytes, before = 0;

	(void)state;
	counters = (struct counters){0};
	for (int i = 0; i < 1000; i++) {
		keep(r, 100, i);
		unverified_count(r, &n, &bytes);
		assert_true(bytes <= ROOM);
		assert_true(n >= before || bytes > ROOM / 2);
		before = n;
	}
	assert_true(n > 5);
	assert_int_equal(counters.webhooks_refused_dropped_total, 1000 - n);
	/* A large one makes room for itself. */
	keep(r, ROOM / 2, 2000);
	unverified_count(r, &n, &bytes);
	assert_true(bytes > ROOM / 2 && bytes <= ROOM);
	unverified_close(r);
}

static void one_larger_than_all_the_room_costs_the_others_nothing(void **state)
{
	struct unverified *r = unverified_open(&receiver, ROOM);
	size_t n, bytes;

	(void)state;
	keep(r, 100, 1);
	keep(r, ROOM, 2);
	unverified_count(r, &n, &bytes);
	assert_int_equal(n, 1);
	unverified_close(r);
}

static void an_empty_body_counts_too(void **state)
{
	struct unverified *r = unverified_open(&receiver, ROOM);
	size_t n, bytes;

	(void)state;
	for (int i = 0; i < 1000; i++)
		unverified_keep(r, "se", NULL, "", NULL, 0, i);
	unverified_count(r, &n, &bytes);
	assert_true(n > 0 && n <= ROOM / 100);
	unverified_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_room_is_bounded_and_the_oldest_go),
		cmocka_unit_test(
			one_larger_than_all_the_room_costs_the_others_nothing),
		cmocka_unit_test(an_empty_body_counts_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
