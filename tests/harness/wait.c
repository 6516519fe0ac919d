/* SPDX-License-Identifier: MIT */
#include "tests/harness/wait.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int64_t now_mono(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t now_unix(void)
{
	return (int64_t)time(NULL);
}

bool wait_until(bool (*true_yet)(void *arg), void *arg, int ms)
{
	struct timespec nap = {.tv_nsec = 10 * 1000 * 1000};
	int64_t until = now_mono() + ms;

	while (!true_yet(arg)) {
		if (now_mono() >= until)
			return false;
		nanosleep(&nap, NULL);
	}
	return true;
}

static struct tm stockholm(int64_t seconds)
{
	time_t t = (time_t)(now_unix() + seconds);
	struct tm tm;

	setenv("TZ", "Europe/Stockholm", 1);
	tzset();
	localtime_r(&t, &tm);
	return tm;
}

const char *stamp(char ret[STAMP_ROOM], int64_t seconds, int micros)
{
	struct tm tm = stockholm(seconds);
	char day[24];

	strftime(day, sizeof(day), "%Y-%m-%d %H:%M:%S", &tm);
	snprintf(ret, STAMP_ROOM, "%s.%06d", day, micros);
	return ret;
}

const char *iso(char ret[STAMP_ROOM], int64_t seconds)
{
	struct tm tm = stockholm(seconds);
	char day[24];

	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(ret, STAMP_ROOM, "%s+%02d:00", day,
		 (int)(tm.tm_gmtoff / 3600));
	return ret;
}
