/* SPDX-License-Identifier: MIT
 *
 * receive.h - a webhook from Centra over HTTP: verified, read, recorded,
 * answered.
 *
 * Promise:  200 only after the store says that every event of the delivery is
 *           on disk; 503 with Retry-After when it is not.  Nothing is parsed
 *           before the signature is right.  Nothing here calls Centra.
 *
 * From bytes to effect: receive (HTTP and answers), verifiers (keys), delivery
 * (bytes to events), record (storing).  unverified keeps what no key signed.
 *
 * Threads:  the loop thread, where nothing else is said.
 */
#ifndef SERVER_WEBHOOK_RECEIVE_H
#define SERVER_WEBHOOK_RECEIVE_H

#include <stdbool.h>
#include <stddef.h>

#include "server/config/holder.h"
#include "server/http/http.h"
#include "server/metrics/counters.h"
#include "server/webhook/secret_rotation.h"
#include "store/store.h"

struct receiver; /* opaque: the context of this room's routes */
struct unverified;

/* What it needs of the server; borrowed. */
struct receiver_parts {
	struct store *store; /* closed before the receiver */
	struct config_holder *config;
	struct counters *counters;
	struct http *const *http; /* set before the first request, and closed
				   * before the receiver */
};

struct receiver *receiver_open(const struct receiver_parts *parts);
void receiver_close(struct receiver *r); /* NULL is fine */

/* The config was reloaded: it is used from now on, and deliveries that could
 * not be verified are judged again.  Reads the store; for the one thread that
 * reloads. */
void receiver_reloaded(struct receiver *r);
/* Call it each minute: stores the use of the secrets, and logs when one may be
 * removed.  Any thread. */
void receiver_tick(struct receiver *r);
/* Between http_stop() and store_close(): stores it for the last time. */
void receiver_stop(struct receiver *r);

/* Any thread, both. */
const struct unverified *receiver_unverified(const struct receiver *r);
/* The i-th instance's secrets; NULL: there are no more. */
const struct secret_watch *receiver_secret(const struct receiver *r, size_t i);

/* Once the header is read, before a byte of the body is kept: false when no
 * instance has the name in the path.  An early_fn. */
bool receive_admit(struct request *req, struct response *res);

/* Counts and logs a request that no route takes, if it has the form of Centra's
 * deliveries: the Webhook URL in Centra is probably wrong.  The signature cannot
 * be verified, since the request names no instance. */
void receive_misdirected(struct receiver *r, const struct request *req);

/* POST /webhooks/centra/{name}. */
endpoint_fn receive_webhook;

#endif
