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

#define STEPS 16

static struct canned *server;
static struct centra *centra;
static struct centra_conn *conn;
static struct canned_step script[STEPS + 1];
static char *replies[STEPS]; /* owned */

/* Replies that are none: the connection ends, and a SOAP failure. */
#define LOST "lost"
#define ENVELOPE(body)                                                        \
	"<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\" "   \
	"xmlns=\"http://www.centra.com/webservices/\"><e:Body>" body           \
	"</e:Body></e:Envelope>"
#define FAULT                                                                 \
	ENVELOPE("<e:Fault><faultcode>e:Client</faultcode>"                   \
		 "<faultstring>No such event</faultstring></e:Fault>")

/* Starts a Centra that gives these replies (ends with NULL), and hangs up behind
 * each. */
static void start(const char *const *bodies)
{
	char url[80];
	struct centra_options o = {.instance = "se",
				   .graphql_url = url,
				   .graphql_token = "token",
				   .soap_url = url,
				   .soap_user = "user",
				   .soap_password = "password",
				   .connect_timeout = 1000,
				   .timeout = 5000};
	size_t n = 0;

	for (; *bodies && n < STEPS; bodies++, n++) {
		if (!strcmp(*bodies, LOST)) {
			script[n] = (struct canned_step){CANNED_RESET, NULL};
			continue;
		}
		replies[n] = xasprintf("HTTP/1.1 %s\r\n"
				       "Connection: close\r\n"
				       "Content-Length: %zu\r\n\r\n%s",
				       strcmp(*bodies, FAULT) ? "200 OK"
							      : "500 Fault",
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

static void end_canned(void)
{
	centra_conn_close(conn);
	centra_close(centra);
	canned_stop(server);
	for (int i = 0; i < STEPS; i++) {
		free(replies[i]);
		replies[i] = NULL;
	}
}

static int stop(void **state)
{
	(void)state;
	end_canned();
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
	assert_int_equal(r.n, 2);
	assert_int_equal(r.list[0].id, 5);
	assert_int_equal(r.list[0].reference, 0);
	assert_int_equal(r.list[1].id, 6);
	assert_int_equal(r.unread, 4);
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
	size_t confirmed; /* events, of all runs */
	unsigned failures;
} world;

static struct feed_progress progress[FEEDS];

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
	if (r->why) {
		world.failures++;
		return;
	}
	world.report = *r;
	world.confirmed += r->confirmed;
}

/* Runs a feed once; the listeners are set already.  The caller releases *ret. */
static void run_feed(enum feed feed, struct result *ret)
{
	const struct others others = {.order = order_of};
	struct feed_hands hands = {.on = {true, true},
				   .every = 60000,
				   .progress = progress,
				   .keep = keep,
				   .report = report};
	struct task task = {.instance = "se"};
	struct order none = {0};
	struct work w = {.task = &task,
			 .order = &none,
			 .now = 1000000,
			 .steady = 1000,
			 .centra = conn,
			 .missed_after = 120000,
			 .others = &others,
			 .feeds = &hands};

	progress[FEED_GRAPHQL].listened = 1;
	if (feed == FEED_SOAP)
		handle_feed_soap(&w, 1);
	else
		handle_feed_graphql(&w, 1);
	*ret = w.result;
}

static void run(struct result *ret)
{
	run_feed(FEED_GRAPHQL, ret);
}

static int fresh(void **state)
{
	(void)state;
	memset(&world, 0, sizeof(world));
	return 0;
}

static int end_run(void **state)
{
	for (int f = 0; f < FEEDS; f++) {
		feed_progress_release(&progress[f]);
		progress[f] = (struct feed_progress){0};
	}
	return stop(state);
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

/* ---- what can never be resolved, or never be confirmed ---- */

static void an_event_without_a_reference_is_kept_and_confirmed(void **state)
{
	struct result r;

	(void)state;
	start((const char *const[]){EVENTS(EVENT("5", "Order", "null")),
				    DONE("confirmEvents"), NULL});
	run(&r);
	assert_int_equal(world.docs, 1);
	assert_int_equal(world.report.confirmed, 1);
	assert_int_equal(world.report.unresolved, 1);
	result_release(&r);
}

/* Centra's numbers are GraphQL's Int.  A question with another would be refused
 * whole, each time that the page is read. */
static void a_number_that_cannot_be_asked_for_stops_no_feed(void **state)
{
	struct result r;

	(void)state;
	start((const char *const[]){
		EVENTS(EVENT("5", "Order", "2147483648") "," EVENT(
			"6", "Shipment", "9000000000000000000")),
		DONE("confirmEvents"), NULL});
	run(&r);
	assert_int_equal(canned_requests(server), 2);
	assert_int_equal(world.docs, 2);
	assert_int_equal(world.report.confirmed, 2);
	result_release(&r);
	end_run(state);

	memset(&world, 0, sizeof(world));
	start((const char *const[]){
		ENVELOPE("<events_Get><events><event><id>5</id>"
			 "<type>order</type><entry>99999999999</entry></event>"
			 "</events></events_Get>"),
		ENVELOPE("<eventsDoneResponse>OK</eventsDoneResponse>"), NULL});
	run_feed(FEED_SOAP, &r);
	assert_int_equal(canned_requests(server), 2);
	assert_int_equal(world.docs, 1);
	assert_int_equal(world.report.confirmed, 1);
	result_release(&r);
}

#define REFUSED                                                               \
	"{\"data\":{\"confirmEvents\":{\"userErrors\":[{\"message\":"             \
	"\"no such event\",\"path\":[]}],\"userWarnings\":[]}}}"

/* Event 1 is never taken; those behind it are confirmed all the same. */
static void an_event_that_cannot_be_confirmed_keeps_no_other(void **state)
{
	struct result r;

	(void)state;
	world.held = 67;
	start((const char *const[]){
		EVENTS(EVENT("1", "Order", "67") "," EVENT(
			"2", "Order", "67") "," EVENT("3", "Order", "67") "," EVENT(
			"4", "Order", "67")),
		REFUSED, REFUSED, REFUSED, DONE("confirmEvents"),
		DONE("confirmEvents"),
		/* The next run begins with it alone. */
		EVENTS(EVENT("1", "Order", "67") "," EVENT("5", "Order", "67")),
		REFUSED, DONE("confirmEvents"), NULL});
	run(&r);
	assert_int_equal(canned_requests(server), 6);
	assert_non_null(strstr(canned_last(server), "\"ids\":[3,4]"));
	assert_int_equal(world.confirmed, 3);
	assert_int_equal(world.failures, 1);
	assert_int_equal(r.how, OUTCOME_RETRY);
	result_release(&r);
	run(&r);
	assert_int_equal(canned_requests(server), 9);
	assert_non_null(strstr(canned_last(server), "\"ids\":[5]"));
	assert_int_equal(world.confirmed, 4);
	result_release(&r);
}

/* A Centra that refuses everything is not asked about each event, and the next
 * run goes on with others. */
static void refusals_without_end_are_bounded(void **state)
{
	static char refused[512]; /* outlives the server */
	char list[16384] = "{\"data\":{\"events\":[";
	struct result r;

	(void)state;
	world.held = 67;
	for (int i = 1; i <= 200; i++)
		snprintf(list + strlen(list), sizeof(list) - strlen(list),
			 "{\"id\":%d,\"objectType\":\"Order\","
			 "\"objectReference\":67}%s", i, i < 200 ? "," : "]}}");
	start((const char *const[]){list, NULL});
	snprintf(refused, sizeof(refused),
		 "HTTP/1.1 200 OK\r\nConnection: close\r\n"
		 "Content-Length: %zu\r\n\r\n" REFUSED, strlen(REFUSED));
	canned_always(server, refused);
	run(&r);
	assert_int_equal(canned_requests(server), 1 + FEED_REFUSALS_MOST);
	assert_non_null(strstr(canned_last(server), "\"ids\":[5]"));
	assert_int_equal(world.confirmed, 0);
	assert_int_equal(r.how, OUTCOME_RETRY);
	result_release(&r);
	end_canned();
	start((const char *const[]){list, NULL});
	canned_always(server, refused);
	run(&r);
	assert_int_equal(canned_requests(server), 1 + FEED_REFUSALS_MOST);
	assert_non_null(strstr(canned_last(server), "\"ids\":[17]"));
	result_release(&r);
}

#define SOAP_PAGE                                                             \
	ENVELOPE("<events_Get><events><event><id>5</id><type>order</type>"    \
		 "<entry>67</entry></event></events></events_Get>")
#define SOAP_DONE ENVELOPE("<eventsDoneResponse>OK</eventsDoneResponse>")
#define SOAP_NO                                                               \
	ENVELOPE("<result><success>false</success></result>")

/* Runs the SOAP feed and expects it to end with this call. */
static void expect_last(const char *action)
{
	struct result r;

	run_feed(FEED_SOAP, &r);
	assert_true(canned_requests(server) > 0);
	if (!strstr(canned_last(server), action))
		fail_msg("not %s: %s", action, canned_last(server));
	result_release(&r);
}

/* The reply to a confirmation is lost, and Centra refuses it when it is
 * repeated: the feed is read again. */
static void a_confirmation_that_is_refused_is_not_repeated_for_ever(void **state)
{
	static const char *const refusals[] = {FAULT, SOAP_NO};

	for (int i = 0; i < 2; i++) {
		fresh(state);
		world.held = 67;
		start((const char *const[]){SOAP_PAGE, LOST, refusals[i],
					    SOAP_PAGE, SOAP_DONE, NULL});
		expect_last("Events_Done"); /* no reply */
		expect_last("Events_Done"); /* refused */
		expect_last("Events_Done"); /* behind another page */
		assert_int_equal(canned_requests(server), 5);
		assert_int_equal(world.confirmed, 1);
		if (!i)
			end_run(state);
	}
}

/* A Centra that says that it is done, and shows it again and again: it is not
 * asked without a pause, and nothing counts twice. */
static void events_that_come_again_wait_and_count_once(void **state)
{
	struct result r;

	(void)state;
	world.held = 67;
	start((const char *const[]){SOAP_PAGE, SOAP_DONE, SOAP_PAGE, SOAP_DONE,
				    NULL});
	for (int i = 0; i < 2; i++) {
		run_feed(FEED_SOAP, &r);
		assert_int_equal(r.how, OUTCOME_DONE);
		assert_int_equal(r.changes.n, 1);
		assert_int_equal(r.changes.list[0].kind, CHANGE_TASK);
		assert_int_equal(r.changes.list[0].task.due >= 1000000 + 60000,
				 i);
		result_release(&r);
	}
	assert_int_equal(world.confirmed, 1);
}

#define READS(test) cmocka_unit_test_teardown(test, stop)
#define RUNS(test)  cmocka_unit_test_setup_teardown(test, fresh, end_run)

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
		RUNS(an_event_without_a_reference_is_kept_and_confirmed),
		RUNS(a_number_that_cannot_be_asked_for_stops_no_feed),
		RUNS(an_event_that_cannot_be_confirmed_keeps_no_other),
		RUNS(refusals_without_end_are_bounded),
		RUNS(a_confirmation_that_is_refused_is_not_repeated_for_ever),
		RUNS(events_that_come_again_wait_and_count_once),
	};
	struct err e;

	if (centra_init(&e))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
