/* SPDX-License-Identifier: MIT
 *
 * order_api.h - the calls of Centra's Order API that we make (CONTRACT 3, 5).
 */
#ifndef CENTRA_ORDER_API_H
#define CENTRA_ORDER_API_H

#include <stdbool.h>
#include <stdint.h>

#include "centra/centra.h"
#include "centra/event.h"

struct check_first_reply {
	struct call call;
	bool ok;        /* if call.end is CALL_OK: true for status "ok", false
			 * for "no" */
	char *msg; /* owned: Centra's text on one line; NULL: there is none */
	bool our_fault; /* a `no` that names wrong fields: raise the
			 * configuration alarm */
	bool no_order;  /* "order does not exist": raise the alarm if GraphQL
			 * shows the order, since then the Order API plugin's
			 * filters hide it */
};

/* POST <base>/check-first: tells Centra this warehouse's answer.  Irreversible
 * there (CONTRACT 3.2).  A 200 that is not complete JSON with status "ok" or
 * "no" is CALL_UNKNOWN. */
void order_api_check_first(struct centra_conn *n, int64_t number,
			   int64_t warehouse, bool accept,
			   struct check_first_reply *ret);

/* Tests the address and the key without changing anything: sends a check-first
 * request without its three fields, which Centra refuses with an error for each
 * (our_fault). */
void order_api_try(struct centra_conn *n, struct check_first_reply *ret);
void check_first_reply_release(struct check_first_reply *r);

/* ---- allocation requests (CONTRACT 4) ---- */

#define REQUESTS_PAGE 100 /* entries of a page; a shorter one is the last */

struct centra_requests {
	struct call call;
	bool not_allowed; /* HTTP 403: the endpoint is not ticked in the plugin.
			   * The call is CALL_NOT_DONE, and holds back no other
			   * call */
	struct centra_request **list; /* owned, each too */
	size_t n;
	size_t entries; /* of the reply, those that cannot be read included */
};

/* What to list.  NULL or 0: no such filter. */
struct requests_query {
	const int64_t *orders;
	size_t n_orders;
	const int64_t *warehouses;
	size_t n_warehouses;
	bool all; /* all statuses; false: those that can still be answered */
	unsigned page; /* from 1 */
};

/* GET <base>/allocation-requests. */
void order_api_requests(struct centra_conn *n, const struct requests_query *q,
			struct centra_requests *ret);
void centra_requests_release(struct centra_requests *r);

struct request_reply {
	struct call call;
	bool not_allowed; /* as above */
	bool ok;	/* if call.end is CALL_OK: Centra's `success` */
	char *msg;	/* owned: Centra's text on one line; NULL: none */
	bool our_fault; /* a `no` that names wrong fields */
};

/* PUT <base>/allocation-request: confirms or rejects a request.  `id` is from
 * order_api_requests(), never from a webhook.  Irreversible in Centra. */
void order_api_request(struct centra_conn *n, int64_t id, bool confirm,
		       struct request_reply *ret);
void request_reply_release(struct request_reply *r);

#endif
