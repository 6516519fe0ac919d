/* SPDX-License-Identifier: MIT
 *
 * watch.h - which descriptors are of the store's file, data.mdb.
 *
 * For libraries that stand between a program and its C library (LD_PRELOAD).
 * Each is one .c file, so everything here is static.
 */
#ifndef FAULTS_WATCH_H
#define FAULTS_WATCH_H

#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "tests/faults/real.h"

#define FDS 4096

enum watched {
	NOT_OURS,
	OF_DATA, /* the pages */
	OF_META, /* opened to be in sync: the first two pages */
};

static _Atomic unsigned char watched_fds[FDS];

static enum watched watched(int fd)
{
	return fd >= 0 && fd < FDS ? (enum watched)watched_fds[fd] : NOT_OURS;
}

static void watch(int fd, const char *path, int flags)
{
	static const char name[] = "/data.mdb";
	size_t n = strlen(path);

	if (fd < 0 || fd >= FDS)
		return;
	watched_fds[fd] = NOT_OURS;
	if (n >= sizeof(name) - 1 && (flags & O_ACCMODE) != O_RDONLY &&
	    !strcmp(path + n - (sizeof(name) - 1), name))
		watched_fds[fd] = flags & O_DSYNC ? OF_META : OF_DATA;
}

typedef int open_fn(const char *path, int flags, ...);

int open(const char *path, int flags, ...);
int open64(const char *path, int flags, ...);

static int open_watched(const char *path, int flags, mode_t mode)
{
	int fd = REAL(open_fn *, "open")(path, flags, mode);

	watch(fd, path, flags);
	return fd;
}

int open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	va_start(ap, flags);
	if (flags & (O_CREAT | O_TMPFILE))
		mode = va_arg(ap, mode_t);
	va_end(ap);
	return open_watched(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	va_start(ap, flags);
	if (flags & (O_CREAT | O_TMPFILE))
		mode = va_arg(ap, mode_t);
	va_end(ap);
	return open_watched(path, flags, mode);
}

#endif
