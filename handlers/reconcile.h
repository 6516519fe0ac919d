/* SPDX-License-Identifier: MIT
 *
 * reconcile.h - reconciliation with Centra: what no webhook told (OFFERS 7).
 * Users know it as the sweep.
 *
 * It is a task of its own (TASK_RECONCILE, of order 0), one for each instance,
 * which puts itself back every `sweep_every`.  A second one, of sub
 * RECONCILE_BY_HAND, runs once when it is asked for by hand.  Both work in the
 * last lane:
 *
 *   1. Centra's list of the orders that wait for check-first is read, a page a
 *      run.  Each order of which no offer is open here gets the task `missed`,
 *      due after `missed_after` (handlers/missed.h).
 *   2. Each order that a shop could still act on gets a fetch in the last lane:
 *      that look, as any other, records what it proves.
 *   3. It has ended when its turn comes again: behind those fetches.
 *
 * What it has found is kept as tasks, so a restart forgets nothing but how far
 * the list was read: it then begins anew.
 */
#ifndef HANDLERS_RECONCILE_H
#define HANDLERS_RECONCILE_H

#include "handlers/handlers.h"
#include "store/model/listing.h"

#define RECONCILE_BY_HAND 1 /* task.sub */

/* How far a reconciliation has come.  It outlives the runs of its task; the
 * worker keeps one for each instance and sub, in memory.  Zeroed: none is under
 * way. */
struct round {
	int64_t began;	    /* steady clock, ms; 0: not yet */
	int64_t not_before; /* steady clock: none begins earlier; set when one
			     * was given up */
	unsigned page;	/* of the list, read in this reading of it */
	unsigned reads; /* readings of the whole list that are done */
	bool news;	/* this reading named an order that none before did */
	int64_t *read;	/* owned: all that were named, in ascending order */
	size_t n_read;
	bool looked;	/* the list is read; each order has got its fetch */
	size_t looks;	/* orders that got one */
	size_t waiting; /* orders that Centra lists */
	size_t unknown; /* of those, the ones that got the task `missed` */
	size_t unread;	/* rows of the list whose number cannot be read */
};
void round_release(struct round *r); /* the next one begins anew */

/* The other orders of the run's instance.  The worker's; reads are short, and
 * `add` makes durable what it is given: all of it or nothing. */
struct others {
	void *arg; /* the worker's own */
	enum rc (*listed)(const struct work *w, int64_t warehouse,
			  enum list list,
			  bool (*fn)(void *arg, const struct listed *row),
			  void *arg, struct err *e);
	/* Of the list "done", those that changed at `since` or later. */
	enum rc (*done_since)(const struct work *w, int64_t warehouse,
			      int64_t since,
			      bool (*fn)(void *arg, const struct listed *row),
			      void *arg, struct err *e);
	/* RC_NOTFOUND: never heard of.  RC_INVALID: it cannot be read. */
	enum rc (*order)(const struct work *w, int64_t number,
			 struct order *ret, struct err *e);
	enum rc (*add)(const struct work *w, const struct task *tasks, size_t n,
		       struct err *e);
	/* A reconciliation ended; or was given up, and `why` says why. */
	void (*ended)(const struct work *w, const struct round *r,
		      const char *why);
};

/* How long (ms) it goes on looking at what a look alone ended. */
#define RECONCILE_REOPENS ((int64_t)48 * 3600 * 1000)

/* True when an offer of the order was ended, less than RECONCILE_REOPENS ago, by
 * a look alone, or by a reject that Centra answered with `no`: another look may
 * open it again, or show that it is the warehouse's.  Of a derived order;
 * pure. */
bool reconcile_may_reopen(const struct zone *zone, const struct order *o,
			  int64_t now);

#endif
