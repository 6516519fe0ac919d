/* SPDX-License-Identifier: MIT
 *
 * shipment.h - the mutations that confirm an order and ship it (CONTRACT 6.6).
 *
 * Threads:  any thread, any call.
 */
#ifndef SIM_SHIPMENT_H
#define SIM_SHIPMENT_H

#include <stdbool.h>

#include "tests/sim/json.h"
#include "tests/sim/order.h"

/* What captures end in: "ok", "fail" or "pending" ({"capture": ...}); and of
 * pending ones when they end, and how: see README.md. */
void shipment_settings(const cJSON *spec);
void shipment_reset(void);

/* Makes a shipment of an order as Centra does by itself; NULL, or what is
 * wrong. */
const char *shipment_make(int64_t number, const cJSON *spec);
/* The same of all that is allocated, by who holds the world's lock. */
void shipment_by_centra(struct order *o);

/* Runs a mutation of this name with these arguments: its full payload, and
 * the order's number if it is known.  NULL: no such mutation. */
cJSON *shipment_mutation(const char *name, const cJSON *args,
			 int64_t *ret_order);

#endif
