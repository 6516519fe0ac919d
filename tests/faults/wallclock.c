/* SPDX-License-Identifier: MIT
 *
 * wallclock.c - a wall clock that a test sets (LD_PRELOAD).
 *
 * $WALLCLOCK names a file of 8 bytes: the ms by which CLOCK_REALTIME is ahead,
 * as an int64_t of this machine.  The test may write it at any time.  The
 * steady clock is left alone.  time() is ahead too: libmicrohttpd dates responses
 * with it, in the server and in the stand-in.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

typedef int gettime_fn(clockid_t id, struct timespec *ts);

static const _Atomic int64_t none;
static const _Atomic int64_t *ahead = &none;
static gettime_fn *real;

__attribute__((constructor)) static void start(void)
{
	const char *path = getenv("WALLCLOCK");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *map = MAP_FAILED;

	real = (gettime_fn *)dlsym(RTLD_NEXT, "clock_gettime");
	if (fd >= 0) {
		map = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
		close(fd);
	}
	if (map != MAP_FAILED)
		ahead = map;
}

int clock_gettime(clockid_t id, struct timespec *ts)
{
	int ret = real ? real(id, ts) : -1;
	int64_t ms = atomic_load(ahead);

	if (ret || id != CLOCK_REALTIME)
		return ret;
	ts->tv_sec += ms / 1000;
	ts->tv_nsec += ms % 1000 * 1000000;
	if (ts->tv_nsec >= 1000000000) {
		ts->tv_nsec -= 1000000000;
		ts->tv_sec++;
	} else if (ts->tv_nsec < 0) {
		ts->tv_nsec += 1000000000;
		ts->tv_sec--;
	}
	return 0;
}

time_t time(time_t *ret)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	if (ret)
		*ret = ts.tv_sec;
	return ts.tv_sec;
}
