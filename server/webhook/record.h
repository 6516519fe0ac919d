/* SPDX-License-Identifier: MIT
 *
 * record.h - hands a delivery to the store, counts and logs what became of it.
 *
 * What becomes durable is counted then, also after a client got a 503: Centra's
 * next copy of it is a duplicate.
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

/* Records a delivery that no request waits for; takes over what d owns.  `fn`
 * (or NULL) gets the result in the loop thread, unless the store does not take
 * the delivery: then that is returned, and fn is not called. */
typedef void recorded_fn(void *arg, enum rc rc, const struct recorded *n);
enum rc record(struct receiver *r, const struct delivery *d, recorded_fn *fn,
	       void *arg);

/* The same for a request, which `next` answers: once the result is known, or
 * at `deadline` (time_mono).  False: the store does not take the delivery. */
bool record_and_wait(struct receiver *r, struct request *req,
		     const struct delivery *d, endpoint_fn *next,
		     int64_t deadline);
/* For `next`: what was stored; NULL: not all of it, or it is not known yet. */
const struct recorded *record_result(const struct request *req);

#endif
