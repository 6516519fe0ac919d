/* SPDX-License-Identifier: MIT */
#include "tests/bench/server.h"

#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define READY    "ready http://127.0.0.1:"
#define ADMIN    "\nadmin http://127.0.0.1:"
#define READY_MS 10000

extern char **environ;

/* Nothing listens on the discard port: Centra is unreachable, as it may be. */
static int write_config(const struct server *s, const char *lines, int centra,
			char *path, size_t size)
{
	FILE *f;

	snprintf(path, size, "%s/shipfrom.ini", s->dir);
	f = fopen(path, "w");
	if (f == NULL)
		return -1;
	fprintf(f,
		"[server]\n"
		"listen = 127.0.0.1:0\n"
		"admin_listen = 127.0.0.1:0\n"
		"store = lmdb:%s/data\n"
		"drain = 0s\n"
		"sweep_every = 0\n"
		"log_level = error\n"
		"%s"
		"[centra se]\n"
		"webhook_secret = " BENCH_SECRET "\n"
		"order_api_url = http://127.0.0.1:%d/api/order-api\n"
		"order_api_key = none\n"
		"[shop one]\n"
		"centra = se\n"
		"name = One\n"
		"warehouses = 3\n",
		s->dir, lines, centra ? centra : 9);
	return fclose(f);
}

/* Runs argv[0] with its output in s->out. */
static int spawn(struct server *s, char *const argv[])
{
	posix_spawn_file_actions_t actions;
	int pipes[2], rc;

	if (pipe2(pipes, O_CLOEXEC) != 0)
		return -1;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, pipes[1], STDOUT_FILENO);
	rc = posix_spawnp(&s->pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(pipes[1]);
	s->out = pipes[0];
	return rc == 0 ? 0 : -1;
}

/* Waits for the line "ready http://127.0.0.1:PORT", and for that of the admin,
 * if there is to be one. */
static int wait_ready(struct server *s, bool has_admin)
{
	struct pollfd p = {.fd = s->out, .events = POLLIN};
	char text[1024];
	size_t len = 0;

	while (len + 1 < sizeof(text) && poll(&p, 1, READY_MS) == 1) {
		ssize_t n = read(s->out, text + len, sizeof(text) - 1 - len);
		const char *ready, *admin;

		if (n <= 0)
			return -1;
		len += (size_t)n;
		text[len] = '\0';
		ready = strstr(text, READY);
		admin = ready && has_admin ? strstr(ready, ADMIN) : ready;
		if (admin != NULL && strchr(admin + 1, '\n') != NULL) {
			if (has_admin)
				s->admin_port = (int)strtol(
					admin + sizeof(ADMIN) - 1, NULL, 10);
			s->port = (int)strtol(ready + sizeof(READY) - 1, NULL,
					      10);
			return s->port > 0 ? 0 : -1;
		}
	}
	return -1;
}

int server_start(struct server *s, const char *binary, const char *parent)
{
	return server_start_with(s, binary, parent, "");
}

static int make_folder(struct server *s, const char *parent)
{
	char *real;
	int n = -1;

	*s = (struct server){.out = -1};
	mkdir(parent, 0755);
	real = realpath(parent, NULL);
	if (real)
		n = snprintf(s->dir, sizeof(s->dir), "%s/XXXXXX", real);
	free(real);
	if (n > 0 && n < (int)sizeof(s->dir) && mkdtemp(s->dir))
		return 0;
	s->dir[0] = '\0';
	return -1;
}

static int started(struct server *s, const char *what, int rc)
{
	if (rc) {
		fprintf(stderr, "bench: cannot start %s\n", what);
		server_stop(s);
	}
	return rc;
}

int server_make(struct server *s, const char *parent, const char *lines,
		int centra)
{
	if (!make_folder(s, parent) &&
	    !write_config(s, lines, centra, s->config, sizeof(s->config)))
		return 0;
	fprintf(stderr, "bench: cannot write to %s\n", parent);
	return -1;
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

int server_run(struct server *s, const char *binary)
{
	char name[600], serve[] = "serve", config[] = "--config";
	char *argv[] = {name, serve, config, s->config, NULL};
	double began = now_ms();
	int rc;

	snprintf(name, sizeof(name), "%s", binary);
	rc = spawn(s, argv) || wait_ready(s, true) ? -1 : 0;
	s->ready_ms = now_ms() - began;
	return rc;
}

int server_start_with(struct server *s, const char *binary, const char *parent,
		      const char *lines)
{
	int rc = server_make(s, parent, lines, 0);

	return started(s, binary, rc ? rc : server_run(s, binary));
}

int server_start_peer(struct server *s, char *const argv[],
		      const char *parent)
{
	int rc = make_folder(s, parent);

	setenv("BENCH_SECRET", BENCH_SECRET, 1);
	setenv("BENCH_DATA", s->dir, 1);
	if (!rc)
		rc = spawn(s, argv) || wait_ready(s, false) ? -1 : 0;
	return started(s, argv[0], rc);
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

double server_halt(struct server *s)
{
	double began = now_ms();

	if (s->pid > 0) {
		kill(s->pid, SIGTERM);
		waitpid(s->pid, NULL, 0);
	}
	if (s->out >= 0)
		close(s->out);
	s->pid = 0;
	s->out = -1;
	return now_ms() - began;
}

void server_stop(struct server *s)
{
	server_halt(s);
	if (s->dir[0] != '\0')
		nftw(s->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	*s = (struct server){.out = -1};
}

int server_device(const struct server *s, const char *binary,
		      const char *shop, char token[64])
{
	char command[2048];
	FILE *p;

	snprintf(command, sizeof(command),
		 "'%s' device add --config '%s/shipfrom.ini' --shop %s "
		 "--name bench 2>/dev/null", binary, s->dir, shop);
	p = popen(command, "r");
	if (!p || !fgets(token, 64, p)) {
		if (p)
			pclose(p);
		return -1;
	}
	token[strcspn(token, "\n")] = '\0';
	while (fgetc(p) != EOF)
		;
	return pclose(p);
}
