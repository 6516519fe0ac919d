/* SPDX-License-Identifier: MIT
 *
 * face_private.h - the inside of face.h.
 */
#ifndef SERVER_FACE_FACE_PRIVATE_H
#define SERVER_FACE_FACE_PRIVATE_H

#include "base/json_read.h"
#include "handlers/ship_system.h"
#include "server/access/auth.h"
#include "server/face/face.h"
#include "server/shop/shop.h"

/* ---- shipment_row.c ---- */

/* A shipment of the shop, and what is known of its order. */
struct face_row {
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
void face_shipment_json(struct buf *out, const char *key,
			const struct face_row *row);

/* Returns Centra's date of the order, "2026-02-04 15:16:13", or "" if it is not
 * known.  The caller frees it. */
char *face_order_date(const struct face_row *row);

/* ---- answers ---- */

/* Responds 200 with "status":"no" and the words.  order 0, shipment NULL: these
 * members are left out. */
void face_no(struct response *res, const char *msg, int64_t order,
	     const char *shipment);
/* Responds 503: nothing is known yet, or nothing can be read or kept. */
void face_later(struct response *res, const char *msg);
/* Counts a request that is answered. */
enum face_outcome { FACE_OK, FACE_NO, FACE_LATER };
void face_count(const struct request *req, enum face_outcome how);

/* ---- requests.c ---- */

/* Finds which of the shop's orders has the allocation request, and its
 * warehouse.  RC_NOTFOUND: none has. */
enum rc face_request_find(struct store *s, const struct config_shop *shop,
			  int64_t now, int64_t id, int64_t *ret_order,
			  int64_t *ret_warehouse, struct err *e);
/* Returns the request of the offer with this id; NULL: there is none. */
const struct alloc_request *face_request_of(const struct offer *f, int64_t id);

/* Reads all orders of the shop that are open, to be shipped, or have ended in
 * the last 90 days, if `ended`; at most 5,000.  fn returns false to end. */
enum rc face_each_order(struct store *s, const struct config_shop *shop,
			bool ended, int64_t now,
			bool (*fn)(void *arg, const struct order *o), void *arg,
			struct err *e);

/* ---- reading ---- */

/* Returns the part of the path behind "SHOP/.../", or "". */
const char *face_param(const struct request *req);
/* Reads the number of the order from that of a shipment, "83651-1".  False: it
 * is none. */
bool face_order_of(const char *shipment, int64_t *ret);

#endif
