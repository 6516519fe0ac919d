/* SPDX-License-Identifier: MIT
 *
 * delivery.h - the bytes of a verified webhook become a delivery (store/store.h):
 * its events, and what of it cannot be read.
 *
 * Nothing of a body is lost: an entry that cannot be used is quarantined alone,
 * a body that cannot be read, or of another webhook version, is quarantined
 * whole, with its signature header.
 *
 * Pure.  Any thread.  `instance` is borrowed by the delivery.
 */
#ifndef SERVER_WEBHOOK_DELIVERY_H
#define SERVER_WEBHOOK_DELIVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "centra/event.h"
#include "store/store.h"

/* Reads a body whose signature was right; `received` in ms, wall clock. */
void delivery_read(struct delivery *ret, enum webhook_version *ret_version,
		   const char *instance, const char *header, const char *body,
		   size_t len, int64_t received);
/* Quarantines a body that is rightly signed, but too old or from the future. */
void delivery_stale(struct delivery *ret, const char *instance,
		    const char *header, const char *body, size_t len,
		    int64_t received);
/* Reads once more what is in quarantine, with the time it was received.  False:
 * it is as unreadable as before; *why says how. */
bool delivery_again(struct delivery *ret, const struct quarantined *q,
		    struct err *why);
/* Frees what d owns, not d itself.  Fine on a zeroed one. */
void delivery_release(struct delivery *d);

/* The bytes that a delivery takes in memory. */
size_t delivery_bytes(const struct delivery *d);
/* "Checkout API", "Storefront API": a webhook version that is not ours. */
const char *version_name(enum webhook_version version);

#endif
