/* SPDX-License-Identifier: MIT
 *
 * test_lmdb_verify.c - a whole store is found whole; one in which a row is
 * missing, cut short, or comes from nowhere is not.  Also backups.
 */
#include "tests/unit/store_fixture.h"

#include <sys/stat.h>

#include "store/lmdb/store_private.h"

#define FAILED(...) (print_error(__VA_ARGS__), _fail(__FILE__, __LINE__))

/* ---- a store with a row in every table ---- */

/* An offer that timed out is done. */
static void derive_done(void *arg, struct order *o)
{
	derive_simply(arg, o);
	for (size_t i = 0; i < o->n_offers; i++) {
		if (!*o->offers[i].marks[MARK_TIMED_OUT])
			continue;
		o->offers[i].state = STATE_TIMED_OUT;
		o->offers[i].list = LIST_DONE;
	}
}

/* Fetches call an API. */
static void place(struct task *t, const struct order *o)
{
	(void)o;
	t->group = strcmp(t->kind, "fetch_order") == 0;
}

static struct store *open_full(const char *dir)
{
	struct store_options o = {
		.url = url_of(dir),
		.max_bytes = (size_t)512 << 20,
		.serve = true,
		.derive = derive_done,
		.place = place,
		.fetch_kind = "fetch_order",
	};

	return open_with(&o);
}

static void add_orders(struct store *s)
{
	struct changes c = {0};

	opening(&c, 3, "2021-01-12 15:51:00.000000", 5000);
	opening(&c, 4, "2021-01-12 15:51:00.000000", TIME_NONE);
	changes_add(&c, CHANGE_DETAILS, 0)->details = xstrdup("{}");
	changes_add(&c, CHANGE_ADDRESS, 0)->address = xstrdup("{}");
	change_order(s, 19, 2000, &c);
	/* Accepted and not yet fetched: a fetch waits. */
	opening(&c, 3, "2021-01-12 15:51:00.000000", 5000);
	mark(&c, 3, MARK_ACCEPTED, "2021-01-12 15:52:00.000000");
	change_order(s, 20, 2001, &c);
	/* Somebody else's. */
	opening(&c, 3, "2021-01-12 15:51:00.000000", 5000);
	mark(&c, 3, MARK_TIMED_OUT, "2021-01-12 15:52:00.000000");
	change_order(s, 21, 2002, &c);
}

/* Ends the first task that is due as given up. */
static void kill_a_task(struct store *s)
{
	struct result r = {.how = OUTCOME_DEAD, .reason = {"no use"}};
	struct task t;
	int64_t next;
	size_t n;

	assert_ok(store_lease(s, 9000, NULL, &t, 1, &n, &next, &err));
	assert_int_equal(n, 1);
	assert_ok(store_finish(s, &t, &r, 9000, &err));
	task_release(&t);
}

static void add_devices(struct store *s)
{
	struct device d = {.shop = "amsterdam", .name = "till"}, in;
	unsigned char token[TOKEN_HASH_SIZE] = {1}, code[TOKEN_HASH_SIZE] = {2},
		      session[TOKEN_HASH_SIZE] = {3};

	assert_ok(store_device_add(s, &d, token, code, 9000, NULL, &err));
	assert_ok(store_device_login(s, code, session, 8000, &in, NULL, &err));
	token[0] = 4;
	code[0] = 5;
	assert_ok(store_device_add(s, &d, token, code, 9000, NULL, &err));
}

static enum rc said_nothing(void *arg, const struct order *o,
			    struct changes *ret, struct err *e)
{
	(void)arg, (void)o, (void)ret, (void)e;
	return OK;
}

static enum rc put_a_doc(void *arg, const struct doc *docs, size_t n,
			 struct doc_writes *ret, struct err *e)
{
	struct doc d = docs[0];
	char text[] = "{}";

	(void)arg, (void)n, (void)e;
	snprintf(d.list, sizeof(d.list), "27/waiting");
	d.text = text;
	doc_writes_put(ret, &d);
	return OK;
}

static void add_docs(struct store *s)
{
	const struct doc_name names[] = {{"stock_item", "se", "27/a"},
					 {"stock_item", "se", "27/b"}};

	for (size_t i = 0; i < 2; i++)
		assert_ok(store_docs_update(s, &names[i], 1, put_a_doc, NULL,
					    NULL, 3000, NULL, &err));
}

static struct store *fill(const char *dir)
{
	struct store *s = open_full(dir);
	struct once once = {.device = 1, .key = {7}, .at = 3000};
	struct secret_use use = {.current = {1}, .current_first = 5};

	assert_ok(record_one(s, 19, "{\"a\":1}", "check_first", NULL));
	assert_ok(record_one(s, 20, "{\"a\":2}", "check_first", NULL));
	kill_a_task(s);
	add_orders(s);
	add_devices(s);
	assert_ok(quarantine_one(s, QUARANTINED_UNREAD, 1, 5, NULL));
	assert_ok(quarantine_one(s, QUARANTINED_STALE, 2, 5, NULL));
	assert_ok(store_update_once(s, "se", 19, said_nothing, NULL, &once,
				    NULL, 3000, NULL, NULL, &err));
	assert_ok(store_secret_used(s, "se", &use, NULL, &err));
	add_docs(s);
	return s;
}

/* ---- what is told ---- */

struct told {
	char first[300];
	char table[40];
};

static void hear(void *arg, const char *table, const char *what)
{
	struct told *t = arg;

	if (*t->first)
		return;
	snprintf(t->first, sizeof(t->first), "%s", what);
	snprintf(t->table, sizeof(t->table), "%s", table);
}

static uint64_t verify(struct store *s, struct told *t)
{
	struct store_verified v;

	*t = (struct told){0};
	assert_ok(store_verify(s, hear, t, &v, &err));
	return v.wrong;
}

static void a_whole_store_is_found_whole(void **state)
{
	struct store *s = fill(*state);
	struct store_verified v;
	struct told t;

	if (verify(s, &t))
		FAILED("%s: %s", t.table, t.first);
	assert_ok(store_verify(s, NULL, NULL, &v, &err));
	assert_int_equal(v.n, TABLES);
	for (size_t i = 0; i < v.n; i++)
		if (!v.tables[i].rows)
			FAILED("nothing in %s: the tests below prove nothing",
				 v.tables[i].name);
	store_close(s);
}

/* ---- harm ---- */

enum harm { GONE, CUT, NOWHERE, HARMS };

/* What no other row knows of, or what may be of any form. */
static bool harmless(enum table t, enum harm h)
{
	static const struct {
		enum table table;
		unsigned harms;
	} all[] = {
		{T_META, 1 << GONE | 1 << NOWHERE},
		{T_DETAILS, 1 << CUT}, /* its JSON is the server's */
		{T_ADDRESSES, 1 << CUT},
		{T_JOURNAL, 1 << GONE},
		{T_CHANGES, 1 << GONE},
		{T_SESSIONS, 1 << GONE},
		{T_CODES, 1 << GONE},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (all[i].table == t && all[i].harms & 1u << h)
			return true;
	return false;
}

/* The last row of a table, copied. */
struct row {
	struct key k;
	unsigned char v[2000];
	size_t n;
};

static bool last_row(struct store *s, enum table table, struct row *ret)
{
	struct walk w;
	struct txn t;
	bool any = false;

	assert_ok(txn_read(&t, s, &err));
	assert_ok(walk_open(&w, &t, table, NULL, 0, &err));
	while (walk_next(&w, &err) == OK) {
		key_bytes(key_start(&ret->k), w.k.mv_data, w.k.mv_size);
		assert_true(w.v.mv_size <= sizeof(ret->v));
		memcpy(ret->v, w.v.mv_data, w.v.mv_size);
		ret->n = w.v.mv_size;
		any = true;
	}
	walk_close(&w);
	txn_abort(&t);
	return any;
}

static void put_row(struct store *s, enum table table, const struct row *r,
		    size_t n)
{
	struct txn t;

	assert_ok(txn_write(&t, s, &err));
	assert_ok(txn_put(&t, table, &r->k, r->v, n, &err));
	assert_ok(txn_commit(&t, &err));
}

static void del_row(struct store *s, enum table table, const struct row *r)
{
	struct txn t;

	assert_ok(txn_write(&t, s, &err));
	assert_ok(txn_del(&t, table, &r->k, &err));
	assert_ok(txn_commit(&t, &err));
}

/* Does harm to a table, verifies, mends it again. */
static void expect_found(struct store *s, enum table table, enum harm h)
{
	static const char *const names[] = {"gone", "cut", "from nowhere"};
	struct row r, strange = {.n = 3, .v = "???"};
	uint64_t wrong;
	struct told t;

	if (!last_row(s, table, &r) || (h == CUT && !r.n) ||
	    harmless(table, h))
		return;
	key_bytes(key_start(&strange.k), "\xee\xee\xee", 3);
	if (h == GONE)
		del_row(s, table, &r);
	else if (h == CUT)
		put_row(s, table, &r, r.n / 2);
	else
		put_row(s, table, &strange, strange.n);
	wrong = verify(s, &t);
	if (!wrong)
		FAILED("a row of %s is %s and nothing is said",
			 table_names[table], names[h]);
	if (h == NOWHERE)
		del_row(s, table, &strange);
	else
		put_row(s, table, &r, r.n);
	if (verify(s, &t))
		FAILED("%s was not mended: %s: %s", table_names[table],
			 t.table, t.first);
}

static void a_row_gone_cut_or_from_nowhere_is_found_in_every_table(
	void **state)
{
	struct store *s = fill(*state);

	for (int table = 0; table < TABLES; table++)
		for (int h = 0; h < HARMS; h++)
			expect_found(s, (enum table)table, (enum harm)h);
	store_close(s);
}

/* ---- a row that leads to another than it says ---- */

/* One byte of the last row's key is another; `from_end` counts from 1. */
static void expect_byte_found(struct store *s, enum table table,
			      size_t from_end)
{
	struct row was, is;
	struct told t;

	assert_true(last_row(s, table, &was));
	is = was;
	is.k.b[is.k.n - from_end] ^= 1;
	del_row(s, table, &was);
	put_row(s, table, &is, is.n);
	/* The record misses its row, and the row does not lead to it. */
	if (verify(s, &t) < 2)
		FAILED("a row of %s leads elsewhere and nothing is said of it",
		       table_names[table]);
	del_row(s, table, &is);
	put_row(s, table, &was, was.n);
	assert_int_equal(verify(s, &t), 0);
}

static void a_row_that_leads_to_another_is_found(void **state)
{
	const size_t instance_of_bounded = 8 + 1 + 2;
	struct store *s = fill(*state);

	expect_byte_found(s, T_BOUNDED, instance_of_bounded);
	expect_byte_found(s, T_BOUNDED_SEEN, 1);
	expect_byte_found(s, T_ONCE_AGE, 8 + ONCE_HASH + 1);
	expect_byte_found(s, T_SEEN, 1);
	expect_byte_found(s, T_TASK_NAMES, 1);
	expect_byte_found(s, T_DUE, 8 + 1);
	expect_byte_found(s, T_WAITING, 1);
	expect_byte_found(s, T_DONE, 8 + 1);
	expect_byte_found(s, T_LISTS, 8 + 1);
	expect_byte_found(s, T_DOC_LISTS, 2); /* the end of the document's key */
	expect_byte_found(s, T_DOC_COUNTS, 2);
	store_close(s);
}

static void a_size_that_is_not_so_is_found(void **state)
{
	struct store *s = fill(*state);
	struct told t;
	struct row r;

	assert_true(last_row(s, T_BOUNDED, &r));
	r.v[r.n - 1] ^= 1;
	put_row(s, T_BOUNDED, &r, r.n);
	assert_int_equal(verify(s, &t), 1);
	assert_string_equal(t.table, "bounded");
	store_close(s);
}

/* ---- the same key, another meaning ---- */

static void derive_otherwise(void *arg, struct order *o)
{
	derive_done(arg, o);
	for (size_t i = 0; i < o->n_offers; i++)
		if (o->offers[i].state == STATE_PENDING)
			o->offers[i].state = STATE_TAKEN;
}

static void a_state_that_the_facts_do_not_mean_is_found(void **state)
{
	struct store *s = fill(*state);
	struct told t;

	s->base.derive = derive_otherwise;
	assert_int_equal(verify(s, &t), 2);
	assert_string_equal(t.table, "orders");
	assert_non_null(strstr(t.first, "kept as pending and means taken"));
	store_close(s);
}

static void a_number_given_out_twice_is_found(void **state)
{
	struct store *s = fill(*state);
	struct told t;
	struct txn w;

	assert_ok(txn_write(&w, s, &err));
	assert_ok(txn_set_last(&w, "events", 1, &err));
	assert_ok(txn_commit(&w, &err));
	assert_int_equal(verify(s, &t), 1);
	assert_string_equal(t.table, "events");
	assert_non_null(strstr(t.first, "never given out"));
	store_close(s);
}

/* An offer that was accepted and that a look showed nothing of is in doubt. */
static void derive_doubt(void *arg, struct order *o)
{
	derive_done(arg, o);
	for (size_t i = 0; i < o->n_offers; i++)
		o->offers[i].doubt = o->offers[i].sighting.blank;
}

static void a_wrong_count_of_orders_in_doubt_is_found(void **state)
{
	struct store *s = fill(*state);
	struct changes c = {0};
	struct told t;
	struct txn w;

	s->base.derive = derive_doubt;
	changes_add(&c, CHANGE_SIGHTING, 3)->sighting.blank = true;
	change_order(s, 20, 2003, &c);
	assert_int_equal(stats_of(s).in_doubt, 1);
	assert_int_equal(verify(s, &t), 0);
	for (uint64_t n = 0; n <= 2; n += 2) {
		assert_ok(txn_write(&w, s, &err));
		assert_ok(txn_set_last(&w, "orders_in_doubt", n, &err));
		assert_ok(txn_commit(&w, &err));
		assert_int_equal(verify(s, &t), 1);
		assert_string_equal(t.table, "meta");
		assert_non_null(strstr(t.first, "1 orders are in doubt"));
	}
	store_close(s);
}

static void a_backup_that_was_killed_is_no_hindrance(void **state)
{
	struct store *s = fill(*state);
	char *file = xasprintf("%s/copy", (char *)*state);
	char *part = xasprintf("%s.tmp", file);
	FILE *f = fopen(part, "w");

	assert_non_null(f);
	fputs("half of it", f);
	fclose(f);
	assert_ok(store_backup(s, file, &err));
	assert_int_not_equal(access(part, F_OK), 0);
	assert_int_equal(store_backup(s, file, &err), RC_EXISTS);
	store_close(s);
	free(part);
	free(file);
}

static void a_backup_is_for_nobody_else_to_read(void **state)
{
	struct store *s = fill(*state);
	char *file = xasprintf("%s/copy", (char *)*state);
	char *part = xasprintf("%s.tmp", file);
	FILE *f = fopen(part, "w");
	struct stat st;

	assert_non_null(f);
	fclose(f);
	assert_int_equal(chmod(part, 0666), 0);
	assert_ok(store_backup(s, file, &err));
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	store_close(s);
	free(part);
	free(file);
}

static void a_backup_goes_into_no_file_of_somebody_elses(void **state)
{
	struct store *s = fill(*state);
	char *file = xasprintf("%s/copy", (char *)*state);
	char *part = xasprintf("%s.tmp", file);
	char *other = xasprintf("%s/other", (char *)*state);
	FILE *f = fopen(other, "w");
	struct stat st;

	assert_non_null(f);
	fputs("precious", f);
	fclose(f);
	assert_int_equal(symlink(other, part), 0);
	assert_int_equal(store_backup(s, file, &err), RC_EXISTS);
	assert_int_equal(unlink(part), 0);
	assert_int_equal(link(other, part), 0);
	assert_int_equal(store_backup(s, file, &err), RC_EXISTS);
	assert_int_equal(unlink(part), 0);
	assert_int_equal(mkfifo(part, 0600), 0);
	assert_int_equal(store_backup(s, file, &err), RC_EXISTS);
	assert_int_equal(stat(other, &st), 0);
	assert_int_equal(st.st_size, 8);
	assert_int_not_equal(access(file, F_OK), 0);
	store_close(s);
	free(other);
	free(part);
	free(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(a_whole_store_is_found_whole),
		IN_DIR(a_row_gone_cut_or_from_nowhere_is_found_in_every_table),
		IN_DIR(a_row_that_leads_to_another_is_found),
		IN_DIR(a_size_that_is_not_so_is_found),
		IN_DIR(a_state_that_the_facts_do_not_mean_is_found),
		IN_DIR(a_number_given_out_twice_is_found),
		IN_DIR(a_wrong_count_of_orders_in_doubt_is_found),
		IN_DIR(a_backup_that_was_killed_is_no_hindrance),
		IN_DIR(a_backup_is_for_nobody_else_to_read),
		IN_DIR(a_backup_goes_into_no_file_of_somebody_elses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
