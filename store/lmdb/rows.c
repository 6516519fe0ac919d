/* SPDX-License-Identifier: MIT
 *
 * rows.c - the rows of orders, their texts, journals and changes, of
 * idempotency keys and counters.
 *
 * once:        u8 drawing, request, at, rc, code
 * secret use:  u8 drawing, current, previous, current_first, previous_last
 */
#include "store/lmdb/rows.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/lmdb/due.h"
#include "store/model/codec.h"
#include "store/model/record.h"

#define DRAWING 1

static enum rc fine_if_none(enum rc rc)
{
	return rc == RC_NOTFOUND ? OK : rc;
}

/* ---- orders ---- */

static enum rc order_load(struct txn *t, const char *instance, int64_t number,
			  struct order *ret, struct err *e)
{
	struct key k;
	MDB_val v;
	enum rc rc;

	rc = txn_get(t, T_ORDERS, order_key(&k, instance, number), &v, e);
	if (rc == RC_NOTFOUND) {
		order_init(ret, instance, number);
		return OK;
	}
	if (!rc)
		rc = get_order(ret, instance, number, v.mv_data, v.mv_size, e);
	return rc != RC_INVALID
		       ? rc
		       : fail(e, rc,
			      "what is stored of order %s/%" PRId64
			      " is damaged; `shipfrom verify` lists all "
			      "damage, a backup mends it",
			      instance, number);
}

static enum rc lmdb_order(struct rows *r, const char *instance, int64_t number,
			  struct order *ret, struct err *e)
{
	return order_load(txn_of(r), instance, number, ret, e);
}

static enum rc lmdb_put_order(struct rows *r, const struct order *before,
			      const struct order *after, struct err *e)
{
	struct txn *t = txn_of(r);
	struct buf *b;
	struct key k;
	enum rc rc = OK;

	for (size_t i = 0; !rc && i < after->n_offers; i++)
		rc = list_offer(t, before, after, &after->offers[i], e);
	if (rc)
		return rc;
	b = txn_scratch(t);
	encode_order(b, after);
	return txn_put_buf(t, T_ORDERS,
			   order_key(&k, after->instance, after->number), b, e);
}

static enum table table_of(enum part which)
{
	return which == PART_DETAILS ? T_DETAILS : T_ADDRESSES;
}

static enum rc lmdb_json(struct rows *r, const char *instance, int64_t number,
			 enum part which, const char **ret, size_t *ret_len,
			 struct err *e)
{
	struct key k;
	MDB_val v;
	enum rc rc = txn_get(txn_of(r), table_of(which),
			     order_key(&k, instance, number), &v, e);

	if (!rc) {
		*ret = v.mv_data;
		*ret_len = v.mv_size;
	}
	return rc;
}

static enum rc lmdb_put_json(struct rows *r, const char *instance,
			     int64_t number, enum part which, const char *text,
			     struct err *e)
{
	struct key k;

	order_key(&k, instance, number);
	return text ? txn_put(txn_of(r), table_of(which), &k, text,
			      strlen(text), e)
		    : fine_if_none(
			      txn_del(txn_of(r), table_of(which), &k, e));
}

/* An entry joins the row before it, if that is of the same order and stays this
 * small: a row beyond half a page would get pages of its own. */
#define JOURNAL_ROW_MOST 1500 /* bytes */

/* True if the row that is held back is one of the order's journal and an entry
 * of at most `bytes` bytes may join it.  The row then has all numbers from that
 * of its key on. */
static bool joins(const struct txn *t, const struct key *order, size_t bytes)
{
	const struct txn_held *h = &t->held;

	return h->is && h->table == T_JOURNAL && h->key.n == order->n + 8 &&
	       !memcmp(h->key.b, order->b, order->n) &&
	       h->value.len + bytes <= JOURNAL_ROW_MOST;
}

static enum rc journal_add(struct txn *t, const char *instance, int64_t number,
			   const struct entry *n, struct err *e)
{
	struct buf *b = txn_scratch(t), *held = &t->held.value;
	uint64_t seq;
	struct key k;
	enum rc rc = txn_next(t, "journal", &seq, e);

	if (rc)
		return rc;
	order_key(&k, instance, number);
	encode_entry(b, n);
	if (joins(t, &k, b->len)) {
		encode_joined(held, b);
		return txn_held_grew(t, b->len, e);
	}
	rc = txn_hold(t, T_JOURNAL, key_u64(&k, seq), e);
	if (rc)
		return rc;
	(void)!buf_add(held, b->data, b->len);
	held->full |= buf_full(b);
	return txn_held_grew(t, k.n + held->len, e);
}

static enum rc lmdb_put_entry(struct rows *r, const char *instance,
			     int64_t number, const struct entry *n,
			     struct err *e)
{
	return journal_add(txn_of(r), instance, number, n, e);
}

/* ---- changes ---- */

/* Rows are dropped only once a LATE_DROPSth of the number that is kept are too old,
 * so that most commits drop none and do not touch the old end of the table. */
#define LATE_DROPS 1024

static enum rc drop_old(struct walk *w, uint64_t until, uint64_t n,
			struct err *e)
{
	struct key_reader kr;
	enum rc rc = OK;

	while (!rc && n--) {
		rc = txn_rc(w->t, mdb_cursor_del(w->mc, 0), e, "deleting");
		w->t->puts++;
		if (!rc)
			rc = walk_next(w, e);
		kr = key_read(w->k.mv_data, w->k.mv_size);
		if (!rc && key_get_u64(&kr) > until)
			return OK;
	}
	return rc;
}

enum rc drop_old_changes(struct txn *t, struct err *e)
{
	uint64_t kept = t->store->changes_kept, late = kept / LATE_DROPS;
	struct key_reader kr;
	struct walk w = {0};
	enum rc rc;

	if (!t->changes || t->newest <= kept + late)
		return OK;
	rc = walk_open(&w, t, T_CHANGES, NULL, 0, e);
	if (!rc)
		rc = walk_next(&w, e);
	if (!rc) {
		kr = key_read(w.k.mv_data, w.k.mv_size);
		if (key_get_u64(&kr) <= t->newest - kept - late)
			rc = drop_old(&w, t->newest - kept,
				      2 * (t->changes + late), e);
	}
	walk_close(&w);
	return fine_if_none(rc);
}

static enum rc lmdb_put_change(struct rows *r, const struct order *o,
			       struct err *e)
{
	struct txn *t = txn_of(r);
	struct key k, what;
	uint64_t seq;
	enum rc rc;

	rc = txn_next(t, "changes", &seq, e);
	if (rc)
		return rc;
	key_i64(order_key(&what, o->instance, o->number), o->updated);
	rc = txn_append(t, T_CHANGES, key_u64(key_start(&k), seq), what.b,
			what.n, e);
	if (rc)
		return rc;
	t->touched = true;
	t->newest = seq;
	t->changes++;
	return OK;
}

/* ---- removing what is old ---- */

static enum rc lmdb_del_order(struct rows *r, const struct order *o,
			      struct err *e)
{
	static const enum table texts[] = {T_DETAILS, T_ADDRESSES, T_ORDERS};
	struct txn *t = txn_of(r);
	struct key k;
	enum rc rc = OK;

	for (size_t i = 0; !rc && i < o->n_offers; i++)
		rc = unlist_offer(t, o, &o->offers[i], e);
	order_key(&k, o->instance, o->number);
	for (size_t i = 0; !rc && i < sizeof(texts) / sizeof(*texts); i++)
		rc = fine_if_none(txn_del(t, texts[i], &k, e));
	return rc;
}

/* Returns the number of the last entry in a row of the journal; UINT64_MAX: the
 * row cannot be read. */
static uint64_t last_entry(uint64_t seq, const MDB_val *v)
{
	struct entries in;
	struct entry entry;
	enum rc rc;

	entries_init(&in, seq, v->mv_data, v->mv_size);
	while (!(rc = get_entry(&entry, &in, NULL))) {
		seq = entry.seq;
		entry_release(&entry);
	}
	return rc == RC_NOTFOUND ? seq : UINT64_MAX;
}

static uint64_t the_change(uint64_t seq, const MDB_val *v)
{
	(void)v;
	return seq;
}

/* Deletes rows of a table whose keys are `prefix` and a number, in the order of
 * the numbers, and stops at the first row whose last number is beyond `until`.
 * `last` returns the last number of a row. */
static enum rc del_until(struct txn *t, enum table table,
			 const struct key *prefix,
			 uint64_t (*last)(uint64_t seq, const MDB_val *v),
			 uint64_t until, struct err *e)
{
	struct walk w = {0};
	struct key_reader kr;
	struct key k;
	uint64_t seq;
	enum rc rc = walk_open(&w, t, table, prefix, prefix->n, e);

	while (!rc) {
		rc = walk_next(&w, e);
		if (rc)
			break;
		kr = key_read((const char *)w.k.mv_data + prefix->n,
			      w.k.mv_size - prefix->n);
		seq = key_get_u64(&kr);
		if (kr.bad)
			continue;
		if (last(seq, &w.v) > until)
			break;
		k = *prefix;
		rc = txn_del(t, table, key_u64(&k, seq), e);
		walk_from(&w, &k, prefix->n); /* go on behind the deleted row */
	}
	walk_close(&w);
	return fine_if_none(rc);
}

static enum rc lmdb_del_entries(struct rows *r, const char *instance,
				int64_t number, uint64_t until, struct err *e)
{
	struct key k;

	return del_until(txn_of(r), T_JOURNAL, order_key(&k, instance, number),
			 last_entry, until, e);
}

static enum rc lmdb_del_changes(struct rows *r, uint64_t until, struct err *e)
{
	struct key none;

	return del_until(txn_of(r), T_CHANGES, key_start(&none), the_change,
			 until, e);
}

/* ---- idempotency keys ---- */

static struct key *once_key(struct key *k, const struct once *o)
{
	return key_bytes(key_u64(key_start(k), o->device), o->key, ONCE_HASH);
}

static struct key *age_key(struct key *k, const struct once *o)
{
	key_u64(key_i64(key_start(k), o->at), o->device);
	return key_bytes(k, o->key, ONCE_HASH);
}

static enum rc lmdb_once(struct rows *r, struct once *io, struct err *e)
{
	struct reader in;
	struct key k;
	MDB_val v;
	enum rc rc = txn_get(txn_of(r), T_ONCE, once_key(&k, io), &v, e);

	if (rc)
		return rc;
	reader_init(&in, v.mv_data, v.mv_size);
	in.bad = get_u8(&in) != DRAWING;
	get_bytes(&in, io->request, sizeof(io->request));
	io->at = get_i64(&in);
	io->rc = (enum rc)get_below(&in, RC_IO + 1);
	get_word(&in, io->code, sizeof(io->code));
	return in.bad ? fail(e, RC_INVALID, "a stored key cannot be read") : OK;
}

/* Removes the age row of a key's earlier use, when the key is used again after
 * its time.  Otherwise the new use would be dropped when the old row's turn
 * comes. */
static enum rc drop_earlier(struct txn *t, const struct once *o, struct err *e)
{
	struct once earlier = *o;
	struct reader in;
	struct key k;
	MDB_val v;
	enum rc rc;

	rc = txn_get(t, T_ONCE, once_key(&k, o), &v, e);
	if (rc)
		return fine_if_none(rc);
	reader_init(&in, v.mv_data, v.mv_size);
	(void)get_u8(&in);
	get_bytes(&in, earlier.request, ONCE_HASH);
	earlier.at = get_i64(&in);
	return fine_if_none(txn_del(t, T_ONCE_AGE, age_key(&k, &earlier), e));
}

static enum rc lmdb_put_once(struct rows *r, const struct once *o,
			     struct err *e)
{
	struct txn *t = txn_of(r);
	struct key k;
	struct buf b;
	enum rc rc = drop_earlier(t, o, e);

	if (rc)
		return rc;
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

/* Drops the oldest key if it was used at `at` or before.  RC_NOTFOUND: it was
 * not.  A row of T_ONCE_AGE that cannot be read is dropped alone: it leads to
 * no key, and would hide all rows behind it. */
static enum rc drop_oldest_once(struct txn *t, int64_t at, struct err *e)
{
	struct once old = {0};
	struct walk w = {0};
	struct key_reader kr;
	struct key age, k;
	bool readable = false;
	enum rc rc;

	rc = walk_open(&w, t, T_ONCE_AGE, NULL, 0, e);
	if (!rc)
		rc = walk_next(&w, e);
	if (!rc && w.k.mv_size > KEY_MAX)
		rc = RC_NOTFOUND;
	if (!rc) {
		key_bytes(key_start(&age), w.k.mv_data, w.k.mv_size);
		kr = key_read(w.k.mv_data, w.k.mv_size);
		old.at = key_get_i64(&kr);
		old.device = key_get_u64(&kr);
		readable = kr.left == ONCE_HASH;
		if (readable && old.at > at)
			rc = RC_NOTFOUND;
		else if (readable)
			memcpy(old.key, kr.p, ONCE_HASH);
	}
	walk_close(&w);
	if (!rc && readable)
		rc = fine_if_none(txn_del(t, T_ONCE, once_key(&k, &old), e));
	return rc ? rc : txn_del(t, T_ONCE_AGE, &age, e);
}

static enum rc lmdb_del_once_until(struct rows *r, int64_t at, unsigned n,
				   struct err *e)
{
	enum rc rc = OK;

	while (!rc && n--)
		rc = drop_oldest_once(txn_of(r), at, e);
	return fine_if_none(rc);
}

/* ---- secrets of webhooks ---- */

static struct key *secret_key(struct key *k, const char *instance)
{
	key_bytes(key_start(k), "secret:", 7);
	return key_str(k, instance);
}

static enum rc lmdb_secret_use(struct rows *r, const char *instance,
			       struct secret_use *ret, struct err *e)
{
	struct reader in;
	struct key k;
	MDB_val v;
	enum rc rc = txn_get(txn_of(r), T_META, secret_key(&k, instance), &v,
			     e);

	*ret = (struct secret_use){0};
	if (rc)
		return fine_if_none(rc);
	reader_init(&in, v.mv_data, v.mv_size);
	in.bad = get_u8(&in) != DRAWING;
	get_bytes(&in, ret->current, SECRET_PRINT);
	get_bytes(&in, ret->previous, SECRET_PRINT);
	ret->current_first = get_i64(&in);
	ret->previous_last = get_i64(&in);
	return in.bad ? fail(e, RC_INVALID,
			     "the use of a secret cannot be read")
		      : OK;
}

static enum rc lmdb_put_secret_use(struct rows *r, const char *instance,
				   const struct secret_use *u, struct err *e)
{
	struct key k;
	struct buf b;
	enum rc rc;

	buf_init(&b, VALUE_MAX);
	put_u8(&b, DRAWING);
	put_bytes(&b, u->current, SECRET_PRINT);
	put_bytes(&b, u->previous, SECRET_PRINT);
	put_i64(&b, u->current_first);
	put_i64(&b, u->previous_last);
	rc = txn_put_buf(txn_of(r), T_META, secret_key(&k, instance), &b, e);
	buf_release(&b);
	return rc;
}

/* ---- counts ---- */

static enum rc lmdb_count(struct rows *r, const char *name, uint64_t *ret,
			  struct err *e)
{
	return txn_last(txn_of(r), name, ret, e);
}

static enum rc lmdb_add_count(struct rows *r, const char *name, int64_t n,
			      struct err *e)
{
	uint64_t is = 0;
	enum rc rc = txn_last(txn_of(r), name, &is, e);

	if (rc)
		return rc;
	if (n < 0 && is < (uint64_t)-n)
		is = 0;
	else
		is += (uint64_t)n;
	return txn_set_last(txn_of(r), name, is, e);
}

/* ---- personal data ---- */

struct addresses {
	const struct key *after;
	struct order_id *ret;
	size_t n, max;
};

static enum rc take_address(void *arg, const struct walk *w, bool *more,
			    struct err *e)
{
	const size_t removed = strlen(ADDRESS_REMOVED);
	struct addresses *a = arg;
	struct order_id *id = &a->ret[a->n];
	struct key_reader kr = key_read(w->k.mv_data, w->k.mv_size);

	(void)e;
	if (w->v.mv_size == removed &&
	    !memcmp(w->v.mv_data, ADDRESS_REMOVED, removed))
		return OK;
	if (w->k.mv_size == a->after->n &&
	    !memcmp(w->k.mv_data, a->after->b, a->after->n))
		return OK;
	key_get_str(&kr, id->instance, sizeof(id->instance));
	id->number = key_get_i64(&kr);
	*more = ++a->n < a->max;
	return OK;
}

static enum rc lmdb_addresses(struct rows *r, const struct order_id *after,
			      struct order_id *ret, size_t max, size_t *ret_n,
			      struct err *e)
{
	struct key from;
	struct addresses a = {.after = &from, .ret = ret, .max = max};
	enum rc rc;

	key_start(&from);
	if (*after->instance)
		order_key(&from, after->instance, after->number);
	rc = each(txn_of(r), T_ADDRESSES, &from, 0, take_address, &a, e);
	*ret_n = a.n;
	return rc;
}

/* ---- the table ---- */

const struct rows_engine lmdb_rows = {
	.order = lmdb_order,
	.json = lmdb_json,
	.task = lmdb_task,
	.task_named = lmdb_task_named,
	.task_name = lmdb_task_name,
	.task_exists = lmdb_task_exists,
	.event = lmdb_event,
	.event_new = lmdb_event_new,
	.has_task = lmdb_has_task,
	.task_of_kind = lmdb_task_of_kind,
	.room = lmdb_room,
	.once = lmdb_once,
	.device = lmdb_device,
	.new_device = lmdb_new_device,
	.credential = lmdb_credential,
	.quarantined = lmdb_quarantined,
	.quarantined_like = lmdb_quarantined_like,
	.doc = lmdb_doc,
	.secret_use = lmdb_secret_use,
	.count = lmdb_count,
	.devices = lmdb_devices,
	.odd_sessions = lmdb_odd_sessions,
	.addresses = lmdb_addresses,
	.newest_event = lmdb_newest_event,
	.newest_tasks = lmdb_newest_tasks,
	.waiting = lmdb_waiting,
	.walk = lmdb_walk,
	.queue_open = lmdb_queue_open,
	.queue_close = lmdb_queue_close,
	.queue_bucket = lmdb_queue_bucket,
	.queue_from = lmdb_queue_from,
	.queue_next = lmdb_queue_next,
	.queue_of_order = lmdb_queue_of_order,
	.queue_task = lmdb_queue_task,
	.put_event = lmdb_put_event,
	.put_order = lmdb_put_order,
	.put_json = lmdb_put_json,
	.put_entry = lmdb_put_entry,
	.put_change = lmdb_put_change,
	.new_task = lmdb_new_task,
	.put_task = lmdb_put_task,
	.del_task = lmdb_del_task,
	.del_unread_task = lmdb_del_unread_task,
	.del_due = lmdb_del_due,
	.put_once = lmdb_put_once,
	.del_once_until = lmdb_del_once_until,
	.put_device = lmdb_put_device,
	.skip_devices = lmdb_skip_devices,
	.put_credential = lmdb_put_credential,
	.del_credential = lmdb_del_credential,
	.del_credentials_of = lmdb_del_credentials_of,
	.del_credentials_before = lmdb_del_credentials_before,
	.put_quarantined = lmdb_put_quarantined,
	.del_quarantined = lmdb_del_quarantined,
	.trim_quarantine = lmdb_trim_quarantine,
	.put_doc = lmdb_put_doc,
	.del_doc = lmdb_del_doc,
	.put_secret_use = lmdb_put_secret_use,
	.add_count = lmdb_add_count,
	.del_event = lmdb_del_event,
	.del_order = lmdb_del_order,
	.del_entries = lmdb_del_entries,
	.del_changes = lmdb_del_changes,
};
