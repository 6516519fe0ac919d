/* SPDX-License-Identifier: MIT
 *
 * order_json.h - an order as a shop may see it (DESIGN 7, "An order in JSON").
 */
#ifndef SERVER_ORDER_JSON_H
#define SERVER_ORDER_JSON_H

#include "base/buf.h"
#include "server/config.h"
#include "store/store.h"

/* Adds the order as the shop's offer makes it look: the state of the offer
 * that speaks for the shop, the city only before `accepted`, the address after.
 * `details` and `address` are the store's texts or NULL.  With `timeline`, the
 * lines of the journal that concern this shop are added.  RC_NOTFOUND: it was
 * never offered to this shop; nothing is added. */
enum rc order_json(struct buf *out, struct store *store,
		   const struct config_shop *shop, const struct order *o,
		   int64_t now, bool timeline, struct err *e);

#endif
