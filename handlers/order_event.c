/* SPDX-License-Identifier: MIT
 *
 * order_event.c - the task that applies an order event.
 *
 * Centra's actions are an open set (CONTRACT 2.1).  `cancel` is final; whatever
 * else happened to an order that was offered is learnt by fetching it.
 */
#include <string.h>

#include "handlers/handlers.h"
#include "handlers/run.h"

static void note(struct work *w, const char *words)
{
	const struct event *ev = w->event;
	char received[TIME_ISO_SIZE];

	changes_note(&w->result.changes, 0, "event",
		     "Centra says the order %s (order %.24s, dated %s, "
		     "received %s)",
		     words, ev->action, ev->date,
		     time_iso(received, ev->received, 0, true));
}

/* So that what a look finds next is not taken for a webhook that was missed. */
static void told(struct work *w)
{
	if (w->order->n_offers && strcmp(w->event->action, "insert") != 0)
		changes_add(&w->result.changes, CHANGE_TOLD, 0)->at =
			w->event->received;
}

static void apply(struct work *w)
{
	const char *action = w->event->action;

	if (!strcmp(action, "cancel")) {
		note(w, "is cancelled");
		told(w);
		changes_add(&w->result.changes, CHANGE_CANCELLED, 0);
		changes_add(&w->result.changes, CHANGE_HEARD, 0);
		return;
	}
	note(w, !strcmp(action, "insert") ? "was placed" : "changed");
	told(w);
	if (w->order->n_offers)
		changes_task(&w->result.changes, TASK_FETCH_ORDER, 0, w->now);
}

void handle_order(struct work *w, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (w[i].event)
			apply(&w[i]);
		else
			run_dead(&w[i], "the event is gone");
	}
}
