/* SPDX-License-Identifier: MIT
 *
 * http.h - an HTTP/1.1 server: requests and responses as values.
 *
 * It knows routes as data, limits as numbers, and hooks.  It does not know who
 * the callers are or what is stored.  Only the files that http_private.h names
 * know libmicrohttpd.
 *
 * Threads: one thread, the loop, reads and writes every socket.  It runs the
 * functions of routes without ROUTE_THREAD, so those never block.  Functions of
 * routes with ROUTE_THREAD, and the identify hook, run on request threads and
 * may read a store; a function that has to wait for longer calls
 * request_later() and is called again.  One function of a request runs at a
 * time.  Other threads reach the loop with http_call().
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
	void *context; /* the context of the route's room, from
		        * http_options.contexts */
	const struct http_route *route;
	const char *method;
	const char *path;
	const char *param; /* what the * in the route's path matched, of two:
			    * with all that is between them; "" if it has
			    * none */
	const char *body;  /* NUL-terminated; NULL: no body (yet) */
	size_t body_len;
	const char *client; /* the client's IP address, for limits and logs */
	char id[REQUEST_ID_MAX];   /* the request's id, for logs; sent back as
				    * X-Request-Id */
	char trace[TRACE_ID_SIZE]; /* the trace id of the client's traceparent
				    * header, or "" */
	int64_t now;        /* wall clock, ms, when the header was complete */
	void *caller;       /* who sends the request, as the identify hook set
			     * it; or NULL */
	uint64_t caller_id; /* the caller's number, for limits; 0: not known */
	bool timed_out; /* the deadline of request_later() has passed */
	bool may_stop;	/* the request waits for something outside the server,
			 * so when the server stops it is called as if timed
			 * out */
	void *state; /* belongs to the route's functions, from call to call */
	void (*state_free)(void *state); /* frees `state` when the request ends;
					  * loop thread */
};

struct response {
	int status;       /* the HTTP status; 0: no response yet */
	struct buf body;
	const char *type; /* of Content-Type; a constant */
	int64_t retry_after; /* s; 0 = no header */
	const char *cookies[2]; /* values of Set-Cookie, each or NULL; owned by
				 * the request's state */
	bool immutable;      /* clients may cache the response for good; else
			      * no-store */
	const char *etag;    /* a constant; or NULL */
	bool page;	     /* a file of the staff page: browsers revalidate it
			      * each time (etag), and may load only what the
			      * page's policy allows */
};

/* The fields of a log line that identify its request. */
#define LOG_REQUEST(req)                                                      \
	LOG_S("request", (req)->id),                                          \
		LOG_S("trace", *(req)->trace ? (req)->trace : NULL)

/* The function of a route: fills in the response, or calls request_later(). */
typedef void endpoint_fn(struct request *req, struct response *res);

/* Returns the value of a header or of a query argument, or NULL.  It is valid
 * until the request ends.  White space around a header's value is removed (RFC
 * 9110, 5.5).  If several headers have the name, the first counts.  For any
 * thread that runs a function of the request. */
const char *request_header(const struct request *req, const char *name);
/* Calls fn with each value of the headers of that name, in order, until it
 * returns false. */
void request_headers(const struct request *req, const char *name,
		     bool (*fn)(void *arg, const char *value), void *arg);
const char *request_query(const struct request *req, const char *name);

/* Puts the request aside once the running function returns: `next` is called
 * after request_resume(), or at `deadline` (time_mono) with req->timed_out set.
 * If request_resume() was called before the function returned, `next` is called
 * at once.  Only for the function that runs. */
void request_later(struct request *req, endpoint_fn *next, int64_t deadline);
/* Has a request that was put aside continue.  Does nothing for a request whose
 * function neither runs nor has put it aside.  Loop thread; the request must
 * not have ended. */
void request_resume(struct request *req);

/* ---- responses ---- for the function that runs */

void respond_json(struct response *res, int status); /* body is filled in */
void respond_text(struct response *res, int status, const char *text);
/* Responds with a problem document (RFC 9457), whose members are "title",
 * "status", "code" and "detail". */
void respond_problem(struct response *res, int status, const char *code,
		     const char *detail_fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* code_known(): true if codes.def has a row for the code.  code_words() returns
 * the row's words, or NULL. */
bool code_known(const char *code);
const char *code_words(const char *code);
/* Each adds a member to the JSON object that the body ends with.
 * respond_member() takes a value that is JSON already, respond_member_text() a
 * text. */
void respond_member(struct response *res, const char *name, const char *json);
void respond_member_text(struct response *res, const char *name,
			 const char *text);

/* ---- responses without an end ----
 *
 * The stream is the request's: it lives until the request ends, which the call
 * of request.state_free reports.  That happens when the client goes, when it
 * falls behind (send_queue.h), after stream_end(), and when the server stops.
 * Respond in a function that runs in the loop (a route without ROUTE_THREAD);
 * stream_send() and stream_end() are for the loop thread. */

/* Begins a stream (status 200); from then on the client gets what stream_send()
 * queues.  False: the request is a HEAD, which gets the header alone; the
 * request has no stream. */
bool respond_stream(struct request *req, struct response *res,
		    const char *type);
/* Queues a chunk and holds it until it was sent.  False: too much is queued for
 * this client; the stream has been cut. */
bool stream_send(struct request *req, struct chunk *c);
/* Ends the stream after what is queued was sent. */
void stream_end(struct request *req);

/* ---- routes, as data ---- */

enum listen_at { LISTEN_PUBLIC, LISTEN_ADMIN };
#define LISTENERS 2

/* Called once the header is complete and before a byte of the body is read.  It
 * may respond at once (set res->status), so that the body is not read in vain.
 * False without a response means 404.  Loop thread. */
typedef bool early_fn(struct request *req, struct response *res);

enum route_flags {
	/* Who may send the request: each route has exactly one of these three,
	 * so that none is forgotten. */
	ROUTE_ANYONE = 1 << 0,
	ROUTE_SIGNED = 1 << 1, /* the route's function verifies a signature */
	ROUTE_DEVICE = 1 << 2, /* the identify hook finds out which device sends
			        * it */

	ROUTE_THREAD = 1 << 3, /* the route's function runs on a request
			        * thread */
	ROUTE_OPERATOR = 1 << 4, /* with ROUTE_THREAD: on the threads for
				  * operators, apart from those for devices */
	ROUTE_SLASH = 1 << 6,	 /* the path may end with a slash more */
	ROUTE_ACTION = 1 << 5, /* each request counts against
			        * http_limits.actions */
};

struct http_route {
	const char *method;
	const char *path; /* a * stands for one segment of the path; two at
			   * most */
	enum listen_at listener;
	unsigned flags;
	unsigned room;    /* index of the room's context in
			   * http_options.contexts */
	size_t body_max;  /* bytes of the largest body; 0: no body; or
			   * BODY_LARGE */
	endpoint_fn *fn;
	early_fn *early; /* or NULL */
	const char *help;
};

#define BODY_LARGE ((size_t)-1) /* means: as http_limits.large_body says */

/* Checks a table of routes, which ends with a row whose method is NULL.
 * RC_INVALID: a column is missing, or two rows are alike. */
enum rc http_routes_check(const struct http_route *table, struct err *e);

/* Finds the row for a method and path; *ret_param gets what the * in its path
 * matched.  NULL: there is no such row; *ret_allow is then a list of the
 * methods that the path has ("GET, POST"), or NULL if it has none. */
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

/* Counters that the library keeps, and its caller reads.  Any thread. */
struct http_counters {
	atomic_ullong requests;	       /* answered */
	atomic_ullong refused;	       /* of those, with 4xx */
	atomic_ullong failed;	       /* with 5xx */
	atomic_ullong limited;	       /* of `refused`: answered 429 by a
				        * caller's limits */
	atomic_ullong evicted;	       /* connections ended because others
				        * waited at the limit */
	atomic_ullong bodies_evicted;  /* connections ended in the middle of a
				        * body: buffered_max */
	atomic_ullong bodies_refused;  /* requests answered 503: buffered_max
				        * was reached */
	atomic_size_t buffered;	       /* bytes of bodies in memory now,
				        * http_buffered() included */
	atomic_size_t waiting;	       /* gauge: requests that wait for a
				        * request thread now */
	atomic_size_t running;	       /* gauge: functions that run on request
				        * threads now */
};

/* Limits that may change while the server runs. */
struct http_limits {
	size_t large_body;   /* bytes of the largest body at routes with
			      * BODY_LARGE */
	size_t buffered_max; /* most bytes of bodies in memory; not less than
			      * large_body */
	int64_t stop_wait;   /* ms after which http_stop() ends what is still
			      * under way */
	/* The proxies whose X-Forwarded-For is believed.  Borrowed during the
	 * call. */
	const struct networks *proxies;
	/* The origins, with blanks between them, from which the page may show
	 * pictures beside our own; NULL or "": none.  Borrowed during the
	 * call. */
	const char *pictures;
	/* Limits of one caller. 0: the default below. */
	unsigned running; /* functions on request threads at once.  As it was at
			   * http_open(), and never all threads */
	unsigned waiting; /* requests that wait for a thread; more are answered
			   * 429 */
	unsigned actions; /* requests to routes with ROUTE_ACTION in ACTIONS_MS;
			   * more are answered 429 */
};
#define CALLER_RUNNING 4
#define CALLER_WAITING 32
#define CALLER_ACTIONS 30
#define ACTIONS_MS     10000

struct http_hooks {
	void *arg; /* of all */
	/* Finds out who sends a request to a route with ROUTE_DEVICE, before
	 * its body is read, and again when the body is complete: sets
	 * req->caller and req->caller_id, or responds.  On a request thread.
	 * The client may be gone when it is called. */
	void (*identify)(void *arg, struct request *req, struct response *res);
	/* Frees req->caller.  Any thread. */
	void (*caller_free)(void *caller);
	/* Called when a request ends, with or without a response: forget every
	 * pointer to it.  Loop thread. */
	void (*ended)(void *arg, struct request *req);
	/* Called with a request for which the public listener has no route.
	 * Loop thread. */
	void (*misdirected)(void *arg, const struct request *req);
	/* Each tick_ms.  Loop. */
	void (*tick)(void *arg);
	int64_t tick_ms;
	/* Called last in the loop thread: from then on http_call() does
	 * nothing. */
	void (*detach)(void *arg);
}; /* each may be NULL, except identify if a route has ROUTE_DEVICE */

struct http_options {
	const char *listen[LISTENERS]; /* "ADDRESS:PORT"; port 0: any free
				        * port */
	const struct http_route *routes; /* borrowed */
	void *const *contexts; /* borrowed, by room; read again for each
			        * request */
	struct http_hooks hooks;
	struct http_counters *counters; /* borrowed; must outlive
					 * http_close() */
	const atomic_bool *draining; /* borrowed: while it is true, connections
				      * end after their response */
	/* connections_per_ip 0: no limit. */
	size_t connections, connections_per_ip;
	int64_t idle_timeout, header_timeout, body_timeout; /* ms */
	unsigned request_threads; /* 1 at least */
	/* The name of the one header whose value may be folded onto two lines;
	 * or NULL. */
	const char *folded_header;
	struct http_limits limits;
};

/* Opens the listening sockets and makes the server, which http_start() starts.
 * RC_INVALID: the table of routes is wrong.  RC_INVALID, RC_EXISTS,
 * RC_DENIED: an address cannot be used, see listen_open(). */
enum rc http_open(struct http **ret, const struct http_options *o,
		  struct err *e);
/* Return the address where the public and the admin listener listen, such as
 * "127.0.0.1:43210". */
const char *http_address(const struct http *h);
const char *http_admin_address(const struct http *h);
enum rc http_start(struct http *h, struct err *e); /* starts its threads */
/* Replaces the limits.  Any thread. */
void http_set_limits(struct http *h, const struct http_limits *limits);
/* Accepts no more connections.  Requests under way go on, and each connection
 * closes after its response. */
void http_quiesce(struct http *h);
void http_stop(struct http *h); /* waits for the requests under way and ends the
				 * loop */
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

#endif
