/* SPDX-License-Identifier: MIT
 *
 * slowdisk.c - a disk that takes its time to sync (LD_PRELOAD).
 *
 * $SLOWDISK_US: microseconds that each sync takes longer than this disk's own:
 * fdatasync(), and each write to a file that was opened with O_DSYNC.  For
 * measurements (docs/disks.md).
 */
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "tests/faults/real.h"

typedef int sync_fn(int fd);
typedef ssize_t pwrite_fn(int fd, const void *p, size_t n, off_t at);

static void take_time(void)
{
	const char *us = getenv("SLOWDISK_US");
	long n = us ? strtol(us, NULL, 10) : 0;
	struct timespec t = {n / 1000000, n % 1000000 * 1000};

	if (n)
		nanosleep(&t, NULL);
}

int fdatasync(int fd);
int fdatasync(int fd)
{
	int rc = REAL(sync_fn *, "fdatasync")(fd);

	take_time();
	return rc;
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at);
ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
	ssize_t rc = REAL(pwrite_fn *, "pwrite")(fd, p, n, at);

	if (fcntl(fd, F_GETFL) & O_DSYNC)
		take_time();
	return rc;
}
