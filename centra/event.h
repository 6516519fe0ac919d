/* SPDX-License-Identifier: MIT
 *
 * event.h - decodes a webhook's body (CONTRACT 1.5, 1.6, 2).
 *
 * Pure: bytes in, values out.  The worst that any input can cause is
 * RC_INVALID, and one bad event never affects the others.
 */
#ifndef CENTRA_EVENT_H
#define CENTRA_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"

#define EVENT_WORD_MAX 64 /* bytes of an event's type, and of its action */

/* Finds the field `payload` in an application/x-www-form-urlencoded body,
 * wherever it stands, and decodes it: `+` and `%20` are both a space.  The
 * first `payload` counts.  *ret is owned by the caller; a NUL follows its
 * *ret_len bytes, and they may contain NULs too: the reader of the text decides
 * what that means.  RC_INVALID: no such field, or a broken escape. */
enum rc form_payload(const char *body, size_t len, char **ret, size_t *ret_len,
		     struct err *e);

/* Adds to `to` the body that Centra would post with a payload, which is JSON:
 * "payload=", and the text percent-encoded as PHP does it, with a space as `+` and
 * each `/` of the JSON as `\/` (CONTRACT 1.5).  Ask buf_full() at the end. */
void form_write(struct buf *to, const char *json, size_t len);

/* The webhook version of a body (CONTRACT 1.6). */
enum webhook_version {
	WEBHOOK_INTEGRATION, /* {"events":[...]}: the version that shipfrom is
			      * for */
	WEBHOOK_CHECKOUT,    /* {"products":["52"],...}: the plugin is
			      * misconfigured */
	WEBHOOK_STOREFRONT,  /* {"DisplayItems":[...],...}: the plugin is
			      * misconfigured */
};

/* The decoded data of a check_first event (CONTRACT 2.2): of `create` the
 * usable entries of data.warehouses; of `accepted`, `rejected` and `timeout`
 * data.warehouseId.  It is one block of memory: free() it. */
struct check_first_offer {
	int64_t warehouse;
	int64_t expires; /* TIME_NONE: the deadline is missing or unreadable */
	int offset_min;
};

struct check_first {
	int64_t warehouse; /* 0: of a create */
	size_t n_offers;
	struct check_first_offer offers[];
};

/* True for the four actions of check_first whose data we can decode. */
bool check_first_known(const char *action);
/* Decodes the data (JSON; NULL: none) of such an action.  RC_INVALID: it has no
 * usable warehouse. */
enum rc check_first_read(const char *action, const char *data,
			 struct check_first **ret, struct err *e);

/* An allocation request (CONTRACT 4.2, 4.3): the decoded data of an
 * allocation_request event, or an entry of the Order API's list.  It is one
 * block of memory: free() it. */
struct centra_request {
	int64_t id; /* of the list's entry; 0: of an event, whose id is not to
		     * be relied on */
	int64_t number, warehouse;
	char status[24]; /* Centra's word; "": none */
	int64_t expires; /* ms, whole seconds; TIME_NONE: missing, or
			  * unreadable */
	int offset_min;
	int64_t created; /* ms: of the list's entry; TIME_NONE: none */
	size_t n_lines;
	struct {
		int64_t line, quantity;
	} lines[];
};

#define CENTRA_REQUEST_LINES_MAX 1000

/* True for the actions of allocation_request whose data we can decode. */
bool centra_request_known(const char *action);
/* Decodes the data (JSON) of such an event.  RC_INVALID: it has no usable order
 * number, warehouse or status.  An expiry in a named zone is read if the zone
 * is open (zone_named). */
enum rc centra_request_read(const char *data, struct centra_request **ret,
			    struct err *e);
struct json;
/* Decodes an entry of the list.  NULL: it cannot be used. */
struct centra_request *centra_request_of(const struct json *entry);

/* A decoded entry of `events`. */
struct centra_event {
	const char *bad; /* why this entry cannot be used, a constant; NULL: it
			  * can be used */
	char *raw; /* owned: of a bad entry its canonical JSON, for quarantine;
		    * else NULL */

	char type[EVENT_WORD_MAX + 1];
	char action[EVENT_WORD_MAX + 1];
	char date[STAMP_SIZE];
	int64_t id; /* of an allocation_request the order's number: Centra's own
		     * id is the member "$id" of the data */
	/* Owned, all; code that takes one over puts NULL in its place.  The
	 * data is canonical JSON (keys sorted, no white space); NULL: it is
	 * absent, null, or PHP's empty []. */
	char *data;
	struct check_first *check_first; /* decoded data of a known action, or
					  * NULL */
	struct centra_request *request;	 /* the same */
};

struct centra_batch {
	enum webhook_version version;
	struct centra_event *events; /* owned */
	size_t n;
};

#define BATCH_EVENTS_MAX 10000 /* events of one body; Centra sends 100 at
			        * most */

/* Reads a payload.  Ids are integers or decimal strings, exact to 64 bits;
 * fractions and exponents are refused.  Types and actions may have up to 64
 * bytes.  A check_first entry whose data cannot be read is `bad`; a create some
 * of whose warehouses cannot be read is followed by a bad one with these alone.
 * RC_INVALID: not JSON, nested too deep, or of no known version. */
enum rc centra_batch_parse(const char *json, size_t len,
			   struct centra_batch *ret, struct err *e);
/* May be called for a zeroed one. */
void centra_batch_release(struct centra_batch *b);

#endif
