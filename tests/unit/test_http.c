/* SPDX-License-Identifier: MIT
 *
 * test_http.c - requests as strangers make them: malformed, too large, too
 * slow, too many, or gone before the answer.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/time.h"
#include "centra/signature.h"
#include "server/http/http.h"
#include "server/http/socket.h"
#include "tests/unit/fixture.h"

/* cmocka has a fail() too: it comes after ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define OPENED "2021-01-11 16:21:00.000000"

static int start(void **state)
{
	*state = fixture_start("");
	return 0;
}

static int stop(void **state)
{
	fixture_stop(*state);
	return 0;
}

static void expect(struct reply r, int status, const char *code)
{
	char *want = xasprintf("\"code\":\"%s\"", code);

	assert_int_equal(r.status, status);
	assert_string_equal(reply_header(&r, "Content-Type"),
			    "application/problem+json");
	assert_non_null(strstr(r.body, want));
	free(want);
	reply_release(&r);
}

/* libmicrohttpd 1.0 refuses much by itself, with a page of its own. */
static bool refuses_by_itself(void)
{
	return MHD_get_version()[0] != '0';
}

/* It may be read in two ways: so it ends its connection, unread. */
static void expect_refused(struct reply r)
{
	assert_true(r.closed);
	if (r.status == 400 && refuses_by_itself() &&
	    !*reply_header(&r, "Content-Type"))
		reply_release(&r);
	else
		expect(r, 400, "bad_request");
}

/* ---- what is there ---- */

static void answers_carry_their_headers_and_no_name_of_ours(void **state)
{
	struct reply r = ask(*state, "GET", "/healthz", NULL, NULL);

	assert_int_equal(r.status, 200);
	assert_string_equal(reply_header(&r, "Cache-Control"), "no-store");
	assert_string_equal(reply_header(&r, "X-Content-Type-Options"),
			    "nosniff");
	assert_string_equal(reply_header(&r, "Server"), "");
	assert_string_equal(reply_header(&r, "Content-Type"),
			    "application/json");
	assert_false(r.closed);
	reply_release(&r);
}

static void the_description_is_served_whole(void **state)
{
	struct reply r = ask(*state, "GET", "/openapi.yaml", NULL, NULL);

	assert_int_equal(r.status, 200);
	assert_non_null(strstr(r.body, "\nopenapi: 3.1.0\n"));
	assert_int_equal(strlen(r.body),
			 strtoul(reply_header(&r, "Content-Length"), NULL, 10));
	reply_release(&r);
}

static void head_is_get_without_the_body(void **state)
{
	struct reply get = ask(*state, "GET", "/healthz", NULL, NULL);
	struct reply head = ask(*state, "HEAD", "/healthz", NULL, NULL);

	assert_int_equal(head.status, 200);
	assert_int_equal(strtoul(reply_header(&head, "Content-Length"), NULL,
				 10),
			 strlen(get.body));
	assert_string_equal(head.body, "");
	reply_release(&get);
	reply_release(&head);
}

static void an_unknown_path_is_404_and_another_method_405(void **state)
{
	struct reply r;

	expect(ask(*state, "GET", "/nothing", NULL, NULL), 404, "not_found");
	r = ask(*state, "DELETE", "/healthz", NULL, NULL);
	assert_string_equal(reply_header(&r, "Allow"), "GET, HEAD");
	expect(r, 405, "method_not_allowed");
}

static void many_requests_go_over_one_connection(void **state)
{
	static const char two[] = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
				  "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n";
	struct fixture *f = *state;
	int fd = dial(f->port);
	char all[4096];
	size_t len = 0;

	send_all(fd, two, strlen(two)); /* both at once */
	for (;;) {
		ssize_t n = recv(fd, all + len, sizeof(all) - 1 - len, 0);

		assert_true(n > 0);
		len += (size_t)n;
		all[len] = '\0';
		if (strstr(all, "\"ok\"") && strstr(all, "\"not_found\""))
			break;
	}
	close(fd);
}

/* ---- malformed ---- */

static void a_length_that_can_be_read_in_two_ways_is_refused(void **state)
{
	static const char *const headers[] = {
		"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
		"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
		"Content-Length: 5\r\nContent-Length: 5\r\n",
		"Content-Length: 5\r\nContent-Length: 6\r\n",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
		"Transfer-Encoding: gzip, chunked\r\n",
		"Transfer-Encoding: identity\r\n",
	};

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		char *text = xasprintf("POST /webhooks/centra/se HTTP/1.1\r\n"
				       "Host: x\r\n%s\r\n0\r\n\r\n",
				       headers[i]);
		struct reply r = ask_raw(*state, text);

		expect_refused(r);
		free(text);
	}
}

/* Another party may take what is folded for the header's value, a bare CR for
 * the end of a line, and no notice of an encoding that HTTP/1.0 lacks. */
static void
a_header_that_can_be_read_in_two_ways_ends_its_connection(void **state)
{
	static const char next[] = "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n";
	static const char *const requests[] = {
		"1.1\r\nHost: x\r\nContent-Length:\r\n 36\r\n",
		"1.1\r\nHost: x\r\ncontent-length: \r\n\t36\r\n",
		"1.1\r\nHost: x\r\nTransfer-Encoding:\r\n chunked\r\n",
		"1.1\r\nHost: x\r\nContent-Length : 36\r\n",
		"1.1\r\nHost: x\r\nX: a\r\n Content-Length: 36\r\n",
		"1.1\r\nHost: x\r\nX: a\rContent-Length: 36\r\n",
		"1.1\r\nHost: x\r\nX: a\x1b[0m\r\n",
		"1.1\r\nHost: x\r\nX: a\x7f\r\n",
		("1.0\r\nConnection: keep-alive\r\n"
		 "Transfer-Encoding: chunked\r\n"),
	};

	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		char *text = xasprintf("POST /api/v1/session HTTP/%s"
				       "\r\n%s",
				       requests[i], next);
		struct reply r = ask_raw(*state, text);

		assert_null(strstr(r.body, "HTTP/1.1"));
		expect_refused(r);
		free(text);
	}
}

static void a_header_value_may_hold_tabs_and_any_text(void **state)
{
	struct reply r = ask_raw(*state,
				 "GET /healthz HTTP/1.1\r\nHost: x\r\n"
				 "X-Name: Malm\xc3\xb6\tHus \xff\r\n\r\n");

	assert_int_equal(r.status, 200);
	reply_release(&r);
}

static void a_length_that_is_no_number_is_refused(void **state)
{
	static const char *const lengths[] = {
		"-1", "+5", "5x", "0x5", "5 5", "",
		"99999999999999999999999999"};

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		char *text = xasprintf("POST /webhooks/centra/se HTTP/1.1\r\n"
				       "Host: x\r\nContent-Length: %s\r\n"
				       "\r\nhello",
				       lengths[i]);
		struct reply r = ask_raw(*state, text);

		assert_in_range(r.status, 400, 413);
		reply_release(&r);
		free(text);
	}
}

static void a_repeated_host_or_authorization_is_refused(void **state)
{
	expect(ask_raw(*state, "GET /healthz HTTP/1.1\r\nHost: x\r\n"
			       "Host: y\r\n\r\n"),
	       400, "bad_request");
	expect(ask_raw(*state, "GET /api/v1/me HTTP/1.1\r\nHost: x\r\n"
			       "Authorization: Bearer a\r\n"
			       "Authorization: Bearer b\r\n\r\n"),
	       400, "bad_request");
}

static void what_is_not_http_gets_no_2xx(void **state)
{
	static const char *const texts[] = {
		"hello\r\n\r\n",
		"GET /healthz\r\n\r\n",
		"GET /healthz HTTP/1.1\r\n\r\n", /* no Host */
		"GET /healthz HTTP/1.1\r\nHost: x\r\nbroken\r\n\r\n",
		"GET healthz HTTP/1.1\r\nHost: x\r\n\r\n",
		"\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct fixture *f = *state;
		int fd = dial(f->port);
		struct reply r;

		send_all(fd, texts[i], strlen(texts[i]));
		shutdown(fd, SHUT_WR);
		r = read_reply(fd, false);
		assert_true(r.status == 0 || r.status >= 400);
		reply_release(&r);
		close(fd);
	}
}

/* Else its connection would be held until a time-out. */
static void a_client_that_ends_in_its_request_is_let_go_at_once(void **state)
{
	static const char *const texts[] = {
		"",
		"GET /heal",
		"GET /healthz HTTP/1.1\r\n",
		"GET /healthz HTTP/1.1\r\nHost: x\r\nX-",
		"POST /webhooks/centra/se HTTP/1.1\r\nHost: x\r\n"
		"Content-Length: 10\r\n\r\n",
		"POST /webhooks/centra/se HTTP/1.1\r\nHost: x\r\n"
		"Content-Length: 10\r\n\r\nabc",
		"POST /webhooks/centra/se HTTP/1.1\r\nHost: x\r\n"
		"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
		"POST /webhooks/centra/se HTTP/1.1\r\nHost: x\r\n"
		"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
		"POST /api/v1/session HTTP/1.1\r\nHost: x\r\n"
		"Content-Length: 10\r\n\r\nabc",
		"POST /api/v1/session HTTP/1.1\r\nHost: x\r\n"
		"Expect: 100-continue\r\nContent-Length: 10\r\n\r\n",
		"POST /nowhere HTTP/1.1\r\nHost: x\r\n"
		"Content-Length: 10\r\n\r\nabc",
		"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", /* whole */
		"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /h",
		"GET /api/v1/me HTTP/1.1\r\nHost: x\r\n\r\n",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		for (int late = 0; late < 2; late++) {
			int fd = dial(f->port);
			int64_t began;
			char some[4096];

			send_all(fd, texts[i], strlen(texts[i]));
			if (late)
				poll(NULL, 0, 50); /* it has been read */
			shutdown(fd, SHUT_WR);
			began = time_mono();
			while (recv(fd, some, sizeof(some), 0) > 0)
				;
			if (time_mono() - began > 1000)
				fail_msg("%d '%s': %d ms", late, texts[i],
					 (int)(time_mono() - began));
			close(fd);
		}
}

static void escapes_in_a_path_are_decoded_or_refused(void **state)
{
	struct reply r = ask(*state, "GET", "/%68ealthz?x=%2F", NULL, NULL);

	assert_int_equal(r.status, 200);
	reply_release(&r);
	expect(ask(*state, "GET", "/healthz%00x", NULL, NULL), 400,
	       "bad_request");
	expect(ask(*state, "GET", "/api%2Fv1/me", NULL, NULL), 400,
	       "bad_request");
	expect(ask(*state, "GET", "/healthz%", NULL, NULL), 400,
	       "bad_request");
	expect(ask(*state, "GET", "/healthz%4", NULL, NULL), 400,
	       "bad_request");
	expect(ask(*state, "GET", "/healthz%zz", NULL, NULL), 400,
	       "bad_request");
	expect(ask(*state, "GET", "/healthz%0a", NULL, NULL), 400,
	       "bad_request");
}

/* ---- too large ---- */

static void an_address_longer_than_2048_bytes_is_414(void **state)
{
	char path[2060];

	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[2048] = '\0';
	expect(ask(*state, "GET", path, NULL, NULL), 404, "not_found");
	path[2048] = 'a';
	path[2049] = '\0';
	expect(ask(*state, "GET", path, NULL, NULL), 414, "too_large");
}

static struct reply ask_with_headers(struct fixture *f, int n, int size)
{
	struct buf b;
	struct reply r;

	buf_init(&b, 1 << 20);
	buf_str(&b, "GET /healthz HTTP/1.1\r\nHost: x\r\n");
	for (int i = 1; i < n; i++)
		buf_fmt(&b, "X-%d: %0*d\r\n", i, size, 0);
	buf_str(&b, "\r\n");
	r = ask_raw(f, b.data);
	buf_release(&b);
	return r;
}

static void more_than_64_headers_are_refused(void **state)
{
	struct reply r = ask_with_headers(*state, 64, 1);

	assert_int_equal(r.status, 200);
	reply_release(&r);
	expect(ask_with_headers(*state, 65, 1), 431, "too_large");
}

static void headers_of_more_than_16_kib_are_refused(void **state)
{
	struct reply r = ask_with_headers(*state, 40, 1000);

	assert_true(r.status == 0 || r.status >= 400);
	reply_release(&r);
}

/* The order in which a delivery is checked is promised: name, size, signature.
 */
static void a_delivery_is_checked_by_name_then_size_then_signature(void **state)
{
	struct reply r;

	/* No body follows: it is not waited for. */
	r = ask_raw(*state, "POST /webhooks/centra/xx HTTP/1.1\r\nHost: x\r\n"
			    "Content-Length: 99999999\r\n\r\n");
	assert_int_equal(r.status, 404);
	assert_true(r.closed);
	reply_release(&r);
	r = ask_raw(*state, "POST /webhooks/centra/se HTTP/1.1\r\nHost: x\r\n"
			    "Content-Length: 4194305\r\n\r\n");
	assert_true(r.closed);
	expect(r, 413, "too_large");
	r = ask(*state, "POST", "/webhooks/centra/se", NULL, "payload=x");
	assert_int_equal(r.status, 401);
	assert_string_equal(reply_header(&r, "WWW-Authenticate"), "");
	assert_false(r.closed);
	reply_release(&r);
}

/* Closing at once would reset the connection under the sender, and some
 * systems then lose the answer that has come already. */
static void who_sends_all_of_a_too_large_body_still_reads_the_413(void **state)
{
	struct fixture *f = *state;
	const size_t len = 6 << 20;
	char *body = xcalloc(1, len);
	char head[128];

	snprintf(head, sizeof(head),
		 "POST /webhooks/centra/se HTTP/1.1\r\nHost: x\r\n"
		 "Content-Length: %zu\r\n\r\n", len);
	for (int i = 0; i < 20; i++) {
		int fd = dial(f->port);

		assert_true(send_all(fd, head, strlen(head)));
		assert_true(send_all(fd, body, len));
		expect(read_reply(fd, false), 413, "too_large");
		close(fd);
	}
	free(body);
}

static void a_chunked_body_is_counted_as_it_comes(void **state)
{
	struct fixture *f = *state;
	struct buf b;

	offered(f, 19, 3, OPENED, FAR);
	buf_init(&b, 1 << 20);
	buf_fmt(&b,
		"POST /api/v1/orders/19/reject HTTP/1.1\r\nHost: x\r\n"
		"Authorization: Bearer %s\r\n"
		"Transfer-Encoding: chunked\r\n\r\n",
		f->amsterdam);
	for (int i = 0; i < 17; i++)
		buf_fmt(&b, "400\r\n%01024d\r\n", 0);
	buf_str(&b, "0\r\n\r\n");
	expect(ask_raw(f, b.data), 413, "too_large");
	buf_release(&b);
}

static void a_route_without_a_body_takes_none(void **state)
{
	expect(ask(*state, "GET", "/healthz", NULL, "x"), 413, "too_large");
}

/* ---- too slow, too many ---- */

static int start_hasty(void **state)
{
	*state = fixture_start("header_timeout = 1s\nidle_timeout = 1s\n"
			       "body_timeout = 1s\nconnections = 200");
	return 0;
}

/* ms until the server closes the connection, sending a byte each 20 ms. */
static int64_t drip(int fd, const char *bytes)
{
	int64_t begun = time_mono();
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char waste[512];

	while (time_mono() < begun + 10000) {
		if (poll(&p, 1, 20) == 1 &&
		    recv(fd, waste, sizeof(waste), 0) <= 0)
			break;
		if (*bytes)
			send_all(fd, bytes++, 1);
	}
	return time_mono() - begun;
}

static void a_header_that_drips_is_cut_off(void **state)
{
	struct fixture *f = *state;
	char slow[512];
	int fd = dial(f->port);

	memset(slow, 'a', sizeof(slow));
	memcpy(slow, "GET /", 5);
	slow[sizeof(slow) - 1] = '\0';
	assert_in_range(drip(fd, slow), 900, 3000);
	close(fd);
}

static void a_second_header_that_drips_is_cut_off_too(void **state)
{
	struct fixture *f = *state;
	const char *get = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
	char slow[512];
	struct reply r;
	int fd = dial(f->port);

	memset(slow, 'a', sizeof(slow));
	memcpy(slow, "GET /", 5);
	slow[sizeof(slow) - 1] = '\0';
	send_all(fd, get, strlen(get));
	r = read_reply(fd, false);
	assert_int_equal(r.status, 200);
	reply_release(&r);
	assert_in_range(drip(fd, slow), 900, 5000);
	close(fd);
}

static void a_body_that_never_comes_is_cut_off(void **state)
{
	struct fixture *f = *state;
	char *head = xasprintf("POST /api/v1/orders/19/reject HTTP/1.1\r\n"
			       "Host: x\r\nAuthorization: Bearer %s\r\n"
			       "Content-Length: 4000\r\n\r\n",
			       f->amsterdam);
	char slow[2000];
	int fd = dial(f->port);

	memset(slow, 'a', sizeof(slow));
	slow[sizeof(slow) - 1] = '\0';
	send_all(fd, head, strlen(head));
	assert_in_range(drip(fd, slow), 900, 5000);
	close(fd);
	free(head);
}

/* MHD's own loop stalls at 128 ready events and its multiples. */
static void any_number_of_connections_at_once_is_answered(void **state)
{
	static const int counts[] = {127, 128, 129, 150, 190};
	const char *get = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
	struct fixture *f = *state;
	int fds[200];

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		int64_t begun = time_mono();

		for (int j = 0; j < counts[i]; j++)
			fds[j] = dial(f->port);
		for (int j = 0; j < counts[i]; j++)
			send_all(fds[j], get, strlen(get));
		for (int j = 0; j < counts[i]; j++) {
			struct reply r = read_reply(fds[j], false);

			assert_int_equal(r.status, 200);
			reply_release(&r);
			close(fds[j]);
		}
		assert_true(time_mono() - begun < 900);
	}
}

/* ---- who asks ---- */

static void without_a_good_token_every_answer_is_the_same_401(void **state)
{
	static const char *const tokens[] = {
		"x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
	struct fixture *f = *state;
	struct reply none = ask(f, "GET", "/api/v1/me", NULL, NULL);

	assert_int_equal(none.status, 401);
	assert_string_equal(reply_header(&none, "WWW-Authenticate"), "Bearer");
	for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
		struct reply r = ask(f, "GET", "/api/v1/me", tokens[i], NULL);

		assert_int_equal(r.status, 401);
		assert_string_equal(r.body, none.body);
		reply_release(&r);
	}
	expect(none, 401, "unauthorized");
	assert_int_equal(f->app.counters.auth_refused_total, 5);
	assert_int_equal(f->app.http_counters.refused, 5);
}

static void a_removed_device_is_out_at_once(void **state)
{
	struct fixture *f = *state;
	struct reply r = ask(f, "GET", "/api/v1/me", f->amsterdam, NULL);
	struct err e;

	assert_int_equal(r.status, 200);
	reply_release(&r);
	assert_int_equal(store_device_remove(f->app.store, 1, time_now(), &e),
			 OK);
	expect(ask(f, "GET", "/api/v1/me", f->amsterdam, NULL), 401,
	       "unauthorized");
}

static void a_device_whose_shop_is_gone_is_told_so(void **state)
{
	struct fixture *f = *state;

	expect(ask(f, "GET", "/api/v1/me", f->gone, NULL), 401,
	       "shop_not_configured");
}

static void a_stranger_is_refused_before_its_body_is_read(void **state)
{
	struct reply r = ask_raw(*state,
				 "POST /api/v1/orders/19/reject HTTP/1.1\r\n"
				 "Host: x\r\nContent-Length: 4000\r\n\r\n");

	assert_true(r.closed);
	expect(r, 401, "unauthorized");
}

/* ---- a delivery, through all of it ---- */

/* Centra's documentation shows the header folded over two lines. */
static void a_signature_folded_over_two_lines_is_read_or_refused(void **state)
{
	static const char body[] = "payload=%7B%22events%22%3A%5B%5D%7D";
	char signature[SIGNATURE_SIZE], *comma, *text;
	struct err e;
	struct reply r;

	assert_int_equal(signature_make(signature, "test123", body,
					strlen(body), time_now() / 1000, &e),
			 OK);
	comma = strchr(signature, ',');
	assert_non_null(comma);
	*comma = '\0';
	text = xasprintf("POST /webhooks/centra/se HTTP/1.1\r\nHost: x\r\n"
			 "X-Centra-Signature: %s,\r\n  %s\r\n"
			 "Content-Length: %zu\r\n\r\n%s",
			 signature, comma + 1, strlen(body), body);
	r = ask_raw(*state, text);
	free(text);
	if (refuses_by_itself()) {
		expect_refused(r);
		return;
	}
	assert_int_equal(r.status, 200);
	assert_string_equal(r.body, "{\"events\":0,\"new\":0,"
				    "\"duplicates\":0,\"quarantined\":0}");
	reply_release(&r);
}

/* ---- waiting, draining, stopping ---- */

static int start_patient(void **state)
{
	*state = fixture_start("answer_wait = 3s");
	return 0;
}

static int press(struct fixture *f, int64_t number)
{
	char *text = xasprintf("POST /api/v1/orders/%lld/accept HTTP/1.1\r\n"
			       "Host: x\r\nAuthorization: Bearer %s\r\n"
			       "Content-Length: 0\r\n\r\n",
			       (long long)number, f->amsterdam);
	int fd = dial(f->port);

	send_all(fd, text, strlen(text));
	free(text);
	return fd;
}

/* Returns once the offer to warehouse 3 is in a state. */
static void wait_state(struct fixture *f, int64_t number, enum offer_state s)
{
	int64_t until = time_mono() + 10000;
	bool reached = false;

	while (!reached) {
		struct order o = {0};
		struct err e;

		assert_true(time_mono() < until);
		assert_int_equal(store_order(f->app.store, "se", number, &o,
					     &e),
				 OK);
		reached = order_offer(&o, 3)->state == s;
		order_release(&o);
	}
}

static void a_client_that_leaves_while_it_waits_does_no_harm(void **state)
{
	struct fixture *f = *state;
	struct reply r;

	for (int64_t n = 1; n <= 30; n++) {
		int fd;

		offered(f, n, 3, OPENED, FAR);
		fd = press(f, n);
		if (n % 3) /* some leave before it is stored */
			wait_state(f, n, STATE_ACCEPTING);
		close(fd);
		if (n % 3 == 1)
			settled(f, n, 3, SETTLED_OK, NULL);
	}
	r = ask(f, "GET", "/healthz", NULL, NULL);
	assert_int_equal(r.status, 200);
	reply_release(&r);
}

static void while_draining_connections_end_with_their_answer(void **state)
{
	struct fixture *f = *state;
	struct reply r = ask(f, "GET", "/healthz", NULL, NULL);

	assert_false(r.closed);
	reply_release(&r);
	f->app.draining = true;
	r = ask(f, "GET", "/healthz", NULL, NULL);
	assert_int_equal(r.status, 200);
	assert_string_equal(reply_header(&r, "Connection"), "close");
	reply_release(&r);
}

static void a_quiesced_server_takes_no_more_but_serves_whom_it_has(void **state)
{
	const char *get = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
	struct fixture *f = *state;
	struct reply r;
	int fd = dial(f->port);

	http_quiesce(f->app.http);
	assert_int_equal(dial(f->port), -1);
	send_all(fd, get, strlen(get));
	r = read_reply(fd, false);
	assert_int_equal(r.status, 200);
	reply_release(&r);
	close(fd);
	http_quiesce(f->app.http); /* again is fine */
}

/* Keeps the loop from anything else until it is let go. */
struct blocker {
	struct http_call call;
	sem_t begun, go;
};

static void block(struct http_call *c)
{
	struct blocker *b = c->arg;

	sem_post(&b->begun);
	sem_wait(&b->go);
}

static void *quiesce(void *http)
{
	http_quiesce(http);
	return NULL;
}

#define AT_THE_DOOR 300

/* The kernel told them that they are connected; closing would reset them. */
static void
all_who_connected_before_the_sockets_close_are_answered(void **state)
{
	static const char get[] = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
	struct fixture *f = *state;
	struct blocker b = {.call = {.fn = block, .arg = &b}};
	pthread_t quiescer;
	int fds[AT_THE_DOOR], answered = 0;

	sem_init(&b.begun, 0, 0);
	sem_init(&b.go, 0, 0);
	http_call(f->app.http, &b.call);
	sem_wait(&b.begun);
	for (int i = 0; i < AT_THE_DOOR; i++) {
		fds[i] = dial(f->port);
		send_all(fds[i], get, strlen(get));
	}
	assert_int_equal(pthread_create(&quiescer, NULL, quiesce, f->app.http),
			 0);
	usleep(50 * 1000); /* else the test proves less, and still passes */
	sem_post(&b.go);
	for (int i = 0; i < AT_THE_DOOR; i++) {
		struct reply r = read_reply(fds[i], false);

		answered += r.status == 200;
		reply_release(&r);
		close(fds[i]);
	}
	pthread_join(quiescer, NULL);
	assert_int_equal(answered, AT_THE_DOOR);
	sem_destroy(&b.begun);
	sem_destroy(&b.go);
}

static void *stop_http(void *http)
{
	http_stop(http);
	return NULL;
}

static void who_has_just_connected_may_still_send_its_request(void **state)
{
	static const char get[] = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
	struct fixture *f = *state;
	int fd = dial(f->port);
	pthread_t stopper;
	struct reply r;

	http_quiesce(f->app.http); /* it is accepted now */
	assert_int_equal(pthread_create(&stopper, NULL, stop_http, f->app.http),
			 0);
	usleep(100 * 1000); /* a request is on its way for as long */
	send_all(fd, get, strlen(get));
	r = read_reply(fd, false);
	assert_int_equal(r.status, 200);
	reply_release(&r);
	close(fd);
	pthread_join(stopper, NULL);
}

static void stopping_answers_the_request_under_way_at_once(void **state)
{
	struct fixture *f = *state;
	struct reply r;
	int64_t begun;
	int fd;

	offered(f, 19, 3, OPENED, FAR);
	fd = press(f, 19);
	wait_state(f, 19, STATE_ACCEPTING);
	begun = time_mono();
	http_stop(f->app.http);
	assert_true(time_mono() - begun < 2000); /* not for answer_wait */
	r = read_reply(fd, false);
	assert_int_equal(r.status, 202);
	assert_true(r.closed);
	reply_release(&r);
	close(fd);
}

static void stopping_does_not_wait_for_idle_connections(void **state)
{
	const char *get = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
	struct fixture *f = *state;
	int fds[10];
	int64_t begun;

	for (int i = 0; i < 10; i++) {
		struct reply r;

		fds[i] = dial(f->port);
		send_all(fds[i], get, strlen(get));
		r = read_reply(fds[i], false);
		assert_int_equal(r.status, 200);
		reply_release(&r);
	}
	begun = time_mono();
	http_stop(f->app.http);
	assert_true(time_mono() - begun < 2000);
	for (int i = 0; i < 10; i++)
		close(fds[i]);
}

/* ---- calls into the loop ---- */

struct counted {
	struct http_call call;
	atomic_int *sum;
};

static void count(struct http_call *c)
{
	atomic_fetch_add(((struct counted *)c->arg)->sum, 1);
}

#define CALLS 2000
static struct counted calls[4][CALLS];

struct caller {
	struct http *http;
	struct counted *calls;
};

static void *call_often(void *arg)
{
	struct caller *c = arg;

	for (int i = 0; i < CALLS; i++)
		http_call(c->http, &c->calls[i].call);
	return NULL;
}

static void calls_of_many_threads_all_run_once(void **state)
{
	struct fixture *f = *state;
	struct caller callers[4];
	atomic_int sum = 0;
	pthread_t threads[4];
	int64_t until = time_mono() + 10000;

	for (int t = 0; t < 4; t++) {
		for (int i = 0; i < CALLS; i++)
			calls[t][i] = (struct counted){
				.call = {.fn = count, .arg = &calls[t][i]},
				.sum = &sum};
		callers[t] = (struct caller){f->app.http, calls[t]};
		pthread_create(&threads[t], NULL, call_often, &callers[t]);
	}
	for (int t = 0; t < 4; t++)
		pthread_join(threads[t], NULL);
	while (sum < 4 * CALLS)
		assert_true(time_mono() < until);
	assert_int_equal(sum, 4 * CALLS);
}

/* ---- listening ---- */

static void addresses_are_read_strictly(void **state)
{
	static const char *const bad[] = {
		"", "127.0.0.1", ":8080", "127.0.0.1:", "127.0.0.1:65536",
		"127.0.0.1:-1", "127.0.0.1:x", "::1:80", "[127.0.0.1]:80",
		"[::1:80", "example.com:80", "127.0.0.1:000080", "256.0.0.1:1"};
	char address[LISTEN_ADDRESS_SIZE];
	struct err e;
	int fd = -1;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(listen_open(&fd, address, bad[i], &e),
				 RC_INVALID);
	assert_int_equal(listen_open(&fd, address, "localhost:0", &e), OK);
	assert_int_equal(strncmp(address, "127.0.0.1:", 10), 0);
	assert_string_not_equal(address, "127.0.0.1:0");
	close(fd);
}

static void a_port_that_is_taken_is_said_to_be(void **state)
{
	char address[LISTEN_ADDRESS_SIZE], other[LISTEN_ADDRESS_SIZE];
	struct err e;
	int fd = -1, second = -1;

	(void)state;
	assert_int_equal(listen_open(&fd, address, "127.0.0.1:0", &e), OK);
	assert_int_equal(listen_open(&second, other, address, &e), RC_EXISTS);
	assert_non_null(strstr(e.text, address));
	close(fd);
}

static void give(int n, const char *pid, const char *names)
{
	char count[16];

	snprintf(count, sizeof(count), "%d", n);
	setenv("LISTEN_FDS", count, 1);
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDNAMES", names, 1);
}

static void sockets_of_our_starter_are_taken_by_their_names(void **state)
{
	char address[LISTEN_ADDRESS_SIZE], ours[LISTEN_ADDRESS_SIZE], pid[16];
	int fd = -1, at = -1, kept = fcntl(3, F_DUPFD, 10);
	struct err e;

	(void)state;
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	assert_int_equal(listen_open(&fd, ours, "127.0.0.1:0", &e), OK);
	assert_int_equal(dup2(fd, 3), 3);
	give(1, pid, "shipfrom.socket");
	assert_int_equal(listen_inherited(&at, address, true, &e),
			 RC_NOTFOUND);
	assert_int_equal(listen_inherited(&at, address, false, &e), OK);
	assert_int_equal(at, 3);
	assert_string_equal(address, ours);
	give(1, pid, "admin");
	assert_int_equal(listen_inherited(&at, address, false, &e),
			 RC_NOTFOUND);
	assert_int_equal(listen_inherited(&at, address, true, &e), OK);
	/* Nobody would ever accept from the others. */
	give(2, pid, "shipfrom.socket:shipfrom.socket");
	assert_int_equal(listen_inherited(&at, address, false, &e),
			 RC_INVALID);
	give(2, pid, "admin:admin");
	assert_int_equal(listen_inherited(&at, address, true, &e),
			 RC_INVALID);
	give(1000000, pid, "");
	assert_int_equal(listen_inherited(&at, address, false, &e),
			 RC_INVALID);
	give(1, "1", "shipfrom.socket"); /* meant for another process */
	assert_int_equal(listen_inherited(&at, address, false, &e),
			 RC_NOTFOUND);
	give(1, pid, "");
	assert_int_equal(dup2(STDERR_FILENO, 3), 3);
	assert_int_equal(listen_inherited(&at, address, false, &e),
			 RC_INVALID);
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDNAMES");
	close(3);
	if (kept >= 0) {
		dup2(kept, 3);
		close(kept);
	}
	if (fd != 3)
		close(fd);
}

static void ipv6_addresses_are_served(void **state)
{
	char address[LISTEN_ADDRESS_SIZE];
	struct err e;
	int fd = -1;
	enum rc rc = listen_open(&fd, address, "[::1]:0", &e);

	(void)state;
	if (rc == RC_IO) /* a machine without IPv6 */
		skip();
	assert_int_equal(rc, OK);
	assert_int_equal(strncmp(address, "[::1]:", 6), 0);
	close(fd);
}

#define WITH(setup, name) cmocka_unit_test_setup_teardown(name, setup, stop)
#define TEST(name)	  WITH(start, name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers_carry_their_headers_and_no_name_of_ours),
		TEST(the_description_is_served_whole),
		TEST(head_is_get_without_the_body),
		TEST(an_unknown_path_is_404_and_another_method_405),
		TEST(many_requests_go_over_one_connection),
		TEST(a_length_that_can_be_read_in_two_ways_is_refused),
		TEST(a_header_that_can_be_read_in_two_ways_ends_its_connection),
		TEST(a_header_value_may_hold_tabs_and_any_text),
		TEST(a_length_that_is_no_number_is_refused),
		TEST(a_repeated_host_or_authorization_is_refused),
		TEST(what_is_not_http_gets_no_2xx),
		TEST(a_client_that_ends_in_its_request_is_let_go_at_once),
		TEST(escapes_in_a_path_are_decoded_or_refused),
		TEST(an_address_longer_than_2048_bytes_is_414),
		TEST(more_than_64_headers_are_refused),
		TEST(headers_of_more_than_16_kib_are_refused),
		TEST(a_delivery_is_checked_by_name_then_size_then_signature),
		TEST(who_sends_all_of_a_too_large_body_still_reads_the_413),
		TEST(a_chunked_body_is_counted_as_it_comes),
		TEST(a_route_without_a_body_takes_none),
		WITH(start_hasty, a_header_that_drips_is_cut_off),
		WITH(start_hasty, a_second_header_that_drips_is_cut_off_too),
		WITH(start_hasty, a_body_that_never_comes_is_cut_off),
		WITH(start_hasty,
		     any_number_of_connections_at_once_is_answered),
		TEST(without_a_good_token_every_answer_is_the_same_401),
		TEST(a_removed_device_is_out_at_once),
		TEST(a_device_whose_shop_is_gone_is_told_so),
		TEST(a_stranger_is_refused_before_its_body_is_read),
		TEST(a_signature_folded_over_two_lines_is_read_or_refused),
		WITH(start_patient,
		     a_client_that_leaves_while_it_waits_does_no_harm),
		TEST(while_draining_connections_end_with_their_answer),
		TEST(a_quiesced_server_takes_no_more_but_serves_whom_it_has),
		TEST(all_who_connected_before_the_sockets_close_are_answered),
		TEST(who_has_just_connected_may_still_send_its_request),
		WITH(start_patient,
		     stopping_answers_the_request_under_way_at_once),
		TEST(stopping_does_not_wait_for_idle_connections),
		TEST(calls_of_many_threads_all_run_once),
		cmocka_unit_test(addresses_are_read_strictly),
		cmocka_unit_test(a_port_that_is_taken_is_said_to_be),
		cmocka_unit_test(
			sockets_of_our_starter_are_taken_by_their_names),
		cmocka_unit_test(ipv6_addresses_are_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
