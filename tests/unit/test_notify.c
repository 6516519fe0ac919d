/* SPDX-License-Identifier: MIT
 *
 * What becomes of webhooks that a shop's own system does not take
 * (handlers/notify.h).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "handlers/docs.h"
#include "handlers/notify.h"
#include "handlers/outgoing.h"
#include "tests/unit/canned.h"

#include <cmocka.h>

#define NOW  INT64_C(1700000000000)
#define DAY  INT64_C(86400000)
#define SHOP "amsterdam"

/* The documents of the store. */
static struct doc kept[150];
static size_t n_kept;

static enum rc one(const struct work *w, const char *kind, const char *key,
		   struct doc *ret, struct err *e)
{
	return doc_name(ret, kind, w->task->instance, key, e);
}

static enum rc keyed(const struct work *w, const char *kind, const char *from,
		     bool (*fn)(void *arg, const struct doc *d), void *arg,
		     struct err *e)
{
	(void)w, (void)kind, (void)e;
	for (size_t i = 0; i < n_kept; i++)
		if (strcmp(kept[i].key, from) >= 0 && !fn(arg, &kept[i]))
			break;
	return OK;
}

static void keep(int64_t number, int nth, enum outgoing_list list, int64_t at)
{
	struct doc *d = &kept[n_kept++];
	char prefix[DOC_KEY_SIZE], key[DOC_KEY_SIZE + 32];
	struct err e;

	outgoing_of_order(prefix, SHOP, number);
	snprintf(key, sizeof(key), "%s%014d/000", prefix, nth);
	assert_int_equal(doc_name(d, KIND_OUTGOING, "se", key, &e), OK);
	d->rev = n_kept;
	outgoing_list(d->list, SHOP, list);
	d->at = at;
	d->text = xstrdup("{}");
}

static size_t reports, given_up;

static void report(const struct work *w, const struct notify_report *r)
{
	(void)w;
	reports++;
	given_up += r->given_up;
}

/* A run of the task of order 7, whose system is not there. */
struct run {
	struct task task;
	struct docs docs;
	struct notify_hands hands;
	struct work w;
	struct order order;
};

static int setup(void **state)
{
	const struct subscriber_options nobody = {
		.url = "http://127.0.0.1:1/",
		.secret = "s",
		.may_http = true,
		.may_private = true,
	};
	struct run *r = xcalloc(1, sizeof(*r));

	reports = given_up = n_kept = 0;
	snprintf(r->task.kind, sizeof(r->task.kind), "%s", TASK_NOTIFY);
	snprintf(r->task.instance, sizeof(r->task.instance), "se");
	r->task.number = 7;
	r->task.sub = notify_sub(SHOP);
	r->task.created = NOW;
	r->docs = (struct docs){.one = one, .keyed = keyed};
	r->hands = (struct notify_hands){.shop = SHOP,
					 .to = subscriber_open(),
					 .report = report};
	subscriber_set(r->hands.to, &nobody);
	r->w = (struct work){.task = &r->task,
			     .order = &r->order,
			     .now = NOW,
			     .docs = &r->docs,
			     .notify = &r->hands};
	*state = r;
	return 0;
}

static int end(void **state)
{
	struct run *r = *state;

	result_release(&r->w.result);
	subscriber_close(r->hands.to);
	for (size_t i = 0; i < n_kept; i++)
		doc_release(&kept[i]);
	free(r);
	return 0;
}

static enum outcome run(struct run *r, unsigned attempts)
{
	r->task.attempts = attempts;
	r->w.result.only_if.set = true;
	handle_notify(&r->w, 1);
	assert_false(r->w.result.only_if.set);
	return r->w.result.how;
}

/* How many documents the run moves into the list of the dead. */
static size_t moved_to_the_dead(const struct run *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->w.result.changes.n; i++) {
		const struct change *c = &r->w.result.changes.list[i];

		n += c->kind == CHANGE_DOC && c->doc.only_if &&
		     !strcmp(c->doc.doc.list, SHOP "/dead");
	}
	return n;
}

#define TOOK "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

static void many_go_in_calls_of_a_hundred_the_oldest_first(void **state)
{
	static const struct canned_step script[] = {{CANNED_KEEP, TOOK},
						    {CANNED_END, NULL}};
	struct canned *server = canned_start(script);
	struct run *r = *state;
	const struct change *c;
	char url[64];

	snprintf(url, sizeof(url), "http://127.0.0.1:%u/",
		 canned_port(server));
	subscriber_set(r->hands.to,
		       &(struct subscriber_options){.url = url,
						    .secret = "s",
						    .may_http = true,
						    .may_private = true});
	for (int i = 0; i < 150; i++)
		keep(7, i, OUTGOING_WAITING, NOW);
	assert_int_equal(run(r, 0), OUTCOME_DONE);
	assert_int_equal(canned_requests(server), 1);
	/* Those of the call are done, what the system knows is kept, and the
	 * task runs again at once. */
	assert_int_equal(r->w.result.changes.n, NOTIFY_AT_ONCE + 2);
	for (size_t i = 0; i < NOTIFY_AT_ONCE; i++) {
		c = &r->w.result.changes.list[i];
		assert_string_equal(c->doc.doc.key, kept[i].key);
		assert_string_equal(c->doc.doc.list, SHOP "/done");
		assert_true(c->doc.only_if);
	}
	c = &r->w.result.changes.list[NOTIFY_AT_ONCE];
	assert_string_equal(c->doc.doc.kind, KIND_RECEIVER);
	c++;
	assert_int_equal(c->kind, CHANGE_TASK);
	assert_string_equal(c->task.kind, TASK_NOTIFY);
	assert_int_equal(c->task.sub, r->task.sub);
	canned_stop(server);
}

static void a_call_that_was_held_back_gives_nothing_up(void **state)
{
	struct run *r = *state;

	keep(7, 1, OUTGOING_WAITING, NOW - 30 * DAY);
	assert_int_equal(run(r, 0), OUTCOME_RETRY); /* and holds the next back */
	assert_int_equal(run(r, 20), OUTCOME_RETRY);
	assert_int_equal(moved_to_the_dead(r), 0);
}

static void after_five_days_all_of_an_order_is_given_up(void **state)
{
	struct run *r = *state;

	keep(6, 1, OUTGOING_WAITING, NOW - 9 * DAY); /* of another order */
	keep(7, 1, OUTGOING_DONE, NOW - 6 * DAY);
	keep(7, 2, OUTGOING_WAITING, NOW - 5 * DAY);
	keep(7, 3, OUTGOING_WAITING, NOW);
	assert_int_equal(run(r, 2), OUTCOME_DEAD);
	assert_int_equal(moved_to_the_dead(r), 2);
	assert_int_equal(given_up, 2);
}

static void what_is_younger_waits_for_its_next_try(void **state)
{
	struct run *r = *state;

	keep(7, 1, OUTGOING_WAITING, NOW - 5 * DAY + 60000);
	assert_int_equal(run(r, 20), OUTCOME_RETRY);
	assert_int_equal(r->w.result.changes.n, 0);
	assert_true(r->w.result.due > NOW);
}

static void a_first_failure_gives_nothing_up(void **state)
{
	struct run *r = *state;

	/* The machine was off for days. */
	keep(7, 1, OUTGOING_WAITING, NOW - 30 * DAY);
	assert_int_equal(run(r, 1), OUTCOME_RETRY);
	assert_int_equal(moved_to_the_dead(r), 0);
}

static void a_clock_that_is_not_sure_gives_nothing_up(void **state)
{
	struct run *r = *state;

	r->w.clock_unsure = true;
	keep(7, 1, OUTGOING_WAITING, NOW - 30 * DAY);
	assert_int_equal(run(r, 20), OUTCOME_RETRY);
	assert_int_equal(moved_to_the_dead(r), 0);
}

static void nothing_newer_goes_past_what_was_given_up(void **state)
{
	struct run *r = *state;

	keep(7, 1, OUTGOING_DEAD, NOW - DAY);
	keep(7, 2, OUTGOING_WAITING, NOW);
	assert_int_equal(run(r, 2), OUTCOME_DEAD);
	assert_int_equal(moved_to_the_dead(r), 1);
}

static void where_nothing_waits_nobody_is_called(void **state)
{
	struct run *r = *state;

	keep(7, 1, OUTGOING_DONE, NOW);
	assert_int_equal(run(r, 0), OUTCOME_DONE);
	assert_int_equal(reports, 0);
	assert_false(subscriber_is_away(r->hands.to));
}

static void without_an_address_it_waits_as_for_one_that_fails(void **state)
{
	struct run *r = *state;
	struct subscriber *to = r->hands.to;

	r->hands.to = NULL;
	keep(7, 1, OUTGOING_WAITING, NOW);
	assert_int_equal(run(r, 0), OUTCOME_RETRY);
	assert_non_null(strstr(r->w.result.reason.text, "notify_url"));
	r->hands.to = to;
}

static void a_shop_that_is_gone_keeps_its_tasks_for_days(void **state)
{
	struct run *r = *state;

	r->hands.shop = NULL;
	assert_int_equal(run(r, 0), OUTCOME_RETRY);
	r->w.result.how = OUTCOME_DONE;
	r->task.created = NOW - 5 * DAY;
	assert_int_equal(run(r, 0), OUTCOME_DONE);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(many_go_in_calls_of_a_hundred_the_oldest_first),
		T(a_call_that_was_held_back_gives_nothing_up),
		T(after_five_days_all_of_an_order_is_given_up),
		T(what_is_younger_waits_for_its_next_try),
		T(a_first_failure_gives_nothing_up),
		T(a_clock_that_is_not_sure_gives_nothing_up),
		T(nothing_newer_goes_past_what_was_given_up),
		T(where_nothing_waits_nobody_is_called),
		T(without_an_address_it_waits_as_for_one_that_fails),
		T(a_shop_that_is_gone_keeps_its_tasks_for_days),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
