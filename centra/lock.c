/* SPDX-License-Identifier: MIT
 *
 * lock.c - the lock of orders; see feed.h.
 */
#include "base/json_write.h"
#include "centra/feed.h"
#include "centra/graphql_private.h"

#define QUERY_MAX ((size_t)16 << 10)

void graphql_set_lock(struct centra_conn *n, const int64_t *numbers,
		      size_t n_numbers, bool locked, struct centra_done *ret)
{
	struct gql_reply r;
	struct buf body;

	*ret = (struct centra_done){0};
	gql_begin_mutation(&body,
			   "mutation L($input:OrdersLockInput!) { "
			   "setOrdersLock(input:$input) { "
			   "orders { number isLocked } " GQL_REMARKS "} }");
	json_begin(&body, "input");
	json_begin_list(&body, "orders");
	for (size_t i = 0; i < n_numbers; i++) {
		json_begin(&body, NULL);
		json_put_int(&body, "number", numbers[i]);
		json_end(&body);
	}
	json_end_list(&body);
	json_put_bool(&body, "isLocked", locked);
	json_end(&body);
	gql_end_mutation(&body);
	(void)gql_tell(n, "setOrdersLock", &body, ret, &r);
	gql_reply_end(&r);
	buf_release(&body);
}

void graphql_locked_of(struct centra_conn *n, const int64_t *numbers,
		       size_t n_numbers, struct centra_numbers *ret)
{
	struct buf body;

	buf_init(&body, QUERY_MAX);
	gql_begin(&body,
		  "query K($n:[Int!]) { orders(where:{number:$n, "
		  "isLocked:true}, sort:[number_ASC], limit:%zu) { number } }",
		  n_numbers);
	json_begin(&body, "variables");
	json_begin_list(&body, "n");
	for (size_t i = 0; i < n_numbers; i++)
		json_put_int(&body, NULL, numbers[i]);
	json_end_list(&body);
	json_end(&body);
	json_end(&body);
	gql_ask_numbers(n, &body, ret);
}
