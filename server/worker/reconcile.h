/* SPDX-License-Identifier: MIT
 *
 * reconcile.h - reconciliation with Centra: what no webhook told (OFFERS 7).
 *
 * One thread.  At the start, every `sweep_every` and when asked for by hand
 * (`shipfrom sweep`) it looks at each order that a shop could still act on, by
 * number, and asks which orders wait for check-first that we never heard of.
 * What a look proves is recorded as any look is; what is not shown proves
 * nothing.  Orders that change while a query is under way are left to the next
 * sweep.
 *
 * It also removes addresses that have been kept for `keep_addresses`.
 *
 * What a webhook should have told is judged later, by the task `missed`: see
 * handlers/sweep.h.
 */
#ifndef SERVER_WORKER_RECONCILE_H
#define SERVER_WORKER_RECONCILE_H

#include "base/err.h"

struct workers;
struct workplace;
struct sweep;

/* Call it after workers_start(): it borrows the workers' accounts. */
enum rc sweep_start(struct sweep **ret, const struct workplace *place,
		    const struct workers *workers, struct err *e);
void sweep_stop(struct sweep *s); /* call it before workers_stop(); NULL is
				   * fine */

#endif
