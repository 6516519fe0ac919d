/* SPDX-License-Identifier: MIT
 *
 * followed.h - a change of an order, for those who decide what it leads to
 * (store_options.follow).
 */
#ifndef STORE_MODEL_FOLLOWED_H
#define STORE_MODEL_FOLLOWED_H

#include <stdbool.h>
#include <stdint.h>

#include "store/model/order.h"

/* As the transaction that makes the change sees it.  All of it is borrowed. */
struct followed {
	const struct order *before; /* empty (first_seen 0) if the order is new */
	const struct order *after;  /* with the states derived; its `updated` is
				     * greater than after each change before */
	bool texts; /* the details or the address changed too */
	int64_t now; /* ms, wall clock */
};

#endif
