/* SPDX-License-Identifier: MIT
 *
 * returns.h - goods that a customer gives back: what of an order can be given
 * back, and the mutation createReturn (CONTRACT 6.11).
 *
 * Nothing about the customer is asked for.
 */
#ifndef CENTRA_RETURNS_H
#define CENTRA_RETURNS_H

#include "centra/graphql.h"

/* A line of an order.  `quantity` and `returned` are units. */
struct centra_bought {
	int64_t id;
	int64_t quantity;
	int64_t returned; /* as the order shows it (returnedQuantity) */
	char *product, *variant, *size, *sku, *ean, *upc; /* owned, or NULL */
};

/* Units of an order's line in a shipment. */
struct centra_sent_line {
	int64_t id;   /* of the shipment's line */
	int64_t line; /* of the order's line */
	int64_t quantity;
};

struct centra_sent {
	int64_t id;
	bool shipped;
	struct centra_sent_line *lines; /* owned */
	size_t n_lines;
};

/* Units of an order's line in a return. */
struct centra_given_line {
	int64_t line; /* of the order's line */
	int64_t quantity;
};

/* A return as GET /returns lists it (CONTRACT 5.10). */
struct centra_given {
	int64_t id;
	int64_t shipment; /* 0: not shown */
	bool completed;
	char *comment; /* owned; NULL: none is shown */
	struct centra_given_line *lines; /* owned */
	size_t n_lines;
};

struct centra_sold {
	struct call call;
	bool found; /* Centra shows an order of this number */
	struct centra_bought *lines; /* owned */
	size_t n_lines;
	struct centra_sent *shipments; /* owned */
	size_t n_shipments;
	bool listed; /* `given` has all returns of the order */
	struct centra_given *given; /* owned */
	size_t n_given;
};

/* Reads the lines and shipments of an order.  Any error in the reply, and any
 * value of a wrong form, makes the call CALL_UNKNOWN. */
void graphql_sold(struct centra_conn *n, int64_t number,
		  struct centra_sold *ret);
void centra_sold_release(struct centra_sold *s);

/* Reads the returns of the order by the Order API, completed or not, into
 * `given` of *io.  *ret_unticked: the plugin does not allow the call, or refuses
 * the question, and `listed` stays false. */
void order_api_returned(struct centra_conn *n, int64_t number,
			struct centra_sold *io, struct call *ret,
			bool *ret_unticked);

/* The line of this id; NULL: there is none. */
const struct centra_bought *centra_bought_of(const struct centra_sold *s,
					     int64_t line);
/* Returns how many units of the line are in shipments that are shipped. */
int64_t centra_shipped_units(const struct centra_sold *s, int64_t line);
/* Returns how many units of the order's line a listed return has. */
int64_t centra_given_units(const struct centra_given *g, int64_t line);
/* Returns how many units of the line are given back: the greater of what the
 * order and the list of returns show, since it is not published whether the
 * order counts a return before it is completed. */
int64_t centra_returned_units(const struct centra_sold *s, int64_t line);

struct centra_return {
	int64_t shipment;
	const struct centra_sent_line *lines; /* id and quantity are read */
	size_t n_lines;
	int64_t warehouse; /* the goods go there; 0: they are removed from
			    * stock */
	const char *comment;
};

/* Creates a return of a shipment.  *ret_id: its id in Centra, or 0.  A reply
 * with fewer lines than were asked for makes the call CALL_UNKNOWN.  Not
 * idempotent: after CALL_UNKNOWN, look before it is repeated. */
void graphql_create_return(struct centra_conn *n,
			   const struct centra_return *r, int64_t *ret_id,
			   struct centra_done *ret);

#endif
