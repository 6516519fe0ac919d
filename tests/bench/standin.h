/* SPDX-License-Identifier: MIT
 *
 * standin.h - the stand-in for Centra, beside a server that is measured.
 */
#ifndef BENCH_STANDIN_H
#define BENCH_STANDIN_H

#include <sys/types.h>

#define STANDIN_SECRET "a secret that only the stand-in knows"

struct standin {
	pid_t pid;
	int port;
	int out; /* its standard output */
};

/* Starts $BUILD/centra-sim and waits until it is ready.  0, or -1 with a line
 * on stderr. */
int standin_start(struct standin *s, const char *build);
void standin_stop(struct standin *s);

#endif
