/* SPDX-License-Identifier: MIT
 *
 * test_offer.c - every row of the table in OFFERS 1.3.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/unit/facts.h"

#include <cmocka.h> /* last: it has a macro called fail */

#define W 3 /* the warehouse in question */
#define V 4 /* another one that was asked */

static struct order *o; /* of the test that runs */

static int make(void **state)
{
	static struct order order;

	(void)state;
	order_init(&order, "se", 19);
	o = &order;
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	order_release(o);
	return 0;
}

static const char *state_in(const struct zone *zone)
{
	offer_derive(zone, o);
	return offer_state_name(order_offer(o, W)->state);
}

static const char *state(void)
{
	return state_in(NULL);
}

#define is(name) assert_string_equal(state(), (name))

/* Nothing is left to fetch but what the test is about. */
static bool look_due(void)
{
	o->has_details = o->has_address = true;
	offer_derive(NULL, o);
	return o->fetch_due;
}

/* ---- opened ---- */

static void an_offer_is_pending_until_something_is_said(void **s)
{
	(void)s;
	opened(o, W, at(10));
	is("pending");
	assert_int_equal(order_offer(o, W)->list, LIST_OPEN);
	assert_int_equal(order_offer(o, W)->expires, LATER);
}

static void a_create_sent_again_is_no_new_offer(void **s)
{
	(void)s;
	opened(o, W, at(10));
	marked(o, W, MARK_TIMED_OUT, at(20));
	opened(o, W, at(30));
	is("timed_out");
}

static void a_create_with_a_new_expiry_reopens(void **s)
{
	(void)s;
	opened(o, W, at(10));
	marked(o, W, MARK_TIMED_OUT, at(20));
	opened_until(o, W, at(30), LATER + 1);
	is("pending");
	assert_int_equal(order_offer(o, W)->expires, LATER + 1);
}

static void of_equal_dates_the_later_expiry_is_the_offers(void **s)
{
	(void)s;
	opened_until(o, W, at(10), LATER + 5);
	opened_until(o, W, at(10), LATER);
	opened_until(o, W, at(10), TIME_NONE);
	is("pending");
	assert_int_equal(order_offer(o, W)->expires, LATER + 5);
}

static void an_expiry_that_cannot_be_read_is_no_deadline(void **s)
{
	(void)s;
	opened_until(o, W, at(10), TIME_NONE);
	is("pending");
	assert_false(offer_expired(order_offer(o, W), INT64_MAX));
}

static void an_offer_expires_by_our_clock_but_stays_pending(void **s)
{
	(void)s;
	opened_until(o, W, at(10), NOW - 1);
	is("pending");
	assert_true(offer_expired(order_offer(o, W), NOW));
	assert_false(offer_expired(order_offer(o, W), NOW - 2));
}

/* ---- row 1 ---- */

static void a_cancelled_order_is_final(void **s)
{
	(void)s;
	opened(o, W, at(10));
	cancelled(o);
	is("cancelled");
	opened_until(o, W, at(30), LATER + 1);
	marked(o, W, MARK_ACCEPTED, at(40));
	found(o, W, FOUND_OURS, 0);
	is("cancelled");
	assert_false(o->fetch_due);
}

static void a_fetched_status_cancels_and_a_later_one_does_not_revive(void **s)
{
	struct change c = {.kind = CHANGE_FETCHED, .fetched.at = NOW};

	(void)s;
	opened(o, W, at(10));
	snprintf(c.fetched.status, STATUS_SIZE, "%s", "CANCELLED");
	say(o, &c);
	is("cancelled");
	c = (struct change){.kind = CHANGE_FETCHED, .fetched.at = NOW + 1};
	snprintf(c.fetched.status, STATUS_SIZE, "%s", "CONFIRMED");
	say(o, &c);
	is("cancelled");
}

/* ---- row 2 ---- */

static void a_look_that_knew_all_decides_against_every_mark(void **s)
{
	(void)s;
	opened(o, W, at(10));
	marked(o, W, MARK_REJECTED, at(20));
	marked(o, V, MARK_ACCEPTED, at(30));
	found(o, W, FOUND_OURS, 0);
	is("accepted");
	found(o, W, FOUND_NOT_OURS, STATE_TIMED_OUT);
	is("timed_out");
}

static void a_newer_event_makes_a_finding_old(void **s)
{
	(void)s;
	opened(o, W, at(10));
	found(o, W, FOUND_OURS, 0);
	is("accepted");
	heard(o);
	is("pending");
	assert_true(look_due());
}

static void an_old_finding_that_facts_agree_with_needs_no_look(void **s)
{
	(void)s;
	opened(o, W, at(10));
	found(o, W, FOUND_NOT_OURS, STATE_TAKEN);
	marked(o, V, MARK_ACCEPTED, at(20));
	is("taken");
	assert_false(look_due());
	found(o, W, FOUND_OURS, 0);
	heard(o);
	is("taken");
	assert_true(look_due());
}

static void a_finding_without_an_end_is_never_read_as_pending(void **s)
{
	(void)s;
	opened(o, W, at(10));
	found(o, W, FOUND_NOT_OURS, STATE_PENDING);
	is("rejected");
}

/* ---- row 3 ---- */

static void expect_conflict(void)
{
	is("accepting");
	assert_true(offer_in_conflict(NULL, o, order_offer(o, W)));
	assert_true(look_due());
}

static void an_accept_and_a_later_end_are_in_conflict(void **s)
{
	(void)s;
	for (int mark = MARK_REJECTED; mark < MARKS; mark++) {
		order_release(o);
		order_init(o, "se", 19);
		opened(o, W, at(10));
		marked(o, W, MARK_ACCEPTED, at(20));
		marked(o, W, (enum mark)mark, at(20));
		expect_conflict();
	}
}

static void an_accept_is_not_contradicted_by_an_older_end(void **s)
{
	(void)s;
	opened(o, W, at(10));
	marked(o, W, MARK_REJECTED, at(19));
	marked(o, V, MARK_ACCEPTED, at(18));
	marked(o, W, MARK_ACCEPTED, at(20));
	is("accepted");
}

static void two_accepts_of_one_order_are_in_conflict(void **s)
{
	(void)s;
	opened(o, W, at(10));
	opened(o, V, at(10));
	marked(o, W, MARK_ACCEPTED, at(20));
	is("accepted");
	marked(o, V, MARK_ACCEPTED, at(21));
	expect_conflict();
}

static void any_counted_end_contradicts_our_ok(void **s)
{
	(void)s;
	for (int mark = MARK_REJECTED; mark < MARKS; mark++) {
		order_release(o);
		order_init(o, "se", 19);
		opened(o, W, at(10));
		answered(o, W, VERB_ACCEPT, at(10));
		told(o, W, SETTLED_OK);
		is("accepted");
		marked(o, W, (enum mark)mark, at(10));
		expect_conflict();
	}
}

static void an_end_of_an_older_offer_does_not_contradict_our_ok(void **s)
{
	(void)s;
	opened(o, W, at(10));
	marked(o, W, MARK_TIMED_OUT, at(9));
	marked(o, V, MARK_ACCEPTED, at(9));
	answered(o, W, VERB_ACCEPT, at(10));
	told(o, W, SETTLED_OK);
	is("accepted");
}

static void a_create_newer_than_the_accept_is_a_conflict(void **s)
{
	(void)s;
	opened(o, W, at(10));
	marked(o, W, MARK_ACCEPTED, at(20));
	opened_until(o, W, at(30), LATER + 1);
	expect_conflict();
}

static void a_create_newer_than_what_our_ok_answered_is_a_conflict(void **s)
{
	(void)s;
	opened(o, W, at(10));
	answered(o, W, VERB_ACCEPT, at(10));
	told(o, W, SETTLED_OK);
	opened_until(o, W, at(30), LATER + 1);
	expect_conflict();
}

static void a_look_settles_a_conflict_until_the_next_event(void **s)
{
	(void)s;
	opened(o, W, at(10));
	marked(o, W, MARK_ACCEPTED, at(20));
	marked(o, W, MARK_TIMED_OUT, at(30));
	found(o, W, FOUND_OURS, 0);
	is("accepted");
	assert_false(look_due());
	heard(o);
	expect_conflict();
}

static void an_open_finding_sets_accepts_aside(void **s)
{
	(void)s;
	opened(o, W, at(10));
	marked(o, W, MARK_ACCEPTED, at(20));
	opened_until(o, W, at(30), LATER + 1);
	found(o, W, FOUND_OPEN, 0);
	is("pending");
	assert_false(look_due());
}

static void an_ok_set_aside_is_no_answer(void **s)
{
	(void)s;
	opened(o, W, at(10));
	answered(o, W, VERB_ACCEPT, at(10));
	told(o, W, SETTLED_OK);
	found(o, W, FOUND_OPEN, 0);
	is("pending");
}

static void what_a_look_set_aside_is_doubted_after_the_next_event(void **s)
{
	(void)s;
	opened(o, W, at(10));
	answered(o, W, VERB_ACCEPT, at(10));
	told(o, W, SETTLED_OK);
	found(o, W, FOUND_OPEN, 0);
	heard(o); /* something about another warehouse */
	expect_conflict();
	found(o, W, FOUND_NOT_OURS, STATE_REJECTED);
	is("rejected");
	heard(o);
	expect_conflict();
}

static void an_ok_that_came_after_the_look_is_not_doubted(void **s)
{
	(void)s;
	opened(o, W, at(10));
	answered(o, W, VERB_ACCEPT, at(10));
	try_begun(o, W);
	try_ended(o, W, TRY_UNKNOWN);
	found(o, W, FOUND_OPEN, 0);
	is("accepting");
	told(o, W, SETTLED_OK);
	is("accepted");
	heard(o);
	is("accepted");
}

static void an_accepted_event_after_the_look_is_not_doubted_by_it(void **s)
{
	static const enum found whats[] = {FOUND_OPEN, FOUND_NOT_OURS};

	(void)s;
	for (int i = 0; i < 2; i++) {
		order_release(o);
		order_init(o, "se", 19);
		opened(o, W, at(10));
		found(o, W, whats[i], STATE_REJECTED);
		marked(o, W, MARK_ACCEPTED, at(20));
		is("accepted");
		/* Nor after an event that says nothing of it. */
		heard(o);
		is("accepted");
	}
}

static void it_does_not_matter_which_of_event_and_fact_is_counted_first(
	void **s)
{
	struct change c = {.kind = CHANGE_MARK,
			   .warehouse = W,
			   .mark.what = MARK_ACCEPTED};

	(void)s;
	opened(o, W, at(10));
	found(o, W, FOUND_OPEN, 0);
	heard(o);
	snprintf(c.mark.date, sizeof(c.mark.date), "%s", at(20));
	order_apply(o, &c);
	is("accepted");
	o->offers[0].accepted_unheard = false; /* as when it is read again */
	found(o, W, FOUND_OPEN, 0);
	heard(o);
	expect_conflict();
}

static void an_accepted_event_repeated_after_the_look_stays_doubted(void **s)
{
	(void)s;
	opened(o, W, at(10));
	marked(o, W, MARK_ACCEPTED, at(20));
	found(o, W, FOUND_OPEN, 0);
	marked(o, W, MARK_ACCEPTED, at(20));
	expect_conflict();
	marked(o, W, MARK_ACCEPTED, at(15));
	expect_conflict();
	marked(o, W, MARK_ACCEPTED, at(25));
	is("accepted");
}

static void dates_in_the_repeated_hour_need_a_look(void **s)
{
	struct zone *zone = NULL;
	struct err e;

	(void)s;
	assert_int_equal(zone_open(&zone, "Europe/Stockholm", &e), OK);
	opened(o, W, "2026-10-25 02:10:00.000000");
	assert_string_equal(state_in(zone), "pending");
	marked(o, W, MARK_ACCEPTED, "2026-10-25 03:10:00.000000");
	assert_string_equal(state_in(zone), "accepted");
	marked(o, W, MARK_TIMED_OUT, "2026-10-25 02:05:00.000000");
	assert_string_equal(state_in(zone), "accepting");
	assert_true(o->fetch_due);
	assert_string_equal(state_in(NULL), "accepted");
	found(o, W, FOUND_OURS, 0);
	assert_string_equal(state_in(zone), "accepted");
	zone_close(zone);
}

static void an_uncounted_accept_in_the_repeated_hour_needs_a_look(void **s)
{
	struct zone *zone = NULL;
	struct err e;

	(void)s;
	assert_int_equal(zone_open(&zone, "Europe/Stockholm", &e), OK);
	opened(o, W, "2026-10-25 02:50:00.000000");
	answered(o, W, VERB_ACCEPT, "2026-10-25 02:50:00.000000");
	told(o, W, SETTLED_OK);
	assert_string_equal(state_in(zone), "accepted");
	/* By its date before the offer; by the clock perhaps an hour after. */
	marked(o, V, MARK_ACCEPTED, "2026-10-25 02:40:00.000000");
	assert_string_equal(state_in(NULL), "accepted");
	assert_string_equal(state_in(zone), "accepting");
	zone_close(zone);
}

/* ---- row 4 ---- */

static void an_accepted_event_makes_it_ours(void **s)
{
	(void)s;
	opened(o, W, at(10));
	marked(o, W, MARK_ACCEPTED, at(20));
	is("accepted");
	assert_int_equal(order_offer(o, W)->list, LIST_MINE);
}

static void an_accept_without_any_create_stands(void **s)
{
	(void)s;
	marked(o, W, MARK_ACCEPTED, at(20));
	is("accepted");
}

static void an_accept_under_way_is_not_ours_yet(void **s)
{
	(void)s;
	opened(o, W, at(10));
	answered(o, W, VERB_ACCEPT, at(10));
	is("accepting");
	assert_false(offer_in_conflict(NULL, o, order_offer(o, W)));
	try_begun(o, W);
	is("accepting");
	try_ended(o, W, TRY_UNKNOWN);
	is("accepting");
}

static void an_ok_to_an_older_offer_is_none_to_this_one(void **s)
{
	(void)s;
	opened(o, W, at(10));
	answered(o, W, VERB_ACCEPT, at(10));
	opened_until(o, W, at(30), LATER + 1);
	is("pending");
	told(o, W, SETTLED_OK);
	is("accepting");
}

static void a_shipped_order_leaves_the_list_and_is_not_fetched(void **s)
{
	(void)s;
	opened(o, W, at(10));
	marked(o, W, MARK_ACCEPTED, at(20));
	order_offer(o, W)->shipped = true;
	is("accepted");
	assert_int_equal(order_offer(o, W)->list, LIST_DONE);
	assert_false(o->fetch_due);
}

/* ---- row 5 ---- */

static void taken_goes_before_timed_out_before_rejected(void **s)
{
	(void)s;
	opened(o, W, at(10));
	marked(o, W, MARK_REJECTED, at(40));
	is("rejected");
	marked(o, W, MARK_TIMED_OUT, at(30));
	is("timed_out");
	marked(o, V, MARK_ACCEPTED, at(20));
	is("taken");
}

static void a_mark_older_than_the_offer_does_not_count(void **s)
{
	(void)s;
	opened(o, W, at(10));
	marked(o, W, MARK_REJECTED, at(9));
	marked(o, W, MARK_TIMED_OUT, at(9));
	marked(o, V, MARK_ACCEPTED, at(9));
	is("pending");
	marked(o, W, MARK_REJECTED, at(10));
	is("rejected");
}

static void marks_count_when_nothing_was_opened(void **s)
{
	(void)s;
	marked(o, W, MARK_TIMED_OUT, at(20));
	is("timed_out");
	opened(o, W, at(10));
	is("timed_out");
}

static void every_dated_mark_counts_against_a_recovered_offer(void **s)
{
	(void)s;
	opened_until(o, W, "", TIME_NONE);
	is("pending");
	marked(o, V, MARK_ACCEPTED, at(1));
	is("taken");
}

/* ---- row 6 ---- */

static void answers_show_how_far_they_got(void **s)
{
	(void)s;
	opened(o, W, at(10));
	answered(o, W, VERB_REJECT, at(10));
	is("rejecting");
	told(o, W, SETTLED_OK);
	is("rejected");
	answered(o, W, VERB_REJECT, at(10));
	told(o, W, SETTLED_NO);
	is("rejected");
	answered(o, W, VERB_ACCEPT, at(10));
	told(o, W, SETTLED_NO);
	is("refused");
	assert_int_equal(order_offer(o, W)->list, LIST_OPEN);
}

static void an_older_copy_of_the_create_keeps_the_answer(void **s)
{
	(void)s;
	opened(o, W, at(20));
	answered(o, W, VERB_ACCEPT, at(20));
	opened(o, W, at(10));
	is("accepting");
	told(o, W, SETTLED_OK);
	is("accepted");
}

/* ---- what is to be fetched ---- */

static void lines_are_fetched_for_an_open_offer_only(void **s)
{
	(void)s;
	opened(o, W, at(10));
	is("pending");
	assert_true(o->fetch_due);
	o->has_details = true;
	is("pending");
	assert_false(o->fetch_due);
	o->has_details = false;
	marked(o, W, MARK_TIMED_OUT, at(20));
	is("timed_out");
	assert_false(o->fetch_due);
}

static void the_address_is_fetched_once_it_is_ours(void **s)
{
	(void)s;
	opened(o, W, at(10));
	o->has_details = true;
	marked(o, W, MARK_ACCEPTED, at(20));
	is("accepted");
	assert_true(o->fetch_due);
	o->has_address = true;
	is("accepted");
	assert_false(o->fetch_due);
}

/* ---- shops ---- */

static void what_a_shop_has_won_speaks_for_it(void **s)
{
	static const int64_t shop[] = {W, V, 5};

	(void)s;
	assert_null(offer_of_shop(o, shop, 3));
	opened(o, W, at(10));
	opened(o, V, at(10));
	offer_derive(NULL, o);
	assert_int_equal(offer_of_shop(o, shop, 3)->warehouse, W);
	marked(o, W, MARK_TIMED_OUT, at(20));
	offer_derive(NULL, o);
	assert_int_equal(offer_of_shop(o, shop, 3)->warehouse, V);
	answered(o, V, VERB_ACCEPT, at(10));
	offer_derive(NULL, o);
	assert_int_equal(offer_of_shop(o, shop, 3)->warehouse, V);
	opened(o, 5, at(10));
	offer_derive(NULL, o);
	assert_int_equal(offer_of_shop(o, shop, 3)->warehouse, V);
	marked(o, 5, MARK_ACCEPTED, at(30));
	offer_derive(NULL, o);
	assert_int_equal(offer_of_shop(o, shop, 3)->warehouse, 5);
}

/* Two looks that showed that nobody is asked any more. */
static void seen_over(const char *date)
{
	struct change c = {.kind = CHANGE_SIGHTING, .warehouse = W};

	c.sighting = (struct sighting){.what = FOUND_OVER,
				       .ended = STATE_REJECTED,
				       .sure = 2,
				       .knew = o->version,
				       .at = NOW};
	snprintf(c.sighting.opened, sizeof(c.sighting.opened), "%s", date);
	say(o, &c);
}

static void looks_end_a_contradiction_unless_it_is_newer(void **s)
{
	(void)s;
	opened(o, W, at(10));
	seen_over(at(10));
	is("rejected");
	marked(o, W, MARK_ACCEPTED, at(20));
	is("accepted");
	marked(o, W, MARK_TIMED_OUT, at(30));
	is("accepting"); /* the looks are of before it was won */
	seen_over(at(10));
	is("timed_out");
}

#define row(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		row(an_offer_is_pending_until_something_is_said),
		row(a_create_sent_again_is_no_new_offer),
		row(a_create_with_a_new_expiry_reopens),
		row(of_equal_dates_the_later_expiry_is_the_offers),
		row(an_expiry_that_cannot_be_read_is_no_deadline),
		row(an_offer_expires_by_our_clock_but_stays_pending),
		row(a_cancelled_order_is_final),
		row(a_fetched_status_cancels_and_a_later_one_does_not_revive),
		row(a_look_that_knew_all_decides_against_every_mark),
		row(a_newer_event_makes_a_finding_old),
		row(an_old_finding_that_facts_agree_with_needs_no_look),
		row(a_finding_without_an_end_is_never_read_as_pending),
		row(an_accept_and_a_later_end_are_in_conflict),
		row(an_accept_is_not_contradicted_by_an_older_end),
		row(two_accepts_of_one_order_are_in_conflict),
		row(any_counted_end_contradicts_our_ok),
		row(an_end_of_an_older_offer_does_not_contradict_our_ok),
		row(a_create_newer_than_the_accept_is_a_conflict),
		row(a_create_newer_than_what_our_ok_answered_is_a_conflict),
		row(a_look_settles_a_conflict_until_the_next_event),
		row(an_open_finding_sets_accepts_aside),
		row(an_ok_set_aside_is_no_answer),
		row(what_a_look_set_aside_is_doubted_after_the_next_event),
		row(an_ok_that_came_after_the_look_is_not_doubted),
		row(an_accepted_event_after_the_look_is_not_doubted_by_it),
		row(it_does_not_matter_which_of_event_and_fact_is_counted_first),
		row(an_accepted_event_repeated_after_the_look_stays_doubted),
		row(dates_in_the_repeated_hour_need_a_look),
		row(an_uncounted_accept_in_the_repeated_hour_needs_a_look),
		row(an_accepted_event_makes_it_ours),
		row(an_accept_without_any_create_stands),
		row(an_accept_under_way_is_not_ours_yet),
		row(an_ok_to_an_older_offer_is_none_to_this_one),
		row(a_shipped_order_leaves_the_list_and_is_not_fetched),
		row(taken_goes_before_timed_out_before_rejected),
		row(a_mark_older_than_the_offer_does_not_count),
		row(marks_count_when_nothing_was_opened),
		row(every_dated_mark_counts_against_a_recovered_offer),
		row(answers_show_how_far_they_got),
		row(an_older_copy_of_the_create_keeps_the_answer),
		row(lines_are_fetched_for_an_open_offer_only),
		row(the_address_is_fetched_once_it_is_ours),
		row(what_a_shop_has_won_speaks_for_it),
		row(looks_end_a_contradiction_unless_it_is_newer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
