/* SPDX-License-Identifier: MIT
 *
 * hours.h - hours of the day that repeat each day, such as "22:00-06:00".
 */
#ifndef BASE_HOURS_H
#define BASE_HOURS_H

#include <stdbool.h>
#include <stdint.h>

/* Minutes of the day; equal: there are none. */
struct hours {
	int from, to;
};

/* Reads "22:00-06:00"; NULL or "": none.  False: it is something else. */
bool hours_read(const char *text, struct hours *ret);
/* Returns how many ms there are from `now` (ms, UTC) until the hours begin, on a
 * clock that is offset_min minutes east of UTC; 0: they are now, or there are
 * none. */
int64_t hours_wait(const struct hours *h, int offset_min, int64_t now);

#endif
