/* SPDX-License-Identifier: MIT
 *
 * ship.h - shipping an order that a shop has won (OFFERS 6).
 *
 * A press of ship is made durable (ship_decide) and carried out by the task
 * `ship_order`: it looks, and then makes one call after the other until Centra
 * says that the order is shipped.  Each look shows how far Centra has come,
 * whatever we know or have forgotten, and ship_plan() decides the next step: so
 * no step is done twice. docs/shipping.md describes the calls.
 */
#ifndef HANDLERS_SHIP_H
#define HANDLERS_SHIP_H

#include "centra/graphql.h"
#include "handlers/handlers.h"
#include "store/model/order.h"

/* ---- counting pieces (OFFERS 6.2) ---- */

/* A line of the order, as last fetched, with the numbers for one warehouse. */
struct ship_stock {
	int64_t line;
	int64_t quantity;  /* units of the line that are not cancelled */
	int64_t ours; /* units that are firmly allocated to the warehouse */
	int64_t allocated; /* to any warehouse */
	int64_t others;	   /* units that are allocated to other warehouses */
	bool stockless;	   /* no stock of its own, as in struct centra_line:
			    * never shipped */
};

/* Returns the numbers of a fetched line for a warehouse. */
struct ship_stock ship_stock_of(const struct centra_line *l,
				int64_t warehouse);

/* Returns how many units of the line are certainly this offer's and not shipped
 * yet. */
int64_t ship_left(const struct offer *f, const struct ship_stock *l);
/* Returns how many units are this offer's by one reading of the allocations and
 * not by the other.  They are not in ship_left(), and the office is told of
 * them. */
int64_t ship_unclear(const struct offer *f, const struct ship_stock *l);

/* Returns how many units were this offer's and are now allocated to nobody,
 * like units that Centra put into a shipment of its own. */
int64_t ship_vanished(const struct offer *f, const struct ship_stock *l);

/* Returns what looks showed of the line before our first shipment; NULL:
 * nothing. */
const struct ship_held *ship_held_of(const struct offer *f, int64_t line);

/* Lists what the offer has left to ship, by line; returns the number of lines.
 * If nothing of the order is allocated to anybody, lists all that was the
 * offer's: Centra may have put it into a shipment of its own.  The caller frees
 * *ret. */
size_t ship_all_wanted(const struct offer *f, const struct centra_order *co,
		       struct ship_line **ret);
/* True if something of the offer remains to be shipped or to be cleared up. */
bool ship_rest(const struct order *o, const struct offer *f,
	       const struct centra_order *co);

/* ship_units(): how many units of the line are in the shipment. ship_room():
 * how many units of the line are in no shipment. */
int64_t ship_units(const struct centra_shipment *c, int64_t line);
int64_t ship_room(const struct centra_order *co, int64_t line);
/* True if one of our shipments, other than `but`, has this id. */
bool ship_is_claimed(const struct order *o, const struct shipment *but,
		     int64_t id);

/* Reports a problem for the office on the order, and in its journal, unless one is
 * open, or the newest one, which is solved, has the same note. */
void ship_report_problem(struct work *w, const struct offer *f, const char *why);
/* As ship_report_problem(), about the units that ship_unclear() finds, if any. */
void ship_report_unclear(struct work *w, const struct offer *f,
		       const struct centra_order *co);

/* Called by look_record().  Keeps what the order shows as ours until our first
 * shipment is made, closes offers of which nothing is left, and tells the
 * office of unclear units. */
void ship_look(struct work *w, const struct centra_order *co);

/* ---- a press of ship ---- */

struct ship_decision {
	const int64_t *warehouses; /* the shop's warehouses, in config order */
	size_t n_warehouses;
	struct ship_ask ask; /* borrowed; its `all` is set if no lines were
			      * named */
	/* What is known of the lines, with the numbers for the warehouse
	 * stock_of; n_stock 0: nothing yet. */
	int64_t stock_of;
	const struct ship_stock *stock;
	size_t n_stock;
	bool local;	 /* another system ships: Centra is not to be told */
	bool by_system; /* the shop's own system ships (ship_with =
			 * order_api), and nobody else */
	bool configured; /* GraphQL is configured, so Centra can be told */

	/* Out: the API's code, with RC_CONFLICT. */
	const char *conflict;
};

/* A store_update_fn; arg is a struct ship_decision.  Adds the shipment, or asks
 * anew for one that failed, and the task `ship_order`, due at once.
 *
 * A request with an Idempotency-Key (ask.keyed) is known by its key: the key
 * of a shipment is that shipment, a new key is a new one.  A request without a
 * key is the newest shipment if it says the same as that.
 *
 * RC_NOTFOUND   never offered to this shop
 * RC_EXISTS     asked for already: its stage is the result
 * RC_CONFLICT   "cancelled", "not_accepted", "shipped" (nothing is left),
 *               "answered" (another shipment is under way, or Centra has this
 *               one with other lines), "not_configured", "system_ships",
 *               "idempotency_mismatch" (the key of a shipment that was asked
 *               for in other words) */
enum rc ship_decide(void *arg, const struct order *o, struct changes *ret,
		    struct err *e);

/* Returns the shipment that was asked for with the key; NULL: none was. */
const struct shipment *ship_of_key(const struct offer *f,
				   const struct ship_key *k);

/* Returns the API's code for a shipment that failed (SHIP_FAILED) with this
 * fault. */
const char *ship_fault_code(enum ship_fault f);

/* ---- carrying it out ---- */

/* The reason for not shipping an order in doubt. */
#define SHIP_DOUBTFUL                                                         \
	"Centra does not show that the order is this shop's, as it said: "    \
	"ask the office"

enum ship_what {
	PLAN_CONFIRM = STEP_CONFIRM,
	PLAN_CREATE = STEP_CREATE,
	PLAN_CAPTURE = STEP_CAPTURE,
	PLAN_COMPLETE = STEP_COMPLETE,
	PLAN_GOOD_TO_GO = STEP_GOOD_TO_GO,
	PLAN_EDIT = STEP_EDIT,
	PLAN_DELETE = STEP_DELETE,
	PLAN_WAIT,   /* the payment is being confirmed */
	PLAN_UNPAID, /* it was refused */
	PLAN_SHIPPED,
	PLAN_READY,   /* it has come as far as it is to go for now */
	PLAN_EDITED,  /* Centra has the units of the edit */
	PLAN_NO_EDIT, /* it is paid or captured, and cannot be edited any more;
		       * `why` says so */
	PLAN_DELETED, /* Centra no longer has it, as asked */
	PLAN_MISSED, /* Centra has shown the shipment by its id before, and no
		      * longer does */
	PLAN_STOP, /* stop: `fault` and `why` say why */
};

struct ship_plan {
	enum ship_what what;
	enum ship_fault fault;
	struct err why;
	struct centra_shipment *there; /* our shipment among the fetched ones;
				        * NULL: there is none */
};

/* Decides the next step of the newest shipment of the offer to `warehouse`, by
 * the order as it was just fetched.  Pure. */
void ship_plan(const struct order *o, int64_t warehouse,
	       const struct centra_order *co, bool on_pending,
	       struct ship_plan *ret);

/* Returns how many ms to wait before looking again at a payment that was asked
 * for at `since`. */
int64_t ship_poll(int64_t since, int64_t now);

#endif
