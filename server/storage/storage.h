/* SPDX-License-Identifier: MIT
 *
 * storage.h - opens the store that a config names, for the server and for
 * commands.
 *
 * The store keeps facts; the state of an offer is derived from them by
 * handlers/offer.h, which needs the instance's time zone and the warehouses of
 * our shops.  Both come from a config, and this file gives them to the store.
 */
#ifndef SERVER_STORAGE_STORAGE_H
#define SERVER_STORAGE_STORAGE_H

#include "server/config/holder.h"
#include "store/store.h"

/* Opens the store for a command, beside a running server or without one.
 * RC_NOTFOUND: there is no store; other errors are those of store_open().  The
 * config must outlive the store. */
enum rc storage_open(struct store **ret, const struct config *config,
		     struct err *e);

struct counters;

/* Where the server's store gets zones and warehouses from.  It must outlive the
 * store. */
struct storage {
	const struct config *started;  /* for the zones, which stay the same
				        * until a restart */
	struct config_holder *present; /* for the shops' warehouses, which a
				        * reload changes */
	struct counters *counters; /* NULL: nothing is counted */
};

/* Opens the store for the server, which has one, and makes it if there is none.
 * `changed` is called after commits, and `failed` once if the disk fails, both
 * with `arg` (see store.h); each may be NULL. */
enum rc storage_serve(struct store **ret, const struct storage *s,
		      store_changed_fn *changed, store_failed_fn *failed,
		      void *arg, struct err *e);

#endif
