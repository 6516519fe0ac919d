/* SPDX-License-Identifier: MIT
 *
 * bench_limits.c - can slow and half-open connections keep Centra out?
 *
 *	BUILD=build build/tests/bench/bench_limits [SECONDS [CONNECTIONS]]
 *
 * Hostile connections are opened and kept open, each made anew when the server
 * ends it, while a signed delivery of 100 events, of orders that nobody holds,
 * comes each 10 ms over a connection of its own.  Twice: with room for all of
 * them, and with a table (`connections`) that they fill twice over.
 *
 * Exit 1 unless every good delivery was answered 200, 99 of 100 of them within
 * P99_MS of the moment they were due, in RSS_MAX of memory.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/server.h"

#define P99_MS	     250.0
#define RSS_MAX	     256 /* MiB */
#define SECONDS_MAX  20.0
#define EVENTS	     100
#define EVERY	     0.010 /* s, between deliveries */
#define GOOD_MAX     1024  /* under way at once */
#define PATIENCE     5.0   /* s: Centra's own */
#define TICKS	     10    /* a second; each hostile one acts once a second */
#define FAT	     32768 /* bytes a second of a fat body */
#define LATE_MS	     25.0  /* of our own: then the machine was busy otherwise */
#define TRIES	     3
#define SPARE_FDS    1500
#define REQUEST_SIZE 65536

enum hostile {
	SILENT,	     /* connects and says nothing */
	DRIP_HEADER, /* a byte a second */
	DRIP_BODY,
	FAT_BODY,   /* announces 4 MB and sends it slowly */
	NO_READER,  /* asks and never reads the answer */
	HALF_CLOSED, /* half a header, then the end */
	HOSTILES,
};

struct peer {
	int fd; /* -1: none */
	bool good;
	enum hostile how;
	unsigned step;
	double due; /* of a good one: when its delivery should have gone out */
	size_t len, sent, got;
	char *request; /* of a good one; REQUEST_SIZE */
	char reply[512];
};

struct run {
	int epoll, port;
	struct peer *bad, *good;
	int n_bad;
	long number, opened, served, failed;
	double *took; /* ms */
	double *late; /* ms that we were late ourselves to begin one */
	size_t n_took, n_late, room;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- connections ---- */

static void end_peer(struct peer *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

static bool dial(struct run *r, struct peer *p, uint32_t events)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)r->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct epoll_event ev = {.events = events, .data.ptr = p};
	int small = 4096;

	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (p->fd < 0)
		return false;
	if (!p->good)
		setsockopt(p->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	if ((connect(p->fd, (struct sockaddr *)&to, sizeof(to)) != 0 &&
	     errno != EINPROGRESS) ||
	    epoll_ctl(r->epoll, EPOLL_CTL_ADD, p->fd, &ev) != 0) {
		end_peer(p);
		return false;
	}
	return true;
}

/* ---- the hostile ---- */

static void say(struct peer *p, const char *text, size_t len)
{
	if (send(p->fd, text, len, MSG_NOSIGNAL) < 0 && errno != EAGAIN)
		end_peer(p);
}

static void say_text(struct peer *p, const char *text)
{
	say(p, text, strlen(text));
}

/* What a hostile connection does each second. */
static void act(struct run *r, struct peer *p)
{
	static const char post[] =
		"POST /webhooks/centra/se HTTP/1.1\r\nHost: x\r\n"
		"X-Centra-Signature: t=1,v1=0\r\nContent-Length: 4000000\r\n"
		"\r\npayload=";
	static const char get[] = "GET /openapi.yaml HTTP/1.1\r\nHost: x\r\n\r\n";
	static char fat[FAT];

	if (p->fd < 0) {
		p->step = 0;
		r->opened += dial(r, p, EPOLLRDHUP);
		return;
	}
	switch (p->how) {
	case DRIP_HEADER:
		say(p, &post[p->step % 40], 1);
		break;
	case DRIP_BODY:
		say_text(p, p->step ? "x" : post);
		break;
	case FAT_BODY:
		if (p->step)
			say(p, fat, sizeof(fat));
		else
			say_text(p, post);
		break;
	case NO_READER:
		say_text(p, get);
		break;
	case HALF_CLOSED:
		if (p->step == 0)
			say(p, post, 60);
		else
			shutdown(p->fd, SHUT_WR);
		break;
	default:
		break;
	}
	p->step++;
}

/* ---- the good ---- */

static size_t make_body(struct run *r, char *out, size_t size)
{
	size_t n = 0;

	/* Only what PHP's urlencode() would leave alone, or escaped by hand. */
	n += (size_t)snprintf(out + n, size - n,
			      "payload=%%7B%%22events%%22%%3A%%5B");
	for (int i = 0; i < EVENTS; i++)
		n += (size_t)snprintf(
			out + n, size - n,
			"%s%%7B%%22type%%22%%3A%%22order%%22%%2C"
			"%%22action%%22%%3A%%22%s%%22%%2C%%22date%%22%%3A"
			"%%222026-01-11+16%%3A21%%3A00.552288%%22%%2C"
			"%%22id%%22%%3A%ld%%7D",
			i ? "%2C" : "", i % 2 ? "update" : "insert",
			r->number + i / 2);
	r->number += EVENTS / 2;
	n += (size_t)snprintf(out + n, size - n, "%%5D%%7D");
	return n;
}

static void make_request(struct run *r, struct peer *p)
{
	static char signed_text[REQUEST_SIZE];
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned mac_len = 0;
	long t = (long)time(NULL);
	int head = snprintf(signed_text, sizeof(signed_text), "%ld.", t);
	size_t len = make_body(r, signed_text + head,
			       sizeof(signed_text) - (size_t)head);
	char hex[65];

	HMAC(EVP_sha256(), BENCH_SECRET, (int)strlen(BENCH_SECRET),
	     (unsigned char *)signed_text, (size_t)head + len, mac, &mac_len);
	for (unsigned i = 0; i < 32; i++)
		snprintf(hex + (size_t)2 * i, 3, "%02x", mac[i]);
	p->len = (size_t)snprintf(
		p->request, REQUEST_SIZE,
		"POST /webhooks/centra/se HTTP/1.1\r\nHost: 127.0.0.1\r\n"
		"Connection: close\r\nContent-Length: %zu\r\n"
		"Content-Type: application/x-www-form-urlencoded\r\n"
		"X-Centra-Signature: t=%ld,v1=%s\r\n\r\n%s",
		len, t, hex, signed_text + head);
}

static void deliver(struct run *r, double due)
{
	struct peer *p = NULL;

	for (int i = 0; i < GOOD_MAX && !p; i++)
		if (r->good[i].fd < 0)
			p = &r->good[i];
	if (p == NULL) {
		r->failed++;
		return;
	}
	p->good = true;
	p->due = due;
	p->sent = p->got = 0;
	if (p->request == NULL)
		p->request = malloc(REQUEST_SIZE);
	if (p->request == NULL)
		abort();
	make_request(r, p);
	if (!dial(r, p, EPOLLIN | EPOLLOUT | EPOLLET))
		r->failed++;
}

static void delivered(struct run *r, struct peer *p)
{
	bool well = p->got >= 12 && memcmp(p->reply, "HTTP/1.1 200", 12) == 0;

	if (!well && r->failed++ < 5)
		fprintf(stderr, "a good delivery was answered '%.*s'\n",
			(int)(p->got < 60 ? p->got : 60), p->reply);
	r->served += well;
	if (r->n_took < r->room)
		r->took[r->n_took++] = (now() - p->due) * 1000;
	end_peer(p);
}

static void serve_good(struct run *r, struct peer *p)
{
	ssize_t n;

	while (p->sent < p->len) {
		n = send(p->fd, p->request + p->sent, p->len - p->sent,
			 MSG_NOSIGNAL);
		if (n <= 0)
			break;
		p->sent += (size_t)n;
	}
	for (;;) {
		n = recv(p->fd, p->reply + p->got,
			 sizeof(p->reply) - 1 - p->got, 0);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0)
			break;
		p->got += (size_t)n;
		p->reply[p->got] = '\0';
		if (strstr(p->reply, "\r\n\r\n") != NULL)
			break;
	}
	delivered(r, p);
}

/* ---- the run ---- */

static void turn(struct run *r, int ms)
{
	struct epoll_event ready[256];
	int n = epoll_wait(r->epoll, ready, 256, ms);

	for (int i = 0; i < n; i++) {
		struct peer *p = ready[i].data.ptr;

		if (p->fd < 0)
			continue;
		if (p->good)
			serve_good(r, p);
		else if (ready[i].events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP))
			end_peer(p);
	}
}

static int waits(const struct run *r)
{
	int n = 0;

	for (int i = 0; i < GOOD_MAX; i++)
		n += r->good[i].fd >= 0;
	return n;
}

static void attack(struct run *r, unsigned tick)
{
	for (int i = (int)(tick % TICKS); i < r->n_bad; i += TICKS)
		act(r, &r->bad[i]);
}

static void drive(struct run *r, double seconds)
{
	double begin, next, tick, until;
	unsigned ticks = 0;

	for (; ticks < 2 * TICKS; ticks++) { /* all are in, and have begun */
		attack(r, ticks);
		turn(r, 5);
	}
	begin = next = tick = now();
	until = begin + seconds;
	while (next < until) {
		double t = now();

		if (t >= next) {
			if (r->n_late < r->room)
				r->late[r->n_late++] = (t - next) * 1000;
			deliver(r, next);
			next += EVERY;
		}
		if (t >= tick) {
			attack(r, ticks++);
			tick += 1.0 / TICKS;
		}
		t = now();
		turn(r, next > t ? (int)((next - t) * 1000) : 0);
	}
	while (waits(r) && now() < until + PATIENCE)
		turn(r, 10);
	r->failed += waits(r);
}

static long memory_of(pid_t pid, const char *name)
{
	char path[64], line[256];
	long kib = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	while (f != NULL && kib < 0 && fgets(line, sizeof(line), f))
		if (strncmp(line, name, strlen(name)) == 0)
			kib = strtol(line + strlen(name) + 1, NULL, 10);
	if (f != NULL)
		fclose(f);
	return kib / 1024;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The value that `percent` of the n are not above. */
static double nth(double *list, size_t n, unsigned percent)
{
	qsort(list, n, sizeof(*list), ascending);
	return n == 0 ? 1e9 : list[percent == 100 ? n - 1 : n * percent / 100];
}

enum verdict { KEPT, NOT_KEPT, DISTURBED };

static enum verdict report(struct run *r, const struct server *s)
{
	long peak = memory_of(s->pid, "VmHWM:");
	double late = nth(r->late, r->n_late, 99);
	double p50 = nth(r->took, r->n_took, 50);
	double p99 = nth(r->took, r->n_took, 99);
	double worst = nth(r->took, r->n_took, 100);
	bool kept;

	kept = r->failed == 0 && r->served > 0 && p99 < P99_MS && peak > 0 &&
	       peak < RSS_MAX;
	printf("  %ld deliveries of %d events, %ld failed: p50 %.1f ms, "
	       "p99 %.1f ms, worst %.1f ms\n",
	       r->served, EVENTS, r->failed, p50, p99, worst);
	printf("  resident at most %ld MiB (now %ld of the heap, %ld of the "
	       "store's map); %ld hostile connections made: %s\n",
	       peak, memory_of(s->pid, "RssAnon:"),
	       memory_of(s->pid, "RssFile:"), r->opened,
	       kept ? "kept" : "NOT kept");
	if (!kept && late > LATE_MS)
		printf("  the machine is busy: we were %.0f ms late ourselves\n",
		       late);
	fflush(stdout);
	if (kept)
		return KEPT;
	return late > LATE_MS ? DISTURBED : NOT_KEPT;
}

static enum verdict measure_once(const char *build, const char *lines,
				 int n_bad, double seconds)
{
	struct run r = {.n_bad = n_bad, .number = 1, .epoll = -1};
	char binary[512], parent[512];
	struct server s;
	enum verdict kept = NOT_KEPT;

	snprintf(binary, sizeof(binary), "%s/shipfrom", build);
	snprintf(parent, sizeof(parent), "%s/bench-data", build);
	if (server_start_with(&s, binary, parent, lines) != 0)
		return NOT_KEPT;
	r.port = s.port;
	r.room = (size_t)(seconds / EVERY) + 16;
	r.took = calloc(r.room, sizeof(*r.took));
	r.late = calloc(r.room, sizeof(*r.late));
	r.bad = calloc((size_t)n_bad, sizeof(*r.bad));
	r.good = calloc(GOOD_MAX, sizeof(*r.good));
	r.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!r.took || !r.late || !r.bad || !r.good || r.epoll < 0)
		goto out;
	for (int i = 0; i < n_bad; i++) {
		r.bad[i].fd = -1;
		r.bad[i].how = (enum hostile)(i / TICKS % HOSTILES);
	}
	for (int i = 0; i < GOOD_MAX; i++)
		r.good[i].fd = -1;
	drive(&r, seconds);
	kept = report(&r, &s);
out:
	for (int i = 0; r.bad && i < n_bad; i++)
		end_peer(&r.bad[i]);
	for (int i = 0; r.good && i < GOOD_MAX; i++) {
		end_peer(&r.good[i]);
		free(r.good[i].request);
	}
	if (r.epoll >= 0)
		close(r.epoll);
	free(r.took);
	free(r.late);
	free(r.bad);
	free(r.good);
	server_stop(&s);
	return kept;
}

/* Again when what else the machine does would be what is measured. */
static bool measure(const char *build, const char *lines, int n_bad,
		    double seconds)
{
	enum verdict v = DISTURBED;

	for (int i = 0; i < TRIES && v == DISTURBED; i++)
		v = measure_once(build, lines, n_bad, seconds);
	return v == KEPT;
}

/* As many as we may have descriptors for: half of them are the server's. */
static int allowed(int n)
{
	struct rlimit l = {0};

	if (getrlimit(RLIMIT_NOFILE, &l) == 0) {
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_NOFILE, &l);
	}
	if (l.rlim_cur != RLIM_INFINITY && (rlim_t)n + SPARE_FDS > l.rlim_cur) {
		n = l.rlim_cur > SPARE_FDS + 100 ?
			    (int)(l.rlim_cur - SPARE_FDS) : 100;
		printf("only %d connections: ulimit -n is %lu\n", n,
		       (unsigned long)l.rlim_cur);
	}
	return n;
}

int main(int argc, char **argv)
{
	const char *build = getenv("BUILD") ? getenv("BUILD") : "build";
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 10;
	int n = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 2000;
	char lines[64];
	int kept;

	signal(SIGPIPE, SIG_IGN);
	if (seconds <= 0 || seconds > SECONDS_MAX || n < 10 || n > 50000) {
		fprintf(stderr, "bench: at most %.0f seconds\n", SECONDS_MAX);
		return 64;
	}
	n = allowed(n);
	printf("%d hostile connections, room for all, %.1f s\n", n, seconds);
	kept = measure(build, "", n, seconds);
	snprintf(lines, sizeof(lines), "connections = %d\n", n / 2);
	printf("%d hostile connections, room for %d, %.1f s\n", n, n / 2,
	       seconds);
	kept += measure(build, lines, n, seconds);
	printf("promised: p99 under %.0f ms, under %d MiB, all of them 200\n",
	       P99_MS, RSS_MAX);
	printf("%d passed, %d failed\n", kept, 2 - kept);
	return kept != 2;
}
