/* SPDX-License-Identifier: MIT
 *
 * follow.c - see follow.h.
 */
#include "handlers/follow.h"

#include "handlers/lock.h"
#include "handlers/outgoing.h"

/* The followers; the table ends with NULL. */
static follower_fn *const followers[] = {
	lock_follow,
	outgoing_follow,
	NULL,
};

void order_follow(const struct follow_config *c,
		  const struct followed *f, struct changes *ret)
{
	for (follower_fn *const *fn = followers; *fn; fn++)
		(*fn)(c, f, ret);
}
