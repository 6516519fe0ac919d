/* SPDX-License-Identifier: MIT
 *
 * room.h - makes sure that there is room before a write.
 *
 * Two things can be full.  The map (store_max): it is counted in pages that
 * hold something, so that a store that was full recovers as soon as something
 * is deleted.  The disk: the file gets its blocks ahead of the writes, so that
 * a full disk is met here, cleanly, and not in the middle of a commit, where it
 * would look like a broken disk.
 */
#ifndef STORE_LMDB_ROOM_H
#define STORE_LMDB_ROOM_H

#include <stdint.h>

#include "store/lmdb/txn.h"
#include "store/store.h"

/* Returns the bytes of the pages in use, with those of this transaction. */
enum rc room_used(struct txn *t, uint64_t *ret, struct err *e);

/* Reads how much room is left on the disk (engine.room). */
enum rc lmdb_room_left(struct store *s, struct store_room *ret, struct err *e);

/* RC_FULL: deliveries must be refused, since more than 95 % of the map is used,
 * or since the disk cannot give the blocks that workers and the command line
 * may still need.  The pages are counted for the first delivery of a
 * transaction, and again whenever it has put much since. */
enum rc room_for_delivery(struct txn *t, struct err *e);

/* Reserves the blocks that committing t may need, and if it has a delivery, those
 * that others may still need behind it.  RC_FULL: the disk does not have them. */
enum rc room_for_commit(struct txn *t, struct err *e);

#endif
