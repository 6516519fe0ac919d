/* SPDX-License-Identifier: MIT
 *
 * secrets.c - since when an instance's secrets are in use.
 *
 * secret use: current, previous, current_first, previous_last
 */
#include "store/lmdb/codec.h"
#include "store/lmdb/store_private.h"

#define DRAWING 1

static struct key *secret_key(struct key *k, const char *instance)
{
	key_bytes(key_start(k), "secret:", 7);
	return key_str(k, instance);
}

enum rc store_secret_use(struct store *s, const char *instance,
			 struct secret_use *ret, struct err *e)
{
	struct reader r;
	struct key k;
	struct txn t;
	MDB_val v;
	enum rc rc;

	*ret = (struct secret_use){0};
	rc = check_instance(instance, e);
	if (!rc)
		rc = txn_read(&t, s, e);
	if (rc)
		return rc;
	rc = txn_get(&t, T_META, secret_key(&k, instance), &v, e);
	if (!rc) {
		reader_init(&r, v.mv_data, v.mv_size);
		r.bad = get_u8(&r) != DRAWING;
		get_bytes(&r, ret->current, SECRET_PRINT);
		get_bytes(&r, ret->previous, SECRET_PRINT);
		ret->current_first = get_i64(&r);
		ret->previous_last = get_i64(&r);
		if (r.bad)
			rc = fail(e, RC_INVALID,
				  "the use of a secret cannot be read");
	}
	txn_abort(&t);
	return rc == RC_NOTFOUND ? OK : rc;
}

struct used_op {
	struct op op;
	const char *instance;
	const struct secret_use *use;
};

static enum rc used(struct txn *t, struct op *op, struct err *e)
{
	struct used_op *u = (struct used_op *)op;
	struct key k;
	struct buf b;
	enum rc rc;

	buf_init(&b, VALUE_MAX);
	put_u8(&b, DRAWING);
	put_bytes(&b, u->use->current, SECRET_PRINT);
	put_bytes(&b, u->use->previous, SECRET_PRINT);
	put_i64(&b, u->use->current_first);
	put_i64(&b, u->use->previous_last);
	rc = txn_put_buf(t, T_META, secret_key(&k, u->instance), &b, e);
	buf_release(&b);
	return rc;
}

enum rc store_secret_used(struct store *s, const char *instance,
			  const struct secret_use *use,
			  struct store_done *done, struct err *e)
{
	struct used_op u = {
		.op.run = used,
		.instance = instance,
		.use = use,
	};
	enum rc rc = check_instance(instance, e);

	return rc ? rc : writer_do(s, &u.op, sizeof(u), done, e);
}
