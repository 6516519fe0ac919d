/* SPDX-License-Identifier: MIT
 *
 * json_body.c - see json_body.h.
 */
#include "server/access/json_body.h"

#include <string.h>

/* True if the JSON contains a NUL, as a byte or as an escape. */
static bool has_nul(const char *json, size_t len)
{
	if (memchr(json, '\0', len))
		return true;
	while ((json = strchr(json, '\\'))) {
		if (!strncmp(json, "\\u0000", 6))
			return true;
		json += json[1] ? 2 : 1;
	}
	return false;
}

cJSON *json_body(const struct request *req)
{
	const char *end = NULL;
	cJSON *json;

	if (!req->body_len || has_nul(req->body, req->body_len))
		return NULL;
	/* The length includes the NUL behind the body, so that cJSON notices if
	 * anything follows the object. */
	json = cJSON_ParseWithLengthOpts(req->body, req->body_len + 1, &end,
					 true);
	if (cJSON_IsObject(json) && end == req->body + req->body_len)
		return json;
	cJSON_Delete(json);
	return NULL;
}
