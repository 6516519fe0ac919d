/* SPDX-License-Identifier: MIT
 *
 * shipment_json.h - what a shop may ship of an order, read from what was
 * fetched, and its shipments as the API shows them.
 */
#ifndef SERVER_SHOP_SHIPMENT_JSON_H
#define SERVER_SHOP_SHIPMENT_JSON_H

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "handlers/ship.h"

/* Reads the order's lines, as the offer's warehouse has them, from the store's
 * details (handlers/details.h).  0: they are unknown, as before the first fetch
 * after the accept.  The caller frees *ret. */
size_t stock_read(const cJSON *details, const struct offer *f,
		  struct ship_stock **ret);

/* Returns the pieces that are this shop's to ship by one reading of Centra's
 * allocations and not by the other (handlers/ship.h). */
int64_t unclear_pieces(const cJSON *details, const struct offer *f);

/* Adds ,"shipment":(the newest, or null),"shipments":[all, oldest first]. */
void shipments_json(struct buf *out, const struct offer *f);

#endif
