/* SPDX-License-Identifier: MIT
 *
 * json_body.h - the JSON that a device sends.
 */
#ifndef SERVER_ACCESS_JSON_BODY_H
#define SERVER_ACCESS_JSON_BODY_H

#include <cjson/cJSON.h>

#include "server/http/http.h"

/* The object that the request's body is; the caller owns it (cJSON_Delete).
 * NULL: there is no body, it is no object, something follows it, or a text of
 * it holds U+0000, where cJSON would end the text. */
cJSON *json_body(const struct request *req);

#endif
