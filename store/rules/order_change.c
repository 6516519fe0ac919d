/* SPDX-License-Identifier: MIT
 *
 * order_change.c - changes a stored order: its facts, and what follows from
 * them.
 *
 * Everything that changes an order goes through order_change(), so that what is
 * derived from the facts always matches them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/model/record.h"
#include "store/rules/engine.h"
#include "store/rules/rules.h"

void order_change_want(struct rows *r, const char *instance, int64_t number)
{
	want_order(r, instance, number,
		   WANT_DETAILS | WANT_ADDRESS | WANT_TASKS);
}

/* How an order differs from what it was before. */
enum difference {
	SAME,
	FETCHED_AGAIN, /* only fetched_at differs: nobody need be notified */
	DIFFERENT,
};

static enum difference differs(const struct order *before,
			       const struct order *after)
{
	struct order then = *before; /* borrows */

	/* Events and tries change the version.  If it is the same, the encoded
	 * orders are compared. */
	if (before->version != after->version)
		return DIFFERENT;
	then.fetched_at = after->fetched_at;
	if (!order_same(&then, after))
		return DIFFERENT;
	return before->fetched_at == after->fetched_at ? SAME : FETCHED_AGAIN;
}

/* ---- what follows from a change ---- */

static void journal_state(struct rows *r, const struct order *o,
			  const struct offer *was, const struct offer *is,
			  int64_t now)
{
	const struct entry n = {
		.at = now,
		.warehouse = is->warehouse,
		.fact = FACT_STATE,
		.from = was ? offer_state_name(was->state) : NULL,
		.to = offer_state_name(is->state),
	};

	if (was && was->state == is->state)
		return;
	put_entry(r, o->instance, o->number, &n);
}

/* Notes the offers whose state changed in the journal.  Offers are never
 * removed, so each offer of `before` is in `after`. */
static void journal_states(struct rows *r, const struct order *before,
			   const struct order *after, int64_t now)
{
	for (size_t i = 0; i < after->n_offers; i++)
		journal_state(r, after,
			      order_offer(before, after->offers[i].warehouse),
			      &after->offers[i], now);
}

/* Sees to it that a fetch that is due has a task.  If something new was said, a
 * waiting task is made due and a dead one lives again; but not for the fetch's
 * own failures, after which it has to wait longer and longer. */
static enum rc ensure_fetch(struct rows *r, const struct order *o,
			    enum difference d, const struct task *own,
			    int64_t now, struct err *e)
{
	const struct store_base *s = store_base_of(r->store);
	struct task fetch = {
		.number = o->number,
		.created = now,
		.due = now,
		.again = TIME_NONE,
	};
	bool exists = false;
	enum rc rc = OK;

	if (!o->fetch_due || !*s->fetch_kind)
		return OK;
	memcpy(fetch.kind, s->fetch_kind, sizeof(fetch.kind));
	memcpy(fetch.instance, o->instance, sizeof(fetch.instance));
	if (own && task_same_name(own, &fetch))
		return OK;
	if (d != DIFFERENT)
		rc = row_task_exists(r, &fetch, &exists, e);
	if (rc || exists)
		return rc;
	if (s->place)
		s->place(&fetch, o);
	return task_add(r, &fetch, e);
}

/* Moves the order's fetch, if one waits, into the lane in which it belongs now.
 * The fetch whose run made the change, `own`, is placed when its run ends. */
static enum rc move_fetch(struct rows *r, const struct order *before,
			  const struct order *after, const struct task *own,
			  struct err *e)
{
	const struct store_base *s = store_base_of(r->store);
	struct task was = {.number = after->number}, is;

	if (!s->place || !*s->fetch_kind)
		return OK;
	memcpy(was.kind, s->fetch_kind, sizeof(was.kind));
	memcpy(was.instance, after->instance, sizeof(was.instance));
	is = was;
	s->place(&was, before);
	s->place(&is, after);
	return was.lane == is.lane || (own && task_same_name(own, &is))
		       ? OK
		       : task_move(r, &is, e);
}

/* ---- filing what is no fact ---- */

/* The state of one call of order_change(). */
struct filing {
	struct rows *rows;
	const struct order *before;
	struct order *order; /* as it is becoming */
	const struct task *own;
	int64_t now;
	int64_t again;  /* when `own` is to run again, by its own changes */
	bool told;      /* the details or the address changed, which screens
			 * show */
};

static enum rc file_json(struct filing *f, enum part which, bool *ret_has,
			 const char *text, struct err *e)
{
	const struct entry n = {.at = f->now, .fact = FACT_TOO_LARGE};
	size_t len = text ? strlen(text) : 0, had_len;
	const struct order *o = f->order;
	const char *had;
	enum rc rc;

	if (len > ORDER_JSON_MAX) {
		put_entry(f->rows, o->instance, o->number, &n);
		return OK;
	}
	rc = row_json(f->rows, o->instance, o->number, which, &had, &had_len,
		      e);
	if (rc && rc != RC_NOTFOUND)
		return rc;
	*ret_has = text;
	if (rc ? !text : text && had_len == len && !memcmp(had, text, len))
		return OK;
	f->told = true;
	put_json(f->rows, o->instance, o->number, which, text);
	return OK;
}

static void file_entry(struct filing *f, const struct change *c)
{
	struct entry n = c->entry; /* borrows */

	n.at = n.at ? n.at : f->now;
	n.warehouse = c->warehouse;
	if (f->order->number > 0)
		put_entry(f->rows, f->order->instance, f->order->number, &n);
}

static enum rc file_task(struct filing *f, const struct change *c,
			 struct err *e)
{
	const struct store_base *s = store_base_of(f->rows->store);
	struct task task = {
		.number = f->order->number,
		.sub = c->task.sub,
		.created = f->now,
		.due = c->task.due,
		.again = TIME_NONE,
	};

	if (c->task.elsewhere)
		task.number = c->task.number;
	memcpy(task.instance, f->order->instance, sizeof(task.instance));
	if (!c->task.kind || !*c->task.kind ||
	    !copy_text(task.kind, sizeof(task.kind), c->task.kind))
		return fail(e, RC_INVALID, "no task can be named '%s'",
			    c->task.kind ? c->task.kind : "");
	if (!f->own || !task_same_name(f->own, &task)) {
		if (s->place && task.number == f->order->number)
			s->place(&task, f->before);
		return task_add(f->rows, &task, e);
	} else if (f->again == TIME_NONE || c->task.due < f->again) {
		f->again = c->task.due;
	}
	return OK;
}

/* Runs the run's own task again at once: what it was to write was left out. */
static void run_again(struct filing *f)
{
	if (f->again == TIME_NONE || f->now < f->again)
		f->again = f->now;
}

static enum rc file_doc(struct filing *f, const struct doc_write *w,
			struct err *e)
{
	bool may = true;
	enum rc rc = OK;

	if (w->only_if)
		rc = doc_may_write(f->rows, w, &may, e);
	if (rc)
		return rc;
	if (may)
		return doc_write(f->rows, w, f->now, e);
	if (!f->own)
		return fail(e, RC_AGAIN, "document '%s/%s' has changed "
					 "meanwhile",
			    w->doc.kind, w->doc.key);
	run_again(f);
	return OK;
}

/* Fetches what changes beside the order depend on: documents that may have
 * changed, and tasks of others. */
static enum rc fetch_beside(struct rows *r, const struct order *o,
			    const struct changes *changes, struct err *e)
{
	bool any = false;

	for (size_t i = 0; i < changes->n; i++) {
		const struct change *c = &changes->list[i];
		const struct doc *d = &c->doc.doc;

		if (c->kind == CHANGE_DOC && c->doc.only_if)
			want_doc(r, d->kind, d->instance, d->key);
		else if (c->kind == CHANGE_TASK && c->task.elsewhere)
			want_order(r, o->instance, c->task.number, WANT_TASKS);
		else
			continue;
		any = true;
	}
	return any ? rows_fetch(r, e) : OK;
}

static enum rc file_change(struct filing *f, const struct change *c,
			   struct err *e)
{
	switch (c->kind) {
	case CHANGE_DETAILS:
		return file_json(f, PART_DETAILS, &f->order->has_details,
				 c->details, e);
	case CHANGE_ADDRESS:
		return file_json(f, PART_ADDRESS, &f->order->has_address,
				 c->address, e);
	case CHANGE_ENTRY:
		file_entry(f, c);
		return OK;
	case CHANGE_TASK:
		return file_task(f, c, e);
	case CHANGE_DOC:
		return file_doc(f, &c->doc, e);
	default:
		order_apply(f->order, c);
		return OK;
	}
}

/* ---- what a change leads to beside the order ---- */

static bool is_beside(enum change_kind kind)
{
	return kind == CHANGE_TASK || kind == CHANGE_ENTRY ||
	       kind == CHANGE_DOC;
}

static enum rc follow(struct filing *f, struct err *e)
{
	const struct store_base *s = store_base_of(f->rows->store);
	const struct followed followed = {
		.before = f->before,
		.after = f->order,
		.texts = f->told,
		.now = f->now,
	};
	struct changes more = {0};
	enum rc rc = OK;

	if (!s->follow)
		return OK;
	s->follow(s->follow_arg, &followed, &more);
	rc = fetch_beside(f->rows, f->order, &more, e);
	for (size_t i = 0; !rc && i < more.n; i++)
		rc = is_beside(more.list[i].kind)
			     ? file_change(f, &more.list[i], e)
			     : fail(e, RC_INVALID,
				    "a change of an order leads to another");
	changes_release(&more);
	return rc;
}

enum rc order_change(struct rows *r, const struct order *before,
		     const struct changes *changes, const struct task *own,
		     int64_t now, struct order *ret, int64_t *ret_again,
		     struct err *e)
{
	const struct store_base *s = store_base_of(r->store);
	struct filing f = {
		.rows = r,
		.before = before,
		.order = ret,
		.own = own,
		.now = now,
		.again = TIME_NONE,
	};
	enum difference d;
	enum rc rc = fetch_beside(r, before, changes, e);

	order_copy(ret, before);
	for (size_t i = 0; !rc && i < changes->n; i++)
		rc = file_change(&f, &changes->list[i], e);
	if (rc)
		goto out;
	if (s->derive)
		s->derive(s->derive_arg, ret);
	order_remember(ret);
	r->cost += 1 + ret->n_offers;
	d = f.told ? DIFFERENT : differs(before, ret);
	if (d != SAME && !ret->first_seen)
		ret->first_seen = now ? now : 1;
	if (d == DIFFERENT) {
		/* Always later than before, whatever the clock does: screens
		 * keep the newest. */
		ret->updated = now > before->updated ? now
						     : before->updated + 1;
		journal_states(r, before, ret, now);
		put_change(r, ret);
	}
	if (d != SAME)
		put_order(r, before, ret);
	missed_count(r, before, ret);
	rc = d == DIFFERENT ? follow(&f, e) : OK;
	if (!rc)
		rc = move_fetch(r, before, ret, own, e);
	if (!rc)
		rc = ensure_fetch(r, ret, d, own, now, e);
	if (ret_again)
		*ret_again = f.again;
out:
	if (rc)
		order_release(ret);
	return rc;
}
