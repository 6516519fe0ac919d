/* SPDX-License-Identifier: MIT
 *
 * listings.c - the lists of the screens, each offer being in exactly one; and
 * all other listings of store.h: one walk, and a function for each kind of row.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "store/lmdb/rows.h"
#include "store/model/record.h"

/* ---- where an offer stands ---- */

/* Returns the number by which the offer's list is sorted. */
static int64_t list_rank(const struct offer *f)
{
	if (f->list == LIST_MINE && problem_open(&f->problem))
		return LISTED_FIRST;
	return f->expires == TIME_NONE ? INT64_MAX : f->expires;
}

static struct key *list_key(struct key *k, const struct order *o,
			    const struct offer *f)
{
	key_i64(key_str(key_start(k), o->instance), f->warehouse);
	key_u8(k, (uint8_t)f->list);
	key_i64(k, list_rank(f));
	return key_i64(k, o->number);
}

static struct key *done_key(struct key *k, const struct order *o,
			    const struct offer *f)
{
	key_i64(key_str(key_start(k), o->instance), f->warehouse);
	return key_i64(key_i64(k, o->updated), o->number);
}

/* Moves an offer to its list.  `was` is NULL for a new offer. */
static enum rc move_in_list(struct txn *t, const struct order *o,
			    const struct offer *was, const struct offer *is,
			    struct err *e)
{
	struct key k;
	enum rc rc;

	if (was && was->list == is->list && list_rank(was) == list_rank(is))
		return OK;
	if (was) {
		rc = txn_del(t, T_LISTS, list_key(&k, o, was), e);
		if (rc && rc != RC_NOTFOUND)
			return rc;
	}
	return txn_put(t, T_LISTS, list_key(&k, o, is), NULL, 0, e);
}

/* Moves an offer in `done`, where a row's place changes with each change of its
 * order. */
static enum rc move_in_done(struct txn *t, const struct order *before,
			    const struct order *after, const struct offer *was,
			    const struct offer *is, struct err *e)
{
	bool there = was && was->list == LIST_DONE;
	struct key k;
	enum rc rc = OK;

	if (there && is->list == LIST_DONE && before->updated == after->updated)
		return OK;
	if (there)
		rc = txn_del(t, T_DONE, done_key(&k, before, was), e);
	/* A row may be missing: the order was done before this table was
	 * added. */
	if ((!rc || rc == RC_NOTFOUND) && is->list == LIST_DONE)
		rc = txn_put(t, T_DONE, done_key(&k, after, is), NULL, 0, e);
	return rc == RC_NOTFOUND ? OK : rc;
}

enum rc list_offer(struct txn *t, const struct order *before,
		   const struct order *after, const struct offer *is,
		   struct err *e)
{
	const struct offer *was = order_offer(before, is->warehouse);
	enum rc rc = move_in_list(t, after, was, is, e);

	return rc ? rc : move_in_done(t, before, after, was, is, e);
}

enum rc unlist_offer(struct txn *t, const struct order *o,
		     const struct offer *f, struct err *e)
{
	struct key k;
	enum rc rc = txn_del(t, T_LISTS, list_key(&k, o, f), e);

	if ((!rc || rc == RC_NOTFOUND) && f->list == LIST_DONE)
		rc = txn_del(t, T_DONE, done_key(&k, o, f), e);
	return rc == RC_NOTFOUND ? OK : rc;
}

/* ---- listings ---- */

/* The state of a walk, for its function. */
struct giving {
	const struct listing_from *from;
	size_t prefix;
	row_fn *fn;
	void *arg;
	enum table table;
	each_fn *give;
	uint64_t unreadable; /* rows that were skipped */
	char first[INSTANCE_SIZE + 64]; /* the name of the first of them */
};

static struct key_reader key_of(const struct walk *w)
{
	return key_read(w->k.mv_data, w->k.mv_size);
}

static enum rc give_listed(void *arg, const struct walk *w, bool *more,
			   struct err *e)
{
	struct giving *g = arg;
	struct key_reader kr = key_of(w);
	char instance[INSTANCE_SIZE];
	struct listed row = {0};

	(void)e;
	key_get_str(&kr, instance, sizeof(instance));
	row.warehouse = key_get_i64(&kr);
	row.list = key_get_u8(&kr);
	row.expires = key_get_i64(&kr);
	row.number = key_get_i64(&kr);
	if (row.expires == INT64_MAX)
		row.expires = TIME_NONE;
	*more = g->fn(g->arg, &row);
	return OK;
}

static enum rc give_done(void *arg, const struct walk *w, bool *more,
			 struct err *e)
{
	struct giving *g = arg;
	struct key_reader kr = key_of(w);
	char instance[INSTANCE_SIZE];
	struct listed row = {.list = LIST_DONE};

	(void)e;
	key_get_str(&kr, instance, sizeof(instance));
	row.warehouse = key_get_i64(&kr);
	row.expires = key_get_i64(&kr);
	row.number = key_get_i64(&kr);
	*more = g->fn(g->arg, &row);
	return OK;
}

static enum rc give_entry(void *arg, const struct walk *w, bool *more,
			 struct err *e)
{
	struct giving *g = arg;
	struct key_reader kr = key_read((const char *)w->k.mv_data + g->prefix,
					w->k.mv_size - g->prefix);
	struct entries entries;
	struct entry entry;
	enum rc rc;

	entries_init(&entries, key_get_u64(&kr), w->v.mv_data, w->v.mv_size);
	for (rc = OK; !rc && *more;) {
		rc = get_entry(&entry, &entries, e);
		if (!rc)
			*more = g->fn(g->arg, &entry);
		entry_release(&entry);
	}
	return rc == RC_NOTFOUND ? OK : rc;
}

static enum rc give_event(void *arg, const struct walk *w, bool *more,
			  struct err *e)
{
	struct giving *g = arg;
	struct key_reader kr = key_of(w);
	struct event ev;
	enum rc rc = get_event(&ev, key_get_u64(&kr), w->v.mv_data,
			       w->v.mv_size, e);

	if (rc)
		return rc;
	*more = g->fn(g->arg, &ev);
	event_release(&ev);
	return OK;
}

static enum rc give_order(void *arg, const struct walk *w, bool *more,
			  struct err *e)
{
	struct giving *g = arg;
	struct key_reader kr = key_of(w);
	char name[INSTANCE_SIZE];
	struct order o;
	int64_t number;
	enum rc rc;

	key_get_str(&kr, name, sizeof(name));
	number = key_get_i64(&kr);
	if (number < g->from->number)
		return OK;
	rc = get_order(&o, name, number, w->v.mv_data, w->v.mv_size, e);
	if (rc)
		return rc;
	*more = g->fn(g->arg, &o);
	order_release(&o);
	return OK;
}

static enum rc give_task(void *arg, const struct walk *w, bool *more,
			 struct err *e)
{
	struct giving *g = arg;
	struct key_reader kr = key_of(w);
	struct task task;
	enum rc rc = task_load(w->t, key_get_u64(&kr), &task, e);

	if (rc)
		return rc;
	*more = g->fn(g->arg, &task);
	task_release(&task);
	return OK;
}

static enum rc give_quarantined(void *arg, const struct walk *w, bool *more,
				struct err *e)
{
	struct giving *g = arg;
	struct key_reader kr = key_of(w);
	struct quarantined q;
	enum rc rc = get_quarantined(&q, key_get_u64(&kr), w->v.mv_data,
				     w->v.mv_size, e);

	if (rc)
		return rc;
	*more = g->fn(g->arg, &q);
	quarantined_release(&q);
	return OK;
}

static enum rc give_device(void *arg, const struct walk *w, bool *more,
			   struct err *e)
{
	struct giving *g = arg;
	struct key_reader kr = key_of(w);
	struct device d;
	enum rc rc = get_device(&d, key_get_u64(&kr), w->v.mv_data,
				w->v.mv_size, e);

	if (!rc)
		*more = g->fn(g->arg, &d);
	return rc;
}

static enum rc give_changed(void *arg, const struct walk *w, bool *more,
			    struct err *e)
{
	struct giving *g = arg;
	struct key_reader kr = key_of(w);
	struct changed c = {.change = key_get_u64(&kr)};

	(void)e;
	kr = key_read(w->v.mv_data, w->v.mv_size);
	key_get_str(&kr, c.instance, sizeof(c.instance));
	c.number = key_get_i64(&kr);
	c.at = key_get_i64(&kr);
	*more = g->fn(g->arg, &c);
	return OK;
}

/* Reads the name of a document from the key of its row. */
static void read_doc_name(struct key_reader *kr, struct doc *ret)
{
	*ret = (struct doc){0};
	key_get_str(kr, ret->kind, sizeof(ret->kind));
	key_get_str(kr, ret->instance, sizeof(ret->instance));
}

static enum rc give_doc(void *arg, const struct walk *w, bool *more,
			struct err *e)
{
	struct giving *g = arg;
	struct key_reader kr = key_of(w);
	struct doc d;
	enum rc rc;

	read_doc_name(&kr, &d);
	key_get_str(&kr, d.key, sizeof(d.key));
	rc = kr.bad ? fail(e, RC_INVALID, "a row of 'docs' cannot be read")
		    : get_doc(&d, w->v.mv_data, w->v.mv_size, e);
	if (rc)
		return rc;
	*more = g->fn(g->arg, &d);
	doc_release(&d);
	return OK;
}

/* A row whose document is not there, or stands elsewhere, is one that cannot be
 * read. */
static enum rc give_doc_listed(void *arg, const struct walk *w, bool *more,
			       struct err *e)
{
	struct giving *g = arg;
	struct key_reader kr = key_of(w);
	char list[DOC_LIST_SIZE];
	struct doc d;
	int64_t at;
	enum rc rc;

	read_doc_name(&kr, &d);
	key_get_str(&kr, list, sizeof(list));
	at = key_get_i64(&kr);
	key_get_str(&kr, d.key, sizeof(d.key));
	if (kr.bad)
		return fail(e, RC_INVALID, "a row cannot be read");
	rc = lmdb_doc(&w->t->rows, &d, e);
	if (!rc && (!d.rev || d.at != at || strcmp(d.list, list) != 0))
		rc = RC_NOTFOUND;
	if (!rc)
		*more = g->fn(g->arg, &d);
	doc_release(&d);
	return rc;
}

static enum rc give_doc_count(void *arg, const struct walk *w, bool *more,
			      struct err *e)
{
	struct giving *g = arg;
	struct key_reader kr = key_of(w);
	struct key_reader vr = key_read(w->v.mv_data, w->v.mv_size);
	struct doc_count c = {0};

	key_get_str(&kr, c.kind, sizeof(c.kind));
	key_get_str(&kr, c.instance, sizeof(c.instance));
	key_get_str(&kr, c.list, sizeof(c.list));
	c.docs = key_get_u64(&vr);
	if (kr.bad || vr.bad)
		return fail(e, RC_INVALID, "a row cannot be read");
	*more = g->fn(g->arg, &c);
	return OK;
}

static enum rc give_ended(void *arg, const struct walk *w, bool *more,
			  struct err *e)
{
	struct giving *g = arg;
	struct key_reader kr = key_of(w);
	struct ended row = {0};

	key_get_str(&kr, row.order.instance, sizeof(row.order.instance));
	row.warehouse = key_get_i64(&kr);
	row.updated = key_get_i64(&kr);
	row.order.number = key_get_i64(&kr);
	if (kr.bad)
		return fail(e, RC_INVALID, "a row of 'done' cannot be read");
	*more = g->fn(g->arg, &row);
	return OK;
}

/* ---- rows that cannot be read ---- */

/* Names a row that cannot be read, by what its key says. */
static void name_row(struct giving *g, const struct walk *w)
{
	struct key_reader kr = key_of(w);
	char instance[INSTANCE_SIZE] = "";
	int64_t number;

	if (g->table == T_ORDERS || g->table == T_JOURNAL) {
		key_get_str(&kr, instance, sizeof(instance));
		number = key_get_i64(&kr);
		snprintf(g->first, sizeof(g->first), "%s/%" PRId64, instance,
			 number);
	} else if (g->table == T_DOCS || g->table == T_DOC_LISTS) {
		char kind[DOC_KIND_SIZE] = "";

		key_get_str(&kr, kind, sizeof(kind));
		key_get_str(&kr, instance, sizeof(instance));
		snprintf(g->first, sizeof(g->first), "%s of %s", kind,
			 instance);
	} else {
		snprintf(g->first, sizeof(g->first), "%" PRIu64,
			 key_get_u64(&kr));
	}
}

/* Gives one row.  A row that cannot be read, or that leads to no record, is
 * counted and skipped, so that it does not hide those behind it. */
static enum rc give_row(void *arg, const struct walk *w, bool *more,
			struct err *e)
{
	struct giving *g = arg;
	enum rc rc = g->give(g, w, more, e);

	if (rc != RC_INVALID && rc != RC_NOTFOUND)
		return rc;
	if (!g->unreadable++)
		name_row(g, w);
	return OK;
}

static enum rc tell_unreadable(const struct giving *g, struct err *e)
{
	if (!g->unreadable)
		return OK;
	return fail(e, RC_INVALID,
		    "%" PRIu64 " row%s of '%s' cannot be read and %s left out "
		    "(the first: %s); `shipfrom verify` lists all faults",
		    g->unreadable, g->unreadable == 1 ? "" : "s",
		    table_names[g->table], g->unreadable == 1 ? "is" : "are",
		    g->first);
}

/* ---- where they begin ---- */

/* Each from_...() writes the first key of a listing, and returns how many of
 * its bytes are common to all keys of the listing. */

static size_t from_listed(struct key *k, const struct listing_from *f)
{
	size_t prefix;

	key_i64(key_str(k, f->instance), f->warehouse);
	prefix = key_u8(k, (uint8_t)f->list)->n;
	if (f->after) {
		key_i64(k, f->after->expires == TIME_NONE ? INT64_MAX
							  : f->after->expires);
		key_u8(key_i64(k, f->after->number), 0); /* right behind it */
	}
	return prefix;
}

static size_t from_done(struct key *k, const struct listing_from *f)
{
	size_t prefix = key_i64(key_str(k, f->instance), f->warehouse)->n;

	key_i64(key_i64(k, f->since), f->number);
	if (f->number)
		key_u8(k, 0); /* right behind it */
	return prefix;
}

static size_t from_ended(struct key *k, const struct listing_from *f)
{
	if (!f->instance)
		return 0;
	key_i64(key_str(k, f->instance), f->warehouse);
	key_u8(key_i64(key_i64(k, f->since), f->number), 0); /* right behind
							      * it */
	return 0;
}

static size_t from_order(struct key *k, const struct listing_from *f)
{
	return order_key(k, f->instance, f->number)->n;
}

static size_t from_orders(struct key *k, const struct listing_from *f)
{
	size_t prefix;

	if (!f->instance)
		return 0;
	prefix = key_str(k, f->instance)->n;
	key_i64(k, f->number);
	return prefix;
}

static size_t from_seq(struct key *k, const struct listing_from *f)
{
	key_u64(k, f->seq);
	return 0;
}

static size_t from_doc(struct key *k, const struct listing_from *f)
{
	size_t prefix = key_str(k, f->kind)->n;

	if (!f->instance)
		return prefix;
	prefix = key_str(k, f->instance)->n;
	if (f->key)
		key_str(k, f->key);
	return prefix;
}

static size_t from_doc_listed(struct key *k, const struct listing_from *f)
{
	size_t prefix = doc_list_key(k, f->kind, f->instance, f->doc_list)->n;

	if (f->doc_after)
		key_u8(key_str(key_i64(k, f->doc_after->at), f->doc_after->key),
		       0); /* right behind it */
	return prefix;
}

static size_t from_doc_count(struct key *k, const struct listing_from *f)
{
	return f->kind ? key_str(k, f->kind)->n : 0;
}

enum rc lmdb_walk(struct rows *r, enum listing which,
		  const struct listing_from *from, row_fn *fn, void *arg,
		  struct err *e)
{
	static const struct {
		enum table table;
		size_t (*from)(struct key *k, const struct listing_from *f);
		each_fn *give;
	} listings[] = {
		[LISTING_LISTED] = {T_LISTS, from_listed, give_listed},
		[LISTING_DONE_SINCE] = {T_DONE, from_done, give_done},
		[LISTING_JOURNAL] = {T_JOURNAL, from_order, give_entry},
		[LISTING_EVENTS] = {T_EVENTS, from_seq, give_event},
		[LISTING_ORDERS] = {T_ORDERS, from_orders, give_order},
		[LISTING_TASKS] = {T_TASKS, from_seq, give_task},
		[LISTING_DEAD] = {T_DEAD, from_seq, give_task},
		[LISTING_QUARANTINE] = {T_QUARANTINE, from_seq,
					give_quarantined},
		[LISTING_DEVICES] = {T_DEVICES, from_seq, give_device},
		[LISTING_CHANGES] = {T_CHANGES, from_seq, give_changed},
		[LISTING_DOCS] = {T_DOCS, from_doc, give_doc},
		[LISTING_DOCS_LISTED] = {T_DOC_LISTS, from_doc_listed,
					 give_doc_listed},
		[LISTING_DOC_COUNTS] = {T_DOC_COUNTS, from_doc_count,
					give_doc_count},
		[LISTING_ENDED] = {T_DONE, from_ended, give_ended},
	};
	struct giving g = {
		.from = from,
		.fn = fn,
		.arg = arg,
		.table = listings[which].table,
		.give = listings[which].give,
	};
	struct key k;
	enum rc rc;

	g.prefix = listings[which].from(key_start(&k), from);
	rc = each(txn_of(r), g.table, &k, g.prefix, give_row, &g, e);
	return rc ? rc : tell_unreadable(&g, e);
}
