/* SPDX-License-Identifier: MIT
 *
 * test_graphql.c - orders, what waits and warehouses, as Centra tells them.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "centra/graphql.h"
#include "centra/limits.h"
#include "centra/transport.h"
#include "tests/unit/canned.h"

#include <cmocka.h> /* last: it has a macro named as err.h's fail() */

static struct canned *server;
static struct centra *centra;
static struct centra_conn *conn;
static struct canned_step script[2];
static char reply_text[65536];

static void start(const char *status, const char *body)
{
	char url[80];
	struct centra_options o = {.instance = "se",
				   .graphql_url = url,
				   .graphql_token = "token",
				   .connect_timeout = 1000,
				   .timeout = 5000};

	snprintf(reply_text, sizeof(reply_text),
		 "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s", status,
		 strlen(body), body);
	script[0] = (struct canned_step){CANNED_CLOSE, reply_text};
	server = canned_start(script);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/graphql",
		 canned_port(server));
	centra = centra_open(&o);
	conn = centra_conn_open(centra);
}

static void stop(void)
{
	centra_conn_close(conn);
	centra_close(centra);
	canned_stop(server);
}

static void orders(const char *body, bool with_address,
		   struct centra_orders *ret)
{
	static const int64_t numbers[] = {19, 20};

	start("200 OK", body);
	graphql_orders(conn, numbers, 2, with_address, ret);
	assert_int_equal(canned_requests(server), 1);
}

#define NO_ORDERS "{\"data\":{\"orders\":[],\"waiting\":[]}}"

static const char full[] =
	"{\"data\":{\"orders\":[{\"id\":\"1497ccf644db871e1e4026d101bde6f3\","
	"\"number\":19,\"status\":\"PENDING\",\"isOnHold\":true,"
	"\"orderHoldReason\":\"WAITING_FOR_CHECK_FIRST_ALLOCATION\","
	"\"orderDate\":\"2021-01-11T16:20:00+01:00\","
	"\"createdAt\":\"2021-01-11T16:19:00+01:00\","
	"\"shippingAddress\":{\"firstName\":\"Jon\",\"lastName\":\"Snow\","
	"\"companyName\":null,\"attention\":\"\",\"address1\":\"Wall 1\","
	"\"address2\":null,\"zipCode\":\"123 45\",\"city\":\"Malm\\u00f6\","
	"\"stateOrProvince\":null,\"cellPhoneNumber\":\"+46 1\","
	"\"phoneNumber\":null,\"email\":\"jon@example.com\","
	"\"country\":{\"code\":\"SE\",\"name\":\"Sweden\"}},"
	"\"lines\":[{\"id\":68,\"quantity\":2,"
	"\"__typename\":\"ProductOrderLine\","
	"\"productName\":\"Basic \\\"Jacket\\\"\","
	"\"productVariantName\":\"Blue\","
	"\"productSize\":{\"SKU\":\"BJ-1\",\"EAN\":\"7312345678901\","
	"\"UPC\":\"012345678905\",\"description\":\"M\"},"
	"\"allocations\":[{\"id\":1,\"quantity\":1,"
	"\"isWaitingForConfirmation\":false,"
	"\"warehouse\":{\"id\":9007199254740993,\"name\":\"Shop\"}},"
	"{\"id\":2,\"quantity\":1,\"isWaitingForConfirmation\":true,"
	"\"warehouse\":{\"id\":\"4\",\"name\":\"x\"}}]},"
	"{\"id\":69,\"quantity\":0,\"productName\":null,"
	"\"productVariantName\":null,\"productSize\":null,"
	"\"allocations\":[]}]},"
	"{\"id\":\"x\",\"number\":20,\"status\":\"CANCELLED\","
	"\"isOnHold\":false,\"shippingAddress\":null,\"lines\":[]}],"
	"\"waiting\":[{\"number\":19}]},"
	"\"extensions\":{\"complexity\":229,\"rate\":1.5}}";

static void an_order_is_read_whole(void **state)
{
	struct centra_orders r;
	struct centra_order *o;

	(void)state;
	orders(full, false, &r);
	assert_int_equal(r.call.end, CALL_OK);
	assert_int_equal(r.n, 2);
	o = &r.list[0];
	assert_int_equal(o->number, 19);
	assert_string_equal(o->id, "1497ccf644db871e1e4026d101bde6f3");
	assert_string_equal(o->status, "PENDING");
	assert_string_equal(o->hold_reason,
			    "WAITING_FOR_CHECK_FIRST_ALLOCATION");
	assert_true(o->on_hold);
	assert_true(o->waits);
	assert_string_equal(o->placed_at, "2021-01-11T16:20:00+01:00");
	assert_string_equal(o->city, "Malm\xc3\xb6");
	assert_string_equal(o->country, "Sweden");
	assert_null(o->address);
	assert_int_equal(o->n_lines, 2);
	assert_int_equal(o->lines[0].id, 68);
	assert_int_equal(o->lines[0].quantity, 2);
	assert_string_equal(o->lines[0].product, "Basic \"Jacket\"");
	assert_string_equal(o->lines[0].variant, "Blue");
	assert_string_equal(o->lines[0].size, "M");
	assert_string_equal(o->lines[0].sku, "BJ-1");
	assert_string_equal(o->lines[0].ean, "7312345678901");
	assert_string_equal(o->lines[0].upc, "012345678905");
	assert_int_equal(o->lines[0].n_allocations, 2);
	assert_true(o->lines[0].allocations[0].warehouse == 9007199254740993);
	assert_int_equal(o->lines[0].allocations[0].quantity, 1);
	assert_false(o->lines[0].allocations[0].waiting);
	assert_int_equal(o->lines[0].allocations[1].warehouse, 4);
	assert_true(o->lines[0].allocations[1].waiting);
	assert_int_equal(o->lines[1].quantity, 0);
	assert_null(o->lines[1].product);
	assert_null(o->lines[1].sku);
	assert_int_equal(o->lines[1].n_allocations, 0);
	assert_string_equal(r.list[1].status, "CANCELLED");
	assert_false(r.list[1].on_hold);
	assert_false(r.list[1].waits);
	assert_null(r.list[1].hold_reason);
	assert_null(r.list[1].city);
	assert_null(r.list[1].placed_at);
	centra_orders_release(&r);
	stop();
}

static void the_query_asks_for_these_orders_and_no_address(void **state)
{
	struct centra_orders r;
	const char *sent;

	(void)state;
	orders(full, false, &r);
	sent = canned_last(server);
	assert_non_null(strstr(sent, "POST /graphql HTTP/1.1\r\n"));
	assert_non_null(strstr(sent, "\r\nAuthorization: Bearer token\r\n"));
	assert_non_null(
		strstr(sent, "orders(where:{number:$n}, "
			     "sort:[number_ASC], limit:2) {"));
	assert_non_null(strstr(
		sent, "waiting: orders(where:{number:$n, "
		      "isWaitingForCheckFirstAllocation:true}, "
		      "sort:[number_ASC], limit:2) { number }"));
	assert_non_null(strstr(sent, "\"variables\":{\"n\":[19,20]}}"));
	assert_non_null(strstr(sent, "shippingAddress { city country"));
	assert_null(strstr(sent, "firstName"));
	assert_null(strstr(sent, "email"));
	centra_orders_release(&r);
	stop();
}

static void the_address_comes_when_asked_for(void **state)
{
	struct centra_orders r;

	(void)state;
	orders(full, true, &r);
	assert_non_null(strstr(canned_last(server), "firstName"));
	assert_string_equal(r.list[0].address,
			    "{\"first_name\":\"Jon\",\"last_name\":\"Snow\","
			    "\"address1\":\"Wall 1\",\"zip\":\"123 45\","
			    "\"city\":\"Malm\xc3\xb6\",\"mobile\":\"+46 1\","
			    "\"email\":\"jon@example.com\","
			    "\"country\":\"Sweden\",\"country_code\":\"SE\"}");
	assert_string_equal(r.list[1].address, "{}");
	centra_orders_release(&r);
	stop();
}

/* An order that is held for several reasons shows one of them, or none. */
static void an_order_waits_if_centra_lists_it_whatever_its_hold_reads(void **state)
{
	static const struct {
		const char *hold, *reason, *waiting;
	} cases[] = {
		{"true", "\"WAITING_FOR_FRAUD_CHECK\"", "[{\"number\":19}]"},
		{"true", "null", "[{\"number\":19}]"},
		{"true", "\"A_NEW_REASON\"", "[{\"number\":\"19\"}]"},
		{"true", "\"WAITING_FOR_CHECK_FIRST_ALLOCATION\"", "[]"},
		{"true", "\"WAITING_FOR_CHECK_FIRST_ALLOCATION\"",
		 "[{\"number\":20}]"},
	};
	char body[400];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct centra_orders r;

		snprintf(body, sizeof(body),
			 "{\"data\":{\"orders\":[{\"number\":19,"
			 "\"status\":\"PENDING\",\"isOnHold\":%s,"
			 "\"orderHoldReason\":%s,\"createdAt\":"
			 "\"2021-01-11T16:19:00+01:00\",\"orderDate\":\"x\","
			 "\"lines\":[]}],\"waiting\":%s}}",
			 cases[i].hold, cases[i].reason, cases[i].waiting);
		orders(body, false, &r);
		assert_int_equal(r.call.end, CALL_OK);
		assert_int_equal(r.list[0].waits, i < 3);
		assert_string_equal(r.list[0].placed_at,
				    "2021-01-11T16:19:00+01:00");
		centra_orders_release(&r);
		stop();
	}
}

static void an_empty_list_is_no_failure(void **state)
{
	struct centra_orders r;

	(void)state;
	orders(NO_ORDERS, false, &r);
	assert_int_equal(r.call.end, CALL_OK);
	assert_int_equal(r.n, 0);
	centra_orders_release(&r);
	stop();
}

#define O(members) "{\"data\":{\"orders\":[{" members "}],\"waiting\":[]}}"
#define NSH	   "\"number\":19,\"status\":\"PENDING\",\"isOnHold\":false"
#define L(members) O(NSH ",\"lines\":[{" members "}]")
#define A(members)                                                            \
	L("\"id\":1,\"quantity\":1,\"allocations\":[{" members "}]")

#define LINE(id, type, size, allocations)                                     \
	"{\"id\":" #id ",\"__typename\":\"" type "\",\"quantity\":1,"         \
	"\"productSize\":" size ",\"allocations\":[" allocations "]}"
#define SIZE "{\"SKU\":\"a\"}"
#define HELD                                                                  \
	"{\"quantity\":1,\"isWaitingForConfirmation\":false,"                 \
	"\"warehouse\":{\"id\":3}}"

static void a_line_without_stock_of_its_own_is_stockless(void **state)
{
	static const struct {
		const char *lines;
		bool stockless[3];
	} cases[] = {
		{LINE(1, "BundleOrderLine", SIZE, "") ","
		 LINE(2, "BundleItemOrderLine", SIZE, HELD) ","
		 LINE(3, "BundleItemOrderLine", SIZE, ""),
		 {true, false, false}},
		/* a parent whose items are not listed is what is to be sent */
		{LINE(1, "BundleOrderLine", SIZE, "") ","
		 LINE(2, "ProductOrderLine", SIZE, HELD),
		 {false, false}},
		{LINE(1, "BundleOrderLine", SIZE, HELD) ","
		 LINE(2, "BundleItemOrderLine", SIZE, ""),
		 {false, false}},
		/* a gift card */
		{LINE(1, "ProductOrderLine", "null", "") ","
		 LINE(2, "ProductOrderLine", SIZE, ""),
		 {true, false}},
		{LINE(1, "ProductOrderLine", "null", HELD), {false}},
		{"{\"id\":1,\"quantity\":1,\"allocations\":[]}", {false}},
	};
	char body[1200];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct centra_orders r;

		snprintf(body, sizeof(body), O(NSH ",\"lines\":[%s]"),
			 cases[i].lines);
		orders(body, false, &r);
		assert_int_equal(r.call.end, CALL_OK);
		for (size_t k = 0; k < r.list[0].n_lines; k++)
			assert_int_equal(r.list[0].lines[k].stockless,
					 cases[i].stockless[k]);
		centra_orders_release(&r);
		stop();
	}
}

/* Met in the field: texts that several systems had a hand in. */
static void an_odd_character_costs_itself_and_never_the_text(void **state)
{
	static const char body[] = O(
		NSH ",\"shippingAddress\":{\"firstName\":"
		"\"Bj\\u00f6rn \\ud83d\\ude00\",\"lastName\":\"L\\u0007\\u00f6v\","
		"\"companyName\":\"Exempel AB \\ud83d\","
		"\"attention\":\"\\u0000\",\"address1\":\"Storgatan 12,\\nport 3\","
		"\"address2\":\"\x02" "c/o L\xf6v\\u0085\\u007f\",\"zipCode\":\"411 01\","
		"\"city\":\"G\\u00f6te\\udc00borg\","
		"\"country\":{\"code\":\"SE\",\"name\":\"Swe\\u0001den\"}},"
		"\"lines\":[{\"id\":501,\"quantity\":1,"
		"\"productName\":\"Rain\\u0000coat \\ud83c\","
		"\"productVariantName\":\"Navy\",\"productSize\":{"
		"\"SKU\":\"\\u0000\",\"EAN\":\"731\\u00002345\"},"
		"\"allocations\":[]}]");
	struct centra_orders r;

	(void)state;
	orders(body, true, &r);
	assert_int_equal(r.call.end, CALL_OK);
	assert_string_equal(
		r.list[0].address,
		"{\"first_name\":\"Bj\xc3\xb6rn \xf0\x9f\x98\x80\","
		"\"last_name\":\"L\xc3\xb6v\",\"company\":\"Exempel AB \","
		"\"address1\":\"Storgatan 12, port 3\","
		"\"address2\":\"c/o Lv\",\"zip\":\"411 01\","
		"\"city\":\"G\xc3\xb6teborg\",\"country\":\"Sweden\","
		"\"country_code\":\"SE\"}");
	assert_string_equal(r.list[0].city, "G\xc3\xb6teborg");
	assert_string_equal(r.list[0].lines[0].product, "Raincoat ");
	assert_null(r.list[0].lines[0].sku);
	assert_string_equal(r.list[0].lines[0].ean, "7312345");
	centra_orders_release(&r);
	stop();
}

static void a_status_with_an_odd_character_is_no_status(void **state)
{
	struct centra_orders r;

	(void)state;
	orders(O("\"number\":19,\"status\":\"CANCEL\\u0000LED\","
		 "\"isOnHold\":false,\"lines\":[]"),
	       false, &r);
	assert_int_equal(r.call.end, CALL_UNKNOWN);
	centra_orders_release(&r);
	stop();
}

static void the_kind_of_a_line_is_asked_for_and_its_upc(void **state)
{
	struct centra_orders r;

	(void)state;
	orders(full, false, &r);
	assert_non_null(strstr(canned_last(server), "lines { __typename "));
	assert_non_null(strstr(canned_last(server), " UPC "));
	centra_orders_release(&r);
	stop();
}

static void what_is_not_as_expected_is_unknown_as_a_whole(void **state)
{
	static const char *const cases[] = {
		"", "<html>", "{}", "[]", "{\"data\":null}", "{\"data\":[]}",
		"{\"data\":{}}", "{\"data\":{\"orders\":null}}",
		"{\"data\":{\"orders\":{}}}", "{\"data\":{\"orders\":[null]}}",
		"{\"data\":{\"orders\":[],\"waiting\":[]}", NO_ORDERS "x",
		/* which of them wait is not known */
		"{\"data\":{\"orders\":[]}}",
		"{\"data\":{\"orders\":[],\"waiting\":null}}",
		"{\"data\":{\"orders\":[],\"waiting\":[{}]}}",
		"{\"data\":{\"orders\":[],\"waiting\":[{\"number\":21}]}}",
		O(""), O("\"number\":19"),
		/* an order that was not asked for */
		O("\"number\":21,\"status\":\"X\",\"isOnHold\":false,"
		  "\"lines\":[]"),
		O("\"number\":19.0,\"status\":\"X\",\"isOnHold\":false,"
		  "\"lines\":[]"),
		O("\"number\":19,\"status\":null,\"isOnHold\":false,"
		  "\"lines\":[]"),
		O("\"number\":19,\"status\":\"X\",\"lines\":[]"),
		O("\"number\":19,\"status\":\"X\",\"isOnHold\":0,"
		  "\"lines\":[]"),
		O(NSH), O(NSH ",\"lines\":null"), O(NSH ",\"lines\":{}"),
		O(NSH ",\"lines\":[null]"), L(""),
		L("\"id\":1,\"quantity\":1"),
		L("\"id\":1,\"allocations\":[]"),
		L("\"id\":1,\"quantity\":-1,\"allocations\":[]"),
		L("\"id\":1,\"quantity\":1.5,\"allocations\":[]"),
		L("\"quantity\":1,\"allocations\":[]"),
		L("\"id\":1,\"quantity\":1,\"allocations\":null"), A(""),
		A("\"quantity\":1,\"isWaitingForConfirmation\":false"),
		A("\"quantity\":1,\"warehouse\":{\"id\":3}"),
		A("\"quantity\":1,\"isWaitingForConfirmation\":null,"
		  "\"warehouse\":{\"id\":3}"),
		A("\"isWaitingForConfirmation\":false,"
		  "\"warehouse\":{\"id\":3}"),
		A("\"quantity\":1,\"isWaitingForConfirmation\":false,"
		  "\"warehouse\":{\"id\":0}"),
		A("\"quantity\":1,\"isWaitingForConfirmation\":false,"
		  "\"warehouse\":null")};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct centra_orders r;

		orders(cases[i], false, &r);
		if (r.call.end != CALL_UNKNOWN)
			print_error("%s\n", cases[i]);
		assert_int_equal(r.call.end, CALL_UNKNOWN);
		assert_true(r.call.why.text[0]);
		assert_int_equal(r.n, 0);
		assert_null(r.list);
		centra_orders_release(&r);
		stop();
	}
}

static void one_good_order_does_not_excuse_a_bad_one(void **state)
{
	struct centra_orders r;

	(void)state;
	orders("{\"data\":{\"orders\":[{" NSH ",\"lines\":[]},{}],"
	       "\"waiting\":[]}}", false,
	       &r);
	assert_int_equal(r.call.end, CALL_UNKNOWN);
	assert_int_equal(r.n, 0);
	centra_orders_release(&r);
	stop();
}

static void errors_make_the_call_unknown_in_centras_words(void **state)
{
	struct centra_orders r;

	(void)state;
	orders("{\"data\":{\"orders\":[]},\"errors\":[{\"message\":\"slow\"},"
	       "{\"message\":\"2\"}]}",
	       false, &r);
	assert_int_equal(r.call.end, CALL_UNKNOWN);
	assert_false(r.call.refused);
	assert_string_equal(r.call.why.text, "GraphQL: slow (and more)");
	centra_orders_release(&r);
	stop();

	orders("{\"errors\":[{\"message\":\"You need Order:read\","
	       "\"extensions\":{\"category\":\"authorization\"}}]}",
	       false, &r);
	assert_int_equal(r.call.end, CALL_UNKNOWN);
	assert_true(r.call.refused);
	assert_string_equal(r.call.why.text, "GraphQL: You need Order:read");
	centra_orders_release(&r);
	stop();

	orders("{\"data\":{\"orders\":[]},\"errors\":\"odd\"}", false, &r);
	assert_int_equal(r.call.end, CALL_UNKNOWN);
	centra_orders_release(&r);
	stop();

	orders("{\"data\":{\"orders\":[],\"waiting\":[]},\"errors\":[]}", false,
	       &r);
	assert_int_equal(r.call.end, CALL_OK);
	centra_orders_release(&r);
	stop();
}

/* ---- an error at a field ---- */

#define AT(path) "{\"message\":\"Odd.\",\"path\":[" path "]}"
#define DENIED(path)                                                          \
	"{\"message\":\"You need it.\",\"path\":[" path "],"                    \
	"\"extensions\":{\"category\":\"authorization\"}}"
#define LINE_1                                                                \
	"{\"id\":1,\"quantity\":1,\"productName\":\"Coat\","                  \
	"\"productSize\":null,\"allocations\":[]}"
/* Two orders, of which the second has the trouble. */
#define TROUBLE(members, errors)                                              \
	"{\"data\":{\"orders\":[{" NSH ",\"shippingAddress\":{\"city\":"      \
	"\"Lund\"},\"lines\":[" LINE_1 "],\"shipments\":[]},"               \
	"{\"shipments\":[]," members "}],"                                    \
	"\"waiting\":[{\"number\":19}]},\"errors\":[" errors "]}"

static void an_error_costs_one_order_one_field(void **state)
{
	static const struct {
		const char *body;
		unsigned missing;
		bool undecided;
		size_t n_lines;
	} rows[] = {
		{TROUBLE("\"number\":20,\"status\":\"X\",\"isOnHold\":false,"
			 "\"shippingAddress\":null,\"lines\":[" LINE_1 "]",
			 AT("\"orders\",1,\"shippingAddress\"")),
		 MISSING_ADDRESS, false, 1},
		{TROUBLE("\"number\":20,\"status\":\"X\",\"isOnHold\":false,"
			 "\"shippingAddress\":{\"city\":null},"
			 "\"lines\":[" LINE_1 "]",
			 AT("\"orders\",1,\"shippingAddress\",\"city\"")),
		 MISSING_ADDRESS, false, 1},
		{TROUBLE("\"number\":20,\"status\":\"X\",\"isOnHold\":false,"
			 "\"lines\":[" LINE_1 "]",
			 AT("\"orders\",1,\"orderHoldReason\"") ","
			 AT("\"orders\",1,\"lines\",0,\"productSize\",\"SKU\"")),
		 MISSING_WORDS, false, 1},
		{TROUBLE("\"number\":20,\"status\":null,\"isOnHold\":false,"
			 "\"lines\":[" LINE_1 "]",
			 AT("\"orders\",1,\"status\"")),
		 0, true, 1},
		{TROUBLE("\"number\":20,\"status\":\"X\",\"isOnHold\":null,"
			 "\"lines\":[" LINE_1 "]",
			 AT("\"orders\",1,\"isOnHold\"")),
		 0, true, 1},
		{TROUBLE("\"number\":20,\"status\":\"X\",\"isOnHold\":false,"
			 "\"lines\":[{\"id\":1,\"quantity\":1,"
			 "\"allocations\":null}]",
			 AT("\"orders\",1,\"lines\",0,\"allocations\"")),
		 0, true, 1},
		{TROUBLE("\"number\":20,\"status\":\"X\",\"isOnHold\":false,"
			 "\"lines\":[" LINE_1 ",{\"id\":2,\"quantity\":null,"
			 "\"allocations\":[]}]",
			 AT("\"orders\",1,\"lines\",1,\"quantity\"")),
		 0, true, 0},
		{TROUBLE("\"number\":20,\"status\":\"X\",\"isOnHold\":false,"
			 "\"lines\":null",
			 AT("\"orders\",1,\"lines\"")),
		 0, true, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct centra_orders r;

		orders(rows[i].body, true, &r);
		assert_int_equal(r.call.end, CALL_OK);
		assert_int_equal(r.n, 2);
		assert_int_equal(r.list[0].missing, 0);
		assert_false(r.list[0].undecided);
		assert_true(r.list[0].waits);
		assert_string_equal(r.list[0].address, "{\"city\":\"Lund\"}");
		assert_true(r.list[0].lines[0].stockless);
		if (r.list[1].missing != rows[i].missing ||
		    r.list[1].undecided != rows[i].undecided)
			fail_msg("row %zu", i);
		assert_int_equal(r.list[1].n_lines, rows[i].n_lines);
		assert_non_null(r.list[1].status);
		assert_true(!(rows[i].missing & MISSING_ADDRESS) ==
			    (r.list[1].address != NULL));
		centra_orders_release(&r);
		stop();
	}
}

static void a_size_that_an_error_hides_makes_no_line_stockless(void **state)
{
	struct centra_orders r;

	(void)state;
	orders("{\"data\":{\"orders\":[{" NSH ",\"lines\":[" LINE_1 "]}],"
	       "\"waiting\":[]},\"errors\":["
	       AT("\"orders\",0,\"lines\",0,\"productSize\"") "]}",
	       false, &r);
	assert_int_equal(r.call.end, CALL_OK);
	assert_false(r.list[0].lines[0].stockless);
	centra_orders_release(&r);
	stop();
}

static void an_order_that_is_hidden_whole_is_one_not_shown(void **state)
{
	struct centra_orders r;

	(void)state;
	orders("{\"data\":{\"orders\":[null,{" NSH ",\"lines\":[]}],"
	       "\"waiting\":[]},\"errors\":[" AT("\"orders\",0") "]}",
	       false, &r);
	assert_int_equal(r.call.end, CALL_OK);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.list[0].number, 19);
	assert_false(r.list[0].undecided);
	centra_orders_release(&r);
	stop();
}

static void without_the_waiting_list_no_order_is_decided(void **state)
{
	static const char *const cases[] = {
		"{\"data\":{\"orders\":[{" NSH ",\"lines\":[]}],"
		"\"waiting\":null},\"errors\":[" AT("\"waiting\"") "]}",
		"{\"data\":{\"orders\":[{" NSH ",\"lines\":[]}],"
		"\"waiting\":[{\"number\":null}]},\"errors\":["
		AT("\"waiting\",0,\"number\"") "]}",
		"{\"data\":{\"orders\":[{" NSH ",\"lines\":[]}],"
		"\"waiting\":[]},\"errors\":[" AT("\"orders\"") "]}",
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct centra_orders r;

		orders(cases[i], false, &r);
		assert_int_equal(r.call.end, CALL_OK);
		assert_int_equal(r.n, 1);
		assert_true(r.list[0].undecided);
		centra_orders_release(&r);
		stop();
	}
}

static void an_order_named_twice_is_not_decided(void **state)
{
	struct centra_orders r;

	(void)state;
	orders("{\"data\":{\"orders\":[{" NSH ",\"lines\":[]},{"
	       "\"number\":20,\"status\":\"X\",\"isOnHold\":false,"
	       "\"lines\":[]},{" NSH ",\"lines\":[]}],\"waiting\":[]}}",
	       false, &r);
	assert_int_equal(r.call.end, CALL_OK);
	assert_true(r.list[0].undecided);
	assert_false(r.list[1].undecided);
	assert_true(r.list[2].undecided);
	centra_orders_release(&r);
	stop();
}

/* Plays two replies to one question. */
static void twice_with(const char *status, const char *first,
		       const char *second, bool payment,
		       struct centra_orders *ret)
{
	static char texts[2][4096];
	static struct canned_step steps[3];
	const char *const bodies[] = {first, second};
	struct centra_options o = {.instance = "se",
				   .graphql_token = "token",
				   .connect_timeout = 1000,
				   .timeout = 5000};
	char url[80];

	for (size_t i = 0; i < 2; i++) {
		snprintf(texts[i], sizeof(texts[i]),
			 "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s",
			 i ? "200 OK" : status, strlen(bodies[i]), bodies[i]);
		steps[i] = (struct canned_step){CANNED_CLOSE, texts[i]};
	}
	server = canned_start(steps);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/graphql",
		 canned_port(server));
	o.graphql_url = url;
	centra = centra_open(&o);
	conn = centra_conn_open(centra);
	graphql_order_shipments(conn, 19, true, payment, ret);
}

static void twice(const char *first, const char *second, bool payment,
		  struct centra_orders *ret)
{
	twice_with("200 OK", first, second, payment, ret);
}

#define SETTLES                                                               \
	"{\"data\":{\"orders\":[{" NSH ",\"lines\":[],\"shipments\":[]}],"    \
	"\"waiting\":[]}}"

/* As Centra documents it: no data at all. */
static void a_look_does_without_the_field_that_alone_is_refused(void **state)
{
	static const struct {
		const char *errors, *field;
		unsigned missing;
	} rows[] = {
		{DENIED("\"orders\",0,\"paymentHistory\""), "paymentHistory",
		 MISSING_PAYMENT},
		{DENIED("\"orders\",\"paymentHistory\""), "paymentHistory",
		 MISSING_PAYMENT},
		{DENIED("\"orders\",0,\"shippingAddress\""),
		 "shippingAddress", MISSING_ADDRESS},
		{AT("\"orders\",0,\"lines\",0,\"productSize\""),
		 "productSize", MISSING_WORDS},
		{DENIED("\"orders\",0,\"paymentHistory\"") ","
		 DENIED("\"orders\",0,\"shippingAddress\""),
		 "paymentHistory", MISSING_PAYMENT | MISSING_ADDRESS},
	};
	struct centra_orders r;
	char first[600];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		snprintf(first, sizeof(first), "{\"errors\":[%s]}",
			 rows[i].errors);
		twice(first, SETTLES, true, &r);
		assert_int_equal(r.call.end, CALL_OK);
		assert_int_equal(r.n, 1);
		assert_int_equal(r.list[0].missing, rows[i].missing);
		assert_false(r.list[0].undecided);
		assert_int_equal(canned_requests(server), 2);
		assert_null(strstr(canned_last(server), rows[i].field));
		/* The permission is to be given all the same. */
		assert_int_equal(r.call.refused,
				 strstr(rows[i].errors, "auth") != NULL);
		if (r.call.refused)
			assert_string_equal(r.call.why.text,
					    i == 4 ? "GraphQL: You need it. "
						     "(and more)"
						   : "GraphQL: You need it.");
		centra_orders_release(&r);
		stop();
	}
}

static void a_look_does_not_do_without_a_field_that_decides(void **state)
{
	static const char *const errors[] = {
		DENIED("\"orders\""),
		DENIED("\"orders\",0,\"shipments\""),
		DENIED("\"orders\",0,\"lines\",0,\"allocations\",0,"
		       "\"warehouse\""),
		DENIED("\"orders\",0,\"paymentHistory\"") ","
		DENIED("\"orders\",0,\"shipments\""),
		"{\"message\":\"paymentHistory\"}",
	};
	struct centra_orders r;
	char first[600];

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		snprintf(first, sizeof(first), "{\"errors\":[%s]}", errors[i]);
		twice(first, SETTLES, true, &r);
		assert_int_equal(r.call.end, CALL_UNKNOWN);
		assert_int_equal(canned_requests(server), 1);
		stop();
	}
}

/* Whose it is the allocations say too. */
static void an_order_is_decided_without_its_shipments(void **state)
{
	static const char *const odd[] = {
		"null}],\"waiting\":[]},"
		"\"errors\":[" AT("\"orders\",0,\"shipments\"") "]}",
		"[{\"id\":0}]}],\"waiting\":[]}}",
	};
	const int64_t number = 19;
	struct centra_orders r;
	char body[600];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		snprintf(body, sizeof(body),
			 "{\"data\":{\"orders\":[{" NSH ",\"lines\":[" LINE_1
			 "],\"shipments\":%s",
			 odd[i]);
		start("200 OK", body);
		graphql_orders(conn, &number, 1, false, &r);
		assert_int_equal(r.call.end, CALL_OK);
		assert_int_equal(r.n, 1);
		assert_int_equal(r.list[0].missing, MISSING_SHIPMENTS);
		assert_false(r.list[0].undecided);
		assert_int_equal(r.list[0].n_shipments, 0);
		centra_orders_release(&r);
		stop();
	}
}

/* One permission that is missing is not a key that is refused, whatever the
 * status: the other calls go on. */
static void a_field_refused_with_the_status_of_a_key_parks_nothing(void **state)
{
	struct centra_state st;
	struct centra_orders r;

	(void)state;
	twice_with("403 Forbidden",
		   "{\"errors\":[" DENIED("\"orders\",0,\"paymentHistory\"") "]}",
		   SETTLES, true, &r);
	assert_int_equal(r.call.end, CALL_OK);
	assert_int_equal(r.list[0].missing, MISSING_PAYMENT);
	assert_int_equal(canned_requests(server), 2);
	limits_state(centra_limits(centra), CENTRA_GRAPHQL, 0, &st);
	assert_false(st.refused);
	centra_orders_release(&r);
	stop();
}

/* A part of the query that was not asked for is not the one to blame. */
static void a_query_is_not_asked_again_as_it_was(void **state)
{
	struct centra_orders r;

	(void)state;
	twice("{\"errors\":[" DENIED("\"orders\",0,\"paymentHistory\"") "]}",
	      SETTLES, false, &r);
	assert_int_equal(r.call.end, CALL_UNKNOWN);
	assert_int_equal(canned_requests(server), 1);
	stop();
}

static void a_refused_token_says_so(void **state)
{
	const int64_t number = 19;
	struct centra_orders r;

	(void)state;
	start("403 Forbidden", "{\"errors\":[{\"message\":\"expired\"}]}");
	graphql_orders(conn, &number, 1, false, &r);
	assert_int_equal(r.call.end, CALL_NOT_DONE);
	assert_true(r.call.refused);
	assert_string_equal(r.call.why.text, "GraphQL: expired");
	stop();

	start("500 Oops", "<html>");
	graphql_orders(conn, &number, 1, false, &r);
	assert_int_equal(r.call.end, CALL_UNKNOWN);
	assert_false(r.call.refused);
	stop();
}

static void a_query_has_a_size(void **state)
{
	int64_t numbers[ORDERS_QUERY_MAX + 1];
	struct centra_orders r;

	(void)state;
	for (size_t i = 0; i < ORDERS_QUERY_MAX + 1; i++)
		numbers[i] = INT64_MAX - (int64_t)i;
	start("200 OK", NO_ORDERS);
	graphql_orders(conn, numbers, 0, false, &r);
	assert_int_equal(r.call.end, CALL_NOT_DONE);
	graphql_orders(conn, numbers, ORDERS_QUERY_MAX + 1, false, &r);
	assert_int_equal(r.call.end, CALL_NOT_DONE);
	assert_int_equal(canned_requests(server), 0);
	graphql_orders(conn, numbers, ORDERS_QUERY_MAX, true, &r);
	assert_int_equal(r.call.end, CALL_OK);
	assert_non_null(strstr(canned_last(server), "9223372036854775783]}}"));
	centra_orders_release(&r);
	stop();
}

static void waiting_orders_are_listed_by_number(void **state)
{
	struct centra_numbers r;

	(void)state;
	start("200 OK", "{\"data\":{\"orders\":[{\"number\":19},"
			"{\"number\":\"20\"}]}}");
	graphql_waiting(conn, 100, 2, &r);
	assert_int_equal(r.call.end, CALL_OK);
	assert_int_equal(r.n, 2);
	assert_int_equal(r.list[0], 19);
	assert_int_equal(r.list[1], 20);
	assert_non_null(
		strstr(canned_last(server),
		       "orders(where:{isWaitingForCheckFirstAllocation:true}, "
		       "sort:[number_ASC], limit:100, page:2) { number }"));
	centra_numbers_release(&r);
	stop();

	start("200 OK", "{\"data\":{\"orders\":[]}}");
	graphql_waiting(conn, 9999, 0, &r);
	assert_int_equal(r.call.end, CALL_OK);
	assert_int_equal(r.n, 0);
	assert_non_null(strstr(canned_last(server), "limit:200, page:1)"));
	centra_numbers_release(&r);
	stop();
}

static void a_waiting_order_that_cannot_be_read_hides_no_other(void **state)
{
	struct centra_numbers r;

	(void)state;
	start("200 OK", "{\"data\":{\"orders\":[{},{\"number\":19},"
			"{\"number\":0},null,{\"number\":20}]}}");
	graphql_waiting(conn, 100, 1, &r);
	assert_int_equal(r.call.end, CALL_OK);
	assert_int_equal(r.n, 2);
	assert_int_equal(r.unread, 3);
	assert_true(r.list[0] == 19 && r.list[1] == 20);
	centra_numbers_release(&r);
	stop();
}

static void a_list_of_waiting_orders_that_is_none_is_unknown(void **state)
{
	static const char *const cases[] = {
		"{\"data\":{\"orders\":[{\"number\":0}]}}",
		"{\"data\":{\"orders\":null}}", "{\"data\":{\"orders\":[19]}}"};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct centra_numbers r;

		start("200 OK", cases[i]);
		graphql_waiting(conn, 100, 1, &r);
		assert_int_equal(r.call.end, CALL_UNKNOWN);
		assert_int_equal(r.n, 0);
		assert_null(r.list);
		stop();
	}
}

static void warehouses_come_with_policy_and_shop(void **state)
{
	struct centra_warehouses r;

	(void)state;
	start("200 OK",
	      "{\"data\":{\"warehouses\":[{\"id\":1,\"name\":\"Main\","
	      "\"status\":\"ACTIVE\",\"allocationPolicy\":\"DIRECT\","
	      "\"brickAndMortar\":null},{\"id\":3,\"name\":\"Amsterdam\","
	      "\"allocationPolicy\":\"CHECK_FIRST\","
	      "\"brickAndMortar\":{\"id\":2,\"name\":\"Kalverstraat\"}}]}}");
	graphql_warehouses(conn, &r);
	assert_int_equal(r.call.end, CALL_OK);
	assert_int_equal(r.n, 2);
	assert_int_equal(r.list[0].id, 1);
	assert_string_equal(r.list[0].name, "Main");
	assert_null(r.list[0].shop);
	assert_string_equal(r.list[1].policy, "CHECK_FIRST");
	assert_string_equal(r.list[1].shop, "Kalverstraat");
	assert_non_null(strstr(canned_last(server),
			       "warehouses(sort:[id_ASC], limit:200, page:1)"));
	centra_warehouses_release(&r);
	stop();

	start("200 OK", "{\"data\":{\"warehouses\":[{\"id\":1},{}]}}");
	graphql_warehouses(conn, &r);
	assert_int_equal(r.call.end, CALL_UNKNOWN);
	assert_int_equal(r.n, 0);
	stop();

	start("200 OK", "{\"data\":{\"warehouses\":null}}");
	graphql_warehouses(conn, &r);
	assert_int_equal(r.call.end, CALL_UNKNOWN);
	stop();
}

/* Warehouses first..last as the rows of a page. */
static void page_of(struct buf *b, int first, int last)
{
	buf_str(b, "{\"data\":{\"warehouses\":[");
	for (int i = first; i <= last; i++)
		buf_fmt(b, "%s{\"id\":%d,\"name\":\"w\"}",
			i > first ? "," : "", i);
	buf_str(b, "]}}");
}

static void warehouses_beyond_a_page_are_read_too(void **state)
{
	static const int ends[][2] = {{1, 200}, {200, 399}, {400, 450}};
	struct canned_step steps[4] = {{0}};
	struct centra_warehouses r;
	struct buf texts[3], body;
	struct centra_options o = {.instance = "se", .graphql_token = "token"};
	char url[80];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		buf_init(&texts[i], 1 << 16);
		buf_init(&body, 1 << 16);
		page_of(&body, ends[i][0], ends[i][1]);
		buf_fmt(&texts[i],
			"HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
			body.len, body.data);
		buf_release(&body);
		steps[i] = (struct canned_step){CANNED_CLOSE, texts[i].data};
	}
	server = canned_start(steps);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/graphql",
		 canned_port(server));
	o.graphql_url = url;
	centra = centra_open(&o);
	conn = centra_conn_open(centra);
	graphql_warehouses(conn, &r);
	assert_int_equal(r.call.end, CALL_OK);
	assert_int_equal(r.n, 450); /* 200 came twice, and counts once */
	assert_int_equal(r.list[449].id, 450);
	assert_int_equal(canned_requests(server), 3);
	assert_non_null(strstr(canned_last(server),
			       "sort:[id_ASC], limit:200, page:3)"));
	centra_warehouses_release(&r);

	/* A page that does not come is no end of the list. */
	stop();
	steps[2] = (struct canned_step){CANNED_HANG_UP, NULL};
	server = canned_start(steps);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/graphql",
		 canned_port(server));
	centra = centra_open(&o);
	conn = centra_conn_open(centra);
	graphql_warehouses(conn, &r);
	assert_int_not_equal(r.call.end, CALL_OK);
	assert_int_equal(r.n, 0);
	stop();
	for (size_t i = 0; i < 3; i++)
		buf_release(&texts[i]);
}

static int begin(void **state)
{
	struct err e;

	(void)state;
	return centra_init(&e);
}

static int end(void **state)
{
	(void)state;
	centra_end();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_order_is_read_whole),
		cmocka_unit_test(
			the_query_asks_for_these_orders_and_no_address),
		cmocka_unit_test(the_address_comes_when_asked_for),
		cmocka_unit_test(
			an_order_waits_if_centra_lists_it_whatever_its_hold_reads),
		cmocka_unit_test(an_empty_list_is_no_failure),
		cmocka_unit_test(a_line_without_stock_of_its_own_is_stockless),
		cmocka_unit_test(
			an_odd_character_costs_itself_and_never_the_text),
		cmocka_unit_test(a_status_with_an_odd_character_is_no_status),
		cmocka_unit_test(the_kind_of_a_line_is_asked_for_and_its_upc),
		cmocka_unit_test(what_is_not_as_expected_is_unknown_as_a_whole),
		cmocka_unit_test(one_good_order_does_not_excuse_a_bad_one),
		cmocka_unit_test(errors_make_the_call_unknown_in_centras_words),
		cmocka_unit_test(an_error_costs_one_order_one_field),
		cmocka_unit_test(
			a_size_that_an_error_hides_makes_no_line_stockless),
		cmocka_unit_test(
			an_order_that_is_hidden_whole_is_one_not_shown),
		cmocka_unit_test(without_the_waiting_list_no_order_is_decided),
		cmocka_unit_test(an_order_named_twice_is_not_decided),
		cmocka_unit_test(
			a_look_does_without_the_field_that_alone_is_refused),
		cmocka_unit_test(
			a_look_does_not_do_without_a_field_that_decides),
		cmocka_unit_test(
			a_field_refused_with_the_status_of_a_key_parks_nothing),
		cmocka_unit_test(an_order_is_decided_without_its_shipments),
		cmocka_unit_test(a_query_is_not_asked_again_as_it_was),
		cmocka_unit_test(a_refused_token_says_so),
		cmocka_unit_test(a_query_has_a_size),
		cmocka_unit_test(waiting_orders_are_listed_by_number),
		cmocka_unit_test(
			a_waiting_order_that_cannot_be_read_hides_no_other),
		cmocka_unit_test(
			a_list_of_waiting_orders_that_is_none_is_unknown),
		cmocka_unit_test(warehouses_come_with_policy_and_shop),
		cmocka_unit_test(warehouses_beyond_a_page_are_read_too),
	};

	return cmocka_run_group_tests(tests, begin, end) != 0;
}
