/* SPDX-License-Identifier: MIT
 *
 * shipping.c - the mutations that confirm an order and ship it; see graphql.h.
 *
 * If Centra's reply leaves the outcome in doubt, the call is CALL_UNKNOWN and
 * the caller looks at the order.
 */
#include <stdlib.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/time.h"
#include "centra/graphql_private.h"

#define MUTATION_MAX ((size_t)256 << 10)
#define REMARKS_MAX  1000

/* Returns the messages of a list, joined by "; "; NULL: it is empty. */
static char *remarks(const struct json *list)
{
	const struct json *v;
	struct buf b;
	char *text;

	if (json_empty(list))
		return NULL;
	buf_init(&b, REMARKS_MAX);
	json_each(v, list)
	{
		text = json_words(json_get(v, "message"));
		if (b.len)
			buf_str(&b, "; ");
		buf_str(&b, text ? text : "a remark without a message");
		free(text);
	}
	return buf_detach(&b, NULL);
}

void gql_doubtful(struct centra_done *ret, const char *what)
{
	ret->call.end = CALL_UNKNOWN;
	(void)!fail(&ret->call.why, RC_AGAIN,
		    "GraphQL: cannot read what %s did", what);
}

/* Sets the outcome of a mutation whose reply has errors, or could not be
 * read. */
static void judge(struct centra_done *ret, const struct gql_reply *r,
		  const char *name)
{
	switch (gql_judge(r, &ret->call, name)) {
	case GQL_RAN:
		break; /* as the call ended */
	case GQL_DENIED:
		ret->call.end = CALL_NOT_DONE;
		break;
	case GQL_NOT_RUN:
		ret->call.end = CALL_NOT_DONE;
		ret->misread = true;
		break;
	}
}

const struct json *gql_tell(struct centra_conn *n, const char *name,
			    const struct buf *body, struct centra_done *ret,
			    struct gql_reply *reply)
{
	const struct json *payload;

	*reply = (struct gql_reply){0};
	if (buf_full(body)) {
		ret->call.end = CALL_NOT_DONE;
		ret->misread = true;
		(void)!fail(&ret->call.why, RC_FULL, "%s: too much to ask",
			    name);
		return NULL;
	}
	gql_ask(n, body, true, &ret->call, reply);
	if (ret->call.end != CALL_OK) {
		judge(ret, reply, name);
		return NULL;
	}
	payload = json_get(reply->data, name);
	if (!json_is_object(payload)) {
		gql_doubtful(ret, name);
		return NULL;
	}
	ret->error = remarks(json_get(payload, "userErrors"));
	ret->warning = remarks(json_get(payload, "userWarnings"));
	return payload;
}

void centra_done_release(struct centra_done *d)
{
	free(d->error);
	free(d->warning);
	graphql_shipment_end(&d->shipment);
	d->error = d->warning = NULL;
}

void gql_begin_mutation(struct buf *body, const char *query)
{
	buf_init(body, MUTATION_MAX);
	gql_begin(body, "%s", query);
	json_begin(body, "variables");
}

void gql_end_mutation(struct buf *body)
{
	json_end(body);
	json_end(body);
}

static void put_order(struct buf *body, int64_t number)
{
	json_begin(body, "order");
	json_put_int(body, "number", number);
	json_end(body);
}

void graphql_confirm_order(struct centra_conn *n, int64_t number,
			   struct centra_done *ret)
{
	struct gql_reply r;
	struct buf body;

	*ret = (struct centra_done){0};
	gql_begin_mutation(
		&body,
		"mutation C($input:OrderConfirmInput!) { "
		"confirmOrder(input:$input) { order { number status } " GQL_REMARKS
		"} }");
	json_begin(&body, "input");
	put_order(&body, number);
	json_end(&body);
	gql_end_mutation(&body);
	(void)gql_tell(n, "confirmOrder", &body, ret, &r);
	gql_reply_end(&r);
	buf_release(&body);
}

/* Reads the shipment in a payload.  The payload of a refusal has none. */
static void read_result(const struct json *payload, const char *name,
			struct centra_done *ret)
{
	if (payload && !ret->error &&
	    !graphql_read_shipment(json_get(payload, "shipment"),
				   &ret->shipment))
		gql_doubtful(ret, name);
}

static void put_lines(struct buf *body,
		      const struct centra_shipment_line *lines, size_t n)
{
	json_begin_list(body, "lines");
	for (size_t i = 0; i < n; i++) {
		json_begin(body, NULL);
		json_begin(body, "orderLine");
		json_put_int(body, "id", lines[i].line);
		json_end(body);
		json_put_int(body, "quantity", lines[i].quantity);
		json_end(body);
	}
	json_end_list(body);
}

void graphql_create_shipment(struct centra_conn *n, int64_t number,
			     const struct centra_shipment_line *lines,
			     size_t n_lines, struct centra_done *ret)
{
	struct gql_reply r;
	struct buf body;

	*ret = (struct centra_done){0};
	gql_begin_mutation(
		&body,
		"mutation S($input:ShipmentCreateInput!) { "
		"createShipment(input:$input) { shipment { " SHIPMENT_FIELDS
		"} " GQL_REMARKS "} }");
	json_begin(&body, "input");
	put_order(&body, number);
	json_put_bool(&body, "isGoodToGo", false);
	json_put_bool(&body, "capture", false);
	put_lines(&body, lines, n_lines);
	json_end(&body);
	gql_end_mutation(&body);
	read_result(gql_tell(n, "createShipment", &body, ret, &r),
		    "createShipment", ret);
	gql_reply_end(&r);
	buf_release(&body);
}

/* Reads whether the shipment is captured.  Its own flags count even if other
 * fields failed: an error at the payment history, which our token may not read,
 * does not undo a capture. */
static void read_captured(const struct json *payload, struct centra_done *ret)
{
	const struct json *shipment = json_get(payload, "shipment");

	ret->captured = json_is_true(json_get(shipment, "isCaptured"));
	ret->paid = json_is_true(json_get(shipment, "isPaid"));
	ret->payment = graphql_read_payment(
		json_get(payload, "paymentHistoryEntry"));
	if (ret->captured)
		ret->call.end = CALL_OK;
}

void graphql_capture_shipment(struct centra_conn *n, int64_t id,
			      struct centra_done *ret)
{
	const struct json *payload;
	struct gql_reply r;
	struct buf body;

	*ret = (struct centra_done){0};
	gql_begin_mutation(&body,
		       "mutation P($id:Int!) { captureShipment(id:$id) { "
		       "shipment { id isCaptured isPaid } "
		       "paymentHistoryEntry { status entryType } " GQL_REMARKS
		       "} }");
	json_put_int(&body, "id", id);
	gql_end_mutation(&body);
	payload = gql_tell(n, "captureShipment", &body, ret, &r);
	if (!payload && ret->call.end == CALL_UNKNOWN)
		payload = json_get(r.data, "captureShipment");
	read_captured(payload, ret);
	gql_reply_end(&r);
	buf_release(&body);
}

void graphql_good_to_go(struct centra_conn *n, int64_t id,
			struct centra_done *ret)
{
	struct gql_reply r;
	struct buf body;

	*ret = (struct centra_done){0};
	gql_begin_mutation(&body,
		       "mutation G($id:Int!,$input:ShipmentUpdateInput!) { "
		       "updateShipment(id:$id,input:$input) { "
		       "shipment { " SHIPMENT_FIELDS "} " GQL_REMARKS "} }");
	json_put_int(&body, "id", id);
	json_begin(&body, "input");
	json_put_bool(&body, "isGoodToGo", true);
	json_end(&body);
	gql_end_mutation(&body);
	read_result(gql_tell(n, "updateShipment", &body, ret, &r),
		    "updateShipment", ret);
	gql_reply_end(&r);
	buf_release(&body);
}

static void add_text(struct buf *b, const char *name, const char *value)
{
	if (value)
		json_put(b, name, value);
}

void graphql_complete_shipment(struct centra_conn *n, int64_t id,
			       const struct centra_parcel *p,
			       struct centra_done *ret)
{
	struct gql_reply r;
	struct buf body;

	*ret = (struct centra_done){0};
	gql_begin_mutation(&body,
		       "mutation D($id:Int!,$input:ShipmentCompleteInput!) { "
		       "completeShipment(id:$id,input:$input) { "
		       "shipment { " SHIPMENT_FIELDS "} " GQL_REMARKS "} }");
	json_put_int(&body, "id", id);
	json_begin(&body, "input");
	json_put_bool(&body, "sendEmail", true);
	if (p->shipped_at)
		json_put_time(&body, "shippedAt", p->shipped_at, 0, false);
	json_begin(&body, "shipmentInfo");
	json_put_int(&body, "packagesNumber", p->packages);
	add_text(&body, "carrier", p->carrier);
	add_text(&body, "service", p->service);
	add_text(&body, "trackingNumber", p->tracking);
	json_end(&body);
	json_end(&body);
	gql_end_mutation(&body);
	read_result(gql_tell(n, "completeShipment", &body, ret, &r),
		    "completeShipment", ret);
	gql_reply_end(&r);
	buf_release(&body);
}
