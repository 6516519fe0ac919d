/* SPDX-License-Identifier: MIT */
#include "tests/sim/return.h"

#include <stdlib.h>
#include <string.h>

#include "tests/sim/clock.h"
#include "tests/sim/feed.h"
#include "tests/sim/order_api.h"
#include "tests/sim/shipment.h"
#include "tests/sim/stock.h"
#include "tests/sim/world.h"

#define LINE_IDS 100 /* ids of the lines of one shipment */

struct given_back {
	int64_t id, order, shipment;
	int64_t warehouse; /* where it went; 0: it was removed from stock */
	char *comment;	   /* owned */
	bool completed;
	int64_t at;
	struct {
		int64_t id, line, quantity; /* id: of the shipment's line */
	} lines[LINES_MAX];
	size_t n_lines;
	struct given_back *before;
};

/* Under the world's lock. */
static struct given_back *newest;
static int64_t next_id = 315;
static char refusal[200];
static int64_t refuses; /* the shipment that it is refused for; 0: each */
static bool hidden, comments;

int64_t return_line_id(const struct shipment *s, size_t line)
{
	return s->id * LINE_IDS + (int64_t)line;
}

static int64_t units(int64_t order, int64_t shipment_line, int64_t line,
		     bool completed)
{
	int64_t n = 0;

	for (const struct given_back *g = newest; g; g = g->before)
		for (size_t i = 0; g->order == order && i < g->n_lines; i++)
			if ((g->completed || !completed) &&
			    (shipment_line ? g->lines[i].id == shipment_line
					   : g->lines[i].line == line))
				n += g->lines[i].quantity;
	return n;
}

int64_t return_units(const struct order *o, int64_t line)
{
	return units(o->number, 0, line, hidden);
}

struct call {
	const cJSON *input;
	int64_t order;
	const char *error;
	char words[200];
	struct given_back *made;
};

static void add_line(const struct order *o, const struct shipment *s,
		     const cJSON *in, struct call *c)
{
	const cJSON *of = cJSON_GetObjectItemCaseSensitive(in, "shipmentLine");
	int64_t id = json_int(of, "id", 0), q = json_int(in, "quantity", 0);
	struct given_back *g = c->made;

	for (size_t i = 0; i < s->n_lines; i++) {
		if (return_line_id(s, i) != id)
			continue;
		if (q < 1 || q > s->lines[i].quantity - units(o->number, id, 0, false))
			c->error = "Quantity is more than what can be "
				   "returned.";
		g->lines[g->n_lines].id = id;
		g->lines[g->n_lines].line = s->lines[i].line;
		g->lines[g->n_lines++].quantity = q;
		return;
	}
	c->error = "Shipment line not found.";
}

/* Exactly one policy says where the goods go. */
static void read_policy(struct call *c)
{
	const cJSON *p = cJSON_GetObjectItemCaseSensitive(
		c->input, "returnStockActionPolicy");
	const cJSON *to = cJSON_GetObjectItemCaseSensitive(
		p, "sendItemsToDifferentWarehouse");
	bool removed = json_flag(p, "removeItemsFromStock", false);

	c->made->warehouse = json_int(to, "id", 0);
	if (cJSON_GetArraySize(p) != 1 || !(removed || c->made->warehouse))
		c->error = "Exactly one stock action is wanted.";
	else if (c->made->warehouse &&
		 !*world_warehouse_name(c->made->warehouse))
		c->error = "Warehouse not found.";
}

static void restock(const struct order *o, const struct given_back *g)
{
	for (size_t i = 0; g->warehouse && i < g->n_lines; i++)
		for (size_t k = 0; k < o->n_lines; k++) {
			struct line there = o->lines[k];

			there.warehouse = g->warehouse;
			if (there.id == g->lines[i].line)
				stock_leaves(&there, -g->lines[i].quantity);
		}
}

static void create(struct order *o, struct shipment *s, void *arg)
{
	struct call *c = arg;
	const cJSON *lines =
		cJSON_GetObjectItemCaseSensitive(c->input, "lines");
	const cJSON *l;

	c->order = o->number;
	c->made = must(calloc(1, sizeof(*c->made)));
	read_policy(c);
	if (!s->shipped)
		c->error = "The shipment is not shipped.";
	if (!cJSON_GetArraySize(lines) ||
	    cJSON_GetArraySize(lines) > LINES_MAX)
		c->error = "There is nothing to return.";
	cJSON_ArrayForEach(l, lines)
		if (!c->error)
			add_line(o, s, l, c);
	snprintf(c->words, sizeof(c->words), "%s", refusal);
	if (*c->words && (!refuses || refuses == s->id))
		c->error = c->words;
	if (c->error) {
		free(c->made);
		c->made = NULL;
		return;
	}
	c->made->id = next_id++;
	c->made->order = o->number;
	c->made->shipment = s->id;
	c->made->at = clock_ms();
	c->made->comment =
		must(strdup(json_text(c->input, "comment", "")));
	c->made->before = newest;
	newest = c->made;
	restock(o, c->made);
	feed_note("Return", "CREATED", c->made->id, o->number);
}

static void add_remarks(cJSON *v, const char *key, const char *message)
{
	cJSON *a = cJSON_AddArrayToObject(v, key), *c;

	if (!message)
		return;
	c = must(cJSON_CreateObject());
	cJSON_AddItemToArray(a, c);
	cJSON_AddStringToObject(c, "message", message);
	cJSON_AddArrayToObject(c, "path");
}

cJSON *return_mutation(const char *name, const cJSON *args,
		       int64_t *ret_order)
{
	const cJSON *input = cJSON_GetObjectItemCaseSensitive(args, "input");
	const cJSON *of = cJSON_GetObjectItemCaseSensitive(input, "shipment");
	struct call c = {.input = input};
	cJSON *v, *made, *lines, *line;

	if (strcmp(name, "createReturn") != 0)
		return NULL;
	if (!world_with_shipment(json_int(of, "id", 0), create, &c))
		c.error = "Shipment not found.";
	*ret_order = c.order;
	v = must(cJSON_CreateObject());
	add_remarks(v, "userErrors", c.error);
	add_remarks(v, "userWarnings", NULL);
	if (c.error) {
		cJSON_AddNullToObject(v, "return");
		return v;
	}
	made = cJSON_AddObjectToObject(v, "return");
	json_add_int(made, "id", c.made->id);
	lines = cJSON_AddArrayToObject(made, "lines");
	for (size_t i = 0; i < c.made->n_lines; i++) {
		line = must(cJSON_CreateObject());
		cJSON_AddItemToArray(lines, line);
		json_add_int(line, "id", c.made->id * LINE_IDS + (int64_t)i);
	}
	return v;
}

static void ship_all(struct order *o, void *arg)
{
	(void)arg;
	for (size_t i = 0; i < o->n_shipments; i++) {
		struct shipment *s = &o->shipments[i];

		if (s->shipped)
			continue;
		s->good_to_go = s->paid = s->captured = true;
		shipment_done(o, s);
	}
}

const char *return_ship_all(int64_t number)
{
	cJSON *spec = must(cJSON_CreateObject());
	const char *why = shipment_make(number, spec);

	cJSON_Delete(spec);
	if (!why)
		(void)world_with(number, ship_all, NULL);
	return why;
}

/* A person gives back units of the first line of the first shipment. */
static void book_elsewhere(struct order *o, void *arg)
{
	struct given_back *g;

	if (!o->n_shipments || !o->shipments[0].n_lines)
		return;
	g = must(calloc(1, sizeof(*g)));
	g->id = next_id++;
	g->order = o->number;
	g->shipment = o->shipments[0].id;
	g->comment = must(strdup(json_text(arg, "comment", "")));
	g->lines[0].id = return_line_id(&o->shipments[0], 0);
	g->lines[0].line = o->shipments[0].lines[0].line;
	g->lines[0].quantity = json_int(arg, "quantity", 1);
	g->n_lines = 1;
	g->before = newest;
	newest = g;
}

static void complete_all(struct order *o, void *arg)
{
	(void)arg;
	for (struct given_back *g = newest; g; g = g->before)
		g->completed |= g->order == o->number;
}

const char *return_elsewhere(const cJSON *spec)
{
	return world_with(json_int(spec, "order", 0),
			  json_flag(spec, "complete", false) ? complete_all
							     : book_elsewhere,
			  (void *)(uintptr_t)spec)
		       ? NULL
		       : "no such order";
}

static void add_state(void *arg)
{
	cJSON *list = arg, *v, *lines, *l;

	for (const struct given_back *g = newest; g; g = g->before) {
		v = must(cJSON_CreateObject());
		cJSON_InsertItemInArray(list, 0, v);
		json_add_int(v, "id", g->id);
		json_add_int(v, "order", g->order);
		json_add_int(v, "shipment", g->shipment);
		json_add_int(v, "warehouse", g->warehouse);
		cJSON_AddStringToObject(v, "comment", g->comment);
		lines = cJSON_AddArrayToObject(v, "lines");
		for (size_t i = 0; i < g->n_lines; i++) {
			l = must(cJSON_CreateObject());
			cJSON_AddItemToArray(lines, l);
			json_add_int(l, "line", g->lines[i].line);
			json_add_int(l, "quantity", g->lines[i].quantity);
		}
	}
}

cJSON *return_state(void)
{
	cJSON *v = must(cJSON_CreateObject());

	world_locked(add_state, cJSON_AddArrayToObject(v, "returns"));
	return v;
}

/* ---- GET /returns of the Order API: the newest first ---- */

static cJSON *row_of(const struct given_back *g)
{
	cJSON *v = must(cJSON_CreateObject()), *list, *l;

	json_add_int(v, "returnId", g->id);
	cJSON_AddBoolToObject(v, "completed", g->completed);
	json_add_int(v, "shipmentId", g->shipment);
	json_add_int(v, "orderId", g->order);
	if (comments && *g->comment)
		cJSON_AddStringToObject(v, "comment", g->comment);
	else
		cJSON_AddNullToObject(v, "comment");
	list = cJSON_AddArrayToObject(v, "products");
	for (size_t i = 0; i < g->n_lines; i++) {
		l = must(cJSON_CreateObject());
		cJSON_AddItemToArray(list, l);
		json_add_int(l, "shipmentLineId", g->lines[i].id);
		json_add_int(l, "orderLineId", g->lines[i].line);
		json_add_int(l, "quantity", g->lines[i].quantity);
	}
	return v;
}

struct listing {
	int64_t order, skip, most;
	cJSON *rows;
};

static void add_rows(void *arg)
{
	struct listing *l = arg;

	for (const struct given_back *g = newest; g; g = g->before)
		if (g->order == l->order && l->skip-- <= 0 && l->most-- > 0)
			cJSON_AddItemToArray(l->rows, row_of(g));
}

void return_list_call(struct api_call *c)
{
	struct listing l = {
		.order = api_number(c->x, "order", 0, 0, INT64_MAX),
		.most = api_number(c->x, "limit", 100, 1, 100),
	};
	cJSON *v = api_ok();

	l.skip = (api_number(c->x, "page", 1, 1, 1000) - 1) * l.most;
	l.rows = cJSON_AddArrayToObject(v, "returns");
	world_locked(add_rows, &l);
	exchange_json(c->x, 200, v);
}

static void set(void *arg)
{
	const char *refuse = json_text(arg, "refuse_return", NULL);

	hidden = json_flag(arg, "returned_hidden", hidden);
	comments = json_flag(arg, "return_comments", comments);
	refuses = json_int(arg, "refuse_return_of", refuses);
	if (refuse)
		snprintf(refusal, sizeof(refusal), "%s", refuse);
}

void return_settings(const cJSON *spec)
{
	world_locked(set, (void *)(uintptr_t)spec);
}

static void forget(void *arg)
{
	(void)arg;
	while (newest) {
		struct given_back *g = newest;

		newest = g->before;
		free(g->comment);
		free(g);
	}
	refusal[0] = '\0';
	refuses = 0;
	hidden = comments = false;
}

void return_reset(void)
{
	world_locked(forget, NULL);
}
