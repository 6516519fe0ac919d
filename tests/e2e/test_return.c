/* SPDX-License-Identifier: MIT
 *
 * Goods that a customer gives back in a shop: booked in Centra; never more than
 * was shipped; what nobody can know goes to the office; nothing of the customer
 * is shown.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/harness/counts.h"
#include "tests/harness/returns.h"
#include "tests/harness/wait.h"

static void any_shop_takes_back_what_another_shipped_into_its_own_warehouse(
	void **state)
{
	struct shipfrom *s = returns_start(state, MANY);
	int64_t n = goods_shipped(s, "{\"quantity\":2},{\"quantity\":1}");
	struct wish w = {.order = n, .line = goods_line(s, n, 0), .units = 1};
	struct sim_returns r;
	struct answer a;

	wait_return_booked(s, &w);
	r = sim_returns(s, n);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.units, 1);
	assert_int_equal(r.warehouse, 3);
	assert_non_null(strstr(r.comment, "amsterdam"));
	assert_non_null(strstr(r.comment, "too_small"));
	a = returnable(s, BERLIN, n);
	assert_int_equal(number_of(cJSON_GetArrayItem(
					   cJSON_GetObjectItem(a.json, "lines"),
					   0),
				   "returnable"),
			 1);
	answer_release(&a);
	shipfrom_passed(s);
}

static void goods_that_cannot_be_sold_again_are_removed_from_stock(void **state)
{
	struct shipfrom *s = returns_start(state, MANY);
	int64_t n = goods_shipped(s, "{\"quantity\":1}");
	struct wish w = {.order = n, .line = goods_line(s, n, 0), .units = 1,
			 .removed = true};

	wait_return_booked(s, &w);
	assert_int_equal(sim_returns(s, n).warehouse, 0);
	shipfrom_passed(s);
}

static void nothing_of_the_customer_is_shown_or_kept(void **state)
{
	struct shipfrom *s = returns_start(state, MANY);
	int64_t n = goods_shipped(s, "{\"quantity\":1}");
	const char *words[] = {"records", "return", "--json", NULL};
	struct wish w = {.order = n, .line = goods_line(s, n, 0), .units = 1};
	struct answer a = returnable(s, BERLIN, n);
	char *out = NULL;

	assert_int_equal(a.status, 200);
	assert_null(strstr(a.body, "Undisclosed"));
	assert_null(strstr(a.body, "city"));
	assert_null(strstr(a.body, "first_name"));
	answer_release(&a);
	wait_return_booked(s, &w);
	assert_int_equal(shipfrom_run(s, &out, false, words), 0);
	assert_non_null(strstr(out, "till"));
	assert_null(strstr(out, "Undisclosed"));
	free(out);
	shipfrom_passed(s);
}

static void never_more_than_was_shipped_and_not_given_back(void **state)
{
	struct shipfrom *s = returns_start(state, MANY);
	int64_t n = goods_shipped(s, "{\"quantity\":2}");
	struct wish w = {.order = n, .line = goods_line(s, n, 0), .units = 3};
	struct answer a = give_back(s, AMSTERDAM, &w);

	assert_int_equal(a.status, 409);
	assert_string_equal(text_of(a.json, "code"), "too_many");
	answer_release(&a);
	w.units = 2;
	w.key = "the-first";
	wait_return_booked(s, &w);
	w.units = 1;
	w.key = "the-second";
	a = give_back(s, BERLIN, &w);
	assert_int_equal(a.status, 409);
	assert_string_equal(text_of(a.json, "code"), "too_many");
	answer_release(&a);
	assert_int_equal(sim_returns(s, n).units, 2);
	assert_int_equal(sim_calls_of(&s->sim, n, "createReturn"), 1);
	shipfrom_passed(s);
}

static void a_line_that_was_not_shipped_is_refused(void **state)
{
	struct shipfrom *s = returns_start(state, MANY);
	int64_t n = goods_shipped(s, "{\"quantity\":1}");
	struct wish w = {.order = n, .line = 999999, .units = 1};
	struct answer a = give_back(s, AMSTERDAM, &w);

	assert_int_equal(a.status, 409);
	assert_string_equal(text_of(a.json, "code"), "not_shipped");
	answer_release(&a);
	w.order = 424242;
	a = give_back(s, AMSTERDAM, &w);
	assert_int_equal(a.status, 409);
	assert_string_equal(text_of(a.json, "code"), "not_found");
	answer_release(&a);
	shipfrom_passed(s);
}

/* Somebody else books a return of the same line while our reply is lost: what
 * Centra shows fits neither. */
static int64_t unsure_order(struct shipfrom *s, struct wish *ret)
{
	int64_t n = goods_shipped(s, "{\"quantity\":3},{\"quantity\":1}");

	*ret = (struct wish){.order = n, .line = goods_line(s, n, 0), .units = 2,
			     .key = "a-key"};
	/* Ours never arrives, and one unit is given back elsewhere. */
	return_fault(s, n, "createReturn", "\"kind\":\"drop\",\"when\":\"before\"");
	assert_int_equal(return_asked(s, AMSTERDAM, ret), 202);
	sim_tell(&s->sim, "/returns", "{\"order\":%lld,\"quantity\":1}",
		 (long long)n);
	wait_return_unsure(s, ret);
	return n;
}

static void what_nobody_can_know_goes_to_the_office(void **state)
{
	struct shipfrom *s = returns_start(state, RETURN_SOON);
	struct wish w;
	int64_t n = unsure_order(s, &w);

	assert_int_equal(sim_returns(s, n).units, 1);
	assert_true(wait_until(is_return_given_up, s, 5000));
	shipfrom_passed(s);
}

/* Another return of the order is booked; the first one still waits for the
 * office, and what the other one booked is not taken for it. */
static void what_nobody_knows_is_not_forgotten_for_another_return(void **state)
{
	struct shipfrom *s = returns_start(state, RETURN_SOON);
	struct wish w, other;
	int64_t n = unsure_order(s, &w);

	other = (struct wish){.order = n, .line = w.line, .units = 1,
			      .key = "another", .also = goods_line(s, n, 1)};
	wait_return_booked(s, &other);
	assert_true(wait_until(is_return_given_up, s, 5000));
	wait_return_unsure(s, &w);
	shipfrom_passed(s);
}

static bool is_not_given_up(void *arg)
{
	return !is_return_given_up(arg);
}

/* Runs all that was given up once more. */
static void redrive(struct shipfrom *s)
{
	const char *words[] = {"redrive", "--all", NULL};
	char *out = NULL;

	assert_int_equal(shipfrom_run(s, &out, true, words), 0);
	free(out);
}

/* The shop was told 202, and the goods lie there. */
static void what_is_refused_after_the_shop_was_told_202_goes_to_the_office(
	void **state)
{
	struct shipfrom *s = returns_start(state, RETURN_SOON);
	int64_t n = goods_shipped(s, "{\"quantity\":2}");
	struct wish w = {.order = n, .line = goods_line(s, n, 0), .units = 1,
			 .key = "a-key"};
	struct answer a;

	sim_tell(&s->sim, "/settings", "{\"refuse_return\":\"Not this.\"}");
	return_fault(s, n, "createReturn", "\"kind\":\"drop\",\"when\":\"before\"");
	assert_int_equal(return_asked(s, AMSTERDAM, &w), 202);
	assert_true(wait_until(is_return_given_up, s, RETURN_LONG));
	a = give_back(s, AMSTERDAM, &w);
	assert_int_equal(a.status, 409);
	assert_string_equal(text_of(a.json, "code"), "refused");
	answer_release(&a);
	redrive(s); /* the office knows */
	assert_true(wait_until(is_not_given_up, s, 5000));
	shipfrom_passed(s);
}

/* A person books it in AMS; the redrive finds that. */
static void what_the_office_booked_by_hand_is_not_booked_again(void **state)
{
	struct shipfrom *s = returns_start(state, RETURN_SOON);
	struct wish w;
	int64_t n = unsure_order(s, &w);

	sim_tell(&s->sim, "/returns",
		 "{\"order\":%lld,\"quantity\":2,\"comment\":\"by hand\"}",
		 (long long)n);
	assert_true(wait_until(is_return_given_up, s, 5000));
	redrive(s);
	assert_true(wait_until(is_return_booked, &(struct return_pressed){s, &w, 0}, 5000));
	assert_int_equal(sim_returns(s, n).units, 3);
	assert_int_equal(sim_calls_of(&s->sim, n, "createReturn"), 1);
	shipfrom_passed(s);
}

/* ---- counts of stock ---- */

#define EAN "7350000000012"

static int64_t with_ean(struct shipfrom *s, struct wish *ret)
{
	int64_t n = goods_shipped(s, "{\"quantity\":2,\"ean\":\"" EAN "\"}");

	*ret = (struct wish){.order = n, .line = goods_line(s, n, 0), .units = 1,
			     .key = "one-key"};
	return n;
}

static void a_count_from_before_a_return_came_is_not_sent(void **state)
{
	struct shipfrom *s = returns_start(state, RETURN_SOON);
	struct wish w;

	(void)with_ean(s, &w);
	wait_return_booked(s, &w);
	count_item(s, EAN, 50, 60);
	wait_counted(s, EAN, "too_old", 5000);
	count_item(s, EAN, 51, -1); /* within what clocks may differ */
	wait_counted(s, EAN, "done", 5000);
	shipfrom_passed(s);
}

/* Centra may have booked it: the count is from before that. */
static void a_count_is_not_sent_while_nobody_knows_what_came(void **state)
{
	struct shipfrom *s = returns_start(state, MANY "call_timeout = 5s\n");
	struct wish w;
	int64_t n = with_ean(s, &w);

	return_fault(s, n, "createReturn",
	      "\"kind\":\"slow\",\"ms\":4000,\"when\":\"after\"");
	assert_int_equal(return_asked(s, AMSTERDAM, &w), 202);
	assert_int_equal(sim_returns(s, n).units, 1);
	count_item(s, EAN, 50, 60);
	wait_counted(s, EAN, "too_old", 2000);
	shipfrom_passed(s);
}

/* Goods that are removed from stock move nothing. */
static void a_return_that_cannot_be_sold_again_makes_no_count_too_old(
	void **state)
{
	struct shipfrom *s = returns_start(state, RETURN_SOON);
	struct wish w;

	(void)with_ean(s, &w);
	w.removed = true;
	wait_return_booked(s, &w);
	count_item(s, EAN, 50, 60);
	wait_counted(s, EAN, "done", 5000);
	shipfrom_passed(s);
}

/* The order is known by its return alone. */
static void why_tells_the_returns_of_an_order(void **state)
{
	struct shipfrom *s = returns_start(state, RETURN_SOON);
	int64_t n = goods_shipped(s, "{\"quantity\":2}");
	struct wish w = {.order = n, .line = goods_line(s, n, 0), .units = 1,
			 .key = "one-key"};
	char number[24];
	const char *words[] = {"why", number, NULL};
	char *out = NULL;

	snprintf(number, sizeof(number), "%lld", (long long)n);
	wait_return_booked(s, &w);
	assert_int_equal(shipfrom_run(s, &out, false, words), 0);
	assert_non_null(strstr(out, "return 1 by "));
	assert_non_null(strstr(out, "(too_small): done, Centra's return "));
	free(out);
	shipfrom_passed(s);
}

/* ---- what is not allowed ---- */

/* Without the permission nothing is booked, and nothing is lost: it is booked
 * when the token has it. */
static void a_missing_permission_books_nothing_and_loses_nothing(void **state)
{
	struct shipfrom *s = returns_start(state, RETURN_SOON);
	int64_t n = goods_shipped(s, "{\"quantity\":2}");
	struct wish w = {.order = n, .line = goods_line(s, n, 0), .units = 1,
			 .key = "one-key"};

	sim_tell(&s->sim, "/settings", "{\"denied\":[\"Return:write\"]}");
	(void)return_asked(s, AMSTERDAM, &w);
	(void)return_asked(s, AMSTERDAM, &w);
	assert_int_equal(sim_returns(s, n).n, 0);
	sim_tell(&s->sim, "/settings", "{\"denied\":[]}");
	wait_return_booked(s, &w);
	assert_int_equal(sim_returns(s, n).units, 1);
	shipfrom_passed(s);
}

static void hostile_requests_are_refused_and_book_nothing(void **state)
{
	static const char *const bodies[] = {
		"", "null", "[]", "{}", "{\"order\":1001}",
		"{\"order\":0,\"restock\":true,\"lines\":[]}",
		"{\"order\":-1,\"restock\":true,\"lines\":[{\"line_id\":1,"
		"\"quantity\":1,\"reason\":\"other\"}]}",
		"{\"order\":1e300,\"restock\":true,\"lines\":[{\"line_id\":1,"
		"\"quantity\":1,\"reason\":\"other\"}]}",
		"{\"order\":1001,\"restock\":1,\"lines\":[{\"line_id\":1,"
		"\"quantity\":1,\"reason\":\"other\"}]}",
		"{\"order\":1001,\"restock\":true,\"lines\":{\"line_id\":1}}",
		"{\"order\":1001,\"restock\":true,\"lines\":[{\"line_id\":1,"
		"\"quantity\":0,\"reason\":\"other\"}]}",
		"{\"order\":1001,\"restock\":true,\"lines\":[{\"line_id\":1,"
		"\"quantity\":-1,\"reason\":\"other\"}]}",
		"{\"order\":1001,\"restock\":true,\"lines\":[{\"line_id\":1,"
		"\"quantity\":1.5,\"reason\":\"other\"}]}",
		"{\"order\":1001,\"restock\":true,\"lines\":[{\"line_id\":1,"
		"\"quantity\":1,\"reason\":\"<script>\"}]}",
		"{\"order\":1001,\"restock\":true,\"lines\":[{\"line_id\":1,"
		"\"quantity\":1,\"reason\":\"other\"},{\"line_id\":1,"
		"\"quantity\":1,\"reason\":\"other\"}]}",
	};
	static const char *const numbers[] = {
		"",	   "0",		"-1", "abc", "1e3", "1001,1002",
		"99999999999999999999", "1001%22%7D", "1%00", "1001%001",
	};
	struct shipfrom *s = returns_start(state, RETURN_SOON);
	char path[100];

	(void)goods_shipped(s, "{\"quantity\":2}");
	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
		struct answer a = shop_post(s, AMSTERDAM, RETURNS_PATH, bodies[i]);

		if (a.status != 400)
			fail_msg("%s: %ld", bodies[i], a.status);
		answer_release(&a);
	}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		struct answer a;

		snprintf(path, sizeof(path), RETURNS_PATH "?order=%s", numbers[i]);
		a = shop_get(s, AMSTERDAM, path);
		if (a.status != 400)
			fail_msg("%s: %ld", path, a.status);
		answer_release(&a);
	}
	assert_int_equal(sim_calls_of(&s->sim, 0, "createReturn"), 0);
	shipfrom_passed(s);
}

/* One coat is given back; then the other one with the scarf, which is in the
 * first coat's shipment. */
static void what_a_shipment_has_given_back_is_taken_from_the_other(void **state)
{
	struct shipfrom *s = returns_start(state, RETURN_SOON);
	int64_t first, n = goods_shipped_twice(s, &first);
	struct wish one = {.order = n, .line = COAT, .units = 1,
			   .key = "one-coat"};
	struct wish rest = {.order = n, .line = COAT, .units = 1,
			    .also = SCARF, .key = "a-coat-and-a-scarf"};

	wait_return_booked(s, &one);
	wait_return_booked(s, &rest);
	assert_int_equal(sim_returns(s, n).units, 3);
	shipfrom_passed(s);
}

static void a_shop_without_returns_takes_none(void **state)
{
	struct shipfrom *s = shipfrom_with(NULL, MANY);
	struct wish w = {.order = 1, .line = 1, .units = 1};
	struct answer a;

	*state = s;
	assert_int_equal(return_asked(s, AMSTERDAM, &w), 404);
	a = returnable(s, AMSTERDAM, 1);
	assert_int_equal(a.status, 404);
	answer_release(&a);
	shipfrom_passed(s);
}

/* Asks for a return of one of two units while Centra shows no order, and makes a
 * backup in which it waits. */
static void back_up_waiting(struct shipfrom *s, const struct wish *w,
			    char ret_file[BACKUP_ROOM])
{
	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"graphql\",\"what\":\"orders\","
		 "\"kind\":\"500\",\"percent\":100}");
	assert_int_equal(return_asked(s, AMSTERDAM, w), 202);
	shipfrom_back_up(s, ret_file);
}

static void start_on(struct shipfrom *s, const char *file)
{
	sim_tell(&s->sim, "/faults", "{\"clear\":true}");
	shipfrom_go_back(s, file);
}

/* It was booked after the backup was made: the second unit must not be booked for
 * it. */
static void a_return_that_waits_in_a_backup_is_not_booked_again(void **state)
{
	struct shipfrom *s = returns_start(state, RETURN_SOON);
	int64_t n = goods_shipped(s, "{\"quantity\":2}");
	struct wish w = {.order = n, .line = goods_line(s, n, 0), .units = 1,
			 .key = "a"};
	char file[BACKUP_ROOM];

	back_up_waiting(s, &w, file);
	sim_tell(&s->sim, "/faults", "{\"clear\":true}");
	wait_return_booked(s, &w);
	assert_int_equal(shipfrom_stop(s), 0);
	start_on(s, file);
	wait_metric(s, "tasks_dead", 1, RETURN_LONG);
	assert_int_equal(sim_returns(s, n).units, 1);
	shipfrom_passed(s);
}

/* Centra shows that nothing of the order was given back. */
static void a_return_that_waits_in_a_backup_is_not_lost(void **state)
{
	struct shipfrom *s = returns_start(state, RETURN_SOON);
	int64_t n = goods_shipped(s, "{\"quantity\":2}");
	struct wish w = {.order = n, .line = goods_line(s, n, 0), .units = 1,
			 .key = "a"};
	char file[BACKUP_ROOM];

	back_up_waiting(s, &w, file);
	assert_int_equal(shipfrom_stop(s), 0);
	start_on(s, file);
	wait_return_booked(s, &w);
	assert_int_equal(sim_returns(s, n).units, 1);
	shipfrom_passed(s);
}

#define OWN(f) cmocka_unit_test_teardown(f, shipfrom_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OWN(any_shop_takes_back_what_another_shipped_into_its_own_warehouse),
		OWN(goods_that_cannot_be_sold_again_are_removed_from_stock),
		OWN(nothing_of_the_customer_is_shown_or_kept),
		OWN(never_more_than_was_shipped_and_not_given_back),
		OWN(a_line_that_was_not_shipped_is_refused),
		OWN(what_nobody_can_know_goes_to_the_office),
		OWN(what_nobody_knows_is_not_forgotten_for_another_return),
		OWN(what_is_refused_after_the_shop_was_told_202_goes_to_the_office),
		OWN(what_the_office_booked_by_hand_is_not_booked_again),
		OWN(a_count_from_before_a_return_came_is_not_sent),
		OWN(a_count_is_not_sent_while_nobody_knows_what_came),
		OWN(a_return_that_cannot_be_sold_again_makes_no_count_too_old),
		OWN(a_missing_permission_books_nothing_and_loses_nothing),
		OWN(hostile_requests_are_refused_and_book_nothing),
		OWN(why_tells_the_returns_of_an_order),
		OWN(what_a_shipment_has_given_back_is_taken_from_the_other),
		OWN(a_return_that_waits_in_a_backup_is_not_booked_again),
		OWN(a_return_that_waits_in_a_backup_is_not_lost),
		OWN(a_shop_without_returns_takes_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
