/* SPDX-License-Identifier: MIT
 *
 * test_crowd.c - too many at once, too much at once, too often wrong: what is
 * good still gets through, and nothing grows without a bound.
 */
#include <poll.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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

#define OPENED "2021-01-11 16:21:00.000000"

static const char get[] = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";

static int stop(void **state)
{
	struct fixture *f = *state;

	if (f->holdup) /* of a test that failed */
		release_writer(f);
	fixture_stop(f);
	return 0;
}

static void expect(struct reply r, int status, const char *code)
{
	char *want = xasprintf("\"code\":\"%s\"", code);

	assert_int_equal(r.status, status);
	assert_non_null(strstr(r.body, want));
	free(want);
	reply_release(&r);
}

#define counted(f, metric) atomic_load(&(f)->app.counters.metric)
#define of_http(f, counter) atomic_load(&(f)->app.http_counters.counter)

/* ---- connections ---- */

static int start_small(void **state)
{
	*state = fixture_start("connections = 4\nanswer_wait = 2s");
	return 0;
}

static bool closed(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char byte;

	return poll(&p, 1, ms) == 1 && recv(fd, &byte, 1, 0) <= 0;
}

static void at_the_limit_the_one_idle_for_longest_makes_room(void **state)
{
	struct fixture *f = *state;
	struct reply r;
	int fds[5];

	for (int i = 0; i < 5; i++) {
		fds[i] = dial(f->port);
		/* 0 drips a header, 1 is served and idles, 2 and 3 are mute */
		if (i == 0)
			send_all(fds[i], get, 5);
		if (i != 1 && i != 4)
			continue;
		send_all(fds[i], get, strlen(get));
		r = read_reply(fds[i], false);
		assert_int_equal(r.status, 200);
		reply_release(&r);
	}
	assert_true(closed(fds[0], 3000));
	assert_false(closed(fds[1], 0));
	assert_int_equal(of_http(f, evicted), 1);
	for (int i = 0; i < 5; i++)
		close(fds[i]);
}

static void nobody_makes_room_while_nobody_waits(void **state)
{
	struct fixture *f = *state;
	int fds[4];

	for (int i = 0; i < 4; i++)
		fds[i] = dial(f->port);
	for (int i = 0; i < 4; i++)
		assert_false(closed(fds[i], 150));
	assert_int_equal(of_http(f, evicted), 0);
	for (int i = 0; i < 4; i++)
		close(fds[i]);
}

/* A request that waits for its answer is never ended for others. */
static void requests_under_way_are_kept_and_others_wait(void **state)
{
	struct fixture *f = *state;
	struct reply r;
	char *me = xasprintf("GET /api/v1/me HTTP/1.1\r\nHost: x\r\n"
			     "Connection: close\r\nAuthorization: Bearer %s"
			     "\r\n\r\n", f->amsterdam);
	int fds[4], late = dial(f->port);

	/* Of devices that the server does not know yet few may wait. */
	send_all(late, me, strlen(me));
	free(me);
	r = read_reply(late, false);
	assert_int_equal(r.status, 200);
	reply_release(&r);
	close(late);
	for (int i = 0; i < 4; i++) {
		char *text = xasprintf("POST /api/v1/orders/%d/accept HTTP/1.1"
				       "\r\nHost: x\r\nAuthorization: Bearer "
				       "%s\r\nContent-Length: 0\r\n\r\n",
				       i + 1, f->amsterdam);

		offered(f, i + 1, 3, OPENED, FAR);
		fds[i] = dial(f->port);
		send_all(fds[i], text, strlen(text));
		free(text);
	}
	late = dial(f->port);
	send_all(late, get, strlen(get));
	for (int i = 0; i < 4; i++) {
		r = read_reply(fds[i], false);
		assert_int_equal(r.status, 202);
		reply_release(&r);
	}
	r = read_reply(late, false); /* now that the others idle */
	assert_int_equal(r.status, 200);
	reply_release(&r);
	for (int i = 0; i < 4; i++)
		close(fds[i]);
	close(late);
}

static int open_stream(struct fixture *f, const char *token)
{
	char *text = xasprintf("GET /api/v1/stream HTTP/1.1\r\nHost: x\r\n"
			       "Authorization: Bearer %s\r\n\r\n", token);
	char head[13] = "";
	int fd = dial(f->port);

	send_all(fd, text, strlen(text));
	free(text);
	assert_int_equal(recv(fd, head, 12, MSG_WAITALL), 12);
	assert_string_equal(head, "HTTP/1.1 200");
	return fd;
}

/* What is left to read, then the end, within ms. */
static bool ends(int fd, int ms)
{
	int64_t until = time_mono() + ms;
	char waste[4096];

	while (time_mono() < until) {
		struct pollfd p = {.fd = fd, .events = POLLIN};

		if (poll(&p, 1, (int)(until - time_mono())) == 1 &&
		    recv(fd, waste, sizeof(waste), 0) <= 0)
			return true;
	}
	return false;
}

/* Else one tablet could keep Centra out. */
static void of_streams_alone_who_has_most_gives_up_the_oldest(void **state)
{
	struct fixture *f = *state;
	int fds[4] = {open_stream(f, f->berlin)}, late;
	struct reply r;

	for (int i = 1; i < 4; i++)
		fds[i] = open_stream(f, f->amsterdam);
	late = dial(f->port);
	send_all(late, get, strlen(get));
	assert_true(ends(fds[1], 3000));
	r = read_reply(late, false);
	assert_int_equal(r.status, 200);
	reply_release(&r);
	assert_int_equal(of_http(f, evicted), 1);
	assert_false(ends(fds[0], 200));
	for (int i = 0; i < 4; i++)
		close(fds[i]);
	close(late);
}

static void no_stream_is_ended_while_another_connection_idles(void **state)
{
	struct fixture *f = *state;
	int fds[4], late;
	struct reply r;

	for (int i = 0; i < 3; i++)
		fds[i] = open_stream(f, f->amsterdam);
	fds[3] = dial(f->port);
	late = dial(f->port);
	send_all(late, get, strlen(get));
	r = read_reply(late, false);
	assert_int_equal(r.status, 200);
	reply_release(&r);
	for (int i = 0; i < 3; i++)
		assert_false(ends(fds[i], 50));
	for (int i = 0; i < 4; i++)
		close(fds[i]);
	close(late);
}

/* ---- bodies ---- */

static int start_narrow(void **state)
{
	*state = fixture_start("buffered_max = 1M\nwebhook_max_body = 1M\n"
			       "body_timeout = 1s\nwrite_wait = 2s");
	return 0;
}

/* A delivery of `len` bytes of which the payload is no JSON: kept as it is. */
static char *delivery(size_t len, char signature[SIGNATURE_SIZE])
{
	char *body = xcalloc(1, len + 1);
	struct err e;

	memset(body, 'x', len);
	memcpy(body, "payload=", 8);
	assert_int_equal(signature_make(signature, "test123", body, len,
					time_now() / 1000, &e),
			 OK);
	return body;
}

static int post(struct fixture *f, size_t len, size_t send)
{
	char signature[SIGNATURE_SIZE], *body = delivery(len, signature);
	char *head = xasprintf("POST /webhooks/centra/se HTTP/1.1\r\nHost: x"
			       "\r\nContent-Length: %zu\r\n"
			       "X-Centra-Signature: %s\r\n\r\n",
			       len, signature);
	int fd = dial(f->port);

	assert_true(fd >= 0);
	send_all(fd, head, strlen(head));
	send_all(fd, body, send);
	free(head);
	free(body);
	return fd;
}

static struct reply answer(int fd)
{
	struct reply r = read_reply(fd, false);

	close(fd);
	return r;
}

static void bodies_that_do_not_end_make_room_for_one_that_does(void **state)
{
	struct fixture *f = *state;
	struct reply r;
	int slow[4];

	for (int i = 0; i < 4; i++)
		slow[i] = post(f, 900000, 400000);
	r = answer(post(f, 300000, 300000));
	assert_int_equal(r.status, 200);
	reply_release(&r);
	assert_true(closed(slow[0], 1000));
	assert_true(of_http(f, bodies_evicted) >= 2);
	for (int i = 0; i < 4; i++)
		close(slow[i]);
}

static void a_body_that_drips_is_cut_off_whatever_its_length(void **state)
{
	int64_t begun = time_mono();
	int fd = post(*state, 1000000, 10);

	while (time_mono() < begun + 10000 && !closed(fd, 20))
		send_all(fd, "x", 1);
	assert_in_range(time_mono() - begun, 900, 3000);
	close(fd);
}

static void what_waits_for_the_writer_is_bounded_too(void **state)
{
	struct fixture *f = *state;
	int64_t begun = time_mono();
	struct reply r;
	int waiting;

	hold_writer(f);
	waiting = post(f, 500000, 500000);
	/* Once that is there, what is only announced is refused before any of
	 * it is read. */
	r = answer(post(f, 900000, 0));
	while (!r.status && time_mono() < begun + 5000) {
		reply_release(&r);
		r = answer(post(f, 900000, 0));
	}
	assert_string_equal(reply_header(&r, "Retry-After"), "1");
	expect(r, 503, "not_stored");
	release_writer(f);
	r = answer(waiting);
	assert_int_equal(r.status, 200);
	reply_release(&r);
	r = answer(post(f, 900000, 900000)); /* and there is room again */
	assert_int_equal(r.status, 200);
	reply_release(&r);
}

static int start_held(void **state)
{
	*state = fixture_start("buffered_max = 1M\nwebhook_max_body = 1M\n"
			       "body_timeout = 5s\nwrite_wait = 15s");
	return 0;
}

struct look {
	struct http_call call;
	struct fixture *f;
	size_t buffered;
	sem_t done;
};

static void look(struct http_call *c)
{
	struct look *l = c->arg;

	l->buffered = l->f->app.http_counters.buffered;
	sem_post(&l->done);
}

/* Waits until so many bytes are held: the loop is asked, whose number it is. */
static void until_buffered(struct fixture *f, size_t least)
{
	struct look l = {.call = {.fn = look, .arg = &l}, .f = f};
	int64_t until = time_mono() + 10000;

	sem_init(&l.done, 0, 0);
	while (l.buffered < least) {
		assert_true(time_mono() < until);
		http_call(f->app.http, &l.call);
		sem_wait(&l.done);
	}
	sem_destroy(&l.done);
}

/* A whole body of `len` bytes that waits for the writer: it is held twice, as it
 * came and as it was read. */
static int whole_and_waiting(struct fixture *f, size_t len)
{
	int fd = post(f, len, len);

	until_buffered(f, 2 * len);
	return fd;
}

static void a_whole_body_is_never_ended_for_another(void **state)
{
	struct fixture *f = *state;
	int whole, incomplete, next;
	struct reply r;

	hold_writer(f);
	whole = whole_and_waiting(f, 250000);
	incomplete = post(f, 450000, 300000);
	until_buffered(f, 800000);
	next = post(f, 300000, 300000);
	assert_true(closed(incomplete, 5000));
	assert_false(closed(whole, 0));
	assert_int_equal(of_http(f, bodies_evicted), 1);
	release_writer(f);
	r = answer(whole);
	assert_int_equal(r.status, 200);
	reply_release(&r);
	r = answer(next);
	assert_int_equal(r.status, 200);
	reply_release(&r);
	close(incomplete);
}

/* Sends the rest of what post(f, len, 0) has announced. */
static void send_body(int fd, size_t len)
{
	char signature[SIGNATURE_SIZE], *body = delivery(len, signature);

	send_all(fd, body, len);
	free(body);
}

static void with_whole_bodies_alone_the_next_is_refused(void **state)
{
	struct fixture *f = *state;
	int announced[3], whole;
	struct reply r;

	/* Each alone has room. */
	for (int i = 0; i < 3; i++)
		announced[i] = post(f, 400000, 0);
	hold_writer(f);
	whole = whole_and_waiting(f, 400000);
	for (int i = 0; i < 3; i++) {
		send_body(announced[i], 400000);
		expect(answer(announced[i]), 503, "not_stored");
	}
	assert_true(of_http(f, bodies_refused) >= 3);
	release_writer(f);
	r = answer(whole);
	assert_int_equal(r.status, 200);
	reply_release(&r);
}

static int start_roomy(void **state)
{
	*state = fixture_start("buffered_max = 8M\nwebhook_max_body = 1M");
	return 0;
}

static void after_all_of_it_nothing_is_held(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 20; i++) {
		int fd = post(f, 900000, i % 2 ? 900000 : 300000);

		if (i % 4 == 1) {
			struct reply r = read_reply(fd, false);

			assert_int_equal(r.status, 200);
			reply_release(&r);
		}
		close(fd);
	}
	http_stop(f->app.http); /* the loop has ended: it may be looked at */
	store_close(f->app.store);
	f->app.store = NULL;
	app_close_http(&f->app); /* runs what the writer said last */
	assert_int_equal(f->app.http_counters.buffered, 0);
}

/* ---- the writer ---- */

static void a_writer_that_takes_too_long_is_503_after_write_wait(void **state)
{
	struct fixture *f = *state;
	int64_t begun = time_mono();
	struct reply r;

	hold_writer(f);
	r = answer(post(f, 100, 100));
	assert_in_range(time_mono() - begun, 1900, 3500);
	assert_string_equal(reply_header(&r, "Retry-After"), "1");
	expect(r, 503, "not_stored");
	release_writer(f);
	r = answer(post(f, 100, 100)); /* the same: it was recorded after all */
	assert_int_equal(r.status, 200);
	reply_release(&r);
}

static void nothing(struct store_done *d, enum rc rc, const struct err *e)
{
	(void)rc;
	(void)e;
	atomic_fetch_add((atomic_uint *)d->arg, 1);
}

static void a_full_queue_of_writes_is_503_at_once(void **state)
{
	const struct delivery none = {.instance = "se"};
	struct fixture *f = *state;
	atomic_uint told = 0;
	struct store_done done = {.fn = nothing, .arg = &told};
	int64_t begun, until = time_mono() + 10000;
	unsigned n = 0;
	struct reply r;
	struct err e;

	hold_writer(f);
	while (!store_record(f->app.store, &none, NULL, &done, &e))
		n++;
	assert_int_equal(n, 10000);
	begun = time_mono();
	r = answer(post(f, 100, 100));
	assert_true(time_mono() - begun < 500);
	assert_string_equal(reply_header(&r, "Retry-After"), "1");
	expect(r, 503, "not_stored");
	release_writer(f);
	while (told < n)
		assert_true(time_mono() < until);
}

/* ---- too often wrong ---- */

static int start_strict(void **state)
{
	*state = fixture_start("failed_sign_ins = 3");
	return 0;
}

static struct reply ask_as(struct fixture *f, const char *token,
			   const char *forwarded)
{
	char *text = xasprintf("GET /api/v1/me HTTP/1.1\r\nHost: x\r\n%s%s%s"
			       "Authorization: Bearer %s\r\n\r\n",
			       forwarded ? "X-Forwarded-For: " : "",
			       forwarded ? forwarded : "",
			       forwarded ? "\r\n" : "", token);
	struct reply r = ask_raw(f, text);

	free(text);
	return r;
}

static void who_fails_too_often_is_told_429_and_good_tokens_pass(void **state)
{
	struct fixture *f = *state;
	struct reply r;

	for (int i = 0; i < 3; i++)
		expect(ask_as(f, "wrong", NULL), 401, "unauthorized");
	r = ask_as(f, "wrong", NULL);
	assert_in_range(strtol(reply_header(&r, "Retry-After"), NULL, 10), 1,
			20);
	expect(r, 429, "too_many_failures");
	r = ask_as(f, f->amsterdam, NULL);
	assert_int_equal(r.status, 200);
	reply_release(&r);
	/* Who claims nothing has not failed; who brings no code has. */
	expect(ask(f, "GET", "/api/v1/me", NULL, NULL), 401, "unauthorized");
	expect(ask(f, "POST", "/api/v1/session", NULL, "{\"code\":\"x\"}"),
	       429, "too_many_failures");
	assert_int_equal(counted(f, sign_ins_limited_total), 2);
}

/* A login code of a device of Amsterdam's. */
static void code_of(struct fixture *f, char ret[TOKEN_SIZE])
{
	unsigned char hash[TOKEN_HASH_SIZE], code_hash[TOKEN_HASH_SIZE];
	char token[TOKEN_SIZE];
	struct device d = {0};
	struct err e;

	assert_true(copy_text(d.shop, sizeof(d.shop), "amsterdam"));
	assert_true(copy_text(d.name, sizeof(d.name), "Phone"));
	assert_int_equal(token_make(token, hash, &e), OK);
	assert_int_equal(token_make(ret, code_hash, &e), OK);
	assert_int_equal(store_device_add(f->app.store, &d, hash, code_hash,
					  time_now() + 60000, NULL, &e),
			 OK);
}

static struct reply signs_in(struct fixture *f, const char *code)
{
	char *body = xasprintf("{\"code\":\"%s\"}", code);
	struct reply r = ask(f, "POST", "/api/v1/session", NULL, body);

	free(body);
	return r;
}

static void a_good_code_signs_in_however_many_failed_at_its_address(void **state)
{
	struct fixture *f = *state;
	char code[TOKEN_SIZE];
	struct reply r;

	code_of(f, code);
	for (int i = 0; i < 5; i++) {
		r = ask_as(f, "wrong", NULL);
		reply_release(&r);
	}
	expect(ask_as(f, "wrong", NULL), 429, "too_many_failures");
	r = signs_in(f, code);
	assert_int_equal(r.status, 200);
	reply_release(&r);
	/* Used up, it is a wrong one. */
	expect(signs_in(f, code), 429, "too_many_failures");
}

static void wrong_codes_are_counted_and_told_to_wait(void **state)
{
	struct fixture *f = *state;
	char code[TOKEN_SIZE];

	code_of(f, code);
	code[0] = code[0] == 'A' ? 'B' : 'A';
	for (int i = 0; i < 3; i++)
		expect(signs_in(f, code), 401, "code_invalid");
	expect(signs_in(f, code), 429, "too_many_failures");
	expect(signs_in(f, "no code"), 429, "too_many_failures");
	assert_int_equal(counted(f, codes_refused_total), 3);
}

static void centra_is_never_turned_away_however_many_fail(void **state)
{
	struct fixture *f = *state;
	struct reply r;

	for (int i = 0; i < 20; i++) {
		expect(ask(f, "POST", "/webhooks/centra/se", NULL,
			   "payload=x"),
		       401, "signature_missing");
	}
	for (int i = 0; i < 5; i++) {
		r = ask_as(f, "wrong", NULL);
		assert_int_equal(r.status, i < 3 ? 401 : 429);
		reply_release(&r);
	}
	r = answer(post(f, 100, 100));
	assert_int_equal(r.status, 200);
	reply_release(&r);
}

static void strangers_cannot_choose_whom_they_are_taken_for(void **state)
{
	static const char *const peers[] = {"1.1.1.1", "2.2.2.2", "3.3.3.3"};
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++)
		expect(ask_as(f, "wrong", peers[i]), 401, "unauthorized");
	expect(ask_as(f, "wrong", "4.4.4.4"), 429, "too_many_failures");
}

static int start_proxied(void **state)
{
	*state = fixture_start("failed_sign_ins = 3\n"
			       "trusted_proxies = 127.0.0.1, 10.0.0.0/8");
	return 0;
}

static void behind_a_trusted_proxy_each_has_failures_of_its_own(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++)
		expect(ask_as(f, "wrong", "6.6.6.6, 1.1.1.1, 10.0.0.9"), 401,
		       "unauthorized");
	expect(ask_as(f, "wrong", "1.1.1.1"), 429, "too_many_failures");
	expect(ask_as(f, "wrong", "6.6.6.6"), 401, "unauthorized");
	expect(ask_as(f, "wrong", "1.1.1.1, 7.7.7.7"), 401, "unauthorized");
	expect(ask_as(f, "wrong", NULL), 401, "unauthorized");
}

/* ---- presses of a device ---- */

static int start_few_presses(void **state)
{
	*state = fixture_start("device_presses = 2");
	return 0;
}

static void a_device_that_presses_more_than_device_presses_is_told_429(
	void **state)
{
	static const char path[] = "/api/v1/orders/7/accept";
	struct fixture *f = *state;
	struct reply r;

	for (int i = 0; i < 2; i++)
		expect(ask(f, "POST", path, f->amsterdam, "{}"), 404,
		       "not_found");
	r = ask(f, "POST", path, f->amsterdam, "{}");
	assert_in_range(strtol(reply_header(&r, "Retry-After"), NULL, 10), 1,
			10);
	expect(r, 429, "too_many_requests");
}

#define WITH(setup, name) cmocka_unit_test_setup_teardown(name, setup, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(start_small,
		     at_the_limit_the_one_idle_for_longest_makes_room),
		WITH(start_small, nobody_makes_room_while_nobody_waits),
		WITH(start_small, requests_under_way_are_kept_and_others_wait),
		WITH(start_small,
		     of_streams_alone_who_has_most_gives_up_the_oldest),
		WITH(start_small,
		     no_stream_is_ended_while_another_connection_idles),
		WITH(start_narrow,
		     bodies_that_do_not_end_make_room_for_one_that_does),
		WITH(start_narrow,
		     a_body_that_drips_is_cut_off_whatever_its_length),
		WITH(start_narrow, what_waits_for_the_writer_is_bounded_too),
		WITH(start_held, a_whole_body_is_never_ended_for_another),
		WITH(start_held, with_whole_bodies_alone_the_next_is_refused),
		WITH(start_roomy, after_all_of_it_nothing_is_held),
		WITH(start_narrow,
		     a_writer_that_takes_too_long_is_503_after_write_wait),
		WITH(start_narrow, a_full_queue_of_writes_is_503_at_once),
		WITH(start_strict,
		     who_fails_too_often_is_told_429_and_good_tokens_pass),
		WITH(start_strict,
		     a_good_code_signs_in_however_many_failed_at_its_address),
		WITH(start_strict, wrong_codes_are_counted_and_told_to_wait),
		WITH(start_few_presses,
		     a_device_that_presses_more_than_device_presses_is_told_429),
		WITH(start_strict,
		     centra_is_never_turned_away_however_many_fail),
		WITH(start_strict,
		     strangers_cannot_choose_whom_they_are_taken_for),
		WITH(start_proxied,
		     behind_a_trusted_proxy_each_has_failures_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
