/* SPDX-License-Identifier: MIT
 *
 * time.h - points in time, and the two clocks.
 *
 * A point in time is an int64_t of milliseconds since 1970 UTC.  Functions that
 * decide take `now` as an argument; only server/ and store/ read a clock.
 */
#ifndef BASE_TIME_H
#define BASE_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define TIME_NONE INT64_MIN /* "no time": no deadline, or never */

int64_t time_now(void);  /* the wall clock, ms */
/* Returns the steady clock, ms.  It starts anew with each boot of the machine;
 * all processes of one boot read the same clock. */
int64_t time_mono(void);
/* Returns a number that identifies this boot of the machine and differs after a
 * reboot; 0: unknown. */
uint64_t time_boot(void);

/* Bytes that time_iso() writes, the NUL included. */
#define TIME_ISO_SIZE 32

/* Writes "2021-01-12T16:21:00+01:00" for an offset of 60 minutes, "...Z" for 0;
 * milliseconds only if `millis`. */
const char *time_iso(char ret[TIME_ISO_SIZE], int64_t t, int offset_min,
		     bool millis);

/* Reads an ISO 8601 time with a `Z` or a numeric offset ("+01:00", "+0100"),
 * with or without a fraction.  RC_INVALID, with nothing written: the text is
 * anything else, or the date does not exist (31 February). */
enum rc time_parse_iso(const char *s, int64_t *ret, int *ret_offset_min);

/* Reads the date of one of Centra's events, "YYYY-MM-DD HH:MM:SS[.f{1,6}]",
 * which is local and has no zone (CONTRACT 2).  Such dates are compared, never
 * computed with: ret has six digits of a fraction, so that the order of the
 * texts is the order of the times.  RC_INVALID: the text is no such date. */
#define STAMP_SIZE 27
enum rc stamp_parse(char ret[STAMP_SIZE], const char *s);

/* ---- time zones ---- */

struct zone; /* opaque: a table of a zone's changes of the clocks */

/* Loads an IANA zone ("Europe/Stockholm") up to 2060.  Changes TZ while it
 * works: call it before threads are started.  RC_INVALID: no such zone. */
enum rc zone_open(struct zone **ret, const char *name, struct err *e);
/* Finds a zone that is open by its name; UTC needs no opening.  NULL: it is not
 * open.  Any thread. */
const struct zone *zone_named(const char *name);
/* Returns the moment (ms, whole seconds) at which the zone's clocks show the
 * stamp; the later of two, if the hour is repeated.  TIME_NONE: it is no such
 * date. */
int64_t zone_time(const struct zone *z, const char stamp[STAMP_SIZE]);
/* True when the local time `stamp` happens twice: it lies in the hour that the
 * zone repeats in autumn, so two such stamps do not tell which came first. */
bool zone_repeats(const struct zone *z, const char stamp[STAMP_SIZE]);
/* Returns the minutes east of UTC in this zone at t.  NULL: 0. */
int zone_offset(const struct zone *z, int64_t t);
void zone_close(struct zone *z); /* NULL is fine */

#endif
