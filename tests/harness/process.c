/* SPDX-License-Identifier: MIT */
#include "tests/harness/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/harness/wait.h"

extern char **environ;

/* Those that run, so that a failed test leaves nothing behind. */
static pid_t running[64];

static void end_all(void)
{
	for (size_t i = 0; i < 64; i++)
		if (running[i] > 0)
			kill(running[i], SIGKILL);
}

static void note(pid_t pid, pid_t instead_of)
{
	static bool once;

	if (!once)
		atexit(end_all);
	once = true;
	for (size_t i = 0; i < 64; i++)
		if (running[i] == instead_of) {
			running[i] = pid;
			return;
		}
}

const char *build_dir(void)
{
	const char *b = getenv("BUILD");

	return b && *b ? b : "build";
}

void under_fault(struct under_fault *ret, const char *library,
		 const char *more)
{
	const char *was = getenv("ASAN_OPTIONS");
	char *build = realpath(build_dir(), NULL);

	snprintf(ret->preload, sizeof(ret->preload),
		 "LD_PRELOAD=%s/tests/faults/%s.so", build ? build : ".",
		 library);
	snprintf(ret->asan, sizeof(ret->asan),
		 "ASAN_OPTIONS=%s%s:verify_asan_link_order=0", was ? was : "",
		 more);
	free(build);
}

/* The environment, with leak checks off when told to. */
static char **environment(bool quiet_leaks, char *room[], size_t size)
{
	static char off[512];
	const char *was = getenv("ASAN_OPTIONS");
	size_t n = 0;

	if (!quiet_leaks)
		return environ;
	snprintf(off, sizeof(off), "ASAN_OPTIONS=%s:detect_leaks=0",
		 was ? was : "");
	for (char **e = environ; *e && n + 2 < size; e++)
		if (strncmp(*e, "ASAN_OPTIONS=", 13))
			room[n++] = *e;
	room[n++] = off;
	room[n] = NULL;
	return room;
}

/* Spawns with stdout in a pipe, and stderr in a file (NULL: in that pipe). */
static pid_t spawn(const char *const *argv, const char *log, bool both,
		   bool quiet_leaks, int *ret_out)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	char *room[512];
	int ends[2], rc;
	sigset_t none;
	pid_t pid = 0;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	posix_spawn_file_actions_init(&fa);
	posix_spawnattr_init(&attr);
	sigemptyset(&none);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&fa, ends[1], 1);
	if (log)
		posix_spawn_file_actions_addopen(
			&fa, 2, log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	else if (both)
		posix_spawn_file_actions_adddup2(&fa, ends[1], 2);
	else
		posix_spawn_file_actions_addopen(&fa, 2, "/dev/null",
						 O_WRONLY, 0);
	/* posix_spawn's argv is not const for history's sake; it is only
	 * read. */
	rc = posix_spawnp(&pid, argv[0], &fa, &attr,
			  (char *const *)(uintptr_t)argv,
			  environment(quiet_leaks, room, 512));
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&fa);
	close(ends[1]);
	*ret_out = ends[0];
	if (rc)
		fail_msg("cannot start %s: %s", argv[0], strerror(rc));
	note(pid, 0);
	return pid;
}

void process_start(struct process *p, const char *const *argv, const char *log,
		   bool quiet_leaks)
{
	memset(p, 0, sizeof(*p));
	snprintf(p->log, sizeof(p->log), "%s", log);
	p->pid = spawn(argv, log, false, quiet_leaks, &p->out);
}

/* The rest of the complete line that starts with `start`, if it is there. */
static bool find_line(const struct process *p, const char *start, char *ret,
		      size_t size)
{
	const char *line = p->seen, *end;
	size_t n = strlen(start);

	for (; (end = strchr(line, '\n')); line = end + 1) {
		if (strncmp(line, start, n))
			continue;
		snprintf(ret, size, "%.*s", (int)(end - line - (long)n),
			 line + n);
		return true;
	}
	return false;
}

bool process_says(struct process *p, const char *start, char *ret, size_t size,
		  int ms)
{
	int64_t until = now_mono() + ms;

	while (!find_line(p, start, ret, size)) {
		size_t len = strlen(p->seen);
		struct pollfd in = {.fd = p->out, .events = POLLIN};
		int64_t left = until - now_mono();
		ssize_t n;

		if (left <= 0 || poll(&in, 1, (int)left) <= 0)
			return false;
		n = read(p->out, p->seen + len, sizeof(p->seen) - len - 1);
		if (n <= 0)
			return false;
		p->seen[len + (size_t)n] = 0;
	}
	return true;
}

static int exit_status(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status)
				 : 128 + WTERMSIG(status);
}

bool process_ended(struct process *p, int ms, int *ret_status)
{
	struct timespec nap = {.tv_nsec = 2000000};
	int64_t until = now_mono() + ms;
	int status;

	while (waitpid(p->pid, &status, WNOHANG) != p->pid) {
		if (now_mono() >= until)
			return false;
		nanosleep(&nap, NULL);
	}
	*ret_status = exit_status(status);
	note(0, p->pid);
	p->pid = 0;
	close(p->out);
	p->out = -1;
	return true;
}

int process_end(struct process *p, int sig, int ms)
{
	int status = 0;

	if (!p->pid)
		return 0;
	kill(p->pid, sig);
	if (process_ended(p, ms, &status))
		return status;
	kill(p->pid, SIGKILL);
	(void)process_ended(p, 10000, &status);
	return -1;
}

bool process_alive(const struct process *p)
{
	return p->pid && kill(p->pid, 0) == 0;
}

const char *process_report(const char *log)
{
	static const char *const marks[] = {
		"ERROR: AddressSanitizer", "ERROR: LeakSanitizer",
		"WARNING: ThreadSanitizer", "runtime error:",
		"MemorySanitizer"};
	static char line[1024];
	FILE *f = fopen(log, "r");
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
			found = found || strstr(line, marks[i]);
	if (f)
		fclose(f);
	return found ? line : NULL;
}

void process_tail(const char *log, int lines)
{
	char line[2048];
	FILE *f = fopen(log, "r");
	int n = 0;

	if (!f)
		return;
	while (fgets(line, sizeof(line), f))
		n++;
	rewind(f);
	fprintf(stderr, "---- the end of %s ----\n", log);
	for (int i = 0; fgets(line, sizeof(line), f); i++)
		if (i >= n - lines)
			fputs(line, stderr);
	fprintf(stderr, "----\n");
	fclose(f);
}

int run_program(const char *const *argv, char **ret_out, bool both)
{
	int64_t until = now_mono() + 30000;
	struct process p = {0};
	size_t len = 0;
	char *text = NULL, piece[4096];
	FILE *f = open_memstream(&text, &len);
	ssize_t n;
	int status;

	p.pid = spawn(argv, NULL, both, false, &p.out);
	while (now_mono() < until) {
		struct pollfd in = {.fd = p.out, .events = POLLIN};

		if (poll(&in, 1, 1000) == 0)
			continue;
		n = read(p.out, piece, sizeof(piece));
		if (n <= 0)
			break;
		fwrite(piece, 1, (size_t)n, f);
	}
	fclose(f);
	if (!process_ended(&p, 5000, &status))
		status = process_end(&p, SIGKILL, 5000);
	if (ret_out)
		*ret_out = text;
	else
		free(text);
	return status;
}
