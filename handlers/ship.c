/* SPDX-License-Identifier: MIT
 *
 * ship.c - the task `ship_order`: see ship.h.
 *
 * One run: ends what a crash left open, and then, until the order is shipped,
 * looks and makes one call at a time, each of which is made durable before.
 * Events of the order wait during a run, so a cancel or a hold between two
 * calls shows only in the look.  A call that Centra may or may not have acted
 * on ends the run: the next one looks first, and repeats it only when Centra
 * has had time to act and shows that it did not.
 */
#include "handlers/ship.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "centra/order_shipments.h"
#include "handlers/look.h"
#include "handlers/run.h"
#include "handlers/ship_system.h"
#include "handlers/stock_item.h"

#define ROUNDS	  10 /* rounds in a run, at most: each makes one call, and five
		      * are needed */
#define IMPATIENT 10 /* failed runs after which the waits grow to minutes */
#define BELIEVES  5  /* runs in which Centra says "already" and does not show
		      * it, until that is believed */
#define LATE	  (15 * RUN_MINUTE) /* ms: a completion this much later than the
				     * packing names the time of packing */

/* A run under way. */
struct run {
	struct work *w;
	struct centra_orders got; /* owned: the newest look */
	struct centra_order *co; /* points into `got`; NULL: a look is needed */
	bool was_refused;
	enum ship_step refused; /* the step that Centra refused in this run */
	char *words;		/* owned: Centra's words for that; or NULL */
};

static struct offer *offer_of(const struct work *w)
{
	return order_offer(w->order, w->task->sub);
}

/* Returns the shipment that the task is about; NULL: there is none. */
static const struct shipment *asked_for(const struct work *w)
{
	struct offer *f = offer_of(w);

	return f ? offer_shipment(f) : NULL;
}

/* As asked_for(), in a run that has found that there is one. */
static const struct shipment *current(const struct work *w)
{
	static const struct shipment none;
	const struct shipment *s = asked_for(w);

	return s ? s : &none;
}

/* Adds an entry about the warehouse that ships. */
static void journal(struct work *w, const struct entry *e)
{
	struct entry ours = *e;

	ours.warehouse = w->task->sub;
	changes_journal(&w->result.changes, &ours);
}

/* ---- recording what came of it ---- */

static void end_try(struct work *w, enum try_end how)
{
	size_t from = w->result.changes.n;

	changes_add(&w->result.changes, CHANGE_SHIP_ENDED, w->task->sub)
		->ship_ended = how;
	run_apply(w, from);
}

/* Returns a copy of how far the shipment has come, for the caller to change and
 * record. */
static struct ship_came came_now(const struct work *w)
{
	return ship_came_copy(&current(w)->came);
}

/* Takes over came. */
static void say_came(struct work *w, struct ship_came came)
{
	size_t from = w->result.changes.n;

	changes_add(&w->result.changes, CHANGE_SHIP_CAME, w->task->sub)
		->came = came;
	run_apply(w, from);
}

static void set_error(struct ship_came *came, const char *error)
{
	free(came->error);
	came->error = xstrdup(error);
}

static void say_error(struct work *w, const char *error)
{
	struct ship_came came = came_now(w);

	set_error(&came, error);
	say_came(w, came);
}

/* Ends the run, to be continued after `wait` ms, for a reason that is not the
 * shipment's fault: its number, and its words for people.  While the shipment is
 * under way the shop sees the words; of a reason that repeats, the first ones. */
static void retry_later(struct work *w, uint32_t number, int64_t wait,
			const char *why)
{
	const struct shipment *s = current(w);

	if (shipment_under_way(s) && (!s->came.error || !run_repeats(w, number)))
		say_error(w, why);
	run_retry(w, number, wait, "%s", why);
}

/* As retry_later(), as soon as the API may be called again after this call; NULL:
 * no call was made. */
static void retry_call(struct work *w, uint32_t number, const struct call *call,
		       const char *why)
{
	retry_later(w, number,
		w->task->attempts < IMPATIENT ? run_wait(w, call)
					      : run_wait_long(w, call),
		why);
}

static void failed(struct work *w, enum ship_stage stage,
		   enum ship_fault fault, const char *why)
{
	struct ship_came came = came_now(w);
	bool repeated = came.stage == stage && came.fault == fault;

	came.stage = stage;
	came.fault = fault;
	if (stage == SHIP_CAPTURE_FAILED)
		came.capture = CAPTURE_FAILED;
	set_error(&came, why);
	if (!repeated)
		journal(w, &(struct entry){
				   .fact = FACT_SHIP_FAILED,
				   .result = stage == SHIP_CAPTURE_FAILED
						     ? ship_stage_name(stage)
						     : ship_fault_code(fault),
				   .text = why,
			   });
	say_came(w, came);
}

/* Handles a refusal after the parcel was packed and paid.  The shop sees why
 * and may press again; and the task asks again, less and less often, since
 * Centra may take later what it refuses now. */
static void refused_when_paid(struct work *w, const char *why)
{
	failed(w, SHIP_FAILED, FAULT_REFUSED, why);
	run_retry(w, run_why(WHY_REFUSED, 0), run_wait_long(w, NULL), "%s",
		  why);
}

/* ---- looking ---- */

/* If the press named no lines, ships the lines that Centra now shows as
 * left. */
static void settle_lines(struct run *r)
{
	struct work *w = r->w;
	const struct shipment *s = current(w);
	struct ship_lines all = {0};
	size_t from = w->result.changes.n;

	if (!s->ask.all || shipment_stands(s))
		return;
	all.n = ship_all_wanted(offer_of(w), r->co, &all.list);
	if (all.n == s->ask.n_lines &&
	    (!all.n || !memcmp(all.list, s->ask.lines,
			       all.n * sizeof(*all.list)))) {
		free(all.list);
		return;
	}
	changes_add(&w->result.changes, CHANGE_SHIP_LINES, w->task->sub)
		->lines = all;
	run_apply(w, from);
}

/* True if Centra gave the order to this shop and no longer shows it.  Once
 * there is a shipment of it, the parcel goes on when Centra shows the order
 * again. */
static bool in_doubt(const struct work *w)
{
	return offer_of(w)->doubt && !shipment_stands(current(w));
}

/* Looks at the order.  False: the look failed, and the run has ended. */
static bool look_again(struct run *r)
{
	struct work *w = r->w;
	const struct shipment *s = current(w);
	const char *why = "Centra does not show the order to us";
	const struct call *call = &r->got.call;
	uint32_t number = run_why(WHY_NOT_SHOWN, 0);

	centra_orders_release(&r->got);
	graphql_order_shipments(w->centra, w->task->number,
				look_wants_address(w),
				s->came.capture == CAPTURE_PENDING ||
					(s->unknown &&
					 s->step == STEP_CAPTURE),
				&r->got);
	run_called(w, CENTRA_GRAPHQL, "shipments", call);
	for (size_t i = 0; call->end == CALL_OK && i < r->got.n; i++)
		if (r->got.list[i].number == w->task->number)
			r->co = &r->got.list[i];
	if (r->co && r->co->undecided) {
		r->co = NULL;
		why = "Centra shows only a part of the order";
		number = run_why(WHY_NOT_SHOWN, 1);
	} else if (!r->co && call->end == CALL_OK) {
		look_record_absent(w);
		if (in_doubt(w)) {
			failed(w, SHIP_FAILED, FAULT_IN_DOUBT, SHIP_DOUBTFUL);
			return false;
		}
	}
	if (r->co) {
		look_record(w, r->co);
		settle_lines(r);
		return asked_for(w) && shipment_goes_on(current(w));
	}
	if (call->end != CALL_OK) {
		why = call->why.text;
		number = run_why_call(call);
	}
	if (!call->held && !run_repeats(w, number))
		journal(w, &(struct entry){.fact = FACT_LOOK_FAILED,
					   .text = why});
	retry_call(w, number, call, why);
	return false;
}

/* ---- one call ---- */

static const char *const mutations[SHIP_STEPS] = {
	[STEP_CONFIRM] = "confirmOrder",
	[STEP_CREATE] = "createShipment",
	[STEP_CAPTURE] = "captureShipment",
	[STEP_COMPLETE] = "completeShipment",
	[STEP_GOOD_TO_GO] = "updateShipment",
	[STEP_EDIT] = "PUT shipments",
	[STEP_DELETE] = "DELETE shipments",
};

/* Returns the API of a step's call. */
static enum centra_api api_of(enum ship_step step)
{
	return step == STEP_EDIT || step == STEP_DELETE ? CENTRA_ORDER_API
							: CENTRA_GRAPHQL;
}

struct begun {
	int64_t warehouse;
	enum ship_step step;
	int64_t now;
	const struct centra_order *co; /* as just looked at */
};

/* Records what Centra shows before a createShipment, by which the new shipment
 * will be recognised. */
static void say_before(const struct begun *b, const struct offer *f,
		       struct change_ship_begun *c)
{
	const struct ship_ask *a = &offer_shipment(f)->ask;

	for (size_t i = 0; i < b->co->n_shipments; i++)
		if (b->co->shipments[i].id > c->newest_seen)
			c->newest_seen = b->co->shipments[i].id;
	c->before.list = xcalloc(a->n_lines + 1, sizeof(*c->before.list));
	for (size_t i = 0; i < a->n_lines; i++)
		for (size_t k = 0; k < b->co->n_lines; k++) {
			struct ship_stock l = ship_stock_of(
				&b->co->lines[k], f->warehouse);

			if (l.line == a->lines[i].line)
				c->before.list[c->before.n++] =
					(struct ship_line){l.line, l.ours};
		}
}

/* Records that the units of the shipment leave the warehouse, for counts of
 * stock: Centra lowers its figure when the shipment completes. */
static void say_moved(const struct begun *b, const struct order *o,
		      const struct shipment *s, struct changes *ret)
{
	for (size_t i = 0; i < s->ask.n_lines; i++)
		for (size_t k = 0; b->co && k < b->co->n_lines; k++)
			if (b->co->lines[k].id == s->ask.lines[i].line)
				stock_moved(ret, o->instance, b->warehouse,
					    b->co->lines[k].ean,
					    b->co->lines[k].sku, b->now);
}

/* A begin_fn. */
static enum rc say_begun(void *arg, const struct order *o, struct changes *ret,
			 struct err *e)
{
	const struct begun *b = arg;
	const struct offer *f = order_offer(o, b->warehouse);
	const struct shipment *s = f ? offer_shipment(f) : NULL;
	struct change_ship_begun *c;

	if (!s || !shipment_goes_on(s))
		return fail(e, RC_CONFLICT, "there is nothing to ship by now");
	if (o->cancelled && b->step != STEP_DELETE)
		return fail(e, RC_CONFLICT, "the order is cancelled");
	c = &changes_add(ret, CHANGE_SHIP_BEGUN, b->warehouse)->ship_begun;
	c->step = b->step;
	c->at = b->now;
	if (b->step == STEP_CREATE)
		say_before(b, f, c);
	if (b->step == STEP_COMPLETE)
		say_moved(b, o, s, ret);
	changes_journal(ret, &(struct entry){
				     .warehouse = b->warehouse,
				     .fact = FACT_STEP,
				     .result = ship_step_name(b->step),
				     .n = s->tries[b->step] + 1,
			     });
	return OK;
}

static void create(struct work *w, struct centra_done *d)
{
	const struct ship_ask *a = &current(w)->ask;
	struct centra_shipment_line *lines;

	lines = xcalloc(a->n_lines + 1, sizeof(*lines));
	for (size_t i = 0; i < a->n_lines; i++)
		lines[i] = (struct centra_shipment_line){
			a->lines[i].line, a->lines[i].quantity};
	graphql_create_shipment(w->centra, w->task->number, lines, a->n_lines,
				d);
	free(lines);
}

/* Returns when the parcel was sent, if that was long before its completion;
 * else 0, which means now.  It may not be in Centra's future; if Centra refused
 * it once, no time is sent. */
static int64_t sent_at(const struct run *r)
{
	const struct work *w = r->w;
	const struct shipment *s = current(w);
	int64_t date = r->got.call.date;
	int64_t at = s->ask.at;

	if (s->came.capture_at > at) /* the parcel must not be sent before its
				      * payment is captured */
		at = s->came.capture_at;
	if (s->came.stage == SHIP_FAILED || at + LATE > w->now)
		return 0;
	return date && at > date ? date : at;
}

static void complete(const struct run *r, int64_t id, struct centra_done *d)
{
	const struct ship_ask *a = &current(r->w)->ask;
	const struct centra_parcel parcel = {
		.carrier = a->carrier,
		.service = a->service,
		.tracking = a->tracking,
		.packages = a->packages,
		.shipped_at = sent_at(r),
	};

	graphql_complete_shipment(r->w->centra, id, &parcel, d);
}

/* Sends all lines that the shipment has now, since a line that is not named
 * keeps its units. */
static void edit(const struct run *r, const struct ship_plan *p,
		 struct centra_done *d)
{
	const struct shipment *s = current(r->w);
	const struct centra_shipment *c = p->there;
	struct centra_shipment_line *lines;
	size_t n = 0;

	lines = xcalloc(c->n_lines + s->n_edit, sizeof(*lines));
	for (size_t i = 0; i < s->n_edit; i++)
		lines[n++] = (struct centra_shipment_line){
			s->edit[i].line, s->edit[i].quantity};
	for (size_t i = 0; i < c->n_lines; i++) {
		size_t k = 0;

		while (k < n && lines[k].line != c->lines[i].line)
			k++;
		if (k == n)
			lines[n++].line = c->lines[i].line;
	}
	order_api_edit_shipment(r->w->centra, c->number ? c->number : "",
				lines, n, d);
	free(lines);
}

static void call(const struct run *r, const struct ship_plan *p,
		 struct centra_done *d)
{
	struct work *w = r->w;

	switch ((enum ship_step)p->what) {
	case STEP_CONFIRM:
		graphql_confirm_order(w->centra, w->task->number, d);
		break;
	case STEP_CREATE:
		create(w, d);
		break;
	case STEP_CAPTURE:
		graphql_capture_shipment(w->centra, p->there->id, d);
		break;
	case STEP_COMPLETE:
		complete(r, p->there->id, d);
		break;
	case STEP_GOOD_TO_GO:
		graphql_good_to_go(w->centra, p->there->id, d);
		break;
	case STEP_EDIT:
		edit(r, p, d);
		break;
	case STEP_DELETE:
		order_api_delete_shipment(w->centra,
					  p->there->number ? p->there->number
							   : "",
					  d);
		break;
	case SHIP_STEPS:
		break;
	}
	run_called(w, api_of((enum ship_step)p->what), mutations[p->what],
		   &d->call);
}

/* ---- what Centra said to it ---- */

static bool told_nothing(struct work *w, enum ship_step step,
			 const struct centra_done *d)
{
	bool unknown = d->call.end == CALL_UNKNOWN;
	bool said = !d->call.held &&
		    run_repeats(w, run_why_call(&d->call));

	if (!d->call.held && (unknown || !said))
		journal(w, &(struct entry){
				   .fact = FACT_NO_REPLY,
				   .result = unknown ? "unknown" : "not_done",
				   .status = d->call.status,
				   .latency_ms = d->call.latency,
				   .text = d->call.why.text,
			   });
	end_try(w, unknown ? TRY_UNKNOWN : TRY_NOT_DONE);
	if (d->misread) {
		run_alarm(w, api_of(step), d->call.why.text);
		if (step == STEP_GOOD_TO_GO || step == STEP_COMPLETE)
			refused_when_paid(w, d->call.why.text);
		else
			failed(w, SHIP_FAILED, FAULT_REFUSED,
			       d->call.why.text);
		return false;
	}
	retry_call(w, run_why_call(&d->call), &d->call, d->call.why.text);
	return false;
}

/* Centra refused (TRY_NO), or its reply does not say that it is done
 * (TRY_UNKNOWN): a look shows whether it is done, by an earlier try or by
 * somebody else. */
static bool told_no(struct run *r, enum ship_step step, enum try_end how,
		    const char *words)
{
	struct work *w = r->w;

	journal(w, &(struct entry){.fact = FACT_STEP_REFUSED,
				   .result = ship_step_name(step),
				   .text = words});
	end_try(w, how);
	free(r->words);
	r->words = xstrdup(words);
	r->refused = step;
	r->was_refused = true;
	r->co = NULL;
	return true;
}

static void journal_done(struct work *w, enum ship_step step,
			 const struct centra_done *d)
{
	journal(w, &(struct entry){.fact = FACT_STEP_DONE,
				   .result = ship_step_name(step),
				   .shipment = d->shipment.number,
				   .latency_ms = d->call.latency,
				   .text = d->warning});
	end_try(w, TRY_OK);
}

static void say_created(struct work *w, const struct centra_shipment *c)
{
	struct ship_came came = came_now(w);

	came.stage = SHIP_CREATED;
	came.id = c->id;
	set_error(&came, NULL);
	if (!copy_text(came.number, sizeof(came.number),
		       c->number ? c->number : ""))
		came.number[0] = '\0';
	say_came(w, came);
}

static void say_capture(struct work *w, enum ship_capture capture)
{
	struct ship_came came = came_now(w);

	came.capture = capture;
	came.capture_at = w->now;
	if (capture == CAPTURE_DONE)
		came.stage = SHIP_CAPTURED;
	set_error(&came, NULL);
	say_came(w, came);
}

static bool told_capture(struct run *r, const struct centra_done *d)
{
	struct work *w = r->w;

	/* The shipment's own flags decide; the payment history only says why it
	 * is not captured yet. */
	if (d->captured || d->paid) {
		journal_done(w, STEP_CAPTURE, d);
		say_capture(w, CAPTURE_DONE);
		r->co = NULL;
	} else if (d->payment == PAYMENT_PENDING ||
		   d->payment == PAYMENT_DONE) {
		journal_done(w, STEP_CAPTURE, d);
		journal(w, &(struct entry){.fact = FACT_PAYMENT,
					   .result = "pending"});
		say_capture(w, CAPTURE_PENDING);
	} else {
		return told_no(r, STEP_CAPTURE, TRY_UNKNOWN,
			       d->warning ? d->warning
					  : "it does not say that the payment "
					    "was captured");
	}
	return true;
}

/* True if the shipment now is as the step was to make it. */
static bool told_state(struct run *r, enum ship_step step, bool is,
		       const struct centra_done *d)
{
	if (!is)
		return told_no(r, step, TRY_UNKNOWN,
			       d->warning ? d->warning
					  : "it does not say that it did");
	journal_done(r->w, step, d);
	return true;
}

static bool replied(struct run *r, const struct ship_plan *p,
		 const struct centra_done *d)
{
	enum ship_step step = (enum ship_step)p->what;
	struct work *w = r->w;

	if (d->call.end != CALL_OK)
		return told_nothing(w, step, d);
	if (d->error)
		return told_no(r, step, TRY_NO, d->error);
	switch (step) {
	case STEP_CONFIRM:
		journal_done(w, step, d);
		r->co = NULL;
		break;
	case STEP_CREATE:
		journal_done(w, step, d);
		say_created(w, &d->shipment);
		r->co = NULL;
		break;
	case STEP_CAPTURE:
		return told_capture(r, d);
	case STEP_GOOD_TO_GO:
		p->there->good_to_go = d->shipment.good_to_go;
		return told_state(r, step, d->shipment.good_to_go, d);
	case STEP_COMPLETE:
		p->there->shipped = d->shipment.shipped;
		return told_state(r, step, d->shipment.shipped, d);
	case STEP_EDIT:
	case STEP_DELETE:
		journal_done(w, step, d);
		r->co = NULL; /* a look has to show it */
		break;
	case SHIP_STEPS:
		break;
	}
	return true;
}

/* ---- for the shop's own system (ship_with = order_api) ---- */

static void set_goal(struct work *w, enum ship_goal goal)
{
	struct ship_ask ask = ship_ask_copy(&current(w)->ask);
	size_t from = w->result.changes.n;

	ask.goal = goal;
	changes_add(&w->result.changes, CHANGE_SHIP_GOAL, w->task->sub)->goal =
		ask;
	run_apply(w, from);
}

/* Ends an edit that Centra does not take; the shipment keeps its units, and the
 * shop's system sees why. */
static void edit_refused(struct work *w, const char *why)
{
	size_t from = w->result.changes.n;

	changes_add(&w->result.changes, CHANGE_SHIP_EDIT, w->task->sub);
	run_apply(w, from);
	say_error(w, why);
}

/* True: the run goes on to the shipment's goal. */
static bool edited(struct work *w)
{
	size_t from = w->result.changes.n;
	struct ship_shown nothing = {0};

	changes_add(&w->result.changes, CHANGE_SHIP_EDITED, w->task->sub);
	/* What was shown has the units of before: it is fetched again. */
	changes_add(&w->result.changes, CHANGE_SHIP_SHOWN, w->task->sub)
		->shown = nothing;
	run_apply(w, from);
	return true;
}

static void delete_refused(struct work *w, const char *why)
{
	ship_report_problem(w, offer_of(w), why);
	set_goal(w, GOAL_CREATED);
	say_error(w, why);
}

/* Ends a shipment that the shop's system gave back: the order stays the shop's,
 * and a person has to say that it can be shipped after all. */
static void given_back(struct work *w)
{
	struct ship_came came = came_now(w);

	came.id = 0;
	came.number[0] = '\0';
	came.capture = CAPTURE_NONE;
	came.missing = false;
	came.stage = SHIP_FAILED;
	came.fault = FAULT_GIVEN_BACK;
	set_error(&came, SHIP_GIVEN_BACK);
	say_came(w, came);
	if (offer_of(w)->state == STATE_ACCEPTED)
		ship_report_problem(w, offer_of(w), SHIP_GIVEN_BACK);
}

/* Ends the run of a shipment that waits for the shop's system.  What Centra's
 * Order API shows of it is fetched once. */
static void ready(struct run *r, const struct ship_plan *p)
{
	struct work *w = r->w;
	struct call got = {0};
	struct json *rows;

	if (current(w)->shown)
		return;
	order_api_shipments(w->centra, w->task->number, p->there->good_to_go,
			    &got, &rows);
	run_called(w, CENTRA_ORDER_API, "GET shipments", &got);
	if (rows) {
		size_t from = w->result.changes.n;

		changes_add(&w->result.changes, CHANGE_SHIP_SHOWN,
			    w->task->sub)
			->shown = ship_shown_of(rows, p->there->number);
		run_apply(w, from);
	} else {
		retry_call(w, run_why(WHY_NOT_SHOWN, 2), &got, got.why.text);
	}
	json_free(rows);
}

/* ---- acting on the plan ---- */

static void wait_payment(struct work *w)
{
	run_retry(w, run_why(WHY_PAYMENT, 0),
		  ship_poll(current(w)->came.capture_at, w->now),
		  "the payment is being confirmed");
}

/* Centra says that somebody was first (CONTRACT 6.6): a look has to show it. */
static bool says_already(const char *words)
{
	static const char *const known[] = {
		"already fully shipped", "already shipped", "is \"shipped\"",
		"is shipped", "already captured",
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strcasestr(words, known[i]))
			return true;
	return false;
}

/* If somebody else has captured the payment, we never capture again: the look
 * will show it. */
static void captured_by_another(struct work *w, const char *words)
{
	say_capture(w, CAPTURE_PENDING);
	say_error(w, words);
	wait_payment(w);
}

/* Handles a refused step that a look shows as still to be done. */
static bool refused(struct run *r, const struct ship_plan *p)
{
	bool paid = p->there && (p->there->captured || p->there->paid);
	bool last = p->what == PLAN_COMPLETE || p->what == PLAN_GOOD_TO_GO;
	struct work *w = r->w;

	if (p->what == PLAN_EDIT)
		edit_refused(w, r->words);
	else if (p->what == PLAN_DELETE)
		delete_refused(w, r->words);
	else if (last && paid)
		refused_when_paid(w, r->words);
	else if (last)
		wait_payment(w); /* it was worth trying */
	else if (p->what == PLAN_CAPTURE && says_already(r->words))
		captured_by_another(w, r->words);
	else if (says_already(r->words) && w->task->attempts < BELIEVES)
		retry_call(w, run_why(WHY_REFUSED, (unsigned)p->what), NULL,
			   r->words);
	else if (p->what == PLAN_CAPTURE)
		failed(w, SHIP_CAPTURE_FAILED, FAULT_NONE, r->words);
	else
		failed(w, SHIP_FAILED, FAULT_REFUSED, r->words);
	return false;
}

static bool take_step(struct run *r, const struct ship_plan *p)
{
	struct work *w = r->w;
	const struct shipment *s = current(w);
	struct begun b = {w->task->sub, (enum ship_step)p->what, w->now,
			  r->co};
	enum centra_api api = api_of((enum ship_step)p->what);
	struct centra_done d = {0};
	struct call held = {0};
	struct err e = {""};
	bool go_on;

	if (r->was_refused && (int)r->refused == (int)p->what)
		return refused(r, p);
	if (s->unknown && (int)s->step == (int)p->what &&
	    w->since_try < w->settle) {
		run_retry(w, run_why(WHY_SETTLING, 0),
			  w->settle - w->since_try,
			  "Centra may still be about to %s",
			  ship_step_words(ship_step_name(
				  (enum ship_step)p->what)));
		return false;
	}
	/* Centra was not asked if the call is held back, so that is no try. */
	if (api == CENTRA_GRAPHQL ? !centra_take_change(w->centra, &held)
				  : !centra_take(w->centra, api, &held)) {
		run_called(w, api, mutations[p->what], &held);
		retry_call(w, run_why_call(&held), &held, held.why.text);
		return false;
	}
	if (w->begin(w, say_begun, &b, &e)) {
		centra_give_back(w->centra, api);
		retry_call(w, run_why(WHY_TRY_NOT_STORED, 0), NULL, e.text);
		return false;
	}
	call(r, p, &d);
	centra_give_back(w->centra, api); /* of one not sent */
	go_on = replied(r, p, &d);
	centra_done_release(&d);
	return go_on;
}

/* Learns from our createShipment whether units in a shipment leave the
 * allocations of their lines. */
static enum ship_reading what_it_did(const struct work *w,
				     const struct centra_order *co)
{
	const struct shipment *s = current(w);
	size_t stay = 0, leave = 0;

	for (size_t i = 0; i < s->n_before; i++)
		for (size_t k = 0; k < co->n_lines; k++) {
			struct ship_stock l = ship_stock_of(&co->lines[k],
							    w->task->sub);
			int64_t was = s->before[i].quantity;

			if (l.line != s->before[i].line)
				continue;
			stay += l.ours == was;
			leave += i < s->ask.n_lines &&
				 l.ours == was - s->ask.lines[i].quantity;
		}
	return !s->n_before	    ? READING_UNKNOWN :
	       stay == s->n_before  ? READING_STAY :
	       leave == s->n_before ? READING_LEAVE :
				      READING_UNKNOWN;
}

/* Records what what_it_did() finds.  Only the first look after our
 * createShipment counts: later changes would confuse the numbers. */
static void learn_reading(struct work *w, const struct centra_order *co)
{
	struct ship_came came = came_now(w);

	if (came.stage == SHIP_CREATED && came.capture == CAPTURE_NONE &&
	    came.reading == READING_UNKNOWN)
		came.reading = what_it_did(w, co);
	if (came.reading == current(w)->came.reading)
		ship_came_release(&came);
	else
		say_came(w, came);
}

static void missing_words(const struct shipment *s, struct err *ret)
{
	snprintf(ret->text, sizeof(ret->text),
		 "Centra no longer shows shipment %s",
		 s->came.number[0] ? s->came.number : "of this parcel");
}

static void say_missing(struct work *w, bool missing, const char *error)
{
	struct ship_came came = came_now(w);

	came.missing = missing;
	set_error(&came, error);
	say_came(w, came);
}

/* Records what the look shows and was not known yet. */
static void catch_up(struct work *w, const struct ship_plan *p,
		     const struct centra_order *co)
{
	const struct centra_shipment *c = p->there;
	const struct ship_came *came;

	if (c && current(w)->came.missing)
		say_missing(w, false, NULL);
	if (!c || p->what == PLAN_STOP)
		return;
	if (!current(w)->came.id) {
		journal(w, &(struct entry){.fact = FACT_SHIPMENT_FOUND,
					   .shipment = c->number});
		say_created(w, c);
	}
	learn_reading(w, co);
	came = &current(w)->came;
	if (c->captured && came->capture != CAPTURE_DONE) {
		journal(w, &(struct entry){.fact = FACT_PAYMENT,
					   .result = "captured"});
		say_capture(w, CAPTURE_DONE);
	} else if ((p->what == PLAN_WAIT || p->what == PLAN_COMPLETE) &&
		   !c->captured && !c->paid &&
		   came->capture != CAPTURE_PENDING) {
		journal(w, &(struct entry){.fact = FACT_PAYMENT,
					   .result = "pending"});
		say_capture(w, CAPTURE_PENDING);
	}
}

static void shipped(struct run *r, const struct ship_plan *p)
{
	struct work *w = r->w;
	struct ship_came came = came_now(w);
	bool rest;

	came.stage = SHIP_SHIPPED;
	came.fault = FAULT_NONE;
	came.shipped_at = w->now;
	came.rest = true; /* assumed; ship_rest() counts it below */
	set_error(&came, NULL);
	say_came(w, ship_came_copy(&came));
	came.rest = ship_rest(w->order, offer_of(w), r->co);
	journal(w, &(struct entry){.fact = FACT_SHIPPED,
				   .result = came.rest ? "part" : "all",
				   .shipment = p->there->number});
	rest = came.rest;
	say_moved(&(struct begun){.warehouse = w->task->sub,
				  .now = w->now,
				  .co = r->co},
		  w->order, current(w), &w->result.changes);
	say_came(w, came);
	if (rest && ship_by_system(w, w->task->sub))
		ship_report_problem(w, offer_of(w), SHIP_REST);
	ship_report_unclear(w, offer_of(w), r->co);
}

/* Gives up the shipment, which Centra no longer has: the next press makes
 * another. */
static void forget(struct work *w)
{
	struct ship_came came = came_now(w);

	came.id = 0;
	came.number[0] = '\0';
	came.capture = CAPTURE_NONE;
	came.missing = false;
	say_came(w, came);
}

/* A single look without the shipment does not prove that it is gone, and
 * forgetting its id would forget its payment too.  Two such looks prove it, if
 * the second is made when Centra has had time to show its newest change. */
static void shipment_gone(struct work *w)
{
	const struct shipment *s = current(w);
	int64_t wait = run_look_again(w);
	struct err why;

	missing_words(s, &why);
	if (s->came.missing && w->since_try >= w->settle) {
		if (s->came.capture == CAPTURE_PENDING ||
		    s->came.capture == CAPTURE_DONE)
			ship_report_problem(w, offer_of(w), why.text);
		forget(w);
		failed(w, SHIP_FAILED, FAULT_REFUSED, why.text);
		return;
	}
	if (!s->came.missing) {
		journal(w, &(struct entry){
				   .fact = FACT_SHIPMENT_GONE,
				   .shipment = s->came.number[0]
						       ? s->came.number
						       : NULL,
			   });
		say_missing(w, true, why.text);
	}
	run_retry(w, run_why(WHY_SHIPMENT_GONE, 0),
		  wait > w->settle ? wait : w->settle, "%s", why.text);
}

/* Makes one round: a look and a call.  False: the run has ended. */
static bool act(struct run *r)
{
	struct work *w = r->w;
	struct ship_plan p;

	if (!r->co && !look_again(r))
		return false;
	ship_plan(w->order, w->task->sub, r->co, w->ship_on_pending, &p);
	catch_up(w, &p, r->co);
	switch (p.what) {
	case PLAN_CONFIRM:
	case PLAN_CREATE:
	case PLAN_CAPTURE:
	case PLAN_COMPLETE:
	case PLAN_GOOD_TO_GO:
	case PLAN_EDIT:
	case PLAN_DELETE:
		return take_step(r, &p);
	case PLAN_READY:
		ready(r, &p);
		break;
	case PLAN_EDITED:
		return edited(w);
	case PLAN_NO_EDIT:
		edit_refused(w, p.why.text);
		return true;
	case PLAN_DELETED:
		given_back(w);
		break;
	case PLAN_WAIT:
		wait_payment(w);
		break;
	case PLAN_UNPAID:
		failed(w, SHIP_CAPTURE_FAILED, FAULT_NONE, p.why.text);
		break;
	case PLAN_SHIPPED:
		shipped(r, &p);
		break;
	case PLAN_MISSED:
		shipment_gone(w);
		break;
	case PLAN_STOP:
		/* Stops the shipment: another one is in the way, or may be
		 * ours. */
		if (p.fault == FAULT_REFUSED && !current(w)->came.id)
			ship_report_problem(w, offer_of(w), p.why.text);
		failed(w, SHIP_FAILED, p.fault, p.why.text);
		break;
	}
	return false;
}

/* Ends a try that began before the process died: its outcome is unknown. */
static void end_lost_try(struct work *w)
{
	journal(w, &(struct entry){.fact = FACT_TRY_LOST});
	end_try(w, TRY_UNKNOWN);
}

static void ship_one(struct work *w)
{
	const struct shipment *s = asked_for(w);
	struct run r = {.w = w};
	int rounds = 0;

	if (!s || !shipment_goes_on(s))
		return;
	if (s->trying)
		end_lost_try(w);
	if (!w->centra) {
		retry_later(w, run_why(WHY_NOT_CONFIGURED, 0),
			    run_wait_long(w, NULL),
				"no Centra is configured for this instance");
		return;
	}
	while (rounds < ROUNDS && act(&r))
		rounds++;
	if (rounds == ROUNDS)
		retry_call(w, run_why(WHY_DISAGREE, 0), NULL,
			   "Centra shows one thing and says another");
	free(r.words);
	centra_orders_release(&r.got);
}

void handle_ship_order(struct work *w, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ship_one(&w[i]);
}
