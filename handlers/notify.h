/* SPDX-License-Identifier: MIT
 *
 * notify.h - the task `notify` of an order (sub: a shop's number): sends the
 * shop's own system the webhooks of the order that wait (outgoing.h).
 *
 * Order:    a run sends all of them in one call, the oldest first, up to
 *           NOTIFY_AT_ONCE: none is ever sent before an older one of its order.
 *           The task keeps no order busy.
 * Repeats:  each is sent until the system has answered 2xx; a lost answer, or a
 *           crash before the end of the run is durable, sends it again.
 * Failures: what is refused is tried again after a wait that grows up to an
 *           hour; a system that does not answer is left alone by all orders
 *           (subscriber.h).  Once a try fails NOTIFY_FOR after the oldest webhook
 *           was written, all of the order's go to the list of the dead, and the
 *           task with them.  A redrive, and a newer webhook of the order, try
 *           all of them again.
 */
#ifndef HANDLERS_NOTIFY_H
#define HANDLERS_NOTIFY_H

#include <stddef.h>
#include <stdint.h>

#include "centra/subscriber.h"
#include "handlers/handlers.h"

#define TASK_NOTIFY   "notify"
#define KIND_RECEIVER "receiver" /* the document of a shop's system: what it
				  * does not know yet (struct notify_state) */

#define NOTIFY_AT_ONCE 100 /* webhooks in one call (CONTRACT 1.2) */
#define NOTIFY_FOR     (INT64_C(5) * 24 * 3600 * 1000) /* ms */
#define NOTIFY_KNOWS_SIZE 48
#define NOTIFY_TRIES   3 /* least tries in a row before webhooks are given up */

/* The header that tells how many webhooks were dropped since it was last told. */
#define NOTIFY_DROPPED "X-Shipfrom-Dropped"
/* The header that tells the system to read all its orders anew: webhooks were
 * dropped, or it may have missed what no webhook tells (struct notify_state). */
#define NOTIFY_ANEW "X-Shipfrom-Read-Anew"

/* Returns the `sub` of a shop's tasks: a hash of its name, not less than 0. */
int64_t notify_sub(const char *shop);
/* Returns the group of the queue for a sub.  Two shops may share one. */
unsigned notify_group(int64_t sub);

/* What a run did. */
struct notify_report {
	const struct subscriber_reply *reply; /* NULL: there was no address */
	size_t sent;	 /* webhooks that were taken */
	size_t given_up; /* webhooks that now are dead */
};

struct notify_hands {
	const char *shop; /* borrowed; NULL: the config has no shop with this
			   * sub */
	struct subscriber *to; /* borrowed; NULL: it has no notify_url */
	uint64_t settings; /* a hash of its address and its shop's warehouses */
	void (*report)(const struct work *w, const struct notify_report *r);
};

/* What a shop's system has to be told with the next call, beside webhooks. */
struct notify_state {
	int64_t dropped; /* webhooks that were dropped */
	/* Which address, warehouses and restored store the last call that was
	 * taken came from; "": none was, or the address was taken out of the
	 * config meanwhile.  From others, the system may have missed something. */
	char knows[NOTIFY_KNOWS_SIZE];
};
/* Reads the document of KIND_RECEIVER; one that does not exist has no text. */
void notify_state_read(const struct doc *d, struct notify_state *ret);
/* Replaces the text of the document. */
void notify_state_write(struct doc *d, const struct notify_state *s);

handler_fn handle_notify;

#endif
