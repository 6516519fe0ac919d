/* SPDX-License-Identifier: MIT
 *
 * handlers.c - see handlers.h.
 */
#include "handlers/handlers.h"

#include <string.h>

#include "centra/graphql.h"
#include "handlers/answer.h"
#include "handlers/feed.h"
#include "handlers/lane.h"
#include "handlers/lock.h"
#include "handlers/notify.h"
#include "handlers/set_stock.h"
#include "handlers/receipts.h"
#include "handlers/returns.h"

#define EVENTS_AT_ONCE 32
#define LOCKS_AT_ONCE  32

const struct handler handlers[] = {
	/* kind, batch, calls, lane, run */
	/* Tasks that only apply an event are run in batches, which share a
	 * commit. */
	{TASK_CHECK_FIRST, EVENTS_AT_ONCE, CALLS_NOBODY, LANE_ANSWERS,
	 handle_event},
	{TASK_ALLOCATION_REQUEST, EVENTS_AT_ONCE, CALLS_NOBODY, LANE_ANSWERS,
	 handle_event},
	{TASK_ORDER, EVENTS_AT_ONCE, CALLS_NOBODY, LANE_ANSWERS, handle_event},
	{TASK_ANSWER_OFFER, 1, CALLS_ORDER_API, LANE_ANSWERS,
	 handle_answer_offer},
	{TASK_FETCH_ORDER, ORDERS_QUERY_MAX, CALLS_GRAPHQL, LANE_UNPLACED,
	 handle_fetch_order},
	{TASK_POLL_REQUESTS, REQUESTS_AT_ONCE, CALLS_ORDER_API, LANE_UNPLACED,
	 handle_poll_requests},
	{TASK_MISSED, ORDERS_QUERY_MAX, CALLS_GRAPHQL, LANE_LAST,
	 handle_missed},
	{TASK_SHIP_ORDER, 1, CALLS_GRAPHQL, LANE_ANSWERS, handle_ship_order},
	{TASK_SET_STOCK, 1, CALLS_GRAPHQL, LANE_REST, handle_set_stock},
	/* A customer stands at the counter. */
	{TASK_RETURN, 1, CALLS_GRAPHQL, LANE_WAITED, handle_return},
	{TASK_RECEIVE, 1, CALLS_SHOP_API, LANE_WAITED, handle_receive},
	{TASK_RECONCILE, 1, CALLS_GRAPHQL, LANE_LAST, handle_reconcile},
	{TASK_FEED_GRAPHQL, 1, CALLS_GRAPHQL, LANE_REST, handle_feed_graphql},
	{TASK_FEED_SOAP, 1, CALLS_SOAP, LANE_REST, handle_feed_soap},
	{TASK_LOCK_ORDER, LOCKS_AT_ONCE, CALLS_GRAPHQL, LANE_LAST,
	 handle_lock_order},
	{TASK_LOCK_SWEEP, 1, CALLS_GRAPHQL, LANE_LAST, handle_lock_sweep},
	{TASK_NOTIFY, 1, CALLS_RECEIVER, LANE_LAST, handle_notify},
	{NULL, 0, CALLS_NOBODY, LANE_UNPLACED, NULL},
};

const struct handler *handler_find(const char *kind)
{
	for (const struct handler *h = handlers; h->kind; h++)
		if (!strcmp(h->kind, kind))
			return h;
	return NULL;
}

unsigned handler_batch(const char *kind)
{
	const struct handler *h = handler_find(kind);

	return h ? h->batch : 1;
}

/* ---- where a task waits ---- */

/* True for a task `missed` that judges what an earlier look found (missed.c):
 * it makes no call. */
static bool calls_nobody(const struct task *t)
{
	return !strcmp(t->kind, TASK_MISSED) && t->sub;
}

void handler_place(struct task *t, const struct order *o)
{
	const struct handler *h = handler_find(t->kind);

	t->group = (uint8_t)(h && !calls_nobody(t) ? h->calls : CALLS_NOBODY);
	if (t->group == CALLS_RECEIVER)
		t->group = (uint8_t)notify_group(t->sub);
	if (t->lane != LANE_UNPLACED)
		return;
	if (!strcmp(t->kind, TASK_POLL_REQUESTS)) {
		t->lane = t->number > 0 ? LANE_WAITED : LANE_LAST;
		return;
	}
	if (h && h->lane != LANE_UNPLACED)
		t->lane = (uint8_t)h->lane;
	else
		t->lane = (uint8_t)(h && o ? fetch_lane(o) : LANE_REST);
}
