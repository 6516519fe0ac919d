/* SPDX-License-Identifier: MIT
 *
 * worker_private.h - the inside of worker.h:
 *
 *	worker     the threads: start, sleep, wake, lease, stop; between tasks they
 *	           watch the clock, other processes' redrives and old data
 *	run        a run of leased tasks: load, call the handler, finish
 *	calls      counts and logs the calls to Centra that runs and lookups make
 *	tries      when the newest try at each call to Centra began
 *	accounts   the instances: their Centra, and which of its APIs may be called
 *	reconcile  what handlers/reconcile.h needs of the server
 *	docs       what handlers/docs.h needs of the server
 *	feeds      what handlers/feed.h needs of the server
 *	locks      when the locks of orders are swept
 *	hurry      makes tasks due whose reason to wait is gone
 *	receivers  the shops' own systems, which webhooks are sent to
 *	outgoing   bounds how many webhooks wait for each of them
 *	retention  removes what is old, and ends old sessions
 *
 * Which thread runs what:
 *
 *	main thread     workers_start(), workers_reload(), workers_stop(): all that
 *	                opens, changes or closes accounts
 *	worker threads  thread_main() in worker.c, and all of run, calls, tries,
 *	                reconcile's `struct others`, hurry_step(), outgoing,
 *	                and retention
 *	any thread      workers_wake(), workers_clock(), workers_account(),
 *	                workers_parked()
 *	who leases      accounts_gate(): the store calls it while it holds the
 *	                queue's lock, so it never calls the store
 *
 * A `struct thread` belongs to its thread.  `struct accounts` is not changed
 * between start and stop, but for `rounds` and `feeds`: one run at a time uses
 * each.  `struct
 * tries`, `struct receivers` and a `struct centra` have locks of their own.  The rest of `struct
 * workers` that changes is under its lock.
 */
#ifndef SERVER_WORKER_WORKER_PRIVATE_H
#define SERVER_WORKER_WORKER_PRIVATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "handlers/feed.h"
#include "handlers/handlers.h"
#include "handlers/notify.h"
#include "handlers/reconcile.h"
#include "server/worker/docs.h"
#include "server/worker/retention.h"
#include "server/worker/worker.h"
#include "store/model/event.h"
#include "store/model/order.h"

#define BATCH_MAX    32 /* most tasks in one run */
#define LOG_A_MINUTE 30 /* most lines a minute for one kind of trouble */

/* ---- accounts.c ---- */

/* The instances of the config that the server started with. */
struct accounts {
	struct account *list; /* owned: of the instances, then of shops */
	size_t n;
	size_t n_instances;
	/* For each account, the reconciliation by the clock and the one by
	 * hand.  The gate lets only one run at a time use them
	 * (store_gate.alone). */
	struct round (*rounds)[2]; /* owned */
	struct feed_progress (*feeds)[FEEDS]; /* owned; for each account.  Only
					       * one run at a time uses each */
	int64_t settle; /* the longest `settle` of an account, ms */
};

void accounts_open(struct accounts *ret, const struct config *c);
void accounts_close(struct accounts *all);
/* Takes over key, token and budget.  False: the config no longer has the
 * instance, and nothing changes. */
bool account_reload(const struct account *a, const struct config *c);
/* Finds an instance's account.  NULL: the instance was not in the config at the
 * start. */
const struct account *accounts_find(const struct accounts *all,
				    const char *instance);
/* Finds the account of a shop's own plugin.  NULL: the shop (or NULL) had none at
 * the start. */
const struct account *accounts_of_shop(const struct accounts *all,
				       const char *shop);
/* Has each API that is held back tried at once. */
void accounts_try_now(const struct accounts *all);
/* A store_gate_fn; its arg is a struct workers. */
void accounts_gate(void *arg, const char *instance, unsigned group,
		   enum lane lane, unsigned runs, struct store_gate *ret);

/* ---- receivers.c ---- */

/* A shop's own system.  It lives from when the config first named it until the
 * workers stop. */
struct receiver_of {
	char *shop, *instance; /* owned */
	int64_t sub;	       /* of its tasks */
	struct subscriber *to; /* owned */
	bool set; /* the present config has it; under the receivers' lock */
};

struct receivers {
	pthread_mutex_t lock; /* of what follows */
	struct receiver_of **list; /* owned */
	size_t n;
};

void receivers_open(struct receivers *all);
void receivers_close(struct receivers *all);
/* Takes over which shops have a system, and has each called at once.  The main
 * thread. */
void receivers_reload(struct receivers *all, const struct config *c);
/* Has each system that is held back called at once. */
void receivers_try_now(struct receivers *all);
/* Gives a run what it needs to call the system of its task; address and secrets
 * are those of the config `c`.  It may wait for a call under way. */
struct thread;
void receivers_give(struct thread *t, const struct config *c, struct work *w);
/* As accounts_gate(), for groups from GROUP_OUTSIDE on. */
void receivers_gate(struct receivers *all, const char *instance, unsigned group,
		    struct store_gate *ret);

/* ---- outgoing.c ---- */

/* Removes some of the webhooks that are too many or too old, the oldest first.
 * Returns after how many ms it is to be called again.  One thread at a time. */
int64_t outgoing_step(const struct worker_parts *parts);

/* ---- tries.c ---- */

struct last_try {
	char instance[INSTANCE_SIZE];
	int64_t number, sub; /* of its task */
	int64_t began; /* steady clock, ms */
};

/* For each task, the newest try at a call, if it began in the last `keep` ms.
 * A call that began earlier is over. */
struct tries {
	pthread_mutex_t lock;
	struct last_try *list; /* owned */
	size_t n, cap;
	int64_t keep; /* ms */
};

void tries_init(struct tries *all, int64_t keep);
void tries_release(struct tries *all);
/* Notes that a try begins at `mono`, by the steady clock. */
void tries_note(struct tries *all, const struct task *t, int64_t mono);
/* Returns how many ms ago the task's newest try began; `unknown` if no try of
 * it is known. */
int64_t tries_since(struct tries *all, const struct task *t, int64_t mono,
		    int64_t unknown);

/* ---- calls.c ---- */

/* Implement the functions `called` and `alarm` of struct work. */
void calls_note(struct work *w, enum centra_api api, const char *what,
		const struct call *call);
void calls_alarm(struct work *w, enum centra_api api, const char *why);

/* ---- worker.c ---- */

/* A thread, and the run it is in. */
struct thread {
	struct workers *workers;
	pthread_t id;
	bool started;
	struct centra_conn **conns; /* owned; one for each account */

	struct task tasks[BATCH_MAX];
	struct work works[BATCH_MAX];
	struct order orders[BATCH_MAX];
	struct event events[BATCH_MAX];
	struct feed_hands feeds; /* of the runs' instance */
	int64_t *warehouses; /* owned: the warehouses of the shops of the runs'
			      * instance */
	size_t n_warehouses;
	int64_t *systems; /* owned: those of them whose shop's own system
			   * ships */
	size_t n_systems;
	struct notify_hands notify; /* of the run */
	char shop[SHOP_SIZE];	    /* whose system it calls */
};

struct workers {
	const struct worker_parts *parts;
	struct accounts accounts;
	struct receivers receivers;
	struct tries tries;
	struct others others;
	struct docs docs;
	uint64_t boot; /* of the machine */
	struct thread *threads; /* owned */
	size_t n_threads; /* the setting `workers`, and those that calls of
			   * systems outside may take */

	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t changed;
	uint64_t wakes; /* how often workers_wake() was called */
	bool stopping;
	struct hurrying *hurries; /* owned; one for each account */
	bool in_a_hurry; /* a thread takes a step of hurry.c */
	uint64_t redrives;     /* the result of store_wakes() when it was last
			        * called */
	int64_t retention_due; /* steady clock, ms */
	bool retaining; /* a thread is in retention_step(); it has `retention` */
	int64_t outgoing_due; /* steady clock, ms */
	bool bounding; /* a thread is in outgoing_step() */

	struct retention retention;
};

static inline struct workers *workers_of(const struct work *w)
{
	return ((struct thread *)w->worker)->workers;
}

/* True after the stop began: no run and no call to Centra begins any more. */
bool workers_stopping(struct workers *w);
/* Waits after a write that failed for now, to give the disk time.  A wake does
 * not shorten the wait; the stop does. */
void workers_pause(struct workers *w);

/* ---- hurry.c ---- */

void hurries_open(struct workers *w);
void hurries_close(struct workers *w);
/* Asks that the account's tasks which have failed are made due, if they would
 * wait for longer than `beyond` ms from `now` (wall clock, ms).  Costs nothing;
 * the tasks are due a little later.  Any thread. */
void hurry_ask(struct workers *w, size_t account, int64_t now, int64_t beyond);
/* Takes one small step, if no other thread is at it.  `mono`: the steady clock,
 * ms.  False: there was nothing to do, or it failed and is tried again later.
 * Worker threads, between tasks. */
bool hurry_step(struct workers *w, int64_t mono);

/* ---- run.c ---- */

/* Runs t->tasks[0..n), which are leased and of one kind and instance, stores
 * their results and releases them. */
void run_tasks(struct thread *t, size_t n);

#endif
