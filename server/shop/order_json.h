/* SPDX-License-Identifier: MIT
 *
 * order_json.h - an order as JSON, with what one shop may see of it
 * (openapi.yaml, Order).
 */
#ifndef SERVER_SHOP_ORDER_JSON_H
#define SERVER_SHOP_ORDER_JSON_H

#include "base/buf.h"
#include "server/config/config.h"
#include "server/lookup/goods.h"
#include "store/store.h"

/* True if the order was ever offered to the shop, which then may see it. */
bool order_is_for_shop(const struct order *o, const struct config_shop *shop);

/* Adds the order as JSON for one shop: the state of the offer that stands for
 * the shop; the city alone before `accepted`, the address after it; pictures and
 * counts of its lines as far as `goods` (or NULL) knows them.  With `timeline`, also the entries of the journal that this shop may see.
 * RC_NOTFOUND: the order was never offered to this shop; nothing is added. */
enum rc order_json(struct buf *out, struct store *store, struct goods *goods,
		   const struct config_shop *shop, const struct order *o,
		   int64_t now, bool timeline, struct err *e);

/* Bytes of a version, the NUL included. */
#define ORDER_VERSION_SIZE 17

/* Makes the version of an order: a hash of what a person of the shop acts on
 * (the state, the offer's deadline, the lines and what is left of each, the
 * city or address, a hold of an order to be shipped, a problem, a stop).  It
 * changes only when one of these does, and is only good for comparing.
 * `details` and `address` are the store's texts, or NULL.  RC_NOTFOUND: the
 * order was never offered to this shop.  RC_INVALID: no version can be made. */
enum rc order_version(char ret[ORDER_VERSION_SIZE],
		      const struct config_shop *shop, const struct order *o,
		      const char *details, const char *address);

#endif
