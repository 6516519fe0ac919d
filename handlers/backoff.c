/* SPDX-License-Identifier: MIT
 *
 * backoff.c - see backoff.h.
 */
#include "handlers/backoff.h"

#define FIRST_WAIT   500
#define LONGEST_WAIT 30000
#define DOUBLINGS    6 /* the wait doubles so often, at most: 0.5 s * 2^6 is
			* beyond LONGEST_WAIT */

int64_t backoff(unsigned attempts, int64_t retry_after, uint64_t random)
{
	int64_t most = LONGEST_WAIT, ret = FIRST_WAIT;

	if (attempts < DOUBLINGS)
		most = (int64_t)FIRST_WAIT << attempts;
	if (attempts > 1)
		ret = (int64_t)(random % ((uint64_t)most + 1));
	return ret < retry_after ? retry_after : ret;
}
