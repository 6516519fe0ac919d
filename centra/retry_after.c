/* SPDX-License-Identifier: MIT
 *
 * retry_after.c - how long a Retry-After header asks us to wait; see centra.h.
 *
 * Centra calls it a timestamp and does not say of which kind, and HTTP has
 * seconds and dates.  All are read, and the clamp bounds the wait if one is
 * misread.
 */
#include "centra/centra.h"

#include <curl/curl.h>
#include <string.h>

#include "base/number.h"
#include "base/time.h"

#define SECOND	1000LL
#define LEAST	SECOND
#define MOST	(3600 * SECOND)
#define UNKNOWN (10 * SECOND)

#define TIMESTAMP_DIGITS 10 /* a number with this many digits or more is a point
			     * in time */
#define MILLIS_DIGITS	 13 /* with this many digits it is in milliseconds; with
			     * fewer in seconds */

static int64_t clamp(int64_t wait)
{
	return wait < LEAST ? LEAST : wait > MOST ? MOST : wait;
}

/* Returns the wait that a text of n digits asks for. */
static int64_t digits_wait(const char *s, size_t n, int64_t now)
{
	int64_t v;

	if (n > MILLIS_DIGITS || !number_read(s, 0, INT64_MAX, &v))
		return UNKNOWN;
	if (n == MILLIS_DIGITS)
		return clamp(v - now);
	if (n >= TIMESTAMP_DIGITS)
		return clamp(v * SECOND - now);
	return clamp(v * SECOND);
}

int64_t centra_retry_after(const char *value, int64_t now)
{
	char text[64];
	size_t n;
	int64_t at;
	int offset;
	time_t date;

	if (!value)
		return UNKNOWN;
	value += strspn(value, " \t");
	n = strlen(value);
	while (n && strchr(" \t\r\n", value[n - 1]))
		n--;
	if (!n || n >= sizeof(text))
		return UNKNOWN;
	memcpy(text, value, n);
	text[n] = '\0';

	if (strspn(text, "0123456789") == n)
		return digits_wait(text, n, now);
	if (!time_parse_iso(text, &at, &offset))
		return clamp(at - now);
	date = curl_getdate(text, NULL);
	return date == -1 ? UNKNOWN : clamp((int64_t)date * SECOND - now);
}
