/* SPDX-License-Identifier: MIT
 *
 * Counts of a shop's shelf reach Centra, by a till and by a file, and what Centra
 * refuses is told.
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
/* 1 once a call was begun. */
#define BEGUN "documents{kind=\"stock_run\",ended=\"no\"}"

/* ---- what is right ---- */

static void a_count_reaches_centra_by_ean_and_by_sku(void **state)
{
	struct shipfrom *s = shipfrom_with(NULL, MANY);
	char code[STATE_ROOM];

	*state = s;
	size_known(s, "1001", "");
	size_known(s, "1002", "");
	assert_int_equal(counts_put(s,
			     "{\"items\":[{\"ean\":\"1001\",\"quantity\":7},"
			     "{\"sku\":\"S-1002\",\"quantity\":0}]}",
			     code),
			 202);
	wait_counted(s, "1001", "done", 5000);
	assert_int_equal(centra_stock(s, "1001").physical, 7);
	wait_centra_stock(s, "1002", 0);
	shipfrom_passed(s);
}

static void an_older_count_is_told_and_changes_nothing(void **state)
{
	struct shipfrom *s = shipfrom_with(NULL, MANY);
	struct answer a;
	char json[200], at[STAMP_ROOM];

	*state = s;
	size_known(s, "1001", "");
	count_item(s, "1001", 7, 10);
	wait_counted(s, "1001", "done", 5000);
	snprintf(json, sizeof(json),
		 "{\"items\":[{\"ean\":\"1001\",\"quantity\":9}],"
		 "\"counted_at\":\"%s\"}",
		 iso(at, -20));
	a = counts_send(s, json);
	assert_int_equal(a.status, 202);
	assert_int_equal(number_of(a.json, "older"), 1);
	answer_release(&a);
	count_item(s, "1001", 8, 5);
	wait_counted(s, "1001", "done", 5000);
	assert_int_equal(centra_stock(s, "1001").physical, 8);
	assert_int_equal(centra_stock(s, "1001").sets, 2);
	a = shop_get(s, AMSTERDAM, PLACE "/results?ean=1001");
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(a.json,
								"history")),
			 5); /* counted, done, older, counted, done */
	answer_release(&a);
	shipfrom_passed(s);
}

static void what_cannot_be_right_is_refused(void **state)
{
	static const struct {
		const char *json;
		long status;
		const char *code;
	} bad[] = {
		{"[]", 400, "bad_request"},
		{"{\"items\":[]}", 400, "bad_request"},
		{"{\"items\":[{\"ean\":\"1\",\"sku\":\"2\",\"quantity\":1}]}",
		 400, "bad_request"},
		{"{\"items\":[{\"ean\":\"1\",\"quantity\":-1}]}", 400,
		 "bad_request"},
		{"{\"items\":[{\"ean\":\"1\",\"quantity\":1.5}]}", 400,
		 "bad_request"},
		{"{\"items\":[{\"ean\":\"1\",\"quantity\":1},"
		 "{\"ean\":\"1\",\"quantity\":2}]}",
		 400, "bad_request"},
		{"{\"items\":[{\"ean\":\"1\",\"quantity\":1}],"
		 "\"counted_at\":\"yesterday\"}",
		 400, "bad_request"},
	};
	struct shipfrom *s = shipfrom_with(NULL, MANY);
	char code[STATE_ROOM], json[2000], at[STAMP_ROOM];
	struct answer a;
	size_t n = 0;
	long status;

	*state = s;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		status = counts_put(s, bad[i].json, code);
		if (status != bad[i].status || strcmp(code, bad[i].code) != 0)
			fail_msg("%s: %ld %s", bad[i].json, status, code);
	}
	snprintf(json, sizeof(json),
		 "{\"items\":[{\"ean\":\"1\",\"quantity\":1}],"
		 "\"counted_at\":\"%s\"}",
		 iso(at, 60));
	assert_int_equal(counts_put(s, json, code), 400);
	assert_string_equal(code, "counted_in_future");
	n = (size_t)snprintf(json, sizeof(json), "{\"items\":[");
	for (int i = 0; i < 21; i++)
		n += (size_t)snprintf(json + n, sizeof(json) - n,
				      "%s{\"ean\":\"%d\",\"quantity\":0}",
				      i ? "," : "", i);
	snprintf(json + n, sizeof(json) - n, "]}");
	assert_int_equal(counts_put(s, json, code), 409);
	assert_string_equal(code, "confirm_zero");
	snprintf(json + n, sizeof(json) - n, "],\"confirm\":true}");
	assert_int_equal(counts_put(s, json, code), 202);
	a = shop_get(s, AMSTERDAM, PLACE "/results?result=refusd");
	assert_int_equal(a.status, 400);
	answer_release(&a);
	a = shop_get(s, AMSTERDAM, PLACE "/results?result=refused");
	assert_int_equal(a.status, 200);
	answer_release(&a);
	shipfrom_passed(s);
}

/* A page that was signed in anew as another shop's must not count there. */
static void a_count_that_was_meant_for_another_shop_is_refused(void **state)
{
	struct shipfrom *s = shipfrom_with(NULL, MANY);
	char code[STATE_ROOM];

	*state = s;
	assert_int_equal(counts_put(s, "{\"items\":[{\"ean\":\"1\",\"quantity\":1}],"
				"\"for\":{\"shop\":\"berlin\",\"instance\":"
				"\"se\"}}", code), 409);
	assert_string_equal(code, "misdirected");
	assert_int_equal(counts_put(s, "{\"items\":[{\"ean\":\"1\",\"quantity\":1}],"
				"\"for\":{\"shop\":\"amsterdam\",\"instance\":"
				"\"se\"}}", code), 202);
	shipfrom_passed(s);
}

/* ---- what Centra refuses ---- */

/* Counts many items in one request, of which Centra refuses some. */
static void refuses_some(struct shipfrom *s)
{
	char json[6000], code[STATE_ROOM], ean[16];
	size_t n = (size_t)snprintf(json, sizeof(json), "{\"items\":[");

	for (int i = 0; i < 60; i++) {
		snprintf(ean, sizeof(ean), "%d", 2000 + i);
		if (i != 7)
			size_known(s, ean, i == 20	? ",\"bundle\":true"
				      : i == 41 ? ",\"held\":5"
						: "");
		n += (size_t)snprintf(json + n, sizeof(json) - n,
				      "%s{\"ean\":\"%s\",\"quantity\":3}",
				      i ? "," : "", ean);
	}
	snprintf(json + n, sizeof(json) - n, "]}");
	assert_int_equal(counts_put(s, json, code), 202);
	for (int i = 0; i < 60; i++) {
		snprintf(ean, sizeof(ean), "%d", 2000 + i);
		wait_counted(s, ean,
			    i == 7    ? "unknown"
			    : i == 20 ? "bundle"
			    : i == 41 ? "below_allocated"
				      : "done",
			    20000);
		if (i != 7 && i != 20 && i != 41)
			assert_int_equal(centra_stock(s, ean).physical, 3);
	}
}

static void what_is_refused_is_told_and_keeps_no_other(void **state)
{
	struct shipfrom *s = shipfrom_with(NULL, MANY);

	*state = s;
	refuses_some(s);
	/* One call for all; those that are wrong alone; the rest. */
	assert_true(sim_calls_of(&s->sim, 0, "setStock") <= 6);
	shipfrom_passed(s);
}

static void refusals_that_name_no_item_are_found_by_halving(void **state)
{
	struct shipfrom *s = shipfrom_with(NULL, MANY);

	*state = s;
	sim_tell(&s->sim, "/settings", "{\"stock_paths\":false}");
	refuses_some(s);
	shipfrom_passed(s);
}

/* Such a server sets the first of several sizes alone, and says that all is
 * well. */
static void a_server_with_the_known_fault_gets_one_size_a_call(void **state)
{
	struct shipfrom *s = shipfrom_with(NULL, MANY);

	*state = s;
	sim_tell(&s->sim, "/settings", "{\"app_version\":\"v1.59.9\"}");
	refuses_some(s);
	shipfrom_passed(s);
}

/* Half of the counts are refused, and an error names each. */
static void many_refused_counts_cost_few_calls(void **state)
{
	struct shipfrom *s = shipfrom_with(NULL, MANY);
	char json[6000], at[STAMP_ROOM], code[STATE_ROOM], ean[16];
	size_t n = (size_t)snprintf(json, sizeof(json),
				    "{\"counted_at\":\"%s\",\"items\":[",
				    iso(at, -20));

	*state = s;
	size_known(s, "1001", "");
	for (int i = 0; i < 100; i++) {
		snprintf(ean, sizeof(ean), "%d", 3000 + i);
		if (i % 2)
			size_known(s, ean, "");
		n += (size_t)snprintf(json + n, sizeof(json) - n,
				      "%s{\"ean\":\"%s\",\"quantity\":3}",
				      i ? "," : "", ean);
	}
	snprintf(json + n, sizeof(json) - n, "]}");
	/* The first call meets all of them, and the others wait meanwhile. */
	stock_fault(s, "\"kind\":\"slow\",\"ms\":500,\"when\":\"before\"");
	assert_int_equal(counts_put(s, json, code), 202);
	count_item(s, "1001", 7, 10);
	for (int i = 0; i < 100; i++) {
		snprintf(ean, sizeof(ean), "%d", 3000 + i);
		wait_counted(s, ean, i % 2 ? "done" : "unknown", 20000);
	}
	wait_counted(s, "1001", "done", 5000);
	assert_true(sim_calls_of(&s->sim, 0, "setStock") <= 5);
	shipfrom_passed(s);
}

/* ---- movements ---- */

/* Copies the EAN of the order's first line. */
static void first_ean(struct shipfrom *s, int64_t number, char ret[40])
{
	struct answer o = order_get(s, number);
	const cJSON *line = cJSON_GetArrayItem(cJSON_GetObjectItem(o.json,
								   "lines"),
					       0);

	snprintf(ret, 40, "%s", text_of(line, "ean"));
	answer_release(&o);
	assert_true(*ret);
}

static void a_count_from_before_a_parcel_left_is_not_sent(void **state)
{
	struct shipfrom *s = shipfrom_with(NULL, MANY);
	int64_t number = order_accepted(s, TWO_LINES);
	char ean[40], code[STATE_ROOM];
	int64_t before;

	*state = s;
	first_ean(s, number, ean);
	(void)order_ship(s, number, PARCEL, code);
	wait_stage(s, number, "shipped", 10000);
	before = centra_stock(s, ean).physical;
	count_item(s, ean, 50, 60);
	wait_counted(s, ean, "too_old", 5000);
	assert_int_equal(centra_stock(s, ean).physical, before);
	count_item(s, ean, 51, -1); /* within what clocks may differ */
	wait_counted(s, ean, "done", 5000);
	assert_int_equal(centra_stock(s, ean).physical, 51);
	shipfrom_passed(s);
}

/* Centra sets the count after the parcel has left it, and so undoes that. */
static void a_count_that_was_sent_while_a_parcel_left_is_not_done(void **state)
{
	struct shipfrom *s = shipfrom_with(NULL, MANY);
	int64_t number = order_accepted(s, TWO_LINES);
	char ean[40], code[STATE_ROOM];

	*state = s;
	first_ean(s, number, ean);
	stock_fault(s, "\"kind\":\"slow\",\"ms\":2000,\"when\":\"before\"");
	count_item(s, ean, 50, 0);
	wait_metric(s, BEGUN, 1, 5000);
	(void)order_ship(s, number, PARCEL, code);
	wait_stage(s, number, "shipped", 10000);
	wait_counted(s, ean, "too_old", 10000);
	shipfrom_passed(s);
}

/* ---- files, and quiet hours ---- */

/* Writes a file and imports it; returns the exit status, and what was printed,
 * with stderr, in *ret_out (owned). */
static int import(struct shipfrom *s, const char *text, bool confirm,
		  char **ret_out)
{
	char file[200];
	const char *words[] = {"stock",	    "import",	 file,
			       "--shop",    "amsterdam", confirm ? "--confirm"
								 : NULL,
			       NULL};
	FILE *f;

	snprintf(file, sizeof(file), "%s/counts.csv", s->dir);
	f = fopen(file, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	return shipfrom_run(s, ret_out, true, words);
}

static void an_imported_file_reaches_centra(void **state)
{
	struct shipfrom *s = shipfrom_with(NULL, MANY);
	char *out;

	*state = s;
	size_known(s, "1001", "");
	size_known(s, "1002", "");
	assert_int_equal(import(s, "ean,quantity\n1001,7\n1002,0\n", false,
				&out),
			 0);
	free(out);
	wait_counted(s, "1001", "done", 5000);
	assert_int_equal(centra_stock(s, "1001").physical, 7);
	wait_centra_stock(s, "1002", 0);
	shipfrom_passed(s);
}

static void of_a_file_with_a_bad_line_nothing_is_stored(void **state)
{
	struct shipfrom *s = shipfrom_with(NULL, MANY);
	char *out, is[STATE_ROOM];

	*state = s;
	assert_int_equal(import(s, "ean,quantity\n1001,7\n1002,-1\n", false,
				&out),
			 65);
	assert_non_null(strstr(out, "counts.csv:3: "));
	free(out);
	assert_string_equal(count_result(s, "1001", is), "");
	shipfrom_passed(s);
}

static void many_zeros_of_a_file_need_a_confirmation(void **state)
{
	char text[2000] = "ean,quantity\n", *out, is[STATE_ROOM];
	struct shipfrom *s = shipfrom_with(NULL, MANY);
	size_t n = strlen(text);

	*state = s;
	for (int i = 0; i < 21; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%d,0\n",
				      1000 + i);
	assert_int_equal(import(s, text, false, &out), 64);
	assert_non_null(strstr(out, "--confirm"));
	free(out);
	assert_string_equal(count_result(s, "1001", is), "");
	assert_int_equal(import(s, text, true, &out), 0);
	free(out);
	wait_counted(s, "1001", "unknown", 20000);
	shipfrom_passed(s);
}

/* Quiet hours that are not now: from an hour ahead on, for an hour. */
static const char *not_now(char ret[60])
{
	char at[STAMP_ROOM];
	int hour;

	/* "2021-01-12T16:21:00+01:00" */
	assert_int_equal(sscanf(iso(at, 0), "%*d-%*d-%*dT%d", &hour), 1);
	snprintf(ret, 60, "stock_quiet_hours = %02d:00-%02d:00\n",
		 (hour + 2) % 24, (hour + 3) % 24);
	return ret;
}

static void a_large_count_waits_for_quiet_hours_and_a_small_one_does_not(
	void **state)
{
	char hours[60], *out, is[STATE_ROOM];
	const struct shipfrom_options o = {.centra = MANY,
					   .amsterdam = not_now(hours)};
	struct shipfrom *s = shipfrom_start(&o);

	*state = s;
	size_known(s, "1001", "");
	size_known(s, "1002", "");
	assert_int_equal(import(s, "ean,quantity\n1001,7\n", false, &out), 0);
	free(out);
	count_item(s, "1002", 8, 0);
	wait_counted(s, "1002", "done", 5000);
	assert_string_equal(count_result(s, "1001", is), "waiting");
	assert_int_equal(centra_stock(s, "1001").physical, -1);
	/* A person who counts that item again does not wait for the night. */
	count_item(s, "1001", 6, -1);
	wait_counted(s, "1001", "done", 5000);
	shipfrom_passed(s);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_teardown(f, shipfrom_end)
	const struct CMUnitTest tests[] = {
		CASE(a_count_reaches_centra_by_ean_and_by_sku),
		CASE(an_older_count_is_told_and_changes_nothing),
		CASE(what_cannot_be_right_is_refused),
		CASE(a_count_that_was_meant_for_another_shop_is_refused),
		CASE(what_is_refused_is_told_and_keeps_no_other),
		CASE(refusals_that_name_no_item_are_found_by_halving),
		CASE(a_server_with_the_known_fault_gets_one_size_a_call),
		CASE(many_refused_counts_cost_few_calls),
		CASE(a_count_from_before_a_parcel_left_is_not_sent),
		CASE(a_count_that_was_sent_while_a_parcel_left_is_not_done),
		CASE(an_imported_file_reaches_centra),
		CASE(of_a_file_with_a_bad_line_nothing_is_stored),
		CASE(many_zeros_of_a_file_need_a_confirmation),
		CASE(a_large_count_waits_for_quiet_hours_and_a_small_one_does_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
