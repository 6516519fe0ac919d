/* SPDX-License-Identifier: MIT
 *
 * feed.h - Centra's feed of events by GraphQL (CONTRACT 6.8), and the lock of
 * orders (CONTRACT 6.9).
 *
 * An event is at the head of the feed until it is confirmed.  A confirmed event
 * is gone for good, for every reader that uses the same integration name.
 */
#ifndef CENTRA_FEED_H
#define CENTRA_FEED_H

#include "centra/graphql.h"

enum feed_object { FEED_ORDER, FEED_SHIPMENT, FEED_RETURN, FEED_OTHER };

struct feed_event {
	int64_t id;
	enum feed_object object;
	int64_t reference; /* of an order its number, else the object's id; 0: it
			    * cannot be read */
	int64_t created;   /* ms; 0: it cannot be read */
};

struct feed_events {
	struct call call;
	struct feed_event *list; /* owned; the oldest first */
	size_t n;
	size_t unread; /* rows whose id or type cannot be read: they are not
			* confirmed */
};

#define FEED_EVENTS_MOST 200 /* of one reply: the most that Centra shows */

/* Sets the listeners for orders, shipments and returns.  May be repeated. */
void graphql_listen(struct centra_conn *n, struct centra_done *ret);
/* Reads the oldest events that are not confirmed.  If no row can be read, the
 * call is CALL_UNKNOWN. */
void graphql_events(struct centra_conn *n, struct feed_events *ret);
void feed_events_release(struct feed_events *f);
/* Confirms events, FEED_EVENTS_MOST at most.  May be repeated. */
void graphql_confirm_events(struct centra_conn *n, const int64_t *ids,
			    size_t n_ids, struct centra_done *ret);

/* The order that a shipment or a return belongs to. */
struct feed_owner {
	int64_t id, order;
};
struct feed_owners {
	struct call call;
	struct feed_owner *list; /* owned; only those that Centra shows */
	size_t n;
};
/* Finds the orders of shipments, or of returns (`object`), FEED_EVENTS_MOST at
 * most, by the number of a shipment, which begins with its order's: "39790-1"
 * (CONTRACT 6.8). */
void graphql_owners(struct centra_conn *n, enum feed_object object,
		    const int64_t *ids, size_t n_ids, struct feed_owners *ret);
void feed_owners_release(struct feed_owners *o);

/* Lists which of these orders (FEED_EVENTS_MOST at most) wait for check-first
 * now. */
void graphql_waiting_of(struct centra_conn *n, const int64_t *numbers,
			size_t n_numbers, struct centra_numbers *ret);

/* ---- the lock ---- */

#define LOCK_MOST 50 /* orders in one call */

/* Locks the orders for the people in AMS, or unlocks them, LOCK_MOST at most.
 * Sets, so it may be repeated. */
void graphql_set_lock(struct centra_conn *n, const int64_t *numbers,
		      size_t n_numbers, bool locked, struct centra_done *ret);
/* Lists which of these orders (LOCK_MOST at most) are locked, by whomever. */
void graphql_locked_of(struct centra_conn *n, const int64_t *numbers,
		       size_t n_numbers, struct centra_numbers *ret);

#endif
