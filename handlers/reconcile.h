/* SPDX-License-Identifier: MIT
 *
 * reconcile.h - reconciliation with Centra: finds what no webhook told (OFFERS
 * 7).  Users know it as the sweep.
 *
 * It is a task of its own (TASK_RECONCILE, of order 0), one for each instance,
 * which makes itself due again every `sweep_every`.  A second one, of sub
 * RECONCILE_BY_HAND, runs once when it is asked for by hand.  Both work in the
 * last lane:
 *
 *   1. Centra's list of the orders that wait for check-first is read, a page a
 *      run.  Each order of which no offer is open here gets the task `missed`,
 *      due after `missed_after` (handlers/missed.h).
 *   2. Each order that a shop could still act on gets a fetch in the last lane:
 *      that look, as any other, records what it proves.
 *   3. It ends when its turn comes again, which is behind those fetches.
 *
 * What it has found is kept as tasks.  So a restart only forgets how far the
 * list was read, and the reading begins anew.
 */
#ifndef HANDLERS_RECONCILE_H
#define HANDLERS_RECONCILE_H

#include "handlers/handlers.h"
#include "store/model/listing.h"

#define RECONCILE_BY_HAND 1 /* task.sub */

/* The progress of a reconciliation.  It outlives the runs of its task; the
 * worker keeps one for each instance and sub, in memory.  Zeroed: no
 * reconciliation is under way. */
struct round {
	int64_t began;	    /* steady clock, ms, when it began; 0: not yet */
	int64_t not_before; /* steady clock, ms: no reconciliation begins
			     * earlier; set when one was given up */
	unsigned page;	/* pages of the list that this reading has read */
	unsigned reads; /* readings of the whole list that are complete */
	bool news; /* this reading has named an order that no earlier one did */
	int64_t *read;	/* owned: all numbers that were named, in ascending
			 * order */
	size_t n_read;
	bool looked;	/* the list is read, and each order has got its fetch */
	size_t looks;	/* orders that got one */
	size_t waiting; /* orders that Centra lists as waiting */
	size_t unknown; /* of `waiting`: orders that got the task `missed` */
	size_t unread;	/* rows of the list whose number cannot be read */
};
void round_release(struct round *r); /* frees it, and zeroes it for the next
				      * reconciliation */

/* Access to the other orders of a run's instance; the worker provides it.  The
 * reads are short, and `add` makes all of its tasks durable or none. */
struct others {
	void *arg; /* the worker's own */
	enum rc (*listed)(const struct work *w, int64_t warehouse,
			  enum list list,
			  bool (*fn)(void *arg, const struct listed *row),
			  void *arg, struct err *e);
	/* Lists the rows of "done" that changed at `since` or later. */
	enum rc (*done_since)(const struct work *w, int64_t warehouse,
			      int64_t since,
			      bool (*fn)(void *arg, const struct listed *row),
			      void *arg, struct err *e);
	/* Reads an order.  RC_NOTFOUND: it was never heard of.
	 * RC_INVALID: it cannot be read. */
	enum rc (*order)(const struct work *w, int64_t number,
			 struct order *ret, struct err *e);
	enum rc (*add)(const struct work *w, const struct task *tasks, size_t n,
		       struct err *e);
	/* Reports that a reconciliation ended; `why` is NULL, or says why it
	 * was given up. */
	void (*ended)(const struct work *w, const struct round *r,
		      const char *why);
};

/* ms for which reconciliation goes on looking at an order that a look alone has
 * ended. */
#define RECONCILE_REOPENS ((int64_t)48 * 3600 * 1000)

/* True if an offer of the order was ended, less than RECONCILE_REOPENS ago, by
 * a look alone, or by a reject that Centra answered with `no`: another look may
 * open it again, or show that the order is the warehouse's.  The order must be
 * derived.  Pure. */
bool reconcile_may_reopen(const struct zone *zone, const struct order *o,
			  int64_t now);

#endif
