/* SPDX-License-Identifier: MIT
 *
 * app.h - the running server's parts, as main() puts them together.
 *
 * Data runs one way: request -> store -> worker -> Centra.  The parts meet in
 * the store; this struct only says where each part is.
 */
#ifndef SERVER_APP_H
#define SERVER_APP_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/clock.h"
#include "server/config/holder.h"
#include "server/metrics/counters.h"
#include "server/storage/storage.h"
#include "store/store.h"

struct app {
	const char *config_path;
	struct config_holder *config;
	struct storage storage;
	struct store *store;
	struct clock clock; /* any thread */
	struct http *http;
	struct live *live;
	struct workers *workers;
	struct sweep *sweep;
	struct receiver *receiver;
	struct counters counters;
	struct peers *peers; /* the loop thread's, as the next */
	size_t buffered;     /* bytes of bodies and of deliveries in hand */
	atomic_bool draining;
	atomic_bool failed; /* the disk failed: main ends the process */
	_Atomic(const char *) not_ready; /* the reason that was logged last;
					  * NULL: it was ready */
};

#endif
