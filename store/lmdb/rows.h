/* SPDX-License-Identifier: MIT
 *
 * rows.h - implements store/rules/rows.h with the rows of LMDB's tables.
 */
#ifndef STORE_LMDB_ROWS_H
#define STORE_LMDB_ROWS_H

#include "store/lmdb/store_private.h"

extern const struct rows_engine lmdb_rows;

/* Walks a listing (engine.walk; in listings.c). */
enum rc lmdb_walk(struct rows *r, enum listing which,
		  const struct listing_from *from, row_fn *fn, void *arg,
		  struct err *e);
/* Moves an offer to its places in `lists` and `done`. */
enum rc list_offer(struct txn *t, const struct order *before,
		   const struct order *after, const struct offer *is,
		   struct err *e);

/* Drops rows of `changes` that are too old to be kept, up to two for each that
 * the transaction has put. */
enum rc drop_old_changes(struct txn *t, struct err *e);
/* Removes an offer from its places in `lists` and `done`. */
enum rc unlist_offer(struct txn *t, const struct order *o,
		     const struct offer *f, struct err *e);

/* tasks.c */
enum rc lmdb_task(struct rows *r, uint64_t id, struct task *ret,
		  struct err *e);
enum rc lmdb_task_named(struct rows *r, const struct task *name,
			struct task *ret, struct err *e);
enum rc lmdb_task_name(struct rows *r, const struct task *of, uint64_t id,
		       struct task *ret, struct err *e);
enum rc lmdb_task_exists(struct rows *r, const struct task *name, bool *ret,
			 struct err *e);
enum rc lmdb_has_task(struct rows *r, const char *instance, int64_t number,
		      bool *ret, struct err *e);
enum rc lmdb_task_of_kind(struct rows *r, const struct task *of,
			  const char *kind, bool *ret, struct err *e);
enum rc lmdb_new_task(struct rows *r, struct task *task, struct err *e);
enum rc lmdb_put_task(struct rows *r, const struct task *was,
		      const struct task *is, struct err *e);
enum rc lmdb_del_task(struct rows *r, const struct task *task, struct err *e);
enum rc lmdb_del_unread_task(struct rows *r, uint64_t id, struct err *e);
enum rc lmdb_del_due(struct rows *r, const struct due_row *row, struct err *e);
enum rc lmdb_newest_tasks(struct rows *r, struct task *ret, size_t max,
			  size_t *ret_n, struct err *e);

/* rows_events.c */
enum rc lmdb_room(struct rows *r, struct err *e);
enum rc lmdb_event(struct rows *r, uint64_t seq, struct event *ret,
		   struct err *e);
enum rc lmdb_event_new(struct rows *r, const char *instance,
		       const struct event *ev, uint64_t *ret_seq,
		       struct err *e);
enum rc lmdb_put_event(struct rows *r, const char *instance, int64_t received,
		       const struct event *ev, struct err *e);

enum rc lmdb_newest_event(struct rows *r, uint64_t *ret, struct err *e);
enum rc lmdb_del_event(struct rows *r, const struct event *ev, struct err *e);

/* rows_devices.c */
enum rc lmdb_device(struct rows *r, uint64_t id, struct device *ret,
		    struct err *e);
enum rc lmdb_new_device(struct rows *r, uint64_t *ret, struct err *e);
enum rc lmdb_credential(struct rows *r, enum credential kind,
			const unsigned char *hash, struct device *ret,
			int64_t *ret_at, struct err *e);
enum rc lmdb_devices(struct rows *r, uint64_t from, bool suspended,
		     struct device *ret, size_t max, size_t *ret_n,
		     struct err *e);
enum rc lmdb_odd_sessions(struct rows *r, int64_t before, int64_t now,
			  struct held_credential *ret, size_t max,
			  size_t *ret_n, struct err *e);
enum rc lmdb_put_device(struct rows *r, const struct device *d,
			struct err *e);
enum rc lmdb_skip_devices(struct rows *r, unsigned n, struct err *e);
enum rc lmdb_put_credential(struct rows *r, enum credential kind,
			    const struct held_credential *c, struct err *e);
enum rc lmdb_del_credential(struct rows *r, enum credential kind,
			    const unsigned char *hash, struct err *e);
enum rc lmdb_del_credentials_of(struct rows *r, enum credential kind,
				uint64_t device, struct err *e);
enum rc lmdb_del_credentials_before(struct rows *r, enum credential kind,
				    int64_t at, struct err *e);

/* rows_docs.c */
enum rc lmdb_doc(struct rows *r, struct doc *io, struct err *e);
enum rc lmdb_put_doc(struct rows *r, const struct doc *d, struct err *e);
enum rc lmdb_del_doc(struct rows *r, const struct doc *name, struct err *e);
/* Begins the key of a document's place in a list; at and the key follow. */
struct key *doc_list_key(struct key *k, const char *kind, const char *instance,
			 const char *list);

/* rows_quarantine.c */
enum rc lmdb_quarantined(struct rows *r, uint64_t seq, struct quarantined *ret,
			 struct err *e);
enum rc lmdb_quarantined_like(struct rows *r, const struct quarantined *q,
			      struct err *e);
enum rc lmdb_put_quarantined(struct rows *r, const struct quarantined *q,
			     struct err *e);
enum rc lmdb_del_quarantined(struct rows *r, uint64_t seq, struct err *e);
enum rc lmdb_trim_quarantine(struct rows *r, const char *instance,
			     enum quarantine_kind kind, size_t n,
			     uint64_t bytes, struct err *e);

#endif
