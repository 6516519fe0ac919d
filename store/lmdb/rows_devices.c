/* SPDX-License-Identifier: MIT
 *
 * rows_devices.c - rows of devices and of their credentials.
 *
 * Each kind of credential has a table: hash -> u64 device, and, except for
 * tokens, i64 time.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "store/lmdb/rows.h"
#include "store/model/codec.h"
#include "store/model/record.h"

static enum table table_of(enum credential kind)
{
	static const enum table tables[CREDENTIALS] = {
		[CREDENTIAL_TOKEN] = T_TOKENS,
		[CREDENTIAL_CODE] = T_CODES,
		[CREDENTIAL_SESSION] = T_SESSIONS,
	};

	return tables[kind];
}

static struct key *hash_key(struct key *k, const unsigned char *hash)
{
	return key_bytes(key_start(k), hash, TOKEN_HASH_SIZE);
}

/* ---- devices ---- */

enum rc lmdb_device(struct rows *r, uint64_t id, struct device *ret,
		    struct err *e)
{
	struct key k;
	MDB_val v;
	enum rc rc = txn_get(txn_of(r), T_DEVICES, key_u64(key_start(&k), id),
			     &v, e);

	return rc ? rc : get_device(ret, id, v.mv_data, v.mv_size, e);
}

enum rc lmdb_new_device(struct rows *r, uint64_t *ret, struct err *e)
{
	return txn_next(txn_of(r), "devices", ret, e);
}

enum rc lmdb_skip_devices(struct rows *r, unsigned n, struct err *e)
{
	uint64_t last = 0;
	enum rc rc = txn_last(txn_of(r), "devices", &last, e);

	return rc ? rc : txn_set_last(txn_of(r), "devices", last + n, e);
}

enum rc lmdb_put_device(struct rows *r, const struct device *d, struct err *e)
{
	struct key k;
	struct buf b;
	enum rc rc;

	buf_init(&b, VALUE_MAX);
	encode_device(&b, d);
	rc = txn_put_buf(txn_of(r), T_DEVICES, key_u64(key_start(&k), d->id),
			 &b, e);
	buf_release(&b);
	return rc;
}

struct some_devices {
	bool suspended;
	struct device *ret;
	size_t n, max;
};

static enum rc take_device(void *arg, const struct walk *w, bool *more,
			   struct err *e)
{
	struct some_devices *s = arg;
	struct device *d = &s->ret[s->n];
	struct key_reader kr = key_read(w->k.mv_data, w->k.mv_size);
	enum rc rc = get_device(d, key_get_u64(&kr), w->v.mv_data,
				w->v.mv_size, e);

	/* A device that cannot be read is nobody's: it is not let in, and the
	 * others do not wait for it. */
	if (rc == RC_INVALID)
		return OK;
	if (!rc && !d->removed && d->suspended == s->suspended)
		*more = ++s->n < s->max;
	return rc;
}

enum rc lmdb_devices(struct rows *r, uint64_t from, bool suspended,
		     struct device *ret, size_t max, size_t *ret_n,
		     struct err *e)
{
	struct some_devices s = {suspended, ret, 0, max};
	struct key k;
	enum rc rc = each(txn_of(r), T_DEVICES, key_u64(key_start(&k), from),
			  0, take_device, &s, e);

	*ret_n = s.n;
	return rc;
}

/* ---- credentials ---- */

static struct held_credential read_credential(const struct walk *w)
{
	struct key_reader key = key_read(w->k.mv_data, w->k.mv_size);
	struct key_reader kr = key_read(w->v.mv_data, w->v.mv_size);
	struct held_credential c = {0};

	for (size_t i = 0; i < sizeof(c.hash); i++)
		c.hash[i] = key_get_u8(&key);
	c.device = key_get_u64(&kr);
	c.at = key_get_i64(&kr); /* 0 in `tokens` */
	return c;
}

enum rc lmdb_credential(struct rows *r, enum credential kind,
			const unsigned char *hash, struct device *ret,
			int64_t *ret_at, struct err *e)
{
	struct key_reader kr;
	struct key k;
	MDB_val v;
	uint64_t id;
	enum rc rc = txn_get(txn_of(r), table_of(kind), hash_key(&k, hash), &v,
			     e);

	if (rc)
		return rc;
	kr = key_read(v.mv_data, v.mv_size);
	id = key_get_u64(&kr);
	*ret_at = kind == CREDENTIAL_TOKEN ? 0 : key_get_i64(&kr);
	if (kr.bad)
		return fail(e, RC_INVALID, "a stored credential cannot be read");
	return lmdb_device(r, id, ret, e);
}

enum rc lmdb_put_credential(struct rows *r, enum credential kind,
			    const struct held_credential *c, struct err *e)
{
	struct key k, v;

	key_u64(key_start(&v), c->device);
	if (kind != CREDENTIAL_TOKEN)
		key_i64(&v, c->at);
	return txn_put(txn_of(r), table_of(kind), hash_key(&k, c->hash), v.b,
		       v.n, e);
}

enum rc lmdb_del_credential(struct rows *r, enum credential kind,
			    const unsigned char *hash, struct err *e)
{
	struct key k;
	enum rc rc = txn_del(txn_of(r), table_of(kind), hash_key(&k, hash), e);

	return rc == RC_NOTFOUND ? OK : rc;
}

/* Selects credentials of a kind: those of one device, or by their time. */
struct some_credentials {
	uint64_t device; /* 0: of any */
	int64_t before, after;
	struct held_credential *ret;
	size_t n, max;
};

static enum rc take_credential(void *arg, const struct walk *w, bool *more,
			       struct err *e)
{
	struct some_credentials *s = arg;
	struct held_credential c = read_credential(w);

	(void)e;
	if (s->device ? c.device != s->device
		      : c.at >= s->before && c.at <= s->after)
		return OK;
	s->ret[s->n++] = c;
	*more = s->n < s->max;
	return OK;
}

enum rc lmdb_odd_sessions(struct rows *r, int64_t before, int64_t now,
			  struct held_credential *ret, size_t max,
			  size_t *ret_n, struct err *e)
{
	struct some_credentials s = {
		.before = before,
		.after = now,
		.ret = ret,
		.max = max,
	};
	enum rc rc = each(txn_of(r), T_SESSIONS, NULL, 0, take_credential, &s,
			  e);

	*ret_n = s.n;
	return rc;
}

#define AT_ONCE 64

/* Deletes the selected credentials, some at a time, since rows move while a
 * cursor deletes. */
static enum rc del_some(struct rows *r, enum credential kind,
			const struct some_credentials *which, struct err *e)
{
	struct held_credential list[AT_ONCE];
	struct some_credentials s;
	enum rc rc;

	do {
		s = *which;
		s.ret = list;
		s.n = 0;
		s.max = AT_ONCE;
		rc = each(txn_of(r), table_of(kind), NULL, 0, take_credential,
			  &s, e);
		for (size_t i = 0; !rc && i < s.n; i++)
			rc = lmdb_del_credential(r, kind, list[i].hash, e);
	} while (!rc && s.n == AT_ONCE);
	return rc;
}

enum rc lmdb_del_credentials_of(struct rows *r, enum credential kind,
				uint64_t device, struct err *e)
{
	return del_some(r, kind, &(struct some_credentials){.device = device},
			e);
}

enum rc lmdb_del_credentials_before(struct rows *r, enum credential kind,
				    int64_t at, struct err *e)
{
	return del_some(r, kind,
			&(struct some_credentials){.before = at,
						   .after = INT64_MAX},
			e);
}
