/* SPDX-License-Identifier: MIT
 *
 * stock.h - the sizes that can be sold, how many of each lie in each warehouse,
 * and the Order API's calls about them: GET and POST /stock, GET /products
 * (CONTRACT 5.8, 6.10 and 10).
 *
 * A size is known once an order has a line of it, or POST /control/stock names
 * it.  Its physical stock is STOCK_FIRST in each warehouse until something sets
 * it; what is allocated there follows from the orders.
 *
 * Threads:  the world's lock is held, except where it says any thread.
 */
#ifndef SIM_STOCK_H
#define SIM_STOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/sim/json.h"
#include "tests/sim/order.h"
#include "tests/sim/order_api.h"

#define STOCK_FIRST 20
#define STOCK_PLACES 64 /* warehouses with a figure of their own */

struct item {
	int64_t id; /* stockItemId */
	char *product, *variant, *size, *sku, *ean, *upc; /* owned */
	double price;
	bool bundle; /* it has no stock of its own */
	int64_t held; /* units that are allocated everywhere, to no order */
	struct {
		int64_t warehouse, physical;
		int sets; /* how often an API set it */
		int lowered; /* and to less than an API had set before */
	} places[STOCK_PLACES];
	size_t n_places;
	struct item *next; /* the one that was known before it */
	int twice; /* calls of setStock that had it twice; each was refused */
	uint64_t call; /* the newest call of setStock that has it */
};

/* The size of an order's line. */
const struct item *stock_of_line(const struct line *l);
/* By EAN, UPC, or the whole SKU (sku + variantSku + sizeSku); NULL: none. */
struct item *stock_find(const char *code);
struct item *stock_newest(void);
int64_t stock_physical(const struct item *it, int64_t warehouse);
/* Units of it that orders hold there and that have not left. */
int64_t stock_allocated(const struct item *it, int64_t warehouse);
/* Sets what lies there; less than what is allocated becomes that, as Centra
 * does without a word.  Returns what it set. */
int64_t stock_put(const struct item *it, int64_t warehouse, int64_t quantity);
/* Units leave with a shipment. */
void stock_leaves(const struct line *l, int64_t quantity);
void stock_reset(void);

/* Adds "sku", "variantSku" and "sizeSku" of a whole code. */
void stock_add_sku(cJSON *v, const char *code);

/* Calls of the Order API (order_api.c has their rows).  Any thread. */
void stock_get_call(struct api_call *c);
void stock_post_call(struct api_call *c);
void products_get_call(struct api_call *c);

/* POST /control/stock: one or a list of {"sku","ean","upc","product","variant",
 * "size","bundle","held","warehouse","quantity","another" (true: a new size, also
 * if one has that code)}.  NULL, or what is wrong.  Any
 * thread. */
const char *stock_control(const cJSON *spec);
/* GET /control/stock: each size with the places where something was set.  Any
 * thread. */
cJSON *stock_state(void);

#endif
