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

/* An eighth of the time that has passed: what comes soon is seen soon, and what
 * takes long is not asked for a hundred times a second, which the other tests
 * would pay for: to ask is a request, or a command of ours. */
static void nap_after(int64_t passed)
{
	int64_t ms = passed / 8;

	ms = ms < 2 ? 2 : ms > 40 ? 40 : ms;
	nanosleep(&(struct timespec){.tv_nsec = ms * 1000 * 1000}, NULL);
}

bool wait_until(bool (*true_yet)(void *arg), void *arg, int ms)
{
	int64_t began = now_mono(), passed;

	while (!true_yet(arg)) {
		passed = now_mono() - began;
		if (passed >= ms)
			return false;
		nap_after(passed);
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
