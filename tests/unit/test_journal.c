/* SPDX-License-Identifier: MIT
 *
 * Entries of the journal: their English words, who may see them, and those that
 * a store of schema 1 kept as English.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "store/model/codec.h"
#include "store/model/record.h"
#include "store/model/journal.h"

#include <cmocka.h>

static const int64_t ours[] = {3, 7};

static char *words_of(const struct entry *e, enum audience a, const char *shop)
{
	static char ret[4000];
	struct buf b;

	buf_init(&b, sizeof(ret) - 1);
	entry_words(&b, e, a, shop);
	snprintf(ret, sizeof(ret), "%s", b.data ? b.data : "");
	buf_release(&b);
	return ret;
}

#define WORDS_ARE(audience, shop, words, ...) \
	assert_string_equal(words_of(&(struct entry){__VA_ARGS__}, audience, \
				     shop), words)

static void an_entry_has_english_words(void **state)
{
	(void)state;
	WORDS_ARE(OFFICE, "Ams", "Centra offered it to warehouse 3 (Ams) until "
		  "2021-01-12T16:21:00+01:00 (dated 2021, received "
		  "1970-01-01T00:00:01.000Z)",
		  .fact = FACT_OFFERED, .warehouse = 3, .result = "until",
		  .until = 1610464860000, .offset_min = 60, .date = "2021",
		  .received = 1000);
	WORDS_ARE(OFFICE, NULL, "asking Centra to capture the "
		  "payment, try 2",
		  .fact = FACT_STEP, .warehouse = 3, .result = "capture",
		  .n = 2);
	WORDS_ARE(SHOP, NULL, "Centra did make the shipment: 7-1, but says: "
		  "slow (12 ms)",
		  .fact = FACT_STEP_DONE, .warehouse = 3, .result = "create",
		  .shipment = "7-1", .text = "slow", .latency_ms = 12);
	WORDS_ARE(OFFICE, NULL, "Centra did not act (5 ms)",
		  .fact = FACT_NO_REPLY, .warehouse = 3, .result = "not_done",
		  .latency_ms = 5);
	WORDS_ARE(OFFICE, NULL, "pending -> accepted",
		  .fact = FACT_STATE, .warehouse = 3, .from = "pending",
		  .to = "accepted");
	WORDS_ARE(SHOP, NULL, "another shop took it", .fact = FACT_STATE,
		  .warehouse = 3, .from = "pending", .to = "taken");
	WORDS_ARE(OFFICE, NULL, "check_first was given up: hopeless",
		  .fact = FACT_GIVEN_UP, .result = "check_first",
		  .text = "hopeless");
}

static void words_may_name_the_warehouse(void **state)
{
	(void)state;
	assert_true(entry_names_warehouse(
		&(struct entry){.fact = FACT_OFFERED, .warehouse = 3}));
	assert_false(entry_names_warehouse(
		&(struct entry){.fact = FACT_TRY, .warehouse = 3}));
	assert_true(entry_names_warehouse(&(struct entry){
		.fact = FACT_TEXT, .text = "ours is warehouse 3"}));
}

static void each_fact_has_a_name_of_its_own_and_words(void **state)
{
	(void)state;
	for (int i = 0; i < FACTS; i++) {
		const struct entry e = {.fact = (enum fact)i,
					.warehouse = 3,
					.to = "pending",
					.text = "x"};

		assert_int_equal(fact_of(fact_name((enum fact)i)), i);
		assert_true(*words_of(&e, OFFICE, NULL));
		assert_true(*words_of(&e, SHOP, NULL));
		assert_null(strpbrk(words_of(&e, OFFICE, NULL), "{}[]"));
	}
	assert_int_equal(fact_of("no such"), FACTS);
}

static void a_shop_sees_what_is_of_its_warehouses_or_of_the_order(void **state)
{
	(void)state;
	for (int i = 0; i < FACTS; i++) {
		struct entry e = {.fact = (enum fact)i, .text = "x"};

		assert_true(entry_visible(&e, ours, 2));
		e.warehouse = 7;
		assert_true(entry_visible(&e, ours, 2));
		e.warehouse = 4;
		assert_false(entry_visible(&e, ours, 2));
		assert_false(entry_visible(&e, ours, 0));
	}
}

static void a_copy_owns_its_words_and_cuts_them(void **state)
{
	char text[3000];
	struct entry e = {.fact = FACT_REPLY, .result = "no", .text = text};
	struct entry copy;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	copy = entry_copy(&e);
	memset(text, 'y', sizeof(text) - 1);
	assert_int_equal(strlen(copy.text), 2000);
	assert_int_equal(copy.text[1999], 'x');
	assert_string_equal(copy.result, "no");
	assert_null(copy.by);
	entry_release(&copy);
	entry_release(&copy); /* fine */
}

/* ---- of schema 1 ---- */

/* As schema 1 wrote a line: at, warehouse, device, what, text. */
static struct entry old(int64_t warehouse, uint64_t device, const char *what,
			const char *text)
{
	struct entries in;
	struct entry ret;
	struct err e;
	struct buf b;

	buf_init(&b, VALUE_MAX);
	put_u8(&b, 1);
	put_i64(&b, 1000);
	put_i64(&b, warehouse);
	put_u64(&b, device);
	put_text(&b, what);
	put_text(&b, text);
	entries_init(&in, 5, b.data, b.len);
	assert_int_equal(get_entry(&ret, &in, &e), OK);
	assert_true(ret.seq == 5 && ret.at == 1000 &&
		    ret.warehouse == warehouse && ret.device == device);
	buf_release(&b);
	return ret;
}

/* Every sentence that schema 1 had; the shop of warehouse 3 saw those with
 * `sees`, which is what it read. */
static const struct {
	int64_t warehouse;
	const char *what, *text, *sees;
} sentences[] = {
#define SAME(w, what, text) {w, what, text, text}
	SAME(3, "event", "Centra offered it to warehouse 3 until 2021-01-12T16:21:00+01:00 (check_first create, dated 2021-01-12 15:51:00.552000, received 2026-01-12T10:00:00.000Z)"),
	SAME(3, "event", "Centra offered it to warehouse 3 without a deadline (check_first create, dated 2021, received 2026)"),
	{4, "event", "Centra offered it to warehouse 4 without a deadline (check_first create, dated 2021, received 2026)", NULL},
	SAME(3, "event", "Centra says warehouse 3 accepted it (check_first accepted, dated 2021, received 2026)"),
	{4, "event", "Centra says warehouse 4 accepted it (check_first accepted, dated 2021, received 2026)", NULL},
	SAME(3, "event", "Centra says warehouse 3 is out: timed out (check_first timeout, dated 2021, received 2026)"),
	SAME(0, "event", "Centra sent an event that is not known here (check_first odd, dated 2021, received 2026)"),
	SAME(0, "event", "Centra says the order was placed (order insert, dated 2021, received 2026)"),
	SAME(0, "event", "Centra says the order is cancelled (order cancel, dated 2021, received 2026)"),
	SAME(3, "look", "a look: Centra has allocated every line to warehouse 3; it is no longer in doubt"),
	SAME(3, "look", "a look: not for warehouse 3 (taken)"),
	SAME(3, "look", "a look: the order still waits for check-first and nothing of it is allocated to warehouse 3"),
	SAME(3, "look", "a look does not show that the order is warehouse 3's, as Centra said: it stays accepted, in doubt, until a look shows whose it is"),
	SAME(3, "look", "two looks: the order waits for nobody and is not on hold; that ends the offer to warehouse 3"),
	SAME(3, "look", "Centra hides the sizes, without which a gift card cannot be told from goods: see the permission ProductSize:read"),
	SAME(0, "look", "fetched from Centra: status CONFIRMED, on hold: WAITING"),
	SAME(0, "look", "a look: Centra has cancelled the order"),
	{0, "look", "could not look at the order: no route to 10.0.0.1", "could not look at the order"},
	SAME(0, "look", "Centra did not show all of the order: not what decides"),
	SAME(3, "look", "a look: Centra has the shipment: 7-1"),
	SAME(3, "look", "a look: the payment is captured"),
	SAME(3, "look", "Centra no longer shows shipment 7-1"),
	SAME(3, "answer", "the offer to warehouse 3 expired before Centra could be told"),
	SAME(3, "answer", "the answer was to an older offer to warehouse 3 than the present one"),
	SAME(3, "answer", "settled by what Centra says of the order: warehouse 3 is taken"),
	SAME(3, "answer", "accepted by Till 1"),
	SAME(3, "answer", "rejected by Till 1: out_of_stock"),
	{4, "answer", "rejected by Till 9: out_of_stock", NULL},
	SAME(3, "call", "Centra said no to warehouse 3 (12 ms): gone"),
	{3, "call", "Centra said no to warehouse 3 (12 ms): warehouse 4 has it", NULL},
	SAME(3, "call", "Centra said ok to warehouse 3 (12 ms)"),
	{3, "call", "Centra may have acted, or not (HTTP 504, 23 ms): at 10.0.0.1", "Centra may have acted, or not"},
	{3, "call", "Centra did not act (HTTP 0, 1 ms): refused", "Centra did not act"},
	SAME(3, "call", "telling Centra yes, try 1"),
	SAME(3, "call", "a try was cut off by a restart: Centra may have acted, or not"),
	SAME(3, "call", "a call was cut off by a restart: Centra may have acted, or not"),
	SAME(3, "call", "asking Centra to capture the payment, try 2"),
	SAME(3, "call", "Centra did not capture the payment: no money"),
	SAME(3, "call", "Centra did make the shipment: 7-1, but says: slow (9 ms)"),
	SAME(3, "ship", "not paid, do not hand over: no money"),
	SAME(3, "ship", "not shipped: on hold"),
	SAME(3, "ship", "the payment is being confirmed"),
	SAME(3, "ship", "shipped: 7-1; the rest remains to be shipped"),
	SAME(3, "ship", "to be shipped, says Ann on Till 1: PostNord, tracking 1, 1 package"),
	{4, "ship", "to be shipped, says Bo on Till 9: PostNord, 1 package", NULL},
	SAME(3, "ship", "recorded as shipped; Centra is not told (ship_with = none)"),
	SAME(3, "ship", "a look: nothing is left to be shipped"),
	SAME(3, "problem", "cannot be shipped after all, says Ann: damaged"),
	SAME(3, "problem", "for the office: 2 more of this order may be this shop's to ship, or may not"),
	SAME(3, "solved", "the problem is solved, says Ann"),
	SAME(3, "stopped", "shipping stopped, says Ann"),
	SAME(0, "missed", "missed webhook (create): found by the sweep, since it waits for check-first in Centra and no offer of it is open here"),
	SAME(0, "missed", "put before 2 warehouses without a deadline (recover = offer)"),
	SAME(0, "store", "Centra's data is too large to keep"),
	SAME(0, "retention", "the address was removed: it was kept long enough"),
	SAME(0, "task", "check_first was given up: hopeless"),
	{0, "task", "answer_offer was given up: the answer of warehouse '4' is another by now", NULL},
	SAME(0, "task", "answer_offer is tried once more"),
	SAME(0, "task", "event 7 is applied once more"),
	{3, "state", "pending", "offered to this shop"},
	{3, "state", "pending -> taken", "another shop took it"},
	{4, "state", "pending -> accepted", NULL},
	{0, "look", "allocated to warehouses 3 and 5", NULL},
	{3, "look", "allocated to warehouse 55", NULL},
	SAME(3, "event", ""),
#undef SAME
};

static void an_old_entry_shows_a_shop_what_it_showed_before(void **state)
{
	const int64_t only[] = {3};

	(void)state;
	for (size_t i = 0; i < sizeof(sentences) / sizeof(*sentences); i++) {
		struct entry e = old(sentences[i].warehouse,
				     !strcmp(sentences[i].what, "answer"),
				     sentences[i].what, sentences[i].text);
		bool sees = entry_visible(&e, only, 1);

		if (sees != (sentences[i].sees != NULL))
			fail_msg("%s: %d", sentences[i].text, sees);
		if (sees) {
			entry_for_shop(&e, only, 1);
			assert_string_equal(words_of(&e, SHOP, NULL),
					    *sentences[i].sees
						    ? sentences[i].sees
						    : sentences[i].what);
		}
		entry_release(&e);
	}
}

static void an_old_entry_keeps_its_words_for_operators(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(sentences) / sizeof(*sentences); i++) {
		struct entry e = old(0, 1, sentences[i].what,
				     sentences[i].text);

		assert_string_equal(entry_about(&e), sentences[i].what);
		assert_string_equal(words_of(&e, OFFICE, NULL),
				    *sentences[i].text ? sentences[i].text
						       : sentences[i].what);
		entry_release(&e);
	}
}

static void old_states_and_answers_are_facts(void **state)
{
	struct entry e = old(3, 0, "state", "pending -> timed_out");

	(void)state;
	assert_int_equal(e.fact, FACT_STATE);
	assert_string_equal(e.from, "pending");
	assert_string_equal(e.to, "timed_out");
	entry_release(&e);
	e = old(3, 8, "answer", "rejected by Till: 1: damaged");
	assert_int_equal(e.fact, FACT_ANSWERED);
	assert_string_equal(e.result, "reject");
	entry_release(&e);
	e = old(3, 0, "answer", "accepted by nobody"); /* no device */
	assert_int_equal(e.fact, FACT_TEXT);
	entry_release(&e);
	e = old(3, 0, "state", "pending -> odd");
	assert_int_equal(e.fact, FACT_TEXT);
	entry_release(&e);
}

/* A newer shipfrom may have facts that this one does not know. */
static void a_fact_of_a_newer_version_is_shown_by_its_name_alone(void **state)
{
	struct entry e = {.warehouse = 3, .fact = FACT_REPLY, .text = "secret"};
	struct entries in;
	struct entry got;
	struct err err;
	struct buf b;

	(void)state;
	buf_init(&b, VALUE_MAX);
	encode_entry(&b, &e);
	memcpy(memmem(b.data, b.len, "reply", 5), "relay", 5);
	entries_init(&in, 1, b.data, b.len);
	assert_int_equal(get_entry(&got, &in, &err), OK);
	assert_int_equal(got.fact, FACT_TEXT);
	assert_string_equal(words_of(&got, SHOP, NULL), "relay");
	entry_release(&got);
	buf_release(&b);
}

/* ---- entries of one row ---- */

/* A row of `n` entries; the i-th has the number 10 + i as its `n`. */
static void row_of(struct buf *row, int n)
{
	struct buf one;

	buf_init(row, VALUE_MAX);
	buf_init(&one, VALUE_MAX);
	for (int i = 0; i < n; i++) {
		const struct entry e = {
			.at = 1000 + i,
			.warehouse = i,
			.fact = i % 2 ? FACT_STATE : FACT_TRY,
			.to = i % 2 ? "pending" : NULL,
			.n = 10 + i,
		};

		buf_clear(&one);
		encode_entry(i ? &one : row, &e);
		if (i)
			encode_joined(row, &one);
	}
	buf_release(&one);
}

static void a_row_has_its_entries_in_their_order_with_their_numbers(
	void **state)
{
	struct entries in;
	struct entry got;
	struct err err;
	struct buf row;

	(void)state;
	row_of(&row, 5);
	entries_init(&in, 70, row.data, row.len);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(get_entry(&got, &in, &err), OK);
		assert_true(got.seq == (uint64_t)(70 + i) &&
			    got.at == 1000 + i && got.warehouse == i &&
			    got.n == 10 + i);
		assert_int_equal(got.fact, i % 2 ? FACT_STATE : FACT_TRY);
		assert_true(i % 2 ? !strcmp(got.to, "pending") : !got.to);
		entry_release(&got);
	}
	assert_int_equal(get_entry(&got, &in, &err), RC_NOTFOUND);
	buf_release(&row);
}

static void a_row_that_is_cut_short_gives_what_is_whole_and_a_fault(
	void **state)
{
	struct buf row, first;
	struct entries in;
	struct entry got;
	struct err err;
	enum rc rc;
	int whole;

	(void)state;
	row_of(&first, 1);
	row_of(&row, 3);
	for (size_t len = first.len + 1; len < row.len; len++) {
		entries_init(&in, 1, row.data, len);
		for (whole = 0; !(rc = get_entry(&got, &in, &err)); whole++)
			entry_release(&got);
		assert_true(whole == 1 || whole == 2);
		/* A cut between two entries leaves no trace. */
		assert_true(rc == RC_INVALID ||
			    (rc == RC_NOTFOUND && whole == 2));
	}
	buf_release(&first);
	buf_release(&row);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_row_has_its_entries_in_their_order_with_their_numbers),
		cmocka_unit_test(
			a_row_that_is_cut_short_gives_what_is_whole_and_a_fault),
		cmocka_unit_test(an_entry_has_english_words),
		cmocka_unit_test(words_may_name_the_warehouse),
		cmocka_unit_test(each_fact_has_a_name_of_its_own_and_words),
		cmocka_unit_test(
			a_shop_sees_what_is_of_its_warehouses_or_of_the_order),
		cmocka_unit_test(a_copy_owns_its_words_and_cuts_them),
		cmocka_unit_test(
			an_old_entry_shows_a_shop_what_it_showed_before),
		cmocka_unit_test(an_old_entry_keeps_its_words_for_operators),
		cmocka_unit_test(old_states_and_answers_are_facts),
		cmocka_unit_test(
			a_fact_of_a_newer_version_is_shown_by_its_name_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
