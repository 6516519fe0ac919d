/* SPDX-License-Identifier: MIT
 *
 * temp.h - a folder of a test's own, in $TMPDIR or /tmp.
 */
#ifndef TESTS_STORE_TEMP_H
#define TESTS_STORE_TEMP_H

#include <stdio.h>
#include <stdlib.h>

#define TEMP_ROOM 128

/* Makes an empty folder whose name begins with "shipfrom-NAME-".  Returns its
 * path, which is in ret, or NULL. */
static inline char *temp_folder(char ret[TEMP_ROOM], const char *name)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(ret, TEMP_ROOM, "%s/shipfrom-%s-XXXXXX",
		 tmp && *tmp ? tmp : "/tmp", name);
	return mkdtemp(ret);
}

#endif
