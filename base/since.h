/* SPDX-License-Identifier: MIT
 *
 * since.h - reads a start time as people write it: "today", "7d".
 */
#ifndef BASE_SINCE_H
#define BASE_SINCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

#define SINCE_WANT "is today, a time such as 24h or 7d, or an ISO 8601 time"

/* "today" (from midnight in the zone, NULL: UTC), "90m", "24h", "7d", or an ISO
 * 8601 time.  False: none of these. */
bool since_read(const char *text, const struct zone *zone, int64_t now,
		int64_t *ret);

/* The day of `now` (ms) in the zone (NULL: UTC): its midnight and the next, ms.
 * They are 23 or 25 hours apart where clocks are changed. */
void since_day(const struct zone *zone, int64_t now, int64_t *ret_begins,
	       int64_t *ret_ends);

#endif
