/* SPDX-License-Identifier: MIT
 *
 * test_problem.c - what a shop says after its answer, and when it is told to
 * stop.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "handlers/offer.h"
#include "handlers/problem.h"

#include <cmocka.h> /* last: it has a macro called fail */

#define W 3
#define V 4

static const int64_t shop[] = {W, V};

/* An order whose offers to W and V are in these states, as the store keeps it
 * step by step. */
static struct order order_in(enum offer_state w, enum offer_state v)
{
	struct order o;

	order_init(&o, "se", 19);
	for (int i = 0; i < 2; i++) {
		struct change c = {.kind = CHANGE_OPENING,
				   .warehouse = shop[i]};

		memcpy(c.opening.date, "2021-01-11 16:21:00.000000",
		       STAMP_SIZE);
		order_apply(&o, &c);
	}
	order_offer(&o, W)->state = w;
	order_offer(&o, V)->state = v;
	order_remember(&o);
	return o;
}

static void comes_to(struct order *o, int64_t warehouse, enum offer_state s)
{
	order_offer(o, warehouse)->state = s;
	order_remember(o);
}

static bool stop(const struct order *o)
{
	return offer_stop(o, shop, 2);
}

static struct statement say(void)
{
	return (struct statement){
		.warehouses = shop,
		.n_warehouses = 2,
		.device = 8,
		.by = "Anna on Till 1",
		.reason = "lost",
		.note = "fell off a van",
		.now = 5000,
	};
}

typedef enum rc statement_fn(void *arg, const struct order *o,
			  struct changes *ret, struct err *e);

/* Makes what is said true; the rc. */
static enum rc tell(struct order *o, struct statement *s, statement_fn *fn)
{
	struct changes c = {0};
	struct err e;
	enum rc rc = fn(s, o, &c, &e);

	for (size_t i = 0; i < c.n; i++)
		order_apply(o, &c.list[i]);
	order_remember(o);
	changes_release(&c);
	return rc;
}

/* ---- stop ---- */

static void who_was_never_told_accepted_is_never_told_stop(void **state)
{
	struct order o = order_in(STATE_PENDING, STATE_ACCEPTING);

	(void)state;
	assert_false(stop(&o));
	comes_to(&o, W, STATE_TAKEN);
	comes_to(&o, V, STATE_CANCELLED);
	assert_false(stop(&o));
	order_release(&o);
}

static void each_end_of_an_accepted_offer_is_a_stop_and_doubt_is_none(
	void **state)
{
	static const enum offer_state ends[] = {
		STATE_PENDING, STATE_REFUSED,  STATE_REJECTED,
		STATE_TAKEN,   STATE_TIMED_OUT, STATE_CANCELLED};

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct order o = order_in(STATE_ACCEPTED, STATE_REJECTED);

		assert_false(stop(&o));
		comes_to(&o, W, STATE_ACCEPTING);
		assert_false(stop(&o));
		comes_to(&o, W, ends[i]);
		assert_true(stop(&o));
		order_release(&o);
	}
}

static void what_is_shipped_or_ships_from_next_door_needs_no_stop(void **state)
{
	struct order o = order_in(STATE_ACCEPTED, STATE_PENDING);

	(void)state;
	order_offer(&o, W)->shipped = true;
	comes_to(&o, W, STATE_CANCELLED);
	assert_false(stop(&o));
	order_offer(&o, W)->shipped = false;
	assert_true(stop(&o));
	comes_to(&o, V, STATE_ACCEPTED);
	assert_false(stop(&o));
	order_release(&o);
}

static void a_stop_is_confirmed_until_the_order_is_accepted_anew(void **state)
{
	struct order o = order_in(STATE_ACCEPTED, STATE_REJECTED);
	struct statement s = say();

	(void)state;
	assert_int_equal(tell(&o, &s, stopped_decide), RC_EXISTS);
	comes_to(&o, W, STATE_CANCELLED);
	assert_int_equal(tell(&o, &s, stopped_decide), OK);
	assert_false(stop(&o));
	assert_int_equal(tell(&o, &s, stopped_decide), RC_EXISTS);
	comes_to(&o, W, STATE_ACCEPTED);
	comes_to(&o, W, STATE_TAKEN);
	assert_true(stop(&o));
	order_release(&o);
}

/* ---- problem ---- */

static void a_problem_is_kept_with_who_and_why(void **state)
{
	struct order o = order_in(STATE_REJECTED, STATE_ACCEPTED);
	struct statement s = say();
	const struct problem *p = &order_offer(&o, V)->problem;

	(void)state;
	assert_int_equal(tell(&o, &s, problem_decide), OK);
	assert_true(p->at == 5000 && p->device == 8);
	assert_string_equal(p->reason, "lost");
	assert_string_equal(p->note, "fell off a van");
	assert_string_equal(p->by, "Anna on Till 1");
	assert_false(order_offer(&o, W)->problem.at);
	order_release(&o);
}

static void only_what_is_to_be_shipped_has_a_problem(void **state)
{
	struct statement s = say();

	(void)state;
	for (int i = 0; i < STATES; i++) {
		struct order o = order_in((enum offer_state)i, STATE_REJECTED);

		if (i == STATE_ACCEPTED)
			order_offer(&o, W)->shipped = true;
		assert_int_equal(tell(&o, &s, problem_decide), RC_CONFLICT);
		assert_string_equal(s.conflict,
				    i == STATE_ACCEPTED ?
					    "shipped" :
					    offer_state_name(
						    (enum offer_state)i));
		order_release(&o);
	}
}

static void a_problem_is_solved_with_who_and_when_and_keeps_what_it_was(
	void **state)
{
	struct order o = order_in(STATE_REJECTED, STATE_ACCEPTED);
	const struct problem *p = &order_offer(&o, V)->problem;
	struct statement s = say();

	(void)state;
	assert_int_equal(tell(&o, &s, problem_decide), OK);
	assert_true(problem_open(p));
	s.now = 6000;
	s.device = 9;
	s.by = "Ben on Till 2";
	assert_int_equal(tell(&o, &s, solved_decide), OK);
	assert_false(problem_open(p));
	assert_true(p->solved_at == 6000 && p->solved_device == 9);
	assert_string_equal(p->solved_by, "Ben on Till 2");
	assert_string_equal(p->reason, "lost");
	assert_string_equal(p->note, "fell off a van");
	assert_string_equal(p->by, "Anna on Till 1");
	order_release(&o);
}

static void a_problem_is_solved_once_and_who_was_first_stands(void **state)
{
	struct order o = order_in(STATE_ACCEPTED, STATE_REJECTED);
	const struct problem *p = &order_offer(&o, W)->problem;
	struct statement s = say();

	(void)state;
	assert_int_equal(tell(&o, &s, problem_decide), OK);
	assert_int_equal(tell(&o, &s, solved_decide), OK);
	s.by = "Ben on Till 2";
	assert_int_equal(tell(&o, &s, solved_decide), RC_EXISTS);
	assert_string_equal(p->solved_by, "Anna on Till 1");
	/* So it is when the parcel has gone meanwhile. */
	order_offer(&o, W)->shipped = true;
	assert_int_equal(tell(&o, &s, solved_decide), RC_EXISTS);
	order_release(&o);
}

static void only_a_problem_of_what_is_to_be_shipped_can_be_solved(void **state)
{
	struct order o = order_in(STATE_ACCEPTED, STATE_REJECTED);
	struct statement s = say();

	(void)state;
	assert_int_equal(tell(&o, &s, solved_decide), RC_CONFLICT);
	assert_string_equal(s.conflict, "no_problem");
	assert_int_equal(tell(&o, &s, problem_decide), OK);
	comes_to(&o, W, STATE_CANCELLED);
	assert_int_equal(tell(&o, &s, solved_decide), RC_CONFLICT);
	assert_string_equal(s.conflict, "cancelled");
	comes_to(&o, W, STATE_ACCEPTED);
	order_offer(&o, W)->shipped = true;
	assert_int_equal(tell(&o, &s, solved_decide), RC_CONFLICT);
	assert_string_equal(s.conflict, "shipped");
	order_release(&o);
}

static void a_problem_after_a_solved_one_is_open_again(void **state)
{
	struct order o = order_in(STATE_ACCEPTED, STATE_REJECTED);
	const struct problem *p = &order_offer(&o, W)->problem;
	struct statement s = say();

	(void)state;
	assert_int_equal(tell(&o, &s, problem_decide), OK);
	assert_int_equal(tell(&o, &s, solved_decide), OK);
	s.now = 7000;
	assert_int_equal(tell(&o, &s, problem_decide), OK);
	assert_true(problem_open(p));
	assert_true(p->at == 7000);
	assert_null(p->solved_by);
	order_release(&o);
}

static void the_same_problem_told_again_changes_nothing(void **state)
{
	struct order o = order_in(STATE_ACCEPTED, STATE_REJECTED);
	const struct problem *p = &order_offer(&o, W)->problem;
	struct statement s = say();

	(void)state;
	s.note = NULL;
	assert_int_equal(tell(&o, &s, problem_decide), OK);
	s.now = 7000;
	s.note = "";
	assert_int_equal(tell(&o, &s, problem_decide), RC_EXISTS);
	assert_true(p->at == 5000);
	s.note = "and a seam is open";
	assert_int_equal(tell(&o, &s, problem_decide), OK);
	assert_true(p->at == 7000);
	order_release(&o);
}

static void an_order_of_others_is_not_found(void **state)
{
	struct statement s = say();
	struct order o;

	(void)state;
	order_init(&o, "se", 19);
	assert_int_equal(tell(&o, &s, problem_decide), RC_NOTFOUND);
	assert_int_equal(tell(&o, &s, solved_decide), RC_NOTFOUND);
	assert_int_equal(tell(&o, &s, stopped_decide), RC_NOTFOUND);
	order_release(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_was_never_told_accepted_is_never_told_stop),
		cmocka_unit_test(
			each_end_of_an_accepted_offer_is_a_stop_and_doubt_is_none),
		cmocka_unit_test(
			what_is_shipped_or_ships_from_next_door_needs_no_stop),
		cmocka_unit_test(
			a_stop_is_confirmed_until_the_order_is_accepted_anew),
		cmocka_unit_test(a_problem_is_kept_with_who_and_why),
		cmocka_unit_test(only_what_is_to_be_shipped_has_a_problem),
		cmocka_unit_test(
			a_problem_is_solved_with_who_and_when_and_keeps_what_it_was),
		cmocka_unit_test(
			a_problem_is_solved_once_and_who_was_first_stands),
		cmocka_unit_test(
			only_a_problem_of_what_is_to_be_shipped_can_be_solved),
		cmocka_unit_test(a_problem_after_a_solved_one_is_open_again),
		cmocka_unit_test(the_same_problem_told_again_changes_nothing),
		cmocka_unit_test(an_order_of_others_is_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
