/* SPDX-License-Identifier: MIT
 *
 * env.c - opens and closes a store: LMDB's environment in its folder.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/model/codec.h"
#include "store/lmdb/folder.h"
#include "store/lmdb/lmdb.h"
#include "store/lmdb/schema.h"
#include "store/lmdb/store_private.h"

#define QUEUE_MAX   10000
#define READERS_MAX 512
#define FIRST_SIZE  ((size_t)1 << 30) /* bytes of a new store's map, if the
				       * options do not say */

#ifdef STORE_TEST_NOSYNC
/* Without syncing, for a test which shows that the durability test can fail.
 * Never shipped. */
#define ENV_FLAGS (MDB_NOTLS | MDB_NOSYNC)
#else
#define ENV_FLAGS MDB_NOTLS
#endif

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

bool lmdb_exists(const char *dir)
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
				   : folder_make(s->dir, e);
	if (!rc)
		rc = folder_owned(s, s->dir, e);
	if (!rc)
		rc = remember_open(s, e);
	if (!rc && (o->serve || o->alone))
		rc = take_serve_lock(s, s->dir, e);
	if (!rc)
		rc = folder_lock(s, o, e);
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
	if (rc == RC_IO && atomic_load(&s->base.damaged))
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
