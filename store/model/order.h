/* SPDX-License-Identifier: MIT
 *
 * order.h - all that is known of one order.
 *
 * A value: it does no I/O and draws no conclusions.  Facts only ever join (the
 * least of some dates, the greatest of others, flags that stay set), so
 * applying the same facts in any order, any number of times, ends in the same
 * order.  What the facts *mean* (the state of each offer) is derived by
 * handlers/offer.h and kept beside them, so that lists can be indexed by it.
 *
 * Memory:   an order owns its offers and their texts; order_release() ends it.
 * Threads:  no locks: a value belongs to the code that holds it.
 */
#ifndef STORE_MODEL_ORDER_H
#define STORE_MODEL_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/names.h"
#include "base/time.h"
#include "store/model/offer.h"

#define STATUS_SIZE   48 /* bytes of a word of Centra's, such as "CONFIRMED" */

/* What a webhook would have told that never came.  An order or offer keeps a
 * bit (1 << kind) for each that was missed, so that it is counted once. */
enum missed {
	MISSED_CREATE,	 /* of the order */
	MISSED_ACCEPTED, /* of the order, since only one warehouse can get
			  * it */
	MISSED_REJECTED,
	MISSED_TIMEOUT,
	MISSED_CANCEL, /* of the order */
	MISSED_KINDS,
};

/* Returns the kind's name in metrics, such as "create". */
const char *missed_name(enum missed m);

#define OFFERS_MAX     1000    /* most warehouses of one order */
#define ORDER_TEXT_MAX 2000    /* most bytes of a reason, a refusal or a text in
			        * the journal */
#define ORDER_JSON_MAX 4000000 /* most bytes of the details or of an address */

struct order {
	char instance[INSTANCE_SIZE];
	int64_t number;
	bool cancelled; /* an event or a fetched status said so; it stays set */

	/* As last fetched from Centra; fetched_at 0: never. */
	int64_t fetched_at;
	char status[STATUS_SIZE];      /* Centra's OrderStatus, as a word */
	char hold_reason[STATUS_SIZE]; /* Centra's OrderHoldReason, as a word;
				        * "": none */
	bool on_hold;
	bool has_details; /* lines and city are stored (store_details()) */
	bool has_address; /* so is the address */

	/* Grows with each event of Centra's that is applied (check_first,
	 * cancel) and with each try of ours that begins or ends.  A finding
	 * whose `knew` equals the version knew all of that. */
	uint64_t version;
	int64_t first_seen;
	int64_t updated;

	struct offer *offers; /* owned; in ascending order of the warehouses */
	size_t n_offers;

	unsigned missed;
	int64_t told_at; /* when an `order` event last came; 0: none has since
			  * the order was offered */

	/* Derived. */
	bool fetch_due; /* a fetch (a look) would settle something that is
			 * open */
};

/* Makes an order of which nothing is known. */
void order_init(struct order *o, const char *instance, int64_t number);
void order_release(struct order *o); /* may be called for a zeroed one */
void order_copy(struct order *ret, const struct order *o);

/* Returns the offer to a warehouse; NULL: nothing was ever said about it. */
struct offer *order_offer(const struct order *o, int64_t warehouse);
/* Updates was_accepted and stopped of each offer by the states that are now
 * derived; and forgets the names and addresses in the shipments of an offer that
 * is no longer the shop's. */
void order_remember(struct order *o);

#endif
