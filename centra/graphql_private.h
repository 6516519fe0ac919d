/* SPDX-License-Identifier: MIT
 *
 * graphql_private.h - what the files that speak GraphQL share: graphql.c,
 * lists.c, reply.c, shipping.c, feed.c and lock.c.
 */
#ifndef CENTRA_GRAPHQL_PRIVATE_H
#define CENTRA_GRAPHQL_PRIVATE_H

#include "base/buf.h"
#include "base/json_read.h"
#include "centra/graphql.h"

/* The fields of a shipment, for every query that reads one. */
#define SHIPMENT_FIELDS                                                       \
	"id number isGoodToGo isShipped isPaid isCaptured trackingNumber "    \
	"shippedAt lines { quantity orderLine { id } } "

/* ---- a reply, and its errors ---- */

/* A GraphQL reply.  `data` and `errors` point into the document. */
struct gql_reply {
	struct json *document;	   /* owned; NULL: the reply is no JSON */
	const struct json *data;   /* an object, or NULL */
	const struct json *errors; /* not empty, or NULL */
	bool whole; /* the status is 200 and the whole reply came */
};

/* Sends a document and reads the reply; release it with gql_reply_end().
 * call->end is CALL_OK only for an HTTP 200 with `data` and without `errors`.
 * Errors put Centra's words into call->why, and set call->refused if one of
 * them is of the category `authorization`; they turn an end of CALL_OK into
 * CALL_UNKNOWN, but the rest of the reply can still be read.  `once`: the
 * document is a mutation, which is written at most once (transport.h). */
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
	GQL_RAN,     /* the mutation was executed, or nobody knows: look at the
		      * order */
	GQL_NOT_RUN, /* the mutation was not executed, and would not be if it
		      * were sent again */
	GQL_DENIED,  /* the mutation was not executed: our token may not call it
		      * (an authorization error whose path is the mutation) */
};
enum gql_fault gql_judge(const struct gql_reply *r, const struct call *call,
			 const char *mutation);

/* ---- the path of an error ---- Its members are counted from 0. */
/* Return the n-th member as a name (NULL: it is no name), or as an index (-1:
 * it is no index). */
const char *gql_path_name(const struct json *error, int n);
int gql_path_index(const struct json *error, int n);

/* ---- values ---- */

/* Begins the body of a call with the query, a format of printf().  "variables"
 * may follow; the caller ends it with json_end(). */
void gql_begin(struct buf *body, const char *query, ...)
	__attribute__((format(printf, 2, 3)));

/* Reads the member `id`.  False: it is not a number above 0. */
bool gql_read_id(const struct json *v, int64_t *ret);
/* Returns a copy of a member if it is exactly a word (json_text); else NULL.
 * The caller frees it. */
char *gql_word(const struct json *v, const char *key);

/* Sends a query for `orders { number }` and reads the numbers.  Releases the
 * body. */
void gql_ask_numbers(struct centra_conn *n, struct buf *body,
		     struct centra_numbers *ret);

/* ---- mutations ---- */

/* What the payload of each mutation says in words. */
#define GQL_REMARKS                                                           \
	"userErrors { message path } userWarnings { message path } "

/* Begins the body of a mutation.  Add the variables next, then call
 * gql_end_mutation(). */
void gql_begin_mutation(struct buf *body, const char *query);
void gql_end_mutation(struct buf *body);
/* Sends the mutation of this name and returns its payload, which lives as long
 * as *reply (gql_reply_end).  NULL: there is no payload to read.  Sets the
 * call, `misread`, `error` and `warning` of *ret, which is zeroed before. */
const struct json *gql_tell(struct centra_conn *n, const char *name,
			    const struct buf *body, struct centra_done *ret,
			    struct gql_reply *reply);
/* Ends the call as CALL_UNKNOWN: the payload cannot be read. */
void gql_doubtful(struct centra_done *ret, const char *what);

/* ---- shipments ---- */

/* Reads a shipment.  False: it has a wrong form; what was read must be released
 * with graphql_shipment_end() even so. */
bool graphql_read_shipment(const struct json *v, struct centra_shipment *s);
void graphql_shipment_end(struct centra_shipment *s);

/* What an entry of the payment history says (its `entryType` and `status`;
 * NULL: no entry).  Judged by the whole enum of types (CONTRACT 6.7): done
 * is only CAPTURE with SUCCESS; failed is CAPTURE_FAILED, and a capture or
 * request with FAILED; a capture, request or CAPTURE_PENDING with any other
 * status is pending; every other type, those of gift cards among them, says
 * nothing. */
enum centra_payment graphql_read_payment(const struct json *entry);

#endif
