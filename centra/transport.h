/* SPDX-License-Identifier: MIT
 *
 * transport.h - sends one request to Centra, and says what is known of its
 * outcome.  A request is a POST of JSON, or has another method.
 *
 * Promise:  CALL_NOT_DONE is returned only if Centra cannot have acted: no byte
 *           of the request was written, or Centra refused it (401, 403, 429).
 *           A request marked `once` is written at most once, whatever becomes
 *           of the connection.
 * Limits:   the whole call by the centra's timeout and by the connection's
 *           deadline (centra_conn_until), the reply by REPLY_MAX bytes; no
 *           redirects, no proxy, http and https only.
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
	CURL *easy[CENTRA_APIS]; /* handles, made at the first call and kept for
				  * the next ones */
	enum centra_lane lane;
	int64_t until; /* see centra_conn_until() */
	bool taken[CENTRA_APIS]; /* permit[] was taken for the next call */
	struct permit permit[CENTRA_APIS];
};

/* Keeps the version that a reply named (CENTRA_VERSION()). */
void centra_set_version(struct centra_conn *n, uint64_t version);

struct post {
	enum centra_api api;
	const char *method; /* "GET", "PUT", "DELETE"; NULL: POST */
	const char *path; /* what follows the API's address: "/check-first", or
			   * ""; a query in it is encoded */
	/* The operation of the SOAP API, with its namespace; the body is XML
	 * then, and so is the reply.  NULL: both are JSON. */
	const char *soap_action;
	const char *body; /* JSON or XML; of a GET it is not sent */
	size_t len;
	/* The request changes something at Centra, so it must not be written
	 * twice: libcurl would write it again by itself if a reused connection
	 * broke. */
	bool once;
	bool mutation; /* a GraphQL mutation: it counts towards the budget of
		        * mutations too */
	/* Called with the body of a 401 or 403: true if the body shows that
	 * Centra accepted the key and executed the request.  The call is then
	 * CALL_UNKNOWN and holds back no other call.  NULL: no body shows
	 * that. */
	bool (*executed)(const char *reply, size_t len);
};

/* A call that limits.h does not let through is held: nothing is written.
 * CALL_OK: HTTP 200, all of whose body is in *reply and begins as an object, or
 * as an element of XML.
 * Otherwise reply->data may hold what came, for messages only.  The call
 * initialises *reply, and the caller releases it (buf_release). */
void transport_post(struct centra_conn *n, const struct post *p,
		    struct call *ret, struct buf *reply);

/* True for the body of a 403 of the Order API that says that the endpoint is not
 * ticked in the plugin: the key is right (CONTRACT 4.3).  A hook `executed`. */
bool order_api_unticked(const char *reply, size_t len);

/* ---- of the account, for transport.c ---- */

struct limits *centra_limits(const struct centra *c);
int64_t centra_connect_timeout(const struct centra *c); /* ms */
int64_t centra_timeout(const struct centra *c);		/* ms */
/* Returns the header "API-Authorization: KEY", or that of a GraphQL token; the
 * caller wipes and frees it.  NULL: no key is set, or it contains a byte that a
 * header must not have. */
char *centra_auth_header(struct centra *c, enum centra_api api);
/* Copies the login of the SOAP API, which the caller gives to centra_forget().
 * False: there is none, and both are NULL. */
bool centra_soap_login(struct centra *c, char **ret_user, char **ret_password);
/* Wipes and frees a secret; NULL is fine. */
void centra_forget(char *secret);
/* Returns "Order API", "GraphQL" or "SOAP API", for messages. */
const char *centra_api_name(enum centra_api api);

#endif
