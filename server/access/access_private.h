/* SPDX-License-Identifier: MIT
 *
 * access_private.h - the inside of access.h.
 */
#ifndef SERVER_ACCESS_ACCESS_PRIVATE_H
#define SERVER_ACCESS_ACCESS_PRIVATE_H

#include <pthread.h>

#include "server/access/access.h"
#include "server/access/login_limit.h"

struct access {
	struct access_parts parts;
	struct login_failures *failures; /* owned */

	pthread_mutex_t lock; /* of the two below */
	int64_t wrong_since; /* time_mono: start of the minute in which
			      * `n_wrong` codes were wrong */
	unsigned n_wrong;
};

#endif
