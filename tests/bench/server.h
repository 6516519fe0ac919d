/* SPDX-License-Identifier: MIT
 *
 * server.h - a server to measure, with a folder of its own.
 */
#ifndef BENCH_SERVER_H
#define BENCH_SERVER_H

#include <sys/types.h>

#define BENCH_SECRET "a secret that only the benchmark knows"

struct server {
	pid_t pid;
	int port, admin_port; /* admin_port 0: a peer has none */
	int out;       /* its standard output */
	char dir[512]; /* removed by server_stop() */
};

/* Starts the binary in a new folder under `parent` and waits until it says
 * that it is ready.  0, or -1 with a line on stderr. */
int server_start(struct server *s, const char *binary, const char *parent);
/* The same with more lines for [server]. */
int server_start_with(struct server *s, const char *binary, const char *parent,
		      const char *lines);
/* The same for a program that is not ours (tests/bench/peers): argv[0] is looked
 * for in PATH; in its environment BENCH_SECRET, and BENCH_DATA, an absolute path
 * of an empty folder for its data. */
int server_start_peer(struct server *s, char *const argv[],
		      const char *parent);
void server_stop(struct server *s);

#endif
