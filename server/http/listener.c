/* SPDX-License-Identifier: MIT
 *
 * listener.c - one listening socket, its MHD daemon, and the connections that came
 * by it.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/time.h"
#include "server/http/http_private.h"

/* Bytes of MHD's memory for a connection: it bounds the size of a request's
 * header. */
#define CONNECTION_MEMORY ((size_t)16 << 10)
#define ADMIN_CONNECTIONS 64
#define OTHER_FDS    1024 /* descriptors for the store, Centra, lingering
			   * connections, ... */
#define NEWCOMER_MS  500  /* ms that the first request may take to arrive after
			   * its connection */
#define ACCEPT_RUNS  1000 /* runs of MHD, at most, before a socket closes */
#define EVICT_AFTER   100  /* ms; a younger connection is not ended to make room
			    * for others */
#define EVICT_AT_ONCE 16

/* Raises the limit of open files, and returns how many connections fit below
 * it.  Without that, accept() would fail, and that looks the same as being at
 * the limit of connections. */
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

enum rc listener_open(struct listener *d, struct http *h, enum listen_at which,
		  struct err *e)
{
	const struct http_options *s = &h->o;
	bool admin = which == LISTEN_ADMIN;
	const char *address = s->listen[which];
	unsigned idle = s->idle_timeout < 1000 ?
				1 :
				(unsigned)(s->idle_timeout / 1000);
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = d};
	struct epoll_event arrivals = {.events = EPOLLIN | EPOLLET,
				       .data.ptr = &d->listen_fd};
	const union MHD_DaemonInfo *info;
	enum rc rc;

	d->http = h;
	d->which = which;
	d->due = NEVER;
	d->limit = admin ? ADMIN_CONNECTIONS :
			   (size_t)allow_descriptors((int64_t)s->connections);
	rc = listen_inherited(&d->listen_fd, d->address, admin, e);
	if (rc == RC_NOTFOUND)
		rc = listen_open(&d->listen_fd, d->address, address, e);
	if (rc)
		return rc;
	d->mhd = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
		request_piece, d, MHD_OPTION_LISTEN_SOCKET, d->listen_fd,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)d->limit,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT,
		(unsigned)s->connections_per_ip,
		MHD_OPTION_CONNECTION_TIMEOUT, idle,
		MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_NOTIFY_CONNECTION, conn_notify, d,
		MHD_OPTION_URI_LOG_CALLBACK, request_line, d,
		MHD_OPTION_NOTIFY_COMPLETED, request_completed, d,
		MHD_OPTION_END);
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

/* Runs MHD once more after it closed a connection (only then does it accept
 * again if it was at its limit), and after a connection was resumed in its own
 * callback. */
void listener_run(struct listener *d)
{
	MHD_UNSIGNED_LONG_LONG ms = 0;
	bool waits = false, more = true;

	for (int i = 0; more && i < 64; i++) {
		uint64_t closed = d->closed;

		d->ready = false;
		d->http->now = time_mono();
		MHD_run(d->mhd);
		waits = MHD_get_timeout(d->mhd, &ms) == MHD_YES;
		more = (waits && !ms) || closed != d->closed || d->ready;
	}
	d->ready = more;
	d->due = waits ? d->http->now + (int64_t)ms : NEVER;
}

static bool someone_waits(const struct listener *d)
{
	struct pollfd p = {.fd = d->listen_fd, .events = POLLIN};

	return d->listen_fd >= 0 && poll(&p, 1, 0) == 1;
}

/* At its limit of connections a daemon accepts nobody, so slow clients would
 * keep all others out.  While someone waits, this ends the connections that
 * made no progress for longest; if none is idle, it ends streams, one at a
 * time. */
void listener_evict(struct listener *d, int64_t now)
{
	size_t most = 1 + d->limit / 64;
	struct conn *c, *newer;

	if (!d->waiting || d->n_conns < d->limit)
		return;
	d->waiting = someone_waits(d);
	if (most > EVICT_AT_ONCE)
		most = EVICT_AT_ONCE;
	for (c = TAILQ_LAST(&d->idle, conns);
	     c && d->waiting && d->n_evicted < most; c = newer) {
		newer = TAILQ_PREV(c, conns, link);
		if (c->since + EVICT_AFTER > now) {
			http_wake_by(d->http, c->since + EVICT_AFTER);
			return;
		}
		COUNT(d->http, evicted);
		conn_evict(c);
	}
	if (d->waiting && !d->n_evicted)
		stream_evict(d);
}

/* True if the client has still to send a part of a request, or a new one. */
static bool awaits_client(const struct conn *c)
{
	const struct http_request *x = c->x;

	return !x || !x->begun ||
	       (x->where == IN_LOOP && x->has_body && !x->complete &&
		!x->res.status);
}

void listener_end_half(struct listener *d)
{
	struct conn *c, *next;
	char byte;

	if (d->ready) /* MHD may have bytes that it has not looked at */
		return;
	for (c = LIST_FIRST(&d->half); c; c = next) {
		next = LIST_NEXT(c, in_half);
		if (awaits_client(c) &&
		    !recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT))
			conn_end(c);
	}
}

/* MHD accepts at most ten connections in a run. */
void listener_quiesce(struct listener *d)
{
	int fd;

	if (d->listen_fd < 0)
		return;
	for (int i = 0; i < ACCEPT_RUNS; i++) {
		listener_run(d);
		d->waiting = someone_waits(d);
		if (!d->waiting)
			break;
		listener_evict(d, time_mono());
	}
	fd = MHD_quiesce_daemon(d->mhd);
	if (fd != MHD_INVALID_SOCKET)
		close(fd);
	d->listen_fd = -1;
}

void listener_end_idle(struct listener *d)
{
	int64_t old = time_mono() - NEWCOMER_MS;
	struct conn *c;
	char byte;

	TAILQ_FOREACH(c, &d->idle, link)
	{
		if (c->since > old || c->x ||
		    recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
			continue;
		conn_end(c);
	}
}

void listener_stop(struct listener *d)
{
	MHD_stop_daemon(d->mhd);
	d->mhd = NULL;
}

void listener_close(struct listener *d)
{
	if (d->mhd) {
		(void)MHD_quiesce_daemon(d->mhd);
		MHD_stop_daemon(d->mhd);
	}
	if (d->listen_fd >= 0)
		close(d->listen_fd);
}
