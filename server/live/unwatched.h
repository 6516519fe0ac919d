/* SPDX-License-Identifier: MIT
 *
 * unwatched.h - which orders are pending in which warehouse, kept in memory, so
 * that /metrics can show the pending offers that no screen shows without
 * reading the orders.
 *
 * Memory:   8 bytes for each pending offer.
 * Threads:  one at a time; the callers in this room hold live->lock.
 */
#ifndef SERVER_LIVE_UNWATCHED_H
#define SERVER_LIVE_UNWATCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/config/config.h"
#include "store/store.h"

struct tally;

/* Reads the pending offers of every shop of the config. */
enum rc tally_read(struct tally **ret, struct store *store,
		     const struct config *config, struct err *e);
void tally_free(struct tally *p); /* NULL is fine */

/* Adapts the tally to an order that has changed: `o` is the order as it is
 * now. */
void tally_update(struct tally *p, const struct order *o);

/* Returns the number of pending offers of the shops for which skip(arg, shop
 * id) is false. */
size_t tally_count(const struct tally *p,
		     bool (*skip)(void *arg, const char *shop), void *arg);

#endif
