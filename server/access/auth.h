/* SPDX-License-Identifier: MIT
 *
 * auth.h - who asks: a device by its token, or a browser by its session.
 *
 * A token is sent on purpose.  A cookie is sent by the browser whoever asks, so
 * what a cookie may change needs two more proofs that our own page asks: the
 * session's X-CSRF-Token, and an Origin, if one is sent, that is public_url's.
 */
#ifndef SERVER_ACCESS_AUTH_H
#define SERVER_ACCESS_AUTH_H

#include <stdbool.h>

#include "server/access/token.h"
#include "server/config/config.h"
#include "server/http/http.h"

/* Who asks. */
struct caller {
	struct config *config; /* held: the request's */
	struct device device;
	const struct config_shop *shop; /* of config */
	unsigned char credential[TOKEN_HASH_SIZE]; /* SHA-256 of its token */
	bool by_session;       /* by a cookie, not by a token */
	char csrf[TOKEN_SIZE]; /* its session's; "" when by a token */
};

/* Who asks: of a route of ROUTE_DEVICE, or after caller_make(). */
const struct caller *caller_of(const struct request *req);
/* A caller of whom only the config is known yet, for a route that others than
 * devices may ask; it lives as long as the request. */
struct caller *caller_make(struct request *req);
void caller_free(void *caller); /* of http_hooks */

/* With https the browser itself sees to it that nobody else set the cookie: it
 * keeps a name with __Host- only from this host, over https, with Path=/.  The
 * plain name is the one without https, and the one that https had before 0.2,
 * which is read for one release more. */
#define SESSION_COOKIE	     "shipfrom_session"
#define SESSION_COOKIE_HTTPS "__Host-shipfrom_session"

/* Makes the request's caller, or responds 401, 403 or 503: for the identify
 * hook. */
void auth_device(struct request *req, struct response *res);

/* True when public_url is https. */
bool auth_https(const struct config *c);

/* Counts a sign-in that failed against its address. */
void auth_failed(const struct request *req);
/* True, and a 429 in *res, when too many from its address failed.  Only for a
 * request that has failed itself: a good token, cookie or code is never told to
 * wait. */
bool auth_limited(const struct request *req, struct response *res);

/* False, and a 403 in *res, when another page sent it. */
bool auth_origin(const struct request *req, struct response *res);

/* True while req's token or session is good. */
bool auth_still(const struct request *req);

/* Counts and logs a refusal, and responds 401 with this code. */
void auth_refuse(struct request *req, struct response *res, const char *code,
		 const char *detail);

/* "https://ship.example.com" of a URL or an Origin: in small letters, without
 * the scheme's own port.  False: it does not fit or is no such thing. */
#define ORIGIN_SIZE 300
bool origin_of(char ret[ORIGIN_SIZE], const char *url);

#endif
