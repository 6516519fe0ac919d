/* SPDX-License-Identifier: MIT
 *
 * event.h - applies an event to its order.
 *
 * The store calls it inside the transaction that records the event; a worker
 * calls it for a task that applies a stored event (one that was queued, redriven
 * or replayed).  Both get the same changes.
 *
 * Pure: nothing but the arguments is read.  Any thread.
 */
#ifndef HANDLERS_EVENT_H
#define HANDLERS_EVENT_H

#include "base/err.h"
#include "store/model/event.h"
#include "store/model/changes.h"

/* Adds to *ret the changes that `ev` makes to its order `o`; `now` in ms, wall
 * clock.  RC_INVALID: the event cannot be applied; *e says why.  A
 * store_apply_fn (store/store.h). */
enum rc event_apply(const struct order *o, const struct event *ev,
		    int64_t now, struct changes *ret, struct err *e);

/* The kinds of tasks that apply events; the list ends with NULL. */
extern const char *const event_kinds[];

/* ---- one for each type of event ---- */

/* As event_apply(), each for the events of one type. */
enum rc check_first_apply(const struct order *o, const struct event *ev,
			  int64_t now, struct changes *ret, struct err *e);
enum rc allocation_request_apply(const struct order *o, const struct event *ev,
				 int64_t now, struct changes *ret,
				 struct err *e);
enum rc order_event_apply(const struct order *o, const struct event *ev,
			  int64_t now, struct changes *ret, struct err *e);

#endif
