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

#endif
