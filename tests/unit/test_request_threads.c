/* SPDX-License-Identifier: MIT
 *
 * test_request_threads.c - functions of requests that run on threads: nothing
 * that a caller does holds up the loop or another caller.
 *
 * The server has routes of the test's own: /slow runs on a request thread until
 * the test lets it go, /quick runs on one and says its query, /loop runs in the
 * loop, /operator on a thread of its own, /act is an action, /later is put aside
 * and resumed while its function still runs.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/time.h"
#include "server/http/http.h"
#include "tests/unit/fixture.h"

/* cmocka has a fail() too: it comes after ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define MANY	 200
#define STOP_WAIT 1000 /* ms that http_stop() gives requests */
#define PATIENCE 20000 /* ms */

struct world {
	struct http *http;
	struct http_counters counters;
	atomic_bool draining;
	int port;
	sem_t go; /* posted once for each /slow that may end */
	atomic_int begun, ended, freed;
	atomic_int identified, callers; /* looked up, ever; held now */
	atomic_bool removed; /* no credential is good any more */
	atomic_bool slow_strangers; /* to look one up is as /slow is */
	pthread_mutex_t lock; /* of order */
	char order[64]; /* what /slow was asked, as it began */
};

/* ---- its routes ---- */

/* Until the test lets one go. */
static void be_slow(struct world *w)
{
	w->begun++;
	while (sem_wait(&w->go))
		;
	w->ended++;
}

static void slow(struct request *req, struct response *res)
{
	struct world *w = req->context;
	const char *name = request_query(req, "name");

	pthread_mutex_lock(&w->lock);
	if (name)
		strncat(w->order, name, sizeof(w->order) - 1 - strlen(w->order));
	pthread_mutex_unlock(&w->lock);
	be_slow(w);
	/* All of it is still there, whatever the client does. */
	respond_text(res, 200, request_header(req, "Host"));
}

#define BIG ((size_t)16 << 20) /* more than sockets hold */

static void big(struct request *req, struct response *res)
{
	char *text = xcalloc(BIG + 1, 1);

	memset(text, 'x', BIG);
	be_slow(req->context);
	respond_text(res, 200, text);
	free(text);
}

static void quick(struct request *req, struct response *res)
{
	const char *name = request_query(req, "name");

	respond_text(res, 200, name ? name : "");
}

struct resuming {
	struct http_call call; /* first */
	struct request *req;
	sem_t done;
};

static void resume_it(struct http_call *c)
{
	struct resuming *r = (struct resuming *)c;

	request_resume(r->req);
	sem_post(&r->done);
}

static void later_resumed(struct request *req, struct response *res)
{
	respond_text(res, 200, req->timed_out ? "timed out" : "resumed");
}

static void free_count(void *state)
{
	atomic_int *freed = state;

	(*freed)++;
}

/* The loop has resumed it before the function returns. */
static void later(struct request *req, struct response *res)
{
	struct world *w = req->context;
	struct resuming r = {.call = {.fn = resume_it}, .req = req};

	(void)res;
	req->state = &w->freed;
	req->state_free = free_count;
	request_later(req, later_resumed, time_mono() + PATIENCE);
	sem_init(&r.done, 0, 0);
	http_call(w->http, &r.call);
	while (sem_wait(&r.done))
		;
	sem_destroy(&r.done);
}

static void wait_long(struct request *req, struct response *res)
{
	struct world *w = req->context;

	(void)res;
	req->state = &w->freed;
	req->state_free = free_count;
	req->may_stop = true;
	w->begun++;
	request_later(req, later_resumed, time_mono() + PATIENCE);
}

#define HERE LISTEN_PUBLIC
#define READ (ROUTE_DEVICE | ROUTE_THREAD)
#define OPERATE (ROUTE_ANYONE | ROUTE_THREAD | ROUTE_OPERATOR)
static const struct http_route table[] = {
	{"GET", "/slow", HERE, READ, 0, 0, slow, NULL, "-"},
	{"GET", "/quick", HERE, READ, 0, 0, quick, NULL, "-"},
	{"GET", "/big", HERE, READ, 0, 0, big, NULL, "-"},
	{"POST", "/act", HERE, READ | ROUTE_ACTION, 0, 100, quick, NULL, "-"},
	{"GET", "/later", HERE, READ, 0, 0, later, NULL, "-"},
	{"GET", "/wait", HERE, READ, 0, 0, wait_long, NULL, "-"},
	{"GET", "/loop", HERE, ROUTE_ANYONE, 0, 0, quick, NULL, "-"},
	{"GET", "/device-loop", HERE, ROUTE_DEVICE, 0, 0, quick, NULL, "-"},
	{"GET", "/operator", HERE, OPERATE, 0, 0, quick, NULL, "-"},
	{"GET", "/operator-slow", HERE, OPERATE, 0, 0, slow, NULL, "-"},
	{0},
};

/* "Authorization: 7" is caller 7; 0, and none, is a stranger. */
static void identify(void *arg, struct request *req, struct response *res)
{
	const char *who = request_header(req, "Authorization");
	struct world *w = arg;

	req->caller_id = who && !w->removed ? strtoull(who, NULL, 10) : 0;
	req->caller = &w->callers;
	w->callers++;
	w->identified++;
	if (!req->caller_id && w->slow_strangers)
		be_slow(w);
	if (!req->caller_id)
		respond_problem(res, 401, "unauthorized", "who are you?");
}

static void caller_free(void *caller)
{
	atomic_int *callers = caller;

	(*callers)--;
}

static struct world *start_with(unsigned threads, size_t connections)
{
	struct world *w = xcalloc(1, sizeof(*w));
	static void *contexts[1];
	struct err e = {""};
	struct http_options o = {
		.listen = {"127.0.0.1:0", "127.0.0.1:0"},
		.routes = table,
		.contexts = contexts,
		.hooks = {.arg = w,
			  .identify = identify,
			  .caller_free = caller_free},
		.counters = &w->counters,
		.draining = &w->draining,
		.connections = connections,
		.idle_timeout = 20000,
		.header_timeout = 20000,
		.body_timeout = 20000,
		.request_threads = threads,
		.limits = {.large_body = 1000,
			   .buffered_max = 1 << 20,
			   .stop_wait = STOP_WAIT},
	};

	contexts[0] = w;
	sem_init(&w->go, 0, 0);
	pthread_mutex_init(&w->lock, NULL);
	if (http_open(&w->http, &o, &e) || http_start(w->http, &e))
		fail_msg("%s", e.text);
	w->port = (int)strtol(strrchr(http_address(w->http), ':') + 1, NULL,
			      10);
	return w;
}

static int start(void **state)
{
	*state = start_with(4, 500);
	return 0;
}

static int start_one(void **state)
{
	*state = start_with(1, 500);
	return 0;
}

static int start_narrow(void **state)
{
	*state = start_with(4, 2);
	return 0;
}

static int stop(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 2 * MANY; i++)
		sem_post(&w->go);
	http_close(w->http);
	assert_int_equal(w->callers, 0);
	sem_destroy(&w->go);
	pthread_mutex_destroy(&w->lock);
	free(w);
	return 0;
}

/* ---- its clients ---- */

static int send_request(struct world *w, const char *method, const char *path,
			int who)
{
	char *text = xasprintf("%s %s HTTP/1.1\r\nHost: x\r\n"
			       "Authorization: %d\r\nContent-Length: 0\r\n\r\n",
			       method, path, who);
	int fd = dial(w->port);

	assert_true(fd >= 0);
	send_all(fd, text, strlen(text));
	free(text);
	return fd;
}

static int status_of(int fd)
{
	struct reply r = read_reply(fd, false);
	int status = r.status;

	reply_release(&r);
	close(fd);
	return status;
}

static int ask_for(struct world *w, const char *path, int who)
{
	return status_of(send_request(w, "GET", path, who));
}

static void wait_for(atomic_int *n, int least)
{
	int64_t until = time_mono() + PATIENCE;

	while (*n < least) {
		assert_true(time_mono() < until);
		usleep(1000);
	}
}

static void wait_waiting(struct world *w, size_t n)
{
	int64_t until = time_mono() + PATIENCE;

	while (w->counters.waiting != n) {
		assert_true(time_mono() < until);
		usleep(1000);
	}
}

/* Once it has asked, a caller is known by its credential. */
static void known(struct world *w, int who)
{
	assert_int_equal(ask_for(w, "/quick", who), 200);
}

/* ---- tests ---- */

static void one_caller_holds_up_neither_the_loop_nor_another(void **state)
{
	struct world *w = *state;
	int fds[MANY], refused = 0;

	known(w, 1);
	for (int i = 0; i < MANY; i++)
		fds[i] = send_request(w, "GET", "/slow", 1);
	wait_for(&w->begun, 3);
	wait_waiting(w, CALLER_WAITING);
	assert_int_equal(ask_for(w, "/loop", 0), 200);
	assert_int_equal(ask_for(w, "/quick", 2), 200);
	assert_int_equal(ask_for(w, "/quick", 3), 200);
	assert_int_equal(ask_for(w, "/quick", 0), 401); /* a stranger */
	assert_int_equal(w->ended, 0);
	for (int i = 0; i < MANY; i++)
		sem_post(&w->go);
	for (int i = 0; i < MANY; i++)
		refused += status_of(fds[i]) == 429;
	assert_int_equal(w->ended + refused, MANY);
	assert_int_equal(w->counters.limited, refused);
}

static void so_many_of_a_caller_wait_and_the_next_is_told_429(void **state)
{
	struct world *w = *state;
	int fds[3 + CALLER_WAITING];
	struct reply r;
	int fd;

	known(w, 1);
	for (int i = 0; i < 3; i++)
		fds[i] = send_request(w, "GET", "/slow", 1);
	wait_for(&w->begun, 3); /* of four threads one is left to others */
	for (int i = 3; i < 3 + CALLER_WAITING; i++) {
		fds[i] = send_request(w, "GET", "/slow", 1);
		wait_waiting(w, (size_t)i - 2);
	}
	fd = send_request(w, "GET", "/quick", 1);
	r = read_reply(fd, false);
	assert_int_equal(r.status, 429);
	assert_string_equal(reply_header(&r, "Retry-After"), "1");
	assert_non_null(strstr(r.body, "\"code\":\"too_many_requests\""));
	reply_release(&r);
	close(fd);
	for (int i = 0; i < 3 + CALLER_WAITING; i++)
		sem_post(&w->go);
	for (int i = 0; i < 3 + CALLER_WAITING; i++)
		assert_int_equal(status_of(fds[i]), 200);
	assert_int_equal(ask_for(w, "/quick", 1), 200);
}

/* Looking them up takes as long as it takes. */
static void strangers_wait_apart_from_devices(void **state)
{
	struct world *w = *state;
	int fds[MANY];

	known(w, 1);
	w->slow_strangers = true;
	for (int i = 0; i < MANY; i++)
		fds[i] = send_request(w, "GET", "/quick", 0);
	wait_for(&w->begun, 3); /* of four threads one is left to others */
	wait_waiting(w, MANY - 3);
	assert_int_equal(ask_for(w, "/quick", 1), 200);
	assert_int_equal(w->ended, 0);
	for (int i = 0; i < MANY; i++)
		sem_post(&w->go);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(status_of(fds[i]), 401);
	assert_int_equal(w->counters.limited, 0);
}

static void an_operator_is_answered_while_all_threads_are_busy(void **state)
{
	struct world *w = *state;
	int fds[4];

	for (int i = 0; i < 4; i++)
		fds[i] = send_request(w, "GET", "/slow", 1 + i);
	wait_for(&w->begun, 4);
	assert_int_equal(ask_for(w, "/operator", 0), 200);
	assert_int_equal(ask_for(w, "/loop", 0), 200);
	for (int i = 0; i < 4; i++)
		sem_post(&w->go);
	for (int i = 0; i < 4; i++)
		assert_int_equal(status_of(fds[i]), 200);
}

/* Or anybody could take us out of a balancer, by asking as often as it can. */
static void whoever_else_asks_an_operators_question_it_is_answered(void **state)
{
	struct world *w = *state;
	int fds[MANY];

	for (int i = 0; i < MANY; i++)
		fds[i] = send_request(w, "GET", "/operator-slow", 0);
	wait_for(&w->begun, 1);
	wait_waiting(w, MANY - 1);
	assert_int_equal(ask_for(w, "/operator", 0), 200);
	for (int i = 0; i < MANY; i++)
		sem_post(&w->go);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(status_of(fds[i]), 200);
}

static void with_one_thread_requests_of_a_caller_run_in_their_order(void **state)
{
	static const char *const names[] = {"a", "b", "c", "d", "e"};
	struct world *w = *state;
	int fds[5];

	known(w, 1);
	for (int i = 0; i < 5; i++) {
		char *path = xasprintf("/slow?name=%s", names[i]);

		fds[i] = send_request(w, "GET", path, 1);
		free(path);
		if (!i)
			wait_for(&w->begun, 1);
		else
			wait_waiting(w, (size_t)i);
	}
	for (int i = 0; i < 5; i++)
		sem_post(&w->go);
	for (int i = 0; i < 5; i++)
		assert_int_equal(status_of(fds[i]), 200);
	assert_string_equal(w->order, "abcde");
}

static void a_client_that_leaves_while_its_function_runs_does_no_harm(void **state)
{
	struct world *w = *state;

	for (int round = 0; round < 20; round++) {
		int fd = send_request(w, "GET", "/slow", 1);

		wait_for(&w->begun, round + 1);
		close(fd);
		sem_post(&w->go);
		wait_for(&w->ended, round + 1);
	}
	assert_int_equal(ask_for(w, "/quick", 1), 200);
}

static void *stop_it(void *http)
{
	http_stop(http);
	return NULL;
}

static void stopping_waits_for_the_function_that_runs(void **state)
{
	struct world *w = *state;
	int fd = send_request(w, "GET", "/slow", 1);
	pthread_t stopper;

	wait_for(&w->begun, 1);
	assert_int_equal(pthread_create(&stopper, NULL, stop_it, w->http), 0);
	usleep(50 * 1000); /* else the test proves less, and still passes */
	assert_int_equal(w->ended, 0);
	sem_post(&w->go);
	assert_int_equal(status_of(fd), 200);
	pthread_join(stopper, NULL);
}

/* What was not begun when the time is over is told so. */
static void stopping_ends_while_others_still_wait(void **state)
{
	struct world *w = *state;
	int fds[10], answered = 0;
	pthread_t stopper;

	known(w, 1);
	for (int i = 0; i < 10; i++)
		fds[i] = send_request(w, "GET", "/slow", 1);
	wait_for(&w->begun, 1);
	assert_int_equal(pthread_create(&stopper, NULL, stop_it, w->http), 0);
	usleep((STOP_WAIT + 100) * 1000); /* the time is over */
	sem_post(&w->go);
	pthread_join(stopper, NULL);
	for (int i = 0; i < 10; i++) {
		int status = status_of(fds[i]);

		assert_true(status == 0 || status == 200 || status == 503);
		answered += status == 200;
	}
	assert_int_equal(w->begun, 1);
	assert_in_range(answered, 0, 1);
}

static void one_that_waits_for_others_is_called_when_we_stop(void **state)
{
	struct world *w = *state;
	int fd = send_request(w, "GET", "/wait", 1);
	int64_t begun = time_mono();

	wait_for(&w->begun, 1);
	http_stop(w->http);
	assert_true(time_mono() - begun < 5000);
	assert_int_equal(status_of(fd), 200);
	assert_int_equal(w->freed, 1);
}

static void a_resume_while_the_function_runs_is_not_lost(void **state)
{
	struct world *w = *state;
	int64_t begun = time_mono();

	for (int i = 0; i < 50; i++) {
		int fd = send_request(w, "GET", "/later", 1);
		struct reply r = read_reply(fd, false);

		assert_string_equal(r.body, "resumed");
		reply_release(&r);
		close(fd);
	}
	assert_true(time_mono() - begun < PATIENCE);
	wait_for(&w->freed, 50);
}

static void so_many_actions_in_ten_seconds_and_the_next_is_told_429(void **state)
{
	struct world *w = *state;
	struct reply r;
	int fd;

	for (int i = 0; i < CALLER_ACTIONS; i++)
		assert_int_equal(status_of(send_request(w, "POST", "/act", 1)),
				 200);
	fd = send_request(w, "POST", "/act", 1);
	r = read_reply(fd, false);
	assert_int_equal(r.status, 429);
	assert_in_range(strtol(reply_header(&r, "Retry-After"), NULL, 10), 1,
			10);
	reply_release(&r);
	close(fd);
	assert_int_equal(status_of(send_request(w, "POST", "/act", 2)), 200);
	assert_int_equal(ask_for(w, "/quick", 1), 200); /* it may still read */
}

static void a_route_of_a_device_may_run_in_the_loop(void **state)
{
	struct world *w = *state;

	assert_int_equal(ask_for(w, "/device-loop", 1), 200);
	assert_int_equal(ask_for(w, "/device-loop", 0), 401);
}

/* It may be nobody's by now: who asks is always found out. */
static void a_known_credential_is_still_looked_up(void **state)
{
	struct world *w = *state;

	known(w, 1);
	w->removed = true;
	assert_int_equal(ask_for(w, "/quick", 1), 401);
}

/* Who sends its body late may have been removed meanwhile. */
static void a_caller_is_looked_up_again_once_its_body_has_come(void **state)
{
	static const char header[] = "POST /act HTTP/1.1\r\nHost: x\r\n"
				     "Authorization: 1\r\n"
				     "Content-Length: 2\r\n\r\n";
	struct world *w = *state;
	int stays = dial(w->port), goes = dial(w->port);

	send_all(stays, header, strlen(header));
	wait_for(&w->identified, 1);
	send_all(stays, "{}", 2);
	assert_int_equal(status_of(stays), 200);
	assert_int_equal(w->identified, 2);

	send_all(goes, header, strlen(header));
	wait_for(&w->identified, 3);
	w->removed = true;
	send_all(goes, "{}", 2);
	assert_int_equal(status_of(goes), 401);
}

/* However long its request has waited for a thread: the connection that has done
 * nothing since is ended, when a third needs one of two. */
static void a_response_that_has_just_begun_is_not_ended_for_others(void **state)
{
	struct world *w = *state;
	int reads = send_request(w, "GET", "/big", 1), idles, third;
	struct reply r;
	char byte;

	wait_for(&w->begun, 1);
	idles = send_request(w, "GET", "/loop", 0);
	r = read_reply(idles, false);
	assert_int_equal(r.status, 200);
	reply_release(&r);
	usleep(150 * 1000); /* younger ones are not ended */
	sem_post(&w->go);
	assert_int_equal(recv(reads, &byte, 1, MSG_PEEK), 1);
	third = send_request(w, "GET", "/loop", 0);
	assert_int_equal(status_of(third), 200);
	r = read_reply(reads, false);
	assert_int_equal(r.status, 200);
	assert_int_equal(strlen(r.body), BIG);
	reply_release(&r);
	close(reads);
	close(idles);
}

#define WITH(setup, name) cmocka_unit_test_setup_teardown(name, setup, stop)
#define TEST(name)	  WITH(start, name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_caller_holds_up_neither_the_loop_nor_another),
		TEST(so_many_of_a_caller_wait_and_the_next_is_told_429),
		TEST(strangers_wait_apart_from_devices),
		TEST(an_operator_is_answered_while_all_threads_are_busy),
		TEST(whoever_else_asks_an_operators_question_it_is_answered),
		WITH(start_one,
		     with_one_thread_requests_of_a_caller_run_in_their_order),
		TEST(a_client_that_leaves_while_its_function_runs_does_no_harm),
		TEST(stopping_waits_for_the_function_that_runs),
		WITH(start_one, stopping_ends_while_others_still_wait),
		TEST(one_that_waits_for_others_is_called_when_we_stop),
		TEST(a_resume_while_the_function_runs_is_not_lost),
		TEST(so_many_actions_in_ten_seconds_and_the_next_is_told_429),
		TEST(a_route_of_a_device_may_run_in_the_loop),
		TEST(a_known_credential_is_still_looked_up),
		TEST(a_caller_is_looked_up_again_once_its_body_has_come),
		WITH(start_narrow,
		     a_response_that_has_just_begun_is_not_ended_for_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
