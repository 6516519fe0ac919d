/* SPDX-License-Identifier: MIT
 *
 * writes.c - what the shop's own system asks for: capture, a short pick,
 * complete, delete, and answers to offers.
 *
 * A request's decision is made durable; then the request waits for Centra, up
 * to `answer_wait`.  The same request again changes nothing, and gets what has
 * come of it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/text.h"
#include "handlers/answer.h"
#include "handlers/offer.h"
#include "server/access/json_body.h"
#include "server/face/face_private.h"
#include "server/pending/pending.h"

#define CARRIER_MAX  64 /* characters, as in POST ship */
#define SERVICE_MAX  64
#define TRACKING_MAX 128
#define PACKAGES_MAX 99
#define NOT_SETTLED  "not settled yet: send the same again"

struct write;

/* A kind of write. */
struct write_kind {
	/* Reads the body.  False: it has responded. */
	bool (*read)(struct write *w, struct response *res);
	store_update_fn *decide; /* its arg is the struct write */
	/* Responds, or returns false to wait for a change of the order. */
	bool (*settle)(struct write *w, struct response *res,
		       const struct order *o);
};

struct write {
	struct pending pending; /* must be first */
	const struct write_kind *kind;
	struct shop *room;
	struct config *config; /* held */
	const struct config_shop *shop;
	struct json *body; /* owned; or NULL */
	int64_t number;	   /* of the order */
	char shipment[SHIP_NUMBER_SIZE];
	int64_t wait_until;
	uint64_t revocations;
	struct request *req;

	struct system_decision d; /* of the writes about a shipment */
	char *carrier, *service, *tracking; /* owned */
	struct ship_line *lines;	    /* owned */
	struct decision answer; /* of check-first and allocation requests */
	int64_t request, warehouse; /* of an allocation request */
	/* Responds that it is done (NULL) or refused, where that is not in the
	 * shape of "status"; or NULL. */
	void (*settle_no)(struct write *w, struct response *res,
			  const char *error);
};

/* ---- reading ---- */

/* True if Centra names the order beside the shipment in a refusal of this call
 * (CONTRACT 5.5, 5.6). */
static bool names_order(const struct write *w)
{
	return *w->shipment && (w->d.verb == SYSTEM_CAPTURE ||
				w->d.verb == SYSTEM_COMPLETE);
}

static bool no(struct write *w, struct response *res, const char *msg)
{
	if (w->settle_no) {
		w->settle_no(w, res, msg);
		return false;
	}
	face_no(res, msg, names_order(w) ? w->number : 0,
		*w->shipment ? w->shipment : NULL);
	face_count(w->req, FACE_NO);
	return false;
}

/* Reads a flag as Centra's clients write it: true, 1 or "1". */
static bool flag(const struct json *v, bool absent)
{
	int64_t n;

	if (!json_given(v))
		return absent;
	return json_is_true(v) || (json_int(v, &n) && n);
}

static bool read_shipment(struct write *w, struct response *res,
			  const char *number)
{
	int64_t order;

	if (!number || !face_order_of(number, &w->number) ||
	    !copy_text(w->shipment, sizeof(w->shipment), number)) {
		w->number = 0;
		return no(w, res, "shipment does not exist");
	}
	if (json_given(json_get(w->body, "order")) &&
	    (!json_int(json_get(w->body, "order"), &order) ||
	     order != w->number))
		return no(w, res, "shipment is not of this order");
	w->d.number = w->shipment;
	return true;
}

static bool body_shipment(struct write *w, struct response *res)
{
	return read_shipment(w, res, json_text(json_get(w->body, "shipment")));
}

static bool path_shipment(struct write *w, struct response *res)
{
	return read_shipment(w, res, face_param(w->req));
}

static bool read_capture(struct write *w, struct response *res)
{
	w->d.verb = SYSTEM_CAPTURE;
	return body_shipment(w, res);
}

static bool read_delete(struct write *w, struct response *res)
{
	w->d.verb = SYSTEM_DELETE;
	return path_shipment(w, res);
}

/* Reads a text of at most `max` characters; an empty one counts as absent. */
static bool read_text(struct write *w, struct response *res, const char *name,
		      size_t max, char **ret)
{
	*ret = json_words(json_get(w->body, name));
	if (*ret && text_length(*ret) > max)
		return no(w, res, "carrier, service or tracking is too long");
	return true;
}

static bool read_complete(struct write *w, struct response *res)
{
	struct ship_ask *a = &w->d.ask;
	int64_t packages = 1;

	if (!body_shipment(w, res) ||
	    !read_text(w, res, "carrier", CARRIER_MAX, &w->carrier) ||
	    !read_text(w, res, "service", SERVICE_MAX, &w->service) ||
	    !read_text(w, res, "tracking", TRACKING_MAX, &w->tracking))
		return false;
	if (json_given(json_get(w->body, "packages")) &&
	    (!json_int(json_get(w->body, "packages"), &packages) ||
	     packages < 1 || packages > PACKAGES_MAX))
		return no(w, res, "packages is a number from 1 to 99");
	a->carrier = w->carrier;
	a->service = w->service;
	a->tracking = w->tracking;
	a->packages = packages;
	w->d.may_capture = flag(json_get(w->body, "capture"), true);
	/* Without `shipped` it is a capture, or nothing. */
	w->d.verb = flag(json_get(w->body, "shipped"), false) ?
			    SYSTEM_COMPLETE : SYSTEM_CAPTURE;
	if (w->d.verb == SYSTEM_CAPTURE && !w->d.may_capture)
		w->d.verb = SYSTEM_EDIT;
	return true;
}

/* Reads the units of one line: a number, or an object with `qty`. */
static bool read_units(const struct json *v, int64_t *ret)
{
	if (json_is_object(v))
		v = json_get(v, "qty");
	return json_int(v, ret) && *ret >= 0 && *ret <= JSON_WHOLE_MAX;
}

static bool read_lines(struct write *w, struct response *res)
{
	const struct json *list = json_get(w->body, "products"), *m;
	size_t n = json_length(list);

	if (json_given(list) && (!json_is_object(list) || n > SHIP_LINES_MAX))
		return no(w, res, "products are quantities by line");
	w->lines = xcalloc(n + 1, sizeof(*w->lines));
	json_each(m, list)
	{
		struct ship_line *l = &w->lines[w->d.n_lines];
		const char *at = json_name(m);

		if (!number_begin(&at, INT64_MAX, &l->line) || *at ||
		    !read_units(m, &l->quantity))
			return no(w, res, "products are quantities by line");
		for (size_t i = 0; i < w->d.n_lines; i++)
			if (w->lines[i].line == l->line)
				return no(w, res, "products name a line twice");
		w->d.n_lines++;
	}
	w->d.lines = w->lines;
	return true;
}

static bool read_update(struct write *w, struct response *res)
{
	w->d.verb = SYSTEM_EDIT;
	return path_shipment(w, res) && read_lines(w, res);
}

/* ---- deciding and settling: shipments ---- */

static enum rc decide_shipment(void *arg, const struct order *o,
			       struct changes *ret, struct err *e)
{
	struct write *w = arg;

	return ship_system_decide(&w->d, o, ret, e);
}

/* Adds the shipment as Centra's PUT /shipments does: the whole of it. */
static void put_shipment(struct write *w, struct response *res,
			 const struct order *o)
{
	const struct config_instance *in = config_instance(w->config,
							   w->shop->centra);
	const struct offer *f = NULL;
	const struct shipment *s = ship_system_find(
		o, w->d.warehouses, w->d.n_warehouses, w->shipment, &f);
	struct face_row row = {
		.shop = w->shop,
		.zone = in ? in->zone : NULL,
		.o = o,
		.f = f,
		.s = s,
	};
	char *details = NULL, *address = NULL;
	struct json *d = NULL, *a = NULL;
	struct err e;

	if (!s)
		return;
	if (!store_details(w->room->store, w->shop->centra, w->number,
			   &details, &address, &e)) {
		if (details)
			(void)!json_parse(details, strlen(details),
					  JSON_STRICT, &d, &e);
		if (address)
			(void)!json_parse(address, strlen(address),
					  JSON_STRICT, &a, &e);
	}
	row.details = d;
	row.address = a;
	row.people = ship_system_waits(o, f, s);
	face_shipment_json(&res->body, "shipment", &row);
	json_free(d);
	json_free(a);
	free(details);
	free(address);
}

static void respond_done(struct write *w, struct response *res,
			 const struct order *o)
{
	bool whole = !strncmp(w->req->method, "PUT", 3) &&
		     *face_param(w->req);

	json_begin(&res->body, NULL);
	json_put(&res->body, "status", "ok");
	if (w->d.verb == SYSTEM_DELETE)
		json_put(&res->body, "msg", "shipment removed");
	if (whole) {
		put_shipment(w, res, o);
	} else {
		json_put_int(&res->body, "order", w->number);
		json_put(&res->body, "shipment", w->shipment);
	}
	json_end(&res->body);
	respond_json(res, 200);
	face_count(w->req, FACE_OK);
}

static bool may_wait(const struct write *w)
{
	return time_mono() < w->wait_until && !*w->room->draining &&
	       !(w->pending.req && w->pending.req->timed_out);
}

static bool settle_shipment(struct write *w, struct response *res,
			    const struct order *o)
{
	const char *msg;

	switch (ship_system_outcome(&w->d, o, &msg)) {
	case SYSTEM_WAITS:
		if (may_wait(w))
			return false;
		face_later(res, NOT_SETTLED);
		face_count(w->req, FACE_LATER);
		break;
	case SYSTEM_DONE:
		respond_done(w, res, o);
		break;
	case SYSTEM_REFUSED:
		(void)no(w, res, msg);
		break;
	}
	return true;
}

/* ---- check-first ---- */

/* Responds with a text for each field that is wrong, as Centra does (CONTRACT
 * 3.2). */
static bool wrong_fields(struct write *w, struct response *res)
{
	static const char *const names[] = {"orderNumber", "warehouseId",
					    "accepted"};

	json_begin(&res->body, NULL);
	json_put(&res->body, "status", "no");
	json_begin(&res->body, "msg");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const struct json *v = json_get(w->body, names[i]);
		int64_t n;

		if (!json_given(v))
			json_put(&res->body, names[i], "required");
		else if (i == 2 ? !json_is_bool(v)
				: !json_int(v, &n) || n < 1)
			json_put(&res->body, names[i], "invalid value");
	}
	json_end(&res->body);
	json_end(&res->body);
	respond_json(res, 200);
	face_count(w->req, FACE_NO);
	return false;
}

static bool read_answer(struct write *w, struct response *res)
{
	const struct json *accepted = json_get(w->body, "accepted");
	int64_t warehouse = 0;

	if (!json_int(json_get(w->body, "orderNumber"), &w->number) ||
	    w->number < 1 ||
	    !json_int(json_get(w->body, "warehouseId"), &warehouse) ||
	    warehouse < 1 || !json_is_bool(accepted))
		return wrong_fields(w, res);
	for (size_t i = 0; i < w->shop->warehouses.n; i++)
		if (w->shop->warehouses.ids[i] == warehouse)
			w->answer.warehouses = &w->shop->warehouses.ids[i];
	if (!w->answer.warehouses)
		return no(w, res, "order does not exist");
	w->answer.verb = json_is_true(accepted) ? VERB_ACCEPT : VERB_REJECT;
	w->answer.n_warehouses = 1;
	w->answer.device = w->d.ask.device;
	w->answer.device_name = w->d.ask.by;
	w->answer.now = w->d.ask.at;
	if (w->answer.verb == VERB_REJECT)
		w->answer.reason = "other";
	return true;
}

static enum rc decide_answer(void *arg, const struct order *o,
			     struct changes *ret, struct err *e)
{
	struct write *w = arg;

	return answer_decide(&w->answer, o, ret, e);
}

/* Settles by the offer's state, as on the staff page. */
static bool settle_answer(struct write *w, struct response *res,
			  const struct order *o)
{
	const struct offer *f = order_offer(o, w->answer.warehouses[0]);
	bool accept = w->answer.verb == VERB_ACCEPT;
	enum offer_state s = f ? f->state : STATE_REJECTED;
	bool waits = s == STATE_PENDING ||
		     s == (accept ? STATE_ACCEPTING : STATE_REJECTING);

	if (waits && s != STATE_PENDING && may_wait(w))
		return false;
	if (waits) {
		face_later(res, NOT_SETTLED);
		face_count(w->req, FACE_LATER);
	} else if (w->settle_no) {
		w->settle_no(w, res,
			     s == (accept ? STATE_ACCEPTED : STATE_REJECTED) ?
				     NULL :
			     s == STATE_REFUSED && f->answer.refusal ?
				     f->answer.refusal : offer_state_name(s));
	} else if (s == (accept ? STATE_ACCEPTED : STATE_REJECTED)) {
		json_begin(&res->body, NULL);
		json_put(&res->body, "status", "ok");
		json_end(&res->body);
		respond_json(res, 200);
		face_count(w->req, FACE_OK);
	} else {
		(void)no(w, res, s == STATE_REFUSED && f->answer.refusal ?
				 f->answer.refusal : offer_state_name(s));
	}
	return true;
}

/* ---- allocation requests ---- */

static void respond_request(struct write *w, struct response *res,
			    const char *error)
{
	json_begin(&res->body, NULL);
	json_put_bool(&res->body, "success", !error);
	json_begin_list(&res->body, "errorMessages");
	if (error)
		json_put(&res->body, NULL, error);
	json_end_list(&res->body);
	json_end(&res->body);
	respond_json(res, 200);
	face_count(w->req, error ? FACE_NO : FACE_OK);
}

static bool read_request(struct write *w, struct response *res)
{
	const struct json *status = json_get(w->body, "status");
	struct err e;
	enum rc rc;

	w->settle_no = respond_request;
	w->answer.verb = json_is(status, "confirmed") ? VERB_ACCEPT
						       : VERB_REJECT;
	if (!json_is(status, "confirmed") && !json_is(status, "rejected")) {
		respond_request(w, res, "status: invalid value, expected "
					"'confirmed' or 'rejected'");
		return false;
	}
	if (!json_int(json_get(w->body, "id"), &w->request)) {
		respond_request(w, res, "Allocation request not found");
		return false;
	}
	rc = face_request_find(w->room->store, w->shop, w->d.ask.at, w->request,
			       &w->number, &w->warehouse, &e);
	if (rc == RC_NOTFOUND) {
		respond_request(w, res, "Allocation request not found");
	} else if (rc) {
		face_later(res, "orders cannot be read right now; try again");
		face_count(w->req, FACE_LATER);
	}
	if (rc)
		return false;
	w->answer.warehouses = &w->warehouse;
	w->answer.n_warehouses = 1;
	w->answer.device = w->d.ask.device;
	w->answer.device_name = w->d.ask.by;
	w->answer.now = w->d.ask.at;
	if (w->answer.verb == VERB_REJECT)
		w->answer.reason = "other";
	return true;
}

/* Refuses a request that has ended, unless it ended as is asked for; else decides
 * as the staff page does. */
static enum rc decide_request(void *arg, const struct order *o,
			      struct changes *ret, struct err *e)
{
	struct write *w = arg;
	const struct offer *f = order_offer(o, w->warehouse);
	const struct alloc_request *r = f ? face_request_of(f, w->request)
					  : NULL;
	enum request_status done = w->answer.verb == VERB_ACCEPT
					   ? REQUEST_CONFIRMED
					   : REQUEST_REJECTED;

	if (!r)
		return fail(e, RC_NOTFOUND, "it is gone");
	if (r->status == done)
		return fail(e, RC_EXISTS, "it is so already");
	if (!alloc_request_open(r->status))
		return fail(&w->d.refusal, RC_CONFLICT,
			    "You can't update allocation request, which is in "
			    "status %s.",
			    request_status_name(r->status));
	return answer_decide(&w->answer, o, ret, e);
}

/* ---- life ---- */

static void write_free(struct pending *pending)
{
	struct write *w = (struct write *)pending;

	config_drop(w->config);
	json_free(w->body);
	free(w->d.ask.by);
	free(w->carrier);
	free(w->service);
	free(w->tracking);
	free(w->lines);
	free(w);
}

static void write_stored(struct pending *pending)
{
	const struct write *w = (const struct write *)pending;

	if (!pending->rc)
		log_line(LOG_INFO, LOG_MSG("a shop's system asks"),
			 LOG_S("instance", w->shop->centra),
			 LOG_N("order", w->number), LOG_S("shop", w->shop->id),
			 LOG_N("device", (int64_t)w->d.ask.device));
}

static struct write *write_new(struct request *req,
			       const struct write_kind *kind)
{
	const struct caller *c = caller_of(req);
	struct write *w = xcalloc(1, sizeof(*w));

	w->kind = kind;
	w->req = req;
	w->room = shop_of(req);
	w->config = config_hold(c->config);
	w->shop = c->shop;
	w->d.warehouses = c->shop->warehouses.ids;
	w->d.n_warehouses = c->shop->warehouses.n;
	w->d.ask.at = req->now;
	w->d.ask.device = c->device.id;
	w->d.ask.by = xstrdup(c->device.name);
	pending_init(&w->pending, *w->room->http, write_stored, write_free);
	pending_tie(&w->pending, req);
	return w;
}

/* True, and it has responded: the key was removed while the request waited. */
static bool was_revoked(struct write *w, struct response *res)
{
	const struct caller *c = caller_of(w->req);
	uint64_t revocations = store_revocations(w->room->store);
	struct err e;
	enum rc rc = OK;

	if (revocations != w->revocations)
		rc = auth_still(w->room->access, c->credential, false, &e);
	if (rc)
		auth_refuse(w->room->access, w->req, res, "unauthorized",
			    "this key was removed");
	else
		w->revocations = revocations;
	return rc;
}

/* Called when the decision is on disk, and each time the order changes.  An
 * endpoint_fn. */
static void write_settle(struct request *req, struct response *res)
{
	struct write *w = req->state;
	struct order o = {0};
	struct err e;

	if (was_revoked(w, res))
		return;
	req->may_stop = true;
	request_later(req, write_settle, w->wait_until);
	/* Before the order is read, so that no change is missed. */
	w->room->wait(w->room->wait_arg, req, w->shop->centra, w->number);
	if (store_order(w->room->store, w->shop->centra, w->number, &o, &e)) {
		face_later(res, "orders cannot be read right now; try again");
		face_count(req, FACE_LATER);
	} else {
		(void)w->kind->settle(w, res, &o); /* false: it waits */
	}
	order_release(&o);
}

static void refused(struct write *w, struct response *res)
{
	const char *code = w->answer.conflict ? w->answer.conflict : "answered";

	if (w->d.refusal.text[0])
		(void)no(w, res, w->d.refusal.text);
	else
		(void)no(w, res, code_words(code) ? code_words(code) : code);
}

/* Called when the writer is done, or write_wait has passed.  An endpoint_fn. */
static void write_done(struct request *req, struct response *res)
{
	struct write *w = req->state;

	req->timed_out = false;
	switch (w->pending.ended ? w->pending.rc : RC_AGAIN) {
	case OK:
	case RC_EXISTS:
		write_settle(req, res);
		break;
	case RC_NOTFOUND:
		(void)no(w, res,
			 *w->shipment ? "shipment does not exist"
				      : "order does not exist");
		break;
	case RC_CONFLICT:
		refused(w, res);
		break;
	default:
		face_later(res, "nothing can be kept right now; try again");
		face_count(req, FACE_LATER);
	}
}

static void write_begin(struct request *req, struct response *res,
			const struct write_kind *kind)
{
	struct write *w = write_new(req, kind);
	struct err e = {""};
	enum rc rc;

	if (req->body_len) {
		w->body = json_body(req);
		if (!w->body) {
			(void)no(w, res, "the body is not a JSON object");
			return;
		}
	}
	if (!kind->read(w, res))
		return;
	w->wait_until = time_mono() + w->config->server.answer_wait;
	w->revocations = store_revocations(w->room->store);
	request_later(req, write_done,
		      time_mono() + w->config->server.write_wait);
	pending_begin(&w->pending);
	rc = store_update(w->room->store, w->shop->centra, w->number,
			  kind->decide, w, req->now, NULL, &w->pending.done,
			  &e);
	if (!rc)
		return;
	pending_refused(&w->pending, rc, &e);
	face_later(res, "nothing can be kept right now; try again");
	face_count(req, FACE_LATER);
}

/* ---- the routes ---- */

void face_capture(struct request *req, struct response *res)
{
	static const struct write_kind kind = {read_capture, decide_shipment,
					       settle_shipment};

	write_begin(req, res, &kind);
}

void face_complete(struct request *req, struct response *res)
{
	static const struct write_kind kind = {read_complete, decide_shipment,
					       settle_shipment};

	write_begin(req, res, &kind);
}

void face_update(struct request *req, struct response *res)
{
	static const struct write_kind kind = {read_update, decide_shipment,
					       settle_shipment};

	write_begin(req, res, &kind);
}

void face_delete(struct request *req, struct response *res)
{
	static const struct write_kind kind = {read_delete, decide_shipment,
					       settle_shipment};

	write_begin(req, res, &kind);
}

void face_answer_request(struct request *req, struct response *res)
{
	static const struct write_kind kind = {read_request, decide_request,
					       settle_answer};

	write_begin(req, res, &kind);
}

void face_check_first(struct request *req, struct response *res)
{
	static const struct write_kind kind = {read_answer, decide_answer,
					       settle_answer};

	write_begin(req, res, &kind);
}
