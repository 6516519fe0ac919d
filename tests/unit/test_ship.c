/* SPDX-License-Identifier: MIT
 *
 * test_ship.c - a press of ship, decided; and what is next, by what Centra
 * shows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "handlers/ship.h"
#include "store/model/record.h"
#include "tests/unit/facts.h"

#include <cmocka.h> /* last: it has a macro called fail */

#define OURS  3
#define OTHER 4

/* ---- an order that is ours, of two lines: 2 units and 1 ---- */

static struct order order;
static struct centra_order co;
static struct centra_line lines[2];
static struct centra_allocation allocations[2][2];
static struct centra_shipment shipments[3];
static struct centra_shipment_line in[3][2];
static char confirmed[] = "CONFIRMED", pending[] = "PENDING";
static char numbers[3][8] = {"19-1", "19-2", "19-3"};

static int begin(void **state)
{
	(void)state;
	order_init(&order, "se", 19);
	opened(&order, OURS, at(1));
	marked(&order, OURS, MARK_ACCEPTED, at(2));
	offer_derive(NULL, &order);
	co = (struct centra_order){.number = 19,
				   .status = confirmed,
				   .lines = lines,
				   .n_lines = 2,
				   .shipments = shipments};
	for (int i = 0; i < 2; i++) {
		allocations[i][0] = (struct centra_allocation){
			OURS, 2 - i, false};
		allocations[i][1] = (struct centra_allocation){OTHER, 0,
							       false};
		lines[i] = (struct centra_line){
			.id = i + 1,
			.quantity = 2 - i,
			.allocations = allocations[i],
			.n_allocations = 2,
		};
	}
	return 0;
}

static int end(void **state)
{
	(void)state;
	order_release(&order);
	return 0;
}

/* Centra shows a shipment: of all, or of so many units of the first line. */
static struct centra_shipment *shows(int64_t id, int64_t units)
{
	size_t i = co.n_shipments++;

	in[i][0] = (struct centra_shipment_line){1, units ? units : 2};
	in[i][1] = (struct centra_shipment_line){2, 1};
	shipments[i] = (struct centra_shipment){
		.id = id,
		.number = numbers[i],
		.good_to_go = true,
		.lines = in[i],
		.n_lines = units ? 1 : 2,
	};
	return &shipments[i];
}

/* ---- pressing ---- */

static char carrier[] = "PostNord", tracking[] = "SE1";
static const int64_t shop[] = {OURS};
static const struct ship_stock stock[] = {
	{.line = 1, .quantity = 2, .ours = 2, .allocated = 2},
	{.line = 2, .quantity = 1, .ours = 1, .allocated = 1},
};

static struct ship_decision all_of_it(void)
{
	return (struct ship_decision){
		.warehouses = shop,
		.n_warehouses = 1,
		.ask = {.carrier = carrier,
			.tracking = tracking,
			.packages = 1,
			.at = NOW,
			.all = true},
		.stock_of = OURS,
		.stock = stock,
		.n_stock = 2,
		.configured = true,
	};
}

/* What came of the press; its conflict in *ret_code. */
static enum rc press_ship(struct ship_decision d, const char **ret_code,
			  int *ret_tasks)
{
	struct changes c = {0};
	struct err e;
	enum rc rc = ship_decide(&d, &order, &c, &e);

	*ret_code = d.conflict;
	*ret_tasks = 0;
	for (size_t i = 0; i < c.n; i++) {
		order_apply(&order, &c.list[i]);
		*ret_tasks += c.list[i].kind == CHANGE_TASK &&
			      !strcmp(c.list[i].task.kind, TASK_SHIP_ORDER) &&
			      c.list[i].task.sub == OURS;
	}
	changes_release(&c);
	offer_derive(NULL, &order);
	return rc;
}

static void pressed(struct ship_decision d)
{
	const char *code;
	int tasks;

	assert_int_equal(press_ship(d, &code, &tasks), OK);
	assert_int_equal(tasks, 1);
}

static void conflicts(struct ship_decision d, const char *want)
{
	const char *code;
	int tasks;

	assert_int_equal(press_ship(d, &code, &tasks), RC_CONFLICT);
	assert_string_equal(code, want);
	assert_int_equal(tasks, 0);
}

static struct shipment *newest(void)
{
	return offer_shipment(order_offer(&order, OURS));
}

static void came(struct ship_came how)
{
	say(&order, &(struct change){.kind = CHANGE_SHIP_CAME,
				     .warehouse = OURS,
				     .came = how});
	offer_derive(NULL, &order);
}

static void tried(enum ship_step step, enum try_end how)
{
	say(&order, &(struct change){.kind = CHANGE_SHIP_BEGUN,
				     .warehouse = OURS,
				     .ship_begun.step = step,
				     .ship_begun.at = NOW});
	say(&order, &(struct change){.kind = CHANGE_SHIP_ENDED,
				     .warehouse = OURS,
				     .ship_ended = how});
}

static void a_press_asks_for_all_that_is_left(void **state)
{
	(void)state;
	pressed(all_of_it());
	assert_int_equal(newest()->ask.n_lines, 2);
	assert_int_equal(newest()->ask.lines[0].quantity, 2);
	assert_int_equal(newest()->came.stage, SHIP_ASKED);
	assert_string_equal(newest()->ask.carrier, "PostNord");
}

static void the_same_press_is_one_and_another_is_in_the_way(void **state)
{
	struct ship_decision d = all_of_it();
	const char *code;
	int tasks;

	(void)state;
	pressed(d);
	assert_int_equal(press_ship(d, &code, &tasks), RC_EXISTS);
	assert_int_equal(tasks, 0);
	d.ask.packages = 2;
	conflicts(d, "answered");
	assert_int_equal(order_offer(&order, OURS)->n_shipments, 1);
}

static void a_press_while_payment_is_awaited_looks_now(void **state)
{
	(void)state;
	pressed(all_of_it());
	came((struct ship_came){.stage = SHIP_CREATED,
				.id = 500,
				.capture = CAPTURE_PENDING});
	pressed(all_of_it()); /* with a task */
	assert_int_equal(newest()->came.capture, CAPTURE_PENDING);
}

static void what_is_not_accepted_conflicts(void **state)
{
	struct ship_decision d = all_of_it();

	(void)state;
	cancelled(&order);
	offer_derive(NULL, &order);
	conflicts(d, "cancelled");
	order_release(&order);
	order_init(&order, "se", 19);
	opened(&order, OURS, at(1));
	offer_derive(NULL, &order);
	conflicts(d, "not_accepted");
}

static void without_a_way_to_tell_centra_it_conflicts(void **state)
{
	struct ship_decision d = all_of_it();

	(void)state;
	d.configured = false;
	conflicts(d, "not_configured");
}

static void of_another_shop_it_is_not_found(void **state)
{
	static const int64_t theirs[] = {OTHER};
	struct ship_decision d = all_of_it();
	const char *code;
	int tasks;

	(void)state;
	d.warehouses = theirs;
	assert_int_equal(press_ship(d, &code, &tasks), RC_NOTFOUND);
}

static void shipped_in_parts_the_rest_stays_listed(void **state)
{
	struct ship_line one = {1, 1};
	struct ship_decision d = all_of_it();
	const struct offer *f = order_offer(&order, OURS);

	(void)state;
	d.ask.all = false;
	d.ask.lines = &one;
	d.ask.n_lines = 1;
	pressed(d);
	came((struct ship_came){.stage = SHIP_SHIPPED, .id = 500, .rest = true});
	assert_false(f->shipped);
	assert_int_equal(f->list, LIST_MINE);
	assert_int_equal(ship_left(f, &stock[0]), 1);

	one.quantity = 2;
	conflicts(d, "answered"); /* no longer there */
	d = all_of_it();
	pressed(d);
	assert_int_equal(f->n_shipments, 2);
	assert_int_equal(newest()->ask.lines[0].quantity, 1);
	assert_int_equal(newest()->ask.lines[1].quantity, 1);
	came((struct ship_came){.stage = SHIP_SHIPPED, .id = 501});
	assert_true(f->shipped);
	assert_int_equal(f->list, LIST_DONE);
	d.ask.packages = 7;
	conflicts(d, "shipped");
}

static void with_key(struct ship_decision *d, unsigned char key)
{
	d->ask.keyed = true;
	d->ask.key = (struct ship_key){.device = 7, .hash = {key}};
}

static void exists(struct ship_decision d)
{
	const char *code;
	int tasks;

	assert_int_equal(press_ship(d, &code, &tasks), RC_EXISTS);
	assert_int_equal(tasks, 0);
}

static void a_new_key_is_a_new_parcel_and_an_old_one_never(void **state)
{
	struct ship_line one = {1, 1};
	struct ship_decision d = all_of_it();
	const struct offer *f = order_offer(&order, OURS);

	(void)state;
	d.ask.all = false;
	d.ask.lines = &one;
	d.ask.n_lines = 1;
	for (unsigned char key = 1; key <= 2; key++) {
		with_key(&d, key);
		pressed(d);
		exists(d);
		came((struct ship_came){
			.stage = SHIP_SHIPPED, .id = 500 + key, .rest = true});
		assert_int_equal(f->n_shipments, key);
	}
	for (unsigned char key = 1; key <= 2; key++) {
		with_key(&d, key);
		exists(d);
		assert_ptr_equal(ship_of_key(f, &d.ask.key),
				 &f->shipments[key - 1]);
	}
	d.ask.packages = 2;
	conflicts(d, "idempotency_mismatch");
	d.ask.key.device = 8; /* keys are a device's own */
	assert_null(ship_of_key(f, &d.ask.key));
	d.ask.packages = 1;
	d.ask.keyed = false;
	exists(d); /* without a key the same words are the newest parcel */
	assert_int_equal(f->n_shipments, 2);
}

static void a_new_key_waits_until_the_parcel_before_it_is_sent(void **state)
{
	struct ship_decision d = all_of_it();

	(void)state;
	with_key(&d, 1);
	pressed(d);
	with_key(&d, 2);
	conflicts(d, "answered");
}

static void what_failed_keeps_the_keys_it_was_asked_for_under(void **state)
{
	struct ship_decision d = all_of_it();
	char other[] = "DHL";

	(void)state;
	with_key(&d, 1);
	pressed(d);
	came((struct ship_came){.stage = SHIP_CAPTURE_FAILED, .id = 500});
	with_key(&d, 2);
	d.ask.carrier = other;
	pressed(d);
	came((struct ship_came){.stage = SHIP_SHIPPED, .id = 500});
	exists(d);
	d = all_of_it();
	with_key(&d, 1);
	exists(d); /* the first press comes once more, late */
	assert_int_equal(order_offer(&order, OURS)->n_shipments, 1);
}

static void more_keys_than_are_kept_forget_the_oldest(void **state)
{
	struct ship_decision d = all_of_it();

	(void)state;
	for (unsigned char key = 1; key <= SHIP_KEYS_MAX + 1; key++) {
		with_key(&d, key);
		pressed(d);
		came((struct ship_came){.stage = SHIP_CAPTURE_FAILED,
					.id = 500});
	}
	assert_int_equal(newest()->n_keys, SHIP_KEYS_MAX);
	assert_int_equal(newest()->keys[0].hash[0], 2);
}

static void what_failed_is_asked_for_anew_and_keeps_what_centra_has(
	void **state)
{
	struct ship_decision d = all_of_it();
	struct ship_line one = {1, 1};
	char other[] = "DHL";

	(void)state;
	pressed(d);
	came((struct ship_came){.stage = SHIP_CAPTURE_FAILED,
				.id = 500,
				.capture = CAPTURE_FAILED});
	d.ask.all = false;
	d.ask.lines = &one;
	d.ask.n_lines = 1;
	conflicts(d, "answered"); /* Centra has it with other lines */
	d = all_of_it();
	d.ask.carrier = other;
	pressed(d);
	assert_int_equal(order_offer(&order, OURS)->n_shipments, 1);
	assert_int_equal(newest()->came.stage, SHIP_CREATED);
	assert_int_equal(newest()->came.capture, CAPTURE_NONE);
	assert_int_equal(newest()->came.id, 500);
	assert_int_equal(newest()->ask.n_lines, 2);
	assert_string_equal(newest()->ask.carrier, "DHL");
}

static void where_another_system_ships_it_is_shipped_at_once(void **state)
{
	struct ship_decision d = all_of_it();
	const char *code;
	int tasks;

	(void)state;
	d.local = true;
	d.configured = false;
	assert_int_equal(press_ship(d, &code, &tasks), OK);
	assert_int_equal(tasks, 0);
	assert_int_equal(newest()->came.stage, SHIP_SHIPPED);
	assert_true(order_offer(&order, OURS)->shipped);
}

/* So many units of line 1 are shipped, and this is what it showed. */
static void shipped_part(int64_t units, enum ship_reading reading)
{
	struct ship_line part = {1, units};

	say(&order, &(struct change){
			    .kind = CHANGE_SHIP_ASKED,
			    .warehouse = OURS,
			    .ask = {.lines = xmemdup(&part, sizeof(part)),
				    .n_lines = 1}});
	came((struct ship_came){.stage = SHIP_SHIPPED,
				.rest = true,
				.reading = reading});
}

static void holds(int64_t line, int64_t ours, int64_t quantity)
{
	struct ship_held h = {line, ours, quantity, 0};

	say(&order, &(struct change){.kind = CHANGE_SHIP_HELD,
				     .warehouse = OURS,
				     .held.list = xmemdup(&h, sizeof(h)),
				     .held.n = 1});
}

/* One unit of line 1 is shipped: what is left, and what the readings of the
 * allocations disagree on, as long as ours is not known. */
static void only_what_both_readings_allow_is_left(void **state)
{
	static const struct {
		int64_t line, quantity, ours, allocated;
		int64_t left, unclear;
	} rows[] = {
		{1, 4, 4, 4, 3, 0}, /* shipped units stay allocated */
		{1, 4, 3, 3, 2, 1}, /* they go; or one was taken from us */
		{1, 4, 2, 4, 1, 0}, /* shared with another warehouse, stay */
		{1, 4, 1, 3, 0, 1}, /* go */
		{1, 1, 1, 1, 0, 0},
		{1, 1, 0, 0, 0, 0},
		{2, 4, 4, 4, 4, 0}, /* of this line nothing was shipped */
	};
	struct offer *f = order_offer(&order, OURS);

	(void)state;
	shipped_part(1, READING_UNKNOWN);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct ship_stock l = {.line = rows[i].line,
				       .quantity = rows[i].quantity,
				       .ours = rows[i].ours,
				       .allocated = rows[i].allocated};

		assert_int_equal(ship_left(f, &l), rows[i].left);
		assert_int_equal(ship_unclear(f, &l), rows[i].unclear);
	}
}

static void where_our_shipment_showed_that_they_go_nothing_is_unclear(
	void **state)
{
	struct ship_stock l = {
		.line = 1, .quantity = 2, .ours = 1, .allocated = 1};
	struct offer *f = order_offer(&order, OURS);

	(void)state;
	shipped_part(1, READING_LEAVE);
	assert_int_equal(ship_left(f, &l), 1);
	assert_int_equal(ship_unclear(f, &l), 0);
	/* But where more is allocated than there would be room for. */
	l.ours = l.allocated = 2;
	assert_int_equal(ship_left(f, &l), 1);
}

static void no_more_is_left_than_was_held_before_the_first_shipment(
	void **state)
{
	struct ship_stock l = {
		.line = 1, .quantity = 4, .ours = 4, .allocated = 4};
	struct offer *f = order_offer(&order, OURS);

	(void)state;
	holds(1, 2, 4);
	assert_int_equal(ship_left(f, &l), 2);
	shipped_part(1, READING_UNKNOWN);
	assert_int_equal(ship_left(f, &l), 1);
	l.line = 2; /* of which nothing was held */
	assert_int_equal(ship_left(f, &l), 0);
}

static void a_line_without_stock_is_never_left(void **state)
{
	struct ship_stock l = {.line = 1,
			       .quantity = 1,
			       .ours = 1,
			       .allocated = 1,
			       .stockless = true};

	(void)state;
	assert_int_equal(ship_left(order_offer(&order, OURS), &l), 0);
}

/* ---- what looks show to be ours ---- */

static void looks(void)
{
	struct work w = {.order = &order, .now = NOW};

	ship_look(&w, &co);
	result_release(&w.result);
}

static const struct ship_held *held(int64_t line)
{
	return ship_held_of(order_offer(&order, OURS), line);
}

static void a_look_after_the_accept_keeps_what_is_ours(void **state)
{
	(void)state;
	allocations[1][0].waiting = true;
	looks();
	assert_int_equal(held(1)->ours, 2);
	assert_null(held(2));
	allocations[1][0].waiting = false; /* Centra settles late */
	looks();
	assert_int_equal(held(2)->ours, 1);
	allocations[0][0].quantity = 1; /* less is no better look */
	allocations[0][1].quantity = 1;
	looks();
	assert_int_equal(held(1)->ours, 2);
	assert_int_equal(held(1)->others, 1);
}

static void once_a_shipment_is_tried_no_look_makes_more_ours(void **state)
{
	(void)state;
	allocations[0][0].quantity = 1;
	looks();
	pressed(all_of_it());
	tried(STEP_CREATE, TRY_UNKNOWN);
	allocations[0][0].quantity = 2;
	looks();
	assert_int_equal(held(1)->ours, 1);
}

static void what_cannot_be_concluded_from_is_not_kept(void **state)
{
	(void)state;
	co.undecided = true;
	looks();
	assert_null(held(1));
}

static void a_rest_that_is_cancelled_or_sent_by_others_ends_the_offer(
	void **state)
{
	(void)state;
	shipped_part(2, READING_UNKNOWN);
	shows(500, 2)->shipped = true;
	looks();
	assert_false(order_offer(&order, OURS)->shipped); /* line 2 is left */
	lines[1].quantity = 0;
	allocations[1][0].quantity = 0;
	looks();
	assert_true(order_offer(&order, OURS)->shipped);
}

/* ---- what is next ---- */

static struct ship_plan plan(bool on_pending)
{
	struct ship_plan p;

	ship_plan(&order, OURS, &co, on_pending, &p);
	return p;
}

static void next_is(enum ship_what want)
{
	assert_int_equal(plan(false).what, want);
}

static void stops_for(enum ship_fault want)
{
	struct ship_plan p = plan(false);

	assert_int_equal(p.what, PLAN_STOP);
	assert_int_equal(p.fault, want);
	assert_true(*p.why.text != '\0');
}

static void step_after_step(void **state)
{
	struct centra_shipment *c;

	(void)state;
	pressed(all_of_it());
	co.status = pending;
	next_is(PLAN_CONFIRM);
	co.status = confirmed;
	next_is(PLAN_CREATE);
	c = shows(500, 0);
	came((struct ship_came){.stage = SHIP_CREATED, .id = 500});
	c->good_to_go = false;
	next_is(PLAN_CAPTURE);
	c->captured = true;
	next_is(PLAN_GOOD_TO_GO);
	c->good_to_go = true;
	next_is(PLAN_COMPLETE);
	c->captured = false;
	c->paid = true;
	next_is(PLAN_COMPLETE);
	c->shipped = true;
	next_is(PLAN_SHIPPED);
}

static void it_stops_for_what_forbids_shipping(void **state)
{
	(void)state;
	pressed(all_of_it());
	co.on_hold = true;
	stops_for(FAULT_ON_HOLD);
	co.on_hold = false;
	allocations[1][0].warehouse = OTHER;
	stops_for(FAULT_NOT_OURS);
	allocations[1][0].warehouse = OURS;
	allocations[1][0].waiting = true;
	stops_for(FAULT_NOT_OURS);
	allocations[1][0].waiting = false;
	next_is(PLAN_CREATE);
	shows(500, 0);
	came((struct ship_came){.stage = SHIP_CREATED, .id = 500});
	co.on_hold = true;
	stops_for(FAULT_ON_HOLD);
	co.on_hold = false;
	cancelled(&order);
	offer_derive(NULL, &order);
	stops_for(FAULT_CANCELLED);
}

/* What Centra gave us, and a look does not show. */
static void look_shows(bool nothing)
{
	struct change c = {.kind = CHANGE_SIGHTING, .warehouse = OURS};

	c.sighting.blank = nothing;
	c.sighting.blank_knew = order.version;
	say(&order, &c);
	offer_derive(NULL, &order);
}

static void it_stops_while_a_look_leaves_it_in_doubt(void **state)
{
	(void)state;
	pressed(all_of_it());
	look_shows(true);
	stops_for(FAULT_IN_DOUBT);
	assert_string_equal(ship_fault_code(FAULT_IN_DOUBT), "in_doubt");
	shows(500, 0); /* made by Centra itself: whose is it? */
	stops_for(FAULT_IN_DOUBT);
	look_shows(false);
	next_is(PLAN_CAPTURE);
}

static void what_another_system_ships_is_not_written_down_in_doubt(
	void **state)
{
	struct ship_decision d = all_of_it();
	const char *code;
	int tasks;

	(void)state;
	d.local = true;
	look_shows(true);
	conflicts(d, "in_doubt");
	look_shows(false);
	assert_int_equal(press_ship(d, &code, &tasks), OK);
}

static void a_shipment_of_centras_own_is_used_if_it_is_the_same(void **state)
{
	struct centra_shipment *c;

	(void)state;
	pressed(all_of_it());
	c = shows(500, 0);
	assert_ptr_equal(plan(false).there, c);
	next_is(PLAN_CAPTURE);
	c->good_to_go = false;
	next_is(PLAN_CAPTURE);
	c->captured = true;
	next_is(PLAN_GOOD_TO_GO);
	c->captured = false;
	c->good_to_go = true;
	in[0][0].quantity = 1; /* another than ours, and no room for ours */
	stops_for(FAULT_REFUSED);
	in[0][0].quantity = 2;
	allocations[0][0].warehouse = OTHER; /* it may be the other's */
	stops_for(FAULT_REFUSED);
	shipments[0].lines = NULL;
	shipments[0].n_lines = 0;
	stops_for(FAULT_NOT_OURS);
}

/* A unit of line 1. */
static struct ship_decision one_of_it(void)
{
	static struct ship_line one;
	struct ship_decision d = all_of_it();

	one = (struct ship_line){1, 1};
	d.ask.all = false;
	d.ask.lines = &one;
	d.ask.n_lines = 1;
	return d;
}

/* One unit is ours, the other is another warehouse's, that has it in a
 * shipment: allocated still, or no longer. */
static void another_warehouses_shipment_is_never_ours(void **state)
{
	struct ship_plan p;

	(void)state;
	allocations[0][0].quantity = allocations[0][1].quantity = 1;
	looks();
	pressed(one_of_it());
	shows(500, 1);
	next_is(PLAN_CREATE);
	allocations[0][1].quantity = 0;
	next_is(PLAN_CREATE);
	/* Whether a lost call of ours has made it nothing can show. */
	tried(STEP_CREATE, TRY_UNKNOWN);
	stops_for(FAULT_REFUSED);
	p = plan(false);
	assert_null(p.there);
	assert_non_null(strstr(p.why.text, "ask the office"));
}

static void what_a_lost_create_made_of_our_own_lines_is_found(void **state)
{
	(void)state;
	looks();
	pressed(one_of_it());
	next_is(PLAN_CREATE);
	tried(STEP_CREATE, TRY_UNKNOWN);
	next_is(PLAN_CREATE); /* it made none */
	shows(500, 1);
	assert_int_equal(plan(false).there->id, 500);
	next_is(PLAN_CAPTURE);
}

/* What was there before our try is not what our try made. */
static void a_shipment_from_before_our_try_is_no_trace_of_it(void **state)
{
	(void)state;
	allocations[0][0].quantity = 1; /* one unit has left for 500 */
	looks();
	pressed(one_of_it());
	shows(500, 1);
	say(&order, &(struct change){.kind = CHANGE_SHIP_BEGUN,
				     .warehouse = OURS,
				     .ship_begun.step = STEP_CREATE,
				     .ship_begun.newest_seen = 500,
				     .ship_begun.at = NOW});
	say(&order, &(struct change){.kind = CHANGE_SHIP_ENDED,
				     .warehouse = OURS,
				     .ship_ended = TRY_UNKNOWN});
	next_is(PLAN_CREATE);
}

static void lines_without_stock_do_not_make_a_shipment_another(void **state)
{
	(void)state;
	lines[1].stockless = true;
	lines[1].n_allocations = 0;
	pressed(one_of_it());
	newest()->ask.lines[0].quantity = 2;
	shows(500, 0); /* lists the gift card too */
	assert_int_equal(plan(false).there->id, 500);
}

static void what_others_shipped_is_known_as_shipped(void **state)
{
	(void)state;
	pressed(all_of_it());
	shows(500, 0)->shipped = true;
	next_is(PLAN_SHIPPED);
}

static void a_shipment_that_is_gone_is_not_made_again_unasked(void **state)
{
	(void)state;
	pressed(all_of_it());
	came((struct ship_came){.stage = SHIP_CREATED, .id = 500});
	next_is(PLAN_MISSED);
	co.on_hold = true; /* which says nothing of the shipment */
	stops_for(FAULT_ON_HOLD);
}

static void an_earlier_shipment_of_ours_is_not_taken_for_the_next(void **state)
{
	struct ship_decision d = one_of_it();
	char second[] = "SE2";

	(void)state;
	pressed(d);
	came((struct ship_came){.stage = SHIP_SHIPPED, .id = 500, .rest = true});
	shows(500, 1)->shipped = true;
	d.ask.tracking = second;
	pressed(d);
	next_is(PLAN_CREATE);
	shows(501, 1);
	assert_int_equal(plan(false).there->id, 501);
}

static void no_payment_is_taken_twice(void **state)
{
	struct centra_shipment *c;

	(void)state;
	pressed(all_of_it());
	c = shows(500, 0);
	came((struct ship_came){.stage = SHIP_CREATED,
				.id = 500,
				.capture = CAPTURE_PENDING,
				.capture_at = NOW});
	next_is(PLAN_WAIT);
	assert_int_equal(plan(true).what, PLAN_COMPLETE);
	co.payment = PAYMENT_FAILED;
	next_is(PLAN_UNPAID);
	/* Told that it is done, and shown that it is not. */
	came((struct ship_came){.stage = SHIP_CAPTURED,
				.id = 500,
				.capture = CAPTURE_DONE});
	co.payment = PAYMENT_NOTHING;
	next_is(PLAN_WAIT);
	/* A call whose end is not known. */
	came((struct ship_came){.stage = SHIP_CREATED, .id = 500});
	next_is(PLAN_CAPTURE);
	tried(STEP_CAPTURE, TRY_UNKNOWN);
	next_is(PLAN_CAPTURE); /* once it is over */
	co.payment = PAYMENT_PENDING;
	next_is(PLAN_WAIT);
	co.payment = PAYMENT_DONE;
	next_is(PLAN_WAIT);
	shows(499, 1)->captured = true; /* it is that one's */
	in[0][0].quantity = in[1][0].quantity = 1;
	next_is(PLAN_CAPTURE);
	c->captured = true;
	next_is(PLAN_COMPLETE);
}

static void payments_are_looked_at_less_and_less_often(void **state)
{
	(void)state;
	assert_int_equal(ship_poll(NOW, NOW), 10000);
	assert_int_equal(ship_poll(NOW, NOW + 60000), 30000);
	assert_int_equal(ship_poll(NOW, NOW + 86400000), 900000);
}

/* ---- on disk ---- */

static void say_create_begun(void)
{
	struct ship_line before = {1, 2};

	say(&order, &(struct change){
			    .kind = CHANGE_SHIP_BEGUN,
			    .warehouse = OURS,
			    .ship_begun = {.step = STEP_CREATE,
					   .at = NOW,
					   .newest_seen = 499,
					   .before = {.list = xmemdup(
							      &before,
							      sizeof(before)),
						      .n = 1}}});
}

static void assert_read_back(const struct order *o)
{
	const struct offer *f = order_offer(o, OURS);
	const struct shipment *s = offer_shipment(f);

	assert_int_equal(f->n_held, 2);
	assert_int_equal(f->held[1].ours, 1);
	assert_int_equal(s->tries[STEP_GOOD_TO_GO], 1);
	assert_int_equal(s->came.reading, READING_LEAVE);
	assert_int_equal(s->newest_seen, 499);
	assert_int_equal(s->before[0].quantity, 2);
	assert_int_equal(s->n_keys, 1);
	assert_int_equal(s->keys[0].hash[0], 9);
}

static void a_shipment_is_read_back_as_it_was_written(void **state)
{
	struct ship_decision d = all_of_it();
	struct order again = {0};
	struct buf a, b;
	struct err e;

	(void)state;
	looks();
	with_key(&d, 9);
	pressed(d);
	tried(STEP_GOOD_TO_GO, TRY_OK);
	say_create_begun();
	came((struct ship_came){.stage = SHIP_FAILED,
				.reading = READING_LEAVE,
				.capture = CAPTURE_PENDING,
				.fault = FAULT_ON_HOLD,
				.id = 500,
				.number = "19-1",
				.capture_at = NOW,
				.missing = true,
				.error = xstrdup("held")});
	buf_init(&a, 100000);
	buf_init(&b, 100000);
	encode_order(&a, &order);
	assert_int_equal(get_order(&again, "se", 19, a.data, a.len, &e), OK);
	encode_order(&b, &again);
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.data, b.data, a.len);
	assert_string_equal(offer_shipment(&again.offers[0])->came.error,
			    "held");
	assert_true(offer_shipment(&again.offers[0])->trying);
	assert_true(offer_shipment(&again.offers[0])->came.missing);
	assert_read_back(&again);
	order_release(&again);
	order_copy(&again, &order);
	buf_clear(&b);
	encode_order(&b, &again);
	assert_memory_equal(a.data, b.data, a.len);
	order_release(&again);
	buf_release(&a);
	buf_release(&b);
}

/* The order of a_shipment_is_read_back_as_it_was_written, by the shipfrom that
 * knew four steps, and neither keys nor what is held. */
static const char older[] =
	"0100000000000000000000000001000000010000000000000000000002000000"
	"0000000000000000000000000001000000010000013f00000000000000030401"
	"0000019bb1dcdb80000000001b323032362d30312d31322031303a30303a3032"
	"2e3030303030300000000100000001000000010000019bb1dcdb800000000000"
	"00001b323032362d30312d31322031303a30303a30312e303030303030000000"
	"000000000000000000000000000000000000000a000000000000000000000000"
	"00000000000200000000000000a7000000010000009f00000009506f73744e6f"
	"726400000000000000045345310000000000000000000000010000019bb1a5ed"
	"0000000000000000000100000002000000000000000100000000000000020000"
	"000000000002000000000000000104010300000000000001f40000000531392d"
	"310000019bb1a5ed000000000000000000000000000568656c64010000019bb1"
	"a5ed000001000000000000000100000000000000000000000000000000000000"
	"00";

static void a_shipment_of_an_older_store_is_read_with_its_steps(void **state)
{
	struct order again = {0};
	struct shipment *s;
	unsigned char bytes[sizeof(older) / 2];
	unsigned one;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		assert_int_equal(sscanf(older + 2 * i, "%2x", &one), 1);
		bytes[i] = (unsigned char)one;
	}
	assert_int_equal(get_order(&again, "se", 19, bytes, sizeof(bytes), &e),
			 OK);
	s = offer_shipment(&again.offers[0]);
	assert_int_equal(s->step, STEP_CREATE);
	assert_int_equal(s->tries[STEP_CREATE], 1);
	assert_int_equal(s->tries[STEP_GOOD_TO_GO], 0);
	assert_true(s->unknown);
	assert_int_equal(s->came.id, 500);
	assert_string_equal(s->came.error, "held");
	assert_int_equal(s->came.reading, READING_UNKNOWN);
	assert_false(s->came.missing);
	assert_int_equal(s->n_keys + s->n_before + again.offers[0].n_held, 0);
	order_release(&again);
}

static void copies_of_changes_own_what_they_hold(void **state)
{
	struct ship_decision d = all_of_it();
	struct changes one = {0}, two = {0};
	struct err e;

	(void)state;
	assert_int_equal(ship_decide(&d, &order, &one, &e), OK);
	changes_journal(&one, &(struct entry){.warehouse = OURS,
					      .fact = FACT_SHIP_FAILED,
					      .text = "a note"});
	changes_add_copies(&two, &one);
	changes_release(&one);
	for (size_t i = 0; i < two.n; i++)
		order_apply(&order, &two.list[i]);
	assert_string_equal(newest()->ask.carrier, "PostNord");
	assert_string_equal(two.list[two.n - 1].entry.text, "a note");
	changes_release(&two);
}

#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_press_asks_for_all_that_is_left),
		T(the_same_press_is_one_and_another_is_in_the_way),
		T(a_press_while_payment_is_awaited_looks_now),
		T(what_is_not_accepted_conflicts),
		T(without_a_way_to_tell_centra_it_conflicts),
		T(of_another_shop_it_is_not_found),
		T(shipped_in_parts_the_rest_stays_listed),
		T(what_failed_is_asked_for_anew_and_keeps_what_centra_has),
		T(where_another_system_ships_it_is_shipped_at_once),
		T(a_new_key_is_a_new_parcel_and_an_old_one_never),
		T(a_new_key_waits_until_the_parcel_before_it_is_sent),
		T(what_failed_keeps_the_keys_it_was_asked_for_under),
		T(more_keys_than_are_kept_forget_the_oldest),
		T(only_what_both_readings_allow_is_left),
		T(where_our_shipment_showed_that_they_go_nothing_is_unclear),
		T(no_more_is_left_than_was_held_before_the_first_shipment),
		T(a_line_without_stock_is_never_left),
		T(a_look_after_the_accept_keeps_what_is_ours),
		T(once_a_shipment_is_tried_no_look_makes_more_ours),
		T(what_cannot_be_concluded_from_is_not_kept),
		T(a_rest_that_is_cancelled_or_sent_by_others_ends_the_offer),
		T(step_after_step),
		T(it_stops_for_what_forbids_shipping),
		T(it_stops_while_a_look_leaves_it_in_doubt),
		T(what_another_system_ships_is_not_written_down_in_doubt),
		T(a_shipment_of_centras_own_is_used_if_it_is_the_same),
		T(another_warehouses_shipment_is_never_ours),
		T(what_a_lost_create_made_of_our_own_lines_is_found),
		T(a_shipment_from_before_our_try_is_no_trace_of_it),
		T(lines_without_stock_do_not_make_a_shipment_another),
		T(what_others_shipped_is_known_as_shipped),
		T(a_shipment_that_is_gone_is_not_made_again_unasked),
		T(an_earlier_shipment_of_ours_is_not_taken_for_the_next),
		T(no_payment_is_taken_twice),
		T(payments_are_looked_at_less_and_less_often),
		T(a_shipment_is_read_back_as_it_was_written),
		T(a_shipment_of_an_older_store_is_read_with_its_steps),
		T(copies_of_changes_own_what_they_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
