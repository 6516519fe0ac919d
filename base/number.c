/* SPDX-License-Identifier: MIT
 *
 * number.c - see number.h.
 */
#include "base/number.h"

#include <stddef.h>
#include <string.h>

bool number_begin(const char **text, int64_t most, int64_t *ret)
{
	const char *p = *text;
	int64_t n = 0;

	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, *p - '0', &n))
			return false;
	if (p == *text || n > most)
		return false;
	*text = p;
	*ret = n;
	return true;
}

bool number_read(const char *text, int64_t least, int64_t most, int64_t *ret)
{
	int64_t n;

	if (!number_begin(&text, most, &n) || *text || n < least)
		return false;
	*ret = n;
	return true;
}

enum rc duration_read(const char *text, int64_t least, int64_t most,
		      int64_t *ret)
{
	static const struct {
		const char *name;
		int64_t ms;
	} units[] = {{"ms", 1},
		     {"s", 1000},
		     {"m", 60000},
		     {"h", 3600000},
		     {"d", 86400000}};
	const char *unit = text + strspn(text, "0123456789");
	int64_t n;

	for (size_t i = 0; unit > text && i < sizeof(units) / sizeof(*units);
	     i++) {
		if (units[i].ms < least || strcmp(unit, units[i].name) != 0)
			continue;
		if (!number_begin(&text, most / units[i].ms, &n))
			return RC_FULL;
		*ret = n * units[i].ms;
		return OK;
	}
	return RC_INVALID;
}
