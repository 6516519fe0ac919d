/* SPDX-License-Identifier: MIT
 *
 * order.h - one order as the stand-in keeps it: a value.  The rules are in
 * world.c and shipment.c; this makes orders and shows them as JSON.
 *
 * Threads:  none; world.c holds the lock.
 */
#ifndef SIM_ORDER_H
#define SIM_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/sim/json.h"

#define LINES_MAX     64
#define ASKS_MAX      64
#define SHIPMENTS_MAX 16

struct item; /* stock.h */

struct line {
	int64_t id;
	int64_t quantity; /* 0: cancelled */
	const char *type; /* a constant: its __typename */
	bool stock;	  /* it has stock, which can be allocated */
	bool sized;	  /* it has a productSize */
	char *product, *variant, *size, *sku, *ean, *upc; /* owned */
	double price;
	int64_t warehouse; /* its stock is allocated there; 0 = nowhere */
	int64_t allocated; /* units, <= quantity */
	bool waiting;      /* isWaitingForConfirmation */
	const struct item *item; /* of stock.h, or NULL: it has no stock */
};

/* What check-first asked one warehouse. */
enum ask_state { ASKED, ASK_ACCEPTED, ASK_REJECTED, ASK_TIMED_OUT };

struct ask {
	int64_t warehouse;
	int64_t expires; /* ms */
	enum ask_state state;
};

struct shipment {
	int64_t id;
	char number[32]; /* "1001-1" */
	bool good_to_go, paid, captured, capture_pending, shipped;
	int64_t capture_due; /* ms: a pending capture ends; 0 = never */
	bool capture_fails;  /* how it ends */
	int64_t payment;     /* id of the newest capture; 0 = none */
	int captures, completions; /* how often each was done */
	bool early; /* an API set it good-to-go before it was paid */
	bool told_shipped; /* "shipped", of the Order API; with good-to-go and
			    * paid it is complete */
	int updates;	   /* how often its quantities were edited */
	cJSON *serials;	   /* owned: {"<line>": serial number}, or NULL */
	char *carrier, *service, *tracking; /* owned, or NULL */
	int64_t packages;
	int64_t created, shipped_at; /* ms */
	struct {
		int64_t line, quantity;
	} lines[LINES_MAX];
	size_t n_lines;
};

struct order {
	int64_t number;
	char id[33]; /* 32 hex */
	int64_t placed;
	const char *status;      /* a constant: "PENDING", ... */
	const char *hold_reason; /* a constant, or NULL: not on hold by it */
	/* Of readings (reading.h): another reason to hold it, a constant, and
	 * until when (ms); no reason is shown; where its stock was, and until
	 * when that is shown; and the order as it was, until when. */
	const char *other_hold;
	int64_t other_until;
	bool reason_hidden;
	int64_t moved_from, moved_shown;
	cJSON *seen; /* owned, or NULL */
	bool seen_waits;
	int64_t seen_until;
	bool locked, locked_by_person;
	bool unlocked_a_persons; /* an API unlocked what a person had locked */
	int locks, unlocks, resumes; /* calls of APIs (lock.h) */
	int64_t winner; /* the warehouse that accepted; 0 = none */
	int accepts;    /* answers with accepted:true that we said ok to */
	cJSON *address; /* owned */
	struct line lines[LINES_MAX];
	size_t n_lines;
	struct ask asks[ASKS_MAX];
	size_t n_asks;
	struct shipment shipments[SHIPMENTS_MAX];
	size_t n_shipments;
	int shipments_made; /* those that were deleted too */
	cJSON *shipwallet;  /* owned: of the delivery that was chosen in the
			     * checkout, or NULL */
	struct request *requests; /* owned: allocation.h */
	struct order *next;   /* of its bucket, newest first */
	struct order *before; /* placed before it */
};

#define HOLD_CHECK_FIRST "WAITING_FOR_CHECK_FIRST_ALLOCATION"

/* From a control request, or something realistic where it says nothing. */
struct order *order_new(const cJSON *spec, int64_t number, unsigned seed);
void order_free(struct order *o);

bool order_waits(const struct order *o);
bool order_on_hold(const struct order *o);
struct ask *order_ask(struct order *o, int64_t warehouse);
/* The shipment of this number ("1001-1"), or NULL. */
struct shipment *order_shipment(struct order *o, const char *number);
void shipment_free(struct shipment *s); /* what it owns */
/* Units of the line that some shipment holds. */
int64_t order_in_shipments(const struct order *o, int64_t line);
/* All lines to one warehouse; 0 takes them back. */
void order_allocate(struct order *o, int64_t warehouse);

/* Ends captures that are due.  Every reading of an order comes after it. */
void order_settle(struct order *o);

typedef const char *warehouse_name_fn(int64_t id);
/* Every field that the GraphQL API can be asked for.  `leave`: units that are in
 * a shipment are not among the allocations. */
cJSON *order_graphql(const struct order *o, bool leave,
		     warehouse_name_fn *name);
/* For /control/state. */
cJSON *order_state(const struct order *o);

#endif
