/* SPDX-License-Identifier: MIT
 *
 * request_id.h - the id of a request, for logs: the one that the client or a
 * proxy gave it (X-Request-Id, traceparent), or a new one.
 */
#ifndef SERVER_HTTP_REQUEST_ID_H
#define SERVER_HTTP_REQUEST_ID_H

#include <stdbool.h>
#include <stdint.h>

#define REQUEST_ID_MAX	65 /* bytes: 64 characters and the NUL */
#define TRACEPARENT_LEN 55 /* characters: "00-", 32 digits, "-", 16 digits, "-",
			    * 2 digits */
#define TRACE_ID_SIZE	33 /* bytes: 32 hexadecimal digits and the NUL */

/* Copies an id that a client sent (or NULL).  False: there is no usable id: it
 * is missing, empty, longer than 64 characters, or has a character other than
 * letters, digits and - _ . : = / + */
bool request_id_take(char ret[REQUEST_ID_MAX], const char *sent);
/* Writes a new id, made of the prefix and n: unique if each n is used once. */
void request_id_make(char ret[REQUEST_ID_MAX], uint64_t prefix, uint64_t n);

/* Copies the trace id from a traceparent header (or NULL) of W3C Trace Context.
 * False: the header is missing or not valid. */
bool trace_id_take(char ret[TRACE_ID_SIZE], const char *traceparent);

#endif
