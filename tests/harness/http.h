/* SPDX-License-Identifier: MIT
 *
 * http.h - requests as a user's client makes them, on libcurl.
 *
 * Threads:  any; each call has a connection of its own.
 */
#ifndef HARNESS_HTTP_H
#define HARNESS_HTTP_H

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

struct answer {
	long status;  /* 0: no answer */
	char *body;   /* owned; never NULL */
	cJSON *json;  /* owned; NULL when the body is none */
	int64_t took; /* ms */
	char *head;   /* owned: the header lines; never NULL */
};

void answer_release(struct answer *a);

/* headers: NULL, or texts ending with NULL.  body: NULL for none. */
struct answer http_send(const char *method, const char *url,
			const char *const *headers, const void *body,
			size_t len);
/* With `Authorization: Bearer token` (NULL: without), JSON in the body. */
struct answer http_get(const char *url, const char *token);
struct answer http_post(const char *url, const char *token, const char *json);

/* The value of a header, or "": in ret[size]. */
const char *header_of(const struct answer *a, const char *name, char *ret,
		      size_t size);

/* Text of a member, or "" ; a number, or -1. */
const char *text_of(const cJSON *o, const char *name);
int64_t number_of(const cJSON *o, const char *name);

#endif
