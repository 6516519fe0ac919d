/* SPDX-License-Identifier: MIT
 *
 * reading.h - how a reading of an order differs from what is so, on command: a
 * Centra settles late, holds orders for several reasons, makes shipments by
 * itself, and there are two ways to list what is in one.
 *
 * Threads:  none; world.c holds the lock.
 */
#ifndef SIM_READING_H
#define SIM_READING_H

#include "tests/sim/json.h"
#include "tests/sim/order.h"

void reading_reset(unsigned seed); /* every reading is right */
/* other_hold, other_hold_ms, null_reason, empty_allocations, late_allocations,
 * stale, own_shipments, allocations_leave: those that `spec` names.  See
 * README.md. */
void reading_settings(const cJSON *spec);

/* An order is placed: is it held for another reason too? */
void reading_placed(struct order *o);
/* Before it changes: a stale reading shows it as it is now. */
void reading_changes(struct order *o, warehouse_name_fn *name);
/* Its stock has moved from a warehouse: late readings show it there still. */
void reading_moved(struct order *o, int64_t from);
/* True when Centra makes the shipment of an order by itself. */
bool reading_ships_itself(void);

/* True when it is in the list of what waits for check-first. */
bool reading_waits(const struct order *o);
/* The order as GraphQL shows it now. */
cJSON *reading_take(const struct order *o, warehouse_name_fn *name);

#endif
