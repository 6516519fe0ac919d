/* SPDX-License-Identifier: MIT
 *
 * auth.h - authenticates requests: a device by its token, or a browser by its
 * session.
 *
 * A client sends a token on purpose.  A browser sends a cookie with every
 * request, whichever page made it, so a request that changes something by a
 * cookie needs two more proofs that our own page sent it: the session's
 * X-CSRF-Token, and an Origin, if there is one, equal to public_url's.
 */
#ifndef SERVER_ACCESS_AUTH_H
#define SERVER_ACCESS_AUTH_H

#include <stdbool.h>

#include "server/access/access.h"
#include "server/access/token.h"

/* With https the browser makes sure that nobody else set the cookie: it keeps a
 * name with __Host- only from this host, over https, with Path=/.  The plain
 * name is the one without https, and the one that https had before 0.2, which
 * is still read for one release. */
#define SESSION_COOKIE	     "shipfrom_session"
#define SESSION_COOKIE_HTTPS "__Host-shipfrom_session"

/* The device that sent a request. */
struct caller {
	struct config *config; /* held: the config of the whole request */
	struct device device;
	const struct config_shop *shop; /* of config: the device's shop */
	unsigned char credential[TOKEN_HASH_SIZE]; /* SHA-256 of its token */
	bool by_session;       /* by a cookie, not by a token */
	char csrf[TOKEN_SIZE]; /* its session's; "" when by a token */
};

/* The caller of a request whose route needs a device. */
const struct caller *caller_of(const struct request *req);

/* The hook `identify` of http.h, with a struct access as its argument: sets
 * req->caller, or responds 401, 403, 429 or 503.  Reads the store. */
void auth_identify(void *access, struct request *req, struct response *res);
/* The hook that frees req->caller. */
void auth_free_caller(void *caller);

/* True when public_url is https. */
bool auth_https(const struct config *c);

/* Counts a sign-in that failed against its client's address. */
void auth_failed(struct access *a, const struct config *c,
		 const struct request *req);
/* True, and a 429 in *res, when too many from its address failed.  Only for a
 * request that has failed itself: a good token, cookie or code never has to
 * wait. */
bool auth_limited(struct access *a, const struct config *c,
		  const struct request *req, struct response *res);

/* False, and a 403 in *res, when a page of another origin sent the request. */
bool auth_origin(const struct config *c, const struct request *req,
		 struct response *res);

/* False when the token or session of that hash has been ended.  Reads the
 * store; any thread. */
bool auth_still(struct access *a, const unsigned char hash[TOKEN_HASH_SIZE],
		bool is_session);

/* Counts and logs a refusal, and responds 401 with this code. */
void auth_refuse(struct access *a, const struct request *req,
		 struct response *res, const char *code, const char *detail);

/* "https://ship.example.com" of a URL or an Origin: in small letters, without
 * the scheme's own port.  False: it does not fit or is no such thing. */
#define ORIGIN_SIZE 300
bool origin_of(char ret[ORIGIN_SIZE], const char *url);

#endif
