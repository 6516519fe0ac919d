/* SPDX-License-Identifier: MIT
 *
 * order_json.h - an order as a shop may see it (openapi.yaml, Order).
 */
#ifndef SERVER_SHOP_ORDER_JSON_H
#define SERVER_SHOP_ORDER_JSON_H

#include "base/buf.h"
#include "server/config/config.h"
#include "store/store.h"

/* Adds the order as the shop's offer makes it look: the state of the offer
 * that speaks for the shop, the city only before `accepted`, the address after.
 * With `timeline`, the lines of the journal that concern this shop are added.
 * RC_NOTFOUND: it was never offered to this shop; nothing is added. */
enum rc order_json(struct buf *out, struct store *store,
		   const struct config_shop *shop, const struct order *o,
		   int64_t now, bool timeline, struct err *e);

/* Room for a version, the NUL included. */
#define ORDER_VERSION_SIZE 17

/* Names what a person of the shop acts on: the state, the deadline of an offer,
 * the lines and what is left of each, the city or the address, a hold of what
 * is to be shipped, a problem, a stop.  It is the same as long as these are,
 * and opaque: only good to be compared.  `details` and `address` are the
 * store's texts, or NULL.  RC_NOTFOUND: the order was never offered to this
 * shop.  RC_INVALID: no version can be made. */
enum rc order_version(char ret[ORDER_VERSION_SIZE],
		      const struct config_shop *shop, const struct order *o,
		      const char *details, const char *address);

#endif
