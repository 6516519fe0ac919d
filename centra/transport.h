/* SPDX-License-Identifier: MIT
 *
 * transport.h - sends one POST of JSON to Centra, and says what is known of its
 * outcome.
 *
 * Promise:  CALL_NOT_DONE is returned only if Centra cannot have acted: no byte
 *           of the request was written, or Centra refused it (401, 403, 429).
 *           A request marked `once` is written at most once, whatever becomes
 *           of the connection.
 * Limits:   the whole call by the centra's timeout, the reply by
 *           REPLY_MAX bytes; no redirects, no proxy, http and https only.
 * Private to centra/.
 */
#ifndef CENTRA_TRANSPORT_H
#define CENTRA_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <curl/curl.h>

#include "base/buf.h"
#include "centra/centra.h"
#include "centra/limits.h"

#define REPLY_MAX ((size_t)8 << 20)

struct centra_conn {
	struct centra *centra;
	CURL *easy[CENTRA_APIS]; /* made at the first call; kept for reuse */
	enum centra_lane lane;
	bool taken[CENTRA_APIS]; /* permit[] is for the next call */
	struct permit permit[CENTRA_APIS];
};

struct post {
	enum centra_api api;
	const char *path; /* behind the API's address: "/check-first", "" */
	const char *body; /* JSON */
	size_t len;
	/* The request changes something at Centra, so it must not be written
	 * twice: libcurl would write it again by itself if a reused connection
	 * broke. */
	bool once;
	bool mutation; /* GraphQL: it counts towards that budget too */
	/* Called with the body of a 401 or 403: true if the body shows that
	 * Centra accepted the key and executed the request.  The call is then
	 * CALL_UNKNOWN and holds back no other call.  NULL: no body shows
	 * that. */
	bool (*executed)(const char *reply, size_t len);
};

/* A call that limits.h does not let through is held: nothing is written.
 * CALL_OK: HTTP 200, all of whose body is in *reply and begins as an object.
 * Otherwise reply->data may hold what came, for its words only.  reply is
 * initialised here and ended by the caller (buf_release). */
void transport_post(struct centra_conn *n, const struct post *p,
		    struct call *ret, struct buf *reply);

/* ---- of the account, for transport.c ---- */

/* Without a slash at its end; NULL: none is configured. */
const char *centra_url(const struct centra *c, enum centra_api api);
struct limits *centra_limits(const struct centra *c);
int64_t centra_connect_timeout(const struct centra *c); /* ms */
int64_t centra_timeout(const struct centra *c);		/* ms */
/* "API-Authorization: KEY": owned by the caller, who wipes it; NULL: no key
 * is set, or it has a byte in it that no header may have. */
char *centra_auth_header(struct centra *c, enum centra_api api);
/* "Order API", "GraphQL": for messages. */
const char *centra_api_name(enum centra_api api);

#endif
