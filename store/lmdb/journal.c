/* SPDX-License-Identifier: MIT
 *
 * journal.c - what happened to each order: one line each, never changed.
 */
#include "store/lmdb/codec.h"
#include "store/lmdb/record.h"
#include "store/lmdb/store_private.h"

enum rc journal_add(struct txn *t, const char *instance, int64_t number,
		    const struct note *n, struct err *e)
{
	uint64_t seq;
	struct key k;
	struct buf b;
	enum rc rc;

	buf_init(&b, VALUE_MAX);
	put_note(&b, n);
	rc = txn_next(t, "journal", &seq, e);
	if (!rc)
		rc = txn_put_buf(t, T_JOURNAL,
				 key_u64(order_key(&k, instance, number), seq),
				 &b, e);
	buf_release(&b);
	return rc;
}

enum rc store_journal(struct store *s, const char *instance, int64_t number,
		      bool (*fn)(void *arg, const struct note *n), void *arg,
		      struct err *e)
{
	struct note_owned note;
	struct walk w = {0};
	struct key_reader kr;
	struct key k;
	struct txn t;
	bool more = true;
	enum rc rc;

	rc = check_instance(instance, e);
	if (rc)
		return rc;
	order_key(&k, instance, number);
	rc = txn_read(&t, s, e);
	if (!rc)
		rc = walk_open(&w, &t, T_JOURNAL, &k, k.n, e);
	while (!rc && more) {
		rc = walk_next(&w, e);
		if (rc)
			break;
		kr = key_read((const char *)w.k.mv_data + k.n,
			      w.k.mv_size - k.n);
		rc = get_note(&note, key_get_u64(&kr), w.v.mv_data,
			      w.v.mv_size, e);
		if (rc)
			break;
		more = fn(arg, &note.note);
		note_release(&note);
	}
	walk_close(&w);
	txn_abort(&t);
	return rc == RC_NOTFOUND ? OK : rc;
}
