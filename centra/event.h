/* SPDX-License-Identifier: MIT
 *
 * event.h - the webhook's body, decoded (CONTRACT 1.5, 1.6, 2).
 *
 * Pure: bytes in, values out.  The worst that any input can cause is
 * RC_INVALID, and one bad event never affects the others.
 */
#ifndef CENTRA_EVENT_H
#define CENTRA_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/time.h"

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

/* One entry of `events`.  Texts are owned by the batch. */
struct centra_event {
	const char *bad; /* why this entry cannot be used, or NULL */
	const char *raw; /* the entry as canonical JSON: for quarantine */

	const char *type;
	const char *action;
	char date[STAMP_SIZE];
	int64_t id;
	const char *data; /* canonical JSON (keys sorted, no space), or NULL:
			   * absent, null, and PHP's empty [] are the same */
};

struct centra_batch {
	enum webhook_version version;
	struct centra_event *events; /* owned */
	size_t n;
	void *owned; /* the texts */
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

/* The data of a check_first event (CONTRACT 2.2). */
struct check_first_offer {
	int64_t warehouse;
	int64_t expires; /* TIME_NONE: missing or unreadable */
	int offset_min;
};

/* Of `create`: data.warehouses.  *ret is owned by the caller (free). */
enum rc check_first_offers(const char *data, struct check_first_offer **ret,
			   size_t *ret_n, struct err *e);
/* Of `accepted`, `rejected`, `timeout`: data.warehouseId. */
enum rc check_first_warehouse(const char *data, int64_t *ret, struct err *e);

#endif
