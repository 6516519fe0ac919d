/* SPDX-License-Identifier: MIT
 *
 * graphql.h - our queries to Centra's Integration API (CONTRACT 6), and the
 * mutations that ship an order.
 */
#ifndef CENTRA_GRAPHQL_H
#define CENTRA_GRAPHQL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "centra/centra.h"

struct centra_allocation {
	int64_t warehouse;
	int64_t quantity;
	bool waiting; /* the field isWaitingForConfirmation */
};

/* A line of an order.
 *
 * `stockless`:  Centra has no stock of this line to allocate, so it is no part
 * of the question whose the order is: leave it out of "every line is
 * allocated", of what is left to ship and of createShipment.  Two kinds of line
 * are so:
 *
 *   - the parent of a bundle, which stands beside its items: `__typename` is
 *     BundleOrderLine, it has no allocations, and the order lists at least one
 *     BundleItemOrderLine (CONTRACT 6.5: whether Centra lists parents, and
 *     whether parents have allocations, is not published; if it lists the
 *     parent alone, the parent is an ordinary line);
 *   - goods without stock, such as a gift card or a download: `productSize` is
 *     null without an error at that path, and there are no allocations.  This
 *     is an assumption: Centra publishes no mark for such goods.
 *
 * A line with an allocation is never stockless.  An order whose lines are all
 * stockless is nobody's: "every line is allocated" needs one line that is not
 * stockless. */
struct centra_line {
	int64_t id;
	int64_t quantity; /* units that are not cancelled; 0: the line is
			   * cancelled */
	bool stockless;
	char *product, *variant, *size, *sku, *ean, *upc; /* owned, or NULL */
	struct centra_allocation *allocations;		  /* owned */
	size_t n_allocations;
};

struct centra_shipment_line {
	int64_t line; /* of the order */
	int64_t quantity;
};

struct centra_shipment {
	int64_t id;
	char *number;	/* owned: "39790-1" */
	char *tracking; /* owned, or NULL */
	bool good_to_go, shipped, paid, captured;
	struct centra_shipment_line *lines; /* owned */
	size_t n_lines;
};

/* What the newest capture in the payment history says, gift cards left out.
 * Whether a shipment is paid is decided by its isCaptured and isPaid; this only
 * tells why these are not true yet. */
enum centra_payment {
	PAYMENT_NOTHING, /* there is no capture, or it was not asked for, or
			  * MISSING_PAYMENT */
	PAYMENT_PENDING,
	PAYMENT_DONE,
	PAYMENT_FAILED,
};

/* Parts of an order that are missing from the reply because of an error in it.
 * The rest of the order is as Centra showed it. */
enum centra_missing {
	MISSING_ADDRESS = 1 << 0, /* the fields `address`, `city` and
				   * `country` */
	MISSING_WORDS = 1 << 1,   /* of a line: names, sizes, SKU, EAN, UPC; of
				   * the order: dates, the reason of the hold */
	MISSING_PAYMENT = 1 << 2, /* the field `payment`, which is then
				   * PAYMENT_NOTHING */
	MISSING_SHIPMENTS = 1 << 3, /* `shipments`, in graphql_orders(): the
				     * order is decided by its other fields */
};

/* An order.
 *
 * `undecided`: a field on which a conclusion rests (status, on hold, the
 * waiting list, a line's quantity or allocations, the shipments) came with an
 * error, or Centra named the order twice.  Such an order may be shown, but it
 * proves nothing: draw no conclusion from it, and plan no call by it.  What
 * Centra did not show of it is "", false, 0 or an empty list; its lines, and
 * its shipments, are all there or none is. */
struct centra_order {
	int64_t number;
	bool undecided;
	unsigned missing; /* bits of enum centra_missing */
	char *id; /* owned: Centra's id of the order, 32 hexadecimal digits */
	char *status;      /* owned: "CONFIRMED", ...; never NULL */
	char *hold_reason; /* owned, or NULL */
	bool on_hold;
	bool waits; /* Centra lists it as waiting for check-first (the filter
		     * isWaitingForCheckFirstAllocation, asked in the same
		     * query; never the reason of the hold, of which an order
		     * shows one or none) */
	char *placed_at;   /* owned: ISO, or NULL */
	char *city, *country; /* owned, or NULL */
	char *address; /* owned: JSON object of the whole address; NULL if it
			* was not asked for, or is MISSING_ADDRESS */
	struct centra_line *lines; /* owned */
	size_t n_lines;

	struct centra_shipment *shipments; /* owned */
	size_t n_shipments;
	enum centra_payment payment; /* only from graphql_order_shipments() */
};

struct centra_orders {
	struct call call;
	struct centra_order *list; /* owned; only the orders that Centra
				    * returned */
	size_t n;
};

/* Fetches orders by number, at most ORDERS_QUERY_MAX in one query; with the
 * full address only if asked to (else city and country).  An empty list is "not
 * visible to this token", which proves nothing (CONTRACT 6.2).
 *
 * Errors in the reply: one at a field of an order costs that order that field
 * (see struct centra_order), and no other order anything; the call is CALL_OK,
 * with call.refused and Centra's words in call.why if a permission is missing.
 * If Centra then shows nothing at all, and every error is at a field that does
 * not decide (the address, a size, the reason of a hold, the payment history),
 * the query is made again without those fields.  All other errors make the call
 * CALL_UNKNOWN, with Centra's words in call.why. */
#define ORDERS_QUERY_MAX 25
void graphql_orders(struct centra_conn *n, const int64_t *numbers,
		    size_t n_numbers, bool with_address,
		    struct centra_orders *ret);
void centra_orders_release(struct centra_orders *o);

/* Fetches one order with its shipments and, if asked to, its payment
 * history. */
void graphql_order_shipments(struct centra_conn *n, int64_t number,
			     bool with_address, bool with_payment,
			     struct centra_orders *ret);

/* ---- shipping (CONTRACT 6.6) ----
 *
 * The outcome of one mutation.  CALL_OK: Centra has replied; with `error` it
 * changed nothing, else it did what was asked, perhaps with a `warning`.
 * CALL_NOT_DONE: nothing was changed; if `misread`, Centra does not understand
 * the mutation and trying again will not help.  CALL_UNKNOWN: look before the
 * next try. */
struct centra_done {
	struct call call;
	bool misread;
	char *error;   /* owned: Centra's userErrors, joined; NULL: there are
		        * none */
	char *warning; /* owned: Centra's userWarnings, joined; NULL: there are
		        * none */
	struct centra_shipment shipment; /* after create and complete: the
					  * shipment as it is now */
	enum centra_payment payment;	 /* after capture: why the payment is
					  * not captured yet */
	bool captured, paid; /* after capture: what the shipment says of its
			      * payment */
};
/* Frees the texts of a reply.  A zeroed reply is fine. */
void centra_done_release(struct centra_done *d);

/* Confirms an order that is PENDING (CONTRACT 6.6). */
void graphql_confirm_order(struct centra_conn *n, int64_t number,
			   struct centra_done *ret);
/* Creates a shipment.  It is not good-to-go, so that no warehouse system picks
 * it (CONTRACT 6.6), and nothing is captured. */
void graphql_create_shipment(struct centra_conn *n, int64_t number,
			     const struct centra_shipment_line *lines,
			     size_t n_lines, struct centra_done *ret);
/* Captures the payment of a shipment. ret->captured and ret->paid come from the
 * shipment in the payload, which decides; the payload's entry of the payment
 * history may be null, and an entry of a gift card says nothing (CONTRACT
 * 6.7). */
void graphql_capture_shipment(struct centra_conn *n, int64_t id,
			      struct centra_done *ret);
/* Sets the shipment good-to-go, so that it can be completed.  May be
 * repeated. */
void graphql_good_to_go(struct centra_conn *n, int64_t id,
			struct centra_done *ret);

struct centra_parcel {
	const char *carrier, *service, *tracking; /* or NULL */
	int64_t packages;
	int64_t shipped_at; /* when the parcel was sent; 0: now, and no time is
			     * sent to Centra */
};
void graphql_complete_shipment(struct centra_conn *n, int64_t id,
			       const struct centra_parcel *p,
			       struct centra_done *ret);

/* Lists the numbers of the orders that wait for check-first now (CONTRACT 3.4),
 * ascending, in pages (1, 2, ...) of `max` rows (at most 200).  When an order
 * stops waiting, all rows behind it move one place forward, also from one page
 * to the page before.  A row that cannot be read is counted in `unread`; if no
 * row of the page can be read, the call is CALL_UNKNOWN. */
struct centra_numbers {
	struct call call;
	int64_t *list; /* owned */
	size_t n;
	size_t unread; /* rows of the page whose number cannot be read */
};
void graphql_waiting(struct centra_conn *n, unsigned max, unsigned page,
		     struct centra_numbers *ret);
void centra_numbers_release(struct centra_numbers *r);

/* Lists all warehouses with their names, policies and shops, page by page.  If
 * a page cannot be read, the whole call ends as the call for that page did. */
struct centra_warehouse {
	int64_t id;
	char *name;   /* owned */
	char *status; /* owned: "ACTIVE", ..., or NULL */
	char *policy; /* owned: "CHECK_FIRST", ... (CONTRACT 6.4) */
	char *shop; /* owned: the name of its brick-and-mortar shop, or NULL */
};
struct centra_warehouses {
	struct call call;
	struct centra_warehouse *list; /* owned */
	size_t n;
};
void graphql_warehouses(struct centra_conn *n, struct centra_warehouses *ret);
void centra_warehouses_release(struct centra_warehouses *w);

#endif
