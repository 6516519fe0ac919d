/* SPDX-License-Identifier: MIT
 *
 * shipment_json.c - see shipment_json.h.
 */
#include "server/shop/shipment_json.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"

/* ---- what there is to ship ---- */

#define EXACT_MAX 9007199254740992.0 /* 2^53: cJSON's numbers are doubles */

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
	/* The lines were fetched while the shops were asked, and show the stock
	 * elsewhere. */
	return known ? n : 0;
}

/* ---- as JSON ---- */

static void time_json(struct buf *out, int64_t t)
{
	char iso[TIME_ISO_SIZE];

	buf_json(out, t ? time_iso(iso, t, 0, false) : NULL);
}

static void shipment_json(struct buf *out, const struct shipment *s)
{
	const struct ship_ask *a = &s->ask;

	buf_fmt(out, "{\"stage\":\"%s\",\"capture\":\"%s\",\"number\":",
		ship_stage_name(s->came.stage),
		ship_capture_name(s->came.capture));
	buf_json(out, s->came.number[0] ? s->came.number : NULL);
	buf_str(out, ",\"carrier\":");
	buf_json(out, a->carrier);
	buf_str(out, ",\"service\":");
	buf_json(out, a->service);
	buf_str(out, ",\"tracking\":");
	buf_json(out, a->tracking);
	buf_fmt(out, ",\"packages\":%" PRId64 ",\"lines\":[", a->packages);
	for (size_t i = 0; i < a->n_lines; i++)
		buf_fmt(out,
			"%s{\"line_id\":%" PRId64 ",\"quantity\":%" PRId64 "}",
			i ? "," : "", a->lines[i].line, a->lines[i].quantity);
	buf_str(out, "],\"asked_at\":");
	time_json(out, a->at);
	buf_str(out, ",\"by\":");
	buf_json(out, a->by);
	buf_str(out, ",\"shipped_at\":");
	time_json(out, s->came.shipped_at);
	buf_str(out, ",\"error\":");
	buf_json(out, s->came.error);
	buf_char(out, '}');
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

	buf_str(out, ",\"shipment\":");
	if (newest)
		shipment_json(out, newest);
	else
		buf_str(out, "null");
	buf_str(out, ",\"shipments\":[");
	for (size_t i = 0; i < f->n_shipments; i++) {
		if (i)
			buf_char(out, ',');
		shipment_json(out, &f->shipments[i]);
	}
	buf_char(out, ']');
}
