/* SPDX-License-Identifier: MIT
 *
 * devices.c - devices and their credentials: tokens, login codes, sessions.
 *
 * Removed devices are kept, so that the journal can still name the device that
 * answered.
 */
#include <string.h>

#include "base/clock.h"
#include "store/rules/engine.h"
#include "store/rules/rules.h"

#define COUNT_REVOKED "revoked"

/* Counts that a credential was ended.  When the count grows, event streams and
 * waiting presses check their own credential again. */
static void count_revocation(struct rows *r)
{
	add_count(r, COUNT_REVOKED, 1);
}

static struct held_credential credential_of(const unsigned char *hash,
					    uint64_t device, int64_t at)
{
	struct held_credential c = {.device = device, .at = at};

	memcpy(c.hash, hash, sizeof(c.hash));
	return c;
}

static enum rc no_device(struct err *e, uint64_t id)
{
	return fail(e, RC_NOTFOUND, "there is no device %llu",
		    (unsigned long long)id);
}

/* ---- adding ---- */

struct add_op {
	struct op op;
	const struct device *d;
	const unsigned char *token, *code;
	int64_t code_expires;
	uint64_t *ret_id;
};

static void add_want(struct rows *r, struct op *op)
{
	(void)op;
	want_new_device(r);
}

static enum rc add(struct rows *r, struct op *op, struct err *e)
{
	const struct add_op *a = (struct add_op *)op;
	struct device d = *a->d;
	struct held_credential token, code;
	enum rc rc = row_new_device(r, &d.id, e);

	if (rc)
		return rc;
	d.removed = d.suspended = false;
	token = credential_of(a->token, d.id, 0);
	put_device(r, &d);
	put_credential(r, CREDENTIAL_TOKEN, &token);
	del_credentials_before(r, CREDENTIAL_CODE, d.created);
	if (a->code) {
		code = credential_of(a->code, d.id, a->code_expires);
		put_credential(r, CREDENTIAL_CODE, &code);
	}
	*a->ret_id = d.id;
	return OK;
}

enum rc store_device_add(struct store *s, const struct device *d,
			 const unsigned char token[TOKEN_HASH_SIZE],
			 const unsigned char code[TOKEN_HASH_SIZE],
			 int64_t code_expires, uint64_t *ret_id, struct err *e)
{
	uint64_t id = 0;
	struct add_op a = {
		.op = {.want = add_want, .run = add},
		.d = d,
		.token = token,
		.code = code,
		.code_expires = code_expires,
		.ret_id = &id,
	};
	enum rc rc;

	if (!*d->shop || !*d->name)
		return fail(e, RC_INVALID, "a device needs a shop and a name");
	rc = store_do(s, &a.op, sizeof(a), NULL, e);
	if (!rc && ret_id)
		*ret_id = id;
	return rc;
}

/* ---- signing in ---- */

/* Finds the device of a credential.  RC_NOTFOUND: there is none, or it may not
 * act. */
static enum rc let_in(struct rows *r, enum credential kind,
		      const unsigned char *hash, struct device *ret,
		      int64_t *ret_at, struct err *e)
{
	enum rc rc = row_credential(r, kind, hash, ret, ret_at, e);

	return !rc && (ret->removed || ret->suspended) ? RC_NOTFOUND : rc;
}

/* Opens a reading in which a credential was named and fetched. */
static enum rc open_credential(struct rows **ret, struct store *s,
			       enum credential kind,
			       const unsigned char *hash, struct err *e)
{
	enum rc rc = rows_open(ret, s, e);

	if (rc)
		return rc;
	want_credential(*ret, kind, hash);
	return rows_fetch(*ret, e);
}

static enum rc device_by(struct store *s, enum credential kind,
			 const unsigned char *hash, struct device *ret,
			 struct err *e)
{
	struct rows *r;
	int64_t at;
	enum rc rc = open_credential(&r, s, kind, hash, e);

	if (!rc)
		rc = let_in(r, kind, hash, ret, &at, e);
	rows_close(r);
	return rc == RC_NOTFOUND ? fail(e, rc, "no device has this token")
				 : rc;
}

enum rc store_device_by_token(struct store *s,
			      const unsigned char token[TOKEN_HASH_SIZE],
			      struct device *ret, struct err *e)
{
	return device_by(s, CREDENTIAL_TOKEN, token, ret, e);
}

enum rc store_device_by_session(struct store *s,
				const unsigned char token[TOKEN_HASH_SIZE],
				struct device *ret, struct err *e)
{
	return device_by(s, CREDENTIAL_SESSION, token, ret, e);
}

/* ms.  A code that is valid for longer than this was made while the clock was
 * ahead. */
#define LONGEST (CODE_LIVES + 60000)

/* Finds the device that a login code signs in, if the code is valid at
 * `now`. */
static enum rc device_of_code(struct rows *r, const unsigned char *code,
			      int64_t now, struct device *ret, struct err *e)
{
	int64_t expires = 0;
	enum rc rc = let_in(r, CREDENTIAL_CODE, code, ret, &expires, e);

	if (rc == RC_NOTFOUND ||
	    (!rc && !clock_within(expires - LONGEST, now, LONGEST + 1)))
		return fail(e, RC_NOTFOUND, "no device has this code now");
	return rc;
}

enum rc store_device_code(struct store *s,
			  const unsigned char code[TOKEN_HASH_SIZE],
			  int64_t now, struct err *e)
{
	struct device d;
	struct rows *r;
	enum rc rc = open_credential(&r, s, CREDENTIAL_CODE, code, e);

	if (!rc)
		rc = device_of_code(r, code, now, &d, e);
	rows_close(r);
	return rc;
}

struct login_op {
	struct op op;
	const unsigned char *code, *token; /* borrowed until the write is
					    * done */
	int64_t now;
	struct device *ret;
};

static void login_want(struct rows *r, struct op *op)
{
	want_credential(r, CREDENTIAL_CODE, ((struct login_op *)op)->code);
}

static enum rc login(struct rows *r, struct op *op, struct err *e)
{
	const struct login_op *l = (struct login_op *)op;
	struct held_credential session;
	enum rc rc = device_of_code(r, l->code, l->now, l->ret, e);

	if (rc)
		return rc;
	session = credential_of(l->token, l->ret->id, l->now);
	del_credential(r, CREDENTIAL_CODE, l->code);
	put_credential(r, CREDENTIAL_SESSION, &session);
	return OK;
}

enum rc store_device_login(struct store *s,
			   const unsigned char code[TOKEN_HASH_SIZE],
			   const unsigned char token[TOKEN_HASH_SIZE],
			   int64_t now, struct device *ret,
			   struct store_done *done, struct err *e)
{
	struct login_op l = {
		.op = {.want = login_want, .run = login},
		.code = code,
		.token = token,
		.now = now,
		.ret = ret,
	};

	return store_do(s, &l.op, sizeof(l), done, e);
}

/* ---- signing out ---- */

struct end_op {
	struct op op;
	const unsigned char *token; /* borrowed until the write is done */
};

static void end_want(struct rows *r, struct op *op)
{
	want_credential(r, CREDENTIAL_SESSION, ((struct end_op *)op)->token);
}

static enum rc end_session(struct rows *r, struct op *op, struct err *e)
{
	const struct end_op *o = (struct end_op *)op;
	struct device d;
	int64_t at;
	enum rc rc;

	rc = row_credential(r, CREDENTIAL_SESSION, o->token, &d, &at, e);
	if (rc == RC_NOTFOUND)
		return fail(e, rc, "there is no such session");
	if (rc)
		return rc;
	del_credential(r, CREDENTIAL_SESSION, o->token);
	count_revocation(r);
	return OK;
}

enum rc store_session_end(struct store *s,
			  const unsigned char token[TOKEN_HASH_SIZE],
			  struct store_done *done, struct err *e)
{
	struct end_op o = {
		.op = {.want = end_want, .run = end_session},
		.token = token,
	};

	return store_do(s, &o.op, sizeof(o), done, e);
}

uint64_t store_revocations(struct store *s)
{
	uint64_t n = 0;
	struct rows *r;
	enum rc rc = rows_open(&r, s, NULL);

	if (!rc) {
		want_count(r, COUNT_REVOKED);
		rc = rows_fetch(r, NULL);
	}
	if (!rc)
		rc = row_count(r, COUNT_REVOKED, &n, NULL);
	rows_close(r);
	return rc ? 0 : n;
}

/* ---- sessions that are too old ---- */

#define SESSIONS_AT_ONCE 100

struct end_old_op {
	struct op op;
	int64_t before, now;
	size_t looked, ended; /* out */
};

static enum rc end_old(struct rows *r, struct op *op, struct err *e)
{
	struct end_old_op *o = (struct end_old_op *)op;
	struct held_credential some[SESSIONS_AT_ONCE];
	enum rc rc;

	o->looked = o->ended = 0;
	rc = rows_odd_sessions(r, o->before, o->now, some, SESSIONS_AT_ONCE,
			       &o->looked, e);
	if (rc)
		return rc;
	for (size_t i = 0; i < o->looked; i++) {
		if (some[i].at < o->before) {
			del_credential(r, CREDENTIAL_SESSION, some[i].hash);
			o->ended++;
		} else {
			some[i].at = o->now;
			put_credential(r, CREDENTIAL_SESSION, &some[i]);
		}
	}
	if (o->ended)
		count_revocation(r);
	return OK;
}

enum rc store_sessions_end(struct store *s, int64_t before, int64_t now,
			   size_t *ret_n, struct err *e)
{
	struct end_old_op o = {
		.op.run = end_old,
		.before = before,
		.now = now,
	};
	enum rc rc;

	*ret_n = 0;
	do {
		rc = store_do(s, &o.op, sizeof(o), NULL, e);
		if (!rc)
			*ret_n += o.ended;
	} while (!rc && o.looked == SESSIONS_AT_ONCE);
	return rc;
}

/* ---- removing ---- */

struct device_op {
	struct op op;
	uint64_t id;
};

static void device_want(struct rows *r, struct op *op)
{
	want_device(r, ((struct device_op *)op)->id);
}

/* Finds a device that is not removed. */
static enum rc present_device(struct rows *r, uint64_t id, struct device *ret,
			      struct err *e)
{
	enum rc rc = row_device(r, id, ret, e);

	return rc == RC_NOTFOUND || (!rc && ret->removed) ? no_device(e, id)
							  : rc;
}

static enum rc remove_device(struct rows *r, struct op *op, struct err *e)
{
	uint64_t id = ((struct device_op *)op)->id;
	struct device d;
	enum rc rc = present_device(r, id, &d, e);

	if (rc)
		return rc;
	d.removed = true;
	put_device(r, &d);
	for (int kind = 0; kind < CREDENTIALS; kind++)
		del_credentials_of(r, (enum credential)kind, id);
	count_revocation(r);
	return OK;
}

enum rc store_device_remove(struct store *s, uint64_t id, int64_t now,
			    struct err *e)
{
	struct device_op o = {
		.op = {.want = device_want, .run = remove_device},
		.id = id,
	};

	(void)now;
	return store_do(s, &o.op, sizeof(o), NULL, e);
}

/* ---- when it was last used ---- */

struct used_op {
	struct op op;
	uint64_t id;
	int64_t now;
};

static void used_want(struct rows *r, struct op *op)
{
	want_device(r, ((struct used_op *)op)->id);
}

static enum rc set_used(struct rows *r, struct op *op, struct err *e)
{
	const struct used_op *u = (struct used_op *)op;
	struct device d;
	enum rc rc = present_device(r, u->id, &d, e);

	if (rc)
		return rc;
	d.used = u->now;
	put_device(r, &d);
	return OK;
}

enum rc store_device_used(struct store *s, uint64_t id, int64_t now,
			  struct store_done *done, struct err *e)
{
	struct used_op u = {
		.op = {.want = used_want, .run = set_used},
		.id = id,
		.now = now,
	};

	return store_do(s, &u.op, sizeof(u), done, e);
}

/* ---- after a restore ---- */

#define AT_ONCE 16

/* Suspends or readmits all devices that are not removed. */
static enum rc suspend_all(struct rows *r, bool suspended, size_t *ret_n,
			   struct err *e)
{
	struct device some[AT_ONCE];
	size_t n = AT_ONCE;
	uint64_t from = 0;
	enum rc rc = OK;

	*ret_n = 0;
	while (!rc && n == AT_ONCE) {
		rc = rows_devices(r, from, !suspended, some, AT_ONCE, &n, e);
		for (size_t i = 0; i < n && !rc; i++) {
			some[i].suspended = suspended;
			put_device(r, &some[i]);
			from = some[i].id + 1;
			++*ret_n;
		}
	}
	return rc;
}

/* Numbers that are left out after a restore, since devices may have got them
 * after the backup was made. */
#define IDS_SKIPPED 1000

enum rc devices_suspend(struct rows *r, struct err *e)
{
	size_t n;
	enum rc rc = suspend_all(r, true, &n, e);

	skip_devices(r, IDS_SKIPPED);
	del_credentials_before(r, CREDENTIAL_CODE, INT64_MAX);
	del_credentials_before(r, CREDENTIAL_SESSION, INT64_MAX);
	count_revocation(r);
	return rc;
}

static enum rc readmit(struct rows *r, struct op *op, struct err *e)
{
	uint64_t id = ((struct device_op *)op)->id;
	struct device d;
	enum rc rc = present_device(r, id, &d, e);

	if (rc)
		return rc;
	if (!d.suspended)
		return fail(e, RC_EXISTS, "device %llu is not suspended",
			    (unsigned long long)id);
	d.suspended = false;
	put_device(r, &d);
	return OK;
}

enum rc store_device_readmit(struct store *s, uint64_t id, struct err *e)
{
	struct device_op o = {
		.op = {.want = device_want, .run = readmit},
		.id = id,
	};

	return store_do(s, &o.op, sizeof(o), NULL, e);
}

struct readmit_op {
	struct op op;
	size_t *ret_n;
};

static enum rc readmit_all(struct rows *r, struct op *op, struct err *e)
{
	return suspend_all(r, false, ((struct readmit_op *)op)->ret_n, e);
}

enum rc store_devices_readmit(struct store *s, size_t *ret_n, struct err *e)
{
	struct readmit_op o = {.op.run = readmit_all, .ret_n = ret_n};

	*ret_n = 0;
	return store_do(s, &o.op, sizeof(o), NULL, e);
}
