/* SPDX-License-Identifier: MIT
 *
 * engine.h - what an engine implements; an engine keeps a store.  LMDB is the
 * only one today.
 *
 * An engine is a row of the table in store/engines/engines.c.  Its own
 * `struct store` begins with a struct store_base, and its transactions begin
 * with a struct rows: through these the rules know them.
 */
#ifndef STORE_RULES_ENGINE_H
#define STORE_RULES_ENGINE_H

#include <stdatomic.h>
#include <stddef.h>

#include "store/rules/leases.h"
#include "store/rules/op.h"
#include "store/rules/rows.h"
#include "store/store.h"

/* The kinds of listings of store.h.  Each row is given to a row_fn as a pointer
 * to the struct named here. */
enum listing {
	LISTING_LISTED,	    /* struct listed; `listed` of listing_from says of
			     * which list */
	LISTING_DONE_SINCE, /* struct listed */
	LISTING_JOURNAL,    /* struct entry */
	LISTING_EVENTS,	    /* struct event */
	LISTING_ORDERS,	    /* struct order */
	LISTING_TASKS,	    /* struct task */
	LISTING_DEAD,	    /* struct task: only dead tasks */
	LISTING_QUARANTINE, /* struct quarantined */
	LISTING_DEVICES,    /* struct device */
	LISTING_CHANGES,    /* struct changed */
	LISTING_DOCS,	    /* struct doc, by their keys: of a kind and instance
			     * (NULL: of all), from the key `key` on */
	LISTING_DOCS_LISTED, /* struct doc: those in the list `doc_list` of a kind
			      * and instance, behind doc_after */
	LISTING_DOC_COUNTS, /* struct doc_count: of a kind (NULL: of all) */
	LISTING_ENDED,	    /* struct ended: each offer in a list "done" of any
			     * instance and warehouse, sorted by instance,
			     * warehouse, the order's last change and its
			     * number.  Begins behind the row (instance,
			     * warehouse, since, number) */
};

/* An offer that has ended, as LISTING_ENDED gives it. */
struct ended {
	struct order_id order;
	int64_t warehouse;
	int64_t updated; /* of the order */
};

/* Where a listing begins.  Each kind uses the fields that fit its rows. */
struct listing_from {
	const char *instance; /* NULL: rows of all instances */
	int64_t number;	      /* the number of the order; for LISTING_ORDERS: of
			       * the first */
	int64_t warehouse;
	enum list list;
	const struct listed *after; /* NULL: begin with the first row */
	int64_t since;		    /* of DONE_SINCE */
	const char *kind, *key, *doc_list; /* of documents */
	const struct doc_place *doc_after; /* NULL: begin with the first row */
	uint64_t seq; /* the number of the first event, change, ... */
};

/* False: no more. */
typedef bool row_fn(void *arg, const void *row);

/* The functions of rows.h, as an engine implements them.  Puts return what is
 * in their way; the first failure of an op is kept, and the puts after it are
 * not made. */
struct rows_engine {
	/* All want_ functions and fetch() may be NULL in an engine that reads
	 * only when a row is asked for. */
	void (*want_order)(struct rows *r, const char *instance, int64_t number,
			   unsigned parts);
	void (*want_task)(struct rows *r, uint64_t id);
	void (*want_event)(struct rows *r, uint64_t seq);
	void (*want_event_new)(struct rows *r, const char *instance,
			       const struct event *ev);
	void (*want_once)(struct rows *r, const struct once *o);
	void (*want_device)(struct rows *r, uint64_t id);
	void (*want_new_device)(struct rows *r);
	void (*want_credential)(struct rows *r, enum credential kind,
				const unsigned char *hash);
	void (*want_quarantined)(struct rows *r, uint64_t seq);
	void (*want_quarantined_like)(struct rows *r,
				      const struct quarantined *q);
	void (*want_doc)(struct rows *r, const char *kind, const char *instance,
			 const char *key);
	void (*want_secret_use)(struct rows *r, const char *instance);
	void (*want_count)(struct rows *r, const char *name);
	enum rc (*fetch)(struct rows *r, struct err *e);

	enum rc (*order)(struct rows *r, const char *instance, int64_t number,
			 struct order *ret, struct err *e);
	enum rc (*json)(struct rows *r, const char *instance, int64_t number,
			enum part which, const char **ret, size_t *ret_len,
			struct err *e);
	enum rc (*task)(struct rows *r, uint64_t id, struct task *ret,
			struct err *e);
	enum rc (*task_named)(struct rows *r, const struct task *name,
			      struct task *ret, struct err *e);
	enum rc (*task_name)(struct rows *r, const struct task *of, uint64_t id,
			     struct task *ret, struct err *e);
	enum rc (*task_exists)(struct rows *r, const struct task *name,
			       bool *ret, struct err *e);
	enum rc (*event)(struct rows *r, uint64_t seq, struct event *ret,
			 struct err *e);
	enum rc (*event_new)(struct rows *r, const char *instance,
			     const struct event *ev, uint64_t *ret_seq,
			     struct err *e);
	enum rc (*has_task)(struct rows *r, const char *instance,
			    int64_t number, bool *ret, struct err *e);
	enum rc (*task_of_kind)(struct rows *r, const struct task *of,
				const char *kind, bool *ret, struct err *e);
	enum rc (*room)(struct rows *r, struct err *e); /* NULL: there is */
	enum rc (*once)(struct rows *r, struct once *io, struct err *e);
	enum rc (*device)(struct rows *r, uint64_t id, struct device *ret,
			  struct err *e);
	enum rc (*new_device)(struct rows *r, uint64_t *ret, struct err *e);
	enum rc (*credential)(struct rows *r, enum credential kind,
			      const unsigned char *hash, struct device *ret,
			      int64_t *ret_at, struct err *e);
	enum rc (*quarantined)(struct rows *r, uint64_t seq,
			       struct quarantined *ret, struct err *e);
	enum rc (*quarantined_like)(struct rows *r, const struct quarantined *q,
				    struct err *e);
	enum rc (*doc)(struct rows *r, struct doc *io, struct err *e);
	enum rc (*secret_use)(struct rows *r, const char *instance,
			      struct secret_use *ret, struct err *e);
	enum rc (*count)(struct rows *r, const char *name, uint64_t *ret,
			 struct err *e);

	enum rc (*devices)(struct rows *r, uint64_t from, bool suspended,
			   struct device *ret, size_t max, size_t *ret_n,
			   struct err *e);
	enum rc (*odd_sessions)(struct rows *r, int64_t before, int64_t now,
				struct held_credential *ret, size_t max,
				size_t *ret_n, struct err *e);
	enum rc (*addresses)(struct rows *r, const struct order_id *after,
			     struct order_id *ret, size_t max, size_t *ret_n,
			     struct err *e);
	enum rc (*newest_event)(struct rows *r, uint64_t *ret, struct err *e);
	enum rc (*newest_tasks)(struct rows *r, struct task *ret, size_t max,
				size_t *ret_n, struct err *e);
	enum rc (*waiting)(struct rows *r,
			   void (*fn)(void *arg, const char *instance,
				      unsigned group, uint64_t tasks),
			   void *arg, struct err *e);
	enum rc (*walk)(struct rows *r, enum listing which,
			const struct listing_from *from, row_fn *fn, void *arg,
			struct err *e);

	enum rc (*queue_open)(struct queue **ret, struct rows *r,
			      struct err *e);
	void (*queue_close)(struct queue *q);
	enum rc (*queue_bucket)(struct queue *q, struct queue_place *at,
				struct due_row *ret, struct err *e);
	void (*queue_from)(struct queue *q, const struct bucket *b,
			   int64_t due, uint64_t id);
	enum rc (*queue_next)(struct queue *q, struct due_row *ret,
			      struct err *e);
	enum rc (*queue_of_order)(struct queue *q, const char *instance,
				  int64_t number, uint64_t *ret, size_t max,
				  size_t *ret_n, struct err *e);
	enum rc (*queue_task)(struct queue *q, uint64_t id, struct task *ret,
			      struct err *e);

	enum rc (*put_event)(struct rows *r, const char *instance,
			     int64_t received, const struct event *ev,
			     struct err *e);
	enum rc (*put_order)(struct rows *r, const struct order *before,
			     const struct order *after, struct err *e);
	enum rc (*put_json)(struct rows *r, const char *instance,
			    int64_t number, enum part which, const char *text,
			    struct err *e);
	enum rc (*put_entry)(struct rows *r, const char *instance,
			    int64_t number, const struct entry *n,
			    struct err *e);
	enum rc (*put_change)(struct rows *r, const struct order *o,
			      struct err *e);
	/* Sets the task's id. */
	enum rc (*new_task)(struct rows *r, struct task *t, struct err *e);
	enum rc (*put_task)(struct rows *r, const struct task *was,
			    const struct task *is, struct err *e);
	enum rc (*del_task)(struct rows *r, const struct task *t,
			    struct err *e);
	enum rc (*del_unread_task)(struct rows *r, uint64_t id, struct err *e);
	enum rc (*del_due)(struct rows *r, const struct due_row *row,
			   struct err *e);
	enum rc (*put_once)(struct rows *r, const struct once *o,
			    struct err *e);
	enum rc (*del_once_until)(struct rows *r, int64_t at, unsigned n,
				  struct err *e);
	enum rc (*put_device)(struct rows *r, const struct device *d,
			      struct err *e);
	enum rc (*skip_devices)(struct rows *r, unsigned n, struct err *e);
	enum rc (*put_credential)(struct rows *r, enum credential kind,
				  const struct held_credential *c,
				  struct err *e);
	enum rc (*del_credential)(struct rows *r, enum credential kind,
				  const unsigned char *hash, struct err *e);
	enum rc (*del_credentials_of)(struct rows *r, enum credential kind,
				      uint64_t device, struct err *e);
	enum rc (*del_credentials_before)(struct rows *r, enum credential kind,
					  int64_t at, struct err *e);
	enum rc (*put_quarantined)(struct rows *r, const struct quarantined *q,
				   struct err *e);
	enum rc (*del_quarantined)(struct rows *r, uint64_t seq,
				   struct err *e);
	enum rc (*trim_quarantine)(struct rows *r, const char *instance,
				   enum quarantine_kind kind, size_t n,
				   uint64_t bytes, struct err *e);
	enum rc (*put_doc)(struct rows *r, const struct doc *d, struct err *e);
	enum rc (*del_doc)(struct rows *r, const struct doc *name,
			   struct err *e);
	enum rc (*put_secret_use)(struct rows *r, const char *instance,
				  const struct secret_use *u, struct err *e);
	enum rc (*add_count)(struct rows *r, const char *name, int64_t n,
			     struct err *e);
	enum rc (*del_event)(struct rows *r, const struct event *ev,
			     struct err *e);
	enum rc (*del_order)(struct rows *r, const struct order *o,
			     struct err *e);
	enum rc (*del_entries)(struct rows *r, const char *instance,
			       int64_t number, uint64_t until, struct err *e);
	enum rc (*del_changes)(struct rows *r, uint64_t until, struct err *e);
};

struct engine {
	const char *scheme; /* the beginning of its URLs, with the colon:
			     * "lmdb:" */
	const struct rows_engine *rows;

	/* `place` is the part of the URL behind the scheme.  See store_open(),
	 * store_close() and store_exists(). */
	enum rc (*open)(struct store **ret, const char *place,
			const struct store_options *o, struct err *e);
	void (*close)(struct store *s);
	bool (*exists)(const char *place);

	/* See op.h for writing, and rows.h for reading. */
	enum rc (*write)(struct store *s, struct op *op, size_t size,
			 struct store_done *done, struct err *e);
	void (*write_all)(struct store *s, struct op *const *ops, size_t n);
	enum rc (*read_begin)(struct rows **ret, struct store *s,
			      struct err *e);
	void (*read_end)(struct rows *r);

	enum rc (*stats)(struct store *s, struct store_stats *ret,
			 struct err *e);
	uint64_t (*newest_change)(struct store *s);
	enum rc (*newest_time)(struct store *s, int64_t *ret, struct err *e);

	/* What an engine may lack.  NULL: it cannot do it. */
	enum rc (*backup)(struct store *s, const char *file, struct err *e);
	enum rc (*compact)(const char *place, struct store_compacted *ret,
			   struct err *e);
	enum rc (*room)(struct store *s, struct store_room *ret,
			struct err *e);
	enum rc (*verify)(struct store *s,
			  void (*tell)(void *arg, const char *table,
				       const char *what),
			  void *arg, struct store_verified *ret,
			  struct err *e);
};

/* What all engines have in common.  Each engine defines its own `struct store`,
 * which begins with `struct store_base base`: STORE_BEGINS_WITH_BASE, after the
 * definition, makes the compiler check that.  store_base_of() and
 * store_read_base() are then the only casts. */
struct store_base {
	const struct engine *engine;
	bool serve, strict;
	store_derive_fn *derive;
	void *derive_arg;
	store_follow_fn *follow; /* or NULL */
	void *follow_arg;
	store_apply_fn *apply; /* or NULL */
	const char *const *event_kinds;
	store_place_fn *place; /* or NULL */
	char fetch_kind[TASK_KIND_SIZE]; /* "": none */
	store_changed_fn *changed;
	void *changed_arg;
	store_failed_fn *_Atomic failed; /* set once it is open */
	void *failed_arg;
	store_remade_fn *remade; /* or NULL */
	void *remade_arg;
	atomic_flag told; /* store_tell_failure() was called */
	struct err why;   /* how the disk failed; set before why_known, and
			   * never changed afterwards */
	atomic_bool why_known;
	/* The engine's open() sets all three; see store_epoch(),
	 * store_origin(), store_renewed(). */
	uint64_t epoch;
	int64_t renewed;
	enum store_origin origin;
	atomic_bool damaged; /* the engine read what it did not write */
	struct leases leases;
};

#define STORE_BEGINS_WITH_BASE                                                \
	_Static_assert(offsetof(struct store, base) == 0,                     \
		       "a struct store begins with its base")

static inline struct store_base *store_base_of(struct store *s)
{
	return (struct store_base *)s;
}

static inline const struct store_base *store_read_base(const struct store *s)
{
	return (const struct store_base *)s;
}

static inline const struct engine *store_engine(const struct store *s)
{
	return store_read_base(s)->engine;
}

/* Takes over the options into a zeroed base.  RC_INVALID: fetch_kind is too
 * long to be the kind of a task.  Release the base in any case. */
enum rc store_base_init(struct store_base *b, const struct engine *engine,
			const struct store_options *o, struct err *e);
void store_base_release(struct store_base *b);

/* Calls store_failed_fn, once: the disk has failed.  Any thread. */
void store_tell_failure(struct store_base *b, const struct err *why);

/* RC_INVALID: the text cannot be an instance's name. */
enum rc check_instance(const char *instance, struct err *e);

/* ---- the beginning of every engine's transaction ---- */

/* Every engine's reading of the queue begins with this. */
struct queue {
	struct rows *rows;
};

struct row_name; /* what a rule named */

/* The value of rows.cost that is enough for one transaction, since all other
 * writes wait for it: some 200 ms. */
#define ROWS_COST 4000

struct rows {
	struct store *store;
	enum rc rc; /* OK, or the failure of the first put that failed */
	struct err e; /* and why */
	size_t puts;  /* so many, by all ops */
	size_t cost;  /* orders that were changed, and their offers, by all ops
		       * so far */
	struct row_name *named; /* owned; while strict */
	size_t n_named, named_cap;
};

/* Begins and ends the head of a transaction. */
void rows_init(struct rows *r, struct store *s);
void rows_release(struct rows *r); /* may be called for a zeroed one */

/* Runs one op on the rows: it names, is given what it named, and runs.  Returns
 * the op's own result, or that of the first put that failed. */
enum rc rows_run(struct rows *r, struct op *op, struct err *e);

/* Walks a listing as the op's rows see it (engine.walk); costs a round trip.
 * RC_INVALID: rows were skipped, since they cannot be read; all others were
 * given. */
enum rc rows_walk(struct rows *r, enum listing which,
		  const struct listing_from *from, row_fn *fn, void *arg,
		  struct err *e);

/* Walks a listing as it is at one moment (engine.walk). */
enum rc store_walk(struct store *s, enum listing which,
		   const struct listing_from *from, row_fn *fn, void *arg,
		   struct err *e);

#endif
