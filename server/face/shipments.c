/* SPDX-License-Identifier: MIT
 *
 * shipments.c - GET /shipments of the shop's own Order API.
 */
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/time.h"
#include "handlers/offer.h"
#include "server/face/face_private.h"

#define LIMIT_DEFAULT 100
#define LIMIT_MAX     1000
#define DATE_MAX      19   /* characters of "2026-02-04 15:16:13" */

enum which { GOOD_TO_GO, IN_PROGRESS, COMPLETED };

struct listing {
	const struct request *req;
	struct response *res;
	const struct config_shop *shop;
	const struct zone *zone;
	struct store *store;
	enum which which;
	int64_t order; /* 0: all orders */
	const char *newer, *older; /* dates, or NULL */
	int64_t limit, offset;

	int64_t found, written;
	struct err e;
};

/* ---- reading the query ---- False: it has responded "no". */

static bool read_count(struct listing *l, const char *name, int64_t least,
		       int64_t most, const char *rule, int64_t *ret)
{
	const char *text = request_query(l->req, name);

	if (!text || number_read(text, least, most, ret))
		return true;
	face_no(l->res, rule, 0, NULL);
	return false;
}

static bool read_status(struct listing *l)
{
	const char *s = request_query(l->req, "status");

	if (!s || !strcmp(s, "goodtogo"))
		l->which = GOOD_TO_GO;
	else if (!strcmp(s, "inprogress"))
		l->which = IN_PROGRESS;
	else if (!strcmp(s, "completed"))
		l->which = COMPLETED;
	else
		face_no(l->res, "status is goodtogo, inprogress or completed",
			0, NULL);
	return !l->res->status;
}

static bool read_date(struct listing *l, const char *name, const char **ret)
{
	const char *s = request_query(l->req, name);

	*ret = s;
	if (!s || (strlen(s) <= DATE_MAX && strlen(s) >= 10 &&
		   strspn(s, "0123456789-: ") == strlen(s)))
		return true;
	face_no(l->res, "newer_than and older_than are YYYY-mm-dd or "
			"YYYY-mm-dd HH:MM:SS",
		0, NULL);
	return false;
}

static bool read_query(struct listing *l)
{
	l->limit = LIMIT_DEFAULT;
	return read_status(l) &&
	       read_count(l, "limit", 1, LIMIT_MAX, "limit is 1 to 1000",
			  &l->limit) &&
	       read_count(l, "offset", 0, INT32_MAX, "offset is a number",
			  &l->offset) &&
	       read_count(l, "order", 1, INT64_MAX, "order is a number",
			  &l->order) &&
	       read_date(l, "newer_than", &l->newer) &&
	       read_date(l, "older_than", &l->older);
}

/* ---- the shipments ---- */

static bool is_listed(const struct listing *l, const struct face_row *row)
{
	const struct shipment *s = row->s;
	bool ret;
	char *date;

	if (l->which == COMPLETED)
		ret = s->came.stage == SHIP_SHIPPED && s->came.number[0];
	else
		ret = ship_system_waits(row->o, row->f, s) &&
		      (l->which == IN_PROGRESS || !row->o->on_hold);
	if (!ret || (!l->newer && !l->older))
		return ret;
	date = face_order_date(row);
	/* Dates of one form are compared as texts; without a time, a day. */
	ret = *date && (!l->newer || strncmp(date, l->newer,
					     strlen(l->newer)) > 0) &&
	      (!l->older || strncmp(date, l->older, strlen(l->older)) < 0);
	free(date);
	return ret;
}

static void list_shipment(struct listing *l, const struct face_row *row)
{
	if (!is_listed(l, row) || l->found++ < l->offset ||
	    l->written == l->limit)
		return;
	face_shipment_json(&l->res->body, NULL, row);
	l->written++;
}

static void list_offer(struct listing *l, struct face_row *row, int64_t w)
{
	row->f = order_offer(row->o, w);
	for (size_t i = 0; row->f && i < row->f->n_shipments; i++) {
		row->s = &row->f->shipments[i];
		list_shipment(l, row);
	}
}

static struct json *parse(const char *text)
{
	struct json *ret = NULL;
	struct err e;

	if (text)
		(void)!json_parse(text, strlen(text), JSON_STRICT, &ret, &e);
	return ret;
}

/* True if the shop has a shipment of the order at all. */
static bool has_shipment(const struct listing *l, const struct order *o)
{
	for (size_t i = 0; i < l->shop->warehouses.n; i++) {
		const struct offer *f =
			order_offer(o, l->shop->warehouses.ids[i]);

		if (f && f->n_shipments)
			return true;
	}
	return false;
}

/* A function of face_each_order(). */
static bool list_order(void *arg, const struct order *o)
{
	struct listing *l = arg;
	char *details = NULL, *address = NULL;
	struct json *d, *a;
	struct err e;

	if (!has_shipment(l, o))
		return true;
	/* What cannot be read is shown empty. */
	(void)!store_details(l->store, l->shop->centra, o->number, &details,
			     &address, &e);
	d = parse(details);
	a = parse(address);
	for (size_t i = 0; i < l->shop->warehouses.n; i++)
		list_offer(l,
			   &(struct face_row){
				   .shop = l->shop,
				   .zone = l->zone,
				   .o = o,
				   .details = d,
				   .address = a,
				   .people = l->which != COMPLETED,
			   },
			   l->shop->warehouses.ids[i]);
	json_free(d);
	json_free(a);
	free(details);
	free(address);
	return l->written < l->limit;
}

static enum rc list_one(struct listing *l)
{
	struct order o = {0};
	enum rc rc = store_order(l->store, l->shop->centra, l->order, &o,
				 &l->e);

	if (!rc)
		(void)list_order(l, &o);
	order_release(&o);
	return rc == RC_NOTFOUND ? OK : rc;
}

static enum rc list_all(struct listing *l)
{
	enum rc rc;

	json_begin(&l->res->body, NULL);
	json_put(&l->res->body, "status", "ok");
	json_begin_list(&l->res->body, "shipments");
	rc = l->order ? list_one(l)
		      : face_each_order(l->store, l->shop,
					l->which == COMPLETED, l->req->now,
					list_order, l, &l->e);
	json_end_list(&l->res->body);
	json_end(&l->res->body);
	return rc;
}

void face_shipments(struct request *req, struct response *res)
{
	const struct caller *c = caller_of(req);
	const struct config_instance *in = config_instance(c->config,
							   c->shop->centra);
	struct listing l = {
		.req = req,
		.res = res,
		.shop = c->shop,
		.zone = in ? in->zone : NULL,
		.store = shop_of(req)->store,
	};
	enum rc rc;

	if (!read_query(&l)) {
		face_count(req, FACE_NO);
		return;
	}
	rc = list_all(&l);
	if (rc) {
		log_limited(6, LOG_ERROR, "order cannot be read or written",
			    LOG_N("device", (int64_t)c->device.id),
			    LOG_S("rc", rc_name(rc)), LOG_S("error", l.e.text),
			    LOG_REQUEST(req));
		face_later(res, "orders cannot be read right now; try again");
	} else {
		respond_json(res, 200);
	}
	face_count(req, rc ? FACE_LATER : FACE_OK);
}
