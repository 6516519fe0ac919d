/* SPDX-License-Identifier: MIT
 *
 * test_once.c - requests with a key take effect once; sessions; and the list
 * "done" by its last change.
 */
#include "tests/store/suite.h"

#define DAY 86400000

static unsigned asked; /* how often the decision was */

/* A store_update_fn: arg is what it is to say. */
static enum rc decide(void *arg, const struct order *o, struct changes *ret,
		      struct err *e)
{
	enum rc rc = *(enum rc *)arg;

	(void)o;
	asked++;
	if (rc)
		return (fail)(e, rc, "said so");
	opening(ret, 3, "2021-01-12 15:51:00.000000", 5000 + asked);
	return OK;
}

static struct once once_of(const char *key, const char *request, int64_t at)
{
	struct once o = {.device = 7, .at = at, .sure = true};

	memcpy(o.key, key, strlen(key));
	memcpy(o.request, request, strlen(request));
	return o;
}

static enum rc press(struct store *s, struct once *o, enum rc says)
{
	asked = 0;
	return store_update_once(s, "se", 19, decide, &says, o, NULL, o->at,
				 NULL, NULL, &err);
}

static void a_key_is_kept_with_the_decision_and_asks_no_more(void **state)
{
	struct store *s = open_serve(*state);
	struct once o = once_of("k", "accept", 1000);

	assert_ok(press(s, &o, OK));
	assert_true(o.seen == ONCE_NEW && o.rc == OK && asked == 1);
	o = once_of("k", "accept", 2000);
	assert_ok(press(s, &o, OK));
	assert_true(o.seen == ONCE_AGAIN && o.rc == OK && asked == 0);
	o = once_of("k", "reject", 3000);
	assert_ok(press(s, &o, OK));
	assert_true(o.seen == ONCE_OTHER && asked == 0);
	o = once_of("k", "accept", 3000);
	o.device = 8;
	assert_ok(press(s, &o, OK));
	assert_true(o.seen == ONCE_NEW && asked == 1);
	store_close(s);

	s = open_serve(*state);
	o = once_of("k", "accept", 4000);
	assert_ok(press(s, &o, OK));
	assert_true(o.seen == ONCE_AGAIN && asked == 0);
	store_close(s);
}

static void a_conflict_is_final_but_what_was_not_decided_is_not(void **state)
{
	struct store *s = open_serve(*state);
	struct once o = once_of("k", "accept", 1000);

	assert_ok(press(s, &o, RC_CONFLICT));
	assert_true(o.seen == ONCE_NEW && o.rc == RC_CONFLICT);
	o = once_of("k", "accept", 1000);
	assert_ok(press(s, &o, OK));
	assert_true(o.seen == ONCE_AGAIN && o.rc == RC_CONFLICT && !asked);
	/* Nothing is known of an order that was never offered. */
	o = once_of("n", "accept", 1000);
	assert_int_equal(press(s, &o, RC_NOTFOUND), RC_NOTFOUND);
	o = once_of("n", "accept", 1000);
	assert_ok(press(s, &o, OK));
	assert_true(o.seen == ONCE_NEW && asked == 1);
	store_close(s);
}

/* As server/shop/action.c does: the code is filled in from within the decision. */
static enum rc refuse(void *arg, const struct order *o, struct changes *ret,
		      struct err *e)
{
	struct once *once = arg;

	(void)o;
	(void)ret;
	snprintf(once->code, sizeof(once->code), "taken");
	return (fail)(e, RC_CONFLICT, "taken");
}

static void the_code_of_a_conflict_comes_back(void **state)
{
	struct store *s = open_serve(*state);
	struct once o = once_of("k", "accept", 1000);

	assert_ok(store_update_once(s, "se", 19, refuse, &o, &o, NULL, 1000,
				    NULL, NULL, &err));
	o = once_of("k", "accept", 1001);
	assert_ok(press(s, &o, OK));
	assert_int_equal(o.rc, RC_CONFLICT);
	assert_string_equal(o.code, "taken");
	store_close(s);
}

static void by_a_clock_that_is_not_confirmed_no_key_is_forgotten(void **state)
{
	const int64_t ahead = 100 * (int64_t)DAY;
	struct store *s = open_serve(*state);
	struct once o = once_of("k", "accept", 1000);

	assert_ok(press(s, &o, OK));
	for (int i = 0; i < 3; i++) {
		char key[] = {'a', (char)('a' + i), '\0'};

		o = once_of(key, "accept", ahead);
		o.sure = false;
		assert_ok(press(s, &o, OK));
	}
	o = once_of("k", "accept", ahead);
	o.sure = false;
	assert_ok(press(s, &o, OK));
	assert_true(o.seen == ONCE_AGAIN && asked == 0);
	o = once_of("k", "reject", 2000); /* the clock is right again */
	assert_ok(press(s, &o, OK));
	assert_true(o.seen == ONCE_OTHER);
	store_close(s);
}

static void a_key_is_forgotten_after_a_day(void **state)
{
	struct store *s = open_serve(*state);
	struct once o = once_of("k", "accept", 1000);

	assert_ok(press(s, &o, OK));
	o = once_of("k", "reject", 1000 + DAY - 1);
	assert_ok(press(s, &o, OK));
	assert_int_equal(o.seen, ONCE_OTHER);
	o = once_of("k", "reject", 1000 + DAY);
	assert_ok(press(s, &o, OK));
	assert_int_equal(o.seen, ONCE_NEW);
	o = once_of("k", "reject", 2000 + DAY);
	assert_ok(press(s, &o, OK));
	assert_int_equal(o.seen, ONCE_AGAIN);
	store_close(s);
}

static void a_key_used_again_after_a_day_is_kept_for_another(void **state)
{
	struct store *s = open_serve(*state);
	const char *const keys[] = {"a", "b", "c", "k"};
	struct once o;

	for (int i = 0; i < 4; i++) {
		o = once_of(keys[i], "accept", 1000 + i);
		assert_ok(press(s, &o, OK));
	}
	o = once_of("k", "accept", 5000 + DAY);
	assert_ok(press(s, &o, OK));
	assert_int_equal(o.seen, ONCE_NEW);
	/* Others come by, and what is too old goes. */
	for (int i = 0; i < 3; i++) {
		o = once_of(keys[i], "accept", 6000 + DAY + i);
		assert_ok(press(s, &o, OK));
	}
	o = once_of("k", "accept", 7000 + DAY);
	assert_ok(press(s, &o, OK));
	assert_true(o.seen == ONCE_AGAIN && asked == 0);
	store_close(s);
}

static void a_store_of_old_keys_does_not_grow(void **state)
{
	struct store *s = open_serve(*state);
	uint64_t after_first = 0;
	char key[16];

	for (int day = 0; day < 6; day++) {
		for (int i = 0; i < 300; i++) {
			struct once o;

			snprintf(key, sizeof(key), "k%d", i);
			o = once_of(key, "x", 1 + day * (int64_t)DAY + i);
			assert_ok(press(s, &o, RC_EXISTS));
			assert_int_equal(o.seen, ONCE_NEW);
		}
		if (day == 1)
			after_first = stats_of(s).used_bytes;
	}
	assert_true(stats_of(s).used_bytes <= after_first + (64 << 10));
	store_close(s);
}

/* ---- sessions ---- */

#define CODE  ((const unsigned char *)"code----------------------------")
#define TOKEN ((const unsigned char *)"token---------------------------")
#define MINE  ((const unsigned char *)"session-------------------------")
#define OTHER ((const unsigned char *)"another-------------------------")

static void a_session_ends_and_that_is_counted(void **state)
{
	struct device d = {.shop = "ams", .name = "till", .created = 500};
	struct store *s = open_serve(*state);
	uint64_t id, revoked;

	assert_ok(store_device_add(s, &d, TOKEN, CODE, 1000, &id, &err));
	assert_ok(store_device_login(s, CODE, MINE, 900, &d, NULL, &err));
	assert_ok(store_device_by_session(s, MINE, &d, &err));
	assert_int_equal(d.id, id);
	revoked = store_revocations(s);
	assert_int_equal(store_session_end(s, OTHER, NULL, &err), RC_NOTFOUND);
	assert_int_equal(store_session_end(s, TOKEN, NULL, &err), RC_NOTFOUND);
	assert_int_equal(store_revocations(s), revoked);
	assert_ok(store_session_end(s, MINE, NULL, &err));
	assert_int_equal(store_device_by_session(s, MINE, &d, &err),
			 RC_NOTFOUND);
	assert_int_equal(store_revocations(s), revoked + 1);
	/* The device's token is not a session's. */
	assert_ok(store_device_by_token(s, TOKEN, &d, &err));
	assert_ok(store_device_remove(s, id, 950, &err));
	assert_int_equal(store_revocations(s), revoked + 2);
	store_close(s);
}

/* ---- done, by the last change ---- */

struct rows {
	struct listed list[16];
	size_t n, most;
};

static bool take(void *arg, const struct listed *row)
{
	struct rows *r = arg;

	r->list[r->n++] = *row;
	return r->n < r->most;
}

static struct rows done_since(struct store *s, int64_t since, int64_t after)
{
	struct rows r = {.most = 16};

	assert_ok(store_done_since(s, "se", 3, since, after, take, &r, &err));
	return r;
}

static void derive_done(void *arg, struct order *o)
{
	(void)arg;
	for (size_t i = 0; i < o->n_offers; i++)
		o->offers[i].list = o->cancelled ? LIST_DONE : LIST_OPEN;
}

static void change(struct store *s, int64_t number, int64_t now, bool cancel,
		   const char *date)
{
	struct changes c = {0};

	opening(&c, 3, date, now);
	if (cancel)
		changes_add(&c, CHANGE_CANCELLED, 0);
	change_order(s, number, now, &c);
}

static void what_is_done_is_listed_by_its_last_change(void **state)
{
	struct store_options o = {.url = *state, .max_bytes = 1 << 26,
				  .serve = true, .derive = derive_done};
	struct store *s = open_with(&o);
	struct rows r;

	for (int64_t n = 1; n <= 4; n++)
		change(s, n, 1000 * n, n != 3, "2021-01-12 15:51:00.000000");
	r = done_since(s, 0, 0);
	assert_int_equal(r.n, 3); /* 3 is open */
	assert_true(r.list[0].number == 1 && r.list[0].expires == 1000);
	change(s, 1, 9000, true, "2021-01-12 15:52:00.000000");
	r = done_since(s, 2000, 0);
	assert_int_equal(r.n, 3);
	assert_int_equal(r.list[0].number, 2);
	assert_true(r.list[2].number == 1 && r.list[2].expires == 9000);
	r = done_since(s, 2000, 2); /* behind 2 */
	assert_int_equal(r.n, 2);
	assert_int_equal(r.list[0].number, 4);
	assert_int_equal(done_since(s, 9001, 0).n, 0);
	store_close(s);
}

static void an_order_is_newer_with_each_change_whatever_the_clock_does(
	void **state)
{
	struct store *s = open_serve(*state);
	struct order o;

	change(s, 1, 5000, false, "2021-01-12 15:51:00.000000");
	change(s, 1, 4000, true, "2021-01-12 15:51:00.000000");
	assert_ok(store_order(s, "se", 1, &o, &err));
	assert_int_equal(o.updated, 5001);
	order_release(&o);
	store_close(s);
}

static enum rc by_session(struct store *s, const unsigned char *hash)
{
	struct device d;

	return store_device_by_session(s, hash, &d, &err);
}

static void sessions_end_by_age_and_those_of_the_future_begin_now(void **state)
{
	struct device d = {.shop = "ams", .name = "till", .created = 500};
	struct store *s = open_serve(*state);
	uint64_t id, revoked;
	size_t n;

	assert_ok(store_device_add(s, &d, TOKEN, CODE, 1000, &id, &err));
	assert_ok(store_device_login(s, CODE, MINE, 900, &d, NULL, &err));
	assert_ok(store_device_add(s, &d, MINE, OTHER, 101000, &id, &err));
	assert_ok(store_device_login(s, OTHER, OTHER, 100000, &d, NULL, &err));
	revoked = store_revocations(s);
	assert_ok(store_sessions_end(s, 900, 5000, &n, &err));
	assert_int_equal(n, 0);
	assert_true(store_revocations(s) == revoked);
	assert_ok(store_sessions_end(s, 901, 5000, &n, &err));
	assert_int_equal(n, 1);
	assert_true(store_revocations(s) > revoked);
	assert_int_equal(by_session(s, MINE), RC_NOTFOUND);
	/* The other was begun by a clock that was ahead: it counts from 5000. */
	assert_ok(by_session(s, OTHER));
	assert_ok(store_sessions_end(s, 5001, 9000, &n, &err));
	assert_int_equal(n, 1);
	assert_int_equal(by_session(s, OTHER), RC_NOTFOUND);
	store_close(s);
}

static void a_code_made_by_a_clock_that_was_ahead_is_not_good_for_days(
	void **state)
{
	const int64_t ahead = 100 * (int64_t)DAY;
	struct device d = {.shop = "ams", .name = "till", .created = ahead};
	struct store *s = open_serve(*state);
	uint64_t id;

	assert_ok(store_device_add(s, &d, TOKEN, CODE, ahead + CODE_LIVES, &id,
				   &err));
	assert_int_equal(store_device_login(s, CODE, MINE, 1000, &d, NULL,
					    &err),
			 RC_NOTFOUND);
	assert_ok(store_device_login(s, CODE, MINE, ahead, &d, NULL, &err));
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(a_key_is_kept_with_the_decision_and_asks_no_more),
		FRESH(a_conflict_is_final_but_what_was_not_decided_is_not),
		FRESH(the_code_of_a_conflict_comes_back),
		FRESH(sessions_end_by_age_and_those_of_the_future_begin_now),
		FRESH(a_code_made_by_a_clock_that_was_ahead_is_not_good_for_days),
		FRESH(by_a_clock_that_is_not_confirmed_no_key_is_forgotten),
		FRESH(a_key_is_forgotten_after_a_day),
		FRESH(a_key_used_again_after_a_day_is_kept_for_another),
		FRESH(a_store_of_old_keys_does_not_grow),
		FRESH(a_session_ends_and_that_is_counted),
		FRESH(what_is_done_is_listed_by_its_last_change),
		FRESH(an_order_is_newer_with_each_change_whatever_the_clock_does),
	};

	return RUN(tests);
}
