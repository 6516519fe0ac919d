/* SPDX-License-Identifier: MIT
 *
 * updates.c - changing one order by a decision that is made inside the
 * transaction, and reading orders.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/rules/engine.h"
#include "store/rules/rules.h"

/* ---- the texts kept beside an order ---- */

void order_texts_release(struct order_texts *t)
{
	free(t->details);
	free(t->address);
	t->details = NULL;
	t->address = NULL;
}

static enum rc load_text(struct rows *r, const struct order_id *id,
			 enum part which, char **ret, struct err *e)
{
	const char *text;
	size_t len;
	enum rc rc;

	rc = row_json(r, id->instance, id->number, which, &text, &len, e);
	if (!rc)
		*ret = xmemdup(text, len);
	return rc == RC_NOTFOUND ? OK : rc;
}

static enum rc texts_load(struct rows *r, const struct order_id *id,
			  struct order_texts *ret, struct err *e)
{
	enum rc rc;

	order_texts_release(ret);
	rc = load_text(r, id, PART_DETAILS, &ret->details, e);
	if (!rc)
		rc = load_text(r, id, PART_ADDRESS, &ret->address, e);
	if (rc)
		order_texts_release(ret);
	return rc;
}

/* ---- changing one ---- */

struct update_op {
	struct op op;
	struct order_id id;
	store_update_fn *fn;
	void *arg;
	int64_t now;
	struct order *ret; /* or NULL */
	bool given;	   /* *ret holds an order that an earlier run of the op
			    * has given */
	struct once *once; /* or NULL */
	struct order_texts *texts; /* or NULL */
};

/* Gives the order to the caller, in place of one that an earlier run gave. */
static void give(struct update_op *u, struct order *o)
{
	if (!u->ret) {
		order_release(o);
		return;
	}
	if (u->given)
		order_release(u->ret);
	*u->ret = *o;
	u->given = true;
}

static void update_want(struct rows *r, struct op *op)
{
	const struct update_op *u = (struct update_op *)op;

	if (u->once)
		want_once(r, u->once);
	order_change_want(r, u->id.instance, u->id.number);
}

static enum rc update(struct rows *r, struct op *op, struct err *e)
{
	struct update_op *u = (struct update_op *)op;
	struct changes changes = {0};
	struct order before, after;
	enum rc rc, said;

	if (u->once) {
		rc = once_find(r, u->once, e);
		if (rc || u->once->seen != ONCE_NEW)
			return rc;
	}
	if (u->texts) {
		rc = texts_load(r, &u->id, u->texts, e);
		if (rc)
			return rc;
	}
	rc = row_order(r, u->id.instance, u->id.number, &before, e);
	if (rc)
		return rc;
	said = rc = u->fn(u->arg, &before, &changes, e);
	if (!rc)
		rc = order_change(r, &before, &changes, NULL, u->now, &after,
				  NULL, e);
	if (!rc)
		give(u, &after);
	if (u->once && rc == said)
		rc = once_keep(r, u->once, said);
	changes_release(&changes);
	order_release(&before);
	return rc;
}

enum rc store_update(struct store *s, const char *instance, int64_t number,
		     store_update_fn *fn, void *arg, int64_t now,
		     struct order *ret, struct store_done *done, struct err *e)
{
	return store_update_once(s, instance, number, fn, arg, NULL, NULL, now,
				 ret, done, e);
}

enum rc store_update_once(struct store *s, const char *instance,
			  int64_t number, store_update_fn *fn, void *arg,
			  struct once *once, struct order_texts *texts,
			  int64_t now, struct order *ret,
			  struct store_done *done, struct err *e)
{
	struct update_op u = {
		.op = {.want = update_want, .run = update},
		.id.number = number,
		.fn = fn,
		.arg = arg,
		.now = now,
		.ret = ret,
		.once = once,
		.texts = texts,
	};
	enum rc rc = check_instance(instance, e);

	if (rc)
		return rc;
	(void)!copy_text(u.id.instance, sizeof(u.id.instance), instance);
	if (ret)
		order_init(ret, instance, number);
	rc = store_do(s, &u.op, sizeof(u), done, e);
	if (rc && ret && !done)
		order_release(ret); /* *ret was read by a run that was undone */
	return rc;
}

/* ---- reading ---- */

/* Opens a reading in which an order was named and fetched. */
static enum rc open_order(struct rows **ret, struct store *s,
			  const char *instance, int64_t number, unsigned parts,
			  struct err *e)
{
	enum rc rc = check_instance(instance, e);

	*ret = NULL;
	if (!rc)
		rc = rows_open(ret, s, e);
	if (rc)
		return rc;
	want_order(*ret, instance, number, parts);
	return rows_fetch(*ret, e);
}

enum rc store_order(struct store *s, const char *instance, int64_t number,
		    struct order *ret, struct err *e)
{
	struct rows *r;
	enum rc rc = open_order(&r, s, instance, number, 0, e);

	if (!rc)
		rc = row_order(r, instance, number, ret, e);
	rows_close(r);
	if (!rc && !ret->first_seen)
		return fail(e, RC_NOTFOUND, "order %lld was never heard of",
			    (long long)number);
	return rc;
}

enum rc store_details(struct store *s, const char *instance, int64_t number,
		      char **ret_details, char **ret_address, struct err *e)
{
	struct order_texts texts = {0};
	struct order_id id = {.number = number};
	struct rows *r;
	enum rc rc = open_order(&r, s, instance, number,
				WANT_DETAILS | WANT_ADDRESS, e);

	if (!rc) {
		(void)!copy_text(id.instance, sizeof(id.instance), instance);
		rc = texts_load(r, &id, &texts, e);
	}
	rows_close(r);
	*ret_details = texts.details;
	*ret_address = texts.address;
	return rc;
}
