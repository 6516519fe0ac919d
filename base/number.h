/* SPDX-License-Identifier: MIT
 *
 * number.h - whole numbers and durations, read from text.
 *
 * A number is one or more decimal digits, without a sign or white space.  One
 * that does not fit is refused, never cut.
 */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Reads a text that is one number from `least` to `most`.  False, and *ret
 * untouched: it is not. */
bool number_read(const char *text, int64_t least, int64_t most, int64_t *ret);

/* Reads the number that *text begins with, and moves *text behind it.  False,
 * and both untouched: there is none, or it is above `most`. */
bool number_begin(const char **text, int64_t most, int64_t *ret);

/* Reads a number with a unit, ms, s, m, h or d, such as "30s", as ms.  Units
 * below `least` ms are not known.  RC_INVALID: it is no such text; RC_FULL:
 * longer than `most` ms; *ret is untouched. */
enum rc duration_read(const char *text, int64_t least, int64_t most,
		      int64_t *ret);

#endif
