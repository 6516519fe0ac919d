/* SPDX-License-Identifier: MIT
 *
 * receive.h - a delivery from Centra: verified, read, made durable, answered.
 *
 * Promise:  200 only after the store says that every event of the delivery is
 *           on disk; 503 with Retry-After when it is not.  Nothing is parsed
 *           before the signature is right.  Nothing here calls Centra.
 * Threads:  the loop thread only.
 */
#ifndef SERVER_WEBHOOK_RECEIVE_H
#define SERVER_WEBHOOK_RECEIVE_H

#include <stdbool.h>

#include "centra/event.h"
#include "server/http/http.h"
#include "server/webhook/secret_rotation.h"
#include "server/webhook/signature.h"
#include "store/store.h"

struct app;
struct refused;
struct receiver; /* opaque: the keyed signature contexts of each instance */

struct receiver *receiver_open(struct app *app);
void receiver_close(struct receiver *r); /* NULL is fine */

/* The config was reloaded: what was refused is judged again.  Any thread. */
void receiver_reloaded(struct receiver *r);
/* Now and then: keeps what is known of the secrets' use, and says when one may
 * go.  Any thread. */
void receiver_tick(struct receiver *r);
/* Between http_stop() and store_close(): keeps it for the last time. */
void receiver_stop(struct receiver *r);

/* Judges a delivery by the present secrets, as of the time it came.
 * *ret_secret as of verifier_check(). */
enum verdict receiver_judge(struct receiver *r, const char *instance,
			    const char *header, const void *body, size_t len,
			    int64_t when, int *ret_secret);
/* A genuine delivery that came then was signed by that secret: it counts. */
void receiver_signed(struct receiver *r, const char *instance, int secret,
		     int64_t when);
struct refused *receiver_refused(const struct receiver *r);
/* The i-th instance's secrets; NULL: there are no more. */
const struct secret_watch *receiver_secrets(const struct receiver *r,
					    size_t i);

/* Records a delivery that no request waits for: takes over what d owns, counts
 * and logs it.  fn (or NULL) is told in the loop thread, unless the store would
 * not even begin: then that is what is returned. */
typedef void recorded_fn(void *arg, enum rc rc, const struct recorded *n);
enum rc receive_record(struct app *app, const struct delivery *d,
		       recorded_fn *fn, void *arg);

/* As soon as the header is read, before a byte of the body is kept: false, and
 * a 404 in *res, when no instance has the name in the path. */
bool receive_admit(struct request *req, struct response *res);

/* A request that no route takes.  If it has the form of Centra's deliveries (the
 * signature cannot be verified: nobody knows whose it is), then the Webhook URL
 * in Centra is probably wrong: it is counted and logged.  Loop thread. */
void receive_misdirected(struct app *app, const struct request *req);

/* An endpoint_fn: POST /webhooks/centra/{name}. */
void receive_webhook(struct request *req, struct response *res);

/* ---- the part that needs no server ---- */

/* Turns a verified body into what the store is to keep.  Whatever the body is,
 * nothing of it is lost: an entry that cannot be used is quarantined alone, a
 * body that cannot be read is quarantined whole, with its signature `header`.
 * Bodies of another webhook version (*ret_version) are quarantined whole too.
 * `instance` is borrowed. */
void delivery_read(struct delivery *ret, enum webhook_version *ret_version,
		   const char *instance, const char *header, const char *body,
		   size_t len, int64_t now);
/* One that is rightly signed and too old, or from the future: to be kept. */
void delivery_stale(struct delivery *ret, const char *instance,
		    const char *header, const char *body, size_t len,
		    int64_t now);
/* The same of what is in quarantine, with the time it came: reads it again.
 * False: it is as unreadable as before, with the reason in *why. */
bool delivery_again(struct delivery *ret, const struct quarantined *q,
		    struct err *why);
/* Frees what d owns, not d itself.  Fine on a zeroed one. */
void delivery_release(struct delivery *d);

#endif
