/* SPDX-License-Identifier: MIT
 *
 * retention.c - removes what has been kept for long enough.
 *
 * Each kind of row has a function that looks at some rows, the oldest first,
 * and deletes those that may go.  It reads all that it needs before it deletes,
 * and it decides about each row inside the transaction that deletes it.  A row
 * that must stay is passed over.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/rules/engine.h"
#include "store/rules/rules.h"

/* What one transaction does, at most: deletions of rows; rows that it reads;
 * bytes of quarantine that it reads. */
#define DELETIONS 200
#define READS	  400
#define BYTES	  ((size_t)1 << 20)

#define ORDERS_AT_ONCE 32

struct removing {
	struct op op;
	const struct removal *in;
	struct removal *out; /* a copy of *in at the beginning of each run */
	size_t deletions;
	/* Of orders and events: */
	int64_t before;	  /* orders that changed before this may go */
	int64_t latest;	  /* of the removed orders, the latest time of a last
			   * change */
	struct event newest; /* the newest event, without its data; or zeroed */
};

/* Notes a row that cannot be read.  OK: the removal goes on. */
static enum rc pass_over(struct removing *x, enum rc rc, const struct err *e)
{
	if (rc != RC_INVALID)
		return rc;
	x->out->why = *e;
	return OK;
}

/* Adds to the counts: so many rows of the kind went, by so many deletions. */
static void removed(struct removing *x, size_t rows, size_t deletions)
{
	x->out->removed += rows;
	x->deletions += deletions;
}

/* Notes that an order is removed. */
static void note_removed(struct removing *x, const struct order *o)
{
	if (o->updated > x->latest)
		x->latest = o->updated;
}

/* Keeps the latest time at which an order changed that was ever removed: see
 * record.c. */
static enum rc keep_latest(struct rows *r, const struct removing *x,
			   struct err *e)
{
	uint64_t latest = 0;
	enum rc rc = row_count(r, COUNT_REMOVED, &latest, e);

	if (!rc && x->latest > (int64_t)latest)
		add_count(r, COUNT_REMOVED, x->latest - (int64_t)latest);
	return rc;
}

/* ---- changes ---- */

struct old_changes {
	int64_t before;
	size_t n;   /* rows that were read */
	size_t old; /* rows up to the last old one */
	uint64_t until; /* its number */
};

/* Rows lie in the order of their commits: what comes before an old row is old,
 * whatever a wrong clock wrote into it. */
static bool take_change(void *arg, const void *row)
{
	const struct changed *c = row;
	struct old_changes *o = arg;

	o->n++;
	if (c->at < o->before) {
		o->old = o->n;
		o->until = c->change;
	}
	return o->n < DELETIONS;
}

static enum rc remove_changes(struct rows *r, struct removing *x,
			      struct err *e)
{
	struct old_changes o = {.before = x->in->before};
	enum rc rc = rows_walk(r, LISTING_CHANGES, &(struct listing_from){0},
			       take_change, &o, e);

	rc = pass_over(x, rc, e);
	if (rc || !o.old)
		return rc;
	del_changes(r, o.until);
	removed(x, o.old, o.old);
	x->out->more = o.n == DELETIONS;
	return OK;
}

static bool take_oldest(void *arg, const void *row)
{
	*(int64_t *)arg = ((const struct changed *)row)->at;
	return false;
}

/* Finds which orders are old: those that changed before in->before, and before
 * the oldest change that is stored, since a change may name any other. */
static enum rc find_old(struct rows *r, struct removing *x, struct err *e)
{
	enum rc rc;

	x->before = INT64_MAX;
	rc = rows_walk(r, LISTING_CHANGES, &(struct listing_from){0},
		       take_oldest, &x->before, e);
	if (x->before > x->in->before)
		x->before = x->in->before;
	return pass_over(x, rc, e);
}

/* ---- the journal ---- */

struct old_entries {
	int64_t before;
	size_t n; /* that were deleted */
	uint64_t until;
	bool more;  /* there are more old ones */
	bool young; /* one is not old */
};

static bool take_entry(void *arg, const void *row)
{
	const struct entry *entry = row;
	struct old_entries *o = arg;

	o->young = entry->at >= o->before;
	if (o->young)
		return false;
	o->more = o->n == DELETIONS;
	if (o->more)
		return false;
	o->n++;
	o->until = entry->seq;
	return true;
}

/* Deletes the oldest entries of an order's journal up to the first that is not
 * older than io->before, as many as one transaction may.  RC_INVALID: one of them
 * cannot be read; all stay. */
static enum rc remove_entries(struct rows *r, struct removing *x,
			      const struct order_id *id,
			      struct old_entries *io, struct err *e)
{
	const struct listing_from from = {.instance = id->instance,
					  .number = id->number};
	enum rc rc = rows_walk(r, LISTING_JOURNAL, &from, take_entry, io, e);

	if (rc || !io->n)
		return rc;
	del_entries(r, id->instance, id->number, io->until);
	x->deletions += io->n;
	return OK;
}

/* ---- events ---- */

struct old_events {
	int64_t before, now;
	struct event list[DELETIONS / 2]; /* without their data */
	bool cleared[DELETIONS / 2]; /* what is known of its order was deleted */
	size_t n, read;
	uint64_t last; /* read */
	bool more;
};

/* An event from the future was dated by a clock that was ahead; it stays until
 * its time has come, and those behind it do not wait for that. */
static bool take_event(void *arg, const void *row)
{
	const struct event *ev = row;
	struct old_events *o = arg;

	if (ev->received >= o->before && ev->received <= o->now)
		return false;
	o->last = ev->seq;
	if (ev->received < o->before) {
		o->list[o->n] = *ev;
		o->list[o->n++].data = NULL;
	}
	o->more = o->n == sizeof(o->list) / sizeof(*o->list) ||
		  ++o->read == READS;
	return !o->more;
}

/* Removes what is known of an order that no shop was ever offered: it is known
 * by its events alone.  *ret_stays: some of it must stay, and so must the event,
 * since nothing else would lead to it later. */
static enum rc remove_unoffered(struct rows *r, struct removing *x,
				const struct event *ev, const struct order *o,
				bool *ret_cleared, bool *ret_stays,
				struct err *e)
{
	struct order_id id = {.number = ev->id};
	struct old_entries entries = {.before = x->in->before};
	enum rc rc;

	*ret_stays = false;
	if (o->n_offers || o->missed)
		return OK;
	*ret_stays = o->first_seen && o->updated >= x->before;
	if (*ret_stays)
		return OK;
	memcpy(id.instance, ev->instance, sizeof(id.instance));
	rc = remove_entries(r, x, &id, &entries, e);
	*ret_cleared = true;
	*ret_stays = entries.more || entries.young;
	if (!rc && o->first_seen && !*ret_stays) {
		del_order(r, o);
		x->deletions++;
		note_removed(x, o);
	}
	return rc;
}

/* An event of an order that has a task stays, whether it is this event's or
 * another's: the task may read it. */
static enum rc remove_event(struct rows *r, struct removing *x,
			    const struct event *ev, bool *ret_cleared,
			    struct err *e)
{
	struct order o = {0};
	bool stays = false;
	enum rc rc = row_has_task(r, ev->instance, ev->id, &stays, e);

	if (rc || stays)
		return rc;
	rc = row_order(r, ev->instance, ev->id, &o, e);
	if (!rc)
		rc = remove_unoffered(r, x, ev, &o, ret_cleared, &stays, e);
	if (!rc && !stays) {
		del_event(r, ev);
		removed(x, 1, 2);
	}
	order_release(&o);
	return pass_over(x, rc, e);
}

/* True if what is known of the event's order was deleted for an event before it
 * in the list: it must not be read again in this transaction. */
static bool is_cleared(const struct old_events *o, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (o->cleared[k] && o->list[k].id == o->list[i].id &&
		    !strcmp(o->list[k].instance, o->list[i].instance))
			return true;
	return false;
}

static enum rc remove_events(struct rows *r, struct removing *x, struct err *e)
{
	const struct listing_from from = {.seq = x->in->at.seq + 1};
	struct old_events o = {.before = x->in->before, .now = x->in->now};
	uint64_t newest = 0;
	size_t i;
	enum rc rc = rows_walk(r, LISTING_EVENTS, &from, take_event, &o, e);

	rc = pass_over(x, rc, e);
	if (!rc)
		rc = find_old(r, x, e);
	if (!rc)
		rc = rows_newest_event(r, &newest, e);
	want_count(r, COUNT_REMOVED);
	for (i = 0; !rc && i < o.n; i++)
		want_order(r, o.list[i].instance, o.list[i].id, WANT_TASKS);
	if (!rc)
		rc = rows_fetch(r, e);
	for (i = 0; !rc && i < o.n && x->deletions < DELETIONS &&
		    !is_cleared(&o, i); i++)
		if (o.list[i].seq != newest)
			rc = remove_event(r, x, &o.list[i], &o.cleared[i], e);
	if (!rc)
		rc = keep_latest(r, x, e);
	if (rc)
		return rc;
	if (i < o.n) { /* the rest is for the next transaction */
		x->out->at.seq = o.list[i].seq - 1;
		x->out->more = true;
		return OK;
	}
	x->out->at.seq = o.last;
	x->out->more = o.more;
	return OK;
}

/* ---- quarantine ---- */

struct old_quarantine {
	int64_t before, now;
	uint64_t list[DELETIONS / 4];
	size_t n, read, bytes;
	uint64_t last; /* read */
	bool more;
};

static bool take_quarantined(void *arg, const void *row)
{
	const struct quarantined *q = row;
	struct old_quarantine *o = arg;

	if (q->received >= o->before && q->received <= o->now)
		return false;
	o->last = q->seq;
	o->bytes += q->len;
	if (q->received < o->before)
		o->list[o->n++] = q->seq;
	o->more = o->n == sizeof(o->list) / sizeof(*o->list) ||
		  ++o->read == READS || o->bytes >= BYTES;
	return !o->more;
}

static enum rc remove_quarantined(struct rows *r, struct removing *x,
				  struct err *e)
{
	const struct listing_from from = {.seq = x->in->at.seq + 1};
	struct old_quarantine o = {.before = x->in->before,
				   .now = x->in->now};
	enum rc rc = rows_walk(r, LISTING_QUARANTINE, &from, take_quarantined,
			       &o, e);

	rc = pass_over(x, rc, e);
	for (size_t i = 0; !rc && i < o.n; i++)
		del_quarantined(r, o.list[i]);
	if (rc)
		return rc;
	removed(x, o.n, 4 * o.n);
	x->out->at.seq = o.last;
	x->out->more = o.more;
	return OK;
}

/* ---- addresses ---- */

static struct order_id place_of(const struct removal *io)
{
	struct order_id id = {.number = io->at.number};

	memcpy(id.instance, io->at.instance, sizeof(id.instance));
	return id;
}

/* True if a shop still has to send the parcel, or may have to: without the
 * address it could not.  An open order may become a shop's by a look, and a
 * removed address is not fetched again. */
static bool to_ship(const struct order *o)
{
	for (size_t i = 0; i < o->n_offers; i++)
		if (o->offers[i].list != LIST_DONE)
			return true;
	return false;
}

/* Removes an order's address if nothing has happened to it since `before` and
 * it is not to be shipped. */
static enum rc remove_address(struct rows *r, struct removing *x,
			      const struct order_id *id, struct err *e)
{
	const struct entry entry = {.at = x->in->now,
				    .fact = FACT_ADDRESS_REMOVED};
	struct order o = {0};
	enum rc rc = row_order(r, id->instance, id->number, &o, e);

	if (!rc && o.updated < x->in->before && !to_ship(&o)) {
		put_json(r, id->instance, id->number, PART_ADDRESS,
			 ADDRESS_REMOVED);
		put_entry(r, id->instance, id->number, &entry);
		removed(x, 1, 2);
	}
	order_release(&o);
	return pass_over(x, rc, e);
}

static enum rc remove_addresses(struct rows *r, struct removing *x,
				struct err *e)
{
	struct order_id after = place_of(x->in), some[DELETIONS / 2];
	size_t n = 0;
	enum rc rc = rows_addresses(r, &after, some, DELETIONS / 2, &n, e);

	for (size_t i = 0; !rc && i < n; i++)
		want_order(r, some[i].instance, some[i].number, WANT_ADDRESS);
	if (!rc)
		rc = rows_fetch(r, e);
	for (size_t i = 0; !rc && i < n; i++)
		rc = remove_address(r, x, &some[i], e);
	if (rc || !n)
		return rc;
	memcpy(x->out->at.instance, some[n - 1].instance,
	       sizeof(x->out->at.instance));
	x->out->at.number = some[n - 1].number;
	x->out->more = n == DELETIONS / 2;
	return OK;
}

/* ---- finished orders ---- */

struct old_orders {
	int64_t since, before;
	struct ended list[ORDERS_AT_ONCE];
	size_t n;
	struct ended other; /* the row at which the walk stopped since it is too
			     * young or too old */
	enum { AT_END, TOO_OLD, TOO_YOUNG, ENOUGH } why;
};

static bool take_ended(void *arg, const void *row)
{
	const struct ended *is = row;
	struct old_orders *o = arg;

	o->why = is->updated < o->since	  ? TOO_OLD
		 : is->updated >= o->before ? TOO_YOUNG
					    : AT_END;
	if (o->why) {
		o->other = *is;
		return false;
	}
	o->list[o->n++] = *is;
	if (o->n == ORDERS_AT_ONCE)
		o->why = ENOUGH;
	return !o->why;
}

/* Finds the oldest orders in the lists "done": of each instance and warehouse
 * those that last changed between `since` and `before`.  Skips older and younger
 * orders without reading them. */
static enum rc find_ended(struct rows *r, const struct removal *in,
			  struct old_orders *o, struct err *e)
{
	struct listing_from from = {
		.instance = *in->at.instance ? in->at.instance : NULL,
		.warehouse = in->at.warehouse,
		.since = in->at.updated,
		.number = in->at.number,
	};
	enum rc rc;

	do {
		o->why = AT_END;
		rc = rows_walk(r, LISTING_ENDED, &from, take_ended, o, e);
		from.instance = o->other.order.instance;
		from.warehouse = o->other.warehouse;
		from.since = o->why == TOO_OLD ? o->since - 1 : INT64_MAX;
		from.number = INT64_MAX;
	} while ((!rc || rc == RC_INVALID) &&
		 (o->why == TOO_OLD || o->why == TOO_YOUNG));
	return rc;
}

/* Finds out whether the order is to stay, though it is old. */
static enum rc is_needed(struct rows *r, const struct removing *x,
			 const struct order *o, bool *ret, struct err *e)
{
	*ret = true;
	if (!o->first_seen || o->updated >= x->before || !x->in->finished ||
	    !x->in->finished(x->in->finished_arg, o))
		return OK;
	if (x->newest.seq && x->newest.id == o->number &&
	    !strcmp(x->newest.instance, o->instance))
		return OK; /* a replay of it would make a part of the order */
	return row_has_task(r, o->instance, o->number, ret, e);
}

/* Deletes the order with its journal; the journal alone if that is enough for
 * one transaction.  *ret_left: the rest of it is for the next. */
static enum rc remove_order(struct rows *r, struct removing *x,
			    const struct ended *is, bool *ret_left,
			    struct err *e)
{
	bool all = x->in->what == AGED_ORDERS, needed = true;
	struct old_entries entries = {.before = all ? INT64_MAX
						    : x->in->before};
	struct order o = {0};
	enum rc rc = row_order(r, is->order.instance, is->order.number, &o, e);

	if (!rc)
		rc = is_needed(r, x, &o, &needed, e);
	if (!rc && !needed)
		rc = remove_entries(r, x, &is->order, &entries, e);
	*ret_left = entries.more;
	if (!rc && !all)
		x->out->removed += entries.n;
	if (!rc && !needed && all && !*ret_left) {
		del_order(r, &o);
		removed(x, 1, 4 + 2 * o.n_offers);
		note_removed(x, &o);
	}
	order_release(&o);
	return pass_over(x, rc, e);
}

static bool same_order(const struct order_id *a, const struct order_id *b)
{
	return a->number == b->number && !strcmp(a->instance, b->instance);
}

/* True if the i-th order also stands before that in the list: an order is listed
 * for each warehouse that it was offered to. */
static bool is_listed_before(const struct old_orders *o, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (same_order(&o->list[k].order, &o->list[i].order))
			return true;
	return false;
}

/* Sets the place behind a row. */
static void go_on_behind(struct removal *out, const struct ended *is)
{
	memcpy(out->at.instance, is->order.instance, sizeof(out->at.instance));
	out->at.warehouse = is->warehouse;
	out->at.updated = is->updated;
	out->at.number = is->order.number;
}

static enum rc remove_listed(struct rows *r, struct removing *x,
			     const struct old_orders *o, struct err *e)
{
	bool left = false;
	size_t i;
	enum rc rc = OK;

	for (i = 0; !rc && i < o->n && !left && x->deletions < DELETIONS; i++) {
		if (!is_listed_before(o, i))
			rc = remove_order(r, x, &o->list[i], &left, e);
		if (!left)
			go_on_behind(x->out, &o->list[i]);
	}
	x->out->more = left || i < o->n || o->why == ENOUGH;
	return rc;
}

/* Reads the newest event, which stays. */
static enum rc read_newest(struct rows *r, struct event *ret, struct err *e)
{
	uint64_t seq = 0;
	struct event ev = {0};
	enum rc rc = rows_newest_event(r, &seq, e);

	if (!rc && seq)
		want_event(r, seq);
	if (!rc)
		rc = rows_fetch(r, e);
	if (!rc && seq)
		rc = row_event(r, seq, &ev, e);
	*ret = ev;
	ret->data = NULL;
	event_release(&ev);
	return rc == RC_NOTFOUND || rc == RC_INVALID ? OK : rc;
}

static enum rc name_orders(struct rows *r, const struct old_orders *o,
			   struct err *e)
{
	want_count(r, COUNT_REMOVED);
	for (size_t i = 0; i < o->n; i++)
		want_order(r, o->list[i].order.instance,
			   o->list[i].order.number,
			   WANT_DETAILS | WANT_ADDRESS | WANT_TASKS);
	return rows_fetch(r, e);
}

static enum rc remove_journals(struct rows *r, struct removing *x,
			       struct err *e)
{
	struct old_orders o = {.since = x->in->since, .before = x->in->before};
	enum rc rc = pass_over(x, find_ended(r, x->in, &o, e), e);

	x->before = x->in->before;
	if (!rc)
		rc = name_orders(r, &o, e);
	return rc ? rc : remove_listed(r, x, &o, e);
}

/* Removes finished orders. */
static enum rc remove_orders(struct rows *r, struct removing *x, struct err *e)
{
	struct old_orders o = {.since = INT64_MIN};
	enum rc rc = find_old(r, x, e);

	o.before = x->before;
	if (!rc)
		rc = read_newest(r, &x->newest, e);
	if (!rc)
		rc = pass_over(x, find_ended(r, x->in, &o, e), e);
	if (!rc)
		rc = name_orders(r, &o, e);
	if (!rc)
		rc = remove_listed(r, x, &o, e);
	return rc ? rc : keep_latest(r, x, e);
}

/* ---- documents ---- */

static enum doc_age age_of(enum aged what)
{
	return what == AGED_STOCK      ? DOC_AGE_STOCK
	       : what == AGED_OUTGOING ? DOC_AGE_OUTGOING
	       : what == AGED_FEEDS    ? DOC_AGE_FEEDS
				       : DOC_AGE_RETURNS;
}

/* The documents of one list that may go. */
struct old_docs {
	int64_t before;
	struct doc names[DELETIONS / 4]; /* without their texts */
	size_t n;
};

static bool take_old_doc(void *arg, const void *row)
{
	const struct doc *d = row;
	struct old_docs *o = arg;

	if (d->at >= o->before)
		return false;
	o->names[o->n] = *d;
	o->names[o->n++].text = NULL;
	return o->n < sizeof(o->names) / sizeof(*o->names);
}

static enum rc find_docs(struct rows *r, struct removing *x,
			 const struct doc_count *list, struct old_docs *ret,
			 struct err *e)
{
	const struct listing_from from = {
		.kind = list->kind,
		.instance = list->instance,
		.doc_list = list->list,
	};
	enum rc rc;

	ret->n = 0;
	ret->before = x->in->before;
	rc = rows_walk(r, LISTING_DOCS_LISTED, &from, take_old_doc, ret, e);
	return pass_over(x, rc, e);
}

/* The lists of ended documents. */
struct old_lists {
	struct doc_count *list; /* owned */
	size_t n, cap;
};

static bool take_list(void *arg, const void *row)
{
	const struct doc_count *c = row;
	struct old_lists *o = arg;

	if (!doc_list_is_done(c->list))
		return true;
	if (o->n == o->cap) {
		o->cap = o->cap ? 2 * o->cap : 16;
		o->list = xrealloc(o->list, o->cap, sizeof(*o->list));
	}
	o->list[o->n++] = *c;
	return true;
}

/* Lists the lists of ended documents of all kinds that go by this age. */
static enum rc find_lists(struct rows *r, struct removing *x,
			  struct old_lists *ret, struct err *e)
{
	enum rc rc = OK;

	for (size_t i = 0; !rc && i < n_doc_kinds; i++) {
		const struct listing_from from = {.kind = doc_kinds[i].name};

		if (doc_kinds[i].age == age_of(x->in->what))
			rc = pass_over(x, rows_walk(r, LISTING_DOC_COUNTS,
						    &from, take_list, ret, e),
				       e);
	}
	return rc;
}

static enum rc remove_docs(struct rows *r, struct removing *x, struct err *e)
{
	struct old_lists lists = {0};
	struct old_docs old;
	enum rc rc = find_lists(r, x, &lists, e);

	for (size_t i = 0; !rc && i < lists.n && !x->out->more; i++) {
		rc = find_docs(r, x, &lists.list[i], &old, e);
		for (size_t k = 0; !rc && k < old.n; k++)
			del_doc(r, &old.names[k]);
		removed(x, old.n, 4 * old.n);
		x->out->more = old.n; /* look again, until none is old */
	}
	free(lists.list);
	return rc;
}

/* ---- all kinds ---- */

static enum rc remove_some(struct rows *r, struct op *op, struct err *e)
{
	static enum rc (*const kinds[AGED_KINDS])(struct rows *r,
						  struct removing *x,
						  struct err *e) = {
		[AGED_CHANGES] = remove_changes,
		[AGED_EVENTS] = remove_events,
		[AGED_QUARANTINE] = remove_quarantined,
		[AGED_ADDRESSES] = remove_addresses,
		[AGED_JOURNAL] = remove_journals,
		[AGED_ORDERS] = remove_orders,
		[AGED_STOCK] = remove_docs,
		[AGED_OUTGOING] = remove_docs,
		[AGED_RETURNS] = remove_docs,
		[AGED_FEEDS] = remove_docs,
	};
	struct removing *x = (struct removing *)op;

	*x->out = *x->in;
	x->out->removed = 0;
	x->out->more = false;
	x->out->why.text[0] = '\0';
	x->deletions = 0;
	x->latest = 0;
	x->newest = (struct event){0};
	return kinds[x->in->what](r, x, e);
}

enum rc store_remove_some(struct store *s, struct removal *io, struct err *e)
{
	struct removal out = *io;
	struct removing x = {
		.op.run = remove_some,
		.in = io,
		.out = &out,
	};
	enum rc rc = store_do(s, &x.op, sizeof(x), NULL, e);

	if (!rc)
		*io = out;
	return rc;
}
