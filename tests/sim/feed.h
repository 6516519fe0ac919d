/* SPDX-License-Identifier: MIT
 *
 * feed.h - the two feeds by which Centra tells of changes besides webhooks: the
 * GraphQL events (CONTRACT 6.8) and the queue of the SOAP API (soap.h).
 *
 * What happens to an order or a shipment is noted once, and stands in both
 * feeds until it is confirmed there.  The GraphQL feed takes up only the types
 * for which a listener was set.
 *
 * Threads:  any thread, any call.
 */
#ifndef SIM_FEED_H
#define SIM_FEED_H

#include "tests/sim/json.h"

enum feed { FEED_GRAPHQL, FEED_SOAP, FEEDS };

/* `object`, `change`: constants, such as "Order" and "UPDATED".  `order`: the
 * number of the order that it is about; 0: none. */
void feed_note(const char *object, const char *change, int64_t reference,
	       int64_t order);
void feed_reset(void);

/* The queries and mutations of the GraphQL feed; NULL: none of them. */
cJSON *feed_query(const char *name, const cJSON *args, const char **why);
cJSON *feed_mutation(const char *name, const cJSON *args);

/* ---- a feed, for soap.c ---- */

struct feed_event {
	int64_t id;
	char object[32], change[32];
	int64_t reference, order;
	int64_t created; /* ms */
	int shown, confirmed; /* how often */
	bool stuck; /* what confirms it is refused */
};
/* Calls fn with the oldest events that are not confirmed, `limit` at most. */
void feed_oldest(enum feed feed, const char *object, int64_t limit,
		 void (*fn)(void *arg, const struct feed_event *ev), void *arg);
/* True if the event can never be confirmed: a call that names it does
 * nothing. */
bool feed_is_stuck(enum feed feed, int64_t id);
/* Confirms an event; false: there is none of that id, or it was confirmed. */
bool feed_confirm(enum feed feed, int64_t id);

/* ---- control ---- */

/* {"events":[{"object","change","reference","order","stuck"}],"count":1}: adds them
 * to both feeds, listened to or not. */
void feed_add(const cJSON *spec);
cJSON *feed_state(void);

#endif
