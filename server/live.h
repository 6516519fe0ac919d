/* SPDX-License-Identifier: MIT
 *
 * live.h - who is told when an order changes: waiting requests now, screens
 * later.
 *
 * Follows the store's change numbers, so that changes made by the command line
 * (another process) are told too.  Loop thread only, but for live_changed().
 */
#ifndef SERVER_LIVE_H
#define SERVER_LIVE_H

#include <stdint.h>

#include "base/err.h"

struct app;
struct live;
struct request;

enum rc live_open(struct live **ret, struct app *app, struct err *e);
void live_close(struct live *l);

/* The store's store_changed_fn: any thread. */
void live_changed(void *live, uint64_t newest);

/* Resumes the request (request_resume) at the next change of this order; ends
 * by itself when the request does (live_forget). */
void live_wait(struct live *l, struct request *req, const char *instance,
	       int64_t number);
void live_forget(struct live *l, struct request *req);

#endif
