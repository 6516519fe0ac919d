/* SPDX-License-Identifier: MIT
 *
 * backoff.h - how long a task waits before it is tried again.
 *
 * Pure.  Any thread.
 */
#ifndef HANDLERS_BACKOFF_H
#define HANDLERS_BACKOFF_H

#include <stdint.h>

/* Returns how many ms to wait after `attempts` runs that failed, of which the
 * last asked for a wait of at least `retry_after` ms (0: it asked for none).
 * First 0.5 s, then uniform in 0 .. min(30 s, 0.5 s * 2^attempts); `random` is
 * any number. */
int64_t backoff(unsigned attempts, int64_t retry_after, uint64_t random);

#endif
