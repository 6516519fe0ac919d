/* SPDX-License-Identifier: MIT
 *
 * http.h - requests and responses as values.  libmicrohttpd is known only
 * to the files that http_private.h names.
 *
 * One thread, the loop, reads every socket and runs every answer function, so
 * those never block: what must wait says so (request_later) and is called
 * again.  Other threads reach the loop with http_call().
 */
#ifndef SERVER_HTTP_HTTP_H
#define SERVER_HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "server/config/config.h"
#include "server/http/request_id.h"
#include "server/access/token.h"
#include "store/store.h"

struct app;
struct chunk;
struct http;
struct route;

struct request {
	struct app *app;
	const struct config *config; /* held for the request's life */
	const struct route *route;
	const char *method;
	const char *path;
	const char *param; /* what the path's * matched, "" if it has none */
	const char *body;  /* NUL-terminated; NULL while empty */
	size_t body_len;
	const char *peer;  /* address, for limits and logs */
	char id[REQUEST_ID_MAX];   /* for logs; in the response's X-Request-Id */
	char trace[TRACE_ID_SIZE]; /* of the client's traceparent, or "" */
	int64_t now;       /* wall clock when the header was complete */
	struct device device; /* of AUTH_DEVICE routes: who asks */
	const struct config_shop *shop; /* of AUTH_DEVICE routes: whose */
	unsigned char credential[TOKEN_HASH_SIZE]; /* SHA-256 of its token */
	bool by_session;       /* by a cookie, not by a token */
	char csrf[TOKEN_SIZE]; /* its session's; "" when by a token */
	bool timed_out; /* a request_later() deadline passed */
	bool may_stop;	/* it waits for others than us: called when we stop */
	void *state;    /* the answer function's own, between its calls */
	void (*state_free)(void *state); /* called when the request ends */
};

struct response {
	int status;       /* HTTP; 0 = not answered */
	struct buf body;
	const char *type; /* Content-Type, a constant */
	int64_t retry_after; /* s; 0 = no header */
	const char *cookies[2]; /* Set-Cookie, each or NULL; owned by the
				 * request's state */
	bool immutable;      /* may be cached for good; else no-store */
	const char *etag;    /* a constant; or NULL */
	bool page;	     /* of the staff page: asked for again each time
			      * (etag), and what it may load is restricted */
};

/* The fields of a log line that name its request. */
#define LOG_REQUEST(req)                                                      \
	LOG_S("request", (req)->id),                                          \
		LOG_S("trace", *(req)->trace ? (req)->trace : NULL)

/* Answers a request: fills in the response, or calls request_later(). */
typedef void answer_fn(struct request *req, struct response *res);

/* A header or query argument, or NULL.  Valid until the request ends.  White
 * space around a header's value is no part of it (RFC 9110, 5.5).  Several
 * headers of one name: the first. */
const char *request_header(const struct request *req, const char *name);
/* Calls fn with each value of the headers of that name, in order, until it
 * returns false. */
void request_headers(const struct request *req, const char *name,
		     bool (*fn)(void *arg, const char *value), void *arg);
const char *request_query(const struct request *req, const char *name);

/* Puts the request aside: `next` answers it when request_resume() is called,
 * or at `deadline` (time_mono) with req->timed_out set.  Loop thread. */
void request_later(struct request *req, answer_fn *next, int64_t deadline);
/* Loop thread.  Nothing happens if the request was not put aside. */
void request_resume(struct request *req);

/* ---- answers ---- */

void respond_json(struct response *res, int status); /* body is filled in */
void respond_text(struct response *res, int status, const char *text);
/* RFC 9457: {"title","status","code","detail"}. */
void respond_problem(struct response *res, int status, const char *code,
		     const char *detail_fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* A row of codes.def: is there one, and what it says in words (or NULL). */
bool code_known(const char *code);
const char *code_words(const char *code);
/* Adds a member to the JSON object that the body ends with. */
void respond_member(struct response *res, const char *name, const char *json);

/* ---- answers without an end ---- loop thread
 *
 * The stream is the request's: it lives until the request ends, which
 * request.state_free tells.  That happens when the client goes, when it falls
 * behind (feed.h), after stream_end(), and when the server stops. */

/* Begins one (200); what stream_send() has queued goes out from then on.
 * False: it is a HEAD, which is answered with the header alone; the request has
 * no stream. */
bool respond_stream(struct request *req, struct response *res,
		    const char *type);
/* False: too much waits already; the stream has been cut. */
bool stream_send(struct request *req, struct chunk *c);
/* Ends it, soon, after what is queued. */
void stream_end(struct request *req);

/* ---- the server ----
 *
 * A write that a request began may end after the request, and reaches the loop
 * with http_call(): close the store between http_stop() and http_close().
 */

enum rc http_open(struct http **ret, struct app *app, struct err *e);
/* "127.0.0.1:43210": where it listens. */
const char *http_address(const struct http *h);
const char *http_admin_address(const struct http *h);
enum rc http_start(struct http *h, struct err *e); /* starts the loop thread */
/* Accepts no more; requests under way go on and connections close after. */
void http_quiesce(struct http *h);
void http_stop(struct http *h); /* waits for requests under way, ends the loop */
void http_close(struct http *h);

/* Runs c->fn(c) in the loop thread, soon.  Any thread.  c must live until. */
struct http_call {
	void (*fn)(struct http_call *c);
	void *arg;
	struct http_call *next; /* http.c's */
};
void http_call(struct http *h, struct http_call *c);

#endif
