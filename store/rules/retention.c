/* SPDX-License-Identifier: MIT
 *
 * retention.c - removes personal data that has been kept for long enough.
 */
#include <string.h>

#include "store/rules/engine.h"
#include "store/rules/rules.h"

#define AT_ONCE 200 /* orders that one transaction looks at, at most */

struct forget_op {
	struct op op;
	int64_t before, now;
	const struct order_id *after; /* the order at which the last transaction
				       * ended */
	struct order_id *ret_last; /* out: the last order that was looked at */
	bool *ret_more;
	size_t *ret_n;
	struct err *ret_why; /* out: why an order could not be read; "": all
			      * could */
};

/* True if a shop still has to send the parcel, or may have to: without the
 * address it could not.  An open order may become a shop's by a look, and a
 * removed address is not fetched again. */
static bool to_ship(const struct order *o)
{
	for (size_t i = 0; i < o->n_offers; i++)
		if (o->offers[i].list != LIST_DONE)
			return true;
	return false;
}

/* Removes an order's address if nothing has happened to it since `before` and
 * it is not to be shipped. */
static enum rc forget_one(struct rows *r, const struct forget_op *f,
			  const struct order_id *id, size_t *n, struct err *e)
{
	const struct entry entry = {.at = f->now, .fact = FACT_ADDRESS_REMOVED};
	struct order o = {0};
	enum rc rc = row_order(r, id->instance, id->number, &o, e);

	if (!rc && o.updated < f->before && !to_ship(&o)) {
		put_json(r, id->instance, id->number, PART_ADDRESS,
			 ADDRESS_REMOVED);
		put_entry(r, id->instance, id->number, &entry);
		(*n)++;
	}
	order_release(&o);
	return rc;
}

static enum rc forget_some(struct rows *r, struct op *op, struct err *e)
{
	const struct forget_op *f = (const struct forget_op *)op;
	struct order_id some[AT_ONCE];
	size_t n = 0, gone = 0;
	enum rc rc = rows_addresses(r, f->after, some, AT_ONCE, &n, e);

	for (size_t i = 0; !rc && i < n; i++)
		want_order(r, some[i].instance, some[i].number, WANT_ADDRESS);
	if (!rc)
		rc = rows_fetch(r, e);
	f->ret_why->text[0] = '\0';
	for (size_t i = 0; !rc && i < n; i++) {
		rc = forget_one(r, f, &some[i], &gone, e);
		if (rc != RC_INVALID)
			continue;
		rc = OK; /* one bad order must not keep the other addresses */
		*f->ret_why = *e;
	}
	if (rc)
		return rc;
	*f->ret_more = n == AT_ONCE;
	*f->ret_n = gone;
	*f->ret_last = n ? some[n - 1] : *f->after;
	return OK;
}

enum rc store_forget_addresses(struct store *s, int64_t before, int64_t now,
			       size_t *ret_n, struct err *e)
{
	struct order_id after = {0}, last;
	struct err why, unread = {""};
	bool more = true;
	size_t n;
	enum rc rc = OK;

	*ret_n = 0;
	while (!rc && more) {
		struct forget_op f = {
			.op.run = forget_some,
			.before = before,
			.now = now,
			.after = &after,
			.ret_last = &last,
			.ret_more = &more,
			.ret_n = &n,
			.ret_why = &why,
		};

		rc = store_do(s, &f.op, sizeof(f), NULL, e);
		if (!rc) {
			after = last;
			*ret_n += n;
			if (*why.text)
				unread = why;
		}
	}
	return !rc && *unread.text ? fail(e, RC_INVALID, "%s", unread.text)
				   : rc;
}
