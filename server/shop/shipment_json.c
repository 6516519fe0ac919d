/* SPDX-License-Identifier: MIT
 *
 * shipment_json.c - see shipment_json.h.
 */
#include "server/shop/shipment_json.h"

#include <stdlib.h>

#include "base/json_write.h"
#include "base/mem.h"

/* ---- what there is to ship ---- */

#define EXACT_MAX 9007199254740992.0 /* 2^53: cJSON keeps numbers as doubles,
				      * which are exact only up to this */

static int64_t number(const cJSON *of, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(of, name);
	double n = cJSON_IsNumber(item) ? cJSON_GetNumberValue(item) : 0;

	return n > 0 && n < EXACT_MAX ? (int64_t)n : 0;
}

static struct ship_stock stock_of(const cJSON *line, int64_t warehouse)
{
	struct ship_stock ret = {
		.line = number(line, "line_id"),
		.quantity = number(line, "quantity"),
		.stockless = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(
			line, "stockless")),
	};
	const cJSON *a;

	cJSON_ArrayForEach(
		a, cJSON_GetObjectItemCaseSensitive(line, "allocations"))
	{
		int64_t n = number(a, "quantity");

		ret.allocated += n;
		if (number(a, "warehouse") != warehouse)
			ret.others += n;
		else if (!cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(
				 a, "waiting")))
			ret.ours += n;
	}
	return ret;
}

size_t stock_read(const cJSON *details, const struct offer *f,
		  struct ship_stock **ret)
{
	const cJSON *lines = cJSON_GetObjectItemCaseSensitive(details,
							      "lines");
	bool known = f->n_shipments > 0;
	size_t n = 0;
	const cJSON *l;

	*ret = xcalloc((size_t)cJSON_GetArraySize(lines) + 1, sizeof(**ret));
	cJSON_ArrayForEach(l, lines)
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

int64_t unclear_pieces(const cJSON *details, const struct offer *f)
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
