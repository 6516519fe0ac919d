/* SPDX-License-Identifier: MIT
 *
 * test_transport.c - what is known of a call's fate, whatever the network does
 * to it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "centra/transport.h"
#include "tests/unit/canned.h"

#include <cmocka.h> /* last: it has a macro named as err.h's fail() */

struct world {
	struct canned *server;
	struct centra *centra;
	struct centra_conn *conn;
	struct call call;
	struct buf reply;
};

static void connect_to(struct world *w, const char *url)
{
	struct centra_options o = {.instance = "se",
				   .order_api_url = url,
				   .order_api_key = "key-1",
				   .graphql_url = url,
				   .graphql_token = "token-1",
				   .connect_timeout = 400,
				   .timeout = 800};

	w->centra = centra_open(&o);
	w->conn = centra_conn_open(w->centra);
}

static struct world start(const struct canned_step *script, const char *scheme)
{
	struct world w = {.server = canned_start(script)};
	char url[80];

	snprintf(url, sizeof(url), "%s://127.0.0.1:%u/base/", scheme,
		 canned_port(w.server));
	connect_to(&w, url);
	return w;
}

static void stop(struct world *w)
{
	buf_release(&w->reply);
	centra_conn_close(w->conn);
	centra_close(w->centra);
	if (w->server)
		canned_stop(w->server);
}

static void post(struct world *w, bool once)
{
	struct post p = {.api = CENTRA_ORDER_API,
			 .path = "/check-first",
			 .body = "{\"a\":1}",
			 .len = 7,
			 .once = once};

	buf_release(&w->reply);
	transport_post(w->conn, &p, &w->call, &w->reply);
}

/* Plays one step against one call. */
static struct world one(enum canned_how how, const char *bytes)
{
	struct canned_step script[2] = {{how, bytes}};
	struct world w = start(script, "http");

	post(&w, true);
	/* The script is on this stack: the server ends before it does. */
	canned_stop(w.server);
	w.server = NULL;
	return w;
}

/* ---- compressed, though we did not ask for it ---- */

/* Adds n bits, the first the lowest, as deflate does. */
static void put_bits(struct buf *b, unsigned *used, unsigned bits, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (!*used)
			buf_char(b, 0);
		b->data[b->len - 1] |= (char)((bits >> i & 1) << *used);
		*used = (*used + 1) % 8;
	}
}

/* Adds a 200 whose body is gzip, to be closed behind: its deflate stream. */
static void gzip_head(struct buf *b)
{
	buf_init(b, 8 << 20);
	buf_str(b, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
		   "Content-Encoding: gzip\r\nConnection: close\r\n\r\n");
	(void)!buf_add(b, "\x1f\x8b\x08\0\0\0\0\0\0\x03", 10);
}

/* The text as it is in a stored block, and the trailer with its checksum. */
static void gzip_of(struct buf *b, const char *text)
{
	unsigned len = (unsigned)strlen(text), crc = ~0u;
	char tail[8];

	gzip_head(b);
	buf_char(b, 1);
	buf_char(b, (char)len);
	buf_char(b, (char)(len >> 8));
	buf_char(b, (char)~len);
	buf_char(b, (char)(~len >> 8));
	buf_str(b, text);
	for (const char *p = text; *p; p++) {
		crc ^= (unsigned char)*p;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	for (int i = 0; i < 4; i++) {
		tail[i] = (char)(~crc >> 8 * i);
		tail[4 + i] = (char)(len >> 8 * i);
	}
	(void)!buf_add(b, tail, 8);
}

/* `{`, and then 258 times as many bytes as the rounds: 13 bits for each. */
static void gzip_bomb(struct buf *b, unsigned rounds)
{
	unsigned used = 0;

	gzip_head(b);
	put_bits(b, &used, 3, 3); /* the last block, its codes fixed */
	put_bits(b, &used, 0xd5, 8); /* 0x30 + '{', the highest bit first */
	for (unsigned i = 0; i < rounds; i++) {
		put_bits(b, &used, 0xa3, 8); /* as many as 258 ... */
		put_bits(b, &used, 0, 5);    /* ... of the byte before */
	}
}

static struct world one_of(const struct buf *bytes)
{
	struct canned_step script[2] = {{CANNED_BINARY, NULL}};
	struct world w = start(script, "http");

	canned_binary(w.server, bytes->data, bytes->len);
	post(&w, true);
	assert_null(strstr(canned_last(w.server), "Accept-Encoding"));
	canned_stop(w.server);
	w.server = NULL;
	return w;
}

static void a_reply_that_is_compressed_unasked_is_read(void **state)
{
	struct buf bytes;
	struct world w;

	(void)state;
	gzip_of(&bytes, "{\"status\":\"ok\"}");
	w = one_of(&bytes);
	assert_int_equal(w.call.end, CALL_OK);
	assert_string_equal(w.reply.data, "{\"status\":\"ok\"}");
	stop(&w);
	buf_release(&bytes);
}

static void a_compressed_reply_is_bounded_by_what_it_becomes(void **state)
{
	struct buf bytes;
	struct world w;

	(void)state;
	gzip_bomb(&bytes, 8u * REPLY_MAX / 258);
	assert_true(bytes.len < REPLY_MAX / 2);
	w = one_of(&bytes);
	assert_int_equal(w.call.end, CALL_UNKNOWN);
	assert_non_null(strstr(w.call.why.text, "the reply is too long"));
	assert_true(w.reply.cap <= 2 * REPLY_MAX);
	stop(&w);
	buf_release(&bytes);
}

static void a_compressed_reply_that_is_damaged_is_unknown(void **state)
{
	struct buf bytes;
	struct world w;

	(void)state;
	gzip_of(&bytes, "{\"status\":\"ok\"}");
	bytes.data[bytes.len - 6] ^= 1; /* of the checksum */
	w = one_of(&bytes);
	assert_int_equal(w.call.end, CALL_UNKNOWN);
	stop(&w);
	buf_release(&bytes);
	gzip_head(&bytes);
	buf_str(&bytes, "no deflate at all");
	w = one_of(&bytes);
	assert_int_equal(w.call.end, CALL_UNKNOWN);
	stop(&w);
	buf_release(&bytes);
}

#define expect_end(how, bytes, ended, code)                                   \
	do {                                                                  \
		struct world w_ = one((how), (bytes));                        \
		assert_int_equal(w_.call.end, (ended));                       \
		assert_int_equal(w_.call.status, (code));                     \
		assert_true((w_.call.end == CALL_OK) == !w_.call.why.text[0]); \
		stop(&w_);                                                    \
	} while (0)

static const struct canned_step ok_twice[] = {
	{CANNED_KEEP, CANNED_OK(15, "{\"status\":\"ok\"}")},
	{CANNED_KEEP, CANNED_OK(15, "{\"status\":\"no\"}")},
	{0},
};

static void a_whole_200_is_ok_and_carries_its_body(void **state)
{
	struct world w = start(ok_twice, "http");

	(void)state;
	post(&w, true);
	assert_int_equal(w.call.end, CALL_OK);
	assert_int_equal(w.call.status, 200);
	assert_false(w.call.refused);
	assert_int_equal(w.call.retry_after, 0);
	assert_string_equal(w.reply.data, "{\"status\":\"ok\"}");
	stop(&w);
}

static void a_chunked_reply_with_trailers_after_a_100_is_ok(void **state)
{
	struct world w = one(CANNED_KEEP,
			     "HTTP/1.1 100 Continue\r\n\r\n"
			     "HTTP/1.1 200 OK\r\n"
			     "Transfer-Encoding: chunked\r\n\r\n"
			     "f\r\n{\"status\":\"ok\"}\r\n"
			     "0\r\nX-Late: 1\r\n\r\n");

	(void)state;
	assert_int_equal(w.call.end, CALL_OK);
	assert_string_equal(w.reply.data, "{\"status\":\"ok\"}");
	stop(&w);
}

static void the_request_is_what_centra_wants(void **state)
{
	struct world w = start(ok_twice, "http");
	const char *r;

	(void)state;
	post(&w, true);
	r = canned_last(w.server);
	/* One slash, though the address ends with one. */
	assert_non_null(strstr(r, "POST /base/check-first HTTP/1.1\r\n"));
	assert_non_null(strstr(r, "\r\nAPI-Authorization: key-1\r\n"));
	assert_non_null(strstr(r, "\r\nContent-Type: application/json\r\n"));
	assert_non_null(strstr(r, "\r\nAccept: application/json\r\n"));
	assert_non_null(strstr(r, "\r\nUser-Agent: shipfrom\r\n"));
	assert_non_null(strstr(r, "\r\nContent-Length: 7\r\n"));
	assert_null(strcasestr(r, "Expect:"));
	assert_null(strcasestr(r, "Accept-Encoding:"));
	assert_non_null(strstr(r, "\r\n\r\n{\"a\":1}"));
	stop(&w);
}

static void a_connection_is_kept_for_the_next_call(void **state)
{
	struct world w = start(ok_twice, "http");

	(void)state;
	post(&w, true);
	assert_int_equal(w.call.end, CALL_OK);
	post(&w, true);
	assert_int_equal(w.call.end, CALL_OK);
	assert_string_equal(w.reply.data, "{\"status\":\"no\"}");
	assert_int_equal(canned_requests(w.server), 2);
	assert_int_equal(canned_connections(w.server), 1);
	stop(&w);
}

static void new_credentials_are_used_by_the_next_call(void **state)
{
	struct world w = start(ok_twice, "http");

	(void)state;
	post(&w, true);
	centra_set_credentials(w.centra, "key-2", "token-2");
	post(&w, true);
	assert_non_null(strstr(canned_last(w.server),
			       "\r\nAPI-Authorization: key-2\r\n"));
	stop(&w);
}

static void graphql_gets_a_bearer_token(void **state)
{
	struct world w = start(ok_twice, "http");
	struct post p = {.api = CENTRA_GRAPHQL,
			 .path = "",
			 .body = "{}",
			 .len = 2};

	(void)state;
	transport_post(w.conn, &p, &w.call, &w.reply);
	assert_int_equal(w.call.end, CALL_OK);
	assert_non_null(strstr(canned_last(w.server),
			       "\r\nAuthorization: Bearer token-1\r\n"));
	assert_non_null(
		strstr(canned_last(w.server), "POST /base HTTP/1.1\r\n"));
	stop(&w);
}

/* ---- certainly not done ---- */

static void nobody_listening_is_not_done(void **state)
{
	struct world w = {0};
	char url[64];

	(void)state;
	snprintf(url, sizeof(url), "http://127.0.0.1:%u",
		 canned_closed_port());
	connect_to(&w, url);
	post(&w, true);
	assert_int_equal(w.call.end, CALL_NOT_DONE);
	assert_int_equal(w.call.status, 0);
	assert_false(w.call.refused);
	assert_non_null(strstr(w.call.why.text, "Order API"));
	stop(&w);
}

static void a_server_gone_since_the_last_call_is_not_done(void **state)
{
	struct world w = start(ok_twice, "http");

	(void)state;
	post(&w, true);
	assert_int_equal(w.call.end, CALL_OK);
	canned_stop(w.server);
	w.server = NULL;
	post(&w, true);
	assert_int_equal(w.call.end, CALL_NOT_DONE);
	assert_int_equal(w.call.status, 0);
	stop(&w);
}

static void a_name_that_does_not_resolve_is_not_done(void **state)
{
	struct world w = {0};

	(void)state;
	connect_to(&w, "http://nobody.invalid/");
	post(&w, true);
	assert_int_equal(w.call.end, CALL_NOT_DONE);
	stop(&w);
}

static void a_failed_tls_handshake_is_not_done(void **state)
{
	struct canned_step script[] = {{CANNED_SHUT, "this is no TLS\r\n"},
				       {0}};
	struct world w = start(script, "https");

	(void)state;
	post(&w, true);
	assert_int_equal(w.call.end, CALL_NOT_DONE);
	assert_int_equal(canned_requests(w.server), 0);
	stop(&w);
}

static void a_tls_handshake_that_never_ends_is_not_done(void **state)
{
	struct canned_step script[] = {{CANNED_SILENT, NULL}, {0}};
	struct world w = start(script, "https");

	(void)state;
	post(&w, true);
	assert_int_equal(w.call.end, CALL_NOT_DONE);
	assert_in_range(w.call.latency, 300, 5000);
	stop(&w);
}

static void another_scheme_is_not_tried(void **state)
{
	struct world w = {0};

	(void)state;
	connect_to(&w, "file:///etc/hostname");
	post(&w, true);
	assert_int_equal(w.call.end, CALL_NOT_DONE);
	assert_int_equal(w.reply.len, 0);
	stop(&w);
}

static void a_refused_key_is_not_done_and_said_so(void **state)
{
	static const char *const replies[] = {
		"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 403 No\r\nContent-Length: 24\r\n\r\n"
		"{\"status\":\"Not Allowed\"}"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct world w = one(CANNED_KEEP, replies[i]);

		assert_int_equal(w.call.end, CALL_NOT_DONE);
		assert_int_equal(w.call.status, i ? 403 : 401);
		assert_true(w.call.refused);
		stop(&w);
	}
}

static void the_date_of_a_reply_is_told_whatever_its_status(void **state)
{
	static const struct {
		const char *reply;
		int64_t date;
	} cases[] = {
		{"HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
		 "Content-Length: 2\r\n\r\n{}", 784111777000},
		{"HTTP/1.1 503 X\r\ndate:Sun, 06 Nov 1994 08:49:37 GMT\r\n"
		 "Content-Length: 0\r\n\r\n", 784111777000},
		{"HTTP/1.1 200 OK\r\nDate: yesterday\r\n"
		 "Content-Length: 2\r\n\r\n{}", 0},
		{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct world w = one(CANNED_KEEP, cases[i].reply);

		assert_true(w.call.date == cases[i].date);
		stop(&w);
	}
}

static void too_many_requests_is_not_done_and_tells_the_wait(void **state)
{
	static const struct {
		const char *reply;
		int64_t wait;
	} cases[] = {
		{"HTTP/1.1 429 Wait\r\nContent-Length: 0\r\n\r\n", 10000},
		{"HTTP/1.1 429 Wait\r\nRetry-After: 7\r\n"
		 "Content-Length: 0\r\n\r\n", 7000},
		{"HTTP/1.1 429 Wait\r\nretry-after:   3  \r\n"
		 "Content-Length: 0\r\n\r\n", 3000},
		{"HTTP/1.1 429 Wait\r\nRetry-After: soon\r\n"
		 "Content-Length: 0\r\n\r\n", 10000},
		{"HTTP/1.1 429 Wait\r\nRetry-After: 9999999999\r\n"
		 "Content-Length: 0\r\n\r\n", 3600000},
		{"HTTP/1.1 429 Wait\r\nRetry-After: "
		 "Sun, 06 Nov 1994 08:49:37 GMT\r\n"
		 "Content-Length: 0\r\n\r\n", 1000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct world w = one(CANNED_KEEP, cases[i].reply);

		assert_int_equal(w.call.end, CALL_NOT_DONE);
		assert_false(w.call.refused);
		assert_int_equal(w.call.retry_after, cases[i].wait);
		stop(&w);
	}
}

static void without_an_address_or_a_key_nothing_is_sent(void **state)
{
	struct world w = start(ok_twice, "http");
	struct world bare = {0};

	(void)state;
	centra_set_credentials(w.centra, NULL, NULL);
	post(&w, true);
	assert_int_equal(w.call.end, CALL_NOT_DONE);
	assert_true(w.call.refused);
	centra_set_credentials(w.centra, "a\r\nX-Evil: 1", NULL);
	post(&w, true);
	assert_int_equal(w.call.end, CALL_NOT_DONE);
	assert_true(w.call.refused);
	assert_int_equal(canned_connections(w.server), 0);
	stop(&w);

	connect_to(&bare, NULL);
	post(&bare, true);
	assert_int_equal(bare.call.end, CALL_NOT_DONE);
	assert_false(bare.call.refused);
	stop(&bare);
}

/* ---- unknown ---- */

static void a_connection_lost_after_writing_is_unknown(void **state)
{
	(void)state;
	expect_end(CANNED_CLOSE, NULL, CALL_UNKNOWN, 0);
	expect_end(CANNED_RESET, NULL, CALL_UNKNOWN, 0);
	expect_end(CANNED_HANG_UP, NULL, CALL_UNKNOWN, 0);
}

static void no_answer_in_time_is_unknown(void **state)
{
	struct world w = one(CANNED_SILENT, NULL);

	(void)state;
	assert_int_equal(w.call.end, CALL_UNKNOWN);
	assert_int_equal(w.call.status, 0);
	assert_in_range(w.call.latency, 700, 5000);
	stop(&w);
}

static void half_a_body_is_unknown(void **state)
{
	(void)state;
	expect_end(CANNED_CLOSE, CANNED_OK(15, "{\"status\""), CALL_UNKNOWN,
		   200);
	expect_end(CANNED_RESET, CANNED_OK(15, "{\"status\""), CALL_UNKNOWN,
		   200);
	expect_end(CANNED_SILENT, CANNED_OK(15, "{\"status\""), CALL_UNKNOWN,
		   200);
	/* A chunked body whose last chunk is missing. */
	expect_end(CANNED_CLOSE,
		   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		   "f\r\n{\"status\":\"ok\"}\r\n",
		   CALL_UNKNOWN, 200);
	/* Half of the headers. */
	expect_end(CANNED_CLOSE, "HTTP/1.1 200 OK\r\nContent-", CALL_UNKNOWN,
		   200);
	/* A refusal that breaks off is none. */
	expect_end(CANNED_CLOSE,
		   "HTTP/1.1 403 No\r\nContent-Length: 99\r\n\r\n{",
		   CALL_UNKNOWN, 403);
}

static void every_other_status_is_unknown(void **state)
{
	static const int statuses[] = {201, 202, 204, 206, 300, 301, 302, 303,
				       304, 307, 308, 400, 402, 404, 405, 408,
				       409, 410, 422, 451, 499, 500, 501, 502,
				       503, 504, 520, 599};
	char reply[200];

	(void)state;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++) {
		snprintf(reply, sizeof(reply),
			 "HTTP/1.1 %d X\r\nLocation: http://127.0.0.1:1/\r\n"
			 "%sConnection: close\r\n\r\n",
			 statuses[i],
			 statuses[i] == 204 || statuses[i] == 304
				 ? ""
				 : "Content-Length: 0\r\n");
		expect_end(CANNED_CLOSE, reply, CALL_UNKNOWN, statuses[i]);
	}
}

static void a_redirect_is_not_followed(void **state)
{
	static const struct canned_step script[] = {
		{CANNED_KEEP, "HTTP/1.1 307 Moved\r\nLocation: /elsewhere\r\n"
			      "Content-Length: 0\r\n\r\n"},
		{CANNED_KEEP, CANNED_OK(15, "{\"status\":\"ok\"}")},
		{0},
	};

	(void)state;
	for (int once = 0; once < 2; once++) {
		struct world w = start(script, "http");

		post(&w, once);
		assert_int_equal(w.call.end, CALL_UNKNOWN);
		assert_int_equal(w.call.status, 307);
		assert_int_equal(canned_requests(w.server), 1);
		stop(&w);
	}
}

static void a_503_may_say_how_long(void **state)
{
	struct world w = one(CANNED_KEEP, "HTTP/1.1 503 X\r\nRetry-After: 4\r\n"
					  "Content-Length: 0\r\n\r\n");

	(void)state;
	assert_int_equal(w.call.end, CALL_UNKNOWN);
	assert_int_equal(w.call.retry_after, 4000);
	stop(&w);
	w = one(CANNED_KEEP,
		"HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(w.call.retry_after, 0);
	stop(&w);
}

static void a_reply_without_end_is_cut_and_unknown(void **state)
{
	struct world w = one(CANNED_ENDLESS, NULL);

	(void)state;
	assert_int_equal(w.call.end, CALL_UNKNOWN);
	assert_true(w.reply.len <= REPLY_MAX);
	stop(&w);
}

static void headers_without_end_are_cut_and_unknown(void **state)
{
	size_t size = 200 << 10;
	char *reply = malloc(size), *p = reply;
	struct world w;

	(void)state;
	p = stpcpy(p, "HTTP/1.1 200 OK\r\n");
	while ((size_t)(p - reply) < size - 100) {
		memcpy(p, "X-Filler: 0123456789012345678901234567\r\n", 40);
		p += 40;
	}
	memcpy(p, "\r\n", 3);
	w = one(CANNED_CLOSE, reply);
	assert_int_equal(w.call.end, CALL_UNKNOWN);
	stop(&w);
	free(reply);
}

static void what_is_not_http_is_unknown(void **state)
{
	(void)state;
	expect_end(CANNED_CLOSE, "{\"status\":\"ok\"}", CALL_UNKNOWN, 0);
}

/* ---- at most once ---- */

/* The second request of a kept connection is read, and then the connection
 * dies: just what makes libcurl write it again. */
static const struct canned_step dies_under_the_second[] = {
	{CANNED_KEEP, CANNED_OK(15, "{\"status\":\"ok\"}")},
	{CANNED_CLOSE, NULL},
	{CANNED_KEEP, CANNED_OK(15, "{\"status\":\"ok\"}")},
	{0},
};
static const struct canned_step resets_under_the_second[] = {
	{CANNED_KEEP, CANNED_OK(15, "{\"status\":\"ok\"}")},
	{CANNED_RESET, NULL},
	{CANNED_KEEP, CANNED_OK(15, "{\"status\":\"ok\"}")},
	{0},
};

static void what_changes_something_is_never_written_twice(void **state)
{
	const struct canned_step *const scripts[] = {dies_under_the_second,
						     resets_under_the_second};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct world w = start(scripts[i], "http");

		post(&w, true);
		assert_int_equal(w.call.end, CALL_OK);
		post(&w, true);
		assert_int_equal(w.call.end, CALL_UNKNOWN);
		assert_int_equal(canned_requests(w.server), 2);
		/* The handle is fit for the next call. */
		post(&w, true);
		assert_int_equal(w.call.end, CALL_OK);
		assert_int_equal(canned_requests(w.server), 3);
		stop(&w);
	}
}

static void what_only_reads_is_tried_again_at_once(void **state)
{
	struct world w = start(dies_under_the_second, "http");

	(void)state;
	post(&w, false);
	post(&w, false);
	assert_int_equal(w.call.end, CALL_OK);
	assert_int_equal(canned_requests(w.server), 3);
	stop(&w);
}

static void a_connection_closed_between_calls_costs_nothing(void **state)
{
	static const struct canned_step script[] = {
		{CANNED_CLOSE, CANNED_OK(15, "{\"status\":\"ok\"}")},
		{CANNED_KEEP, CANNED_OK(15, "{\"status\":\"no\"}")},
		{0},
	};
	struct world w = start(script, "http");

	(void)state;
	post(&w, true);
	assert_int_equal(w.call.end, CALL_OK);
	canned_wait_closed(w.server, 1);
	post(&w, true);
	assert_int_equal(w.call.end, CALL_OK);
	assert_int_equal(canned_requests(w.server), 2);
	stop(&w);
}

static int begin(void **state)
{
	struct err e;

	(void)state;
	/* An environment that would lead us astray, were it heeded. */
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("all_proxy", "http://127.0.0.1:1", 1);
	return centra_init(&e);
}

static int end(void **state)
{
	(void)state;
	centra_end();
	return 0;
}

static void a_get_sends_its_query_and_no_body(void **state)
{
	static const struct canned_step script[] = {
		{CANNED_KEEP, CANNED_OK(2, "{}")},
		{CANNED_KEEP, CANNED_OK(2, "{}")},
		{CANNED_KEEP, CANNED_OK(2, "{}")},
		{CANNED_END, NULL}};
	struct world w = start(script, "http");
	struct post p = {.api = CENTRA_ORDER_API,
			 .method = "GET",
			 .path = "/products?ean=12&limit=1"};

	(void)state;
	transport_post(w.conn, &p, &w.call, &w.reply);
	assert_int_equal(w.call.end, CALL_OK);
	assert_non_null(strstr(canned_last(w.server),
			       "GET /base/products?ean=12&limit=1 HTTP/1.1"));
	assert_null(strstr(canned_last(w.server), "Content-Length"));
	buf_release(&w.reply);

	p = (struct post){.api = CENTRA_ORDER_API,
			  .method = "PUT",
			  .path = "/capture",
			  .body = "{\"a\":1}",
			  .len = 7};
	transport_post(w.conn, &p, &w.call, &w.reply);
	assert_non_null(
		strstr(canned_last(w.server), "PUT /base/capture HTTP/1.1"));
	assert_non_null(strstr(canned_last(w.server), "{\"a\":1}"));
	buf_release(&w.reply);

	/* The next call on the handle is a POST again. */
	post(&w, false);
	assert_non_null(strstr(canned_last(w.server), "POST /base"));
	stop(&w);
}

static void a_call_ends_at_the_deadline_of_its_connection(void **state)
{
	static const struct canned_step script[] = {{CANNED_SILENT, NULL},
						    {CANNED_END, NULL}};
	struct world w = start(script, "http");
	int64_t began = time_mono();

	(void)state;
	centra_conn_until(w.conn, began + 100);
	post(&w, false);
	assert_int_equal(w.call.end, CALL_UNKNOWN);
	assert_true(w.call.cut);
	assert_true(time_mono() - began < 700); /* the centra's is 800 */
	stop(&w);
}

static void a_call_after_the_deadline_is_not_sent(void **state)
{
	static const struct canned_step script[] = {
		{CANNED_KEEP, CANNED_OK(2, "{}")}, {CANNED_END, NULL}};
	struct world w = start(script, "http");

	(void)state;
	centra_conn_until(w.conn, time_mono() - 1);
	post(&w, false);
	assert_int_equal(w.call.end, CALL_NOT_DONE);
	assert_true(w.call.cut);
	assert_int_equal(canned_requests(w.server), 0);
	buf_release(&w.reply);

	centra_conn_until(w.conn, 0);
	post(&w, false);
	assert_int_equal(w.call.end, CALL_OK);
	stop(&w);
}

static void calls_that_are_cut_open_no_breaker(void **state)
{
	struct world w = {.server = canned_start((const struct canned_step[]){
				  {CANNED_SILENT, NULL}, {CANNED_SILENT, NULL},
				  {CANNED_SILENT, NULL}, {CANNED_SILENT, NULL},
				  {CANNED_SILENT, NULL}, {CANNED_SILENT, NULL},
				  {CANNED_END, NULL}})};
	struct centra_state s;
	char url[80];

	(void)state;
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/base/",
		 canned_port(w.server));
	connect_to(&w, url);
	for (int i = 0; i < 6; i++) {
		centra_conn_until(w.conn, time_mono() + 30);
		post(&w, false);
		assert_true(w.call.cut);
		buf_release(&w.reply);
	}
	centra_state(w.centra, CENTRA_ORDER_API, &s);
	assert_false(s.dead);
	stop(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_200_is_ok_and_carries_its_body),
		cmocka_unit_test(a_get_sends_its_query_and_no_body),
		cmocka_unit_test(a_call_ends_at_the_deadline_of_its_connection),
		cmocka_unit_test(a_call_after_the_deadline_is_not_sent),
		cmocka_unit_test(calls_that_are_cut_open_no_breaker),
		cmocka_unit_test(
			a_chunked_reply_with_trailers_after_a_100_is_ok),
		cmocka_unit_test(the_request_is_what_centra_wants),
		cmocka_unit_test(a_connection_is_kept_for_the_next_call),
		cmocka_unit_test(new_credentials_are_used_by_the_next_call),
		cmocka_unit_test(graphql_gets_a_bearer_token),
		cmocka_unit_test(a_reply_that_is_compressed_unasked_is_read),
		cmocka_unit_test(
			a_compressed_reply_is_bounded_by_what_it_becomes),
		cmocka_unit_test(a_compressed_reply_that_is_damaged_is_unknown),
		cmocka_unit_test(nobody_listening_is_not_done),
		cmocka_unit_test(a_server_gone_since_the_last_call_is_not_done),
		cmocka_unit_test(a_name_that_does_not_resolve_is_not_done),
		cmocka_unit_test(a_failed_tls_handshake_is_not_done),
		cmocka_unit_test(a_tls_handshake_that_never_ends_is_not_done),
		cmocka_unit_test(another_scheme_is_not_tried),
		cmocka_unit_test(a_refused_key_is_not_done_and_said_so),
		cmocka_unit_test(
			too_many_requests_is_not_done_and_tells_the_wait),
		cmocka_unit_test(without_an_address_or_a_key_nothing_is_sent),
		cmocka_unit_test(a_connection_lost_after_writing_is_unknown),
		cmocka_unit_test(no_answer_in_time_is_unknown),
		cmocka_unit_test(half_a_body_is_unknown),
		cmocka_unit_test(every_other_status_is_unknown),
		cmocka_unit_test(a_redirect_is_not_followed),
		cmocka_unit_test(a_503_may_say_how_long),
		cmocka_unit_test(a_reply_without_end_is_cut_and_unknown),
		cmocka_unit_test(headers_without_end_are_cut_and_unknown),
		cmocka_unit_test(what_is_not_http_is_unknown),
		cmocka_unit_test(the_date_of_a_reply_is_told_whatever_its_status),
		cmocka_unit_test(what_changes_something_is_never_written_twice),
		cmocka_unit_test(what_only_reads_is_tried_again_at_once),
		cmocka_unit_test(
			a_connection_closed_between_calls_costs_nothing),
	};

	return cmocka_run_group_tests(tests, begin, end) != 0;
}
