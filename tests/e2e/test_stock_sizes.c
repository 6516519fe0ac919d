/* SPDX-License-Identifier: MIT
 *
 * Counts of one size by its EAN and by its SKU are counts of one item.
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
#include "tests/harness/orders.h"
#include "tests/harness/wait.h"

#define PLACE "/api/v1/stock"
#define SOON  MANY "call_timeout = 1s\n"
/* 1 once a call was begun. */
#define BEGUN "documents{kind=\"stock_run\",ended=\"no\"}"

/* Sends a count by the SKU that size_known() gave the item, `ago` seconds ago. */
static void count_by_sku(struct shipfrom *s, const char *ean, int quantity,
			 int ago)
{
	char json[300], at[STAMP_ROOM], code[STATE_ROOM];

	snprintf(json, sizeof(json),
		 "{\"items\":[{\"sku\":\"S-%s\",\"quantity\":%d}],"
		 "\"counted_at\":\"%s\"}",
		 ean, quantity, iso(at, -ago));
	assert_int_equal(counts_put(s, json, code), 202);
}

static bool is_sku_result(void *arg)
{
	const struct counted *x = arg;
	char path[200];
	struct answer a;
	bool is;

	snprintf(path, sizeof(path), PLACE "/results?sku=S-%s", x->ean);
	a = shop_get(x->s, AMSTERDAM, path);
	is = !strcmp(text_of(a.json, "result"), x->result);
	answer_release(&a);
	return is;
}

static void wait_sku_result(struct shipfrom *s, const char *ean,
			    const char *result)
{
	if (!wait_until(is_sku_result, &(struct counted){s, ean, result},
			20000))
		fail_msg("S-%s is not %s", ean, result);
}

static void an_older_count_by_the_other_code_is_not_sent(void **state)
{
	struct shipfrom *s = shipfrom_with(NULL, MANY);

	*state = s;
	size_known(s, "1001", "");
	count_item(s, "1001", 8, 10);
	wait_counted(s, "1001", "done", 5000);
	count_by_sku(s, "1001", 7, 20);
	wait_sku_result(s, "1001", "older");
	assert_int_equal(centra_stock(s, "1001").physical, 8);
	assert_int_equal(centra_stock(s, "1001").sets, 1);
	/* What is newer is sent, by either code. */
	count_by_sku(s, "1001", 6, 5);
	wait_sku_result(s, "1001", "done");
	assert_int_equal(centra_stock(s, "1001").physical, 6);
	count_item(s, "1001", 9, 7);
	wait_counted(s, "1001", "older", 5000);
	assert_int_equal(centra_stock(s, "1001").physical, 6);
	shipfrom_passed(s);
}

/* Both wait at the same time, and one call never has a size twice. */
static void of_two_codes_of_one_size_that_wait_the_newer_is_there(void **state)
{
	struct shipfrom *s = shipfrom_with(NULL, SOON);

	*state = s;
	size_known(s, "1001", "");
	size_known(s, "1002", "");
	stock_fault(s, "\"kind\":\"slow\",\"ms\":700,\"when\":\"before\"");
	count_item(s, "1002", 1, 30);
	wait_metric(s, BEGUN, 1, 5000);
	count_by_sku(s, "1001", 6, 10);
	count_item(s, "1001", 5, 20);
	wait_sku_result(s, "1001", "done");
	wait_counted(s, "1002", "done", 5000);
	assert_int_equal(centra_stock(s, "1001").physical, 6);
	assert_true(centra_stock(s, "1001").sets <= 2);
	assert_int_equal(centra_stock(s, "1001").twice, 0);
	shipfrom_passed(s);
}

/* The newer count was begun when the server was killed. */
static void killed_in_the_newer_call_no_older_one_by_the_other_code_follows(
	void **state)
{
	struct shipfrom *s = shipfrom_with(NULL, SOON);

	*state = s;
	size_known(s, "1001", "");
	stock_fault(s, "\"kind\":\"slow\",\"ms\":800,\"when\":\"before\"");
	count_item(s, "1001", 8, 10);
	wait_metric(s, BEGUN, 1, 5000);
	shipfrom_kill_9(s);
	shipfrom_again(s);
	count_by_sku(s, "1001", 7, 20);
	wait_sku_result(s, "1001", "older");
	wait_counted(s, "1001", "done", 20000);
	assert_int_equal(centra_stock(s, "1001").physical, 8);
	assert_int_equal(centra_stock(s, "1001").lowered, 0);
	shipfrom_passed(s);
}

struct looks {
	struct shipfrom *s;
	int calls;
};

static bool looked_up(void *arg)
{
	const struct looks *x = arg;

	return sim_calls_of(&x->s->sim, 0, "productSizes") >= x->calls;
}

/* Which size it is of is looked up again, and until then nothing is sent. */
static void a_lookup_that_fails_or_is_killed_is_made_again(void **state)
{
	struct shipfrom *s = shipfrom_with(NULL, SOON);

	*state = s;
	size_known(s, "1001", "");
	count_item(s, "1001", 8, 10);
	wait_counted(s, "1001", "done", 5000);
	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"graphql\",\"what\":\"productSizes\","
		 "\"kind\":\"drop\",\"when\":\"after\",\"count\":1}");
	count_by_sku(s, "1001", 7, 20);
	assert_true(wait_until(looked_up, &(struct looks){s, 2}, 20000));
	shipfrom_kill_9(s);
	shipfrom_again(s);
	wait_sku_result(s, "1001", "older");
	assert_int_equal(centra_stock(s, "1001").physical, 8);
	assert_int_equal(centra_stock(s, "1001").sets, 1);
	shipfrom_passed(s);
}

/* A token that may not look sizes up keeps no count. */
static void counts_are_sent_though_sizes_cannot_be_looked_up(void **state)
{
	struct shipfrom *s = shipfrom_with(NULL, MANY);

	*state = s;
	size_known(s, "1001", "");
	sim_tell(&s->sim, "/settings", "{\"denied\":[\"ProductSize:read\"]}");
	count_item(s, "1001", 8, 10);
	wait_counted(s, "1001", "done", 10000);
	assert_int_equal(centra_stock(s, "1001").physical, 8);
	shipfrom_passed(s);
}

static void a_count_of_a_code_that_two_sizes_have_is_refused(void **state)
{
	struct shipfrom *s = shipfrom_with(NULL, MANY);

	*state = s;
	size_known(s, "1001", "");
	sim_tell(&s->sim, "/stock",
		 "{\"ean\":\"1001\",\"sku\":\"S-another\",\"another\":true}");
	count_item(s, "1001", 8, 10);
	wait_counted(s, "1001", "refused", 5000);
	assert_int_equal(centra_stock(s, "1001").sets, -1);
	count_by_sku(s, "1001", 7, 5);
	wait_sku_result(s, "1001", "done");
	shipfrom_passed(s);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_teardown(f, shipfrom_end)
	const struct CMUnitTest tests[] = {
		CASE(an_older_count_by_the_other_code_is_not_sent),
		CASE(of_two_codes_of_one_size_that_wait_the_newer_is_there),
		CASE(killed_in_the_newer_call_no_older_one_by_the_other_code_follows),
		CASE(a_lookup_that_fails_or_is_killed_is_made_again),
		CASE(counts_are_sent_though_sizes_cannot_be_looked_up),
		CASE(a_count_of_a_code_that_two_sizes_have_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
