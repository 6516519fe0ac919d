/* SPDX-License-Identifier: MIT
 *
 * bench_growth.c - what changes when a store grows.
 *
 *	BUILD=build build/tests/bench/bench_growth [EVENTS [ORDERS [TASKS]]]
 *
 * EVENTS (1,000,000; the full size is 10,000,000) are kept, with ORDERS (a
 * fiftieth of EVENTS, 300,000 at most) and 10,000 open offers of one shop.  A
 * server of that store and one of a store with 10,000 events get the same load
 * in turns.  Then the big one is started with a fetch of each order put off,
 * with the clock set back, and with TASKS (as many as events, 1,000,000 at most)
 * more tasks; shops accept meanwhile.
 *
 * All of it is in a folder in BENCH_FOLDER (build/bench/data), which is removed
 * at the end.  BENCH_ROUNDS: how often the two servers take turns; 3.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/growth/centra.h"
#include "tests/bench/growth/fill.h"
#include "tests/bench/load.h"
#include "tests/bench/rows.h"
#include "tests/bench/server.h"

#define SMALL	     10000
#define OPEN	     10000 /* offers of one shop */
#define ACCEPTS	     200
#define READS	     20
#define STARTS	     3
#define REQUESTS     160000 /* of one load, more than it takes */
#define HALF_AN_HOUR (30 * 60000)
#define AN_HOUR	     (60 * 60000)
/* Bytes that the disk must have for each, with room to spare. */
#define EVENT_BYTES 600
#define ORDER_BYTES 8000
#define TASK_BYTES  600
#define SPARE_BYTES ((uint64_t)2 << 30)

#define LINES "store_max = 64G\nanswer_wait = 20s\ndevice_presses = 10000\n"

struct bench {
	long events, orders, tasks, rounds;
	char binary[512], parent[512];
	struct server big, small;
	struct granting centra;
	long number; /* the first number that no load has used */
	char token[64];
};

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void say(const char *measure, const char *unit, double value)
{
	printf("  %-62s %12.2f %s\n", measure, value, unit);
	fflush(stdout);
	row(SHIPFROM, measure, unit, value);
}

/* ---- filling ---- */

static const char *url_of(const struct server *s)
{
	static char url[600];

	snprintf(url, sizeof(url), "lmdb:%s/data", s->dir);
	return url;
}

static int has_room(const struct bench *b)
{
	uint64_t need = (uint64_t)b->events * EVENT_BYTES +
			(uint64_t)(b->orders + OPEN) * ORDER_BYTES +
			(uint64_t)b->tasks * TASK_BYTES + SPARE_BYTES;
	struct statvfs v;
	uint64_t left;

	if (statvfs(b->parent, &v) != 0)
		return 0;
	left = (uint64_t)v.f_bavail * v.f_frsize;
	if (left >= need)
		return 1;
	fprintf(stderr,
		"bench: %s has %.1f GB free, and %ld events need %.1f\n",
		b->parent, (double)left / 1e9, b->events, (double)need / 1e9);
	return 0;
}

static int fill_big(struct bench *b)
{
	const struct fill f = {
		.first = 1,
		.kept = b->events - 2 * b->orders - OPEN,
		.orders = b->orders,
		.open = OPEN,
		.put_off = HALF_AN_HOUR,
	};
	struct filled got;

	if (fill_store(url_of(&b->big), &f, &got) != 0)
		return -1;
	printf("filled with %ld events and %ld orders in %.0f s: %.2f GB, "
	       "%llu tasks wait\n",
	       b->events, b->orders + OPEN, got.seconds,
	       (double)got.used / 1e9, (unsigned long long)got.waiting);
	say("events in the store with many", "events", (double)b->events);
	if (f.kept > 0)
		say("disk per kept event", "bytes",
		    (double)got.kept / (double)f.kept);
	say("disk per order that another shop took (2 events, 1 fetch)",
	    "bytes", (double)got.orders / (double)f.orders);
	return 0;
}

/* ---- one server ---- */

/* Memory of the process that is no part of the store's file, in MiB. */
static double own_memory(const struct server *s)
{
	char path[64], line[256];
	double kib = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)s->pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "RssAnon: %lf", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib / 1024;
}

static int start_big(struct bench *b, const char *how)
{
	char what[128];

	for (int i = 0; i < STARTS; i++) {
		if (i)
			server_halt(&b->big);
		if (server_run(&b->big, b->binary) != 0)
			return -1;
		snprintf(what, sizeof(what), "start until ready, %s", how);
		say(what, "ms", b->big.ready_ms);
	}
	return 0;
}

static void stop_big(struct bench *b, const char *how)
{
	char what[128];

	snprintf(what, sizeof(what), "own memory, %s", how);
	say(what, "MiB", own_memory(&b->big));
	snprintf(what, sizeof(what), "stop, %s", how);
	say(what, "ms", server_halt(&b->big));
}

/* ---- requests of one connection ---- */

static int dial(int port)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Makes one request and returns how long it took, in ms; -1: it failed. */
static double ask(const struct bench *b, int port, const char *method,
		  const char *path, int expected)
{
	static char text[1 << 16];
	double began = now_ms();
	int fd = dial(port), status = 0;
	ssize_t n;
	int len = snprintf(text, sizeof(text),
			   "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
			   "Connection: close\r\nContent-Length: 0\r\n"
			   "Authorization: Bearer %s\r\n\r\n",
			   method, path, b->token);

	if (fd < 0 || send(fd, text, (size_t)len, MSG_NOSIGNAL) != len)
		goto out;
	while ((n = recv(fd, text, sizeof(text) - 1, 0)) > 0) {
		text[n] = '\0';
		if (!status)
			sscanf(text, "HTTP/1.1 %d", &status);
	}
out:
	if (fd >= 0)
		close(fd);
	if (status == expected)
		return now_ms() - began;
	fprintf(stderr, "bench: %s %s: %d\n", method, path, status);
	return -1;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int read_often(const struct bench *b, int port, const char *path)
{
	double took[READS];
	char what[128];

	for (int i = 0; i < READS; i++) {
		took[i] = ask(b, port, "GET", path, 200);
		if (took[i] < 0)
			return -1;
	}
	qsort(took, READS, sizeof(*took), ascending);
	snprintf(what, sizeof(what), "GET %s, p50", path);
	say(what, "ms", took[READS / 2]);
	return 0;
}

static int read_all(const struct bench *b)
{
	if (read_often(b, b->big.port, "/api/v1/orders?state=open&limit=200") ||
	    read_often(b, b->big.port, "/api/v1/report") ||
	    read_often(b, b->big.admin_port, "/metrics"))
		return -1;
	return 0;
}

/* The open offers of the filled store are the last of its orders. */
static int accept_some(const struct bench *b, long from, const char *how)
{
	double took[ACCEPTS];
	char path[128];

	for (int i = 0; i < ACCEPTS; i++) {
		snprintf(path, sizeof(path), "/api/v1/orders/%ld/accept",
			 from + i);
		took[i] = ask(b, b->big.port, "POST", path, 200);
		if (took[i] < 0)
			return -1;
	}
	qsort(took, ACCEPTS, sizeof(*took), ascending);
	snprintf(path, sizeof(path), "accept to Centra's answer, p50, %s", how);
	say(path, "ms", took[ACCEPTS / 2]);
	snprintf(path, sizeof(path), "accept to Centra's answer, p99, %s", how);
	say(path, "ms", took[ACCEPTS * 99 / 100]);
	return 0;
}

static int add_device(struct bench *b)
{
	char command[1300];
	FILE *p;

	snprintf(command, sizeof(command),
		 "'%s' device add --config '%s' --shop one --name bench "
		 "2>/dev/null", b->binary, b->big.config);
	p = popen(command, "r");
	if (!p || !fgets(b->token, sizeof(b->token), p)) {
		if (p)
			pclose(p);
		return -1;
	}
	b->token[strcspn(b->token, "\n")] = '\0';
	while (fgetc(p) != EOF)
		;
	return pclose(p);
}

/* ---- the load, in turns ---- */

static int load_one(struct bench *b, const struct server *s,
		    enum load_kind kind, const char *what, const char *size,
		    double *ret)
{
	struct requests requests = {0};
	struct load l = {.connections = 64,
			 .warm = 0.5,
			 .seconds = 2,
			 .kind = kind,
			 .requests = &requests,
			 .port = s->port};
	struct load_result got;
	char measure[128];
	int rc = -1;

	if (requests_make(&requests, kind, b->number, REQUESTS) != 0)
		goto out;
	b->number += REQUESTS;
	if (load_run(&l, &got) != 0 || !got.stored)
		goto out;
	snprintf(measure, sizeof(measure), "%s, %s events", what, size);
	say(measure, "/s", got.per_second);
	snprintf(measure, sizeof(measure), "%s, %s events, p99", what, size);
	say(measure, "ms", got.p99);
	*ret = got.per_second;
	rc = 0;
out:
	requests_free(&requests);
	return rc;
}

static int in_turns(struct bench *b, enum load_kind kind, const char *what)
{
	const struct fill few = {.first = 1, .kept = SMALL};
	double small, big;
	struct filled got;
	int rc;

	if (server_make(&b->small, b->parent, LINES, 0) != 0 ||
	    fill_store(url_of(&b->small), &few, &got) != 0 ||
	    server_run(&b->small, b->binary) != 0)
		return -1;
	rc = load_one(b, &b->small, kind, what, "10,000", &small);
	if (rc == 0)
		rc = load_one(b, &b->big, kind, what, "many", &big);
	server_stop(&b->small);
	if (rc == 0)
		printf("  %s: %.2f of the throughput at 10,000 events\n",
		       what, big / small);
	return rc;
}

/* ---- all ---- */

static int measure(struct bench *b)
{
	const struct fill ahead = {.first = 900000000, .kept = 1,
				   .ahead = AN_HOUR};
	struct fill tasks = {.first = 800000000, .tasks = b->tasks};
	long open = 1 + b->orders;
	struct filled got;

	if (start_big(b, "tasks put off") != 0)
		return -1;
	for (long i = 0; i < b->rounds; i++)
		if (in_turns(b, LOAD_KEPT, "stored") != 0 ||
		    in_turns(b, LOAD_OFFER, "offers") != 0)
			return -1;
	if (read_all(b) != 0 || accept_some(b, open, "tasks put off") != 0)
		return -1;
	stop_big(b, "tasks put off");
	if (fill_store(url_of(&b->big), &ahead, &got) != 0 ||
	    start_big(b, "clock set back") != 0)
		return -1;
	stop_big(b, "clock set back");
	if (fill_store(url_of(&b->big), &tasks, &got) != 0)
		return -1;
	printf("%llu tasks wait\n", (unsigned long long)got.waiting);
	if (start_big(b, "all tasks") != 0 || read_all(b) != 0 ||
	    accept_some(b, open + ACCEPTS, "all tasks") != 0)
		return -1;
	stop_big(b, "all tasks");
	return 0;
}

static int number(const char *text, long *ret)
{
	char *end;

	*ret = strtol(text, &end, 10);
	return *text != '\0' && *end == '\0' && *ret >= 0 ? 0 : -1;
}

static int read_args(struct bench *b, int argc, char **argv)
{
	const char *rounds = getenv("BENCH_ROUNDS");

	b->events = 1000000;
	if (argc > 1 && number(argv[1], &b->events) != 0)
		return -1;
	b->orders = b->events / 50 < 300000 ? b->events / 50 : 300000;
	b->tasks = b->events < 1000000 ? b->events : 1000000;
	if ((argc > 2 && number(argv[2], &b->orders) != 0) ||
	    (argc > 3 && number(argv[3], &b->tasks) != 0) || argc > 4)
		return -1;
	b->rounds = 3;
	if (rounds && number(rounds, &b->rounds) != 0)
		return -1;
	return b->orders > 0 && b->events >= 2 * b->orders + OPEN &&
			       b->rounds > 0
		       ? 0
		       : -1;
}

int main(int argc, char **argv)
{
	const char *build = getenv("BUILD") ? getenv("BUILD") : "build";
	const char *folder = getenv("BENCH_FOLDER");
	struct bench b = {.number = 100000000,
			  .big.out = -1,
			  .small.out = -1};
	int rc = 1;

	if (read_args(&b, argc, argv) != 0) {
		fprintf(stderr, "usage: bench_growth [EVENTS [ORDERS "
				"[TASKS]]], EVENTS at least 2 x ORDERS + "
				"10,000\n");
		return 64;
	}
	signal(SIGPIPE, SIG_IGN);
	snprintf(b.binary, sizeof(b.binary), "%s/shipfrom", build);
	if (folder)
		snprintf(b.parent, sizeof(b.parent), "%s", folder);
	else
		snprintf(b.parent, sizeof(b.parent), "%s/bench/data", build);
	if (granting_start(&b.centra) == 0 &&
	    server_make(&b.big, b.parent, LINES, b.centra.port) == 0 &&
	    has_room(&b) && fill_big(&b) == 0 && add_device(&b) == 0)
		rc = measure(&b) != 0;
	server_stop(&b.small);
	server_stop(&b.big);
	granting_stop(&b.centra);
	return rc;
}
