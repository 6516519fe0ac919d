/* SPDX-License-Identifier: MIT
 *
 * centra.h - a Centra that grants whatever it is asked, at once, and dates its
 * replies, so that they confirm a clock.
 */
#ifndef BENCH_GROWTH_CENTRA_H
#define BENCH_GROWTH_CENTRA_H

#include <sys/types.h>

struct granting {
	pid_t pid;
	int port;
};

/* Starts it in a process of its own.  0, or -1 with a line on stderr. */
int granting_start(struct granting *ret);
void granting_stop(struct granting *g); /* may be called for a zeroed one */

#endif
