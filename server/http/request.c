/* SPDX-License-Identifier: MIT
 *
 * request.c - one request and its response.
 *
 * MHD announces it in steps: its first line (request_line), then its header
 * (request_begin: everything that can be refused is refused here, before a byte
 * of body is kept), then the body in pieces, then its end
 * (request_end_of_body).  Then its function runs: here, or on a thread; a
 * thread also finds out who sends the request, before the body is read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/time.h"
#include "server/http/http_private.h"

#define URL_MAX	    2048
#define SWALLOW_MAX ((size_t)1 << 20) /* bytes of a chunked body that are read
				       * and dropped once it is too long */

/* ---- what the request says ---- */

const char *request_header(const struct request *req, const char *name)
{
	const struct fields *f = &((const struct http_request *)req)->fields;

	for (size_t i = 0; i < f->n_headers; i++)
		if (!strcasecmp(f->list[i].name, name))
			return f->list[i].value;
	return NULL;
}

void request_headers(const struct request *req, const char *name,
		     bool (*fn)(void *arg, const char *value), void *arg)
{
	const struct fields *f = &((const struct http_request *)req)->fields;

	for (size_t i = 0; i < f->n_headers; i++)
		if (!strcasecmp(f->list[i].name, name) &&
		    !fn(arg, f->list[i].value))
			return;
}

const char *request_query(const struct request *req, const char *name)
{
	const struct fields *f = &((const struct http_request *)req)->fields;

	for (size_t i = f->n_headers; i < f->n; i++)
		if (!strcasecmp(f->list[i].name, name))
			return f->list[i].value;
	return NULL;
}

/* ---- suspended, and going on ---- */

static void request_suspend(struct http_request *x)
{
	x->conn->deadline = NEVER;
	conn_busy(x->conn);
	MHD_suspend_connection(x->mhd);
}

/* Makes MHD call request_piece() for the request again. */
static void request_wake(struct http_request *x)
{
	x->where = IN_LOOP;
	x->resumed = true;
	x->conn->listener->ready = true;
	MHD_resume_connection(x->mhd);
}

/* Puts a request aside whose connection is suspended. */
static void request_put_aside(struct http_request *x)
{
	struct http *h = http_of(x);

	x->where = ASIDE;
	LIST_INSERT_HEAD(&h->aside, x, link);
	if (h->stop_by != NEVER && x->req.may_stop)
		x->deadline = time_mono();
	timers_by(&h->timers, x->conn, x->deadline);
}

static bool on_a_thread(const struct http_request *x)
{
	return x->req.route->flags & ROUTE_THREAD;
}

static struct request_threads *threads_of(const struct http_request *x)
{
	struct http *h = http_of(x);

	return x->req.route->flags & ROUTE_OPERATOR ? h->operators :
						      h->threads;
}

static void too_many(struct http_request *x, const char *detail, int64_t wait)
{
	COUNT(http_of(x), limited);
	respond_problem(&x->res, 429, "too_many_requests", "%s", detail);
	x->res.retry_after = wait > 1000 ? (wait + 999) / 1000 : 1;
}

/* Returns how many requests of unknown callers may wait: half of the
 * connections, so that others get in too. */
static size_t most_waiting(const struct http *h)
{
	return h->o.connections / 2 + 1;
}

/* Chooses the key under which the request waits for a thread; returns how many
 * others may wait under it.  An operators' route has a key of its own, and no
 * low bound: anybody may ask for /readyz, and a balancer that was told 429 would
 * take the server out. */
static size_t choose_queue(struct http_request *x)
{
	struct http *h = http_of(x);
	uint64_t id = x->req.caller_id;

	x->stranger = false;
	if (x->req.route->flags & ROUTE_OPERATOR) {
		x->key = (uint64_t)(uintptr_t)x->req.route;
		return most_waiting(h);
	}
	if (!id && x->identify)
		id = callers_known(h->callers, x->credential);
	if (id) {
		x->key = callers_key(h->callers, id);
		return h->limits.waiting ? h->limits.waiting : CALLER_WAITING;
	}
	x->stranger = true;
	x->key = callers_key_of_address(h->callers, x->client);
	return h->strangers < most_waiting(h) ? h->o.connections : 0;
}

/* Hands a suspended request to a thread, which calls fn once the caller is
 * known; or responds 429. */
static void request_queue(struct http_request *x, endpoint_fn *fn)
{
	struct http *h = http_of(x);
	size_t waiting = choose_queue(x);

	/* A caller that was not known before waits a second time, now under its
	 * own number. */
	x->fn = x->identify && x->stranger ? NULL : fn;
	x->aside = x->again = false;
	x->where = ON_THREADS;
	LIST_INSERT_HEAD(&h->on_threads, x, link);
	h->strangers += x->stranger;
	if (threads_add(threads_of(x), x, waiting))
		return;
	h->strangers -= x->stranger;
	LIST_REMOVE(x, link);
	too_many(x, "too many requests of yours wait already", 0);
	request_wake(x);
}

/* As request_queue(), for a request that was begun: it goes before its caller's
 * other requests, and is not refused. */
static void request_queue_again(struct http_request *x)
{
	(void)choose_queue(x);
	x->stranger = false; /* a request counts as a stranger only while it
			      * waits in the queue */
	x->fn = x->next;
	x->aside = x->again = false;
	x->where = ON_THREADS;
	LIST_INSERT_HEAD(&http_of(x)->on_threads, x, link);
	threads_add_first(threads_of(x), x);
}

/* False: its caller acts too often; responds 429. */
static bool action_allowed(struct http_request *x)
{
	const struct http *h = http_of(x);
	unsigned most = h->limits.actions ? h->limits.actions : CALLER_ACTIONS;
	int64_t wait;

	if (!(x->req.route->flags & ROUTE_ACTION))
		return true;
	(void)choose_queue(x);
	if (threads_action(h->threads, x, most, &wait))
		return true;
	too_many(x, "this device acts too often; wait", wait);
	return false;
}

/* Starts the function of a suspended request whose body is complete: in the
 * loop, or on a thread. */
static void request_dispatch(struct http_request *x)
{
	bool stranger = x->identify && !x->req.caller_id &&
			!callers_known(http_of(x)->callers, x->credential);

	if (!stranger && !action_allowed(x)) {
		request_wake(x);
	} else if (x->identify || on_a_thread(x)) {
		request_queue(x, on_a_thread(x) ? x->req.route->fn : NULL);
	} else {
		x->next = x->req.route->fn;
		request_wake(x);
	}
}

/* Finds out who sends the request; anew if that was found before the body came,
 * since that may be a while ago. */
static void request_identify(struct http_request *x)
{
	const struct http_hooks *hooks = &http_of(x)->o.hooks;

	if (x->req.caller)
		hooks->caller_free(x->req.caller);
	x->req.caller = NULL;
	x->req.caller_id = 0;
	hooks->identify(hooks->arg, &x->req, &x->res);
}

void request_on_thread(struct http_request *x)
{
	if (x->identify)
		request_identify(x);
	if (x->fn && !x->res.status)
		x->fn(&x->req, &x->res);
}

/* Takes a request back from the threads, whether one ran it or not. */
static void request_back(struct http_request *x)
{
	struct http *h = http_of(x);

	LIST_REMOVE(x, link);
	x->where = IN_LOOP;
	h->strangers -= x->stranger;
	x->stranger = false;
}

static void request_end_unanswered(struct http_request *x)
{
	x->next = NULL;
	request_wake(x);
}

/* Called in the loop after a thread has run the request's function.  An
 * http_call. */
static void request_ran(struct http_call *call)
{
	struct http_request *x = call->arg;

	request_back(x);
	if (x->identify)
		callers_learn(http_of(x)->callers, x->credential,
			      x->req.caller_id);
	x->identify = x->identify && !x->complete;
	if (x->res.status)
		request_wake(x);
	else if (!x->fn && !x->complete)
		request_wake(x); /* its body may come */
	else if (!x->fn)
		request_dispatch(x);
	else if (x->aside && x->again)
		request_queue_again(x);
	else if (x->aside)
		request_put_aside(x);
	else
		request_end_unanswered(x);
}

void request_not_run(struct http_request *x)
{
	request_back(x);
	respond_problem(&x->res, 503, "not_stored", "the server stops");
	x->res.retry_after = 1;
	request_wake(x);
}

/* Ends the wait of a request that was put aside: its next function runs. */
static void request_continue(struct http_request *x)
{
	LIST_REMOVE(x, link);
	x->where = IN_LOOP;
	if (on_a_thread(x))
		request_queue_again(x);
	else
		request_wake(x);
}

void request_later(struct request *req, endpoint_fn *next, int64_t deadline)
{
	struct http_request *x = http_request_of(req);

	x->next = next;
	x->deadline = deadline;
	x->aside = true;
}

void request_resume(struct request *req)
{
	struct http_request *x = http_request_of(req);

	if (x->where == ASIDE)
		request_continue(x);
	else if (x->where == ON_THREADS || x->aside)
		x->again = true;
}

void request_timed_out(struct http_request *x)
{
	x->req.timed_out = true;
	request_continue(x);
}

void request_call_all(struct http *h)
{
	struct http_request *x, *next;

	for (x = LIST_FIRST(&h->aside); x; x = next) {
		next = LIST_NEXT(x, link);
		request_timed_out(x);
	}
}

void request_drop_all(struct http *h)
{
	struct http_request *x, *next;

	for (x = LIST_FIRST(&h->aside); x; x = next) {
		next = LIST_NEXT(x, link);
		LIST_REMOVE(x, link);
		request_wake(x);
	}
}

/* Runs a function in the loop; and if the function put the request aside and it
 * was resumed meanwhile, the next one; until the request has a response or
 * waits. */
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
			request_put_aside(x);
			return MHD_YES;
		}
		fn = x->next;
	}
}

/* ---- begin and end ---- */

/* Requests that are kept.  None where a sanitizer is to see what is used after
 * its end: gcc defines __SANITIZE_ADDRESS__, clang has a feature. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SPARE_MAX 0
#endif
#endif
#if !defined(SPARE_MAX) && defined(__SANITIZE_ADDRESS__)
#define SPARE_MAX 0
#elif !defined(SPARE_MAX)
#define SPARE_MAX 1024
#endif

/* Returns a request whose every field is zero, except the memory of its fields
 * and body. */
static struct http_request *request_new(struct http *h)
{
	struct http_request *x = LIST_FIRST(&h->spare);

	if (!x)
		return xcalloc(1, sizeof(*x));
	LIST_REMOVE(x, link);
	h->n_spare--;
	return x;
}

/* Frees a request that owns nothing but the memory of its fields and body; or
 * keeps it for request_new(), since many thousands begin and end each second. */
static void request_drop(struct http *h, struct http_request *x)
{
	struct fields fields;
	struct buf body;

	if (h->n_spare + 1 > SPARE_MAX) {
		fields_release(&x->fields);
		buf_release(&x->body);
		free(x);
		return;
	}
	fields_clear(&x->fields);
	fields = x->fields;
	body = x->body;
	*x = (struct http_request){.fields = fields, .body = body};
	LIST_INSERT_HEAD(&h->spare, x, link);
	h->n_spare++;
}

void request_spare_release(struct http *h)
{
	struct http_request *x;

	while ((x = LIST_FIRST(&h->spare))) {
		LIST_REMOVE(x, link);
		fields_release(&x->fields);
		buf_release(&x->body);
		free(x);
	}
}

void *request_line(void *cls, const char *uri, struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct conn *c = info->socket_context;
	struct http_request *x;

	(void)cls;
	if (c->x) /* MHD refused it before its header was complete */
		request_free(c->x);
	x = request_new(c->listener->http);
	c->x = x;
	x->conn = c;
	x->mhd = mhd;
	x->too_large = strlen(uri) > URL_MAX;
	x->path = x->too_large ? NULL : header_path(uri);
	x->started = http_of(x)->now;
	memcpy(x->client, c->client, sizeof(x->client));
	x->req.path = x->path;
	x->req.param = x->param;
	x->req.client = x->client;
	x->call = (struct http_call){.fn = request_ran, .arg = x};
	buf_init(&x->res.body, RESPONSE_MAX);
	return x;
}

void request_free(struct http_request *x)
{
	struct http *h = http_of(x);

	body_completed(x);
	if (x->where == ASIDE)
		LIST_REMOVE(x, link);
	if (x->stream)
		stream_free(x);
	if (h->o.hooks.ended)
		h->o.hooks.ended(h->o.hooks.arg, &x->req);
	if (x->req.state_free)
		x->req.state_free(x->req.state);
	if (x->req.caller)
		h->o.hooks.caller_free(x->req.caller);
	body_ended(x);
	buf_release(&x->res.body);
	free(x->path);
	x->conn->x = NULL;
	request_drop(h, x);
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
	/* MHD ends idle connections; this deadline also ends one that sends its
	 * next header byte by byte. */
	conn_deadline(c, o->idle_timeout + o->header_timeout);
}

/* ---- its header ---- */

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
		body_no_room(x); /* no incomplete body is left that could be
				  * thrown away */
	else
		body_begin(x, h->length, body_limit(x));
}

/* True if the public listener has no route for the request. */
static bool found_nothing(const struct http_request *x)
{
	return !x->unread && (x->res.status == 404 || x->res.status == 405) &&
	       x->conn->listener->which == LISTEN_PUBLIC;
}

/* Takes over the request's id from the client, or makes one, and notes the
 * client's trace id. */
static void take_name(struct http_request *x)
{
	struct request *req = &x->req;
	struct http *h = http_of(x);

	if (!request_id_take(req->id, request_header(req, "X-Request-Id")))
		request_id_make(req->id, h->id_prefix, ++h->requests);
	(void)trace_id_take(req->trace, request_header(req, "traceparent"));
}

static enum MHD_Result body_awaited(struct http_request *x)
{
	conn_step(x->conn);
	conn_deadline(x->conn, http_of(x)->o.body_timeout);
	return MHD_YES;
}

static enum MHD_Result request_begin(struct http_request *x, const char *method,
				      const char *version)
{
	struct request *req = &x->req;
	struct http *h = http_of(x);
	struct header header;
	struct response *res = &x->res;

	x->begun = true;
	memcpy(x->method, method, strnlen(method, sizeof(x->method) - 1));
	req->method = x->method;
	req->now = time_now();
	header_read(&header, x->mhd, version, h->o.folded_header);
	fields_copy(&x->fields, &header, x->mhd);
	x->has_body = header.length || header.encodings;
	take_name(x);
	if (header.n_forwarded)
		networks_client(x->client, &h->proxies, x->conn->client,
				header.forwarded, header.n_forwarded);
	if (x->too_large)
		respond_problem(res, 414, "too_large",
				"the address is longer than %d bytes", URL_MAX);
	else
		header_check(&header, res);
	if (!res->status && !x->path)
		respond_problem(res, 400, "bad_request",
				"the path or the query holds an escape that cannot be used");
	x->unread = res->status; /* where this request ends is uncertain: close
				  * the connection */
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
	if (res->status) {
		x->unread |= x->has_body;
		return send_response(x);
	}
	if (req->route->flags & ROUTE_DEVICE) {
		x->identify = true;
		x->credential = callers_credential(h->callers, x);
		if (x->has_body) {
			request_suspend(x);
			request_queue(x, NULL);
			return MHD_YES;
		}
	}
	return body_awaited(x);
}

/* Keeps a piece of the body.  MHD accepts no response in the middle of a body;
 * of a chunked one that is too long the rest is read and dropped, up to a
 * bound. */
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

/* Called when the body is complete: runs the request's function. */
static enum MHD_Result request_end_of_body(struct http_request *x)
{
	conn_step(x->conn);
	body_completed(x);
	if (x->too_large || x->no_room) {
		if (x->too_large)
			too_large(x);
		else
			body_no_room(x);
		return send_response(x);
	}
	x->req.body = x->body.len ? x->body.data : NULL;
	x->req.body_len = x->body.len;
	if (!x->identify && !(x->req.route->flags & (ROUTE_THREAD | ROUTE_ACTION)))
		return request_run(x, x->req.route->fn);
	request_suspend(x);
	request_dispatch(x);
	return MHD_YES;
}

/* Continues a request that was suspended and that MHD calls again. */
static enum MHD_Result request_go_on(struct http_request *x)
{
	x->resumed = false;
	if (x->res.status) {
		x->unread |= x->has_body && !x->complete;
		return send_response(x);
	}
	if (!x->complete)
		return body_awaited(x);
	if (x->next)
		return request_run(x, x->next);
	return send_response(x);
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
	if (x->resumed)
		return request_go_on(x);
	if (n) {
		*len = 0;
		return request_take_body(x, data, n);
	}
	x->conn->deadline = NEVER;
	return request_end_of_body(x);
}
