/* SPDX-License-Identifier: MIT
 *
 * random.c - see random.h.
 */
#include "base/random.h"

#include <errno.h>
#include <sys/random.h>

#include "base/time.h"

bool random_bytes(void *p, size_t len)
{
	unsigned char *at = p;

	while (len) {
		ssize_t n = getrandom(at, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

uint64_t random_number(void)
{
	uint64_t n;

	if (random_bytes(&n, sizeof(n)))
		return n;
	return ((uint64_t)time_now() ^ (uint64_t)time_mono()) *
	       0x9e3779b97f4a7c15U;
}
