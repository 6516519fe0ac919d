/* SPDX-License-Identifier: MIT
 *
 * graphql_private.h - what graphql.c, reply.c and shipping.c share.
 */
#ifndef CENTRA_GRAPHQL_PRIVATE_H
#define CENTRA_GRAPHQL_PRIVATE_H

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "centra/graphql.h"

/* Asked for wherever a shipment is read. */
#define SHIPMENT_FIELDS                                                       \
	"id number isGoodToGo isShipped isPaid isCaptured trackingNumber "    \
	"shippedAt lines { quantity orderLine { id } } "

/* ---- a reply, and its errors ---- */

/* A reply of GraphQL.  `data` and `errors` belong to the document. */
struct gql_reply {
	cJSON *document;      /* owned; NULL: no JSON came */
	const cJSON *data;    /* an object, or NULL */
	const cJSON *errors;  /* not empty, or NULL */
	bool whole;	      /* an HTTP 200, of which all came */
};

/* Asks, and reads the reply; end it with gql_reply_end().  call->end is CALL_OK
 * only for an HTTP 200 with `data` and without `errors`.  Errors put Centra's
 * words into call->why, and set call->refused if one of them is of the category
 * `authorization`; an end of CALL_OK becomes CALL_UNKNOWN by them, and what
 * else came can be read from the reply all the same.
 * `once`: the document is a mutation, which is written at most once
 * (transport.h). */
void gql_ask(struct centra_conn *n, const struct buf *body, bool once,
	     struct call *call, struct gql_reply *ret);
void gql_reply_end(struct gql_reply *r);

/* Whether a mutation was executed, judged by the errors of its reply.
 *
 * The rule (GraphQL's own; CONTRACT 6.2): an error with a `path` was met
 * while the document was executed; an error without one was met before that,
 * and then nothing was executed.  The HTTP status does not matter, except that
 * the statuses which speak for themselves keep their meaning: 429, and 401 and
 * 403 without such an error (not executed, but may be later), and 408, 499 and
 * 5xx (nothing is known).
 * An error of the category `internal` proves nothing either: Centra itself
 * failed, and not our document. */
enum gql_fault {
	GQL_RAN,     /* executed, or nobody knows: look */
	GQL_NOT_RUN, /* not executed, and the same document never will be */
	GQL_DENIED,  /* not executed: our token may not call the mutation (an
		      * authorization error whose path is the mutation) */
};
enum gql_fault gql_judge(const struct gql_reply *r, const struct call *call,
			 const char *mutation);

/* Members of the path of an error, counted from 0. */
/* The n-th as a name (NULL: it is none), or as an index (-1: it is none). */
const char *gql_path_name(const cJSON *error, int n);
int gql_path_index(const cJSON *error, int n);

/* ---- values ---- */

/* Begins the body of a call with the query, a format of printf().  "variables"
 * may follow; the caller ends it with json_end(). */
void gql_begin(struct buf *body, const char *query, ...)
	__attribute__((format(printf, 2, 3)));

/* v.id, which is above 0; false: it is not. */
bool gql_read_id(const cJSON *v, int64_t *ret);
/* A word that must be exactly that (json_text); NULL: it is none.  The caller
 * frees it. */
char *gql_word(const cJSON *v, const char *key);
/* A text for people to read (json_words); NULL: nothing of it can be.  The
 * caller frees it. */
char *gql_words(const cJSON *v, const char *key);

/* False: it is not as it should be; what was read must still be ended. */
bool graphql_read_shipment(const cJSON *v, struct centra_shipment *s);
void graphql_shipment_end(struct centra_shipment *s);

/* What an entry of the payment history says (its `entryType` and `status`;
 * NULL: no entry).  Judged by the whole enum of types (CONTRACT 6.7): done
 * is only CAPTURE with SUCCESS; failed is CAPTURE_FAILED, and a capture or
 * request with FAILED; a capture, request or CAPTURE_PENDING with any other
 * status is pending; every other type, those of gift cards among them, says
 * nothing. */
enum centra_payment graphql_read_payment(const cJSON *entry);

#endif
