/* SPDX-License-Identifier: MIT
 *
 * lookup.h - reads of Centra that a request waits for ("what is this EAN?"),
 * and reads that nobody waits for (lookup_behind).
 *
 * A request is put aside, a thread of this room makes the calls, and the
 * request goes on with what they found.  Neither the loop nor a request thread
 * ever waits for Centra.  The room's struct begins with a struct lookup:
 *
 *	struct product_lookup {
 *		struct lookup lookup;           (must be first)
 *		char ean[EAN_SIZE];             (in: never changed after begin)
 *		struct centra_products found;   (out: set by ask)
 *	};
 *
 *	l->lookup = (struct lookup){.what = "product",
 *				    .api = CENTRA_ORDER_API,
 *				    .ask = ask, .release = release};
 *	lookup_begin(lookups, &l->lookup, instance, req, res, show);
 *
 *	static void show(struct request *req, struct response *res)
 *	{
 *		const struct product_lookup *l = req->state;
 *
 *		if (!lookup_answered(req, res))
 *			return;                 (it has responded 503)
 *		... l->found ...
 *	}
 *
 * Limits:   LOOKUP_MS in all, the wait in the queue included; LOOKUPS_AT_ONCE
 *           calls of an instance at once, LOOKUPS_WAITING in its queue.  The
 *           calls are of the class CENTRA_LOOKUP, which leaves the greater part
 *           of the budget to what shops do.  While the circuit breaker of the
 *           API is open, a lookup ends at once.
 * Errors:   a lookup that fails costs its request a 503 with Retry-After and a
 *           code, and nothing else: it is not tried again.
 * Threads:  lookup_begin(), lookup_result() and lookup_answered() are for the
 *           function of the request that runs; `ask` runs on a thread of this
 *           room; `release` in the loop thread (of lookup_behind(): on a thread
 *           of this room).
 */
#ifndef SERVER_LOOKUP_LOOKUP_H
#define SERVER_LOOKUP_LOOKUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/err.h"
#include "centra/centra.h"
#include "server/http/http.h"
#include "server/metrics/counters.h"
#include "server/pending/pending.h"

#define LOOKUP_MS	3000 /* ms from lookup_begin() to the response */
#define LOOKUPS_AT_ONCE 2    /* of an instance; one of them may be behind */
#define LOOKUPS_WAITING 32   /* of an instance, in its queue */
#define LOOKUPS_BEHIND	256  /* of an instance, that nobody waits for */

struct lookups;

/* An instance's Centra. */
struct lookup_account {
	const char *instance;  /* borrowed, as long as the room lives */
	struct centra *centra; /* the same */
};

/* What the room needs.  All of it is borrowed and must outlive the room. */
struct lookup_parts {
	struct counters *counters;
	struct http *http;
	/* Returns the i-th account; false: there are no more. */
	bool (*account)(void *arg, size_t i, struct lookup_account *ret);
	/* Reports a call that was made, to be counted and logged.  Threads of
	 * this room. */
	void (*called)(void *arg, const char *instance, enum centra_api api,
		       const char *what, const struct call *call);
	void *arg;
};

/* Starts the threads: LOOKUPS_AT_ONCE for each account. */
enum rc lookups_open(struct lookups **ret, const struct lookup_parts *parts,
		     struct err *e);
/* Ends the lookups that wait, waits for those under way (LOOKUP_MS at most),
 * and ends the threads.  Call it after http_stop(), and before http_close() and
 * before the accounts are closed; NULL is fine. */
void lookups_stop(struct lookups *all);
/* Frees the room.  Call it after http_close(); NULL is fine. */
void lookups_close(struct lookups *all);

/* How many lookups of an instance wait for a thread. */
struct lookups_waiting {
	const char *instance; /* lives as long as the room */
	size_t waited;	      /* for which requests wait */
	size_t behind;	      /* for which nobody waits */
};

/* Reads the queues of the i-th account.  False: there are no more.  Any
 * thread. */
bool lookups_waiting(struct lookups *all, size_t i,
		     struct lookups_waiting *ret);

/* How a lookup ended. */
enum lookup_end {
	LOOKUP_OK,	/* its `ask` has set what it was to find */
	LOOKUP_SLOW,	/* Centra did not answer in LOOKUP_MS */
	LOOKUP_AWAY,	/* Centra does not answer, asked us to wait, or answered
			 * nothing that can be read */
	LOOKUP_BUSY,	/* too many lookups at once, or the budget is spent */
	LOOKUP_REFUSED, /* Centra refuses our key or token, or a permission is
			 * missing */
	LOOKUP_NONE,	/* the instance has no such API configured */
};

struct lookup {
	struct pending pending; /* must be first */
	/* Set these four; the rest is lookup.c's. */
	const char *what;    /* for the log: "product".  A constant */
	enum centra_api api; /* that `ask` calls first */
	/* Makes the calls on this connection, whose lane and deadline are set,
	 * and puts what they found into the struct that begins with *l.  Sets
	 * *ret to the call that decides; CALL_OK: the lookup has found what
	 * there is, which may be nothing. */
	void (*ask)(struct lookup *l, struct centra_conn *n, struct call *ret);
	/* Frees the struct that begins with *l. */
	void (*release)(struct lookup *l);

	enum lookup_end end;
	int64_t retry_after; /* s; see lookup_result() */
	int64_t until;	     /* time_mono: when it must have ended */
	bool behind;
	STAILQ_ENTRY(lookup) link;
};

/* Begins a lookup, which is the state of its request from now on; `next` is
 * called when it has ended, or after LOOKUP_MS.  l is released when neither the
 * request nor the room needs it any more.  If it cannot begin (the queue is
 * full, the instance is unknown), `next` is called all the same, at once. */
void lookup_begin(struct lookups *all, struct lookup *l, const char *instance,
		  struct request *req, endpoint_fn *next);

/* In `next`: how the lookup of the request ended.  *ret_retry (or NULL): after
 * how many seconds the client may ask again.  Until LOOKUP_OK the results of
 * `ask` must not be read: it may be running still. */
enum lookup_end lookup_result(const struct request *req, int64_t *ret_retry);
/* In `next`: true if the lookup ended with LOOKUP_OK.  False: it has responded
 * 503 with Retry-After and a code: centra_slow, centra_away, centra_busy,
 * centra_refused or not_configured. */
bool lookup_answered(struct request *req, struct response *res);
/* Returns the code of an end that is not LOOKUP_OK; code_words() has its words. */
const char *lookup_code(enum lookup_end end);

/* Begins a lookup that nobody waits for, after all others and one at a time,
 * with the lowest class of the budget (CENTRA_RECONCILE).  It is released on a
 * thread of this room when it has ended; l->end then says how.  False: too many
 * wait, or the instance is unknown; l is untouched and still the caller's.  Any
 * thread. */
bool lookup_behind(struct lookups *all, struct lookup *l, const char *instance);

#endif
