/* SPDX-License-Identifier: MIT
 *
 * json_body.h - reads the JSON body of a request.
 */
#ifndef SERVER_ACCESS_JSON_BODY_H
#define SERVER_ACCESS_JSON_BODY_H

#include "base/json_read.h"
#include "server/http/http.h"

/* Returns the request's body, which must be one JSON object whose texts are
 * exact (JSON_EXACT); the caller frees it with json_free().  NULL: there is no
 * body, or it is not that. */
struct json *json_body(const struct request *req);

#endif
