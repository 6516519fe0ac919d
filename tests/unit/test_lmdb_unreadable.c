/* SPDX-License-Identifier: MIT
 *
 * test_lmdb_unreadable.c - rows that cannot be read: a list goes on behind them
 * and says how many it left out, and nothing is written over them.
 */
#include "tests/unit/store_fixture.h"

#include "store/lmdb/store_private.h"

#define DAMAGE "???"

/* Damages the row of a table that has `before` rows before it. */
static void damage(struct store *s, enum table table, unsigned before)
{
	struct walk w = {0};
	struct txn t;
	struct key k;

	assert_ok(txn_write(&t, s, &err));
	assert_ok(walk_open(&w, &t, table, NULL, 0, &err));
	do
		assert_ok(walk_next(&w, &err));
	while (before--);
	key_bytes(key_start(&k), w.k.mv_data, w.k.mv_size);
	walk_close(&w);
	assert_ok(txn_put(&t, table, &k, DAMAGE, strlen(DAMAGE), &err));
	assert_ok(txn_commit(&t, &err));
}

static bool is_damaged(struct store *s, enum table table, const struct key *k)
{
	struct txn t;
	MDB_val v;
	bool ret;

	assert_ok(txn_read(&t, s, &err));
	assert_ok(txn_get(&t, table, k, &v, &err));
	ret = v.mv_size == strlen(DAMAGE) &&
	      !memcmp(v.mv_data, DAMAGE, v.mv_size);
	txn_abort(&t);
	return ret;
}

/* ---- lists ---- */

#define COUNTS(type)                                                           \
	static bool count_##type(void *arg, const struct type *row)            \
	{                                                                      \
		(void)row;                                                     \
		++*(size_t *)arg;                                              \
		return true;                                                   \
	}

COUNTS(order)
COUNTS(event)
COUNTS(task)
COUNTS(quarantined)
COUNTS(device)
COUNTS(entry)

static enum rc list_orders(struct store *s, size_t *n)
{
	return store_orders(s, NULL, 0, count_order, n, &err);
}

static enum rc list_events(struct store *s, size_t *n)
{
	return store_events(s, 0, count_event, n, &err);
}

static enum rc list_tasks(struct store *s, size_t *n)
{
	return store_tasks(s, false, 0, count_task, n, &err);
}

static enum rc list_quarantine(struct store *s, size_t *n)
{
	return store_quarantine(s, 0, count_quarantined, n, &err);
}

static enum rc list_devices(struct store *s, size_t *n)
{
	return store_devices(s, count_device, n, &err);
}

static enum rc list_journal(struct store *s, size_t *n)
{
	return store_journal(s, "se", 19, count_entry, n, &err);
}

static uint64_t add_device(struct store *s, unsigned char secret)
{
	const struct device d = {.shop = "ams", .name = "till", .created = 5};
	const unsigned char token[TOKEN_HASH_SIZE] = {secret},
			    code[TOKEN_HASH_SIZE] = {secret, 1};
	uint64_t id;

	assert_ok(store_device_add(s, &d, token, code, 1000, &id, &err));
	return id;
}

/* Three rows of each kind, at least. */
static struct store *open_filled(const char *dir)
{
	struct store *s = open_serve(dir);
	struct recorded got;

	for (int64_t i = 0; i < 3; i++) {
		struct changes c = {0};

		changes_journal(&c, &(struct entry){.fact = FACT_OFFERED});
		change_order(s, 19, 1000 + i, &c);
		opening(&c, 3, "2021-01-11 16:21:00.000000", 5000);
		change_order(s, 19 + i, 1000, &c);
		assert_ok(record_one(s, 100 + i, "{}", "thing", &got));
		assert_ok(quarantine_one(s, QUARANTINED_STALE, (unsigned)i, 3,
					 &got));
		add_device(s, (unsigned char)(10 + i));
	}
	return s;
}

static void a_row_that_cannot_be_read_hides_no_other_from_a_list(void **state)
{
	static const struct {
		enum table table;
		enum rc (*list)(struct store *s, size_t *n);
		const char *name;
	} lists[] = {
		{T_ORDERS, list_orders, "'orders' cannot be read"},
		{T_EVENTS, list_events, "'events' cannot be read"},
		{T_TASKS, list_tasks, "'tasks' cannot be read"},
		{T_QUARANTINE, list_quarantine, "'quarantine' cannot be read"},
		{T_DEVICES, list_devices, "'devices' cannot be read"},
		{T_JOURNAL, list_journal, "'journal' cannot be read"},
	};
	struct store *s = open_filled(*state);

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		size_t all = 0, n = 0;

		assert_ok(lists[i].list(s, &all));
		assert_true(all >= 3);
		damage(s, lists[i].table, 1);
		assert_int_equal(lists[i].list(s, &n), RC_INVALID);
		assert_int_equal(n, all - 1);
		assert_non_null(strstr(err.text, lists[i].name));
		assert_ptr_equal(strstr(err.text, "1 row of "), err.text);
	}
	store_close(s);
}

static void a_list_says_how_many_it_left_out_and_names_the_first(void **state)
{
	struct store *s = open_filled(*state);
	size_t n = 0;

	damage(s, T_ORDERS, 1);
	damage(s, T_ORDERS, 2);
	assert_int_equal(list_orders(s, &n), RC_INVALID);
	assert_int_equal(n, 1);
	assert_ptr_equal(strstr(err.text, "2 rows of 'orders'"), err.text);
	assert_non_null(strstr(err.text, "(the first: se/20)"));
	assert_non_null(strstr(err.text, "shipfrom verify"));
	store_close(s);
}

static unsigned one(const char *kind)
{
	(void)kind;
	return 1;
}

/* A row of the table `dead` leads to a row of `tasks`. */
static void a_dead_task_that_is_gone_hides_no_other(void **state)
{
	const struct result dead = {.how = OUTCOME_DEAD};
	struct store *s = open_filled(*state);
	struct task t;
	struct txn txn;
	struct key k;
	size_t n = 0;
	int64_t next;

	assert_ok(store_lease(s, 2000, one, &t, 1, &n, &next, &err));
	assert_ok(store_finish(s, &t, &dead, 2000, &err));
	task_release(&t);
	assert_ok(txn_write(&txn, s, &err));
	assert_ok(txn_put(&txn, T_DEAD, key_u64(key_start(&k), 0), NULL, 0,
			  &err));
	assert_ok(txn_commit(&txn, &err));
	n = 0;
	assert_int_equal(store_tasks(s, true, 0, count_task, &n, &err),
			 RC_INVALID);
	assert_int_equal(n, 1);
	store_close(s);
}

/* ---- writes ---- */

static void nothing_is_written_over_a_damaged_order(void **state)
{
	struct store *s = open_filled(*state);
	struct changes c = {0};
	struct recorded got;
	struct order o;
	struct key k;

	damage(s, T_ORDERS, 1);
	order_key(key_start(&k), "se", 20);
	opening(&c, 3, "2021-01-11 16:21:00.000000", 5000);
	assert_int_equal(store_update(s, "se", 20, say, &c, 2000, NULL, NULL,
				      &err),
			 RC_INVALID);
	changes_release(&c);
	assert_ok(record_one(s, 20, "{\"a\":1}", "thing", &got));
	assert_true(is_damaged(s, T_ORDERS, &k));
	assert_int_equal(store_order(s, "se", 20, &o, &err), RC_INVALID);
	assert_non_null(strstr(err.text, "order se/20 is damaged"));
	assert_non_null(strstr(err.text, "shipfrom verify"));
	store_close(s);
}

static struct task task_of(const char *kind, int64_t number)
{
	struct task t = {
		.instance = "se",
		.number = number,
		.created = 1,
		.due = 5,
		.again = TIME_NONE,
	};

	assert_true(copy_text(t.kind, sizeof(t.kind), kind));
	return t;
}

/* Leases the task that is due next; false: none is. */
static bool lease(struct store *s, struct task *ret)
{
	int64_t next;
	size_t n;
	enum rc rc = store_lease(s, 2000, one, ret, 1, &n, &next, &err);

	assert_true(rc == OK || rc == RC_NOTFOUND);
	return rc == OK;
}

/* The faults that `shipfrom verify` finds. */
static uint64_t faults(struct store *s)
{
	struct store_verified v;

	assert_ok(store_verify(s, NULL, NULL, &v, &err));
	return v.wrong;
}

static void assert_leased(struct store *s, const char *kind, int64_t number,
			  int64_t sub)
{
	struct task t;

	if (!lease(s, &t))
		assert_true(lease(s, &t)); /* the first made it anew */
	assert_string_equal(t.kind, kind);
	assert_string_equal(t.instance, "se");
	assert_int_equal(t.number, number);
	assert_int_equal(t.sub, sub);
	task_release(&t);
}

/* Else a reconciliation, or a shop's answer, would never be run again. */
static void a_damaged_task_that_waits_is_made_anew(void **state)
{
	struct store *s = open_serve(*state);
	struct task t = task_of("reconcile", 0);

	t.sub = 7;
	assert_ok(store_task_add(s, &t, &err));
	damage(s, T_TASKS, 0);
	assert_true(faults(s) > 0);
	assert_leased(s, "reconcile", 0, 7);
	assert_int_equal(faults(s), 0);
	store_close(s);
}

static void a_task_whose_row_is_gone_is_made_anew(void **state)
{
	struct store *s = open_serve(*state);
	struct task t = task_of("answer_offer", 19);
	struct txn txn;
	struct key k;

	assert_ok(store_task_add(s, &t, &err));
	assert_ok(txn_write(&txn, s, &err));
	assert_ok(txn_del(&txn, T_TASKS, key_u64(key_start(&k), 1), &err));
	assert_ok(txn_commit(&txn, &err));
	assert_leased(s, "answer_offer", 19, 0);
	assert_int_equal(faults(s), 0);
	store_close(s);
}

static void a_damaged_task_that_is_asked_for_is_made_anew(void **state)
{
	struct store *s = open_serve(*state);
	struct task t = task_of("reconcile", 0);

	assert_ok(store_task_add(s, &t, &err));
	damage(s, T_TASKS, 0);
	assert_ok(store_task_add(s, &t, &err));
	assert_leased(s, "reconcile", 0, 0);
	assert_false(lease(s, &t)); /* it is there once */
	assert_int_equal(faults(s), 0);
	store_close(s);
}

static void end_as(struct store *s, const struct result *r)
{
	struct task t;

	assert_true(lease(s, &t));
	assert_ok(store_finish(s, &t, r, 2000, &err));
	task_release(&t);
}

static void a_damaged_dead_task_that_is_asked_for_is_made_anew(void **state)
{
	struct store *s = open_serve(*state);
	struct task t = task_of("reconcile", 0);

	assert_ok(store_task_add(s, &t, &err));
	end_as(s, &(struct result){.how = OUTCOME_DEAD});
	damage(s, T_TASKS, 0);
	assert_ok(store_task_add(s, &t, &err));
	assert_leased(s, "reconcile", 0, 0);
	assert_int_equal(faults(s), 0);
	store_close(s);
}

static void a_damaged_task_keeps_no_other_from_being_added(void **state)
{
	struct store *s = open_filled(*state);
	struct task tasks[3];
	size_t before = 0, n = 0;

	for (int64_t i = 0; i < 3; i++)
		tasks[i] = task_of("look", 30 + i);
	assert_ok(list_tasks(s, &before));
	assert_ok(store_tasks_add(s, &tasks[1], 1, &err));
	damage(s, T_TASKS, (unsigned)before);
	assert_ok(store_tasks_add(s, tasks, 3, &err));
	assert_ok(list_tasks(s, &n));
	assert_int_equal(n, before + 3);
	store_close(s);
}

/* Else the run that has the result begins again each second, and calls Centra
 * each time. */
static void a_damaged_follow_up_keeps_no_result(void **state)
{
	struct store *s = open_serve(*state);
	struct task follow = task_of("follow", 19), own = task_of("own", 19);
	struct result r = {.how = OUTCOME_DONE};

	follow.due = 3000;
	assert_ok(store_task_add(s, &follow, &err));
	assert_ok(store_task_add(s, &own, &err));
	damage(s, T_TASKS, 0);
	changes_task(&r.changes, "follow", 0, 1000);
	end_as(s, &r);
	result_release(&r);
	assert_leased(s, "follow", 19, 0);
	store_close(s);
}

/* What a result must wait for: it is damaged, and waits or is dead. */
static void undecided(const char *dir, bool dead)
{
	static const char *const kinds[] = {"event", NULL};
	struct store *s = open_serve(dir);
	struct task event = task_of("event", 19), own = task_of("own", 19), t;
	const struct result r = {.how = OUTCOME_DONE, .unless = kinds};

	assert_ok(store_task_add(s, &event, &err));
	if (dead)
		end_as(s, &(struct result){.how = OUTCOME_DEAD});
	own.due = 1;
	assert_ok(store_task_add(s, &own, &err));
	assert_true(lease(s, &t));
	assert_string_equal(t.kind, "own");
	damage(s, T_TASKS, 0);
	assert_ok(store_finish(s, &t, &r, 2000, &err));
	task_release(&t);
	if (dead)
		assert_false(lease(s, &t)); /* `own` has ended */
	else
		assert_leased(s, "event", 19, 0);
	store_close(s);
}

static void a_result_waits_for_a_damaged_task_that_is_made_anew(void **state)
{
	undecided(*state, false);
}

static void a_result_waits_for_no_damaged_dead_task(void **state)
{
	undecided(*state, true);
}

/* The row is damaged while the task runs: it runs once more. */
static void a_task_damaged_while_it_runs_runs_again_once(void **state)
{
	const struct result r = {.how = OUTCOME_DONE};
	struct store *s = open_serve(*state);
	struct task t = task_of("own", 19);
	int64_t next;
	size_t n;

	assert_ok(store_task_add(s, &t, &err));
	assert_true(lease(s, &t));
	damage(s, T_TASKS, 0);
	assert_int_equal(store_finish(s, &t, &r, 2000, &err), RC_INVALID);
	task_release(&t);
	assert_int_equal(store_lease(s, 4000, one, &t, 1, &n, &next, &err),
			 RC_NOTFOUND); /* which makes it anew */
	assert_ok(store_lease(s, 4000, one, &t, 1, &n, &next, &err));
	assert_string_equal(t.kind, "own");
	assert_ok(store_finish(s, &t, &r, 4000, &err));
	task_release(&t);
	assert_int_equal(faults(s), 0);
	store_close(s);
}

static void want_fetch(void *arg, struct order *o)
{
	(void)arg;
	o->fetch_due = true;
}

static void place_by_offers(struct task *task, const struct order *o)
{
	task->lane = o && o->n_offers > 1 ? LANE_ANSWERS : LANE_LAST;
}

/* Else the run that has the result begins again and again, and calls Centra
 * each time. */
static void a_damaged_fetch_keeps_no_result_of_its_order(void **state)
{
	const struct store_options o = {
		.url = url_of(*state),
		.max_bytes = (size_t)64 << 20,
		.serve = true,
		.derive = want_fetch,
		.place = place_by_offers,
		.fetch_kind = "fetch_order",
	};
	struct store *s = open_with(&o);

	for (int64_t i = 0; i < 3; i++) {
		struct changes c = {0};

		opening(&c, 3 + i, "2021-01-11 16:21:00.000000", 5000);
		changes_task(&c, o.fetch_kind, 0, 1000 + i);
		change_order(s, 19, 1000 + i, &c);
		damage(s, T_TASKS, 0);
	}
	store_close(s);
}

static void a_damaged_device_keeps_no_other_from_being_readmitted(void **state)
{
	struct store *s = open_filled(*state);
	char *file = xasprintf("%s/backup", (const char *)*state);
	char *data = xasprintf("%s/data.mdb", (const char *)*state);
	size_t n;

	assert_ok(store_backup(s, file, &err));
	store_close(s);
	assert_int_equal(rename(file, data), 0);
	s = open_serve(*state); /* restored: all devices are suspended */
	damage(s, T_DEVICES, 1);
	assert_ok(store_devices_readmit(s, &n, &err));
	assert_int_equal(n, 2);
	store_close(s);
	free(file);
	free(data);
}

/* ---- removals by age ---- */

static bool is_any(void *arg, const struct order *o)
{
	(void)arg;
	return o->first_seen;
}

static void end_offer(void *arg, struct order *o)
{
	(void)arg;
	for (size_t i = 0; i < o->n_offers; i++)
		o->offers[i].list = LIST_DONE;
}

static size_t rows_of(struct store *s, enum table table)
{
	struct store_verified v;

	assert_ok(store_verify(s, NULL, NULL, &v, &err));
	return v.tables[table].rows;
}

/* Three orders that have ended, and three of all else. */
static struct store *open_ended(const char *dir)
{
	struct store_options o = {.url = url_of(dir),
				  .max_bytes = (size_t)256 << 20,
				  .serve = true,
				  .derive = end_offer};
	struct store *s = open_with(&o);

	for (int64_t i = 1; i <= 3; i++) {
		struct changes c = {0};
		char data[8];

		snprintf(data, sizeof(data), "%d", (int)i);
		opening(&c, 3, "2021-01-11 16:21:00.000000", 5000);
		change_order(s, i, 1000, &c);
		assert_ok(record_one(s, 100 + i, data, NULL, NULL));
		assert_ok(quarantine_one(s, QUARANTINED_STALE, (unsigned)i, 3,
					 NULL));
	}
	assert_ok(record_one(s, 9, "newest", NULL, NULL));
	return s;
}

/* It is named, and neither removed nor in the way of the others. */
static void a_row_that_cannot_be_read_is_not_removed_and_keeps_no_other(
	void **state)
{
	static const struct {
		enum aged what;
		enum table table, of; /* of: whose rows are counted */
		size_t left;
	} kinds[] = {
		{AGED_CHANGES, T_CHANGES, T_CHANGES, 0},
		{AGED_EVENTS, T_EVENTS, T_EVENTS, 2},
		{AGED_QUARANTINE, T_QUARANTINE, T_QUARANTINE, 1},
		{AGED_ORDERS, T_ORDERS, T_ORDERS, 1},
	};
	struct store *s = open_ended(*state);

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct removal r = {.what = kinds[i].what, .before = 9000,
				    .now = 9500, .finished = is_any};
		size_t n;

		if (kinds[i].left)
			damage(s, kinds[i].table, 1);
		assert_int_equal(remove_old(s, &r, &n),
				 kinds[i].left ? RC_INVALID : OK);
		assert_int_equal(rows_of(s, kinds[i].of), kinds[i].left);
	}
	store_close(s);
}

static void an_order_with_an_entry_that_cannot_be_read_stays(void **state)
{
	struct store *s = open_ended(*state);
	struct removal r = {.what = AGED_CHANGES, .before = 9000, .now = 9500,
			    .finished = is_any};
	size_t n;

	damage(s, T_JOURNAL, 1);
	assert_ok(remove_old(s, &r, &n));
	r = (struct removal){.what = AGED_ORDERS, .before = 9000, .now = 9500,
			     .finished = is_any};
	assert_int_equal(remove_old(s, &r, &n), RC_INVALID);
	assert_int_equal(n, 2);
	assert_int_equal(rows_of(s, T_JOURNAL), 1);
	store_close(s);
}

/* Stores of earlier versions kept no time with a change. */
static void a_change_without_a_time_is_older_than_all_others(void **state)
{
	struct store *s = open_ended(*state);
	struct removal r = {.what = AGED_CHANGES, .before = 500, .now = 9500};
	struct key k, v;
	struct txn t;
	size_t n;

	assert_ok(txn_write(&t, s, &err));
	order_key(&v, "se", 1);
	assert_ok(txn_put(&t, T_CHANGES, key_u64(key_start(&k), 1), v.b, v.n,
			  &err));
	assert_ok(txn_commit(&t, &err));
	assert_ok(remove_old(s, &r, &n));
	assert_int_equal(n, 1);
	assert_int_equal(rows_of(s, T_CHANGES), 2);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(a_row_that_cannot_be_read_hides_no_other_from_a_list),
		IN_DIR(a_list_says_how_many_it_left_out_and_names_the_first),
		IN_DIR(a_dead_task_that_is_gone_hides_no_other),
		IN_DIR(nothing_is_written_over_a_damaged_order),
		IN_DIR(a_damaged_task_that_waits_is_made_anew),
		IN_DIR(a_task_whose_row_is_gone_is_made_anew),
		IN_DIR(a_damaged_task_that_is_asked_for_is_made_anew),
		IN_DIR(a_damaged_dead_task_that_is_asked_for_is_made_anew),
		IN_DIR(a_damaged_task_keeps_no_other_from_being_added),
		IN_DIR(a_damaged_follow_up_keeps_no_result),
		IN_DIR(a_result_waits_for_a_damaged_task_that_is_made_anew),
		IN_DIR(a_result_waits_for_no_damaged_dead_task),
		IN_DIR(a_task_damaged_while_it_runs_runs_again_once),
		IN_DIR(a_damaged_fetch_keeps_no_result_of_its_order),
		IN_DIR(a_damaged_device_keeps_no_other_from_being_readmitted),
		IN_DIR(a_row_that_cannot_be_read_is_not_removed_and_keeps_no_other),
		IN_DIR(an_order_with_an_entry_that_cannot_be_read_stays),
		IN_DIR(a_change_without_a_time_is_older_than_all_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
