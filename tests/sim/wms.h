/* SPDX-License-Identifier: MIT
 *
 * wms.h - the Order API's calls by which a warehouse system ships: orders and
 * shipments read, and shipments made, edited, captured, completed and deleted
 * (CONTRACT 5.2 to 5.7).
 *
 * Threads:  any thread, any call.
 */
#ifndef SIM_WMS_H
#define SIM_WMS_H

#include "tests/sim/order_api.h"

void wms_orders(struct api_call *c);	/* GET /orders */
void wms_shipments(struct api_call *c); /* GET /shipments */
void wms_create(struct api_call *c);	/* POST /shipments */
void wms_update(struct api_call *c);	/* PUT /shipments/1001-1 */
void wms_delete(struct api_call *c);	/* DELETE /shipments/1001-1 */
void wms_complete(struct api_call *c);	/* PUT /shipment */
void wms_capture(struct api_call *c);	/* PUT /capture */

/* What is not published, both ways (README.md): "in_progress_all",
 * "hold_orders", "pending_says_ok". */
void wms_settings(const cJSON *spec);
void wms_reset(void);

#endif
