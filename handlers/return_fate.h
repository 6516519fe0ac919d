/* SPDX-License-Identifier: MIT
 *
 * return_fate.h - what became of a call of createReturn whose reply was lost, by
 * what Centra shows now.
 *
 * createReturn is not idempotent, and two facts are not published (CONTRACT
 * 6.11): whether returnedQuantity counts a return before it is completed, and
 * whether GET /returns shows the comment of a return that GraphQL made.  So each
 * answer stands on a proof, and without one nobody knows.
 *
 * Booked: the list has a return with the call's mark in its comment; or new
 * returns of the shipment, without a comment, have its units; or
 * returnedQuantity has risen by its units, and no other return explains that.
 * Not booked: the list has no new return that may be the call's, and
 * returnedQuantity has risen by what other returns explain, if at all.
 * A new return with other words is somebody else's if the list shows the mark of
 * one of ours; else nobody knows.
 *
 * Pure, without I/O.
 */
#ifndef HANDLERS_RETURN_FATE_H
#define HANDLERS_RETURN_FATE_H

#include "centra/returns.h"
#include "handlers/returns.h"

#define RETURN_MARK_SIZE 64

/* Writes what tells the return's comment from that of any other: its id and the
 * time when it was asked for. */
const char *return_mark(char ret[RETURN_MARK_SIZE],
			const struct goods_return *r);

enum return_fate {
	FATE_BOOKED,
	FATE_NOT_BOOKED, /* so far: Centra may still act on the call */
	FATE_UNKNOWN,
};

/* Notes in the part what Centra shows before its call. */
void return_note(const struct centra_sold *before, struct return_part *io);

/* Decides about the call under way of *r, one of *all.  *ret_made: the id of
 * Centra's return, or 0.  A return that is RETURN_UNSURE was put before the
 * office, which may have booked it by hand: any new return may be it. */
enum return_fate return_fate(const struct returns *all,
			     const struct goods_return *r,
			     const struct centra_sold *now, int64_t *ret_made);

#endif
