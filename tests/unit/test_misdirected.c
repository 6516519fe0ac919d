/* SPDX-License-Identifier: MIT
 *
 * test_misdirected.c - webhooks that do not come as they are expected: with a
 * slash behind the name, in chunks, or to an address where nobody is.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/time.h"
#include "centra/signature.h"
#include "server/http/http.h"
#include "tests/unit/fixture.h"

/* cmocka has a fail() too: it comes after ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define BODY "payload={\"events\":[{\"type\":\"gift_card\",\"action\":\"melted\","       \
	     "\"date\":\"2021-01-11 16:21:00.552288\",\"id\":20}]}"

static int start(void **state)
{
	*state = fixture_start("webhook_max_body = 64K");
	return 0;
}

static int stop(void **state)
{
	fixture_stop(*state);
	return 0;
}

#define counted(f, metric) atomic_load(&(f)->app.counters.metric)

/* "X-Centra-Signature: ..." over the body, by a secret. */
static char *signature(const char *secret, const char *body)
{
	char header[SIGNATURE_SIZE];
	struct err e;

	assert_int_equal(signature_make(header, secret, body, strlen(body),
					time_now() / 1000, &e),
			 OK);
	return xasprintf("X-Centra-Signature: %s\r\n", header);
}

static struct reply send_to(struct fixture *f, const char *line,
			    const char *headers, const char *body)
{
	char *text = xasprintf("%s HTTP/1.1\r\nHost: x\r\n%s"
			       "Content-Length: %zu\r\n\r\n%s",
			       line, headers, strlen(body), body);
	struct reply r = ask_raw(f, text);

	free(text);
	return r;
}

static void expect(struct reply r, int status, const char *text)
{
	if (r.status != status || !strstr(r.body, text))
		fail_msg("want %d with %s, got %s", status, text, r.bytes);
	reply_release(&r);
}

/* ---- a slash ---- */

static void a_slash_behind_the_name_is_taken(void **state)
{
	struct fixture *f = *state;
	char *good = signature("test123", BODY);

	expect(send_to(f, "POST /webhooks/centra/se/", good, BODY), 200,
	       "\"new\":1");
	expect(send_to(f, "POST /webhooks/centra/se", good, BODY), 200,
	       "\"duplicates\":1");
	free(good);
}

static void two_slashes_or_more_of_a_path_are_not(void **state)
{
	struct fixture *f = *state;
	char *good = signature("test123", BODY);

	expect(send_to(f, "POST /webhooks/centra/se//", good, BODY), 404,
	       "not_found");
	expect(send_to(f, "POST /webhooks/centra/se/x", good, BODY), 404,
	       "not_found");
	expect(send_to(f, "POST /webhooks/centra/", good, BODY), 404,
	       "not_found");
	free(good);
}

static void no_other_route_takes_a_slash(void **state)
{
	struct fixture *f = *state;

	expect(send_to(f, "GET /healthz/", "", ""), 404, "not_found");
	expect(send_to(f, "GET /api/v1/me/", "", ""), 404, "not_found");
}

/* ---- chunks ---- */

/* The body in chunks of `size`. */
static struct reply send_chunked(struct fixture *f, const char *headers,
				 const char *body, size_t size)
{
	size_t len = strlen(body);
	struct reply r;
	struct buf b;

	buf_init(&b, 8 << 20);
	buf_fmt(&b,
		"POST /webhooks/centra/se HTTP/1.1\r\nHost: x\r\n%s"
		"Transfer-Encoding: chunked\r\n\r\n",
		headers);
	for (size_t at = 0; at < len; at += size) {
		size_t n = len - at < size ? len - at : size;

		buf_fmt(&b, "%zx\r\n%.*s\r\n", n, (int)n, body + at);
	}
	buf_str(&b, "0\r\n\r\n");
	r = ask_raw(f, b.data);
	buf_release(&b);
	return r;
}

static void a_body_in_chunks_is_taken(void **state)
{
	struct fixture *f = *state;
	char *good = signature("test123", BODY);

	expect(send_chunked(f, good, BODY, 7), 200, "\"new\":1");
	expect(send_chunked(f, good, BODY, 4000), 200, "\"duplicates\":1");
	free(good);
}

static void a_body_in_chunks_that_was_changed_is_refused(void **state)
{
	struct fixture *f = *state;
	char *good = signature("test123", BODY);

	expect(send_chunked(f, good, BODY "x", 7), 401, "signature_wrong");
	free(good);
}

static void a_body_in_chunks_may_have_webhook_max_body_and_no_more(void **state)
{
	struct fixture *f = *state;
	char *body = xcalloc(64 * 1024 + 2, 1), *good;

	memset(body, 'x', 64 * 1024);
	good = signature("test123", body);
	expect(send_chunked(f, good, body, 1000), 200, "\"quarantined\":1");
	body[64 * 1024] = 'x';
	expect(send_chunked(f, good, body, 1000), 413, "too_large");
	free(good);
	free(body);
}

static void a_length_besides_chunks_is_refused(void **state)
{
	struct fixture *f = *state;
	char *good = signature("test123", BODY), *both;
	struct reply r;

	both = xasprintf("%sContent-Length: 5\r\n", good);
	r = send_chunked(f, both, BODY, 100);
	assert_int_equal(r.status, 400);
	assert_true(r.closed);
	reply_release(&r);
	free(both);
	free(good);
}

/* ---- an address where nobody is ---- */

/* What is logged from now on, until log_end(). */
static int kept_stderr;
static FILE *logged;

static void log_begin(void)
{
	logged = tmpfile();
	kept_stderr = dup(STDERR_FILENO);
	dup2(fileno(logged), STDERR_FILENO);
}

static char *log_end(void)
{
	char *text = xcalloc(1, 100000);

	dup2(kept_stderr, STDERR_FILENO);
	close(kept_stderr);
	assert_true(pread(fileno(logged), text, 99999, 0) >= 0);
	fclose(logged);
	return text;
}

static void a_signed_delivery_to_no_webhook_is_counted_and_logged(void **state)
{
	static const struct {
		const char *line;
		int status;
		const char *code;
	} lost[] = {
		{"POST /webhooks/centra/sw", 404, "unknown_instance"},
		{"POST /webhooks/centra/sw/", 404, "unknown_instance"},
		{"POST /webhooks/centra", 404, "not_found"},
		{"POST /webhook/se", 404, "not_found"},
		{"POST /", 405, "method_not_allowed"},
		/* A redirect has made a GET of it. */
		{"GET /webhooks/centra/se", 405, "method_not_allowed"},
	};
	struct fixture *f = *state;
	char *other = signature("another secret", BODY), *log;
	unsigned n = sizeof(lost) / sizeof(lost[0]);

	log_begin();
	for (unsigned i = 0; i < n; i++)
		expect(send_to(f, lost[i].line, other, BODY), lost[i].status,
		       lost[i].code);
	log = log_end();
	assert_int_equal(counted(f, webhooks_misdirected_total), n);
	assert_int_equal(counted(f, webhooks_refused_signature_total), 0);
	assert_non_null(strstr(log, "\"level\":\"warn\""));
	assert_non_null(strstr(log, "\"path\":\"/webhooks/centra/sw\""));
	assert_non_null(strstr(log, "\"method\":\"GET\""));
	assert_null(strstr(log, "gift_card"));
	assert_null(strstr(log, "v1="));
	free(log);
	free(other);
}

static void a_stranger_at_no_webhook_is_not_counted(void **state)
{
	static const char *const headers[] = {
		"", "X-Centra-Signature: x\r\n", "X-Centra-Signature: t=1\r\n",
		"X-Centra-Signature: t=1,v1=12\r\n"};
	struct fixture *f = *state;

	for (int i = 0; i < 4; i++)
		expect(send_to(f, "POST /webhooks/centra/sw", headers[i],
			       BODY),
		       404, "unknown_instance");
	assert_int_equal(counted(f, webhooks_misdirected_total), 0);
}

static void its_body_is_not_waited_for(void **state)
{
	struct fixture *f = *state;
	char *good = signature("test123", BODY);
	char *text = xasprintf("POST /webhooks/centra/sw HTTP/1.1\r\n"
			       "Host: x\r\n%sContent-Length: 4000000\r\n\r\n",
			       good);
	struct reply r = ask_raw(f, text); /* and not a byte of it */

	assert_true(r.closed);
	expect(r, 404, "unknown_instance");
	free(text);
	free(good);
}

static void the_log_names_the_path_safely_and_not_too_often(void **state)
{
	struct fixture *f = *state;
	char *good = signature("test123", BODY), *log, *line, *path;
	unsigned lines = 0;

	path = xasprintf("POST /%0500d%%c3%%b6%%22%%5c", 0);
	log_begin();
	for (int i = 0; i < 60; i++)
		expect(send_to(f, i ? "POST /%22%5c%e2%80%ae" : path, good,
			       BODY),
		       404, "not_found");
	log = log_end();
	assert_null(strstr(log, "\xe2\x80\xae"));
	for (char *p = log; (line = strsep(&p, "\n")) && *line; lines++)
		assert_true(strlen(line) < 400);
	assert_in_range(lines, 1, 20);
	assert_int_equal(counted(f, webhooks_misdirected_total), 60);
	free(path);
	free(log);
	free(good);
}

#define T(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_slash_behind_the_name_is_taken),
		T(two_slashes_or_more_of_a_path_are_not),
		T(no_other_route_takes_a_slash),
		T(a_body_in_chunks_is_taken),
		T(a_body_in_chunks_that_was_changed_is_refused),
		T(a_body_in_chunks_may_have_webhook_max_body_and_no_more),
		T(a_length_besides_chunks_is_refused),
		T(a_signed_delivery_to_no_webhook_is_counted_and_logged),
		T(a_stranger_at_no_webhook_is_not_counted),
		T(its_body_is_not_waited_for),
		T(the_log_names_the_path_safely_and_not_too_often),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
