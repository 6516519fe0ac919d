/* SPDX-License-Identifier: MIT
 *
 * test_untold.c - what looks alone have told, and so which webhooks were missed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "handlers/missed.h"
#include "handlers/reconcile.h"
#include "tests/unit/facts.h"

#include <cmocka.h> /* last: it has a macro called fail */

#define W 3
#define V 4

static struct order held, *o = &held;

static int make(void **state)
{
	(void)state;
	order_init(o, "se", 19);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	order_release(o);
	return 0;
}

/* What is untold, as text: "accepted/0 rejected/3 ". */
static const char *untold(int64_t by)
{
	static char text[200];
	struct untold *list;
	size_t n, len = 0;

	offer_derive(NULL, o);
	n = missed_untold(NULL, o, by, &list);
	text[0] = '\0';
	for (size_t i = 0; i < n; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"%s/%lld ", missed_name(list[i].missed),
					(long long)list[i].warehouse);
	free(list);
	return text;
}

#define is(expect) assert_string_equal(untold(NOW), expect)

static void fetched(int64_t when, const char *status)
{
	struct change c = {.kind = CHANGE_FETCHED, .fetched.at = when};

	snprintf(c.fetched.status, STATUS_SIZE, "%s", status);
	say(o, &c);
}

static void told_at(int64_t when)
{
	say(o, &(struct change){.kind = CHANGE_TOLD, .told_at = when});
}

static void count(int64_t warehouse, enum missed missed)
{
	say(o, &(struct change){.kind = CHANGE_MISSED,
				.warehouse = warehouse,
				.missed = missed});
}

static void an_accept_that_only_a_look_shows_was_missed(void **s)
{
	(void)s;
	opened(o, W, at(10));
	is("");
	found(o, W, FOUND_OURS, 0);
	is("accepted/0 ");
	marked(o, W, MARK_ACCEPTED, at(20));
	is("");
	found(o, W, FOUND_OURS, 0);
	is("");
}

static void our_own_accept_needs_no_webhook(void **s)
{
	(void)s;
	opened(o, W, at(10));
	answered(o, W, VERB_ACCEPT, at(10));
	told(o, W, SETTLED_OK);
	found(o, W, FOUND_OURS, 0);
	is("");
}

static void one_accept_ends_several_offers_and_is_one_webhook(void **s)
{
	(void)s;
	opened(o, W, at(10));
	opened(o, V, at(10));
	opened(o, 5, at(10));
	found(o, W, FOUND_OURS, 0);
	found(o, V, FOUND_NOT_OURS, STATE_TAKEN);
	found(o, 5, FOUND_NOT_OURS, STATE_TAKEN);
	is("accepted/0 ");
}

static void each_warehouse_has_its_own_end(void **s)
{
	(void)s;
	opened(o, W, at(10));
	opened(o, V, at(10));
	found(o, W, FOUND_NOT_OURS, STATE_REJECTED);
	found(o, V, FOUND_NOT_OURS, STATE_TIMED_OUT);
	is("rejected/3 timeout/4 ");
	marked(o, W, MARK_REJECTED, at(20));
	found(o, V, FOUND_NOT_OURS, STATE_TIMED_OUT);
	is("timeout/4 ");
}

static void an_offer_that_some_event_ended_was_not_missed(void **s)
{
	(void)s;
	opened(o, W, at(10));
	marked(o, W, MARK_TIMED_OUT, at(20));
	found(o, W, FOUND_NOT_OURS, STATE_REJECTED);
	is("");
}

static void a_mark_of_an_older_offer_does_not_tell(void **s)
{
	(void)s;
	opened(o, W, at(10));
	marked(o, W, MARK_REJECTED, at(5));
	found(o, W, FOUND_NOT_OURS, STATE_REJECTED);
	is("rejected/3 ");
}

static void our_own_reject_needs_no_webhook(void **s)
{
	(void)s;
	opened(o, W, at(10));
	answered(o, W, VERB_REJECT, at(10));
	told(o, W, SETTLED_OK);
	found(o, W, FOUND_NOT_OURS, STATE_REJECTED);
	is("");
}

static void what_is_open_was_not_missed(void **s)
{
	(void)s;
	opened(o, W, at(10));
	found(o, W, FOUND_OPEN, 0);
	is("");
}

static void what_is_counted_is_not_counted_again(void **s)
{
	(void)s;
	opened(o, W, at(10));
	opened(o, V, at(10));
	found(o, W, FOUND_NOT_OURS, STATE_REJECTED);
	found(o, V, FOUND_NOT_OURS, STATE_REJECTED);
	count(W, MISSED_REJECTED);
	is("rejected/4 ");
	count(V, MISSED_REJECTED);
	is("");
	found(o, W, FOUND_OURS, 0);
	is("accepted/0 ");
	count(0, MISSED_ACCEPTED);
	is("");
}

static void a_finding_made_later_is_judged_later(void **s)
{
	(void)s;
	opened(o, W, at(10));
	found(o, W, FOUND_OURS, 0);
	assert_string_equal(untold(NOW - 1), "");
	assert_string_equal(untold(NOW), "accepted/0 ");
}

static void an_offer_put_there_by_recovery_is_not_rejected_by_name(void **s)
{
	(void)s;
	opened_until(o, W, "", TIME_NONE);
	opened_until(o, V, "", TIME_NONE);
	found(o, W, FOUND_NOT_OURS, STATE_REJECTED);
	is("");
	found(o, W, FOUND_NOT_OURS, STATE_TAKEN);
	is("accepted/0 ");
}

static void a_cancelled_order_is_judged_as_a_whole(void **s)
{
	(void)s;
	opened(o, W, at(10));
	found(o, W, FOUND_OURS, 0);
	fetched(NOW, "CANCELLED");
	is("");
	assert_true(missed_cancel(o, NOW));
	assert_false(missed_cancel(o, NOW - 1));
	count(0, MISSED_CANCEL);
	assert_false(missed_cancel(o, NOW));
}

static void a_cancel_that_an_event_told_was_not_missed(void **s)
{
	(void)s;
	opened(o, W, at(10));
	cancelled(o);
	assert_false(missed_cancel(o, NOW));
	fetched(NOW, "CANCELLED");
	told_at(NOW + 500);
	assert_false(missed_cancel(o, NOW + 1000));
}

static void an_order_of_which_no_shop_was_asked_is_no_concern(void **s)
{
	(void)s;
	fetched(NOW, "CANCELLED");
	assert_false(missed_cancel(o, NOW));
	is("");
}

static void only_what_was_never_offered_is_unknown(void **s)
{
	(void)s;
	assert_true(missed_create(o, false));
	count(0, MISSED_CREATE);
	assert_false(missed_create(o, false));
	assert_true(missed_create(o, true));
	opened(o, W, at(10));
	offer_derive(NULL, o);
	assert_false(missed_create(o, true));
}

/* The waiting order, as it is held, is one whose create was lost. */
static bool is_unknown(void)
{
	offer_derive(NULL, o);
	return missed_create(o, false);
}

static void an_order_whose_offers_are_all_over_was_offered_anew(void **s)
{
	(void)s;
	opened(o, W, at(10));
	opened(o, V, at(10));
	assert_false(is_unknown());
	marked(o, W, MARK_TIMED_OUT, at(20));
	assert_false(is_unknown()); /* V is asked still */
	marked(o, V, MARK_REJECTED, at(21));
	assert_true(is_unknown());
	marked(o, V, MARK_ACCEPTED, at(22));
	assert_false(is_unknown()); /* a look tells what became of that */
}

static void a_create_that_was_lost_is_counted_once_and_the_next_again(void **s)
{
	(void)s;
	opened(o, W, at(10));
	marked(o, W, MARK_TIMED_OUT, at(20));
	assert_true(is_unknown());
	count(0, MISSED_CREATE);
	assert_false(is_unknown());
	/* A create sent again is no new offer, and it is counted already. */
	opened(o, W, at(10));
	assert_false(is_unknown());
	/* The next: it was offered anew meanwhile, or had stopped to wait. */
	opened_until(o, W, at(30), LATER + 1000);
	marked(o, W, MARK_TIMED_OUT, at(40));
	assert_true(is_unknown());
	count(0, MISSED_CREATE);
	fetched(NOW, "CONFIRMED");
	assert_true(is_unknown());
}

static void recovered(int64_t warehouse)
{
	struct change c = {.kind = CHANGE_RECOVERED, .warehouse = warehouse};

	c.recovered.expires = TIME_NONE;
	offer_recovery_date(o, c.recovered.date);
	say(o, &c);
	offer_derive(NULL, o);
}

static enum offer_state w_is(void)
{
	offer_derive(NULL, o);
	return order_offer(o, W)->state;
}

static void a_recovered_offer_is_newer_than_all_held_and_older_than_the_next(
	void **s)
{
	(void)s;
	for (int n = 10; n < 50; n += 20) {
		opened_until(o, W, at(n), LATER + n);
		marked(o, V, MARK_ACCEPTED, at(n + 1));
		marked(o, W, MARK_TIMED_OUT, at(n + 2));
		assert_int_equal(w_is(), STATE_TAKEN);
		for (int again = 0; again < 3; again++) {
			recovered(W);
			assert_int_equal(w_is(), STATE_PENDING);
			assert_true(opening_recovered(
				offer_opened(order_offer(o, W))));
			assert_int_equal(order_offer(o, W)->expires, TIME_NONE);
		}
		marked(o, W, MARK_TIMED_OUT, at(n + 3));
		assert_int_equal(w_is(), STATE_TIMED_OUT);
	}
	/* Its create comes after all: that one has a deadline. */
	recovered(W);
	opened_until(o, W, at(55), LATER);
	assert_int_equal(w_is(), STATE_PENDING);
	assert_int_equal(order_offer(o, W)->expires, LATER);
}

static void an_offer_recovered_anew_is_not_rejected_by_name_either(void **s)
{
	(void)s;
	opened(o, W, at(10));
	marked(o, W, MARK_TIMED_OUT, at(20));
	recovered(W);
	found(o, W, FOUND_NOT_OURS, STATE_REJECTED);
	is("");
}

/* ---- what a look alone ended ---- */

static void over(int64_t since)
{
	struct change c = {.kind = CHANGE_SIGHTING, .warehouse = W};

	c.sighting.what = FOUND_OVER;
	c.sighting.ended = STATE_REJECTED;
	c.sighting.sure = 1;
	c.sighting.at = since;
	c.sighting.knew = o->version;
	snprintf(c.sighting.opened, sizeof(c.sighting.opened), "%s", at(10));
	say(o, &c);
}

static bool looked_at_again(int64_t now)
{
	offer_derive(NULL, o);
	return reconcile_may_reopen(NULL, o, now);
}

#define HOUR ((int64_t)3600000)

static void what_a_look_alone_ended_is_looked_at_for_two_days(void **s)
{
	(void)s;
	opened(o, W, at(10));
	assert_false(looked_at_again(NOW)); /* it is open */
	over(NOW);
	assert_int_equal(w_is(), STATE_REJECTED);
	assert_true(looked_at_again(NOW));
	assert_true(looked_at_again(NOW + 47 * HOUR));
	assert_false(looked_at_again(NOW + 48 * HOUR));
	assert_true(looked_at_again(NOW - 48 * HOUR)); /* a clock set back */
	found(o, W, FOUND_NOT_OURS, STATE_TAKEN);
	assert_true(looked_at_again(NOW));
	marked(o, W, MARK_REJECTED, at(20));
	assert_false(looked_at_again(NOW)); /* Centra has told it too */
}

static void what_two_looks_ended_was_rejected_unheard(void **s)
{
	(void)s;
	opened(o, W, at(10));
	over(NOW);
	is("rejected/3 ");
	assert_string_equal(untold(NOW - 1), "");
	count(W, MISSED_REJECTED);
	is("");
}

static void a_reject_that_centra_said_no_to_may_be_ours_by_another_way(void **s)
{
	(void)s;
	opened(o, W, at(10));
	answered(o, W, VERB_REJECT, at(10));
	told(o, W, SETTLED_NO);
	assert_int_equal(w_is(), STATE_REJECTED);
	assert_true(looked_at_again(NOW));
	assert_false(looked_at_again(NOW + 48 * HOUR));
	told(o, W, SETTLED_OK);
	assert_false(looked_at_again(NOW));
}

static size_t follow_ups(int64_t missed_after, bool was_cancelled,
			 int64_t was_fetched)
{
	struct task task = {.number = 19};
	struct work w = {.task = &task,
			 .order = o,
			 .now = NOW,
			 .missed_after = missed_after};
	size_t n = 0;

	offer_derive(NULL, o);
	missed_follow_up(&w, was_cancelled, was_fetched);
	for (size_t i = 0; i < w.result.changes.n; i++) {
		const struct change *c = &w.result.changes.list[i];

		assert_int_equal(c->kind, CHANGE_TASK);
		assert_string_equal(c->task.kind, TASK_MISSED);
		assert_int_equal(c->task.sub, NOW);
		assert_int_equal(c->task.due, NOW + missed_after);
		n++;
	}
	result_release(&w.result);
	return n;
}

static void news_is_thought_over_once_the_webhook_had_its_time(void **s)
{
	(void)s;
	opened(o, W, at(10));
	assert_int_equal(follow_ups(2000, false, 0), 0);
	found(o, W, FOUND_OURS, 0);
	assert_int_equal(follow_ups(2000, false, 0), 1);
	assert_int_equal(follow_ups(0, false, 0), 0);
	count(0, MISSED_ACCEPTED);
	assert_int_equal(follow_ups(2000, false, 0), 0);
}

static void a_cancel_that_an_update_made_us_look_for_is_no_news(void **s)
{
	(void)s;
	opened(o, W, at(10));
	fetched(NOW, "CANCELLED");
	assert_int_equal(follow_ups(2000, false, NOW - 3600000), 1);
	assert_int_equal(follow_ups(2000, true, NOW - 3600000), 0);
	told_at(NOW - 5000);
	assert_int_equal(follow_ups(2000, false, NOW - 3600000), 0);
	assert_int_equal(follow_ups(2000, false, NOW), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, make, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_accept_that_only_a_look_shows_was_missed),
		T(our_own_accept_needs_no_webhook),
		T(one_accept_ends_several_offers_and_is_one_webhook),
		T(each_warehouse_has_its_own_end),
		T(an_offer_that_some_event_ended_was_not_missed),
		T(a_mark_of_an_older_offer_does_not_tell),
		T(our_own_reject_needs_no_webhook),
		T(what_is_open_was_not_missed),
		T(what_is_counted_is_not_counted_again),
		T(a_finding_made_later_is_judged_later),
		T(an_offer_put_there_by_recovery_is_not_rejected_by_name),
		T(a_cancelled_order_is_judged_as_a_whole),
		T(a_cancel_that_an_event_told_was_not_missed),
		T(an_order_of_which_no_shop_was_asked_is_no_concern),
		T(only_what_was_never_offered_is_unknown),
		T(news_is_thought_over_once_the_webhook_had_its_time),
		T(a_cancel_that_an_update_made_us_look_for_is_no_news),
		T(an_order_whose_offers_are_all_over_was_offered_anew),
		T(a_create_that_was_lost_is_counted_once_and_the_next_again),
		T(a_recovered_offer_is_newer_than_all_held_and_older_than_the_next),
		T(an_offer_recovered_anew_is_not_rejected_by_name_either),
		T(what_a_look_alone_ended_is_looked_at_for_two_days),
		T(what_two_looks_ended_was_rejected_unheard),
		T(a_reject_that_centra_said_no_to_may_be_ours_by_another_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
