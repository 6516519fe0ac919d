/* SPDX-License-Identifier: MIT
 *
 * compact.c - rewrites the store's file without its freed pages.
 *
 * LMDB never overwrites a page that is in use.  Removed data stays in freed
 * pages of the file until these are used again.  A copy has only the pages in
 * use.  The copy is made beside the file, and then gets its name.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/lmdb/folder.h"
#include "store/lmdb/store_private.h"

#define PART "data.mdb.compact"

static char *path_in(const char *dir, const char *name)
{
	return xasprintf("%s/%s", dir, name);
}

void compact_clean(const char *dir)
{
	char *part = path_in(dir, PART);
	struct err ignored;

	(void)!file_remove(part, &ignored); /* usually there is no such file */
	free(part);
}

/* ---- is it whole? ---- */

/* Counts the rows of each table of an open environment. */
static int count_rows(MDB_env *env, size_t ret[TABLES])
{
	MDB_txn *t = NULL;
	MDB_stat st;
	MDB_dbi table;
	int mdb = mdb_txn_begin(env, NULL, MDB_RDONLY, &t);

	for (int i = 0; i < TABLES && !mdb; i++) {
		mdb = mdb_dbi_open(t, table_names[i], 0, &table);
		if (!mdb)
			mdb = mdb_stat(t, table, &st);
		ret[i] = mdb ? 0 : st.ms_entries;
	}
	if (t)
		mdb_txn_abort(t);
	return mdb;
}

/* Compares the copy with the store: a copy that lacks a row must never take the
 * store's place. */
static enum rc check_copy(struct store *s, const char *part, struct err *e)
{
	size_t have[TABLES], copied[TABLES];
	MDB_env *env = NULL;
	int mdb = count_rows(s->env, have);

	if (!mdb)
		mdb = mdb_env_create(&env);
	if (!mdb)
		mdb = mdb_env_set_maxdbs(env, TABLES);
	if (!mdb)
		mdb = mdb_env_open(env, part,
				   MDB_NOSUBDIR | MDB_NOLOCK | MDB_RDONLY,
				   0600);
	if (!mdb)
		mdb = count_rows(env, copied);
	mdb_env_close(env);
	if (mdb)
		return fail(e, RC_IO, "reading '%s': %s", part,
			    mdb_strerror(mdb));
	for (int i = 0; i < TABLES; i++)
		/* Marking the copy as a backup may have added a row to
		 * `meta`. */
		if (copied[i] < have[i])
			return fail(e, RC_INVALID,
				    "table '%s' has %zu rows, its copy %zu: "
				    "nothing was changed",
				    table_names[i], have[i], copied[i]);
	return OK;
}

/* ---- taking its place ---- */

static enum rc failed(const char *path, struct err *e)
{
	return fail(e, RC_IO, "'%s': %s", path, strerror(errno));
}

static enum rc take_mode(int fd, const char *part, const struct stat *like,
			 struct err *e)
{
	if (fchown(fd, (uid_t)-1, like->st_gid) ||
	    fchmod(fd, like->st_mode & 07777) || fsync(fd))
		return failed(part, e);
	return OK;
}

/* Puts the copy in the place of the store's file.  The lock file of the old
 * store is removed: it does not fit the new file, and the next process that
 * opens the store makes another.  No other process has the store open. */
static enum rc replace(const char *dir, const char *part, const char *data,
		       struct err *e)
{
	char *locks = path_in(dir, "lock.mdb");
	enum rc rc = rename(part, data) ? failed(data, e) : OK;

	if (!rc)
		rc = file_remove(locks, e);
	if (!rc)
		rc = folder_sync(dir, e);
	free(locks);
	return rc;
}

static enum rc rewrite(struct store *s, const char *dir, const char *part,
		       const char *data, struct store_compacted *ret,
		       struct err *e)
{
	struct stat was, is;
	struct err ignored;
	int fd = -1;
	enum rc rc;

	rc = stat(data, &was) ? failed(data, e) : part_open(part, &fd, e);
	if (!rc)
		rc = part_copy(s, fd, part, e);
	if (!rc)
		rc = epoch_mark_file(s, part, fd, e);
	if (!rc)
		rc = check_copy(s, part, e);
	if (!rc)
		rc = take_mode(fd, part, &was, e);
	if (!rc && fstat(fd, &is))
		rc = failed(part, e);
	if (!rc)
		rc = replace(dir, part, data, e);
	else if (fd >= 0)
		(void)!file_remove(part, &ignored);
	if (fd >= 0)
		close(fd);
	if (!rc)
		*ret = (struct store_compacted){(uint64_t)was.st_size,
						(uint64_t)is.st_size};
	return rc;
}

enum rc lmdb_compact(const char *dir, struct store_compacted *ret,
		     struct err *e)
{
	struct store_options o = {.must_exist = true, .alone = true};
	char *part = path_in(dir, PART), *data = path_in(dir, "data.mdb");
	struct store *s = NULL;
	enum rc rc;

	rc = lmdb_open(&s, dir, &o, e);
	if (!rc)
		rc = rewrite(s, dir, part, data, ret, e);
	if (s)
		lmdb_close(s);
	free(part);
	free(data);
	return rc;
}
