/* SPDX-License-Identifier: MIT
 *
 * app.h - the running server's parts, as main() puts them together.
 *
 * Data runs one way: request -> store -> worker -> Centra.  The parts meet in
 * the store; this struct only says where each part is.
 */
#ifndef SERVER_APP_H
#define SERVER_APP_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/clock.h"
#include "server/config/config.h"
#include "server/admin/metrics.h"
#include "store/store.h"

struct app {
	const char *config_path;
	struct config *config; /* the present one; see app_config() */
	pthread_mutex_t config_lock;
	const struct config *started; /* what the store was opened with */
	struct store *store;
	struct clock clock; /* any thread */
	struct http *http;
	struct live *live;
	struct workers *workers;
	struct sweep *sweep;
	struct receiver *receiver;
	struct metrics metrics;
	struct peers *peers; /* the loop thread's, as the next */
	size_t buffered;     /* bytes of bodies and of deliveries in hand */
	atomic_bool draining;
	atomic_bool failed; /* the disk failed: main ends the process */
	_Atomic(const char *) not_ready; /* the reason that was logged last;
					  * NULL: it was ready */
};

/* The present config, held: end with config_drop(). */
struct config *app_config(struct app *app);

/* Opens the config's store, for the server (`app`), which makes it where there
 * is none, or, with NULL, for a command beside it, which does not (RC_NOTFOUND).
 * `changed` may be NULL.  The config must outlive the store. */
enum rc app_open_store(struct store **ret, struct config *config,
		       struct app *app, store_changed_fn *changed,
		       void *changed_arg, struct err *e);

#endif
