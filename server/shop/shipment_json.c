/* SPDX-License-Identifier: MIT
 *
 * shipment_json.c - see shipment_json.h.
 */
#include "server/shop/shipment_json.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/mem.h"

/* ---- what there is to ship ---- */

struct json *stored_read(const char *json)
{
	struct json *ret = NULL;
	struct err e;

	if (json)
		(void)!json_parse(json, strlen(json), JSON_STRICT, &ret, &e);
	return ret;
}

static int64_t number(const struct json *of, const char *name)
{
	int64_t n = 0;

	(void)json_whole(json_get(of, name), 1, JSON_WHOLE_MAX, &n);
	return n;
}

static struct ship_stock stock_of(const struct json *line, int64_t warehouse)
{
	struct ship_stock ret = {
		.line = number(line, "line_id"),
		.quantity = number(line, "quantity"),
		.stockless = json_is_true(json_get(line, "stockless")),
	};
	const struct json *a;

	json_each(a, json_get(line, "allocations"))
	{
		int64_t n = number(a, "quantity");

		ret.allocated += n;
		if (number(a, "warehouse") != warehouse)
			ret.others += n;
		else if (!json_is_true(json_get(a, "waiting")))
			ret.ours += n;
	}
	return ret;
}

size_t stock_read(const struct json *details, const struct offer *f,
		  struct ship_stock **ret)
{
	const struct json *lines = json_get(details, "lines"), *l;
	bool known = f->n_shipments > 0;
	size_t n = 0;

	*ret = xcalloc(json_length(lines) + 1, sizeof(**ret));
	json_each(l, lines)
	{
		struct ship_stock stock = stock_of(l, f->warehouse);

		if (!stock.line)
			continue;
		known |= stock.ours > 0;
		(*ret)[n++] = stock;
	}
	/* Lines fetched before the accept show stock of other warehouses: not
	 * known. */
	return known ? n : 0;
}

/* ---- as JSON ---- */

static void time_json(struct buf *out, const char *name, int64_t t)
{
	json_put_time(out, name, t ? t : TIME_NONE, 0, false);
}

static void ask_lines_json(struct buf *out, const struct ship_ask *a)
{
	json_begin_list(out, "lines");
	for (size_t i = 0; i < a->n_lines; i++) {
		json_begin(out, NULL);
		json_put_int(out, "line_id", a->lines[i].line);
		json_put_int(out, "quantity", a->lines[i].quantity);
		json_end(out);
	}
	json_end_list(out);
}

static void shipment_json(struct buf *out, const char *name,
			  const struct shipment *s)
{
	const struct ship_ask *a = &s->ask;

	json_begin(out, name);
	json_put(out, "stage", ship_stage_name(s->came.stage));
	json_put(out, "capture", ship_capture_name(s->came.capture));
	json_put(out, "number", s->came.number[0] ? s->came.number : NULL);
	json_put(out, "carrier", a->carrier);
	json_put(out, "service", a->service);
	json_put(out, "tracking", a->tracking);
	json_put_int(out, "packages", a->packages);
	ask_lines_json(out, a);
	time_json(out, "asked_at", a->at);
	json_put(out, "by", a->by);
	time_json(out, "shipped_at", s->came.shipped_at);
	json_put(out, "error", s->came.error);
	json_end(out);
}

int64_t unclear_pieces(const struct json *details, const struct offer *f)
{
	struct ship_stock *stock;
	size_t n = stock_read(details, f, &stock);
	int64_t ret = 0;

	for (size_t i = 0; i < n && f->state == STATE_ACCEPTED; i++)
		ret += ship_unclear(f, &stock[i]);
	free(stock);
	return ret;
}

void shipments_json(struct buf *out, const struct offer *f)
{
	const struct shipment *newest = offer_shipment(f);

	if (newest)
		shipment_json(out, "shipment", newest);
	else
		json_put_null(out, "shipment");
	json_begin_list(out, "shipments");
	for (size_t i = 0; i < f->n_shipments; i++)
		shipment_json(out, NULL, &f->shipments[i]);
	json_end_list(out);
}
