/* SPDX-License-Identifier: MIT
 *
 * webhook.h - deliveries as Centra signs and sends them (CONTRACT 1), written
 * without a look at the product.
 *
 * Memory:  what is returned as char * is the caller's.
 * Threads: any.
 */
#ifndef HARNESS_WEBHOOK_H
#define HARNESS_WEBHOOK_H

#include <stddef.h>
#include <stdint.h>

#include "tests/harness/http.h"

enum space { SPACE_PLUS, SPACE_PERCENT };

#define SECRET "test123"

/* "payload=..." of a JSON text. */
char *webhook_body(const char *json, enum space space);
/* "X-Centra-Signature: t=...,v1=..." over t.body. */
char *webhook_header(const char *secret, int64_t t, const char *body);
/* Signs now and posts. */
struct answer webhook_send(const char *url, const char *json,
			   enum space space);
/* The same for another Centra, which has a secret of its own. */
struct answer webhook_send_with(const char *url, const char *secret,
				const char *json, enum space space);
/* Posts a body with a header of one's own (NULL: none). */
struct answer webhook_post(const char *url, const char *header,
			   const char *body, size_t len);

#endif
