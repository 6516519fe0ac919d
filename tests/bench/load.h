/* SPDX-License-Identifier: MIT
 *
 * load.h - signed webhooks over kept connections, as many as will go.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

/* What each delivery holds. */
enum load_kind {
	LOAD_OFFER, /* check_first create: stored, and applied by a worker */
	LOAD_KEPT,  /* a customer event: stored and kept, nothing more */
	LOAD_KINDS,
};

struct load {
	int port;
	int connections;
	double warm;    /* seconds before anything is counted */
	double seconds; /* counted */
	enum load_kind kind;
};

struct load_result {
	unsigned long stored;  /* answered 200 in the counted time */
	unsigned long refused; /* answered anything else */
	double per_second;
	double p50, p99, worst; /* ms */
};

/* Only to 127.0.0.1.  0, or -1 with a line on stderr. */
int load_run(const struct load *l, struct load_result *ret);

#endif
