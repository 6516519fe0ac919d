/* SPDX-License-Identifier: MIT
 *
 * routes.h - every route is one row, and the row says who may ask.
 */
#ifndef SERVER_ROUTES_H
#define SERVER_ROUTES_H

#include <stdbool.h>

#include "base/buf.h"
#include "server/http/http.h"

/* Ends with a row whose method is NULL. */
extern const struct http_route routes[];

void routes_describe(struct buf *out, bool json);

#endif
