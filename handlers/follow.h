/* SPDX-License-Identifier: MIT
 *
 * follow.h - what a change of an order leads to beside it.
 *
 * The store calls order_follow() in the transaction that changes an order
 * (store_options.follow); what it adds is durable with the change.  follow.c has
 * a table of followers, each a pure function in a file of its own.
 */
#ifndef HANDLERS_FOLLOW_H
#define HANDLERS_FOLLOW_H

#include "base/names.h"
#include "store/model/changes.h"
#include "store/model/followed.h"

/* What followers need to know of a shop.  All of it is borrowed, and good until
 * the follower returns. */
struct follow_shop {
	const char *name;	   /* as in [shop NAME] */
	const int64_t *warehouses; /* the preferred first */
	size_t n_warehouses;
	bool notify; /* its own system is told of its orders (notify_url) */
	bool by_system; /* its own system ships (ship_with = order_api) */
};

/* What followers need to know of the config; the functions are called with
 * `arg`. */
struct follow_config {
	void *arg;
	/* Finds the shop that an instance's warehouse belongs to; false: it
	 * belongs to none of ours. */
	bool (*shop_of)(void *arg, const char *instance, int64_t warehouse,
			struct follow_shop *ret);
	/* True if the instance's orders are to be locked (lock_orders). */
	bool (*locks)(void *arg, const char *instance);
	/* Returns the instance's time zone, or NULL. */
	const struct zone *(*zone)(void *arg, const char *instance);
};

/* A follower: adds what follows from a change of an order. */
typedef void follower_fn(const struct follow_config *c,
			 const struct followed *f, struct changes *ret);

/* Calls all followers. */
void order_follow(const struct follow_config *c,
		  const struct followed *f, struct changes *ret);

#endif
