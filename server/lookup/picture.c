/* SPDX-License-Identifier: MIT
 *
 * picture.c - see picture.h.
 */
#include "server/lookup/picture.h"

#include <string.h>

/* True for the characters of a URL (RFC 3986, 2), without quotes and brackets,
 * which end an attribute or a tag. */
static bool is_plain(const char *s)
{
	static const char marks[] = "-._~:/?#@!$&()*+,;=%";

	for (; *s; s++)
		if (!(*s >= 'a' && *s <= 'z') && !(*s >= 'A' && *s <= 'Z') &&
		    !(*s >= '0' && *s <= '9') && !strchr(marks, *s))
			return false;
	return true;
}

bool picture_allowed(const char *url, const char *from)
{
	size_t n = from ? strlen(from) : 0;

	/* The slash behind the origin matters: "https://a.b.evil" begins with
	 * "https://a.b" too. */
	return url && n && !strncmp(url, from, n) && url[n] == '/' &&
	       strlen(url) <= PICTURE_MAX && is_plain(url);
}
