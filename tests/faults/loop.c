/* SPDX-License-Identifier: MIT
 *
 * loop.c - ends a program whose event loop reads the store (LD_PRELOAD).
 *
 * The loop is the thread that runs libmicrohttpd.  Reading begins with a
 * transaction of LMDB; what asks the disk in other ways is found too.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "tests/faults/real.h"

static _Thread_local bool in_loop;

static void forbid(const char *name)
{
	static const char words[] = "the event loop asks the disk: ";

	if (!in_loop)
		return;
	if (write(STDERR_FILENO, words, sizeof(words) - 1) < 0 ||
	    write(STDERR_FILENO, name, strlen(name)) < 0 ||
	    write(STDERR_FILENO, "\n", 1) < 0)
		abort();
	abort();
}

typedef int run_fn(void *daemon);
typedef int begin_fn(void *env, void *parent, unsigned flags, void **ret);
typedef int renew_fn(void *txn);
typedef int sync_fn(int fd);
typedef int room_fn(int fd, struct statvfs *ret);
typedef int room_at_fn(const char *path, struct statvfs *ret);

run_fn MHD_run;
begin_fn mdb_txn_begin;
renew_fn mdb_txn_renew;

int MHD_run(void *daemon)
{
	in_loop = true; /* from now on, also outside of it */
	return REAL(run_fn *, "MHD_run")(daemon);
}

int mdb_txn_begin(void *env, void *parent, unsigned flags, void **ret)
{
	forbid("mdb_txn_begin");
	return REAL(begin_fn *, "mdb_txn_begin")(env, parent, flags, ret);
}

int mdb_txn_renew(void *txn)
{
	forbid("mdb_txn_renew");
	return REAL(renew_fn *, "mdb_txn_renew")(txn);
}

int fsync(int fd)
{
	forbid("fsync");
	return REAL(sync_fn *, "fsync")(fd);
}

int fdatasync(int fd)
{
	forbid("fdatasync");
	return REAL(sync_fn *, "fdatasync")(fd);
}

int statvfs(const char *path, struct statvfs *ret)
{
	forbid("statvfs");
	return REAL(room_at_fn *, "statvfs")(path, ret);
}

int fstatvfs(int fd, struct statvfs *ret)
{
	forbid("fstatvfs");
	return REAL(room_fn *, "fstatvfs")(fd, ret);
}
