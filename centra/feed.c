/* SPDX-License-Identifier: MIT
 *
 * feed.c - the feed of events; see feed.h.
 */
#include "centra/feed.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/number.h"
#include "centra/graphql_private.h"

#define QUERY_MAX ((size_t)16 << 10)

/* Centra's names of the objects (EventObjectType). */
static const char *const objects[] = {[FEED_ORDER] = "Order",
				      [FEED_SHIPMENT] = "Shipment",
				      [FEED_RETURN] = "Return"};

static void unreadable(struct call *call, const char *what)
{
	call->end = CALL_UNKNOWN;
	(void)!fail(&call->why, RC_AGAIN, "GraphQL: cannot read the %s", what);
}

static void put_ids(struct buf *body, const char *key, const int64_t *ids,
		    size_t n)
{
	json_begin_list(body, key);
	for (size_t i = 0; i < n; i++)
		json_put_int(body, NULL, ids[i]);
	json_end_list(body);
}

/* Begins a query whose variable $n is a list of numbers, and ends it. */
static void put_numbers(struct buf *body, const int64_t *ids, size_t n)
{
	json_begin(body, "variables");
	put_ids(body, "n", ids, n);
	json_end(body);
	json_end(body);
}

void graphql_listen(struct centra_conn *n, struct centra_done *ret)
{
	struct gql_reply r;
	struct buf body;

	*ret = (struct centra_done){0};
	gql_begin_mutation(
		&body,
		"mutation L { setEventListeners(input:["
		"{objectType:Order},{objectType:Shipment},"
		"{objectType:Return}]) { eventListeners { objectType } "
		GQL_REMARKS "} }");
	gql_end_mutation(&body);
	(void)gql_tell(n, "setEventListeners", &body, ret, &r);
	gql_reply_end(&r);
	buf_release(&body);
}

static enum feed_object object_of(const char *name)
{
	for (int i = FEED_ORDER; i < FEED_OTHER; i++)
		if (!strcmp(objects[i], name))
			return (enum feed_object)i;
	return FEED_OTHER;
}

static bool read_event(const struct json *v, struct feed_event *ev)
{
	const char *object = json_text(json_get(v, "objectType"));
	int offset;

	*ev = (struct feed_event){0};
	if (!gql_read_id(v, &ev->id) || ev->id > INT32_MAX || !object)
		return false;
	if (!json_int(json_get(v, "objectReference"), &ev->reference))
		ev->reference = 0;
	ev->object = object_of(object);
	if (!json_time(json_get(v, "createdAt"), &ev->created, &offset))
		ev->created = 0;
	return true;
}

static void read_events(const struct json *list, struct feed_events *ret)
{
	const struct json *v;

	ret->list = xcalloc(json_length(list) + 1, sizeof(*ret->list));
	json_each(v, list)
	{
		if (ret->n < FEED_EVENTS_MOST &&
		    read_event(v, &ret->list[ret->n]))
			ret->n++;
		else
			ret->unread++;
	}
}

/* Asks for numbers alone: each member of `object` would need a permission of
 * its own (CONTRACT 6.8). */
void graphql_events(struct centra_conn *n, struct feed_events *ret)
{
	struct gql_reply r;
	struct buf body;

	*ret = (struct feed_events){0};
	buf_init(&body, QUERY_MAX);
	gql_begin(&body,
		  "query E { events("
		  "where:{objectType:[Order,Shipment,Return]}, limit:%d) { "
		  "id objectType changeType objectReference createdAt } }",
		  FEED_EVENTS_MOST);
	json_end(&body);
	gql_ask(n, &body, false, &ret->call, &r);
	buf_release(&body);
	if (ret->call.end == CALL_OK) {
		if (json_is_list(json_get(r.data, "events")))
			read_events(json_get(r.data, "events"), ret);
		if (!ret->list || (ret->unread && !ret->n)) {
			feed_events_release(ret);
			unreadable(&ret->call, "events");
		}
	}
	gql_reply_end(&r);
}

void feed_events_release(struct feed_events *f)
{
	free(f->list);
	f->list = NULL;
	f->n = f->unread = 0;
}

void graphql_confirm_events(struct centra_conn *n, const int64_t *ids,
			    size_t n_ids, struct centra_done *ret)
{
	struct gql_reply r;
	struct buf body;

	*ret = (struct centra_done){0};
	gql_begin_mutation(&body,
			   "mutation C($ids:[Int!]!) { "
			   "confirmEvents(input:{eventsIds:$ids}) { "
			   GQL_REMARKS "} }");
	put_ids(&body, "ids", ids, n_ids);
	gql_end_mutation(&body);
	(void)gql_tell(n, "confirmEvents", &body, ret, &r);
	gql_reply_end(&r);
	buf_release(&body);
}

/* ---- whose a shipment or return is ---- */

/* Reads the order's number from that of a shipment, "39790-1"; 0: it has
 * another form. */
static int64_t order_of(const char *shipment)
{
	const char *dash = shipment ? strchr(shipment, '-') : NULL;
	char digits[32];
	int64_t n = 0;
	size_t len = dash ? (size_t)(dash - shipment) : sizeof(digits);

	if (len >= sizeof(digits))
		return 0;
	memcpy(digits, shipment, len);
	digits[len] = '\0';
	return number_read(digits, 1, INT64_MAX, &n) ? n : 0;
}

static void read_owners(const struct json *list, enum feed_object object,
			struct feed_owners *ret)
{
	const struct json *v, *shipment;
	struct feed_owner *o;

	ret->list = xcalloc(json_length(list) + 1, sizeof(*ret->list));
	json_each(v, list)
	{
		o = &ret->list[ret->n];
		shipment = object == FEED_RETURN ? json_get(v, "shipment") : v;
		o->order = order_of(json_text(json_get(shipment, "number")));
		if (gql_read_id(v, &o->id) && o->order)
			ret->n++;
	}
}

void graphql_owners(struct centra_conn *n, enum feed_object object,
		    const int64_t *ids, size_t n_ids, struct feed_owners *ret)
{
	struct gql_reply r;
	struct buf body;

	*ret = (struct feed_owners){0};
	buf_init(&body, QUERY_MAX);
	if (object == FEED_RETURN)
		gql_begin(&body,
			  "query R($n:[Int!]) { found: returns("
			  "where:{id:$n}, limit:%zu) { "
			  "...on DirectToConsumerReturn { id "
			  "shipment { number } } } }",
			  n_ids);
	else
		gql_begin(&body,
			  "query S($n:[Int!]) { found: shipments("
			  "where:{id:$n}, limit:%zu) { id number } }",
			  n_ids);
	put_numbers(&body, ids, n_ids);
	gql_ask(n, &body, false, &ret->call, &r);
	buf_release(&body);
	if (ret->call.end == CALL_OK) {
		if (json_is_list(json_get(r.data, "found")))
			read_owners(json_get(r.data, "found"), object, ret);
		else
			unreadable(&ret->call, "shipments");
	}
	gql_reply_end(&r);
}

void feed_owners_release(struct feed_owners *o)
{
	free(o->list);
	o->list = NULL;
	o->n = 0;
}

/* ---- which orders wait, and which are locked ---- */

void graphql_waiting_of(struct centra_conn *n, const int64_t *numbers,
			size_t n_numbers, struct centra_numbers *ret)
{
	struct buf body;

	buf_init(&body, QUERY_MAX);
	gql_begin(&body,
		  "query W($n:[Int!]) { orders(where:{number:$n, "
		  "isWaitingForCheckFirstAllocation:true}, "
		  "sort:[number_ASC], limit:%zu) { number } }",
		  n_numbers);
	put_numbers(&body, numbers, n_numbers);
	gql_ask_numbers(n, &body, ret);
}
