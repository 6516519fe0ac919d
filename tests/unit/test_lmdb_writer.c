/* SPDX-License-Identifier: MIT
 *
 * test_lmdb_writer.c - writes committed together: durable before they are
 * told, one failure costs no neighbour, and what happens when room or the disk
 * fails.  kill -9 is in tests/store/test_crash.c.
 *
 * This program has an fdatasync() of its own, which the store's library calls:
 * it counts, and fails when told to.
 */
#include "tests/unit/store_fixture.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "store/lmdb/rows.h"
#include "store/rules/rules.h"

static atomic_uint syncs;
static atomic_int sync_fails; /* errno; 0: it works */
static atomic_bool fails_once;
static atomic_uint sync_takes; /* us */

int fdatasync(int fd)
{
	int failure = atomic_exchange(&fails_once, false)
			      ? atomic_exchange(&sync_fails, 0)
			      : atomic_load(&sync_fails);
	int rc = failure ? -1 : (int)syscall(SYS_fdatasync, fd);

	usleep(atomic_load(&sync_takes));
	atomic_fetch_add(&syncs, 1);
	if (failure)
		errno = failure;
	return rc;
}

/* ---- ops of the test's own ---- */

/* Keeps the writer busy until it is let go, so that others gather. */
struct blocker {
	struct op op;
	sem_t *begun, *go;
};

static enum rc block(struct rows *r, struct op *op, struct err *e)
{
	struct blocker *b = (struct blocker *)op;

	(void)r;
	(void)e;
	sem_post(b->begun);
	while (sem_wait(b->go))
		;
	return OK;
}

/* How an op of the test goes. */
enum how { WRITES, FAILS_AT_ONCE, FAILS_AFTER_WRITING, FINDS };

struct writer_op {
	struct op op;
	enum how how;
	uint64_t number;
};

static enum rc write_row(struct rows *r, struct op *op, struct err *e)
{
	struct txn *t = txn_of(r);
	struct writer_op *w = (struct writer_op *)op;
	struct key k;
	MDB_val v;
	enum rc rc;

	key_u64(key_start(&k), w->number);
	if (w->how == FAILS_AT_ONCE)
		return fail(e, RC_CONFLICT, "lost");
	if (w->how == FINDS)
		return txn_get(t, T_CODES, &k, &v, e) ? RC_NOTFOUND : RC_EXISTS;
	rc = txn_put(t, T_CODES, &k, "x", 1, e);
	if (!rc && w->how == FAILS_AFTER_WRITING)
		rc = fail(e, RC_INVALID, "bad");
	return rc;
}

/* One async write and how it ended. */
struct waiting {
	struct store_done done;
	atomic_int rc; /* -1: not told yet */
	unsigned syncs; /* when it was told */
	char text[64];
};

static void told(struct store_done *d, enum rc rc, const struct err *e)
{
	struct waiting *w = d->arg;

	w->syncs = atomic_load(&syncs);
	snprintf(w->text, sizeof(w->text), "%s", rc ? e->text : "");
	atomic_store(&w->rc, (int)rc);
}

static struct store_done *wait_by(struct waiting *w)
{
	w->done = (struct store_done){.fn = told, .arg = w};
	atomic_store(&w->rc, -1);
	return &w->done;
}

static void hand_in(struct store *s, struct waiting *w, enum how how,
		    uint64_t number)
{
	struct writer_op op = {
		.op.run = write_row,
		.how = how,
		.number = number,
	};

	assert_ok(writer_do(s, &op.op, sizeof(op), wait_by(w), &err));
}

struct hold {
	sem_t begun, go;
	struct waiting waiting;
};

static void hold_writer(struct store *s, struct hold *h)
{
	struct blocker b = {
		.op.run = block,
		.begun = &h->begun,
		.go = &h->go,
	};

	sem_init(&h->begun, 0, 0);
	sem_init(&h->go, 0, 0);
	assert_ok(writer_do(s, &b.op, sizeof(b), wait_by(&h->waiting), &err));
	while (sem_wait(&h->begun))
		;
}

static void let_go(struct hold *h)
{
	sem_post(&h->go);
}

/* Waits for the writer by way of a write that comes after the others. */
static void all_told(struct store *s)
{
	struct writer_op op = {.op.run = write_row, .how = FINDS};

	(void)!writer_do(s, &op.op, sizeof(op), NULL, NULL);
}

static enum rc find_row(struct store *s, uint64_t number)
{
	struct writer_op op = {
		.op.run = write_row,
		.how = FINDS,
		.number = number,
	};

	return writer_do(s, &op.op, sizeof(op), NULL, NULL);
}

/* ---- durable before told ---- */

static void a_write_is_told_only_after_the_sync(void **state)
{
	struct store *s = open_serve(*state);
	struct waiting w;
	unsigned before;

	for (uint64_t i = 1; i <= 20; i++) {
		before = atomic_load(&syncs);
		hand_in(s, &w, WRITES, i);
		all_told(s);
		assert_int_equal(atomic_load(&w.rc), OK);
		assert_true(w.syncs > before);
	}
	before = atomic_load(&syncs);
	assert_ok(record_one(s, 1, "a", NULL, NULL));
	assert_true(atomic_load(&syncs) > before);
	store_close(s);
}

static void writes_that_gather_share_one_sync(void **state)
{
	struct store *s = open_serve(*state);
	struct waiting w[50];
	struct hold h;
	unsigned before;

	hold_writer(s, &h);
	for (uint64_t i = 0; i < 50; i++)
		hand_in(s, &w[i], WRITES, i + 1);
	assert_int_equal(stats_of(s).queued, 50);
	before = atomic_load(&syncs);
	let_go(&h);
	all_told(s);
	for (size_t i = 0; i < 50; i++)
		assert_int_equal(atomic_load(&w[i].rc), OK);
	assert_int_equal(atomic_load(&syncs) - before, 1);
	store_close(s);
}

/* A client that has its next write as soon as it was told the last. */
struct client {
	struct store *s;
	struct store_done done;
	sem_t told;
	unsigned rounds;
};

static void told_client(struct store_done *d, enum rc rc, const struct err *e)
{
	(void)e;
	(void)rc;
	sem_post(&((struct client *)d->arg)->told);
}

static void *write_on(void *arg)
{
	struct client *c = arg;
	struct writer_op op = {.op.run = write_row, .number = 1};

	c->done = (struct store_done){.fn = told_client, .arg = c};
	sem_init(&c->told, 0, 0);
	for (unsigned i = 0; i < c->rounds; i++) {
		(void)!writer_do(c->s, &op.op, sizeof(op), &c->done, NULL);
		while (sem_wait(&c->told))
			;
	}
	return NULL;
}

static void clients_that_write_again_share_the_next_commit(void **state)
{
	enum { CLIENTS = 8, ROUNDS = 6 };
	struct store *s = open_serve(*state);
	struct client clients[CLIENTS];
	pthread_t threads[CLIENTS];
	unsigned before = atomic_load(&syncs);

	atomic_store(&sync_takes, 100000);
	for (int i = 0; i < CLIENTS; i++) {
		clients[i] = (struct client){.s = s, .rounds = ROUNDS};
		assert_int_equal(pthread_create(&threads[i], NULL, write_on,
						&clients[i]),
				 0);
	}
	for (int i = 0; i < CLIENTS; i++)
		pthread_join(threads[i], NULL);
	atomic_store(&sync_takes, 0);
	/* The first client finds nobody to share with.  If the others did not
	 * wait for it, each client would be in every second commit. */
	assert_true(atomic_load(&syncs) - before < 2 * ROUNDS - 2);
	store_close(s);
}

static struct timespec now_and(long ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += ms * 1000000;
	return (struct timespec){t.tv_sec + t.tv_nsec / 1000000000,
				 t.tv_nsec % 1000000000};
}

static void a_disk_that_stalls_makes_the_next_write_wait_for_nobody_long(
	void **state)
{
	struct store *s = open_serve(*state);
	struct writer_op op = {.op.run = write_row};
	struct timespec until, latest;
	struct client c[2];
	struct hold h;

	hold_writer(s, &h);
	atomic_store(&sync_takes, 1000000);
	for (int i = 0; i < 2; i++) {
		c[i].done = (struct store_done){.fn = told_client, .arg = &c[i]};
		sem_init(&c[i].told, 0, 0);
		assert_ok(writer_do(s, &op.op, sizeof(op), &c[i].done, &err));
	}
	let_go(&h);
	for (int i = 0; i < 2; i++)
		while (sem_wait(&c[i].told))
			;
	latest = now_and(50);
	atomic_store(&sync_takes, 0);
	pthread_mutex_lock(&s->writer.lock);
	until = s->writer.gather_until;
	pthread_mutex_unlock(&s->writer.lock);
	assert_true(until.tv_sec > 0);
	assert_true(until.tv_sec < latest.tv_sec ||
		    (until.tv_sec == latest.tv_sec &&
		     until.tv_nsec < latest.tv_nsec));
	store_close(s);
}

/* ---- one failure costs no neighbour ---- */

static void an_op_that_fails_does_not_fail_its_neighbours(void **state)
{
	struct store *s = open_serve(*state);
	struct waiting w[7];
	struct hold h;

	hold_writer(s, &h);
	hand_in(s, &w[0], WRITES, 1);
	hand_in(s, &w[1], FAILS_AFTER_WRITING, 2);
	hand_in(s, &w[2], WRITES, 3);
	hand_in(s, &w[3], FAILS_AT_ONCE, 4);
	hand_in(s, &w[4], FINDS, 1); /* sees what came before it */
	hand_in(s, &w[5], FAILS_AFTER_WRITING, 5);
	hand_in(s, &w[6], WRITES, 6);
	let_go(&h);
	all_told(s);
	assert_int_equal(atomic_load(&w[0].rc), OK);
	assert_int_equal(atomic_load(&w[1].rc), RC_INVALID);
	assert_string_equal(w[1].text, "bad");
	assert_int_equal(atomic_load(&w[2].rc), OK);
	assert_int_equal(atomic_load(&w[3].rc), RC_CONFLICT);
	assert_string_equal(w[3].text, "lost");
	assert_int_equal(atomic_load(&w[4].rc), RC_EXISTS);
	assert_int_equal(atomic_load(&w[5].rc), RC_INVALID);
	assert_int_equal(atomic_load(&w[6].rc), OK);
	store_close(s);

	s = open_serve(*state);
	assert_int_equal(find_row(s, 1), RC_EXISTS);
	assert_int_equal(find_row(s, 2), RC_NOTFOUND);
	assert_int_equal(find_row(s, 3), RC_EXISTS);
	assert_int_equal(find_row(s, 4), RC_NOTFOUND);
	assert_int_equal(find_row(s, 5), RC_NOTFOUND);
	assert_int_equal(find_row(s, 6), RC_EXISTS);
	store_close(s);
}

static void closing_finishes_what_waits(void **state)
{
	struct store *s = open_serve(*state);
	struct waiting w[20];
	struct hold h;

	hold_writer(s, &h);
	for (uint64_t i = 0; i < 20; i++)
		hand_in(s, &w[i], WRITES, i + 1);
	let_go(&h);
	store_close(s);
	for (size_t i = 0; i < 20; i++)
		assert_int_equal(atomic_load(&w[i].rc), OK);
}

static void the_queue_has_a_bound(void **state)
{
	struct store_options o = {
		.url = url_of(*state),
		.max_bytes = 64 << 20,
		.serve = true,
		.queue_max = 3,
	};
	struct writer_op op = {.op.run = write_row, .number = 9};
	struct store *s = open_with(&o);
	struct waiting w[3], more;
	struct hold h;

	hold_writer(s, &h);
	for (uint64_t i = 0; i < 3; i++)
		hand_in(s, &w[i], WRITES, i + 1);
	assert_int_equal(writer_do(s, &op.op, sizeof(op), wait_by(&more),
				   &err),
			 RC_AGAIN);
	let_go(&h);
	all_told(s);
	assert_int_equal(atomic_load(&more.rc), -1); /* never called */
	assert_int_equal(find_row(s, 9), RC_NOTFOUND);
	hand_in(s, &more, WRITES, 9);
	all_told(s);
	assert_int_equal(atomic_load(&more.rc), OK);
	store_close(s);
}

static void without_a_writer_thread_the_caller_writes(void **state)
{
	struct store_options o = {.url = url_of(*state), .max_bytes = 64 << 20};
	struct store *s = open_with(&o);
	struct waiting w;
	unsigned before = atomic_load(&syncs);

	hand_in(s, &w, WRITES, 1);
	assert_int_equal(atomic_load(&w.rc), OK);
	assert_true(w.syncs > before);
	hand_in(s, &w, FAILS_AFTER_WRITING, 2);
	assert_int_equal(atomic_load(&w.rc), RC_INVALID);
	assert_int_equal(find_row(s, 2), RC_NOTFOUND);
	store_close(s);
}

/* ---- no room ---- */

static struct store *open_small(const char *dir, size_t max)
{
	struct store_options o = {
		.url = url_of(dir),
		.max_bytes = max,
		.serve = true,
		.derive = derive_simply,
	};

	return open_with(&o);
}

static enum rc quarantine(struct store *s, size_t bytes)
{
	struct quarantined bad = {.reason = "x", .len = bytes};
	struct delivery d = {.instance = "se", .bad = &bad, .n_bad = 1};
	enum rc rc;

	bad.bytes = xcalloc(bytes, 1);
	rc = store_record(s, &d, NULL, NULL, &err);
	quarantined_release(&bad);
	return rc;
}

static void a_full_store_refuses_deliveries_serves_the_rest_and_recovers(
	void **state)
{
	struct store *s = open_small(*state, 4 << 20);
	struct changes c = {0};
	struct store_stats st;
	unsigned kept = 0;
	enum rc rc;

	for (int round = 0; round < 3; round++) {
		while (!(rc = quarantine(s, 20000)) && ++kept < 1000)
			;
		assert_int_equal(rc, RC_FULL);
		assert_true(kept > 100);
		st = stats_of(s);
		assert_false(st.failed);
		/* Later rounds may end earlier: free pages that lie apart. */
		assert_true(round || st.used_bytes > st.max_bytes / 100 * 94);
		assert_true(round ||
			    record_one(s, 1, "a", NULL, NULL) == RC_FULL);
		for (int i = 0; i < 20; i++) { /* workers go on */
			changes_journal(&c, &(struct entry){.fact = FACT_TRY,
							    .n = i});
			opening(&c, i + 1, "2021", round);
			change_order(s, 1, 1, &c);
		}
		for (uint64_t seq = 1; seq <= 1000; seq++)
			(void)!store_quarantine_drop(s, seq, NULL);
		assert_int_equal(stats_of(s).quarantined, 0);
		kept = 0;
		if (round == 1) { /* in a new process's eyes, too */
			store_close(s);
			s = open_small(*state, 4 << 20);
		}
	}
	assert_ok(record_one(s, 1, "a", NULL, NULL));
	store_close(s);
}

static enum rc keep_details(void *arg, const struct order *o,
			    struct changes *ret, struct err *e)
{
	size_t len = *(size_t *)arg;
	char *text = xcalloc(len + 1, 1);

	(void)o;
	(void)e;
	memset(text, 'x', len);
	changes_add(ret, CHANGE_DETAILS, 0)->details = text;
	return OK;
}

static void what_fits_is_written_beside_what_does_not(void **state)
{
	static size_t large = 3000000, small = 100;
	struct store *s = open_small(*state, 2 << 20);
	struct waiting w[9];
	struct order o;
	struct hold h;

	hold_writer(s, &h);
	for (int i = 0; i < 9; i++)
		assert_ok(store_update(s, "se", i + 1, keep_details,
				       i == 4 ? &large : &small, 1, NULL,
				       wait_by(&w[i]), &err));
	let_go(&h);
	all_told(s);
	for (int i = 0; i < 9; i++) {
		assert_int_equal(atomic_load(&w[i].rc), i == 4 ? RC_FULL : OK);
		assert_int_equal(store_order(s, "se", i + 1, &o, &err),
				 i == 4 ? RC_NOTFOUND : OK);
		order_release(&o);
	}
	assert_false(stats_of(s).failed);
	store_close(s);
}

/* The file may not grow beyond what it has: as on a full disk. */
static void limit_file(const char *dir, bool limited)
{
	char *path = xasprintf("%s/data.mdb", dir);
	struct rlimit r;
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &r), 0);
	r.rlim_cur = limited ? (rlim_t)st.st_size : r.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &r), 0);
	free(path);
}

static void a_full_disk_is_no_broken_disk(void **state)
{
	static size_t size = 100000;
	struct store *s = open_small(*state, 512 << 20);
	unsigned full = 0;
	enum rc rc;

	signal(SIGXFSZ, SIG_IGN);
	assert_ok(quarantine(s, 50000));
	limit_file(*state, true);
	for (int i = 0; i < 2000; i++) {
		rc = quarantine(s, 50000);
		assert_true(rc == OK || rc == RC_FULL);
		if (rc && ++full == 20)
			break;
	}
	assert_int_equal(full, 20);
	assert_ok(store_quarantine_drop(s, 1, &err)); /* room was kept */
	for (int i = 1; i < 200; i++) { /* until that is used up, too */
		rc = store_update(s, "se", i, keep_details, &size, 1, NULL,
				  NULL, &err);
		assert_true(rc == OK || rc == RC_FULL);
	}
	assert_int_equal(rc, RC_FULL);
	assert_false(stats_of(s).failed);
	limit_file(*state, false);
	assert_ok(quarantine(s, 50000));
	store_close(s);
}

/* The file ends right behind what is in use, and may grow by `bytes`. */
static void leave_room(struct store *s, const char *dir, uint64_t bytes)
{
	char *path = xasprintf("%s/data.mdb", dir);
	struct rlimit r;
	MDB_envinfo info;

	assert_int_equal(mdb_env_info(s->env, &info), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &r), 0);
	r.rlim_cur = (info.me_last_pgno + 1) * 4096 + bytes;
	assert_int_equal(truncate(path, (off_t)r.rlim_cur), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &r), 0);
	free(path);
}

/* A file that is written in part because there is no room for the rest looks
 * like a broken disk. */
static void whatever_room_is_left_a_full_disk_is_no_broken_disk(void **state)
{
	static size_t size = 100;
	struct store *s = open_small(*state, 512 << 20);
	unsigned full = 0, well = 0;
	struct txn reader;
	enum rc rc;

	signal(SIGXFSZ, SIG_IGN);
	for (int i = 1; i < 3000; i++)
		assert_ok(store_update(s, "se", i * 7, keep_details, &size, 1,
				       NULL, NULL, &err));
	/* While someone reads, all that is written lengthens the file. */
	assert_ok(txn_read(&reader, s, &err));
	for (uint64_t pages = 0; pages < 100; pages++) {
		leave_room(s, *state, pages * 4096);
		rc = store_update(s, "se", (int64_t)(pages * 211 + 1),
				  keep_details, &size, 1, NULL, NULL, &err);
		limit_file(*state, false);
		if (rc != OK && rc != RC_FULL)
			print_error("%d pages of room: %s\n", (int)pages,
				    err.text);
		assert_true(rc == OK || rc == RC_FULL);
		full += rc == RC_FULL;
		well += rc == OK;
	}
	txn_abort(&reader);
	assert_true(full && well);
	assert_false(stats_of(s).failed);
	store_close(s);
}

static void a_disk_found_full_by_the_sync_is_no_broken_disk(void **state)
{
	struct store *s = open_serve(*state);

	assert_ok(record_one(s, 1, "a", NULL, NULL));
	atomic_store(&sync_fails, ENOSPC);
	assert_int_equal(record_one(s, 2, "a", NULL, NULL), RC_FULL);
	atomic_store(&sync_fails, 0);
	assert_false(stats_of(s).failed);
	assert_ok(record_one(s, 2, "a", NULL, NULL));
	assert_int_equal(stats_of(s).events, 2);
	store_close(s);
}

static void a_group_that_finds_no_room_is_tried_in_parts(void **state)
{
	struct store *s = open_serve(*state);
	struct waiting w[9];
	struct hold h;

	hold_writer(s, &h);
	for (uint64_t i = 0; i < 9; i++)
		hand_in(s, &w[i], WRITES, i + 1);
	atomic_store(&sync_fails, ENOSPC);
	atomic_store(&fails_once, true);
	let_go(&h);
	all_told(s);
	for (size_t i = 0; i < 9; i++)
		assert_int_equal(atomic_load(&w[i].rc), OK);
	store_close(s);
	s = open_serve(*state);
	for (uint64_t i = 0; i < 9; i++)
		assert_int_equal(find_row(s, i + 1), RC_EXISTS);
	store_close(s);
}

/* Async deliveries of one bad body each, to be held by a batch. */
struct bodies {
	struct waiting w[64];
	struct quarantined bad[64];
	struct delivery d[64];
	unsigned ok, full;
};

/* Has one batch bring n bodies of so many bytes, and counts how they end. */
static void quarantine_many(struct store *s, struct bodies *b, size_t n,
			    size_t bytes)
{
	struct hold h;

	*b = (struct bodies){0};
	hold_writer(s, &h);
	for (size_t i = 0; i < n; i++) {
		b->bad[i] = (struct quarantined){.reason = "x", .len = bytes};
		b->bad[i].bytes = xcalloc(bytes, 1);
		b->d[i] = (struct delivery){.instance = "se",
					    .bad = &b->bad[i],
					    .n_bad = 1};
		assert_ok(store_record(s, &b->d[i], NULL, wait_by(&b->w[i]),
				       &err));
	}
	let_go(&h);
	all_told(s);
	for (size_t i = 0; i < n; i++) {
		b->ok += atomic_load(&b->w[i].rc) == OK;
		b->full += atomic_load(&b->w[i].rc) == RC_FULL;
		quarantined_release(&b->bad[i]);
	}
	assert_int_equal(b->ok + b->full, n);
}

/* Returns by how many bytes the file may still grow. */
static uint64_t room_of(struct store *s)
{
	struct rlimit r;
	MDB_envinfo info;

	assert_int_equal(mdb_env_info(s->env, &info), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &r), 0);
	return r.rlim_cur - (info.me_last_pgno + 1) * 4096;
}

static void a_batch_of_deliveries_leaves_the_disk_room_for_others(void **state)
{
	struct store *s = open_small(*state, 512 << 20);
	struct bodies b;

	signal(SIGXFSZ, SIG_IGN);
	assert_ok(quarantine(s, 100));
	leave_room(s, *state, (1 << 20) + 1500000);
	quarantine_many(s, &b, 40, 100000);
	assert_true(b.ok && b.full);
	assert_true(room_of(s) >= 1 << 20);
	limit_file(*state, false);
	store_close(s);
}

static void a_batch_of_deliveries_leaves_the_map_room_for_others(void **state)
{
	struct store *s = open_small(*state, 4 << 20);
	struct store_stats st;
	struct bodies b;

	for (int i = 0; i < 40; i++)
		assert_ok(quarantine(s, 60000));
	quarantine_many(s, &b, 64, 60000);
	st = stats_of(s);
	assert_true(b.ok && b.full);
	assert_true(st.used_bytes > st.max_bytes / 100 * 90);
	assert_true(st.used_bytes < st.max_bytes / 100 * 98);
	store_close(s);
}

/* ---- numbers ---- */

/* An op that takes the next number of some name, and may fail behind that. */
struct number_op {
	struct op op;
	const char *name;
	bool fails;
	uint64_t *ret;
};

static enum rc take_number(struct rows *r, struct op *op, struct err *e)
{
	struct number_op *n = (struct number_op *)op;
	enum rc rc = txn_next(txn_of(r), n->name, n->ret, e);

	return rc ? rc : n->fails ? fail(e, RC_INVALID, "bad") : OK;
}

static void ask_number(struct store *s, struct waiting *w, const char *name,
		       bool fails, uint64_t *ret)
{
	struct number_op op = {
		.op.run = take_number,
		.name = name,
		.fails = fails,
		.ret = ret,
	};

	assert_ok(writer_do(s, &op.op, sizeof(op), wait_by(w), &err));
}

static void a_failed_op_takes_no_number_from_its_neighbours(void **state)
{
	static const bool fails[] = {false, true, false, false, true, true,
				     false};
	enum { N = sizeof(fails) / sizeof(*fails) };
	struct store *s = open_serve(*state);
	uint64_t got[N], want = 0, more = 0;
	struct waiting w[N], last;
	struct hold h;

	hold_writer(s, &h);
	for (size_t i = 0; i < N; i++)
		ask_number(s, &w[i], "of the test", fails[i], &got[i]);
	let_go(&h);
	all_told(s);
	for (size_t i = 0; i < N; i++) {
		assert_int_equal(atomic_load(&w[i].rc),
				 fails[i] ? RC_INVALID : OK);
		if (!fails[i])
			assert_int_equal(got[i], ++want);
	}
	store_close(s);
	s = open_serve(*state); /* a number is on disk with its commit */
	ask_number(s, &last, "of the test", false, &more);
	all_told(s);
	assert_int_equal(more, want + 1);
	store_close(s);
}

static void a_transaction_keeps_numbers_of_any_names(void **state)
{
	struct store *s = open_serve(*state);
	char names[20][40];
	struct waiting w[60];
	uint64_t got[60];
	struct hold h;

	for (size_t i = 0; i < 20; i++)
		snprintf(names[i], sizeof(names[i]), "%s%zu",
			 i % 2 ? "short" : "a name longer than most of them ",
			 i);
	for (uint64_t round = 0; round < 2; round++) {
		hold_writer(s, &h);
		for (size_t i = 0; i < 60; i++)
			ask_number(s, &w[i], names[i % 20], false, &got[i]);
		let_go(&h);
		all_told(s);
		for (size_t i = 0; i < 60; i++)
			assert_int_equal(got[i], 3 * round + i / 20 + 1);
		store_close(s);
		s = open_serve(*state);
	}
	store_close(s);
}

/* ---- the journal ---- */

/* An op that adds n entries to the journals of `orders` in turn, and may fail
 * behind that. */
struct entries_op {
	struct op op;
	int64_t orders;
	int n;
	size_t text; /* bytes of each entry's text */
	bool fails;
};

static enum rc put_entries(struct rows *r, struct op *op, struct err *e)
{
	struct entries_op *o = (struct entries_op *)op;
	char *text = xcalloc(o->text + 1, 1);

	memset(text, 'x', o->text);
	for (int i = 0; i < o->n; i++)
		put_entry(r, "se", 1 + i % o->orders,
			  &(struct entry){.at = 1,
					  .fact = FACT_TRY,
					  .n = i + 1,
					  .text = o->text ? text : NULL});
	free(text);
	return o->fails ? fail(e, RC_INVALID, "bad") : OK;
}

static struct entries_op entries_op(int64_t orders, int n, size_t text,
				    bool fails)
{
	return (struct entries_op){
		.op.run = put_entries,
		.orders = orders,
		.n = n,
		.text = text,
		.fails = fails,
	};
}

struct lines {
	size_t n;
	uint64_t seq[256];
	int64_t of[256];
};

static bool take_line(void *arg, const struct entry *e)
{
	struct lines *l = arg;

	l->seq[l->n] = e->seq;
	l->of[l->n++] = e->n;
	return l->n < 256;
}

static struct lines lines_of(struct store *s, int64_t number)
{
	struct lines l = {0};

	assert_ok(store_journal(s, "se", number, take_line, &l, &err));
	return l;
}

static size_t rows_of_journals(struct store *s)
{
	struct txn t;
	MDB_stat st;

	assert_ok(txn_read(&t, s, &err));
	assert_int_equal(mdb_stat(t.mdb, s->tables[T_JOURNAL], &st), 0);
	txn_abort(&t);
	return st.ms_entries;
}

static void wrong_row(void *arg, const char *table, const char *what)
{
	(void)arg;
	print_error("%s: %s\n", table, what);
	assert_null(what);
}

static void verified(struct store *s)
{
	struct store_verified v;

	assert_ok(store_verify(s, wrong_row, NULL, &v, &err));
}

static void entries_of_one_write_share_a_row(void **state)
{
	struct store *s = open_serve(*state);
	struct entries_op op = entries_op(1, 6, 0, false);
	struct lines l;

	assert_ok(writer_do(s, &op.op, sizeof(op), NULL, &err));
	assert_int_equal(rows_of_journals(s), 1);
	l = lines_of(s, 1);
	assert_int_equal(l.n, 6);
	for (size_t i = 0; i < 6; i++)
		assert_true(l.seq[i] == i + 1 && l.of[i] == (int64_t)i + 1);
	verified(s);
	store_close(s);
}

static void entries_of_two_orders_in_turn_stay_with_their_orders(void **state)
{
	struct store *s = open_serve(*state);
	struct entries_op op = entries_op(2, 7, 0, false);

	assert_ok(writer_do(s, &op.op, sizeof(op), NULL, &err));
	for (int64_t order = 1; order <= 2; order++) {
		struct lines l = lines_of(s, order);

		assert_int_equal(l.n, order == 1 ? 4 : 3);
		for (size_t i = 0; i < l.n; i++)
			assert_true(l.seq[i] == 2 * i + (size_t)order &&
				    l.of[i] == (int64_t)l.seq[i]);
	}
	verified(s);
	store_close(s);
}

static void large_entries_are_spread_over_rows(void **state)
{
	struct store *s = open_serve(*state);
	struct entries_op op = entries_op(1, 40, 500, false);
	struct lines l;

	assert_ok(writer_do(s, &op.op, sizeof(op), NULL, &err));
	assert_true(rows_of_journals(s) >= 20 && rows_of_journals(s) < 40);
	l = lines_of(s, 1);
	assert_int_equal(l.n, 40);
	for (size_t i = 0; i < l.n; i++)
		assert_int_equal(l.seq[i], i + 1);
	verified(s);
	store_close(s);
}

static void a_failed_op_leaves_no_entry_in_its_neighbours_row(void **state)
{
	struct store *s = open_serve(*state);
	struct waiting w[3];
	struct hold h;
	struct lines l;

	hold_writer(s, &h);
	for (size_t i = 0; i < 3; i++) {
		struct entries_op op = entries_op(1, 2, 0, i == 1);

		assert_ok(writer_do(s, &op.op, sizeof(op), wait_by(&w[i]),
				    &err));
	}
	let_go(&h);
	all_told(s);
	assert_int_equal(atomic_load(&w[1].rc), RC_INVALID);
	l = lines_of(s, 1);
	assert_int_equal(l.n, 4);
	for (size_t i = 0; i < l.n; i++)
		assert_true(l.seq[i] == i + 1 && l.of[i] == (int64_t)i % 2 + 1);
	verified(s);
	store_close(s);
}

/* ---- tasks ---- */

static const struct task the_task = {.kind = "order.fetch",
				     .instance = "se",
				     .number = 1,
				     .again = TIME_NONE};

static void want_the_task(struct rows *r, struct op *op)
{
	(void)op;
	task_add_want(r, &the_task);
}

static enum rc add_the_task(struct rows *r, struct op *op, struct err *e)
{
	bool live;
	enum rc rc = row_task_of_kind(r, &the_task, the_task.kind, &live, e);

	(void)op;
	return rc ? rc : task_add(r, &the_task, e);
}

/* A transaction remembers that an order has no task. */
static void a_task_that_two_ops_of_a_batch_add_exists_once(void **state)
{
	struct store *s = open_serve(*state);
	struct op op = {.want = want_the_task, .run = add_the_task};
	struct store_stats stats;
	struct waiting w[2];
	struct hold h;

	hold_writer(s, &h);
	for (size_t i = 0; i < 2; i++)
		assert_ok(writer_do(s, &op, sizeof(op), wait_by(&w[i]), &err));
	let_go(&h);
	all_told(s);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(atomic_load(&w[i].rc), OK);
	assert_ok(store_stats(s, &stats, &err));
	assert_int_equal(stats.tasks_waiting, 1);
	verified(s);
	store_close(s);
}

/* ---- changes ---- */

struct numbers {
	size_t n;
	uint64_t first, last;
};

static bool note_change(void *arg, const struct changed *c)
{
	struct numbers *seen = arg;

	seen->first = seen->n++ ? seen->first : c->change;
	seen->last = c->change;
	return true;
}

static void a_batch_drops_the_changes_that_are_too_old(void **state)
{
	struct store_options o = {
		.url = url_of(*state),
		.max_bytes = (size_t)64 << 20,
		.serve = true,
		.derive = derive_simply,
		.changes_kept = 6,
	};
	static size_t size = 100;
	struct store *s = open_with(&o);
	struct numbers seen = {0};
	struct waiting w[40];
	struct hold h;

	hold_writer(s, &h);
	for (int i = 0; i < 40; i++)
		assert_ok(store_update(s, "se", i + 1, keep_details, &size, 1,
				       NULL, wait_by(&w[i]), &err));
	let_go(&h);
	all_told(s);
	assert_ok(store_changes(s, 0, note_change, &seen, &err));
	assert_int_equal(seen.n, 6);
	assert_int_equal(seen.first, 35);
	assert_int_equal(seen.last, 40);
	store_close(s);
}

/* ---- the disk fails ---- */

/* A store_failed_fn. */
static void count_failure(void *arg, const struct err *why)
{
	assert_non_null(strstr(why->text, "Input/output error"));
	atomic_fetch_add((atomic_int *)arg, 1);
}

static void a_failed_disk_is_told_once_to_who_listens(void **state)
{
	atomic_int told = 0;
	struct store_options o = {
		.url = url_of(*state),
		.max_bytes = (size_t)64 << 20,
		.serve = true,
		.failed = count_failure,
		.failed_arg = &told,
	};
	struct store *s = open_with(&o);

	assert_ok(record_one(s, 1, "a", NULL, NULL));
	assert_int_equal(atomic_load(&told), 0);
	atomic_store(&sync_fails, EIO);
	assert_int_equal(record_one(s, 2, "a", NULL, NULL), RC_IO);
	assert_int_equal(record_one(s, 3, "a", NULL, NULL), RC_IO);
	atomic_store(&sync_fails, 0);
	assert_int_equal(atomic_load(&told), 1);
	store_close(s);
}

static void after_a_failed_sync_nothing_is_written_any_more(void **state)
{
	struct store *s = open_serve(*state);
	struct waiting w[3];
	struct hold h;

	assert_ok(record_one(s, 1, "a", NULL, NULL));
	hold_writer(s, &h);
	for (uint64_t i = 0; i < 3; i++)
		hand_in(s, &w[i], i == 1 ? FAILS_AT_ONCE : WRITES, i + 1);
	atomic_store(&sync_fails, EIO);
	let_go(&h);
	all_told(s);
	atomic_store(&sync_fails, 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(atomic_load(&w[i].rc), RC_IO);
	assert_int_equal(record_one(s, 2, "a", NULL, NULL), RC_IO);
	/* Who comes after is told why, too. */
	assert_non_null(strstr(err.text, "Input/output error"));
	assert_non_null(strstr(store_failure(s), "Input/output error"));
	assert_int_equal(store_redrive(s, 1, 1, &err), RC_IO);
	assert_true(stats_of(s).failed);
	store_close(s);

	s = open_serve(*state); /* as after a restart */
	assert_false(stats_of(s).failed);
	assert_int_equal(stats_of(s).events, 1);
	assert_int_equal(find_row(s, 1), RC_NOTFOUND);
	assert_ok(record_one(s, 2, "a", NULL, NULL));
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(a_write_is_told_only_after_the_sync),
		IN_DIR(writes_that_gather_share_one_sync),
		IN_DIR(clients_that_write_again_share_the_next_commit),
		IN_DIR(a_disk_that_stalls_makes_the_next_write_wait_for_nobody_long),
		IN_DIR(an_op_that_fails_does_not_fail_its_neighbours),
		IN_DIR(closing_finishes_what_waits),
		IN_DIR(the_queue_has_a_bound),
		IN_DIR(without_a_writer_thread_the_caller_writes),
		IN_DIR(a_full_store_refuses_deliveries_serves_the_rest_and_recovers),
		IN_DIR(what_fits_is_written_beside_what_does_not),
		IN_DIR(a_full_disk_is_no_broken_disk),
		IN_DIR(whatever_room_is_left_a_full_disk_is_no_broken_disk),
		IN_DIR(a_disk_found_full_by_the_sync_is_no_broken_disk),
		IN_DIR(a_group_that_finds_no_room_is_tried_in_parts),
		IN_DIR(a_batch_of_deliveries_leaves_the_disk_room_for_others),
		IN_DIR(a_batch_of_deliveries_leaves_the_map_room_for_others),
		IN_DIR(a_failed_op_takes_no_number_from_its_neighbours),
		IN_DIR(a_transaction_keeps_numbers_of_any_names),
		IN_DIR(a_batch_drops_the_changes_that_are_too_old),
		IN_DIR(entries_of_one_write_share_a_row),
		IN_DIR(entries_of_two_orders_in_turn_stay_with_their_orders),
		IN_DIR(large_entries_are_spread_over_rows),
		IN_DIR(a_failed_op_leaves_no_entry_in_its_neighbours_row),
		IN_DIR(a_task_that_two_ops_of_a_batch_add_exists_once),
		IN_DIR(after_a_failed_sync_nothing_is_written_any_more),
		IN_DIR(a_failed_disk_is_told_once_to_who_listens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
