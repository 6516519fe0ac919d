/* SPDX-License-Identifier: MIT
 *
 * test_shipping.c - the calls that ship an order, and what Centra's replies to
 * them mean.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "centra/graphql.h"
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

static void create(const char *status, const char *body,
		   struct centra_done *ret)
{
	static const struct centra_shipment_line lines[] = {{68, 2}, {69, 1}};

	start(status, body);
	graphql_create_shipment(conn, 19, lines, 2, ret);
	assert_int_equal(canned_requests(server), 1);
}

#define SHIPMENT                                                              \
	"{\"id\":500,\"number\":\"19-1\",\"isGoodToGo\":true,"                \
	"\"isShipped\":false,\"isPaid\":false,\"isCaptured\":false,"          \
	"\"trackingNumber\":null,\"shippedAt\":null,"                         \
	"\"lines\":[{\"quantity\":2,\"orderLine\":{\"id\":68}}]}"

static void a_shipment_is_asked_for_uncaptured_and_read_back(void **state)
{
	struct centra_done d;
	const char *sent;

	(void)state;
	create("200 OK",
	       "{\"data\":{\"createShipment\":{\"shipment\":" SHIPMENT ","
	       "\"userErrors\":[],\"userWarnings\":[]}}}",
	       &d);
	assert_int_equal(d.call.end, CALL_OK);
	assert_null(d.error);
	assert_null(d.warning);
	assert_int_equal(d.shipment.id, 500);
	assert_string_equal(d.shipment.number, "19-1");
	assert_true(d.shipment.good_to_go);
	assert_false(d.shipment.captured);
	assert_int_equal(d.shipment.lines[0].line, 68);
	assert_int_equal(d.shipment.lines[0].quantity, 2);
	sent = canned_last(server);
	assert_non_null(strstr(sent, "\"order\":{\"number\":19}"));
	assert_non_null(strstr(sent, "\"isGoodToGo\":false,\"capture\":false"));
	assert_non_null(strstr(
		sent, "\"lines\":[{\"orderLine\":{\"id\":68},\"quantity\":2},"
		      "{\"orderLine\":{\"id\":69},\"quantity\":1}]"));
	centra_done_release(&d);
	stop();
}

static void a_user_error_is_centras_word_that_nothing_was_done(void **state)
{
	struct centra_done d;

	(void)state;
	create("200 OK",
	       "{\"data\":{\"createShipment\":{\"shipment\":null,"
	       "\"userErrors\":[{\"message\":\"Not allocated.\",\"path\":[]},"
	       "{\"message\":\"On hold.\",\"path\":[]}],"
	       "\"userWarnings\":[]}}}",
	       &d);
	assert_int_equal(d.call.end, CALL_OK);
	assert_string_equal(d.error, "Not allocated.; On hold.");
	centra_done_release(&d);
	stop();
}

#define ERRORS(list) "{\"errors\":[" list "]}"
#define NO_PATH	     "{\"message\":\"Cannot query field\"}"
#define IN_PATH                                                               \
	"{\"message\":\"Odd\",\"path\":[\"createShipment\"],"                 \
	"\"extensions\":{\"category\":\"graphql\"}}"
#define DENIED(path)                                                          \
	"{\"message\":\"You need it\",\"path\":[" path "],"                     \
	"\"extensions\":{\"category\":\"authorization\"}}"

static void what_leaves_doubt_is_told_from_what_does_not(void **state)
{
	static const struct {
		const char *status, *body;
		enum call_end end;
		bool misread;
	} rows[] = {
		{"200 OK", "{\"data\":{\"createShipment\":null}}",
		 CALL_UNKNOWN, false},
		{"200 OK",
		 "{\"data\":{\"createShipment\":{\"shipment\":null,"
		 "\"userErrors\":[],\"userWarnings\":[]}}}",
		 CALL_UNKNOWN, false},
		{"200 OK",
		 "{\"data\":{\"createShipment\":{\"shipment\":{\"id\":\"x\"},"
		 "\"userErrors\":[],\"userWarnings\":[]}}}",
		 CALL_UNKNOWN, false},
		{"200 OK", "<html>", CALL_UNKNOWN, false},
		/* an error without a path: it was not run, whatever the
		 * status */
		{"400 Bad Request", ERRORS(NO_PATH), CALL_NOT_DONE, true},
		{"200 OK", ERRORS(NO_PATH), CALL_NOT_DONE, true},
		{"422 Odd", ERRORS(NO_PATH "," NO_PATH), CALL_NOT_DONE, true},
		{"200 OK", ERRORS("{\"message\":\"x\",\"path\":null}"),
		 CALL_NOT_DONE, true},
		/* one with a path: it was */
		{"400 Bad Request", ERRORS(IN_PATH), CALL_UNKNOWN, false},
		{"200 OK", ERRORS(IN_PATH), CALL_UNKNOWN, false},
		{"200 OK", ERRORS(NO_PATH "," IN_PATH), CALL_UNKNOWN, false},
		/* our token may not call it, or may not see what it did */
		{"200 OK", ERRORS(DENIED("\"createShipment\"")),
		 CALL_NOT_DONE, false},
		{"400 Bad Request", ERRORS(DENIED("\"createShipment\"")),
		 CALL_NOT_DONE, false},
		{"200 OK", ERRORS(DENIED("\"createShipment\",\"shipment\"")),
		 CALL_UNKNOWN, false},
		{"400 Bad Request",
		 ERRORS(DENIED("\"createShipment\",\"shipment\"")),
		 CALL_UNKNOWN, false},
		{"403 Forbidden", ERRORS(DENIED("\"createShipment\"")),
		 CALL_NOT_DONE, false},
		{"403 Forbidden",
		 ERRORS(DENIED("\"createShipment\",\"shipment\"")),
		 CALL_UNKNOWN, false},
		{"401 Unauthorized", ERRORS(IN_PATH), CALL_UNKNOWN, false},
		{"200 OK", ERRORS(DENIED("\"another\"")), CALL_UNKNOWN, false},
		/* it says what it did, and the error says otherwise */
		{"200 OK",
		 "{\"data\":{\"createShipment\":{\"shipment\":null}},"
		 "\"errors\":[" DENIED("\"createShipment\"") "]}",
		 CALL_UNKNOWN, false},
		/* Centra itself failed, or something before it did */
		{"200 OK",
		 ERRORS("{\"message\":\"x\",\"extensions\":{"
			"\"category\":\"internal\"}}"),
		 CALL_UNKNOWN, false},
		{"500 Oops", ERRORS(NO_PATH), CALL_UNKNOWN, false},
		{"499 Closed", ERRORS(NO_PATH), CALL_UNKNOWN, false},
		{"429 Too Many Requests", ERRORS(NO_PATH), CALL_NOT_DONE,
		 false},
		{"403 Forbidden", ERRORS(NO_PATH), CALL_NOT_DONE, false},
		{"400 Bad Request", "<html>", CALL_UNKNOWN, false},
		{"200 OK", "{\"errors\":\"odd\"}", CALL_UNKNOWN, false},
		{"403 Forbidden", "", CALL_NOT_DONE, false},
		{"429 Too Many Requests", "", CALL_NOT_DONE, false},
		{"499 Closed", "", CALL_UNKNOWN, false},
		{"500 Oops", "", CALL_UNKNOWN, false},
	};
	struct centra_done d;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		create(rows[i].status, rows[i].body, &d);
		if (d.call.end != rows[i].end || d.misread != rows[i].misread)
			fail_msg("%s %s: end %d, misread %d", rows[i].status,
				 rows[i].body, (int)d.call.end, d.misread);
		assert_true(*d.call.why.text != '\0');
		centra_done_release(&d);
		stop();
	}
}

#define ENTRY(status, type)                                                   \
	"{\"status\":\"" status "\",\"entryType\":\"" type "\"}"

#define CAPTURED(captured, paid)                                              \
	"{\"id\":500,\"isCaptured\":" captured ",\"isPaid\":" paid "}"

static void the_shipment_says_whether_it_is_captured_and_the_entry_why_not(
	void **state)
{
	static const struct {
		const char *shipment, *entry;
		bool captured, paid;
		enum centra_payment payment;
	} rows[] = {
		{CAPTURED("true", "true"), ENTRY("SUCCESS", "CAPTURE"), true,
		 true, PAYMENT_DONE},
		{CAPTURED("true", "true"), "null", true, true,
		 PAYMENT_NOTHING},
		{CAPTURED("false", "true"),
		 ENTRY("SUCCESS", "CAPTURE_GIFT_CARD"), false, true,
		 PAYMENT_NOTHING},
		{CAPTURED("false", "false"),
		 ENTRY("PENDING", "CAPTURE_REQUEST"), false, false,
		 PAYMENT_PENDING},
		{CAPTURED("false", "false"), ENTRY("SUCCESS", "CAPTURE"),
		 false, false, PAYMENT_DONE},
		{"null", ENTRY("FAILED", "CAPTURE"), false, false,
		 PAYMENT_FAILED},
		{"null", "null", false, false, PAYMENT_NOTHING},
	};
	struct centra_done d;
	char body[512];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		snprintf(body, sizeof(body),
			 "{\"data\":{\"captureShipment\":{\"shipment\":%s,"
			 "\"paymentHistoryEntry\":%s,\"userErrors\":[],"
			 "\"userWarnings\":[{\"message\":\"slow\"}]}}}",
			 rows[i].shipment, rows[i].entry);
		start("200 OK", body);
		graphql_capture_shipment(conn, 500, &d);
		assert_int_equal(d.call.end, CALL_OK);
		assert_int_equal(d.captured, rows[i].captured);
		assert_int_equal(d.paid, rows[i].paid);
		assert_int_equal(d.payment, rows[i].payment);
		assert_string_equal(d.warning, "slow");
		assert_non_null(strstr(canned_last(server), "{\"id\":500}"));
		assert_non_null(strstr(canned_last(server),
				       "shipment { id isCaptured isPaid }"));
		centra_done_release(&d);
		stop();
	}
}

static void an_error_at_the_history_leaves_a_capture_done(void **state)
{
	static const struct {
		const char *captured;
		enum call_end end;
	} rows[] = {{"true", CALL_OK}, {"false", CALL_UNKNOWN}};
	struct centra_done d;
	char body[512];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		snprintf(body, sizeof(body),
			 "{\"errors\":[{\"message\":\"You need "
			 "PaymentHistory:read\",\"extensions\":{"
			 "\"category\":\"authorization\"},\"path\":["
			 "\"captureShipment\",\"paymentHistoryEntry\"]}],"
			 "\"data\":{\"captureShipment\":{\"shipment\":{"
			 "\"id\":500,\"isCaptured\":%s,\"isPaid\":false},"
			 "\"paymentHistoryEntry\":null,\"userErrors\":[],"
			 "\"userWarnings\":[]}}}",
			 rows[i].captured);
		start("200 OK", body);
		graphql_capture_shipment(conn, 500, &d);
		assert_int_equal(d.call.end, rows[i].end);
		assert_int_equal(d.captured, rows[i].end == CALL_OK);
		centra_done_release(&d);
		stop();
	}
}

static void a_shipment_is_set_good_to_go_and_read_back(void **state)
{
	struct centra_done d;
	const char *sent;

	(void)state;
	start("200 OK",
	      "{\"data\":{\"updateShipment\":{\"shipment\":" SHIPMENT ","
	      "\"userErrors\":[],\"userWarnings\":[]}}}");
	graphql_good_to_go(conn, 500, &d);
	assert_int_equal(d.call.end, CALL_OK);
	assert_true(d.shipment.good_to_go);
	sent = canned_last(server);
	assert_non_null(strstr(sent, "updateShipment(id:$id,input:$input)"));
	assert_non_null(strstr(sent, "\"variables\":{\"id\":500,\"input\":{"
				     "\"isGoodToGo\":true}}"));
	centra_done_release(&d);
	stop();
}

static void a_parcel_is_told_with_all_that_is_known_of_it(void **state)
{
	const struct centra_parcel parcel = {
		.carrier = "Post\"Nord",
		.tracking = "SE 1",
		.packages = 2,
	};
	struct centra_done d;
	const char *sent;

	(void)state;
	start("200 OK",
	      "{\"data\":{\"completeShipment\":{\"shipment\":" SHIPMENT ","
	      "\"userErrors\":[],\"userWarnings\":[]}}}");
	graphql_complete_shipment(conn, 500, &parcel, &d);
	assert_int_equal(d.call.end, CALL_OK);
	assert_false(d.shipment.shipped);
	sent = canned_last(server);
	assert_non_null(strstr(sent,
			       "\"variables\":{\"id\":500,\"input\":{"
			       "\"sendEmail\":true,\"shipmentInfo\":{"
			       "\"packagesNumber\":2,"
			       "\"carrier\":\"Post\\\"Nord\","
			       "\"trackingNumber\":\"SE 1\"}}}"));
	assert_null(strstr(sent, "\"service\""));
	centra_done_release(&d);
	stop();
}

/* It may not lie in Centra's future, and none means now (CONTRACT 6.6). */
static void only_a_parcel_that_was_sent_earlier_says_when(void **state)
{
	struct centra_parcel parcel = {.carrier = "A", .packages = 1};
	struct centra_done d;

	(void)state;
	for (int i = 0; i < 2; i++) {
		parcel.shipped_at = i ? 1768212000000 : 0;
		start("200 OK",
		      "{\"data\":{\"completeShipment\":{"
		      "\"shipment\":" SHIPMENT ",\"userErrors\":[],"
		      "\"userWarnings\":[]}}}");
		graphql_complete_shipment(conn, 500, &parcel, &d);
		if (i)
			assert_non_null(strstr(
				canned_last(server),
				"\"shippedAt\":\"2026-01-12T10:00:00Z\""));
		else
			assert_null(strstr(canned_last(server),
					   "\"shippedAt\""));
		centra_done_release(&d);
		stop();
	}
}

static void an_order_is_confirmed_by_its_number(void **state)
{
	struct centra_done d;

	(void)state;
	start("200 OK",
	      "{\"data\":{\"confirmOrder\":{\"order\":{\"number\":19,"
	      "\"status\":\"CONFIRMED\"},\"userErrors\":[],"
	      "\"userWarnings\":null}}}");
	graphql_confirm_order(conn, 19, &d);
	assert_int_equal(d.call.end, CALL_OK);
	assert_null(d.error);
	assert_non_null(strstr(canned_last(server),
			       "{\"input\":{\"order\":{\"number\":19}}}"));
	centra_done_release(&d);
	stop();
}

#define ORDER(shipments, payments)                                            \
	"{\"data\":{\"orders\":[{\"id\":\"x\",\"number\":19,"                 \
	"\"status\":\"PROCESSING\",\"isOnHold\":false,"                       \
	"\"shippingAddress\":null,\"lines\":[],\"shipments\":" shipments      \
	",\"paymentHistory\":" payments "}],\"waiting\":[]}}"

static void an_orders_shipments_and_newest_capture_are_read(void **state)
{
	struct centra_orders r;

	(void)state;
	start("200 OK",
	      ORDER("[" SHIPMENT "]",
		    "[{\"id\":9,\"status\":\"PENDING\","
		    "\"entryType\":\"CAPTURE_REQUEST\"},"
		    "{\"id\":3,\"status\":\"FAILED\","
		    "\"entryType\":\"CAPTURE\"},"
		    "{\"id\":12,\"status\":\"SUCCESS\","
		    "\"entryType\":\"REFUND\"}]"));
	graphql_order_shipments(conn, 19, false, true, &r);
	assert_int_equal(r.call.end, CALL_OK);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.list[0].n_shipments, 1);
	assert_int_equal(r.list[0].shipments[0].id, 500);
	assert_int_equal(r.list[0].payment, PAYMENT_PENDING);
	assert_non_null(strstr(canned_last(server), "paymentHistory"));
	centra_orders_release(&r);
	stop();
}

static enum centra_payment payment_of(const char *entries)
{
	enum centra_payment ret;
	struct centra_orders r;
	char body[1024];

	snprintf(body, sizeof(body), ORDER("[]", "[%s]"), entries);
	start("200 OK", body);
	graphql_order_shipments(conn, 19, false, true, &r);
	assert_int_equal(r.call.end, CALL_OK);
	ret = r.list[0].payment;
	centra_orders_release(&r);
	stop();
	return ret;
}

static void assert_payment(const char *type, const char *status,
			   enum centra_payment alone,
			   enum centra_payment behind_a_failure)
{
	char entries[300];

	snprintf(entries, sizeof(entries),
		 "{\"id\":9,\"status\":\"%s\",\"entryType\":\"%s\"}", status,
		 type);
	if (payment_of(entries) != alone)
		fail_msg("%s %s: %d", type, status, (int)payment_of(entries));
	snprintf(entries, sizeof(entries),
		 "{\"id\":9,\"status\":\"%s\",\"entryType\":\"%s\"},"
		 "{\"id\":8,\"status\":\"FAILED\",\"entryType\":\"CAPTURE\"}",
		 status, type);
	if (payment_of(entries) != behind_a_failure)
		fail_msg("%s %s, after a failed capture: %d", type, status,
			 (int)payment_of(entries));
}

/* Every type of the enum with every status (CONTRACT 6.7): as the only
 * entry, and as the newest, behind a capture of the other outcome. */
static void only_a_capture_of_the_card_says_how_its_payment_is(void **state)
{
	static const char *const says_nothing[] = {
		"AUTH", "REFUND", "REFUND_REQUEST", "REFUND_FAILED", "CANCEL",
		"CANCEL_REQUEST", "MARKED_AS_PAID", "MARKED_AS_UNPAID",
		"PREPAID", "AUTH_PENDING", "ADDITIONAL_ORDER_PAYMENT",
		"INVOICE", "OTHER", "AUTH_GIFT_CARD", "CAPTURE_GIFT_CARD",
		"CANCEL_GIFT_CARD", "REFUND_GIFT_CARD", "CAPTURE_NEW_KIND"};
	static const struct {
		const char *type, *status;
		enum centra_payment payment;
	} captures[] = {
		{"CAPTURE", "SUCCESS", PAYMENT_DONE},
		{"CAPTURE", "PENDING", PAYMENT_PENDING},
		{"CAPTURE", "FAILED", PAYMENT_FAILED},
		{"CAPTURE", "A_NEW_STATUS", PAYMENT_PENDING},
		{"CAPTURE_REQUEST", "SUCCESS", PAYMENT_PENDING},
		{"CAPTURE_REQUEST", "PENDING", PAYMENT_PENDING},
		{"CAPTURE_REQUEST", "FAILED", PAYMENT_FAILED},
		{"CAPTURE_PENDING", "SUCCESS", PAYMENT_PENDING},
		{"CAPTURE_PENDING", "PENDING", PAYMENT_PENDING},
		{"CAPTURE_PENDING", "FAILED", PAYMENT_FAILED},
		{"CAPTURE_FAILED", "SUCCESS", PAYMENT_FAILED},
		{"CAPTURE_FAILED", "PENDING", PAYMENT_FAILED},
		{"CAPTURE_FAILED", "FAILED", PAYMENT_FAILED},
	};
	static const char *const statuses[] = {"SUCCESS", "PENDING", "FAILED"};

	(void)state;
	for (size_t i = 0; i < sizeof(captures) / sizeof(*captures); i++)
		assert_payment(captures[i].type, captures[i].status,
			       captures[i].payment, captures[i].payment);
	for (size_t i = 0; i < sizeof(says_nothing) / sizeof(char *); i++)
		for (size_t k = 0; k < 3; k++)
			assert_payment(says_nothing[i], statuses[k],
				       PAYMENT_NOTHING, PAYMENT_FAILED);
}

static void shipments_that_can_not_be_read_are_no_empty_list(void **state)
{
	static const char *const bodies[] = {
		ORDER("null", "[]"),
		ORDER("[{\"id\":1}]", "[]"),
		ORDER("[" SHIPMENT ",{\"id\":0}]", "[]"),
	};
	struct centra_orders r;

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
		start("200 OK", bodies[i]);
		graphql_order_shipments(conn, 19, true, false, &r);
		assert_int_equal(r.call.end, CALL_UNKNOWN);
		assert_int_equal(r.n, 0);
		assert_null(strstr(canned_last(server), "paymentHistory"));
		centra_orders_release(&r);
		stop();
	}
}

static int init(void **state)
{
	struct err e;

	(void)state;
	return centra_init(&e) ? -1 : 0;
}

static int finish(void **state)
{
	(void)state;
	centra_end();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_shipment_is_asked_for_uncaptured_and_read_back),
		cmocka_unit_test(a_user_error_is_centras_word_that_nothing_was_done),
		cmocka_unit_test(what_leaves_doubt_is_told_from_what_does_not),
		cmocka_unit_test(
			the_shipment_says_whether_it_is_captured_and_the_entry_why_not),
		cmocka_unit_test(an_error_at_the_history_leaves_a_capture_done),
		cmocka_unit_test(a_shipment_is_set_good_to_go_and_read_back),
		cmocka_unit_test(only_a_parcel_that_was_sent_earlier_says_when),
		cmocka_unit_test(a_parcel_is_told_with_all_that_is_known_of_it),
		cmocka_unit_test(an_order_is_confirmed_by_its_number),
		cmocka_unit_test(an_orders_shipments_and_newest_capture_are_read),
		cmocka_unit_test(
			only_a_capture_of_the_card_says_how_its_payment_is),
		cmocka_unit_test(shipments_that_can_not_be_read_are_no_empty_list),
	};

	return cmocka_run_group_tests(tests, init, finish) != 0;
}
