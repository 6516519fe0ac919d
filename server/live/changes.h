/* SPDX-License-Identifier: MIT
 *
 * changes.h - follows the changes of orders, and notifies waiting requests and
 * the screens of the shops (screens.h).
 *
 * A thread of its own reads the store's change numbers, so that changes made by
 * the command line (another process) are noticed too.  It loads each changed
 * order once, renders it once for each shop that has a screen, and hands the
 * finished text to the HTTP loop, which only sends it.
 */
#ifndef SERVER_LIVE_CHANGES_H
#define SERVER_LIVE_CHANGES_H

#include <stdint.h>

#include "base/err.h"
#include "server/config/holder.h"
#include "server/http/http.h"
#include "server/metrics/counters.h"
#include "store/store.h"

struct access;
struct live;

/* What the room needs; all of it is borrowed and must outlive the room. */
struct live_parts {
	struct store *store;
	struct config_holder *config;
	struct counters *counters;
	struct access *access;
	struct http *http;
	/* Called in the room's thread when another process has changed the
	 * store: there may be new tasks.  NULL: nobody asks. */
	void (*foreign)(void *arg);
	void *foreign_arg;
};

/* Starts the thread. */
enum rc live_open(struct live **ret, const struct live_parts *parts,
		  struct err *e);
/* Ends the thread: from here on nobody is notified.  Call it before
 * http_close() and before the store is closed; NULL is fine. */
void live_stop(struct live *live);
/* Call it after http_close(): no request is left.  NULL is fine. */
void live_close(struct live *live);

/* The store's store_changed_fn: any thread.  `changes` may be NULL. */
void live_signal(void *changes, uint64_t newest);

/* Resumes the request (request_resume) at the next change of this order.  Call
 * it after request_later() and before the order is read: then no change is
 * missed.  A request that waits already goes on waiting.  Any thread. */
void live_wait(struct live *live, struct request *req, const char *instance,
	       int64_t number);
/* The request ends: nobody resumes it any more.  Loop thread. */
void live_forget(struct live *live, const struct request *req);

#define BEAT_MS 15000 /* between two beats of a screen */

/* Sends the beats that are due.  Call it at least each second.  Loop thread;
 * `now` of time_mono(). */
void live_tick(struct live *live, int64_t now);

/* ---- numbers; any thread ---- */

/* Screens connected now. */
size_t live_screens(struct live *live);
/* Pending offers of shops without a listening screen (?screen=1).  The number
 * is kept up to date by the room's thread.  False: it has not been counted yet,
 * at the start or after a reload. */
bool live_unwatched(struct live *live, uint64_t *ret);

#endif
