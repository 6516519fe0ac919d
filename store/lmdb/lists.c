/* SPDX-License-Identifier: MIT
 *
 * lists.c - the lists of the screens: each offer stands in exactly one.
 */
#include "store/lmdb/store_private.h"

/* What its list is sorted by. */
static int64_t list_rank(const struct offer *f)
{
	if (f->list == LIST_MINE && problem_open(&f->problem))
		return LISTED_FIRST;
	return f->expires == TIME_NONE ? INT64_MAX : f->expires;
}

static struct key *list_key(struct key *k, const struct order *o,
			    const struct offer *f)
{
	key_i64(key_str(key_start(k), o->instance), f->warehouse);
	key_u8(k, (uint8_t)f->list);
	key_i64(k, list_rank(f));
	return key_i64(k, o->number);
}

static struct key *done_key(struct key *k, const struct order *o,
			    const struct offer *f)
{
	key_i64(key_str(key_start(k), o->instance), f->warehouse);
	return key_i64(key_i64(k, o->updated), o->number);
}

enum rc list_move(struct txn *t, const struct order *o,
		  const struct offer *was, const struct offer *is,
		  struct err *e)
{
	struct key k;
	enum rc rc;

	if (was && was->list == is->list && list_rank(was) == list_rank(is))
		return OK;
	if (was) {
		rc = txn_del(t, T_LISTS, list_key(&k, o, was), e);
		if (rc && rc != RC_NOTFOUND)
			return rc;
	}
	return txn_put(t, T_LISTS, list_key(&k, o, is), NULL, 0, e);
}

static void read_listed(const struct walk *w, struct listed *row)
{
	struct key_reader kr = key_read(w->k.mv_data, w->k.mv_size);
	char instance[INSTANCE_SIZE];

	key_get_str(&kr, instance, sizeof(instance));
	row->warehouse = key_get_i64(&kr);
	row->list = key_get_u8(&kr);
	row->expires = key_get_i64(&kr);
	row->number = key_get_i64(&kr);
	if (row->expires == INT64_MAX)
		row->expires = TIME_NONE;
}

enum rc store_list(struct store *s, const char *instance, int64_t warehouse,
		   enum list list, const struct listed *after,
		   bool (*fn)(void *arg, const struct listed *row), void *arg,
		   struct err *e)
{
	struct walk w = {0};
	struct listed row;
	struct key from;
	struct txn t;
	size_t prefix;
	bool more = true;
	enum rc rc;

	rc = check_instance(instance, e);
	if (rc)
		return rc;
	key_i64(key_str(key_start(&from), instance), warehouse);
	key_u8(&from, (uint8_t)list);
	prefix = from.n;
	if (after) {
		key_i64(&from, after->expires == TIME_NONE ? INT64_MAX
							   : after->expires);
		key_u8(key_i64(&from, after->number), 0); /* right behind it */
	}
	rc = txn_read(&t, s, e);
	if (!rc)
		rc = walk_open(&w, &t, T_LISTS, &from, prefix, e);
	while (!rc && more) {
		rc = walk_next(&w, e);
		if (rc)
			break;
		read_listed(&w, &row);
		more = fn(arg, &row);
	}
	walk_close(&w);
	txn_abort(&t);
	return rc == RC_NOTFOUND ? OK : rc;
}

/* ---- by the last change ---- */

enum rc done_move(struct txn *t, const struct order *before,
		  const struct order *after, int64_t warehouse,
		  struct err *e)
{
	const struct offer *was = order_offer(before, warehouse);
	const struct offer *is = order_offer(after, warehouse);
	struct key k;
	enum rc rc = OK;

	if (was && was->list == LIST_DONE)
		rc = txn_del(t, T_DONE, done_key(&k, before, was), e);
	/* Not there: it was done before this table was. */
	if ((!rc || rc == RC_NOTFOUND) && is->list == LIST_DONE)
		rc = txn_put(t, T_DONE, done_key(&k, after, is), NULL, 0, e);
	return rc == RC_NOTFOUND ? OK : rc;
}

enum rc store_done_since(struct store *s, const char *instance,
			 int64_t warehouse, int64_t since, int64_t after,
			 bool (*fn)(void *arg, const struct listed *row),
			 void *arg, struct err *e)
{
	struct listed row = {.warehouse = warehouse, .list = LIST_DONE};
	char name[INSTANCE_SIZE];
	struct key_reader kr;
	struct walk w = {0};
	struct key from;
	struct txn t;
	size_t prefix;
	bool more = true;
	enum rc rc;

	rc = check_instance(instance, e);
	if (rc)
		return rc;
	key_i64(key_str(key_start(&from), instance), warehouse);
	prefix = from.n;
	key_i64(key_i64(&from, since), after);
	if (after)
		key_u8(&from, 0); /* right behind it */
	rc = txn_read(&t, s, e);
	if (!rc)
		rc = walk_open(&w, &t, T_DONE, &from, prefix, e);
	while (!rc && more) {
		rc = walk_next(&w, e);
		if (rc)
			break;
		kr = key_read(w.k.mv_data, w.k.mv_size);
		key_get_str(&kr, name, sizeof(name));
		(void)key_get_i64(&kr);
		row.expires = key_get_i64(&kr);
		row.number = key_get_i64(&kr);
		more = fn(arg, &row);
	}
	walk_close(&w);
	txn_abort(&t);
	return rc == RC_NOTFOUND ? OK : rc;
}
