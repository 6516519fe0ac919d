/* SPDX-License-Identifier: MIT
 *
 * me.h - GET /api/v1/me: which device of which shop sends the request.
 */
#ifndef SERVER_ACCESS_ME_H
#define SERVER_ACCESS_ME_H

#include "server/access/auth.h"

endpoint_fn staff_me;

/* Responds 200 with what /api/v1/me shows of the caller; `now` is the wall
 * clock. */
void me_respond(const struct access *a, const struct caller *c, int64_t now,
		struct response *res);

#endif
