/* SPDX-License-Identifier: MIT
 *
 * event.c - see event.h.
 */
#include "store/model/event.h"

#include <stdlib.h>

void event_release(struct event *ev)
{
	free(ev->data);
	free(ev->decoded);
	free(ev->fault);
	ev->data = NULL;
	ev->decoded = NULL;
	ev->fault = NULL;
}

const char *quarantine_kind_name(enum quarantine_kind k)
{
	static const char *const names[QUARANTINE_KINDS] = {
		[QUARANTINED_UNREAD] = "unread",
		[QUARANTINED_STALE] = "stale",
		[QUARANTINED_VERSION] = "version",
	};

	return names[k];
}

void quarantined_release(struct quarantined *q)
{
	free(q->header);
	free(q->bytes);
	q->header = NULL;
	q->bytes = NULL;
	q->len = 0;
}
