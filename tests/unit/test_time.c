/* SPDX-License-Identifier: MIT
 *
 * test_time.c - times as text, Centra's dates, time zones.
 */
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <time.h>

#include "base/time.h"

/* cmocka has a fail() too: it comes after ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void iso_is(int64_t t, int offset, bool millis, const char *want)
{
	char got[TIME_ISO_SIZE];

	assert_string_equal(time_iso(got, t, offset, millis), want);
}

static void times_are_written_with_their_offset(void **state)
{
	(void)state;
	iso_is(0, 0, false, "1970-01-01T00:00:00Z");
	iso_is(1610464860000, 60, false, "2021-01-12T16:21:00+01:00");
	iso_is(1610464860007, 60, true, "2021-01-12T16:21:00.007+01:00");
	iso_is(1610464860000, -210, false, "2021-01-12T11:51:00-03:30");
	iso_is(-1, 0, true, "1969-12-31T23:59:59.999Z");
	iso_is(-1000, 0, true, "1969-12-31T23:59:59.000Z");
	iso_is(253402300799999, 0, true, "9999-12-31T23:59:59.999Z");
}

static void times_that_cannot_be_written_are_empty(void **state)
{
	(void)state;
	iso_is(TIME_NONE, 0, false, "");
	iso_is(TIME_NONE, 60, false, "");
	iso_is(INT64_MAX, 60, false, "");
	iso_is(253402300800000, 0, false, "");
}

static void reads(const char *s, int64_t want, int want_offset)
{
	int64_t t = 1;
	int offset = 1;

	assert_int_equal(time_parse_iso(s, &t, &offset), OK);
	assert_int_equal(t, want);
	assert_int_equal(offset, want_offset);
}

static void iso_times_are_read(void **state)
{
	(void)state;
	reads("1970-01-01T00:00:00Z", 0, 0);
	reads("2021-01-12T16:21:00+01:00", 1610464860000, 60);
	reads("2021-01-12T16:21:00+0100", 1610464860000, 60);
	reads("2021-01-12 11:51:00-03:30", 1610464860000, -210);
	reads("2021-01-12T15:21:00.007Z", 1610464860007, 0);
	reads("2021-01-12T15:21:00,9Z", 1610464860900, 0);
	reads("2021-01-12T15:21:00.123456789Z", 1610464860123, 0);
	reads("1969-12-31T23:59:59.999Z", -1, 0);
	reads("2024-02-29T00:00:00Z", 1709164800000, 0);
}

static void refuses(const char *s)
{
	int64_t t = 42;
	int offset = 42;

	assert_int_equal(time_parse_iso(s, &t, &offset), RC_INVALID);
	assert_int_equal(t, 42);
	assert_int_equal(offset, 42);
}

static void times_that_do_not_exist_are_refused(void **state)
{
	(void)state;
	refuses("2021-02-31T00:00:00Z");
	refuses("2021-02-29T00:00:00Z");
	refuses("2021-13-01T00:00:00Z");
	refuses("2021-00-01T00:00:00Z");
	refuses("2021-01-00T00:00:00Z");
	refuses("2021-01-01T24:00:00Z");
	refuses("2021-01-01T23:60:00Z");
	refuses("2021-01-01T23:59:60Z");
	refuses("2021-01-01T00:00:00+24:00");
	refuses("2021-01-01T00:00:00+01:60");
}

/* A day of the year is there, and is the second that timegm() knows, or it is
 * refused. */
static void read_as_timegm_does(int year, int month, int day)
{
	struct tm tm = {.tm_year = year - 1900,
			.tm_mon = month - 1,
			.tm_mday = day,
			.tm_hour = 23,
			.tm_min = 59,
			.tm_sec = 58};
	time_t want = timegm(&tm);
	char text[64];
	int64_t t;
	enum rc rc;

	snprintf(text, sizeof(text), "%04d-%02d-%02dT23:59:58Z", year, month,
		 day);
	rc = time_parse_iso(text, &t, NULL);
	assert_int_equal(rc, tm.tm_mday == day ? OK : RC_INVALID);
	if (!rc)
		assert_int_equal(t, (int64_t)want * 1000);
}

static void every_month_of_all_years_has_its_days(void **state)
{
	(void)state;
	for (int year = 0; year <= 9999; year++)
		for (int month = 1; month <= 12; month++) {
			read_as_timegm_does(year, month, 1);
			for (int day = 28; day <= 31; day++)
				read_as_timegm_does(year, month, day);
		}
}

static void what_is_no_iso_time_is_refused(void **state)
{
	(void)state;
	refuses("");
	refuses("2021-01-12T16:21:00");
	refuses("2021-01-12T16:21:00+01");
	refuses("2021-01-12T16:21:00+01:0");
	refuses("2021-01-12T16:21:00+01:000");
	refuses("2021-01-12T16:21:00Z ");
	refuses(" 2021-01-12T16:21:00Z");
	refuses("2021-1-12T16:21:00Z");
	refuses("2021-01-12T16:21Z");
	refuses("2021-01-12");
	refuses("2021-01-12T16:21:00.Z");
	refuses("2021-01-12T16:21:00 +01:00");
	refuses("-021-01-12T16:21:00Z");
	refuses("2021-01-12T16:21:00+-1:00");
}

static void what_is_written_is_read_again(void **state)
{
	char iso[TIME_ISO_SIZE];
	int64_t t;

	(void)state;
	for (t = -59999999999999; t < 249999999999999; t += 777777777777) {
		time_iso(iso, t, 90, true);
		reads(iso, t, 90);
	}
}

static void a_centra_date_is_padded_to_six_digits(void **state)
{
	char s[STAMP_SIZE];

	(void)state;
	assert_int_equal(stamp_parse(s, "2021-01-11 16:21:00"), OK);
	assert_string_equal(s, "2021-01-11 16:21:00.000000");
	assert_int_equal(stamp_parse(s, "2021-01-11 16:21:00.76"), OK);
	assert_string_equal(s, "2021-01-11 16:21:00.760000");
	assert_int_equal(stamp_parse(s, "2021-01-11 16:21:00.123456"), OK);
	assert_string_equal(s, "2021-01-11 16:21:00.123456");
}

static void padded_dates_sort_as_time_does(void **state)
{
	char a[STAMP_SIZE], b[STAMP_SIZE];

	(void)state;
	assert_int_equal(stamp_parse(a, "2021-01-11 16:21:00.9"), OK);
	assert_int_equal(stamp_parse(b, "2021-01-11 16:21:00.10"), OK);
	assert_true(strcmp(a, b) > 0);
}

static void what_is_no_centra_date_is_refused_and_nothing_written(void **state)
{
	static const char *const bad[] = {
		"",
		"2021-01-11",
		"2021-01-11T16:21:00",
		"2021-01-11 16:21:00.",
		"2021-01-11 16:21:00.1234567",
		"2021-01-11 16:21:00.12x",
		"2021-01-11 16:21:00Z",
		"2021-01-11 16:21:00 ",
		"2021-02-31 16:21:00",
		"2021-01-11 25:21:00",
		"2021-01-11  6:21:00",
	};
	char s[STAMP_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		strncpy(s, "kept", sizeof(s));
		assert_int_equal(stamp_parse(s, bad[i]), RC_INVALID);
		assert_string_equal(s, "kept");
	}
}

static void clocks_go_on(void **state)
{
	int64_t a = time_mono();

	(void)state;
	assert_true(time_mono() >= a);
	assert_true(time_now() > 1700000000000);
}

static struct zone *open_zone(const char *name)
{
	struct zone *z = NULL;
	struct err e;

	if (zone_open(&z, name, &e))
		fail_msg("%s", e.text);
	return z;
}

static bool repeats(const struct zone *z, const char *date)
{
	char s[STAMP_SIZE];

	assert_int_equal(stamp_parse(s, date), OK);
	return zone_repeats(z, s);
}

static void the_hour_that_autumn_repeats_is_known(void **state)
{
	struct zone *z = open_zone("Europe/Stockholm");

	(void)state;
	assert_false(repeats(z, "2021-10-31 01:59:59.999999"));
	assert_true(repeats(z, "2021-10-31 02:00:00"));
	assert_true(repeats(z, "2021-10-31 02:59:59.999999"));
	assert_false(repeats(z, "2021-10-31 03:00:00"));
	assert_false(repeats(z, "2021-10-30 02:30:00"));
	assert_false(repeats(z, "2021-03-28 02:30:00")); /* spring: none */
	assert_true(repeats(z, "2030-10-27 02:30:00"));
	assert_true(repeats(z, "2059-10-26 02:30:00"));
	zone_close(z);
}

static void a_summer_time_of_one_week_is_known(void **state)
{
	struct zone *z = open_zone("America/Recife");

	(void)state;
	assert_false(repeats(z, "2000-10-13 23:30:00"));
	assert_true(repeats(z, "2000-10-14 23:30:00"));
	zone_close(z);
}

static void zones_differ_in_when_they_repeat(void **state)
{
	struct zone *ny = open_zone("America/New_York");
	struct zone *howe = open_zone("Australia/Lord_Howe");
	struct zone *kolkata = open_zone("Asia/Kolkata");
	struct zone *utc = open_zone("UTC");
	const char oldest[STAMP_SIZE] = ""; /* older than any date */

	(void)state;
	assert_true(repeats(ny, "2021-11-07 01:30:00"));
	assert_false(repeats(ny, "2021-10-31 02:30:00"));
	assert_true(repeats(howe, "2021-04-04 01:30:00")); /* half an hour */
	assert_false(repeats(howe, "2021-04-04 01:29:59"));
	assert_false(repeats(kolkata, "2021-10-31 02:30:00"));
	assert_false(repeats(utc, "2021-10-31 02:30:00"));
	assert_false(zone_repeats(NULL, "2021-10-31 02:30:00.000000"));
	assert_false(zone_repeats(ny, oldest));
	zone_close(ny);
	zone_close(howe);
	zone_close(kolkata);
	zone_close(utc);
}

static void offsets_follow_the_season(void **state)
{
	struct zone *z = open_zone("Europe/Stockholm");

	(void)state;
	assert_int_equal(zone_offset(z, 1610464860000), 60);
	assert_int_equal(zone_offset(z, 1626000000000), 120);
	/* 2021-10-31 01:00 UTC is when summer time ends. */
	assert_int_equal(zone_offset(z, 1635641999999), 120);
	assert_int_equal(zone_offset(z, 1635642000000), 60);
	assert_int_equal(zone_offset(z, TIME_NONE), 60);
	assert_int_equal(zone_offset(NULL, 0), 0);
	zone_close(z);
	zone_close(NULL);
}

static void a_zone_that_does_not_exist_is_refused(void **state)
{
	static const char *const bad[] = {
		"Europe/Stokholm", "", "/etc/localtime", "../zoneinfo/UTC",
		"Europe",	   "CET-1CEST,M3.5.0,M10.5.0/3",
		"zone.tab",	   "tzdata.zi"};
	struct zone *z = NULL;
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(zone_open(&z, bad[i], &e), RC_INVALID);
	assert_null(z);
	assert_int_equal(zone_open(&z, "Europe/Stokholm", &e), RC_INVALID);
	assert_non_null(strstr(e.text, "'Europe/Stokholm'"));
}

static void opening_a_zone_leaves_ours_as_it_was(void **state)
{
	time_t t = 1626000000;
	struct tm tm;

	(void)state;
	setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	zone_close(open_zone("Europe/Stockholm"));
	assert_string_equal(getenv("TZ"), "Asia/Tokyo");
	localtime_r(&t, &tm);
	assert_int_equal(tm.tm_gmtoff, 9 * 3600);
	unsetenv("TZ");
	zone_close(open_zone("Europe/Stockholm"));
	assert_null(getenv("TZ"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_written_with_their_offset),
		cmocka_unit_test(times_that_cannot_be_written_are_empty),
		cmocka_unit_test(iso_times_are_read),
		cmocka_unit_test(times_that_do_not_exist_are_refused),
		cmocka_unit_test(every_month_of_all_years_has_its_days),
		cmocka_unit_test(what_is_no_iso_time_is_refused),
		cmocka_unit_test(what_is_written_is_read_again),
		cmocka_unit_test(a_centra_date_is_padded_to_six_digits),
		cmocka_unit_test(padded_dates_sort_as_time_does),
		cmocka_unit_test(
			what_is_no_centra_date_is_refused_and_nothing_written),
		cmocka_unit_test(clocks_go_on),
		cmocka_unit_test(the_hour_that_autumn_repeats_is_known),
		cmocka_unit_test(a_summer_time_of_one_week_is_known),
		cmocka_unit_test(zones_differ_in_when_they_repeat),
		cmocka_unit_test(offsets_follow_the_season),
		cmocka_unit_test(a_zone_that_does_not_exist_is_refused),
		cmocka_unit_test(opening_a_zone_leaves_ours_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
