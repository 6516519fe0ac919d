/* SPDX-License-Identifier: MIT
 *
 * request_id.c - see request_id.h.
 */
#include "server/http/request_id.h"

#include <string.h>


bool request_id_take(char ret[REQUEST_ID_MAX], const char *sent)
{
	static const char allowed[] = "-_.:=/+0123456789"
				      "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t len = sent ? strnlen(sent, REQUEST_ID_MAX) : 0;

	if (!len || len == REQUEST_ID_MAX || strspn(sent, allowed) != len)
		return false;
	memcpy(ret, sent, len + 1);
	return true;
}

void request_id_make(char ret[REQUEST_ID_MAX], uint64_t prefix, uint64_t n)
{
	static const char digits[] = "0123456789abcdef";
	char *at = ret;

	for (int bits = 60; bits >= 0; bits -= 4)
		*at++ = digits[prefix >> bits & 15];
	*at++ = '-';
	for (int bits = n ? 60 - __builtin_clzll(n) / 4 * 4 : 0; bits >= 0;
	     bits -= 4)
		*at++ = digits[n >> bits & 15];
	*at = '\0';
}

/* True for n small hexadecimal digits that are not all 0. */
static bool is_hex(const char *s, size_t n)
{
	return strspn(s, "0123456789abcdef") >= n && strspn(s, "0") < n;
}

bool trace_id_take(char ret[TRACE_ID_SIZE], const char *traceparent)
{
	const char *s = traceparent;

	if (!s || strnlen(s, TRACEPARENT_LEN + 1) != TRACEPARENT_LEN ||
	    s[2] != '-' || s[35] != '-' || s[52] != '-' ||
	    strspn(s, "0123456789abcdef") != 2 || !strncmp(s, "ff", 2) ||
	    !is_hex(s + 3, 32) || !is_hex(s + 36, 16) ||
	    strspn(s + 53, "0123456789abcdef") != 2)
		return false;
	memcpy(ret, s + 3, TRACE_ID_SIZE - 1);
	ret[TRACE_ID_SIZE - 1] = '\0';
	return true;
}
