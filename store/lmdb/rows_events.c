/* SPDX-License-Identifier: MIT
 *
 * rows_events.c - rows of events, each kept once (`seen`).
 */
#include "store/lmdb/room.h"
#include "store/lmdb/rows.h"
#include "store/model/codec.h"
#include "store/model/record.h"

static struct key *seen_key(struct key *k, const char *instance,
			    const struct event *ev)
{
	key_str(key_start(k), instance);
	key_str(key_str(key_str(k, ev->type), ev->action), ev->date);
	return key_bytes(key_i64(k, ev->id), ev->digest, sizeof(ev->digest));
}

enum rc lmdb_room(struct rows *r, struct err *e)
{
	return room_for_delivery(txn_of(r), e);
}

enum rc lmdb_event(struct rows *r, uint64_t seq, struct event *ret,
		   struct err *e)
{
	struct key k;
	MDB_val v;
	enum rc rc = txn_get(txn_of(r), T_EVENTS, key_u64(key_start(&k), seq),
			     &v, e);

	return rc ? rc : get_event(ret, seq, v.mv_data, v.mv_size, e);
}

enum rc lmdb_event_new(struct rows *r, const char *instance,
		       const struct event *ev, uint64_t *ret_seq,
		       struct err *e)
{
	uint64_t last = 0;
	struct key k;
	MDB_val v;
	enum rc rc = txn_get(txn_of(r), T_SEEN, seen_key(&k, instance, ev), &v,
			     e);

	if (rc != RC_NOTFOUND)
		return rc ? rc : RC_EXISTS;
	rc = txn_last(txn_of(r), "events", &last, e);
	*ret_seq = last + 1;
	return rc;
}

enum rc lmdb_put_event(struct rows *r, const char *instance, int64_t received,
		       const struct event *ev, struct err *e)
{
	struct txn *t = txn_of(r);
	struct buf *b = txn_scratch(t);
	struct key seen, k;
	enum rc rc;

	encode_event(b, ev, instance, received);
	key_u64(key_start(&k), ev->seq);
	seen_key(&seen, instance, ev);
	rc = buf_full(b) ? fail(e, RC_INVALID, "an event too large to keep")
			  : txn_put(t, T_SEEN, &seen, k.b, k.n, e);
	if (!rc)
		rc = txn_append(t, T_EVENTS, &k, b->data, b->len, e);
	return rc ? rc : txn_set_last(t, "events", ev->seq, e);
}

enum rc lmdb_newest_event(struct rows *r, uint64_t *ret, struct err *e)
{
	return txn_last(txn_of(r), "events", ret, e);
}

/* Deletes the row in `seen` only if it leads to this event: two events with one
 * name would be damage, and the other one must stay known. */
enum rc lmdb_del_event(struct rows *r, const struct event *ev, struct err *e)
{
	struct txn *t = txn_of(r);
	struct key_reader kr;
	struct key seen, k;
	MDB_val v;
	enum rc rc = txn_get(t, T_SEEN, seen_key(&seen, ev->instance, ev), &v,
			     e);

	if (!rc) {
		kr = key_read(v.mv_data, v.mv_size);
		if (key_get_u64(&kr) == ev->seq)
			rc = txn_del(t, T_SEEN, &seen, e);
	}
	if (rc && rc != RC_NOTFOUND)
		return rc;
	rc = txn_del(t, T_EVENTS, key_u64(key_start(&k), ev->seq), e);
	return rc == RC_NOTFOUND ? OK : rc;
}

enum rc lmdb_newest_time(struct store *s, int64_t *ret, struct err *e)
{
	struct event ev = {0};
	uint64_t seq = 0;
	struct txn t;
	enum rc rc = txn_read(&t, s, e);

	*ret = TIME_NONE;
	if (!rc)
		rc = txn_last(&t, "events", &seq, e);
	if (!rc)
		rc = lmdb_event(&t.rows, seq, &ev, e);
	if (!rc)
		*ret = ev.received;
	txn_abort(&t);
	event_release(&ev);
	return rc == RC_NOTFOUND ? OK : rc;
}
