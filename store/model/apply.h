/* SPDX-License-Identifier: MIT
 *
 * apply.h - what the files of store/model/ share: a function for each row of
 * changes.def that applies it.  For store/model/ alone.
 */
#ifndef STORE_MODEL_APPLY_H
#define STORE_MODEL_APPLY_H

#include "store/model/changes.h"

/* clang-format off */
#define BARE(KIND, apply) \
	void apply(struct order *o, const struct change *c);
#define CHANGE(KIND, type, member, memory, apply) \
	void apply(struct order *o, const struct change *c);
#include "store/model/changes.def"
/* clang-format on */

/* Returns the offer to a warehouse, which it adds if there is none.  NULL: the
 * order has OFFERS_MAX offers. */
struct offer *order_offer_made(struct order *o, int64_t warehouse);

#endif
