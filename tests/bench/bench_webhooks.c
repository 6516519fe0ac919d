/* SPDX-License-Identifier: MIT
 *
 * bench_webhooks.c - durable webhooks a second, group commit against one
 * transaction for each write.
 *
 *	BUILD=build build/tests/bench/bench_webhooks [SECONDS [CONNECTIONS]]
 *
 * Both servers really sync; they differ in how many writes share a sync.  Both
 * are measured in one run, so that the disk and the machine are the same.
 * Exit 1 when the ratio is below the one we promise.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/load.h"
#include "tests/bench/server.h"

#define PROMISED    5.0
#define SECONDS_MAX 10.0

static const char *const kinds[LOAD_KINDS] = {
	[LOAD_OFFER] = "offers (stored, then applied)",
	[LOAD_KEPT] = "other events (stored)",
};

static int measure(const char *build, const char *variant, struct load *l,
		   struct load_result *ret)
{
	char binary[512], parent[512];
	struct server s;
	int rc;

	snprintf(binary, sizeof(binary), "%s/%sshipfrom", build, variant);
	snprintf(parent, sizeof(parent), "%s/bench-data", build);
	if (server_start(&s, binary, parent) != 0)
		return -1;
	l->port = s.port;
	rc = load_run(l, ret);
	server_stop(&s);
	return rc;
}

static void show(const char *what, const struct load_result *r)
{
	printf("  %-24s %8.0f/s   p50 %6.2f ms   p99 %6.2f ms   "
	       "worst %6.1f ms   refused %lu\n",
	       what, r->per_second, r->p50, r->p99, r->worst, r->refused);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	const char *build = getenv("BUILD") ? getenv("BUILD") : "build";
	struct load l = {.connections = 64, .warm = 1, .seconds = 5};
	double least = 0;

	if (argc > 1)
		l.seconds = strtod(argv[1], NULL);
	if (argc > 2)
		l.connections = (int)strtol(argv[2], NULL, 10);
	if (l.seconds <= 0 || l.seconds > SECONDS_MAX) {
		fprintf(stderr, "bench: at most %.0f seconds\n", SECONDS_MAX);
		return 64;
	}
	for (int k = 0; k < LOAD_KINDS; k++) {
		struct load_result group, single;
		double ratio;

		l.kind = (enum load_kind)k;
		printf("%s, %d connections, %.0f s each\n", kinds[k],
		       l.connections, l.seconds);
		if (measure(build, "", &l, &group) != 0)
			return 1;
		show("group commit", &group);
		if (measure(build, "bench-onetxn/", &l, &single) != 0)
			return 1;
		show("one transaction each", &single);
		if (group.stored == 0 || single.stored == 0)
			return 1;
		ratio = group.per_second / single.per_second;
		printf("  ratio %.1f\n\n", ratio);
		if (least == 0 || ratio < least)
			least = ratio;
	}
	printf("least ratio %.1f, promised %.0f: %s\n", least, PROMISED,
	       least >= PROMISED ? "kept" : "NOT kept");
	return least < PROMISED;
}
