/* SPDX-License-Identifier: MIT
 *
 * test_lookup.c - reads of Centra that a request waits for: they hold up
 * neither the loop, nor a request thread, nor each other for long.
 *
 * The server has routes of the test's own: /ask?name=X begins a lookup, whose
 * function waits until the test lets it go; /quick answers at once on the only
 * request thread.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/time.h"
#include "server/lookup/lookup.h"
#include "tests/unit/canned.h"
#include "tests/unit/fixture.h"

/* cmocka has a fail() too: it comes after ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define PATIENCE 20000 /* ms */

struct world {
	struct http *http;
	struct http_counters http_counters;
	struct counters counters;
	atomic_bool draining;
	int port;
	struct lookups *lookups;
	struct centra *centras[2]; /* of the instances se and no */
	sem_t go; /* posted once for each lookup that may end */
	atomic_bool held; /* lookups wait for `go` */
	struct call said; /* what `ask` says of its call */
	atomic_int begun, ended, released, calls;
	atomic_int ends[LOOKUP_NONE + 1]; /* of lookups that nobody waits for */
};

struct question {
	struct lookup lookup; /* must be first */
	struct world *w;
	char found[32];
	enum centra_lane lane;
};

/* ---- the lookup ---- */

static void ask_slowly(struct lookup *l, struct centra_conn *n,
		       struct call *ret)
{
	struct question *q = (struct question *)l;

	(void)n;
	q->w->begun++;
	while (q->w->held && sem_wait(&q->w->go))
		;
	snprintf(q->found, sizeof(q->found), "a jacket");
	*ret = q->w->said;
	q->w->ended++;
}

static void release(struct lookup *l)
{
	struct question *q = (struct question *)l;

	if (l->behind)
		q->w->ends[l->end]++;
	q->w->released++;
	free(q);
}

static struct question *question(struct world *w)
{
	struct question *q = xcalloc(1, sizeof(*q));

	q->w = w;
	q->lookup = (struct lookup){.what = "product",
				    .api = CENTRA_ORDER_API,
				    .ask = ask_slowly,
				    .release = release};
	return q;
}

static void show(struct request *req, struct response *res)
{
	const struct question *q = req->state;

	if (lookup_answered(req, res))
		respond_text(res, 200, q->found);
}

static void begin(struct request *req, struct response *res)
{
	struct world *w = req->context;
	const char *instance = request_query(req, "of");

	(void)res;
	lookup_begin(w->lookups, &question(w)->lookup,
		     instance ? instance : "se", req, show);
}

static void quick(struct request *req, struct response *res)
{
	(void)req;
	respond_text(res, 200, "quick");
}

#define READ (ROUTE_ANYONE | ROUTE_THREAD)
static const struct http_route table[] = {
	{"GET", "/ask", LISTEN_PUBLIC, READ, 0, 0, begin, NULL, "-"},
	{"GET", "/quick", LISTEN_PUBLIC, READ, 0, 0, quick, NULL, "-"},
	{0},
};

/* ---- the server ---- */

static bool account(void *arg, size_t i, struct lookup_account *ret)
{
	static const char *const names[] = {"se", "no"};
	struct world *w = arg;

	if (i >= 2)
		return false;
	*ret = (struct lookup_account){names[i], w->centras[i]};
	return true;
}

static void called(void *arg, const char *instance, enum centra_api api,
		   const char *what, const struct call *call)
{
	struct world *w = arg;

	(void)instance;
	(void)api;
	(void)call;
	w->calls += !strcmp(what, "product");
}

/* `url` of the Order API; NULL: it is not configured. */
static struct world *start_with(const char *url)
{
	struct world *w = xcalloc(1, sizeof(*w));
	static void *contexts[1];
	struct err e = {""};
	const struct centra_options centra = {.instance = "se",
					      .order_api_url = url,
					      .order_api_key = "k",
					      .timeout = 20000};
	const struct http_options o = {
		.listen = {"127.0.0.1:0", "127.0.0.1:0"},
		.routes = table,
		.contexts = contexts,
		.counters = &w->http_counters,
		.draining = &w->draining,
		.connections = 500,
		.idle_timeout = 20000,
		.header_timeout = 20000,
		.body_timeout = 20000,
		.request_threads = 1,
		.limits = {.large_body = 1000,
			   .buffered_max = 1 << 20,
			   .stop_wait = PATIENCE},
	};
	struct lookup_parts parts = {
		.counters = &w->counters, .account = account, .called = called,
		.arg = w};

	contexts[0] = w;
	w->said.end = CALL_OK;
	sem_init(&w->go, 0, 0);
	w->centras[0] = centra_open(&centra);
	w->centras[1] = centra_open(&centra);
	if (http_open(&w->http, &o, &e))
		fail_msg("%s", e.text);
	parts.http = w->http;
	if (lookups_open(&w->lookups, &parts, &e) || http_start(w->http, &e))
		fail_msg("%s", e.text);
	w->port = (int)strtol(strrchr(http_address(w->http), ':') + 1, NULL,
			      10);
	return w;
}

static int start(void **state)
{
	*state = start_with("http://127.0.0.1:1");
	return 0;
}

static int start_without(void **state)
{
	*state = start_with(NULL);
	return 0;
}

/* As serve.c does it. */
static void end_server(struct world *w)
{
	http_stop(w->http);
	lookups_stop(w->lookups);
	http_close(w->http);
	lookups_close(w->lookups);
	w->http = NULL;
}

static int stop(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 500; i++)
		sem_post(&w->go);
	if (w->http)
		end_server(w);
	centra_close(w->centras[0]);
	centra_close(w->centras[1]);
	sem_destroy(&w->go);
	free(w);
	return 0;
}

/* ---- its clients ---- */

static int send_get(struct world *w, const char *path)
{
	char *text = xasprintf("GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
	int fd = dial(w->port);

	assert_true(fd >= 0);
	send_all(fd, text, strlen(text));
	free(text);
	return fd;
}

static struct reply reply_of(int fd)
{
	struct reply r = read_reply(fd, false);

	close(fd);
	return r;
}

static void wait_for(atomic_int *n, int least)
{
	int64_t until = time_mono() + PATIENCE;

	while (*n < least) {
		assert_true(time_mono() < until);
		usleep(1000);
	}
}

/* Asks, and expects a 503 with this code and a Retry-After. */
static void expect_503(struct world *w, const char *path, const char *code)
{
	struct reply r = reply_of(send_get(w, path));
	char *want = xasprintf("\"code\":\"%s\"", code);

	assert_int_equal(r.status, 503);
	assert_non_null(strstr(r.body, want));
	assert_true(strtol(reply_header(&r, "Retry-After"), NULL, 10) > 0);
	free(want);
	reply_release(&r);
}

/* ---- tests ---- */

static void what_was_found_is_answered(void **state)
{
	struct world *w = *state;
	struct reply r = reply_of(send_get(w, "/ask"));

	assert_int_equal(r.status, 200);
	assert_string_equal(r.body, "a jacket");
	reply_release(&r);
	assert_int_equal(w->calls, 1);
	assert_int_equal(w->counters.lookups_total, 1);
	assert_int_equal(w->counters.lookups_failed_total, 0);
	wait_for(&w->released, 1);
}

static void a_lookup_keeps_no_request_thread(void **state)
{
	struct world *w = *state;
	struct reply r;
	int fd;

	w->held = true;
	fd = send_get(w, "/ask");
	wait_for(&w->begun, 1);
	r = reply_of(send_get(w, "/quick")); /* on the only thread */
	assert_int_equal(r.status, 200);
	assert_int_equal(w->ended, 0);
	reply_release(&r);
	sem_post(&w->go);
	r = reply_of(fd);
	assert_int_equal(r.status, 200);
	reply_release(&r);
}

static void a_centra_that_hangs_costs_three_seconds(void **state)
{
	struct world *w = *state;
	int64_t began = time_mono();

	w->held = true;
	expect_503(w, "/ask", "centra_slow");
	assert_true(time_mono() - began >= LOOKUP_MS);
	assert_true(time_mono() - began < LOOKUP_MS + 2000);
	/* The result that comes too late is nobody's. */
	sem_post(&w->go);
	wait_for(&w->released, 1);
}

static struct lookups_waiting waiting(const struct world *w, size_t account)
{
	struct lookups_waiting ret;

	assert_true(lookups_waiting(w->lookups, account, &ret));
	return ret;
}

static void a_few_run_at_once_and_a_few_wait(void **state)
{
	struct world *w = *state;
	int fds[LOOKUPS_AT_ONCE + LOOKUPS_WAITING];
	struct reply r;

	w->held = true;
	for (int i = 0; i < LOOKUPS_AT_ONCE; i++)
		fds[i] = send_get(w, "/ask");
	wait_for(&w->begun, LOOKUPS_AT_ONCE);
	for (int i = LOOKUPS_AT_ONCE; i < LOOKUPS_AT_ONCE + LOOKUPS_WAITING;
	     i++)
		fds[i] = send_get(w, "/ask");
	while (w->counters.lookups_total <
	       LOOKUPS_AT_ONCE + LOOKUPS_WAITING)
		usleep(1000);
	expect_503(w, "/ask", "centra_busy");
	assert_int_equal(w->begun, LOOKUPS_AT_ONCE);
	assert_int_equal(waiting(w, 0).waited, LOOKUPS_WAITING);
	assert_int_equal(waiting(w, 0).behind, 0);
	assert_int_equal(waiting(w, 1).waited, 0);

	/* Another instance has a queue of its own. */
	w->held = false;
	sem_post(&w->go);
	r = reply_of(send_get(w, "/ask?of=no"));
	assert_int_equal(r.status, 200);
	reply_release(&r);
	for (int i = 0; i < LOOKUPS_AT_ONCE; i++)
		sem_post(&w->go);
	for (int i = 0; i < LOOKUPS_AT_ONCE + LOOKUPS_WAITING; i++) {
		r = reply_of(fds[i]);
		assert_int_equal(r.status, 200);
		reply_release(&r);
	}
}

static void each_way_to_fail_has_its_code(void **state)
{
	struct world *w = *state;

	w->said = (struct call){.end = CALL_UNKNOWN, .status = 500};
	expect_503(w, "/ask", "centra_away");
	w->said = (struct call){.end = CALL_UNKNOWN, .cut = true};
	expect_503(w, "/ask", "centra_slow");
	w->said = (struct call){.end = CALL_NOT_DONE, .refused = true};
	expect_503(w, "/ask", "centra_refused");
	w->said = (struct call){
		.end = CALL_NOT_DONE, .held = true, .retry_after = 1};
	expect_503(w, "/ask", "centra_busy");
	expect_503(w, "/ask?of=nowhere", "not_configured");
	assert_int_equal(w->counters.lookups_failed_total, 5);
}

static void without_an_address_nothing_is_asked(void **state)
{
	struct world *w = *state;

	expect_503(w, "/ask", "not_configured");
	assert_int_equal(w->begun, 0);
}

static void who_waits_goes_before_what_nobody_waits_for(void **state)
{
	struct world *w = *state;
	struct reply r;
	int fd;

	w->held = true;
	for (int i = 0; i < 4; i++)
		assert_true(lookup_behind(w->lookups, &question(w)->lookup,
					  "se"));
	wait_for(&w->begun, 1);
	fd = send_get(w, "/ask"); /* the second thread is free for it */
	wait_for(&w->begun, 2);
	assert_int_equal(w->ended, 0);
	/* Enough for all: the others may take theirs first. */
	for (int i = 0; i < 5; i++)
		sem_post(&w->go);
	r = reply_of(fd);
	assert_int_equal(r.status, 200);
	reply_release(&r);
	wait_for(&w->ends[LOOKUP_OK], 4);
}

static void what_nobody_waits_for_is_bounded(void **state)
{
	struct world *w = *state;
	struct question *last = question(w);
	int64_t until = time_mono() + PATIENCE;

	w->held = true;
	assert_true(lookup_behind(w->lookups, &question(w)->lookup, "se"));
	wait_for(&w->begun, 1);
	for (int i = 0; i < LOOKUPS_BEHIND; i++)
		assert_true(lookup_behind(w->lookups, &question(w)->lookup,
					  "se"));
	assert_false(lookup_behind(w->lookups, &last->lookup, "se"));
	assert_false(lookup_behind(w->lookups, &last->lookup, "nowhere"));
	assert_int_equal(waiting(w, 0).behind, LOOKUPS_BEHIND);
	free(last);
	w->held = false;
	sem_post(&w->go);
	while (w->ends[LOOKUP_OK] < LOOKUPS_BEHIND + 1) {
		assert_true(time_mono() < until);
		usleep(1000);
	}
}

static void a_stop_ends_what_waits(void **state)
{
	struct world *w = *state;
	int fds[4];

	w->held = true;
	for (int i = 0; i < 4; i++)
		fds[i] = send_get(w, "/ask");
	wait_for(&w->begun, LOOKUPS_AT_ONCE);
	while (w->counters.lookups_total < 4)
		usleep(1000);
	w->held = false;
	for (int i = 0; i < LOOKUPS_AT_ONCE; i++)
		sem_post(&w->go);
	end_server(w);
	for (int i = 0; i < 4; i++) {
		struct reply r = reply_of(fds[i]);

		assert_true(r.status == 200 || r.status == 503);
		reply_release(&r);
	}
	assert_int_equal(w->released, 4);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(what_was_found_is_answered),
		TEST(a_lookup_keeps_no_request_thread),
		TEST(a_centra_that_hangs_costs_three_seconds),
		TEST(a_few_run_at_once_and_a_few_wait),
		TEST(each_way_to_fail_has_its_code),
		cmocka_unit_test_setup_teardown(
			without_an_address_nothing_is_asked, start_without,
			stop),
		TEST(who_waits_goes_before_what_nobody_waits_for),
		TEST(what_nobody_waits_for_is_bounded),
		TEST(a_stop_ends_what_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
