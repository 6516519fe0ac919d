/* SPDX-License-Identifier: MIT
 *
 * outgoing.h - the webhooks that tell a shop's own system, such as a till, of the
 * shop's orders ([shop] notify_url; docs/outgoing-webhooks.md).
 *
 * Each is a document of the kind "outgoing", whose text is one event in Centra's
 * form (CONTRACT 2).  It is written in the transaction of the change that it
 * tells, with a task `notify` of the order, which sends it (notify.h).
 *
 * Key:   SHOP/NUMBER/UPDATED/NTH, with the last three of a fixed width: an
 *        order's webhooks are sorted as it changed.
 * Lists: SHOP/waiting, SHOP/dead (given up) and SHOP/done, by the time at which
 *        it was written, given up, or taken.
 *
 * What is told of an offer follows from its state as it is derived, never from
 * what Centra said alone: an `accepted` that something contradicts is not told.
 *
 *	pending, anew or with another deadline        check_first create
 *	accepted                                      check_first accepted
 *	timed out, unless it had ended before         check_first timeout
 *	rejected, taken, cancelled, likewise;
 *	or no longer accepted for certain             check_first rejected
 */
#ifndef HANDLERS_OUTGOING_H
#define HANDLERS_OUTGOING_H

#include <stddef.h>
#include <stdint.h>

#include "handlers/follow.h"
#include "store/model/doc.h"

#define KIND_OUTGOING "outgoing"

/* What stands for a shop in keys and lists: its name, or the beginning of a long
 * one and a hash. */
#define OUTGOING_SHOP_SIZE 52
void outgoing_shop(char ret[OUTGOING_SHOP_SIZE], const char *shop);

/* Returns notify_sub() of the shop that this stands for. */
int64_t outgoing_sub(const char *stands_for);

#define OUTGOING_MOST 10000 /* webhooks that are kept for one system, done ones
			     * aside */

/* The bytes of a key behind the shop: "/NUMBER/UPDATED/NTH". */
#define OUTGOING_KEY_TAIL 39
/* The beginning of the keys of an order's webhooks to a shop. */
void outgoing_of_order(char ret[DOC_KEY_SIZE], const char *shop,
		       int64_t number);
/* Returns the order of a key; 0: it is no such key. */
int64_t outgoing_number(const char *key);

enum outgoing_list { OUTGOING_WAITING, OUTGOING_DEAD, OUTGOING_DONE };
void outgoing_list(char ret[DOC_LIST_SIZE], const char *shop,
		   enum outgoing_list which);

/* Adds the webhooks that follow from a change, for each shop with a notify_url
 * that the order was offered to. */
follower_fn outgoing_follow;

#endif
