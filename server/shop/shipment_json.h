/* SPDX-License-Identifier: MIT
 *
 * shipment_json.h - what a shop may ship of an order, read from the stored
 * details, and its shipments as JSON.
 */
#ifndef SERVER_SHOP_SHIPMENT_JSON_H
#define SERVER_SHOP_SHIPMENT_JSON_H

#include "base/buf.h"
#include "base/json_read.h"
#include "handlers/ship.h"

/* Reads JSON that store_details() gave: an order's details
 * (handlers/details.h), or its address.  The caller frees it with json_free().
 * NULL: there is none (json is NULL), or it is damaged. */
struct json *stored_read(const char *json);

/* Reads the order's lines from the store's details (handlers/details.h), with
 * the numbers for the offer's warehouse.  Returns how many; 0: not known, as
 * before the first fetch after the accept.  The caller frees *ret. */
size_t stock_read(const struct json *details, const struct offer *f,
		  struct ship_stock **ret);

/* Returns how many units are unclear: they are this shop's to ship by one
 * reading of Centra's allocations and not by the other (handlers/ship.h). */
int64_t unclear_pieces(const struct json *details, const struct offer *f);

/* Adds the members "shipment" (the newest, or null) and "shipments" (all,
 * oldest first). */
void shipments_json(struct buf *out, const struct offer *f);

#endif
