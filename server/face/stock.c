/* SPDX-License-Identifier: MIT
 *
 * stock.c - POST /stock of the shop's own Order API: absolute counts of the
 * shop's shelf (CONTRACT 5.8), kept as those of PUT /api/v1/stock are
 * (server/shop/stocktake.h), and sent to Centra by the task `set_stock`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "server/access/json_body.h"
#include "server/face/face_private.h"
#include "server/pending/pending.h"
#include "server/shop/stocktake.h"

struct post {
	struct pending pending; /* must be first */
	struct shop *room;
	struct config *config; /* held */
	const struct config_shop *shop;
	struct json *body; /* owned: the codes of the counts are in it */
	struct stocktake take;
	uint64_t device;
};

static void post_free(struct pending *pending)
{
	struct post *p = (struct post *)pending;

	config_drop(p->config);
	stocktake_release(&p->take);
	json_free(p->body);
	free(p);
}

static void post_written(struct pending *pending)
{
	struct post *p = (struct post *)pending;

	if (pending->rc)
		return;
	COUNT_BY(p->room->counters, stock_counts_total,
		 stocktake_taken(&p->take, STOCK_TAKEN));
	log_line(LOG_INFO, LOG_MSG("stock counted by a shop's system"),
		 LOG_S("instance", p->take.instance),
		 LOG_S("shop", p->shop->id),
		 LOG_N("items", (int64_t)p->take.n),
		 LOG_N("device", (int64_t)p->device));
}

/* ---- reading the body ---- False: it has responded. */

static bool no(struct post *p, struct response *res, const char *msg)
{
	face_no(res, msg, 0, NULL);
	face_count(p->pending.req, FACE_NO);
	return false;
}

/* True for what is printed as a bar code; all else is a SKU. */
static bool is_ean(const char *code)
{
	size_t n = strlen(code);

	return (n == 8 || (n >= 12 && n <= 14)) &&
	       strspn(code, "0123456789") == n;
}

static bool read_products(struct post *p, struct response *res)
{
	const struct json *list = json_get(p->body, "products"), *v;
	size_t n = json_is_list(list) ? json_length(list) : 0, i = 0, a, b;

	if (!n || n > STOCKTAKE_MAX)
		return no(p, res, "products is a list of 1 to 1000 counts");
	stocktake_init(&p->take, n);
	json_each(v, list)
	{
		struct stock_count *c = &p->take.list[i++];

		c->code = json_text(json_get(v, "product"));
		if (!c->code || !stock_code_ok(c->code) ||
		    !json_int(json_get(v, "quantity"), &c->quantity) ||
		    c->quantity < 0 || c->quantity > STOCK_QUANTITY_MAX)
			return no(p, res, "products have a product, a text, "
					  "and a quantity of 0 or more");
		c->by_sku = !is_ean(c->code);
		c->counted_at = p->take.now;
	}
	if (stocktake_repeats(&p->take, &a, &b))
		return no(p, res, "products name a product twice");
	if ((int64_t)stocktake_zeros(&p->take) > p->shop->stock_most_to_zero)
		return no(p, res, "too many products would be set to 0: see "
				  "stock_most_to_zero");
	return true;
}

/* ---- answering ---- */

/* Called when the counts are on disk, or write_wait has passed.  An
 * endpoint_fn. */
static void post_stored(struct request *req, struct response *res)
{
	const struct post *p = req->state;

	if (!p->pending.ended || p->pending.rc) {
		face_later(res, "nothing can be kept right now; try again");
		face_count(req, FACE_LATER);
		return;
	}
	json_begin(&res->body, NULL);
	json_put(&res->body, "status", "ok");
	json_end(&res->body);
	respond_json(res, 200);
	face_count(req, FACE_OK);
}

static struct post *post_new(struct request *req)
{
	const struct caller *c = caller_of(req);
	struct post *p = xcalloc(1, sizeof(*p));

	p->room = shop_of(req);
	p->config = config_hold(c->config);
	p->shop = c->shop;
	p->device = c->device.id;
	(void)!copy_text(p->take.instance, sizeof(p->take.instance),
			 c->shop->centra);
	snprintf(p->take.by, sizeof(p->take.by), "%s", c->device.name);
	p->take.warehouse = c->shop->warehouses.ids[0];
	p->take.now = req->now;
	p->take.clock_sure = clock_confirmed(p->room->clock);
	pending_init(&p->pending, *p->room->http, post_written, post_free);
	pending_tie(&p->pending, req);
	return p;
}

void face_set_stock(struct request *req, struct response *res)
{
	struct post *p = post_new(req);
	struct err e = {""};
	enum rc rc;

	p->body = json_body(req);
	if (!p->body) {
		(void)no(p, res, "the body is not a JSON object");
		return;
	}
	if (!read_products(p, res))
		return;
	p->take.quiet = p->shop->stock_quiet_hours &&
			*p->shop->stock_quiet_hours && p->take.n > STOCK_BIG;
	request_later(req, post_stored,
		      time_mono() + p->config->server.write_wait);
	pending_begin(&p->pending);
	rc = stocktake_store(p->room->store, &p->take, &p->pending.done, &e);
	if (rc) {
		pending_refused(&p->pending, rc, &e);
		face_later(res, "nothing can be kept right now; try again");
		face_count(req, FACE_LATER);
	}
}
