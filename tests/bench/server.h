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
	char config[600];
	double ready_ms; /* from the exec until it said that it is ready */
};

/* Starts the binary in a new folder under `parent` and waits until it says
 * that it is ready.  0, or -1 with a line on stderr. */
int server_start(struct server *s, const char *binary, const char *parent);
/* The same with more lines for [server]. */
int server_start_with(struct server *s, const char *binary, const char *parent,
		      const char *lines);
/* The same in two steps: server_make() makes the folder and writes the config,
 * so that a store can be filled in DIR/data; server_run() starts the binary.
 * centra: the port of the Order API on this machine; 0: Centra is away.
 * server_stop() is to be called also after they have failed. */
int server_make(struct server *s, const char *parent, const char *lines,
		int centra);
int server_run(struct server *s, const char *binary);
/* Ends the server with SIGTERM and keeps its folder, so that it can be run
 * again.  Returns how long that took, in ms. */
double server_halt(struct server *s);
/* As server_start(), for a program that is not ours (tests/bench/peers): argv[0] is looked
 * for in PATH; in its environment BENCH_SECRET, and BENCH_DATA, an absolute path
 * of an empty folder for its data. */
int server_start_peer(struct server *s, char *const argv[],
		      const char *parent);
/* Adds a device of the shop with that binary; its token goes to `token`.  0, or
 * another number: it was not added. */
int server_device(const struct server *s, const char *binary, const char *shop,
		  char token[64]);
void server_stop(struct server *s);

#endif
