/* SPDX-License-Identifier: MIT
 *
 * test_check_first.c - applying events: those about offers and those about
 * orders.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/unit/one_run.h"

#include <cmocka.h> /* last: it has a macro called fail */

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

static void hear(const char *type, const char *action, const char *date,
		 const char *data)
{
	struct event ev = {.received = NOW, .id = 19};

	snprintf(ev.type, sizeof(ev.type), "%s", type);
	snprintf(ev.action, sizeof(ev.action), "%s", action);
	snprintf(ev.date, sizeof(ev.date), "%s", date);
	ev.data = xstrdup(data);
	run_one(handle_event,
		type, 1, &ev, false);
	event_release(&ev);
}

/* The create of Centra's documentation: one offer expired before it came. */
static const char create[] =
	"{\"warehouses\":[{\"expirationAt\":\"2021-01-11T15:21:00+01:00\","
	"\"warehouseId\":2},{\"expirationAt\":\"2021-01-12T16:21:00+01:00\","
	"\"warehouseId\":3}]}";

#define DATE "2021-01-11 16:21:00.552288"

static void a_create_opens_an_offer_to_each_warehouse(void **s)
{
	unsigned told = 0;

	(void)s;
	hear("check_first", "create", DATE, create);
	assert_int_equal(us.result.how, OUTCOME_DONE);
	assert_int_equal(us.held.n_offers, 2);
	assert_int_equal(us.held.version, 1);
	assert_string_equal(state_of(2), "pending");
	assert_string_equal(state_of(3), "pending");
	assert_int_equal(order_offer(&us.held, 3)->expires, 1610464860000);
	assert_int_equal(order_offer(&us.held, 3)->openings[0].offset_min, 60);
	assert_string_equal(order_offer(&us.held, 3)->openings[0].date, DATE);
	for (size_t i = 0; i < us.result.changes.n; i++) {
		const struct entry *e = &us.result.changes.list[i].entry;

		if (us.result.changes.list[i].kind != CHANGE_ENTRY ||
		    e->warehouse != 3)
			continue;
		assert_int_equal(e->fact, FACT_OFFERED);
		assert_int_equal(e->until, 1610464860000);
		assert_int_equal(e->offset_min, 60);
		assert_string_equal(e->date, DATE);
		assert_int_equal(e->received, 1768212000000);
		told++;
	}
	assert_int_equal(told, 1);
}

static void each_mark_is_kept_for_its_warehouse(void **s)
{
	(void)s;
	hear("check_first", "create", DATE, create);
	hear("check_first", "timeout", DATE, "{\"warehouseId\":2}");
	assert_string_equal(state_of(2), "timed_out");
	assert_string_equal(state_of(3), "pending");
	hear("check_first", "rejected", DATE, "{\"warehouseId\":3}");
	assert_string_equal(state_of(3), "rejected");
	hear("check_first", "accepted", DATE, "{\"warehouseId\":4}");
	assert_string_equal(state_of(4), "accepted");
	assert_string_equal(state_of(3), "taken");
	assert_int_equal(us.held.version, 4);
}

static void an_event_applied_once_more_undoes_no_look(void **s)
{
	static const char timeout[] = "{\"warehouseId\":2}";

	(void)s;
	hear("check_first", "create", DATE, create);
	hear("check_first", "timeout", DATE, timeout);
	found(&us.held, 2, FOUND_OURS, STATE_PENDING);
	found(&us.held, 3, FOUND_NOT_OURS, STATE_TAKEN);
	us.replayed = true;
	hear("check_first", "create", DATE, create);
	hear("check_first", "timeout", DATE, timeout);
	assert_non_null(noted(FACT_CENTRA_SAID, "timed_out"));
	assert_int_equal(us.held.version, 2);
	assert_string_equal(state_of(2), "accepted");
	assert_string_equal(state_of(3), "taken");
	/* What it says for the first time is news to the look. */
	hear("check_first", "rejected", DATE, timeout);
	assert_int_equal(us.held.version, 3);
	assert_string_equal(state_of(2), "timed_out");
	us.replayed = false;
	hear("check_first", "rejected", DATE, timeout);
	assert_int_equal(us.held.version, 4);
}

static void after_an_accept_the_order_is_fetched(void **s)
{
	(void)s;
	hear("check_first", "rejected", DATE, "{\"warehouseId\":3}");
	assert_false(us.fetch_asked);
	hear("check_first", "accepted", DATE, "{\"warehouseId\":3}");
	assert_true(us.fetch_asked);
}

static void an_action_that_is_not_known_fetches_what_we_hold(void **s)
{
	(void)s;
	hear("check_first", "paused", DATE, NULL);
	assert_int_equal(us.result.how, OUTCOME_DONE);
	assert_false(us.fetch_asked);
	assert_non_null(noted(FACT_UNKNOWN_EVENT, NULL));
	hear("check_first", "create", DATE, create);
	hear("check_first", "paused", DATE, NULL);
	assert_true(us.fetch_asked);
	assert_string_equal(state_of(3), "pending");
}

static void data_that_cannot_be_read_is_given_up_with_a_reason(void **s)
{
	static const struct {
		const char *action, *data;
	} bad[] = {
		{"create", NULL},
		{"create", "{}"},
		{"create", "[]"},
		{"accepted", NULL},
		{"timeout", "{\"warehouseId\":\"three\"}"},
	};

	(void)s;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		hear("check_first", bad[i].action, DATE, bad[i].data);
		assert_int_equal(us.result.how, OUTCOME_DEAD);
		assert_string_not_equal(us.result.reason.text, "");
		assert_int_equal(us.held.n_offers, 0);
		assert_int_equal(us.held.version, 0);
	}
	run_one(handle_event, "check_first", 1, NULL, false);
	assert_int_equal(us.result.how, OUTCOME_DEAD);
	run_one(handle_event, "order", 1, NULL, false);
	assert_int_equal(us.result.how, OUTCOME_DEAD);
}

/* ---- order events ---- */

static void a_cancel_is_kept_also_before_the_create(void **s)
{
	(void)s;
	hear("order", "cancel", DATE, NULL);
	assert_true(us.held.cancelled);
	assert_int_equal(us.held.version, 1);
	assert_non_null(noted(FACT_CANCELLED, NULL));
	hear("check_first", "create", DATE, create);
	assert_string_equal(state_of(3), "cancelled");
}

static void an_order_that_was_never_offered_is_only_remembered(void **s)
{
	(void)s;
	hear("order", "insert", DATE, NULL);
	assert_non_null(noted(FACT_PLACED, NULL));
	assert_false(us.fetch_asked);
	hear("order", "update", DATE, NULL);
	assert_false(us.fetch_asked);
	assert_int_equal(us.held.version, 0);
}

static void what_else_happened_to_an_offered_order_is_fetched(void **s)
{
	(void)s;
	hear("check_first", "create", DATE, create);
	hear("order", "update", DATE, NULL);
	assert_true(us.fetch_asked);
	hear("order", "cancelled-in-part", DATE, NULL);
	assert_true(us.fetch_asked);
	assert_false(us.held.cancelled);
}

/* Else a look that finds the order cancelled would count a missed webhook. */
static void that_something_happened_to_an_offered_order_is_kept(void **s)
{
	(void)s;
	hear("check_first", "create", DATE, create);
	hear("order", "insert", DATE, NULL);
	assert_int_equal(us.held.told_at, 0);
	hear("order", "update", DATE, NULL);
	assert_int_equal(us.held.told_at, NOW);
}

#define with(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with(a_create_opens_an_offer_to_each_warehouse),
		with(each_mark_is_kept_for_its_warehouse),
		with(an_event_applied_once_more_undoes_no_look),
		with(after_an_accept_the_order_is_fetched),
		with(an_action_that_is_not_known_fetches_what_we_hold),
		with(data_that_cannot_be_read_is_given_up_with_a_reason),
		with(a_cancel_is_kept_also_before_the_create),
		with(an_order_that_was_never_offered_is_only_remembered),
		with(what_else_happened_to_an_offered_order_is_fetched),
		with(that_something_happened_to_an_offered_order_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
