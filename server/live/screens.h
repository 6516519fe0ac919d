/* SPDX-License-Identifier: MIT
 *
 * screens.h - the screens of the shops: server-sent events.
 *
 *	hello    {"now","resync"}: first of all, and when the lists must be
 *		 read again; resync is false when Last-Event-ID told from where
 *		 on, and all since follows
 *	order    the order's JSON as this shop sees it
 *	removed  {"number"}: this shop is not to show it any more
 *	beat     {"now"}: each BEAT_MS, so that a dead line is noticed
 *
 * Each has an id, CHANGE-EPOCH-VIEW: the number of the last change that it
 * includes, the epoch of the store that gave the number, and a hash of the
 * shop's instance and warehouses.  A client goes on from where it was only if
 * the last two are as they were; else it reads its lists again.
 *
 * An order's JSON is made once for each shop, however many screens it has; one
 * that does not read is cut off, and comes back with its Last-Event-ID.
 *
 * Threads: the loop.
 */
#ifndef SERVER_LIVE_SCREENS_H
#define SERVER_LIVE_SCREENS_H

#include "server/http/http.h"
#include "store/store.h"

struct app;

struct streams;

#define BEAT_MS 15000

/* GET /api/v1/stream */
endpoint_fn staff_stream;

struct streams *streams_open(struct app *app);
void streams_close(struct streams *s); /* whose requests have ended */

/* An order has changed; streams_tell() then tells the shops concerned. */
void streams_note(struct streams *s, const struct changed *c);
void streams_tell(struct streams *s);

/* Each LIVE_POLL: beats; ends those of devices and sessions that ended; after
 * another config was loaded, tells the shops that it changed.  `seen` is the
 * last change that was told; now of time_mono(). */
void streams_tick(struct streams *s, uint64_t seen, int64_t now);

size_t streams_count(const struct streams *s);
/* Open pending offers of shops that no screen listens for (?screen=1); of very
 * many not all are looked at. */
size_t streams_unwatched(const struct streams *s);

#endif
