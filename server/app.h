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
#include "server/http/http.h"
#include "server/metrics/counters.h"
#include "server/storage/storage.h"
#include "store/store.h"

/* Of routes: whose context a request gets. */
enum room { ROOM_WEBHOOK, ROOM_ACCESS, ROOM_SHOP, ROOM_LIVE, ROOM_PAGE,
	    ROOM_ADMIN, ROOMS };

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
	struct http_counters http_counters;
	struct peers *peers; /* who failed to sign in; the loop thread's */
	void *rooms[ROOMS];  /* http_options.contexts */
	atomic_bool draining;
	atomic_bool failed; /* the disk failed: main ends the process */
	_Atomic(const char *) not_ready; /* the reason that was logged last;
					  * NULL: it was ready */
};

/* The app, of a request of any room. */
struct app *request_app(const struct request *req);

/* Opens the HTTP server of the present config: app->http. */
enum rc app_open_http(struct app *app, struct err *e);
/* What of it a reload changes. */
void app_limit_http(struct app *app);
void app_close_http(struct app *app); /* fine on one that never opened */

#endif
