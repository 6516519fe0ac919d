/* SPDX-License-Identifier: MIT
 *
 * json_body.c - see json_body.h.
 */
#include "server/access/json_body.h"

struct json *json_body(const struct request *req)
{
	struct json *json = NULL;
	struct err e;

	if (!req->body_len ||
	    json_parse(req->body, req->body_len, JSON_EXACT, &json, &e))
		return NULL;
	if (json_is_object(json))
		return json;
	json_free(json);
	return NULL;
}
