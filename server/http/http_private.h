/* SPDX-License-Identifier: MIT
 *
 * http_private.h - the inside of http.h, for the files that know libmicrohttpd:
 *
 *	http      the loop and its timers; start and stop
 *	door      a listening socket and who came by it
 *	conn      a connection: its deadline, its end
 *	linger    a connection that was closed while its client still writes
 *	exchange  a request and its answer
 *	header    what a request's header says, in one way only
 *	body      the bytes of bodies in memory, and their bound
 *	send      a response on its way out
 *	endless   a response without an end
 *
 * The loop thread owns all of it but the queue of calls.
 *
 * MHD watches neither how long a header takes in all nor suspended
 * connections.  So each connection and each exchange put aside has a deadline
 * of ours, and the loop wakes at the earliest.
 */
#ifndef SERVER_HTTP_HTTP_PRIVATE_H
#define SERVER_HTTP_HTTP_PRIVATE_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "server/http/send_queue.h"
#include "server/http/http.h"
#include "server/http/socket.h"

#define NEVER	     INT64_MAX
#define CLOSING_MAX    256
#define PARAM_SIZE   128
#define HEADERS_MAX  64
#define RESPONSE_MAX ((size_t)32 << 20)

struct http_request;
struct listener;

/* An answer without an end. */
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
	struct conn *prev, *next;
};

/* A header's value without the white space behind it, which libmicrohttpd
 * 0.9.75 leaves there. */
struct trimmed {
	struct trimmed *next;
	char text[];
};

struct http_request {
	struct request req; /* first: an answer function holds only this */
	struct response res;
	struct conn *conn;
	struct MHD_Connection *mhd;
	struct buf body;
	char *path; /* owned: decoded; NULL: it cannot be */
	char param[PARAM_SIZE];
	const char *allow;     /* of a 405 */
	char *signature;       /* owned: unfolded; see on_header() */
	struct trimmed *trimmed; /* owned: values without the space behind */
	bool header_only;      /* the answer to a HEAD for a stream */
	bool unread;	       /* answered before its body was read */
	bool begun, too_large; /* its header was seen; its body is too long */
	bool no_room;	       /* its body was thrown away: buffered_max */
	bool complete;	       /* its body was */
	size_t swallowed;
	size_t charged; /* of its body, to counters->buffered */
	char client[PEER_SIZE]; /* who asks, seen through proxies we trust */
	int64_t started; /* time_mono */

	endpoint_fn *answer_next; /* of request_later() */
	bool aside;		/* put aside and not yet called again */
	bool suspended;		/* in h->aside */
	bool again;		/* resumed before it was suspended */
	int64_t deadline;
	struct stream *stream; /* owned; or NULL */
	struct http_request *prev, *next; /* in h->aside, or in h->streams */
};

/* One listening socket and the connections that came by it. */
struct listener {
	struct http *http;
	enum listen_at which;
	struct MHD_Daemon *mhd;
	int listen_fd; /* -1 once it accepts no more */
	int epoll_fd;  /* MHD's */
	char address[LISTEN_ADDRESS_SIZE];
	struct conn *conns, *oldest; /* by `since`, the newest first */
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

	pthread_mutex_t lock; /* of the two below */
	struct http_call *calls;
	struct http_call **calls_end;

	/* The loop's own. */
	struct http_request *aside;
	struct http_request *streams;
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

/* ---- door.c ---- */

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
void listener_stop(struct listener *d);	 /* of a loop that ran */
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

/* ---- exchange.c ---- */

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
/* All that came by this door are called, as if their time had come; or are
 * no longer waited for, when they have had that chance. */
void request_call_all(struct listener *d);
void request_drop_all(struct listener *d);

/* ---- header.c ---- */

/* The path of a URI with its escapes decoded, to be freed; of one in absolute
 * form ("http://host/path", RFC 9112, 3.2.2) too.  NULL when an
 * escape is broken or stands for a byte that could mean another path: NUL,
 * '/', or a control character. */
char *header_path(const char *uri);
/* The header of a request of that version, borrowed. */
void header_read(struct header *h, struct MHD_Connection *mhd,
		 const char *version, const char *may_fold);
/* Answers what no route may be sent: two parties on the way could read it in
 * two ways. */
void header_check(const struct header *h, struct response *res);

/* ---- body.c ---- */

size_t body_buffered_max(const struct http *h);
/* True: len bytes more may be kept. */
bool body_room(struct http_request *x, size_t len);
void body_charge(struct http_request *x); /* what it holds has changed */
void body_completed(struct http_request *x);
void body_free(struct http_request *x);
void body_no_room(struct http_request *x); /* answers so */

/* ---- send.c ---- */

enum MHD_Result send_response(struct http_request *x);

/* ---- endless.c ---- */

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
/* Ends all of one door, or of both (NULL). */
void stream_end_all(struct http *h, const struct listener *d);

#endif
