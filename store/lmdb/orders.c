/* SPDX-License-Identifier: MIT
 *
 * orders.c - orders as they are kept: facts, and what follows from them.
 *
 * Everything that changes an order goes through order_change(), so that what
 * is derived from its facts can never fall behind them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/lmdb/codec.h"
#include "store/lmdb/record.h"
#include "store/lmdb/store_private.h"

struct key *order_key(struct key *k, const char *instance, int64_t number)
{
	return key_i64(key_str(key_start(k), instance), number);
}

/* ---- one order ---- */

enum rc order_load(struct txn *t, const char *instance, int64_t number,
		   struct order *ret, struct err *e)
{
	struct key k;
	MDB_val v;
	enum rc rc;

	rc = txn_get(t, T_ORDERS, order_key(&k, instance, number), &v, e);
	if (!rc)
		return get_order(ret, instance, number, v.mv_data, v.mv_size,
				 e);
	if (rc != RC_NOTFOUND)
		return rc;
	order_init(ret, instance, number);
	return OK;
}

static enum rc save(struct txn *t, const struct order *o, struct err *e)
{
	struct key k;
	struct buf b;
	enum rc rc;

	buf_init(&b, VALUE_MAX);
	put_order(&b, o);
	rc = txn_put_buf(t, T_ORDERS, order_key(&k, o->instance, o->number), &b,
			 e);
	buf_release(&b);
	return rc;
}

/* How two forms of one order differ. */
enum difference {
	SAME,
	FETCHED_AGAIN, /* a fetch brought nothing new: nobody need be told */
	DIFFERENT,
};

static bool same_bytes(const struct order *a, const struct order *b)
{
	struct buf x, y;
	bool same;

	buf_init(&x, VALUE_MAX);
	buf_init(&y, VALUE_MAX);
	put_order(&x, a);
	put_order(&y, b);
	same = x.len == y.len && !memcmp(x.data, y.data, x.len);
	buf_release(&x);
	buf_release(&y);
	return same;
}

static enum difference differs(const struct order *before,
			       const struct order *after)
{
	struct order then = *before; /* borrows */

	then.fetched_at = after->fetched_at;
	if (!same_bytes(&then, after))
		return DIFFERENT;
	return before->fetched_at == after->fetched_at ? SAME : FETCHED_AGAIN;
}

/* ---- what follows from a change ---- */

static enum rc note_state(struct txn *t, const struct order *o,
			  const struct offer *was, const struct offer *is,
			  int64_t now, struct err *e)
{
	struct note n = {
		.at = now,
		.warehouse = is->warehouse,
		.what = "state",
	};
	char text[64];

	if (was && was->state == is->state)
		return OK;
	snprintf(text, sizeof(text), "%s%s%s",
		 was ? offer_state_name(was->state) : "", was ? " -> " : "",
		 offer_state_name(is->state));
	n.text = text;
	return journal_add(t, o->instance, o->number, &n, e);
}

/* Offers are never forgotten: each of `before` is in `after`. */
static enum rc follow_offers(struct txn *t, const struct order *before,
			     const struct order *after, int64_t now,
			     struct err *e)
{
	const struct offer *was, *is;
	enum rc rc = OK;

	for (size_t i = 0; !rc && i < after->n_offers; i++) {
		is = &after->offers[i];
		was = order_offer(before, is->warehouse);
		rc = list_move(t, after, was, is, e);
		if (!rc)
			rc = done_move(t, before, after, is->warehouse, e);
		if (!rc)
			rc = note_state(t, after, was, is, now, e);
	}
	return rc;
}

/* A fetch that is due has a task.  Something new that was said makes one that
 * waits run at once and one that died live again; the fetch's own failures do
 * not, for they have to wait longer and longer. */
static enum rc ensure_fetch(struct txn *t, const struct order *o,
			    enum difference d, const struct task *own,
			    int64_t now, struct err *e)
{
	struct task fetch = {
		.number = o->number,
		.created = now,
		.due = now,
		.again = TIME_NONE,
	};
	bool exists = false;
	enum rc rc = OK;

	if (!o->fetch_due || !*t->store->base.fetch_kind)
		return OK;
	memcpy(fetch.kind, t->store->base.fetch_kind, sizeof(fetch.kind));
	memcpy(fetch.instance, o->instance, sizeof(fetch.instance));
	if (own && task_same_name(own, &fetch))
		return OK;
	if (d != DIFFERENT)
		rc = task_exists(t, &fetch, &exists, e);
	if (rc || exists)
		return rc;
	return task_add(t, &fetch, e);
}

/* ---- filing what is no fact ---- */

/* What a run of order_change() knows. */
struct filing {
	struct txn *t;
	struct order *order; /* as it is becoming */
	const struct task *own;
	int64_t now;
	int64_t again;  /* when `own` asks for itself */
	bool told;      /* a screen would show the difference */
};

static enum rc file_json(struct filing *f, enum table table, bool *ret_has,
			 const char *text, struct err *e)
{
	struct note n = {
		.at = f->now,
		.what = "store",
		.text = "Centra's data is too large to keep",
	};
	size_t len = text ? strlen(text) : 0;
	struct order *o = f->order;
	MDB_val v = {0};
	struct key k;
	enum rc rc;

	if (len > ORDER_JSON_MAX)
		return journal_add(f->t, o->instance, o->number, &n, e);
	order_key(&k, o->instance, o->number);
	rc = txn_get(f->t, table, &k, &v, e);
	if (rc && rc != RC_NOTFOUND)
		return rc;
	*ret_has = text;
	if (rc ? !text
	       : text && v.mv_size == len && !memcmp(v.mv_data, text, len))
		return OK;
	f->told = true;
	return text ? txn_put(f->t, table, &k, text, len, e)
		    : txn_del(f->t, table, &k, e);
}

static enum rc file_note(struct filing *f, const struct change *c,
			 struct err *e)
{
	struct note n = {
		.at = c->note.at ? c->note.at : f->now,
		.warehouse = c->warehouse,
		.device = c->note.device,
		.what = c->note.what,
		.text = c->note.text,
	};

	return journal_add(f->t, f->order->instance, f->order->number, &n, e);
}

static enum rc file_task(struct filing *f, const struct change *c,
			 struct err *e)
{
	struct task task = {
		.number = f->order->number,
		.sub = c->task.sub,
		.created = f->now,
		.due = c->task.due,
		.again = TIME_NONE,
	};

	memcpy(task.instance, f->order->instance, sizeof(task.instance));
	if (!c->task.kind || !*c->task.kind ||
	    !copy_text(task.kind, sizeof(task.kind), c->task.kind))
		return fail(e, RC_INVALID, "no task can be named '%s'",
			    c->task.kind ? c->task.kind : "");
	if (!f->own || !task_same_name(f->own, &task))
		return task_add(f->t, &task, e);
	if (f->again == TIME_NONE || c->task.due < f->again)
		f->again = c->task.due;
	return OK;
}

static enum rc file_change(struct filing *f, const struct change *c,
			   struct err *e)
{
	switch (c->kind) {
	case CHANGE_DETAILS:
		return file_json(f, T_DETAILS, &f->order->has_details, c->details,
				 e);
	case CHANGE_ADDRESS:
		return file_json(f, T_ADDRESSES, &f->order->has_address,
				 c->address, e);
	case CHANGE_NOTE:
		return file_note(f, c, e);
	case CHANGE_TASK:
		return file_task(f, c, e);
	default:
		order_apply(f->order, c);
		return OK;
	}
}

enum rc order_change(struct txn *t, const struct order *before,
		     const struct changes *changes, const struct task *own,
		     int64_t now, struct order *ret, int64_t *ret_again,
		     struct err *e)
{
	struct filing f = {
		.t = t,
		.order = ret,
		.own = own,
		.now = now,
		.again = TIME_NONE,
	};
	struct store_base *s = &t->store->base;
	enum difference d;
	enum rc rc = OK;

	order_copy(ret, before);
	for (size_t i = 0; !rc && i < changes->n; i++)
		rc = file_change(&f, &changes->list[i], e);
	if (rc)
		goto out;
	if (s->derive)
		s->derive(s->derive_arg, ret);
	order_remember(ret);
	t->cost += 1 + ret->n_offers;
	d = f.told ? DIFFERENT : differs(before, ret);
	if (d != SAME && !ret->first_seen)
		ret->first_seen = now ? now : 1;
	if (d == DIFFERENT) {
		/* Later than before, whatever the clock does: screens keep
		 * what is newest. */
		ret->updated = now > before->updated ? now
						     : before->updated + 1;
		rc = follow_offers(t, before, ret, now, e);
		if (!rc)
			rc = change_tell(t, ret, e);
	}
	if (!rc && d != SAME)
		rc = save(t, ret, e);
	if (!rc)
		rc = missed_count(t, before, ret, e);
	if (!rc)
		rc = doubt_count(t, before, ret, e);
	if (!rc)
		rc = ensure_fetch(t, ret, d, own, now, e);
	if (ret_again)
		*ret_again = f.again;
out:
	if (rc)
		order_release(ret);
	return rc;
}

/* ---- the texts kept beside it ---- */

static enum rc load_json(struct txn *t, enum table table, const struct key *k,
			 char **ret, struct err *e)
{
	MDB_val v;
	enum rc rc;

	*ret = NULL;
	rc = txn_get(t, table, k, &v, e);
	if (!rc)
		*ret = xmemdup(v.mv_data, v.mv_size);
	return rc == RC_NOTFOUND ? OK : rc;
}

void order_texts_release(struct order_texts *t)
{
	free(t->details);
	free(t->address);
	*t = (struct order_texts){0};
}

static enum rc texts_load(struct txn *t, const char *instance, int64_t number,
			  struct order_texts *ret, struct err *e)
{
	struct key k;
	enum rc rc;

	order_texts_release(ret);
	order_key(&k, instance, number);
	rc = load_json(t, T_DETAILS, &k, &ret->details, e);
	if (!rc)
		rc = load_json(t, T_ADDRESSES, &k, &ret->address, e);
	if (rc)
		order_texts_release(ret);
	return rc;
}

/* ---- changing one ---- */

struct update_op {
	struct op op;
	const char *instance;
	int64_t number;
	store_update_fn *fn;
	void *arg;
	int64_t now;
	struct order *ret; /* or NULL */
	bool given;        /* *ret holds an earlier run's order */
	struct once *once; /* or NULL */
	struct order_texts *texts; /* or NULL */
};

/* Hands the order to who asked for it, instead of an earlier run's. */
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

static enum rc update(struct txn *t, struct op *op, struct err *e)
{
	struct update_op *u = (struct update_op *)op;
	struct changes changes = {0};
	struct order before, after;
	enum rc rc, said;

	if (u->once) {
		rc = once_find(t, u->once, e);
		if (rc || u->once->seen != ONCE_NEW)
			return rc;
	}
	if (u->texts) {
		rc = texts_load(t, u->instance, u->number, u->texts, e);
		if (rc)
			return rc;
	}
	rc = order_load(t, u->instance, u->number, &before, e);
	if (rc)
		return rc;
	said = rc = u->fn(u->arg, &before, &changes, e);
	if (!rc)
		rc = order_change(t, &before, &changes, NULL, u->now, &after,
				  NULL, e);
	if (!rc)
		give(u, &after);
	if (u->once && rc == said)
		rc = once_keep(t, u->once, said, e);
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
		.op.run = update,
		.instance = instance,
		.number = number,
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
	if (ret)
		order_init(ret, instance, number);
	rc = writer_do(s, &u.op, sizeof(u), done, e);
	if (rc && ret && !done)
		order_release(ret); /* of a run that was undone */
	return rc;
}

/* ---- reading ---- */

enum rc store_order(struct store *s, const char *instance, int64_t number,
		    struct order *ret, struct err *e)
{
	struct txn t;
	enum rc rc;

	rc = check_instance(instance, e);
	if (!rc)
		rc = txn_read(&t, s, e);
	if (rc)
		return rc;
	rc = order_load(&t, instance, number, ret, e);
	txn_abort(&t);
	if (!rc && !ret->first_seen)
		return fail(e, RC_NOTFOUND, "order %lld was never heard of",
			    (long long)number);
	return rc;
}

enum rc store_details(struct store *s, const char *instance, int64_t number,
		      char **ret_details, char **ret_address, struct err *e)
{
	struct order_texts texts = {0};
	struct txn t;
	enum rc rc;

	*ret_details = *ret_address = NULL;
	rc = check_instance(instance, e);
	if (!rc)
		rc = txn_read(&t, s, e);
	if (rc)
		return rc;
	rc = texts_load(&t, instance, number, &texts, e);
	*ret_details = texts.details;
	*ret_address = texts.address;
	txn_abort(&t);
	return rc;
}

/* Where a walk over orders begins, and what their keys have in common. */
static size_t orders_from(struct key *k, const char *instance, int64_t from)
{
	size_t prefix;

	key_start(k);
	if (!instance)
		return 0;
	prefix = key_str(k, instance)->n;
	key_i64(k, from);
	return prefix;
}

enum rc store_orders(struct store *s, const char *instance, int64_t from,
		     bool (*fn)(void *arg, const struct order *o), void *arg,
		     struct err *e)
{
	char name[INSTANCE_SIZE];
	struct walk w = {0};
	struct key_reader kr;
	struct order o;
	struct key k;
	struct txn t;
	int64_t number;
	bool more = true;
	enum rc rc;

	rc = instance ? check_instance(instance, e) : OK;
	if (!rc)
		rc = txn_read(&t, s, e);
	if (rc)
		return rc;
	rc = walk_open(&w, &t, T_ORDERS, &k, orders_from(&k, instance, from),
		       e);
	while (!rc && more) {
		rc = walk_next(&w, e);
		if (rc)
			break;
		kr = key_read(w.k.mv_data, w.k.mv_size);
		key_get_str(&kr, name, sizeof(name));
		number = key_get_i64(&kr);
		if (number < from)
			continue;
		rc = get_order(&o, name, number, w.v.mv_data, w.v.mv_size, e);
		if (rc)
			break;
		more = fn(arg, &o);
		order_release(&o);
	}
	walk_close(&w);
	txn_abort(&t);
	return rc == RC_NOTFOUND ? OK : rc;
}
