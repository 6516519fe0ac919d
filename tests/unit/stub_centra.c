/* SPDX-License-Identifier: MIT
 *
 * stub_centra.c - see stub_centra.h.
 *
 * The linker puts each __wrap_X() in the place of X() (the Makefile names them
 * in SEAM).  A call on a connection that is not the stub's goes on to X().
 */
#include "tests/unit/stub_centra.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

struct stub_centra stub_centra;

static char place;
struct centra_conn *const stub_conn = (struct centra_conn *)(void *)&place;

#define SEAM(fn) typeof(fn) __wrap_##fn, __real_##fn

/* ---- may a call be made ---- */

SEAM(centra_conn_lane);
SEAM(centra_take);
SEAM(centra_take_change);
SEAM(centra_give_back);

void __wrap_centra_conn_lane(struct centra_conn *n, enum centra_lane lane)
{
	if (n == stub_conn)
		stub_centra.lane = lane;
	else
		__real_centra_conn_lane(n, lane);
}

/* A call that is held is as centra_take() tells of it. */
static bool take(enum centra_api api, struct call *ret)
{
	bool may = !stub_centra.hold;

	if (stub_centra.take)
		may = stub_centra.take(api, ret);
	else if (!may)
		*ret = (struct call){.end = CALL_NOT_DONE,
				     .held = true,
				     .retry_after = stub_centra.hold};
	stub_centra.taken += may;
	return may;
}

bool __wrap_centra_take(struct centra_conn *n, enum centra_api api,
			struct call *ret)
{
	return n == stub_conn ? take(api, ret)
			      : __real_centra_take(n, api, ret);
}

bool __wrap_centra_take_change(struct centra_conn *n, struct call *ret)
{
	return n == stub_conn ? take(CENTRA_GRAPHQL, ret)
			      : __real_centra_take_change(n, ret);
}

void __wrap_centra_give_back(struct centra_conn *n, enum centra_api api)
{
	if (n != stub_conn) {
		__real_centra_give_back(n, api);
		return;
	}
	stub_centra.taken--;
	if (stub_centra.give_back)
		stub_centra.give_back(api);
}

/* ---- calls ---- */

SEAM(order_api_check_first);
SEAM(order_api_requests);
SEAM(order_api_request);
SEAM(graphql_orders);
SEAM(graphql_waiting);
SEAM(graphql_order_shipments);
SEAM(graphql_confirm_order);
SEAM(graphql_create_shipment);
SEAM(graphql_capture_shipment);
SEAM(graphql_good_to_go);
SEAM(graphql_complete_shipment);

void __wrap_order_api_check_first(struct centra_conn *n, int64_t number,
				  int64_t warehouse, bool accept,
				  struct check_first_reply *ret)
{
	if (n != stub_conn) {
		__real_order_api_check_first(n, number, warehouse, accept,
					     ret);
		return;
	}
	*ret = (struct check_first_reply){0};
	stub_centra.taken--;
	stub_centra.post(number, warehouse, accept, ret);
}

void __wrap_order_api_requests(struct centra_conn *n,
			       const struct requests_query *q,
			       struct centra_requests *ret)
{
	if (n != stub_conn) {
		__real_order_api_requests(n, q, ret);
		return;
	}
	*ret = (struct centra_requests){0};
	stub_centra.requests(q, ret);
}

void __wrap_order_api_request(struct centra_conn *n, int64_t id, bool confirm,
			      struct request_reply *ret)
{
	if (n != stub_conn) {
		__real_order_api_request(n, id, confirm, ret);
		return;
	}
	*ret = (struct request_reply){0};
	stub_centra.taken--;
	stub_centra.request(id, confirm, ret);
}

void __wrap_graphql_orders(struct centra_conn *n, const int64_t *numbers,
			   size_t n_numbers, bool with_address,
			   struct centra_orders *ret)
{
	if (n != stub_conn) {
		__real_graphql_orders(n, numbers, n_numbers, with_address,
				      ret);
		return;
	}
	*ret = (struct centra_orders){0};
	stub_centra.orders(numbers, n_numbers, with_address, ret);
}

void __wrap_graphql_waiting(struct centra_conn *n, unsigned max, unsigned page,
			    struct centra_numbers *ret)
{
	if (n != stub_conn) {
		__real_graphql_waiting(n, max, page, ret);
		return;
	}
	*ret = (struct centra_numbers){0};
	stub_centra.waiting(max, page, ret);
}

void __wrap_graphql_order_shipments(struct centra_conn *n, int64_t number,
				    bool with_address, bool with_payment,
				    struct centra_orders *ret)
{
	if (n != stub_conn) {
		__real_graphql_order_shipments(n, number, with_address,
					       with_payment, ret);
		return;
	}
	*ret = (struct centra_orders){0};
	stub_centra.order_shipments(number, with_payment, ret);
}

/* Begins the reply to a change.  False: another connection's. */
static bool changes(const struct centra_conn *n, struct centra_done *ret)
{
	if (n != stub_conn)
		return false;
	*ret = (struct centra_done){0};
	stub_centra.taken--;
	return true;
}

void __wrap_graphql_confirm_order(struct centra_conn *n, int64_t number,
				  struct centra_done *ret)
{
	if (changes(n, ret))
		stub_centra.confirm(number, ret);
	else
		__real_graphql_confirm_order(n, number, ret);
}

void __wrap_graphql_create_shipment(struct centra_conn *n, int64_t number,
				    const struct centra_shipment_line *lines,
				    size_t n_lines, struct centra_done *ret)
{
	if (changes(n, ret))
		stub_centra.create(number, lines, n_lines, ret);
	else
		__real_graphql_create_shipment(n, number, lines, n_lines, ret);
}

void __wrap_graphql_capture_shipment(struct centra_conn *n, int64_t id,
				     struct centra_done *ret)
{
	if (changes(n, ret))
		stub_centra.capture(id, ret);
	else
		__real_graphql_capture_shipment(n, id, ret);
}

void __wrap_graphql_good_to_go(struct centra_conn *n, int64_t id,
			       struct centra_done *ret)
{
	if (changes(n, ret))
		stub_centra.good_to_go(id, ret);
	else
		__real_graphql_good_to_go(n, id, ret);
}

void __wrap_graphql_complete_shipment(struct centra_conn *n, int64_t id,
				      const struct centra_parcel *p,
				      struct centra_done *ret)
{
	if (changes(n, ret))
		stub_centra.complete(id, p, ret);
	else
		__real_graphql_complete_shipment(n, id, p, ret);
}

/* ---- replies ---- */

struct centra_order *stub_order(struct centra_orders *ret, int64_t number,
				const char *status, bool waits,
				size_t n_lines)
{
	struct centra_order *co;

	ret->list = xrealloc(ret->list, ret->n + 1, sizeof(*ret->list));
	co = &ret->list[ret->n++];
	*co = (struct centra_order){
		.number = number,
		.status = xstrdup(status),
		.on_hold = waits,
		.waits = waits,
		.n_lines = n_lines,
	};
	if (waits)
		co->hold_reason =
			xstrdup("WAITING_FOR_CHECK_FIRST_ALLOCATION");
	co->lines = xcalloc(n_lines, sizeof(*co->lines));
	for (size_t i = 0; i < n_lines; i++)
		co->lines[i] = (struct centra_line){
			.id = (int64_t)i + 1,
			.quantity = 1,
		};
	return co;
}

void stub_ship(struct centra_order *co, int64_t id)
{
	struct centra_shipment *s;

	co->shipments = xrealloc(co->shipments, co->n_shipments + 1,
				 sizeof(*co->shipments));
	s = &co->shipments[co->n_shipments++];
	*s = (struct centra_shipment){.id = id, .n_lines = co->n_lines};
	s->lines = xcalloc(co->n_lines, sizeof(*s->lines));
	for (size_t i = 0; i < co->n_lines; i++)
		s->lines[i] = (struct centra_shipment_line){
			.line = co->lines[i].id,
			.quantity = co->lines[i].quantity,
		};
}

struct centra_request *stub_request(struct centra_requests *ret, int64_t id,
				    int64_t number, int64_t warehouse,
				    const char *status, int64_t expires,
				    int64_t line)
{
	struct centra_request *r =
		xcalloc(1, sizeof(*r) + sizeof(r->lines[0]));

	*r = (struct centra_request){.id = id,
				     .number = number,
				     .warehouse = warehouse,
				     .expires = expires,
				     .created = TIME_NONE,
				     .n_lines = line != 0};
	snprintf(r->status, sizeof(r->status), "%s", status);
	r->lines[0].line = line;
	r->lines[0].quantity = 1;
	ret->list = xrealloc(ret->list, ret->n + 1, sizeof(*ret->list));
	ret->list[ret->n++] = r;
	ret->entries++;
	return r;
}

void stub_allocate(struct centra_line *l, int64_t warehouse, bool waiting)
{
	l->allocations = xrealloc(l->allocations, l->n_allocations + 1,
				  sizeof(*l->allocations));
	l->allocations[l->n_allocations++] = (struct centra_allocation){
		.warehouse = warehouse,
		.quantity = 1,
		.waiting = waiting,
	};
}
