/* SPDX-License-Identifier: MIT
 *
 * access.c - see access.h.
 */
#include "server/access/access_private.h"

#include <stdlib.h>

#include "base/mem.h"

struct access *access_open(const struct access_parts *parts)
{
	struct access *a = xcalloc(1, sizeof(*a));

	a->parts = *parts;
	a->failures = login_failures_open();
	pthread_mutex_init(&a->lock, NULL);
	return a;
}

void access_close(struct access *a)
{
	if (!a)
		return;
	login_failures_close(a->failures);
	pthread_mutex_destroy(&a->lock);
	free(a);
}
