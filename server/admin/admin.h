/* SPDX-License-Identifier: MIT
 *
 * admin.h - what the pages for operators (health, readiness, metrics) need of
 * the server.  serve.c fills it in; it is the context of this room's routes.
 * All of it is borrowed, and only read; a NULL part has not started.
 */
#ifndef SERVER_ADMIN_ADMIN_H
#define SERVER_ADMIN_ADMIN_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/clock.h"
#include "server/config/holder.h"
#include "server/metrics/counters.h"
#include "store/store.h"

struct live;
struct lookups;
struct http_counters;
struct receiver;
struct workers;

struct admin {
	struct store *store;
	struct config_holder *config;
	struct counters *counters;
	struct http_counters *http_counters;
	struct clock *clock;
	struct receiver *receiver;
	struct live *live;
	struct lookups *lookups;
	struct workers *workers;
	const atomic_bool *draining;
	const atomic_bool *failed; /* the disk has failed: the process will end
				    * soon */

	_Atomic(const char *) not_ready; /* the reason for not being ready that
					  * was logged last; NULL: it was
					  * ready */
	enum clock_trust trust; /* the trust that was logged last; for the main
				 * thread alone */
};

#endif
