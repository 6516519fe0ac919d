/* SPDX-License-Identifier: MIT
 *
 * backup.c - copies the store while it is in use.
 *
 * The copy shows the store at one moment: writes go on meanwhile and are not in
 * it.  It gets its name last, so that a file of that name is always complete.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/lmdb/folder.h"
#include "store/lmdb/store_private.h"

static enum rc there_is(const char *file, struct err *e)
{
	return fail(e, RC_EXISTS, "there is a '%s' already", file);
}

static enum rc part_failed(const char *part, int error, struct err *e)
{
	enum rc rc = RC_IO;

	if (error == ENOENT || error == ENOTDIR)
		rc = RC_NOTFOUND;
	else if (error == EACCES || error == EPERM || error == EROFS)
		rc = RC_DENIED;
	else if (error == ENOSPC || error == EDQUOT || error == EFBIG)
		rc = RC_FULL;
	return fail(e, rc, "'%s': %s", part, strerror(error));
}

/* A file that a killed backup left behind is taken over and written again.  Any
 * other file is left alone, since the copy contains what nobody else may
 * read. */
static enum rc make_ours(int fd, const char *part, struct err *e)
{
	struct stat st, named;

	if (fstat(fd, &st) || lstat(part, &named))
		return part_failed(part, errno, e);
	/* The backup that held the lock before may have given the file its name
	 * meanwhile. */
	if (st.st_dev != named.st_dev || st.st_ino != named.st_ino)
		return fail(e, RC_EXISTS, "another backup wrote '%s'", part);
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_nlink != 1)
		return fail(e, RC_EXISTS, "there is a '%s' that is not ours",
			    part);
	return fchmod(fd, FILE_MODE) ? part_failed(part, errno, e) : OK;
}

enum rc part_open(const char *part, int *ret, struct err *e)
{
	const int flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK |
			  O_CLOEXEC;
	int fd = open(part, flags, FILE_MODE);
	enum rc rc;

	if (fd < 0 && (errno == ELOOP || errno == ENXIO))
		return fail(e, RC_EXISTS, "there is a '%s' that is not ours",
			    part);
	if (fd < 0)
		return part_failed(part, errno, e);
	*ret = fd;
	if (flock(fd, LOCK_EX | LOCK_NB))
		return errno == EWOULDBLOCK
			       ? fail(e, RC_EXISTS,
				      "another backup writes '%s'", part)
			       : part_failed(part, errno, e);
	rc = make_ours(fd, part, e);
	if (!rc && ftruncate(fd, 0))
		rc = part_failed(part, errno, e);
	return rc;
}

/* Renames the finished copy, unless a file of that name exists. */
static enum rc name_part(const char *part, const char *file, struct err *e)
{
	if (!renameat2(AT_FDCWD, part, AT_FDCWD, file, RENAME_NOREPLACE))
		return OK;
	if (errno == EEXIST)
		return there_is(file, e);
	/* This file system cannot rename without replacing: the check at the
	 * start must be enough. */
	if ((errno == EINVAL || errno == ENOSYS) && !rename(part, file))
		return OK;
	return fail(e, RC_IO, "naming '%s': %s", file, strerror(errno));
}

enum rc part_copy(struct store *s, int fd, const char *part, struct err *e)
{
	int mdb = mdb_env_copyfd2(s->env, fd, MDB_CP_COMPACT);

	if (!mdb && fsync(fd))
		mdb = errno;
	if (mdb)
		return fail(e,
			    mdb == ENOSPC || mdb == EDQUOT || mdb == EFBIG
				    ? RC_FULL
				    : RC_IO,
			    "copying to '%s': %s", part, mdb_strerror(mdb));
	return OK;
}

enum rc lmdb_backup(struct store *s, const char *file, struct err *e)
{
	char *folder = folder_of(file), *part = xasprintf("%s.tmp", file);
	struct err ignored;
	bool ours = false;
	int fd = -1;
	enum rc rc;

	rc = access(file, F_OK) ? OK : there_is(file, e);
	if (!rc)
		rc = part_open(part, &fd, e);
	ours = !rc;
	if (!rc)
		rc = part_copy(s, fd, part, e);
	if (!rc)
		rc = epoch_mark_backup(part, e);
	if (!rc)
		rc = name_part(part, file, e);
	if (!rc)
		rc = folder_sync(folder, e);
	else if (ours)
		(void)!file_remove(part, &ignored);
	if (fd >= 0 && close(fd) && !rc)
		rc = fail(e, RC_IO, "'%s': %s", file, strerror(errno));
	free(part);
	free(folder);
	return rc;
}
