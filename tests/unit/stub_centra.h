/* SPDX-License-Identifier: MIT
 *
 * stub_centra.h - Centra, for the handlers that call it: a test answers in its
 * place.
 *
 * All that handlers do with the connection stub_conn comes here; other
 * connections are the product's.
 */
#ifndef TESTS_UNIT_STUB_CENTRA_H
#define TESTS_UNIT_STUB_CENTRA_H

#include "centra/graphql.h"
#include "centra/order_api.h"
#include "handlers/handlers.h"

/* The answers of a test, one for each call that it expects.  Texts given back
 * are owned by the reply, as the real ones are; *ret is empty before. */
struct stub_centra {
	void (*post)(int64_t number, int64_t warehouse, bool accept,
		     struct check_first_reply *ret);
	/* The list of allocation requests, and the answer to one. */
	void (*requests)(const struct requests_query *q,
			 struct centra_requests *ret);
	void (*request)(int64_t id, bool confirm, struct request_reply *ret);
	void (*orders)(const int64_t *numbers, size_t n, bool with_address,
		       struct centra_orders *ret);
	/* A page of the orders that wait. */
	void (*waiting)(unsigned max, unsigned page,
			struct centra_numbers *ret);

	/* Shipping. */
	void (*order_shipments)(int64_t number, bool with_payment,
				struct centra_orders *ret);
	void (*confirm)(int64_t number, struct centra_done *ret);
	void (*create)(int64_t number,
		       const struct centra_shipment_line *lines, size_t n,
		       struct centra_done *ret);
	void (*capture)(int64_t id, struct centra_done *ret);
	void (*good_to_go)(int64_t id, struct centra_done *ret);
	void (*complete)(int64_t id, const struct centra_parcel *p,
			 struct centra_done *ret);

	enum centra_lane lane; /* of the connection, at present */
	int64_t hold; /* ms that calls are held; 0: they are not */
	/* Say themselves whether a call may be made; or NULL. */
	bool (*take)(enum centra_api api, struct call *ret);
	void (*give_back)(enum centra_api api);
	int taken; /* calls that may be made, and were neither made nor given
		    * back */
};
extern struct stub_centra stub_centra;

extern struct centra_conn *const stub_conn;

/* An order in the reply, with n_lines lines of one unit that nobody holds. */
struct centra_order *stub_order(struct centra_orders *ret, int64_t number,
				const char *status, bool waits,
				size_t n_lines);
/* A shipment with this id, of all units of each line. */
void stub_ship(struct centra_order *co, int64_t id);
/* An allocation request in the reply, of one line (0: of none); `created` is for
 * the test to set. */
struct centra_request *stub_request(struct centra_requests *ret, int64_t id,
				    int64_t number, int64_t warehouse,
				    const char *status, int64_t expires,
				    int64_t line);
/* Allocates a unit of the line to a warehouse. */
void stub_allocate(struct centra_line *l, int64_t warehouse, bool waiting);

#endif
