/* SPDX-License-Identifier: MIT
 *
 * room.c - see room.h.
 */
#include "store/lmdb/room.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "store/lmdb/store_private.h"

#define KEPT_FREE  ((uint64_t)1 << 20) /* bytes that deliveries must leave for
				        * all other writes */
#define A_DELIVERY ((uint64_t)1 << 20) /* bytes that the commit of an ordinary
				        * delivery reserves, at most */
#define CHUNK      ((uint64_t)8 << 20) /* bytes by which the file grows */
#define A_PATH	   5 /* pages from the root to a row, with those that a split
		      * adds */
#define COMMIT_MAX ((uint64_t)16 << 20) /* most bytes that are reserved for a
					 * commit's rows */
/* Puts and bytes of one transaction after which its room is counted again.  Both
 * are far less than what deliveries leave for others. */
#define PUTS_A_COUNT  512
#define BYTES_A_COUNT ((size_t)64 << 10)

static uint64_t pages(const MDB_stat *st)
{
	return st->ms_branch_pages + st->ms_leaf_pages + st->ms_overflow_pages;
}

enum rc room_used(struct txn *t, uint64_t *ret, struct err *e)
{
	uint64_t n = 2; /* the meta pages */
	MDB_stat st;
	int mdb;

	/* The handles 0 and 1 are LMDB's own two tables: the free list and the
	 * list of tables (mdb_stat(1) reads them like this too). */
	for (MDB_dbi dbi = 0; dbi < 2; dbi++) {
		mdb = mdb_stat(t->mdb, dbi, &st);
		if (mdb)
			return txn_rc(t, mdb, e, "counting pages");
		n += pages(&st);
	}
	for (int i = 0; i < TABLES; i++) {
		mdb = mdb_stat(t->mdb, t->store->tables[i], &st);
		if (mdb)
			return txn_rc(t, mdb, e, "counting pages");
		n += pages(&st);
	}
	*ret = n * st.ms_psize;
	return OK;
}

enum rc lmdb_room_left(struct store *s, struct store_room *ret, struct err *e)
{
	struct statvfs v;

	if (statvfs(s->dir, &v))
		return fail(e, RC_IO, "the disk of '%s': %s", s->dir,
			    strerror(errno));
	ret->left = (uint64_t)v.f_bavail * v.f_frsize;
	ret->all = (uint64_t)v.f_blocks * v.f_frsize;
	return OK;
}

/* Reserves blocks for the file up to `bytes` behind the last page in use: a
 * whole chunk if possible, less if the disk has no room for that. */
static enum rc reserve(struct store *s, uint64_t bytes, struct err *e)
{
	uint64_t used, end, want;
	mdb_filehandle_t fd;
	MDB_envinfo info;
	MDB_stat st;
	struct stat file;

	if (mdb_env_info(s->env, &info) || mdb_env_stat(s->env, &st) ||
	    mdb_env_get_fd(s->env, &fd) || fstat(fd, &file))
		return fail(e, RC_IO, "the store's file: %s", strerror(errno));
	/* The file has no name any more: data written now would be lost when
	 * the process ends. */
	if (!file.st_nlink)
		return fail(e, RC_IO, "the store's file was removed");
	end = (uint64_t)file.st_size;
	used = ((uint64_t)info.me_last_pgno + 1) * st.ms_psize;
	if (bytes > info.me_mapsize - used)
		bytes = info.me_mapsize - used; /* the map ends there */
	if (end >= used + bytes)
		return OK;
	for (uint64_t extra = CHUNK; ; extra = extra > 4096 ? extra / 2 : 0) {
		want = used + bytes + extra;
		if (want > info.me_mapsize)
			want = info.me_mapsize;
		if (!fallocate(fd, 0, (off_t)end, (off_t)(want - end)))
			return OK;
		if (errno == EINTR)
			continue;
		if (errno != ENOSPC && errno != EDQUOT && errno != EFBIG)
			return OK; /* this file system cannot reserve blocks:
				    * nothing to do */
		if (!extra)
			return fail(e, RC_FULL, "the disk is full");
	}
}

/* If the file is gone, that counts as a failed disk, also if a write meets it
 * here first. */
static enum rc reserved(struct txn *t, enum rc rc)
{
	t->io |= rc == RC_IO;
	return rc;
}

/* True if so little was put since the room was counted that the count holds. */
static bool counted(const struct txn *t)
{
	return t->delivers && t->puts - t->room_puts < PUTS_A_COUNT &&
	       t->bytes - t->room_bytes < BYTES_A_COUNT;
}

enum rc room_for_delivery(struct txn *t, struct err *e)
{
	uint64_t used = 0, max = t->store->max_bytes;
	enum rc rc;

	if (counted(t))
		return OK;
	rc = room_used(t, &used, e);
	if (rc)
		return rc;
	if (used > max - max / 20)
		return fail(e, RC_FULL,
			    "the store is nearly full: %llu of %llu bytes "
			    "(store_max)",
			    (unsigned long long)used, (unsigned long long)max);
	/* With less, room_for_commit() would refuse what was let in here, and the
	 * server would count as ready. */
	rc = reserved(t, reserve(t->store, KEPT_FREE + A_DELIVERY, e));
	if (rc)
		return rc;
	t->delivers = true;
	t->room_puts = t->puts;
	t->room_bytes = t->bytes;
	return OK;
}

enum rc room_for_commit(struct txn *t, struct err *e)
{
	/* While some process reads, freed pages are not used again: each row
	 * needs a path of new pages, and so does LMDB's list of free pages. */
	uint64_t rows = (t->puts + 2) * A_PATH * 4096;
	uint64_t kept = t->delivers ? KEPT_FREE : 0;

	if (rows > COMMIT_MAX)
		rows = COMMIT_MAX;
	return reserved(t, reserve(t->store, rows + 2 * t->bytes + kept, e));
}
