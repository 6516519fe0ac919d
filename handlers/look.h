/* SPDX-License-Identifier: MIT
 *
 * look.h - a look: what the order, as fetched from Centra, shows for each
 * warehouse that it was offered to (OFFERS 4).
 *
 * A look is a reading of one moment of a system that settles late.  It proves
 * something by what it shows, never by what is missing:
 *
 *   the look shows                                      it means
 *   status CANCELLED                                    cancelled, for good
 *   every line that is not cancelled and has stock of   FOUND_OURS
 *     its own is allocated to W, or is in a shipment
 *     that is known, by its id, to be W's
 *   a line is allocated, not awaiting confirmation, to  FOUND_NOT_OURS
 *     another warehouse that was offered
 *   Centra lists the order as waiting for check-first   FOUND_OPEN
 *   it is neither waiting nor on hold, and nothing of   FOUND_OVER
 *     it is W's
 *   anything else; two of FOUND_OURS, FOUND_NOT_OURS    FOUND_NOTHING
 *     and FOUND_OPEN at once; an error on a field that
 *     decides; an order named twice
 *
 * The reason of a hold is not read: an order may be held for several reasons,
 * and shows one of them or none.
 *
 * Where the order may be W's, since a reply to its accept was lost or Centra
 * once gave it to W, FOUND_OVER counts only if every line is allocated to
 * somebody: what nobody holds may be in a shipment, and Centra does not say
 * whose that is.
 *
 * FOUND_OURS and FOUND_NOT_OURS are believed at once, and so is FOUND_OPEN,
 * except against an accept that stands: there, as with FOUND_OVER, a second
 * look at least `look_again` later must show it too (struct sighting).  After a
 * look that shows nothing the order is looked at again, first after
 * `look_again` and then less and less often; an offer that is accepted
 * meanwhile is in doubt. offer.h has what each finding means for the state of
 * an offer.
 */
#ifndef HANDLERS_LOOK_H
#define HANDLERS_LOOK_H

#include "centra/graphql.h"
#include "handlers/handlers.h"

/* Returns what the fetched order shows for an offer, by the table above.  Pure.
 * `ended` is set with FOUND_NOT_OURS and FOUND_OVER.  `now` is the time by
 * Centra's clock: whether an offer had expired is kept for good.  `knew` is the
 * order's version, so the order must be unchanged since the query began. */
struct finding look_judge(const struct order *o, const struct offer *f,
			  const struct centra_order *co, int64_t now);

/* True if the look should fetch the address.  It is personal data: it is
 * fetched only once one of our shops has won the order. */
bool look_wants_address(const struct work *w);

/* True if the reply to a query for several orders could not be read, or was an
 * error of Centra's own: one order may have spoilt the reply for all.  The
 * caller then asks for each half, with at most LOOK_SPARE further queries:
 * enough to find one bad order among ORDERS_QUERY_MAX, and few if Centra itself
 * is at fault. */
#define LOOK_SPARE 12
bool look_spoiled(const struct call *call);

/* Adds everything that a fetched order shows to the run's changes, and applies
 * it to the run's copy of the order.  w->look_began is when the query began
 * (ms, steady clock); if it is 0, the look never counts as the second of
 * two. */
void look_record(struct work *w, const struct centra_order *co);

/* Records that Centra's reply did not contain the order.  That ends nothing: it
 * is a look that shows nothing, so an order that Centra gave to one of our
 * shops is in doubt. */
void look_record_absent(struct work *w);

/* Fetches the order and records what it shows.  False: nothing was learnt, and
 * *ret says how the call went; with CALL_OK the reply did not contain the
 * order, which is recorded too (look_record_absent). */
bool look(struct work *w, struct call *ret);

#endif
