/* SPDX-License-Identifier: MIT
 *
 * test_order.c - facts join an order: any order of arrival and any repeats end
 * the same; our own answer and its tries go step by step.
 */
#include "tests/unit/store_fixture.h"

#include "store/model/codec.h"
#include "store/model/record.h"

/* xorshift: the same numbers on every run. */
static uint64_t seed;

static unsigned below(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed % n);
}

static void random_fact(struct changes *c)
{
	int64_t warehouse = 1 + below(3);
	char date[STAMP_SIZE];
	struct change *fact;

	snprintf(date, sizeof(date), "2021-01-12 15:%02u:00.000000",
		 below(6));
	switch (below(8)) {
	case 0:
	case 1:
	case 2:
		opening(c, warehouse, below(9) ? date : "",
			below(4) ? 1000 * (int64_t)below(5) : TIME_NONE);
		fact = &c->list[c->n - 1];
		fact->opening.offset_min = 60 * (int)below(3);
		break;
	case 3:
	case 4:
	case 5:
	case 6:
		mark(c, warehouse, below(MARKS), date);
		break;
	default:
		if (!below(8))
			changes_add(c, CHANGE_CANCELLED, 0);
	}
}

static void bytes_of(struct buf *b, const struct changes *facts,
		     const unsigned *sequence, size_t n)
{
	struct order o;

	order_init(&o, "se", 1);
	for (size_t i = 0; i < n; i++)
		order_apply(&o, &facts->list[sequence[i]]);
	buf_init(b, VALUE_MAX);
	encode_order(b, &o);
	order_release(&o);
}

static void shuffle(unsigned *seq, unsigned n)
{
	for (unsigned i = n - 1; i; i--) {
		unsigned other = below(i + 1), keep = seq[i];

		seq[i] = seq[other];
		seq[other] = keep;
	}
}

#define FACTS   12
#define REPEATS 24

static void facts_in_any_order_with_any_repeats_end_the_same(void **state)
{
	unsigned seq[REPEATS];
	struct changes facts = {0};
	struct buf first, again;

	(void)state;
	seed = 88172645463325252ULL;
	for (int round = 0; round < 3000; round++) {
		while (facts.n < FACTS)
			random_fact(&facts);
		for (unsigned i = 0; i < FACTS; i++)
			seq[i] = i;
		bytes_of(&first, &facts, seq, FACTS);
		for (unsigned i = FACTS; i < REPEATS; i++)
			seq[i] = below(FACTS);
		shuffle(seq, REPEATS);
		bytes_of(&again, &facts, seq, REPEATS);
		assert_int_equal(first.len, again.len);
		assert_memory_equal(first.data, again.data, first.len);
		buf_release(&first);
		buf_release(&again);
		changes_release(&facts);
	}
}

static void apply_all(struct order *o, struct changes *c)
{
	for (size_t i = 0; i < c->n; i++)
		order_apply(o, &c->list[i]);
	changes_release(c);
}

static void a_create_sent_again_is_no_new_opening(void **state)
{
	struct changes c = {0};
	struct order o;

	(void)state;
	order_init(&o, "se", 1);
	opening(&c, 3, "2021-01-12 15:51:00.000000", 1000);
	opening(&c, 3, "2021-01-12 15:52:00.000000", 1000);
	opening(&c, 3, "2021-01-12 15:50:00.000000", 1000);
	opening(&c, 3, "2021-01-12 15:53:00.000000", 2000);
	apply_all(&o, &c);
	assert_int_equal(o.offers[0].n_openings, 2);
	assert_string_equal(o.offers[0].openings[0].date,
			    "2021-01-12 15:50:00.000000");
	assert_int_equal(o.offers[0].openings[1].expires, 2000);
	order_release(&o);
}

static void the_newest_openings_are_kept(void **state)
{
	struct changes c = {0};
	char date[STAMP_SIZE];
	struct order o;

	(void)state;
	order_init(&o, "se", 1);
	for (int i = OPENINGS_MAX + 20; i > 0; i--) {
		snprintf(date, sizeof(date), "2021-01-12 15:51:00.%06d", i);
		opening(&c, 3, date, i);
	}
	apply_all(&o, &c);
	assert_int_equal(o.offers[0].n_openings, OPENINGS_MAX);
	assert_int_equal(o.offers[0].openings[0].expires, 21);
	opening(&c, 3, "2021-01-12 15:51:00.000001", 1);
	opening(&c, 3, "2021-01-12 16:00:00.000000", 999);
	apply_all(&o, &c);
	assert_int_equal(o.offers[0].n_openings, OPENINGS_MAX);
	assert_int_equal(o.offers[0].openings[0].expires, 22);
	assert_int_equal(o.offers[0].openings[OPENINGS_MAX - 1].expires, 999);
	order_release(&o);
}

#define MANY (OPENINGS_MAX + 6) /* expiries, each named by two creates */

/* The date of a create grows with its expiry for the first of the two and
 * shrinks for the second, so that a bound by dates would depend on which of
 * them had come. */
static void many_openings(struct changes *c)
{
	char date[STAMP_SIZE];

	for (int i = 0; i < MANY; i++) {
		int64_t expires = i ? 1000 * (int64_t)i : TIME_NONE;

		snprintf(date, sizeof(date), "2021-01-12 15:51:00.%06d",
			 100 + i);
		opening(c, 3, date, expires);
		snprintf(date, sizeof(date), "2021-01-12 15:51:00.%06d",
			 100 + MANY - i);
		opening(c, 3, date, expires);
	}
}

static void more_openings_than_are_kept_end_the_same_in_any_order(void **state)
{
	unsigned seq[2 * MANY];
	struct changes facts = {0};
	struct buf first, again;

	(void)state;
	seed = 88172645463325252ULL;
	many_openings(&facts);
	for (unsigned i = 0; i < 2 * MANY; i++)
		seq[i] = i;
	bytes_of(&first, &facts, seq, 2 * MANY);
	for (int round = 0; round < 500; round++) {
		shuffle(seq, 2 * MANY);
		bytes_of(&again, &facts, seq, 2 * MANY);
		assert_int_equal(first.len, again.len);
		assert_memory_equal(first.data, again.data, first.len);
		buf_release(&again);
	}
	buf_release(&first);
	changes_release(&facts);
}

static void an_opening_without_a_deadline_is_never_dropped(void **state)
{
	struct changes c = {0};
	bool there = false;
	struct order o;

	(void)state;
	order_init(&o, "se", 1);
	many_openings(&c);
	apply_all(&o, &c);
	for (size_t i = 0; i < o.offers[0].n_openings; i++)
		there |= o.offers[0].openings[i].expires == TIME_NONE;
	assert_true(there);
	order_release(&o);
}

static void offers_are_found_and_bounded(void **state)
{
	struct changes c = {0};
	struct order o;

	(void)state;
	order_init(&o, "se", 1);
	for (int w = OFFERS_MAX + 5; w > 0; w--)
		mark(&c, w, MARK_REJECTED, "2021");
	mark(&c, 0, MARK_REJECTED, "2021");
	apply_all(&o, &c);
	assert_int_equal(o.n_offers, OFFERS_MAX);
	for (size_t i = 1; i < o.n_offers; i++)
		assert_true(o.offers[i - 1].warehouse < o.offers[i].warehouse);
	assert_non_null(order_offer(&o, 500));
	assert_null(order_offer(&o, 5));
	assert_null(order_offer(&o, 0));
	order_release(&o);
}

static void an_answer_goes_from_try_to_result(void **state)
{
	struct changes c = {0};
	struct change *x;
	struct answer *a;
	struct order o;

	(void)state;
	order_init(&o, "se", 1);
	changes_add(&c, CHANGE_HEARD, 0);
	changes_add(&c, CHANGE_TRY_BEGUN, 3)->try_begun.at = 5; /* no answer: nothing */
	changes_add(&c, CHANGE_SETTLED, 3)->settled.how = SETTLED_OK;
	opening(&c, 3, "2021", 1000);
	x = changes_add(&c, CHANGE_ANSWER, 3);
	x->answer.verb = VERB_ACCEPT;
	x->answer.reason = xstrdup("r");
	apply_all(&o, &c);
	a = &o.offers[0].answer;
	assert_int_equal(o.version, 1);
	assert_int_equal(a->verb, VERB_ACCEPT);
	assert_string_equal(a->reason, "r");
	assert_int_equal(a->tries, 0);

	changes_add(&c, CHANGE_TRY_BEGUN, 3)->try_begun.at = 5;
	apply_all(&o, &c);
	assert_true(a->try_begun == 5 && a->tries == 1 && o.version == 2);
	assert_false(a->unknown);
	changes_add(&c, CHANGE_TRY_ENDED, 3)->try_ended.how = TRY_NOT_DONE;
	apply_all(&o, &c);
	assert_true(!a->try_begun && !a->unknown && !a->was_ok &&
		    o.version == 3);

	x = changes_add(&c, CHANGE_TRY_BEGUN, 3); /* after a crash: */
	x->try_begun.late = true;
	changes_add(&c, CHANGE_TRY_BEGUN, 3)->try_begun.at = 9;
	apply_all(&o, &c);
	assert_true(a->unknown && a->try_begun == 9);
	assert_true(a->tries == 3 && a->late_tries == 1);

	changes_add(&c, CHANGE_TRY_ENDED, 3)->try_ended.how = TRY_NO;
	apply_all(&o, &c);
	assert_int_equal(a->settled, SETTLED_NOT);
	x = changes_add(&c, CHANGE_SETTLED, 3);
	x->settled.how = SETTLED_NO;
	x->settled.text = xstrdup("too late");
	apply_all(&o, &c);
	assert_int_equal(a->settled, SETTLED_NO);
	assert_string_equal(a->refusal, "too late");
	assert_true(a->settled_version == o.version);

	changes_add(&c, CHANGE_TRY_ENDED, 3)->try_ended.how = TRY_OK;
	changes_add(&c, CHANGE_SETTLED, 3)->settled.how = SETTLED_OK;
	apply_all(&o, &c);
	assert_true(a->was_ok && a->settled == SETTLED_OK && !a->refusal);

	changes_add(&c, CHANGE_ANSWER, 3)->answer.verb = VERB_REJECT;
	apply_all(&o, &c);
	assert_true(a->verb == VERB_REJECT && !a->tries && !a->unknown &&
		    !a->was_ok && a->settled == SETTLED_NOT && !a->reason);
	order_release(&o);
}

static void accepting_again_keeps_the_doubt_of_the_first_accept(void **state)
{
	struct changes c = {0};
	struct change *x;
	struct order o;

	(void)state;
	order_init(&o, "se", 1);
	opening(&c, 3, "2021", 1000);
	changes_add(&c, CHANGE_ANSWER, 3)->answer.verb = VERB_ACCEPT;
	changes_add(&c, CHANGE_TRY_BEGUN, 3)->try_begun.at = 5;
	changes_add(&c, CHANGE_TRY_ENDED, 3)->try_ended.how = TRY_UNKNOWN;
	changes_add(&c, CHANGE_SETTLED, 3)->settled.how = SETTLED_NO;
	changes_add(&c, CHANGE_ANSWER, 3)->answer.verb = VERB_ACCEPT;
	apply_all(&o, &c);
	assert_true(o.offers[0].answer.unknown);
	assert_int_equal(o.offers[0].answer.tries, 0);
	assert_int_equal(o.offers[0].answer.settled, SETTLED_NOT);

	x = changes_add(&c, CHANGE_ANSWER, 3);
	x->answer.verb = VERB_ACCEPT; /* to another opening */
	snprintf(x->answer.opened, sizeof(x->answer.opened), "2022");
	apply_all(&o, &c);
	assert_true(o.offers[0].answer.unknown);
	order_release(&o);
}

static void what_settles_an_answer_settles_no_newer_one(void **state)
{
	struct changes c = {0};
	struct change *x;
	struct order o;

	(void)state;
	order_init(&o, "se", 1);
	opening(&c, 3, "2021", 1000);
	x = changes_add(&c, CHANGE_ANSWER, 3);
	x->answer.verb = VERB_ACCEPT;
	snprintf(x->answer.opened, sizeof(x->answer.opened), "2022");
	x = changes_add(&c, CHANGE_SETTLED, 3);
	x->settled.how = SETTLED_NO;
	snprintf(x->settled.opened, sizeof(x->settled.opened), "2021");
	apply_all(&o, &c);
	assert_int_equal(o.offers[0].answer.settled, SETTLED_NOT);
	x = changes_add(&c, CHANGE_SETTLED, 3);
	x->settled.how = SETTLED_NO;
	snprintf(x->settled.opened, sizeof(x->settled.opened), "2022");
	apply_all(&o, &c);
	assert_int_equal(o.offers[0].answer.settled, SETTLED_NO);
	order_release(&o);
}

static void a_later_fetch_stays_and_a_cancelled_status_cancels(void **state)
{
	struct changes c = {0};
	struct change *x;
	struct order o;

	(void)state;
	order_init(&o, "se", 1);
	x = changes_add(&c, CHANGE_FETCHED, 0);
	snprintf(x->fetched.status, STATUS_SIZE, "%s", "CONFIRMED");
	x->fetched.at = 50;
	x->fetched.on_hold = true;
	snprintf(x->fetched.hold_reason, sizeof(x->fetched.hold_reason), "WAITING");
	x = changes_add(&c, CHANGE_FETCHED, 0);
	snprintf(x->fetched.status, STATUS_SIZE, "%s", "CANCELLED");
	x->fetched.at = 40;
	apply_all(&o, &c);
	assert_string_equal(o.status, "CONFIRMED");
	assert_string_equal(o.hold_reason, "WAITING");
	assert_true(o.on_hold && o.cancelled && o.fetched_at == 50);
	order_release(&o);
}

/* Our clock was ahead, and is right again. */
static void a_fetch_dated_far_ahead_does_not_stay_for_ever(void **state)
{
	struct changes c = {0};
	struct change *x;
	struct order o;

	(void)state;
	order_init(&o, "se", 1);
	x = changes_add(&c, CHANGE_FETCHED, 0);
	snprintf(x->fetched.status, STATUS_SIZE, "%s", "CONFIRMED");
	x->fetched.at = 31536000000;
	x = changes_add(&c, CHANGE_FETCHED, 0);
	snprintf(x->fetched.status, STATUS_SIZE, "%s", "PENDING");
	x->fetched.at = 50;
	x->fetched.on_hold = true;
	apply_all(&o, &c);
	assert_string_equal(o.status, "PENDING");
	assert_true(o.on_hold && o.fetched_at == 50);
	order_release(&o);
}

static void long_texts_are_cut_between_characters(void **state)
{
	struct changes c = {0};
	struct change *x;
	struct order o;
	char *text;

	(void)state;
	order_init(&o, "se", 1);
	x = changes_add(&c, CHANGE_ANSWER, 3);
	x->answer.verb = VERB_REJECT;
	x->answer.reason = text = xcalloc(1, ORDER_TEXT_MAX + 100);
	memset(text, 'x', ORDER_TEXT_MAX - 1);
	memcpy(text + ORDER_TEXT_MAX - 1, "\xc3\xa4\xc3\xa4", 4);
	x = changes_add(&c, CHANGE_FETCHED, 0);
	memset(x->fetched.status, 'S', STATUS_SIZE - 2);
	x->fetched.status[STATUS_SIZE - 2] = '\xc3';
	changes_journal(&c, &(struct entry){.fact = FACT_REPLY, .text = text});
	assert_int_equal(strlen(c.list[2].entry.text), ORDER_TEXT_MAX - 1);
	apply_all(&o, &c);
	assert_int_equal(strlen(o.offers[0].answer.reason),
			 ORDER_TEXT_MAX - 1);
	assert_int_equal(strlen(o.status), STATUS_SIZE - 2);
	order_release(&o);
}

static void a_copy_stands_alone(void **state)
{
	struct changes c = {0};
	struct order o, copy;
	struct change *x;

	(void)state;
	order_init(&o, "se", 1);
	opening(&c, 3, "2021", 1000);
	x = changes_add(&c, CHANGE_ANSWER, 3);
	x->answer.verb = VERB_REJECT;
	x->answer.note = xstrdup("n");
	apply_all(&o, &c);
	order_copy(&copy, &o);
	order_release(&o);
	assert_string_equal(copy.offers[0].answer.note, "n");
	assert_int_equal(copy.offers[0].openings[0].expires, 1000);
	order_release(&copy);
	order_release(&copy); /* fine */
}

static void states_have_names(void **state)
{
	(void)state;
	assert_string_equal(offer_state_name(STATE_PENDING), "pending");
	assert_string_equal(offer_state_name(STATE_TIMED_OUT), "timed_out");
	for (int s = 0; s < STATES; s++)
		assert_true(*offer_state_name((enum offer_state)s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			facts_in_any_order_with_any_repeats_end_the_same),
		cmocka_unit_test(a_create_sent_again_is_no_new_opening),
		cmocka_unit_test(the_newest_openings_are_kept),
		cmocka_unit_test(
			more_openings_than_are_kept_end_the_same_in_any_order),
		cmocka_unit_test(an_opening_without_a_deadline_is_never_dropped),
		cmocka_unit_test(offers_are_found_and_bounded),
		cmocka_unit_test(an_answer_goes_from_try_to_result),
		cmocka_unit_test(
			accepting_again_keeps_the_doubt_of_the_first_accept),
		cmocka_unit_test(what_settles_an_answer_settles_no_newer_one),
		cmocka_unit_test(
			a_later_fetch_stays_and_a_cancelled_status_cancels),
		cmocka_unit_test(
			a_fetch_dated_far_ahead_does_not_stay_for_ever),
		cmocka_unit_test(long_texts_are_cut_between_characters),
		cmocka_unit_test(a_copy_stands_alone),
		cmocka_unit_test(states_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
