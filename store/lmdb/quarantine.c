/* SPDX-License-Identifier: MIT
 *
 * quarantine.c - what could not be read, kept until someone has looked.
 */
#include <string.h>

#include "store/lmdb/codec.h"
#include "store/lmdb/record.h"
#include "store/lmdb/store_private.h"

/* ---- each once, and some as far as there is room ---- */

static bool is_bounded(const struct quarantined *q)
{
	return q->kind != QUARANTINED_UNREAD;
}

bool quarantine_is_keyed(const struct quarantined *q)
{
	static const unsigned char none[EVENT_DIGEST_SIZE];

	return is_bounded(q) || memcmp(q->digest, none, sizeof(none)) != 0;
}

static struct key *bound_key(struct key *k, const char *instance,
			     enum quarantine_kind kind)
{
	return key_u8(key_str(key_start(k), instance), (uint8_t)kind);
}

static struct key *bound_seen_key(struct key *k, const char *instance,
				  const struct quarantined *q)
{
	return key_bytes(bound_key(k, instance, q->kind), q->digest,
			 sizeof(q->digest));
}

/* How many there are, of how many bytes, and which is the oldest. */
struct bound {
	uint64_t n, bytes, oldest;
};

static enum rc bound_read(struct txn *t, const char *instance,
			  enum quarantine_kind kind, struct bound *ret,
			  struct err *e)
{
	struct walk w = {0};
	struct key_reader kr;
	struct key k;
	enum rc rc;

	*ret = (struct bound){0};
	bound_key(&k, instance, kind);
	rc = walk_open(&w, t, T_BOUNDED, &k, k.n, e);
	while (!rc) {
		rc = walk_next(&w, e);
		if (rc)
			break;
		if (!ret->n++) {
			kr = key_read((const char *)w.k.mv_data + k.n,
				      w.k.mv_size - k.n);
			ret->oldest = key_get_u64(&kr);
		}
		kr = key_read(w.v.mv_data, w.v.mv_size);
		ret->bytes += key_get_u64(&kr);
	}
	walk_close(&w);
	return rc == RC_NOTFOUND ? OK : rc;
}

static enum rc bound_make_room(struct txn *t, const char *instance,
			       const struct quarantined *q, struct err *e)
{
	struct bound b;
	enum rc rc;

	for (;;) {
		rc = bound_read(t, instance, q->kind, &b, e);
		if (rc || !b.n ||
		    (b.n < QUARANTINE_MOST &&
		     b.bytes + q->len <= QUARANTINE_MOST_BYTES))
			return rc;
		rc = quarantine_remove(t, b.oldest, e);
		if (rc)
			return rc;
	}
}

static enum rc keys_add(struct txn *t, const char *instance,
			const struct quarantined *q, uint64_t seq,
			struct err *e)
{
	struct key k, v;
	enum rc rc = OK;

	key_u64(key_start(&v), seq);
	if (quarantine_is_keyed(q))
		rc = txn_put(t, T_BOUNDED_SEEN,
			     bound_seen_key(&k, instance, q), v.b, v.n, e);
	if (rc || !is_bounded(q))
		return rc;
	key_u64(key_start(&v), q->len);
	return txn_put(t, T_BOUNDED,
		       key_u64(bound_key(&k, instance, q->kind), seq), v.b,
		       v.n, e);
}

static enum rc keys_remove(struct txn *t, const struct quarantined *q,
			   struct err *e)
{
	struct key k;
	enum rc rc = OK;

	if (quarantine_is_keyed(q))
		rc = txn_del(t, T_BOUNDED_SEEN,
			     bound_seen_key(&k, q->instance, q), e);
	if ((rc && rc != RC_NOTFOUND) || !is_bounded(q))
		return rc == RC_NOTFOUND ? OK : rc;
	rc = txn_del(t, T_BOUNDED,
		     key_u64(bound_key(&k, q->instance, q->kind), q->seq), e);
	return rc == RC_NOTFOUND ? OK : rc;
}

/* ---- adding and removing ---- */

static enum rc no_such(struct err *e, uint64_t seq)
{
	return fail(e, RC_NOTFOUND, "nothing in quarantine has the number %llu",
		    (unsigned long long)seq);
}

enum rc quarantine_add(struct txn *t, const struct quarantined *q,
		       const char *instance, int64_t received, struct err *e)
{
	uint64_t seq;
	struct key k;
	struct buf b;
	MDB_val have;
	enum rc rc;

	if (quarantine_is_keyed(q)) {
		rc = txn_get(t, T_BOUNDED_SEEN,
			     bound_seen_key(&k, instance, q), &have, e);
		if (rc != RC_NOTFOUND)
			return rc ? rc : RC_EXISTS;
	}
	rc = is_bounded(q) ? bound_make_room(t, instance, q, e) : OK;
	if (rc)
		return rc;
	buf_init(&b, VALUE_MAX);
	put_quarantined(&b, q, instance, received);
	rc = buf_full(&b) ? fail(e, RC_INVALID, "a body too large to keep")
			  : txn_next(t, "quarantine", &seq, e);
	if (!rc)
		rc = txn_put_buf(t, T_QUARANTINE,
				 key_u64(key_start(&k), seq), &b, e);
	if (!rc)
		rc = keys_add(t, instance, q, seq, e);
	buf_release(&b);
	return rc;
}

enum rc quarantine_remove(struct txn *t, uint64_t seq, struct err *e)
{
	struct quarantined q;
	struct key k;
	MDB_val v;
	enum rc rc;

	rc = txn_get(t, T_QUARANTINE, key_u64(key_start(&k), seq), &v, e);
	if (rc == RC_NOTFOUND)
		return no_such(e, seq);
	if (rc)
		return rc;
	/* One that cannot be read can be thrown away all the same. */
	if (!get_quarantined(&q, seq, v.mv_data, v.mv_size, NULL)) {
		rc = keys_remove(t, &q, e);
		quarantined_release(&q);
	}
	return rc ? rc : txn_del(t, T_QUARANTINE, &k, e);
}

/* ---- reading ---- */

enum rc store_quarantine(struct store *s, uint64_t from,
			 bool (*fn)(void *arg, const struct quarantined *q),
			 void *arg, struct err *e)
{
	struct walk w = {0};
	struct quarantined q;
	struct key_reader kr;
	struct key k;
	struct txn t;
	bool more = true;
	enum rc rc;

	rc = txn_read(&t, s, e);
	if (!rc)
		rc = walk_open(&w, &t, T_QUARANTINE,
			       key_u64(key_start(&k), from), 0, e);
	while (!rc && more) {
		rc = walk_next(&w, e);
		if (rc)
			break;
		kr = key_read(w.k.mv_data, w.k.mv_size);
		rc = get_quarantined(&q, key_get_u64(&kr), w.v.mv_data,
				     w.v.mv_size, e);
		if (rc)
			break;
		more = fn(arg, &q);
		quarantined_release(&q);
	}
	walk_close(&w);
	txn_abort(&t);
	return rc == RC_NOTFOUND ? OK : rc;
}

enum rc store_quarantine_get(struct store *s, uint64_t seq,
			     struct quarantined *ret, struct err *e)
{
	struct key k;
	struct txn t;
	MDB_val v;
	enum rc rc;

	rc = txn_read(&t, s, e);
	if (rc)
		return rc;
	rc = txn_get(&t, T_QUARANTINE, key_u64(key_start(&k), seq), &v, e);
	if (!rc)
		rc = get_quarantined(ret, seq, v.mv_data, v.mv_size, e);
	else if (rc == RC_NOTFOUND)
		rc = no_such(e, seq);
	txn_abort(&t);
	return rc;
}

struct drop_op {
	struct op op;
	uint64_t seq;
};

static enum rc drop(struct txn *t, struct op *op, struct err *e)
{
	return quarantine_remove(t, ((struct drop_op *)op)->seq, e);
}

enum rc store_quarantine_drop(struct store *s, uint64_t seq, struct err *e)
{
	struct drop_op d = {.op.run = drop, .seq = seq};

	return writer_do(s, &d.op, sizeof(d), NULL, e);
}
