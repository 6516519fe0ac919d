/* SPDX-License-Identifier: MIT
 *
 * unverified.h - deliveries whose signature no secret of ours made, kept for a
 * while: when the secret was wrong on our side, they are Centra's only try.
 *
 * In memory alone, up to a bound, the oldest go first: nothing is written for
 * strangers.  Once the secrets have changed (SIGHUP) or somebody asks, each is
 * judged again, as of the time it came; those that are genuine are recorded
 * with that time.
 *
 * Threads:  the loop thread only.
 */
#ifndef SERVER_WEBHOOK_UNVERIFIED_H
#define SERVER_WEBHOOK_UNVERIFIED_H

#include <stddef.h>
#include <stdint.h>

#include "server/http/http.h"

#define REFUSED_MOST ((size_t)16 << 20) /* bytes, all that they cost */

struct app;
struct refused; /* opaque */

struct refused *refused_open(struct app *app, size_t most);
void refused_close(struct refused *r); /* NULL is fine */

/* Keeps a copy; what is larger than all the room is not kept. */
void refused_keep(struct refused *r, const char *instance, const char *peer,
		  const char *header, const void *body, size_t len,
		  int64_t now);
void refused_count(const struct refused *r, size_t *ret_n, size_t *ret_bytes);

/* Judges all of them again. */
void refused_retry(struct refused *r);
/* Begins nothing any more: the loop has ended and the store is closed next. */
void refused_stop(struct refused *r);

/* GET /refused: what is kept, without the bodies.  POST /refused/retry: judges
 * them again and answers when what was genuine is on disk. */
endpoint_fn show_refused, retry_refused;

#endif
