/* SPDX-License-Identifier: MIT
 *
 * ship_system.h - orders that the shop's own system ships, a till or a warehouse
 * system (ship_with = order_api; docs/order-api.md).
 *
 * A shipment is made in Centra as soon as a look shows that the order is the
 * shop's, and waits there: its goal is GOAL_CREATED.  What the system asks for
 * (capture, a short pick, complete, delete) is a decision, as a press on the
 * staff page is, and moves the goal; the task `ship_order` carries it out.
 */
#ifndef HANDLERS_SHIP_SYSTEM_H
#define HANDLERS_SHIP_SYSTEM_H

#include "base/json_read.h"
#include "handlers/ship.h"

/* The notes of the problems that a person has to solve before the next shipment
 * of the order is made. */
#define SHIP_GIVEN_BACK "the shop's system gave the shipment back"
#define SHIP_REST                                                             \
	"the shop's system sent only a part of the order: solved, the rest "  \
	"becomes its next shipment"

/* True if the shop of the warehouse ships by its own system. */
bool ship_by_system(const struct work *w, int64_t warehouse);

/* Called after each look.  Asks for a shipment of each offer that is certainly
 * the shop's, has none under way, is not held and has no open problem; and for
 * one that a hold or a doubt stopped, once that is over.  Does nothing in a run
 * of `ship_order`, which would begin again what it has just ended. */
void ship_for_systems(struct work *w, const struct centra_order *co);

/* Returns what is kept of Centra's row of the shipment; the caller owns it.  If
 * the row is not among `rows`, `shown` is an empty object. */
struct ship_shown ship_shown_of(const struct json *rows, const char *number);

/* True if the member of Centra's row of a shipment says who ordered it, or where
 * it goes. */
bool ship_is_personal(const char *member);

/* ---- what the system asks for ---- */

enum system_verb {
	SYSTEM_CAPTURE,
	SYSTEM_COMPLETE,
	SYSTEM_EDIT, /* a short pick */
	SYSTEM_DELETE,
};

struct system_decision {
	enum system_verb verb;
	const int64_t *warehouses; /* the shop's warehouses, in config order */
	size_t n_warehouses;
	const char *number; /* of the shipment; borrowed */
	struct ship_ask ask; /* borrowed: when, the device, who; of
			      * SYSTEM_COMPLETE also the parcel */
	bool may_capture; /* of SYSTEM_COMPLETE */
	/* Of SYSTEM_EDIT: units of lines, borrowed; lines that are not named
	 * keep theirs. */
	const struct ship_line *lines;
	size_t n_lines;

	/* Out, with RC_CONFLICT: why not, in Centra's words. */
	struct err refusal;
};

/* Finds the shipment with this number among those of the shop's warehouses that
 * the shop's system may see: the newest of an accepted offer without doubt, and
 * those that were sent.  NULL: there is none.  *ret_offer may be NULL. */
const struct shipment *ship_system_find(const struct order *o,
					const int64_t *warehouses,
					size_t n_warehouses,
					const char *number,
					const struct offer **ret_offer);

/* True if the system is to pick the shipment: it is good-to-go, or, if the order
 * is on hold, it will be. */
bool ship_system_waits(const struct order *o, const struct offer *f,
		       const struct shipment *s);

/* A store_update_fn; arg is a struct system_decision.
 *
 * RC_NOTFOUND   the shop has no such shipment
 * RC_EXISTS     it is so already, or is under way
 * RC_CONFLICT   it cannot be done: `refusal` */
enum rc ship_system_decide(void *arg, const struct order *o,
			   struct changes *ret, struct err *e);

enum system_outcome { SYSTEM_WAITS, SYSTEM_DONE, SYSTEM_REFUSED };

/* Returns what became of a decision that is on disk, by the order as it is now;
 * *ret_msg gets Centra's words for SYSTEM_REFUSED, borrowed from o. */
enum system_outcome ship_system_outcome(const struct system_decision *d,
					const struct order *o,
					const char **ret_msg);

#endif
