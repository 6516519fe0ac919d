/* SPDX-License-Identifier: MIT
 *
 * supplier.h - deliveries of suppliers: GET and POST /supplier-deliveries of the
 * Order API.
 *
 * A plugin shows the deliveries of its own warehouse (the first one: all) that
 * nobody has received yet.  A delivery is received once.  What a short receipt
 * leaves is another delivery, numbered -2, -3, ...
 *
 * Threads:  any thread, any call.
 */
#ifndef SIM_SUPPLIER_H
#define SIM_SUPPLIER_H

#include "tests/sim/json.h"
#include "tests/sim/order_api.h"

/* [{"warehouse","supplier","products":[{"ean","sku","product","size",
 * "quantity"}]}]: announces deliveries; the answer has their "ids". */
cJSON *supplier_control(const cJSON *in);
/* {"deliveries":[...]}: all, with how often each was received and what came. */
cJSON *supplier_state(void);
/* refuse_delivery: a delivery is not received, with this text; "": it is. */
void supplier_settings(const cJSON *spec);
void supplier_reset(void);

void supplier_list_call(struct api_call *c);
void supplier_one_call(struct api_call *c);
void supplier_accept_call(struct api_call *c);

#endif
