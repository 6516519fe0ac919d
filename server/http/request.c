/* SPDX-License-Identifier: MIT
 *
 * request.c - one request and its answer.
 *
 * MHD announces it in steps: its first line (request_line), then its header
 * (request_begin: everything that can be refused is refused here, before a
 * byte of body is kept), then the body in pieces, then its end
 * (request_run).  An exchange put aside is a suspended MHD connection.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/time.h"
#include "server/http/http_private.h"

#define URL_MAX	    2048
#define SWALLOW_MAX ((size_t)1 << 20) /* of a chunked body past its limit */

void *request_line(void *cls, const char *uri, struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct conn *c = info->socket_context;
	struct http_request *x = xcalloc(1, sizeof(*x));

	(void)cls;
	if (c->x) /* refused by MHD before its header was complete */
		request_free(c->x);
	c->x = x;
	x->conn = c;
	x->mhd = mhd;
	x->too_large = strlen(uri) > URL_MAX;
	x->path = x->too_large ? NULL : header_path(uri);
	x->started = time_mono();
	memcpy(x->client, c->client, sizeof(x->client));
	x->req.path = x->path;
	x->req.param = x->param;
	x->req.client = x->client;
	buf_init(&x->res.body, RESPONSE_MAX);
	return x;
}

/* No longer put aside. */
static void aside_remove(struct http_request *x)
{
	if (x->prev)
		x->prev->next = x->next;
	else
		http_of(x)->aside = x->next;
	if (x->next)
		x->next->prev = x->prev;
	x->prev = x->next = NULL;
	x->suspended = false;
}

void request_free(struct http_request *x)
{
	struct http *h = http_of(x);

	body_completed(x);
	if (x->suspended)
		aside_remove(x);
	if (x->stream)
		stream_free(x);
	if (h->o.hooks.ended)
		h->o.hooks.ended(h->o.hooks.arg, &x->req);
	if (x->req.state_free)
		x->req.state_free(x->req.state);
	if (x->req.caller)
		h->o.hooks.caller_free(x->req.caller);
	body_free(x);
	buf_release(&x->res.body);
	free(x->path);
	free(x->signature);
	while (x->trimmed) {
		struct trimmed *t = x->trimmed;

		x->trimmed = t->next;
		free(t);
	}
	x->conn->x = NULL;
	free(x);
}

void request_completed(void *cls, struct MHD_Connection *mhd, void **con_cls,
			enum MHD_RequestTerminationCode toe)
{
	struct http_request *x = *con_cls;
	const struct http_options *o;
	struct conn *c;

	(void)cls;
	(void)mhd;
	(void)toe;
	if (!x)
		return;
	c = x->conn;
	o = &http_of(x)->o;
	request_free(x);
	*con_cls = NULL;
	conn_step(c);
	/* MHD ends an idle connection; this ends one that sends its next
	 * header byte by byte. */
	conn_deadline(c, o->idle_timeout + o->header_timeout);
}

void request_later(struct request *req, endpoint_fn *next, int64_t deadline)
{
	struct http_request *x = http_request_of(req);

	x->answer_next = next;
	x->deadline = deadline;
	x->aside = true;
}

void request_resume(struct request *req)
{
	struct http_request *x = http_request_of(req);

	if (!x->aside)
		return;
	x->again = true;
	if (!x->suspended)
		return;
	aside_remove(x);
	x->conn->listener->ready = true;
	MHD_resume_connection(x->mhd);
}

static void request_suspend(struct http_request *x)
{
	struct http *h = http_of(x);

	x->suspended = true;
	x->next = h->aside;
	if (x->next)
		x->next->prev = x;
	h->aside = x;
	x->conn->deadline = NEVER;
	if (h->stop_by != NEVER && x->req.may_stop)
		x->deadline = time_mono();
	http_wake_by(h, x->deadline);
	MHD_suspend_connection(x->mhd);
}

void request_timers(struct http *h, int64_t now)
{
	struct http_request *x, *next;

	for (x = h->aside; x; x = next) {
		next = x->next;
		if (x->deadline > now) {
			http_wake_by(h, x->deadline);
			continue;
		}
		x->req.timed_out = true;
		request_resume(&x->req);
	}
}

void request_call_all(struct listener *d)
{
	struct http_request *x, *next;

	for (x = d->http->aside; x; x = next) {
		next = x->next;
		if (x->conn->listener != d)
			continue;
		x->req.timed_out = true;
		request_resume(&x->req);
	}
}

void request_drop_all(struct listener *d)
{
	struct http_request *x, *next;

	for (x = d->http->aside; x; x = next) {
		next = x->next;
		if (x->conn->listener != d)
			continue;
		aside_remove(x);
		MHD_resume_connection(x->mhd);
	}
}

/* The value without the white space behind it; kept until the request ends. */
static const char *trim(struct http_request *x, const char *value)
{
	size_t len = value ? strlen(value) : 0;
	struct trimmed *t;

	if (!len || (value[len - 1] != ' ' && value[len - 1] != '\t'))
		return value;
	while (len && (value[len - 1] == ' ' || value[len - 1] == '\t'))
		len--;
	t = xcalloc(1, sizeof(*t) + len + 1);
	memcpy(t->text, value, len);
	t->next = x->trimmed;
	x->trimmed = t;
	return t->text;
}

const char *request_header(const struct request *req, const char *name)
{
	struct http_request *x = (struct http_request *)(uintptr_t)req;

	if (x->signature && !strcasecmp(name, http_of(x)->o.folded_header))
		return trim(x, x->signature);
	return trim(x, MHD_lookup_connection_value(x->mhd, MHD_HEADER_KIND,
						   name));
}

struct each {
	struct http_request *x;
	const char *name;
	bool (*fn)(void *arg, const char *value);
	void *arg;
};

/* MHD_KeyValueIterator */
static enum MHD_Result each_value(void *cls, enum MHD_ValueKind kind,
				  const char *key, const char *value)
{
	struct each *e = cls;

	(void)kind;
	if (!value || strcasecmp(key, e->name))
		return MHD_YES;
	return e->fn(e->arg, trim(e->x, value)) ? MHD_YES : MHD_NO;
}

void request_headers(const struct request *req, const char *name,
		     bool (*fn)(void *arg, const char *value), void *arg)
{
	struct each e = {(struct http_request *)(uintptr_t)req, name, fn, arg};

	MHD_get_connection_values(e.x->mhd, MHD_HEADER_KIND, each_value, &e);
}

const char *request_query(const struct request *req, const char *name)
{
	const struct http_request *x = (const struct http_request *)req;

	return MHD_lookup_connection_value(x->mhd, MHD_GET_ARGUMENT_KIND,
					   name);
}

/* Runs the answer function, and again if it was put aside and resumed by
 * itself, until it has answered or waits. */
static enum MHD_Result request_run(struct http_request *x, endpoint_fn *fn)
{
	for (;;) {
		x->aside = x->again = false;
		fn(&x->req, &x->res);
		if (x->res.status || !x->aside) {
			x->aside = false;
			return send_response(x);
		}
		if (!x->again) {
			request_suspend(x);
			return MHD_YES;
		}
		fn = x->answer_next;
	}
}

static void find_route(struct http_request *x)
{
	struct request *req = &x->req;

	const struct http_options *o = &http_of(x)->o;

	req->route = http_route_find(o->routes, x->conn->listener->which,
				     req->method, req->path, x->param,
				     sizeof(x->param), &x->allow);
	if (req->route) {
		req->context = o->contexts[req->route->room];
		return;
	}
	if (x->allow)
		respond_problem(&x->res, 405, "method_not_allowed",
				"this address takes %s", x->allow);
	else
		respond_problem(&x->res, 404, "not_found",
				"there is nothing at this address");
}

static size_t body_limit(const struct http_request *x)
{
	size_t max = x->req.route->body_max;

	return max == BODY_LARGE ? http_of(x)->limits.large_body : max;
}

static void too_large(struct http_request *x)
{
	respond_problem(&x->res, 413, "too_large",
			"a body here may have %zu bytes", body_limit(x));
}

static void check_length(struct http_request *x, const struct header *h)
{
	const struct http *http = http_of(x);

	if (h->length > body_limit(x))
		too_large(x);
	else if (h->length && http->o.counters->buffered - http->reading +
					      h->length >
				      body_buffered_max(http))
		body_no_room(x); /* incomplete ones would make way */
	else
		buf_init(&x->body, body_limit(x));
}

/* No route of the public listener takes it. */
static bool found_nothing(const struct http_request *x)
{
	return !x->unread && (x->res.status == 404 || x->res.status == 405) &&
	       x->conn->listener->which == LISTEN_PUBLIC;
}

/* What the request is called in logs, and by whom it was called so. */
static void take_name(struct http_request *x)
{
	struct request *req = &x->req;
	struct http *h = http_of(x);

	if (!request_id_take(req->id, request_header(req, "X-Request-Id")))
		request_id_make(req->id, h->id_prefix, ++h->requests);
	(void)trace_id_take(req->trace, request_header(req, "traceparent"));
}

static enum MHD_Result request_begin(struct http_request *x, const char *method,
				      const char *version)
{
	struct request *req = &x->req;
	struct http *h = http_of(x);
	struct header header;
	struct response *res = &x->res;

	x->begun = true;
	req->method = method;
	req->now = time_now();
	header_read(&header, x->mhd, version, h->o.folded_header);
	take_name(x);
	networks_peer(x->client, &h->proxies, x->conn->client,
		      header.forwarded, header.n_forwarded);
	if (header.folded)
		x->signature = xasprintf("%s%s", header.folded, header.rest);
	if (x->too_large)
		respond_problem(res, 414, "too_large",
				"the address is longer than %d bytes", URL_MAX);
	else
		header_check(&header, res);
	if (!res->status && !x->path)
		respond_problem(res, 400, "bad_request",
				"the path holds an escape that cannot be used");
	x->unread = res->status; /* where this request ends is in doubt */
	if (!res->status)
		find_route(x);
	if (!res->status && req->route->early &&
	    !req->route->early(req, res) && !res->status)
		respond_problem(res, 404, "not_found",
				"there is nothing at this address");
	if (found_nothing(x) && h->o.hooks.misdirected)
		h->o.hooks.misdirected(h->o.hooks.arg, req);
	if (!res->status)
		check_length(x, &header);
	if (!res->status && (req->route->flags & ROUTE_DEVICE))
		h->o.hooks.identify(h->o.hooks.arg, req, res);
	if (res->status) {
		x->unread |= header.length || header.encodings;
		return send_response(x);
	}
	conn_step(x->conn);
	conn_deadline(x->conn, h->o.body_timeout);
	return MHD_YES;
}

/* MHD takes no answer in the middle of a body.  Of a chunked one that is too
 * long the rest is thrown away, up to a bound. */
static enum MHD_Result request_take_body(struct http_request *x, const char *data,
				     size_t len)
{
	if (!x->no_room && !x->too_large && !body_room(x, len)) {
		x->no_room = true;
		body_free(x);
	}
	if (!x->no_room && !x->too_large) {
		x->too_large = buf_add(&x->body, data, len) != OK;
		body_charge(x);
	}
	if (!x->no_room && !x->too_large)
		return MHD_YES;
	x->swallowed += len;
	return x->swallowed > SWALLOW_MAX ? MHD_NO : MHD_YES;
}

enum MHD_Result request_piece(void *cls, struct MHD_Connection *mhd,
				 const char *url, const char *method,
				 const char *version, const char *data,
				 size_t *len, void **con_cls)
{
	struct http_request *x = *con_cls;
	size_t n = *len;

	(void)cls;
	(void)mhd;
	(void)url;
	if (x->conn->evicted)
		return MHD_NO;
	if (!x->begun)
		return request_begin(x, method, version);
	if (n) {
		*len = 0;
		return request_take_body(x, data, n);
	}
	x->conn->deadline = NEVER;
	if (x->aside)
		return request_run(x, x->answer_next);
	conn_step(x->conn);
	body_completed(x);
	if (x->too_large || x->no_room) {
		if (x->too_large)
			too_large(x);
		else
			body_no_room(x);
		return send_response(x);
	}
	x->req.body = x->body.data;
	x->req.body_len = x->body.len;
	return request_run(x, x->req.route->fn);
}
