/* SPDX-License-Identifier: MIT
 *
 * unverified.h - deliveries that no secret of ours signed.  They are kept for a
 * while: if our secret is the wrong one, Centra will not send them again.
 *
 * They are kept in memory, up to a bound; the oldest are dropped first.
 * Nothing is written to disk for strangers.  When the secrets have changed
 * (SIGHUP), or on request, each is verified again as of the time it was
 * received; genuine ones are recorded with that time.
 *
 * Threads:  the loop thread; unverified_count() any.
 */
#ifndef SERVER_WEBHOOK_UNVERIFIED_H
#define SERVER_WEBHOOK_UNVERIFIED_H

#include <stddef.h>
#include <stdint.h>

#include "server/http/http.h"

#define UNVERIFIED_MOST ((size_t)16 << 20) /* bytes of all that is kept, with
					    * what each item costs */

struct receiver;
struct unverified; /* opaque */

/* Opens it with room for `most` bytes; r is borrowed. */
struct unverified *unverified_open(struct receiver *r, size_t most);
void unverified_close(struct unverified *r); /* NULL is fine */

/* Keeps a copy of a delivery, unless it is larger than the bound. */
void unverified_keep(struct unverified *r, const char *instance,
		     const char *peer, const char *header, const void *body,
		     size_t len, int64_t now);
void unverified_count(const struct unverified *r, size_t *ret_n,
		      size_t *ret_bytes);

/* Verifies all of them again. */
void unverified_retry(struct unverified *r);
/* Records nothing from then on: for use after the loop has ended. */
void unverified_stop(struct unverified *r);

/* The endpoints GET /refused, which lists what is kept, without the bodies; and
 * POST /refused/retry, which verifies all again and responds when the genuine
 * ones are on disk. */
endpoint_fn show_unverified, retry_unverified;

#endif
