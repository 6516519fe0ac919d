/* SPDX-License-Identifier: MIT
 *
 * rows.c - the functions of rows.h: they check what was named, keep the first
 * put that failed, and call the engine.
 */
#include "store/rules/rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/rules/engine.h"

enum row_kind {
	ROW_ORDER,
	ROW_DETAILS, /* plus a part: ROW_DETAILS + PART_ADDRESS is the
		      * address */
	ROW_ADDRESS,
	ROW_TASKS,
	ROW_TASK,
	ROW_EVENT,
	ROW_EVENT_NEW,
	ROW_ONCE,
	ROW_DEVICE,
	ROW_NEW_DEVICE,
	ROW_CREDENTIAL,
	ROW_QUARANTINED,
	ROW_QUARANTINED_LIKE,
	ROW_DOC,
	ROW_SECRET_USE,
	ROW_COUNT,
};

/* The name of a row.  Names are compared byte by byte: begin with memset(). */
struct row_name {
	enum row_kind kind;
	char text[INSTANCE_SIZE];
	uint64_t number, more;
	unsigned char hash[TOKEN_HASH_SIZE];
};

_Static_assert(ONCE_HASH <= TOKEN_HASH_SIZE && EVENT_DIGEST_SIZE <= ONCE_HASH,
	       "a name holds each of them");

static const struct rows_engine *engine_of(const struct rows *r)
{
	return store_base_of(r->store)->engine->rows;
}

static bool is_strict(const struct rows *r)
{
	return store_base_of(r->store)->strict;
}

void rows_init(struct rows *r, struct store *s)
{
	*r = (struct rows){.store = s};
}

void rows_release(struct rows *r)
{
	free(r->named);
	r->named = NULL;
	r->n_named = r->named_cap = 0;
}

enum rc rows_check(struct rows *r, struct err *e)
{
	enum rc rc = r->rc;

	if (rc && e)
		*e = r->e;
	r->rc = OK;
	return rc;
}

enum rc rows_run(struct rows *r, struct op *op, struct err *e)
{
	enum rc rc;

	r->rc = OK;
	r->n_named = 0;
	if (op->want)
		op->want(r, op);
	rc = rows_fetch(r, e);
	if (!rc)
		rc = op->run(r, op, e);
	return r->rc ? rows_check(r, e) : rc;
}

/* ---- naming ---- */

static void name_it(struct row_name *ret, enum row_kind kind, const char *text,
		    uint64_t number, const unsigned char *hash, size_t len)
{
	memset(ret, 0, sizeof(*ret));
	ret->kind = kind;
	ret->number = number;
	if (text)
		memcpy(ret->text, text, strnlen(text, sizeof(ret->text) - 1));
	if (hash)
		memcpy(ret->hash, hash, len);
}

static void remember(struct rows *r, const struct row_name *name)
{
	if (r->n_named == r->named_cap) {
		r->named_cap = r->named_cap ? 2 * r->named_cap : 16;
		r->named = xrealloc(r->named, r->named_cap, sizeof(*r->named));
	}
	r->named[r->n_named++] = *name;
}

/* A failure here fails the op, whatever the rule makes of it. */
static enum rc was_named(struct rows *r, const struct row_name *name,
			 struct err *e)
{
	for (size_t i = 0; i < r->n_named; i++)
		if (!memcmp(&r->named[i], name, sizeof(*name)))
			return OK;
	r->rc = fail(&r->e, RC_INVALID,
		     "a rule reads a row (%d, %s%s%llu) that it did not name",
		     (int)name->kind, name->text, *name->text ? "/" : "",
		     (unsigned long long)name->number);
	if (e)
		*e = r->e;
	return r->rc;
}

static void want(struct rows *r, enum row_kind kind, const char *text,
		 uint64_t number, const unsigned char *hash, size_t len)
{
	struct row_name name;

	if (!is_strict(r))
		return;
	name_it(&name, kind, text, number, hash, len);
	remember(r, &name);
}

/* RC_INVALID in a strict store: this row, which is read, was not named. */
static enum rc named(struct rows *r, enum row_kind kind, const char *text,
		     uint64_t number, const unsigned char *hash, size_t len,
		     struct err *e)
{
	struct row_name name;

	if (!is_strict(r))
		return OK;
	name_it(&name, kind, text, number, hash, len);
	return was_named(r, &name, e);
}

void want_order(struct rows *r, const char *instance, int64_t number,
		unsigned parts)
{
	want(r, ROW_ORDER, instance, (uint64_t)number, NULL, 0);
	if (parts & WANT_DETAILS)
		want(r, ROW_DETAILS, instance, (uint64_t)number, NULL, 0);
	if (parts & WANT_ADDRESS)
		want(r, ROW_ADDRESS, instance, (uint64_t)number, NULL, 0);
	if (parts & WANT_TASKS)
		want(r, ROW_TASKS, instance, (uint64_t)number, NULL, 0);
	if (engine_of(r)->want_order)
		engine_of(r)->want_order(r, instance, number, parts);
}

void want_task(struct rows *r, uint64_t id)
{
	want(r, ROW_TASK, NULL, id, NULL, 0);
	if (engine_of(r)->want_task)
		engine_of(r)->want_task(r, id);
}

void want_event(struct rows *r, uint64_t seq)
{
	want(r, ROW_EVENT, NULL, seq, NULL, 0);
	if (engine_of(r)->want_event)
		engine_of(r)->want_event(r, seq);
}

/* A row_name holds only a part of what identifies an event; the engine compares
 * all of it. */
void want_event_new(struct rows *r, const char *instance,
		    const struct event *ev)
{
	want(r, ROW_EVENT_NEW, instance, (uint64_t)ev->id, ev->digest,
	     EVENT_DIGEST_SIZE);
	if (engine_of(r)->want_event_new)
		engine_of(r)->want_event_new(r, instance, ev);
}

void want_once(struct rows *r, const struct once *o)
{
	want(r, ROW_ONCE, NULL, o->device, o->key, ONCE_HASH);
	if (engine_of(r)->want_once)
		engine_of(r)->want_once(r, o);
}

void want_device(struct rows *r, uint64_t id)
{
	want(r, ROW_DEVICE, NULL, id, NULL, 0);
	if (engine_of(r)->want_device)
		engine_of(r)->want_device(r, id);
}

void want_new_device(struct rows *r)
{
	want(r, ROW_NEW_DEVICE, NULL, 0, NULL, 0);
	if (engine_of(r)->want_new_device)
		engine_of(r)->want_new_device(r);
}

void want_credential(struct rows *r, enum credential kind,
		     const unsigned char hash[TOKEN_HASH_SIZE])
{
	want(r, ROW_CREDENTIAL, NULL, kind, hash, TOKEN_HASH_SIZE);
	if (engine_of(r)->want_credential)
		engine_of(r)->want_credential(r, kind, hash);
}

void want_quarantined(struct rows *r, uint64_t seq)
{
	want(r, ROW_QUARANTINED, NULL, seq, NULL, 0);
	if (engine_of(r)->want_quarantined)
		engine_of(r)->want_quarantined(r, seq);
}

void want_quarantined_like(struct rows *r, const struct quarantined *q)
{
	want(r, ROW_QUARANTINED_LIKE, q->instance, q->kind, q->digest,
	     EVENT_DIGEST_SIZE);
	if (engine_of(r)->want_quarantined_like)
		engine_of(r)->want_quarantined_like(r, q);
}

/* A row_name holds no key of a document: a hash stands for its kind and key. */
static uint64_t doc_number(const char *kind, const char *key)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (const char *c = kind; *c; c++)
		h = (h ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
	for (const char *c = key; *c; c++)
		h = (h ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
	return h;
}

void want_doc(struct rows *r, const char *kind, const char *instance,
	      const char *key)
{
	want(r, ROW_DOC, instance, doc_number(kind, key), NULL, 0);
	if (engine_of(r)->want_doc)
		engine_of(r)->want_doc(r, kind, instance, key);
}

void want_secret_use(struct rows *r, const char *instance)
{
	want(r, ROW_SECRET_USE, instance, 0, NULL, 0);
	if (engine_of(r)->want_secret_use)
		engine_of(r)->want_secret_use(r, instance);
}

void want_count(struct rows *r, const char *name)
{
	want(r, ROW_COUNT, name, 0, NULL, 0);
	if (engine_of(r)->want_count)
		engine_of(r)->want_count(r, name);
}

enum rc rows_fetch(struct rows *r, struct err *e)
{
	return engine_of(r)->fetch ? engine_of(r)->fetch(r, e) : OK;
}

/* ---- reading ---- */

enum rc row_order(struct rows *r, const char *instance, int64_t number,
		  struct order *ret, struct err *e)
{
	enum rc rc = named(r, ROW_ORDER, instance, (uint64_t)number, NULL, 0,
			   e);

	return rc ? rc : engine_of(r)->order(r, instance, number, ret, e);
}

enum rc row_json(struct rows *r, const char *instance, int64_t number,
		 enum part which, const char **ret, size_t *ret_len,
		 struct err *e)
{
	enum rc rc = named(r, ROW_DETAILS + which, instance, (uint64_t)number,
			   NULL, 0, e);

	*ret = NULL;
	*ret_len = 0;
	return rc ? rc : engine_of(r)->json(r, instance, number, which, ret,
					    ret_len, e);
}

enum rc row_task(struct rows *r, uint64_t id, struct task *ret, struct err *e)
{
	enum rc rc = named(r, ROW_TASK, NULL, id, NULL, 0, e);

	return rc ? rc : engine_of(r)->task(r, id, ret, e);
}

enum rc row_task_named(struct rows *r, const struct task *name,
		       struct task *ret, struct err *e)
{
	enum rc rc = named(r, ROW_TASKS, name->instance, (uint64_t)name->number,
			   NULL, 0, e);

	*ret = (struct task){0};
	return rc ? rc : engine_of(r)->task_named(r, name, ret, e);
}

enum rc row_task_name(struct rows *r, const struct task *of, uint64_t id,
		      struct task *ret, struct err *e)
{
	enum rc rc = named(r, ROW_TASKS, of->instance, (uint64_t)of->number,
			   NULL, 0, e);

	*ret = (struct task){0};
	return rc ? rc : engine_of(r)->task_name(r, of, id, ret, e);
}

enum rc row_task_exists(struct rows *r, const struct task *name, bool *ret,
			struct err *e)
{
	enum rc rc = named(r, ROW_TASKS, name->instance, (uint64_t)name->number,
			   NULL, 0, e);

	*ret = false;
	return rc ? rc : engine_of(r)->task_exists(r, name, ret, e);
}

enum rc row_event(struct rows *r, uint64_t seq, struct event *ret,
		  struct err *e)
{
	enum rc rc = named(r, ROW_EVENT, NULL, seq, NULL, 0, e);

	return rc ? rc : engine_of(r)->event(r, seq, ret, e);
}

enum rc row_event_new(struct rows *r, const char *instance,
		      const struct event *ev, uint64_t *ret_seq,
		      struct err *e)
{
	enum rc rc = named(r, ROW_EVENT_NEW, instance, (uint64_t)ev->id,
			   ev->digest, EVENT_DIGEST_SIZE, e);

	*ret_seq = 0;
	return rc ? rc : engine_of(r)->event_new(r, instance, ev, ret_seq, e);
}

enum rc row_task_of_kind(struct rows *r, const struct task *of,
			 const char *kind, bool *ret, struct err *e)
{
	enum rc rc = named(r, ROW_TASKS, of->instance, (uint64_t)of->number,
			   NULL, 0, e);

	*ret = false;
	return rc ? rc : engine_of(r)->task_of_kind(r, of, kind, ret, e);
}

enum rc row_has_task(struct rows *r, const char *instance, int64_t number,
		     bool *ret, struct err *e)
{
	enum rc rc = named(r, ROW_TASKS, instance, (uint64_t)number, NULL, 0,
			   e);

	*ret = false;
	return rc ? rc : engine_of(r)->has_task(r, instance, number, ret, e);
}

enum rc rows_room(struct rows *r, struct err *e)
{
	return engine_of(r)->room ? engine_of(r)->room(r, e) : OK;
}

bool rows_claim(struct rows *r, const char *instance, int64_t number)
{
	return order_claim(&store_base_of(r->store)->leases, instance, number);
}

enum rc row_once(struct rows *r, struct once *io, struct err *e)
{
	enum rc rc = named(r, ROW_ONCE, NULL, io->device, io->key, ONCE_HASH,
			   e);

	return rc ? rc : engine_of(r)->once(r, io, e);
}

enum rc row_device(struct rows *r, uint64_t id, struct device *ret,
		   struct err *e)
{
	enum rc rc = named(r, ROW_DEVICE, NULL, id, NULL, 0, e);

	return rc ? rc : engine_of(r)->device(r, id, ret, e);
}

enum rc row_new_device(struct rows *r, uint64_t *ret, struct err *e)
{
	enum rc rc = named(r, ROW_NEW_DEVICE, NULL, 0, NULL, 0, e);

	return rc ? rc : engine_of(r)->new_device(r, ret, e);
}

enum rc row_credential(struct rows *r, enum credential kind,
		       const unsigned char hash[TOKEN_HASH_SIZE],
		       struct device *ret, int64_t *ret_at, struct err *e)
{
	enum rc rc = named(r, ROW_CREDENTIAL, NULL, kind, hash,
			   TOKEN_HASH_SIZE, e);

	return rc ? rc : engine_of(r)->credential(r, kind, hash, ret, ret_at,
						  e);
}

enum rc row_quarantined(struct rows *r, uint64_t seq, struct quarantined *ret,
			struct err *e)
{
	enum rc rc = named(r, ROW_QUARANTINED, NULL, seq, NULL, 0, e);

	return rc ? rc : engine_of(r)->quarantined(r, seq, ret, e);
}

enum rc row_quarantined_like(struct rows *r, const struct quarantined *q,
			     struct err *e)
{
	enum rc rc = named(r, ROW_QUARANTINED_LIKE, q->instance, q->kind,
			   q->digest, EVENT_DIGEST_SIZE, e);

	return rc ? rc : engine_of(r)->quarantined_like(r, q, e);
}

enum rc row_doc(struct rows *r, struct doc *io, struct err *e)
{
	enum rc rc = named(r, ROW_DOC, io->instance,
			   doc_number(io->kind, io->key), NULL, 0, e);

	return rc ? rc : engine_of(r)->doc(r, io, e);
}

enum rc row_secret_use(struct rows *r, const char *instance,
		       struct secret_use *ret, struct err *e)
{
	enum rc rc = named(r, ROW_SECRET_USE, instance, 0, NULL, 0, e);

	return rc ? rc : engine_of(r)->secret_use(r, instance, ret, e);
}

enum rc row_count(struct rows *r, const char *name, uint64_t *ret,
		  struct err *e)
{
	enum rc rc = named(r, ROW_COUNT, name, 0, NULL, 0, e);

	*ret = 0;
	return rc ? rc : engine_of(r)->count(r, name, ret, e);
}

/* ---- ranges ---- */

enum rc rows_devices(struct rows *r, uint64_t from, bool suspended,
		     struct device *ret, size_t max, size_t *ret_n,
		     struct err *e)
{
	return engine_of(r)->devices(r, from, suspended, ret, max, ret_n, e);
}

enum rc rows_newest_tasks(struct rows *r, struct task *ret, size_t max,
			  size_t *ret_n, struct err *e)
{
	return engine_of(r)->newest_tasks(r, ret, max, ret_n, e);
}

enum rc rows_newest_event(struct rows *r, uint64_t *ret, struct err *e)
{
	*ret = 0;
	return engine_of(r)->newest_event(r, ret, e);
}

enum rc rows_waiting(struct rows *r,
		     void (*fn)(void *arg, const char *instance,
				unsigned group, uint64_t tasks),
		     void *arg, struct err *e)
{
	return engine_of(r)->waiting(r, fn, arg, e);
}

enum rc rows_odd_sessions(struct rows *r, int64_t before, int64_t now,
			  struct held_credential *ret, size_t max,
			  size_t *ret_n, struct err *e)
{
	return engine_of(r)->odd_sessions(r, before, now, ret, max, ret_n, e);
}

enum rc rows_addresses(struct rows *r, const struct order_id *after,
		       struct order_id *ret, size_t max, size_t *ret_n,
		       struct err *e)
{
	return engine_of(r)->addresses(r, after, ret, max, ret_n, e);
}

/* ---- writing ---- */

/* Makes a put, unless an earlier one has failed. */
#define PUT(r, call, ...)                                                      \
	do {                                                                   \
		(r)->puts++;                                                   \
		if (!(r)->rc)                                                  \
			(r)->rc = engine_of(r)->call((r), __VA_ARGS__,         \
						     &(r)->e);                 \
	} while (0)

void put_event(struct rows *r, const char *instance, int64_t received,
	       const struct event *ev)
{
	PUT(r, put_event, instance, received, ev);
}

void put_order(struct rows *r, const struct order *before,
	       const struct order *after)
{
	PUT(r, put_order, before, after);
}

void put_json(struct rows *r, const char *instance, int64_t number,
	      enum part which, const char *text)
{
	PUT(r, put_json, instance, number, which, text);
}

void put_entry(struct rows *r, const char *instance, int64_t number,
	      const struct entry *n)
{
	PUT(r, put_entry, instance, number, n);
}

void put_change(struct rows *r, const struct order *o)
{
	PUT(r, put_change, o);
}

void put_new_task(struct rows *r, const struct task *t, uint64_t *ret_id)
{
	struct task task = *t; /* a copy, since the engine sets its id */

	PUT(r, new_task, &task);
	if (ret_id)
		*ret_id = task.id;
}

void put_task(struct rows *r, const struct task *was, const struct task *is)
{
	PUT(r, put_task, was, is);
}

void del_task(struct rows *r, const struct task *t)
{
	PUT(r, del_task, t);
}

void del_unread_task(struct rows *r, uint64_t id)
{
	PUT(r, del_unread_task, id);
}

void del_due(struct rows *r, const struct due_row *row)
{
	PUT(r, del_due, row);
}

void put_once(struct rows *r, const struct once *o)
{
	PUT(r, put_once, o);
}

void del_once_until(struct rows *r, int64_t at, unsigned n)
{
	PUT(r, del_once_until, at, n);
}

void put_device(struct rows *r, const struct device *d)
{
	PUT(r, put_device, d);
}

void skip_devices(struct rows *r, unsigned n)
{
	PUT(r, skip_devices, n);
}

void put_credential(struct rows *r, enum credential kind,
		    const struct held_credential *c)
{
	PUT(r, put_credential, kind, c);
}

void del_credential(struct rows *r, enum credential kind,
		    const unsigned char hash[TOKEN_HASH_SIZE])
{
	PUT(r, del_credential, kind, hash);
}

void del_credentials_of(struct rows *r, enum credential kind, uint64_t device)
{
	PUT(r, del_credentials_of, kind, device);
}

void del_credentials_before(struct rows *r, enum credential kind, int64_t at)
{
	PUT(r, del_credentials_before, kind, at);
}

void put_quarantined(struct rows *r, const struct quarantined *q)
{
	PUT(r, put_quarantined, q);
}

void del_quarantined(struct rows *r, uint64_t seq)
{
	PUT(r, del_quarantined, seq);
}

void trim_quarantine(struct rows *r, const char *instance,
		     enum quarantine_kind kind, size_t n, uint64_t bytes)
{
	PUT(r, trim_quarantine, instance, kind, n, bytes);
}

void put_doc(struct rows *r, const struct doc *d)
{
	PUT(r, put_doc, d);
}

void del_doc(struct rows *r, const struct doc *name)
{
	PUT(r, del_doc, name);
}

void put_secret_use(struct rows *r, const char *instance,
		    const struct secret_use *u)
{
	PUT(r, put_secret_use, instance, u);
}

void add_count(struct rows *r, const char *name, int64_t n)
{
	PUT(r, add_count, name, n);
}

void del_event(struct rows *r, const struct event *ev)
{
	PUT(r, del_event, ev);
}

void del_order(struct rows *r, const struct order *o)
{
	PUT(r, del_order, o);
}

void del_entries(struct rows *r, const char *instance, int64_t number,
		 uint64_t until)
{
	PUT(r, del_entries, instance, number, until);
}

void del_changes(struct rows *r, uint64_t until)
{
	PUT(r, del_changes, until);
}

/* ---- the queue ---- */

enum rc queue_open(struct queue **ret, struct rows *r, struct err *e)
{
	*ret = NULL;
	return engine_of(r)->queue_open(ret, r, e);
}

void queue_close(struct queue *q)
{
	if (q)
		engine_of(q->rows)->queue_close(q);
}

enum rc queue_bucket(struct queue *q, struct queue_place *at,
		     struct due_row *ret, struct err *e)
{
	return engine_of(q->rows)->queue_bucket(q, at, ret, e);
}

void queue_from(struct queue *q, const struct bucket *b, int64_t due,
		uint64_t id)
{
	engine_of(q->rows)->queue_from(q, b, due, id);
}

enum rc queue_next(struct queue *q, struct due_row *ret, struct err *e)
{
	return engine_of(q->rows)->queue_next(q, ret, e);
}

enum rc queue_of_order(struct queue *q, const char *instance, int64_t number,
		       uint64_t *ret, size_t max, size_t *ret_n,
		       struct err *e)
{
	return engine_of(q->rows)->queue_of_order(q, instance, number, ret, max,
					       ret_n, e);
}

enum rc queue_task(struct queue *q, uint64_t id, struct task *ret,
		   struct err *e)
{
	return engine_of(q->rows)->queue_task(q, id, ret, e);
}
