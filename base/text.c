/* SPDX-License-Identifier: MIT
 *
 * text.c - see text.h.
 */
#include "base/text.h"

#include <string.h>

#include "base/mem.h"

/* Stops at the first byte that cannot belong to the character, so it never
 * reads past a NUL. */
size_t text_utf8(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	unsigned char least = 0x80, most = 0xbf; /* of the second byte */
	size_t n, i;

	if (!len)
		return 0;
	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (n > len)
		return 0;
	if (s[0] == 0xe0)
		least = 0xa0; /* shorter forms exist */
	else if (s[0] == 0xed)
		most = 0x9f; /* U+D800 to U+DFFF are surrogates, not
			      * characters */
	else if (s[0] == 0xf0)
		least = 0x90;
	else if (s[0] == 0xf4)
		most = 0x8f; /* U+10FFFF is the last character */
	if (s[1] < least || s[1] > most)
		return 0;
	for (i = 2; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

bool text_is_utf8(const char *s)
{
	size_t n = 1;

	for (; *s && n; s += n)
		n = text_utf8(s, UTF8_MOST);
	return n != 0;
}

size_t text_length(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

void text_trim(char *s)
{
	size_t len = strlen(s), last = len;

	while (last && len - last < 3 &&
	       ((unsigned char)s[last - 1] & 0xc0) == 0x80)
		last--;
	if (!last || (unsigned char)s[last - 1] < 0xc0)
		return;
	if (!text_utf8(s + last - 1, UTF8_MOST))
		s[last - 1] = '\0';
}

char *text_bounded(const char *s, size_t max)
{
	size_t n;

	if (!s)
		return NULL;
	n = strnlen(s, max + 1);
	if (n > max) {
		n = max;
		while (n && ((unsigned char)s[n] & 0xc0) == 0x80)
			n--;
	}
	return xstrndup(s, n);
}

bool text_is_one_of(const char *s, const char *const *words)
{
	for (; s && *words; words++)
		if (!strcmp(*words, s))
			return true;
	return false;
}
