/* SPDX-License-Identifier: MIT
 *
 * since.c - see since.h.
 */
#include "base/since.h"

#include <stddef.h>
#include <string.h>

#include "base/number.h"

#define DAY_MS	  INT64_C(86400000)
#define MINUTE_MS 60000
#define DAYS_MOST 3650

/* Returns the last midnight in the zone. */
static int64_t midnight(const struct zone *zone, int64_t now)
{
	int64_t local = now + zone_offset(zone, now) * INT64_C(60000);
	int64_t start = local - local % DAY_MS;
	int64_t guess = start - zone_offset(zone, now) * INT64_C(60000);

	/* The difference to UTC may have changed between that midnight and
	 * now. */
	return start - zone_offset(zone, guess) * INT64_C(60000);
}

void since_day(const struct zone *zone, int64_t now, int64_t *ret_begins,
	       int64_t *ret_ends)
{
	*ret_begins = midnight(zone, now);
	/* 12 hours after 24 hours is certainly in the next day, whether this
	 * day has 23, 24 or 25 hours. */
	*ret_ends = midnight(zone, *ret_begins + DAY_MS + DAY_MS / 2);
}

bool since_read(const char *text, const struct zone *zone, int64_t now,
		int64_t *ret)
{
	int64_t ago;
	int offset;

	if (!strcmp(text, "today")) {
		*ret = midnight(zone, now);
		return true;
	}
	switch (duration_read(text, MINUTE_MS, DAYS_MOST * DAY_MS, &ago)) {
	case OK:
		*ret = now - ago;
		return true;
	case RC_INVALID:
		return !time_parse_iso(text, ret, &offset);
	default:
		return false;
	}
}
