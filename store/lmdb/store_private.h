/* SPDX-License-Identifier: MIT
 *
 * store_private.h - the inside of a store, for the files of store/lmdb/ alone.
 *
 *	env                   the folder: its locks, its file, its tables
 *	keys                  bytes of keys: pure
 *	txn                   one transaction: rows, numbers, walks
 *	room                  makes sure that there is room before a write
 *	writer                writes of all threads, committed together
 *	rows, rows_...        what the rules read and write (store/rules/rows.h)
 *	listings              the lists of store.h, and those of the screens
 *	tasks, due            the queue
 *	migrate               stores of older schemas
 *	epoch                 finds out whether it is the same store as before
 *	backup, compact       copies of the file
 *	verify                checks every row
 */
#ifndef STORE_LMDB_STORE_PRIVATE_H
#define STORE_LMDB_STORE_PRIVATE_H

#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "store/rules/engine.h"
#include "store/store.h"
#include "store/lmdb/txn.h"
#include "store/lmdb/writer.h"

#define CHANGES_KEPT 100000 /* rows of `changes` that are kept; older ones are
			     * dropped */

struct store {
	struct store_base base;
	MDB_env *env;
	char *dir; /* owned */
	MDB_dbi tables[TABLES];
	uint64_t max_bytes;

	bool serve;
	int lock_fd; /* serve.lock, or -1 */
	int dir_fd;  /* the folder, with its lock: shared, or for this process
		      * alone; or -1 */
	dev_t dev;   /* dev and ino identify the folder, which a process opens
		      * only once */
	ino_t ino;
	pid_t pid; /* the process that opened it: in a forked child the store is
		    * not open */
	LIST_ENTRY(store) open_link; /* the next in the list of the stores that
				      * this process has open */

	uint64_t changes_kept;

	struct writer writer;

	atomic_bool failed; /* the disk has failed: nothing is written any
			     * more */
	struct err failure; /* how it failed; set before `failed`, and never
			     * changed afterwards */
	_Atomic uint64_t newest; /* the newest change number that this process
				  * wrote */
	_Atomic uint64_t commits, writes;
};
STORE_BEGINS_WITH_BASE;

/* ---- shared by the files of this folder ---- */

/* The functions of engine_lmdb; see store.h. */
/* True if there is a store in the folder. */
bool lmdb_exists(const char *dir);
enum rc lmdb_open(struct store **ret, const char *dir,
		  const struct store_options *o, struct err *e);
void lmdb_close(struct store *s);
enum rc lmdb_newest_time(struct store *s, int64_t *ret, struct err *e);
enum rc lmdb_backup(struct store *s, const char *file, struct err *e);
enum rc lmdb_compact(const char *dir, struct store_compacted *ret,
		     struct err *e);
enum rc lmdb_verify(struct store *s,
		    void (*tell)(void *arg, const char *table,
				 const char *what),
		    void *arg, struct store_verified *ret, struct err *e);

/* Tasks. */
enum rc task_load(struct txn *t, uint64_t id, struct task *ret, struct err *e);
enum rc task_save(struct txn *t, const struct task *task, struct err *e);

/* Brings a store of an older schema to the present one.  That needs serve.lock:
 * it is taken for that time if this process does not hold it. */
enum rc migrate(struct store *s, const char *dir, struct err *e);
/* Marks a new store as one with the present schema. */
enum rc migrate_none(struct txn *t, struct err *e);
/* Finds out what the store is (enum store_origin), makes its epoch, and
 * suspends the devices of a backup.  Call it before there are other threads. */
enum rc epoch_open(struct store *s, struct err *e);
/* epoch_mark_backup() marks a copy, which has no other name yet, as a backup.
 * epoch_mark_file() marks it as the file that was last served, if that is what
 * the store itself is. */
enum rc epoch_mark_backup(const char *file, struct err *e);
enum rc epoch_mark_file(struct store *s, const char *file, int fd,
			struct err *e);
/* Opens the file that becomes a copy of the store.  Only its owner may read it,
 * no other process writes it, and it is empty even if a killed process left
 * something in it.  *ret is the caller's to close unless it is -1, also after a
 * failure. */
enum rc part_open(const char *part, int *ret, struct err *e);
/* Writes the store as it is now to the open copy, without freed pages, and
 * syncs. */
enum rc part_copy(struct store *s, int fd, const char *part, struct err *e);

/* Removes the file that a killed compaction left behind: it contains the
 * store's data, also data that was removed since. */
void compact_clean(const char *dir);

#endif
