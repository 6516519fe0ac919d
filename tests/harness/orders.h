/* SPDX-License-Identifier: MIT
 *
 * orders.h - orders that a test begins with: offered to Amsterdam, accepted by
 * it, shipped by it; and what Amsterdam and Centra have of them.
 *
 * A failure in here ends the test, so only the test's own thread may call.
 */
#ifndef HARNESS_ORDERS_H
#define HARNESS_ORDERS_H

#include "tests/harness/shipfrom.h"

/* For [centra se]: no budget makes a test wait. */
#define MANY "graphql_requests = 1000\ngraphql_mutations = 1000\n"
#define PARCEL                                                                 \
	"{\"carrier\":\"PostNord\",\"service\":\"Parcel\","                    \
	"\"tracking\":\"SE123\",\"packages\":2}"

/* Members of an order for Stockholm and Amsterdam. */
#define ORDER_LINES(lines) "\"warehouses\":[2,3],\"lines\":[" lines "]"
/* 2 units and 1. */
#define TWO_LINES ORDER_LINES("{\"quantity\":2},{\"quantity\":1}")
/* Three pieces to ship, with what has no stock: a bundle's parent beside its
 * items, and a gift card. */
#define BUNDLE                                                                 \
	ORDER_LINES("{\"kind\":\"bundle\",\"quantity\":1},"                    \
		    "{\"kind\":\"bundle_item\",\"quantity\":2},"               \
		    "{\"quantity\":1},"                                        \
		    "{\"kind\":\"gift_card\",\"quantity\":1}")

/* Places an order (members of the stand-in's POST /control/orders, without
 * braces; NULL: for Amsterdam alone), and waits until Amsterdam sees it
 * pending. */
int64_t order_offered(struct shipfrom *s, const char *members);
/* Offered to all shops for so many seconds, and pending at each. */
int64_t offered_to_all(struct shipfrom *s, int seconds);
/* For Amsterdam alone; it expires in so many seconds. */
int64_t order_offered_for(struct shipfrom *s, int seconds);
/* Sends the webhook of an order that is offered to Amsterdam, whether or not
 * the stand-in has it. */
void order_create(struct shipfrom *s, int64_t number);
/* The same as order_offered(), and Amsterdam has accepted it and has its
 * address. */
int64_t order_accepted(struct shipfrom *s, const char *members);

/* GET of the order, as Amsterdam. */
struct answer order_get(struct shipfrom *s, int64_t number);
/* True if Amsterdam is shown an address.  A `true_yet` takes a struct
 * order_of. */
struct order_of {
	struct shipfrom *s;
	int64_t number;
	const char *stage;
};
bool order_has_address(void *order_of);

/* Amsterdam ships it; `parcel` is JSON.  Returns the status; a problem's code
 * goes to `code` ("" if there is none). */
long order_ship(struct shipfrom *s, int64_t number, const char *parcel,
		char code[STATE_ROOM]);
/* The stage of the newest shipment in an order's JSON, or "". */
const char *stage_of(const struct answer *order);
/* Until the newest shipment is at the stage; fails the test after `ms`. */
void wait_stage(struct shipfrom *s, int64_t number, const char *stage, int ms);

/* What Centra has of an order's shipments. */
struct sim_shipped {
	int shipments, captures, completions, units;
	int early; /* shipments that were good to go before they were paid */
	char carrier[32], tracking[32]; /* of the last */
};
struct sim_shipped sim_shipped(struct sim *s, int64_t number);
/* Fails the test unless Centra has so many shipments of the order, each made,
 * captured and completed once, with so many units in all. */
void expect_shipped(struct shipfrom *s, int64_t number, int shipments,
		    int units);
/* How many calls of this name about an order have ended at Centra. */
int sim_calls_of(struct sim *s, int64_t number, const char *what);

/* The value of a sample of /metrics, labels included; -1: there is none. */
int64_t metric(struct shipfrom *s, const char *name);
/* Until it is `value`; fails the test after `ms`. */
void metric_becomes(struct shipfrom *s, const char *name, int64_t value,
		    int ms);
/* Until it is `least` or more; fails the test after `ms`. */
void wait_metric(struct shipfrom *s, const char *name, int64_t least, int ms);

#endif
