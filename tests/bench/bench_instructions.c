/* SPDX-License-Identifier: MIT
 *
 * bench_instructions.c - instructions of the server for each webhook.
 *
 *	BUILD=build build/tests/bench/bench_instructions
 *
 * A server under callgrind gets FEW webhooks, and another one MANY; what the
 * second executed more, divided by what it got more, is the cost of one.  Starting
 * and stopping cancel out.  Over one connection each webhook has a commit of its
 * own, and the figure hardly depends on the machine or its load.  Over 64 the
 * commits are shared, as many to one as the moment brings.
 *
 * BENCH_ROUNDS: how often (2, and no more: it shows how repeatable it is).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/load.h"
#include "tests/bench/rows.h"
#include "tests/bench/server.h"

#define FEW	200
#define MANY	1200
#define ROUNDS	2
#define PATIENCE 120.0 /* s */

static const struct {
	const char *name;
	enum load_kind kind;
	int connections;
} measures[] = {
	{"instructions per stored event, 1 connection", LOAD_KEPT, 1},
	{"instructions per applied offer, 1 connection", LOAD_OFFER, 1},
	{"instructions per stored event, 64 connections", LOAD_KEPT, 64},
	{"instructions per applied offer, 64 connections", LOAD_OFFER, 64},
};
#define MEASURES (sizeof(measures) / sizeof(measures[0]))

/* The sum that callgrind wrote; 0: there is none. */
static double total(const char *path)
{
	char line[1024];
	double sum = 0;
	FILE *f = fopen(path, "r");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "totals: %lf", &sum) == 1)
			break;
	if (f)
		fclose(f);
	return sum;
}

/* Instructions of a server that is sent n webhooks; 0: it failed. */
static double count(const char *folder, size_t which, size_t n)
{
	struct requests requests = {0};
	struct load l = {
		.connections = measures[which].connections,
		.seconds = PATIENCE,
		.requests = &requests,
	};
	struct load_result r = {0};
	char path[1024], log[1024];
	struct server s;
	double sum = 0;

	snprintf(path, sizeof(path), "%s/callgrind.out", folder);
	snprintf(log, sizeof(log), "%s/callgrind.out.log", folder);
	setenv("CALLGRIND_OUT", path, 1);
	if (requests_make(&requests, measures[which].kind, 10000000, n) ||
	    server_start(&s, "tests/bench/callgrind.sh", folder))
		return 0;
	l.port = s.port;
	if (!load_run(&l, &r) && r.stored == n) {
		server_stop(&s);
		sum = total(path);
	}
	server_stop(&s);
	requests_free(&requests);
	unlink(path);
	unlink(log);
	return sum;
}

int main(void)
{
	const char *rounds = getenv("BENCH_ROUNDS");
	const char *build = getenv("BUILD");
	int n = rounds && !strcmp(rounds, "1") ? 1 : ROUNDS;
	char folder[512];

	setvbuf(stdout, NULL, _IOLBF, 0);
	snprintf(folder, sizeof(folder), "%s/bench/data",
		 build ? build : "build");
	for (int k = 0; k < n; k++) {
		for (size_t i = 0; i < MEASURES; i++) {
			double few = count(folder, i, FEW);
			double many = count(folder, i, MANY);
			double each = (many - few) / (MANY - FEW);

			if (!few || !many) {
				fprintf(stderr, "bench: nothing was counted\n");
				return 1;
			}
			printf("  %-52s %8.0f\n", measures[i].name, each);
			row(SHIPFROM, measures[i].name, "instructions", each);
		}
	}
	return 0;
}
