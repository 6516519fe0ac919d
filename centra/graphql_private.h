/* SPDX-License-Identifier: MIT
 *
 * graphql_private.h - what graphql.c and shipping.c share.
 */
#ifndef CENTRA_GRAPHQL_PRIVATE_H
#define CENTRA_GRAPHQL_PRIVATE_H

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "centra/graphql.h"

/* Asked for wherever a shipment is read. */
#define SHIPMENT_FIELDS                                                       \
	"id number isGoodToGo isShipped isPaid isCaptured trackingNumber "    \
	"shippedAt lines { quantity orderLine { id } } "

/* Asks, and returns the reply's `data` in *ret_data, which lives as long as
 * the returned document (cJSON_Delete).  NULL, and call->end is not CALL_OK.
 * `once`: it changes something (transport.h). */
cJSON *graphql_ask(struct centra_conn *n, const struct buf *body, bool once,
		   struct call *call, const cJSON **ret_data);

/* False: it is not as it should be; what was read must still be ended. */
bool graphql_read_shipment(const cJSON *v, struct centra_shipment *s);
void graphql_shipment_end(struct centra_shipment *s);

/* What an entry of the payment history says (its `entryType` and `status`;
 * NULL: no entry).  Judged by the whole enum of types (CONTRACT-2 A1.3): done
 * is only CAPTURE with SUCCESS; failed is CAPTURE_FAILED, and a capture or
 * request with FAILED; a capture, request or CAPTURE_PENDING with any other
 * status is pending; every other type, those of gift cards among them, says
 * nothing. */
enum centra_payment graphql_read_payment(const cJSON *entry);

#endif
