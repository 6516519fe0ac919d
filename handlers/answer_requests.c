/* SPDX-License-Identifier: MIT
 *
 * answer_requests.c - tells Centra a shop's answer to allocation requests (OFFERS
 * 5.3).
 *
 * One run: finishes if what is known settles the answer; reads the list of the
 * order's requests, which has their ids and shows what became of an earlier try;
 * and then makes one call for each request that the shop has answered.  An id is
 * never taken from anywhere but the list that this run has read last: a Centra
 * that was restored may have given an older id to another request.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "centra/order_api.h"
#include "handlers/answer_private.h"
#include "handlers/offer.h"
#include "handlers/requests.h"
#include "handlers/run.h"

#define LISTS_EMPTY 8 /* runs whose list lacks what is answered, before the shop
		       * is told */
#define PAGES_MOST  20

/* What one run has read and been told. */
struct run {
	struct work *w;
	int64_t listed[REQUESTS_MAX]; /* ids that the list has shown */
	size_t n_listed;
	int64_t refused[REQUESTS_MAX]; /* ids to which Centra said no */
	size_t n_refused;
	char *words; /* owned: Centra's, of the last no; or NULL */
};

static bool is_among(const int64_t *list, size_t n, int64_t id)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == id)
			return true;
	return false;
}

/* ---- is it settled already? ---- */

/* True if a request that the shop has answered ended as the shop wants. */
static bool is_done(const struct offer *f)
{
	enum request_status wanted = f->answer.verb == VERB_ACCEPT
					     ? REQUEST_CONFIRMED
					     : REQUEST_REJECTED;

	for (size_t i = 0; i < f->n_requests; i++)
		if (request_status(f, i) == wanted &&
		    request_answered(f, &f->requests[i]))
			return true;
	return false;
}

/* Finishes the run if what is known of the requests settles the answer.
 * `text`: Centra's words, for a no. */
static bool finished(struct work *w, const char *text)
{
	const struct offer *f = answer_offer(w);
	bool done;

	if (f->state == STATE_ACCEPTING || f->state == STATE_REJECTING)
		return false;
	/* Whether another warehouse has it, the other requests tell. */
	if (f->state == STATE_TIMED_OUT)
		changes_task(&w->result.changes, TASK_POLL_REQUESTS, 0, w->now);
	done = is_done(f) && f->state != STATE_CANCELLED;
	if (!done)
		answer_settle(w, SETTLED_NO, text);
	else if (f->answer.verb == VERB_ACCEPT)
		answer_settle_ok(w);
	else
		answer_settle(w, SETTLED_OK, NULL);
	answer_journal(w, &(struct entry){
				  .fact = FACT_SETTLED,
				  .to = offer_state_name(
					  answer_offer(w)->state),
			  });
	return true;
}

/* ---- the list ---- */

static bool row_is_open(const struct offer *f, int64_t id)
{
	for (size_t i = 0; f && i < f->n_requests; i++)
		if (f->requests[i].id == id)
			return alloc_request_open(f->requests[i].status);
	return false;
}

/* Remembers the ids of the order's requests to this warehouse. */
static void remember(struct run *run, const struct centra_requests *got)
{
	const struct task *t = run->w->task;

	for (size_t i = 0; i < got->n && run->n_listed < REQUESTS_MAX; i++) {
		const struct centra_request *r = got->list[i];

		if (r->number == t->number && r->warehouse == t->sub &&
		    row_is_open(answer_offer(run->w), r->id))
			run->listed[run->n_listed++] = r->id;
	}
}

/* Reads all requests of the order to this warehouse.  False: the list could not
 * be read, and the run has ended. */
static bool list_is_read(struct run *run, struct centra_requests *got)
{
	struct work *w = run->w;
	struct requests_query q = {
		.orders = &w->task->number,
		.n_orders = 1,
		.warehouses = &w->task->sub,
		.n_warehouses = 1,
		.all = true,
	};
	bool last = false;
	int64_t first = 0;

	run->n_listed = 0;
	while (!last && q.page < PAGES_MOST) {
		q.page++;
		centra_requests_release(got);
		order_api_requests(w->centra, &q, got);
		run_called(w, CENTRA_ORDER_API, "allocation-requests",
			   &got->call);
		if (got->not_allowed)
			run_alarm(w, CENTRA_ORDER_API, got->call.why.text);
		if (got->call.end != CALL_OK) {
			answer_retry_look(w, &got->call);
			return false;
		}
		last = requests_last_page(got, &first);
		requests_record(w, got);
		remember(run, got);
	}
	return true;
}

static bool looked(struct run *run)
{
	struct centra_requests got = {0};
	bool ret = list_is_read(run, &got);

	centra_requests_release(&got);
	return ret;
}

/* ---- a try ---- */

/* Returns the id of the next request to be told; 0: none. */
static int64_t next_to_tell(const struct run *run)
{
	const struct offer *f = answer_offer(run->w);

	for (size_t i = 0; i < f->n_requests; i++) {
		int64_t id = f->requests[i].id;

		if (id && is_among(run->listed, run->n_listed, id) &&
		    !is_among(run->refused, run->n_refused, id) &&
		    alloc_request_open(request_status(f, i)) &&
		    request_answered(f, &f->requests[i]))
			return id;
	}
	return 0;
}

static void told_ok(struct work *w, int64_t id, const struct call *call)
{
	bool accept = answer_offer(w)->answer.verb == VERB_ACCEPT;
	size_t from;
	struct alloc_request *row;

	answer_journal(w, &(struct entry){.fact = FACT_REPLY,
					  .result = "ok",
					  .latency_ms = call->latency});
	answer_end_try(w, TRY_OK, NULL);
	from = w->result.changes.n;
	row = &changes_add(&w->result.changes, CHANGE_REQUEST, w->task->sub)
		       ->request;
	*row = (struct alloc_request){
		.id = id,
		.status = accept ? REQUEST_CONFIRMED : REQUEST_REJECTED,
		.expires = TIME_NONE,
	};
	run_apply(w, from);
}

/* True if Centra's text says that the request has ended already: the list will
 * show how.  A text that names a status which can be answered is a plain no. */
static bool says_it_ended(const char *msg)
{
	static const char before[] = "in status ";
	const char *word = strstr(msg, before);
	enum request_status s;
	char text[24];

	if (!word)
		return false;
	word += strlen(before);
	snprintf(text, sizeof(text), "%.*s",
		 (int)strspn(word, "abcdefghijklmnopqrstuvwxyz-"), word);
	return !request_status_of(text, &s) || !alloc_request_open(s);
}

/* Handles a `no`.  It is believed once the list, read again, still shows the
 * request open: an earlier try of ours may have been the reason.  True: it is
 * believed, and the run goes on. */
static bool told_no(struct run *run, int64_t id, const struct request_reply *r)
{
	struct work *w = run->w;
	const char *msg = r->msg ? r->msg : "Centra gave no reason";

	answer_journal(w, &(struct entry){.fact = FACT_REPLY,
					  .result = "no",
					  .latency_ms = r->call.latency,
					  .text = r->msg});
	if (r->our_fault)
		run_alarm(w, CENTRA_ORDER_API, msg);
	answer_end_try(w, TRY_NO, msg);
	if (!looked(run) || finished(w, msg))
		return false;
	if (!row_is_open(answer_offer(w), id))
		return true;
	if (says_it_ended(msg)) {
		answer_retry_rarely(w, run_why(WHY_DISAGREE, 0),
				    "Centra says that the request has ended, "
				    "and lists it as open");
		return false;
	}
	if (run->n_refused < REQUESTS_MAX)
		run->refused[run->n_refused++] = id;
	free(run->words);
	run->words = xstrdup(msg);
	return true;
}

/* Tells Centra the answer to one request.  True: it was told, and the run goes
 * on. */
static bool tell(struct run *run, int64_t id)
{
	struct work *w = run->w;
	struct request_reply r = {0};
	bool ret = false;

	if (!answer_begin_try(w, "allocation-request"))
		return false;
	order_api_request(w->centra, id,
			  answer_offer(w)->answer.verb == VERB_ACCEPT, &r);
	run_called(w, CENTRA_ORDER_API, "allocation-request", &r.call);
	if (r.not_allowed)
		run_alarm(w, CENTRA_ORDER_API, r.call.why.text);
	if (r.call.end != CALL_OK) {
		answer_told_nothing(w, &r.call);
	} else if (r.ok) {
		told_ok(w, id, &r.call);
		ret = true;
	} else {
		ret = told_no(run, id, &r);
	}
	request_reply_release(&r);
	return ret && !finished(w, NULL);
}

/* Settles the answer after Centra said no to some of the requests, or ends the
 * run if it lists nothing that could be told.  That proves nothing, so it is
 * read again; but a shop that cannot be helped is told so, unless a try of ours
 * may have reached Centra. */
static void end_untold(struct run *run)
{
	static const char why[] = "Centra does not list the allocation request";
	struct work *w = run->w;

	if (run->n_refused) {
		answer_settle(w, SETTLED_NO, run->words);
		if (answer_offer(w)->state == STATE_ACCEPTED)
			changes_task(&w->result.changes, TASK_FETCH_ORDER, 0,
				     w->now);
	} else if (w->task->attempts >= LISTS_EMPTY &&
		   !answer_offer(w)->answer.unknown) {
		answer_settle(w, SETTLED_NO, why);
	} else {
		answer_retry_rarely(w, run_why(WHY_NOT_SHOWN, 0), why);
	}
}

static void tell_all(struct run *run)
{
	int64_t id;

	if (!looked(run) || finished(run->w, NULL))
		return;
	while ((id = next_to_tell(run)) != 0)
		if (!tell(run, id))
			return;
	end_untold(run);
}

void answer_requests(struct work *w)
{
	struct run run = {.w = w};

	if (finished(w, NULL))
		return;
	if (!w->centra) {
		run_retry(w, run_why(WHY_NOT_CONFIGURED, 0),
			  run_wait_long(w, NULL),
			  "no Centra is configured for instance '%s'",
			  w->task->instance);
		return;
	}
	tell_all(&run);
	free(run.words);
}
