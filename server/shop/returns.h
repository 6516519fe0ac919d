/* SPDX-License-Identifier: MIT
 *
 * returns.h - the endpoints of the shops' API about goods that customers give
 * back (docs/returns.md).  handlers/returns.h books them.
 */
#ifndef SERVER_SHOP_RETURNS_H
#define SERVER_SHOP_RETURNS_H

#include "server/http/http.h"

/* GET /api/v1/returns?order=N, POST /api/v1/returns. */
endpoint_fn staff_returnable, staff_return;

#endif
