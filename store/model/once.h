/* SPDX-License-Identifier: MIT
 *
 * once.h - a request that must take effect once, however often its client sends
 * it.  A value: the store looks it up and keeps it (store_update_once()).
 */
#ifndef STORE_MODEL_ONCE_H
#define STORE_MODEL_ONCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define ONCE_KEPT 86400000 /* ms: 24 hours */
#define ONCE_HASH 32	   /* SHA-256 */
#define ONCE_CODE 32

/* ONCE_NEW    the request is new: the decision function ran, and its result is
 *             rc: OK, RC_EXISTS (as good as OK), or RC_CONFLICT with `code`,
 *             which the function may have filled in.  Its other results are not
 *             kept.
 * ONCE_AGAIN  the request was seen before: nothing is done; rc and code are
 *             those of the first time.
 * ONCE_OTHER  another request had the same key: nothing is done. */
enum once_seen { ONCE_NEW, ONCE_AGAIN, ONCE_OTHER };

/* A request: named by the idempotency key that its client sent, and told from
 * other requests by the hash of its method, path and body. */
struct once {
	uint64_t device;
	unsigned char key[ONCE_HASH];
	unsigned char request[ONCE_HASH];
	int64_t at; /* ms; when the key was first used */
	bool sure;  /* the clock is confirmed, so old keys may be forgotten */

	/* Out. */
	enum once_seen seen;
	enum rc rc;
	char code[ONCE_CODE];
};

#endif
