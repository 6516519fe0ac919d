/* SPDX-License-Identifier: MIT
 *
 * backup.c - a copy of the store while it is in use.
 *
 * The copy is of one moment: writes go on beside it and are not in it.  Its
 * name is given to it last, so that a file of that name is a whole one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/store_impl.h"

#define FILE_MODE 0600

static enum rc there_is(const char *file, struct err *e)
{
	return fail(e, RC_EXISTS, "there is a '%s' already", file);
}

/* Opens the file that becomes the copy: nobody else writes it, and what a
 * killed backup left in it is gone. */
static enum rc open_part(const char *part, int *ret, struct err *e)
{
	int fd = open(part, O_WRONLY | O_CREAT | O_CLOEXEC, FILE_MODE);

	if (fd < 0)
		return fail(e, RC_DENIED, "'%s': %s", part, strerror(errno));
	*ret = fd;
	if (flock(fd, LOCK_EX | LOCK_NB))
		return errno == EWOULDBLOCK
			       ? fail(e, RC_EXISTS,
				      "another backup writes '%s'", part)
			       : fail(e, RC_IO, "'%s': %s", part,
				      strerror(errno));
	return ftruncate(fd, 0) ? fail(e, RC_IO, "'%s': %s", part,
				       strerror(errno))
				: OK;
}

/* Gives the part its name, unless there is such a file. */
static enum rc name_part(const char *part, const char *file, struct err *e)
{
	if (!renameat2(AT_FDCWD, part, AT_FDCWD, file, RENAME_NOREPLACE))
		return OK;
	if (errno == EEXIST)
		return there_is(file, e);
	/* This file system has no such call: the look at the start has to do.
	 */
	if ((errno == EINVAL || errno == ENOSYS) && !rename(part, file))
		return OK;
	return fail(e, RC_IO, "naming '%s': %s", file, strerror(errno));
}

static enum rc copy(struct store *s, int fd, const char *part, struct err *e)
{
	int mdb = mdb_env_copyfd2(s->env, fd, MDB_CP_COMPACT);

	if (!mdb && fsync(fd))
		mdb = errno;
	if (mdb)
		return fail(e,
			    mdb == ENOSPC || mdb == EDQUOT ? RC_FULL : RC_IO,
			    "copying to '%s': %s", part, mdb_strerror(mdb));
	return OK;
}

enum rc store_backup(struct store *s, const char *file, struct err *e)
{
	char *folder = folder_of(file), *part = xasprintf("%s.tmp", file);
	bool ours = false;
	int fd = -1;
	enum rc rc;

	rc = access(file, F_OK) ? OK : there_is(file, e);
	if (!rc)
		rc = open_part(part, &fd, e);
	ours = !rc;
	if (!rc)
		rc = copy(s, fd, part, e);
	if (!rc)
		rc = name_part(part, file, e);
	if (!rc)
		rc = folder_sync(folder, e);
	else if (ours)
		unlink(part);
	if (fd >= 0 && close(fd) && !rc)
		rc = fail(e, RC_IO, "'%s': %s", file, strerror(errno));
	free(part);
	free(folder);
	return rc;
}
