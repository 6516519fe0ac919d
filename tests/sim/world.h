/* SPDX-License-Identifier: MIT
 *
 * world.h - the orders, offers and warehouses, and Centra's rules about them.
 *
 * Every rule runs under one lock, so of two accepts exactly one is first.  What
 * happens is told to hooks.c under that lock too: the dates of the events are
 * in the order of what happened.
 *
 * Threads:  any thread, any call.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/sim/json.h"
#include "tests/sim/order.h"

void world_init(unsigned seed, int64_t offer_seconds);
void world_reset(void); /* no orders, the first warehouses and settings */

/* autoconfirm, auto_rejected, late_accept, order_events, and those of reading.h:
 * those that `spec` names.  See README.md. */
void world_settings(const cJSON *spec);

/* Places an order (README.md: POST /control/orders); its number, or 0 with
 * *why when that number is there already or a warehouse is unknown. */
int64_t world_place(const cJSON *spec, const char **why);

/* What a person in the back office or the clock does to an order.  NULL, or
 * what is wrong. */
const char *world_cancel(int64_t number);
const char *world_resume(int64_t number);
const char *world_reoffer(int64_t number, const cJSON *spec);
const char *world_allocate(int64_t number, const cJSON *spec);
const char *world_expire(int64_t number); /* all that is asked, now */
void world_tick(void);                    /* the job that times offers out */
unsigned world_waiting_count(void);

/* An answer to check-first.  NULL: ok; else the text of the `no`. */
const char *world_answer(int64_t number, int64_t warehouse, bool accepted);

/* Orders as GraphQL shows them, newest first: of these numbers (NULL: all),
 * and only those that wait for check-first when `waiting`. */
cJSON *world_orders(const cJSON *numbers, bool waiting, int64_t limit,
		    int64_t page);
/* [order], as it is, whatever readings show; [] when there is none. */
cJSON *world_order_now(int64_t number);
/* All of them, sorted by their number. */
cJSON *world_orders_by_number(bool waiting, int64_t limit, int64_t page);
cJSON *world_warehouses(void);
cJSON *world_shops(void);
/* [{"id","name","policy","shop"}]: replaces them all. */
void world_set_warehouses(const cJSON *list);

cJSON *world_state(void);

/* Runs fn on every order, the oldest first, under the lock. */
void world_each(void (*fn)(struct order *o, void *arg), void *arg);

/* An allocation request of the order was confirmed (under the lock): `all`:
 * it holds every line, so nobody is asked check-first any more. */
void world_confirmed(struct order *o, bool all);

/* Runs fn on an order under the lock; false: no such order. */
bool world_with(int64_t number, void (*fn)(struct order *o, void *arg),
		void *arg);
/* The same for the order that has this shipment. */
bool world_with_shipment(int64_t id,
			 void (*fn)(struct order *o, struct shipment *s,
				    void *arg),
			 void *arg);

/* Runs fn under the lock; what follows is for it, and for the functions that
 * world_with() runs. */
void world_locked(void (*fn)(void *arg), void *arg);
struct order *world_newest(void);
struct order *world_find(int64_t number); /* or NULL */
size_t world_n_warehouses(void);
int64_t world_warehouse_id(size_t i);
const char *world_warehouse_name(int64_t id); /* or "" */

#endif
