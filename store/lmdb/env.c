/* SPDX-License-Identifier: MIT
 *
 * env.c - opens and closes the folder of a store, and reads its statistics.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/model/codec.h"
#include "store/lmdb/lmdb.h"
#include "store/lmdb/room.h"
#include "store/lmdb/rows.h"
#include "store/lmdb/schema.h"
#include "store/lmdb/store_private.h"
#include "store/rules/rules.h"

#define QUEUE_MAX   10000
#define READERS_MAX 512
#define FIRST_SIZE  ((size_t)1 << 30) /* bytes of a new store's map, if the
				       * options do not say */
#define FILE_MODE   0600
#define HANGS	    1000 /* ms; while a write goes on for longer than this,
			  * statistics do not reserve room, since the disk
			  * hangs */

#ifdef STORE_TEST_NOSYNC
/* Without syncing, for a test which shows that the durability test can fail.
 * Never shipped. */
#define ENV_FLAGS (MDB_NOTLS | MDB_NOSYNC)
#else
#define ENV_FLAGS MDB_NOTLS
#endif

const char *const table_names[TABLES] = {
	[T_META] = "meta",
	[T_EVENTS] = "events",
	[T_SEEN] = "seen",
	[T_ORDERS] = "orders",
	[T_DETAILS] = "details",
	[T_ADDRESSES] = "addresses",
	[T_LISTS] = "lists",
	[T_JOURNAL] = "journal",
	[T_CHANGES] = "changes",
	[T_TASKS] = "tasks",
	[T_TASK_NAMES] = "task_names",
	[T_DUE] = "due",
	[T_DEAD] = "dead",
	[T_QUARANTINE] = "quarantine",
	[T_DEVICES] = "devices",
	[T_TOKENS] = "tokens",
	[T_CODES] = "codes",
	[T_SESSIONS] = "sessions",
	[T_DONE] = "done",
	[T_ONCE] = "once",
	[T_ONCE_AGE] = "once_age",
	[T_BOUNDED] = "bounded",
	[T_BOUNDED_SEEN] = "bounded_seen",
	[T_WAITING] = "waiting",
};

_Static_assert(TABLES <= TABLES_MAX, "raise TABLES_MAX");

/* ---- the folder ---- */

enum rc file_remove(const char *path, struct err *e)
{
	if (unlink(path) && errno != ENOENT)
		return fail(e, RC_IO, "'%s' cannot be removed: %s", path,
			    strerror(errno));
	return OK;
}

enum rc folder_sync(const char *dir, struct err *e)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int failed = fd < 0 || fsync(fd) ? errno : 0;

	if (fd >= 0)
		close(fd);
	/* EINVAL means that this file system does not sync folders. */
	return failed && failed != EINVAL
		       ? fail(e, RC_IO, "'%s': %s", dir, strerror(failed))
		       : OK;
}

char *folder_of(const char *path)
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	while (n && path[n - 1] != '/')
		n--;
	while (n > 1 && path[n - 1] == '/')
		n--;
	return n ? xstrndup(path, n) : xstrdup(".");
}

static enum rc make_folder(const char *dir, struct err *e)
{
	char *parent;
	enum rc rc;

	if (mkdir(dir, 0700)) {
		if (errno == EEXIST)
			return OK;
		return fail(e, errno == ENOENT ? RC_NOTFOUND : RC_DENIED,
			    "cannot make the folder '%s': %s", dir,
			    strerror(errno));
	}
	parent = folder_of(dir);
	rc = folder_sync(parent, e);
	free(parent);
	return rc;
}

static enum rc check_owner(struct store *s, const char *dir, struct err *e)
{
	struct stat st;

	if (stat(dir, &st))
		return fail(e, errno == ENOENT ? RC_NOTFOUND : RC_DENIED,
			    "'%s': %s", dir, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return fail(e, RC_INVALID, "'%s' is not a folder", dir);
	if (st.st_uid != geteuid())
		return fail(e, RC_DENIED,
			    "'%s' belongs to user %u, and this is user %u: "
			    "run this as the folder's owner: "
			    "sudo -u '#%u' shipfrom ...",
			    dir, (unsigned)st.st_uid, (unsigned)geteuid(),
			    (unsigned)st.st_uid);
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	return OK;
}

enum rc take_serve_lock(struct store *s, const char *dir, struct err *e)
{
	char *path = xasprintf("%s/serve.lock", dir);
	enum rc rc = OK;

	s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);
	if (s->lock_fd < 0)
		rc = fail(e, RC_DENIED, "'%s': %s", path, strerror(errno));
	else if (flock(s->lock_fd, LOCK_EX | LOCK_NB))
		rc = errno == EWOULDBLOCK
			     ? fail(e, RC_EXISTS,
				    "another server uses the folder '%s'", dir)
			     : fail(e, RC_IO, "'%s': %s", path,
				    strerror(errno));
	free(path);
	return rc;
}

void drop_serve_lock(struct store *s)
{
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	s->lock_fd = -1;
}

/* Takes the lock on the folder.  All processes that have the store open share
 * it, so that the file is never replaced while one uses it. */
static enum rc lock_folder(struct store *s, const struct store_options *o,
			   struct err *e)
{
	s->dir_fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir_fd < 0)
		return fail(e, RC_DENIED, "'%s': %s", s->dir, strerror(errno));
	if (!flock(s->dir_fd, (o->alone ? LOCK_EX : LOCK_SH) | LOCK_NB))
		return OK;
	if (errno == EWOULDBLOCK)
		return fail(e, RC_EXISTS,
			    o->alone ? "the store in '%s' is in use: stop the "
				       "server, and let other commands end"
				     : "the store in '%s' is being compacted: "
				       "try again when that is done",
			    s->dir);
	/* This file system cannot lock folders: a store on it cannot be
	 * compacted. */
	return o->alone ? fail(e, RC_IO, "'%s': %s", s->dir, strerror(errno))
			: OK;
}

/* ---- once in a process ----
 *
 * A process must not open a store twice: LMDB's locks are lost when one of two
 * handles is closed. */

static pthread_mutex_t open_lock = PTHREAD_MUTEX_INITIALIZER;
static LIST_HEAD(, store) open_stores = LIST_HEAD_INITIALIZER(open_stores);

static enum rc remember_open(struct store *s, struct err *e)
{
	const struct store *o;
	enum rc rc = OK;

	pthread_mutex_lock(&open_lock);
	s->pid = getpid();
	LIST_FOREACH(o, &open_stores, open_link)
		if (o->pid == s->pid && o->dev == s->dev && o->ino == s->ino)
			rc = fail(e, RC_EXISTS,
				  "this process has the folder open already");
	if (!rc)
		LIST_INSERT_HEAD(&open_stores, s, open_link);
	pthread_mutex_unlock(&open_lock);
	return rc;
}

/* Removes the store from the list.  May be called for a store that
 * remember_open() refused, or never saw. */
static void forget_open(struct store *s)
{
	struct store *o;

	pthread_mutex_lock(&open_lock);
	LIST_FOREACH(o, &open_stores, open_link)
		if (o == s)
			break;
	if (o)
		LIST_REMOVE(o, open_link);
	pthread_mutex_unlock(&open_lock);
}

/* ---- the file ---- */

static enum rc open_failed(struct err *e, const char *dir, int mdb)
{
	enum rc rc = RC_IO;

	if (mdb == EACCES || mdb == EPERM || mdb == EROFS)
		rc = RC_DENIED;
	else if (mdb == MDB_VERSION_MISMATCH)
		rc = RC_INVALID;
	else if (mdb == MDB_INVALID || mdb == MDB_CORRUPTED ||
		 mdb == MDB_PAGE_NOTFOUND)
		return fail(e, RC_DAMAGED,
			    "the store's file '%s/data.mdb' is damaged: put a "
			    "backup back",
			    dir);
	else if (mdb == ENOSPC || mdb == EDQUOT || mdb == EFBIG)
		rc = RC_FULL;
	return fail(e, rc, "the store in '%s' does not open: %s", dir,
		    mdb_strerror(mdb));
}

/* Returns the least size of a store's file: it has two pages from the
 * beginning. */
static off_t least_size(void)
{
	return 2 * (off_t)sysconf(_SC_PAGESIZE);
}

static bool lmdb_exists(const char *dir)
{
	char *path = xasprintf("%s/data.mdb", dir);
	struct stat st;
	bool missing = stat(path, &st) ? errno == ENOENT
				       : st.st_size < least_size();

	free(path);
	return !missing;
}

/* LMDB makes its file with one write of two pages, each of which has this
 * number behind its header.  If that write was cut short (by a full disk or a
 * kill), LMDB cannot open the file; nothing is in it, nor in a copy that was
 * broken off that early, so it is emptied. */
#define MAGIC	 0xBEEFC0DEu
#define MAGIC_AT 16

static bool was_cut_short(const char *dir)
{
	char *path = xasprintf("%s/data.mdb", dir);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	uint32_t magic = 0;
	struct stat st;
	bool emptied;

	free(path);
	if (fd < 0)
		return false;
	emptied = pread(fd, &magic, sizeof(magic), MAGIC_AT) ==
			  (ssize_t)sizeof(magic) &&
		  magic == MAGIC && !fstat(fd, &st) && st.st_size < least_size() &&
		  !ftruncate(fd, 0);
	close(fd);
	return emptied;
}

/* Extends a file that ends before its last page, such as a copy that was broken
 * off.  Otherwise reading there would raise a signal that kills the process; an
 * empty page gives an error with a sentence.  If the disk has no room for that,
 * the store is not opened. */
static enum rc mend_length(struct store *s, const MDB_envinfo *info,
			   struct err *e)
{
	mdb_filehandle_t fd;
	struct stat file;
	MDB_stat st;
	off_t ought;

	if (mdb_env_stat(s->env, &st) || mdb_env_get_fd(s->env, &fd) ||
	    fstat(fd, &file))
		return fail(e, RC_IO, "the store's file: %s", strerror(errno));
	ought = (off_t)((info->me_last_pgno + 1) * st.ms_psize);
	if (file.st_size >= ought ||
	    !fallocate(fd, 0, file.st_size, ought - file.st_size) ||
	    (errno != ENOSPC && errno != EDQUOT && errno != EFBIG))
		return OK;
	return fail(e, RC_FULL, "the store's file is cut short and cannot be "
				"made longer: %s",
		    strerror(errno));
}

/* Enlarges the map if that is needed; it is never made smaller, since another
 * process that uses the size it found could write beyond our end, and we could
 * not go on. */
static int grow_map(struct store *s, size_t max, MDB_envinfo *ret)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = (max + page - 1) / page * page;
	int mdb = mdb_env_info(s->env, ret);

	if (mdb || size <= ret->me_mapsize)
		return mdb;
	mdb = mdb_env_set_mapsize(s->env, size);
	return mdb ? mdb : mdb_env_info(s->env, ret);
}

static int open_mdb(struct store *s, const char *dir)
{
	int mdb = mdb_env_create(&s->env);

	if (!mdb)
		mdb = mdb_env_set_maxdbs(s->env, TABLES_MAX);
	if (!mdb)
		mdb = mdb_env_set_maxreaders(s->env, READERS_MAX);
	if (!mdb)
		mdb = mdb_env_open(s->env, dir, ENV_FLAGS, FILE_MODE);
	return mdb;
}

static enum rc open_env(struct store *s, const struct store_options *o,
			struct err *e)
{
	size_t max = o->max_bytes;
	MDB_envinfo info;
	enum rc rc;
	int mdb;

	if (!max && !lmdb_exists(s->dir))
		max = FIRST_SIZE;
	mdb = open_mdb(s, s->dir);
	if (mdb == MDB_INVALID && o->serve && was_cut_short(s->dir)) {
		mdb_env_close(s->env);
		s->env = NULL;
		mdb = open_mdb(s, s->dir);
	}
	if (!mdb)
		mdb = grow_map(s, max, &info);
	if (!mdb)
		mdb = mdb_reader_check(s->env, NULL); /* left by the killed */
	if (mdb)
		return open_failed(e, s->dir, mdb);
	s->max_bytes = max ? max : info.me_mapsize;
	rc = mend_length(s, &info, e);
	return rc ? rc : folder_sync(s->dir, e);
}

/* ---- the tables ---- */

static enum rc check_schema(struct txn *t, struct err *e)
{
	struct reader r;
	struct key k;
	uint32_t version;
	MDB_val v;
	enum rc rc;

	rc = txn_get(t, T_META, key_bytes(key_start(&k), "schema", 6), &v, e);
	if (rc)
		return rc;
	reader_init(&r, v.mv_data, v.mv_size);
	version = get_u32(&r);
	if (r.bad || !version)
		return fail(e, RC_DAMAGED, "the number of the store's schema "
					   "cannot be read: it is damaged");
	if (version > SCHEMA_VERSION)
		return fail(e, RC_INVALID,
			    "the store was written by a newer shipfrom "
			    "(schema %u, this one knows %u)",
			    (unsigned)version, (unsigned)SCHEMA_VERSION);
	return OK;
}

/* Opens all tables.  RC_NOTFOUND: one is missing, and `flags` do not allow to
 * make it. */
static enum rc open_tables(struct txn *t, unsigned flags, struct err *e)
{
	enum rc rc = OK;

	for (int i = 0; !rc && i < TABLES; i++) {
		rc = txn_rc(t, mdb_dbi_open(t->mdb, table_names[i], flags,
					    &t->store->tables[i]),
			    e, table_names[i]);
		/* The schema must be one that we can read before anything else
		 * is touched. */
		if (!rc && i == T_META && !(flags & MDB_CREATE))
			rc = check_schema(t, e);
	}
	return rc;
}

/* Opens the tables of an existing store without the write lock, which a busy
 * server holds. */
static enum rc open_existing(struct store *s, struct err *e)
{
	uint64_t newest = 0;
	struct txn t;
	enum rc rc;

	rc = txn_read(&t, s, e);
	if (!rc)
		rc = open_tables(&t, 0, e);
	if (!rc) {
		rc = txn_last(&t, "changes", &newest, e);
		if (rc == RC_INVALID)
			rc = RC_DAMAGED;
	}
	if (!rc)
		rc = txn_commit(&t, e); /* the commit keeps the handles of the
					 * tables */
	txn_abort(&t);
	atomic_store(&s->newest, newest);
	return rc;
}

/* Makes all tables of a new store; in an existing one only those that a newer
 * version added. */
static enum rc create_tables(struct store *s, bool must_exist, struct err *e)
{
	struct txn t;
	enum rc rc;

	rc = txn_write(&t, s, e);
	if (!rc)
		rc = open_tables(&t, MDB_CREATE, e);
	if (!rc)
		rc = check_schema(&t, e);
	if (rc == RC_NOTFOUND && !must_exist)
		rc = migrate_none(&t, e);
	if (!rc)
		rc = txn_commit(&t, e);
	txn_abort(&t);
	return rc;
}

static enum rc no_store(const char *dir, struct err *e)
{
	return fail(e, RC_NOTFOUND, "there is no store in '%s' yet", dir);
}

static enum rc find_store(const char *dir, struct err *e)
{
	return lmdb_exists(dir) ? OK : no_store(dir, e);
}

static enum rc open_tables_of(struct store *s, const struct store_options *o,
			      struct err *e)
{
	enum rc rc = open_existing(s, e);

	if (rc != RC_NOTFOUND)
		return rc;
	rc = create_tables(s, o->must_exist, e);
	if (rc == RC_NOTFOUND)
		return no_store(s->dir, e);
	return rc ? rc : open_existing(s, e);
}

/* ---- birth and death ---- */

static void store_free(struct store *s)
{
	writer_stop(s);
	if (s->env)
		mdb_env_close(s->env);
	forget_open(s);
	if (s->dir_fd >= 0)
		close(s->dir_fd); /* frees the lock */
	drop_serve_lock(s);
	store_base_release(&s->base);
	free(s->dir);
	free(s);
}

static struct store *store_new(const char *dir, const struct store_options *o)
{
	struct store *s = xcalloc(1, sizeof(*s));

	s->dir = xstrdup(dir);
	s->serve = o->serve;
	s->lock_fd = s->dir_fd = -1;
	s->changes_kept = o->changes_kept ? o->changes_kept : CHANGES_KEPT;
	return s;
}

enum rc lmdb_open(struct store **ret, const char *dir,
		  const struct store_options *o, struct err *e)
{
	struct store *s = store_new(dir, o);
	enum rc rc = store_base_init(&s->base, &engine_lmdb, o, e);

	if (!rc)
		rc = o->must_exist ? find_store(s->dir, e)
				   : make_folder(s->dir, e);
	if (!rc)
		rc = check_owner(s, s->dir, e);
	if (!rc)
		rc = remember_open(s, e);
	if (!rc && (o->serve || o->alone))
		rc = take_serve_lock(s, s->dir, e);
	if (!rc)
		rc = lock_folder(s, o, e);
	if (!rc && o->serve)
		compact_clean(s->dir);
	if (!rc)
		rc = open_env(s, o, e);
	if (!rc)
		rc = open_tables_of(s, o, e);
	if (!rc)
		rc = migrate(s, s->dir, e);
	if (!rc)
		rc = epoch_open(s, e);
	if (rc == RC_IO && atomic_load(&s->damaged))
		rc = RC_DAMAGED;
	if (!rc && o->serve)
		rc = writer_start(s, o->queue_max ? o->queue_max : QUEUE_MAX,
				  e);
	if (rc)
		store_free(s);
	else
		*ret = s;
	return rc;
}

void lmdb_close(struct store *s)
{
	store_free(s);
}

/* ---- numbers ---- */

static enum rc rows(struct txn *t, enum table table, uint64_t *ret,
		    struct err *e)
{
	MDB_stat st;
	int mdb = mdb_stat(t->mdb, t->store->tables[table], &st);

	if (!mdb)
		*ret = st.ms_entries;
	return txn_rc(t, mdb, e, "counting rows");
}

static enum rc counts(struct txn *t, struct store_stats *ret, struct err *e)
{
	char name[32];
	enum rc rc = txn_last(t, COUNT_IN_DOUBT, &ret->in_doubt, e);

	for (int kind = 0; !rc && kind < MISSED_KINDS; kind++)
		rc = txn_last(t, missed_counter(name, (enum missed)kind),
			      &ret->missed[kind], e);
	return rc;
}

static enum rc lmdb_stats(struct store *s, struct store_stats *ret, struct err *e)
{
	struct txn t;
	enum rc rc;

	*ret = (struct store_stats){
		.max_bytes = s->max_bytes,
		.commits = atomic_load(&s->commits),
		.writes = atomic_load(&s->writes),
		.queued = writer_waiting(s),
		.writing_for = writer_busy(s),
		.oldest_due = TIME_NONE,
		.failed = atomic_load(&s->failed),
	};
	rc = txn_read(&t, s, e);
	if (!rc)
		rc = room_used(&t, &ret->used_bytes, e);
	if (!rc && s->serve && ret->writing_for < HANGS) {
		rc = room_for_delivery(&t, e);
		ret->full = rc == RC_FULL;
		ret->failed |= rc == RC_IO;
		rc = ret->full ? OK : rc;
	}
	if (!rc)
		rc = rows(&t, T_EVENTS, &ret->events, e);
	if (!rc)
		rc = rows(&t, T_ORDERS, &ret->orders, e);
	if (!rc)
		rc = rows(&t, T_DUE, &ret->tasks_waiting, e);
	if (!rc)
		rc = rows(&t, T_DEAD, &ret->tasks_dead, e);
	if (!rc)
		rc = rows(&t, T_QUARANTINE, &ret->quarantined, e);
	if (!rc)
		rc = rows(&t, T_DEVICES, &ret->devices, e);
	if (!rc)
		rc = oldest_due(&t.rows, &ret->oldest_due, e);
	if (!rc)
		rc = counts(&t, ret, e);
	txn_abort(&t);
	return rc;
}

bool store_damaged(const struct store *s)
{
	return atomic_load(&s->damaged);
}

/* ---- reading ---- */

static enum rc lmdb_read_begin(struct rows **ret, struct store *s,
			       struct err *e)
{
	struct txn *t = xcalloc(1, sizeof(*t));
	enum rc rc = txn_read(t, s, e);

	if (rc)
		free(t);
	else
		*ret = &t->rows;
	return rc;
}

static void lmdb_read_end(struct rows *r)
{
	struct txn *t = txn_of(r);

	txn_abort(t);
	free(t);
}

static uint64_t lmdb_newest_change(struct store *s)
{
	uint64_t newest = 0;
	struct txn t;

	if (!txn_read(&t, s, NULL) && !txn_last(&t, "changes", &newest, NULL)) {
		txn_abort(&t);
		return newest;
	}
	txn_abort(&t);
	return atomic_load(&s->newest);
}

const struct engine engine_lmdb = {
	.scheme = "lmdb:",
	.rows = &lmdb_rows,
	.open = lmdb_open,
	.close = lmdb_close,
	.exists = lmdb_exists,
	.write = writer_do,
	.write_all = writer_do_all,
	.read_begin = lmdb_read_begin,
	.read_end = lmdb_read_end,
	.stats = lmdb_stats,
	.newest_change = lmdb_newest_change,
	.newest_time = lmdb_newest_time,
	.backup = lmdb_backup,
	.compact = lmdb_compact,
	.room = lmdb_room_left,
	.verify = lmdb_verify,
};
