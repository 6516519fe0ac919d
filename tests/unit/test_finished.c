/* SPDX-License-Identifier: MIT
 *
 * test_finished.c - an order counts as finished only when no shop of ours has
 * anything left to do about it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "handlers/finished.h"
#include "tests/unit/facts.h"

#include <cmocka.h> /* last: it has a macro called fail */

#define OURS   3
#define OTHERS 9

static bool is_ours(const void *arg, int64_t warehouse)
{
	(void)arg;
	return warehouse == OURS;
}

/* Finished, as the store would ask: with the states that follow from the facts;
 * the order is released. */
static bool is_finished(struct order *o)
{
	bool ret;

	offer_derive_for(NULL, o, is_ours, NULL);
	order_remember(o);
	ret = order_finished(o, is_ours, NULL);
	order_release(o);
	return ret;
}

static struct order offered(int64_t warehouse)
{
	struct order o;

	order_init(&o, "se", 19);
	opened(&o, warehouse, at(1));
	o.has_details = true;
	return o;
}

/* An order that the shop has won. */
static struct order won(int64_t warehouse)
{
	struct order o = offered(warehouse);

	marked(&o, warehouse, MARK_ACCEPTED, at(2));
	o.has_address = true;
	offer_derive(NULL, &o);
	order_remember(&o);
	return o;
}

static void came(struct order *o, enum ship_stage stage)
{
	struct change asked = {.kind = CHANGE_SHIP_ASKED, .warehouse = OURS};
	struct change c = {.kind = CHANGE_SHIP_CAME, .warehouse = OURS};

	c.came.stage = stage;
	say(o, &asked);
	say(o, &c);
}

static void an_order_that_ended_is_finished(void **state)
{
	struct order o = offered(OURS);

	(void)state;
	marked(&o, OURS, MARK_TIMED_OUT, at(2));
	assert_true(is_finished(&o));
	o = offered(OURS);
	opened(&o, OTHERS, at(1));
	marked(&o, OTHERS, MARK_ACCEPTED, at(2)); /* taken */
	assert_true(is_finished(&o));
	o = won(OURS);
	came(&o, SHIP_SHIPPED);
	assert_true(is_finished(&o));
}

static void an_order_that_waits_for_an_answer_is_not(void **state)
{
	struct order o = offered(OURS);

	(void)state;
	assert_false(is_finished(&o));
	o = offered(OURS);
	answered(&o, OURS, VERB_REJECT, at(1));
	assert_false(is_finished(&o));
}

static void an_order_still_to_ship_is_not(void **state)
{
	struct order o = won(OURS);

	(void)state;
	assert_false(is_finished(&o));
	o = won(OURS);
	came(&o, SHIP_ASKED);
	assert_false(is_finished(&o));
}

static void an_order_with_a_try_under_way_is_not(void **state)
{
	struct order o = offered(OURS);

	(void)state;
	answered(&o, OURS, VERB_ACCEPT, at(1));
	try_begun(&o, OURS);
	cancelled(&o);
	assert_false(is_finished(&o));
}

static void an_order_with_a_shipment_under_way_is_not(void **state)
{
	struct order o = won(OURS);

	(void)state;
	came(&o, SHIP_CREATED);
	cancelled(&o);
	say(&o, &(struct change){.kind = CHANGE_STOPPED, .warehouse = OURS});
	assert_false(is_finished(&o));
}

static void an_order_whose_stop_nobody_confirmed_is_not(void **state)
{
	struct order o = won(OURS);

	(void)state;
	cancelled(&o);
	assert_false(is_finished(&o));
	o = won(OURS);
	cancelled(&o);
	say(&o, &(struct change){.kind = CHANGE_STOPPED, .warehouse = OURS});
	assert_true(is_finished(&o));
}

/* Nobody tells us what becomes of it. */
static void what_another_company_won_does_not_keep_an_order(void **state)
{
	struct order o = won(OTHERS);

	(void)state;
	opened(&o, OURS, at(1));
	marked(&o, OURS, MARK_REJECTED, at(3));
	assert_true(is_finished(&o));
}

static void a_shop_that_left_the_config_keeps_what_it_answered(void **state)
{
	struct order o = offered(OTHERS);

	(void)state;
	answered(&o, OTHERS, VERB_ACCEPT, at(1));
	told(&o, OTHERS, SETTLED_OK);
	o.has_address = true;
	assert_false(is_finished(&o));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_order_that_ended_is_finished),
		cmocka_unit_test(an_order_that_waits_for_an_answer_is_not),
		cmocka_unit_test(an_order_still_to_ship_is_not),
		cmocka_unit_test(an_order_with_a_try_under_way_is_not),
		cmocka_unit_test(an_order_with_a_shipment_under_way_is_not),
		cmocka_unit_test(an_order_whose_stop_nobody_confirmed_is_not),
		cmocka_unit_test(
			what_another_company_won_does_not_keep_an_order),
		cmocka_unit_test(
			a_shop_that_left_the_config_keeps_what_it_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
