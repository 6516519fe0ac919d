/* SPDX-License-Identifier: MIT
 *
 * action.c - see action.h.
 */
#include "server/shop/action.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/text.h"
#include "server/access/auth.h"
#include "server/access/json_body.h"
#include "server/shop/order_json.h"
#include "server/config/staff_names.h"

#define KEY_MAX	    255 /* bytes of an Idempotency-Key, at most */
#define VERSION_MAX 64	/* bytes of a version that a client sends; those that we
			 * make are shorter */
#define KEY_OF_ANOTHER "idempotency_mismatch"
#define POLL 150 /* ms until an action that is about no order reads again how far
		  * it is */

/* ---- answers that several routes give ---- */

/* Responds 404: the same for an order that does not exist, for one of another
 * shop, and for a number that cannot be read. */
void respond_not_found(struct response *res)
{
	respond_problem(res, 404, "not_found",
			"no such order was offered to this shop");
}

/* Responds to a failure of the store: 503 with `detail`; 500 if a row is
 * damaged, since trying again does not help. */
static void respond_failure(struct request *req, struct response *res,
			    enum rc rc, const char *why, const char *detail)
{
	log_limited(6, LOG_ERROR, "order cannot be read or written",
		    LOG_N("device", (int64_t)caller_of(req)->device.id),
		    LOG_S("rc", rc_name(rc)), LOG_S("error", why),
		    LOG_REQUEST(req));
	buf_clear(&res->body);
	if (rc == RC_INVALID) {
		respond_problem(res, 500, "unreadable",
				"what is stored of this order is damaged: "
				"nothing was changed. Tell the office: "
				"`shipfrom verify` lists the damage, and a "
				"backup mends it");
		return;
	}
	respond_problem(res, 503, "not_stored", "%s", detail);
	res->retry_after = 1;
}

/* Responds to a write that failed. */
static void respond_store(struct request *req, struct response *res, enum rc rc,
		   const char *why)
{
	respond_failure(req, res, rc, why,
			"nothing can be kept right now; try again");
}

void respond_read(struct request *req, struct response *res, enum rc rc,
		  const char *why)
{
	respond_failure(req, res, rc, why,
			"orders cannot be read right now; try again");
}

void respond_field(struct response *res, const char *field, const char *must)
{
	respond_problem(res, 400, "bad_request", "'%s' %s", field, must);
	respond_member_text(res, "field", field);
}

void respond_order(struct request *req, struct response *res,
		   const struct order *o, int status, bool timeline)
{
	struct err e = {""};
	enum rc rc = order_json(&res->body, shop_of(req)->store,
				shop_of(req)->goods,
				caller_of(req)->shop, o, time_now(), timeline,
				&e);

	if (!rc)
		respond_json(res, status);
	else if (rc == RC_NOTFOUND)
		respond_not_found(res);
	else
		respond_read(req, res, rc, e.text);
}

void respond_conflict(struct request *req, struct response *res,
		      const struct order *o, int status, const char *code,
		      const char *detail)
{
	struct err e = {""};
	struct buf b;

	respond_problem(res, status, code, "%s", detail);
	buf_init(&b, res->body.max);
	if (!order_json(&b, shop_of(req)->store, shop_of(req)->goods,
			caller_of(req)->shop, o,
			time_now(), false, &e) &&
	    !buf_full(&b))
		respond_member(res, "order", b.data);
	buf_release(&b);
}

const char *conflict_detail(const char *code)
{
	const char *words = code_words(code);

	return words ? words : "another answer came first";
}

bool order_number_read(const char *s, int64_t *ret)
{
	return number_read(s, 1, INT64_MAX, ret);
}

/* ---- life ---- */

static void action_free(struct pending *pending)
{
	struct action *p = (struct action *)pending;

	config_drop(p->config);
	order_texts_release(&p->texts);
	json_free(p->body);
	if (p->kind->release)
		p->kind->release(p);
	free(p->own);
	free(p);
}

/* Called when the decision is on disk or could not be stored.  A `settled` of
 * struct pending. */
static void action_written(struct pending *pending);

static struct action *action_new(struct request *req, int64_t number,
			       const struct action_kind *kind)
{
	const struct caller *c = caller_of(req);
	struct action *p = xcalloc(1, sizeof(*p));

	p->room = shop_of(req);
	p->config = config_hold(c->config);
	p->shop = c->shop;
	p->instance = c->shop->centra;
	p->number = number;
	p->now = req->now;
	p->device = c->device.id;
	memcpy(p->id, req->id, sizeof(p->id));
	memcpy(p->trace, req->trace, sizeof(p->trace));
	p->own = xcalloc(1, kind->own_size);
	p->kind = kind;
	pending_init(&p->pending, *p->room->http, action_written, action_free);
	pending_tie(&p->pending, req);
	return p;
}

bool action_may_wait(const struct action *p)
{
	return time_mono() < p->wait_until && !*p->room->draining &&
	       !(p->pending.req && p->pending.req->timed_out);
}

/* ---- reading ---- */

/* Reads the request's body.  False: it is wrong; responds 400. */
static bool body_read(struct action *p, struct response *res)
{
	if (!p->pending.req->body_len)
		return true;
	p->body = json_body(p->pending.req);
	if (p->body)
		return true;
	respond_problem(res, 400, "bad_request",
			"the body is not a JSON object, or a text of it holds "
			"U+0000 or U+0001");
	return false;
}

bool action_text(const struct action *p, struct response *res, const char *name,
		size_t max, const char **ret)
{
	const struct json *item = json_get(p->body, name);
	char must[64];

	*ret = json_text(item);
	if (*ret ? text_length(*ret) <= max : !json_given(item))
		return true;
	snprintf(must, sizeof(must), "is a text of at most %zu characters",
		 max);
	respond_field(res, name, must);
	return false;
}

bool action_word(const struct action *p, struct response *res, const char *name,
		const char *const *words, const char *want, const char **ret)
{
	const struct json *item = json_get(p->body, name);

	*ret = json_text(item);
	if (!json_given(item) || text_is_one_of(*ret, words))
		return true;
	respond_field(res, name, want);
	return false;
}

/* Finds out who pressed.  If the shop has a list of names (`staff`), its
 * devices are shared, so the body must say one of the names, whether a cookie
 * or a token signs the request. */
static bool staff_read(struct action *p, struct response *res)
{
	const char *list = p->shop->staff, *name, *code = NULL;

	if (!action_text(p, res, "staff", STAFF_MAX, &name))
		return false;
	if (list && (!name || !*name))
		code = "staff_required";
	else if (list && !staff_has(list, name))
		code = "staff_unknown";
	if (code) {
		respond_problem(res, 400, code,
				"'staff' says who acts: a name of the list "
				"that /api/v1/me gives");
		respond_member_text(res, "field", "staff");
		return false;
	}
	snprintf(p->by, sizeof(p->by), "%s%s%s", name ? name : "",
		 name && *name ? " on " : "",
		 caller_of(p->pending.req)->device.name);
	return true;
}

/* True if the member is absent or null, or is this text. */
static bool text_fits(const struct json *json, const char *name,
		      const char *want)
{
	const struct json *item = json_get(json, name);

	return !json_given(item) || json_is(item, want);
}

static bool device_fits(const struct json *json, uint64_t device)
{
	const struct json *item = json_get(json, "device");
	int64_t id;

	return !json_given(item) || (json_whole(item, 0, INT64_MAX, &id) &&
				     (uint64_t)id == device);
}

bool read_for(const struct json *body, const struct caller *c,
	      struct response *res)
{
	const struct json *to = json_get(body, "for");

	if (!json_given(to))
		return true;
	if (!json_is_object(to)) {
		respond_field(res, "for",
			      "is an object with device, shop and instance");
		return false;
	}
	if (device_fits(to, c->device.id) &&
	    text_fits(to, "shop", c->shop->id) &&
	    text_fits(to, "instance", c->shop->centra))
		return true;
	respond_problem(res, 409, "misdirected",
			"this was meant for another device or shop than the "
			"one that is signed in; nothing was done");
	return false;
}

/* Hashes all by which two requests with one Idempotency-Key are told apart.
 * The order's number alone would not do: a device may be moved to another shop,
 * or a shop to another instance, where the number is another order's. */
static enum rc request_digest(const struct action *p,
			      unsigned char ret[ONCE_HASH])
{
	const struct request *req = p->pending.req;
	struct buf b;
	enum rc rc;

	buf_init(&b, req->body_len + 4096);
	buf_fmt(&b, "%s %s\n%s %s\n", req->method, req->path, p->instance,
		p->shop->id);
	if (req->body_len)
		(void)!buf_add(&b, req->body, req->body_len);
	rc = buf_full(&b) ? RC_INVALID : token_digest(ret, b.data, b.len);
	buf_release(&b);
	return rc;
}

/* Reads the member "version", for a kind of action that is `versioned`. */
static bool version_read(struct action *p, struct response *res)
{
	return !p->kind->versioned ||
	       action_text(p, res, "version", VERSION_MAX, &p->version);
}

static bool key_read(struct action *p, struct response *res)
{
	const char *key = request_header(p->pending.req, "Idempotency-Key");
	size_t len = key ? strlen(key) : 0, i = 0;

	if (!key)
		return true;
	while (i < len && key[i] > ' ' && key[i] < 0x7f)
		i++;
	if (!len || i < len || len > KEY_MAX) {
		respond_field(res, "Idempotency-Key",
			      "is 1 to 255 visible ASCII characters");
		return false;
	}
	if (token_digest(p->once.key, key, len) ||
	    request_digest(p, p->once.request)) {
		respond_store(p->pending.req, res, RC_IO,
			      "no SHA-256 to be had");
		return false;
	}
	p->once.device = p->device;
	p->once.at = p->now;
	p->once.sure = clock_confirmed(p->room->clock);
	p->keyed = true;
	return true;
}

/* ---- from the tap to Centra's word ---- */

bool action_is_stale(const struct action *p, const struct order *o,
		    const char *details, const char *address)
{
	char version[ORDER_VERSION_SIZE];

	return p->version &&
	       (order_version(version, p->shop, o, details, address) ||
		strcmp(version, p->version) != 0);
}

/* Runs the kind's decision; a conflict is kept with the key.  An action that
 * would change nothing needs no version: it gets the result that it would get
 * without one.  A store_update_fn. */
static enum rc decide(void *arg, const struct order *o, struct changes *ret,
		      struct err *e)
{
	struct action *p = arg;
	const char *code = NULL;
	enum rc rc;

	p->stale = action_is_stale(p, o, p->texts.details, p->texts.address);
	rc = p->kind->decide(p->own, o, ret, e);
	if (rc == RC_CONFLICT) {
		code = p->kind->code(p);
	} else if (!rc && p->stale) {
		changes_release(ret);
		code = "changed";
		rc = fail(e, RC_CONFLICT, "the order has changed");
	}
	snprintf(p->code, sizeof(p->code), "%s", code ? code : "");
	snprintf(p->once.code, sizeof(p->once.code), "%s", p->code);
	return rc;
}

/* Counts and logs a new decision that is on disk. */
static void action_decided(struct action *p)
{
	log_line(LOG_INFO, p->kind->said, LOG_S("instance", p->instance),
		 LOG_N("order", p->number), LOG_S("shop", p->shop->id),
		 LOG_N("device", (int64_t)p->device), LOG_REQUEST(p));
	if (p->kind->count)
		p->kind->count(p);
}

/* Called when the decision is on disk, or could not be stored. */
static void action_written(struct pending *pending)
{
	struct action *p = (struct action *)pending;

	if (p->keyed && !pending->rc) {
		p->again = p->once.seen == ONCE_AGAIN;
		pending->rc = p->once.rc;
		snprintf(p->code, sizeof(p->code), "%s", p->once.code);
	}
	if (!pending->rc && !p->again && p->once.seen == ONCE_NEW)
		action_decided(p);
}

/* True, and it has responded: the device or its session was ended while the
 * request waited, or that cannot be read. */
static bool was_revoked(struct action *p, struct response *res)
{
	struct request *req = p->pending.req;
	const struct caller *c = caller_of(req);
	uint64_t revocations = store_revocations(p->room->store);
	struct err e = {""};
	enum rc rc = OK;

	if (revocations != p->revocations)
		rc = auth_still(p->room->access, c->credential, c->by_session,
				&e);
	if (rc == RC_NOTFOUND)
		auth_refuse(p->room->access, req, res, "unauthorized",
			    "this device was signed out or removed");
	else if (rc)
		auth_unread(p->room->access, req, res, rc, &e);
	else
		p->revocations = revocations;
	return rc;
}

static void action_settle(struct request *req, struct response *res);

/* As action_settle(), of an action that is about no order: nobody tells when it
 * changes, so it is read again and again. */
static void settle_other(struct request *req, struct response *res)
{
	struct action *p = req->state;
	int64_t again = time_mono() + POLL;

	if (time_mono() < p->wait_until)
		req->timed_out = false;
	req->may_stop = true;
	request_later(req, action_settle,
		      again < p->wait_until ? again : p->wait_until);
	(void)p->kind->settle(p, res, NULL); /* false: it waits */
}

/* Called when the decision is on disk and each time the order changes: reads
 * the order, and responds or waits on.  An endpoint_fn. */
static void action_settle(struct request *req, struct response *res)
{
	struct action *p = req->state;
	struct order o = {0};
	struct err e = {""};
	enum rc rc;

	if (was_revoked(p, res))
		return;
	if (p->kind->store) {
		settle_other(req, res);
		return;
	}
	/* Registers for changes before the order is read, so that no change is
	 * missed. */
	req->may_stop = true;
	request_later(req, action_settle, p->wait_until);
	p->room->wait(p->room->wait_arg, req, p->instance, p->number);
	rc = store_order(p->room->store, p->instance, p->number, &o, &e);
	if (rc)
		respond_read(req, res, rc, e.text);
	else
		(void)p->kind->settle(p, res, &o); /* false: it waits */
	order_release(&o);
}

static void action_lost(struct request *req, struct response *res)
{
	struct action *p = req->state;
	const char *code = *p->code ? p->code : "answered";
	struct order o = {0};
	struct err e = {""};
	enum rc rc;

	if (p->kind->store) {
		respond_problem(res, 409, code, "%s", conflict_detail(code));
		return;
	}
	rc = store_order(p->room->store, p->instance, p->number, &o, &e);
	if (rc)
		respond_store(req, res, rc, e.text);
	else
		respond_conflict(req, res, &o, 409, code,
				 conflict_detail(code));
	order_release(&o);
}

/* Called when the writer is done, or write_wait has passed.  An endpoint_fn. */
static void action_stored(struct request *req, struct response *res)
{
	struct action *p = req->state;

	req->timed_out = false;
	if (!p->pending.ended) {
		respond_store(req, res, RC_AGAIN, "the writer takes too long");
		return;
	}
	if ((p->keyed && p->once.seen == ONCE_OTHER) ||
	    !strcmp(p->code, KEY_OF_ANOTHER)) {
		respond_problem(res, 422, KEY_OF_ANOTHER,
				"this Idempotency-Key was sent with another "
				"request; take a new one");
		return;
	}
	switch (p->pending.rc) {
	case OK:
	case RC_EXISTS:
		action_settle(req, res);
		break;
	case RC_NOTFOUND:
		respond_not_found(res);
		break;
	case RC_CONFLICT:
		action_lost(req, res);
		break;
	default:
		respond_store(req, res, p->pending.rc, p->pending.e.text);
	}
}

void action_begin(struct request *req, struct response *res,
		 const struct action_kind *kind)
{
	struct err e = {""};
	struct action *p;
	int64_t number = 0;
	enum rc rc;

	if (!kind->store && !order_number_read(req->param, &number)) {
		respond_not_found(res);
		return;
	}
	p = action_new(req, number, kind);
	if (!body_read(p, res) || !read_for(p->body, caller_of(req), res) || !staff_read(p, res) ||
	    !version_read(p, res) || !key_read(p, res) || !kind->read(p, res))
		return;
	p->wait_until = time_mono() + p->config->server.answer_wait;
	p->revocations = store_revocations(p->room->store);
	/* Puts the request aside before the write is handed over, since the
	 * writer may be done at once. */
	request_later(req, action_stored,
		      time_mono() + p->config->server.write_wait);
	pending_begin(&p->pending);
	if (kind->store)
		rc = kind->store(p, &e);
	else
		rc = store_update_once(p->room->store, p->instance, number,
				       decide, p, p->keyed ? &p->once : NULL,
				       p->version ? &p->texts : NULL, req->now,
				       NULL, &p->pending.done, &e);
	if (!rc)
		return;
	/* The write was not handed over: only this function holds p. */
	pending_refused(&p->pending, rc, &e);
	respond_store(req, res, rc, e.text);
}
