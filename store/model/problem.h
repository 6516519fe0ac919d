/* SPDX-License-Identifier: MIT
 *
 * problem.h - an accepted order that the shop cannot ship after all.
 */
#ifndef STORE_MODEL_PROBLEM_H
#define STORE_MODEL_PROBLEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The shop accepted the order and cannot ship it after all. at 0: there is no
 * problem. */
struct problem {
	int64_t at;
	uint64_t device;
	char *reason; /* owned: one of the reasons that the API knows */
	char *note;   /* owned: or NULL */
	char *by; /* owned: the name of the person or device that reported it */

	int64_t solved_at; /* 0: it is not solved */
	uint64_t solved_device;
	char *solved_by; /* owned: or NULL */
};

/* True while an order has a problem that nobody has solved. */
bool problem_open(const struct problem *p);

/* Gives a copied problem its own copies of the texts. */
void problem_own(struct problem *p);
void problem_release(struct problem *p); /* may be called for a zeroed one */

#endif
