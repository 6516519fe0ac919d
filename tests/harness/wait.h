/* SPDX-License-Identifier: MIT
 *
 * wait.h - waiting for something to become true, by asking again and again;
 * and the clocks of the tests.
 */
#ifndef HARNESS_WAIT_H
#define HARNESS_WAIT_H

#include <stdbool.h>
#include <stdint.h>

int64_t now_mono(void); /* ms */
int64_t now_unix(void); /* s */

/* Asks every few ms until true or `ms` are over.  The last answer. */
bool wait_until(bool (*true_yet)(void *arg), void *arg, int ms);

#define STAMP_ROOM 32
/* An event's date as Centra writes it: Stockholm's local time of `now_unix() +
 * seconds`, with these microseconds. */
const char *stamp(char ret[STAMP_ROOM], int64_t seconds, int micros);
/* "2021-01-12T16:21:00+01:00", seconds from now. */
const char *iso(char ret[STAMP_ROOM], int64_t seconds);

#endif
