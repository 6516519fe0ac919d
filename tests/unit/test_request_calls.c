/* SPDX-License-Identifier: MIT
 *
 * test_request_calls.c - the two calls of allocation requests: what is sent, and
 * what each reply that Centra publishes is taken for (tests/data/payloads).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/mem.h"
#include "centra/order_api.h"
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
				   .order_api_url = url,
				   .order_api_key = "key",
				   .connect_timeout = 1000,
				   .timeout = 5000};

	snprintf(reply_text, sizeof(reply_text),
		 "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s", status,
		 strlen(body), body);
	script[0] = (struct canned_step){CANNED_CLOSE, reply_text};
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

static struct request_reply put(const char *status, const char *body)
{
	struct request_reply r;

	start(status, body);
	order_api_request(conn, 67, true, &r);
	stop();
	return r;
}

static struct json *payload(const char *name)
{
	char path[160], *text = xcalloc(1, 65536);
	struct json *ret = NULL;
	struct err e;
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "tests/data/payloads/%s.json", name);
	f = fopen(path, "r");
	assert_non_null(f);
	n = fread(text, 1, 65535, f);
	fclose(f);
	assert_int_equal(json_parse(text, n, JSON_STRICT, &ret, &e), OK);
	free(text);
	return ret;
}

static char *print(const struct json *v)
{
	struct buf b;

	buf_init(&b, 65536);
	json_canonical(v, &b);
	return buf_detach(&b, NULL);
}

static void the_put_names_the_id_and_the_status(void **state)
{
	struct request_reply r;
	const char *sent;

	(void)state;
	start("200 OK", "{\"success\":true,\"errorMessages\":[]}");
	order_api_request(conn, 67, true, &r);
	sent = canned_last(server);
	assert_non_null(strstr(
		sent, "PUT /api/order-api/allocation-request HTTP/1.1\r\n"));
	assert_non_null(strstr(sent, "\r\nAPI-Authorization: key\r\n"));
	assert_non_null(strstr(
		sent, "\r\n\r\n{\"id\":67,\"status\":\"confirmed\"}"));
	assert_int_equal(r.call.end, CALL_OK);
	assert_true(r.ok);
	request_reply_release(&r);
	stop();
	start("200 OK", "{\"success\":true,\"errorMessages\":[]}");
	order_api_request(conn, 67, false, &r);
	assert_non_null(strstr(canned_last(server), "\"rejected\"}"));
	request_reply_release(&r);
	stop();
}

static void each_published_reply_is_read(void **state)
{
	struct json *all = payload("order_api.allocation_request.put");
	const struct json *list = json_get(all, "replies_all_http_200"), *v;
	int said[2] = {0};

	(void)state;
	assert_int_equal(json_length(list), 7);
	json_each(v, list)
	{
		char *body = print(v);
		struct request_reply r = put("200 OK", body);
		bool ok = json_is_true(json_get(v, "success"));

		assert_int_equal(r.call.end, CALL_OK);
		assert_int_equal(r.ok, ok);
		assert_int_equal(r.msg != NULL, !ok);
		assert_int_equal(r.our_fault,
				 json_is_object(json_get(v, "errorMessages")));
		said[ok]++;
		request_reply_release(&r);
		free(body);
	}
	assert_int_equal(said[1], 1);
	assert_int_equal(said[0], 6);
	json_free(all);
}

static void what_is_no_reply_leaves_it_unknown(void **state)
{
	static const char *const bodies[] = {
		"{}", "{\"status\":\"ok\"}", "{\"success\":\"true\"}",
		"{\"success\":1}", "{\"success\":true", "<html></html>", "",
		"{\"success\":true,\"success\":false}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct request_reply r = put("200 OK", bodies[i]);

		assert_int_equal(r.call.end, CALL_UNKNOWN);
		assert_false(r.ok);
		request_reply_release(&r);
	}
}

static void an_endpoint_that_is_not_ticked_is_no_refused_key(void **state)
{
	struct json *all = payload("order_api.allocation_request.put");
	char *body = print(json_get(all, "reply_http_403"));
	struct request_reply r = put("403 Forbidden", body);

	(void)state;
	assert_true(r.not_allowed);
	assert_false(r.call.refused);
	assert_int_equal(r.call.end, CALL_NOT_DONE);
	request_reply_release(&r);
	r = put("403 Forbidden", "{}");
	assert_false(r.not_allowed);
	assert_true(r.call.refused);
	request_reply_release(&r);
	free(body);
	json_free(all);
}

static void the_list_is_asked_for_with_its_filters(void **state)
{
	static const int64_t orders[] = {1103, 1104}, warehouses[] = {27};
	const struct requests_query q = {.orders = orders,
					 .n_orders = 2,
					 .warehouses = warehouses,
					 .n_warehouses = 1,
					 .all = true,
					 .page = 3};
	struct centra_requests r;

	(void)state;
	start("200 OK", "{\"status\":\"ok\",\"allocation_requests\":[]}");
	order_api_requests(conn, &q, &r);
	assert_non_null(strstr(canned_last(server),
			       "GET /api/order-api/allocation-requests?page=3"
			       "&status=all&order=1103,1104&warehouse=27 "));
	assert_int_equal(r.call.end, CALL_OK);
	assert_int_equal(r.n, 0);
	centra_requests_release(&r);
	stop();
	start("200 OK", "{\"status\":\"ok\",\"allocation_requests\":[]}");
	order_api_requests(conn, &(struct requests_query){.page = 1}, &r);
	assert_non_null(strstr(canned_last(server),
			       "/allocation-requests?page=1 HTTP"));
	centra_requests_release(&r);
	stop();
}

static void the_published_list_is_read(void **state)
{
	struct json *all = payload("order_api.allocation_requests.list");
	char *body = print(json_get(all, "reply"));
	const struct centra_request *one;
	struct centra_requests r;

	(void)state;
	start("200 OK", body);
	order_api_requests(conn, &(struct requests_query){.page = 1}, &r);
	stop();
	assert_int_equal(r.n, 1);
	one = r.list[0];
	assert_int_equal(one->id, 1141);
	assert_int_equal(one->number, 1103);
	assert_int_equal(one->warehouse, 27);
	assert_string_equal(one->status, "sent");
	assert_int_equal(one->n_lines, 3);
	assert_int_equal(one->lines[2].quantity, 2);
	assert_true(one->expires == INT64_C(1707922945000));
	assert_true(one->created == INT64_C(1707836545000));
	centra_requests_release(&r);
	free(body);
	json_free(all);
}

static void an_entry_that_cannot_be_read_costs_no_other(void **state)
{
	struct centra_requests r;

	(void)state;
	start("200 OK",
	      "{\"status\":\"ok\",\"allocation_requests\":[7,{\"id\":1},"
	      "{\"id\":0,\"status\":\"sent\",\"warehouseId\":3,"
	      "\"order\":{\"number\":19}},"
	      "{\"id\":5,\"status\":\"sent\",\"warehouseId\":3,"
	      "\"order\":{\"number\":19}}]}");
	order_api_requests(conn, &(struct requests_query){.page = 1}, &r);
	stop();
	assert_int_equal(r.call.end, CALL_OK);
	assert_int_equal(r.entries, 4);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.list[0]->id, 5);
	centra_requests_release(&r);
}

static void a_list_that_centra_refuses_proves_nothing(void **state)
{
	struct json *all = payload("order_api.allocation_requests.errors");
	char *body = print(json_get(json_get(all, "unknown_status"), "body"));
	struct centra_requests r;

	(void)state;
	start("200 OK", body);
	order_api_requests(conn, &(struct requests_query){.page = 1}, &r);
	stop();
	assert_int_equal(r.call.end, CALL_UNKNOWN);
	assert_int_equal(r.n, 0);
	centra_requests_release(&r);
	free(body);
	json_free(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_put_names_the_id_and_the_status),
		cmocka_unit_test(each_published_reply_is_read),
		cmocka_unit_test(what_is_no_reply_leaves_it_unknown),
		cmocka_unit_test(
			an_endpoint_that_is_not_ticked_is_no_refused_key),
		cmocka_unit_test(the_list_is_asked_for_with_its_filters),
		cmocka_unit_test(the_published_list_is_read),
		cmocka_unit_test(an_entry_that_cannot_be_read_costs_no_other),
		cmocka_unit_test(a_list_that_centra_refuses_proves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
