/* SPDX-License-Identifier: MIT
 *
 * storage.h - opens the store that a config names, for the server and for
 * commands.
 *
 * The store keeps facts; the state of an offer is derived from them by
 * handlers/offer.h, which needs the instance's time zone and the warehouses of
 * our shops.  Both come from a config: this is the place where the store gets
 * them.
 */
#ifndef SERVER_STORAGE_STORAGE_H
#define SERVER_STORAGE_STORAGE_H

#include "server/config/holder.h"
#include "store/store.h"

/* For a command, beside a running server or without one.  The store must
 * exist (RC_NOTFOUND).  The config must outlive the store.  Other errors are
 * those of store_open(). */
enum rc storage_open(struct store **ret, const struct config *config,
		     struct err *e);

/* What the server's store derives by; it must outlive the store. */
struct storage {
	const struct config *started;  /* zones: the same until a restart */
	struct config_holder *present; /* shops: a reload changes them */
};

/* For the server, of which a store has one: makes the store if there is none.
 * `changed` is called after commits and `failed` once when the disk fails, both
 * with `arg` (see store.h); NULL: nobody listens. */
enum rc storage_serve(struct store **ret, const struct storage *s,
		      store_changed_fn *changed, store_failed_fn *failed,
		      void *arg, struct err *e);

#endif
