/* SPDX-License-Identifier: MIT
 *
 * lane.h - where in the queue the fetch of an order waits.
 *
 * The lanes are listed in store/model/task.h.  Each kind of task has its lane
 * in the table of handlers/handlers.c; the lane of a fetch depends on its
 * order, and changes with it.  All functions are pure.
 */
#ifndef HANDLERS_LANE_H
#define HANDLERS_LANE_H

#include "store/model/order.h"
#include "store/model/task.h"

/* Returns the lane of an order's fetch. */
enum lane fetch_lane(const struct order *o);
/* True if someone waits for this fetch: the order is on a shop's list, or its
 * state is in doubt. */
bool fetch_is_waited_for(const struct order *o);
/* True if someone waits for the fetch, and it goes before what reconciliation
 * asks.  A fetch that only repeats a look that showed nothing does not: a
 * Centra that shows nothing of thousands of orders would leave no call for
 * those that can be shipped. */
bool fetch_is_live(const struct order *o);
/* True if a look at the order showed nothing of it, so that the fetch can only
 * repeat that look. */
bool fetch_shows_nothing(const struct order *o);

#endif
