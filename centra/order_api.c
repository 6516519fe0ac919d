/* SPDX-License-Identifier: MIT
 *
 * order_api.c - see order_api.h.
 */
#include "centra/order_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "centra/transport.h"

#define MSG_MAX	    1000 /* bytes of Centra's text that are kept, at most */
#define MSG_MEMBERS 100
#define BODY_MAX 200

/* ---- Centra's words: a text, {field: text}, or a list (CONTRACT 3.2) ---- */

/* Adds as much of s as fits.  False: s was cut. */
static bool add_words(struct buf *b, const char *s)
{
	size_t room = b->max - b->len, n = strlen(s);

	if (n > room) {
		for (n = room; n && ((unsigned char)s[n] & 0xc0) == 0x80; n--)
			; /* steps back to the start of a UTF-8 character */
		room = 0;
	}
	(void)!buf_add(b, s, n);
	return room != 0;
}

/* Adds the name of a member, cleaned. */
static bool add_name(struct buf *b, const char *name)
{
	char *words = json_clean(name);
	bool fits = add_words(b, words);

	free(words);
	return fits;
}

static bool add_value(struct buf *b, const struct json *v)
{
	char *words = json_words(v);
	struct buf json;
	bool fits;

	if (words || json_is(v, "")) {
		fits = add_words(b, words ? words : "");
		free(words);
		return fits;
	}
	buf_init(&json, REPLY_MAX);
	json_canonical(v, &json);
	fits = add_words(b, json.data ? json.data : "");
	buf_release(&json);
	return fits;
}

static int by_name(const void *a, const void *b)
{
	const struct json *const *x = a, *const *y = b;

	return strcmp(json_name(*x), json_name(*y));
}

/* Adds the text of each field.  Centra's order of the fields varies, so they
 * are added in a fixed order. */
static void add_members(struct buf *b, const struct json *msg)
{
	const struct json *list[MSG_MEMBERS], *v;
	size_t n = 0, i;

	json_each(v, msg)
		if (n < MSG_MEMBERS)
			list[n++] = v;
	if (json_is_object(msg))
		qsort(list, n, sizeof(*list), by_name);
	for (i = 0; i < n; i++) {
		if (i && !add_words(b, "; "))
			return;
		if (json_is_object(msg) &&
		    (!add_name(b, json_name(list[i])) || !add_words(b, ": ")))
			return;
		if (!add_value(b, list[i]))
			return;
	}
}

static char *flatten(const struct json *msg)
{
	struct buf b;

	if (json_empty(msg))
		return NULL;
	buf_init(&b, MSG_MAX);
	if (json_is_object(msg) || json_is_list(msg))
		add_members(&b, msg);
	else
		add_value(&b, msg);
	if (b.len)
		return buf_detach(&b, NULL);
	buf_release(&b);
	return NULL;
}

/* ---- the reply ---- */

/* Reads the reply.  False: it is neither a complete "ok" nor a complete
 * "no". */
static bool read_reply(const struct json *v, struct check_first_reply *ret)
{
	const struct json *status = json_get(v, "status");
	const struct json *msg = json_get(v, "msg");

	if (json_count(v, "status") != 1 ||
	    (!json_is(status, "ok") && !json_is(status, "no")))
		return false;
	ret->ok = json_is(status, "ok");
	if (json_empty(msg))
		msg = json_get(v, "errorMessages");
	ret->msg = flatten(msg);
	ret->our_fault = !ret->ok && ret->msg && json_is_object(msg);
	ret->no_order = !ret->ok && ret->msg && !ret->our_fault &&
			!strncasecmp(ret->msg, "order does not exist",
				     strlen("order does not exist"));
	return true;
}

/* ---- allocation requests ---- */

/* Sends a request about allocation requests.  Returns the reply's document, or
 * NULL; *ret_unticked: see order_api_unticked(). */
static struct json *ask(struct centra_conn *n, struct post *p,
			struct call *call, bool *ret_unticked)
{
	struct buf reply;
	struct json *v = NULL;
	struct err e;

	p->api = CENTRA_ORDER_API;
	p->executed = order_api_unticked;
	transport_post(n, p, call, &reply);
	*ret_unticked = call->status == 403 && call->end == CALL_UNKNOWN &&
			!call->refused;
	if (*ret_unticked) {
		call->end = CALL_NOT_DONE;
		(void)!fail(&call->why, RC_DENIED,
			    "the Order API plugin does not allow its endpoint "
			    "for allocation requests");
	}
	if (call->end == CALL_OK &&
	    json_parse(reply.data ? reply.data : "", reply.len, JSON_STRICT, &v,
		       &e)) {
		v = NULL;
		call->end = CALL_UNKNOWN;
		(void)!fail(&call->why, RC_AGAIN,
			    "the reply about allocation requests is not JSON");
	}
	buf_release(&reply);
	return v;
}

static void add_list(struct buf *b, const char *name, const int64_t *list,
		     size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (i)
			buf_fmt(b, ",%lld", (long long)list[i]);
		else
			buf_fmt(b, "&%s=%lld", name, (long long)list[i]);
}

#define PATH_MAX_BYTES 8000

static void take_entries(const struct json *list, struct centra_requests *ret)
{
	const struct json *v;
	struct centra_request *r;

	ret->entries = json_length(list);
	ret->list = xcalloc(ret->entries, sizeof(struct centra_request *));
	json_each(v, list)
	{
		r = centra_request_of(v);
		if (r && r->id)
			ret->list[ret->n++] = r;
		else
			free(r);
	}
}

void order_api_requests(struct centra_conn *n, const struct requests_query *q,
			struct centra_requests *ret)
{
	struct post p = {.method = "GET", .body = "", .len = 0};
	const struct json *list;
	struct json *v;
	struct buf path;

	*ret = (struct centra_requests){0};
	buf_init(&path, PATH_MAX_BYTES);
	buf_fmt(&path, "/allocation-requests?page=%u%s", q->page ? q->page : 1,
		q->all ? "&status=all" : "");
	add_list(&path, "order", q->orders, q->n_orders);
	add_list(&path, "warehouse", q->warehouses, q->n_warehouses);
	p.path = path.data;
	v = ask(n, &p, &ret->call, &ret->not_allowed);
	list = json_get(v, "allocation_requests");
	if (v && json_is(json_get(v, "status"), "ok") &&
	    (json_is_list(list) || json_is_object(list))) {
		take_entries(list, ret);
	} else if (v) {
		ret->call.end = CALL_UNKNOWN;
		(void)!fail(&ret->call.why, RC_AGAIN,
			    "Centra does not list its allocation requests");
	}
	json_free(v);
	buf_release(&path);
}

void centra_requests_release(struct centra_requests *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->list[i]);
	free(r->list);
	*r = (struct centra_requests){0};
}

void order_api_request(struct centra_conn *n, int64_t id, bool confirm,
		       struct request_reply *ret)
{
	struct post p = {.method = "PUT",
			 .path = "/allocation-request",
			 .once = true};
	const struct json *said;
	struct json *v;
	struct buf body;

	*ret = (struct request_reply){0};
	buf_init(&body, BODY_MAX);
	json_begin(&body, NULL);
	json_put_int(&body, "id", id);
	json_put(&body, "status", confirm ? "confirmed" : "rejected");
	json_end(&body);
	p.body = body.data;
	p.len = body.len;
	v = ask(n, &p, &ret->call, &ret->not_allowed);
	said = json_get(v, "success");
	if (v && json_count(v, "success") == 1 && json_is_bool(said)) {
		ret->ok = json_is_true(said);
		ret->msg = flatten(json_get(v, "errorMessages"));
		ret->our_fault = !ret->ok && ret->msg &&
				 json_is_object(json_get(v, "errorMessages"));
	} else if (v) {
		ret->call.end = CALL_UNKNOWN;
		(void)!fail(&ret->call.why, RC_AGAIN,
			    "the reply to an allocation request is not one of "
			    "success or failure");
	}
	json_free(v);
	buf_release(&body);
}

void request_reply_release(struct request_reply *r)
{
	free(r->msg);
	*r = (struct request_reply){0};
}

/* ---- check-first ---- */

static void post_check_first(struct centra_conn *n, const char *body,
			     struct check_first_reply *ret)
{
	const struct post p = {.api = CENTRA_ORDER_API,
			       .path = "/check-first",
			       .once = true,
			       .body = body,
			       .len = strlen(body)};
	struct buf reply;
	struct json *v = NULL;
	struct err e;

	*ret = (struct check_first_reply){0};
	transport_post(n, &p, &ret->call, &reply);
	if (ret->call.end == CALL_OK &&
	    (json_parse(reply.data ? reply.data : "", reply.len, JSON_STRICT,
			&v, &e) ||
	     !read_reply(v, ret))) {
		ret->call.end = CALL_UNKNOWN;
		(void)!fail(&ret->call.why, RC_AGAIN,
			    "the reply to check-first is not one of ok or no");
	}
	json_free(v);
	buf_release(&reply);
}

void order_api_check_first(struct centra_conn *n, int64_t number,
			   int64_t warehouse, bool accept,
			   struct check_first_reply *ret)
{
	struct buf body;

	buf_init(&body, BODY_MAX);
	json_begin(&body, NULL);
	json_put_int(&body, "orderNumber", number);
	json_put_int(&body, "warehouseId", warehouse);
	json_put_bool(&body, "accepted", accept);
	json_end(&body);
	post_check_first(n, body.data, ret);
	buf_release(&body);
}

void order_api_try(struct centra_conn *n, struct check_first_reply *ret)
{
	post_check_first(n, "{}", ret);
}

void check_first_reply_release(struct check_first_reply *r)
{
	free(r->msg);
	*r = (struct check_first_reply){0};
}
