/* SPDX-License-Identifier: MIT
 *
 * How many webhooks are kept for a shop's own system, and for how long
 * (server/worker/outgoing.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"
#include "handlers/outgoing.h"
#include "server/worker/worker_private.h"
#include "tests/unit/fixture.h"

#include <cmocka.h>

#define DAY  INT64_C(86400000)
#define SHOP "amsterdam"

static struct worker_parts parts;
static int64_t now;

static void clock_is_sure(struct fixture *f)
{
	clock_told(&f->app.clock, time_now(), time_mono());
	assert_true(clock_confirmed(&f->app.clock));
}

static struct fixture *start(const char *server_lines)
{
	struct fixture *f = fixture_start(server_lines);

	parts = (struct worker_parts){
		.store = f->app.store,
		.config = f->app.config,
		.counters = &f->app.counters,
		.clock = &f->app.clock,
		.failed = &f->app.failed,
	};
	now = time_now();
	return f;
}

struct some {
	enum outgoing_list list;
	int64_t first, n, at;
};

static enum rc add(void *arg, const struct doc *docs, size_t n,
		   struct doc_writes *ret, struct err *e)
{
	const struct some *s = arg;
	char text[] = "{}", key[DOC_KEY_SIZE + 32], prefix[DOC_KEY_SIZE];
	struct doc d;

	(void)docs, (void)n;
	for (int64_t i = 0; i < s->n; i++) {
		outgoing_of_order(prefix, SHOP, s->first + i);
		snprintf(key, sizeof(key), "%s%014d/000", prefix, 1);
		assert_int_equal(doc_name(&d, KIND_OUTGOING, "se", key, e), OK);
		outgoing_list(d.list, SHOP, s->list);
		d.at = s->at + i;
		d.text = text;
		doc_writes_put(ret, &d);
	}
	return OK;
}

/* Adds a webhook of each of n orders, a ms apart. */
static void keep_some(enum outgoing_list list, int64_t first, int64_t n,
		      int64_t at)
{
	struct some s = {list, first, 0, at};
	struct err e;

	for (; n > 0; n -= s.n, s.first += s.n, s.at += s.n) {
		s.n = n < 1000 ? n : 1000;
		assert_int_equal(store_docs_update(parts.store, NULL, 0, add,
						   &s, NULL, now, NULL, &e),
				 OK);
	}
}

/* Takes steps until one finds nothing to remove. */
static void bound(void)
{
	for (int i = 0; i < 1000; i++)
		if (outgoing_step(&parts) >= 10000)
			return;
	fail_msg("it never ends");
}

static bool count(void *arg, const struct doc *d)
{
	(void)d;
	++*(int64_t *)arg;
	return true;
}

static int64_t left(enum outgoing_list which)
{
	char list[DOC_LIST_SIZE];
	int64_t n = 0;
	struct err e;

	outgoing_list(list, SHOP, which);
	assert_int_equal(store_docs_listed(parts.store, KIND_OUTGOING, "se",
					   list, NULL, count, &n, &e),
			 OK);
	return n;
}

/* The order of the first in the list. */
static bool first_number(void *arg, const struct doc *d)
{
	*(int64_t *)arg = outgoing_number(d->key);
	return false;
}

static int64_t oldest(enum outgoing_list which)
{
	char list[DOC_LIST_SIZE];
	int64_t ret = 0;
	struct err e;

	outgoing_list(list, SHOP, which);
	assert_int_equal(store_docs_listed(parts.store, KIND_OUTGOING, "se",
					   list, NULL, first_number, &ret, &e),
			 OK);
	return ret;
}

static int64_t dropped(void)
{
	struct notify_state state = {0};
	struct doc d;
	struct err e;

	if (!store_doc(parts.store, KIND_RECEIVER, "se", SHOP, &d, &e)) {
		notify_state_read(&d, &state);
		doc_release(&d);
	}
	assert_int_equal(state.dropped, atomic_load(&parts.counters
						   ->outgoing_dropped_total));
	return state.dropped;
}

static void the_oldest_go_and_those_given_up_first(void **state)
{
	struct fixture *f = start("");

	(void)state;
	keep_some(OUTGOING_DEAD, 1, 300, now - DAY);
	keep_some(OUTGOING_WAITING, 1001, OUTGOING_MOST - 100, now - DAY);
	keep_some(OUTGOING_DONE, 20001, 500, now);
	bound();
	assert_int_equal(left(OUTGOING_DEAD), 100);
	assert_int_equal(oldest(OUTGOING_DEAD), 201);
	assert_int_equal(left(OUTGOING_WAITING), OUTGOING_MOST - 100);
	assert_int_equal(dropped(), 200);

	keep_some(OUTGOING_WAITING, 30001, 150, now);
	bound();
	assert_int_equal(left(OUTGOING_DEAD), 0);
	assert_int_equal(left(OUTGOING_WAITING), OUTGOING_MOST);
	assert_int_equal(oldest(OUTGOING_WAITING), 1051);
	assert_int_equal(left(OUTGOING_DONE), 500);
	assert_int_equal(dropped(), 350);
	fixture_stop(f);
}

static void what_is_to_be_tried_stays_whatever_keep_outgoing_says(void **state)
{
	struct fixture *f = start("keep_outgoing = 1d\n");

	(void)state;
	clock_is_sure(f);
	keep_some(OUTGOING_WAITING, 1, 1, now - 7 * DAY);
	keep_some(OUTGOING_WAITING, 2, 1, now - 5 * DAY);
	keep_some(OUTGOING_DEAD, 3, 1, now - 2 * DAY);
	bound();
	assert_int_equal(left(OUTGOING_WAITING), 1);
	assert_int_equal(oldest(OUTGOING_WAITING), 2);
	assert_int_equal(left(OUTGOING_DEAD), 0);
	assert_int_equal(dropped(), 2);
	fixture_stop(f);
}

static void an_unsure_clock_removes_nothing(void **state)
{
	struct fixture *f = start("keep_outgoing = 1d\n");

	(void)state;
	keep_some(OUTGOING_WAITING, 1, 1, now - 90 * DAY);
	keep_some(OUTGOING_DEAD, 2, 1, now - 90 * DAY);
	bound();
	assert_int_equal(left(OUTGOING_WAITING), 1);
	assert_int_equal(left(OUTGOING_DEAD), 1);
	fixture_stop(f);
}

static bool copy_task(void *arg, const struct task *t)
{
	*(struct task *)arg = *t;
	((struct task *)arg)->reason = NULL;
	return true;
}

/* So it keeps no order from its age. */
static void a_task_that_was_given_up_ends_with_its_webhooks(void **state)
{
	struct fixture *f = start("keep_outgoing = 1d\n");
	struct task t = {0};
	struct err e;

	(void)state;
	clock_is_sure(f);
	keep_some(OUTGOING_DEAD, 7, 1, now - 2 * DAY);
	bound();
	assert_int_equal(store_tasks(parts.store, false, 0, copy_task, &t, &e),
			 OK);
	assert_string_equal(t.kind, TASK_NOTIFY);
	assert_int_equal(t.number, 7);
	assert_int_equal(t.sub, notify_sub(SHOP));
	assert_false(t.dead);
	fixture_stop(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_oldest_go_and_those_given_up_first),
		cmocka_unit_test(
			what_is_to_be_tried_stays_whatever_keep_outgoing_says),
		cmocka_unit_test(an_unsure_clock_removes_nothing),
		cmocka_unit_test(a_task_that_was_given_up_ends_with_its_webhooks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
