/* SPDX-License-Identifier: MIT
 *
 * time.c - see time.h; zones are in zone.c.
 */
#include "base/time.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define MINUTE 60000LL
#define YEAR_9999_END 253402300800000LL /* ms: year 10000; times from then on
					 * are not written */
#define YEAR_0_BEGIN  (-62167219200000LL)

static int64_t clock_ms(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t time_now(void)
{
	return clock_ms(CLOCK_REALTIME);
}

int64_t time_mono(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

uint64_t time_boot(void)
{
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
	uint64_t h = 0;
	int c;

	while (f && (c = fgetc(f)) != EOF)
		h = (h ^ (uint64_t)c) * 0x100000001b3u;
	if (f)
		fclose(f);
	return h;
}

const char *time_iso(char ret[TIME_ISO_SIZE], int64_t t, int offset_min,
		     bool millis)
{
	char zone[8] = "Z", fraction[8] = "";
	unsigned offset = (unsigned)(offset_min < 0 ? -offset_min : offset_min);
	int64_t local;
	time_t seconds;
	struct tm tm;

	ret[0] = '\0'; /* a time that cannot be written is written as "" */
	if (__builtin_add_overflow(t, offset_min * MINUTE, &local) ||
	    local < YEAR_0_BEGIN || local >= YEAR_9999_END ||
	    offset >= 24 * 60)
		return ret;
	seconds = (time_t)((local - YEAR_0_BEGIN) / 1000 + YEAR_0_BEGIN / 1000);
	if (!gmtime_r(&seconds, &tm))
		return ret;
	if (offset)
		snprintf(zone, sizeof(zone), "%c%02u:%02u",
			 offset_min < 0 ? '-' : '+', offset / 60 % 24,
			 offset % 60);
	if (millis)
		snprintf(fraction, sizeof(fraction), ".%03u",
			 (unsigned)((local - YEAR_0_BEGIN) % 1000));
	snprintf(ret, TIME_ISO_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d%s%s",
		 (tm.tm_year + 1900) % 10000, tm.tm_mon + 1, tm.tm_mday,
		 tm.tm_hour, tm.tm_min, tm.tm_sec, fraction, zone);
	return ret;
}

/* True if s begins with the pattern, in which 0 stands for any digit. */
static bool looks_like(const char *s, const char *mask)
{
	for (; *mask; s++, mask++)
		if (*mask == '0' ? *s < '0' || *s > '9' : *s != *mask)
			return false;
	return true;
}

static int digits(const char *s, int n)
{
	int value = 0;

	while (n--)
		value = value * 10 + (*s++ - '0');
	return value;
}

static bool is_leap(int year)
{
	return !(year % 4) && (year % 100 || !(year % 400));
}

/* Returns the number of days from 1 January of year 0 to the first of a month
 * (0: January) of year 0 or later. */
static int64_t days_before(int year, int month)
{
	static const int before[] = {0,	  31,  59,  90,	 120, 151,
				     181, 212, 243, 273, 304, 334};
	int last = year - 1; /* leap years are counted up to it; year 0
			      * is a leap year */
	int leaps = year ? last / 4 - last / 100 + last / 400 + 1 : 0;

	return (int64_t)year * 365 + leaps + before[month] +
	       (month > 1 && is_leap(year));
}

#define EPOCH_DAYS 719528 /* from year 0 to 1970 */

/* Reads "YYYY-MM-DD HH:MM:SS", whose form was checked, as UTC.  RC_INVALID:
 * there is no such date or time. */
static enum rc read_clock(const char *s, int64_t *ret_seconds)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30,
				      31, 31, 30, 31, 30, 31};
	int year = digits(s, 4), month = digits(s + 5, 2) - 1;
	int day = digits(s + 8, 2) - 1, hour = digits(s + 11, 2);
	int minute = digits(s + 14, 2), second = digits(s + 17, 2);

	if (month < 0 || month > 11 || day < 0 || hour > 23 || minute > 59 ||
	    second > 59 ||
	    day >= lengths[month] + (month == 1 && is_leap(year)))
		return RC_INVALID;
	*ret_seconds = ((days_before(year, month) + day - EPOCH_DAYS) * 24 +
			hour) * 3600 + minute * 60 + second;
	return OK;
}

/* Reads "Z", "+01:00" or "+0100" up to the end of the text. */
static enum rc read_offset(const char *s, int *ret_min)
{
	int hours, minutes;

	*ret_min = 0;
	if ((*s == 'Z' || *s == 'z') && !s[1])
		return OK;
	if (*s != '+' && *s != '-')
		return RC_INVALID;
	if (looks_like(s + 1, "00:00") && !s[6])
		minutes = digits(s + 4, 2);
	else if (looks_like(s + 1, "0000") && !s[5])
		minutes = digits(s + 3, 2);
	else
		return RC_INVALID;
	hours = digits(s + 1, 2);
	if (hours > 23 || minutes > 59)
		return RC_INVALID;
	*ret_min = (hours * 60 + minutes) * (*s == '-' ? -1 : 1);
	return OK;
}

enum rc time_parse_iso(const char *s, int64_t *ret, int *ret_offset_min)
{
	int64_t seconds;
	int millis = 0, weight = 100, offset;

	if (!looks_like(s, "0000-00-00T00:00:00") &&
	    !looks_like(s, "0000-00-00t00:00:00") &&
	    !looks_like(s, "0000-00-00 00:00:00"))
		return RC_INVALID;
	if (read_clock(s, &seconds))
		return RC_INVALID;
	s += 19;
	if (*s == '.' || *s == ',') {
		if (!looks_like(s + 1, "0"))
			return RC_INVALID;
		for (s++; looks_like(s, "0"); s++, weight /= 10)
			millis += weight * (*s - '0');
	}
	if (read_offset(s, &offset))
		return RC_INVALID;
	*ret = seconds * 1000 + millis - offset * MINUTE;
	if (ret_offset_min)
		*ret_offset_min = offset;
	return OK;
}

enum rc stamp_parse(char ret[STAMP_SIZE], const char *s)
{
	char made[STAMP_SIZE] = "0000-00-00 00:00:00.000000";
	int64_t seconds;
	size_t len;

	if (!looks_like(s, "0000-00-00 00:00:00") || read_clock(s, &seconds))
		return RC_INVALID;
	for (len = 19; s[len]; len++)
		if (len == 26 || !looks_like(s + len, len == 19 ? "." : "0"))
			return RC_INVALID;
	if (len == 20) /* the point has no digits behind it */
		return RC_INVALID;
	memcpy(made, s, len);
	memcpy(ret, made, STAMP_SIZE);
	return OK;
}
