/* SPDX-License-Identifier: MIT
 *
 * listing.h - the rows that screens show.  Values.
 */
#ifndef STORE_MODEL_LISTING_H
#define STORE_MODEL_LISTING_H

#include <stdint.h>

#include "store/model/order.h"

/* A row of a warehouse's list.  Rows are sorted by `expires`: an order with an
 * open problem has LISTED_FIRST there; one without a deadline comes last. */
#define LISTED_FIRST (INT64_MIN + 1)
struct listed {
	int64_t warehouse;
	enum list list;
	int64_t expires; /* TIME_NONE: the offer has no deadline */
	int64_t number;
};

/* An order that changed.  Changes are numbered in the order of their commits. */
struct changed {
	uint64_t change;
	char instance[INSTANCE_SIZE];
	int64_t number;
	int64_t at; /* the order's `updated` then; 0: not known, since the change
		     * is older than this field */
};

#endif
