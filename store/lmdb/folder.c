/* SPDX-License-Identifier: MIT
 *
 * folder.c - see folder.h.
 */
#include "store/lmdb/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/lmdb/store_private.h"

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

enum rc folder_make(const char *dir, struct err *e)
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

enum rc folder_owned(struct store *s, const char *dir, struct err *e)
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

enum rc folder_lock(struct store *s, const struct store_options *o,
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
