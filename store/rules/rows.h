/* SPDX-License-Identifier: MIT
 *
 * rows.h - what a transaction reads and writes, in the words of the domain.
 *
 * Rules are written over this alone; each engine implements it (engine.h).  A
 * rule names what it will read (want_...), fetches it, reads it (row_...), and
 * puts what follows from it (put_..., add_..., del_...).  A database answers
 * everything that was named in one round trip and takes everything that was put
 * in another; LMDB reads and writes at once.  A rule may name and fetch again
 * when what it read leads to more.
 *
 * Naming:  reading what was not named since the op began returns RC_INVALID in
 *          stores opened with `strict` (tests), so that a rule that would cost
 *          a database a round trip for each row fails on every engine.
 * Puts:    return nothing.  The first one that fails fails the op, with its
 *          sentence.  A rule does not read what it has put.
 * Memory:  arguments are borrowed for the call.  What row_...() hands out as a
 *          value is the caller's to release; a pointer into a row is good until
 *          the next put.
 * Errors:  row_...() return RC_NOTFOUND without a sentence: it is often fine.
 *          RC_INVALID: it is there and cannot be read.
 */
#ifndef STORE_RULES_ROWS_H
#define STORE_RULES_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "store/store.h"

struct rows;

/* The JSON texts that are kept beside an order. */
enum part { PART_DETAILS, PART_ADDRESS, PARTS };
#define WANT_DETAILS (1u << PART_DETAILS)
#define WANT_ADDRESS (1u << PART_ADDRESS)
#define WANT_TASKS   (1u << PARTS) /* the order's own */

/* The value that replaces an address when it is removed.  Without it, the order
 * would be fetched again and its address stored again. */
#define ADDRESS_REMOVED "{}"

/* The kinds of credentials: a device is let in by the hash of a secret.  Their
 * time `at`: none for a token; a code's expiry; a session's beginning. */
enum credential {
	CREDENTIAL_TOKEN,
	CREDENTIAL_CODE,
	CREDENTIAL_SESSION,
	CREDENTIALS,
};

struct held_credential {
	unsigned char hash[TOKEN_HASH_SIZE];
	uint64_t device;
	int64_t at;
};

/* The name of an order. */
struct order_id {
	char instance[INSTANCE_SIZE];
	int64_t number;
};

/* ---- the queue ----
 *
 * The tasks that wait lie in buckets.  A bucket holds the tasks of one lane,
 * instance, API and kind, by the time that they are due, and then by id.  A
 * search goes from bucket to bucket, of which there are few, whatever the number
 * of tasks; the engine finds the next bucket without a walk through the rows
 * between.  The buckets lie in the order of lane, instance, API and kind.
 */

struct bucket {
	uint8_t lane;
	char instance[INSTANCE_SIZE];
	uint8_t group;
	char kind[TASK_KIND_SIZE];
};

/* A task that waits. */
struct due_row {
	struct bucket bucket;
	int64_t due;
	uint64_t id;
	int64_t number; /* the order's */
};

/* A place among the buckets.  `part` says which of the fields are used. */
struct queue_place {
	enum { AT_LANE, AT_INSTANCE, BEHIND_INSTANCE, BEHIND_BUCKET } part;
	uint8_t lane; /* of the first three */
	char instance[INSTANCE_SIZE];
	struct bucket bucket; /* of BEHIND_BUCKET */
};

/* A reading of the queue, as these rows see it.  Close it before any put and
 * before the rows; also if it could not be opened.  Nothing need be named; each
 * call may cost a round trip. */
struct queue;
enum rc queue_open(struct queue **ret, struct rows *r, struct err *e);
void queue_close(struct queue *q); /* NULL is fine */

/* Reads the first row of the first bucket at or behind *at, and moves *at
 * behind that bucket.  RC_NOTFOUND: no further bucket. */
enum rc queue_bucket(struct queue *q, struct queue_place *at,
		     struct due_row *ret, struct err *e);
/* queue_from() has queue_next() return the rows of a bucket, from (due, id) on.
 * RC_NOTFOUND: there are no more. */
void queue_from(struct queue *q, const struct bucket *b, int64_t due,
		uint64_t id);
enum rc queue_next(struct queue *q, struct due_row *ret, struct err *e);
/* Reads the ids of up to `max` tasks of an order, dead ones included. */
enum rc queue_of_order(struct queue *q, const char *instance, int64_t number,
		       uint64_t *ret, size_t max, size_t *ret_n,
		       struct err *e);
/* Reads a task by its id; the caller releases it. */
enum rc queue_task(struct queue *q, uint64_t id, struct task *ret,
		   struct err *e);

/* ---- naming ---- */

/* Names an order's row, which is locked against other writers, and parts of it
 * (WANT_...). */
void want_order(struct rows *r, const char *instance, int64_t number,
		unsigned parts);
void want_task(struct rows *r, uint64_t id);
void want_event(struct rows *r, uint64_t seq);
/* Names what tells whether an event is new, for row_event_new(). */
void want_event_new(struct rows *r, const char *instance,
		    const struct event *ev);
void want_once(struct rows *r, const struct once *o);
void want_device(struct rows *r, uint64_t id);
void want_new_device(struct rows *r);
void want_credential(struct rows *r, enum credential kind,
		     const unsigned char hash[TOKEN_HASH_SIZE]);
void want_quarantined(struct rows *r, uint64_t seq);
/* Names the entry of the quarantine with the same instance, kind and digest. */
void want_quarantined_like(struct rows *r, const struct quarantined *q);
void want_doc(struct rows *r, const char *kind, const char *instance,
	      const char *key);
void want_secret_use(struct rows *r, const char *instance);
void want_count(struct rows *r, const char *name);

/* Fetches the rows that were named since the last fetch. */
enum rc rows_fetch(struct rows *r, struct err *e);

/* ---- reading what was named ---- */

/* Reads an order.  An order that was never heard of is returned empty
 * (first_seen 0). */
enum rc row_order(struct rows *r, const char *instance, int64_t number,
		  struct order *ret, struct err *e);
enum rc row_json(struct rows *r, const char *instance, int64_t number,
		 enum part which, const char **ret, size_t *ret_len,
		 struct err *e);
enum rc row_task(struct rows *r, uint64_t id, struct task *ret,
		 struct err *e);
/* Reads the task that has this name (instance, number, kind, sub).  RC_INVALID:
 * ret->id is its id, as far as that can be read, else 0. */
enum rc row_task_named(struct rows *r, const struct task *name,
		       struct task *ret, struct err *e);
/* Finds the name of a task of the order that `of` is about: sets the name in
 * *ret and nothing else.  RC_NOTFOUND: no name leads to the id. */
enum rc row_task_name(struct rows *r, const struct task *of, uint64_t id,
		      struct task *ret, struct err *e);
/* Sets *ret: a task with this name exists, waiting, running or dead. */
enum rc row_task_exists(struct rows *r, const struct task *name, bool *ret,
			struct err *e);
/* Sets *ret: the order has a task, whatever its kind, waiting, running or
 * dead. */
enum rc row_has_task(struct rows *r, const char *instance, int64_t number,
		     bool *ret, struct err *e);
/* Sets *ret: a task of the kind waits or runs for the order that `of` is about;
 * one whose row cannot be read counts unless it is dead. */
enum rc row_task_of_kind(struct rows *r, const struct task *of,
			 const char *kind, bool *ret, struct err *e);
enum rc row_event(struct rows *r, uint64_t seq, struct event *ret,
		  struct err *e);
/* RC_EXISTS: the event is stored already, perhaps by this transaction.
 * Otherwise *ret_seq is the number under which it is to be put. */
enum rc row_event_new(struct rows *r, const char *instance,
		      const struct event *ev, uint64_t *ret_seq,
		      struct err *e);
/* Reads a key of a request: io->device and io->key name it; request, at, rc and
 * code are filled in. */
enum rc row_once(struct rows *r, struct once *io, struct err *e);
enum rc row_device(struct rows *r, uint64_t id, struct device *ret,
		   struct err *e);
/* Reserves the id of the next device, which no device had before. */
enum rc row_new_device(struct rows *r, uint64_t *ret, struct err *e);
/* Reads the device of a credential, and the credential's time. */
enum rc row_credential(struct rows *r, enum credential kind,
		       const unsigned char hash[TOKEN_HASH_SIZE],
		       struct device *ret, int64_t *ret_at, struct err *e);
enum rc row_quarantined(struct rows *r, uint64_t seq, struct quarantined *ret,
			struct err *e);
/* RC_NOTFOUND: the quarantine has no entry with the same instance, kind and
 * digest. */
enum rc row_quarantined_like(struct rows *r, const struct quarantined *q,
			     struct err *e);
/* Reads the document that *io names; rev 0: there is none.  The caller releases
 * it. */
enum rc row_doc(struct rows *r, struct doc *io, struct err *e);
/* Reads the use of an instance's secrets; all zero if none was stored. */
enum rc row_secret_use(struct rows *r, const char *instance,
		       struct secret_use *ret, struct err *e);
/* Reads a counter; 0 if nothing was counted. */
enum rc row_count(struct rows *r, const char *name, uint64_t *ret,
		  struct err *e);

/* Checks the room that is left.  RC_FULL, with a sentence: deliveries must be
 * refused. */
enum rc rows_room(struct rows *r, struct err *e);
/* Claims an order that was named: no run of the order begins until the
 * transaction has ended.  False: a run holds the order. */
bool rows_claim(struct rows *r, const char *instance, int64_t number);

/* ---- reading a range; costs a round trip each ---- */

/* Reads up to max devices that are not removed, whose id is `from` or more, and
 * that are suspended or not. */
enum rc rows_devices(struct rows *r, uint64_t from, bool suspended,
		     struct device *ret, size_t max, size_t *ret_n,
		     struct err *e);
/* Reads up to max sessions that began before `before` or after `now`. */
enum rc rows_odd_sessions(struct rows *r, int64_t before, int64_t now,
			  struct held_credential *ret, size_t max,
			  size_t *ret_n, struct err *e);
/* Reads up to max of the newest tasks that are still stored. */
enum rc rows_newest_tasks(struct rows *r, struct task *ret, size_t max,
			  size_t *ret_n, struct err *e);
/* Reads the number of the newest event; 0: there was none. */
enum rc rows_newest_event(struct rows *r, uint64_t *ret, struct err *e);
/* Calls fn for each API of each instance with the number of tasks that wait and
 * call it. */
enum rc rows_waiting(struct rows *r,
		     void (*fn)(void *arg, const char *instance,
				unsigned group, uint64_t tasks),
		     void *arg, struct err *e);
/* Reads the names of up to max orders that have an address, behind `after` (an
 * empty instance: from the first). */
enum rc rows_addresses(struct rows *r, const struct order_id *after,
		       struct order_id *ret, size_t max, size_t *ret_n,
		       struct err *e);

/* ---- writing ---- */

/* Puts a new event, under ev->seq. */
void put_event(struct rows *r, const char *instance, int64_t received,
	       const struct event *ev);
/* Puts the order's row, its offers and their places in the lists. */
void put_order(struct rows *r, const struct order *before,
	       const struct order *after);
void put_json(struct rows *r, const char *instance, int64_t number,
	      enum part which, const char *text); /* NULL: none any more */
void put_entry(struct rows *r, const char *instance, int64_t number,
	      const struct entry *n);
/* Puts the news that the order changed.  The engine numbers changes in the
 * order of their commits. */
void put_change(struct rows *r, const struct order *o);
/* Puts a new task; *ret_id (may be NULL) is its id when the transaction
 * commits, or earlier. */
void put_new_task(struct rows *r, const struct task *t, uint64_t *ret_id);
/* Puts a task as it is now; `was` is the task as it was. */
void put_task(struct rows *r, const struct task *was, const struct task *is);
void del_task(struct rows *r, const struct task *t);
/* Deletes the row of a task that cannot be read; its name, which a new task
 * takes over, and its place in the queue stay. */
void del_unread_task(struct rows *r, uint64_t id);
/* Deletes a place in the queue. */
void del_due(struct rows *r, const struct due_row *row);
void put_once(struct rows *r, const struct once *o);
/* Deletes up to n keys that were used at `at` or before, the oldest first. */
void del_once_until(struct rows *r, int64_t at, unsigned n);
void put_device(struct rows *r, const struct device *d);
/* Skips n ids: no device that is added later gets one of them. */
void skip_devices(struct rows *r, unsigned n);
void put_credential(struct rows *r, enum credential kind,
		    const struct held_credential *c);
void del_credential(struct rows *r, enum credential kind,
		    const unsigned char hash[TOKEN_HASH_SIZE]);
void del_credentials_of(struct rows *r, enum credential kind, uint64_t device);
/* Deletes the credentials of a kind whose time is before `at`; INT64_MAX:
 * all. */
void del_credentials_before(struct rows *r, enum credential kind, int64_t at);
/* Puts an entry; the engine sets q->seq. */
void put_quarantined(struct rows *r, const struct quarantined *q);
void del_quarantined(struct rows *r, uint64_t seq);
/* Deletes the oldest entries of an instance and kind until at most n are left,
 * with at most `bytes` bytes in all. n 0: deletes all. */
void trim_quarantine(struct rows *r, const char *instance,
		     enum quarantine_kind kind, size_t n, uint64_t bytes);
/* Puts a document, in its list; the engine sets its number, rev. */
void put_doc(struct rows *r, const struct doc *d);
/* Deletes the document of this name, if there is one. */
void del_doc(struct rows *r, const struct doc *name);
void put_secret_use(struct rows *r, const char *instance,
		    const struct secret_use *u);
void add_count(struct rows *r, const char *name, int64_t n);

/* Deletes an event, and what tells that it is known.  Read are its seq,
 * instance, type, action, date, id and digest. */
void del_event(struct rows *r, const struct event *ev);
/* Deletes an order that is as `o` says, with its texts and its places in the
 * lists; not its journal. */
void del_order(struct rows *r, const struct order *o);
/* Deletes the entries of an order's journal up to and with the number `until`;
 * of those that share a row with later ones the engine may keep some. */
void del_entries(struct rows *r, const char *instance, int64_t number,
		 uint64_t until);
/* Deletes the changes up to and with the number `until`. */
void del_changes(struct rows *r, uint64_t until);

/* Returns the failure of the first put of the op that failed, and forgets it,
 * so that the rule can go another way.  OK: no put failed. */
enum rc rows_check(struct rows *r, struct err *e);

/* ---- reading outside of a write ---- */

/* Opens a reading of the rows as they are at one moment; rows_close() ends it,
 * and may get NULL. */
enum rc rows_open(struct rows **ret, struct store *s, struct err *e);
void rows_close(struct rows *r);

#endif
