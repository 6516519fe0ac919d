/* SPDX-License-Identifier: MIT
 *
 * http_private.h - the inside of http.h, for the files that know libmicrohttpd:
 *
 *	loop             the loop and its timers; start and stop
 *	listener         a listening socket and the connections that came by it
 *	connection       a connection: its deadline, its end
 *	timers           the deadlines of all connections, the earliest first
 *	lingering_close  closed connections whose client still writes
 *	request          a request, from its first line to its response
 *	request_threads  the threads that run functions of requests
 *	fair_queue       in which order requests get a thread
 *	callers          the key under which a request waits in the fair queue
 *	header           a request's header, read so that it has only one meaning
 *	body             the bytes of bodies in memory, and their bound
 *	send             a response on its way out
 *	event_stream     a response without an end
 *
 * The loop thread owns all of this except the queue of calls, the queues of the
 * request threads, and a request while its function runs on one: then the
 * thread alone uses req, res and what request_later() sets.
 *
 * A request that waits for a thread, runs on one, or was put aside is a
 * suspended MHD connection.  MHD leaves such a connection alone, whatever its
 * client does, so nothing of it is freed meanwhile; the header and arguments of
 * a request are copied when it begins.
 *
 * MHD limits neither how long a header takes in all nor how long a connection
 * stays suspended.  So each connection and each request put aside has a
 * deadline of ours, and the loop wakes at the earliest.
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
#define LINGERING_MAX 256
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
	bool suspended; /* the connection is suspended until there is more to
			 * send */
	bool over;	/* the stream ends once the queue is empty */
	bool begun;	/* the stream is in h->streams, and the loop watches its
			 * connection */
};

struct conn {
	struct listener *listener;
	struct http_request *x; /* the request under way, or NULL */
	int fd;		    /* MHD's */
	int lingering_fd;	    /* our copy of fd, to read what a client still sends
			     * after the end */
	int64_t deadline;   /* time_mono: the connection is shut down then */
	int64_t timer_at;   /* time_mono: timers.c looks at it then */
	size_t timer_place; /* in the heap of timers.c; 0: it is not there */
	int64_t since;	    /* time_mono: when it last made progress */
	bool busy;	    /* in `busy` of the listener, not in `idle` */
	bool evicted;	    /* we have ended it, and MHD has not noticed yet */
	bool half; /* in listener->half: its client sends nothing more */
	char client[CLIENT_SIZE]; /* who connected */
	TAILQ_ENTRY(conn) link; /* in `idle` or `busy` of the listener */
	LIST_ENTRY(conn) in_half;
};

TAILQ_HEAD(conns, conn);

/* A header or query argument. */
struct field {
	const char *name;
	const char *value; /* without white space around it; NULL: an argument
			    * "?name" without a value */
};

/* Copies of a request's header and arguments. */
struct fields {
	struct field *list; /* owned: n_headers headers, then the query
			     * arguments; n in all */
	char *text; /* owned: the names and values that `list` points to */
	size_t n, n_headers;
	size_t list_room, text_room; /* fields and bytes that fit */
};

/* Where a request is between its steps in MHD's callbacks. */
enum where {
	IN_LOOP,
	ON_THREADS, /* in h->on_threads: the request waits for a thread, or runs
		     * on one */
	ASIDE, /* in h->aside: the request was put aside by request_later() */
};

struct http_request {
	struct request req; /* must be first: an endpoint holds a pointer to
			     * this alone */
	struct response res;
	struct conn *conn;
	struct MHD_Connection *mhd;
	struct fields fields;
	struct buf body;
	char *path; /* owned: with escapes decoded; NULL: see header_path() */
	char param[PARAM_SIZE];
	char method[METHOD_SIZE];
	const char *allow;     /* of a 405 */
	bool header_only;      /* the request is a HEAD for a stream: no body is
			        * sent */
	bool unread; /* the request was answered before its body was read */
	bool begun, too_large; /* begun: its header was seen; too_large: its
			        * body is too long */
	bool no_room;	       /* the body was thrown away, since buffered_max
			        * was reached */
	bool complete;	       /* its body was */
	bool has_body;	       /* by its header */
	size_t swallowed;
	size_t charged; /* bytes of its body that are counted in
			 * counters->buffered */
	char client[CLIENT_SIZE]; /* the client's address, seen through trusted
				 * proxies */
	int64_t started; /* time_mono */

	/* What request_later() was called with. */
	endpoint_fn *next;
	int64_t deadline;
	bool aside; /* the request was put aside and has not been called again
		     * yet */

	enum where where;
	bool again;    /* request_resume() was called while its function ran */
	bool resumed;  /* MHD will call request_piece() for it again */
	bool identify; /* the identify hook has not been called for it yet */
	bool stranger; /* the request waits under its address as the key:
		        * counted in h->strangers */
	uint64_t credential; /* hash of the credential that the request carries;
			      * 0: none */
	uint64_t key;	     /* the caller's key in the fair queue */
	endpoint_fn *fn;     /* what the thread is to call; NULL: only the
			      * identify hook */
	struct fair_item item;
	struct http_call call; /* back to the loop */

	struct stream *stream; /* owned; or NULL */
	LIST_ENTRY(http_request) link; /* in h->aside, h->on_threads or
				        * h->streams, by `where` */
};

LIST_HEAD(http_requests, http_request);

/* One listening socket and the connections that came by it. */
struct listener {
	struct http *http;
	enum listen_at which;
	struct MHD_Daemon *mhd;
	int listen_fd; /* -1 once it accepts no more connections */
	int epoll_fd;  /* MHD's */
	char address[LISTEN_ADDRESS_SIZE];
	struct conns idle; /* connections that may be ended for others: no
			    * complete request is under way.  Sorted by
			    * `since`, the newest first */
	struct conns busy; /* all others: their request waits, or is a
			    * stream, or they were ended */
	LIST_HEAD(, conn) half; /* connections whose clients send nothing more */
	size_t n_conns, n_evicted, limit;
	bool waiting;	 /* a client may be waiting for its connection to be
			  * accepted */
	uint64_t closed; /* connections, ever */
	bool ready;	 /* run it in this pass */
	int64_t due;	 /* when MHD itself wants to run next, time_mono */
};

/* The connections that have a deadline: a heap of timers.c. */
struct timers {
	struct conn **heap; /* owned */
	size_t n, room;
};

/* A connection that MHD has closed while its client still wrote: closing it
 * for good would reset it, and the client would never read our answer. */
struct lingering {
	int fd; /* -1: free */
	int64_t until;
	size_t left;
};

struct http {
	struct http_options o; /* as given to http_open(): `limits` below may
				* differ from o.limits */
	struct http_limits limits; /* the present limits; for the loop alone */
	struct networks proxies;   /* owned; of limits */
	char *page_policy;	   /* owned; of limits.pictures */
	struct listener listeners[LISTENERS];
	int epoll_fd;
	int event_fd;
	pthread_t thread;
	bool running;

	pthread_mutex_t lock; /* of `calls` */
	STAILQ_HEAD(, http_call) calls;

	/* The loop's own. */
	struct http_requests aside, on_threads, streams;
	struct http_requests spare; /* requests that have ended, kept for the
				     * next ones, with their memory */
	size_t n_spare;
	struct timers timers; /* owned */
	int64_t now; /* time_mono when this pass, or MHD's run in it, began */
	int64_t end_idle_due; /* time_mono: while the server stops, idle
			       * connections are ended then */
	size_t strangers; /* requests that wait for a thread under their address
			   * as the key */
	struct callers *callers; /* owned */
	struct request_threads *threads;   /* owned: threads for devices and
					    * others */
	struct request_threads *operators; /* owned: threads for routes with
					    * ROUTE_OPERATOR */
	struct lingering lingering[LINGERING_MAX];
	char waste[65536]; /* where bytes of lingering clients are read to, and
			    * dropped */
	int64_t wake;	   /* time_mono: the loop wakes then, or at the earliest
			    * of `timers` */
	size_t reading;	   /* bytes of bodies that are not complete, part of
			    * counters->buffered */
	int64_t tick_due;  /* of the hook */
	uint64_t id_prefix, requests; /* arguments of request_id_make(): the
				       * prefix of this run, and a counter */
	int64_t stop_by;   /* NEVER: not stopping */
};

/* What a request's header says. */
struct header {
	unsigned n;
	unsigned lengths, encodings, hosts, authorizations;
	unsigned bad_names, bad_values;
	uint64_t length; /* of the body, as Content-Length announces it */
	bool chunked;
	bool old; /* HTTP/1.0 */
	const char *may_fold; /* the header that may be folded:
			       * http_options.folded_header */
	const char *folded, *rest; /* the value of that header if it came on two
				    * lines, and the second line; or NULL */
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

/* Makes the loop wake at t (time_mono) at the latest. */
static inline void http_wake_by(struct http *h, int64_t t)
{
	if (t < h->wake)
		h->wake = t;
}

/* ---- listener.c ---- */

enum rc listener_open(struct listener *d, struct http *h, enum listen_at which,
		  struct err *e);
/* Runs MHD until it has nothing left that it can do at once. */
void listener_run(struct listener *d);
/* If all connections are in use and a client waits to be accepted, ends the one
 * that made no progress for longest. */
void listener_evict(struct listener *d, int64_t now);
/* Ends the connections whose clients have ended in the middle of a request, or
 * between two.  MHD does not notice an end that comes with the last bytes, and
 * would hold the connection until a time-out. */
void listener_end_half(struct listener *d);
/* Accepts the connections that the kernel has completed already, then no
 * more. */
void listener_quiesce(struct listener *d);
/* Ends idle connections.  A connection that has just been made is not idle: its
 * first request may be on its way. */
void listener_end_idle(struct listener *d);
void listener_stop(struct listener *d);	 /* call it only when no connection is
					  * suspended */
void listener_close(struct listener *d); /* may be called for one that never
					  * opened */

/* ---- connection.c ---- */

/* Called by MHD when a connection begins and ends: an
 * MHD_NotifyConnectionCallback. */
void conn_notify(void *cls, struct MHD_Connection *mhd, void **socket_context,
		 enum MHD_ConnectionNotificationCode code);
/* Shuts the connection down in `ms`, unless this is called again before. */
void conn_deadline(struct conn *c, int64_t ms);
/* Notes that the connection made progress: it is now the last to be ended for
 * others. */
void conn_step(struct conn *c);
/* Notes that the connection's request waits for its response, or is a stream:
 * the connection is not ended for others until the next conn_step(). */
void conn_busy(struct conn *c);
void conn_evict(struct conn *c); /* ends it, for others */
void conn_end(struct conn *c);	/* shuts it down; MHD notices, closes and frees
				 * it */
/* Handles that the client sends nothing more: cuts a stream; other connections
 * are seen to by listener_end_half(). */
void conn_hangup(struct conn *c);

/* ---- timers.c ---- */

/* Makes timers_take() look at c at the moment `at` (time_mono; or NEVER), at the
 * latest.  Call it after each change of a deadline to an earlier one. */
void timers_by(struct timers *t, struct conn *c, int64_t at);
void timers_drop(struct timers *t, struct conn *c); /* fine if c is not there */
/* Returns when the next connection is to be looked at; or NEVER. */
int64_t timers_earliest(const struct timers *t);
/* Takes out the connection with the earliest deadline, if that has passed: its
 * own, or that of its request that was put aside.  NULL: none has. */
struct conn *timers_take(struct timers *t, int64_t now);
void timers_release(struct timers *t);

/* ---- lingering_close.c ---- */

/* Takes over fd: reads and drops what the client still sends, for a while, then
 * closes it. */
void lingering_start(struct http *h, int fd);
/* Returns the lingering connection that an epoll event is about; NULL: it is about
 * something else. */
struct lingering *lingering_of(struct http *h, void *what);
/* Reads what has come.  Fine on one that is closed. */
void lingering_read(struct http *h, struct lingering *l);
/* Closes those that have lingered for long enough. */
void lingering_timers(struct http *h, int64_t now);
bool lingering_any(const struct http *h);
void lingering_end_all(struct http *h);

/* ---- request.c ---- */

/* Called by MHD at a request's first line, at each further piece of it, and at
 * its end. */
void *request_line(void *cls, const char *uri, struct MHD_Connection *mhd);
enum MHD_Result request_piece(void *cls, struct MHD_Connection *mhd,
			      const char *url, const char *method,
			      const char *version, const char *data,
			      size_t *len, void **con_cls);
void request_completed(void *cls, struct MHD_Connection *mhd, void **con_cls,
		       enum MHD_RequestTerminationCode toe);
void request_free(struct http_request *x);
void request_spare_release(struct http *h); /* frees the memory that is kept for
					     * requests to come */
/* Calls the next function of a request that was put aside, whose deadline has
 * passed. */
void request_timed_out(struct http_request *x);
/* For the stop of the server. request_call_all() calls all requests that were
 * put aside as if their deadline had passed; after request_drop_all() none is
 * waited for any more. */
void request_call_all(struct http *h);
void request_drop_all(struct http *h);
/* For request_threads.c. request_on_thread() runs the request on the calling
 * thread; request_not_run() is called in the loop for a request that no thread
 * will run any more. */
void request_on_thread(struct http_request *x);
void request_not_run(struct http_request *x);

/* ---- request_threads.c ---- */

/* Opens n threads; one caller gets at most `per_caller` of them at once. */
struct request_threads *threads_open(struct http *h, unsigned n,
				     unsigned per_caller);
enum rc threads_start(struct request_threads *t, struct err *e);
/* Queues the request for a thread.  False: its caller has `waiting` requests
 * waiting already. */
bool threads_add(struct request_threads *t, struct http_request *x,
		 size_t waiting);
/* As threads_add(), but before the caller's other requests and never refused:
 * for a request that was begun and goes on. */
void threads_add_first(struct request_threads *t, struct http_request *x);
/* Counts an action of the request's caller.  False: it has had `most` in
 * ACTIONS_MS; *ret_wait is then how long (ms) until the next is allowed. */
bool threads_action(struct request_threads *t, const struct http_request *x,
		    unsigned most, int64_t *ret_wait);
/* Gives up the requests that wait and that no thread has begun. */
void threads_drop_waiting(struct request_threads *t);
/* Call it only when no thread has a request. */
void threads_stop(struct request_threads *t);
void threads_close(struct request_threads *t); /* NULL is fine */

/* ---- callers.c ---- */

struct callers *callers_open(void);
void callers_close(struct callers *c); /* NULL is fine */
/* Returns the hash of the credential that a request carries, valid or not; 0:
 * it carries none. */
uint64_t callers_credential(const struct callers *c,
			    const struct http_request *x);
/* Returns the caller_id that this credential had when it was last found valid;
 * 0: not remembered. */
uint64_t callers_known(const struct callers *c, uint64_t credential);
void callers_learn(struct callers *c, uint64_t credential, uint64_t caller_id);
/* Return keys for the fair queue: that of a known caller, and that of an
 * address. */
uint64_t callers_key(const struct callers *c, uint64_t caller_id);
uint64_t callers_key_of_address(const struct callers *c, const char *address);

/* ---- header.c ---- */

/* Returns the decoded path of a URI, also of one in absolute form
 * ("http://host/path", RFC 9112, 3.2.2); the caller frees it.  NULL: an escape
 * is broken, or stands for a byte that could change which path is meant: NUL,
 * '/', or a control character; or the query has an escaped NUL. */
char *header_path(const char *uri);
/* Reads the header of a request of that HTTP version.  What *h points to is
 * borrowed from MHD. */
void header_read(struct header *h, struct MHD_Connection *mhd,
		 const char *version, const char *may_fold);
/* Copies the header and the query arguments; *ret is zeroed or was cleared. */
void fields_copy(struct fields *ret, const struct header *h,
		 struct MHD_Connection *mhd);
/* Empties f and keeps its memory for the next request, if it is not much. */
void fields_clear(struct fields *f);
void fields_release(struct fields *f);
/* Responds with an error to a request that must not reach any route, since two
 * programs on its way could read it differently. */
void header_check(const struct header *h, struct response *res);

/* ---- body.c ---- */

size_t body_buffered_max(const struct http *h);
/* True if len bytes more of the body may be kept in memory. */
bool body_room(struct http_request *x, size_t len);
void body_charge(struct http_request *x); /* counts the bytes that the body now
					   * takes in memory */
void body_completed(struct http_request *x);
/* Prepares for a body of `length` bytes, as announced (0: not known), and of
 * `max` bytes at most. */
void body_begin(struct http_request *x, uint64_t length, size_t max);
void body_free(struct http_request *x);
/* The request ends: forgets the body, and keeps its memory if it is not much. */
void body_ended(struct http_request *x);
void body_no_room(struct http_request *x); /* responds so */

/* ---- send.c ---- */

enum MHD_Result send_response(struct http_request *x);

/* ---- event_stream.c ---- */

/* MHD_ContentReaderCallbacks: stream_read() gives the bytes of a stream;
 * stream_none() is for a HEAD and gives none. */
ssize_t stream_read(void *cls, uint64_t pos, char *p, size_t max);
ssize_t stream_none(void *cls, uint64_t pos, char *p, size_t max);
void stream_begin(struct http_request *x); /* call it when the response's header
					    * is queued */
/* Ends a stream whose client is gone or does not read; what is queued is
 * dropped. */
void stream_cut(struct http_request *x);
void stream_free(struct http_request *x);
/* Ends the oldest stream of the device that has the most: a device that opens
 * more and more streams harms only itself.  A browser connects again. */
void stream_evict(struct listener *d);
void stream_end_all(struct http *h);

#endif
