/* SPDX-License-Identifier: MIT
 *
 * routes.h - the routes of the server, one row each.  A row says which clients may
 * send the request (flags), whose context it gets (room), and which function
 * responds.
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
