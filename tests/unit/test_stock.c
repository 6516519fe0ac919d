/* SPDX-License-Identifier: MIT
 *
 * test_stock.c - counts of stock: which is the newest, what becomes of it, quiet
 * hours, and files of counts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hours.h"
#include "base/mem.h"
#include "handlers/stock_item.h"
#include "server/shop/stock_file.h"
#include "server/shop/stocktake.h"

#include <cmocka.h> /* last: its fail() is a macro */

#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)

/* ---- which count is the newest ---- */

static enum stock_taken take(struct stock_item *i, int64_t quantity,
			     int64_t counted_at, int64_t now)
{
	const struct stock_count c = {"5901", false, quantity, counted_at};

	return stock_item_count(i, &c, "Till 1", false, now);
}

static struct stock_item item_of(void)
{
	struct stock_item i;
	struct doc none = {0};
	struct err e;

	assert_int_equal(stock_item_read(&i, &none, 27, false, "5901", &e),
			 OK);
	return i;
}

static void the_newest_count_wins_whenever_it_comes(void **state)
{
	struct stock_item i = item_of();

	(void)state;
	assert_int_equal(take(&i, 4, 1000, 2000), STOCK_TAKEN);
	assert_int_equal(take(&i, 5, 900, 2001), STOCK_OLDER);
	assert_int_equal(i.quantity, 4);
	assert_int_equal(take(&i, 6, 1100, 2002), STOCK_TAKEN);
	assert_int_equal(i.quantity, 6);
	stock_item_release(&i);
}

static void of_two_with_one_time_the_later_to_come_wins(void **state)
{
	struct stock_item i = item_of();

	(void)state;
	assert_int_equal(take(&i, 4, 1000, 2000), STOCK_TAKEN);
	assert_int_equal(take(&i, 5, 1000, 2001), STOCK_TAKEN);
	assert_int_equal(i.quantity, 5);
	stock_item_release(&i);
}

static void a_newer_count_by_another_code_supersedes(void **state)
{
	const struct stock_sent sent = {1000, 2000, "27/ean/5901"};
	const struct stock_sent none = {.counted_at = TIME_NONE};
	struct stock_item i = item_of();

	(void)state;
	assert_int_equal(take(&i, 4, 900, 2001), STOCK_TAKEN);
	assert_true(stock_is_superseded(&i, "27/sku/S-1", &sent));
	assert_false(stock_is_superseded(&i, "27/ean/5901", &sent));
	assert_false(stock_is_superseded(&i, "27/sku/S-1", &none));
	/* Of two with one time the later to come wins. */
	i.counted_at = 1000;
	assert_false(stock_is_superseded(&i, "27/sku/S-1", &sent));
	i.received = 1999;
	assert_true(stock_is_superseded(&i, "27/sku/S-1", &sent));
	/* A newer count is looked up anew. */
	stock_item_sized(&i, 38, "5901", "S-1");
	assert_int_equal(take(&i, 5, 1100, 2100), STOCK_TAKEN);
	assert_int_equal(i.size, 0);
	assert_false(stock_is_superseded(&i, "27/sku/S-1", &sent));
	stock_item_release(&i);
}

/* A count that is dated far later than a confirmed clock says keeps no other; a
 * count from before now is still not newer. */
static void a_count_of_a_clock_that_ran_ahead_is_dated_now(void **state)
{
	struct stock_item i = item_of();
	int64_t now = 100 * HOUR;

	(void)state;
	assert_int_equal(take(&i, 4, now + STOCK_NOT_YET, now), STOCK_TAKEN);
	stock_item_redate(&i, now);
	assert_int_equal(i.counted_at, now + STOCK_NOT_YET);
	assert_int_equal(take(&i, 5, now + 24 * HOUR, now), STOCK_TAKEN);
	stock_item_redate(&i, now);
	assert_int_equal(i.counted_at, now);
	assert_int_equal(take(&i, 6, now - 1, now), STOCK_OLDER);
	assert_int_equal(take(&i, 7, now, now), STOCK_TAKEN);
	stock_item_release(&i);
}

/* A newer one may have been removed by age. */
static void a_count_of_more_than_a_week_ago_is_no_first_count(void **state)
{
	struct stock_item i = item_of();

	(void)state;
	assert_int_equal(take(&i, 4, 1000, 1000 + STOCK_OLDEST + 1),
			 STOCK_OLDER);
	assert_int_equal(i.n, 0);
	assert_int_equal(take(&i, 4, 1000, 1000 + STOCK_OLDEST), STOCK_TAKEN);
	stock_item_release(&i);
}

/* A till that got no answer sends its counts again. */
static void a_repeated_count_changes_nothing(void **state)
{
	struct stock_item i = item_of();

	(void)state;
	assert_int_equal(take(&i, 4, 1000, 2000), STOCK_TAKEN);
	stock_item_end(&i, i.n, 4, 1000, STOCK_DONE, NULL, 2500);
	assert_int_equal(take(&i, 4, 1000, 3000), STOCK_AGAIN);
	assert_int_equal(i.state, STOCK_DONE);
	assert_int_equal(i.n_history, 2);
	stock_item_release(&i);
}

static void an_older_count_that_was_sent_does_not_end_a_newer_one(void **state)
{
	struct stock_item i = item_of();
	uint64_t sent;

	(void)state;
	take(&i, 4, 1000, 2000);
	sent = i.n;
	take(&i, 5, 1100, 2001);
	stock_item_end(&i, sent, 4, 1000, STOCK_DONE, NULL, 2500);
	assert_int_equal(i.state, STOCK_WAITING);
	assert_int_equal(i.ended, 0);
	assert_string_equal(i.history[2].what, "done");
	stock_item_release(&i);
}

static void an_item_is_read_as_it_was_written(void **state)
{
	struct stock_item i = item_of(), is;
	struct doc d;
	struct err e;
	char key[DOC_KEY_SIZE];

	(void)state;
	take(&i, 4, 1000, 2000);
	stock_key(key, 27, false, "5901");
	assert_int_equal(doc_name(&d, STOCK_ITEM_KIND, "se", key, &e), OK);
	stock_item_write(&i, &d);
	assert_string_equal(d.list, "27/waiting");
	assert_int_equal(d.at, 1000);
	d.rev = 1;
	stock_item_end(&i, i.n, 4, 1000, STOCK_UNKNOWN, "Not found.", 2500);
	stock_item_write(&i, &d);
	assert_string_equal(d.list, "done");
	assert_int_equal(d.at, 2500);
	assert_int_equal(stock_item_read(&is, &d, 27, false, "5901", &e), OK);
	assert_true(is.n == 1 && is.quantity == 4 && is.counted_at == 1000 &&
		    is.state == STOCK_UNKNOWN && is.ended == 2500);
	assert_string_equal(is.text, "Not found.");
	assert_string_equal(is.by, "Till 1");
	assert_int_equal(is.n_history, 2);
	assert_string_equal(is.history[1].text, "Not found.");
	stock_item_release(&i);
	stock_item_release(&is);
	doc_release(&d);
}

/* The document stays small however often an item is counted. */
static void the_newest_entries_of_the_history_stay(void **state)
{
	struct stock_item i = item_of();
	struct doc d = {0};

	(void)state;
	for (int n = 0; n < 100; n++) {
		char words[2000];

		memset(words, 'x', sizeof(words) - 1);
		words[sizeof(words) - 1] = '\0';
		take(&i, n, 1000 + n, 2000);
		stock_item_end(&i, i.n, n, 1000 + n, STOCK_REFUSED, words, 3000);
	}
	assert_int_equal(i.n_history, STOCK_HISTORY_MAX);
	assert_int_equal(i.history[STOCK_HISTORY_MAX - 1].quantity, 99);
	stock_item_write(&i, &d);
	assert_true(strlen(d.text) < DOC_TEXT_MAX / 2);
	doc_release(&d);
	stock_item_release(&i);
}

static void a_refusal_is_known_by_its_words(void **state)
{
	static const struct {
		const char *words;
		enum stock_state means;
	} rows[] = {
		{"Product size not found.", STOCK_UNKNOWN},
		{"ProductSize with EAN 1 does not exist", STOCK_UNKNOWN},
		{"Stock of a bundle cannot be set.", STOCK_BUNDLE},
		{"Quantity is below allocated", STOCK_BELOW_ALLOCATED},
		{"Warehouse not found.", STOCK_REFUSED},
		{"Something else.", STOCK_REFUSED},
		{NULL, STOCK_REFUSED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(stock_refusal(rows[i].words), rows[i].means);
}

static void a_movement_is_kept_by_ean_and_by_sku(void **state)
{
	struct changes c = {0};

	(void)state;
	stock_moved(&c, "se", 27, "5901", "S-1", 77);
	stock_moved(&c, "se", 27, "", NULL, 77);
	assert_int_equal(c.n, 2);
	assert_string_equal(c.list[0].doc.doc.key, "27/ean/5901");
	assert_string_equal(c.list[1].doc.doc.key, "27/sku/S-1");
	assert_int_equal(c.list[1].doc.doc.at, 77);
	changes_release(&c);
}

/* ---- hours ---- */

static void hours_are_read_or_refused(void **state)
{
	static const char *const bad[] = {"22-06",	 "22:00",
					  "24:00-06:00", "22:00-06:60",
					  "06:00-06:00", "22:00-06:00 ",
					  "a2:00-06:00"};
	struct hours h;

	(void)state;
	assert_true(hours_read("22:30-06:05", &h));
	assert_true(h.from == 22 * 60 + 30 && h.to == 6 * 60 + 5);
	assert_true(hours_read(NULL, &h) && h.from == h.to);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (hours_read(bad[i], &h))
			fail_msg("'%s' should be refused", bad[i]);
}

static void hours_over_midnight_are_waited_for(void **state)
{
	const int64_t day = 20000 * 24 * HOUR;
	struct hours h, none = {0};

	(void)state;
	assert_true(hours_read("22:00-06:00", &h));
	assert_int_equal(hours_wait(&h, 0, day + 22 * HOUR), 0);
	assert_int_equal(hours_wait(&h, 0, day + 5 * HOUR), 0);
	assert_int_equal(hours_wait(&h, 0, day + 6 * HOUR), 16 * HOUR);
	assert_int_equal(hours_wait(&h, 0, day + 21 * HOUR), HOUR);
	assert_int_equal(hours_wait(&h, 120, day + 20 * HOUR), 0);
	assert_int_equal(hours_wait(&h, -60, day + 22 * HOUR), HOUR);
	assert_int_equal(hours_wait(&none, 0, day), 0);
}

/* ---- files ---- */

#define NOW INT64_C(1800000000000)

struct told {
	char lines[400];
	char what[200]; /* of the newest */
};

static void hear(void *arg, unsigned line, const char *what)
{
	struct told *t = arg;
	size_t n = strlen(t->lines);

	snprintf(t->what, sizeof(t->what), "%s", what);
	snprintf(t->lines + n, sizeof(t->lines) - n, "%u ", line);
}

static size_t read_file(struct stock_file *f, const char *text, struct told *t)
{
	*t = (struct told){0};
	return stock_file_read(f, xstrdup(text), NOW, hear, t);
}

static void a_file_is_read_however_it_is_separated(void **state)
{
	static const char *const files[] = {
		"ean,quantity\n5901,4\n5902,0\n",
		"\xef\xbb\xbf" "EAN;Name;Quantity\r\n5901;a;4\r\n\r\n5902;b;0",
		"quantity\tean\n4\t5901\n0\t5902\n",
		"5901,4\n5902,0\n",
		"\"ean\",\"quantity\",\"name\"\n\"5901\",\"4\",\"a, \"\"b\"\"\"\n"
		"5902,0,c\n",
	};
	struct stock_file f;
	struct told t;

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		if (read_file(&f, files[i], &t) || f.n != 2)
			fail_msg("file %zu: %zu counts, lines %s", i, f.n,
				 t.lines);
		assert_string_equal(f.list[0].code, "5901");
		assert_int_equal(f.list[0].quantity, 4);
		assert_int_equal(f.list[0].counted_at, NOW);
		assert_string_equal(f.list[1].code, "5902");
		stock_file_release(&f);
	}
}

static void a_file_may_say_when_and_by_sku(void **state)
{
	struct stock_file f;
	struct told t;

	(void)state;
	assert_int_equal(
		read_file(&f, "sku,quantity,counted_at\n"
			      "RTT-OWH-S,4,2026-11-30T17:45:00+01:00\n",
			  &t),
		0);
	assert_true(f.list[0].by_sku);
	assert_true(f.list[0].counted_at == INT64_C(1796057100000));
	stock_file_release(&f);
}

static void each_bad_line_is_named(void **state)
{
	struct stock_file f;
	struct told t;

	(void)state;
	assert_int_equal(read_file(&f,
				   "ean,quantity,counted_at\n" /* 1 */
				   "5901,4,\n"
				   "5902,-1,\n" /* 3: less than 0 */
				   "5903,1.5,\n" /* 4: no whole number */
				   ",4,\n"	 /* 5: no item */
				   "5904\n"	 /* 6: no quantity */
				   "5905,1,tomorrow\n" /* 7: no time */
				   "5906,1,2099-01-01T00:00:00Z\n" /* 8 */
				   "5907,1000001,\n" /* 9: too many */
				   "5901,5,\n",	     /* 10: twice */
				   &t),
			 8);
	assert_string_equal(t.lines, "3 4 5 6 7 8 9 10 ");
	stock_file_release(&f);
}

/* A comma that is no separator moves what is behind it into another column: a
 * quantity of 1,000 would be read as 1. */
static void a_line_with_more_fields_than_columns_is_named(void **state)
{
	struct stock_file f;
	struct told t;

	(void)state;
	assert_int_equal(read_file(&f,
				   "ean,quantity\n"
				   "5901,1,000\n" /* 2 */
				   "5902,4,,\n"
				   "5903,4,0\n", /* 4 */
				   &t),
			 2);
	assert_string_equal(t.lines, "2 4 ");
	stock_file_release(&f);
	assert_int_equal(read_file(&f, "5901,4\n5902,4,0\n", &t), 1);
	stock_file_release(&f);
}

/* Else "4"0 would be read as 4. */
static void a_quote_in_a_wrong_place_is_named(void **state)
{
	static const struct {
		const char *line, *told;
	} bad[] = {
		{"5901,\"4\"0,x", "column 2, 'quantity': text follows the "
				 "closing quote"},
		{"\"5901\"2,4,x", "column 1, 'ean': text follows the closing "
				 "quote"},
		{"5901,4\"0,x", "column 2, 'quantity': a quote stands inside a "
			       "field that is not in quotes"},
		{"5901,4,\"x", "column 3: a quote is not closed on its line"},
		{"5901,\"4,x", "column 2, 'quantity': a quote is not closed on "
			      "its line"},
		{"5901,4,\"x\"\"", "column 3: a quote is not closed on its line"},
	};
	struct stock_file f;
	char text[200];
	struct told t;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		snprintf(text, sizeof(text),
			 "ean,quantity,note\n5900,1,y\n%s\n5902,2,\n",
			 bad[i].line);
		assert_int_equal(read_file(&f, text, &t), 1);
		assert_string_equal(t.lines, "3 ");
		assert_string_equal(t.what, bad[i].told);
		stock_file_release(&f);
	}
	/* Spaces around quotes, and quotes in quotes, are fine. */
	assert_int_equal(read_file(&f, "ean,quantity,note\n"
				       " \"5901\" , \"4\" ,\"a \"\"b\"\", c\"\n",
				   &t),
			 0);
	assert_int_equal(f.n, 1);
	assert_string_equal(f.list[0].code, "5901");
	assert_int_equal(f.list[0].quantity, 4);
	stock_file_release(&f);
	assert_int_equal(read_file(&f, "ean,\"quantity\"x\n5901,4\n", &t), 1);
	assert_string_equal(t.lines, "1 ");
	stock_file_release(&f);
}

/* No line is lost in a column that is not read. */
static void a_line_ends_with_lf_cr_or_both(void **state)
{
	static const char *const files[] = {
		"ean,quantity,note\r5901,4,a\r5902,5,b\r",
		"ean,quantity,note\r\n5901,4,a\r\n5902,5,b\r\n",
		"ean,quantity,note\n5901,4,a\r5902,5,b",
		("\xef\xbb\xbf" "ean,quantity,note\n5901,4,a\r\n\r\n5902,5,b"),
		"5901,4\r5902,5",
	};
	struct stock_file f;
	struct told t;

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		assert_int_equal(read_file(&f, files[i], &t), 0);
		assert_int_equal(f.n, 2);
		assert_string_equal(f.list[1].code, "5902");
		assert_int_equal(f.list[1].quantity, 5);
		stock_file_release(&f);
	}
}

static void two_columns_of_one_name_are_a_mistake(void **state)
{
	struct stock_file f;
	struct told t;

	(void)state;
	assert_int_equal(read_file(&f, "ean,quantity,Quantity\n5901,4,5\n",
				   &t),
			 1);
	assert_string_equal(t.lines, "1 ");
	stock_file_release(&f);
}

/* A spreadsheet shows a long number so, and saves what it shows. */
static void a_rounded_number_is_no_ean(void **state)
{
	struct stock_file f;
	struct told t;

	(void)state;
	assert_int_equal(read_file(&f,
				   "ean;sku;quantity\n"
				   "5,90114E+12;;4\n" /* 2 */
				   "5.90e+12;;4\n" /* 3 */
				   ";5E+12;4\n"
				   "5E12;;4\n"
				   "5901144123590;;4\n",
				   &t),
			 2);
	assert_string_equal(t.lines, "2 3 ");
	stock_file_release(&f);
}

static void a_file_without_columns_or_counts_is_no_count(void **state)
{
	static const char *const bad[] = {"", "\n\n", "ean\n5901\n",
					  "a,b\n1,2\n", "ean,quantity\n"};
	struct stock_file f;
	struct told t;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(read_file(&f, bad[i], &t), 1);
		stock_file_release(&f);
	}
}

static void a_code_is_one_line_of_text(void **state)
{
	char longest[STOCK_CODE_MAX + 2];

	(void)state;
	memset(longest, 'x', sizeof(longest));
	longest[STOCK_CODE_MAX] = '\0';
	assert_true(stock_code_ok(longest));
	longest[STOCK_CODE_MAX] = 'x';
	longest[STOCK_CODE_MAX + 1] = '\0';
	assert_false(stock_code_ok(longest));
	assert_true(stock_code_ok("RTT/OWH S"));
	assert_false(stock_code_ok(""));
	assert_false(stock_code_ok("a\nb"));
	assert_false(stock_code_ok(" a"));
	assert_false(stock_code_ok("a\xff"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_newest_count_wins_whenever_it_comes),
		cmocka_unit_test(of_two_with_one_time_the_later_to_come_wins),
		cmocka_unit_test(
			a_count_of_more_than_a_week_ago_is_no_first_count),
		cmocka_unit_test(a_count_of_a_clock_that_ran_ahead_is_dated_now),
		cmocka_unit_test(a_repeated_count_changes_nothing),
		cmocka_unit_test(
			an_older_count_that_was_sent_does_not_end_a_newer_one),
		cmocka_unit_test(an_item_is_read_as_it_was_written),
		cmocka_unit_test(the_newest_entries_of_the_history_stay),
		cmocka_unit_test(a_refusal_is_known_by_its_words),
		cmocka_unit_test(a_movement_is_kept_by_ean_and_by_sku),
		cmocka_unit_test(hours_are_read_or_refused),
		cmocka_unit_test(hours_over_midnight_are_waited_for),
		cmocka_unit_test(a_file_is_read_however_it_is_separated),
		cmocka_unit_test(a_file_may_say_when_and_by_sku),
		cmocka_unit_test(each_bad_line_is_named),
		cmocka_unit_test(a_line_with_more_fields_than_columns_is_named),
		cmocka_unit_test(a_rounded_number_is_no_ean),
		cmocka_unit_test(a_quote_in_a_wrong_place_is_named),
		cmocka_unit_test(a_line_ends_with_lf_cr_or_both),
		cmocka_unit_test(two_columns_of_one_name_are_a_mistake),
		cmocka_unit_test(a_newer_count_by_another_code_supersedes),
		cmocka_unit_test(a_file_without_columns_or_counts_is_no_count),
		cmocka_unit_test(a_code_is_one_line_of_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
