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
	T_DOCS,
	T_DOC_LISTS,
	T_DOC_COUNTS,
	TABLES,
};

#define NUMBER_KEY 48 /* bytes of the key of a number that a transaction keeps */

/* A row that is one number, while a transaction has it: it is read once, and
 * written once, by the commit. */
struct txn_number {
	enum table table;
	size_t n;
	unsigned char key[NUMBER_KEY];
	uint64_t is;
	bool set; /* it differs from what is stored */
};

/* A row that a transaction holds back, since more may be added to its value:
 * txn_hold(). */
struct txn_held {
	bool is;
	enum table table;
	struct key key;
	struct buf value;
};

#define TXN_NUMBERS 8 /* numbers that a transaction keeps; it reads and writes
		       * further ones at once */

struct txn {
	struct rows rows; /* must be first: the rules know the transaction by
			   * it */
	struct store *store;
	MDB_txn *mdb;
	bool wrote;      /* something was put or deleted */
	bool io;         /* the disk or the library failed, so the fault is not
			  * the caller's */
	bool full;       /* a write failed for want of room */
	size_t puts;     /* puts and bytes so far, to foresee the room that they
			  * need */
	size_t bytes;
	bool touched;    /* an order or a task was changed */
	uint64_t newest; /* the newest change number that it gave out; 0:
			  * none */
	uint64_t changes; /* how many change numbers it gave out */
	struct txn_number numbers[TXN_NUMBERS];
	size_t n_numbers;
	struct txn_held held;
	struct buf scratch;   /* of txn_scratch() */
	struct key no_tasks;  /* an order that has no task (tasks.c), or empty */
	bool delivers;    /* room_for_delivery() has let a delivery in */
	size_t room_puts; /* `puts` and `bytes` when the room was counted last */
	size_t room_bytes;
};

/* Translates a result of LMDB's into an rc and a sentence; sets t->io or
 * t->full. */
enum rc txn_rc(struct txn *t, int mdb, struct err *e, const char *doing);

enum rc txn_read(struct txn *t, struct store *s, struct err *e);
enum rc txn_write(struct txn *t, struct store *s, struct err *e);
enum rc txn_commit(struct txn *t, struct err *e);
void txn_abort(struct txn *t); /* may be called after a commit, and for a zeroed
			        * one */

enum rc txn_get(struct txn *t, enum table table, const struct key *k,
		MDB_val *ret, struct err *e);
/* Puts a row.  A p of NULL with a len of 0 is an empty value. */
enum rc txn_put(struct txn *t, enum table table, const struct key *k,
		const void *p, size_t len, struct err *e);
/* Puts a row behind all others of the table: for keys that only grow. */
enum rc txn_append(struct txn *t, enum table table, const struct key *k,
		   const void *p, size_t len, struct err *e);
/* Puts a row whose value is in b, as an encode_...() function wrote it. */
enum rc txn_put_buf(struct txn *t, enum table table, const struct key *k,
		    const struct buf *b, struct err *e);
enum rc txn_del(struct txn *t, enum table table, const struct key *k,
		struct err *e);
/* Begins a row that is held back: its value is t->held.value, empty at first.
 * txn_held_grew() counts what was added to it as put.  The row is put before
 * this transaction reads the table, holds another row or commits. */
enum rc txn_hold(struct txn *t, enum table table, const struct key *k,
		 struct err *e);
enum rc txn_held_grew(struct txn *t, size_t bytes, struct err *e);
/* Returns an empty buf to encode a value in.  The transaction owns it; the next
 * call empties it. */
struct buf *txn_scratch(struct txn *t);

/* Reads a row that is one number; *ret is 0 if there is no such row.  RC_INVALID:
 * the row is not a number. */
enum rc txn_number(struct txn *t, enum table table, const struct key *k,
		   uint64_t *ret, struct err *e);
/* Sets such a row; with 0 a row of any other table than `meta` is deleted.  The
 * row is written when the transaction commits or walks the table, and until then
 * txn_number() reads what was set. */
enum rc txn_set_number(struct txn *t, enum table table, const struct key *k,
		       uint64_t n, struct err *e);

/* txn_last() reads the last number that was given out under a name; txn_next()
 * gives out the next.  If the transaction is aborted, no number was given
 * out. */
enum rc txn_last(struct txn *t, const char *name, uint64_t *ret,
		 struct err *e);
enum rc txn_set_last(struct txn *t, const char *name, uint64_t last,
		     struct err *e);
enum rc txn_next(struct txn *t, const char *name, uint64_t *ret,
		 struct err *e);

/* The names of the tables (schema.h). */
extern const char *const table_names[TABLES];

/* A walk over rows in the order of their keys: all rows whose key begins with
 * the first `prefix` bytes of `from`, from `from` on. */
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
/* Begins again at `from`, as walk_open() does, with the same cursor. */
void walk_from(struct walk *w, const struct key *from, size_t prefix);
/* Reads the next row.  RC_NOTFOUND: there are no more. */
enum rc walk_next(struct walk *w, struct err *e);
void walk_close(struct walk *w); /* may be called for a zeroed one */

/* Calls fn for each row of a table whose key begins with the first `prefix`
 * bytes of `from`, in the order of the keys, from `from` on (NULL: from the
 * first), until fn sets *more to false or fails. */
typedef enum rc each_fn(void *arg, const struct walk *w, bool *more,
			struct err *e);
enum rc each(struct txn *t, enum table table, const struct key *from,
	     size_t prefix, each_fn *fn, void *arg, struct err *e);

/* Returns the transaction that these rows belong to. */
struct txn *txn_of(struct rows *r);

#endif
