/* SPDX-License-Identifier: MIT
 *
 * stock.h - setting a warehouse's physical stock: GraphQL's setStock
 * (CONTRACT 6.10).
 */
#ifndef CENTRA_STOCK_H
#define CENTRA_STOCK_H

#include "centra/graphql.h"

/* Most sizes in one call. */
#define STOCK_SET_MAX 100

/* What lies there of one size, which is named by its EAN or its SKU. */
struct centra_count {
	const char *ean, *sku; /* borrowed; one of them, the other is NULL */
	int64_t quantity;
};

/* The outcome of one setStock.  done.call and done.misread as for the mutations
 * of graphql.h.  If done.error is not NULL, Centra refused: `refused` has its
 * words for each size whose place an error names; `unplaced` is set if an error
 * names no place.  Whether Centra sets the others then is not published: send
 * them again. */
struct centra_stock_set {
	struct centra_done done;
	char *refused[STOCK_SET_MAX]; /* owned, or NULL */
	bool unplaced;
};

/* Sets the counts, at most STOCK_SET_MAX.  `description` is kept by Centra with
 * the change. */
void graphql_set_stock(struct centra_conn *n, int64_t warehouse,
		       const char *description,
		       const struct centra_count *counts, size_t n_counts,
		       struct centra_stock_set *ret);
/* May be called for a zeroed one. */
void centra_stock_set_release(struct centra_stock_set *s);

/* True if this Centra sets several sizes in one call: the newest reply named a
 * version of v1.59.10 or later.  Older ones have a fault (CONTRACT 6.10). */
bool centra_sets_many(struct centra_conn *n);

#endif
