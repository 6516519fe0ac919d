/* SPDX-License-Identifier: MIT
 *
 * sim.h - the stand-in for Centra (tests/sim/README.md), steered.
 */
#ifndef HARNESS_SIM_H
#define HARNESS_SIM_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/harness/http.h"
#include "tests/harness/process.h"

struct sim {
	struct process process;
	char url[128];
	char log[256];
};

void sim_start(struct sim *s, const char *dir);
void sim_stop(struct sim *s);
/* Starts it again at the address it had; it remembers nothing. */
void sim_again(struct sim *s);

/* POST /control/... with JSON made as by printf; fails the test if refused. */
struct answer sim_do(struct sim *s, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same, for whom the answer does not matter. */
void sim_tell(struct sim *s, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Places an order with warehouses 2, 3 and 4; its number. */
int64_t sim_place(struct sim *s, int expires_in);
/* Of /control/state: who won (0: nobody), and how often "accept" was told ok.
 * -1 when there is no such order. */
int64_t sim_winner(struct sim *s, int64_t number);
int64_t sim_accepts(struct sim *s, int64_t number);
/* Calls to check-first about an order; those that got past the faults, with
 * `acted`. */
int sim_calls(struct sim *s, int64_t number, bool acted);
/* Calls of both APIs that met a fault. */
int sim_spoilt(struct sim *s);
/* Waits until every webhook was sent. */
void sim_quiet(struct sim *s);

#endif
