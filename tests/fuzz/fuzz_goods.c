/* SPDX-License-Identifier: MIT
 *
 * fuzz_goods.c - any bytes as what Centra replies to the calls about goods:
 * products, sizes, counts, returns, deliveries.  See reply.h.
 */
#include <stdlib.h>
#include <string.h>

#include "centra/deliveries.h"
#include "centra/products.h"
#include "centra/returns.h"
#include "centra/stock.h"
#include "tests/fuzz/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- products ---- */

static void products(void)
{
	for (int by_sku = 0; by_sku < 2; by_sku++) {
		struct centra_products p;

		order_api_products(reply_conn(), by_sku, "7300500000015", &p);
		check_call(&p.call);
		must(p.call.end == CALL_OK || !p.n);
		must(p.n <= PRODUCTS_MAX);
		for (size_t i = 0; i < p.n; i++) {
			check_text(p.list[i].name, SIZE_MAX);
			check_text(p.list[i].sku, SIZE_MAX);
			check_text(p.list[i].ean, SIZE_MAX);
			check_text(p.list[i].picture, SIZE_MAX);
		}
		centra_products_release(&p);
	}
}

static void sizes(void)
{
	static const struct centra_wanted wanted[] = {
		{CODE_EAN, "7300500000015"}, {CODE_SKU, "ABC-RED-S"}};
	struct centra_sizes s;

	graphql_sizes(reply_conn(), wanted, 2, 3, &s);
	check_call(&s.call);
	must(s.call.end == CALL_OK || !s.n);
	for (size_t i = 0; i < s.n; i++) {
		must(s.list[i].wanted < 2);
		check_text(s.list[i].sku, SIZE_MAX);
		check_text(s.list[i].ean, SIZE_MAX);
	}
	centra_sizes_release(&s);
}

/* ---- counts ---- */

static void set_stock(void)
{
	static const struct centra_count counts[] = {
		{.ean = "7300500000015", .quantity = 4},
		{.sku = "ABC-RED-S", .quantity = 0}};
	struct centra_stock_set s;

	graphql_set_stock(reply_conn(), 3, "a count", counts, 2, &s);
	/* A size that is refused is so in Centra's words, in an answer that
	 * came. */
	for (size_t i = 0; i < STOCK_SET_MAX; i++) {
		must(!s.refused[i] || (i < 2 && s.done.error));
		check_text(s.refused[i], SIZE_MAX);
	}
	must(s.done.call.end == CALL_OK || *s.done.call.why.text);
	centra_stock_set_release(&s);
}

/* ---- returns ---- */

static void sold(void)
{
	struct centra_sold s;

	graphql_sold(reply_conn(), 19, &s);
	check_call(&s.call);
	must(s.call.end == CALL_OK || (!s.found && !s.n_lines &&
				       !s.n_shipments));
	for (size_t i = 0; i < s.n_lines; i++) {
		must(s.lines[i].id > 0 && s.lines[i].quantity >= 0 &&
		     s.lines[i].returned >= 0);
		must(centra_shipped_units(&s, s.lines[i].id) >= 0);
		must(centra_bought_of(&s, s.lines[i].id) != NULL);
	}
	for (size_t i = 0; i < s.n_shipments; i++)
		for (size_t k = 0; k < s.shipments[i].n_lines; k++)
			must(s.shipments[i].lines[k].quantity >= 0);
	centra_sold_release(&s);
}

static void returned(void)
{
	struct centra_sold s = {0};
	struct call call;
	bool unticked;

	order_api_returned(reply_conn(), 19, &s, &call, &unticked);
	must(!s.listed || (call.end == CALL_OK && !unticked));
	must(s.listed || !s.n_given);
	for (size_t i = 0; i < s.n_given; i++) {
		must(s.given[i].id > 0 && s.given[i].shipment >= 0);
		for (size_t k = 0; k < s.given[i].n_lines; k++)
			must(s.given[i].lines[k].quantity >= 0);
	}
	centra_sold_release(&s);
}

static void create_return(void)
{
	static const struct centra_sent_line lines[] = {{.id = 1,
							 .quantity = 1}};
	const struct centra_return r = {.shipment = 7,
					.lines = lines,
					.n_lines = 1,
					.warehouse = 3,
					.comment = "too \"small\""};
	struct centra_done d;
	int64_t id = -1;

	graphql_create_return(reply_conn(), &r, &id, &d);
	must(id >= 0);
	must(!id || (d.call.end == CALL_OK && !d.error));
	check_done(&d);
}

/* ---- deliveries ---- */

static void check_deliveries(struct centra_deliveries *d)
{
	check_call(&d->call);
	must(d->call.end == CALL_OK || !d->n);
	check_text(d->msg, SIZE_MAX);
	for (size_t i = 0; i < d->n; i++) {
		must(d->list[i].id > 0 && d->list[i].number);
		check_text(d->list[i].number, SIZE_MAX);
		check_text(d->list[i].supplier, SIZE_MAX);
		for (size_t k = 0; k < d->list[i].n_items; k++)
			must(d->list[i].items[k].quantity >= 0);
	}
	centra_deliveries_release(d);
}

static void deliveries(void)
{
	struct centra_deliveries d;

	order_api_deliveries(reply_conn(), &d);
	check_deliveries(&d);
	order_api_delivery(reply_conn(), 364, &d);
	must(d.n <= 1);
	check_deliveries(&d);
}

static void receive(void)
{
	static const struct centra_received_item items[] = {
		{"898989891212", 100}};
	struct centra_received r;

	order_api_receive(reply_conn(), 364, items, 1, &r);
	check_call(&r.call);
	must(r.call.end == CALL_OK || !r.ok);
	must(r.rest >= 0 && (r.ok || !r.rest));
	check_text(r.msg, SIZE_MAX);
	check_text(r.rest_number, SIZE_MAX);
	centra_received_release(&r);
}

static const struct reply_call calls[] = {
	{"products", products}, {"sizes", sizes},
	{"set-stock", set_stock}, {"sold", sold},
	{"returned", returned},	{"create-return", create_return},
	{"deliveries", deliveries},
	{"receive", receive},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return reply_run(data, size, calls, sizeof(calls) / sizeof(*calls));
}
