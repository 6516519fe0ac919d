/* SPDX-License-Identifier: MIT
 *
 * counts.h - the till of Amsterdam's shop counts what lies on its shelf.
 *
 * Threads:  the test's.
 */
#ifndef HARNESS_COUNTS_H
#define HARNESS_COUNTS_H

#include "tests/harness/orders.h"

/* Sends counts: the body of PUT /api/v1/stock. */
struct answer counts_send(struct shipfrom *s, const char *json);
/* Sends counts and returns the status; `code` gets that of a problem. */
long counts_put(struct shipfrom *s, const char *json, char code[STATE_ROOM]);
/* Counts one item, `ago` seconds ago. */
void count_item(struct shipfrom *s, const char *ean, int quantity, int ago);
/* Copies the result of the item's newest count into ret, and returns it. */
const char *count_result(struct shipfrom *s, const char *ean,
			 char ret[STATE_ROOM]);
struct counted {
	struct shipfrom *s;
	const char *ean, *result;
};
/* For wait_until(): arg is a struct counted. */
bool is_counted(void *arg);
/* Waits until the item's newest count has that result. */
void wait_counted(struct shipfrom *s, const char *ean, const char *result,
		  int ms);

/* What Centra has of an item in the shop's warehouse; -1: it was never set. */
struct centra_stock {
	int64_t physical, sets, lowered;
	int64_t twice; /* calls that had the size twice; all were refused */
};
struct centra_stock centra_stock(struct shipfrom *s, const char *ean);
/* Waits until Centra has so many of an item. */
void wait_centra_stock(struct shipfrom *s, const char *ean, int64_t physical);
/* Lets Centra know the size of an EAN, with the SKU "S-" and that EAN; `more`:
 * further fields of it, or "". */
void size_known(struct shipfrom *s, const char *ean, const char *more);
/* Plants a fault in Centra's setStock: the fields of it. */
void stock_fault(struct shipfrom *s, const char *spec);

#endif
