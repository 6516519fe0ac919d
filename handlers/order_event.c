/* SPDX-License-Identifier: MIT
 *
 * order_event.c - applies an order event.
 *
 * Centra's actions are an open set (CONTRACT 2.1).  `cancel` is final; whatever
 * else happened to an order that was offered is learnt by fetching it.
 */
#include <string.h>

#include "handlers/event.h"
#include "handlers/handlers.h"

/* Notes that an event came, so that what the next look finds does not count as
 * a missed webhook. */
static void told(const struct order *o, const struct event *ev,
		 struct changes *ret)
{
	if (o->n_offers && strcmp(ev->action, "insert") != 0)
		changes_add(ret, CHANGE_TOLD, 0)->told_at = ev->received;
}

enum rc order_event_apply(const struct order *o, const struct event *ev,
			  int64_t now, struct changes *ret, struct err *e)
{
	(void)e;
	if (!strcmp(ev->action, "cancel")) {
		changes_journal_event(ret, ev, &(struct entry){.fact = FACT_CANCELLED});
		told(o, ev, ret);
		changes_add(ret, CHANGE_CANCELLED, 0);
		return OK;
	}
	if (!strcmp(ev->action, "insert"))
		changes_journal_event(ret, ev, &(struct entry){.fact = FACT_PLACED});
	else
		changes_journal_event(ret, ev, &(struct entry){.fact = FACT_CHANGED,
						       .text = ev->action});
	told(o, ev, ret);
	if (o->n_offers)
		changes_task(ret, TASK_FETCH_ORDER, 0, now);
	return OK;
}
