/* SPDX-License-Identifier: MIT
 *
 * test_codec.c - the bytes of keys and values: what is written is read, what is
 * cut or strange is refused, and keys sort as their meaning does.
 */
#include "tests/unit/store_fixture.h"

#include "store/model/codec.h"
#include "store/lmdb/keys.h"
#include "store/model/record.h"

static void each_kind_of_field_is_read_as_written(void **state)
{
	char word[8], bytes[3];
	struct reader r, in;
	struct buf b;
	size_t len, block;
	char *text;

	(void)state;
	buf_init(&b, VALUE_MAX);
	put_u8(&b, 200);
	put_u32(&b, 0xdeadbeef);
	put_u64(&b, UINT64_MAX - 1);
	put_i64(&b, INT64_MIN);
	put_flag(&b, true);
	put_text(&b, "word");
	put_text(&b, NULL);
	put_text(&b, "");
	put_text_len(&b, "a\0b", 3);
	block = put_block(&b);
	put_u8(&b, 7);
	put_block_end(&b, block);
	put_bytes(&b, "xyz", 3);
	assert_false(buf_full(&b));

	reader_init(&r, b.data, b.len);
	assert_int_equal(get_u8(&r), 200);
	assert_int_equal(get_u32(&r), 0xdeadbeef);
	assert_true(get_u64(&r) == UINT64_MAX - 1);
	assert_true(get_i64(&r) == INT64_MIN);
	assert_true(get_flag(&r));
	get_word(&r, word, sizeof(word));
	assert_string_equal(word, "word");
	assert_null(get_text(&r, NULL));
	text = get_text(&r, NULL);
	assert_string_equal(text, "");
	free(text);
	text = get_text(&r, &len);
	assert_int_equal(len, 3);
	assert_memory_equal(text, "a\0b", 4);
	free(text);
	in = get_block(&r);
	assert_int_equal(get_u8(&in), 7);
	assert_int_equal(in.left, 0);
	get_bytes(&r, bytes, 3);
	assert_memory_equal(bytes, "xyz", 3);
	assert_int_equal(r.left, 0);
	assert_false(r.bad);
	buf_release(&b);
}

static void fields_that_an_older_value_lacks_are_zero(void **state)
{
	struct reader r;
	char word[4] = "abc";

	(void)state;
	reader_init(&r, "\x01", 1);
	assert_int_equal(get_u8(&r), 1);
	assert_int_equal(get_u64(&r), 0);
	assert_null(get_text(&r, NULL));
	get_word(&r, word, sizeof(word));
	assert_string_equal(word, "");
	assert_false(get_flag(&r));
	assert_int_equal(get_count(&r, 4, 10), 0);
	assert_false(r.bad);
}

static void what_cannot_be_is_bad_for_good(void **state)
{
	/* clang-format off */
	static const struct { const char *bytes; size_t n; char what; } cases[] = {
		{"\x00\x00", 2, '4'},             /* half a u32 */
		{"\x00\x00\x00\x05" "abc", 7, 't'}, /* a text cut short */
		{"\x00\x00\x00\x04" "a\0b", 7, 't'}, /* a NUL in a text */
		{"\xff\xff\xff\xff" "abc", 7, 't'},
		{"\x00\x00\x00\x05" "abcd", 8, 'w'}, /* too long for a word */
		{"\x02", 1, 'f'},                 /* a flag of 2 */
		{"\x00\x00\x00\x09" "abc", 7, 'b'}, /* a block cut short */
		{"\x00\x00\x00\x03" "abc", 7, 'c'}, /* 3 records in 3 bytes */
		{"\x00\x00\x00\x0b" /* 11 where 10 may be */
		 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz", 56, 'c'},
	};
	/* clang-format on */
	struct reader r;
	char word[4];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		reader_init(&r, cases[i].bytes, cases[i].n);
		switch (cases[i].what) {
		case '4':
			assert_int_equal(get_u32(&r), 0);
			break;
		case 't':
			assert_null(get_text(&r, NULL));
			break;
		case 'w':
			get_word(&r, word, sizeof(word));
			assert_string_equal(word, "");
			break;
		case 'f':
			assert_false(get_flag(&r));
			break;
		case 'b':
			assert_true(get_block(&r).bad);
			break;
		default:
			assert_int_equal(get_count(&r, 4, 10), 0);
		}
		assert_true(r.bad);
		assert_int_equal(get_u8(&r), 0);
		assert_true(r.bad);
	}
}

/* ---- keys ---- */

static int key_compare(const struct key *a, const struct key *b)
{
	size_t n = a->n < b->n ? a->n : b->n;
	int d = memcmp(a->b, b->b, n);

	return d ? d : (a->n > b->n) - (a->n < b->n);
}

static void keys_sort_as_their_numbers_do(void **state)
{
	static const int64_t sorted[] = {INT64_MIN, INT64_MIN + 1, -256, -1, 0,
					 1, 255, 256, 1LL << 40, INT64_MAX};
	struct key a, b;

	(void)state;
	for (size_t i = 1; i < sizeof(sorted) / sizeof(*sorted); i++) {
		key_i64(key_start(&a), sorted[i - 1]);
		key_i64(key_start(&b), sorted[i]);
		assert_true(key_compare(&a, &b) < 0);
	}
	key_str(key_start(&a), "se");
	key_str(key_start(&b), "se2");
	assert_true(key_compare(&a, &b) < 0);
}

static void a_key_is_read_as_it_was_built(void **state)
{
	struct key_reader r;
	struct key k;
	char name[8];

	(void)state;
	key_i64(key_u8(key_str(key_start(&k), "se"), 2), -5);
	key_u64(&k, 77);
	r = key_read(k.b, k.n);
	key_get_str(&r, name, sizeof(name));
	assert_string_equal(name, "se");
	assert_int_equal(key_get_u8(&r), 2);
	assert_int_equal(key_get_i64(&r), -5);
	assert_int_equal(key_get_u64(&r), 77);
	assert_false(r.bad);
	assert_int_equal(key_get_u8(&r), 0);
	assert_true(r.bad);

	r = key_read("longername", 11);
	key_get_str(&r, name, sizeof(name));
	assert_true(r.bad);
	assert_string_equal(name, "");
	r = key_read("open", 4);
	key_get_str(&r, name, sizeof(name));
	assert_true(r.bad);
}

/* ---- records ---- */

static void full_order(struct order *o)
{
	struct change c = {0};

	order_init(o, "se", 19);
	o->cancelled = true;
	o->fetched_at = 123;
	snprintf(o->status, sizeof(o->status), "CONFIRMED");
	snprintf(o->hold_reason, sizeof(o->hold_reason), "WAITING");
	o->on_hold = o->has_details = o->has_address = o->fetch_due = true;
	o->version = 9;
	o->first_seen = 5;
	o->updated = 6;
	for (int w = 3; w <= 4; w++) {
		c = (struct change){.kind = CHANGE_OPENING, .warehouse = w};
		c.opening = (struct opening){1000 * w, -90, "2021-01-01",
						  KIND_CHECK_FIRST};
		order_apply(o, &c);
		c.opening = (struct opening){TIME_NONE, 60, "2021-01-02",
						  KIND_ALLOCATION_REQUEST};
		order_apply(o, &c);
		c = (struct change){.kind = CHANGE_MARK, .warehouse = w,
				    .mark.what = MARK_TIMED_OUT,
				    .mark.date = "2021-01-03"};
		order_apply(o, &c);
	}
	c = (struct change){.kind = CHANGE_REQUEST, .warehouse = 4};
	c.request = (struct alloc_request){
		.id = 1141,
		.status = REQUEST_TIMED_OUT,
		.expires = 4000,
		.at = 84,
		.lines = xcalloc(2, sizeof(struct request_line)),
		.n_lines = 2,
	};
	c.request.lines[0] = (struct request_line){102, 1};
	c.request.lines[1] = (struct request_line){103, 2};
	order_apply(o, &c);
	change_release(&c);
	c = (struct change){.kind = CHANGE_ANSWER, .warehouse = 4};
	c.answer = (struct answer){
		.verb = VERB_REJECT,
		.opened = "2021-01-02",
		.at = 77,
		.device = 8,
		.reason = xstrdup("broken"),
		.note = xstrdup(""),
	};
	order_apply(o, &c);
	change_release(&c);
	o->offers[1].answer.settled = SETTLED_NO;
	o->offers[1].answer.settled_version = 8;
	o->offers[1].answer.refusal = xstrdup("zu sp\xc3\xa4t");
	o->offers[1].answer.tries = 3;
	o->offers[1].answer.late_tries = 1;
	o->offers[1].answer.try_begun = 78;
	o->offers[1].answer.unknown = o->offers[1].answer.was_ok = true;
	o->offers[1].finding =
		(struct finding){FOUND_NOT_OURS, STATE_TAKEN, 7, 76};
	o->offers[1].state = STATE_REFUSED;
	o->offers[1].list = LIST_DONE;
	o->offers[1].expires = 4000;
	o->offers[1].shipped = true;
	o->offers[1].requests[0].sent = true;
	o->offers[1].doubt = true;
	o->offers[1].sighting = (struct sighting){
		.what = FOUND_OVER,
		.ended = STATE_TIMED_OUT,
		.sure = 2,
		.opened = "2021-01-04",
		.knew = 5,
		.at = 81,
		.steady = 82,
		.boot = 83,
		.blank = true,
		.blank_knew = 6,
	};
	o->offers[1].problem = (struct problem){
		.at = 79,
		.device = 3,
		.reason = xstrdup("lost"),
		.by = xstrdup("Anna"),
		.solved_at = 80,
		.solved_device = 4,
		.solved_by = xstrdup("Ben"),
	};
}

static void an_order_is_read_as_written(void **state)
{
	struct order o, back;
	struct buf b, again;

	(void)state;
	full_order(&o);
	buf_init(&b, VALUE_MAX);
	encode_order(&b, &o);
	assert_ok(get_order(&back, "se", 19, b.data, b.len, &err));
	assert_int_equal(back.n_offers, 2);
	assert_string_equal(back.status, "CONFIRMED");
	assert_int_equal(back.offers[0].n_openings, 2);
	assert_int_equal(back.offers[0].openings[0].offset_min, -90);
	assert_true(back.offers[0].openings[1].expires == TIME_NONE);
	assert_string_equal(back.offers[1].marks[MARK_TIMED_OUT],
			    "2021-01-03");
	assert_string_equal(back.offers[1].answer.refusal, "zu sp\xc3\xa4t");
	assert_string_equal(back.offers[1].answer.note, "");
	assert_int_equal(back.offers[1].answer.settled, SETTLED_NO);
	assert_true(back.offers[1].answer.was_ok);
	assert_int_equal(back.offers[1].finding.ended, STATE_TAKEN);
	assert_true(back.offers[1].shipped);
	assert_true(back.offers[1].doubt);
	assert_int_equal(back.offers[1].sighting.what, FOUND_OVER);
	assert_int_equal(back.offers[1].sighting.ended, STATE_TIMED_OUT);
	assert_int_equal(back.offers[1].sighting.sure, 2);
	assert_string_equal(back.offers[1].sighting.opened, "2021-01-04");
	assert_int_equal(back.offers[1].sighting.steady, 82);
	assert_true(back.offers[1].sighting.blank);
	assert_int_equal(back.offers[1].sighting.blank_knew, 6);
	assert_string_equal(back.offers[1].problem.by, "Anna");
	assert_true(back.offers[1].problem.solved_at == 80 &&
		    back.offers[1].problem.solved_device == 4);
	assert_string_equal(back.offers[1].problem.solved_by, "Ben");
	assert_int_equal(back.offers[0].openings[0].kind, KIND_CHECK_FIRST);
	assert_int_equal(back.offers[0].openings[1].kind,
			 KIND_ALLOCATION_REQUEST);
	assert_int_equal(back.offers[1].n_requests, 1);
	assert_int_equal(back.offers[1].requests[0].status, REQUEST_TIMED_OUT);
	assert_int_equal(back.offers[1].requests[0].lines[1].line, 103);
	assert_true(back.offers[1].requests[0].sent);
	assert_int_equal(back.version, 9);

	/* Every field took part: the bytes are the same again. */
	buf_init(&again, VALUE_MAX);
	encode_order(&again, &back);
	assert_int_equal(b.len, again.len);
	assert_memory_equal(b.data, again.data, b.len);
	buf_release(&b);
	buf_release(&again);
	order_release(&o);
	order_release(&back);
}

/* Each cut and each changed byte reads as something or is refused, and nothing
 * is read past the end (the sanitizers watch a copy of the exact size). */
static void a_damaged_order_is_refused_or_read_but_never_overrun(void **state)
{
	struct order o, back;
	size_t refused = 0;
	struct buf b;
	char *copy;

	(void)state;
	full_order(&o);
	buf_init(&b, VALUE_MAX);
	encode_order(&b, &o);
	order_release(&o);
	for (size_t len = 0; len < b.len; len++) {
		copy = malloc(len ? len : 1);
		assert_non_null(copy);
		memcpy(copy, b.data, len);
		if (get_order(&back, "se", 19, copy, len, NULL))
			refused++;
		else
			order_release(&back);
		free(copy);
	}
	assert_true(refused > b.len / 2);
	for (size_t i = 0; i < b.len; i++) {
		for (int bit = 0; bit < 8; bit++) {
			b.data[i] = (char)(b.data[i] ^ 1 << bit);
			if (!get_order(&back, "se", 19, b.data, b.len, NULL))
				order_release(&back);
			b.data[i] = (char)(b.data[i] ^ 1 << bit);
		}
	}
	assert_ok(get_order(&back, "se", 19, b.data, b.len, &err));
	order_release(&back);
	buf_release(&b);
}

static void the_other_records_are_read_as_written(void **state)
{
	struct event ev = event_of(19, "{\"x\":1}", "check_first"), ev2;
	struct task t = {.kind = "check_first", .instance = "se", .number = 19,
			 .sub = 4, .created = 1, .due = 2, .attempts = 3,
			 .dead = true, .asked = 5, .again = TIME_NONE,
			 .why = 77}, t2;
	struct entry n = {.at = 1, .warehouse = 2, .device = 3,
			  .fact = FACT_REPLY, .result = "no", .text = "said",
			  .status = 200, .n = -4}, n2;
	struct device d = {.shop = "ams", .name = "till", .created = 4,
			   .removed = true}, d2;
	struct quarantined q = {.reason = "not JSON", .len = 3}, q2;
	char bytes[] = "a\0b", header[] = "t=1";
	struct entries in;
	struct buf b;

	(void)state;
	buf_init(&b, VALUE_MAX);
	encode_event(&b, &ev, "se", 7);
	assert_ok(get_event(&ev2, 5, b.data, b.len, &err));
	assert_string_equal(ev2.instance, "se");
	assert_int_equal(ev2.received, 7);
	assert_int_equal(ev2.id, 19);
	assert_string_equal(ev2.data, "{\"x\":1}");
	assert_string_equal(ev2.date, ev.date);
	assert_memory_equal(ev2.digest, ev.digest, sizeof(ev.digest));
	event_release(&ev);
	event_release(&ev2);
	assert_int_equal(get_event(&ev2, 5, "\x02", 1, NULL), RC_INVALID);

	buf_clear(&b);
	encode_task(&b, &t);
	assert_ok(get_task(&t2, 6, b.data, b.len, &err));
	assert_memory_equal(t2.kind, t.kind, sizeof(t.kind));
	assert_true(t2.id == 6 && t2.number == 19 && t2.sub == 4 && t2.dead &&
		    t2.due == 2 && t2.attempts == 3 && t2.asked == 5 &&
		    t2.again == TIME_NONE && !t2.reason && t2.why == 77);
	/* As it was kept before its reason had a number. */
	assert_ok(get_task(&t2, 6, b.data, b.len - 4, &err));
	assert_true(t2.number == 19 && !t2.why);

	buf_clear(&b);
	encode_entry(&b, &n);
	entries_init(&in, 9, b.data, b.len);
	assert_ok(get_entry(&n2, &in, &err));
	assert_int_equal(n2.fact, FACT_REPLY);
	assert_string_equal(n2.result, "no");
	assert_string_equal(n2.text, "said");
	assert_null(n2.from);
	assert_true(n2.seq == 9 && n2.at == 1 && n2.warehouse == 2 &&
		    n2.device == 3 && n2.status == 200 && n2.n == -4 &&
		    !n2.latency_ms);
	entry_release(&n2);

	buf_clear(&b);
	encode_device(&b, &d);
	assert_ok(get_device(&d2, 2, b.data, b.len, &err));
	assert_string_equal(d2.shop, "ams");
	assert_string_equal(d2.name, "till");
	assert_true(d2.id == 2 && d2.created == 4 && d2.removed);

	buf_clear(&b);
	q.bytes = bytes;
	q.header = header;
	encode_quarantined(&b, &q, "se", 8);
	assert_ok(get_quarantined(&q2, 3, b.data, b.len, &err));
	assert_int_equal(q2.len, 3);
	assert_memory_equal(q2.bytes, "a\0b", 3);
	assert_string_equal(q2.header, "t=1");
	assert_string_equal(q2.reason, "not JSON");
	assert_int_equal(q2.received, 8);
	quarantined_release(&q2);
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_of_field_is_read_as_written),
		cmocka_unit_test(fields_that_an_older_value_lacks_are_zero),
		cmocka_unit_test(what_cannot_be_is_bad_for_good),
		cmocka_unit_test(keys_sort_as_their_numbers_do),
		cmocka_unit_test(a_key_is_read_as_it_was_built),
		cmocka_unit_test(an_order_is_read_as_written),
		cmocka_unit_test(
			a_damaged_order_is_refused_or_read_but_never_overrun),
		cmocka_unit_test(the_other_records_are_read_as_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
