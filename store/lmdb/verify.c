/* SPDX-License-Identifier: MIT
 *
 * verify.c - checks each row of the store against schema.h.
 *
 * The keys are made here anew, from schema.h, and not with the functions that
 * write them: a mistake in those is not repeated here.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/model/codec.h"
#include "store/model/record.h"
#include "store/lmdb/store_private.h"
#include "store/rules/rules.h"

/* How many of an instance's waiting tasks call one API. */
struct waits {
	char instance[INSTANCE_SIZE];
	unsigned group;
	uint64_t tasks;
	bool counted; /* the table `waiting` has a row for it */
};

#define DOC_BUCKETS 65536

/* How many documents are in one list. */
struct doc_list {
	struct doc_list *next; /* of its bucket */
	struct key key; /* of the row in `doc_counts` */
	uint64_t docs;
	bool counted; /* the table `doc_counts` has a row for it */
};

struct check {
	struct txn *t;
	void (*tell)(void *arg, const char *table, const char *what);
	void *arg;
	struct store_verified *ret;
	enum table table; /* the table that is being walked */
	uint64_t may_act; /* how many devices are not removed */
	uint64_t in_doubt; /* orders */
	struct waits *waits; /* owned */
	size_t n_waits;
	struct doc_list **doc_lists; /* owned: DOC_BUCKETS, by a hash of the key */
	enum rc rc;	  /* not OK: the rest of the store cannot be read */
	struct err *e;
};

_Static_assert(TABLES <= STORE_TABLES_MAX, "raise STORE_TABLES_MAX");

static void wrong(struct check *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void wrong(struct check *c, const char *fmt, ...)
{
	char text[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	c->ret->tables[c->table].wrong++;
	c->ret->wrong++;
	if (c->tell)
		c->tell(c->arg, table_names[c->table], text);
}

/* True if the table has a row with this key; *ret is its value. */
static bool there(struct check *c, enum table table, const struct key *k,
		  MDB_val *ret)
{
	enum rc rc = txn_get(c->t, table, k, ret, c->e);

	if (rc && rc != RC_NOTFOUND)
		c->rc = rc;
	return !rc;
}

/* True if the table has such a row and its value is exactly this number. */
static bool leads_to(struct check *c, enum table table, const struct key *k,
		     uint64_t to)
{
	struct key_reader kr;
	MDB_val v;

	if (!there(c, table, k, &v))
		return false;
	kr = key_read(v.mv_data, v.mv_size);
	return key_get_u64(&kr) == to && !kr.bad && !kr.left;
}

static struct key_reader reader_of(const MDB_val *v)
{
	return key_read(v->mv_data, v->mv_size);
}

static bool same_key(const struct key *is, const MDB_val *k)
{
	return is->n == k->mv_size && !memcmp(is->b, k->mv_data, is->n);
}

/* Checks the number that is a row's key: it must be one that was given out. */
static uint64_t number_of(struct check *c, const MDB_val *k,
			  const char *counter)
{
	struct key_reader kr = reader_of(k);
	uint64_t n = key_get_u64(&kr), last = 0;
	enum rc rc = txn_last(c->t, counter, &last, c->e);

	if (rc == RC_IO)
		c->rc = rc;
	if (kr.bad || kr.left)
		wrong(c, "a key that is no number");
	else if (n > last || !n)
		wrong(c, "%" PRIu64 " was never given out (last: %" PRIu64 ")",
		      n, last);
	return n;
}

static bool empty(struct check *c, const MDB_val *v, uint64_t n)
{
	if (v->mv_size)
		wrong(c, "%" PRIu64 ": a value where none is expected", n);
	return !v->mv_size;
}

/* ---- events ---- */

static struct key *seen_of(struct key *k, const struct event *ev)
{
	key_str(key_start(k), ev->instance);
	key_str(key_str(key_str(k, ev->type), ev->action), ev->date);
	return key_bytes(key_i64(k, ev->id), ev->digest, EVENT_DIGEST_SIZE);
}

static void check_event(struct check *c, const MDB_val *k, const MDB_val *v)
{
	uint64_t seq = number_of(c, k, "events");
	struct event ev;
	struct key seen;

	if (get_event(&ev, seq, v->mv_data, v->mv_size, NULL)) {
		wrong(c, "event %" PRIu64 " cannot be read", seq);
		return;
	}
	if (!leads_to(c, T_SEEN, seen_of(&seen, &ev), seq))
		wrong(c, "event %" PRIu64 " is not in `seen`: it would be "
			 "taken twice", seq);
	event_release(&ev);
}

static void check_seen(struct check *c, const MDB_val *k, const MDB_val *v)
{
	struct key_reader kr = reader_of(v);
	uint64_t seq = key_get_u64(&kr);
	struct key at, seen;
	struct event ev;
	MDB_val row;

	if (kr.bad || kr.left) {
		wrong(c, "a value that is no event's number");
		return;
	}
	if (!there(c, T_EVENTS, key_u64(key_start(&at), seq), &row)) {
		wrong(c, "there is no event %" PRIu64, seq);
		return;
	}
	if (get_event(&ev, seq, row.mv_data, row.mv_size, NULL))
		return; /* told of the event */
	seen_of(&seen, &ev);
	if (!same_key(&seen, k))
		wrong(c, "event %" PRIu64 " is another than is said", seq);
	event_release(&ev);
}

/* ---- orders ---- */

/* What a key begins with: an instance and an order's number. */
struct order_name {
	char instance[INSTANCE_SIZE];
	int64_t number;
	struct key_reader rest;
};

static bool name_of(struct check *c, const MDB_val *k, struct order_name *ret)
{
	ret->rest = reader_of(k);
	key_get_str(&ret->rest, ret->instance, sizeof(ret->instance));
	ret->number = key_get_i64(&ret->rest);
	if (ret->rest.bad)
		wrong(c, "a key that names no order");
	return !ret->rest.bad;
}

static bool order_there(struct check *c, const char *instance, int64_t number,
			struct order *ret)
{
	struct key k;
	MDB_val v;

	key_i64(key_str(key_start(&k), instance), number);
	return there(c, T_ORDERS, &k, &v) &&
	       !get_order(ret, instance, number, v.mv_data, v.mv_size, NULL);
}

static int64_t rank_of(const struct offer *f)
{
	if (f->list == LIST_MINE && problem_open(&f->problem))
		return LISTED_FIRST;
	return f->expires == TIME_NONE ? INT64_MAX : f->expires;
}

static void check_lists_of(struct check *c, const struct order *o,
			   const struct offer *f)
{
	struct key k;
	MDB_val v;

	key_i64(key_str(key_start(&k), o->instance), f->warehouse);
	key_i64(key_i64(key_u8(&k, (uint8_t)f->list), rank_of(f)), o->number);
	if (!there(c, T_LISTS, &k, &v))
		wrong(c, "%s/%" PRId64 ": the offer to %" PRId64 " is not in "
			 "its list", o->instance, o->number, f->warehouse);
	if (f->list != LIST_DONE)
		return;
	key_i64(key_str(key_start(&k), o->instance), f->warehouse);
	key_i64(key_i64(&k, o->updated), o->number);
	if (!there(c, T_DONE, &k, &v))
		wrong(c, "%s/%" PRId64 ": the offer to %" PRId64 " is not in "
			 "`done`", o->instance, o->number, f->warehouse);
}

/* Checks that the stored states are those that follow from the facts. */
static void check_derived(struct check *c, const struct order *o)
{
	const struct store_base *s = &c->t->store->base;
	struct order again;

	if (!s->derive)
		return;
	order_copy(&again, o);
	s->derive(s->derive_arg, &again);
	for (size_t i = 0; i < o->n_offers; i++) {
		const struct offer *is = &o->offers[i];
		const struct offer *ought = &again.offers[i];

		if (is->state != ought->state || is->list != ought->list ||
		    is->expires != ought->expires)
			wrong(c, "%s/%" PRId64 ": the offer to %" PRId64
				 " is kept as %s and means %s", o->instance,
			      o->number, is->warehouse,
			      offer_state_name(is->state),
			      offer_state_name(ought->state));
	}
	order_release(&again);
}

static void check_json_of(struct check *c, const struct order *o,
			  enum table table, bool has)
{
	struct key k;
	MDB_val v;

	key_i64(key_str(key_start(&k), o->instance), o->number);
	if (there(c, table, &k, &v) != has)
		wrong(c, "%s/%" PRId64 ": %s in `%s`", o->instance, o->number,
		      has ? "it is not" : "it should not be",
		      table_names[table]);
}

static void check_fetch_of(struct check *c, const struct order *o)
{
	const char *kind = c->t->store->base.fetch_kind;
	struct key k;
	MDB_val v;

	if (!o->fetch_due || !*kind)
		return;
	key_i64(key_str(key_start(&k), o->instance), o->number);
	key_i64(key_str(&k, kind), 0);
	if (!there(c, T_TASK_NAMES, &k, &v))
		wrong(c, "%s/%" PRId64 ": it is to be fetched and no task is "
			 "there to do it", o->instance, o->number);
}

/* Counts the orders in doubt by the stored flags.  If a shop left the config,
 * whether its offer is in doubt is only derived again with the order's next
 * change. */
static void count_doubt(struct check *c, const struct order *o)
{
	bool any = false;

	for (size_t i = 0; i < o->n_offers; i++)
		any |= o->offers[i].doubt;
	c->in_doubt += any;
}

static void check_order(struct check *c, const MDB_val *k, const MDB_val *v)
{
	struct order_name name;
	struct order o;

	if (!name_of(c, k, &name))
		return;
	if (get_order(&o, name.instance, name.number, v->mv_data, v->mv_size,
		      NULL)) {
		wrong(c, "%s/%" PRId64 " cannot be read", name.instance,
		      name.number);
		return;
	}
	for (size_t i = 0; i < o.n_offers; i++)
		check_lists_of(c, &o, &o.offers[i]);
	check_derived(c, &o);
	check_json_of(c, &o, T_DETAILS, o.has_details);
	check_json_of(c, &o, T_ADDRESSES, o.has_address);
	check_fetch_of(c, &o);
	count_doubt(c, &o);
	order_release(&o);
}

static void check_json(struct check *c, const MDB_val *k, const MDB_val *v)
{
	struct order_name name;
	struct order o;

	(void)v;
	if (!name_of(c, k, &name))
		return;
	if (!order_there(c, name.instance, name.number, &o)) {
		wrong(c, "%s/%" PRId64 ": there is no such order",
		      name.instance, name.number);
		return;
	}
	if (!(c->table == T_DETAILS ? o.has_details : o.has_address))
		wrong(c, "%s/%" PRId64 ": the order does not know of it",
		      name.instance, name.number);
	order_release(&o);
}

/* Checks a row of `lists` or `done`: its offer exists and belongs there. */
static void check_listed(struct check *c, const MDB_val *k, const MDB_val *v)
{
	struct key_reader kr = reader_of(k);
	char instance[INSTANCE_SIZE];
	const struct offer *f;
	struct order o;
	int64_t warehouse, rank, number;
	unsigned list = LIST_DONE;

	key_get_str(&kr, instance, sizeof(instance));
	warehouse = key_get_i64(&kr);
	if (c->table == T_LISTS)
		list = key_get_u8(&kr);
	rank = key_get_i64(&kr);
	number = key_get_i64(&kr);
	if (kr.bad || kr.left || v->mv_size) {
		wrong(c, "a row that cannot be read");
		return;
	}
	if (!order_there(c, instance, number, &o)) {
		wrong(c, "%s/%" PRId64 ": there is no such order", instance,
		      number);
		return;
	}
	f = order_offer(&o, warehouse);
	if (!f || list != f->list ||
	    rank != (c->table == T_LISTS ? rank_of(f) : o.updated))
		wrong(c, "%s/%" PRId64 ": a row of %" PRId64 " that the order "
			 "does not have", instance, number, warehouse);
	order_release(&o);
}

/* Checks the entries of a row of the journal: their numbers follow each other,
 * from that of the row on. */
static void check_entry(struct check *c, const MDB_val *k, const MDB_val *v)
{
	struct order_name name;
	struct entries entries;
	struct entry entry;
	uint64_t seq, last = 0;
	enum rc rc = OK;

	if (!name_of(c, k, &name))
		return;
	seq = key_get_u64(&name.rest);
	if (txn_last(c->t, "journal", &last, c->e) == RC_IO)
		c->rc = RC_IO;
	entries_init(&entries, seq, v->mv_data, v->mv_size);
	while (!rc) {
		rc = get_entry(&entry, &entries, NULL);
		entry_release(&entry);
	}
	if (rc != RC_NOTFOUND)
		wrong(c, "%s/%" PRId64 ": line %" PRIu64 " cannot be read",
		      name.instance, name.number, entries.seq - 1);
	if (name.rest.bad || name.rest.left || !seq || entries.seq - 1 > last)
		wrong(c, "%s/%" PRId64 ": line %" PRIu64 " was never given "
			 "out", name.instance, name.number, entries.seq - 1);
}

static void check_change(struct check *c, const MDB_val *k, const MDB_val *v)
{
	uint64_t seq = number_of(c, k, "changes");
	struct order_name name;
	struct order o;

	if (!name_of(c, v, &name))
		return;
	if (order_there(c, name.instance, name.number, &o))
		order_release(&o);
	else
		wrong(c, "%" PRIu64 ": there is no order %s/%" PRId64, seq,
		      name.instance, name.number);
}

/* ---- tasks ---- */

static struct key *task_name_of(struct key *k, const struct task *t)
{
	key_i64(key_str(key_start(k), t->instance), t->number);
	return key_i64(key_str(k, t->kind), t->sub);
}

/* Counts a waiting task by the API that it calls. */
static void count_waiting(struct check *c, const struct task *t)
{
	struct waits *w = c->waits;

	if (t->dead || !t->group)
		return;
	for (size_t i = 0; i < c->n_waits; i++, w++)
		if (w->group == t->group &&
		    !strcmp(w->instance, t->instance)) {
			w->tasks++;
			return;
		}
	c->waits = xrealloc(c->waits, c->n_waits + 1, sizeof(*c->waits));
	w = &c->waits[c->n_waits++];
	*w = (struct waits){.group = t->group, .tasks = 1};
	memcpy(w->instance, t->instance, sizeof(w->instance));
}

static struct key *due_of(struct key *k, const struct task *t)
{
	key_str(key_u8(key_start(k), t->lane), t->instance);
	key_i64(key_str(key_u8(k, t->group), t->kind), t->due);
	return key_u64(k, t->id);
}

static void check_task(struct check *c, const MDB_val *k, const MDB_val *v)
{
	uint64_t id = number_of(c, k, "tasks");
	struct key name, due, dead;
	struct task t;
	MDB_val row;

	if (get_task(&t, id, v->mv_data, v->mv_size, NULL)) {
		wrong(c, "task %" PRIu64 " cannot be read", id);
		return;
	}
	if (!leads_to(c, T_TASK_NAMES, task_name_of(&name, &t), id))
		wrong(c, "task %" PRIu64 " is not in `task_names`", id);
	due_of(&due, &t);
	key_u64(key_start(&dead), id);
	count_waiting(c, &t);
	if (there(c, T_DUE, &due, &row) == t.dead)
		wrong(c, t.dead ? "task %" PRIu64 " is dead and in `due`"
				: "task %" PRIu64 " will never run: it is not "
				  "in `due`", id);
	if (there(c, T_DEAD, &dead, &row) != t.dead)
		wrong(c, t.dead ? "task %" PRIu64 " is dead and not in `dead`"
				: "task %" PRIu64 " waits and is in `dead`",
		      id);
	task_release(&t);
}

static void check_task_name(struct check *c, const MDB_val *k,
			    const MDB_val *v)
{
	struct key_reader kr = reader_of(v);
	uint64_t id = key_get_u64(&kr);
	struct task t;
	struct key at;

	if (kr.bad || kr.left || task_load(c->t, id, &t, NULL)) {
		wrong(c, "there is no task %" PRIu64, id);
		return;
	}
	task_name_of(&at, &t);
	if (!same_key(&at, k))
		wrong(c, "task %" PRIu64 " has another name", id);
	task_release(&t);
}

static void check_due(struct check *c, const MDB_val *k, const MDB_val *v)
{
	struct key_reader kr = reader_of(k), vr = reader_of(v);
	char kind[TASK_KIND_SIZE], instance[INSTANCE_SIZE];
	struct key at;
	struct task t;
	uint64_t id;

	key_get_u8(&kr);
	key_get_str(&kr, instance, sizeof(instance));
	key_get_u8(&kr);
	key_get_str(&kr, kind, sizeof(kind));
	key_get_i64(&kr);
	id = key_get_u64(&kr);
	if (kr.bad || kr.left || task_load(c->t, id, &t, NULL)) {
		wrong(c, "there is no task %" PRIu64, id);
		return;
	}
	if (t.dead || !same_key(due_of(&at, &t), k))
		wrong(c, "task %" PRIu64 " does not stand where it says", id);
	else if (key_get_i64(&vr) != t.number || vr.bad || vr.left)
		wrong(c, "task %" PRIu64 " is of another order", id);
	task_release(&t);
}

static void check_dead(struct check *c, const MDB_val *k, const MDB_val *v)
{
	struct key_reader kr = reader_of(k);
	uint64_t id = key_get_u64(&kr);
	struct task t;

	if (!empty(c, v, id))
		return;
	if (kr.bad || kr.left || task_load(c->t, id, &t, NULL)) {
		wrong(c, "there is no task %" PRIu64, id);
		return;
	}
	if (!t.dead)
		wrong(c, "task %" PRIu64 " does not stand where it says", id);
	task_release(&t);
}

static void check_waiting(struct check *c, const MDB_val *k, const MDB_val *v)
{
	struct key_reader kr = reader_of(k), vr = reader_of(v);
	uint64_t counted = key_get_u64(&vr), are = 0;
	char instance[INSTANCE_SIZE];
	unsigned group;

	key_get_str(&kr, instance, sizeof(instance));
	group = key_get_u8(&kr);
	if (kr.bad || kr.left || vr.bad || vr.left) {
		wrong(c, "a row that cannot be read");
		return;
	}
	for (size_t i = 0; i < c->n_waits; i++) {
		struct waits *w = &c->waits[i];

		if (w->group != group || strcmp(w->instance, instance) != 0)
			continue;
		w->counted = true;
		are = w->tasks;
	}
	if (are != counted)
		wrong(c, "%" PRIu64 " tasks of '%s' wait for API %u and "
			 "%" PRIu64 " are counted",
		      are, instance, group, counted);
}

/* ---- documents ---- */

/* Makes the key of the list of a document. */
static struct key *doc_list_of(struct key *k, const struct doc *d)
{
	return key_str(key_str(key_str(key_start(k), d->kind), d->instance),
		       d->list);
}

static struct doc_list **bucket_of(struct check *c, const void *key, size_t n)
{
	const unsigned char *b = key;
	uint32_t hash = 2166136261U; /* FNV-1a */

	for (size_t i = 0; i < n; i++)
		hash = (hash ^ b[i]) * 16777619U;
	return &c->doc_lists[(hash ^ hash >> 16) % DOC_BUCKETS];
}

/* Returns the list with that key; NULL: no document is in it. */
static struct doc_list *find_doc_list(struct check *c, const void *key,
				      size_t n)
{
	struct doc_list *l = *bucket_of(c, key, n);

	while (l && (l->key.n != n || memcmp(l->key.b, key, n) != 0))
		l = l->next;
	return l;
}

static void count_doc(struct check *c, const struct doc *d)
{
	struct doc_list *l, **bucket;
	struct key k;

	doc_list_of(&k, d);
	l = find_doc_list(c, k.b, k.n);
	if (!l) {
		bucket = bucket_of(c, k.b, k.n);
		l = xcalloc(1, sizeof(*l));
		l->key = k;
		l->next = *bucket;
		*bucket = l;
	}
	l->docs++;
}

static void check_doc(struct check *c, const MDB_val *k, const MDB_val *v)
{
	struct key_reader kr = reader_of(k);
	struct doc d = {0};
	uint64_t last = 0;
	struct key place;
	MDB_val row;

	key_get_str(&kr, d.kind, sizeof(d.kind));
	key_get_str(&kr, d.instance, sizeof(d.instance));
	key_get_str(&kr, d.key, sizeof(d.key));
	if (kr.bad || kr.left ||
	    get_doc(&d, v->mv_data, v->mv_size, NULL)) {
		wrong(c, "%s/%s of '%s' cannot be read", d.kind, d.key,
		      d.instance);
		return;
	}
	if (txn_last(c->t, "docs", &last, c->e) == RC_IO)
		c->rc = RC_IO;
	if (d.rev > last)
		wrong(c, "%s/%s: its number %" PRIu64 " was never given out",
		      d.kind, d.key, d.rev);
	count_doc(c, &d);
	key_str(key_i64(doc_list_of(&place, &d), d.at), d.key);
	if (*d.list && !there(c, T_DOC_LISTS, &place, &row))
		wrong(c, "%s/%s is not in its list '%s'", d.kind, d.key,
		      d.list);
	doc_release(&d);
}

/* Checks a row of `doc_lists`: its document exists and stands there. */
static void check_doc_listed(struct check *c, const MDB_val *k,
			     const MDB_val *v)
{
	struct key_reader kr = reader_of(k);
	char list[DOC_LIST_SIZE];
	struct doc d = {0};
	struct key name;
	int64_t at;
	MDB_val row;

	key_get_str(&kr, d.kind, sizeof(d.kind));
	key_get_str(&kr, d.instance, sizeof(d.instance));
	key_get_str(&kr, list, sizeof(list));
	at = key_get_i64(&kr);
	key_get_str(&kr, d.key, sizeof(d.key));
	if (kr.bad || kr.left || v->mv_size) {
		wrong(c, "a row that cannot be read");
		return;
	}
	key_str(key_str(key_str(key_start(&name), d.kind), d.instance), d.key);
	if (!there(c, T_DOCS, &name, &row)) {
		wrong(c, "there is no document %s/%s", d.kind, d.key);
		return;
	}
	if (get_doc(&d, row.mv_data, row.mv_size, NULL))
		return; /* reported already, as a fault of the document */
	if (d.at != at || strcmp(d.list, list) != 0)
		wrong(c, "%s/%s does not stand where it says", d.kind, d.key);
	doc_release(&d);
}

static void check_doc_count(struct check *c, const MDB_val *k,
			    const MDB_val *v)
{
	struct doc_list *l = find_doc_list(c, k->mv_data, k->mv_size);
	struct key_reader vr = reader_of(v);
	uint64_t counted = key_get_u64(&vr), are = l ? l->docs : 0;

	if (vr.bad || vr.left) {
		wrong(c, "a row that cannot be read");
		return;
	}
	if (l)
		l->counted = true;
	if (are != counted)
		wrong(c, "%" PRIu64 " documents are in a list and %" PRIu64
			 " are counted", are, counted);
}

/* Checks that each list with documents is counted. */
static void check_doc_lists_all_counted(struct check *c)
{
	struct doc_list *l;

	c->table = T_DOC_COUNTS;
	for (size_t i = 0; i < DOC_BUCKETS; i++)
		while ((l = c->doc_lists[i])) {
			if (!c->rc && !l->counted)
				wrong(c, "%" PRIu64 " documents are in a list "
					 "and are not counted", l->docs);
			c->doc_lists[i] = l->next;
			free(l);
		}
	free(c->doc_lists);
}

/* ---- quarantine ---- */

static void check_quarantined(struct check *c, const MDB_val *k,
			      const MDB_val *v)
{
	uint64_t seq = number_of(c, k, "quarantine");
	struct quarantined q;
	struct key at;
	MDB_val row;

	if (get_quarantined(&q, seq, v->mv_data, v->mv_size, NULL)) {
		wrong(c, "%" PRIu64 " cannot be read", seq);
		return;
	}
	key_u8(key_str(key_start(&at), q.instance), (uint8_t)q.kind);
	if (q.kind != QUARANTINED_UNREAD &&
	    !there(c, T_BOUNDED, key_u64(&at, seq), &row))
		wrong(c, "%" PRIu64 " is not in `bounded`: it would stay for "
			 "ever", seq);
	key_u8(key_str(key_start(&at), q.instance), (uint8_t)q.kind);
	key_bytes(&at, q.digest, sizeof(q.digest));
	if (quarantine_is_keyed(&q) && !leads_to(c, T_BOUNDED_SEEN, &at, seq))
		wrong(c, "%" PRIu64 " is not in `bounded_seen`", seq);
	quarantined_release(&q);
}

/* Checks a row of the tables `bounded` or `bounded_seen`. */
static void check_bounded(struct check *c, const MDB_val *k, const MDB_val *v)
{
	struct key_reader kr = reader_of(k), vr = reader_of(v);
	char instance[INSTANCE_SIZE];
	struct quarantined q;
	unsigned kind;
	struct key at;
	uint64_t seq, number = key_get_u64(&vr);
	MDB_val row;

	key_get_str(&kr, instance, sizeof(instance));
	kind = key_get_u8(&kr);
	seq = c->table == T_BOUNDED ? key_get_u64(&kr) : number;
	if (kr.bad || vr.bad || vr.left || kind >= QUARANTINE_KINDS) {
		wrong(c, "a row that cannot be read");
		return;
	}
	if (!there(c, T_QUARANTINE, key_u64(key_start(&at), seq), &row)) {
		wrong(c, "%" PRIu64 " is not in quarantine", seq);
		return;
	}
	if (get_quarantined(&q, seq, row.mv_data, row.mv_size, NULL))
		return; /* reported already, as a fault of the entry */
	key_u8(key_str(key_start(&at), q.instance), (uint8_t)q.kind);
	if (c->table == T_BOUNDED)
		key_u64(&at, seq);
	else
		key_bytes(&at, q.digest, sizeof(q.digest));
	if ((c->table == T_BOUNDED && q.kind == QUARANTINED_UNREAD) ||
	    !same_key(&at, k))
		wrong(c, "%" PRIu64 " is another than is said", seq);
	else if (c->table == T_BOUNDED && number != q.len)
		wrong(c, "%" PRIu64 " has %zu bytes and not %" PRIu64, seq,
		      q.len, number);
	quarantined_release(&q);
}

/* ---- devices ---- */

static bool device_there(struct check *c, uint64_t id, struct device *ret)
{
	struct key k;
	MDB_val v;

	return there(c, T_DEVICES, key_u64(key_start(&k), id), &v) &&
	       !get_device(ret, id, v.mv_data, v.mv_size, NULL);
}

static void check_device(struct check *c, const MDB_val *k, const MDB_val *v)
{
	uint64_t id = number_of(c, k, "devices");
	struct device d;

	if (get_device(&d, id, v->mv_data, v->mv_size, NULL))
		wrong(c, "device %" PRIu64 " cannot be read", id);
	else
		c->may_act += !d.removed;
}

/* Checks a row of `tokens`, `codes` or `sessions`: its device exists and may
 * act. */
static void check_token(struct check *c, const MDB_val *k, const MDB_val *v)
{
	struct key_reader kr = reader_of(v);
	uint64_t id = key_get_u64(&kr);
	struct device d;

	if (c->table != T_TOKENS)
		(void)key_get_i64(&kr); /* the time at which it ends or began */
	if (kr.bad || k->mv_size != TOKEN_HASH_SIZE)
		wrong(c, "a row that cannot be read");
	else if (!device_there(c, id, &d))
		wrong(c, "there is no device %" PRIu64, id);
	else if (d.removed)
		wrong(c, "device %" PRIu64 " was removed and may still act",
		      id);
}

/* Reads when a key of `once` was used.  False: its row cannot be read. */
static bool once_at(const MDB_val *v, int64_t *ret)
{
	unsigned char request[ONCE_HASH];
	struct reader r;

	reader_init(&r, v->mv_data, v->mv_size);
	(void)get_u8(&r);
	get_bytes(&r, request, sizeof(request));
	*ret = get_i64(&r);
	return !r.bad;
}

static void check_once(struct check *c, const MDB_val *k, const MDB_val *v)
{
	struct key age;
	int64_t at;
	MDB_val row;

	if (!once_at(v, &at) || k->mv_size != 8 + ONCE_HASH) {
		wrong(c, "a row that cannot be read");
		return;
	}
	key_bytes(key_i64(key_start(&age), at), k->mv_data, k->mv_size);
	if (!there(c, T_ONCE_AGE, &age, &row))
		wrong(c, "a key that would be kept for ever");
}

static void check_once_age(struct check *c, const MDB_val *k, const MDB_val *v)
{
	struct key_reader kr = reader_of(k);
	int64_t at = key_get_i64(&kr), used;
	struct key key;
	MDB_val row;

	if (!empty(c, v, 0))
		return;
	key_start(&key);
	if (kr.left == 8 + ONCE_HASH)
		key_bytes(&key, kr.p, kr.left);
	if (!key.n || !there(c, T_ONCE, &key, &row))
		wrong(c, "there is no such key");
	else if (once_at(&row, &used) && used != at)
		wrong(c, "a key that was used at another time");
}

static void check_meta(struct check *c, const MDB_val *k, const MDB_val *v)
{
	static const struct {
		const char *begins;
		size_t least; /* bytes of the value */
	} rows[] = {
		{"schema", 4},
		{"steps", 4},
		{"next:", 8},
		{"secret:", 1 + 2 * SECRET_PRINT + 2 * 8},
		{"epoch", 8},
		{"file", 16},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		size_t n = strlen(rows[i].begins);

		if (k->mv_size >= n &&
		    !memcmp(k->mv_data, rows[i].begins, n) &&
		    v->mv_size < rows[i].least)
			wrong(c, "'%s...' cannot be read", rows[i].begins);
	}
}

/* ---- all of them ---- */

typedef void check_fn(struct check *c, const MDB_val *k, const MDB_val *v);

static check_fn *const checks[TABLES] = {
	[T_META] = check_meta,
	[T_EVENTS] = check_event,
	[T_SEEN] = check_seen,
	[T_ORDERS] = check_order,
	[T_DETAILS] = check_json,
	[T_ADDRESSES] = check_json,
	[T_LISTS] = check_listed,
	[T_JOURNAL] = check_entry,
	[T_CHANGES] = check_change,
	[T_TASKS] = check_task,
	[T_TASK_NAMES] = check_task_name,
	[T_DUE] = check_due,
	[T_DEAD] = check_dead,
	[T_QUARANTINE] = check_quarantined,
	[T_DEVICES] = check_device,
	[T_TOKENS] = check_token,
	[T_CODES] = check_token,
	[T_SESSIONS] = check_token,
	[T_DONE] = check_listed,
	[T_ONCE] = check_once,
	[T_ONCE_AGE] = check_once_age,
	[T_BOUNDED] = check_bounded,
	[T_BOUNDED_SEEN] = check_bounded,
	[T_WAITING] = check_waiting, /* must come after T_TASKS, whose walk
				      * counts the tasks */
	[T_DOCS] = check_doc,
	[T_DOC_LISTS] = check_doc_listed,
	[T_DOC_COUNTS] = check_doc_count, /* must come after T_DOCS, whose walk
					   * counts the documents */
};

static void check_table(struct check *c, enum table table)
{
	struct walk w = {0};
	enum rc rc;

	c->table = table;
	c->ret->tables[table].name = table_names[table];
	rc = walk_open(&w, c->t, table, NULL, 0, c->e);
	while (!rc && !c->rc) {
		rc = walk_next(&w, c->e);
		if (rc)
			break;
		c->ret->tables[table].rows++;
		if (checks[table])
			checks[table](c, &w.k, &w.v);
	}
	walk_close(&w);
	if (rc && rc != RC_NOTFOUND)
		c->rc = rc;
}

/* Checks that no token's row is missing.  Only that row names its device, so a
 * missing one shows in the number alone: each device has one token until it is
 * removed. */
static void check_tokens_all_there(struct check *c)
{
	uint64_t tokens = c->ret->tables[T_TOKENS].rows;

	c->table = T_TOKENS;
	if (!c->rc && tokens < c->may_act)
		wrong(c, "%" PRIu64 " devices may act and %" PRIu64 " have a "
			 "token", c->may_act, tokens);
}

/* Checks that each stored counter equals the number of rows that it counts. */
static void check_counts(struct check *c)
{
	uint64_t counted = 0;

	c->table = T_META;
	if (!c->rc)
		c->rc = txn_last(c->t, COUNT_IN_DOUBT, &counted, c->e);
	if (!c->rc && counted != c->in_doubt)
		wrong(c, "%" PRIu64 " orders are in doubt and %" PRIu64
			 " are counted", c->in_doubt, counted);
	c->table = T_WAITING;
	for (size_t i = 0; !c->rc && i < c->n_waits; i++)
		if (!c->waits[i].counted)
			wrong(c, "%" PRIu64 " tasks of '%s' wait for API %u "
				 "and are not counted",
			      c->waits[i].tasks, c->waits[i].instance,
			      c->waits[i].group);
}

enum rc lmdb_verify(struct store *s,
		    void (*tell)(void *arg, const char *table,
				 const char *what),
		    void *arg, struct store_verified *ret, struct err *e)
{
	struct check c = {.tell = tell, .arg = arg, .ret = ret, .e = e};
	struct txn t;

	*ret = (struct store_verified){.n = TABLES};
	c.t = &t;
	c.rc = txn_read(&t, s, e);
	if (c.rc)
		return c.rc;
	c.doc_lists = xcalloc(DOC_BUCKETS, sizeof(struct doc_list *));
	for (int i = 0; !c.rc && i < TABLES; i++)
		check_table(&c, (enum table)i);
	check_tokens_all_there(&c);
	check_counts(&c);
	check_doc_lists_all_counted(&c);
	free(c.waits);
	txn_abort(&t);
	return c.rc;
}
