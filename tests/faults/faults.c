/* SPDX-License-Identifier: MIT
 *
 * faults.c - a disk that fails as it is told to, for a program with its store
 * on it (LD_PRELOAD).
 *
 * $FAULTS names a file.  While it is there each of its lines fails one kind of
 * call on the store's file, "KIND ERROR":
 *
 *	sync EIO	fdatasync, fsync
 *	meta EIO	writing a page that says which tree is the store: it is
 *			written, but not known to be on disk
 *	data ENOSPC	writing any other page
 *	grow ENOSPC	fallocate, ftruncate
 *	all EROFS	every one of these
 *	sync HANG	the call does not return until the line is gone
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "tests/faults/watch.h"

#define HANG -1

static int error_of(const char *word)
{
	static const struct {
		const char *word;
		int error;
	} all[] = {{"EIO", EIO},	 {"ENOSPC", ENOSPC},
		   {"EROFS", EROFS},	 {"EDQUOT", EDQUOT},
		   {"HANG", HANG}};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (!strcmp(all[i].word, word))
			return all[i].error;
	return EIO;
}

static int wanted(const char *kind)
{
	const char *path = getenv("FAULTS");
	char is[16], word[16];
	int error = 0;
	FILE *f = path ? fopen(path, "re") : NULL;

	while (f && !error && fscanf(f, "%15s %15s", is, word) == 2)
		if (!strcmp(is, kind) || !strcmp(is, "all"))
			error = error_of(word);
	if (f)
		fclose(f);
	return error;
}

/* What a call of this kind is to fail with now; 0: it is not to. */
static int fault(const char *kind)
{
	struct timespec nap = {.tv_nsec = 5000000};
	int error;

	while ((error = wanted(kind)) == HANG)
		nanosleep(&nap, NULL);
	return error;
}

static bool fails(int fd, const char *kind)
{
	int error = watched(fd) == NOT_OURS ? 0 : fault(kind);

	if (error)
		errno = error;
	return error != 0;
}

static const char *kind_of(int fd)
{
	return watched(fd) == OF_META ? "meta" : "data";
}

typedef int sync_fn(int fd);
typedef ssize_t write_fn(int fd, const void *p, size_t n);
typedef ssize_t pwrite_fn(int fd, const void *p, size_t n, off_t at);
typedef ssize_t writev_fn(int fd, const struct iovec *v, int n);
typedef int truncate_fn(int fd, off_t size);
typedef int allocate_fn(int fd, int mode, off_t at, off_t n);

int fdatasync(int fd)
{
	return fails(fd, "sync") ? -1 : REAL(sync_fn *, "fdatasync")(fd);
}

int fsync(int fd)
{
	return fails(fd, "sync") ? -1 : REAL(sync_fn *, "fsync")(fd);
}

ssize_t write(int fd, const void *p, size_t n)
{
	return fails(fd, kind_of(fd)) ? -1 : REAL(write_fn *, "write")(fd, p, n);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
	int error;
	ssize_t done;

	if (watched(fd) != OF_META)
		return fails(fd, "data")
			       ? -1
			       : REAL(pwrite_fn *, "pwrite")(fd, p, n, at);
	error = fault("meta");
	done = REAL(pwrite_fn *, "pwrite")(fd, p, n, at);
	if (!error)
		return done;
	errno = error;
	return -1;
}

ssize_t writev(int fd, const struct iovec *v, int n)
{
	return fails(fd, kind_of(fd)) ? -1
				      : REAL(writev_fn *, "writev")(fd, v, n);
}

int ftruncate(int fd, off_t size)
{
	return fails(fd, "grow") ? -1
				 : REAL(truncate_fn *, "ftruncate")(fd, size);
}

int fallocate(int fd, int mode, off_t at, off_t n)
{
	return fails(fd, "grow") ? -1
				 : REAL(allocate_fn *,
					"fallocate")(fd, mode, at, n);
}
