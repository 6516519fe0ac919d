/* SPDX-License-Identifier: MIT
 *
 * load.h - signed webhooks over kept connections, as many as will go.
 *
 * All requests are written and signed before the first is sent, so that the
 * driver costs little beside the server that it measures, and so that every
 * contender gets the same bytes.  A signature is good for 300 seconds.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What each delivery holds. */
enum load_kind {
	LOAD_OFFER, /* check_first create: stored, and applied to its order */
	LOAD_KEPT,  /* a customer event: stored and kept, nothing more */
	LOAD_KINDS,
};

/* Requests that are ready to be sent, each of an order of its own.  They lie
 * one behind the other and are all of the same size. */
struct requests {
	char *bytes;
	size_t n, size; /* how many; bytes of each */
};

/* Writes and signs n requests of orders `first`, first + 1, ..., whose numbers
 * have the same count of digits.  Frees what `r` held before (zeroed at first).
 * 0, or -1. */
int requests_make(struct requests *r, enum load_kind kind, long first,
		  size_t n);
void requests_free(struct requests *r);

/* True if the reply, of `len` bytes, is 200 and says that one event came and
 * was new. */
bool reply_is_right(const char *reply, size_t len);

struct load {
	int port;
	int connections; /* 1 to 1024 */
	double warm;     /* seconds before anything is counted */
	double seconds;  /* counted, if the requests last */
	enum load_kind kind;
	/* What to send; NULL: the load makes requests of its kind, and sends as
	 * many as it takes. */
	const struct requests *requests;
	pid_t pid; /* the server, whose processor time is wanted; 0: not */
};

struct load_result {
	unsigned long stored;  /* answered right in the counted time */
	unsigned long refused; /* answered anything else, at any time */
	unsigned long sent;    /* in all */
	double seconds;	       /* counted */
	double per_second;
	double cpu_us; /* processor time of the server for each answer that was
			* counted, its children's included */
	double driver_us; /* the same of this process */
	double p50, p99, worst; /* ms */
};

/* Only to 127.0.0.1.  0, or -1 with a line on stderr. */
int load_run(const struct load *l, struct load_result *ret);

#endif
