/* SPDX-License-Identifier: MIT
 *
 * order_shipments.h - the calls of Centra's Order API about shipments (CONTRACT
 * 5.4, 5.7), and reads that are passed on: what GraphQL cannot do, or does not
 * show.
 */
#ifndef CENTRA_ORDER_SHIPMENTS_H
#define CENTRA_ORDER_SHIPMENTS_H

#include "base/json_read.h"
#include "centra/graphql.h"

/* GET <base>/shipments?order=NUMBER: fetches Centra's rows of an order's
 * shipments, as the list "shipments" of *ret.  Without a status Centra lists only those that are
 * good-to-go; `good_to_go` false lists those that are in progress.  The caller
 * frees *ret with json_free(); NULL: the call failed, Centra refused, or
 * the reply has no such list (ret_call->why says). */
void order_api_shipments(struct centra_conn *n, int64_t number,
			 bool good_to_go, struct call *ret_call,
			 struct json **ret);

/* A filter of a read, such as {"ean","7300555000024"}.  Borrowed. */
struct order_api_filter {
	const char *name, *value;
};

/* GET <base><path>, such as "/products", with filters, which are encoded: reads
 * Centra's reply as it is, for a client that knows it.  The caller frees *ret
 * with json_free(); NULL: the call failed. */
void order_api_read(struct centra_conn *n, const char *path,
		    const struct order_api_filter *filters, size_t n_filters,
		    struct call *ret_call, struct json **ret);

/* PUT <base>/shipments/<shipment>: sets how many units of each line the shipment
 * has; a line with 0 leaves it.  Centra takes it only while the shipment is
 * neither sent, paid nor captured.  The quantities are absolute, so it may be
 * repeated.  The outcome is read as that of a mutation; `shipment` stays
 * empty. */
void order_api_edit_shipment(struct centra_conn *n, const char *shipment,
			     const struct centra_shipment_line *lines,
			     size_t n_lines, struct centra_done *ret);

/* DELETE <base>/shipments/<shipment>.  Centra refuses it for a shipment with
 * invoices or credit notes. */
void order_api_delete_shipment(struct centra_conn *n, const char *shipment,
			       struct centra_done *ret);

#endif
