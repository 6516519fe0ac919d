/* SPDX-License-Identifier: MIT
 *
 * bench_retention.c - what webhooks feel of the removal of old data.
 *
 *	BUILD=build build/tests/bench/bench_retention [SECONDS]
 *
 * Two servers have a store of the same kind: ORDERS finished orders with their
 * events, journals and changes, and EVENTS more events, all 500 days old.  To
 * one all ages are 0.  It gets RATE webhooks a second, new offers, in an open
 * loop (arrivals.h) for SECONDS (3).  The other removes: it gets the same load
 * while events go, and once more while orders go.  A device accepts an open
 * offer of each first: Centra's reply confirms the clock, and removal begins.
 *
 * Exit 1 if nothing was removed in a counted time, or if nothing was left to be
 * removed at its end, as it then shows nothing.
 *
 * BENCH_FOLDER: where the stores are (build/bench/data); BENCH_ROUNDS: how
 * often (3).
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/arrivals.h"
#include "tests/bench/client.h"
#include "tests/bench/growth/centra.h"
#include "tests/bench/growth/fill.h"
#include "tests/bench/rows.h"
#include "tests/bench/server.h"

#define RATE	 500.0
#define WARM	 0.5 /* s, before anything is counted */
#define ORDERS	 16000
#define EVENTS	 40000
#define AGE	 (-INT64_C(43200000000)) /* ms: 500 days ago */
#define PATIENCE 30.0			 /* s */

#define LINES                                                                 \
	"answer_wait = 20s\n"                                                 \
	"session_age = 0\n"
#define NO_AGES                                                               \
	"keep_events = 0\nkeep_orders = 0\nkeep_journal = 0\n"                \
	"keep_quarantine = 0\nkeep_changes = 0\nkeep_addresses = 0\n"

struct bench {
	char binary[512], parent[512];
	double seconds;
	struct granting centra;
	struct server server;
	long number; /* the first that no webhook has used */
};

/* What goes in one counted time. */
struct removal {
	const char *name, *metric;
	double most; /* as many as there are */
};
static const struct removal events = {
	"events", "shipfrom_removed_events_total", 2.0 * ORDERS + EVENTS};
static const struct removal orders = {
	"orders", "shipfrom_removed_orders_total", ORDERS};

/* ---- what the server says ---- */

/* The value of a metric; -1: it is not there. */
static double metric(const struct bench *b, const char *name)
{
	const char *body, *at;
	struct client c;
	double ret = -1;
	char line[80];

	client_init(&c, b->server.admin_port);
	snprintf(line, sizeof(line), "\n%s ", name);
	if (client_ask(&c, "GET", "/metrics", NULL, NULL, &body) == 200 &&
	    (at = strstr(body, line)) != NULL)
		ret = strtod(at + strlen(line), NULL);
	client_close(&c);
	return ret;
}

/* Waits until removal is at work on them. */
static int wait_for(const struct bench *b, const struct removal *what)
{
	const struct timespec pause = {.tv_nsec = 5000000};
	double until = bench_now() + PATIENCE;

	while (bench_now() < until) {
		if (metric(b, what->metric) > 0)
			return 0;
		nanosleep(&pause, NULL);
	}
	fprintf(stderr, "bench: no %s are removed\n", what->name);
	return -1;
}

/* ---- webhooks ---- */

static size_t make_hook(void *arg, size_t n, char out[HOOK_SIZE])
{
	struct bench *b = arg;
	char json[HOOK_JSON];

	(void)n;
	snprintf(json, sizeof(json),
		 "{\"events\":[{\"type\":\"check_first\",\"action\":\"create\","
		 "\"date\":\"2026-01-11 16:21:00.552288\",\"id\":%ld,"
		 "\"data\":{\"warehouses\":[{\"warehouseId\":3,"
		 "\"expirationAt\":\"2036-01-12T16:21:00+01:00\"}]}}]}",
		 b->number++);
	return hook_request(out, "se", BENCH_SECRET, json, false);
}

static int load(struct bench *b, double seconds, double *ret_p99,
		double *ret_worst)
{
	const struct arrivals a = {.port = b->server.port,
				   .per_second = RATE,
				   .seconds = seconds,
				   .make = make_hook,
				   .arg = b};
	struct arrival *list = NULL;
	struct samples took = {0};
	size_t n = 0, lost = 0;
	int rc = arrivals_run(&a, &list, &n);

	for (size_t i = 0; i < n; i++) {
		lost += list[i].acked <= 0;
		samples_add(&took, (list[i].acked - list[i].due) * 1000);
	}
	free(list);
	if (lost)
		fprintf(stderr, "bench: %zu of %zu webhooks were not answered "
				"200\n", lost, n);
	*ret_p99 = samples_at(&took, 99);
	*ret_worst = samples_at(&took, 100);
	samples_free(&took);
	return rc == 0 && lost == 0 && n > 0 ? 0 : -1;
}

static void say(const char *what, const char *of, const char *unit,
		double value)
{
	char measure[100];

	snprintf(measure, sizeof(measure), "500 webhooks/s%s%s%s, %s",
		 *what ? " while " : "", what, *what ? " are removed" : "", of);
	printf("  %-62s %12.2f %s\n", measure, value, unit);
	fflush(stdout);
	row(SHIPFROM, measure, unit, value);
}

static int measure_alone(struct bench *b)
{
	double p99, worst;

	if (load(b, WARM, &p99, &worst) != 0 ||
	    load(b, b->seconds, &p99, &worst) != 0)
		return -1;
	if (metric(b, events.metric) != 0) {
		fprintf(stderr, "bench: events are removed without an age\n");
		return -1;
	}
	say("", "p99", "ms", p99);
	say("", "worst", "ms", worst);
	return 0;
}

static int measure_beside(struct bench *b, const struct removal *what)
{
	double p99, worst, before, after, began, seconds;

	if (wait_for(b, what) != 0 || load(b, WARM, &p99, &worst) != 0)
		return -1;
	before = metric(b, what->metric);
	began = bench_now();
	if (load(b, b->seconds, &p99, &worst) != 0)
		return -1;
	seconds = bench_now() - began;
	after = metric(b, what->metric);
	if (after <= before || after >= what->most - 1) {
		fprintf(stderr, "bench: %.0f, then %.0f of %.0f %s were "
				"removed: not all the time\n",
			before, after, what->most, what->name);
		return -1;
	}
	say(what->name, "p99", "ms", p99);
	say(what->name, "worst", "ms", worst);
	say(what->name, "rows", "/s", (after - before) / seconds);
	return 0;
}

/* ---- a server ---- */

/* A device takes the order that the store was filled with last. */
static int confirm_clock(struct bench *b)
{
	char token[64], path[80];
	struct client c;
	int status;

	if (server_device(&b->server, b->binary, "one", token) != 0)
		return -1;
	client_init(&c, b->server.port);
	snprintf(path, sizeof(path), "/api/v1/orders/%d/accept", 1 + ORDERS);
	status = client_ask(&c, "POST", path, token, "{}", NULL);
	client_close(&c);
	if (status != 200)
		fprintf(stderr, "bench: POST %s: %d\n", path, status);
	return status == 200 ? 0 : -1;
}

static int start(struct bench *b, const char *lines)
{
	const struct fill f = {.first = 1,
			       .orders = ORDERS,
			       .open = 1,
			       .kept = EVENTS,
			       .ahead = AGE,
			       .ended = true};
	struct filled got;
	char url[600];

	if (server_make(&b->server, b->parent, lines, b->centra.port) != 0)
		return -1;
	snprintf(url, sizeof(url), "lmdb:%s/data", b->server.dir);
	if (fill_store(url, &f, &got) != 0)
		return -1;
	sync(); /* what filling has left to be written is not measured */
	if (server_run(&b->server, b->binary) != 0)
		return -1;
	return confirm_clock(b);
}

static int without_removal(struct bench *b)
{
	int rc = start(b, LINES NO_AGES);

	if (rc == 0)
		rc = measure_alone(b);
	server_stop(&b->server);
	return rc;
}

static int with_removal(struct bench *b)
{
	int rc = start(b, LINES);

	if (rc == 0)
		rc = measure_beside(b, &events);
	if (rc == 0)
		rc = measure_beside(b, &orders);
	server_stop(&b->server);
	return rc;
}

/* They take turns in going first, so that neither always has the disk as the
 * other left it. */
static int one_round(struct bench *b, bool removal_first)
{
	int rc = removal_first ? with_removal(b) : without_removal(b);

	return rc ? rc : removal_first ? without_removal(b) : with_removal(b);
}

int main(int argc, char **argv)
{
	const char *build = getenv("BUILD") ? getenv("BUILD") : "build";
	const char *folder = getenv("BENCH_FOLDER");
	const char *rounds = getenv("BENCH_ROUNDS");
	long n = rounds ? strtol(rounds, NULL, 10) : 3;
	struct bench b = {.seconds = argc > 1 ? strtod(argv[1], NULL) : 3,
			  .server.out = -1,
			  .number = 100000000};
	int rc;

	if (argc > 2 || !(b.seconds > 0) || n < 1) {
		fprintf(stderr, "usage: bench_retention [SECONDS]\n");
		return 64;
	}
	signal(SIGPIPE, SIG_IGN);
	snprintf(b.binary, sizeof(b.binary), "%s/shipfrom", build);
	if (folder)
		snprintf(b.parent, sizeof(b.parent), "%s", folder);
	else
		snprintf(b.parent, sizeof(b.parent), "%s/bench/data", build);
	rc = granting_start(&b.centra);
	for (long i = 0; rc == 0 && i < n; i++)
		rc = one_round(&b, i % 2);
	granting_stop(&b.centra);
	return rc != 0;
}
