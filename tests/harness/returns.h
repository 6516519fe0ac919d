/* SPDX-License-Identifier: MIT
 *
 * returns.h - goods that a customer gives back in a shop: orders that were
 * shipped, what a shop asks, and what Centra has booked.
 *
 * A failure in here ends the test, so only the test's own thread may call.
 */
#ifndef HARNESS_RETURNS_H
#define HARNESS_RETURNS_H

#include "tests/harness/orders.h"

#define RETURNS_PATH "/api/v1/returns"
#define RETURN_LONG  30000 /* ms */
#define RETURN_SOON  MANY "call_timeout = 1s\n"

/* Starts both; `centra` goes to [centra se]. *state gets what is returned. */
struct shipfrom *returns_start(void **state, const char *centra);

/* An order that the central warehouse has shipped, and that shipfrom never
 * heard of.  `lines` is JSON; the number is returned.  The customer's name has
 * "Undisclosed" in it. */
int64_t goods_shipped(struct shipfrom *s, const char *lines);

#define COAT  71001 /* ids of lines */
#define SCARF 71002

/* An order of two coats and a scarf: a coat and the scarf are in one shipment,
 * the other coat is in a second one.  Its number, and the first shipment's id. */
int64_t goods_shipped_twice(struct shipfrom *s, int64_t *ret_first);
/* What can be given back of the order. */
struct answer returnable(struct shipfrom *s, enum shop shop, int64_t number);
/* The id of an order's i-th line. */
int64_t goods_line(struct shipfrom *s, int64_t number, int i);

struct wish {
	int64_t order, line;
	int units;
	int64_t also; /* the id of another line, of which 1 unit is given
		       * back; 0: none */
	const char *key; /* or NULL */
	bool removed;	 /* it cannot be sold again */
};

struct answer give_back(struct shipfrom *s, enum shop shop,
			const struct wish *w);
/* As give_back(), and returns the status. */
long return_asked(struct shipfrom *s, enum shop shop, const struct wish *w);

struct return_pressed {
	struct shipfrom *s;
	const struct wish *w;
	long last; /* the last status */
};

/* Asks until the return is booked. */
void wait_return_booked(struct shipfrom *s, const struct wish *w);
/* Asks once.  For wait_until(): arg is a struct return_pressed. */
bool is_return_booked(void *arg);
/* Asks until the shop is told that nobody knows. */
void wait_return_unsure(struct shipfrom *s, const struct wish *w);
/* A task is given up.  For wait_until(): arg is a struct shipfrom. */
bool is_return_given_up(void *arg);

/* What Centra has booked. */
struct sim_returns {
	int n;	       /* returns */
	int64_t units; /* in all of them */
	int64_t warehouse; /* of the last */
	char comment[256];
};
struct sim_returns sim_returns(struct shipfrom *s, int64_t number);
/* A fault of the stand-in at this call of the order; `how` is JSON. */
void return_fault(struct shipfrom *s, int64_t order, const char *what,
		  const char *how);

#endif
