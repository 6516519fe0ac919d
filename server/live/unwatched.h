/* SPDX-License-Identifier: MIT
 *
 * unwatched.h - which orders are pending in which warehouse, kept in memory, so
 * that /metrics can show the pending offers that no screen shows without
 * reading the orders.
 *
 * Memory:   8 bytes for each pending offer; 16 while they are counted.
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

/* Begins to count the pending offers of every shop of the config. */
struct tally *tally_open(const struct config *config);
/* Goes on to count: reads at most so many orders, since the thread that counts
 * has other work.  *ret_done: all are counted.  An order that changes meanwhile
 * is given to tally_update(). */
enum rc tally_count_on(struct tally *p, struct store *store, size_t orders,
		       bool *ret_done, struct err *e);
void tally_free(struct tally *p); /* NULL is fine */

/* Adapts the tally to an order that has changed: `o` is the order as it is
 * now. */
void tally_update(struct tally *p, const struct order *o);

/* Returns the number of pending offers of the shops for which skip(arg, shop
 * id) is false. */
size_t tally_count(const struct tally *p,
		     bool (*skip)(void *arg, const char *shop), void *arg);

#endif
