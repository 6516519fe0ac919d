/* SPDX-License-Identifier: MIT
 *
 * allocation.h - allocation requests: the policy "Direct, then confirm".
 *
 * A request asks one warehouse to confirm lines whose stock is allocated there.
 * Requests of one priority are open at once, and hold the same lines: the first
 * that is confirmed wins, and those that share a line with it are outdated.
 * When all of a priority are rejected or timed out, the next priority is asked.
 * A request that timed out can still be confirmed until it is outdated.
 *
 * Threads:  what takes a struct order is called under the lock of world.h; the
 *           rest takes that lock.
 */
#ifndef SIM_ALLOCATION_H
#define SIM_ALLOCATION_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/sim/order.h"
#include "tests/sim/order_api.h"

void allocation_settings(const cJSON *spec); /* README.md */
void allocation_reset(void);

/* Makes the requests that the spec names under "requests", and asks the first
 * priority. */
void allocation_place(struct order *o, const cJSON *spec);
/* Asks anew, beside what was asked before. */
const char *allocation_ask(int64_t number, const cJSON *spec);
/* Ends the flow: what is still open becomes outdated. */
void allocation_end(struct order *o);
const char *allocation_outdate(int64_t number);
/* Times out what has expired by `now` (ms). */
void allocation_expire(struct order *o, int64_t now);
/* Adds "requests" to /control/state. */
void allocation_state(const struct order *o, cJSON *to);
void allocation_free(struct order *o);

/* PUT <base>/allocation-request, GET <base>/allocation-requests: rows of
 * order_api.c. */
void allocation_put(struct api_call *c);
void allocation_list(struct api_call *c);
/* The order of a request; 0: no such request. */
int64_t allocation_order(int64_t id);

#endif
