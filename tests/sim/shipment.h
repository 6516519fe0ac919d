/* SPDX-License-Identifier: MIT
 *
 * shipment.h - the mutations that confirm an order and ship it (CONTRACT 6.6).
 *
 * Threads:  any thread, any call.
 */
#ifndef SIM_SHIPMENT_H
#define SIM_SHIPMENT_H

#include <stdbool.h>

#include "tests/sim/json.h"
#include "tests/sim/order.h"

/* What captures end in: "ok", "fail" or "pending" ({"capture": ...}); and of
 * pending ones when they end, and how: see README.md. */
void shipment_settings(const cJSON *spec);
void shipment_reset(void);

/* Makes a shipment of an order as Centra does by itself; NULL, or what is
 * wrong. */
const char *shipment_make(int64_t number, const cJSON *spec);
/* The same of all that is allocated, by who holds the world's lock. */
void shipment_by_centra(struct order *o);

/* ---- for wms.c, by who holds the world's lock ---- */

/* createShipment with this input; NULL, or what is wrong. */
const char *shipment_create(struct order *o, const cJSON *input,
			    struct shipment **ret);
/* A capture; false: it failed.  "SUCCESS" or "PENDING" in *ret_payment. */
bool shipment_take_money(struct shipment *s, const char **ret_payment);
bool shipment_capture_fails(void); /* the setting says so */
/* It is paid, good to go and shipped: its stock leaves, and the order may be
 * done. */
void shipment_done(struct order *o, struct shipment *s);
/* Units of the line that are allocated and in no shipment. */
int64_t shipment_line_left(const struct order *o, const struct line *l);
void shipment_note_early(struct shipment *s); /* see order.h */
/* *field = the text of a member, if it has one. */
void shipment_text(char **field, const cJSON *info, const char *key);

/* Runs a mutation of this name with these arguments: its full payload, and
 * the order's number if it is known.  NULL: no such mutation. */
cJSON *shipment_mutation(const char *name, const cJSON *args,
			 int64_t *ret_order);

#endif
