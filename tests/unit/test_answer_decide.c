/* SPDX-License-Identifier: MIT
 *
 * test_answer_decide.c - a shop pressed accept or reject: what becomes of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/unit/one_run.h"

#include <cmocka.h> /* last: it has a macro called fail */

static struct decision d; /* the last one */

static int make(void **s)
{
	(void)s;
	us_begin();
	return 0;
}

static int unmake(void **s)
{
	(void)s;
	us_end();
	return 0;
}

/* The shop has the warehouses W and V, in that order. */
static enum rc press(enum verb verb)
{
	static const int64_t shop[] = {W, V};
	struct changes c = {0};
	struct err e;
	enum rc rc;

	d = (struct decision){
		.warehouses = shop,
		.n_warehouses = 2,
		.verb = verb,
		.reason = "out_of_stock",
		.note = "last one was broken",
		.device = 8,
		.device_name = "Till 1",
		.now = NOW,
	};
	offer_derive(NULL, &us.held);
	rc = answer_decide(&d, &us.held, &c, &e);
	if (rc)
		assert_int_equal(c.n, 0);
	else
		keep(&c);
	result_release(&us.result);
	us.result.changes = c;
	return rc;
}

static void expect_conflict(enum verb verb, const char *code)
{
	assert_int_equal(press(verb), RC_CONFLICT);
	assert_string_equal(d.conflict, code);
}

static unsigned tasks(void)
{
	unsigned n = 0;

	for (size_t i = 0; i < us.result.changes.n; i++) {
		const struct change *c = &us.result.changes.list[i];

		if (c->kind != CHANGE_TASK)
			continue;
		assert_string_equal(c->task.kind, TASK_ANSWER_OFFER);
		assert_int_equal(c->task.due, NOW);
		n++;
	}
	return n;
}

/* The journal's entry about the answer. */
static const struct entry *journalled(const char *verb)
{
	static const struct entry none;
	const struct entry *e = noted(FACT_ANSWERED, verb);

	assert_non_null(e);
	return e ? e : &none;
}

static void an_accept_is_kept_with_who_when_and_what(void **s)
{
	(void)s;
	opened(&us.held, W, at(10));
	assert_int_equal(press(VERB_ACCEPT), OK);
	assert_int_equal(d.warehouse, W);
	assert_string_equal(state_of(W), "accepting");
	assert_string_equal(answer_of(W)->opened, at(10));
	assert_int_equal(answer_of(W)->at, NOW);
	assert_int_equal(answer_of(W)->device, 8);
	assert_null(answer_of(W)->reason);
	assert_int_equal(tasks(), 1);
	assert_string_equal(journalled("accept")->by, "Till 1");
}

static void a_reject_keeps_its_reason(void **s)
{
	(void)s;
	opened(&us.held, W, at(10));
	assert_int_equal(press(VERB_REJECT), OK);
	assert_string_equal(state_of(W), "rejecting");
	assert_string_equal(answer_of(W)->reason, "out_of_stock");
	assert_string_equal(answer_of(W)->note, "last one was broken");
	assert_string_equal(journalled("reject")->by, "Till 1");
	assert_string_equal(journalled("reject")->reason,
			    "out_of_stock");
}

static void an_order_of_others_is_not_found(void **s)
{
	(void)s;
	assert_int_equal(press(VERB_ACCEPT), RC_NOTFOUND);
	opened(&us.held, 5, at(10));
	assert_int_equal(press(VERB_ACCEPT), RC_NOTFOUND);
	assert_int_equal(press(VERB_REJECT), RC_NOTFOUND);
}

static void the_same_again_stands(void **s)
{
	(void)s;
	opened(&us.held, W, at(10));
	assert_int_equal(press(VERB_ACCEPT), OK);
	assert_int_equal(press(VERB_ACCEPT), RC_EXISTS);
	assert_int_equal(d.warehouse, W);
	told(&us.held, W, SETTLED_OK);
	assert_int_equal(press(VERB_ACCEPT), RC_EXISTS);
}

static void the_same_reject_again_stands(void **s)
{
	(void)s;
	opened(&us.held, W, at(10));
	assert_int_equal(press(VERB_REJECT), OK);
	assert_int_equal(press(VERB_REJECT), RC_EXISTS);
	told(&us.held, W, SETTLED_OK);
	assert_int_equal(press(VERB_REJECT), RC_EXISTS);
}

static void the_first_answer_wins_over_the_opposite(void **s)
{
	(void)s;
	opened(&us.held, W, at(10));
	assert_int_equal(press(VERB_ACCEPT), OK);
	expect_conflict(VERB_REJECT, "answered");
	told(&us.held, W, SETTLED_OK);
	expect_conflict(VERB_REJECT, "answered");
}

static void a_reject_wins_over_a_later_accept(void **s)
{
	(void)s;
	opened(&us.held, W, at(10));
	assert_int_equal(press(VERB_REJECT), OK);
	expect_conflict(VERB_ACCEPT, "answered");
	told(&us.held, W, SETTLED_OK);
	expect_conflict(VERB_ACCEPT, "answered");
	/* Centra's echo of our own reject. */
	marked(&us.held, W, MARK_REJECTED, at(20));
	expect_conflict(VERB_ACCEPT, "answered");
	marked(&us.held, V, MARK_ACCEPTED, at(20));
	order_offer(&us.held, V)->shipped = false;
	cancelled(&us.held);
	expect_conflict(VERB_ACCEPT, "cancelled");
}

static void what_centra_ended_is_named(void **s)
{
	static const struct {
		enum mark mark;
		const char *code;
	} ends[] = {
		{MARK_REJECTED, "rejected"},
		{MARK_TIMED_OUT, "timed_out"},
	};

	(void)s;
	for (int i = 0; i < 2; i++) {
		us_begin();
		opened(&us.held, W, at(10));
		marked(&us.held, W, ends[i].mark, at(20));
		expect_conflict(VERB_ACCEPT, ends[i].code);
		assert_int_equal(d.warehouse, W);
	}
	expect_conflict(VERB_REJECT, "timed_out");
	marked(&us.held, 5, MARK_ACCEPTED, at(20));
	expect_conflict(VERB_ACCEPT, "taken");
	expect_conflict(VERB_REJECT, "taken");
}

static void what_centra_rejected_needs_no_reject(void **s)
{
	(void)s;
	opened(&us.held, W, at(10));
	marked(&us.held, W, MARK_REJECTED, at(20));
	assert_int_equal(press(VERB_REJECT), RC_EXISTS);
}

static void what_is_ours_without_an_answer_is_accepted(void **s)
{
	(void)s;
	opened(&us.held, W, at(10));
	marked(&us.held, W, MARK_ACCEPTED, at(20));
	assert_int_equal(press(VERB_ACCEPT), RC_EXISTS);
	expect_conflict(VERB_REJECT, "accepted");
	marked(&us.held, W, MARK_TIMED_OUT, at(30));
	assert_string_equal(state_of(W), "accepting");
	expect_conflict(VERB_REJECT, "accepted");
}

/* Only a look can tell whether it is ours; if it is open after all, Centra is
 * told what the shop has pressed meanwhile. */
static void an_accept_is_kept_while_events_contradict_each_other(void **s)
{
	(void)s;
	opened(&us.held, W, at(10));
	marked(&us.held, W, MARK_ACCEPTED, at(20));
	opened_until(&us.held, W, at(30), LATER + 1000);
	assert_string_equal(state_of(W), "accepting");
	assert_int_equal(press(VERB_ACCEPT), OK);
	assert_string_equal(answer_of(W)->opened, at(30));
	assert_int_equal(tasks(), 1);
	assert_string_equal(state_of(W), "accepting");
	assert_int_equal(press(VERB_ACCEPT), RC_EXISTS);
	expect_conflict(VERB_REJECT, "answered");
	centra_shows(DIRECT, true);
	run_answer();
	assert_int_equal(reply.looks, 1);
	assert_int_equal(reply.posts, 1);
	assert_string_equal(state_of(W), "accepted");
}

static void nor_is_it_told_where_a_look_settles_it(void **s)
{
	(void)s;
	opened(&us.held, W, at(10));
	marked(&us.held, W, MARK_ACCEPTED, at(20));
	opened_until(&us.held, W, at(30), LATER + 1000);
	assert_int_equal(press(VERB_ACCEPT), OK);
	centra_shows(W, false);
	run_answer();
	assert_int_equal(reply.posts, 0);
	assert_string_equal(state_of(W), "accepted");
	assert_int_equal(answer_of(W)->settled, SETTLED_OK);
}

/* Centra may hold to what it said, and say no to saying it twice. */
static void after_an_ok_to_an_older_offer_a_look_comes_first(void **s)
{
	(void)s;
	opened(&us.held, W, at(10));
	assert_int_equal(press(VERB_ACCEPT), OK);
	told(&us.held, W, SETTLED_OK);
	opened_until(&us.held, W, at(30), LATER + 1000);
	assert_string_equal(state_of(W), "accepting");
	assert_int_equal(press(VERB_ACCEPT), OK);
	assert_true(answer_of(W)->unknown);
	centra_shows(W, false);
	run_answer();
	assert_int_equal(reply.posts, 0);
	assert_string_equal(state_of(W), "accepted");
}

static void one_answer_of_a_shop_is_under_way_at_a_time(void **s)
{
	(void)s;
	opened(&us.held, V, at(25));
	assert_int_equal(press(VERB_ACCEPT), OK);
	assert_int_equal(d.warehouse, V);
	marked(&us.held, W, MARK_ACCEPTED, at(20));
	opened(&us.held, W, at(30));
	assert_string_equal(state_of(W), "accepting");
	assert_string_equal(state_of(V), "accepting");
	assert_int_equal(press(VERB_ACCEPT), RC_EXISTS);
	assert_int_equal(d.warehouse, V);
}

static void refused_is_not_final(void **s)
{
	(void)s;
	opened(&us.held, W, at(10));
	assert_int_equal(press(VERB_ACCEPT), OK);
	told(&us.held, W, SETTLED_NO);
	assert_string_equal(state_of(W), "refused");
	assert_int_equal(press(VERB_ACCEPT), OK);
	assert_string_equal(state_of(W), "accepting");
	told(&us.held, W, SETTLED_NO);
	assert_int_equal(press(VERB_REJECT), OK);
	assert_string_equal(state_of(W), "rejecting");
}

static void refused_ends_when_centra_ends_the_offer(void **s)
{
	(void)s;
	opened(&us.held, W, at(10));
	assert_int_equal(press(VERB_ACCEPT), OK);
	told(&us.held, W, SETTLED_NO);
	marked(&us.held, W, MARK_TIMED_OUT, at(20));
	expect_conflict(VERB_ACCEPT, "timed_out");
}

static void a_new_offer_may_be_answered_anew(void **s)
{
	(void)s;
	opened(&us.held, W, at(10));
	assert_int_equal(press(VERB_REJECT), OK);
	told(&us.held, W, SETTLED_OK);
	opened_until(&us.held, W, at(30), LATER + 1000);
	assert_int_equal(press(VERB_ACCEPT), OK);
	assert_string_equal(answer_of(W)->opened, at(30));
}

static void an_expired_offer_may_still_be_accepted(void **s)
{
	(void)s;
	opened_until(&us.held, W, at(10), NOW - 1);
	assert_int_equal(press(VERB_ACCEPT), OK);
}

static void accept_takes_the_first_pending_warehouse(void **s)
{
	(void)s;
	opened(&us.held, W, at(10));
	opened(&us.held, V, at(10));
	assert_int_equal(press(VERB_ACCEPT), OK);
	assert_int_equal(d.warehouse, W);
	assert_int_equal(tasks(), 1);
	assert_string_equal(state_of(V), "pending");
	assert_int_equal(press(VERB_ACCEPT), RC_EXISTS);
	expect_conflict(VERB_REJECT, "answered");
	/* The one that was refused comes after the one not asked yet. */
	told(&us.held, W, SETTLED_NO);
	assert_int_equal(press(VERB_ACCEPT), OK);
	assert_int_equal(d.warehouse, V);
}

static void accept_passes_over_what_has_ended(void **s)
{
	(void)s;
	opened(&us.held, W, at(10));
	opened(&us.held, V, at(10));
	marked(&us.held, W, MARK_TIMED_OUT, at(20));
	assert_int_equal(press(VERB_ACCEPT), OK);
	assert_int_equal(d.warehouse, V);
}

static void reject_answers_every_warehouse_of_the_shop(void **s)
{
	(void)s;
	opened(&us.held, W, at(10));
	opened(&us.held, V, at(10));
	assert_int_equal(press(VERB_REJECT), OK);
	assert_int_equal(tasks(), 2);
	assert_string_equal(state_of(W), "rejecting");
	assert_string_equal(state_of(V), "rejecting");
	expect_conflict(VERB_ACCEPT, "answered");
}

static void an_accept_seen_without_a_create_may_be_answered(void **s)
{
	(void)s;
	marked(&us.held, W, MARK_ACCEPTED, at(20));
	found(&us.held, W, FOUND_OPEN, 0);
	assert_string_equal(state_of(W), "pending");
	assert_int_equal(press(VERB_ACCEPT), OK);
	assert_string_equal(state_of(W), "accepting");
}

#define rule(name) cmocka_unit_test_setup_teardown(name, make, unmake)

/* Centra says no, because it is ours already. */
static void nor_is_a_no_believed_after_a_lost_try_for_an_older_offer(void **s)
{
	(void)s;
	opened(&us.held, W, at(10));
	assert_int_equal(press(VERB_ACCEPT), OK);
	try_begun(&us.held, W);
	try_ended(&us.held, W, TRY_UNKNOWN);
	opened_until(&us.held, W, at(30), LATER + 1000);
	offer_derive(NULL, &us.held);
	assert_string_equal(state_of(W), "pending");
	assert_int_equal(press(VERB_ACCEPT), OK);
	centra_shows(W, false);
	reply.say = SAYS_NO;
	run_answer();
	assert_string_equal(state_of(W), "accepted");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		rule(an_accept_is_kept_with_who_when_and_what),
		rule(a_reject_keeps_its_reason),
		rule(an_order_of_others_is_not_found),
		rule(the_same_again_stands),
		rule(the_same_reject_again_stands),
		rule(the_first_answer_wins_over_the_opposite),
		rule(a_reject_wins_over_a_later_accept),
		rule(what_centra_ended_is_named),
		rule(what_centra_rejected_needs_no_reject),
		rule(what_is_ours_without_an_answer_is_accepted),
		rule(an_accept_is_kept_while_events_contradict_each_other),
		rule(nor_is_it_told_where_a_look_settles_it),
		rule(after_an_ok_to_an_older_offer_a_look_comes_first),
		rule(nor_is_a_no_believed_after_a_lost_try_for_an_older_offer),
		rule(one_answer_of_a_shop_is_under_way_at_a_time),
		rule(refused_is_not_final),
		rule(refused_ends_when_centra_ends_the_offer),
		rule(a_new_offer_may_be_answered_anew),
		rule(an_expired_offer_may_still_be_accepted),
		rule(accept_takes_the_first_pending_warehouse),
		rule(accept_passes_over_what_has_ended),
		rule(reject_answers_every_warehouse_of_the_shop),
		rule(an_accept_seen_without_a_create_may_be_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
