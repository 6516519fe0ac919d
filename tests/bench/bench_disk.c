/* SPDX-License-Identifier: MIT
 *
 * bench_disk.c - what the disk itself can do, so that a rate at one connection,
 * which waits for the disk most of the time, can be judged.
 *
 *	build/tests/bench/bench_disk FOLDER
 *
 * Each kind of write is repeated in turn with the others, in a file of FILE_SIZE
 * bytes that was written before.  Hands in the median of each (rows.h).
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/rows.h"

#define DISK	  "the disk"
#define PAGE	  4096
#define FILE_SIZE ((off_t)64 << 20)
#define ROUNDS	  300
#define PAGES_MAX 16

static const struct kind {
	const char *name;
	int pages; /* written ... */
	bool scattered, flush, meta;
} kinds[] = {
	/* flush: then fdatasync(); meta: then a page with O_DSYNC, as LMDB ends
	 * a commit. */
	{"4 KiB with O_DSYNC", 0, false, false, true},
	{"4 KiB, fdatasync", 1, false, true, false},
	{"8 pages in a row, fdatasync", 8, false, true, false},
	{"2 scattered pages, fdatasync", 2, true, true, false},
	{"8 scattered pages, fdatasync", 8, true, true, false},
	{"16 scattered pages, fdatasync", 16, true, true, false},
	{"2 scattered pages, fdatasync, a page with O_DSYNC", 2, true, true,
	 true},
	{"8 scattered pages, fdatasync, a page with O_DSYNC", 8, true, true,
	 true},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(bool well, const char *what)
{
	if (well)
		return;
	perror(what);
	exit(1);
}

static void put_page(int fd, off_t page)
{
	static char text[PAGE];
	static unsigned char turn;

	memset(text, ++turn, sizeof(text));
	must(pwrite(fd, text, PAGE, page * PAGE) == PAGE, "pwrite");
}

/* Seconds that one write of that kind takes. */
static double take(const struct kind *k, int fd, int synced)
{
	const off_t pages = FILE_SIZE / PAGE - PAGES_MAX;
	off_t first = 1 + random() % (pages - 1);
	double begun = now();

	for (int i = 0; i < k->pages; i++)
		put_page(fd, k->scattered ? 1 + random() % (pages - 1)
					  : first + i);
	if (k->flush)
		must(fdatasync(fd) == 0, "fdatasync");
	if (k->meta)
		put_page(synced, 0);
	return now() - begun;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	static double took[KINDS][ROUNDS];
	char path[1024];
	int fd, synced;

	if (argc != 2) {
		fprintf(stderr, "usage: bench_disk FOLDER\n");
		return 64;
	}
	snprintf(path, sizeof(path), "%s/disk-XXXXXX", argv[1]);
	fd = mkstemp(path);
	must(fd >= 0, path);
	synced = open(path, O_WRONLY | O_DSYNC | O_CLOEXEC);
	unlink(path);
	must(synced >= 0, path);
	for (off_t page = 0; page < FILE_SIZE / PAGE; page++)
		put_page(fd, page);
	must(fsync(fd) == 0, "fsync");
	for (size_t n = 0; n < ROUNDS; n++)
		for (size_t k = 0; k < KINDS; k++)
			took[k][n] = take(&kinds[k], fd, synced);
	for (size_t k = 0; k < KINDS; k++) {
		qsort(took[k], ROUNDS, sizeof(took[k][0]), ascending);
		printf("  %-52s p50 %6.0f us  p99 %6.0f us\n", kinds[k].name,
		       took[k][ROUNDS / 2] * 1e6,
		       took[k][ROUNDS * 99 / 100] * 1e6);
		row(DISK, kinds[k].name, "us", took[k][ROUNDS / 2] * 1e6);
	}
	close(synced);
	close(fd);
	return 0;
}
