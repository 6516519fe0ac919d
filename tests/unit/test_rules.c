/* SPDX-License-Identifier: MIT
 *
 * test_rules.c - what holds for every rule of the store: it reads what it
 * named, and a put that fails fails it.
 */
#include "tests/unit/store_fixture.h"

#include "store/rules/engine.h"

struct reading {
	struct op op;
	bool names, puts;
	unsigned parts;
	enum rc read; /* out */
};

static void name_order(struct rows *r, struct op *op)
{
	const struct reading *o = (struct reading *)op;

	if (o->names)
		want_order(r, "se", 19, o->parts);
}

static enum rc read_order(struct rows *r, struct op *op, struct err *e)
{
	struct reading *o = (struct reading *)op;
	struct order order = {0};
	const char *text;
	size_t len;

	o->read = row_order(r, "se", 19, &order, e);
	order_release(&order);
	if (!o->read)
		o->read = row_json(r, "se", 19, PART_DETAILS, &text, &len, e);
	if (o->puts) /* whatever it read: the op fails by its result alone */
		add_count(r, "test", 1);
	return o->read == RC_NOTFOUND ? OK : o->read;
}

static enum rc run(struct store *s, struct reading *o)
{
	o->op = (struct op){.want = name_order, .run = read_order};
	return store_do(s, &o->op, sizeof(*o), NULL, &err);
}

static uint64_t counted(struct store *s)
{
	struct rows *r;
	uint64_t n;

	assert_ok(rows_open(&r, s, &err));
	want_count(r, "test");
	assert_ok(rows_fetch(r, &err));
	assert_ok(row_count(r, "test", &n, &err));
	rows_close(r);
	return n;
}

static void a_rule_that_reads_what_it_did_not_name_fails(void **state)
{
	struct store *s = open_serve(*state);

	assert_int_equal(run(s, &(struct reading){.puts = true}), RC_INVALID);
	assert_non_null(strstr(err.text, "did not name"));
	/* The row, but not its details. */
	assert_int_equal(run(s, &(struct reading){.names = true}), RC_INVALID);
	assert_int_equal(counted(s), 0);
	assert_ok(run(s, &(struct reading){.names = true,
					   .parts = WANT_DETAILS,
					   .puts = true}));
	assert_int_equal(counted(s), 1);
	store_close(s);
}

static void what_one_rule_named_is_not_named_for_the_next(void **state)
{
	struct store *s = open_serve(*state);
	struct reading named = {.names = true, .parts = WANT_DETAILS};
	struct reading unnamed = {0};
	struct op *ops[] = {&named.op, &unnamed.op};

	named.op = (struct op){.want = name_order, .run = read_order};
	unnamed.op = named.op;
	store_do_all(s, ops, 2);
	assert_int_equal(named.op.rc, OK);
	assert_int_equal(unnamed.op.rc, RC_INVALID);
	store_close(s);
}

static void a_store_that_is_not_strict_reads_it_all_the_same(void **state)
{
	const struct store_options o = {.url = url_of(*state),
					.max_bytes = (size_t)64 << 20,
					.serve = true};
	struct store *s = NULL;

	assert_ok(store_open(&s, &o, &err));
	assert_ok(run(s, &(struct reading){0}));
	store_close(s);
}

/* ---- a put that fails ---- */

static enum rc put_too_much(struct rows *r, struct op *op, struct err *e)
{
	const struct quarantined big = {.instance = "se",
					.reason = "too much",
					.bytes = (char *)(uintptr_t)"x",
					.len = (size_t)1 << 40};

	(void)op;
	(void)e;
	put_quarantined(r, &big);
	add_count(r, "test", 1);
	return OK;
}

static void a_put_that_fails_fails_the_rule_with_its_sentence(void **state)
{
	struct store *s = open_serve(*state);
	struct op op = {.run = put_too_much};

	assert_int_equal(store_do(s, &op, sizeof(op), NULL, &err), RC_INVALID);
	assert_non_null(strstr(err.text, "too large"));
	assert_int_equal(counted(s), 0);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(a_rule_that_reads_what_it_did_not_name_fails),
		IN_DIR(what_one_rule_named_is_not_named_for_the_next),
		IN_DIR(a_store_that_is_not_strict_reads_it_all_the_same),
		IN_DIR(a_put_that_fails_fails_the_rule_with_its_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
