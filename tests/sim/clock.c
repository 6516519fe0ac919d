/* SPDX-License-Identifier: MIT */
#include "tests/sim/clock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

static atomic_int_least64_t last_us; /* of the dates given out */
static volatile atomic_bool ended;

static int64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t clock_ms(void)
{
	return now_us() / 1000;
}

const char *clock_stamp(char ret[CLOCK_TEXT])
{
	int64_t was = atomic_load(&last_us), us;
	struct tm tm;
	char day[24];
	time_t s;

	do {
		us = now_us();
		if (us <= was)
			us = was + 1;
	} while (!atomic_compare_exchange_weak(&last_us, &was, us));
	s = (time_t)(us / 1000000);
	localtime_r(&s, &tm);
	strftime(day, sizeof(day), "%Y-%m-%d %H:%M:%S", &tm);
	snprintf(ret, CLOCK_TEXT, "%s.%06d", day, (int)(us % 1000000));
	return ret;
}

const char *clock_iso(char ret[CLOCK_TEXT], int64_t ms)
{
	time_t s = (time_t)(ms / 1000);
	struct tm tm;
	char day[24];
	long off;

	localtime_r(&s, &tm);
	off = tm.tm_gmtoff / 60;
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(ret, CLOCK_TEXT, "%s%c%02d:%02d", day, off < 0 ? '-' : '+',
		 (int)((off < 0 ? -off : off) / 60),
		 (int)((off < 0 ? -off : off) % 60));
	return ret;
}

void clock_sleep(int64_t ms)
{
	struct timespec slice = {.tv_nsec = 10 * 1000 * 1000};
	int64_t until = now_us() + ms * 1000, left;

	while (!ended && (left = until - now_us()) > 0) {
		if (left < 10000)
			slice.tv_nsec = (long)left * 1000;
		nanosleep(&slice, NULL);
	}
}

void clock_end(void)
{
	ended = true;
}
