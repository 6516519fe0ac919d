/* SPDX-License-Identifier: MIT
 *
 * fuzz_order_api.c - any bytes as what Centra replies to the Order API's calls
 * about shipments and allocation requests.  See reply.h.
 */
#include <stdlib.h>
#include <string.h>

#include "centra/event.h"
#include "centra/order_api.h"
#include "centra/order_shipments.h"
#include "tests/fuzz/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void shipments(void)
{
	for (int good = 0; good < 2; good++) {
		struct json *list = NULL;
		struct call call;

		order_api_shipments(reply_conn(), 19, good, &call, &list);
		check_call(&call);
		must(list || *call.why.text);
		must(!list || (call.end == CALL_OK &&
			       json_is_list(json_get(list, "shipments"))));
		json_free(list);
	}
}

static void read_on(void)
{
	const struct order_api_filter f = {"ean", "73 00&5?/"};
	struct json *v = NULL;
	struct call call;

	order_api_read(reply_conn(), "/products", &f, 1, &call, &v);
	check_call(&call);
	must(!v || call.end == CALL_OK);
	json_free(v);
}

static void edit(void)
{
	static const struct centra_shipment_line lines[] = {
		{.line = 1, .quantity = 1}, {.line = 2, .quantity = 0}};
	struct centra_done d;

	order_api_edit_shipment(reply_conn(), "19-1", lines, 2, &d);
	check_done(&d);
	order_api_delete_shipment(reply_conn(), "19-1", &d);
	check_done(&d);
}

/* ---- allocation requests ---- */

static void requests(void)
{
	static const int64_t orders[] = {19, 20}, warehouses[] = {3};
	const struct requests_query q = {.orders = orders,
					 .n_orders = 2,
					 .warehouses = warehouses,
					 .n_warehouses = 1,
					 .all = true,
					 .page = 1};
	struct centra_requests r;

	order_api_requests(reply_conn(), &q, &r);
	check_call(&r.call);
	must(r.call.end == CALL_OK || !r.n);
	must(r.n <= r.entries);
	for (size_t i = 0; i < r.n; i++) {
		const struct centra_request *one = r.list[i];

		must(one->number > 0 && one->warehouse > 0 && one->id >= 0);
		check_text(one->status, sizeof(one->status) - 1);
		for (size_t k = 0; k < one->n_lines; k++)
			must(one->lines[k].line > 0 &&
			     one->lines[k].quantity >= 0);
	}
	centra_requests_release(&r);
}

/* Ours only when Centra said so with all its words. */
static void confirm(void)
{
	struct request_reply r;

	order_api_request(reply_conn(), 67, true, &r);
	check_call(&r.call);
	must(!r.ok || (r.call.end == CALL_OK && reply_next.status == 200 &&
		       memmem(reply_next.body, reply_next.len, "true", 4)));
	must(!r.ok || !r.our_fault);
	check_text(r.msg, SIZE_MAX);
	request_reply_release(&r);
}

static const struct reply_call calls[] = {
	{"shipments", shipments}, {"read", read_on}, {"edit", edit},
	{"requests", requests},	  {"confirm", confirm},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return reply_run(data, size, calls, sizeof(calls) / sizeof(*calls));
}
