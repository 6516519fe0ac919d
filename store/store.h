/* SPDX-License-Identifier: MIT
 *
 * store.h - the one place where anything is remembered.
 *
 * Promise:  when a write's result is OK it is on disk and outlives kill -9 and
 *           power loss.  The 200 we send Centra rests on this.  Writes of all
 *           threads gather while the disk syncs and go into its next sync
 *           together; one that fails alone does not fail its neighbours.
 * Order:    writes take effect in the order they were handed in.
 * Memory:   arguments are borrowed until the write is done.  What is handed
 *           out is a copy that the caller releases.
 * Threads:  any thread, any call.  `done` functions run in the store's writer
 *           thread: they hand over and return, and never call the store.
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
#include "store/model/event.h"
#include "store/model/listing.h"
#include "store/model/journal.h"
#include "store/model/once.h"
#include "store/model/order.h"
#include "store/model/secret_use.h"
#include "store/model/stats.h"
#include "store/model/task.h"

struct store;

/* ---- birth and death ---- */

/* Sets order->offers[].state and order->fetch_due from the facts; see
 * handlers/offer.h.  Called inside transactions: pure, no blocking. */
typedef void store_derive_fn(void *arg, struct order *o);

/* Adds to *ret what an event changes of its order `o`, as the order is inside
 * the transaction that records the event; `now` in ms, wall clock.  Pure, does
 * not block, may run twice.  RC_INVALID: the event cannot be applied, *e says
 * why. */
typedef enum rc store_apply_fn(const struct order *o, const struct event *ev,
			       int64_t now, struct changes *ret,
			       struct err *e);

/* Something changed: called in the writer thread after each commit that
 * changed an order or a task, with the newest change number. */
typedef void store_changed_fn(void *arg, uint64_t newest);

/* The disk failed, by a write or a read: called once, by the thread that met
 * it, with the reason.  It hands over and returns, and never calls the store. */
typedef void store_failed_fn(void *arg, const struct err *why);

/* Decides in which lane a task waits, and which API it calls: sets task->lane,
 * unless the lane was asked for, and task->group.  `o` is the order as it is in
 * the transaction; NULL, or without offers: not known.  Called inside
 * transactions: pure, no blocking. */
typedef void store_place_fn(struct task *task, const struct order *o);

struct store_options {
	const char *url;     /* the engine and its place: "lmdb:/path" */
	bool must_exist;     /* do not make a store where there is none */
	size_t max_bytes;    /* largest it may grow; 0: what the store has now.
			      * Less than it was counts for deliveries alone */
	bool serve;          /* be its one server; run a writer thread */
	bool alone;          /* nobody else may have the store open */
	size_t queue_max;    /* writes that may wait; 0: 10,000 */
	uint64_t changes_kept; /* that screens may be behind; 0: 100,000 */
	store_derive_fn *derive;
	void *derive_arg;
	/* Applies events as they are recorded, in a store that serves; NULL:
	 * each gets a task.  `event_kinds` lists the kinds of those tasks
	 * (constants; ends with NULL). */
	store_apply_fn *apply;
	const char *const *event_kinds;
	store_place_fn *place; /* NULL: one lane, and no task calls an API */
	const char *fetch_kind; /* kind of the task that order->fetch_due adds */
	store_changed_fn *changed; /* NULL: nobody listens */
	void *changed_arg;
	store_failed_fn *failed; /* NULL: nobody listens */
	void *failed_arg;
	bool strict; /* for tests: a rule that reads a row that it did not name
		      * fails with RC_INVALID */
};

/* True if store_open() would find a store at the URL; else it makes one. */
bool store_exists(const char *url);

/* RC_EXISTS: another server serves the store, it is being compacted, it is in
 * use and was asked for alone, or this process has it open.  RC_DENIED: it
 * belongs to another user.  RC_INVALID: no engine knows the URL, or the store
 * was written by a newer version.  RC_DAMAGED: what is there is no store, or
 * not a whole one.  RC_NOTFOUND: no place to make it in; with must_exist: no
 * store is there. */
enum rc store_open(struct store **ret, const struct store_options *o,
		   struct err *e);
void store_close(struct store *s); /* finishes waiting writes; NULL is fine */

/* True once a read or a write met a damaged part of the store.  Any thread. */
bool store_damaged(const struct store *s);

/* A random number that stays while the store is the same.  What numbered its
 * past (changes, devices) under another epoch means nothing now. */
uint64_t store_epoch(const struct store *s);

/* What the opening found.  STORE_RESTORED: a backup, opened for the first time,
 * or to serve for the first time: its sessions and login codes were ended and
 * its devices suspended, once.  STORE_COPIED: opened to serve, and it is a copy
 * of the store that was last served; only the epoch is new. */
enum store_origin { STORE_SAME, STORE_COPIED, STORE_RESTORED };
enum store_origin store_origin(const struct store *s);

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

/* One delivery: all its events, bad ones included, or none. */
struct delivery {
	const char *instance;
	int64_t received;
	int64_t now; /* wall clock, ms, when it is recorded; 0: `received` */
	struct event *events; /* seq is filled in; 0 for one we had already */
	size_t n_events;
	struct quarantined *bad;
	size_t n_bad;
	uint64_t retried; /* what in quarantine this takes the place of; or 0 */
};

struct recorded {
	unsigned fresh, duplicates, quarantined;
	unsigned applied, dead; /* of the fresh ones: see enum event_end */
};

/* Most that is kept of one instance and each kind that has a bound; then the
 * oldest goes. */
#define QUARANTINE_MOST	      1000
#define QUARANTINE_MOST_BYTES ((uint64_t)64 << 20)

/* Stores those events that we do not have yet, and applies each that names a
 * task (store_options.apply) in the same transaction.  An event gets its task
 * instead while a run holds its order or an older event of the order waits, so
 * that events and runs of one order take turns; when the transaction has changed
 * so many orders that others would wait for it; and in a store that does not
 * serve.  An event that cannot be applied fails neither its delivery nor others:
 * it is stored, with a dead task that says why.  Refuses with RC_FULL above 95 % of max_bytes, so that workers and the
 * command line can still write.  RC_NOTFOUND: what it retries is not there (any
 * more); nothing is stored. */
enum rc store_record(struct store *s, const struct delivery *d,
		     struct recorded *ret, struct store_done *done,
		     struct err *e);

/* Looks at an order as it is inside the transaction and says what to change.
 * Pure, no blocking, and safe to run twice.  A result other than OK changes
 * nothing and is the result of the write.  An order that was never heard of is
 * given as an empty one (first_seen 0). */
typedef enum rc store_update_fn(void *arg, const struct order *o,
				struct changes *ret, struct err *e);

/* Applies what `fn` says, derives, files notes and follow-ups.  The order as
 * it then is goes to *ret unless that is NULL; *ret may be released whatever
 * the result.  When the order is no other than it was, nothing is written. */
enum rc store_update(struct store *s, const char *instance, int64_t number,
		     store_update_fn *fn, void *arg, int64_t now,
		     struct order *ret, struct store_done *done,
		     struct err *e);

/* The JSON that is kept beside an order (CHANGE_DETAILS, CHANGE_ADDRESS), as the
 * transaction of an update sees it: no change can come between it and the
 * decision.  Both are owned; NULL: none is kept. */
struct order_texts {
	char *details, *address;
};
void order_texts_release(struct order_texts *t); /* fine on a zeroed one */

/* As store_update(); but when `once` is not NULL, a result of OK means only
 * that it could be looked up and kept: once->seen and once->rc say the rest.
 * *texts (NULL: not needed) is filled in before each run of fn, replacing what
 * it held; the caller releases it in any case. */
enum rc store_update_once(struct store *s, const char *instance,
			  int64_t number, store_update_fn *fn, void *arg,
			  struct once *once, struct order_texts *texts,
			  int64_t now, struct order *ret,
			  struct store_done *done, struct err *e);

/* Adds a task outside of any run: reconciliation, the command line. */
enum rc store_task_add(struct store *s, const struct task *t, struct err *e);
/* Several in one transaction: all of them or none. */
enum rc store_tasks_add(struct store *s, const struct task *tasks, size_t n,
			struct err *e);
/* Removes the task of that name.  RC_NOTFOUND: there is none.  The result of a
 * run that is under way is dropped. */
enum rc store_task_drop(struct store *s, const struct task *name,
			struct err *e);
/* Makes due every waiting task of the instance that has failed at least once,
 * or that a clock which went back has put into the future; of those alone that
 * are due later than `beyond` ms from now.  For use after credentials were
 * replaced, or the clock was set back.  Running tasks are not affected: they
 * wait as their results say. */
enum rc store_hurry(struct store *s, const char *instance, int64_t now,
		    int64_t beyond, struct err *e);
/* Whether something in the store is dated after `now`: the newest event or
 * task.  Then the clock went back while nobody ran. */
enum rc store_dated_after(struct store *s, int64_t now, bool *ret,
			  struct err *e);

/* ---- running tasks ---- */

/* Limits concurrency, so that an API that hangs cannot take all workers: at
 * most `most` runs of an instance that call an API go on at once, and one less
 * of each API (one at least).  Runs that call none are not limited. */
void store_bound_runs(struct store *s, unsigned most);

/* Whether a run that calls an API may start. */
struct store_gate {
	int64_t wait; /* ms until one may; 0: now; GATE_SHUT: not until somebody
		       * changes something, and wakes who asks */
	bool parked;  /* the API is away, refuses us or is not configured: its
		       * tasks are not late */
	bool trial;   /* half-open: one run of one task, to find out */
	bool alone;   /* one run at a time, of those nobody waits for */
};
#define GATE_SHUT INT64_MAX
/* `runs`: how many runs that call the API are under way.  Called with a lock of
 * the store held: no blocking, no call of the store. */
typedef void store_gate_fn(void *arg, const char *instance, unsigned group,
			   enum lane lane, unsigned runs,
			   struct store_gate *ret);
/* From now on tasks whose API may not be called stay where they are.  NULL: all
 * may.  Returns when no call of the function before is under way. */
void store_gates(struct store *s, store_gate_fn *fn, void *arg);

/* Takes up to `max` due tasks, each of another order that no other run holds,
 * all of one lane, kind and instance, out of sight.  batch() returns how many
 * of a kind may be taken together.  Lanes and instances take turns; what is
 * looked at is a few rows of each lane, instance and kind, whatever waits.
 * Leases live in memory: they end with store_finish() and with the process, so
 * that a dead server's are gone when it starts again, and a task may therefore
 * run twice.  RC_NOTFOUND: nothing may run; *ret_next is when something may, as
 * far as that is a matter of time, or TIME_NONE. */
enum rc store_lease(struct store *s, int64_t now,
		    unsigned (*batch)(const char *kind), struct task *ret,
		    size_t max, size_t *ret_n, int64_t *ret_next,
		    struct err *e);

/* Ends a lease and makes the result true: changes, derived states, follow-ups
 * and the end of the task in one transaction.  However it returns, the lease
 * has ended; a task whose end could not be written is leased again, a second
 * later at the earliest.  RC_NOTFOUND: its end was written already; the result
 * is dropped.
 *
 * A fetch_kind task that ends DONE while its order is still fetch_due stays,
 * due in a minute. */
enum rc store_finish(struct store *s, const struct task *t,
		     const struct result *r, int64_t now, struct err *e);

/* The same for the n runs of a batch, which wait for one sync together.  Each
 * is a write of its own: one that fails does not fail the others. */
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
 * Each call is one short read transaction.  Lists page: `cursor` in is the
 * last key seen ("" = from the start); the callback stops the list by
 * returning false.
 */

/* RC_NOTFOUND: never heard of. */
enum rc store_order(struct store *s, const char *instance, int64_t number,
		    struct order *ret, struct err *e);

/* The JSON kept with CHANGE_DETAILS and CHANGE_ADDRESS; NULL when none is. */
enum rc store_details(struct store *s, const char *instance, int64_t number,
		      char **ret_details, char **ret_address, struct err *e);

/* Rows of one warehouse and list after (expires, number); NULL: from the
 * start. */
enum rc store_list(struct store *s, const char *instance, int64_t warehouse,
		   enum list list, const struct listed *after,
		   bool (*fn)(void *arg, const struct listed *row), void *arg,
		   struct err *e);

/* The list "done" of one warehouse by the time of the orders' last change,
 * which stands in `expires`: those changed at `since` or later.  `after` is 0,
 * or the number of the order, changed at `since`, behind which to go on. */
enum rc store_done_since(struct store *s, const char *instance,
			 int64_t warehouse, int64_t since, int64_t after,
			 bool (*fn)(void *arg, const struct listed *row),
			 void *arg, struct err *e);

/* An order's journal (store/model/journal.h), oldest entry first. */
enum rc store_journal(struct store *s, const char *instance, int64_t number,
		      bool (*fn)(void *arg, const struct entry *n), void *arg,
		      struct err *e);

/* Events from `from` (a seq) on. */
enum rc store_events(struct store *s, uint64_t from,
		     bool (*fn)(void *arg, const struct event *ev), void *arg,
		     struct err *e);
enum rc store_event(struct store *s, uint64_t seq, struct event *ret,
		    struct err *e);

/* Orders of an instance (NULL: all) with a number >= from. */
enum rc store_orders(struct store *s, const char *instance, int64_t from,
		     bool (*fn)(void *arg, const struct order *o), void *arg,
		     struct err *e);

/* How many waiting tasks call each API of each instance. */
enum rc store_waiting(struct store *s,
		      void (*fn)(void *arg, const char *instance,
				 unsigned group, uint64_t tasks),
		      void *arg, struct err *e);

/* Tasks by id; only dead ones when `dead`. */
enum rc store_tasks(struct store *s, bool dead, uint64_t from,
		    bool (*fn)(void *arg, const struct task *t), void *arg,
		    struct err *e);

enum rc store_quarantine(struct store *s, uint64_t from,
			 bool (*fn)(void *arg, const struct quarantined *q),
			 void *arg, struct err *e);

/* Orders changed after change number `after`, oldest first: what screens and
 * waiting requests are told.  `fn` gets each order once per change. */
enum rc store_changes(struct store *s, uint64_t after,
		      bool (*fn)(void *arg, const struct changed *c), void *arg,
		      struct err *e);
/* The newest change number, other processes' included. */
uint64_t store_newest_change(struct store *s);

enum rc store_stats(struct store *s, struct store_stats *ret, struct err *e);
/* How the disk failed, in a sentence; NULL: it did not. */
const char *store_failure(const struct store *s);

/* When the newest event was received, or TIME_NONE: now cannot be earlier. */
enum rc store_newest_time(struct store *s, int64_t *ret, struct err *e);

/* ---- dead letters ---- */

/* Revives a dead task, and makes a waiting one due.  RC_NOTFOUND: no such task.
 * RC_CONFLICT: it is due already. */
enum rc store_redrive(struct store *s, uint64_t id, int64_t now, struct err *e);
/* Asks the server, in whichever process, to try at once each API that it has
 * given up for now.  store_wakes() returns how often that was asked. */
enum rc store_wake(struct store *s, struct err *e);
enum rc store_wakes(struct store *s, uint64_t *ret, struct err *e);
/* Makes a new task, in LANE_SWEEP, for a stored event; not eaten by the dedupe key. */
enum rc store_replay(struct store *s, uint64_t seq, const char *kind,
		     int64_t now, struct err *e);
enum rc store_quarantine_get(struct store *s, uint64_t seq,
			     struct quarantined *ret, struct err *e);
enum rc store_quarantine_drop(struct store *s, uint64_t seq, struct err *e);

/* ---- secrets of webhooks ---- */

/* All zero when nothing was ever kept. */
enum rc store_secret_use(struct store *s, const char *instance,
			 struct secret_use *ret, struct err *e);
enum rc store_secret_used(struct store *s, const char *instance,
			  const struct secret_use *use,
			  struct store_done *done, struct err *e);

/* ---- what some engines can do ----
 *
 * An engine that cannot leaves it to the tools of its database: the call returns
 * RC_INVALID with a sentence that says so.
 */
enum store_ability {
	STORE_BACKUP,
	STORE_COMPACT,
	STORE_VERIFY,
	STORE_ROOM,
};
bool store_can(const struct store *s, enum store_ability what);

/* Writes all of the store, as of now, to a new file, marked as a backup; put in
 * the place of a store it is that store again (STORE_RESTORED).  Until it is
 * whole and on disk it is called FILE.tmp, which nobody else may read.
 * RC_EXISTS: there is such a file, another backup writes it, or FILE.tmp is not
 * ours.  RC_NOTFOUND: no folder to put it in. */
enum rc store_backup(struct store *s, const char *file, struct err *e);

/* Rewrites the store without what was removed from it, which remains on disk
 * until its room is used again.  Opens the store itself, alone: RC_EXISTS while
 * a server or a command has it open.  The new form takes the old one's place at
 * one moment; a crash leaves one or the other.  RC_FULL: the disk has no room
 * for a copy, and nothing was changed. */
struct store_compacted {
	uint64_t before, after; /* bytes */
};
enum rc store_compact(const char *url, struct store_compacted *ret,
		      struct err *e);

/* How much room is left where the store is kept, beside the bound that its
 * options set. */
struct store_room {
	uint64_t left, all; /* bytes */
};
enum rc store_room(struct store *s, struct store_room *ret, struct err *e);

/* Walks all that is kept, as of one moment: each row can be read, each index
 * leads to a record and each record is in its indexes, states are what the facts
 * mean, numbers given out are not behind, counters count what is there.  `tell`
 * is called for each thing that is wrong; that some are is no failure of the
 * call. */
enum rc store_verify(struct store *s,
		     void (*tell)(void *arg, const char *table,
				  const char *what),
		     void *arg, struct store_verified *ret, struct err *e);

/* ---- devices ---- */

/* `token` signs the device in with Bearer; `code`, good until code_expires and
 * once, is the login link's. */
enum rc store_device_add(struct store *s, const struct device *d,
			 const unsigned char token[TOKEN_HASH_SIZE],
			 const unsigned char code[TOKEN_HASH_SIZE],
			 int64_t code_expires, uint64_t *ret_id,
			 struct err *e);
/* RC_NOTFOUND: no such device, or one that is removed or suspended. */
enum rc store_device_by_token(struct store *s,
			      const unsigned char token[TOKEN_HASH_SIZE],
			      struct device *ret, struct err *e);
/* OK: the login code would sign its device in now.  A read: for a code that may
 * be wrong, before a write is spent on it.  RC_NOTFOUND: as below. */
enum rc store_device_code(struct store *s,
			  const unsigned char code[TOKEN_HASH_SIZE],
			  int64_t now, struct err *e);
/* Uses up a login code: `token` is from now on a session of its device, beside
 * those it had.  RC_NOTFOUND: no such code, used before, expired, device
 * removed; or it expires later than CODE_LIVES from now, since the clock was
 * ahead when it was made. */
enum rc store_device_login(struct store *s,
			   const unsigned char code[TOKEN_HASH_SIZE],
			   const unsigned char token[TOKEN_HASH_SIZE],
			   int64_t now, struct device *ret,
			   struct store_done *done, struct err *e);
/* RC_NOTFOUND: no such session (any more), or its device was removed. */
enum rc store_device_by_session(struct store *s,
				const unsigned char token[TOKEN_HASH_SIZE],
				struct device *ret, struct err *e);
/* RC_NOTFOUND: there is no such session. */
enum rc store_session_end(struct store *s,
			  const unsigned char token[TOKEN_HASH_SIZE],
			  struct store_done *done, struct err *e);
/* Grows whenever a session or device was ended, by any process: who is signed
 * in for long asks again then. */
uint64_t store_revocations(struct store *s);
enum rc store_device_remove(struct store *s, uint64_t id, int64_t now,
			    struct err *e);
/* Lets a suspended device act again: its token works, its sessions stay ended.
 * RC_NOTFOUND: no such device, or removed.  RC_EXISTS: it is not suspended. */
enum rc store_device_readmit(struct store *s, uint64_t id, struct err *e);
/* The same for all that are suspended; *ret_n counts them. */
enum rc store_devices_readmit(struct store *s, size_t *ret_n, struct err *e);
enum rc store_devices(struct store *s,
		      bool (*fn)(void *arg, const struct device *d), void *arg,
		      struct err *e);

/* ---- retention ---- */

/* Both cannot be undone: only call them while the clock is confirmed
 * (base/clock.h). */

/* Removes the addresses (personal data) of orders that nothing has happened to
 * since `before`, a few at a time, with a line in each order's journal; *ret_n
 * counts them.  The address of an order that is still to be shipped stays, and
 * so does what else is kept of the orders. */
enum rc store_forget_addresses(struct store *s, int64_t before, int64_t now,
			       size_t *ret_n, struct err *e);

/* Ends the sessions that began before `before`; *ret_n counts them.  One that
 * is dated after `now`, by a clock that was ahead, begins now. */
enum rc store_sessions_end(struct store *s, int64_t before, int64_t now,
			   size_t *ret_n, struct err *e);

#endif
