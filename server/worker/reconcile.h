/* SPDX-License-Identifier: MIT
 *
 * reconcile.h - what reconciliation (handlers/reconcile.h) needs of the server:
 * its tasks, and the other orders of an instance.
 */
#ifndef SERVER_WORKER_RECONCILE_H
#define SERVER_WORKER_RECONCILE_H

#include <stdint.h>

#include "handlers/reconcile.h"

struct workers;
struct worker_parts;

/* Has each instance with a GraphQL API reconciled in `wait` ms, or when its
 * task is due, if that is earlier.  Does nothing if `sweep_every` is 0.  An
 * instance that a reload added is left out until a restart: it has no
 * account. */
void reconcile_in(const struct worker_parts *parts, const struct workers *w,
		  int64_t wait);

/* Has each instance with a GraphQL API reconciled at once; for the start.
 * Removes the tasks of instances that no longer have a GraphQL API: they could
 * never run, and would count as parked. */
void reconcile_at_start(const struct worker_parts *parts, const struct workers *w);

/* Returns the functions by which runs of reconciliation reach the instance's
 * other orders.  `parts` is borrowed. */
struct others reconcile_others(const struct worker_parts *parts);

#endif
