/* SPDX-License-Identifier: MIT
 *
 * secret_rotation.h - may the previous webhook secret go?
 *
 * A secret that is being replaced is right until Centra signs with the new one
 * only.  So it is remembered, durably, since when the new one has signed and
 * when the previous one did last.
 *
 * Pure: the time is an argument, keeping it is the caller's.
 */
#ifndef SERVER_WEBHOOK_SECRET_ROTATION_H
#define SERVER_WEBHOOK_SECRET_ROTATION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/store.h"

#define SECRET_UNUSED_FOR  86400000 /* ms: then the previous one may go */
#define SECRET_KEPT_EVERY 60000    /* ms between writes, at least */

/* What tells a secret from another, and nothing else of it. */
void secret_print(unsigned char ret[SECRET_PRINT], const char *secret);

/* Whether the secrets of a config are those that `use` is of. */
bool secret_use_is_of(const struct secret_use *use, const char *current,
		      const char *previous);

/* True when the previous one has not signed for SECRET_UNUSED_FOR, nor since
 * the current one did first. */
bool secret_may_go(const struct secret_use *use, int64_t now);

/* One instance's, while the server runs. */
struct secret_watch {
	char instance[INSTANCE_SIZE];
	struct secret_use use;
	bool has_previous;
	bool dirty;	/* use is not as it was last kept */
	atomic_bool lost; /* nor is what was to be kept: it failed */
	int64_t kept;	/* when it was; 0: never */
	bool told;	/* that the previous one may go */
	uint64_t signed_by[2]; /* deliveries: by the current, the previous */
};

/* The secrets are these now; previous may be NULL.  What was known of them
 * stays: one that was current and is the previous now is the normal way. */
void secret_watch_set(struct secret_watch *w, const char *current,
		      const char *previous);
/* A delivery was signed by secrets[which]. */
void secret_watch_signed(struct secret_watch *w, int which, int64_t now);
/* True when `use` is not as it is kept. */
bool secret_watch_dirty(struct secret_watch *w);
/* True when `use` is to be kept now; it counts as kept then. */
bool secret_watch_keep(struct secret_watch *w, int64_t now);
/* Keeping it failed: it is tried again.  Any thread. */
void secret_watch_lost(struct secret_watch *w);
/* True, once, when the previous one may go. */
bool secret_watch_tell(struct secret_watch *w, int64_t now);

#endif
