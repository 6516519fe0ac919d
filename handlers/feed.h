/* SPDX-License-Identifier: MIT
 *
 * feed.h - the feeds by which Centra tells that an order changed (CONTRACT 6.8,
 * 9): GraphQL events, and the queue of the SOAP API.
 *
 * Each is a task of its own (TASK_FEED_GRAPHQL, TASK_FEED_SOAP, of order 0),
 * which makes itself due again every `poll_feeds`.  A run reads a page of
 * events, makes durable what they mean, and only then confirms them: a confirmed
 * event is gone for good.  A crash in between leaves the events to be read
 * again, which adds nothing new.  An event that Centra refuses to confirm keeps
 * no other from being confirmed.
 *
 * What an event means, by the order that it is about:
 *
 *   - a shop was asked about the order: a fetch, as a look;
 *   - no offer of the order is open here, and Centra lists it as waiting for
 *     check-first: the task `missed`, due after `missed_after`, as
 *     reconciliation adds it (OFFERS 7.1).  Usually the webhook comes before;
 *   - any other order: nothing, and nothing is fetched.
 *
 * An event whose order cannot be found out (a shipment that was deleted) is kept
 * as a document (KIND_FEED_EVENT) and counted.
 */
#ifndef HANDLERS_FEED_H
#define HANDLERS_FEED_H

#include <stdatomic.h>

#include "handlers/handlers.h"
#include "store/model/doc.h"

enum feed { FEED_GRAPHQL, FEED_SOAP, FEEDS };
const char *feed_name(enum feed f); /* "graphql", "soap" */

/* After so many refused confirmations a run ends; the next one goes on behind
 * the events of these. */
#define FEED_REFUSALS_MOST 12

#define KIND_FEED_EVENT "feed_event"	/* of a document */
/* The list in which it stands.  Nothing is left to be done about it, so it goes by
 * age (keep_quarantine). */
#define FEED_UNRESOLVED "unresolved/done"

/* The progress of a feed of an instance.  It outlives the runs of its task; the
 * worker keeps it in memory.  One run at a time writes it; any thread may read
 * what is atomic. */
struct feed_progress {
	int64_t listened; /* steady clock, ms: the listeners were set last; 0:
			   * not yet */
	int64_t *unsure; /* owned: ids whose confirmation got no reply: to be
			  * confirmed again */
	size_t n_unsure;
	int64_t *taken; /* owned, ascending: ids that were confirmed last; an
			 * event that Centra shows once more counts no more */
	size_t n_taken;
	/* Once Centra has refused to confirm an event: how many are confirmed
	 * in one call, and the place in the page to begin at.  Otherwise 0: the
	 * whole page. */
	size_t portion, begin;
	/* Wall clock, ms; 0: not yet. */
	_Atomic int64_t read;      /* the feed was read to its end, or the
				    * server started */
	_Atomic int64_t confirmed; /* an event was confirmed last */
	_Atomic int64_t oldest; /* the oldest event that was read and is not
				 * confirmed was made; 0: there is none */
};
void feed_progress_release(struct feed_progress *p);

/* What a run did, for the log and the metrics.  All of it counts only what is
 * confirmed, so nothing counts twice; of a page that is confirmed in part only
 * `confirmed` is known. */
struct feed_report {
	enum feed feed;
	size_t confirmed;  /* events */
	size_t looks;	   /* orders that got a fetch */
	size_t suspects;   /* orders that got the task `missed` */
	size_t unresolved; /* events whose order is not known */
	size_t others;	   /* events of other objects */
	size_t unread; /* rows that cannot be read; they stay in the feed */
	const char *why;   /* NULL, or why the run failed */
};

/* What a run of a feed needs of the worker. */
struct feed_hands {
	bool on[FEEDS]; /* the config names the feed, and says that its queue is
			 * ours */
	int64_t every;	/* ms between two polls */
	struct feed_progress *progress; /* FEEDS of them */
	/* Makes tasks and documents durable in one transaction: all of them or
	 * none. */
	enum rc (*keep)(const struct work *w, const struct task *tasks,
			size_t n_tasks, const struct doc *docs, size_t n_docs,
			struct err *e);
	void (*report)(const struct work *w, const struct feed_report *r);
};

handler_fn handle_feed_graphql, handle_feed_soap;

#endif
