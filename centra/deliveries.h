/* SPDX-License-Identifier: MIT
 *
 * deliveries.h - deliveries of suppliers to a shop, by the shop's own Order API
 * plugin (CONTRACT 5.9): the plugin's warehouse is the shop's.
 */
#ifndef CENTRA_DELIVERIES_H
#define CENTRA_DELIVERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "centra/centra.h"

struct centra_delivered {
	char *ean, *upc, *sku, *product, *variant, *size; /* owned, or NULL */
	int64_t quantity;
};

struct centra_delivery {
	int64_t id;	 /* Centra's internal id: 364 */
	char *number;	 /* owned: "957-1" */
	char *order;	 /* owned, or NULL: the supplier order's number */
	char *supplier;	 /* owned, or NULL */
	char *eta;	 /* owned, or NULL: as Centra writes it */
	int64_t units;	 /* that were announced */
	struct centra_delivered *items; /* owned; only of one delivery */
	size_t n_items;
};

struct centra_deliveries {
	struct call call;
	struct centra_delivery *list; /* owned */
	size_t n;
	char *msg; /* owned: Centra's words if it said no, or NULL */
};

/* Lists the deliveries to the plugin's warehouse that nobody has received yet,
 * all of them: there are no pages. */
void order_api_deliveries(struct centra_conn *n,
			  struct centra_deliveries *ret);
/* Reads one with its items.  An empty list: Centra has no such delivery that
 * waits. */
void order_api_delivery(struct centra_conn *n, int64_t id,
			struct centra_deliveries *ret);
void centra_deliveries_release(struct centra_deliveries *d);

struct centra_received_item {
	const char *ean;
	int64_t quantity;
};

struct centra_received {
	struct call call;
	bool ok;   /* if call.end is CALL_OK: true for "ok", false for "no" */
	char *msg; /* owned: Centra's words if it said no, or NULL */
	int64_t rest;	   /* id of the delivery that is what was short; 0: none */
	char *rest_number; /* owned: its number, "957-2"; or NULL */
	int64_t rest_units;
};

/* Receives a delivery, into stock.  Centra takes it once; after CALL_UNKNOWN
 * look at the list before it is repeated. */
void order_api_receive(struct centra_conn *n, int64_t id,
		       const struct centra_received_item *items,
		       size_t n_items, struct centra_received *ret);
void centra_received_release(struct centra_received *r);

#endif
