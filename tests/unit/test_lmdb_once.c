/* SPDX-License-Identifier: MIT
 *
 * test_lmdb_once.c - the keys of requests that take effect once, with rows that
 * are damaged: no request takes effect twice, and old keys are forgotten.
 */
#include "tests/unit/store_fixture.h"

#include "store/lmdb/store_private.h"

#define DAY 86400000

static unsigned asked; /* how often the decision was */

/* A store_update_fn. */
static enum rc decide(void *arg, const struct order *o, struct changes *ret,
		      struct err *e)
{
	(void)arg, (void)o, (void)ret, (void)e;
	asked++;
	return OK;
}

static enum rc press(struct store *s, const char *key, int64_t at)
{
	struct once o = {.device = 7, .at = at, .sure = true};

	memcpy(o.key, key, strlen(key));
	asked = 0;
	return store_update_once(s, "se", 19, decide, NULL, &o, NULL, at, NULL,
				 NULL, &err);
}

/* Calls fn with the first row of a table, in a transaction that it may write
 * in. */
static void with_first_row(struct store *s, enum table table,
			   void (*fn)(struct txn *t, const struct key *k,
				      const MDB_val *v))
{
	unsigned char bytes[1000];
	struct walk w = {0};
	struct txn t;
	struct key k;
	MDB_val v;

	assert_ok(txn_write(&t, s, &err));
	assert_ok(walk_open(&w, &t, table, NULL, 0, &err));
	assert_ok(walk_next(&w, &err));
	key_bytes(key_start(&k), w.k.mv_data, w.k.mv_size);
	v = w.v;
	assert_true(v.mv_size <= sizeof(bytes));
	if (v.mv_size)
		memcpy(bytes, v.mv_data, v.mv_size);
	v.mv_data = bytes;
	walk_close(&w);
	fn(&t, &k, &v);
	assert_ok(txn_commit(&t, &err));
}

static size_t rows_in(struct store *s, enum table table)
{
	struct walk w = {0};
	struct txn t;
	size_t n = 0;

	assert_ok(txn_read(&t, s, &err));
	assert_ok(walk_open(&w, &t, table, NULL, 0, &err));
	while (walk_next(&w, &err) == OK)
		n++;
	walk_close(&w);
	txn_abort(&t);
	return n;
}

static void cut(struct txn *t, const struct key *k, const MDB_val *v)
{
	assert_ok(txn_put(t, T_ONCE, k, v->mv_data, v->mv_size / 2, &err));
}

static void of_another_version(struct txn *t, const struct key *k,
			       const MDB_val *v)
{
	((unsigned char *)v->mv_data)[0] ^= 0x40;
	assert_ok(txn_put(t, T_ONCE, k, v->mv_data, v->mv_size, &err));
}

static void a_request_whose_key_is_damaged_takes_no_effect(void **state)
{
	static void (*const harms[])(struct txn *, const struct key *,
				     const MDB_val *) = {cut,
							 of_another_version};
	struct store *s = open_serve(*state);

	for (size_t i = 0; i < sizeof(harms) / sizeof(*harms); i++) {
		int64_t at = (int64_t)(i + 1) * 3 * DAY;

		assert_ok(press(s, "k", at));
		assert_int_equal(asked, 1);
		with_first_row(s, T_ONCE, harms[i]);
		assert_int_equal(press(s, "k", at + 1), RC_INVALID);
		assert_int_equal(asked, 0);
		/* Another key of the same day is not affected. */
		assert_ok(press(s, "other", at + 2));
		assert_int_equal(asked, 1);
		/* The damage goes with the day. */
		assert_ok(press(s, "next", at + 2 * DAY));
		assert_ok(press(s, "k", at + 2 * DAY));
		assert_int_equal(asked, 1);
		assert_ok(press(s, "last", at + 2 * DAY));
	}
	store_close(s);
}

static void add_a_short_row(struct txn *t, const struct key *k,
			    const MDB_val *v)
{
	struct key strange;

	(void)k;
	key_bytes(key_start(&strange), "\0\0\0", 3); /* before all others */
	assert_ok(txn_put(t, T_ONCE_AGE, &strange, v->mv_data, 0, &err));
}

static void old_keys_are_forgotten_behind_a_row_that_is_damaged(void **state)
{
	struct store *s = open_serve(*state);

	for (int i = 0; i < 3; i++)
		assert_ok(press(s, (const char *[]){"a", "b", "c"}[i], 1000));
	with_first_row(s, T_ONCE_AGE, add_a_short_row);
	assert_int_equal(rows_in(s, T_ONCE_AGE), 4);
	/* Each new key drops two rows that are too old. */
	assert_ok(press(s, "d", 3 * DAY));
	assert_ok(press(s, "e", 3 * DAY));
	assert_int_equal(rows_in(s, T_ONCE), 2);
	assert_int_equal(rows_in(s, T_ONCE_AGE), 2);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(a_request_whose_key_is_damaged_takes_no_effect),
		IN_DIR(old_keys_are_forgotten_behind_a_row_that_is_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
