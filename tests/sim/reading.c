/* SPDX-License-Identifier: MIT */
#include "tests/sim/reading.h"

#include <string.h>

#include "tests/sim/clock.h"

static struct {
	unsigned random;
	int64_t other_hold, null_reason; /* percent of orders */
	int64_t other_hold_ms;		 /* for how long, at most */
	int64_t empty;			 /* percent of readings */
	int64_t late, stale;		 /* ms, at most */
	int64_t own_shipments;		 /* percent of accepts */
	bool leave; /* what is in a shipment is no longer allocated */
} r;

static int64_t any(int64_t below)
{
	r.random = r.random * 1664525u + 1013904223u;
	return below > 0 ? (int64_t)(r.random >> 8) % below : 0;
}

static bool chance(int64_t percent)
{
	return any(100) < percent;
}

void reading_reset(unsigned seed)
{
	memset(&r, 0, sizeof(r));
	r.random = seed * 31 + 7;
}

void reading_settings(const cJSON *spec)
{
	r.other_hold = json_int(spec, "other_hold", r.other_hold);
	r.other_hold_ms = json_int(spec, "other_hold_ms", r.other_hold_ms);
	r.null_reason = json_int(spec, "null_reason", r.null_reason);
	r.empty = json_int(spec, "empty_allocations", r.empty);
	r.late = json_int(spec, "late_allocations", r.late);
	r.stale = json_int(spec, "stale", r.stale);
	r.own_shipments = json_int(spec, "own_shipments", r.own_shipments);
	r.leave = json_flag(spec, "allocations_leave", r.leave);
}

void reading_placed(struct order *o)
{
	static const char *const reasons[] = {
		"WAITING_FOR_FRAUD_CHECK", "WAITING_FOR_PAYMENT",
		"PAYMENT_MISMATCH", "WAITING_FOR_GIFT_CARD_AUTHORIZATION"};

	if (chance(r.other_hold)) {
		o->other_hold = reasons[any(4)];
		o->other_until = clock_ms() + any(r.other_hold_ms + 1);
	}
	o->reason_hidden = chance(r.null_reason);
}

void reading_moved(struct order *o, int64_t from)
{
	o->moved_from = from;
	o->moved_shown = clock_ms() + any(r.late + 1);
}

bool reading_ships_itself(void)
{
	return chance(r.own_shipments);
}

void reading_changes(struct order *o, warehouse_name_fn *name)
{
	if (!r.stale || clock_ms() < o->seen_until)
		return; /* shown is what was before the change before */
	cJSON_Delete(o->seen);
	o->seen = order_graphql(o, r.leave, name);
	o->seen_waits = order_waits(o);
	o->seen_until = clock_ms() + any(r.stale + 1);
}

static void empty_allocations(cJSON *order)
{
	cJSON *l;

	cJSON_ArrayForEach(l, cJSON_GetObjectItemCaseSensitive(order, "lines"))
		cJSON_ReplaceItemInObjectCaseSensitive(
			l, "allocations", must(cJSON_CreateArray()));
}

static bool is_stale(const struct order *o)
{
	return o->seen && clock_ms() < o->seen_until;
}

bool reading_waits(const struct order *o)
{
	return is_stale(o) ? o->seen_waits : order_waits(o);
}

cJSON *reading_take(const struct order *o, warehouse_name_fn *name)
{
	cJSON *v;

	v = is_stale(o) ? must(cJSON_Duplicate(o->seen, 1))
			: order_graphql(o, r.leave, name);
	if (chance(r.empty))
		empty_allocations(v);
	return v;
}
