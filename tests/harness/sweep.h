/* SPDX-License-Identifier: MIT
 *
 * sweep.h - sweeps that a test asks for, and the webhooks that they find
 * missed.
 *
 * A failure in here ends the test, so only the test's own thread may call.
 */
#ifndef HARNESS_SWEEP_H
#define HARNESS_SWEEP_H

#include "tests/harness/orders.h"

/* Set-ups of tests: a server with these settings.  sweeping(): one that judges soon
 * what a sweep found, and looks again soon. */
int sweeping_with(void **state, const char *server, const char *centra);
int sweeping(void **state);

/* Asks for a sweep; sweep() waits until it is done. */
void ask_for_sweep(struct shipfrom *s);
void sweep(struct shipfrom *s);

/* How many webhooks of a kind are counted as missed. */
int64_t missed(struct shipfrom *s, const char *kind);
/* Until there are n, and no more. */
void wait_missed(struct shipfrom *s, const char *kind, int64_t n);
/* Of each kind there are so many, in the order create, accepted, rejected,
 * timeout, cancel. */
void expect_missed(struct shipfrom *s, const int64_t expect[5]);
#define EXPECT_MISSED(s, ...) expect_missed((s), (const int64_t[]){__VA_ARGS__})
/* Until nothing is left to be judged a second time. */
void wait_judged(struct shipfrom *s);

/* Places an order (members of POST /control/orders), and waits for nothing. */
int64_t order_placed(struct shipfrom *s, const char *members);
/* Centra has the order accepted, rejected, expired or cancelled for warehouse
 * 3: `verb` as in tests/sim/README.md. */
void order_ended(struct shipfrom *s, int64_t number, const char *verb);
/* Centra's webhooks are lost from now on. */
void lose_webhooks(struct shipfrom *s);

#endif
