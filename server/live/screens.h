/* SPDX-License-Identifier: MIT
 *
 * screens.h - the screens of the shops: server-sent events.
 *
 *	hello    {"now","resync"}: the first event, and again when the lists
 *		 must be read again; resync is false when the client sent a
 *		 Last-Event-ID and all changes since then follow
 *	order    the order's JSON as this shop sees it
 *	removed  {"number"}: the shop's screens stop showing the order
 *	beat     {"now"}: each 15 s, so that a dead connection is noticed
 *
 * Each has an id, CHANGE-EPOCH-VIEW: the number of the last change that it
 * includes, the epoch of the store that gave the number, and a hash of the
 * shop's instance and warehouses.  A client resumes only if epoch and hash have
 * not changed; otherwise it reads its lists again.
 *
 * An order's JSON is made once for each change and shop, however many screens
 * the shop has.  A screen that does not read what it is sent is disconnected,
 * and connects again with its Last-Event-ID.
 */
#ifndef SERVER_LIVE_SCREENS_H
#define SERVER_LIVE_SCREENS_H

#include "server/http/http.h"

/* The endpoint GET /api/v1/stream.  It runs in the loop and does not read the
 * store. */
endpoint_fn staff_stream;

#endif
