/* SPDX-License-Identifier: MIT
 *
 * number.h - whole numbers and durations, read from text.
 *
 * A number is one or more decimal digits, without a sign or white space.  A
 * number that does not fit is refused, never cut.
 */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Reads a text that consists of one number from `least` to `most`.  False, with
 * *ret untouched: it does not. */
bool number_read(const char *text, int64_t least, int64_t most, int64_t *ret);

/* Reads the number at the start of *text, and moves *text behind it.  False,
 * with both untouched: there is no number, or it is above `most`. */
bool number_begin(const char **text, int64_t most, int64_t *ret);

/* Reads a number with a unit (ms, s, m, h or d), such as "30s", as ms.  Units
 * shorter than `least` ms are refused.  RC_INVALID: the text has no such form;
 * RC_FULL: longer than `most` ms; *ret is then untouched. */
enum rc duration_read(const char *text, int64_t least, int64_t most,
		      int64_t *ret);

#endif
