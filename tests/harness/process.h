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

/* Writes two settings of the environment of a program that runs under a library
 * of tests/faults: LD_PRELOAD with the library's whole path, and ASAN_OPTIONS, so
 * that a program with an address sanitizer starts although its runtime is not
 * loaded first. `more` (may be ""): more of its options, ":NAME=VALUE". */
struct under_fault {
	char preload[512];
	char asan[512];
};
void under_fault(struct under_fault *ret, const char *library,
		 const char *more);

#endif
