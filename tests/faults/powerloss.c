/* SPDX-License-Identifier: MIT
 *
 * powerloss.c - a disk that forgets, when the power goes, what it was never
 * asked to keep (LD_PRELOAD).
 *
 * $POWERLOSS names a file: what would be on the disk.  Whatever is written to
 * the store's file goes there only once it is synced, or when it was written in
 * sync; and now and then early, in any order, as disks do.  To lose power: kill
 * the program and put that file in the place of the store's.  Killed in the
 * middle of a sync, part of it is there.
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/faults/watch.h"

#define EARLY 8 /* one write of this many */

/* Something written and not yet synced. */
struct pending {
	struct pending *next;
	off_t at;
	size_t n;
	char bytes[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct pending *first, **last = &first;
static unsigned dice;

typedef int sync_fn(int fd);
typedef ssize_t write_fn(int fd, const void *p, size_t n);
typedef ssize_t pwrite_fn(int fd, const void *p, size_t n, off_t at);
typedef ssize_t writev_fn(int fd, const struct iovec *v, int n);

static ssize_t real_pwrite(int fd, const void *p, size_t n, off_t at)
{
	return REAL(pwrite_fn *, "pwrite")(fd, p, n, at);
}

static void to_disk(const char *p, size_t n, off_t at)
{
	static int disk = -1;
	const char *path = getenv("POWERLOSS");

	if (disk < 0 && path)
		disk = REAL(open_fn *, "open")(
			path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (disk < 0)
		abort(); /* or the test would prove nothing */
	while (n) {
		ssize_t done = real_pwrite(disk, p, n, at);

		if (done <= 0)
			abort();
		p += done;
		n -= (size_t)done;
		at += done;
	}
}

static bool early(void)
{
	if (!dice)
		dice = (unsigned)getpid() | 1;
	dice = dice * 1664525u + 1013904223u;
	return (dice >> 8) % EARLY == 0;
}

static void written(int fd, const void *p, size_t n, off_t at)
{
	struct pending *w;

	pthread_mutex_lock(&lock);
	if (watched(fd) == OF_META || early())
		to_disk(p, n, at);
	if (watched(fd) != OF_META) {
		w = malloc(sizeof(*w) + n);
		if (!w)
			abort();
		*w = (struct pending){.at = at, .n = n};
		memcpy(w->bytes, p, n);
		*last = w;
		last = &w->next;
	}
	pthread_mutex_unlock(&lock);
}

static void synced(void)
{
	struct pending *w;

	pthread_mutex_lock(&lock);
	while ((w = first)) {
		to_disk(w->bytes, w->n, w->at);
		first = w->next;
		free(w);
	}
	last = &first;
	pthread_mutex_unlock(&lock);
}

/* The real disk is not asked: the one that counts is ours. */
int fdatasync(int fd)
{
	if (watched(fd) == NOT_OURS)
		return REAL(sync_fn *, "fdatasync")(fd);
	synced();
	return 0;
}

int fsync(int fd)
{
	if (watched(fd) == NOT_OURS)
		return REAL(sync_fn *, "fsync")(fd);
	synced();
	return 0;
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
	ssize_t done = real_pwrite(fd, p, n, at);

	if (done > 0 && watched(fd) != NOT_OURS)
		written(fd, p, (size_t)done, at);
	return done;
}

ssize_t write(int fd, const void *p, size_t n)
{
	off_t at = watched(fd) == NOT_OURS ? 0 : lseek(fd, 0, SEEK_CUR);
	ssize_t done = REAL(write_fn *, "write")(fd, p, n);

	if (done > 0 && watched(fd) != NOT_OURS)
		written(fd, p, (size_t)done, at);
	return done;
}

ssize_t writev(int fd, const struct iovec *v, int n)
{
	off_t at = watched(fd) == NOT_OURS ? 0 : lseek(fd, 0, SEEK_CUR);
	ssize_t done = REAL(writev_fn *, "writev")(fd, v, n);
	size_t left = done > 0 ? (size_t)done : 0;

	if (watched(fd) == NOT_OURS)
		return done;
	for (int i = 0; i < n && left; i++) {
		size_t part = v[i].iov_len < left ? v[i].iov_len : left;

		written(fd, v[i].iov_base, part, at);
		at += (off_t)part;
		left -= part;
	}
	return done;
}
