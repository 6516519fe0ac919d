/* SPDX-License-Identifier: MIT
 *
 * soap.h - the queue of Centra's SOAP API, by which it tells of changes:
 * Events_Get and Events_Done (CONTRACT 9).
 *
 * A reply counts only if it is complete, well-formed XML with the element that
 * the operation answers with.  A Fault, a `result` that is not a success, a page of a
 * proxy, half a body: CALL_UNKNOWN, and then nothing was done.  Centra's words
 * of a Fault are in call.why.
 */
#ifndef CENTRA_SOAP_H
#define CENTRA_SOAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "centra/centra.h"

struct soap_event {
	int64_t id; /* by which it is marked done */
	bool is_order;
	int64_t order; /* the order's number; 0: it does not say it */
};

struct soap_events {
	struct call call;
	struct soap_event *list; /* owned; the oldest first */
	size_t n;
	size_t unread; /* events whose id cannot be read: they cannot be marked
			* done */
};

#define SOAP_EVENTS_MOST 1000 /* of one reply; Centra sends 100 */

/* Reads the oldest events of all types that are not done.  If no event of a
 * reply has a readable id, the call is CALL_UNKNOWN. */
void soap_events_get(struct centra_conn *n, struct soap_events *ret);
void soap_events_release(struct soap_events *s);
/* Marks events done, for good.  May be repeated. */
void soap_events_done(struct centra_conn *n, const int64_t *ids, size_t n_ids,
		      struct call *ret);

/* ---- the replies, for tests ---- */

/* RC_INVALID: it is no reply to Events_Get, or says that it failed. */
enum rc soap_read_events(const char *xml, size_t len, struct soap_events *ret,
			 struct err *e);
/* RC_INVALID: it does not say that the events are done. */
enum rc soap_read_done(const char *xml, size_t len, struct err *e);

#endif
