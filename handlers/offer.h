/* SPDX-License-Identifier: MIT
 *
 * offer.h - what the facts of an order mean: the merge (DESIGN 6).
 *
 * Pure.  The same facts give the same meaning, whatever order they came in.
 */
#ifndef HANDLERS_OFFER_H
#define HANDLERS_OFFER_H

#include <stdbool.h>

#include "base/time.h"
#include "store/order.h"

/* Sets the state, list and expiry of each offer, and whether a fetch is due:
 * something is in conflict, what a look proved is older than what we hold now
 * and no longer agrees with it, an accepted order has no address yet, or an
 * offer that waits for an answer has no lines yet.  `zone` may be NULL: no hour
 * is repeated. */
void offer_derive(const struct zone *zone, struct order *o);

/* The same where not each warehouse is one of our shops': no address is due of
 * what another has won.  NULL: each is. */
typedef bool offer_ours_fn(const void *arg, int64_t warehouse);
void offer_derive_for(const struct zone *zone, struct order *o,
		      offer_ours_fn *is_ours, const void *arg);

/* The opening that is the offer now: the greatest of the least dates, the
 * later expiry among equals.  NULL: nothing opened. */
const struct opening *offer_opened(const struct offer *f);

/* True when the answer is to the present opening. */
bool offer_answered(const struct offer *f);

/* True when a trustworthy finding exists: made knowing all we hold. */
bool offer_found(const struct order *o, const struct offer *f,
		 enum found what);

/* True when what we hold contradicts itself (row 3): only a look can tell. */
bool offer_in_conflict(const struct zone *zone, const struct order *o,
		       const struct offer *f);

/* True when Centra's events alone ended the offer (row 5); *ret says how. */
bool offer_ended(const struct order *o, const struct offer *f,
		 enum offer_state *ret);

/* Past its deadline by our clock: shown, but only Centra ends an offer. */
bool offer_expired(const struct offer *f, int64_t now);

/* The offer that speaks for a shop with these warehouses (in config order):
 * what it has won, else what it is settling, else what it may answer, else
 * what became of it.  NULL: none of them was offered. */
const struct offer *offer_of_shop(const struct order *o,
				  const int64_t *warehouses, size_t n);

#endif
