/* SPDX-License-Identifier: MIT
 *
 * shop.h - what the shops' API needs of the server.  serve.c fills it in; it is
 * the context of this room's routes.  All of it is borrowed.
 */
#ifndef SERVER_SHOP_SHOP_H
#define SERVER_SHOP_SHOP_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/clock.h"
#include "server/access/access.h"
#include "server/http/http.h"
#include "server/lookup/goods.h"
#include "server/lookup/lookup.h"
#include "server/metrics/counters.h"
#include "store/store.h"

struct shop {
	struct store *store;
	struct counters *counters;
	struct access *access;
	struct clock *clock;
	struct http *const *http; /* borrowed; *http is set before the first
				   * request */
	const atomic_bool *draining;
	struct lookups *lookups; /* set before the first request */
	struct goods *goods;	 /* the same */
	/* Resumes the request at the next change of the order; called after
	 * request_later() and before the order is read.  Any thread. */
	void (*wait)(void *arg, struct request *req, const char *instance,
		     int64_t number);
	void *wait_arg;
};

static inline struct shop *shop_of(const struct request *req)
{
	return req->context;
}

#endif
