/* SPDX-License-Identifier: MIT
 *
 * http_private.h - the inside of http.h, for the files that know libmicrohttpd:
 *
 *	loop             the loop and its timers; start and stop
 *	listener         a listening socket and the connections that came by it
 *	connection       a connection: its deadline, its end
 *	linger           closed connections whose client still writes
 *	request          a request, from its first line to its response
 *	request_threads  the threads that run functions of requests
 *	fair_queue       in which order they do
 *	callers          by which key a request waits there
 *	header           what a request's header says, in one way only
 *	body             the bytes of bodies in memory, and their bound
 *	send             a response on its way out
 *	event_stream     a response without an end
 *
 * The loop thread owns all of it but the queue of calls, the queues of the
 * request threads, and a request while its function runs on one: then the
 * thread alone uses req, res and what request_later() sets.
 *
 * A request that waits for a thread, runs on one, or was put aside is a
 * suspended MHD connection.  MHD leaves such a connection alone, whatever its
 * client does, so nothing of it is freed meanwhile; the header and arguments of
 * a request are copied when it begins.
 *
 * MHD watches neither how long a header takes in all nor suspended
 * connections.  So each connection and each request put aside has a deadline
 * of ours, and the loop wakes at the earliest.
 */
#ifndef SERVER_HTTP_HTTP_PRIVATE_H
#define SERVER_HTTP_HTTP_PRIVATE_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/buf.h"
#include "base/err.h"
#include "server/http/fair_queue.h"
#include "server/http/http.h"
#include "server/http/send_queue.h"
#include "server/http/socket.h"

#define NEVER	     INT64_MAX
#define CLOSING_MAX    256
#define PARAM_SIZE   128
#define METHOD_SIZE  16
#define HEADERS_MAX  64
#define RESPONSE_MAX ((size_t)32 << 20)

struct callers;
struct http_request;
struct listener;
struct request_threads;

/* A response without an end. */
struct stream {
	struct send_queue queue;
	bool suspended; /* it waits for more to send */
	bool over;	/* it ends after what is queued */
	bool begun;	/* in h->streams; its connection is watched */
};

struct conn {
	struct listener *listener;
	struct http_request *x; /* the request under way, or NULL */
	int fd;		    /* MHD's */
	int linger_fd;	    /* ours, to read what a client still sends */
	int64_t deadline;   /* time_mono; then it is shut down */
	int64_t since;	    /* time_mono: when it last got a step further */
	bool evicted;	    /* ended by us; MHD has yet to see it */
	char client[PEER_SIZE]; /* who connected */
	TAILQ_ENTRY(conn) link;
};

/* A header or query argument. */
struct field {
	const char *name;
	const char *value; /* without white space around; NULL: "?name" */
};

/* Copies of a request's own. */
struct fields {
	struct field *list; /* owned: headers, then arguments */
	char *text;	    /* owned: what they point to */
	size_t n, n_headers;
};

/* Where a request is, between its steps in MHD's callbacks. */
enum where {
	IN_LOOP,
	ON_THREADS, /* in h->on_threads: waits for a thread, or runs there */
	ASIDE,	    /* in h->aside: request_later() */
};

struct http_request {
	struct request req; /* first: a function holds only this */
	struct response res;
	struct conn *conn;
	struct MHD_Connection *mhd;
	struct fields fields;
	struct buf body;
	char *path; /* owned: decoded; NULL: it cannot be */
	char param[PARAM_SIZE];
	char method[METHOD_SIZE];
	const char *allow;     /* of a 405 */
	bool header_only;      /* the response to a HEAD for a stream */
	bool unread;	       /* responded before its body was read */
	bool begun, too_large; /* its header was seen; its body is too long */
	bool no_room;	       /* its body was thrown away: buffered_max */
	bool complete;	       /* its body was */
	bool has_body;	       /* by its header */
	size_t swallowed;
	size_t charged; /* of its body, to counters->buffered */
	char client[PEER_SIZE]; /* who asks, seen through proxies we trust */
	int64_t started; /* time_mono */

	/* Set by request_later(). */
	endpoint_fn *next;
	int64_t deadline;
	bool aside; /* put aside and not yet called again */

	enum where where;
	bool again;    /* resumed while its function ran */
	bool resumed;  /* MHD is to call request_piece() for it again */
	bool identify; /* the hook is still to say who asks */
	bool stranger; /* it waits by its address: counted in h->strangers */
	uint64_t credential; /* hash of what it claims to be; 0: nothing */
	uint64_t key;	     /* of the caller, in the fair queue */
	endpoint_fn *fn;     /* for the thread to call; NULL: only identify */
	struct fair_item item;
	struct http_call call; /* back to the loop */

	struct stream *stream; /* owned; or NULL */
	LIST_ENTRY(http_request) link; /* in h->aside, h->on_threads or
					* h->streams */
};

LIST_HEAD(http_requests, http_request);

/* One listening socket and the connections that came by it. */
struct listener {
	struct http *http;
	enum listen_at which;
	struct MHD_Daemon *mhd;
	int listen_fd; /* -1 once it accepts no more */
	int epoll_fd;  /* MHD's */
	char address[LISTEN_ADDRESS_SIZE];
	TAILQ_HEAD(conns, conn) conns; /* by `since`, the newest first */
	size_t n_conns, n_evicted, limit;
	bool waiting;	 /* someone may wait to be let in */
	uint64_t closed; /* connections, ever */
	bool ready;	 /* run it in this pass */
	int64_t due;	 /* MHD's own next timeout */
};

/* A connection that MHD has closed while its client still wrote: closing it
 * for good would reset it, and the client would never read our answer. */
struct closing {
	int fd; /* -1: free */
	int64_t until;
	size_t left;
};

struct http {
	struct http_options o; /* its limits: the first ones */
	struct http_limits limits; /* the present ones; the loop's */
	struct networks proxies;   /* owned; of limits */
	struct listener listeners[LISTENERS];
	int epoll_fd;
	int event_fd;
	pthread_t thread;
	bool running;

	pthread_mutex_t lock; /* of `calls` */
	STAILQ_HEAD(, http_call) calls;

	/* The loop's own. */
	struct http_requests aside, on_threads, streams;
	size_t strangers; /* that wait by their address */
	struct callers *callers; /* owned */
	struct request_threads *threads;   /* owned: of devices and others */
	struct request_threads *operators; /* owned: of ROUTE_OPERATOR */
	struct closing closing[CLOSING_MAX];
	int64_t wake;	   /* no deadline is earlier */
	size_t reading;	   /* of counters->buffered: of bodies not complete */
	int64_t tick_due;  /* of the hook */
	uint64_t id_prefix, requests; /* of request_id_make() */
	int64_t stop_by;   /* NEVER: not stopping */
};

/* What a request's header says. */
struct header {
	unsigned n;
	unsigned lengths, encodings, hosts, authorizations;
	unsigned bad_names, bad_values;
	uint64_t length; /* of the body, as announced */
	bool chunked;
	bool old; /* HTTP/1.0 */
	const char *may_fold; /* http_options.folded_header */
	const char *folded, *rest; /* of its value on two lines, or NULL */
	const char *forwarded[HEADERS_MAX]; /* X-Forwarded-For */
	size_t n_forwarded;
};

static inline struct http_request *http_request_of(struct request *req)
{
	return (struct http_request *)req;
}

static inline struct http *http_of(const struct http_request *x)
{
	return x->conn->listener->http;
}

#define COUNT(h, name) atomic_fetch_add_explicit(&(h)->o.counters->name, 1,    \
						 memory_order_relaxed)

/* The loop wakes at t (time_mono) or before. */
static inline void http_wake_by(struct http *h, int64_t t)
{
	if (t < h->wake)
		h->wake = t;
}

/* ---- listener.c ---- */

enum rc listener_open(struct listener *d, struct http *h, enum listen_at which,
		  struct err *e);
/* Runs MHD until it has nothing more to do at once. */
void listener_run(struct listener *d);
/* Ends connections whose deadline has passed. */
void listener_timers(struct listener *d, int64_t now);
/* Makes room for those who wait, when all connections are taken. */
void listener_evict(struct listener *d, int64_t now);
/* Takes in those whom the kernel has already let connect, then no more. */
void listener_quiesce(struct listener *d);
/* Ends connections on which nothing is under way and nothing has come; who has
 * just connected may have a request on its way. */
void listener_end_idle(struct listener *d);
void listener_stop(struct listener *d);	 /* when none is suspended */
void listener_close(struct listener *d); /* fine on one that never opened */

/* ---- conn.c ---- */

/* MHD_NotifyConnectionCallback */
void conn_notify(void *cls, struct MHD_Connection *mhd, void **socket_context,
		 enum MHD_ConnectionNotificationCode code);
/* The connection is shut down unless this is called again within ms. */
void conn_deadline(struct conn *c, int64_t ms);
/* It got a step further: now it is the last to be ended for others. */
void conn_step(struct conn *c);
/* Nothing complete is under way on it: it may be ended for others. */
bool conn_idles(const struct conn *c);
void conn_evict(struct conn *c); /* ends it, for others */
void conn_end(struct conn *c);	/* ends it; MHD sees that and frees it */

/* ---- linger.c ---- */

/* Takes fd: reads what still comes, a while, then closes it. */
void linger_start(struct http *h, int fd);
void linger_read(struct closing *l);
void linger_timers(struct http *h, int64_t now);
bool linger_is(const struct http *h, const void *what);
bool linger_any(const struct http *h);
void linger_end_all(struct http *h);

/* ---- request.c ---- */

/* MHD's: a request's first line; each further piece of it; its end. */
void *request_line(void *cls, const char *uri, struct MHD_Connection *mhd);
enum MHD_Result request_piece(void *cls, struct MHD_Connection *mhd,
			      const char *url, const char *method,
			      const char *version, const char *data,
			      size_t *len, void **con_cls);
void request_completed(void *cls, struct MHD_Connection *mhd, void **con_cls,
		       enum MHD_RequestTerminationCode toe);
void request_free(struct http_request *x);
/* Calls those put aside whose time has come. */
void request_timers(struct http *h, int64_t now);
/* The server stops.  All that were put aside are called, as if their time had
 * come; then none is waited for any more. */
void request_call_all(struct http *h);
void request_drop_all(struct http *h);
/* For request_threads.c: in the thread; and in the loop, for one that no
 * thread will run any more. */
void request_on_thread(struct http_request *x);
void request_not_run(struct http_request *x);

/* ---- request_threads.c ---- */

/* n threads, of which one caller has at most `per_caller` at once. */
struct request_threads *threads_open(struct http *h, unsigned n,
				     unsigned per_caller);
enum rc threads_start(struct request_threads *t, struct err *e);
/* Has a thread run the request.  False: its caller has `waiting` requests that
 * wait already. */
bool threads_add(struct request_threads *t, struct http_request *x,
		 size_t waiting);
/* The same, before the caller's others: it goes on. */
void threads_add_first(struct request_threads *t, struct http_request *x);
/* False: its caller has acted too often; *ret_wait: ms. */
bool threads_action(struct request_threads *t, const struct http_request *x,
		    unsigned most, int64_t *ret_wait);
/* Gives up requests that no thread has begun. */
void threads_drop_waiting(struct request_threads *t);
void threads_stop(struct request_threads *t); /* when none is with it */
void threads_close(struct request_threads *t); /* NULL is fine */

/* ---- callers.c ---- */

struct callers *callers_open(void);
void callers_close(struct callers *c); /* NULL is fine */
/* The hash of the credential that a request carries, good or not; 0: none. */
uint64_t callers_credential(const struct callers *c,
			    const struct http_request *x);
/* The caller_id that a credential was found to be the last time; 0: none. */
uint64_t callers_known(const struct callers *c, uint64_t credential);
void callers_learn(struct callers *c, uint64_t credential, uint64_t caller_id);
/* Keys of the fair queue: of a caller, and of an address. */
uint64_t callers_key(const struct callers *c, uint64_t caller_id);
uint64_t callers_key_of_address(const struct callers *c, const char *address);

/* ---- header.c ---- */

/* The path of a URI with its escapes decoded, to be freed; of one in absolute
 * form ("http://host/path", RFC 9112, 3.2.2) too.  NULL when an
 * escape is broken or stands for a byte that could mean another path: NUL,
 * '/', or a control character. */
char *header_path(const char *uri);
/* The header of a request of that version, borrowed. */
void header_read(struct header *h, struct MHD_Connection *mhd,
		 const char *version, const char *may_fold);
/* Copies header and arguments. */
void fields_copy(struct fields *ret, const struct header *h,
		 struct MHD_Connection *mhd);
void fields_release(struct fields *f);
/* Responds to what no route may be sent: two parties on the way could read it in
 * two ways. */
void header_check(const struct header *h, struct response *res);

/* ---- body.c ---- */

size_t body_buffered_max(const struct http *h);
/* True: len bytes more may be kept. */
bool body_room(struct http_request *x, size_t len);
void body_charge(struct http_request *x); /* what it holds has changed */
void body_completed(struct http_request *x);
void body_free(struct http_request *x);
void body_no_room(struct http_request *x); /* responds so */

/* ---- send.c ---- */

enum MHD_Result send_response(struct http_request *x);

/* ---- event_stream.c ---- */

/* Two MHD_ContentReaderCallback: of a stream, and of one that is not sent. */
ssize_t stream_read(void *cls, uint64_t pos, char *p, size_t max);
ssize_t stream_none(void *cls, uint64_t pos, char *p, size_t max);
void stream_begin(struct http_request *x); /* its header is queued */
/* The client is gone, or does not read: no more is owed to it. */
void stream_cut(struct http_request *x);
void stream_free(struct http_request *x);
/* Ends the oldest stream of the device that has most: one that opens more and
 * more harms itself, not Centra and not other shops.  A browser comes back. */
void stream_evict(struct listener *d);
void stream_end_all(struct http *h);

#endif
