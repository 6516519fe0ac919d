/* SPDX-License-Identifier: MIT
 *
 * problem.h - an accepted order that the shop cannot ship after all.
 */
#ifndef STORE_MODEL_PROBLEM_H
#define STORE_MODEL_PROBLEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Accepted, but it cannot be shipped after all.  at 0: no problem. */
struct problem {
	int64_t at;
	uint64_t device;
	char *reason; /* owned: a word of the API */
	char *note;   /* owned: or NULL */
	char *by;     /* owned: who, as people know them */

	int64_t solved_at; /* 0: it is not solved */
	uint64_t solved_device;
	char *solved_by; /* owned: or NULL */
};

/* True while an order has a problem that nobody has solved. */
bool problem_open(const struct problem *p);

/* Gives a copy of a problem texts of its own. */
void problem_own(struct problem *p);
void problem_release(struct problem *p); /* fine on a zeroed one */

#endif
