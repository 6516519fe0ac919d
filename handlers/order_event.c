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

static void note(const struct event *ev, const char *words,
		 struct changes *ret)
{
	char received[TIME_ISO_SIZE];

	changes_note(ret, 0, "event",
		     "Centra says the order %s (order %.24s, dated %s, "
		     "received %s)",
		     words, ev->action, ev->date,
		     time_iso(received, ev->received, 0, true));
}

/* So that what a look finds next is not taken for a webhook that was missed. */
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
		note(ev, "is cancelled", ret);
		told(o, ev, ret);
		changes_add(ret, CHANGE_CANCELLED, 0);
		return OK;
	}
	note(ev, !strcmp(ev->action, "insert") ? "was placed" : "changed",
	     ret);
	told(o, ev, ret);
	if (o->n_offers)
		changes_task(ret, TASK_FETCH_ORDER, 0, now);
	return OK;
}
