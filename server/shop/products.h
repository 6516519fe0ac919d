/* SPDX-License-Identifier: MIT
 *
 * products.h - what a code is, and how many of it Centra believes lie in the
 * shop.
 */
#ifndef SERVER_SHOP_PRODUCTS_H
#define SERVER_SHOP_PRODUCTS_H

#include "server/http/http.h"

/* The endpoints of GET /api/v1/products and GET /api/v1/stock, both with ?ean=
 * or ?sku=. */
endpoint_fn staff_products, staff_stock;

#endif
