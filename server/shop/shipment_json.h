/* SPDX-License-Identifier: MIT
 *
 * shipment_json.h - what a shop may ship of an order, read from the stored
 * details, and its shipments as JSON.
 */
#ifndef SERVER_SHOP_SHIPMENT_JSON_H
#define SERVER_SHOP_SHIPMENT_JSON_H

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "handlers/ship.h"

/* Reads the order's lines from the store's details (handlers/details.h), with
 * the numbers for the offer's warehouse.  Returns how many; 0: not known, as
 * before the first fetch after the accept.  The caller frees *ret. */
size_t stock_read(const cJSON *details, const struct offer *f,
		  struct ship_stock **ret);

/* Returns how many units are unclear: they are this shop's to ship by one
 * reading of Centra's allocations and not by the other (handlers/ship.h). */
int64_t unclear_pieces(const cJSON *details, const struct offer *f);

/* Adds the members "shipment" (the newest, or null) and "shipments" (all,
 * oldest first). */
void shipments_json(struct buf *out, const struct offer *f);

#endif
