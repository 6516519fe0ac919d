/* SPDX-License-Identifier: MIT
 *
 * wms_json.h - orders and shipments as the Order API shows them.
 *
 * Threads:  none; world.c holds the lock.
 */
#ifndef SIM_WMS_JSON_H
#define SIM_WMS_JSON_H

#include "tests/sim/json.h"
#include "tests/sim/order.h"

cJSON *wms_order_json(const struct order *o);	      /* of GET /orders */
cJSON *wms_shipment_json(const struct order *o,
			 const struct shipment *s); /* of GET /shipments */

/* "2026-02-04 15:16:13" in Centra's zone; "0000-00-00 00:00:00" for 0. */
#define WMS_TIME 24
const char *wms_time(char ret[WMS_TIME], int64_t ms);

#endif
