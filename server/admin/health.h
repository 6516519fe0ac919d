/* SPDX-License-Identifier: MIT
 *
 * health.h - the endpoints for operators: health, readiness, metrics, and
 * openapi.yaml.
 */
#ifndef SERVER_ADMIN_HEALTH_H
#define SERVER_ADMIN_HEALTH_H

#include <stdbool.h>

#include "server/admin/admin.h"
#include "server/http/http.h"

/* True if deliveries can be taken: the store has not failed, there is room, and
 * the server is not draining.  Otherwise *ret_why says why not, a constant. */
bool health_ready(const struct admin *a, const struct config *config,
		  const char **ret_why);

/* True if little room is left where the store is kept: less than 64 MiB (enough
 * for workers and the command line for a long time), or, of less than 3.2 GiB
 * in all, less than 2 %. */
bool health_room_low(uint64_t left_bytes, uint64_t all_bytes);

/* Logs when readiness or the trust in the clock has changed since the last call,
 * and why.  One thread calls it regularly. */
void health_watch(struct admin *a);

endpoint_fn show_health, show_ready, show_metrics, show_openapi;

#endif
