/* SPDX-License-Identifier: MIT
 *
 * send.c - sends a response: the headers that every response has, those that
 * depend on the response, and the body.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/time.h"
#include "server/http/http_private.h"

#define SEND_MS	     30000 /* ms in which a response must be sent, whatever its
			    * length */
#define BYTES_PER_MS 64	   /* and its least pace */
#define STREAM_BLOCK 1024  /* bytes of MHD's block for a stream; MHD asks for
			    * more at once */

static void count_answer(struct http_request *x)
{
	struct http *h = http_of(x);
	int status = x->res.status;

	COUNT(h, requests);
	if (status >= 500)
		COUNT(h, failed);
	else if (status >= 400)
		COUNT(h, refused);
	if (x->req.route && !(x->req.route->flags & ROUTE_ANYONE))
		log_line(LOG_DEBUG, "request",
			 LOG_S("method", x->req.method),
			 LOG_S("route", x->req.route->path),
			 LOG_N("status", status), LOG_S("peer", x->req.client),
			 LOG_REQUEST(&x->req),
			 LOG_N("latency_ms", time_mono() - x->started));
}

static const char *cache_control(const struct response *res)
{
	if (res->immutable)
		return "public, max-age=31536000, immutable";
	return res->page ? "no-cache" : "no-store";
}

static void add_headers(struct http_request *x, struct MHD_Response *r)
{
	const struct response *res = &x->res;
	struct http *h = http_of(x);
	char seconds[24];

	if (res->type)
		MHD_add_response_header(r, "Content-Type", res->type);
	MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
	MHD_add_response_header(r, "X-Request-Id", x->req.id);
	if (*x->req.trace)
		MHD_add_response_header(r, "traceparent",
					request_header(&x->req,
						       "traceparent"));
	MHD_add_response_header(r, "Cache-Control", cache_control(res));
	if (res->page) {
		MHD_add_response_header(r, "Content-Security-Policy",
					h->page_policy);
		MHD_add_response_header(r, "Referrer-Policy", "no-referrer");
	}
	if (x->stream) /* tells nginx not to buffer the stream */
		MHD_add_response_header(r, "X-Accel-Buffering", "no");
	if (res->etag)
		MHD_add_response_header(r, "ETag", res->etag);
	for (size_t i = 0; i < 2; i++)
		if (res->cookies[i])
			MHD_add_response_header(r, "Set-Cookie",
						res->cookies[i]);
	if (res->retry_after) {
		snprintf(seconds, sizeof(seconds), "%lld",
			 (long long)res->retry_after);
		MHD_add_response_header(r, "Retry-After", seconds);
	}
	if (x->allow && res->status == 405)
		MHD_add_response_header(r, "Allow", x->allow);
	if (res->status == 401 && x->req.route &&
	    (x->req.route->flags & ROUTE_DEVICE))
		MHD_add_response_header(r, "WWW-Authenticate", "Bearer");
	if (x->unread || x->stream || x->header_only || h->stop_by != NEVER ||
	    (h->o.draining && *h->o.draining))
		MHD_add_response_header(r, "Connection", "close");
}

/* Sends the header of a stream; stream_read() supplies its bytes. */
static enum MHD_Result send_stream(struct http_request *x)
{
	struct MHD_Response *r = MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, STREAM_BLOCK, stream_read, x, NULL);
	enum MHD_Result done;

	if (!r)
		return MHD_NO;
	add_headers(x, r);
	count_answer(x);
	done = MHD_queue_response(x->mhd, (unsigned)x->res.status, r);
	MHD_destroy_response(r);
	if (done == MHD_YES)
		stream_begin(x);
	return done;
}

/* Sends the header of a stream as the response to a HEAD.  The length is not
 * known, so there must be no Content-Length; as a chunked response, MHD 0.9.75
 * would send a last chunk. */
static enum MHD_Result send_header_only(struct http_request *x)
{
	struct MHD_Response *r = MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, STREAM_BLOCK, stream_none, NULL, NULL);
	enum MHD_Result done;

	if (!r)
		return MHD_NO;
	MHD_set_response_options(r, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT,
				 MHD_RO_END);
	add_headers(x, r);
	count_answer(x);
	conn_step(x->conn);
	conn_deadline(x->conn, SEND_MS);
	done = MHD_queue_response(x->mhd, (unsigned)x->res.status, r);
	MHD_destroy_response(r);
	return done;
}

enum MHD_Result send_response(struct http_request *x)
{
	struct response *res = &x->res;
	struct MHD_Response *r;
	enum MHD_Result done;
	const char *match;
	size_t len;
	char *bytes;

	if (x->stream && res->status == 200)
		return send_stream(x);
	if (x->header_only && res->status == 200)
		return send_header_only(x);
	if (!res->status)
		respond_problem(res, 500, "no_answer",
				"this request was given no answer");
	if (buf_full(&res->body)) {
		log_limited(6, LOG_ERROR, "response too large",
			    LOG_S("route", x->req.route->path),
			    LOG_REQUEST(&x->req));
		buf_release(&res->body);
		buf_init(&res->body, RESPONSE_MAX);
		respond_problem(res, 500, "too_large",
				"the answer is larger than we send");
	}
	match = res->etag ? request_header(&x->req, "If-None-Match") : NULL;
	/* The tag may stand in a list, and a proxy may have marked it as weak,
	 * so it is searched for. */
	if (match && res->status == 200 && strstr(match, res->etag)) {
		res->status = 304;
		buf_clear(&res->body);
	}
	bytes = buf_detach(&res->body, &len);
	r = MHD_create_response_from_buffer(len, bytes, MHD_RESPMEM_MUST_FREE);
	if (!r) {
		free(bytes);
		return MHD_NO;
	}
	add_headers(x, r);
	count_answer(x);
	if (x->unread)
		x->conn->lingering_fd = dup(x->conn->fd);
	conn_step(x->conn); /* the request may have waited long: that is no
			     * idleness */
	conn_deadline(x->conn, SEND_MS + (int64_t)(len / BYTES_PER_MS));
	done = MHD_queue_response(x->mhd, (unsigned)res->status, r);
	MHD_destroy_response(r);
	return done;
}
