/* SPDX-License-Identifier: MIT
 *
 * auth.h - authenticates requests: a device by its token, or a browser by its
 * session.
 *
 * A client sends a token on purpose.  A browser sends its cookie with every
 * request, whichever site's page made it.  So a request that changes something
 * and is signed in by a cookie needs two more proofs that our own page sent it:
 * the session's X-CSRF-Token, and an Origin, if there is one, equal to
 * public_url's.
 */
#ifndef SERVER_ACCESS_AUTH_H
#define SERVER_ACCESS_AUTH_H

#include <stdbool.h>

#include "server/access/access.h"
#include "server/access/token.h"

/* Names of the session cookie.  With https the name begins with __Host-: a
 * browser then takes the cookie from this host alone, over https, with Path=/,
 * so nobody else can set it.  The plain name is for http; with https, versions
 * before 0.2 used it too, and it is still read for one release. */
#define SESSION_COOKIE	     "shipfrom_session"
#define SESSION_COOKIE_HTTPS "__Host-shipfrom_session"

/* The device that sent a request. */
struct caller {
	struct config *config; /* held for as long as the request lives */
	struct device device;
	const struct config_shop *shop; /* the device's shop, in `config` */
	/* SHA-256 of the token or of the session's secret */
	unsigned char credential[TOKEN_HASH_SIZE];
	bool by_session; /* true: signed in by a cookie; false: by a token */
	char csrf[TOKEN_SIZE]; /* the session's X-CSRF-Token; "" if signed in by
			        * a token */
};

/* Returns the caller of a request; its route must have ROUTE_DEVICE. */
const struct caller *caller_of(const struct request *req);

/* The hook `identify` of http.h; its argument is a struct access.  Sets
 * req->caller, or responds 401, 403, 429 or 503.  Reads the store. */
void auth_identify(void *access, struct request *req, struct response *res);
/* As auth_identify(), for the routes below /order-api/SHOP/: finds the device by
 * the key in the header API-Authorization.  Only keys of that kind are let in
 * (DEVICE_ORDER_API), and only to their own shop; they open no other route.  A
 * refusal is in the shape of Centra's: {"status":"Not Allowed"}. */
void auth_identify_key(void *access, struct request *req, struct response *res);
/* The hook that frees req->caller. */
void auth_free_caller(void *caller);

/* True if public_url is https. */
bool auth_https(const struct config *c);

/* Counts a failed sign-in for the client's address. */
void auth_failed(struct access *a, const struct config *c,
		 const struct request *req);
/* True, with a 429 in *res: too many sign-ins from the address failed.  Only
 * for a request that has failed itself: one with a good token, cookie or code
 * is never made to wait. */
bool auth_limited(struct access *a, const struct config *c,
		  const struct request *req, struct response *res);

/* False, with a 403 in *res: a page of another origin sent the request. */
bool auth_origin(const struct config *c, const struct request *req,
		 struct response *res);

/* Reads whether a token or session is still valid; any thread.  RC_NOTFOUND: it
 * has been ended.  Another error: that cannot be read, so nothing may be done in
 * its name. */
enum rc auth_still(struct access *a, const unsigned char hash[TOKEN_HASH_SIZE],
		   bool is_session, struct err *e);
/* Logs and responds that a device or its credential cannot be read, for the
 * reason `rc`: 401 device_unreadable if what is stored of it is damaged, since
 * only a new login link helps; else 503. */
void auth_unread(struct access *a, const struct request *req,
		 struct response *res, enum rc rc, const struct err *e);

/* Counts and logs a refusal, and responds 401 with the code. */
void auth_refuse(struct access *a, const struct request *req,
		 struct response *res, const char *code, const char *detail);

/* Returns the origin of a URL or of an Origin header, such as
 * "https://ship.example.com": in small letters, without the scheme's default
 * port.  False: it does not fit, or the text has none. */
#define ORIGIN_SIZE 300
bool origin_of(char ret[ORIGIN_SIZE], const char *url);

#endif
