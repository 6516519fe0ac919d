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
struct goods;
struct live;

/* What the room needs.  All of it is borrowed and must outlive the room. */
struct live_parts {
	struct store *store;
	struct config_holder *config;
	struct counters *counters;
	struct access *access;
	struct http *http;
	struct goods *goods; /* or NULL */
	/* Called in the room's thread after another process has changed the
	 * store: it may have added tasks.  May be NULL. */
	void (*foreign)(void *arg);
	void *foreign_arg;
};

/* Starts the thread. */
enum rc live_open(struct live **ret, const struct live_parts *parts,
		  struct err *e);
/* Ends the thread: from then on no request and no screen is notified.  Call it
 * before http_close() and before the store is closed; NULL is fine. */
void live_stop(struct live *live);
/* Frees the room.  Call it after http_close(), when no request is left; NULL is
 * fine. */
void live_close(struct live *live);

/* The store's store_changed_fn: notes the newest change and wakes the room's
 * thread.  Any thread; `changes`, a struct live, may be NULL. */
void live_signal(void *changes, uint64_t newest);

/* Has the screens that show the order told of it again, as it is now, though it
 * has not changed: something else that is shown with it has.  If many are
 * touched at once some are left out.  Any thread. */
void live_touch(struct live *live, const char *instance, int64_t number);

/* Resumes the request (request_resume) at the next change of this order.  Call
 * it after request_later() and before the order is read: then no change is
 * missed.  A request that is registered already stays so.  Any thread. */
void live_wait(struct live *live, struct request *req, const char *instance,
	       int64_t number);
/* Removes the request from those that wait.  Call it when the request ends.
 * Loop thread. */
void live_forget(struct live *live, const struct request *req);

#define BEAT_MS 15000 /* ms between two `beat` events of a screen */

/* Sends `beat` events to the screens for which they are due.  Call it at least
 * once a second.  Loop thread; `now` as time_mono(). */
void live_tick(struct live *live, int64_t now);

/* ---- numbers; any thread ---- */

/* Returns how many screens are connected now. */
size_t live_screens(struct live *live);
/* Sets *ret to the number of pending offers of shops without a listening screen
 * (?screen=1); the room's thread keeps it up to date.  False: it has not been
 * counted yet, after the start or a reload. */
bool live_unwatched(struct live *live, uint64_t *ret);

#endif
