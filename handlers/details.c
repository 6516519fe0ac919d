/* SPDX-License-Identifier: MIT
 *
 * details.c - see details.h.
 */
#include "handlers/details.h"

#include <inttypes.h>

#include "base/buf.h"
#include "store/model/order.h"

/* Adds "name":value and, unless it is the last, a comma. */
static void add_text(struct buf *b, const char *name, const char *value)
{
	buf_json(b, name);
	buf_char(b, ':');
	buf_json(b, value);
	buf_char(b, ',');
}

static void add_line(struct buf *b, const struct centra_line *l)
{
	buf_fmt(b, "{\"line_id\":%" PRId64 ",", l->id);
	add_text(b, "product", l->product);
	add_text(b, "variant", l->variant);
	add_text(b, "size", l->size);
	add_text(b, "sku", l->sku);
	add_text(b, "ean", l->ean);
	add_text(b, "upc", l->upc);
	if (l->stockless)
		buf_str(b, "\"stockless\":true,");
	buf_fmt(b, "\"quantity\":%" PRId64 ",\"allocations\":[", l->quantity);
	for (size_t i = 0; i < l->n_allocations; i++) {
		const struct centra_allocation *a = &l->allocations[i];

		buf_fmt(b,
			"%s{\"warehouse\":%" PRId64 ",\"quantity\":%" PRId64
			",\"waiting\":%s}",
			i ? "," : "", a->warehouse, a->quantity,
			a->waiting ? "true" : "false");
	}
	buf_str(b, "]}");
}

static void add_order(struct buf *b, const struct centra_order *co,
		      size_t n_lines)
{
	buf_char(b, '{');
	add_text(b, "placed_at", co->placed_at);
	add_text(b, "city", co->city);
	add_text(b, "country", co->country);
	buf_str(b, "\"lines\":[");
	for (size_t i = 0; i < n_lines; i++) {
		if (i)
			buf_char(b, ',');
		add_line(b, &co->lines[i]);
	}
	buf_str(b, "]}");
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
		buf_str(&b, "{\"lines\":[]}");
	}
	ret = buf_detach(&b, NULL);
	return ret;
}
