/* SPDX-License-Identifier: MIT
 *
 * report.h - a report about a shop: what it was offered, what it answered, how
 * fast.
 */
#ifndef SERVER_SHOP_REPORT_H
#define SERVER_SHOP_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "server/config/config.h"
#include "store/store.h"

/* The reasons of a reject.  Any other word counts as the last. */
enum report_reason {
	REASON_OUT_OF_STOCK,
	REASON_DAMAGED,
	REASON_CANNOT_FIND,
	REASON_TOO_BUSY,
	REASON_OTHER,
	REASONS,
};

/* Returns a reason's word in the API. */
const char *report_reason_name(enum report_reason r);

struct report {
	const struct config_shop *shop; /* borrowed */
	int64_t since, until;

	unsigned offered;  /* orders that were first offered to the shop since
			    * then */
	unsigned accepted; /* of `offered`: accepted and won, whatever happened
			    * afterwards */
	unsigned rejected[REASONS];
	unsigned missed; /* ran out unanswered */
	unsigned taken;	 /* another shop was faster */
	unsigned problems;
	unsigned shipped, shipped_within_a_day; /* of its accept */

	/* ms from each offer to the shop's first answer to it. */
	int64_t *answers; /* owned; sorted */
	size_t n_answers;
	unsigned unreadable; /* orders that are not counted, since what is
			      * stored of them is damaged */
	int64_t first_unreadable; /* the number of the first of them */
	bool complete; /* false: some orders are not counted: there were more
		        * than REPORT_MOST, or some are damaged */

	/* The orders to be read, and how many of them are. */
	int64_t *numbers; /* owned */
	size_t n_numbers, n_read;
};

/* Begins a report on the orders that were first offered to the shop at `since`
 * or later: lists the shop's orders, of which it takes at most REPORT_MOST, and
 * reads none.  Release it, unless an error is returned. */
#define REPORT_MOST 5000
/* How many orders a request reads before it lets others go first. */
#define REPORT_SLICE 100
enum rc report_begin(struct report *ret, struct store *store,
		     const struct config_shop *shop, int64_t since,
		     int64_t now, struct err *e);

/* Reads and counts the next `most` orders, each in a read transaction of its
 * own, and returns true in *ret_more if some are left.  The report is to be read
 * only when none is.  Orders may change between two calls: each order that was
 * listed is counted once, as it stood when it was read; an order that was
 * removed since, or first offered, is not counted.  So the report's numbers add
 * up, but they may be of slightly different moments.  After an error there is
 * nothing to release. */
enum rc report_read(struct report *r, struct store *store, size_t most,
		    bool *ret_more, struct err *e);

/* Makes a whole report in one call. */
enum rc report_make(struct report *ret, struct store *store,
		    const struct config_shop *shop, int64_t since,
		    int64_t now, struct err *e);
void report_release(struct report *r);

/* Returns the time to answer, in ms, that `percent` of the answers did not
 * exceed; TIME_NONE: there are no answers. */
int64_t report_percentile(const struct report *r, unsigned percent);

/* Adds the report as one JSON object. */
void report_json(struct buf *out, const struct report *r);

#endif
