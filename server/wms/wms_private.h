/* SPDX-License-Identifier: MIT
 *
 * wms_private.h - the inside of wms.h.
 */
#ifndef SERVER_WMS_WMS_PRIVATE_H
#define SERVER_WMS_WMS_PRIVATE_H

#include "base/json_read.h"
#include "handlers/ship_system.h"
#include "server/access/auth.h"
#include "server/wms/wms.h"
#include "server/shop/shop.h"

/* ---- shipment_row.c ---- */

/* A shipment of the shop, and what is known of its order. */
struct wms_row {
	const struct config_shop *shop;
	const struct zone *zone; /* the instance's */
	const struct order *o;
	const struct offer *f;
	const struct shipment *s;
	const struct json *details, *address; /* as the store keeps them; NULL:
					       * none */
	bool people; /* names and addresses are shown */
};

/* Adds the shipment as an element of a list, or as the member `key`. */
void wms_shipment_json(struct buf *out, const char *key,
			const struct wms_row *row);

/* Returns Centra's date of the order, "2026-02-04 15:16:13", or "" if it is not
 * known.  The caller frees it. */
char *wms_order_date(const struct wms_row *row);

/* ---- answers ---- */

/* Responds 200 with "status":"no" and the words.  order 0, shipment NULL: these
 * members are left out. */
void wms_no(struct response *res, const char *msg, int64_t order,
	     const char *shipment);
/* Responds 503: nothing is known yet, or nothing can be read or kept. */
void wms_later(struct response *res, const char *msg);
/* Counts a request that is answered. */
enum wms_outcome { WMS_OK, WMS_NO, WMS_LATER };
void wms_count(const struct request *req, enum wms_outcome how);

/* ---- requests.c ---- */

/* Finds which of the shop's orders has the allocation request, and its
 * warehouse.  RC_NOTFOUND: none has. */
enum rc wms_request_find(struct store *s, const struct config_shop *shop,
			  int64_t now, int64_t id, int64_t *ret_order,
			  int64_t *ret_warehouse, struct err *e);
/* Returns the request of the offer with this id; NULL: there is none. */
const struct alloc_request *wms_request_of(const struct offer *f, int64_t id);

/* Reads all orders of the shop that are open, to be shipped, or have ended in
 * the last 90 days, if `ended`; at most 5,000.  fn returns false to end. */
enum rc wms_each_order(struct store *s, const struct config_shop *shop,
			bool ended, int64_t now,
			bool (*fn)(void *arg, const struct order *o), void *arg,
			struct err *e);

/* ---- reading ---- */

/* Returns the part of the path behind "SHOP/.../", or "". */
const char *wms_param(const struct request *req);
/* Reads the number of the order from that of a shipment, "83651-1".  False: it
 * is none. */
bool wms_order_of(const char *shipment, int64_t *ret);

#endif
