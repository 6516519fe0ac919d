/* SPDX-License-Identifier: MIT
 *
 * model.h - how long a model makes histories up.
 */
#ifndef TESTS_UNIT_MODEL_H
#define TESTS_UNIT_MODEL_H

#include <stdlib.h>
#include <time.h>

/* Returns when to stop: in so many seconds, or in MODEL_SECONDS of the
 * environment if that is fewer (`make check`).  The same histories come first. */
static inline time_t model_end(long seconds)
{
	const char *fewer = getenv("MODEL_SECONDS");
	long n = fewer ? strtol(fewer, NULL, 10) : seconds;

	return time(NULL) + (n > 0 && n < seconds ? n : seconds);
}

#endif
