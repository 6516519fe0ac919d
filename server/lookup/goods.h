/* SPDX-License-Identifier: MIT
 *
 * goods.h - pictures of goods, and how many lie in a shop, kept in memory for
 * the lines of orders.
 *
 * Nobody ever waits for them.  goods_find() tells what is known; what is not, or
 * is too old, is asked for in the background (lookup_behind()), once for each
 * EAN however many orders and screens show it, and the orders are told when it
 * is known.  A restart forgets all of it.
 *
 * Limits:   GOODS_MAX entries, the oldest go first; GOODS_LINES lines of an
 *           order.
 * Errors:   what cannot be asked for is left out, and asked for again when it is
 *           next shown, after FAILED_MS at the earliest (REFUSED_MS if Centra
 *           refuses it).
 * Threads:  any.
 */
#ifndef SERVER_LOOKUP_GOODS_H
#define SERVER_LOOKUP_GOODS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "centra/products.h"
#include "server/config/holder.h"
#include "server/lookup/lookup.h"
#include "server/lookup/picture.h"

#define GOODS_MAX   20000
#define GOODS_LINES SIZES_MAX

/* ms for which what was found is good, by the steady clock. */
#define PICTURE_MS    (24 * INT64_C(3600000))
#define NO_PICTURE_MS INT64_C(3600000)
#define ON_HAND_MS    INT64_C(600000)
/* ms until it is asked for again. */
#define FAILED_MS  INT64_C(60000)
#define REFUSED_MS INT64_C(3600000)

struct goods;

struct goods_parts {
	struct lookups *lookups;     /* borrowed; must outlive it */
	struct config_holder *config; /* the same */
	/* Called when something that the order shows is now known.  A thread of
	 * the lookups. */
	void (*news)(void *arg, const char *instance, int64_t order);
	void *arg;
};

struct goods *goods_open(const struct goods_parts *parts);
/* Call it after lookups_stop(); NULL is fine. */
void goods_close(struct goods *g);

/* Where the lines are shown. */
struct goods_at {
	const char *instance;
	int64_t order, warehouse;
	bool ask; /* ask for what is not known */
	int64_t wall, mono; /* now, ms */
};

/* What is known of a line. */
struct good {
	char picture[PICTURE_MAX + 1]; /* "": none, or not known */
	bool counted;
	int64_t on_hand; /* if counted: units in the warehouse, as Centra said */
	int64_t counted_at; /* ... at this time, ms */
};

/* Sets ret[0..n) to what is known of the lines with these EANs (NULL: the line
 * has none), by the present settings pictures_from and on_hand.  n is at most
 * GOODS_LINES.  g may be NULL: nothing is known. */
void goods_find(struct goods *g, const struct goods_at *at,
		const char *const *eans, size_t n, struct good *ret);

#endif
