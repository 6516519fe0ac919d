/* SPDX-License-Identifier: MIT
 *
 * delivery.h - turns the bytes of a verified webhook into a delivery
 * (store/store.h): its events, and the parts that cannot be read.
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

/* Reads a body whose signature was right.  `received`: ms, wall clock. */
void delivery_read(struct delivery *ret, enum webhook_version *ret_version,
		   const char *instance, const char *header, const char *body,
		   size_t len, int64_t received);
/* Puts a body into quarantine that is signed rightly, but whose time is too old
 * or in the future.  If that time is later than `received`, our clock is behind,
 * and the entry is dated by Centra's clock: else it would soon count as old. */
void delivery_stale(struct delivery *ret, const char *instance,
		    const char *header, const char *body, size_t len,
		    int64_t received);
/* Reads again what is in quarantine, with the time at which it was received.
 * False: it still cannot be read; *why says why. */
bool delivery_again(struct delivery *ret, const struct quarantined *q,
		    struct err *why);
/* Frees what d owns, not d itself.  Fine on a zeroed one. */
void delivery_release(struct delivery *d);

/* Returns how many bytes a delivery takes in memory. */
size_t delivery_bytes(const struct delivery *d);
/* Returns the name of a webhook version that is not ours: "Checkout API" or
 * "Storefront API". */
const char *version_name(enum webhook_version version);

#endif
