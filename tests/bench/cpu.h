/* SPDX-License-Identifier: MIT
 *
 * cpu.h - processor time, as /proc counts it.
 */
#ifndef BENCH_CPU_H
#define BENCH_CPU_H

#include <sys/types.h>

/* Seconds of processor time (user and system) that a process and all that
 * descend from it have used; those that ended are not counted. */
double cpu_of(pid_t pid);

#endif
