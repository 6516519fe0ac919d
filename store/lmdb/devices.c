/* SPDX-License-Identifier: MIT
 *
 * devices.c - who may act for a shop.  Removed devices are kept, so that it
 * can still be told who answered what.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/lmdb/codec.h"
#include "store/lmdb/record.h"
#include "store/lmdb/store_private.h"

static enum rc load(struct txn *t, uint64_t id, struct device *ret,
		    struct err *e)
{
	struct key k;
	MDB_val v;
	enum rc rc;

	rc = txn_get(t, T_DEVICES, key_u64(key_start(&k), id), &v, e);
	return rc ? rc : get_device(ret, id, v.mv_data, v.mv_size, e);
}

static enum rc save(struct txn *t, const struct device *d, struct err *e)
{
	struct key k;
	struct buf b;
	enum rc rc;

	buf_init(&b, VALUE_MAX);
	put_device(&b, d);
	rc = txn_put_buf(t, T_DEVICES, key_u64(key_start(&k), d->id), &b, e);
	buf_release(&b);
	return rc;
}

static struct key *hash_key(struct key *k,
			    const unsigned char hash[TOKEN_HASH_SIZE])
{
	return key_bytes(key_start(k), hash, TOKEN_HASH_SIZE);
}

static enum rc put_token(struct txn *t,
			 const unsigned char token[TOKEN_HASH_SIZE],
			 uint64_t id, struct err *e)
{
	struct key k, v;

	key_u64(key_start(&v), id);
	return txn_put(t, T_TOKENS, hash_key(&k, token), v.b, v.n, e);
}

static enum rc put_session(struct txn *t,
			   const unsigned char token[TOKEN_HASH_SIZE],
			   uint64_t id, int64_t begun, struct err *e)
{
	struct key k, v;

	key_i64(key_u64(key_start(&v), id), begun);
	return txn_put(t, T_SESSIONS, hash_key(&k, token), v.b, v.n, e);
}

/* Who is signed in for long is to ask again. */
static enum rc count_revocation(struct txn *t, struct err *e)
{
	uint64_t n;

	return txn_next(t, "revoked", &n, e);
}

/* Deletes the rows of `tokens` or `codes` that `which` picks. */
static enum rc sweep(struct txn *t, enum table table,
		     bool (*which)(uint64_t id, int64_t expires, int64_t arg),
		     int64_t arg, struct err *e)
{
	struct key_reader kr;
	struct walk w;
	uint64_t id;
	int64_t expires;
	struct key k;
	enum rc rc;

	rc = walk_open(&w, t, table, NULL, 0, e);
	while (!rc) {
		rc = walk_next(&w, e);
		if (rc)
			break;
		kr = key_read(w.v.mv_data, w.v.mv_size);
		id = key_get_u64(&kr);
		expires = key_get_i64(&kr); /* 0 in `tokens` */
		if (!which(id, expires, arg))
			continue;
		key_bytes(key_start(&k), w.k.mv_data, w.k.mv_size);
		rc = txn_del(t, table, &k, e);
		/* The cursor's row is gone: find the place again. */
		walk_close(&w);
		if (!rc)
			rc = walk_open(&w, t, table, &k, 0, e);
	}
	walk_close(&w);
	return rc == RC_NOTFOUND ? OK : rc;
}

static bool of_device(uint64_t id, int64_t expires, int64_t arg)
{
	(void)expires;
	return id == (uint64_t)arg;
}

static bool expired(uint64_t id, int64_t expires, int64_t arg)
{
	(void)id;
	return expires < arg;
}

/* ---- adding ---- */

struct add_op {
	struct op op;
	const struct device *d;
	const unsigned char *token, *code;
	int64_t code_expires;
	uint64_t *ret_id;
};

static enum rc add(struct txn *t, struct op *op, struct err *e)
{
	struct add_op *a = (struct add_op *)op;
	struct device d = *a->d;
	struct key k, v;
	enum rc rc;

	rc = txn_next(t, "devices", &d.id, e);
	d.removed = d.suspended = false;
	if (!rc)
		rc = save(t, &d, e);
	if (!rc)
		rc = put_token(t, a->token, d.id, e);
	if (!rc)
		rc = sweep(t, T_CODES, expired, d.created, e);
	if (!rc) {
		key_i64(key_u64(key_start(&v), d.id), a->code_expires);
		rc = txn_put(t, T_CODES, hash_key(&k, a->code), v.b, v.n, e);
	}
	if (!rc)
		*a->ret_id = d.id;
	return rc;
}

enum rc store_device_add(struct store *s, const struct device *d,
			 const unsigned char token[TOKEN_HASH_SIZE],
			 const unsigned char code[TOKEN_HASH_SIZE],
			 int64_t code_expires, uint64_t *ret_id, struct err *e)
{
	uint64_t id = 0;
	struct add_op a = {
		.op.run = add,
		.d = d,
		.token = token,
		.code = code,
		.code_expires = code_expires,
		.ret_id = &id,
	};
	enum rc rc;

	if (!*d->shop || !*d->name)
		return fail(e, RC_INVALID, "a device needs a shop and a name");
	rc = writer_do(s, &a.op, sizeof(a), NULL, e);
	if (!rc && ret_id)
		*ret_id = id;
	return rc;
}

/* ---- signing in ---- */

/* The live device that a row's value names. */
static enum rc device_of(struct txn *t, const MDB_val *v, struct device *ret,
			 int64_t *ret_expires, struct err *e)
{
	struct key_reader kr = key_read(v->mv_data, v->mv_size);
	enum rc rc = load(t, key_get_u64(&kr), ret, e);

	if (ret_expires)
		*ret_expires = key_get_i64(&kr);
	return !rc && (ret->removed || ret->suspended) ? RC_NOTFOUND : rc;
}

static enum rc device_by(struct store *s, enum table table,
			 const unsigned char token[TOKEN_HASH_SIZE],
			 struct device *ret, struct err *e)
{
	struct key k;
	struct txn t;
	MDB_val v;
	enum rc rc;

	rc = txn_read(&t, s, e);
	if (rc)
		return rc;
	rc = txn_get(&t, table, hash_key(&k, token), &v, e);
	if (!rc)
		rc = device_of(&t, &v, ret, NULL, e);
	txn_abort(&t);
	return rc == RC_NOTFOUND ? fail(e, rc, "no device has this token")
				 : rc;
}

enum rc store_device_by_token(struct store *s,
			      const unsigned char token[TOKEN_HASH_SIZE],
			      struct device *ret, struct err *e)
{
	return device_by(s, T_TOKENS, token, ret, e);
}

enum rc store_device_by_session(struct store *s,
				const unsigned char token[TOKEN_HASH_SIZE],
				struct device *ret, struct err *e)
{
	return device_by(s, T_SESSIONS, token, ret, e);
}

#define SLACK 60000 /* ms that the clock may have been set back meanwhile */

/* The device that a login code signs in at `now`, and the code's key. */
static enum rc device_of_code(struct txn *t,
			      const unsigned char code[TOKEN_HASH_SIZE],
			      int64_t now, struct key *ret_key,
			      struct device *ret, struct err *e)
{
	int64_t expires = 0;
	MDB_val v;
	enum rc rc = txn_get(t, T_CODES, hash_key(ret_key, code), &v, e);

	if (!rc)
		rc = device_of(t, &v, ret, &expires, e);
	if (rc == RC_NOTFOUND ||
	    (!rc && (expires < now || expires > now + CODE_LIVES + SLACK)))
		return fail(e, RC_NOTFOUND, "no device has this code now");
	return rc;
}

enum rc store_device_code(struct store *s,
			  const unsigned char code[TOKEN_HASH_SIZE],
			  int64_t now, struct err *e)
{
	struct device d;
	struct key k;
	struct txn t;
	enum rc rc = txn_read(&t, s, e);

	if (rc)
		return rc;
	rc = device_of_code(&t, code, now, &k, &d, e);
	txn_abort(&t);
	return rc;
}

struct login_op {
	struct op op;
	const unsigned char *code, *token; /* borrowed until it is done */
	int64_t now;
	struct device *ret;
};

static enum rc login(struct txn *t, struct op *op, struct err *e)
{
	struct login_op *l = (struct login_op *)op;
	struct key k;
	enum rc rc = device_of_code(t, l->code, l->now, &k, l->ret, e);

	if (!rc)
		rc = txn_del(t, T_CODES, &k, e);
	return rc ? rc : put_session(t, l->token, l->ret->id, l->now, e);
}

enum rc store_device_login(struct store *s,
			   const unsigned char code[TOKEN_HASH_SIZE],
			   const unsigned char token[TOKEN_HASH_SIZE],
			   int64_t now, struct device *ret,
			   struct store_done *done, struct err *e)
{
	struct login_op l = {
		.op.run = login,
		.code = code,
		.token = token,
		.now = now,
		.ret = ret,
	};

	return writer_do(s, &l.op, sizeof(l), done, e);
}

/* ---- signing out ---- */

struct end_op {
	struct op op;
	const unsigned char *token; /* borrowed until it is done */
};

static enum rc end_session(struct txn *t, struct op *op, struct err *e)
{
	struct end_op *o = (struct end_op *)op;
	struct key k;
	enum rc rc = txn_del(t, T_SESSIONS, hash_key(&k, o->token), e);

	if (rc == RC_NOTFOUND)
		return fail(e, rc, "there is no such session");
	return rc ? rc : count_revocation(t, e);
}

enum rc store_session_end(struct store *s,
			  const unsigned char token[TOKEN_HASH_SIZE],
			  struct store_done *done, struct err *e)
{
	struct end_op o = {.op.run = end_session, .token = token};

	return writer_do(s, &o.op, sizeof(o), done, e);
}

uint64_t store_revocations(struct store *s)
{
	uint64_t n = 0;
	struct txn t;

	if (txn_read(&t, s, NULL))
		return 0;
	if (txn_last(&t, "revoked", &n, NULL))
		n = 0;
	txn_abort(&t);
	return n;
}

/* ---- sessions that are too old ---- */

struct end_old_op {
	struct op op;
	int64_t before, now;
	size_t *ret_n;
};

#define SESSIONS_AT_ONCE 100

/* A session that began before o->before, or after now. */
struct odd_session {
	struct key key;
	uint64_t device;
	bool old;
};

static enum rc odd_sessions(struct txn *t, const struct end_old_op *o,
			    struct odd_session *ret, size_t *ret_n,
			    struct err *e)
{
	struct walk w = {0};
	struct key_reader kr;
	int64_t begun;
	enum rc rc;

	*ret_n = 0;
	rc = walk_open(&w, t, T_SESSIONS, NULL, 0, e);
	while (!rc && *ret_n < SESSIONS_AT_ONCE) {
		struct odd_session *odd = &ret[*ret_n];

		rc = walk_next(&w, e);
		if (rc)
			break;
		kr = key_read(w.v.mv_data, w.v.mv_size);
		odd->device = key_get_u64(&kr);
		begun = key_get_i64(&kr);
		odd->old = begun < o->before;
		key_bytes(key_start(&odd->key), w.k.mv_data, w.k.mv_size);
		*ret_n += odd->old || begun > o->now;
	}
	walk_close(&w);
	return rc == RC_NOTFOUND ? OK : rc;
}

static enum rc end_old(struct txn *t, struct op *op, struct err *e)
{
	const struct end_old_op *o = (const struct end_old_op *)op;
	struct odd_session *odd = xcalloc(SESSIONS_AT_ONCE, sizeof(*odd));
	size_t n = SESSIONS_AT_ONCE;
	enum rc rc = OK;

	*o->ret_n = 0;
	while (!rc && n == SESSIONS_AT_ONCE) {
		rc = odd_sessions(t, o, odd, &n, e);
		for (size_t i = 0; i < n && !rc; i++) {
			rc = odd[i].old ? txn_del(t, T_SESSIONS, &odd[i].key,
						  e)
					: put_session(t, odd[i].key.b,
						      odd[i].device, o->now, e);
			*o->ret_n += odd[i].old;
		}
	}
	free(odd);
	return rc || !*o->ret_n ? rc : count_revocation(t, e);
}

enum rc store_sessions_end(struct store *s, int64_t before, int64_t now,
			   size_t *ret_n, struct err *e)
{
	struct end_old_op o = {
		.op.run = end_old,
		.before = before,
		.now = now,
		.ret_n = ret_n,
	};

	*ret_n = 0;
	return writer_do(s, &o.op, sizeof(o), NULL, e);
}

/* ---- removing ---- */

struct remove_op {
	struct op op;
	uint64_t id;
};

static enum rc remove_device(struct txn *t, struct op *op, struct err *e)
{
	struct remove_op *r = (struct remove_op *)op;
	struct device d;
	enum rc rc;

	rc = load(t, r->id, &d, e);
	if (rc == RC_NOTFOUND || (!rc && d.removed))
		return fail(e, RC_NOTFOUND, "there is no device %llu",
			    (unsigned long long)r->id);
	if (rc)
		return rc;
	d.removed = true;
	rc = save(t, &d, e);
	if (!rc)
		rc = sweep(t, T_TOKENS, of_device, (int64_t)r->id, e);
	if (!rc)
		rc = sweep(t, T_CODES, of_device, (int64_t)r->id, e);
	if (!rc)
		rc = sweep(t, T_SESSIONS, of_device, (int64_t)r->id, e);
	return rc ? rc : count_revocation(t, e);
}

enum rc store_device_remove(struct store *s, uint64_t id, int64_t now,
			    struct err *e)
{
	struct remove_op r = {.op.run = remove_device, .id = id};

	(void)now;
	return writer_do(s, &r.op, sizeof(r), NULL, e);
}

/* ---- after a restore ---- */

/* The devices with an id of `from` or more, up to `max`, that `suspended` says:
 * those that may act, or those that may not. */
static enum rc some_devices(struct txn *t, uint64_t from, bool suspended,
			    struct device *ret, size_t max, size_t *ret_n,
			    struct err *e)
{
	struct walk w = {0};
	struct key_reader kr;
	struct key k;
	enum rc rc;

	*ret_n = 0;
	rc = walk_open(&w, t, T_DEVICES, key_u64(key_start(&k), from), 0, e);
	while (!rc && *ret_n < max) {
		struct device *d = &ret[*ret_n];

		rc = walk_next(&w, e);
		if (rc)
			break;
		kr = key_read(w.k.mv_data, w.k.mv_size);
		rc = get_device(d, key_get_u64(&kr), w.v.mv_data, w.v.mv_size,
				e);
		*ret_n += !rc && !d->removed && d->suspended == suspended;
	}
	walk_close(&w);
	return rc == RC_NOTFOUND ? OK : rc;
}

#define AT_ONCE 16

static enum rc suspend_all(struct txn *t, bool suspended, size_t *ret_n,
			   struct err *e)
{
	struct device some[AT_ONCE];
	size_t n = AT_ONCE;
	uint64_t from = 0;
	enum rc rc = OK;

	*ret_n = 0;
	while (!rc && n == AT_ONCE) {
		rc = some_devices(t, from, !suspended, some, AT_ONCE, &n, e);
		for (size_t i = 0; i < n && !rc; i++) {
			some[i].suspended = suspended;
			rc = save(t, &some[i], e);
			from = some[i].id + 1;
			*ret_n += !rc;
		}
	}
	return rc;
}

static bool all(uint64_t id, int64_t expires, int64_t arg)
{
	(void)id;
	(void)expires;
	(void)arg;
	return true;
}

/* Ids that a device may have been given after the backup was made. */
#define IDS_SKIPPED 1000

enum rc devices_suspend(struct txn *t, struct err *e)
{
	uint64_t last = 0;
	size_t n;
	enum rc rc = suspend_all(t, true, &n, e);

	if (!rc)
		rc = txn_last(t, "devices", &last, e);
	if (!rc)
		rc = txn_set_last(t, "devices", last + IDS_SKIPPED, e);
	if (!rc)
		rc = sweep(t, T_CODES, all, 0, e);
	if (!rc)
		rc = sweep(t, T_SESSIONS, all, 0, e);
	return rc ? rc : count_revocation(t, e);
}

struct readmit_op {
	struct op op;
	uint64_t id;   /* 0: all */
	size_t *ret_n; /* of all */
};

static enum rc readmit(struct txn *t, struct op *op, struct err *e)
{
	struct readmit_op *r = (struct readmit_op *)op;
	struct device d;
	enum rc rc;

	if (!r->id)
		return suspend_all(t, false, r->ret_n, e);
	rc = load(t, r->id, &d, e);
	if (rc == RC_NOTFOUND || (!rc && d.removed))
		return fail(e, RC_NOTFOUND, "there is no device %llu",
			    (unsigned long long)r->id);
	if (!rc && !d.suspended)
		return fail(e, RC_EXISTS, "device %llu is not suspended",
			    (unsigned long long)r->id);
	d.suspended = false;
	return rc ? rc : save(t, &d, e);
}

enum rc store_device_readmit(struct store *s, uint64_t id, struct err *e)
{
	struct readmit_op r = {.op.run = readmit, .id = id};

	if (!id)
		return fail(e, RC_NOTFOUND, "there is no device 0");
	return writer_do(s, &r.op, sizeof(r), NULL, e);
}

enum rc store_devices_readmit(struct store *s, size_t *ret_n, struct err *e)
{
	struct readmit_op r = {.op.run = readmit, .ret_n = ret_n};

	*ret_n = 0;
	return writer_do(s, &r.op, sizeof(r), NULL, e);
}

/* ---- listing ---- */

enum rc store_devices(struct store *s,
		      bool (*fn)(void *arg, const struct device *d), void *arg,
		      struct err *e)
{
	struct walk w = {0};
	struct key_reader kr;
	struct device d;
	struct txn t;
	bool more = true;
	enum rc rc;

	rc = txn_read(&t, s, e);
	if (!rc)
		rc = walk_open(&w, &t, T_DEVICES, NULL, 0, e);
	while (!rc && more) {
		rc = walk_next(&w, e);
		if (rc)
			break;
		kr = key_read(w.k.mv_data, w.k.mv_size);
		rc = get_device(&d, key_get_u64(&kr), w.v.mv_data, w.v.mv_size,
				e);
		if (rc)
			break;
		more = fn(arg, &d);
	}
	walk_close(&w);
	txn_abort(&t);
	return rc == RC_NOTFOUND ? OK : rc;
}
