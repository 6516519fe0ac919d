/* SPDX-License-Identifier: MIT
 *
 * hex.c - see hex.h.
 */
#include "base/hex.h"

int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int hex_byte(const char *s)
{
	int high = hex_digit(s[0]), low = high < 0 ? -1 : hex_digit(s[1]);

	return low < 0 ? -1 : high * 16 + low;
}

bool hex_read(void *ret, const char *s, size_t n)
{
	unsigned char *to = ret;

	for (size_t i = 0; i < n; i++) {
		int byte = hex_byte(s + 2 * i);

		if (byte < 0)
			return false;
		to[i] = (unsigned char)byte;
	}
	return true;
}

void hex_write(char *ret, const void *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *from = bytes;

	for (size_t i = 0; i < n; i++) {
		*ret++ = digits[from[i] >> 4];
		*ret++ = digits[from[i] & 15];
	}
	*ret = '\0';
}
