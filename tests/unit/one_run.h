/* SPDX-License-Identifier: MIT
 *
 * one_run.h - for tests: one run of a handler against an order in memory, with
 * a Centra whose next answers the test writes down.
 */
#ifndef TESTS_UNIT_ONE_RUN_H
#define TESTS_UNIT_ONE_RUN_H

#include <stdlib.h>

#include "handlers/answer.h"
#include "tests/unit/facts.h"
#include "tests/unit/stub_centra.h"

#define W 3 /* the warehouse in question */
#define V 4 /* another one that was asked */
#define DIRECT 99 /* never asked */

/* What Centra replies next, and what was asked of it. */
static struct {
	enum { SAYS_OK, SAYS_NO, NOT_REACHED, KEY_REFUSED, TOO_MANY, CUT } say;
	bool our_fault, no_order;
	int posts;
	bool accept; /* of the last post */

	enum { SHOWS, FAILS, HIDES, SPOILS, CLOSED, HELD } look;
	const char *status;
	const char *words; /* of a look that fails; NULL: those of its status */
	int64_t holder; /* of every line */
	bool waits;
	bool on_hold;  /* for whatever reason, said or not */
	bool undecided; /* a field that decides came with an error */
	unsigned missing; /* of enum centra_missing */
	int64_t shipment; /* of all lines; 0: none */
	bool another; /* the reply has another order than was asked for */
	int looks, addresses;
	enum centra_lane lane; /* of the last look */
} reply;

static struct {
	struct order held;
	int64_t now;
	int64_t ahead; /* of the wall clock to the steady one */
	uint64_t boot;
	enum lane lane; /* where the task waited */
	unsigned attempts;
	char *reason; /* of the last run */
	uint32_t why; /* the same, as its number */
	bool no_room; /* begin fails */
	bool cancel_meanwhile; /* the order is cancelled as a try begins */
	bool no_centra;
	bool clock_unsure;
	int64_t clock_ahead; /* as Centra tells with each reply */
	bool replayed; /* the event is applied once more, by hand */
	const int64_t *shops; /* our warehouses; NULL: all are */
	size_t n_shops;
	int tries, late_tries, alarms, calls;
	bool fetch_asked;
	struct result result; /* of the last run */
} us;

static void post(int64_t number, int64_t warehouse, bool accept,
		 struct check_first_reply *ret)
{
	static const struct call calls[] = {
		[SAYS_OK] = {.end = CALL_OK, .status = 200},
		[SAYS_NO] = {.end = CALL_OK, .status = 200},
		[NOT_REACHED] = {.end = CALL_NOT_DONE,
				 .why.text = "connection refused"},
		[KEY_REFUSED] = {.end = CALL_NOT_DONE, .status = 401,
				 .refused = true, .retry_after = 5000,
				 .why.text = "http 401"},
		[TOO_MANY] = {.end = CALL_NOT_DONE, .status = 429,
			      .retry_after = 77000, .why.text = "http 429"},
		[CUT] = {.end = CALL_UNKNOWN, .why.text = "timed out"},
	};

	(void)number;
	(void)warehouse;
	reply.posts++;
	reply.accept = accept;
	ret->call = calls[reply.say];
	ret->ok = reply.say == SAYS_OK;
	ret->our_fault = reply.our_fault;
	ret->no_order = reply.no_order;
	if (reply.say == SAYS_NO)
		ret->msg = xstrdup("failed to allocate stock");
}

static void orders(const int64_t *numbers, size_t n, bool with_address,
		   struct centra_orders *ret)
{
	struct centra_order *co;

	reply.looks++;
	reply.lane = stub_centra.lane;
	reply.addresses += with_address;
	if (reply.look == HELD) {
		ret->call = (struct call){.end = CALL_NOT_DONE, .held = true,
					  .retry_after = 200,
					  .why.text = "the budget is spent"};
		return;
	}
	if (reply.look != SHOWS && reply.look != HIDES) {
		ret->call.end = CALL_UNKNOWN;
		ret->call.status = reply.look == FAILS	  ? 500
				   : reply.look == SPOILS ? 200
							  : 502;
		snprintf(ret->call.why.text, sizeof(ret->call.why.text),
			 "http %ld", ret->call.status);
		if (reply.words)
			snprintf(ret->call.why.text,
				 sizeof(ret->call.why.text), "%s",
				 reply.words);
		return;
	}
	ret->call.end = CALL_OK;
	ret->call.status = 200;
	for (size_t i = 0; i < n && reply.look == SHOWS; i++) {
		co = stub_order(ret, numbers[i] + reply.another,
				reply.status ? reply.status : "CONFIRMED",
				reply.waits, 2);
		if (reply.holder) {
			stub_allocate(&co->lines[0], reply.holder, false);
			stub_allocate(&co->lines[1], reply.holder, false);
		}
		co->on_hold |= reply.on_hold;
		co->undecided = reply.undecided;
		co->missing = reply.missing;
		if (reply.shipment)
			stub_ship(co, reply.shipment);
		if (with_address && !(co->missing & MISSING_ADDRESS))
			co->address = xstrdup("{\"city\":\"Malmo\"}");
	}
}

/* What the look that comes next shows. */
static inline void centra_shows(int64_t holder, bool waits)
{
	reply.look = SHOWS;
	reply.holder = holder;
	reply.waits = waits;
}

static inline void keep(const struct changes *c)
{
	us.fetch_asked = false;
	for (size_t i = 0; i < c->n; i++) {
		const struct change *one = &c->list[i];

		order_apply(&us.held, one);
		if (one->kind == CHANGE_DETAILS)
			us.held.has_details = true;
		if (one->kind == CHANGE_ADDRESS)
			us.held.has_address = true;
		if (one->kind == CHANGE_TASK &&
		    !strcmp(one->task.kind, TASK_FETCH_ORDER))
			us.fetch_asked = true;
	}
	offer_derive(NULL, &us.held);
}

/* As the worker's, but what the run has said stays with the run. */
static enum rc begin(struct work *w, begin_fn *fn, void *arg, struct err *e)
{
	struct changes c = {0};
	enum rc rc;

	if (us.no_room) {
		snprintf(e->text, sizeof(e->text), "no room");
		return RC_FULL;
	}
	rc = fn(arg, &us.held, &c, e);
	for (size_t i = 0; !rc && i < c.n; i++) {
		us.tries += c.list[i].kind == CHANGE_TRY_BEGUN;
		us.late_tries += c.list[i].kind == CHANGE_TRY_BEGUN &&
				 c.list[i].try_begun.late;
		order_apply(&us.held, &c.list[i]);
	}
	changes_release(&c);
	if (rc)
		return rc;
	if (us.cancel_meanwhile)
		cancelled(&us.held);
	offer_derive(NULL, &us.held);
	order_release(w->order);
	order_copy(w->order, &us.held);
	return OK;
}

static void called(struct work *w, enum centra_api api, const char *what,
		   const struct call *call)
{
	(void)api;
	(void)what;
	(void)call;
	us.calls++;
	w->clock_ahead = us.clock_ahead;
}

static void alarmed(struct work *w, enum centra_api api, const char *why)
{
	(void)w;
	(void)api;
	(void)why;
	us.alarms++;
}

static inline void us_end(void)
{
	result_release(&us.result);
	order_release(&us.held);
	free(us.reason);
	memset(&us, 0, sizeof(us));
	memset(&reply, 0, sizeof(reply));
}

static inline void us_begin(void)
{
	us_end();
	order_init(&us.held, "se", 19);
	us.now = NOW;
	us.held.has_details = us.held.has_address = true;
	stub_centra = (struct stub_centra){.post = post, .orders = orders};
}

/* Runs a handler.  Unless it crashes, its result is made true. */
static inline void run_one(handler_fn *fn, const char *kind, int64_t sub,
			   const struct event *ev, bool crash)
{
	struct task t = {.id = 7,
			 .number = us.held.number,
			 .sub = sub,
			 .created = ev ? ev->received + us.replayed : 0,
			 .lane = (uint8_t)us.lane,
			 .attempts = us.attempts,
			 .reason = us.reason,
			 .why = us.why};
	struct order copy;
	struct work w = {
		.task = &t,
		.event = ev,
		.order = &copy,
		.now = us.now,
		.steady = us.now - us.ahead,
		.boot = us.boot,
		.centra = us.no_centra ? NULL : stub_conn,
		.clock_unsure = us.clock_unsure,
		.warehouses = us.shops,
		.n_warehouses = us.n_shops,
		.begin = begin,
		.called = called,
		.alarm = alarmed,
	};

	snprintf(t.kind, sizeof(t.kind), "%s", kind);
	order_copy(&copy, &us.held);
	fn(&w, 1);
	if (!crash) {
		keep(&w.result.changes);
		free(us.reason);
		us.reason = w.result.how == OUTCOME_DONE ?
				    NULL :
				    xstrdup(w.result.reason.text);
		us.why = w.result.how == OUTCOME_DONE ? 0 : w.result.why;
	}
	order_release(&copy);
	result_release(&us.result);
	us.result = w.result;
}

static inline void run_answer(void)
{
	run_one(handle_answer_offer, TASK_ANSWER_OFFER, W, NULL, false);
}

static inline void run_fetch(void)
{
	run_one(handle_fetch_order, TASK_FETCH_ORDER, 0, NULL, false);
}

static inline const char *state_of(int64_t warehouse)
{
	offer_derive(NULL, &us.held);
	return offer_state_name(order_offer(&us.held, warehouse)->state);
}

/* The first entry about a fact that the last run added to the journal, with that
 * result (NULL: any); NULL: there is none. */
static inline const struct entry *noted(enum fact fact, const char *result)
{
	const struct changes *c = &us.result.changes;

	for (size_t i = 0; i < c->n; i++) {
		const struct entry *e = &c->list[i].entry;

		if (c->list[i].kind == CHANGE_ENTRY && e->fact == fact &&
		    (!result || (e->result && !strcmp(e->result, result))))
			return e;
	}
	return NULL;
}

/* How many entries the last run added to the journal. */
static inline unsigned all_noted(void)
{
	unsigned n = 0;

	for (size_t i = 0; i < us.result.changes.n; i++)
		n += us.result.changes.list[i].kind == CHANGE_ENTRY;
	return n;
}

static inline const struct answer *answer_of(int64_t warehouse)
{
	return &order_offer(&us.held, warehouse)->answer;
}

#endif
