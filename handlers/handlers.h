/* SPDX-License-Identifier: MIT
 *
 * handlers.h - the handlers, one for each kind of task.
 *
 * A handler reads the task and its order, may call Centra, and returns a
 * result.  It never touches the queue or the store: the worker alone puts the
 * result into effect (store_finish).  It may run twice for one task (a crash
 * between the call and the commit), so it is safe to repeat.
 */
#ifndef HANDLERS_HANDLERS_H
#define HANDLERS_HANDLERS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hours.h"
#include "centra/centra.h"
#include "store/model/event.h"
#include "store/model/order.h"
#include "store/model/task.h"

/* Looks at an order as it is stored and decides what to change, as a
 * store_update_fn does (store/store.h). */
typedef enum rc begin_fn(void *arg, const struct order *o, struct changes *ret,
			 struct err *e);

struct docs;   /* declared in handlers/docs.h */
struct others; /* declared in handlers/reconcile.h */
struct round;
struct feed_hands; /* declared in handlers/feed.h */
struct notify_hands; /* declared in handlers/notify.h */

/* Input and output of one run of a handler. */
struct work {
	const struct task *task;
	const struct event *event; /* of a task that applies an event, else
				    * NULL */
	struct order *order;       /* a copy of the order as it was when the run
				    * began */
	int64_t now; /* the wall clock, ms */
	/* The steady clock, ms, and the boot of the machine that it belongs to;
	 * look_began: when the query of the newest look began. */
	int64_t steady, look_began;
	uint64_t boot;
	struct centra_conn *centra; /* the connection to the instance's Centra;
				     * NULL: not configured */
	const struct zone *zone;    /* the instance's; NULL: no hour is repeated
				     * in it */

	/* The warehouses of the instance's shops; NULL: unknown. */
	const int64_t *warehouses;
	size_t n_warehouses;

	/* Those of them whose shop's own system ships (ship_with = order_api):
	 * a shipment is made for each order that is theirs, and waits. */
	const int64_t *systems;
	size_t n_systems;

	/* How long (ms) until a look that showed nothing is repeated, and the
	 * least time between the two looks that end an offer; 0: a minute. */
	int64_t look_again;

	/* How long (ms) a press waits for its outcome; then the shop is told
	 * that it comes by itself. */
	int64_t answer_wait;

	/* Missed webhooks (OFFERS 7.2, 7.3). missed_after: ms after which a
	 * change that no event told counts as missed (0: none is counted).
	 * recover: an order whose create was missed is offered to these
	 * warehouses. */
	int64_t missed_after;
	bool recover;

	/* Reconciliation: how often it is due (ms; 0: only when asked for by
	 * hand), how far this one has come, and access to the instance's other
	 * orders. */
	int64_t sweep_every;
	int64_t poll_every; /* ms: how often the list of allocation requests
			     * is read; 0: never */
	struct round *round;
	const struct others *others;
	const struct feed_hands *feeds; /* of a task of a feed */
	bool lock_orders; /* lock_orders = yes (docs/lock.md) */
	const struct docs *docs; /* reads documents of the instance */
	const struct notify_hands *notify; /* of a task `notify` */

	/* Shipping: whether to go on while a payment is being confirmed, and
	 * how long (ms) Centra may still act on a try whose outcome is unknown,
	 * from its beginning. */
	bool ship_on_pending;
	int64_t settle;
	/* ms by the steady clock since the newest try at a call for this order
	 * and sub began; or since the process began, if that was later. */
	int64_t since_try;
	/* The wall clock is not confirmed (base/clock.h): an offer that seems
	 * to have expired may not have. */
	bool clock_unsure;
	/* By how many ms the wall clock is known to be ahead of Centra's; 0: it
	 * is confirmed, or Centra has not replied yet. */
	int64_t clock_ahead;

	/* When the store was restored from a backup, or found to be a copy of
	 * another; TIME_NONE: never.  What happened at Centra before that may
	 * not be known. */
	int64_t renewed;

	/* Of a task of a warehouse: the quiet hours of its shop, in the zone of
	 * the instance. */
	struct hours quiet;

	/* Makes durable that a call which changes something at Centra is about
	 * to be made: in one transaction, all that the run has decided so far
	 * and the changes that `fn` adds.  Afterwards *w->order is the order as
	 * it is stored, and result.changes is empty.  Not OK: do not call;
	 * nothing was stored.  RC_CONFLICT comes from fn: the call is no longer
	 * wanted. */
	enum rc (*begin)(struct work *w, begin_fn *fn, void *arg,
			 struct err *e);
	void *worker; /* begin's own */

	/* Reports a call to Centra to the worker, which logs and counts it. */
	void (*called)(struct work *w, enum centra_api api, const char *what,
		       const struct call *call);
	/* Raises the alarm that the configuration is wrong. */
	void (*alarm)(struct work *w, enum centra_api api, const char *why);

	struct result result; /* out; zeroed: done, and nothing changed */
};

/* Runs n tasks of one kind and instance, each about a different order. */
typedef void handler_fn(struct work *w, size_t n);

#define TASK_CHECK_FIRST  "check_first"  /* apply a check_first event */
#define TASK_ALLOCATION_REQUEST \
	"allocation_request" /* apply an allocation_request event */
#define TASK_ORDER	  "order"        /* apply an order event */
#define TASK_ANSWER_OFFER "answer_offer" /* tell Centra a shop's answer */
#define TASK_FETCH_ORDER  "fetch_order"  /* fetch the order: a look */
#define TASK_MISSED	  "missed" /* decide whether a webhook was missed */
#define TASK_SHIP_ORDER	  "ship_order"   /* ship what a shop has packed */
/* Read the Order API's list of allocation requests: of order 0 what can be
 * answered, of another order all of it (poll_requests.c). */
#define TASK_POLL_REQUESTS "poll_requests"
#define TASK_RECONCILE	  "reconcile" /* reconcile with Centra (reconcile.h) */

#define TASK_FEED_GRAPHQL "feed_graphql" /* read the GraphQL events (feed.h) */
#define TASK_FEED_SOAP	  "feed_soap"	 /* read the queue of the SOAP API */
#define TASK_LOCK_ORDER	  "lock_order"	 /* lock or unlock the order (lock.h) */
#define TASK_LOCK_SWEEP	  "lock_sweep"	 /* find locks that are left */

#define REQUESTS_AT_ONCE 20 /* orders whose requests one call reads */

/* The API that a run calls first, for which it may have to wait. */
enum handler_calls {
	CALLS_NOBODY,
	CALLS_ORDER_API,
	CALLS_GRAPHQL,
	CALLS_SOAP,
	CALLS_SHOP_API, /* the Order API of the shop's own plugin */
	CALLS_RECEIVER, /* the shop's own system (notify.h): each has a group of
			 * its own from GROUP_OUTSIDE on */
};

struct handler {
	const char *kind;
	unsigned batch; /* most tasks in one run */
	enum handler_calls calls; /* first */
	enum lane lane; /* LANE_UNPLACED: handler_place() decides */
	handler_fn *run;
};

/* The table; ends with a row whose kind is NULL. */
extern const struct handler handlers[];

/* NULL: no such kind. */
const struct handler *handler_find(const char *kind);
unsigned handler_batch(const char *kind);
/* Returns the kind of task that applies an event of this type; NULL: such
 * events are kept and counted. */
const char *handler_of_event(const char *type, const char *action);

/* Sets a task's lane, unless a lane was asked for, and its group, an enum
 * handler_calls, or of CALLS_RECEIVER notify_group().  o is the task's order, or NULL.  Pure.  A store_place_fn
 * (store/store.h). */
void handler_place(struct task *t, const struct order *o);

handler_fn handle_event, handle_fetch_order, handle_missed, handle_reconcile,
	handle_poll_requests, handle_ship_order;

#endif
