/* SPDX-License-Identifier: MIT
 *
 * ship.h - shipping what an offer made a shop's (DESIGN 6, After accept).
 *
 * A press of ship is decided on disk (ship_decide) and carried out by the task
 * `ship_order`: look, and then one call after the other until Centra says that
 * it is shipped.  Each look shows how far Centra has come, whatever we know or
 * have forgotten, and ship_plan() says what is next: so nothing is done twice.
 */
#ifndef HANDLERS_SHIP_H
#define HANDLERS_SHIP_H

#include "centra/graphql.h"
#include "handlers/handlers.h"
#include "store/order.h"

/* ---- what is left to ship ---- */

/* A line of the order, as last fetched, from one warehouse's side. */
struct ship_stock {
	int64_t line;
	int64_t quantity;  /* units that are not cancelled */
	int64_t ours;	   /* firmly allocated to the warehouse */
	int64_t allocated; /* to any */
};

/* Units of the line that the warehouse has not shipped.  Whether Centra counts
 * what is shipped as still allocated is not said: both are understood. */
int64_t ship_left(const struct offer *f, const struct ship_stock *l);

/* ---- a press of ship ---- */

struct ship_decision {
	const int64_t *warehouses; /* the shop's, in config order */
	size_t n_warehouses;
	struct ship_ask ask; /* borrowed; `all`: no lines were named */
	/* What is known of the lines, from the side of this warehouse; n 0:
	 * nothing yet. */
	int64_t stock_of;
	const struct ship_stock *stock;
	size_t n_stock;
	bool local;	 /* another system ships: Centra is not told */
	bool configured; /* there is a way to tell Centra */

	/* Out: with RC_CONFLICT the API's code. */
	const char *conflict;
};

/* A store_update_fn; arg is a struct ship_decision.  Adds the shipment, or asks
 * anew for one that failed, and the task `ship_order`, due at once.
 *
 * RC_NOTFOUND   never offered to this shop
 * RC_EXISTS     asked for with the same words already: its stage is the result
 * RC_CONFLICT   "cancelled", "not_accepted", "shipped" (nothing is left),
 *               "answered" (another shipment is under way, or Centra has this
 *               one with other lines), "not_configured" */
enum rc ship_decide(void *arg, const struct order *o, struct changes *ret,
		    struct err *e);

/* What a SHIP_FAILED is to whom pressed: the API's code. */
const char *ship_fault_code(enum ship_fault f);

/* ---- carrying it out ---- */

enum ship_what {
	PLAN_CONFIRM = STEP_CONFIRM,
	PLAN_CREATE = STEP_CREATE,
	PLAN_CAPTURE = STEP_CAPTURE,
	PLAN_COMPLETE = STEP_COMPLETE,
	PLAN_WAIT,   /* the payment is being confirmed */
	PLAN_UNPAID, /* it was refused */
	PLAN_SHIPPED,
	PLAN_STOP, /* fault and why say for what reason */
};

struct ship_plan {
	enum ship_what what;
	enum ship_fault fault;
	struct err why;
	struct centra_shipment *there; /* ours, of co; NULL: there is none */
};

/* What is next for the newest shipment of the offer to `warehouse`, by the
 * order as it was just fetched.  Pure. */
void ship_plan(const struct order *o, int64_t warehouse,
	       const struct centra_order *co, bool on_pending,
	       struct ship_plan *ret);

/* Lines of the order that the offer's warehouse has left to ship; the caller
 * frees *ret. */
size_t ship_all_left(const struct offer *f, const struct centra_order *co,
		     struct ship_line **ret);

/* How long until a payment that was asked for at `since` is looked at again. */
int64_t ship_poll(int64_t since, int64_t now);

#endif
