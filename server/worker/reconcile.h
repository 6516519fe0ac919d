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

/* Has each instance that has a GraphQL API reconciled in `wait` ms, or when its
 * task is due, if that is earlier; unless `sweep_every` is 0.  An instance that
 * is new in the config has no account until a restart. */
void reconcile_in(const struct worker_parts *parts, const struct workers *w,
		  int64_t wait);

/* At the start: the same, at once.  The tasks of instances that have no GraphQL
 * API any more go: they could never run, and would be told as parked. */
void reconcile_at_start(const struct worker_parts *parts, const struct workers *w);

/* The other orders, for the runs of one parts, which is borrowed. */
struct others reconcile_others(const struct worker_parts *parts);

#endif
