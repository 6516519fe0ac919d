/* SPDX-License-Identifier: MIT
 *
 * test_unreadable.c - what a shop's devices are told while the row of one order
 * is damaged: all about the others, and how many are missing.  And what a device
 * is told whose own row is damaged.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "server/access/auth.h"
#include "server/access/token.h"
#include "server/live/unwatched.h"
#include "store/lmdb/store_private.h"
#include "tests/unit/fixture.h"

/* cmocka has a fail() too: it comes after ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define OPENED "2021-01-11 16:21:00.000000"

static int start(void **state)
{
	*state = fixture_start("answer_wait = 0");
	return 0;
}

static int stop(void **state)
{
	fixture_stop(*state);
	return 0;
}

static bool still_damaged(struct fixture *f, int64_t number)
{
	struct txn t;
	struct key k;
	MDB_val v;
	bool ret;

	order_key(key_start(&k), "se", number);
	assert_int_equal(txn_read(&t, f->app.store, NULL), OK);
	ret = !txn_get(&t, T_ORDERS, &k, &v, NULL) &&
	      v.mv_size == strlen(DAMAGED) &&
	      !memcmp(v.mv_data, DAMAGED, v.mv_size);
	txn_abort(&t);
	return ret;
}

/* Damages the first entry of an order's journal. */
static void damage_journal(struct fixture *f, int64_t number)
{
	struct walk w = {0};
	struct key order, k;
	struct txn t;
	struct err e;

	order_key(key_start(&order), "se", number);
	assert_int_equal(txn_write(&t, f->app.store, &e), OK);
	assert_int_equal(walk_open(&w, &t, T_JOURNAL, &order, order.n, &e), OK);
	assert_int_equal(walk_next(&w, &e), OK);
	key_bytes(key_start(&k), w.k.mv_data, w.k.mv_size);
	walk_close(&w);
	assert_int_equal(txn_put(&t, T_JOURNAL, &k, DAMAGED, strlen(DAMAGED), &e),
			 OK);
	assert_int_equal(txn_commit(&t, &e), OK);
}

static void expect(struct fixture *f, const char *path, const char *token,
		   int status, const char *const *with,
		   const char *const *without)
{
	struct reply r = ask(f, "GET", path, token, NULL);

	if (r.status != status)
		print_error("%s: %s\n", path, r.bytes);
	assert_int_equal(r.status, status);
	for (; with && *with; with++)
		if (!strstr(r.body, *with))
			fail_msg("'%s' should be in %s", *with, r.body);
	for (; without && *without; without++)
		if (strstr(r.body, *without))
			fail_msg("'%s' should not be in %s", *without, r.body);
	reply_release(&r);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static void a_damaged_order_hides_no_other_of_its_shop(void **state)
{
	struct fixture *f = *state;

	for (int64_t n = 1; n <= 3; n++)
		offered(f, n, 3, OPENED, FAR);
	offered(f, 2, 4, OPENED, FAR); /* in two of the shop's lists */
	offered(f, 4, 5, OPENED, FAR);
	damaged(f, 2);
	expect(f, "/api/v1/orders", f->amsterdam, 200,
	       LIST("\"number\":1,", "\"number\":3,", "\"cursor\":null",
		    "\"unreadable\":1}"),
	       LIST("\"number\":2,"));
	expect(f, "/api/v1/orders?state=open&limit=1", f->amsterdam, 200,
	       LIST("\"number\":1,", "\"unreadable\":1}"),
	       LIST("\"cursor\":null"));
	expect(f, "/api/v1/orders", f->berlin, 200,
	       LIST("\"number\":4,", "\"unreadable\":0}"), NULL);
}

static void a_list_that_is_done_goes_on_behind_it(void **state)
{
	struct fixture *f = *state;

	for (int64_t n = 1; n <= 3; n++) {
		offered(f, n, 3, OPENED, FAR);
		cancelled(f, n);
	}
	damaged(f, 2);
	expect(f, "/api/v1/orders?state=done&since=24h", f->amsterdam, 200,
	       LIST("\"number\":1,", "\"number\":3,", "\"unreadable\":1}"),
	       LIST("\"number\":2,"));
}

static void a_report_counts_the_others_and_says_that_it_is_not_all(void **state)
{
	struct fixture *f = *state;

	for (int64_t n = 1; n <= 4; n++)
		offered(f, n, 3, OPENED, FAR);
	damaged(f, 2);
	damage_journal(f, 3); /* when it was offered is not known for sure */
	expect(f, "/api/v1/report?since=24h", f->amsterdam, 200,
	       LIST("\"offered\":2,", "\"complete\":false",
		    "\"unreadable\":2}"),
	       NULL);
}

static void its_own_route_says_that_it_is_damaged_and_what_helps(void **state)
{
	struct fixture *f = *state;
	struct reply r;

	offered(f, 2, 3, OPENED, FAR);
	damaged(f, 2);
	r = ask(f, "GET", "/api/v1/orders/2", f->amsterdam, NULL);
	assert_int_equal(r.status, 500);
	assert_non_null(strstr(r.body, "\"code\":\"unreadable\""));
	assert_non_null(strstr(r.body, "shipfrom verify"));
	assert_non_null(strstr(r.body, "backup"));
	assert_string_equal(reply_header(&r, "Retry-After"), "");
	reply_release(&r);
}

static void a_press_changes_nothing_of_it(void **state)
{
	static const char *const verbs[] = {"accept", "reject", "problem",
					    "ship"};
	static const char *const bodies[] = {
		NULL, NULL, "{\"reason\":\"lost\"}",
		"{\"carrier\":\"PostNord\",\"tracking\":\"1\"}"};
	struct fixture *f = *state;

	offered(f, 2, 3, OPENED, FAR);
	damaged(f, 2);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
		char path[64];
		struct reply r;

		snprintf(path, sizeof(path), "/api/v1/orders/2/%s", verbs[i]);
		r = ask(f, "POST", path, f->amsterdam,
			bodies[i]);
		if (r.status != 500)
			print_error("%s: %s\n", verbs[i], r.bytes);
		assert_int_equal(r.status, 500);
		assert_non_null(strstr(r.body, "\"code\":\"unreadable\""));
		reply_release(&r);
		assert_true(still_damaged(f, 2));
	}
}

static void an_order_is_shown_without_a_damaged_entry_of_its_journal(
	void **state)
{
	struct fixture *f = *state;

	offered(f, 1, 3, OPENED, FAR);
	noted(f, 1, &(struct entry){.warehouse = 3, .fact = FACT_OFFERED});
	damage_journal(f, 1);
	expect(f, "/api/v1/orders/1", f->amsterdam, 200,
	       LIST("\"number\":1,", "\"timeline\":[{"), NULL);
}

/* ---- devices ---- */

/* Damages a row whose key is a number. */
static void damage_number(struct fixture *f, enum table table, uint64_t n)
{
	struct txn t;
	struct key k;
	struct err e;

	assert_int_equal(txn_write(&t, f->app.store, &e), OK);
	assert_int_equal(txn_put(&t, table, key_u64(key_start(&k), n), DAMAGED,
				 strlen(DAMAGED), &e),
			 OK);
	assert_int_equal(txn_commit(&t, &e), OK);
}

/* The token of a damaged device lets nobody in: whether the device was removed
 * cannot be read. */
static void a_damaged_device_is_told_to_be_signed_in_anew(void **state)
{
	struct fixture *f = *state;

	damage_number(f, T_DEVICES, 1);
	expect(f, "/api/v1/orders", f->amsterdam, 401,
	       LIST("\"code\":\"device_unreadable\"", "new login link"), NULL);
	expect(f, "/api/v1/orders", f->berlin, 200, NULL, NULL);
}

static void a_damaged_device_is_no_sign_in_that_failed(void **state)
{
	struct fixture *f = *state;

	damage_number(f, T_DEVICES, 1);
	for (int i = 0; i < 30; i++)
		expect(f, "/api/v1/orders", f->amsterdam, 401, NULL, NULL);
}

static void a_login_code_of_a_damaged_device_signs_nobody_in(void **state)
{
	const struct device d = {.shop = "amsterdam", .name = "new"};
	unsigned char token[TOKEN_HASH_SIZE], code[TOKEN_HASH_SIZE];
	struct fixture *f = *state;
	char text[TOKEN_SIZE], body[128];
	struct reply r;
	struct err e;
	uint64_t id;

	assert_int_equal(token_make(text, token, &e), OK);
	assert_int_equal(token_make(text, code, &e), OK);
	assert_int_equal(store_device_add(f->app.store, &d, token, code,
					  time_now() + 60000, &id, &e),
			 OK);
	damage_number(f, T_DEVICES, id);
	snprintf(body, sizeof(body), "{\"code\":\"%s\"}", text);
	r = ask(f, "POST", "/api/v1/session", NULL, body);
	assert_int_equal(r.status, 401);
	assert_non_null(strstr(r.body, "\"code\":\"device_unreadable\""));
	reply_release(&r);
}

/* So a screen, or a press that waits, of a device that was removed does not go
 * on because its row cannot be read. */
static void a_damaged_device_does_not_stay_signed_in(void **state)
{
	unsigned char token[TOKEN_HASH_SIZE];
	struct fixture *f = *state;
	struct err e;

	assert_int_equal(token_hash(f->amsterdam, token), 0);
	assert_int_equal(auth_still(f->app.access, token, false, &e), OK);
	damage_number(f, T_DEVICES, 1);
	assert_int_equal(auth_still(f->app.access, token, false, &e),
			 RC_INVALID);
}

/* A row of `tokens` or `sessions` that was cut short. */
static void a_credential_that_is_damaged_lets_nobody_in(void **state)
{
	const unsigned char session[TOKEN_HASH_SIZE] = {7};
	struct fixture *f = *state;
	unsigned char token[TOKEN_HASH_SIZE];
	struct key k, v;
	struct txn t;
	struct err e;

	assert_int_equal(token_hash(f->amsterdam, token), 0);
	assert_int_equal(txn_write(&t, f->app.store, &e), OK);
	assert_int_equal(txn_put(&t, T_TOKENS,
				 key_bytes(key_start(&k), token, sizeof(token)),
				 "1", 1, &e),
			 OK);
	key_bytes(key_start(&k), session, sizeof(session));
	assert_int_equal(txn_put(&t, T_SESSIONS, &k,
				 key_u64(key_start(&v), 1)->b, 8, &e),
			 OK);
	assert_int_equal(txn_commit(&t, &e), OK);
	expect(f, "/api/v1/orders", f->amsterdam, 401,
	       LIST("\"code\":\"device_unreadable\""), NULL);
	assert_int_equal(auth_still(f->app.access, session, true, &e),
			 RC_INVALID);
}

static bool nobody_watches(void *arg, const char *shop)
{
	(void)arg;
	(void)shop;
	return false;
}

static void unwatched_offers_are_counted_without_it(void **state)
{
	struct fixture *f = *state;
	struct tally *t = tally_open(f->started);
	bool done = false;
	struct err e;

	for (int64_t i = 1; i <= 3; i++)
		offered(f, i, 3, OPENED, FAR);
	damaged(f, 2);
	assert_int_equal(tally_count_on(t, f->app.store, 10, &done, &e), OK);
	assert_true(done);
	assert_int_equal(tally_count(t, nobody_watches, NULL), 2);
	tally_free(t);
}

#define T(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_damaged_order_hides_no_other_of_its_shop),
		T(a_list_that_is_done_goes_on_behind_it),
		T(a_report_counts_the_others_and_says_that_it_is_not_all),
		T(its_own_route_says_that_it_is_damaged_and_what_helps),
		T(a_press_changes_nothing_of_it),
		T(an_order_is_shown_without_a_damaged_entry_of_its_journal),
		T(unwatched_offers_are_counted_without_it),
		T(a_damaged_device_is_told_to_be_signed_in_anew),
		T(a_damaged_device_is_no_sign_in_that_failed),
		T(a_login_code_of_a_damaged_device_signs_nobody_in),
		T(a_damaged_device_does_not_stay_signed_in),
		T(a_credential_that_is_damaged_lets_nobody_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
