/* SPDX-License-Identifier: MIT
 *
 * lock.h - orders are locked for the people in AMS while a shop works on them
 * (CONTRACT 6.9, docs/lock.md).
 *
 * A follower adds the task `lock_order` whenever an order becomes, or is no
 * longer, one to be locked; the task locks or unlocks it, many orders in one
 * call.  Before an order is locked, a document (KIND_LOCK) says that we are about
 * to: only such orders are ever unlocked, and an order that somebody else has
 * locked gets none.  The document goes when the order is unlocked.
 *
 * The task `lock_sweep` finds what is left: documents of orders that no shop
 * works on, and orders to be locked that have none.
 *
 * No task here keeps its order busy, and a lock that fails holds nothing up.
 * Nothing of shipfrom's resumes a hold.
 */
#ifndef HANDLERS_LOCK_H
#define HANDLERS_LOCK_H

#include "handlers/follow.h"
#include "handlers/handlers.h"

#define KIND_LOCK "lock" /* of a document; its key is the order's number, and
			  * so is its place in the list */
#define LOCK_HELD "held" /* the list in which all of them stand */

follower_fn lock_follow;
handler_fn handle_lock_order, handle_lock_sweep;

#endif
