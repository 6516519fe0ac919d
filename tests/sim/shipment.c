/* SPDX-License-Identifier: MIT */
#include "tests/sim/shipment.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/sim/clock.h"
#include "tests/sim/feed.h"
#include "tests/sim/hooks.h"
#include "tests/sim/stock.h"
#include "tests/sim/world.h"

enum capture { CAPTURE_OK, CAPTURE_FAIL, CAPTURE_PENDING };

static _Atomic int capture; /* enum capture */
static _Atomic int64_t capture_ms;   /* a pending one ends after this; 0: never */
static _Atomic bool capture_fails;   /* a pending one ends in failure */
static _Atomic bool ship_unpaid;     /* complete also what is pending */
static _Atomic bool entry_null; /* no paymentHistoryEntry in a capture's payload */
static char refusal[200]; /* of completeShipment; under refusal_lock */
static pthread_mutex_t refusal_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic int64_t next_id = 500;
static _Atomic int64_t next_payment = 7000;

/* A mutation under way. */
struct work {
	const cJSON *input; /* borrowed */
	const char *error;  /* a userError: nothing was changed */
	const char *warning;
	int64_t shipment; /* its id, once there is one */
	int64_t order;
	const char *payment; /* status of the capture */
	bool itself;	     /* Centra does it, and nobody asked */
	char words[200];     /* of `error`, where it is no constant */
};

void shipment_settings(const cJSON *spec)
{
	const char *how = json_text(spec, "capture", NULL);
	const char *refuse = json_text(spec, "refuse_complete", NULL);

	if (how)
		capture = !strcmp(how, "fail")	    ? CAPTURE_FAIL
			  : !strcmp(how, "pending") ? CAPTURE_PENDING
						    : CAPTURE_OK;
	capture_ms = json_int(spec, "capture_ms", capture_ms);
	capture_fails = json_flag(spec, "capture_fails", capture_fails);
	ship_unpaid = json_flag(spec, "ship_unpaid", ship_unpaid);
	entry_null = json_flag(spec, "capture_entry_null", entry_null);
	pthread_mutex_lock(&refusal_lock);
	if (refuse)
		snprintf(refusal, sizeof(refusal), "%s", refuse);
	pthread_mutex_unlock(&refusal_lock);
}

bool shipment_capture_fails(void)
{
	return capture == CAPTURE_FAIL;
}

void shipment_reset(void)
{
	capture = CAPTURE_OK;
	capture_ms = 0;
	capture_fails = ship_unpaid = entry_null = false;
	next_id = 500;
	pthread_mutex_lock(&refusal_lock);
	refusal[0] = '\0';
	pthread_mutex_unlock(&refusal_lock);
}

static void confirm(struct order *o, void *arg)
{
	struct work *k = arg;

	if (order_on_hold(o))
		k->error = "The order is on hold.";
	else if (strcmp(o->status, "PENDING"))
		k->error = "The order can not be confirmed in its status.";
	else
		o->status = "CONFIRMED";
}

bool shipment_take_money(struct shipment *s, const char **ret_payment)
{
	s->payment = next_payment++;
	switch ((enum capture)capture) {
	case CAPTURE_FAIL:
		return false;
	case CAPTURE_PENDING:
		s->capture_pending = true;
		s->capture_due = capture_ms ? clock_ms() + capture_ms : 0;
		s->capture_fails = capture_fails;
		s->captures++;
		*ret_payment = "PENDING";
		return true;
	default:
		s->captured = s->paid = true;
		s->captures++;
		*ret_payment = "SUCCESS";
		return true;
	}
}

int64_t shipment_line_left(const struct order *o, const struct line *l)
{
	return l->allocated - order_in_shipments(o, l->id);
}

/* Adds what is asked of a line to the shipment; what is not allocated can not
 * be shipped. */
static void add_line(struct order *o, struct shipment *s, int64_t id,
		     int64_t quantity, struct work *k)
{
	for (size_t i = 0; i < o->n_lines; i++) {
		struct line *l = &o->lines[i];

		if (l->id != id)
			continue;
		if (order_in_shipments(o, id) >= l->quantity) {
			k->error = "The order line is already fully shipped.";
			return;
		}
		if (quantity < 1 || quantity > shipment_line_left(o, l) || l->waiting) {
			k->error = "The quantity is not allocated.";
			return;
		}
		s->lines[s->n_lines].line = id;
		s->lines[s->n_lines++].quantity = quantity;
		return;
	}
	k->error = "Unknown order line.";
}

static void fill(struct order *o, struct shipment *s, struct work *k)
{
	const cJSON *lines = cJSON_GetObjectItemCaseSensitive(k->input,
							      "lines");
	const cJSON *l;

	cJSON_ArrayForEach(l, lines)
		if (!k->error && s->n_lines < LINES_MAX)
			add_line(o, s,
				 json_int(cJSON_GetObjectItemCaseSensitive(
						  l, "orderLine"),
					  "id", 0),
				 json_int(l, "quantity", 0), k);
	for (size_t i = 0; i < o->n_lines && !lines && !k->error; i++)
		if (shipment_line_left(o, &o->lines[i]) > 0)
			add_line(o, s, o->lines[i].id,
				 shipment_line_left(o, &o->lines[i]), k);
	if (!k->error && !s->n_lines)
		k->error = "There is nothing to ship.";
}

/* A warehouse that polls what is good-to-go would pick it, paid or not. */
void shipment_note_early(struct shipment *s)
{
	if (s->good_to_go && !s->paid && !s->captured)
		s->early = true;
}

static void create(struct order *o, void *arg)
{
	struct work *k = arg;
	struct shipment s = {.created = clock_ms(), .packages = 1};

	if (!strcmp(o->status, "SHIPPED"))
		k->error = "The order is \"shipped\".";
	else if (order_on_hold(o) || (strcmp(o->status, "CONFIRMED") &&
			       strcmp(o->status, "PROCESSING")))
		k->error = "Only a confirmed order that is not on hold can be "
			   "shipped.";
	else if (o->n_shipments == SHIPMENTS_MAX)
		k->error = "Too many shipments.";
	if (!k->error)
		fill(o, &s, k);
	if (k->error)
		return;
	s.id = k->shipment = next_id++;
	snprintf(s.number, sizeof(s.number), "%lld-%d", (long long)o->number,
		 ++o->shipments_made);
	s.good_to_go = json_flag(k->input, "isGoodToGo", false);
	s.paid = json_flag(k->input, "isPaid", false);
	if (json_flag(k->input, "capture", false) &&
	    !shipment_take_money(&s, &k->payment))
		k->warning = "Could not capture the payment.";
	if (!k->itself)
		shipment_note_early(&s);
	o->shipments[o->n_shipments++] = s;
	o->status = "PROCESSING";
	feed_note("Shipment", "CREATED", s.id, o->number);
	hooks_event("shipment", "create", s.id, NULL);
}

static void capture_it(struct order *o, struct shipment *s, void *arg)
{
	struct work *k = arg;

	k->order = o->number;
	if (s->captured)
		k->error = "The shipment is already captured.";
	else if (s->capture_pending)
		k->error = "A capture is under way.";
	else if (!shipment_take_money(s, &k->payment))
		k->error = "Could not capture the payment.";
}

void shipment_text(char **field, const cJSON *info, const char *key)
{
	const char *s = json_text(info, key, NULL);

	if (!s)
		return;
	free(*field);
	*field = must(strdup(s));
}

static bool in_future(const cJSON *input)
{
	const char *at = json_text(input, "shippedAt", NULL);
	struct tm tm = {0};

	return at && strptime(at, "%Y-%m-%dT%H:%M:%S", &tm) &&
	       (int64_t)timegm(&tm) * 1000 > clock_ms();
}

/* NULL: nothing stands against it. */
static const char *cannot_complete(const struct shipment *s, struct work *k)
{
	if (s->shipped)
		return "The shipment is already shipped.";
	if (!s->good_to_go || !(s->paid || s->captured ||
				(ship_unpaid && s->capture_pending)))
		return "The shipment is not paid or not good to go.";
	if (in_future(k->input))
		return "shippedAt can not be in the future.";
	pthread_mutex_lock(&refusal_lock);
	snprintf(k->words, sizeof(k->words), "%s", refusal);
	pthread_mutex_unlock(&refusal_lock);
	return *k->words ? k->words : NULL;
}

void shipment_done(struct order *o, struct shipment *s)
{
	int64_t left = 0;

	for (size_t i = 0; i < s->n_lines; i++)
		for (size_t k = 0; k < o->n_lines; k++)
			if (o->lines[k].id == s->lines[i].line)
				stock_leaves(&o->lines[k], s->lines[i].quantity);
	s->shipped = true;
	s->completions++;
	s->shipped_at = clock_ms();
	for (size_t i = 0; i < o->n_lines; i++)
		if (o->lines[i].stock)
			left += o->lines[i].quantity -
				order_in_shipments(o, o->lines[i].id);
	if (left == 0)
		o->status = "SHIPPED";
	feed_note("Shipment", "COMPLETED", s->id, o->number);
	hooks_event("shipment", "update", s->id, NULL);
}

static void complete(struct order *o, struct shipment *s, void *arg)
{
	struct work *k = arg;
	const cJSON *info = cJSON_GetObjectItemCaseSensitive(k->input,
							     "shipmentInfo");

	k->order = o->number;
	k->error = cannot_complete(s, k);
	if (k->error)
		return;
	shipment_text(&s->carrier, info, "carrier");
	shipment_text(&s->service, info, "service");
	shipment_text(&s->tracking, info, "trackingNumber");
	s->packages = json_int(info, "packagesNumber", s->packages);
	shipment_done(o, s);
}

static void update(struct order *o, struct shipment *s, void *arg)
{
	struct work *k = arg;

	k->order = o->number;
	s->paid = json_flag(k->input, "isPaid", s->paid);
	s->good_to_go = json_flag(k->input, "isGoodToGo", s->good_to_go);
	shipment_note_early(s);
}

/* ---- what Centra does by itself ---- */

struct made {
	const cJSON *spec;
	const char *why;
};

/* As "Direct to Shipment" does: a shipment nobody asked for. */
static void make(struct order *o, void *arg)
{
	struct made *m = arg;
	struct work k = {.input = m->spec, .itself = true};
	cJSON *in = must(cJSON_CreateObject());
	const cJSON *lines = cJSON_GetObjectItemCaseSensitive(m->spec,
							      "lines");

	cJSON_AddBoolToObject(in, "isGoodToGo",
			      json_flag(m->spec, "good_to_go", true));
	if (lines)
		cJSON_AddItemToObject(in, "lines",
				      must(cJSON_Duplicate(lines, 1)));
	k.input = in;
	create(o, &k);
	m->why = k.error;
	cJSON_Delete(in);
}

void shipment_by_centra(struct order *o)
{
	struct made m = {0};

	make(o, &m);
}

const char *shipment_create(struct order *o, const cJSON *input,
			    struct shipment **ret)
{
	struct work k = {.input = input};

	create(o, &k);
	*ret = k.error ? NULL : &o->shipments[o->n_shipments - 1];
	return k.error;
}

const char *shipment_make(int64_t number, const cJSON *spec)
{
	struct made m = {.spec = spec};

	return world_with(number, make, &m) ? m.why : "no such order";
}

/* ---- which is which ---- */

static const struct {
	const char *name;
	void (*order)(struct order *o, void *arg);
	void (*shipment)(struct order *o, struct shipment *s, void *arg);
} mutations[] = {
	{"confirmOrder", confirm, NULL},
	{"createShipment", create, NULL},
	{"captureShipment", NULL, capture_it},
	{"completeShipment", NULL, complete},
	{"updateShipment", NULL, update},
};

static void add_remark(cJSON *v, const char *key, const char *message)
{
	cJSON *a = cJSON_AddArrayToObject(v, key), *c;

	if (!message)
		return;
	c = must(cJSON_CreateObject());
	cJSON_AddItemToArray(a, c);
	cJSON_AddStringToObject(c, "message", message);
	cJSON_AddArrayToObject(c, "path");
}

static void add_found(cJSON *v, const struct work *k)
{
	cJSON *orders = world_order_now(k->order), *c;
	const cJSON *s;

	cJSON_ArrayForEach(s, cJSON_GetObjectItemCaseSensitive(orders->child,
							       "shipments"))
		if (json_int(s, "id", 0) == k->shipment)
			cJSON_AddItemToObject(v, "shipment",
					      cJSON_Duplicate(s, 1));
	if (orders->child)
		cJSON_AddItemToObject(v, "order",
				      cJSON_Duplicate(orders->child, 1));
	cJSON_Delete(orders);
	if (k->payment && entry_null) {
		cJSON_AddNullToObject(v, "paymentHistoryEntry");
	} else if (k->payment) {
		c = cJSON_AddObjectToObject(v, "paymentHistoryEntry");
		json_add_int(c, "id", next_payment - 1);
		cJSON_AddStringToObject(c, "status", k->payment);
		cJSON_AddStringToObject(c, "entryType",
					strcmp(k->payment, "PENDING")
						? "CAPTURE"
						: "CAPTURE_REQUEST");
	}
}

cJSON *shipment_mutation(const char *name, const cJSON *args,
			 int64_t *ret_order)
{
	const cJSON *input = cJSON_GetObjectItemCaseSensitive(args, "input");
	const cJSON *order = cJSON_GetObjectItemCaseSensitive(input, "order");
	struct work k = {.input = input,
			 .shipment = json_int(args, "id", 0),
			 .order = json_int(order, "number", 0)};
	bool found = false;
	cJSON *v;
	size_t i = 0, n = sizeof(mutations) / sizeof(mutations[0]);

	while (i < n && strcmp(mutations[i].name, name))
		i++;
	if (i == n)
		return NULL;
	if (mutations[i].order)
		found = world_with(k.order, mutations[i].order, &k);
	else
		found = world_with_shipment(k.shipment, mutations[i].shipment,
					    &k);
	if (!found)
		k.error = "Not found.";
	v = must(cJSON_CreateObject());
	add_remark(v, "userErrors", k.error);
	add_remark(v, "userWarnings", k.warning);
	if (!k.error)
		add_found(v, &k);
	*ret_order = k.order;
	return v;
}
