/* SPDX-License-Identifier: MIT
 *
 * rows_docs.c - the rows of documents, of their lists and of how many are in
 * each.
 */
#include <string.h>

#include "store/lmdb/rows.h"
#include "store/model/codec.h"
#include "store/model/record.h"

#define DOC_NAME_SIZE (DOC_KIND_SIZE + INSTANCE_SIZE + DOC_KEY_SIZE)

_Static_assert(DOC_NAME_SIZE + DOC_LIST_SIZE + 8 + 1 <= KEY_MAX,
	       "a key holds the name of a document and its place in a list");

/* ---- keys ---- */

static struct key *doc_key(struct key *k, const char *kind,
			   const char *instance, const char *key)
{
	return key_str(key_str(key_str(key_start(k), kind), instance), key);
}

struct key *doc_list_key(struct key *k, const char *kind, const char *instance,
			 const char *list)
{
	return doc_key(k, kind, instance, list);
}

static struct key *place_key(struct key *k, const struct doc *d)
{
	doc_list_key(k, d->kind, d->instance, d->list);
	return key_str(key_i64(k, d->at), d->key);
}

/* ---- lists ---- */

static enum rc count(struct txn *t, const struct doc *d, bool more,
		     struct err *e)
{
	struct key k;
	uint64_t n = 0;
	enum rc rc;

	doc_list_key(&k, d->kind, d->instance, d->list);
	rc = txn_number(t, T_DOC_COUNTS, &k, &n, e);
	if (rc && rc != RC_INVALID) /* a count that cannot be read begins
				     * anew */
		return rc;
	n = more ? n + 1 : n ? n - 1 : 0;
	return txn_set_number(t, T_DOC_COUNTS, &k, n, e);
}

static enum rc unlist(struct txn *t, const struct doc *d, struct err *e)
{
	struct key k;
	enum rc rc = count(t, d, false, e);

	if (!rc && *d->list)
		rc = txn_del(t, T_DOC_LISTS, place_key(&k, d), e);
	return rc == RC_NOTFOUND ? OK : rc;
}

static enum rc list(struct txn *t, const struct doc *d, struct err *e)
{
	struct key k;
	enum rc rc = count(t, d, true, e);

	return rc || !*d->list
		       ? rc
		       : txn_put(t, T_DOC_LISTS, place_key(&k, d), NULL, 0, e);
}

/* ---- documents ---- */

enum rc lmdb_doc(struct rows *r, struct doc *io, struct err *e)
{
	struct key k;
	MDB_val v;
	enum rc rc = txn_get(txn_of(r), T_DOCS,
			     doc_key(&k, io->kind, io->instance, io->key), &v,
			     e);

	io->rev = 0;
	io->text = NULL;
	if (rc == RC_NOTFOUND)
		return OK;
	return rc ? rc : get_doc(io, v.mv_data, v.mv_size, e);
}

static bool same_place(const struct doc *a, const struct doc *b)
{
	return a->at == b->at && !strcmp(a->list, b->list);
}

/* Takes a document out of its list.  One that cannot be read says no list: its
 * place leads to nothing, and listings pass over it. */
static enum rc leave_list(struct txn *t, const struct doc *name,
			  const struct doc *to, struct err *e)
{
	struct doc was = *name;
	enum rc rc = lmdb_doc(&t->rows, &was, e);

	if (rc == RC_INVALID)
		return to ? list(t, to, e) : OK;
	if (rc)
		return rc;
	if (was.rev && (!to || !same_place(&was, to)))
		rc = unlist(t, &was, e);
	if (!rc && to && (!was.rev || !same_place(&was, to)))
		rc = list(t, to, e);
	doc_release(&was);
	return rc;
}

enum rc lmdb_put_doc(struct rows *r, const struct doc *d, struct err *e)
{
	struct txn *t = txn_of(r);
	struct doc is = *d; /* borrows */
	struct buf *b;
	struct key k;
	enum rc rc = leave_list(t, d, d, e);

	if (!rc)
		rc = txn_next(t, "docs", &is.rev, e);
	if (rc)
		return rc;
	b = txn_scratch(t);
	encode_doc(b, &is);
	return txn_put_buf(t, T_DOCS, doc_key(&k, d->kind, d->instance, d->key),
			   b, e);
}

enum rc lmdb_del_doc(struct rows *r, const struct doc *name, struct err *e)
{
	struct txn *t = txn_of(r);
	struct key k;
	enum rc rc = leave_list(t, name, NULL, e);

	if (!rc)
		rc = txn_del(t, T_DOCS,
			     doc_key(&k, name->kind, name->instance, name->key),
			     e);
	return rc == RC_NOTFOUND ? OK : rc;
}
