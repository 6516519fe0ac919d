/* SPDX-License-Identifier: MIT
 *
 * secret_rotation.h - decides when the previous webhook secret may be removed.
 *
 * While a secret is being replaced, both are valid until Centra signs with the
 * new one alone.  So the store keeps since when the new one has signed, and
 * when the previous one signed last.
 *
 * Pure: the time is an argument, and the caller stores the result.
 */
#ifndef SERVER_WEBHOOK_SECRET_ROTATION_H
#define SERVER_WEBHOOK_SECRET_ROTATION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/store.h"

#define SECRET_UNUSED_FOR  86400000 /* ms; a previous secret that was not used
				     * for this long may be removed */
#define SECRET_KEPT_EVERY 60000    /* ms between two writes of the same secret's
				    * use, at least */

/* True if `use` describes these two secrets. */
bool secret_use_is_of(const struct secret_use *use, const char *current,
		      const char *previous);

/* True if the previous secret has not signed for SECRET_UNUSED_FOR, and not
 * since the current one signed first. */
bool secret_may_go(const struct secret_use *use, int64_t now);

/* The use of one instance's secrets while the server runs. */
struct secret_watch {
	char instance[INSTANCE_SIZE];
	struct secret_use use;
	bool has_previous;
	bool dirty;	/* `use` differs from what is in the store */
	atomic_bool lost; /* the last attempt to store `use` failed */
	int64_t kept;	/* when `use` was last given to the store; 0: never */
	bool reported;	/* it was logged that the previous secret may be
			 * removed */
	atomic_ullong signed_by[2]; /* deliveries that the current and the
				     * previous secret signed; any thread may
				     * read */
};

/* Sets the present secrets; previous may be NULL.  What is known of each secret
 * is kept with it: usually the one that was current has become the previous
 * one. */
void secret_watch_set(struct secret_watch *w, const char *current,
		      const char *previous);
/* Notes that secrets[which] signed a delivery. */
void secret_watch_signed(struct secret_watch *w, int which, int64_t now);
/* True if `use` differs from what is in the store. */
bool secret_watch_dirty(struct secret_watch *w);
/* True if `use` is to be stored now; then it counts as stored. */
bool secret_watch_keep(struct secret_watch *w, int64_t now);
/* Notes that storing failed, so that it is tried again.  Any thread. */
void secret_watch_lost(struct secret_watch *w);
/* True, once, when the previous secret may be removed. */
bool secret_watch_done(struct secret_watch *w, int64_t now);

#endif
