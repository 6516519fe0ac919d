/* SPDX-License-Identifier: MIT
 *
 * process.h - programs under test: begun, watched, ended.
 *
 * A failure in here ends the test (cmocka's fail), so call it from the test's
 * own thread only.
 */
#ifndef HARNESS_PROCESS_H
#define HARNESS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct process {
	pid_t pid;      /* 0: none */
	int out;        /* its stdout, to read from; -1 = none */
	char log[256];  /* the file with its stderr */
	char seen[4096]; /* what of its stdout was read */
};

/* Starts argv with stderr added to `log`.  With `quiet_leaks` LeakSanitizer is
 * off, as it must be under a tracer. */
void process_start(struct process *p, const char *const *argv, const char *log,
		   bool quiet_leaks);
/* Waits until its stdout has a line that starts with `start`; the rest of that
 * line goes to ret.  False: it ended, or the time is over. */
bool process_says(struct process *p, const char *start, char *ret, size_t size,
		  int ms);
/* Sends the signal and waits; its exit status, or 128 + the signal that ended
 * it, or -1 when it had to be killed after `ms`. */
int process_end(struct process *p, int signal, int ms);
bool process_ended(struct process *p, int ms, int *ret_status);
bool process_alive(const struct process *p);

/* What a sanitizer reported in the log: its line (static), or NULL. */
const char *process_report(const char *log);
void process_tail(const char *log, int lines); /* to stderr */

/* Runs argv to its end, at most 30 s; its exit status.  *ret_out (owned) gets
 * stdout and, with `both`, stderr. */
int run_program(const char *const *argv, char **ret_out, bool both);

/* $BUILD, or "build". */
const char *build_dir(void);

#endif
