/* SPDX-License-Identifier: MIT
 *
 * arrivals.h - webhooks in an open loop: each is sent when it is due, however
 * long the responses to those before it take, and its time counts from then.
 *
 * The gaps between webhooks are exponential (a Poisson process), from a fixed
 * seed.  A webhook takes a kept connection that is idle; if there is none, a
 * new one.  If the server ends that connection instead of responding, the
 * webhook is sent again, and its time still counts from when it was due.
 */
#ifndef BENCH_ARRIVALS_H
#define BENCH_ARRIVALS_H

#include <stddef.h>

#include "tests/bench/hook.h"

#define ARRIVALS_CONNECTIONS 4096

/* One webhook.  Times are bench_now(). */
struct arrival {
	double due, sent;
	double acked; /* 0: not answered 200 */
};

struct arrivals {
	int port;
	double per_second, seconds;
	/* Writes the n-th webhook's request to out; returns its length. */
	size_t (*make)(void *arg, size_t n, char out[HOOK_SIZE]);
	/* Called when the n-th was answered 200.  May be NULL. */
	void (*acked)(void *arg, size_t n, double at);
	void *arg;
};

/* Sends them and waits for the responses; *ret (owned by the caller) has a row
 * for each, *ret_n in all.  0, or -1 with a line on stderr: a connection could
 * not be made. */
int arrivals_run(const struct arrivals *a, struct arrival **ret, size_t *ret_n);

#endif
