/* SPDX-License-Identifier: MIT
 *
 * time.h - points in time, and the two clocks.
 *
 * A point in time is an int64_t of milliseconds since 1970 UTC.  What decides
 * takes `now` as an argument; only server/ and store/ read a clock.
 */
#ifndef BASE_TIME_H
#define BASE_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define TIME_NONE INT64_MIN /* no such time: no deadline, never */

int64_t time_now(void);  /* the wall clock, ms */
/* The steady clock, ms.  It starts anew with each boot of the machine; all
 * processes of one boot read the same clock. */
int64_t time_mono(void);
/* A number that identifies this boot of the machine; it differs after a reboot.
 * 0: unknown. */
uint64_t time_boot(void);

/* Room for what time_iso() writes, the NUL included. */
#define TIME_ISO_SIZE 32

/* "2021-01-12T16:21:00+01:00" for an offset of 60 minutes, "...Z" for 0.
 * Milliseconds are written only when `millis`. */
const char *time_iso(char ret[TIME_ISO_SIZE], int64_t t, int offset_min,
		     bool millis);

/* Reads an ISO-8601 time with a `Z` or numeric offset ("+01:00", "+0100"), with
 * or without a fraction.  The date must exist: 31 February does not.
 * RC_INVALID, nothing written, for anything else. */
enum rc time_parse_iso(const char *s, int64_t *ret, int *ret_offset_min);

/* Centra's event date, "YYYY-MM-DD HH:MM:SS[.f{1,6}]", local and without zone
 * (CONTRACT 2).  It is compared, never computed with: this pads it to six
 * digits so that text order is time order.  RC_INVALID if it is no such
 * date. */
#define STAMP_SIZE 27
enum rc stamp_parse(char ret[STAMP_SIZE], const char *s);

/* ---- time zones ---- */

struct zone; /* opaque: when a zone's clocks went back, and will */

/* Loads an IANA zone ("Europe/Stockholm") up to 2060.  Changes TZ while it
 * works: call it before threads are started.  RC_INVALID: no such zone. */
enum rc zone_open(struct zone **ret, const char *name, struct err *e);
/* True when the local time `stamp` happens twice: it lies in the hour that the
 * zone repeats in autumn, so two such stamps do not tell which came first. */
bool zone_repeats(const struct zone *z, const char stamp[STAMP_SIZE]);
/* Minutes east of UTC in this zone at t.  NULL zone: 0. */
int zone_offset(const struct zone *z, int64_t t);
void zone_close(struct zone *z); /* NULL is fine */

#endif
