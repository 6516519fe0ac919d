/* SPDX-License-Identifier: MIT
 *
 * doctor.c - `doctor`: examines each Centra.  The table has one row for each
 * examination, which sends requests that change nothing and prints a line or
 * more.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "centra/centra.h"
#include "centra/deliveries.h"
#include "centra/feed.h"
#include "centra/graphql.h"
#include "centra/names.h"
#include "centra/order_api.h"
#include "centra/order_shipments.h"
#include "centra/products.h"
#include "centra/returns.h"
#include "centra/soap.h"
#include "centra/subscriber.h"
#include "server/cli/cli.h"

#define CONNECT_TIMEOUT 5000 /* ms */
#define EXIT_WRONG	1

enum verdict { FINE, UNTRIED, WRONG, UNREACHED, VERDICTS };

static const char *const verdict_names[VERDICTS] = {
	[FINE] = "ok",
	[UNTRIED] = "untried",
	[WRONG] = "WRONG",
	[UNREACHED] = "no answer",
};

/* The state of examining one instance. */
struct exam {
	struct cli_session *s;
	const struct config_instance *in;
	struct centra_conn *conn;
	const char *row; /* the examination that is running */
	bool no_graphql; /* GraphQL cannot be used: examinations that need it
			  * are left out */
	unsigned found[VERDICTS];
};

/* ---- what is said ---- */

static void say(struct exam *x, enum verdict verdict, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void say(struct exam *x, enum verdict verdict, const char *fmt, ...)
{
	struct buf *b = &x->s->out;
	char *text;
	va_list ap;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	x->found[verdict]++;
	if (x->s->json) {
		json_begin(b, NULL);
		json_put(b, "instance", x->in->id);
		json_put(b, "check", x->row);
		json_put(b, "result",
			 verdict == WRONG ? "wrong" : verdict_names[verdict]);
		json_put(b, "text", text);
		cli_json_end(b);
	} else {
		buf_fmt(b, "%-9s  %s  %-11s  ", verdict_names[verdict],
			x->in->id, x->row);
		cli_text(b, text);
		buf_char(b, '\n');
	}
	free(text);
}

/* True if a call was refused only for now, which says nothing about the
 * configuration. */
static bool is_passing(const struct exam *x, const struct call *call)
{
	return call->status == 408 || call->status == 429 ||
	       call->status >= 500 || call->latency >= x->in->call_timeout;
}

/* Reports a call that ended without a useful reply. */
static void say_unreached(struct exam *x, const struct call *call,
			  const char *setting)
{
	if (call->status && is_passing(x, call))
		say(x, UNREACHED, "%s; try again later", call->why.text);
	else if (call->status)
		say(x, WRONG, "%s; is %s the right address?", call->why.text,
		    setting);
	else
		say(x, UNREACHED, "%s; is %s right, and may this machine "
				  "reach it?", call->why.text, setting);
}

/* ---- the Order API ---- */

/* Sends a check-first request without its three fields, which changes
 * nothing. */
static void try_order_api(struct exam *x)
{
	struct check_first_reply r;

	order_api_try(x->conn, &r);
	if (r.our_fault)
		say(x, FINE, "the address and the key are right");
	else if (r.call.refused && r.call.status)
		say(x, WRONG, "the key is refused (HTTP %ld): is "
			      "order_api_key the plugin's shared secret, and "
			      "is the endpoint check-first allowed there?",
		    r.call.status);
	else if (r.call.end == CALL_OK)
		say(x, WRONG, "an empty answer got '%s', not an error for "
			      "each field: is order_api_url that of an Order "
			      "API plugin?", r.msg ? r.msg : "ok");
	else
		say_unreached(x, &r.call, "order_api_url");
	check_first_reply_release(&r);
}

/* Looks up a code that nothing has, where pictures are asked for. */
static void try_products(struct exam *x)
{
	struct centra_products p;

	if (!x->in->pictures_from)
		return;
	order_api_products(x->conn, false, "0", &p);
	if (p.call.end == CALL_OK)
		say(x, FINE, "GET /products is allowed");
	else if (p.call.refused)
		say(x, WRONG, "%s: allow it there, or leave out pictures_from",
		    p.call.why.text);
	else
		say_unreached(x, &p.call, "order_api_url");
	centra_products_release(&p);
}

/* True for the policy "Direct, then confirm".  How Centra writes it is not
 * published. */
static bool confirms(const struct centra_warehouse *w)
{
	return w->policy && strstr(w->policy, "CONFIRM");
}

/* True if Centra shows that a warehouse of the instance's shops has the policy
 * "Direct, then confirm". */
static bool any_confirms(const struct exam *x)
{
	struct centra_warehouses w;
	bool ret = false;

	if (!x->in->graphql_url)
		return false;
	graphql_warehouses(x->conn, &w);
	for (size_t i = 0; i < w.n && !ret; i++)
		ret = confirms(&w.list[i]) &&
		      config_shop_of(x->s->config, x->in->id, w.list[i].id);
	centra_warehouses_release(&w);
	return ret;
}

/* Reads the list of allocation requests, which changes nothing.  That the PUT is
 * allowed too, only an answer would show. */
static void try_requests(struct exam *x)
{
	struct requests_query q = {.page = 1};
	struct centra_requests got;

	if (!x->in->poll_requests)
		return;
	order_api_requests(x->conn, &q, &got);
	if (got.call.end == CALL_OK)
		say(x, FINE, "GET /allocation-requests is allowed; see in AMS "
			     "that PUT /allocation-request is, too");
	else if (got.not_allowed && !any_confirms(x))
		say(x, UNTRIED, "GET /allocation-requests is not ticked in the "
				"plugin: no warehouse needs it, and "
				"poll_requests may be 0");
	else if (got.not_allowed)
		say(x, WRONG, "GET /allocation-requests is not ticked in the "
			      "plugin: tick it and PUT /allocation-request "
			      "there");
	else if (!got.call.refused)
		say_unreached(x, &got.call, "order_api_url");
	centra_requests_release(&got);
}

/* Returns a shop of the instance whose own system ships; NULL: none does. */
static const struct config_shop *system_of(const struct exam *x)
{
	const struct config *c = x->s->config;

	for (size_t i = 0; i < c->n_shops; i++)
		if (!strcmp(c->shops[i].centra, x->in->id) &&
		    !strcmp(config_ships_with(c, &c->shops[i]), "order_api"))
			return &c->shops[i];
	return NULL;
}

static void say_endpoint(struct exam *x, const char *what,
			 const struct call *call, bool fine,
			 const struct config_shop *shop)
{
	if (fine)
		say(x, FINE, "%s is allowed", what);
	else if (call->status == 403)
		say(x, WRONG, "the plugin does not allow %s, which [shop %s] "
			      "needs for ship_with = order_api: tick it in AMS",
		    what, shop->id);
	else
		say_unreached(x, call, "order_api_url");
}

/* Tries the calls that shops' own systems need: the reads, and the changes of a
 * shipment that no order has. */
static void try_systems(struct exam *x)
{
	static const char *const reads[] = {"/shipments", "/orders",
					    "/products"};
	static const struct order_api_filter one[] = {{"limit", "1"}};
	const struct config_shop *shop = system_of(x);
	struct centra_done d;
	struct json *found;
	struct call call;
	char what[32];

	for (size_t i = 0; shop && i < sizeof(reads) / sizeof(*reads); i++) {
		order_api_read(x->conn, reads[i], one, 1, &call, &found);
		snprintf(what, sizeof(what), "GET %s", reads[i]);
		say_endpoint(x, what, &call, found, shop);
		json_free(found);
	}
	for (int i = 0; shop && i < 2; i++) {
		if (i)
			order_api_delete_shipment(x->conn, "0-1", &d);
		else
			order_api_edit_shipment(x->conn, "0-1", NULL, 0, &d);
		say_endpoint(x, i ? "DELETE /shipments" : "PUT /shipments",
			     &d.call, d.call.status == 200 && d.error, shop);
		centra_done_release(&d);
	}
}

/* ---- GraphQL ---- */

/* Tests the token with a query that all later rows build on. */
static void try_token(struct exam *x)
{
	static const struct permission any = {
		.name = "any",
		.query = "query T { __typename }",
	};
	struct call call;

	x->no_graphql = true;
	if (!x->in->graphql_url) {
		say(x, UNTRIED, "no graphql_url: nothing can be looked up");
		return;
	}
	switch (permission_try(x->conn, &any, &call)) {
	case PERMISSION_GIVEN:
	case PERMISSION_EMPTY:
		x->no_graphql = false;
		say(x, FINE, "the address and the token are right");
		return;
	case PERMISSION_MISSING:
	case PERMISSION_UNTRIED:
	case PERMISSION_UNKNOWN:
		break;
	}
	if (call.refused)
		say(x, WRONG, "the token is refused (%s): make a new one in "
			      "AMS and put it into graphql_token",
		    call.why.text);
	else
		say_unreached(x, &call, "graphql_url");
}

/* Returns what the instance uses of GraphQL beyond looking orders up. */
static unsigned uses_of(const struct exam *x)
{
	const struct config_instance *in = x->in;
	unsigned ret = USE_ALWAYS;

	if (!strcmp(in->ship_with, "graphql"))
		ret |= USE_SHIP;
	for (size_t i = 0; i < x->s->config->n_shops; i++)
		if (!strcmp(x->s->config->shops[i].centra, in->id) &&
		    strcmp(config_ships_with(x->s->config,
					     &x->s->config->shops[i]),
			   "none") != 0)
			ret |= USE_SHIP;
	if (in->sources & SOURCE_GRAPHQL)
		ret |= USE_FEED;
	if (in->lock_orders)
		ret |= USE_LOCK;
	if (in->on_hand)
		ret |= USE_STOCK;
	for (size_t i = 0; i < x->s->config->n_shops; i++) {
		const struct config_shop *shop = &x->s->config->shops[i];

		if (strcmp(shop->centra, in->id) != 0)
			continue;
		if (shop->stock_on_reject)
			ret |= USE_STOCK;
		if (shop->returns)
			ret |= USE_RETURNS;
	}
	return ret;
}

static void compare_names(struct exam *x)
{
	struct names_report r;
	char *rest, *line;

	names_compare(x->conn, uses_of(x), &r);
	if (r.call.end != CALL_OK) {
		say(x, UNTRIED, "the schema cannot be read: %s",
		    r.call.why.text);
	} else if (!r.missing) {
		say(x, FINE, "all %zu names that we use are in the schema",
		    r.looked_up);
	} else {
		rest = r.faults.data;
		while ((line = strsep(&rest, "\n")))
			if (*line)
				say(x, WRONG, "%s: this shipfrom and this "
					      "Centra do not fit; report it",
				    line);
	}
	buf_release(&r.faults);
}

/* Tries a permission.  True: the permission is missing. */
static bool try_permission(struct exam *x, const struct permission *p)
{
	struct call call;

	switch (permission_try(x->conn, p, &call)) {
	case PERMISSION_GIVEN:
		say(x, FINE, "%s", p->name);
		return false;
	case PERMISSION_MISSING:
		say(x, WRONG,
		    "%s is missing, for %s (%s): add it to the token "
		    "in AMS",
		    p->name, p->what, call.why.text);
		return true;
	case PERMISSION_EMPTY:
		say(x, UNTRIED, "%s: Centra shows no %s to try it on", p->name,
		    p->list);
		return false;
	case PERMISSION_UNTRIED:
		say(x, UNTRIED,
		    "%s, for %s: only a change at Centra would show it; see "
		    "in AMS that the token has it",
		    p->name, p->what);
		return false;
	case PERMISSION_UNKNOWN:
		say(x, UNTRIED, "%s: %s", p->name, call.why.text);
		return false;
	}
	return false;
}

/* True if the permission is in the list of missing ones. */
static bool is_missing(const bool *missing, const char *name)
{
	for (size_t i = 0; i < n_permissions; i++)
		if (missing[i] && !strcmp(permissions[i].name, name))
			return true;
	return false;
}

/* Tries all permissions.  A query that needs two of them does not show which
 * one is missing, so a permission that builds on a missing one is not tried. */
static void try_permissions(struct exam *x)
{
	unsigned uses = uses_of(x);
	bool *missing = xcalloc(n_permissions, sizeof(*missing));

	for (size_t i = 0; i < n_permissions; i++) {
		const struct permission *p = &permissions[i];

		if (p->use && !(p->use & uses))
			continue;
		if (p->needs && is_missing(missing, p->needs))
			say(x, UNTRIED, "%s: cannot be tried without %s",
			    p->name, p->needs);
		else
			missing[i] = try_permission(x, p);
	}
	free(missing);
}

/* ---- warehouses ---- */

static const struct centra_warehouse *
find_warehouse(const struct centra_warehouses *w, int64_t id)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->list[i].id == id)
			return &w->list[i];
	return NULL;
}

static void examine_warehouse(struct exam *x, const struct config_shop *shop,
			      int64_t id, const struct centra_warehouse *w)
{
	if (!w)
		say(x, WRONG, "%" PRId64 " of [shop %s]: Centra knows no such "
			      "warehouse; correct `warehouses`", id, shop->id);
	else if (w->status && strcmp(w->status, "ACTIVE") != 0)
		say(x, WRONG, "%" PRId64 " (%s) of [shop %s] is %s, not "
			      "ACTIVE: activate it in AMS", id,
		    w->name ? w->name : "?", shop->id, w->status);
	else if (!confirms(w) &&
		 (!w->policy || strcmp(w->policy, "CHECK_FIRST") != 0))
		say(x, WRONG, "%" PRId64 " (%s) of [shop %s] has the "
			      "allocation policy %s and is offered nothing: "
			      "make it check first, or \"Direct, then "
			      "confirm\", in AMS", id,
		    w->name ? w->name : "?", shop->id,
		    w->policy ? w->policy : "none");
	else if (!w->shop)
		say(x, WRONG, "%" PRId64 " (%s) of [shop %s] belongs to no "
			      "brick and mortar: set it in AMS", id,
		    w->name ? w->name : "?", shop->id);
	else
		say(x, FINE, "%" PRId64 " (%s) of [shop %s]", id,
		    w->name ? w->name : "?", shop->id);
}

static void examine_warehouses(struct exam *x)
{
	const struct config *c = x->s->config;
	struct centra_warehouses w;

	graphql_warehouses(x->conn, &w);
	if (w.call.end != CALL_OK)
		say(x, UNTRIED, "the warehouses cannot be listed: %s",
		    w.call.why.text);
	for (size_t i = 0; w.call.end == CALL_OK && i < c->n_shops; i++) {
		const struct config_shop *shop = &c->shops[i];

		if (strcmp(shop->centra, x->in->id) != 0)
			continue;
		for (size_t k = 0; k < shop->warehouses.n; k++)
			examine_warehouse(x, shop, shop->warehouses.ids[k],
					  find_warehouse(&w, shop->warehouses
								     .ids[k]));
	}
	for (size_t i = 0; i < w.n; i++)
		if (w.list[i].policy &&
		    !strcmp(w.list[i].policy, "CHECK_FIRST") &&
		    !config_shop_of(c, x->in->id, w.list[i].id))
			say(x, WRONG,
			    "%" PRId64 " (%s) is check first, but no "
			    "[shop] has it, and nobody can answer its "
			    "offers: add it to the `warehouses` of a "
			    "[shop], or give it another allocation "
			    "policy in AMS",
			    w.list[i].id,
			    w.list[i].name ? w.list[i].name : "?");
	centra_warehouses_release(&w);
}

/* ---- feeds ---- */

#define QUEUE_IS_OURS                                                         \
	"what we confirm is gone for every system that reads the queue "      \
	"(queue_is_ours)"

/* Reads the head of the feed, and confirms nothing. */
static void try_feed(struct exam *x)
{
	struct feed_events got;

	if (!(x->in->sources & SOURCE_GRAPHQL))
		return;
	graphql_events(x->conn, &got);
	if (got.call.end == CALL_OK)
		say(x, FINE, "graphql_events: %zu%s events wait; "
			     QUEUE_IS_OURS, got.n,
		    got.n == FEED_EVENTS_MOST ? " or more" : "");
	else if (got.call.refused)
		say(x, WRONG, "graphql_events cannot be read (%s)",
		    got.call.why.text);
	else
		say(x, UNTRIED, "graphql_events: %s", got.call.why.text);
	feed_events_release(&got);
}

static void try_soap(struct exam *x)
{
	struct soap_events got;

	if (!(x->in->sources & SOURCE_SOAP))
		return;
	soap_events_get(x->conn, &got);
	if (got.call.end == CALL_OK)
		say(x, FINE, "the address and the login are right; %zu events "
			     "wait; " QUEUE_IS_OURS, got.n);
	else if (got.call.status && got.call.status != 500)
		say_unreached(x, &got.call, "soap_url");
	else if (got.call.status)
		say(x, WRONG, "%s: are soap_user and soap_password right?",
		    got.call.why.text);
	else
		say_unreached(x, &got.call, "soap_url");
	soap_events_release(&got);
}

/* ---- deliveries ---- */

static void try_plugin(struct exam *x, const struct config_shop *shop)
{
	const struct centra_options o = {
		.instance = shop->id,
		.order_api_url = shop->order_api_url,
		.order_api_key = shop->order_api_key,
		.connect_timeout = x->in->call_timeout,
		.timeout = x->in->call_timeout,
	};
	struct centra *centra = centra_open(&o);
	struct centra_conn *conn = centra_conn_open(centra);
	struct centra_deliveries all;
	char *setting = xasprintf("order_api_url of [shop %s]", shop->id);

	order_api_deliveries(conn, &all);
	if (all.call.end == CALL_OK)
		say(x, FINE, "[shop %s]: the address and the key are right; "
			     "%zu wait", shop->id, all.n);
	else if (all.call.refused && all.call.status)
		say(x, WRONG, "[shop %s]: the key is refused (HTTP %ld): is "
			      "order_api_key the shared secret of the shop's "
			      "own plugin, and are the endpoints of supplier "
			      "deliveries allowed there?",
		    shop->id, all.call.status);
	else
		say_unreached(x, &all.call, setting);
	free(setting);
	centra_deliveries_release(&all);
	centra_conn_close(conn);
	centra_close(centra);
}

/* Lists the returns of an order that there cannot be, where a shop takes goods
 * back. */
static void try_returns(struct exam *x)
{
	const struct config *c = x->s->config;
	struct centra_sold none = {.n_lines = 0};
	struct call call;
	bool unticked, used = false;

	for (size_t i = 0; i < c->n_shops; i++)
		used = used || (c->shops[i].returns &&
				!strcmp(c->shops[i].centra, x->in->id));
	if (!used)
		return;
	order_api_returned(x->conn, 1, &none, &call, &unticked);
	if (unticked)
		say(x, WRONG, "GET /returns is not ticked in the plugin: tick "
			      "it there, since a return whose reply is lost is "
			      "looked for in that list");
	else if (call.end == CALL_OK)
		say(x, FINE, "GET /returns is allowed");
	else if (!call.refused)
		say_unreached(x, &call, "order_api_url");
	centra_sold_release(&none);
}

/* Lists the deliveries that wait for each shop with a plugin of its own. */
static void try_deliveries(struct exam *x)
{
	const struct config *c = x->s->config;

	for (size_t i = 0; i < c->n_shops; i++)
		if (c->shops[i].order_api_url &&
		    !strcmp(c->shops[i].centra, x->in->id))
			try_plugin(x, &c->shops[i]);
}

/* ---- outgoing webhooks ---- */

/* Connects to each shop's own system as a webhook would, and sends nothing. */
static void try_notify(struct exam *x)
{
	const struct config *c = x->s->config;
	struct err e;

	for (size_t i = 0; i < c->n_shops; i++) {
		const struct config_shop *shop = &c->shops[i];
		const struct subscriber_options o = {
			.url = shop->notify_url,
			.may_http = c->server.notify_http,
			.may_private = c->server.notify_private,
		};

		if (!shop->notify_url || strcmp(shop->centra, x->in->id) != 0)
			continue;
		if (!subscriber_check(&o, &e))
			say(x, FINE, "[shop %s]: its system can be reached; "
				     "nothing was sent", shop->id);
		else
			say(x, WRONG, "[shop %s]: notify_url: %s", shop->id,
			    e.text);
	}
}

/* ---- the table ---- */

static const struct {
	const char *name;
	bool graphql; /* the examination asks GraphQL, so it runs after the
		       * token was tested */
	void (*run)(struct exam *x);
} exams[] = {
	{"order-api", false, try_order_api},
	{"requests", false, try_requests},
	{"products", false, try_products},
	{"returns", false, try_returns},
	{"ship-with", false, try_systems},
	{"token", false, try_token},
	{"schema", true, compare_names},
	{"permission", true, try_permissions},
	{"warehouse", true, examine_warehouses},
	{"feed", true, try_feed},
	{"soap", false, try_soap},
	{"deliveries", false, try_deliveries},
	{"notify", false, try_notify},
};

static void examine(struct exam *x)
{
	const struct centra_options o = {
		.instance = x->in->id,
		.order_api_url = x->in->order_api_url,
		.order_api_key = x->in->order_api_key,
		.graphql_url = x->in->graphql_url,
		.graphql_token = x->in->graphql_token,
		.soap_url = x->in->soap_url,
		.soap_user = x->in->soap_user,
		.soap_password = x->in->soap_password,
		.connect_timeout = CONNECT_TIMEOUT,
		.timeout = x->in->call_timeout,
	};
	struct centra *centra = centra_open(&o);

	x->conn = centra_conn_open(centra);
	x->no_graphql = false;
	for (size_t i = 0; i < sizeof(exams) / sizeof(*exams); i++) {
		x->row = exams[i].name;
		if (!exams[i].graphql || !x->no_graphql)
			exams[i].run(x);
		else if (x->in->graphql_url)
			say(x, UNTRIED,
			    "not tried: the token row above has to "
			    "be ok first");
		cli_flush(x->s);
	}
	centra_conn_close(x->conn);
	centra_close(centra);
}

static int examine_all(struct cli_session *s)
{
	struct exam x = {.s = s};
	struct err e;

	if (centra_init(&e)) {
		fprintf(stderr, "shipfrom doctor: %s\n", e.text);
		return EX_SOFTWARE;
	}
	for (size_t i = 0; i < s->config->n_instances; i++) {
		x.in = &s->config->instances[i];
		examine(&x);
	}
	centra_end();
	if (!s->json)
		fprintf(stderr, "%u ok, %u wrong, %u without an answer, "
				"%u untried\n",
			x.found[FINE], x.found[WRONG], x.found[UNREACHED],
			x.found[UNTRIED]);
	if (x.found[UNREACHED])
		return EX_UNAVAILABLE;
	return x.found[WRONG] ? EXIT_WRONG : 0;
}

int cli_doctor(struct cli_args *a)
{
	return cli_run(a, cli_open_config, CLI_SECRETS, examine_all);
}
