/* SPDX-License-Identifier: MIT
 *
 * request_id.h - the name of a request, for logs: what the client or a proxy
 * gave it (X-Request-Id, traceparent), or one of ours.
 */
#ifndef SERVER_HTTP_REQUEST_ID_H
#define SERVER_HTTP_REQUEST_ID_H

#include <stdbool.h>
#include <stdint.h>

#define REQUEST_ID_MAX	65 /* room: 64 characters and the NUL */
#define TRACEPARENT_LEN 55 /* "00-" 32 digits "-" 16 digits "-" 2 digits */
#define TRACE_ID_SIZE	33 /* room: 32 hexadecimal digits and the NUL */

/* Takes over a client's id (or NULL).  False: it has none, or one that is empty,
 * longer than 64 characters, or has a character other than letters, digits and
 * - _ . : = / + */
bool request_id_take(char ret[REQUEST_ID_MAX], const char *sent);
/* Writes one of ours: unique among those of a prefix. */
void request_id_make(char ret[REQUEST_ID_MAX], uint64_t prefix, uint64_t n);
/* A prefix for one run of the server. */
uint64_t request_id_prefix(void);

/* Takes the trace id out of a traceparent header (or NULL) of W3C Trace Context.
 * False: it is none, or not valid. */
bool trace_id_take(char ret[TRACE_ID_SIZE], const char *traceparent);

#endif
