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

/* Reads "today" (from midnight in the zone; NULL: UTC), "90m", "24h", "7d", or
 * an ISO 8601 time.  False: the text has none of these forms. */
bool since_read(const char *text, const struct zone *zone, int64_t now,
		int64_t *ret);

/* Sets *ret_begins and *ret_ends to the midnights (ms) between which `now` lies
 * in the zone (NULL: UTC).  They are 23 or 25 hours apart on days on which the
 * clocks change. */
void since_day(const struct zone *zone, int64_t now, int64_t *ret_begins,
	       int64_t *ret_ends);

#endif
