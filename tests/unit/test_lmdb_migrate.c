/* SPDX-License-Identifier: MIT
 *
 * test_lmdb_migrate.c - stores of older schemas open as ones of the present,
 * also after a kill in the middle, and never under an older server.
 *
 * tests/data/stores/schema-1.mdb is a backup that shipfrom wrote before the
 * queue had lanes: tasks that wait, were put off and are dead, of all kinds and
 * of two instances.
 */
#include "tests/unit/sample.h"

#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "store/lmdb/schema.h"
#include "store/lmdb/store_private.h"

#define SAMPLE "tests/data/stores/schema-1.mdb"
#define MANY   3500

static struct store *open_one(const char *dir)
{
	struct store_options o = sample_options(dir);

	return open_with(&o);
}

static void nothing_is_wrong(struct store *s)
{
	struct store_verified v;

	assert_ok(store_verify(s, NULL, NULL, &v, &err));
	assert_int_equal(v.wrong, 0);
}

/* ---- the sample ---- */

static const struct expected {
	const char *kind, *instance;
	int64_t number, due;
	unsigned attempts;
	bool dead;
	enum lane lane;
	unsigned group;
} expected[] = {
	{"fetch_order", "se", 90, 10, 1, true, LANE_REST, CALLS_GRAPHQL},
	{"answer_offer", "se", 91, 10, 1, true, LANE_ANSWERS, CALLS_ORDER_API},
	{"ship_order", "se", 30, 60000, 1, false, LANE_ANSWERS, CALLS_GRAPHQL},
	{"answer_offer", "no", 31, 50000, 1, false, LANE_ANSWERS,
	 CALLS_ORDER_API},
	{"fetch_order", "se", 40, 2000, 0, false, LANE_WAITED, CALLS_GRAPHQL},
	{"fetch_order", "se", 41, 2100, 0, false, LANE_REST, CALLS_GRAPHQL},
	{"fetch_order", "no", 42, 2200, 0, false, LANE_REST, CALLS_GRAPHQL},
	{"answer_offer", "no", 43, 2300, 0, false, LANE_ANSWERS,
	 CALLS_ORDER_API},
	{"fetch_order", "no", 43, 2300, 0, false, LANE_WAITED, CALLS_GRAPHQL},
	{"check_first", "se", 44, 1000, 0, false, LANE_ANSWERS, CALLS_NOBODY},
	{"order", "se", 44, 1000, 0, false, LANE_ANSWERS, CALLS_NOBODY},
	{"missed", "se", 45, 120000, 0, false, LANE_LAST, CALLS_GRAPHQL},
	{"missed", "se", 40, 130000, 0, false, LANE_LAST, CALLS_NOBODY},
};

static bool check_task(void *arg, const struct task *t)
{
	size_t *n = arg;
	const struct expected *x = &expected[*n];

	assert_true(*n < sizeof(expected) / sizeof(*expected));
	assert_string_equal(t->kind, x->kind);
	assert_string_equal(t->instance, x->instance);
	assert_int_equal(t->number, x->number);
	assert_int_equal(t->due, x->due);
	assert_int_equal(t->attempts, x->attempts);
	assert_int_equal(t->dead, x->dead);
	assert_int_equal(t->lane, x->lane);
	assert_int_equal(t->group, x->group);
	++*n;
	return true;
}

static void a_store_of_schema_1_opens_with_all_its_tasks(void **state)
{
	struct store *s;
	size_t n;

	sample_copy(*state, SAMPLE);
	for (int i = 0; i < 2; i++) { /* and stays as it is */
		s = open_one(*state);
		n = 0;
		assert_ok(store_tasks(s, false, 0, check_task, &n, &err));
		assert_int_equal(n, sizeof(expected) / sizeof(*expected));
		nothing_is_wrong(s);
		store_close(s);
	}
}

static void its_tasks_run(void **state)
{
	struct task t;
	struct store *s;
	int64_t next;
	size_t n, runs = 0;

	sample_copy(*state, SAMPLE);
	s = open_one(*state);
	while (!store_lease(s, 200000, NULL, &t, 1, &n, &next, &err)) {
		struct result r = {.how = OUTCOME_DONE};

		assert_ok(store_finish(s, &t, &r, 200000, &err));
		task_release(&t);
		runs++;
	}
	assert_true(runs >= 11);
	assert_int_equal(stats_of(s).tasks_dead, 2);
	nothing_is_wrong(s);
	store_close(s);
}

static void under_a_server_it_is_left_alone(void **state)
{
	char *path = xasprintf("%s/serve.lock", (char *)*state);
	struct store_options o = sample_options(*state);
	struct store *s = NULL;
	int fd;

	sample_copy(*state, SAMPLE);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	assert_true(fd >= 0 && !flock(fd, LOCK_EX | LOCK_NB));
	assert_int_equal(store_open(&s, &o, &err), RC_EXISTS);
	assert_non_null(strstr(err.text, "restart the server"));
	close(fd);
	s = open_one(*state); /* it is gone */
	nothing_is_wrong(s);
	store_close(s);
	free(path);
}

/* ---- a kill in the middle ---- */

static void put_number(struct txn *t, const char *name, unsigned value)
{
	struct key k, v;

	key_bytes(key_start(&k), name, strlen(name));
	key_u8(key_u8(key_u8(key_u8(key_start(&v), 0), 0), 0), (uint8_t)value);
	assert_ok(txn_put(t, T_META, &k, v.b, v.n, &err));
}

static bool put_old(void *arg, const struct task *t)
{
	struct key k;

	key_u64(key_i64(key_start(&k), t->due), t->id);
	assert_ok(txn_put(arg, T_DUE, &k, NULL, 0, &err));
	return true;
}

/* Makes of the store, which holds waiting tasks alone, one of schema 1. */
static void make_old(struct store *s)
{
	static const enum table emptied[] = {T_DUE, T_WAITING};
	struct txn t;

	assert_ok(txn_write(&t, s, &err));
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(mdb_drop(t.mdb, s->tables[emptied[i]], 0), 0);
	put_number(&t, "schema", 1);
	put_number(&t, "steps", 0);
	assert_ok(txn_commit(&t, &err));
}

/* As a disk leaves them: an order's row that is no order, and a row of `due`
 * that is no key. */
static void break_rows(struct txn *t)
{
	struct key k;

	key_i64(key_str(key_start(&k), "se"), 7);
	assert_ok(txn_put(t, T_ORDERS, &k, "???", 3, &err));
	key_bytes(key_start(&k), "\x80??", 3);
	assert_ok(txn_put(t, T_DUE, &k, NULL, 0, &err));
}

static void fill_old(const char *dir, bool broken)
{
	struct task *list = xcalloc(MANY, sizeof(*list));
	struct store *s = open_one(dir);
	struct txn t;

	for (int i = 0; i < MANY; i++) {
		list[i] = (struct task){.instance = "se",
					.kind = TASK_FETCH_ORDER,
					.number = i + 1,
					.created = 1,
					.due = 10 + i};
	}
	assert_ok(store_tasks_add(s, list, MANY, &err));
	make_old(s);
	assert_ok(txn_write(&t, s, &err));
	for (int i = 0; i < MANY; i++) {
		list[i].id = (uint64_t)i + 1;
		put_old(&t, &list[i]);
	}
	if (broken)
		break_rows(&t);
	assert_ok(txn_commit(&t, &err));
	store_close(s);
	free(list);
}

static int placed;

/* Dies in the third of the migration's transactions. */
static void place_and_die(struct task *t, const struct order *o)
{
	if (++placed == 2500)
		raise(SIGKILL);
	handler_place(t, o);
}

static void open_and_die(const char *dir)
{
	struct store_options o = sample_options(dir);
	struct store *s;
	pid_t pid = fork();
	int status;

	if (!pid) {
		o.place = place_and_die;
		(void)!store_open(&s, &o, &err);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

/* What the file says, read without opening it as a store. */
static uint32_t schema_of(const char *dir, size_t *ret_due)
{
	MDB_env *env;
	MDB_txn *t;
	MDB_dbi meta, due;
	char name[] = "schema";
	MDB_val k = {strlen(name), name}, v;
	MDB_stat st;
	const unsigned char *p;
	uint32_t ret;

	assert_int_equal(mdb_env_create(&env), 0);
	mdb_env_set_maxdbs(env, 32);
	assert_int_equal(mdb_env_open(env, dir, 0, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, MDB_RDONLY, &t), 0);
	assert_int_equal(mdb_dbi_open(t, "meta", 0, &meta), 0);
	assert_int_equal(mdb_dbi_open(t, "due", 0, &due), 0);
	assert_int_equal(mdb_get(t, meta, &k, &v), 0);
	assert_int_equal(mdb_stat(t, due, &st), 0);
	p = v.mv_data;
	ret = p[3];
	*ret_due = st.ms_entries;
	mdb_txn_abort(t);
	mdb_env_close(env);
	return ret;
}

static void a_kill_in_the_middle_loses_nothing(void **state)
{
	struct store *s;
	size_t due;

	fill_old(*state, false);
	assert_int_equal(schema_of(*state, &due), 1);
	open_and_die(*state);
	/* An older shipfrom refuses it from the first transaction on. */
	assert_int_equal(schema_of(*state, &due), SCHEMA_VERSION);
	assert_int_equal(due, MANY);
	s = open_one(*state);
	nothing_is_wrong(s);
	assert_int_equal(stats_of(s).tasks_waiting, MANY);
	store_close(s);
}

/* ---- broken rows ---- */

static void a_broken_row_does_not_stop_it(void **state)
{
	struct store *s;

	fill_old(*state, true);
	s = open_one(*state);
	assert_int_equal(stats_of(s).tasks_waiting, MANY);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(a_store_of_schema_1_opens_with_all_its_tasks),
		IN_DIR(its_tasks_run),
		IN_DIR(under_a_server_it_is_left_alone),
		IN_DIR(a_kill_in_the_middle_loses_nothing),
		IN_DIR(a_broken_row_does_not_stop_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
