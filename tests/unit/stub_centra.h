/* SPDX-License-Identifier: MIT
 *
 * stub_centra.h - the handlers that call Centra, with a test in Centra's place.
 *
 * They are the product's own sources (see stub_centra.c); only the two calls
 * they make come here instead.
 */
#ifndef TESTS_UNIT_STUB_CENTRA_H
#define TESTS_UNIT_STUB_CENTRA_H

#include "centra/graphql.h"
#include "centra/order_api.h"
#include "handlers/handlers.h"

/* What answers in Centra's place.  Texts given back are owned by the reply, as
 * the real ones are. */
struct stub_centra {
	void (*post)(int64_t number, int64_t warehouse, bool accept,
		     struct check_first_reply *ret);
	void (*orders)(const int64_t *numbers, size_t n, bool with_address,
		       struct centra_orders *ret);
	enum centra_lane lane; /* of the connection, at present */
	int64_t hold; /* ms that calls to the Order API are held; 0: they are
		       * not */
	/* Say themselves whether a call may be made; or NULL. */
	bool (*take)(enum centra_api api, struct call *ret);
	void (*give_back)(enum centra_api api);
	int taken; /* calls that may be made, and were neither made nor given
		    * back */
};
extern struct stub_centra stub_centra;

/* Any connection will do: nothing is done with it. */
extern struct centra_conn *const stub_conn;

handler_fn stubbed_answer_offer, stubbed_fetch_order;

/* An order in the reply, with n_lines lines of one unit that nobody holds. */
struct centra_order *stub_order(struct centra_orders *ret, int64_t number,
				const char *status, bool waits,
				size_t n_lines);
void stub_orders_release(struct centra_orders *o);
/* A shipment with this id, of all units of each line. */
void stub_ship(struct centra_order *co, int64_t id);
/* Allocates a unit of the line to a warehouse. */
void stub_allocate(struct centra_line *l, int64_t warehouse, bool waiting);

#endif
