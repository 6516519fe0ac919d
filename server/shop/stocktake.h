/* SPDX-License-Identifier: MIT
 *
 * stocktake.h - stores counts of a warehouse, and the task that sends them: for
 * PUT /api/v1/stock and `shipfrom stock import`.
 */
#ifndef SERVER_SHOP_STOCKTAKE_H
#define SERVER_SHOP_STOCKTAKE_H

#include "handlers/stock_item.h"
#include "store/store.h"

#define STOCKTAKE_MAX 1000 /* counts that are stored together, most */

struct stocktake {
	char instance[INSTANCE_SIZE];
	int64_t warehouse;
	char by[STOCK_BY_SIZE]; /* who counted */
	bool quiet;   /* a large count, and the shop has quiet hours */
	int64_t now;
	bool clock_sure; /* the clock is confirmed (base/clock.h) */
	bool strict; /* where a count is known that is dated later than now,
		      * refuse all (RC_CONFLICT) instead of telling "older" */
	struct stock_count *list; /* owned, the codes are borrowed: of
				   * different items */
	size_t n;
	enum stock_taken *taken; /* owned, out: what became of each */

	/* stocktake.c's. */
	char (*keys)[DOC_KEY_SIZE];
	struct doc_name *names;
};

/* Makes room for n counts, which the caller fills in. */
void stocktake_init(struct stocktake *t, size_t n);
void stocktake_release(struct stocktake *t); /* a zeroed one is fine */

/* True if two counts are of one item; *ret_a and *ret_b are their places. */
bool stocktake_repeats(const struct stocktake *t, size_t *ret_a,
		       size_t *ret_b);
/* Returns how many counts are 0. */
size_t stocktake_zeros(const struct stocktake *t);
/* Returns how many counts ended so. */
size_t stocktake_taken(const struct stocktake *t, enum stock_taken how);

/* Stores the counts in one transaction; see store_docs_update() for done. */
enum rc stocktake_store(struct store *s, struct stocktake *t,
			struct store_done *done, struct err *e);

/* False: the text is no code of an item: it is empty, too long, or has control
 * characters. */
bool stock_code_ok(const char *code);

#endif
