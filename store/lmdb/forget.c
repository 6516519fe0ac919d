/* SPDX-License-Identifier: MIT
 *
 * forget.c - personal data that has been kept for long enough.
 */
#include <string.h>

#include "store/lmdb/store_private.h"

#define AT_ONCE 200 /* rows looked at in one transaction */

/* What stands where an address stood: the order is not to be fetched again. */
static const char none[] = "{}";

struct forget_op {
	struct op op;
	int64_t before, now;
	const struct key *from; /* after this row; n == 0: from the first */
	struct key *ret_last;   /* the last row looked at */
	bool *ret_more;
	size_t *ret_n;
};

/* True if a shop has the parcel still to send, or may have: without the address
 * nobody could.  What is open still may become a shop's by a look, and what was
 * removed is not fetched again. */
static bool to_ship(const struct order *o)
{
	for (size_t i = 0; i < o->n_offers; i++)
		if (o->offers[i].list != LIST_DONE)
			return true;
	return false;
}

/* One row of `addresses`: it goes if nothing has happened to its order since
 * `before` and the order is not to be shipped. */
static enum rc forget_row(struct txn *t, const struct forget_op *f,
			  const struct key *row, size_t *ret_n, struct err *e)
{
	const struct note n = {
		.at = f->now,
		.what = "retention",
		.text = "the address was removed: it was kept long enough",
	};
	struct key_reader kr = key_read(row->b, row->n);
	char instance[INSTANCE_SIZE];
	struct order o = {0};
	int64_t number;
	enum rc rc;

	key_get_str(&kr, instance, sizeof(instance));
	number = key_get_i64(&kr);
	rc = order_load(t, instance, number, &o, e);
	if (!rc && o.updated < f->before && !to_ship(&o)) {
		rc = txn_put(t, T_ADDRESSES, row, none, strlen(none), e);
		if (!rc)
			rc = journal_add(t, instance, number, &n, e);
		*ret_n += !rc;
	}
	order_release(&o);
	return rc;
}

static enum rc forget_some(struct txn *t, struct op *op, struct err *e)
{
	const struct forget_op *f = (const struct forget_op *)op;
	struct key rows[AT_ONCE];
	struct walk w = {0};
	size_t n = 0, gone = 0;
	enum rc rc;

	rc = walk_open(&w, t, T_ADDRESSES, f->from, 0, e);
	while (!rc && n < AT_ONCE) {
		rc = walk_next(&w, e);
		if (rc)
			break;
		if (w.k.mv_size == f->from->n &&
		    !memcmp(w.k.mv_data, f->from->b, f->from->n))
			continue; /* where the last transaction ended */
		if (w.v.mv_size == strlen(none) &&
		    !memcmp(w.v.mv_data, none, strlen(none)))
			continue; /* removed before */
		key_bytes(key_start(&rows[n++]), w.k.mv_data, w.k.mv_size);
	}
	walk_close(&w);
	if (rc && rc != RC_NOTFOUND)
		return rc;
	rc = OK;
	for (size_t i = 0; i < n && !rc; i++)
		rc = forget_row(t, f, &rows[i], &gone, e);
	if (rc)
		return rc;
	*f->ret_more = n == AT_ONCE;
	*f->ret_n = gone;
	*f->ret_last = n ? rows[n - 1] : *f->from;
	return OK;
}

enum rc store_forget_addresses(struct store *s, int64_t before, int64_t now,
			       size_t *ret_n, struct err *e)
{
	struct key from, last;
	bool more = true;
	size_t n;
	enum rc rc = OK;

	key_start(&from);
	*ret_n = 0;
	while (!rc && more) {
		struct forget_op f = {
			.op.run = forget_some,
			.before = before,
			.now = now,
			.from = &from,
			.ret_last = &last,
			.ret_more = &more,
			.ret_n = &n,
		};

		rc = writer_do(s, &f.op, sizeof(f), NULL, e);
		if (!rc) {
			from = last;
			*ret_n += n;
		}
	}
	return rc;
}
