/* SPDX-License-Identifier: MIT
 *
 * The GraphQL feed: what is read of its replies, and in which order a run reads,
 * keeps and confirms.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "centra/feed.h"
#include "handlers/feed.h"
#include "handlers/reconcile.h"
#include "tests/unit/canned.h"

#include <cmocka.h> /* last: it has a macro named as err.h's fail() */

#define STEPS 8

static struct canned *server;
static struct centra *centra;
static struct centra_conn *conn;
static struct canned_step script[STEPS + 1];
static char *replies[STEPS]; /* owned */

/* Starts a Centra that gives these replies (JSON; ends with NULL), and hangs up
 * behind each. */
static void start(const char *const *bodies)
{
	char url[80];
	struct centra_options o = {.instance = "se",
				   .graphql_url = url,
				   .graphql_token = "token",
				   .connect_timeout = 1000,
				   .timeout = 5000};
	size_t n = 0;

	for (; *bodies && n < STEPS; bodies++, n++) {
		replies[n] = xasprintf("HTTP/1.1 200 OK\r\n"
				       "Connection: close\r\n"
				       "Content-Length: %zu\r\n\r\n%s",
				       strlen(*bodies), *bodies);
		script[n] = (struct canned_step){CANNED_CLOSE, replies[n]};
	}
	script[n] = (struct canned_step){CANNED_END, NULL};
	server = canned_start(script);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/graphql",
		 canned_port(server));
	centra = centra_open(&o);
	conn = centra_conn_open(centra);
}

static int stop(void **state)
{
	(void)state;
	centra_conn_close(conn);
	centra_close(centra);
	canned_stop(server);
	for (int i = 0; i < STEPS; i++) {
		free(replies[i]);
		replies[i] = NULL;
	}
	return 0;
}

static void start_one(const char *body)
{
	start((const char *const[]){body, NULL});
}

#define EVENTS(list) "{\"data\":{\"events\":[" list "]}}"
#define EVENT(id, object, reference)                                          \
	"{\"id\":" id ",\"objectType\":\"" object "\",\"changeType\":"         \
	"\"UPDATED\",\"objectReference\":" reference ",\"createdAt\":"         \
	"\"2026-11-30T09:44:11+01:00\"}"
#define DONE(name)                                                            \
	"{\"data\":{\"" name "\":{\"userErrors\":[],\"userWarnings\":[]}}}"

/* ---- replies ---- */

static void events_are_read_with_their_objects(void **state)
{
	struct feed_events r;

	(void)state;
	start_one(EVENTS(EVENT("1", "Order", "67") "," EVENT(
		"2", "Shipment", "1902") "," EVENT("3", "Wishlist", "5")));
	graphql_events(conn, &r);
	assert_int_equal(r.call.end, CALL_OK);
	assert_int_equal(r.n, 3);
	assert_int_equal(r.list[0].object, FEED_ORDER);
	assert_int_equal(r.list[0].reference, 67);
	assert_true(r.list[0].created > 0);
	assert_int_equal(r.list[1].object, FEED_SHIPMENT);
	assert_int_equal(r.list[2].object, FEED_OTHER);
	feed_events_release(&r);
	/* Numbers alone: nothing of the objects themselves. */
	assert_null(strstr(canned_last(server), "object {"));
	assert_null(strstr(canned_last(server), "number"));
}

static void a_row_that_cannot_be_read_spoils_no_other(void **state)
{
	struct feed_events r;

	(void)state;
	start_one(EVENTS(EVENT("\"x\"", "Order", "67") ",null,{},"
			 EVENT("-4", "Order", "1") ","
			 EVENT("5", "Order", "null") ","
			 EVENT("6", "Order", "68")));
	graphql_events(conn, &r);
	assert_int_equal(r.call.end, CALL_OK);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.list[0].id, 6);
	assert_int_equal(r.unread, 5);
	feed_events_release(&r);
}

static void a_reply_without_events_is_no_empty_feed(void **state)
{
	static const char *const bodies[] = {
		"{\"data\":{}}", "{\"data\":{\"events\":null}}",
		"{\"data\":{\"events\":[{\"id\":\"x\"}]}}",
		"{\"errors\":[{\"message\":\"no\"}]}", "{}", NULL};
	struct feed_events r;

	(void)state;
	start(bodies);
	for (int i = 0; i < 5; i++) {
		graphql_events(conn, &r);
		assert_int_not_equal(r.call.end, CALL_OK);
		assert_int_equal(r.n, 0);
		assert_null(r.list);
	}
}

static void a_shipments_number_begins_with_its_orders(void **state)
{
	const int64_t ids[] = {1, 2, 3, 4, 5};
	struct feed_owners r;

	(void)state;
	start_one("{\"data\":{\"found\":["
		  "{\"id\":1,\"number\":\"39790-1\"},"
		  "{\"id\":2,\"number\":\"x-1\"},{\"id\":3,\"number\":\"-1\"},"
		  "{\"id\":4,\"number\":\"12\"},{\"id\":5,\"number\":null}]}}");
	graphql_owners(conn, FEED_SHIPMENT, ids, 5, &r);
	assert_int_equal(r.call.end, CALL_OK);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.list[0].id, 1);
	assert_int_equal(r.list[0].order, 39790);
	feed_owners_release(&r);
}

/* ---- a run ---- */

static struct {
	int64_t held; /* the order that a shop was asked about; or 0 */
	enum rc keep; /* how keep() ends */
	unsigned kept_at; /* requests that Centra had seen when it was called;
			   * 0: it was not */
	size_t tasks, docs;
	char kind[TASK_KIND_SIZE]; /* of the last task */
	struct feed_report report;
	unsigned failures;
} world;

static enum rc order_of(const struct work *w, int64_t number,
			struct order *ret, struct err *e)
{
	struct offer f = {.warehouse = 3, .list = LIST_OPEN};
	struct order o = {.number = number, .offers = &f, .n_offers = 1};

	(void)w, (void)e;
	if (number != world.held)
		return RC_NOTFOUND;
	order_copy(ret, &o);
	return OK;
}

static enum rc keep(const struct work *w, const struct task *tasks,
		    size_t n_tasks, const struct doc *docs, size_t n_docs,
		    struct err *e)
{
	(void)w, (void)docs;
	world.kept_at = canned_requests(server);
	world.tasks = n_tasks;
	world.docs = n_docs;
	if (n_tasks)
		memcpy(world.kind, tasks[n_tasks - 1].kind,
		       sizeof(world.kind));
	if (world.keep)
		snprintf(e->text, sizeof(e->text), "no room");
	return world.keep;
}

static void report(const struct work *w, const struct feed_report *r)
{
	(void)w;
	if (r->why)
		world.failures++;
	else
		world.report = *r;
}

/* Runs the feed once; the listeners are set already.  The caller releases
 * *ret. */
static void run(struct result *ret)
{
	static struct feed_progress progress[FEEDS];
	const struct others others = {.order = order_of};
	struct feed_hands hands = {.on = {true, true},
				   .every = 60000,
				   .progress = progress,
				   .keep = keep,
				   .report = report};
	struct task task = {.kind = TASK_FEED_GRAPHQL, .instance = "se"};
	struct order none = {0};
	struct work w = {.task = &task,
			 .order = &none,
			 .now = 1000000,
			 .steady = 1000,
			 .centra = conn,
			 .missed_after = 120000,
			 .others = &others,
			 .feeds = &hands};

	progress[FEED_GRAPHQL] = (struct feed_progress){.listened = 1};
	handle_feed_graphql(&w, 1);
	*ret = w.result;
	feed_progress_release(&progress[FEED_GRAPHQL]);
}

static int fresh(void **state)
{
	(void)state;
	memset(&world, 0, sizeof(world));
	return 0;
}

static void what_an_event_means_is_kept_before_it_is_confirmed(void **state)
{
	struct result r;

	(void)state;
	world.held = 67;
	start((const char *const[]){EVENTS(EVENT("1", "Order", "67")),
				    DONE("confirmEvents"), NULL});
	run(&r);
	assert_int_equal(world.kept_at, 1); /* the events, nothing more */
	assert_int_equal(canned_requests(server), 2);
	assert_non_null(strstr(canned_last(server), "\"ids\":[1]"));
	assert_string_equal(world.kind, TASK_FETCH_ORDER);
	assert_int_equal(world.report.confirmed, 1);
	assert_int_equal(r.how, OUTCOME_DONE);
	result_release(&r);
}

static void what_cannot_be_kept_is_not_confirmed(void **state)
{
	struct result r;

	(void)state;
	world.held = 67;
	world.keep = RC_FULL;
	start((const char *const[]){EVENTS(EVENT("1", "Order", "67")),
				    DONE("confirmEvents"), NULL});
	run(&r);
	assert_int_equal(canned_requests(server), 1);
	assert_int_equal(world.failures, 1);
	assert_int_equal(r.how, OUTCOME_RETRY);
	result_release(&r);
}

static void an_order_that_waits_and_no_shop_knows_is_checked_later(void **state)
{
	struct result r;

	(void)state;
	start((const char *const[]){
		EVENTS(EVENT("1", "Order", "67") "," EVENT("2", "Order", "68")),
		"{\"data\":{\"orders\":[{\"number\":68}]}}",
		DONE("confirmEvents"), NULL});
	run(&r);
	assert_int_equal(world.tasks, 1);
	assert_string_equal(world.kind, TASK_MISSED);
	assert_int_equal(world.report.looks, 0);
	assert_int_equal(world.report.suspects, 1);
	assert_int_equal(world.report.confirmed, 2);
	result_release(&r);
}

/* Without the answer nothing is confirmed: the create may be lost. */
static void a_question_that_fails_confirms_nothing(void **state)
{
	struct result r;

	(void)state;
	start((const char *const[]){EVENTS(EVENT("1", "Order", "67")),
				    "<html>", DONE("confirmEvents"), NULL});
	run(&r);
	assert_int_equal(world.kept_at, 0);
	assert_int_equal(canned_requests(server), 2);
	assert_int_equal(r.how, OUTCOME_RETRY);
	result_release(&r);
}

static void an_event_of_no_known_order_is_kept_and_confirmed(void **state)
{
	struct result r;

	(void)state;
	start((const char *const[]){EVENTS(EVENT("1", "Shipment", "1902")),
				    "{\"data\":{\"found\":[]}}",
				    DONE("confirmEvents"), NULL});
	run(&r);
	assert_int_equal(world.docs, 1);
	assert_int_equal(world.kept_at, 2);
	assert_int_equal(world.report.unresolved, 1);
	result_release(&r);
}

static void an_event_told_many_times_asks_for_one_look(void **state)
{
	struct result r;

	(void)state;
	world.held = 67;
	start((const char *const[]){
		EVENTS(EVENT("1", "Order", "67") "," EVENT(
			"2", "Order", "67") "," EVENT("3", "Order", "67")),
		DONE("confirmEvents"), NULL});
	run(&r);
	assert_int_equal(world.tasks, 1);
	assert_int_equal(world.report.confirmed, 3);
	result_release(&r);
}

static void a_confirmation_that_centra_refuses_is_no_confirmation(void **state)
{
	struct result r;

	(void)state;
	world.held = 67;
	start((const char *const[]){
		EVENTS(EVENT("1", "Order", "67")),
		"{\"data\":{\"confirmEvents\":{\"userErrors\":[{\"message\":"
		"\"no\",\"path\":[]}],\"userWarnings\":[]}}}", NULL});
	run(&r);
	assert_int_equal(world.report.confirmed, 0);
	assert_int_equal(world.failures, 1);
	assert_int_equal(r.how, OUTCOME_RETRY);
	assert_true(r.due <= 1000000 + 60000 + 1000);
	result_release(&r);
}

#define READS(test) cmocka_unit_test_teardown(test, stop)
#define RUNS(test)  cmocka_unit_test_setup_teardown(test, fresh, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		READS(events_are_read_with_their_objects),
		READS(a_row_that_cannot_be_read_spoils_no_other),
		READS(a_reply_without_events_is_no_empty_feed),
		READS(a_shipments_number_begins_with_its_orders),
		RUNS(what_an_event_means_is_kept_before_it_is_confirmed),
		RUNS(what_cannot_be_kept_is_not_confirmed),
		RUNS(an_order_that_waits_and_no_shop_knows_is_checked_later),
		RUNS(a_question_that_fails_confirms_nothing),
		RUNS(an_event_of_no_known_order_is_kept_and_confirmed),
		RUNS(an_event_told_many_times_asks_for_one_look),
		RUNS(a_confirmation_that_centra_refuses_is_no_confirmation),
	};
	struct err e;

	if (centra_init(&e))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
