/* SPDX-License-Identifier: MIT
 *
 * receiver.h - a shop's own system that takes webhooks ([shop] notify_url).  It
 * verifies them as Centra tells integrators to (CONTRACT 1.4), written without a
 * look at the product, and keeps what it took.
 *
 * Threads: it has threads of its own.  Any thread may call; what is returned is
 * the caller's.
 */
#ifndef HARNESS_RECEIVER_H
#define HARNESS_RECEIVER_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum receiver_way {
	RECEIVER_TAKES,	    /* 200, or 401 if the signature is wrong */
	RECEIVER_LOSES,	    /* takes it, and closes without an answer */
	RECEIVER_FAILS,	    /* 500; takes nothing, as all below */
	RECEIVER_CLOSES,    /* closes without an answer */
	RECEIVER_HANGS,	    /* reads it and says nothing until the way changes */
	RECEIVER_REDIRECTS, /* 307 to another receiver */
	RECEIVER_AWAY,	    /* closes each connection before it reads */
};

struct receiver;

/* Listens at a free_address(), which may fail the test. */
struct receiver *receiver_start(const char *secret);
void receiver_stop(struct receiver *r); /* NULL is fine */

const char *receiver_url(const struct receiver *r);	/* "http://.../hook" */
const char *receiver_address(const struct receiver *r); /* "127.1.2.1:12345" */

void receiver_does(struct receiver *r, enum receiver_way way);
/* Redirects to that URL (borrowed) from now on. */
void receiver_redirects(struct receiver *r, const char *to);
/* The one secret that it knows from now on (borrowed). */
void receiver_knows(struct receiver *r, const char *secret);
/* Its clock is ahead of ours by so many seconds. */
void receiver_clock(struct receiver *r, int64_t ahead);

struct received {
	int connections; /* that were accepted */
	int tries;	 /* requests that were read whole */
	int taken;	 /* webhooks */
	int dropped;	 /* the greatest X-Shipfrom-Dropped of those */
	int plain;	 /* of those that were taken: without that header */
	int anew;	 /* of those that were taken: that say to read anew */
	int unsigned_;	 /* webhooks with a wrong signature, answered 401 */
	char wrong[256]; /* what was wrong with the last one that was signed right
			  * and is not in Centra's form; "": nothing was */
};
struct received receiver_counts(struct receiver *r);

/* The events that it took, in the order in which they came: an array. */
cJSON *receiver_events(struct receiver *r);
/* Each payload that it took, decoded, one after the other. */
char *receiver_payloads(struct receiver *r);

#endif
