/* SPDX-License-Identifier: MIT
 *
 * orders.h - the endpoints of the shops' API about orders (docs/api.md).
 *
 * An accept or reject is made durable before anything else.  Its request then
 * waits for Centra's answer, up to `answer_wait`, and gets 202 if none came.
 */
#ifndef SERVER_SHOP_ORDERS_H
#define SERVER_SHOP_ORDERS_H

#include "server/http/http.h"
#include "store/store.h"

endpoint_fn staff_orders, staff_order, staff_accept, staff_reject;
endpoint_fn staff_problem, staff_solved, staff_stopped, staff_report, staff_ship;

/* ---- the parts that need no server ---- */

/* A place in a shop's lists: behind this row of this list. */
struct staff_cursor {
	enum list list;
	int64_t expires; /* TIME_NONE: no deadline; such rows come last.  In the
			  * list "done" by `since`: the time of the last
			  * change */
	int64_t number;
};

/* Bytes that cursor_write() writes, the NUL included. */
#define CURSOR_SIZE 64
void cursor_write(char ret[CURSOR_SIZE], const struct staff_cursor *c);
enum rc cursor_read(const char *text, struct staff_cursor *ret);

/* Return the HTTP status that answers a shop's accept or reject when its offer
 * is in this state: 200, 202 (not settled yet) or 409; *ret_code is the code of
 * a 409, else NULL. */
int accept_status(enum offer_state s, const char **ret_code);
int reject_status(enum offer_state s, const char **ret_code);

#endif
