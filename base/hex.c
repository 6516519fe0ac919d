/* SPDX-License-Identifier: MIT
 *
 * hex.c - see hex.h.
 */
#include "base/hex.h"

/* The value of each hexadecimal digit plus 1; 0: the character is no such
 * digit. */
static const signed char values[256] = {
	['0'] = 1,  ['1'] = 2,	['2'] = 3,  ['3'] = 4,	['4'] = 5,  ['5'] = 6,
	['6'] = 7,  ['7'] = 8,	['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
	['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16, ['A'] = 11, ['B'] = 12,
	['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

int hex_digit(char c)
{
	return values[(unsigned char)c] - 1;
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
