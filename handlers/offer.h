/* SPDX-License-Identifier: MIT
 *
 * offer.h - what the facts of an order mean: the merge (OFFERS 1).
 *
 * Pure.  The same facts give the same meaning, whatever order they came in.
 *
 * Of the offer to warehouse W, `opened` is the date of the offer as it is now
 * (offer_opened), and a mark counts if its date is not older than that, or if
 * nothing opened.  The first row that holds gives the state:
 *
 *   1. the order is cancelled                                  cancelled
 *   2. a look that knew every event we hold showed whose the
 *      order is: W's                                           accepted
 *      another's that was offered                              taken (or what
 *                                                              ended it)
 *   3. what Centra said contradicts itself: it gave the order
 *      to W, and something not older ended W's offer, or a
 *      newer create opened it again, or the dates lie in the
 *      hour that clocks repeat                                 accepting
 *   4. Centra gave the order to W: an `accepted` event that
 *      counts, or its `ok` to our answer to this offer         accepted
 *   5. another warehouse's `accepted` counts, else W's timeout,
 *      else W's rejected                                       taken, timed_out,
 *                                                              rejected
 *   6. our answer to this offer: under way, refused, a reject
 *      that is done                                            accepting,
 *                                                              rejecting,
 *                                                              refused, rejected
 *   7. nothing of that                                         pending
 *
 * Rows 3 and 4 do not apply while a look that knew every event we hold showed
 * the order in the waiting list.
 *
 * Two looks that showed the order over (neither waiting nor on hold; see struct
 * sighting) end what rows 6 and 7 leave open: as timed_out if its deadline had
 * passed, else as rejected.  An accept that Centra may have taken (its reply
 * was lost), and a contradiction of row 3, may be W's after all: they are ended
 * so only once looks have shown it for ten times as long.  Such looks never end
 * what row 2 or 4 gave to W: it stays accepted, in doubt, while the newest look
 * shows nothing of whose it is.
 */
#ifndef HANDLERS_OFFER_H
#define HANDLERS_OFFER_H

#include <stdbool.h>

#include "base/time.h"
#include "store/model/order.h"

/* Sets the state, list, expiry and doubt of each offer, and whether a fetch is
 * due: something is in conflict, what a look proved is older than what we hold
 * now and no longer agrees with it, a look that showed nothing is to be
 * repeated (offer_shown_nothing), an accepted order has no address yet, or an
 * offer that waits for an answer has no lines yet.  `zone` may be NULL: no hour
 * is repeated. */
void offer_derive(const struct zone *zone, struct order *o);

/* As offer_derive(), for an order that may have been offered to warehouses of
 * other companies' shops too. is_ours tells which warehouses belong to our
 * shops; NULL: all do.  An offer to another warehouse is never in doubt, and
 * causes no fetch of the address and no repeated look. */
typedef bool offer_ours_fn(const void *arg, int64_t warehouse);
void offer_derive_for(const struct zone *zone, struct order *o,
		      offer_ours_fn *is_ours, const void *arg);

/* Returns the opening that counts now: the one with the greatest date; among
 * equal dates the one with the later expiry.  NULL: nothing opened. */
const struct opening *offer_opened(const struct offer *f);

/* True if the shop's answer is to the present opening. */
bool offer_answered(const struct offer *f);

/* True if a look found `what`, and the order still has the version that it had
 * when the look began. */
bool offer_found(const struct order *o, const struct offer *f,
		 enum found what);

/* True if two looks showed the present offer to be over. */
bool offer_is_over(const struct offer *f);
/* True if two looks showed that the order still waits: Centra has not taken our
 * accept, whatever became of its reply. */
bool offer_is_surely_open(const struct offer *f);
/* True if Centra may have taken our accept, since a reply was lost. */
bool offer_may_be_won(const struct offer *f);

/* Returns the order's version at which Centra last gave the order to this
 * warehouse (by its `ok`, by an event, or in a look); 0: never.  A look that
 * began at an earlier version is no evidence against it. */
uint64_t offer_won_version(const struct offer *f);

/* True if the newest look has to be repeated, since it did not show what became
 * of the offer: the offer is accepted and in doubt, or it is open and the look
 * showed it neither waiting nor ended.  Of a derived offer. */
bool offer_shown_nothing(const struct offer *f);

/* True if recovery made the opening (OFFERS 7.3), not an event: it has no date,
 * or a date just behind the newest one that was held. */
bool opening_recovered(const struct opening *p);
/* Sets ret to the date for an opening that recovery makes: greater than every
 * date held for the order, and less than that of Centra's next event; "" if no
 * date is held. */
void offer_recovery_date(const struct order *o, char ret[STAMP_SIZE]);

/* True if the facts contradict each other (row 3): only a look can tell. */
bool offer_in_conflict(const struct zone *zone, const struct order *o,
		       const struct offer *f);

/* True if Centra's events alone ended the offer (row 5); *ret says how. */
bool offer_ended(const struct order *o, const struct offer *f,
		 enum offer_state *ret);

/* True if the deadline has passed by our clock.  It is shown to the shop, but
 * only Centra ends an offer. */
bool offer_expired(const struct offer *f, int64_t now);

/* Returns the offer that stands for a shop with these warehouses, which are in
 * the order of the configuration (OFFERS 1.4): a won one first, then one that
 * is being settled, one that can be answered, one that has ended.  NULL: the
 * order was offered to none of them. */
const struct offer *offer_of_shop(const struct order *o,
				  const int64_t *warehouses, size_t n);

#endif
