/* SPDX-License-Identifier: MIT
 *
 * order_api.h - the calls of Centra's Order API that we make (CONTRACT 3, 5).
 */
#ifndef CENTRA_ORDER_API_H
#define CENTRA_ORDER_API_H

#include <stdbool.h>
#include <stdint.h>

#include "centra/centra.h"

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

#endif
