/* SPDX-License-Identifier: MIT
 *
 * test_names.c - names.def lists exactly what the queries really send.
 *
 * Every call of graphql.h is made against a server that keeps its request; the
 * names are read out of the documents and of their variables.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <ctype.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/mem.h"
#include "centra/feed.h"
#include "centra/graphql.h"
#include "centra/stock.h"
#include "centra/names.h"
#include "centra/returns.h"
#include "centra/products.h"
#include "tests/unit/canned.h"

#include <cmocka.h> /* last: it has a macro named as err.h's fail() */

/* ---- sets of texts ---- */

struct set {
	char **list; /* owned */
	size_t n;
};

static bool has(const struct set *s, const char *text)
{
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->list[i], text))
			return true;
	return false;
}

/* Takes text over. */
static void add(struct set *s, char *text)
{
	if (has(s, text)) {
		free(text);
		return;
	}
	s->list = xrealloc(s->list, s->n + 1, sizeof(char *));
	s->list[s->n++] = text;
}

static void release(struct set *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->list[i]);
	free(s->list);
	*s = (struct set){0};
}

/* ---- the names of a request ---- */

struct reader {
	const char *p;
	const cJSON *variables;
	cJSON *types; /* owned: of variables, by name */
	struct set *names;
};

static char look(struct reader *r)
{
	while (isspace((unsigned char)*r->p) || *r->p == ',')
		r->p++;
	return *r->p;
}

static bool eat(struct reader *r, char c)
{
	if (look(r) != c)
		return false;
	r->p++;
	return true;
}

static char *name(struct reader *r)
{
	const char *start;

	look(r);
	start = r->p;
	while (isalnum((unsigned char)*r->p) || *r->p == '_')
		r->p++;
	if (r->p == start)
		fail_msg("a name is missing at: %s", start);
	return xstrndup(start, (size_t)(r->p - start));
}

/* The members of a variable's value. */
static void variable(struct reader *r, const char *field, const char *arg,
		     const cJSON *value)
{
	const cJSON *v;

	cJSON_ArrayForEach(v, value)
	{
		if (!v->string) { /* of a list */
			variable(r, field, arg, v);
			continue;
		}
		char *below = xasprintf("%s.%s", arg, v->string);

		add(r->names, xasprintf("%s(%s)", field, below));
		variable(r, field, below, v);
		free(below);
	}
}

static void members(struct reader *r, const char *field, const char *arg,
		    char end);

static void value(struct reader *r, const char *field, const char *arg)
{
	char *word;

	if (eat(r, '{')) {
		add(r->names, xasprintf("%s(%s)", field, arg));
		members(r, field, arg, '}');
	} else if (eat(r, '[')) {
		while (!eat(r, ']'))
			value(r, field, arg);
	} else if (eat(r, '$')) {
		word = name(r);
		add(r->names,
		    xasprintf("%s(%s:%s)", field, arg,
			      cJSON_GetStringValue(cJSON_GetObjectItem(
				      r->types, word))));
		variable(r, field, arg,
			 cJSON_GetObjectItem(r->variables, word));
		free(word);
	} else if (eat(r, '"')) {
		r->p = strchr(r->p, '"') + 1;
		add(r->names, xasprintf("%s(%s)", field, arg));
	} else {
		word = name(r);
		if (isdigit((unsigned char)*word) || !strcmp(word, "true") ||
		    !strcmp(word, "false"))
			add(r->names, xasprintf("%s(%s)", field, arg));
		else
			add(r->names, xasprintf("%s(%s=%s)", field, arg, word));
		free(word);
	}
}

/* name: value, ... up to the mark; `above` is "" for arguments. */
static void members(struct reader *r, const char *field, const char *above,
		    char end)
{
	while (!eat(r, end)) {
		char *word = name(r), *arg;

		assert_true(eat(r, ':'));
		arg = xasprintf("%s%s%s", above, *above ? "." : "", word);
		value(r, field, arg);
		free(word);
		free(arg);
	}
}

static void selection(struct reader *r, const char *path)
{
	while (!eat(r, '}')) {
		char *word, *field;

		if (!strncmp(r->p, "...", 3)) {
			r->p += 3;
			free(name(r)); /* on */
			word = name(r);
			field = xasprintf("%s.(%s)", path, word);
		} else {
			word = name(r);
			if (eat(r, ':')) { /* that was an alias */
				free(word);
				word = name(r);
			}
			field = xasprintf("%s.%s", path, word);
		}
		add(r->names, xstrdup(field));
		if (eat(r, '('))
			members(r, field, "", ')');
		if (eat(r, '{'))
			selection(r, field);
		free(word);
		free(field);
	}
}

/* ($n:[Int!], $input:Type!) */
static void declarations(struct reader *r)
{
	while (!eat(r, ')')) {
		char *word, *type;

		assert_true(eat(r, '$'));
		word = name(r);
		assert_true(eat(r, ':'));
		while (eat(r, '['))
			;
		type = name(r);
		while (eat(r, '!') || eat(r, ']'))
			;
		cJSON_AddStringToObject(r->types, word, type);
		free(word);
		free(type);
	}
}

/* Adds what a request has; `operations` gets "query O". */
static void read_request(const char *request, struct set *names,
			 struct set *operations)
{
	const char *body = strstr(request, "\r\n\r\n");
	cJSON *v = cJSON_Parse(body ? body + 4 : "");
	struct reader r = {
		.p = cJSON_GetStringValue(cJSON_GetObjectItem(v, "query")),
		.variables = cJSON_GetObjectItem(v, "variables"),
		.types = cJSON_CreateObject(),
		.names = names};
	char *kind, *operation;

	if (!r.p)
		fail_msg("no query in: %s", request);
	kind = name(&r);
	operation = name(&r);
	add(operations, xasprintf("%s %s", kind, operation));
	if (eat(&r, '('))
		declarations(&r);
	assert_true(eat(&r, '{'));
	selection(&r, strcmp(kind, "mutation") ? "Query" : "Mutation");
	free(kind);
	free(operation);
	cJSON_Delete(r.types);
	cJSON_Delete(v);
}

/* ---- every call ---- */

static void call_orders(struct centra_conn *n)
{
	struct centra_orders o;
	int64_t number = 19;

	graphql_orders(n, &number, 1, false, &o);
	centra_orders_release(&o);
}

static void call_orders_and_address(struct centra_conn *n)
{
	struct centra_orders o;
	int64_t number = 19;

	graphql_orders(n, &number, 1, true, &o);
	centra_orders_release(&o);
}

static void call_shipments(struct centra_conn *n)
{
	struct centra_orders o;

	graphql_order_shipments(n, 19, true, true, &o);
	centra_orders_release(&o);
}

static void call_waiting(struct centra_conn *n)
{
	struct centra_numbers w;

	graphql_waiting(n, 200, 1, &w);
	centra_numbers_release(&w);
}

static void call_warehouses(struct centra_conn *n)
{
	struct centra_warehouses w;

	graphql_warehouses(n, &w);
	centra_warehouses_release(&w);
}

static void call_sizes(struct centra_conn *n)
{
	static const struct centra_wanted wanted[] = {
		{CODE_EAN, "1"}, {CODE_UPC, "2"}, {CODE_SKU, "3"}};
	struct centra_sizes s;

	graphql_sizes(n, wanted, 3, 3, &s);
	centra_sizes_release(&s);
}

static void call_confirm(struct centra_conn *n)
{
	struct centra_done d;

	graphql_confirm_order(n, 19, &d);
	centra_done_release(&d);
}

static void call_create(struct centra_conn *n)
{
	const struct centra_shipment_line line = {1, 2};
	struct centra_done d;

	graphql_create_shipment(n, 19, &line, 1, &d);
	centra_done_release(&d);
}

static void call_capture(struct centra_conn *n)
{
	struct centra_done d;

	graphql_capture_shipment(n, 7, &d);
	centra_done_release(&d);
}

static void call_complete(struct centra_conn *n)
{
	const struct centra_parcel parcel = {.carrier = "c",
					     .service = "s",
					     .tracking = "t",
					     .packages = 1,
					     .shipped_at = 1600000000000};
	struct centra_done d;

	graphql_complete_shipment(n, 7, &parcel, &d);
	centra_done_release(&d);
}

static void call_sold(struct centra_conn *n)
{
	struct centra_sold sold;

	graphql_sold(n, 19, &sold);
	centra_sold_release(&sold);
}

/* Into a warehouse, or out of stock. */
static void create_return(struct centra_conn *n, int64_t warehouse)
{
	const struct centra_sent_line line = {1, 2, 3};
	const struct centra_return r = {.shipment = 7,
					.lines = &line,
					.n_lines = 1,
					.warehouse = warehouse,
					.comment = "c"};
	struct centra_done d;
	int64_t id;

	graphql_create_return(n, &r, &id, &d);
	centra_done_release(&d);
}

static void call_return(struct centra_conn *n)
{
	create_return(n, 3);
}

static void call_return_and_remove(struct centra_conn *n)
{
	create_return(n, 0);
}

static void call_good_to_go(struct centra_conn *n)
{
	struct centra_done d;

	graphql_good_to_go(n, 7, &d);
	centra_done_release(&d);
}

static void call_listen(struct centra_conn *n)
{
	struct centra_done d;

	graphql_listen(n, &d);
	centra_done_release(&d);
}

static void call_events(struct centra_conn *n)
{
	struct feed_events e;

	graphql_events(n, &e);
	feed_events_release(&e);
}

static void call_confirm_events(struct centra_conn *n)
{
	const int64_t id = 7;
	struct centra_done d;

	graphql_confirm_events(n, &id, 1, &d);
	centra_done_release(&d);
}

static void call_owner(struct centra_conn *n, enum feed_object object)
{
	const int64_t id = 7;
	struct feed_owners o;

	graphql_owners(n, object, &id, 1, &o);
	feed_owners_release(&o);
}

static void call_whose_shipment(struct centra_conn *n)
{
	call_owner(n, FEED_SHIPMENT);
}

static void call_whose_return(struct centra_conn *n)
{
	call_owner(n, FEED_RETURN);
}

static void call_waiting_of(struct centra_conn *n)
{
	const int64_t number = 19;
	struct centra_numbers w;

	graphql_waiting_of(n, &number, 1, &w);
	centra_numbers_release(&w);
}

static void call_lock(struct centra_conn *n)
{
	const int64_t number = 19;
	struct centra_done d;

	graphql_set_lock(n, &number, 1, true, &d);
	centra_done_release(&d);
}

static void call_locked_of(struct centra_conn *n)
{
	const int64_t number = 19;
	struct centra_numbers w;

	graphql_locked_of(n, &number, 1, &w);
	centra_numbers_release(&w);
}

static void call_set_stock(struct centra_conn *n)
{
	const struct centra_count counts[] = {{"1", NULL, 2}, {NULL, "s", 3}};
	struct centra_stock_set s;

	graphql_set_stock(n, 3, "counted", counts, 2, &s);
	centra_stock_set_release(&s);
}

static void (*const calls[])(struct centra_conn *n) = {
	call_listen,	     call_events,	call_confirm_events,
	call_whose_shipment, call_whose_return, call_waiting_of,
	call_lock,	     call_locked_of,
	call_orders,	 call_orders_and_address, call_shipments, call_waiting,
	call_warehouses, call_confirm,		  call_create,	  call_capture,
	call_good_to_go, call_complete, call_sold, call_return,
	call_return_and_remove,		  call_sizes,	  call_set_stock,
};
#define CALLS (sizeof(calls) / sizeof(*calls))

static const struct canned_step script[] = {
	{CANNED_CLOSE, CANNED_OK(11, "{\"data\":{}}")}, {CANNED_END, NULL}};

/* What the i-th call sends: of `calls`, then of the permissions. */
static void read_call(size_t i, struct set *names, struct set *operations)
{
	struct canned *server = canned_start(script);
	struct centra_options o = {.graphql_token = "token",
				   .connect_timeout = 1000,
				   .timeout = 5000};
	struct centra_conn *conn;
	struct centra *centra;
	char url[80];

	snprintf(url, sizeof(url), "http://127.0.0.1:%u/graphql",
		 canned_port(server));
	o.graphql_url = url;
	centra = centra_open(&o);
	conn = centra_conn_open(centra);
	if (i < CALLS) {
		calls[i](conn);
	} else {
		struct call call;

		(void)permission_try(conn, &permissions[i - CALLS], &call);
	}
	assert_int_equal(canned_requests(server), 1);
	read_request(canned_last(server), names, operations);
	centra_conn_close(conn);
	centra_close(centra);
	canned_stop(server);
}

static struct set sent, operations;

static int send_all(void **state)
{
	struct err e;

	(void)state;
	if (centra_init(&e))
		return -1;
	for (size_t i = 0; i < CALLS + n_permissions; i++)
		if (i < CALLS || permissions[i - CALLS].query)
			read_call(i, &sent, &operations);
	return 0;
}

static int forget_all(void **state)
{
	(void)state;
	release(&sent);
	release(&operations);
	centra_end();
	return 0;
}

/* ---- the list ---- */

/* The names of the rows, written as those of requests are. */
static struct set listed(void)
{
	struct set ret = {0};

	for (size_t i = 0; i < n_name_rows; i++) {
		const struct name_row *row = &name_rows[i];
		char *copy, *rest, *word;

		if (row->kind == NAME_TYPE)
			continue;
		rest = copy = xstrdup(row->names);
		for (const char *p = strchr(row->path, '.'); p;
		     p = strchr(p + 1, '.'))
			if (strchr(p + 1, '.'))
				add(&ret, xstrndup(row->path,
						   (size_t)(strchr(p + 1,
								   '.') -
							    row->path)));
		add(&ret, xstrdup(row->path));
		while ((word = strsep(&rest, " ")))
			if (row->kind != NAME_VALUE)
				add(&ret, xasprintf(row->kind == NAME_ARG
							    ? "%s(%s)"
							    : "%s.%s",
						    row->path, word));
		free(copy);
	}
	return ret;
}

static void every_name_that_is_sent_is_listed(void **state)
{
	struct set list = listed();
	int bad = 0;

	(void)state;
	assert_true(sent.n > 100);
	for (size_t i = 0; i < sent.n; i++)
		if (!has(&list, sent.list[i])) {
			print_error("sent, and not in names.def: %s\n",
				    sent.list[i]);
			bad++;
		}
	release(&list);
	assert_int_equal(bad, 0);
}

static void every_name_that_is_listed_is_sent(void **state)
{
	struct set list = listed();
	int bad = 0;

	(void)state;
	for (size_t i = 0; i < list.n; i++)
		if (!has(&sent, list.list[i])) {
			print_error("in names.def, and never sent: %s\n",
				    list.list[i]);
			bad++;
		}
	release(&list);
	assert_int_equal(bad, 0);
}

/* The text of the files of those folders, one after the other. */
static char *sources(const char *pattern)
{
	char *all = xcalloc(4 << 20, 1);
	size_t len = 0;
	glob_t g;

	assert_int_equal(glob(pattern, GLOB_BRACE, NULL, &g), 0);
	for (size_t i = 0; i < g.gl_pathc; i++) {
		FILE *f = fopen(g.gl_pathv[i], "r");

		assert_non_null(f);
		len += fread(all + len, 1, (4 << 20) - len - 1, f);
		fclose(f);
	}
	globfree(&g);
	return all;
}

/* Returns where a document begins in the source: at "query NAME or
 * "mutation NAME; NULL: there are no more. */
static char *next_document(char *p, char operation[40])
{
	char kind[10], word[25];

	for (; (p = strchr(p, '"')); p++) {
		if (sscanf(p, "\"%9[a-z] %24[A-Za-z]", kind, word) != 2 ||
		    (strcmp(kind, "query") != 0 &&
		     strcmp(kind, "mutation") != 0))
			continue;
		snprintf(operation, 40, "%s %s", kind, word);
		return p;
	}
	return NULL;
}

/* Else a new query would be none of the calls above. */
static void every_document_in_the_source_is_sent(void **state)
{
	char *all = sources("centra/*.c"), *p = all, operation[40];
	int found = 0;

	(void)state;
	for (; (p = next_document(p, operation)); p++) {
		found++;
		if (strcmp(operation, "query I") && /* the introspection */
		    !has(&operations, operation))
			fail_msg("'%s' is sent by none of the calls here",
				 operation);
	}
	assert_true(found >= 8);
	free(all);
}

/* Values are compared, not sent: the source has each of them as a text. */
static void every_value_that_is_listed_is_looked_for(void **state)
{
	char *all = sources("{centra,handlers,server/*}/*.c");
	int bad = 0;

	(void)state;
	for (size_t i = 0; i < n_name_rows; i++) {
		char *copy = xstrdup(name_rows[i].names), *rest = copy, *word;

		while (name_rows[i].kind >= NAME_VALUE &&
		       (word = strsep(&rest, " "))) {
			char *text = xasprintf("\"%s\"", word);

			if (!strstr(all, text)) {
				print_error("nobody looks for %s\n", text);
				bad++;
			}
			free(text);
		}
		free(copy);
	}
	free(all);
	assert_int_equal(bad, 0);
}

/* Resuming a check-first order rejects all shops (CONTRACT 6.9). */
static void nothing_of_ours_resumes_a_hold(void **state)
{
	static const char *const words[] = {"updateDirectToConsumerOrder",
					    "holdStatusChangeReason",
					    "isOnHold:", "\"isOnHold\", false"};
	char *all = sources("{centra,handlers,server,server/*}/*.c");

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strstr(all, words[i]))
			fail_msg("the source has %s", words[i]);
	free(all);
}

/* What Centra makes of a mutation that is about nothing is not published. */
static void no_permission_is_tried_by_what_could_change_something(void **state)
{
	struct call call;
	int untried = 0;

	(void)state;
	for (size_t i = 0; i < n_permissions; i++) {
		const struct permission *p = &permissions[i];

		if (p->query)
			assert_true(!strncmp(p->query, "query ", 6));
		else if (permission_try(NULL, p, &call) == PERMISSION_UNTRIED)
			untried++;
	}
	/* Order:write, Shipment:write, Event:write, Order.isLocked:write,
	 * StockChange:write, Return:write */
	assert_int_equal(untried, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_name_that_is_sent_is_listed),
		cmocka_unit_test(every_name_that_is_listed_is_sent),
		cmocka_unit_test(every_document_in_the_source_is_sent),
		cmocka_unit_test(every_value_that_is_listed_is_looked_for),
		cmocka_unit_test(nothing_of_ours_resumes_a_hold),
		cmocka_unit_test(
			no_permission_is_tried_by_what_could_change_something),
	};

	return cmocka_run_group_tests(tests, send_all, forget_all) != 0;
}
