/* SPDX-License-Identifier: MIT
 *
 * epoch.c - finds out whether the store is the one that was last served, a copy
 * of it, or a backup.
 *
 * `epoch` in `meta` is a random number, made with the store and again when it
 * turns out to be a copy: numbers that were given out in the original may be
 * given out again for something else.  `file` says which file was last served;
 * `backup` marks the copies that store_backup() makes; a command that opens one
 * replaces that mark by `restored`, which the first start of the server
 * removes.  `renewed` says when it last turned out to be a copy or a backup.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"
#include "base/time.h"
#include "store/model/codec.h"
#include "store/lmdb/store_private.h"
#include "store/rules/rules.h"

/* Identifies the file data.mdb.  `made` is 0 on a file system that does not
 * record when a file was made. */
struct identity {
	uint64_t inode;
	int64_t made; /* ms */
};

static struct key *meta_key(struct key *k, const char *name)
{
	return key_bytes(key_start(k), name, strlen(name));
}

static uint64_t random_epoch(void)
{
	uint64_t n = random_number();

	return n ? n : 1;
}

static enum rc identify(int fd, struct identity *ret, struct err *e)
{
	struct statx st;

	*ret = (struct identity){0};
	if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &st))
		return fail(e, RC_IO, "the store's file cannot be looked at");
	ret->inode = st.stx_ino;
	ret->made = st.stx_mask & STATX_BTIME
			    ? st.stx_btime.tv_sec * 1000 +
				      st.stx_btime.tv_nsec / 1000000
			    : 0;
	return OK;
}

static enum rc identify_env(struct store *s, struct identity *ret,
			    struct err *e)
{
	mdb_filehandle_t fd = -1;

	return mdb_env_get_fd(s->env, &fd) ? fail(e, RC_IO, "no file is open")
					   : identify(fd, ret, e);
}

/* ---- what is kept ---- */

struct kept {
	uint64_t epoch; /* 0: none yet */
	bool backup;	/* the store is a backup that was never opened */
	bool restored;	/* the store is a backup that was opened, but never
			 * served */
	int64_t renewed; /* TIME_NONE: never */
	bool known;	/* `file` is there */
	struct identity file;
};

static enum rc load(struct txn *t, struct kept *ret, struct err *e)
{
	struct key_reader kr;
	struct key k;
	MDB_val v;
	enum rc rc;

	*ret = (struct kept){.renewed = TIME_NONE};
	rc = txn_get(t, T_META, meta_key(&k, "epoch"), &v, e);
	if (!rc) {
		kr = key_read(v.mv_data, v.mv_size);
		ret->epoch = key_get_u64(&kr);
	}
	if (!rc || rc == RC_NOTFOUND)
		rc = txn_get(t, T_META, meta_key(&k, "backup"), &v, e);
	ret->backup = !rc;
	if (!rc || rc == RC_NOTFOUND)
		rc = txn_get(t, T_META, meta_key(&k, "restored"), &v, e);
	ret->restored = !rc;
	if (!rc || rc == RC_NOTFOUND)
		rc = txn_get(t, T_META, meta_key(&k, "renewed"), &v, e);
	if (!rc) {
		kr = key_read(v.mv_data, v.mv_size);
		ret->renewed = key_get_i64(&kr);
	}
	if (!rc || rc == RC_NOTFOUND)
		rc = txn_get(t, T_META, meta_key(&k, "file"), &v, e);
	if (!rc) {
		kr = key_read(v.mv_data, v.mv_size);
		ret->file.inode = key_get_u64(&kr);
		ret->file.made = key_get_i64(&kr);
		ret->known = !kr.bad;
	}
	return rc == RC_NOTFOUND ? OK : rc;
}

static enum rc put_epoch(struct txn *t, uint64_t epoch, struct err *e)
{
	struct key k, v;

	key_u64(key_start(&v), epoch);
	return txn_put(t, T_META, meta_key(&k, "epoch"), v.b, v.n, e);
}

static enum rc put_renewed(struct txn *t, int64_t renewed, struct err *e)
{
	struct key k, v;

	key_i64(key_start(&v), renewed);
	return txn_put(t, T_META, meta_key(&k, "renewed"), v.b, v.n, e);
}

static enum rc put_file(struct txn *t, const struct identity *is, struct err *e)
{
	struct key k, v;

	key_i64(key_u64(key_start(&v), is->inode), is->made);
	return txn_put(t, T_META, meta_key(&k, "file"), v.b, v.n, e);
}

/* ---- opening ---- */

static bool same_file(const struct kept *kept, const struct identity *is)
{
	return kept->file.inode == is->inode && kept->file.made == is->made;
}

static enum store_origin origin_of(const struct kept *kept,
				   const struct identity *is, bool serve)
{
	if (kept->backup || (serve && kept->restored))
		return STORE_RESTORED;
	return serve && kept->known && !same_file(kept, is) ? STORE_COPIED
							    : STORE_SAME;
}

/* Suspends the devices of a backup, and removes its mark.  A command leaves
 * another mark, so that the next start of the server can log it. */
static enum rc adopt_backup(struct store *s, struct txn *t, struct err *e)
{
	struct key k, none;
	enum rc rc = devices_suspend(&t->rows, e);

	if (!rc)
		rc = rows_check(&t->rows, e);

	if (!rc)
		rc = txn_del(t, T_META, meta_key(&k, "backup"), e);
	if (!rc && !s->serve)
		rc = txn_put(t, T_META, meta_key(&k, "restored"),
			     key_start(&none)->b, 0, e);
	return rc;
}

/* Writes all that the store's origin requires, in one transaction: after a
 * crash in the middle the mark of a backup is still there. */
static enum rc adopt(struct store *s, const struct kept *kept,
		     const struct identity *is, struct err *e)
{
	struct key k;
	struct txn t;
	enum rc rc;

	rc = txn_write(&t, s, e);
	if (!rc)
		rc = put_epoch(&t, s->base.epoch, e);
	if (!rc && s->base.origin != STORE_SAME)
		rc = put_renewed(&t, s->base.renewed, e);
	if (!rc && s->serve)
		rc = put_file(&t, is, e);
	if (!rc && kept->backup)
		rc = adopt_backup(s, &t, e);
	if (!rc && s->serve && kept->restored)
		rc = txn_del(&t, T_META, meta_key(&k, "restored"), e);
	if (!rc)
		rc = txn_commit(&t, e);
	txn_abort(&t);
	return rc;
}

enum rc epoch_open(struct store *s, struct err *e)
{
	struct identity is = {0};
	struct kept kept;
	struct txn t;
	enum rc rc;
	bool write;

	rc = identify_env(s, &is, e);
	if (!rc)
		rc = txn_read(&t, s, e);
	if (rc)
		return rc;
	rc = load(&t, &kept, e);
	txn_abort(&t);
	if (rc)
		return rc;
	s->base.origin = origin_of(&kept, &is, s->serve);
	s->base.epoch = kept.epoch && s->base.origin == STORE_SAME
				? kept.epoch
				: random_epoch();
	s->base.renewed = s->base.origin == STORE_SAME ? kept.renewed
						       : time_now();
	write = s->base.origin != STORE_SAME ||
		(s->serve && (!kept.epoch || !kept.known));
	if (!write)
		return OK;
	rc = adopt(s, &kept, &is, e);
	/* Without room for a new epoch the server starts all the same: screens
	 * then read their lists again after each start. */
	return rc == RC_FULL && s->base.origin != STORE_RESTORED ? OK : rc;
}

/* ---- marking a copy ---- */

#define MARK_ROOM ((size_t)1 << 20) /* most bytes that the mark may take */

static enum rc marked(MDB_env *env, int mdb, struct err *e)
{
	mdb_env_close(env);
	if (!mdb)
		return OK;
	return fail(e,
		    mdb == ENOSPC || mdb == EDQUOT || mdb == EFBIG ? RC_FULL
								   : RC_IO,
		    "marking the copy: %s", mdb_strerror(mdb));
}

/* Opens a copy.  No other process knows the file yet, so it needs no locks. */
static int open_copy(MDB_env **ret, const char *file)
{
	MDB_envinfo info;
	int mdb = mdb_env_create(ret);

	if (!mdb)
		mdb = mdb_env_set_maxdbs(*ret, TABLES);
	if (!mdb)
		mdb = mdb_env_open(*ret, file, MDB_NOSUBDIR | MDB_NOLOCK, 0600);
	if (!mdb)
		mdb = mdb_env_info(*ret, &info);
	if (!mdb)
		mdb = mdb_env_set_mapsize(*ret, info.me_mapsize + MARK_ROOM);
	return mdb;
}

/* Puts a row into the table `meta` of a copy. */
static enum rc mark(const char *file, const struct key *name,
		    const struct key *value, struct err *e)
{
	MDB_val key = {name->n, (void *)(uintptr_t)name->b};
	MDB_val val = {value->n, (void *)(uintptr_t)value->b};
	MDB_env *env = NULL;
	MDB_txn *t = NULL;
	MDB_dbi meta;
	int mdb = open_copy(&env, file);

	if (!mdb)
		mdb = mdb_txn_begin(env, NULL, 0, &t);
	if (!mdb)
		mdb = mdb_dbi_open(t, table_names[T_META], 0, &meta);
	if (!mdb)
		mdb = mdb_put(t, meta, &key, &val, 0);
	if (mdb)
		mdb_txn_abort(t);
	else
		mdb = mdb_txn_commit(t);
	return marked(env, mdb, e);
}

enum rc epoch_mark_backup(const char *file, struct err *e)
{
	struct key name, none;

	return mark(file, meta_key(&name, "backup"), key_start(&none), e);
}

enum rc epoch_mark_file(struct store *s, const char *file, int fd,
			struct err *e)
{
	struct identity was, is;
	struct key name, value;
	struct kept kept;
	struct txn t;
	enum rc rc;

	rc = txn_read(&t, s, e);
	if (rc)
		return rc;
	rc = load(&t, &kept, e);
	txn_abort(&t);
	if (!rc)
		rc = identify_env(s, &was, e);
	if (!rc)
		rc = identify(fd, &is, e);
	if (rc || !kept.known || !same_file(&kept, &was))
		return rc;
	key_i64(key_u64(key_start(&value), is.inode), is.made);
	return mark(file, meta_key(&name, "file"), &value, e);
}
