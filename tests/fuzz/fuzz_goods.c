/* SPDX-License-Identifier: MIT
 *
 * fuzz_goods.c - any bytes as what Centra replies to the calls about goods:
 * products, sizes, counts.  See reply.h.
 */
#include <stdlib.h>
#include <string.h>

#include "centra/products.h"
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

static const struct reply_call calls[] = {
	{"products", products}, {"sizes", sizes},
	{"set-stock", set_stock},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return reply_run(data, size, calls, sizeof(calls) / sizeof(*calls));
}
