/* SPDX-License-Identifier: MIT
 *
 * subscriber.h - a shop's own system, such as a till, to which webhooks are sent in
 * Centra's form and with Centra's signature (CONTRACT 1): [shop] notify_url.
 *
 * Promise:  each connection goes to an address that was checked as it was
 *           connected to, whatever the name resolved to before: without
 *           `may_private` to a public address (address_is_public()) alone.  No
 *           redirect is followed and no proxy is used.
 * Secrets:  a webhook is signed with `secret`.  While `previous` is set, a
 *           webhook that is refused with one of the two is sent at once with the
 *           other: Centra's header has room for one signature.  The secret that
 *           was taken last goes first.
 * Breaker:  after a call without a usable response, and after
 *           SUBSCRIBER_REFUSED_MOST refusals in a row, calls are held back for 1 s,
 *           which doubles with each failure, up to 5 minutes.
 * Limits:   3 s to connect, 5 s for the whole call; of a response's body 64 KiB
 *           are read, and thrown away.
 * Threads:  any thread; calls of one subscriber are made one at a time.
 */
#ifndef CENTRA_SUBSCRIBER_H
#define CENTRA_SUBSCRIBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "centra/centra.h"

#define SUBSCRIBER_REFUSED_MOST 10
#define SUBSCRIBER_WAIT_FIRST   1000   /* ms */
#define SUBSCRIBER_WAIT_MOST    300000 /* ms */

struct subscriber;

struct subscriber_options {
	const char *url; /* http:// or https:// */
	const char *secret;
	const char *previous; /* the secret before, or NULL */
	bool may_http;	  /* the URL may begin with http:// */
	bool may_private; /* the address may be one that is not public */
	int64_t connect_timeout, timeout; /* ms; 0: as above */
};

/* A new subscriber has no address yet: subscriber_set() gives it one. */
struct subscriber *subscriber_open(void);
void subscriber_close(struct subscriber *r); /* NULL is fine */
/* Copies the options.  If the address or a secret differs from before, calls are
 * no longer held back.  It may wait for a call under way. */
void subscriber_set(struct subscriber *r, const struct subscriber_options *o);

enum subscriber_end {
	SUBSCRIBER_TOOK,	  /* the status was 2xx */
	SUBSCRIBER_REFUSED, /* another status: this webhook was not taken */
	SUBSCRIBER_AWAY,	  /* no usable response came (or 408, 429, 502, 503,
			   * 504), or the call was held back: it may have been
			   * taken */
};

struct subscriber_reply {
	enum subscriber_end end;
	long status;	 /* 0: there was no response */
	bool held;	 /* no call was made */
	bool previous;	 /* it was taken with the previous secret */
	int64_t wait;	 /* ms until the next call may be made; 0: now */
	int64_t latency; /* ms, of all calls */
	enum call_turn turn; /* whether this opened or closed the breaker */
	struct err why;	     /* if `end` is not SUBSCRIBER_TOOK */
};

/* Sends a webhook: `json` is the payload; `now` (wall clock, ms) is signed.
 * `headers`: further headers of the request, up to a NULL; or NULL. */
void subscriber_post(struct subscriber *r, const char *json, size_t len,
		     int64_t now, const char *const *headers,
		     struct subscriber_reply *ret);

/* Returns how many ms of the steady clock calls are still held back at `mono`;
 * 0: not at all. */
int64_t subscriber_wait(struct subscriber *r, int64_t mono);
/* True if its last calls had no usable response, or many refusals in a row. */
bool subscriber_is_away(struct subscriber *r);
/* Has the next call made at once. */
void subscriber_try_now(struct subscriber *r);

/* Connects as a call would, with the checks of the address and the certificate,
 * and sends nothing. */
enum rc subscriber_check(const struct subscriber_options *o, struct err *e);

#endif
