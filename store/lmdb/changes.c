/* SPDX-License-Identifier: MIT
 *
 * changes.c - which orders changed, numbered: what screens follow.
 */
#include "store/lmdb/store_private.h"

/* Drops the oldest row of `changes` if it is too old to keep; RC_NOTFOUND when
 * none is. */
static enum rc drop_oldest_change(struct txn *t, uint64_t newest,
				  struct err *e)
{
	struct key_reader kr;
	struct walk w;
	struct key k;
	uint64_t seq;
	enum rc rc;

	rc = walk_open(&w, t, T_CHANGES, NULL, 0, e);
	if (!rc)
		rc = walk_next(&w, e);
	if (!rc) {
		kr = key_read(w.k.mv_data, w.k.mv_size);
		seq = key_get_u64(&kr);
		key_u64(key_start(&k), seq);
		if (seq + t->store->changes_kept > newest)
			rc = RC_NOTFOUND;
	}
	walk_close(&w);
	return rc ? rc : txn_del(t, T_CHANGES, &k, e);
}

enum rc change_tell(struct txn *t, const struct order *o, struct err *e)
{
	struct key k, what;
	uint64_t seq;
	enum rc rc;

	rc = txn_next(t, "changes", &seq, e);
	if (rc)
		return rc;
	order_key(&what, o->instance, o->number);
	rc = txn_append(t, T_CHANGES, key_u64(key_start(&k), seq), what.b,
			what.n, e);
	/* Two for one, so that a store that kept more comes down to it. */
	for (int i = 0; !rc && i < 2; i++)
		rc = drop_oldest_change(t, seq, e);
	if (rc && rc != RC_NOTFOUND)
		return rc;
	t->touched = true;
	t->newest = seq;
	return OK;
}

enum rc store_changes(struct store *s, uint64_t after,
		      bool (*fn)(void *arg, const struct changed *c), void *arg,
		      struct err *e)
{
	struct walk w = {0};
	struct key_reader kr;
	struct changed c;
	struct key k;
	struct txn t;
	bool more = true;
	enum rc rc;

	if (after == UINT64_MAX)
		return OK;
	rc = txn_read(&t, s, e);
	if (!rc)
		rc = walk_open(&w, &t, T_CHANGES,
			       key_u64(key_start(&k), after + 1), 0, e);
	while (!rc && more) {
		rc = walk_next(&w, e);
		if (rc)
			break;
		kr = key_read(w.k.mv_data, w.k.mv_size);
		c.change = key_get_u64(&kr);
		kr = key_read(w.v.mv_data, w.v.mv_size);
		key_get_str(&kr, c.instance, sizeof(c.instance));
		c.number = key_get_i64(&kr);
		more = fn(arg, &c);
	}
	walk_close(&w);
	txn_abort(&t);
	return rc == RC_NOTFOUND ? OK : rc;
}

uint64_t store_newest_change(struct store *s)
{
	uint64_t newest = 0;
	struct txn t;

	if (!txn_read(&t, s, NULL) && !txn_last(&t, "changes", &newest, NULL)) {
		txn_abort(&t);
		return newest;
	}
	txn_abort(&t);
	return atomic_load(&s->newest);
}
