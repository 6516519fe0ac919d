/* SPDX-License-Identifier: MIT
 *
 * locks.h - when the locks of orders are swept (handlers/lock.h).
 */
#ifndef SERVER_WORKER_LOCKS_H
#define SERVER_WORKER_LOCKS_H

struct workers;
struct worker_parts;

/* Has the locks of each instance swept at once, if it locks orders, or has locked
 * some while the setting was another; for the start, and after a reload. */
void locks_ask(const struct worker_parts *parts, const struct workers *w);

#endif
