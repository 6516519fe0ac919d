/* SPDX-License-Identifier: MIT
 *
 * standin.c - see standin.h.
 */
#include "tests/bench/standin.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define READY	 "ready http://127.0.0.1:"
#define READY_MS 10000

extern char **environ;

static int spawn(struct standin *s, const char *binary)
{
	char name[] = "centra-sim", hook[] = "--hook-url",
	     nobody[] = "http://127.0.0.1:9/", secret[] = "--secret",
	     word[] = STANDIN_SECRET;
	char *argv[] = {name, hook, nobody, secret, word, NULL};
	posix_spawn_file_actions_t actions;
	int pipes[2], rc;

	if (pipe2(pipes, O_CLOEXEC) != 0)
		return -1;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, pipes[1], STDOUT_FILENO);
	rc = posix_spawn(&s->pid, binary, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(pipes[1]);
	s->out = pipes[0];
	return rc == 0 ? 0 : -1;
}

int standin_start(struct standin *s, const char *build)
{
	char binary[512], line[256];
	struct pollfd p = {.events = POLLIN};
	ssize_t n = 0;

	*s = (struct standin){.out = -1};
	snprintf(binary, sizeof(binary), "%s/centra-sim", build);
	if (spawn(s, binary) == 0) {
		p.fd = s->out;
		if (poll(&p, 1, READY_MS) == 1)
			n = read(s->out, line, sizeof(line) - 1);
	}
	line[n > 0 ? n : 0] = '\0';
	if (strncmp(line, READY, sizeof(READY) - 1) == 0)
		s->port = (int)strtol(line + sizeof(READY) - 1, NULL, 10);
	if (s->port > 0)
		return 0;
	fprintf(stderr, "bench: cannot start %s\n", binary);
	standin_stop(s);
	return -1;
}

void standin_stop(struct standin *s)
{
	if (s->pid > 0) {
		kill(s->pid, SIGTERM);
		waitpid(s->pid, NULL, 0);
	}
	if (s->out >= 0)
		close(s->out);
	*s = (struct standin){.out = -1};
}
