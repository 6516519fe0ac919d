/* SPDX-License-Identifier: MIT
 *
 * zone.c - see "time zones" in time.h.
 *
 * The C library knows the zones but keeps one for the whole process.  So
 * zone_open() asks it for each change of the clocks up to 2060, before there
 * are threads; from then on the zone is a small table that any thread can read.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/time.h"

/* No two changes of the clocks, of any zone and since 1970, are closer than
 * this: the nearest are 6 days and 23 hours apart (Brazil in October 2000). */
#define STEP	   (6 * 86400LL)
#define FIRST_TIME 0LL		 /* 1970 */
#define LAST_TIME  2840140800LL /* 2060-01-01 */
#define NAME_MAX_LEN 64

/* From the time `at` on, local time is UTC + offset. */
struct shift {
	int64_t at; /* s */
	int offset; /* s */
};

struct zone {
	struct shift *shifts; /* owned; the first row begins at FIRST_TIME */
	size_t n;
	char name[NAME_MAX_LEN + 1];
	struct zone *next;
};

/* The zones that are open. */
static struct zone *open_zones;
static pthread_mutex_t open_lock = PTHREAD_MUTEX_INITIALIZER;

static int offset_now(int64_t t)
{
	time_t seconds = (time_t)t;
	struct tm tm;

	return localtime_r(&seconds, &tm) ? (int)tm.tm_gmtoff : 0;
}

static void add_shift(struct zone *z, int64_t at, int offset)
{
	z->shifts = xrealloc(z->shifts, z->n + 1, sizeof(*z->shifts));
	z->shifts[z->n++] = (struct shift){at, offset};
}

/* Fills the table of a zone from the C library, while TZ names that zone. */
static void fill(struct zone *z)
{
	int64_t at, from, to, middle;
	int before = offset_now(FIRST_TIME), after;

	add_shift(z, FIRST_TIME, before);
	for (at = FIRST_TIME + STEP; at <= LAST_TIME; at += STEP) {
		after = offset_now(at);
		if (after == before)
			continue;
		from = at - STEP; /* still as before */
		to = at;	  /* already as after */
		while (to - from > 1) {
			middle = from + (to - from) / 2;
			if (offset_now(middle) == before)
				from = middle;
			else
				to = middle;
		}
		add_shift(z, to, after);
		before = after;
	}
}

/* Checks that the zone exists.  The C library treats an unknown TZ as UTC, so
 * its file is looked for first; UTC itself needs no file. */
static enum rc check_name(const char *name, struct err *e)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz"
				      "0123456789_+-/";
	char path[128], magic[4] = "";
	ssize_t n;
	int fd;

	if (!strcmp(name, "UTC"))
		return OK;
	if (!*name || strlen(name) > NAME_MAX_LEN || *name == '/' ||
	    name[strspn(name, allowed)])
		return fail(e, RC_INVALID, "'%.64s' is not a time zone's name",
			    name);
	snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, magic, sizeof(magic));
	if (fd >= 0)
		close(fd);
	if (n != (ssize_t)sizeof(magic) || memcmp(magic, "TZif", 4) != 0)
		return fail(e, RC_INVALID,
			    "no time zone '%s' in /usr/share/zoneinfo", name);
	return OK;
}

enum rc zone_open(struct zone **ret, const char *name, struct err *e)
{
	struct zone *z;
	char *previous;
	enum rc rc = check_name(name, e);

	if (rc)
		return rc;
	z = xcalloc(1, sizeof(*z));
	previous = xstrdup(getenv("TZ"));
	setenv("TZ", strcmp(name, "UTC") ? name : "UTC0", 1);
	tzset();
	fill(z);
	if (previous)
		setenv("TZ", previous, 1);
	else
		unsetenv("TZ");
	tzset();
	free(previous);
	snprintf(z->name, sizeof(z->name), "%s", name);
	pthread_mutex_lock(&open_lock);
	z->next = open_zones;
	open_zones = z;
	pthread_mutex_unlock(&open_lock);
	*ret = z;
	return OK;
}

const struct zone *zone_named(const char *name)
{
	static struct shift utc_shift;
	static const struct zone utc = {.shifts = &utc_shift, .n = 1};
	const struct zone *z;

	if (!strcmp(name, "UTC"))
		return &utc;
	pthread_mutex_lock(&open_lock);
	for (z = open_zones; z && strcmp(z->name, name) != 0; z = z->next)
		;
	pthread_mutex_unlock(&open_lock);
	return z;
}

int64_t zone_time(const struct zone *z, const char stamp[STAMP_SIZE])
{
	char iso[STAMP_SIZE + 1];
	int64_t local, ret = TIME_NONE;

	snprintf(iso, sizeof(iso), "%.19sZ", stamp);
	if (strlen(iso) != 20 || time_parse_iso(iso, &local, NULL))
		return TIME_NONE;
	for (size_t i = 0; i < z->n; i++) {
		int64_t t = local - z->shifts[i].offset * INT64_C(1000);
		bool begun = !i || t >= z->shifts[i].at * 1000;

		/* A time that the clocks leave out counts by the offset before
		 * they changed. */
		if (begun || ret == TIME_NONE)
			ret = t;
	}
	return ret;
}

bool zone_repeats(const struct zone *z, const char stamp[STAMP_SIZE])
{
	char iso[STAMP_SIZE + 1];
	int64_t local;
	size_t i;
	int length;

	if (!z)
		return false;
	length = snprintf(iso, sizeof(iso), "%.26sZ", stamp);
	if (length < 20 || time_parse_iso(iso, &local, NULL))
		return false;
	local /= 1000;
	for (i = 1; i < z->n; i++) {
		const struct shift *s = &z->shifts[i];

		if (s->offset < s[-1].offset && local >= s->at + s->offset &&
		    local < s->at + s[-1].offset)
			return true;
	}
	return false;
}

int zone_offset(const struct zone *z, int64_t t)
{
	size_t i;

	if (!z)
		return 0;
	for (i = z->n - 1; i > 0; i--)
		if (t >= z->shifts[i].at * 1000)
			break;
	return z->shifts[i].offset / 60;
}

void zone_close(struct zone *z)
{
	if (!z)
		return;
	pthread_mutex_lock(&open_lock);
	for (struct zone **p = &open_zones; *p; p = &(*p)->next)
		if (*p == z) {
			*p = z->next;
			break;
		}
	pthread_mutex_unlock(&open_lock);
	free(z->shifts);
	free(z);
}
