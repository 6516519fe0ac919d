/* SPDX-License-Identifier: MIT
 *
 * finished.h - whether an order is finished, so that it may be removed once it
 * is old enough (docs/retention.md).
 */
#ifndef HANDLERS_FINISHED_H
#define HANDLERS_FINISHED_H

#include <stdbool.h>

#include "handlers/offer.h"
#include "store/model/order.h"

/* True if nothing of a derived order is left to be done, seen or found out by
 * our shops: no offer waits for an answer, no try at telling Centra is under
 * way, nothing is to be shipped, no shipment is under way, no stop waits to be
 * confirmed, no look is due, and nothing is in doubt.  Tasks of the order are
 * not known here: the store keeps an order that has one.
 *
 * is_ours tells which warehouses belong to our shops (NULL: all do).  Centra
 * does not tell what becomes of another's order, so an offer to another
 * warehouse does not count, unless one of our devices has answered it: then
 * the shop has only left the config. */
bool order_finished(const struct order *o, offer_ours_fn *is_ours,
		    const void *arg);

#endif
