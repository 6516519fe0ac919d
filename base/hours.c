/* SPDX-License-Identifier: MIT
 *
 * hours.c - see hours.h.
 */
#include "base/hours.h"

#define DAY_MIN 1440

/* Reads "HH:MM" and moves on behind it. */
static bool read_minute(const char **text, int *ret)
{
	const char *s = *text;

	for (int i = 0; i < 5; i++)
		if (i == 2 ? s[i] != ':' : s[i] < '0' || s[i] > '9')
			return false;
	*ret = ((s[0] - '0') * 10 + s[1] - '0') * 60 + (s[3] - '0') * 10 +
	       s[4] - '0';
	*text = s + 5;
	return s[0] * 10 + s[1] < '2' * 10 + '4' && s[3] < '6';
}

bool hours_read(const char *text, struct hours *ret)
{
	*ret = (struct hours){0};
	if (!text || !*text)
		return true;
	return read_minute(&text, &ret->from) && *text++ == '-' &&
	       read_minute(&text, &ret->to) && !*text && ret->from != ret->to;
}

int64_t hours_wait(const struct hours *h, int offset_min,
			 int64_t now)
{
	const int64_t minute = 60000, day = DAY_MIN * minute;
	int64_t local = (now + offset_min * minute) % day;
	int64_t since = (local + day - h->from * minute) % day;
	int64_t length = (h->to - h->from + DAY_MIN) % DAY_MIN * minute;

	return h->from == h->to || since < length ? 0 : day - since;
}
