/* SPDX-License-Identifier: MIT
 *
 * screens.h - clients of /api/v1/stream, in a thread, which note when each
 * order's event came.
 */
#ifndef BENCH_SCREENS_H
#define BENCH_SCREENS_H

#include <stddef.h>
#include <stdint.h>

/* An event `order`, as one screen got it. */
struct seen {
	double at; /* bench_now() */
	int64_t number;
	int screen;
	char state; /* the first letter of the order's state */
};

struct screens;

/* Connects n screens, the i-th with tokens[i % n_tokens], and waits until each
 * was greeted.  NULL, with a line on stderr: some were not. */
struct screens *screens_open(int port, char (*tokens)[64], int n_tokens, int n);
/* Returns the number of events so far. */
size_t screens_seen(const struct screens *s);
/* Ends the thread.  *ret: the events in the order in which they came, until
 * screens_free(). */
size_t screens_stop(struct screens *s, const struct seen **ret);
/* How many screens the server closed, and how many were told to read their
 * lists again. */
void screens_trouble(const struct screens *s, size_t *ret_closed,
		     size_t *ret_resyncs);
void screens_free(struct screens *s);

#endif
