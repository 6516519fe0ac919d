/* SPDX-License-Identifier: MIT
 *
 * http.h - an HTTP/1.1 server: requests and responses as values.
 *
 * It knows routes as data, limits as numbers, and hooks; who the callers are,
 * and what is stored, is unknown to it.  libmicrohttpd is known only to the
 * files that http_private.h names.
 *
 * Threads: one thread, the loop, reads and writes every socket.  It runs the
 * functions of routes without ROUTE_THREAD, so those never block.  Functions
 * of routes with ROUTE_THREAD, and the identify hook, run on request threads
 * and may read a store; what takes longer says so (request_later) and is
 * called again.  One function of a request runs at a time.  Other threads
 * reach the loop with http_call().
 */
#ifndef SERVER_HTTP_HTTP_H
#define SERVER_HTTP_HTTP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/networks.h"
#include "server/http/request_id.h"

struct chunk;
struct http;
struct http_route;

struct request {
	void *context; /* of the route's room: http_options.contexts */
	const struct http_route *route;
	const char *method;
	const char *path;
	const char *param; /* what the path's * matched, "" if it has none */
	const char *body;  /* NUL-terminated; NULL while empty */
	size_t body_len;
	const char *client; /* its address, for limits and logs */
	char id[REQUEST_ID_MAX];   /* for logs; in the response's X-Request-Id */
	char trace[TRACE_ID_SIZE]; /* of the client's traceparent, or "" */
	int64_t now;        /* wall clock when the header was complete */
	void *caller;       /* who asks: set by the identify hook; or NULL */
	uint64_t caller_id; /* the caller's number, for limits; 0: unknown */
	bool timed_out; /* a request_later() deadline passed */
	bool may_stop;	/* it waits for others than us: called when we stop */
	void *state;    /* the function's own, between its calls */
	void (*state_free)(void *state); /* called in the loop at the end */
};

struct response {
	int status;       /* HTTP; 0 = no response yet */
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

/* The function of a route: fills in the response, or calls request_later(). */
typedef void endpoint_fn(struct request *req, struct response *res);

/* A header or query argument, or NULL.  Valid until the request ends; any
 * thread that runs a function of the request.  White space around a header's
 * value is no part of it (RFC 9110, 5.5).  Several headers of one name: the
 * first. */
const char *request_header(const struct request *req, const char *name);
/* Calls fn with each value of the headers of that name, in order, until it
 * returns false. */
void request_headers(const struct request *req, const char *name,
		     bool (*fn)(void *arg, const char *value), void *arg);
const char *request_query(const struct request *req, const char *name);

/* Puts the request aside when the function returns: `next` is called when
 * request_resume() was, or at `deadline` (time_mono) with req->timed_out set;
 * at once if request_resume() was called before the function returned.  For
 * the function that runs. */
void request_later(struct request *req, endpoint_fn *next, int64_t deadline);
/* Loop thread, for a request that has not ended.  Nothing happens if its
 * function neither runs nor has put it aside. */
void request_resume(struct request *req);

/* ---- responses ---- for the function that runs */

void respond_json(struct response *res, int status); /* body is filled in */
void respond_text(struct response *res, int status, const char *text);
/* RFC 9457: {"title","status","code","detail"}. */
void respond_problem(struct response *res, int status, const char *code,
		     const char *detail_fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* A row of codes.def: is there one, and what it says in words (or NULL). */
bool code_known(const char *code);
const char *code_words(const char *code);
/* Each adds a member to the JSON object that the body ends with: a value that
 * is JSON, or a text. */
void respond_member(struct response *res, const char *name, const char *json);
void respond_member_text(struct response *res, const char *name,
			 const char *text);

/* ---- responses without an end ----
 *
 * The stream is the request's: it lives until the request ends, which
 * request.state_free tells.  That happens when the client goes, when it falls
 * behind (send_queue.h), after stream_end(), and when the server stops.
 * Respond in a function that runs in the loop (a route without ROUTE_THREAD);
 * stream_send() and stream_end() are for the loop thread. */

/* Begins one (200); what stream_send() has queued goes out from then on.
 * False: it is a HEAD, which is answered with the header alone; the request has
 * no stream. */
bool respond_stream(struct request *req, struct response *res,
		    const char *type);
/* Holds c until it was sent.  False: too much waits already; the stream has
 * been cut. */
bool stream_send(struct request *req, struct chunk *c);
/* Ends it, soon, after what is queued. */
void stream_end(struct request *req);

/* ---- routes, as data ---- */

enum listen_at { LISTEN_PUBLIC, LISTEN_ADMIN };
#define LISTENERS 2

/* Called once the header is complete and before a byte of body is read: may
 * respond at once (res->status set), so that nothing is read in vain.  False
 * without a response is a 404.  Loop thread. */
typedef bool early_fn(struct request *req, struct response *res);

enum route_flags {
	/* Who may ask: exactly one of these, so that none is forgotten. */
	ROUTE_ANYONE = 1 << 0,
	ROUTE_SIGNED = 1 << 1, /* the function verifies a signature */
	ROUTE_DEVICE = 1 << 2, /* the identify hook says who asks */

	ROUTE_THREAD = 1 << 3, /* the function runs on a request thread */
	ROUTE_OPERATOR = 1 << 4, /* with ROUTE_THREAD: on a thread that such
				  * routes have to themselves */
	ROUTE_ACTION = 1 << 5, /* counts for http_limits.actions */
};

struct http_route {
	const char *method;
	const char *path; /* one * stands for one segment */
	enum listen_at listener;
	unsigned flags;
	unsigned room;    /* index of http_options.contexts */
	size_t body_max;  /* bytes; 0 = no body; or BODY_LARGE */
	endpoint_fn *fn;
	early_fn *early; /* or NULL */
	const char *help;
};

#define BODY_LARGE ((size_t)-1) /* http_limits.large_body */

/* Refuses a table with a column left out or two rows alike.  It ends with a
 * row whose method is NULL. */
enum rc http_routes_check(const struct http_route *table, struct err *e);

/* The row for a method and path; *ret_param gets what * matched.  NULL: none;
 * *ret_allow is then the methods this path has ("GET, POST"), or NULL. */
const struct http_route *http_route_find(const struct http_route *table,
					 enum listen_at l, const char *method,
					 const char *path, char *ret_param,
					 size_t param_size,
					 const char **ret_allow);

/* ---- the server ----
 *
 * A write that a request began may end after the request, and reaches the loop
 * with http_call(): close the store between http_stop() and http_close().
 */

/* What is counted; the caller reads it.  Any thread. */
struct http_counters {
	atomic_ullong requests;	       /* answered */
	atomic_ullong refused;	       /* of those, with 4xx */
	atomic_ullong failed;	       /* with 5xx */
	atomic_ullong limited;	       /* with 429, by the limits of a caller */
	atomic_ullong evicted;	       /* connections, for others that waited */
	atomic_ullong bodies_evicted;  /* connections, for their body */
	atomic_ullong bodies_refused;  /* requests, at buffered_max */
	atomic_size_t buffered;	       /* bytes held now: http_buffered() */
	atomic_size_t waiting;	       /* requests that wait for a thread now */
	atomic_size_t running;	       /* functions on request threads now */
};

/* What may change while the server runs. */
struct http_limits {
	size_t large_body;   /* bytes of a body, of routes with BODY_LARGE */
	size_t buffered_max; /* bytes of bodies in memory; large_body at least */
	int64_t longest_wait; /* ms that http_stop() gives requests that wait */
	/* Whose X-Forwarded-For is believed.  Borrowed during the call. */
	const struct networks *proxies;
	/* Of one caller.  0: the default below. */
	unsigned running; /* functions on request threads at once; as it was
			   * at http_open(), and never on all threads */
	unsigned waiting; /* requests that wait for a thread; then 429 */
	unsigned actions; /* requests of ROUTE_ACTION in ACTIONS_MS; then 429 */
};
#define CALLER_RUNNING 4
#define CALLER_WAITING 32
#define CALLER_ACTIONS 30
#define ACTIONS_MS     10000

struct http_hooks {
	void *arg; /* of all */
	/* Says who asks at a route of ROUTE_DEVICE, before its body is read:
	 * sets req->caller and req->caller_id, or responds.  On a request
	 * thread.  May be called for a request that is gone by then. */
	void (*identify)(void *arg, struct request *req, struct response *res);
	/* Frees a req->caller.  Loop thread. */
	void (*caller_free)(void *caller);
	/* A request has ended, answered or not: it is forgotten.  Loop. */
	void (*ended)(void *arg, struct request *req);
	/* A request that no route of the public listener takes.  Loop. */
	void (*misdirected)(void *arg, const struct request *req);
	/* Each tick_ms.  Loop. */
	void (*tick)(void *arg);
	int64_t tick_ms;
	/* The last act of the loop thread: http_call() does nothing more. */
	void (*detach)(void *arg);
}; /* each function or NULL, but identify where a route needs it */

struct http_options {
	const char *listen[LISTENERS]; /* "ADDRESS:PORT"; port 0 = any free */
	const struct http_route *routes; /* borrowed */
	void *const *contexts; /* borrowed; read when a request comes */
	struct http_hooks hooks;
	struct http_counters *counters; /* borrowed; outlives http_close() */
	const atomic_bool *draining; /* borrowed: connections end with their
				      * response while it is true */
	size_t connections, connections_per_ip; /* 0 of the latter: no limit */
	int64_t idle_timeout, header_timeout, body_timeout; /* ms */
	unsigned request_threads; /* 1 at least */
	/* The one header whose value may be on two lines; or NULL. */
	const char *folded_header;
	struct http_limits limits;
};

enum rc http_open(struct http **ret, const struct http_options *o,
		  struct err *e);
/* "127.0.0.1:43210": where it listens. */
const char *http_address(const struct http *h);
const char *http_admin_address(const struct http *h);
enum rc http_start(struct http *h, struct err *e); /* starts its threads */
/* Takes other limits; any thread. */
void http_set_limits(struct http *h, const struct http_limits *limits);
/* Accepts no more; requests under way go on and connections close after. */
void http_quiesce(struct http *h);
void http_stop(struct http *h); /* waits for requests under way, ends the loop */
void http_close(struct http *h);

/* Counts bytes that a room keeps of a body after its request: they use up
 * buffered_max too.  Less than 0: they are free again.  Loop thread. */
void http_buffered(struct http *h, int64_t bytes);

/* Runs c->fn(c) in the loop thread, soon.  Any thread.  c must live until. */
struct http_call {
	void (*fn)(struct http_call *c);
	void *arg;
	STAILQ_ENTRY(http_call) link; /* loop.c's */
};
void http_call(struct http *h, struct http_call *c);
/* Runs fn(arg) in the loop thread and returns when it has: for a function on a
 * request thread that reads what the loop owns.  Never from the loop itself. */
void http_in_loop(struct http *h, void (*fn)(void *arg), void *arg);

#endif
