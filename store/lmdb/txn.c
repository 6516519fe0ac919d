/* SPDX-License-Identifier: MIT
 *
 * txn.c - see txn.h.
 */
#include "store/lmdb/txn.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "store/model/codec.h"
#include "store/lmdb/schema.h"
#include "store/lmdb/store_private.h"

static enum rc put_held(struct txn *t, struct err *e);

const char *const table_names[TABLES] = {
	[T_META] = "meta",
	[T_EVENTS] = "events",
	[T_SEEN] = "seen",
	[T_ORDERS] = "orders",
	[T_DETAILS] = "details",
	[T_ADDRESSES] = "addresses",
	[T_LISTS] = "lists",
	[T_JOURNAL] = "journal",
	[T_CHANGES] = "changes",
	[T_TASKS] = "tasks",
	[T_TASK_NAMES] = "task_names",
	[T_DUE] = "due",
	[T_DEAD] = "dead",
	[T_QUARANTINE] = "quarantine",
	[T_DEVICES] = "devices",
	[T_TOKENS] = "tokens",
	[T_CODES] = "codes",
	[T_SESSIONS] = "sessions",
	[T_DONE] = "done",
	[T_ONCE] = "once",
	[T_ONCE_AGE] = "once_age",
	[T_BOUNDED] = "bounded",
	[T_BOUNDED_SEEN] = "bounded_seen",
	[T_WAITING] = "waiting",
	[T_DOCS] = "docs",
	[T_DOC_LISTS] = "doc_lists",
	[T_DOC_COUNTS] = "doc_counts",
};

_Static_assert(TABLES <= TABLES_MAX, "raise TABLES_MAX");

static enum rc no_room(struct txn *t, struct err *e, const char *why,
		       int error)
{
	t->full = true;
	return error ? fail(e, RC_FULL, "%s: %s", why, strerror(error))
		     : fail(e, RC_FULL, "%s", why);
}

static enum rc broken(struct txn *t, struct err *e, const char *doing,
		      const char *why)
{
	struct err how;
	enum rc rc = fail(&how, RC_IO, "%s: %s", doing, why);

	t->io = true;
	if (e)
		*e = how;
	store_tell_failure(&t->store->base, &how);
	return rc;
}

static enum rc damaged(struct txn *t, struct err *e, const char *doing)
{
	atomic_store(&t->store->base.damaged, true);
	return broken(t, e, doing, "the store's file is damaged or cut short");
}

enum rc txn_rc(struct txn *t, int mdb, struct err *e, const char *doing)
{
	switch (mdb) {
	case MDB_SUCCESS:
		return OK;
	case MDB_NOTFOUND:
		return RC_NOTFOUND;
	case MDB_KEYEXIST:
		return RC_EXISTS;
	case MDB_MAP_FULL:
		return no_room(t, e, "the store is full (store_max)", 0);
	case MDB_TXN_FULL:
		return no_room(t, e, "too much for one transaction", 0);
	case ENOSPC:
	case EDQUOT:
	case EFBIG: /* the process has reached its limit on file sizes */
		return no_room(t, e, "the disk is full", mdb);
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
		return damaged(t, e, doing);
	case MDB_BAD_TXN:
		/* After an error LMDB refuses the transaction. mdb_stat() does
		 * not report damage that it meets. */
		if (!t->io && !t->full)
			return damaged(t, e, doing);
		break;
	case MDB_READERS_FULL:
		return fail(e, RC_AGAIN, "too many readers of the store");
	default:
		break;
	}
	return broken(t, e, doing, mdb_strerror(mdb));
}

/* ---- rows ---- */

static MDB_val key_val(const struct key *k)
{
	return (MDB_val){k->n, (void *)(uintptr_t)k->b};
}

/* Puts the row that is held back, if it is one of this table. */
static enum rc let_go(struct txn *t, enum table table, struct err *e)
{
	return t->held.is && t->held.table == table ? put_held(t, e) : OK;
}

enum rc txn_get(struct txn *t, enum table table, const struct key *k,
		MDB_val *ret, struct err *e)
{
	MDB_val key = key_val(k);
	enum rc rc = let_go(t, table, e);

	return rc ? rc : txn_rc(t, mdb_get(t->mdb, t->store->tables[table], &key, ret), e,
		      "reading");
}

static enum rc put(struct txn *t, enum table table, const struct key *k,
		   const void *p, size_t len, unsigned flags, struct err *e)
{
	MDB_val key = key_val(k);
	MDB_val val = {len, (void *)(uintptr_t)(p ? p : "")};
	int mdb;

	t->wrote = true;
	t->puts++;
	t->bytes += len + k->n;
	mdb = mdb_put(t->mdb, t->store->tables[table], &key, &val, flags);
	return txn_rc(t, mdb, e, "writing");
}

enum rc txn_put(struct txn *t, enum table table, const struct key *k,
		const void *p, size_t len, struct err *e)
{
	return put(t, table, k, p, len, 0, e);
}

enum rc txn_append(struct txn *t, enum table table, const struct key *k,
		   const void *p, size_t len, struct err *e)
{
	return put(t, table, k, p, len, MDB_APPEND, e);
}

enum rc txn_put_buf(struct txn *t, enum table table, const struct key *k,
		    const struct buf *b, struct err *e)
{
	if (buf_full(b))
		return fail(e, RC_INVALID, "a value too large to keep");
	return put(t, table, k, b->data, b->len, 0, e);
}

enum rc txn_del(struct txn *t, enum table table, const struct key *k,
		struct err *e)
{
	MDB_val key = key_val(k);
	enum rc rc = let_go(t, table, e);
	int mdb;

	if (rc)
		return rc;
	mdb = mdb_del(t->mdb, t->store->tables[table], &key, NULL);
	if (mdb != MDB_NOTFOUND) {
		t->wrote = true;
		t->puts++;
	}
	return txn_rc(t, mdb, e, "deleting");
}

/* ---- a row that is held back ---- */

static enum rc put_held(struct txn *t, struct err *e)
{
	struct txn_held *h = &t->held;

	h->is = false;
	return txn_put_buf(t, h->table, &h->key, &h->value, e);
}

enum rc txn_hold(struct txn *t, enum table table, const struct key *k,
		 struct err *e)
{
	struct txn_held *h = &t->held;
	enum rc rc = h->is ? put_held(t, e) : OK;

	if (rc)
		return rc;
	buf_clear(&h->value);
	h->is = true;
	h->table = table;
	h->key = *k;
	return OK;
}

enum rc txn_held_grew(struct txn *t, size_t bytes, struct err *e)
{
	if (buf_full(&t->held.value))
		return fail(e, RC_INVALID, "a value too large to keep");
	t->wrote = true;
	t->puts++;
	t->bytes += bytes;
	return OK;
}

struct buf *txn_scratch(struct txn *t)
{
	buf_clear(&t->scratch);
	return &t->scratch;
}

/* ---- numbers ---- */

static enum rc read_number(struct txn *t, enum table table, const struct key *k,
			   uint64_t *ret, struct err *e)
{
	struct reader r;
	MDB_val v;
	enum rc rc = txn_get(t, table, k, &v, e);

	*ret = 0;
	if (rc)
		return rc == RC_NOTFOUND ? OK : rc;
	reader_init(&r, v.mv_data, v.mv_size);
	*ret = get_u64(&r);
	return r.bad ? fail(e, RC_INVALID, "a number of '%s' cannot be read",
			    table_names[table])
		     : OK;
}

static enum rc write_number(struct txn *t, enum table table,
			    const struct key *k, uint64_t n, struct err *e)
{
	struct key value;
	enum rc rc;

	if (n || table == T_META)
		return txn_put(t, table, k, key_u64(key_start(&value), n)->b,
			       8, e);
	rc = txn_del(t, table, k, e);
	return rc == RC_NOTFOUND ? OK : rc;
}

/* Returns the number with that key, if the transaction keeps it. */
static struct txn_number *kept_number(struct txn *t, enum table table,
				      const struct key *k)
{
	struct txn_number *n = t->numbers;

	for (size_t i = 0; i < t->n_numbers; i++, n++)
		if (n->table == table && n->n == k->n &&
		    !memcmp(n->key, k->b, k->n))
			return n;
	return NULL;
}

/* Has the transaction keep a number.  NULL: it keeps as many as it can. */
static struct txn_number *keep_number(struct txn *t, enum table table,
				      const struct key *k, uint64_t is)
{
	struct txn_number *n = &t->numbers[t->n_numbers];

	if (t->n_numbers == TXN_NUMBERS || k->n > NUMBER_KEY)
		return NULL;
	t->n_numbers++;
	*n = (struct txn_number){.table = table, .n = k->n, .is = is};
	memcpy(n->key, k->b, k->n);
	return n;
}

enum rc txn_number(struct txn *t, enum table table, const struct key *k,
		   uint64_t *ret, struct err *e)
{
	const struct txn_number *n = kept_number(t, table, k);
	enum rc rc;

	if (n) {
		*ret = n->is;
		return OK;
	}
	rc = read_number(t, table, k, ret, e);
	if (!rc)
		keep_number(t, table, k, *ret);
	return rc;
}

enum rc txn_set_number(struct txn *t, enum table table, const struct key *k,
		       uint64_t is, struct err *e)
{
	struct txn_number *n = kept_number(t, table, k);

	if (!n)
		n = keep_number(t, table, k, is);
	if (!n)
		return write_number(t, table, k, is, e);
	/* A number that was set counts as written: if its op fails, the
	 * transaction is undone (op.h). */
	t->wrote = true;
	t->puts++;
	n->is = is;
	n->set = true;
	return OK;
}

/* Writes the numbers of a table; TABLES: of all. */
static enum rc write_numbers(struct txn *t, enum table table, struct err *e)
{
	struct txn_number *n = t->numbers;
	enum rc rc = OK;
	struct key k;

	for (size_t i = 0; !rc && i < t->n_numbers; i++, n++) {
		if (!n->set || (table != TABLES && n->table != table))
			continue;
		n->set = false;
		key_bytes(key_start(&k), n->key, n->n);
		rc = write_number(t, n->table, &k, n->is, e);
	}
	return rc;
}

static struct key *last_key(struct key *k, const char *name)
{
	key_bytes(key_start(k), "next:", strlen("next:"));
	return key_bytes(k, name, strlen(name));
}

enum rc txn_last(struct txn *t, const char *name, uint64_t *ret, struct err *e)
{
	struct key k;
	enum rc rc = txn_number(t, T_META, last_key(&k, name), ret, e);

	return rc == RC_INVALID
		       ? fail(e, rc, "the number of '%s' cannot be read", name)
		       : rc;
}

enum rc txn_set_last(struct txn *t, const char *name, uint64_t last,
		     struct err *e)
{
	struct key k;

	return txn_set_number(t, T_META, last_key(&k, name), last, e);
}

enum rc txn_next(struct txn *t, const char *name, uint64_t *ret, struct err *e)
{
	enum rc rc = txn_last(t, name, ret, e);

	if (!rc)
		rc = txn_set_last(t, name, ++*ret, e);
	return rc;
}

/* ---- begin and end ---- */

static enum rc begin(struct txn *t, struct store *s, unsigned flags,
		     struct err *e)
{
	*t = (struct txn){.store = s};
	rows_init(&t->rows, s);
	buf_init(&t->held.value, VALUE_MAX);
	buf_init(&t->scratch, VALUE_MAX);
	return txn_rc(t, mdb_txn_begin(s->env, NULL, flags, &t->mdb), e,
		      "beginning a transaction");
}

enum rc txn_read(struct txn *t, struct store *s, struct err *e)
{
	return begin(t, s, MDB_RDONLY, e);
}

enum rc txn_write(struct txn *t, struct store *s, struct err *e)
{
	return begin(t, s, 0, e);
}

static void release(struct txn *t)
{
	rows_release(&t->rows);
	buf_release(&t->held.value);
	buf_release(&t->scratch);
	t->held.is = false;
	t->mdb = NULL;
}

enum rc txn_commit(struct txn *t, struct err *e)
{
	enum rc rc = t->held.is ? put_held(t, e) : OK;
	int mdb;

	if (!rc)
		rc = write_numbers(t, TABLES, e);
	if (rc)
		return rc;
	mdb = mdb_txn_commit(t->mdb); /* frees it, also when it fails */
	release(t);
	return txn_rc(t, mdb, e, "writing to disk");
}

void txn_abort(struct txn *t)
{
	mdb_txn_abort(t->mdb);
	release(t);
}

/* ---- walks ---- */

enum rc walk_open(struct walk *w, struct txn *t, enum table table,
		  const struct key *from, size_t prefix, struct err *e)
{
	enum rc rc = let_go(t, table, e);

	if (!rc)
		rc = write_numbers(t, table, e);
	*w = (struct walk){.t = t, .prefix = prefix};
	if (from)
		w->from = *from;
	return rc ? rc : txn_rc(t, mdb_cursor_open(t->mdb, t->store->tables[table],
					 &w->mc),
		      e, "opening a table");
}

void walk_from(struct walk *w, const struct key *from, size_t prefix)
{
	w->from = *from;
	w->prefix = prefix;
	w->begun = false;
}

enum rc walk_next(struct walk *w, struct err *e)
{
	enum rc rc;
	int mdb;

	if (w->begun) {
		mdb = mdb_cursor_get(w->mc, &w->k, &w->v, MDB_NEXT);
	} else if (w->from.n) {
		w->k = key_val(&w->from);
		mdb = mdb_cursor_get(w->mc, &w->k, &w->v, MDB_SET_RANGE);
	} else {
		mdb = mdb_cursor_get(w->mc, &w->k, &w->v, MDB_FIRST);
	}
	w->begun = true;
	rc = txn_rc(w->t, mdb, e, "reading");
	if (!rc && w->prefix &&
	    (w->k.mv_size < w->prefix ||
	     memcmp(w->k.mv_data, w->from.b, w->prefix)))
		rc = RC_NOTFOUND;
	return rc;
}

void walk_close(struct walk *w)
{
	if (w->mc)
		mdb_cursor_close(w->mc);
	w->mc = NULL;
}

enum rc each(struct txn *t, enum table table, const struct key *from,
	     size_t prefix, each_fn *fn, void *arg, struct err *e)
{
	struct walk w = {0};
	bool more = true;
	enum rc rc = walk_open(&w, t, table, from, prefix, e);

	while (!rc && more) {
		rc = walk_next(&w, e);
		if (!rc)
			rc = fn(arg, &w, &more, e);
	}
	walk_close(&w);
	return rc == RC_NOTFOUND ? OK : rc;
}

/* ---- the rows of a transaction ---- */

/* The cast is valid, since a struct txn begins with its struct rows. */
struct txn *txn_of(struct rows *r)
{
	return (struct txn *)r;
}
