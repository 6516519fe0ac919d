/* SPDX-License-Identifier: MIT
 *
 * staff_names.c - see staff_names.h.
 */
#include "server/config/staff_names.h"

#include <string.h>

const char *staff_next(const char **at, size_t *ret_len)
{
	const char *name = *at + strspn(*at, ", \t");

	*ret_len = strcspn(name, ",");
	*at = name + *ret_len;
	while (*ret_len && strchr(" \t", name[*ret_len - 1]))
		--*ret_len;
	return *ret_len ? name : NULL;
}

bool staff_has(const char *list, const char *name)
{
	const char *one;
	size_t len;

	while ((one = staff_next(&list, &len)))
		if (strlen(name) == len && !memcmp(one, name, len))
			return true;
	return false;
}
