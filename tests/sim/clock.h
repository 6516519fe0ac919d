/* SPDX-License-Identifier: MIT
 *
 * clock.h - the stand-in's time.  Centra's own zone is the process's: main()
 * sets TZ to Europe/Stockholm.
 */
#ifndef SIM_CLOCK_H
#define SIM_CLOCK_H

#include <stdint.h>

int64_t clock_ms(void); /* wall clock */

#define CLOCK_TEXT 40
/* An event's date: local, six digits, no zone.  No two are the same, and a
 * later one is greater. */
const char *clock_stamp(char ret[CLOCK_TEXT]);
/* "2021-01-12T16:21:00+01:00" */
const char *clock_iso(char ret[CLOCK_TEXT], int64_t ms);

/* Sleeps, but returns at once when the process is asked to end. */
void clock_sleep(int64_t ms);
void clock_end(void); /* wakes all sleepers for good; for signal handlers too */

#endif
