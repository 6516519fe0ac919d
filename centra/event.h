/* SPDX-License-Identifier: MIT
 *
 * event.h - the webhook's body, decoded (CONTRACT 1.5, 1.6, 2).
 *
 * Pure: bytes in, values out.  The worst that any input can cause is
 * RC_INVALID, and one bad event never affects the others.
 */
#ifndef CENTRA_EVENT_H
#define CENTRA_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/time.h"

#define EVENT_WORD_MAX 64 /* bytes of a type or an action */

/* Finds the field `payload` in an application/x-www-form-urlencoded body,
 * wherever it stands, and decodes it: `+` and `%20` are both a space.  The
 * first `payload` counts.  *ret is owned by the caller; a NUL follows its
 * *ret_len bytes, among which there may be others: what a NUL costs is for who
 * reads the text to say.  RC_INVALID: no such field, or a broken escape. */
enum rc form_payload(const char *body, size_t len, char **ret, size_t *ret_len,
		     struct err *e);

/* The webhook version of a body (CONTRACT 1.6). */
enum webhook_version {
	WEBHOOK_INTEGRATION, /* {"events":[...]}: the one we are for */
	WEBHOOK_CHECKOUT,    /* {"products":["52"],...}: a misconfiguration */
	WEBHOOK_STOREFRONT,  /* {"DisplayItems":[...],...}: likewise */
};

/* The data of a check_first event (CONTRACT 2.2), decoded: of `create` the
 * usable entries of data.warehouses, of `accepted`, `rejected` and `timeout`
 * data.warehouseId.  One block: free() ends it. */
struct check_first_offer {
	int64_t warehouse;
	int64_t expires; /* TIME_NONE: missing or unreadable */
	int offset_min;
};

struct check_first {
	int64_t warehouse; /* 0: of a create */
	size_t n_offers;
	struct check_first_offer offers[];
};

/* True for the four actions whose data is known. */
bool check_first_known(const char *action);
/* Decodes the data (JSON; NULL: none) of a known action.  RC_INVALID: it has no
 * usable warehouse. */
enum rc check_first_read(const char *action, const char *data,
			 struct check_first **ret, struct err *e);

/* One entry of `events`. */
struct centra_event {
	const char *bad; /* why this entry cannot be used, or NULL; a constant */
	char *raw; /* owned: a bad entry as canonical JSON, for quarantine; NULL
		    * of a good one */

	char type[EVENT_WORD_MAX + 1];
	char action[EVENT_WORD_MAX + 1];
	char date[STAMP_SIZE];
	int64_t id;
	/* Owned, both; who takes one puts NULL in its place.  Data: canonical
	 * JSON (keys sorted, no space), or NULL: absent, null, and PHP's empty
	 * [] are the same. */
	char *data;
	struct check_first *check_first; /* of a known action, or NULL */
};

struct centra_batch {
	enum webhook_version version;
	struct centra_event *events; /* owned */
	size_t n;
};

#define BATCH_EVENTS_MAX 10000 /* Centra's own most is 100 */

/* Reads a payload.  Ids are integers or decimal strings, exact to 64 bits;
 * fractions and exponents are refused.  Types and actions of up to 64 bytes.
 * A check_first entry whose data cannot be read is `bad`; a create some of
 * whose warehouses cannot be read is followed by a bad one with these alone.
 * RC_INVALID: not JSON, nested too deep, or of no known version. */
enum rc centra_batch_parse(const char *json, size_t len,
			   struct centra_batch *ret, struct err *e);
void centra_batch_release(struct centra_batch *b); /* fine on a zeroed one */

#endif
