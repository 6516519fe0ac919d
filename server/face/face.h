/* SPDX-License-Identifier: MIT
 *
 * face.h - the shop's own Order API: Centra's paths, header and shapes, for
 * one shop (docs/order-api.md).
 *
 * A till or warehouse system that knows how to talk to a Centra (CONTRACT 5)
 * gets /order-api/SHOP/ as its address and a key of its own.  It sees the
 * shipments of the orders that are certainly this shop's, and nothing of any
 * other shop.  What it asks for is made durable before it is answered, and
 * carried out by the task `ship_order`.
 *
 * A refusal is HTTP 200 with "status":"no" and Centra's words.  503 means that
 * nothing is known yet: the same request again gets what has come of it.
 *
 * The context of these routes is the struct shop of the shops' API.
 */
#ifndef SERVER_FACE_FACE_H
#define SERVER_FACE_FACE_H

#include "server/http/http.h"

endpoint_fn face_shipments, face_update, face_delete, face_capture, face_complete;
endpoint_fn face_check_first, face_orders, face_products;
endpoint_fn face_stock, face_set_stock;
endpoint_fn face_requests, face_answer_request;

#endif
