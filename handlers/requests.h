/* SPDX-License-Identifier: MIT
 *
 * requests.h - what the allocation requests of an offer mean (OFFERS 5).
 *
 * All but requests_record() is pure.
 */
#ifndef HANDLERS_REQUESTS_H
#define HANDLERS_REQUESTS_H

#include <stdbool.h>
#include <stddef.h>

#include "centra/order_api.h"
#include "handlers/handlers.h"
#include "store/model/order.h"

/* Returns the kind of the present offer. */
enum offer_kind offer_kind(const struct offer *f);

/* Returns the status of the i-th row: the latest that a row of the same request
 * says. */
enum request_status request_status(const struct offer *f, size_t i);

/* True if the shop's answer is to this request: the shop was shown it when it
 * pressed. */
bool request_answered(const struct offer *f, const struct alloc_request *r);

/* Returns the state of an offer whose kind is KIND_ALLOCATION_REQUEST, unless
 * the order is cancelled (OFFERS 5.2). */
enum offer_state requests_state(const struct order *o, const struct offer *f);

/* True if Centra asks the shop for nothing more, and what it has confirmed is
 * sent. */
bool requests_all_sent(const struct offer *f);

/* True if a request of the offer is confirmed. */
bool requests_confirmed(const struct offer *f);

/* True if a request that is open has timed out in Centra.  It may still be
 * confirmed. */
bool requests_late(const struct offer *f);

/* True if the line belongs to the requests that make up the offer's state: those
 * that are open, or that are confirmed if the order is accepted.  True for every
 * line of an offer of the other kind, and if Centra has named no lines.
 * *ret_units (may be NULL): how many units; 0: not told. */
bool requests_have_line(const struct offer *f, int64_t line,
			int64_t *ret_units);

/* Adds to *ret what is told of a request: the opening, if it waits for an
 * answer, and its row.  `date`: when it opened, as an event or the list tells.
 * Returns false if Centra's status is not known here; nothing is added then. */
bool requests_fact(const struct centra_request *r, const char *date,
		   int64_t now, struct changes *ret);

/* Returns how many requests of the offer are open, and puts their ids, at most
 * REQUESTS_MAX, into ids; 0 for one that only webhooks told of. */
size_t requests_open(const struct offer *f, int64_t ids[REQUESTS_MAX]);

/* True if a request of the list has come by no webhook so far, and the list
 * first showed it at `by` or earlier. */
bool requests_untold(const struct offer *f, int64_t by);

/* The journal's word for a status: as Centra's, with an underscore. */
const char *request_word(enum request_status s);

/* ---- calls ---- */

/* True if no further page of the list is to be read: this one is not full, or
 * begins as the page before did, as if Centra knew no pages.  *first: 0 before
 * the first page; set to the id with which this one begins. */
bool requests_last_page(const struct centra_requests *got, int64_t *first);

/* Adds what the list shows of the run's order to the run's changes and applies
 * it.  Entries of other orders are left out. */
void requests_record(struct work *w, const struct centra_requests *got);

#endif
