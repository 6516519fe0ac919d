/* SPDX-License-Identifier: MIT
 *
 * once.c - requests that take effect once: the keys of clients, and what became
 * of the requests that came with them.
 *
 * once:    request, at, rc, code
 */
#include <stdio.h>
#include <string.h>

#include "store/lmdb/codec.h"
#include "store/lmdb/store_private.h"

#define DRAWING 1

static struct key *once_key(struct key *k, const struct once *o)
{
	return key_bytes(key_u64(key_start(k), o->device), o->key, ONCE_HASH);
}

static struct key *age_key(struct key *k, const struct once *o)
{
	key_u64(key_i64(key_start(k), o->at), o->device);
	return key_bytes(k, o->key, ONCE_HASH);
}

enum rc once_find(struct txn *t, struct once *o, struct err *e)
{
	unsigned char request[ONCE_HASH];
	struct reader r;
	struct key k;
	int64_t at;
	unsigned rc_then;
	MDB_val v;
	enum rc rc;

	o->seen = ONCE_NEW;
	o->rc = OK;
	o->code[0] = '\0';
	rc = txn_get(t, T_ONCE, once_key(&k, o), &v, e);
	if (rc)
		return rc == RC_NOTFOUND ? OK : rc;
	reader_init(&r, v.mv_data, v.mv_size);
	r.bad = get_u8(&r) != DRAWING;
	get_bytes(&r, request, sizeof(request));
	at = get_i64(&r);
	rc_then = get_below(&r, RC_IO + 1);
	get_word(&r, o->code, sizeof(o->code));
	if (r.bad)
		return fail(e, RC_INVALID, "a stored key cannot be read");
	if (o->sure && at + ONCE_KEPT <= o->at) { /* forgotten, if not gone */
		o->code[0] = '\0';
		return OK;
	}
	o->seen = memcmp(request, o->request, ONCE_HASH) ? ONCE_OTHER
							 : ONCE_AGAIN;
	o->rc = (enum rc)rc_then;
	return OK;
}

/* Drops the oldest key if it is too old to keep; RC_NOTFOUND when none is. */
static enum rc drop_oldest(struct txn *t, int64_t now, struct err *e)
{
	struct once old = {0};
	struct walk w = {0};
	struct key_reader kr;
	struct key k;
	enum rc rc;

	rc = walk_open(&w, t, T_ONCE_AGE, NULL, 0, e);
	if (!rc)
		rc = walk_next(&w, e);
	if (!rc) {
		kr = key_read(w.k.mv_data, w.k.mv_size);
		old.at = key_get_i64(&kr);
		old.device = key_get_u64(&kr);
		if (kr.left != ONCE_HASH || old.at + ONCE_KEPT > now)
			rc = RC_NOTFOUND;
		else
			memcpy(old.key, kr.p, ONCE_HASH);
	}
	walk_close(&w);
	if (rc)
		return rc;
	rc = txn_del(t, T_ONCE, once_key(&k, &old), e);
	if (!rc || rc == RC_NOTFOUND)
		rc = txn_del(t, T_ONCE_AGE, age_key(&k, &old), e);
	return rc;
}

/* Of a key that is used again after its time: its first use would else be
 * dropped one day, and the second with it. */
static enum rc drop_earlier(struct txn *t, const struct once *o, struct err *e)
{
	struct once earlier = *o;
	struct reader r;
	struct key k;
	MDB_val v;
	enum rc rc;

	rc = txn_get(t, T_ONCE, once_key(&k, o), &v, e);
	if (rc)
		return rc == RC_NOTFOUND ? OK : rc;
	reader_init(&r, v.mv_data, v.mv_size);
	(void)get_u8(&r);
	get_bytes(&r, earlier.request, ONCE_HASH);
	earlier.at = get_i64(&r);
	rc = txn_del(t, T_ONCE_AGE, age_key(&k, &earlier), e);
	return rc == RC_NOTFOUND ? OK : rc;
}

static enum rc put(struct txn *t, const struct once *o, struct err *e)
{
	struct key k;
	struct buf b;
	enum rc rc;

	buf_init(&b, VALUE_MAX);
	put_u8(&b, DRAWING);
	put_bytes(&b, o->request, ONCE_HASH);
	put_i64(&b, o->at);
	put_u8(&b, (uint8_t)o->rc);
	put_text(&b, o->code);
	rc = txn_put_buf(t, T_ONCE, once_key(&k, o), &b, e);
	buf_release(&b);
	return rc ? rc : txn_put(t, T_ONCE_AGE, age_key(&k, o), NULL, 0, e);
}

enum rc once_keep(struct txn *t, struct once *o, enum rc said, struct err *e)
{
	enum rc rc = OK;

	if (said && said != RC_EXISTS && said != RC_CONFLICT)
		return said;
	o->rc = said;
	/* Two for one, so that there are never many too old. */
	for (int i = 0; o->sure && !rc && i < 2; i++)
		rc = drop_oldest(t, o->at, e);
	if (!rc || rc == RC_NOTFOUND)
		rc = drop_earlier(t, o, e);
	return rc ? rc : put(t, o, e);
}
