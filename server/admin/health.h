/* SPDX-License-Identifier: MIT
 *
 * health.h - is the server alive, may it have traffic, how is it doing (metrics),
 * and what can it do (openapi.yaml).
 */
#ifndef SERVER_ADMIN_HEALTH_H
#define SERVER_ADMIN_HEALTH_H

#include <stdbool.h>

#include "server/admin/admin.h"
#include "server/http/http.h"

/* True when deliveries can be taken: the store has not failed, there is room
 * for more, and nobody is draining.  Else *ret_why says why not, a constant. */
bool health_ready(const struct admin *a, const struct config *config,
		  const char **ret_why);

/* True when little room is left where the store is kept: less than 64 MiB, which
 * the workers and the command line can still write for a long time; of less than
 * 3.2 GiB in all, 2 %. */
bool health_room_low(uint64_t left_bytes, uint64_t all_bytes);

/* Logs when readiness or the trust in the clock has changed since the last call,
 * and why.  One thread calls it regularly. */
void health_watch(struct admin *a);

endpoint_fn show_health, show_ready, show_metrics, show_openapi;

#endif
