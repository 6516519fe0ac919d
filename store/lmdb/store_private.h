/* SPDX-License-Identifier: MIT
 *
 * store_private.h - the inside of a store, for the files of store/ alone.
 *
 *	keys                  bytes of keys: pure
 *	txn                   one transaction: rows, numbers, walks
 *	room                  is there room
 *	writer                writes of all threads, committed together
 *	rows, listings        what the rules read and write (store/rules/)
 *	events                deliveries
 *	tasks, due            the queue
 *	migrate               stores of older schemas
 *	epoch                 is it the same store as before?
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

#define CHANGES_KEPT 100000 /* rows of `changes`; older ones are dropped */

struct store {
	struct store_base base;
	MDB_env *env;
	char *dir; /* owned */
	MDB_dbi tables[TABLES];
	uint64_t max_bytes;

	uint64_t epoch;
	enum store_origin origin;

	bool serve;
	int lock_fd; /* serve.lock, or -1 */
	int dir_fd;  /* the folder, locked: shared, or by one alone; or -1 */
	dev_t dev;   /* the folder: opened once in a process */
	ino_t ino;
	pid_t pid; /* the process: a forked child has none of these open */
	LIST_ENTRY(store) open_link; /* in the list of this process's stores */

	uint64_t changes_kept;

	struct writer writer;

	atomic_bool failed; /* the disk failed: nothing is written any more */
	atomic_bool damaged; /* the file holds what LMDB did not write */
	struct err failure; /* how, once `failed`; never written again */
	_Atomic uint64_t newest; /* change number, as far as we wrote it */
	_Atomic uint64_t commits, writes;
};

/* ---- shared by the nouns ---- */

/* What LMDB can do for engine_lmdb; see store.h. */
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

/* The folder that holds `path`; the caller frees it. */
char *folder_of(const char *path);
enum rc folder_sync(const char *dir, struct err *e);
/* Removes a file, which may be missing. */
enum rc file_remove(const char *path, struct err *e);
/* Names of the tables, as in schema.h. */
extern const char *const table_names[TABLES];

struct key *order_key(struct key *k, const char *instance, int64_t number);
/* Gives an empty order (first_seen 0) for one that was never heard of. */
enum rc order_load(struct txn *t, const char *instance, int64_t number,
		   struct order *ret, struct err *e);
enum rc journal_add(struct txn *t, const char *instance, int64_t number,
		    const struct entry *n, struct err *e);

/* Tasks. */
enum rc task_load(struct txn *t, uint64_t id, struct task *ret, struct err *e);
enum rc task_save(struct txn *t, const struct task *task, struct err *e);

/* Brings a store of an older schema to the present one.  Only whoever holds
 * serve.lock may; another takes it for as long as that lasts. */
enum rc migrate(struct store *s, const char *dir, struct err *e);
/* Marks a new store as one of the present schema. */
enum rc migrate_none(struct txn *t, struct err *e);
/* Takes serve.lock; RC_EXISTS: another process holds it. */
enum rc take_serve_lock(struct store *s, const char *dir, struct err *e);
void drop_serve_lock(struct store *s);

/* Finds out what the store is (enum store_origin), makes its epoch, and
 * suspends the devices of a backup; before there are threads. */
enum rc epoch_open(struct store *s, struct err *e);
/* Marks a copy that has no other name yet as a backup; or as the file that was
 * last served, if the store's own is known to be. */
enum rc epoch_mark_backup(const char *file, struct err *e);
enum rc epoch_mark_file(struct store *s, const char *file, int fd,
			struct err *e);
/* Opens the file that becomes a copy of the store, for its owner alone: nobody
 * else writes it, and what a killed process left in it is gone.  *ret, unless
 * it stays -1, is the caller's to close, also after a failure. */
enum rc part_open(const char *part, int *ret, struct err *e);
/* Writes the store as it is now to it, without freed pages, and syncs. */
enum rc part_copy(struct store *s, int fd, const char *part, struct err *e);

/* Removes what a compaction left that was killed: it holds what the store does,
 * and what has been removed from it since. */
void compact_clean(const char *dir);

#endif
