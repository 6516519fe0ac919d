/* SPDX-License-Identifier: MIT
 *
 * details.h - makes the JSON that is kept with CHANGE_DETAILS: what a shop
 * needs to decide about an order and to pick it:
 *
 * {"placed_at":..,"city":..,"country":..,"lines":[{"line_id":1,"product":..,
 *  "variant":..,"size":..,"sku":..,"ean":..,"upc":..,"quantity":1,
 *  "allocations":[{"warehouse":3,"quantity":1,"waiting":false}]}]}
 *
 * A line without stock of its own (struct centra_line) has "stockless":true:
 * nobody picks it.  What was stored by earlier versions has neither that nor
 * "upc".
 */
#ifndef HANDLERS_DETAILS_H
#define HANDLERS_DETAILS_H

#include "centra/graphql.h"

/* Returns the JSON, which the caller frees.  If the lines do not fit into
 * ORDER_JSON_MAX, all of them are left out: a part of an order must not look
 * like the whole. */
char *details_json(const struct centra_order *co);

#endif
