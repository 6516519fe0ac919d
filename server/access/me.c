/* SPDX-License-Identifier: MIT
 *
 * me.c - see me.h.
 */
#include "server/access/me.h"

#include <stdlib.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "base/since.h"
#include "base/time.h"
#include "server/access/access_private.h"
#include "server/config/staff_names.h"

static void staff_json(struct buf *b, const char *list)
{
	const char *name;
	size_t len;

	json_begin_list(b, "staff");
	while (list && (name = staff_next(&list, &len))) {
		char *one = xstrndup(name, len);

		json_put(b, NULL, one);
		free(one);
	}
	json_end_list(b);
}

/* Adds when the shop's day ends: at midnight in its instance's time_zone. */
static void day_json(struct buf *b, const struct zone *zone, int64_t now)
{
	int64_t begins, ends;

	since_day(zone, now, &begins, &ends);
	json_begin(b, "day");
	json_put_time(b, "begins", begins, 0, false);
	json_put_time(b, "ends", ends, 0, false);
	json_end(b);
}

static void shop_json(struct buf *b, const struct config_shop *shop)
{
	json_begin(b, "shop");
	json_put(b, "id", shop->id);
	json_put(b, "name", shop->name);
	json_begin_list(b, "warehouses");
	for (size_t i = 0; i < shop->warehouses.n; i++)
		json_put_int(b, NULL, shop->warehouses.ids[i]);
	json_end_list(b);
	json_end(b);
}

/* Adds the features that only some shops have, each by the name of its module of
 * the page (server/page/extras.js). */
static void features_json(struct buf *b, const struct config_shop *shop,
			  const struct config_instance *in)
{
	json_begin_list(b, "features");
	if (in && (in->pictures_from || in->on_hand))
		json_put(b, NULL, "goods");
	if (in && in->graphql_url && shop->stock_on_reject)
		json_put(b, NULL, "count");
	if (shop->returns)
		json_put(b, NULL, "returns");
	if (shop->order_api_url)
		json_put(b, NULL, "deliveries");
	json_end_list(b);
}

void me_respond(const struct access *a, const struct caller *c, int64_t now,
		struct response *res)
{
	const struct config_shop *shop = c->shop;
	const struct config_instance *in =
		config_instance(c->config, shop->centra);
	struct buf *b = &res->body;

	json_begin(b, NULL);
	shop_json(b, shop);
	json_begin(b, "device");
	json_put_uint(b, "id", c->device.id);
	json_put(b, "name", c->device.name);
	json_end(b);
	json_put(b, "instance", shop->centra);
	staff_json(b, shop->staff);
	json_put(b, "csrf", *c->csrf ? c->csrf : NULL);
	json_put_time(b, "now", time_now(), 0, true);
	day_json(b, in ? in->zone : NULL, now);
	json_put(b, "page", a->parts.page_version);
	json_put(b, "ship_with", config_ships_with(c->config, shop));
	features_json(b, shop, in);
	json_end(b);
	respond_json(res, 200);
}

void staff_me(struct request *req, struct response *res)
{
	me_respond(req->context, caller_of(req), req->now, res);
}
