/* SPDX-License-Identifier: MIT
 *
 * deliveries.h - the endpoints of the shops' API about deliveries of suppliers
 * (docs/returns.md).  handlers/receipts.h tells Centra of what was received.
 */
#ifndef SERVER_SHOP_DELIVERIES_H
#define SERVER_SHOP_DELIVERIES_H

#include "server/http/http.h"

/* GET /api/v1/deliveries, GET /api/v1/deliveries/{id},
 * POST /api/v1/deliveries/{id}/receive. */
endpoint_fn staff_deliveries, staff_delivery, staff_receive;

#endif
