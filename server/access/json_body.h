/* SPDX-License-Identifier: MIT
 *
 * json_body.h - reads the JSON body of a request.
 */
#ifndef SERVER_ACCESS_JSON_BODY_H
#define SERVER_ACCESS_JSON_BODY_H

#include <cjson/cJSON.h>

#include "server/http/http.h"

/* Parses the request's body, which must be one JSON object; the caller owns it
 * (cJSON_Delete).  NULL: there is no body, it is no object, something follows
 * the object, or a text in it holds U+0000, where cJSON would end the text. */
cJSON *json_body(const struct request *req);

#endif
