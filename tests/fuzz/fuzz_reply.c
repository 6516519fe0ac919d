/* SPDX-License-Identifier: MIT
 *
 * fuzz_reply.c - any bytes as what Centra replies to each of our calls.
 *
 * The first line says to which, and with what status: "orders 200".  The rest
 * is the reply's body.  A reply is believed whole or not at all: what is handed
 * out keeps the promises of order_api.h and graphql.h, and with CALL_UNKNOWN
 * nothing is.
 */
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "centra/graphql.h"
#include "centra/order_api.h"
#include "centra/transport.h"
#include "tests/fuzz/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- the calls ---- */

static void check_first(void)
{
	struct check_first_reply r;

	order_api_check_first(reply_conn(), 19, 3, true, &r);
	if (r.call.end == CALL_OK) {
		must(reply_next.status == 200 && (!r.ok || !r.our_fault));
		must(!r.no_order || (!r.ok && r.msg && !r.our_fault));
		must(!r.ok || memmem(reply_next.body, reply_next.len, "ok", 2) ||
		     memmem(reply_next.body, reply_next.len, "\\u", 2));
	} else {
		must(!r.ok && *r.call.why.text);
	}
	check_text(r.msg, 1000);
	check_first_reply_release(&r);
}

/* What is handed out of a list has an id, an order and a warehouse. */
static void requests(void)
{
	struct centra_requests r;

	order_api_requests(reply_conn(), &(struct requests_query){.page = 1},
			   &r);
	must(r.call.end == CALL_OK || (!r.n && *r.call.why.text));
	must(r.n <= r.entries);
	for (size_t i = 0; i < r.n; i++) {
		const struct centra_request *one = r.list[i];

		must(one->id > 0 && one->number > 0 && one->warehouse > 0 &&
		     one->n_lines <= CENTRA_REQUEST_LINES_MAX);
		for (size_t k = 0; k < one->n_lines; k++)
			must(one->lines[k].line > 0 &&
			     one->lines[k].quantity >= 0);
	}
	centra_requests_release(&r);
}

static void request(void)
{
	struct request_reply r;

	order_api_request(reply_conn(), 67, true, &r);
	must(r.call.end == CALL_OK || (!r.ok && *r.call.why.text));
	must(!r.ok || memmem(reply_next.body, reply_next.len, "true", 4));
	check_text(r.msg, 1000);
	request_reply_release(&r);
}

static void check_orders(struct centra_orders *r, bool with_address)
{
	must(r->call.end == CALL_OK || (!r->n && *r->call.why.text));
	for (size_t i = 0; i < r->n; i++) {
		const struct centra_order *o = &r->list[i];

		must(o->number == 19 || o->number == 20);
		must(o->status);
		must(!o->address ==
		     (!with_address || (o->missing & MISSING_ADDRESS)));
		for (size_t l = 0; l < o->n_lines; l++) {
			const struct centra_line *line = &o->lines[l];

			must(line->id > 0 && line->quantity >= 0);
			must(!line->stockless || !line->n_allocations);
			check_text(line->product, SIZE_MAX);
			for (size_t a = 0; a < line->n_allocations; a++)
				must(line->allocations[a].warehouse > 0 &&
				     line->allocations[a].quantity >= 0);
		}
	}
	centra_orders_release(r);
}

static void orders(void)
{
	static const int64_t numbers[] = {19, 20};
	struct centra_orders r;

	graphql_orders(reply_conn(), numbers, 2, false, &r);
	check_orders(&r, false);
	graphql_orders(reply_conn(), numbers, 2, true, &r);
	check_orders(&r, true);
}

static void shipments(void)
{
	struct centra_orders r;

	graphql_order_shipments(reply_conn(), 19, true, true, &r);
	must(r.call.end == CALL_OK || (!r.n && *r.call.why.text));
	centra_orders_release(&r);
}

static void waiting(void)
{
	struct centra_numbers r;

	graphql_waiting(reply_conn(), 200, 1, &r);
	must(r.call.end == CALL_OK || !r.n);
	for (size_t i = 0; i < r.n; i++)
		must(r.list[i] > 0);
	centra_numbers_release(&r);
}

static void warehouses(void)
{
	struct centra_warehouses r;

	graphql_warehouses(reply_conn(), &r);
	must(r.call.end == CALL_OK || !r.n);
	for (size_t i = 0; i < r.n; i++)
		must(r.list[i].id > 0);
	centra_warehouses_release(&r);
}

static void confirm(void)
{
	struct centra_done d;

	graphql_confirm_order(reply_conn(), 19, &d);
	check_done(&d);
}

static void create(void)
{
	static const struct centra_shipment_line lines[] = {
		{.line = 1, .quantity = 1}, {.line = 2, .quantity = 3}};
	struct centra_done d;

	graphql_create_shipment(reply_conn(), 19, lines, 2, &d);
	check_done(&d);
}

static void capture(void)
{
	struct centra_done d;

	graphql_capture_shipment(reply_conn(), 7, &d);
	check_done(&d);
}

static void complete(void)
{
	static const struct centra_parcel parcel = {
		.carrier = "post", .tracking = "1\"2", .packages = 1};
	struct centra_done d;

	graphql_complete_shipment(reply_conn(), 7, &parcel, &d);
	check_done(&d);
}

static void retry_after(void)
{
	char *value = strndup(reply_next.body, reply_next.len);
	int64_t ms = centra_retry_after(value, INT64_C(1700000000000));

	must(ms >= 1000 && ms <= 3600000);
	free(value);
}

static const struct reply_call calls[] = {
	{"check-first", check_first}, {"orders", orders},
	{"requests", requests},	      {"request", request},
	{"shipments", shipments},     {"waiting", waiting},
	{"warehouses", warehouses},   {"confirm", confirm},
	{"create", create},	      {"capture", capture},
	{"complete", complete},	      {"retry-after", retry_after},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return reply_run(data, size, calls, sizeof(calls) / sizeof(*calls));
}
