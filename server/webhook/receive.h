/* SPDX-License-Identifier: MIT
 *
 * receive.h - a webhook from Centra over HTTP: verified, read, recorded,
 * answered.
 *
 * Promise:  200 only after the store says that every event of the delivery is
 *           on disk; 503 with Retry-After when it is not.  Nothing is parsed
 *           before the signature is right.  Nothing here calls Centra.
 *
 * The files of this room, in the order of a webhook's way: receive (HTTP),
 * verifiers (keys), delivery (bytes to events), record (storing). unverified
 * keeps deliveries that no secret of ours signed.
 *
 * Threads:  the loop thread, unless a function says otherwise.
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

struct receiver; /* opaque; the context of this room's routes */
struct unverified;

/* What the room needs of the server; all of it is borrowed. */
struct receiver_parts {
	struct store *store; /* to be closed before the receiver */
	struct config_holder *config;
	struct counters *counters;
	struct http *const *http; /* *http is set before the first request, and
				   * must be closed before the receiver */
};

/* Opens the room; copies *parts, and takes the present config. */
struct receiver *receiver_open(const struct receiver_parts *parts);
void receiver_close(struct receiver *r); /* NULL is fine */

/* The config was reloaded: it is used from now on, and deliveries that could
 * not be verified are judged again.  Reads the store; for the one thread that
 * reloads. */
void receiver_reloaded(struct receiver *r);
/* Stores how long the secrets have been in use, and logs when a previous one
 * may be removed.  Call it each minute.  Any thread. */
void receiver_tick(struct receiver *r);
/* Stores that for the last time.  Call it between http_stop() and
 * store_close(). */
void receiver_stop(struct receiver *r);

/* Any thread, both. */
const struct unverified *receiver_unverified(const struct receiver *r);
/* Returns the i-th instance's secrets; NULL: there are no more. */
const struct secret_watch *receiver_secret(const struct receiver *r, size_t i);

/* Called when the header is read, before a byte of the body is kept.  False: no
 * instance has the name that is in the path; responds 404.  An early_fn. */
bool receive_admit(struct request *req, struct response *res);

/* Counts and logs a request that has the form of Centra's deliveries but
 * matches no route: the Webhook URL in Centra is probably wrong.  The signature
 * is not verified, since the path names no instance. */
void receive_misdirected(struct receiver *r, const struct request *req);

/* The endpoint POST /webhooks/centra/{name}. */
endpoint_fn receive_webhook;

#endif
