/* SPDX-License-Identifier: MIT
 *
 * txn.h - one transaction on the tables of schema.h.
 *
 * A transaction begins and ends in one function of store/; what is read points
 * into the database and is good until the next write or the end.
 *
 * Errors: RC_NOTFOUND comes without a sentence, since it is often fine.  After
 *         any other failure of a write the transaction must be aborted.
 */
#ifndef STORE_LMDB_TXN_H
#define STORE_LMDB_TXN_H

#include <lmdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/lmdb/keys.h"
#include "store/rules/engine.h"

enum table {
	T_META,
	T_EVENTS,
	T_SEEN,
	T_ORDERS,
	T_DETAILS,
	T_ADDRESSES,
	T_LISTS,
	T_JOURNAL,
	T_CHANGES,
	T_TASKS,
	T_TASK_NAMES,
	T_DUE,
	T_DEAD,
	T_QUARANTINE,
	T_DEVICES,
	T_TOKENS,
	T_CODES,
	T_SESSIONS,
	T_DONE,
	T_ONCE,
	T_ONCE_AGE,
	T_BOUNDED,
	T_BOUNDED_SEEN,
	T_WAITING,
	TABLES,
};

struct txn {
	struct rows rows; /* what the rules know of it */
	struct store *store;
	MDB_txn *mdb;
	bool wrote;      /* something was put or deleted */
	bool io;         /* the disk or the library failed, not the caller */
	bool full;       /* a write failed for want of room */
	size_t puts;     /* how much, to foresee the room it takes */
	size_t bytes;
	bool touched;    /* an order or a task changed */
	uint64_t newest; /* change number given out; 0: none */
};

/* What an answer of LMDB's means, with a sentence.  Sets t->io. */
enum rc txn_rc(struct txn *t, int mdb, struct err *e, const char *doing);

enum rc txn_read(struct txn *t, struct store *s, struct err *e);
enum rc txn_write(struct txn *t, struct store *s, struct err *e);
enum rc txn_commit(struct txn *t, struct err *e);
void txn_abort(struct txn *t); /* fine after commit and on a zeroed one */

enum rc txn_get(struct txn *t, enum table table, const struct key *k,
		MDB_val *ret, struct err *e);
/* Puts; NULL and 0 is an empty value. */
enum rc txn_put(struct txn *t, enum table table, const struct key *k,
		const void *p, size_t len, struct err *e);
/* Puts behind everything else in the table: for keys that only grow. */
enum rc txn_append(struct txn *t, enum table table, const struct key *k,
		   const void *p, size_t len, struct err *e);
/* Puts what a record's put_...() wrote to b. */
enum rc txn_put_buf(struct txn *t, enum table table, const struct key *k,
		    const struct buf *b, struct err *e);
enum rc txn_del(struct txn *t, enum table table, const struct key *k,
		struct err *e);

/* The last number given out under a name, and the next one. */
enum rc txn_last(struct txn *t, const char *name, uint64_t *ret,
		 struct err *e);
enum rc txn_set_last(struct txn *t, const char *name, uint64_t last,
		     struct err *e);
enum rc txn_next(struct txn *t, const char *name, uint64_t *ret,
		 struct err *e);

/* Rows in the order of their keys: all those that begin with the first
 * `prefix` bytes of `from`, from `from` on. */
struct walk {
	struct txn *t;
	MDB_cursor *mc;
	struct key from;
	size_t prefix;
	bool begun;
	MDB_val k, v; /* the row */
};

enum rc walk_open(struct walk *w, struct txn *t, enum table table,
		  const struct key *from, size_t prefix, struct err *e);
/* Begins anew at `from`, as walk_open() does, with the same cursor. */
void walk_from(struct walk *w, const struct key *from, size_t prefix);
/* RC_NOTFOUND: that was the last. */
enum rc walk_next(struct walk *w, struct err *e);
void walk_close(struct walk *w); /* fine on a zeroed one */

#endif
