/* SPDX-License-Identifier: MIT
 *
 * test_lmdb_open.c - opening, locking, versions, backup, and the sample of what
 * version 1 wrote.
 */
#include "tests/unit/store_fixture.h"

#include <lmdb.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store/model/codec.h"
#include "store/lmdb/schema.h"
#include "store/rules/engine.h"

/* ---- opening ---- */

static enum rc try_open(const char *dir, bool serve)
{
	struct store_options o = {.url = url_of(dir), .serve = serve};
	struct store *s = NULL;
	enum rc rc = store_open(&s, &o, &err);

	store_close(s);
	return rc;
}

/* The result of opening the folder in another process. */
static enum rc try_open_elsewhere(const char *dir, bool serve)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(try_open(dir, serve));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return (enum rc)WEXITSTATUS(status);
}

static void a_store_is_made_where_its_parent_is(void **state)
{
	char *dir = xasprintf("%s/new", (char *)*state);
	char *far = xasprintf("%s/not/there", (char *)*state);
	char *data = xasprintf("%s/data.mdb", dir);
	struct stat st;

	assert_int_equal(try_open(far, true), RC_NOTFOUND);
	assert_int_equal(try_open(dir, true), OK);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat(data, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(try_open(data, true), RC_INVALID); /* a file */
	free(far);
	free(data);
	data = dir;
	remove_dir((void **)&data);
}

static void a_url_of_no_engine_is_refused_with_a_remedy(void **state)
{
	static const char *const urls[] = {
		"", "/var/lib/x", "lmdb:", "postgresql://db/x", "LMDB:/x", NULL,
	};
	struct store_compacted c;
	struct store *s = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
		const struct store_options o = {.url = urls[i]};

		assert_int_equal(store_open(&s, &o, &err), RC_INVALID);
		assert_null(s);
		assert_non_null(strstr(err.text, "write lmdb:FOLDER"));
		assert_int_equal(store_compact(urls[i], &c, &err), RC_INVALID);
		assert_false(store_exists(urls[i]));
	}
}

/* The engine of a database that has tools of its own. */
static void what_an_engine_cannot_is_refused_with_a_remedy(void **state)
{
	struct store *s = open_serve(*state);
	struct engine lacking = {.scheme = "lmdb:"};
	const struct engine *whole = store_engine(s);
	struct store_verified v;
	struct store_room room;

	assert_true(store_can(s, STORE_BACKUP) && store_can(s, STORE_COMPACT) &&
		    store_can(s, STORE_VERIFY) && store_can(s, STORE_ROOM));
	store_base_of(s)->engine = &lacking;
	assert_false(store_can(s, STORE_BACKUP) ||
		     store_can(s, STORE_COMPACT) ||
		     store_can(s, STORE_VERIFY) || store_can(s, STORE_ROOM));
	assert_int_equal(store_room(s, &room, &err), RC_INVALID);
	assert_int_equal(store_backup(s, "x", &err), RC_INVALID);
	assert_non_null(strstr(err.text, "tools of its database"));
	assert_int_equal(store_verify(s, NULL, NULL, &v, &err), RC_INVALID);
	store_base_of(s)->engine = whole;
	store_close(s);
}

static void a_store_says_how_much_room_is_left(void **state)
{
	struct store *s = open_serve(*state);
	struct store_room room;

	assert_ok(store_room(s, &room, &err));
	assert_true(room.left > 0);
	assert_true(room.left <= room.all);
	store_close(s);
}

/* A disk that is full, or a kill, while LMDB writes the first two pages. */
static void a_store_whose_making_was_cut_short_is_made_again(void **state)
{
	char *data = xasprintf("%s/data.mdb", (char *)*state);

	store_close(open_serve(*state));
	assert_true(store_exists(url_of(*state)));
	assert_int_equal(truncate(data, sysconf(_SC_PAGESIZE)), 0);
	assert_false(store_exists(url_of(*state))); /* so the server warns */
	store_close(open_serve(*state));
	store_close(open_serve(*state));
	free(data);
}

static void a_short_file_that_is_not_ours_is_left_alone(void **state)
{
	char *data = xasprintf("%s/data.mdb", (char *)*state);
	FILE *f = fopen(data, "w");
	struct stat st;

	assert_non_null(f);
	fprintf(f, "some twenty or more bytes of text\n");
	assert_int_equal(fclose(f), 0);
	assert_int_equal(try_open(*state, true), RC_DAMAGED);
	assert_int_equal(stat(data, &st), 0);
	assert_true(st.st_size > 20);
	free(data);
}

static void a_second_server_is_refused_until_the_first_has_closed(void **state)
{
	struct store *s = open_serve(*state);

	assert_int_equal(try_open_elsewhere(*state, true), RC_EXISTS);
	assert_int_equal(try_open_elsewhere(*state, false), OK);
	assert_int_equal(try_open(*state, false), RC_EXISTS);
	store_close(s);
	assert_int_equal(try_open_elsewhere(*state, true), OK);
}

static void only_the_owner_of_the_folder_opens_it(void **state)
{
	int status;
	pid_t pid;

	if (geteuid())
		skip(); /* only root can be someone else */
	assert_int_equal(chmod(*state, 0777), 0);
	pid = fork();
	if (!pid)
		_exit(setuid(12345) ? 99 : try_open(*state, false));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), RC_DENIED);
}

static void a_store_without_a_size_keeps_the_one_it_has(void **state)
{
	struct store_options o = {.url = url_of(*state), .max_bytes = 64 << 20};
	struct store *s = open_with(&o);

	assert_ok(record_one(s, 1, "a", NULL, NULL));
	assert_int_equal(stats_of(s).max_bytes, 64 << 20);
	store_close(s);
	o.max_bytes = 0;
	s = open_with(&o);
	assert_int_equal(stats_of(s).max_bytes, 64 << 20);
	store_close(s);
}

static void the_smallest_store_has_room_for_its_tables(void **state)
{
	struct store_options o = {
		.url = url_of(*state),
		.max_bytes = 1 << 20,
		.serve = true,
	};
	struct store *s = open_with(&o);
	struct recorded got;

	assert_ok(record_one(s, 1, "a", "check_first", &got));
	assert_int_equal(got.fresh, 1);
	store_close(s);
}

/* Writes another schema version into the folder. */
static void set_schema(const char *dir, uint32_t version)
{
	MDB_val k = {6, (void *)(uintptr_t) "schema"}, v;
	struct buf b;
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;

	buf_init(&b, 16);
	put_u32(&b, version);
	v = (MDB_val){b.len, b.data};
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, TABLES_MAX), 0);
	assert_int_equal(mdb_env_open(env, dir, 0, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, "meta", 0, &dbi), 0);
	assert_int_equal(mdb_put(txn, dbi, &k, &v, 0), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
	buf_release(&b);
}

static void a_newer_schema_is_refused_and_left_alone(void **state)
{
	store_close(open_serve(*state));
	set_schema(*state, SCHEMA_VERSION + 1);
	assert_int_equal(try_open(*state, true), RC_INVALID);
	assert_non_null(strstr(err.text, "newer"));
	assert_int_equal(try_open(*state, false), RC_INVALID);
	set_schema(*state, SCHEMA_VERSION);
	assert_int_equal(try_open(*state, true), OK);
}

#define TOKEN "token---------------------------"
#define CODE  "code----------------------------"

static const unsigned char *hash(const char *s)
{
	return (const unsigned char *)s;
}

static enum rc sign_in(struct store *s, const char *token, struct device *d)
{
	return store_device_by_token(s, hash(token), d, &err);
}

/* ---- the sample ---- */

#define SAMPLE "tests/data/store-v1/data.mdb"

static void fill_sample(struct store *s)
{
	struct device d = {.shop = "ams", .name = "till 1", .created = 500};
	struct task t = {.kind = "answer_offer", .instance = "se",
			 .number = 19, .sub = 3, .created = 1, .due = 1700};
	char bytes[] = "not JSON";
	struct quarantined bad = {.reason = "not JSON", .bytes = bytes,
				  .len = sizeof(bytes) - 1};
	struct event ev = event_of(19, "{\"warehouses\":[]}", "check_first");
	struct delivery delivery = {.instance = "se", .received = 1600,
				    .events = &ev, .n_events = 1,
				    .bad = &bad, .n_bad = 1};
	struct changes c = {0};
	struct change *x;

	assert_ok(store_record(s, &delivery, NULL, NULL, &err));
	event_release(&ev);
	assert_ok(store_device_add(s, &d, hash(TOKEN), hash(CODE), 1000, NULL,
				   &err));
	assert_ok(store_task_add(s, &t, &err));
	changes_add(&c, CHANGE_HEARD, 0);
	opening(&c, 3, "2021-01-12 15:51:00.000000", 1610464860000);
	mark(&c, 4, MARK_ACCEPTED, "2021-01-12 15:52:00.000000");
	x = changes_add(&c, CHANGE_ANSWER, 3);
	x->answer.verb = VERB_REJECT;
	x->answer.at = 1601;
	x->answer.device = 1;
	x->answer.reason = xstrdup("damaged");
	changes_add(&c, CHANGE_DETAILS, 0)->details = xstrdup("{\"city\":\"A\"}");
	changes_journal(&c, &(struct entry){.warehouse = 3,
					    .fact = FACT_ANSWERED,
					    .result = "reject",
					    .by = "till 1"});
	change_order(s, 19, 1602, &c);
}

static void copy_file(const char *from, const char *to)
{
	FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
	char buf[4096];
	size_t n;

	assert_non_null(in);
	assert_non_null(out);
	while ((n = fread(buf, 1, sizeof(buf), in)))
		assert_int_equal(fwrite(buf, 1, n, out), n);
	fclose(in);
	assert_int_equal(fclose(out), 0);
}

static bool take_task(void *arg, const struct task *t)
{
	int64_t *due = arg;

	if (!strcmp(t->kind, "answer_offer") && t->number == 19 && t->sub == 3)
		*due = t->due;
	return true;
}

/* The sample's version kept its journal in English. */
static bool take_answer(void *arg, const struct entry *e)
{
	char **words = arg;
	struct buf b;

	if (strcmp(entry_about(e), "answer") != 0 || *words)
		return true;
	buf_init(&b, 1000);
	entry_words(&b, e, OFFICE, NULL);
	*words = xstrdup(b.data);
	buf_release(&b);
	return true;
}

static void check_sample(struct store *s)
{
	char *details, *address, *note = NULL;
	int64_t due = 0;
	struct quarantined q;
	struct device d;
	struct event ev;
	struct order o;

	assert_ok(store_order(s, "se", 19, &o, &err));
	assert_true(o.version == 1 && o.first_seen == 1602 && o.has_details &&
		    !o.has_address && o.n_offers == 2);
	assert_int_equal(o.offers[0].openings[0].expires, 1610464860000);
	assert_int_equal(o.offers[0].answer.verb, VERB_REJECT);
	assert_string_equal(o.offers[0].answer.reason, "damaged");
	assert_int_equal(o.offers[1].state, STATE_ACCEPTED);
	order_release(&o);
	assert_ok(store_details(s, "se", 19, &details, &address, &err));
	assert_string_equal(details, "{\"city\":\"A\"}");
	assert_null(address);
	free(details);
	assert_ok(store_event(s, 1, &ev, &err));
	assert_string_equal(ev.type, "check_first");
	assert_string_equal(ev.data, "{\"warehouses\":[]}");
	event_release(&ev);
	assert_ok(sign_in(s, TOKEN, &d));
	assert_string_equal(d.name, "till 1");
	assert_ok(store_tasks(s, false, 0, take_task, &due, &err));
	assert_int_equal(due, 1700);
	assert_ok(store_journal(s, "se", 19, take_answer, &note, &err));
	assert_string_equal(note, "rejected by till 1");
	free(note);
	assert_ok(store_quarantine_get(s, 1, &q, &err));
	assert_int_equal(q.len, 8);
	quarantined_release(&q);
}

static void what_version_1_wrote_is_read(void **state)
{
	char *to = xasprintf("%s/data.mdb", (char *)*state);
	struct store *s;
	struct stat st;

	assert_int_equal(stat(SAMPLE, &st), 0);
	assert_true(st.st_size < 200 << 10);
	copy_file(SAMPLE, to);
	s = open_serve(*state);
	check_sample(s);
	assert_ok(record_one(s, 20, "new", NULL, NULL)); /* and written to */
	store_close(s);
	free(to);
}

static void a_backup_is_a_store(void **state)
{
	char *copy = xasprintf("%s/copy", (char *)*state), *rest = copy;
	char *file = xasprintf("%s/data.mdb", copy);
	struct store_options o = {
		.url = url_of(*state),
		.max_bytes = 8 << 20,
		.serve = true,
		.derive = derive_simply,
	};
	struct store *s = open_with(&o);
	size_t n;

	assert_int_equal(mkdir(copy, 0700), 0);
	fill_sample(s);
	assert_ok(store_backup(s, file, &err));
	assert_int_equal(store_backup(s, file, &err), RC_EXISTS);
	store_close(s);
	s = open_serve(copy);
	assert_ok(store_devices_readmit(s, &n, &err));
	check_sample(s);
	store_close(s);
	free(file);
	remove_dir((void **)&rest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(a_store_is_made_where_its_parent_is),
		cmocka_unit_test(a_url_of_no_engine_is_refused_with_a_remedy),
		IN_DIR(what_an_engine_cannot_is_refused_with_a_remedy),
		IN_DIR(a_store_says_how_much_room_is_left),
		IN_DIR(a_store_whose_making_was_cut_short_is_made_again),
		IN_DIR(a_short_file_that_is_not_ours_is_left_alone),
		IN_DIR(a_second_server_is_refused_until_the_first_has_closed),
		IN_DIR(only_the_owner_of_the_folder_opens_it),
		IN_DIR(a_store_without_a_size_keeps_the_one_it_has),
		IN_DIR(the_smallest_store_has_room_for_its_tables),
		IN_DIR(a_newer_schema_is_refused_and_left_alone),
		IN_DIR(what_version_1_wrote_is_read),
		IN_DIR(a_backup_is_a_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
