/* SPDX-License-Identifier: MIT
 *
 * test_fetch_order.c - a look: what an order as fetched proves, what is kept
 * of it, and when it is fetched again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "handlers/details.h"
#include "handlers/look.h"
#include "handlers/run.h"
#include "tests/unit/one_run.h"

#include <cmocka.h> /* last: it has a macro called fail */

static int make(void **s)
{
	(void)s;
	us_begin();
	opened(&us.held, W, at(10));
	opened(&us.held, V, at(10));
	offer_derive(NULL, &us.held);
	return 0;
}

/* What else the look shows. */
static struct {
	bool on_hold, undecided;
	const char *status;
	int64_t shipment; /* of all lines */
	int64_t shipped;  /* units of each in it; 0: all */
} shown;

static int unmake(void **s)
{
	(void)s;
	us_end();
	memset(&shown, 0, sizeof(shown));
	return 0;
}

/* ---- what a look proves ---- */

/* Lines as text, one word each: "3" is allocated to 3, "3?" waits for
 * confirmation, "-" is to nobody, "3x" is cancelled, "3+4" is split, "=" has no
 * stock of its own; "2*3" are two units, of which one is allocated to 3. */
static void add_line(struct centra_line *l, const char *word)
{
	char *end;

	l->stockless = *word == '=';
	if (word[0] && word[1] == '*') {
		l->quantity = word[0] - '0';
		word += 2;
	}
	for (const char *p = word; *p && *p != '-' && *p != '=';
	     p = end + (*end == '+')) {
		int64_t w = strtoll(p, &end, 10);

		stub_allocate(l, w, *end == '?');
		if (*end == 'x')
			l->quantity = 0;
		if (*end == '?' || *end == 'x')
			end++;
	}
}

static const char *proves_for(int64_t warehouse, const char *lines, bool waits)
{
	static const char *const names[] = {"nothing", "ours", "not ours",
					    "open", "over"};
	struct centra_orders all = {0};
	struct centra_order *co =
		stub_order(&all, 19,
			   shown.status ? shown.status : "CONFIRMED", waits, 8);
	char *text = xstrdup(lines), *word, *rest = text;
	struct finding g;

	co->n_lines = 0;
	while ((word = strsep(&rest, " ")))
		if (*word)
			add_line(&co->lines[co->n_lines++], word);
	co->on_hold |= shown.on_hold;
	co->undecided = shown.undecided;
	if (shown.shipment)
		stub_ship(co, shown.shipment);
	for (size_t i = 0; shown.shipped && i < co->n_lines; i++)
		co->shipments[0].lines[i].quantity = shown.shipped;
	g = look_judge(&us.held, order_offer(&us.held, warehouse), co, NOW);
	assert_int_equal(g.knew, us.held.version);
	centra_orders_release(&all);
	free(text);
	return names[g.what];
}

#define proves(lines, waits, what) \
	assert_string_equal(proves_for(W, lines, waits), what)

static void every_line_for_us_is_ours(void **s)
{
	(void)s;
	proves("3", false, "ours");
	proves("3 3 3", false, "ours");
	proves("3 99x", false, "ours");
	proves("3 4x", false, "ours");
	proves("3+3", false, "ours");
}

static void less_than_every_line_is_not_proof(void **s)
{
	(void)s;
	proves("3 -", false, "nothing");
	proves("3 99", false, "nothing");
	proves("3 3?", false, "nothing");
	proves("3?", false, "nothing");
	proves("2*3", false, "nothing");
	proves("2*3+99", false, "nothing");
	proves("2*3+3?", false, "nothing");
}

static void a_line_for_another_that_was_asked_is_not_ours(void **s)
{
	(void)s;
	proves("4", false, "not ours");
	proves("3 4", false, "not ours");
	proves("- 4", false, "not ours");
}

static void a_line_split_between_two_that_were_asked_is_nobodys(void **s)
{
	(void)s;
	proves("3+4", false, "nothing");
	assert_string_equal(proves_for(V, "3+4", false), "nothing");
}

static void two_things_at_once_prove_neither(void **s)
{
	(void)s;
	proves("3", true, "nothing");
	proves("3 3", true, "nothing");
	proves("4", true, "nothing");
	proves("- 4", true, "nothing");
}

static void an_order_that_waits_no_more_is_over_not_another_s(void **s)
{
	(void)s;
	proves("99", false, "over");
	proves("-", false, "over");
	proves("4?", false, "over");
	proves("3x", false, "over");
}

static void an_order_on_hold_for_another_reason_proves_nothing(void **s)
{
	(void)s;
	shown.on_hold = true;
	proves("99", false, "nothing");
	proves("-", false, "nothing");
	proves("99", true, "open");
	/* What is shown is shown, on hold or not. */
	proves("3", false, "ours");
	proves("4", false, "not ours");
}

static void lines_without_stock_of_their_own_say_nothing(void **s)
{
	(void)s;
	proves("3 =", false, "ours");
	proves("= 3 =", false, "ours");
	proves("= 4", false, "not ours");
	proves("=", false, "over"); /* nothing of it is anybody's */
}

static void an_error_on_a_field_that_decides_proves_nothing(void **s)
{
	(void)s;
	shown.undecided = true;
	proves("3", false, "nothing");
	proves("4", false, "nothing");
	proves("99", false, "nothing");
	proves("99", true, "nothing");
}

static void what_is_in_a_shipment_of_ours_is_ours(void **s)
{
	struct offer *f = order_offer(&us.held, W);

	(void)s;
	shown.shipment = 501;
	proves("-", false, "over"); /* whose shipment it is, Centra hides */
	f->shipments = xcalloc(1, sizeof(*f->shipments));
	f->n_shipments = 1;
	f->shipments[0].came.id = 502;
	proves("- -", false, "over");
	f->shipments[0].came.id = 501;
	proves("- -", false, "ours"); /* its units left the allocations */
	proves("3 3", false, "ours"); /* or stay among them */
	proves("- 4", false, "nothing");
}

/* Units in a shipment may stand among the allocations still. */
static void what_others_hold_beside_a_shipment_of_ours_is_not_ours(void **s)
{
	struct offer *f;

	(void)s;
	f = order_offer(&us.held, W);
	f->shipments = xcalloc(1, sizeof(*f->shipments));
	f->n_shipments = 1;
	f->shipments[0].came.id = 501;
	shown.shipment = 501;
	shown.shipped = 1;
	proves("2*3", false, "ours"); /* one held, one sent */
	proves("2*3+99", false, "nothing"); /* one unit, counted twice */
}

static void who_was_never_asked_proves_nothing_while_it_waits(void **s)
{
	(void)s;
	proves("99 99", true, "open");
	proves("-", true, "open");
	proves("4?", true, "open");
	proves("4x 99", true, "open");
	proves("3 -", true, "open");
}

static void an_order_without_lines_proves_nothing(void **s)
{
	(void)s;
	proves("", false, "nothing");
	proves("", true, "nothing");
}

/* ---- what ended it ---- */

#define MINUTE 60000

/* Each look is made so long after the one before it was asked for. */
static void look_after(int64_t ms)
{
	us.now += ms;
	run_fetch();
	us.attempts++;
}

static void expect_end(const char *state)
{
	look_after(0);
	if (reply.holder != V) {
		assert_string_not_equal(state_of(W), state);
		assert_int_equal(us.result.how, OUTCOME_RETRY);
		assert_true(us.result.due >= us.now + MINUTE);
		assert_true(us.result.due <= us.now + 2 * MINUTE);
		look_after(MINUTE);
	}
	assert_string_equal(state_of(W), state);
	assert_int_equal(us.result.how, OUTCOME_DONE);
}

static void by_a_wrong_clock_no_offer_has_expired(void **s)
{
	(void)s;
	centra_shows(DIRECT, false);
	us.now = LATER;
	us.clock_ahead = LATER - NOW;
	expect_end("rejected");
	make(NULL);
	centra_shows(DIRECT, false);
	us.clock_ahead = NOW - LATER;
	expect_end("timed_out");
}

static void what_ended_an_offer_is_named(void **s)
{
	(void)s;
	centra_shows(V, false);
	expect_end("taken");
	make(NULL);
	centra_shows(DIRECT, false);
	expect_end("rejected"); /* Resume */
	assert_non_null(noted(FACT_FOUND, "over"));
	make(NULL);
	centra_shows(DIRECT, false);
	us.now = LATER;
	expect_end("timed_out");
}

/* ---- two looks ---- */

static void
two_looks_closer_than_a_minute_end_nothing_whatever_the_clock_says(void **s)
{
	(void)s;
	centra_shows(DIRECT, false);
	look_after(0);
	for (int i = 0; i < 5; i++) {
		us.ahead += 10 * MINUTE; /* the wall clock jumps */
		us.now += 10 * MINUTE;
		look_after(11000);
		assert_string_equal(state_of(W), "pending");
	}
	us.ahead -= 50 * MINUTE; /* and back */
	us.now -= 50 * MINUTE;
	look_after(5000);
	assert_string_equal(state_of(W), "rejected");
}

static void a_minute_is_not_counted_across_a_reboot(void **s)
{
	(void)s;
	centra_shows(DIRECT, false);
	look_after(0);
	us.boot++;
	us.ahead -= 1000 * MINUTE; /* the steady clock is another's */
	look_after(2 * MINUTE);
	assert_string_equal(state_of(W), "pending");
	look_after(MINUTE);
	assert_string_equal(state_of(W), "rejected");
}

static void a_look_that_shows_it_waiting_between_the_two_begins_anew(void **s)
{
	(void)s;
	centra_shows(DIRECT, false);
	look_after(0);
	centra_shows(DIRECT, true);
	look_after(MINUTE);
	assert_int_equal(us.result.how, OUTCOME_DONE);
	centra_shows(DIRECT, false);
	look_after(MINUTE);
	assert_string_equal(state_of(W), "pending");
	reply.on_hold = true; /* for another reason */
	look_after(MINUTE);
	reply.on_hold = false;
	look_after(MINUTE);
	assert_string_equal(state_of(W), "pending");
	reply.undecided = true; /* shows nothing at all: no break */
	look_after(MINUTE);
	assert_string_equal(state_of(W), "pending");
	reply.undecided = false;
	look_after(1);
	assert_string_equal(state_of(W), "rejected");
}

static void a_create_between_the_two_begins_anew(void **s)
{
	(void)s;
	centra_shows(DIRECT, false);
	look_after(0);
	opened_until(&us.held, W, at(30), LATER + 1000);
	look_after(MINUTE);
	assert_string_equal(state_of(W), "pending");
	look_after(MINUTE);
	assert_string_equal(state_of(W), "rejected");
	opened_until(&us.held, W, at(40), LATER + 2000);
	assert_string_equal(state_of(W), "pending");
}

static void what_two_looks_ended_opens_again_when_it_waits_or_is_ours(void **s)
{
	(void)s;
	for (int ours = 0; ours < 2; ours++) {
		make(NULL);
		centra_shows(DIRECT, false);
		expect_end("rejected");
		/* Nothing that is only missing opens it. */
		reply.on_hold = true;
		look_after(MINUTE);
		assert_string_equal(state_of(W), "rejected");
		reply.on_hold = false;
		centra_shows(ours ? W : DIRECT, !ours);
		look_after(MINUTE);
		assert_string_equal(state_of(W),
				    ours ? "accepted" : "pending");
	}
}

static void an_order_held_for_another_reason_stays_pending_for_ever(void **s)
{
	(void)s;
	centra_shows(DIRECT, false);
	reply.on_hold = true; /* the reason is null, or fraud, or payment */
	for (int i = 0; i < 20; i++) {
		look_after(10 * MINUTE);
		assert_string_equal(state_of(W), "pending");
		assert_int_equal(us.result.how, OUTCOME_RETRY);
		assert_true(us.result.due >= us.now + MINUTE);
		assert_true(us.result.due <= us.now + 70 * MINUTE);
	}
	assert_true(us.result.due >= us.now + 50 * MINUTE); /* less often */
	centra_shows(DIRECT, true);
	look_after(MINUTE);
	assert_int_equal(us.result.how, OUTCOME_DONE);
}

/* ---- doubt ---- */

static bool doubted(int64_t warehouse)
{
	offer_derive(NULL, &us.held);
	return order_offer(&us.held, warehouse)->doubt;
}

static void say_it_is_ours(bool by_event)
{
	if (by_event) {
		marked(&us.held, W, MARK_ACCEPTED, at(20));
	} else {
		answered(&us.held, W, VERB_ACCEPT, at(10));
		told(&us.held, W, SETTLED_OK);
	}
	assert_string_equal(state_of(W), "accepted");
	assert_false(doubted(W));
}

static void what_centra_gave_us_no_look_that_shows_nothing_takes_back(void **s)
{
	static const struct {
		int64_t holder, shipment;
		bool on_hold, undecided;
	} looks[] = {
		{.holder = 0},	    /* allocations: [] */
		{.holder = DIRECT}, /* a moment too early */
		{.holder = DIRECT, .on_hold = true},
		{.holder = W, .undecided = true},
		{.holder = 0, .shipment = 501}, /* made by Centra itself */
	};

	(void)s;
	for (size_t i = 0; i < 2 * sizeof(looks) / sizeof(looks[0]); i++) {
		make(NULL);
		say_it_is_ours(i % 2);
		reply.look = SHOWS;
		reply.holder = looks[i / 2].holder;
		reply.on_hold = looks[i / 2].on_hold;
		reply.undecided = looks[i / 2].undecided;
		reply.shipment = looks[i / 2].shipment;
		for (int k = 0; k < 20; k++) {
			look_after(10 * MINUTE);
			assert_string_equal(state_of(W), "accepted");
			assert_true(doubted(W));
			assert_int_equal(us.result.how, OUTCOME_RETRY);
		}
		reply.on_hold = reply.undecided = false;
		centra_shows(W, false);
		look_after(MINUTE);
		assert_string_equal(state_of(W), "accepted");
		assert_false(doubted(W));
		assert_int_equal(us.result.how, OUTCOME_DONE);
		assert_non_null(noted(FACT_DOUBT, "ended"));
	}
}

static void a_look_that_shows_another_s_takes_back_what_centra_gave_us(void **s)
{
	(void)s;
	say_it_is_ours(true);
	centra_shows(0, false);
	look_after(MINUTE);
	assert_non_null(noted(FACT_DOUBT, "begun"));
	centra_shows(V, false);
	look_after(MINUTE);
	assert_string_equal(state_of(W), "taken");
	assert_false(doubted(W));
}

static void what_a_look_showed_as_ours_is_doubted_too(void **s)
{
	(void)s;
	centra_shows(W, false);
	look_after(0);
	assert_string_equal(state_of(W), "accepted");
	assert_false(doubted(W));
	centra_shows(0, false);
	look_after(MINUTE);
	assert_string_equal(state_of(W), "accepted");
	assert_true(doubted(W));
}

static void a_word_that_came_after_the_look_is_not_doubted_by_it(void **s)
{
	(void)s;
	say_it_is_ours(false);
	centra_shows(0, false);
	look_after(MINUTE);
	assert_true(doubted(W));
	marked(&us.held, W, MARK_ACCEPTED, at(20));
	assert_false(doubted(W));
	marked(&us.held, V, MARK_REJECTED, at(21));
	assert_false(doubted(W));
}

static bool v_is_ours(const void *arg, int64_t warehouse)
{
	(void)arg;
	return warehouse == V;
}

static void what_others_won_is_not_in_doubt_here(void **s)
{
	static const int64_t ours[] = {V};

	(void)s;
	us.shops = ours;
	us.n_shops = 1;
	say_it_is_ours(true);
	centra_shows(0, false);
	look_after(MINUTE);
	offer_derive_for(NULL, &us.held, v_is_ours, NULL);
	assert_false(order_offer(&us.held, W)->doubt);
}

static void the_rest_of_a_part_that_is_shipped_is_doubted_too(void **s)
{
	struct offer *f = order_offer(&us.held, W);

	(void)s;
	say_it_is_ours(true);
	f->shipments = xcalloc(1, sizeof(*f->shipments));
	f->n_shipments = 1;
	f->shipments[0].came =
		(struct ship_came){.stage = SHIP_SHIPPED, .id = 501};
	centra_shows(0, false);
	look_after(MINUTE);
	assert_true(doubted(W));
	reply.shipment = 501;
	look_after(MINUTE);
	assert_string_equal(state_of(W), "accepted");
	assert_false(doubted(W));
}

static void a_shipment_under_way_is_not_doubted_by_its_own_units(void **s)
{
	struct offer *f = order_offer(&us.held, W);

	(void)s;
	say_it_is_ours(true);
	f->shipments = xcalloc(1, sizeof(*f->shipments));
	f->n_shipments = 1;
	f->shipments[0].step = STEP_CREATE;
	f->shipments[0].unknown = true; /* the reply of createShipment */
	centra_shows(0, false);
	reply.shipment = 501; /* is it ours? */
	look_after(MINUTE);
	assert_string_equal(state_of(W), "accepted");
	assert_false(doubted(W));
}

static void our_own_reject_stays_a_reject(void **s)
{
	(void)s;
	answered(&us.held, W, VERB_REJECT, at(10));
	told(&us.held, W, SETTLED_OK);
	centra_shows(V, false);
	expect_end("rejected");
}

/* ---- what is kept ---- */

static void a_fetch_keeps_status_and_lines(void **s)
{
	(void)s;
	us.held.has_details = false;
	centra_shows(DIRECT, true);
	run_fetch();
	assert_int_equal(us.result.how, OUTCOME_DONE);
	assert_int_equal(us.held.fetched_at, NOW);
	assert_string_equal(us.held.status, "CONFIRMED");
	assert_true(us.held.on_hold);
	assert_string_equal(us.held.hold_reason,
			    "WAITING_FOR_CHECK_FIRST_ALLOCATION");
	assert_true(us.held.has_details);
	assert_int_equal(reply.addresses, 0);
	assert_string_equal(state_of(W), "pending");
	/* That a pending order is open is no finding to grow old. */
	assert_int_equal(order_offer(&us.held, W)->finding.what,
			 FOUND_NOTHING);
}

static void the_address_is_asked_for_once_it_is_ours(void **s)
{
	(void)s;
	us.held.has_address = false;
	centra_shows(W, false);
	run_fetch();
	assert_int_equal(us.result.how, OUTCOME_DONE);
	assert_string_equal(state_of(W), "accepted");
	assert_int_equal(reply.looks, 2);
	assert_int_equal(reply.addresses, 1);
	assert_true(us.held.has_address);
	us.held.has_address = false;
	run_fetch();
	assert_int_equal(reply.looks, 3);
	assert_int_equal(reply.addresses, 2);
}

static void the_address_of_what_others_won_is_not_asked_for(void **s)
{
	static const int64_t ours[] = {V};

	(void)s;
	us.held.has_address = false;
	us.shops = ours;
	us.n_shops = 1;
	centra_shows(W, false);
	run_fetch();
	assert_int_equal(us.result.how, OUTCOME_DONE);
	assert_string_equal(state_of(W), "accepted");
	assert_int_equal(reply.looks, 1);
	assert_int_equal(reply.addresses, 0);
	assert_false(us.held.has_address);
	centra_shows(V, false);
	run_fetch();
	assert_string_equal(state_of(V), "accepted");
	assert_int_equal(reply.addresses, 1);
}

static void a_cancelled_order_is_cancelled(void **s)
{
	(void)s;
	reply.status = "CANCELLED";
	centra_shows(W, false);
	run_fetch();
	assert_true(us.held.cancelled);
	assert_string_equal(state_of(W), "cancelled");
	assert_non_null(noted(FACT_FOUND, "cancelled"));
	run_fetch();
	assert_int_equal(reply.looks, 1); /* final: not looked at again */
}

static void a_finding_that_is_held_already_is_not_written_again(void **s)
{
	(void)s;
	centra_shows(W, false);
	run_fetch();
	run_fetch();
	for (size_t i = 0; i < us.result.changes.n; i++) {
		assert_int_not_equal(us.result.changes.list[i].kind,
				     CHANGE_FINDING);
		assert_int_not_equal(us.result.changes.list[i].kind,
				     CHANGE_ENTRY);
	}
}

static void what_was_handed_over_is_not_taken_back(void **s)
{
	(void)s;
	centra_shows(W, false);
	run_fetch();
	order_offer(&us.held, W)->shipped = true;
	centra_shows(0, false);
	run_fetch();
	assert_string_equal(state_of(W), "accepted");
}

static void an_old_finding_is_forgotten_when_the_order_is_open_again(void **s)
{
	(void)s;
	centra_shows(V, false);
	run_fetch();
	assert_string_equal(state_of(W), "taken");
	opened_until(&us.held, W, at(30), LATER + 1000);
	assert_string_equal(state_of(W), "pending");
	assert_true(us.held.fetch_due);
	centra_shows(DIRECT, true);
	run_fetch();
	assert_int_equal(us.result.how, OUTCOME_DONE);
	assert_string_equal(state_of(W), "pending");
	assert_false(us.held.fetch_due);
}

/* ---- again, or not ---- */

static void what_nobody_waits_for_is_fetched_behind_live_work(void **s)
{
	(void)s;
	centra_shows(V, false);
	run_fetch(); /* W has it before it */
	assert_int_equal(reply.lane, CENTRA_FETCH);
	assert_int_equal(stub_centra.lane, CENTRA_LIVE);
	order_offer(&us.held, V)->shipped = true;
	offer_derive(NULL, &us.held);
	run_fetch(); /* taken, and shipped */
	assert_int_equal(reply.lane, CENTRA_RECONCILE);
	assert_int_equal(stub_centra.lane, CENTRA_LIVE);
}

static void the_repetition_of_a_look_that_showed_nothing_goes_behind_live_work(
	void **s)
{
	(void)s;
	say_it_is_ours(false);
	us.held.has_address = true;
	centra_shows(0, false);
	run_fetch();
	assert_true(doubted(W));
	assert_int_equal(reply.lane, CENTRA_FETCH);
	run_fetch();
	assert_int_equal(reply.lane, CENTRA_RECONCILE);
	us.held.has_address = false; /* the shop is to see where it goes */
	run_fetch();
	assert_int_equal(reply.lane, CENTRA_FETCH);
}

static void what_reconciliation_asks_for_goes_behind_live_work(void **s)
{
	(void)s;
	centra_shows(0, true);
	run_fetch();
	assert_int_equal(reply.lane, CENTRA_FETCH);
	us.lane = LANE_LAST;
	run_fetch();
	assert_int_equal(reply.lane, CENTRA_RECONCILE);
}

static void what_keeps_a_shop_is_fetched_as_what_shops_do(void **s)
{
	(void)s;
	us.lane = LANE_ANSWERS;
	centra_shows(0, true);
	run_fetch();
	assert_int_equal(reply.lane, CENTRA_LIVE);
}

static void a_fetch_that_fails_stays_in_its_lane(void **s)
{
	(void)s;
	reply.look = FAILS;
	run_fetch();
	assert_true(us.result.stays);
	reply.look = HIDES; /* a look that shows nothing */
	run_fetch();
	assert_false(us.result.stays);
}

static void the_first_repetition_is_not_late_for_what_failed_before(void **s)
{
	(void)s;
	us.held.has_details = true;
	us.attempts = 30; /* Centra was away */
	centra_shows(DIRECT, false);
	run_fetch();
	assert_true(us.result.due <= us.now + 2 * MINUTE);
}

static void what_nobody_waits_for_and_is_held_comes_back_together(void **s)
{
	(void)s;
	centra_shows(V, false);
	run_fetch();
	order_offer(&us.held, V)->shipped = true;
	offer_derive(NULL, &us.held);
	reply.look = HELD;
	us.attempts = 9;
	for (int64_t later = 0; later < 3000; later += 700) {
		us.now = NOW + later;
		run_fetch();
		assert_true(us.result.due > us.now);
		assert_true(us.result.due <= us.now + 34000);
		assert_int_equal(us.result.due % 4000, 0);
	}
}

static void a_fetch_that_fails_is_tried_again_and_again(void **s)
{
	(void)s;
	reply.look = FAILS;
	run_fetch();
	assert_int_equal(us.result.how, OUTCOME_RETRY);
	assert_true(us.result.due > NOW && us.result.due <= NOW + 1000);
	assert_non_null(noted(FACT_LOOK_FAILED, NULL));
	us.attempts = 40;
	run_fetch();
	assert_true(us.result.due >= NOW + 150000);
	assert_true(us.result.due <= NOW + 300000);
	assert_null(noted(FACT_LOOK_FAILED, NULL)); /* said before */
}

static void a_failure_in_other_words_is_journalled_once(void **s)
{
	(void)s;
	reply.look = FAILS;
	reply.words = "no reply in 10000 ms";
	run_fetch();
	assert_non_null(noted(FACT_LOOK_FAILED, NULL));
	reply.words = "no reply in 10003 ms";
	run_fetch();
	assert_null(noted(FACT_LOOK_FAILED, NULL));
}

static void a_call_that_is_held_back_has_a_number_of_its_own(void **s)
{
	(void)s;
	reply.look = HELD;
	run_fetch();
	assert_int_equal(us.result.how, OUTCOME_RETRY);
	assert_int_equal(us.result.why, run_why(WHY_CALL_HELD, 0));
}

static void a_failure_of_another_kind_is_journalled(void **s)
{
	(void)s;
	reply.words = "the same words";
	reply.look = FAILS; /* 500 */
	run_fetch();
	reply.look = CLOSED; /* 502 */
	run_fetch();
	assert_non_null(noted(FACT_LOOK_FAILED, NULL));
}

static void an_order_that_is_not_shown_proves_nothing(void **s)
{
	(void)s;
	marked(&us.held, W, MARK_ACCEPTED, at(20));
	marked(&us.held, W, MARK_TIMED_OUT, at(21));
	reply.look = HIDES;
	run_fetch();
	assert_int_equal(us.result.how, OUTCOME_RETRY);
	assert_string_equal(state_of(W), "accepting");
	assert_int_equal(us.held.fetched_at, 0);
}

static void an_accepted_order_that_is_not_shown_is_in_doubt(void **s)
{
	(void)s;
	say_it_is_ours(true);
	reply.look = HIDES;
	run_fetch();
	assert_string_equal(state_of(W), "accepted");
	assert_true(order_offer(&us.held, W)->doubt);
	assert_non_null(noted(FACT_DOUBT, "begun"));
	assert_int_equal(us.result.how, OUTCOME_RETRY);
	assert_int_equal(us.held.fetched_at, 0); /* nothing was fetched */
}

/* Only the first line is ours. */
static void half_ours(const int64_t *numbers, size_t n, bool with_address,
		      struct centra_orders *ret)
{
	(void)n;
	(void)with_address;
	ret->call.end = CALL_OK;
	stub_allocate(&stub_order(ret, numbers[0], "CONFIRMED", false, 2)
			       ->lines[0],
		      W, false);
}

static void a_look_that_settles_nothing_is_made_again(void **s)
{
	(void)s;
	marked(&us.held, W, MARK_ACCEPTED, at(20));
	marked(&us.held, W, MARK_TIMED_OUT, at(21));
	stub_centra.orders = half_ours;
	run_fetch();
	assert_int_equal(us.result.how, OUTCOME_RETRY);
	assert_string_equal(state_of(W), "accepting");
	stub_centra.orders = orders;
	centra_shows(W, false);
	run_fetch();
	assert_int_equal(us.result.how, OUTCOME_DONE);
	assert_string_equal(state_of(W), "accepted");
}

static void an_accept_set_aside_is_looked_at_some_more_times(void **s)
{
	(void)s;
	marked(&us.held, W, MARK_ACCEPTED, at(20));
	centra_shows(DIRECT, true);
	look_after(0);
	assert_string_equal(state_of(W), "accepted");
	assert_true(doubted(W));
	look_after(MINUTE / 2);
	assert_string_equal(state_of(W), "accepted");
	look_after(MINUTE / 2);
	assert_string_equal(state_of(W), "pending");
	assert_int_equal(us.result.how, OUTCOME_RETRY);
	us.attempts = 6;
	run_fetch();
	assert_int_equal(us.result.how, OUTCOME_DONE);
	us.attempts = 2;
	centra_shows(W, false);
	run_fetch();
	assert_string_equal(state_of(W), "accepted");
	assert_int_equal(us.result.how, OUTCOME_DONE);
}

/* ---- an order of which Centra did not show everything ---- */

static void an_undecided_order_proves_nothing_and_is_fetched_again(void **s)
{
	(void)s;
	reply.undecided = true;
	reply.status = "CANCELLED";
	centra_shows(W, false);
	run_fetch();
	assert_int_equal(us.result.how, OUTCOME_RETRY);
	assert_string_equal(state_of(W), "pending");
	assert_false(us.held.cancelled);
	assert_int_equal(us.held.fetched_at, 0);
	assert_non_null(noted(FACT_NOT_SHOWN, "decides"));
	us.attempts = 1000;
	run_fetch();
	assert_int_equal(us.result.how, OUTCOME_RETRY);
	assert_null(noted(FACT_NOT_SHOWN, "decides")); /* said before */
	reply.undecided = false;
	reply.status = "CONFIRMED";
	run_fetch();
	assert_string_equal(state_of(W), "accepted");
}

static bool kept_lines(void)
{
	for (size_t i = 0; i < us.result.changes.n; i++)
		if (us.result.changes.list[i].kind == CHANGE_DETAILS)
			return true;
	return false;
}

static void lines_that_are_not_decided_replace_no_others(void **s)
{
	(void)s;
	us.held.has_details = false;
	reply.undecided = true;
	centra_shows(0, true);
	run_fetch();
	assert_true(kept_lines()); /* better than none */
	run_fetch();
	assert_false(kept_lines());
	reply.undecided = false;
	run_fetch();
	assert_true(kept_lines());
}

/* With a back-off: never sooner than a second attempt allows, and no later than
 * in five minutes. */
static void an_address_that_an_error_hides_is_fetched_while_it_is_to_ship(
	void **s)
{
	int64_t wait;

	(void)s;
	us.held.has_address = false;
	reply.missing = MISSING_ADDRESS;
	marked(&us.held, W, MARK_ACCEPTED, at(20));
	centra_shows(W, false);
	for (us.attempts = 0; us.attempts < 1000;
	     us.attempts = us.attempts * 2 + 1) {
		run_fetch();
		assert_string_equal(state_of(W), "accepted");
		assert_int_equal(us.result.how, OUTCOME_RETRY);
		wait = us.result.due - us.now;
		assert_true(wait >= 500 && wait <= 5 * RUN_MINUTE);
		if (us.attempts > 20)
			assert_true(wait >= 2 * RUN_MINUTE);
		assert_true(us.held.has_details);
		assert_false(us.held.has_address);
	}
	reply.missing = 0;
	run_fetch();
	assert_int_equal(us.result.how, OUTCOME_DONE);
	assert_true(us.held.has_address);
}

static void an_address_that_is_no_longer_needed_is_not_fetched_again(void **s)
{
	(void)s;
	us.held.has_address = false;
	reply.missing = MISSING_ADDRESS;
	marked(&us.held, W, MARK_ACCEPTED, at(20));
	order_offer(&us.held, W)->shipped = true;
	offer_derive(NULL, &us.held);
	marked(&us.held, V, MARK_REJECTED, at(20));
	offer_derive(NULL, &us.held);
	centra_shows(W, false);
	run_fetch();
	assert_int_equal(us.result.how, OUTCOME_DONE);
}

static void names_that_are_missing_are_looked_for_a_few_times(void **s)
{
	(void)s;
	reply.missing = MISSING_WORDS;
	centra_shows(DIRECT, true);
	run_fetch();
	assert_int_equal(us.result.how, OUTCOME_RETRY);
	assert_non_null(noted(FACT_NOT_SHOWN, "words"));
	us.attempts = 6;
	run_fetch();
	assert_int_equal(us.result.how, OUTCOME_DONE);
}

/* Else each reconciliation would note it once more, and fetch seven times. */
static void what_reconciliation_does_not_see_waits_for_the_next_one(void **s)
{
	(void)s;
	us.lane = LANE_LAST;
	reply.missing = MISSING_WORDS;
	centra_shows(DIRECT, true);
	run_fetch();
	assert_int_equal(us.result.how, OUTCOME_DONE);
	assert_null(noted(FACT_NOT_SHOWN, "words"));
}

static void what_was_never_offered_is_not_fetched(void **s)
{
	(void)s;
	us_begin();
	run_fetch();
	assert_int_equal(us.result.how, OUTCOME_DONE);
	assert_int_equal(reply.looks, 0);
}

static void without_a_centra_a_fetch_waits_while_it_is_due(void **s)
{
	(void)s;
	us.no_centra = true;
	run_fetch();
	assert_int_equal(us.result.how, OUTCOME_DONE);
	us.held.has_details = false;
	run_fetch();
	assert_int_equal(us.result.how, OUTCOME_RETRY);
}

/* ---- many at once ---- */

#define MANY 25

static void fetch_many(int many, int queries)
{
	enum { MOST = 2 * MANY };

	static struct order held[MOST];
	static struct task tasks[MOST];
	static struct work works[MOST];

	us_begin();
	for (int i = 0; i < many; i++) {
		order_init(&held[i], "se", 100 + i);
		tasks[i] = (struct task){.number = 100 + i};
		works[i] = (struct work){.task = &tasks[i],
					 .order = &held[i],
					 .now = NOW,
					 .centra = stub_conn,
					 .called = called};
		opened(&held[i], W, at(10));
		if (i % 3 == 0)
			marked(&held[i], W, MARK_ACCEPTED, at(20));
	}
	centra_shows(W, false);
	handle_fetch_order(works, (size_t)many);
	assert_int_equal(reply.looks, queries);
	assert_int_equal(reply.addresses, queries / 2);
	assert_int_equal(us.calls, queries);
	for (int i = 0; i < many; i++) {
		assert_int_equal(works[i].result.how, OUTCOME_DONE);
		assert_int_equal(held[i].offers[0].state, STATE_ACCEPTED);
		assert_true(held[i].has_address);
		result_release(&works[i].result);
		order_release(&held[i]);
	}
}

static void many_orders_are_fetched_in_two_queries(void **s)
{
	(void)s;
	fetch_many(MANY, 2);
	fetch_many(2 * MANY, 4);
}

static struct order many_held[MANY];
static struct task many_tasks[MANY];
static struct work many[MANY];

static void many_begin(void)
{
	us_begin();
	for (int i = 0; i < MANY; i++) {
		order_init(&many_held[i], "se", 100 + i);
		many_tasks[i] = (struct task){.number = 100 + i};
		many[i] = (struct work){.task = &many_tasks[i],
					.order = &many_held[i],
					.now = NOW,
					.centra = stub_conn};
		opened(&many_held[i], W, at(10));
	}
}

static void many_end(void)
{
	for (int i = 0; i < MANY; i++) {
		result_release(&many[i].result);
		order_release(&many_held[i]);
	}
}

/* The reply to a query for this one, and whatever others, is an error. */
#define BROKEN 107

static int broken_queries;
static long broken_status;

static void all_but_broken(const int64_t *numbers, size_t n, bool with_address,
			   struct centra_orders *ret)
{
	for (size_t i = 0; i < n; i++) {
		if (numbers[i] != BROKEN)
			continue;
		broken_queries++;
		ret->call.end = CALL_UNKNOWN;
		ret->call.status = broken_status;
		snprintf(ret->call.why.text, sizeof(ret->call.why.text),
			 "GraphQL: cannot read the orders");
		return;
	}
	orders(numbers, n, with_address, ret);
}

static void an_order_that_spoils_the_reply_waits_alone(void **s)
{
	static const long statuses[] = {200, 400, 500};

	(void)s;
	for (size_t k = 0; k < 3; k++) {
		many_begin();
		broken_queries = 0;
		broken_status = statuses[k];
		stub_centra.orders = all_but_broken;
		centra_shows(DIRECT, true);
		handle_fetch_order(many, MANY);
		for (int i = 0; i < MANY; i++) {
			bool broken = many_held[i].number == BROKEN;

			assert_int_equal(many[i].result.how,
					 broken ? OUTCOME_RETRY : OUTCOME_DONE);
			assert_int_equal(many_held[i].has_details, !broken);
		}
		assert_true(broken_queries <= 6); /* of 25, 12, 6, 3, 2, 1 */
		many_end();
	}
}

static void what_is_no_fault_of_an_order_is_not_asked_again_for_each(void **s)
{
	(void)s;
	many_begin();
	reply.look = SPOILS;
	handle_fetch_order(many, MANY);
	assert_true(reply.looks <= 1 + LOOK_SPARE);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(many[i].result.how, OUTCOME_RETRY);
	many_end();
	many_begin();
	reply.look = CLOSED;
	handle_fetch_order(many, MANY);
	assert_int_equal(reply.looks, 1);
	many_end();
}

/* ---- details ---- */

static void details_are_the_lines_and_where_it_goes(void **s)
{
	struct centra_orders all = {0};
	struct centra_order *co = stub_order(&all, 19, "CONFIRMED", true, 1);
	char product[] = "Shirt \"A\"", sku[] = "S-1", city[] = "Malm\xc3\xb6";
	char upc[] = "012345678905";
	char *json;

	(void)s;
	co->city = city;
	co->lines[0].product = product;
	co->lines[0].sku = sku;
	co->lines[0].upc = upc;
	stub_allocate(&co->lines[0], DIRECT, true);
	json = details_json(co);
	assert_string_equal(
		json, "{\"placed_at\":null,\"city\":\"Malm\xc3\xb6\","
		      "\"country\":null,\"lines\":[{\"line_id\":1,"
		      "\"product\":\"Shirt \\\"A\\\"\",\"variant\":null,"
		      "\"size\":null,\"sku\":\"S-1\",\"ean\":null,"
		      "\"upc\":\"012345678905\","
		      "\"quantity\":1,\"allocations\":[{\"warehouse\":99,"
		      "\"quantity\":1,\"waiting\":true}]}]}");
	free(json);
	co->lines[0].stockless = true;
	json = details_json(co);
	assert_non_null(strstr(json, "\"stockless\":true,\"quantity\":1,"));
	free(json);
	free(co->lines[0].allocations);
	free(co->lines);
	free(co->status);
	free(co->hold_reason);
	free(all.list);
}

#define with(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with(every_line_for_us_is_ours),
		with(less_than_every_line_is_not_proof),
		with(a_line_for_another_that_was_asked_is_not_ours),
		with(a_line_split_between_two_that_were_asked_is_nobodys),
		with(two_things_at_once_prove_neither),
		with(an_order_that_waits_no_more_is_over_not_another_s),
		with(an_order_on_hold_for_another_reason_proves_nothing),
		with(lines_without_stock_of_their_own_say_nothing),
		with(an_error_on_a_field_that_decides_proves_nothing),
		with(what_is_in_a_shipment_of_ours_is_ours),
		with(what_others_hold_beside_a_shipment_of_ours_is_not_ours),
		with(who_was_never_asked_proves_nothing_while_it_waits),
		with(an_order_without_lines_proves_nothing),
		with(by_a_wrong_clock_no_offer_has_expired),
		with(what_ended_an_offer_is_named),
		with(two_looks_closer_than_a_minute_end_nothing_whatever_the_clock_says),
		with(a_minute_is_not_counted_across_a_reboot),
		with(a_look_that_shows_it_waiting_between_the_two_begins_anew),
		with(a_create_between_the_two_begins_anew),
		with(what_two_looks_ended_opens_again_when_it_waits_or_is_ours),
		with(an_order_held_for_another_reason_stays_pending_for_ever),
		with(what_centra_gave_us_no_look_that_shows_nothing_takes_back),
		with(a_look_that_shows_another_s_takes_back_what_centra_gave_us),
		with(what_a_look_showed_as_ours_is_doubted_too),
		with(a_word_that_came_after_the_look_is_not_doubted_by_it),
		with(what_others_won_is_not_in_doubt_here),
		with(the_rest_of_a_part_that_is_shipped_is_doubted_too),
		with(a_shipment_under_way_is_not_doubted_by_its_own_units),
		with(our_own_reject_stays_a_reject),
		with(a_fetch_keeps_status_and_lines),
		with(the_address_is_asked_for_once_it_is_ours),
		with(the_address_of_what_others_won_is_not_asked_for),
		with(a_cancelled_order_is_cancelled),
		with(a_finding_that_is_held_already_is_not_written_again),
		with(what_was_handed_over_is_not_taken_back),
		with(an_old_finding_is_forgotten_when_the_order_is_open_again),
		with(what_nobody_waits_for_is_fetched_behind_live_work),
		with(the_repetition_of_a_look_that_showed_nothing_goes_behind_live_work),
		with(what_reconciliation_asks_for_goes_behind_live_work),
		with(what_keeps_a_shop_is_fetched_as_what_shops_do),
		with(a_fetch_that_fails_stays_in_its_lane),
		with(the_first_repetition_is_not_late_for_what_failed_before),
		with(what_nobody_waits_for_and_is_held_comes_back_together),
		with(a_fetch_that_fails_is_tried_again_and_again),
		with(a_failure_in_other_words_is_journalled_once),
		with(a_call_that_is_held_back_has_a_number_of_its_own),
		with(a_failure_of_another_kind_is_journalled),
		with(an_order_that_is_not_shown_proves_nothing),
		with(an_accepted_order_that_is_not_shown_is_in_doubt),
		with(a_look_that_settles_nothing_is_made_again),
		with(an_accept_set_aside_is_looked_at_some_more_times),
		with(an_undecided_order_proves_nothing_and_is_fetched_again),
		with(lines_that_are_not_decided_replace_no_others),
		with(an_address_that_an_error_hides_is_fetched_while_it_is_to_ship),
		with(an_address_that_is_no_longer_needed_is_not_fetched_again),
		with(names_that_are_missing_are_looked_for_a_few_times),
		with(what_reconciliation_does_not_see_waits_for_the_next_one),
		with(what_was_never_offered_is_not_fetched),
		with(without_a_centra_a_fetch_waits_while_it_is_due),
		with(many_orders_are_fetched_in_two_queries),
		with(an_order_that_spoils_the_reply_waits_alone),
		with(what_is_no_fault_of_an_order_is_not_asked_again_for_each),
		with(details_are_the_lines_and_where_it_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
