/* SPDX-License-Identifier: MIT
 *
 * record.h - hands a delivery to the store; counts and logs the result.
 *
 * A delivery that becomes durable is counted at that moment, even if its client
 * was told 503 before: Centra's next copy of it is a duplicate.
 *
 * Threads:  the loop thread.
 */
#ifndef SERVER_WEBHOOK_RECORD_H
#define SERVER_WEBHOOK_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "server/http/http.h"
#include "server/webhook/receive.h"
#include "store/store.h"

/* Records a delivery for which no request waits, and takes over what d owns.
 * Returns the store's refusal if it does not take the delivery; otherwise `fn`
 * (or NULL) gets the result in the loop thread. */
typedef void recorded_fn(void *arg, enum rc rc, const struct recorded *n);
enum rc record(struct receiver *r, const struct delivery *d, recorded_fn *fn,
	       void *arg);

/* As record(), for a request: `next` is called to respond once the result is
 * known, or at `deadline` (time_mono).  False: the store did not take the
 * delivery. */
bool record_and_wait(struct receiver *r, struct request *req,
		     const struct delivery *d, endpoint_fn *next,
		     int64_t deadline);
/* For `next`: returns the counts once every event is on disk.  NULL: not all
 * was stored, or the result is not known yet. */
const struct recorded *record_result(const struct request *req);

#endif
