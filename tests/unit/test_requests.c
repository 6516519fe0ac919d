/* SPDX-License-Identifier: MIT
 *
 * test_requests.c - what allocation requests mean (OFFERS 5.2): each row, which
 * rows are one request, and what says nothing about them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "handlers/missed.h"
#include "handlers/problem.h"
#include "handlers/requests.h"
#include "tests/unit/one_run.h"

#include <cmocka.h> /* last: it has a macro called fail */

/* A row; `line`: its only line, 0: none. */
static void row(int64_t warehouse, int64_t id, enum request_status status,
		int64_t expires, int64_t line)
{
	struct change c = {.kind = CHANGE_REQUEST, .warehouse = warehouse};

	c.request = (struct alloc_request){.id = id,
					   .status = status,
					   .expires = expires,
					   .at = id ? NOW : 0};
	if (line) {
		c.request.lines = xcalloc(1, sizeof(struct request_line));
		c.request.lines[0] = (struct request_line){line, 2};
		c.request.n_lines = 1;
	}
	say(&us.held, &c);
	offer_derive(NULL, &us.held);
}

/* A request that the list shows, and that was made at that second. */
static void listed_of(int64_t warehouse, int64_t id, int second,
		      enum request_status status, int64_t line)
{
	struct change c = {.kind = CHANGE_OPENING, .warehouse = warehouse};
	int64_t expires = LATER + second * INT64_C(1000);

	c.opening = (struct opening){.expires = expires,
				     .kind = KIND_ALLOCATION_REQUEST};
	snprintf(c.opening.date, sizeof(c.opening.date), "%s", at(second));
	say(&us.held, &c);
	row(warehouse, id, status, expires, line);
}

static void listed(int64_t id, int second, enum request_status status)
{
	listed_of(W, id, second, status, id);
}

/* The shop's answer, to what was shown at that second. */
static void pressed(enum verb verb, int second)
{
	answered(&us.held, W, verb, at(second));
}

static void pressed_and(enum verb verb, int second, enum settled how)
{
	pressed(verb, second);
	settled(&us.held, W, how);
}

static const struct offer *mine(void)
{
	return order_offer(&us.held, W);
}

static int begin_test(void **s)
{
	(void)s;
	us_begin();
	return 0;
}

static int end_test(void **s)
{
	(void)s;
	us_end();
	return 0;
}

static void each_status_has_its_state(void **s)
{
	static const struct {
		enum request_status status;
		const char *state;
	} rows[] = {
		{REQUEST_ALLOCATED, "pending"},	 {REQUEST_SENT, "pending"},
		{REQUEST_FAILED, "pending"},	 {REQUEST_TIMED_OUT, "pending"},
		{REQUEST_CONFIRMED, "accepted"}, {REQUEST_REJECTED, "rejected"},
		{REQUEST_OUTDATED, "timed_out"},
	};

	(void)s;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		us_begin();
		listed(7, 10, rows[i].status);
		assert_string_equal(state_of(W), rows[i].state);
		assert_int_equal(offer_kind(mine()), KIND_ALLOCATION_REQUEST);
	}
}

static void only_a_request_that_timed_out_is_late(void **s)
{
	(void)s;
	listed(7, 10, REQUEST_SENT);
	assert_false(requests_late(mine()));
	assert_false(offer_expired(mine(), NOW));
	assert_true(offer_expired(mine(), LATER + 11000));
	listed(7, 10, REQUEST_TIMED_OUT);
	assert_true(requests_late(mine()));
	assert_true(offer_expired(mine(), NOW));
	listed(7, 10, REQUEST_CONFIRMED);
	assert_false(requests_late(mine()));
}

static void outdated_is_taken_if_another_has_confirmed(void **s)
{
	(void)s;
	listed(7, 10, REQUEST_OUTDATED);
	assert_string_equal(state_of(W), "timed_out");
	listed_of(V, 8, 10, REQUEST_SENT, 1);
	assert_string_equal(state_of(W), "timed_out");
	listed_of(V, 8, 10, REQUEST_CONFIRMED, 1);
	assert_string_equal(state_of(W), "taken");
}

static void outdated_is_taken_if_another_has_accepted_a_check_first(void **s)
{
	(void)s;
	listed(7, 10, REQUEST_OUTDATED);
	opened(&us.held, V, at(10));
	marked(&us.held, V, MARK_ACCEPTED, at(12));
	assert_string_equal(state_of(W), "taken");
	assert_string_equal(state_of(V), "accepted");
}

static void an_answer_under_way_hides_what_else_is_open(void **s)
{
	(void)s;
	listed(7, 10, REQUEST_SENT);
	pressed(VERB_ACCEPT, 10);
	assert_string_equal(state_of(W), "accepting");
	listed(8, 20, REQUEST_SENT);
	assert_string_equal(state_of(W), "accepting");
	listed(7, 10, REQUEST_CONFIRMED);
	assert_string_equal(state_of(W), "pending");
	us_begin();
	listed(7, 10, REQUEST_SENT);
	pressed(VERB_REJECT, 10);
	assert_string_equal(state_of(W), "rejecting");
}

static void a_no_to_an_accept_is_refused_and_to_a_reject_rejected(void **s)
{
	(void)s;
	listed(7, 10, REQUEST_SENT);
	pressed_and(VERB_ACCEPT, 10, SETTLED_NO);
	assert_string_equal(state_of(W), "refused");
	listed(8, 10, REQUEST_CONFIRMED); /* another, answered together */
	assert_string_equal(state_of(W), "accepted");
	us_begin();
	listed(7, 10, REQUEST_SENT);
	pressed_and(VERB_REJECT, 10, SETTLED_NO);
	assert_string_equal(state_of(W), "rejected");
}

static void an_ok_is_no_answer_while_the_request_is_open(void **s)
{
	(void)s;
	listed(7, 10, REQUEST_SENT);
	pressed_and(VERB_ACCEPT, 10, SETTLED_OK);
	assert_string_equal(state_of(W), "pending");
}

static void a_newer_request_asks_anew_whatever_was_confirmed(void **s)
{
	(void)s;
	listed(7, 10, REQUEST_SENT);
	pressed_and(VERB_ACCEPT, 10, SETTLED_OK);
	listed(7, 10, REQUEST_CONFIRMED);
	assert_string_equal(state_of(W), "accepted");
	order_remember(&us.held);
	listed(8, 20, REQUEST_SENT);
	assert_string_equal(state_of(W), "pending");
	assert_false(offer_stop(&us.held, (int64_t[]){W}, 1));
	listed(8, 20, REQUEST_OUTDATED);
	assert_string_equal(state_of(W), "accepted");
}

static void a_parcel_under_way_goes_before_a_newer_request(void **s)
{
	struct change c = {.kind = CHANGE_SHIP_ASKED, .warehouse = W};

	(void)s;
	listed(7, 10, REQUEST_CONFIRMED);
	c.ask.packages = 1;
	c.ask.at = NOW;
	say(&us.held, &c);
	listed(8, 20, REQUEST_SENT);
	assert_string_equal(state_of(W), "accepted");
	c = (struct change){.kind = CHANGE_SHIP_CAME, .warehouse = W};
	c.came.stage = SHIP_SHIPPED;
	c.came.id = 5;
	say(&us.held, &c);
	assert_string_equal(state_of(W), "pending");
}

static void what_is_confirmed_after_a_parcel_is_to_be_sent_too(void **s)
{
	(void)s;
	listed(7, 10, REQUEST_CONFIRMED);
	order_offer(&us.held, W)->shipped = true;
	listed(8, 20, REQUEST_SENT);
	assert_false(mine()->shipped);
	order_offer(&us.held, W)->shipped = true;
	listed(8, 20, REQUEST_CONFIRMED);
	assert_false(mine()->shipped);
	listed(8, 20, REQUEST_CONFIRMED);
	order_offer(&us.held, W)->shipped = true;
	listed(8, 20, REQUEST_CONFIRMED); /* the same again */
	assert_true(mine()->shipped);
}

/* Centra asks again and again: what is confirmed, and not sent, is the last to be
 * forgotten. */
static void of_too_many_requests_what_is_confirmed_stays(void **s)
{
	(void)s;
	listed(7, 10, REQUEST_CONFIRMED);
	for (int i = 0; i < 2 * REQUESTS_MAX; i++)
		listed(100 + i, 20 + i, REQUEST_OUTDATED);
	assert_int_equal(mine()->n_requests, REQUESTS_MAX);
	assert_string_equal(state_of(W), "accepted");
	assert_true(requests_have_line(mine(), 7, NULL));
	listed(500, 600, REQUEST_SENT);
	assert_string_equal(state_of(W), "pending");
}

static void asked_for(int64_t line)
{
	struct change c = {.kind = CHANGE_SHIP_ASKED, .warehouse = W};

	c.ask.packages = 1;
	c.ask.at = NOW;
	c.ask.n_lines = 1;
	c.ask.lines = xcalloc(1, sizeof(*c.ask.lines));
	c.ask.lines[0] = (struct ship_line){line, 1};
	say(&us.held, &c);
}

/* The newest parcel is sent; the look before it showed that nothing is left. */
static void sent(void)
{
	struct change c = {.kind = CHANGE_SHIP_CAME, .warehouse = W};

	c.came.stage = SHIP_SHIPPED;
	c.came.id = 5;
	say(&us.held, &c);
	offer_derive(NULL, &us.held);
}

static void a_further_request_that_is_lost_leaves_what_was_sent_done(void **s)
{
	static const enum request_status ends[] = {REQUEST_REJECTED,
						   REQUEST_OUTDATED};

	(void)s;
	for (size_t i = 0; i < 2; i++) {
		us_begin();
		listed(7, 10, REQUEST_CONFIRMED);
		asked_for(7);
		sent();
		assert_true(mine()->list == LIST_DONE);
		listed(8, 20, REQUEST_SENT);
		assert_true(mine()->list == LIST_OPEN);
		listed(8, 20, ends[i]);
		assert_string_equal(state_of(W), "accepted");
		assert_true(mine()->list == LIST_DONE);
	}
}

/* A webhook comes late, or is sent once more, about what has been sent. */
static void a_webhook_about_what_was_sent_opens_nothing(void **s)
{
	(void)s;
	listed(7, 10, REQUEST_CONFIRMED);
	asked_for(7);
	sent();
	row(W, 0, REQUEST_ALLOCATED, LATER + 10000, 7);
	assert_string_equal(state_of(W), "accepted");
	assert_true(mine()->list == LIST_DONE);
}

/* Somebody confirms in Centra, and the list shows the request only then. */
static void what_was_confirmed_elsewhere_is_to_be_sent_too(void **s)
{
	(void)s;
	listed(7, 10, REQUEST_CONFIRMED);
	asked_for(7);
	sent();
	listed(8, 20, REQUEST_CONFIRMED);
	assert_true(mine()->list == LIST_MINE);
}

/* The look that showed nothing left was older than the confirmation. */
static void what_was_confirmed_while_a_parcel_left_is_to_be_sent_too(void **s)
{
	(void)s;
	listed(7, 10, REQUEST_CONFIRMED);
	asked_for(7);
	listed(8, 20, REQUEST_CONFIRMED);
	sent();
	assert_true(mine()->list == LIST_MINE);
	asked_for(8);
	sent();
	assert_true(mine()->list == LIST_DONE);
}

/* It was made before the one that the shop saw, but the list showed it later. */
static void a_request_that_the_shop_was_not_shown_is_not_answered(void **s)
{
	(void)s;
	listed(8, 20, REQUEST_SENT);
	pressed(VERB_ACCEPT, 20);
	listed(7, 10, REQUEST_SENT);
	assert_false(request_answered(mine(), &mine()->requests[0]));
	assert_true(request_answered(mine(), &mine()->requests[1]));
	listed(8, 20, REQUEST_CONFIRMED);
	assert_string_equal(state_of(W), "pending");
}

static void a_cancelled_order_is_cancelled(void **s)
{
	(void)s;
	listed(7, 10, REQUEST_CONFIRMED);
	cancelled(&us.held);
	assert_string_equal(state_of(W), "cancelled");
}

/* ---- two sources of one fact ---- */

static void a_webhook_and_an_entry_of_one_expiry_and_lines_are_one(void **s)
{
	(void)s;
	row(W, 0, REQUEST_ALLOCATED, LATER + 10000, 7);
	listed(7, 10, REQUEST_SENT);
	assert_int_equal(mine()->n_requests, 2);
	assert_string_equal(state_of(W), "pending");
	listed(7, 10, REQUEST_CONFIRMED);
	assert_string_equal(state_of(W), "accepted");
}

static void a_webhook_that_is_ahead_of_the_list_counts(void **s)
{
	(void)s;
	row(W, 0, REQUEST_ALLOCATED, LATER + 10000, 7);
	listed(7, 10, REQUEST_SENT);
	row(W, 0, REQUEST_OUTDATED, LATER + 10000, 7);
	assert_string_equal(state_of(W), "timed_out");
}

static void other_lines_or_another_expiry_are_another_request(void **s)
{
	(void)s;
	row(W, 0, REQUEST_OUTDATED, LATER + 10000, 9);
	row(W, 0, REQUEST_OUTDATED, LATER + 90000, 7);
	listed(7, 10, REQUEST_SENT);
	assert_string_equal(state_of(W), "pending");
}

static void without_an_expiry_the_lines_tell(void **s)
{
	(void)s;
	row(W, 0, REQUEST_ALLOCATED, TIME_NONE, 7);
	listed(7, 10, REQUEST_CONFIRMED);
	assert_string_equal(state_of(W), "accepted");
}

/* A row with two lines. */
static void row_of_two(int64_t id, enum request_status status, int64_t expires,
		       int64_t line, int64_t other)
{
	struct change c = {.kind = CHANGE_REQUEST, .warehouse = W};

	c.request = (struct alloc_request){.id = id,
					   .status = status,
					   .expires = expires,
					   .at = id ? NOW : 0,
					   .n_lines = 2};
	c.request.lines = xcalloc(2, sizeof(struct request_line));
	c.request.lines[0] = (struct request_line){line, 1};
	c.request.lines[1] = (struct request_line){other, 1};
	say(&us.held, &c);
	offer_derive(NULL, &us.held);
}

/* A webhook has the fraction of the second, and the list may round it. */
static void a_second_more_or_less_is_one_expiry(void **s)
{
	(void)s;
	for (int more = -1; more <= 1; more++) {
		us_begin();
		row(W, 0, REQUEST_ALLOCATED, LATER, 7);
		pressed(VERB_ACCEPT, 10);
		row(W, 7, REQUEST_SENT, LATER + more * 1000, 7);
		assert_string_equal(state_of(W), "accepting");
		assert_true(request_answered(mine(), &mine()->requests[1]));
		row(W, 7, REQUEST_CONFIRMED, LATER + more * 1000, 7);
		settled(&us.held, W, SETTLED_OK);
		assert_string_equal(state_of(W), "accepted");
	}
	us_begin();
	row(W, 0, REQUEST_ALLOCATED, LATER, 7);
	row(W, 7, REQUEST_CONFIRMED, LATER + 2000, 7);
	assert_string_equal(state_of(W), "pending");
}

/* Somebody has changed the order between the webhook and the list. */
static void a_request_that_lost_a_line_is_the_same_one(void **s)
{
	(void)s;
	row_of_two(0, REQUEST_ALLOCATED, LATER, 7, 8);
	pressed(VERB_ACCEPT, 10);
	row(W, 20, REQUEST_SENT, LATER, 8);
	assert_true(request_answered(mine(), &mine()->requests[1]));
	row(W, 20, REQUEST_CONFIRMED, LATER, 8);
	settled(&us.held, W, SETTLED_OK);
	assert_string_equal(state_of(W), "accepted");
	assert_true(requests_have_line(mine(), 8, NULL));
	assert_false(requests_have_line(mine(), 7, NULL));
}

/* Two requests of one moment: what a webhook told is the one that fits best. */
static void a_webhook_is_of_the_request_that_fits_best(void **s)
{
	(void)s;
	row_of_two(0, REQUEST_OUTDATED, LATER, 7, 8);
	row_of_two(20, REQUEST_SENT, LATER, 7, 8);
	row(W, 21, REQUEST_SENT, LATER, 8);
	assert_string_equal(state_of(W), "pending");
	assert_true(request_status(mine(), 1) == REQUEST_OUTDATED);
	assert_true(request_status(mine(), 2) == REQUEST_SENT);
	us_begin();
	row(W, 0, REQUEST_OUTDATED, LATER, 7);
	row(W, 20, REQUEST_OUTDATED, LATER, 7);
	row(W, 21, REQUEST_SENT, LATER + 1000, 7);
	assert_string_equal(state_of(W), "pending");
}

/* A webhook whose expiry cannot be read may be about an older request of the
 * same lines. */
static void without_an_expiry_a_webhook_ends_no_request_of_the_list(void **s)
{
	(void)s;
	row(W, 0, REQUEST_OUTDATED, TIME_NONE, 7);
	listed(7, 10, REQUEST_SENT);
	assert_string_equal(state_of(W), "pending");
}

static void an_older_status_changes_nothing(void **s)
{
	(void)s;
	listed(7, 10, REQUEST_CONFIRMED);
	listed(7, 10, REQUEST_SENT);
	assert_string_equal(state_of(W), "accepted");
	listed(7, 10, REQUEST_OUTDATED);
	listed(7, 10, REQUEST_CONFIRMED);
	assert_string_equal(state_of(W), "timed_out");
}

static void a_request_without_a_webhook_is_untold(void **s)
{
	struct untold *list = NULL;

	(void)s;
	listed(7, 10, REQUEST_SENT);
	assert_true(requests_untold(mine(), NOW));
	assert_false(requests_untold(mine(), NOW - 1));
	assert_int_equal(missed_untold(NULL, &us.held, NOW, &list), 1);
	assert_int_equal(list[0].missed, MISSED_CREATE);
	assert_int_equal(list[0].warehouse, W);
	free(list);
	row(W, 0, REQUEST_ALLOCATED, LATER + 10000, 7);
	assert_false(requests_untold(mine(), NOW));
	assert_int_equal(missed_untold(NULL, &us.held, NOW, &list), 0);
	free(list);
}

/* ---- lines ---- */

static void the_lines_are_those_of_what_makes_the_state(void **s)
{
	int64_t units;

	(void)s;
	listed(7, 10, REQUEST_CONFIRMED);
	assert_true(requests_have_line(mine(), 7, &units));
	assert_int_equal(units, 2);
	assert_false(requests_have_line(mine(), 8, NULL));
	listed(8, 20, REQUEST_SENT);
	assert_true(requests_have_line(mine(), 8, NULL));
	assert_false(requests_have_line(mine(), 7, NULL));
}

static void of_a_check_first_every_line_is_shown(void **s)
{
	(void)s;
	opened(&us.held, W, at(10));
	assert_true(requests_have_line(mine(), 7, NULL));
}

/* ---- what says nothing ---- */

static void a_look_neither_wins_nor_ends_a_request(void **s)
{
	static const struct {
		int64_t holder;
		bool waits;
	} looks[] = {{W, false}, {V, false}, {0, true}, {0, false}};

	(void)s;
	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
		us_begin();
		listed(7, 10, REQUEST_SENT);
		listed_of(V, 8, 10, REQUEST_SENT, 7);
		centra_shows(looks[i].holder, looks[i].waits);
		for (int n = 0; n < 30; n++) {
			run_fetch();
			us.now += 3600000;
		}
		assert_string_equal(state_of(W), "pending");
		assert_false(us.held.fetch_due);
		listed(7, 10, REQUEST_CONFIRMED);
		run_fetch();
		assert_string_equal(state_of(W), "accepted");
		assert_false(mine()->doubt);
	}
}

static void a_look_still_cancels(void **s)
{
	(void)s;
	listed(7, 10, REQUEST_SENT);
	reply.status = "CANCELLED";
	centra_shows(0, false);
	run_fetch();
	assert_string_equal(state_of(W), "cancelled");
}

static void a_create_of_check_first_makes_it_one(void **s)
{
	(void)s;
	listed(7, 10, REQUEST_OUTDATED);
	opened(&us.held, W, at(50));
	assert_int_equal(offer_kind(mine()), KIND_CHECK_FIRST);
	assert_string_equal(state_of(W), "pending");
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin_test, end_test)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(each_status_has_its_state),
		T(only_a_request_that_timed_out_is_late),
		T(outdated_is_taken_if_another_has_confirmed),
		T(outdated_is_taken_if_another_has_accepted_a_check_first),
		T(an_answer_under_way_hides_what_else_is_open),
		T(a_no_to_an_accept_is_refused_and_to_a_reject_rejected),
		T(an_ok_is_no_answer_while_the_request_is_open),
		T(a_newer_request_asks_anew_whatever_was_confirmed),
		T(a_parcel_under_way_goes_before_a_newer_request),
		T(what_is_confirmed_after_a_parcel_is_to_be_sent_too),
		T(of_too_many_requests_what_is_confirmed_stays),
		T(a_further_request_that_is_lost_leaves_what_was_sent_done),
		T(a_webhook_about_what_was_sent_opens_nothing),
		T(what_was_confirmed_elsewhere_is_to_be_sent_too),
		T(what_was_confirmed_while_a_parcel_left_is_to_be_sent_too),
		T(a_request_that_the_shop_was_not_shown_is_not_answered),
		T(a_cancelled_order_is_cancelled),
		T(a_webhook_and_an_entry_of_one_expiry_and_lines_are_one),
		T(a_webhook_that_is_ahead_of_the_list_counts),
		T(other_lines_or_another_expiry_are_another_request),
		T(without_an_expiry_the_lines_tell),
		T(a_second_more_or_less_is_one_expiry),
		T(a_request_that_lost_a_line_is_the_same_one),
		T(a_webhook_is_of_the_request_that_fits_best),
		T(without_an_expiry_a_webhook_ends_no_request_of_the_list),
		T(an_older_status_changes_nothing),
		T(a_request_without_a_webhook_is_untold),
		T(the_lines_are_those_of_what_makes_the_state),
		T(of_a_check_first_every_line_is_shown),
		T(a_look_neither_wins_nor_ends_a_request),
		T(a_look_still_cancels),
		T(a_create_of_check_first_makes_it_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
