/* SPDX-License-Identifier: MIT
 *
 * bench_webhooks.c - durable webhooks a second: ours, and what people would
 * write instead.
 *
 *	BUILD=build build/tests/bench/bench_webhooks
 *
 * Every contender gets the same bytes from the same driver, answers 200 only
 * when the event is on disk, and has a new folder each time.  They take turns,
 * round by round, so that all of them feel alike what the machine does
 * otherwise.  A reply that is not right ends the run: exit 1.
 *
 * BENCH_ROUNDS  how often (3)
 * BENCH_SECONDS how long each is counted (2)
 * BENCH_ONLY    keys of the contenders, with spaces between them; all
 * BENCH_FOLDER  on the disk to be measured; build/bench/data
 * BENCH_ROWS    rows.h
 */
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "tests/bench/load.h"
#include "tests/bench/rows.h"
#include "tests/bench/server.h"

#define WARM	    1.0 /* s */
#define SECONDS	    2.0
#define SECONDS_MAX 60.0
#define ROUNDS	    3
#define ROUNDS_MOST 64
#define FIRST_NUMBER 10000000

enum {
	OURS,
	ONE_TXN,
	NO_STORE,
	NODE,
	EXPRESS,
	FASTIFY,
	CONTENDERS,
};

#define WHO(x) (1u << (x))
#define ALL    (WHO(CONTENDERS) - 1)

static const struct contender {
	const char *key, *name;
	const char *binary; /* below BUILD; NULL: a peer */
	const char *shell, *program; /* below BUILD/bench/peers */
} contenders[CONTENDERS] = {
	[OURS] = {"shipfrom", SHIPFROM, "shipfrom", NULL, NULL},
	[ONE_TXN] = {"onetxn", "shipfrom, one transaction a write",
		     "bench-onetxn/shipfrom", NULL, NULL},
	[NO_STORE] = {"ceiling", "shipfrom without its store (ceiling)",
		      "bench-nostore/shipfrom", NULL, NULL},
	[NODE] = {"node", "node:http + SQLite, group commit", NULL, NULL,
		  "group-commit.mjs"},
	[EXPRESS] = {"express", "express + SQLite", NULL, NULL, "express.mjs"},
	[FASTIFY] = {"fastify", "fastify + PostgreSQL", NULL, "postgres.sh",
		     "fastify.mjs"},
};

static const struct measure {
	const char *name;
	enum load_kind kind;
	int connections;
	size_t fastest; /* requests a second that are made ahead */
	unsigned who;
	/* More of the same run; NULL: not wanted. */
	const char *p99, *cpu, *disk;
} measures[] = {
	{"stored, 64 connections", LOAD_KEPT, 64, 90000, ALL,
	 "stored, 64 connections, p99", "CPU per stored event",
	 "disk per stored event"},
	{"applied offers, 64 connections", LOAD_OFFER, 64, 60000,
	 WHO(OURS) | WHO(ONE_TXN) | WHO(NO_STORE),
	 "applied offers, 64 connections, p99", "CPU per applied offer",
	 "disk per applied offer"},
	{"stored, 1 connection", LOAD_KEPT, 1, 15000, ALL & ~WHO(ONE_TXN),
	 "stored, 1 connection, p99", NULL, NULL},
	{"stored, 256 connections", LOAD_KEPT, 256, 90000, WHO(OURS), NULL,
	 NULL, NULL},
	{"stored, 1000 connections", LOAD_KEPT, 1000, 90000, WHO(OURS), NULL,
	 NULL, NULL},
};

#define MEASURES (sizeof(measures) / sizeof(measures[0]))

/* ---- settings ---- */

static const char *setting(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value && *value ? value : otherwise;
}

/* True if the key is a word of BENCH_ONLY, or that is not set. */
static bool wanted(const char *key)
{
	char list[256], *rest = list, *word;

	snprintf(list, sizeof(list), "%s", setting("BENCH_ONLY", key));
	while ((word = strsep(&rest, " ")))
		if (!strcmp(word, key))
			return true;
	return false;
}

/* ---- one measurement ---- */

static int start(struct server *s, const struct contender *c)
{
	const char *build = setting("BUILD", "build");
	char first[512], second[512], node[] = "node", *argv[4] = {NULL};
	char own[512];
	const char *folder;
	int n = 0;

	snprintf(own, sizeof(own), "%s/bench/data", build);
	folder = setting("BENCH_FOLDER", own);
	snprintf(second, sizeof(second), "%s/bench/peers/%s", build,
		 c->program);
	if (c->binary) {
		snprintf(first, sizeof(first), "%s/%s", build, c->binary);
		return server_start(s, first, folder);
	}
	if (c->shell) {
		snprintf(first, sizeof(first), "%s/bench/peers/%s", build,
			 c->shell);
		argv[n++] = first;
	}
	argv[n++] = node;
	argv[n++] = second;
	return server_start_peer(s, argv, folder);
}

static double disk_bytes;

static int add_bytes(const char *path, const struct stat *st, int type,
		     struct FTW *ftw)
{
	(void)path, (void)ftw;
	if (type == FTW_F)
		disk_bytes += (double)st->st_blocks * 512;
	return 0;
}

static double bytes_in(const char *folder)
{
	disk_bytes = 0;
	nftw(folder, add_bytes, 16, FTW_PHYS);
	return disk_bytes;
}

static void hand_in(const struct measure *m, const struct contender *c,
		    const struct load_result *r, double bytes)
{
	printf("  %-36s %8.0f/s  %7.1f us of CPU  p50 %6.2f  p99 %6.2f  worst "
	       "%6.1f ms\n",
	       c->name, r->per_second, r->cpu_us, r->p50, r->p99, r->worst);
	row(c->name, m->name, "/s", r->per_second);
	if (m->p99)
		row(c->name, m->p99, "ms", r->p99);
	if (m->cpu)
		row(c->name, m->cpu, "us", r->cpu_us);
	if (m->disk && c != &contenders[NO_STORE])
		row(c->name, m->disk, "bytes", bytes / (double)r->sent);
}

static int measure(const struct measure *m, const struct contender *c,
		   const struct requests *requests, double seconds)
{
	struct load l = {
		.connections = m->connections,
		.warm = WARM,
		.seconds = seconds,
		.requests = requests,
	};
	struct load_result r;
	struct server s;
	double bytes;
	int rc;

	if (start(&s, c) != 0)
		return -1;
	bytes = bytes_in(s.dir);
	l.port = s.port;
	l.pid = s.pid;
	rc = load_run(&l, &r);
	bytes = bytes_in(s.dir) - bytes;
	server_stop(&s);
	if (rc || r.refused || !r.stored) {
		fprintf(stderr, "bench: %s: %lu right, %lu wrong replies\n",
			c->name, r.stored, r.refused);
		return -1;
	}
	hand_in(m, c, &r, bytes);
	return 0;
}

/* ---- all of them ---- */

static int measure_all(const struct measure *m, int round, double seconds)
{
	const size_t n = (size_t)((WARM + seconds) * (double)m->fastest);
	struct requests requests = {0};
	bool any = false;
	int rc;

	for (int i = 0; i < CONTENDERS; i++)
		any |= m->who & WHO(i) && wanted(contenders[i].key);
	if (!any)
		return 0;
	printf("%s\n", m->name);
	rc = requests_make(&requests, m->kind, FIRST_NUMBER, n);
	for (int i = 0; !rc && i < CONTENDERS; i++) {
		int which = (i + round) % CONTENDERS; /* each goes first once */

		if (m->who & WHO(which) && wanted(contenders[which].key))
			rc = measure(m, &contenders[which], &requests, seconds);
	}
	requests_free(&requests);
	return rc;
}

int main(void)
{
	double seconds = strtod(setting("BENCH_SECONDS", "0"), NULL);
	long rounds = strtol(setting("BENCH_ROUNDS", "0"), NULL, 10);
	struct rlimit files = {4096, 4096};

	if (seconds <= 0 || seconds > SECONDS_MAX)
		seconds = SECONDS;
	if (rounds <= 0 || rounds > ROUNDS_MOST)
		rounds = ROUNDS;
	setrlimit(RLIMIT_NOFILE, &files);
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int k = 0; k < rounds; k++) {
		printf("round %d of %ld\n", k + 1, rounds);
		for (size_t i = 0; i < MEASURES; i++)
			if (measure_all(&measures[i], k, seconds) != 0)
				return 1;
	}
	return 0;
}
