/* SPDX-License-Identifier: MIT
 *
 * order_api.h - the Order API: POST /check-first, and GET /orders?order=N.
 */
#ifndef SIM_ORDER_API_H
#define SIM_ORDER_API_H

#include "tests/sim/exchange.h"

void order_api_start(const char *key);
void order_api_set_key(const char *key); /* any thread */
void order_api_stop(void);

/* x->path is what follows the prefix: "/check-first". */
void order_api_answer(struct exchange *x);

#endif
