/* SPDX-License-Identifier: MIT
 *
 * app.h - the rooms of the running server, and how they are tied together.
 *
 * Only the files of server/ itself know this struct, no room does.  A room gets
 * what it needs when it is opened: the store, the config holder, the counters,
 * and functions of other rooms that it must not know.  Data runs one way:
 * request -> store -> worker -> Centra; the rooms meet in the store.
 */
#ifndef SERVER_APP_H
#define SERVER_APP_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/clock.h"
#include "server/access/access.h"
#include "server/admin/admin.h"
#include "server/config/holder.h"
#include "server/http/http.h"
#include "server/live/changes.h"
#include "server/lookup/goods.h"
#include "server/lookup/lookup.h"
#include "server/metrics/counters.h"
#include "server/shop/shop.h"
#include "server/storage/storage.h"
#include "server/worker/worker.h"
#include "store/store.h"

/* The room of a route, whose context the route's requests get. */
enum room {
	ROOM_WEBHOOK,
	ROOM_ACCESS,
	ROOM_SHOP,
	ROOM_ORDER_API,
	ROOM_LIVE,
	ROOM_PAGE, /* has no context */
	ROOM_ADMIN,
	ROOMS
};

struct app {
	const char *config_path;
	struct config_holder *config;
	struct storage storage;
	struct store *store;
	struct clock clock; /* any thread */
	struct counters counters;
	struct http_counters http_counters;
	atomic_bool draining;
	atomic_bool failed; /* the disk has failed: serve() ends the process */

	struct http *http;
	struct receiver *receiver;
	struct access *access;
	struct shop shop;
	struct live *live;
	struct worker_parts worker_parts;
	struct workers *workers;
	struct lookups *lookups;
	struct goods *goods;
	struct admin admin;
	void *contexts[ROOMS]; /* of http_options */
};

/* serve.c implements these.  The store must be open. */

/* Opens the rooms that HTTP requests use, and the HTTP server by the present
 * config; http_start() starts it.  After an error, as at the end,
 * app_close_http() closes what was opened. */
enum rc app_open_http(struct app *app, struct err *e);
/* Opens the room that follows changes: after the workers, if they run, and before
 * http_start(). */
enum rc app_open_live(struct app *app, struct err *e);
/* Gives the HTTP server the limits of the present config, after a reload. */
void app_limit_http(struct app *app);
/* Call it after http_stop() and store_close().  It may be called twice. */
void app_close_http(struct app *app);

#endif
