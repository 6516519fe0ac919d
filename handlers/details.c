/* SPDX-License-Identifier: MIT
 *
 * details.c - see details.h.
 */
#include "handlers/details.h"

#include "base/buf.h"
#include "base/json_write.h"
#include "store/model/order.h"

static void add_allocations(struct buf *b, const struct centra_line *l)
{
	json_begin_list(b, "allocations");
	for (size_t i = 0; i < l->n_allocations; i++) {
		const struct centra_allocation *a = &l->allocations[i];

		json_begin(b, NULL);
		json_put_int(b, "warehouse", a->warehouse);
		json_put_int(b, "quantity", a->quantity);
		json_put_bool(b, "waiting", a->waiting);
		json_end(b);
	}
	json_end_list(b);
}

static void add_line(struct buf *b, const struct centra_line *l)
{
	json_begin(b, NULL);
	json_put_int(b, "line_id", l->id);
	json_put(b, "product", l->product);
	json_put(b, "variant", l->variant);
	json_put(b, "size", l->size);
	json_put(b, "sku", l->sku);
	json_put(b, "ean", l->ean);
	json_put(b, "upc", l->upc);
	if (l->stockless)
		json_put_bool(b, "stockless", true);
	json_put_int(b, "quantity", l->quantity);
	add_allocations(b, l);
	json_end(b);
}

static void add_order(struct buf *b, const struct centra_order *co,
		      size_t n_lines)
{
	json_begin(b, NULL);
	json_put(b, "placed_at", co->placed_at);
	json_put(b, "city", co->city);
	json_put(b, "country", co->country);
	json_begin_list(b, "lines");
	for (size_t i = 0; i < n_lines; i++)
		add_line(b, &co->lines[i]);
	json_end_list(b);
	json_end(b);
}

char *details_json(const struct centra_order *co)
{
	struct buf b;
	char *ret;

	buf_init(&b, ORDER_JSON_MAX);
	add_order(&b, co, co->n_lines);
	if (buf_full(&b)) {
		buf_clear(&b);
		add_order(&b, co, 0);
	}
	if (buf_full(&b)) {
		buf_clear(&b);
		json_begin(&b, NULL);
		json_begin_list(&b, "lines");
		json_end_list(&b);
		json_end(&b);
	}
	ret = buf_detach(&b, NULL);
	return ret;
}
