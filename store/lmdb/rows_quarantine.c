/* SPDX-License-Identifier: MIT
 *
 * rows_quarantine.c - rows of the quarantine, with the indexes by which equal
 * entries and the oldest are found.
 */
#include <string.h>

#include "store/lmdb/rows.h"
#include "store/model/codec.h"
#include "store/model/record.h"
#include "store/rules/rules.h"

static struct key *bound_key(struct key *k, const char *instance,
			     enum quarantine_kind kind)
{
	return key_u8(key_str(key_start(k), instance), (uint8_t)kind);
}

static struct key *like_key(struct key *k, const struct quarantined *q)
{
	return key_bytes(bound_key(k, q->instance, q->kind), q->digest,
			 sizeof(q->digest));
}

/* ---- reading ---- */

enum rc lmdb_quarantined(struct rows *r, uint64_t seq, struct quarantined *ret,
			 struct err *e)
{
	struct key k;
	MDB_val v;
	enum rc rc = txn_get(txn_of(r), T_QUARANTINE,
			     key_u64(key_start(&k), seq), &v, e);

	return rc ? rc : get_quarantined(ret, seq, v.mv_data, v.mv_size, e);
}

enum rc lmdb_quarantined_like(struct rows *r, const struct quarantined *q,
			      struct err *e)
{
	struct key k;
	MDB_val v;

	return txn_get(txn_of(r), T_BOUNDED_SEEN, like_key(&k, q), &v, e);
}

/* ---- adding and removing ---- */

static enum rc add_to_indexes(struct txn *t, const struct quarantined *q,
			      uint64_t seq, struct err *e)
{
	struct key k, v;
	enum rc rc = OK;

	key_u64(key_start(&v), seq);
	if (quarantine_is_keyed(q))
		rc = txn_put(t, T_BOUNDED_SEEN, like_key(&k, q), v.b, v.n, e);
	if (rc || !quarantine_is_bounded(q))
		return rc;
	key_u64(key_start(&v), q->len);
	return txn_put(t, T_BOUNDED,
		       key_u64(bound_key(&k, q->instance, q->kind), seq), v.b,
		       v.n, e);
}

static enum rc del_from_indexes(struct txn *t, const struct quarantined *q,
				struct err *e)
{
	struct key k;
	enum rc rc = OK;

	if (quarantine_is_keyed(q))
		rc = txn_del(t, T_BOUNDED_SEEN, like_key(&k, q), e);
	if ((rc && rc != RC_NOTFOUND) || !quarantine_is_bounded(q))
		return rc == RC_NOTFOUND ? OK : rc;
	rc = txn_del(t, T_BOUNDED,
		     key_u64(bound_key(&k, q->instance, q->kind), q->seq), e);
	return rc == RC_NOTFOUND ? OK : rc;
}

enum rc lmdb_put_quarantined(struct rows *r, const struct quarantined *q,
			     struct err *e)
{
	struct txn *t = txn_of(r);
	uint64_t seq;
	struct key k;
	struct buf b;
	enum rc rc;

	buf_init(&b, VALUE_MAX);
	encode_quarantined(&b, q, q->instance, q->received);
	rc = buf_full(&b) ? fail(e, RC_INVALID, "a body too large to keep")
			  : txn_next(t, "quarantine", &seq, e);
	if (!rc)
		rc = txn_put_buf(t, T_QUARANTINE,
				 key_u64(key_start(&k), seq), &b, e);
	if (!rc)
		rc = add_to_indexes(t, q, seq, e);
	buf_release(&b);
	return rc;
}

enum rc lmdb_del_quarantined(struct rows *r, uint64_t seq, struct err *e)
{
	struct txn *t = txn_of(r);
	struct quarantined q;
	struct key k;
	enum rc rc = lmdb_quarantined(r, seq, &q, e);

	if (rc && rc != RC_INVALID)
		return rc == RC_NOTFOUND ? OK : rc;
	if (!rc) {
		rc = del_from_indexes(t, &q, e);
		quarantined_release(&q);
	} else {
		rc = OK; /* an entry that cannot be read can be dropped even
			  * so */
	}
	return rc ? rc : txn_del(t, T_QUARANTINE, key_u64(key_start(&k), seq),
				 e);
}

/* ---- the oldest ---- */

struct bound {
	size_t prefix;
	uint64_t n, bytes, oldest;
};

static enum rc count_bound(void *arg, const struct walk *w, bool *more,
			   struct err *e)
{
	struct bound *b = arg;
	struct key_reader kr;

	(void)more;
	(void)e;
	if (!b->n++) {
		kr = key_read((const char *)w->k.mv_data + b->prefix,
			      w->k.mv_size - b->prefix);
		b->oldest = key_get_u64(&kr);
	}
	kr = key_read(w->v.mv_data, w->v.mv_size);
	b->bytes += key_get_u64(&kr);
	return OK;
}

enum rc lmdb_trim_quarantine(struct rows *r, const char *instance,
			     enum quarantine_kind kind, size_t n,
			     uint64_t bytes, struct err *e)
{
	struct bound b;
	struct key k;
	enum rc rc;

	bound_key(&k, instance, kind);
	for (;;) {
		b = (struct bound){.prefix = k.n};
		rc = each(txn_of(r), T_BOUNDED, &k, k.n, count_bound, &b, e);
		if (rc || !b.n || (b.n <= n && b.bytes <= bytes))
			return rc;
		rc = lmdb_del_quarantined(r, b.oldest, e);
		if (rc)
			return rc;
	}
}
