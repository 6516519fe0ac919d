/* SPDX-License-Identifier: MIT
 *
 * test_send_queue.c - small parts of the screens' server: the queue of a stream,
 * "since", names, origins, the QR code.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "server/access/auth.h"
#include "server/http/send_queue.h"
#include "server/cli/qr.h"
#include "base/since.h"
#include "server/config/staff_names.h"

#include <cmocka.h> /* last: it has a macro called fail */

static struct chunk *chunk_of(const char *text, size_t times)
{
	struct buf b;

	buf_init(&b, 4 << 20);
	for (size_t i = 0; i < times; i++)
		buf_str(&b, text);
	return chunk_make(&b);
}

/* ---- feeds ---- */

static void what_is_added_comes_out_whole_and_in_order(void **state)
{
	struct chunk *a = chunk_of("abc", 1), *b = chunk_of("defgh", 1);
	struct send_queue f = {0};
	char out[8];

	(void)state;
	assert_true(send_queue_add(&f, a));
	assert_true(send_queue_add(&f, b));
	assert_true(send_queue_add(&f, a));
	chunk_drop(a);
	chunk_drop(b);
	assert_int_equal(send_queue_take(&f, out, 4), 4);
	assert_memory_equal(out, "abcd", 4);
	assert_int_equal(send_queue_take(&f, out, 8), 7);
	assert_memory_equal(out, "efghabc", 7);
	assert_int_equal(send_queue_take(&f, out, 8), 0);
	assert_int_equal(f.bytes, 0);
	send_queue_release(&f);
}

static void a_queue_has_room_for_so_many_and_no_more(void **state)
{
	struct chunk *c = chunk_of("x", 1);
	struct send_queue f = {0};
	char out[4];

	(void)state;
	for (int i = 0; i < SEND_QUEUE_CHUNKS; i++)
		assert_true(send_queue_add(&f, c));
	assert_false(send_queue_add(&f, c));
	assert_int_equal(send_queue_take(&f, out, 1), 1);
	assert_true(send_queue_add(&f, c));
	assert_int_equal(c->holders, SEND_QUEUE_CHUNKS + 1);
	send_queue_release(&f);
	assert_int_equal(c->holders, 1);
	chunk_drop(c);
}

static void one_large_piece_is_sent_but_not_two(void **state)
{
	struct chunk *c = chunk_of("0123456789abcdef", 80000);
	struct send_queue f = {0};

	(void)state;
	assert_true(c->len > SEND_QUEUE_BYTES);
	assert_true(send_queue_add(&f, c));
	assert_false(send_queue_add(&f, c));
	send_queue_release(&f);
	chunk_drop(c);
}

/* ---- since ---- */

static int64_t at(const char *iso)
{
	int64_t t = 0;
	int offset;

	assert_int_equal(time_parse_iso(iso, &t, &offset), OK);
	return t;
}

static void since_reads_spans_and_times(void **state)
{
	int64_t t, now = at("2026-06-15T12:00:00Z");

	(void)state;
	assert_true(since_read("24h", NULL, now, &t));
	assert_int_equal(t, at("2026-06-14T12:00:00Z"));
	assert_true(since_read("7d", NULL, now, &t));
	assert_int_equal(t, at("2026-06-08T12:00:00Z"));
	assert_true(since_read("90m", NULL, now, &t));
	assert_int_equal(t, at("2026-06-15T10:30:00Z"));
	assert_true(since_read("2026-06-01T00:00:00+02:00", NULL, now, &t));
	assert_int_equal(t, at("2026-05-31T22:00:00Z"));
	assert_true(since_read("today", NULL, now, &t));
	assert_int_equal(t, at("2026-06-15T00:00:00Z"));
	static const char *const wrong[] = {"",	   "7",	  "d",	"7w",
					    "-7d", "7dd", "yesterday",
					    "99999999d", "3651d"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(since_read(wrong[i], NULL, now, &t));
}

static void today_begins_where_the_shop_is(void **state)
{
	static const struct {
		const char *now, *midnight;
	} of[] = {
		{"2026-06-15T12:00:00Z", "2026-06-15T00:00:00+02:00"},
		{"2026-06-15T22:30:00Z", "2026-06-16T00:00:00+02:00"},
		{"2026-01-15T23:30:00Z", "2026-01-16T00:00:00+01:00"},
		/* Clocks went forward, and back, in the night. */
		{"2026-03-29T12:00:00Z", "2026-03-29T00:00:00+01:00"},
		{"2026-10-25T12:00:00Z", "2026-10-25T00:00:00+02:00"},
	};
	struct zone *z;
	struct err e;
	int64_t t;

	(void)state;
	assert_int_equal(zone_open(&z, "Europe/Stockholm", &e), OK);
	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		assert_true(since_read("today", z, at(of[i].now), &t));
		assert_int_equal(t, at(of[i].midnight));
	}
	zone_close(z);
}

static void a_day_ends_at_the_next_midnight_also_when_clocks_change(
	void **state)
{
	static const struct {
		const char *now, *ends;
	} of[] = {
		{"2026-06-15T12:00:00Z", "2026-06-16T00:00:00+02:00"},
		{"2026-06-15T22:00:00Z", "2026-06-17T00:00:00+02:00"},
		{"2026-03-29T12:00:00Z", "2026-03-30T00:00:00+02:00"},
		{"2026-03-28T23:00:00Z", "2026-03-30T00:00:00+02:00"},
		{"2026-10-25T12:00:00Z", "2026-10-26T00:00:00+01:00"},
		{"2026-10-24T22:00:00Z", "2026-10-26T00:00:00+01:00"},
	};
	int64_t begins, ends, today;
	struct zone *z;
	struct err e;

	(void)state;
	assert_int_equal(zone_open(&z, "Europe/Stockholm", &e), OK);
	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		since_day(z, at(of[i].now), &begins, &ends);
		assert_int_equal(ends, at(of[i].ends));
		assert_true(since_read("today", z, at(of[i].now), &today));
		assert_int_equal(begins, today);
	}
	zone_close(z);
	since_day(NULL, at("2026-06-15T12:00:00Z"), &begins, &ends);
	assert_int_equal(ends, at("2026-06-16T00:00:00Z"));
}

/* ---- names, origins ---- */

static void staff_are_whole_names(void **state)
{
	const char *list = " Anna,Ben Åberg ,, Carl", *name;
	size_t len;

	(void)state;
	assert_true(staff_has(list, "Anna"));
	assert_true(staff_has(list, "Ben Åberg"));
	assert_true(staff_has(list, "Carl"));
	assert_false(staff_has(list, "Ann"));
	assert_false(staff_has(list, "Ben"));
	assert_false(staff_has(list, ""));
	assert_false(staff_has(list, "Anna,Ben Åberg"));
	name = staff_next(&list, &len);
	assert_true(len == 4 && !memcmp(name, "Anna", 4));
	list = " , ";
	assert_null(staff_next(&list, &len));
}

static void origins_are_equal_however_they_are_written(void **state)
{
	static const struct {
		const char *url, *origin;
	} of[] = {
		{"https://Ship.Example.com", "https://ship.example.com"},
		{"https://ship.example.com:443/", "https://ship.example.com"},
		{"http://ship.example.com:80", "http://ship.example.com"},
		{"http://ship.example.com:8080", "http://ship.example.com:8080"},
		{"https://ship.example.com:80", "https://ship.example.com:80"},
		{"http://[::1]:8080", "http://[::1]:8080"},
	};
	static const char *const none[] = {"null", "", "ship.example.com",
					   "ftp://ship.example.com"};
	char ret[ORIGIN_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		assert_true(origin_of(ret, of[i].url));
		assert_string_equal(ret, of[i].origin);
	}
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_false(origin_of(ret, none[i]));
}

/* ---- the QR code ---- */

static void a_link_becomes_a_square_with_a_margin(void **state)
{
	size_t lines = 0, widest = 0, blocks;
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 18);
	assert_int_equal(qr_draw(&b, "https://ship.example.com/login#"
				     "3q2-7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
			 OK);
	for (const char *line = b.data; *line; line = strchr(line, '\n') + 1) {
		blocks = 0;
		for (const char *p = strchr(line, 'm') + 1; *p != '\033'; p++)
			blocks += (*p & 0xc0) != 0x80;
		if (blocks > widest)
			widest = blocks;
		lines++;
	}
	/* Two modules high is one line; 33 modules and 4 on each side. */
	assert_int_equal(widest, 41);
	assert_int_equal(lines, 21);
	buf_release(&b);
}

static void what_no_code_can_hold_is_refused(void **state)
{
	static char text[4000];
	struct buf b;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	buf_init(&b, 1 << 18);
	assert_int_equal(qr_draw(&b, text), RC_INVALID);
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_added_comes_out_whole_and_in_order),
		cmocka_unit_test(a_queue_has_room_for_so_many_and_no_more),
		cmocka_unit_test(one_large_piece_is_sent_but_not_two),
		cmocka_unit_test(since_reads_spans_and_times),
		cmocka_unit_test(today_begins_where_the_shop_is),
		cmocka_unit_test(
			a_day_ends_at_the_next_midnight_also_when_clocks_change),
		cmocka_unit_test(staff_are_whole_names),
		cmocka_unit_test(origins_are_equal_however_they_are_written),
		cmocka_unit_test(a_link_becomes_a_square_with_a_margin),
		cmocka_unit_test(what_no_code_can_hold_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
