/* SPDX-License-Identifier: MIT
 *
 * store.h - the contract of the store, the one place where anything is kept.
 *
 * Promise:  when a write's result is OK it is on disk and outlives kill -9 and
 *           power loss.  The 200 we send Centra rests on this.  Writes of all
 *           threads gather while the disk syncs and go into its next sync
 *           together; one that fails alone does not fail its neighbours.
 * Order:    writes take effect in the order they were handed in.
 * Memory:   arguments are borrowed until the write is done.  What a call
 *           returns is a copy that the caller releases.
 * Threads:  any thread, any call.  `done` functions run in the store's writer
 *           thread: they hand the result over to another thread and return, and
 *           never call the store.
 * Errors:   RC_FULL no room, nothing stored; RC_AGAIN the queue of writers is at
 *           its bound (calls that wait are let in: there are only so many
 *           threads); RC_INVALID also for what is stored but cannot be read;
 *           RC_IO the disk failed, or holds what the store did not write
 *           (store_damaged()): from then on every write returns RC_IO and the
 *           process should end; store_failed_fn says so once.
 * Logging:  none.
 *
 * A store is kept by an engine, which its URL names.  Which engines there are
 * and how to add one: docs/second-store.md.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "store/model/device.h"
#include "store/model/doc.h"
#include "store/model/event.h"
#include "store/model/followed.h"
#include "store/model/listing.h"
#include "store/model/journal.h"
#include "store/model/once.h"
#include "store/model/order.h"
#include "store/model/secret_use.h"
#include "store/model/stats.h"
#include "store/model/task.h"

struct store;

/* ---- birth and death ---- */

/* Derives order->offers[].state and order->fetch_due from the facts
 * (handlers/offer.h).  Called inside transactions: pure, does not block. */
typedef void store_derive_fn(void *arg, struct order *o);

/* Adds to *ret what an event changes of its order `o`, which is as the
 * transaction that records the event sees it; `now` in ms, wall clock.  Pure,
 * does not block, may run twice.  RC_INVALID: the event cannot be applied; *e
 * says why. */
typedef enum rc store_apply_fn(const struct order *o, const struct event *ev,
			       int64_t now, struct changes *ret,
			       struct err *e);

/* Called after each commit that changed an order or a task, in the writer
 * thread, with the newest change number. */
typedef void store_changed_fn(void *arg, uint64_t newest);

/* Called once when the disk has failed, in a read or a write, with the reason.
 * It runs in the thread that met the failure, hands the news over and returns,
 * and never calls the store. */
typedef void store_failed_fn(void *arg, const struct err *why);

/* Called when a task whose row cannot be read has been replaced by a new one of
 * the same name, which runs in its place.  `task` is the new one, `was` the
 * number of the old one, *why what is wrong with its row.  Called inside
 * transactions, and perhaps twice for one replacement: it does not block and
 * does not call the store. */
typedef void store_remade_fn(void *arg, const struct task *task, uint64_t was,
			     const struct err *why);

/* Decides in which lane a task waits, and which API it calls: sets task->lane,
 * unless a lane was asked for, and task->group.  `o` is the order as the
 * transaction sees it; NULL, or without offers: it is not known.  Called inside
 * transactions: pure, does not block. */
typedef void store_place_fn(struct task *task, const struct order *o);

/* Adds to *ret what a change of an order leads to beside it: tasks, documents
 * and entries of the journal.  It is called when an order differs from before,
 * once in its transaction, and what it adds is written with the change.  Pure,
 * quick, does not block, may run twice. */
typedef void store_follow_fn(void *arg, const struct followed *f,
			     struct changes *ret);

struct store_options {
	const char *url;     /* names the engine and the place: "lmdb:/path" */
	bool must_exist;     /* fail where there is no store, instead of making
			      * one */
	size_t max_bytes;    /* most bytes that the store may use; 0: as many as
			      * now.  If it is less than before, only deliveries
			      * are refused for it */
	bool serve; /* be the one server of the store, with a writer thread */
	bool alone;          /* no other process may have the store open */
	size_t queue_max;    /* most writes that may wait; 0: 10,000 */
	uint64_t changes_kept; /* change numbers that screens can resume from;
			        * 0: 100,000 */
	store_derive_fn *derive;
	void *derive_arg;
	store_follow_fn *follow; /* NULL: a change leads to nothing else */
	void *follow_arg;
	/* Applies events as they are recorded, in a store that is served; NULL:
	 * each event gets a task.  `event_kinds` lists the kinds of these tasks
	 * (constants; ends with NULL). */
	store_apply_fn *apply;
	const char *const *event_kinds;
	store_place_fn *place; /* NULL: there is one lane, and no task calls an
			        * API */
	const char *fetch_kind; /* the kind of task that is added for an order
				 * with fetch_due */
	store_changed_fn *changed; /* NULL: commits are not reported */
	void *changed_arg;
	store_failed_fn *failed; /* NULL: a failure is not reported */
	void *failed_arg;
	store_remade_fn *remade; /* NULL: it is not reported */
	void *remade_arg;
	bool strict; /* for tests: a rule that reads a row that it did not name
		      * fails with RC_INVALID */
};

/* True if there is a store at the URL; otherwise store_open() would make
 * one. */
bool store_exists(const char *url);

/* RC_EXISTS: another server serves the store, it is being compacted, it is open
 * elsewhere and was asked for `alone`, or this process has it open.  RC_DENIED:
 * it belongs to another user.  RC_INVALID: no engine knows the URL, or the
 * store was written by a newer version.  RC_DAMAGED: there is something that is
 * no store, or an incomplete one.  RC_NOTFOUND: the folder around the place
 * does not exist; with must_exist: there is no store. */
enum rc store_open(struct store **ret, const struct store_options *o,
		   struct err *e);
void store_close(struct store *s); /* finishes waiting writes; NULL is fine */

/* True once a read or a write met a damaged part of the store.  Any thread. */
bool store_damaged(const struct store *s);

/* Returns the store's epoch, a random number that stays the same for this
 * store.  Numbers that were given out under another epoch (changes, devices)
 * mean nothing in this one. */
uint64_t store_epoch(const struct store *s);

/* What store_open() found.  STORE_RESTORED: a backup, opened for the first
 * time, or served for the first time; its sessions and login codes were ended
 * and its devices suspended, once.  STORE_COPIED: it is opened to serve and is
 * a copy of the store that was served last; only the epoch is new. */
enum store_origin { STORE_SAME, STORE_COPIED, STORE_RESTORED };
enum store_origin store_origin(const struct store *s);

/* Returns when (ms) the store was last found to be STORE_RESTORED or
 * STORE_COPIED; TIME_NONE: never.  It may lack what was done before that.  Kept
 * over restarts. */
int64_t store_renewed(const struct store *s);

/* ---- writing ----
 *
 * Every write takes a `struct store_done *`.  NULL: the call waits for the
 * disk and returns the result.  Not NULL: it returns OK at once (or RC_AGAIN,
 * RC_IO, RC_INVALID, and done is never called) and done->fn gets the result
 * later; all arguments, outputs included, must live until then.  A store not
 * opened to serve has no other thread: done->fn is called before the return.
 */
struct store_done {
	void (*fn)(struct store_done *d, enum rc rc, const struct err *e);
	void *arg;
};

/* A delivery.  All of its events are recorded, bad ones included, or none
 * is. */
struct delivery {
	const char *instance;
	int64_t received;
	int64_t sent; /* of one that is retried: when it was signed, ms, by the
		       * sender's wall clock; 0: `received` */
	int64_t now; /* wall clock, ms, when it is recorded; 0: `received` */
	struct event *events; /* seq is filled in; 0 for an event that we have
			       * already */
	size_t n_events;
	struct quarantined *bad;
	size_t n_bad;
	uint64_t retried; /* the number in quarantine of what this delivery
			   * replaces; or 0 */
};

struct recorded {
	unsigned fresh, duplicates, quarantined;
	unsigned applied, dead; /* of the fresh ones, those that ended as
				 * EVENT_APPLIED and as EVENT_DEAD */
};

/* The bounds of those kinds of quarantine that have one, for each instance and
 * kind; beyond them the oldest are dropped. */
#define QUARANTINE_MOST	      1000
#define QUARANTINE_MOST_BYTES ((uint64_t)64 << 20)

/* Stores the events that we do not have yet, and applies each that names a task
 * (store_options.apply) in the same transaction.  An event gets its task
 * instead while a run holds its order or an older event of the order waits, so
 * that events and runs of one order take turns; when the transaction has
 * changed so many orders that others would wait for it; and in a store that
 * does not serve.  An event that cannot be applied fails neither its delivery
 * nor others: it is stored, with a dead task that says why.  Refuses with
 * RC_FULL above 95 % of max_bytes, so that workers and the command line can
 * still write.  RC_NOTFOUND: the entry `retried` is not in quarantine; nothing
 * is stored.  RC_CONFLICT: the delivery was sent long ago, and an order that it
 * names may have been removed since (store_remove_some()); nothing is
 * stored. */
enum rc store_record(struct store *s, const struct delivery *d,
		     struct recorded *ret, struct store_done *done,
		     struct err *e);

/* Decides what to change of an order, which is given as the transaction sees
 * it.  Pure, does not block, and may run twice.  A result other than OK changes
 * nothing, and becomes the result of the write.  An order that was never heard
 * of is given empty (first_seen 0). */
typedef enum rc store_update_fn(void *arg, const struct order *o,
				struct changes *ret, struct err *e);

/* Applies the changes that `fn` decides, derives the states, and writes the
 * order with its journal entries and follow-up tasks.  *ret (may be NULL) is
 * the order as it is then; it may be released whatever the result.  If the
 * order does not differ, nothing is written. */
enum rc store_update(struct store *s, const char *instance, int64_t number,
		     store_update_fn *fn, void *arg, int64_t now,
		     struct order *ret, struct store_done *done,
		     struct err *e);

/* The JSON that is kept beside an order (CHANGE_DETAILS, CHANGE_ADDRESS), read
 * in the transaction of an update, so that it fits the decision.  Both are
 * owned; NULL: none is kept. */
struct order_texts {
	char *details, *address;
};
/* May be called for a zeroed one. */
void order_texts_release(struct order_texts *t);

/* As store_update().  But if `once` is not NULL, OK only means that its key
 * could be looked up and stored: the result of the request is in once->seen and
 * once->rc.  *texts (NULL: not needed) is filled in again before each run of
 * fn; the caller releases it in any case. */
enum rc store_update_once(struct store *s, const char *instance,
			  int64_t number, store_update_fn *fn, void *arg,
			  struct once *once, struct order_texts *texts,
			  int64_t now, struct order *ret,
			  struct store_done *done, struct err *e);

/* ---- documents: store/model/doc.h ---- */

struct doc_name {
	const char *kind, *instance, *key; /* borrowed */
};

/* What a store_docs_fn decides: documents to be put or deleted, and new tasks,
 * of any number.  Both lists are owned. */
struct doc_writes {
	struct doc_write *list;
	size_t n, cap;
	struct task *tasks;
	size_t n_tasks, tasks_cap;
};
/* Adds a copy of a document to be put; of its fields, rev and updated are
 * the store's. */
void doc_writes_put(struct doc_writes *w, const struct doc *d);
/* Adds the deletion of the document of this name. */
void doc_writes_delete(struct doc_writes *w, const struct doc *name);
/* Adds a task: its kind, instance, number, sub and due are read; with a lane of
 * 0 store_options.place decides.  One that exists is asked for once more. */
void doc_writes_task(struct doc_writes *w, const struct task *t);

/* Decides what to write, given the n documents that the call named, as the
 * transaction sees them (rev 0: there is none).  Pure, does not block, and may
 * run twice.  A result other than OK writes nothing, and becomes the result of
 * the write; but see store_docs_update() for requests with a key. */
typedef enum rc store_docs_fn(void *arg, const struct doc *docs, size_t n,
			      struct doc_writes *ret, struct err *e);

/* Reads the n documents that are named and writes what `fn` decides, in one
 * transaction.  fn may also write documents that were not named.  With a `done`,
 * names and the texts in them are borrowed until it was called.  `once` (may be
 * NULL) as for store_update_once(): OK then only means that its key could be
 * looked up and stored. */
enum rc store_docs_update(struct store *s, const struct doc_name *names,
			  size_t n, store_docs_fn *fn, void *arg,
			  struct once *once, int64_t now,
			  struct store_done *done, struct err *e);

/* Adds a task that no run adds: for reconciliation at the start, and the
 * command line. */
enum rc store_task_add(struct store *s, const struct task *t, struct err *e);
/* Adds several tasks in one transaction: all of them or none. */
enum rc store_tasks_add(struct store *s, const struct task *tasks, size_t n,
			struct err *e);
/* Removes the task with that name.  RC_NOTFOUND: there is none.  If it is being
 * run, the run's result is dropped. */
enum rc store_task_drop(struct store *s, const struct task *name,
			struct err *e);
/* Makes due those waiting tasks of an instance that have failed at least once,
 * or that a clock which was ahead has put into the future.  For use after
 * credentials were replaced, or the clock was set back.  There may be hundreds
 * of thousands: each call of store_hurry() takes one step, which reads or
 * rewrites a few, so that other writes do not wait.  RC_NOTFOUND, without a
 * sentence: it is complete.  Each task is rewritten once at most; running tasks
 * are not affected: they wait as their results say. */
struct hurry {
	char instance[INSTANCE_SIZE];
	int64_t now;	/* wall clock, ms */
	int64_t beyond; /* only tasks that are due later than so many ms from
			 * `now` */
	/* The store's own; zeroed: not begun. */
	struct hurry_place {
		uint8_t lane, group;
		char kind[TASK_KIND_SIZE];
		int64_t due;
		uint64_t id;
	} at; /* up to where tasks were looked at */
	uint64_t *ids; /* owned: tasks that were found and are not made due
			* yet */
	size_t n, cap;
	bool found; /* what is in `ids` is to be made due before more is looked
		     * at */
};
enum rc store_hurry(struct store *s, struct hurry *h, struct err *e);
void hurry_release(struct hurry *h);
/* Sets *ret: the newest event or task in the store is dated after `now`.  Then
 * the clock was set back while no server ran. */
enum rc store_dated_after(struct store *s, int64_t now, bool *ret,
			  struct err *e);

/* ---- running tasks ---- */

/* Limits concurrency, so that an API that hangs cannot take all workers: at
 * most `most` runs of an instance that call an API go on at once, and one less
 * of each API (one at least).  Runs that call none are not limited. */
void store_bound_runs(struct store *s, unsigned most);

/* What a store_gate_fn says: whether a run that calls an API may start. */
struct store_gate {
	int64_t wait; /* ms until a run may start; 0: now; GATE_SHUT: not before
		       * something else changes, after which the workers are
		       * woken */
	bool parked;  /* the API is away, refuses our key or is not configured:
		       * its tasks do not count as late */
	bool trial;   /* the circuit breaker is half-open: only one run of one
		       * task may start */
	bool alone;   /* of runs that nobody waits for, only one at a time */
};
#define GATE_SHUT INT64_MAX
/* Says whether a run may start.  `runs`: how many runs that call the API are
 * under way.  Called while a lock of the store is held: it does not block and
 * does not call the store. */
typedef void store_gate_fn(void *arg, const char *instance, unsigned group,
			   enum lane lane, unsigned runs,
			   struct store_gate *ret);
/* Sets the gate: from now on, tasks whose API may not be called stay where they
 * are.  NULL: every API may be called.  When it returns, no call of the gate
 * before is under way. */
void store_gates(struct store *s, store_gate_fn *fn, void *arg);

/* Leases up to `max` due tasks, all of one lane, kind and instance, each of
 * another order; no other lease has any of these orders. batch() returns how
 * many tasks of a kind may be leased together.  Lanes and instances take turns.
 * Only a few rows of each lane, instance and kind are read, however many tasks
 * wait.  Leases are in memory: they end with store_finish() or with the
 * process, so a task may run twice.  A task that is due and whose row cannot be
 * read is replaced (store_remade_fn), so that a later call leases it.
 * RC_NOTFOUND: no task may run now; *ret_next is when one may, if only time is
 * needed, else TIME_NONE. */
enum rc store_lease(struct store *s, int64_t now,
		    unsigned (*batch)(const char *kind), struct task *ret,
		    size_t max, size_t *ret_n, int64_t *ret_next,
		    struct err *e);

/* Ends a lease and puts the result into effect: changes, derived states,
 * follow-up tasks and the end of the task, in one transaction.  However it
 * returns, the lease has ended; a task whose end could not be written is leased
 * again, a second later at the earliest.  RC_NOTFOUND: its end was written
 * already; the result is dropped.
 *
 * A fetch_kind task that ends DONE while its order is still fetch_due stays,
 * due in a minute. */
enum rc store_finish(struct store *s, const struct task *t,
		     const struct result *r, int64_t now, struct err *e);

/* As store_finish(), for the n runs of a batch, which wait for one sync
 * together.  Each is a write of its own: one that fails does not fail the
 * others. */
struct finish {
	const struct task *task;
	const struct result *result;
	enum rc rc; /* out */
	struct err e;
};
void store_finish_all(struct store *s, struct finish *list, size_t n,
		      int64_t now);

/* ---- reading ----
 *
 * Each call is one short read transaction.  The lists begin behind `after` or
 * at `from`, so that they can be read in pages; the callback ends a list by
 * returning false.
 *
 * A row that cannot be read hides no other: a list skips it, gives all others,
 * and then returns RC_INVALID, with a sentence that says how many rows were
 * skipped and names the first.
 */

/* Reads an order.  RC_NOTFOUND: it was never heard of. */
enum rc store_order(struct store *s, const char *instance, int64_t number,
		    struct order *ret, struct err *e);

/* Reads the JSON that was stored with CHANGE_DETAILS and CHANGE_ADDRESS; NULL:
 * none was.  The caller frees both. */
enum rc store_details(struct store *s, const char *instance, int64_t number,
		      char **ret_details, char **ret_address, struct err *e);

/* Lists the rows of a warehouse's list, behind the row `after` (expires,
 * number); NULL: from the start. */
enum rc store_list(struct store *s, const char *instance, int64_t warehouse,
		   enum list list, const struct listed *after,
		   bool (*fn)(void *arg, const struct listed *row), void *arg,
		   struct err *e);

/* Lists the rows of a warehouse's list "done" by the time of the orders' last
 * change, which is in `expires`: those changed at `since` or later.  `after`:
 * 0, or the number of an order changed at `since`, behind which to go on. */
enum rc store_done_since(struct store *s, const char *instance,
			 int64_t warehouse, int64_t since, int64_t after,
			 bool (*fn)(void *arg, const struct listed *row),
			 void *arg, struct err *e);

/* Lists an order's journal (store/model/journal.h), the oldest entry first. */
enum rc store_journal(struct store *s, const char *instance, int64_t number,
		      bool (*fn)(void *arg, const struct entry *n), void *arg,
		      struct err *e);

/* Reads a document; the caller releases it.  RC_NOTFOUND: there is none. */
enum rc store_doc(struct store *s, const char *kind, const char *instance,
		  const char *key, struct doc *ret, struct err *e);
/* Lists the documents of a kind and instance (NULL: of all) by their keys, from
 * the key `from` on (NULL: from the first). */
enum rc store_docs(struct store *s, const char *kind, const char *instance,
		   const char *from,
		   bool (*fn)(void *arg, const struct doc *d), void *arg,
		   struct err *e);
/* Lists the documents in a list of a kind and instance, by `at` and key, behind
 * the place `after` (NULL: from the first). */
enum rc store_docs_listed(struct store *s, const char *kind,
			  const char *instance, const char *list,
			  const struct doc_place *after,
			  bool (*fn)(void *arg, const struct doc *d), void *arg,
			  struct err *e);
/* Lists how many documents are in each list ("": in none); lists without
 * documents are left out.  kind NULL: of all kinds. */
enum rc store_doc_counts(struct store *s, const char *kind,
			 bool (*fn)(void *arg, const struct doc_count *c),
			 void *arg, struct err *e);

/* Lists events, from the seq `from` on. */
enum rc store_events(struct store *s, uint64_t from,
		     bool (*fn)(void *arg, const struct event *ev), void *arg,
		     struct err *e);
enum rc store_event(struct store *s, uint64_t seq, struct event *ret,
		    struct err *e);

/* Lists the orders of an instance (NULL: all) whose number is `from` or
 * greater. */
enum rc store_orders(struct store *s, const char *instance, int64_t from,
		     bool (*fn)(void *arg, const struct order *o), void *arg,
		     struct err *e);

/* Calls fn for each API of each instance with the number of waiting tasks that
 * call it. */
enum rc store_waiting(struct store *s,
		      void (*fn)(void *arg, const char *instance,
				 unsigned group, uint64_t tasks),
		      void *arg, struct err *e);

/* Lists tasks by their ids; only dead ones if `dead`. */
enum rc store_tasks(struct store *s, bool dead, uint64_t from,
		    bool (*fn)(void *arg, const struct task *t), void *arg,
		    struct err *e);

/* Lists the quarantine, from the number `from` on. */
enum rc store_quarantine(struct store *s, uint64_t from,
			 bool (*fn)(void *arg, const struct quarantined *q),
			 void *arg, struct err *e);

/* Lists the orders that changed after change number `after`, the oldest change
 * first: for screens and for requests that wait.  `fn` gets an order once for
 * each change. */
enum rc store_changes(struct store *s, uint64_t after,
		      bool (*fn)(void *arg, const struct changed *c), void *arg,
		      struct err *e);
/* Returns the newest change number, of whichever process. */
uint64_t store_newest_change(struct store *s);

/* Reads the numbers in struct store_stats. */
enum rc store_stats(struct store *s, struct store_stats *ret, struct err *e);
/* Returns the sentence that says how the disk failed; NULL: it did not. */
const char *store_failure(const struct store *s);

/* Reads when the newest event was received, before which it cannot be now;
 * TIME_NONE: there is no event. */
enum rc store_newest_time(struct store *s, int64_t *ret, struct err *e);

/* ---- dead letters ---- */

/* Revives a dead task, and makes a waiting one due.  RC_NOTFOUND: no such task.
 * RC_CONFLICT: it is due already. */
enum rc store_redrive(struct store *s, uint64_t id, int64_t now, struct err *e);
/* As store_redrive() for n tasks, which share a sync.  Each is a write of its
 * own: one that fails does not fail the others. */
struct redrive {
	uint64_t id;
	enum rc rc; /* out */
	struct err e;
};
void store_redrive_all(struct store *s, struct redrive *list, size_t n,
		       int64_t now);
/* store_wake() asks the server, in whichever process, to try at once each API
 * that it has given up for now. store_wakes() reads how often that was
 * asked. */
enum rc store_wake(struct store *s, struct err *e);
enum rc store_wakes(struct store *s, uint64_t *ret, struct err *e);
/* Adds a new task, in LANE_LAST, that applies a stored event again.  That the
 * event is known already does not matter. */
enum rc store_replay(struct store *s, uint64_t seq, const char *kind,
		     int64_t now, struct err *e);
/* As store_replay() for n events, which share a sync.  Each is a write of its
 * own. */
struct replay {
	uint64_t seq;
	const char *kind; /* a constant */
	enum rc rc; /* out */
	struct err e;
};
void store_replay_all(struct store *s, struct replay *list, size_t n,
		      int64_t now);
enum rc store_quarantine_get(struct store *s, uint64_t seq,
			     struct quarantined *ret, struct err *e);
enum rc store_quarantine_drop(struct store *s, uint64_t seq, struct err *e);

/* ---- secrets of webhooks ---- */

/* Reads the use of an instance's secrets; all zero if none was stored. */
enum rc store_secret_use(struct store *s, const char *instance,
			 struct secret_use *ret, struct err *e);
enum rc store_secret_used(struct store *s, const char *instance,
			  const struct secret_use *use,
			  struct store_done *done, struct err *e);

/* ---- what some engines can do ----
 *
 * What an engine cannot do is left to the tools of its database: the call
 * returns RC_INVALID with a sentence that says so.
 */
enum store_ability {
	STORE_BACKUP,
	STORE_COMPACT,
	STORE_VERIFY,
	STORE_ROOM,
};
bool store_can(const struct store *s, enum store_ability what);

/* Writes the store as it is now to a new file, which is marked as a backup.
 * Put in the place of a store, it is opened as STORE_RESTORED.  Until it is
 * complete and on disk its name is FILE.tmp, which only its owner may read.
 * RC_EXISTS: there is such a file, another backup writes it, or FILE.tmp is not
 * ours.  RC_NOTFOUND: its folder does not exist. */
enum rc store_backup(struct store *s, const char *file, struct err *e);

/* Rewrites the store's file without data that was removed: such data stays on
 * disk until its room is used again.  It opens the store itself, alone.
 * RC_EXISTS: a server or a command has it open.  The new file replaces the old
 * one at one moment; after a crash there is one or the other.  RC_FULL: the
 * disk has no room for a copy; nothing was changed. */
struct store_compacted {
	uint64_t before, after; /* bytes */
};
enum rc store_compact(const char *url, struct store_compacted *ret,
		      struct err *e);

/* Reads how much room is left where the store is kept, whatever max_bytes
 * allows. */
struct store_room {
	uint64_t left, all; /* bytes */
};
enum rc store_room(struct store *s, struct store_room *ret, struct err *e);

/* Checks everything in the store, as it is at one moment: each row can be read,
 * each index leads to a record and each record is in its indexes, the states
 * follow from the facts, no number was given out that is not counted, and
 * counters equal what they count.  Calls `tell` for each fault.  That there are
 * faults is no failure of the call. */
enum rc store_verify(struct store *s,
		     void (*tell)(void *arg, const char *table,
				  const char *what),
		     void *arg, struct store_verified *ret, struct err *e);

/* ---- devices ---- */

/* Adds a device.  `token` signs it in as a Bearer token; `code` is that of its
 * login link, which can be used once, until code_expires. */
enum rc store_device_add(struct store *s, const struct device *d,
			 const unsigned char token[TOKEN_HASH_SIZE],
			 const unsigned char code[TOKEN_HASH_SIZE],
			 int64_t code_expires, uint64_t *ret_id,
			 struct err *e);
/* Finds the device of a token.  RC_NOTFOUND: there is none, or it is removed or
 * suspended. */
enum rc store_device_by_token(struct store *s,
			      const unsigned char token[TOKEN_HASH_SIZE],
			      struct device *ret, struct err *e);
/* OK: the login code would sign its device in at `now`.  It only reads, so that
 * a wrong code costs no write.  RC_NOTFOUND: as for store_device_login(). */
enum rc store_device_code(struct store *s,
			  const unsigned char code[TOKEN_HASH_SIZE],
			  int64_t now, struct err *e);
/* Uses up a login code: from now on `token` is a session of its device, beside
 * those that it had.  RC_NOTFOUND: there is no such code, it was used, it has
 * expired, or its device was removed; or it expires later than CODE_LIVES from
 * now, since it was made while the clock was ahead. */
enum rc store_device_login(struct store *s,
			   const unsigned char code[TOKEN_HASH_SIZE],
			   const unsigned char token[TOKEN_HASH_SIZE],
			   int64_t now, struct device *ret,
			   struct store_done *done, struct err *e);
/* Finds the device of a session.  RC_NOTFOUND: there is no such session, or its
 * device was removed. */
enum rc store_device_by_session(struct store *s,
				const unsigned char token[TOKEN_HASH_SIZE],
				struct device *ret, struct err *e);
/* Ends a session.  RC_NOTFOUND: there is no such session. */
enum rc store_session_end(struct store *s,
			  const unsigned char token[TOKEN_HASH_SIZE],
			  struct store_done *done, struct err *e);
/* Returns a number that grows whenever any process ends a session or a device.
 * Event streams and waiting presses then check their own credential again. */
uint64_t store_revocations(struct store *s);
enum rc store_device_remove(struct store *s, uint64_t id, int64_t now,
			    struct err *e);
/* Lets a suspended device act again: its token works, but its sessions stay
 * ended.  RC_NOTFOUND: no such device, or it is removed.  RC_EXISTS: it is not
 * suspended. */
enum rc store_device_readmit(struct store *s, uint64_t id, struct err *e);
/* Keeps about when the device's token was last used.  RC_NOTFOUND: no such
 * device, or it is removed. */
enum rc store_device_used(struct store *s, uint64_t id, int64_t now,
			  struct store_done *done, struct err *e);
/* Readmits all suspended devices; *ret_n is how many. */
enum rc store_devices_readmit(struct store *s, size_t *ret_n, struct err *e);
enum rc store_devices(struct store *s,
		      bool (*fn)(void *arg, const struct device *d), void *arg,
		      struct err *e);

/* ---- retention ----
 *
 * Removes rows that have been kept for long enough, in small transactions.  What
 * is removed is gone for good: call these only while the clock is confirmed
 * (base/clock.h).  Numbers of removed rows are never given out again.
 */

/* The kinds of rows that are removed by age (docs/retention.md).  An order goes
 * only after everything that names it: remove the kinds in this order. */
enum aged {
	AGED_CHANGES,	 /* what screens resume from */
	AGED_EVENTS,	 /* with their rows in `seen`, and with what is known of
			  * orders that were never offered; the newest stays,
			  * and so does an event whose order has a task or cannot
			  * be read */
	AGED_QUARANTINE, /* whether or not an operator has seen it */
	AGED_ADDRESSES,	 /* of orders that are not to be shipped; each order's
			  * journal notes it */
	AGED_JOURNAL,	 /* entries of finished orders, which stay */
	AGED_ORDERS,	 /* finished orders, with all that is kept of them */
	AGED_STOCK,	 /* documents that have ended, by the row of their kind
			  * in doc_kinds.def */
	AGED_OUTGOING,
	AGED_RETURNS,
	AGED_FEEDS,
	AGED_KINDS,
};

/* Returns true if nobody needs the order any more.  The store asks it only about
 * orders that it would remove itself: an order that has a task, or that a stored
 * change or the newest event names, stays in any case.  Called inside
 * transactions: pure, does not block. */
typedef bool store_finished_fn(void *arg, const struct order *o);

/* One removal, which takes many transactions.  Begin with a zeroed one. */
struct removal {
	enum aged what;
	int64_t before; /* wall clock, ms.  What goes: events and entries of the
			 * quarantine that were received before this; orders,
			 * addresses and journals of orders that last changed
			 * before this; changes that are older; documents whose
			 * `at` is before this */
	int64_t since;  /* of AGED_JOURNAL: only orders that have changed at this
			 * time or later */
	int64_t now;
	/* Of AGED_JOURNAL and AGED_ORDERS. */
	store_finished_fn *finished;
	void *finished_arg;

	/* Where the next transaction begins; for the store. */
	struct {
		uint64_t seq;
		char instance[INSTANCE_SIZE];
		int64_t number, warehouse, updated;
	} at;
	/* Out, of the last transaction. */
	size_t removed;
	bool more;
	/* Rows that cannot be read stay, and hide no others.  `why` says what is
	 * wrong with the last of them; "": all could be read. */
	struct err why;
};

/* Removes some rows in one transaction, and moves on to the next; a few hundred
 * deletions at most, so that other writes do not wait for long.  Call it until
 * `more` is false.  RC_NOTFOUND is never returned. */
enum rc store_remove_some(struct store *s, struct removal *io, struct err *e);

/* Ends the sessions that began before `before`; *ret_n is how many.  A session
 * that is dated after `now`, by a clock that was ahead, counts as begun now. */
enum rc store_sessions_end(struct store *s, int64_t before, int64_t now,
			   size_t *ret_n, struct err *e);

#endif
