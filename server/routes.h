/* SPDX-License-Identifier: MIT
 *
 * routes.h - the routes of the server, one row each, and the hooks by which the
 * HTTP server calls the rooms.  A row says which clients may send the request
 * (flags), whose context it gets (room), and which function responds.
 */
#ifndef SERVER_ROUTES_H
#define SERVER_ROUTES_H

#include <stdbool.h>

#include "base/buf.h"
#include "server/http/http.h"

/* The table of all routes.  It ends with a row whose method is NULL. */
extern const struct http_route routes[];

struct app;

/* Returns the hooks for http_options; app is borrowed. */
struct http_hooks routes_hooks(struct app *app);

/* Writes the table for people, or as JSON lines. */
void routes_describe(struct buf *out, bool json);

#endif
