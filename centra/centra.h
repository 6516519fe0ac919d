/* SPDX-License-Identifier: MIT
 *
 * centra.h - one Centra environment that we call: its addresses, keys and
 * limits.
 *
 * A `struct centra` is an instance's account; a `struct centra_conn` is one
 * thread's connection to it, kept open between calls (reuse is most of the
 * speed).  The calls themselves are in order_api.h and graphql.h.
 *
 * Threads:  centra: any thread.  centra_conn: one thread at a time.
 */
#ifndef CENTRA_CENTRA_H
#define CENTRA_CENTRA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct centra;
struct centra_conn;

enum centra_api { CENTRA_ORDER_API, CENTRA_GRAPHQL, CENTRA_SOAP, CENTRA_APIS };

/* The class of work that a connection does.  Where calls are scarce, each class
 * leaves some to those that stand above it. */
enum centra_lane {
	CENTRA_LIVE,  /* what shops do: answers, shipments */
	CENTRA_FETCH, /* fetches that someone waits for */
	CENTRA_LOOKUP, /* reads that only answer a question: "what is this
			* EAN?" */
	CENTRA_RECONCILE, /* other fetches, reconciliation */
};

/* Limits of an instance's GraphQL calls, over all its connections: requests,
 * and the mutations among them, in any 10 s and in any hour (CONTRACT 6.3).  0:
 * no limit. */
struct centra_budget {
	unsigned requests, mutations;
	unsigned requests_hour, mutations_hour;
};

struct centra_options {
	const char *instance; /* for messages */
	const char *order_api_url; /* the beginning of every address, used as it
				    * is (CONTRACT 5.1); or NULL */
	const char *order_api_key;
	const char *graphql_url; /* NULL: orders cannot be looked at */
	const char *graphql_token;
	const char *soap_url; /* NULL: its queue is not read */
	const char *soap_user, *soap_password;
	int64_t connect_timeout; /* ms */
	int64_t timeout;         /* ms, the whole call */
	struct centra_budget graphql_budget;
};

/* centra_init() is called once in a process, before threads start; centra_end()
 * at its end. */
enum rc centra_init(struct err *e);
void centra_end(void);

/* Opens an account; copies what the options point to.  Makes no call. */
struct centra *centra_open(const struct centra_options *o);
void centra_close(struct centra *c); /* call it after its connections are
				      * closed; NULL is fine */

/* Replaces the keys (SIGHUP).  Calls that begin from now on use them, and calls
 * that were held back because a key was refused may be made at once. */
void centra_set_credentials(struct centra *c, const char *order_api_key,
			    const char *graphql_token);

/* As centra_set_credentials(), for the login of the SOAP API. */
void centra_set_soap(struct centra *c, const char *user, const char *password);

/* Replaces the budget.  Calls made under the old one count for the new one. */
void centra_set_budget(struct centra *c, const struct centra_budget *b);

/* Why calls to an API are held back now. */
struct centra_state {
	bool refused; /* Centra refused our key: 401 or 403 */
	bool dead;    /* it does not answer */
	bool paused;  /* it asked us to wait */
};
void centra_state(struct centra *c, enum centra_api api,
		  struct centra_state *ret);

/* Tells whether a call to an API could be made now, without making one.
 * `calls`: how many calls are under way or about to be made already. */
#define CENTRA_NEVER INT64_MAX
struct centra_may {
	int64_t wait; /* ms until a call could be made; 0: now; CENTRA_NEVER:
		       * the API is not configured */
	bool trial;   /* the call would be the trial that finds out whether the
		       * API is back */
	bool parked;  /* the API is away, refuses our key, asked us to wait or
		       * is not configured: more than a lack of budget */
};
void centra_may(struct centra *c, enum centra_api api, enum centra_lane lane,
		unsigned calls, struct centra_may *ret);
/* Lets a trial call find out at once, instead of after the back-off, whether an
 * API that is away or refuses our key is back. */
void centra_try_now(struct centra *c, enum centra_api api);

/* A connection is made by its first call. centra_conn_lane() sets the class of
 * work that the next calls belong to. */
struct centra_conn *centra_conn_open(struct centra *c);
void centra_conn_close(struct centra_conn *n);
void centra_conn_lane(struct centra_conn *n, enum centra_lane lane);
/* Returns the address that this connection calls, borrowed from its account,
 * without a slash at its end; NULL: it is not configured. */
const char *centra_address(const struct centra_conn *n, enum centra_api api);
/* Bounds the next calls on this connection: each ends at `until` (time_mono) at
 * the latest, and none begins after it (CALL_NOT_DONE, `cut`).  0: only the
 * centra's timeout bounds them. */
void centra_conn_until(struct centra_conn *n, int64_t until);

/* Returns the version that the newest GraphQL reply of this account named, as
 * CENTRA_VERSION(); 0: none did.  A call on an account that named none yet may
 * meet any version. */
#define CENTRA_VERSION(a, b, c)                                               \
	((uint64_t)(a) << 40 | (uint64_t)(b) << 20 | (uint64_t)(c))
uint64_t centra_version(struct centra_conn *n);

/* How a call ended, as far as that can be known (OFFERS 3, step 3). */
enum call_end {
	CALL_OK,       /* a complete, well-formed reply came: read it */
	CALL_NOT_DONE, /* no connection, 401, 403 or 429: Centra has not
		        * acted */
	CALL_UNKNOWN,  /* anything else: Centra may have acted */
};

/* Whether a call has opened or closed the circuit breaker of its API
 * (limits.h). */
enum call_turn {
	CALL_SAME,
	CALL_AWAY, /* this call has opened the breaker: from now on only trial
		    * calls are made */
	CALL_BACK, /* this call was a trial, got a reply, and has closed the
		    * breaker */
};

struct call {
	enum call_end end;
	long status;         /* the HTTP status; 0: no reply came */
	bool refused;        /* the status is 401 or 403: the credential must be
			      * replaced */
	int64_t retry_after; /* ms to wait from now, as Centra or limits.h asks;
			      * 0: neither does */
	int64_t latency;     /* ms */
	int64_t date; /* the reply's Date header, ms; 0: there was none */
	struct err why;      /* the reason, if `end` is not CALL_OK */
	enum call_turn turn;
	bool held; /* the call was not made: Centra may not be called before
		    * retry_after has passed */
	bool cut; /* the deadline of the connection (centra_conn_until) ended
		   * the call before Centra's own timeout did: that proves
		   * nothing about Centra, and opens no breaker */
};

/* Reserves the next call on this connection to the API.  Ask before any work
 * that is done for the call alone, such as making a try durable.  True: the
 * call will be made, and it or centra_give_back() must follow.  False: the call
 * is held back, and *ret is what it would return. */
bool centra_take(struct centra_conn *n, enum centra_api api,
		 struct call *ret);
/* As centra_take(), for a GraphQL mutation. */
bool centra_take_change(struct centra_conn *n, struct call *ret);
void centra_give_back(struct centra_conn *n, enum centra_api api);

/* Returns how many ms a Retry-After header asks to wait (CONTRACT 6.3).  It
 * reads Unix seconds or ms, seconds from now, an HTTP date or an ISO time, and
 * clamps the result to 1 s .. 1 h.  10 s if the value cannot be read. */
int64_t centra_retry_after(const char *value, int64_t now);

#endif
