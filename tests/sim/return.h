/* SPDX-License-Identifier: MIT
 *
 * return.h - goods that customers give back: createReturn of the Integration
 * API, `returnedQuantity` of an order's lines, and GET /returns of the Order
 * API.
 *
 * Threads:  the world's lock is held for return_units(); the rest: any thread.
 */
#ifndef SIM_RETURN_H
#define SIM_RETURN_H

#include "tests/sim/json.h"
#include "tests/sim/order.h"

/* The id of a line of a shipment. */
int64_t return_line_id(const struct shipment *s, size_t line);
/* Units of an order's line that were given back, as returnedQuantity shows
 * them. */
int64_t return_units(const struct order *o, int64_t line);

/* NULL: the mutation is not createReturn. */
cJSON *return_mutation(const char *name, const cJSON *args,
		       int64_t *ret_order);

struct api_call;
void return_list_call(struct api_call *c);

/* The central warehouse ships all that is left of the order.  NULL, or what is
 * wrong. */
const char *return_ship_all(int64_t number);
/* {"order","quantity","comment"}: somebody in AMS books a return of the first
 * line of the first shipment; {"order","complete":true}: completes all of the
 * order.  NULL, or what is wrong. */
const char *return_elsewhere(const cJSON *spec);
/* [{"id","order","shipment","warehouse","restock","comment","lines"}], the
 * oldest first: for GET /control/returns. */
cJSON *return_state(void);
/* refuse_return: createReturn is refused with this text; "": it is not.
 * refuse_return_of: of this shipment alone; 0: of each.  returned_hidden:
 * returnedQuantity counts what is completed alone.  return_comments: GET
 * /returns shows comments. */
void return_settings(const cJSON *spec);
void return_reset(void);

#endif
