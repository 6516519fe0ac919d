/* SPDX-License-Identifier: MIT
 *
 * verifiers.h - the keys that verify each instance's webhooks, and since when
 * its secrets are in use.
 *
 * They are made from one config, which is held until the next: who verifies by
 * them works with that config.
 *
 * Threads:  the loop thread; verifiers_secret() any; verifiers_prepare() the
 *           one that opens it and reloads.
 */
#ifndef SERVER_WEBHOOK_VERIFIERS_H
#define SERVER_WEBHOOK_VERIFIERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "centra/signature.h"
#include "server/config/config.h"
#include "server/http/http.h"
#include "server/metrics/counters.h"
#include "server/webhook/secret_rotation.h"
#include "store/store.h"

struct verifiers; /* opaque */

/* The keys of one instance; borrowed, good until the next verifiers_use(). */
struct keys {
	const struct config_instance *instance;
	struct verifier *verifier;  /* NULL: no verifier could be made, which
				     * was logged */
	struct secret_watch *watch;
	bool version_logged; /* it was logged that the plugin sends another
			      * version */
};

/* All arguments are borrowed; the config of the holder is held. */
struct verifiers *verifiers_open(struct store *store,
				 struct config *config,
				 struct counters *counters,
				 struct http *const *http);
void verifiers_close(struct verifiers *v);

/* For the instances that are new in this config: reads since when their secrets
 * have been in use.  Reads the store, so it is not for the loop. */
void verifiers_prepare(struct verifiers *v, const struct config *config);
/* Takes a config that was prepared, and holds it. */
void verifiers_use(struct verifiers *v, struct config *config);
/* The config that the keys were made from; borrowed, as they are. */
const struct config *verifiers_config(const struct verifiers *v);

/* The keys of the instance with this name; NULL: no such instance. */
struct keys *verifiers_find(struct verifiers *v, const char *instance);
/* Verifies a delivery as of `when` (ms); *ret_secret as in verifier_check().
 * With k NULL: VERDICT_WRONG. */
enum verdict keys_check(const struct keys *k, const char *header,
			const void *body, size_t len, int64_t when,
			int *ret_secret);
/* Notes a genuine delivery that was received at `when` and signed by
 * `secret`. */
void keys_signed(struct verifiers *v, struct keys *k, int secret,
		 int64_t when);

/* Stores the use of the secrets, at most once a minute, and logs when a
 * previous secret may be removed. */
void verifiers_tick(struct verifiers *v, int64_t now);
/* Stores it for the last time, and waits for the disk.  Call it after the loop
 * has ended. */
void verifiers_keep(struct verifiers *v);

/* Returns the i-th instance's secrets; NULL: there are no more.  Any thread. */
const struct secret_watch *verifiers_secret(const struct verifiers *v,
					    size_t i);

#endif
