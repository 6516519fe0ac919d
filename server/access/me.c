/* SPDX-License-Identifier: MIT
 *
 * me.c - see me.h.
 */
#include "server/access/me.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/since.h"
#include "base/time.h"
#include "server/access/access_private.h"
#include "server/config/staff_names.h"

static void staff_json(struct buf *b, const char *list)
{
	const char *name, *comma = "";
	size_t len;

	buf_char(b, '[');
	while (list && (name = staff_next(&list, &len))) {
		char *one = xstrndup(name, len);

		buf_str(b, comma);
		buf_json(b, one);
		free(one);
		comma = ",";
	}
	buf_char(b, ']');
}

/* "Today" of the shop ends at the midnight of its instance's time_zone. */
static void day_json(struct buf *b, const struct zone *zone, int64_t now)
{
	char iso[TIME_ISO_SIZE];
	int64_t begins, ends;

	since_day(zone, now, &begins, &ends);
	buf_str(b, ",\"day\":{\"begins\":");
	buf_json(b, time_iso(iso, begins, 0, false));
	buf_str(b, ",\"ends\":");
	buf_json(b, time_iso(iso, ends, 0, false));
	buf_char(b, '}');
}

void me_respond(const struct access *a, const struct caller *c, int64_t now,
		struct response *res)
{
	const struct config_shop *shop = c->shop;
	const struct config_instance *in =
		config_instance(c->config, shop->centra);
	struct buf *b = &res->body;
	char iso[TIME_ISO_SIZE];

	buf_str(b, "{\"shop\":{\"id\":");
	buf_json(b, shop->id);
	buf_str(b, ",\"name\":");
	buf_json(b, shop->name);
	buf_str(b, ",\"warehouses\":[");
	for (size_t i = 0; i < shop->warehouses.n; i++)
		buf_fmt(b, "%s%" PRId64, i ? "," : "",
			shop->warehouses.ids[i]);
	buf_fmt(b, "]},\"device\":{\"id\":%" PRIu64 ",\"name\":",
		c->device.id);
	buf_json(b, c->device.name);
	buf_str(b, "},\"instance\":");
	buf_json(b, shop->centra);
	buf_str(b, ",\"staff\":");
	staff_json(b, shop->staff);
	buf_str(b, ",\"csrf\":");
	buf_json(b, *c->csrf ? c->csrf : NULL);
	buf_str(b, ",\"now\":");
	buf_json(b, time_iso(iso, time_now(), 0, true));
	day_json(b, in ? in->zone : NULL, now);
	buf_str(b, ",\"page\":");
	buf_json(b, a->parts.page_version);
	buf_str(b, ",\"ship_with\":");
	buf_json(b, in ? in->ship_with : NULL);
	buf_char(b, '}');
	respond_json(res, 200);
}

void staff_me(struct request *req, struct response *res)
{
	me_respond(req->context, caller_of(req), req->now, res);
}
