/* SPDX-License-Identifier: MIT
 *
 * changes.h - who is told when an order changes: waiting requests, and the screens
 * (stream.h).
 *
 * Follows the store's change numbers, so that changes made by the command line
 * (another process) are told too.  Loop thread only, but for live_changed().
 */
#ifndef SERVER_LIVE_CHANGES_H
#define SERVER_LIVE_CHANGES_H

#include <stdint.h>

#include "base/err.h"

struct app;
struct live;
struct request;
struct streams;

enum rc live_open(struct live **ret, struct app *app, struct err *e);
void live_close(struct live *l);

/* The store's store_changed_fn: any thread. */
void live_changed(void *live, uint64_t newest);

/* Loop thread, each LIVE_POLL ms: tells what other processes changed. */
#define LIVE_POLL 250
void live_tick(struct live *l);
/* Loop thread, as its last act: from here on live_changed() does nothing. */
void live_detach(struct live *l);

/* Resumes the request (request_resume) at the next change of this order; ends
 * by itself when the request does (live_forget). */
void live_wait(struct live *l, struct request *req, const char *instance,
	       int64_t number);
void live_forget(struct live *l, struct request *req);

/* Loop thread.  The screens that are told, and the last change that they were
 * told of. */
struct streams *live_streams(struct live *l);
uint64_t live_seen(const struct live *l);

#endif
