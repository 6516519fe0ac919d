/* SPDX-License-Identifier: MIT
 *
 * stub_centra.c - see stub_centra.h.
 *
 * The product's objects are linked into every unit test, so the handlers under
 * test take other names here, and so do the calls they make.
 */
#define handle_answer_offer	  stubbed_answer_offer
#define handle_fetch_order	  stubbed_fetch_order
#define look			  stubbed_look
#define look_judge		  stubbed_look_judge
#define look_record		  stubbed_look_record
#define look_record_absent	  stubbed_look_record_absent
#define look_wants_address	  stubbed_look_wants_address
#define look_spoiled		  stubbed_look_spoiled
#define order_api_check_first	  stub_check_first
#define check_first_reply_release stub_reply_release
#define graphql_orders		  stub_orders
#define centra_orders_release	  stub_orders_release
#define centra_conn_lane stub_conn_lane
#define centra_take		  stub_take
#define centra_give_back	  stub_give_back

#include "handlers/answer.c"
#include "handlers/fetch_order.c"
#include "handlers/look.c"

#include <stdlib.h>

#include "tests/unit/stub_centra.h"

struct stub_centra stub_centra;

static char place;
struct centra_conn *const stub_conn = (struct centra_conn *)(void *)&place;

void stub_check_first(struct centra_conn *n, int64_t number,
		      int64_t warehouse, bool accept,
		      struct check_first_reply *ret)
{
	(void)n;
	*ret = (struct check_first_reply){0};
	stub_centra.taken--;
	stub_centra.post(number, warehouse, accept, ret);
}

void stub_conn_lane(struct centra_conn *n, enum centra_lane lane)
{
	(void)n;
	stub_centra.lane = lane;
}

bool stub_take(struct centra_conn *n, enum centra_api api, struct call *ret)
{
	(void)n;
	if (stub_centra.take ? stub_centra.take(api, ret) : !stub_centra.hold) {
		stub_centra.taken++;
		return true;
	}
	if (stub_centra.take)
		return false;
	*ret = (struct call){.end = CALL_NOT_DONE,
			     .held = true,
			     .retry_after = stub_centra.hold};
	return false;
}

void stub_give_back(struct centra_conn *n, enum centra_api api)
{
	(void)n;
	stub_centra.taken--;
	if (stub_centra.give_back)
		stub_centra.give_back(api);
}

void stub_reply_release(struct check_first_reply *r)
{
	free(r->msg);
	r->msg = NULL;
}

void stub_orders(struct centra_conn *n, const int64_t *numbers,
		 size_t n_numbers, bool with_address,
		 struct centra_orders *ret)
{
	(void)n;
	*ret = (struct centra_orders){0};
	stub_centra.orders(numbers, n_numbers, with_address, ret);
}

void stub_orders_release(struct centra_orders *o)
{
	for (size_t i = 0; i < o->n; i++) {
		struct centra_order *co = &o->list[i];

		for (size_t k = 0; k < co->n_lines; k++)
			free(co->lines[k].allocations);
		for (size_t k = 0; k < co->n_shipments; k++)
			free(co->shipments[k].lines);
		free(co->shipments);
		free(co->lines);
		free(co->status);
		free(co->hold_reason);
		free(co->address);
	}
	free(o->list);
	*o = (struct centra_orders){0};
}

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
