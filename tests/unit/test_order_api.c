/* SPDX-License-Identifier: MIT
 *
 * test_order_api.c - telling Centra, and believing only what it says.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "centra/order_api.h"
#include "centra/order_shipments.h"
#include "tests/unit/canned.h"

#include <cmocka.h> /* last: it has a macro named as err.h's fail() */

static struct canned *server;
static struct centra *centra;
static struct centra_conn *conn;
static struct canned_step script[2];
static char reply_text[16384];

static void start(void)
{
	char url[80];
	struct centra_options o = {.instance = "se",
				   .order_api_url = url,
				   .order_api_key = "key",
				   .connect_timeout = 1000,
				   .timeout = 5000};

	server = canned_start(script);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/api/order-api",
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

/* What we make of HTTP 200 with this body. */
static struct check_first_reply answer(const char *body)
{
	struct check_first_reply r;

	snprintf(reply_text, sizeof(reply_text),
		 "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
		 strlen(body), body);
	script[0] = (struct canned_step){CANNED_CLOSE, reply_text};
	start();
	order_api_check_first(conn, 19, 3, true, &r);
	assert_int_equal(canned_requests(server), 1);
	stop();
	return r;
}

static void the_answer_is_sent_as_centra_wants_it(void **state)
{
	struct check_first_reply r;
	const char *sent;

	(void)state;
	script[0] = (struct canned_step){
		CANNED_CLOSE, CANNED_OK(15, "{\"status\":\"ok\"}")};
	start();
	order_api_check_first(conn, 9007199254740993, 3, true, &r);
	sent = canned_last(server);
	assert_non_null(
		strstr(sent, "POST /api/order-api/check-first HTTP/1.1\r\n"));
	assert_non_null(strstr(sent, "\r\nAPI-Authorization: key\r\n"));
	assert_non_null(strstr(sent, "\r\n\r\n{\"orderNumber\":"
				     "9007199254740993,"
				     "\"warehouseId\":3,\"accepted\":true}"));
	check_first_reply_release(&r);
	stop();

	start();
	order_api_check_first(conn, 19, 3, false, &r);
	assert_non_null(strstr(canned_last(server), "\"accepted\":false}"));
	check_first_reply_release(&r);
	stop();
}

static void ok_is_ok(void **state)
{
	static const char *const cases[] = {
		"{\"status\":\"ok\"}", " \n{ \"status\" : \"ok\" }\r\n",
		"{\"x\":[1.5],\"status\":\"ok\",\"msg\":null}",
		"{\"status\":\"\\u006fk\"}", "\xef\xbb\xbf{\"status\":\"ok\"}"};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct check_first_reply r = answer(cases[i]);

		assert_int_equal(r.call.end, CALL_OK);
		assert_true(r.ok);
		assert_null(r.msg);
		assert_false(r.our_fault);
		check_first_reply_release(&r);
	}
}

enum fault { NONE, OUR_FAULT, NO_ORDER };

static void expect_no(const char *body, const char *msg, enum fault fault)
{
	struct check_first_reply r = answer(body);

	assert_int_equal(r.call.end, CALL_OK);
	assert_false(r.ok);
	if (msg)
		assert_string_equal(r.msg, msg);
	else
		assert_null(r.msg);
	assert_int_equal(r.our_fault, fault == OUR_FAULT);
	assert_int_equal(r.no_order, fault == NO_ORDER);
	check_first_reply_release(&r);
	assert_null(r.msg);
}

static void no_is_no_with_centras_words(void **state)
{
	(void)state;
	expect_no("{\"status\":\"no\"}", NULL, NONE);
	expect_no("{\"status\":\"no\",\"msg\":\"\"}", NULL, NONE);
	expect_no("{\"status\":\"no\",\"msg\":[]}", NULL, NONE);
	expect_no("{\"status\":\"no\",\"msg\":{}}", NULL, NONE);
	expect_no("{\"msg\":\"failed to allocate stock\",\"status\":\"no\"}",
		  "failed to allocate stock", NONE);
	expect_no("{\"status\":\"no\",\"msg\":[\"too late\",5,{\"a\":null}]}",
		  "too late; 5; {\"a\":null}", NONE);
	expect_no("{\"status\":\"no\",\"msg\":true}", "true", NONE);
	expect_no("{\"status\":\"no\",\"errorMessages\":[\"late\"]}", "late",
		  NONE);
	expect_no("{\"status\":\"no\",\"msg\":\"a\\nb\\u001bc\"}", "a bc",
		  NONE);
}

static void an_odd_character_costs_itself_and_not_centras_words(void **state)
{
	(void)state;
	expect_no("{\"status\":\"no\",\"msg\":\"too\\u0000 late\\ud83d\\u0007\"}",
		  "too late", NONE);
	expect_no("{\"status\":\"no\",\"msg\":{\"a\xff\":\"invalid \xed\xa0\xbdvalue\"}}",
		  "a: invalid value", true);
	expect_no("{\"status\":\"no\",\"msg\":[\"late\",{\"\xff\":1}]}",
		  "late; {\"\xef\xbf\xbd\":1}", NONE);
}

/* GET /shipments with this body: no list, and why. */
static void expect_no_list(const char *body, const char *why)
{
	struct json *list = NULL;
	struct call call;

	snprintf(reply_text, sizeof(reply_text),
		 "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
		 strlen(body), body);
	script[0] = (struct canned_step){CANNED_CLOSE, reply_text};
	start();
	order_api_shipments(conn, 19, true, &call, &list);
	stop();
	assert_null(list);
	assert_string_equal(call.why.text, why);
}

static void a_refused_list_of_shipments_says_why(void **state)
{
	const char *none = "Centra refused it, without words";

	(void)state;
	expect_no_list("{\"status\":\"no\",\"msg\":\"no order\"}", "no order");
	expect_no_list("{\"status\":\"no\",\"msg\":\"\xf8\"}", none);
	expect_no_list("{\"status\":\"no\",\"msg\":\"\"}", none);
	expect_no_list("{\"status\":\"no\"}", none);
}

static void what_is_our_fault_is_told_apart(void **state)
{
	(void)state;
	expect_no("{\"status\":\"no\",\"msg\":{\"warehouseId\":\"required\","
		  "\"orderNumber\":\"invalid value\",\"accepted\":\"x\"}}",
		  "accepted: x; orderNumber: invalid value; "
		  "warehouseId: required",
		  OUR_FAULT);
	expect_no("{\"msg\":\"order does not exist\",\"status\":\"no\"}",
		  "order does not exist", NO_ORDER);
	expect_no("{\"msg\":\"Order does not exist.\",\"status\":\"no\"}",
		  "Order does not exist.", NO_ORDER);
}

static void long_words_are_cut_between_characters(void **state)
{
	char body[8192] = "{\"status\":\"no\",\"msg\":\"x", *p;
	struct check_first_reply r;

	(void)state;
	p = body + strlen(body);
	for (int i = 0; i < 2000; i++)
		p = stpcpy(p, "\xc3\xa5");
	memcpy(p, "\"}", 3);
	r = answer(body);
	assert_int_equal(r.call.end, CALL_OK);
	assert_int_equal(strlen(r.msg), 999);
	assert_memory_equal(r.msg + 997, "\xc3\xa5", 3);
	check_first_reply_release(&r);
}

static void any_other_200_is_unknown(void **state)
{
	static const char *const cases[] = {
		"", " ", "ok", "<html>ok</html>", "null", "[]", "{}", "\"ok\"",
		"{\"status\":\"OK\"}", "{\"status\":\"yes\"}",
		"{\"status\":\"ok \"}", "{\"status\":true}", "{\"status\":1}",
		"{\"status\":null}", "{\"status\":[\"ok\"]}",
		"{\"Status\":\"ok\"}", "{\"success\":true}",
		"{\"status\":\"Not Allowed\"}", "{\"status\":\"\"}",
		/* not whole, or more than whole */
		"{\"status\":\"ok\"", "{\"status\":\"ok",
		"{\"status\":\"ok\"}}",
		"{\"status\":\"ok\"}{\"status\":\"no\"}",
		"{\"status\":\"ok\"}\n<br>Warning",
		"<br>Warning\n{\"status\":\"ok\"}", "{\"status\":\"ok\",}",
		"{\"status\":\"ok\",\"n\":01}", "{\"status\":\"ok\",\"n\":1-2}",
		/* two meanings */
		"{\"status\":\"ok\",\"status\":\"no\"}",
		"{\"status\":\"ok\\u0000\"}", "{\"status\":\"ok\\u0001\"}",
		"{\"status\\u0000\":\"ok\"}", "{\"a\":{\"status\":\"ok\"}}",
		"[{\"status\":\"ok\"}]"};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct check_first_reply r = answer(cases[i]);

		if (r.call.end != CALL_UNKNOWN)
			print_error("%s\n", cases[i]);
		assert_int_equal(r.call.end, CALL_UNKNOWN);
		assert_int_equal(r.call.status, 200);
		assert_true(r.call.why.text[0]);
		assert_false(r.ok);
		assert_null(r.msg);
		check_first_reply_release(&r);
	}
}

static void ok_with_another_status_is_not_ok(void **state)
{
	static const struct {
		const char *line;
		enum call_end end;
	} cases[] = {{"201 Created", CALL_UNKNOWN},
		     {"500 Oops", CALL_UNKNOWN},
		     {"499 Slow", CALL_UNKNOWN},
		     {"403 Forbidden", CALL_NOT_DONE}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct check_first_reply r;

		snprintf(reply_text, sizeof(reply_text),
			 "HTTP/1.1 %s\r\nContent-Length: 15\r\n\r\n"
			 "{\"status\":\"ok\"}",
			 cases[i].line);
		script[0] = (struct canned_step){CANNED_CLOSE, reply_text};
		start();
		order_api_check_first(conn, 19, 3, true, &r);
		assert_int_equal(r.call.end, cases[i].end);
		assert_false(r.ok);
		check_first_reply_release(&r);
		stop();
	}
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
		cmocka_unit_test(the_answer_is_sent_as_centra_wants_it),
		cmocka_unit_test(ok_is_ok),
		cmocka_unit_test(no_is_no_with_centras_words),
		cmocka_unit_test(
			an_odd_character_costs_itself_and_not_centras_words),
		cmocka_unit_test(a_refused_list_of_shipments_says_why),
		cmocka_unit_test(what_is_our_fault_is_told_apart),
		cmocka_unit_test(long_words_are_cut_between_characters),
		cmocka_unit_test(any_other_200_is_unknown),
		cmocka_unit_test(ok_with_another_status_is_not_ok),
	};

	return cmocka_run_group_tests(tests, begin, end) != 0;
}
