/* SPDX-License-Identifier: MIT
 *
 * counts.h - PUT /api/v1/stock, by which a till or the page says how many lie in
 * the shop; and GET /api/v1/stock/results, what became of it (docs/stock.md).
 */
#ifndef SERVER_SHOP_COUNTS_H
#define SERVER_SHOP_COUNTS_H

#include "server/http/http.h"

/* Bytes of the body, most. */
#define COUNTS_BODY_MAX (256 << 10)

endpoint_fn stock_put, stock_results;

#endif
