/* SPDX-License-Identifier: MIT
 *
 * client.h - a plain HTTP client over one kept connection, which waits for each
 * response; and the clock and the percentiles of the benchmarks.
 *
 * Threads: any, each its own client.
 */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include <stddef.h>

struct client {
	int port;
	int fd; /* -1: not connected */
	char *in; /* owned: the response, with a NUL */
	size_t cap;
};

/* s, of the steady clock. */
double bench_now(void);
/* Connected to 127.0.0.1:port, and blocking; -1: it cannot connect. */
int bench_dial(int port);

void client_init(struct client *c, int port);
/* Sends `method path` with the token (NULL: none) and JSON (NULL: no body).
 * Returns the status; 0: no response.  *ret_body is valid until the next
 * request; may be NULL. */
int client_ask(struct client *c, const char *method, const char *path,
	       const char *token, const char *json, const char **ret_body);
void client_close(struct client *c);

/* Samples in ms. */
struct samples {
	double *list; /* owned */
	size_t n, cap;
};
void samples_add(struct samples *s, double ms);
/* The percentile, or the worst with 100; 0 if there are no samples. */
double samples_at(struct samples *s, double percent);
void samples_free(struct samples *s);

#endif
