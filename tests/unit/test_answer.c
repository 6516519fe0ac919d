/* SPDX-License-Identifier: MIT
 *
 * test_answer.c - telling Centra an answer, step by step (OFFERS 3).  Deciding
 * is in test_answer_decide.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "handlers/run.h"
#include "tests/unit/one_run.h"

#include <cmocka.h> /* last: it has a macro called fail */

static int make(void **s)
{
	(void)s;
	us_begin();
	opened(&us.held, W, at(10));
	opened(&us.held, V, at(10));
	answered(&us.held, W, VERB_ACCEPT, at(10));
	offer_derive(NULL, &us.held);
	return 0;
}

static int unmake(void **s)
{
	(void)s;
	us_end();
	return 0;
}

static void answer_is_reject(void)
{
	answered(&us.held, W, VERB_REJECT, at(10));
}

static void expect_done(const char *state)
{
	assert_int_equal(us.result.how, OUTCOME_DONE);
	assert_string_equal(state_of(W), state);
	assert_int_not_equal(answer_of(W)->settled, SETTLED_NOT);
	assert_int_equal(answer_of(W)->try_begun, 0);
}

static void expect_retry(const char *state)
{
	assert_int_equal(us.result.how, OUTCOME_RETRY);
	assert_true(us.result.due >= us.now);
	assert_string_not_equal(us.result.reason.text, "");
	assert_string_equal(state_of(W), state);
	assert_int_equal(answer_of(W)->settled, SETTLED_NOT);
	assert_int_equal(answer_of(W)->try_begun, 0);
}

static void an_accept_that_centra_takes_is_accepted(void **s)
{
	(void)s;
	run_answer();
	expect_done("accepted");
	assert_true(reply.accept);
	assert_int_equal(us.tries, 1);
	assert_int_equal(reply.looks, 0);
	assert_int_equal(us.calls, 1);
	assert_true(us.fetch_asked);
	assert_non_null(noted(FACT_REPLY, "ok"));
	run_answer(); /* once more, as after a crash */
	assert_int_equal(reply.posts, 1);
}

static void an_accept_that_centra_refuses_keeps_the_text(void **s)
{
	(void)s;
	reply.say = SAYS_NO;
	run_answer();
	expect_done("refused");
	assert_string_equal(answer_of(W)->refusal, "failed to allocate stock");
	assert_int_equal(reply.looks, 0);
	assert_int_equal(us.alarms, 0);
}

static void a_fault_of_ours_raises_the_alarm(void **s)
{
	(void)s;
	reply.say = SAYS_NO;
	reply.our_fault = true;
	run_answer();
	expect_done("refused");
	assert_int_equal(us.alarms, 1);
}

static void an_order_that_centra_does_not_know_is_no_alarm(void **s)
{
	(void)s;
	reply.say = SAYS_NO;
	reply.no_order = true;
	run_answer();
	expect_done("refused");
	assert_int_equal(us.alarms, 0);
}

static void an_order_that_graphql_shows_and_the_order_api_hides_is(void **s)
{
	(void)s;
	reply.say = SAYS_NO;
	reply.no_order = true;
	assert_true(copy_text(us.held.status, sizeof(us.held.status),
			      "PENDING"));
	run_answer();
	expect_done("refused");
	assert_int_equal(us.alarms, 1);
}

static void a_try_that_did_not_reach_centra_is_made_again(void **s)
{
	(void)s;
	reply.say = NOT_REACHED;
	run_answer();
	expect_retry("accepting");
	assert_int_equal(us.result.due, NOW + 500);
	reply.say = SAYS_OK;
	run_answer();
	expect_done("accepted");
	assert_int_equal(reply.looks, 0);
}

static void a_refused_key_parks_as_the_gate_says_and_raises_the_alarm(void **s)
{
	(void)s;
	reply.say = KEY_REFUSED;
	us.attempts = 30; /* the gate grows the waits, not the task */
	run_answer();
	expect_retry("accepting");
	assert_true(us.result.due >= NOW + 5000);
	assert_true(us.result.due < NOW + 6000);
	assert_int_equal(us.alarms, 1);
}

static void a_call_that_is_held_is_no_try(void **s)
{
	(void)s;
	stub_centra.hold = 9000;
	run_answer();
	assert_int_equal(us.result.how, OUTCOME_RETRY);
	assert_true(us.result.due >= NOW + 9000);
	assert_int_equal(us.tries, 0);
	assert_int_equal(reply.posts, 0);
	stub_centra.hold = 0;
	run_answer();
	expect_done("accepted");
}

static void too_many_calls_wait_as_told(void **s)
{
	(void)s;
	reply.say = TOO_MANY;
	run_answer();
	expect_retry("accepting");
	assert_true(us.result.due >= NOW + 77000);
	assert_int_equal(us.alarms, 0);
}

static void an_unknown_accept_is_looked_at_before_the_next_try(void **s)
{
	(void)s;
	reply.say = CUT;
	run_answer();
	expect_retry("accepting");
	centra_shows(W, false);
	run_answer();
	expect_done("accepted");
	assert_int_equal(reply.posts, 1);
	assert_int_equal(answer_of(W)->settled, SETTLED_OK);
	heard(&us.held); /* the finding grows old; the ok stays */
	assert_string_equal(state_of(W), "accepted");
}

static void an_unknown_accept_that_another_won_is_taken(void **s)
{
	(void)s;
	reply.say = CUT;
	run_answer();
	centra_shows(V, false);
	run_answer();
	expect_done("taken");
	assert_int_equal(reply.posts, 1);
}

static void an_unknown_accept_is_tried_again_while_the_order_is_open(void **s)
{
	(void)s;
	reply.say = CUT;
	run_answer();
	centra_shows(DIRECT, true);
	reply.say = SAYS_OK;
	run_answer();
	expect_done("accepted");
	assert_int_equal(reply.posts, 2);
	assert_int_equal(reply.looks, 1);
	heard(&us.held);
	assert_string_equal(state_of(W), "accepted");
}

static void without_a_look_an_unknown_accept_is_never_tried_again(void **s)
{
	(void)s;
	reply.say = CUT;
	run_answer();
	reply.say = SAYS_OK;
	for (int i = 0; i < 3; i++) {
		reply.look = i % 2 ? HIDES : FAILS;
		run_answer();
		expect_retry("accepting");
	}
	assert_int_equal(reply.posts, 1);
	assert_int_equal(reply.looks, 3);
	/* An event settles it all the same. */
	marked(&us.held, W, MARK_ACCEPTED, at(20));
	run_answer();
	expect_done("accepted");
	assert_int_equal(reply.looks, 3);
}

static void a_no_after_an_unknown_try_is_not_believed_before_a_look(void **s)
{
	(void)s;
	reply.say = CUT;
	run_answer();
	centra_shows(DIRECT, true);
	reply.say = SAYS_NO;
	run_answer(); /* open, tried, no, and open still: of which moment? */
	expect_retry("accepting");
	us.now += RUN_MINUTE / 2;
	run_answer();
	expect_retry("accepting");
	us.now += RUN_MINUTE / 2;
	run_answer();
	expect_done("refused");
	assert_int_equal(reply.looks, 4);
	assert_int_equal(reply.posts, 2); /* nobody is asked after the no */
	assert_string_equal(answer_of(W)->refusal, "failed to allocate stock");
}

static void two_looks_agree_only_if_none_between_them_shows_otherwise(void **s)
{
	(void)s;
	reply.say = CUT;
	run_answer();
	centra_shows(DIRECT, true);
	reply.say = SAYS_NO;
	run_answer();
	expect_retry("accepting");
	us.now += RUN_MINUTE / 2;
	centra_shows(0, false); /* it does not wait */
	run_answer();
	expect_retry("accepting");
	us.now += RUN_MINUTE / 2;
	centra_shows(DIRECT, true);
	run_answer();
	expect_retry("accepting");
	us.now += RUN_MINUTE;
	run_answer();
	expect_done("refused");
}

static void a_no_after_which_looks_are_late_is_ours(void **s)
{
	(void)s;
	reply.say = CUT;
	run_answer();
	centra_shows(DIRECT, true);
	us.now += 2 * RUN_MINUTE; /* open for long, until the try arrives */
	reply.say = SAYS_NO;
	run_answer();
	expect_retry("accepting");
	centra_shows(W, false);
	run_answer();
	expect_done("accepted");
	assert_int_equal(answer_of(W)->settled, SETTLED_OK);
}

/* Shows the order open to the first look and ours to the next. */
static void orders_then_ours(const int64_t *numbers, size_t n,
			     bool with_address, struct centra_orders *ret)
{
	orders(numbers, n, with_address, ret);
	centra_shows(W, false);
}

static void a_no_that_our_lost_try_caused_is_ours(void **s)
{
	(void)s;
	reply.say = CUT;
	run_answer();
	stub_centra.orders = orders_then_ours;
	centra_shows(DIRECT, true);
	reply.say = SAYS_NO;
	run_answer();
	expect_done("accepted");
	assert_int_equal(answer_of(W)->settled, SETTLED_OK);
}

/* Shows the order open to the first look and fails the next. */
static void orders_then_fails(const int64_t *numbers, size_t n,
			      bool with_address, struct centra_orders *ret)
{
	orders(numbers, n, with_address, ret);
	reply.look = FAILS;
}

static void a_doubted_no_waits_for_a_look(void **s)
{
	(void)s;
	reply.say = CUT;
	run_answer();
	stub_centra.orders = orders_then_fails;
	centra_shows(DIRECT, true);
	reply.say = SAYS_NO;
	run_answer();
	expect_retry("accepting");
	stub_centra.orders = orders;
	centra_shows(V, false);
	run_answer();
	expect_done("taken");
	assert_int_equal(reply.posts, 2);
}

/* What is to wait for, `attempts` runs on. */
static int64_t wait_after(unsigned attempts)
{
	us.attempts = attempts;
	run_answer();
	expect_retry("accepting");
	return us.result.due - us.now;
}

/* Nobody waits for it and nobody is asked, and nothing says whose it is. */
static void looks_at_what_nothing_settles_are_made_less_and_less_often(
	void **s)
{
	(void)s;
	reply.say = CUT;
	run_answer();
	centra_shows(0, false);
	assert_true(wait_after(3) <= RUN_MINUTE / 2);
	assert_true(wait_after(30) >= 2 * RUN_MINUTE);
	us.now = LATER + 1;
	assert_true(wait_after(10) >= 2 * RUN_MINUTE);
	assert_true(wait_after(60) >= 60 * RUN_MINUTE);
}

static void looks_behind_a_no_that_nothing_settles_are_too(void **s)
{
	(void)s;
	reply.say = CUT;
	run_answer();
	centra_shows(DIRECT, true);
	reply.say = SAYS_NO;
	assert_true(wait_after(1) >= RUN_MINUTE);
	assert_true(answer_of(W)->denied);
	centra_shows(0, false);
	assert_true(wait_after(3) <= RUN_MINUTE / 2);
	assert_true(wait_after(30) >= 2 * RUN_MINUTE);
	us.now = LATER + 1;
	assert_true(wait_after(10) >= 2 * RUN_MINUTE);
	assert_true(wait_after(60) >= 60 * RUN_MINUTE);
}

static void a_crash_between_call_and_commit_is_an_unknown_try(void **s)
{
	(void)s;
	run_one(handle_answer_offer, TASK_ANSWER_OFFER, W, NULL, true);
	assert_int_equal(reply.posts, 1);
	assert_int_not_equal(answer_of(W)->try_begun, 0);
	assert_string_equal(state_of(W), "accepting");
	reply.look = FAILS;
	run_answer();
	expect_retry("accepting");
	assert_true(answer_of(W)->unknown);
	assert_int_equal(reply.posts, 1);
	centra_shows(W, false);
	run_answer();
	expect_done("accepted");
	assert_int_equal(reply.posts, 1);
}

static void a_crash_and_an_open_order_are_settled_by_two_looks(void **s)
{
	(void)s;
	reply.say = CUT;
	run_one(handle_answer_offer, TASK_ANSWER_OFFER, W, NULL, true);
	centra_shows(DIRECT, true);
	reply.say = SAYS_NO;
	run_answer();
	expect_retry("accepting");
	us.now += RUN_MINUTE;
	run_answer();
	expect_done("refused");
	assert_int_equal(reply.looks, 3);
	/* What the last look found is as new as all else we hold. */
	assert_true(offer_found(&us.held, order_offer(&us.held, W),
				FOUND_OPEN));
}

static void what_events_settled_is_not_told_to_centra(void **s)
{
	(void)s;
	marked(&us.held, V, MARK_ACCEPTED, at(20));
	run_answer();
	expect_done("taken");
	assert_int_equal(reply.posts, 0);
	assert_int_equal(answer_of(W)->settled, SETTLED_NO);
}

static void a_cancelled_order_is_not_told_to_centra(void **s)
{
	(void)s;
	cancelled(&us.held);
	run_answer();
	expect_done("cancelled");
	assert_int_equal(reply.posts, 0);
}

static void a_newer_offer_ends_the_answer_to_the_older(void **s)
{
	(void)s;
	opened_until(&us.held, W, at(30), LATER + 1000);
	run_answer();
	assert_int_equal(us.result.how, OUTCOME_DONE);
	assert_int_equal(reply.posts, 0);
	assert_string_equal(state_of(W), "pending");
	assert_int_equal(answer_of(W)->settled, SETTLED_NO);
}

static void a_lost_try_for_an_older_offer_is_looked_into(void **s)
{
	(void)s;
	reply.say = CUT;
	run_answer();
	opened_until(&us.held, W, at(30), LATER + 1000);
	run_answer();
	assert_int_equal(us.result.how, OUTCOME_DONE);
	assert_true(us.fetch_asked);
	centra_shows(W, false);
	run_fetch();
	assert_string_equal(state_of(W), "accepted");
}

static void a_conflict_is_looked_at_before_a_try(void **s)
{
	(void)s;
	marked(&us.held, W, MARK_ACCEPTED, at(20));
	marked(&us.held, W, MARK_TIMED_OUT, at(21));
	reply.look = FAILS;
	run_answer();
	expect_retry("accepting");
	assert_int_equal(reply.posts, 0);
	centra_shows(V, false);
	run_answer();
	expect_done("taken");
	assert_int_equal(reply.posts, 0);
}

static void an_ok_in_conflict_with_an_event_waits_for_a_look(void **s)
{
	(void)s;
	run_answer();
	assert_string_equal(state_of(W), "accepted");
	marked(&us.held, W, MARK_REJECTED, at(30));
	assert_string_equal(state_of(W), "accepting");
	assert_true(us.held.fetch_due);
	centra_shows(W, false);
	run_fetch();
	assert_string_equal(state_of(W), "accepted");
}

/* ---- rejects ---- */

static void a_reject_that_centra_takes_is_rejected(void **s)
{
	(void)s;
	answer_is_reject();
	run_answer();
	expect_done("rejected");
	assert_false(reply.accept);
	assert_int_equal(answer_of(W)->settled, SETTLED_OK);
	assert_false(us.fetch_asked);
}

static void a_no_to_a_reject_is_rejected_all_the_same(void **s)
{
	(void)s;
	answer_is_reject();
	reply.say = SAYS_NO;
	run_answer();
	expect_done("rejected");
	assert_string_equal(answer_of(W)->refusal, "failed to allocate stock");
}

static void an_unknown_reject_is_simply_told_again(void **s)
{
	(void)s;
	answer_is_reject();
	reply.say = CUT;
	run_answer();
	expect_retry("rejecting");
	reply.say = SAYS_NO;
	run_answer();
	expect_done("rejected");
	assert_int_equal(reply.posts, 2);
	assert_int_equal(reply.looks, 0);
}

/* ---- after the expiry ---- */

static void one_try_is_sent_after_expiry_then_only_looks(void **s)
{
	(void)s;
	us.now = LATER + 1;
	reply.say = CUT;
	run_answer();
	expect_retry("accepting");
	assert_int_equal(us.late_tries, 1);
	centra_shows(DIRECT, true);
	for (int i = 0; i < 4; i++) {
		run_answer();
		expect_retry("accepting");
	}
	assert_int_equal(reply.posts, 1);
	assert_int_equal(reply.looks, 4);
	/* Late allocations may show it to be ours yet. */
	centra_shows(DIRECT, false);
	for (int i = 0; i < 5; i++) {
		run_answer();
		expect_retry("accepting");
		us.now += 2 * RUN_MINUTE - 1000;
	}
	us.now += 10 * 1000;
	run_answer();
	expect_done("timed_out");
	assert_int_equal(reply.posts, 1);
}

static void an_unknown_accept_of_what_nobody_holds_is_never_given_up(void **s)
{
	(void)s;
	us.now = LATER + 1;
	reply.say = CUT;
	run_answer();
	centra_shows(0, false); /* allocations: [] */
	reply.shipment = 501;	/* whose, Centra does not say */
	for (int i = 0; i < 10; i++) {
		us.now += 10 * RUN_MINUTE;
		run_answer();
		expect_retry("accepting");
	}
	reply.shipment = 0;
	centra_shows(W, false);
	run_answer();
	expect_done("accepted");
}

static void an_unknown_accept_looks_for_ever_when_no_look_works(void **s)
{
	(void)s;
	us.now = LATER + 1;
	reply.say = CUT;
	run_answer();
	reply.look = FAILS;
	us.attempts = 1000;
	for (int i = 0; i < 10; i++) {
		run_answer();
		expect_retry("accepting");
		assert_true(us.result.due <= us.now + 300000);
	}
	assert_int_equal(reply.posts, 1);
	centra_shows(W, false);
	run_answer();
	expect_done("accepted");
}

static void a_reply_about_another_order_settles_nothing(void **s)
{
	(void)s;
	reply.say = CUT;
	run_answer();
	centra_shows(W, false);
	reply.another = true;
	run_answer();
	expect_retry("accepting");
	assert_int_equal(reply.posts, 1);
	reply.another = false;
	run_answer();
	expect_done("accepted");
}

static void an_accept_that_never_reached_centra_ends_with_the_offer(void **s)
{
	(void)s;
	us.now = LATER + 1;
	reply.say = NOT_REACHED;
	run_answer();
	expect_retry("accepting");
	run_answer();
	expect_done("refused");
	assert_int_equal(reply.posts, 1);
	assert_string_equal(answer_of(W)->refusal,
			    "the offer expired before Centra could be told");
}

static void by_a_clock_that_is_not_confirmed_no_try_is_the_last(void **s)
{
	(void)s;
	us.now = LATER + 100 * (int64_t)86400000;
	us.clock_unsure = true;
	reply.say = NOT_REACHED;
	for (int i = 0; i < 5; i++) {
		run_answer();
		expect_retry("accepting");
	}
	assert_int_equal(us.late_tries, 0);
	/* The clock is right again, and the offer is open still. */
	us.now = LATER - 60000;
	us.clock_unsure = false;
	reply.say = SAYS_OK;
	run_answer();
	expect_done("accepted");
}

static void a_reject_past_expiry_ends_after_one_try(void **s)
{
	(void)s;
	answer_is_reject();
	us.now = LATER + 1;
	reply.say = CUT;
	run_answer();
	expect_retry("rejecting");
	run_answer();
	expect_done("rejected");
	assert_int_equal(reply.posts, 1);
}

static void a_look_that_takes_until_the_expiry_makes_the_try_late(void **s)
{
	(void)s;
	us.now = LATER - 1;
	reply.say = CUT;
	run_answer();
	assert_int_equal(us.late_tries, 0);
	us.now = LATER;
	centra_shows(DIRECT, true);
	run_answer();
	assert_int_equal(us.late_tries, 1);
}

/* ---- what must not happen ---- */

static void no_try_is_made_that_was_not_made_durable(void **s)
{
	(void)s;
	us.no_room = true;
	run_answer();
	assert_int_equal(us.result.how, OUTCOME_RETRY);
	assert_int_equal(reply.posts, 0);
	assert_string_equal(us.result.reason.text, "no room");
	assert_int_equal(stub_centra.taken, 0);
}

static void what_ends_as_the_try_begins_is_not_told_to_centra(void **s)
{
	(void)s;
	us.cancel_meanwhile = true;
	run_answer();
	assert_int_equal(us.tries, 1);
	assert_int_equal(reply.posts, 0);
	assert_int_equal(stub_centra.taken, 0);
	expect_retry("cancelled");
	assert_false(answer_of(W)->unknown);
	run_answer();
	expect_done("cancelled");
	assert_int_equal(reply.posts, 0);
}

static void without_a_centra_the_answer_waits(void **s)
{
	(void)s;
	us.no_centra = true;
	run_answer();
	expect_retry("accepting");
}

static void a_task_without_an_answer_is_done(void **s)
{
	(void)s;
	run_one(handle_answer_offer, TASK_ANSWER_OFFER, V, NULL, false);
	assert_int_equal(us.result.how, OUTCOME_DONE);
	run_one(handle_answer_offer, TASK_ANSWER_OFFER, 77, NULL, false);
	assert_int_equal(us.result.how, OUTCOME_DONE);
	assert_int_equal(reply.posts, 0);
}

/* ---- every kind of reply, three in a row ---- */

static void no_row_of_replies_makes_accepted_without_an_ok(void **s)
{
	int kinds = CUT + 1;

	(void)s;
	for (int i = 0; i < kinds * kinds * kinds; i++) {
		int row[] = {i % kinds, i / kinds % kinds, i / kinds / kinds};
		bool ok = false;

		unmake(NULL);
		make(NULL);
		centra_shows(DIRECT, true);
		for (int k = 0; k < 3; k++) {
			int before = reply.posts;

			reply.say = row[k];
			run_answer();
			ok |= reply.posts > before && row[k] == SAYS_OK;
		}
		assert_int_equal(!strcmp(state_of(W), "accepted"), ok);
	}
}

#define step(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		step(an_accept_that_centra_takes_is_accepted),
		step(an_accept_that_centra_refuses_keeps_the_text),
		step(a_fault_of_ours_raises_the_alarm),
		step(an_order_that_centra_does_not_know_is_no_alarm),
		step(an_order_that_graphql_shows_and_the_order_api_hides_is),
		step(a_try_that_did_not_reach_centra_is_made_again),
		step(a_refused_key_parks_as_the_gate_says_and_raises_the_alarm),
		step(a_call_that_is_held_is_no_try),
		step(too_many_calls_wait_as_told),
		step(an_unknown_accept_is_looked_at_before_the_next_try),
		step(an_unknown_accept_that_another_won_is_taken),
		step(an_unknown_accept_is_tried_again_while_the_order_is_open),
		step(without_a_look_an_unknown_accept_is_never_tried_again),
		step(a_no_after_an_unknown_try_is_not_believed_before_a_look),
		step(a_no_that_our_lost_try_caused_is_ours),
		step(a_no_after_which_looks_are_late_is_ours),
		step(a_doubted_no_waits_for_a_look),
		step(a_crash_between_call_and_commit_is_an_unknown_try),
		step(a_crash_and_an_open_order_are_settled_by_two_looks),
		step(what_events_settled_is_not_told_to_centra),
		step(a_cancelled_order_is_not_told_to_centra),
		step(a_newer_offer_ends_the_answer_to_the_older),
		step(a_lost_try_for_an_older_offer_is_looked_into),
		step(a_conflict_is_looked_at_before_a_try),
		step(two_looks_agree_only_if_none_between_them_shows_otherwise),
		step(looks_at_what_nothing_settles_are_made_less_and_less_often),
		step(looks_behind_a_no_that_nothing_settles_are_too),
		step(an_ok_in_conflict_with_an_event_waits_for_a_look),
		step(a_reject_that_centra_takes_is_rejected),
		step(a_no_to_a_reject_is_rejected_all_the_same),
		step(an_unknown_reject_is_simply_told_again),
		step(one_try_is_sent_after_expiry_then_only_looks),
		step(an_unknown_accept_of_what_nobody_holds_is_never_given_up),
		step(an_unknown_accept_looks_for_ever_when_no_look_works),
		step(a_reply_about_another_order_settles_nothing),
		step(an_accept_that_never_reached_centra_ends_with_the_offer),
		step(by_a_clock_that_is_not_confirmed_no_try_is_the_last),
		step(a_reject_past_expiry_ends_after_one_try),
		step(a_look_that_takes_until_the_expiry_makes_the_try_late),
		step(no_try_is_made_that_was_not_made_durable),
		step(what_ends_as_the_try_begins_is_not_told_to_centra),
		step(without_a_centra_the_answer_waits),
		step(a_task_without_an_answer_is_done),
		step(no_row_of_replies_makes_accepted_without_an_ok),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
