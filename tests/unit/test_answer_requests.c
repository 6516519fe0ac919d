/* SPDX-License-Identifier: MIT
 *
 * test_answer_requests.c - the steps by which Centra is told the answer to
 * allocation requests (OFFERS 5.3).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "handlers/requests.h"
#include "tests/unit/one_run.h"

#include <cmocka.h> /* last: it has a macro called fail */

#define ID 1141

/* What the list shows, a row for each reading; and what a call is told. */
static struct {
	const char *status[4]; /* of ID; NULL: as the one before; "": no entry */
	int lists, puts;
	int64_t put_id;
	bool put_yes;
	enum { ACTS, SAYS_NOT, LOST, UNTICKED } put;
	const char *msg;
	bool list_fails, list_unticked, second;
	bool of_another;    /* the id is another warehouse's in the list */
	int64_t refused_id; /* a call about it is told msg; 0: none is */
} list;

static void unticked(struct call *ret)
{
	*ret = (struct call){.end = CALL_NOT_DONE, .status = 403,
			     .why.text = "not ticked"};
}

static void requests(const struct requests_query *q,
		     struct centra_requests *ret)
{
	const char *status = NULL;

	assert_int_equal(q->n_orders, 1);
	assert_int_equal(q->orders[0], 19);
	assert_int_equal(q->warehouses[0], W);
	assert_true(q->all);
	for (int i = 0; i <= list.lists && i < 4; i++)
		status = list.status[i] ? list.status[i] : status;
	list.lists++;
	if (list.list_unticked) {
		unticked(&ret->call);
		ret->not_allowed = true;
		return;
	}
	ret->call.end = list.list_fails ? CALL_UNKNOWN : CALL_OK;
	ret->call.status = list.list_fails ? 500 : 200;
	if (list.list_fails || !*status)
		return;
	stub_request(ret, ID, 19, list.of_another ? V : W, status, LATER, 1);
	if (list.second)
		stub_request(ret, ID + 1, 19, W, "sent", LATER, 2);
	/* Another order's, which is not to be taken for this one's. */
	stub_request(ret, 7, 20, W, "confirmed", LATER, 1);
}

static void put(int64_t id, bool yes, struct request_reply *ret)
{
	list.puts++;
	list.put_id = id;
	list.put_yes = yes;
	if (list.put == UNTICKED) {
		unticked(&ret->call);
		ret->not_allowed = true;
		return;
	}
	ret->call.end = list.put == LOST ? CALL_UNKNOWN : CALL_OK;
	ret->call.status = list.put == LOST ? 0 : 200;
	ret->ok = list.put == ACTS && id != list.refused_id;
	if (list.put == SAYS_NOT || id == list.refused_id)
		ret->msg = xstrdup(list.msg);
}

static void told_by_webhook(int64_t line)
{
	struct change c = {.kind = CHANGE_OPENING, .warehouse = W};

	c.opening = (struct opening){.expires = LATER,
				     .kind = KIND_ALLOCATION_REQUEST};
	snprintf(c.opening.date, sizeof(c.opening.date), "%s", at(10));
	say(&us.held, &c);
	c = (struct change){.kind = CHANGE_REQUEST, .warehouse = W};
	c.request = (struct alloc_request){.expires = LATER, .n_lines = 1};
	c.request.lines = xcalloc(1, sizeof(struct request_line));
	c.request.lines[0] = (struct request_line){line, 1};
	say(&us.held, &c);
	heard(&us.held);
}

/* A webhook has told of a request, and the shop has pressed. */
static void pressed(enum verb verb)
{
	us_begin();
	memset(&list, 0, sizeof(list));
	list.status[0] = "sent";
	stub_centra.requests = requests;
	stub_centra.request = put;
	told_by_webhook(1);
	answered(&us.held, W, verb, at(10));
	offer_derive(NULL, &us.held);
}

static int end_test(void **s)
{
	(void)s;
	us_end();
	return 0;
}

static void it_is_told_by_the_lists_id(void **s)
{
	(void)s;
	pressed(VERB_ACCEPT);
	run_answer();
	assert_int_equal(list.put_id, ID);
	assert_true(list.put_yes);
	assert_int_equal(list.puts, 1);
	assert_int_equal(us.tries, 1);
	assert_string_equal(state_of(W), "accepted");
	assert_true(us.fetch_asked);
	pressed(VERB_REJECT);
	run_answer();
	assert_false(list.put_yes);
	assert_string_equal(state_of(W), "rejected");
}

static void without_the_list_no_call_is_made(void **s)
{
	(void)s;
	pressed(VERB_ACCEPT);
	list.list_fails = true;
	run_answer();
	assert_int_equal(list.puts, 0);
	assert_int_equal(us.tries, 0);
	assert_int_equal(us.result.how, OUTCOME_RETRY);
	assert_string_equal(state_of(W), "accepting");
}

static void a_lost_reply_is_settled_by_the_list(void **s)
{
	static const struct {
		const char *status, *state;
		int puts;
	} rows[] = {
		{"confirmed", "accepted", 1}, {"outdated", "timed_out", 1},
		{"rejected", "rejected", 1},  {"sent", "accepted", 2},
		{"failed", "accepted", 2},    {"timed-out", "accepted", 2},
	};

	(void)s;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		pressed(VERB_ACCEPT);
		list.put = LOST;
		list.status[1] = rows[i].status;
		run_answer();
		assert_string_equal(state_of(W), "accepting");
		assert_true(answer_of(W)->unknown);
		list.put = ACTS;
		run_answer();
		assert_int_equal(list.puts, rows[i].puts);
		assert_string_equal(state_of(W), rows[i].state);
	}
}

static void a_run_that_was_cut_off_reads_the_list_first(void **s)
{
	(void)s;
	pressed(VERB_ACCEPT);
	try_begun(&us.held, W);
	list.status[0] = "confirmed";
	run_answer();
	assert_int_equal(list.puts, 0);
	assert_string_equal(state_of(W), "accepted");
}

static void a_no_is_believed_if_the_list_still_shows_it_open(void **s)
{
	(void)s;
	pressed(VERB_ACCEPT);
	list.put = SAYS_NOT;
	list.msg = "Warehouse doesn't have sufficient stock to allocate the "
		   "request.";
	run_answer();
	assert_int_equal(list.lists, 2);
	assert_string_equal(state_of(W), "refused");
	assert_string_equal(answer_of(W)->refusal, list.msg);
}

static void after_a_no_the_list_counts(void **s)
{
	static const struct {
		const char *status, *state;
	} rows[] = {{"confirmed", "accepted"}, {"outdated", "timed_out"}};

	(void)s;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		pressed(VERB_ACCEPT);
		list.put = SAYS_NOT;
		list.msg = "Failed to allocate stock from the warehouse.";
		list.status[1] = rows[i].status;
		run_answer();
		assert_string_equal(state_of(W), rows[i].state);
	}
}

static void in_status_confirmed_is_ours_once_the_list_shows_it(void **s)
{
	(void)s;
	pressed(VERB_ACCEPT);
	list.put = SAYS_NOT;
	list.msg = "You can't update allocation request, which is in status "
		   "confirmed.";
	run_answer(); /* the list is behind */
	assert_string_equal(state_of(W), "accepting");
	assert_int_equal(us.result.how, OUTCOME_RETRY);
	list.status[2] = "confirmed";
	run_answer();
	assert_int_equal(list.puts, 1);
	assert_string_equal(state_of(W), "accepted");
}

static void all_requests_that_were_shown_are_told(void **s)
{
	(void)s;
	pressed(VERB_ACCEPT);
	told_by_webhook(2);
	answered(&us.held, W, VERB_ACCEPT, at(10));
	list.second = true;
	run_answer();
	assert_int_equal(list.puts, 2);
	assert_string_equal(state_of(W), "accepted");
}

/* A request of the list as an earlier run has read it, with its id. */
static void listed_before(int64_t id, int64_t line)
{
	struct change c = {.kind = CHANGE_REQUEST, .warehouse = W};

	c.request = (struct alloc_request){.id = id,
					   .status = REQUEST_SENT,
					   .expires = LATER,
					   .at = NOW,
					   .n_lines = 1};
	c.request.lines = xcalloc(1, sizeof(struct request_line));
	c.request.lines[0] = (struct request_line){line, 1};
	say(&us.held, &c);
}

/* A Centra that was set back gives its ids to other requests. */
static void an_id_that_this_run_has_not_read_is_not_used(void **s)
{
	(void)s;
	pressed(VERB_ACCEPT);
	listed_before(ID, 1);
	list.status[0] = "";
	run_answer();
	assert_int_equal(list.puts, 0);
	assert_int_equal(us.result.how, OUTCOME_RETRY);
	assert_string_equal(state_of(W), "accepting");
	pressed(VERB_ACCEPT);
	listed_before(ID, 1);
	list.of_another = true;
	run_answer();
	assert_int_equal(list.puts, 0);
	assert_string_equal(state_of(W), "accepting");
}

static void after_a_no_to_one_request_the_others_are_told(void **s)
{
	(void)s;
	for (int refused = 0; refused < 2; refused++) {
		pressed(VERB_ACCEPT);
		told_by_webhook(2);
		answered(&us.held, W, VERB_ACCEPT, at(10));
		list.second = true;
		list.put = ACTS;
		list.refused_id = ID + refused;
		list.msg = "Failed to allocate stock from the warehouse.";
		run_answer();
		assert_int_equal(list.puts, 2);
		assert_int_equal(us.result.how, OUTCOME_DONE);
		assert_true(answer_of(W)->settled == SETTLED_NO);
		assert_string_equal(answer_of(W)->refusal, list.msg);
		assert_string_equal(state_of(W), "accepted");
		assert_true(us.fetch_asked);
		assert_true(requests_have_line(order_offer(&us.held, W),
					       2 - refused, NULL));
		assert_false(requests_have_line(order_offer(&us.held, W),
						1 + refused, NULL));
	}
}

/* The words name the status that the list shows: the list is not behind. */
static void a_no_that_names_an_open_status_is_a_no(void **s)
{
	(void)s;
	pressed(VERB_ACCEPT);
	list.status[0] = "timed-out";
	list.put = SAYS_NOT;
	list.msg = "You can't update allocation request, which is in status "
		   "timed-out.";
	run_answer();
	assert_int_equal(list.puts, 1);
	assert_string_equal(state_of(W), "refused");
}

/* What nothing settles is asked about less and less often. */
static void what_nothing_settles_is_tried_rarely(void **s)
{
	(void)s;
	pressed(VERB_ACCEPT);
	list.put = SAYS_NOT;
	list.msg = "You can't update allocation request, which is in status "
		   "confirmed.";
	us.attempts = 100;
	run_answer();
	assert_int_equal(us.result.how, OUTCOME_RETRY);
	assert_true(us.result.due >= us.now + 2 * 60000);
	pressed(VERB_ACCEPT);
	try_begun(&us.held, W);
	list.status[0] = "";
	us.attempts = 100;
	run_answer();
	assert_int_equal(us.result.how, OUTCOME_RETRY);
	assert_true(us.result.due >= us.now + 2 * 60000);
}

static void a_request_that_was_not_shown_is_not_told(void **s)
{
	(void)s;
	pressed(VERB_ACCEPT);
	list.second = true;
	run_answer();
	assert_int_equal(list.puts, 1);
	assert_int_equal(list.put_id, ID);
	assert_string_equal(state_of(W), "pending");
}

static void an_endpoint_that_is_not_ticked_raises_the_alarm_and_waits(void **s)
{
	(void)s;
	pressed(VERB_ACCEPT);
	list.list_unticked = true;
	run_answer();
	assert_int_equal(us.alarms, 1);
	assert_int_equal(us.result.how, OUTCOME_RETRY);
	pressed(VERB_ACCEPT);
	list.put = UNTICKED;
	run_answer();
	assert_int_equal(us.alarms, 1);
	assert_false(answer_of(W)->unknown);
	assert_string_equal(state_of(W), "accepting");
}

static void what_the_list_never_shows_is_refused_in_the_end(void **s)
{
	(void)s;
	pressed(VERB_ACCEPT);
	list.status[0] = "";
	for (us.attempts = 0; us.attempts < 8; us.attempts++) {
		run_answer();
		assert_string_equal(state_of(W), "accepting");
	}
	run_answer();
	assert_int_equal(list.puts, 0);
	assert_string_equal(state_of(W), "refused");
}

/* An event that an earlier version stored has Centra's id where the order's
 * number is now: replayed, it would be another order's. */
static void an_event_of_another_order_is_not_applied(void **s)
{
	struct event ev = {.received = NOW, .id = 19};

	(void)s;
	us_begin();
	snprintf(ev.type, sizeof(ev.type), "allocation_request");
	snprintf(ev.action, sizeof(ev.action), "create");
	snprintf(ev.date, sizeof(ev.date), "%s", at(10));
	ev.data = xstrdup("{\"status\":\"sent\",\"warehouseId\":3,"
			  "\"order\":{\"number\":67},\"lines\":[]}");
	run_one(handle_event, TASK_ALLOCATION_REQUEST, 0, &ev, false);
	assert_int_equal(us.result.how, OUTCOME_DEAD);
	assert_null(order_offer(&us.held, W));
	event_release(&ev);
}

/* Without its expiry it cannot be told from an older one of the same lines. */
static void a_webhook_without_a_readable_expiry_has_the_list_read(void **s)
{
	static const char *const expiries[] = {
		"null", "\"2026-01-12T11:00:00Z\""};

	(void)s;
	for (size_t i = 0; i < 2; i++) {
		struct event ev = {.received = NOW, .id = 19};
		bool asked = false;

		us_begin();
		snprintf(ev.type, sizeof(ev.type), "allocation_request");
		snprintf(ev.action, sizeof(ev.action), "create");
		snprintf(ev.date, sizeof(ev.date), "%s", at(10));
		ev.data = xasprintf("{\"status\":\"sent\",\"warehouseId\":3,"
				    "\"order\":{\"number\":19},\"lines\":[],"
				    "\"expirationDate\":%s}",
				    expiries[i]);
		run_one(handle_event, TASK_ALLOCATION_REQUEST, 0, &ev, false);
		for (size_t k = 0; k < us.result.changes.n; k++)
			asked |= us.result.changes.list[k].kind ==
					 CHANGE_TASK &&
				 !strcmp(us.result.changes.list[k].task.kind,
					 TASK_POLL_REQUESTS);
		assert_int_equal(asked, i == 0);
		assert_string_equal(state_of(W), "pending");
		event_release(&ev);
	}
}

static void a_call_that_is_held_back_is_no_try(void **s)
{
	(void)s;
	pressed(VERB_ACCEPT);
	stub_centra.hold = 5000;
	run_answer();
	assert_int_equal(us.tries, 0);
	assert_int_equal(list.puts, 0);
	assert_int_equal(stub_centra.taken, 0);
}

static void a_try_that_cannot_be_stored_is_not_made(void **s)
{
	(void)s;
	pressed(VERB_ACCEPT);
	us.no_room = true;
	run_answer();
	assert_int_equal(list.puts, 0);
	assert_int_equal(stub_centra.taken, 0);
}

static void an_order_that_is_cancelled_meanwhile_is_not_told(void **s)
{
	(void)s;
	pressed(VERB_ACCEPT);
	us.cancel_meanwhile = true;
	run_answer();
	assert_int_equal(list.puts, 0);
	assert_string_equal(state_of(W), "cancelled");
}

#define T(name) cmocka_unit_test_teardown(name, end_test)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(it_is_told_by_the_lists_id),
		T(without_the_list_no_call_is_made),
		T(a_lost_reply_is_settled_by_the_list),
		T(a_run_that_was_cut_off_reads_the_list_first),
		T(a_no_is_believed_if_the_list_still_shows_it_open),
		T(after_a_no_the_list_counts),
		T(in_status_confirmed_is_ours_once_the_list_shows_it),
		T(all_requests_that_were_shown_are_told),
		T(an_id_that_this_run_has_not_read_is_not_used),
		T(after_a_no_to_one_request_the_others_are_told),
		T(a_no_that_names_an_open_status_is_a_no),
		T(what_nothing_settles_is_tried_rarely),
		T(a_request_that_was_not_shown_is_not_told),
		T(an_endpoint_that_is_not_ticked_raises_the_alarm_and_waits),
		T(what_the_list_never_shows_is_refused_in_the_end),
		T(an_event_of_another_order_is_not_applied),
		T(a_webhook_without_a_readable_expiry_has_the_list_read),
		T(a_call_that_is_held_back_is_no_try),
		T(a_try_that_cannot_be_stored_is_not_made),
		T(an_order_that_is_cancelled_meanwhile_is_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
