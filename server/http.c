/* SPDX-License-Identifier: MIT
 *
 * http.c - see http.h; all that knows libmicrohttpd.
 *
 * One loop thread owns everything here but the queue of calls.  It watches, in
 * one epoll: the epoll of each MHD daemon (one per listening socket, run only
 * by MHD_run() from here, since MHD's own loop stalls when the ready events
 * are a multiple of 128), an eventfd for http_call(), and closed connections
 * whose client still writes.
 *
 * A request is an `exchange`.  MHD announces it in steps: its first line, then
 * its header (exchange_begin: everything that can be refused is refused here,
 * before a byte of body is kept), then the body in pieces, then its end
 * (exchange_answer).  An exchange put aside is a suspended MHD connection.
 *
 * MHD watches neither how long a header takes in all nor suspended
 * connections.  So each connection and each exchange put aside has a deadline
 * of ours, and the loop wakes at the earliest.
 */
#include "server/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "server/app.h"
#include "server/auth.h"
#include "server/feed.h"
#include "server/listen.h"
#include "server/live.h"
#include "server/peer.h"
#include "server/routes.h"

#define URL_MAX		  2048
#define PARAM_SIZE	  128
#define HEADERS_MAX	  64
#define CONNECTION_MEMORY ((size_t)16 << 10) /* bounds a request's header */
#define RESPONSE_MAX	  ((size_t)32 << 20)
#define ADMIN_CONNECTIONS 64

#define SWALLOW_MAX  ((size_t)1 << 20) /* of a chunked body past its limit */
#define LINGER_MAX   ((size_t)16 << 20)
#define LINGER_MS    3000
#define LINGERERS    256
#define BYTES_PER_MS 64    /* the least pace of a body, either way */
#define SEND_MS	     30000 /* for a response, whatever its length */
#define STOP_MS	     5000  /* past the longest wait of a request */
#define SHED_AFTER   100  /* a younger connection is never ended for others */
#define SHED_AT_ONCE 16

#define SIGNATURE_HEADER "X-Centra-Signature"

#define NEVER INT64_MAX
#define DOORS 2
#define OTHER_FDS 1024 /* the store, Centra, lingering connections, ... */

struct exchange;
struct door;

/* An answer without an end. */
struct stream {
	struct feed feed;
	bool suspended; /* it waits for more to send */
	bool over;	/* it ends after what is queued */
	bool begun;	/* in h->streams; its connection is watched */
};

struct conn {
	struct door *door;
	struct exchange *x; /* the request under way, or NULL */
	int fd;		    /* MHD's */
	int linger_fd;	    /* ours, to read what a client still sends */
	int64_t deadline;   /* time_mono; then it is shut down */
	int64_t since;	    /* time_mono: when it last got a step further */
	bool shed;	    /* ended by us; MHD has yet to see it */
	char peer[PEER_SIZE]; /* who connected */
	struct conn *prev, *next;
};

struct exchange {
	struct request req; /* first: an answer function holds only this */
	struct response res;
	struct conn *conn;
	struct MHD_Connection *mhd;
	struct buf body;
	char *path; /* owned: decoded; NULL: it cannot be */
	char param[PARAM_SIZE];
	const char *allow;     /* of a 405 */
	char *signature;       /* owned: unfolded; see on_header() */
	bool unread;	       /* answered before its body was read */
	bool begun, too_large; /* its header was seen; its body is too long */
	bool no_room;	       /* its body was thrown away: buffered_max */
	bool complete;	       /* its body was */
	size_t swallowed;
	size_t charged; /* of its body, to app->buffered */
	char peer[PEER_SIZE]; /* who asks, seen through proxies we trust */
	int64_t started; /* time_mono */

	answer_fn *answer_next; /* of request_later() */
	bool aside;		/* put aside and not yet called again */
	bool suspended;		/* in h->aside */
	bool again;		/* resumed before it was suspended */
	int64_t deadline;
	struct stream *stream; /* owned; or NULL */
	struct exchange *prev, *next; /* in h->aside, or in h->streams */
};

/* One listening socket and the connections that came by it. */
struct door {
	struct http *http;
	enum listener listener;
	struct MHD_Daemon *mhd;
	int listen_fd; /* -1 once it accepts no more */
	int epoll_fd;  /* MHD's */
	char address[LISTEN_ADDRESS_SIZE];
	struct conn *conns, *oldest; /* by `since`, the newest first */
	size_t n_conns, n_shed, limit;
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
	struct app *app;
	struct config *config; /* held: what does not change by SIGHUP */
	struct door doors[DOORS];
	int epoll_fd;
	int event_fd;
	pthread_t thread;
	bool running;

	pthread_mutex_t lock; /* of the two below */
	struct http_call *calls;
	struct http_call **calls_end;

	/* The loop's own. */
	struct exchange *aside;
	struct exchange *streams;
	struct closing lingers[LINGERERS];
	int64_t wake;	   /* no deadline is earlier */
	size_t reading;	   /* of app->buffered: of bodies not complete */
	int64_t live_due;  /* of live_tick() */
	int64_t stop_by;   /* NEVER: not stopping */
	bool stopped;
};

static void wake_by(struct http *h, int64_t t)
{
	if (t < h->wake)
		h->wake = t;
}

static struct exchange *exchange_of(struct request *req)
{
	return (struct exchange *)req;
}

static struct http *http_of(const struct exchange *x)
{
	return x->conn->door->http;
}

/* ---- connections ---- */

static void conn_deadline(struct conn *c, int64_t ms)
{
	c->deadline = time_mono() + ms;
	wake_by(c->door->http, c->deadline);
}

static const struct config_server *settings(const struct conn *c)
{
	return &c->door->http->config->server;
}

static void conn_unlink(struct conn *c)
{
	struct door *d = c->door;

	if (c->prev)
		c->prev->next = c->next;
	else
		d->conns = c->next;
	if (c->next)
		c->next->prev = c->prev;
	else
		d->oldest = c->prev;
	c->prev = c->next = NULL;
}

/* It got a step further: now it is the last to be ended for others. */
static void conn_step(struct conn *c, bool known)
{
	struct door *d = c->door;

	if (known)
		conn_unlink(c);
	c->since = time_mono();
	c->next = d->conns;
	if (c->next)
		c->next->prev = c;
	else
		d->oldest = c;
	d->conns = c;
}

static void peer_name(struct MHD_Connection *mhd, char ret[PEER_SIZE])
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const void *address = NULL;

	ret[0] = '\0';
	if (!info || !info->client_addr)
		return;
	if (info->client_addr->sa_family == AF_INET)
		address = &((const struct sockaddr_in *)(const void *)
				    info->client_addr)
				   ->sin_addr;
	else if (info->client_addr->sa_family == AF_INET6)
		address = &((const struct sockaddr_in6 *)(const void *)
				    info->client_addr)
				   ->sin6_addr;
	if (address)
		inet_ntop(info->client_addr->sa_family, address, ret,
			  PEER_SIZE);
}

static struct conn *conn_open(struct door *d, struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct conn *c = xcalloc(1, sizeof(*c));

	c->door = d;
	c->fd = info ? info->connect_fd : -1;
	c->linger_fd = -1;
	peer_name(mhd, c->peer);
	conn_step(c, false);
	d->n_conns++;
	conn_deadline(c, settings(c)->header_timeout);
	return c;
}

static void linger_start(struct http *h, int fd)
{
	struct epoll_event ev = {.events = EPOLLIN};

	for (size_t i = 0; i < LINGERERS; i++) {
		struct closing *l = &h->lingers[i];

		if (l->fd >= 0)
			continue;
		ev.data.ptr = l;
		if (epoll_ctl(h->epoll_fd, EPOLL_CTL_ADD, fd, &ev))
			break;
		shutdown(fd, SHUT_WR);
		*l = (struct closing){fd, time_mono() + LINGER_MS, LINGER_MAX};
		wake_by(h, l->until);
		return;
	}
	close(fd);
}

static void linger_end(struct closing *l)
{
	close(l->fd);
	l->fd = -1;
}

static void linger_read(struct closing *l)
{
	static char waste[65536]; /* the loop thread's; never looked at */
	ssize_t n = 1;

	while (l->left && n > 0) {
		n = recv(l->fd, waste, sizeof(waste), MSG_DONTWAIT);
		if (n > 0)
			l->left -= (size_t)n < l->left ? (size_t)n : l->left;
	}
	if (!l->left || !n || (errno != EAGAIN && errno != EINTR))
		linger_end(l);
}

static void exchange_free(struct exchange *x);

static void conn_close(struct conn *c)
{
	struct door *d = c->door;

	if (c->x)
		exchange_free(c->x);
	if (c->linger_fd >= 0)
		linger_start(d->http, c->linger_fd);
	conn_unlink(c);
	d->n_conns--;
	d->n_shed -= c->shed;
	d->closed++;
	free(c);
}

/* Ends a connection.  MHD sees its end and frees it. */
static void conn_shed(struct conn *c)
{
	c->shed = true;
	c->deadline = NEVER;
	c->door->n_shed++;
	c->door->ready = true;
	shutdown(c->fd, SHUT_RDWR);
}

/* Nothing complete is under way on it: it may be ended for others. */
static bool conn_idles(const struct conn *c)
{
	const struct exchange *x = c->x;

	return !c->shed && (!x || (!x->suspended && !x->stream));
}

static bool someone_waits(const struct door *d)
{
	struct pollfd p = {.fd = d->listen_fd, .events = POLLIN};

	return d->listen_fd >= 0 && poll(&p, 1, 0) == 1;
}

/* At its limit a daemon accepts nobody: who is slow would keep all others out.
 * So the connections on which nothing has got further for longest are ended,
 * as long as someone waits. */
static void door_shed(struct door *d, int64_t now)
{
	size_t most = 1 + d->limit / 64;
	struct conn *c, *newer;

	if (!d->waiting || d->n_conns < d->limit)
		return;
	d->waiting = someone_waits(d);
	if (most > SHED_AT_ONCE)
		most = SHED_AT_ONCE;
	for (c = d->oldest; c && d->waiting && d->n_shed < most; c = newer) {
		newer = c->prev;
		if (!conn_idles(c))
			continue;
		if (c->since + SHED_AFTER > now) {
			wake_by(d->http, c->since + SHED_AFTER);
			return;
		}
		METRIC_ADD(d->http->app, connections_shed_total, 1);
		conn_shed(c);
	}
}

/* MHD_NotifyConnectionCallback */
static void on_connection(void *cls, struct MHD_Connection *mhd,
			  void **socket_context,
			  enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		*socket_context = conn_open(cls, mhd);
	} else if (*socket_context) {
		conn_close(*socket_context);
		*socket_context = NULL;
	}
}

/* ---- exchanges: birth, waiting, death ---- */

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The path of a URI with its escapes decoded.  NULL when an escape is broken
 * or stands for a byte that could mean another path: NUL, '/', or a control
 * character. */
static char *path_decode(const char *uri)
{
	size_t len = strcspn(uri, "?#"), n = 0;
	char *path = xstrndup(uri, len);

	for (size_t i = 0; i < len; i++) {
		int high, low = -1;

		if (path[i] != '%') {
			path[n++] = path[i];
			continue;
		}
		high = hex_value(path[i + 1]);
		if (high >= 0)
			low = hex_value(path[i + 2]);
		high = high * 16 + low;
		if (low < 0 || high < ' ' || high == '/' || high == 0x7f) {
			free(path);
			return NULL;
		}
		path[n++] = (char)high;
		i += 2;
	}
	path[n] = '\0';
	return path;
}

/* MHD calls this with a request's first line, before its header. */
static void *on_uri(void *cls, const char *uri, struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct conn *c = info->socket_context;
	struct exchange *x = xcalloc(1, sizeof(*x));

	(void)cls;
	if (c->x) /* refused by MHD before its header was complete */
		exchange_free(c->x);
	c->x = x;
	x->conn = c;
	x->mhd = mhd;
	x->too_large = strlen(uri) > URL_MAX;
	x->path = x->too_large ? NULL : path_decode(uri);
	x->started = time_mono();
	memcpy(x->peer, c->peer, sizeof(x->peer));
	x->req.app = c->door->http->app;
	x->req.path = x->path;
	x->req.param = x->param;
	x->req.peer = x->peer;
	buf_init(&x->res.body, RESPONSE_MAX);
	return x;
}

static void aside_remove(struct exchange *x)
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

/* ---- answers without an end ---- */

#define STREAM_BLOCK	    1024  /* of MHD's; it asks for more at once */
#define STREAM_TCP_TIMEOUT  30000 /* ms that a client may leave bytes unseen */

static void stream_resume(struct exchange *x)
{
	if (!x->stream->suspended)
		return;
	x->stream->suspended = false;
	x->conn->door->ready = true;
	MHD_resume_connection(x->mhd);
}

/* The client is gone, or does not read: no more is owed to it. */
static void stream_cut(struct exchange *x)
{
	x->stream->over = true;
	shutdown(x->conn->fd, SHUT_RDWR);
	stream_resume(x);
}

/* MHD_ContentReaderCallback */
static ssize_t stream_read(void *cls, uint64_t pos, char *p, size_t max)
{
	struct exchange *x = cls;
	struct stream *s = x->stream;
	size_t n = feed_take(&s->feed, p, max);

	(void)pos;
	if (n)
		return (ssize_t)n;
	if (s->over || http_of(x)->stop_by != NEVER)
		return MHD_CONTENT_READER_END_OF_STREAM;
	/* Before the 0, or MHD asks again at once. */
	s->suspended = true;
	MHD_suspend_connection(x->mhd);
	return 0;
}

/* MHD looks at no suspended connection, so its end is watched for here. */
static void stream_begin(struct exchange *x)
{
	struct epoll_event ev = {.events = EPOLLRDHUP | EPOLLET,
				 .data.ptr = x->conn};
	unsigned ms = STREAM_TCP_TIMEOUT;
	struct http *h = http_of(x);

	x->stream->begun = true;
	x->next = h->streams;
	if (x->next)
		x->next->prev = x;
	h->streams = x;
	/* Without these it is noticed later, by the beats. */
	(void)setsockopt(x->conn->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms,
			 sizeof(ms));
	(void)epoll_ctl(h->epoll_fd, EPOLL_CTL_ADD, x->conn->fd, &ev);
	x->conn->deadline = NEVER;
}

static void stream_free(struct exchange *x)
{
	struct http *h = http_of(x);

	if (x->stream->begun) {
		(void)epoll_ctl(h->epoll_fd, EPOLL_CTL_DEL, x->conn->fd, NULL);
		if (x->prev)
			x->prev->next = x->next;
		else
			h->streams = x->next;
		if (x->next)
			x->next->prev = x->prev;
	}
	feed_release(&x->stream->feed);
	free(x->stream);
	x->stream = NULL;
}

/* All of one door, or of both (NULL). */
static void streams_end(struct http *h, const struct door *d)
{
	for (struct exchange *x = h->streams, *next; x; x = next) {
		next = x->next;
		if (d && x->conn->door != d)
			continue;
		x->stream->over = true;
		stream_resume(x);
	}
}

void respond_stream(struct request *req, struct response *res,
		    const char *type)
{
	exchange_of(req)->stream = xcalloc(1, sizeof(struct stream));
	res->status = 200;
	res->type = type;
}

bool stream_send(struct request *req, struct chunk *c)
{
	struct exchange *x = exchange_of(req);

	if (x->stream->over)
		return false;
	if (!feed_add(&x->stream->feed, c)) {
		stream_cut(x);
		return false;
	}
	stream_resume(x);
	return true;
}

void stream_end(struct request *req)
{
	struct exchange *x = exchange_of(req);

	x->stream->over = true;
	stream_resume(x);
}

/* ---- bodies: how many bytes of them there are ---- */

static size_t buffered_max(const struct config *c)
{
	return c->server.buffered_max > c->server.webhook_max_body ?
		       c->server.buffered_max : c->server.webhook_max_body;
}

/* What the body holds has changed. */
static void body_charge(struct exchange *x)
{
	struct http *h = http_of(x);

	h->app->buffered += x->body.len - x->charged;
	if (!x->complete)
		h->reading += x->body.len - x->charged;
	x->charged = x->body.len;
}

static void body_free(struct exchange *x)
{
	buf_release(&x->body);
	body_charge(x);
}

static void body_completed(struct exchange *x)
{
	if (!x->complete)
		http_of(x)->reading -= x->charged;
	x->complete = true;
}

/* Ends the connection whose body has been coming for longest, other than
 * `mine`.  False: there is none. */
static bool body_shed(struct http *h, const struct exchange *mine)
{
	struct conn *c = h->doors[LISTEN_PUBLIC].oldest;

	for (; c; c = c->prev) {
		struct exchange *x = c->x;

		if (!x || x == mine || x->complete || !x->charged || c->shed)
			continue;
		METRIC_ADD(h->app, bodies_shed_total, 1);
		body_free(x);
		conn_shed(c);
		return true;
	}
	return false;
}

/* True: len bytes more may be kept of a body. */
static bool body_room(struct exchange *x, size_t len)
{
	struct http *h = http_of(x);
	size_t max = buffered_max(x->req.config);

	while (h->app->buffered + len > max)
		if (!body_shed(h, x))
			return false;
	return true;
}

static void respond_no_room(struct exchange *x)
{
	METRIC_ADD(x->req.app, bodies_refused_total, 1);
	respond_problem(&x->res, 503, "not_stored",
			"too much is waiting right now; send it again");
	x->res.retry_after = 1;
}

static void exchange_free(struct exchange *x)
{
	struct http *h = http_of(x);

	body_completed(x);
	if (x->suspended)
		aside_remove(x);
	if (x->stream)
		stream_free(x);
	if (h->app->live)
		live_forget(h->app->live, &x->req);
	if (x->req.state_free)
		x->req.state_free(x->req.state);
	if (x->req.config)
		config_drop((struct config *)(uintptr_t)x->req.config);
	body_free(x);
	buf_release(&x->res.body);
	free(x->path);
	free(x->signature);
	x->conn->x = NULL;
	free(x);
}

/* MHD_RequestCompletedCallback */
static void on_completed(void *cls, struct MHD_Connection *mhd, void **con_cls,
			 enum MHD_RequestTerminationCode toe)
{
	struct exchange *x = *con_cls;
	struct conn *c;

	(void)cls;
	(void)mhd;
	(void)toe;
	if (!x)
		return;
	c = x->conn;
	exchange_free(x);
	*con_cls = NULL;
	conn_step(c, true);
	/* MHD ends an idle connection; this ends one that sends its next
	 * header byte by byte. */
	conn_deadline(c, settings(c)->idle_timeout +
				 settings(c)->header_timeout);
}

void request_later(struct request *req, answer_fn *next, int64_t deadline)
{
	struct exchange *x = exchange_of(req);

	x->answer_next = next;
	x->deadline = deadline;
	x->aside = true;
}

void request_resume(struct request *req)
{
	struct exchange *x = exchange_of(req);

	if (!x->aside)
		return;
	x->again = true;
	if (!x->suspended)
		return;
	aside_remove(x);
	x->conn->door->ready = true;
	MHD_resume_connection(x->mhd);
}

static void exchange_suspend(struct exchange *x)
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
	wake_by(h, x->deadline);
	MHD_suspend_connection(x->mhd);
}

const char *request_header(const struct request *req, const char *name)
{
	const struct exchange *x = (const struct exchange *)req;

	if (x->signature && !strcasecmp(name, SIGNATURE_HEADER))
		return x->signature;
	return MHD_lookup_connection_value(x->mhd, MHD_HEADER_KIND, name);
}

const char *request_query(const struct request *req, const char *name)
{
	const struct exchange *x = (const struct exchange *)req;

	return MHD_lookup_connection_value(x->mhd, MHD_GET_ARGUMENT_KIND,
					   name);
}

/* ---- answering ---- */

static void count_answer(struct exchange *x)
{
	struct app *app = x->req.app;
	int status = x->res.status;

	METRIC_ADD(app, requests_total, 1);
	if (status >= 500)
		METRIC_ADD(app, requests_failed_total, 1);
	else if (status >= 400)
		METRIC_ADD(app, requests_refused_total, 1);
	if (x->req.route && x->req.route->auth != AUTH_NONE)
		log_line(LOG_DEBUG, "request",
			 LOG_S("method", x->req.method),
			 LOG_S("route", x->req.route->path),
			 LOG_N("status", status), LOG_S("peer", x->req.peer),
			 LOG_N("latency_ms", time_mono() - x->started));
}

/* Nothing but our own files; no page of others around ours. */
#define PAGE_POLICY                                                           \
	"default-src 'self'; object-src 'none'; base-uri 'none'; "            \
	"frame-ancestors 'none'; form-action 'self'"

static const char *cache_control(const struct response *res)
{
	if (res->immutable)
		return "public, max-age=31536000, immutable";
	return res->page ? "no-cache" : "no-store";
}

static void add_headers(struct exchange *x, struct MHD_Response *r)
{
	const struct response *res = &x->res;
	struct http *h = http_of(x);
	char seconds[24];

	if (res->type)
		MHD_add_response_header(r, "Content-Type", res->type);
	MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
	MHD_add_response_header(r, "Cache-Control", cache_control(res));
	if (res->page) {
		MHD_add_response_header(r, "Content-Security-Policy",
					PAGE_POLICY);
		MHD_add_response_header(r, "Referrer-Policy", "no-referrer");
	}
	if (x->stream) /* for nginx, which would gather it */
		MHD_add_response_header(r, "X-Accel-Buffering", "no");
	if (res->etag)
		MHD_add_response_header(r, "ETag", res->etag);
	if (res->cookie)
		MHD_add_response_header(r, "Set-Cookie", res->cookie);
	if (res->retry_after) {
		snprintf(seconds, sizeof(seconds), "%lld",
			 (long long)res->retry_after);
		MHD_add_response_header(r, "Retry-After", seconds);
	}
	if (x->allow && res->status == 405)
		MHD_add_response_header(r, "Allow", x->allow);
	if (res->status == 401 && x->req.route &&
	    x->req.route->auth == AUTH_DEVICE)
		MHD_add_response_header(r, "WWW-Authenticate", "Bearer");
	if (x->unread || x->stream || h->stop_by != NEVER ||
	    h->app->draining)
		MHD_add_response_header(r, "Connection", "close");
}

/* Sends the header of an endless answer; stream_read() gives the rest. */
static enum MHD_Result exchange_stream(struct exchange *x)
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

static enum MHD_Result exchange_send(struct exchange *x)
{
	struct response *res = &x->res;
	struct MHD_Response *r;
	enum MHD_Result done;
	const char *match;
	size_t len;
	char *bytes;

	if (x->stream && res->status == 200)
		return exchange_stream(x);
	if (!res->status)
		respond_problem(res, 500, "no_answer",
				"this request was given no answer");
	if (buf_full(&res->body)) {
		log_limited(6, LOG_ERROR, "response too large",
			    LOG_S("route", x->req.route->path));
		buf_release(&res->body);
		buf_init(&res->body, RESPONSE_MAX);
		respond_problem(res, 500, "too_large",
				"the answer is larger than we send");
	}
	match = res->etag ? request_header(&x->req, "If-None-Match") : NULL;
	/* It may stand in a list, and be weakened on the way. */
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
		x->conn->linger_fd = dup(x->conn->fd);
	conn_deadline(x->conn, SEND_MS + (int64_t)(len / BYTES_PER_MS));
	done = MHD_queue_response(x->mhd, (unsigned)res->status, r);
	MHD_destroy_response(r);
	return done;
}

/* Runs the answer function, and again if it was put aside and resumed by
 * itself, until it has answered or waits. */
static enum MHD_Result exchange_answer(struct exchange *x, answer_fn *fn)
{
	for (;;) {
		x->aside = x->again = false;
		fn(&x->req, &x->res);
		if (x->res.status || !x->aside) {
			x->aside = false;
			return exchange_send(x);
		}
		if (!x->again) {
			exchange_suspend(x);
			return MHD_YES;
		}
		fn = x->answer_next;
	}
}

/* ---- the header: who may ask what, and how much ---- */

struct header {
	unsigned n;
	unsigned lengths, encodings, hosts, authorizations;
	unsigned bad_names;
	uint64_t length; /* of the body, as announced */
	bool chunked;
	const char *folded, *rest; /* of a signature on two lines, or NULL */
	const char *forwarded[HEADERS_MAX]; /* X-Forwarded-For */
	size_t n_forwarded;
};

static bool is_token(const char *name)
{
	return *name && strspn(name, "!#$%&'*+-.^_`|~0123456789"
				     "abcdefghijklmnopqrstuvwxyz"
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZ") ==
				strlen(name);
}

/* MHD 0.9.75 glues the second line of a folded header to its *name*.  Centra
 * shows its signature folded ("t=1," and "v1=..." on the next line), so of that
 * one header the pieces are put where they belong; others are refused. */
static void on_bad_name(struct header *h, const char *key, const char *value)
{
	const size_t len = strlen(SIGNATURE_HEADER);

	if (value && !strncasecmp(key, SIGNATURE_HEADER, len) && !h->folded) {
		h->folded = value;
		h->rest = key + len;
	} else {
		h->bad_names++;
	}
}

static enum MHD_Result on_header(void *cls, enum MHD_ValueKind kind,
				 const char *key, const char *value)
{
	struct header *h = cls;

	(void)kind;
	h->n++;
	if (!is_token(key)) {
		on_bad_name(h, key, value);
	} else if (!strcasecmp(key, "Content-Length")) {
		h->lengths++;
		if (value) /* MHD has refused what is no number */
			h->length = strtoull(value, NULL, 10);
	} else if (!strcasecmp(key, "Transfer-Encoding")) {
		h->encodings++;
		h->chunked = value && !strcasecmp(value, "chunked");
	} else if (!strcasecmp(key, "Host")) {
		h->hosts++;
	} else if (!strcasecmp(key, "Authorization")) {
		h->authorizations++;
	} else if (!strcasecmp(key, "X-Forwarded-For") && value &&
		   h->n_forwarded < HEADERS_MAX) {
		h->forwarded[h->n_forwarded++] = value;
	}
	return MHD_YES;
}

/* What no route may be sent: two parties on the way could read it in two
 * ways. */
static void check_form(struct exchange *x, const struct header *h)
{
	struct response *res = &x->res;

	if (x->too_large)
		respond_problem(res, 414, "too_large",
				"the address is longer than %d bytes", URL_MAX);
	else if (h->n > HEADERS_MAX)
		respond_problem(res, 431, "too_large",
				"there are more than %d headers", HEADERS_MAX);
	else if (h->bad_names)
		respond_problem(res, 400, "bad_request",
				"a header's name is no name, or is folded");
	else if (h->lengths > 1 || h->hosts > 1 || h->authorizations > 1)
		respond_problem(res, 400, "bad_request",
				"a header that may come once came twice");
	else if (h->lengths && h->encodings)
		respond_problem(res, 400, "bad_request",
				"Content-Length and Transfer-Encoding exclude "
				"each other");
	else if (h->encodings > 1 || (h->encodings && !h->chunked))
		respond_problem(res, 400, "bad_request",
				"the one Transfer-Encoding taken is chunked");
	else if (!x->path)
		respond_problem(res, 400, "bad_request",
				"the path holds an escape that cannot be used");
}

static void find_route(struct exchange *x)
{
	struct request *req = &x->req;

	req->route = routes_find(x->conn->door->listener, req->method,
				 req->path, x->param, sizeof(x->param),
				 &x->allow);
	if (req->route)
		return;
	if (x->allow)
		respond_problem(&x->res, 405, "method_not_allowed",
				"this address takes %s", x->allow);
	else
		respond_problem(&x->res, 404, "not_found",
				"there is nothing at this address");
}

static size_t body_limit(const struct exchange *x)
{
	size_t max = x->req.route->body_max;

	return max == BODY_WEBHOOK ? x->req.config->server.webhook_max_body :
				     max;
}

static void too_large(struct exchange *x)
{
	respond_problem(&x->res, 413, "too_large",
			"a body here may have %zu bytes", body_limit(x));
}

static void check_length(struct exchange *x, const struct header *h)
{
	if (x->req.route->auth == AUTH_SIGNED && h->encodings)
		respond_problem(&x->res, 411, "length_required",
				"send a Content-Length");
	else if (h->length > body_limit(x))
		too_large(x);
	else if (h->length && x->req.app->buffered - http_of(x)->reading +
					      h->length >
				      buffered_max(x->req.config))
		respond_no_room(x); /* incomplete ones would make way */
	else
		buf_init(&x->body, body_limit(x));
}

static enum MHD_Result exchange_begin(struct exchange *x, const char *method)
{
	struct request *req = &x->req;
	struct header header = {0};
	struct response *res = &x->res;

	x->begun = true;
	req->method = method;
	req->now = time_now();
	req->config = app_config(req->app);
	MHD_get_connection_values(x->mhd, MHD_HEADER_KIND, on_header, &header);
	networks_peer(x->peer, &req->config->server.proxies, x->conn->peer,
		      header.forwarded, header.n_forwarded);
	check_form(x, &header);
	if (header.folded)
		x->signature = xasprintf("%s%s", header.folded, header.rest);
	if (!res->status)
		find_route(x);
	if (!res->status && req->route->early &&
	    !req->route->early(req, res) && !res->status)
		respond_problem(res, 404, "not_found",
				"there is nothing at this address");
	if (!res->status)
		check_length(x, &header);
	if (!res->status && req->route->auth == AUTH_DEVICE)
		auth_device(req, res);
	if (res->status) {
		x->unread = header.length || header.encodings;
		return exchange_send(x);
	}
	conn_step(x->conn, true);
	conn_deadline(x->conn, settings(x->conn)->body_timeout);
	return MHD_YES;
}

/* MHD takes no answer in the middle of a body.  Of a chunked one that is too
 * long the rest is thrown away, up to a bound. */
static enum MHD_Result exchange_body(struct exchange *x, const char *data,
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

/* MHD_AccessHandlerCallback */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *mhd,
				  const char *url, const char *method,
				  const char *version, const char *data,
				  size_t *len, void **con_cls)
{
	struct exchange *x = *con_cls;
	size_t n = *len;

	(void)cls;
	(void)mhd;
	(void)url;
	(void)version;
	if (x->conn->shed)
		return MHD_NO;
	if (!x->begun)
		return exchange_begin(x, method);
	if (n) {
		*len = 0;
		return exchange_body(x, data, n);
	}
	x->conn->deadline = NEVER;
	if (x->aside)
		return exchange_answer(x, x->answer_next);
	conn_step(x->conn, true);
	body_completed(x);
	if (x->too_large || x->no_room) {
		if (x->too_large)
			too_large(x);
		else
			respond_no_room(x);
		return exchange_send(x);
	}
	x->req.body = x->body.data;
	x->req.body_len = x->body.len;
	return exchange_answer(x, x->req.route->answer);
}

/* ---- the loop ---- */

static void run_calls(struct http *h)
{
	struct http_call *c, *next;

	pthread_mutex_lock(&h->lock);
	c = h->calls;
	h->calls = NULL;
	h->calls_end = &h->calls;
	pthread_mutex_unlock(&h->lock);
	for (; c; c = next) {
		next = c->next; /* fn may free c */
		c->fn(c);
	}
}

void http_call(struct http *h, struct http_call *c)
{
	const uint64_t one = 1;
	bool first;

	pthread_mutex_lock(&h->lock);
	first = !h->calls;
	c->next = NULL;
	*h->calls_end = c;
	h->calls_end = &c->next;
	pthread_mutex_unlock(&h->lock);
	/* Fails only when the counter is full: then it wakes anyway. */
	if (first && write(h->event_fd, &one, sizeof(one)) < 0)
		return;
}

static void run_conn_timers(struct http *h, struct door *d, int64_t now)
{
	for (struct conn *c = d->conns; c; c = c->next) {
		if (c->deadline > now) {
			wake_by(h, c->deadline);
			continue;
		}
		/* MHD sees its end and frees it. */
		shutdown(c->fd, SHUT_RDWR);
		c->deadline = NEVER;
		d->ready = true;
	}
}

static void run_timers(struct http *h, int64_t now)
{
	struct exchange *x, *next;

	if (now >= h->live_due) {
		h->live_due = now + LIVE_POLL;
		if (h->app->live)
			live_tick(h->app->live);
	}
	if (now < h->wake)
		return;
	h->wake = NEVER;
	for (size_t i = 0; i < DOORS; i++)
		run_conn_timers(h, &h->doors[i], now);
	for (x = h->aside; x; x = next) {
		next = x->next;
		if (x->deadline > now) {
			wake_by(h, x->deadline);
			continue;
		}
		x->req.timed_out = true;
		request_resume(&x->req);
	}
	for (size_t i = 0; i < LINGERERS; i++) {
		if (h->lingers[i].fd < 0)
			continue;
		if (h->lingers[i].until <= now)
			linger_end(&h->lingers[i]);
		else
			wake_by(h, h->lingers[i].until);
	}
}

/* Runs MHD until it has nothing more to do at once.  Once more after a
 * connection was closed: only then does MHD accept again at its limit. */
static void door_run(struct door *d)
{
	MHD_UNSIGNED_LONG_LONG ms = 0;
	bool waits = false, more = true;

	for (int i = 0; more && i < 64; i++) {
		uint64_t closed = d->closed;

		MHD_run(d->mhd);
		waits = MHD_get_timeout(d->mhd, &ms) == MHD_YES;
		more = (waits && !ms) || closed != d->closed;
	}
	d->ready = more;
	d->due = waits ? time_mono() + (int64_t)ms : NEVER;
}

static int loop_timeout(const struct http *h, int64_t now)
{
	int64_t at = h->live_due < h->wake ? h->live_due : h->wake;

	for (size_t i = 0; i < DOORS; i++) {
		if (h->doors[i].ready)
			return 0;
		if (h->doors[i].due < at)
			at = h->doors[i].due;
	}
	if (h->stop_by != NEVER && at > now + 20)
		at = now + 20;
	return at <= now ? 0 : (int)(at - now);
}

static bool is_closing(const struct http *h, const void *what)
{
	uintptr_t p = (uintptr_t)what;

	return p >= (uintptr_t)h->lingers &&
	       p < (uintptr_t)(h->lingers + LINGERERS);
}

static struct door *listener(struct http *h, const void *what)
{
	for (size_t i = 0; i < DOORS; i++)
		if (what == &h->doors[i].listen_fd)
			return &h->doors[i];
	return NULL;
}

/* The client of a stream has closed its end. */
static void conn_hangup(struct conn *c)
{
	if (c->x && c->x->stream)
		stream_cut(c->x);
}

/* What an epoll event is about: the queue of calls, a door, who waits at it, a
 * linger, or the connection of a stream. */
static void loop_event(struct http *h, void *what)
{
	struct door *waits = listener(h, what);
	uint64_t n;

	if (what == h) {
		if (read(h->event_fd, &n, sizeof(n)) < 0)
			return;
	} else if (what == &h->doors[0] || what == &h->doors[1]) {
		((struct door *)what)->ready = true;
	} else if (waits) {
		waits->waiting = true;
	} else if (is_closing(h, what)) {
		if (((struct closing *)what)->fd >= 0)
			linger_read(what);
	} else {
		conn_hangup(what);
	}
}

static void loop_pass(struct http *h)
{
	struct epoll_event events[64];
	int64_t now = time_mono();
	int n = epoll_wait(h->epoll_fd, events, 64, loop_timeout(h, now));

	for (int i = 0; i < n; i++)
		loop_event(h, events[i].data.ptr);
	now = time_mono();
	run_calls(h);
	run_timers(h, now);
	for (size_t i = 0; i < DOORS; i++) {
		if (h->doors[i].ready || h->doors[i].due <= now)
			door_run(&h->doors[i]);
		door_shed(&h->doors[i], now);
	}
}

/* ---- stopping ---- */

/* Takes in those whom the kernel has already let connect, then no more. */
static void door_quiesce(struct door *d)
{
	int fd;

	if (d->listen_fd < 0)
		return;
	for (int i = 0; i < 4; i++)
		door_run(d);
	fd = MHD_quiesce_daemon(d->mhd);
	if (fd != MHD_INVALID_SOCKET)
		close(fd);
	d->listen_fd = -1;
}

/* Ends connections on which nothing is under way and nothing has come. */
static void door_end_idle(struct door *d)
{
	char byte;

	for (struct conn *c = d->conns; c; c = c->next) {
		if (c->x || recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
			continue;
		shutdown(c->fd, SHUT_RDWR);
		d->ready = true;
	}
}

/* MHD cannot stop while connections are suspended. */
static void door_stop(struct door *d)
{
	struct http *h = d->http;
	struct exchange *x, *next;

	door_quiesce(d);
	streams_end(h, d);
	for (x = h->aside; x; x = next) {
		next = x->next;
		if (x->conn->door != d)
			continue;
		x->req.timed_out = true;
		request_resume(&x->req);
	}
	door_run(d); /* they answer, most likely */
	for (x = h->aside; x; x = next) {
		next = x->next;
		if (x->conn->door != d)
			continue;
		aside_remove(x);
		MHD_resume_connection(x->mhd);
	}
	MHD_stop_daemon(d->mhd);
	d->mhd = NULL;
}

static bool loop_ended(struct http *h)
{
	bool empty = true;

	if (h->stop_by == NEVER)
		return false;
	for (size_t i = 0; i < DOORS; i++) {
		door_quiesce(&h->doors[i]);
		door_end_idle(&h->doors[i]);
		empty = empty && !h->doors[i].conns;
	}
	for (size_t i = 0; i < LINGERERS; i++)
		empty = empty && h->lingers[i].fd < 0;
	return empty || time_mono() >= h->stop_by;
}

static void *loop(void *arg)
{
	struct http *h = arg;

	while (!loop_ended(h))
		loop_pass(h);
	for (size_t i = 0; i < DOORS; i++)
		door_stop(&h->doors[i]);
	if (h->app->live)
		live_detach(h->app->live);
	return NULL;
}

/* A call that its caller waits for. */
struct waited {
	struct http_call call;
	struct http *http;
	sem_t done;
};

static void run_waited(struct http *h, void (*fn)(struct http_call *c))
{
	struct waited w = {.call = {.fn = fn, .arg = &w}, .http = h};

	if (!h->running)
		return;
	sem_init(&w.done, 0, 0);
	http_call(h, &w.call);
	while (sem_wait(&w.done) && errno == EINTR)
		;
	sem_destroy(&w.done);
}

static void quiesce(struct http_call *c)
{
	struct waited *w = c->arg;

	door_quiesce(&w->http->doors[LISTEN_PUBLIC]);
	sem_post(&w->done);
}

void http_quiesce(struct http *h)
{
	run_waited(h, quiesce);
}

static void begin_stop(struct http_call *c)
{
	struct waited *w = c->arg;
	struct http *h = w->http;
	struct config *config = app_config(h->app);
	int64_t longest = config->server.answer_wait;

	if (config->server.write_wait > longest)
		longest = config->server.write_wait;
	config_drop(config);
	h->stop_by = time_mono() + longest + STOP_MS;
	streams_end(h, NULL);
	for (struct exchange *x = h->aside; x; x = x->next)
		if (x->req.may_stop)
			x->deadline = h->wake = time_mono();
	sem_post(&w->done);
}

void http_stop(struct http *h)
{
	if (!h || !h->running)
		return;
	run_waited(h, begin_stop);
	pthread_join(h->thread, NULL);
	h->running = false;
}

/* ---- birth and death ---- */

/* Each connection is a descriptor; the usual soft limit is below our own.
 * Returns how many connections there may be: without one, accepting would
 * fail where it cannot be told from being at the limit. */
static int64_t allow_descriptors(int64_t connections)
{
	struct rlimit r;
	rlim_t want = (rlim_t)connections + OTHER_FDS, most;

	if (getrlimit(RLIMIT_NOFILE, &r))
		return connections;
	if (r.rlim_cur < want) {
		most = want < r.rlim_max ? want : r.rlim_max;
		if (!setrlimit(RLIMIT_NOFILE,
			       &(struct rlimit){most, r.rlim_max}))
			r.rlim_cur = most;
	}
	if (r.rlim_cur >= want)
		return connections;
	most = r.rlim_cur > 2 * OTHER_FDS ? r.rlim_cur - OTHER_FDS :
					    r.rlim_cur / 2;
	if ((int64_t)most < connections) {
		connections = (int64_t)most;
		log_line(LOG_WARN,
			 "fewer connections than set: the limit of open files "
			 "is low (ulimit -n)",
			 LOG_N("files", (int64_t)r.rlim_cur),
			 LOG_N("connections", connections));
	}
	return connections;
}

static enum rc door_open(struct door *d, struct http *h, enum listener which,
			 const char *address, int64_t connections,
			 struct err *e)
{
	const struct config_server *s = &h->config->server;
	unsigned idle = s->idle_timeout < 1000 ?
				1 :
				(unsigned)(s->idle_timeout / 1000);
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = d};
	struct epoll_event arrivals = {.events = EPOLLIN | EPOLLET,
				       .data.ptr = &d->listen_fd};
	const union MHD_DaemonInfo *info;
	enum rc rc;

	d->http = h;
	d->listener = which;
	d->due = NEVER;
	d->limit = (size_t)connections;
	rc = listen_inherited(&d->listen_fd, d->address,
			      which == LISTEN_ADMIN, e);
	if (rc == RC_NOTFOUND)
		rc = listen_open(&d->listen_fd, d->address, address, e);
	if (rc)
		return rc;
	d->mhd = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
		on_request, d, MHD_OPTION_LISTEN_SOCKET, d->listen_fd,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)connections,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT,
		(unsigned)s->connections_per_ip,
		MHD_OPTION_CONNECTION_TIMEOUT, idle,
		MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, d,
		MHD_OPTION_URI_LOG_CALLBACK, on_uri, d,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, d, MHD_OPTION_END);
	info = d->mhd ? MHD_get_daemon_info(d->mhd, MHD_DAEMON_INFO_EPOLL_FD) :
			NULL;
	if (!info || info->epoll_fd < 0)
		return fail(e, RC_IO, "cannot serve at '%s'", address);
	d->epoll_fd = info->epoll_fd;
	if (epoll_ctl(h->epoll_fd, EPOLL_CTL_ADD, d->epoll_fd, &ev) ||
	    epoll_ctl(h->epoll_fd, EPOLL_CTL_ADD, d->listen_fd, &arrivals))
		return fail(e, RC_IO, "cannot watch '%s': %s", address,
			    strerror(errno));
	d->ready = true;
	return OK;
}

static enum rc http_init(struct http *h, struct err *e)
{
	const struct config_server *s = &h->config->server;
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = h};
	enum rc rc;

	h->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	h->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (h->epoll_fd < 0 || h->event_fd < 0 ||
	    epoll_ctl(h->epoll_fd, EPOLL_CTL_ADD, h->event_fd, &ev))
		return fail(e, RC_IO, "cannot make the loop's descriptors: %s",
			    strerror(errno));
	rc = door_open(&h->doors[LISTEN_PUBLIC], h, LISTEN_PUBLIC, s->listen,
		       allow_descriptors(s->connections), e);
	if (!rc)
		rc = door_open(&h->doors[LISTEN_ADMIN], h, LISTEN_ADMIN,
			       s->admin_listen, ADMIN_CONNECTIONS, e);
	return rc;
}

enum rc http_open(struct http **ret, struct app *app, struct err *e)
{
	struct http *h = xcalloc(1, sizeof(*h));
	enum rc rc;

	h->app = app;
	h->config = app_config(app);
	h->epoll_fd = h->event_fd = -1;
	h->calls_end = &h->calls;
	h->wake = h->stop_by = NEVER;
	for (size_t i = 0; i < DOORS; i++)
		h->doors[i].listen_fd = -1;
	for (size_t i = 0; i < LINGERERS; i++)
		h->lingers[i].fd = -1;
	pthread_mutex_init(&h->lock, NULL);
	app->peers = peers_open();
	rc = routes_check(routes, e);
	if (!rc)
		rc = http_init(h, e);
	if (rc) {
		http_close(h);
		return rc;
	}
	*ret = h;
	return OK;
}

const char *http_address(const struct http *h)
{
	return h->doors[LISTEN_PUBLIC].address;
}

const char *http_admin_address(const struct http *h)
{
	return h->doors[LISTEN_ADMIN].address;
}

enum rc http_start(struct http *h, struct err *e)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&h->thread, NULL, loop, h);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error)
		return fail(e, RC_IO, "cannot start the loop: %s",
			    strerror(error));
	h->running = true;
	return OK;
}

static void door_close(struct door *d)
{
	if (d->mhd) {
		(void)MHD_quiesce_daemon(d->mhd);
		MHD_stop_daemon(d->mhd);
	}
	if (d->listen_fd >= 0)
		close(d->listen_fd);
}

void http_close(struct http *h)
{
	if (!h)
		return;
	http_stop(h);
	for (size_t i = 0; i < DOORS; i++)
		door_close(&h->doors[i]);
	run_calls(h); /* whose requests have ended: they only free */
	for (size_t i = 0; i < LINGERERS; i++)
		if (h->lingers[i].fd >= 0)
			close(h->lingers[i].fd);
	if (h->event_fd >= 0)
		close(h->event_fd);
	if (h->epoll_fd >= 0)
		close(h->epoll_fd);
	pthread_mutex_destroy(&h->lock);
	peers_close(h->app->peers);
	h->app->peers = NULL;
	config_drop(h->config);
	free(h);
}
