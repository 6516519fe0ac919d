/* SPDX-License-Identifier: MIT
 *
 * returns.h - goods of an online order that a customer gives back in a shop: the
 * document that keeps them, and the task `return` that books them in Centra.
 *
 * All returns of an order, of whichever shop, are in one document of the kind
 * `return`, whose key is the order's number.  So they are booked one after the
 * other, and each is decided in the knowledge of the others.  It stands in the
 * list "open" while one of them is to be booked, then in "done".
 *
 * A return is booked as one createReturn for each shipment that has goods of it.
 * Before each, the call is made durable as the return's `part` under way, with
 * what Centra shows as returned.  A reply that is lost is settled by a look
 * (return_fate.h): if it proves that the call was acted on, the part is booked;
 * if it proves that it was not and Centra can no longer act on it, the call is
 * made again; else nobody knows, and the office has to look (RETURN_UNSURE).
 * While a return is unsure, the task of its order is a dead letter whenever
 * nothing else is to be booked; a redrive looks again.
 *
 * When goods may go into a warehouse, stock_moved() (stock_item.h) notes it, so
 * that an older count of them is not sent.
 *
 * The same holds for one that is refused when nobody waits for its outcome any
 * more: the goods are in the shop, and a redrive says that the office knows.
 *
 * Nothing about the customer is kept.
 *
 * Memory:   struct returns owns all that it points to.
 */
#ifndef HANDLERS_RETURNS_H
#define HANDLERS_RETURNS_H

#include "handlers/handlers.h"
#include "store/model/doc.h"

#define RETURN_KIND	 "return"
#define RETURN_LINES_MAX 30
#define RETURNS_MAX	 12 /* of an order; the oldest that are done or
				 * refused go */
#define RETURN_PARTS_MAX 16 /* calls that booked something, of a return */

enum return_state {
	RETURN_ASKED,	/* it is to be booked */
	RETURN_DONE,	/* Centra has booked all of it */
	RETURN_REFUSED, /* nothing of it is booked; see `untold` */
	RETURN_UNSURE,	/* nobody knows what is booked: the office has to look */
};
extern const char *const return_states[]; /* by enum return_state */

/* Units of an order's line that are given back, and why. */
struct return_line {
	int64_t line, quantity;
	char *reason; /* owned */
};

struct return_part_line {
	int64_t id; /* of the shipment's line */
	int64_t line, quantity;
	/* Units of the order's line that Centra showed as returned before, and
	 * that its list of returns had, in all and in those that were
	 * completed; listed, completed -1: there was no list. */
	int64_t returned, listed, completed;
};

/* A call of createReturn, for one shipment. */
struct return_part {
	int64_t shipment;
	int64_t made; /* the id of Centra's return; 0: not known */
	int64_t newest; /* the greatest id of the list of returns before the
			 * call; 0: it was empty; -1: there was none */
	struct return_part_line *lines; /* owned */
	size_t n_lines;
};

struct goods_return {
	int64_t id; /* counts from 1 in each order */
	enum return_state state;
	char *code;  /* owned: of REFUSED and UNSURE: a code of an error */
	char *error; /* owned: words for that, or for why it waits; or NULL */
	char *shop;  /* owned: the id of the shop that took the goods */
	int64_t warehouse; /* the shop's */
	bool restock;	   /* they go into the warehouse; else they are removed
			    * from stock */
	char *by;	   /* owned: who pressed */
	uint64_t device;
	char *key;	   /* owned: what tells the request from others; "" if it
			    * had no Idempotency-Key */
	int64_t at, ended; /* ms */
	struct return_line *lines; /* owned */
	size_t n_lines;
	struct return_part *parts; /* owned: what is booked, and, if `trying`,
				    * the one under way as the last */
	size_t n_parts;
	bool trying;
	bool untold; /* it was refused after the shop was told that it is booked
		      * by itself: the office has to tell the shop */
	int64_t *refused; /* owned: shipments that Centra refused it for */
	size_t n_refused;
};

struct returns {
	struct goods_return *list; /* owned, the oldest first */
	size_t n;
	int64_t last; /* the greatest id that was given */
};

/* Reads the text of the document; NULL: none.  RC_INVALID: it is damaged. */
enum rc returns_read(const char *text, struct returns *ret, struct err *e);
void returns_release(struct returns *all);

/* Adds a copy of *r, with the next id; the oldest that are done or refused go if
 * there are too many.  NULL: RETURNS_MAX are to be booked or unsure. */
struct goods_return *returns_add(struct returns *all,
				 const struct goods_return *r);
struct goods_return *returns_find(const struct returns *all, int64_t id);
/* The newest return that the request asked for before: of this device and key;
 * without a key, the newest of this device if its lines and `restock` are
 * equal. */
struct goods_return *returns_asked(const struct returns *all,
				   const struct goods_return *r);
/* Units of the order's line in a part. */
int64_t return_part_units(const struct return_part *p, int64_t line);
/* Units of the line that returns ask for and that are not booked yet. */
int64_t returns_pending(const struct returns *all, int64_t line);
/* True while one of them is to be booked. */
bool returns_open(const struct returns *all);
/* The oldest return of which the office has to hear: it is unsure, or untold;
 * NULL: there is none. */
struct goods_return *returns_for_office(const struct returns *all);
/* The oldest return of that state; NULL: there is none. */
struct goods_return *returns_oldest(const struct returns *all,
				    enum return_state state);

/* Sets *ret to the document's name, `list`, `at` and text. */
enum rc returns_doc(const struct returns *all, const char *instance,
		    int64_t number, int64_t now, struct doc *ret,
		    struct err *e);

#define TASK_RETURN "return" /* book the returns of an order */
handler_fn handle_return;

#endif
