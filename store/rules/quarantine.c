/* SPDX-License-Identifier: MIT
 *
 * quarantine.c - the quarantine: what could not be recorded, kept until an
 * operator has looked at it.
 */
#include <string.h>

#include "store/rules/engine.h"
#include "store/rules/rules.h"

bool quarantine_is_bounded(const struct quarantined *q)
{
	return q->kind != QUARANTINED_UNREAD;
}

bool quarantine_is_keyed(const struct quarantined *q)
{
	static const unsigned char none[EVENT_DIGEST_SIZE];

	return quarantine_is_bounded(q) ||
	       memcmp(q->digest, none, sizeof(none)) != 0;
}

/* ---- adding and removing ---- */

void quarantine_add_want(struct rows *r, const struct quarantined *q)
{
	if (quarantine_is_keyed(q))
		want_quarantined_like(r, q);
}

enum rc quarantine_add(struct rows *r, const struct quarantined *q,
		       struct err *e)
{
	enum rc rc = RC_NOTFOUND;

	if (quarantine_is_keyed(q))
		rc = row_quarantined_like(r, q, e);
	if (rc != RC_NOTFOUND)
		return rc ? rc : RC_EXISTS;
	if (quarantine_is_bounded(q))
		trim_quarantine(r, q->instance, q->kind, QUARANTINE_MOST - 1,
				q->len < QUARANTINE_MOST_BYTES
					? QUARANTINE_MOST_BYTES - q->len
					: 0);
	put_quarantined(r, q);
	return OK;
}

void quarantine_remove_want(struct rows *r, uint64_t seq)
{
	want_quarantined(r, seq);
}

static enum rc no_such(struct err *e, uint64_t seq)
{
	return fail(e, RC_NOTFOUND, "nothing in quarantine has the number %llu",
		    (unsigned long long)seq);
}

enum rc quarantine_remove(struct rows *r, uint64_t seq, struct err *e)
{
	struct quarantined q = {0};
	enum rc rc = row_quarantined(r, seq, &q, e);

	if (rc == RC_NOTFOUND)
		return no_such(e, seq);
	/* An entry that cannot be read can be removed even so. */
	if (rc && rc != RC_INVALID)
		return rc;
	if (!rc)
		quarantined_release(&q);
	del_quarantined(r, seq);
	return OK;
}

/* ---- store.h ---- */

enum rc store_quarantine_get(struct store *s, uint64_t seq,
			     struct quarantined *ret, struct err *e)
{
	struct rows *r;
	enum rc rc = rows_open(&r, s, e);

	if (!rc) {
		want_quarantined(r, seq);
		rc = rows_fetch(r, e);
	}
	if (!rc) {
		rc = row_quarantined(r, seq, ret, e);
		if (rc == RC_NOTFOUND)
			rc = no_such(e, seq);
	}
	rows_close(r);
	return rc;
}

struct drop_op {
	struct op op;
	uint64_t seq;
};

static void drop_want(struct rows *r, struct op *op)
{
	quarantine_remove_want(r, ((struct drop_op *)op)->seq);
}

static enum rc drop(struct rows *r, struct op *op, struct err *e)
{
	return quarantine_remove(r, ((struct drop_op *)op)->seq, e);
}

enum rc store_quarantine_drop(struct store *s, uint64_t seq, struct err *e)
{
	struct drop_op d = {
		.op = {.want = drop_want, .run = drop},
		.seq = seq,
	};

	return store_do(s, &d.op, sizeof(d), NULL, e);
}
