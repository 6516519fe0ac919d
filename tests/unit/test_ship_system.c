/* SPDX-License-Identifier: MIT
 *
 * test_ship_system.c - orders that the shop's own system ships: what it may ask
 * for, what is next, and what becomes of names and addresses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "handlers/ship_system.h"
#include "store/model/record.h"
#include "tests/unit/facts.h"

#include <cmocka.h> /* last: it has a macro called fail */

#define OURS   3
#define OTHER  4
#define NUMBER "19-1"

static const int64_t shop[] = {OURS}, other_shop[] = {OTHER};
static struct order order;

/* ---- an order that is ours, whose shipment waits: 2 units and 1 ---- */

static void apply(enum change_kind kind, struct change c)
{
	c.kind = kind;
	c.warehouse = OURS;
	order_apply(&order, &c);
	offer_derive(NULL, &order);
	order_remember(&order);
}

static struct shipment *newest(void)
{
	return offer_shipment(order_offer(&order, OURS));
}

/* Sets how far the shipment has come. */
static void came(enum ship_stage stage, enum ship_capture capture)
{
	struct ship_came c = newest()->came;

	c.stage = stage;
	c.capture = capture;
	c.error = NULL;
	c.id = 500;
	memcpy(c.number, NUMBER, sizeof(NUMBER));
	apply(CHANGE_SHIP_CAME, (struct change){.came = c});
}

static int begin(void **state)
{
	struct ship_line lines[] = {{1, 2}, {2, 1}};
	char shown[] = "{\"orderCurrency\":\"SEK\"}";
	char person[] = "{\"deliveryName\":\"Ada\"}";

	(void)state;
	order_init(&order, "se", 19);
	opened(&order, OURS, at(1));
	marked(&order, OURS, MARK_ACCEPTED, at(2));
	offer_derive(NULL, &order);
	apply(CHANGE_SHIP_ASKED,
	      (struct change){.ask = {.goal = GOAL_CREATED,
				      .packages = 1,
				      .at = NOW,
				      .lines = lines,
				      .n_lines = 2}});
	came(SHIP_CREATED, CAPTURE_NONE);
	apply(CHANGE_SHIP_SHOWN, (struct change){.shown = {shown, person}});
	return 0;
}

static int end(void **state)
{
	(void)state;
	order_release(&order);
	return 0;
}

/* ---- what the system asks for ---- */

static char carrier[] = "PostNord";

static struct system_decision wants(enum system_verb verb)
{
	return (struct system_decision){
		.verb = verb,
		.warehouses = shop,
		.n_warehouses = 1,
		.number = NUMBER,
		.may_capture = true,
		.ask = {.at = NOW + 1, .packages = 1, .carrier = carrier},
	};
}

/* Decides, and applies what was decided. */
static enum rc asked(struct system_decision *d)
{
	struct changes c = {0};
	struct err e;
	enum rc rc = ship_system_decide(d, &order, &c, &e);

	for (size_t i = 0; i < c.n; i++)
		order_apply(&order, &c.list[i]);
	changes_release(&c);
	offer_derive(NULL, &order);
	return rc;
}

static void asked_is(enum system_verb verb, enum rc want)
{
	struct system_decision d = wants(verb);

	assert_int_equal(asked(&d), want);
}

static enum rc picks(const struct ship_line *lines, size_t n)
{
	struct system_decision d = wants(SYSTEM_EDIT);

	d.lines = lines;
	d.n_lines = n;
	return asked(&d);
}

static enum system_outcome outcome_of(enum system_verb verb, const char **msg)
{
	struct system_decision d = wants(verb);

	return ship_system_outcome(&d, &order, msg);
}

/* ---- the tests ---- */

static void a_capture_moves_the_goal_once(void **state)
{
	const char *msg;

	(void)state;
	asked_is(SYSTEM_CAPTURE, OK);
	assert_int_equal(newest()->ask.goal, GOAL_CAPTURED);
	asked_is(SYSTEM_CAPTURE, RC_EXISTS);
	assert_int_equal(outcome_of(SYSTEM_CAPTURE, &msg), SYSTEM_WAITS);
	came(SHIP_CAPTURED, CAPTURE_DONE);
	asked_is(SYSTEM_CAPTURE, RC_EXISTS);
	assert_int_equal(outcome_of(SYSTEM_CAPTURE, &msg), SYSTEM_DONE);
}

static void a_failed_capture_is_told_and_may_be_asked_for_again(void **state)
{
	const char *msg;

	(void)state;
	asked_is(SYSTEM_CAPTURE, OK);
	came(SHIP_CAPTURE_FAILED, CAPTURE_FAILED);
	assert_int_equal(outcome_of(SYSTEM_CAPTURE, &msg), SYSTEM_REFUSED);
	assert_string_equal(msg, "capture failed");
	asked_is(SYSTEM_CAPTURE, OK);
	assert_int_equal(newest()->came.stage, SHIP_CREATED);
	assert_int_equal(newest()->came.capture, CAPTURE_NONE);
}

static void the_parcel_of_a_completion_is_kept_and_not_exchanged(void **state)
{
	struct system_decision d = wants(SYSTEM_COMPLETE);
	char another[] = "DHL";

	(void)state;
	assert_int_equal(asked(&d), OK);
	assert_string_equal(newest()->ask.carrier, "PostNord");
	assert_int_equal(asked(&d), RC_EXISTS);
	d.ask.carrier = another;
	assert_int_equal(asked(&d), RC_CONFLICT);
	assert_string_equal(newest()->ask.carrier, "PostNord");
	came(SHIP_SHIPPED, CAPTURE_DONE);
	assert_int_equal(asked(&d), RC_EXISTS);
}

static void a_completion_that_may_not_capture_needs_a_capture(void **state)
{
	struct system_decision d = wants(SYSTEM_COMPLETE);

	(void)state;
	d.may_capture = false;
	assert_int_equal(asked(&d), RC_CONFLICT);
	came(SHIP_CAPTURED, CAPTURE_DONE);
	assert_int_equal(asked(&d), OK);
}

static void a_short_pick_is_kept_until_centra_has_it(void **state)
{
	const struct ship_line fewer[] = {{1, 1}};

	(void)state;
	assert_int_equal(picks(fewer, 1), OK);
	assert_int_equal(newest()->n_edit, 2);
	assert_int_equal(newest()->ask.lines[0].quantity, 2);
	assert_int_equal(picks(fewer, 1), RC_EXISTS);
	/* Until then nothing is captured or sent: it could be too much. */
	asked_is(SYSTEM_CAPTURE, RC_CONFLICT);
	asked_is(SYSTEM_COMPLETE, RC_CONFLICT);
	apply(CHANGE_SHIP_EDITED, (struct change){0});
	assert_int_equal(newest()->n_edit, 0);
	assert_int_equal(newest()->ask.lines[0].quantity, 1);
	assert_int_equal(picks(fewer, 1), RC_EXISTS);
}

static void a_pick_of_more_of_others_or_of_nothing_is_refused(void **state)
{
	const struct ship_line more[] = {{1, 3}}, others[] = {{7, 1}},
			       nothing[] = {{1, 0}, {2, 0}};

	(void)state;
	assert_int_equal(picks(more, 1), RC_CONFLICT);
	assert_int_equal(picks(others, 1), RC_CONFLICT);
	assert_int_equal(picks(nothing, 2), RC_CONFLICT);
	assert_int_equal(newest()->n_edit, 0);
}

/* The capture that failed was of more: it is not made again unasked. */
static void a_pick_after_a_failed_capture_captures_nothing(void **state)
{
	const struct ship_line fewer[] = {{1, 1}};

	(void)state;
	asked_is(SYSTEM_CAPTURE, OK);
	came(SHIP_CAPTURE_FAILED, CAPTURE_FAILED);
	assert_int_equal(picks(fewer, 1), OK);
	assert_int_equal(newest()->ask.goal, GOAL_CREATED);
	assert_true(shipment_under_way(newest()));
}

static void what_is_being_paid_is_not_edited_or_deleted(void **state)
{
	const struct ship_line fewer[] = {{1, 1}};

	(void)state;
	asked_is(SYSTEM_CAPTURE, OK);
	assert_int_equal(picks(fewer, 1), RC_CONFLICT);
	asked_is(SYSTEM_DELETE, RC_CONFLICT);
	came(SHIP_CREATED, CAPTURE_PENDING);
	assert_int_equal(picks(fewer, 1), RC_CONFLICT);
	asked_is(SYSTEM_DELETE, RC_CONFLICT);
}

static void what_is_given_back_is_gone_and_remembered(void **state)
{
	const char *msg;

	(void)state;
	asked_is(SYSTEM_DELETE, OK);
	asked_is(SYSTEM_DELETE, RC_EXISTS);
	asked_is(SYSTEM_CAPTURE, RC_CONFLICT);
	assert_int_equal(outcome_of(SYSTEM_DELETE, &msg), SYSTEM_WAITS);
	apply(CHANGE_SHIP_CAME,
	      (struct change){.came = {.stage = SHIP_FAILED,
				       .fault = FAULT_GIVEN_BACK}});
	assert_int_equal(outcome_of(SYSTEM_DELETE, &msg), SYSTEM_DONE);
	asked_is(SYSTEM_DELETE, RC_EXISTS);
	asked_is(SYSTEM_CAPTURE, RC_NOTFOUND);
	assert_null(newest()->shown);
	assert_null(newest()->person);
}

static void another_shop_finds_nothing(void **state)
{
	struct system_decision d = wants(SYSTEM_CAPTURE);
	struct changes c = {0};
	const char *msg;
	struct err e;

	(void)state;
	d.warehouses = other_shop;
	for (int v = SYSTEM_CAPTURE; v <= SYSTEM_DELETE; v++) {
		d.verb = (enum system_verb)v;
		assert_int_equal(ship_system_decide(&d, &order, &c, &e),
				 RC_NOTFOUND);
		assert_int_equal(c.n, 0);
		assert_int_equal(ship_system_outcome(&d, &order, &msg),
				 SYSTEM_REFUSED);
		assert_string_equal(msg, "shipment does not exist");
	}
}

static void a_cancelled_order_is_no_more_to_be_picked(void **state)
{
	(void)state;
	assert_true(ship_system_waits(&order, order_offer(&order, OURS),
				      newest()));
	apply(CHANGE_CANCELLED, (struct change){0});
	assert_false(ship_system_waits(&order, order_offer(&order, OURS),
				       newest()));
	for (int v = SYSTEM_CAPTURE; v <= SYSTEM_DELETE; v++)
		asked_is((enum system_verb)v, RC_NOTFOUND);
	assert_null(newest()->person);
}

static void an_order_of_another_after_all_is_no_more_to_be_picked(void **state)
{
	(void)state;
	marked(&order, OURS, MARK_REJECTED, at(3));
	apply(CHANGE_TOLD, (struct change){.told_at = NOW});
	assert_int_not_equal(order_offer(&order, OURS)->state, STATE_ACCEPTED);
	assert_false(ship_system_waits(&order, order_offer(&order, OURS),
				       newest()));
	assert_null(newest()->person);
	asked_is(SYSTEM_CAPTURE, RC_NOTFOUND);
}

static void an_order_in_doubt_is_not_to_be_picked(void **state)
{
	(void)state;
	order_offer(&order, OURS)->doubt = true;
	assert_false(ship_system_waits(&order, order_offer(&order, OURS),
				       newest()));
}

static void people_are_forgotten_when_the_parcel_is_sent(void **state)
{
	(void)state;
	assert_non_null(newest()->person);
	came(SHIP_SHIPPED, CAPTURE_DONE);
	assert_null(newest()->person);
	assert_non_null(newest()->shown);
}

static void what_says_who_it_is_is_kept_apart(void **state)
{
	static const char *const who[] = {
		"billingName",	 "billingEmail",    "deliveryName",
		"deliveryCell",	 "deliveryZipcode", "otherComment",
		"deliveryNote",	 "customerId",	    "shipwallet_doorcode",
		"selectionId",	 "proforma",
	};
	static const char *const what[] = {
		"orderId", "products", "grandTotalValue", "deliveryService",
		"shipwallet_method", "orderCurrency",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(who) / sizeof(*who); i++)
		assert_true(ship_is_personal(who[i]));
	for (size_t i = 0; i < sizeof(what) / sizeof(*what); i++)
		assert_false(ship_is_personal(what[i]));
}

/* All of it is read from the store as it was written. */
static void what_is_asked_for_and_shown_is_kept(void **state)
{
	const struct ship_line fewer[] = {{1, 1}};
	struct order back = {0};
	struct shipment *s;
	struct buf b;
	struct err e;

	(void)state;
	assert_int_equal(picks(fewer, 1), OK);
	newest()->tries[STEP_EDIT] = 2;
	memcpy(newest()->deleted, "19-7", 5);
	buf_init(&b, (size_t)1 << 20);
	encode_order(&b, &order);
	assert_int_equal(get_order(&back, "se", 19, b.data, b.len, &e), OK);
	s = offer_shipment(order_offer(&back, OURS));
	assert_int_equal(s->ask.goal, GOAL_CREATED);
	assert_int_equal(s->n_edit, 2);
	assert_int_equal(s->edit[0].quantity, 1);
	assert_string_equal(s->shown, "{\"orderCurrency\":\"SEK\"}");
	assert_string_equal(s->person, "{\"deliveryName\":\"Ada\"}");
	assert_string_equal(s->deleted, "19-7");
	assert_int_equal(s->tries[STEP_EDIT], 2);
	order_release(&back);
	buf_release(&b);
}

/* ---- what is next ---- */

static struct centra_shipment_line in[] = {{1, 2}, {2, 1}};
static char confirmed[] = "CONFIRMED", number[] = NUMBER;

static enum ship_what next(struct centra_shipment c)
{
	struct centra_allocation ours[] = {{OURS, 2, false}, {OURS, 1, false}};
	struct centra_line lines[] = {
		{.id = 1, .quantity = 2, .allocations = &ours[0],
		 .n_allocations = 1},
		{.id = 2, .quantity = 1, .allocations = &ours[1],
		 .n_allocations = 1},
	};
	struct centra_order co = {.number = 19,
				  .status = confirmed,
				  .lines = lines,
				  .n_lines = 2,
				  .shipments = &c,
				  .n_shipments = c.id ? 1 : 0};
	struct ship_plan p;

	c.number = number;
	c.lines = in;
	c.n_lines = 2;
	ship_plan(&order, OURS, &co, false, &p);
	return p.what;
}

static void a_shipment_waits_at_its_goal_and_goes_on_from_there(void **state)
{
	struct centra_shipment c = {.id = 500};

	(void)state;
	assert_int_equal(next(c), PLAN_READY);
	asked_is(SYSTEM_CAPTURE, OK);
	assert_int_equal(next(c), PLAN_CAPTURE);
	c.captured = true;
	assert_int_equal(next(c), PLAN_READY);
	asked_is(SYSTEM_COMPLETE, OK);
	assert_int_equal(next(c), PLAN_GOOD_TO_GO);
	c.good_to_go = true;
	assert_int_equal(next(c), PLAN_COMPLETE);
	c.shipped = true;
	assert_int_equal(next(c), PLAN_SHIPPED);
}

static void an_edit_goes_before_the_capture(void **state)
{
	const struct ship_line fewer[] = {{1, 1}};
	struct centra_shipment c = {.id = 500};

	(void)state;
	assert_int_equal(picks(fewer, 1), OK);
	assert_int_equal(next(c), PLAN_EDIT);
	c.paid = true;
	assert_int_equal(next(c), PLAN_NO_EDIT);
	c.paid = false;
	in[0].quantity = 1;
	assert_int_equal(next(c), PLAN_EDITED);
	in[0].quantity = 2;
}

/* A deletion is proved by a look that no longer shows it, once it was asked
 * for; one look without it before that proves nothing. */
static void a_deletion_ends_when_centra_no_longer_shows_it(void **state)
{
	struct centra_shipment c = {.id = 500}, none = {0};

	(void)state;
	asked_is(SYSTEM_DELETE, OK);
	assert_int_equal(next(none), PLAN_MISSED);
	assert_int_equal(next(c), PLAN_DELETE);
	newest()->tries[STEP_DELETE] = 1;
	assert_int_equal(next(none), PLAN_DELETED);
}

/* ---- a press on the page, once the setting has changed ---- */

static char tracking[] = "SE1";

static enum rc pressed(unsigned char key, char *parcel)
{
	struct ship_decision d = {
		.warehouses = shop,
		.n_warehouses = 1,
		.configured = true,
		.ask = {.at = NOW + 2,
			.all = true,
			.packages = 1,
			.tracking = parcel,
			.keyed = key,
			.key = {.device = 7, .hash = {key}}},
	};
	struct changes c = {0};
	struct err e;
	enum rc rc = ship_decide(&d, &order, &c, &e);

	for (size_t i = 0; i < c.n; i++)
		order_apply(&order, &c.list[i]);
	changes_release(&c);
	offer_derive(NULL, &order);
	return rc;
}

/* Also after a short pick, whose rest is not to follow by itself. */
static void a_press_that_takes_over_is_one_press(void **state)
{
	const struct ship_line fewer[] = {{1, 1}, {2, 1}};
	char other[] = "SE2";

	(void)state;
	assert_int_equal(picks(fewer, 2), OK);
	apply(CHANGE_SHIP_EDITED, (struct change){0});
	assert_int_equal(pressed(1, tracking), OK);
	assert_int_equal(newest()->ask.goal, GOAL_SHIPPED);
	assert_string_equal(newest()->ask.tracking, "SE1");
	assert_int_equal(pressed(1, tracking), RC_EXISTS);
	assert_int_equal(pressed(1, other), RC_CONFLICT);
	assert_int_equal(pressed(2, tracking), RC_CONFLICT);
	apply(CHANGE_SHIP_CAME,
	      (struct change){.came = {.stage = SHIP_SHIPPED, .id = 500,
				       .number = NUMBER, .rest = true}});
	assert_int_equal(pressed(1, tracking), RC_EXISTS);
	assert_int_equal(order_offer(&order, OURS)->n_shipments, 1);
}

static void a_press_without_a_key_takes_over_once(void **state)
{
	const struct ship_line fewer[] = {{1, 1}, {2, 1}};

	(void)state;
	assert_int_equal(picks(fewer, 2), OK);
	apply(CHANGE_SHIP_EDITED, (struct change){0});
	assert_int_equal(pressed(0, tracking), OK);
	assert_int_equal(pressed(0, tracking), RC_EXISTS);
	assert_int_equal(newest()->ask.lines[0].quantity, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_capture_moves_the_goal_once),
		TEST(a_failed_capture_is_told_and_may_be_asked_for_again),
		TEST(the_parcel_of_a_completion_is_kept_and_not_exchanged),
		TEST(a_completion_that_may_not_capture_needs_a_capture),
		TEST(a_short_pick_is_kept_until_centra_has_it),
		TEST(a_pick_of_more_of_others_or_of_nothing_is_refused),
		TEST(a_pick_after_a_failed_capture_captures_nothing),
		TEST(what_is_being_paid_is_not_edited_or_deleted),
		TEST(what_is_given_back_is_gone_and_remembered),
		TEST(another_shop_finds_nothing),
		TEST(a_cancelled_order_is_no_more_to_be_picked),
		TEST(an_order_of_another_after_all_is_no_more_to_be_picked),
		TEST(an_order_in_doubt_is_not_to_be_picked),
		TEST(people_are_forgotten_when_the_parcel_is_sent),
		TEST(what_says_who_it_is_is_kept_apart),
		TEST(what_is_asked_for_and_shown_is_kept),
		TEST(a_shipment_waits_at_its_goal_and_goes_on_from_there),
		TEST(an_edit_goes_before_the_capture),
		TEST(a_deletion_ends_when_centra_no_longer_shows_it),
		TEST(a_press_that_takes_over_is_one_press),
		TEST(a_press_without_a_key_takes_over_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
