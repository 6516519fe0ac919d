/* SPDX-License-Identifier: MIT
 *
 * lock.h - orders that are locked for the people in AMS (CONTRACT 6.9), and
 * updateDirectToConsumerOrder, by which an API could resume a hold: every use
 * of it is counted (`resumes` of the order's state), for nobody should.
 *
 * Threads:  any thread, any call.
 */
#ifndef SIM_LOCK_H
#define SIM_LOCK_H

#include "tests/sim/json.h"

/* NULL: the mutation is none of these. */
cJSON *lock_mutation(const char *name, const cJSON *args, int64_t *ret_order);
/* orders(where:{isLocked, number}): `numbers` NULL: all. */
cJSON *lock_orders(const cJSON *numbers, bool locked, int64_t limit,
		   int64_t page);

/* {"locked"}: a person in AMS locks the order, or unlocks it. */
const char *lock_by_a_person(int64_t number, const cJSON *spec);
/* refuse_lock: setOrdersLock is refused with this text; "": it is not. */
void lock_settings(const cJSON *spec);
void lock_reset(void);

#endif
