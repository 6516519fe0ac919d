/* SPDX-License-Identifier: MIT
 *
 * test_wire.c - requests as proxies, browsers and other people's clients really
 * send them: RFC 9110, RFC 9112 and RFC 6265 where clients differ.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/time.h"
#include "centra/signature.h"
#include "server/live/changes.h"
#include "server/routes.h"
#include "server/live/screens.h"
#include "tests/unit/fixture.h"

/* cmocka has a fail() too: it comes after ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define OPENED "2021-01-11 16:21:00.000000"
#define PLAIN  "shipfrom_session"
#define HOST   "__Host-shipfrom_session"
#define STALE  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static int start(void **state)
{
	*state = fixture_start("");
	return 0;
}

static int start_https(void **state)
{
	*state = fixture_start("public_url = https://ship.example.com");
	return 0;
}

static int stop(void **state)
{
	fixture_stop(*state);
	return 0;
}

/* ---- asking ---- */

static int status_of(struct reply r)
{
	int status = r.status;

	reply_release(&r);
	return status;
}

/* The status of a request with these lines of header. */
static int asked(struct fixture *f, const char *line, const char *headers)
{
	char *text = xasprintf("%s HTTP/1.1\r\nHost: ship.example.com\r\n%s"
			       "\r\n",
			       line, headers);
	int status = status_of(ask_raw(f, text));

	free(text);
	return status;
}

/* ---- the request target ---- */

static void the_absolute_form_is_served_as_the_plain_one(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(asked(f, "GET http://ship.example.com/readyz",
			       "Connection: close\r\n"),
			 200);
	assert_int_equal(asked(f, "GET HTTPS://ship.example.com:443/healthz",
			       ""),
			 200);
	assert_int_equal(asked(f, "GET http://ship.example.com", ""), 200);
	assert_int_equal(asked(f, "GET http://ship.example.com/nothing", ""),
			 404);
	assert_int_equal(asked(f, "POST http://x/webhooks/centra/se",
			       "Content-Length: 0\r\n"),
			 401);
}

static void the_absolute_form_keeps_its_query(void **state)
{
	struct fixture *f = *state;
	char *token = xasprintf("Authorization: Bearer %s\r\n", f->amsterdam);

	assert_int_equal(asked(f, "GET http://x/api/v1/orders?limit=0", token),
			 400);
	assert_int_equal(asked(f, "GET http://x/api/v1/orders?limit=1", token),
			 200);
	free(token);
}

static void an_absolute_form_without_a_host_is_none(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(asked(f, "GET http:///healthz", ""), 404);
	assert_int_equal(asked(f, "GET ftp://x/healthz", ""), 404);
}

/* ---- HEAD ---- */

/* The path of a route, with something in the place of its *. */
static char *path_of(const struct http_route *r)
{
	const char *star = strchr(r->path, '*');

	if (!star)
		return xstrdup(r->path);
	return xasprintf("%.*s%s%s", (int)(star - r->path), r->path,
			 strstr(r->path, "orders") ? "19" : "main.js",
			 star + 1);
}

/* The status of the sample request of a route: a question about a code needs
 * the code, a shop has no returns and no deliveries unless it is configured,
 * and a device's token does not open a shop's own Order API. */
static long sample_status(const char *path)
{
	static const struct {
		const char *path;
		long status;
	} of[] = {
		{"/api/v1/products", 400},   {"/api/v1/stock/results", 200},
		{"/api/v1/stock", 400},	     {"/api/v1/returns", 404},
		{"/api/v1/deliveries", 404}, {"/order-api/", 401},
	};

	for (size_t i = 0; i < sizeof(of) / sizeof(*of); i++)
		if (!strncmp(path, of[i].path, strlen(of[i].path)))
			return of[i].status;
	return 200;
}

/* All that comes on the connection until it is closed, or 5 s without a byte. */
static char *everything(struct fixture *f, const char *method,
			const char *path)
{
	const struct timeval patience = {.tv_sec = 5};
	char *text = xasprintf("%s %s HTTP/1.1\r\nHost: x\r\n"
			       "Authorization: Bearer %s\r\n"
			       "Connection: close\r\n\r\n",
			       method, path, f->amsterdam);
	char *all = xcalloc(1, 1 << 20);
	size_t len = 0;
	int fd = dial(f->port);
	ssize_t n;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	send_all(fd, text, strlen(text));
	while ((n = recv(fd, all + len, ((size_t)1 << 20) - 1 - len, 0)) > 0)
		len += (size_t)n;
	if (n < 0)
		fail_msg("%s %s: the connection hangs", method, path);
	close(fd);
	free(text);
	return all;
}

static void head_is_headers_and_an_end_on_every_route_of_get(void **state)
{
	struct fixture *f = *state;
	size_t looked = 0;

	offered(f, 19, 3, OPENED, FAR);
	for (const struct http_route *r = routes; r->method; r++) {
		char *path, *head;

		if (strcmp(r->method, "GET") || r->listener != LISTEN_PUBLIC)
			continue;
		path = path_of(r);
		head = everything(f, "HEAD", path);
		if (strtol(head + strlen("HTTP/1.1 "), NULL, 10) !=
		    sample_status(path))
			fail_msg("HEAD %s: %.40s", path, head);
		assert_non_null(strstr(head, "\r\n\r\n"));
		assert_string_equal(strstr(head, "\r\n\r\n") + 4, "");
		free(path);
		free(head);
		looked++;
	}
	assert_true(looked >= 12);
}

static void head_on_the_stream_is_no_screen(void **state)
{
	struct fixture *f = *state;
	char *head = everything(f, "HEAD", "/api/v1/stream?screen=1");
	struct reply r;

	assert_non_null(strstr(head, "text/event-stream"));
	assert_null(strstr(head, "Content-Length"));
	free(head);
	r = ask(f, "GET", "/healthz", NULL, NULL);
	assert_int_equal(status_of(r), 200);
	assert_int_equal(live_screens(f->app.live), 0);
}

/* ---- the name of a request ---- */

static struct reply named(struct fixture *f, const char *line,
			  const char *headers)
{
	char *text = xasprintf("%s HTTP/1.1\r\nHost: x\r\n%s\r\n", line,
			       headers);
	struct reply r = ask_raw(f, text);

	free(text);
	return r;
}

static void every_response_carries_the_name_of_its_request(void **state)
{
	static const struct {
		const char *line, *headers;
		int status;
	} asks[] = {
		{"GET /healthz", "", 200},
		{"HEAD /healthz", "", 200},
		{"GET /nothing", "", 404},
		{"DELETE /healthz", "", 405},
		{"GET /api/v1/me", "", 401},
		{"GET /healthz%00", "", 400},
		{"GET /healthz?order=1%00", "", 400},
		{"GET /healthz?a%00=1&order=1", "", 400},
		{"GET /healthz?order=1%2500", "", 200},
		{"GET /healthz", "Content-Length: 5\r\n", 413},
		{"POST /webhooks/centra/se", "Content-Length: 0\r\n", 401},
		{"POST /webhooks/centra/sw", "Content-Length: 0\r\n", 404},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
		char *headers = xasprintf("%sX-Request-Id: f81d4fae-7dec\r\n",
					  asks[i].headers);
		struct reply r = named(f, asks[i].line, headers);

		assert_int_equal(r.status, asks[i].status);
		assert_string_equal(reply_header(&r, "X-Request-Id"),
				    "f81d4fae-7dec");
		reply_release(&r);
		free(headers);
	}
}

/* The name that a request with this header is answered with. */
static char *name_of(struct fixture *f, const char *headers)
{
	struct reply r = named(f, "GET /healthz", headers);
	char *name = xstrdup(reply_header(&r, "X-Request-Id"));

	reply_release(&r);
	return name;
}

static void a_name_that_cannot_be_taken_is_replaced_by_ours(void **state)
{
	struct fixture *f = *state;
	char *long_one = xasprintf("X-Request-Id: %065d\r\n", 0);
	const char *const bad[] = {"",
				   "X-Request-Id:\r\n",
				   "X-Request-Id: two words\r\n",
				   "X-Request-Id: \"quoted\"\r\n",
				   "X-Request-Id: {}\r\n",
				   "X-Request-Id: Malm\xc3\xb6\r\n",
				   long_one};
	char *before = xstrdup("");

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char *ours = name_of(f, bad[i]);

		assert_in_range(strlen(ours), 18, 33);
		assert_int_equal(strspn(ours, "0123456789abcdef-"),
				 strlen(ours));
		assert_string_not_equal(ours, before);
		free(before);
		before = ours;
	}
	free(before);
	free(long_one);
}

/* One reply on a connection that stays. */
static struct reply next_reply(int fd, const char *text)
{
	assert_true(send_all(fd, text, strlen(text)));
	return read_reply(fd, false);
}

/* The memory of a request is used again for the next: of this connection, and
 * of another. */
static void a_request_has_nothing_of_those_before_it(void **state)
{
	static const char plain[] = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
	struct fixture *f = *state;
	char *full = xasprintf("GET /healthz?a=%01500d HTTP/1.1\r\nHost: x\r\n"
			       "X-Request-Id: the-one-before\r\n"
			       "traceparent: 00-0af7651916cd43dd8448eb211c80319c-"
			       "b7ad6b7169203331-01\r\n"
			       "X-Long: %03000d\r\n"
			       "X1: 1\r\nX2: 2\r\nX3: 3\r\nX4: 4\r\nX5: 5\r\n"
			       "X6: 6\r\nX7: 7\r\nX8: 8\r\nX9: 9\r\nXa: a\r\n"
			       "Xb: b\r\nXc: c\r\nXd: d\r\nXe: e\r\n\r\n", 0, 0);
	int fds[2] = {dial(f->port), dial(f->port)};

	for (int i = 0; i < 6; i++) {
		struct reply r = next_reply(fds[0], full);

		assert_int_equal(r.status, 200);
		assert_string_equal(reply_header(&r, "X-Request-Id"),
				    "the-one-before");
		assert_string_not_equal(reply_header(&r, "traceparent"), "");
		reply_release(&r);
		r = next_reply(fds[i % 2], plain);
		assert_int_equal(r.status, 200);
		assert_string_not_equal(reply_header(&r, "X-Request-Id"),
					"the-one-before");
		assert_string_equal(reply_header(&r, "traceparent"), "");
		reply_release(&r);
	}
	close(fds[0]);
	close(fds[1]);
	free(full);
}

static void a_name_of_64_characters_is_taken(void **state)
{
	struct fixture *f = *state;
	char *header = xasprintf("X-Request-Id: %063d/ \r\n", 0);
	char *name = name_of(f, header);

	assert_int_equal(strlen(name), 64);
	assert_non_null(strstr(header, name));
	free(name);
	free(header);
}

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"

static void a_valid_traceparent_is_returned_and_no_other(void **state)
{
	static const struct {
		const char *sent;
		bool valid;
	} of[] = {
		{"00-" TRACE "-00f067aa0ba902b7-01", true},
		{"00-" TRACE "-00f067aa0ba902b7-00", true},
		{"01-" TRACE "-00f067aa0ba902b7-ff", true},
		{"ff-" TRACE "-00f067aa0ba902b7-01", false},
		{"00-" TRACE "-0000000000000000-01", false},
		{"00-00000000000000000000000000000000-00f067aa0ba902b7-01",
		 false},
		{"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
		 false},
		{"00-" TRACE "-00f067aa0ba902b7", false},
		{"00-" TRACE "-00f067aa0ba902b7-01-extra", false},
		{"00-" TRACE "_00f067aa0ba902b7-01", false},
		{"0-", false},
		{"", false},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		char *header = xasprintf("traceparent: %s\r\n", of[i].sent);
		struct reply r = named(f, "GET /healthz", header);

		assert_string_equal(reply_header(&r, "traceparent"),
				    of[i].valid ? of[i].sent : "");
		reply_release(&r);
		free(header);
	}
}

/* ---- the spaces around a value, and words in any case ---- */

static void a_token_is_read_whatever_surrounds_it(void **state)
{
	static const char *const forms[] = {
		"Authorization: Bearer %s \r\n",
		"Authorization: Bearer %s \t  \r\n",
		"Authorization:Bearer   %s\r\n",
		"authorization: bearer %s\r\n",
		"AUTHORIZATION: BEARER %s \r\n",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct buf b;

		buf_init(&b, 500);
		buf_str(&b, "");
		for (const char *p = forms[i]; *p; p++) {
			if (*p == '%') {
				buf_str(&b, f->amsterdam);
				p++;
			} else {
				buf_char(&b, *p);
			}
		}
		if (asked(f, "GET /api/v1/me", b.data) != 200)
			fail_msg("not read: %s", b.data);
		buf_release(&b);
	}
}

static void a_token_with_a_space_in_it_is_none(void **state)
{
	struct fixture *f = *state;
	char *line = xasprintf("Authorization: Bearer %.20s %s\r\n",
			       f->amsterdam, f->amsterdam + 20);

	assert_int_equal(asked(f, "GET /api/v1/me", line), 401);
	free(line);
}

static void a_signature_is_read_with_spaces_behind_it(void **state)
{
	static const char body[] = "payload={\"events\":[]}";
	struct fixture *f = *state;
	char header[SIGNATURE_SIZE], *text;
	struct err e;

	assert_int_equal(signature_make(header, "test123", body, strlen(body),
					time_now() / 1000, &e),
			 OK);
	text = xasprintf("POST /webhooks/centra/se HTTP/1.1\r\nHost: x"
			       "\r\n%s: %s \t\r\nContent-Length: %zu\r\n\r\n%s",
			       "X-Centra-Signature", header, strlen(body),
			       body);

	assert_int_equal(status_of(ask_raw(f, text)), 200);
	free(text);
}

/* ---- cookies ---- */

/* A session of a device of Amsterdam's. */
static void sign_in(struct fixture *f, char session[TOKEN_SIZE])
{
	unsigned char hash[TOKEN_HASH_SIZE], code_hash[TOKEN_HASH_SIZE],
		session_hash[TOKEN_HASH_SIZE];
	char token[TOKEN_SIZE], code[TOKEN_SIZE];
	struct device d = {0}, in;
	struct err e;

	assert_true(copy_text(d.shop, sizeof(d.shop), "amsterdam"));
	assert_true(copy_text(d.name, sizeof(d.name), "Phone"));
	assert_int_equal(token_make(token, hash, &e), OK);
	assert_int_equal(token_make(code, code_hash, &e), OK);
	assert_int_equal(token_make(session, session_hash, &e), OK);
	assert_int_equal(store_device_add(f->app.store, &d, hash, code_hash,
					  time_now() + 60000, NULL, &e),
			 OK);
	assert_int_equal(store_device_login(f->app.store, code_hash,
					    session_hash, time_now(), &in,
					    NULL, &e),
			 OK);
}

static int with_cookies(struct fixture *f, const char *fmt, const char *a,
			const char *b)
{
	char *line = xasprintf("Cookie: %s=%s; x=y; %s=%s\r\n", fmt, a, fmt,
			       b);
	int status = asked(f, "GET /api/v1/me", line);

	free(line);
	return status;
}

static void of_several_session_cookies_each_is_tried(void **state)
{
	struct fixture *f = *state;
	char good[TOKEN_SIZE], *two;

	sign_in(f, good);
	assert_int_equal(with_cookies(f, PLAIN, STALE, good), 200);
	assert_int_equal(with_cookies(f, PLAIN, good, STALE), 200);
	assert_int_equal(with_cookies(f, PLAIN, "", good), 200);
	assert_int_equal(with_cookies(f, PLAIN, "short", good), 200);
	assert_int_equal(with_cookies(f, PLAIN, STALE, STALE), 401);
	two = xasprintf("Cookie: " PLAIN "=%s\r\nCookie: " PLAIN "=%s\r\n",
			STALE, good);
	assert_int_equal(asked(f, "GET /api/v1/me", two), 200);
	free(two);
}

static void white_space_around_a_cookie_is_no_part_of_it(void **state)
{
	struct fixture *f = *state;
	char good[TOKEN_SIZE], *line;

	sign_in(f, good);
	line = xasprintf("Cookie: x=y ;\t" PLAIN "=%s \t; z=1\r\n", good);
	assert_int_equal(asked(f, "GET /api/v1/me", line), 200);
	free(line);
	line = xasprintf("Cookie: " PLAIN "=%.42s ; z=1\r\n", good);
	assert_int_equal(asked(f, "GET /api/v1/me", line), 401);
	free(line);
}

static void the_cookie_that_is_good_is_the_one_that_csrf_belongs_to(void **state)
{
	struct fixture *f = *state;
	char good[TOKEN_SIZE], csrf[TOKEN_SIZE], *line;
	struct err e;

	offered(f, 19, 3, OPENED, FAR);
	sign_in(f, good);
	assert_int_equal(token_csrf(csrf, good, &e), OK);
	line = xasprintf("Cookie: " PLAIN "=" STALE "; " PLAIN "=%s\r\n"
			 "X-CSRF-Token: %s\r\nContent-Length: 0\r\n",
			 good, csrf);
	assert_int_equal(asked(f, "POST /api/v1/orders/20/accept", line), 404);
	free(line);
}

static void a_failed_twin_of_a_good_cookie_is_no_failure(void **state)
{
	struct fixture *f = *state;
	char good[TOKEN_SIZE];

	sign_in(f, good);
	for (int i = 0; i < 100; i++)
		assert_int_equal(with_cookies(f, PLAIN, STALE, good), 200);
	assert_int_equal(with_cookies(f, PLAIN, STALE, STALE), 401);
}

static void with_https_both_names_are_read(void **state)
{
	struct fixture *f = *state;
	char good[TOKEN_SIZE], *line;

	sign_in(f, good);
	assert_int_equal(with_cookies(f, HOST, STALE, good), 200);
	assert_int_equal(with_cookies(f, PLAIN, STALE, good), 200);
	line = xasprintf("Cookie: " PLAIN "=" STALE "; " HOST "=%s\r\n", good);
	assert_int_equal(asked(f, "GET /api/v1/me", line), 200);
	free(line);
}

/* Without https no browser would have kept it: somebody made it up. */
static void without_https_the_name_of_https_is_not_read(void **state)
{
	struct fixture *f = *state;
	char good[TOKEN_SIZE];

	sign_in(f, good);
	assert_int_equal(with_cookies(f, HOST, good, good), 401);
}

#define T(f) cmocka_unit_test_setup_teardown(f, start, stop)
#define S(f) cmocka_unit_test_setup_teardown(f, start_https, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_absolute_form_is_served_as_the_plain_one),
		T(the_absolute_form_keeps_its_query),
		T(an_absolute_form_without_a_host_is_none),
		T(head_is_headers_and_an_end_on_every_route_of_get),
		T(head_on_the_stream_is_no_screen),
		T(every_response_carries_the_name_of_its_request),
		T(a_name_that_cannot_be_taken_is_replaced_by_ours),
		T(a_request_has_nothing_of_those_before_it),
		T(a_name_of_64_characters_is_taken),
		T(a_valid_traceparent_is_returned_and_no_other),
		T(a_token_is_read_whatever_surrounds_it),
		T(a_token_with_a_space_in_it_is_none),
		T(a_signature_is_read_with_spaces_behind_it),
		T(of_several_session_cookies_each_is_tried),
		T(white_space_around_a_cookie_is_no_part_of_it),
		T(the_cookie_that_is_good_is_the_one_that_csrf_belongs_to),
		T(a_failed_twin_of_a_good_cookie_is_no_failure),
		S(with_https_both_names_are_read),
		T(without_https_the_name_of_https_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
