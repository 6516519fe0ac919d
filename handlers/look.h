/* SPDX-License-Identifier: MIT
 *
 * look.h - a look: what the order, as fetched from Centra, proves for each
 * warehouse that it was offered to (DESIGN 6, "A look").
 */
#ifndef HANDLERS_LOOK_H
#define HANDLERS_LOOK_H

#include "centra/graphql.h"
#include "handlers/handlers.h"

/* Pure.  what = FOUND_NOTHING: it proves nothing.  `knew` is the order's
 * version, so the order must be as it was when the query began. */
struct finding look_judge(const struct order *o, const struct offer *f,
			  const struct centra_order *co, int64_t now);

/* The address is personal data: asked for only once one of our shops has won
 * the order. */
bool look_wants_address(const struct work *w);

/* Centra answered a query for several orders with what cannot be read, or with
 * an error of its own: one of them may have spoilt it for the others.  Ask for
 * halves, LOOK_SPARE queries more at most: enough to find one of
 * ORDERS_QUERY_MAX, and little when it is not one but Centra. */
#define LOOK_SPARE 12
bool look_spoiled(const struct call *call);

/* Adds all that a fetched order tells us to the run's changes and joins it to
 * the run's copy of the order. */
void look_record(struct work *w, const struct centra_order *co);

/* Fetches the order and records it.  False: nothing was learnt, and *ret says
 * how the call went; ret->end is CALL_OK when Centra does not show the order
 * to us, which proves nothing. */
bool look(struct work *w, struct call *ret);

#endif
