/* SPDX-License-Identifier: MIT
 *
 * order.h - what was said about one order, by Centra and by us.
 *
 * A value: it knows neither disk nor meaning.  Facts only ever join (the least
 * of some dates, the greatest of others, flags that stay set), so applying the
 * same facts in any order, any number of times, ends in the same order.  What
 * the facts *mean* (the state of each offer) is derived by handlers/offer.h and
 * kept beside them, so that lists can be indexed by it.
 *
 * Memory:   an order owns its offers and their texts; order_release() ends it.
 * Threads:  none; a value belongs to who holds it.
 */
#ifndef STORE_MODEL_ORDER_H
#define STORE_MODEL_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/names.h"
#include "base/time.h"
#include "store/model/offer.h"

#define STATUS_SIZE   48 /* Centra's enum words: "CONFIRMED" */

/* What a webhook that never came would have told.  An order or offer keeps a
 * bit (1 << kind) for each that was missed, so that it is counted once. */
enum missed {
	MISSED_CREATE,	 /* of the order */
	MISSED_ACCEPTED, /* of the order: one warehouse gets it */
	MISSED_REJECTED,
	MISSED_TIMEOUT,
	MISSED_CANCEL, /* of the order */
	MISSED_KINDS,
};

/* "create", "accepted", ...: as in metrics. */
const char *missed_name(enum missed m);

#define OFFERS_MAX     1000    /* warehouses of one order */
#define ORDER_TEXT_MAX 2000    /* bytes of a reason, refusal, journal line */
#define ORDER_JSON_MAX 4000000 /* bytes of details or an address */

struct order {
	char instance[INSTANCE_SIZE];
	int64_t number;
	bool cancelled; /* an event or a fetched status said so; stays */

	/* As last fetched from Centra; fetched_at 0 = never. */
	int64_t fetched_at;
	char status[STATUS_SIZE];      /* Centra's OrderStatus */
	char hold_reason[STATUS_SIZE]; /* Centra's OrderHoldReason, "" = none */
	bool on_hold;
	bool has_details; /* lines and city are kept (see store_details) */
	bool has_address; /* so is the address */

	/* Counts what we know: check_first and cancel events applied, tries of
	 * ours begun and ended.  A finding with knew == version knew it all. */
	uint64_t version;
	int64_t first_seen;
	int64_t updated;

	struct offer *offers; /* owned; ascending by warehouse */
	size_t n_offers;

	unsigned missed;
	int64_t told_at; /* an order event last came; 0: none since offered */

	/* Derived. */
	bool fetch_due; /* something is open that a fetch (a look) would settle */
};

void order_init(struct order *o, const char *instance, int64_t number);
void order_release(struct order *o); /* fine on a zeroed one */
void order_copy(struct order *ret, const struct order *o);

/* The offer to a warehouse; NULL when nothing was ever said of it. */
struct offer *order_offer(const struct order *o, int64_t warehouse);
/* Takes note of the states as they are now derived: was_accepted, stopped. */
void order_remember(struct order *o);

#endif
