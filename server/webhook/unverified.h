/* SPDX-License-Identifier: MIT
 *
 * unverified.h - deliveries that no secret of ours signed, kept for a while: if
 * the secret is wrong on our side, they are Centra's only try.
 *
 * They are kept in memory, up to a bound, and the oldest go first: nothing is
 * written to disk for strangers.  When the secrets have changed (SIGHUP), or on
 * request, each is judged again as of the time it was received; those that are
 * genuine are recorded with that time.
 *
 * Threads:  the loop thread; unverified_count() any.
 */
#ifndef SERVER_WEBHOOK_UNVERIFIED_H
#define SERVER_WEBHOOK_UNVERIFIED_H

#include <stddef.h>
#include <stdint.h>

#include "server/http/http.h"

#define UNVERIFIED_MOST ((size_t)16 << 20) /* bytes, all that they cost */

struct receiver;
struct unverified; /* opaque */

struct unverified *unverified_open(struct receiver *r, size_t most);
void unverified_close(struct unverified *r); /* NULL is fine */

/* Keeps a copy, unless it is larger than the bound. */
void unverified_keep(struct unverified *r, const char *instance,
		     const char *peer, const char *header, const void *body,
		     size_t len, int64_t now);
void unverified_count(const struct unverified *r, size_t *ret_n,
		      size_t *ret_bytes);

/* Judges all of them again. */
void unverified_retry(struct unverified *r);
/* Begins nothing any more: for use after the loop has ended. */
void unverified_stop(struct unverified *r);

/* GET /refused: what is kept, without the bodies.  POST /refused/retry: judges
 * them again and answers when what was genuine is on disk. */
endpoint_fn show_unverified, retry_unverified;

#endif
