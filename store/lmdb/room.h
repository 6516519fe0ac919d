/* SPDX-License-Identifier: MIT
 *
 * room.h - whether there is room, before it is needed.
 *
 * Two things can be full.  The map (store_max): counted in pages that hold
 * something, so that a store that was full once recovers as soon as something
 * is deleted.  The disk: the file is given its blocks ahead of the writes, so
 * that a full disk is met here, cleanly, and not halfway through a
 * commit, where it looks like a broken one.
 */
#ifndef STORE_LMDB_ROOM_H
#define STORE_LMDB_ROOM_H

#include <stdint.h>

#include "store/lmdb/txn.h"

/* Bytes of the pages that hold something, this transaction's included. */
enum rc room_used(struct txn *t, uint64_t *ret, struct err *e);

/* RC_FULL when deliveries are to be refused: above 95 % of the map, or when
 * the disk cannot give what workers and the command line may yet need. */
enum rc room_for_delivery(struct txn *t, struct err *e);

/* Gets the blocks that committing t may take.  RC_FULL: the disk has none. */
enum rc room_for_commit(struct txn *t, struct err *e);

#endif
